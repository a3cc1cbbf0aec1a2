"""What a party tells of a loss in rounds: its value, derivatives and curvature at coefficients that it is asked about.

Sums over its rows of every task, with their weights: what a part of a distributed fit tells (``distributed._told``), as
a message that is checked.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from .. import _input
from .._classes import Columns
from .._json import read as of_words
from ..distributed._folds import Surveys, fold_of_samples, weighted
from ..distributed._parts import Part, prepared
from ..distributed._survey import Plan, Survey, survey_of
from ..distributed._told import SCALES, STEPS, Question, Told, told_of
from ..estimators._formulation import Samples
from ..losses import Loss
from ..statistics import _positions
from ._messages import packed, taken, unpacked
from ._statistics import fold_arrays, read_fold

AT_ZERO = ("zero_value", "zero_slope", "zero_slope_b", "zero_bend", "zero_perfect", "zero_size")
DERIVATIVES = ("slope", "slope_b", "more", "more_b")


class Rows(NamedTuple):
    """The rows of a party, read for one loss.

    Attributes
    ----------
    samples : Samples
        With classes as the party has them.
    survey : Survey
    part : Part or None
        With the sums of the weights as what tasks count; None before classes are known.
    names : ndarray or None
    fold : ndarray of shape (n,) or None
        In which every row is tested, where a request is of a search by folds.
    folds : tuple of (Survey or None)
        Of what each fold tests.
    """

    samples: Samples
    survey: Survey
    part: Part | None
    names: np.ndarray | None
    fold: np.ndarray | None = None
    folds: tuple = ()

    @classmethod
    def of(cls, party, loss, arrays=None, n_folds=0):
        """Those of a Party, for a request with these arrays; None where it asks for a description."""
        X, (weight, offset) = party._X, party._given
        stacked = party._task is not None
        if loss.classification:
            y = _input.read_class_targets("Party", party._y, stacked)
        else:
            y = _input.read_real_targets("Party", party._y, stacked)
        _input.require_equal_rows(X, y)
        _input.refuse_overflow(X)
        weight = _input.read_sample_weight(weight, X, y)
        samples = Samples(X, y, *_input.read_layout(y, party._task, party._columns), weight, offset, None)
        survey = survey_of(samples, None if loss.classification else loss)
        survey = replace(survey, offset=offset is not None)
        part = None
        if arrays is not None:
            part = prepared(samples, offset, _plan(samples, loss, arrays))
        if not n_folds:
            return cls(samples, survey, part, party._names)
        fold = party.folds(n_folds, stratified=loss.classification)
        surveys = Surveys.of(samples, fold, n_folds, None if loss.classification else loss)
        return cls(samples, survey, part, party._names, fold, surveys.parts[:n_folds])

    @property
    def labels(self):
        return self.survey.labels

    def part_of(self, fold, tested):
        """The Part of what a fold tests, or is trained on; of all rows where it is None."""
        if fold is None:
            return self.part
        if self.fold is None or type(fold) is not int or not 0 <= fold < len(self.folds):
            raise ValueError(f"the request asks for fold {fold!r}, which there is not.")
        own = fold_of_samples(self.part, self.samples, self.fold) == fold
        return weighted(self.part, 1.0 * (own if tested else ~own))


def _plan(samples, loss, arrays):
    """The Plan of a request for a party's own tasks, whose weights count as they are."""
    labels, signs, columns = samples.labels, None, None
    if loss.classification:
        where, classes = places(labels, arrays), classes_of(arrays)
        own = [classes[t] for t in where]
        counts = taken(arrays, "columns", (len(classes),), "i")[where]
        signs = {
            (label, value): code
            for label, (values, codes) in zip(labels.tolist(), own, strict=True)
            for value, code in zip(values.tolist(), codes.tolist(), strict=True)
        }
        _refuse_new_classes(samples, signs)
        if np.any(counts > 1):
            columns = Columns(labels, [values for values, _ in own], counts)
    return Plan(labels, np.ones(len(labels)), signs, loss, columns)


def classes_of(arrays):
    """[(labels, codes)] of the classes of every task of a request."""
    sizes = taken(arrays, "sizes", (len(arrays["tasks"]),), "i")
    n = int(sizes.sum())
    if np.any(sizes < 1) or arrays.get("classes") is None or arrays["classes"].shape != (n,):
        raise ValueError("the request has not the classes of every task.")
    ends = np.cumsum(sizes)[:-1]
    return list(zip(np.split(arrays["classes"], ends), np.split(taken(arrays, "codes", (n,)), ends), strict=True))


def _refuse_new_classes(samples, signs):
    """Raise a ValueError for a class that counts here and is not known to the request."""
    for label, value in survey_of(samples, None).pairs:
        if (label, value) not in signs:
            known = [other for task, other in signs if task == label]
            raise ValueError(f"y holds {value!r} for task {label!r}, which is none of {known}.")


def loss_of(words):
    """The Loss that words of a request describe."""
    loss = of_words(words)
    if not isinstance(loss, Loss):
        raise ValueError(f"the request asks for a {type(loss).__name__}, where a loss is expected.")
    return loss


# ------------------------------------------------------------------------------------- as messages


def describe(rows, party, reply):
    """Bytes: the tasks of a party's Rows, how many and how much each has, and the sums of its targets, or how many and
    how much each of its classes has."""
    samples, survey = rows.samples, rows.survey
    arrays = _arrays_of(survey)
    if rows.names is not None:
        arrays["names"] = rows.names.astype(str)
    for k, one in enumerate(rows.folds):
        arrays |= {} if one is None or not one.counts.any() else prefixed(k, _arrays_of(one))
    words = dict(layout=samples.layout, features=samples.X.shape[1], offset=survey.offset)
    return packed("description", arrays, party=party, reply=reply, **words)


def _arrays_of(survey):
    """{name: array} of a Survey."""
    arrays = dict(tasks=survey.labels, totals=survey.totals, counts=survey.counts)
    if not survey.pairs:
        return arrays | dict(sums=survey.sums)
    where = {label: t for t, label in enumerate(survey.labels.tolist())}
    arrays["owners"] = np.array([where[label] for label, _ in survey.pairs], dtype=np.int64)
    arrays["classes"] = _input.label_array([value for _, value in survey.pairs])
    arrays["numbers"], arrays["weights"] = np.array(list(survey.pairs.values()), dtype=float).T
    return arrays


def prefixed(k, arrays):
    """{"k.name": array}"""
    return {f"{k}.{name}": array for name, array in arrays.items()}


def by_prefix(arrays):
    """{"k": {name: array}} of those that have one."""
    found = {}
    for whole, array in arrays.items():
        k, dot, name = whole.partition(".")
        if dot:
            found.setdefault(k, {})[name] = array
    return found


class Description(NamedTuple):
    """What a party tells of its rows before anything is evaluated."""

    party: str
    reply: str
    words: dict
    arrays: dict

    @property
    def has_classes(self):
        return "classes" in self.arrays

    @property
    def survey(self):
        """The Survey of a party without privacy."""
        return self._survey(self.arrays)

    def surveys(self, n_folds):
        """The Surveys of its folds."""
        own = by_prefix(self.arrays)
        parts = [self._survey(own[str(k)]) if str(k) in own else None for k in range(n_folds)]
        return Surveys((*parts, None))

    def _survey(self, own):
        T, pairs = len(own["tasks"]), {}
        if "classes" in own:
            labels = own["tasks"].tolist()
            told = (own[name].tolist() for name in ("owners", "classes", "numbers", "weights"))
            pairs = {(labels[t], value): (number, weight) for t, value, number, weight in zip(*told, strict=True)}
        return Survey(
            own["tasks"],
            *(own.get(name, np.zeros(T)) for name in ("totals", "counts", "sums")),
            pairs,
            bool(self.words.get("offset")),
        )


def read_description(message):
    _, words, arrays = unpacked(message, "description")
    party, reply = words.get("party"), words.get("reply")
    try:
        if type(words.get("features")) is not int or words["features"] < 1:
            raise ValueError(f"the message has {words.get('features')!r} features.")
        private = words.get("private")
        rounds = private.get("rounds") if isinstance(private, dict) else private
        if private is not None and (type(rounds) is not int or rounds < 1):
            raise ValueError(f"the message has {rounds!r} rounds.")
        _check_survey(arrays, private is not None)
        for own in by_prefix(arrays).values():
            _check_survey(own, False)
            if not set(own["tasks"].tolist()) <= set(arrays["tasks"].tolist()):
                raise ValueError("the message has a fold with tasks that it does not have.")
            if ("classes" in own) != ("classes" in arrays):
                raise ValueError("the message does not have classes of all folds.")
        if "names" in arrays:
            taken(arrays, "names", (words["features"],), "U")
    except ValueError as error:
        raise ValueError(f"party {party!r}: {error}") from error
    return Description(party, reply, words, arrays)


def _check_survey(arrays, private):
    """Raise a ValueError where arrays are none of a Survey."""
    labels = arrays.get("tasks")
    if labels is None or labels.ndim != 1 or not len(labels) or len(set(labels.tolist())) < len(labels):
        raise ValueError("the message has no different labels of tasks.")
    wanted = () if private else ("totals", "counts")
    classes = arrays.get("classes")
    if classes is not None and classes.ndim != 1:
        raise ValueError(f"the message has classes of shape {classes.shape}.")
    if classes is not None and not private:
        owners = taken(arrays, "owners", classes.shape, "i")
        if np.any((owners < 0) | (owners >= len(labels))):
            raise ValueError("the message has classes of tasks that it does not have.")
        for name in ("numbers", "weights"):
            taken(arrays, name, classes.shape)
    elif not private:
        wanted += ("sums",)
    for name in wanted:
        taken(arrays, name, labels.shape)


def request_of(question, plan, classes):
    """(arrays, words) of a Question to parties, for a Plan."""
    words = {} if question.scale is None else dict(scale=float(question.scale))
    return arrays_of_plan(plan, classes) | question.arrays, words


def arrays_of_plan(plan, classes):
    """{name: array} of what parties need to know of a Plan."""
    arrays = dict(tasks=plan.labels)
    if plan.signs is not None:
        own = classes if isinstance(classes, list) else [classes] * len(plan.labels)
        arrays["sizes"] = np.array([len(values) for values in own], dtype=np.int64)
        arrays["classes"] = _input.label_array([value for values in own for value in values.tolist()])
        pairs = [(label, v) for label, values in zip(plan.labels.tolist(), own, strict=True) for v in values.tolist()]
        # (What no sample has is never asked for.)
        arrays["codes"] = np.array([plan.signs.get(pair, 0.0) for pair in pairs])
        arrays["columns"] = np.ones(len(own), np.int64) if plan.columns is None else plan.columns.counts
    return arrays


def evaluate(rows, party, reply, words, arrays):
    """Bytes: what is asked of a party's Rows in a request, for its tasks among those of the request."""
    T, left = columns_of(rows.labels, arrays)
    told = arrays_told(rows.part._replace(left=left), T, words, arrays)
    return packed("evaluation", dict(tasks=rows.labels) | told, party=party, reply=reply)


def arrays_told(part, T, words, arrays):
    """{name: array} of what a Part tells of the Question that these make, of T columns."""
    d, left = part.term.tasks.n_features, part.left
    found = {
        name: taken(arrays, name, (d, T) if name.endswith("W") else (T,))
        for name in Question._fields[:-1]
        if name in arrays
    }
    question = Question(*(found.get(name) for name in Question._fields[:-1]), words.get("scale"))
    told = told_of(part, question)
    sent = dict(told.sums)
    if told.curvature:
        where = {column: k for k, column in enumerate(left.tolist())}
        for r, of in enumerate(told.curvature):
            if of is not None:
                own = np.array([where[column] for column in of.tasks.tolist()], dtype=np.int64)
                sent |= fold_arrays(str(r), replace(of, tasks=own))
    return sent


def columns_of(labels, arrays):
    """(how many columns of W a request has, positions of those of some tasks among them)."""
    where, T = places(labels, arrays), len(arrays["tasks"])
    counts = taken(arrays, "columns", (T,), "i") if "columns" in arrays else np.ones(T, dtype=np.int64)
    if np.any(counts < 1):
        raise ValueError("the request has a task without a column.")
    first, own = np.cumsum(counts) - counts, counts[where]
    begin = np.cumsum(own) - own
    return int(counts.sum()), np.repeat(first[where] - begin, own) + np.arange(own.sum())


def places(labels, arrays):
    """Where a party's tasks are among those of a request."""
    try:
        return _positions(labels, arrays["tasks"])
    except KeyError as error:
        raise ValueError(f"the request knows nothing of task {error}: it is of another fit.") from None


class Evaluation(NamedTuple):
    """What a party tells at some coefficients."""

    party: str
    reply: str
    told: Told


def read_evaluation(message, asked):
    """The Evaluation of a message that answers a request with the arrays ``asked``."""
    _, words, arrays = unpacked(message, "evaluation")
    party = words.get("party")
    try:
        labels = arrays.get("tasks")
        if labels is None or labels.ndim != 1 or len(set(labels.tolist())) < len(labels):
            raise ValueError("the message has no different labels of tasks.")
        _, left = columns_of(labels, asked)
        told = read_told(arrays, asked, left)
    except ValueError as error:
        raise ValueError(f"party {party!r}: {error}") from error
    return Evaluation(party, words.get("reply"), told)


def read_told(arrays, asked, left):
    """Told of these columns, by the arrays of a message that answers those asked."""
    d, n, sums = len(asked["base_W"] if "W" not in asked else asked["W"]), len(left), {}
    shapes = dict(slope=(d, n), zero_slope=(d, n), more=(d, n), along=(len(STEPS), n), fenchel=(len(SCALES), n))
    names = [*(AT_ZERO if "zero_b" in asked else ()), *(["value"] if "W" in asked else [])]
    names += ["fenchel"] if "moved_W" in asked else []
    names += ["along"] if "moved_W" in asked and "W" in asked else []
    curvature = [] if "W" not in asked else None
    if "W" in asked and "0.gram" in arrays:
        curvature, names = _read_curvature(arrays, left), [*names, *DERIVATIVES]
    for name in names:
        sums[name] = taken(arrays, name, shapes.get(name, (n,)), infinite=name in ("value", "fenchel", "along"))
    if curvature is None and np.isfinite(sums["value"]).all():
        raise ValueError("the message has no derivatives.")
    if set(arrays) & {*DERIVATIVES, "0.gram"} and curvature is None:
        raise ValueError("the message has no derivatives.")
    return Told(left, sums, curvature)


def _read_curvature(arrays, left):
    """[SufficientStatistics or None] of columns, and of those that have an r-th next one."""
    n, found = len(left), []
    known = {name.removesuffix(".gram") for name in arrays if name.endswith(".gram")}
    if not known <= {str(r) for r in range(n)}:
        raise ValueError("the message has curvature of columns that it does not have.")
    for r in range(1 + max(map(int, known))):
        if f"{r}.gram" not in arrays:
            found.append(None)
            continue
        own = read_fold(arrays, r, "stacked", None, None)
        if own.tasks.dtype.kind not in "iu" or np.any((own.tasks < 0) | (own.tasks >= n - r)):
            raise ValueError("the message has curvature of columns that it does not have.")
        found.append(replace(own, tasks=left[own.tasks]))
    if len(found[0].tasks) != n:
        raise ValueError("the message has no derivatives.")
    return found
