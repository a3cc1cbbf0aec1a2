"""The loss of more than two classes, of all columns of W that a task has at once."""

from functools import cached_property, partial

import numpy as np
from scipy.special import wrightomega, xlogy

from .base import OfClasses

TOLERATED = 1e-11  # by which dual variables of a sample may miss to sum to zero
MOST = 100  # steps towards intercepts, or of a prox
LONG = 8.0  # step of one intercept beside others, beyond which the first are cut


class Softmax(OfClasses):
    """loss(y, z) = log sum_k exp(z_k) - z_y, for a column of W, and a prediction z_k, for every class k of a task.

    What "logistic" means for tasks with more than two classes. Named itself, as "softmax", it has two columns for two
    classes as well. With twice the strength of a ridge they are minus and plus half of the one that "logistic" has.

    Elementwise, the target of a column is 1 where a sample is of its class, else 0, and a column without weight is no
    class at all.

    References
    ----------
    Krishnapuram, Carin, Figueiredo, Hartemink (2005), IEEE Transactions on Pattern Analysis and Machine Intelligence.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import BlockSparseClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 5))
    >>> y = np.array(["low", "mean", "high"])[np.digitize(X[:, 0] + 0.1 * rng.normal(size=200), [-0.5, 0.5])]
    >>> model = BlockSparseClassifier(alpha=0.01).fit(X, y)
    >>> print(model.coef_.shape, model.classes_)
    (3, 5) ['high' 'low' 'mean']
    >>> print(model.predict_proba(X[:1]).sum().round(6))
    1.0
    """

    curvature = 0.5
    endless = True
    by_column = False
    _tasks = _own = None

    def at(self, tasks):
        return self.bound(tasks, np.arange(tasks.n_tasks))

    def bound(self, tasks, own):
        new = type(self)()
        new._tasks, new._own = tasks, own
        return new

    @cached_property
    def _classes(self):
        """[Classes], one for every number of classes that tasks have."""
        tasks, own = self._tasks, self._own
        sizes = np.diff(tasks.ptr)[own]
        begin = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        first = np.flatnonzero(np.diff(own if tasks.owner is None else tasks.owner[own], prepend=-1))
        counts = np.diff(first, append=len(own))
        weight = tasks.weight[np.isin(tasks.sample_task, own)]
        return [Classes(K, first[counts == K], sizes, begin, weight) for K in np.unique(counts)]

    def _each(self, function, *arrays):
        """(..., N) what the function makes of the (K, ..., M) of all classes of samples."""
        if any(a.shape != arrays[0].shape for a in arrays):
            arrays = np.broadcast_arrays(*arrays)
        out = np.empty(arrays[0].shape)
        for classes in self._classes:
            found = function(classes, *(classes.take(a) for a in arrays))
            out[..., classes.index] = found if found.ndim == 2 else np.moveaxis(found, 0, -2)
        return out

    def value(self, y, z):
        return self._each(lambda of, y, z: np.where(of.present_like(y) & (y > 0), of.level(z) - z, 0.0), y, z)

    def log_likelihood(self, y, z):
        """That of a sample at the column of its class, 0 at others."""
        return np.zeros(np.shape(z)) if self._tasks is None else -self.value(y, z)

    def probabilities(self, z):
        """(..., N) of the class of every column."""
        return self._each(lambda of, z: of.probabilities(z), z)

    def derivative(self, y, z):
        return self._each(lambda of, y, z: np.where(of.present_like(y), of.probabilities(z) - y, 0.0), y, z)

    def second(self, y, z):
        p = self.probabilities(z)
        return p * (1 - p)

    def mixed(self, y, z):
        def products(of, p, r):
            out = np.zeros_like(p)
            # (Of tasks with fewer classes there is none.)
            out[: max(len(p) - r, 0)] = p[: max(len(p) - r, 0)] * p[r:]
            return out

        p = self.probabilities(z)
        most = max(len(of.columns[0]) for of in self._classes)
        return np.stack([p * (1 - p)] + [self._each(partial(products, r=r), p) for r in range(1, most)])

    def bent(self, y, z, s):
        return self._each(lambda of, z, s: of.along(of.probabilities(z), s), z, s)

    def model_curvature(self, y, z):
        # That of each column alone is too little where others move as well: as much again bounds what they do.
        return np.maximum(2 * self.second(y, z), 1e-4 * self.curvature)

    # Of the derivatives, what the dual variables are at the solution, say p - y: so p is taken from them.

    def give(self, y, z, v):
        q = np.clip(v + y, 0.0, 1.0)
        return q * (1 - q)

    def hessian(self, y, z, v, weight, ptr, fit_intercept):
        parts = []
        for of in self._classes:
            q, c = of.distribution(of.take(v + y)), of.take(weight)
            parts.append((of, q, c, of.inverse(q, c) if fit_intercept else None))

        def change(s):
            out = np.empty(len(s))
            for of, q, c, inverse in parts:
                moved = of.along(q, of.take(s))
                if inverse is not None:
                    b = -np.einsum("tkm,mt->kt", inverse, of.sums(c * moved))
                    moved = moved + of.along(q, of.spread(b))
                out[of.index] = c * moved
            return out

        return change

    def inside(self, y, v):
        return self._each(lambda of, y, v: np.where(of.present_like(y), of.distribution(v + y) - y, 0.0), y, v)

    def _accepts(self, q, v):
        """Where the dual variables v, of which q are v + y, are in the domain of the conjugate."""

        def inside(of, q, v):
            q, v = np.where(of.present_like(q), q, 0.0), np.where(of.present_like(v), v, 0.0)
            accepted = (q.min(axis=0) >= -1e-12) & (np.abs(v.sum(axis=0)) <= TOLERATED)
            return np.broadcast_to(accepted, q.shape)

        return self._each(inside, q, v) > 0

    def conjugate(self, y, v):
        q = v + y
        inside = self._accepts(q, v)
        q = np.maximum(q, 0.0)
        return np.where(inside, xlogy(q, q), np.inf)

    def fenchel_gap(self, y, z, v):
        q = v + y
        inside = self._accepts(q, v)
        q = np.maximum(q, 0.0)
        # The divergence of both distributions, each of its terms >= 0.
        logs = self._each(lambda of, z: np.where(of.present_like(z), z - of.level(z), 0.0), z)
        return np.where(inside, np.maximum(xlogy(q, q) - q * logs - q + np.exp(logs), 0.0), np.inf)

    def balanced(self, y, v, weight, ptr):
        # The distributions v + y are mixed, task by task, with one that all samples share.
        def mixed(of, y, v, c):
            q = of.distribution(v + y)
            wanted, had = of.sums(c * y), of.sums(c * q)
            share = np.min(np.divide(wanted, had, out=np.ones_like(had), where=had > wanted), axis=0)
            rest = np.maximum(wanted - share * had, 0.0)
            total = rest.sum(axis=0)
            rest = np.divide(rest, total, out=np.zeros_like(rest), where=total > 0)
            share = np.where(total > 0, share, 1.0)
            q = of.spread(share) * q + of.spread(1 - share) * of.spread(rest)
            return np.where(of.present_like(y), q - y, 0.0)

        return self._each(mixed, y, v, weight)

    def prox(self, y, q, step):
        # z_k + step_k p_k = q_k + step_k y_k =: a_k, with p_k = exp(z_k - level): for a given level Wright's omega
        # has p_k, and the sum of all is convex and falls in it. Newton's method rises from where one of them is 1.
        def solved(of, y, q, step):
            present = of.present_like(y)
            a = q + step * y
            level, logs = np.max(np.where(present, a - step, -np.inf), axis=0), np.log(step)
            for _ in range(MOST):
                omega = wrightomega(a - level + logs)
                p = np.where(present, omega / step, 0.0)
                excess, slope = p.sum(axis=0) - 1, np.sum(p / (1 + omega), axis=0)
                move = np.maximum(excess, 0.0) / slope
                level = level + move
                if np.all(move <= 1e-15 * np.maximum(1.0, np.abs(level))):
                    break
            return np.where(present, a - step * (p / p.sum(axis=0)), q)

        return self._each(solved, y, q, step)

    def best_intercept(self, y, z, weight, ptr):
        b = np.zeros(len(self._own))
        for of in self._classes:
            b[of.columns] = of.best_intercept(of.take(y), of.take(z), of.take(weight)).T
        return b

    def separated(self, y, z, weight):
        """(T,) whether the predictions z separate the classes of the task of a column."""
        found = np.zeros(len(self._own), dtype=bool)
        for of in self._classes:
            y_own, z_own = of.take(y) > 0, np.where(of.present, of.take(z), -np.inf)
            other = np.max(np.where(y_own, -np.inf, z_own), axis=0)
            ahead = np.max(np.where(y_own, z_own, -np.inf), axis=0) - other
            counts = np.isfinite(ahead) & (of.take(weight).max(axis=0) > 0)
            low = np.minimum.reduceat(np.where(counts, ahead, np.inf), of.begin)
            high = np.maximum.reduceat(np.where(counts, ahead, -np.inf), of.begin)
            found[of.columns] = ((low >= 0) & (high > 0))[:, None]
        return found

    def silent(self, y, ptr):
        return np.zeros(len(ptr) - 1, dtype=bool)

    def constants(self, tasks, own):
        """(T,) intercepts of those of the columns ``own`` whose class no sample of their task has, else NaN.

        As if half a sample had it, beside the others' intercepts at W = 0.
        """
        of_class = tasks.sum(tasks.y * (tasks.weight > 0))[own]
        owner = np.unique(own if tasks.owner is None else tasks.owner[own], return_inverse=True)[1]
        seen = of_class > 0
        logs, counts = np.log(np.where(seen, of_class + 0.5, 1.0)), np.bincount(owner, seen)
        means = np.bincount(owner, logs) / np.maximum(counts, 1)
        return np.where(seen, np.nan, np.log(0.5) - means[owner])

    def task_expression(self, y, z, weight, cp):
        """Textbook definition for one task: y, z and weight are lists of those of its columns."""
        Z = cp.vstack(z).T
        return weight[0] @ (cp.log_sum_exp(Z, axis=1) - cp.sum(cp.multiply(np.stack(y).T, Z), axis=1))


class Classes:
    """The tasks that have K classes: of arrays (..., N) it takes (K, ..., M), one column for each of M samples."""

    def __init__(self, K, first, sizes, begin, weight):
        n = sizes[first]
        self.begin = np.concatenate([[0], np.cumsum(n)[:-1]])
        self.columns = first[:, None] + np.arange(K)  # (tasks, K)
        self.of_sample = np.repeat(np.arange(len(first)), n)
        at = np.arange(n.sum()) + np.repeat(begin[first] - self.begin, n)
        self.index = at + np.arange(K)[:, None] * np.repeat(n, n)  # (K, M)
        present = weight[self.index] > 0
        self.present = present | ~present.any(axis=0)
        self.whole = bool(self.present.all())

    def take(self, a):
        """(K, ..., M)"""
        return a[self.index] if a.ndim == 1 else np.moveaxis(a[..., self.index], -2, 0)

    def present_like(self, a):
        """Where a column counts as a class of a sample, to be broadcast with a (K, ..., M)."""
        return self.present if a.ndim == 2 else self.present.reshape(len(self.present), *[1] * (a.ndim - 2), -1)

    def _finite(self, z):
        return z if self.whole else np.where(self.present_like(z), z, -np.inf)

    def level(self, z):
        """log sum_k exp(z_k), (..., M)"""
        z = self._finite(z)
        top = z.max(axis=0)
        return top + np.log(np.exp(z - top).sum(axis=0))

    def probabilities(self, z):
        z = self._finite(z)
        p = np.exp(z - z.max(axis=0))
        return p / p.sum(axis=0)

    def distribution(self, q):
        """q where classes are present, not below zero and with the sum 1."""
        q = np.where(self.present_like(q), np.maximum(q, 0.0), 0.0)
        return q / np.maximum(q.sum(axis=0), np.finfo(float).tiny)

    def along(self, p, s):
        """(diag(p) - p p') s"""
        s = np.where(self.present_like(s), s, 0.0)
        return p * (s - np.sum(p * s, axis=0))

    def sums(self, u):
        """(K, tasks) sums over the samples of each task, for u (K, M)."""
        return np.add.reduceat(u, self.begin, axis=1)

    def spread(self, u):
        """(K, M) or (M,) the value of its task for every sample."""
        return u[..., self.of_sample]

    def inverse(self, p, c):
        """(tasks, K, K) of sum_i c_i (diag(p_i) - p_i p_i'), in which constants have none."""
        A, c = np.empty((len(self.begin), len(p), len(p))), c.max(axis=0)
        for k in range(len(p)):
            for m in range(k + 1):
                A[:, k, m] = A[:, m, k] = np.add.reduceat(c * p[k] * ((k == m) - p[m]), self.begin)
        # In units in which all classes have the same curvature: a rare one has little.
        diagonal = np.einsum("tkk->tk", A)
        bends = diagonal > 1e-100
        A = A * (bends[:, :, None] & bends[:, None])
        root = np.sqrt(np.where(bends, diagonal, 1.0))
        units = root[:, :, None] * root[:, None]
        return np.linalg.pinv(A / units, rcond=1e-13, hermitian=True) / units

    def _newton(self, u, p, r, least, longest):
        """(K, tasks) x with A x = r for A = sum_i c_i (diag(p_i) - p_i p_i'), u = c p, r with the sum 0; x_0 = 0.

        Between classes that hardly any sample has doubts about A has next to nothing. So they are eliminated one after
        the other by what is between them: nothing is subtracted, and no digits are lost. What a class is ahead of
        those that are left is ``longest`` (tasks,) at most, and nothing where it comes from less than ``least``.
        """
        between, ahead, r = {}, [None] * len(p), list(r)
        for k in range(len(p)):
            for m in range(k):
                between[k, m] = np.add.reduceat(u[k] * p[m], self.begin)
        for k in range(len(p) - 1, 0, -1):
            total = np.maximum(sum(between[k, m] for m in range(k)), 1e-200)
            ahead[k] = np.where(np.abs(r[k]) > least, np.clip(r[k] / total, -longest, longest), 0.0)
            for m in range(k):
                between[k, m] = between[k, m] / total
                r[m] = r[m] + between[k, m] * r[k]
                for j in range(m):
                    between[m, j] = between[m, j] + between[k, m] * between[k, j] * total
        x = np.zeros((len(p), len(self.begin)))
        for k in range(1, len(p)):
            x[k] = ahead[k] + sum(between[k, m] * x[m] for m in range(k))
        return x

    def best_intercept(self, y, z, c):
        """(K, tasks), those of present classes with the sum 0: damped Newton steps on the intercepts of every task.

        Where such a step does not help, one of scaling b_k by the share that class k has over that it is given, which
        always does.
        """
        weight = np.where(self.present, c, 0.0)
        some = np.maximum.reduceat(weight, self.begin, axis=1) > 0
        y, c = np.where(self.present, y, 0.0), weight.max(axis=0)
        wanted = self.sums(c * y)
        total = np.maximum(wanted.sum(axis=0), np.finfo(float).tiny)

        def at(b):
            scores = z + self.spread(b)
            level = self.level(scores)
            p = np.exp(self._finite(scores) - level)
            given = self.sums(c * p)
            slope = np.where(some, given - wanted, 0.0)
            value = np.add.reduceat(c * (level - np.sum(y * scores, axis=0)), self.begin)
            return p, given, slope, np.abs(slope).max(axis=0), value

        b, longest = np.zeros(wanted.shape), np.full(len(total), LONG)
        p, given, slope, worst, value = at(b)
        rounding = 1e-15 * total * np.maximum.reduceat(np.abs(z).max(axis=0), self.begin)
        for _ in range(MOST):
            open_ = worst > 1e-15 * total
            if not open_.any():
                break
            move = np.where(some & open_, -self._newton(c * p, p, slope, 1e-16 * total, longest), 0.0)
            trial, promised = at(b + move), np.minimum(np.sum(slope * move, axis=0), 0.0)
            lower = trial[4] <= value + 0.1 * promised + rounding
            bad = open_ & ~(lower & ((trial[3] < worst) | (promised < -rounding)))
            longest = np.where(bad, np.maximum(0.25 * np.minimum(longest, np.ptp(move, axis=0)), 0.1), 2 * longest)
            if bad.any():
                scaled = np.log(np.maximum(wanted, 1e-300)) - np.log(np.maximum(given, 1e-300))
                move = np.where(bad & some, scaled, move)
                trial = at(b + move)
                # (Rounding: nothing helps any more.)
                near = bad & (trial[3] >= worst) & (worst <= 1e-12 * total)
                if near.any():
                    move, total = np.where(near, 0.0, move), np.where(near, np.inf, total)
                    trial = at(b + move)
            b = b + move
            p, given, slope, worst, value = trial
        return b - np.where(some, np.sum(b, axis=0, where=some) / np.maximum(some.sum(axis=0), 1), 0.0)
