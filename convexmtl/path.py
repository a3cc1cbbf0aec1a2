"""For estimators: where the useful strengths begin, and fits along a path of them."""

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from ._input import coef_names
from ._progress import Steps, with_callbacks
from ._rows import used_rows
from ._threads import one_thread
from .estimators._base import too_weak
from .relaxed import certified
from .solvers.paths import Multiples, critical_factor, leading_strength, path_alphas, solve_path


def alpha_max(estimator, X, y, *, task=None, sample_weight=None, offset=None):
    """The smallest strength for which all coefficients are zero; 0 where no target goes with any feature.

    With a norm, W = 0 is optimal if and only if the dual norm of the gradient at W = 0 is at most 1.
    Quadratic penalties never give exact zeros; for them it is the strength at which the penalty's smallest
    positive curvature equals the largest curvature of the loss, so that everything is at least halved. Where a norm
    leaves something free, such as what is common to all tasks (``Temporal`` or ``GraphGuided`` alone), that is never
    zero, and the strength is one beyond which nothing else is left, nearly the smallest. So are features of weight 0:
    the gradient is that at the fit of these alone.

    Parameters
    ----------
    estimator : estimator of convexmtl
        With more than one strength, their ratios are kept; of a search, those of its first path.
    X, y, task, sample_weight, offset
        As in ``estimator.fit``.

    Returns
    -------
    float, or dict of str -> float
        The strength; with more than one, each by its name.
    """
    with one_thread():
        # (A clone: it is not fitted by this.)
        formulation = clone(estimator)._formulate(X, y, sample_weight=sample_weight, task=task, offset=offset)
        factor = critical_factor(formulation.problem)
    names = formulation.strengths
    values = {name: float(value * factor) for name, value in names.items()}
    return next(iter(values.values())) if len(values) == 1 else values


@dataclass(frozen=True, eq=False)
class Path:
    """Fits along a path of strengths, from the strongest penalty to the weakest.

    Attributes
    ----------
    alphas : ndarray of shape (n_alphas,)
        The strength that leads (the first positive one), decreasing.
    strengths : list of dict of str -> float
        All strengths by name, for each fit.
    coefs : ndarray of shape (n_alphas, T, d)
    intercepts : ndarray of shape (n_alphas, T)
    objectives, dual_gaps : ndarray of shape (n_alphas,)
    n_iters : ndarray of shape (n_alphas,)
    tasks : ndarray of shape (T,)
        Task labels.
    feature_names : ndarray of shape (d,) or None
        Column names of X, where it has them, but for the task column.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import BlockSparseRegressor, regularization_path
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(20, 4))
    >>> Y = X[:, :2]
    >>> path = regularization_path(BlockSparseRegressor(), X, Y, alphas=5)
    >>> path.coefs.shape
    (5, 2, 4)
    >>> print(path.coefs[0].any())  # none at the strength where all is zero
    False
    """

    alphas: np.ndarray
    strengths: list
    coefs: np.ndarray
    intercepts: np.ndarray
    objectives: np.ndarray
    dual_gaps: np.ndarray
    n_iters: np.ndarray
    tasks: np.ndarray
    feature_names: np.ndarray | None


def regularization_path(estimator, X, y, *, task=None, sample_weight=None, offset=None, alphas=100, eps=1e-2):
    """Fit an estimator for many strengths, each fit starting from the one before.

    Parameters
    ----------
    estimator : estimator of convexmtl
        Its ``tol`` holds for every fit. With more than one strength, their ratios are kept. With refit="relaxed",
        coefficients, objectives and gaps are those of the relaxed fits.
    X, y, task, sample_weight, offset
        As in ``estimator.fit``.
    alphas : int or array-like of shape (n_alphas,), default=100
        Values of the strength (with more than one, of the first that is positive), taken in decreasing order;
        or how many, evenly spaced in logarithm from ``alpha_max`` down to ``eps`` times it.
    eps : float in (0, 1], default=1e-2

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        For alphas that are not positive and finite, an eps outside (0, 1], and whatever ``fit`` raises.

    Warns
    -----
    ConvergenceWarning
        Once, where fits did not reach ``tol``.
    UserWarning
        Once, where the penalty is too weak for ``tol`` to see.
    """
    with one_thread():
        return _path(estimator, X, y, task, sample_weight, offset, alphas, eps)


@with_callbacks
def _path(estimator, X, y, task, sample_weight, offset, alphas, eps):
    own = clone(estimator)
    formulation = own._formulate(X, y, sample_weight=sample_weight, task=task, offset=offset)
    problem, strengths = formulation.problem, formulation.strengths
    lead = leading_strength(strengths)
    alphas = path_alphas(problem, lead, alphas, eps, stacklevel=4)
    d, T = problem.shape
    coefs, intercepts = np.zeros((len(alphas), T, d)), np.empty((len(alphas), T))
    results, steps, weak = [], Steps(estimator, len(alphas), X, y), None
    multiples = Multiples(formulation.penalty, alphas / lead, d, formulation.labels)
    for k, result in enumerate(solve_path(problem.data, multiples, estimator.tol, estimator.max_iter)):
        fitted = result
        if getattr(own, "refit", None) == "relaxed":
            fitted = certified(problem.data, result.W, own.tol, own.max_iter, problem.penalty.positive)[0]
        used = used_rows(fitted.W)
        coefs[k][:, used], intercepts[k] = fitted.W[used].T, fitted.intercept
        results.append((fitted.objective, fitted.dual_gap, result.n_iter, result.converged and fitted.converged))
        if weak is None and result.converged:
            found = result.parts, result.objective, result.dual_gap
            wanted = problem.wanted_tol(*found, estimator.tol, alphas[k] / lead)
            weak = None if wanted is None else (k, wanted)
        steps.done(f"alpha={alphas[k]:.3g}")
    steps.end()
    objectives, gaps, n_iters, converged = (np.array(column) for column in zip(*results, strict=True))
    if not converged.all():
        warnings.warn(
            f"{np.sum(~converged)} of {len(alphas)} fits did not reach tol={estimator.tol:g}, the first at alpha="
            f"{alphas[np.argmin(converged)]:.3g}; dual_gaps says how far each is. Increase max_iter, or stop at a "
            "larger alpha.",
            ConvergenceWarning,
            stacklevel=4,
        )
    if weak is not None:
        first, wanted = weak
        named = {name: value * alphas[first] / lead for name, value in strengths.items()}
        warnings.warn(f"{too_weak(own, named, wanted)} (The first such fit.)", UserWarning, stacklevel=4)
    scaled = [{name: float(value * alpha / lead) for name, value in strengths.items()} for alpha in alphas]
    names = coef_names(own)
    return Path(alphas, scaled, coefs, intercepts, objectives, gaps, n_iters, formulation.labels, names)
