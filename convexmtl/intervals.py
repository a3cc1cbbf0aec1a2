"""Intervals of predictions that hold their coverage whatever the model: split-conformal, task by task."""

import warnings
from bisect import bisect_left
from math import ceil

import numpy as np
from sklearn.base import is_classifier

from ._input import BELOW_ONE, POSITIVE, check_number, read_labels, read_numbers, refuse_mask, target_names
from ._predicting import predicted, tasks_of
from ._words import counted, listed
from .metrics import by_task

PRIOR = 3  # residuals of its own that a task's scale takes from the pool
FOLDS = 5  # of the tasks: one of them says what is usual for the others
AMONG = 1.3  # times 2/alpha - 1: tasks that borrow, from which on they do it from each other
MOST = 200  # residuals of one task that others borrow
OWN, BORROWED, INFINITE = "own", "borrowed", "infinite"


def prediction_interval(estimator, X_cal, y_cal, *, task=None, alpha=0.1):
    """Intervals around the predictions of a fitted regressor that hold the target with probability 1 - alpha,

        prediction +- h_t,   h_t a quantile of the absolute residuals of calibration samples (Notes).

    Parameters
    ----------
    estimator : fitted regressor
        Of convexmtl, or a pipeline, a search or a transformed target around one, or anything with ``predict``.
    X_cal : array-like, sparse matrix or frame of shape (n, d)
        Samples that had no part in the fit, nor in the choice of its strengths.
    y_cal : array-like of shape (n,) or (n, T)
        NaN in y of shape (n, T) is a missing target.
    task : array-like of shape (n,), default=None
        The task of every row, for y of shape (n,). Where the estimator has a ``task_column`` it is read off X.
    alpha : float in (0, 1), default=0.1
        Probability with which a target may be outside.

    Returns
    -------
    PredictionInterval

    Raises
    ------
    TypeError
        For classifiers, and for what does not predict.
    ValueError
        For an alpha that is no probability, for no targets, and for whatever ``predict`` refuses.

    Warns
    -----
    UserWarning
        Where intervals are infinite, since there are too few calibration samples.

    Notes
    -----
    *A task with n_t >= 2/alpha - 1 calibration samples* has the interval of its own: h_t is the k-th smallest of its
    absolute residuals, k = ceil((1 - alpha)(n_t + 1)). Where these and that of the new sample are exchangeable, the
    coverage is between 1 - alpha and 1 - alpha + 1/(n_t + 1), in this very task and whatever the others are
    (Vovk, Gammerman, Shafer 2005; Lei et al. 2018).

    *A task with fewer borrows.* Its residuals say only how large residuals are in it: of k of them and of s_0, the
    median of the mean absolute residuals of some other tasks, it gets the scale (3 s_0 + sum of the k) / (3 + k). The
    other tasks, but for those behind s_0, say how far residuals go in such units: each of their residuals is divided
    by the scale that k others of the same task make with the same s_0. With m tasks to borrow from, h_t is the scale
    times the smallest q for which

        sum_s (share of the residuals of task s that are at most q) >= (1 - alpha)(m + 1).

    k is as large as leaves half of the tasks, and 2/alpha - 1 of them, with more than k residuals, else 0: residuals
    as they are. A task without any calibration sample, also one that was never seen, has k = 0. Finite it is where
    m >= 1/alpha - 1. If 2.6/alpha tasks or more have to borrow, they do it from each other only, since tasks with many
    rows are often predicted better.

    The rule is the hierarchical conformal prediction of Lee, Barber and Willett (2023, Theorem 1) with the statistic
    above: where tasks are exchangeable, that is, where the law of a task's residuals is one draw from a population of
    laws whatever number of calibration samples it has, and the tasks are independent, the new sample's statistic is one
    of m + 1 exchangeable ones, and the coverage is at least 1 - alpha, *on average over the tasks*. Single tasks may
    have more or less: a task whose residuals are spread in another way than those of others is promised nothing. Nor is
    one X for all tasks where what disturbs a row disturbs it in many tasks: as many rows are then needed as for tasks
    of their own.

    *Where neither is possible* a task with n_t >= 1/alpha - 1 has its own interval all the same, and others have
    infinite ones.

    References
    ----------
    Vovk, Gammerman, Shafer (2005), Algorithmic Learning in a Random World; Lei, G'Sell, Rinaldo, Tibshirani, Wasserman
    (2018), JASA; Dunn, Wasserman, Ramdas (2022), JASA; Lee, Barber, Willett (2023), arXiv:2306.06342.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import MeanRegularizedRegressor, prediction_interval
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(400, 3)), rng.integers(4, size=400)
    >>> y = X[:, 0] + rng.normal(size=400) * (1 + task)  # the noise differs from task to task
    >>> model = MeanRegularizedRegressor().fit(X[:200], y[:200], task=task[:200])
    >>> interval = prediction_interval(model, X[200:300], y[200:300], task=task[200:300])
    >>> low, high = interval.predict(X[300:], task=task[300:]).T
    >>> print(np.mean((low <= y[300:]) & (y[300:] <= high)) > 0.8)
    True
    """
    _refuse(estimator, alpha)
    refuse_mask(task, "task")
    labels = tasks_of(estimator, X_cal, np.ndim(y_cal)) if task is None else task
    y, z = read_numbers(y_cal), np.asarray(predicted(estimator, X_cal, task))
    if y.size != z.size or len(y) != len(z):
        raise ValueError(f"y_cal must have the shape of the predictions for X_cal, {z.shape}, got {y.shape}.")
    if np.isnan(y).all():
        raise ValueError("y_cal has no target: all of them are missing.")
    names = target_names(y_cal) if labels is None and z.ndim == 2 else None
    targets = by_task(y.reshape(z.shape), z, labels, None)
    return PredictionInterval(estimator, targets, float(alpha), labels is not None, names)


class PredictionInterval:
    """What ``prediction_interval`` returns.

    Attributes
    ----------
    alpha : float
    tasks : list
        Labels of the tasks with calibration samples, or their positions.
    n_calibration : ndarray
        Calibration samples of each.
    source : ndarray of str
        "own", "borrowed" or "infinite": where the interval of each is from.
    half_width : ndarray
        Of the intervals of each.
    other_half_width : float
        Of those of all other tasks.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import BlockSparseRegressor, prediction_interval
    >>> rng = np.random.default_rng(0)
    >>> X, E = rng.normal(size=(90, 5)), rng.normal(size=(90, 2))
    >>> Y = X[:, [0, 0]] + E
    >>> model = BlockSparseRegressor(0.1).fit(X[:50], Y[:50])
    >>> interval = prediction_interval(model, X[50:], Y[50:], alpha=0.2)
    >>> interval
    80% prediction intervals for 2 tasks: 2 by their own residuals.
    >>> interval.predict(X[:3]).shape  # (n, T, 2), as y was (n, T)
    (3, 2, 2)
    """

    def __init__(self, estimator, targets, alpha, labelled, names):
        self._estimator, self._labelled, self._names = estimator, labelled, names
        self.alpha = alpha
        self.tasks = targets.labels if names is None else [names.tolist()[t] for t in targets.labels]
        self.n_calibration = np.diff(targets.ptr)
        residuals = np.abs(targets.y.astype(float) - targets.z.astype(float))
        self.half_width, self.source, self.other_half_width = _intervals(np.split(residuals, targets.ptr[1:-1]), alpha)
        self._position = {label: t for t, label in enumerate(self.tasks)}
        endless = np.flatnonzero(self.source == INFINITE)
        if len(endless):
            warnings.warn(
                f"{counted(len(endless), 'task')} have infinite intervals: they have fewer than {ceil(1 / alpha) - 1} "
                f"calibration samples, and too few tasks to borrow from. These are "
                f"{listed(self.tasks[t] for t in endless.tolist())}. Hand over more samples, or a larger alpha.",
                UserWarning,
                stacklevel=3,
            )

    def predict(self, X, *, task=None):
        """Lower and upper ends.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n, d)
        task : array-like of shape (n,), default=None
            The task of every row, as for ``predict`` of the estimator.

        Returns
        -------
        ndarray of shape (n, 2), or (n, T, 2) where the estimator predicts one column per task
        """
        z = np.asarray(predicted(self._estimator, X, task))
        labels = tasks_of(self._estimator, X, z.ndim) if task is None else task
        if labels is None and self._labelled:
            raise ValueError(
                "task is missing: the calibration samples had tasks; pass task=..., the task of every row of X."
            )
        if labels is not None:
            labels = read_labels(labels, len(z)).tolist()
        elif z.ndim == 2:
            labels = range(z.shape[1]) if self._names is None else self._names.tolist()
        else:
            labels = self.tasks
        place = np.array([self._position.get(label, -1) for label in labels])
        width = np.append(self.half_width, self.other_half_width)[place]
        return np.stack([z - width, z + width], axis=-1)

    def __repr__(self):
        words = {OWN: "by their own residuals", BORROWED: "with what others lend", INFINITE: "infinite"}
        counts = [(int(np.sum(self.source == source)), text) for source, text in words.items()]
        each = ", ".join(f"{n:,} {text}" for n, text in counts if n)
        return f"{100 * (1 - self.alpha):g}% prediction intervals for {counted(len(self.tasks), 'task')}: {each}."


def _refuse(estimator, alpha):
    if isinstance(estimator, type) or not hasattr(estimator, "predict"):
        raise TypeError(f"estimator must be a fitted regressor, got {estimator!r}, which does not predict.")
    if is_classifier(estimator):
        raise TypeError(
            f"prediction_interval is for regressors, got the classifier {type(estimator).__name__}: what it predicts "
            "are classes, which have no interval around them; its predict_proba says how certain it is."
        )
    accepted = "a number between 0 and 1, such as 0.1 for 90% intervals"
    check_number(alpha, "alpha", POSITIVE, BELOW_ONE, accepted)


def _intervals(residuals, alpha):
    """(half widths (T,), sources (T,), half width of a task without residuals), of the absolute residuals of tasks."""
    pool = _Pool(residuals, alpha)
    width, source, other = pool.intervals()
    few = np.flatnonzero(pool.sizes < pool.least(2))
    if AMONG * pool.least(2) <= len(few) < len(residuals):
        # Tasks with many rows are often others: those with few borrow from each other where they can.
        width[few], source[few], _ = _Pool([residuals[t] for t in few], alpha).intervals()
    return width, source, other


class _Pool:
    """The residuals of all tasks, and what each takes of them.

    Parameters
    ----------
    residuals : list of ndarray
        Absolute, of every task.
    alpha : float
    """

    def __init__(self, residuals, alpha):
        rng = np.random.default_rng(0)
        # (In no order: neighbours may have more in common than others.)
        self.residuals = [rng.permutation(r) for r in residuals]
        self.alpha = alpha
        self.sizes = np.array([len(r) for r in residuals])
        self.folds = np.arange(len(residuals)) % FOLDS
        means = np.array([r.mean() for r in residuals])
        self.usual = [np.median(means[self.folds == f]) if np.any(self.folds == f) else 0.0 for f in range(FOLDS)]
        # What is lent, task after task: of each residual how many its task lends, and where it is among these.
        lent = [r[:MOST] for r in self.residuals]
        self.lent, self.counts = np.concatenate(lent), np.array([len(r) for r in lent])
        self.ptr = np.concatenate([[0], np.cumsum(self.counts)])
        self.owner = np.repeat(np.arange(len(lent)), self.counts)
        self.n_lenders = {}

    def least(self, times):
        """How many residuals it takes for as many as ``times`` of them to be beyond the quantile, about."""
        return ceil(times / self.alpha - 1e-9) - 1

    def intervals(self):
        """(half widths (T,), sources (T,), half width of a task without residuals)."""
        T = len(self.sizes)
        width, source = np.full(T + 1, np.inf), np.full(T + 1, INFINITE, dtype="<U8")
        few = np.append(np.flatnonzero(self.sizes < self.least(2)), T)
        how = {}
        for t in few.tolist():
            how.setdefault(self.lending(t), []).append(t)
        for (k, out), some in how.items():
            table = self.table(k, out)
            width[some] = [self.borrowed(t, k, out, *table) for t in some]
        source[few[np.isfinite(width[few])]] = BORROWED
        for t in np.flatnonzero(np.isinf(width[:T]) & (self.sizes >= self.least(1))):
            k = ceil((1 - self.alpha) * (self.sizes[t] + 1) - 1e-9)
            width[t], source[t] = np.sort(self.residuals[t])[k - 1], OWN
        return width[:T], source[:T], width[T]

    def lending(self, t):
        """(k, fold of the tasks that say what is usual) for a task with few residuals, or (0, None)."""
        T = len(self.sizes)
        n, out = (self.sizes[t], (t + 1) % FOLDS) if t < T else (0, None)
        enough = max(self.least(2), (T - 1) / 2)
        for k in range(n, 0, -1) if n and self.usual[out] > 0 else ():
            if (k, out) not in self.n_lenders:
                self.n_lenders[k, out] = np.sum((self.sizes > k) & (self.folds != out))
            if self.n_lenders[k, out] - (n > k) >= enough:
                return k, out
        return 0, None

    def table(self, k, out):
        """What is lent in units of scales of k residuals: as it is, and sorted with, for each, the tasks' shares up to
        it; and the number of lenders."""
        place, count = np.arange(len(self.lent)) - self.ptr[self.owner], self.counts[self.owner]
        after = (self.ptr[self.owner] + (place + j) % count for j in range(1, k + 1))
        lent = self.lent / self.scale(sum((self.lent[i] for i in after), np.zeros(len(self.lent))), k, out)
        lends = (self.sizes > k) & (self.folds != (FOLDS if out is None else out))
        some = np.flatnonzero(lends[self.owner])
        order = some[np.argsort(lent[some])]
        shares, values = np.cumsum(1 / count[order]), lent[order]
        return lent, values, shares[np.searchsorted(values, values, "right") - 1], np.sum(lends)

    def borrowed(self, t, k, out, lent, values, shares, n_lenders):
        """The half width of task t by what the others lend; infinite where they are too few."""
        n = self.sizes[t] if t < len(self.sizes) else 0
        own = np.sort(lent[self.ptr[t] : self.ptr[t + 1]]) if n > k else np.zeros(0)
        needed = (1 - self.alpha) * (n_lenders - (n > k) + 1) - 1e-9

        def of_others(j):
            return shares[j] - (np.searchsorted(own, values[j], "right") / len(own) if len(own) else 0.0)

        j = bisect_left(range(len(values)), needed, key=of_others)
        if j == len(values):
            return np.inf
        return values[j] * self.scale(self.residuals[t][:k].sum() if k else 0.0, k, out)

    def scale(self, total, k, out):
        """Of k residuals with this sum; 1 where there are none."""
        return (PRIOR * self.usual[out] + total) / (PRIOR + k) if k else 1.0
