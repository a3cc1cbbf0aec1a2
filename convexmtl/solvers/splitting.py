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
from ._anderson import anderson_weights, combine
from ._line_search import line_search
from ._patience import MORE, hopeless
from .direct import flat_system, task_system

CHECK_EVERY = 5
SLOW = 0.3  # a step that leaves more than this share of the gap calls for a model with the curvature of its point
FOLLOWED = 60  # iterations after which a model is to be solved before it changes, where as many again will not do
BENT = 1.2  # times the curvature of a model along a step, from which on the model gets more of it
INNER = 300  # iterations for one quadratic model of a loss that is not quadratic
RELAXATION = 1.6
# Iterations between two extrapolations: of a model, and of a loss that is split, which takes longer to settle.
GROUP, LONG_GROUP = 5, 12
YOUNG = 30  # iterations before the first, within which easy problems end
# Ratio of the two residuals from which on their weight changes, where that takes another factorisation and where not.
COSTLY, CHEAP = 100.0, 3.0
FEW = 50  # features up to which factoring anew costs less than a few iterations
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
                    side = _Model(problem, problem.data.gram(certificate.z, flat))
                else:
                    side = LossItself(problem)
                directions = Directions(problem, parts, certificate, side, rho, dual=dual)
            n_iter += directions.run(min(CHECK_EVERY, left), 0.0)
            parts, certificate, dual = directions.claimed(certificate.intercept, threshold)
        else:
            slow = model is not None and certificate.gap > SLOW * history[-2][2]
            if model is None or slow:
                flat = flat and not slow
                model = problem.data.gram(certificate.z, flat)
            U = None if directions is None else directions.U
            directions = Directions(problem, parts, certificate, _Model(problem, model), rho, U, dual)
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
            self.rho = np.full(G, max(1e-2 * self.top, 1e-300))
        else:
            self.rho = np.maximum(rho, 1e-12 * self.top)
        if U is None:
            # (At the solution the parts are the proxes of what the gradient pulls them to.)
            split = None if dual is None else dual.split
            shares, _ = Sharing(self.groups, self.W.shape)(certificate.Z, split)
            U = [-share / rho for share, rho in zip(shares, self.rho, strict=False)]
        self.U = list(U)
        self.age, self.favourite, self.turn, self.something = 0, 0, 0, False
        self.group, self.waited = side.group, 0
        self._forget()

    @property
    def top(self):
        return float((self.side.gram.top + self.ridge).max())

    @property
    def split(self):
        """(G, d, T) shares of minus the gradient, or None where there is one group."""
        return -np.stack([rho * u for rho, u in zip(self.rho, self.U, strict=True)]) if len(self.U) > 1 else None

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
                self._forget()
            largest = max(*primal, *dual, 0.0)
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

    def _forget(self):
        self.iterates, self.retreat = [], None

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
        """Keep the iterate; after every group of them extrapolate, if ``jump``. Returns False where it has gone back
        to before the last extrapolation, since the step from there was longer than the one that led to it."""
        self.iterates.append(self._state)
        if len(self.iterates) == 1:
            return True
        length = np.linalg.norm(self.iterates[-1] - self.iterates[-2])
        if self.retreat is not None:
            state, before = self.retreat
            if not length <= before:
                self._set_state(state)
                self._forget()
                # Where extrapolations lead astray, they are tried less and less often.
                self.group = self.group if self.problem.loss.smooth else 2 * self.group
                return False
            self.retreat = None
        self.waited += 1
        self.iterates = self.iterates[-self.side.group - 1 :]
        if jump and self.waited >= self.group and len(self.iterates) > self.side.group:
            self.waited = 0
            weights = anderson_weights(self.iterates)
            if weights is not None:
                last = self.iterates[-1]
                self._set_state(combine(weights, self.iterates[1:]))
                self.iterates, self.retreat = [self._state], (last, length)
        return True

    def _balance(self, primal, dual, tolerated):
        """Change every rho until both residuals fall alike."""
        changed = False
        for g in range(len(self.groups)):
            factor = _factor(primal[g], dual[g], tolerated)
            if factor != 1:
                # Below the rounding of the model, rho would divide nothing but that.
                factor = max(factor, 1e-12 * self.top / self.rho[g])
                self.rho[g] *= factor
                self.U[g] = self.U[g] / factor
                changed = True
        if changed:
            self._forget()


def _factor(primal, dual, tolerated):
    """What the weight of two sides is to be multiplied by, so that both residuals fall alike."""
    ratio = primal / dual if dual > 0 else 1.0
    return float(np.clip(np.sqrt(ratio), 0.2, 5)) if ratio > tolerated or ratio < 1 / tolerated else 1.0


class _Model:
    """A quadratic model of the loss: its Hessian and what its minimiser W solves, gram W = target."""

    group = GROUP
    young = YOUNG
    dual = None  # it has none but those to which W leads

    def __init__(self, problem, gram):
        self.coupling, self.design, self.gram = problem.penalty.coupling, problem.data.design, gram
        self.scale = np.ones(len(gram.scale))
        self.tolerated = COSTLY if gram.refactors and len(gram.diagonal) > FEW else CHEAP

    def begin(self, W, certificate, dual):
        # (The gradient of the coupling, which the certificate's Z contains, is the system's own.)
        self.right = self.gram.apply(W) + certificate.Z + 2 * self.coupling.apply(W)

    def target(self, W):
        return self.right

    def step(self, W):
        pass

    def system(self, coupling):
        return flat_system(self.design, self.scale, coupling)

    def balance(self, tolerated):
        return False

    def state(self, rho):
        return np.zeros(0)

    def set_state(self, state, rho):
        pass


class Following(_Model):
    """A model with the mean curvature of every task, taken anew around W in every iteration; nothing is factored anew.

    Its intercepts take one step in each as well. Where the loss has bent more along a step than the model does, that
    gets as much more curvature.
    """

    group, young = 8, 10

    def __init__(self, problem, z):
        self.data = problem.data
        self.mean = self.data.curvature(z, True)[1]
        super().__init__(problem, self.data.design.flat.scaled(self.mean))
        bound = self.data.loss.curvature
        self.most, self.factor = bound / self.mean.min(), 1.0

    def begin(self, W, certificate, dual):
        self.last, self.solved = None, (None, None, None)
        # Intercepts as they are with centred features, which is how the model knows them.
        self.b = certificate.intercept + self._at_means(W)

    def _at_means(self, W):
        means = self.design.means
        return 0.0 if means is None else np.sum(means * W, axis=0)

    def target(self, W):
        tasks, c = self.data.tasks, self.data.tasks.weight
        z = tasks.shift(tasks.apply(W), self.b - self._at_means(W))
        u = c * self.data.loss.derivative(tasks.y, z)
        if self.data.fit_intercept:
            steep = self.factor * self.mean
            step = np.divide(-tasks.sum(u), steep * tasks.mass, out=np.zeros_like(steep), where=tasks.mass > 0)
            u, self.b = u + c * tasks.spread(steep * step), self.b + step
        slope, image = tasks.adjoint(u), self._image(W)
        if self.last is not None:
            move = W - self.last[0]
            bent, held = float(np.sum(move * (slope - self.last[1]))), float(np.sum(move * (image - self.last[2])))
            more = min(bent / held, self.most / self.factor) if bent > BENT * held > 0 else 1.0
            if more > 1:
                self.factor *= more
                self.gram, image = self.gram.scaled(more), image * more
        self.last = W, slope, image
        return image - slope

    def _image(self, W):
        """gram W, which is what is left of what W has been solved from."""
        solved, right, shift = self.solved
        if W is not solved:
            return self.gram.apply(W)
        image = right - shift * W
        return image if self.coupling.is_zero else image - 2 * self.coupling.apply(W)

    def system(self, coupling):
        return flat_system(self.design, self.factor * self.mean, coupling)


class LossItself:
    """The loss itself: predictions z (N,) of their own, drawn towards x . w + b by sigma (T,), the scaled dual u (N,).

    An iteration takes the prox of the loss; W and b see sigma_t / 2 sum_i e_ti (z_ti + u_ti - x_ti . w_t - b_t)^2,
    whose Gram matrices never change but for sigma. The weights e are those of the samples, c, but for rows of X that
    are much longer than most (``Design.evened``): their predictions are as much larger, and with one weight for all
    either theirs or all others would hardly move.
    """

    tolerated, group, young = CHEAP, LONG_GROUP, YOUNG

    def __init__(self, problem):
        self.data = problem.data
        design, tasks = problem.data.design, problem.tasks
        c = tasks.weight
        self.weight = design.evened if problem.loss.by_sample else c
        self.even = self.weight is c
        self.share = np.divide(self.weight, c, out=np.ones_like(c), where=c > 0)
        self.mass = tasks.sum(self.weight)
        if self.even:
            self.unit = design.flat
        else:
            self.centres = tasks.means(self.weight) if design.centred else None
            self.unit = design.weighted(self.weight, self.centres)

    @property
    def dual(self):
        """The Dual of the predictions."""
        if self.data.loss.smooth:
            return Dual(at=self.z)
        v = -self.u * self.data.tasks.spread(self.scale) * self.share
        return Dual(v=self.data.loss.inside(self.data.tasks.y, v))

    def begin(self, W, certificate, dual):
        data, tasks = self.data, self.data.tasks
        self.z = certificate.z
        # The curvature of the parabolas that lead from here to the lowest loss: a Huber loss that is all beyond delta
        # has next to none at a point, but drops from far. A loss with kinks, which may be as steep where hardly
        # anything is left of it, is looked at where W is zero.
        at = self.z if data.loss.smooth else tasks.spread(data.trivial[1])
        c, v = tasks.weight, data.loss.derivative(tasks.y, at)
        drop = np.where(c > 0, data.loss.fenchel_gap(tasks.y, at, np.zeros_like(v)), 0.0)
        squares, drops = tasks.sum(c * v**2), 2 * tasks.sum(c * drop)
        known = (squares > 0) & (drops > 0)
        self.scale = np.divide(squares, drops, out=data.curvature(at, True)[1], where=known)
        if not data.loss.smooth:
            self.scale[~known] = self.scale[known].mean() if known.any() else 1.0
            v = data.loss.derivative(tasks.y, self.z) if dual is None or dual.v is None else dual.v
        self.gram = self.unit.scaled(self.scale)
        self.u = -v / (tasks.spread(self.scale) * self.share)
        self.u[tasks.weight <= 0] = 0.0
        self.before = self.predicted = self.z

    def _fitted(self, W, q):
        """x . w + b with the intercepts that are best for q."""
        data, tasks = self.data, self.data.tasks
        p = tasks.apply(W)
        return tasks.shift(p, self._means(q - p) if data.fit_intercept else np.zeros(tasks.n_tasks))

    def _means(self, q):
        tasks = self.data.tasks
        return np.divide(tasks.sum(self.weight * q), self.mass, out=np.zeros_like(self.mass), where=self.mass > 0)

    def target(self, W):
        """One prox of the loss, and what W is to solve then."""
        data, tasks = self.data, self.data.tasks
        sigma, c = tasks.spread(self.scale), tasks.weight
        z = data.loss.prox(tasks.y, self.predicted - self.u, 1 / (sigma * self.share))
        self.z = np.where(c > 0, z, self.predicted)
        self.relaxed = RELAXATION * self.z + (1 - RELAXATION) * self.predicted
        q = self.relaxed + self.u
        if data.fit_intercept:
            q = q - tasks.spread(self._means(q))
        return tasks.adjoint(self.weight * sigma * q)

    def step(self, W):
        """Take the new W."""
        self.before, self.predicted = self.predicted, self._fitted(W, self.relaxed + self.u)
        self.u = self.u + self.relaxed - self.predicted
        self.u[self.data.tasks.weight <= 0] = 0.0

    def system(self, coupling):
        if self.even:
            return flat_system(self.data.design, self.scale, coupling)
        return task_system(self.data.tasks.gram(self.weight, self.centres) * self.scale[:, None, None], coupling)

    def balance(self, tolerated):
        """Change sigma until both residuals fall alike; returns whether it has changed."""
        norm = lambda v: np.sqrt(float(self.weight @ v**2))  # noqa: E731
        primal = norm(self.z - self.predicted) / max(norm(self.z), norm(self.predicted), 1e-300)
        dual = norm(self.predicted - self.before) / max(norm(self.u), 1e-300)
        factor = _factor(primal, dual, tolerated)
        if factor != 1:
            self.scale, self.u = self.scale * factor, self.u / factor
            self.gram = self.gram.scaled(factor)
        return factor != 1

    def _metric(self, rho):
        tasks = self.data.tasks
        return np.sqrt(self.weight * tasks.spread(self.scale) / rho)

    def state(self, rho):
        metric = self._metric(rho)
        return np.concatenate([metric * self.predicted, metric * self.u])

    def set_state(self, state, rho):
        metric = self._metric(rho)
        p, u = np.split(state, 2)
        inside = metric > 0
        self.predicted = np.divide(p, metric, out=self.predicted.copy(), where=inside)
        self.u = np.divide(u, metric, out=np.zeros_like(u), where=inside)
