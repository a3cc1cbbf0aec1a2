"""Row penalties: Omega(W) = sum_j phi(W_j.), one prox of one row each.

The compiled proxes take one step per task: they minimise sum_t (x_t - v_t)^2 / (2 step_t) + phi(x).
"""

import numpy as np

from .._jit import kernel
from ..coupling import share_in
from ._manifold import of_row_prox
from .base import Penalty

PROBES = 64  # rows on which a prox is tried for single zeros


@kernel("void(float64[:, ::1], float64[:, ::1], row_prox, float64[::1], int64[::1])")
def prox_rows(V, step, prox, fpar, ipar):
    """Replace every row of V by its prox, for steps (1 or m, T)."""
    each = step.shape[0] > 1
    for j in range(V.shape[0]):
        prox(V[j], step[j if each else 0], fpar, ipar, j)


@kernel("float64(float64[:, ::1], row_prox, float64[::1], int64[::1])")
def largest_dual_norm(Z, prox, fpar, ipar):
    """The smallest s for which the prox of Z / s is zero in all rows; infinite where none is.

    The distance of a row z from s times the dual ball is convex in s, and x = s prox(z / s) is what z lacks there:
    Newton's steps to its root, s <z, x> / (<z, x> - norm(x)^2), grow to it. Most rows are within the ball already.
    """
    d, T = Z.shape
    step, x = np.ones(T), np.empty(T)
    s = 0.0
    for j in range(d):
        size = np.abs(Z[j]).max()
        if size == 0.0:
            continue
        if not size < np.inf:
            return np.nan
        # In units of the row's largest entry. Whether r = s / size is known to be below the root, or a guess:
        before = s / size
        below = before > 1e-20
        r = before if below else 1.0
        for _ in range(2000):
            for t in range(T):
                x[t] = Z[j, t] / size / r
            prox(x, step, fpar, ipar, j)
            along = square = 0.0
            for t in range(T):
                along += x[t] * (Z[j, t] / size)
                square += x[t] * x[t]
            square *= r
            if not square < np.inf:
                return np.nan
            if not square * r > 1e-28:
                if below:
                    break
                # Too far: come from below.
                r *= 0.125
                if r <= max(before, 1e-300):
                    # What was not zero there was rounding.
                    r = before
                    break
                continue
            rest = along - square
            if rest <= 1e-3 * along:
                # So far below that the step would be rounding.
                r *= 100.0
                below = False
                if r > 1e250:
                    return np.inf
                continue
            below = True
            new = r * (along / rest)
            if not new > r * (1.0 + 1e-15):
                break
            r = new
        s = max(s, r * size)
    return s


class RowPenalty(Penalty):
    """Omega(W) = sum_j phi(W_j.). A member owes a compiled ``row_prox``, ``pack`` and ``value``.

    Attributes
    ----------
    row_prox : Kernel
        Made by the decorator of that name.
    blocks : Blocks or None
        Which rows are taken together as one long row.
    isotropic : bool
        Whether phi(x) depends on norm_2(x) alone.
    even_ratio : float
        Where the steps of a row differ by this factor at most, all are the shortest: for a prox that is quick if they
        are equal.
    step_ratio : float
        How much longer than the shortest the steps of a row may be for the prox to be quick; longer ones are cut.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl.penalties import RowPenalty, row_prox
    >>> class Lasso(RowPenalty):
    ...     def __init__(self, alpha=1.0):
    ...         self.alpha = alpha
    ...
    ...     @row_prox
    ...     def row_prox(row, step, fpar, ipar, feature):
    ...         for t in range(len(row)):
    ...             row[t] = np.sign(row[t]) * max(abs(row[t]) - fpar[0] * step[t], 0.0)
    ...
    ...     def pack(self):
    ...         return np.array([self.alpha]), np.zeros(0, dtype=np.int64)
    ...
    ...     def value(self, W):
    ...         return self.alpha * float(np.abs(W).sum())
    >>> print(Lasso(alpha=1.0).prox(np.array([[3.0, 0.5]]), step=np.ones(2)))
    [[2. 0.]]
    """

    row_wise = True
    blocks = None
    isotropic = False
    row_prox = None
    even_ratio = 1.0
    step_ratio = np.inf

    @property
    def by_rows(self):
        return self.blocks is None

    @property
    def formula(self):
        return f"{super().formula}, for W >= 0" if self.positive else super().formula

    def check(self, n_features, labels):
        super().check(n_features, labels)
        if not isinstance(self.positive, (bool, np.bool_)):
            raise ValueError(f"positive must be True or False, got {self.positive!r}.")

    def pack(self):
        """(float64 array, int64 array): what the compiled prox gets as ``fpar`` and ``ipar``."""
        return np.array([self.alpha], dtype=float), np.zeros(0, dtype=np.int64)

    def packs(self, factors):
        """(A, k) the ``fpar`` of this penalty times each of the factors (A,)."""
        return np.stack([self.scaled(factor).pack()[0] for factor in factors])

    def weighted(self, weights, ridge):
        """This penalty of the rows times their weights, with a ridge beside it."""
        from .weighted import WeightedRows

        return WeightedRows(self, weights, ridge)

    def in_groups(self, blocks):
        """This penalty of blocks of rows, each of them as one long row."""
        from .grouped import GroupedRows

        return GroupedRows(self, blocks)

    def of_block(self, size):
        """This penalty of one long row that is a block of so many."""
        raise TypeError(f"{type(self).__name__} is not one of blocks of rows")

    def restrict(self, features):
        """The same penalty on some rows only; needed where the prox depends on the feature."""
        return self

    def prox(self, V, step):
        out = np.array(V, dtype=float, order="C")
        steps = np.full((1, out.shape[1]), step, dtype=float)
        prox_rows(out, steps, self.row_prox.pointer, *self.pack())
        return out

    def excess(self, Z):
        """(d,): by how much each row of Z is too large for a row of W to stay zero; 0 where it is not."""
        return np.abs(self.prox(Z, 1.0)).max(axis=1)

    def lengths(self, n_rows):
        """(m,) the strengths s_j for which it is sum_j s_j norm_2(W_j.), all of them positive; None where it is not."""
        return None

    def dual_radius(self, n_tasks):
        """A length: a row of Z that is shorter leaves its row of W zero. Quicker to tell than by the prox."""
        return 0.0

    def values(self, Ws):
        """(A,) the value of every W of Ws (A, d, T)."""
        return np.array([self.value(np.ascontiguousarray(W)) for W in Ws])

    def dual_norms(self, Zs):
        """(A,) the dual norm of every Z of Zs (A, d, T)."""
        return np.array([self.dual_norm(Z) for Z in Zs])

    def selects_features(self, n_tasks):
        return not self.free_tasks(n_tasks).size and not np.any(self.excess(np.full((1, n_tasks), 1e-150)))

    def selects_coefficients(self, n_tasks):
        if self.positive:
            return n_tasks > 1
        # Of rows of many sizes, some are cut between all of their entries and none.
        rng = np.random.default_rng(0)
        one, many = (self.restrict(np.zeros(n, dtype=int)) for n in (1, PROBES))
        size = max(one.value(np.eye(1, n_tasks)), one.value(np.ones((1, n_tasks)))) * np.geomspace(1e-2, 1e2, PROBES)
        x = many.prox(size[:, None] * rng.standard_normal((PROBES, n_tasks)) ** 3, 1.0)
        return bool(np.any((x == 0).any(axis=1) & x.any(axis=1)))

    def manifold(self, W, Z):
        return of_row_prox(self, W, Z)

    def dual_norm(self, Z):
        """The smallest s for which the prox of Z / s is zero, from the prox alone; exact formulas override it.

        What Z has in the free directions, in which the dual norm is infinite, is taken for rounding.
        """
        Z = without(np.array(Z, dtype=float, order="C"), self.free_tasks(Z.shape[1]), self.positive)
        return largest_dual_norm(Z, self.row_prox.pointer, *self.pack())


def shorten(V, norms, cut):
    """Every row of V shortened by ``cut``; one whose norm is less is zero. NaN stays NaN."""
    kept = ~(norms <= cut)
    return V * np.where(kept, 1 - cut / np.where(kept, norms, 1.0), 0.0)[:, None]


def without(Z, free, positive=False):
    """Z without its share in the directions ``free`` (T, k) of the tasks; what is left of a row that is all rounding
    is zero. Where the directions have to be ``positive``, only a positive share is taken away."""
    if not free.shape[1]:
        return Z

    def share(Z):
        return np.maximum(Z @ free, 0.0) @ free.T if positive else share_in(free, Z)

    rest = Z - share(Z)
    rest[np.abs(rest).max(axis=1) <= 1e-13 * np.abs(Z).max(axis=1)] = 0.0
    # Once more: where little is left, the rounding of what was taken away is not small beside it.
    return rest - share(rest)


def largest(values):
    """Largest entry, as a float; NaN stays NaN."""
    return float(np.max(values, initial=0.0))
