"""Inverses of semidefinite matrices, one or many at once: the only ones of the package."""

from functools import cached_property

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.linalg.lapack import dorgqr, dpotrf, dpotri, dstebz, dsytrd

from ._jit import kernel

PIVOT = 1e-6  # of a factor, beside a diagonal of ones, below which products with the inverse lose too many digits
LEAST = 1e-9  # of a shift, beside the trace, for a matrix that is only made tridiagonal
BLOCKED = 64  # columns that LAPACK works on at a time
POWERS = 8  # steps of the power method, after which an eigenvalue is within a few percent
SMALL = 32  # rows of a matrix up to which many are factored in compiled code, and solved with in turn


@kernel(
    "void(frozen(float64, 3), frozen(float64, 1), float64[:, :, ::1], float64[:, ::1], float64[::1])", fastmath=True
)
def factor_all(S, shift, L, unit, pivot):
    """The lower factors of unit_t (S_t + shift_t I) unit_t, which have a diagonal of ones, or zeros that become ones.

    On the diagonal of the factors are the reciprocals of the pivots. pivot_t is the smallest one, 0 where there is no
    factor; where it is too small to solve with, the factor is one of a matrix with a little more on its diagonal.
    """
    T, d = S.shape[0], S.shape[1]
    for t in range(T):
        A, F, u = S[t], L[t], unit[t]
        for i in range(d):
            diagonal = A[i, i] + shift[t]
            u[i] = 1.0 / np.sqrt(abs(diagonal)) if diagonal != 0.0 else 0.0
        more = 0.0
        while True:
            smallest = 1.0
            for i in range(d):
                for j in range(i):
                    total, x, y = u[i] * A[i, j] * u[j], F[i, :j], F[j, :j]
                    for k in range(j):
                        total -= x[k] * y[k]
                    F[i, j] = total * F[j, j]
                total, x = more + (1.0 if u[i] == 0.0 else u[i] * (A[i, i] + shift[t]) * u[i]), F[i, :i]
                for k in range(i):
                    total -= x[k] * x[k]
                root = np.sqrt(total) if total > 0.0 else 0.0
                if not root >= smallest:
                    smallest = root
                F[i, i] = 1.0 / root if root > 0.0 else 1.0
            if more == 0.0:
                pivot[t] = smallest
            if smallest > 1e-6 or more == 1e-6 or (smallest > 0.0 and more > 0.0):
                break
            more = 1e-10 if more == 0.0 else 1e-6


@kernel("void(frozen(float64, 3), frozen(float64, 2), float64[:, :, ::1])", fastmath=True)
def solve_all(L, unit, B):
    """Rows b of B_t (k, d) are overwritten by unit_t (L_t L_t')^-1 unit_t b, for the factors from ``factor_all``."""
    T, size, d = B.shape
    for t in range(T):
        F, u = L[t], unit[t]
        for k in range(size):
            b = B[t, k]
            for i in range(d):
                total, row = u[i] * b[i], F[i, :i]
                for j in range(i):
                    total -= row[j] * b[j]
                b[i] = total * F[i, i]
            for i in range(d - 1, -1, -1):
                b[i] *= F[i, i]
                last, row = b[i], F[i, :i]
                for j in range(i):
                    b[j] -= last * row[j]
                b[i] *= u[i]


@kernel("void(float64[:, ::1], frozen(float64, 2), float64[:, ::1])", fastmath=True)
def solve_tridiagonal(diagonal, beside, B):
    """Columns b_k of B (d, m) are overwritten by D_k^-1 b_k, D_k with the k-th ``diagonal`` (d, m), which is
    overwritten, and ``beside`` it (d - 1, m)."""
    d, m = B.shape
    for i in range(d):
        now, b = diagonal[i], B[i]
        if i == 0:
            for k in range(m):
                now[k] = 1.0 / now[k]
        else:
            e, before, last = beside[i - 1], diagonal[i - 1], B[i - 1]
            for k in range(m):
                factor = e[k] * before[k]
                now[k] = 1.0 / (now[k] - factor * e[k])
                b[k] -= factor * last[k]
    for i in range(d - 1, -1, -1):
        now, b = diagonal[i], B[i]
        if i == d - 1:
            for k in range(m):
                b[k] *= now[k]
        else:
            e, last = beside[i], B[i + 1]
            for k in range(m):
                b[k] = (b[k] - e[k] * last[k]) * now[k]


class Tridiagonal:
    """Semidefinite matrices G_t = Q_t D_t Q_t' (T, d, d) by tridiagonal ones, in half of the time that spectra take.

    Small ones, of which there may be many, are diagonal.

    Parameters
    ----------
    G : ndarray of shape (T, d, d)

    Attributes
    ----------
    Q : ndarray of shape (T, d, d)
    diagonal, beside : ndarrays of shape (d, T) and (d - 1, T)
    """

    def __init__(self, G):
        T, d = G.shape[:2]
        self.beside = np.zeros((max(d - 1, 0), T))
        if d <= SMALL:
            values, self.Q = np.linalg.eigh(G)
            self.diagonal = np.maximum(values, 0).T
            return
        self.Q, self.diagonal = np.zeros(G.shape), np.empty((d, T))
        self.Q[:, 0, 0] = 1.0
        for t, matrix in enumerate(G):
            factored, self.diagonal[:, t], self.beside[:, t], tau, _ = dsytrd(matrix.T, lower=1, lwork=BLOCKED * d)
            self.Q[t, 1:, 1:] = dorgqr(factored[1:, :-1], tau, lwork=BLOCKED * d)[0]

    @property
    def both(self):
        """The diagonal and what is beside it, of the first matrix."""
        return self.diagonal[:, 0], self.beside[:, 0]

    @cached_property
    def top(self):
        """(T,) the largest eigenvalues."""
        if len(self.diagonal) <= SMALL:
            return self.diagonal.max(axis=0, initial=0.0)
        return np.array([_last(*both) for both in zip(self.diagonal.T, self.beside.T, strict=True)])

    def solve(self, V, scale, shift):
        """(d, m) columns (scale_k D_k + shift_k I)^-1 v_k, in the basis of Q_k; of the only Q where there is one."""
        B, m = np.array(V, order="C"), V.shape[1]
        diagonal, beside = self.diagonal * scale + shift, self.beside * scale
        diagonal = np.array(np.broadcast_to(diagonal, (len(diagonal), m)), order="C")
        solve_tridiagonal(diagonal, np.ascontiguousarray(np.broadcast_to(beside, (len(beside), m))), B)
        return B


def _last(diagonal, beside):
    """The largest eigenvalue, not below 0, of a tridiagonal matrix."""
    return max(_eigenvalue(diagonal, beside, len(diagonal)), 0.0)


def _eigenvalue(diagonal, beside, k):
    """The k-th one, from 1 on, of a tridiagonal matrix."""
    return dstebz(diagonal, beside, 2, 0.0, 0.0, k, k, 0.0, "E")[1][0]


def tops(G):
    """(T,) the largest eigenvalues of semidefinite matrices (T, d, d); of large ones nearly: from below, by a few steps
    of the power method from the unit vector of the largest diagonal entry."""
    d = G.shape[1]
    if d <= SMALL:
        return np.linalg.eigvalsh(G).max(axis=1, initial=0.0)
    x = np.eye(d)[np.argmax(np.einsum("tjj->tj", G), axis=1)][:, :, None]
    for _ in range(POWERS):
        x = np.matmul(G, x)
        length = np.linalg.norm(x, axis=1, keepdims=True)
        x /= np.where(length > 0, length, 1.0)
    return length[:, 0, 0]


class Semidefinite:
    """A symmetric positive semidefinite matrix G (d, d), its spectrum and its pseudo-inverse.

    ``singular`` says that it is known to be.
    """

    def __init__(self, G, singular=False):
        self.G, self.singular = G, singular

    @cached_property
    def tridiagonal(self):
        """G as a Tridiagonal."""
        return Tridiagonal(self.G[None])

    @property
    def top(self):
        """The largest eigenvalue."""
        return self.tridiagonal.top[0] if self._large else self.spectrum[0][-1]

    @property
    def _large(self):
        return len(self.G) > SMALL and "spectrum" not in self.__dict__

    @cached_property
    def _lowest(self):
        """The smallest eigenvalue beside the trace."""
        return _eigenvalue(*self.tridiagonal.both, 1) / np.trace(self.G)

    def basis(self, least):
        """(Q, function of V (d, m), scale and shift): in the basis of the columns of Q, the columns
        (scale_k G + shift_k)^-1 v_k, of least norm where there are many.

        As quickly as keeps the digits that there are where no shift_k / scale_k is smaller than ``least``.
        """
        if self._large and (
            least > LEAST * np.trace(self.G) or (not self.singular and np.any(self.G) and self._lowest > LEAST)
        ):
            return self.tridiagonal.Q[0], self.tridiagonal.solve
        values, P = self.spectrum

        def solve(V, scale, shift):
            total = values[:, None] * scale + shift
            inside = total > 1e-15 * np.max(total, initial=0.0)
            return np.where(inside, V / np.where(inside, total, 1.0), 0.0)

        return P, solve

    def solve(self, V, scale, shift):
        """(d, m) the columns (scale_k G + shift_k)^-1 v_k."""
        Q, inner = self.basis(np.min(shift / scale))
        return Q @ inner(Q.T @ V, scale, shift)

    def inverted(self, V):
        """G^-1 V, or the pseudo-inverse."""
        if "tridiagonal" in self.__dict__ and self._large and self._lowest > LEAST:
            return self.solve(V, 1.0, np.zeros(V.shape[1]))
        return self.inverse @ V

    @cached_property
    def spectrum(self):
        """(eigenvalues >= 0, growing; eigenvectors)"""
        values, vectors = np.linalg.eigh(self.G)
        return np.maximum(values, 0), vectors

    @cached_property
    def inverse(self):
        return inverse(self.G)


def unit_diagonal(S):
    """(S with a diagonal of ones, the factors of rows and columns); a row without a diagonal gets the factor 0.

    Features of any scale count alike then, and what is cut off of a spectrum is rounding and not small units.
    """
    diagonal = np.einsum("...jj->...j", S)
    unit = np.divide(1.0, np.sqrt(np.abs(diagonal)), out=np.zeros(diagonal.shape), where=diagonal != 0)
    return unit[..., :, None] * S * unit[..., None, :], unit


def inverse(S, pseudo=None):
    """(Pseudo-)inverses of semidefinite matrices S (..., d, d); features that say nothing get zeros.

    ``pseudo`` None takes the pseudo-inverse where a matrix is nearly singular: it leaves alone what nothing
    determines.
    """
    every = np.arange(S.shape[-1])
    scaled, unit = unit_diagonal(S)
    scaled[..., every, every] += unit == 0
    singular = _smallest_pivots(scaled) <= 1e-5 if pseudo is None else np.full(S.shape[:-2], pseudo)
    # (What is not finite has no spectrum, and is handed on.)
    singular = singular & np.isfinite(scaled).all(axis=(-2, -1))
    inner = np.empty_like(scaled)
    inner[~singular] = _inverses(scaled[~singular])
    inner[singular] = np.linalg.pinv(scaled[singular], rcond=1e-13, hermitian=True)
    return unit[..., :, None] * inner * unit[..., None, :]


class Factors:
    """(G_t + shift_t I)^-1 for all tasks at once, G (T, d, d), shift (T,) >= 0.

    Matrices are scaled to a unit diagonal and get Cholesky factors; where one is singular, those of one with a little
    more on the diagonal, which is good enough for a preconditioner. Large ones whose pivots are at least ``pivot`` are
    inverted instead: products with inverses are numpy's, as all around them are, while scipy's triangular solves lose
    fewer digits but come with another BLAS, whose threads and numpy's wait for each other.
    """

    def __init__(self, G, shift, pivot=PIVOT):
        T, d = G.shape[:2]
        self.L, self.hard = None, {}
        if d <= SMALL:
            self.L, self.unit = np.empty((T, d, d)), np.empty((T, d))
            factor_all(np.ascontiguousarray(G), np.ascontiguousarray(shift), self.L, self.unit, np.empty(T))
            return
        every = np.arange(d)
        S = G.copy()
        S[:, every, every] += shift[:, None]
        S, self.unit = unit_diagonal(S)
        S[:, every, every] += self.unit == 0
        hard, self.inverses = np.zeros(T, dtype=bool), np.zeros_like(S)
        for t, matrix in enumerate(S):
            hard[t] = not _inverted(matrix, pivot, self.inverses[t])
        self.hard = {int(t): _cholesky(S[t]) for t in np.flatnonzero(hard)}

    def solve(self, R):
        """For R (d, T) or, (d, k) for every task, (T, d, k)."""
        vectors = R.ndim == 2
        if self.L is not None:
            out = np.array(R.T[:, None] if vectors else R.transpose(0, 2, 1), dtype=float, order="C")
            solve_all(self.L, self.unit, out)
            return out[:, 0].T if vectors else out.transpose(0, 2, 1)
        B = (R.T[:, :, None] if vectors else R) * self.unit[:, :, None]
        out = np.matmul(self.inverses, B)
        for t, factor in self.hard.items():
            out[t] = cho_solve(factor, B[t], check_finite=False)
        out *= self.unit[:, :, None]
        return out[:, :, 0].T if vectors else out


def _inverses(S):
    """Of matrices S (n, d, d) that have a Cholesky factor, by that: a tenth of the time of ``numpy.linalg.inv``."""
    if S.shape[-1] <= SMALL:
        return np.linalg.inv(S)
    return np.array([positive_inverse(matrix) for matrix in S]).reshape(S.shape)


def positive_inverse(S):
    """That of a matrix that has a Cholesky factor; NaN where it has none."""
    out = np.zeros(S.shape)
    return out if _inverted(S, 0.0, out) else np.full(S.shape, np.nan)


def _inverted(S, pivot, out):
    """Whether S has a Cholesky factor with pivots of at least ``pivot``; then its inverse is added to ``out``."""
    # (Symmetric: its rows are the columns that LAPACK reads.)
    factor, failed = dpotrf(S.T, lower=1, clean=0)
    if failed or not factor.diagonal().min(initial=np.inf) >= pivot:
        return False
    lower = dpotri(factor, lower=1, overwrite_c=1)[0]
    out += np.tril(lower)
    out += np.tril(lower, -1).T
    return True


def _cholesky(S):
    """Factor of a matrix with a unit diagonal, with a little more on it if need be."""
    for more in (1e-15, 1e-10, 1e-6):
        try:
            factor = cho_factor(S + more * np.eye(len(S)), lower=True, check_finite=False)
        except np.linalg.LinAlgError:
            continue
        if np.diag(factor[0]).min() > 1e-6 or more > 1e-15:
            break
    return factor


def _smallest_pivots(S):
    """(...) of the Cholesky factors of matrices S (..., d, d) with a diagonal of ones; 0 where there is none."""
    d, many = S.shape[-1], S.reshape(-1, *S.shape[-2:])
    if d <= SMALL:
        pivots, none = np.empty(len(many)), np.zeros(len(many))
        factor_all(np.ascontiguousarray(many), none, np.empty(many.shape), np.empty(many.shape[:2]), pivots)
    else:
        pivots = np.array([_smallest_pivot(matrix) for matrix in many])
    return pivots.reshape(S.shape[:-2])


def _smallest_pivot(S):
    try:
        return np.diag(np.linalg.cholesky(S)).min()
    except np.linalg.LinAlgError:
        return 0.0


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
        # Beside ``inner``, which it is about: what has no curvature is rounding on the right side.
        if not bend > 1e-13 * inner:
            break
        W = W + inner / bend * direction
        residual = residual - inner / bend * image
        old = inner
    return best, False
