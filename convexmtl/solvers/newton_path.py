"""A whole path of strengths of a quadratic coupling alone, for losses that bend: all fits at once, by Newton's method.

A fit to few samples takes its time for what is done beside the arithmetic. So every strength gets a copy of the tasks,
and a step is made for all copies together, from the exact Hessian. Fits that are certified are left out of further
steps; what is not certified after some of them is left to ``newton``.
"""

from dataclasses import replace

import numpy as np

from ..certificate import balanced, not_below_zero
from ..data import DataTerm
from ..result import Result, Status
from . import newton
from ._hessian import Hessian

SHORT = 3  # fits that are not worth it
LARGEST = 90  # unknowns of a system
ENTRIES = 1e6  # of all predictions, and of all systems, that are held at a time
STEPS, HALVINGS = 50, 30


def applies(problems):
    """Whether the path can be made here, and should be."""
    first = problems[0]
    coupling, loss = first.penalty.coupling, first.loss
    if len(problems) < SHORT or first.penalty.terms or first.tasks.is_sparse or not coupling.lowest > 0:
        return False
    if loss.quadratic or not (loss.smooth and loss.by_sample):
        return False
    hessian = Hessian(first)
    return hessian.unknowns <= LARGEST and _at_a_time(first, hessian) >= SHORT


def _at_a_time(problem, hessian):
    """Strengths that are."""
    return int(ENTRIES / max(len(problem.tasks.y), hessian.entries))


def solve(problems, factors, tol, max_iter):
    """Yield the Result of each of the problems, which differ in the factor before their penalty."""
    first, hessian = problems[0], Hessian(problems[0])
    size, threshold = _at_a_time(first, hessian), first.threshold(tol)
    factors = np.asarray(factors, dtype=float) / factors[0]
    W, b = np.zeros(first.shape[::-1]), first.data.trivial[1]
    for begin in range(0, len(problems), size):
        fits = _Fits(first, hessian, factors[begin : begin + size], W, b, threshold)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            fits.run(min(STEPS, max_iter))
        for problem, result in zip(problems[begin : begin + size], fits.results, strict=True):
            if result.status is None:
                more = newton.solve(problem, result, tol, max_iter - result.n_iter)
                result = replace(more, n_iter=result.n_iter + more.n_iter)
            yield result
        W, b = np.ascontiguousarray(result.W.T), result.intercept


class _Fits:
    """A copy of the tasks for each of ``factors`` (A,): W (A, T, d), b (A, T), of which those of ``left`` go on."""

    def __init__(self, problem, hessian, factors, W, b, threshold):
        self.data, self.coupling = problem.data, problem.penalty.coupling
        self.hessian, self.threshold, (self.d, self.T) = hessian, threshold, problem.shape
        self.left, self.factors = np.arange(len(factors)), factors
        self.W, self.b = np.tile(W, (len(factors), 1, 1)), np.tile(b, (len(factors), 1))
        self.copies, self.results = None, [None] * len(factors)

    def run(self, steps):
        """At most that many steps for each."""
        objective, z = self._at(self.W, self.b)
        for n_iter in range(steps + 1):
            v = self.copies.loss.derivative(self.copies.tasks.y, z)
            gaps = self._gaps(z, v)
            done = (gaps <= self.threshold) | ~np.isfinite(objective) | (n_iter == steps)
            if not done.all():
                W, b, trial, z, better = self._moved(objective, z, v)
                done |= ~better
            for a in np.flatnonzero(done):
                found = np.ascontiguousarray(self.W[a].T), self.b[a].copy(), float(objective[a]), float(gaps[a])
                status = Status.of(gaps[a], self.threshold)
                self.results[self.left[a]] = Result((found[0],), *found[1:], n_iter, status)
            if done.all():
                return
            kept = ~done
            self.left, self.factors, self.W, self.b = self.left[kept], self.factors[kept], W[kept], b[kept]
            objective, z = trial[kept], z.reshape(len(kept), -1)[kept].ravel()
            self._copy(len(self.left))

    def _copy(self, count):
        """Have as many copies of the tasks."""
        tasks = self.data.tasks
        if self.copies is not None and self.copies.tasks.n_tasks == count * self.T:
            return
        often, every = lambda of: None if of is None else np.tile(of, count), np.arange(count)[:, None]
        ptr = np.append(tasks.ptr[:-1] + every * len(tasks.y), count * len(tasks.y))
        owner = None if tasks.owner is None else (tasks.owner + every * (tasks.owner[-1] + 1)).ravel()
        copies = replace(
            tasks,
            y=often(tasks.y),
            ptr=ptr,
            row=often(tasks.row),
            weight=often(tasks.weight),
            offset=often(tasks.offset),
            kind=often(tasks.kind),
            owner=owner,
        )
        self.copies = DataTerm(copies, self.data.loss, self.data.fit_intercept, often(self.data.fixed_intercept))

    def _at(self, W, b):
        """(objectives (A,), predictions) of all copies."""
        self._copy(len(W))
        tasks = self.copies.tasks
        z = tasks.shift(tasks.apply(W.reshape(-1, self.d).T), b.ravel())
        fit = self.copies.loss.value(tasks.y, z).reshape(len(W), -1) @ self.data.tasks.weight
        return fit + np.einsum("atd,atd->a", W, self._coupled(W)), z

    def _coupled(self, W):
        """(A, T, d) factor W M"""
        factors = self.factors[:, None, None]
        if self.coupling.is_diagonal:
            return factors * self.coupling.values[0] * W
        WM = self.coupling.apply(W.transpose(0, 2, 1).reshape(-1, self.T))
        return factors * WM.reshape(len(W), self.d, self.T).transpose(0, 2, 1)

    def _adjoint(self, u):
        return np.ascontiguousarray(self.copies.tasks.adjoint(u).T).reshape(-1, self.T, self.d)

    def _gaps(self, z, v):
        """(A,) duality gaps, as ``duality_gap`` has them."""
        tasks, loss = self.copies.tasks, self.copies.loss
        v = balanced(self.copies, v)
        share = np.where(tasks.weight > 0, loss.fenchel_gap(tasks.y, z, v), 0.0)
        gap = share.reshape(len(self.left), -1) @ self.data.tasks.weight
        Z = self._adjoint(-tasks.weight * v) - 2 * self._coupled(self.W)
        if self.coupling.is_diagonal:
            conjugate = np.einsum("atd,atd->a", Z, Z) / (4 * self.coupling.values[0])
        else:
            conjugate = np.array([self.coupling.conjugate(of.T) for of in Z])
        gap = gap + conjugate / self.factors
        return not_below_zero(np.where(np.isfinite(gap), gap, np.inf), 1.0)

    def _moved(self, objective, z, v):
        """(W, b, objectives, predictions, whether each copy is better)"""
        slopes = self._adjoint(self.copies.tasks.weight * v) + 2 * self._coupled(self.W)
        move, shift, slope = self.hessian.step(self.copies, self.factors, z, v, slopes)
        bounds = objective + 1e-15 * np.abs(objective)
        step = np.ones(len(self.left))
        for _ in range(HALVINGS):
            W, b = self.W + step[:, None, None] * move, self.b + step[:, None] * shift
            trial, z = self._at(W, b)
            bad = ~(trial <= bounds + 1e-4 * step * np.minimum(slope, 0.0))
            if not bad.any():
                break
            step = np.where(bad, 0.5 * step, step)
        return W, b, trial, z, ~bad
