"""Quadratic couplings: Newton's method; for the squared loss one step, which is the direct solution.

For other losses the first matrix is that of every task's mean curvature, which costs no more than the squared
loss does, and the steps themselves tell what it lacks (BFGS). Where they become slow, it preconditions
conjugate gradients on the true Hessian; and where these do not converge either, the Hessian is formed and
factored, and kept for as long as its steps are good ones.
"""

import numpy as np

from ..certificate import duality_gap
from ..inverses import conjugate_gradients
from ..result import Result, Status
from ._hessian import Hessian
from ._line_search import line_search
from ._patience import hopeless
from .direct import FEW, Diagonal, Separable, flat_system, task_system

# A step that leaves more than this share of the gap calls for a better matrix: one from the mean curvatures, any other.
QUICK, SLOW = 0.1, 0.5
TRUNCATE, LAST = 0.1, 0.15  # residual of a truncated step, relative; of the last one, beside the root of what is left
KEPT = 5  # steps that are remembered, of the matrix from mean curvatures
MOST = 30  # conjugate gradients in one
WIDE = 2000  # the same where the diagonal is all there is for a preconditioner
LARGEST = 5000  # features of a sparse X for which d x d matrices are formed
UNKNOWNS, ENTRIES = 1000, 2e7  # of the largest of the systems that are formed at every step, and of all of them


def solve(problem, start=None, tol=1e-4, max_iter=10_000, callback=None, patience=np.inf):
    """See ``convexmtl.solvers.solve``. One iteration is one Newton step."""
    threshold = problem.threshold(tol)
    system, n_iter, history, gaps, stalls, steps = None, 0, [], [], 0, []
    data, quadratic = problem.data, problem.loss.quadratic
    # Where directions of the tasks are free, a bound takes a system in all of these, and not only passes over samples.
    bound = quadratic or not problem.penalty.free.shape[1]
    wide = data.tasks.is_sparse and problem.shape[0] > LARGEST
    if wide and problem.penalty.coupling.lowest == 0:
        raise ValueError(
            f"X is sparse with {problem.shape[0]} features, and the penalty leaves directions of the tasks free: give "
            "all its strengths a positive value, or add a ridge."
        )
    # Matrices of the tasks' own, of n d^2 operations, and their inverses, of d^3, cost more than the few dozen products
    # of 4 n d that take their place.
    own = data.tasks.common_weight is None and not quadratic
    d, n = problem.shape[0], len(data.tasks.y) / problem.shape[1]
    worth = int(np.clip(0.25 * d * (1 + d / n), MOST, 10 * MOST))
    mode = "diagonal" if wide or own else "flat"
    if not (wide or quadratic or problem.loss.by_column):
        whole = Hessian(problem)
        mode = "whole" if whole.unknowns <= UNKNOWNS and whole.entries <= ENTRIES else mode
    cheap = _cheap(problem) if mode != "flat" else None
    if quadratic and not wide and (start is None or data.tasks.common_weight is not None):
        # From zero, wherever the user would start: the gradient there does not depend on the strengths.
        system = _system(problem, None, flat=True)
        W, n_iter = system(data.moments), 1
        certificate = duality_gap(problem, (W,))
    else:
        W = np.zeros(problem.shape) if start is None else np.array(start.parts[0], dtype=float)
        certificate = duality_gap(problem, (W,), start=None if start is None else start.intercept, bound=bound)

    while True:
        gap = certificate.gap
        if not bound:
            if mode == "flat" and system is None:
                system = _system(problem, certificate.z, flat=True)
            gap = _expected(certificate, cheap(certificate.z) if system is None else system)
            if not gap > threshold:
                certificate = duality_gap(problem, (W,), known=certificate)
                gap = certificate.gap
        gaps.append((n_iter, certificate.primal, gap))
        if gap == certificate.gap:
            history.append(gaps[-1])
            if callback is not None:
                callback(*history[-1])
            status = Status.of(gap, threshold)
            if status is not None:
                break
        if n_iter >= max_iter or hopeless(gaps, threshold, patience):
            status = Status.OUT_OF_ITERATIONS
            break
        if stalls >= 3:
            status = Status.STALLED
            break
        slow = len(gaps) > 1 and gap > (QUICK if mode == "flat" else SLOW) * gaps[-2][2]
        # (A truncated step is one of Newton's method: only where it does not help at all, another one may.)
        slow = slow and (mode != "truncated" or stalls > 0)
        move = None
        if mode == "diagonal":
            move = _truncated(problem, certificate, gap, cheap(certificate.z), WIDE if wide else worth, tol)
            if move is None and wide:
                status = Status.STALLED
                break
            mode = mode if move is not None else "flat"
        elif mode == "whole":
            move = _whole(problem, certificate, whole)
        elif slow and not quadratic:
            stalls = 0 if mode != "exact" else stalls
            if mode == "flat":
                mode = "truncated"
            else:
                mode, system = "exact", _system(problem, certificate.z, flat=False)
        if mode == "truncated":
            move = _truncated(problem, certificate, gap, system, MOST, tol)
        elif mode == "exact" and not problem.loss.by_column:
            # What is between the columns of a task is in no matrix.
            move = _truncated(problem, certificate, gap, system, WIDE, tol)
        if move is None:
            if system is None:
                system = _system(problem, certificate.z, flat=True)
            if mode == "truncated":
                mode, system = "exact", _system(problem, certificate.z, flat=False)
            move = _remembered(system, steps, certificate.Z) if mode == "flat" else system(certificate.Z)
        previous, last = certificate, W
        (W,), certificate = line_search(problem, (W,), (W + move,), certificate, bound=bound)
        n_iter += 1
        steps = [*steps[1 - KEPT :], (W - last, previous.Z - certificate.Z)]
        better = certificate.gap < 0.9 * previous.gap or certificate.primal < previous.primal * (1 - 1e-13)
        stalls = 0 if better else stalls + 1

    if gap != certificate.gap:
        certificate = duality_gap(problem, (W,), known=certificate)
        status = Status.of(certificate.gap, threshold) or status
        history.append((n_iter, certificate.primal, certificate.gap))
    return Result((W,), certificate.intercept, certificate.primal, certificate.gap, n_iter, status, history)


def _expected(certificate, system):
    """About what the gap is: half of what a step promises."""
    return 0.5 * float(np.sum(certificate.Z * getattr(system, "precondition", system)(certificate.Z)))


def _remembered(system, steps, R):
    """The solution for R of the system corrected by what steps have shown: along s the gradient changes by y (BFGS)."""
    steps = [(s, y, float(np.sum(s * y))) for s, y in steps]
    steps, shares = [of for of in steps if of[2] > 0], []
    for s, y, bend in reversed(steps):
        shares.append(float(np.sum(s * R)) / bend)
        R = R - shares[-1] * y
    move = system(R)
    for (s, y, bend), share in zip(steps, reversed(shares), strict=True):
        move = move + (share - float(np.sum(y * move)) / bend) * s
    return move


def _whole(problem, certificate, hessian):
    """Newton's move from the exact Hessian."""
    v = problem.loss.derivative(problem.tasks.y, certificate.z)
    moves, _, _ = hessian.step(problem.data, np.ones(1), certificate.z, v, -certificate.Z.T[None])
    return moves[0].T


def _truncated(problem, certificate, gap, system, most, tol):
    """Newton's move, by conjugate gradients to the share of its residual that pays; None where many do not suffice."""
    data, tasks, coupling, z = problem.data, problem.tasks, problem.penalty.coupling, certificate.z
    if data.loss.by_column:
        h, _ = data.curvature(z, flat=False)
        bent = lambda P: tasks.bent(P, h, data.fit_intercept)  # noqa: E731
    else:
        along = data.hessian(z, data.loss.derivative(tasks.y, z))
        bent = lambda P: tasks.adjoint(along(tasks.apply(P)))  # noqa: E731
    residual, threshold = TRUNCATE, problem.threshold(tol)
    if gap**2 <= 10 * threshold * data.gain:
        # Near enough for the next one to be the last: of a gap its residual leaves the square.
        residual = min(TRUNCATE, max(LAST * np.sqrt(threshold / gap), 0.1 * LAST))
    precondition = getattr(system, "precondition", system)
    hessian = lambda P: bent(P) + 2 * coupling.apply(P)  # noqa: E731
    move, reached = conjugate_gradients(hessian, precondition, certificate.Z, residual, most)
    return move if reached else None


def _cheap(problem):
    """Function of predictions: a preconditioner at these that forms no matrix of features.

    The diagonal of the Hessian, with few zeros in X that of every task's mean curvature, which is as good. Where it is
    nearly a product of features and tasks, and the spectrum of the coupling no work beside passes over the samples, the
    coupling is not cut down to its diagonal.
    """
    data, coupling, tasks, T = problem.data, problem.penalty.coupling, problem.tasks, problem.shape[1]
    separable = None
    if not (coupling.is_diagonal or tasks.is_sparse) and T <= min(FEW, 2 * len(tasks.y) / T):
        separable = Separable(data.design.diagonal, coupling)
        separable = separable if separable.fits(data.design.diagonal) else None

    def at(z):
        h, mean = data.curvature(z, flat=False)
        if tasks.is_sparse:
            curvature = tasks.curvature(h, tasks.means(h) if data.fit_intercept else None)
        else:
            curvature = data.design.diagonal * mean
        return Diagonal(curvature + 2 * coupling.diagonal[None]) if separable is None else separable.at(curvature)

    return at


def _system(problem, z, flat):
    """The Hessian at the predictions z with the intercepts eliminated, as something that solves linear systems.

    ``flat`` takes the mean curvature of every task for all its samples.
    """
    data, penalty = problem.data, problem.penalty
    tasks = data.tasks
    if flat:
        mean = np.ones(tasks.n_tasks) if data.loss.quadratic else data.curvature(z, flat)[1]
        return flat_system(data.design, mean, penalty.coupling)
    floor = 1e-6 * data.loss.curvature if data.loss.curvature else 1e-12
    second = data.loss.second if data.loss.by_column else data.loss.model_curvature
    h = tasks.weight * np.maximum(second(tasks.y, z), floor)
    return task_system(tasks.gram(h, tasks.means(h) if data.fit_intercept else None), penalty.coupling)
