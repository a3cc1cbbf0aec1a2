"""Losses that are linear but for kinks."""

import numpy as np

from .._input import BELOW_ONE, FINITE, POSITIVE, check_number
from .base import Loss, OfClasses


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

    def interval(self, y):
        return np.broadcast_arrays(y, 0.0, *self._slopes(y))

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
        check_number(self.q, "Quantile's q", POSITIVE, BELOW_ONE, "a number between 0 and 1")


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

    def interval(self, y):
        return np.broadcast_arrays(y, self.epsilon, *self._slopes(y))

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
        check_number(self.epsilon, "EpsilonInsensitive's epsilon", 0, FINITE, "a finite number >= 0")


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
