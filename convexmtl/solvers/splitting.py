"""Alternating directions: exact solutions of the quadratic model on one side, proxes on the other.

The quadratic side is factored once, so that an iteration costs what one of proximal gradient does; but
tasks and features of unequal scale, which proximal gradient pays for with its one step size, cost nothing.
Losses other than the squared one get prox-Newton outside, at first with the mean curvature of every task,
for which nothing needs to be factored again.
"""

import numpy as np

from ..certificate import duality_gap
from ..losses import Squared
from ..result import Result, Status
from ._anderson import anderson_weights, combine
from ._columns import Columns
from ._line_search import line_search

CHECK_EVERY = 10
SLOW = 0.3  # a step that leaves more than this share of the gap calls for a model with the curvature of its point
INNER = 300  # iterations for one quadratic model of a loss that is not quadratic
RELAXATION = 1.6
GROUP = 5  # iterations between two extrapolations
YOUNG = 30  # iterations before the first, within which easy problems end


def applies(problem):
    """Whether the quadratic model can be factored: no coupling off the diagonal, and matrices that fit."""
    d, T = problem.shape
    M = problem.penalty.M
    diagonal = not np.any(M - np.diag(np.diag(M)))
    shared = problem.tasks.common_weight is not None and isinstance(problem.loss, Squared)
    # (T matrices, unless all tasks have one.)
    size = (1 if shared else T) * d * min(d, np.diff(problem.tasks.ptr).max())
    return diagonal and size <= 4e7 and (d <= 2000 or _few_samples(problem.tasks))


def solve(problem, start=None, tol=1e-4, max_iter=10_000, callback=None):
    """See ``convexmtl.solvers.solve``. One iteration is one prox of every part."""
    squared, threshold = isinstance(problem.loss, Squared), problem.threshold(tol)
    parts = problem.zeros() if start is None else start.parts
    certificate = duality_gap(problem, parts, start=None if start is None else start.intercept)
    directions, model, flat, n_iter, since_better, history = None, None, True, 0, 0, []
    best = certificate, parts

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
        if since_better > (1000 if squared else 10):
            status = Status.STALLED
            break
        left = max_iter - n_iter
        if squared:
            if directions is None:
                directions = _Directions(problem, parts, certificate, _quadratic(problem, certificate.z, flat))
            n_iter += directions.run(min(CHECK_EVERY, left), 0.0)
            parts = tuple(directions.Z)
            certificate = duality_gap(problem, parts, start=certificate.intercept)
        else:
            slow = model is not None and certificate.gap > SLOW * history[-2][2]
            if model is None or slow:
                flat = flat and not slow
                model = _quadratic(problem, certificate.z, flat)
            directions = _Directions(problem, parts, certificate, model, directions)
            n_iter += directions.run(min(INNER, left), 0.1)
            parts, certificate = line_search(problem, parts, tuple(directions.Z), certificate)
        # A gap that does not move any more has reached rounding.
        since_better = 0 if certificate.gap < 0.999 * best[0].gap else since_better + 1
        if not certificate.gap >= best[0].gap:
            best = certificate, parts

    certificate, parts = best
    return Result(parts, certificate.intercept, certificate.primal, certificate.gap, n_iter, status, history)


class _Directions:
    """The iteration on one quadratic model: Z the parts, W their sum on the quadratic side, U the scaled dual."""

    def __init__(self, problem, parts, certificate, model, previous=None):
        self.terms, self.model = problem.penalty.terms, model
        self.Z = np.stack(parts)
        self.W = sum(parts)
        # The minimiser W of the model solves H W = target.
        self.target = self.model.apply(self.W) + certificate.Z
        if previous is None:
            self.rho = max(1e-2 * self.model.top, 1e-300)
            self.U = np.zeros_like(self.W)
        else:
            self.rho, self.U = previous.rho, previous.U
        self.age = 0
        self._forget()

    def run(self, n, shrink):
        """At most n iterations, fewer when both residuals have shrunk by a factor; returns their number."""
        first = None
        for i in range(1, n + 1):
            before, checked = self.W, i % CHECK_EVERY == 0 or i == n
            total = self._step()
            # (What a check or the caller sees comes from a step, not from an extrapolation.)
            self.age += 1
            if (self.age > YOUNG and not self._go_ahead(jump=not checked)) or not checked:
                continue
            K = len(self.terms)
            primal = np.linalg.norm(total - self.W) / max(np.linalg.norm(total), np.linalg.norm(self.W), 1e-300)
            dual = np.linalg.norm(self.W - before) / max(np.linalg.norm(self.U) * K, 1e-300)
            self._balance(primal, dual)
            first = max(primal, dual) if first is None else first
            if i > CHECK_EVERY and max(primal, dual) <= shrink * min(first, 0.1):
                return i
        return n

    def _step(self):
        """One iteration; returns the sum of the parts."""
        K = len(self.terms)
        # Sharing: every part answers for the same K-th of what is missing.
        move = (self.W - self.Z.sum(axis=0)) / K - self.U
        self.Z = np.stack([f.prox(Z + move, 1 / self.rho) for f, Z in zip(self.terms, self.Z, strict=True)])
        total = self.Z.sum(axis=0)
        relaxed = RELAXATION * total + (1 - RELAXATION) * self.W
        self.W = self.model.solve(self.target + self.rho / K * (relaxed + K * self.U), self.rho / K)
        self.U = self.U + (relaxed - self.W) / K
        return total

    def _forget(self):
        self.iterates, self.retreat = [], None

    @property
    def _state(self):
        return np.concatenate([self.Z.ravel(), self.W.ravel(), len(self.terms) * self.U.ravel()])

    def _set_state(self, state):
        Z, W, U = np.split(state, [self.Z.size, self.Z.size + self.W.size])
        self.Z, self.W = Z.reshape(self.Z.shape), W.reshape(self.W.shape)
        self.U = U.reshape(self.U.shape) / len(self.terms)

    def _go_ahead(self, jump):
        """Keep the iterate; after every group of them extrapolate, if ``jump``. Returns False where it has gone back
        to before the last extrapolation, since the step from there was longer than the one that led to it."""
        self.iterates.append(self._state)
        if len(self.iterates) == 1:
            return True
        length = np.linalg.norm(self.iterates[-1] - self.iterates[-2])
        if self.retreat is not None:
            state, before = self.retreat
            if not length <= before:
                self._set_state(state)
                self._forget()
                return False
            self.retreat = None
        self.iterates = self.iterates[-GROUP - 1 :]
        if jump and len(self.iterates) > GROUP:
            weights = anderson_weights(self.iterates)
            if weights is not None:
                last = self.iterates[-1]
                self._set_state(combine(weights, self.iterates[1:]))
                self.iterates, self.retreat = [self._state], (last, length)
        return True

    def _balance(self, primal, dual):
        """Change rho until both residuals fall alike."""
        ratio = primal / dual if dual > 0 else 1.0
        if ratio > self.model.tolerated or ratio < 1 / self.model.tolerated:
            # Below the rounding of H, rho would divide nothing but that.
            factor = max(float(np.clip(np.sqrt(ratio), 0.2, 5)), 1e-12 * self.model.top / self.rho)
            self.rho *= factor
            self.U = self.U / factor
            self._forget()


def _quadratic(problem, z, flat):
    """The quadratic model at the predictions z (N,), in the form that is cheapest to factor.

    ``flat`` takes the mean curvature of every task for all its samples.
    """
    tasks = problem.tasks
    if flat and tasks.common_weight is not None:
        form = _OneThin if _few_samples(tasks) else _OneGram
    elif _few_samples(tasks):
        form = _FewSamples
    else:
        form = _TaskGrams
    return form(problem, z, flat)


def _few_samples(tasks):
    """Whether every task has so few that their products are cheaper than those of the features."""
    return 5 * np.diff(tasks.ptr).max() <= 4 * tasks.n_features and not tasks.is_sparse


class _Quadratic:
    """H W = scale_t G_t w_t + 2 M_tt w_t, G the Gram matrices of the weighted, centred features.

    A form owes ``_factor``, which sets ``top``, about the largest eigenvalue of H; ``apply(W)``, H W; and
    ``solve(R, shift)``, (H + shift)^-1 R.
    """

    tolerated = 3.0  # ratio of the residuals from which on rho changes

    def __init__(self, problem, z, flat):
        self.ridge = 2 * np.diag(problem.penalty.M)
        h, mean = problem.curvature(z, flat)
        self._factor(problem, h, mean)


class _OneGram(_Quadratic):
    """One matrix for all tasks, diagonalised."""

    def _factor(self, problem, h, mean):
        self.G, scale = problem.tasks.common_gram(problem.fit_intercept)
        self.scale = scale * mean
        values, self.P = np.linalg.eigh(self.G)
        # (d, T) eigenvalues of every task
        self.values = np.maximum(values[:, None] * self.scale, 0) + self.ridge
        self.top = float(self.values.max())

    def apply(self, W):
        return (self.G @ W) * self.scale + W * self.ridge

    def solve(self, R, shift):
        return self.P @ ((self.P.T @ R) / (self.values + shift))


class _OneThin(_Quadratic):
    """One matrix for all tasks, of fewer samples than features: B B', where the columns of B are orthogonal."""

    def _factor(self, problem, h, mean):
        columns, self.scale = Columns.of(problem.tasks, problem.fit_intercept), problem.tasks.common_weight[1] * mean
        B = columns.take(np.arange(problem.tasks.n_features))
        values, Q = np.linalg.eigh(B.T @ B)
        self.B, self.values = B @ Q, np.maximum(values, 0)
        self.top = float((self.values.max() * self.scale + self.ridge).max())

    def apply(self, W):
        return (self.B @ (self.B.T @ W)) * self.scale + W * self.ridge

    def solve(self, R, shift):
        rest = self.ridge + shift
        return (R - self.B @ ((self.B.T @ R) * (self.scale / (rest + self.values[:, None] * self.scale)))) / rest


class _FewSamples(_Quadratic):
    """For fewer samples than features: G_t = B_t' B_t, where the rows of B_t are orthogonal to each other."""

    def _factor(self, problem, h, mean):
        tasks = problem.tasks
        d, T = problem.shape
        means = tasks.means(h) if problem.fit_intercept else np.zeros((d, T))
        # (T, largest n_t, d); the smaller tasks are padded with zeros.
        A = np.zeros((T, np.diff(tasks.ptr).max(), d))
        for t in range(T):
            samples = tasks.slices(t)[1]
            A[t, : samples.stop - samples.start] = (tasks.rows_of(t) - means[:, t]) * np.sqrt(h[samples])[:, None]
        values, U = np.linalg.eigh(np.matmul(A, A.transpose(0, 2, 1)))
        self.B, self.values = np.matmul(U.transpose(0, 2, 1), A), np.maximum(values, 0)
        self.top = float((self.values.max(axis=1) + self.ridge).max())

    def apply(self, W):
        return self._combined(W, 1.0) + W * self.ridge

    def solve(self, R, shift):
        rest = self.ridge + shift
        return (R - self._combined(R, 1 / (self.values + rest[:, None]))) / rest

    def _combined(self, V, factors):
        """B_t' diag(factors_t) B_t v_t for every task."""
        inside = np.matmul(self.B, V.T[:, :, None])[:, :, 0] * factors
        return np.matmul(inside[:, None], self.B)[:, 0].T


class _TaskGrams(_Quadratic):
    """A matrix per task, inverted anew for every other shift."""

    tolerated = 100.0

    def _factor(self, problem, h, mean):
        tasks = problem.tasks
        self.H = tasks.gram(h, tasks.means(h) if problem.fit_intercept else None)
        every = np.arange(tasks.n_features)
        self.H[:, every, every] += self.ridge[:, None]
        # A few steps of the power method: what rho begins with need not be exact.
        V, self.shift = np.ones(problem.shape), None
        for _ in range(10):
            V = self.apply(V)
            norms = np.linalg.norm(V, axis=0)
            V = V / np.where(norms > 0, norms, 1)
        self.top = float(norms.max())

    def apply(self, W):
        return np.matmul(self.H, W.T[:, :, None])[:, :, 0].T

    def solve(self, R, shift):
        if shift != self.shift:
            self.shift, self.inverse = shift, np.linalg.inv(self.H + shift * np.eye(len(R)))
        return np.matmul(self.inverse, R.T[:, :, None])[:, :, 0].T
