"""Few features for all tasks."""

from numbers import Real

from .._input import read_list
from ..penalties import RowNorm
from ._classifier import MultiTaskClassifierBase
from ._cv import CrossValidated
from ._docs import documented
from ._regressor import IncrementalRegressorBase, MultiTaskRegressorBase


class _BlockSparse:
    """minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + alpha l1_ratio sum_j norm_q(W_j.)
    + alpha (1 - l1_ratio) / 2 norm_F(W)^2.

    {summary}

    Parameters
    ----------
    alpha : float, or array-like of shape (T,), default=0.1
        Strength of the penalty. With q = 1, or where all is ridge, every task may have its own, in the order of
        ``tasks_``; with other norms weight the tasks, by ``task_weight``.
    q : float in [1, inf], default=2
        The norm of a feature's coefficients across the tasks.
    l1_ratio : float in [0, 1], default=1.0
        The rest is ridge, as in ``MultiTaskElasticNet``.
    {common}

    Attributes
    ----------
    {fitted}

    References
    ----------
    Obozinski, Taskar, Jordan (2010), Statistics and Computing; Negahban, Wainwright (2008), NIPS.

    Examples
    --------
    {start}
    >>> model = {name}(alpha=0.2).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> print(np.flatnonzero(model.coef_.any(axis=0)))  # the features in use
    [0 1]
    """

    _selects = True
    _choices = {"positive": False, "feature_groups": None}
    _parameters = {"alpha": 0.1, "q": 2, "l1_ratio": 1.0}

    def _penalty(self):
        return RowNorm(self.alpha, self.q, self.l1_ratio, positive=self.positive, feature_groups=self.feature_groups)


@documented
class BlockSparseRegressor(_BlockSparse, IncrementalRegressorBase):
    """Few features for all tasks. Regression; with y (n, T) and the squared loss this is
    ``sklearn.linear_model.MultiTaskLasso`` and ``MultiTaskElasticNet``: same alpha, same coefficients."""


@documented
class BlockSparseClassifier(_BlockSparse, MultiTaskClassifierBase):
    """Few features for all tasks. Classification."""


class _BlockSparseCV(CrossValidated):
    """``BlockSparse`` with the strength chosen by cross-validation:

    minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + alpha l1_ratio sum_j norm_q(W_j.)
    + alpha (1 - l1_ratio) / 2 norm_F(W)^2.

    {summary}

    Parameters
    ----------
    l1_ratio : float in [0, 1] or list of them, default=1.0
        The rest is ridge, as in ``MultiTaskElasticNet``; the best of a list is taken.
    q : float in [1, inf], default=2
        The norm of a feature's coefficients across the tasks.
    {common}
    {search}

    Attributes
    ----------
    alpha_, l1_ratio_ : float
        What was chosen.
    {searched}
    {fitted}

    References
    ----------
    Obozinski, Taskar, Jordan (2010), Statistics and Computing.

    Examples
    --------
    {start}
    >>> model = {name}(l1_ratio=[0.5, 1.0], alphas=3, eps=0.1, cv=2).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> model.l1_ratio_ in (0.5, 1.0)
    True
    """

    _replaced = ("alpha", "l1_ratio")
    _searched = {"l1_ratio": 1.0}

    def _settings(self, n_features, n_tasks):
        given = [self.l1_ratio] if isinstance(self.l1_ratio, Real) else self.l1_ratio
        ratios = read_list(given, "l1_ratio", "a number in [0, 1] or a list of them", 0, 1)
        return [{"alpha": 1.0, "l1_ratio": ratio} for ratio in ratios]


@documented
class BlockSparseRegressorCV(_BlockSparseCV, MultiTaskRegressorBase):
    """Few features for all tasks. Regression. With y (n, T) and the squared loss this is
    ``sklearn.linear_model.MultiTaskLassoCV`` and ``MultiTaskElasticNetCV``."""

    _single = BlockSparseRegressor


@documented
class BlockSparseClassifierCV(_BlockSparseCV, MultiTaskClassifierBase):
    """Few features for all tasks. Classification."""

    _single = BlockSparseClassifier
