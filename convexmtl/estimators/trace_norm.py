"""A low-dimensional subspace for all tasks."""

from ..penalties import TraceNorm
from ._classifier import MultiTaskClassifierBase
from ._cv import CrossValidated
from ._docs import documented
from ._regressor import IncrementalRegressorBase, MultiTaskRegressorBase


class _TraceNorm:
    """minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + alpha norm_*(W),
    norm_*(W) the sum of the singular values.

    {summary}

    Parameters
    ----------
    alpha : float, default=0.1
        Strength of the penalty.
    {common}

    Attributes
    ----------
    {fitted}
    rank_ : int
        Rank of `coef_`.

    References
    ----------
    Abernethy, Bach, Evgeniou, Vert (2009), JMLR; Pong, Tseng, Ji, Ye (2010), SIAM J. Optimization.

    Examples
    --------
    {start}
    >>> model = {name}(alpha=0.2).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> print(model.rank_ < 4)
    True
    """

    _parameters = {"alpha": 0.1}

    def _penalty(self):
        return TraceNorm(self.alpha)


@documented
class TraceNormRegressor(_TraceNorm, IncrementalRegressorBase):
    """A low-dimensional subspace for all tasks. Regression."""


@documented
class TraceNormClassifier(_TraceNorm, MultiTaskClassifierBase):
    """A low-dimensional subspace for all tasks. Classification."""


class _TraceNormCV(CrossValidated):
    """``TraceNorm`` with the strength chosen by cross-validation:

    minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + alpha norm_*(W).

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
    rank_ : int
        Rank of `coef_`.

    Examples
    --------
    {start}
    >>> model = {name}(alphas=3, eps=0.1, cv=2).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> model.rank_ <= 4
    True
    """


@documented
class TraceNormRegressorCV(_TraceNormCV, MultiTaskRegressorBase):
    """A low-dimensional subspace for all tasks. Regression."""

    _single = TraceNormRegressor


@documented
class TraceNormClassifierCV(_TraceNormCV, MultiTaskClassifierBase):
    """A low-dimensional subspace for all tasks. Classification."""

    _single = TraceNormClassifier
