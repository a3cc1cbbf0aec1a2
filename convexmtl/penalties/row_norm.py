"""Norms l1/lq of the rows: lasso, group lasso, and what lies between and beyond."""

import numpy as np

from .._jit import kernel, row_prox
from .._rows import row_norms, used_rows
from .base import Canonical, check_number
from .rows import RowPenalty, largest, shorten


@kernel("float64(float64[::1], int64[::1], int64)")
def _weighted(fpar, ipar, feature):
    """alpha times the weight of this feature."""
    return fpar[0] * fpar[2 + feature] if ipar[0] == 1 else fpar[0]


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
    shrink_l1(v, step, _weighted(fpar, ipar, feature))


@row_prox
def prox_l2(v, step, fpar, ipar, feature):
    shrink_l2(v, step, _weighted(fpar, ipar, feature))


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
    alpha = _weighted(fpar, ipar, feature)
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
        return largest(row_norms(Z, _conjugate(self.q)) / self._weights(len(Z))) / self.alpha

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


def _conjugate(q):
    """The exponent of the dual norm."""
    q = float(q)
    return np.inf if q == 1 else 1.0 if q == np.inf else q / (q - 1)
