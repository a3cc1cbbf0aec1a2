"""Features that the tasks share, learned as combinations of the given ones."""

from ..penalties import SharedFeature
from ._classifier import MultiTaskClassifierBase
from ._cv import CrossValidated
from ._docs import documented
from ._regressor import IncrementalRegressorBase, MultiTaskRegressorBase


class _SharedFeature:
    """minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + Omega(W),
    Omega(W) = (alpha/2) min over D >= 0 (d x d), tr D = 1 of tr(W' D^-1 W).

    {summary}

    Parameters
    ----------
    alpha : float, default=0.1
        Strength of the penalty.
    {common}

    Attributes
    ----------
    {fitted}
    feature_covariance_ : ndarray of shape (d, d)
        D, which is (W W')^(1/2) over its trace.

    References
    ----------
    Argyriou, Evgeniou, Pontil (2008), Machine Learning.

    Examples
    --------
    {start}
    >>> model = {name}(alpha=0.1).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> print(round(np.trace(model.feature_covariance_), 6))
    1.0
    """

    _parameters = {"alpha": 0.1}

    def _penalty(self):
        return SharedFeature(self.alpha)


@documented
class SharedFeatureRegressor(_SharedFeature, IncrementalRegressorBase):
    """Features that the tasks share, learned as combinations of the given ones. Regression."""


@documented
class SharedFeatureClassifier(_SharedFeature, MultiTaskClassifierBase):
    """Features that the tasks share, learned as combinations of the given ones. Classification."""


class _SharedFeatureCV(CrossValidated):
    """``SharedFeature`` with the strength chosen by cross-validation:

    minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + Omega(W),
    Omega(W) = (alpha/2) min over D >= 0 (d x d), tr D = 1 of tr(W' D^-1 W).

    {summary}

    Parameters
    ----------
    {common}
    {search}

    Attributes
    ----------
    alpha_ : float
        What was chosen.
    {searched}
    {fitted}
    feature_covariance_ : ndarray of shape (d, d)
        D, which is (W W')^(1/2) over its trace.

    References
    ----------
    Argyriou, Evgeniou, Pontil (2008), Machine Learning.

    Examples
    --------
    {start}
    >>> model = {name}(alphas=3, eps=0.1, cv=2).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> model.feature_covariance_.shape
    (6, 6)
    """


@documented
class SharedFeatureRegressorCV(_SharedFeatureCV, MultiTaskRegressorBase):
    """Features that the tasks share, learned as combinations of the given ones. Regression."""

    _single = SharedFeatureRegressor


@documented
class SharedFeatureClassifierCV(_SharedFeatureCV, MultiTaskClassifierBase):
    """Features that the tasks share, learned as combinations of the given ones. Classification."""

    _single = SharedFeatureClassifier
