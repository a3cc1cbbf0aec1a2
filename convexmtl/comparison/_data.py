"""What is compared on what: models by name, data whose tasks are known, folds that train all of them."""

from functools import partial
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from joblib import hash as hash_of
from sklearn.base import is_classifier
from sklearn.model_selection import check_cv

from .. import _input
from .._compat import num_samples, safe_indexing
from ..baselines import estimator_inside
from ..model_selection import TaskKFold, TaskSplitter, TaskStratifiedKFold

FOLDS, REPEATS = 5, 10


def named(estimators):
    """{name: estimator}"""
    if isinstance(estimators, list | tuple):
        named = {}
        for estimator in estimators:
            name = type(estimator_inside(estimator)).__name__
            same = sum(other.split(" ")[0] == name for other in named)
            named[f"{name} {same + 1}" if same else name] = estimator
        estimators = named
    elif not isinstance(estimators, dict):
        estimators = {type(estimator_inside(estimators)).__name__: estimators}
    if not estimators:
        raise ValueError("estimators is empty: hand over an estimator, a list of them, or a dict of name -> estimator.")
    kinds = {is_classifier(estimator_inside(estimator)) for estimator in estimators.values()}
    if len(kinds) > 1:
        raise ValueError(f"estimators must be all regressors or all classifiers, got both: {', '.join(estimators)}.")
    return estimators


class Data(NamedTuple):
    """What is to be fitted and tested, rows in the order in which the user has them."""

    X: Any
    y: Any
    task: np.ndarray | None  # labels
    target: np.ndarray  # y as an array, (n,) or (n, T)
    labels: np.ndarray
    codes: np.ndarray | None  # (n,) position of every row's task, or None for y (n, T)
    seen: np.ndarray  # of the shape of y: whether there is a target
    signs: np.ndarray | None  # of classes, as ``encode_classes`` has them
    classes: list | None  # of every task, where one has more than two

    @property
    def has_own_classes(self):
        """Whether tasks have more than two classes, and not all of them the same."""
        return self.classes is not None and len({tuple(own.tolist()) for own in self.classes}) > 1

    def part(self, rows):
        """(X, y, options of fit and predict) for these rows."""
        y = self.y.iloc[rows] if hasattr(self.y, "iloc") else self.target[rows]
        return safe_indexing(self.X, rows), y, {} if self.task is None else {"task": self.task[rows]}

    def sum(self, values, rows):
        """(T,) sums over these rows of values of the shape of their y."""
        if self.codes is None:
            return np.sum(values, axis=0)
        return np.bincount(self.codes[rows], values, minlength=len(self.labels))

    def counts(self, folds):
        """(n_train, n_test), each (J, T)."""
        both = [[self.sum(self.seen[rows].astype(float), rows) for rows in fold] for fold in folds]
        return np.moveaxis(np.array(both), 1, 0)


def read(models, X, y, task):
    """Data"""
    inside = [estimator_inside(estimator) for estimator in models]
    column = next((one.task_column for one in inside if one.task_column is not None), None)
    labels = _input.split_column(X, column)[1] if task is None and column is not None else task
    read = _input.read_class_targets if is_classifier(inside[0]) else _input.read_real_targets
    target, n, names = read("compare_tasks", y, labels is not None), num_samples(X), _input.target_names(y)
    _input.require_equal_rows(np.empty((n, 0)), target)
    encoded = partial(_codes, target) if is_classifier(inside[0]) else lambda *tasks: [None, None]
    if labels is None:
        if target.ndim == 1 or target.shape[1] == 1:
            raise ValueError(
                "y has one task only, nothing to compare: pass task=..., the task of every row, or y of shape "
                "(n_samples, n_tasks)."
            )
        names = np.arange(target.shape[1]) if names is None else names
        return Data(X, y, None, target, names, None, ~_input.missing_mask(target), *encoded(None, names))
    labels = _input.read_labels(labels, n)
    distinct, codes = _input.encode_tasks(labels)
    if len(distinct) == 1:
        raise ValueError(f"there is one task only, {distinct.tolist()[0]!r}: nothing to compare.")
    return Data(X, y, labels, target, distinct, codes, np.ones(n, dtype=bool), *encoded(codes, distinct))


def _codes(target, codes, labels):
    """(codes of the classes, those of every task where one has more than two)"""
    signs, classes = _input.encode_classes(target, codes, labels, several=True)
    classes = [classes] * len(labels) if isinstance(classes, np.ndarray) else classes
    return signs, classes if max(map(len, classes)) > 2 else None


def folds_within(data, cv, estimator):
    """[(train, test)] positions; a ValueError where a task is not trained."""
    if cv is None or isinstance(cv, Integral):
        folds = list(_repeated(data, FOLDS if cv is None else cv, is_classifier(estimator_inside(estimator))))
    else:
        cv = check_cv(cv)
        groups = data.codes if isinstance(cv, TaskSplitter) else None
        folds = list(cv.split(data.X, data.target, groups))
    everything = np.arange(len(data.target))
    folds = [tuple(everything[part] for part in fold) for fold in folds]
    if len(folds) < 2:
        raise ValueError(f"cv has {len(folds)} split(s): differences are judged by how they vary over at least 2.")
    for k, counts in enumerate(data.counts(folds)[0]):
        if not counts.all():
            label = data.labels.tolist()[int(np.argmin(counts))]
            raise ValueError(
                f"cv: fold {k} trains on no sample of task {label!r}. Use TaskKFold, whose folds split within every "
                "task, or fewer folds."
            )
    if data.classes is not None:
        _refuse_untrained_classes(data, folds)
    return folds


def _refuse_untrained_classes(data, folds):
    """Raise a ValueError where a fold trains a task on some of its classes, so that others have no probability."""
    for k, (train, _) in enumerate(folds):
        for t, (label, classes) in enumerate(zip(data.labels.tolist(), data.classes, strict=True)):
            if data.codes is None:
                own = data.target[train, t][data.seen[train, t]]
            else:
                own = data.target[train][data.codes[train] == t]
            trained = len(set(own.tolist()))
            if trained < len(classes):
                raise ValueError(
                    f"cv: fold {k} trains task {label!r} on {trained} of its {len(classes)} classes: join rare "
                    "classes, or pass folds that train on all of them."
                )


def _repeated(data, n_folds, stratified):
    """Folds within tasks, dealt out ten times; with one X for all, within the rows that a rare target has."""
    if data.codes is None:
        rare = np.argsort(data.seen.sum(axis=0), kind="stable")
        groups, splitter = rare[np.argmax(data.seen[:, rare], axis=1)], TaskKFold
    else:
        groups, splitter = data.codes, TaskStratifiedKFold if stratified else TaskKFold
    for seed in range(REPEATS):
        yield from splitter(n_folds, shuffle=True, random_state=seed).split(data.X, data.target, groups)


def position(runs, estimator):
    """Where an estimator is among those that are to be run, to which it is added if it is new."""
    for k, other in enumerate(runs):
        if type(other) is type(estimator) and hash_of(other) == hash_of(estimator):
            return k
    runs.append(estimator)
    return len(runs) - 1
