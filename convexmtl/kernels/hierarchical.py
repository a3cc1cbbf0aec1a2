"""Gaussian processes whose prior is learned from all tasks."""

import warnings
from numbers import Real
from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from sklearn.exceptions import ConvergenceWarning

from .._compat import Interval
from .._progress import Steps, with_callbacks
from ..estimators._base import MultiTaskEstimator, all_or_nothing
from ..estimators._regressor import MultiTaskRegressorBase
from ..tasks import row_products
from ._base import Kernelised
from ._features import features_of

SMALLEST = 1e-10  # variance of the noise, as a share of that of y
LONGER = 1.5  # times the last step, of the next one


class HierarchicalGaussianProcess(Kernelised, MultiTaskRegressorBase):
    """maximise over mu, C and noise   sum_t log p(y_t | mu, C, noise) + log N(mu | 0, C / pi) + log IW(C | tau, k),

    y_ti = c + f_t(x_ti) + N(0, noise), f_t ~ GP(mu, C): the mean mu and the covariance C of the functions of all tasks
    are learned from all of them, by expectation and maximisation. A kernel k is the prior of C, which is the closer to
    it the larger tau is. What a task has too few samples to say is taken from the others; and where these are alike,
    it is taken for sure.

    Parameters
    ----------
    pi : float, default=1.0
        As many tasks as speak for a mean of 0.
    tau : float, default=1.0
        As many as speak for the covariance k.
    noise_level : float, default=0.1
        Variance of the noise to begin with, as a share of that of y.
    kernel : str or callable, default="rbf"
        k. As in ``MultiTaskKernelRidge``, where it and its parameters are described.
    gamma : float, default=None
    degree : float, default=3
    coef0 : float, default=1
    kernel_params : dict, default=None
    n_components : int, default=None
    approximation : {"nystroem", "fourier"}, default="nystroem"
    random_state : int or RandomState, default=0
    fit_intercept : bool, default=True
        Whether c is the mean of y, or 0.
    task_column : str or int, default=None
        The column of X, by name (a string) or position (an integer), that holds the task labels.
    unseen_task : {"error", "mean"}, default="error"
        How a task that fit has not seen is predicted: not at all, or by the prior that was learned.
    max_iter : int, default=1000
        Largest number of steps.
    tol : float, default=1e-4
        The fit has converged when a step raises the logarithm of the posterior by at most tol times the samples.
    verbose : int, default=0
        1 prints a line at every step.

    Attributes
    ----------
    dual_coef_ : ndarray of shape (T, r)
        The mean of f_t is sum_i dual_coef_ti k(x, X_fit_i).
    X_fit_ : ndarray or sparse matrix of shape (r, d)
        The samples that carry the functions.
    prior_coef_ : ndarray of shape (r,)
        mu in the same way.
    intercept_ : ndarray of shape (T,)
        c for all tasks.
    noise_ : float
        Variance of the noise.
    tasks_ : ndarray of shape (T,)
        Task labels, in the order of the rows of `dual_coef_`.
    log_posteriors_ : ndarray of shape (`n_iter_` + 1,)
        The logarithm of the posterior, but for a constant, at every step; it never falls.
    n_iter_ : int
    n_features_in_ : int
        Columns of X, that of the task included.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Where X has column names.

    Notes
    -----
    Not convex: where it ends depends on where it begins, which is mu = 0 and C = k. Beyond the span of the samples C
    is k: what no sample says of a function keeps its variance.

    References
    ----------
    Yu, Tresp, Schwaighofer (2005), ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import HierarchicalGaussianProcess
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.uniform(-3, 3, size=(60, 1)), np.repeat(np.arange(10), 6)
    >>> y = np.sin(X[:, 0]) + 0.1 * rng.normal(size=60)
    >>> model = HierarchicalGaussianProcess(gamma=0.5, unseen_task="mean").fit(X, y, task=task)
    >>> mean, deviation = model.predict([[1.0]], task=["new"], return_std=True)
    >>> print(bool(abs(mean[0] - np.sin(1.0)) < 0.2))
    True
    """

    _loss = None
    loss, offset_column, warm_start = "squared", None, False
    _parameter_constraints = {
        **MultiTaskEstimator._parameter_constraints,
        **Kernelised._parameter_constraints,
        "pi": [Interval(Real, 0, None, closed="neither")],
        "tau": [Interval(Real, 0, None, closed="neither")],
        "noise_level": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        pi=1.0,
        tau=1.0,
        *,
        noise_level=0.1,
        kernel="rbf",
        gamma=None,
        degree=3,
        coef0=1,
        kernel_params=None,
        n_components=None,
        approximation="nystroem",
        random_state=0,
        fit_intercept=True,
        task_column=None,
        unseen_task="error",
        max_iter=1000,
        tol=1e-4,
        verbose=0,
    ):
        self.pi = pi
        self.tau = tau
        self.noise_level = noise_level
        self.kernel = kernel
        self.gamma = gamma
        self.degree = degree
        self.coef0 = coef0
        self.kernel_params = kernel_params
        self.n_components = n_components
        self.approximation = approximation
        self.random_state = random_state
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.unseen_task = unseen_task
        self.max_iter = max_iter
        self.tol = tol
        self.verbose = verbose

    def _formulate(self, *args, **options):
        raise TypeError(f"{type(self).__name__} learns its prior, which is no convex problem: there is no certificate.")

    def _fitted_state(self):
        return super()._fitted_state() | {n: v for n, v in vars(self).items() if n == "_posterior"}

    @with_callbacks
    @all_or_nothing
    def fit(self, X, y, *, sample_weight=None, task=None):
        """Learn the prior of all tasks, and their functions.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n, d)
        y : array-like of shape (n, T) or (n,)
            One column per task, NaN where a target is missing; or, with task labels, one target per row.
        sample_weight : array-like of shape (n,) or, for y (n, T), (n, T), default=None
            Weight 2 counts as a repeated row, weight 0 as a dropped one.
        task : array-like of shape (n,), default=None
            The task of every row, where every task has its own rows.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For parameters, data, task labels or weights that make no sense, before any work is done.
        """
        self._validate_params()
        samples = self._samples(X, y, sample_weight, task, None, reset=True)
        steps = Steps(self, 0, X, y)
        self._features = features_of(self)
        L = self._features.fit_transform(samples.X)
        tasks = _of_tasks(samples, L)
        values, weights = (np.concatenate([getattr(one, name) for one in tasks]) for name in ("y", "s"))
        mean = np.average(values, weights=weights)
        variance = np.average((values - mean) ** 2, weights=weights)
        c = mean if self.fit_intercept else 0.0
        tasks = [one._replace(y=one.y - c) for one in tasks]
        least = SMALLEST * variance if variance > 0 else SMALLEST
        prior = _Prior(np.zeros(L.shape[1]), np.eye(L.shape[1]), max(self.noise_level * variance, least))
        posterior, history, length = _Posterior(tasks, prior, self.pi, self.tau), [], 1.0
        history.append(posterior.logarithm)
        while len(history) <= self.max_iter:
            best = posterior.prior_of(least)
            # A longer step in the same direction is often far better; where it is not, the step itself never falls.
            further = (
                _Posterior.at(tasks, prior.towards(best, length, least), self.pi, self.tau) if length > 1 else None
            )
            if further is not None and further.logarithm > posterior.logarithm:
                posterior, length = further, LONGER * length
            else:
                posterior, length = _Posterior(tasks, best, self.pi, self.tau), LONGER
            prior, risen = posterior.prior, posterior.logarithm - history[-1]
            history.append(posterior.logarithm)
            if self.verbose:
                print(f"[{type(self).__name__}] step {len(history) - 1}: log posterior {history[-1]:.8g}")
            if risen <= self.tol * weights.sum():
                break
        else:
            warnings.warn(
                f"Objective did not converge. You might want to increase max_iter, or tol. {type(self).__name__}: the "
                f"last of {self.max_iter} steps raised the log posterior by {risen:.3g}, wanted at most "
                f"{self.tol * weights.sum():.3g}.",
                ConvergenceWarning,
                stacklevel=4,
            )
        self._layout, self.tasks_ = samples.layout, samples.labels
        self._posterior = (prior.S, posterior.known)
        self.coef_ = np.ascontiguousarray(self._features.weights(posterior.means.T))
        self.prior_coef_ = self._features.weights(prior.m[:, None])[0]
        self.intercept_ = np.full(len(tasks), c)
        self.noise_, self.n_iter_, self.log_posteriors_ = prior.noise, len(history) - 1, np.array(history)
        steps.end()
        return self

    def predict(self, X, *, task=None, return_std=False):
        """Means of the functions, and their standard deviations.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n, d)
        task : array-like of shape (n,), default=None
            The task of every row.
        return_std : bool, default=False
            Whether to return the deviations as well; a target has the variance ``noise_`` on top.

        Returns
        -------
        ndarray of shape (n, T), or (n,) with task labels or after fit with y of shape (n,); or two of them
        """
        X, codes, _ = MultiTaskEstimator._rows(self, X, task, None)
        columns = self._features.columns(X)
        # (The prior is where -1 finds it.)
        W, c = np.vstack([self.coef_, self.prior_coef_]), self.intercept_[0]
        if codes is None:
            mean = columns @ self.coef_.T + c
        else:
            mean = row_products(columns, W, codes % len(W)) + c
        one = codes is None and self._layout != "shared"
        if not return_std:
            return mean[:, 0] if one else mean
        S, known = self._posterior
        phi = self._features.of_columns(columns)
        free = np.einsum("ij,ij->i", phi @ S, phi)
        free += np.maximum(self._features.squares(X) - np.sum(phi**2, axis=1), 0.0)
        if codes is None:
            variance = np.column_stack([free - np.sum((phi @ of.T) ** 2, axis=1) for of in known])
        else:
            variance = free
            for t in np.unique(codes[codes >= 0]):
                own = codes == t
                variance[own] -= np.sum((phi[own] @ known[t].T) ** 2, axis=1)
        deviation = np.sqrt(np.maximum(variance, 0.0))
        return (mean[:, 0], deviation[:, 0]) if one else (mean, deviation)


class _Task(NamedTuple):
    """The samples of a task: features (n_t, r), targets and weights (n_t,)."""

    L: np.ndarray
    y: np.ndarray
    s: np.ndarray


def _of_tasks(samples, L):
    y, weight = samples.y.reshape(len(L), -1), samples.weight
    s = np.ones(y.shape) if weight is None else np.broadcast_to(weight.reshape(len(L), -1), y.shape)
    s = np.where(np.isnan(y), 0.0, s)
    if samples.codes is None:
        rows = [(np.flatnonzero(s[:, t] > 0), t) for t in range(y.shape[1])]
    else:
        rows = [(np.flatnonzero((samples.codes == t) & (s[:, 0] > 0)), 0) for t in range(len(samples.labels))]
    if empty := [label for label, (some, _) in zip(samples.labels.tolist(), rows, strict=True) if not len(some)]:
        raise ValueError(f"task {empty[0]!r} has no sample with a target and a positive weight: leave it out.")
    return [_Task(L[some], y[some, t], s[some, t]) for some, t in rows]


class _Prior(NamedTuple):
    """N(m, S) of the coefficients of all tasks, and the variance of the noise."""

    m: np.ndarray
    S: np.ndarray
    noise: float

    def towards(self, other, length, least):
        """``length`` times as far as another one."""
        noise = self.noise * (other.noise / self.noise) ** length
        return _Prior(self.m + length * (other.m - self.m), self.S + length * (other.S - self.S), max(noise, least))


class _Posterior:
    """Of the coefficients of every task, given the prior: their means (T, r), and what is ``known`` of them, whose
    squares are what the samples take off S; and the logarithm of the posterior of the prior, but for a constant."""

    @classmethod
    def at(cls, tasks, prior, pi, tau):
        """The same, or None where S is no covariance."""
        try:
            return cls(tasks, prior, pi, tau)
        except np.linalg.LinAlgError:
            return None

    def __init__(self, tasks, prior, pi, tau):
        self.tasks, self.prior, self.pi, self.tau = tasks, prior, pi, tau
        factor = cho_factor(prior.S, lower=True)
        inside = np.trace(cho_solve(factor, tau * np.eye(len(prior.S)) + pi * np.outer(prior.m, prior.m)))
        self.logarithm = -tau * np.sum(np.log(np.diag(factor[0]))) - 0.5 * inside
        self.known, means, self.left = [], [], []
        for one in tasks:
            G = prior.S @ one.L.T
            K = one.L @ G + np.diag(prior.noise / one.s)
            factor = cho_factor(K, lower=True)
            residual = one.y - one.L @ prior.m
            dual = cho_solve(factor, residual)
            known = solve_triangular(factor[0], G.T, lower=True)
            self.known.append(known)
            means.append(prior.m + G @ dual)
            # (Of functions at the samples, what is left of the variance.)
            self.left.append(np.einsum("ij,ji->i", one.L, G) - np.sum((known @ one.L.T) ** 2, axis=0))
            self.logarithm -= 0.5 * (residual @ dual) + np.sum(np.log(np.diag(factor[0])))
            # As if a sample of weight s had been s of them.
            self.logarithm -= 0.5 * (np.sum(one.s - 1) * np.log(prior.noise) + np.sum(np.log(one.s)))
        self.means = np.array(means)

    def prior_of(self, least):
        """The prior that is best for these posteriors."""
        pi, tau = self.pi, self.tau
        T, r = self.means.shape
        m = self.means.sum(axis=0) / (pi + T)
        away = self.means - m
        S = T * self.prior.S - sum(known.T @ known for known in self.known) + away.T @ away
        S = (S + tau * np.eye(r) + pi * np.outer(m, m)) / (tau + T)
        squares, mass = 0.0, 0.0
        for one, mean, left in zip(self.tasks, self.means, self.left, strict=True):
            squares += one.s @ ((one.y - one.L @ mean) ** 2 + left)
            mass += one.s.sum()
        return _Prior(m, (S + S.T) / 2, max(squares / mass, least))
