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
    # (Any centre of the rows will do, which the intercepts make up for; best is that of a task whose rows they are.)
    reader = np.zeros(max(tasks.n_rows, 1), dtype=np.int64)
    reader[tasks.sample_row] = tasks.sample_task
    centres = np.zeros((d, T))
    X, row = tasks.X, np.ascontiguousarray(tasks.row)
    if data.fit_intercept:
        centres = data.design.means[:, reader[np.minimum(row, len(reader) - 1)]]
        X = X - data.design.means.T[reader[: tasks.n_rows]]
    X = np.ascontiguousarray(X, dtype=float)
    squares = np.einsum("ij,ij->i", X, X)
    inverse = np.ascontiguousarray(np.linalg.inv(2 * problem.penalty.coupling.matrix()))
    give = np.zeros(T)
    if data.fit_intercept:
        # As much as a feature of the usual size does.
        size = tasks.sum(c * squares[tasks.sample_row])
        give = np.diag(inverse) * np.divide(size, d * tasks.mass, out=np.zeros(T), where=tasks.mass > 0)
    v = np.zeros(len(c)) if start is None or start.dual is None or start.dual.v is None else start.dual.v
    v = np.ascontiguousarray(np.clip(v, low, high))
    Z = np.ascontiguousarray((tasks.adjoint(-c * v) + centres * tasks.sum(c * v)).T)
    order, idle = np.arange(len(c)), np.zeros(len(c), dtype=np.int64)
    b, n_iter, since_better, history, best = None, 0, 0, [], None
    while True:
        W, dual = Z.T @ inverse, Dual(v=v.copy())
        intercept = None if b is None or not data.fit_intercept else b - np.sum(centres * W, axis=0)
        certificate = duality_gap(problem, (W,), start=intercept, dual=dual)
        if b is None:
            b = certificate.intercept + np.sum(centres * W, axis=0)
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
        samples = X, kink, width, low, high, c, squares, row, tasks.ptr
        descend_duals(*samples, inverse, give, v, Z, b, order, idle, n)
        n_iter += n

    certificate, W, dual = best
    return Result((W,), certificate.intercept, certificate.primal, certificate.gap, n_iter, status, history, dual=dual)
