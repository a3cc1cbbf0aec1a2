"""The data term of an objective: tasks x loss."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .gram import Design, largest_eigenvalue
from .losses import Loss
from .reduction import rotate_tasks, thin_rows
from .tasks import Tasks

BALANCING, SHORTENING = 10, 100  # steps towards subgradients at W = 0 of a loss that has several

PASSES = 1_000_000  # samples from which on passes over them take longer than what is made of them


@dataclass(frozen=True, eq=False)
class DataTerm:
    """F(W, b) = sum_ti c_ti loss(y_ti, x_ti . w_t + b_t + offset_ti), and what is known of it whatever the penalty.

    Attributes
    ----------
    tasks : Tasks
    loss : Loss
        At the samples of these tasks, so that it takes them all at once: with their offsets, which predictions and
        what solvers see of them are without.
    fit_intercept : bool
    fixed_intercept : ndarray of shape (T,)
        Intercept of the tasks that have none to fit: those without any weight, whose loss does not count.
    """

    tasks: Tasks
    loss: Loss
    fit_intercept: bool = True
    fixed_intercept: np.ndarray | None = None

    def __post_init__(self):
        # (Frozen: it is set once, here.)
        if self.loss.quadratic or not self.loss.by_sample:
            object.__setattr__(self, "tasks", self.tasks.without_offset())
        object.__setattr__(self, "loss", self.loss.at(self.tasks))

    @property
    def shape(self):
        """(d, T)"""
        return self.tasks.n_features, self.tasks.n_tasks

    @cached_property
    def design(self):
        """The features as quadratic models of the loss see them: a Design."""
        return Design(self.tasks, self.fit_intercept)

    def predict(self, W, b):
        """z (N,), without offsets."""
        return self.tasks.shift(self.tasks.apply(W), b)

    def value(self, z):
        """At the predictions z (N,)."""
        return float(self.tasks.weight @ self.loss.value(self.tasks.y, z))

    def fenchel_gap(self, z, v, scale):
        """(the Fenchel gaps of the loss at z (N,) and ``scale`` times the dual variables v (N,), that scale)."""
        with np.errstate(invalid="ignore", over="ignore"):
            return self.tasks.total(self.loss.fenchel_gap(self.tasks.y, z, scale * v)), scale

    @cached_property
    def at_rest(self):
        """The conjugates of the loss at no dual variables: minus what a perfect fit would lose."""
        y = self.tasks.y
        return 0.0 if self.loss.quadratic else self.tasks.total(self.loss.conjugate(y, np.zeros_like(y)))

    @cached_property
    def even(self):
        """Whether the loss is squared, and all tasks have one dense X and the same weights but for a factor.

        Only of many samples, for which every pass counts: sums are made in another order then.
        """
        tasks = self.tasks
        return (
            len(tasks.y) >= PASSES
            and self.loss.quadratic
            and not tasks.is_sparse
            and tasks.offset is None
            and tasks.common_weight is not None
        )

    def residual(self, W):
        """(the best intercepts (T,) for W (d, T), predictions with them less the targets (N,)) where tasks are even.

        W None is 0.
        """
        tasks, (s, _) = self.tasks, self.tasks.common_weight
        v = -tasks.y if W is None else tasks.apply(W)
        if W is not None:
            v -= tasks.y
        V, b = v.reshape(tasks.n_tasks, -1), np.zeros(tasks.n_tasks)
        if self.fit_intercept:
            # (Twice: the mean of large numbers is only as exact as they are.)
            for _ in range(2):
                means = V @ s
                b -= means
                V -= means[:, None]
        if W is None:
            # (To the last digit what predictions of b less the targets are, as others compute them.)
            np.subtract(b[:, None], tasks.y.reshape(V.shape), out=V)
        v[tasks.absent] = 0.0
        return b, v

    def pulled(self, v):
        """(d, T) minus the gradient, of the derivatives v (N,), where tasks are even."""
        s, scale = self.tasks.common_weight
        return ((v.reshape(self.tasks.n_tasks, -1) @ (-s[:, None] * self.tasks.X)) * scale[:, None]).T

    @cached_property
    def _at_zero(self):
        """The ``residual`` at W = 0."""
        return self.residual(None)

    @cached_property
    def squares(self):
        """(T,) weighted sums of the squares of ``slopes``."""
        tasks = self.tasks
        if not self.even:
            return tasks.sum(tasks.weight * self.slopes**2)
        (s, scale), V = tasks.common_weight, self.slopes.reshape(tasks.n_tasks, -1)
        return scale * np.einsum("tn,n,tn->t", V, s, V)

    @cached_property
    def empty(self):
        """(T,) whether a task's samples have no weight."""
        return self.tasks.mass <= 0

    def best_intercept(self, z, start=None):
        """argmin over b of sum c loss(y, z + b), exactly, per task; z (N,) without the intercept."""
        tasks, loss, c = self.tasks, self.loss, self.tasks.weight
        T = tasks.n_tasks
        fixed = np.zeros(T) if self.fixed_intercept is None else self.fixed_intercept
        if not self.fit_intercept:
            return np.zeros(T)
        if start is not None and not loss.by_column:
            known = loss.best_intercept(tasks.y, tasks.shift(z, start), c, tasks.ptr) + start
        else:
            known = loss.best_intercept(tasks.y, z, c, tasks.ptr)
        open_ = ~self.empty if known is None else ~self.empty & np.isnan(known)
        if not open_.any():
            return fixed if known is None else np.where(self.empty, fixed, known)
        b = np.zeros(T) if start is None else np.array(start, dtype=float)
        steps = increasing_root(b if known is None else np.where(np.isnan(known), b, known), open_)
        try:
            b = next(steps)
            while True:
                at = tasks.shift(z, b)
                slopes, bends = loss.derivatives(tasks.y, at)
                pull = c * slopes
                b = steps.send((tasks.sum(pull), tasks.sum(np.abs(pull)), tasks.sum(c * bends)))
        except StopIteration as found:
            b = found.value
        return np.where(self.empty, fixed, b)

    def curvature(self, z, flat):
        """(h (N,), mean (T,)): curvatures of the loss at z times the weights, and every task's weighted mean of them.

        With ``flat`` all samples of a task get their mean.
        """
        tasks = self.tasks
        c, h = tasks.weight, self.loss.model_curvature(tasks.y, z)
        total = tasks.mass
        mean = np.divide(tasks.sum(c * h), total, out=np.ones_like(total), where=total > 0)
        return c * (tasks.spread(mean) if flat else h), mean

    def hessian(self, z, v):
        """Function of s (N,): how the weighted dual variables near v change while predictions at z move by s."""
        tasks = self.tasks
        return self.loss.hessian(tasks.y, z, v, tasks.weight, tasks.ptr, self.fit_intercept)

    def gram(self, z, flat):
        """The Hessian of the quadratic model of the loss at the predictions z, intercepts eliminated: a Gram.

        With ``flat`` all samples of a task get their mean curvature, so that nothing is factored anew at another z.
        """
        if flat and self.loss.quadratic:
            return self.design.flat
        h, mean = self.curvature(z, flat)
        if flat:
            return self.design.flat.scaled(mean)
        return self.design.weighted(h, self.tasks.means(h) if self.fit_intercept else None)

    @cached_property
    def trivial(self):
        """(value, intercepts) at W = 0."""
        if self.even:
            b, _ = self._at_zero
            return 0.5 * float(self.squares.sum()), b
        zero, tasks = np.zeros(len(self.tasks.y)), self.tasks
        b = self.best_intercept(zero, self.loss.level(tasks.y, tasks.weight, tasks.ptr))
        return self.value(self.tasks.shift(zero, b)), b

    @cached_property
    def slopes(self):
        """(N,) derivatives of the loss at W = 0; of one with kinks there any subgradients."""
        if self.even:
            return self._at_zero[1]
        return self.loss.derivative(self.tasks.y, self._trivially)

    @property
    def _trivially(self):
        """(N,) predictions at W = 0."""
        return self.tasks.shift(np.zeros(len(self.tasks.y)), self.trivial[1])

    @cached_property
    def pull(self):
        """The same, of a loss with kinks those subgradients that balance in every task, and make the gradient short."""
        loss = self.loss
        several = not loss.smooth and loss.by_sample and self.tasks.weight.any()
        return _shortest(self, self._trivially, self.slopes) if several else self.slopes

    @cached_property
    def moments(self):
        """Minus the gradient at W = 0, (d, T)."""
        if self.thinned is not None:
            return self.thinned.moments
        return self.tasks.adjoint(-self.tasks.weight * self.pull)

    @cached_property
    def largest_second(self):
        """The largest second derivative of the loss, or where it has no bound, the largest at W = 0.

        Of a loss with kinks that of the parabolas that lead from W = 0 to no loss at all, as steep there.
        """
        tasks, loss, c = self.tasks, self.loss, self.tasks.weight
        if loss.curvature is not None:
            return loss.curvature
        z = tasks.spread(self.trivial[1])
        if loss.smooth:
            return float(np.max(loss.second(tasks.y, z)[c > 0]))
        drops = 2 * tasks.sum(c * loss.value(tasks.y, z))
        squares = tasks.sum(c * loss.derivative(tasks.y, z) ** 2)
        return float(np.max(np.divide(squares, drops, out=np.zeros_like(drops), where=drops > 0)))

    @cached_property
    def steepest(self):
        """The largest second derivative in W, of a loss that bends everywhere as it does where it bends most."""
        return largest_eigenvalue(self.design, self.tasks.weight * self.largest_second)

    def separated(self, W, entries):
        """(T,) whether the coefficients of W in ``entries`` (d, T) separate a task's classes: longer ones are better.

        What a solver has come to is far enough in the direction that does it.
        """
        tasks = self.tasks
        endless, found = np.zeros(tasks.n_tasks, dtype=bool), np.zeros(tasks.n_tasks, dtype=bool)
        groups = [(loss, some) for loss, some in self.loss.groups(tasks) if loss.endless]
        if not groups:
            return found
        score = tasks.apply(np.where(entries, W, 0.0))
        for loss, some in groups:
            if loss.by_column:
                endless[some] = True
            else:
                own = np.flatnonzero(np.isin(tasks.sample_task, some))
                z = tasks.shift(score, self.best_intercept(score))[own]
                found[some] = loss.bound(tasks, some).separated(tasks.y[own], z, tasks.weight[own])
        counted, positive = tasks.weight > 0, tasks.y > 0

        def most(values, some):
            return np.maximum.reduceat(np.where(some & counted, values, -np.inf), tasks.ptr[:-1])

        low, high = -most(-score, positive), most(score, ~positive)
        top, bottom = most(score, positive), -most(-score, ~positive)
        if not self.fit_intercept:
            low, high, top, bottom = np.minimum(low, 0), np.maximum(high, 0), np.maximum(top, 0), np.minimum(bottom, 0)
        return found | (endless & (low >= high) & (top > bottom))

    def threshold(self, tol):
        """The duality gap at which a fit has converged: tol times what there is to gain.

        That is the objective at W = 0 less the loss of a perfect fit, which is 0 but for Poisson: there both depend on
        the unit in which is counted, and may have any sign. Where it is itself rounding (a constant target), rounding
        counts.
        """
        gain, rounding = self._gain
        return tol * gain + (4 * np.finfo(float).eps) ** 2 * rounding

    @property
    def gain(self):
        """What there is to gain: the loss at W = 0 less that of a perfect fit."""
        return self._gain[0]

    @cached_property
    def _gain(self):
        """(what there is to gain, the sum of which it would be rounding), see ``threshold``."""
        tasks, y = self.tasks, self.tasks.y
        if self.even:
            value, b = self.trivial
            return value, 2 * value + float(tasks.mass @ b**2)
        at_zero, zero = self.tasks.shift(np.zeros_like(y), self.trivial[1]), np.zeros_like(y)
        gain = tasks.total(self.loss.fenchel_gap(y, at_zero, zero))
        return max(gain, 0.0), tasks.total(y**2 + np.abs(self.loss.conjugate(y, zero)))

    @cached_property
    def reduced(self):
        """(data term with at most n_rows features, Q): W = Q W_reduced for unitarily invariant penalties; or None."""
        smaller = self.tasks.reduce_features()
        if smaller is None:
            return None
        tasks, Q = smaller
        return DataTerm(tasks, self.loss, self.fit_intercept, self.fixed_intercept), Q

    @cached_property
    def rotated(self):
        """(data term of at most n_rows tasks, Rotated): W = W_few Q' for penalties of W W'; or None."""
        found = rotate_tasks(self.tasks, self.fit_intercept) if self.loss.quadratic else None
        return None if found is None else (DataTerm(found.tasks, self.loss, self.fit_intercept), found)

    @cached_property
    def thinned(self):
        """The data term, without intercepts, of as many rows as there are features and one more; None where that is not
        much smaller."""
        if not self.even:
            return None
        tasks = self.tasks
        found = thin_rows(tasks, self.pull.reshape(tasks.n_tasks, -1), self.fit_intercept)
        return None if found is None else DataTerm(found, self.loss, False)

    def intercepts(self, W):
        """(T,) the best ones for W (d, T), of tasks that are even."""
        s, _ = self.tasks.common_weight
        return self.trivial[1] - (s @ self.tasks.X) @ W if self.fit_intercept else np.zeros(W.shape[1])

    @cached_property
    def independent(self):
        """(data term with independent features, Q), as ``Tasks.independent_features``; or None."""
        smaller = self.tasks.independent_features(self.fit_intercept)
        if smaller is None:
            return None
        tasks, Q = smaller
        return DataTerm(tasks, self.loss, self.fit_intercept, self.fixed_intercept), Q


def increasing_root(b, open_):
    """Newton's method, kept inside a bracket, on increasing functions of b (T,), where ``open_``.

    A generator: it yields b, wants (value, sum of the absolute terms of that, slope), each (T,), and returns the root.
    """
    T = len(b)
    low, high, width, last = np.full(T, -np.inf), np.full(T, np.inf), np.ones(T), np.full(T, np.nan)
    for _ in range(200):
        value, scale, slope = yield b
        open_ = open_ & ~(np.abs(value) <= 1e-15 * scale)
        if not open_.any():
            break
        low, high = np.where(value < 0, b, low), np.where(value > 0, b, high)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            new = b - value / slope
            middle = np.where(np.isinf(low), high - width, np.where(np.isinf(high), low + width, (low + high) / 2))
        inside = (new > low) & (new < high) & (np.abs(new - b) <= np.maximum(2 * width, 1))
        width = np.where(inside, width, 2 * width)
        moved = np.where(open_, np.where(inside, new, middle), b)
        step = np.abs(moved - b)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            # What is left of the value where two steps of Newton's method say how fast it converges.
            left = np.where(inside, (step / last) ** 2 * step * slope, np.inf)
        open_ = open_ & ~((step <= 1e-16 * np.abs(b)) | (left <= 1e-15 * scale))
        last = np.where(inside, step, np.nan)
        b = moved
        if not open_.any():
            break
    return b


def _shortest(data, z, v):
    """Subgradients v (N,) at the predictions z, of those that sum up to 0 in every task that has an intercept,
    with a short gradient: by projected gradient steps from the v that are given."""
    tasks, loss, c, y = data.tasks, data.loss, data.tasks.weight, data.tasks.y
    size = np.sqrt(data.design.squares.sum(axis=0))
    step = np.divide(1.0, size**2, out=np.zeros_like(size), where=size > 0)
    # (From z + short v a prox with a short step leads to z, or as far from it as v is from the subgradients there.)
    short = 1e-6 * max(float(np.abs(y[c > 0]).max(initial=0.0)), 1e-300)

    def on_face(v):
        return np.where(c > 0, (z + short * v - loss.prox(y, z + short * v, np.full(len(v), short))) / short, 0.0)

    def balanced(v):
        for _ in range(BALANCING):
            v = on_face(v)
            if not data.fit_intercept:
                return v
            away = np.divide(tasks.sum(c * v), tasks.mass, out=np.zeros_like(size), where=tasks.mass > 0)
            if np.abs(away).max() <= 1e-15 * np.abs(v).max():
                return v
            v = v - tasks.spread(away)
        return on_face(v)

    v = balanced(v)
    for _ in range(SHORTENING):
        before, v = v, balanced(v - tasks.apply(tasks.adjoint(c * v) * step))
        if np.abs(v - before).max() <= 1e-12:
            break
    return v
