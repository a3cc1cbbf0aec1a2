"""Tasks joined into a few: the samples of all tasks of a cluster are those of one."""

import numpy as np
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from ..data import DataTerm
from ..tasks import Tasks


def pooled(term, codes):
    """(the DataTerm in which all tasks with one code are one, the codes in use): what every sample counts stays.

    Parameters
    ----------
    term : DataTerm
    codes : ndarray of shape (T,)
        The cluster of every task.
    """
    tasks = term.tasks
    counted = np.flatnonzero(tasks.weight > 0)
    used, cluster = np.unique(codes[tasks.sample_task[counted]], return_inverse=True)
    order = counted[np.argsort(cluster, kind="stable")]
    ptr = np.concatenate([[0], np.cumsum(np.bincount(cluster, minlength=len(used)))]).astype(np.int64)
    rows = tasks.sample_row[order]
    X = tasks._sparse_rows[rows].tocsc() if tasks.is_sparse else np.asfortranarray(tasks.X[rows])
    offset = None if tasks.offset is None else tasks.offset[order]
    joined = Tasks(X, tasks.y[order], ptr, ptr[:-1].copy(), tasks.weight[order], offset)
    return DataTerm(joined, term.loss, term.fit_intercept), used


def losses_of(term, W, b):
    """(K, T) weighted losses of all tasks at each of a few models, W (d, K) and b (K,)."""
    tasks = term.tasks
    counted = tasks.weight > 0
    found = np.empty((W.shape[1], tasks.n_tasks))
    for k, z in enumerate((tasks.X @ W + b).T):
        z = np.where(counted, z[tasks.sample_row], 0.0)
        found[k] = tasks.sum(tasks.weight * np.where(counted, term.loss.value(tasks.y, z), 0.0))
    return found


def grouped(points, K):
    """(T,) clusters of points (T, m) by k-means, fewer than K where there are fewer points."""
    distinct, codes = np.unique(points.round(10), axis=0, return_inverse=True)
    if len(distinct) <= K:
        return codes.ravel()
    with threadpool_limits(1, user_api="openmp"):
        return KMeans(K, n_init=10, random_state=0).fit_predict(points)
