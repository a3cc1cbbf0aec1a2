"""Strengths: where the useful ones begin, and fits along a path of them."""

import warnings
from dataclasses import dataclass, replace
from numbers import Integral, Real

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from ._input import coef_names, read_list
from ._progress import Steps, with_callbacks
from .certificate import duality_gap
from .losses import Squared
from .solvers import row_path, solve
from .solvers.proximal_gradient import largest_curvature


def alpha_max(estimator, X, y, task=None, sample_weight=None):
    """The smallest strength for which all coefficients are zero.

    With a norm, W = 0 is optimal if and only if the dual norm of the gradient at W = 0 is at most 1.
    Quadratic penalties never give exact zeros; for them it is the strength at which the penalty's smallest
    positive curvature equals the largest curvature of the loss, so that everything is at least halved. Where a norm
    leaves something free, such as what is common to all tasks (``Temporal`` or ``GraphGuided`` alone), that is never
    zero, and the strength is one beyond which nothing else is left, nearly the smallest.

    Parameters
    ----------
    estimator : estimator of convexmtl
        With more than one strength, their ratios are kept; of a search, those of its first path.
    X, y, task, sample_weight
        As in ``estimator.fit``.

    Returns
    -------
    float, or dict of str -> float
        The strength; with more than one, each by its name.
    """
    # (A clone: it is not fitted by this.)
    formulation = clone(estimator)._formulate(X, y, sample_weight, task)
    factor = critical_factor(formulation.problem)
    names = formulation.strengths
    values = {name: float(value * factor) for name, value in names.items()}
    return next(iter(values.values())) if len(values) == 1 else values


def critical_factor(problem):
    """What all strengths are to be multiplied by to reach the point described in ``alpha_max``."""
    penalty, T = problem.penalty, problem.shape[1]
    Z = duality_gap(problem, problem.zeros()).Z
    norms = [term.dual_norm(Z) for term in penalty.terms if term.is_norm]
    if norms:
        return max(norms)
    curvatures = [2 * value for value in np.linalg.eigvalsh(penalty.M) if value > 1e-12 * np.abs(penalty.M).max()]
    probe = np.zeros((1, T))
    for term in penalty.terms:
        # Twice the penalty of a unit matrix of rank one, along the mean and along a difference of tasks.
        for direction in (np.ones(T), np.eye(T)[0] - 1 / T):
            if np.any(direction):
                probe[0] = direction / np.linalg.norm(direction)
                value = 2 * term.value(probe)
                curvatures += [value] if value > 0 else []
    if not curvatures:
        raise ValueError(
            "alpha_max needs a positive strength to start from: all are 0, or one of 0 leaves all of W free, or the "
            "graph, the tree or the chain of tasks is empty."
        )
    loss = problem.loss
    b = problem.trivial[1]
    second = loss.curvature or float(np.max(loss.second(problem.tasks.y, problem.tasks.spread(b))))
    return largest_curvature(problem, problem.tasks.weight * second, coupling=False) / min(curvatures)


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


def regularization_path(estimator, X, y, task=None, sample_weight=None, *, alphas=100, eps=1e-2):
    """Fit an estimator for many strengths, each fit starting from the one before.

    Parameters
    ----------
    estimator : estimator of convexmtl
        Its ``tol`` holds for every fit. With more than one strength, their ratios are kept.
    X, y, task, sample_weight
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
    """
    return _path(estimator, X, y, task, sample_weight, alphas, eps)


@with_callbacks
def _path(estimator, X, y, task, sample_weight, alphas, eps):
    own = clone(estimator)
    formulation = own._formulate(X, y, sample_weight, task)
    problem, strengths = formulation.problem, formulation.strengths
    lead = leading_strength(strengths)
    alphas = path_alphas(problem, lead, alphas, eps)
    d, T = problem.shape
    coefs, intercepts = np.empty((len(alphas), T, d)), np.empty((len(alphas), T))
    results, steps = [], Steps(estimator, len(alphas), X, y)
    settings = formulation.labels, estimator.tol, estimator.max_iter
    for k, result in enumerate(solve_path(problem, formulation.penalty, alphas / lead, *settings)):
        coefs[k], intercepts[k] = result.W.T, result.intercept
        results.append((result.objective, result.dual_gap, result.n_iter, result.converged))
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
    scaled = [{name: float(value * alpha / lead) for name, value in strengths.items()} for alpha in alphas]
    names = coef_names(own)
    return Path(alphas, scaled, coefs, intercepts, objectives, gaps, n_iters, formulation.labels, names)


def solve_path(problem, penalty, factors, labels, tol, max_iter):
    """Yield the Result for every multiple of the penalty, each one starting from those before it."""
    with warnings.catch_warnings():
        # What is to be said of the penalty was said when the problem was made.
        warnings.simplefilter("ignore", UserWarning)
        resolved = [penalty.scaled(factor).resolve(problem.tasks.n_features, labels) for factor in factors]
    problems = [problem.under(canonical) for canonical in resolved]
    if row_path.applies(problems):
        yield from row_path.solve(problems, factors, tol, max_iter)
        return
    start = before = result = None
    for k, (factor, here) in enumerate(zip(factors, problems, strict=True)):
        before, result = result, solve(here, start, tol, max_iter)
        if start is not before and result.n_iter == 0:
            # What was foretold holds; that is for the data to say.
            certificate = duality_gap(here, result.parts)
            result = replace(result, dual_gap=certificate.gap, objective=certificate.primal, certificate=certificate)
        yield result
        start = result
        if before is not None and k + 1 < len(factors) and factor != factors[k - 1]:
            start = _ahead(problem, before, result, (factors[k + 1] - factor) / (factor - factors[k - 1]))


def _ahead(problem, before, result, step):
    """Where the path leads if it goes on straight: it is piecewise linear in the strength for many penalties.

    With the squared loss, predictions, intercepts and gradient go on straight as well, so that nothing is computed.
    """
    old, new = before.certificate, result.certificate
    if not isinstance(problem.loss, Squared) or old is None or new is None or new.coupled:
        return result
    on = lambda a, b: b + step * (b - a)  # noqa: E731
    certificate = replace(new, intercept=on(old.intercept, new.intercept), Z=on(old.Z, new.Z), z=on(old.z, new.z))
    parts = (on(before.parts[0], result.parts[0]),)
    return replace(result, parts=parts, intercept=certificate.intercept, certificate=certificate)


def leading_strength(strengths):
    """The first positive one, by which the others are carried along."""
    lead = next((value for value in strengths.values() if value > 0), None)
    if lead is None:
        raise ValueError("a path needs a positive strength to scale; all strengths of the penalty are 0.")
    return lead


def path_alphas(problem, lead, alphas, eps):
    """Decreasing strengths: those given, or how many between where all is zero and eps times that."""
    if isinstance(alphas, Integral) and not isinstance(alphas, bool):
        if alphas < 1:
            raise ValueError(f"alphas must be at least 1 if it is a number of strengths, got {alphas}.")
        if not (isinstance(eps, Real) and 0 < eps <= 1):
            raise ValueError(f"eps must be between 0 and 1, got {eps!r}.")
        top = lead * critical_factor(problem)
        # Constant targets leave nothing to choose.
        smallest = np.finfo(float).resolution
        # (A quadratic strength has the scale of X squared, which may be small.)
        nothing = top <= smallest if any(term.is_norm for term in problem.penalty.terms) else top <= 0
        return np.full(alphas, smallest) if nothing else top * np.geomspace(1, eps, alphas)
    accepted = "a number of strengths or a list of positive and finite ones"
    return np.sort(read_list(alphas, "alphas", accepted, low=np.nextafter(0, 1)))[::-1]
