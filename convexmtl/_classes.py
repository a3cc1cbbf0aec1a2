"""Columns of W for the classes of tasks that have more than two."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .coupling import Dense, Graph, Nested
from .losses import ByTask, Logistic, Softmax
from .tasks import Tasks

ABSENT, OPPOSITE = -1, -2  # in place of a column


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns of W: one for a task of two classes, and one for every class of a task of more.

    Whatever asks for tasks that have something to do with each other takes it from here what that means for columns:
    ``Penalty.of_columns``.

    Attributes
    ----------
    tasks : ndarray of shape (T,)
        Labels of the tasks.
    classes : list of T ndarrays
        Those of every task.
    counts : ndarray of shape (T,)
        Columns of every task.
    """

    tasks: np.ndarray
    classes: list
    counts: np.ndarray

    @classmethod
    def of(cls, tasks, classes, loss):
        """None where every task has one column."""
        own = cls.single(tasks, classes).classes
        most = 1 if isinstance(loss, Softmax) else 2
        sizes = np.array([1 if found is None else len(found) for found in own])
        counts = np.where(sizes > most, sizes, 1)
        return None if np.all(counts == 1) and most == 2 else cls(tasks, own, counts)

    @classmethod
    def single(cls, tasks, classes):
        """With one column for every task."""
        own = [classes] * len(tasks) if isinstance(classes, np.ndarray) else list(classes)
        return cls(tasks, own, np.ones(len(tasks), dtype=np.int64))

    @property
    def most_classes(self):
        """Of any task."""
        return max(map(len, self.classes))

    @property
    def each(self):
        """[(columns, the first of them, classes)] of every task, all as numbers."""
        return list(zip(self.counts.tolist(), self.first.tolist(), map(len, self.classes), strict=True))

    @cached_property
    def owner(self):
        """(n,) position of the task of every column."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    @cached_property
    def first(self):
        """(T,) position of the first column of every task."""
        return np.cumsum(self.counts) - self.counts

    @cached_property
    def place(self):
        """(n,) which of the classes of its task a column is of; of one for two classes the second."""
        place = np.arange(len(self.owner)) - self.first[self.owner]
        alone = self.counts == 1
        place[self.first[alone]] = [
            0 if c is None else len(c) - 1 for c, one in zip(self.classes, alone, strict=True) if one
        ]
        return place

    @cached_property
    def of_class(self):
        """(n,) code of the class of every column, by which columns of different tasks belong together."""
        codes = {}
        found = [self._label(t, k) for t, k in zip(self.owner.tolist(), self.place.tolist(), strict=True)]
        return np.array([codes.setdefault(label, len(codes)) for label in found])

    @cached_property
    def labels(self):
        """(n,) tuples of the labels of task and class."""
        labels = np.empty(len(self.owner), dtype=object)
        tasks = self.tasks.tolist()
        labels[:] = [
            (tasks[t], self._label(t, k)) for t, k in zip(self.owner.tolist(), self.place.tolist(), strict=True)
        ]
        return labels

    @cached_property
    def every_class(self):
        """The classes of all tasks, in order."""
        if len({tuple(own.tolist()) for own in self.classes}) == 1:
            return self.classes[0]
        labels = list(dict.fromkeys(label for own in self.classes for label in own.tolist()))
        held = np.empty(len(labels), dtype=object)
        held[:] = labels
        found = held if common_type(self.classes) is object else np.array(labels, dtype=common_type(self.classes))
        try:
            return np.unique(found)
        except TypeError:
            return found

    @cached_property
    def where(self):
        """(T, K) the column of every class of every task; ABSENT where the task has it not, OPPOSITE for the first of
        two, which the only column of the task is not of."""
        code = {label: k for k, label in enumerate(self.every_class.tolist())}
        where = np.full((len(self.counts), len(code)), ABSENT)
        for t, (own, count, first) in enumerate(zip(self.classes, self.counts, self.first, strict=True)):
            at = [code[label] for label in own.tolist()]
            where[t, at] = first + np.arange(count) if count > 1 else first
            if count == 1 and len(own) == 2:
                where[t, at[0]] = OPPOSITE
        return where

    @cached_property
    def _of_code(self):
        """(T, K) the column of every task for every code of a class; -1 where there is none."""
        found = np.full((len(self.counts), int(self.of_class.max()) + 1), -1)
        found[self.owner, self.of_class] = np.arange(len(self.owner))
        return found

    def pairs(self, s, t):
        """(position of the pair, column of s, column of t) for every class that tasks s and t (m,) have both."""
        a, b = self._of_code[s], self._of_code[t]
        pair, k = np.nonzero((a >= 0) & (b >= 0))
        return pair, a[pair, k], b[pair, k]

    def chains(self, order):
        """[columns of a class, in the order of their tasks] for every class."""
        return [column[column >= 0].tolist() for column in self._of_code[list(order)].T]

    def of_tasks(self, members):
        """All columns of some tasks."""
        return np.flatnonzero(np.isin(self.owner, list(members))).tolist()

    def operator(self, coupling):
        """A TaskOperator of columns: of those of a class what ``coupling`` is of the tasks that have it, and nothing
        between classes."""
        n, owner, of_class = len(self.owner), self.owner, self.of_class
        if isinstance(coupling, Nested):
            groups = [np.unique(codes[owner] * n + of_class, return_inverse=True)[1] for codes in coupling.groups]
            return Nested(n, coupling.values, groups)
        if isinstance(coupling, Graph):
            s, t, omega, sign = coupling.edges
            pair, a, b = self.pairs(np.asarray(s, dtype=int), np.asarray(t, dtype=int))
            return Graph(n, (a, b, np.asarray(omega)[pair], np.asarray(sign)[pair]), coupling.ridge)
        return Dense(coupling.matrix()[owner[:, None], owner] * (of_class[:, None] == of_class))

    def _label(self, t, k):
        return None if self.classes[t] is None else self.classes[t].tolist()[k]

    @property
    def several(self):
        """(n,) whether the task of a column has others."""
        return self.counts[self.owner] > 1

    def samples(self, tasks, loss):
        """Tasks of columns, whose targets are indicators of the classes for softmax, and else -1 and 1."""
        columns = tasks.in_columns(self.counts)
        # (Two classes are -1 and 1 where they come from.)
        code = np.where(columns.spread(self.counts[self.owner] == 2), (columns.y + 1) / 2, columns.y)
        several, own = columns.spread(self.several), code == columns.spread(self.place)
        absent = -1.0 if _is_margin(loss) else 0.0
        y = np.where(several, np.where(own, 1.0, absent), columns.y)
        return replace(columns, y=np.where(columns.weight > 0, y, 0.0))

    def shared_codes(self, tasks):
        """Targets of Tasks, which are -1 and 1 or 0, 1, ... in the classes of each, as positions in ``every_class``."""
        code = {label: k for k, label in enumerate(self.every_class.tolist())}
        of_task = [np.array([code[label] for label in own.tolist()]) for own in self.classes]
        sizes = np.array([len(own) for own in of_task])
        place = np.where(tasks.spread(sizes) == 2, (tasks.y + 1) / 2, tasks.y)
        # (Of a single class, which is either side, and of what is missing, the first that there is.)
        place = np.clip(place, 0, tasks.spread(sizes) - 1).astype(np.int64)
        return np.concatenate(of_task)[tasks.spread(np.cumsum(sizes) - sizes) + place].astype(float)

    def errors(self, t, y, Z, loss):
        """(n,) losses of samples of task t with the labels y, all of its classes, and scores Z (n, columns of t)."""
        one = Columns(self.tasks[[t]], [self.classes[t]], self.counts[[t]])
        place = np.searchsorted(self.classes[t], y).astype(float)
        if one.counts[0] == 1:
            return loss.error(2 * place - 1, Z[:, 0])
        columns = one.samples(Tasks.shared(np.empty((len(y), 0)), place[:, None]), loss)
        return one.loss(loss).at(columns).error(columns.y, Z.T.ravel()).reshape(Z.T.shape).sum(axis=0)

    def loss(self, loss):
        """That of all columns."""
        if _is_margin(loss):
            return loss
        if self.several.all():
            return Softmax()
        names = self.labels.tolist()
        return ByTask({name: Softmax() if of else Logistic() for name, of in zip(names, self.several, strict=True)})


def _is_margin(loss):
    """Whether classes are told from the rest one by one."""
    return not isinstance(loss, Logistic | Softmax)


def common_type(classes):
    """dtype for labels of all tasks: object where numbers and strings meet."""
    kinds = {c.dtype.kind for c in classes}
    return np.result_type(*(c.dtype for c in classes)) if len(kinds) == 1 or kinds <= set("biuf") else object
