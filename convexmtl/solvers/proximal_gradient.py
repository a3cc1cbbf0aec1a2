"""Accelerated proximal gradient with restart: any penalty with a prox, and sums of parts."""

import numpy as np
from scipy.sparse import issparse
from scipy.sparse.linalg import LinearOperator, svds

from ..certificate import duality_gap
from ..losses import Squared
from ..result import Result, Status

CHECK_EVERY = 10


def solve(problem, start=None, tol=1e-4, max_iter=10_000, callback=None):
    """See ``convexmtl.solvers.solve``. One iteration is one step of all parts together."""
    terms, threshold = problem.penalty.terms, problem.threshold(tol)
    K = len(terms)
    parts = problem.zeros() if start is None else start.parts
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
        if certificate.gap <= threshold:
            status = Status.CONVERGED
            break
        if n_iter >= max_iter:
            status = Status.OUT_OF_ITERATIONS
            break
        if since_better > 200:
            status = Status.STALLED
            break
        for _ in range(min(CHECK_EVERY, max_iter - n_iter)):
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
    """Value and gradient of the loss plus the coupling: on Gram matrices where that is cheaper."""
    tasks = problem.tasks
    if isinstance(problem.loss, Squared):
        d, T = problem.shape
        work = d * d * (1 if tasks.common_weight is not None else T)
        if work <= 4 * tasks.X.shape[0] * d * (T if tasks.is_shared else 1) and T * d * d <= 4e7:
            return _GramPart(problem)
    return _SamplePart(problem)


class _SamplePart:
    """Straight from the samples; any loss."""

    def __init__(self, problem):
        self.problem = problem
        self.intercept = problem.trivial[1]

    def __call__(self, W):
        problem, tasks = self.problem, self.problem.tasks
        z = tasks.apply(W)
        self.intercept = problem.best_intercept(z, self.intercept)
        z = z + tasks.spread(self.intercept)
        WM = W @ problem.penalty.M
        gradient = tasks.adjoint(tasks.weight * problem.loss.derivative(tasks.y, z)) + 2 * WM
        return problem.loss_value(z) + float(np.sum(W * WM)), gradient

    def bound(self):
        """Upper bound of the curvature, or None."""
        if self.problem.loss.curvature is None:
            return None
        return largest_curvature(self.problem, self.problem.tasks.weight * self.problem.loss.curvature)

    def local_curvature(self, W):
        """Curvature at W."""
        tasks = self.problem.tasks
        z = self.problem.predict(W, self.intercept)
        return largest_curvature(self.problem, tasks.weight * self.problem.loss.second(tasks.y, z))


class _GramPart:
    """The squared loss as 1/2 sum_t w_t' G_t w_t - <R, W> + constant."""

    def __init__(self, problem):
        self.problem, tasks = problem, problem.tasks
        self.M = problem.penalty.M
        self.intercept = problem.trivial[1]
        c = tasks.weight
        self.R = tasks.adjoint(c * (tasks.y - tasks.spread(self.intercept)))
        if tasks.common_weight is not None:
            self.G, self.scale = tasks.common_gram(problem.fit_intercept)
        else:
            self.scale = None
            self.G = tasks.gram(c, tasks.means(c) if problem.fit_intercept else None)
        self.constant = problem.trivial[0]

    def __call__(self, W):
        if self.scale is not None:
            GW = (self.G @ W) * self.scale
        else:
            GW = np.matmul(self.G, W.T[:, :, None])[:, :, 0].T
        WM = W @ self.M
        value = 0.5 * float(np.sum(W * GW)) - float(np.sum(W * self.R)) + float(np.sum(W * WM)) + self.constant
        return value, GW - self.R + 2 * WM

    def bound(self):
        if self.scale is not None:
            top = np.linalg.eigvalsh(self.G)[-1] * self.scale.max()
        else:
            top = max(np.linalg.eigvalsh(G)[-1] for G in self.G)
        return top + 2 * np.linalg.norm(self.M, 2)


def largest_curvature(problem, h, coupling=True):
    """Largest eigenvalue of the centred Gram matrices with weights h (N,), plus the coupling's."""
    tasks = problem.tasks
    means = tasks.means(h) if problem.fit_intercept else None
    coupling = 2 * np.linalg.norm(problem.penalty.M, 2) if coupling else 0.0
    tops = []
    for t in range(tasks.n_tasks):
        mean = None if means is None else means[:, t]
        tops.append(_largest_eigenvalue(tasks.rows_of(t), h[tasks.slices(t)[1]], mean))
        if t == 0 and tasks.common_weight is not None:
            c = tasks.weight.reshape(tasks.n_tasks, -1)
            H = h.reshape(tasks.n_tasks, -1)
            if np.allclose(H / c.sum(axis=1)[:, None], H[0] / c[0].sum(), rtol=1e-12):
                # One Gram matrix for all tasks, up to a factor.
                tops = [tops[0] * (H.sum(axis=1) / H[0].sum()).max()]
                break
    return max(tops) + coupling


def _largest_eigenvalue(X, h, mean):
    """Of sum_i h_i (x_i - mean)(x_i - mean)'; mean None is 0."""
    root = np.sqrt(h)
    if issparse(X) and min(X.shape) > 200:
        means = np.zeros(X.shape[1]) if mean is None else mean
        A = LinearOperator(
            X.shape,
            matvec=lambda v: root * (X @ v.ravel() - means @ v.ravel()),
            rmatvec=lambda u: X.T @ (root * u.ravel()) - means * (root @ u.ravel()),
            dtype=float,
        )
        # A little more than it is, as it comes from an iteration.
        return 1.001 * float(svds(A, k=1, return_singular_vectors=False, random_state=0)[0]) ** 2
    A = X.toarray() if issparse(X) else X
    A = (A if mean is None else A - mean) * root[:, None]
    small = A.T @ A if A.shape[1] <= A.shape[0] else A @ A.T
    return float(np.linalg.eigvalsh(small)[-1])
