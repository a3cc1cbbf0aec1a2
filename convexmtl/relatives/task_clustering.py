"""Nearest neighbours whose metric tasks share that profit from each other's: task clustering."""

from numbers import Integral

import numpy as np
from scipy.cluster.hierarchy import cut_tree, linkage
from scipy.spatial.distance import squareform
from sklearn.neighbors import KNeighborsRegressor

from .._compat import Interval
from ..data import DataTerm
from ..estimators._base import MultiTaskEstimator
from ..estimators._classifier import MultiTaskClassifierBase
from ..estimators._regressor import MultiTaskRegressorBase
from ..losses import Squared
from ..penalties import RowNorm
from ..tasks import Tasks
from ._base import Relative
from ._docs import documented
from ._pooled import pooled

BLOCK = 2**21  # distances at a time
WHOLE = 1e-6  # by which a weight may differ from a whole number


class _TaskClusteringNeighbors(Relative):
    """minimise over clusters of tasks of   sum_t mean over s in the cluster of t of loss(t, metric of s):

    every task is predicted from its own samples, by those nearest in the metric of its cluster, and tasks are in one
    cluster that do well with each other's metrics.

    {summary}

    A metric weighs the squared differences of two samples in every feature, and these weights >= 0 are those by which
    the differences tell best how far apart the targets are: least squares with a lasso, one convex fit for the metrics
    of all tasks. Learned on half of the samples, they are tried on every task, whose other half is predicted from the
    first: that is the transfer matrix. Tasks move between clusters as long as the objective falls, and each cluster
    then learns one metric from all samples of its tasks.

    Parameters
    ----------
    n_clusters : int, default=2
        The largest number of clusters, at most that of the tasks.
    n_neighbors : int, default=5
        Of which the mean is the prediction.
    alpha : float, default=0.01
        Of the lasso, for features and targets in units of their differences.
    n_pairs : int, default=1000
        Of every task, from which metrics are learned; more are drawn from.
    {common}

    Attributes
    ----------
    coef_ : ndarray of shape (T, d)
        Weights of the squared differences in the metric of every task, of a sum of 1; predictions are not linear.
    transfer_ : ndarray of shape (T, T)
        Row t, column s: what task t loses with the metric of task s; {loss}.
    labels_ : ndarray of shape (T,)
        The clusters of the tasks, numbered in order of appearance.
    metrics_ : ndarray of shape (k, d)
        The metrics of these.
    {fitted}

    Notes
    -----
    Weights of samples have to be whole numbers: so often is a row there. The transfer matrix takes T^2 numbers, and
    distances of all samples of a task in all metrics. The first start has clusters of tasks by it (average linkage),
    the others are random.

    References
    ----------
    Thrun, O'Sullivan (1996), ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl.relatives import {name}
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(720, 10)), np.arange(720) % 6
    >>> z = np.where(task % 2 == 0, X[:, 0], X[:, 1])  # tasks depend on one feature, or on another
    >>> model = {name}().fit(X, {targets}, task=task)
    >>> print(model.labels_, model.metrics_.argmax(axis=1))
    [0 1 0 1 0 1] [0 1]
    """

    _parameters = {"n_clusters": 2, "n_neighbors": 5, "alpha": 0.01, "n_pairs": 1000}
    _loss, task_weight = None, "size"
    fit_intercept, offset_column = False, None
    _without = ("task_weight", "fit_intercept", "offset_column")
    _kept = ("_neighbors",)
    _several, _of_features = False, False
    _parameter_constraints = {
        **Relative._parameter_constraints,
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "n_pairs": [Interval(Integral, 1, None, closed="left")],
    }

    def _read_checked(self, X, y, sample_weight, task, offset):
        if offset is not None:
            raise ValueError("offset is not for neighbours, whose targets are averaged: take it off y.")
        return super()._read_checked(X, y, sample_weight, task, None)

    def _check(self, data):
        self._at_most("n_clusters", len(data.labels), "tasks")
        often = data.tasks.weight * data.size
        strange = np.abs(often - np.rint(often)) > WHOLE
        if strange.any():
            raise ValueError(
                f"sample_weight must be whole numbers for neighbours, which are there so often, got "
                f"{often[strange.argmax()]:.3g}."
            )

    def _term(self, data, stacklevel):
        return DataTerm(data.tasks, data.loss, False)

    def _unit(self, fits):
        return 1.0

    _unit_words = "what the\n        targets vary by"

    def _starts(self, fits, rng):
        samples = _Samples(fits.data)
        halves = [rng.permutation(len(y)) for y in samples.y]
        first = [np.sort(order[: (len(order) + 1) // 2]) for order in halves]
        second = [np.sort(order[(len(order) + 1) // 2 :]) for order in halves]
        # (A task of one sample is tried on that.)
        second = [b if len(b) else a for a, b in zip(first, second, strict=True)]
        metrics = self._metrics(fits, *samples.pairs(first, self.n_pairs, rng))
        fits.transfer = samples.transfer(metrics, first, second, self.n_neighbors)
        fits.samples, fits.pairs = samples, samples.pairs(None, self.n_pairs, rng)
        T = len(samples.y)
        K = min(self.n_clusters, T)
        for k in range(self.n_init):
            yield _joined(fits.transfer, K) if k == 0 else rng.randint(0, K, T)

    def _metrics(self, fits, P, apart, codes, clusters=None):
        """(K, d) the metrics of tasks, or of clusters of them."""
        T = fits.shape[1]
        term = DataTerm(Tasks.stacked(P, apart, codes, T), Squared(), True)
        if clusters is not None:
            term, _ = pooled(term, clusters)
        W = np.maximum(fits.solve(RowNorm(self.alpha, q=1, positive=True), term).W.T, 0.0)
        # (In a metric of nothing all samples are one: then every feature counts.)
        W[W.sum(axis=1) <= 0] = 1.0
        return W / W.sum(axis=1, keepdims=True)

    def _objective(self, fits, codes):
        return _cost(fits.transfer, codes, min(self.n_clusters, len(codes)))

    def _step(self, fits, codes):
        """Every task in turn moves to where the objective is lowest."""
        K = min(self.n_clusters, len(codes))
        codes, least = codes.copy(), _cost(fits.transfer, codes, K)
        for t in range(len(codes)):
            own = codes[t]
            for k in range(K):
                codes[t] = k
                cost = _cost(fits.transfer, codes, K)
                if cost < least:
                    own, least = k, cost
            codes[t] = own
        return codes

    def _model(self, fits, codes):
        first, labels = np.unique(codes, return_index=True, return_inverse=True)[1:]
        order = np.argsort(first)
        labels = np.argsort(order)[labels]
        metrics = self._metrics(fits, *fits.pairs, clusters=labels) / fits.samples.scale**2
        metrics /= metrics.sum(axis=1, keepdims=True)
        self._neighbors = [
            KNeighborsRegressor(min(self.n_neighbors, len(y))).fit(X * fits.samples.scale * np.sqrt(metrics[k]), y)
            for X, y, k in zip(fits.samples.X, fits.samples.y, labels, strict=True)
        ]
        said = {"transfer_": fits.transfer.T, "labels_": labels, "metrics_": metrics}
        return metrics[labels].T, np.zeros(len(labels)), said

    def _scores(self, X, task, offset=None):
        """Means over the neighbours, as the base has scores."""
        X, codes, offset = MultiTaskEstimator._rows(self, X, task, offset)
        if offset is not None:
            raise ValueError("offset is not for neighbours, whose targets are averaged: add it to the predictions.")
        X = X.toarray() if hasattr(X, "toarray") else X
        roots = np.sqrt(self.coef_)
        if codes is None:
            Z = np.column_stack([of.predict(X * root) for of, root in zip(self._neighbors, roots, strict=True)])
            return (Z if self._layout == "shared" else Z[:, 0]), None
        z = np.zeros(len(codes))
        for t in np.unique(codes[codes >= 0]):
            own = codes == t
            z[own] = self._neighbors[t].predict(X[own] * roots[t])
        new = codes < 0
        if new.any():
            z[new] = np.mean(
                [of.predict(X[new] * root) for of, root in zip(self._neighbors, roots, strict=True)], axis=0
            )
        return z, codes


class _Samples:
    """The samples of every task, X (n_t, d) in units of the features' deviations and y (n_t,), as often as they are
    there."""

    def __init__(self, data):
        tasks = data.tasks
        often = np.rint(tasks.weight * data.size).astype(int)
        self.classes = data.loss.classification
        self.X, self.y = [], []
        for t in range(tasks.n_tasks):
            rows = tasks.rows_of(t)
            rows = rows.toarray() if hasattr(rows, "toarray") else np.asarray(rows)
            own = often[tasks.slices(t)[1]]
            self.X.append(np.repeat(rows, own, axis=0))
            self.y.append(np.repeat(tasks.y[tasks.slices(t)[1]], own))
        every = np.concatenate(self.X)
        spread = every.std(axis=0)
        self.scale = np.where(spread > 1e-14 * np.abs(every).max(axis=0), spread, 1.0)
        self.X = [X / self.scale for X in self.X]
        self.variance = float(np.concatenate(self.y).var()) or 1.0

    def pairs(self, some, n_pairs, rng):
        """(squared differences of the features (m, d), how far apart the targets are (m,), tasks (m,)) of pairs within
        ``some`` samples of every task, None for all."""
        found, apart, codes = [], [], []
        for t, (X, y) in enumerate(zip(self.X, self.y, strict=True)):
            rows = np.arange(len(y)) if some is None else some[t]
            a, b = np.triu_indices(len(rows), 1)
            if len(a) > n_pairs:
                chosen = np.sort(rng.permutation(len(a))[:n_pairs])
                a, b = a[chosen], b[chosen]
            if not len(a):
                # (A single sample is like itself.)
                a = b = np.zeros(1, dtype=int)
            a, b = rows[a], rows[b]
            found.append((X[a] - X[b]) ** 2)
            apart.append((y[a] - y[b]) ** 2 / (4.0 if self.classes else 2 * self.variance))
            codes.append(np.full(len(a), t))
        return np.concatenate(found), np.concatenate(apart), np.concatenate(codes)

    def transfer(self, metrics, first, second, n_neighbors):
        """(K, T) what every task loses with each metric, on samples ``second`` predicted from those ``first``."""
        lost = np.empty((len(metrics), len(self.y)))
        for t, (X, y) in enumerate(zip(self.X, self.y, strict=True)):
            A, B = X[first[t]], X[second[t]]
            apart = (B[:, None, :] - A) ** 2
            k = min(n_neighbors, len(A))
            size = max(1, BLOCK // apart.shape[0] // apart.shape[1])
            for begin in range(0, len(metrics), size):
                some = slice(begin, begin + size)
                near = np.argsort(apart @ metrics[some].T, axis=1, kind="stable")[:, :k]
                means = y[first[t]][near].mean(axis=1)
                errors = (y[second[t]][:, None] - means) ** 2
                lost[some, t] = errors.mean(axis=0) / (4.0 if self.classes else self.variance)
        return lost


def _cost(transfer, codes, K):
    """Mean over the tasks of what they lose with the metrics of their clusters; transfer (T, T) by metric and task."""
    member = np.eye(K)[codes]
    sums = member.T @ transfer
    return float(np.mean(sums[codes, np.arange(len(codes))] / member.sum(axis=0)[codes]))


def _joined(transfer, K):
    """(T,) clusters by average linkage: tasks are near that lose little with each other's metrics."""
    T = len(transfer)
    if T == 1 or K == 1:
        return np.zeros(T, dtype=int)
    more = transfer - np.diag(transfer)
    apart = np.maximum((more + more.T) / 2, 0.0)
    np.fill_diagonal(apart, 0.0)
    return cut_tree(linkage(squareform(apart, checks=False), "average"), n_clusters=K)[:, 0]


@documented
class TaskClusteringNeighborsRegressor(_TaskClusteringNeighbors, MultiTaskRegressorBase):
    """Regression."""

    loss = "squared"
    _fields = {"{loss}": "the mean squared error, as a share of the variance of y", "{targets}": "z"}


@documented
class TaskClusteringNeighborsClassifier(_TaskClusteringNeighbors, MultiTaskClassifierBase):
    """Classification, of two classes."""

    loss = "hinge"
    _fields = {
        "{loss}": "the mean square of the share of neighbours of the other class",
        "{targets}": "z > 0",
    }

    def predict_proba(self, X, *, task=None, offset=None):
        """Shares of the neighbours and of one more in each class, laid out as those of the other classifiers."""
        k = self.n_neighbors
        p = (k * (self._scores(X, task, offset)[0] + 1) / 2 + 1) / (k + 2)
        return p if p.ndim == 2 else np.stack([1 - p, p], axis=1)
