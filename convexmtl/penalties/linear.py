"""Linear constraints on the columns of W: the nearest point that keeps them, and what its multipliers say."""

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array, diags, hstack, identity, issparse, vstack
from scipy.sparse.csgraph import reverse_cuthill_mckee

from .._jit import kernel
from .._words import counted
from ..coupling import Nested
from .base import Canonical
from .constraints import Box, Constraint, shown

ROUNDING = 1e-13  # of the terms of a sum: what is no more than that above a bound is not
SHIFT = 1e-7  # of matrices, whose rows have length one, against those that are singular
TOLERATED = 1e-10  # share of Z that may be left over where it is a subgradient but for rounding


@kernel("void(float64[:, ::1], int64[::1], float64, int64[::1], int64, float64[:, ::1], int64[::1])")
def _factor(H, first, shift, active, n, L, begin):
    """The lower factor of H + shift I on the n ``active`` rows, within the envelope that begins at first[i]."""
    for i in range(n):
        row = active[i]
        b = 0 if i == 0 else begin[i - 1]
        while b > 0 and active[b - 1] >= first[row]:
            b -= 1
        while active[b] < first[row]:
            b += 1
        begin[i] = b
        for j in range(b, i):
            total = H[row, active[j]]
            for k in range(max(b, begin[j]), j):
                total -= L[i, k] * L[j, k]
            L[i, j] = total / L[j, j]
        total = H[row, row] + shift
        for k in range(b, i):
            total -= L[i, k] * L[i, k]
        L[i, i] = np.sqrt(max(total, shift * 1e-3))


@kernel("void(float64[:, ::1], int64[::1], int64, float64[::1])")
def _solve(L, begin, n, x):
    """x becomes (L L')^-1 x."""
    for i in range(n):
        total = x[i]
        for k in range(begin[i], i):
            total -= L[i, k] * x[k]
        x[i] = total / L[i, i]
    for i in range(n - 1, -1, -1):
        x[i] /= L[i, i]
        for k in range(begin[i], i):
            x[k] -= L[i, k] * x[i]


@kernel("void(float64[:, ::1], int64[::1], float64[::1], float64[::1], float64[::1])")
def _what_is_left(H, first, q, y, r):
    """r = q - H y."""
    for i in range(len(q)):
        r[i] = q[i] - H[i, i] * y[i]
    for i in range(len(q)):
        for j in range(first[i], i):
            r[i] -= H[i, j] * y[j]
            r[j] -= H[i, j] * y[i]


@kernel(
    "void(float64[:, :, ::1], int64[::1], int64[::1], float64[:, ::1], float64[:, ::1], float64[:, ::1], "
    "int64[:, ::1], float64[::1], float64, float64[:, ::1])"
)
def multipliers(Hs, of, first, Q, low, high, guess, slack, shift, Y):
    """Y (T, m): of Q_t - H Y_t within its bounds, H = Hs[of[t]], where it is not at the upper one Y_t <= 0, and
    where it is not at the lower one Y_t >= 0.

    Block principal pivoting (Judice and Pires): all guesses that are wrong are changed at once, while fewer and fewer
    are; else the last one alone, which ends after finitely many steps. Matrices are shifted a little, against those
    that are singular, and towards the last Y, so that less and less is left of the shift (proximal points).
    """
    T, m = Q.shape
    L, begin, active = np.empty((m, m)), np.empty(m, dtype=np.int64), np.empty(m, dtype=np.int64)
    x, r, y, before, wrong = np.empty(m), np.empty(m), np.empty(m), np.zeros(m), np.empty(m, dtype=np.int64)
    for t in range(T):
        H, sign = Hs[of[t]], guess[t]
        before[:] = 0.0
        for _ in range(100):
            least, patience = m + 1, 3
            for _ in range(100 + 20 * m):
                n = 0
                for i in range(m):
                    y[i] = 0.0
                    if sign[i] != 0:
                        active[n] = i
                        n += 1
                _factor(H, first, shift, active, n, L, begin)
                for k in range(n):
                    i = active[k]
                    x[k] = Q[t, i] + shift * before[i] - (high[t, i] if sign[i] > 0 else low[t, i])
                _solve(L, begin, n, x)
                for k in range(n):
                    y[active[k]] = x[k]
                _what_is_left(H, first, Q[t], y, r)
                bad, last = 0, -1
                for i in range(m):
                    wrong[i] = sign[i]
                    left = r[i] - shift * (y[i] - before[i])
                    if sign[i] != 0:
                        if low[t, i] < high[t, i] and sign[i] * y[i] < 0.0:
                            wrong[i] = 0
                    elif left > high[t, i] + slack[t]:
                        wrong[i] = 1
                    elif left < low[t, i] - slack[t]:
                        wrong[i] = -1
                    if wrong[i] != sign[i]:
                        bad += 1
                        last = i
                if bad == 0:
                    break
                if bad < least:
                    least, patience = bad, 3
                elif patience > 0:
                    patience -= 1
                else:
                    sign[last] = wrong[last]
                    continue
                for i in range(m):
                    sign[i] = wrong[i]
            moved = 0.0
            for i in range(m):
                moved = max(moved, abs(y[i] - before[i]))
                before[i] = y[i]
            if not shift * moved > 1e-3 * slack[t]:
                break
        for i in range(m):
            # (Rounding has no sign.)
            Y[t, i] = y[i] if low[t, i] == high[t, i] or sign[i] * y[i] > 0.0 else 0.0


class LinearConstraint(Constraint):
    """Omega(W) = 0 where low <= A W <= high, else infinity.

    Every row of A is a constraint on the coefficients of each task: neighbours that do not fall (rows of
    ``np.diff(np.eye(d), axis=0)``, low = 0), shares that sum to zero (a row of ones, low = high = 0), contrasts within
    bounds.

    Parameters
    ----------
    A : array-like or sparse matrix of shape (m, d)
        One for all tasks; columns in the order of those of X.
    low, high : float or array-like that broadcasts to (m, T), default=-inf, inf
        Columns are tasks in the order of ``tasks_``: shape (m, 1) is the same for all tasks. Equal bounds make an
        equation.

    Raises
    ------
    ValueError
        Before it is fitted, for another shape, for what is not finite, and where no W keeps all constraints, be it for
        this one alone or together with others.

    Notes
    -----
    The constraints hold to rounding. Without a penalty beside it, samples have to determine what A leaves free.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import LinearConstraint, MultiTaskRegressor, RowNorm
    >>> rising = LinearConstraint(np.diff(np.eye(4), axis=0), low=0.0)
    >>> print(rising.prox(np.array([[1.0], [3.0], [2.0], [4.0]]), step=1.0).T)
    [[1.  2.5 2.5 4. ]]
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 4))
    >>> Y = X @ np.array([[-1.0, 0.0], [0.5, 0.0], [0.4, 2.0], [3.0, 2.0]]) + 0.1 * rng.normal(size=(40, 2))
    >>> model = MultiTaskRegressor(RowNorm(0.1) + rising).fit(X, Y)
    >>> print((np.diff(model.coef_, axis=1) > -1e-12).all())
    True
    """

    has_rows = True

    def __init__(self, A, low=-np.inf, high=np.inf):
        self.A = A
        self.low = low
        self.high = high

    @property
    def _rows(self):
        """A as a sparse array."""
        return csr_array(self.A, dtype=float) if issparse(self.A) else csr_array(np.array(self.A, dtype=float, ndmin=2))

    def check(self, n_features, labels):
        try:
            A = self._rows
        except (TypeError, ValueError):
            raise ValueError(f"LinearConstraint's A must be a matrix of numbers, got {self.A!r}.") from None
        if A.ndim != 2 or A.shape[1] != n_features or not A.shape[0]:
            raise ValueError(
                f"LinearConstraint's A must have a row per constraint and a column per feature ({n_features}), got "
                f"shape {A.shape}."
            )
        if not np.isfinite(A.data).all():
            raise ValueError("LinearConstraint's A must be finite numbers, got NaN or infinity.")
        self.check_bounds((A.shape[0], len(labels)), "(rows of A, tasks)", labels)

    def where(self, j, t, labels):
        return f"row {j} of A in task {np.asarray(labels)[t]!s}"

    def resolve(self, n_features, labels):
        self.check(n_features, labels)
        term = self._of(len(labels))
        term.check_allowed("LinearConstraint", labels)
        return Canonical((term,), Nested(len(labels), [0.0]))

    def _of(self, n_tasks):
        """The Polyhedron of W (d, T)."""
        A = self._rows
        shape, size = (A.shape[0], n_tasks), np.sqrt(np.asarray(A.multiply(A).sum(axis=1)).ravel())
        size = np.where(size > 0, size, 1.0)
        low, high = (np.broadcast_to(bound, shape) / size[:, None] for bound in (self._low, self._high))
        return Polyhedron(csr_array(diags(1 / size)) @ A, low, high)

    def holds(self, W):
        return self._of(W.shape[1]).holds(W)

    def prox(self, V, step):
        return self._of(V.shape[1]).prox(V, step)

    def feasible(self, W):
        return self._of(W.shape[1]).feasible(W)

    def conjugate(self, Z):
        return self._of(Z.shape[1]).conjugate(Z)

    def dual_part(self, Z):
        return self._of(Z.shape[1]).dual_part(Z)

    def expression(self, W, cp):
        shape = len(self._rows.toarray()), W.shape[1]
        low, high = (np.broadcast_to(bound, shape) for bound in (self._low, self._high))
        return 0.0, bounded(self._rows.toarray() @ W, low, high)

    @property
    def formula(self):
        return f"0 where {shown(self.low)} <= A W <= {shown(self.high)}, A of shape {self._rows.shape}, else infinity"

    def findings(self, W, labels):
        R = self._rows @ W
        size = 1e-9 * (abs(self._rows) @ np.abs(W))
        at = np.sum((R - size <= self._low) | (R + size >= self._high))
        return [f"{counted(int(at), 'constraint')} of {R.size:,} at a bound"]

    asks = "coefficients that keep linear constraints"


class Polyhedron(Constraint):
    """Omega(W) = 0 where low <= A W <= high and W is within bounds, else infinity.

    The nearest W is V - A'Y (``_nearest``), with multipliers Y > 0 where an upper bound binds and Y < 0 where a lower
    one does, exact to rounding.

    Parameters
    ----------
    A : csr_array of shape (m, d)
        Its rows have length one.
    low, high : ndarray of shape (m, T)
    box : Box or None
        Bounds beside them, of shape (d, T).
    """

    has_rows = True

    def __init__(self, A, low, high, box=None):
        self.A = A
        self.low = low
        self.high = high
        self.box = box
        self._last = None  # which constraints were binding, a first guess for the next point
        self._A, self._least, self._most = A, low, high
        if box is not None:
            self._A = csr_array(vstack([A, identity(A.shape[1])]))
            self._least, self._most = np.vstack([low, box.low]), np.vstack([high, box.high])
        H, m = (self._A @ self._A.T).tocsr(), self._A.shape[0]
        # In an order in which factors of A A' have few entries: row i begins at first[i].
        self._order = reverse_cuthill_mckee(H, symmetric_mode=True)
        self._H = H[self._order][:, self._order].toarray()
        self._first = np.argmax(self._H != 0, axis=1)
        self._independent = box is None and m <= A.shape[1] and np.linalg.matrix_rank(A.toarray(), 1e-8) == m

    def within(self, other):
        if not other.has_rows:
            shape = self.A.shape[1], self.low.shape[1]
            bounds = Box(np.broadcast_to(other._low, shape), np.broadcast_to(other._high, shape))
            return Polyhedron(self.A, self.low, self.high, bounds if self.box is None else self.box.within(bounds))
        box = self.box if other.box is None else other.box if self.box is None else self.box.within(other.box)
        A = csr_array(vstack([self.A, other.A]))
        return Polyhedron(A, np.vstack([self.low, other.low]), np.vstack([self.high, other.high]), box)

    def check_allowed(self, names, labels):
        """Raise a ValueError where no W is allowed, by a linear program for every task that differs."""
        d = self.A.shape[1]
        every = np.vstack([self._least, self._most])
        for t in np.unique(every, axis=1, return_index=True)[1]:
            low, high = self.low[:, t], self.high[:, t]
            if np.all(self._least[:, t] <= 0) and np.all(self._most[:, t] >= 0):
                continue
            above, below = np.isfinite(high), np.isfinite(low)
            A, m = self.A.tocsr(), len(low)
            slack = csr_array(identity(m))
            rows = csr_array(vstack([hstack([A[above], -slack[above]]), hstack([-A[below], -slack[below]])]))
            bounds = np.full((d + m, 2), [-np.inf, np.inf])
            bounds[d:, 0] = 0.0
            if self.box is not None:
                bounds[:d] = np.column_stack([self.box.low[:, t], self.box.high[:, t]])
            found = linprog(
                np.r_[np.zeros(d), np.ones(m)], rows, np.r_[high[above], -low[below]], bounds=bounds, method="highs"
            )
            size = np.abs(np.r_[high[above], low[below], 1e-300]).max()
            if found.status == 0 and found.fun <= 1e-7 * size:
                continue
            missed = np.flatnonzero(found.x[d:] > 1e-7 * size).tolist() if found.status == 0 else []
            which = (
                f": {counted(len(missed), 'row')} of A cannot be met beside the others, {missed[:5]}" if missed else ""
            )
            raise ValueError(
                f"no W is allowed by {names}: for task {np.asarray(labels)[t]!s} there is no w with low <= A w <= high"
                f"{' within the bounds' if self.box is not None else ''}{which} (counted from 0). Loosen these."
            )

    def _nearest(self, V, low, high, inside=None, guess=None):
        """(W, Y): the W nearest to V for which low <= A W <= high, and its multipliers; of W that are zero but
        ``inside`` (d, T), where V is zero, too. ``guess`` has the signs of multipliers of a point nearby."""
        A, T = self._A, V.shape[1]
        Q = A @ V
        slack = ROUNDING * (abs(A) @ np.abs(V) + _sizes(low) + _sizes(high)).max(axis=0, initial=0.0)
        if guess is None:
            guess = np.where(low == high, 1, (Q > high + slack[None]).astype(int) - (Q < low - slack[None]))
        Y, order = np.zeros((T, len(Q))), self._order
        columns = [np.ascontiguousarray(M.T[:, order]) for M in (Q, low, high, guess)]
        of, first = np.zeros(T, dtype=np.int64), np.ascontiguousarray(self._H)[None]
        if inside is not None:
            # (Where rows are zero in all tasks, all have the same matrix.)
            patterns, of = np.unique(inside, axis=1, return_inverse=True)
            rows = A[order]
            first = np.stack([((rows * p) @ rows.T).toarray() for p in patterns.T.astype(float)])
        multipliers(first, of.ravel(), self._first, *columns, slack, SHIFT, Y)
        back = np.empty_like(Y)
        back[:, order] = Y
        gone = A.T @ back.T
        return V - (gone if inside is None else np.where(inside, gone, 0.0)), back.T

    def _kept_within(self, W):
        return W if self.box is None else self.box.feasible(W)

    def prox(self, V, step):
        W, Y = self._nearest(V, self._least, self._most, guess=self._last)
        self._last = np.where(self._least == self._most, 1, np.sign(Y).astype(int))
        W = self._kept_within(W)
        if not self.holds(W):
            # (Where V is much longer than W, once more.)
            W = self._kept_within(self._nearest(W, self._least, self._most)[0])
        return W

    def slopes(self, V, step):
        # Along what the constraints that bind leave free.
        (d, T), Y = V.shape, self._nearest(V, self._least, self._most, guess=self._last)[1]
        binding, of = np.unique((Y != 0) | (self._least == self._most), axis=1, return_inverse=True)
        J, A = np.zeros((d, T, d, T)), self._A.toarray()
        for k, rows in enumerate(binding.T):
            for t in np.flatnonzero(of.ravel() == k):
                J[:, t, :, t] = np.eye(d) - np.linalg.pinv(A[rows]) @ A[rows]
        return J.reshape(d * T, d * T)

    def holds(self, W):
        if self.box is not None and not self.box.holds(W):
            return False
        R = self.A @ W
        slack = (
            10 * ROUNDING * (abs(self.A) @ np.abs(W) + _sizes(self.low) + _sizes(self.high)).max(axis=0, initial=0.0)
        )
        return bool(np.all((R >= self.low - slack) & (R <= self.high + slack)))

    def feasible(self, W):
        """With the zeros of W, where there is one with them."""
        if self.holds(W):
            return W
        inside = W != 0
        if not inside.all() and inside.any():
            near = self._kept_within(self._nearest(W, self._least, self._most, inside)[0])
            if self.holds(near):
                return near
        return self.prox(W, 1.0)

    def _cone(self, low, high):
        """Bounds of the directions in which these ones leave room for ever."""
        return np.where(np.isfinite(low), 0.0, -np.inf), np.where(np.isfinite(high), 0.0, np.inf)

    def dual_part(self, Z):
        part = self._A.T @ self._nearest(Z, *self._cone(self._least, self._most))[1]
        # (What is one already, but for rounding, stays what it is.)
        near = np.abs(Z - part).max(axis=0, initial=0.0) <= 0.1 * TOLERATED * np.abs(Z).max(axis=0, initial=0.0)
        return np.where(near, Z, part)

    def _support(self, Y):
        """(T,) sup of <A W, Y> that the bounds alone allow."""
        with np.errstate(invalid="ignore"):
            most = np.where(Y > 0, Y * self._most, np.where(Y < 0, Y * self._least, 0.0))
        return most.sum(axis=0)

    def conjugate(self, Z):
        left, Y = self._nearest(Z, *self._cone(self._least, self._most))
        size = np.abs(Z).max(initial=0.0)
        if not np.abs(left).max(initial=0.0) <= TOLERATED * size:
            return np.inf
        least = self._support(Y)
        if self._independent or size == 0:
            return float(least.sum())
        # Z is A'Y for many Y: best is one of the constraints that bind where W is far along Z.
        cone, equal = self._cone(self._least, self._most), self._least == self._most
        length = (1 + _sizes(self._least).max(initial=0.0) + _sizes(self._most).max(initial=0.0)) / size
        for far in (1.0, 1e3, 1e6):
            _, Y = self._nearest(far * length * Z, self._least, self._most)
            low, high = np.where(equal | (Y < 0), 0.0, -np.inf), np.where(equal | (Y > 0), 0.0, np.inf)
            rest, Y = self._nearest(Z, low, high)
            # (What is nearly as good as these costs next to nothing.)
            rest, more = self._nearest(rest, *cone)
            fits = np.abs(rest).max(axis=0) <= TOLERATED * size
            least = np.where(fits, np.minimum(least, self._support(Y + more)), least)
        return float(least.sum())

    @property
    def binds_zero(self):
        if np.any(self._least > 0) or np.any(self._most < 0):
            return None
        return bool(np.any(self._least == 0) or np.any(self._most == 0))

    @property
    def kink(self):
        return self.near_zero if self.binds_zero else None

    @property
    def near_zero(self):
        """The cone of all W such that a share of it is in the set, which has zero in it."""
        box = None if self.box is None else self.box.near_zero
        return Polyhedron(self.A, np.where(self.low == 0, 0.0, -np.inf), np.where(self.high == 0, 0.0, np.inf), box)

    def dual_norm(self, Z):
        """Of a cone: 0 at its subgradients at zero."""
        return 0.0 if self.conjugate(Z) == 0 else np.inf

    def expression(self, W, cp):
        rules = [] if self.box is None else self.box.expression(W, cp)[1]
        return 0.0, rules + bounded(self.A @ W, self.low, self.high)


def _sizes(bounds):
    """Their absolute values, 0 for infinity."""
    return np.where(np.isfinite(bounds), np.abs(bounds), 0.0)


def bounded(R, low, high):
    """Constraints in cvxpy that R is within bounds."""
    below, above, equal = np.isfinite(low) & (low < high), np.isfinite(high) & (low < high), low == high
    rules = [R[below] >= low[below]] if below.any() else []
    rules += [R[above] <= high[above]] if above.any() else []
    return rules + ([R[equal] == low[equal]] if equal.any() else [])
