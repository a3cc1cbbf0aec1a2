"""The dirty model: a part of W with rows that are zero, and one with zeros anywhere."""

import warnings

import numpy as np

from .._jit import row_prox
from .._rows import row_norms, used_rows
from .._words import counted
from ..coupling import Nested
from .base import Canonical, Later
from .positive import may_be_positive
from .row_norm import RowNorm, clipped_excess
from .rows import RowPenalty, largest
from .weighted import kept_positive


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
            clipped_excess(v, step, mu, sparse, sums)
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


@may_be_positive
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
    positive : bool, default=False
        Whether W has to be >= 0.

    References
    ----------
    Jalali, Ravikumar, Sanghavi, Ruan (2010), NIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import DirtyNorm
    >>> W = np.array([[1.0, 1.0], [1.0, 0.0]])
    >>> print(round(DirtyNorm(alpha_block=1.0, alpha_sparse=0.7).value(W), 6))
    1.7
    """

    strengths = ("alpha_block", "alpha_sparse")
    part_names = ("block", "sparse")
    asks = "few features for all tasks, and few coefficients beside them"

    def __init__(self, alpha_block=1.0, alpha_sparse=0.5, q=np.inf, positive=False):
        self.alpha_block = alpha_block
        self.alpha_sparse = alpha_sparse
        self.q = q
        self.positive = positive

    @property
    def row_prox(self):
        return prox_dirty_l2 if self.q == 2 else prox_dirty_inf

    def check(self, n_features, labels):
        super().check(n_features, labels)
        if isinstance(self.q, (bool, str)) or self.q not in (2, np.inf):
            raise ValueError(f"q must be 2 or inf for the dirty norm, got {self.q!r}.")
        T, ratio = len(labels), self.alpha_block / self.alpha_sparse if self.alpha_sparse else np.inf
        top = T if self.q == np.inf else np.sqrt(T)
        if T > 1 and self.alpha_block > 0 and self.alpha_sparse > 0 and not 1 - 1e-9 <= ratio <= top * (1 + 1e-9):
            part, model = ("sparse", f"the l1/l{self.q:g} norm") if ratio < 1 else ("block", "the lasso")
            warnings.warn(
                f"alpha_block / alpha_sparse = {ratio:.3g} is outside [1, {top:.3g}]: the {part} part is zero and "
                f"the model is {model} alone.",
                UserWarning,
                stacklevel=2,
            )

    def resolve(self, n_features, labels):
        self.check(n_features, labels)
        T = len(labels)
        # One free part makes all of W free.
        terms = (self,) if self.alpha_block > 0 and self.alpha_sparse > 0 else ()
        return kept_positive(self, Canonical(terms, Nested(T, [0.0])), n_features)

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

    def report(self, parts, labels):
        B, S = self.split(sum(parts))
        return {"block_": B.T.copy(), "sparse_": S.T.copy()}

    def findings(self, W, labels):
        return [Later(self._shares, W)]

    def _shares(self, W):
        B, S = self.split(W)
        return (
            f"{used_rows(B).sum():,} of {counted(len(W), 'feature')} in the shared part, "
            f"{counted(np.count_nonzero(S), 'coefficient')} of {used_rows(S).sum():,} in the private one"
        )

    def dual_norm(self, Z):
        block = row_norms(Z, 1 if self.q == np.inf else 2)
        return max(largest(block) / self.alpha_block, largest(np.abs(Z)) / self.alpha_sparse)

    def noise_bound(self, V, level):
        norms = RowNorm(self.alpha_block, self.q), RowNorm(self.alpha_sparse, 1)
        return max(norm.noise_bound(V, level / 2) for norm in norms)

    def expression(self, W, cp):
        B, S = cp.Variable(W.shape), cp.Variable(W.shape)
        block = cp.norm(B, "inf" if self.q == np.inf else 2, axis=1)
        return self.alpha_block * cp.sum(block) + self.alpha_sparse * cp.sum(cp.abs(S)), [B + S == W]
