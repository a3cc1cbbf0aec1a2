"""The sparse group lasso: rows that are zero, and zeros in the others."""

import numpy as np

from .._input import check_number
from .._jit import row_prox
from .._rows import row_norms
from ._manifold import of_norms
from .grouped import may_be_grouped
from .positive import may_be_positive
from .row_norm import shrink_l1, shrink_l2
from .rows import RowPenalty, largest
from .weighted import kept_positive


@row_prox
def prox_sparse_group(v, step, fpar, ipar, feature):
    """Soft threshold, then shrink the row."""
    shrink_l1(v, step, fpar[0] * fpar[1])
    shrink_l2(v, step, fpar[0] * (1.0 - fpar[1]))


@may_be_grouped
@may_be_positive
class SparseGroup(RowPenalty):
    """Omega(W) = alpha [ (1 - l1_ratio) sum_j norm_2(W_j.) + l1_ratio norm_1(W) ].

    With groups of features it is alpha [ (1 - l1_ratio) sum_g sqrt(d_g) norm_F(W_g) + l1_ratio norm_1(W) ], of d_g
    features in group g.

    Parameters
    ----------
    alpha : float, default=1.0
    l1_ratio : float in [0, 1], default=0.5
    positive : bool, default=False
        Whether W has to be >= 0.
    feature_groups : labels of shape (d,), or list or dict of lists of features, default=None
        As in ``RowNorm``.

    References
    ----------
    Simon, Friedman, Hastie, Tibshirani (2013), Journal of Computational and Graphical Statistics.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import SparseGroup
    >>> W = np.array([[3.0, 4.0], [0.3, 0.4]])
    >>> print(round(SparseGroup(alpha=1.0, l1_ratio=0.5).value(W), 6))  # (5.5 + 7.7) / 2
    6.6
    >>> print(SparseGroup(alpha=1.0).prox(W, step=np.ones(2)).round(3))
    [[2.209 3.093]
     [0.    0.   ]]
    """

    row_prox = prox_sparse_group
    asks = "few features, and few tasks for each of them"

    def __init__(self, alpha=1.0, l1_ratio=0.5, positive=False, feature_groups=None):
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.positive = positive
        self.feature_groups = feature_groups

    def check(self, n_features, labels):
        super().check(n_features, labels)
        check_number(self.l1_ratio, "l1_ratio", 0, 1, "in [0, 1]")

    def resolve(self, n_features, labels):
        return kept_positive(self, super().resolve(n_features, labels), n_features)

    @property
    def isotropic(self):
        return self.l1_ratio == 0 and not self.positive

    def of_block(self, size):
        sparse, group = self.l1_ratio, (1 - self.l1_ratio) * np.sqrt(size)
        return self.replaced(alpha=self.alpha * (sparse + group), l1_ratio=sparse / (sparse + group))

    def pack(self):
        return np.array([self.alpha, self.l1_ratio], dtype=float), np.zeros(0, dtype=np.int64)

    def value(self, W):
        groups = row_norms(W).sum()
        return self.alpha * ((1 - self.l1_ratio) * groups + self.l1_ratio * np.abs(W).sum())

    def manifold(self, W, Z):
        return of_norms(W, W != 0, self.alpha * (1 - self.l1_ratio), axis=1)

    def dual_norm(self, Z):
        # s solves norm_2(soft(z, s l1)) = s (1 - l1). With the k largest entries above the threshold this is
        # a quadratic in s; the consistent k is the one whose s lies between the k-th entry and the next.
        l, g = self.l1_ratio, 1 - self.l1_ratio
        top = np.abs(Z).max(initial=0.0)
        if not (0 < top < np.inf):
            return np.nan if top != 0 else 0.0
        # In units of the largest entry, so that no square overflows.
        z = np.abs(Z) / top
        if l == 0:
            return top * largest(row_norms(z)) / self.alpha
        if g == 0:
            return top / self.alpha
        # Of a row it is at least <z, z> / Omega(z): most rows are within what one of them reaches, and need no more.
        norms = row_norms(z)
        size = l * z.sum(axis=1) + g * norms
        reached = largest(np.divide(norms**2, size, out=np.zeros_like(size), where=size > 0)) * (1 - 1e-9)
        z = -np.sort(-z[row_norms(np.maximum(z - l * reached, 0.0)) >= g * reached], axis=1)
        k = np.arange(1, Z.shape[1] + 1)
        first, second = np.cumsum(z, axis=1), np.cumsum(z**2, axis=1)
        # (k l^2 - g^2) s^2 - 2 l first s + second = 0, in the form that stays stable when the first factor is 0. What
        # first^2 - k second leaves of near ties is known from their distances to the largest entry.
        below_top = z[:, :1] - z
        spread = np.cumsum(below_top, axis=1) ** 2 - k * np.cumsum(below_top**2, axis=1)
        root = np.sqrt(np.maximum(l**2 * spread + g**2 * second, 0))
        below = l * first + root
        s = np.divide(second, below, out=np.zeros_like(second), where=below > 0)
        after = np.concatenate([z[:, 1:], np.zeros((len(z), 1))], axis=1)
        fits = (l * s <= z * (1 + 1e-12)) & (l * s >= after * (1 - 1e-12))
        unclear = ~fits.any(axis=1)
        known = top * largest(np.where(fits, s, 0.0)) / self.alpha
        return max(known, top * super().dual_norm(z[unclear])) if unclear.any() else known

    def expression(self, W, cp):
        groups = cp.sum(cp.norm(W, 2, axis=1))
        return self.alpha * ((1 - self.l1_ratio) * groups + self.l1_ratio * cp.sum(cp.abs(W))), []
