"""Splitting samples so that every training part has every task."""

import numbers

import numpy as np
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length

from ._compat import num_samples
from ._input import check_count, encode_tasks, label_array, read_labels, refuse_mask, split_column


class TaskSplitter(BaseCrossValidator):
    """Reads the tasks of the rows; a splitter owes ``split`` and its ``n_splits``."""

    # With metadata routing, groups are for this splitter without being asked for.
    __metadata_request__split = {"groups": True}

    def get_n_splits(self, X=None, y=None, groups=None):
        """Number of (train, test) pairs; the arguments are ignored."""
        return self.n_splits

    def _tasks(self, X, groups):
        """(n,) the task of every row, as integers."""
        if groups is None and self.task_column is not None:
            groups = split_column(X, self.task_column)[1]
        if groups is None:
            return np.zeros(num_samples(X), dtype=int)
        refuse_mask(groups, "groups")
        groups = label_array(groups)
        check_consistent_length(np.empty((num_samples(X), 0)), groups)
        return encode_tasks(read_labels(groups, len(groups)))[1]


def _evenly(strata):
    """An order in which every stratum is spread evenly, so that what ``learning_curve`` cuts off has them all."""
    order = np.argsort(strata, kind="stable")
    place, size = _places(strata[order])
    share = np.empty(len(strata))
    share[order] = place / size
    return np.argsort(share, kind="stable")


def _places(strata):
    """(place of every row within its stratum, size of that), for sorted strata."""
    starts = np.flatnonzero(np.diff(strata, prepend=-1))
    sizes = np.diff(starts, append=len(strata))
    return np.arange(len(strata)) - np.repeat(starts, sizes), np.repeat(sizes, sizes)


def _shuffled(strata, random_state):
    """The rows by stratum, in random order within each."""
    return np.lexsort((random_state.uniform(size=len(strata)), strata))


class TaskKFold(TaskSplitter):
    """K folds that split within every task.

    The rows of each task are dealt out over the folds, so that every training part holds about
    (n_splits - 1) / n_splits of every task, and at least one row of it. A task with a single row is always
    trained on and never tested.

    Parameters
    ----------
    n_splits : int, default=5
    shuffle : bool, default=False
        Whether to shuffle the rows of each task before they are dealt out.
    random_state : int, RandomState instance or None, default=None
        With shuffle=True.
    task_column : str or int, default=None
        The column of X, by name or position, that holds the task labels; ``groups`` are taken where they are given.

    Raises
    ------
    ValueError
        Where there are fewer rows to test than folds.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl.model_selection import TaskKFold
    >>> task = np.array(["a", "a", "b", "b", "a", "b"])
    >>> for train, test in TaskKFold(n_splits=3).split(np.zeros((6, 1)), groups=task):
    ...     print(test, task[test])
    [0 2] ['a' 'b']
    [1 3] ['a' 'b']
    [4 5] ['a' 'b']
    """

    def __init__(self, n_splits=5, *, shuffle=False, random_state=None, task_column=None):
        if not isinstance(n_splits, numbers.Integral) or n_splits < 2:
            raise ValueError(f"n_splits must be an integer >= 2, got {n_splits!r}.")
        if not isinstance(shuffle, bool):
            raise ValueError(f"shuffle must be True or False, got {shuffle!r}.")
        if not shuffle and random_state is not None:
            raise ValueError(
                f"random_state={random_state!r} has no effect without shuffle=True: leave it out, or shuffle."
            )
        self.n_splits = n_splits
        self.shuffle = shuffle
        self.random_state = random_state
        self.task_column = task_column

    def split(self, X, y=None, groups=None):
        """Yield (train, test) indices.

        Parameters
        ----------
        X : array-like of shape (n, d)
        y : ignored
        groups : array-like of shape (n,), default=None
            The task of every row; without them, and without a task column, all rows are one task, as for one X
            with many targets.
        """
        tasks, strata = self._strata(X, y, groups)
        fold = self._folds(tasks, strata)
        for k in range(self.n_splits):
            train = np.flatnonzero(fold != k)
            yield train[_evenly(strata[train])], np.flatnonzero(fold == k)

    def _strata(self, X, y, groups):
        """(task of every row, group within which rows are dealt out)."""
        tasks = self._tasks(X, groups)
        return tasks, tasks

    def _folds(self, tasks, strata):
        """(n,) the fold in which a row is tested, -1 for never."""
        fold = np.full(len(tasks), -1)
        rows = np.argsort(strata, kind="stable")
        if self.shuffle:
            rows = _shuffled(strata, check_random_state(self.random_state))
        rows = rows[np.bincount(tasks)[tasks[rows]] > 1]
        # Each stratum starts where the one before it ended, so that the folds get equally large.
        fold[rows] = np.arange(len(rows)) % self.n_splits
        if len(np.unique(fold[fold >= 0])) < self.n_splits:
            raise ValueError(
                f"n_splits={self.n_splits} is more than the {np.sum(fold >= 0)} rows that can be tested without "
                "leaving a task untrained."
            )
        return fold


class TaskStratifiedKFold(TaskKFold):
    """K folds that split within every class of every task.

    As ``TaskKFold``, and every fold has the classes of a task in the proportion in which the task has them.

    Parameters
    ----------
    n_splits : int, default=5
    shuffle : bool, default=False
        Whether to shuffle the rows of each class of each task before they are dealt out.
    random_state : int, RandomState instance or None, default=None
        With shuffle=True.
    task_column : str or int, default=None
        The column of X, by name or position, that holds the task labels; ``groups`` are taken where they are given.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl.model_selection import TaskStratifiedKFold
    >>> task = np.repeat([0, 1], 4)
    >>> y = np.array([0, 0, 1, 1, 1, 1, 0, 0])
    >>> for train, test in TaskStratifiedKFold(n_splits=2).split(np.zeros((8, 1)), y, groups=task):
    ...     print(task[test], y[test])
    [0 0 1 1] [0 1 1 0]
    [0 0 1 1] [0 1 1 0]
    """

    def split(self, X, y, groups=None):
        """Yield (train, test) indices.

        Parameters
        ----------
        X : array-like of shape (n, d)
        y : array-like of shape (n,)
            Class labels.
        groups : array-like of shape (n,), default=None
            The task of every row.
        """
        return super().split(X, y, groups)

    def _strata(self, X, y, groups):
        tasks = self._tasks(X, groups)
        if y is None:
            raise ValueError("y is missing: TaskStratifiedKFold needs the class of every row; use TaskKFold without.")
        refuse_mask(y, "y")
        y = np.asarray(y)
        if y.ndim == 2 and y.shape[1] == 1:
            y = y[:, 0]
        if y.ndim != 1:
            raise ValueError(
                f"y must have shape (n,), one class for each row, got {y.shape}: rows with a class for every task "
                "cannot be stratified for all of them, use TaskKFold."
            )
        classes = np.unique(y, return_inverse=True)[1]
        return tasks, tasks * (classes.max() + 1) + classes


class TaskShuffleSplit(TaskSplitter):
    """Random splits within every task.

    A share of the rows of every task, drawn anew for each split, is tested; at least one row of every task is
    trained on, and at least one tested where the task has two.

    Parameters
    ----------
    n_splits : int, default=10
    test_size, train_size : float in (0, 1) or None, default=None
        Shares of every task; None completes the other one, and 0.1 is tested where both are None.
    random_state : int, RandomState instance or None, default=None
    task_column : str or int, default=None
        The column of X, by name or position, that holds the task labels; ``groups`` are taken where they are given.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl.model_selection import TaskShuffleSplit
    >>> task = np.repeat([0, 1], 10)
    >>> for train, test in TaskShuffleSplit(2, test_size=0.2, random_state=0).split(np.zeros((20, 1)), groups=task):
    ...     print(np.bincount(task[train]), np.bincount(task[test]))
    [8 8] [2 2]
    [8 8] [2 2]
    """

    def __init__(self, n_splits=10, *, test_size=None, train_size=None, random_state=None, task_column=None):
        check_count(n_splits, "n_splits", 1, "an integer >= 1")
        self.n_splits = n_splits
        self.test_size = test_size
        self.train_size = train_size
        self.random_state = random_state
        self.task_column = task_column

    def split(self, X, y=None, groups=None):
        """Yield (train, test) indices.

        Parameters
        ----------
        X : array-like of shape (n, d)
        y : ignored
        groups : array-like of shape (n,), default=None
            The task of every row.
        """
        tasks = self._tasks(X, groups)
        random_state = check_random_state(self.random_state)
        for name in ("test_size", "train_size"):
            size = getattr(self, name)
            if size is not None and not (isinstance(size, numbers.Real) and 0 < size < 1):
                raise ValueError(f"{name} must be a share of every task, between 0 and 1, got {size!r}.")
        if self.test_size is not None and self.train_size is not None and self.test_size + self.train_size > 1:
            raise ValueError(
                f"test_size={self.test_size} and train_size={self.train_size} are more than the whole of a task."
            )
        place, size = _places(np.sort(tasks))
        if size.max() < 2:
            raise ValueError("TaskShuffleSplit needs a task with at least 2 rows.")
        n_train, n_test = self._sizes(size)
        for _ in range(self.n_splits):
            rows = _shuffled(tasks, random_state)
            train = np.sort(rows[(place >= n_test) & (place < n_test + n_train)])
            yield train[_evenly(tasks[train])], np.sort(rows[place < n_test])

    def _sizes(self, n):
        """(rows to train on, rows to test) of tasks with n rows each, for an array n."""
        test = 1.0 - self.train_size if self.test_size is None and self.train_size is not None else self.test_size
        n_test = np.clip(np.rint((0.1 if test is None else test) * n), np.minimum(1, n - 1), n - 1)
        share = 1.0 if self.train_size is None else self.train_size
        return np.clip(np.rint(share * n), 1, n - n_test), n_test
