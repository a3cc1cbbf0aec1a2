"""Linear systems of quadratic couplings:  G_t w_t + 2 (W M)_t = r_t  for all tasks t at once.

One Gram matrix for all tasks: a Sylvester equation, solved by two eigendecompositions. Otherwise
conjugate gradients, preconditioned by the exact solution for M = low rank + a multiple of the identity
(then they end after a step or two), or by the diagonal blocks for any other M.
"""

import numpy as np

from ..gram import each
from ..inverses import Factors, inverse
from ..penalties.base import clean_spectrum

PIVOT = 0.1  # of a factor, from which on its inverse is as good: what it solves is to be exact


class Sylvester:
    """scale_t G w_t + 2 (W M)_t = r_t with the common Gram matrix of the tasks, a Semidefinite, scale_t > 0."""

    def __init__(self, matrix, scale, M):
        G = matrix.G
        self.root = np.sqrt(scale)
        self.coupling, self.Q = clean_spectrum(M / np.outer(self.root, self.root))
        diagonal = np.diag(G)[np.diag(G) > 0]
        # The eigenvalues of features in small units are lost in the rounding of the large ones.
        self.factors = None
        if len(diagonal) and diagonal.max() > 1e8 * diagonal.min():
            many = np.broadcast_to(G, (len(self.coupling), *G.shape))
            self.factors = Factors(many, 2 * self.coupling, PIVOT)
        else:
            self.curvature, self.P = matrix.spectrum

    def __call__(self, R):
        """The solution for R (d, T), of least norm where there are many."""
        V = R / self.root @ self.Q
        if self.factors is not None:
            return self.factors.solve(V) @ self.Q.T / self.root
        total = self.curvature[:, None] + 2 * self.coupling
        inside = total > 1e-15 * total.max()
        return self.P @ np.where(inside, self.P.T @ V / np.where(inside, total, 1), 0) @ self.Q.T / self.root


class Coupled:
    """G_t w_t + 2 (W M)_t = r_t with a Gram matrix per task, (T, d, d); M is the penalty's, a Canonical."""

    def __init__(self, G, penalty):
        self.G, self.couple, M = G, penalty.couple, penalty.M
        d = G.shape[1]
        values, vectors = penalty.spectrum
        base, self.low_rank = repeated(values)
        others = np.abs(values - base) > 1e-12 * max(values[-1], 0.0)
        self.exact = others.sum() * d <= 3000 and self.low_rank
        shift = np.full(len(M), 2 * base) if self.exact else 2 * np.diag(M)
        self.factors = Factors(G, shift, PIVOT)
        if self.exact:
            self.V, weights = vectors[:, others], values[others] - base
            k = self.V.shape[1]
            # The core 1/(2 weights) + V' K^-1 V, K = G + 2 base, written without the cancellation that loses G in
            # directions in which M is much smaller than its base.
            if base > 0:
                blocks = -self.factors.solve(G) / (2 * base)
            else:
                blocks = self.factors.solve(np.broadcast_to(np.eye(d), G.shape))
            core = np.einsum("ta,tb,tij->aibj", self.V, self.V, blocks, optimize=True)
            core = core.reshape(k * d, k * d)
            diagonal = values[others] / (2 * base * weights) if base > 0 else 1 / (2 * weights)
            core[np.diag_indices(k * d)] += np.repeat(diagonal, d)
            self.core = inverse(core, pseudo=len(core) <= Dense.LARGEST)

    def apply(self, W):
        return each(self.G, W) + 2 * self.couple(W)

    def precondition(self, R):
        S = self.factors.solve(R)
        if not self.exact or not self.V.shape[1]:
            return S
        d, k = len(R), self.V.shape[1]
        shared = (self.core @ (S @ self.V).T.ravel()).reshape(k, d).T @ self.V.T
        return S - self.factors.solve(shared)

    def __call__(self, R):
        return conjugate_gradients(self.apply, self.precondition, R, rtol=1e-14, max_iter=1000)[0]


def flat_system(design, scale, penalty):
    """The system of the samples with their own weights, G_t times scale_t (T,), as something that solves it."""
    if design.shares is not None:
        return Sylvester(design.common, design.shares * scale, penalty.M)
    return task_system(design.matrices * scale[:, None, None], penalty)


def task_system(G, penalty):
    """The system of a Gram matrix per task, (T, d, d)."""
    # Where the penalty leaves most directions free, the tasks' own matrices may be singular, and only all of them
    # together determine the solution.
    if repeated(penalty.spectrum[0])[0] == 0 and G.shape[0] * G.shape[1] <= Dense.LARGEST:
        return Dense(G, penalty.M)
    return Coupled(G, penalty)


def conjugate_gradients(apply, precondition, R, rtol, max_iter):
    """(W, whether rtol was reached) for apply(W) = R; the best iterate where rounding ends progress.

    Residuals are measured in the norm of the preconditioner, in which features of any scale count alike.
    """
    W, residual, direction, old = np.zeros_like(R), R, None, np.inf
    best, lowest, first, since = W, np.inf, None, 0
    for _ in range(max_iter):
        P = precondition(residual)
        inner = float(np.sum(residual * P))
        first = inner if first is None else first
        since = 0 if inner < 0.25 * lowest else since + 1
        if inner < lowest:
            best, lowest = W, inner
        if not inner > rtol**2 * first:
            return best, True
        if since > 50:
            break
        direction = P if direction is None else P + inner / old * direction
        image = apply(direction)
        bend = float(np.sum(direction * image))
        if not bend > 0:
            break
        W = W + inner / bend * direction
        residual = residual - inner / bend * image
        old = inner
    return best, False


class Diagonal:
    """Preconditioner alone, for matrices too large to form: the diagonal of G_t + 2 M_tt."""

    def __init__(self, diagonal):
        self.diagonal = diagonal

    def precondition(self, R):
        return np.divide(R, self.diagonal, out=np.zeros_like(R), where=self.diagonal > 0)


class Dense:
    """G_t w_t + 2 (W M)_t = r_t as one small system, for the solution of least norm where there are many."""

    LARGEST = 1000

    def __init__(self, G, M):
        T, d = G.shape[:2]
        H = 2 * np.kron(M, np.eye(d))
        for t in range(T):
            H[t * d : (t + 1) * d, t * d : (t + 1) * d] += G[t]
        self.inverse = inverse(H, pseudo=True)

    def __call__(self, R):
        return (self.inverse @ R.T.ravel()).reshape(R.shape[::-1]).T


def repeated(values):
    """(the most repeated eigenvalue, whether it is repeated at all)."""
    if len(values) == 1:
        return values[0], True
    close = np.abs(values[:, None] - values) <= 1e-12 * max(abs(values[-1]), np.finfo(float).tiny)
    i = int(np.argmax(close.sum(axis=0)))
    return max(values[i], 0.0), bool(close[:, i].sum() >= 2 or len(values) <= 2)
