"""Functions in the span of the samples: X is the kernel of its rows, and W are coefficients of these.

The squared loss is one system of as many unknowns as there are samples; where all tasks have one X and alike weights,
one of the size of X for each of the different eigenvalues of the coupling. For losses that are linear but for kinks the
dual problem has one bounded variable per sample; those of a task are moved two at a time, so that its intercept, which
nothing penalises, keeps their sum at zero (Platt 1998; Fan, Chen, Lin 2005), and the tasks take turns. A step costs
what a task has of samples, and not what all have.
"""

from dataclasses import replace
from functools import partial

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from ..certificate import Dual, balanced, not_below_zero
from ..coupling import Nested
from ..result import Result, Status
from ._pair_kernels import descend_pairs
from ._patience import hopeless

MOST_TASKS = 500  # for which the coupling is an array
# Of what the first step of a visit gains, where it ends, and of one that no other task waits for; steps per sample.
SHARE, ALONE, MOST = 0.5, 0.1, 1
CLOSE = 1e-3  # gain of a step that is too small to matter, beside the gap that is wanted
SWEEPS, STALLED = 25, 3  # before the first check, and checks without progress
PATIENCE = 50  # sweeps
ALIKE = 1e-10  # eigenvalues, beside the largest, for one system; what they differ by is refined
REFINED = 3  # times that a direct solution is
BLOCK = 512  # columns of a system that are made at a time
SYSTEMS = 8  # up to which they take less time than the eigenvectors of X


def applies(penalty, loss, tasks):
    """Whether one of the two ways leads to a solution, for a Canonical, a Loss at the samples of Tasks, whatever their
    X."""
    if penalty.terms or tasks.n_tasks > MOST_TASKS or not penalty.coupling.lowest > 0:
        return False
    if loss.quadratic and tasks.is_shared:
        few = isinstance(penalty.coupling, Nested) and len(penalty.coupling.values) <= SYSTEMS
        return few and tasks.n_rows >= tasks.n_tasks and _evenly_weighted(tasks)
    return loss.quadratic or loss.interval(tasks.y) is not None


def solve(problem, start=None, tol=1e-4, max_iter=10_000, callback=None):
    """See ``convexmtl.solvers.solve``; the X of the problem is the kernel (n, n) of its rows, and its penalty
    tr(M W' X W). Of the start, a Result, the dual variables are taken."""
    inverse = np.ascontiguousarray(np.linalg.inv(2 * problem.penalty.coupling.matrix()))
    steps = _direct if problem.loss.quadratic else _descent
    threshold, history, best = problem.threshold(tol), [], None
    for result, last in steps(problem, inverse, start, threshold, max_iter):
        history.append((result.n_iter, result.objective, result.dual_gap))
        if callback is not None:
            callback(*history[-1])
        best = result if best is None or not result.dual_gap >= best.dual_gap else best
        status = Status.of(result.dual_gap, threshold) or last
        if status is None and hopeless(history, threshold, PATIENCE):
            status = Status.OUT_OF_ITERATIONS
        if status is not None:
            return replace(best, n_iter=result.n_iter, status=status, history=history)


def _result(problem, inverse, U, v, n_iter):
    """(Result, its predictions without intercepts (N,)) for dual variables v (N,) with the sums U (T, n) of the rows of
    X: they say everything, W is theirs, so that the penalty's share of the gap is zero."""
    data, tasks, loss = problem.data, problem.tasks, problem.loss
    a, at = -tasks.weight * v, tasks.sample_task * tasks.n_rows + tasks.sample_row
    z = (inverse @ U).ravel()[at]
    b = data.best_intercept(z)
    seen = tasks.shift(z, b)
    A = np.zeros(U.size)
    A[at] = a
    W = np.ascontiguousarray((inverse @ A.reshape(U.shape)).T)
    objective = float(tasks.weight @ loss.value(tasks.y, seen)) + 0.5 * float(a @ z)
    gap = float(not_below_zero(tasks.total(loss.fenchel_gap(tasks.y, seen, v)), abs(objective)))
    dual = None if loss.quadratic else Dual(v=v.copy())
    return Result((W,), b, objective, gap, n_iter, None, dual=dual), z


def _descent(problem, inverse, start, threshold, max_iter):
    """(Result, Status or None) after every so many sweeps."""
    data, tasks, loss = problem.data, problem.tasks, problem.loss
    c, n = tasks.weight, np.diff(tasks.ptr)
    v = np.zeros(len(c))
    if start is not None and start.dual is not None and start.dual.v is not None:
        v = np.ascontiguousarray(balanced(data, loss.inside(tasks.y, start.dual.v)))
    K, row, room = np.ascontiguousarray(tasks.X.T), np.ascontiguousarray(tasks.row), np.empty((5, int(n.max())))
    samples = *(np.array(a, dtype=float) for a in loss.interval(tasks.y)), c
    share, least = SHARE if len(n) > 1 else ALONE, CLOSE * threshold / max(float(c.sum()), 1e-300)
    n_iter, since_better, gap = 0, 0, np.inf
    U = np.ascontiguousarray(tasks.adjoint(-c * v).T) if v.any() else np.zeros((len(n), tasks.n_rows))
    while True:
        # (What is left of the gap may be rounding of U, which is made anew below.)
        ends = 0.9 * threshold / 2**since_better, least / 2**since_better, share
        sweeps = min(max(SWEEPS, n_iter), max_iter - n_iter)
        n_iter += descend_pairs(
            K, row, tasks.ptr, inverse, data.fit_intercept, *samples, v, U, room, *ends, MOST, sweeps
        )
        U = np.ascontiguousarray(tasks.adjoint(-c * v).T)
        result, _ = _result(problem, inverse, U, v, n_iter)
        since_better = since_better + 1 if result.dual_gap > 0.999 * gap else 0
        gap = min(gap, result.dual_gap)
        over = Status.OUT_OF_ITERATIONS if n_iter >= max_iter else None
        yield result, (Status.STALLED if since_better > STALLED else over)


def _direct(problem, inverse, start, threshold, max_iter):
    """(kernel of samples and tasks + 1 / weights) a + intercepts = targets, a the dual variables times minus the
    weights: (Result, Status or None) of nothing, of the solution, and refined."""
    data, tasks = problem.data, problem.tasks
    v, own = np.zeros(len(tasks.y)), np.flatnonzero(tasks.weight > 0)
    a, c, solved = np.zeros(len(own)), tasks.weight[own], None
    for k in range(REFINED + 2):
        result, z = _result(problem, inverse, tasks.adjoint(-tasks.weight * v).T, v, k)
        yield result, (Status.STALLED if k > REFINED else None)
        try:
            solved = solved or (_rotated if tasks.is_shared else _whole)(tasks, own, inverse, data.fit_intercept)
        except np.linalg.LinAlgError:
            yield result, Status.STALLED
        a += solved((tasks.y - tasks.shift(z, result.intercept))[own] - a / c)
        v[own] = -a / c


def _whole(tasks, own, inverse, fit_intercept):
    """What solves the system of the samples ``own`` for any right side, with sums of zero where there are
    intercepts."""
    rows, of_task = tasks.sample_row[own], tasks.sample_task[own]
    S = _among(tasks.X, rows)
    for some in (slice(first, first + BLOCK) for first in range(0, len(own), BLOCK)):
        S[:, some] *= inverse[of_task][:, of_task[some]]
    factor = _factor(S, tasks.weight[own])
    if not fit_intercept:
        return partial(cho_solve, factor, check_finite=False)
    H = (of_task[:, None] == np.flatnonzero(tasks.mass > 0)).astype(float)
    of_ones = cho_solve(factor, H, check_finite=False)
    within = H.T @ of_ones

    def solved(rest):
        a = cho_solve(factor, rest, check_finite=False)
        return a - of_ones @ np.linalg.solve(within, H.T @ a)

    return solved


def _rotated(tasks, own, inverse, fit_intercept):
    """The same in the eigenvectors of what couples the tasks, for one X: tasks of one eigenvalue have one matrix."""
    T = tasks.n_tasks
    rows, c = (of[own].reshape(T, -1)[0] for of in (tasks.sample_row, tasks.weight))
    values, vectors = np.linalg.eigh(inverse)
    groups = np.split(np.arange(T), np.flatnonzero(np.diff(values) > ALIKE * values[-1]) + 1)
    factors = []
    for group in groups:
        S = _among(tasks.X, rows)
        S *= values[group].mean()
        factors.append(_factor(S, c))

    def solved(rest):
        R = vectors.T @ rest.reshape(T, -1)
        for group, factor in zip(groups, factors, strict=True):
            a = cho_solve(factor, R[group].T, check_finite=False)
            if fit_intercept:
                of_ones = cho_solve(factor, np.ones((len(c), 1)), check_finite=False)
                a -= of_ones * (a.sum(axis=0) / of_ones.sum())
            R[group] = a.T
        return (vectors @ R).ravel()

    return solved


def _among(K, rows):
    """A copy of the kernel of these rows with each other."""
    # (All of them in their order, in most cases, which is copied much faster.)
    whole = np.array_equal(rows, np.arange(len(K)))
    return np.array(K if whole else K[np.ix_(rows, rows)], order="F")


def _factor(S, c):
    """The Cholesky factor of S + 1 / c, in place of S."""
    S[np.arange(len(c)), np.arange(len(c))] += 1 / c
    return cho_factor(S, lower=True, overwrite_a=True, check_finite=False)


def _evenly_weighted(tasks):
    """Whether all tasks of one X have the same weights."""
    c = tasks.weight.reshape(tasks.n_tasks, -1)
    return bool((c == c[0]).all())
