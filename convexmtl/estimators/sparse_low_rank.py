"""A low-dimensional subspace, and single coefficients beside it."""

import numpy as np

from ..penalties import SparseLowRank
from ._classifier import MultiTaskClassifierBase
from ._cv import CrossValidated, spaced
from ._docs import documented
from ._regressor import IncrementalRegressorBase, MultiTaskRegressorBase


class _SparseLowRank:
    """minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + Omega(W),
    Omega(W) = min over S + L = W of alpha_sparse norm_1(S) + alpha_low_rank norm_*(L).

    {summary}

    Parameters
    ----------
    alpha_sparse : float, default=0.05
        Strength on the sparse part S.
    alpha_low_rank : float, default=0.1
        Strength on the low-rank part L. Both parts are of use where
        (d T)^(-1/2) < alpha_sparse / alpha_low_rank < 1.
    {common}

    Attributes
    ----------
    {fitted}
    sparse_, low_rank_ : ndarray of shape (T, d)
        S and L transposed; `coef_` is their sum.

    References
    ----------
    Chen, Liu, Ye (2010), KDD.

    Examples
    --------
    {start}
    >>> model = {name}(alpha_sparse=0.05, alpha_low_rank=0.1).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> print(np.allclose(model.sparse_ + model.low_rank_, model.coef_))
    True
    """

    _parameters = {"alpha_sparse": 0.05, "alpha_low_rank": 0.1}

    def _penalty(self):
        return SparseLowRank(self.alpha_sparse, self.alpha_low_rank)


@documented
class SparseLowRankRegressor(_SparseLowRank, IncrementalRegressorBase):
    """A low-dimensional subspace, and single coefficients beside it. Regression."""


@documented
class SparseLowRankClassifier(_SparseLowRank, MultiTaskClassifierBase):
    """A low-dimensional subspace, and single coefficients beside it. Classification."""


class _SparseLowRankCV(CrossValidated):
    """``SparseLowRank`` with both strengths chosen by cross-validation:

    minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + Omega(W),
    Omega(W) = min over S + L = W of alpha_sparse norm_1(S) + alpha_low_rank norm_*(L).

    {summary}

    Parameters
    ----------
    ratios : int or array-like, default=5
        Values of alpha_sparse / alpha_low_rank, with a path for each; or how many, evenly spaced in logarithm over the
        range in which neither part is zero for certain.
    {common}
    {search}

    Attributes
    ----------
    alpha_sparse_, alpha_low_rank_ : float
        What was chosen; `alphas_` are values of alpha_sparse.
    {searched}
    {fitted}
    sparse_, low_rank_ : ndarray of shape (T, d)
        S and L transposed; `coef_` is their sum.

    References
    ----------
    Chen, Liu, Ye (2010), KDD.

    Examples
    --------
    {start}
    >>> model = {name}(ratios=[0.3, 0.6], alphas=3, eps=0.1, cv=2).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> print(round(model.alpha_sparse_ / model.alpha_low_rank_, 6) in (0.3, 0.6))
    True
    """

    _replaced = ("alpha_sparse", "alpha_low_rank")
    _searched = {"ratios": 5}

    def _settings(self, n_features, n_tasks):
        ratios = spaced(self.ratios, 1 / np.sqrt(n_features * n_tasks), 1)
        return [{"alpha_sparse": 1.0, "alpha_low_rank": 1 / ratio} for ratio in ratios]


@documented
class SparseLowRankRegressorCV(_SparseLowRankCV, MultiTaskRegressorBase):
    """A low-dimensional subspace, and single coefficients beside it. Regression."""

    _single = SparseLowRankRegressor


@documented
class SparseLowRankClassifierCV(_SparseLowRankCV, MultiTaskClassifierBase):
    """A low-dimensional subspace, and single coefficients beside it. Classification."""

    _single = SparseLowRankClassifier
