"""Which solver applies to which problem. Solvers claim; the certificate decides."""

from dataclasses import replace
from functools import partial
from itertools import count

import numpy as np

from ..certificate import duality_gap
from ..problem import Problem
from ..result import Result, Status
from . import dual_descent, multipliers, newton, proximal_gradient, row_descent, splitting

PATIENCE, NEWTON_PATIENCE = 300, 50  # iterations after which a slow solver makes room for another


def _all_rows(problem):
    return _rows(problem) and problem.loss.by_column


def _rows(problem):
    return problem.penalty.row_wise and problem.loss.smooth


def _no_terms(problem):
    return not problem.penalty.terms and problem.loss.smooth


def _any(problem):
    return True


def _turns(problem):
    """[(solver, patience)] that take turns at the problem, the one that suits it best first."""
    first = next(solver for applies, solver in SOLVERS if applies(problem))
    quadratic, newtonian, split = problem.loss.quadratic, first is newton.solve, first is splitting.solve
    turns = [(first, NEWTON_PATIENCE if newtonian else PATIENCE)]
    if not problem.loss.smooth:
        return [(run, limit(problem)) for applies, run, limit in KINKED if applies(problem)]
    # (The squared loss is its own model, which Newton's method and alternating directions have solved.)
    if first in (splitting.solve, proximal_gradient.solve) and multipliers.applies(problem):
        turns.append((multipliers.solve, NEWTON_PATIENCE))
    of_columns = not problem.loss.by_column
    if of_columns and split and _rows(problem):
        # It sees what the columns of a task have of a curvature alone, but only the features that matter.
        turns.append((row_descent.solve, PATIENCE))
    solved = split if of_columns else quadratic and (newtonian or split)
    if (problem.penalty.whole or problem.data.design.fits(flat=True)) and not solved:
        turns.append((partial(splitting.solve, split_loss=True), PATIENCE))
    if split and not problem.penalty.whole:
        turns.append((proximal_gradient.solve, PATIENCE))
    return turns


def _take_turns(problem, start, tol, max_iter, callback):
    """What one solver is slow at, or stalls at, the next one goes on with, from the best that was found."""
    turns, best, n_iter, history, stalled = _turns(problem), None, 0, [], 0
    for k in count():
        run, patience = turns[k % len(turns)]
        # (With every round twice that of the one before.)
        patience = patience * 2 ** (k // len(turns)) if len(turns) > 1 else np.inf
        seen = None if callback is None else partial(_shifted, callback, n_iter)
        result = run(problem, best or start, tol, max_iter - n_iter, seen, patience=patience)
        history += [(n_iter + n, *rest) for n, *rest in result.history]
        n_iter += result.n_iter
        if best is None or not result.dual_gap >= best.dual_gap:
            best = result
        elif best.rho is not None and result.rho is not None:
            # (With the weights that led there the next one would do what the last one has done.)
            best = replace(best, rho=result.rho)
        stalled = stalled + 1 if result.status is Status.STALLED else 0
        over = result.converged or result.status is Status.CONTRADICTED
        if over or n_iter >= max_iter or stalled >= len(turns):
            return replace(best, n_iter=n_iter, status=result.status, history=history)


def _shifted(callback, before, n_iter, *rest):
    callback(before + n_iter, *rest)


def _while_cheap(problem):
    """Iterations of alternating directions that are worth while: a step of Newton's method costs the more of them the
    more samples there are."""
    return int(np.clip(len(problem.tasks.y), 100, 1000))


# The turns of losses with kinks, and how patient they are.
KINKED = (
    (dual_descent.applies, dual_descent.solve, lambda problem: 50),
    (_any, splitting.solve, _while_cheap),
    (multipliers.applies, multipliers.solve, lambda problem: NEWTON_PATIENCE),
)
SOLVERS = (
    (_no_terms, newton.solve),
    (_all_rows, row_descent.solve),
    (splitting.applies, splitting.solve),
    (_rows, row_descent.solve),
    (_any, proximal_gradient.solve),
)


def solve(problem, start=None, tol=1e-4, max_iter=10_000, callback=None):
    """Minimise the problem until its duality gap is at most tol times what there is to gain: ``DataTerm.threshold``.

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
    thin = problem.thinned()
    if thin is not None:
        # (The certificate is that of all tasks, and does not know how they were solved.)
        start = None if start is None else replace(start, intercept=None, **_of_other_samples(start))
        result = solve(thin, start, tol, max_iter, callback)
        result = replace(result, intercept=problem.data.intercepts(result.W), **_of_other_samples(result))
        return without_constants(problem, result, tol)
    fewer = problem.rotated()
    if fewer is not None:
        few, rotated = fewer
        if start is not None:
            start = replace(
                start, parts=tuple(map(rotated.onto, start.parts)), intercept=None, certificate=None, dual=None
            )
        # (A little less, so that rounding of the gap of all does not call for more.)
        result = solve(few, start, 0.9 * tol, max_iter, callback)
        return _of_all_tasks(problem, few, rotated, result, tol, max_iter, callback)
    smaller = problem.reduced()
    if smaller is None:
        return without_constants(problem, _take_turns(problem, start, tol, max_iter, callback), tol)
    reduced, Q = smaller
    if start is not None:
        start = _turned(start, Q.T)
    result = _take_turns(reduced, start, tol, max_iter, callback)
    return without_constants(problem, _turned(result, Q), tol)


def _of_other_samples(result):
    """Fields of a Result for the same problem on other samples."""
    dual = None if result.dual is None else result.dual._replace(at=None, v=None)
    return {"certificate": None, "dual": dual}


def _turned(result, Q):
    """The Result of Q W."""
    dual = result.dual
    if dual is not None and dual.split is not None:
        dual = dual._replace(split=Q @ dual.split)
    return replace(result, parts=tuple(Q @ part for part in result.parts), dual=dual)


def _of_all_tasks(problem, few, rotated, result, tol, max_iter, callback):
    """The Result for all tasks from that for a few combinations of them, which is certified anew.

    Should rounding have left more of a gap than is wanted, which takes a tol near it, the solvers go on with all tasks.
    """
    parts = tuple(rotated.back(part) for part in result.parts)
    certificate = duality_gap(problem, parts)
    whole = replace(
        result,
        parts=parts,
        intercept=certificate.intercept,
        objective=certificate.primal,
        dual_gap=certificate.gap,
        certificate=certificate,
        dual=None,
    )
    if not result.converged or certificate.gap <= problem.threshold(tol):
        return whole
    more = _take_turns(problem, whole, tol, max_iter - result.n_iter, callback)
    return replace(more, n_iter=result.n_iter + more.n_iter)


def without_constants(problem, result, tol):
    """The result with exact zeros for features that are constant in every task: intercepts do all that they can do.

    Solvers leave rounding there, or what they were started from; that alone may be what keeps a gap from being small.
    """
    if not problem.data.fit_intercept:
        return result
    rows = np.flatnonzero(problem.tasks.constant_features)
    if not rows.size or not any(np.any(part[rows]) for part in result.parts):
        return result
    parts = tuple(part.copy() for part in result.parts)
    for part in parts:
        part[rows] = 0.0
    parts = problem.penalty.feasible(parts)
    certificate = duality_gap(problem, parts, start=result.intercept, dual=result.dual)
    return replace(
        result,
        parts=parts,
        intercept=certificate.intercept,
        objective=certificate.primal,
        dual_gap=certificate.gap,
        certificate=certificate,
        status=Status.of(certificate.gap, problem.threshold(tol)) or result.status,
    )


__all__ = ["Problem", "Result", "solve"]
