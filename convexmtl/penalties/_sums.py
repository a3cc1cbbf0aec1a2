"""Penalties that are summed on one W: what they leave free together, how they share a subgradient, their dual norm.

A group is a tuple of terms, one for each part of W in it. The conjugate of a sum of groups is the infimal convolution
of theirs: at any Z that is a sum of shares, one per group, it is at most the sum of their conjugates at the shares.
"""

import numpy as np
from scipy.sparse import issparse

RELAXATION = 1.6
ROUNDS = 4  # in which what is left of a matrix is shared out
CHECK_EVERY, MOST = 10, 3000  # iterations
TOLERATED = 3.0  # ratio of the two residuals beyond which their weight changes


def free_of_any(group, n_tasks):
    """(T, k) orthonormal: the directions of tasks in which one of the terms is constant, so that W costs nothing."""
    free = [f for f in (term.free_tasks(n_tasks) for term in group) if f.shape[1]]
    if len(free) < 2:
        return free[0] if free else np.zeros((n_tasks, 0))
    # Parts may have free directions in common: what their basis spans, without what rounding adds to it.
    vectors, sizes, _ = np.linalg.svd(np.concatenate([_dense(f) for f in free], axis=1), full_matrices=False)
    return vectors[:, sizes > 1e-10]


def free_of_all(frees, n_tasks):
    """(T, k) orthonormal: what is in the span of every one of these bases."""
    if len(frees) == 1:
        return frees[0]
    if any(free.shape[1] == 0 for free in frees):
        return np.zeros((n_tasks, 0))
    frees = [_dense(free) for free in frees]
    values, vectors = np.linalg.eigh(sum(free @ free.T for free in frees) / len(frees))
    return vectors[:, values > 1 - 1e-10]


def free_entries_of(group, shape):
    """(d, T) booleans: the coefficients on which one of the terms does not depend; None where there are none."""
    found = [entries for term in group if (entries := term.free_entries(shape)) is not None]
    return np.logical_or.reduce(found) if found else None


def _dense(A):
    return A.toarray() if issparse(A) else A


class Sharing:
    """The shares of the groups in one (d, T) matrix.

    In what a group leaves free its share has to vanish, and that of a constraint has signs, whatever rounding or
    another strength has made of it.
    """

    def __init__(self, groups, shape):
        self.groups, self.shape = groups, shape
        self.free = [free_of_any(group, shape[1]) for group in groups]

    def projected(self, g, Z):
        """What group g can take of Z."""
        for term in self.groups[g]:
            Z = term.dual_part(Z)
        if self.free[g].shape[1]:
            Z = Z - (Z @ self.free[g]) @ self.free[g].T
        return Z

    def __call__(self, Z, split=None, anything=None):
        """([share] of every group, near those of ``split``; what no group takes of Z (d, T), but where it may be
        ``anything``)."""
        G = len(self.groups)
        if split is None or np.shape(split) != (G, *self.shape):
            split = np.broadcast_to(Z / max(G, 1), (G, *self.shape))
        shares = [self.projected(g, share) for g, share in enumerate(split)]
        rest = Z - sum(shares)
        for _ in range(ROUNDS):
            if anything is not None:
                rest = np.where(anything, 0.0, rest)
            if not np.any(rest):
                break
            for g, share in enumerate(shares):
                shares[g] = self.projected(g, share + rest)
                rest = rest - (shares[g] - share)
        return shares, rest if anything is None else np.where(anything, 0.0, rest)


def dual_norm_of_sum(groups, Z, rtol):
    """The least s >= 0 for which Z is a sum of shares, of dual norm at most s in their groups: never less, and at most
    a share of ``rtol`` more unless that takes too long.

    It is 1 / min of Omega(W) over <W, Z> = 1. By alternating directions between the proxes and that hyperplane, of
    which any W bounds s from below, and the dual variables from above.
    """
    size = float(np.linalg.norm(Z))
    if not (size > 0 and np.isfinite(size)):
        return max(float(norm.dual_norm(Z)) for group in groups for norm in group)
    Z, sharing = Z / size, Sharing(groups, Z.shape)

    def above(split=None):
        shares, _ = sharing(Z, split)
        return max(float(norm.dual_norm(share)) for group, share in zip(groups, shares, strict=True) for norm in group)

    counts = [len(group) for group in groups]
    W = Z
    V = [np.stack([W / K] * K) for K in counts]
    U = [-Z / len(groups)] * len(groups)
    least, low = above(), 0.0
    # (W is about as long as 1, and a subgradient there as Omega is large.)
    rho = 1 / least if 0 < least < np.inf else 1.0
    for n in range(1, MOST + 1):
        before = W
        for g, group in enumerate(groups):
            move = (W - V[g].sum(axis=0)) / counts[g] - U[g]
            V[g] = np.stack([f.prox(P + move, 1 / rho) for f, P in zip(group, V[g], strict=True)])
            U[g] = U[g] + (RELAXATION * V[g].sum(axis=0) + (1 - RELAXATION) * W) / counts[g]
        W = sum(U) / sum(1 / K for K in counts)
        W = W + (1 - float(np.sum(W * Z))) * Z
        U = [u - W / K for u, K in zip(U, counts, strict=True)]
        if n % CHECK_EVERY:
            continue
        along = -float(np.sum(sum(U) * Z))
        if along > 0:
            least = min(least, above([-u / along for u in U]))
        low = max(low, *(_below(groups, V, g, Z) for g in range(len(groups))))
        if least <= low * (1 + rtol):
            break
        primal = max(np.linalg.norm(P.sum(axis=0) - W) for P in V) / np.linalg.norm(W)
        dual = np.linalg.norm(W - before) / max(
            *(K * np.linalg.norm(u) for K, u in zip(counts, U, strict=True)), 1e-300
        )
        ratio = primal / dual if dual > 0 else 1.0
        if (ratio > TOLERATED or ratio < 1 / TOLERATED) and n <= MOST // 2:
            factor = float(np.clip(np.sqrt(ratio), 0.2, 5))
            rho, U = rho * factor, [u / factor for u in U]
    return size * least


def _below(groups, V, g, Z):
    """<W, Z> / Omega(W) for the W of group g."""
    if len(groups[g]) == 1 and any(len(group) > 1 for group in groups):
        return 0.0  # what is split is split for that group alone
    W = V[g].sum(axis=0)
    omega = 0.0
    for h, group in enumerate(groups):
        omega += sum(float(f.value(P)) for f, P in zip(group, V[g] if h == g else [W], strict=True))
    return max(0.0, float(np.sum(W * Z))) / omega if omega > 0 else 0.0
