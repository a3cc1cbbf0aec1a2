"""Smooth losses of classes."""

import numpy as np
from scipy.special import expit

from .base import OfClasses

TINY = np.finfo(float).tiny


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

    # (All of exp(-abs(z)), which does not overflow, by functions that numpy has for many numbers at once.)

    def value(self, y, z):
        m = y * z
        return np.log1p(np.exp(-np.abs(m))) - np.minimum(m, 0.0)

    def derivative(self, y, z):
        m = y * z
        e = np.exp(-np.abs(m))
        return -y * np.where(m > 0, e, 1.0) / (1.0 + e)

    def second(self, y, z):
        e = np.exp(-np.abs(z))
        return e / (1.0 + e) ** 2

    def level(self, y, weight, ptr):
        total, positive = np.add.reduceat(weight, ptr[:-1]), np.add.reduceat(np.where(y > 0, weight, 0.0), ptr[:-1])
        both = (positive > 0) & (positive < total)
        return np.log(np.divide(positive, total - positive, out=np.ones_like(total), where=both))

    def derivatives(self, y, z):
        s = expit(-y * z)
        return -y * s, s * (1 - s)

    def conjugate(self, y, v):
        s = -v * y
        inside = (s >= -1e-12) & (s <= 1 + 1e-12)
        s = np.clip(s, 0, 1)
        r = 1 - s
        return np.where(inside, s * np.log(np.maximum(s, TINY)) + r * np.log(np.maximum(r, TINY)), np.inf)

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
