"""The method of multipliers with Newton's steps, for losses with kinks.

With predictions z = X W + b of their own, and a copy V of W for every term, multipliers v and U pull both sides
together. Minimised over z and V, what is left is smooth in W and b: the loss and the terms become their Moreau
envelopes, of weights sigma and rho, shifted by the multipliers. An outer step minimises that by Newton's method; the
derivatives there are the next multipliers. Where loss and penalty are linear but for kinks, as those of a linear
program are, both end after finitely many steps, however nearly parallel what they meet at is; alternating directions,
which take one look at either side in turn, need thousands of them.

The second derivative of an envelope is zero for samples away from a kink, and little for coefficients that are not
zero or tied: what is left is a system of as many unknowns as there are samples at kinks, or coefficients. Where W is
a sum of parts, these are the unknowns; terms of the whole of W see their sum.
"""

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from .._rows import used_rows
from ..certificate import Dual, duality_gap
from ..gram import LARGEST
from ..penalties._manifold import row_slopes
from ..penalties._sums import Sharing
from ..result import Result, Status
from ._patience import hopeless
from ._sides import LossItself
from .splitting import claims_of

MOST = 3000  # unknowns of a system that is factored
SOME = 1000  # the same where a term does not work row by row, whose prox bends all of them at once
NUDGE = 1e-6  # of the largest entry of a row, by which a prox is differentiated
HELD = 1e-8  # of the curvature of the terms, by which W is held where nothing bends
INEXACT = 0.02  # length of the gradient at which an outer step ends, of what moves of the multipliers may make of it
INNER = 15  # Newton's steps in an outer one
FLAT = 0.5  # share of the slope that may be left at the end of a line
TRIALS = 20  # steps along a line
GROWTH = 2.0  # of the weights from one outer step to the next
FEW = 4  # Newton's steps of an outer one that was easy, so that the weights may grow
STALLED = 15  # outer steps without progress


def applies(problem):
    """Whether all terms work row by row, and their curvatures fit; or coefficients are few."""
    (d, T), K = problem.shape, problem.penalty.n_parts
    if problem.tasks.is_sparse or not problem.loss.by_column:
        return False
    by_rows = all(term.by_rows for group in problem.penalty.groups for term in group)
    return d * (K * T) ** 2 <= LARGEST if by_rows else d * K * T <= SOME


def solve(problem, start=None, tol=1e-4, max_iter=10_000, callback=None, patience=np.inf):
    """See ``convexmtl.solvers.solve``. One iteration is one step of Newton's method."""
    threshold = problem.threshold(tol)
    start = Result(problem.zeros(), None, np.inf, np.inf, 0, None) if start is None else start
    parts = problem.penalty.feasible(start.parts)
    dual = start.dual
    if not problem.loss.smooth and (dual is None or dual.v is None):
        dual = Dual(v=problem.data.pull)
    certificate = duality_gap(problem, parts, start=start.intercept, dual=dual)
    multipliers = Multipliers(problem, parts, certificate, dual, start.rho)
    n_iter, since_better, history, best = 0, 0, [], (certificate, parts, dual)
    while True:
        history.append((n_iter, certificate.primal, certificate.gap))
        if callback is not None:
            callback(*history[-1])
        status = Status.of(certificate.gap, threshold)
        if status is not None:
            break
        if n_iter >= max_iter or hopeless(history, threshold, patience):
            status = Status.OUT_OF_ITERATIONS
            break
        steps = 0 if since_better > STALLED else multipliers.step(min(INNER, max_iter - n_iter))
        if not steps:
            status = Status.STALLED
            break
        n_iter += steps
        parts, certificate, dual = multipliers.claimed(certificate.intercept)
        since_better = 0 if certificate.gap < 0.999 * best[0].gap else since_better + 1
        if not certificate.gap >= best[0].gap:
            best = certificate, parts, dual

    certificate, parts, dual = best
    return Result(
        parts,
        certificate.intercept,
        certificate.primal,
        certificate.gap,
        n_iter,
        status,
        history,
        dual=dual,
        rho=multipliers.weights,
    )


class Point:
    """Parts P (d, K, T) and b, and what the augmented Lagrangian is there: its slopes, the next multipliers, and the
    copies of what the terms see."""

    def __init__(self, outer, P, b):
        data, tasks, c = outer.data, outer.data.tasks, outer.data.tasks.weight
        self.P, self.b = P, b
        W = P.sum(axis=1)
        p = tasks.shift(tasks.apply(W), b)
        self.q = p + outer.v / outer.sigma
        self.z = data.loss.prox(tasks.y, self.q, 1 / outer.sigma)
        self.v = np.where(c > 0, data.loss.inside(tasks.y, outer.sigma * (self.q - self.z)), 0.0)
        self.slope_b = tasks.sum(c * self.v) if data.fit_intercept else np.zeros(tasks.n_tasks)
        slope = tasks.adjoint(c * self.v) + 2 * outer.coupling.apply(W)
        self.slope = slope[:, None] + outer.held * (P - outer.P)
        self.A = [P[:, seen].sum(axis=1) + U for seen, U in zip(outer.seen, outer.U, strict=True)]
        self.V = [term.prox(A, 1 / rho) for term, A, rho in zip(outer.terms, self.A, outer.rho, strict=True)]
        self.shares = [rho * (A - V) for rho, A, V in zip(outer.rho, self.A, self.V, strict=True)]
        for seen, share in zip(outer.seen, self.shares, strict=True):
            self.slope[:, seen] += share[:, None]

    def along(self, move, move_b):
        """The slope in a direction."""
        return float(np.sum(self.slope * move) + self.slope_b @ move_b)


class Multipliers:
    """The multipliers v (N,) of the predictions and U of the copies of W, their weights, and where its parts P
    (d, K, T) and b are.

    Every term has the parts that it has ``seen``: one, or all of them, of which it sees the sum.
    """

    def __init__(self, problem, parts, certificate, dual, rho):
        self.problem, self.data, self.coupling = problem, problem.data, problem.penalty.coupling
        groups, K = problem.penalty.groups, len(parts)
        self.terms = [term for group in groups for term in group]
        self.group = [g for g, group in enumerate(groups) for _ in group]
        every = np.arange(K)
        self.seen = [every[k : k + 1] if len(group) == K else every for group in groups for k in range(len(group))]
        self.P, self.b, self.v = np.stack(parts, axis=1), certificate.intercept, None if dual is None else dual.v
        side = LossItself(problem)
        side.begin(sum(parts), certificate, dual)
        self.sigma, G = problem.tasks.spread(side.scale), len(groups)
        if self.v is None:
            self.v = problem.loss.derivative(problem.tasks.y, side.z)
        self.M = self.coupling.matrix()
        # (What holds the tasks alike; averaged, since some of it may be nothing.)
        self.bend = 2 * np.trace(self.M) / len(self.M)
        top = float(side.gram.top.max())
        if rho is None or np.shape(rho) != (G,):
            rho = np.full(G, max(1e-2 * top, 1e-300))
        self.rho = np.maximum(rho, 1e-12 * top)[self.group]
        shares, _ = Sharing(groups, problem.shape)(certificate.Z, None if dual is None else dual.split)
        self.U = [shares[g] / weight for g, weight in zip(self.group, self.rho, strict=True)]
        self.held = HELD * (self.rho.sum() + self.bend)
        self.point = None

    def step(self, most):
        """One outer step of at most so many of Newton's; returns their number, 0 where none is possible."""
        self.held = HELD * (self.rho.sum() + self.bend)
        tasks, point, n, trials = self.data.tasks, Point(self, self.P, self.b), 0, 0
        while n < most:
            # (How long a gradient the moves of the multipliers may make; where coefficients are free, they make none.)
            moved = np.sqrt(np.sum(self.data.design.squares * tasks.sum(tasks.weight * (point.v - self.v) ** 2)))
            apart = [
                weight * np.linalg.norm(A - U - V)
                for weight, A, U, V in zip(self.rho, point.A, self.U, point.V, strict=True)
            ]
            if n and np.linalg.norm(point.slope) <= INEXACT * max(moved, *apart, 0.0):
                break
            found = Curvature(self, point).newton(point)
            if found is None:
                if not n:
                    return 0
                break
            new, tried = self._searched(point, *found)
            n, trials = n + 1, trials + tried
            if new is None:
                break
            point = new
        self.point, self.P, self.b, self.v = point, point.P, point.b, point.v
        self.U = [A - V for A, V in zip(point.A, point.V, strict=True)]
        easy, hard = n <= FEW and trials <= 2 * FEW + n, n >= INNER
        self._scale(GROWTH if easy else 1 / GROWTH if hard else 1.0)
        return n

    def _scale(self, factor):
        self.sigma, self.rho, self.U = self.sigma * factor, self.rho * factor, [U / factor for U in self.U]

    def _searched(self, point, move, move_b):
        """(Point along the line at which the slope is next to none, number of trials); None where there is no better.

        The slope grows along the line, piece by piece: its root is kept in a bracket, which secants shorten.
        """
        first = point.along(move, move_b)
        low, high, at_low, at_high, length = 0.0, None, first, None, 1.0
        best, least, n = None, -first, 0
        while n < TRIALS:
            n += 1
            new = Point(self, point.P + length * move, point.b + length * move_b)
            slope = new.along(move, move_b)
            if abs(slope) < least:
                best, least = new, abs(slope)
            if abs(slope) <= FLAT * -first:
                break
            if slope > 0:
                high, at_high = length, slope
            else:
                low, at_low = length, slope
            if high is None:
                length *= 2
            else:
                share = at_low / (at_low - at_high) if at_low < at_high else 0.5
                length = low + (high - low) * float(np.clip(share, 0.1, 0.9))
        return best, n

    @property
    def weights(self):
        """(G,) those of the groups."""
        return np.array([rho[0] for rho in self._by_group(self.rho)])

    def _by_group(self, values):
        """What every group has of what the terms have, one after the other."""
        return [
            np.stack([v for v, of in zip(values, self.group, strict=True) if of == g]) for g in sorted({*self.group})
        ]

    def claimed(self, intercept):
        """(parts, certificate, dual) of the claim with the smallest gap."""
        point = self.point
        shares = [share.mean(axis=0) for share in self._by_group(point.shares)]
        own = {"at": point.z} if self.data.loss.smooth else {"v": point.v}
        dual = Dual(**own, split=np.stack(shares) if len(shares) > 1 else None)
        found = []
        for _, parts in claims_of(self.problem, self._by_group(point.V), point.P.sum(axis=1)):
            found.append((parts, duality_gap(self.problem, parts, start=intercept, dual=dual), dual))
        return min(found, key=lambda claim: claim[1].gap)


class Curvature:
    """The second derivative at a Point, and Newton's step.

    It is A'A, of the scaled and centred rows A of the samples at kinks, for the sum of the parts, plus a (K T, K T)
    block for every feature, plus a matrix of all coefficients where terms do not work row by row. Where there are fewer
    such samples than coefficients, and no such term, the system is solved for them: (I + A H^-1 A') with the blocks H,
    all of which but a few are the same.
    """

    def __init__(self, outer, point):
        self.outer, data, tasks = outer, outer.data, outer.data.tasks
        (d, K, T), c = outer.P.shape, tasks.weight
        base = outer.held * np.eye(K * T) + np.tile(2 * outer.M, (K, K))
        for seen, rho in zip(outer.seen, outer.rho, strict=True):
            base.reshape(K, T, K, T)[np.ix_(seen, range(T), seen, range(T))] += rho * np.eye(T)[:, None]
        self.blocks = np.broadcast_to(base, (d, K * T, K * T)).copy()
        blocks, touched, self.whole = self.blocks.reshape(d, K, T, K, T), np.zeros(d, dtype=bool), None
        for term, seen, A, V, rho in zip(outer.terms, outer.seen, point.A, point.V, outer.rho, strict=True):
            if not term.by_rows:
                self.whole = np.zeros((d, K, T, d, K, T)) if self.whole is None else self.whole
                slopes = term.slopes(A, 1 / rho).reshape(d, T, d, T)
                for k in seen:
                    self.whole[:, k, :, :, seen] -= rho * slopes
                continue
            rows = np.flatnonzero(used_rows(V))
            slopes = row_slopes(term, A[rows], rows, 1 / rho, NUDGE)
            slopes = rho * (slopes + slopes.transpose(0, 2, 1)) / 2
            for k in seen:
                for other in seen:
                    blocks[rows, k, :, other] -= slopes
            touched[rows] = True
        self.base, self.rows = base, np.flatnonzero(touched)
        stiff, normal = data.loss.stiffness(tasks.y, point.q, 1 / outer.sigma)
        h = c * outer.sigma * stiff
        self.J = np.flatnonzero(h > 0)
        self.task, root = tasks.sample_task[self.J], np.sqrt(h[self.J])
        self.ptr = np.searchsorted(self.task, np.arange(T + 1))
        A, means = tasks.X[tasks.sample_row[self.J]], np.zeros((d, T))

        if data.fit_intercept:
            means = means + data.design.means
        A, ones = (A - means.T[self.task]) * root[:, None], root
        if normal is not None:
            n = normal[self.J]
            A, ones = A - n[:, None] * self._sums(n[:, None] * A)[self.task], ones - n * self._sums(n * root)[self.task]
        self.mass = self._sums(ones**2)
        if data.fit_intercept:
            shift = np.divide(
                self._sums(ones[:, None] * A), self.mass[:, None], out=np.zeros((T, d)), where=self.mass[:, None] > 0
            )
            A, means = A - ones[:, None] * shift[self.task], means + shift.T
        self.A, self.means = A, means

    def _sums(self, values):
        """Sums over the samples at kinks of every task."""
        out = np.zeros((len(self.ptr) - 1, *values.shape[1:]))
        some = np.flatnonzero(np.diff(self.ptr))
        if len(some):
            out[some] = np.add.reduceat(values, self.ptr[some], axis=0)
        return out

    def apply(self, P):
        d, K, T = P.shape
        out = np.matmul(self.blocks, P.reshape(d, K * T, 1)).reshape(P.shape)
        if self.whole is not None:
            out = out + np.tensordot(self.whole, P, axes=3)
        return out + self._sums(self.A * self._predicted(P)[:, None]).T[:, None]

    def _predicted(self, P):
        return np.einsum("ij,ij->i", self.A, P.sum(axis=1).T[self.task])

    def newton(self, point):
        """(move of the parts, move of b), or None where the system is too large."""
        outer, data = self.outer, self.outer.data
        few = self.whole is None and len(self.J) <= outer.P.size
        solve = self._of_samples() if few else self._of_coefficients()
        if solve is None:
            return None
        bent = self.mass > 0
        right = -(point.slope - (self.means * np.where(bent, point.slope_b, 0.0))[:, None])
        move = solve(right)
        for _ in range(2):
            move = move + solve(right - self.apply(move))
        if not data.fit_intercept:
            return move, np.zeros(len(bent))
        # (A task with no sample at a kink goes on as if all were.)
        mass = np.where(bent, self.mass, np.maximum(data.tasks.sum(data.tasks.weight * outer.sigma), 1e-300))
        ahead = np.sum(self.means * move.sum(axis=1), axis=0)
        return move, -point.slope_b / mass - np.where(bent, ahead, 0.0)

    def _of_samples(self):
        n, rows, (d, K, T) = len(self.J), self.rows, self.outer.P.shape
        if n > MOST:
            return None
        plain = np.linalg.inv(self.base)
        own = _inverses(self.blocks[rows], self.outer.held)
        more, axes = np.linalg.eigh(own - plain)
        both = plain.reshape(K, T, K, T).sum(axis=(0, 2))
        H = (self.A @ self.A.T) * both[self.task[:, None], self.task]
        row, k = np.nonzero(more > 1e-12 * np.trace(plain))
        axes = axes.reshape(len(rows), K, T, K * T).sum(axis=1)
        B = self.A[:, rows[row]] * (axes[row, :, k] * np.sqrt(more[row, k])[:, None]).T[self.task]
        H += B @ B.T
        H[np.diag_indices(n)] += 1
        try:
            factor = cho_factor(H, overwrite_a=True, check_finite=False) if n else None
        except LinAlgError:
            return None

        def of_blocks(R):
            R = R.reshape(d, K * T)
            out = R @ plain
            out[rows] = np.matmul(own, R[rows][:, :, None])[:, :, 0]
            return out.reshape(d, K, T)

        def solve(R):
            P = of_blocks(R)
            if factor is None:
                return P
            u = cho_solve(factor, self._predicted(P), check_finite=False)
            return P - of_blocks(np.repeat(self._sums(self.A * u[:, None]).T[:, None], K, axis=1))

        return solve

    def _of_coefficients(self):
        d, K, T = self.outer.P.shape
        if d * K * T > MOST:
            return None
        H = np.zeros((d, K * T, d, K * T)) if self.whole is None else self.whole.copy().reshape(d, K * T, d, K * T)
        every = np.arange(d)
        H[every, :, every] += self.blocks
        by_task = H.reshape(d, K, T, d, K, T)
        for t in range(T):
            A = self.A[self.ptr[t] : self.ptr[t + 1]]
            by_task[:, :, t, :, :, t] += (A.T @ A)[:, None, :, None]
        try:
            factor = cho_factor(H.reshape(d * K * T, d * K * T), overwrite_a=True, check_finite=False)
        except LinAlgError:
            return None
        return lambda R: cho_solve(factor, R.ravel(), check_finite=False).reshape(d, K, T)


def _inverses(H, least):
    """Those of symmetric matrices (m, T, T), whose eigenvalues are at least ``least``, but for rounding."""
    values, vectors = np.linalg.eigh(H)
    return (vectors / np.maximum(values, least)[:, None, :]) @ vectors.transpose(0, 2, 1)
