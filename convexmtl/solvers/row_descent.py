"""Row descent: cyclic descent over the rows of W, on a growing working set.

For losses other than the squared one, prox-Newton outside: every outer step minimises a weighted
quadratic model and searches along the line to its minimiser. The intercepts are eliminated inside the
quadratic model, so that features far from zero cost nothing. The certificate alone decides when to stop.
"""

from itertools import pairwise

import numpy as np

from ..certificate import duality_gap
from ..losses import Squared
from ..result import Result, Status
from ..tasks import without_rounding
from ._kernels import descend_columns, descend_gram
from ._line_search import line_search

FIRST_WORKING_SET = 64
BLOCK = 64
REDUCTION = 0.1  # each outer step reduces the largest violation by at least this factor
ANDERSON = 5
MAX_SWEEPS = 2000  # in one outer step


def solve(problem, start=None, tol=1e-4, max_iter=10_000, callback=None):
    """See ``convexmtl.solvers.solve``. One iteration is one sweep over the working set."""
    term, M = problem.penalty.terms[0], problem.penalty.M
    d, T = problem.shape
    W = np.zeros((d, T)) if start is None else np.array(start.parts[0], dtype=float, order="C")
    quadratic_loss = isinstance(problem.loss, Squared)
    threshold = problem.threshold(tol)
    n_iter, history, model = 0, [], None
    certificate = duality_gap(problem, (W,), start=None if start is None else start.intercept)
    shrink, stalls = REDUCTION, 0

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
        features = _working_set(term, W, certificate.Z, None if model is None else model.features)
        if model is None or not quadratic_loss or not np.array_equal(features, model.features):
            model = _model(problem, term, M, features, W, certificate)
        else:
            model.restart(certificate)
        n_iter += _descend(model, shrink, min(MAX_SWEEPS, max_iter - n_iter))
        previous, new = certificate, W.copy()
        new[features] = model.W
        if quadratic_loss:
            W, certificate = new, duality_gap(problem, (new,), start=certificate.intercept)
        else:
            (W,), certificate = line_search(problem, (W,), (new,), certificate)
        # Rounding: neither the objective nor the gap moves any more.
        if certificate.gap >= 0.999 * previous.gap and certificate.primal >= previous.primal * (1 - 1e-15):
            stalls += 1
            shrink *= 0.1
        else:
            stalls = 0

    return Result((W,), certificate.intercept, certificate.primal, certificate.gap, n_iter, status, history)


def _working_set(term, W, Z, current):
    """Sorted features: the rows in use, and the zero rows that most want to enter."""
    d = len(W)
    if d <= 2 * FIRST_WORKING_SET:
        return np.arange(d)
    used = W.any(axis=1)
    if current is not None:
        used[current] = True
    violation = np.abs(term.prox(Z, 1.0)).max(axis=1)
    violation[used] = 0.0
    entering = np.flatnonzero(violation > 0)
    room = max(FIRST_WORKING_SET, int(used.sum()))
    if len(entering) > room:
        entering = entering[np.argpartition(-violation[entering], room - 1)[:room]]
    used[entering] = True
    return np.flatnonzero(used)


def _descend(model, shrink, max_sweeps):
    """Sweep until the largest violation has shrunk; extrapolate every few sweeps. Returns the number of sweeps."""
    total = model.sweep(1, 0.0)
    first = model.worst
    target = shrink * first
    iterates = [model.state()]
    while total < max_sweeps and model.worst > target:
        total += model.sweep(1, target)
        iterates.append(model.state())
        if len(iterates) == ANDERSON + 1:
            if model.worst > target:
                _extrapolate(model, iterates)
            iterates = [model.state()]
    return total


def _extrapolate(model, iterates):
    """Jump ahead: Anderson's combination of the last iterates, or else far along their common direction."""
    before, last = model.objective(), model.state()
    # What is not better by more than rounding is not better.
    rounding = 1e-14 * abs(before)
    weights = _anderson_weights(iterates)
    if weights is not None:
        model.set_state([_combine(weights, states) for states in zip(*iterates[1:], strict=True)])
        if model.objective() < before - rounding:
            return
        model.set_state(last)
    # Along a valley in which two features of a task are collinear, sweeps move at constant speed, which no
    # combination of them can stop: double the step for as long as the objective falls.
    moves = [new - old for new, old in zip(last, iterates[-2], strict=True)]
    factor, best = 1.0, last
    while factor < 1e12:
        model.set_state([state + factor * move for state, move in zip(last, moves, strict=True)])
        value = model.objective()
        if not value < before - rounding:
            break
        before, best, factor = value, model.state(), 2 * factor
    model.set_state(best)


def _anderson_weights(iterates):
    """Weights that sum to 1 and minimise the norm of the combined move; None where they are not defined."""
    U = np.stack([(b[0] - a[0]).ravel() for a, b in pairwise(iterates)])
    gram = U @ U.T
    trace = np.trace(gram)
    if not trace > 0:
        return None
    x = np.linalg.solve(gram + 1e-10 * trace * np.eye(len(gram)), np.ones(len(gram)))
    x = x / x.sum()
    return x if np.isfinite(x).all() else None


def _combine(weights, arrays):
    return sum(weight * array for weight, array in zip(weights, arrays, strict=True))


def _model(problem, term, M, features, W, certificate):
    """The quadratic model on some features, in the form that is cheapest to descend on."""
    tasks, loss = problem.tasks, problem.loss
    m, T = len(features), tasks.n_tasks
    sub = tasks if m == tasks.n_features else tasks.select(features)
    common = tasks.common_weight if isinstance(loss, Squared) else None
    parts = (problem, term, M, features, W, certificate)
    if common is not None:
        return _Gram(*parts, sub, common) if m <= len(tasks.X) and m <= 4000 else _Blocks(*parts, sub, common)
    if m <= max(2 * len(tasks.y) / T, 2 * BLOCK) and T * m * m <= 4e7:
        return _Gram(*parts, sub, None)
    return _Columns(*parts, sub)


class _Model:
    """State shared by the three forms: W on the features, and what the kernels need of the penalty."""

    def __init__(self, problem, term, M, features, W, certificate):
        self.problem, self.features, self.M = problem, features, M
        self.term = term.restrict(features)
        off_diagonal = M - np.diag(np.diag(M))
        self.kernel_penalty = (
            off_diagonal if off_diagonal.any() else np.zeros((0, 0)),
            2 * np.diag(M),
            2 * np.abs(M).sum(axis=0),
            self.term.row_prox.compiled,
            *self.term.pack(),
        )
        self._worst = np.full(1, np.inf)
        self.W = np.ascontiguousarray(W[features])

    @property
    def worst(self):
        return self._worst[0]

    def weights(self, certificate):
        """(h, u): curvature and derivative of the loss at every sample, times its weight."""
        tasks, loss = self.problem.tasks, self.problem.loss
        W = np.zeros(self.problem.shape)
        W[self.features] = self.W
        z = self.problem.predict(W, certificate.intercept)
        floor = 1e-4 * loss.curvature if loss.curvature else 1e-12
        return tasks.weight * np.maximum(loss.second(tasks.y, z), floor), tasks.weight * loss.derivative(tasks.y, z)

    def penalty_value(self):
        """Omega on the features (the other rows are zero, or do not change)."""
        return float(self.term.value(self.W)) + float(np.sum((self.W @ self.M) * self.W))


class _Gram(_Model):
    """Keeps the gradient, through one Gram matrix for all tasks or one per task."""

    def __init__(self, problem, term, M, features, W, certificate, sub, common):
        super().__init__(problem, term, M, features, W, certificate)
        T = problem.tasks.n_tasks
        if common is not None:
            G, self.scale = sub.common_gram(problem.fit_intercept)
            self.G = np.ascontiguousarray(G[None])
        else:
            h, _ = self.weights(certificate)
            self.G = sub.gram(h, sub.means(h) if problem.fit_intercept else None)
            self.scale = np.ones(T)
        self.curvature = np.ascontiguousarray(np.einsum("tjj->jt", self.G) * self.scale)
        self.restart(certificate)

    def restart(self, certificate):
        """Take the exact gradient from a certificate at the present W."""
        Z = certificate.Z[self.features] + 2 * self.W @ self.M
        self.gradient = np.ascontiguousarray(-Z.T)
        self.W0, self.gradient0 = self.W.copy(), self.gradient.copy()

    def sweep(self, n_sweeps, tol):
        return descend_gram(
            self.G, self.scale, self.gradient, self.W, self.curvature,
            *self.kernel_penalty, n_sweeps, tol, self._worst,
        )  # fmt: skip

    def state(self):
        return [self.W.copy(), self.gradient.copy()]

    def set_state(self, state):
        self.W, self.gradient = (np.ascontiguousarray(a) for a in state)

    def objective(self):
        smooth = 0.5 * float(np.sum((self.W - self.W0) * (self.gradient + self.gradient0).T))
        return smooth + self.penalty_value()


class _Residual(_Model):
    """Base of the two forms that keep the weighted residual ``u``."""

    def state(self):
        return [self.W.copy(), self.u.copy()]

    def set_state(self, state):
        self.W, self.u = (np.ascontiguousarray(a) for a in state)

    def objective(self):
        smooth = 0.5 * float(np.sum(np.divide(self.u**2, self.h, out=np.zeros_like(self.u), where=self.h > 0)))
        return smooth + self.penalty_value()


class _Columns(_Residual):
    """Keeps the residual, column by column: own X per task, missing targets or weights, m > n_t."""

    def __init__(self, problem, term, M, features, W, certificate, sub):
        super().__init__(problem, term, M, features, W, certificate)
        self.sub = sub
        self.h, self.u = self.weights(certificate)
        self.means = sub.means(self.h) if problem.fit_intercept else np.zeros((len(features), sub.n_tasks))
        self.curvature = np.ascontiguousarray(sub.curvature(self.h, self.means if problem.fit_intercept else None))
        self._recentre()
        self.flat = sub.X.ravel(order="F")

    def _recentre(self):
        if self.problem.fit_intercept:
            total, mass = self.sub.sum(self.u), self.sub.sum(self.h)
            b = np.divide(-total, mass, out=np.zeros_like(mass), where=mass > 0)
            self.u = self.u + self.h * self.sub.spread(b)

    def restart(self, certificate):
        _, self.u = self.weights(certificate)
        self._recentre()

    def sweep(self, n_sweeps, tol):
        sub = self.sub
        return descend_columns(
            self.flat, len(sub.X), sub.row, sub.ptr, self.u, self.h, self.W, self.means, self.curvature,
            *self.kernel_penalty, n_sweeps, tol, self._worst,
        )  # fmt: skip


class _Blocks(_Residual):
    """One X for all tasks, more features than samples: a GEMM for each block's gradient and update."""

    def __init__(self, problem, term, M, features, W, certificate, sub, common):
        super().__init__(problem, term, M, features, W, certificate)
        self.X = sub.X
        s, self.scale = common
        self.mean = s @ sub.X if problem.fit_intercept else np.zeros(len(features))
        self.h = s[:, None] * self.scale
        self.blocks = [slice(a, min(a + BLOCK, len(features))) for a in range(0, len(features), BLOCK)]
        self.grams, self.penalties = [], []
        for block in self.blocks:
            local = self.term.restrict(np.arange(block.start, block.stop))
            self.penalties.append((*self.kernel_penalty[:4], *local.pack()))
            A = (self.X[:, block] - self.mean[block]) * np.sqrt(s)[:, None]
            self.grams.append(np.ascontiguousarray((A.T @ A)[None]))
        diagonal = np.concatenate([np.diag(G[0]) for G in self.grams])
        self.curvature = np.outer(without_rounding(diagonal, self.mean, s.sum()), self.scale)
        self.restart(certificate)

    def restart(self, certificate):
        u = self.weights(certificate)[1].reshape(len(self.scale), -1).T
        if self.problem.fit_intercept:
            u = u - self.h * (u.sum(axis=0) / self.h.sum(axis=0))
        self.u = np.ascontiguousarray(u)

    def sweep(self, n_sweeps, tol):
        for sweep in range(n_sweeps):
            top = 0.0
            for block, G, penalty in zip(self.blocks, self.grams, self.penalties, strict=True):
                X = self.X[:, block]
                gradient = np.ascontiguousarray(self.u.T @ X)
                W = self.W[block]
                before = W.copy()
                descend_gram(G, self.scale, gradient, W, self.curvature[block], *penalty, 2, 0.0, self._worst)
                change = W - before
                # The first of the two inner sweeps moved further than the second, which is what _worst has.
                top = max(top, float(np.max(np.abs(change) * self.curvature[block])), self._worst[0])
                if change.any():
                    self.u += self.h * (X @ change - self.mean[block] @ change)
            self._worst[0] = top
            if not top > tol:
                return sweep + 1
        return n_sweeps
