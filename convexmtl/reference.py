"""The same problems in cvxpy, from their textbook definitions: slow, independent, for checking."""

from typing import NamedTuple

import numpy as np

from .certificate import duality_gap

SOLVER_OPTIONS = dict(solver="CLARABEL", tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10, max_iter=500)


class Reference(NamedTuple):
    """W (d, T), b (T,) and the objective that cvxpy found."""

    W: np.ndarray
    b: np.ndarray
    objective: float


def fit(estimator, X, y, task=None, sample_weight=None, **options):
    """Solve the estimator's problem in cvxpy, from its textbook definition.

    Parameters
    ----------
    estimator : estimator of convexmtl, fitted or not
    X, y, task, sample_weight
        As in ``estimator.fit``.
    **options
        For ``cvxpy.Problem.solve``; Clarabel with tight tolerances by default.

    Returns
    -------
    Reference
        Named tuple (W, b, objective), W of shape (n_features, n_tasks).

    Raises
    ------
    RuntimeError
        If cvxpy does not reach an optimum.
    """
    formulation = estimator._formulate(X, y, sample_weight, task)
    return solve(formulation.problem, formulation.penalty, **options)


def solve(problem, penalty, **options):
    """The Reference of a Problem with its penalty as the user wrote it (task labels bound to positions)."""
    import cvxpy as cp

    tasks, loss, (d, T) = problem.tasks, problem.loss, problem.shape
    X = tasks.dense()
    W = cp.Variable((d, T))
    b = cp.Variable(T) if problem.fit_intercept else np.zeros(T)
    empty = tasks.sum(tasks.weight) <= 0
    fixed = np.zeros(T) if problem.fixed_intercept is None else problem.fixed_intercept
    total = 0
    for t in np.flatnonzero(~empty):
        rows, samples = tasks.slices(t)
        seen = tasks.weight[samples] > 0
        z = X[rows][seen] @ W[:, t] + b[t]
        total += tasks.weight[samples][seen] @ loss.expression(tasks.y[samples][seen], z, cp)
    omega, rules = penalty.expression(W, cp)
    rules = rules + ([b[np.flatnonzero(empty)] == fixed[empty]] if problem.fit_intercept and empty.any() else [])
    program = cp.Problem(cp.Minimize(total + omega), rules)
    program.solve(**{**SOLVER_OPTIONS, **options})
    if program.status not in ("optimal", "optimal_inaccurate"):
        raise RuntimeError(f"cvxpy ended with status {program.status!r}.")
    return Reference(W.value, b.value if problem.fit_intercept else b, float(program.value))


def certify(estimator, X, y, task=None, sample_weight=None):
    """Primal, dual and gap of a fitted estimator on its training data, from outside the solver.

    Parameters
    ----------
    estimator : fitted estimator of convexmtl
    X, y, task, sample_weight
        What it was fitted on.

    Returns
    -------
    Certificate
        With ``primal``, ``dual`` and ``gap`` = primal - dual >= primal - optimum.
    """
    formulation = estimator._formulate(X, y, sample_weight, task)
    return duality_gap(formulation.problem, estimator._fitted_parts(), estimator.intercept_)
