"""Spectral penalties: Omega(W) = psi(singular values of W).

Their prox multiplies every singular direction by a ratio, so that only one side of the singular vectors
is needed: that of the smaller of the two Gram matrices. All of it is numpy's: scipy brings another BLAS, and
two pools of threads that work in turns wait for each other.
"""

import numpy as np

from .._input import check_count, check_number
from .._words import counted, percent
from ..coupling import Nested
from ._manifold import of_singular_values, singular_slopes
from .base import RANK, Canonical, Later, Penalty

LONG = 20  # times as many columns as rows, or the other way round, from which on products of the few are quicker
SQUARED = 1e-4  # share of the largest square, of those that are exact to rounding


def singular_values(W):
    """All min(d, T) singular values, largest first."""
    if not _long(W):
        return np.linalg.svd(W, compute_uv=False)
    A, found = W if W.shape[0] < W.shape[1] else W.T, []
    while len(A):
        values, vectors = np.linalg.eigh(A @ A.T)
        # Squaring costs digits of small ones: these are looked at again without the others.
        large = values > SQUARED * values[-1]
        found.append(np.sqrt(np.maximum(values[::-1], 0.0))[: large.sum() or len(A)])
        A = vectors[:, ~large].T @ A if large.any() else A[:0]
    return np.concatenate(found)


def _long(W):
    """Whether W has so many more columns than rows, or rows than columns, that products of the few are quicker."""
    small, large = sorted(W.shape)
    return small > 0 and large >= LONG * small and 1e-100 < np.abs(W).max() < 1e100


def largest_singular_value(Z):
    """From the products of rows or columns where these are few: squaring costs no digits of the largest one."""
    if not _long(Z):
        return float(np.linalg.norm(Z, 2))
    return float(np.sqrt(np.linalg.eigvalsh(Z @ Z.T if Z.shape[0] < Z.shape[1] else Z.T @ Z)[-1]))


def rescale(V, ratios):
    """U diag(ratios(s) * s) R' for V = U diag(s) R'; ``ratios`` maps singular values to factors."""
    d, T = V.shape
    if min(d, T) == 0:
        return np.array(V)
    if 2 * min(d, T) > max(d, T):
        U, s, Rt = np.linalg.svd(V, full_matrices=False)
        return (U * (ratios(s) * s)) @ Rt
    # Squaring costs digits of the small singular values only, and those are cut or scaled smoothly.
    tall = d >= T
    values, vectors = np.linalg.eigh(V.T @ V if tall else V @ V.T)
    kept = ratios(np.sqrt(np.maximum(values[::-1], 0)))
    vectors = vectors[:, ::-1]
    return ((V @ vectors) * kept) @ vectors.T if tall else (vectors * kept) @ (vectors.T @ V)


def trace_of_quotient(A, P, cp):
    """(expression, constraints) of tr(A' P^-1 A), P semidefinite: the least tr S with [[P, A], [A', S]] >= 0.

    That is what ``cp.matrix_frac`` says; without its copies of P and A the solver is a hundred times more accurate
    where P is singular at the optimum.
    """
    S = cp.Variable((A.shape[1], A.shape[1]), symmetric=True)
    return cp.trace(S), [cp.bmat([[P, A], [A.T, S]]) >> 0]


class SpectralPenalty(Penalty):
    """A penalty of the singular values: a member owes psi, the ratios of its prox, and its conjugate.

    ``size`` is the number of singular values counting the zeros beyond min(d, T), for penalties in
    which they matter.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import TraceNorm
    >>> from convexmtl.penalties import SpectralPenalty
    >>> isinstance(TraceNorm(), SpectralPenalty)
    True
    """

    unitarily_invariant = True
    asks = "few patterns, of which all models are sums"

    def psi(self, s, size):
        """Omega as a function of the singular values."""
        raise TypeError(f"{type(self).__name__} does not define psi")

    def ratios(self, s, step, size):
        """prox_i(s) / s_i (any finite number where s_i = 0)."""
        raise TypeError(f"{type(self).__name__} does not define ratios")

    def value(self, W):
        return float(self.psi(singular_values(W), W.shape[1]))

    def prox(self, V, step):
        return rescale(V, lambda s: self.ratios(s, step, V.shape[1]))

    def manifold(self, W, Z):
        return of_singular_values(self, W, Z)

    def slopes(self, V, step):
        return singular_slopes(V, lambda s: self.ratios(s, step, V.shape[1]))


class TraceNorm(SpectralPenalty):
    """Omega(W) = alpha norm_*(W), the sum of the singular values.

    Parameters
    ----------
    alpha : float, default=1.0

    References
    ----------
    Abernethy, Bach, Evgeniou, Vert (2009), JMLR; Pong, Tseng, Ji, Ye (2010), SIAM J. Optimization.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import TraceNorm
    >>> W = np.diag([3.0, 1.0])
    >>> print(round(TraceNorm(alpha=1.0).value(W), 6))
    4.0
    >>> print(TraceNorm(alpha=1.0).prox(W, step=2.0).round(3))  # the singular values 3 and 1 less 2
    [[1. 0.]
     [0. 0.]]
    """

    rotation_invariant = True

    def __init__(self, alpha=1.0):
        self.alpha = alpha

    def psi(self, s, size):
        return self.alpha * s.sum()

    def ratios(self, s, step, size):
        return _soft_ratios(s, step * self.alpha)

    def dual_norm(self, Z):
        return largest_singular_value(Z) / self.alpha

    def expression(self, W, cp):
        return self.alpha * cp.normNuc(W), []

    def report(self, parts, labels):
        s = singular_values(sum(parts))
        return {"rank_": int(np.sum(s > RANK * s[:1].max(initial=0.0)))}


class SquaredTraceNorm(SpectralPenalty):
    """Omega(W) = (alpha/2) min over Sigma >= 0, tr Sigma = 1 of tr(W Sigma^-1 W') + (alpha_ridge/2) norm_F(W)^2.

    The minimum is norm_*(W)^2, attained at Sigma = (W'W)^(1/2) / tr((W'W)^(1/2)).

    Parameters
    ----------
    alpha : float, default=1.0
    alpha_ridge : float, default=0.0

    References
    ----------
    Zhang, Yeung (2010), UAI; Argyriou, Evgeniou, Pontil (2008), Machine Learning.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import SquaredTraceNorm
    >>> W = np.diag([3.0, 1.0])
    >>> print(round(SquaredTraceNorm(alpha=1.0).value(W), 6))
    8.0
    """

    strengths = ("alpha", "alpha_ridge")
    is_norm = False

    rotation_invariant = True

    def __init__(self, alpha=1.0, alpha_ridge=0.0):
        self.alpha = alpha
        self.alpha_ridge = alpha_ridge

    def resolve(self, n_features, labels):
        self.check(n_features, labels)
        ridge = Nested(len(labels), [0.5 * self.alpha_ridge])
        return Canonical((SquaredTraceNorm(self.alpha),) if self.alpha > 0 else (), ridge)

    def psi(self, s, size):
        return 0.5 * self.alpha * s.sum() ** 2 + 0.5 * self.alpha_ridge * (s**2).sum()

    def ratios(self, s, step, size):
        shrink = 1 / (1 + step * self.alpha_ridge)
        weight = step * self.alpha * shrink
        s = s * shrink
        # x_i = (s_i - weight S)_+ with S = sum x: S = (sum of the k largest) / (1 + k weight).
        down = -np.sort(-s)
        S = np.cumsum(down) / (1 + np.arange(1, len(s) + 1) * weight)
        return shrink * _soft_ratios(s, weight * S.max(initial=0.0))

    def majorised(self, W, least):
        """(T, T) M, with tr(V M V') at least Omega(V) for every V and nearly as little at W: (alpha/2) Sigma^-1.

        Singular values of W count as the root of their square and that of ``least`` times the largest.
        """
        values, Q = np.linalg.eigh(W.T @ W)
        roots = np.sqrt(np.maximum(values, 0.0) + (least * max(np.sqrt(max(values[-1], 0.0)), 1e-300)) ** 2)
        roots = roots if roots.all() else np.ones(len(roots))
        return 0.5 * self.alpha * (Q * (roots.sum() / roots)) @ Q.T

    def conjugate(self, Z):
        if self.alpha_ridge == 0:
            return largest_singular_value(Z) ** 2 / (2 * self.alpha)
        raise TypeError("the conjugate is that of the resolved penalty, whose ridge is a coupling")

    def expression(self, W, cp):
        T = W.shape[1]
        Sigma = cp.Variable((T, T), symmetric=True)
        ridge = 0.5 * self.alpha_ridge * cp.sum_squares(W)
        quotient, rules = trace_of_quotient(W.T, Sigma, cp)
        return 0.5 * self.alpha * quotient + ridge, [*rules, cp.trace(Sigma) == 1]

    def report(self, parts, labels):
        """``task_covariance_`` (Sigma) and ``task_correlation_``, in which a task with w_t = 0 goes with no other."""
        W = sum(parts)
        return {"task_covariance_": Later(_unit_root, W.T), "task_correlation_": Later(_task_correlation, W)}


class SharedFeature(SquaredTraceNorm):
    """Omega(W) = (alpha/2) min over D >= 0 (d x d), tr D = 1 of tr(W' D^-1 W).

    The minimum is that of ``SquaredTraceNorm``, norm_*(W)^2, attained at D = (W W')^(1/2) / tr((W W')^(1/2)).

    Parameters
    ----------
    alpha : float, default=1.0

    References
    ----------
    Argyriou, Evgeniou, Pontil (2008), Machine Learning.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import SharedFeature
    >>> W = np.diag([3.0, 1.0])
    >>> print(round(SharedFeature(alpha=1.0).value(W), 6))
    8.0
    """

    strengths = ("alpha",)
    alpha_ridge = 0.0

    def __init__(self, alpha=1.0):
        self.alpha = alpha

    def expression(self, W, cp):
        D = cp.Variable((W.shape[0], W.shape[0]), symmetric=True)
        quotient, rules = trace_of_quotient(W, D, cp)
        return 0.5 * self.alpha * quotient, [*rules, cp.trace(D) == 1]

    def report(self, parts, labels):
        return {"feature_covariance_": Later(_unit_root, sum(parts))}


class SpectralBox(SpectralPenalty):
    """Omega(W) = alpha min over low I <= Sigma <= high I (T x T), tr Sigma = total, of tr(W Sigma^-1 W').

    Parameters
    ----------
    alpha : float, default=1.0
    low, high, total : float
        0 <= low <= high (inf allowed) and T low <= total <= T high, total > 0.

    References
    ----------
    McDonald, Pontil, Stamos (2016), JMLR.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import SpectralBox
    >>> W = np.diag([3.0, 1.0])
    >>> print(round(SpectralBox(alpha=1.0, low=0.5, high=0.5, total=1.0).value(W), 6))
    20.0
    """

    is_norm = False

    def __init__(self, alpha=1.0, low=0.0, high=np.inf, total=1.0):
        self.alpha = alpha
        self.low = low
        self.high = high
        self.total = total

    def check(self, n_features, labels):
        super().check(n_features, labels)
        T = len(labels)
        if not (0 <= self.low <= self.high and np.isfinite(self.low)):
            raise ValueError(f"0 <= low <= high is needed, got low={self.low!r}, high={self.high!r}.")
        if not (
            self.total > 0 and T * self.low <= self.total * (1 + 1e-12) and self.total <= T * self.high * (1 + 1e-12)
        ):
            raise ValueError(
                f"total must be positive and between T low = {T * self.low:g} and T high = {T * self.high:g}, "
                f"got {self.total!r}."
            )

    def with_task(self, labels, place):
        # What the new task has at least is not taken from the others.
        return self.replaced(total=self.total + self.low)

    def _theta(self, s, shift, size):
        """argmin over low <= theta <= high, sum theta = total, of sum s^2 / (theta + shift), for the padded s."""
        padded = np.concatenate([s[:size], np.zeros(max(0, size - len(s)))])
        return box_simplex(padded, shift, self.low, self.high, self.total)

    def psi(self, s, size):
        theta = self._theta(s, 0.0, size)[: len(s)]
        s = s[: len(theta)]
        # Singular values that vanish beside the others have no share of a trace with low = 0.
        used = (s > 0) & (theta > 0)
        return self.alpha * float(np.sum(s[used] ** 2 / theta[used]))

    def ratios(self, s, step, size):
        shift = 2 * step * self.alpha
        theta = self._theta(s, shift, size)
        out = np.zeros_like(s)
        out[: len(theta)] = (theta / (theta + shift))[: len(s)]
        return out

    def conjugate(self, Z):
        # sup over theta of sum theta_i z_i^2 / (4 alpha): fill the largest entries up to high first.
        T = Z.shape[1]
        z = np.zeros(T)
        s = singular_values(Z)
        z[: min(T, len(s))] = s[:T] ** 2
        spare, room = self.total - T * self.low, self.high - self.low
        if room > 0:
            fill = np.clip(spare - room * np.arange(T), 0, room) if np.isfinite(room) else spare * (np.arange(T) == 0)
        else:
            fill = np.zeros(T)
        return float((self.low + fill) @ z) / (4 * self.alpha)

    def expression(self, W, cp):
        T = W.shape[1]
        Sigma = cp.Variable((T, T), symmetric=True)
        rules = [Sigma >> self.low * np.eye(T), cp.trace(Sigma) == self.total]
        if np.isfinite(self.high):
            rules.append(Sigma << self.high * np.eye(T))
        quotient, more = trace_of_quotient(W.T, Sigma, cp)
        return self.alpha * quotient, rules + more

    def covariance(self, W):
        """The minimising Sigma."""
        values, vectors = np.linalg.eigh(W.T @ W)
        theta = self._theta(np.sqrt(np.maximum(values[::-1], 0)), 0.0, W.shape[1])
        vectors = vectors[:, ::-1]
        return (vectors * theta) @ vectors.T


class SharedStructure(SpectralPenalty):
    """Omega(W) = alpha eta (1 + eta) min over 0 <= M <= I (d x d), tr M = n_components, of tr(W' (eta I + M)^-1 W).

    The larger eta, the less it matters what the tasks share. With n_components = 0 it is the ridge
    alpha (1 + eta) norm_F(W)^2, and with n_components = d the ridge alpha eta norm_F(W)^2.

    Parameters
    ----------
    alpha : float, default=1.0
    eta : float > 0, default=1.0
    n_components : int, default=1
        Dimension of the subspace that the tasks share, between 0 and d.

    References
    ----------
    Chen, Tang, Liu, Ye (2009), ICML; Ando, Zhang (2005), JMLR; Zhou, Chen, Ye (2011), NIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import SharedStructure
    >>> W = np.diag([3.0, 1.0])
    >>> print(round(SharedStructure(alpha=1.0, eta=1.0, n_components=0).value(W), 6))
    20.0
    """

    is_norm = False

    def __init__(self, alpha=1.0, eta=1.0, n_components=1):
        self.alpha = alpha
        self.eta = eta
        self.n_components = n_components

    def check(self, n_features, labels):
        super().check(n_features, labels)
        check_number(self.eta, "eta", 1e-12, 1e12, "a number > 0, from 1e-12 to 1e12")
        accepted = f"an integer between 0 and the number of features ({n_features})"
        check_count(self.n_components, "n_components", 0, accepted, n_features)

    def resolve(self, n_features, labels):
        self.check(n_features, labels)
        T = len(labels)
        if self.alpha == 0 or 0 < self.n_components < min(n_features, T):
            terms = (self._box(T),) if self.alpha > 0 else ()
            return Canonical(terms, Nested(T, [0.0]))
        # Nothing to choose: M is zero, or the identity on all that W spans.
        return Canonical((), Nested(T, [self.alpha * (self.eta if self.n_components else 1 + self.eta)]))

    def _box(self, T):
        """The same in terms of the T largest singular values: beyond them W is zero, and M costs nothing."""
        total = T * self.eta + min(self.n_components, T)
        return SpectralBox(self.alpha * self.eta * (1 + self.eta), self.eta, 1 + self.eta, total)

    def psi(self, s, size):
        return self._box(size).psi(s, size)

    def ratios(self, s, step, size):
        return self._box(size).ratios(s, step, size)

    def conjugate(self, Z):
        return self._box(Z.shape[1]).conjugate(Z)

    def expression(self, W, cp):
        d = W.shape[0]
        M = cp.Variable((d, d), symmetric=True)
        rules = [M >> 0, M << np.eye(d), cp.trace(M) == self.n_components]
        quotient, more = trace_of_quotient(W, self.eta * np.eye(d) + M, cp)
        return self.alpha * self.eta * (1 + self.eta) * quotient, rules + more

    def report(self, parts, labels):
        """``components_`` (n_components, d): the leading eigenvectors of M, those of W W'."""
        W, k = sum(parts), self.n_components
        U = np.linalg.svd(W, full_matrices=k > min(W.shape))[0][:, :k]
        # The largest entry of each is positive, as scikit-learn has it.
        sign = np.sign(U[np.abs(U).argmax(axis=0), np.arange(k)])
        return {"components_": (U * np.where(sign == 0, 1, sign)).T}

    def findings(self, W, labels):
        return [Later(_leading_share, W, self.n_components)]


class LearnedClusters(Penalty):
    """Omega(W) = alpha_mean norm(w_bar)^2 + min over Sigma of tr(W P Sigma^-1 P W'), P = I - 11'/T,

    with lo I <= Sigma <= hi I, tr Sigma = (T - C + 1) lo + (C - 1) hi, lo = 1/alpha_within and
    hi = 1/alpha_between: the convex relaxation of C clusters of tasks with unknown members.

    Parameters
    ----------
    n_clusters : int, default=2
        C, between 1 and T.
    alpha_mean, alpha_between, alpha_within : float
        alpha_between <= alpha_within.

    Notes
    -----
    The paper has T times this mean term.

    References
    ----------
    Jacob, Bach, Vert (2009), NIPS; Zhou, Chen, Ye (2011), NIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import MultiTaskRegressor, LearnedClusters
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 6))
    >>> Y = X[:, :2] @ rng.normal(size=(2, 4)) + 0.1 * rng.normal(size=(40, 4))
    >>> model = MultiTaskRegressor(LearnedClusters(n_clusters=2)).fit(X, Y)
    >>> print(model.labels_.shape)
    (4,)
    """

    strengths = ("alpha_mean", "alpha_between", "alpha_within")
    is_norm = False
    unitarily_invariant = True
    asks = "tasks in a few clusters with similar models"

    def __init__(self, n_clusters=2, alpha_mean=0.1, alpha_between=0.1, alpha_within=1.0):
        self.n_clusters = n_clusters
        self.alpha_mean = alpha_mean
        self.alpha_between = alpha_between
        self.alpha_within = alpha_within

    def check(self, n_features, labels):
        super().check(n_features, labels)
        T = len(labels)
        accepted = f"an integer between 1 and the number of tasks ({T})"
        check_count(self.n_clusters, "n_clusters", 1, accepted, max(T, 2))
        if self.alpha_within < self.alpha_between:
            raise ValueError(
                f"alpha_within must be at least alpha_between, got alpha_within={self.alpha_within!r} < "
                f"alpha_between={self.alpha_between!r}."
            )

    def resolve(self, n_features, labels):
        self.check(n_features, labels)
        T = len(labels)
        within, all_tasks = self.alpha_within, [np.zeros(T, dtype=np.int64)]
        if T == 1 or self.alpha_within == self.alpha_between or self.n_clusters == 1:
            return Canonical((), Nested(T, [within, self.alpha_mean / T], all_tasks))
        if self.alpha_between == 0:
            # Sigma may grow without bound in C - 1 directions, and its trace with it: nothing is left but the mean.
            return Canonical((), Nested(T, [0.0, self.alpha_mean / T], all_tasks))
        return Canonical((self,), Nested(T, [0.0]))

    def _box(self, T):
        low, high = 1 / self.alpha_within, 1 / self.alpha_between
        C = min(self.n_clusters, T)
        return SpectralBox(1.0, low, high, (T - C + 1) * low + (C - 1) * high)

    def value(self, W):
        mean = W.mean(axis=1)
        centred = W - mean[:, None]
        smooth = self.alpha_mean * float(mean @ mean)
        if not np.any(centred) or self.alpha_between == 0:
            return smooth
        return smooth + self._box(W.shape[1]).value(centred)

    def prox(self, V, step):
        T = V.shape[1]
        mean = V.mean(axis=1, keepdims=True)
        return self._box(T).prox(V - mean, step) + mean / (1 + 2 * step * self.alpha_mean / T)

    def conjugate(self, Z):
        # The mean direction x 1' sees norm(Z 1)^2 / (4 alpha_mean); the rest is the box's.
        total = Z.sum(axis=1)
        rest = self._box(Z.shape[1]).conjugate(Z - total[:, None] / Z.shape[1])
        return rest + (float(total @ total) / (4 * self.alpha_mean) if self.alpha_mean > 0 else 0.0)

    def free_tasks(self, n_tasks):
        return np.full((n_tasks, int(self.alpha_mean == 0)), n_tasks**-0.5)

    def expression(self, W, cp):
        T = W.shape[1]
        P = np.eye(T) - 1 / T
        mean = self.alpha_mean * cp.sum_squares(W @ np.full(T, 1 / T))
        if self.n_clusters == 1:
            return mean + self.alpha_within * cp.sum_squares(W @ P), []
        if self.alpha_between == 0:
            return mean, []
        box, more = self._box(T).expression(W @ P, cp)
        return mean + box, more

    def report(self, parts, labels):
        """``task_covariance_`` (Sigma), and ``labels_`` by k-means on its leading C - 1 eigenvectors."""
        W = sum(parts)
        T, C = W.shape[1], min(self.n_clusters, W.shape[1])
        centred = W - W.mean(axis=1, keepdims=True)
        if T == 1 or self.alpha_between == 0:
            return {"task_covariance_": Later(Nested(T, [1.0]).matrix), "labels_": np.zeros(T, dtype=int)}
        Sigma = Later(self._box(T).covariance, centred)
        if C == 1 or not np.any(centred):
            return {"task_covariance_": Sigma, "labels_": np.zeros(T, dtype=int)}
        return {"task_covariance_": Sigma, "labels_": Later(_members, centred, C)}


def _members(centred, C):
    """(T,) the cluster of every task, by k-means on the C - 1 leading eigenvectors of Sigma."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    # Those of Sigma are those of W'W.
    _, sizes, vectors = np.linalg.svd(centred, full_matrices=False)
    # (Vectors of no size are any, and tell apart tasks that have the same model.)
    vectors = vectors[: C - 1][sizes[: C - 1] > 1e-10 * sizes[0]].T
    # Fewer clusters where there are fewer models, which k-means would warn of.
    C = min(C, len(np.unique(vectors.round(10), axis=0)))
    # A few points: threads would only wait for those of BLAS, for longer than all the rest takes.
    with threadpool_limits(1, user_api="openmp"):
        members = KMeans(C, n_init=10, random_state=0).fit_predict(vectors)
    # Numbered in order of appearance, so that the labels do not depend on k-means' own order.
    _, first, inverse = np.unique(members, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def _soft_ratios(s, cut):
    """(s - cut)_+ / s, 0 where s is; NaN stays NaN."""
    kept = ~(s <= cut)
    return np.where(kept, 1 - cut / np.where(kept, s, 1.0), 0.0)


def box_simplex(s, shift, low, high, total):
    """argmin over low <= theta <= high, sum theta = total, of sum s_i^2 / (theta_i + shift).

    theta_i = clip(mu s_i - shift, low, high), with mu the root of a piecewise linear increasing function.
    Where s has too few non-zero entries to reach the total, the rest goes to the zeros (which cost nothing).
    """
    s = np.abs(s)
    positive = s > s.max(initial=0.0) * 1e-150
    n = int(positive.sum())
    zeros = len(s) - n
    theta = np.full(len(s), low, dtype=float)
    if n == 0:
        return np.full(len(s), total / len(s))
    if np.isfinite(high) and n * high + zeros * low <= total:
        theta[positive] = high
        if zeros:
            theta[~positive] = (total - n * high) / zeros
        return theta
    a = s[positive]
    target = total - zeros * low
    # Breakpoints in mu, and the sum of the clipped lines at each of them.
    knots = np.concatenate([(low + shift) / a, (high + shift) / a])
    knots = np.unique(knots[np.isfinite(knots)])
    at = np.clip(np.outer(knots, a) - shift, low, high).sum(axis=1)
    i = np.searchsorted(at, target)
    if i == 0:
        mu = knots[0]
    elif i == len(knots):
        # Beyond the last breakpoint (high = inf): all entries grow.
        mu = knots[-1] + (target - at[-1]) / a.sum()
    else:
        rise = at[i] - at[i - 1]
        mu = knots[i - 1] + (knots[i] - knots[i - 1]) * ((target - at[i - 1]) / rise if rise > 0 else 0.0)
    theta[positive] = np.clip(mu * a - shift, low, high)
    return theta


def _leading_share(W, k):
    squares = singular_values(W) ** 2
    share = squares[:k].sum() / squares.sum() if squares.any() else 0.0
    return f"{percent(share)} of the squared coefficients is in the {counted(k, 'shared direction')}"


def _task_correlation(W):
    Sigma = _unit_root(W.T)
    scale = np.sqrt(np.diag(Sigma))
    scale = np.where(scale > 0, scale, 1.0)
    correlation = np.clip(Sigma / np.outer(scale, scale), -1, 1)
    np.fill_diagonal(correlation, 1.0)
    return correlation


def _unit_root(A):
    """(A A')^(1/2) over its trace; where A is zero, the identity over its."""
    U, s, _ = np.linalg.svd(A, full_matrices=False)
    U[~A.any(axis=1)] = 0.0  # not nearly
    total = s.sum()
    return (U * (s / total)) @ U.T if total > 0 else np.eye(len(A)) / len(A)
