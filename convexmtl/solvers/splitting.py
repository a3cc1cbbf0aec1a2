"""Alternating directions: exact solutions of the quadratic model on one side, proxes on the other.

Penalties that are summed on one W have a copy of it each, and a scaled dual variable each.

The quadratic side is factored once, so that an iteration costs what one of proximal gradient does; but
tasks and features of unequal scale, which proximal gradient pays for with its one step size, cost nothing.
Losses other than the squared one get prox-Newton outside, at first with the mean curvature of every task,
for which nothing needs to be factored again.
"""

import numpy as np

from ..certificate import Dual, duality_gap
from ..penalties._sums import Sharing
from ..result import Result, Status
from ._anderson import Extrapolation
from ._line_search import line_search
from ._patience import MORE, hopeless
from ._sides import RELAXATION, Following, LossItself, Model, factor_of

CHECK_EVERY = 5
SLOW = 0.3  # a step that leaves more than this share of the gap calls for a model with the curvature of its point
FOLLOWED = 60  # iterations after which a model is to be solved before it changes, where as many again will not do
INNER = 300  # iterations for one quadratic model of a loss that is not quadratic
FIRST = 0.1  # of the largest curvature: the first weight of every group
LEAST, MOST = 1e-12, 1e6  # the same, of any weight: below is the model's rounding, above nothing would move
UNSEEN = 15  # iterations within which no gap is looked at while the sides are far apart
FAR = 100.0  # times the gap that is wanted; a gap has been at least a twentieth of the square of what they are apart
PATIENCE = 200  # iterations after which twice that ratio is borne: a weight that changes for ever keeps its sides apart


def applies(problem):
    """Whether the quadratic model can be factored: no coupling off the diagonal, and matrices that fit. Or nothing else
    can: several penalties on one W have no prox together, and a loss with kinks has no model."""
    if problem.penalty.whole or not problem.loss.smooth:
        return True
    if not problem.loss.by_column:
        return problem.data.design.fits(flat=True)
    return problem.penalty.coupling.is_diagonal and problem.data.design.fits(flat=problem.loss.quadratic)


def _has_no_model(loss):
    """Whether a loss has none that is near it: for its kinks, or since columns of W move each other."""
    return not (loss.smooth and loss.by_column)


def solve(problem, start=None, tol=1e-4, max_iter=10_000, callback=None, patience=np.inf, split_loss=False):
    """See ``convexmtl.solvers.solve``. One iteration is one prox of every part, and of the loss where that is split."""
    # (The loss is its own model then.)
    direct = problem.loss.quadratic or split_loss or _has_no_model(problem.loss)
    follows = not direct and problem.loss.curvature is not None
    threshold = problem.threshold(tol)
    start = Result(problem.zeros(), None, np.inf, np.inf, 0, None) if start is None else start
    # (Zeros, or where a path leads on, may be outside of what constraints allow.)
    parts = problem.penalty.feasible(start.parts)
    known = [start.dual, None]
    if not problem.loss.smooth and not any(np.any(part) for part in parts):
        known.insert(0, Dual(v=problem.data.pull))
    parts, certificate, dual = _best(problem, [(parts, dual) for dual in known], start.intercept)
    directions, model, flat, n_iter, since_better, history = None, None, True, 0, 0, []
    rho, best = start.rho, (certificate, parts, dual)

    while True:
        history.append((n_iter, certificate.primal, certificate.gap))
        if callback is not None:
            callback(*history[-1])
        status = Status.of(certificate.gap, threshold)
        if status is not None:
            break
        if n_iter >= max_iter or hopeless(history, threshold, patience, MORE if problem.loss.smooth else 1):
            status = Status.OUT_OF_ITERATIONS
            break
        if since_better > (1000 if direct or follows else 10):
            status = Status.STALLED
            break
        left = max_iter - n_iter
        if follows and hopeless(history, threshold, FOLLOWED, 1):
            follows, directions = False, None
            certificate, parts, dual = best
        if direct or follows:
            if directions is None:
                if follows:
                    side = Following(problem, certificate.z)
                elif problem.loss.quadratic:
                    side = Model(problem, problem.data.gram(certificate.z, flat))
                else:
                    side = LossItself(problem)
                directions = Directions(problem, parts, certificate, side, rho, dual=dual)
            n_iter += directions.run(min(CHECK_EVERY, left), 0.0)
            while n_iter < max_iter and directions.is_far(threshold / problem.data.gain if problem.data.gain else 0.0):
                n_iter += directions.run(min(CHECK_EVERY, max_iter - n_iter), 0.0)
            parts, certificate, dual = directions.claimed(certificate.intercept, threshold)
        else:
            slow = model is not None and certificate.gap > SLOW * history[-2][2]
            if model is None or slow:
                flat = flat and not slow
                model = problem.data.gram(certificate.z, flat)
            U = None if directions is None else directions.U
            directions = Directions(problem, parts, certificate, Model(problem, model), rho, U, dual)
            n_iter += directions.run(min(INNER, left), 0.1)
            dual = Dual(split=directions.split)
            claims = (claim for _, claim in directions.claims())
            found = [line_search(problem, parts, claim, certificate, dual) for claim in claims]
            parts, certificate = min(found, key=lambda pair: pair[1].primal)
        rho = directions.rho
        # A gap that does not move any more has reached rounding.
        since_better = 0 if certificate.gap < 0.999 * best[0].gap else since_better + 1
        if not certificate.gap >= best[0].gap:
            best = certificate, parts, dual

    certificate, parts, dual = best
    return Result(
        parts, certificate.intercept, certificate.primal, certificate.gap, n_iter, status, history, dual=dual, rho=rho
    )


def _best(problem, claims, intercept):
    """(parts, certificate, dual) of the (parts, dual) with the smallest gap; those without dual variables come last."""
    found = []
    for parts, dual in claims:
        if dual is not None or not found:
            found.append((parts, duality_gap(problem, parts, start=intercept, dual=dual), dual))
    return min(found, key=lambda claim: claim[1].gap)


def claims_of(problem, V, W):
    """[(name, parts)] that may be the solution, those with most zeros first: nothing at all, W as every group has
    it (V, the parts in every group) with the zeros of all of them, or without; W itself where there is no group. Where
    there are parts, only their own group says how W is split.
    """
    groups = problem.penalty.groups
    if not groups:
        return [("W", (W,))]
    totals = [of.sum(axis=0) for of in V]
    own = [(0, tuple(V[0]))] if len(V[0]) > 1 else [(g, (total,)) for g, total in enumerate(totals)]
    if len(totals) == 1:
        return own
    used = np.logical_and.reduce([total != 0 for total in totals])
    # (Zeros of rows leave a rank what it is.)
    zeros = [
        ((g, "zeros"), tuple(np.where(used, part, 0.0) for part in parts))
        for g, parts in own
        if not np.array_equal(used, totals[g] != 0)
    ]
    nothing = [("nothing", problem.zeros())]
    patterns = [(term, of) for (term, *rest), of in zip(groups, totals, strict=True) if not rest and term.folds]
    alike = []
    if len(V[0]) == 1 and len(patterns) > 1:
        W = totals[0]
        for term, of in patterns:
            W = term.along(W, of)
        alike = [("patterns", (W,))]
    return [(name, problem.penalty.feasible(parts)) for name, parts in (*nothing, *zeros, *alike, *own)]


class Directions:
    """The iteration: V the parts of W in every group of the penalty, W on the quadratic side, U the scaled duals.

    The quadratic side is that of the ``side``, plus the coupling. In every group the parts share what their sum lacks
    of W; ``rho`` has the weight of each group, and U (G, d, T) its dual variables.
    """

    def __init__(self, problem, parts, certificate, side, rho=None, U=None, dual=None):
        self.problem, self.groups, self.side = problem, problem.penalty.groups, side
        self.counts = [len(group) for group in self.groups]
        self.coupling = problem.penalty.coupling
        self.ridge = 2 * self.coupling.diagonal
        self.W = sum(parts)
        self.V = [np.stack(at) for at in problem.penalty.seen(parts)]
        self.factored = None
        side.begin(self.W, certificate, dual)
        G = len(self.groups)
        if rho is None or np.shape(rho) != (G,):
            self.rho = np.full(G, max(FIRST * self.top, 1e-300))
        else:
            self.rho = np.clip(rho, LEAST * self.top, MOST * self.top)
        if U is None:
            # (At the solution the parts are the proxes of what the gradient pulls them to.)
            split = None if dual is None else dual.split
            shares, _ = Sharing(self.groups, self.W.shape)(certificate.Z, split)
            U = [-share / rho for share, rho in zip(shares, self.rho, strict=False)]
        self.U = list(U)
        self.apart = np.inf
        self.age, self.favourite, self.turn, self.something = 0, 0, 0, False
        self._begin_extrapolation()

    @property
    def top(self):
        return float((self.side.gram.top + self.ridge).max())

    @property
    def split(self):
        """(G, d, T) shares of minus the gradient, or None where there is one group."""
        return -np.stack([rho * u for rho, u in zip(self.rho, self.U, strict=True)]) if len(self.U) > 1 else None

    def is_far(self, tol):
        """Whether the sides are still so far apart that a gap of tol, beside what there is to gain, is out of question.

        (At the solution zero they may be for ever. Where there are several claims, all get their turns.)
        """
        return len(self.groups) == 1 and self.age < UNSEEN and self.apart**2 > FAR * tol

    def claims(self):
        return claims_of(self.problem, self.V, self.W)

    def claimed(self, intercept, threshold):
        """(parts, certificate, dual) of the claim that is certified, or best; one beside the last best one is tried."""
        claims = dict(self.claims())
        if self.something:
            del claims["nothing"]
        names = list(claims)
        self.turn += 1
        tried = [self.favourite if self.favourite in claims else names[0], names[self.turn % len(names)]]
        found = {}
        for name in dict.fromkeys(tried):
            found[name] = self._certified(claims[name], intercept, threshold)
        if min(claim[1].gap for claim in found.values()) <= threshold:
            # The first that is good enough: those with most zeros come first.
            for name in names:
                if name not in found:
                    found[name] = self._certified(claims[name], intercept, threshold)
            self.favourite = next(name for name in names if found[name][1].gap <= threshold)
        else:
            self.favourite = min(found, key=lambda name: found[name][1].gap)
        # Where no dual variables but those of the claims are known, what has been said of nothing holds for good.
        self.something = self.something or ("nothing" in found and self.split is None and self.side.dual is None)
        return found[self.favourite]

    def _certified(self, parts, intercept, threshold):
        split, own = self.split, self.side.dual
        better = None if own is None else own._replace(split=split)
        if not self.problem.loss.smooth and self.problem.loss.by_sample:
            # (The derivatives of a loss with kinks say next to nothing of its subgradients.)
            return parts, duality_gap(self.problem, parts, start=intercept, dual=better), better
        dual = None if split is None else Dual(split=split)
        certificate = duality_gap(self.problem, parts, start=intercept, dual=dual)
        if better is not None and certificate.gap > threshold:
            other = duality_gap(self.problem, parts, start=certificate.intercept, dual=better)
            if other.gap < certificate.gap:
                return parts, other, better
        return parts, certificate, dual

    def run(self, n, shrink):
        """At most n iterations, fewer when all residuals have shrunk by a factor; returns their number."""
        first = None
        for i in range(1, n + 1):
            before, checked = self.W, i % CHECK_EVERY == 0 or i == n
            totals = self._step()
            # (What a check or the caller sees comes from a step, not from an extrapolation.)
            self.age += 1
            if (self.age > self.side.young and not self._go_ahead(jump=not checked)) or not checked:
                continue
            tolerated = self.side.tolerated * (1 + self.age / PATIENCE)
            primal, dual = self._residuals(totals, before)
            self._balance(primal, dual, tolerated)
            if self.side.balance(tolerated):
                self.extrapolation.forget()
            largest = self.apart = max(*primal, *dual, 0.0)
            first = largest if first is None else first
            if i > CHECK_EVERY and largest <= shrink * min(first, 0.1):
                return i
        return n

    def _residuals(self, totals, before):
        """(how far every group's sum is from W, how far W has moved), each (G,) and relative."""
        size, moved = np.linalg.norm(self.W), np.linalg.norm(self.W - before)
        primal = [np.linalg.norm(V - self.W) / max(np.linalg.norm(V), size, 1e-300) for V in totals]
        dual = [moved / max(np.linalg.norm(U) * K, 1e-300) for U, K in zip(self.U, self.counts, strict=True)]
        return (primal, dual) if self.groups else ([0.0], [np.inf])

    def _step(self):
        """One iteration; returns the sums of the parts of every group."""
        right, shift, totals, relaxed = self.side.target(self.W), 0.0, [], []
        for g, (group, K, rho) in enumerate(zip(self.groups, self.counts, self.rho, strict=True)):
            # Sharing: every part answers for the same K-th of what is missing.
            move = (self.W - self.V[g].sum(axis=0)) / K - self.U[g]
            self.V[g] = np.stack([f.prox(V + move, 1 / rho) for f, V in zip(group, self.V[g], strict=True)])
            totals.append(self.V[g].sum(axis=0))
            relaxed.append(RELAXATION * totals[g] + (1 - RELAXATION) * self.W)
            right, shift = right + rho / K * (relaxed[g] + K * self.U[g]), shift + rho / K
        self.W = self._solve(right, shift)
        self.side.solved = self.W, right, shift
        for g, K in enumerate(self.counts):
            self.U[g] = self.U[g] + (relaxed[g] - self.W) / K
        self.side.step(self.W)
        return totals

    def _solve(self, right, shift):
        """W for which (G_t + shift) w_t + 2 (W M)_t = right_t."""
        if self.coupling.is_diagonal and self.groups:
            return self.side.gram.solve(right, self.ridge + shift)
        key = shift, self.side.scale.tobytes()
        if self.factored is None or self.factored[0] != key:
            self.factored = key, self.side.system(self.coupling.shifted(0.5 * shift))
        return self.factored[1](right)

    def _begin_extrapolation(self):
        # (Where one leads astray, a smooth loss tries no fewer of them.)
        self.extrapolation = Extrapolation(self.side.group, self.side.group, self.problem.loss.smooth)

    @property
    def _unit(self):
        """The weight in whose units states are compared, in the metric in which the iteration moves less and less."""
        return self.rho[0] if self.groups else self.top

    @property
    def _state(self):
        scale = np.sqrt(self.rho / self._unit)
        V = [s * V.ravel() for s, V in zip(scale, self.V, strict=False)]
        U = [s * K * U.ravel() for s, K, U in zip(scale, self.counts, self.U, strict=False)]
        return np.concatenate([*V, self.W.ravel(), *U, self.side.state(self._unit)])

    def _set_state(self, state):
        scale, G = np.sqrt(self.rho / self._unit), len(self.groups)
        pieces = np.split(state, np.cumsum([A.size for A in (*self.V, self.W, *self.U)]))
        self.V = [new.reshape(V.shape) / s for new, V, s in zip(pieces, self.V, scale, strict=False)]
        self.W = pieces[G].reshape(self.W.shape)
        duals = zip(pieces[G + 1 : -1], self.U, scale, self.counts, strict=True)
        self.U = [new.reshape(U.shape) / (s * K) for new, U, s, K in duals]
        self.side.set_state(pieces[-1], self._unit)

    def _go_ahead(self, jump):
        """Extrapolate after every group of iterates, if ``jump``; returns False where it has gone back."""
        state = self._state
        ahead, back = self.extrapolation.next(state, jump)
        if ahead is not state:
            self._set_state(ahead)
        return not back

    def _balance(self, primal, dual, tolerated):
        """Change every rho until both residuals fall alike."""
        changed = False
        for g in range(len(self.groups)):
            wanted = self.rho[g] * factor_of(primal[g], dual[g], tolerated)
            factor = np.clip(wanted, LEAST * self.top, MOST * self.top) / self.rho[g]
            if factor != 1:
                self.rho[g] *= factor
                self.U[g] = self.U[g] / factor
                changed = True
        if changed:
            self.extrapolation.forget()
