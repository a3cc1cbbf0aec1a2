"""Smooth losses of real targets."""

import numpy as np

from .._input import FINITE, POSITIVE, check_number
from .base import Loss


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
        return b + mean(y - z - np.repeat(b, ptr[1:] - ptr[:-1]))

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
        check_number(self.delta, "Huber's delta", POSITIVE, FINITE, "positive and finite")
