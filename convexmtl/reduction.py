"""Many targets as few combinations of them, and many rows as no more than there are features."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import check_array

from ._input import read_sample_weight
from .tasks import LARGE, Tasks

MANY = 2  # tasks for one row of X from which on it pays to rotate them into as many as there are rows
THIN = 2  # rows for one feature from which on it pays to do without the others
SQUARED = 1e-8  # share of the largest eigenvalue, of those that are exact enough


@dataclass(frozen=True, eq=False)
class ReducedTasks:
    """What ``reduce_tasks`` returns.

    Attributes
    ----------
    Y : ndarray of shape (n, k)
        The targets of the combinations.
    basis : ndarray of shape (T, k)
        Q, orthonormal: the combinations as columns.
    mean : ndarray of shape (T,)
        What was taken off the targets; zeros without intercepts.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import reduce_tasks
    >>> reduced = reduce_tasks(np.random.default_rng(0).normal(size=(5, 1000)))
    >>> reduced.Y.shape, reduced.basis.shape
    ((5, 4), (1000, 4))
    """

    Y: np.ndarray
    basis: np.ndarray
    mean: np.ndarray

    def restore(self, coef, intercept=0.0):
        """Coefficients (T, d) and intercepts (T,) of all tasks, from those (k, d) and (k,) of a fit to ``Y``."""
        return self.basis @ np.asarray(coef), self.mean + self.basis @ np.broadcast_to(intercept, self.basis.shape[1])


def reduce_tasks(Y, *, sample_weight=None, fit_intercept=True):
    """At most n combinations of T targets that are to a fit of the squared loss what all of them are.

    With one X for all tasks, the squared loss and a penalty of W W' only (rows by their 2-norm, a ridge, the trace
    norm and what is made of them), W = W_few Q' for the thin QR decomposition Y' = Q R of the centred targets: a fit to
    R' has the same objective and the same optimum. Estimators of this package that can do so reduce by themselves; this
    is for those who keep the few targets, or hand them to something else.

    Parameters
    ----------
    Y : array-like of shape (n, T)
        Without missing entries.
    sample_weight : array-like of shape (n,), default=None
        The same for all tasks.
    fit_intercept : bool, default=True
        Whether the fit has intercepts, so that targets are to be centred.

    Returns
    -------
    ReducedTasks

    Raises
    ------
    ValueError
        For targets that are missing, or weights of single targets: tasks are then not exchangeable.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import BlockSparseRegressor, reduce_tasks
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(20, 4))
    >>> Y = X[:, :2] @ rng.normal(size=(2, 300)) + 1.0
    >>> reduced = reduce_tasks(Y)
    >>> few = BlockSparseRegressor(alpha=0.1, tol=1e-8).fit(X, reduced.Y)
    >>> coef, intercept = reduced.restore(few.coef_, few.intercept_)
    >>> print(np.allclose(coef, BlockSparseRegressor(alpha=0.1, tol=1e-8).fit(X, Y).coef_, atol=1e-4))
    True
    """
    Y = check_array(Y, dtype=np.float64, ensure_all_finite="allow-nan", input_name="Y")
    if np.isnan(Y).any():
        raise ValueError(
            f"Y has {int(np.isnan(Y).sum()):,} missing targets: combinations of tasks need all of them. Fit the tasks "
            "as they are; estimators take NaN in y."
        )
    weight = read_sample_weight(sample_weight, Y, Y)
    if weight is not None and weight.ndim == 2:
        raise ValueError(
            "sample_weight must have shape (n,), the same for all tasks, got weights of single targets: combinations "
            "of tasks have none. Fit the tasks as they are."
        )
    tasks = Tasks.shared(np.zeros((len(Y), 1)), Y, weight)
    rotated = rotate_tasks(tasks, fit_intercept, least=0)
    mean = tasks.y.reshape(Y.shape[::-1]) @ tasks.common_weight[0] if fit_intercept else np.zeros(Y.shape[1])
    return ReducedTasks(rotated.tasks.y.reshape(-1, len(Y)).T, rotated.Y @ rotated.B, mean)


@dataclass(frozen=True, eq=False)
class Rotated:
    """Tasks whose targets are combinations of those of others: Y_few = Y Q, Q (T, k) orthonormal, which is Y' B.

    Attributes
    ----------
    tasks : Tasks
    Y : (T, n) targets of all tasks, centred and times the roots of the weights
    B : (n, k)
    """

    tasks: Tasks
    Y: np.ndarray
    B: np.ndarray

    def back(self, W):
        """(d, T) W Q' for W (d, k)."""
        return (self.Y @ (W @ self.B.T).T).T

    def onto(self, W):
        """(d, k) W Q for W (d, T)."""
        return W @ self.Y @ self.B


def rotate_tasks(tasks, centred, least=None):
    """``Rotated`` tasks, at most as many as there are rows, whose targets are orthonormal combinations of those of
    all; None where there are not many more tasks than rows (``least`` times as many), or their weights differ.

    The targets are centred where there are intercepts.
    """
    n, T = tasks.n_rows, tasks.n_tasks
    if T < (MANY if least is None else least) * n or tasks.common_weight is None:
        return None
    s, scale = tasks.common_weight
    if np.ptp(scale) > 1e-15 * scale[0]:
        return None
    Y, root = tasks.y.reshape(T, n), np.sqrt(s)
    for _ in range(2 * centred):
        # (Twice: the mean of large numbers is only as exact as they are.)
        Y = Y - (Y @ s)[:, None]
    Y = Y * root
    size, V = _right_singular(Y, root[None] if centred else np.zeros((0, n)))
    rank = max(1, int(np.sum(size > np.finfo(float).eps * T * size[0])))
    targets = V[:rank].T * size[:rank]  # (n, rank)
    targets = np.divide(targets, root[:, None], out=np.zeros_like(targets), where=root[:, None] > 0)
    few = _even(tasks.X, targets.T, np.tile(s * scale[0], (rank, 1)))
    inverse = np.divide(1.0, size[:rank], out=np.zeros(rank), where=size[:rank] > 0)
    return Rotated(few, Y, V[:rank].T * inverse)


def thin_rows(tasks, V, centred):
    """Tasks without intercepts on d + 1 rows that are to the squared loss what these are; None where those would not
    be much fewer.

    With Q R the QR decomposition of the features, centred where there are intercepts and times the roots of the
    weights, the loss is that of R and Q' Y, and of what Q leaves of the targets: one row on which all features are 0.

    Parameters
    ----------
    tasks : Tasks
        With one dense X, and weights that are the same for all of them but for a factor.
    V : ndarray of shape (T, n)
        Minus their targets, centred where there are intercepts, and 0 where there is no weight.
    centred : bool
        Whether there are intercepts.
    """
    X, (n, d) = tasks.X, tasks.X.shape
    if n < THIN * (d + 1) or tasks.n_tasks < d or X.nbytes > LARGE:
        return None
    s, scale = tasks.common_weight
    root = np.sqrt(s)[:, None]
    for _ in range(2 * centred):
        # (Twice: the mean of large numbers is only as exact as they are.)
        X = X - s @ X
    Q, R = np.linalg.qr(root * X)
    if centred:
        R[:, tasks.constant_features] = 0.0
    own = V @ (-root * Q)
    left = np.einsum("tn,n,tn->t", V, s, V) - np.einsum("tk,tk->t", own, own)
    targets = np.column_stack([own, np.sqrt(np.maximum(left, 0.0))])
    return _even(np.asfortranarray(np.vstack([R, np.zeros(d)])), targets, np.repeat(scale[:, None], d + 1, axis=1))


def _even(X, Y, weight):
    """Tasks that all read X, with targets Y (T, n) and weights (T, n)."""
    T, n = Y.shape
    ptr = np.arange(T + 1, dtype=np.int64) * n
    return Tasks(X, Y.ravel(), ptr, np.zeros(T, dtype=np.int64), weight.ravel())


def _right_singular(Y, null):
    """(singular values, largest first; right singular vectors as rows) of Y (T, n) with many rows, Y null' = 0.

    From the products of its columns where none of those values, but those of ``null``, is so small that squaring
    costs digits of it that count; else from a QR decomposition, which takes several times as long.
    """
    values, vectors = np.linalg.eigh(Y.T @ Y)
    if values[-1] > 0 and np.all(values[len(null) :] > SQUARED * values[-1]):
        size = np.sqrt(np.maximum(values[::-1], 0.0))
        size[len(size) - len(null) :] = 0.0
        return size, vectors[:, ::-1].T
    return np.linalg.svd(np.linalg.qr(Y, mode="r"))[1:]
