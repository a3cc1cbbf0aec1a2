"""Between a list of data sets, one for each task, and the stacked form (X, y, task)."""

import sys

import numpy as np
from scipy import sparse
from sklearn.utils import check_consistent_length

from ._compat import column_names, is_pandas_na, is_scalar_nan, safe_indexing

__all__ = ["stack_tasks", "unstack_tasks"]


def stack_tasks(Xs, ys, labels=None):
    """Stack the data of the tasks, one below the other, and label every row with its task.

    Parameters
    ----------
    Xs : list of {array-like, sparse matrix, DataFrame} of shape (n_t, n_features)
        The samples of each task. Frames, of pandas or polars, must all have the same columns.
    ys : list of array-like of shape (n_t,)
        The targets of each task.
    labels : array-like of shape (n_tasks,), default=None
        The label of each task; None stands for 0, 1, 2, ...

    Returns
    -------
    X : {ndarray, sparse CSR matrix, DataFrame} of shape (n_samples, n_features)
        The samples, n_samples = n_1 + ... + n_T. Sparse when one of `Xs` is, a frame when all of
        them are frames of one kind.
    y : ndarray of shape (n_samples,)
        The targets.
    task : ndarray of shape (n_samples,)
        The label of the task of each sample.

    Raises
    ------
    ValueError
        When the lists differ in length, a task has no samples or not as many targets as samples,
        the tasks differ in their columns, or two tasks have the same label.

    See Also
    --------
    unstack_tasks : The way back.

    Examples
    --------
    >>> from convexmtl.stacking import stack_tasks
    >>> X, y, task = stack_tasks([[[1.0], [2.0]], [[3.0]]], [[10.0, 20.0], [30.0]], labels=["a", "b"])
    >>> X.ravel().tolist(), y.tolist(), task.tolist()
    ([1.0, 2.0, 3.0], [10.0, 20.0, 30.0], ['a', 'a', 'b'])
    """
    Xs = [X if hasattr(X, "shape") else np.asarray(X) for X in Xs]
    ys = [np.asanyarray(y) for y in ys]
    labels = np.arange(len(Xs)) if labels is None else _read_labels(labels, "labels")
    _check_lists(Xs, ys, labels)
    for label, X, y in zip(labels, Xs, ys, strict=True):
        _check_task(label, X, y)
    _check_columns(labels, Xs)
    return _concatenate(Xs), _joined(ys), np.repeat(labels, [len(y) for y in ys])


def unstack_tasks(X, y, task):
    """Split stacked data into the data of each task.

    The rows of a task keep their order, and need not be next to each other in `X`.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        The samples.
    y : array-like of shape (n_samples,)
        The targets.
    task : array-like of shape (n_samples,)
        The label of the task of each sample.

    Returns
    -------
    Xs : list of {ndarray, sparse matrix, DataFrame} of shape (n_t, n_features)
        The samples of each task, of the same kind as `X`.
    ys : list of array-like of shape (n_t,)
        The targets of each task, of the same kind as `y`.
    labels : ndarray of shape (n_tasks,)
        The labels of the tasks, sorted: the order of `Xs` and `ys`.

    Raises
    ------
    ValueError
        When the lengths differ, there are no rows, `task` is not one-dimensional, or a label is
        missing.

    See Also
    --------
    stack_tasks : The way back.

    Examples
    --------
    >>> from convexmtl.stacking import unstack_tasks
    >>> Xs, ys, labels = unstack_tasks([[1.0], [2.0], [3.0]], [10.0, 20.0, 30.0], ["b", "a", "b"])
    >>> labels.tolist(), [len(y) for y in ys]
    (['a', 'b'], [1, 2])
    """
    X, y = (Z if hasattr(Z, "shape") else np.asarray(Z) for Z in (X, y))
    task = _read_labels(task, "task")
    if task.ndim != 1:
        raise ValueError(f"task must have one label for each row of X. Got an array of shape {task.shape}.")
    check_consistent_length(X, y, task)
    if len(task) == 0:
        raise ValueError("X, y and task have no rows: there is no task to unstack.")
    _check_no_missing_label(task)
    labels, position, sizes = np.unique(task, return_inverse=True, return_counts=True)
    rows = np.split(np.argsort(position, kind="stable"), np.cumsum(sizes)[:-1])
    return [safe_indexing(X, r) for r in rows], [safe_indexing(y, r) for r in rows], labels


def _check_lists(Xs, ys, labels):
    if not Xs:
        raise ValueError("Xs is empty: there is no task to stack.")
    if len(ys) != len(Xs):
        raise ValueError(f"Xs and ys must have one entry for each task. Got {len(Xs)} and {len(ys)} entries.")
    if labels.shape != (len(Xs),):
        raise ValueError(
            f"labels must have one entry for each of the {len(Xs)} tasks. Got an array of shape {labels.shape}."
        )
    _check_no_missing_label(labels)
    values, counts = np.unique(labels, return_counts=True)
    if (counts > 1).any():
        raise ValueError(f"labels must be distinct. Got more than once: {values[counts > 1].tolist()}.")


def _read_labels(labels, name):
    """An array of them; tuples stay what they are."""
    # (Pandas' nullable arrays have a mask as well, and a way of their own to say what is missing.)
    if isinstance(labels, np.ma.MaskedArray) and np.ma.is_masked(labels):
        raise ValueError(f"{name} must not be masked, got {np.ma.count_masked(labels)} masked entries.")
    if isinstance(labels, list | tuple) and any(isinstance(label, tuple) for label in labels):
        array = np.empty(len(labels), dtype=object)
        array[:] = labels
        return array
    return np.asarray(labels)


def _check_no_missing_label(labels):
    if labels.dtype.kind in "biuUS":
        return
    missing = [i for i, label in enumerate(labels) if label is None or is_scalar_nan(label) or is_pandas_na(label)]
    if missing:
        raise ValueError(
            f"A task label is missing at position {missing[0]} ({len(missing)} missing in all). "
            "Give every row a label, or drop the rows without one."
        )


def _check_task(label, X, y):
    if len(X.shape) != 2:
        raise ValueError(f"X of task {label} must have two dimensions. Got shape {X.shape}.")
    if len(y.shape) != 1:
        raise ValueError(f"y of task {label} must have one dimension. Got shape {y.shape}.")
    if X.shape[0] != len(y):
        raise ValueError(
            f"X and y of task {label} must have the same length. Got {X.shape[0]} rows and {len(y)} targets."
        )
    if len(y) == 0:
        raise ValueError(f"Task {label} has no samples. Leave it out.")


def _check_columns(labels, Xs):
    """All tasks must have the columns of the first: as many, and for frames the same names."""
    first = _listed(column_names(Xs[0]))
    for label, X in zip(labels, Xs, strict=True):
        if X.shape[1] != Xs[0].shape[1]:
            raise ValueError(
                "All tasks must have the same number of columns. "
                f"Got {Xs[0].shape[1]} for task {labels[0]} and {X.shape[1]} for task {label}."
            )
        names = _listed(column_names(X))
        if None not in (first, names) and names != first:
            raise ValueError(
                "All tasks must have the same columns in the same order. "
                f"Got {first} for task {labels[0]} and {names} for task {label}."
            )


def _listed(names):
    return None if names is None else list(names)


def _concatenate(Xs):
    if any(sparse.issparse(X) for X in Xs):
        return sparse.vstack(Xs, format="csr")
    kind = type(Xs[0])
    if hasattr(Xs[0], "columns") and all(isinstance(X, kind) for X in Xs):
        # pandas and polars both call it concat; whoever made the frames has imported the module.
        module = sys.modules[kind.__module__.partition(".")[0]]
        stacked = module.concat(Xs) if hasattr(module, "concat") else module.concat_tables(Xs)
        return stacked.reset_index(drop=True) if hasattr(stacked, "reset_index") else stacked
    return _joined([np.asanyarray(X) for X in Xs])


def _joined(arrays):
    """One below the other; what is masked stays masked."""
    masked = any(isinstance(array, np.ma.MaskedArray) for array in arrays)
    return np.ma.concatenate(arrays) if masked else np.concatenate(arrays)
