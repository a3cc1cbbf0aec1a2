"""What the user hands over, checked and turned into a Problem."""

import warnings
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import ClassifierMixin

from .. import _input
from .._classes import Columns
from ..data import DataTerm
from ..losses import get_loss
from ..penalties import Weighted
from ..problem import Problem
from ..tasks import Tasks


class Samples(NamedTuple):
    """What the user has handed over, checked and read."""

    X: Any
    y: np.ndarray  # (n,) or (n, T)
    layout: str  # "single", "shared" or "stacked"
    labels: np.ndarray
    codes: np.ndarray | None  # (n,) position of every row's task, where the layout is stacked
    weight: np.ndarray | None  # sample weights
    offset: np.ndarray | None  # (n,) or (n, T)
    classes: Any


class Data(NamedTuple):
    """What is to be fitted, as Tasks; ``codes`` and ``weight`` are those of the Samples, where it was made of them."""

    tasks: Tasks
    loss: Any
    labels: np.ndarray
    layout: str
    classes: Any
    codes: np.ndarray | None
    weight: np.ndarray | None
    size: float  # mean over the tasks of the sums of their weights
    names: np.ndarray | None = None  # of the features, where they have any
    columns: Columns | None = None  # of W, where tasks have several; the tasks and their labels are columns then
    own: Tasks | None = None  # the tasks themselves, where they have several, with codes of classes as targets
    features: Any = None  # what X of the tasks was made by, where it is not that of the user

    @property
    def task_labels(self):
        """Of the tasks themselves."""
        return self.labels if self.columns is None else self.columns.tasks

    @property
    def has_own_classes(self):
        """Whether tasks have more than two classes, and not all of them the same."""
        return self.columns is not None and not isinstance(self.classes, np.ndarray)

    @property
    def by_task(self):
        """The samples of the tasks themselves, whose targets are, of more than two classes, 0, 1, ...

        It is for whatever deals out rows, or leaves out tasks; only what knows coefficients asks for columns.
        """
        return self.tasks if self.own is None else self.own


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


class Formulates:
    """Mixin: from data and parameters to a Formulation.

    It asks the estimator for ``_penalty()``, ``_read_targets`` and ``_encode``.
    """

    def _formulate(self, X, y, *, sample_weight=None, task=None, offset=None, reset=False):
        """Check everything the user has said and turn it into a Formulation."""
        return self._state(self._read(X, y, sample_weight, task, offset, reset), stacklevel=4)

    def _read(self, X, y, sample_weight, task, offset=None, reset=False):
        """Data; everything that the user has said of them is checked."""
        self._validate_params()
        loss = self._checked_loss()
        samples = self._samples(X, y, sample_weight, task, offset, reset)
        X, y, codes, weight, labels = samples.X, samples.y, samples.codes, samples.weight, samples.labels
        totals = _input.task_totals(y, codes, weight, len(labels))
        _input.refuse_empty_tasks(totals, labels)
        task_weight = _input.read_task_weight(self.task_weight, totals)
        if codes is not None:
            tasks = Tasks.stacked(X, y, codes, len(labels), weight, task_weight, samples.offset)
        else:
            tasks = Tasks.shared(X, y.reshape(len(y), -1), weight, task_weight, samples.offset)
        _input.refuse_overflow(tasks.present.X)
        columns = None if samples.classes is None else Columns.of(labels, samples.classes, loss)
        own = None
        if columns is not None:
            refuse_offsets(samples.offset, columns)
            own = tasks
            tasks, loss, labels = columns.samples(tasks, loss), columns.loss(loss), columns.labels
        kinds = loss.kinds(labels.tolist())
        if kinds is not None:
            tasks = replace(tasks, kind=kinds)
        groups = loss.groups(tasks)
        for one, some in groups:
            one.check_targets(tasks.y[tasks.counted_of(some)[0]])
        if len(groups) == 1:
            ((loss, _),) = groups
        if loss.quadratic:
            tasks = tasks.without_offset()
        names = _input.coef_names(self)
        return Data(
            tasks, loss, labels, samples.layout, samples.classes, codes, weight, totals.mean(), names, columns, own
        )

    def _samples(self, X, y, sample_weight, task, offset, reset):
        """Samples, each part of them checked."""
        samples, offset = self._as_handed_over(X, y, sample_weight, task, offset, reset)
        y, classes = self._encode(samples.y, samples.codes, samples.labels)
        offset = _input.read_offset(offset, y, samples.weight, self.offset_column)
        return samples._replace(y=y, classes=classes, offset=offset)

    def _as_handed_over(self, X, y, sample_weight, task, offset, reset):
        """(Samples with classes as the user has them, offset as it is)."""
        _input.require_targets(self, y)
        first = reset or not hasattr(self, "n_features_in_")
        X, task, offset = _input.read_features(self, X, task, offset, first)
        names = _input.target_names(y)
        y = self._read_targets(y, task is not None)
        _input.require_equal_rows(X, y)
        weight = _input.read_sample_weight(sample_weight, X, y)
        return Samples(X, y, *_input.read_layout(y, task, names), weight, None, None), offset

    def _state(self, data, stacklevel=2):
        """The Formulation of this estimator's problem on the data."""
        labels, d = data.labels, data.tasks.n_features
        # After a fit without the penalty, the support that this has left takes its place.
        penalty = vars(self).get("_support") or self._bound(d, data.names, data.columns)
        canonical = penalty.resolve(d, labels)
        tasks, fixed = self._without_constant_tasks(data.tasks.present, data.loss, labels, stacklevel + 1)
        problem = Problem(DataTerm(tasks, data.loss, self.fit_intercept, fixed), canonical)
        with np.errstate(over="ignore", invalid="ignore"):
            at_zero = problem.data.trivial[0]
        if not np.isfinite(at_zero):
            raise ValueError(
                f"y is too large, up to {np.abs(tasks.y).max():.3g}: the loss overflows. Rescale the targets."
            )
        return Formulation(problem, penalty.bind(labels), data)

    def _weighted(self):
        """The penalty, with the weights of the features."""
        weights = getattr(self, "feature_weights", None)
        return self._penalty() if weights is None else Weighted(self._penalty(), weights)

    def _bound(self, n_features, names, columns):
        """The penalty with what it says of features by name, and of tasks that have several columns."""
        penalty = self._weighted().bind_features(n_features, names)
        return penalty if columns is None else penalty.of_columns(columns)

    def _checked_loss(self):
        loss = get_loss(self.loss)
        if loss.classification != isinstance(self, ClassifierMixin):
            kind = "classifiers" if loss.classification else "regressors"
            raise ValueError(f"loss={self.loss!r} is a loss for {kind}, not for {type(self).__name__}.")
        return loss

    def _without_constant_tasks(self, tasks, loss, labels, stacklevel=2, others=False):
        """Tasks whose targets have no finite best intercept lose their weight and get a fixed intercept.

        ``others``: whether there are tasks beside these.
        """
        constant = np.full(tasks.n_tasks, np.nan)
        for one, some in loss.groups(tasks):
            if not one.by_column:
                if self.fit_intercept:
                    constant[some] = one.constants(tasks, some)
                continue
            own, ptr, some = tasks.counted_of(some)
            if not len(some) or not (self.fit_intercept or one.classification):
                continue
            silent = some[one.silent(tasks.y[own], ptr)]
            if self.fit_intercept:
                constant[some] = one.constant(tasks.y[own], ptr)
                if tasks.offset is not None:
                    constant[some] -= one.away(tasks.offset[own], ptr)
            if len(silent):
                if one.classification and tasks.n_tasks == 1 and not others:
                    raise ValueError("y has only 1 class; a classifier needs samples of 2 classes.")
                warnings.warn(
                    f"{len(silent)} task(s) have {one.silence} and say nothing of their coefficients: "
                    f"{labels[silent[:10]].tolist()}. "
                    "Their prediction is constant, up to what the penalty borrows from the other tasks.",
                    UserWarning,
                    stacklevel=stacklevel,
                )
        finite = np.isnan(constant)
        if finite.all():
            return tasks, None
        weight = tasks.weight * tasks.spread(finite)
        return replace(tasks, weight=weight), np.where(finite, 0.0, constant)


def refuse_offsets(offset, columns):
    """Raise a ValueError for offsets where tasks have more than two classes."""
    if offset is None:
        return
    label = columns.tasks.tolist()[int(np.argmax(columns.counts))]
    raise ValueError(
        f"offset is not for tasks with more than two classes, which task {label!r} has: a number for every sample adds "
        "to the scores of all classes alike. Leave it out, or fit the task with two classes."
    )
