"""Any penalty, any loss."""

from sklearn.utils.validation import check_is_fitted

from ..penalties import Penalty, RowNorm
from ._base import MultiTaskClassifierBase, MultiTaskRegressorBase, documented
from ._cv import CrossValidated


class _MultiTask:
    """minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + Omega(W)
    for any penalty object.

    {summary}

    Parameters
    ----------
    penalty : Penalty, default=None
        One of ``convexmtl.penalties``, a sum of one of them and a coupling, or one of your own; None is
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
    """

    def _penalty(self):
        return _checked(self.penalty)


@documented
class MultiTaskRegressor(_MultiTask, MultiTaskRegressorBase):
    """Any penalty, any loss. Regression."""

    def __init__(
        self,
        penalty=None,
        *,
        loss="squared",
        fit_intercept=True,
        task_weight="equal",
        task_column=None,
        max_iter=10_000,
        tol=1e-4,
        warm_start=False,
        verbose=0,
    ):
        super().__init__(
            loss=loss,
            fit_intercept=fit_intercept,
            task_weight=task_weight,
            task_column=task_column,
            max_iter=max_iter,
            tol=tol,
            warm_start=warm_start,
            verbose=verbose,
        )
        self.penalty = penalty


@documented
class MultiTaskClassifier(_MultiTask, MultiTaskClassifierBase):
    """Any penalty, any loss. Binary classification."""

    def __init__(
        self,
        penalty=None,
        *,
        loss="logistic",
        fit_intercept=True,
        task_weight="equal",
        task_column=None,
        max_iter=10_000,
        tol=1e-4,
        warm_start=False,
        verbose=0,
    ):
        super().__init__(
            loss=loss,
            fit_intercept=fit_intercept,
            task_weight=task_weight,
            task_column=task_column,
            max_iter=max_iter,
            tol=tol,
            warm_start=warm_start,
            verbose=verbose,
        )
        self.penalty = penalty


class _MultiTaskCV(CrossValidated):
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
    """

    replaced = ()

    def _settings(self, n_tasks):
        return [{}]

    @property
    def penalty_(self):
        check_is_fitted(self)
        return self._found


@documented
class MultiTaskRegressorCV(_MultiTaskCV, MultiTaskRegressorBase):
    """Any penalty, any loss. Regression."""

    single = MultiTaskRegressor


@documented
class MultiTaskClassifierCV(_MultiTaskCV, MultiTaskClassifierBase):
    """Any penalty, any loss. Binary classification."""

    single = MultiTaskClassifier


def _checked(penalty):
    if penalty is None:
        return RowNorm(alpha=0.1)
    if not isinstance(penalty, Penalty):
        raise ValueError(f"penalty must be a Penalty object such as RowNorm(alpha=0.1), got {penalty!r}.")
    return penalty
