"""Problems that differ in a factor before their penalty: where the useful ones begin, and solutions along a path."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from numbers import Integral
from typing import NamedTuple

import numpy as np

from .._input import POSITIVE, check_number, read_list
from ..certificate import Dual, duality_gap
from ..coupling import Nested
from ..penalties.base import Canonical
from ..problem import Problem
from . import coupling_path, newton_path, row_path, solve, without_constants

ACCURACY = 1e-6  # of the dual norm of a sum of penalties
UNPENALISED = 1e-12  # tol of the fit of what has no penalty, by which the useful strengths are known


def critical_factor(problem):
    """What all strengths are to be multiplied by to reach the point described in ``alpha_max``.

    It is exactly 0 where W = 0 is optimal without a penalty: what is rounding in the gradient counts as zero.
    """
    penalty = problem.penalty
    if not penalty.allows_zero:
        raise ValueError(
            "alpha_max is the strength from which on all coefficients are zero, and the constraints do not allow "
            "W = 0: pass the strengths to try as alphas."
        )
    softest = None if penalty.kinks else _smallest_curvature(penalty)
    Z, _, rounding = _gradient_at_zero(problem)
    Z = np.where(np.abs(Z) <= rounding, 0.0, Z)
    if not Z.any():
        return 0.0
    if softest is not None:
        return problem.data.steepest / softest
    # (What tasks have in common may be free, and all that is left of the gradient rounding.)
    top = penalty.dual_norm(Z, ACCURACY)
    return top if top > penalty.dual_norm(np.where(Z == 0, 0.0, _alternating(rounding)), 0.1) else 0.0


def negligible_factor(problem):
    """What to multiply all strengths by where ``critical_factor`` is 0: as large as what rounding makes of it."""
    penalty = problem.penalty
    if penalty.kinks:
        products = _gradient_at_zero(problem)[1]
        return max(penalty.dual_norm(products, ACCURACY), penalty.dual_norm(_alternating(products), ACCURACY))
    traces = problem.data.design.squares.sum(axis=0)
    return float(traces.max()) * problem.data.largest_second / _smallest_curvature(penalty)


def _gradient_at_zero(problem):
    """(Z, bound of its rounding in the products, bound of all its rounding), each (d, T), at W = 0."""
    tasks, loss, c = problem.tasks, problem.loss, problem.tasks.weight
    data, free = problem.data, problem.penalty.free_entries(problem.shape)
    lengths = np.sqrt(data.design.squares)
    if data.even and free is None and not problem.penalty.free.shape[1]:
        # Of many samples without another pass: the last of the bounds by the triangle inequality.
        size = np.sqrt(data.squares), 2 * np.sqrt(data.squares) + 2 * np.abs(data.trivial[1]) * np.sqrt(tasks.mass)
        return data.moments, *(4 * np.finfo(float).eps * lengths * one for one in size)
    parts, known = _at_infinity(problem)
    certificate = duality_gap(problem, parts, dual=known)
    y, z = tasks.y, certificate.z
    v = np.abs(loss.derivative(y, z))
    bounds = []
    for u in (v, v + loss.second(y, z) * np.abs(z) + np.abs(y)):
        size = u.max(initial=0.0)
        total = np.sqrt(tasks.sum(c * (u / size) ** 2)) * size if size > 0 else np.zeros(tasks.n_tasks)
        bounds.append(4 * np.finfo(float).eps * lengths * total)
    Z = certificate.Z if free is None else np.where(free, 0.0, certificate.Z)
    return Z, *bounds


def _at_infinity(problem):
    """(parts, Dual) of the W that is left of the strongest penalty: zeros, but for features that it leaves free."""
    parts, free = problem.zeros(), problem.penalty.free_entries(problem.shape)
    known = None if problem.loss.smooth else Dual(v=problem.data.pull)
    if free is not None:
        rows, T = np.flatnonzero(free.any(axis=1)), problem.shape[1]
        data, penalty = replace(problem.data, tasks=problem.tasks.select(rows)), problem.penalty
        terms = (penalty.terms[0].restrict(rows),) if penalty.positive else ()
        tol = UNPENALISED if data.loss.smooth else ACCURACY
        result = solve(Problem(data, Canonical(terms, Nested(T, [0.0]))), None, tol)
        parts[0][rows], known = result.W, result.dual
    return parts, known


def _alternating(Z):
    """With signs that do not cancel where tasks are compared."""
    return Z * np.where(np.arange(Z.shape[1]) % 2, -1.0, 1.0)


def _smallest_curvature(penalty):
    """The smallest positive curvature of a quadratic penalty."""
    T, smallest = penalty.coupling.n_tasks, penalty.coupling.smallest
    curvatures = [2 * smallest] if smallest < np.inf else []
    probe = np.zeros((1, T))
    for term in penalty.terms + penalty.whole:
        # Twice the penalty of a unit matrix of rank one, along the mean and along a difference of tasks.
        for direction in (np.ones(T), np.arange(T) == 0) - np.array([[0.0], [1 / T]]):
            if np.any(direction):
                probe[0] = direction / np.linalg.norm(direction)
                value = 2 * term.softest.value(probe)
                curvatures += [value] if 0 < value < np.inf else []
    if not curvatures:
        raise ValueError(
            "alpha_max needs a positive strength to start from: all are 0, or one of 0 leaves all of W free, or the "
            "graph, the tree or the chain of tasks is empty."
        )
    return min(curvatures)


class Multiples:
    """A penalty times each of ``factors``, for all the data on which it is solved for them.

    Parameters
    ----------
    penalty : Penalty
    factors : (A,) array
    n_features : int
    labels : (T,) array
        Of the tasks.
    """

    def __init__(self, penalty, factors, n_features, labels):
        self.penalty, self.factors, self.n_features, self.labels = penalty, factors, n_features, labels

    @cached_property
    def canonicals(self):
        """A sequence of Canonical, one for every factor."""
        with warnings.catch_warnings():
            # What is to be said of the penalty was said when the problem was made.
            warnings.simplefilter("ignore", UserWarning)
            resolved = (self.penalty.scaled(factor).resolve(self.n_features, self.labels) for factor in self.factors)
            found = list(islice(resolved, 1))
            if found and found[0].row_wise and found[0].coupling.is_zero:
                return Scaled(found[0], self.factors)
            found.extend(resolved)
        if found and not found[0].terms:
            # One coupling for all, so that what does not depend on its strength is known to all.
            coupling = found[0].coupling
            coupling.free  # noqa: B018
            share = [coupling.scaled(factor / self.factors[0]) for factor in self.factors[1:]]
            found[1:] = [replace(other, coupling=c) for other, c in zip(found[1:], share, strict=True)]
        return found

    def some(self, which):
        """Those of the factors in this mask (A,)."""
        return Multiples(self.penalty, self.factors[which], self.n_features, self.labels)

    def __getstate__(self):
        # What there is of every factor is made anew where it is needed.
        return {name: value for name, value in vars(self).items() if name != "canonicals"}


class Scaled(Sequence):
    """A Canonical of one row penalty times each of ``factors``, relative to the first of these.

    Each is made when it is asked for: that takes as long as many a fit, and most are not asked for.
    """

    def __init__(self, first, factors):
        self.first, self.factors = first, np.asarray(factors, dtype=float) / factors[0]

    def __len__(self):
        return len(self.factors)

    def __getitem__(self, a):
        if isinstance(a, slice):
            return [self[k] for k in range(*a.indices(len(self)))]
        (term,) = self.first.terms
        return self.first if a in (0, -len(self)) else replace(self.first, terms=(term.scaled(self.factors[a]),))

    @cached_property
    def packs(self):
        """(A, k) the numbers that the compiled prox of each gets."""
        return self.first.terms[0].packs(self.factors)


class Problems(Sequence):
    """Those of one DataTerm with each of a sequence of Canonical, made when they are asked for."""

    def __init__(self, data, canonicals):
        self.data, self.canonicals = data, canonicals

    def __len__(self):
        return len(self.canonicals)

    def __getitem__(self, a):
        if isinstance(a, slice):
            return [self[k] for k in range(*a.indices(len(self)))]
        return Problem(self.data, self.canonicals[a])

    @property
    def packs(self):
        """(A, k) the numbers that the compiled prox of each row penalty gets."""
        if isinstance(self.canonicals, Scaled):
            return self.canonicals.packs
        return np.stack([canonical.terms[0].pack()[0] for canonical in self.canonicals])


class Piece(NamedTuple):
    """Some fits of a path, one after the other.

    Attributes
    ----------
    Ws : ndarray of shape (A, d, T)
    intercepts : ndarray of shape (A, T)
    gaps : ndarray of shape (A,)
        Their duality gaps.
    """

    Ws: np.ndarray
    intercepts: np.ndarray
    gaps: np.ndarray


def path_pieces(data, multiples, tol, max_iter, most):
    """Yield the fits of ``solve_path`` as Pieces, of ``most`` entries of W or of targets, unless one alone has more.

    Where many fits take little time, one Result for each would take as much.
    """
    canonicals = multiples.canonicals
    if canonicals and data.thinned is None and Problem(data, canonicals[0]).rotated() is None:
        problems = Problems(data, canonicals)
        if row_path.applies(problems) and not _has_constants(data):
            for fits in row_path.fits_of(problems, multiples.factors, tol, max_iter, most):
                yield Piece(fits.Ws, fits.intercepts, fits.gaps)
            return
    results = solve_path(data, multiples, tol, max_iter)
    size = max(1, int(most / max(np.prod(data.shape), len(data.tasks.y))))
    while some := list(islice(results, size)):
        Ws, intercepts = np.array([result.W for result in some]), np.array([result.intercept for result in some])
        yield Piece(Ws, intercepts, np.array([result.dual_gap for result in some]))


def _has_constants(data):
    """Whether there are features that intercepts do all the work of."""
    return data.fit_intercept and bool(data.tasks.constant_features.any())


def solve_path(data, multiples, tol, max_iter):
    """Yield the Result for every multiple of the penalty, each one starting from those before it."""
    canonicals = multiples.canonicals
    if canonicals and data.thinned is not None:
        for result in solve_path(data.thinned, multiples, tol, max_iter):
            yield replace(result, intercept=data.intercepts(result.W), certificate=None, dual=None)
        return
    fewer = Problem(data, canonicals[0]).rotated() if canonicals else None
    if fewer is None:
        yield from _solve_path(Problems(data, canonicals), multiples.factors, tol, max_iter)
        return
    few, rotated = fewer
    problems = Problems(few.data, [canonical.for_rotated_tasks(few.shape[1]) for canonical in canonicals])
    for result in _solve_path(problems, multiples.factors, tol, max_iter):
        # Objective and gap are the same for all tasks, to rounding.
        parts = tuple(map(rotated.back, result.parts))
        intercept = data.best_intercept(data.tasks.apply(sum(parts)))
        yield replace(result, parts=parts, intercept=intercept, certificate=None, dual=None)


def _solve_path(problems, factors, tol, max_iter):
    """The same for Problems of one DataTerm."""
    data = problems[0].data if problems else None
    for whole in (row_path, coupling_path, newton_path):
        if whole.applies(problems):
            constants = _has_constants(data)
            for problem, result in zip(problems, whole.solve(problems, factors, tol, max_iter), strict=True):
                yield without_constants(problem, result, tol) if constants else result
            return
    start = before = result = None
    for k, (factor, here) in enumerate(zip(factors, problems, strict=True)):
        before, result = result, solve(here, start, tol, max_iter)
        if start is not before and result.n_iter == 0:
            # What was foretold holds; that is for the data to say.
            certificate = duality_gap(here, result.parts, dual=result.dual)
            result = replace(result, dual_gap=certificate.gap, objective=certificate.primal, certificate=certificate)
        yield result
        start = result
        if before is not None and k + 1 < len(factors) and factor != factors[k - 1]:
            start = _ahead(data, here.penalty, before, result, (factors[k + 1] - factor) / (factor - factors[k - 1]))


def _ahead(data, penalty, before, result, step):
    """Where the path leads if it goes on straight: it is piecewise linear in the strength for many penalties.

    With the squared loss, predictions, intercepts and gradient go on straight as well, so that nothing is computed.
    """
    on = lambda a, b: b + step * (b - a)  # noqa: E731
    parts = tuple(on(*pair) for pair in zip(before.parts, result.parts, strict=True))
    old, new = before.certificate, result.certificate
    kept = tuple(term.feasible(part) for term, part in zip(penalty.terms, parts, strict=False)) or parts
    if any(np.any(a != b) for a, b in zip(kept, parts, strict=True)):
        parts, new = kept, None
    if data.loss.quadratic and old is not None and new is not None and not new.coupled:
        new = replace(new, intercept=on(old.intercept, new.intercept), Z=on(old.Z, new.Z), z=on(old.z, new.z))
    else:
        new = None
    return replace(result, parts=parts, intercept=on(before.intercept, result.intercept), certificate=new)


def leading_strength(strengths):
    """The first positive one, by which the others are carried along."""
    lead = next((value for value in strengths.values() if value > 0), None)
    if lead is None:
        raise ValueError("a path needs a positive strength to scale; all strengths of the penalty are 0.")
    return lead


def path_alphas(problem, lead, alphas, eps, top=1.0, stacklevel=2):
    """Decreasing strengths: those given, or how many between ``top`` times where all is zero and eps times that."""
    if isinstance(alphas, Integral) and not isinstance(alphas, bool):
        if alphas < 1:
            raise ValueError(f"alphas must be at least 1 if it is a number of strengths, got {alphas}.")
        check_number(eps, "eps", POSITIVE, 1, "between 0 and 1")
        factor = critical_factor(problem)
        if factor > 0:
            return lead * factor * top * np.geomspace(1, eps, alphas)
        only = max(np.finfo(float).resolution, lead * negligible_factor(problem))
        warnings.warn(
            "alpha_max is 0: no target goes with any feature (targets or features that are constant within the tasks), "
            f"and all coefficients are zero without a penalty. There is no range of strengths; all are {only:.3g}. "
            "Look at the data, or pass the strengths to try as alphas.",
            UserWarning,
            stacklevel=stacklevel + 1,
        )
        return np.full(alphas, only)
    accepted = "a number of strengths or a list of positive and finite ones"
    return np.sort(read_list(alphas, "alphas", accepted, low=np.nextafter(0, 1)))[::-1]
