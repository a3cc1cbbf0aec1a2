"""Many targets of few rows as few combinations of them."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import check_array

from ._input import read_sample_weight
from .tasks import Tasks


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
    rotated = tasks.rotate_tasks(fit_intercept, least=0)
    mean = tasks.y.reshape(Y.shape[::-1]) @ tasks.common_weight[0] if fit_intercept else np.zeros(Y.shape[1])
    return ReducedTasks(rotated.tasks.y.reshape(-1, len(Y)).T, rotated.Y @ rotated.B, mean)
