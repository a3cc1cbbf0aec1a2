"""The quadratic side of alternating directions: a model of the loss, one that follows it, or the loss itself."""

import numpy as np

from ..certificate import Dual
from .direct import flat_system, task_system

BENT = 1.2  # times the curvature of a model along a step, from which on the model gets more of it
RELAXATION = 1.6
# Iterations between two extrapolations: of a model, and of a loss that is split, which takes longer to settle.
GROUP, LONG_GROUP = 5, 12
# Iterations before the first; a loss that is split takes longer to settle.
YOUNG, LONG_YOUNG = 10, 30
# Ratio of the two residuals from which on their weight changes, where that takes another factorisation and where not.
COSTLY, CHEAP = 100.0, 3.0
FEW = 50  # features up to which factoring anew costs less than a few iterations


def factor_of(primal, dual, tolerated):
    """What the weight of two sides is to be multiplied by, so that both residuals fall alike."""
    ratio = primal / dual if dual > 0 else 1.0
    return float(np.clip(np.sqrt(ratio), 0.2, 5)) if ratio > tolerated or ratio < 1 / tolerated else 1.0


class Model:
    """A quadratic model of the loss: its Hessian and what its minimiser W solves, gram W = target."""

    group, young = GROUP, YOUNG
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


class Following(Model):
    """A model with the mean curvature of every task, taken anew around W in every iteration; nothing is factored anew.

    Its intercepts take one step in each as well. Where the loss has bent more along a step than the model does, that
    gets as much more curvature.
    """

    group = 8

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

    tolerated, group, young = CHEAP, LONG_GROUP, LONG_YOUNG

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
        factor = factor_of(primal, dual, tolerated)
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
