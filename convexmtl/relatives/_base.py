"""What relatives have in common: they read data as all estimators do, and lower an objective from several starts."""

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from .._compat import Interval
from .._progress import Steps, with_callbacks
from .._words import counted
from ..data import DataTerm
from ..estimators._base import COMMON_DEFAULTS, MultiTaskEstimator, all_or_nothing, initialiser
from ..problem import Problem
from ..result import Result, Status
from ..solvers import solve
from ._descent import agreeing, descend

STARTED = {"n_init": 5, "random_state": 0}
INSIDE = 0.1  # tol of the convex fits inside a step, as a share of that of the steps
INNER_ITERATIONS = 10_000  # of one convex fit
AGREE = 10  # times tol, within which two ends are one


class Fits:
    """The data of a relative, and the convex fits on them: made by the core, certified, and counted.

    Attributes
    ----------
    term : DataTerm
        The loss of all tasks; ``term.tasks`` has the samples.
    labels : ndarray of shape (T,)
        Of the tasks (of their columns, where tasks have more than two classes).
    data : Data
        All that was read.
    tol : float
        Of the convex fits.
    extra : object
        What a relative has beside all that.
    n_fits, n_failed : int
        Convex fits so far, and those that have not converged.
    """

    def __init__(self, term, data, tol, extra=None):
        self.term, self.data, self.labels, self.tol, self.extra = term, data, data.labels, tol, extra
        self.n_fits = self.n_failed = 0

    @property
    def tasks(self):
        return self.term.tasks

    @property
    def shape(self):
        """(d, T)"""
        return self.term.shape

    def solve(self, penalty, term=None, near=None, labels=None):
        """The Result of the loss with a penalty of convexmtl, of all tasks, or of another ``term`` whose tasks have
        these ``labels`` (by default positions), from the (W, b) of a similar fit, of a penalty with one part."""
        own = term is None
        term = self.term if own else term
        d, T = term.shape
        if labels is None:
            labels = self.labels if own else np.arange(T)
        with warnings.catch_warnings():
            # (Strengths that are too weak to matter are no news here.)
            warnings.simplefilter("ignore", UserWarning)
            problem = Problem(term, penalty.resolve(d, labels))
        start = None if near is None else Result((near[0],), near[1], np.inf, np.inf, 0, Status.OUT_OF_ITERATIONS)
        result = solve(problem, start, self.tol, INNER_ITERATIONS)
        self.n_fits += 1
        self.n_failed += not result.converged
        return result

    def losses(self, W, b):
        """(T,) weighted losses of the tasks at W (d, T) and intercepts b (T,)."""
        return task_losses(self.term, self.term.predict(W, b))


def task_losses(term, z):
    """(T,) what the tasks have of the loss, at predictions z (N,) with intercepts."""
    tasks = term.tasks
    return tasks.sum(tasks.weight * np.where(tasks.weight > 0, term.loss.value(tasks.y, z), 0.0))


class Relative:
    """Mixin in front of the base of the regressors or classifiers, for a model that is not one convex problem.

    It owes ``_parameters`` (name -> default), and

    - ``_check(data)``: raise a ValueError for numbers that make no sense for these data, before any work is done;
    - ``_starts(fits, rng)``: yield ``n_init`` states to begin with, that of the convex relaxation first;
    - ``_objective(fits, state)``: what is minimised, from what the state says alone;
    - ``_step(fits, state)``: a state whose objective is no higher;
    - ``_model(fits, state)``: (W (d, T), b (T,), {name: value} of its other attributes).

    Attributes
    ----------
    _choices : dict of str -> default
        More of its own, as keywords, before those that all have.
    _changed : dict of str -> default
        Defaults of common parameters that are others here.
    _kept : tuple of str
        Private attributes that ``fit`` sets.
    _without : tuple of str
        Common parameters that it does not have.
    _several : bool
        Whether tasks may have more than two classes, with a column of W each.
    """

    _choices = STARTED
    _changed: dict = {}
    _kept: tuple = ()
    _without: tuple = ()
    _unit_words = "what the objective at W = 0 is\n        above the loss of a perfect fit"
    _several = True
    warm_start = False

    _parameter_constraints = {
        **MultiTaskEstimator._parameter_constraints,
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "n_groups": [Interval(Integral, 1, None, closed="left")],
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "alpha": [Interval(Real, 0, None, closed="left")],
    }

    def __init_subclass__(cls, **kwargs):
        own = "__init__" in vars(cls)
        super().__init_subclass__(**kwargs)
        family = next((vars(base) for base in cls.__bases__ if "_parameters" in vars(base)), None)
        if own or family is None or not issubclass(cls, MultiTaskEstimator):
            return
        common = {name: v for name, v in COMMON_DEFAULTS.items() if name != "warm_start"}
        loss = {} if cls._loss is None else {"loss": cls._loss}
        keywords = {**cls._choices, **loss, **common, "max_iter": 100, "tol": 1e-5, **cls._changed}
        keywords = {name: value for name, value in keywords.items() if name not in cls._without}
        cls._defaults = {**family["_parameters"], **keywords}
        cls.__init__ = initialiser(cls, family["_parameters"], keywords)

    def _penalty(self):
        raise TypeError(f"{type(self).__name__} is no convex problem with a penalty: there is no certificate.")

    def _formulate(self, *args, **options):
        return self._penalty()

    def _fitted_state(self):
        return super()._fitted_state() | {n: v for n, v in vars(self).items() if n in self._kept}

    def _check(self, data):
        """Raise a ValueError for numbers that make no sense for these data."""

    def _at_most(self, name, most, what):
        """Raise a ValueError where a parameter is larger than ``most``, the number of ``what``."""
        value = getattr(self, name)
        # (Of a single task the smallest number that makes sense, so that defaults do for any data.)
        if value > max(most, 2):
            raise ValueError(f"{name} must be an integer between 1 and the number of {what} ({most}), got {value!r}.")

    @with_callbacks
    @all_or_nothing
    def fit(self, X, y, *, sample_weight=None, task=None, offset=None):
        self._fit(X, y, sample_weight, task, offset, stacklevel=6)
        return self

    fit.__doc__ = MultiTaskEstimator.fit.__doc__

    def _fit(self, X, y, sample_weight, task, offset, stacklevel, more=None):
        """``more``: function of the Data that makes, of checked input, what else the fits have."""
        data = self._read_checked(X, y, sample_weight, task, offset)
        extra = None if more is None else more(data)
        fits = Fits(self._term(data, stacklevel), data, INSIDE * self.tol, extra)
        steps, runs = Steps(self, getattr(self, "n_init", 1), X, y), []
        for k, start in enumerate(self._starts(fits, check_random_state(getattr(self, "random_state", None)))):
            runs.append(self._descend(fits, start, k))
            steps.done(f"start {k + 1}")
        best = min(runs, key=lambda run: run.objective)
        self._keep(fits, best, runs)
        self._warn(fits, best, stacklevel)
        steps.end()

    def _read_checked(self, X, y, sample_weight, task, offset):
        """Data, of which everything is checked."""
        data = self._read(X, y, sample_weight, task, offset, reset=True)
        if data.columns is not None and not self._several:
            label = data.columns.tasks.tolist()[int(np.argmax(data.columns.counts))]
            raise ValueError(
                f"Only binary classification is supported. {type(self).__name__} got more than two classes in task "
                f"{label!r}: fit one class against the rest."
            )
        if not data.loss.by_sample:
            raise ValueError(
                f"loss={self.loss!r} is a loss of all samples of a task at once, and {type(self).__name__} takes sums "
                "over samples: use 'squared', 'huber' or another of those."
            )
        self._check(data)
        return data

    def _term(self, data, stacklevel):
        """The DataTerm of the samples that count."""
        tasks, fixed = self._without_constant_tasks(data.tasks.present, data.loss, data.labels, stacklevel + 1)
        return DataTerm(tasks, data.loss, self.fit_intercept, fixed)

    def _unit(self, fits):
        """What ``tol`` is a share of; ``_unit_words`` says it."""
        return fits.term.threshold(1.0)

    def _descend(self, fits, start, k):
        def show(n_steps, objective):
            print(f"[{type(self).__name__}] start {k + 1}, step {n_steps}: objective {objective:.8g}")

        gain = self._unit(fits)
        return descend(
            start,
            lambda state: self._objective(fits, state),
            lambda state: self._step(fits, state),
            enough=self.tol * gain,
            # (Of some convex fits per step.)
            slack=AGREE * fits.tol * gain,
            max_iter=self.max_iter,
            show=show if self.verbose else None,
        )

    def _keep(self, fits, best, runs):
        """Set what is fitted."""
        W, b, found = self._model(fits, best.state)
        self._set_model(fits.data, fits.term, W, b)
        self.n_iter_ = max(len(best.history) - 1, 1)
        self.objective_, self.objective_history_ = best.objective, np.array(best.history)
        self.objectives_ = np.array([run.objective for run in runs])
        self.n_agreeing_ = agreeing(self.objectives_, AGREE * self.tol * self._unit(fits))
        self.n_fits_ = fits.n_fits
        for name, value in found.items():
            setattr(self, name, value)

    def _warn(self, fits, best, stacklevel):
        name, wanted = type(self).__name__, self.tol * self._unit(fits)
        if best.risen and not best.converged:
            warnings.warn(
                f"Objective did not converge. {name}: step {len(best.history)} would have raised the objective by "
                f"{best.risen:.3g}, more than the convex fits inside it may leave; it was not taken. Scale the "
                "features, or decrease tol.",
                ConvergenceWarning,
                stacklevel=stacklevel,
            )
        elif not best.converged:
            last = best.history[-2] - best.history[-1]
            warnings.warn(
                f"Objective did not converge. You might want to increase max_iter, or tol. {name}: the last of "
                f"{self.max_iter} steps lowered the objective by {last:.3g}, wanted at most {wanted:.3g} "
                f"(tol={self.tol:g}).",
                ConvergenceWarning,
                stacklevel=stacklevel,
            )
        if fits.n_failed:
            warnings.warn(
                f"Objective did not converge. {name}: {counted(fits.n_failed, 'convex fit')} of {fits.n_fits} inside "
                "the steps did not reach the tolerance. Scale the features, or increase tol.",
                ConvergenceWarning,
                stacklevel=stacklevel,
            )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if tags.classifier_tags is not None:
            tags.classifier_tags.multi_class = self._several
        return tags
