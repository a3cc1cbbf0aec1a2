"""Some features for all tasks, some for single ones: the dirty model."""

import numpy as np

from ..penalties import DirtyNorm
from ._classifier import MultiTaskClassifierBase
from ._cv import CrossValidated, spaced
from ._docs import documented
from ._regressor import IncrementalRegressorBase, MultiTaskRegressorBase


class _Dirty:
    """minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + Omega(W),
    Omega(W) = min over B + S = W of alpha_block sum_j norm_q(B_j.) + alpha_sparse norm_1(S).

    {summary}

    Parameters
    ----------
    alpha_block : float, default=0.1
        Strength on the shared part B.
    alpha_sparse : float, default=0.05
        Strength on the private part S; both parts are of use where 1 < alpha_block / alpha_sparse < T.
    q : {2, inf}, default=inf
        The norm of a feature's shared coefficients across the tasks.
    {common}

    Attributes
    ----------
    {fitted}
    block_, sparse_ : ndarray of shape (T, d)
        B and S transposed; their sum is `coef_`.

    References
    ----------
    Jalali, Ravikumar, Sanghavi, Ruan (2010), NIPS.

    Examples
    --------
    {start}
    >>> model = {name}(alpha_block=0.2, alpha_sparse=0.1).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> print(np.allclose(model.block_ + model.sparse_, model.coef_))
    True
    """

    _selects = True
    _choices = {"positive": False}
    _parameters = {"alpha_block": 0.1, "alpha_sparse": 0.05, "q": np.inf}

    def _penalty(self):
        return DirtyNorm(self.alpha_block, self.alpha_sparse, self.q, self.positive)


@documented
class DirtyRegressor(_Dirty, IncrementalRegressorBase):
    """Some features for all tasks, some for single ones (the dirty model). Regression."""


@documented
class DirtyClassifier(_Dirty, MultiTaskClassifierBase):
    """Some features for all tasks, some for single ones (the dirty model). Classification."""


class _DirtyCV(CrossValidated):
    """``Dirty`` with both strengths chosen by cross-validation:

    minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + min over B + S = W of
    alpha_block sum_j norm_q(B_j.) + alpha_sparse norm_1(S).

    {summary}

    Parameters
    ----------
    ratios : int or array-like, default=5
        Values of alpha_block / alpha_sparse, with a path for each; or how many, evenly spaced in logarithm from 1,
        where all is shared, to T (T^(1/2) for q = 2), where nothing is.
    q : {inf, 2}, default=inf
        The norm of a feature's shared coefficients.
    {common}
    {search}

    Attributes
    ----------
    alpha_block_, alpha_sparse_ : float
        What was chosen; `alphas_` are values of alpha_block.
    {searched}
    {fitted}
    block_, sparse_ : ndarray of shape (T, d)
        B and S transposed.

    Examples
    --------
    {start}
    >>> model = {name}(ratios=[1.5, 3.0], alphas=3, eps=0.1, cv=2).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> print(round(model.alpha_block_ / model.alpha_sparse_, 6) in (1.5, 3.0))
    True
    """

    _replaced = ("alpha_block", "alpha_sparse")
    _searched = {"ratios": 5}

    def _settings(self, n_features, n_tasks):
        ratios = spaced(self.ratios, 1, n_tasks if self.q == np.inf else np.sqrt(n_tasks))
        return [{"alpha_block": 1.0, "alpha_sparse": 1.0 / ratio} for ratio in ratios]


@documented
class DirtyRegressorCV(_DirtyCV, MultiTaskRegressorBase):
    """Some features for all tasks, some for single ones. Regression."""

    _single = DirtyRegressor


@documented
class DirtyClassifierCV(_DirtyCV, MultiTaskClassifierBase):
    """Some features for all tasks, some for single ones. Classification."""

    _single = DirtyClassifier
