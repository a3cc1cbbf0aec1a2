"""What estimators of kernels have in common: the samples become features, and the rest is that of linear models."""

from dataclasses import replace
from numbers import Integral, Real

import numpy as np
from sklearn.metrics.pairwise import PAIRWISE_KERNEL_FUNCTIONS
from sklearn.utils.validation import check_is_fitted

from .. import _input
from .._compat import Interval, StrOptions
from .._words import counted
from ..coupling import InSpan, clean_spectrum
from ..estimators._cv import CrossValidated, spaced
from ..estimators._docs import FITTED
from ..penalties import Coupling, MeanCoupling, Penalty, SquaredTraceNorm, TaskCoupling
from ..penalties.base import Later
from ..problem import Problem
from ..solvers import span
from ._features import ASYMMETRIC, Span, features_of, many_are_needed

WITH_GAMMA = {"rbf", "laplacian", "poly", "polynomial", "sigmoid", "chi2"}
SINGULAR = 1e-12  # smallest eigenvalue of a kernel of tasks, beside its largest one

TASK_KERNEL = """task_kernel : Coupling, array-like of shape (T, T) or "learned", default=None
        How the tasks are related: a coupling tr(W M W'), whose kernel of the tasks is M^-1 / 2; that kernel itself,
        positive definite, in the order of `tasks_`; or "learned". None is ``MeanCoupling(1.0, 10.0)``."""

KERNELS = """kernel : str or callable, default="rbf"
        Of the samples: any name of ``sklearn.metrics.pairwise.pairwise_kernels``; a function of two samples; or
        "precomputed", for an X that is the kernel of all samples with each other (for predictions, with those of fit).
    {gamma}degree : float, default=3
        Of the kernel "poly".
    coef0 : float, default=1
        Of the kernels "poly" and "sigmoid".
    kernel_params : dict, default=None
        Further parameters, of a callable kernel.
    n_components : int, default=None
        Approximates the kernel by so many features, for more samples than a square matrix has room for; None is
        exact.
    approximation : {"nystroem", "fourier"}, default="nystroem"
        By ``sklearn.kernel_approximation.Nystroem`` or, of the kernel "rbf", by ``RBFSampler``.
    random_state : int or RandomState, default=0
        Of the approximation."""

GAMMA = """gamma : float, default=None
        Of the kernels "rbf", "laplacian", "poly", "sigmoid" and "chi2"; None is their own default, which is 1 / d
        (of "chi2" 1).
    """

GAMMAS = """gammas : int or array-like, default=5
        Values of gamma, with a path for each; or how many, evenly spaced in logarithm from 0.1 / d to 10 / d. Kernels
        without a gamma have one path."""

CARRIED = """dual_coef_ : ndarray of shape (T, r)
        f_t(x) = sum_i dual_coef_ti k(x, X_fit_i), one row per task (of a classifier one per column, see `columns_`); of
        an approximation, the coefficients of its features.
    X_fit_ : ndarray or sparse matrix of shape (r, d)
        The samples that carry the functions: all of them, or as many as are independent; of a precomputed kernel their
        positions (r,).
    task_kernel_ : ndarray of shape (T, T)
        The kernel of the tasks, at alpha = 1; where it is learned, this is `task_covariance_`."""


PARAMETERS = {"task_kernel": None, "alpha": 0.1}


class Kernelised:
    """Mixin in front of the base of the regressors or classifiers.

    Attributes
    ----------
    _fields : dict of str -> str
        What docstrings have for kernels, for ``documented``.
    """

    _fields = {
        "{task_kernel}": TASK_KERNEL,
        "{kernel}": KERNELS.replace("{gamma}", GAMMA),
        "{gammas}": f"{GAMMAS}\n    {KERNELS.replace('{gamma}', '')}",
        "{functions}": f"{CARRIED}\n    {FITTED}",
    }
    _choices = {
        "kernel": "rbf",
        "gamma": None,
        "degree": 3,
        "coef0": 1,
        "kernel_params": None,
        "n_components": None,
        "approximation": "nystroem",
        "random_state": 0,
    }
    _structure = ("task_kernel",)
    _of_features = False
    _parameter_constraints = {
        "kernel": [StrOptions({*PAIRWISE_KERNEL_FUNCTIONS, "precomputed"}), callable],
        "gamma": [Interval(Real, 0, None, closed="left"), None],
        "degree": [Interval(Real, 0, None, closed="left")],
        "coef0": [Interval(Real, None, None, closed="neither")],
        "kernel_params": [dict, None],
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "approximation": [StrOptions({"nystroem", "fourier"})],
        "random_state": ["random_state"],
    }

    def _penalty(self):
        return penalty_of(self.task_kernel, self.alpha)

    @property
    def _gamma(self):
        return self.gamma

    def _fitted_state(self):
        state = super()._fitted_state()
        return state | ({"_features": self._features} if "_features" in vars(self) else {})

    def _state(self, data, stacklevel=2):
        features = features_of(self)
        X = features.fit_transform(data.tasks.X, _order(data))
        return super()._state(_with(data, X, features), stacklevel + 1)

    def _fit(self, data, stacklevel):
        """In the span of the samples, where one of its two solvers is for the problem, or in features of the kernel."""
        found = self._in_span(data, stacklevel + 1)
        if found is not None:
            result = self._solved(found, by=span.solve)
            if result.converged:
                return self._finish(found, stacklevel + 1, result=result)
        super()._fit(data, stacklevel + 1)

    def _in_span(self, data, stacklevel):
        """The Formulation of coefficients of the samples; None where features are better, or all there is."""
        features, tasks, order = features_of(self), data.tasks, _order(data)
        penalty = self._bound(tasks.n_features, None, data.columns).resolve(tasks.n_features, data.labels)
        by_samples = span.applies(penalty, data.loss.at(tasks), tasks)
        if self.n_components is not None or not by_samples or tasks.present is not tasks:
            return None
        K = features.matrix(tasks.X, order)
        if not many_are_needed(K):
            return None
        if not features.is_definite:
            features.factored(tasks.X, K.copy(order="F"), order)
        samples = tasks.X
        if self.kernel == "precomputed":
            samples = np.arange(len(K)) if order is None else order
        found = super()._state(_with(data, K, Span(features, samples)), stacklevel + 1)
        penalty = replace(found.problem.penalty, coupling=InSpan(found.problem.penalty.coupling, K))
        return found._replace(problem=Problem(found.problem.data, penalty))

    def _fitted_parts(self, formulation=None):
        (W,) = super()._fitted_parts(formulation)
        if formulation is None or not isinstance(self._features, Span):
            return (W,)
        return (formulation.data.tasks.X.T @ W,)

    def _warm_start(self, formulation, last):
        alike = isinstance(last.get("_features"), Span) == isinstance(formulation.data.features, Span)
        return super()._warm_start(formulation, last) if alike else None

    def _settle(self, formulation, result):
        super()._settle(formulation, result)
        self._features = formulation.data.features
        self.coef_ = np.ascontiguousarray(self._features.weights(result.W))
        # (In the span of the samples W alone does not say how large the functions are.)
        size = formulation.problem.penalty.value(result.parts)
        self._summary = replace(
            self._summary,
            said=[said._replace(value=size) for said in self._summary.said],
            minimised=[line.replace("x_ti . w_t", "f_t(x_ti)") for line in self._summary.minimised],
            constant=np.zeros(0, dtype=int),
            scales=np.ones(len(result.W)),
        )

    @property
    def dual_coef_(self):
        check_is_fitted(self, "coef_")
        return self.coef_

    @property
    def X_fit_(self):
        check_is_fitted(self, "coef_")
        return self._features.samples

    @property
    def feature_importances_(self):
        raise AttributeError(f"{type(self).__name__} has no coefficients of features.")

    @property
    def _n_columns(self):
        return self.n_features_in_ - len(_input.columns_apart(self, self.n_features_in_))

    def _about_columns(self):
        """What is said of the fit in place of its features."""
        name = self.kernel if isinstance(self.kernel, str) else getattr(self.kernel, "__name__", repr(self.kernel))
        return "kernel", f"{name}, {counted(self.coef_.shape[1], 'function')} of {counted(self._n_columns, 'column')}"

    def _rows(self, X, task, offset):
        X, codes, offset = super()._rows(X, task, offset)
        return self._features.columns(X), codes, offset

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.kernel == "precomputed"
        return tags


class KernelisedCV(CrossValidated, Kernelised):
    """``{single}`` with alpha and gamma chosen by cross-validation:

    minimise {objective} + alpha Omega(f).

    {summary}

    Parameters
    ----------
    {task_kernel}
    {gammas}
    {common}
    {search}

    Attributes
    ----------
    alpha_, gamma_ : float
        What was chosen; `gamma_` only for kernels that have one.
    {searched}
    {functions}{classes}

    Examples
    --------
    {start}
    >>> model = {name}(gammas=[0.01, 0.1], alphas=3, cv=2).fit(X, Y)
    >>> model.gamma_ in (0.01, 0.1)
    True
    """

    _fields = {
        **Kernelised._fields,
        "{objective}": "sum_t mean_i loss(y_ti, f_t(x_ti) + b_t)",
        "{classes}": "",
    }
    _replaced = ("alpha", "gamma")
    _searched = {"gammas": 5}
    _selections = ("best", "1se")

    def _settings(self, n_features, n_tasks):
        if self.kernel not in WITH_GAMMA:
            return [{"alpha": 1.0}]
        return [{"alpha": 1.0, "gamma": gamma} for gamma in spaced(self.gammas, 0.1 / n_features, 10 / n_features)]

    @property
    def _gamma(self):
        return vars(self).get("gamma_")


def _order(data):
    """(n,) positions of the rows of the tasks among those of the user, where they are others."""
    return None if data.codes is None else np.argsort(data.codes, kind="stable")


def _with(data, X, features):
    """The Data with this in place of X, and what has made it."""
    own = None if data.own is None else replace(data.own, X=X)
    return data._replace(tasks=replace(data.tasks, X=X), own=own, names=None, features=features)


class OfFunctions(Coupling):
    """Omega(f) = alpha tr(W M W'), f_t(x) = x . w_t in the features of the kernel, for any coupling tr(W M W').

    Parameters
    ----------
    coupling : Penalty
        Without kinks.
    alpha : float
    """

    def __init__(self, coupling, alpha=1.0):
        self.coupling = coupling
        self.alpha = alpha

    @property
    def asks(self):
        return self.coupling.asks

    @property
    def formula(self):
        return f"alpha ({self.coupling.formula})"

    def check(self, n_features, labels):
        super().check(n_features, labels)
        if self.coupling.resolve(n_features, labels).terms:
            raise ValueError(
                f"task_kernel must be a coupling of the tasks, tr(W M W'), got {self.coupling!r}, which is none: take "
                "MeanCoupling, ClusterCoupling, GraphLaplacian, TaskCoupling, or a sum of them."
            )

    def bind(self, labels):
        return self.replaced(coupling=self.coupling.bind(labels))

    def operator(self, n_tasks):
        return self.coupling.resolve(1, np.arange(n_tasks)).coupling.scaled(self.alpha)

    def expression(self, W, cp):
        value, rules = self.coupling.expression(W, cp)
        return self.alpha * value, rules

    def report(self, parts, labels):
        """``labels_`` of known clusters; and ``task_kernel_``."""
        said = self.coupling.report(parts, labels)
        clusters = {name: value for name, value in said.items() if name == "labels_"}
        return clusters | {"task_kernel_": Later(_kernel_of, self, len(labels))}

    def describe(self, parts, labels):
        (said,) = super().describe(parts, labels)
        return [said._replace(name=type(self.coupling).__name__)]

    def parameters(self):
        return {"alpha": self.alpha, **self.coupling.parameters()}


def _kernel_of(penalty, n_tasks):
    values, vectors = clean_spectrum(penalty.replaced(alpha=1.0).matrix(n_tasks))
    if not values[0] > 0:
        return np.full((n_tasks, n_tasks), np.inf)
    return (vectors / (2 * values)) @ vectors.T


def penalty_of(task_kernel, alpha):
    """The penalty of the functions, by what a user says of the kernel of the tasks."""
    if isinstance(task_kernel, str):
        if task_kernel != "learned":
            raise ValueError(f'task_kernel must be a coupling, an array or "learned", got {task_kernel!r}.')
        return SquaredTraceNorm(alpha)
    if task_kernel is None:
        task_kernel = MeanCoupling(1.0, 10.0)
    elif not isinstance(task_kernel, Penalty):
        task_kernel = TaskCoupling(_inverse(task_kernel))
    return OfFunctions(task_kernel, alpha)


def _inverse(kernel):
    """B^-1 / 2, of a kernel of the tasks."""
    try:
        B = np.asarray(kernel, dtype=float)
    except (TypeError, ValueError):
        B = np.empty(0)
    if B.ndim != 2 or B.shape[0] != B.shape[1]:
        raise ValueError(
            f'task_kernel must be a coupling, "learned", or an array of shape (T, T), one row and column per task, got '
            f"{kernel!r}."
        )
    if not np.isfinite(B).all():
        raise ValueError("task_kernel must be finite, got NaN or infinity.")
    top = np.abs(B).max()
    if np.abs(B - B.T).max() > ASYMMETRIC * top:
        raise ValueError(f"task_kernel must be symmetric, got entries that differ by {np.abs(B - B.T).max():g}.")
    values, vectors = np.linalg.eigh((B + B.T) / 2)
    if not values[0] > SINGULAR * values[-1]:
        raise ValueError(
            f"task_kernel must be positive definite, its smallest eigenvalue is {values[0]:.3g}: add a multiple of the "
            "identity, for what every task has of its own."
        )
    return (vectors / (2 * values)) @ vectors.T
