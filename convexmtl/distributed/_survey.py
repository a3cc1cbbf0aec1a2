"""What is to be known of all samples before the first round, and what every part is told of it."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import is_classifier

from .. import _input
from .._classes import Columns
from .._words import listed
from ..data import DataTerm
from ..estimators._formulation import Data, refuse_offsets
from ..statistics import _positions, _union
from ..tasks import Tasks
from ._reading import read

MANY = 10**6  # samples of a task that says nothing, of which its intercept is made


@dataclass(frozen=True)
class Survey:
    """Of the samples that count.

    Attributes
    ----------
    labels : ndarray of shape (T,)
    totals, counts, sums : ndarray of shape (T,)
        Sums of the weights, numbers, and weighted sums of the targets, which classes have not.
    pairs : dict of (label, class) -> (number, sum of the weights)
        Of a classifier.
    offset : bool
        Whether samples have any.
    """

    labels: Any
    totals: np.ndarray
    counts: np.ndarray
    sums: np.ndarray
    pairs: dict
    offset: bool = False

    def __add__(self, other):
        labels = _union(self.labels, other.labels)
        arrays = np.zeros((3, len(labels)))
        for part in (self, other):
            arrays[:, _positions(part.labels, labels)] += part.totals, part.counts, part.sums
        pairs = dict(self.pairs)
        for pair, (count, weight) in other.pairs.items():
            n, total = pairs.get(pair, (0, 0.0))
            pairs[pair] = n + count, total + weight
        return Survey(labels, *arrays, pairs, self.offset or other.offset)


class Plan(NamedTuple):
    """What every part is told before the first round.

    Attributes
    ----------
    labels : ndarray of shape (T,)
        Of the tasks.
    factor : ndarray of shape (T,)
        What a sample weight is multiplied by to be what the sample counts.
    signs : dict of (label, class) -> float, or None
        The targets of a classifier: -1 and 1, or 0, 1, ... of more than two classes.
    loss : Loss
        Of the tasks.
    columns : Columns or None
        Of W, where tasks have several.
    counted : ndarray of shape (n_columns,) or None
        Which columns of W samples count for; None for all of them.
    """

    labels: Any
    factor: np.ndarray
    signs: Any
    loss: Any
    columns: Any = None
    counted: Any = None

    @property
    def owner(self):
        """(n,) the task of every column of W."""
        return np.arange(len(self.labels)) if self.columns is None else self.columns.owner

    @property
    def of_columns(self):
        """(labels (n,) of the columns of W, the loss of them)."""
        if self.columns is None:
            return self.labels, self.loss
        return self.columns.labels, self.columns.loss(self.loss)


def surveyed(chunk, index, estimator):
    """(Agreement, Survey) of a chunk; None where it has no rows."""
    found = read(estimator, chunk, index)
    if found is None:
        return None
    agreement, samples, offset = found
    try:
        survey = survey_of(samples, None if is_classifier(estimator) else estimator._checked_loss())
        return agreement, replace(survey, offset=offset is not None)
    except ValueError as error:
        raise ValueError(f"chunk {index}: {error}") from error


def survey_of(samples, loss):
    """The Survey of Samples as they were handed over, whose targets are in the domain of the loss; None of classes."""
    y, codes, weight, T = samples.y, samples.codes, samples.weight, len(samples.labels)
    missing = _input.missing_mask(y)
    counted, task = counted_of(samples, missing)
    totals = _input.task_totals(np.where(missing, np.nan, 0.0), codes, weight, T)
    counts, values = np.bincount(task, minlength=T).astype(float), y[counted]
    each = np.ones(len(values))
    if weight is not None:
        each = np.broadcast_to(weight if weight.ndim == y.ndim else weight[:, None], y.shape)[counted].astype(float)
    if loss is not None:
        values = values.astype(float)
        loss.check_targets(values)
        return Survey(samples.labels, totals, counts, np.bincount(task, weights=each * values, minlength=T), {})
    labels, pairs = samples.labels.tolist(), {}
    known, place = {}, np.empty(len(values), dtype=np.int64)
    for i, pair in enumerate(zip(task.tolist(), values.tolist(), strict=True)):
        place[i] = known.setdefault(pair, len(known))
    numbers, weights = np.bincount(place), np.bincount(place, weights=each)
    for (t, value), n, total in zip(known, numbers.tolist(), weights.tolist(), strict=True):
        pairs[labels[t], value] = n, total
    return Survey(samples.labels, totals, counts, np.zeros(T), pairs)


def counted_of(samples, missing):
    """(mask of the samples that count, task of each of them)."""
    counted = ~missing
    if samples.weight is not None:
        counted &= (samples.weight if samples.weight.ndim == missing.ndim else samples.weight[:, None]) > 0
    if samples.codes is not None:
        return counted, samples.codes[counted]
    column = np.zeros(len(missing), dtype=int) if missing.ndim == 1 else np.arange(missing.shape[1])
    return counted, np.broadcast_to(column, missing.shape)[counted]


class Planned(NamedTuple):
    """What is made of a Survey.

    Attributes
    ----------
    plan : Plan
    data : Data
        Of a few rows that stand for the targets.
    counted : ndarray of shape (n_columns,)
        Which columns of W samples count for.
    fixed : ndarray of shape (n_columns,) or None
        Intercepts of the others.
    intercept : ndarray of shape (n_columns,)
        The best ones at W = 0, or near these where only samples know them.
    weight : ndarray of shape (T,)
        What every task counts.
    """

    plan: Plan
    data: Data
    counted: np.ndarray
    fixed: Any
    intercept: np.ndarray
    weight: np.ndarray


def planned(estimator, survey, loss, layout, stacklevel, whole=None):
    """Planned, for the Survey of all samples; of some of them, where ``whole`` is that of all: tasks count what they do
    there, and have the classes of there."""
    labels, totals = survey.labels, survey.totals
    _input.refuse_empty_tasks(totals, labels)
    task_weight = _input.read_task_weight(estimator.task_weight, totals)
    weight = np.ones(len(labels)) if task_weight is None else task_weight
    signs = classes = columns = None
    if whole is not None:
        weight, signs, classes, columns = whole.weight, whole.plan.signs, whole.data.classes, whole.plan.columns
    elif loss.classification:
        signs, classes = _signed(estimator, survey)
        columns = Columns.of(labels, classes, loss)
    tasks = _few(survey, signs, columns, weight)
    plan = Plan(labels, weight / totals, signs, loss, columns)
    own = None
    if columns is not None:
        refuse_offsets(survey.offset or None, columns)
        own, tasks = tasks, columns.samples(tasks, loss)
    names, of_columns = plan.of_columns
    tasks = replace(tasks, kind=of_columns.kinds(names.tolist()))
    of_columns = _only(of_columns, tasks)
    left, fixed = estimator._without_constant_tasks(tasks, of_columns, names, stacklevel + 1)
    counted = left.mass > 0
    if survey.offset and fixed is not None:
        silent = names[~counted].tolist()
        raise ValueError(f"tasks {listed(map(repr, silent))} have {loss.silence}, and offsets: leave them out.")
    data = Data(
        tasks, of_columns, names, layout, classes, None, None, totals.mean(), _input.coef_names(estimator), columns, own
    )
    intercept = DataTerm(left, of_columns, estimator.fit_intercept, fixed).trivial[1]
    if survey.offset:
        data = data._replace(tasks=replace(tasks, offset=np.zeros(len(tasks.y))))
    return Planned(plan._replace(counted=counted), data, counted, fixed, intercept, weight)


def _only(loss, tasks):
    """The one loss of all tasks, where that is so."""
    groups = loss.groups(tasks)
    return groups[0][0] if len(groups) == 1 else loss


def _signed(estimator, survey):
    """({(label, class): code}, classes as estimators have them)."""
    labels = survey.labels
    where = {label: t for t, label in enumerate(labels.tolist())}
    pairs = sorted(survey.pairs, key=lambda pair: where[pair[0]])
    codes = np.array([where[label] for label, _ in pairs])
    encoded, classes = estimator._encode(_input.label_array([value for _, value in pairs]), codes, labels)
    return dict(zip(pairs, encoded.tolist(), strict=True)), classes


def _few(survey, signs, columns, weight):
    """Tasks without features: the mean of the targets of each, or a row for each of its classes, with the weights of
    all samples; and as many rows as it has samples where the targets say nothing, or not of all columns."""
    labels, T = survey.labels, len(survey.labels)
    counts, totals = survey.counts.astype(np.int64), survey.totals
    if signs is None:
        codes, y, each, many = np.arange(T), survey.sums / totals, weight, survey.sums == 0
        number = counts
    else:
        where = {label: t for t, label in enumerate(labels.tolist())}
        pairs = list(survey.pairs.items())
        codes = np.array([where[label] for (label, _), _ in pairs])
        y = np.array([signs[pair] for pair, _ in pairs])
        number, own = (np.array([told[k] for _, told in pairs]) for k in (0, 1))
        each = own * (weight / totals)[codes]
        wanted = 2 if columns is None else np.maximum(columns.counts, 2)
        many = np.bincount(codes, minlength=T) < wanted
    sizes = np.where(many[codes], np.minimum(number, MANY), 1).astype(np.int64)
    codes, y, each = (np.repeat(array, sizes) for array in (codes, y, each / sizes))
    return Tasks.stacked(np.zeros((len(codes), 0)), y, codes, T, each, weight)
