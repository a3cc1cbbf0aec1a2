"""Prox-Newton's method in rounds, for losses other than the squared one, whoever has the samples.

A round asks all parts for sums at some coefficients: for the quadratic model of the loss there, which is a problem of
least squares and goes as sufficient statistics do, T d^2 numbers; then the solvers of the package minimise it here.
What certifies a fit is what does elsewhere: dual variables are the derivatives of the loss, moved by a Newton step
along what is free, and the gap is the sum of the Fenchel gaps, for which one more round is made.

Generators that yield questions, ``Ask``, and want the sums of the answers: who carries them is not their business.
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from ..certificate import duality_gap
from ..data import DataTerm, increasing_root
from ..losses import Squared
from ..problem import Problem
from ..result import Result, Status
from ..solvers import solve

INEXACT = 0.05  # share of the present gap, and of what the last step has gained, to which a model is solved
DAMPED = 1e-4  # share of the largest curvature that is added to that of a model
CLOSER = 1e-3  # share of it after a step that was none
STEPS = 0.5 ** np.arange(1, 25)  # that are tried where the whole one is too long
ENOUGH = 1e-4  # share of what the model promises that a step has to keep
STALLS = 3
# What dual variables are shrunk by where rounding, or a step too far, has left them outside of what a loss accepts.
SHRINK = 1 - np.concatenate([np.geomspace(1e-14, 1e-2, 25), [0.1, 0.5]])


class Ask(NamedTuple):
    """A question to all parts: which function of ``_parts``, with which arrays."""

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


def fitted(penalty, loss, shape, counted, fit_intercept, fixed, tol, max_iter, callback=None, start=None):
    """Yield every ``Ask``, want the sum of its answers, and return (Result, RemoteTerm at W = 0).

    Parameters
    ----------
    penalty : Canonical
    loss : Loss
    shape : (d, T)
    counted : ndarray of shape (T,)
        Whether samples of a task count.
    fit_intercept : bool
    fixed : ndarray of shape (T,) or None
        Intercepts of the tasks that do not count.
    tol : float
    max_iter : int
    callback : callable or None
    start : Result or None
    """
    b = np.zeros(shape[1]) if fixed is None else np.where(counted, 0.0, fixed)
    if fit_intercept and counted.any():
        b = yield from _intercepts(b, counted)
    conjugates, rounding = yield Ask("convexmtl-floor")
    widest = None
    if loss.curvature and not loss.quadratic:
        widest = yield Ask("convexmtl-widest")
        widest = replace(widest, weight=DAMPED * widest.weight, gram=DAMPED * widest.gram)
    W = np.zeros(shape)
    (value,), statistics = yield Ask("convexmtl-model", (W, b))
    gain = max(value + conjugates, 0.0)
    rest = {"trivial": (value, b), "conjugates": conjugates, "gain": gain, "rounding": rounding}
    parts = tuple(np.zeros(shape) for _ in range(penalty.n_parts))
    first = _model(statistics, fit_intercept, fixed, counted)
    at_zero = RemoteTerm.of(first.tasks, fit_intercept, fixed, value, rest)
    if start is not None:
        (there,), others = yield Ask("convexmtl-model", (start.W, start.intercept))
        if there + penalty.value(start.parts) < value + penalty.value(parts):
            parts, b, value, statistics = start.parts, start.intercept, there, others
    threshold, history, n_iter, stalls = at_zero.threshold(tol), [], 0, 0
    gap = lowest = np.inf
    gained = gain
    while True:
        data = _model(statistics, fit_intercept, fixed, counted)
        certificate = yield from _certified(data, penalty, parts, b, value, rest)
        if np.isfinite(lowest):
            gained = max(lowest - certificate.primal, 0.01 * INEXACT * gained)
        better = certificate.gap < 0.9 * gap or certificate.primal < lowest - 1e-13 * abs(lowest)
        gap, lowest = certificate.gap, certificate.primal
        history.append((n_iter, certificate.primal, gap))
        if callback is not None:
            callback(*history[-1])
        status = Status.of(gap, threshold)
        stalls = 0 if better else stalls + 1
        if status is None and n_iter >= max_iter:
            status = Status.OUT_OF_ITERATIONS
        if status is None and stalls >= STALLS:
            status = Status.STALLED
        if status is not None:
            return Result(parts, b, certificate.primal, gap, n_iter, status, history), at_zero
        n_iter += 1
        if widest is not None:
            damped = statistics + _towards(widest, sum(parts[1:], parts[0]), b)
            data = _model(damped, fit_intercept, fixed, counted)
        problem = Problem(data, penalty)
        # (A gap of the model is the square of what it leaves to the loss where that does not bend.)
        inner = INEXACT * min(gap, gained) / max(data.gain, 1e-300) * CLOSER**stalls
        here = Result(parts, b, np.inf, np.inf, 0, Status.CONVERGED)
        found = solve(problem, here, float(np.clip(inner, 1e-12 * CLOSER**stalls, 0.1)), 2000)
        new, turned = found.parts, found.intercept
        promised = min(problem.primal(new, turned) - problem.primal(parts, b), 0.0)
        reply = yield from _stepped(penalty, parts, new, b, turned, value, promised)
        if reply is not None:
            parts, b, value, statistics = reply


def _towards(widest, W, b):
    """The statistics of samples whose targets are their predictions at W and b."""
    cross = np.einsum("tij,jt->it", widest.gram, W)
    mean_y = np.sum((widest.mean_X + widest.rest_X) * W, axis=0) + b
    return replace(widest, cross=cross, mean_y=mean_y, rest_y=np.zeros_like(mean_y))


def _intercepts(b, counted):
    """The best ones at W = 0."""
    steps = increasing_root(b, counted)
    try:
        b = next(steps)
        while True:
            b = steps.send(tuple((yield Ask("convexmtl-intercepts", (b,)))))
    except StopIteration as found:
        return found.value


def _model(statistics, fit_intercept, fixed, counted):
    """The DataTerm of the quadratic model that has these statistics; what no coefficient can change is left out."""
    statistics = replace(statistics, square=np.zeros_like(statistics.square))
    tasks = statistics._tasks(statistics.weight)
    return DataTerm(tasks, Squared(), fit_intercept, None if fixed is None else np.where(counted, 0.0, fixed))


def _certified(data, penalty, parts, b, value, rest):
    """The Certificate at the parts and b."""
    term = RemoteTerm.of(data.tasks, data.fit_intercept, data.fixed_intercept, value, rest)
    problem = Problem(term, penalty)
    found = duality_gap(problem, parts, intercept=b)
    if term.asked is None:
        return found
    step, scale = term.asked
    W = sum(parts[1:], parts[0])
    move, turn = _solved(data.tasks, step)
    scales = np.array([scale])
    gaps = yield Ask("convexmtl-gap", (W, b, move, turn, scales))
    if not np.isfinite(gaps[0]):
        scales = scale * SHRINK
        gaps = yield Ask("convexmtl-gap", (W, b, move, turn, scales))
    best = int(np.argmax(np.isfinite(gaps)))
    object.__setattr__(term, "answer", (float(gaps[best]), float(scales[best])))
    return duality_gap(problem, parts, intercept=b)


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


def _stepped(penalty, parts, new, b, turned, value, promised):
    """(parts, b, value, statistics) after a step towards new ones that lowers the objective; None where none does."""
    before = value + penalty.value(parts)
    rounding = 1e-14 * abs(before)
    W, target = sum(parts[1:], parts[0]), sum(new[1:], new[0])
    (there,), statistics = yield Ask("convexmtl-model", (target, turned))
    if there + penalty.value(new) <= before + ENOUGH * promised + rounding:
        return new, turned, there, statistics
    found = yield Ask("convexmtl-values", (W, b, target - W, turned - b, STEPS))
    for step, there in zip(STEPS, found, strict=True):
        trial = tuple(old + step * (end - old) for old, end in zip(parts, new, strict=True))
        if there + penalty.value(trial) <= before + ENOUGH * step * promised + rounding:
            at = b + step * (turned - b)
            (there,), statistics = yield Ask("convexmtl-model", (sum(trial[1:], trial[0]), at))
            return trial, at, there, statistics
    return None
