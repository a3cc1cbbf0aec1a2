"""Kernels as features: coordinates in which the inner product of two samples is their kernel."""

import os

import numpy as np
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dpstrf
from sklearn.kernel_approximation import Nystroem, RBFSampler
from sklearn.metrics.pairwise import pairwise_kernels

from .._words import counted

ASYMMETRIC = 1e-10  # of a kernel, beside its largest entry
INDEFINITE = 1e-9  # the same of what no features explain
SLICE = 64  # samples whose kernel with themselves is read off a matrix
EVERY, MANY = 4, 0.75  # sample of those that say whether many are combinations of others; share that is not
# Kernels that are positive semidefinite whatever the samples are, beside "poly".
DEFINITE = {"linear", "rbf", "laplacian", "cosine", "chi2"}


class KernelFeatures:
    """All samples as rows of L, K = L L' their kernel, by a pivoted Cholesky factor: exact, but for rounding.

    Parameters
    ----------
    kernel : str or callable
        As in ``sklearn.metrics.pairwise.pairwise_kernels``.
    options : dict
        Its parameters.

    Attributes
    ----------
    samples : array or sparse matrix of shape (r, d)
        The pivots, which all of the others are combinations of; of a precomputed kernel their positions (r,).
    factor : ndarray of shape (r, r)
        Their own features, lower triangular.
    """

    def __init__(self, kernel, options):
        self.kernel = kernel
        self.options = options

    def fit_transform(self, X, order=None):
        """(n, r) L of the rows of X; ``order`` (n,) are their positions among the columns of a precomputed kernel."""
        return self.factored(X, self.matrix(X, order), order)

    def matrix(self, X, order=None):
        """(n, n) the kernel of the rows of X, checked."""
        n = X.shape[0]
        _refuse_large(n)
        try:
            K = self._of(X, X, order)
            # (Symmetric, so that rows are columns; one that is handed over may be overwritten here as a copy only.)
            K = np.array(K, dtype=float, order="F") if self.kernel == "precomputed" else np.asarray(K, dtype=float).T
            _check(K, self.is_definite)
        except MemoryError:
            raise ValueError(_too_large(n)) from None
        return K

    def factored(self, X, K, order=None):
        """The same of that kernel, which is overwritten."""
        n = len(K)
        try:
            top, probe = np.diag(K).max(initial=0.0), np.random.default_rng(0).normal(size=n)
            image = K @ probe
            L, pivots, rank, _ = dpstrf(K, lower=1, overwrite_a=1)
        except MemoryError:
            raise ValueError(_too_large(n)) from None
        pivots = pivots - 1
        rank = int(rank)
        # (The factor is in the lower triangle; what was there before is left in the upper one.)
        L = np.tril(L)[:, :rank]
        found = np.empty((n, rank), order="F")
        found[pivots] = L
        left = np.abs(image - found @ (found.T @ probe)).max(initial=0.0)
        if left > INDEFINITE * n * top:
            raise ValueError(
                f"kernel={self.kernel!r} is not positive semidefinite on these samples: no features have it as their "
                f"inner product (what is left of it has entries of about {left / np.sqrt(n):.2g})."
            )
        self.factor = np.ascontiguousarray(L[:rank])
        at = pivots[:rank]
        if self.kernel == "precomputed":
            self.samples = at if order is None else order[at]
        else:
            self.samples = X[at]
        return found

    @property
    def is_definite(self):
        """Whether its name says that it is positive semidefinite on any samples."""
        gamma, degree, coef0 = (self.options.get(name) for name in ("gamma", "degree", "coef0"))
        if gamma is not None and gamma < 0:
            return False
        powers = self.kernel in ("poly", "polynomial") and float(degree).is_integer() and coef0 >= 0
        return powers or self.kernel in DEFINITE

    def columns(self, X):
        """(m, r) kernel of the rows of X with the samples that are kept."""
        return self.columns_with(X, self.samples)

    def columns_with(self, X, samples):
        """(m, r) kernel of the rows of X with some samples."""
        return X[:, samples] if self.kernel == "precomputed" else self._of(X, samples)

    def of_columns(self, columns):
        """(m, r) features of the samples that have these columns."""
        return solve_triangular(self.factor, columns.T, lower=True).T

    def squares(self, X):
        """(m,) kernel of every row of X with itself."""
        if self.kernel == "precomputed":
            raise ValueError("kernel='precomputed' does not say what the kernel of a new sample with itself is.")
        if callable(self.kernel):
            return np.array([self.kernel(x, x, **self.options) for x in X])
        return diagonal(self._of, X)

    def weights(self, W):
        """(T, r) of W (r, T): what multiplies the columns."""
        return solve_triangular(self.factor, W, lower=True, trans="T").T

    def _of(self, X, Y, order=None):
        if self.kernel == "precomputed":
            return X if order is None else X[:, order]
        return pairwise_kernels(X, Y, metric=self.kernel, filter_params=not callable(self.kernel), **self.options)


class Span:
    """The samples themselves: what is fitted are their coefficients."""

    def __init__(self, kernel, samples):
        self.kernel = kernel
        self.samples = samples

    def columns(self, X):
        """(m, n) kernel of the rows of X with the samples."""
        return self.kernel.columns_with(X, self.samples)

    def weights(self, W):
        """(T, n) of W (n, T)."""
        return W.T


def diagonal(kernel, X):
    """(n,) what a kernel of two sets of samples says of every row of X with itself."""
    slices = [slice(first, first + SLICE) for first in range(0, X.shape[0], SLICE)]
    return np.concatenate([np.diag(kernel(X[some], X[some])) for some in slices])


def many_are_needed(K):
    """Whether few samples are combinations of the others, by every so many of them."""
    some = np.array(K[::EVERY, ::EVERY], order="F")
    return dpstrf(some, lower=1, overwrite_a=1)[2] > MANY * len(some)


class ApproximateFeatures:
    """The same by a transformer of scikit-learn, Nystroem say."""

    def __init__(self, transformer):
        self.transformer = transformer
        self.samples = None

    def fit_transform(self, X, order=None):
        n, d = X.shape
        if isinstance(self.transformer, Nystroem):
            self.transformer.set_params(n_components=min(self.transformer.n_components, n))
        elif self.transformer.gamma is None:
            # As the kernel itself has it.
            self.transformer.set_params(gamma=1 / d)
        return np.asarray(self.transformer.fit_transform(X), dtype=float)

    def columns(self, X):
        return np.asarray(self.transformer.transform(X), dtype=float)

    def of_columns(self, columns):
        return columns

    def squares(self, X):
        return np.sum(self.columns(X) ** 2, axis=1)

    def weights(self, W):
        return W.T


def features_of(estimator):
    """What maps the samples of an estimator of kernels, with its parameters."""
    kernel, named = estimator.kernel, {}
    if not callable(kernel):
        named = {"gamma": estimator._gamma, "degree": estimator.degree, "coef0": estimator.coef0}
    if estimator.n_components is None:
        return KernelFeatures(kernel, named | (estimator.kernel_params or {}))
    if kernel == "precomputed":
        raise ValueError(
            "n_components is for kernels of samples; kernel='precomputed' has none. Leave it at None, or hand over X."
        )
    if estimator.approximation == "fourier":
        if kernel != "rbf":
            raise ValueError(
                f"approximation='fourier' is for kernel='rbf', got {kernel!r}: take approximation='nystroem'."
            )
        made = RBFSampler(gamma=estimator._gamma)
    else:
        made = Nystroem(kernel, **named, kernel_params=estimator.kernel_params)
    transformer = made.set_params(n_components=estimator.n_components, random_state=estimator.random_state)
    return ApproximateFeatures(transformer)


def _check(K, definite):
    """Raise a ValueError for what is no kernel of samples with themselves."""
    if K.shape[0] != K.shape[1]:
        raise ValueError(
            f"X must be the kernel of all samples with each other, square, for kernel='precomputed', got {K.shape}."
        )
    lowest, highest = K.min(initial=0.0), K.max(initial=0.0)
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        raise ValueError("kernel must be finite, got NaN or infinity: scale the features, or lower gamma or degree.")
    if definite:
        return
    top = max(-lowest, highest)
    apart = np.abs(K - K.T).max(initial=0.0)
    if apart > ASYMMETRIC * top:
        raise ValueError(f"kernel must be symmetric, got entries that differ by {apart:.3g}.")
    lowest = np.diag(K).min(initial=0.0)
    if lowest < -ASYMMETRIC * top:
        raise ValueError(f"kernel must be positive semidefinite, got {lowest:.3g} on its diagonal.")


def _refuse_large(n):
    if 16.0 * n**2 > _memory():
        raise ValueError(_too_large(n))


def _too_large(n):
    return (
        f"X has {counted(n, 'row')}, whose kernel and its factor take {16.0 * n**2 / 2**30:.3g} GiB, more than there "
        "is: pass n_components=1000 say, for that many features that approximate the kernel."
    )


def _memory():
    """Bytes of the machine's memory, where it says."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return np.inf
