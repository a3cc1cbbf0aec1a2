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

from ..certificate import Dual, balanced, duality_gap, in_domain, not_below_zero, without_entries
from ..coupling import Nested
from ..data import DataTerm
from ..penalties._sums import free_entries_of
from ..penalties.base import Canonical
from ..problem import Problem
from ..result import Result, Status
from . import solve
from ._sides import CHEAP, GROUP, RELAXATION, YOUNG, LossItself
from .splitting import CHECK_EVERY, Directions

NEWTON = 50  # steps of one solution for the loss
ROUNDING = 1e-15  # of Omega, which the held columns may make much larger than what there is to gain


@dataclass(frozen=True, eq=False)
class Held:
    """minimise over w_1, ..., w_K and b of sum_i c_i loss(y_i, x_i . w + b) + sum_k terms[k]([P_k, w_k])
    + sum_j whole[j]([P, w]) + tr([P, w] M [P, w]'), with w and P the sums of the w_k and of the P_k.

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

    @property
    def loss(self):
        return self.data.loss

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
        """Of every group a part whose term does not see the last column, so that no term does; None for none."""
        T = self.parts[0].shape[1] + 1
        alone = [[_alone(term.free_tasks(T)) for term in group] for group in self.penalty.groups]
        return [flags.index(True) if any(flags) else None for flags in alone]

    @property
    def part(self):
        """Where there is nothing to choose, the part that the new column is; else None."""
        return self.free[0] if self.free else 0

    @cached_property
    def kept(self):
        """(d,) which features may have coefficients: not those that are constant in every task, of which intercepts do
        all that they can do."""
        used = np.any([P.any(axis=1) for P in self.parts], axis=0)
        return used | ~(self.data.fit_intercept & self.data.tasks.constant_features)

    def feasible(self, new):
        """The new columns, changed as little as it takes for Omega to be finite."""
        return tuple(part[:, -1] for part in self.penalty.feasible(self.joined(w * self.kept for w in new)))

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


def held_gap(problem, new, duals, split=None, start=None, v=None):
    """The HeldGap of the new columns ``new``; ``duals`` [(K, d, T)] of every group are near a subgradient of the terms
    at the others, ``split`` (G, d) near the shares of the groups in ``z``, and ``v`` (n,) near subgradients of a loss
    with kinks.

    For any Z_k = [D_k, z_g] of dual norm 1 at most, with the z_g adding up to z, minus the gradient of the rest, the
    sums of the Fenchel gaps of the loss, the terms and the coupling bound what the objective is above its optimum.
    """
    data, penalty = problem.data, problem.penalty
    tasks, loss, c = data.tasks, data.loss, data.tasks.weight
    w, m, joined = sum(new), problem.ridge, problem.joined(new)
    raw = tasks.apply(w[:, None])
    b = data.best_intercept(raw, start)
    at = tasks.shift(raw, b)
    primal = data.value(at) + penalty.value(joined)
    v = balanced(data, loss.derivative(tasks.y, at) if v is None else loss.inside(tasks.y, np.where(c > 0, v, 0.0)))
    g = tasks.adjoint(-c * v)[:, 0]
    z = g - 2 * (m * w + problem.pull)
    shape = len(w), problem.parts[0].shape[1] + 1
    entries, out = penalty.free_entries(shape), penalty.left_out(shape)
    if entries is not None:
        if problem.penalty.positive:
            # Of what is zero, z may be negative.
            entries = entries & ((w > 0) | (z > 0))[:, None]
        coupled = (m * w + problem.pull)[:, None]
        v = in_domain(data, without_entries(data, at, v, coupled, np.zeros((1, 0)), entries[:, [-1]]))
        z = tasks.adjoint(-c * v)[:, 0] - 2 * coupled[:, 0]
        if np.any(np.abs(z) > 1e-7 * np.sqrt(data.design.squares[:, 0] * float(c @ v**2)), where=entries[:, -1]):
            return HeldGap(primal, np.inf, b, z)
    scale = loss.reach(tasks.y, np.where(c > 0, v, 0.0))
    if all(part is not None for part in problem.free):
        share = loss.fenchel_gap(tasks.y, at, scale * v)
        gap = float(c @ np.where(c > 0, share, 0.0))
        if m > 0:
            # (Of the coupling, m norm(w + pull / m)^2.)
            gap += m * float(np.sum(((1 - scale) * (w + problem.pull / m) - scale * z / (2 * m)) ** 2))
        return HeldGap(primal, float(not_below_zero(gap, abs(primal))), b, z)
    if entries is not None or out is not None:
        # What is not penalised has no subgradient, and what has to be zero any.
        none = (False if entries is None else entries[:, -1]) | (False if out is None else out[:, -1])
        z = np.where(none, 0.0, z)
    shares = _shared_out(problem, z, split, shape)
    squares = float(data.design.squares.max(initial=0.0))
    found = []
    for group, at_group, dual, z_g, part in zip(
        penalty.groups, penalty.seen(joined), duals, shares, problem.free, strict=True
    ):
        for k, (term, W) in enumerate(zip(group, at_group, strict=True)):
            if part is not None:
                Z = np.column_stack([dual[k], np.zeros(len(z))])
            else:
                Z = _without_free(term, np.column_stack([dual[k], z_g]))
            own, none = term.free_entries(shape), term.left_out(shape)
            if own is not None or none is not None:
                Z = np.where((False if own is None else own) | (False if none is None else none), 0.0, Z)
            taken = term.dual_part(Z)
            # (What a constraint does not take, where that is rounding.)
            Z = taken if np.abs(Z - taken).max(initial=0.0) <= 1e-12 * np.sqrt(squares * float(c @ v**2)) else Z
            found.append((term, W, Z))
            if term.is_norm:
                norm = term.dual_norm(Z)
                scale = min(scale, 1 / norm) if norm > 1 else scale if norm <= 1 else np.nan
    with np.errstate(invalid="ignore", over="ignore"):
        share = loss.fenchel_gap(tasks.y, at, scale * v)
    gap = float(c @ np.where(c > 0, share, 0.0))
    if m > 0:
        gap += (1 - scale) ** 2 * m * float(np.sum((w + problem.pull / m) ** 2))
    for term, W, Z in found:
        conjugate = 0.0 if term.is_norm else term.conjugate(scale * Z)
        gap += float(term.value(W)) + conjugate - scale * float(np.sum(W * Z))
    gap = float(not_below_zero(gap, abs(primal)))
    return HeldGap(primal, gap if np.isfinite(gap) else np.inf, b, z)


def _shared_out(problem, z, split, shape):
    """[z_g (d,)] of every group, near ``split``, that sum up to z; zero where the group does not see the new column."""
    groups = problem.penalty.groups
    if len(groups) == 1:
        return [z]
    blind = []
    for group, part in zip(groups, problem.free, strict=True):
        entries = free_entries_of(group, shape)
        blind.append((part is not None) | (np.zeros(len(z), dtype=bool) if entries is None else entries[:, -1]))
    split = np.zeros((len(groups), len(z))) if split is None else split
    shares = [np.where(none, 0.0, share) for none, share in zip(blind, split, strict=True)]
    rest = z - sum(shares)
    for g, none in enumerate(blind):
        taken = np.where(none, 0.0, rest)
        shares[g], rest = shares[g] + taken, rest - taken
    return shares


def _without_free(term, Z):
    """Z with other columns before its last one, so that it vanishes in the directions in which the term is constant;
    where these have to be positive, it may be negative."""
    free = term.free_tasks(Z.shape[1])
    if not free.shape[1]:
        return Z
    free = free.toarray() if issparse(free) else free
    left, last = Z @ free, free[-1]
    left = np.maximum(left, 0.0) if term.positive else left
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
    K, k = len(problem.parts), problem.part
    side, threshold = (_Loss if problem.loss.smooth else _SplitLoss)(problem.data), problem.threshold(tol)
    if (problem.loss.smooth or problem.ridge == 0) and all(part is not None for part in problem.free):
        zeros, v = [np.zeros(len(P)) for P in problem.parts], None
        if problem.ridge > 0:
            w = side.solve(-2 * problem.pull, 2 * problem.ridge, zeros[0])
        else:
            alone = Problem(problem.data, Canonical((), Nested(1, [0.0])))
            result = solve(alone, None, tol, max_iter, callback)
            w, v = result.W[:, 0], None if result.dual is None else result.dual.v
        new = problem.feasible(w if j == k else zeros[j] for j in range(K))
        found = held_gap(problem, new, None, v=v)
        status = Status.of(found.gap, threshold) or Status.STALLED
        return Result(new, found.intercept, found.primal, found.gap, 1, status)

    directions = _HeldDirections(problem, side)
    n_iter, history, best, since_better = 0, [], None, 0
    while True:
        n_iter += directions.run(min(CHECK_EVERY, max_iter - n_iter), 0.0)
        claims = []
        for claim in directions.claims():
            new = problem.feasible(claim)
            claims.append((held_gap(problem, new, directions.duals, directions.split, side.b, side.v), new))
        found, new = min(claims, key=lambda claim: claim[0].gap)
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

    group, young, tolerated = GROUP, YOUNG, CHEAP
    v = None  # subgradients other than the derivatives

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

    def state(self, rho):
        return np.zeros(0)

    def set_state(self, state, rho):
        pass


class _SplitLoss:
    """The same for a loss with kinks, which is split from w as in ``splitting``: one step of it at a time."""

    b = None

    def __init__(self, data):
        alone = Problem(data, Canonical((), Nested(1, [0.0])))
        self.inner, zero = LossItself(alone), np.zeros((data.shape[0], 1))
        self.inner.begin(zero, duality_gap(alone, (zero,)), Dual(v=data.pull))
        self.group, self.young, self.tolerated = self.inner.group, self.inner.young, self.inner.tolerated
        self.balance, self.state, self.set_state = self.inner.balance, self.inner.state, self.inner.set_state

    @property
    def v(self):
        return self.inner.dual.v

    def solve(self, right, shift, w):
        """The w of one iteration, for (shift/2) norm(w)^2 - right . w beside the predictions."""
        target = self.inner.target(w[:, None])
        w = self.inner.gram.solve(target + right[:, None], np.array([shift]))
        self.inner.step(w)
        return w[:, 0]


class _HeldDirections(Directions):
    """The iteration: V_k (d, T + 1) the proxes; on the other side all P_k, which stay, and W = w (d,); U their scaled
    duals.

    The U of a group are (d, K T + 1): the columns of all parts that are held, and the new one, which all parts share.
    """

    def __init__(self, problem, side):
        self.problem, self.side, self.duals = problem, side, []
        # (Where no term sees the new column, there is but the coupling.)
        alone = all(part is not None for part in problem.free)
        self.groups = () if alone else problem.penalty.groups
        self.counts = [len(group) for group in self.groups]
        self.held = [np.column_stack(at) for at in problem.penalty.seen(problem.parts)][: len(self.groups)]
        self.W = sum(P.mean(axis=1) for P in problem.parts)
        joined = problem.joined([P.mean(axis=1) for P in problem.parts])
        self.V = [np.stack(at) for at in problem.penalty.seen(joined)][: len(self.groups)]
        size = sum(float(np.sum(V**2)) for V in self.V)
        value = sum(sum(sizes) for sizes in problem.penalty.values(joined))
        rho = value / size if 0 < value < np.inf and size > 0 else self.top
        self.rho = np.full(len(self.groups), rho)
        self.U = [np.zeros((len(self.W), held.shape[1] + 1)) for held in self.held]
        self.age = 0
        self._begin_extrapolation()

    @property
    def top(self):
        data = self.problem.data
        return max(float(data.design.flat.top[0]) + 2 * self.problem.ridge, 1e-300)

    @property
    def split(self):
        return [-rho * u[:, -1] for rho, u in zip(self.rho, self.U, strict=True)]

    def claims(self):
        """[new columns] that may be the solution."""
        problem = self.problem
        if not self.groups:
            return [tuple(self.W if j == problem.part else 0 * self.W for j in range(len(problem.parts)))]
        if problem.free[0] is None and self.counts[0] > 1:
            return [tuple(self.V[0][:, :, -1])]
        zero = np.zeros(len(self.W))
        new = [V[:, :, -1].sum(axis=0) for V, part in zip(self.V, problem.free, strict=True) if part is None]
        if len(new) > 1:
            used = np.logical_and.reduce([w != 0 for w in new])
            new = [np.where(used, w, 0.0) for w in new] + new
        K, k = self.counts[0], problem.part or 0
        return [tuple(w if j == k else zero for j in range(K)) for w in new]

    def _step(self):
        problem, d = self.problem, len(self.W)
        right, shift, totals, relaxed = -2 * problem.pull, 2 * problem.ridge, [], []
        self.duals = []
        for g, (group, K, rho) in enumerate(zip(self.groups, self.counts, self.rho, strict=True)):
            V, U = self.V[g], self.U[g]
            held = (self.held[g] - U[:, :-1]).reshape(d, K, -1).transpose(1, 0, 2)
            move = (self.W - V[:, :, -1].sum(axis=0)) / K - U[:, -1]
            at = np.concatenate([held, V[:, :, -1:] + move[:, None]], axis=2)
            self.V[g] = np.stack([f.prox(q, 1 / rho) for f, q in zip(group, at, strict=True)])
            self.duals.append(rho * (at - self.V[g])[:, :, :-1])
            totals.append(np.column_stack([*self.V[g][:, :, :-1], self.V[g][:, :, -1].sum(axis=0)]))
            before = np.column_stack([self.held[g], self.W])
            relaxed.append(RELAXATION * totals[g] + (1 - RELAXATION) * before)
            right = right + rho / K * (relaxed[g][:, -1] + K * U[:, -1])
            shift = shift + rho / K
        self.W = self.side.solve(right, shift, self.W)
        for g, K in enumerate(self.counts):
            change = relaxed[g] - np.column_stack([self.held[g], self.W])
            change[:, -1] /= K
            self.U[g] = self.U[g] + change
        return totals

    def _residuals(self, totals, before):
        moved, primal, dual = np.linalg.norm(self.W - before), [], []
        for total, held, U, K in zip(totals, self.held, self.U, self.counts, strict=True):
            W = np.column_stack([held, self.W])
            size = max(np.linalg.norm(total), np.linalg.norm(W), 1e-300)
            primal.append(np.linalg.norm(total - W) / size)
            dual.append(moved / max(np.linalg.norm(U) * K, 1e-300))
        return (primal, dual) if self.groups else ([0.0], [np.inf])

    @property
    def _state(self):
        scale = np.sqrt(self.rho / self._unit)
        pieces = [self.side.state(self._unit), self.W]
        for s, V, U, K in zip(scale, self.V, self.U, self.counts, strict=True):
            pieces += [s * V.ravel(), s * U[:, :-1].ravel(), s * K * U[:, -1]]
        return np.concatenate(pieces)

    def _set_state(self, state):
        scale, d = np.sqrt(self.rho / self._unit), len(self.W)
        sizes = [size for V, U in zip(self.V, self.U, strict=True) for size in (V.size, U.size - d, d)]
        own, self.W, *pieces = np.split(state, np.cumsum([len(self.side.state(self._unit)), d, *sizes])[:-1])
        self.side.set_state(own, self._unit)
        for g, (s, K) in enumerate(zip(scale, self.counts, strict=True)):
            V, held, u = pieces[3 * g : 3 * g + 3]
            self.V[g] = V.reshape(self.V[g].shape) / s
            self.U[g] = np.column_stack([held.reshape(d, -1), u / K]) / s
