"""The folds of whatever searches: they split within every task."""

from numbers import Integral

import numpy as np
from sklearn import get_config
from sklearn.base import is_classifier
from sklearn.model_selection import PredefinedSplit, check_cv
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from ..model_selection import TaskKFold, TaskSplitter, TaskStratifiedKFold


class SplitsTasks:
    """Mixin for estimators with a parameter ``cv``."""

    def _splits(self, X, y, data, params):
        """The (train, test) of every fold, as the splitter has them; ``params`` are what fit has been handed for it."""
        if get_config()["enable_metadata_routing"]:
            given = process_routing(self, "fit", **params).splitter.split
        else:
            given = {}
        if self.cv is None or isinstance(self.cv, Integral):
            return self._default_splits(5 if self.cv is None else self.cv, data)
        cv = check_cv(self.cv)
        if isinstance(cv, TaskSplitter) and data.codes is not None:
            given = {"groups": data.codes, **given}
        return cv.split(X, y, **given)

    def _folds(self, X, y, data, params):
        """[(train, test)]: how often each row is in either, (n,) integers, in the order of the rows of data.tasks."""
        return counted(self._splits(X, y, data, params), data)

    def _default_splits(self, n_folds, data):
        """Yield (train, test) that split within every task, of the rows that count.

        A row without weight is as good as none: dealt out for itself, it would take the place of one that counts.
        """
        tasks, order, target, groups = data.by_task, _order(data), None, None
        seen = np.zeros((tasks.n_tasks if tasks.is_shared else 1, tasks.n_rows), dtype=bool)
        seen[tasks.sample_task if tasks.is_shared else 0, order[tasks.sample_row]] = tasks.weight > 0
        counted = np.flatnonzero(seen.any(axis=0))
        seen = seen[:, counted]
        if data.layout != "shared":
            target = np.zeros(tasks.n_rows)
            target[order] = tasks.y
            target = target[counted]
        if data.layout == "stacked":
            groups = data.codes[counted]
            cv = TaskStratifiedKFold(n_folds) if is_classifier(self) else TaskKFold(n_folds)
        elif seen.all():
            cv = check_cv(n_folds, target, classifier=is_classifier(self) and target is not None)
        else:
            # Missing targets: rows are dealt out by what they have, that of the rarest task first.
            rarest = np.argsort(seen.sum(axis=1), kind="stable")
            fold = np.empty(len(counted), dtype=int)
            fold[np.lexsort(~seen[rarest[::-1]])] = np.arange(len(counted)) % check_cv(n_folds).get_n_splits()
            cv = PredefinedSplit(fold)
        for train, test in cv.split(counted, target, groups):
            yield counted[train], counted[test]

    def get_metadata_routing(self):
        """What is handed on to the splitter."""
        mapping = MethodMapping().add(caller="fit", callee="split")
        return MetadataRouter(owner=self).add_self_request(self).add(splitter=check_cv(self.cv), method_mapping=mapping)


def counted(splits, data):
    """The folds of ``_folds`` from (train, test) as a splitter has them, each checked."""
    folds, order = [], _order(data)
    for k, parts in enumerate(splits):
        folds.append([_counts(part, len(order), k)[order] for part in parts])
        _check_fold(data, *folds[-1], k)
    if not folds:
        raise ValueError(
            "cv has no splits (a generator has none left after one fit): pass a splitter, or a list of splits."
        )
    return folds


def _order(data):
    """(n,) the rows of X in the order of data.tasks."""
    return np.arange(data.tasks.n_rows) if data.codes is None else np.argsort(data.codes, kind="stable")


def _counts(part, n, k):
    """(n,) how often each row is in one part of fold k, given as indices or as a mask."""
    part = np.asarray(part)
    if part.dtype == bool and part.shape == (n,):
        return part.astype(int)
    if part.ndim != 1 or part.dtype.kind not in "iu" or np.any((part < -n) | (part >= n)):
        raise ValueError(f"cv: fold {k} must be (train, test), two arrays of positions below {n} or two masks.")
    return np.bincount(part % n, minlength=n)


def _check_fold(data, train, test, k):
    """Raise a ValueError unless every task is trained, and something is tested."""
    tasks = data.by_task
    weight, row = tasks.weight, tasks.sample_row
    trained = tasks.sum(weight * train[row]) > 0
    if not trained.all():
        way_out = {
            "stacked": "Use TaskKFold, whose folds split within every task, or drop tasks with a single sample.",
            "shared": "Its targets are in few rows: use fewer folds, or a splitter that shuffles.",
            "single": "Pass other folds.",
        }[data.layout]
        label = data.task_labels[~trained].tolist()[0]
        raise ValueError(f"cv: fold {k} trains on no sample of task {label!r}. {way_out}")
    if not np.any(weight * test[row] > 0):
        raise ValueError(f"cv: fold {k} tests no sample with a target and a positive weight; drop it.")
