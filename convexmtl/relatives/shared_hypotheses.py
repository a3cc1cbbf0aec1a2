"""A few models that all tasks share: each takes the one that fits it best."""

from typing import NamedTuple

import numpy as np

from ..estimators._classifier import MultiTaskClassifierBase
from ..estimators._regressor import MultiTaskRegressorBase
from ..penalties import LearnedClusters, MeanCoupling
from ._base import Relative
from ._docs import documented
from ._pooled import grouped, losses_of, pooled


class _Pool(NamedTuple):
    """Models W (d, K) and b (K,), and the one of every task (T,)."""

    W: np.ndarray
    b: np.ndarray
    codes: np.ndarray


class _SharedHypotheses(Relative):
    """minimise over h_1, ..., h_K and k(t) of sum_t mean_i loss(y_ti, h_k(t)(x_ti)) + alpha sum_k norm(u_k)^2,
    h_k(x) = x . u_k + b_k: K-means over losses.

    {summary}

    The steps alternate between two exact ones: every task takes the model with the smallest loss, and every model is
    fitted to all samples of its tasks, by a convex fit. The first start has the clusters of the convex relaxation,
    those of ``Clustered...``; the others fit the models to K random tasks.

    Parameters
    ----------
    n_clusters : int, default=2
        K, the largest number of models; at most the number of tasks.
    alpha : float, default=0.01
        Ridge of every model.
    {common}

    Attributes
    ----------
    {fitted}
    labels_ : ndarray of shape (T,)
        The model of every task, numbered in order of appearance.
    hypotheses_ : ndarray of shape (k, d)
        The models that are in use, k <= K; `hypothesis_intercepts_` (k,) beside them.
    hypothesis_intercepts_ : ndarray of shape (k,)

    Notes
    -----
    Intercepts belong to the models: with ``fit_intercept`` there is one for each. Not convex: the number of models
    that tasks with few samples can afford has to be chosen, by cross-validation say.

    References
    ----------
    Crammer, Mansour (2012), NIPS.

    Examples
    --------
    {start}
    >>> model = {name}(n_clusters=2).fit(X, Y)
    >>> print(len(model.hypotheses_) <= 2, np.array_equal(model.coef_, model.hypotheses_[model.labels_]))
    True True
    """

    _parameters = {"n_clusters": 2, "alpha": 0.01}
    _several = False

    def _check(self, data):
        self._at_most("n_clusters", len(data.labels), "tasks")

    def _starts(self, fits, rng):
        T = fits.shape[1]
        K = min(self.n_clusters, T)
        yield self._fitted_to(fits, _relaxed(fits, self.alpha, K))
        for _ in range(self.n_init - 1):
            # Each model begins with one task of its own.
            seeds = np.full(T, -1)
            seeds[rng.permutation(T)[:K]] = np.arange(K)
            begun = self._fitted_to(fits, seeds, K)
            yield self._fitted_to(fits, losses_of(fits.term, begun.W, begun.b).argmin(axis=0))

    def _fitted_to(self, fits, codes, K=None):
        """The models of clusters of tasks, of which those without a cluster (-1) have no say."""
        K = min(self.n_clusters, fits.shape[1]) if K is None else K
        joined, used = pooled(fits.term, codes)
        W, b = np.zeros((fits.shape[0], K)), np.zeros(K)
        result = fits.solve(_ridge(self.alpha, len(used)), joined)
        own = used >= 0
        W[:, used[own]], b[used[own]] = result.W[:, own], result.intercept[own]
        return _Pool(W, b, codes)

    def _objective(self, fits, state):
        losses = fits.losses(state.W[:, state.codes], state.b[state.codes])
        return losses.sum() + self.alpha * np.sum(state.W**2)

    def _step(self, fits, state):
        losses = losses_of(fits.term, state.W, state.b)
        every = np.arange(len(state.codes))
        best = losses.argmin(axis=0)
        # (Of two models that do as well a task keeps the one it has.)
        moved = losses[best, every] < losses[state.codes, every]
        return self._fitted_to(fits, np.where(moved, best, state.codes))

    def _model(self, fits, state):
        used, first, codes = np.unique(state.codes, return_index=True, return_inverse=True)
        order = np.argsort(first)
        codes, used = np.argsort(order)[codes], used[order]
        W, b = state.W[:, used], state.b[used]
        said = {"labels_": codes, "hypotheses_": np.ascontiguousarray(W.T), "hypothesis_intercepts_": b}
        return W[:, codes], b[codes], said


def _ridge(alpha, n_tasks):
    """alpha sum_t norm(w_t)^2"""
    return MeanCoupling(alpha * n_tasks, alpha * n_tasks)


def _relaxed(fits, alpha, K):
    """(T,) clusters of tasks by the convex relaxation; by the models of the tasks where it has none to offer."""
    T = fits.shape[1]
    if K == 1 or K >= T:
        return np.arange(T) % K
    strength = max(alpha, 1e-3)
    result = fits.solve(LearnedClusters(K, strength, strength, 10 * strength))
    return grouped(result.W.T, K)


@documented
class SharedHypothesesRegressor(_SharedHypotheses, MultiTaskRegressorBase):
    """A few models that all tasks share, each taking the best. Regression."""


@documented
class SharedHypothesesClassifier(_SharedHypotheses, MultiTaskClassifierBase):
    """A few models that all tasks share, each taking the best. Classification, of two classes."""
