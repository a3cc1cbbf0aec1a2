"""Task-by-task elimination:  G_t w_t + 2 (W M)_t = r_t  in a time that is proportional to the number of tasks.

Both forms keep, of whatever has been eliminated, what it looks like from above. That is never a difference of large
numbers, so that a coupling which is far stronger or far weaker than the Gram matrices loses none of their digits.
"""

import numpy as np
from scipy.sparse import coo_array, csr_array, diags
from scipy.sparse.csgraph import breadth_first_order, connected_components, minimum_spanning_tree

from .._jit import kernel
from ..coupling import group_sums, indicators
from ..inverses import SMALL, Factors, inverse, positive_inverse

PIVOT = 0.1  # as in ``direct``


class Levels:
    """Exact for M = sum_l values_l (A_l - A_(l+1)), averages over nested groups, times each of ``factors`` (A,).

    A node i (a task; or a group of level l, made of the nodes of the level below) answers a pull q with
    n_i w_i = y_i - S_i q, and P_i = n_i - 2 values_l S_i. From its members: S = sum S_i, P = sum P_i,
    B = P + 2 values_l S, and as a node itself n B^-1 S, n B^-1 P, n B^-1 sum y_i.

    Parameters
    ----------
    leaves : Factored or Diagonalised
        (G_t + 2 factor values_0)^-1 for all tasks and factors.
    coupling : Nested
    factors : ndarray of shape (A,)
    """

    def __init__(self, leaves, coupling, factors):
        self.leaves, self.coupling, self.factors = leaves, coupling, factors
        self.above = []  # per level from 1 on: (group of every member, the same as indicators, sizes, B^-1, S)
        if not coupling.groups:
            return
        P = S = None
        # All of them are symmetric, but for rounding, of which the rows of features in large units have less.
        exact = leaves.sizes[:, None] >= leaves.sizes
        below = np.arange(coupling.n_tasks)
        for value, codes in zip(coupling.values[1:], coupling.groups, strict=True):
            member = np.empty(int(below.max()) + 1, dtype=np.int64)
            member[below] = codes
            H, sizes = indicators(member), np.bincount(codes)
            # (Of all tasks there is one of the two at a time.)
            P = group_sums(H, leaves.of_matrices if P is None else P)
            S = group_sums(H, leaves.inverses if S is None else S)
            B = P + 2 * value * factors[:, None, None] * S
            inverses = inverse(np.where(exact, B, B.swapaxes(-1, -2)))
            self.above.append((member, H, sizes, inverses, S))
            P = sizes[:, None, None, None] * np.matmul(inverses, P)
            S = sizes[:, None, None, None] * np.matmul(inverses, S)
            below = codes

    def solve(self, R):
        """(T, A, d) for R (d, T)."""
        Y, totals = self.leaves.solve(R.T[:, None]), []
        if not self.above:
            return Y
        node = Y
        for _, H, sizes, inverses, _ in self.above:
            totals.append(group_sums(H, node))
            node = sizes[:, None, None] * _times(inverses, totals[-1])
        # From the top: means of the groups, each one given the pull of those above it.
        pull = np.zeros_like(totals[-1])
        rises = 2 * np.diff(self.coupling.values)
        for (member, _, _, inverses, S), total, rise in zip(self.above[::-1], totals[::-1], rises[::-1], strict=True):
            mean = _times(inverses, total - _times(S, pull))
            pull = (pull + rise * self.factors[:, None] * mean)[member]
        return Y - self.leaves.solve(pull)

    def __call__(self, R):
        """The solution for R (d, T) and the first factor, (d, T)."""
        return self.solve(R)[:, 0].T


class Factored:
    """(G_t + shift)^-1 for one shift, by factors that suit features of any scale."""

    def __init__(self, G, shift):
        self.G = G
        self.sizes = np.einsum("tjj->j", G)
        self.factors = Factors(G, np.full(len(G), shift), PIVOT)

    @property
    def of_matrices(self):
        """(T, 1, d, d) (G_t + shift)^-1 G_t"""
        # (All three matrices are symmetric: taken by their columns, they are solved for where they are.)
        return self.factors.solve(self.G.swapaxes(1, 2)).swapaxes(1, 2)[:, None]

    @property
    def inverses(self):
        """(T, 1, d, d)"""
        return self.factors.solve(np.broadcast_to(np.eye(self.G.shape[1]), self.G.shape)).swapaxes(1, 2)[:, None]

    def solve(self, V):
        """For V (T, 1, d)."""
        return self.factors.solve(np.ascontiguousarray(V[:, 0].T)).T[:, None]


class Diagonalised:
    """(G_t + shifts_a)^-1 for many shifts, by the spectra of all G_t: (values (T, d), vectors (T, d, d))."""

    def __init__(self, spectra, shifts):
        self.values, self.vectors = spectra
        self.sizes = np.zeros(self.values.shape[1])  # of no use: they are symmetric to the last digit
        self.shares = 1 / (self.values[:, None] + shifts[:, None])  # (T, A, d)

    @property
    def of_matrices(self):
        return self._turned(self.values[:, None] * self.shares)

    @property
    def inverses(self):
        return self._turned(self.shares)

    def _turned(self, diagonals):
        return np.matmul(self.vectors[:, None] * diagonals[:, :, None], self.vectors[:, None].swapaxes(2, 3))

    def solve(self, V):
        """For V (T, A or 1, d)."""
        return np.matmul(np.matmul(V, self.vectors) * self.shares, self.vectors.swapaxes(1, 2))


def _times(A, v):
    return np.matmul(A, v[..., None])[..., 0]


class Forest:
    """Exact for a graph without cycles; of any other one, for its heaviest tree and the diagonal of the rest."""

    def __init__(self, G, coupling):
        T, laplacian = coupling.n_tasks, coupling.laplacian
        joins = csr_array(abs(laplacian - diags(laplacian.diagonal())))
        self.order, self.parent = _rooted(minimum_spanning_tree(-joins), T)
        inner = self.parent >= 0
        self.weight = np.zeros(T)
        self.weight[inner] = 2 * np.asarray(laplacian[np.flatnonzero(inner), self.parent[inner]]).ravel()
        # What the tree leaves of the diagonal.
        total = 2 * laplacian.diagonal()
        rest = total - np.abs(self.weight)
        np.subtract.at(rest, self.parent[inner], np.abs(self.weight[inner]))
        self.inverses = G.copy()
        every = np.arange(G.shape[1])
        self.inverses[:, every, every] += (np.where(rest > 1e-12 * total, rest, 0) + 2 * coupling.ridge)[:, None]
        by = eliminate if G.shape[1] <= SMALL else eliminate_large
        by(self.inverses, self.order, self.parent, np.abs(self.weight))
        roots = np.flatnonzero(~inner)
        own = self.inverses[roots]
        self.inverses[roots] = inverse((own + own.swapaxes(1, 2)) / 2)

    def __call__(self, R):
        """The solution for R (d, T)."""
        W = np.array(R.T, order="C")
        substitute(self.inverses, self.order, self.parent, self.weight, W)
        return W.T


def _rooted(tree, T):
    """(order (T,) in which every node comes after its parent, parent (T,), -1 for a root) of a forest, sparse."""
    n, part = connected_components(tree, directed=False)
    # One more node, joined to one of each component, makes it a tree.
    roots = np.unique(part, return_index=True)[1]
    tree = tree.tocoo()
    ends = np.append(tree.row, np.full(n, T)).astype(np.int32), np.append(tree.col, roots).astype(np.int32)
    joined = coo_array((np.ones(len(ends[0])), ends), shape=(T + 1, T + 1)).tocsr()
    order, parent = breadth_first_order(joined, T, directed=False)
    parent = np.where(parent[:T] == T, -1, parent[:T])
    return order[1:].astype(np.int64), parent.astype(np.int64)


@kernel("boolean(float64[:, ::1])")
def _invert(A):
    """Invert a symmetric positive definite matrix in place, by its Cholesky factor; returns whether it is one."""
    d = A.shape[0]
    for j in range(d):
        pivot = A[j, j]
        for k in range(j):
            pivot -= A[j, k] * A[j, k]
        if not pivot > 0.0:
            return False
        A[j, j] = np.sqrt(pivot)
        for i in range(j + 1, d):
            total = A[i, j]
            for k in range(j):
                total -= A[i, k] * A[j, k]
            A[i, j] = total / A[j, j]
    for j in range(d):
        A[j, j] = 1.0 / A[j, j]
        for i in range(j + 1, d):
            total = 0.0
            for k in range(j, i):
                total -= A[i, k] * A[k, j]
            A[i, j] = total / A[i, i]
    for i in range(d):
        for j in range(i + 1):
            total = 0.0
            for k in range(i, d):
                total += A[k, i] * A[k, j]
            A[j, i] = total
            # (Entry (i, j) of the factor is still wanted by the rows above it: mirrored at the end.)
    for i in range(d):
        for j in range(i):
            A[i, j] = A[j, i]
    return True


@kernel("void(float64[:, :, ::1], int64[::1], int64[::1], float64[::1])")
def eliminate(E, order, parent, weight):
    """E (T, d, d), what every task has of its own, becomes (E_t + weight_t)^-1 with all below t eliminated; at roots
    the matrix itself is left."""
    d = E.shape[1]
    own = np.empty((d, d))
    for k in range(len(order) - 1, -1, -1):
        t = order[k]
        p = parent[t]
        if p < 0:
            continue
        w = weight[t]
        own[:, :] = E[t]
        for i in range(d):
            E[t, i, i] += w
        if not _invert(E[t]):
            E[t] = np.nan
        # Seen from the parent: w - w (E + w)^-1 w = w (E + w)^-1 E.
        for i in range(d):
            for j in range(i + 1):
                total = 0.0
                for a in range(d):
                    total += E[t, i, a] * own[a, j]
                E[p, i, j] += w * total
                if i != j:
                    E[p, j, i] += w * total


def eliminate_large(E, order, parent, weight):
    """The same for many features, by matrix products."""
    for t in order[::-1]:
        if parent[t] >= 0:
            own = E[t].copy()
            E[t].flat[:: len(own) + 1] += weight[t]
            E[t] = positive_inverse(E[t])
            rest = weight[t] * (E[t] @ own)
            E[parent[t]] += (rest + rest.T) / 2


@kernel("void(float64[:, :, ::1], int64[::1], int64[::1], float64[::1], float64[:, ::1])")
def substitute(inverses, order, parent, weight, W):
    """Turn right sides W (T, d) into the solution; ``weight`` are the entries 2 M_(t, parent), with their signs."""
    T, d = W.shape
    y = np.empty(d)
    for k in range(T - 1, -1, -1):
        t = order[k]
        y[:] = 0.0
        for i in range(d):
            for j in range(d):
                y[i] += inverses[t, i, j] * W[t, j]
        W[t] = y
        p = parent[t]
        if p >= 0:
            for i in range(d):
                W[p, i] -= weight[t] * y[i]
    for k in range(T):
        t = order[k]
        p = parent[t]
        if p >= 0:
            for i in range(d):
                total = 0.0
                for j in range(d):
                    total += inverses[t, i, j] * W[p, j]
                W[t, i] -= weight[t] * total
