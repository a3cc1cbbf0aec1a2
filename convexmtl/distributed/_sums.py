"""What the squared loss needs of a chunk, and the folds of a search: sums that are merged in order."""

from dataclasses import dataclass, replace
from functools import reduce
from numbers import Integral
from typing import Any

import numpy as np

from .. import _input
from ..estimators._folds import of_others, paired
from ..statistics import BY_TASK, SufficientStatistics, _positions, _union
from ._engine import size_of
from ._reading import own_names, read


def statistics_of(chunk, index, estimator):
    """(Agreement, SufficientStatistics) of a chunk, or None where it has no rows."""
    found = _targets_of(chunk, index, estimator)
    if found is None:
        return None
    agreement, samples, y = found
    return agreement, _of(samples, y, slice(None), own_names(estimator))


def folds_of(chunk, index, estimator, n_folds):
    """(Agreement, Folds) of a chunk, or None where it has no rows."""
    found = _targets_of(chunk, index, estimator)
    if found is None:
        return None
    agreement, samples, y = found
    counted = _counted(samples, y)
    rows = np.flatnonzero(counted)
    if samples.codes is None:
        place, counts = np.arange(len(rows)), np.array([len(rows)])
    else:
        codes = samples.codes[rows]
        counts = np.bincount(codes, minlength=len(samples.labels))
        order = np.argsort(codes, kind="stable")
        place = np.empty(len(rows), dtype=np.int64)
        place[order] = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    names = own_names(estimator)
    parts = [rows[place % n_folds == k] for k in range(n_folds)]
    made = tuple(_of(samples, y, part, names) if len(part) else None for part in parts)
    return agreement, Folds(made, samples.labels, counts)


class TooLarge(RuntimeError):
    """Raised where sums take more memory than they may."""


def within(most, function, *arguments):
    """What the function returns; an error where that takes more than ``most`` bytes."""
    found = function(*arguments)
    size = 0 if found is None else size_of(found)
    if size > most:
        raise TooLarge(
            f"the statistics of the tasks take {size / 1e9:.3g} GB, of {most / 1e9:.3g} that they may: fit by "
            "method='gradient', whose messages have d T numbers."
        )
    return found


def added(a, b):
    """The sum of both, each part with its own."""
    return tuple(x + y for x, y in zip(a, b, strict=True))


def _targets_of(chunk, index, estimator):
    """(Agreement, Samples, targets less the offsets) of a chunk; None where it has no rows."""
    found = read(estimator, chunk, index)
    if found is None:
        return None
    agreement, samples, offset = found
    try:
        offset = _input.read_offset(offset, samples.y, samples.weight, estimator.offset_column)
    except ValueError as error:
        raise ValueError(f"chunk {index}: {error}") from error
    if offset is None:
        return agreement, samples, samples.y
    return agreement, samples, samples.y - (offset if offset.ndim == samples.y.ndim else offset[:, None])


def _counted(samples, y):
    """(n,) the rows with a target that counts."""
    seen = ~np.isnan(y)
    if samples.weight is not None:
        seen = seen & ((samples.weight if samples.weight.ndim == y.ndim else samples.weight[:, None]) > 0)
    return seen if seen.ndim == 1 else seen.any(axis=1)


def _of(samples, y, rows, names):
    """SufficientStatistics of some rows."""
    weight = None if samples.weight is None else samples.weight[rows]
    labels, codes = samples.labels, samples.codes
    if codes is not None:
        left, codes = np.unique(codes[rows], return_inverse=True)
        labels = labels[left]
    return SufficientStatistics._of_samples(samples.X[rows], y[rows], samples.layout, labels, codes, weight, names)


@dataclass(frozen=True)
class Folds:
    """Statistics of the rows of every fold, dealt out row by row: those of a task, or all rows where there is one X.

    Which rows are in a fold does not depend on the chunks: a sum counts the rows of the second from where the first has
    ended.

    Attributes
    ----------
    parts : tuple of SufficientStatistics or None
        Of the rows whose place, among those of their task, leaves the remainder k.
    tasks : ndarray of shape (T,)
    counts : ndarray of shape (T,) or (1,)
        Rows of every task, or all of them.
    """

    parts: tuple
    tasks: Any
    counts: np.ndarray

    def __add__(self, other):
        k = len(self.parts)
        if len(self.counts) == 1 and len(other.counts) == 1 and np.array_equal(self.tasks, other.tasks):
            shift = int(self.counts[0]) % k
            parts = [other.parts[(r - shift) % k] for r in range(k)]
            return Folds(tuple(map(_both, self.parts, parts)), self.tasks, self.counts + other.counts)
        labels = _union(self.tasks, other.tasks)
        mine, yours = _spread(self.tasks, self.counts, labels), _spread(other.tasks, other.counts, labels)
        parts = other._turned(labels, mine)
        return Folds(tuple(map(_both, self.parts, parts)), labels, mine + yours)

    def _turned(self, labels, shift):
        """Parts in which those of task t are ``shift`` (T,) places further on."""
        k, known = len(self.parts), [part for part in self.parts if part is not None]
        parts = [None if part is None else part._at(labels) for part in self.parts]
        empty = next(part for part in parts if part is not None)
        found = []
        for r in range(k):
            arrays = {name: np.zeros_like(getattr(empty, name)) for name in BY_TASK}
            gram, taken = np.zeros_like(empty.gram), (r - shift) % k
            for source, part in enumerate(parts):
                own = np.flatnonzero(taken == source)
                if part is None or not len(own):
                    continue
                for name, array in arrays.items():
                    array[..., own] = getattr(part, name)[..., own]
                gram[own] = part.gram[own]
            made = replace(empty, gram=gram, **arrays, feature_names=known[0].feature_names)
            present = made.weight > 0
            found.append(made._only(present) if present.any() else None)
        return found

    def condensed(self, totals, mass):
        """[Condensed] for a search over the tasks of ``totals``, each of which counts ``mass`` (T,)."""
        parts, never = self._dealt()
        labels = totals.tasks
        for k, part in enumerate(parts):
            if part is None:
                raise ValueError(
                    f"cv={len(parts)} is more than the rows that can be tested without leaving a task untrained: use "
                    "fewer folds."
                )
            if part.weight.sum() <= 0:
                raise ValueError(f"cv: fold {k} tests no sample with a target and a positive weight: use fewer folds.")
        trains = [part if never is None else part + never for part in of_others(parts)] if len(parts) > 1 else []
        trains = [train if np.array_equal(train.tasks, labels) else train._at(labels) for train in trains]
        for k, train in enumerate(trains):
            trained = np.broadcast_to(train.weight, labels.shape) > 0
            if not trained.all():
                raise ValueError(
                    f"cv: fold {k} trains on no sample of task {labels[~trained].tolist()[0]!r}: drop tasks with a "
                    "single sample, or use fewer folds."
                )
        tests = [replace(part, tasks=_positions(part.tasks, labels)) for part in parts]
        found = paired([replace(train, tasks=np.arange(len(labels))) for train in trains], tests, mass)
        if None in found:
            raise ValueError(
                "the features or targets are so far from zero that statistics of the folds lose digits: take off their "
                "means, or search where the samples are, by fit."
            )
        return found

    def _dealt(self):
        """(parts by fold, statistics of the tasks with a single row, which are never tested, or None)."""
        if len(self.counts) == 1:
            return list(self.parts), None
        single = self.counts == 1
        counts = np.where(single, 0, self.counts)
        parts = self._turned(self.tasks, np.cumsum(counts) - counts)
        if not single.any():
            return parts, None
        alone = set(self.tasks[single].tolist())
        split = [_split(part, alone) for part in parts]
        return [rest for rest, _ in split], reduce(_both, [one for _, one in split], None)


def _both(a, b):
    return a if b is None else b if a is None else a + b


def _spread(labels, counts, among):
    """Counts of labels, for others that have them all."""
    found = np.zeros(len(among), dtype=np.int64)
    found[_positions(labels, among)] = counts
    return found


def _split(part, alone):
    """(statistics without some tasks, those of these)."""
    if part is None:
        return None, None
    chosen = np.array([label in alone for label in part.tasks.tolist()])
    return (None if chosen.all() else part._only(~chosen)), (part._only(chosen) if chosen.any() else None)


def n_folds_of(estimator):
    """How many folds a search has."""
    cv = 5 if estimator.cv is None else estimator.cv
    if not isinstance(cv, Integral) or isinstance(cv, bool) or cv < 2:
        raise ValueError(
            f"cv must be a number of folds, at least 2, got {cv!r}: rows are dealt out where they are, and a splitter "
            "would have to see all of them."
        )
    return int(cv)
