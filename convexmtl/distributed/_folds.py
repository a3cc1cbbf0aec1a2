"""The folds of a search in rounds: rows are dealt out where they are, whatever the chunks, and stay there.

Within tasks, and of a classifier within the classes of every task, as TaskKFold and TaskStratifiedKFold do; with one X
row by row. A chunk is told where the rows of those before it have ended.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from sklearn.base import is_classifier

from .. import _input
from ..data import DataTerm
from ._parts import ASKED, Part, prepared, together
from ._reading import read
from ._survey import counted_of, survey_of, surveyed
from ._told import features_of


@dataclass(frozen=True)
class Numbers:
    """How many rows of every stratum each chunk has: {index: (labels of the strata, numbers)}."""

    chunks: dict

    def __add__(self, other):
        return Numbers(self.chunks | other.chunks)


def numbered(chunk, index, estimator):
    """(Agreement, Survey, Numbers) of a chunk; None where it has no rows."""
    found = surveyed(chunk, index, estimator)
    if found is None:
        return None
    samples, survey = read(estimator, chunk, index)[1], found[1]
    if samples.layout == "shared":
        numbers = {None: int(_rows_seen(samples).sum())}
    elif is_classifier(estimator):
        numbers = {pair: number for pair, (number, _) in survey.pairs.items()}
    else:
        numbers = dict(zip(survey.labels.tolist(), survey.counts.astype(int).tolist(), strict=True))
    return *found, Numbers({index: numbers})


def _rows_seen(samples):
    """(n,) the rows with a target that counts."""
    missing = _input.missing_mask(samples.y)
    counted, _ = counted_of(samples, missing)
    return counted if counted.ndim == 1 else counted.any(axis=1)


class Dealt(NamedTuple):
    """How rows are dealt out.

    Attributes
    ----------
    n_folds : int
    begins : dict of int -> dict
        For every chunk, of every stratum that it has rows of, the fold of the first one; None for never tested.
    """

    n_folds: int
    begins: dict

    @classmethod
    def of(cls, numbers, survey, signs, layout, n_folds):
        """For the Numbers and the Survey of all chunks."""
        totals = {}
        for index in sorted(numbers.chunks):
            for stratum, number in numbers.chunks[index].items():
                totals[stratum] = totals.get(stratum, 0) + number
        order = {label: t for t, label in enumerate(survey.labels.tolist())}
        if layout == "shared":
            strata, never = [None], set()
        else:
            alone = set(survey.labels[survey.counts == 1].tolist()) if layout == "stacked" else set()
            of_task = (lambda stratum: stratum) if signs is None else (lambda stratum: stratum[0])
            code = (lambda stratum: 0) if signs is None else signs.__getitem__
            strata = sorted(totals, key=lambda stratum: (order[of_task(stratum)], code(stratum)))
            never = {stratum for stratum in strata if of_task(stratum) in alone}
        tested = sum(totals[stratum] for stratum in strata if stratum not in never)
        if tested < n_folds:
            raise ValueError(
                f"cv={n_folds} is more than the {tested} rows that can be tested without leaving a task untrained: use "
                "fewer folds."
            )
        ends, at = {}, 0
        for stratum in strata:
            ends[stratum] = None if stratum in never else at % n_folds
            at += 0 if stratum in never else totals[stratum]
        begins = {}
        for index in sorted(numbers.chunks):
            begins[index] = {}
            for stratum, number in numbers.chunks[index].items():
                begins[index][stratum] = ends[stratum]
                if ends[stratum] is not None:
                    ends[stratum] = (ends[stratum] + number) % n_folds
        return cls(n_folds, begins)

    def folds(self, samples, index, classes):
        """(n,) the fold in which every row of a chunk is tested; -1 for never."""
        fold, begins = np.full(samples.X.shape[0], -1), self.begins.get(index, {})
        if not self.n_folds:
            return fold
        rows = np.flatnonzero(_rows_seen(samples))
        if samples.layout == "shared":
            strata = np.zeros(len(rows), dtype=np.int64)
            begin = [begins.get(None)]
        else:
            task = np.zeros(len(rows), dtype=np.int64) if samples.codes is None else samples.codes[rows]
            labels = samples.labels.tolist()
            keys = task.tolist() if not classes else list(zip(task.tolist(), samples.y[rows].tolist(), strict=True))
            known = {}
            strata = np.array([known.setdefault(key, len(known)) for key in keys], dtype=np.int64)
            begin = [begins[labels[key[0]], key[1]] if classes else begins[labels[key]] for key in known]
        order = np.argsort(strata, kind="stable")
        sizes = np.bincount(strata, minlength=len(begin))
        place = np.empty(len(rows), dtype=np.int64)
        place[order] = np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        first = np.array([-1 if of is None else of for of in begin], dtype=np.int64)
        never = first[strata] < 0
        fold[rows] = np.where(never, -1, (first[strata] + place) % self.n_folds)
        return fold


@dataclass(frozen=True)
class Surveys:
    """Of the rows that each fold tests, and behind them of those that none does; None without any."""

    parts: tuple

    @classmethod
    def of(cls, samples, fold, n_folds, loss):
        """Of Samples whose rows have these folds; the loss is None of classes."""
        parts = []
        for k in [*range(n_folds), -1]:
            own = np.flatnonzero(fold == k)
            parts.append(survey_of(_of_rows(samples, own), loss) if len(own) else None)
        return cls(tuple(parts))

    def __add__(self, other):
        pairs = zip(self.parts, other.parts, strict=True)
        return Surveys(tuple(a if b is None else b if a is None else a + b for a, b in pairs))

    def trained(self, k):
        """The Survey of what fold k trains on."""
        others = [part for j, part in enumerate(self.parts) if j != k and part is not None]
        return sum(others[1:], others[0]) if others else None


def surveyed_by_fold(chunk, index, estimator, dealt):
    """(Surveys,) of a chunk; None where it has no rows."""
    found = read(estimator, chunk, index)
    if found is None:
        return None
    samples, classes = found[1], is_classifier(estimator)
    fold, loss = dealt.folds(samples, index, classes), None if classes else estimator._checked_loss()
    return (Surveys.of(samples, fold, dealt.n_folds, loss),)


def _of_rows(samples, rows):
    """Samples of some rows, with the tasks that these have."""
    labels, codes = samples.labels, samples.codes
    if codes is not None:
        left, codes = np.unique(codes[rows], return_inverse=True)
        labels = labels[left]
    weight = None if samples.weight is None else samples.weight[rows]
    return samples._replace(X=samples.X[rows], y=samples.y[rows], labels=labels, codes=codes, weight=weight)


class Folds(NamedTuple):
    """What is kept of a chunk: the Part of all its rows, and for every fold that which is trained on and tested."""

    whole: Part
    trains: list
    tests: list

    @property
    def n_bytes(self):
        return self.whole.n_bytes + 2 * len(self.trains) * self.whole.term.tasks.weight.nbytes


def folds_of(chunk, index, estimator, plan, dealt, factors, counted):
    """Folds of a chunk; None where it has no rows.

    ``factors`` (n_folds, T) are what the weights of what a fold trains on are multiplied by, beside those of all rows,
    and ``counted`` (n_folds, n_columns) which columns count there.
    """
    found = read(estimator, chunk, index)
    if found is None:
        return None
    _, samples, offset = found
    fold = dealt.folds(samples, index, is_classifier(estimator))
    try:
        every = prepared(samples, offset, plan._replace(counted=None), estimator.offset_column)
    except ValueError as error:
        raise ValueError(f"chunk {index}: {error}") from error
    tasks, left, fold = every.term.tasks, every.left, fold_of_samples(every, samples, fold)
    owner = plan.owner[left]
    each = [tasks.spread(factor[owner] * some[left]) for factor, some in zip(factors, counted, strict=True)]
    # (Tasks that do not count are tested all the same.)
    return Folds(
        weighted(every, tasks.spread(plan.counted[left])),
        [weighted(every, by * (fold != k)) for k, by in enumerate(each)],
        [weighted(every, 1.0 * (fold == k)) for k in range(len(each))],
    )


def fold_of_samples(part, samples, fold):
    """(N,) the fold of every sample of the Part of Samples, whose rows have these."""
    if samples.codes is not None:
        fold = fold[np.argsort(samples.codes, kind="stable")]
    return fold[part.term.tasks.sample_row]


def weighted(part, by):
    """A Part with weights times ``by`` (N,)."""
    tasks = part.term.tasks
    return part._replace(term=DataTerm(replace(tasks, weight=tasks.weight * by), part.loss))


def several(folds, asked):
    """What the parts of a chunk answer: ``asked`` are (fold or None, what, arguments), for a list of answers."""
    return Answers([(ASKED | OF_FOLDS)[what](_part(folds, fold, what), *arguments) for fold, what, arguments in asked])


def _part(folds, fold, what):
    if fold is None:
        return folds.whole
    return folds.tests[fold] if what == "convexmtl-errors" else folds.trains[fold]


@dataclass(frozen=True)
class Answers:
    """Several, each added to its own."""

    each: list

    def __add__(self, other):
        return Answers([together(a, b) for a, b in zip(self.each, other.each, strict=True)])


def errors(part, Ws, intercepts):
    """(A, T) weighted sums of the errors of every W of Ws (A, d, T)."""
    tasks, loss, left = part.term.tasks, part.term.loss, part.left
    z = tasks.apply_all(np.ascontiguousarray(Ws[:, :, left])) + intercepts[:, left][:, tasks.sample_task]
    # (As in ``shift``.)
    z[:, tasks.absent] = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        found = np.where(tasks.weight > 0, loss.error(tasks.y, z), 0.0) * tasks.weight
    out = np.zeros(intercepts.shape)
    out[:, left] = np.add.reduceat(found, tasks.ptr[:-1], axis=1)
    return out


def unlikely(part, W, b):
    """(T,) weighted sums of minus twice the logarithm of the likelihood."""
    tasks, left = part.term.tasks, part.left
    z, out = tasks.shift(tasks.apply(W[:, left]), b[left]), np.zeros(len(b))
    found = -2 * part.term.loss.log_likelihood(tasks.y, z)
    out[left] = tasks.sum(np.where(tasks.weight > 0, found, 0.0) * tasks.weight)
    return out


@dataclass(frozen=True)
class Largest:
    """The largest of several numbers."""

    value: float

    def __add__(self, other):
        return Largest(max(self.value, other.value))


def widest(part, b):
    """(Statistics of the features without targets, Largest second derivative at W = 0)."""
    tasks, loss = part.term.tasks, part.term.loss
    second = loss.curvature
    if second is None:
        z = tasks.shift(np.zeros(len(tasks.y)), b[part.left])
        second = np.max(loss.second(tasks.y, z)[tasks.weight > 0], initial=0.0)
    return features_of(part, tasks.weight), Largest(float(second))


OF_FOLDS = {"convexmtl-errors": errors, "convexmtl-unlikely": unlikely, "convexmtl-widest": widest}
