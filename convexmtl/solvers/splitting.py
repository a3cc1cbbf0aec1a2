"""Alternating directions: exact solutions of the quadratic model on one side, proxes on the other.

The quadratic side is factored once, so that an iteration costs what one of proximal gradient does; but
tasks and features of unequal scale, which proximal gradient pays for with its one step size, cost nothing.
Losses other than the squared one get prox-Newton outside, at first with the mean curvature of every task,
for which nothing needs to be factored again.
"""

import numpy as np

from ..certificate import duality_gap
from ..result import Result, Status
from ._anderson import anderson_weights, combine
from ._line_search import line_search
from ._patience import hopeless
from .direct import flat_system, task_system

CHECK_EVERY = 5
SLOW = 0.3  # a step that leaves more than this share of the gap calls for a model with the curvature of its point
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
    """Whether the quadratic model can be factored: no coupling off the diagonal, and matrices that fit."""
    return problem.penalty.coupling.is_diagonal and problem.data.design.fits(flat=problem.loss.quadratic)


def solve(problem, start=None, tol=1e-4, max_iter=10_000, callback=None, patience=np.inf, split_loss=False):
    """See ``convexmtl.solvers.solve``. One iteration is one prox of every part, and of the loss where that is split."""
    # (The loss is its own model then.)
    direct, threshold = problem.loss.quadratic or split_loss, problem.threshold(tol)
    parts = problem.zeros() if start is None else start.parts
    certificate = duality_gap(problem, parts, start=None if start is None else start.intercept)
    directions, model, flat, n_iter, since_better, history = None, None, True, 0, 0, []
    rho = None if start is None else start.rho
    best, at = (certificate, parts, None), None

    while True:
        history.append((n_iter, certificate.primal, certificate.gap))
        if callback is not None:
            callback(*history[-1])
        status = Status.of(certificate.gap, threshold)
        if status is not None:
            break
        if n_iter >= max_iter or hopeless(history, threshold, patience):
            status = Status.OUT_OF_ITERATIONS
            break
        if since_better > (1000 if direct else 10):
            status = Status.STALLED
            break
        left = max_iter - n_iter
        if direct:
            if directions is None:
                split_loss = not problem.loss.quadratic
                side = _Loss(problem) if split_loss else _Model(problem, problem.data.gram(certificate.z, flat))
                directions = Directions(problem, parts, certificate, side, rho)
            n_iter += directions.run(min(CHECK_EVERY, left), 0.0)
            parts, at = directions.parts, None
            certificate = duality_gap(problem, parts, start=certificate.intercept)
            if split_loss and certificate.gap > threshold:
                other = duality_gap(problem, parts, start=certificate.intercept, at=side.z)
                certificate, at = (other, side.z) if other.gap < certificate.gap else (certificate, None)
        else:
            slow = model is not None and certificate.gap > SLOW * history[-2][2]
            if model is None or slow:
                flat = flat and not slow
                model = problem.data.gram(certificate.z, flat)
            U = None if directions is None else directions.U
            directions = Directions(problem, parts, certificate, _Model(problem, model), rho, U)
            n_iter += directions.run(min(INNER, left), 0.1)
            parts, certificate = line_search(problem, parts, directions.parts, certificate)
        rho = directions.rho
        # A gap that does not move any more has reached rounding.
        since_better = 0 if certificate.gap < 0.999 * best[0].gap else since_better + 1
        if not certificate.gap >= best[0].gap:
            best = certificate, parts, at

    certificate, parts, at = best
    return Result(
        parts, certificate.intercept, certificate.primal, certificate.gap, n_iter, status, history, at=at, rho=rho
    )


class Directions:
    """The iteration: V the parts, W their sum on the quadratic side, U the scaled dual.

    The quadratic side is that of the ``side``, plus the coupling.
    """

    def __init__(self, problem, parts, certificate, side, rho=None, U=None):
        self.problem, self.terms, self.side = problem, problem.penalty.terms, side
        self.coupling = problem.penalty.coupling
        self.ridge = 2 * self.coupling.diagonal
        self.W = sum(parts)
        self.V = np.stack(parts) if self.terms else np.zeros((0, *self.W.shape))
        self.factored = None
        side.begin(self.W, certificate)
        self.rho = max(1e-2 * self.top, 1e-300) if rho is None else max(rho, 1e-12 * self.top)
        # (At the solution the parts are the proxes of what the gradient pulls them to.)
        self.U = -certificate.Z / self.rho if U is None else U
        self.age = 0
        self._forget()

    @property
    def top(self):
        return float((self.side.gram.top + self.ridge).max())

    @property
    def parts(self):
        return tuple(self.V) if self.terms else (self.W,)

    def run(self, n, shrink):
        """At most n iterations, fewer when all residuals have shrunk by a factor; returns their number."""
        first = None
        for i in range(1, n + 1):
            before, checked = self.W, i % CHECK_EVERY == 0 or i == n
            total = self._step()
            # (What a check or the caller sees comes from a step, not from an extrapolation.)
            self.age += 1
            if (self.age > YOUNG and not self._go_ahead(jump=not checked)) or not checked:
                continue
            K = len(self.terms)
            primal = np.linalg.norm(total - self.W) / max(np.linalg.norm(total), np.linalg.norm(self.W), 1e-300)
            dual = np.linalg.norm(self.W - before) / max(np.linalg.norm(self.U) * K, 1e-300)
            tolerated = self.side.tolerated * (1 + self.age / PATIENCE)
            if K:
                self._balance(primal, dual, tolerated)
            if self.side.balance(tolerated):
                self._forget()
            first = max(primal, dual) if first is None else first
            if i > CHECK_EVERY and max(primal, dual) <= shrink * min(first, 0.1):
                return i
        return n

    def _step(self):
        """One iteration; returns the sum of the parts."""
        K = len(self.terms)
        target = self.side.target(self.W)
        if not K:
            self.W = self._solve(target, 0.0)
            self.side.step(self.W)
            return self.W
        # Sharing: every part answers for the same K-th of what is missing.
        move = (self.W - self.V.sum(axis=0)) / K - self.U
        self.V = np.stack([f.prox(V + move, 1 / self.rho) for f, V in zip(self.terms, self.V, strict=True)])
        total = self.V.sum(axis=0)
        relaxed = RELAXATION * total + (1 - RELAXATION) * self.W
        self.W = self._solve(target + self.rho / K * (relaxed + K * self.U), self.rho / K)
        self.U = self.U + (relaxed - self.W) / K
        self.side.step(self.W)
        return total

    def _solve(self, right, shift):
        """W for which (G_t + shift) w_t + 2 (W M)_t = right_t."""
        if self.coupling.is_diagonal and self.terms:
            return self.side.gram.solve(right, self.ridge + shift)
        key = shift, self.side.scale.tobytes()
        if self.factored is None or self.factored[0] != key:
            self.factored = key, self.side.system(self.coupling.shifted(0.5 * shift))
        return self.factored[1](right)

    def _forget(self):
        self.iterates, self.retreat = [], None

    @property
    def _state(self):
        K = len(self.terms)
        return np.concatenate([self.V.ravel(), self.W.ravel(), K * self.U.ravel(), self.side.state(self.rho)])

    def _set_state(self, state):
        size = self.W.size
        V, W, U, rest = np.split(state, np.cumsum([self.V.size, size, size]))
        self.V, self.W = V.reshape(self.V.shape), W.reshape(self.W.shape)
        self.U = U.reshape(self.U.shape) / max(1, len(self.terms))
        self.side.set_state(rest, self.rho)

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
                return False
            self.retreat = None
        self.iterates = self.iterates[-self.side.group - 1 :]
        if jump and len(self.iterates) > self.side.group:
            weights = anderson_weights(self.iterates)
            if weights is not None:
                last = self.iterates[-1]
                self._set_state(combine(weights, self.iterates[1:]))
                self.iterates, self.retreat = [self._state], (last, length)
        return True

    def _balance(self, primal, dual, tolerated):
        """Change rho until both residuals fall alike."""
        factor = _factor(primal, dual, tolerated)
        if factor != 1:
            # Below the rounding of the model, rho would divide nothing but that.
            factor = max(factor, 1e-12 * self.top / self.rho)
            self.rho *= factor
            self.U = self.U / factor
            self._forget()


def _factor(primal, dual, tolerated):
    """What the weight of two sides is to be multiplied by, so that both residuals fall alike."""
    ratio = primal / dual if dual > 0 else 1.0
    return float(np.clip(np.sqrt(ratio), 0.2, 5)) if ratio > tolerated or ratio < 1 / tolerated else 1.0


class _Model:
    """A quadratic model of the loss: its Hessian and what its minimiser W solves, gram W = target."""

    group = GROUP

    def __init__(self, problem, gram):
        self.coupling, self.design, self.gram = problem.penalty.coupling, problem.data.design, gram
        self.scale = np.ones(len(gram.scale))
        self.tolerated = COSTLY if gram.refactors and len(gram.diagonal) > FEW else CHEAP

    def begin(self, W, certificate):
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


class _Loss:
    """The loss itself: predictions z (N,) of their own, drawn towards x . w + b by sigma (T,), the scaled dual u (N,).

    An iteration takes the prox of the loss; W and b see sigma_t / 2 sum_i e_ti (z_ti + u_ti - x_ti . w_t - b_t)^2,
    whose Gram matrices never change but for sigma. The weights e are those of the samples, c, but for rows of X that
    are much longer than most (``Design.evened``): their predictions are as much larger, and with one weight for all
    either theirs or all others would hardly move.
    """

    tolerated, group = CHEAP, LONG_GROUP

    def __init__(self, problem):
        self.data = problem.data
        design, tasks = problem.data.design, problem.tasks
        self.weight, c = design.evened, tasks.weight
        self.even = self.weight is c
        self.share = np.divide(self.weight, c, out=np.ones_like(c), where=c > 0)
        self.mass = tasks.sum(self.weight)
        if self.even:
            self.unit = design.flat
        else:
            self.centres = tasks.means(self.weight) if design.centred else None
            self.unit = design.weighted(self.weight, self.centres)

    def begin(self, W, certificate):
        data, tasks = self.data, self.data.tasks
        self.z = certificate.z
        # The curvature of the parabolas that lead from here to the lowest loss: a Huber loss that is all beyond delta
        # has next to none at a point, but drops from far.
        c, v = tasks.weight, data.loss.derivative(tasks.y, self.z)
        drop = data.loss.fenchel_gap(tasks.y, self.z, np.zeros_like(v))
        squares, drops = tasks.sum(c * v**2), 2 * tasks.sum(c * drop)
        self.scale = np.divide(squares, drops, out=data.curvature(self.z, True)[1], where=(squares > 0) & (drops > 0))
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
