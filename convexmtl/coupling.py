"""Couplings of tasks: tr(W M W') with M as an operator, in the form in which a penalty knows it.

Solvers and certificates see nothing else of M (T, T), symmetric and positive semidefinite. There are three forms:
averages over nested groups of tasks (none, a ridge, a mean, known clusters), a graph, and whatever else as an array.
"""

from functools import cached_property, partial
from itertools import pairwise

import numpy as np
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import eigsh, splu

SMALL = 64  # tasks of a graph up to which arrays take less time than sparse matrices
FEW = 1000  # tasks up to which all eigenvalues of a graph are computed


class TaskOperator:
    """W -> W M. A form owes what raises here, ``scaled``, ``shifted``, and ``packed`` for row descent.

    Attributes
    ----------
    n_tasks : int
    lowest, top : float
        Smallest eigenvalue of M, and a bound of the largest.
    """

    def apply(self, W):
        """(d, T) W M; exactly without a share in the directions that M leaves free."""
        raise TypeError(f"{type(self).__name__} does not define apply")

    def value(self, W):
        """tr(W M W')."""
        raise TypeError(f"{type(self).__name__} does not define value")

    def conjugate(self, Z):
        """sup over W of <W, Z> - tr(W M W') = tr(Z M^+ Z') / 4, for Z without a share in what M leaves free."""
        raise TypeError(f"{type(self).__name__} does not define conjugate")

    @property
    def diagonal(self):
        """(T,)"""
        raise TypeError(f"{type(self).__name__} does not define diagonal")

    @property
    def row_sums(self):
        """(T,) sums of the absolute values of the rows of M."""
        raise TypeError(f"{type(self).__name__} does not define row_sums")

    @property
    def free(self):
        """(T, k) orthonormal basis of the null space of M: sparse where no task is in two directions, else an array; or
        ``AllBut`` those that M does not leave free."""
        raise TypeError(f"{type(self).__name__} does not define free")

    @property
    def smallest(self):
        """The smallest positive eigenvalue; infinity for M = 0."""
        raise TypeError(f"{type(self).__name__} does not define smallest")

    def matrix(self):
        """M, (T, T)."""
        return self.apply(np.eye(self.n_tasks))

    @cached_property
    def is_zero(self):
        return self.top == 0

    @property
    def is_diagonal(self):
        """Whether M is a multiple of the identity."""
        return isinstance(self, Nested) and not self.groups

    def __add__(self, other):
        if self.is_zero or other.is_zero:
            return other if self.is_zero else self
        if self.is_diagonal or other.is_diagonal:
            return other.shifted(self.values[0]) if self.is_diagonal else self.shifted(other.values[0])
        together = _merged(self, other) if isinstance(self, Nested) and isinstance(other, Nested) else None
        return Dense(self.matrix() + other.matrix()) if together is None else together


def _pack(sparse_matrix=None, groups=(), shares=()):
    """What kernels take for the entries of M off its diagonal: a sparse matrix by rows (indptr, indices, data), plus
    ``shares[g]`` for any two tasks in group g, of which ``groups`` (L, T) has L for every task, numbered through."""
    if sparse_matrix is None:
        rows = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0)
    else:
        rows = (
            sparse_matrix.indptr.astype(np.int64),
            sparse_matrix.indices.astype(np.int64),
            np.ascontiguousarray(sparse_matrix.data, dtype=float),
        )
    groups = np.array(groups, dtype=np.int64) if len(groups) else np.zeros((0, 0), dtype=np.int64)
    return (*rows, groups, np.ascontiguousarray(shares, dtype=float))


class Nested(TaskOperator):
    """M = sum_l values_l (A_l - A_(l+1)), A_l the averages over the groups of level l: the values are its eigenvalues.

    On level 0 every task is a group of its own, and the groups of a level are made of whole groups of the one below;
    beyond the last level A is zero. Without groups M is a multiple of the identity.

    Parameters
    ----------
    n_tasks : int
    values : sequence of float >= 0
    groups : sequence of (T,) integers, one less
        The group of every task, numbered from 0, from level 1 on.
    """

    def __init__(self, n_tasks, values, groups=()):
        self.n_tasks = n_tasks
        kept, counts, levels = [float(values[0])], [n_tasks], []
        for value, codes in zip(values[1:], groups, strict=True):
            count = int(codes.max()) + 1
            if count == counts[-1]:  # nothing is left on the level below
                kept[-1] = float(value)
            elif value != kept[-1]:
                kept.append(float(value))
                counts.append(count)
                levels.append(codes)
        # (Removing a level may leave two of one value.)
        same = [k for k in range(1, len(kept)) if kept[k] == kept[k - 1]]
        self.values = np.array([value for k, value in enumerate(kept) if k not in same])
        self.groups = tuple(codes for k, codes in enumerate(levels, start=1) if k not in same)

    @cached_property
    def _sizes(self):
        """Per level from 1 on, the sizes of its groups."""
        return [np.bincount(codes) for codes in self.groups]

    @cached_property
    def _inverse_sizes(self):
        """(L + 1, T): one over the size of every task's group on every level, zeros beyond the last."""
        rows = [np.ones(self.n_tasks)]
        rows += [1 / sizes[codes] for codes, sizes in zip(self.groups, self._sizes, strict=True)]
        return np.array([*rows, np.zeros(self.n_tasks)])

    @cached_property
    def _indicators(self):
        """Per level from 1 on, what ``group_sums`` takes."""
        return [indicators(codes) for codes in self.groups]

    @cached_property
    def _members(self):
        """Per level from 1 on, for every task (T,) one of its group, whichever."""
        members = []
        for codes, sizes in zip(self.groups, self._sizes, strict=True):
            member = np.zeros(len(sizes), dtype=np.int64)
            member[codes] = np.arange(self.n_tasks)
            members.append(member[codes])
        return members

    def components(self, W):
        """Per level (A_l - A_(l+1)) W', transposed, of shape (d, T), or (d, 1) where all columns are alike."""
        parts, average = [], W
        for codes, sizes, H, member in zip(self.groups, self._sizes, self._indicators, self._members, strict=True):
            # Seen from one of the group: the rounding of a large mean, left in the part, would pull at what the group
            # has in common, where M may leave W free and the gradient of the loss may be far smaller.
            origin = average[:, :1] if len(sizes) == 1 else average[:, member]
            part = average - origin
            means = (group_sums(H, part.T) / sizes[:, None]).T
            means = means if len(sizes) == 1 else means[:, codes]
            parts.append(part - means)
            average = origin + means
        return [*parts, average]

    def _squares(self, W):
        """(L,) squared norms of the components."""
        # (A component of which all columns are alike has one.)
        return np.array([np.sum(part**2) * (W.shape[1] / part.shape[1]) for part in self.components(W)])

    def apply(self, W):
        if not self.groups:
            return self.values[0] * W
        parts = zip(self.values, self.components(W), strict=True)
        return np.zeros(W.shape) + sum(value * part for value, part in parts if value > 0)

    def value(self, W):
        return float(self.values @ self._squares(W))

    def conjugate(self, Z):
        used = self.values > 0
        return float(np.sum(self._squares(Z)[used] / self.values[used])) / 4

    @cached_property
    def diagonal(self):
        return self.values @ (self._inverse_sizes[:-1] - self._inverse_sizes[1:])

    @cached_property
    def row_sums(self):
        # Two tasks that first meet on level l have the sum of all (values_k - values_(k-1)) / size_k from l on.
        entries = np.cumsum((np.diff(self.values, prepend=0)[:, None] * self._inverse_sizes[:-1])[::-1], axis=0)[::-1]
        sizes = 1 / self._inverse_sizes[:-1]
        return np.sum(np.abs(entries) * np.diff(sizes, axis=0, prepend=0), axis=0)

    @cached_property
    def free(self):
        T, basis, zero = self.n_tasks, [], np.flatnonzero(self.values == 0)
        if not self.groups:
            return sparse.csr_array(sparse.identity(T)) if self.values[0] == 0 else np.zeros((T, 0))
        if zero.tolist() == [0]:
            return AllBut(self._indicators[0].T * np.sqrt(self._inverse_sizes[1])[:, None])
        for level in zero:
            if level == 0:
                H = np.eye(T)
            else:
                H = self._indicators[level - 1].toarray().T * np.sqrt(self._inverse_sizes[level])[:, None]
            if level < len(self.groups):
                # Of the unit vectors of the groups, what is orthogonal to those of the next level.
                above = self._indicators[level].toarray().T * np.sqrt(self._inverse_sizes[level + 1])[:, None]
                vectors, sizes, _ = np.linalg.svd(H.T @ above, full_matrices=True)
                H = H @ vectors[:, len(sizes) :]
            basis.append(H)
        return np.concatenate(basis, axis=1) if basis else np.zeros((T, 0))

    @property
    def smallest(self):
        return float(self.values[self.values > 0].min(initial=np.inf))

    @property
    def lowest(self):
        return float(self.values.min())

    @property
    def top(self):
        return float(self.values.max())

    def scaled(self, factor):
        return Nested(self.n_tasks, self.values * factor, self.groups)

    def shifted(self, value):
        return Nested(self.n_tasks, self.values + value, self.groups)

    def inverse(self):
        """M^+, the pseudo-inverse."""
        values = np.divide(1.0, self.values, out=np.zeros_like(self.values), where=self.values > 0)
        return Nested(self.n_tasks, values, self.groups)

    @cached_property
    def packed(self):
        first = np.cumsum([0, *map(len, self._sizes)])
        groups = [codes + k for codes, k in zip(self.groups, first, strict=False)]
        shares = [rise / sizes for rise, sizes in zip(np.diff(self.values), self._sizes, strict=True)]
        return _pack(groups=groups, shares=np.concatenate(shares) if shares else ())


class InSpan(TaskOperator):
    """M of functions in the span of samples: tr(M W' K W) in place of tr(M W' W), W their coefficients.

    It says how large they are, and no more: what solves such problems knows K.

    Parameters
    ----------
    coupling : TaskOperator
    K : ndarray of shape (n, n)
        The kernel of the samples.
    """

    def __init__(self, coupling, K):
        self.coupling, self.K, self.n_tasks = coupling, K, coupling.n_tasks
        self.lowest, self.top = coupling.lowest, coupling.top
        self._last = None  # (W, value): it is asked for more than once, and takes a pass over K

    @property
    def free(self):
        return self.coupling.free

    def value(self, W):
        if self._last is None or not np.array_equal(self._last[0], W):
            self._last = W, float(np.sum((self.K @ W) * self.coupling.apply(W)))
        return self._last[1]

    def matrix(self):
        return self.coupling.matrix()


class AllBut:
    """The k = T - m directions of T tasks that are orthogonal to m others, with no basis of T x k numbers.

    Parameters
    ----------
    others : sparse array of shape (T, m)
        Orthonormal, no task in two.
    """

    def __init__(self, others):
        self.others = sparse.csr_array(others)
        T, m = others.shape
        self.shape = T, T - m


def share_in(free, Z):
    """(d, T) the share of Z (d, T) in the directions ``free``, as ``TaskOperator.free`` has them."""
    if isinstance(free, AllBut):
        return Z - (Z @ free.others) @ free.others.T
    return (Z @ free) @ free.T


def indicators(codes):
    """(C, n) sparse: sums over the members of each of C groups, for the group (n,) of every member."""
    ends = np.concatenate([[0], np.cumsum(np.bincount(codes))])
    order = np.argsort(codes, kind="stable")
    return sparse.csr_array((np.ones(len(codes)), order, ends), shape=(len(ends) - 1, len(codes)))


def group_sums(H, A):
    """(C, ...) sums of A (n, ...) over the members of each group, for their indicators H (C, n)."""
    if H.shape[0] == 1:
        return A.sum(axis=0, keepdims=True)
    return (H @ A.reshape(len(A), int(np.prod(A.shape[1:])))).reshape(H.shape[0], *A.shape[1:])


def _merged(a, b):
    """The sum of two Nested as one, or None where their groups are not nested in each other."""
    levels = sorted({codes.tobytes(): codes for codes in a.groups + b.groups}.values(), key=np.max, reverse=True)
    for fine, coarse in pairwise(levels):
        of_group = np.empty(fine.max() + 1, dtype=coarse.dtype)
        of_group[fine] = coarse
        if np.any(of_group[fine] != coarse):
            return None
    values = np.zeros(len(levels) + 1)
    for operator in (a, b):
        own = 0
        for k in range(len(values)):
            if k and own < len(operator.groups):
                own += int(np.array_equal(operator.groups[own], levels[k - 1]))
            values[k] += operator.values[own]
    return Nested(a.n_tasks, values, levels)


class Graph(TaskOperator):
    """M = ridge I + sum_e omega_e (e_s - sign_e e_t)(e_s - sign_e e_t)' over the edges e = (s, t) of a graph.

    Parameters
    ----------
    n_tasks : int
    edges : (s (E,), t (E,), omega (E,) > 0, sign (E,))
        Integers and floats; signs are 1 or -1.
    ridge : float >= 0
    """

    def __init__(self, n_tasks, edges, ridge=0.0):
        self.n_tasks, self.edges, self.ridge = n_tasks, edges, ridge

    @cached_property
    def laplacian(self):
        """M without the ridge, sparse."""
        s, t, omega, sign = self.edges
        entries = np.concatenate([omega, omega, -omega * sign, -omega * sign])
        # (The integers that all versions of scipy's graph routines take.)
        at = np.concatenate([s, t, s, t]).astype(np.int32), np.concatenate([s, t, t, s]).astype(np.int32)
        return sparse.csr_array((entries, at), shape=(self.n_tasks, self.n_tasks))

    @cached_property
    def _steps(self):
        """(T, E) sparse: W @ steps are the differences along the edges."""
        s, t, _, sign = self.edges
        every = np.arange(len(s))
        entries = np.concatenate([np.ones(len(s)), -sign]), (np.concatenate([s, t]), np.concatenate([every, every]))
        steps = sparse.csr_array(entries, shape=(self.n_tasks, len(s)))
        return steps.toarray() if self.n_tasks <= SMALL else steps

    @cached_property
    def _array(self):
        """The laplacian as an array, of few tasks."""
        s, t, omega, sign = self.edges
        M = np.zeros((self.n_tasks, self.n_tasks))
        for at, entries in (((s, s), omega), ((t, t), omega), ((s, t), -omega * sign), ((t, s), -omega * sign)):
            np.add.at(M, at, entries)
        return M

    def apply(self, W):
        s, t, omega, sign = self.edges
        steps = (W[:, s] - W[:, t] * sign) * omega
        return (self._steps @ steps.T).T + self.ridge * W

    def value(self, W):
        s, t, omega, sign = self.edges
        return float(np.sum((W[:, s] - W[:, t] * sign) ** 2 @ omega) + self.ridge * np.sum(W**2))

    @cached_property
    def _laplacian(self):
        return self._array if self.n_tasks <= SMALL else self.laplacian

    @cached_property
    def diagonal(self):
        return self._laplacian.diagonal() + self.ridge

    @cached_property
    def row_sums(self):
        return np.asarray(abs(self._laplacian).sum(axis=1)).ravel() + self.ridge

    @cached_property
    def free(self):
        if self.ridge > 0:
            return np.zeros((self.n_tasks, 0))
        free = free_of_graph(self.n_tasks, self.edges)
        return free.toarray() if self.n_tasks <= SMALL else free

    @cached_property
    def _grounded(self):
        """(tasks, what solves with their rows and columns of M): all, but for one of each component that is free."""
        kept = np.ones(self.n_tasks, dtype=bool)
        if self.n_tasks <= SMALL:
            kept[(self.free != 0).argmax(axis=0)] = False
            M = (self._array + self.ridge * np.eye(self.n_tasks))[np.ix_(kept, kept)]
            return kept, partial(cho_solve, cho_factor(M)) if kept.any() else None
        if self.free.shape[1]:
            by_direction = self.free.tocsc()
            kept[by_direction.indices[by_direction.indptr[:-1]]] = False
        M = (self.laplacian + sparse.csr_array(sparse.diags(np.full(self.n_tasks, self.ridge)))).tocsr()[kept][:, kept]
        return kept, splu(M.tocsc()).solve if kept.any() else None

    def conjugate(self, Z):
        kept, solve = self._grounded
        if solve is None:
            return 0.0
        inside = np.ascontiguousarray(Z[:, kept].T)
        return float(np.sum(inside * solve(inside))) / 4

    def solve(self, R):
        """(d, T) R M^-1, for an M that leaves nothing free."""
        return self._grounded[1](np.ascontiguousarray(R.T)).T

    @property
    def lowest(self):
        return self.ridge if self.free.shape[1] or self.ridge else self.smallest

    @cached_property
    def smallest(self):
        k, T = self.free.shape[1], self.n_tasks
        if self.ridge > 0 and free_of_graph(T, self.edges).shape[1]:
            return self.ridge
        if T <= FEW or k >= T - 2:
            values = np.linalg.eigvalsh(self.laplacian.toarray())
        else:
            values = np.sort(eigsh(self.laplacian, k + 1, sigma=-1e-6 * self.top, return_eigenvectors=False))
        return float(values[k]) + self.ridge if k < T else np.inf

    @property
    def top(self):
        return float(self.row_sums.max())

    def scaled(self, factor):
        s, t, omega, sign = self.edges
        if factor == 0:
            return Nested(self.n_tasks, [0.0])
        other = Graph(self.n_tasks, (s, t, omega * factor, sign), self.ridge * factor)
        # (What does not depend on the weights.)
        other.__dict__ |= {name: self.__dict__[name] for name in ("free", "_steps") if name in self.__dict__}
        return other

    def shifted(self, value):
        return Graph(self.n_tasks, self.edges, self.ridge + value)

    @cached_property
    def packed(self):
        off_diagonal = self.laplacian - sparse.diags(self.laplacian.diagonal())
        return _pack(sparse.csr_array(off_diagonal))


def free_of_graph(n_tasks, edges):
    """(T, k) orthonormal, sparse: what makes all differences w_s - sign w_t along the edges (s, t, omega, sign) vanish.

    A component is free up to one value if its signs agree: if w_t and -w_t are nowhere joined in it.
    """
    part = signed_components(n_tasks, edges)
    node = np.flatnonzero(part < np.roll(part, n_tasks))
    parts, column = np.unique(part[node], return_inverse=True)
    entries = np.where(node < n_tasks, 1.0, -1.0) / np.sqrt(np.bincount(column, minlength=len(parts)))[column]
    return sparse.csr_array((entries, (node % n_tasks, column)), shape=(n_tasks, len(parts)))


def signed_components(n_tasks, edges):
    """(2 T,) the connected component of every node, t for w_t and T + t for -w_t."""
    s, t, _, sign = edges
    T, other = n_tasks, np.where(sign > 0, 0, n_tasks)
    ends = np.concatenate([s, s + T]), np.concatenate([t + other, t + T - other])
    return connected_components(sparse.coo_array((np.ones(2 * len(s)), ends), shape=(2 * T, 2 * T)), directed=False)[1]


class Dense(TaskOperator):
    """Any M as an array."""

    def __init__(self, M):
        self.M = M
        self.n_tasks = len(M)

    @cached_property
    def spectrum(self):
        """(eigenvalues, eigenvectors) of M; what is zero but for rounding is zero."""
        return clean_spectrum(self.M)

    def matrix(self):
        return self.M

    def apply(self, W):
        values, vectors = self.spectrum
        used = values > 0
        return ((W @ vectors[:, used]) * values[used]) @ vectors[:, used].T

    def value(self, W):
        # As a sum of squares: M itself pulls at what is free, by as much as its rounding.
        values, vectors = self.spectrum
        return float(values @ np.sum((W @ vectors) ** 2, axis=0))

    def conjugate(self, Z):
        values, vectors = self.spectrum
        used = values > 0
        return float(np.sum((Z @ vectors[:, used]) ** 2 / values[used])) / 4

    @property
    def diagonal(self):
        return np.diag(self.M)

    @property
    def row_sums(self):
        return np.abs(self.M).sum(axis=1)

    @property
    def free(self):
        values, vectors = self.spectrum
        return vectors[:, values == 0]

    @property
    def lowest(self):
        return float(self.spectrum[0][0])

    @property
    def smallest(self):
        values = self.spectrum[0]
        return float(values[values > 1e-12 * values[-1]].min(initial=np.inf))

    @property
    def top(self):
        return float(self.spectrum[0][-1])

    def scaled(self, factor):
        return Dense(self.M * factor)

    def shifted(self, value):
        return Dense(self.M + value * np.eye(self.n_tasks))

    @cached_property
    def packed(self):
        return _pack(sparse.csr_array(self.M - np.diag(np.diag(self.M))))


def clean_spectrum(M):
    """Eigenvalues (those that are zero but for rounding set to zero) and eigenvectors of a semidefinite M."""
    values, vectors = np.linalg.eigh(M)
    return np.where(values > 1e-14 * max(values[-1], 0.0), values, 0.0), vectors
