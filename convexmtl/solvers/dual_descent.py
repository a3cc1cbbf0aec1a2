"""Dual coordinate descent: losses that are linear but for kinks, on a coupling that holds all of W.

The dual problem has one bounded variable per sample, each of which is best in closed form for the others: that is how
support vector machines are fitted one by one (Hsieh et al. 2008), here for any such loss and coupling. W follows from
the sums of the samples times their variables, so that no kernel of samples is made. The intercepts, which nothing
penalises, are the multipliers of the sums that have to vanish.
"""

import numpy as np

from ..certificate import Dual, duality_gap
from ..gram import LARGEST
from ..result import Result, Status
from ._dual_kernels import descend_duals
from ._patience import hopeless

MOST_TASKS = 500  # for which the coupling is an array
CHECK_EVERY, SHARE = 10, 5  # sweeps, and of how many times as many before
STALLED = 50  # checks without progress


def applies(problem):
    """Whether the dual variables are bounded, one by one, and W follows from them."""
    tasks, coupling = problem.tasks, problem.penalty.coupling
    few = tasks.n_tasks <= MOST_TASKS and len(tasks.y) * tasks.n_features <= LARGEST and not tasks.is_sparse
    return few and not problem.penalty.terms and coupling.lowest > 0 and problem.loss.interval(tasks.y) is not None


def solve(problem, start=None, tol=1e-4, max_iter=10_000, callback=None, patience=np.inf):
    """See ``convexmtl.solvers.solve``. One iteration is a sweep over the samples."""
    data, tasks, threshold = problem.data, problem.tasks, problem.threshold(tol)
    (d, T), c = problem.shape, tasks.weight
    kink, width, low, high = (np.array(a, dtype=float) for a in problem.loss.interval(tasks.y))
    X = tasks.X[tasks.sample_row]
    if data.fit_intercept:
        X = X - data.design.means.T[tasks.sample_task]
    X = np.ascontiguousarray(X, dtype=float)
    squares = np.einsum("ij,ij->i", X, X)
    inverse = np.ascontiguousarray(np.linalg.inv(2 * problem.penalty.coupling.matrix()))
    give = np.zeros(T)
    if data.fit_intercept:
        # As much as a feature of the usual size does.
        give = np.diag(inverse) * np.divide(
            tasks.sum(c * squares), d * tasks.mass, out=np.zeros(T), where=tasks.mass > 0
        )
    v = np.zeros(len(c)) if start is None or start.dual is None or start.dual.v is None else start.dual.v
    v = np.ascontiguousarray(np.clip(v, low, high))
    Z = np.zeros((T, d))
    some = np.flatnonzero(np.diff(tasks.ptr))
    Z[some] = -np.add.reduceat((c * v)[:, None] * X, tasks.ptr[some], axis=0)
    order, idle = np.arange(len(c)), np.zeros(len(c), dtype=np.int64)
    b, n_iter, since_better, history, best = None, 0, 0, [], None
    while True:
        W, dual = Z.T @ inverse, Dual(v=v.copy())
        intercept = None if b is None or not data.fit_intercept else b - np.sum(data.design.means * W, axis=0)
        certificate = duality_gap(problem, (W,), start=intercept, dual=dual)
        if b is None:
            b = certificate.intercept + (np.sum(data.design.means * W, axis=0) if data.fit_intercept else 0.0)
        history.append((n_iter, certificate.primal, certificate.gap))
        if callback is not None:
            callback(*history[-1])
        since_better = 0 if best is None or certificate.gap < 0.999 * best[0].gap else since_better + 1
        if best is None or not certificate.gap >= best[0].gap:
            best = certificate, W, dual
        status = Status.of(certificate.gap, threshold)
        if status is not None:
            break
        if n_iter >= max_iter or hopeless(history, threshold, patience):
            status = Status.OUT_OF_ITERATIONS
            break
        if since_better > STALLED:
            status = Status.STALLED
            break
        n = min(max(CHECK_EVERY, n_iter // SHARE), max_iter - n_iter)
        samples = X, kink, width, low, high, c, squares, tasks.ptr
        descend_duals(*samples, inverse, give, v, Z, b, order, idle, n)
        n_iter += n

    certificate, W, dual = best
    return Result((W,), certificate.intercept, certificate.primal, certificate.gap, n_iter, status, history, dual=dual)
