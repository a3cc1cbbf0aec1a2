"""Dual ascent in rounds, for quadratic couplings and learned relationships (Liu, Pan, Ho 2016, KDD).

Every part has the dual variables of its own samples. In a round it is told W, improves its own as far as they go by
themselves, and says by what its share of Z = -sum c v x has changed; W = Z M^-1 / 2 ties the tasks together again. What
the parts do at once is safe to add up where each of them sees the coupling as steep as if all shared the direction of a
task; less steep is faster for smooth losses, and is tried as long as the dual objective rises. Its own problem is then
one fit with a ridge about an anchor, which the solvers of the package make, for any loss.

For learned relationships M = (alpha / 2) Sigma^-1, and Sigma takes a spectral step here whenever W is as good as it has
to be for the last one. These steps become short: the objective is near the optimum long before the gap proves it.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..data import DataTerm
from ..penalties import RowNorm
from ..problem import Problem
from ..result import Result, Status
from ..solvers import solve
from ._newton import Ask, RemoteTerm

LOCAL = 1e-10, 500  # tol and most iterations of the fit of a part
FEW = 2000  # tasks up to which a matrix of all of them is inverted
SETTLED = 0.2  # share of the gap that the losses have left where Sigma takes a step
PATIENCE = 300  # rounds without a smaller gap
BOLDER, SAFER, BOLDEST = 0.9, 2.0, 0.3  # how steep the coupling is taken to be, times what is safe
LEAST = 1e-3  # of the largest singular value, by which Sigma begins to be kept from zero


class Duals(NamedTuple):
    """Of a part: the dual variables v (N,) of its samples, and Z (d, k) for its tasks."""

    v: np.ndarray
    Z: np.ndarray


def shares(part, T):
    """(T,) whether the part has samples of a task."""
    found = np.zeros(T)
    found[part.left] = part.term.tasks.mass > 0
    return found


def ascended(part, duals, W, s):
    """(Duals, ((1,) the loss at W, (1,) its Fenchel gaps there, the change of Z (d, T), Z as it was))."""
    tasks, loss, c, left = part.term.tasks, part.term.loss, part.term.tasks.weight, part.left
    if duals is None:
        duals = Duals(np.zeros(len(tasks.y)), np.zeros((tasks.n_features, len(left))))
    z = tasks.shift(tasks.apply(W[:, left]), np.zeros(len(left)))
    with np.errstate(over="ignore", invalid="ignore"):
        gap = tasks.total(loss.fenchel_gap(tasks.y, z, np.where(c > 0, duals.v, 0.0)))
    value = part.term.value(z)
    v, Z = duals
    if s > 0:
        v, Z = _improved(part, duals, W[:, left], s)
    before, change = np.zeros(W.shape), np.zeros(W.shape)
    before[:, left], change[:, left] = duals.Z, Z - duals.Z
    return Duals(v, Z), (np.array([value]), np.array([gap]), change, before)


def _improved(part, duals, W, s):
    """The best dual variables of a part, as far as it knows."""
    term, tasks = part.term, part.term.tasks
    anchor = W - s * duals.Z
    shift = tasks.apply(anchor)
    offset = np.where(tasks.weight > 0, shift + (0.0 if tasks.offset is None else tasks.offset), 0.0)
    own = DataTerm(replace(tasks, offset=offset), part.loss, False)
    penalty = RowNorm(1 / s, l1_ratio=0.0).resolve(tasks.n_features, np.arange(tasks.n_tasks))
    found = solve(Problem(own, penalty), None, *LOCAL)
    z = tasks.apply(found.W) + shift
    loss, c = term.loss, tasks.weight
    if found.dual is not None and found.dual.v is not None:
        v = loss.inside(tasks.y, np.where(c > 0, found.dual.v, 0.0))
    else:
        at = z if found.dual is None or found.dual.at is None else found.dual.at + shift
        v = loss.derivative(tasks.y, np.where(c > 0, at, 0.0))
    v = np.where(c > 0, v, 0.0)
    return v, tasks.adjoint(-c * v)


def dual_ascent(penalty, loss, shape, counted, fit_intercept, fixed, tol, max_iter, callback=None, start=None):
    """As ``fitted`` of prox-Newton's method."""
    T, learned = shape[1], bool(penalty.terms)
    conjugates, rounding = yield Ask("convexmtl-floor")
    K = max(1.0, (yield Ask("convexmtl-shares", (T,))).max())
    W, Z, least, b = np.zeros(shape), np.zeros(shape), LEAST, np.zeros(T)
    inverse = None if learned else np.linalg.inv(penalty.coupling.matrix())
    history, gap, best, rest, status, n_iter, stalls = [], np.inf, None, None, None, 0, 0
    steep, dual, left = 1.0, -np.inf, np.inf
    while True:
        if learned and (inverse is None or left <= SETTLED * gap):
            # The first Sigma knows nothing of the tasks.
            M = penalty.terms[0].majorised(W, least) if W.any() else penalty.terms[0].majorised(np.zeros((1, T)), 1.0)
            inverse, least = np.linalg.inv(M), max(0.5 * least, 1e-7)
            W, dual = Z @ inverse / 2, -np.inf
        s = steep * 0.5 * K * float(np.linalg.eigvalsh(inverse)[-1])
        (value,), (losses,), change, _ = yield Ask("convexmtl-ascent", (W, s))
        if rest is None:
            gain = max(value + conjugates, 0.0)
            rest = {"trivial": (value, b), "conjugates": conjugates, "gain": gain, "rounding": rounding}
            threshold = tol * gain + (4 * np.finfo(float).eps) ** 2 * rounding
        conjugate = penalty.terms[0].conjugate(Z) if learned else penalty.coupling.conjugate(Z)
        objective = value + penalty.value((W,))
        gap = losses + penalty.value((W,)) + conjugate - float(np.sum(W * Z))
        left, rising = losses, not value + float(np.sum(W * Z)) / 2 - losses < dual
        dual = value + float(np.sum(W * Z)) / 2 - losses
        if loss.curvature:
            steep = max(BOLDER * steep, BOLDEST) if rising else min(SAFER * steep, 1.0)
        history.append((n_iter, objective, gap))
        if callback is not None:
            callback(*history[-1])
        stalls = 0 if best is None or gap < best[0] else stalls + 1
        if best is None or gap < best[0]:
            best = gap, objective, W
        status = Status.of(gap, threshold) or (Status.OUT_OF_ITERATIONS if n_iter >= max_iter else None)
        if status is None and stalls >= PATIENCE:
            status = Status.STALLED
        if status is not None:
            break
        n_iter += 1
        Z = Z + change
        W = Z @ inverse / 2
    gap, objective, W = best
    (value,), statistics = yield Ask("convexmtl-model", (np.zeros(shape), b))
    at_zero = RemoteTerm.of(statistics._tasks(statistics.weight), False, fixed, value, rest)
    return Result((W,), b, objective, gap, n_iter, status, history), at_zero


def require_dual(estimator, canonical, T):
    """Raise a ValueError for what has no such dual."""
    if estimator.fit_intercept:
        raise ValueError(
            "method='dual' needs fit_intercept=False: an intercept ties the dual variables of all parts of a task. "
            "Take the means off, or use method='newton'."
        )
    learned = len(canonical.terms) == 1 and hasattr(canonical.terms[0], "majorised") and canonical.coupling.is_zero
    if not learned and (canonical.terms or not canonical.coupling.lowest > 0):
        raise ValueError(
            f"method='dual' is for quadratic couplings that leave no direction free, and for learned relationships "
            f"without a ridge, not for {estimator._penalty()!r}: use method='newton'."
        )
    if T > FEW:
        raise ValueError(f"method='dual' makes a matrix of all tasks, at most {FEW}, got {T}: use method='gradient'.")
