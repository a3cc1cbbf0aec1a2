"""The samples from which most of all of them can be learned."""

import numpy as np
from scipy.special import log_ndtr
from sklearn.gaussian_process.kernels import Kernel

from .. import _input
from .._input import check_count
from ._features import diagonal

SMALLEST = 1e-12  # variance of a target beside its function's, below which it is known


def select_informative(kernel, X, y, n):
    """Positions of the n samples, one after the other, each the one that takes most off the entropy of the functions:

    max over i of -(1/2) log(1 - nu_i v_i),

    v_i the variance that is left of the function at x_i, and nu_i what sample i would take off it: 1 / (v_i + noise_i)
    for real targets, with the noise that is in the kernel; for two classes that of a probit model, by moments.

    Whatever is fitted to them, a Gaussian process of several tasks say, costs what n samples do. A sample whose kernel
    knows its task (``TaskKernel``) is chosen for what it says of all tasks.

    Parameters
    ----------
    kernel : Kernel
        Of ``sklearn.gaussian_process.kernels``, with its parameters as they are; for real targets with white noise
        (``WhiteKernel``, ``TaskNoise``).
    X : array-like of shape (n_samples, d)
    y : array-like of shape (n_samples,)
        Numbers, or labels of two classes (strings, booleans, or integers of two values).
    n : int
        How many.

    Returns
    -------
    ndarray of shape (n,) of int

    Raises
    ------
    ValueError
        For an n beyond the samples, a kernel without noise for real targets, and arrays of the wrong shape.

    References
    ----------
    Lawrence, Platt (2004), ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.gaussian_process.kernels import RBF, WhiteKernel
    >>> from convexmtl import select_informative
    >>> X = np.array([[0.0], [0.1], [0.2], [5.0]])
    >>> select_informative(RBF() + WhiteKernel(0.1), X, np.zeros(4), 2).tolist()
    [0, 3]
    """
    if not isinstance(kernel, Kernel):
        raise ValueError(f"kernel must be a Kernel of sklearn.gaussian_process.kernels, got {kernel!r}.")
    X, y = np.asarray(X, dtype=float), _input.label_array(y)
    if X.ndim != 2 or y.shape != (len(X),):
        raise ValueError(f"X must have shape (n_samples, d) and y (n_samples,), got {X.shape} and {y.shape}.")
    if not np.isfinite(X).all():
        raise ValueError("X must be finite, got NaN or infinity.")
    check_count(n, "n", 1)
    if n > len(X):
        raise ValueError(f"n must be at most the number of samples, {len(X)}, got {n}.")
    # (White noise is that of a sample with itself, and not of a row with another that is alike.)
    variance = diagonal(kernel, X)
    signs = _signs(y)
    if signs is None:
        noise = kernel.diag(X) - variance
        if not np.all(noise > SMALLEST * variance):
            raise ValueError("kernel must have noise for real targets: add a WhiteKernel, or a TaskNoise.")
        targets = np.asarray(y, dtype=float)
        if not np.isfinite(targets).all():
            raise ValueError("y must be finite, got NaN or infinity.")
        sites = lambda mean, left: (1 / (left + noise), (targets - mean) / (left + noise))  # noqa: E731
    else:
        sites = lambda mean, left: _probit(signs, mean, left)  # noqa: E731
    mean, known, chosen = np.zeros(len(X)), np.zeros((n, len(X))), []
    open_ = np.ones(len(X), dtype=bool)
    for k in range(n):
        nu, pull = sites(mean, variance)
        gain = np.where(open_, nu * variance, -np.inf)
        i = int(np.argmax(gain))
        column = kernel(X, X[i : i + 1])[:, 0] - known[:k].T @ known[:k, i]
        mean = mean + pull[i] * column
        variance = np.maximum(variance - nu[i] * column**2, 0.0)
        known[k] = np.sqrt(nu[i]) * column
        open_[i] = False
        chosen.append(i)
    return np.array(chosen)


def _signs(y):
    """(n,) -1 and 1 for the labels of two classes; None for numbers."""
    if y.dtype.kind == "f":
        return None
    labels = np.unique(y)
    if len(labels) != 2:
        if y.dtype.kind in "iu":
            return None
        raise ValueError(f"y must be numbers or the labels of two classes, got {len(labels)} different labels.")
    return np.where(y == labels[1], 1.0, -1.0)


def _probit(signs, mean, variance):
    """(what a label would take off the variance of its function, what it would pull at its mean)."""
    root = np.sqrt(1 + variance)
    u = signs * mean / root
    hazard = np.exp(-0.5 * u**2 - log_ndtr(u)) / np.sqrt(2 * np.pi)
    return hazard * (hazard + u) / (1 + variance), signs * hazard / root
