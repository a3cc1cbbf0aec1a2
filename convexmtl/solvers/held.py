"""One more task beside others whose coefficients are held: the objective as a function of its own column alone.

Whatever the penalty, it is solved by what that owes anyway. The prox of all columns alternates with the exact solution
for the loss of the new task, as in ``splitting``. On the side of the loss the other columns are constants; their scaled
duals gather the subgradient of Omega there, with which the dual norm or the conjugate certifies the new column.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse

from ..certificate import balanced, free_entries, in_domain, left_out, not_below_zero, without_entries
from ..coupling import Nested
from ..data import DataTerm
from ..penalties.base import Canonical
from ..problem import Problem
from ..result import Result, Status
from . import solve
from .splitting import CHEAP, CHECK_EVERY, GROUP, RELAXATION, Directions

NEWTON = 50  # steps of one solution for the loss
ROUNDING = 1e-15  # of Omega, which the held columns may make much larger than what there is to gain


@dataclass(frozen=True, eq=False)
class Held:
    """minimise over w_1, ..., w_K and b of sum_i c_i loss(y_i, x_i . w + b) + sum_k terms[k]([P_k, w_k])
    + tr([P, w] M [P, w]'), with w and P the sums of the w_k and of the P_k.

    Attributes
    ----------
    data : DataTerm
        Of the new task alone.
    penalty : Canonical
        Of all tasks, the new one last.
    parts : tuple of ndarray of shape (d, T)
        The P_k.
    """

    data: DataTerm
    penalty: Canonical
    parts: tuple

    @cached_property
    def ridge(self):
        """m in m norm(w)^2 + 2 w . pull, which is all that the coupling makes of w."""
        return float(self.penalty.coupling.diagonal[-1])

    @cached_property
    def pull(self):
        if self.ridge == 0:
            return np.zeros(len(self.parts[0]))
        total = sum(self.parts)
        return self.penalty.coupling.apply(np.column_stack([total, np.zeros(len(total))]))[:, -1]

    @cached_property
    def free(self):
        """A part whose term does not see the last column, so that no term does; None where there is none."""
        T, terms = self.parts[0].shape[1] + 1, self.penalty.terms
        return next((k for k, term in enumerate(terms) if _alone(term.free_tasks(T))), None) if terms else 0

    @cached_property
    def kept(self):
        """(d,) which features may have coefficients: not those that are constant in every task, of which intercepts do
        all that they can do."""
        used = np.any([P.any(axis=1) for P in self.parts], axis=0)
        return used | ~(self.data.fit_intercept & self.data.tasks.constant_features)

    def joined(self, new):
        """[P_k, w_k] for every part."""
        return tuple(np.column_stack([P, w]) for P, w in zip(self.parts, new, strict=True))

    def threshold(self, tol):
        """The duality gap at which a fit has converged."""
        if self.data.empty.all():
            # The samples have no say: a share of what an average task costs.
            zeros = [np.zeros(len(P)) for P in self.parts]
            return tol * self.penalty.value(self.joined(zeros)) / self.parts[0].shape[1]
        return self.data.threshold(tol)


class HeldGap(NamedTuple):
    """As a ``Certificate``, for the new task: ``z`` is minus the gradient of loss and coupling."""

    primal: float
    gap: float
    intercept: np.ndarray
    z: np.ndarray


def held_gap(problem, new, duals, start=None):
    """The HeldGap of the new columns ``new``; ``duals`` (K, d, T) are near a subgradient of the terms at the others.

    For any Z_k = [D_k, z] of dual norm 1 at most, with z minus the gradient of the rest, the sums of the Fenchel gaps
    of the loss, the terms and the coupling bound what the objective is above its optimum.
    """
    data, terms = problem.data, problem.penalty.terms
    tasks, loss, c = data.tasks, data.loss, data.tasks.weight
    w, m, joined = sum(new), problem.ridge, problem.joined(new)
    raw = tasks.apply(w[:, None])
    b = data.best_intercept(raw, start)
    at = tasks.shift(raw, b)
    primal = data.value(at) + problem.penalty.value(joined)
    v = balanced(data, loss.derivative(tasks.y, at))
    g = tasks.adjoint(-c * v)[:, 0]
    z = g - 2 * (m * w + problem.pull)
    shape = len(w), problem.parts[0].shape[1] + 1
    entries, out = free_entries(problem.penalty, shape), left_out(problem.penalty, shape)
    if entries is not None:
        coupled = (m * w + problem.pull)[:, None]
        v = in_domain(data, without_entries(data, at, v, coupled, np.zeros((1, 0)), entries[:, [-1]]))
        z = tasks.adjoint(-c * v)[:, 0] - 2 * coupled[:, 0]
        if np.any(np.abs(z) > 1e-7 * np.sqrt(data.design.squares[:, 0] * float(c @ v**2)), where=entries[:, -1]):
            return HeldGap(primal, np.inf, b, z)
    if problem.free is not None:
        share = loss.fenchel_gap(tasks.y, at, v)
        gap = float(c @ np.where(c > 0, share, 0.0)) + (float(z @ z) / (4 * m) if m > 0 else 0.0)
        return HeldGap(primal, float(not_below_zero(gap, abs(primal))), b, z)
    Z = [_without_free(term, np.column_stack([D, z])) for term, D in zip(terms, duals, strict=True)]
    if entries is not None or out is not None:
        # What is not penalised has no subgradient, and what has to be zero any.
        none = (False if entries is None else entries) | (False if out is None else out)
        Z = [np.where(none, 0.0, dual) for dual in Z]
    scale = 1.0
    for term, dual in zip(terms, Z, strict=True):
        if term.is_norm:
            norm = term.dual_norm(dual)
            scale = min(scale, 1 / norm) if norm > 1 else scale if norm <= 1 else np.nan
    with np.errstate(invalid="ignore", over="ignore"):
        share = loss.fenchel_gap(tasks.y, at, scale * v)
    gap = float(c @ np.where(c > 0, share, 0.0))
    if m > 0:
        gap += (1 - scale) ** 2 * m * float(np.sum((w + problem.pull / m) ** 2))
    for term, W, dual in zip(terms, joined, Z, strict=True):
        conjugate = 0.0 if term.is_norm else term.conjugate(scale * dual)
        gap += float(term.value(W)) + conjugate - scale * float(np.sum(W * dual))
    gap = float(not_below_zero(gap, abs(primal)))
    return HeldGap(primal, gap if np.isfinite(gap) else np.inf, b, z)


def _without_free(term, Z):
    """Z with other columns before its last one, so that it vanishes in the directions in which the term is constant."""
    free = term.free_tasks(Z.shape[1])
    if not free.shape[1]:
        return Z
    free = free.toarray() if issparse(free) else free
    left, last = Z @ free, free[-1]
    # The inverse of free' free without the last task, by Sherman and Morrison.
    left = left + np.outer(left @ last, last) / (1 - last @ last)
    return np.column_stack([Z[:, :-1] - left @ free[:-1].T, Z[:, -1]])


def _alone(free):
    """Whether the last task is for itself a direction of what the orthonormal (T, k) span."""
    last = free[[-1]]
    square = last.power(2).sum() if issparse(last) else np.sum(last**2)
    return square > 1 - 1e-9


def solve_held(problem, tol=1e-4, max_iter=10_000, callback=None):
    """Minimise a Held problem, as ``convexmtl.solvers.solve`` does others; the parts of the Result are the w_k (d,)."""
    K, k = len(problem.parts), problem.free
    side, threshold = _Loss(problem.data), problem.threshold(tol)
    if k is not None:
        zeros = [np.zeros(len(P)) for P in problem.parts]
        if problem.ridge > 0:
            w = side.solve(-2 * problem.pull, 2 * problem.ridge, zeros[0])
        else:
            alone = Problem(problem.data, Canonical((), Nested(1, [0.0])))
            w = solve(alone, None, tol, max_iter, callback).W[:, 0]
        new = tuple(w * problem.kept if j == k else zeros[j] for j in range(K))
        found = held_gap(problem, new, None)
        status = Status.of(found.gap, threshold) or Status.STALLED
        return Result(new, found.intercept, found.primal, found.gap, 1, status)

    directions = _HeldDirections(problem, side)
    n_iter, history, best, since_better = 0, [], None, 0
    while True:
        n_iter += directions.run(min(CHECK_EVERY, max_iter - n_iter), 0.0)
        new = tuple(w * problem.kept for w in directions.new)
        found = held_gap(problem, new, directions.duals, side.b)
        history.append((n_iter, found.primal, found.gap))
        if callback is not None:
            callback(*history[-1])
        since_better = 0 if best is None or found.gap < 0.999 * best[0].gap else since_better + 1
        if best is None or found.gap < best[0].gap:
            best = found, new
        status = Status.of(best[0].gap, max(threshold, ROUNDING * abs(found.primal)))
        if status is None and n_iter >= max_iter:
            status = Status.OUT_OF_ITERATIONS
        elif status is None and since_better > 200:
            status = Status.STALLED
        if status is None:
            continue
        found, new = best
        return Result(new, found.intercept, found.primal, found.gap, n_iter, status, history)


class _Loss:
    """What the loss of the new task asks of w."""

    group, tolerated = GROUP, CHEAP

    def __init__(self, data):
        self.data, self.b = data, None

    def solve(self, right, shift, w):
        """argmin over w of L(w) + (shift/2) norm(w)^2 - right . w, L the loss at its best intercept; w is a guess."""
        data = self.data
        if data.loss.quadratic:
            return data.design.flat.solve((data.moments[:, 0] + right)[:, None], np.array([shift]))[:, 0]
        tasks, loss, c = data.tasks, data.loss, data.tasks.weight
        value, z = self._value(w, right, shift)
        for _ in range(NEWTON):
            gradient = tasks.adjoint(c * loss.derivative(tasks.y, z)) + (shift * w - right)[:, None]
            move = -data.gram(z, flat=False).solve(gradient, np.array([shift]))[:, 0]
            promised = -float(gradient[:, 0] @ move)
            step = 1.0
            for _ in range(40):
                after, at = self._value(w + step * move, right, shift)
                if after <= value - 1e-4 * step * promised + 1e-15 * abs(value):
                    break
                step *= 0.5
            w, value, z = w + step * move, after, at
            # (The step from there squared what was left.)
            if not promised > 1e-12 * (abs(value) + promised):
                break
        return w

    def _value(self, w, right, shift):
        data = self.data
        raw = data.tasks.apply(w[:, None])
        self.b = data.best_intercept(raw, self.b)
        z = data.tasks.shift(raw, self.b)
        return data.value(z) + 0.5 * shift * float(w @ w) - float(right @ w), z

    def balance(self, tolerated):
        return False


class _HeldDirections(Directions):
    """The iteration: V_k (d, T + 1) the proxes; on the other side all P_k, which stay, and w; U their scaled duals.

    W and U are (d, K T + 1): the columns of all parts that are held, and the new one, which all parts share.
    """

    def __init__(self, problem, side):
        self.problem, self.terms, self.side = problem, problem.penalty.terms, side
        K, (d, T) = len(problem.parts), problem.parts[0].shape
        self.W = np.column_stack([*problem.parts, sum(P.mean(axis=1) for P in problem.parts)])
        self.V = np.stack(problem.joined([P.mean(axis=1) for P in problem.parts]))
        size = float(np.sum(self.V**2))
        value = sum(float(term.value(V)) for term, V in zip(self.terms, self.V, strict=True))
        self.rho = value / size if value > 0 and size > 0 else self.top
        self.U = np.zeros((d, K * T + 1))
        self.age = 0
        self._forget()

    @property
    def top(self):
        data = self.problem.data
        return max(float(data.design.flat.top[0]) + 2 * self.problem.ridge, 1e-300)

    @property
    def new(self):
        return tuple(self.V[:, :, -1])

    def _step(self):
        problem, K, (d, T) = self.problem, len(self.terms), self.problem.parts[0].shape
        V, w, u = self.V, self.W[:, -1], self.U[:, -1]
        move = (w - V[:, :, -1].sum(axis=0)) / K - u
        held = (self.W[:, :-1] - self.U[:, :-1]).reshape(d, K, T).transpose(1, 0, 2)
        at = np.concatenate([held, V[:, :, -1:] + move[:, None]], axis=2)
        self.V = np.stack([f.prox(q, 1 / self.rho) for f, q in zip(self.terms, at, strict=True)])
        self.duals = self.rho * (at - self.V)[:, :, :-1]
        total = np.column_stack([*self.V[:, :, :-1], self.V[:, :, -1].sum(axis=0)])
        relaxed = RELAXATION * total + (1 - RELAXATION) * self.W
        right = self.rho / K * (relaxed[:, -1] + K * u) - 2 * problem.pull
        w = self.side.solve(right, self.rho / K + 2 * problem.ridge, w)
        self.W = np.column_stack([self.W[:, :-1], w])
        change = relaxed - self.W
        change[:, -1] /= K
        self.U = self.U + change
        return total

    @property
    def _state(self):
        K = len(self.terms)
        return np.concatenate([self.V.ravel(), self.W[:, -1], self.U[:, :-1].ravel(), K * self.U[:, -1]])

    def _set_state(self, state):
        K, (d, n) = len(self.terms), self.W.shape
        V, w, held, u = np.split(state, np.cumsum([self.V.size, d, d * (n - 1)]))
        self.V = V.reshape(self.V.shape)
        self.W = np.column_stack([self.W[:, :-1], w])
        self.U = np.column_stack([held.reshape(d, n - 1), u / K])
