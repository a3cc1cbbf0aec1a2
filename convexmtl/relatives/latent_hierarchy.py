"""A tree over the tasks, along which their models have diffused, learned together with them."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..data import DataTerm
from ..estimators._classifier import MultiTaskClassifierBase
from ..estimators._regressor import MultiTaskRegressorBase
from ..losses import Squared
from ..penalties import TaskCoupling
from ._bayesian import Bayesian
from ._docs import documented
from ._quadratics import inverted, slope
from ._tree import SHORTEST, Tree, best_times, topology, value_of


class _Found(NamedTuple):
    """Means (T, p) of the coefficients, intercepts last, of which only the former vary, with covariances V (T, d, d);
    the tree, the variance of the noise, and xi."""

    means: np.ndarray
    V: np.ndarray
    tree: Tree
    noise: float
    xi: np.ndarray


class _LatentHierarchy(Bayesian):
    """minimise over q(W), the tree and b of minus the evidence lower bound of

    y_t ~ p(y | x_ti . w_t + b_t),   W ~ Brownian diffusion along the tree,   tree ~ Kingman's coalescent:

    tasks that have parted late in the tree have similar models. Where and when they part is learned.

    {summary}

    Given the tree, the models are those of a coupling of the tasks, tr(W K^-1 W') with the covariance K of the leaves:
    a convex fit. Given the models, and how unsure they are, the tree joins tasks nearest to each other, with the best
    times for that, and replaces the last one where it is better. So the objective never rises. {likelihood}

    Parameters
    ----------
    {common}

    Attributes
    ----------
    {fitted}
    linkage_ : ndarray of shape (T - 1, 4)
        The tree, as ``scipy.cluster.hierarchy`` has it: for ``dendrogram(model.linkage_, labels=model.tasks_)`` and
        ``fcluster``. Heights are variances per coefficient.
    task_covariance_ : ndarray of shape (T, T)
        K, of one coefficient of all tasks, for features of deviation 1.{noise}

    Notes
    -----
    All samples count alike. Beliefs of different tasks are taken to be independent, given the tree. K and trees take
    T^2 numbers, and a step T^3 operations: this is for up to some hundred tasks. Not convex: the first start has the
    tree of the models of ``MeanRegularized...``, the others that of these with noise. How fast lines of the coalescent
    meet is taken from the variance of these models between the tasks.

    References
    ----------
    Daume (2009), UAI; Teh, Daume, Roy (2008), NIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.cluster.hierarchy import fcluster
    >>> from convexmtl.relatives import {name}
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(400, 3)), np.arange(400) % 8
    >>> W = np.array([[2.0, 0, 0], [0, -2, 2]])[np.arange(8) % 2] + 0.3 * rng.normal(size=(8, 3))
    >>> z = np.sum(X * W[task], axis=1) + 0.3 * rng.normal(size=400)
    >>> model = {name}().fit(X, {targets}, task=task)
    >>> halves = fcluster(model.linkage_, 2, "maxclust")
    >>> print(len(set(halves[::2])), len(set(halves[1::2])), len(set(halves)))
    1 1 2
    """

    _parameters: dict = {}
    _choices = {"n_init": 3, "random_state": 0}
    _changed = {"max_iter": 200}

    def _starts(self, fits, rng):
        seen, models = self._seen(fits), self._relaxed_models(fits)
        T, d = len(models), seen.own.stop
        spread = models.std(axis=0) + 1e-12
        # (The expected height of a tree is nearly twice that.)
        fits.rate = max(float(np.mean(spread[:d] ** 2)) / 2, SHORTEST)
        for k in range(self.n_init):
            moved = models + (0.0 if k == 0 else 0.5 * spread * rng.normal(size=models.shape))
            S = moved[:, : seen.own.stop] @ moved[:, : seen.own.stop].T
            begun = _Found(models, np.tile(0.01 * np.eye(d), (T, 1, 1)), topology(S, d), 1.0, np.ones(len(seen.s)))
            yield self._with_noise(seen, begun)

    def _with_noise(self, seen, state):
        means, second = state.means, _second(seen, state)
        if seen.classes:
            return state._replace(xi=seen.xi_at(means, second))
        return state._replace(noise=seen.noise_at(means, second))

    def _step(self, fits, state):
        seen, d = self._seen(fits), state.V.shape[1]
        precision, _ = inverted(state.tree.covariance())
        G = seen.at(state.noise, state.xi).G[:, seen.own, seen.own]
        V, _ = inverted(G + np.diag(precision)[:, None, None] * np.eye(d))
        state = self._with_noise(seen, state._replace(V=V, means=_models(fits, seen, state, precision)))
        S = _products(seen, state)
        trees, joined = [state.tree], topology(S, d)
        if not np.array_equal(joined.merges, state.tree.merges):
            trees.append(joined)
        trees = [best_times(tree, S, d, fits.rate) for tree in trees]
        return state._replace(tree=min(trees, key=lambda tree: value_of(tree, S, d, fits.rate)))

    def _objective(self, fits, state):
        seen, (T, d, _) = self._seen(fits), state.V.shape
        Q = seen.at(state.noise, state.xi)
        likelihood = Q.k.sum() + np.sum(Q.h * state.means) - 0.5 * np.sum(Q.G * _second(seen, state))
        entropy = 0.5 * (np.linalg.slogdet(state.V)[1].sum() + T * d)
        return value_of(state.tree, _products(seen, state), d, fits.rate) - likelihood - entropy

    def _model(self, fits, state):
        seen = self._seen(fits)
        W, b = seen.split(state.means)
        units = seen.y_scale**2
        linked = state.tree.linkage()
        linked[:, 2] *= units
        said = {"linkage_": linked, "task_covariance_": state.tree.covariance() * units}
        return W, b, said if seen.classes else said | {"noise_": seen.noise_of(state.noise)}


def _models(fits, seen, state, precision):
    """(T, p) the best means, by a convex fit: least squares with a coupling."""
    tasks, own = seen.tasks, seen.own
    if seen.classes:
        lam = slope(state.xi)
        weight, y = 2 * seen.s * lam, tasks.y / (4 * lam) - seen.offset
    else:
        weight, y = seen.s / state.noise, tasks.y
    # (In parts of a sample, so that tolerances are those of other fits.)
    total = weight.sum()
    samples = replace(tasks, X=tasks.X[:, own], y=np.where(weight > 0, y, 0.0), weight=weight / total)
    M = (precision + precision.T) / (4 * total)
    result = fits.solve(TaskCoupling(M), DataTerm(samples, Squared(), seen.fit_intercept))
    return np.vstack([result.W, result.intercept]).T if seen.fit_intercept else result.W.T


def _second(seen, state):
    """(T, p, p) expectations of products of coefficients, intercepts included."""
    second = state.means[:, :, None] * state.means[:, None, :]
    second[:, seen.own, seen.own] += state.V
    return second


def _products(seen, state):
    """(T, T) expected products of the models of two tasks."""
    W = state.means[:, seen.own]
    return W @ W.T + np.diag(np.einsum("tii->t", state.V))


@documented
class LatentHierarchyRegressor(_LatentHierarchy, MultiTaskRegressorBase):
    """Regression, with normal noise."""

    loss = "squared"
    _fields = {
        "{likelihood}": "The noise has the best variance.",
        "": "",
        "{noise}": "\n    noise_ : float\n        Variance of the noise.",
        "{targets}": "z",
    }


@documented
class LatentHierarchyClassifier(_LatentHierarchy, MultiTaskClassifierBase):
    """Classification, of two classes by logistic models."""

    loss = "logistic"
    _fields = {
        "{likelihood}": "The logistic\n    likelihood has a quadratic bound, the best one.",
        "": "",
        "{noise}": "",
        "{targets}": "z > 0",
    }
