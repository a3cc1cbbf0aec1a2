"""Tasks that share one model per cluster, the number of clusters learned by a Dirichlet process."""

from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from scipy.special import betaln, digamma, gammaln

from .._compat import Interval
from ..estimators._classifier import MultiTaskClassifierBase
from ..estimators._regressor import MultiTaskRegressorBase
from ._base import Relative
from ._bayesian import LOWEST, Bayesian, sharp, softmax_rows
from ._docs import documented
from ._quadratics import VAGUE, inverted

SHAPE, RATE = 1.0, 1.0  # of the prior of the concentration, where that is learned
INNER = 5  # turns of models and variances in a step
WAIT = 1e-3  # of a gain per sample, below which clusters are joined
EMPTY = 1e-3  # of tasks in a cluster
MOST = 20  # clusters by default


class _Found(NamedTuple):
    """What is believed of the clusters: of tasks phi (T, K), of models means (K, p) and covariances (K, p, p), of
    sticks a and b (K - 1,), of the concentration its shape and rate; and the variances and xi, which are numbers."""

    phi: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    sticks: tuple
    concentration: tuple
    precision: float
    noise: float
    xi: np.ndarray


class _DirichletProcessTasks(Bayesian):
    """minimise over q of minus the evidence lower bound of   y_t ~ p(y | x_ti . u_k(t) + b_k(t)),

    k(t) ~ Dirichlet process with some concentration, (u_k, b_k) ~ N(0, precision^-1): each task has the model of its
    cluster, and how many clusters there are is learned.

    {summary}

    Variational inference with a truncated stick-breaking representation: beliefs of clusters, models and sticks take
    turns, each the best for the others, and clusters are joined where that is better, so that the bound never falls.
    {likelihood}
    So has the precision.

    Parameters
    ----------
    n_clusters : int, default=None
        The largest number of clusters, at most that of the tasks, which is also the default up to 20; those that no
        task needs stay empty.
    concentration : float, default=None
        How readily there are new clusters. None learns it, with a prior of mean 1.
    {common}

    Attributes
    ----------
    {fitted}
    labels_ : ndarray of shape (T,)
        The most probable cluster of every task, numbered in order of appearance.
    n_clusters_ : int
        How many of them there are.
    probabilities_ : ndarray of shape (T, `n_clusters_`)
        Of clusters, for every task; what is left is that of clusters in which no task is for sure.
    cluster_coef_ : ndarray of shape (`n_clusters_`, d)
        The clusters' models; `coef_` are means of them by these probabilities.
    cluster_intercept_ : ndarray of shape (`n_clusters_`,)
    concentration_ : float{noise}

    Notes
    -----
    All samples count alike. Features, and real targets, have deviation 1 where precisions are concerned; the prior of
    intercepts is nearly flat. The first start has clusters of the models of ``MeanRegularized...``, the others fewer
    clusters of what that has, with noise.

    References
    ----------
    Xue, Liao, Carin, Krishnapuram (2007), JMLR; Blei, Jordan (2006), Bayesian Analysis; Jaakkola, Jordan (2000),
    Statistics and Computing.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl.relatives import {name}
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(600, 3)), np.arange(600) % 12
    >>> models = np.array([[2.0, 0, 0], [0, -2, 2]])[np.arange(12) % 2]
    >>> z = np.sum(X * models[task], axis=1) + 0.3 * rng.normal(size=600)
    >>> model = {name}().fit(X, {targets}, task=task)
    >>> print(model.n_clusters_, model.labels_)
    2 [0 1 0 1 0 1 0 1 0 1 0 1]
    """

    _parameters = {"n_clusters": None, "concentration": None}
    _changed = {"max_iter": 500, "tol": 1e-6}
    _parameter_constraints = {
        **Relative._parameter_constraints,
        "n_clusters": [Interval(Integral, 1, None, closed="left"), None],
        "concentration": [Interval(Real, 0, None, closed="neither"), None],
    }

    def _check(self, data):
        if self.n_clusters is not None:
            self._at_most("n_clusters", len(data.labels), "tasks")

    def _starts(self, fits, rng):
        T = fits.shape[1]
        K = min(T, MOST if self.n_clusters is None else self.n_clusters)
        models = self._relaxed_models(fits)
        spread = models.std(axis=0) + 1e-12
        for k in range(self.n_init):
            moved = models + (0.0 if k == 0 else 0.5 * spread * rng.normal(size=models.shape))
            codes = self._clusters(moved, K if k == 0 else int(rng.randint(1, K + 1)), rng)
            yield self._begun(fits, sharp(codes, K))

    def _begun(self, fits, phi):
        seen, K = self._seen(fits), phi.shape[1]
        p = seen.shape[0]
        concentration = (SHAPE, RATE) if self.concentration is None else (self.concentration, None)
        xi = np.ones(len(seen.s))
        found = _Found(phi, np.zeros((K, p)), np.tile(np.eye(p), (K, 1, 1)), None, concentration, 1.0, 1.0, xi)
        return self._without_clusters(seen, found)

    def _step(self, fits, state):
        """All but the clusters of tasks are the best for these; so the next step begins with the clusters."""
        seen = self._seen(fits)
        scores = _fit_of(seen.at(state.noise, state.xi), state) + _expected_sticks(state.sticks)
        new = self._without_clusters(seen, state._replace(phi=softmax_rows(scores)[0]))
        value = _bound(seen, new)
        # What turns cannot do: tasks of two clusters that are one each stay where a model has been made for them.
        return self._joined(seen, new, value) if value - _bound(seen, state) < WAIT * self._unit(fits) else new

    def _joined(self, seen, state, value):
        """The same with clusters joined as long as the bound rises: each with the one whose model is nearest."""
        for k in np.argsort(state.phi.sum(axis=0)):
            counts = state.phi.sum(axis=0)
            others = np.flatnonzero((counts > EMPTY) & (np.arange(len(counts)) != k))
            if counts[k] <= EMPTY or not len(others):
                continue
            away = state.means[others] - state.means[k]
            spread = state.covariances[others] + state.covariances[k]
            far = np.einsum("kj,kj->k", away, np.linalg.solve(spread, away[:, :, None])[:, :, 0])
            near, phi = others[far.argmin()], state.phi.copy()
            phi[:, near] += phi[:, k]
            phi[:, k] = 0.0
            # (The largest first, as sticks have it.)
            order = np.argsort(-phi.sum(axis=0), kind="stable")
            one = self._without_clusters(seen, state._replace(phi=phi[:, order]))
            risen = _bound(seen, one)
            if risen > value:
                return self._joined(seen, one, risen)
        return state

    def _without_clusters(self, seen, state):
        phi, K = state.phi, state.phi.shape[1]
        counts = phi.sum(axis=0)
        beyond = counts[::-1].cumsum()[::-1][1:]
        shape, rate = state.concentration
        if self.concentration is None:
            # (A few turns: each is the best for the other.)
            for _ in range(INNER):
                a, b = 1 + counts[:-1], shape / rate + beyond
                shape, rate = SHAPE + K - 1, RATE - np.sum(digamma(b) - digamma(a + b))
        a, b = 1 + counts[:-1], (shape if rate is None else shape / rate) + beyond
        state = state._replace(sticks=(a, b), concentration=(shape, rate))
        for _ in range(INNER):
            state = _with_models(seen, state)
        return state

    def _objective(self, fits, state):
        return -_bound(self._seen(fits), state)

    def _model(self, fits, state):
        seen = self._seen(fits)
        W, b = seen.split(state.phi @ state.means)
        codes = state.phi.argmax(axis=1)
        used, first, labels = np.unique(codes, return_index=True, return_inverse=True)
        order = np.argsort(first)
        used = used[order]
        models, intercepts = seen.split(state.means[used])
        shape, rate = state.concentration
        said = {
            "labels_": np.argsort(order)[labels],
            "n_clusters_": len(used),
            "probabilities_": state.phi[:, used],
            "cluster_coef_": np.ascontiguousarray(models.T),
            "cluster_intercept_": intercepts,
            "concentration_": float(shape if rate is None else shape / rate),
        }
        return W, b, said if seen.classes else said | {"noise_": seen.noise_of(state.noise)}


def _with_models(seen, state):
    """The models for the clusters; the variances, and xi, for the models."""
    Q, phi = seen.at(state.noise, state.xi), state.phi
    precisions = np.where(seen.prior, state.precision, VAGUE)
    A = np.tensordot(phi, Q.G, axes=(0, 0)) + np.diag(precisions)
    covariances, _ = inverted(A)
    means = np.einsum("kij,kj->ki", covariances, phi.T @ Q.h)
    own, K = seen.own, phi.shape[1]
    squares = np.sum(means[:, own] ** 2) + np.einsum("kii->", covariances[:, own, own])
    second = covariances + means[:, :, None] * means[:, None, :]
    of_tasks = phi @ means, np.tensordot(phi, second, axes=1)
    state = state._replace(means=means, covariances=covariances)
    if own.stop:
        state = state._replace(precision=float(K * own.stop / max(squares, 1e-12)))
    if seen.classes:
        return state._replace(xi=seen.xi_at(*of_tasks))
    return state._replace(noise=seen.noise_at(*of_tasks))


def _fit_of(Q, state):
    """(T, K) expected logarithms of the likelihoods of tasks by the models."""
    second = state.covariances + state.means[:, :, None] * state.means[:, None, :]
    T, K = len(Q.k), len(second)
    inside = Q.G.reshape(T, -1) @ second.reshape(K, -1).T
    return Q.k[:, None] + Q.h @ state.means.T - 0.5 * inside


def _expected_sticks(sticks):
    """(K,) expected logarithms of the shares of the clusters."""
    a, b = sticks
    total = digamma(a + b)
    own, left = np.append(digamma(a) - total, 0.0), np.append(0.0, np.cumsum(digamma(b) - total))
    return own + left


def _bound(seen, state):
    """The evidence lower bound."""
    Q, phi, p = seen.at(state.noise, state.xi), state.phi, seen.shape[0]
    a, b = state.sticks
    value = np.sum(phi * (_fit_of(Q, state) + _expected_sticks(state.sticks) - np.log(np.maximum(phi, LOWEST))))
    precisions = np.where(seen.prior, state.precision, VAGUE)
    squares = np.einsum("kjj->kj", state.covariances) + state.means**2
    logdet = np.linalg.slogdet(state.covariances)[1]
    value += 0.5 * np.sum(logdet + np.sum(np.log(precisions)) + p - squares @ precisions)
    left = digamma(b) - digamma(a + b)
    shape, rate = state.concentration
    mean, log = (shape, np.log(shape)) if rate is None else (shape / rate, digamma(shape) - np.log(rate))
    # (The prior of a stick is Beta(1, concentration), the belief Beta(a, b).)
    value += np.sum(log + (mean - 1) * left)
    value += np.sum(betaln(a, b) - (a - 1) * (digamma(a) - digamma(a + b)) - (b - 1) * left)
    if rate is not None:
        value += SHAPE * np.log(RATE) - gammaln(SHAPE) + (SHAPE - 1) * log - RATE * mean
        value += shape - np.log(rate) + gammaln(shape) + (1 - shape) * digamma(shape)
    return float(value)


@documented
class DirichletProcessTasksRegressor(_DirichletProcessTasks, MultiTaskRegressorBase):
    """Regression, with normal noise."""

    loss = "squared"
    _fields = {
        "{likelihood}": "The noise has the best variance.",
        "{noise}": "\n    noise_ : float\n        Variance of the noise.",
        "{targets}": "z",
    }


@documented
class DirichletProcessTasksClassifier(_DirichletProcessTasks, MultiTaskClassifierBase):
    """Classification, of two classes by logistic models."""

    loss = "logistic"
    _fields = {
        "{likelihood}": "The logistic likelihood has a quadratic bound, the best one\n    too.",
        "{noise}": "",
        "{targets}": "z > 0",
    }
