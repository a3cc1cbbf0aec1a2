"""The estimators' common part: layouts, fit, predict, score, tags."""

import inspect
import warnings
from functools import wraps
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning, InconsistentVersionWarning
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils._param_validation import Interval
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .. import _input
from .._progress import CallbackSupportMixin, Steps, with_callbacks
from .._version import __version__
from ..data import DataTerm
from ..losses import get_loss
from ..problem import Problem
from ..result import Result, Status
from ..solvers import solve
from ..tasks import Tasks

COMMON_DEFAULTS = {
    "fit_intercept": True,
    "task_weight": "equal",
    "task_column": None,
    "max_iter": 10_000,
    "tol": 1e-4,
    "warm_start": False,
    "verbose": 0,
}

COMMON_PARAMETERS = """fit_intercept : bool, default=True
        Whether each task has an intercept; it is never penalised.
    task_weight : {"equal", "size"} or array-like of shape (T,), default="equal"
        What the mean loss of a task counts; "size" is n_t / mean(n), and an array is in the order of `tasks_`. In a
        search these are weights of all samples, for the parts of all folds as well.
    task_column : str or int, default=None
        The column of X, by name (a string) or position (an integer), that holds the task labels.
    max_iter : int, default=10000
        Largest number of iterations.
    tol : float, default=1e-4
        The fit has converged when the duality gap is at most tol times the objective at W = 0.
    warm_start : bool, default=False
        Whether fit starts from the previous solution.
    verbose : int, default=0
        1 prints a line at each check of the gap."""

COMMON_ATTRIBUTES = """coef_ : ndarray of shape (T, d)
        W transposed: one row per task.
    intercept_ : ndarray of shape (T,)
    tasks_ : ndarray of shape (T,)
        Task labels, in the order of the rows of `coef_`.
    n_iter_ : int
    objective_ : float
        The objective at the solution.
    dual_gap_ : float
        Upper bound of what the objective is above the optimum.
    n_features_in_ : int
        Columns of X, the task column included.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Where X has column names.
    feature_importances_ : ndarray of shape (`n_features_in_`,)
        Norms of the features' coefficients across the tasks; the task column has the largest of them."""

SEARCH_PARAMETERS = """alphas : int or array-like of shape (n_alphas,), default=100
        Strengths to try; or how many, evenly spaced in logarithm from where all coefficients are zero down to
        eps times that.
    eps : float in (0, 1], default=1e-3
        Length of the path.
    cv : int, splitter or iterable of (train, test), default=None
        An int is a number of folds that split within every task, None five of them.
    n_jobs : int, default=None
        Paths at a time; the results do not depend on it.
    selection : {"best", "1se"}, default="best"
        "1se" takes the largest strength whose error is within one standard error of the smallest."""

SEARCH_ATTRIBUTES = """alphas_ : ndarray of shape (n_alphas,) or (n_paths, n_alphas)
        The strengths that were tried, decreasing.
    mse_path_ : ndarray of shape (n_alphas, n_folds) or (n_paths, n_alphas, n_folds)
        Mean loss of the test samples of every fold, each task counting by its weight; for the squared loss the
        mean squared error.
    settings_ : list of dict
        What the paths differ in: for each, the parameters that were searched for, of the strengths their ratios."""

REGRESSION_LOSS = """loss : {"squared", "huber", "poisson"} or Loss, default="squared"
        "huber" has delta = 1.35 in units of y; a ``Huber(delta)`` object has any other."""

CLASSIFICATION_LOSS = """loss : {"logistic", "squared_hinge"} or Loss, default="logistic\""""


CLASSES = """
    classes_ : ndarray of shape (2,), or list of them
        The labels; where tasks have different ones, a list with one array per task."""


def documented(cls):
    """Class decorator: the docstring of the family, its first base, with this class's own one as its summary."""
    classifies = issubclass(cls, ClassifierMixin)
    loss = CLASSIFICATION_LOSS if classifies else REGRESSION_LOSS
    fields = {
        "{summary}": cls.__doc__ or "",
        "{search}": SEARCH_PARAMETERS,
        "{searched}": SEARCH_ATTRIBUTES,
        "{common}": f"{loss}\n    {COMMON_PARAMETERS}",
        "{fitted}": COMMON_ATTRIBUTES + (CLASSES if classifies else ""),
    }
    text = cls.__bases__[0].__doc__ or ""  # python -OO drops docstrings
    for field, value in fields.items():
        text = text.replace(field, value)
    cls.__doc__ = text
    return cls


class Data(NamedTuple):
    """What the user has handed over, checked and read."""

    tasks: Tasks
    loss: Any
    labels: np.ndarray
    layout: str  # "single", "shared" or "stacked"
    classes: Any
    codes: np.ndarray | None  # (n,) position of every row's task, where the layout is stacked
    weight: np.ndarray | None  # sample weights


class Formulation(NamedTuple):
    """A Problem, and what of the user's input is needed beside it."""

    problem: Problem
    penalty: Any  # as the user wrote it, with task labels bound to positions
    data: Data

    @property
    def labels(self):
        return self.data.labels

    @property
    def strengths(self):
        return self.penalty.strength_values()


def all_or_nothing(fit):
    """Decorator: a fit that is interrupted, or refuses its input, leaves what was fitted before, or nothing."""

    @wraps(fit)
    def whole(self, *args, **kwargs):
        before = self._fitted_state()
        for name in before:
            delattr(self, name)
        # What a warm start takes from the last fit.
        self._last = before if self.warm_start else {}
        try:
            return fit(self, *args, **kwargs)
        except BaseException:
            for name in self._fitted_state():
                delattr(self, name)
            vars(self).update(before)
            raise
        finally:
            del self._last

    return whole


def initialiser(cls, own, keywords):
    """An __init__ that stores its parameters, as scikit-learn wants it, made of {name: default}; ``own`` come first."""
    kinds = [(own, inspect.Parameter.POSITIONAL_OR_KEYWORD), (keywords, inspect.Parameter.KEYWORD_ONLY)]
    parameters = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    parameters += [inspect.Parameter(n, kind, default=v) for defaults, kind in kinds for n, v in defaults.items()]
    signature = inspect.Signature(parameters)

    def __init__(self, *args, **kwargs):
        try:
            given = signature.bind(self, *args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{cls.__name__}.__init__() {error}") from None
        given.apply_defaults()
        for name, value in list(given.arguments.items())[1:]:
            setattr(self, name, value)

    __init__.__signature__ = signature
    __init__.__qualname__ = f"{cls.__qualname__}.__init__"
    return __init__


class MultiTaskEstimator(CallbackSupportMixin, BaseEstimator):
    """Base of all estimators; a family is a mixin that owes ``parameters`` and ``_penalty()``.

    Attributes
    ----------
    parameters : dict of str -> default
        The family's own; those common to all come after them, as keywords.
    """

    _parameter_constraints: dict = {
        "fit_intercept": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
    }

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        # (A user's subclass of an estimator inherits what that has.)
        family = next((vars(base) for base in cls.__bases__ if "parameters" in vars(base)), None)
        if family is not None and "__init__" not in vars(cls):
            cls.__init__ = initialiser(cls, family["parameters"], {"loss": cls._loss, **COMMON_DEFAULTS})

    def _penalty(self):
        """The penalty with this estimator's strengths."""
        raise TypeError(f"{type(self).__name__} does not define its penalty")

    # ---------------------------------------------------------------------------------- fit

    def _fitted_state(self):
        """{name: value} of all that ``fit`` sets."""
        own = ("_parts", "_layout", "_found")
        return {n: v for n, v in vars(self).items() if n in own or (n.endswith("_") and not n.startswith("_"))}

    @with_callbacks
    @all_or_nothing
    def fit(self, X, y, sample_weight=None, task=None):
        """Fit all tasks together.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n, d)
        y : array-like of shape (n, T) or (n,)
            One column per task, NaN where a target is missing; or, with task labels, one target per row.
        sample_weight : array-like of shape (n,) or, for y (n, T), (n, T), default=None
            Weight 2 counts as a repeated row, weight 0 as a dropped one.
        task : array-like of shape (n,), default=None
            The task of every row, where every task has its own rows.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For parameters, data, task labels or weights that make no sense, before any work is done.
        """
        data = self._read(X, y, sample_weight, task, reset=True)
        steps = Steps(self, 0, X, y)
        self._finish(self._state(data, stacklevel=5), stacklevel=5)
        steps.end()
        return self

    def _finish(self, formulation, stacklevel):
        """Solve, and set what is fitted."""
        start = self._warm_start(formulation, self._last) if self.warm_start else None
        result = solve(formulation.problem, start, self.tol, self.max_iter, _printer(self) if self.verbose else None)
        if not result.converged:
            message = _not_converged(self, formulation.problem, result)
            warnings.warn(message, ConvergenceWarning, stacklevel=stacklevel)
        data = formulation.data
        self._parts = result.parts
        self._layout = data.layout
        self.coef_ = np.ascontiguousarray(result.W.T)
        self.intercept_ = result.intercept
        self.tasks_ = data.labels
        self.n_iter_ = max(result.n_iter, 1)
        self.objective_ = result.objective
        self.dual_gap_ = result.dual_gap
        if data.classes is not None:
            self.classes_ = data.classes
        for name, value in formulation.penalty.report(result.parts, data.labels).items():
            setattr(self, name, value)

    def _formulate(self, X, y, sample_weight=None, task=None, reset=False):
        """Check everything the user has said and turn it into a Formulation."""
        return self._state(self._read(X, y, sample_weight, task, reset), stacklevel=4)

    def _read(self, X, y, sample_weight, task, reset):
        """Data; everything that the user has said of them is checked."""
        self._validate_params()
        loss = self._checked_loss()
        _input.require_targets(self, y)
        X, task = _input.read_features(self, X, task, reset or not hasattr(self, "n_features_in_"))
        names = _input.target_names(y)
        y = self._read_targets(y, task is not None)
        if len(y) != X.shape[0]:
            raise ValueError(f"X and y must have as many rows, got {X.shape[0]} rows of X and {len(y)} of y.")
        _input.refuse_overflow(X)
        weight = _input.read_sample_weight(sample_weight, X, y)

        codes = None
        if task is not None:
            layout = "stacked"
            labels, codes = _input.encode_tasks(task)
        elif y.ndim == 2:
            layout, labels = "shared", np.arange(y.shape[1]) if names is None else names
        else:
            layout, labels = "single", np.arange(1)
        y, classes = self._encode(y, codes, labels)

        columns = y[:, None] if layout == "single" else y
        if layout == "stacked":
            totals = np.bincount(codes, weights=weight, minlength=len(labels)).astype(float)
        else:
            seen = (~np.isnan(columns)).astype(float)
            if weight is not None:
                seen = seen * (weight if weight.ndim == 2 else weight[:, None])
            totals = seen.sum(axis=0)
        if np.any(totals <= 0):
            t = int(np.argmin(totals))
            raise ValueError(
                f"task {labels.tolist()[t]!r} has no sample with a target and a positive weight: drop the task."
            )
        task_weight = _input.read_task_weight(self.task_weight, totals)
        if layout == "stacked":
            tasks = Tasks.stacked(X, y, codes, len(labels), weight, task_weight)
        else:
            tasks = Tasks.shared(X, columns, weight, task_weight)
        loss.check_targets(tasks.y[tasks.weight > 0])
        return Data(tasks, loss, labels, layout, classes, codes, weight)

    def _state(self, data, stacklevel=2):
        """The Formulation of this estimator's problem on the data."""
        penalty, labels = self._penalty(), data.labels
        canonical = penalty.resolve(data.tasks.n_features, labels)
        tasks, fixed = self._without_constant_tasks(data.tasks, data.loss, labels, stacklevel + 1)
        problem = Problem(DataTerm(tasks, data.loss, self.fit_intercept, fixed), canonical)
        with np.errstate(over="ignore", invalid="ignore"):
            at_zero = problem.data.trivial[0]
        if not np.isfinite(at_zero):
            raise ValueError(
                f"y is too large, up to {np.abs(tasks.y).max():.3g}: the loss overflows. Rescale the targets."
            )
        return Formulation(problem, penalty.bind(labels), data)

    def _checked_loss(self):
        loss = get_loss(self.loss)
        if loss.classification != isinstance(self, ClassifierMixin):
            kind = "classifiers" if loss.classification else "regressors"
            raise ValueError(f"loss={self.loss!r} is a loss for {kind}, not for {type(self).__name__}.")
        return loss

    def _without_constant_tasks(self, tasks, loss, labels, stacklevel=2):
        """Tasks whose targets have no finite best intercept lose their weight and get a fixed intercept."""
        single, fixed, keep = [], np.zeros(tasks.n_tasks), np.ones(tasks.n_tasks)
        for t in range(tasks.n_tasks):
            samples = tasks.slices(t)[1]
            seen = tasks.y[samples][tasks.weight[samples] > 0]
            if loss.classification and np.all(seen == seen[0]):
                single.append(labels.tolist()[t])
            constant = loss.constant(seen) if self.fit_intercept else None
            if constant is not None:
                fixed[t], keep[t] = constant, 0.0
                if not loss.classification:
                    single.append(labels.tolist()[t])
        if single:
            what = "a single class" if loss.classification else "no count above zero"
            if loss.classification and tasks.n_tasks == 1:
                raise ValueError("y has only 1 class; a classifier needs samples of 2 classes.")
            warnings.warn(
                f"{len(single)} task(s) have {what} and say nothing of their coefficients: {single[:10]}. "
                "Their prediction is constant, up to what the penalty borrows from the other tasks.",
                UserWarning,
                stacklevel=stacklevel,
            )
        if np.all(keep == 1):
            return tasks, None
        weight = tasks.weight * tasks.spread(keep)
        return Tasks(tasks.X, tasks.y, tasks.ptr, tasks.row, weight), fixed

    def _warm_start(self, formulation, last):
        """The last solution, where it is one of the same tasks and features."""
        shape, penalty = formulation.problem.shape, formulation.problem.penalty
        parts = last.get("_parts", ())
        if (
            len(parts) != penalty.n_parts
            or parts[0].shape != shape
            or not np.array_equal(last["tasks_"], formulation.labels)
        ):
            return None
        return Result(parts, last["intercept_"], last["objective_"], last["dual_gap_"], 0, Status.CONVERGED)

    def __getstate__(self):
        return {**super().__getstate__(), "_convexmtl_version": __version__}

    def __setstate__(self, state):
        state = dict(state)
        version = state.pop("_convexmtl_version", "an older version")
        if version != __version__:
            warnings.warn(
                InconsistentVersionWarning(
                    estimator_name=type(self).__name__,
                    current_sklearn_version=f"convexmtl {__version__}",
                    original_sklearn_version=f"convexmtl {version}",
                ),
                stacklevel=2,
            )
        super().__setstate__(state)

    def _fitted_parts(self):
        check_is_fitted(self, "coef_")
        return self._parts

    @property
    def feature_importances_(self):
        """Norm of every feature's coefficients across the tasks, (`n_features_in_`,), for feature selection.

        Unlike ``coef_`` it has an entry for the task column, the largest, so that
        ``SelectFromModel(..., importance_getter="feature_importances_")`` keeps that column.
        """
        check_is_fitted(self, "coef_")
        importances = np.linalg.norm(self.coef_, axis=0)
        if self.task_column is None:
            return importances
        names = getattr(self, "feature_names_in_", None)
        position = _input.column_position(self.task_column, names, self.n_features_in_)
        return np.insert(importances, position, importances.max())

    # ------------------------------------------------------------------------------ predict

    def _scores(self, X, task):
        """x . w_t + b_t: (n, T) without task labels, (n,) with them or for a single 1-d target."""
        check_is_fitted(self, "coef_")
        X, task = _input.read_features(self, X, task, reset=False)
        if X.shape[1] != self.coef_.shape[1]:
            raise ValueError(f"X has {X.shape[1]} features beside the task, fit saw {self.coef_.shape[1]}.")
        if task is None:
            if self._layout == "stacked" and len(self.tasks_) > 1:
                raise ValueError(
                    f"task is missing: {type(self).__name__} was fitted with {len(self.tasks_)} tasks that have "
                    "their own rows; pass task=..., the task of every row of X."
                )
            Z = X @ self.coef_.T + self.intercept_
            return Z if self._layout == "shared" else Z[:, 0]
        codes = _input.find_tasks(task, self.tasks_)
        z = np.empty(X.shape[0])
        X = X.tocsr() if issparse(X) else X
        for t in np.unique(codes):
            rows = codes == t
            z[rows] = X[rows] @ self.coef_[t] + self.intercept_[t]
        return z

    def _codes(self, X, task):
        """Position of every row's task, or None where there is none."""
        _, task = _input.read_features(self, X, task, reset=False)
        return None if task is None else _input.find_tasks(task, self.tasks_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.input_tags.sparse = True
        return tags


class MultiTaskRegressorBase(RegressorMixin, MultiTaskEstimator):
    """Base of the regressors."""

    _loss = "squared"

    def _read_targets(self, y, stacked):
        return _input.read_real_targets(self, y, stacked)

    def _encode(self, y, codes, labels):
        return y, None

    def predict(self, X, task=None):
        """Predicted targets.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n, d)
        task : array-like of shape (n,), default=None
            The task of every row.

        Returns
        -------
        ndarray of shape (n, T), or (n,) with task labels or after fit with y of shape (n,)
        """
        return get_loss(self.loss).mean(self._scores(X, task))

    def score(self, X, y, sample_weight=None, task=None):
        """R^2 over all rows; with y (n, T) the mean over the tasks of each one's R^2, without missing targets."""
        z = self.predict(X, task) if task is not None else self.predict(X)
        y = _input.read_numbers(y)
        if y.ndim == 1 or z.ndim == 1:
            return r2_score(y, z, sample_weight=sample_weight)
        _check_shape(y, z)
        scores = []
        for t in range(y.shape[1]):
            seen = ~np.isnan(y[:, t])
            if seen.any():
                weight = _column_weight(sample_weight, seen, t)
                scores.append(r2_score(y[seen, t], z[seen, t], sample_weight=weight))
        return _mean_score(scores)


class MultiTaskClassifierBase(ClassifierMixin, MultiTaskEstimator):
    """Base of the classifiers."""

    _loss = "logistic"

    def _read_targets(self, y, stacked):
        return _input.read_class_targets(self, y, stacked)

    def _encode(self, y, codes, labels):
        return _input.encode_classes(y, codes, labels)

    def decision_function(self, X, task=None):
        """Signed scores x . w_t + b_t, positive for the second class; (n, T), or (n,) with task labels."""
        return self._scores(X, task)

    def predict(self, X, task=None):
        """Predicted labels, (n, T), or (n,) with task labels or after fit with y of shape (n,).

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n, d)
        task : array-like of shape (n,), default=None
            The task of every row.
        """
        scores = self._scores(X, task)
        if not isinstance(self.classes_, list):
            return _labels(self.classes_, scores)
        if scores.ndim == 2:
            columns = [_labels(c, scores[:, t]) for t, c in enumerate(self.classes_)]
            return np.stack([column.astype(_common_type(self.classes_)) for column in columns], axis=1)
        codes = self._codes(X, task)
        out = np.empty(len(scores), dtype=_common_type(self.classes_))
        for t in np.unique(codes):
            out[codes == t] = _labels(self.classes_[t], scores[codes == t])
        return out

    @available_if(lambda self: _has_probabilities(self))
    def predict_proba(self, X, task=None):
        """Probabilities (logistic loss only).

        Returns
        -------
        ndarray of shape (n, 2), one column per class; after fit with y (n, T) and without task labels (n, T),
        one column per task with the probability of its second class, as scikit-learn has it for multilabel
        targets
        """
        p = get_loss(self.loss).probability(self._scores(X, task))
        return p if p.ndim == 2 else np.stack([1 - p, p], axis=1)

    def score(self, X, y, sample_weight=None, task=None):
        """Share of correct labels; with y (n, T) the mean over the tasks, without missing targets."""
        z = self.predict(X, task) if task is not None else self.predict(X)
        y = np.asarray(y)
        if y.ndim == 1 or z.ndim == 1:
            return accuracy_score(y, z, sample_weight=sample_weight)
        _check_shape(y, z)
        scores = []
        for t in range(y.shape[1]):
            seen = ~_input.missing_mask(y[:, t])
            if seen.any():
                right = (y[seen, t] == z[seen, t]).astype(float)
                scores.append(np.average(right, weights=_column_weight(sample_weight, seen, t)))
        return _mean_score(scores)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.classifier_tags.multi_label = True
        return tags


def _has_probabilities(estimator):
    return hasattr(get_loss(estimator.loss), "probability")


def _labels(classes, scores):
    """The label on the side of the score; a task with one class has only that."""
    return classes[(scores > 0).astype(int)] if len(classes) == 2 else np.full(len(scores), classes[0])


def _mean_score(scores):
    """Over the tasks that have a target."""
    if not scores:
        raise ValueError("y has no target: all of them are missing.")
    return float(np.mean(scores))


def _common_type(classes):
    """dtype for labels of all tasks: object where numbers and strings meet."""
    kinds = {c.dtype.kind for c in classes}
    return np.result_type(*(c.dtype for c in classes)) if len(kinds) == 1 or kinds <= set("biuf") else object


def _check_shape(y, z):
    if y.shape != z.shape:
        raise ValueError(f"y must have the shape of the predictions, {z.shape}, got {y.shape}.")


def _column_weight(sample_weight, seen, t):
    if sample_weight is None:
        return None
    weight = np.asarray(sample_weight)
    return weight[seen, t] if weight.ndim == 2 else weight[seen]


def _printer(estimator):
    name = type(estimator).__name__

    def show(n_iter, objective, gap):
        print(f"[{name}] iteration {n_iter}: objective {objective:.8g}, duality gap {gap:.3g}")

    return show


def _not_converged(estimator, problem, result):
    way_out = {
        Status.OUT_OF_ITERATIONS: "increase the number of iterations, scale the features, or increase tol.",
        Status.STALLED: "scale the features, use a larger strength, or increase tol.",
    }[result.status]
    # It begins as scikit-learn's warning does, for whoever filters by it.
    return (
        f"Objective did not converge. You might want to {way_out} {type(estimator).__name__}: {result.status.value} "
        f"Duality gap {result.dual_gap:.3g} after {result.n_iter} iterations, wanted "
        f"{problem.threshold(estimator.tol):.3g} (tol={estimator.tol:g})."
    )
