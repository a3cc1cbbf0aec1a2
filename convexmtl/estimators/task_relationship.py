"""Relationships of the tasks, learned as their covariance."""

from numbers import Integral

import numpy as np

from .._input import read_list
from ..penalties import SquaredTraceNorm
from ._classifier import MultiTaskClassifierBase
from ._cv import CrossValidated
from ._docs import documented
from ._regressor import IncrementalRegressorBase, MultiTaskRegressorBase


class _TaskRelationship:
    """minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + Omega(W),
    Omega(W) = (alpha/2) min over Sigma >= 0, tr Sigma = 1 of tr(W Sigma^-1 W') + (alpha_ridge/2) norm_F(W)^2.

    {summary}

    Parameters
    ----------
    alpha : float, default=0.1
        Strength of the penalty.
    alpha_ridge : float, default=0.0
        Strength of the ridge.
    {common}

    Attributes
    ----------
    {fitted}
    task_covariance_ : ndarray of shape (T, T)
        Sigma, which is (W'W)^(1/2) over its trace.
    task_correlation_ : ndarray of shape (T, T)
        The same, scaled to ones on the diagonal: what tasks have in common, and what they have in opposite signs.

    References
    ----------
    Zhang, Yeung (2010), UAI; Argyriou, Evgeniou, Pontil (2008), Machine Learning.

    Examples
    --------
    {start}
    >>> model = {name}(alpha=0.1).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> print(round(np.trace(model.task_covariance_), 6))
    1.0
    """

    _parameters = {"alpha": 0.1, "alpha_ridge": 0.0}

    def _penalty(self):
        return SquaredTraceNorm(self.alpha, self.alpha_ridge)


@documented
class TaskRelationshipRegressor(_TaskRelationship, IncrementalRegressorBase):
    """Relationships of the tasks, learned as their covariance. Regression."""


@documented
class TaskRelationshipClassifier(_TaskRelationship, MultiTaskClassifierBase):
    """Relationships of the tasks, learned as their covariance. Classification."""


class _TaskRelationshipCV(CrossValidated):
    """``TaskRelationship`` with both strengths chosen by cross-validation:

    minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + Omega(W),
    Omega(W) = (alpha/2) min over Sigma >= 0, tr Sigma = 1 of tr(W Sigma^-1 W') + (alpha_ridge/2) norm_F(W)^2.

    {summary}

    Parameters
    ----------
    ratios : int or list of float >= 0, default=2
        Values of alpha_ridge / alpha, with a path for each; or how many, evenly spaced from 0 to 1.
    {common}
    {search}

    Attributes
    ----------
    alpha_, alpha_ridge_ : float
        What was chosen; `alphas_` are values of alpha.
    {searched}
    {fitted}
    task_covariance_ : ndarray of shape (T, T)
        Sigma, which is (W'W)^(1/2) over its trace.
    task_correlation_ : ndarray of shape (T, T)
        The same, scaled to ones on the diagonal: what tasks have in common, and what they have in opposite signs.

    References
    ----------
    Zhang, Yeung (2010), UAI; Argyriou, Evgeniou, Pontil (2008), Machine Learning.

    Examples
    --------
    {start}
    >>> model = {name}(alphas=3, eps=0.1, cv=2).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> model.task_covariance_.shape
    (4, 4)
    """

    _replaced = ("alpha", "alpha_ridge")
    _searched = {"ratios": 2}

    def _settings(self, n_features, n_tasks):
        how_many = isinstance(self.ratios, Integral) and self.ratios > 0
        given = np.linspace(0, 1, self.ratios) if how_many else self.ratios
        ratios = read_list(given, "ratios", "a positive number of ratios or a list of numbers >= 0", low=0)
        return [{"alpha": 1.0, "alpha_ridge": ratio} for ratio in ratios]


@documented
class TaskRelationshipRegressorCV(_TaskRelationshipCV, MultiTaskRegressorBase):
    """Relationships of the tasks, learned as their covariance. Regression."""

    _single = TaskRelationshipRegressor


@documented
class TaskRelationshipClassifierCV(_TaskRelationshipCV, MultiTaskClassifierBase):
    """Relationships of the tasks, learned as their covariance. Classification."""

    _single = TaskRelationshipClassifier
