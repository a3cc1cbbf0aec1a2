"""What a part does in a round of ``_dual``: the best coefficients near to where it is told, from its own samples."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse

from ..certificate import Dual
from ..data import DataTerm
from ..penalties import RowNorm
from ..problem import Problem
from ..result import Result, Status
from ..solvers import solve
from ._parts import _pooled

LOCAL = 1e-12, 300  # tol and most iterations of the fit of a part


class Ground(NamedTuple):
    """Coordinates in which losses are alike in all directions: those of (x - middle) R, and of a constant feature.

    Attributes
    ----------
    R : ndarray of shape (d, d) or (d,)
        (d,): features count by themselves.
    middle : ndarray of shape (d,)
    ones : float
        The constant feature; 0 without intercepts.
    parts : ndarray of shape (T,)
        How many parts have samples of a task, at least 1.
    """

    R: np.ndarray
    middle: np.ndarray
    ones: float
    parts: np.ndarray

    def tasks(self, tasks):
        """The same Tasks in these coordinates."""
        X, R = tasks.X, self.R
        if issparse(X) and R.ndim == 1 and not self.ones:
            return replace(tasks, X=X.multiply(R).tocsc())
        X = (X.toarray() if issparse(X) else X) - self.middle
        X = X * R if R.ndim == 1 else X @ R
        if self.ones:
            X = np.concatenate([X, np.full((len(X), 1), self.ones)], axis=1)
        return replace(tasks, X=np.asfortranarray(X))


class Memory(NamedTuple):
    """What a part has from one round to the next, k tasks in d' coordinates.

    Attributes
    ----------
    ground : Ground
    s, move, U : ndarray of shape (d', k)
        Where it is, by how much it would move, and what fits its samples.
    v, give : ndarray of shape (N,)
        Dual variables, and how easily they move.
    turns, ends : ndarray of shape (m, d', k)
        By what ``move``, and ``s + move``, have changed in the last rounds.
    """

    ground: Ground
    s: np.ndarray
    move: np.ndarray
    U: np.ndarray
    v: np.ndarray
    give: np.ndarray
    turns: np.ndarray
    ends: np.ndarray


def grounds(part, T):
    """((T,) whether there are samples of a task, (T,) weights, (d, T) sums of features, (1,) whether X is sparse)."""
    tasks = part.term.tasks
    found, mass, sums = np.zeros(T), np.zeros(T), np.zeros((tasks.n_features, T))
    found[part.left], mass[part.left], sums[:, part.left] = tasks.mass > 0, tasks.mass, tasks.adjoint(tasks.weight)
    return found, mass, sums, np.array([float(tasks.is_sparse)])


def spread(part, middle, whole):
    """(d, d) products of the features about their ``middle`` (d,), or (d,) their squares."""
    tasks, T = part.term.tasks, len(part.left)
    if whole:
        everywhere = np.broadcast_to(middle[:, None], (len(middle), T))
        return _pooled(part._replace(left=np.arange(T)), everywhere)
    squares = tasks.curvature(tasks.weight).sum(axis=1)
    return squares - middle * (2 * tasks.adjoint(tasks.weight).sum(axis=1) - middle * tasks.mass.sum())


def levels(part, B):
    """(q, T) the loss of every task at W = 0 and each of the intercepts B (q, T)."""
    tasks, out = part.term.tasks, np.zeros(B.shape)
    for k, b in enumerate(B[:, part.left]):
        z = tasks.shift(np.zeros(len(tasks.y)), b)
        with np.errstate(over="ignore", invalid="ignore"):
            losses = part.term.loss.value(tasks.y, z)
        out[k, part.left] = tasks.sum(np.where(tasks.weight > 0, tasks.weight * losses, 0.0))
    return out


def ascended(part, memory, ground, W, told, mix):
    """One round.

    Parameters
    ----------
    part : Part
    memory : Memory or None
    ground : tuple
        A Ground, the first time.
    W : ndarray of shape (d', T)
    told : ndarray of shape (4,)
        The weight of the metric, by what s is scaled about W, where the last move is kept, and whether it is not.
    mix : ndarray of shape (m,)
        What is taken off of the last changes.

    Returns
    -------
    Memory
    message : tuple
        (3,) the loss at W, the Fenchel gaps there of the dual variables before, and the squared length of the move;
        (2, m) products of the changes with the last one and with the move; (d', T) Z; (T,) how easily the sums of
        dual variables move.
    """
    weight, scale, slot, fresh = told
    left, term = part.left, part.term
    ground = Ground(*ground) if memory is None else memory.ground
    tasks, c, near = ground.tasks(term.tasks), term.tasks.weight, weight / ground.parts[left]
    T, W = W.shape[1], W[:, left]
    z = tasks.shift(tasks.apply(W), np.zeros(len(left)))
    value, fenchel = term.value(z), 0.0
    if memory is None:
        s, turns, ends = np.zeros(W.shape), np.zeros((len(mix), *W.shape)), np.zeros((len(mix), *W.shape))
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            fenchel = tasks.total(term.loss.fenchel_gap(tasks.y, z, memory.v))
        turns, ends = memory.turns, memory.ends
        s = memory.s + memory.move - np.tensordot(mix, ends, axes=1)
        s = W + scale * (s - W)
    v, give = _best(part, tasks, 2 * W - s, near, memory)
    Z = tasks.adjoint(-c * v)
    move = W - s + Z / near
    if not fresh:
        turns, ends, k = turns.copy(), ends.copy(), int(slot)
        turns[k], ends[k] = move - memory.move, s + move - memory.s - memory.move
    by_part = 1 / ground.parts[left]
    products = np.array([np.tensordot(turns, of * by_part, axes=2) for of in (turns[int(slot)], move)])
    out, room = np.zeros((len(W), T)), np.zeros(T)
    out[:, left], room[left] = Z, tasks.sum(c * give)
    told = np.array([value, fenchel, np.sum(move**2 * by_part)])
    return Memory(ground, s, move, W + move, v, give, turns, ends), (told, products, out, room)


def _best(part, tasks, anchor, near, memory):
    """(v, give), each (N,), of the coefficients U that minimise the loss + sum_t near_t / 2 norm(u_t - anchor_t)^2."""
    loss, c = part.term.loss, tasks.weight
    shift = tasks.apply(anchor)
    offset = np.where(c > 0, shift + (0.0 if tasks.offset is None else tasks.offset), 0.0)
    own = DataTerm(replace(tasks, offset=offset, weight=c / tasks.spread(near)), part.loss, False)
    penalty = RowNorm(1.0, l1_ratio=0.0).resolve(tasks.n_features, np.arange(tasks.n_tasks))
    start = None
    if memory is not None:
        dual = None if part.loss.smooth else Dual(v=memory.v)
        start = Result((memory.U - anchor,), None, np.inf, np.inf, 0, Status.CONVERGED, dual=dual)
    found = solve(Problem(own, penalty), start, *LOCAL)
    if found.dual is not None and found.dual.v is not None:
        z, v = None, loss.inside(tasks.y, np.where(c > 0, found.dual.v, 0.0))
    else:
        at = tasks.apply(found.W) if found.dual is None or found.dual.at is None else found.dual.at
        z = np.where(c > 0, at + shift, 0.0)
        v = loss.derivative(tasks.y, z)
    v = np.where(c > 0, v, 0.0)
    return v, np.where(c > 0, loss.give(tasks.y, z, v), 0.0)


def balanced(part, memory, W, move, up, down):
    """(Memory, ((2,) the loss at W and the Fenchel gaps of the dual variables that have moved, (2, T) sums of the
    positive ones and of the others, (d', T) Z)).

    They go as far as they give to ``move`` (T,), and then the positive ones are shrunk by ``up`` (T,), the others by
    ``down``.
    """
    term, left, T = part.term, part.left, W.shape[1]
    tasks, c = memory.ground.tasks(term.tasks), term.tasks.weight
    v = term.loss.inside(tasks.y, memory.v + memory.give * tasks.spread(move[left]))
    v = np.where(c > 0, v * np.where(v > 0, tasks.spread(up[left]), tasks.spread(down[left])), 0.0)
    z = tasks.shift(tasks.apply(W[:, left]), np.zeros(len(left)))
    with np.errstate(over="ignore", invalid="ignore"):
        fenchel = tasks.total(term.loss.fenchel_gap(tasks.y, z, v))
    sums, Z = np.zeros((2, T)), np.zeros((len(W), T))
    sums[:, left] = tasks.sum(c * np.maximum(v, 0)), tasks.sum(c * np.maximum(-v, 0))
    Z[:, left] = tasks.adjoint(-c * v)
    return memory, (np.array([term.value(z), fenchel]), sums, Z)


ASKED = {"convexmtl-ground": grounds, "convexmtl-spread": spread, "convexmtl-levels": levels}
UPDATED = {"convexmtl-ascent": ascended, "convexmtl-balanced": balanced}
