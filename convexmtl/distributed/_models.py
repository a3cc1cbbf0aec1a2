"""The quadratic model of a loss around some coefficients, of what all parts have told there: solved here.

Of a column of W alone it is a problem of weighted least squares, which the solvers of the package solve. Columns of
more than two classes move each other: their curvature is a sum, over pairs, of that of the difference of two columns,
twice that of each alone is above it, and problems with that one are solved in turn, accelerated, until the model is.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ..certificate import MOST, Dual, duality_gap, what_is_free
from ..coupling import AllBut, share_in
from ..data import DataTerm
from ..inverses import conjugate_gradients
from ..losses import Squared
from ..problem import Problem
from ..result import Result, Status
from ..solvers import solve
from ..statistics import SufficientStatistics
from ..tasks import Tasks
from ._told import doubled

EXACT = 1e-7  # share of a gradient that may be missed
CUT = 1e-14  # share of the largest eigenvalue, beside a diagonal of ones, that is rounding
TURNS = 500  # problems of columns alone that a model of columns that move each other may take
PATIENCE = 100  # of these, in which what is left is to be halved
MENDED = 10  # steps towards dual variables that such columns can have


class Point(NamedTuple):
    """Coefficients, and what the loss is there, as in Told; ``split`` shares out the gradient among penalties."""

    parts: tuple
    b: np.ndarray
    value: float
    slope: np.ndarray | None = None
    slope_b: np.ndarray | None = None
    more: np.ndarray | None = None
    more_b: np.ndarray | None = None
    curvature: Any = None
    split: Any = None

    @property
    def W(self):
        return sum(self.parts[1:], self.parts[0])

    @classmethod
    def of(cls, parts, b, told):
        value = float(told.sums["value"].sum())
        if told.curvature is None:
            return cls(parts, b, value)
        return cls(parts, b, value, *(told.sums[name] for name in cls._fields[3:-2]), told.curvature)


class Step(NamedTuple):
    """Where a model leads: the Result, the duality gap of the model, that but for the loss, and what it promises.

    ``moved`` (d, T), (T,) leads from the derivatives at the Point to dual variables with the gradient of the model's,
    before these are multiplied by ``scale``; where none do, the rest of the gap is infinite.
    """

    result: Result
    moved: tuple
    scale: float
    rest: float
    promised: float
    gap: float


@dataclass(frozen=True)
class Frame:
    """What all models of a fit have in common.

    Attributes
    ----------
    penalty : Canonical
    fit_intercept : bool
    fixed : ndarray of shape (T,) or None
        Intercepts of the columns that do not count.
    owner : ndarray of shape (T,) or None
        The task of every column, where columns move each other.
    """

    penalty: Any
    fit_intercept: bool
    fixed: Any = None
    owner: Any = None

    @cached_property
    def bound(self):
        """(T,) by what the curvature of a column alone is multiplied."""
        return None if self.owner is None else doubled(self.owner)


class Model:
    """The model around a Point, with the penalty.

    ``damping`` is how much of the curvature counts that is only there for the sake of a model.
    """

    def __init__(self, frame, here, damping):
        self.frame, self.here = frame, here
        H = here.curvature[0]
        # (Of a part's single row its own mean says nothing: features vary there as they do elsewhere.)
        squares = np.einsum("tjj->jt", H.gram)
        spread = np.divide(squares, H.weight, out=np.zeros_like(squares), where=H.weight > 0)
        self.more, self.more_b = damping * np.maximum(here.more, here.more_b * spread), damping * here.more_b
        self.above = H
        if frame.owner is not None:
            self.above = replace(H, weight=frame.bound * H.weight, gram=frame.bound[:, None, None] * H.gram)
        self.problem = self._problem(here.W, here.b, here.slope, here.slope_b)

    def _problem(self, W, b, slope, slope_b):
        return least_squares(self.above, W, b, slope, slope_b, self.frame, self.more, self.more_b)

    def along(self, V, beta):
        """((d, T), (T,)) by what the derivatives of the model without ``more`` change along V and beta."""
        alone = self.here.curvature[0]
        if self.frame.owner is None:
            return _times(alone, V, beta)
        single = self.frame.bound == 1
        out, out_b = (np.where(single, one, 0.0) for one in _times(alone, V, beta))
        for r, H in enumerate(self.here.curvature[1:], 1):
            if H is not None:
                k = H.tasks
                found, found_b = _times(H, V[:, k] - V[:, k + r], beta[k] - beta[k + r])
                # (No column is twice in k, nor in k + r.)
                out[:, k] += found
                out[:, k + r] -= found
                out_b[k] += found_b
                out_b[k + r] -= found_b
        return out, out_b

    def derivatives(self, W, b):
        """((d, T), (T,)) those of the model at W and b."""
        V, beta = W - self.here.W, b - self.here.b
        along, along_b = self.along(V, beta)
        return self.here.slope + along + self.more * V, self.here.slope_b + along_b + self.more_b * beta

    def change(self, parts, b):
        """The objective of the model less that at the Point."""
        V, beta = sum(parts[1:], parts[0]) - self.here.W, b - self.here.b
        slope, slope_b = self.derivatives(self.here.W + V, b)
        loss = 0.5 * float(np.sum((self.here.slope + slope) * V) + (self.here.slope_b + slope_b) @ beta)
        return loss + self.frame.penalty.value(parts) - self.frame.penalty.value(self.here.parts)

    def solved(self, gap, max_iter):
        """The Step to near its minimum."""
        start = Result(self.here.parts, self.here.b, np.inf, np.inf, 0, Status.OUT_OF_ITERATIONS, dual=self.here.split)
        gain = self.problem.data.gain
        tol = gap / gain if gain > 0 else 1.0
        problem, result = self.problem, solve(self.problem, start, tol, max_iter)
        if self.frame.owner is not None:
            problem, result = self._in_turns(result, gap, max_iter)
        return self._step(problem, result)

    def stood(self):
        """The Step that is none: whose dual variables are the derivatives at the Point, and what makes a bound of them.

        Its Certificate is that of the model.
        """
        here = self.here
        result = Result(here.parts, here.b, here.value, np.inf, 0, Status.STALLED, dual=here.split)
        return self._step(self.problem, result)

    def _step(self, problem, result):
        moved, known = self._dual(problem, result)
        promised = max(-self.change(result.parts, result.intercept), 0.0)
        return Step(result, moved, known.scale, _rest(known), promised, known.gap)

    def _in_turns(self, result, gap, max_iter):
        """(the last problem, its Result) after problems of columns alone that have led to the minimum of the model."""
        before, momentum, n_iter = self.here, 1.0, result.n_iter
        reached, lowest = self.change(result.parts, result.intercept), np.inf
        problem, was = self.problem, np.inf
        for k in range(TURNS):
            there = self._problem(result.W, result.intercept, *self.derivatives(result.W, result.intercept))
            left = duality_gap(there, result.parts, dual=_shared_out(result)).gap
            # (Where turns gain little, another round says more.)
            slow = k % PATIENCE == PATIENCE - 1 and left > 0.5 * was
            if left <= gap or slow or (left >= lowest and momentum == 1.0):
                break
            was = left if k % PATIENCE == 0 else was
            lowest = min(left, lowest)
            following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
            share, momentum = (momentum - 1) / following, following
            last = before.parts, (before.b if isinstance(before, Point) else before.intercept)
            W, b = result.W, result.intercept
            ahead = W + share * (W - sum(last[0][1:], last[0][0])), b + share * (b - last[1])
            problem = self._problem(*ahead, *self.derivatives(*ahead))
            gain = problem.data.gain
            found = solve(problem, result, 0.1 * max(gap, 1e-3 * left) / gain if gain > 0 else 1.0, max_iter)
            n_iter += found.n_iter
            now = self.change(found.parts, found.intercept)
            if now > reached:
                # (Momentum that leads uphill is given up.)
                momentum = 1.0
                if share > 0:
                    continue
                break
            before, result, reached = result, found, now
        return problem, replace(result, n_iter=n_iter)

    def _dual(self, problem, result):
        """((moved (d, T), (T,)), the Certificate of dual variables that have moved so), see Step."""
        here, known = self.here, None
        moved, moved_b = np.zeros(here.W.shape), np.zeros(len(here.b))
        slope, slope_b, dual = here.slope, here.slope_b, result.dual
        for _ in range(MENDED):
            known = duality_gap(problem, result.parts, dual=dual, keep=True)
            tasks, v = problem.tasks, known.v
            v = np.zeros(len(tasks.y)) if v is None else v
            wanted, wanted_b = tasks.adjoint(tasks.weight * v), tasks.sum(tasks.weight * v)
            further, further_b = self._inverse(wanted - slope, wanted_b - slope_b)
            moved, moved_b = moved + further, moved_b + further_b
            along, along_b = self.along(moved, moved_b)
            slope, slope_b = here.slope + along, here.slope_b + along_b
            sizes = np.abs(here.slope) + np.abs(wanted), np.abs(here.slope_b) + here.curvature[0].weight
            missed = np.abs(wanted - slope), np.abs(wanted_b - slope_b)
            if not any(np.any(of > EXACT * size.max(initial=0.0)) for of, size in zip(missed, sizes, strict=True)):
                return (moved, moved_b), known
            if self.frame.owner is None:
                break
            # (From what they can have; what is free is to have no slope there.)
            V, beta = self._freed(result.W, slope, slope_b)
            moved, moved_b = moved + V, moved_b + beta
            along, along_b = self.along(moved, moved_b)
            slope, slope_b = here.slope + along, here.slope_b + along_b
            problem, dual = self._problem(result.W, result.intercept, slope, slope_b), _shared_out(result)
        return (moved, moved_b), replace(known, gap=np.inf)

    def _freed(self, W, slope, slope_b):
        """((d, T), (T,)) along what nothing penalises, after which the derivatives vanish there: by conjugate
        gradients, about the means."""
        penalty, H = self.frame.penalty, self.here.curvature[0]
        means = (H.mean_X + H.rest_X) * self.frame.fit_intercept
        free, entries, shape = penalty.free, penalty.free_entries(W.shape), W.shape
        out = penalty.left_out(shape)
        if isinstance(free, AllBut):
            project = back = lambda R: share_in(free, R)
        else:
            U, allowed = what_is_free(free, entries, shape)
            project, back = (lambda R: np.where(allowed, R @ U, 0.0)), (lambda C: C @ U.T)
        open_ = self.frame.fit_intercept * (H.weight > 0)

        def folded(R, r):
            R = R - means * r
            return np.append(project(R if out is None else np.where(out, 0.0, R)).ravel(), open_ * r)

        def unfolded(C):
            V = back(C[: -shape[1]].reshape(shape[0], -1))
            return V, open_ * C[-shape[1] :] - np.einsum("dt,dt->t", means, V)

        squares = np.einsum("tjj->jt", self.above.gram)
        if not isinstance(free, AllBut):
            squares = squares @ U.power(2)
        units = np.append(squares.ravel(), self.above.weight)
        units = np.divide(1.0, units, out=np.zeros_like(units), where=units > 0)
        pull = -slope if penalty.coupling.is_zero else -slope - 2 * penalty.coupling.apply(W)
        found, _ = conjugate_gradients(
            lambda C: folded(*self.along(*unfolded(C))), lambda R: units * R, folded(pull, -slope_b), 1e-12, MOST
        )
        return unfolded(found)

    def _inverse(self, R, r):
        """((d, T), (T,)) along which the derivatives change by R and r, as far as there is such a direction."""
        H = self.here.curvature[0]
        means = H.mean_X + H.rest_X
        V = _pseudo(H.gram, R - means * r)
        beta = np.divide(r, H.weight, out=np.zeros_like(r), where=H.weight > 0) - np.einsum("dt,dt->t", means, V)
        if self.frame.owner is not None:
            for columns in self._several:
                V[:, columns], beta[columns] = self._of_several(columns, R, r)
        return V, beta

    @cached_property
    def _several(self):
        """[columns (n, K)] of the tasks that have K > 1 of them."""
        owner = self.frame.owner
        first = np.flatnonzero(np.diff(owner, prepend=-1))
        counts = np.diff(first, append=len(owner))
        return [first[counts == K][:, None] + np.arange(K) for K in np.unique(counts[counts > 1])]

    @cached_property
    def _factored(self):
        """[(centres (d, n), roots of the diagonal, eigenvalues, eigenvectors)] of the curvature of ``_several``."""
        found, alone = [], self.here.curvature[0]
        for columns in self._several:
            n, K = columns.shape
            weight = alone.weight[columns]
            mass = np.maximum(weight.sum(axis=1), np.finfo(float).tiny)
            centre = np.einsum("dnk,nk->dn", (alone.mean_X + alone.rest_X)[:, columns], weight / mass[:, None])
            size = len(centre) + 1
            A = np.zeros((n, K, size, K, size))
            for r, H in enumerate(self.here.curvature[1:K], 1):
                place = np.full(len(self.frame.owner), -1)
                place[H.tasks] = np.arange(len(H.tasks))
                for k in range(K - r):
                    P = _moments_about(H, place[columns[:, k]], centre)
                    for a, b, sign in ((k, k, 1), (k + r, k + r, 1), (k, k + r, -1), (k + r, k, -1)):
                        A[:, a, :, b] += sign * P
            found.append((centre, *_spectrum(A.reshape(n, K * size, K * size))))
        return found

    def _of_several(self, columns, R, r):
        at = next(i for i, some in enumerate(self._several) if some is columns)
        centre, unit, values, Q = self._factored[at]
        n, K = columns.shape
        own, own_b = R[:, columns], r[columns]
        right = np.concatenate([own_b[None], own - centre[:, :, None] * own_b]).transpose(1, 2, 0).reshape(n, -1)
        inverse = np.divide(1.0, values, out=np.zeros_like(values), where=values > CUT * values.shape[1])
        found = unit * np.einsum("tij,tj->ti", Q, np.einsum("tij,ti->tj", Q, unit * right) * inverse)
        found = found.reshape(n, K, -1).transpose(2, 0, 1)
        return found[1:], found[0] - np.einsum("dn,dnk->nk", centre, found[1:])


def _shared_out(result):
    """How a gradient is shared out among penalties, whatever the samples."""
    return None if result.dual is None else Dual(split=result.dual.split)


def _rest(known):
    """The gap but for the loss, which is squared."""
    if not np.isfinite(known.gap):
        return np.inf
    v = np.zeros(len(known.tasks.y)) if known.v is None else known.v
    away = known.z - known.tasks.y - known.scale * v
    return max(known.gap - 0.5 * float(known.tasks.weight @ away**2), 0.0)


def _times(H, V, beta):
    """((d, k), (k,)) sums of h u (u . (V, beta)) with u = (x, 1), for the SufficientStatistics of weights h."""
    means = H.mean_X + H.rest_X
    total = H.weight * (beta + np.einsum("dk,dk->k", means, V))
    return np.einsum("kij,jk->ik", H.gram, V) + means * total, total


def _moments_about(H, k, centre):
    """(n, d + 1, d + 1) sums of h u u' with u = (1, x - centre), of the tasks k (n,) of SufficientStatistics."""
    away = (H.mean_X + H.rest_X)[:, k] - centre
    n, d = len(k), len(centre)
    P = np.empty((n, d + 1, d + 1))
    P[:, 0, 0] = H.weight[k]
    P[:, 0, 1:] = P[:, 1:, 0] = (H.weight[k] * away).T
    P[:, 1:, 1:] = H.gram[k] + np.einsum("ik,jk,k->kij", away, away, H.weight[k])
    return P


def _spectrum(gram):
    """(units in which the diagonal is 1, eigenvalues, eigenvectors) of matrices (T, m, m)."""
    length = np.sqrt(np.maximum(np.einsum("kjj->kj", gram), 0.0))
    unit = np.divide(1.0, length, out=np.zeros_like(length), where=length > 0)
    return (unit, *np.linalg.eigh(unit[:, :, None] * gram * unit[:, None, :]))


def _pseudo(gram, R):
    """(d, T): gram_t^+ r_t, for matrices (T, d, d), which may be singular."""
    unit, values, Q = _spectrum(gram)
    inverse = np.divide(1.0, values, out=np.zeros_like(values), where=values > CUT * gram.shape[1])
    along = np.einsum("tij,ti->tj", Q, unit * R.T) * inverse
    return (unit * np.einsum("tij,tj->ti", Q, along)).T


def least_squares(H, W, b, slope, slope_b, frame, more=None, more_b=0.0):
    """The Problem of weighted least squares with these derivatives at W and b.

    ``H`` are SufficientStatistics of the features, weighted by the curvatures; ``more`` (d, T) and ``more_b`` (T,) are
    more curvature.
    """
    mass = H.weight + more_b
    means = H.mean_X + H.rest_X
    with np.errstate(divide="ignore", invalid="ignore"):
        along = np.where(mass > 0, slope_b / mass, 0.0)
    gram, every = H.gram, np.arange(len(W))
    if more is not None:
        gram = gram.copy()
        gram[:, every, every] += more.T
    cross = np.einsum("tij,jt->it", gram, W) - (slope - means * slope_b)
    target, T = np.einsum("dt,dt->t", means, W) + b - along, len(b)
    of = SufficientStatistics(
        H.tasks, "stacked", H.n_samples, np.where(mass > 0, mass, 1.0), H.mean_X, H.rest_X, target, np.zeros(T), gram,
        cross, np.zeros(T),
    )  # fmt: skip
    X, Y = of._rows()
    K, m, d = X.shape
    ptr = np.arange(K + 1, dtype=np.int64) * m
    weights = np.repeat(mass / m, m)
    y = np.where(weights > 0, Y.ravel(), 0.0)
    tasks = Tasks(np.asfortranarray(X.reshape(-1, d)), y, ptr, ptr[:-1].copy(), weights)
    return Problem(DataTerm(tasks, Squared(), frame.fit_intercept, frame.fixed), frame.penalty)
