"""All tasks close to their mean."""

from ..penalties import MeanCoupling
from ._classifier import MultiTaskClassifierBase
from ._cv import CrossValidated, spaced
from ._docs import documented
from ._regressor import IncrementalRegressorBase, MultiTaskRegressorBase


class _MeanRegularized:
    """minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + alpha_mean norm(w_bar)^2
    + (alpha_variance/T) sum_t norm(w_t - w_bar)^2, w_bar the mean of the w_t.

    {summary}

    Parameters
    ----------
    alpha_mean : float, default=0.1
        Strength on the mean model; 0 leaves it free.
    alpha_variance : float, default=1.0
        Strength on what the tasks differ from it; large values give one model for all tasks.
    {common}

    Attributes
    ----------
    {fitted}
    mean_coef_ : ndarray of shape (d,)
        The mean model w_bar.

    References
    ----------
    Evgeniou, Pontil (2004), KDD; Evgeniou, Micchelli, Pontil (2005), JMLR.

    Examples
    --------
    {start}
    >>> model = {name}(alpha_mean=0.1, alpha_variance=1.0).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> print(np.allclose(model.coef_.mean(axis=0), model.mean_coef_))
    True
    """

    _parameters = {"alpha_mean": 0.1, "alpha_variance": 1.0}

    def _penalty(self):
        return MeanCoupling(self.alpha_mean, self.alpha_variance)


@documented
class MeanRegularizedRegressor(_MeanRegularized, IncrementalRegressorBase):
    """All tasks close to their mean. Regression."""


@documented
class MeanRegularizedClassifier(_MeanRegularized, MultiTaskClassifierBase):
    """All tasks close to their mean. Classification."""


class _MeanRegularizedCV(CrossValidated):
    """``MeanRegularized`` with both strengths chosen by cross-validation:

    minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + alpha_mean norm(w_bar)^2
    + (alpha_variance / T) sum_t norm(w_t - w_bar)^2.

    {summary}

    Parameters
    ----------
    ratios : int or array-like, default=5
        Values of alpha_variance / alpha_mean, with a path for each; or how many, evenly spaced in logarithm from 1,
        where every task has a ridge of its own, to 1000, where all have nearly one model.
    {common}
    {search}

    Attributes
    ----------
    alpha_mean_, alpha_variance_ : float
        What was chosen; `alphas_` are values of alpha_mean.
    {searched}
    {fitted}
    mean_coef_ : ndarray of shape (d,)
        w_bar.

    Examples
    --------
    {start}
    >>> model = {name}(ratios=[1.0, 10.0], alphas=3, eps=0.1, cv=2).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> print(round(model.alpha_variance_ / model.alpha_mean_, 6) in (1.0, 10.0))
    True
    """

    _replaced = ("alpha_mean", "alpha_variance")
    _searched = {"ratios": 5}

    def _settings(self, n_features, n_tasks):
        ratios = spaced(self.ratios, 1, 1000 if n_tasks > 1 else 1)
        return [{"alpha_mean": 1.0, "alpha_variance": ratio} for ratio in ratios]


@documented
class MeanRegularizedRegressorCV(_MeanRegularizedCV, MultiTaskRegressorBase):
    """All tasks close to their mean. Regression."""

    _single = MeanRegularizedRegressor


@documented
class MeanRegularizedClassifierCV(_MeanRegularizedCV, MultiTaskClassifierBase):
    """All tasks close to their mean. Classification."""

    _single = MeanRegularizedClassifier
