"""Coefficients of tasks drawn from a mixture of normal distributions, which is estimated."""

from copy import copy
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np

from .._compat import Interval
from ..estimators._classifier import MultiTaskClassifierBase
from ..estimators._regressor import MultiTaskRegressorBase
from ..estimators.generic import MultiTaskClassifier
from ..penalties import MeanCoupling
from ._base import Relative
from ._bayesian import Bayesian, sharp, softmax_rows
from ._docs import documented
from ._quadratics import inverted
from ._task_features import read_task_features

BLOCK = 2**21  # entries of covariances that are worked on at a time
LOOSE = 0.01  # as many tasks as speak for the common mean


class _Found(NamedTuple):
    """The mixture: shares of all tasks (T, K) or logarithms of them, means m (K, p), covariances S (K, p, p); the noise
    and xi; the gate, its penalty; and what the posteriors of the last step have led to."""

    log_shares: np.ndarray
    m: np.ndarray
    S: np.ndarray
    noise: float
    xi: np.ndarray
    gate: object = None
    cost: float = 0.0


class _Posterior(NamedTuple):
    """Given a mixture: probabilities phi (T, K), the logarithm of the evidence (T,); expectations of w (T, p) and, for
    the tasks, w w' (T, p, p); and sums over the tasks, by phi, of w (K, p) and w w' (K, p, p) for every component."""

    phi: np.ndarray
    evidence: np.ndarray
    means: np.ndarray
    second: np.ndarray
    sums: np.ndarray
    squares: np.ndarray


class _TaskMixture(Bayesian):
    """minimise over pi, m, S of   - sum_t log sum_k pi_tk int p(y_t | w) N(w | m_k, S_k) dw - log prior(pi, m, S),

    w_t = (w_t, b_t): the coefficients of every task come from one of K normal distributions, and which one depends on
    features of the tasks, where there are any: pi_tk = softmax_k(a_k . f_t + c_k).

    {summary}

    Expectation and maximisation, by which the objective never rises. {likelihood}

    Parameters
    ----------
    n_components : int, default=2
        K, at most the number of tasks.
    prior_tasks : float, default=2.0
        As many tasks as speak for every S_k being what models differ by in all, so that small clusters keep one.
    task_features : array-like of shape (T, k), or dict of task -> features, default=None
        f_t, in the order of `tasks_`: which component a task is from depends on them; None is on nothing.
    gate_ridge : float, default=0.01
        Ridge of the gate, for which features of the tasks have deviation 1.
    {common}

    Attributes
    ----------
    {fitted}
    probabilities_ : ndarray of shape (T, K)
        Of components, given the samples of the task.
    labels_ : ndarray of shape (T,)
        The most probable one.
    shares_ : ndarray of shape (T, K)
        pi: the same before its samples are seen.
    component_coef_ : ndarray of shape (K, d)
        m_k, the largest component first; `component_intercept_` beside them.
    component_intercept_ : ndarray of shape (K,)
    component_covariance_ : ndarray of shape (K, p, p)
        S_k, of d coefficients and then the intercept.
    gate_ : estimator
        With `task_features` only: a MultiTaskClassifier, of the standardised features of a task.{noise}

    Notes
    -----
    All samples count alike. `coef_` are means given the samples. With one component it is ``HierarchicalBayes`` with a
    prior. The first start has clusters of the models of ``MeanRegularized...``, the others clusters of what that has,
    with noise.

    References
    ----------
    Bakker, Heskes (2003), JMLR; Jaakkola, Jordan (2000), Statistics and Computing.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl.relatives import {name}
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(600, 3)), np.arange(600) % 20
    >>> W = np.array([[2.0, 0, 0], [0, -2, 2]])[np.arange(20) % 2] + 0.2 * rng.normal(size=(20, 3))
    >>> z = np.sum(X * W[task], axis=1) + 0.3 * rng.normal(size=600)
    >>> model = {name}().fit(X, {targets}, task=task)
    >>> print(len(set(model.labels_[::2])), len(set(model.labels_[1::2])), len(set(model.labels_)))
    1 1 2
    """

    _parameters = {"n_components": 2, "prior_tasks": 2.0, "task_features": None, "gate_ridge": 0.01}
    _changed = {"max_iter": 1000, "tol": 1e-4}
    _parameter_constraints = {
        **Relative._parameter_constraints,
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "prior_tasks": [Interval(Real, 0, None, closed="neither")],
        "gate_ridge": [Interval(Real, 0, None, closed="neither")],
    }

    def _check(self, data):
        self._at_most("n_components", len(data.labels), "tasks")
        read_task_features(self.task_features, data.labels)

    def _starts(self, fits, rng):
        seen, T = self._seen(fits), fits.shape[1]
        K = min(self.n_components, T)
        models = self._relaxed_models(fits)
        fits.centre = models.mean(axis=0)
        away = models - fits.centre
        p = seen.shape[0]
        fits.spread = away.T @ away / T + 1e-3 * np.eye(p)
        fits.features = _standardised(read_task_features(self.task_features, fits.labels))
        spread = models.std(axis=0) + 1e-12
        for k in range(self.n_init):
            moved = models + (0.0 if k == 0 else 0.5 * spread * rng.normal(size=models.shape))
            phi = sharp(self._clusters(moved, K, rng), K)
            counts = phi.sum(axis=0)[:, None]
            m = (phi.T @ models) / counts
            xi = np.ones(len(seen.s))
            begun = _Found(np.zeros((T, K)), m, np.tile(fits.spread, (K, 1, 1)), 1.0, xi)
            yield self._with_shares(fits, begun, phi)

    def _with_shares(self, fits, state, phi):
        """The mixture with the best shares for these probabilities."""
        T, K = phi.shape
        if K == 1 or not fits.features.shape[1]:
            shares = (phi.sum(axis=0) + 1) / (T + K)
            return state._replace(log_shares=np.tile(np.log(shares), (T, 1)), cost=-np.log(shares).sum())
        if state.gate is None:
            ridge = MeanCoupling(self.gate_ridge, self.gate_ridge)
            gate = MultiTaskClassifier(ridge, loss="softmax", tol=fits.tol, warm_start=True)
        else:
            gate = copy(state.gate)
        rows = np.repeat(np.arange(T), K)
        weight = np.maximum(phi, 1e-12).ravel()
        gate.fit(fits.features[rows], np.tile(np.arange(K), T), sample_weight=weight)
        fits.n_fits += 1
        scores = fits.features @ gate.coef_.T + gate.intercept_
        log_shares = scores - softmax_rows(scores)[1][:, None]
        new = state._replace(log_shares=log_shares, gate=gate, cost=T * self.gate_ridge * np.sum(gate.coef_**2))
        # (What a certified fit leaves may be more than there was to gain.)
        gain = np.sum(phi * (log_shares - state.log_shares)) + state.cost - new.cost
        return new if state.gate is None or gain > 0 else state

    def _posterior(self, fits, state):
        """Given the mixture; the last one is kept, for the objective and the next step ask for the same."""
        if getattr(fits, "last", (None,))[0] is not state:
            fits.last = state, _posterior(self._seen(fits), state)
        return fits.last[1]

    def _objective(self, fits, state):
        nu, away = self.prior_tasks, state.m - fits.centre
        inner, logdet = inverted(state.S)
        prior = 0.5 * nu * (logdet.sum() + np.einsum("kij,ji->", inner, fits.spread))
        prior += 0.5 * LOOSE * np.einsum("ki,kij,kj->", away, inner, away)
        return float(prior + state.cost - self._posterior(fits, state).evidence.sum())

    def _step(self, fits, state):
        seen, found = self._seen(fits), self._posterior(fits, state)
        counts = found.phi.sum(axis=0)
        m = (found.sums + LOOSE * fits.centre) / (counts + LOOSE)[:, None]
        away = m - fits.centre
        cross = found.sums[:, :, None] * m[:, None, :]
        S = found.squares - cross - cross.transpose(0, 2, 1) + counts[:, None, None] * m[:, :, None] * m[:, None, :]
        S = S + LOOSE * away[:, :, None] * away[:, None, :] + self.prior_tasks * fits.spread
        S /= (counts + self.prior_tasks)[:, None, None]
        state = self._with_shares(fits, state._replace(m=m, S=(S + S.transpose(0, 2, 1)) / 2), found.phi)
        if seen.classes:
            return state._replace(xi=seen.xi_at(found.means, found.second))
        return state._replace(noise=seen.noise_at(found.means, found.second))

    def _model(self, fits, state):
        seen, found = self._seen(fits), self._posterior(fits, state)
        W, b = seen.split(found.means)
        order = np.argsort(-found.phi.sum(axis=0), kind="stable")
        Q, _ = seen.back
        models, intercepts = seen.split(state.m[order])
        said = {
            "probabilities_": found.phi[:, order],
            "labels_": found.phi[:, order].argmax(axis=1),
            "shares_": np.exp(state.log_shares[:, order]),
            "component_coef_": np.ascontiguousarray(models.T),
            "component_intercept_": intercepts,
            "component_covariance_": Q @ state.S[order] @ Q.T,
        }
        if state.gate is not None:
            said["gate_"] = state.gate
        return W, b, said if seen.classes else said | {"noise_": seen.noise_of(state.noise)}


def _standardised(F):
    spread = F.std(axis=0)
    return (F - F.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def _posterior(seen, state):
    """The _Posterior; some tasks at a time, of which all components are in memory."""
    Q, (K, p), T = seen.at(state.noise, state.xi), state.m.shape, len(state.log_shares)
    precision, logdet = inverted(state.S)
    pulled = np.einsum("kij,kj->ki", precision, state.m)
    constant = -0.5 * (logdet + np.sum(pulled * state.m, axis=1))
    phi, evidence = np.empty((T, K)), np.empty(T)
    means, second = np.empty((T, p)), np.empty((T, p, p))
    sums, squares = np.zeros((K, p)), np.zeros((K, p, p))
    size = max(1, BLOCK // (K * p * p))
    for a in range(0, T, size):
        some = slice(a, a + size)
        V, logdets = inverted(Q.G[some, None] + precision)
        h = Q.h[some, None] + pulled
        w = np.einsum("tkij,tkj->tki", V, h)
        scores = state.log_shares[some] + constant - 0.5 * (logdets - np.sum(w * h, axis=2))
        phi[some], evidence[some] = softmax_rows(scores)
        evidence[some] += Q.k[some]
        own = phi[some]
        V += w[:, :, :, None] * w[:, :, None, :]
        means[some] = np.einsum("tk,tki->ti", own, w)
        second[some] = np.einsum("tk,tkij->tij", own, V)
        sums += np.einsum("tk,tki->ki", own, w)
        squares += np.einsum("tk,tkij->kij", own, V)
    return _Posterior(phi, evidence, means, second, sums, squares)


@documented
class TaskMixtureRegressor(_TaskMixture, MultiTaskRegressorBase):
    """Regression, with normal noise."""

    loss = "squared"
    _fields = {
        "{likelihood}": "The noise has the best variance.",
        "{noise}": "\n    noise_ : float\n        Variance of the noise.",
        "{targets}": "z",
    }


@documented
class TaskMixtureClassifier(_TaskMixture, MultiTaskClassifierBase):
    """Classification, of two classes by logistic models."""

    loss = "logistic"
    _fields = {
        "{likelihood}": "The logistic likelihood has a quadratic bound, the best one.",
        "{noise}": "",
        "{targets}": "z > 0",
    }
