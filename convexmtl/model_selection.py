"""Splitting samples so that every training part has every task."""

import numbers

import numpy as np
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import _num_samples, check_consistent_length


class TaskKFold(BaseCrossValidator):
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
    """

    # With metadata routing, groups are for this splitter without being asked for.
    __metadata_request__split = {"groups": True}

    def __init__(self, n_splits=5, *, shuffle=False, random_state=None):
        if not isinstance(n_splits, numbers.Integral) or n_splits < 2:
            raise ValueError(f"n_splits must be an integer >= 2, got {n_splits!r}.")
        self.n_splits = n_splits
        self.shuffle = shuffle
        self.random_state = random_state

    def get_n_splits(self, X=None, y=None, groups=None):
        return self.n_splits

    def split(self, X, y=None, groups=None):
        """Yield (train, test) indices.

        Parameters
        ----------
        X : array-like of shape (n, d)
        y : ignored
        groups : array-like of shape (n,), default=None
            The task of every row; None takes all rows as one task, as for one X with many targets.
        """
        return super().split(X, y, groups)

    def _iter_test_indices(self, X=None, y=None, groups=None):
        fold = self._folds(_num_samples(X), groups)
        for k in range(self.n_splits):
            yield np.flatnonzero(fold == k)

    def _folds(self, n, groups):
        """(n,) the fold in which a row is tested, -1 for never."""
        random_state = check_random_state(self.random_state)
        if groups is None:
            groups = np.zeros(n, dtype=int)
        groups = check_array(groups, ensure_2d=False, dtype=None, input_name="groups")
        check_consistent_length(np.empty((n, 0)), groups)
        fold = np.full(n, -1)
        offset = 0
        for label in np.unique(groups):
            rows = np.flatnonzero(groups == label)
            if len(rows) == 1:
                continue
            if self.shuffle:
                rows = random_state.permutation(rows)
            # Each task starts where the one before it ended, so that the folds get equally large.
            fold[rows] = (offset + np.arange(len(rows))) % self.n_splits
            offset += len(rows)
        if len(np.unique(fold[fold >= 0])) < self.n_splits:
            raise ValueError(
                f"n_splits={self.n_splits} is more than the {np.sum(fold >= 0)} rows that can be tested without "
                "leaving a task untrained."
            )
        return fold
