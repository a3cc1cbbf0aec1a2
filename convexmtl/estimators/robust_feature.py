"""Few features for all tasks but outliers."""

import numpy as np

from ..penalties import RobustFeature
from ._classifier import MultiTaskClassifierBase
from ._cv import CrossValidated, spaced
from ._docs import documented
from ._regressor import IncrementalRegressorBase, MultiTaskRegressorBase


class _RobustFeature:
    """minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + Omega(W),
    Omega(W) = min over P + Q = W of alpha_group sum_j norm_2(P_j.) + alpha_outlier sum_t norm_2(q_t).

    {summary}

    Parameters
    ----------
    alpha_group : float, default=0.1
        Strength on the shared part P.
    alpha_outlier : float, default=0.1
        Strength on the outlier part Q. Both parts are of use where
        d^(-1/2) < alpha_group / alpha_outlier < T^(1/2).
    {common}

    Attributes
    ----------
    {fitted}
    shared_ : ndarray of shape (T, d)
        P transposed.
    outlier_ : ndarray of shape (T, d)
        Q transposed; `coef_` is the sum of both.
    outlier_tasks_ : ndarray of shape (n_outliers,)
        Labels of the tasks that have an outlier part.

    References
    ----------
    Gong, Ye, Zhang (2012), KDD.

    Examples
    --------
    {start}
    >>> model = {name}(alpha_group=0.1, alpha_outlier=0.1).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> print(np.allclose(model.shared_ + model.outlier_, model.coef_))
    True
    """

    _parameters = {"alpha_group": 0.1, "alpha_outlier": 0.1}

    def _penalty(self):
        return RobustFeature(self.alpha_group, self.alpha_outlier)


@documented
class RobustFeatureRegressor(_RobustFeature, IncrementalRegressorBase):
    """Few features for all tasks but outliers. Regression."""


@documented
class RobustFeatureClassifier(_RobustFeature, MultiTaskClassifierBase):
    """Few features for all tasks but outliers. Classification."""


class _RobustFeatureCV(CrossValidated):
    """``RobustFeature`` with both strengths chosen by cross-validation:

    minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + Omega(W),
    Omega(W) = min over P + Q = W of alpha_group sum_j norm_2(P_j.) + alpha_outlier sum_t norm_2(q_t).

    {summary}

    Parameters
    ----------
    ratios : int or array-like, default=5
        Values of alpha_group / alpha_outlier, with a path for each; or how many, evenly spaced in logarithm over the
        range in which neither part is zero for certain.
    {common}
    {search}

    Attributes
    ----------
    alpha_group_, alpha_outlier_ : float
        What was chosen; `alphas_` are values of alpha_group.
    {searched}
    {fitted}
    shared_ : ndarray of shape (T, d)
        P transposed.
    outlier_ : ndarray of shape (T, d)
        Q transposed; `coef_` is the sum of both.
    outlier_tasks_ : ndarray of shape (n_outliers,)
        Labels of the tasks that have an outlier part.

    References
    ----------
    Gong, Ye, Zhang (2012), KDD.

    Examples
    --------
    {start}
    >>> model = {name}(ratios=[0.7, 1.5], alphas=3, eps=0.1, cv=2).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> print(round(model.alpha_group_ / model.alpha_outlier_, 6) in (0.7, 1.5))
    True
    """

    _replaced = ("alpha_group", "alpha_outlier")
    _searched = {"ratios": 5}

    def _settings(self, n_features, n_tasks):
        ratios = spaced(self.ratios, 1 / np.sqrt(n_features), np.sqrt(n_tasks))
        return [{"alpha_group": 1.0, "alpha_outlier": 1 / ratio} for ratio in ratios]


@documented
class RobustFeatureRegressorCV(_RobustFeatureCV, MultiTaskRegressorBase):
    """Few features for all tasks but outliers. Regression."""

    _single = RobustFeatureRegressor


@documented
class RobustFeatureClassifierCV(_RobustFeatureCV, MultiTaskClassifierBase):
    """Few features for all tasks but outliers. Classification."""

    _single = RobustFeatureClassifier
