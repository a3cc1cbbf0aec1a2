"""Accelerated proximal gradients in rounds, where sums of T d^2 numbers are too many: each way go matrices (d, T).

The metric is one Gram matrix (d, d) for all tasks, that of their samples pooled about the means of each, times the
mean curvature of the loss in every task; so a step is a problem of least squares with one X, which the solvers of the
package solve here. Its length is that of the steepest curvature that has been seen along the way. Rounds grow as the
root of the factor by which the Gram matrices of the tasks differ from the pooled one.
"""

from dataclasses import replace

import numpy as np

from ..certificate import duality_gap
from ..data import DataTerm, increasing_root
from ..losses import Squared
from ..problem import Problem
from ..result import Result, Status
from ..solvers import solve
from ..statistics import SufficientStatistics
from ._newton import Ask, RemoteTerm
from ._told import doubled

CHECK, SOON = 10, 4  # steps between two looks at the gap, and where it is likely to be small
INEXACT = 1e-3  # share of what the last step has moved to which the next one is solved, squared
MARGIN = 1.05  # by which a step is shorter than the steepest curvature asks for
# What dual variables are shrunk by where rounding, or a step too far, has left them outside of what a loss accepts.
SHRINK = 1 - np.concatenate([np.geomspace(1e-14, 1e-2, 25), [0.1, 0.5]])
SETTLED = 30  # rounds in which dual variables are to lose what is along directions that are free


def descended(
    penalty, loss, shape, counted, fit_intercept, fixed, tol, max_iter, callback=None, start=None, *, owner, intercept
):
    """As ``fitted`` of prox-Newton's method."""
    T, b = shape[1], intercept
    coupled = penalty.coupling.free.shape[1] and not penalty.coupling.is_zero
    if owner is not None and (coupled or penalty.free_entries(shape) is not None):
        raise ValueError(
            "method='gradient' certifies tasks of more than two classes only where the penalty leaves nothing free: "
            "give a coupling a ridge and features weights above 0, or use method='newton'."
        )
    # (Those of columns that move each other are known.)
    if fit_intercept and counted.any() and owner is None:
        b = yield from _intercepts(b, counted)
    conjugates, rounding = yield Ask("convexmtl-floor")
    sums, mass = yield Ask("convexmtl-means", (T,))
    means = np.divide(sums, mass, out=np.zeros(shape), where=mass > 0) * fit_intercept
    pooled, diagonals = yield Ask("convexmtl-pooled", (means,))
    pooled = pooled / max(mass.sum(), 1e-300)
    metric = _Metric(pooled, means, fit_intercept, fixed, owner)
    zero = np.zeros(shape)
    first = yield from _slopes(metric, zero, b)
    first.curvature = first.curvature if owner is None else doubled(owner) * first.curvature
    sizes = np.divide(diagonals.T, np.diag(pooled), out=np.zeros(diagonals.T.shape), where=np.diag(pooled) > 0)
    # (Those of the features of a task, beside the pooled ones, and of the curvature of its loss.)
    metric.scale = np.where(mass > 0, first.curvature / np.maximum(mass, 1e-300), 0.0) * sizes.mean(axis=1)
    metric.scale = np.where(counted, np.maximum(metric.scale, 1e-3 * metric.scale.max(initial=1e-300)), 0.0)
    metric.turn = np.where(counted, np.maximum(first.curvature, 1e-300), 0.0)
    value = first.value
    gain = max(value + conjugates, 0.0)
    rest = {"trivial": (value, b), "conjugates": conjugates, "gain": gain, "rounding": rounding}
    at_zero = RemoteTerm.of(metric.model(first, 1.0).tasks, fit_intercept, fixed, value, rest)
    threshold, history, n_iter = at_zero.threshold(tol), [], 0
    parts = tuple(np.zeros(shape) for _ in range(penalty.n_parts))
    if start is not None:
        parts, b = start.parts, start.intercept
    ahead, here, steep, momentum, last = parts, first if start is None else None, 1.0, 1.0, None
    c = turned = b + np.sum(means * _sum(parts), axis=0)
    best, gained, stalls, waited = None, gain, 0, 0
    while True:
        if here is None:
            here = yield from _slopes(metric, _sum(ahead), c - np.sum(means * _sum(ahead), axis=0))
        if last is not None:
            # The curvature along the way from there to here.
            seen = metric.curvature(last, here)
            if seen > steep:
                steep, momentum = MARGIN * seen, 1.0
        problem = Problem(metric.model(here, steep), penalty)
        inner = np.clip(INEXACT * gained / max(problem.data.gain, 1e-300), 1e-13, 0.01)
        begun = Result(parts, turned, np.inf, np.inf, 0, Status.CONVERGED)
        found = solve(problem, begun, float(inner), 2000)
        n_iter += 1
        new, end = found.parts, found.intercept
        moves = [a - o for a, o in zip(new, parts, strict=True)]
        # Momentum that points uphill is given up.
        back = sum(metric.inner(h - a, m) for h, a, m in zip(ahead, new, moves, strict=True))
        momentum = 1.0 if back + float(np.sum(metric.turn * (c - end) * (end - turned))) > 0 else momentum
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        share, momentum = (momentum - 1) / following, following
        length = steep * (sum(metric.inner(m, m) for m in moves) + float(np.sum(metric.turn * (end - turned) ** 2)))
        ahead = tuple(a + share * m for a, m in zip(new, moves, strict=True))
        c, last = end + share * (end - turned), here
        parts, turned, here = new, end, None
        gained = min(gained, max(length, 1e-4 * gained))
        waited += 1
        if waited < (SOON if length <= threshold else CHECK) and n_iter < max_iter:
            continue
        waited = 0
        W = _sum(parts)
        certificate = yield from _certified(metric, penalty, parts, turned, rest)
        history.append((n_iter, certificate.primal, certificate.gap))
        if callback is not None:
            callback(*history[-1])
        stalls = 0 if best is None or certificate.gap < best[0] else stalls + 1
        if best is None or certificate.gap < best[0]:
            best = certificate.gap, certificate.primal, parts, turned - np.sum(means * W, axis=0)
        else:
            gained *= 0.1
        status = Status.of(certificate.gap, threshold)
        if status is None and n_iter >= max_iter:
            status = Status.OUT_OF_ITERATIONS
        if status is None and stalls >= 40:
            status = Status.STALLED
        if status is not None:
            gap, primal, parts, b = best
            return Result(parts, b, primal, gap, n_iter, status, history), at_zero


def _sum(parts):
    return sum(parts[1:], parts[0])


class _Slopes:
    """What the parts say at W and c, the intercepts about the means."""

    def __init__(self, W, c, value, Z, slope, spread, curvature):
        self.W, self.c, self.value, self.Z, self.slope = W, c, value, Z, slope
        self.spread, self.curvature = spread, curvature


def _slopes(metric, W, b, move=None, turn=None):
    """The _Slopes at W and b, of dual variables that have moved."""
    none = move is None
    move, turn = np.zeros((1, 1)) if none else move, np.zeros(len(b)) if turn is None else turn
    (value,), Z, slope, spread, curvature = yield Ask("convexmtl-slopes", (W, b, move, turn))
    means = metric.means
    return _Slopes(
        W, b + np.sum(means * W, axis=0), value, Z + slope * means, slope, spread - curvature * means, curvature
    )


class _Metric:
    """One Gram matrix (d, d) about the means (d, T), times a scale (T,)."""

    def __init__(self, G, means, fit_intercept, fixed, owner=None):
        self.G, self.means, self.fit_intercept, self.fixed = (G + G.T) / 2, means, fit_intercept, fixed
        self.owner = owner
        # Of coefficients, and of intercepts about the means.
        self.scale = self.turn = np.ones(means.shape[1])

    def inner(self, A, B):
        return float(np.sum(self.scale * np.sum(A * (self.G @ B), axis=0)))

    def curvature(self, a, b):
        """Of the loss between two points, in units of this metric."""
        W, c = b.W - a.W, b.c - a.c
        rise = -float(np.sum(W * (b.Z - a.Z))) + float(c @ (b.slope - a.slope))
        size = self.inner(W, W) + float(self.turn @ c**2)
        return rise / size if size > 0 else 0.0

    def model(self, at, steep):
        """The DataTerm of the model around there, in W and c."""
        scale = steep * self.scale
        unit = _inverse(scale)
        d, T = at.W.shape
        statistics = SufficientStatistics(
            np.arange(T),
            "shared",
            n_samples=np.ones(1),
            weight=np.ones(1),
            mean_X=np.zeros((d, 1)),
            rest_X=np.zeros((d, 1)),
            mean_y=at.c - at.slope * _inverse(steep * self.turn) if self.fit_intercept else np.zeros(T),
            rest_y=np.zeros(T),
            gram=self.G[None],
            cross=self.G @ at.W + at.Z * unit,
            square=np.zeros(T),
        )
        fixed = None if self.fixed is None else np.where(scale > 0, 0.0, self.fixed)
        return DataTerm(statistics._tasks(scale), Squared(), self.fit_intercept, fixed)


def _inverse(scale):
    return np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)


def _certified(metric, penalty, parts, c, rest):
    """The Certificate at the parts and c.

    Dual variables move by a Newton step for the intercepts, whose sums are known; along what is free the metric says
    only about where to, and they are asked again until nothing is left.
    """
    W = _sum(parts)
    b = c - np.sum(metric.means * W, axis=0)
    move, turn = np.zeros(W.shape), np.zeros(len(b))
    balances = None
    if metric.fit_intercept and metric.owner is not None:
        most = int(np.bincount(metric.owner).max())
        balances = _balancing(metric, *(yield Ask("convexmtl-responses", (W, b, most))))
    for k in range(SETTLED):
        at = yield from _slopes(metric, W, b, move if move.any() else None, turn)
        if balances is not None:
            step, change = balances(at.slope)
            turn = turn + step
            at.Z, at.slope = at.Z - change, np.zeros_like(step)
        elif metric.fit_intercept:
            step = np.divide(-at.slope, at.curvature, out=np.zeros_like(turn), where=at.curvature > 0)
            turn = turn + step
            at.Z, at.slope = at.Z - step * at.spread, np.zeros_like(step)
        data = metric.model(at, 1.0)
        term = RemoteTerm.of(data.tasks, data.fit_intercept, data.fixed_intercept, at.value, rest)
        problem = Problem(term, penalty)
        # (Of the model the intercepts have nothing to say any more.)
        found = duality_gap(problem, parts, intercept=c)
        if term.asked is None:
            return found
        further, _ = _solved(data.tasks, term.asked[0]) if penalty.coupling.free.shape[1] or k else (0 * W, None)
        size = np.abs(metric.G @ further * metric.scale).max(initial=0.0)
        if not size > 1e-9 * max(np.abs(at.Z).max(initial=0.0), 1e-300) or not np.isfinite(at.value):
            break
        move = move + further / 1.5
        turn = turn - np.sum(metric.means * further, axis=0) / 1.5
    else:
        if metric.owner is not None:
            # (Of columns that move each other such dual variables have certified too much.)
            object.__setattr__(term, "answer", (np.inf, float(term.asked[1])))
            return replace(duality_gap(problem, parts, intercept=c), intercept=b)
    scales = np.array([term.asked[1]])
    gaps = yield Ask("convexmtl-gap", (W, b, move, turn, scales))
    if not np.isfinite(gaps[0]):
        scales = term.asked[1] * SHRINK
        gaps = yield Ask("convexmtl-gap", (W, b, move, turn, scales))
    best = int(np.argmax(np.isfinite(gaps)))
    object.__setattr__(term, "answer", (float(gaps[best]), float(scales[best])))
    return replace(duality_gap(problem, parts, intercept=c), intercept=b)


def _balancing(metric, mass, spread):
    """For slopes (T,) in the intercepts of columns that move each other: (the Newton step, what -Z changes by)."""
    owner, T = metric.owner, len(metric.owner)
    counts = np.bincount(owner)
    place = np.arange(T) - (np.cumsum(counts) - counts)[owner]
    pairs = [(r, np.flatnonzero(place + r < counts[owner])) for r in range(1, len(mass))]
    matrix = np.zeros((len(counts), len(mass), len(mass)))
    matrix[owner, place, place] = mass[0]
    for r, j in pairs:
        matrix[owner[j], place[j], place[j] + r] = matrix[owner[j], place[j] + r, place[j]] = -mass[r, j]
    inverse = np.linalg.pinv(matrix, rcond=1e-12, hermitian=True)
    away = spread - mass[:, None] * metric.means

    def balances(slope):
        padded = np.zeros(matrix.shape[:2])
        padded[owner, place] = -slope
        step = (inverse @ padded[:, :, None])[owner, place, 0]
        change = away[0] * step
        for r, j in pairs:
            change[:, j] -= away[r][:, j] * step[j + r]
            change[:, j + r] -= away[r][:, j] * step[j]
        return step, change

    return balances


def _intercepts(b, counted):
    """The best ones at W = 0."""
    steps = increasing_root(b, counted)
    try:
        b = next(steps)
        while True:
            b = steps.send(tuple((yield Ask("convexmtl-intercepts", (b,)))))
    except StopIteration as found:
        return found.value


def _solved(tasks, step):
    """(V (d, T), beta (T,)) with x . v_t + beta_t = step, on the samples of Tasks of as many rows each."""
    T, d = tasks.n_tasks, tasks.n_features
    S = step.reshape(T, -1)
    beta = S.mean(axis=1)
    S = S - beta[:, None]
    if not np.any(np.abs(S) > 1e-14 * np.abs(step).max(initial=0.0)):
        return np.zeros((d, T)), beta
    X = tasks.X.reshape(-1, S.shape[1], d)
    means = X.mean(axis=1)
    centred = X - means[:, None]
    length = np.sqrt(np.einsum("kij,kij->kj", centred, centred))
    unit = np.divide(1.0, length, out=np.zeros_like(length), where=length > 0)
    V = unit[:, :, None] * (np.linalg.pinv(centred * unit[:, None], rcond=1e-12) @ S[:, :, None])
    V = V[:, :, 0].T
    return V, beta - np.sum(means.T * V, axis=0)
