"""Few features for all tasks, and of those few for each."""

from numbers import Real

from .._input import read_list
from ..penalties import SparseGroup
from ._classifier import MultiTaskClassifierBase
from ._cv import CrossValidated
from ._docs import documented
from ._regressor import IncrementalRegressorBase, MultiTaskRegressorBase


class _SparseGroup:
    """minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + Omega(W),
    Omega(W) = alpha [(1 - l1_ratio) sum_j norm_2(W_j.) + l1_ratio norm_1(W)].

    {summary}

    Parameters
    ----------
    alpha : float, default=0.1
        Strength of the penalty.
    l1_ratio : float in [0, 1], default=0.5
        Share of the l1 norm: 0 is the group lasso, 1 the lasso.
    {common}

    Attributes
    ----------
    {fitted}

    References
    ----------
    Simon, Friedman, Hastie, Tibshirani (2013), Journal of Computational and Graphical Statistics.

    Examples
    --------
    {start}
    >>> model = {name}(alpha=0.2, l1_ratio=0.5).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> print(np.flatnonzero(model.coef_.any(axis=0)))  # the features in use
    [0 1]
    """

    _selects = True
    _choices = {"positive": False, "feature_groups": None}
    _parameters = {"alpha": 0.1, "l1_ratio": 0.5}

    def _penalty(self):
        return SparseGroup(self.alpha, self.l1_ratio, self.positive, self.feature_groups)


@documented
class SparseGroupRegressor(_SparseGroup, IncrementalRegressorBase):
    """Few features for all tasks, and of those few for each. Regression."""


@documented
class SparseGroupClassifier(_SparseGroup, MultiTaskClassifierBase):
    """Few features for all tasks, and of those few for each. Classification."""


class _SparseGroupCV(CrossValidated):
    """``SparseGroup`` with the strength chosen by cross-validation:

    minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + Omega(W),
    Omega(W) = alpha [(1 - l1_ratio) sum_j norm_2(W_j.) + l1_ratio norm_1(W)].

    {summary}

    Parameters
    ----------
    l1_ratio : float in [0, 1] or list of them, default=0.5
        Share of the l1 norm; the best of a list is taken.
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
    Simon, Friedman, Hastie, Tibshirani (2013), Journal of Computational and Graphical Statistics.

    Examples
    --------
    {start}
    >>> model = {name}(l1_ratio=[0.2, 0.8], alphas=3, eps=0.1, cv=2).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> model.l1_ratio_ in (0.2, 0.8)
    True
    """

    _replaced = ("alpha", "l1_ratio")
    _searched = {"l1_ratio": 0.5}

    def _settings(self, n_features, n_tasks):
        given = [self.l1_ratio] if isinstance(self.l1_ratio, Real) else self.l1_ratio
        ratios = read_list(given, "l1_ratio", "a number in [0, 1] or a list of them", 0, 1)
        return [{"alpha": 1.0, "l1_ratio": ratio} for ratio in ratios]


@documented
class SparseGroupRegressorCV(_SparseGroupCV, MultiTaskRegressorBase):
    """Few features for all tasks, and of those few for each. Regression."""

    _single = SparseGroupRegressor


@documented
class SparseGroupClassifierCV(_SparseGroupCV, MultiTaskClassifierBase):
    """Few features for all tasks, and of those few for each. Classification."""

    _single = SparseGroupClassifier
