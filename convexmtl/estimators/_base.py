"""The estimators' common part: layouts, fit, prediction of scores, tags."""

import inspect
import warnings
from dataclasses import replace
from functools import cache, wraps
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning, InconsistentVersionWarning
from sklearn.utils.validation import check_is_fitted

from .. import _input
from .._classes import Columns
from .._compat import Interval, StrOptions
from .._progress import CallbackSupportMixin, Steps, with_callbacks
from .._threads import one_thread
from .._version import __version__
from ..certificate import separated
from ..explanation import FitSummary, explain_fit
from ..penalties.base import Later
from ..problem import Problem
from ..relaxed import certified
from ..result import Result, Status
from ..solvers import solve
from ..tasks import row_products
from ._formulation import Formulates

NAMED = 1000  # tasks up to which attributes that are computed when they are first read appear in dir()
ROW_DEFAULTS = {"feature_weights": None, "refit": None}  # of the families that select features
COMMON_DEFAULTS = {
    "fit_intercept": True,
    "task_weight": "equal",
    "task_column": None,
    "offset_column": None,
    "unseen_task": "error",
    "max_iter": 10_000,
    "tol": 1e-4,
    "warm_start": False,
    "verbose": 0,
}


def all_or_nothing(fit):
    """Decorator: a fit that is interrupted, or refuses its input, leaves what was fitted before, or nothing.

    While it lasts, BLAS has one thread.
    """

    @wraps(fit)
    def whole(self, *args, **kwargs):
        before = self._fitted_state()
        for name in before:
            delattr(self, name)
        # What a warm start or another part of the samples goes on from.
        self._last = before
        try:
            with one_thread():
                fit(self, *args, **kwargs)
        except BaseException:
            for name in self._fitted_state():
                delattr(self, name)
            vars(self).update(before)
            raise
        finally:
            del self._last
        if self.verbose and "_summary" in vars(self):
            print(explain_fit(self))
        return self

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


class MultiTaskEstimator(Formulates, CallbackSupportMixin, BaseEstimator):
    """Base of all estimators; a family is a mixin that owes ``_parameters`` and ``_penalty()``.

    Attributes
    ----------
    _parameters : dict of str -> default
        The family's own; those common to all come after them, as keywords.
    _structure : tuple of str
        Those of them in which the family is told what to look for, how the tasks are arranged say: a search over
        families takes it where it is asked for.
    _choices : dict of str -> default
        More of its own, as keywords.
    _of_features : bool
        Whether the columns of ``coef_`` are those of X.
    _selects : bool
        Whether it selects features, by a penalty of rows: it has ``feature_weights`` and ``refit`` then.
    """

    _structure: tuple = ()
    _choices: dict = {}
    _of_features = True
    _selects = False

    _parameter_constraints: dict = {
        "fit_intercept": ["boolean"],
        "unseen_task": [StrOptions({"error", "mean"})],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
        "feature_weights": ["array-like", dict, None],
        "positive": ["boolean"],
        "feature_groups": ["array-like", dict, None],
        "refit": [StrOptions({"relaxed"}), None],
    }

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        # (A user's subclass of an estimator inherits what that has.)
        family = next((vars(base) for base in cls.__bases__ if "_parameters" in vars(base)), None)
        if family is not None and "__init__" not in vars(cls):
            rows = cls._choices | (ROW_DEFAULTS if cls._selects else {})
            loss = {} if cls._loss is None else {"loss": cls._loss}
            cls.__init__ = initialiser(cls, family["_parameters"], {**rows, **loss, **COMMON_DEFAULTS})

    @classmethod
    @cache
    def _get_param_names(cls):
        # (Inspecting a signature takes longer than many a fit.)
        return super()._get_param_names()

    def _penalty(self):
        """The penalty with this estimator's strengths."""
        raise TypeError(f"{type(self).__name__} does not define its penalty")

    # ---------------------------------------------------------------------------------- fit

    def _fitted_state(self):
        """{name: value} of all that ``fit`` sets."""
        own = (
            "_parts",
            "_dual",
            "_layout",
            "_size",
            "_found",
            "_extended",
            "_classes",
            "_later",
            "_summary",
            "_support",
            "_counts",
        )
        return {n: v for n, v in vars(self).items() if n in own or (n.endswith("_") and not n.startswith("_"))}

    @with_callbacks
    @all_or_nothing
    def fit(self, X, y, *, sample_weight=None, task=None, offset=None):
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
        offset : array-like of shape (n,) or, for y (n, T), (n, T), default=None
            What is added to x . w_t + b_t before the loss is taken, the logarithm of an exposure say.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For parameters, data, task labels, weights or offsets that make no sense, before any work is done.
        """
        data = self._read(X, y, sample_weight, task, offset, reset=True)
        steps = Steps(self, 0, X, y)
        self._fit(data, stacklevel=6)
        steps.end()
        return self

    def _fit(self, data, stacklevel):
        """Solve the problem on the data, and set what is fitted."""
        self._finish(self._state(data, stacklevel), stacklevel)

    def _finish(self, formulation, stacklevel, warm=False, result=None):
        """Solve, unless there is a ``result``, and set what is fitted."""
        if result is None:
            result = self._solved(formulation, warm)
        self._summary = FitSummary.of(formulation, result, self.tol)
        endless = separated(formulation.problem, result.W)
        if endless.size:
            message = no_best(self, formulation.labels[endless])
            self._summary.notes.append(message.partition(": ")[2])
            warnings.warn(message, UserWarning, stacklevel=stacklevel)
        if not result.converged:
            message = not_converged(self, formulation.problem, result)
            warnings.warn(message, ConvergenceWarning, stacklevel=stacklevel)
        else:
            problem = formulation.problem
            wanted = problem.wanted_tol(result.parts, result.objective, result.dual_gap, self.tol)
            if wanted is not None:
                message = too_weak(self, formulation.strengths, wanted)
                self._summary.notes.append(message.replace(f"{type(self).__name__}: the", "The", 1))
                warnings.warn(message, UserWarning, stacklevel=stacklevel)
        self._settle(formulation, result)
        if getattr(self, "refit", None) == "relaxed":
            self._relax(formulation, stacklevel + 1)

    def _solved(self, formulation, warm=False, by=None):
        """The Result of a solver."""
        start = self._warm_start(formulation, self._last) if warm or self.warm_start else None
        show = printer(self) if self.verbose else None
        return (by or solve)(formulation.problem, start, self.tol, self.max_iter, show)

    def _relax(self, formulation, stacklevel):
        """Take what the loss alone makes of the coefficients that are not zero."""
        problem, labels = formulation.problem, formulation.labels
        result, support, ridge = certified(
            problem.data, self.coef_.T, self.tol, self.max_iter, problem.penalty.positive
        )
        # What describes the parts of a sum says nothing of W alone.
        gone = formulation.penalty.report(self._parts, labels) if problem.penalty.n_parts > 1 else ()
        for name in (*gone, "_dual", "_extended"):
            vars(self).pop(name, None)
        relaxed = formulation._replace(
            problem=Problem(problem.data, support.resolve(len(support.ridge), labels)), penalty=support
        )
        self._summary = FitSummary.of(relaxed, result, self.tol).after(self._summary)
        self._support, self.ridge_tasks_ = support, labels[ridge]
        if problem.penalty.n_parts > 1:
            self._extended = support
        self._settle(formulation, replace(result, n_iter=result.n_iter + self.n_iter_))
        if not result.converged:
            warnings.warn(not_converged(self, problem, result), ConvergenceWarning, stacklevel=stacklevel)
        if ridge.any():
            message = (
                f"{ridge.sum()} task(s) do not determine the coefficients that were selected for them (too few "
                "samples, features that repeat each other, or classes that can be separated), and got a small ridge: "
                f"{self.ridge_tasks_[:10].tolist()}. ridge_tasks_ names all; a larger strength selects less."
            )
            self._summary.notes.append(message)
            warnings.warn(message, UserWarning, stacklevel=stacklevel)

    def _settle(self, formulation, result):
        """Set what is fitted."""
        data = formulation.data
        self._parts = result.parts
        if result.dual is not None:
            # Where the coefficients alone do not lead to dual variables that prove how good they are.
            self._dual = result.dual
        self._set_model(data, formulation.problem.data, result.W, result.intercept)
        self.n_iter_ = max(result.n_iter, 1)
        self.objective_ = result.objective
        self.dual_gap_ = result.dual_gap
        if len(result.parts) == formulation.problem.penalty.n_parts:
            self._report(formulation.penalty, data.labels)

    def _set_model(self, data, term, W, b):
        """Set what predicts, the coefficients W (d, T) and intercepts b (T,), and what the loss says of them."""
        self._layout = data.layout
        self._size = data.size
        self.coef_ = np.ascontiguousarray(W.T)
        self.intercept_ = b
        self.tasks_ = data.task_labels
        if data.classes is not None:
            self._classes = data.classes
        if data.columns is not None:
            self._counts = data.columns.counts
        for name, value in term.loss.report(term.tasks, lambda: term.predict(W, b)).items():
            setattr(self, name, value)

    @property
    def _n_columns(self):
        """Of X, but for those of task and offset."""
        return self.coef_.shape[1]

    def _reported(self, penalty, labels):
        """{name: value} of what a penalty says of the parts."""
        return penalty.report(self._parts, labels)

    def _report(self, penalty, labels):
        """Set what a penalty says of the parts."""
        self._later = {}
        for name, value in self._reported(penalty, labels).items():
            if isinstance(value, Later):
                vars(self).pop(name, None)
                self._later[name] = value
            else:
                setattr(self, name, value)

    def __getattr__(self, name):
        """What a fit leaves to be computed when it is first read."""
        later = vars(self).get("_later", {})
        if name not in later:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        value = later[name]()
        setattr(self, name, value)
        return value

    def __dir__(self):
        # Displays read whatever is named, and of many tasks that must not make the matrices that are put off here.
        later = vars(self).get("_later", ()) if len(vars(self).get("tasks_", ())) <= NAMED else ()
        return [*super().__dir__(), *later]

    def _warm_start(self, formulation, last):
        """The last solution, where it is one of the same tasks and features."""
        shape, penalty = formulation.problem.shape, formulation.problem.penalty
        parts = last.get("_parts", ())
        if (
            len(parts) != penalty.n_parts
            or parts[0].shape != shape
            or not np.array_equal(last["tasks_"], formulation.data.task_labels)
        ):
            return None
        parts, dual = tuple(formulation.penalty.feasible(part) for part in parts), last.get("_dual")
        if dual is not None and not dual.fits(formulation.problem.tasks):
            dual = dual._replace(at=None, v=None)
        return Result(parts, last["intercept_"], last["objective_"], last["dual_gap_"], 0, Status.CONVERGED, dual=dual)

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

    def _repr_html_inner(self):
        return super()._repr_html_inner() + self._card()

    def _repr_mimebundle_(self, **kwargs):
        # (What notebooks ask for; what they show where they do not is the other one.)
        shown = super()._repr_mimebundle_(**kwargs)
        if "text/html" in shown:
            shown["text/html"] += self._card()
        return shown

    def _card(self):
        """What is shown below the diagram of parameters once it is fitted."""
        return explain_fit(self)._repr_html_() if hasattr(self, "_summary") else ""

    def _fitted_penalty(self, of_columns=True):
        """The penalty of the tasks that are known: with those that came after fit; of their columns, or as the user has
        it."""
        if "_extended" in vars(self) or not hasattr(self, "coef_"):
            return vars(self).get("_extended") or self._penalty()
        columns = self._columns if of_columns else None
        return self._bound(self.coef_.shape[1], _input.coef_names(self), columns)

    @property
    def _columns(self):
        """The Columns of W, where tasks have several classes; else None."""
        counts = vars(self).get("_counts")
        if counts is None:
            return None
        own = [self._classes] * len(counts) if isinstance(self._classes, np.ndarray) else self._classes
        return Columns(self.tasks_, own, counts)

    @property
    def _labels(self):
        """Labels of the rows of ``coef_``: tasks, or of columns of W task and class."""
        return self.tasks_ if self._columns is None else self._columns.labels

    def _fitted_parts(self, formulation=None):
        """The parts of W; in the features of a Formulation of the same samples, where one is given."""
        check_is_fitted(self, "coef_")
        return self._parts

    @property
    def feature_importances_(self):
        """Norm of every feature's coefficients across the tasks, (`n_features_in_`,), for feature selection.

        Unlike ``coef_`` it has an entry for the columns of task and offset, so that
        ``SelectFromModel(..., importance_getter="feature_importances_")`` keeps those: the mean of the others,
        which leaves the threshold "mean" where it is (or their median, where that is larger).
        """
        check_is_fitted(self, "coef_")
        importances = np.linalg.norm(self.coef_, axis=0)
        apart = _input.columns_apart(self, self.n_features_in_)
        # (A little more, so that rounding of a threshold does not end up above it.)
        own = max(importances.mean(), np.median(importances)) * (1 + 1e-12)
        return np.insert(importances, np.array(apart, dtype=int) - np.arange(len(apart)), own)

    @property
    def penalty(self):
        """ "l1" where a feature's coefficients can be exactly zero for all tasks, for feature selection.

        By this name and value ``SelectFromModel`` knows models that select features themselves, and keeps those in
        use, not those above the mean.
        """
        # (Before fit two tasks will do; what SelectFromModel says of its threshold it asks there.)
        d, labels = (self.coef_.shape[1], self._labels) if hasattr(self, "coef_") else (1, np.arange(2))
        with warnings.catch_warnings():
            # What is to be said of the penalty is said in fit.
            warnings.simplefilter("ignore", UserWarning)
            try:
                selects = self._fitted_penalty().resolve(d, labels).selects_features(len(labels))
            except (TypeError, ValueError):
                selects = False
        if not selects:
            raise AttributeError(f"The penalty of this {type(self).__name__} does not select features.")
        return "l1"

    # ------------------------------------------------------------------------------ predict

    def _scores(self, X, task, offset=None):
        """(x . w_t + b_t + offset, position of every row's task or None).

        The scores are (n, T) without task labels, (n,) with them or for a single 1-d target. The position of a task
        that fit has not seen is -1.
        """
        X, codes, offset = self._rows(X, task, offset)
        W, b = self.coef_, self.intercept_
        if codes is None:
            Z = X @ W.T + b
            return self._with_offset(Z if self._layout == "shared" else Z[:, 0], offset), None
        if np.any(codes < 0):
            # (Where -1 finds it.)
            W, b = np.vstack([W, W.mean(axis=0)]), np.append(b, b.mean())
        return self._with_offset(row_products(X, W, codes) + b[codes], offset), codes

    def _rows(self, X, task, offset):
        """(X without what are no features, position of every row's task or None, offset), read and checked."""
        check_is_fitted(self, "coef_")
        X, task, offset = _input.read_features(self, X, task, offset, reset=False)
        if X.shape[1] != self._n_columns:
            raise ValueError(f"X has {X.shape[1]} features beside the task, fit saw {self._n_columns}.")
        if task is None:
            if self._layout == "stacked" and len(self.tasks_) > 1:
                raise ValueError(
                    f"task is missing: {type(self).__name__} was fitted with {len(self.tasks_)} tasks that have "
                    "their own rows; pass task=..., the task of every row of X."
                )
            return X, None, offset
        return X, _input.find_tasks(task, self.tasks_, self.task_column, self.unseen_task), offset

    def _with_offset(self, Z, offset):
        """The scores (n,) or (n, T) with their offsets."""
        offset = _input.read_offset(offset, Z, column=self.offset_column)
        return Z if offset is None else Z + (offset if offset.ndim == Z.ndim else offset[:, None])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.input_tags.sparse = True
        return tags


def score_weights(missing, sample_weight):
    """(n, T) weights of the targets in a score, 0 where one is missing; an error if no task has any."""
    weight = np.ones(missing.shape)
    if sample_weight is not None:
        _input.refuse_mask(sample_weight, "sample_weight")
        given = np.asarray(sample_weight, dtype=float)
        weight = weight * (given if given.ndim == 2 else given[:, None])
    weight[missing] = 0.0
    if not np.any(weight > 0):
        raise ValueError("y has no target: all of them are missing.")
    return weight


def for_predict(task, offset, missing):
    """Options for ``predict``, of a score; where a target is ``missing`` its offset may be, too."""
    given = {} if task is None else {"task": task}
    if offset is not None:
        values = np.asarray(offset)
        holes = values.shape == missing.shape and values.dtype.kind == "f"
        given["offset"] = np.where(missing, 0.0, values) if holes else offset
    return given


def check_shape(y, z):
    if y.shape != z.shape:
        raise ValueError(f"y must have the shape of the predictions, {z.shape}, got {y.shape}.")


def printer(estimator):
    name = type(estimator).__name__

    def show(n_iter, objective, gap):
        print(f"[{name}] iteration {n_iter}: objective {objective:.8g}, duality gap {gap:.3g}")

    return show


def too_weak(estimator, strengths, wanted):
    """What is said of strengths that call for another tol, ``wanted``."""
    named = ", ".join(f"{name}={value:.3g}" for name, value in strengths.items())
    # (One that can be reached.)
    smaller = f"decrease tol to {wanted:.0e}, or " if wanted >= 1e-13 else ""
    return (
        f"{type(estimator).__name__}: the penalty is too weak for tol={estimator.tol:g} to see it. With {named} all of "
        "it is below the duality gap that tol allows, so that what it asks for (coefficients of exactly zero, tasks "
        f"that are alike) need not show. If it should, {smaller}use a larger strength."
    )


def no_best(estimator, labels):
    """What is said of tasks, with these labels, that have no best coefficients."""
    return (
        f"{type(estimator).__name__}: Coefficients without a penalty separate the classes of {len(labels)} task(s): "
        f"{labels[:10].tolist()}. No finite ones are the best there, and they grow until the gap is below tol. Use "
        "strengths above 0, and above 0 in feature_weights."
    )


def not_converged(estimator, problem, result):
    way_out = {
        Status.OUT_OF_ITERATIONS: "increase the number of iterations, scale the features, or increase tol.",
        Status.STALLED: "scale the features, use a larger strength, or increase tol.",
        Status.CONTRADICTED: "check the value of the penalty against its prox and its dual norm or conjugate.",
    }[result.status]
    # It begins as scikit-learn's warning does, for whoever filters by it.
    return (
        f"Objective did not converge. You might want to {way_out} {type(estimator).__name__}: {result.status.value} "
        f"Duality gap {result.dual_gap:.3g} after {result.n_iter} iterations, wanted "
        f"{problem.threshold(estimator.tol):.3g} (tol={estimator.tol:g})."
    )
