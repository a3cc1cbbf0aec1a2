"""The method of multipliers in rounds, for losses with kinks where sums of T d^2 numbers are few enough.

Every sample has a multiplier, which stays where the sample is. With predictions of its own that multipliers pull to
X W + b, the loss becomes its Moreau envelope, shifted by the multipliers: smooth in W and b, with curvature where a
prediction is at a kink. An outer step minimises that and the penalty by prox-Newton steps, each of which asks for a
quadratic model, as for smooth losses; the derivatives there are the next multipliers. They lie where the conjugate is
finite, and prove a bound. The number of rounds does not depend on how samples are dealt out to chunks.
"""

from typing import NamedTuple

import numpy as np

from ..result import Result, Status
from ..solvers import solve
from ._gradient import _slopes
from ._models import Frame, least_squares
from ._newton import Ask, RemoteTerm
from ._told import features_of

LENGTHS = 0.5 ** np.arange(16)  # of a step that are looked at
INEXACT = 0.1  # share of the gap that is left at the minimum, up to which that is looked for
MOST = 15  # steps until they move at the latest
GROWTH, FEW = 3.0, 4  # of the curvature of the envelope, where no more than so many steps were needed
BENT = 1e-6  # curvature, of the largest, that is there, and not rounding
DAMPED = 1e-3  # of how much a penalty bends, or samples would, that every coefficient has in a model
FLAT = 0.01  # share of the curvature that an intercept has in a model at least
INNER, LONGEST = 1e-3, 2000  # share of what is missed, to which models are solved, and iterations
PATIENCE = 60  # rounds without a smaller gap


class Multipliers(NamedTuple):
    """Of the samples of a part: those that count, and those that are next, each (N,)."""

    v: np.ndarray
    following: np.ndarray


def enveloped(part, memory, W, b, move, turn, told, shrunk):
    """One round.

    Parameters
    ----------
    part : Part
    memory : Multipliers or None
    W, b : ndarray of shape (d, T), (T,)
    move, turn : ndarray of the same shapes
        The step that has led there.
    told : ndarray of shape (2,)
        The curvature of the envelope, and whether multipliers move first.
    shrunk : ndarray of shape (2, T) or (0, T)
        What those of the round before that are above zero are multiplied by to be dual variables, and the others;
        without any, those of this round are.

    Returns
    -------
    Multipliers
    message : tuple
        (K,) the envelope at ``LENGTHS`` of the step; (3,) the loss at W and b, and the Fenchel gaps there of dual
        variables, and of the multipliers; Z (d, T);
        (2, T) sums of the multipliers above zero, and of the others; (d, T), (T,) the derivatives of the envelope;
        (T,) sums of weights; SufficientStatistics of its curvature.
    """
    sigma, moves = told
    tasks, loss, left, T = part.term.tasks, part.term.loss, part.left, len(b)
    c, zero = tasks.weight, np.zeros(len(part.term.tasks.y))
    v = zero if memory is None else memory.following if moves else memory.v
    z = tasks.shift(tasks.apply(W[:, left]), b[left])
    short = np.full(len(v), 1 / sigma)

    def envelope(at):
        q = at + v / sigma
        own = loss.prox(tasks.y, q, short)
        return q, own, tasks.total(loss.value(tasks.y, own) + v * (at - own) + 0.5 * sigma * (at - own) ** 2)

    q, own, value = envelope(z)
    along = np.full(len(LENGTHS), value)
    if move.any() or turn.any():
        step = tasks.shift(tasks.apply(move[:, left]), turn[left])
        along[1:] = [envelope(z + (size - 1) * step)[2] for size in LENGTHS[1:]]
    following = np.where(c > 0, loss.inside(tasks.y, sigma * (q - own)), 0.0)
    bound = following
    if len(shrunk):
        before = zero if memory is None else memory.following
        bound = before * np.where(before > 0, *(tasks.spread(by[left]) for by in shrunk))
    stiff = loss.stiffness(tasks.y, q, short)[0]
    h = np.where(stiff > BENT, sigma * np.minimum(stiff, 1.0), 0.0)
    Z, slope, sums, of_tasks = np.zeros(W.shape), np.zeros(W.shape), np.zeros((2, T)), np.zeros((2, T))
    Z[:, left], slope[:, left] = tasks.adjoint(-c * bound), tasks.adjoint(c * following)
    sums[:, left] = tasks.sum(c * np.maximum(following, 0)), tasks.sum(c * np.maximum(-following, 0))
    of_tasks[:, left] = tasks.sum(c * following), tasks.mass
    fenchel = [tasks.total(loss.fenchel_gap(tasks.y, z, dual)) for dual in (bound, following)]
    proven = np.array([part.term.value(z), *fenchel])
    curvature = features_of(part, np.where(c > 0, c * h, 0.0))
    return Multipliers(v, following), (along, proven, Z, sums, slope, of_tasks, curvature)


def multiplied(penalty, metric, counted, fit_intercept, fixed, tol, max_iter, callback, b, of_penalty):
    """As ``fitted`` of prox-Newton's method, from the intercepts b at W = 0.

    ``of_penalty(W, Z)`` is what the penalty adds to the gap.
    """
    conjugates, rounding = yield Ask("convexmtl-floor")
    shape = metric.means.shape
    squares = (yield Ask("convexmtl-spread", (np.zeros(shape[0]), False))) / max(float(counted.sum()), 1.0)
    first = yield from _slopes(metric, np.zeros(shape), b)
    gain = max(first.value + conjugates, 0.0)
    rest = {"trivial": (first.value, b), "conjugates": conjugates, "gain": gain, "rounding": rounding}
    at_zero = RemoteTerm.of(metric.model(first, 1.0).tasks, fit_intercept, fixed, first.value, rest)
    threshold, history, n_iter, stalls, best, status = at_zero.threshold(tol), [], 0, 0, None, None
    frame = Frame(penalty, fit_intercept, None if fixed is None else np.where(counted, 0.0, fixed))
    none, T = (np.zeros(shape), np.zeros(shape[1])), shape[1]
    # (Slopes in units of targets.)
    sigma = 1 / max(np.sqrt(rounding / max(float(counted.sum()), 1.0)), 1e-12)
    W, lower, steps, shrunk = none[0], -conjugates, 0, np.zeros((2 * fit_intercept, T))
    ask, told = (W, b, *none), (sigma, False)
    here = None
    while True:
        answer = yield Ask("convexmtl-envelope", (*ask, np.array(told), shrunk))
        along, (value, fenchel, left), Z, sums, slope, (slope_b, mass), H = answer
        H = H._at(np.arange(T))
        if fit_intercept:
            least = sums.min(axis=0)
            shrunk = np.divide(least, sums, out=np.ones((2, T)), where=sums > 0)
        primal = value + penalty.value((ask[0],))
        proven = fenchel + of_penalty(ask[0], Z)
        lower = max(lower, primal - proven) if np.isfinite(proven) else lower
        gap = min(proven, max(primal - lower, 0.0))
        history.append((n_iter, primal, gap))
        if callback is not None:
            callback(*history[-1])
        stalls = 0 if best is None or gap < best[0] else stalls + 1
        best = (gap, primal, *ask[:2]) if best is None or gap < best[0] else best
        status = Status.of(gap, threshold) or (Status.OUT_OF_ITERATIONS if n_iter >= max_iter else None)
        if status is None and stalls >= PATIENCE:
            status = Status.STALLED
        if status is not None:
            gap, primal, W, b = best
            return Result((W,), b, primal, gap, n_iter, status, history), at_zero
        if here is not None and ask[2].any():
            # How far of the last step is best.
            values = along + [penalty.value((W + size * ask[2],)) for size in LENGTHS]
            k = int(np.argmin(values))
            size = LENGTHS[k] if values[k] < here else 0.0
            W, b = W + size * ask[2], b + size * ask[3]
            steps = steps if size else MOST
            if size < 1:
                ask, told = (W, b, *none), (sigma, False)
                continue
        here = along[0] + penalty.value((W,))
        # What the derivatives here miss of a bound, beside what they would miss of it at the minimum.
        missed = of_penalty(W, -slope)
        if fit_intercept:
            bend = np.maximum(H.weight, FLAT * sigma * mass)
            missed += 0.5 * float(np.sum(np.divide(slope_b**2, bend, out=np.zeros(T), where=bend > 0)))
        if missed <= INEXACT * max(left, 0.1 * threshold) or steps >= MOST:
            sigma *= GROWTH if steps <= FEW else 1.0
            ask, told, steps, here = (W, b, *none), (sigma, True), 0, None
            continue
        size = np.divide(
            *(np.linalg.norm(of, axis=1) for of in (slope, W)), out=np.full(len(W), np.inf), where=W.any(axis=1)
        )
        more = DAMPED * np.minimum(sigma * squares[:, None] * mass, size[:, None])
        more_b = np.maximum(FLAT * sigma * mass - H.weight, 0.0)
        problem = least_squares(H, W, b, slope, slope_b, frame, more, more_b)
        # (What there is to gain in a model that hardly bends somewhere says little.)
        tol, begin = INNER * missed / max(problem.data.gain, 1e-300), Result((W,), b, np.inf, np.inf, 0, status)
        found = solve(problem, begin, tol, LONGEST)
        n_iter, steps = n_iter + 1, steps + 1
        move, turn = found.W - W, found.intercept - b
        ask, told = (W + move, b + turn, move, turn), (sigma, False)


UPDATED = {"convexmtl-envelope": enveloped}
