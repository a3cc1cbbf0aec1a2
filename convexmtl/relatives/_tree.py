"""Trees over tasks along which their models diffuse: the covariances they give, and the best for some models."""

from typing import NamedTuple

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.optimize import minimize
from scipy.spatial.distance import squareform

SHORTEST = 1e-6  # time between merges, beside the variance of the models
STEPS = 20  # of the search for the best times


class Tree(NamedTuple):
    """A binary tree, all of whose leaves have the same distance from the root.

    Attributes
    ----------
    merges : ndarray of shape (T - 1, 2)
        The two nodes of every inner one, from the leaves up, as scipy's ``linkage`` has them.
    times : ndarray of shape (T - 1,)
        Between the last merge, or the leaves, and this one, in variance per coefficient.
    root : float
        Variance of a coefficient at the root.
    """

    merges: np.ndarray
    times: np.ndarray
    root: float

    @property
    def heights(self):
        return np.cumsum(self.times)

    @property
    def n_tasks(self):
        return len(self.merges) + 1

    def first_common(self):
        """(T, T) the merge at which two tasks meet, -1 on the diagonal."""
        T = self.n_tasks
        members, found = [np.array([t]) for t in range(T)], np.full((T, T), -1)
        for i, (a, b) in enumerate(self.merges):
            found[np.ix_(members[a], members[b])] = found[np.ix_(members[b], members[a])] = i
            members.append(np.concatenate([members[a], members[b]]))
        return found

    def covariance(self, common=None):
        """(T, T) of one coefficient of all tasks; ``common`` is ``first_common``."""
        heights = self.heights
        apart = np.append(heights, 0.0)[self.first_common() if common is None else common]
        return self.root + (heights[-1] if len(heights) else 0.0) - apart

    def linkage(self):
        """As scipy draws it, a dendrogram of the heights."""
        sizes = np.ones(2 * self.n_tasks - 1)
        for i, (a, b) in enumerate(self.merges):
            sizes[self.n_tasks + i] = sizes[a] + sizes[b]
        return np.column_stack([self.merges, self.heights, sizes[self.n_tasks :]])

    def cost(self, rate):
        """Minus the logarithm of the density of the times by Kingman's coalescent, in which any two lines meet after
        a time of mean ``rate``, but for a constant."""
        return float(pairs(self.n_tasks) @ self.times) / rate


def pairs(n_tasks):
    """(T - 1,) how many pairs of lines there are before each merge."""
    left = np.arange(n_tasks, 1, -1)
    return left * (left - 1) / 2


def value_of(tree, S, d, rate):
    """Minus the logarithm of the density of the models, whose expected products of tasks are S (T, T), and of the
    tree."""
    K = tree.covariance()
    L = np.linalg.cholesky(K)
    half = np.linalg.solve(L, S)
    return float(d * np.log(np.diag(L)).sum() + 0.5 * np.trace(np.linalg.solve(L, half.T)) + tree.cost(rate))


def topology(S, d, method="average"):
    """A tree by joining tasks whose models are nearest."""
    T = len(S)
    if T == 1:
        return Tree(np.zeros((0, 2), dtype=int), np.zeros(0), max(float(S[0, 0]) / d, SHORTEST))
    squares = np.diag(S)
    apart = np.maximum(squares[:, None] + squares - 2 * S, 0.0) / d
    np.fill_diagonal(apart, 0.0)
    joined = linkage(squareform(apart, checks=False), method)
    # (Models that have been apart for a time tau differ by a variance of 2 tau.)
    heights = np.maximum.accumulate(joined[:, 2] / 2)
    least = SHORTEST * max(squares.mean() / d, 1e-12)
    times = np.maximum(np.diff(heights, prepend=0.0), least)
    return Tree(joined[:, :2].astype(int), times, max(float(S.mean()) / d, least))


def best_times(tree, S, d, rate):
    """The tree with the best times and variance at the root, no worse than it is."""
    T, common = tree.n_tasks, tree.first_common()
    if T == 1:
        return tree._replace(root=max(float(S[0, 0]) / d, SHORTEST))
    scale = max(float(np.diag(S).mean()) / d, 1e-12)

    def cost(logs):
        times, root = np.exp(logs[:-1]), np.exp(logs[-1])
        values, vectors = np.linalg.eigh(Tree(tree.merges, times, root).covariance(common))
        if not values[0] > 0:
            return np.inf, np.zeros_like(logs)
        inverse = (vectors / values) @ vectors.T
        value = 0.5 * (d * np.log(values).sum() + np.sum(inverse * S)) + pairs(T) @ times / rate
        slope = 0.5 * (d * inverse - inverse @ S @ inverse)
        # The k-th time is in the covariance of tasks that have met by the merge k - 1 (a task with itself: always).
        of_times = np.cumsum(np.bincount(common.ravel() + 1, slope.ravel(), T))[:-1] + pairs(T) / rate
        return value, np.append(of_times * times, slope.sum() * root)

    start = np.log(np.maximum(np.append(tree.times, tree.root), SHORTEST * scale))
    bounds = [(np.log(SHORTEST * scale), np.log(1e4 * scale))] * T
    found = minimize(cost, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": STEPS})
    new = tree._replace(times=np.exp(found.x[:-1]), root=float(np.exp(found.x[-1])))
    return new if value_of(new, S, d, rate) < value_of(tree, S, d, rate) else tree
