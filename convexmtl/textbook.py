"""A Problem in cvxpy, from its textbook definition: slow, independent, for checking."""

import warnings
from typing import NamedTuple

import numpy as np

from .penalties.parts import PART

# Interior points first, with full and with shorter steps; then alternating directions, slower and of another kind.
ATTEMPTS = [
    *(
        dict(
            solver="CLARABEL",
            tol_gap_abs=accuracy,
            tol_gap_rel=accuracy,
            tol_feas=accuracy,
            max_step_fraction=step,
            max_iter=500,
        )
        for accuracy in (1e-10, 1e-8)
        for step in (0.99, 0.8)
    ),
    dict(solver="SCS", eps_abs=1e-10, eps_rel=1e-10, max_iters=20_000),
]


class Reference(NamedTuple):
    """W (d, T) and b (T,) that cvxpy found, the objective there, and how far cvxpy's own value of it is from that.

    ``objective`` is never below the optimum, however inaccurate the solver was; a large ``error`` says that it was.

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
    error: float


def solve(problem, penalty, **options):
    """The Reference of a Problem with its penalty as the user wrote it (task labels bound to positions)."""
    import cvxpy as cp

    tasks, loss, (d, T) = problem.tasks, problem.loss, problem.shape
    X = tasks.dense()
    W = cp.Variable((d, T))
    data = problem.data
    b = cp.Variable(T) if data.fit_intercept else cp.Constant(np.zeros(T))
    empty = tasks.sum(tasks.weight) <= 0
    fixed = np.zeros(T) if data.fixed_intercept is None else data.fixed_intercept
    total = cp.Constant(0)
    of_classes = {}
    for t in np.flatnonzero(~empty):
        rows, samples = tasks.slices(t)
        seen, own = tasks.weight[samples] > 0, loss.of_task(t)
        z = X[rows][seen] @ W[:, t] + b[t]
        if tasks.offset is not None:
            z = z + tasks.offset[samples][seen]
        column = tasks.y[samples][seen], z, tasks.weight[samples][seen]
        if own.by_column:
            total += own.total_expression(*column, cp)
        else:
            of_classes.setdefault(t if tasks.owner is None else int(tasks.owner[t]), (own, []))[1].append(column)
    for own, columns in of_classes.values():
        total += own.task_expression(*zip(*columns, strict=True), cp)
    omega, rules = penalty.expression(W, cp)
    rules = rules + ([b[np.flatnonzero(empty)] == fixed[empty]] if data.fit_intercept and empty.any() else [])
    program = cp.Problem(cp.Minimize(total + omega), rules)
    parts = sorted((v for v in program.variables() if v.name().startswith(PART)), key=lambda v: v.id)

    def found():
        """The objective at what the solver found: parts are a split of their sum, and nothing else of it is used."""
        if parts:
            split = [part.value for part in parts] if problem.penalty.terms else (W.value,)
            split = problem.penalty.feasible(split)
            W.value, value = sum(split), problem.penalty.value(split)
        else:
            # (What constraints ask for together, the resolved form knows.)
            (W.value,) = problem.penalty.feasible((penalty.feasible(W.value),))
            value = penalty.value(W.value)
        objective = float(total.value) + float(value)
        return Reference(W.value, b.value, objective, abs(objective - float(program.value)))

    if not options:
        attempts = ATTEMPTS
    else:
        attempts = [options if "solver" in options else {**ATTEMPTS[0], **options}]
    return best_of_attempts(program, found, data.threshold(1e-7), attempts)


def best_of_attempts(program, found, enough, attempts=None):
    """The ``found()`` with the lowest ``objective`` over the attempts, which end when its ``error`` is small enough."""
    import cvxpy as cp

    best, ended = None, []
    for options in ATTEMPTS if attempts is None else attempts:
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Solution may be inaccurate")
                program.solve(**options)
        except cp.error.SolverError:
            ended.append("solver_error")
            continue
        ended.append(program.status)
        if program.status not in ("optimal", "optimal_inaccurate"):
            continue
        new = found()
        if best is None or new.objective < best.objective:
            best = new
        if new.error <= enough:
            break
    if best is None:
        raise RuntimeError(f"cvxpy ended with status {', '.join(map(repr, ended))}.")
    return best
