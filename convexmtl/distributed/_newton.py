"""Prox-Newton's method in rounds, for losses other than the squared one, whoever has the samples.

A round asks all parts of one point: around it the loss is modelled by its value, derivatives and curvature, of T d^2
numbers, a problem of weighted least squares that is solved with its penalty here. Its solution is the next point. The
round that tells the loss there tells its share of the duality gap, too, with dual variables v + h (x . moved + moved_b)
of the last point, which are such that their gradient is that of the model's dual solution. All that penalties ask of
dual variables holds for these, then, and the rest of the gap is that of the model: the point is certified as any other
fit is, without a sample.

Generators that yield questions, ``Ask``, and want the sums of the answers: who carries them is not their business.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .._threads import one_thread
from ..certificate import Dual
from ..data import DataTerm
from ..losses import Squared
from ..result import Result, Status
from ._models import Frame, Model, Point
from ._told import SCALES, STEPS, Question

EASED = 0.1  # share of the damping that is left after a good step
LEAST = 1e-4  # without any, a model of too few curved samples would know nothing of the slopes of the others
INNER = 1e-3  # share of the gap that is wanted, to which models are solved
ENOUGH = 1e-4  # share of what a model promises that a step has to keep
KNOWN, SURE = 1e-3, 1e-8  # share of what there is to gain, to which the value at W = 0 is known, and asked for no more
CLOSER, CLOSEST = 1e-2, 1e-4  # share of that after a step that gains little, though the gap is too large
STALLS = 3  # steps that neither the loss nor the gap gains anything by
MOST = 2000  # iterations in a model
EXACT, MOST_AT_ZERO = 1e-20, 30  # the same where intercepts are to be exact, and rounds until they are
FURTHER = 3  # rounds that certify, at most


class Ask(NamedTuple):
    """A question to all parts: which function of ``_parts``, with which arguments."""

    what: str
    arguments: tuple = ()


@dataclass(frozen=True, eq=False)
class RemoteTerm(DataTerm):
    """The data term of samples elsewhere, by its quadratic model at W and b.

    Its tasks are those of the model, whose gradients at W and whose dual variables, as far as they move from there, are
    those of the samples. Its value there, and the gaps of dual variables, come from the parts.
    """

    known: Any = None  # (value, conjugates at rest)
    answer: Any = None  # (Fenchel gaps, scale), once they are there
    asked: Any = None

    @classmethod
    def of(cls, tasks, fit_intercept, fixed, value, rest):
        made = cls(tasks, Squared(), fit_intercept, fixed, (value, rest["conjugates"]))
        # (What else is known of the samples themselves.)
        vars(made).update(even=False, trivial=rest["trivial"], _gain=(rest["gain"], rest["rounding"]))
        return made

    def value(self, z):
        return self.known[0]

    @property
    def at_rest(self):
        return self.known[1]

    def fenchel_gap(self, z, v, scale):
        if self.answer is None:
            object.__setattr__(self, "asked", (v - (z - self.tasks.y), scale))
            return np.inf, scale
        return self.answer

    def separated(self, W, entries):
        return np.zeros(self.tasks.n_tasks, dtype=bool)


def fitted(
    penalty,
    loss,
    shape,
    counted,
    fit_intercept,
    fixed,
    tol,
    max_iter,
    callback=None,
    start=None,
    *,
    owner=None,
    intercept=None,
    max_rounds=np.inf,
    closing=True,
):
    """Yield every ``Ask``, want the sum of its answers, and return (Result, RemoteTerm at W = 0).

    Parameters
    ----------
    penalty : Canonical
    loss : Loss
    shape : (d, T)
        T are columns, where tasks have several.
    counted : ndarray of shape (T,)
        Whether samples of a column count.
    fit_intercept : bool
    fixed : ndarray of shape (T,) or None
        Intercepts of the columns that do not count.
    tol : float
    max_iter : int
        Steps.
    callback : callable or None
    start : Result or None
    owner : ndarray of shape (T,) or None
        The task of every column, where columns move each other.
    intercept : ndarray of shape (T,) or None
        Near the best intercepts at W = 0.
    max_rounds : int
    closing : bool
        Whether a last round makes sure that the coefficients alone lead to dual variables that certify them.
    """
    frame = Frame(penalty, fit_intercept, fixed, owner)
    if intercept is None:
        intercept = np.zeros(shape[1]) if fixed is None else np.where(counted, 0.0, fixed)
    zero, first = yield from begun(shape, counted, fit_intercept, intercept, penalty.n_parts)
    here, rounds = first, 1
    if start is not None:
        told = yield Ask("convexmtl-point", (Question(start.W, start.intercept, zero.b),))
        zero.take(told)
        rounds += 1
        there = Point.of(start.parts, start.intercept, told)
        less = there.value + penalty.value(there.parts) < here.value + penalty.value(here.parts)
        here = there if less and there.curvature is not None else here
    found, _ = yield from steps(frame, zero, here, tol, max_iter, max_rounds - rounds, closing, callback)
    return found, zero.term(frame, first)


def begun(shape, counted, fit_intercept, intercept, n_parts, exact=False):
    """(_AtZero, Point at W = 0), by as many rounds as it takes where the best intercepts there are to be ``exact``."""
    zero, zeros = _AtZero(intercept, counted, fit_intercept), tuple(np.zeros(shape) for _ in range(n_parts))
    told = yield Ask("convexmtl-point", (Question(zeros[0], intercept, intercept),))
    zero.take(told, EXACT if exact else SURE)
    for _ in range(MOST_AT_ZERO if exact else 0):
        if zero.b is None:
            break
        told = yield Ask("convexmtl-point", (Question(zeros[0], zero.b, zero.b),))
        zero.take(told, EXACT)
    return zero, Point.of(zeros, zero.b_last, told)


def steps(frame, zero, here, tol, max_iter, most=np.inf, closing=True, callback=None, damping=1.0):
    """Steps from a Point, in at most so many rounds: (Result, Point of it)."""
    penalty = frame.penalty
    rounds, n_iter, left, history, stalls, lowest, closer = 0, 0, FURTHER, [], 0, np.inf, 1.0
    status, best = Status.OUT_OF_ITERATIONS, (here, np.inf)
    while n_iter < max_iter and rounds < most:
        with one_thread():
            step = Model(frame, here, damping).solved(INNER * closer * zero.threshold(tol), MOST)
        result = step.result
        question = Question(result.W, result.intercept, zero.b, here.W, here.b, *step.moved, step.scale)
        told = yield Ask("convexmtl-point", (question,))
        zero.take(told)
        rounds, n_iter = rounds + 1, n_iter + 1
        there = Point.of(result.parts, result.intercept, told)
        if result.dual is not None:
            # (How the gradient is shared out, whatever the samples.)
            there = there._replace(split=Dual(split=result.dual.split))
        objective = there.value + penalty.value(result.parts)
        gap, threshold = min(_gap(told, step, penalty), objective + zero.perfect), zero.threshold(tol)
        lost = not np.isfinite(step.rest) and step.promised <= threshold and rounds < most
        if lost and there.curvature is not None:
            # (Where the loss has next to no curvature, no dual variables near its derivatives have those of the model.)
            proof = yield from _stood(frame, there, zero)
            rounds += 1
            gap = min(gap, proof)
        history.append((n_iter, objective, gap))
        if callback is not None:
            callback(*history[-1])
        ended = Status.of(gap, threshold) if zero.is_known and there.curvature is not None else None
        if ended is not None or (status is Status.OUT_OF_ITERATIONS and gap < best[1]):
            best = there, gap
        if ended is not None:
            status, left = ended, left - 1
            # (With the derivatives there as dual variables the coefficients are to be as good: whoever has no others
            # certifies them, too.)
            proof = Model(frame, there, 0.0).stood().gap
            if left and proof <= threshold and closing and not lost and rounds < most:
                proof = yield from _stood(frame, there, zero)
                rounds += 1
            if not left or proof <= threshold:
                break
        # (Where a loss hardly bends, what is left of a model is less than what that leaves to the loss.)
        closer = max(CLOSER * closer, CLOSEST) if gap > 0.5 * lowest and step.promised < threshold else closer
        stalls = 0 if gap < 0.9 * lowest or step.promised > 1e-13 * abs(objective) else stalls + 1
        lowest = min(gap, lowest)
        if stalls >= STALLS:
            status = Status.STALLED if status is Status.OUT_OF_ITERATIONS else status
            break
        before = here.value + penalty.value(here.parts)
        # (It begins at zero, which constraints may refuse.)
        better = objective <= before - ENOUGH * step.promised if np.isfinite(before) else np.isfinite(objective)
        if better and there.curvature is not None:
            here, damping = there, max(damping * EASED, LEAST)
            continue
        shorter = _shorter(penalty, here, result, told.sums["along"], before)
        if shorter is None and damping < 1 and here.more.any():
            damping = 1.0
            continue
        if shorter is None:
            # (Nothing on the way is better: rounding, as far as rounds can tell.)
            status = Status.STALLED if status is Status.OUT_OF_ITERATIONS else status
            break
        damping = min(damping / EASED, 1.0)
        if rounds >= most:
            break
        told = yield Ask("convexmtl-point", (Question(sum(shorter[0][1:], shorter[0][0]), shorter[1], zero.b),))
        zero.take(told)
        rounds += 1
        here = Point.of(*shorter, told)
    point, gap = best
    objective = point.value + penalty.value(point.parts)
    return Result(point.parts, point.b, objective, gap, n_iter, status, history, dual=point.split), point


def _stood(frame, there, zero):
    """The duality gap at a Point, with the derivatives there as dual variables."""
    alone = Model(frame, there, 0.0).stood()
    told = yield Ask("convexmtl-point", (Question(None, None, zero.b, there.W, there.b, *alone.moved, alone.scale),))
    zero.take(told)
    return _gap(told, alone, frame.penalty)


def _gap(told, step, penalty):
    """The duality gap of the coefficients of a Step."""
    # (The conjugate of s Z is at most s times that of Z, as no penalty is below zero.)
    rest = SCALES * step.rest + (1 - SCALES) * penalty.value(step.result.parts)
    return float((told.sums["fenchel"].sum(axis=1) + rest).min())


def _shorter(penalty, here, result, along, before):
    """(parts, b) of the best of the shorter steps, where one is better than none."""
    best = None
    for step, value in zip(STEPS, along.sum(axis=1), strict=True):
        parts = tuple(a + step * (c - a) for a, c in zip(here.parts, result.parts, strict=True))
        objective = value + penalty.value(parts)
        if objective < (before if best is None else best[0]):
            best = objective, parts, here.b + step * (result.intercept - here.b)
    return None if best is None else best[1:]


class _AtZero:
    """The loss at W = 0, and the best intercepts there: what there is to gain, by which gaps are measured.

    The intercepts move by a Newton step with every round, within what is known to be around the best.

    Attributes
    ----------
    b : ndarray of shape (T,) or None
        What is to be asked for next; None where no more is to be known.
    b_last, value, perfect, slope, slope_b, bend
        What was, and the answers.
    """

    def __init__(self, intercept, counted, fit_intercept):
        self.b = self.b_last = intercept
        self.open, self.fit_intercept = counted, fit_intercept
        T = len(intercept)
        self.low, self.high, self.width = np.full(T, -np.inf), np.full(T, np.inf), np.ones(T)
        self.value = self.perfect = self.left = np.inf

    def take(self, told, sure=SURE):
        """What parts tell of the intercepts that they have been asked about."""
        if self.b is None:
            return
        of = told.sums
        self.slope, self.slope_b, bend = of["zero_slope"], of["zero_slope_b"], of["zero_bend"]
        self.bend = bend
        self.value, self.perfect = float(of["zero_value"].sum()), float(of["zero_perfect"].sum())
        self.size, self.b_last = float(of["zero_size"].sum()), self.b
        if not self.fit_intercept:
            self.left, self.b = 0.0, None
            return
        slope = self.slope_b
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.where(self.open & (slope != 0), -slope / bend, 0.0)
        self.left = float(-0.5 * slope @ step)
        if self.left <= sure * self.threshold(1.0):
            self.b = None
            return
        self.low = np.where(slope < 0, self.b, self.low)
        self.high = np.where(slope > 0, self.b, self.high)
        new = self.b + step
        far = np.isinf(self.low) | np.isinf(self.high)
        inside = (new >= self.low) & (new <= self.high) & np.isfinite(new)
        with np.errstate(invalid="ignore"):
            middle = np.where(far, self.b - np.sign(slope) * self.width, (self.low + self.high) / 2)
        self.width = np.where(inside, self.width, 2 * self.width)
        self.b = np.where(self.open, np.where(inside, new, middle), self.b)

    @property
    def gain(self):
        return max(self.value + self.perfect, 0.0)

    def threshold(self, tol):
        return tol * self.gain + (4 * np.finfo(float).eps) ** 2 * self.size

    @property
    def is_known(self):
        """Whether the intercepts are near enough to the best for what there is to gain."""
        return self.left <= KNOWN * self.threshold(1.0)

    def term(self, frame, first):
        """The RemoteTerm at W = 0, for the Point there."""
        first = first._replace(b=self.b_last, slope=self.slope, slope_b=self.slope_b)
        rest = {
            "trivial": (self.value, self.b_last),
            "conjugates": self.perfect,
            "gain": self.gain,
            "rounding": self.size,
        }
        tasks = Model(frame, first, 1.0).problem.tasks
        return RemoteTerm.of(tasks, frame.fit_intercept, frame.fixed, self.value, rest)
