"""Scores of several tasks: pooled, averaged over the tasks, or task by task.

``y_true`` and ``y_pred`` are (n, T), with NaN where a target is missing, or (n,) with the task of every row in
``task``. Missing targets do not count.
"""

from typing import NamedTuple

import numpy as np
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import check_consistent_length

from ._compat import BaseScorer, check_pandas_support, check_sample_weight, column_names
from ._input import encode_tasks, label_array, missing_mask, read_labels, refuse_mask, split_column, unmasked

AVERAGES = ("pooled", "size", "equal", None)


def explained_variance(y_true, y_pred, *, task=None, sample_weight=None, average="pooled"):
    """Explained variance of several tasks, in the definitions that the literature has for it.

    - ``average="pooled"``: 1 - mean((y - z)^2) / var(y), mean and variance over the rows of all tasks.
    - ``average="size"``: sum_t n_t EV_t / sum_t n_t with EV_t = 1 - mean_t((y - z)^2) / var_t(y), the variance
      within the task with n_t - 1 in the denominator.
    - ``average="equal"``: mean_t EV_t.
    - ``average=None``: the EV_t, one per task.

    The pooled score counts the differences between the tasks' means as explained, the others do not.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n, T) or (n,)
    task : array-like of shape (n,), default=None
        The task of every row, for y of shape (n,).
    sample_weight : array-like of shape (n,), default=None
        Weights w_i in place of counts: n_t = sum_i w_i.
    average : {"pooled", "size", "equal"} or None, default="pooled"

    Returns
    -------
    float, or ndarray of shape (T,) in the order of the sorted task labels or of the columns
        NaN for a task whose targets do not vary, which the averages leave out.
    """
    return 1 - _errors_over_variance(y_true, y_pred, task, sample_weight, average, ddof=1)


def nmse(y_true, y_pred, *, task=None, sample_weight=None, average="equal"):
    """Normalised mean squared error: mean((y - z)^2) / var(y).

    - ``average="equal"``: mean_t of mean_t((y - z)^2) / var_t(y), the variance within the task, with n_t in the
      denominator.
    - ``average="size"``: the same, weighted by n_t.
    - ``average="pooled"``: over the rows of all tasks.
    - ``average=None``: one per task.

    Parameters
    ----------
    y_true, y_pred, task, sample_weight
        As in ``explained_variance``.
    average : {"equal", "size", "pooled"} or None, default="equal"

    Returns
    -------
    float, or ndarray of shape (T,)
        NaN for a task whose targets do not vary, which the averages leave out.
    """
    return _errors_over_variance(y_true, y_pred, task, sample_weight, average, ddof=0)


def task_scores(y_true, y_pred, *, task=None, sample_weight=None, metrics=None):
    """One row per task.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n, T) or (n,)
    task : array-like of shape (n,), default=None
        The task of every row, for y of shape (n,).
    sample_weight : array-like of shape (n,), default=None
    metrics : dict of str -> callable, default=None
        Columns of the table: ``metric(y_true, y_pred, sample_weight=...)``. None takes the mean squared error, its
        root, the mean absolute error and R^2; for labels that are no numbers, or bool, accuracy and balanced
        accuracy.

    Returns
    -------
    pandas.DataFrame
        Index: the task labels, or the columns of y. First column: ``n``, the targets that count.
    """
    pandas = check_pandas_support("task_scores")
    targets = by_task(y_true, y_pred, task, sample_weight)
    index = pandas.Index(targets.labels, name="task", tupleize_cols=False)
    n = np.diff(targets.ptr)
    if metrics is None:
        numbers = _plain(targets.y[: targets.ptr[1]]).dtype.kind in "iuf"
        columns = _regression(targets) if numbers else _classification(targets)
        return pandas.DataFrame({"n": n, **columns}, index=index)
    rows = []
    for y, z, w in targets.tasks():
        weight = {} if sample_weight is None else {"sample_weight": w}
        rows.append({name: metric(_plain(y), z, **weight) for name, metric in metrics.items()})
    table = pandas.DataFrame(rows, index=index, columns=list(metrics))
    table.insert(0, "n", n)
    return table


def _regression(targets):
    """The columns of ``task_scores`` for numbers."""
    y, z, w = targets.y.astype(float), targets.z.astype(float), targets.weight
    size, r = targets.sum(w), y - z
    errors = targets.sum(w * r**2)
    variances = targets.sum(w * targets.centred(y) ** 2)
    # (Targets that do not vary: 1 where they are met, else 0, as scikit-learn has it.)
    ratio = np.divide(errors, variances, out=(errors > 0).astype(float), where=variances > 0)
    mse = errors / size
    r2 = np.where(np.diff(targets.ptr) > 1, 1 - ratio, np.nan)
    return {"mse": mse, "rmse": np.sqrt(mse), "mae": targets.sum(w * np.abs(r)) / size, "r2": r2}


def _classification(targets):
    """The columns of ``task_scores`` for labels."""
    right = targets.weight * np.array(targets.y == targets.z, dtype=float)
    # Shares of every class of every task, and their mean over the classes that a task has.
    code = {}
    classes = np.array([code.setdefault(label, len(code)) for label in targets.y.tolist()])
    of_task = targets.spread(np.arange(len(targets.labels)))
    pairs, inverse = np.unique(of_task * len(code) + classes, return_inverse=True)
    recall = np.bincount(inverse, weights=right) / np.bincount(inverse, weights=targets.weight)
    own = pairs // len(code)
    balanced = np.bincount(own, weights=recall) / np.bincount(own)
    return {"accuracy": targets.sum(right) / targets.sum(targets.weight), "balanced_accuracy": balanced}


def _plain(y):
    """Without what was missing, objects are numbers, strings or booleans again."""
    return np.array(y.tolist()) if y.dtype.kind == "O" else y


class TaskScorer(BaseScorer):
    """A scorer that knows the tasks, for ``scoring=`` in searches and cross-validation.

    ``scorer(estimator, X, y)`` predicts and calls ``metric(y, prediction, task=...)``. The tasks are those of
    ``task_column``, or what metadata routing hands over as ``task`` (``scorer.set_score_request(task=True)``); with
    one column of y per task there is nothing to hand over.

    Parameters
    ----------
    metric : callable
        Such as ``explained_variance`` or ``nmse``.
    greater_is_better : bool, default=True
    task_column : str or int, default=None
        The column of X that holds the task labels.
    **kwargs : dict
        What else the metric takes, such as ``average``.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import BlockSparseRegressor
    >>> from convexmtl.metrics import TaskScorer, nmse
    >>> X = np.eye(4)
    >>> Y = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [4.0, 8.0]])
    >>> scorer = TaskScorer(nmse, greater_is_better=False)
    >>> model = BlockSparseRegressor(alpha=10.0).fit(X, Y)
    >>> print(round(scorer(model, X, Y), 3))  # as good as the mean of each task
    -1.0
    """

    def __init__(self, metric, *, greater_is_better=True, task_column=None, **kwargs):
        super().__init__(metric, 1 if greater_is_better else -1, kwargs, response_method="predict")
        self.task_column = task_column

    def _score(self, method_caller, estimator, X, y_true, sample_weight=None, task=None):
        if task is not None:
            prediction = estimator.predict(X, task=task)
        else:
            prediction = estimator.predict(X)
            if self.task_column is not None:
                task = split_column(X, self.task_column)[1]
        given = {} if sample_weight is None else {"sample_weight": sample_weight}
        if task is not None:
            given["task"] = task
        return self._sign * self._score_func(y_true, prediction, **given, **self._kwargs)


class _Targets(NamedTuple):
    """The targets that count, task after task: none that is missing, no task without any."""

    labels: list
    ptr: np.ndarray  # those of task k are ptr[k]:ptr[k + 1]
    y: np.ndarray
    z: np.ndarray
    weight: np.ndarray

    def sum(self, values):
        return np.add.reduceat(values, self.ptr[:-1])

    def spread(self, values):
        return np.repeat(values, np.diff(self.ptr))

    def centred(self, y):
        """y without the mean of its task; exactly 0 where it is constant, which a mean is but for rounding."""
        centred = y - self.spread(self.sum(self.weight * y) / self.sum(self.weight))
        varies = np.maximum.reduceat(y, self.ptr[:-1]) > np.minimum.reduceat(y, self.ptr[:-1])
        return np.where(self.spread(varies), centred, 0.0)

    def tasks(self):
        """(y, z, weights) of each."""
        return zip(*(np.split(a, self.ptr[1:-1]) for a in (self.y, self.z, self.weight)), strict=True)


def by_task(y_true, y_pred, task, sample_weight):
    """The targets that count and their predictions, as _Targets."""
    names = column_names(y_true)
    for array, name in ((y_pred, "y_pred"), (task, "task"), (sample_weight, "sample_weight")):
        refuse_mask(array, name)
    y, z = np.asarray(unmasked(y_true)), np.asarray(y_pred)
    if task is not None:
        task = label_array(task)
        y, z = (a[:, 0] if a.ndim == 2 and a.shape[1] == 1 else a for a in (y, z))
    if y.shape != z.shape:
        raise ValueError(f"y_true and y_pred must have one shape, got {y.shape} and {z.shape}.")
    if y.ndim not in (1, 2):
        raise ValueError(f"y_true must have shape (n,) or (n, T), got {y.shape}.")
    check_consistent_length(y, task, sample_weight)
    weight = None if sample_weight is None else np.asarray(sample_weight, dtype=float)
    if weight is None or weight.ndim != 2 or weight.shape != y.shape:
        weight = check_sample_weight(weight, np.empty((len(y), 0)))
    if np.any(weight < 0):
        raise ValueError(f"sample_weight must be >= 0, got {weight.min():g}.")
    if y.ndim == 2:
        if task is not None:
            raise ValueError("task is for y of shape (n,); here every column of y is a task.")
        labels = list(range(y.shape[1])) if names is None else list(names)
        codes = np.repeat(np.arange(y.shape[1]), len(y))
        weight = (weight if weight.ndim == 2 else np.broadcast_to(weight[:, None], y.shape)).ravel(order="F")
        y, z = y.ravel(order="F"), z.ravel(order="F")
    else:
        labels, codes = encode_tasks(np.zeros(len(y), dtype=int) if task is None else read_labels(task, len(y)))
        labels, order = labels.tolist(), np.argsort(codes, kind="stable")
        y, z, weight, codes = y[order], z[order], weight[order], codes[order]
    seen = ~missing_mask(y) & (weight > 0)
    if not seen.any():
        raise ValueError("y_true has no target that counts.")
    y, z, weight, codes = y[seen], z[seen], weight[seen], codes[seen]
    assert_all_finite(_plain(y), input_name="y_true")
    assert_all_finite(z, input_name="y_pred")
    sizes = np.bincount(codes, minlength=len(labels))
    left = np.flatnonzero(sizes)
    ptr = np.concatenate([[0], np.cumsum(sizes[left])])
    return _Targets([labels[t] for t in left], ptr, y, z, weight)


def _errors_over_variance(y_true, y_pred, task, sample_weight, average, ddof):
    """Mean squared errors over variances, in one of the averages; ``ddof`` is for variances within a task."""
    if average not in AVERAGES:
        raise ValueError(f"average must be one of {AVERAGES}, got {average!r}.")
    targets = by_task(y_true, y_pred, task, sample_weight)
    if average == "pooled":
        targets, ddof = targets._replace(ptr=targets.ptr[[0, -1]]), 0
    y, z, w = targets.y.astype(float), targets.z.astype(float), targets.weight
    size = targets.sum(w)
    errors, variances = targets.sum(w * (y - z) ** 2), targets.sum(w * targets.centred(y) ** 2)
    degrees = size - ddof
    varies = (variances > 0) & (degrees > 0)
    ratios = np.full(len(size), np.nan)
    ratios[varies] = errors[varies] / size[varies] / (variances[varies] / degrees[varies])
    if average is None:
        return ratios
    counts = size if average == "size" else np.ones(len(size))
    return float(np.average(ratios[varies], weights=counts[varies])) if varies.any() else np.nan
