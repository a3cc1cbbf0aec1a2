"""Quadratic couplings: Newton's method; for the squared loss one step, which is the direct solution."""

import numpy as np

from ..certificate import duality_gap
from ..losses import Squared
from ..result import Result, Status
from ._line_search import line_search
from .direct import Coupled, Dense, Sylvester, repeated


def solve(problem, start=None, tol=1e-4, max_iter=10_000, callback=None):
    """See ``convexmtl.solvers.solve``. One iteration is one Newton step."""
    threshold = problem.threshold(tol)
    W = np.zeros(problem.shape) if start is None else np.array(start.parts[0], dtype=float)
    certificate = duality_gap(problem, (W,), start=None if start is None else start.intercept)
    system, n_iter, history, stalls = None, 0, [], 0

    while True:
        history.append((n_iter, certificate.primal, certificate.gap))
        if callback is not None:
            callback(*history[-1])
        if certificate.gap <= threshold:
            status = Status.CONVERGED
            break
        if n_iter >= max_iter:
            status = Status.OUT_OF_ITERATIONS
            break
        if stalls >= 3:
            status = Status.STALLED
            break
        if system is None or not isinstance(problem.loss, Squared):
            system = _system(problem, W, certificate.intercept)
        previous = certificate
        (W,), certificate = line_search(problem, (W,), (W + system(certificate.Z),), certificate)
        n_iter += 1
        better = certificate.gap < 0.9 * previous.gap or certificate.primal < previous.primal * (1 - 1e-13)
        stalls = 0 if better else stalls + 1

    return Result((W,), certificate.intercept, certificate.primal, certificate.gap, n_iter, status, history)


def _system(problem, W, intercept):
    """The Hessian at W with the intercepts eliminated, as something that solves linear systems."""
    tasks, penalty = problem.tasks, problem.penalty
    if isinstance(problem.loss, Squared) and tasks.common_weight is not None:
        return Sylvester(*tasks.common_gram(problem.fit_intercept), penalty.M)
    loss = problem.loss
    floor = 1e-6 * loss.curvature if loss.curvature else 1e-12
    second = loss.second(tasks.y, problem.predict(W, intercept))
    h = tasks.weight * np.maximum(second, floor)
    G = tasks.gram(h, tasks.means(h) if problem.fit_intercept else None)
    # Where the penalty leaves most directions free, the tasks' own matrices may be singular, and only all of them
    # together determine the solution.
    if repeated(penalty.spectrum[0])[0] == 0 and G.shape[0] * G.shape[1] <= Dense.LARGEST:
        return Dense(G, penalty.M)
    return Coupled(G, penalty)
