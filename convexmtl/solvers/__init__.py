"""Which solver applies to which problem. Solvers claim; the certificate decides."""

from dataclasses import replace

import numpy as np

from ..certificate import duality_gap
from ..problem import Problem
from ..result import Result
from . import newton, proximal_gradient, row_descent, splitting


def _all_rows(problem):
    return problem.penalty.row_wise


def _no_terms(problem):
    return not problem.penalty.terms


def _any(problem):
    return True


def split(problem, start, tol, max_iter, callback):
    """Alternating directions; where half of the iterations do not suffice, proximal gradient goes on from there."""
    first = splitting.solve(problem, start, tol, max(1, max_iter // 2), callback)
    if first.converged or first.n_iter >= max_iter:
        return first
    second = proximal_gradient.solve(problem, first, tol, max_iter - first.n_iter, callback)
    better = second if second.dual_gap <= first.dual_gap else first
    history = first.history + [(first.n_iter + n, *rest) for n, *rest in second.history]
    return replace(better, n_iter=first.n_iter + second.n_iter, status=second.status, history=history)


SOLVERS = (
    (_no_terms, newton.solve),
    (_all_rows, row_descent.solve),
    (splitting.applies, split),
    (_any, proximal_gradient.solve),
)


def solve(problem, start=None, tol=1e-4, max_iter=10_000, callback=None):
    """Minimise the problem until its duality gap is at most tol times the objective at W = 0.

    Parameters
    ----------
    problem : Problem
    start : Result or None
        Warm start.
    tol : float
    max_iter : int
        What counts as an iteration is the solver's to say.
    callback : callable or None
        Called as callback(n_iter, objective, dual_gap) at each check of the gap.

    Returns
    -------
    Result
    """
    if start is not None and problem.loss.curvature is None:
        # Other data may have been solved there, for which the loss was finite.
        with np.errstate(over="ignore", invalid="ignore"):
            b = problem.data.best_intercept(problem.tasks.apply(start.W), start.intercept)
            start = start if problem.primal(start.parts, b) <= problem.data.trivial[0] else None
    run = next(solver for applies, solver in SOLVERS if applies(problem))
    smaller = problem.reduced()
    if smaller is None:
        return without_constants(problem, run(problem, start, tol, max_iter, callback))
    reduced, Q = smaller
    if start is not None:
        start = replace(start, parts=tuple(Q.T @ part for part in start.parts))
    result = run(reduced, start, tol, max_iter, callback)
    return without_constants(problem, replace(result, parts=tuple(Q @ part for part in result.parts)))


def without_constants(problem, result):
    """The result with exact zeros for features that are constant in every task: intercepts do all that they can do.

    Solvers leave rounding there, or what they were started from.
    """
    if not problem.data.fit_intercept:
        return result
    rows = np.flatnonzero(problem.tasks.constant_features)
    if not any(np.any(part[rows]) for part in result.parts):
        return result
    parts = tuple(part.copy() for part in result.parts)
    for part in parts:
        part[rows] = 0.0
    certificate = duality_gap(problem, parts, start=result.intercept)
    return replace(
        result,
        parts=parts,
        intercept=certificate.intercept,
        objective=certificate.primal,
        dual_gap=certificate.gap,
        certificate=certificate,
    )


__all__ = ["Problem", "Result", "solve"]
