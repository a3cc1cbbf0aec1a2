"""Row penalties: Omega(W) = sum_j phi(W_j.), one prox of one row each.

The compiled proxes take one step per task: they minimise sum_t (x_t - v_t)^2 / (2 step_t) + phi(x).
"""

import warnings

import numpy as np

from .._jit import kernel, row_prox
from .._rows import row_norms, used_rows
from .base import Canonical, Penalty, check_number


@kernel("void(float64[:, ::1], float64[::1], row_prox, float64[::1], int64[::1])")
def prox_rows(V, step, prox, fpar, ipar):
    """Replace every row of V by its prox."""
    for j in range(V.shape[0]):
        prox(V[j], step, fpar, ipar, j)


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
    even : float
        Where the steps of a row differ by this factor at most, all are the shortest: for a prox that is quick if they
        are equal.
    spread : float
        How much longer than the shortest the steps of a row may be for the prox to be quick; longer ones are cut.
    """

    row_wise = True
    row_prox = None
    even = 1.0
    spread = np.inf

    def pack(self):
        """(float64 array, int64 array): what the compiled prox gets as ``fpar`` and ``ipar``."""
        return np.array([self.alpha], dtype=float), np.zeros(0, dtype=np.int64)

    def restrict(self, features):
        """The same penalty on some rows only; needed where the prox depends on the feature."""
        return self

    def prox(self, V, step):
        out = np.array(V, dtype=float, order="C")
        steps = np.full(out.shape[1], step, dtype=float) if np.ndim(step) == 0 else np.asarray(step, dtype=float)
        prox_rows(out, steps, self.row_prox.pointer, *self.pack())
        return out

    def excess(self, Z):
        """(d,): by how much each row of Z is too large for a row of W to stay zero; 0 where it is not."""
        return np.abs(self.prox(Z, 1.0)).max(axis=1)

    def dual_norm(self, Z):
        """The smallest s for which the prox of Z / s is zero, from the prox alone; exact formulas override it."""
        return largest_dual_norm(np.array(Z, dtype=float, order="C"), self.row_prox.pointer, *self.pack())


# ------------------------------------------------------------------------------------ l1/lq


@kernel("float64(float64[::1], int64[::1], int64)")
def _weighted(fpar, ipar, feature):
    """alpha times the weight of this feature."""
    return fpar[0] * fpar[2 + feature] if ipar[0] == 1 else fpar[0]


@kernel("void(float64[::1], float64[::1], float64)", fastmath=True)
def _shrink_l1(v, step, alpha):
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
def _shrink_l2(v, step, alpha):
    """x_t = v_t nu / (nu + alpha step_t), where nu = norm_2(x) solves sum (v_t / (nu + alpha step_t))^2 = 1."""
    T = v.shape[0]
    square = 0.0
    dual = 0.0
    low = step[0]
    high = step[0]
    for t in range(T):
        square += v[t] * v[t]
        q = v[t] / step[t]
        dual += q * q
        low = min(low, step[t])
        high = max(high, step[t])
    if dual <= alpha * alpha:
        for t in range(T):
            v[t] = 0.0
        return
    norm = np.sqrt(square)
    if high - low <= 1e-15 * high:
        scale = 1.0 - alpha * high / norm
        scale = 0.0 if scale < 0.0 else scale
        for t in range(T):
            v[t] *= scale
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
        v[t] *= nu / (nu + alpha * step[t])


@row_prox
def prox_l1(v, step, fpar, ipar, feature):
    _shrink_l1(v, step, _weighted(fpar, ipar, feature))


@row_prox
def prox_l2(v, step, fpar, ipar, feature):
    _shrink_l2(v, step, _weighted(fpar, ipar, feature))


@kernel("void(float64[::1], float64[::1], float64, float64, float64[::1])", fastmath=True)
def _clipped_excess(v, step, level, top, sums):
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
    alpha = _weighted(fpar, ipar, feature)
    T = v.shape[0]
    level = 0.0
    # The sum is convex and piecewise linear in the level: Newton from 0 ends after finitely many steps.
    sums = np.empty(2)
    for _ in range(T + 2):
        _clipped_excess(v, step, level, np.inf, sums)
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


@kernel("float64(float64, float64, float64, float64, float64, float64)")
def _power_root(v, r, k, q, u, most):
    """The u in (0, most] with r u + k u^(q-1) = v, for v, r, k > 0 and q > 1: Newton from ``u``.

    In a form that is convex, so that the iterates fall to the root, at the latest from ``most``.
    """
    if q >= 2.0:
        for _ in range(100):
            p = k * u ** (q - 2.0)
            move = (r * u + p * u - v) / (r + (q - 1.0) * p)
            u = min(u - move, most)
            if abs(move) <= 1e-15 * u or u <= 0.0:
                break
        return max(u, 0.0)
    p = 1.0 / (q - 1.0)
    w = u ** (q - 1.0)
    most = most ** (q - 1.0)
    for _ in range(100):
        slope = r * w ** (p - 1.0)
        move = (slope * w + k * w - v) / (p * slope + k)
        w = min(w - move, most)
        if abs(move) <= 1e-15 * w or w <= 0.0:
            break
    return max(w, 0.0) ** p


@kernel("float64(float64[::1], float64[::1], float64, float64)", fastmath=True)
def _power_sum(v, step, q, scale):
    """sum_t (abs(v_t) / (step_t scale))^p, p the exponent conjugate to q."""
    total = 0.0
    T = v.shape[0]
    if q == 3.0:
        for t in range(T):
            x = abs(v[t]) / (step[t] * scale)
            total += x * np.sqrt(x)
    elif q == 1.5:
        for t in range(T):
            x = abs(v[t]) / (step[t] * scale)
            total += x * x * x
    else:
        p = q / (q - 1.0)
        for t in range(T):
            x = abs(v[t]) / (step[t] * scale)
            if x > 0.0:
                total += x**p
    return total


@kernel(
    "void(float64[::1], float64[::1], float64, float64, float64, float64, float64[::1], float64[::1], float64[::1])",
    fastmath=True,
)
def _power_roots(v, step, top, alpha, r, q, most, u, sums):
    """Fill in u, from the roots for another r; sums = (sum u^q, minus its derivative in r over q)."""
    T = v.shape[0]
    n = 0.0
    dn = 0.0
    if q == 3.0:
        for t in range(T):
            a = abs(v[t]) / top
            k = alpha * step[t]
            x = 2.0 * a / (r + np.sqrt(r * r + 4.0 * k * a))
            u[t] = x
            n += x * x * x
            dn += x * x * x / (r + 2.0 * k * x)
    elif q == 1.5:
        for t in range(T):
            a = abs(v[t]) / top
            k = alpha * step[t]
            w = 2.0 * a / (k + np.sqrt(k * k + 4.0 * r * a))
            x = w * w
            u[t] = x
            n += x * w
            dn += x * x / (r * w + 0.5 * k)
    else:
        for t in range(T):
            a = abs(v[t]) / top
            if a > 0.0:
                k = alpha * step[t]
                bound = min(a / r, most[t])
                x = _power_root(a, r, k, q, min(u[t], bound), bound)
                u[t] = x
                if x > 0.0:
                    power = x ** (q - 2.0)
                    n += power * x * x
                    dn += power * x * x / (r + (q - 1.0) * k * power)
    sums[0] = n
    sums[1] = dn


@row_prox
def prox_lq(v, step, fpar, ipar, feature):
    """x = r u, r = norm_q(x): r u_t + alpha step_t u_t^(q-1) = abs(v_t), with r such that norm_q(u) = 1."""
    q = fpar[1]
    T = v.shape[0]
    top = 0.0
    total = 0.0
    dual_top = 0.0
    longest = 0.0
    for t in range(T):
        top = max(top, abs(v[t]))
        total += abs(v[t])
        dual_top = max(dual_top, abs(v[t]) / step[t])
        longest = max(longest, step[t])
    if not (top > 0.0 and total < np.inf):
        for t in range(T):
            v[t] = total * 0.0  # 0, and NaN where there is one
        return
    alpha = _weighted(fpar, ipar, feature)
    if dual_top * _power_sum(v, step, q, dual_top) ** ((q - 1.0) / q) <= alpha:
        for t in range(T):
            v[t] = 0.0
        return
    alpha /= top
    # norm_q(u(r)) falls with r, from above 1 at 0 to below 1 at norm_q(v), nearly like 1/r: Newton on its inverse.
    high = 0.0
    for t in range(T):
        x = abs(v[t]) / top
        high += x * x * x if q == 3.0 else x**q
    high = high ** (1.0 / q)
    low = 0.0
    r = max(0.5 * high, high - alpha * longest)
    most = np.empty(T)
    closed = q == 1.5 or q == 3.0
    for t in range(T):
        most[t] = 0.0 if closed else (abs(v[t]) / (top * alpha * step[t])) ** (1.0 / (q - 1.0))
    u = most.copy()
    sums = np.empty(2)
    for _ in range(200):
        _power_roots(v, step, top, alpha, r, q, most, u, sums)
        if sums[0] > 1.0:
            low = r
        else:
            high = r
        norm = sums[0] ** (1.0 / q)
        new = r + (norm - 1.0) * sums[0] / sums[1]
        if abs(new - r) <= 1e-9 * r:
            # Newton doubles the digits: what is left are the roots that belong to this r.
            r = new
            _power_roots(v, step, top, alpha, r, q, most, u, sums)
            break
        r = new if low < new < high else 0.5 * (low + high)
    for t in range(T):
        v[t] = top * r * u[t] if v[t] > 0.0 else -top * r * u[t]


class RowNorm(RowPenalty):
    """Omega(W) = alpha l1_ratio sum_j f_j norm_q(W_j.) + alpha (1 - l1_ratio) / 2 norm_F(W)^2.

    Parameters
    ----------
    alpha : float, default=1.0
    q : float in [1, inf], default=2
        1 is the lasso, 2 the group lasso over tasks, inf couples the largest coefficients.
    l1_ratio : float in [0, 1], default=1.0
        The rest is ridge, as in ``sklearn.linear_model.MultiTaskElasticNet``.
    feature_weights : array-like of shape (d,), default=None
        f_j > 0; ones by default.

    References
    ----------
    Obozinski, Taskar, Jordan (2010), Statistics and Computing (q = 2); Negahban, Wainwright (2008), NIPS
    (q = inf); Liu, Ye (2010), arXiv:1009.4766 (the prox for other q).
    """

    def __init__(self, alpha=1.0, q=2, l1_ratio=1.0, feature_weights=None):
        self.alpha = alpha
        self.q = q
        self.l1_ratio = l1_ratio
        self.feature_weights = feature_weights

    @property
    def row_prox(self):
        return {1.0: prox_l1, 2.0: prox_l2, np.inf: prox_linf}.get(float(self.q), prox_lq)

    def check(self, n_features, tasks):
        super().check(n_features, tasks)
        check_number(self.q, "q", 1, np.inf, "a number in [1, inf]")
        check_number(self.l1_ratio, "l1_ratio", 0, 1, "in [0, 1]")
        if self.feature_weights is not None:
            f = np.asarray(self.feature_weights, dtype=float)
            if f.shape != (n_features,):
                raise ValueError(f"feature_weights must have shape ({n_features},), got {f.shape}.")
            if not np.all((f > 0) & np.isfinite(f)):
                bad = int(np.flatnonzero(~((f > 0) & np.isfinite(f)))[0])
                raise ValueError(f"feature_weights must be positive and finite, got {f[bad]} at feature {bad}.")

    def resolve(self, n_features, tasks):
        self.check(n_features, tasks)
        T = len(tasks)
        ridge = np.eye(T) * (0.5 * self._ridge)
        if self.alpha * self.l1_ratio == 0:
            return Canonical((), ridge)
        return Canonical((self._norm(),), ridge)

    def pack(self):
        f = np.zeros(0) if self.feature_weights is None else np.asarray(self.feature_weights, dtype=float)
        fpar = np.concatenate([[self.alpha, self.q], f]).astype(float)
        return fpar, np.array([self.feature_weights is not None], dtype=np.int64)

    def restrict(self, features):
        if self.feature_weights is None:
            return self
        return RowNorm(self.alpha, self.q, self.l1_ratio, np.asarray(self.feature_weights)[features])

    def _weights(self, d):
        return np.ones(d) if self.feature_weights is None else np.asarray(self.feature_weights, dtype=float)

    @property
    def is_norm(self):
        return self.l1_ratio == 1

    @property
    def _ridge(self):
        return self.alpha * (1 - self.l1_ratio)

    def _norm(self):
        """The part of it that is a norm."""
        return RowNorm(self.alpha * self.l1_ratio, self.q, 1.0, self.feature_weights)

    def value(self, W):
        # (Of a small W, looking for zeros takes longer than they would.)
        if W.size > 5_000:
            used = used_rows(W)
            if 2 * used.sum() < len(W):
                return self.restrict(used).value(W[used])
        rows = self._weights(len(W)) @ row_norms(W, self.q)
        return self.alpha * self.l1_ratio * rows + 0.5 * self._ridge * np.sum(W**2)

    def prox(self, V, step):
        if self.is_norm and self.q == 1 and np.ndim(step) == 0:
            # With one step numpy is as good, and calling a kernel takes longer than a small matrix.
            cut = step * self.alpha * self._weights(len(V))[:, None]
            return V - np.clip(V, -cut, cut)
        if self.is_norm and self.q == 2 and np.ndim(step) == 0:
            return shorten(V, row_norms(V), step * self.alpha * self._weights(len(V)))
        if self.is_norm:
            return super().prox(V, step)
        # That of the norm alone, for a shrunk point and a shorter step.
        shrink = 1 / (1 + np.asarray(step) * self._ridge)
        return self._norm().prox(V * shrink, step * shrink) if self.l1_ratio else V * shrink

    def dual_norm(self, Z):
        return _max(row_norms(Z, _conjugate(self.q)) / self._weights(len(Z))) / self.alpha

    def excess(self, Z):
        conjugate = _conjugate(self.q)
        return np.maximum(row_norms(Z, conjugate) - self.alpha * self.l1_ratio * self._weights(len(Z)), 0.0)

    def conjugate(self, Z):
        if self.is_norm:
            return super().conjugate(Z)
        # The squared distance to the dual ball, which is the squared length of the prox.
        beyond = self._norm().prox(Z, 1.0) if self.l1_ratio else Z
        return float(np.sum(beyond**2)) / (2 * self._ridge)

    def expression(self, W, cp):
        order = {1.0: 1, 2.0: 2, np.inf: "inf"}.get(float(self.q), self.q)
        f = self._weights(W.shape[0])
        if order in (1, 2, "inf"):
            norms = cp.multiply(f, cp.norm(W, order, axis=1))
        else:
            norms = cp.hstack([f[j] * cp.pnorm(W[j, :], order) for j in range(W.shape[0])])
        ridge = 0.5 * self._ridge * cp.sum_squares(W)
        return self.alpha * self.l1_ratio * cp.sum(norms) + ridge, []


# ------------------------------------------------------------------------------------ sparse group


@row_prox
def prox_sparse_group(v, step, fpar, ipar, feature):
    """Soft threshold, then shrink the row."""
    _shrink_l1(v, step, fpar[0] * fpar[1])
    _shrink_l2(v, step, fpar[0] * (1.0 - fpar[1]))


class SparseGroup(RowPenalty):
    """Omega(W) = alpha [ (1 - l1_ratio) sum_j norm_2(W_j.) + l1_ratio norm_1(W) ].

    Parameters
    ----------
    alpha : float, default=1.0
    l1_ratio : float in [0, 1], default=0.5

    References
    ----------
    Simon, Friedman, Hastie, Tibshirani (2013), Journal of Computational and Graphical Statistics.
    """

    row_prox = prox_sparse_group

    def __init__(self, alpha=1.0, l1_ratio=0.5):
        self.alpha = alpha
        self.l1_ratio = l1_ratio

    def check(self, n_features, tasks):
        super().check(n_features, tasks)
        check_number(self.l1_ratio, "l1_ratio", 0, 1, "in [0, 1]")

    def pack(self):
        return np.array([self.alpha, self.l1_ratio], dtype=float), np.zeros(0, dtype=np.int64)

    def value(self, W):
        groups = row_norms(W).sum()
        return self.alpha * ((1 - self.l1_ratio) * groups + self.l1_ratio * np.abs(W).sum())

    def dual_norm(self, Z):
        # s solves norm_2(soft(z, s l1)) = s (1 - l1). With the k largest entries above the threshold this is
        # a quadratic in s; the consistent k is the one whose s lies between the k-th entry and the next.
        l, g = self.l1_ratio, 1 - self.l1_ratio
        top = np.abs(Z).max(initial=0.0)
        if not (0 < top < np.inf):
            return np.nan if top != 0 else 0.0
        # In units of the largest entry, so that no square overflows.
        z = -np.sort(-np.abs(Z / top), axis=1)
        if l == 0:
            return top * _max(row_norms(z)) / self.alpha
        if g == 0:
            return top * _max(z[:, 0]) / self.alpha
        k = np.arange(1, Z.shape[1] + 1)
        first, second = np.cumsum(z, axis=1), np.cumsum(z**2, axis=1)
        a, b = k * l**2 - g**2, l * first
        # (k l^2 - g^2) s^2 - 2 l first s + second = 0, in the form that stays stable when a is 0.
        below = b + np.sqrt(np.maximum(b**2 - a * second, 0))
        s = np.divide(second, below, out=np.zeros_like(second), where=below > 0)
        after = np.concatenate([z[:, 1:], np.zeros((len(z), 1))], axis=1)
        fits = (l * s <= z * (1 + 1e-12)) & (l * s >= after * (1 - 1e-12))
        return top * _max(np.where(fits, s, 0.0)) / self.alpha

    def expression(self, W, cp):
        groups = cp.sum(cp.norm(W, 2, axis=1))
        return self.alpha * ((1 - self.l1_ratio) * groups + self.l1_ratio * cp.sum(cp.abs(W))), []


# ------------------------------------------------------------------------------------ dirty


@row_prox
def prox_dirty_inf(v, step, fpar, ipar, feature):
    """v - step z with z the nearest point (metric: step) of the l1 ball cut with the box."""
    block = fpar[0]
    sparse = fpar[1]
    T = v.shape[0]
    low = 0.0
    high = 0.0
    total = 0.0
    for t in range(T):
        a = abs(v[t])
        if not a <= high:
            high = a
        total += min(a / step[t], sparse)
    mu = 0.0
    if total > block:
        # sum_t min(max(abs(v_t) - mu, 0) / step_t, sparse) is piecewise linear and decreasing in mu.
        sums = np.empty(2)
        for _ in range(200):
            _clipped_excess(v, step, mu, sparse, sums)
            excess = sums[0] - block
            slope = sums[1]
            if excess > 0.0:
                low = mu
            else:
                high = mu
            new = mu + excess / slope if slope > 0.0 else high
            if not (new > low and new < high):
                new = 0.5 * (low + high)
            if abs(new - mu) <= 1e-16 * new or abs(excess) <= 1e-16 * block:
                break
            mu = new
    for t in range(T):
        z = min(max(abs(v[t]) - mu, 0.0), sparse * step[t])
        v[t] = v[t] - z if v[t] > 0.0 else v[t] + z


@row_prox
def prox_dirty_l2(v, step, fpar, ipar, feature):
    """v - step z with z the nearest point (metric: step) of the l2 ball cut with the box."""
    block = fpar[0]
    sparse = fpar[1]
    T = v.shape[0]
    mu = 0.0
    low = 0.0
    high = np.inf
    for _ in range(200):
        s = 0.0
        ds = 0.0
        for t in range(T):
            z = abs(v[t]) / (step[t] + mu)
            if z >= sparse:
                s += sparse * sparse
            else:
                s += z * z
                ds += z * z / (step[t] + mu)
        if mu == 0.0 and s <= block * block:
            break
        if s > block * block:
            low = mu
        else:
            high = mu
        new = mu + (np.sqrt(s) / block - 1.0) * s / ds if ds > 0.0 else np.inf
        if abs(new - mu) <= 1e-12 * mu:
            mu = new
            break
        if not (new > low and new < high):
            new = 0.5 * (low + high) if high < np.inf else 2.0 * low + step[0]
            if new == mu:
                break
        mu = new
    for t in range(T):
        z = min(abs(v[t]) * (step[t] / (step[t] + mu)), sparse * step[t])
        v[t] = v[t] - z if v[t] > 0.0 else v[t] + z


class DirtyNorm(RowPenalty):
    """Omega(W) = min over B + S = W of alpha_block sum_j norm_q(B_j.) + alpha_sparse norm_1(S).

    The minimum is itself a norm of each row, so that the model is fitted over W; B and S are read off at
    the end. Both parts can be non-zero only where 1 < alpha_block / alpha_sparse < T (q = inf) or
    < sqrt(T) (q = 2); outside that range the model is the lasso or the block norm alone, and says so.

    Parameters
    ----------
    alpha_block : float, default=1.0
        Strength of the shared part B.
    alpha_sparse : float, default=0.5
        Strength of the private part S.
    q : {2, inf}, default=inf

    References
    ----------
    Jalali, Ravikumar, Sanghavi, Ruan (2010), NIPS.
    """

    strengths = ("alpha_block", "alpha_sparse")

    def __init__(self, alpha_block=1.0, alpha_sparse=0.5, q=np.inf):
        self.alpha_block = alpha_block
        self.alpha_sparse = alpha_sparse
        self.q = q

    @property
    def row_prox(self):
        return prox_dirty_l2 if self.q == 2 else prox_dirty_inf

    def check(self, n_features, tasks):
        super().check(n_features, tasks)
        if isinstance(self.q, (bool, str)) or self.q not in (2, np.inf):
            raise ValueError(f"q must be 2 or inf for the dirty norm, got {self.q!r}.")
        T, ratio = len(tasks), self.alpha_block / self.alpha_sparse if self.alpha_sparse else np.inf
        top = T if self.q == np.inf else np.sqrt(T)
        if T > 1 and self.alpha_block > 0 and self.alpha_sparse > 0 and not 1 - 1e-9 <= ratio <= top * (1 + 1e-9):
            part, model = ("sparse", f"the l1/l{self.q:g} norm") if ratio < 1 else ("block", "the lasso")
            warnings.warn(
                f"alpha_block / alpha_sparse = {ratio:.3g} is outside [1, {top:.3g}]: the {part} part is zero and "
                f"the model is {model} alone.",
                UserWarning,
                stacklevel=2,
            )

    def resolve(self, n_features, tasks):
        self.check(n_features, tasks)
        T = len(tasks)
        # One free part makes all of W free.
        terms = (self,) if self.alpha_block > 0 and self.alpha_sparse > 0 else ()
        return Canonical(terms, np.zeros((T, T)))

    def pack(self):
        return np.array([self.alpha_block, self.alpha_sparse], dtype=float), np.zeros(0, dtype=np.int64)

    def _level(self, W):
        """For q = 2: the level m of every row for which B = clip(W, -m, m)."""
        a = -np.sort(-np.abs(W), axis=1)
        T = a.shape[1]
        rest = np.concatenate([np.cumsum((a**2)[:, ::-1], axis=1)[:, ::-1], np.zeros((len(a), 1))], axis=1)
        k = np.arange(T + 1)
        room = self.alpha_block**2 - k * self.alpha_sparse**2
        # With k entries at the box, the others are a_t / mu with norm sqrt(room); the first consistent k counts.
        with np.errstate(divide="ignore", invalid="ignore"):
            mu = np.sqrt(np.where(room > 0, rest / room, np.inf))
        following = np.concatenate([a, np.zeros((len(a), 1))], axis=1)
        fits = (following <= self.alpha_sparse * mu * (1 + 1e-13)) & (room > 0)
        first = np.argmax(fits, axis=1)
        return np.where(fits.any(axis=1), self.alpha_sparse * mu[np.arange(len(a)), first], 0.0)

    def value(self, W):
        if self.q == 2:
            B, S = self.split(W[used_rows(W)])
            return self.alpha_block * row_norms(B).sum() + self.alpha_sparse * np.abs(S).sum()
        if self.alpha_sparse == 0:
            return 0.0
        # alpha_sparse times the sum of the k largest entries of every row, the last one by its fraction.
        a = -np.sort(-np.abs(W[used_rows(W)]), axis=1)
        share = np.clip(self.alpha_block / self.alpha_sparse - np.arange(W.shape[1]), 0, 1)
        return self.alpha_sparse * float((a @ share).sum())

    def split(self, W):
        """(B, S) that attain the minimum."""
        T = W.shape[1]
        if self.alpha_block == 0:
            return np.array(W), np.zeros_like(W)
        if self.q == 2:
            level = self._level(W)
        else:
            k = int(np.ceil(self.alpha_block / self.alpha_sparse * (1 - 1e-12))) if self.alpha_sparse else T + 1
            a = -np.sort(-np.abs(W), axis=1)
            level = np.zeros(len(W)) if k > T else a[:, max(k, 1) - 1]
        B = np.clip(W, -level[:, None], level[:, None])
        return B, W - B

    def report(self, parts, tasks):
        B, S = self.split(sum(parts))
        return {"block_": B.T.copy(), "sparse_": S.T.copy()}

    def dual_norm(self, Z):
        block = np.linalg.norm(Z, ord=1 if self.q == np.inf else 2, axis=1)
        return max(_max(block) / self.alpha_block, _max(np.abs(Z)) / self.alpha_sparse)

    def expression(self, W, cp):
        B, S = cp.Variable(W.shape), cp.Variable(W.shape)
        block = cp.norm(B, "inf" if self.q == np.inf else 2, axis=1)
        return self.alpha_block * cp.sum(block) + self.alpha_sparse * cp.sum(cp.abs(S)), [B + S == W]


def shorten(V, norms, cut):
    """Every row of V shortened by ``cut``; one whose norm is less is zero. NaN stays NaN."""
    kept = ~(norms <= cut)
    return V * np.where(kept, 1 - cut / np.where(kept, norms, 1.0), 0.0)[:, None]


def _conjugate(q):
    """The exponent of the dual norm."""
    q = float(q)
    return np.inf if q == 1 else 1.0 if q == np.inf else q / (q - 1)


def _max(values):
    """Largest entry, as a float; NaN stays NaN."""
    return float(np.max(values, initial=0.0))
