"""Quadratic couplings: Newton's method; for the squared loss one step, which is the direct solution."""

import numpy as np

from ..certificate import duality_gap
from ..losses import Squared
from ..result import Result, Status
from .direct import Coupled, Sylvester


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
        W, certificate = _line_search(problem, W, system(certificate.Z), certificate)
        n_iter += 1
        better = certificate.gap < 0.9 * previous.gap or certificate.primal < previous.primal * (1 - 1e-13)
        stalls = 0 if better else stalls + 1

    return Result((W,), certificate.intercept, certificate.primal, certificate.gap, n_iter, status, history)


def _system(problem, W, intercept):
    """The Hessian at W with the intercepts eliminated, as something that solves linear systems."""
    tasks, M = problem.tasks, problem.penalty.M
    if isinstance(problem.loss, Squared) and tasks.common_weight is not None:
        s, scale = tasks.common_weight
        A = (tasks.X - s @ tasks.X if problem.fit_intercept else tasks.X) * np.sqrt(s)[:, None]
        return Sylvester(A.T @ A, scale, M)
    loss = problem.loss
    floor = 1e-6 * loss.curvature if loss.curvature else 1e-12
    second = loss.second(tasks.y, problem.predict(W, intercept))
    h = tasks.weight * np.maximum(second, floor)
    return Coupled(tasks.gram(h, tasks.means(h) if problem.fit_intercept else None), M)


def _line_search(problem, W, direction, certificate):
    """The first halving of the step that decreases the objective enough, and its certificate."""
    slope = -float(np.sum(certificate.Z * direction))
    step = 1.0
    for _ in range(40):
        trial = W + step * direction
        new = duality_gap(problem, (trial,), start=certificate.intercept)
        if new.primal <= certificate.primal + 1e-4 * step * min(slope, 0.0) + 1e-15 * abs(certificate.primal):
            return trial, new
        step *= 0.5
    return W, certificate
