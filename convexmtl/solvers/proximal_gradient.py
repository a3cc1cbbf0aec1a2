"""Accelerated proximal gradient with restart: any penalty with a prox, and sums of parts."""

import numpy as np

from ..certificate import duality_gap
from ..gram import largest_eigenvalue
from ..result import Result, Status
from ._patience import hopeless

CHECK_EVERY = 10


def solve(problem, start=None, tol=1e-4, max_iter=10_000, callback=None, patience=np.inf):
    """See ``convexmtl.solvers.solve``. One iteration is one step of all parts together."""
    terms, threshold = problem.penalty.terms, problem.threshold(tol)
    K = len(terms)
    parts = problem.penalty.feasible(problem.zeros() if start is None else start.parts)
    X = np.stack(parts)
    smooth = _smooth_part(problem)
    certificate = duality_gap(problem, parts, start=None if start is None else start.intercept)
    smooth.intercept = certificate.intercept
    history = [(0, certificate.primal, certificate.gap)]
    Y, momentum, n_iter = X.copy(), 1.0, 0
    bound = smooth.bound()
    # Without a bound of the curvature (or with a loose one) the step is found by backtracking.
    L = K * (bound if bound is not None else max(smooth.local_curvature(X.sum(axis=0)), 1e-12))
    best, since_better = (certificate, X.copy()), 0

    while True:
        if callback is not None and history[-1][0] == n_iter:
            callback(*history[-1])
        status = Status.of(certificate.gap, threshold)
        if status is not None:
            break
        if n_iter >= max_iter or hopeless(history, threshold, patience):
            status = Status.OUT_OF_ITERATIONS
            break
        if since_better > 200:
            status = Status.STALLED
            break
        for _ in range(min(CHECK_EVERY, max_iter - n_iter)):
            value, gradient = smooth(Y.sum(axis=0))
            if gradient is None:
                # The momentum has led to where the loss overflows.
                momentum, Y = 1.0, X
                value, gradient = smooth(Y.sum(axis=0))
            while True:
                new = np.stack([term.prox(Y[k] - gradient / L, 1 / L) for k, term in enumerate(terms)])
                if bound is not None:
                    break
                move = new - Y
                model = value + float(np.sum(gradient * move.sum(axis=0))) + 0.5 * L * float(np.sum(move**2))
                if smooth(new.sum(axis=0))[0] <= model + 1e-14 * abs(value):
                    break
                L *= 2
            n_iter += 1
            if np.sum((Y - new) * (new - X)) > 0:
                # The momentum points uphill: start it again from here.
                momentum, Y = 1.0, new
            else:
                following = 0.5 * (1 + np.sqrt(1 + 4 * momentum**2))
                Y = new + (momentum - 1) / following * (new - X)
                momentum = following
            X = new
            if bound is None:
                L *= 0.98
        certificate = duality_gap(problem, tuple(X), start=smooth.intercept)
        history.append((n_iter, certificate.primal, certificate.gap))
        # A gap that does not move any more has reached rounding.
        since_better = 0 if certificate.gap < 0.999 * best[0].gap else since_better + 1
        if not certificate.gap >= best[0].gap:
            best = certificate, X.copy()

    certificate, X = best
    return Result(tuple(X), certificate.intercept, certificate.primal, certificate.gap, n_iter, status, history)


def _smooth_part(problem):
    """Value and gradient of the loss plus the coupling: on Gram matrices where they can be had."""
    return (_GramPart if problem.loss.quadratic and problem.data.design.fits(flat=True) else _SamplePart)(problem)


class _SamplePart:
    """Straight from the samples; any loss."""

    def __init__(self, problem):
        self.problem = problem
        self.intercept = problem.data.trivial[1]

    def __call__(self, W):
        problem, data, tasks = self.problem, self.problem.data, self.problem.tasks
        z = tasks.apply(W)
        self.intercept = data.best_intercept(z, self.intercept)
        z = tasks.shift(z, self.intercept)
        WM = problem.penalty.coupling.apply(W)
        value = data.value(z) + float(np.sum(W * WM))
        if not np.isfinite(value):
            return np.inf, None
        return value, tasks.adjoint(tasks.weight * problem.loss.derivative(tasks.y, z)) + 2 * WM

    def bound(self):
        """Upper bound of the curvature, or None."""
        curvature = self.problem.loss.curvature
        return None if curvature is None else self._largest(self.problem.tasks.weight * curvature)

    def local_curvature(self, W):
        """Curvature at W."""
        tasks = self.problem.tasks
        z = self.problem.data.predict(W, self.intercept)
        return self._largest(tasks.weight * self.problem.loss.second(tasks.y, z))

    def _largest(self, h):
        return largest_eigenvalue(self.problem.data.design, h) + 2 * self.problem.penalty.coupling.top


class _GramPart:
    """The squared loss as 1/2 sum_t w_t' G_t w_t - <R, W> + constant."""

    def __init__(self, problem):
        data = problem.data
        self.gram, self.coupling, self.R = data.design.flat, problem.penalty.coupling, data.moments
        self.constant, self.intercept = data.trivial

    def __call__(self, W):
        GW, WM = self.gram.apply(W), self.coupling.apply(W)
        value = 0.5 * float(np.sum(W * GW)) - float(np.sum(W * self.R)) + float(np.sum(W * WM)) + self.constant
        return value, GW - self.R + 2 * WM

    def bound(self):
        return float(self.gram.top.max()) + 2 * self.coupling.top
