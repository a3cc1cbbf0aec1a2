"""How much every task gains from every other one."""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import cut_tree, linkage
from scipy.spatial.distance import squareform
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.parallel import Parallel, delayed

from ._compat import check_matplotlib_support, check_pandas_support
from ._input import check_count
from ._subsets import TaskSubsets


@dataclass(frozen=True, eq=False, repr=False)
class TaskAffinity:
    """What every task gains from every other one; made by ``task_affinity``.

    Attributes
    ----------
    matrix : ndarray of shape (T, T)
        Row t, column s: what task t gains when it is fitted together with task s; 0 on the diagonal.
    standard_error : ndarray of shape (T, T)
        Of the matrix, from the test samples of task t, for the fits at hand.
    losses : ndarray of shape (T, T)
        Mean test loss of task t when it is fitted together with task s, and on the diagonal alone.
    tasks : ndarray of shape (T,)
        Task labels.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import MeanRegularizedRegressor, task_affinity
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(30, 8))
    >>> w, v = rng.normal(size=(2, 8))
    >>> Y = X @ np.stack([w, w, v, v], axis=1) + rng.normal(size=(30, 4))
    >>> affinity = task_affinity(MeanRegularizedRegressor(0.01, 0.5), X, Y)
    >>> print(affinity.matrix[0, 1] > 0 > affinity.matrix[0, 2])
    True
    >>> print(affinity.cluster(2))
    [0 0 1 1]
    """

    matrix: np.ndarray
    standard_error: np.ndarray
    losses: np.ndarray
    tasks: np.ndarray

    @property
    def frame(self):
        """The matrix as a pandas DataFrame: a row per task that gains, a column per task that it gains from."""
        pandas = check_pandas_support("TaskAffinity.frame")
        gains, source = (pandas.Index(self.tasks, name=name, tupleize_cols=False) for name in ("task", "with"))
        return pandas.DataFrame(self.matrix, index=gains, columns=source)

    def cluster(self, n):
        """Cluster of every task, an array (T,) of 0, ..., n - 1: those are together that gain from each other.

        Average linkage with the distances 1 - (a_ts + a_st) / 2.

        Parameters
        ----------
        n : int
            Between 1 and the number of tasks.
        """
        T = len(self.tasks)
        check_count(n, "n", 1, f"an integer between 1 and the number of tasks ({T})", T)
        distances = 1 - (self.matrix + self.matrix.T) / 2
        return cut_tree(linkage(squareform(distances, checks=False), "average"), n)[:, 0]

    def plot(self, ax=None, *, n_clusters=None, colorbar=True, im_kw=None):
        """Heat map of the matrix: a row per task that gains, a column per task that it gains from.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.
        n_clusters : int, default=None
            Puts the tasks of a cluster side by side, with lines between the clusters.
        colorbar : bool, default=True
        im_kw : dict, default=None
            For ``Axes.imshow``. The colours are symmetric about 0 unless it says else.

        Returns
        -------
        convexmtl.inspection.TaskRelationshipDisplay
        """
        check_matplotlib_support("TaskAffinity.plot")
        from .inspection import TaskRelationshipDisplay

        labels = None if n_clusters is None else self.cluster(n_clusters)
        bound = np.abs(self.matrix).max() or 1.0
        limits = {} if "norm" in (im_kw or {}) else {"vmin": -bound, "vmax": bound}
        display = TaskRelationshipDisplay(
            relation=self.matrix, task_names=self.tasks, labels=labels, relation_name="Gain in test loss"
        )
        display.plot(ax, colorbar=colorbar, im_kw={**limits, **(im_kw or {})})
        display.ax_.set(ylabel="Task that gains", xlabel="Task it is fitted with")
        return display

    def __repr__(self):
        others = self.matrix[~np.eye(len(self.tasks), dtype=bool)]
        return (
            f"TaskAffinity({len(self.tasks)} tasks, gains from {others.min():+.1%} to {others.max():+.1%}, "
            f"{np.mean(others > 0):.0%} of the pairs positive)"
        )


def task_affinity(estimator, X, y, *, task=None, cv=None, sample_weight=None, n_jobs=None):
    """What every task gains from every other one alone, on test folds.

        a_ts = (L_t - L_ts) / max(L_t, L_ts),    -1 <= a_ts <= 1,

    with L_t the mean test loss of task t when it is fitted alone, L_ts when it is fitted together with task s, both in
    the estimator's loss (the squared error for the squared loss). At 0.2 the loss is 20 % less with s than alone, at
    -0.2 it is 20 % less alone.

    Parameters
    ----------
    estimator : estimator of convexmtl, or pipeline that ends in one
        It is fitted to single tasks and to pairs, so that it cannot have a graph, tree, order or number of clusters.
        One strength need not suit a task alone and two tasks alike: estimators whose names end in CV choose it for
        every fit, at many times the cost.
    X, y, task, sample_weight
        As in ``estimator.fit``.
    cv : int, splitter or iterable of (train, test), default=None
        As in the estimators that search; None is 5 folds that split within every task.
    n_jobs : int, default=None
        Fits at a time, as in joblib.

    Returns
    -------
    TaskAffinity
        With ``matrix``, ``standard_error``, ``losses``, ``tasks``, ``frame``, ``cluster(n)`` and ``plot()``.

    Raises
    ------
    TypeError
        For anything but an estimator of convexmtl.
    ValueError
        For a single task, folds that do not train and test every task (for classifiers, on all of its classes), an
        estimator that cannot be fitted to some of the tasks, and whatever ``fit`` raises.

    Warns
    -----
    ConvergenceWarning
        Once, where fits did not reach ``tol``.

    Notes
    -----
    It takes T (T + 1) / 2 fits per fold: every pair is fitted once for both of its tasks.

    References
    ----------
    Thrun, O'Sullivan (1996), ICML: the matrix of transfer between tasks.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import TraceNormRegressor, task_affinity
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(30, 4))
    >>> affinity = task_affinity(TraceNormRegressor(0.1), X, X[:, :3] + rng.normal(size=(30, 3)))
    >>> affinity.matrix.shape
    (3, 3)
    """
    subsets = TaskSubsets(estimator, X, y, task=task, sample_weight=sample_weight, caller="task_affinity")
    T = len(subsets.labels)
    folds = subsets.folds(cv, range(T))
    run = Parallel(n_jobs=n_jobs)
    alone = run(delayed(_alone)(subsets, *fold) for fold in folds)
    jobs = [(k, t) for k in range(len(folds)) for t in range(1, T)]
    found = run(delayed(_pairs)(subsets, *folds[k], t, alone[k][0]) for k, t in jobs)
    mass, square, loss = np.sum([sums for _, sums, _ in alone], axis=0)
    pairs = np.zeros((3, T, T))
    for (_, t), (sums, _) in zip(jobs, found, strict=True):
        pairs[:, t, :t] += sums[0]
        pairs[:, :t, t] += sums[1]
    failed = sum(n for *_, n in [*alone, *found])
    if failed:
        warnings.warn(
            f"{failed} of {len(folds) * T * (T + 1) // 2} fits did not reach tol={subsets.model.tol:g}: increase "
            "max_iter, or scale the features.",
            ConvergenceWarning,
            stacklevel=2,
        )
    # Of d, what a test sample loses less with the other task than alone: the mean and its standard error.
    mean = pairs[0] / mass[:, None]
    spread = pairs[2] - 2 * mean * pairs[1] + mean**2 * square[:, None]
    error = np.sqrt(np.maximum(spread, 0)) / mass[:, None]
    before = np.broadcast_to((loss / mass)[:, None], (T, T))
    losses = before - mean
    unit = np.maximum(before, losses)
    matrix, error = (np.divide(a, unit, out=np.zeros((T, T)), where=unit > 0) for a in (mean, error))
    return TaskAffinity(matrix, error, losses, subsets.labels)


def _alone(subsets, train, test):
    """([test losses of every task fitted alone], sums over their samples (3, T), how many fits have not converged)."""
    found, sums, failed = [], [], 0
    for t in range(len(subsets.labels)):
        (losses,), converged = subsets.losses([t], train, test, [t])
        weight = subsets.weights(t, subsets.tested(t, test))
        found.append(losses)
        sums.append([weight.sum(), weight @ weight, weight @ losses])
        failed += not converged
    return found, np.transpose(sums), failed


def _pairs(subsets, train, test, t, alone):
    """(sums over the test samples of task t and of each task s < t, (2, 3, t), how many fits have not converged)."""
    sums, failed = np.zeros((2, 3, t)), 0
    for s in range(t):
        together, converged = subsets.losses([s, t], train, test, [t, s])
        failed += not converged
        for side, (own, losses) in enumerate(zip((t, s), together, strict=True)):
            weight = subsets.weights(own, subsets.tested(own, test))
            less = alone[own] - losses
            sums[side, :, s] = weight @ less, weight**2 @ less, weight**2 @ less**2
    return sums, failed
