"""Which solver applies to which problem. Solvers claim; the certificate decides."""

from ..losses import Loss
from ..penalties.couplings import Coupling
from ..penalties.rows import RowPenalty
from ..penalties.spectral import LearnedClusters, SpectralPenalty
from ..problem import Problem
from ..result import Result
from . import newton, proximal_gradient, row_descent, splitting


def _all_rows(problem):
    return len(problem.penalty.terms) == 1 and isinstance(problem.penalty.terms[0], RowPenalty)


def _no_terms(problem):
    return not problem.penalty.terms


def _any(problem):
    return True


SOLVERS = (
    (_no_terms, newton.solve),
    (_all_rows, row_descent.solve),
    (splitting.applies, splitting.solve),
    (_any, proximal_gradient.solve),
)


def _unitarily_invariant(problem):
    """Whether Omega depends on W through W'W only, so that W lies in the span of the samples."""
    return all(isinstance(term, (SpectralPenalty, LearnedClusters)) for term in problem.penalty.terms)


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
    run = next(solver for applies, solver in SOLVERS if applies(problem))
    smaller = problem.reduced() if _unitarily_invariant(problem) else None
    if smaller is None:
        return run(problem, start, tol, max_iter, callback)
    reduced, Q = smaller
    if start is not None:
        start = _with_parts(start, tuple(Q.T @ part for part in start.parts))
    result = run(reduced, start, tol, max_iter, callback)
    return _with_parts(result, tuple(Q @ part for part in result.parts))


def _with_parts(result, parts):
    return Result(
        parts, result.intercept, result.objective, result.dual_gap, result.n_iter, result.status, result.history
    )


__all__ = ["Coupling", "Loss", "Problem", "Result", "solve"]
