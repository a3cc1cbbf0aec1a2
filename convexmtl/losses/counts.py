"""Losses of counts and of positive targets, whose prediction of the mean is exp(z)."""

from numbers import Real

import numpy as np
from scipy.special import gammaln, wrightomega, xlogy

from .base import Loss


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
        return _exponential(z, a) + y * _exponential(-np.where(y > 0, z, 0.0), b)

    def derivative(self, y, z):
        a, b = self._rates
        with np.errstate(over="ignore"):
            return np.exp(a * z) - y * np.exp(-b * np.where(y > 0, z, 0.0))

    def second(self, y, z):
        a, b = self._rates
        with np.errstate(over="ignore"):
            return a * np.exp(a * z) + b * y * np.exp(-b * np.where(y > 0, z, 0.0))

    def beyond(self, y, q, step):
        # Where the loss is lowest; that of y = 0 has a derivative of 1 at most below zero. (At q it may overflow.)
        return np.where(y > 0, np.log(np.where(y > 0, y, 1.0)), np.minimum(q, 0.0) - step)

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
        if isinstance(self.power, bool) or not (isinstance(self.power, Real) and 1 <= self.power <= 2):
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
