"""Differential privacy of what a party sends: rows within declared bounds, Gaussian noise, and what it costs.

The noise is that of the analytic Gaussian mechanism: a sum that one row changes by at most D, with noise of standard
deviation s, is (epsilon, delta)-private if and only if

    Phi(D / 2s - epsilon s / D) - exp(epsilon) Phi(-D / 2s - epsilon s / D) <= delta

(Balle & Wang, 2018, Theorem 8). Any number of such releases, whichever are asked for after others have been seen, is
as private as one with (D / s)^2 = the sum of theirs, exactly (Dong, Roth & Su, 2022, Corollary 3.3). So one number is
all of an account: what of (D / s)^2 is spent.
"""

import os
from dataclasses import dataclass
from math import exp, sqrt

import numpy as np
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtri

from .. import _input

TOP = 1e6  # sensitivity per noise up to which is looked for


def delta_of(epsilon, mu):
    """The least delta for which noise with sensitivity / deviation = mu is (epsilon, delta)-private."""
    if mu == 0:
        return 0.0
    return max(exp(log_ndtr(mu / 2 - epsilon / mu)) - exp(epsilon + log_ndtr(-mu / 2 - epsilon / mu)), 0.0)


def mu_of(epsilon, delta):
    """The largest sensitivity / deviation that is (epsilon, delta)-private."""
    return exp(brentq(lambda at: delta_of(epsilon, exp(at)) - delta, np.log(1e-12), np.log(TOP), xtol=1e-13))


def epsilon_of(mu, delta):
    """The least epsilon for which noise with sensitivity / deviation = mu is (epsilon, delta)-private."""
    if delta_of(0.0, mu) <= delta:
        return 0.0
    high = 1.0
    while delta_of(high, mu) > delta:
        high *= 2
    return brentq(lambda epsilon: delta_of(epsilon, mu) - delta, 0.0, high, xtol=1e-12)


@dataclass(frozen=True)
class Privacy:
    """Bounds of rows, and noise by which all that a party ever sends is (epsilon, delta)-differentially private.

    Tables that differ in one row, added or taken away, are told apart by nothing that the party sends but with
    probabilities p <= exp(epsilon) q + delta: whoever sees all its messages, and asks whichever they like, learns that
    little of any one row. With one X for all tasks a row is that of all targets. It holds for one row: of somebody who
    has k rows the guarantee is k times weaker in epsilon, and more in delta.

    Rows are scaled by what is public, and shortened to ``bound_X`` and ``bound_y`` where they are longer; how many were
    is said in a warning where they are, and sent to nobody. All parties declare the same bounds and units.

    Parameters
    ----------
    epsilon : float
        Of all that the party ever sends together.
    delta : float
        The same; well below 1 / (number of rows).
    bound_X : float
        The largest length of (x - center_X) / scale_X; longer rows are shortened to it.
    bound_y : float
        The largest abs(y - center_y), or length of a row of targets less center_y; others are moved to it.
    center_X, scale_X : array-like of shape (d,) or float, default=0.0 and 1.0
        Known from elsewhere: taken from the rows themselves, they would tell of them.
    center_y : float, default=0.0
    rounds : int, default=3
        In how many rounds "logistic" and "huber" are fitted, each of which has an equal share; more have more noise.
        The squared loss has one. Targets need no bound there: ``bound_y`` counts for nothing.

    Raises
    ------
    ValueError
        For values that are not finite and positive, where these have to be, and a delta that is not below 1.

    Notes
    -----
    *Sensitivity of the statistics.* With u = (1, (x - center_X) / (scale_X bound_X)) and v = (y - center_y) / bound_y,
    abs(u)^2 <= 2 and abs(v) <= 1. What is sent of a task are the sums of u u', u v and v^2. The entries of a symmetric
    matrix that are beside its diagonal are there twice, so that they have noise of deviation s / sqrt(2), as the
    entries of u v have, and those of the diagonal and v^2 have s. In units of this noise, one row changes the sums by

        sqrt(abs(u)^4 + 2 abs(u)^2 v^2 + v^4) = abs(u)^2 + v^2 <= 3,

    times its weight, which is at most 1. With one X and T targets it is the same for a row v of targets without holes;
    with holes every task has a matrix of its own, and it is sqrt(4 T + 5). Tasks that have rows of their own do not
    share any, so that all their sums together are as private as those of one.

    *In rounds*, the sums are of h u u', v u and the weights, with h a curvature of the loss and v its slope,
    each in units of the largest that there is. One row changes them by sqrt(h^2 abs(u)^4 + 2 v^2 abs(u)^2 + 1) <= 3;
    with one X for T tasks by sqrt(T) times that.

    *What there is of noise* comes from the random numbers of the operating system. It is in floating point: the last
    digits of a sum may tell more than noise of real numbers would (Mironov, 2012).

    References
    ----------
    .. [1] Balle & Wang, Improving the Gaussian mechanism for differential privacy, ICML 2018.
    .. [2] Dong, Roth & Su, Gaussian differential privacy, JRSS B 84, 2022.
    .. [3] Mironov, On significance of the least significant bits for differential privacy, CCS 2012.

    Examples
    --------
    >>> from convexmtl.federated import Privacy
    >>> privacy = Privacy(epsilon=1.0, delta=1e-6, bound_X=3.0, bound_y=2.0)
    >>> round(3 / privacy.mu, 2)  # the deviation of the noise, where the rows count 3 at most
    12.67
    """

    epsilon: float
    delta: float
    bound_X: float
    bound_y: float
    center_X: object = 0.0
    scale_X: object = 1.0
    center_y: float = 0.0
    rounds: int = 3

    def __post_init__(self):
        for name in ("epsilon", "bound_X", "bound_y"):
            value = getattr(self, name)
            _input.check_number(value, name, np.nextafter(0, 1), np.finfo(float).max, "a positive number")
        _input.check_number(self.delta, "delta", np.nextafter(0, 1), np.nextafter(1, 0), "a number between 0 and 1")
        _input.check_number(self.center_y, "center_y", -np.finfo(float).max, np.finfo(float).max, "a number")
        _input.check_count(self.rounds, "rounds", 1)
        for name in ("center_X", "scale_X"):
            value = np.asarray(getattr(self, name), dtype=float)
            if value.ndim > 1 or not np.isfinite(value).all() or (name == "scale_X" and np.any(value <= 0)):
                kind = "positive, and " if name == "scale_X" else ""
                raise ValueError(f"{name} must be {kind}one finite number, or one for every feature, got {value!r}.")

    @property
    def mu(self):
        """The largest sensitivity / deviation of the noise, of all that is sent together.

        Returns
        -------
        float
        """
        return mu_of(self.epsilon, self.delta)

    def _units(self, n_features):
        """What has to be the same at all parties, in words of JSON."""
        both = (np.broadcast_to(np.asarray(of, dtype=float), n_features) for of in (self.center_X, self.scale_X))
        center, scale = (_one_if_equal(of.tolist()) for of in both)
        own = {name: float(getattr(self, name)) for name in ("bound_X", "bound_y", "center_y")}
        return own | {"center_X": center, "scale_X": scale}

    def _clipped(self, X, y):
        """(x, y, how many rows of X were longer, how many of y): within their bounds, which are 1 then.

        y is (n,) or (n, T), NaN where a target is missing.
        """
        X = np.asarray(X.toarray() if hasattr(X, "toarray") else X, dtype=float)
        for name in ("center_X", "scale_X"):
            if np.ndim(getattr(self, name)) and np.shape(getattr(self, name)) != X.shape[1:]:
                shape = np.shape(getattr(self, name))
                raise ValueError(f"{name} must be a number or have shape {X.shape[1:]}, as X has columns; got {shape}.")
        X = (X - self.center_X) / (np.asarray(self.scale_X) * self.bound_X)
        y = (y - self.center_y) / self.bound_y
        long_X = np.linalg.norm(X, axis=1)
        long_y = np.sqrt(np.nansum(y.reshape(len(y), -1) ** 2, axis=1))
        y = y / np.maximum(long_y, 1.0).reshape(-1, *[1] * (y.ndim - 1))
        return X / np.maximum(long_X, 1.0)[:, None], y, int(np.sum(long_X > 1)), int(np.sum(long_y > 1))


def _one_if_equal(values):
    return values[0] if len(set(values)) == 1 else values


class Account:
    """What of a Privacy is spent."""

    def __init__(self, privacy):
        self.privacy, self.total, self.spent = privacy, privacy.mu**2, 0.0

    def deviation(self, sensitivity, share=1.0):
        """The noise for one release that takes a share of all there is; it is spent with that.

        Raises
        ------
        RuntimeError
            Where less than that is left.
        """
        cost = share * self.total
        if self.spent + cost > self.total * (1 + 1e-9):
            raise RuntimeError(
                f"epsilon={self.privacy.epsilon:g} is spent: of what this party may tell, {1 - self.left:.0%} is told, "
                f"and this takes {share:.0%}. Make another Party only if what both tell may be added up."
            )
        self.spent += cost
        return sensitivity / sqrt(cost)

    @property
    def left(self):
        """Share of all there is."""
        return max(1 - self.spent / self.total, 0.0)

    @property
    def epsilon(self):
        """Of all that has been sent, at the delta that was declared."""
        return epsilon_of(sqrt(self.spent), self.privacy.delta) if self.spent else 0.0


def normal(shape, random_state=None):
    """Standard normal numbers, from the random numbers of the operating system unless there is a random_state."""
    if random_state is not None:
        return np.random.default_rng(random_state).standard_normal(shape)
    bits = np.frombuffer(os.urandom(8 * int(np.prod(shape))), dtype=np.uint64) >> np.uint64(11)
    return ndtri((bits + 0.5) * 2.0**-53).reshape(shape)
