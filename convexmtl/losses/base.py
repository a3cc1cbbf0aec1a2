"""Base of the losses.

``y`` is the target, ``z`` the prediction and ``v`` the dual variable of a sample. Every loss owes
its value, first and second derivative in z, conjugate in z, and its textbook definition in cvxpy, all elementwise
in numpy.
"""

import numpy as np
from sklearn.base import BaseEstimator

from .._words import formula

NUDGE = 1e-6  # of how far a prediction is from its target, by which a prox is differentiated


class Loss(BaseEstimator):
    """Base of the losses.

    Attributes
    ----------
    curvature : float or None
        Upper bound of the second derivative in z; None where there is none.
    quadratic : bool
        Whether the loss is its own quadratic model, of curvature 1 everywhere.
    classification : bool
        Whether targets are -1 and +1.
    endless : bool
        Whether a prediction of such a target is the better the larger it is, so that none is the best.
    silence : str
        What a task has whose targets say nothing of its coefficients, see ``silent``.
    smooth : bool
        Whether it has a derivative everywhere. One that has not owes a ``prox`` and a ``best_intercept`` in closed
        form, ``inside``, ``reach`` and ``give``; its ``derivative`` is any subgradient.
    by_sample : bool
        Whether it is a sum over the samples, and not a function of all those of a task.
    by_column : bool
        Whether it is a sum over the columns of W, and not a function of all those of a task. One that is not binds
        itself to Tasks (``bound``), and owes ``best_intercept``, ``hessian``, ``balanced``, ``separated``,
        ``constants`` and ``task_expression``.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import Huber
    >>> from convexmtl.losses import Loss
    >>> isinstance(Huber(), Loss)
    True
    >>> print(Huber(delta=1.0).value(np.array([0.0, 0.0]), np.array([0.5, 3.0])))  # of targets and predictions
    [0.125 2.5  ]
    """

    curvature = None
    quadratic = False
    classification = False
    endless = False
    silence = "no target above zero"
    smooth = True
    by_sample = True
    by_column = True

    @property
    def formula(self):
        """loss(y, z): what the docstring begins with; how the loss prints where it has none."""
        return formula(self, "loss(y, z) = ")

    def value(self, y, z):
        """loss(y, z)."""
        raise TypeError(f"{type(self).__name__} does not define value")

    def derivative(self, y, z):
        """d loss / dz."""
        raise TypeError(f"{type(self).__name__} does not define derivative")

    def second(self, y, z):
        """d^2 loss / dz^2 (a generalised one where the derivative has kinks)."""
        raise TypeError(f"{type(self).__name__} does not define second")

    def mixed(self, y, z):
        """(K, N): the second derivatives, and minus those in z and in what the r-th next column of a task predicts, for
        r = 1, ..., K - 1. All are >= 0."""
        return self.second(y, z)[None]

    def bent(self, y, z, s):
        """(N,) by what the derivatives at z change, to first order, while predictions move by s."""
        return self.second(y, z) * s

    def model_curvature(self, y, z):
        """Curvature > 0 of a quadratic model of the loss around z: the second derivative, kept away from zero."""
        return np.maximum(self.second(y, z), 1e-4 * self.curvature if self.curvature else 1e-12)

    def conjugate(self, y, v):
        """sup_z of v z - loss(y, z); inf outside its domain."""
        raise TypeError(f"{type(self).__name__} does not define conjugate")

    def prox(self, y, q, step):
        """argmin over z of loss(y, z) + (z - q)^2 / (2 step), step > 0.

        Here by Newton's method on z + step loss'(y, z) = q, which has its root between q and ``beyond`` it.
        """
        far = self.beyond(y, q, step)
        low, high = np.minimum(q, far), np.maximum(q, far)
        z, move = q, high - low
        for _ in range(100):
            with np.errstate(over="ignore", invalid="ignore"):
                excess = z - q + step * self.derivative(y, z)
                new = z - excess / (1 + step * self.second(y, z))
            low, high = np.where(excess < 0, z, low), np.where(excess > 0, z, high)
            # A Newton step that is not half as long as the one before may be one of an endless cycle.
            newton = (new > low) & (new < high) & (np.abs(new - z) <= 0.5 * move)
            new = np.where(excess == 0, z, np.where(newton, new, 0.5 * (low + high)))
            z, move = new, np.abs(new - z)
            if np.all(move <= 1e-16 * np.abs(q)):
                break
        return z

    def beyond(self, y, q, step):
        """On the other side of the prox of q, or at it; finite."""
        return q - step * self.derivative(y, q)

    def stiffness(self, y, q, step):
        """(k (N,), n (N,) or None): how little the prox gives way to q.

        Its derivative is I - K^(1/2) (I - n n') K^(1/2) with K = diag(k), and n a unit vector of the samples of every
        task; both are scaled by the roots of the weights.

        Here from differences, of a loss that is a sum over the samples.
        """
        nudge = NUDGE * np.maximum(np.abs(q - y), step)
        change = self.prox(y, q + nudge, step) - self.prox(y, q - nudge, step)
        return np.clip(1 - change / (2 * nudge), 0.0, 1.0), None

    def fenchel_gap(self, y, z, v):
        """loss(y, z) + conjugate(y, v) - z v >= 0: this sample's share of the duality gap."""
        return self.value(y, z) + self.conjugate(y, v) - z * v

    def inside(self, y, v):
        """v (N,), or what is nearest to it that a subgradient may be."""
        return v

    def interval(self, y):
        """(kink, width, low, high), each (N,): the conjugate is v kink + width abs(v) for low <= v <= high, else
        infinite; None where it is another one."""
        return None

    def reach(self, y, v):
        """The largest number s <= 1 for which s v may be subgradients."""
        return 1.0

    def hessian(self, y, z, v, weight, ptr, fit_intercept):
        """Function of s (N,): by what the weighted derivatives at z, or dual variables near v, change while predictions
        move by s, and by the intercepts that go best with it, if there are any."""
        h = weight * self.give(y, z, v)
        mass, sizes = np.add.reduceat(h, ptr[:-1]), np.diff(ptr)

        def change(s):
            if fit_intercept:
                mean = np.divide(np.add.reduceat(h * s, ptr[:-1]), mass, out=np.zeros_like(mass), where=mass > 0)
                s = s - np.repeat(mean, sizes)
            return h * s

        return change

    def balanced(self, y, v, weight, ptr):
        """Dual variables near v (N,) that are accepted, those of every task with the weighted sum 0.

        Here by shrinking the heavier sign: towards zero they stay inside the domain of the conjugate.
        """
        begin, sizes = ptr[:-1], np.diff(ptr)
        plus, minus = (np.add.reduceat(weight * np.maximum(u, 0), begin) for u in (v, -v))
        less = np.minimum(plus, minus)
        down = np.divide(less, plus, out=np.ones_like(plus), where=plus > 0)
        up = np.divide(less, minus, out=np.ones_like(minus), where=minus > 0)
        return v * np.where(v > 0, np.repeat(down, sizes), np.repeat(up, sizes))

    def give(self, y, z, v):
        """(N,) how easily dual variables near v (N,) move: by the second derivative at z, or as a kink allows."""
        return self.second(y, z)

    def report(self, tasks, predict):
        """Fitted attributes (name with trailing underscore -> value) of Tasks, and a function that returns the
        predictions (N,), which of many tasks take time."""
        return {}

    def log_likelihood(self, y, z):
        """Logarithm of the probability of y at the prediction z; None where the loss does not say it.

        That of the squared loss depends on the noise, too, for which there is ``quadratic``.
        """
        return None

    @property
    def is_likelihood(self):
        """Whether it is minus the logarithm of one, up to what the noise adds for the squared loss."""
        return self.quadratic or self.log_likelihood(np.ones(1), np.zeros(1)) is not None

    def mean(self, z):
        """What a regressor predicts: the target's scale for the prediction z."""
        return z

    def error(self, y, z):
        """What a search compares: the loss, or what it is usually called by."""
        return self.value(y, z)

    def total_expression(self, y, z, weight, cp):
        """The textbook definition in cvxpy of the weighted sum over the samples of one task."""
        return weight @ self.expression(y, z, cp)

    def expression(self, y, z, cp):
        """The textbook definition in cvxpy (the module is handed in as ``cp``)."""
        raise TypeError(f"{type(self).__name__} does not define expression")

    def best_intercept(self, y, z, weight, ptr):
        """(T,) argmin over b of sum_i weight_i loss(y_i, z_i + b) for the samples ``ptr[t]:ptr[t+1]`` of every task.

        None where it has no closed form, NaN where only others have. What is returned for tasks without weight does
        not count.
        """
        return None

    def level(self, y, weight, ptr):
        """(T,) near the best constant predictions, finite; None where there is no formula."""
        return None

    def derivatives(self, y, z):
        """(``derivative``, ``second``), for those who want both."""
        return self.derivative(y, z), self.second(y, z)

    def check_targets(self, y):
        """Raise a ValueError where a target is outside the loss's domain."""

    def constant(self, y, ptr):
        """(T,) intercepts to use for tasks (targets ``ptr[t]:ptr[t + 1]``) without a finite best one, else NaN."""
        return np.full(len(ptr) - 1, np.nan)

    def away(self, offset, ptr):
        """(T,) by what offsets shift a task's predictions, to be taken off ``constant``: their mean."""
        return np.add.reduceat(offset, ptr[:-1]) / np.diff(ptr)

    def kinds(self, labels):
        """(T,) which of several losses the tasks of these labels have, as ``Tasks.kind``; None where there is one."""
        return None

    def groups(self, tasks):
        """[(Loss, positions of the tasks that have it)] for some Tasks."""
        return [(self, np.arange(tasks.n_tasks))]

    def at(self, tasks):
        """The loss of all samples of some Tasks at once: of each that of its task, with its offset."""
        groups = self.groups(tasks)
        if len(groups) == 1:
            ((loss, _),) = groups
            return loss if tasks.offset is None else AtSamples(self, [(loss, slice(None), slice(None))], tasks.offset)
        kind = tasks.spread(tasks.kind)
        groups = [(loss.bound(tasks, own), own, np.flatnonzero(kind == tasks.kind[own[0]])) for loss, own in groups]
        return AtSamples(self, groups, tasks.offset)

    def bound(self, tasks, own):
        """The loss of the samples of some of the tasks, at the positions ``own``."""
        return self

    def of_task(self, t):
        """That of one of the tasks."""
        return self

    def silent(self, y, ptr):
        """(T,) whether a task's targets (``ptr[t]:ptr[t + 1]``) alone, whatever X is, are fitted by no coefficients."""
        return ~np.isnan(self.constant(y, ptr))


class AtSamples(Loss):
    """loss_i(y_i, z_i + offset_i) of the samples i of some tasks, for arrays (..., N) of all of them.

    Parameters
    ----------
    of : Loss
        Of which it is made.
    groups : list of (Loss, tasks, samples)
        The loss of some of the tasks, and of their samples.
    offset : ndarray of shape (N,) or None
    """

    def __init__(self, of, groups, offset):
        self.of, self._groups = of, groups
        self.offset = 0.0 if offset is None else offset
        bounds = [loss.curvature for loss, *_ in groups]
        self.curvature = None if None in bounds else max(bounds)
        self.quadratic = all(loss.quadratic for loss, *_ in groups)
        self.smooth = all(loss.smooth for loss, *_ in groups)
        self.by_column = all(loss.by_column for loss, *_ in groups)
        self.classification = of.classification
        if not all(loss.by_sample for loss, *_ in groups):
            raise ValueError(f"loss={of!r} has a loss of all samples of a task at once, such as 'sqrt', beside others.")

    @property
    def formula(self):
        return self.of.formula

    def at(self, tasks):
        return self.of.at(tasks)

    def groups(self, tasks):
        return self.of.groups(tasks)

    def of_task(self, t):
        return next(loss for loss, tasks, _ in self._groups if isinstance(tasks, slice) or t in tasks)

    def _each(self, method, *arrays):
        """What the losses' own methods make of the samples."""
        if len(self._groups) == 1:
            return getattr(self._groups[0][0], method)(*arrays)
        arrays = [np.broadcast_to(a, np.broadcast_shapes(np.shape(a), arrays[0].shape)) for a in arrays]
        out = np.empty(np.broadcast_shapes(*(a.shape for a in arrays)))
        for loss, _, own in self._groups:
            found = getattr(loss, method)(*(a[..., own] for a in arrays))
            if found is None:
                return None
            out[..., own] = found
        return out

    def value(self, y, z):
        return self._each("value", y, z + self.offset)

    def derivative(self, y, z):
        return self._each("derivative", y, z + self.offset)

    def second(self, y, z):
        return self._each("second", y, z + self.offset)

    def mixed(self, y, z):
        z = z + self.offset
        found = [(own, loss.mixed(y[own], z[own])) for loss, _, own in self._groups]
        out = np.zeros((max(len(mixed) for _, mixed in found), len(y)))
        for own, mixed in found:
            out[: len(mixed), own] = mixed
        return out

    def bent(self, y, z, s):
        return self._each("bent", y, z + self.offset, s)

    def model_curvature(self, y, z):
        return self._each("model_curvature", y, z + self.offset)

    def conjugate(self, y, v):
        return self._each("conjugate", y, v) - v * self.offset

    def fenchel_gap(self, y, z, v):
        return self._each("fenchel_gap", y, z + self.offset, v)

    def prox(self, y, q, step):
        return self._each("prox", y, q + self.offset, step) - self.offset

    def inside(self, y, v):
        return self._each("inside", y, v)

    def interval(self, y):
        found = [loss.interval(y[own]) for loss, _, own in self._groups]
        if any(one is None for one in found):
            return None
        out = np.empty((4, len(y)))
        for (_, _, own), one in zip(self._groups, found, strict=True):
            out[:, own] = one
        return (out[0] - self.offset, *out[1:])

    def reach(self, y, v):
        return min(loss.reach(y[own], v[own]) for loss, _, own in self._groups)

    def give(self, y, z, v):
        return self._each("give", y, v if z is None else z + self.offset, v)

    def log_likelihood(self, y, z):
        return self._each("log_likelihood", y, z + self.offset)

    def error(self, y, z):
        # Of several losses what the model adds up.
        return self._each("error" if len(self._groups) == 1 else "value", y, z + self.offset)

    def balanced(self, y, v, weight, ptr):
        out = np.empty(len(v))
        for loss, _, own, begin in self._with_ptr(ptr):
            out[own] = loss.balanced(y[own], v[own], weight[own], begin)
        return out

    def hessian(self, y, z, v, weight, ptr, fit_intercept):
        z = z + self.offset
        parts = [
            (own, loss.hessian(y[own], z[own], v[own], weight[own], begin, fit_intercept))
            for loss, _, own, begin in self._with_ptr(ptr)
        ]

        def change(s):
            out = np.empty(len(s))
            for own, part in parts:
                out[own] = part(s[own])
            return out

        return change

    def best_intercept(self, y, z, weight, ptr):
        z, b = z + self.offset, np.full(len(ptr) - 1, np.nan)
        for loss, tasks, own, begin in self._with_ptr(ptr):
            found = loss.best_intercept(y[own], z[own], weight[own], begin)
            if found is not None:
                b[tasks] = found
        return b

    def _with_ptr(self, ptr):
        sizes = np.diff(ptr)
        return [(*group, np.concatenate([[0], np.cumsum(sizes[group[1]])])) for group in self._groups]


class OfClasses(Loss):
    """Base of the losses of two classes, y = -1 and y = +1."""

    classification = True
    silence = "a single class"

    def silent(self, y, ptr):
        return np.minimum.reduceat(y, ptr[:-1]) == np.maximum.reduceat(y, ptr[:-1])
