"""Any penalty, any loss."""

from sklearn.utils.validation import check_is_fitted

from ..penalties import Penalty, RowNorm
from ._classifier import MultiTaskClassifierBase
from ._cv import CrossValidated
from ._docs import documented
from ._regressor import IncrementalRegressorBase, MultiTaskRegressorBase


class _MultiTask:
    """minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + Omega(W)
    for any penalty object.

    {summary}

    Parameters
    ----------
    penalty : Penalty, default=None
        One of ``convexmtl.penalties``, a sum of any of them, or one of your own; None is
        ``RowNorm(alpha=0.1)``. Its parameters are searchable as ``penalty__alpha``.
    {common}

    Attributes
    ----------
    {fitted}
    rank_, block_, ... :
        What the penalty reports, each part of ``Parts`` by its name.

    References
    ----------
    Evgeniou, Pontil (2004), KDD, for the setting; each penalty names its own source.

    Examples
    --------
    {start}
    >>> from convexmtl import TraceNorm
    >>> model = {name}(TraceNorm(alpha=0.2)).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> print(model.rank_ < 4)
    True
    """

    _selects = True
    _parameters = {"penalty": None}
    _structure = ("penalty",)
    penalty = None  # a parameter here, not what it says of features

    def _penalty(self):
        return _checked(self.penalty)


@documented
class MultiTaskRegressor(_MultiTask, IncrementalRegressorBase):
    """Any penalty, any loss. Regression."""


@documented
class MultiTaskClassifier(_MultiTask, MultiTaskClassifierBase):
    """Any penalty, any loss. Classification."""


class OfPenaltyCV(CrossValidated):
    """The search for the strength of a penalty object."""

    _replaced = ()
    penalty = None  # a parameter here, not what it says of features

    def _settings(self, n_features, n_tasks):
        return [{}]

    @property
    def penalty_(self):
        check_is_fitted(self)
        return self._found


class _MultiTaskCV(OfPenaltyCV):
    """``MultiTask`` with the strength of its penalty chosen by cross-validation:

    minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + s Omega(W)
    for any penalty object and the best multiple s of it; the ratios of its strengths are kept.

    {summary}

    Parameters
    ----------
    penalty : Penalty, default=None
        As in ``MultiTaskRegressor``.
    {common}
    {search}

    Attributes
    ----------
    penalty_ : Penalty
        With the strengths that were chosen; `alphas_` are values of its first positive one.
    alpha_, ... : float
        The strengths by name; those of a sum are `first__alpha_`, `second__alpha_` and so on.
    {searched}
    {fitted}

    Examples
    --------
    {start}
    >>> from convexmtl import TraceNorm
    >>> model = {name}(TraceNorm(), alphas=3, eps=0.1, cv=2).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> model.penalty_.alpha == model.alpha_
    True
    """


@documented
class MultiTaskRegressorCV(_MultiTaskCV, MultiTaskRegressorBase):
    """Any penalty, any loss. Regression."""

    _single = MultiTaskRegressor


@documented
class MultiTaskClassifierCV(_MultiTaskCV, MultiTaskClassifierBase):
    """Any penalty, any loss. Classification."""

    _single = MultiTaskClassifier


def _checked(penalty):
    if penalty is None:
        return RowNorm(alpha=0.1)
    if not isinstance(penalty, Penalty):
        raise ValueError(f"penalty must be a Penalty object such as RowNorm(alpha=0.1), got {penalty!r}.")
    return penalty
