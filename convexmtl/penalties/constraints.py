"""Constraints on W, as penalties: 0 where they hold, infinite elsewhere."""

import numpy as np

from .._words import counted, figure
from ..coupling import Nested
from ._manifold import of_entries, settled
from .base import Canonical, Penalty

ROUNDING = 1e-14  # of the largest coefficient: what a sum of parts misses of a bound


class Constraint(Penalty):
    """Omega(W) = 0 on a convex set of W, else infinity. Nothing scales it, and alone it asks for nothing else.

    A member owes ``feasible``, the nearest W in the set, which is its prox; ``conjugate``; ``dual_part``, a Z at which
    that is finite; and ``holds``.

    Examples
    --------
    >>> from convexmtl import Box
    >>> from convexmtl.penalties import Constraint
    >>> isinstance(Box(low=0.0), Constraint)
    True
    """

    strengths = ()
    is_norm = False
    is_constraint = True
    has_rows = False  # whether it is one on sums of coefficients, and not on each of them

    def check_allowed(self, names, labels):
        """Raise a ValueError where no W is in the set, that of all constraints of the penalties of these names."""

    def holds(self, W):
        """Whether W is in the set."""
        raise TypeError(f"{type(self).__name__} does not define holds")

    def resolve(self, n_features, labels):
        self.check(n_features, labels)
        return Canonical((self,), Nested(len(labels), [0.0]))

    def value(self, W):
        return 0.0 if self.holds(W) else np.inf

    def prox(self, V, step):
        return self.feasible(V)

    def scaled(self, factor):
        return self

    @property
    def binds_zero(self):
        """Whether W = 0 is in the set but some W near it are not; None where it is not in the set itself."""
        raise TypeError(f"{type(self).__name__} does not define binds_zero")

    # What constraints with the parameters low and high have in common.

    def check_bounds(self, shape, axes, labels):
        """Raise a ValueError for bounds that are no numbers, do not broadcast to this shape, or leave nothing."""
        name, bounds = type(self).__name__, []
        for side in ("low", "high"):
            value = getattr(self, side)
            try:
                bound = np.broadcast_to(np.asarray(value, dtype=float), shape)
            except (TypeError, ValueError):
                raise ValueError(
                    f"{name}'s {side} must be a number, or numbers that broadcast to {axes} = {shape}, got "
                    f"{shown(value)}."
                ) from None
            if np.isnan(bound).any():
                raise ValueError(
                    f"{name}'s {side} must not be NaN, got {shown(value)}: use infinity where there is none."
                )
            bounds.append(bound)
        low, high = bounds
        wrong = (low > high) | (low == np.inf) | (high == -np.inf)
        if wrong.any():
            j, t = np.argwhere(wrong)[0]
            raise ValueError(
                f"{name} needs low <= high with low < inf and high > -inf, got low = {low[j, t]:g} and "
                f"high = {high[j, t]:g} for {self.where(j, t, labels)}."
            )

    @property
    def _low(self):
        return np.asarray(self.low, dtype=float)

    @property
    def _high(self):
        return np.asarray(self.high, dtype=float)

    def with_task(self, labels, place):
        if max(np.ndim(bound) and np.shape(bound)[-1] for bound in (self.low, self.high)) > 1:
            name, rows = type(self).__name__, "m" if self.has_rows else "d"
            raise ValueError(
                f"{name} has bounds for each of the old tasks, which say nothing of a new one: give bounds for all "
                f"tasks, ({rows}, 1) or a number, before fit."
            )
        return self

    def parameters(self):
        return {}


class Box(Constraint):
    """Omega(W) = 0 where low <= W <= high, else infinity.

    Parameters
    ----------
    low, high : float or array-like that broadcasts to (d, T), default=-inf, inf
        Rows are features in the order of the columns of X, columns are tasks in the order of ``tasks_``: shape (d, 1)
        bounds every feature alike in all tasks. ``Box(low=0)`` is W >= 0.

    Raises
    ------
    ValueError
        When it is fitted, for bounds that are NaN, of another shape, or low > high.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import Box, MultiTaskRegressor, RowNorm
    >>> print(Box(low=0.0).prox(np.array([[3.0, -1.0]]), step=1.0))
    [[3. 0.]]
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 3))
    >>> Y = X @ np.array([[2.0, 1.0], [-1.0, -1.0], [0.0, 0.0]]) + 0.1 * rng.normal(size=(40, 2))
    >>> print((MultiTaskRegressor(RowNorm(0.1) + Box(low=0.0)).fit(X, Y).coef_ >= 0).all())
    True
    """

    by_rows = True

    def __init__(self, low=-np.inf, high=np.inf):
        self.low = low
        self.high = high

    def restrict(self, features):
        low, high = (b[features] if np.ndim(b) == 2 and len(b) > 1 else b for b in (self._low, self._high))
        return Box(low, high)

    def check(self, n_features, labels):
        self.check_bounds((n_features, len(labels)), "(features, tasks)", labels)

    def where(self, j, t, labels):
        return f"feature {j} in task {np.asarray(labels)[t]!s}"

    def of_columns(self, columns):
        def of(bound):
            own = np.shape(bound)[-1:] == (len(columns.counts),)
            return np.asarray(bound)[..., columns.owner] if own else bound

        return self.replaced(low=of(self.low), high=of(self.high))

    def within(self, other):
        if other.has_rows:
            return other.within(self)
        low, high = np.maximum(self._low, other._low), np.minimum(self._high, other._high)
        if np.any(low > high):
            largest = np.max(np.where(low > high, low, -np.inf))
            raise ValueError(
                f"no W is allowed by Box + Box: a lower bound of {largest:g} is above the upper bound of the other one "
                "for the same coefficient."
            )
        return Box(low, high)

    def holds(self, W):
        slack = ROUNDING * np.abs(W).max(initial=0.0)
        return bool(np.all((W >= self._low - slack) & (W <= self._high + slack)))

    def feasible(self, W):
        return np.clip(W, self._low, self._high)

    def manifold(self, W, Z):
        W = settled(self, W, Z)
        return of_entries((W > self._low) & (W < self._high))

    def conjugate(self, Z):
        with np.errstate(invalid="ignore"):
            worst = np.maximum(np.where(Z == 0, 0.0, Z * self._low), np.where(Z == 0, 0.0, Z * self._high))
        return float(worst.sum())

    def dual_part(self, Z):
        least, most = np.where(np.isinf(self._low), 0.0, -np.inf), np.where(np.isinf(self._high), 0.0, np.inf)
        return np.clip(Z, least, most)

    @property
    def binds_zero(self):
        if np.any(self._low > 0) or np.any(self._high < 0):
            return None
        return bool(np.any(self._low == 0) or np.any(self._high == 0))

    @property
    def kink(self):
        return self.near_zero if self.binds_zero else None

    def selects_coefficients(self, n_tasks):
        return n_tasks > 1 and bool(self.binds_zero)

    @property
    def near_zero(self):
        """The cone of all W such that a share of it is in the set, which has zero in it."""
        return Box(np.where(self._low == 0, 0.0, -np.inf), np.where(self._high == 0, 0.0, np.inf))

    def dual_norm(self, Z):
        """Of a cone: 0 at its subgradients at zero."""
        return 0.0 if self.conjugate(Z) == 0 else np.inf

    def expression(self, W, cp):
        low, high = (np.broadcast_to(bound, W.shape) for bound in (self._low, self._high))
        rules = []
        if np.isfinite(low).any():
            rules.append(W[np.isfinite(low)] >= low[np.isfinite(low)])
        if np.isfinite(high).any():
            rules.append(W[np.isfinite(high)] <= high[np.isfinite(high)])
        return 0.0, rules

    @property
    def formula(self):
        return f"0 where {shown(self.low)} <= W <= {shown(self.high)}, else infinity"

    def findings(self, W, labels):
        at = np.sum((W == self._low) | (W == self._high))
        return [f"{counted(int(at), 'coefficient')} of {W.size:,} at a bound"]

    asks = "coefficients within bounds"


def shown(bound):
    if np.ndim(bound) == 0:
        return figure(bound) if isinstance(bound, (int, float)) else repr(bound)
    return f"bounds of shape {np.shape(bound)}"
