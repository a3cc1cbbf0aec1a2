"""Gram matrices: the weighted, centred products of every task's features, in the form that is cheapest.

    G_t = scale_t sum_i h_ti (x_ti - mean_t)(x_ti - mean_t)'

A form owes ``apply``, ``solve``, ``diagonal`` and ``top``, and solvers see nothing else of it. There are four: one
matrix for all tasks or one for each, and either as (d, d) matrices or, where there are fewer samples than features, as
the samples themselves.
"""

from functools import cached_property

import numpy as np
from scipy.sparse import issparse
from scipy.sparse.linalg import LinearOperator, svds

from ._columns import Columns
from ._products import BLOCK, without_rounding
from .inverses import SMALL, Factors, Semidefinite, Tridiagonal, tops

LARGEST = 4e7  # entries of all matrices together that are formed
MOST_FEATURES = 2000  # of a (d, d) matrix that is factored
LONG = 10.0  # times the usual length, from which on a row of X is too long to count as others do


class Design:
    """The features of all tasks with the weights of their samples, centred where there are intercepts.

    All that solvers and certificates know of the features, whatever the loss and the penalty: each is computed when it
    is first asked for, and kept for other strengths.

    Parameters
    ----------
    tasks : Tasks
    centred : bool
    """

    def __init__(self, tasks, centred):
        self.tasks = tasks
        self.centred = centred

    @cached_property
    def means(self):
        """(d, T) means of the features, or None where they are not centred."""
        return self.tasks.means(self.tasks.weight) if self.centred else None

    @cached_property
    def squares(self):
        """(d, T) sum_i c_ti x_tij^2, not centred."""
        return self.tasks.curvature(self.tasks.weight)

    @cached_property
    def diagonal(self):
        """(d, T) the diagonals of the Gram matrices."""
        return self.tasks.curvature(self.tasks.weight, self.means)

    @cached_property
    def common(self):
        """The matrix that all tasks have up to a factor, a Semidefinite, or None; the factors are in ``shares``."""
        if self.shares is None:
            return None
        s, (n, d) = self.tasks.common_weight[0], self.tasks.X.shape
        return Semidefinite(self.tasks.weighted_gram(s, self.centred), singular=n - self.centred < d)

    @property
    def shares(self):
        """(T,) the weight of every task, where all tasks have the same weights up to that; else None."""
        common = self.tasks.common_weight
        return None if common is None else common[1]

    @cached_property
    def columns(self):
        """The Columns of a common X."""
        return Columns(self)

    @cached_property
    def few_samples(self):
        """Whether every task has so few that their products are cheaper than those of the features."""
        tasks = self.tasks
        return bool(5 * np.diff(tasks.ptr).max() <= 4 * tasks.n_features) and not tasks.is_sparse

    def fits(self, flat):
        """Whether the Gram matrices can be formed and factored; ``flat`` as for ``gram``."""
        tasks = self.tasks
        d, own = tasks.n_features, not flat or self.shares is None
        size = (tasks.n_tasks if own else 1) * d * min(d, np.diff(tasks.ptr).max())
        return size <= LARGEST and (d <= MOST_FEATURES or self.few_samples)

    @cached_property
    def flat(self):
        """The Gram matrices of the samples with their own weights."""
        if self.shares is not None:
            if self.few_samples:
                return CommonThin(self.columns.take(np.arange(self.tasks.n_features)), self.shares)
            return CommonGram(self.common, self.shares)
        return self.weighted(self.tasks.weight, self.means)

    @cached_property
    def matrices(self):
        """(T, d, d) the Gram matrices of all tasks, as arrays."""
        if isinstance(self.__dict__.get("flat"), TaskGrams):
            return self.flat.G
        return self.tasks.gram(self.tasks.weight, self.means)

    @cached_property
    def spectra(self):
        """(values (T, d) >= 0, vectors (T, d, d)) of ``matrices``."""
        values, vectors = np.linalg.eigh(self.matrices)
        return np.maximum(values, 0), vectors

    @cached_property
    def evened(self):
        """(N,) the weights of the samples, those of long rows of X times (usual length / length)^2; the weights
        themselves where no row is much longer than most."""
        tasks, c = self.tasks, self.tasks.weight
        squares = tasks.row_squares
        inside = (c > 0) & (squares > 0)
        if self.centred and inside.any():
            # From where most rows are, and not from the mean, in which a long row counts most.
            away = squares
            for _ in range(3):
                near = np.divide(away[inside].min(), away, out=np.zeros_like(c), where=inside)
                centre = tasks.means(near)
                away = squares - 2 * tasks.apply(centre) + tasks.spread(np.sum(centre**2, axis=0))
                away = np.maximum(away, 1e-15 * squares)
            squares = away
        usual = np.median(squares[inside]) if inside.any() else 0.0
        if not (usual > 0 and squares[inside].max() > LONG**2 * usual):
            return c
        return c * usual / np.maximum(squares, usual)

    def weighted(self, h, means):
        """The Gram matrices for weights h (N,) of the samples and the means (d, T) or None that belong to them."""
        if self.few_samples:
            return TaskThin(self.tasks, h, means)
        if h is self.tasks.weight and means is self.means:
            return TaskGrams(self.matrices)
        return TaskGrams(self.tasks.gram(h, means))


class Gram:
    """W -> (G_1 w_1, ..., G_T w_T), symmetric and positive semidefinite.

    Attributes
    ----------
    scale : ndarray of shape (T,)
    refactors : bool
        Whether another shift takes another factorisation.
    """

    refactors = False

    def scaled(self, factor):
        """The same with G_t times factor_t; what has been factored is shared."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__, scale=self.scale * factor)
        return other

    def apply(self, W):
        """(d, T) with columns G_t w_t."""
        raise TypeError(f"{type(self).__name__} does not define apply")

    def solve(self, R, shift):
        """(d, T) with columns (G_t + shift_t I)^-1 r_t, for shift (T,) > 0."""
        raise TypeError(f"{type(self).__name__} does not define solve")

    @property
    def diagonal(self):
        """(d, T)"""
        raise TypeError(f"{type(self).__name__} does not define diagonal")

    @property
    def top(self):
        """(T,) largest eigenvalues, or a few percent less."""
        raise TypeError(f"{type(self).__name__} does not define top")


class CommonGram(Gram):
    """scale_t G with one matrix for all tasks."""

    def __init__(self, matrix, scale):
        self.matrix, self.scale = matrix, scale

    def apply(self, W):
        return (self.matrix.G @ W) * self.scale

    def solve(self, R, shift):
        return self.matrix.solve(R, self.scale, shift)

    @property
    def diagonal(self):
        return np.outer(np.diag(self.matrix.G), self.scale)

    @property
    def top(self):
        return self.matrix.top * self.scale


class CommonThin(Gram):
    """scale_t B B' with the same columns B (d, n) for all tasks, n < d."""

    def __init__(self, B, scale):
        self.B, self.scale = B, scale
        self.kept = {}  # shared with the scaled ones

    @property
    def _turned(self):
        """(B Q, the products of its columns as a Tridiagonal)"""
        if not self.kept:
            products = Tridiagonal((self.B.T @ self.B)[None])
            self.kept.update(B=self.B @ products.Q[0], products=products)
        return self.kept["B"], self.kept["products"]

    def apply(self, W):
        return (self.B @ (self.B.T @ W)) * self.scale

    def solve(self, R, shift):
        B, products = self._turned
        return (R - B @ (products.solve(B.T @ R, self.scale, shift) * self.scale)) / shift

    @property
    def diagonal(self):
        return np.outer(np.einsum("ji,ji->j", self.B, self.B), self.scale)

    @property
    def top(self):
        return self._turned[1].top * self.scale


class TaskThin(Gram):
    """scale_t A_t' A_t with rows A_t (n_t, d) for every task, n_t < d; the smaller tasks are padded with zeros."""

    def __init__(self, tasks, h, means):
        d, T = tasks.n_features, tasks.n_tasks
        self.A, self.scale = np.zeros((T, np.diff(tasks.ptr).max(), d)), np.ones(T)
        own = tasks.sample_task, np.arange(len(h)) - tasks.spread(tasks.ptr[:-1])
        A = tasks.X[tasks.sample_row]
        if means is not None:
            A -= means.T[own[0]]
        self.A[own] = A * np.sqrt(h)[:, None]
        if means is not None:
            squares = np.einsum("tij,tij->jt", self.A, self.A)
            self.A *= (without_rounding(squares, means, tasks.sum(h)) > 0).T[:, None]
        self.kept = {}

    @property
    def _turned(self):
        """(Q_t' A_t, the products of their rows as a Tridiagonal)"""
        if not self.kept:
            products = Tridiagonal(np.matmul(self.A, self.A.transpose(0, 2, 1)))
            self.kept.update(A=np.matmul(products.Q.transpose(0, 2, 1), self.A), products=products)
        return self.kept["A"], self.kept["products"]

    def apply(self, W):
        return _combined(self.A, each(self.A, W) * self.scale)

    def solve(self, R, shift):
        A, products = self._turned
        return (R - _combined(A, products.solve(each(A, R), self.scale, shift) * self.scale)) / shift

    @property
    def diagonal(self):
        return np.einsum("tij,tij->jt", self.A, self.A) * self.scale

    @property
    def top(self):
        return self._turned[1].top * self.scale


class TaskGrams(Gram):
    """scale_t G_t with a matrix for every task, (T, d, d)."""

    refactors = True

    def __init__(self, G):
        self.G, self.scale = G, np.ones(len(G))
        self.kept = {}

    def scaled(self, factor):
        other = super().scaled(factor)
        other.kept = {}
        return other

    def apply(self, W):
        return each(self.G, W) * self.scale

    def solve(self, R, shift):
        # (The last factors only: a shift that has been left does not come back.)
        if "shift" not in self.kept or not np.array_equal(self.kept["shift"], shift):
            self.kept.update(shift=shift, factors=Factors(self.G, shift / self.scale))
        return self.kept["factors"].solve(R) / self.scale

    @property
    def diagonal(self):
        return np.einsum("tjj->jt", self.G) * self.scale

    @property
    def top(self):
        if "top" not in self.kept:
            self.kept["top"] = tops(self.G) * self.scale
        return self.kept["top"]


def each(A, V):
    """(d, T): A[t] @ V[:, t]."""
    return np.matmul(A, V.T[:, :, None])[:, :, 0].T


def _combined(A, V):
    """(d, T): A_t' v_t for V (n, T)."""
    return np.matmul(np.ascontiguousarray(V.T)[:, None], A)[:, 0].T


def grams_of(tasks, h, means, whole=False):
    """Yield (slice of tasks, their Gram matrices (k, d, d)) for the weights h (N,) of the samples and means (d, T) or
    None; as many at a time as memory has room for, or all with ``whole``."""
    size = tasks.n_tasks if whole else max(1, int(LARGEST // max(1, tasks.n_features) ** 2))
    for a in range(0, tasks.n_tasks, size):
        e = min(a + size, tasks.n_tasks)
        some = tasks if size == tasks.n_tasks else tasks.between(a, e)
        yield slice(a, e), some.gram(h[tasks.ptr[a] : tasks.ptr[e]], None if means is None else means[:, a:e])


# ---------------------------------------------------------------------------------- largest curvature


def largest_eigenvalue(design, h):
    """The largest eigenvalue of all tasks' Gram matrices for the weights h (N,) of the samples; no matrix is kept."""
    tasks, d = design.tasks, design.tasks.n_features
    means = tasks.means(h) if design.centred else None
    factor = _common_factor(tasks, h)
    if factor is None and d <= SMALL:
        size = BLOCK // d**2
        tops = []
        for a in range(0, tasks.n_tasks, size):
            e = min(a + size, tasks.n_tasks)
            G = tasks.between(a, e).gram(h[tasks.ptr[a] : tasks.ptr[e]], None if means is None else means[:, a:e])
            tops.append(np.linalg.eigvalsh(G)[:, -1].max())
        return max(tops)
    tops = []
    for t in range(tasks.n_tasks) if factor is None else [0]:
        mean = None if means is None else means[:, t]
        tops.append(_top(tasks.rows_of(t), h[tasks.slices(t)[1]], mean))
    return max(tops) * (1.0 if factor is None else factor)


def _common_factor(tasks, h):
    """Where h is the same for all tasks of one X but for a factor, the largest of these relative to the first."""
    if tasks.common_weight is None:
        return None
    H = h.reshape(tasks.n_tasks, -1)
    mass, total = tasks.mass, H.sum(axis=1)
    if not total[0] > 0 or not np.allclose(H / mass[:, None], H[0] / mass[0], rtol=1e-12, atol=0):
        return None
    return float((total / total[0]).max())


def _top(X, h, mean):
    """Largest eigenvalue of sum_i h_i (x_i - mean)(x_i - mean)'; mean None is 0."""
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
