"""Tasks in the order of time."""

from itertools import product

from .._input import read_list
from ..penalties import Temporal
from ._classifier import MultiTaskClassifierBase
from ._cv import CrossValidated
from ._docs import documented
from ._regressor import IncrementalRegressorBase, MultiTaskRegressorBase


class _Temporal:
    """minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + Omega(W),
    Omega(W) = alpha_smooth sum_t norm_1(w_{t+1} - w_t) + alpha_sparse norm_1(W) + alpha_group sum_j norm_2(W_j.)
    + (alpha_ridge/2) norm_F(W)^2.

    {summary}

    Parameters
    ----------
    alpha_smooth : float, default=0.1
        Strength on the differences from one task to the next.
    norm : {"l1", "l2"}, default="l1"
        "l1" makes coefficients constant in time but for jumps, "l2" smooth: alpha_smooth sum_t norm_2(w_{t+1} - w_t)^2.
    alpha_sparse : float, default=0.0
        Strength of the lasso.
    alpha_group : float, default=0.0
        Strength of the group lasso, for features that matter at no time.
    alpha_ridge : float, default=0.0
        Strength of the ridge.
    order : sequence of task labels or positions, default=None
        The tasks in the order of time; by default in that of `tasks_`.
    {common}

    Attributes
    ----------
    {fitted}

    References
    ----------
    Zhou, Yuan, Liu, Ye (2011), KDD; Zhou, Liu, Narayan, Ye (2012), KDD.

    Examples
    --------
    {start}
    >>> model = {name}(alpha_smooth=5.0).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> print(np.allclose(model.coef_, model.coef_[0]))  # so strong that nothing changes in time
    True
    """

    _selects = True
    _choices = {"positive": False}
    _parameters = {
        "alpha_smooth": 0.1,
        "norm": "l1",
        "alpha_sparse": 0.0,
        "alpha_group": 0.0,
        "alpha_ridge": 0.0,
        "order": None,
    }
    _structure = ("order",)

    def _penalty(self):
        return Temporal(
            self.alpha_smooth,
            self.norm,
            self.alpha_sparse,
            self.alpha_group,
            self.alpha_ridge,
            self.order,
            self.positive,
        )


@documented
class TemporalRegressor(_Temporal, IncrementalRegressorBase):
    """Tasks in the order of time change little from one to the next. Regression."""


@documented
class TemporalClassifier(_Temporal, MultiTaskClassifierBase):
    """Tasks in the order of time change little from one to the next. Classification."""


class _TemporalCV(CrossValidated):
    """``Temporal`` with its strengths chosen by cross-validation:

    minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + Omega(W),
    Omega(W) = alpha_smooth sum_t norm_1(w_{t+1} - w_t) + alpha_sparse norm_1(W) + alpha_group sum_j norm_2(W_j.)
    + (alpha_ridge/2) norm_F(W)^2.

    {summary}

    Parameters
    ----------
    norm : {"l1", "l2"}, default="l1"
        "l1" makes coefficients constant in time but for jumps, "l2" smooth: alpha_smooth sum_t norm_2(w_{t+1} - w_t)^2.
    order : sequence of task labels or positions, default=None
        The tasks in the order of time; by default in that of `tasks_`.
    sparse_ratios : list of float >= 0, default=(0.1, 1.0)
        Values of alpha_sparse / alpha_smooth.
    group_ratios : list of float >= 0, default=(0.0, 1.0)
        Values of alpha_group / alpha_smooth.
    ridge_ratios : list of float >= 0, default=(0.0,)
        Values of alpha_ridge / alpha_smooth. There is a path for each combination of the three.
    {common}
    {search}

    Attributes
    ----------
    alpha_smooth_, alpha_sparse_, alpha_group_, alpha_ridge_ : float
        What was chosen; `alphas_` are values of alpha_smooth.
    {searched}
    {fitted}

    References
    ----------
    Zhou, Yuan, Liu, Ye (2011), KDD; Zhou, Liu, Narayan, Ye (2012), KDD.

    Examples
    --------
    {start}
    >>> model = {name}(sparse_ratios=[0.1], alphas=3, eps=0.1, cv=2).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> print(round(model.alpha_sparse_ / model.alpha_smooth_, 6))
    0.1
    """

    _replaced = ("alpha_smooth", "alpha_sparse", "alpha_group", "alpha_ridge")
    _searched = {"sparse_ratios": (0.1, 1.0), "group_ratios": (0.0, 1.0), "ridge_ratios": (0.0,)}

    def _settings(self, n_features, n_tasks):
        ratios = [read_list(getattr(self, name), name, "a list of numbers >= 0", low=0) for name in self._searched]
        return [dict(zip(self._replaced, (1.0, *values), strict=True)) for values in product(*ratios)]


@documented
class TemporalRegressorCV(_TemporalCV, MultiTaskRegressorBase):
    """Tasks in the order of time change little from one to the next. Regression."""

    _single = TemporalRegressor


@documented
class TemporalClassifierCV(_TemporalCV, MultiTaskClassifierBase):
    """Tasks in the order of time change little from one to the next. Classification."""

    _single = TemporalClassifier
