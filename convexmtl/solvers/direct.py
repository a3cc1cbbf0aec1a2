"""Linear systems of quadratic couplings:  G_t w_t + 2 (W M)_t = r_t  for all tasks t at once.

One Gram matrix for all tasks: a Sylvester equation, solved by two eigendecompositions. Otherwise
conjugate gradients, preconditioned by the exact solution for M = low rank + a multiple of the identity
(then they end after a step or two), or by the diagonal blocks for any other M.
"""

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh


class Sylvester:
    """scale_t G w_t + 2 (W M)_t = r_t with one G (d, d) for all tasks, scale_t > 0.

    ``rescaled(factor)`` solves for factor * M from the same factorisation.
    """

    def __init__(self, G, scale, M):
        root = np.sqrt(scale)
        self.root = root
        self.curvature, self.P = eigh(G)
        self.coupling, self.Q = eigh(M / np.outer(root, root))
        self.curvature = np.maximum(self.curvature, 0)
        self.coupling = np.maximum(self.coupling, 0)

    def __call__(self, R):
        """The solution of least norm for R (d, T)."""
        total = self.curvature[:, None] + 2 * self.coupling
        inside = total > 1e-15 * total.max()
        V = self.P.T @ (R / self.root) @ self.Q
        return self.P @ np.where(inside, V / np.where(inside, total, 1), 0) @ self.Q.T / self.root


class Coupled:
    """G_t w_t + 2 (W M)_t = r_t with a Gram matrix per task, (T, d, d)."""

    def __init__(self, G, M):
        self.G, self.M = G, M
        d = G.shape[1]
        values, vectors = eigh(M)
        base, self.low_rank = _repeated(values)
        others = np.abs(values - base) > 1e-12 * max(values[-1], 0.0)
        self.exact = others.sum() * d <= 3000 and self.low_rank
        shift = np.full(len(M), 2 * base) if self.exact else 2 * np.diag(M)
        self.factors = [_factor(G[t], shift[t]) for t in range(len(G))]
        if self.exact:
            self.V, weights = vectors[:, others], values[others] - base
            k = self.V.shape[1]
            core = np.zeros((k, d, k, d))
            for t, factor in enumerate(self.factors):
                core += np.einsum("a,b,ij->aibj", self.V[t], self.V[t], cho_solve(factor, np.eye(d)))
            core = core.reshape(k * d, k * d)
            core[np.diag_indices(k * d)] += np.repeat(1 / (2 * weights), d)
            self.core = np.linalg.inv(core) if k else core

    def apply(self, W):
        return np.matmul(self.G, W.T[:, :, None])[:, :, 0].T + 2 * W @ self.M

    def precondition(self, R):
        S = np.stack([cho_solve(factor, R[:, t]) for t, factor in enumerate(self.factors)], axis=1)
        if not self.exact or not self.V.shape[1]:
            return S
        d, k = len(R), self.V.shape[1]
        shared = (self.core @ (S @ self.V).T.ravel()).reshape(k, d).T @ self.V.T
        return S - np.stack([cho_solve(factor, shared[:, t]) for t, factor in enumerate(self.factors)], axis=1)

    def __call__(self, R, rtol=1e-14, max_iter=1000):
        """Preconditioned conjugate gradients; the best iterate where rounding ends progress."""
        W, residual = np.zeros_like(R), R.copy()
        direction, old = None, 0.0
        best, lowest = W, np.inf
        top = np.linalg.norm(R)
        since = 0
        for _ in range(max_iter):
            size = np.linalg.norm(residual)
            if size < lowest:
                since = 0 if size < 0.5 * lowest else since + 1
                best, lowest = W.copy(), size
            else:
                since += 1
            if size <= rtol * top or since > 50:
                break
            P = self.precondition(residual)
            inner = float(np.sum(residual * P))
            if not inner > 0:
                break
            direction = P if direction is None else P + inner / old * direction
            image = self.apply(direction)
            bend = float(np.sum(direction * image))
            if not bend > 0:
                break
            W = W + inner / bend * direction
            residual = residual - inner / bend * image
            old = inner
        return best


def _repeated(values):
    """(the most repeated eigenvalue, whether it is repeated at all)."""
    if len(values) == 1:
        return values[0], True
    close = np.abs(values[:, None] - values) <= 1e-12 * max(abs(values[-1]), np.finfo(float).tiny)
    i = int(np.argmax(close.sum(axis=0)))
    return max(values[i], 0.0), bool(close[:, i].sum() >= 2 or len(values) <= 2)


def _factor(G, shift):
    """Cholesky factor of G + shift I, with as little more as makes it positive definite."""
    more = 1e-14 * max(np.trace(G) / len(G), shift, np.finfo(float).tiny)
    while True:
        try:
            return cho_factor(G + (shift + more) * np.eye(len(G)), lower=True, check_finite=False)
        except np.linalg.LinAlgError:
            more *= 100
