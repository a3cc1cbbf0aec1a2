"""Dual variables in rounds: every part fits its own samples, and what ties the tasks together is done here.

Every part has coefficients U of its own, for the tasks that it has samples of, and all of them are to equal W. In a
round (Douglas and Rachford's splitting) every part is told W and finds the U that are best for its samples and near to
2 W - s, where s is what it remembers: by ascent in the dual variables of its samples, which are the derivatives of its
loss there, and lie where the conjugates are finite, for any loss, with kinks too. W is then what is best for the
penalty and near to the mean of the s. So a coupling, and relationships that are learned with it, are minimised over
exactly and here, however many parts share a task; and an intercept is a coefficient more that nothing penalises.

Near is meant in one metric, that of the features pooled over all tasks; and the s move by Anderson's extrapolation
(Fu, Zhang, Boyd 2020, SIAM J. Sci. Comput.): parts keep their last moves, tell products of these, a few numbers, and
are told in which proportions to take them. Messages have d T numbers each way.

The dual variables of a round prove a bound as they are without intercepts. With them they have to balance in every
task, for which they are moved, or shrunk, in a round of its own, where little is left.
"""

from functools import partial

import numpy as np

from ..coupling import Graph, Nested
from ..inverses import Semidefinite
from ..problem import Problem
from ..result import Result, Status
from ..solvers import solve
from ..solvers.direct import Components, Sylvester
from ._gradient import _intercepts, _Metric, _Slopes, _slopes
from ._multipliers import multiplied
from ._newton import Ask, RemoteTerm

MEMORY, ROOM = 20, 2**25  # moves that are kept, and numbers that they may have
REGULAR = 1e-12  # of the sum of their squares, that is added to each
WILDEST = 1e4  # largest share of a move
GROWN = 2.0  # length of a move, beside the shortest one, from which it is not extrapolated
WIDE, NARROW = 2000, 100  # features beyond which each counts by itself in the metric, of arrays and of sparse X
LEAST = 1e-3  # of the largest curvature of the metric, which all others have at least
APART = 3.0  # factor by which the weight of the metric may be off
EVERY, LONGER, LAST = 8, 16, 80  # rounds until that is looked at, those from then on, and the last one
CENTRAL = 1e-13, 2000  # tol and most iterations of a step of the penalty
CURVED = 4e9  # bytes of the statistics of losses with kinks that are exchanged
PATIENCE = 200  # rounds without a smaller gap
AGAIN = 5  # rounds between two attempts to prove a bound
BALANCE = 1e-12  # share of dual variables that is rounding in a task
POWERS, FINER = np.arange(-10, 21), np.linspace(-1, 1, 65)  # intercepts at which losses with kinks are looked at
LEVELS = 4  # rounds of the finer ones


def dual_ascent(penalty, loss, shape, counted, fit_intercept, fixed, tol, max_iter, callback=None, start=None):
    """As ``fitted`` of prox-Newton's method."""
    T = shape[1]
    b = np.zeros(T) if fixed is None else np.where(counted, 0.0, fixed)
    if fit_intercept and counted.any():
        b = (yield from _intercepts(b, counted)) if loss.smooth else np.where(counted, (yield from _levels(T)), b)
    if not loss.smooth and 8 * T * shape[0] ** 2 <= CURVED:
        metric = _Metric(np.eye(shape[0]), np.zeros(shape), False, None)
        of_penalty = partial(_of_penalty, penalty)
        more = tol, max_iter, callback, b, of_penalty
        return (yield from multiplied(penalty, metric, counted, fit_intercept, fixed, *more))
    conjugates, rounding = yield Ask("convexmtl-floor")
    ground = yield from _ground(shape, counted, fit_intercept)
    metric = _Metric(ground.G, np.zeros(shape), False, None)
    first = yield from _slopes(metric, np.zeros(shape), b)
    gain = max(first.value + conjugates, 0.0)
    rest = {"trivial": (first.value, b), "conjugates": conjugates, "gain": gain, "rounding": rounding}
    at_zero = RemoteTerm.of(metric.model(first, 1.0).tasks, fit_intercept, fixed, first.value, rest)
    threshold = at_zero.threshold(tol)
    ascent = _Ascent(penalty, metric, counted, ground, loss, first, rounding)
    lower, best, history, n_iter, stalls, waited, status = -conjugates, None, [], 0, 0, AGAIN, None
    near = np.inf
    while status is None:
        ascent.advance()
        proven, waited = np.inf, waited + 1
        # (The last one as well, whatever it is.)
        due = near <= threshold and waited >= AGAIN
        if ground.ones and n_iter and (due or n_iter >= max_iter):
            proven, waited = (yield from ascent.balanced()), 0
        primal, near = yield from ascent.round()
        if n_iter and not ground.ones:
            proven = near
        lower = max(lower, primal - proven)
        gap = min(proven, max(primal - lower, 0.0))
        history.append((n_iter, primal, gap))
        if callback is not None:
            callback(*history[-1])
        stalls = 0 if best is None or gap < best[0] else stalls + 1
        if best is None or gap < best[0]:
            best = gap, primal, ascent.at
        status = Status.of(gap, threshold) or (Status.OUT_OF_ITERATIONS if n_iter >= max_iter else None)
        if status is None and stalls >= PATIENCE:
            status = Status.STALLED
        n_iter += 1
    gap, primal, (W, turned) = best
    b = np.where(counted, turned, b) if fit_intercept else b
    return Result((W,), b, primal, gap, n_iter - 1, status, history), at_zero


def _levels(T):
    """(T,) the best intercepts at W = 0 of losses with kinks."""
    powers = 2.0**POWERS
    B = np.broadcast_to(np.concatenate([-powers[::-1], [0.0], powers])[:, None], (2 * len(powers) + 1, T))
    for _ in range(LEVELS):
        found = yield Ask("convexmtl-levels", (B,))
        at, every = np.argmin(found, axis=0), np.arange(T)
        b = B[at, every]
        ends = [abs(B[np.clip(at + k, 0, len(B) - 1), every] - b) for k in (-1, 1)]
        width = np.maximum(*ends)
        B = b + width * FINER[:, None]
    return b


class _Coordinates:
    """The Ground, and the way back from its coordinates (d', T) to W and b."""

    def __init__(self, spread, middle, ones, parts, total):
        diagonal = np.diag(spread) if spread.ndim == 2 else spread
        size = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
        if spread.ndim == 2:
            values, vectors = np.linalg.eigh(spread / np.outer(size, size))
            roots = np.sqrt(np.maximum(values, LEAST * max(values[-1], 1e-300)))
            self.R, self.back = (vectors / roots) / size[:, None], (vectors * roots).T * size
            self.G = self.back.T @ self.back
        else:
            self.R, self.back, self.G = 1 / size, size, np.diag(size**2)
        self.middle, self.ones, self.parts, self.total = middle, ones, np.maximum(parts, 1), total

    @property
    def told(self):
        return self.R, self.middle, self.ones, self.parts

    def inside(self, W):
        """W (d, T) in these coordinates."""
        return self.back[:, None] * W if self.back.ndim == 1 else self.back @ W

    def outside(self, V):
        """W (d, T) of these coordinates."""
        return self.R[:, None] * V if self.R.ndim == 1 else self.R @ V

    def of_features(self, Z):
        """Z (d, T) of the features, of that of these coordinates."""
        return self.back[:, None] * Z if self.back.ndim == 1 else self.back.T @ Z


def _ground(shape, counted, fit_intercept):
    d, T = shape
    parts, mass, sums, (sparse,) = yield Ask("convexmtl-ground", (T,))
    total, tasks = max(mass.sum(), 1e-300), max(int(np.sum(counted)), 1)
    whole = d <= (NARROW if sparse else WIDE)
    middle = sums.sum(axis=1) / total if fit_intercept else np.zeros(d)
    spread = yield Ask("convexmtl-spread", (middle, whole))
    # (Of a task in the mean.)
    return _Coordinates(spread / tasks, middle, np.sqrt(tasks / total) if fit_intercept else 0.0, parts, total)


class _Ascent:
    """Where the parts are in the mean, s (d', T), and what they are told next."""

    def __init__(self, penalty, metric, counted, ground, loss, first, rounding):
        shape = metric.means.shape
        (d, T), extra = shape, int(ground.ones > 0)
        self.penalty, self.ground, self.d = penalty, ground, d
        self.central = _Central(penalty, metric)
        if loss.smooth:
            self.weight = max(float(first.curvature.sum()) / ground.total, 1e-12)
        else:
            # Slopes in units of targets.
            self.weight = 1 / max(np.sqrt(rounding / ground.total), 1e-12)
        size = int(np.clip(ROOM // max(1, (d + extra) * T), 3, MEMORY))
        self.s, self.move, self.Z = np.zeros((3, d + extra, T))
        self.turns, self.ends = np.zeros((2, size, d + extra, T))
        # (Of tasks without samples it is here that moves are made.)
        self.own, self.room, self.dual = (~counted).astype(float), np.zeros(T), None
        self.rounds, self.looked = 0, 0
        self._forget()

    def _forget(self):
        self.gram, self.mix = np.zeros((len(self.turns),) * 2), np.zeros(len(self.turns))
        self.kept, self.shortest, self.fresh = 0, np.inf, True

    def advance(self):
        """To the next W, for what the parts have answered last."""
        self.scale = 1.0
        if self.rounds:
            self.s = self.s + self.move - np.tensordot(self.mix, self.ends, axes=1)
        W = self.central(self.ground.outside(self.s[: self.d]), self.weight)
        self.inside, b = self.ground.inside(W), np.zeros(W.shape[1])
        if self.ground.ones:
            self.inside = np.concatenate([self.inside, self.s[self.d :]])
            b = self.ground.ones * self.s[self.d] - self.ground.middle @ W
        self.at = W, b
        since = self.rounds - self.looked
        if self.rounds < LAST and since >= (LONGER if self.looked else EVERY):
            self._weigh()

    def _weigh(self):
        """Take the weight of the metric for which W and Z would be of one size, half way, where it is another one."""
        sizes = [np.linalg.norm(of[: self.d]) for of in (self.Z, self.inside)]
        wanted = np.sqrt(self.weight * sizes[0] / sizes[1]) if min(sizes) > 0 else self.weight
        if 1 / APART < wanted / self.weight < APART:
            return
        self.scale, self.weight, self.looked = self.weight / wanted, wanted, self.rounds
        self.s = self.inside + self.scale * (self.s - self.inside)
        self._forget()

    def round(self):
        """(the objective at W, the gap there of the dual variables before, as far as they balance)."""
        size = len(self.turns)
        slot, fresh = self.kept % size, self.fresh
        told = np.array([self.weight, self.scale, slot, fresh])
        message = yield Ask("convexmtl-ascent", (() if self.rounds else self.ground.told, self.inside, told, self.mix))
        (value, fenchel, length), products, Z, self.room = message
        W = self.at[0]
        objective = value + self.penalty.value((W,))
        gap = np.inf if self.dual is None else fenchel + _of_penalty(self.penalty, W, self.dual)
        move = self.inside - self.s + Z / self.weight
        own = self.own * move
        length += float(np.sum(own**2))
        if not fresh:
            self.turns[slot], self.ends[slot] = move - self.move, self.s + move - self.before
            for k, of in enumerate((self.own * self.turns[slot], own)):
                products[k] += np.tensordot(self.turns, of, axes=2)
            self.gram[slot] = self.gram[:, slot] = products[0]
            self.kept += 1
        self.move, self.before, self.Z, self.fresh = move, self.s + move, Z, False
        self.dual = self.ground.of_features(Z[: self.d])
        self.rounds += 1
        self._mix(products[1], np.sqrt(length))
        return objective, gap

    def _mix(self, along, length):
        """In which proportions the last changes are taken off: such that the next move would be shortest."""
        self.mix = np.zeros(len(self.turns))
        some = slice(0, min(self.kept, len(self.turns)))
        longer, self.shortest = length > GROWN * self.shortest, min(self.shortest, length)
        trace = np.trace(self.gram[some, some])
        if longer or not trace > 0:
            return
        damped = self.gram[some, some] + REGULAR * trace * np.eye(some.stop)
        found = np.linalg.lstsq(damped, along[some], rcond=None)[0]
        if np.abs(found).max() < WILDEST:
            self.mix[some] = found
        else:
            self._forget()

    def balanced(self):
        """The gap at W of the dual variables, after what has to balance does."""
        T = len(self.own)
        away = -self.Z[self.d] / self.ground.ones
        step = np.divide(-away, self.room, out=np.zeros(T), where=self.room > 0)
        for move in (step, np.zeros(T)):
            up = down = np.ones(T)
            for _ in range(2):
                (_, fenchel), sums, Z = yield Ask("convexmtl-balanced", (self.inside, move, up, down))
                if not np.isfinite(fenchel) or np.all(abs(sums[0] - sums[1]) <= BALANCE * (sums[0] + sums[1])):
                    break
                least = sums.min(axis=0)
                up, down = (np.divide(least, of, out=np.ones(T), where=of > 0) for of in sums)
            else:
                continue
            if np.isfinite(fenchel):
                return fenchel + _of_penalty(self.penalty, self.at[0], self.ground.of_features(Z[: self.d]))
        return np.inf


def _of_penalty(penalty, W, Z):
    """What the penalty adds to the gap."""
    if not penalty.terms:
        return penalty.value((W,)) + penalty.coupling.conjugate(Z) - float(np.sum(W * Z))
    (term,) = penalty.terms
    Z = Z - 2 * penalty.coupling.apply(W)
    return term.value(W) + term.conjugate(Z) - float(np.sum(W * Z))


class _Central:
    """W that minimises the penalty + weight / 2 tr((W - S)' G (W - S)), for any S (d, T)."""

    def __init__(self, penalty, metric):
        self.penalty, self.metric, self.G = penalty, metric, Semidefinite(metric.G)
        self.weight = self.last = None

    def __call__(self, S, weight):
        if self.penalty.terms:
            at = _Slopes(S, np.zeros(S.shape[1]), 0.0, np.zeros(S.shape), *np.zeros((3, S.shape[1])))
            problem = Problem(self.metric.model(at, weight), self.penalty)
            self.last = solve(problem, self.last, *CENTRAL)
            return self.last.W
        if weight != self.weight:
            self.weight, self.solve = weight, self._solver(weight)
        return self.solve(weight * (self.G.G @ S))

    def _solver(self, weight):
        coupling, T = self.penalty.coupling, self.penalty.coupling.n_tasks
        if isinstance(coupling, Nested):
            return Components(self.G, weight, coupling)
        if isinstance(coupling, Graph):
            return self._along_graph(weight, coupling.scaled(2.0))
        return Sylvester(self.G, np.full(T, weight), coupling.matrix())

    def _along_graph(self, weight, coupling):
        """Each direction in which G bends on its own, with a sparse matrix of the tasks."""
        values, P = self.G.spectrum
        shifted = [coupling.shifted(weight * value) for value in values]

        def solved(R):
            turned = P.T @ R
            return P @ np.concatenate([one.solve(turned[k : k + 1]) for k, one in enumerate(shifted)])

        return solved


def require_dual(estimator, canonical, T):
    """Raise a ValueError for what has no such dual."""
    learned = len(canonical.terms) == 1 and hasattr(canonical.terms[0], "majorised")
    if not learned and (canonical.terms or not canonical.coupling.lowest > 0):
        raise ValueError(
            f"method='dual' is for quadratic couplings that leave no direction free, and for learned relationships, "
            f"not for {estimator._penalty()!r}: use method='newton'."
        )
