"""What sharing is measured against: one model per task, and one for all tasks."""

import warnings
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.utils.validation import check_is_fitted

from . import _input
from ._compat import BaseSearchCV, with_requests_of
from ._progress import Steps, with_callbacks
from .criteria import totals_of
from .estimators import MultiTaskClassifier, MultiTaskRegressor
from .estimators._base import MultiTaskEstimator, all_or_nothing
from .estimators._classifier import MultiTaskClassifierBase
from .estimators._cv import CrossValidated, held_out_errors
from .estimators._docs import documented
from .estimators._regressor import MultiTaskRegressorBase
from .penalties import RowNorm

# A ridge is never zero: its paths begin where hardly anything is left, and end where hardly anything is taken.
TOP, EPS, N_ALPHAS = 100.0, 1e-8, 50
# What a baseline does not take from the estimator that it stands beside.
OWN = {"alphas", "eps", "warm_start"}


class _RidgeCV(CrossValidated):
    """A ridge and its strength."""

    _replaced = ("penalty", "feature_weights", "refit")
    _top, _eps, _n_alphas = TOP, EPS, N_ALPHAS

    def _settings(self, n_features, n_tasks):
        return [{}]

    def _at(self, setting):
        return super()._at({"penalty": RowNorm(l1_ratio=0.0)})

    @property
    def penalty_(self):
        check_is_fitted(self)
        return self._found

    def _finish(self, formulation, stacklevel, warm=False):
        with warnings.catch_warnings():
            # Nothing is asked of it that a larger strength would show.
            warnings.filterwarnings("ignore", message=".*the penalty is too weak", category=UserWarning)
            super()._finish(formulation, stacklevel + 1, warm)


class _SingleTaskCV(_RidgeCV):
    """minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + (alpha/2) norm_F(W)^2
    with alpha chosen by cross-validation: a ridge for each task, and nothing shared but the one strength.

    {summary}

    Parameters
    ----------
    {common}
    {search}

    Attributes
    ----------
    alpha_ : float
        What was chosen.
    penalty_ : Penalty
        With that strength.
    {searched}
    {fitted}

    Notes
    -----
    One strength for all tasks, not one for each: a task of ten rows chooses a strength of its own badly, and a
    baseline that is worse than it need be makes sharing look better than it is. Beside one strength each this is the
    stronger baseline on the Exam schools, on tasks with fewer rows than four times their features, and on any whose
    signals are alike; it is the weaker one where there are more rows and signals differ much in size
    (``benchmarks/baselines.py``).

    A ridge leaves nothing at exactly zero: strengths go from 100 times ``alpha_max`` down to 1e-8 times that.

    Examples
    --------
    {start}
    >>> model = {name}(alphas=5, cv=2).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    """


@documented
class SingleTaskRegressorCV(_SingleTaskCV, MultiTaskRegressorBase):
    """One model per task. Regression."""

    _single = MultiTaskRegressor


@documented
class SingleTaskClassifierCV(_SingleTaskCV, MultiTaskClassifierBase):
    """One model per task. Classification."""

    _single = MultiTaskClassifier


class _PooledCV(_RidgeCV):
    """minimise mean_t mean_i loss(y_ti, x_ti . w + b) + (alpha/2) norm(w)^2
    with alpha chosen by cross-validation: the samples of all tasks as those of one, with one intercept.

    {summary}

    Any task is predicted, one that fit has not seen as well.

    Parameters
    ----------
    {common}
    {search}

    Attributes
    ----------
    alpha_ : float
        What was chosen.
    penalty_ : Penalty
        With that strength.
    {searched}
    {fitted}

    Notes
    -----
    All rows of `coef_` are the same, and so are all intercepts. The mean over the tasks is weighted by `task_weight`.
    Strengths go from 100 times ``alpha_max`` down to 1e-8 times that by default.

    Examples
    --------
    {start}
    >>> model = {name}(alphas=5, cv=2).fit(X, Y)
    >>> model.coef_.shape, bool(np.ptp(model.coef_, axis=0).any())
    ((4, 6), False)
    """

    _selections = ("best", "1se")  # what counts as a sample is not for the one task to know

    @with_callbacks
    @all_or_nothing
    def fit(self, X, y, *, sample_weight=None, task=None, offset=None, **params):
        data = self._read(X, y, sample_weight, task, offset, reset=True)
        folds = self._folds(X, y, data, params)
        steps = Steps(self, 0, X, y)
        one = _as_one(data)
        often = [[np.repeat(np.arange(len(one.y)), part[one.row]) for part in fold] for fold in folds]
        own = self._as_one_task(cv=often)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            own.fit(one.X, one.y, sample_weight=one.weight, offset=one.offset)
        for warning in said:
            message = str(warning.message).replace(type(own).__name__, type(self).__name__)
            warnings.warn(message, warning.category, stacklevel=4)
        T, found = len(data.task_labels), own._at({}).set_params(penalty=own._found, verbose=0)
        errors = np.full((len(folds), T), np.nan)
        for k, ((_, test), (train, _)) in enumerate(zip(folds, often, strict=True)):
            with warnings.catch_warnings():
                # What is to be said of these fits has been said.
                warnings.simplefilter("ignore", UserWarning)
                away = None if one.offset is None else one.offset[train]
                found.fit(one.X[train], one.y[train], sample_weight=one.weight[train], offset=away)
            errors_of, mass, left = held_out_errors(data, test)
            (of_tasks,) = errors_of(np.tile(found.coef_.T, T)[None], np.tile(found.intercept_, T)[None])
            errors[k, left] = np.where(mass > 0, of_tasks, np.nan)
        for name, value in own._fitted_state().items():
            if name not in ("n_features_in_", "feature_names_in_"):
                setattr(self, name, value)
        self.coef_, self.intercept_ = np.tile(own.coef_, (T, 1)), np.tile(own.intercept_, T)
        self.tasks_, self._layout, self.task_errors_ = data.task_labels, data.layout, errors
        if data.classes is not None:
            self._classes = data.classes
        if data.columns is not None:
            self._counts = data.columns.counts
        steps.end()
        return self

    fit.__doc__ = CrossValidated.fit.__doc__

    def _as_one_task(self, **changed):
        """The search for one task, with these parameters."""
        cls = SingleTaskClassifierCV if is_classifier(self) else SingleTaskRegressorCV
        alone = {"task_column": None, "offset_column": None, "task_weight": "equal"}
        return cls(**self.get_params(deep=False) | alone | changed)

    def _formulate(self, X, y, *, sample_weight=None, task=None, offset=None, reset=False):
        one = _as_one(self._read(X, y, sample_weight, task, offset, reset))
        own = self._as_one_task()
        if hasattr(self, "_found"):
            own._found = self._found
        return own._formulate(one.X, one.y, sample_weight=one.weight, offset=one.offset, reset=True)

    def _rows(self, X, task, offset):
        # (Where tasks have several columns, all have the same.)
        check_is_fitted(self, "coef_")
        X, task, offset = _input.read_features(self, X, task, offset, reset=False)
        shared = task is None and self._layout == "shared"
        return X, None if shared else np.zeros(X.shape[0], dtype=int), offset

    def _scores(self, X, task, offset=None):
        check_is_fitted(self, "coef_")
        X, task, offset = _input.read_features(self, X, task, offset, reset=False)
        z = X @ self.coef_[0] + self.intercept_[0]
        if task is None:
            if isinstance(getattr(self, "_classes", None), list) and self._layout == "stacked":
                raise ValueError(f"task is missing: the tasks of this {type(self).__name__} have classes of their own.")
            z = np.repeat(z[:, None], len(self.tasks_), axis=1) if self._layout == "shared" else z
            return self._with_offset(z, offset), None
        z = self._with_offset(z, offset)
        if isinstance(getattr(self, "_classes", None), list):
            return z, _input.find_tasks(task, self.tasks_, self.task_column)
        return z, np.zeros(len(z), dtype=int)


@documented
class PooledRegressorCV(_PooledCV, MultiTaskRegressorBase):
    """One model for all tasks. Regression."""

    _single = MultiTaskRegressor


@documented
class PooledClassifierCV(_PooledCV, MultiTaskClassifierBase):
    """One model for all tasks. Classification, of the same classes in all tasks where these are more than two."""

    _single = MultiTaskClassifier


class _Samples(NamedTuple):
    """The samples of all tasks as those of one; ``row`` (m,) is the row of ``data.tasks`` that each comes from."""

    X: Any
    y: np.ndarray
    weight: np.ndarray
    offset: np.ndarray | None
    row: np.ndarray


def _as_one(data):
    """Samples of one task that have the loss of those of all tasks, whatever the model.

    Where all tasks have one X, its rows are not repeated for every target: with the squared loss the targets of a row
    are two, with the mean and the variance that they have; else each different one.
    """
    tasks = data.by_task
    rows, y, weight, offset = tasks.sample_row, tasks.y, tasks.weight, tasks.offset
    if data.has_own_classes:
        raise ValueError(
            "one model for all tasks needs tasks of the same classes, and these have classes of their own: "
            f"{[own.tolist()[:5] for own in data.columns.classes[:3]]}. Give each task a model of its own."
        )
    if tasks.is_shared and tasks.n_tasks > 1:
        if data.loss.quadratic:
            total = np.bincount(rows, weight)
            some = np.flatnonzero(total)
            mean = np.bincount(rows, weight * y)[some] / total[some]
            centres = np.zeros(len(total))
            centres[some] = mean
            spread = np.sqrt(np.bincount(rows, weight * (y - centres[rows]) ** 2)[some] / total[some])
            rows, y = np.tile(some, 2), np.concatenate([mean - spread, mean + spread])
            weight = np.tile(total[some] / 2, 2)
        else:
            counted = weight > 0
            own = [rows, y] if offset is None else [rows, y, offset]
            found, place = np.unique(np.stack(own)[:, counted], axis=1, return_inverse=True)
            rows, y, weight = found[0].astype(int), found[1], np.bincount(place.ravel(), weight[counted])
            offset = None if offset is None else found[2]
    counted = weight > 0
    rows = rows[counted]
    X = (
        tasks.X
        if np.array_equal(rows, np.arange(tasks.n_rows))
        else (tasks.X.tocsr() if tasks.is_sparse else tasks.X)[rows]
    )
    # (They count as much as there are samples, for whoever asks how many that is.)
    weight = weight[counted]
    away = None if offset is None else offset[counted]
    return _Samples(X, y[counted], weight * (totals_of(data).sum() / weight.sum()), away, rows)


# ------------------------------------------------------------------------- beside an estimator


def single_task(estimator):
    """One model per task, to stand beside an estimator.

    Parameters
    ----------
    estimator : estimator of convexmtl, or a pipeline, a search or another estimator of scikit-learn around one
        A search gives way to that of the baseline, on its folds; everything else that is around the estimator stays.

    Returns
    -------
    SingleTaskRegressorCV or SingleTaskClassifierCV, or what was around the estimator, around that
        Not fitted; with the estimator's loss, intercepts, weights, task column, tolerance, folds and jobs.

    Raises
    ------
    TypeError
        For what has no estimator of convexmtl in it.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from convexmtl import TraceNormRegressor
    >>> from convexmtl.baselines import single_task
    >>> single_task(TraceNormRegressor(fit_intercept=False))
    SingleTaskRegressorCV(fit_intercept=False)
    >>> single_task(make_pipeline(StandardScaler(), TraceNormRegressor())).steps[1][1]
    SingleTaskRegressorCV()
    """
    return _beside(estimator, SingleTaskRegressorCV, SingleTaskClassifierCV)


def pooled(estimator):
    """One model for all tasks, to stand beside an estimator.

    Parameters
    ----------
    estimator : estimator of convexmtl, or a pipeline, a search or another estimator of scikit-learn around one
        As in ``single_task``.

    Returns
    -------
    PooledRegressorCV or PooledClassifierCV, or what was around the estimator, around that
        Not fitted.

    Raises
    ------
    TypeError
        For what has no estimator of convexmtl in it.

    Examples
    --------
    >>> from convexmtl import TraceNormClassifierCV
    >>> from convexmtl.baselines import pooled
    >>> pooled(TraceNormClassifierCV(cv=3))
    PooledClassifierCV(cv=3)
    """
    return _beside(estimator, PooledRegressorCV, PooledClassifierCV)


def _beside(estimator, regressor, classifier, **changed):
    """The estimator with a baseline in the place of what it has of this package."""
    if isinstance(estimator, MultiTaskEstimator):
        if not (is_classifier(estimator) or is_regressor(estimator)):
            raise TypeError(
                f"{type(estimator).__name__} has tasks of different kinds: a baseline is for regressors or classifiers."
            )
        cls = classifier if is_classifier(estimator) else regressor
        own, given = cls(**changed), estimator.get_params(deep=False)
        names = [name for name in own.get_params(deep=False) if name in given and name not in OWN | set(changed)]
        return with_requests_of(estimator, own.set_params(**{n: clone(given[n], safe=False) for n in names}))
    if isinstance(estimator, BaseSearchCV):
        return _beside(estimator.estimator, regressor, classifier, cv=estimator.cv, n_jobs=estimator.n_jobs)
    # Those in whole, not what is inside of them.
    inner = _own(estimator, MultiTaskEstimator | BaseSearchCV)
    inner = {name: value for name, value in inner.items() if not any(name.startswith(f"{other}__") for other in inner)}
    return clone(estimator).set_params(
        **{name: _beside(value, regressor, classifier, **changed) for name, value in inner.items()}
    )


def estimator_inside(estimator):
    """The estimator of convexmtl that a pipeline, a search or the like is around; or itself."""
    if isinstance(estimator, MultiTaskEstimator):
        return estimator
    return next(iter(_own(estimator, MultiTaskEstimator).values()))


def _own(estimator, kind):
    """{name: parameter} of those that are of a kind, at any depth; a TypeError if there are none."""
    given = {} if isinstance(estimator, type) else getattr(estimator, "get_params", dict)()
    own = {name: value for name, value in given.items() if isinstance(value, kind)}
    if not own:
        raise TypeError(
            f"{estimator!r} is no estimator of convexmtl, nor has it one in it: a baseline has to know what it stands "
            "beside."
        )
    return own
