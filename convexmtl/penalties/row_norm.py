"""Norms l1/lq of the rows: lasso, group lasso, and what lies between and beyond."""

import numpy as np

from .._input import check_number, read_feature_weights
from .._jit import kernel, row_prox
from .._rows import row_norms, used_rows
from ..coupling import Nested
from ._lq import prox_lq
from ._manifold import of_entries, of_norms
from .base import Canonical
from .by_task import TaskRows
from .grouped import may_be_grouped
from .positive import may_be_positive
from .rows import RowPenalty, shorten
from .weighted import Weighted, kept_positive, weighable


@kernel("void(float64[::1], float64[::1], float64)", fastmath=True)
def shrink_l1(v, step, alpha):
    for t in range(v.shape[0]):
        x = v[t]
        cut = alpha * step[t]
        if x > cut:
            v[t] = x - cut
        elif x < -cut:
            v[t] = x + cut
        else:
            v[t] = x * 0.0  # 0, and NaN for NaN


@kernel("void(float64[::1], float64[::1], float64)", fastmath=True)
def shrink_l2(v, step, alpha):
    """x_t = v_t nu / (nu + alpha step_t), where nu = norm_2(x) solves sum (v_t / (nu + alpha step_t))^2 = 1."""
    T = v.shape[0]
    square = 0.0
    uneven = 0.0
    for t in range(T):
        square += v[t] * v[t]
        uneven += abs(step[t] - step[0])
    unit = 1.0
    top = 0.0
    if square < 1e-280 or square > 1e280:
        for t in range(T):
            top = max(top, abs(v[t]))
    if top > 0.0:
        # Its squares are beyond the range of numbers: in units of its largest entry.
        unit = top
        alpha /= unit
        square = 0.0
        for t in range(T):
            v[t] /= unit
            square += v[t] * v[t]
    norm = np.sqrt(square)
    if uneven <= 1e-15 * step[0]:
        cut = alpha * step[0]
        scale = unit - cut / norm * unit if norm > cut else square * 0.0
        for t in range(T):
            v[t] *= scale
        return
    dual = 0.0
    high = step[0]
    for t in range(T):
        q = v[t] / step[t]
        dual += q * q
        high = max(high, step[t])
    if dual <= alpha * alpha:
        for t in range(T):
            v[t] = 0.0
        return
    # 1/norm is concave in nu: Newton from the left of the root climbs to it.
    nu = max(0.0, norm - alpha * high)
    for _ in range(100):
        s = 0.0
        ds = 0.0
        for t in range(T):
            r = 1.0 / (nu + alpha * step[t])
            q = v[t] * r
            s += q * q
            ds += q * q * r
        move = (np.sqrt(s) - 1.0) * s / ds
        nu += move
        if not move > 1e-15 * nu:
            break
    for t in range(T):
        v[t] *= nu / (nu + alpha * step[t]) * unit


@row_prox
def prox_l1(v, step, fpar, ipar, feature):
    shrink_l1(v, step, fpar[0])


@row_prox
def prox_l2(v, step, fpar, ipar, feature):
    shrink_l2(v, step, fpar[0])


@kernel("void(float64[::1], float64[::1], float64, float64, float64[::1])", fastmath=True)
def clipped_excess(v, step, level, top, sums):
    """sums = (sum_t of (abs(v_t) - level) / step_t, clipped to [0, top]; minus its derivative in the level)."""
    total = 0.0
    slope = 0.0
    for t in range(v.shape[0]):
        inverse = 1.0 / step[t]
        z = (abs(v[t]) - level) * inverse
        total += z if 0.0 < z < top else (top if z > 0.0 else z * 0.0)
        slope += inverse if 0.0 < z < top else 0.0
    sums[0] = total
    sums[1] = slope


@row_prox
def prox_linf(v, step, fpar, ipar, feature):
    """Clip at the level for which the clipped parts, in units of the steps, sum to alpha."""
    alpha = fpar[0]
    T = v.shape[0]
    level = 0.0
    # The sum is convex and piecewise linear in the level: Newton from 0 ends after finitely many steps.
    sums = np.empty(2)
    for _ in range(T + 2):
        clipped_excess(v, step, level, np.inf, sums)
        excess = sums[0] - alpha
        slope = sums[1]
        if excess <= 0.0 or slope == 0.0:
            break
        new = level + excess / slope
        if new <= level:
            break
        level = new
    for t in range(T):
        if level == 0.0:
            v[t] = v[t] * 0.0
        elif v[t] > level:
            v[t] = level
        elif v[t] < -level:
            v[t] = -level


@may_be_grouped
@may_be_positive
class RowNorm(RowPenalty):
    """Omega(W) = alpha l1_ratio sum_j f_j norm_q(W_j.) + alpha (1 - l1_ratio) / 2 sum_j f_j^2 norm_2(W_j.)^2.

    With groups of features it is alpha l1_ratio sum_g omega_g norm_q(W_g), of all coefficients W_g of a group g of size
    d_g at once (for q = 2 the norm_F), with omega_g = f_g sqrt(d_g).

    Parameters
    ----------
    alpha : float, or array-like of shape (T,), default=1.0
        For q = 1, or where all is ridge, there may be one for every task, in the order of ``tasks_``.
    q : float in [1, inf], default=2
        1 is the lasso, 2 the group lasso over tasks, inf couples the largest coefficients.
    l1_ratio : float in [0, 1], default=1.0
        The rest is ridge, as in ``sklearn.linear_model.MultiTaskElasticNet``.
    feature_weights : array-like of shape (d,) or dict of feature -> weight, default=None
        f_j >= 0, as ``Weighted`` has them; ones by default.
    positive : bool, default=False
        Whether W has to be >= 0.
    feature_groups : labels of shape (d,), or list or dict of lists of features, default=None
        Groups that are in use, or not, as a whole. Lists have names of columns or positions; the groups are numbered,
        or have the keys of the dict as labels, and features in no list are groups of their own. ``feature_weights``
        are then those of the groups, in the order of their labels, or a dict of label -> weight.

    References
    ----------
    Obozinski, Taskar, Jordan (2010), Statistics and Computing (q = 2); Yuan, Lin (2006), JRSS B (groups of features);
    Negahban, Wainwright (2008), NIPS
    (q = inf); Liu, Ye (2010), arXiv:1009.4766 (the prox for other q).

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import RowNorm
    >>> W = np.array([[3.0, 4.0], [0.3, 0.4]])
    >>> print(round(RowNorm(alpha=1.0).value(W), 6))
    5.5
    >>> print(RowNorm(alpha=1.0).prox(W, step=np.ones(2)).round(3))  # whole rows are zero
    [[2.4 3.2]
     [0.  0. ]]
    """

    def __init__(self, alpha=1.0, q=2, l1_ratio=1.0, feature_weights=None, positive=False, feature_groups=None):
        self.alpha = alpha
        self.q = q
        self.l1_ratio = l1_ratio
        self.feature_weights = feature_weights
        self.positive = positive
        self.feature_groups = feature_groups

    @property
    def asks(self):
        return "few coefficients" if self.q == 1 else "few features, the same ones for all tasks"

    @property
    def row_prox(self):
        return {1.0: prox_l1, 2.0: prox_l2, np.inf: prox_linf}.get(float(self.q), prox_lq)

    def check(self, n_features, labels):
        super().check(n_features, labels)
        check_number(self.q, "q", 1, np.inf, "a number in [1, inf]")
        check_number(self.l1_ratio, "l1_ratio", 0, 1, "in [0, 1]")
        if self.of_tasks is not None and self.feature_groups is not None:
            raise ValueError(
                "alpha must be a number where there are feature_groups, which take tasks together: weight the tasks "
                "instead, by task_weight."
            )
        if self.feature_weights is not None:
            read_feature_weights(self.feature_weights, *self.units(n_features, None))

    def bind_features(self, n_features, names):
        if self.feature_weights is None:
            return self
        return self.replaced(feature_weights=read_feature_weights(self.feature_weights, *self.units(n_features, names)))

    def resolve(self, n_features, labels):
        if self.feature_weights is not None:
            plain = self.replaced(feature_weights=None)
            return Weighted(plain, self.feature_weights).resolve(n_features, labels)
        self.check(n_features, labels)
        T = len(labels)
        if self.of_tasks is not None:
            terms = (self.of_tasks,) if np.any(self.alpha) else ()
            return kept_positive(self, Canonical(terms, Nested(T, [0.0])), n_features)
        ridge = Nested(T, [0.5 * self._ridge])
        terms = (self._norm(),) if self.alpha * self.l1_ratio > 0 else ()
        return kept_positive(self, Canonical(terms, ridge), n_features)

    @property
    def by_task(self):
        return self.q == 1 or self.l1_ratio == 0

    @property
    def of_tasks(self):
        """What it is with a strength for every task; None where it has one for all."""
        if isinstance(self.alpha, float) or np.ndim(self.alpha) == 0:
            return None
        alpha = np.asarray(self.alpha, dtype=float)
        return TaskRows(alpha * self.l1_ratio, alpha * (1 - self.l1_ratio), self.positive)

    @property
    def isotropic(self):
        return self.q == 2 and not self.positive

    def of_block(self, size):
        return self.replaced(alpha=self.alpha * np.sqrt(size))

    def pack(self):
        return np.array([self.alpha, self.q], dtype=float), np.zeros(0, dtype=np.int64)

    def packs(self, factors):
        return np.stack([self.alpha * factors, np.full(len(factors), float(self.q))], axis=1)

    @property
    def is_norm(self):
        return self.l1_ratio == 1

    @property
    def rotation_invariant(self):
        return self.q == 2 and not self.positive

    @property
    def _ridge(self):
        return self.alpha * (1 - self.l1_ratio)

    def _norm(self):
        """The part of it that is a norm."""
        return RowNorm(self.alpha * self.l1_ratio, self.q, positive=self.positive)

    @weighable
    def feasible(self, W):
        return W

    @weighable
    def value(self, W):
        # (Of a small W, looking for zeros takes longer than they would.)
        if W.size > 5_000:
            used = used_rows(W)
            if 2 * used.sum() < len(W):
                return float(self.values(W[used]))
        return float(self.values(W))

    def values(self, Ws):
        rows = self.alpha * self.l1_ratio * row_norms(Ws, self.q).sum(axis=-1)
        return rows if self.is_norm else rows + 0.5 * self._ridge * np.sum(Ws**2, axis=(-2, -1))

    @weighable
    def prox(self, V, step):
        if self.is_norm and self.q == 1 and np.ndim(step) == 0:
            # With one step numpy is as good, and calling a kernel takes longer than a small matrix.
            cut = step * self.alpha
            return V - np.clip(V, -cut, cut)
        if self.is_norm and self.q == 2 and np.ndim(step) == 0:
            return shorten(V, row_norms(V), step * self.alpha)
        if self.is_norm:
            return super().prox(V, step)
        # That of the norm alone, for a shrunk point and a shorter step.
        shrink = 1 / (1 + np.asarray(step) * self._ridge)
        return self._norm().prox(V * shrink, step * shrink) if self.l1_ratio else V * shrink

    @weighable
    def dual_norm(self, Z):
        return float(self.dual_norms(Z))

    def dual_norms(self, Zs):
        return np.max(row_norms(Zs, _conjugate(self.q)), axis=-1, initial=0.0) / self.alpha

    def noise_bound(self, V, level):
        if self.feature_weights is not None or float(self.q) not in (1.0, 2.0, np.inf):
            return None
        (d, T), total = V.shape, V.sum(axis=1)
        if self.q == 2:
            # Laurent and Massart's tail of a weighted sum of squares.
            x = np.log(d / level)
            squares = total + 2 * np.sqrt(x * np.sum(V**2, axis=1)) + 2 * x * V.max(axis=1)
        else:
            # Of one normal variable per coefficient, or per feature and choice of the signs, on both sides of zero.
            cases = np.log(2 * T) if self.q == 1 else T * np.log(2)
            squares = 2 * (np.log(d / level) + cases) * (V if self.q == 1 else total)
        return float(np.sqrt(squares.max(initial=0.0))) / self.alpha

    def lengths(self, n_rows):
        return np.full(n_rows, self.alpha) if self.q == 2 and self.is_norm and not self.positive else None

    def dual_radius(self, n_tasks):
        # That of the largest ball of the 2-norm in the dual one.
        longest = n_tasks ** max(0.0, 1 / _conjugate(self.q) - 0.5)
        return (1 - 1e-12) * self.alpha * self.l1_ratio / longest

    @weighable
    def excess(self, Z):
        return np.maximum(row_norms(Z, _conjugate(self.q)) - self.alpha * self.l1_ratio, 0.0)

    def manifold(self, W, Z):
        if self.q == 1:
            return of_entries(W != 0)
        if self.q == 2:
            used = np.broadcast_to(used_rows(W)[:, None], W.shape)
            return of_norms(W, used, self.alpha, axis=1)
        return super().manifold(W, Z)

    @weighable
    def conjugate(self, Z):
        if self.is_norm:
            return super().conjugate(Z)
        # The squared distance to the dual ball, which is the squared length of the prox.
        beyond = self._norm().prox(Z, 1.0) if self.l1_ratio else Z
        return float(np.sum(beyond**2)) / (2 * self._ridge)

    @weighable
    def expression(self, W, cp):
        order = {1.0: 1, 2.0: 2, np.inf: "inf"}.get(float(self.q), self.q)
        if order in (1, 2, "inf"):
            norms = cp.norm(W, order, axis=1)
        else:
            norms = cp.hstack([cp.pnorm(W[j, :], order) for j in range(W.shape[0])])
        ridge = 0.5 * self._ridge * cp.sum_squares(W)
        return self.alpha * self.l1_ratio * cp.sum(norms) + ridge, []


def _conjugate(q):
    """The exponent of the dual norm."""
    q = float(q)
    return np.inf if q == 1 else 1.0 if q == np.inf else q / (q - 1)
