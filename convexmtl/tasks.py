"""Tasks: one representation of the data of T tasks, whatever layout the user has."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.sparse import csc_array, csr_array, issparse

from . import _products
from ._products import FAR, without_rounding
from ._rows import used_rows

SMALL = 5_000  # entries of X up to which looking for zeros takes longer than they would
LARGE_TASK = 2**22  # products of two entries from which on BLAS is the faster for the Gram matrix of a task
# Bytes of X up to which it is copied where that makes for speed: a larger one stays where it is, on disk maybe.
LARGE = 2**28


@dataclass(frozen=True, eq=False)
class Tasks:
    """The samples of T tasks, task after task, on top of one matrix of features.

    Sample i of task t has features ``X[row[t] + i]``, target ``y[ptr[t] + i]`` and weight
    ``weight[ptr[t] + i]``. Stacked data has ``row = ptr[:-1]``; shared data has ``row = 0`` and every task
    reads the same rows. A missing target has weight 0.

    Attributes
    ----------
    X : ndarray of shape (n_rows, n_features), float64, in Fortran order unless it is large; or scipy.sparse.csc_array
    y : ndarray of shape (N,), float64
        Targets, task after task; 0 where the weight is.
    ptr : ndarray of shape (T + 1,), int64
    row : ndarray of shape (T,), int64
    weight : ndarray of shape (N,), float64
        c_ti = task_weight_t * s_ti / sum_i s_ti with s_ti the sample weights, so that each task counts by
        its mean loss.
    offset : ndarray of shape (N,), float64, or None
        What is added to the prediction of every sample before the loss is taken; 0 where the weight is.
    kind : ndarray of shape (T,), int64, or None
        Which of several losses every task has, where they differ.
    owner : ndarray of shape (T,), int64, or None
        Where tasks have several classes, with a column of W each: the task to which every column belongs. All of this
        is about columns then, which read the rows of their task, one column after the other.
    """

    X: np.ndarray
    y: np.ndarray
    ptr: np.ndarray
    row: np.ndarray
    weight: np.ndarray
    offset: np.ndarray | None = None
    kind: np.ndarray | None = None
    owner: np.ndarray | None = None

    @classmethod
    def shared(cls, X, Y, sample_weight=None, task_weight=None, offset=None):
        """One X (n, d) for all tasks, Y (n, T); NaN in Y is a missing target.

        ``sample_weight`` and ``offset`` are (n,) or (n, T), ``task_weight`` (T,).
        """
        n, T = Y.shape
        ptr, missing = np.arange(T + 1, dtype=np.int64) * n, np.isnan(Y)
        y = Y.ravel(order="F")
        if sample_weight is None and not missing.any():
            # (Every array of many samples takes more time to be made than to be read.)
            weight = np.repeat(np.full(T, 1 / n) if task_weight is None else task_weight / n, n)
        else:
            s = np.where(missing, 0.0, 1.0 if sample_weight is None else sample_weight.reshape(n, -1))
            weight = _normalised(s.ravel(order="F"), ptr, task_weight)
            y = np.where(weight > 0, y, 0.0)
        if offset is not None:
            offset = np.broadcast_to(offset if offset.ndim == 2 else offset[:, None], Y.shape).ravel(order="F")
            offset = np.where(weight > 0, offset, 0.0)
        return cls(_by_columns(X), y, ptr, np.zeros(T, dtype=np.int64), weight, offset)

    @classmethod
    def stacked(cls, X, y, codes, n_tasks, sample_weight=None, task_weight=None, offset=None):
        """Every task has its own rows: X (n, d), y (n,), codes (n,) in 0..T-1."""
        order = np.argsort(codes, kind="stable")
        ptr = np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=n_tasks))]).astype(np.int64)
        s = np.ones(len(y)) if sample_weight is None else sample_weight[order].astype(float)
        weight = _normalised(s, ptr, task_weight)
        y = np.where(weight > 0, y[order], 0.0)
        offset = None if offset is None else np.where(weight > 0, offset[order], 0.0)
        if np.any(np.diff(codes) < 0):
            X = X[order]
        return cls(_by_columns(X), y, ptr, ptr[:-1].copy(), weight, offset)

    def in_columns(self, counts):
        """The same samples with counts_t columns of W for every task t, each with the targets of its task."""
        owner = np.repeat(np.arange(self.n_tasks), counts)
        sizes = self.sizes[owner]
        ptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        taken = np.arange(ptr[-1]) + np.repeat(self.ptr[owner] - ptr[:-1], sizes)
        offset = None if self.offset is None else self.offset[taken]
        return Tasks(self.X, self.y[taken], ptr, self.row[owner], self.weight[taken], offset, None, owner)

    @property
    def n_tasks(self):
        return len(self.row)

    @property
    def n_features(self):
        return self.X.shape[1]

    @property
    def n_rows(self):
        return self.X.shape[0]

    @property
    def is_sparse(self):
        return issparse(self.X)

    @cached_property
    def sizes(self):
        """(T,) samples of each task, with weight or without."""
        return self.ptr[1:] - self.ptr[:-1]

    @cached_property
    def is_shared(self):
        """Whether every task reads all rows of X."""
        return not self.row.any() and bool((self.sizes == self.n_rows).all())

    @cached_property
    def _columns(self):
        """(d, n_rows) the columns of X, one after the other in memory; None where they are not."""
        return None if self.is_sparse or not self.X.flags.f_contiguous else np.require(self.X.T, requirements="CA")

    def _blocks(self, wanted=None):
        """((columns, first row, row, ptr), tasks) for the kernels of ``_products``: all rows of X, block by block.

        It is one block where the columns of X lie one after the other; else blocks are copied. Those without a task
        that is ``wanted`` (T,) are left out.
        """
        if self._columns is not None:
            yield (self._columns, 0, self.row, self.ptr), slice(0, self.n_tasks)
            return
        X = self._sparse_rows if self.is_sparse else self.X
        ends, size = self.row + self.sizes, max(1, _products.BLOCK // max(1, self.n_features))
        for first in range(0, self.n_rows, size):
            begin, end = np.searchsorted(ends, first, "right"), np.searchsorted(self.row, first + size)
            if begin < end and (wanted is None or wanted[begin:end].any()):
                block = X[first : first + size]
                columns = np.ascontiguousarray((block.toarray() if self.is_sparse else block).T)
                yield (columns, first, self.row[begin:end], self.ptr[begin : end + 1]), slice(begin, end)

    @cached_property
    def _block_diagonal(self):
        """(N, T d) a sparse X of stacked tasks, block after block."""
        X = self._sparse_rows if self.owner is None else self._sparse_rows[self.sample_row]
        wide = np.int64 if self.n_tasks * self.n_features > np.iinfo(np.int32).max else X.indices.dtype
        shift = np.repeat(self.sample_task * self.n_features, np.diff(X.indptr))
        shape = len(self.y), self.n_tasks * self.n_features
        return csr_array((X.data, X.indices.astype(wide) + shift.astype(wide), X.indptr.astype(wide)), shape=shape)

    @cached_property
    def _sparse_rows(self):
        """A sparse X by rows."""
        return self.X.tocsr()

    def rows_of(self, t):
        """The rows of X that task t reads; sparse where X is."""
        rows, _ = self.slices(t)
        return self._sparse_rows[rows] if self.is_sparse else self.X[rows]

    @cached_property
    def sample_task(self):
        """Task index of every sample, (N,)."""
        return np.repeat(np.arange(self.n_tasks), self.sizes)

    @cached_property
    def sample_row(self):
        """Row of X of every sample, (N,)."""
        return np.arange(len(self.y)) + self.spread(self.row - self.ptr[:-1])

    @cached_property
    def common_weight(self):
        """(weights (n,) summing to 1, scale (T,)) with c_ti = scale_t * weights_i, or None.

        It exists for shared data without missing targets or with the same weights for every task, and
        means that all tasks have one Gram matrix, up to a factor.
        """
        if not self.is_shared:
            return None
        c = self.weight.reshape(self.n_tasks, -1)
        if (c == c[0]).all():
            mass = c[0].sum()
            return None if mass <= 0 else (c[0] / mass, np.full(self.n_tasks, mass))
        scale = c.sum(axis=1)
        if np.any(scale <= 0):
            return None
        s = c / scale[:, None]
        # One task after the other, so that rounding of a common factor does not hide the common weights.
        return (s[0], scale) if np.all(np.abs(s - s[0]) <= 1e-15 * s[0].max()) else None

    @cached_property
    def mass(self):
        """(T,) sums of the weights of each task."""
        return self.sum(self.weight)

    def slices(self, t):
        """(rows of X, samples) of task t."""
        n = self.ptr[t + 1] - self.ptr[t]
        return slice(self.row[t], self.row[t] + n), slice(self.ptr[t], self.ptr[t + 1])

    def apply(self, W):
        """Predictions without intercept, (N,): x_ti . w_t for W (d, T)."""
        if self.is_sparse or (self.is_shared and self.X.size > SMALL):
            used = np.flatnonzero(used_rows(W))
            if 2 * len(used) < len(W) and (self.is_sparse or len(used) * self.n_rows <= _products.BLOCK):
                return self.select(used).apply(W[used]) if len(used) else np.zeros(len(self.y))
        if self.is_shared:
            # For BLAS, twice as fast as X @ W.
            return (self.X @ W).ravel(order="F") if self.is_sparse else (W.T @ self.X.T).ravel()
        if self.is_sparse:
            return self._block_diagonal @ W.T.ravel()
        z, W = np.zeros(len(self.y)), by_task(W)
        for rows, some in self._blocks():
            _products.add_predictions(*rows, W[some], z)
        return z

    def apply_all(self, Ws, turned=None):
        """(A, N) the predictions of every W of Ws (A, d, T), which ``_products.turned`` may have turned already."""
        if not self.is_shared or self.is_sparse:
            return np.array([self.apply(W) for W in Ws]).reshape(len(Ws), -1)
        V, used = _products.turned(Ws) if turned is None else turned
        A, T, k = V.shape
        X = self.X.T if k == self.n_features else self.X.T[used]
        return (V.reshape(A * T, k) @ X).reshape(A, -1)

    def adjoint(self, u):
        """(d, T) with columns sum_i u_ti x_ti, for u (N,)."""
        if self.is_shared:
            U = u.reshape(self.n_tasks, -1)
            return self.X.T @ U.T if self.is_sparse else (U @ self.X).T
        if self.is_sparse:
            return (u @ self._block_diagonal).reshape(self.n_tasks, -1).T
        out, u = np.zeros((self.n_tasks, self.n_features)), np.ascontiguousarray(u)
        for rows, some in self._blocks():
            _products.add_moments(*rows, u, out[some])
        return out.T

    def bent(self, W, h, centred):
        """(d, T) the adjoint of h (N,) times the predictions of W, less their means weighted by h if ``centred``."""
        if not self.is_shared and self._columns is not None:
            out = np.zeros((self.n_tasks, self.n_features))
            _products.add_bent(self._columns, self.row, self.ptr, h, centred, by_task(W), np.empty(len(h)), out)
            return out.T
        s = self.apply(W)
        if centred:
            mass = self.sum(h)
            s = s - self.spread(np.divide(self.sum(h * s), mass, out=np.zeros_like(mass), where=mass > 0))
        return self.adjoint(h * s)

    def adjoint_all(self, us):
        """(A, d, T) the adjoint of every u of us (A, N)."""
        if not self.is_shared or self.is_sparse:
            return np.array([self.adjoint(u) for u in us]).reshape(len(us), self.n_features, self.n_tasks)
        return (us.reshape(-1, self.n_rows) @ self.X).reshape(len(us), self.n_tasks, -1).transpose(0, 2, 1)

    def sums_of_all(self, us):
        """(A, T) weighted sums over the samples of each task, for every u of us (A, N)."""
        if not self.is_shared:
            return np.add.reduceat(us * self.weight, self.ptr[:-1], axis=1)
        by_task = self.n_tasks, self.n_rows
        us, common = us.reshape(-1, *by_task), self.common_weight
        if common is None:
            return np.einsum("atn,tn->at", us, self.weight.reshape(by_task))
        return (us @ common[0]) * common[1]

    def shift_all(self, us, bs):
        """Add b_t, for every b of bs (A, T), to the samples of task t in the u (A, N) of the same place."""
        if self.is_shared:
            us.reshape(*bs.shape, self.n_rows)[...] += bs[:, :, None]
        else:
            us += bs[:, self.sample_task]

    def columns_alike(self, counted):
        """(T,) how many columns of those ``counted`` (T,) the task of each has."""
        return counted.astype(int) if self.owner is None else np.bincount(self.owner, counted)[self.owner]

    def sum(self, u):
        """(T,) sums over the samples of each task."""
        return np.add.reduceat(u, self.ptr[:-1])

    @cached_property
    def counts(self):
        """(T,) samples with weight of each task."""
        if not len(self.absent):
            return self.sizes
        return self.sum((self.weight > 0).astype(np.int64))

    def extremes(self, u):
        """(smallest (T,), largest (T,)) of u (N,), over the samples with weight of each task."""
        low = high = u
        if len(self.absent):
            low, high = np.where(self.weight > 0, u, np.inf), np.where(self.weight > 0, u, -np.inf)
        return np.minimum.reduceat(low, self.ptr[:-1]), np.maximum.reduceat(high, self.ptr[:-1])

    def counted_of(self, tasks):
        """(samples with weight of some of the tasks, ptr of them, positions of those tasks that have any)."""
        if len(tasks) == self.n_tasks and not len(self.absent):
            return slice(0, len(self.y)), self.ptr, np.arange(self.n_tasks)
        counts = self.weight > 0
        if len(tasks) < self.n_tasks:
            wanted = np.zeros(self.n_tasks, dtype=bool)
            wanted[tasks] = True
            counts &= self.spread(wanted)
        own, sizes = np.flatnonzero(counts), self.sum(counts.astype(np.int64))
        some = np.flatnonzero(sizes)
        return own, np.concatenate([[0], np.cumsum(sizes[some])]), some

    def total(self, u):
        """Weighted sum of u (N,), which may be infinite or NaN for samples without weight."""
        return float(self.weight @ (np.where(self.weight > 0, u, 0.0) if len(self.absent) else u))

    @cached_property
    def absent(self):
        """Samples without weight."""
        return np.flatnonzero(self.weight <= 0)

    def shift(self, z, b):
        """(N,) z_ti + b_t: predictions, for the loss to be taken at; 0 for samples without weight.

        Their loss does not count, and so must not overflow: 0 times infinity is not 0.
        """
        z = z + self.spread(b)
        if len(self.absent):
            z[self.absent] = 0.0
        return z

    def spread(self, b):
        """(N,) the value b_t at every sample of task t."""
        return np.repeat(b, self.sizes)

    @cached_property
    def row_squares(self):
        """(N,) the square of the length of every sample's row of X."""
        if self.is_sparse:
            squares = np.asarray(_products.squared(self.X).sum(axis=1)).ravel()
        else:
            squares = np.einsum("ij,ij->i", self.X, self.X)
        return squares[self.sample_row]

    def dense(self):
        """X as an array."""
        return self.X.toarray(order="F") if self.is_sparse else self.X

    def select(self, features):
        """The same tasks with some features only: a copy of their columns, unless it is all of them."""
        if np.array_equal(features, np.arange(self.n_features)):
            return self
        X = self.X[:, features] if self.is_sparse else self.X.T[features].T
        return replace(self, X=_by_columns(X))

    def without_offset(self):
        """The same tasks with the offsets taken off the targets: for losses of y - z nothing else changes."""
        return self if self.offset is None else replace(self, y=self.y - self.offset, offset=None)

    def between(self, begin, end):
        """The tasks from ``begin`` to ``end``, on the same X; on their own rows of a sparse one."""
        a, e = self.ptr[begin], self.ptr[end]
        X, row = self.X, self.row[begin:end].copy()
        if self.is_sparse and not self.is_shared:
            first, last = row[0], self.rows_end(end - 1)
            X, row = _by_columns(self._sparse_rows[first:last]), row - first
        offset = None if self.offset is None else self.offset[a:e]
        kind, owner = (None if of is None else of[begin:end] for of in (self.kind, self.owner))
        return Tasks(X, self.y[a:e], self.ptr[begin : end + 1] - a, row, self.weight[a:e], offset, kind, owner)

    def rows_end(self, t):
        """Behind the last row of X that task t reads."""
        return self.row[t] + self.ptr[t + 1] - self.ptr[t]

    def part(self, rows):
        """(tasks on some rows of X, positions of the tasks that are left): as if there were no other rows.

        ``rows`` (n,) says how often each row is taken, twice being a weight of 2. Every task keeps what it counts;
        tasks with rows of their own are left out where they have no weight on them. Rows without weight go as well.
        """
        T, before, often = self.n_tasks, self.mass, np.asarray(rows, dtype=float)
        if self.is_shared:
            often, left, taken = np.tile(often, T), np.arange(T), (often > 0) & self._counted
            samples = np.tile(taken, T)
            ptr, row = np.arange(T + 1, dtype=np.int64) * int(taken.sum()), np.zeros(T, dtype=np.int64)
        else:
            often, taken = often[self.sample_row], np.zeros(self.n_rows, dtype=bool)
            counts = self.sum(often * self.weight) > 0
            left = np.flatnonzero(counts)
            samples = (often > 0) & self._counted[self.sample_row] & self.spread(counts)
            taken[self.sample_row[samples]] = True
            sizes = np.add.reduceat(samples.astype(np.int64), self.ptr[:-1])[left]
            ptr = np.concatenate([[0], np.cumsum(sizes)])
            row = (np.cumsum(taken) - 1)[self.sample_row[samples][ptr[:-1]]]
        X = _by_columns(self.X[taken] if self.is_sparse else self.X.T[:, taken].T)
        weight = self.weight[samples] * often[samples]
        offset = None if self.offset is None else self.offset[samples]
        kind, owner = (None if of is None else of[left] for of in (self.kind, self.owner))
        return Tasks(X, self.y[samples], ptr, row, _normalised(weight, ptr, before[left]), offset, kind, owner), left

    @cached_property
    def _counted(self):
        """(n_rows,) rows of X with a sample that has weight."""
        seen = self.weight > 0
        if self.is_shared:
            return seen.reshape(self.n_tasks, -1).any(axis=0)
        counted = np.zeros(self.n_rows, dtype=bool)
        counted[self.sample_row[seen]] = True
        return counted

    @property
    def present(self):
        """The same tasks without the rows of X that have no weight, as long as leaving them out takes a small copy."""
        return self._present or self

    @cached_property
    def _present(self):
        """These if they are others. (What holds itself would keep the samples until somebody collects garbage.)"""
        size = self.X.data.nbytes if self.is_sparse else self.X.nbytes
        if size > LARGE or self._counted.all() or not (self.mass > 0).all():
            return None
        return self.part(np.ones(self.n_rows))[0]

    def means(self, h):
        """(d, T) means of the features weighted by h (N,); 0 where a task's h sums to 0."""
        total = self.sum(h)
        return np.divide(self.adjoint(h), total, out=np.zeros((self.n_features, self.n_tasks)), where=total > 0)

    def gram(self, h, means=None):
        """(T, d, d): sum_i h_ti (x_ti - mean_t)(x_ti - mean_t)' for h (N,) >= 0; means (d, T) or None."""
        d, T = self.n_features, self.n_tasks
        large = self.sizes * d**2 > LARGE_TASK
        out, wanted, h = np.zeros((T, d, d)), ~large, np.ascontiguousarray(h)
        if wanted.any():
            centres = by_task(means, (T, d))
            for rows, some in self._blocks(wanted):
                _products.add_grams(*rows, h, centres[some], wanted[some], out[some])
            if means is not None:
                _products.without_constants(out, means.T, self.sum(h)[:, None])
        for t in np.flatnonzero(large):
            weight, X = h[self.slices(t)[1]], self.rows_of(t)
            out[t] = _products.gram(X, weight, None if means is None else means[:, t])
        return out

    def weighted_gram(self, s, centred):
        """(d, d): that of all rows of X, for their weights s (n,)."""
        return _products.gram(self.X, s, s @ self.X if centred else None)

    def curvature(self, h, means=None):
        """(d, T): the diagonals of ``gram``, by column."""
        if h is self.weight and means is None and not self.is_sparse and self.common_weight is not None:
            s, scale = self.common_weight
            blocks = _products.row_blocks(self.X)
            return np.outer(sum(s[block] @ _products.squared(self.X[block]) for block in blocks), scale)
        if self.is_shared:
            squares = np.zeros((self.n_features, self.n_tasks))
            H = h.reshape(self.n_tasks, -1)
            for block in _products.row_blocks(self.X):
                squares += (H[:, block] @ _products.squared(self.X[block])).T
        elif self.is_sparse:
            squares = (h @ self._block_diagonal.power(2)).reshape(self.n_tasks, -1).T
        else:
            squares = self._centred_squares(h, means)
            return squares if means is None else without_rounding(squares, means, self.sum(h))
        if means is None:
            return squares
        # sum h (x - m)^2 = sum h x^2 - m^2 sum h loses digits where the mean is large; those are redone.
        centred = squares - means**2 * self.sum(h)
        bad = np.any(centred < FAR * squares, axis=1).nonzero()[0]
        if len(bad):
            centred[bad] = self.select(bad)._centred_squares(h, means[bad])
        return without_rounding(centred, means, self.sum(h))

    def _centred_squares(self, h, means):
        """(d, T) sum_i h_ti (x_ti - mean_t)^2, for means (d, T) or None."""
        T, d = self.n_tasks, self.n_features
        out, wanted = np.zeros((T, d, 1)), np.ones(T, dtype=bool)
        h, centres = np.ascontiguousarray(h), by_task(means, (T, d))
        for rows, some in self._blocks():
            _products.add_grams(*rows, h, centres[some], wanted[some], out[some])
        return out[:, :, 0].T

    @cached_property
    def constant_features(self):
        """(d,) booleans: the features with one value on all samples of positive weight of a task, in every task."""
        if self.is_sparse and self.is_shared and np.all(self.weight > 0):
            return (self.X.max(axis=0) != self.X.min(axis=0)).toarray().ravel() == 0
        left = np.arange(self.n_features)
        # Rows of the first tasks decide for nearly all features; the others are looked at as a whole.
        for t in np.flatnonzero(self.mass > 0)[:2]:
            rows, samples = self.slices(t)
            rows = np.arange(rows.start, rows.stop)[self.weight[samples] > 0]
            done, size = 1, 16
            while done < len(rows) and len(left):
                block, first = (
                    self._sparse_rows[chosen][:, left].toarray() if self.is_sparse else self.X[np.ix_(chosen, left)]
                    for chosen in (rows[done : done + size], rows[:1])
                )
                left = left[np.all(block == first, axis=0)]
                done, size = done + size, max(16, min(4 * size, _products.BLOCK // max(1, self.n_features)))
        found = np.zeros(self.n_features, dtype=bool)
        counts = self.weight > 0
        if len(left) and counts.any():
            at, of_task = self.sample_row[counts], self.sample_task[counts]
            first = np.searchsorted(of_task, of_task)
            if self.is_sparse:
                empty = np.diff(self.X.indptr)[left] == 0
                found[left[empty]] = True
                left = left[~empty]
            size = max(1, _products.BLOCK // len(at))
            for some in (left[a : a + size] for a in range(0, len(left), size)):
                x = (self.X[:, some].toarray() if self.is_sparse else self.X[:, some])[at]
                found[some] = np.all(x == x[first], axis=0)
        return found

    def reduce_features(self):
        """(tasks, Q) with at most n_rows features, X = tasks.X Q' and Q'Q = I; or None if d <= n_rows.

        A penalty that depends on W through W'W only has its minimiser in the span of the samples. A sparse X is
        left as it is.
        """
        n, d = self.X.shape
        if d <= n or self.is_sparse:
            return None
        Q, R = np.linalg.qr(self.X.T)
        return replace(self, X=np.asfortranarray(R.T)), Q

    def independent_features(self, centred):
        """(tasks, Q) with features X Q that span what X does, none of them rounding; or None if d <= n_rows.

        Unlike those of ``reduce_features`` they come from features of unit length, so that small ones are not what a
        large one leaves of them; and, where ``centred``, from what intercepts leave of them. A sparse X is left as it
        is.
        """
        X, (n, d) = self.X, self.X.shape
        if d <= n or self.is_sparse:
            return None
        length = np.linalg.norm(X, axis=0)
        if centred:
            # (Twice: the mean of large numbers is only as exact as they are.)
            for _ in range(2):
                X = X - (X.mean(axis=0) if self.is_shared else self._own_means(X))
        lengths = np.linalg.norm(X, axis=0)
        # What centring has left of a constant feature says nothing.
        unit = np.divide(1.0, lengths, out=np.zeros(d), where=lengths > 1e-14 * length)
        U, S, V = np.linalg.svd(X * unit, full_matrices=False)
        rank = max(1, int(np.sum(S > 1e-13 * np.sqrt(d))))
        Q = unit[:, None] * V[:rank].T
        return replace(self, X=np.asfortranarray(U[:, :rank] * S[:rank])), Q

    def _own_means(self, X):
        """(n, d) for every row of a stacked X, the mean of its task."""
        begin = np.unique(self.row)
        counts = np.diff(begin, append=len(X))
        return np.repeat(np.add.reduceat(X, begin, axis=0) / counts[:, None], counts, axis=0)


def by_task(W, shape=None):
    """(T, d) W (d, T) with what belongs to a task side by side in memory; zeros of that shape where it is None."""
    return np.zeros(shape) if W is None else np.ascontiguousarray(W.T, dtype=float)


def row_products(X, rows, codes):
    """(n,) x_i . rows[codes_i], for X (n, d) dense or sparse and codes (n,)."""
    out = np.empty(X.shape[0])
    X = X.tocsr() if issparse(X) else X
    size = max(1, _products.BLOCK // max(1, X.shape[1]))
    for a in range(0, len(out), size):
        block = slice(a, a + size)
        if issparse(X):
            out[block] = X[block].multiply(rows[codes[block]]).sum(axis=1).ravel()
        else:
            out[block] = np.einsum("ij,ij->i", X[block], rows[codes[block]])
    return out


def _by_columns(X):
    """float64, the columns one after the other in memory, unless that takes a large copy."""
    if not issparse(X):
        stays = X.nbytes > LARGE or X.flags.f_contiguous
        return np.asarray(X, dtype=float) if stays else _products.by_columns(X)
    X = csc_array(X, dtype=float)
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return X


def _normalised(s, ptr, task_weight):
    """c_ti = task_weight_t s_ti / sum_i s_ti; a task without any weight keeps zeros."""
    total = np.add.reduceat(s, ptr[:-1])
    factor = np.divide(1.0 if task_weight is None else task_weight, total, out=np.zeros_like(total), where=total > 0)
    return s * np.repeat(factor, np.diff(ptr))
