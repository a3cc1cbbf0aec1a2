"""A Problem in cvxpy, from its textbook definition: slow, independent, for checking."""

from typing import NamedTuple

import numpy as np

SOLVER_OPTIONS = dict(solver="CLARABEL", tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10, max_iter=500)


class Reference(NamedTuple):
    """W (d, T), b (T,) and the objective that cvxpy found.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import BlockSparseRegressor, reference
    >>> X, Y = np.eye(3), np.array([[3.0, 0.0], [0.0, 0.0], [0.0, 3.0]])
    >>> found = reference.fit(BlockSparseRegressor(alpha=0.1), X, Y)
    >>> found.W.shape
    (3, 2)
    >>> print(round(found.objective - BlockSparseRegressor(alpha=0.1, tol=1e-8).fit(X, Y).objective_, 5) == 0)
    True
    """

    W: np.ndarray
    b: np.ndarray
    objective: float


def solve(problem, penalty, **options):
    """The Reference of a Problem with its penalty as the user wrote it (task labels bound to positions)."""
    import cvxpy as cp

    tasks, loss, (d, T) = problem.tasks, problem.loss, problem.shape
    X = tasks.dense()
    W = cp.Variable((d, T))
    data = problem.data
    b = cp.Variable(T) if data.fit_intercept else np.zeros(T)
    empty = tasks.sum(tasks.weight) <= 0
    fixed = np.zeros(T) if data.fixed_intercept is None else data.fixed_intercept
    total = 0
    for t in np.flatnonzero(~empty):
        rows, samples = tasks.slices(t)
        seen = tasks.weight[samples] > 0
        z = X[rows][seen] @ W[:, t] + b[t]
        total += tasks.weight[samples][seen] @ loss.expression(tasks.y[samples][seen], z, cp)
    omega, rules = penalty.expression(W, cp)
    rules = rules + ([b[np.flatnonzero(empty)] == fixed[empty]] if data.fit_intercept and empty.any() else [])
    program = cp.Problem(cp.Minimize(total + omega), rules)
    program.solve(**{**SOLVER_OPTIONS, **options})
    if program.status not in ("optimal", "optimal_inaccurate"):
        raise RuntimeError(f"cvxpy ended with status {program.status!r}.")
    return Reference(W.value, b.value if data.fit_intercept else b, float(program.value))
