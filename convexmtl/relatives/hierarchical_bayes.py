"""Coefficients of all tasks drawn from one normal distribution, which is estimated: a linear mixed model."""

import warnings
from numbers import Real

import numpy as np
from scipy.sparse import issparse
from sklearn.exceptions import ConvergenceWarning

from .. import _input
from .._compat import Interval, StrOptions
from .._products import BLOCK
from .._progress import Steps, with_callbacks
from ..estimators._base import MultiTaskEstimator, all_or_nothing
from ..estimators._regressor import MultiTaskRegressorBase
from ..penalties.base import Later
from ..tasks import row_products
from ._base import Relative
from ._mixed_model import Likelihood, maximise, moments
from ._task_features import read_task_features
from ._units import Units


class HierarchicalBayes(Relative, MultiTaskRegressorBase):
    """maximise over m, Sigma and noise   sum_t log p(y_t | m, Sigma, noise),

    y_ti = x_ti . w_t + b_t + N(0, noise), (w_t, b_t) ~ N(m, Sigma): mean and covariance of the coefficients are
    estimated from all tasks, and the coefficients of each are what its samples make of them. It is the linear mixed
    model, m its fixed effects and Sigma the covariance of its random ones. What a task has too few samples to say is
    taken from the others, as much as these are alike.

    Parameters
    ----------
    varying : {"all", "intercept"} or list of features, default="all"
        The coefficients that differ between tasks, by name or position; intercepts always do. The others are m for all.
    covariance : {"auto", "full", "diagonal"}, default="auto"
        Of Sigma: all of it or variances alone; "auto" takes all of it where there are more than twice as many tasks as
        coefficients that vary, since fewer do not determine it: all of y may be explained then, without noise.
    method : {"reml", "ml"}, default="reml"
        Whether the likelihood is that of what is left of y beside m, so that variances are not too small, or that of y.
    noise : {"common", "task"}, default="common"
        Whether all tasks have one variance of the noise, or each its own.
    noise_prior : float, default=4.0
        Of noise by task: as many samples as speak for the common level, which is estimated; 0 leaves every task alone,
        and a task with no more samples than coefficients may then have none at all.
    task_features : array-like of shape (T, k), or dict of task -> features, default=None
        What m depends on, linearly: rows in the order of `tasks_`.
    fit_intercept : bool, default=True
        Whether each task has an intercept.
    task_column : str or int, default=None
        The column of X, by name (a string) or position (an integer), that holds the task labels.
    offset_column : str or int, default=None
        The column of X that holds the offset of every row, which adds to x . w_t + b_t.
    unseen_task : {"error", "mean"}, default="error"
        How a task that fit has not seen is predicted: not at all, or by m.
    max_iter : int, default=2000
        Largest number of steps; some hundreds where Sigma is all but singular, else some tens.
    tol : float, default=1e-10
        The fit has converged when the logarithm of the likelihood is within about tol times the number of tasks of its
        maximum, so that variances are exact to some sqrt(tol) of themselves.
    verbose : int, default=0
        1 prints a line at every step.

    Attributes
    ----------
    coef_ : ndarray of shape (T, d)
        Means of the coefficients given the samples, one row per task: "best linear unbiased predictions".
    intercept_ : ndarray of shape (T,)
    coef_covariance_ : ndarray of shape (T, p, p)
        Their covariances, of d features and then the intercept: m as unsure as the samples leave it, Sigma and the
        noise taken as known. Computed when it is first read.
    mean_coef_ : ndarray of shape (d,)
        m; with `task_features` the mean of it over the tasks.
    mean_intercept_ : float
    fixed_effects_ : ndarray of shape (1 + k, p)
        m at task features of 0, then what each of these adds to it; the intercept last in each row.
    fixed_errors_ : ndarray of shape (1 + k, p)
        Their standard errors.
    prior_covariance_ : ndarray of shape (p, p)
        Sigma, the intercept last; 0 for what does not vary.
    noise_ : float, or ndarray of shape (T,)
        Variance of the noise.
    log_likelihood_ : float
        Of y, or by REML of what is left beside m, as other software has it.
    objective_ : float
        Minus that, and of noise by task minus the logarithm of its prior.
    objective_history_ : ndarray of shape (`n_iter_` + 1,)
        The same at the start and after every step; it never rises.
    tasks_ : ndarray of shape (T,)
        Task labels, in the order of the rows of `coef_`.
    n_iter_ : int
    n_features_in_ : int
        Columns of X, those of task and offset included.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Where X has column names.
    feature_importances_ : ndarray of shape (`n_features_in_`,)
        Norms of the features' coefficients across the tasks; the columns of task and offset have their mean.

    Notes
    -----
    One start, as is usual for these models, whose likelihood has rarely more than one maximum. Given m, Sigma and the
    noise, the coefficients are those of a convex problem: ``MeanRegularizedRegressor`` with the distance from the mean
    measured by Sigma. All tasks count by their samples. The moments of every task, T p^2 numbers, are all that steps
    see of the samples.

    References
    ----------
    Heskes (2000), ICML; Bakker, Heskes (2003), JMLR; Bates, Maechler, Bolker, Walker (2015), Journal of Statistical
    Software.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl.relatives import HierarchicalBayes
    >>> rng = np.random.default_rng(0)
    >>> task = np.repeat(np.arange(200), 5)
    >>> X = rng.normal(size=(1000, 1))
    >>> y = (1 + 0.5 * rng.normal(size=200))[task] + 2 * X[:, 0] + rng.normal(size=1000)
    >>> model = HierarchicalBayes(varying="intercept", unseen_task="mean").fit(X, y, task=task)
    >>> print(model.fixed_effects_.round(1), round(float(model.prior_covariance_[1, 1]), 1), round(model.noise_, 1))
    [[2. 1.]] 0.2 1.1
    >>> mean, deviation = model.predict([[1.0], [1.0]], task=[0, "new"], return_std=True)
    >>> print(bool(deviation[0] < deviation[1]))
    True
    """

    _loss = None
    loss, task_weight = "squared", "equal"
    _kept = ("_estimate", "_units")
    _parameter_constraints = {
        **Relative._parameter_constraints,
        "varying": [StrOptions({"all", "intercept"}), "array-like"],
        "covariance": [StrOptions({"auto", "full", "diagonal"})],
        "method": [StrOptions({"reml", "ml"})],
        "noise": [StrOptions({"common", "task"})],
        "noise_prior": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        varying="all",
        *,
        covariance="auto",
        method="reml",
        noise="common",
        noise_prior=4.0,
        task_features=None,
        fit_intercept=True,
        task_column=None,
        offset_column=None,
        unseen_task="error",
        max_iter=2000,
        tol=1e-10,
        verbose=0,
    ):
        self.varying = varying
        self.covariance = covariance
        self.method = method
        self.noise = noise
        self.noise_prior = noise_prior
        self.task_features = task_features
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.offset_column = offset_column
        self.unseen_task = unseen_task
        self.max_iter = max_iter
        self.tol = tol
        self.verbose = verbose

    @with_callbacks
    @all_or_nothing
    def fit(self, X, y, *, sample_weight=None, task=None, offset=None):
        """Estimate mean and covariance of the coefficients, and those of every task.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n, d)
        y : array-like of shape (n, T) or (n,)
            One column per task, NaN where a target is missing; or, with task labels, one target per row.
        sample_weight : array-like of shape (n,) or, for y (n, T), (n, T), default=None
            Weight 2 counts as a repeated row, weight 0 as a dropped one.
        task : array-like of shape (n,), default=None
            The task of every row, where every task has its own rows.
        offset : array-like of shape (n,) or, for y (n, T), (n, T), default=None
            What is added to x . w_t + b_t.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For parameters, data, task labels or weights that make no sense, before any work is done.
        """
        self._validate_params()
        samples = self._samples(X, y, sample_weight, task, offset, reset=True)
        totals = _input.task_totals(samples.y, samples.codes, samples.weight, len(samples.labels))
        _input.refuse_empty_tasks(totals, samples.labels)
        C = read_task_features(self.task_features, samples.labels)
        varying = _varying(self, samples.X.shape[1])
        _input.refuse_overflow(samples.X)
        full = len(totals) > 2 * len(varying) if self.covariance == "auto" else self.covariance == "full"
        steps = Steps(self, 0, X, y)
        # (Where features are centred, what varies with them varies with the intercept.)
        units = Units.of(samples, C, self.fit_intercept, centred=self.fit_intercept and full)
        m = moments(*units.scaled(samples), units.of_tasks(C), self.fit_intercept)
        likelihood = Likelihood(
            m,
            varying,
            reml=self.method == "reml",
            diagonal=not full,
            by_task=self.noise == "task",
            prior=self.noise_prior,
            units=(np.log(units.of_y), units.logarithm),
        )
        found, history, arrived = maximise(likelihood, self.tol, self.max_iter, self._show if self.verbose else None)
        self._settle_found(samples, units, likelihood, found)
        self.objective_, self.objective_history_ = history[-1], np.array(history)
        self.n_iter_ = max(len(history) - 1, 1)
        if not arrived:
            warnings.warn(
                "Objective did not converge. You might want to increase max_iter, or tol. "
                f"{type(self).__name__}: after {self.n_iter_} steps the log likelihood was {self.log_likelihood_:.8g}, "
                f"and may be {likelihood.missing(found):.3g} below its maximum, wanted "
                f"{self.tol * len(samples.labels):.3g} (tol={self.tol:g}).",
                ConvergenceWarning,
                stacklevel=4,
            )
        steps.end()
        return self

    def _show(self, step, value):
        print(f"[{type(self).__name__}] step {step}: objective {value:.8g}")

    def _settle_found(self, samples, units, likelihood, found):
        """Set what is fitted, in the units of the user."""
        d, Q = samples.X.shape[1], units.back
        W = found.means @ Q.T + units.of_constant
        self._layout, self.tasks_ = samples.layout, samples.labels
        self.coef_ = np.ascontiguousarray(W[:, :d])
        self.intercept_ = W[:, d].copy() if self.fit_intercept else np.zeros(len(W))
        self._units, self._estimate = units, found
        self.fixed_effects_ = (Q @ found.effects @ units.back_of_tasks).T + units.of_constant_effects
        (p, L) = found.effects.shape
        both = np.kron(Q, units.back_of_tasks.T)
        errors = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", both, found.information, both), 0.0))
        self.fixed_errors_ = errors.reshape(p, L).T
        typical = Q @ found.effects @ likelihood.m.c.mean(axis=0) + units.of_constant
        self.mean_coef_, self.mean_intercept_ = typical[:d], float(typical[d]) if self.fit_intercept else 0.0
        S = np.zeros((p, p))
        S[np.ix_(likelihood.v, likelihood.v)] = found.Lambda @ found.Lambda.T
        self.prior_covariance_ = Q @ S @ Q.T
        noise = found.noise * units.of_y**2
        self.noise_ = noise.copy() if self.noise == "task" else float(noise[0])
        self.log_likelihood_ = -found.loss
        self._later = {"coef_covariance_": Later(_covariances, likelihood, found, Q)}

    def predict(self, X, *, task=None, offset=None, task_features=None, return_std=False):
        """Means of x . w_t + b_t given the samples of fit, and their standard deviations.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n, d)
        task : array-like of shape (n,), default=None
            The task of every row.
        offset : array-like of shape (n,) or, after fit with y (n, T), (n, T), default=None
            What is added to x . w_t + b_t; None is 0.
        task_features : array-like of shape (n, k), default=None
            Of the task of every row, for rows of tasks that fit has not seen; None is the mean of those in fit.
        return_std : bool, default=False
            Whether to return the deviations as well; a target has the variance ``noise_`` on top.

        Returns
        -------
        ndarray of shape (n, T), or (n,) with task labels or after fit with y of shape (n,); or two of them
        """
        X, codes, offset = MultiTaskEstimator._rows(self, X, task, offset)
        X = X.toarray() if issparse(X) else np.asarray(X, dtype=float)
        C = self._features_of_rows(task_features, len(X), codes)
        P = np.column_stack([X, np.ones(len(X))]) if self.fit_intercept else X
        W = np.column_stack([self.coef_, self.intercept_]) if self.fit_intercept else self.coef_
        if codes is None:
            mean = P @ W.T
            mean = mean if self._layout == "shared" else mean[:, 0]
        else:
            mean = row_products(P, W, codes % len(W))
            new = codes < 0
            mean[new] = np.sum(P[new] * (C[new] @ self.fixed_effects_), axis=1)
        mean = self._with_offset(mean, offset)
        return (mean, np.sqrt(np.maximum(self._variances(P, codes, C), 0.0))) if return_std else mean

    def _features_of_rows(self, task_features, n, codes):
        """(n, 1 + k) a one, and the features of the tasks of all rows."""
        units = self._units
        if task_features is None:
            return np.tile(np.append(1.0, units.task_means), (n, 1))
        found = read_task_features(task_features, np.arange(n))
        if found.shape[1] != len(units.task_means):
            raise ValueError(
                f"task_features must have {len(units.task_means)} columns as in fit, got {found.shape[1]}."
            )
        return np.column_stack([np.ones(n), found])

    def _variances(self, P, codes, C):
        covariances = self.coef_covariance_
        T, p = covariances.shape[:2]
        if codes is None:
            every = (P[:, :, None] * P[:, None, :]).reshape(len(P), -1) @ covariances.reshape(T, -1).T
            return every if self._layout == "shared" else every[:, 0]
        found, size = np.empty(len(P)), max(1, BLOCK // p**2)
        for a in range(0, len(P), size):
            some = slice(a, a + size)
            found[some] = np.einsum("ni,nij,nj->n", P[some], covariances[codes[some]], P[some])
        new = codes < 0
        if new.any():
            both = np.kron(self._units.back, self._units.back_of_tasks.T)
            V = both @ self._estimate.information @ both.T
            F = (P[new][:, :, None] * C[new][:, None, :]).reshape(new.sum(), -1)
            found[new] = np.einsum("ni,ij,nj->n", P[new], self.prior_covariance_, P[new])
            found[new] += np.einsum("ni,ij,nj->n", F, V, F)
        return found


def _covariances(likelihood, found, Q):
    return Q @ likelihood.posterior(found) @ Q.T


def _varying(model, d):
    """Positions of the coefficients that vary, the intercept as the last one of all."""
    own = [d] if model.fit_intercept else []
    if isinstance(model.varying, str):
        found = list(range(d)) if model.varying == "all" else []
    else:
        names = _input.coef_names(model)
        found = [_input.column_position(one, names, d, "varying") for one in model.varying]
    if not found and not own:
        raise ValueError(
            f"varying={model.varying!r} leaves nothing that varies where fit_intercept=False: name features, or take "
            "a LinearRegression."
        )
    return np.array(sorted(set(found)) + own, dtype=int)
