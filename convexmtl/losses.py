"""Losses: stateless, elementwise, in numpy.

``y`` is the target, ``z`` the prediction and ``v`` the dual variable of a sample. Every loss owes
its value, first and second derivative in z, conjugate in z, and its textbook definition in cvxpy.
"""

from numbers import Real

import numpy as np
from scipy.special import expit, gammaln, wrightomega, xlogy
from sklearn.base import BaseEstimator

from ._words import counted, formula


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
    """

    curvature = None
    quadratic = False
    classification = False
    endless = False
    silence = "no target above zero"
    smooth = True
    by_sample = True

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

    def model_curvature(self, y, z):
        """Curvature > 0 of a quadratic model of the loss around z: the second derivative, kept away from zero."""
        return np.maximum(self.second(y, z), 1e-4 * self.curvature if self.curvature else 1e-12)

    def conjugate(self, y, v):
        """sup_z of v z - loss(y, z); inf outside its domain."""
        raise TypeError(f"{type(self).__name__} does not define conjugate")

    def prox(self, y, q, step):
        """argmin over z of loss(y, z) + (z - q)^2 / (2 step), step > 0.

        Here by Newton's method on z + step loss'(y, z) = q, which has its root between q and q - step loss'(y, q).
        """
        far = q - step * self.derivative(y, q)
        low, high = np.minimum(q, far), np.maximum(q, far)
        z, move = q, high - low
        for _ in range(100):
            excess = z - q + step * self.derivative(y, z)
            low, high = np.where(excess < 0, z, low), np.where(excess > 0, z, high)
            new = z - excess / (1 + step * self.second(y, z))
            # A Newton step that is not half as long as the one before may be one of an endless cycle.
            newton = (new > low) & (new < high) & (np.abs(new - z) <= 0.5 * move)
            new = np.where(excess == 0, z, np.where(newton, new, 0.5 * (low + high)))
            z, move = new, np.abs(new - z)
            if np.all(move <= 1e-16 * np.abs(q)):
                break
        return z

    def fenchel_gap(self, y, z, v):
        """loss(y, z) + conjugate(y, v) - z v >= 0: this sample's share of the duality gap."""
        return self.value(y, z) + self.conjugate(y, v) - z * v

    def inside(self, y, v):
        """v (N,), or what is nearest to it that a subgradient may be."""
        return v

    def reach(self, y, v):
        """The largest number s <= 1 for which s v may be subgradients."""
        return 1.0

    def give(self, y, z, v):
        """(N,) how easily dual variables near v (N,) move: by the second derivative at z, or as a kink allows."""
        return self.second(y, z)

    def report(self, y, z, weight, ptr):
        """Fitted attributes (name with trailing underscore -> value) of the samples ``ptr[t]:ptr[t + 1]`` of tasks."""
        return {}

    def log_likelihood(self, y, z):
        """Logarithm of the probability of y at the prediction z; None where the loss does not say it.

        That of the squared loss depends on the noise, too, for which there is ``quadratic``.
        """
        return None

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

        None where it has no closed form. What is returned for tasks without weight does not count.
        """
        return None

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
        groups = [(loss, own, np.flatnonzero(kind == tasks.kind[own[0]])) for loss, own in groups]
        return AtSamples(self, groups, tasks.offset)

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

    def reach(self, y, v):
        return min(loss.reach(y[own], v[own]) for loss, _, own in self._groups)

    def give(self, y, z, v):
        return self._each("give", y, v if z is None else z + self.offset, v)

    def log_likelihood(self, y, z):
        return self._each("log_likelihood", y, z + self.offset)

    def error(self, y, z):
        # Of several losses what the model adds up.
        return self._each("error" if len(self._groups) == 1 else "value", y, z + self.offset)

    def best_intercept(self, y, z, weight, ptr):
        z, b = z + self.offset, np.zeros(len(ptr) - 1)
        for loss, tasks, own in self._groups:
            sizes = np.diff(ptr)[tasks]
            found = loss.best_intercept(y[own], z[own], weight[own], np.concatenate([[0], np.cumsum(sizes)]))
            if found is None:
                return None
            b[tasks] = found
        return b


class ByTask(Loss):
    """loss(y_t, z_t) = loss_t(y_t, z_t), one for every task t.

    What a ``MultiTaskMixed`` estimator makes of its ``losses``.

    Parameters
    ----------
    losses : dict of task label -> str or Loss

    Examples
    --------
    >>> from convexmtl.losses import ByTask
    >>> ByTask({"price": "squared", "sold": "logistic"}).kinds(["sold", "price", "sold"])
    array([1, 0, 1])
    """

    def __init__(self, losses):
        self.losses = losses

    @property
    def _own(self):
        """({label: position in the list}, [each different loss])."""
        if not isinstance(self.losses, dict) or not self.losses:
            raise ValueError(f"losses must be a dict of task -> loss, got {self.losses!r}.")
        place, distinct, known = {}, [], {}
        for label, loss in self.losses.items():
            try:
                found = get_loss(loss)
            except ValueError as error:
                raise ValueError(f"losses[{label!r}]: {error}") from None
            key = repr(found)
            if key not in known:
                known[key] = len(distinct)
                distinct.append(found)
            place[label] = known[key]
        return place, distinct

    @property
    def distinct(self):
        """[each different loss], in the order of ``kinds``."""
        return self._own[1]

    @property
    def formula(self):
        place, distinct = self._own
        counts = np.bincount(list(place.values()))
        short = [loss.formula.partition(", for ")[0].partition("; ")[0] for loss in distinct]
        return "; ".join(f"{one} in {counted(int(n), 'task')}" for one, n in zip(short, counts, strict=True))

    @property
    def quadratic(self):
        return all(loss.quadratic for loss in self.distinct)

    def kinds(self, labels):
        place, labels = self._own[0], list(labels)
        missing = [label for label in labels if label not in place]
        if missing:
            raise ValueError(
                f"losses has no entry for task {missing[0]!r}; its entries are for {list(place)[:10]}: say which loss "
                "every task has."
            )
        strange = set(place) - set(labels)
        if strange:
            raise ValueError(
                f"losses has an entry for {sorted(map(repr, strange))[0]}, which is no task; the tasks are "
                f"{labels[:10]} (columns of a y without names are 0, 1, ...)."
            )
        return np.array([place[label] for label in labels], dtype=np.int64)

    def groups(self, tasks):
        distinct = self.distinct
        return [(distinct[k], np.flatnonzero(tasks.kind == k)) for k in np.unique(tasks.kind)]

    def mean(self, z):
        raise ValueError("losses differ between the tasks, and so do what predictions are made of: take single tasks.")

    def error(self, y, z):
        raise ValueError("losses differ between the tasks, so that errors of single samples are in different units.")


class OfClasses(Loss):
    """Base of the losses of two classes, y = -1 and y = +1."""

    classification = True
    silence = "a single class"

    def silent(self, y, ptr):
        return np.minimum.reduceat(y, ptr[:-1]) == np.maximum.reduceat(y, ptr[:-1])


class Squared(Loss):
    """loss(y, z) = (y - z)^2 / 2.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import Squared
    >>> print(Squared().value(np.array([0.0, 1.0]), np.array([2.0, 1.0])))
    [2. 0.]
    """

    curvature = 1.0
    quadratic = True

    def value(self, y, z):
        return 0.5 * (y - z) ** 2

    def derivative(self, y, z):
        return z - y

    def second(self, y, z):
        return np.ones_like(z)

    def conjugate(self, y, v):
        return v * y + 0.5 * v**2

    def prox(self, y, q, step):
        return q + step / (1 + step) * (y - q)

    def fenchel_gap(self, y, z, v):
        # The same number without the cancellation between large terms.
        return 0.5 * (z - y - v) ** 2

    def error(self, y, z):
        # Half a square is what is minimised, but not what anybody calls an error.
        return (y - z) ** 2

    def best_intercept(self, y, z, weight, ptr):
        total = np.add.reduceat(weight, ptr[:-1])

        def mean(r):
            return np.divide(np.add.reduceat(weight * r, ptr[:-1]), total, out=np.zeros_like(total), where=total > 0)

        b = mean(y - z)
        # Once more on the residual: the mean of large numbers is only as exact as they are.
        return b + mean(y - z - np.repeat(b, np.diff(ptr)))

    def expression(self, y, z, cp):
        return 0.5 * cp.square(y - z)


class Huber(Loss):
    """loss(y, z) = r^2 / 2 where abs(r) <= delta, else delta abs(r) - delta^2 / 2, with r = y - z.

    Parameters
    ----------
    delta : float, default=1.35
        Residual, in units of the target, beyond which the loss grows linearly.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import Huber
    >>> print(Huber(delta=1.0).value(np.array([0.0, 0.0]), np.array([0.5, 3.0])))
    [0.125 2.5  ]
    """

    curvature = 1.0

    def __init__(self, delta=1.35):
        self.delta = delta

    def value(self, y, z):
        r = np.abs(y - z)
        return np.where(r <= self.delta, 0.5 * r**2, self.delta * r - 0.5 * self.delta**2)

    def derivative(self, y, z):
        return np.clip(z - y, -self.delta, self.delta)

    def second(self, y, z):
        return (np.abs(z - y) <= self.delta).astype(float)

    def model_curvature(self, y, z):
        # Beyond delta a share of the curvature delta / r of the parabola that touches the loss from above: with
        # the second derivative, 0, the model says nothing of where the residual would come back.
        r = np.abs(z - y)
        return np.where(r <= self.delta, 1.0, 0.2 * self.delta / np.maximum(r, self.delta))

    def conjugate(self, y, v):
        return np.where(np.abs(v) <= self.delta * (1 + 1e-12), v * y + 0.5 * v**2, np.inf)

    def prox(self, y, q, step):
        return q - step * np.clip((q - y) / (1 + step), -self.delta, self.delta)

    def expression(self, y, z, cp):
        return 0.5 * cp.huber(y - z, self.delta)

    def check_targets(self, y):
        if not (np.isfinite(self.delta) and self.delta > 0):
            raise ValueError(f"Huber's delta must be positive and finite, got {self.delta!r}.")


class Poisson(Loss):
    """loss(y, z) = exp(z) - y z, for counts y >= 0; the prediction of the mean is exp(z).

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import Poisson
    >>> print(Poisson().value(np.array([3.0]), np.array([0.0])))
    [1.]
    >>> print(Poisson().mean(np.array([0.0])))  # what a regressor predicts
    [1.]
    """

    def value(self, y, z):
        with np.errstate(over="ignore"):
            return np.exp(z) - y * z

    def derivative(self, y, z):
        with np.errstate(over="ignore"):
            return np.exp(z) - y

    def second(self, y, z):
        with np.errstate(over="ignore"):
            return np.exp(z)

    def conjugate(self, y, v):
        s = v + y
        floor = -1e-12 * (1 + y)
        with np.errstate(invalid="ignore"):
            return np.where(s >= floor, xlogy(np.maximum(s, 0), np.maximum(s, 0)) - s, np.inf)

    def prox(self, y, q, step):
        # With z = q + step y - w: w exp(w) = step exp(q + step y), which is Lambert's function of it.
        top = q + step * y
        w = wrightomega(top + np.log(step))
        return np.where(w > 1, np.log(np.maximum(w, 1)) - np.log(step), top - w)

    def fenchel_gap(self, y, z, v):
        # s log(s / m) - s + m with s = y + v and m = exp(z), without its cancellation where they are close.
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            mean = np.exp(z)
            ratio = (y - mean + v) / mean
            close = np.abs(ratio) < 0.5
            ratio = np.where(close, ratio, 0.0)
            far = mean - y * z + self.conjugate(y, v) - z * v
            return np.where(close, mean * ((1 + ratio) * np.log1p(ratio) - ratio), far)

    def best_intercept(self, y, z, weight, ptr):
        return _log_sums(weight * y, np.zeros_like(z), ptr) - _log_sums(weight, z, ptr)

    def expression(self, y, z, cp):
        return cp.exp(z) - cp.multiply(y, z)

    def log_likelihood(self, y, z):
        return -self.value(y, z) - gammaln(y + 1)

    def mean(self, z):
        return np.exp(z)

    def check_targets(self, y):
        if np.any(y < 0):
            raise ValueError(f"loss='poisson' needs targets y >= 0 (counts), got {y.min():g}.")

    def constant(self, y, ptr):
        return _rare_counts(y, ptr)

    def away(self, offset, ptr):
        return _log_means(offset, ptr)


class Tweedie(Loss):
    """loss(y, z) = exp((2 - p) z) / (2 - p) + y exp((1 - p) z) / (p - 1), p = power, for targets y >= 0.

    For zeros beside positive targets with long tails, such as costs or rain; the prediction of the mean is exp(z).
    Half the deviance of a Tweedie distribution, whose variance is mean^p, up to what does not depend on z: as in
    ``sklearn.linear_model.TweedieRegressor`` with a log link. For p = 1 it is the loss of ``Poisson``,
    for p = 2 that of ``Gamma``, whose targets have to be positive; for other p than these and those in between it is
    not convex.

    Parameters
    ----------
    power : float in [1, 2], default=1.5

    References
    ----------
    Jorgensen (1987), Journal of the Royal Statistical Society B 49.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import Tweedie
    >>> print(Tweedie(power=1.5).value(np.array([0.0, 3.0]), np.array([0.0, 0.0])))
    [2. 8.]
    >>> print(Tweedie(power=1.5).mean(np.array([0.0])))  # what a regressor predicts
    [1.]
    """

    def __init__(self, power=1.5):
        self.power = power

    @property
    def _rates(self):
        """(a, b) with derivative exp(a z) - y exp(-b z)."""
        return 2.0 - self.power, self.power - 1.0

    def value(self, y, z):
        a, b = self._rates
        return _exponential(z, a) + y * _exponential(-z, b)

    def derivative(self, y, z):
        a, b = self._rates
        with np.errstate(over="ignore"):
            return np.exp(a * z) - y * np.exp(-b * z)

    def second(self, y, z):
        a, b = self._rates
        with np.errstate(over="ignore"):
            return a * np.exp(a * z) + b * y * np.exp(-b * z)

    def _where(self, y, v):
        """(z with derivative(y, z) = v, whether it is at infinity, whether there is none); 0 where it is not finite."""
        a, b = self._rates
        # Off the ends of the domain only by rounding is at them.
        room = v + y if b == 0 else 1 - v if a == 0 else np.where(y > 0, np.inf, v)
        end, outside = room <= 0, ~(room >= -1e-12 * (1 + y)) | ((a == 0) & (y <= 0))
        y, v = np.where(end | outside, 1.0, y), np.where(end | outside, 0.0, v)
        if b == 0:
            z = np.log(y + v)
        elif a == 0:
            z = np.log(y) - np.log1p(-v)
        else:
            z = _balance(a, b, y, v)
        return np.where(end | outside, 0.0, z), end & ~outside, outside

    def conjugate(self, y, v):
        z, end, outside = self._where(y, v)
        return np.where(outside, np.inf, np.where(end, 0.0, v * z - self.value(y, z)))

    def fenchel_gap(self, y, z, v):
        a, b = self._rates
        at, end, outside = self._where(y, v)
        # Bregman's divergence of z from where the derivative is v; near to it without what cancels.
        move = np.where(end | outside, np.inf, z - at)
        close = np.abs(move) < 1
        move = np.where(close, move, 0.0)
        with np.errstate(over="ignore", invalid="ignore"):
            near = np.exp(a * at) * _beyond_line(move, a) + y * np.exp(-b * at) * _beyond_line(-move, b)
            far = self.value(y, z) + np.where(end, 0.0, v * at - self.value(y, at)) - z * v
        return np.where(outside, np.inf, np.where(close, near, far))

    def best_intercept(self, y, z, weight, ptr):
        a, b = self._rates
        return _log_sums(weight * y, -b * z, ptr) - _log_sums(weight, a * z, ptr)

    def expression(self, y, z, cp):
        a, b = self._rates
        rising = cp.exp(a * z) / a if a else z
        return rising + (cp.multiply(y, cp.exp(-b * z)) / b if b else -cp.multiply(y, z))

    def mean(self, z):
        return np.exp(z)

    def check_targets(self, y):
        if not (isinstance(self.power, Real) and 1 <= self.power <= 2):
            raise ValueError(
                f"Tweedie's power must be in [1, 2], got {self.power!r}: beyond, the loss is not convex under a log "
                "link (for 0, the normal distribution, use loss='squared' of log y)."
            )
        if self.power < 2:
            _refuse_negative(self, y)
        elif np.any(y <= 0):
            raise ValueError(
                f"loss={self!r} needs targets y > 0, got {y.min():g}: drop such rows, or use Tweedie(power) with a "
                "power below 2, which takes zeros."
            )

    def constant(self, y, ptr):
        return _rare_counts(y, ptr)

    def away(self, offset, ptr):
        return _log_means(offset, ptr)


class Gamma(Tweedie):
    """loss(y, z) = z + y exp(-z), for targets y > 0; the prediction of the mean is exp(z).

    For targets whose deviation grows with their mean, such as durations and costs. Half the deviance
    of the gamma distribution, up to what does not depend on z, as in
    ``sklearn.linear_model.GammaRegressor``.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import Gamma
    >>> print(Gamma().value(np.array([3.0]), np.array([0.0])))
    [3.]
    """

    power = 2.0

    def __init__(self):
        pass

    def prox(self, y, q, step):
        # With z = q - step + w: w exp(w) = step y exp(step - q), which is Lambert's function of it.
        with np.errstate(divide="ignore"):
            top = step - q + np.log(step * y)
        return q - step + wrightomega(top)


def _exponential(x, rate):
    """exp(rate x) / rate, less a constant where the rate is 0: x."""
    with np.errstate(over="ignore"):
        return np.exp(rate * x) / rate if rate else np.asarray(x, dtype=float)


def _beyond_line(x, rate):
    """What exp(rate x) / rate is above its tangent at x = 0."""
    return (np.expm1(rate * x) - rate * x) / rate if rate else np.zeros_like(x)


def _balance(a, b, y, v):
    """z with exp(a z) - y exp(-b z) = v, for a, b > 0 and y > 0, or y = 0 and v > 0.

    By Newton's method on the logarithms of two sides that are sums: their difference is convex and monotone in z,
    so that from a point where it is positive steps only go one way, and soon are quadratic.
    """
    up = v >= 0
    with np.errstate(divide="ignore"):
        log_y, log_v = np.log(y), np.log(np.abs(v))
        z = np.where(up, np.maximum(log_y / (a + b), log_v / a), np.minimum(log_y / (a + b), (log_y - log_v) / b))
        for _ in range(60):
            # up: log(v + y exp(-b z)) - a z = 0, else log(-v + exp(a z)) - (log y - b z) = 0.
            inner = np.where(up, log_y - b * z, a * z)
            total = np.logaddexp(log_v, inner)
            share = np.exp(inner - total)
            excess, slope = total - np.where(up, a * z, log_y - b * z), np.where(up, -b * share - a, a * share + b)
            step = excess / slope
            z = z - step
            if not np.any(np.abs(step) > 1e-16 * (1 + np.abs(z))):
                break
    return z


def _log_sums(factor, exponent, ptr):
    """(T,) log of the sums over each task of factor exp(exponent), factor >= 0, which nothing makes overflow."""
    begin, counts = ptr[:-1], np.diff(ptr)
    top = np.maximum.reduceat(np.where(factor > 0, exponent, -np.inf), begin)
    top = np.where(np.isfinite(top), top, 0.0)
    shifted = np.minimum(exponent - np.repeat(top, counts), 0.0)
    sums = np.add.reduceat(factor * np.exp(shifted), begin)
    return np.log(np.maximum(sums, np.finfo(float).tiny)) + top


def _log_means(offset, ptr):
    """(T,) log of the mean of exp(offset)."""
    return _log_sums(np.ones_like(offset), offset, ptr) - np.log(np.diff(ptr))


def _rare_counts(y, ptr):
    """(T,) for tasks of zeros the logarithm of half a target of 1 beside them, else NaN."""
    return np.where(np.maximum.reduceat(y, ptr[:-1]) > 0, np.nan, np.log(0.5 / np.diff(ptr)))


def _refuse_negative(loss, y):
    if np.any(y < 0):
        raise ValueError(f"loss={loss!r} needs targets y >= 0, got {y.min():g}.")


class Logistic(OfClasses):
    """loss(y, z) = log(1 + exp(-y z)), y in {-1, +1}.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import Logistic
    >>> print(Logistic().value(np.array([1.0, -1.0]), np.array([0.0, 2.0])).round(3))
    [0.693 2.127]
    >>> print(Logistic().probability(np.array([0.0])))
    [0.5]
    """

    curvature = 0.25
    endless = True

    def value(self, y, z):
        return np.logaddexp(0.0, -y * z)

    def derivative(self, y, z):
        return -y * expit(-y * z)

    def second(self, y, z):
        return expit(z) * expit(-z)

    def conjugate(self, y, v):
        s = -v * y
        inside = (s >= -1e-12) & (s <= 1 + 1e-12)
        s = np.clip(s, 0, 1)
        return np.where(inside, xlogy(s, s) + xlogy(1 - s, 1 - s), np.inf)

    def expression(self, y, z, cp):
        return cp.logistic(-cp.multiply(y, z))

    def log_likelihood(self, y, z):
        return -self.value(y, z)

    def probability(self, z):
        """P(y = 1)."""
        return expit(z)

    def constant(self, y, ptr):
        # One class only: its log-odds after adding half a sample of either class.
        low, high = np.minimum.reduceat(y, ptr[:-1]), np.maximum.reduceat(y, ptr[:-1])
        return np.where(low == high, np.sign(low) * np.log((np.diff(ptr) + 0.5) / 0.5), np.nan)


class SquaredHinge(OfClasses):
    """loss(y, z) = max(0, 1 - y z)^2 / 2, y in {-1, +1}.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import SquaredHinge
    >>> print(SquaredHinge().value(np.array([1.0, 1.0, -1.0]), np.array([2.0, 0.0, 1.0])))
    [0.  0.5 2. ]
    """

    curvature = 1.0

    def value(self, y, z):
        return 0.5 * np.maximum(0.0, 1 - y * z) ** 2

    def derivative(self, y, z):
        return -y * np.maximum(0.0, 1 - y * z)

    def second(self, y, z):
        return (y * z < 1).astype(float)

    def conjugate(self, y, v):
        return np.where(v * y <= 1e-12, v * y + 0.5 * v**2, np.inf)

    def prox(self, y, q, step):
        return q + y * step / (1 + step) * np.maximum(0.0, 1 - y * q)

    def expression(self, y, z, cp):
        return 0.5 * cp.square(cp.pos(1 - cp.multiply(y, z)))


class Kinked(Loss):
    """Base of the losses that are linear but for kinks; a member owes ``_slopes``, the ends of its subgradients."""

    smooth = False

    def _slopes(self, y):
        """(lowest, highest) slope of the loss in z."""
        raise TypeError(f"{type(self).__name__} does not define its slopes")

    def second(self, y, z):
        return np.zeros(np.shape(z))

    def model_curvature(self, y, z):
        return np.ones(np.shape(z))

    def inside(self, y, v):
        return np.clip(v, *self._slopes(y))

    def reach(self, y, v):
        end = np.where(v > 0, *self._slopes(y)[::-1])
        if np.any((end == 0) & (np.abs(v) > 1e-12)):
            return 0.0
        return 1 / max(1.0, float(np.max(np.divide(v, end, out=np.zeros(np.shape(v)), where=end != 0), initial=0.0)))

    def give(self, y, z, v):
        low, high = self._slopes(y)
        return ((v > low + 1e-9) & (v < high - 1e-9)).astype(float)

    def _within(self, y, v):
        low, high = self._slopes(y)
        return (v >= low - 1e-12) & (v <= high + 1e-12)


class Quantile(Kinked):
    """loss(y, z) = q (y - z) where y > z, else (1 - q) (z - y): z is the q-quantile of y.

    Parameters
    ----------
    q : float in (0, 1), default=0.5

    References
    ----------
    Koenker, Bassett (1978), Econometrica.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import Quantile
    >>> print(Quantile(q=0.9).value(np.array([1.0, 0.0]), np.array([0.0, 1.0])).round(3))
    [0.9 0.1]
    """

    def __init__(self, q=0.5):
        self.q = q

    def _slopes(self, y):
        return -self.q, 1 - self.q

    def value(self, y, z):
        return np.maximum(self.q * (y - z), (1 - self.q) * (z - y))

    def derivative(self, y, z):
        return np.where(y > z, -self.q, np.where(y < z, 1 - self.q, 0.0))

    def conjugate(self, y, v):
        return np.where(self._within(y, v), v * y, np.inf)

    def prox(self, y, q, step):
        return q + np.clip(y - q, -step * (1 - self.q), step * self.q)

    def best_intercept(self, y, z, weight, ptr):
        return _level(y - z, weight, ptr, self.q)

    def expression(self, y, z, cp):
        return cp.maximum(self.q * (y - z), (1 - self.q) * (z - y))

    def check_targets(self, y):
        if isinstance(self.q, bool) or not (np.ndim(self.q) == 0 and 0 < self.q < 1):
            raise ValueError(f"Quantile's q must be a number between 0 and 1, got {self.q!r}.")


class Absolute(Kinked):
    """loss(y, z) = abs(y - z), whose best z is the median; twice that of ``Quantile(0.5)``.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import Absolute
    >>> print(Absolute().value(np.array([1.0, 0.0]), np.array([0.0, 3.0])))
    [1. 3.]
    """

    def _slopes(self, y):
        return -1.0, 1.0

    def value(self, y, z):
        return np.abs(y - z)

    def derivative(self, y, z):
        return np.sign(z - y)

    def conjugate(self, y, v):
        return np.where(self._within(y, v), v * y, np.inf)

    def prox(self, y, q, step):
        return q + np.clip(y - q, -step, step)

    def best_intercept(self, y, z, weight, ptr):
        return _level(y - z, weight, ptr, 0.5)

    def expression(self, y, z, cp):
        return cp.abs(y - z)


class EpsilonInsensitive(Kinked):
    """loss(y, z) = max(0, abs(y - z) - epsilon).

    Parameters
    ----------
    epsilon : float >= 0, default=0.1
        Residual, in units of the target, up to which nothing is lost.

    References
    ----------
    Vapnik (1995), The Nature of Statistical Learning Theory.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import EpsilonInsensitive
    >>> print(EpsilonInsensitive(epsilon=0.5).value(np.array([1.0, 0.0]), np.array([0.75, 2.0])))
    [0.  1.5]
    """

    def __init__(self, epsilon=0.1):
        self.epsilon = epsilon

    def _slopes(self, y):
        return -1.0, 1.0

    def value(self, y, z):
        return np.maximum(0.0, np.abs(y - z) - self.epsilon)

    def derivative(self, y, z):
        return np.where(np.abs(z - y) > self.epsilon, np.sign(z - y), 0.0)

    def give(self, y, z, v):
        # (At 0 as well, between the two kinks.)
        return super().give(y, z, v) * (np.abs(v) > 1e-9) if self.epsilon > 0 else super().give(y, z, v)

    def conjugate(self, y, v):
        return np.where(self._within(y, v), v * y + self.epsilon * np.abs(v), np.inf)

    def prox(self, y, q, step):
        r = y - q
        return q + np.clip(r - np.clip(r, -self.epsilon, self.epsilon), -step, step)

    def best_intercept(self, y, z, weight, ptr):
        # Two kinks for every sample, task by task.
        r, order = y - z, np.argsort(np.repeat(np.repeat(np.arange(len(ptr) - 1), np.diff(ptr)), 2), kind="stable")
        kinks = np.stack([r - self.epsilon, r + self.epsilon], axis=1).ravel()[order]
        return _level(kinks, np.repeat(weight, 2)[order], 2 * ptr, 0.5)

    def expression(self, y, z, cp):
        return cp.pos(cp.abs(y - z) - self.epsilon)

    def check_targets(self, y):
        if isinstance(self.epsilon, bool) or not (np.ndim(self.epsilon) == 0 and 0 <= self.epsilon < np.inf):
            raise ValueError(f"EpsilonInsensitive's epsilon must be a finite number >= 0, got {self.epsilon!r}.")


class Hinge(Kinked, OfClasses):
    """loss(y, z) = max(0, 1 - y z), y in {-1, +1}.

    References
    ----------
    Cortes, Vapnik (1995), Machine Learning; Evgeniou, Pontil (2004), KDD, for several tasks.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import Hinge
    >>> print(Hinge().value(np.array([1.0, 1.0, -1.0]), np.array([2.0, 0.0, 1.0])))
    [0. 1. 2.]
    """

    def _slopes(self, y):
        return np.minimum(-y, 0.0), np.maximum(-y, 0.0)

    def value(self, y, z):
        return np.maximum(0.0, 1 - y * z)

    def derivative(self, y, z):
        return np.where(y * z < 1, -y, 0.0)

    def conjugate(self, y, v):
        return np.where(self._within(y, v), v * y, np.inf)

    def prox(self, y, q, step):
        return q + y * np.clip(1 - y * q, 0.0, step)

    def best_intercept(self, y, z, weight, ptr):
        begin = ptr[:-1]
        total, ups = np.add.reduceat(weight, begin), np.add.reduceat(np.where(y > 0, weight, 0.0), begin)
        return _level(y - z, weight, ptr, np.divide(ups, total, out=np.zeros_like(total), where=total > 0))

    def expression(self, y, z, cp):
        return cp.pos(1 - cp.multiply(y, z))


class Sqrt(Loss):
    """loss(y_t, z_t) = sqrt(mean_i (y_ti - z_ti)^2), of all samples of a task t at once, weighted as they are.

    A task with noise of deviation s counts 1/s of what it would in the squared loss, whatever s is, and strengths do
    not depend on it: alpha here is alpha ``noise_`` there, where there is one task. ``noise_`` (T,) is the loss itself.

    References
    ----------
    Belloni, Chernozhukov, Wang (2011), Biometrika; Liu, Wang, Zhao (2014), JMLR, for several tasks.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import BlockSparseRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 5))
    >>> Y = X[:, :1] @ np.ones((1, 2)) + np.array([0.1, 1.0]) * rng.normal(size=(200, 2))
    >>> model = BlockSparseRegressor(alpha=0.1, loss="sqrt").fit(X, Y)
    >>> print(model.noise_.round(1))
    [0.1 1.1]
    """

    smooth = False
    by_sample = False
    _tasks = None

    def at(self, tasks):
        bound = Sqrt()
        bound._tasks = tasks
        return bound

    def _norms(self, r):
        """For every sample the root of the weighted mean of the squares of its task."""
        tasks = self._tasks
        if tasks is None:
            return np.full(np.shape(r), np.sqrt(np.mean(np.square(r))))
        return tasks.spread(self._by_task(r, tasks.weight, tasks.ptr))

    def _by_task(self, r, weight, ptr):
        # In units of the largest, whose square may be beyond the range of numbers.
        unit = np.maximum(np.max(np.abs(r), where=weight > 0, initial=0.0), np.finfo(float).tiny)
        total = np.add.reduceat(weight, ptr[:-1])
        squares = np.add.reduceat(weight * (r / unit) ** 2, ptr[:-1])
        return unit * np.sqrt(np.divide(squares, total, out=np.zeros_like(total), where=total > 0))

    def value(self, y, z):
        return self._norms(y - z)

    def derivative(self, y, z):
        norms = self._norms(z - y)
        return np.divide(z - y, norms, out=np.zeros(np.shape(norms)), where=norms > 0)

    def second(self, y, z):
        return np.zeros(np.shape(z))

    def model_curvature(self, y, z):
        return np.ones(np.shape(z))

    def inside(self, y, v):
        return v / np.maximum(1.0, self._norms(v))

    def reach(self, y, v):
        return 1 / max(1.0, float(np.max(self._norms(v), initial=0.0)))

    def give(self, y, z, v):
        return np.ones(np.shape(v))

    def conjugate(self, y, v):
        return np.where(self._norms(v) <= 1 + 1e-12, v * y, np.inf)

    def fenchel_gap(self, y, z, v):
        norms = self._norms(v)
        return np.where(norms <= 1 + 1e-12, self._norms(y - z) + v * (y - z), np.inf)

    def prox(self, y, q, step):
        norms = self._norms(q - y)
        return y + (q - y) * np.maximum(0.0, 1 - np.divide(step, norms, out=np.ones(np.shape(norms)), where=norms > 0))

    def error(self, y, z):
        return (y - z) ** 2

    def best_intercept(self, y, z, weight, ptr):
        return Squared().best_intercept(y, z, weight, ptr)

    def report(self, y, z, weight, ptr):
        """``noise_`` (T,)."""
        return {"noise_": self._by_task(y - z, weight, ptr)}

    def total_expression(self, y, z, weight, cp):
        total = weight.sum()
        return np.sqrt(total) * cp.norm(cp.multiply(np.sqrt(weight), y - z), 2)


def _level(points, weight, ptr, level):
    """(T,) for every task the point up to which ``level`` (T,) of the weights are; the middle between two, where it
    is any between them."""
    counts, T = np.diff(ptr), len(ptr) - 1
    order = np.lexsort((points, np.repeat(np.arange(T), counts)))
    # (Points without weight are as good as absent: they are put at their neighbour with one.)
    points, weight = points[order], weight[order]
    kept = weight > 0
    sizes = np.add.reduceat(kept.astype(np.int64), ptr[:-1])
    points, weight = points[kept], weight[kept]
    begin = np.concatenate([[0], np.cumsum(sizes)])
    some = np.flatnonzero(sizes)
    out = np.zeros(T)
    if not len(some):
        return out
    sums = np.cumsum(weight)
    before = np.concatenate([[0.0], sums])[begin[some]]
    total = np.add.reduceat(weight, begin[some])
    wanted = np.broadcast_to(level, T)[some] * total
    reached = sums - np.repeat(before, sizes[some])
    slack = 1e-12 * total

    def first(least):
        """Position of the first point at which as much is reached."""
        short = (reached < np.repeat(least, sizes[some])).astype(np.int64)
        return np.minimum(np.add.reduceat(short, begin[some]), sizes[some] - 1) + begin[some]

    low, high = first(wanted - slack), first(wanted + slack)
    # With nothing below, or all: the end itself.
    low = np.where(wanted <= slack, high, low)
    out[some] = 0.5 * (points[low] + points[high])
    return out


LOSSES = {
    "squared": Squared,
    "huber": Huber,
    "poisson": Poisson,
    "gamma": Gamma,
    "logistic": Logistic,
    "squared_hinge": SquaredHinge,
    "quantile": Quantile,
    "absolute": Absolute,
    "epsilon_insensitive": EpsilonInsensitive,
    "hinge": Hinge,
    "sqrt": Sqrt,
}


def get_loss(loss):
    """The Loss of that name, or the Loss itself."""
    if isinstance(loss, Loss):
        return loss
    if isinstance(loss, str) and loss in LOSSES:
        return LOSSES[loss]()
    raise ValueError(f"loss must be one of {sorted(LOSSES)} or a Loss object, got {loss!r}.")
