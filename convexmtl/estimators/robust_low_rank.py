"""A low-dimensional subspace for all tasks but outliers."""

import numpy as np

from ..penalties import RobustLowRank
from ._classifier import MultiTaskClassifierBase
from ._cv import CrossValidated, spaced
from ._docs import documented
from ._regressor import IncrementalRegressorBase, MultiTaskRegressorBase


class _RobustLowRank:
    """minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + Omega(W),
    Omega(W) = min over L + S = W of alpha_low_rank norm_*(L) + alpha_outlier sum_t norm_2(s_t).

    {summary}

    Parameters
    ----------
    alpha_low_rank : float, default=0.1
        Strength on the shared part L.
    alpha_outlier : float, default=0.1
        Strength on the outlier part S. Both parts are of use where
        1 < alpha_low_rank / alpha_outlier < T^(1/2).
    {common}

    Attributes
    ----------
    {fitted}
    low_rank_ : ndarray of shape (T, d)
        L transposed.
    outlier_ : ndarray of shape (T, d)
        S transposed; `coef_` is the sum of both.
    outlier_tasks_ : ndarray of shape (n_outliers,)
        Labels of the tasks that have an outlier part.

    References
    ----------
    Chen, Zhou, Ye (2011), KDD.

    Examples
    --------
    {start}
    >>> model = {name}(alpha_low_rank=0.2, alpha_outlier=0.15).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> print(np.allclose(model.low_rank_ + model.outlier_, model.coef_))
    True
    """

    _parameters = {"alpha_low_rank": 0.1, "alpha_outlier": 0.1}

    def _penalty(self):
        return RobustLowRank(self.alpha_low_rank, self.alpha_outlier)


@documented
class RobustLowRankRegressor(_RobustLowRank, IncrementalRegressorBase):
    """A low-dimensional subspace for all tasks but outliers. Regression."""


@documented
class RobustLowRankClassifier(_RobustLowRank, MultiTaskClassifierBase):
    """A low-dimensional subspace for all tasks but outliers. Classification."""


class _RobustLowRankCV(CrossValidated):
    """``RobustLowRank`` with both strengths chosen by cross-validation:

    minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + Omega(W),
    Omega(W) = min over L + S = W of alpha_low_rank norm_*(L) + alpha_outlier sum_t norm_2(s_t).

    {summary}

    Parameters
    ----------
    ratios : int or array-like, default=5
        Values of alpha_low_rank / alpha_outlier, with a path for each; or how many, evenly spaced in logarithm over the
        range in which neither part is zero for certain.
    {common}
    {search}

    Attributes
    ----------
    alpha_low_rank_, alpha_outlier_ : float
        What was chosen; `alphas_` are values of alpha_low_rank.
    {searched}
    {fitted}
    low_rank_ : ndarray of shape (T, d)
        L transposed.
    outlier_ : ndarray of shape (T, d)
        S transposed; `coef_` is the sum of both.
    outlier_tasks_ : ndarray of shape (n_outliers,)
        Labels of the tasks that have an outlier part.

    References
    ----------
    Chen, Zhou, Ye (2011), KDD.

    Examples
    --------
    {start}
    >>> model = {name}(ratios=[1.2, 1.6], alphas=3, eps=0.1, cv=2).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> print(round(model.alpha_low_rank_ / model.alpha_outlier_, 6) in (1.2, 1.6))
    True
    """

    _replaced = ("alpha_low_rank", "alpha_outlier")
    _searched = {"ratios": 5}

    def _settings(self, n_features, n_tasks):
        ratios = spaced(self.ratios, 1, np.sqrt(n_tasks))
        return [{"alpha_low_rank": 1.0, "alpha_outlier": 1 / ratio} for ratio in ratios]


@documented
class RobustLowRankRegressorCV(_RobustLowRankCV, MultiTaskRegressorBase):
    """A low-dimensional subspace for all tasks but outliers. Regression."""

    _single = RobustLowRankRegressor


@documented
class RobustLowRankClassifierCV(_RobustLowRankCV, MultiTaskClassifierBase):
    """A low-dimensional subspace for all tasks but outliers. Classification."""

    _single = RobustLowRankClassifier
