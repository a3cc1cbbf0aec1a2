"""A path by Newton's method in the lengths of the rows, for tasks with one X whose rows are penalised by their 2-norms.

With rows in units in which all strengths are f, and theta_j = norm_2(w_j) / f,

    min over theta >= 0 of  f^2/2 sum_j theta_j + min over W of loss(W) + 1/2 sum_j norm_2(w_j)^2 / theta_j

has the inner minimum w_j = theta_j z_j, where z_j is the negative gradient of the loss in row j there: z_j and the
second derivative H, whose entries are z_j . z_k times Q_jk, Q = c X (I + c X' diag(theta) X)^-1 X', do not depend on f.
All of it is convex and smooth: rows near zero, where a norm bends without end, are just bounds. Where all
tasks have the same c, H is one matrix with a row per length, and one factor of it serves for several steps, and for the
first one to the next strength. What is solved is 1 / norm_2(z_j) = 1 / f rather than norm_2(z_j)^2 = f^2: where rows do
not interact the former is linear in the lengths.

References
----------
Poon, Peyre (2021), NeurIPS. Larsson, Wallin (2022), NeurIPS, for second derivatives that lead along a path.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg.blas import dsyrk
from scipy.linalg.lapack import dpotrf, dpotrs, dtrtrs

from .._rows import row_norms

MOST_STEPS = 30  # to one strength
NEAR = 0.95  # share of f that the gradient of a row must have to be looked at in every step
NEARLY = 0.7  # share of the wanted gap that is left on the rows that are looked at
STRIDE = 2.0  # times as strong as the next one, where a path begins far from W = 0
ROUGH = 1e-3  # of the loss, the gap that is wanted on the way there
CHANGED = 0.2  # share of the rows of a factor that may come or go
PROMPT = 3e6  # multiplications that take as long as what a step costs beside them
FASTER = 12.0  # times as many multiplications in the same time as in sweeps
SAVED = 3  # steps that a new factor saves after the first step to new strengths
DAMPED = 1e-12, 1e-3  # share of the diagonal of H that is added: always, and where a step has led nowhere


class Point(NamedTuple):
    """What is known at lengths.

    Attributes
    ----------
    theta : ndarray of shape (d,)
    L : ndarray
        Lower factor of what is inverted.
    made : ndarray
        What the gradient is made of.
    fit, value : float
        The loss, and the objective without f^2/2 sum_j theta_j.
    used : ndarray
        Rows that are not zero.
    """

    theta: np.ndarray
    L: np.ndarray
    made: np.ndarray
    fit: float
    value: float
    used: np.ndarray


class Thin:
    """Fewer samples than features: what is inverted has the size of the samples.

    Parameters
    ----------
    X : ndarray of shape (d, n)
    c : float
    Y : ndarray of shape (n, T)
        The negative residual at W = 0.
    """

    def __init__(self, X, c, Y):
        self.X, self.c, self.Y = X, c, np.asfortranarray(Y)

    def at(self, theta):
        """The Point, or None where rounding is all there is."""
        used = np.flatnonzero(theta > 0)
        B = self.X[used]
        B *= np.sqrt(self.c * theta[used])[:, None]
        K = dsyrk(1.0, B.T, lower=1)
        K.flat[:: len(K) + 1] += 1
        L, failed = dpotrf(K, lower=1, overwrite_a=1)
        if failed:
            return None
        R = dpotrs(L, self.Y, lower=1)[0]
        fit, value = 0.5 * self.c * float(np.vdot(R, R)), 0.5 * self.c * float(np.vdot(self.Y, R))
        return Point(theta, L, R, fit, value, used)

    def dual(self, point, rows=slice(None)):
        """The negative gradient (m, T) of these rows."""
        Z = self.X[rows] @ point.made
        Z *= self.c
        return Z

    def halves(self, point, rows):
        """What ``curvature`` is made of, (n, m)."""
        return dtrtrs(point.L, self.X[rows].T, lower=1)[0]

    def own(self, rows, S):
        """Q among these rows; its lower half."""
        return dsyrk(self.c, S, trans=1, lower=1)

    def between(self, rows, S, others, S_others):
        """Q between others and these rows."""
        Q = S_others.T @ S
        Q *= self.c
        return Q


def costs(n, T, m, m_seen):
    """(that of a point, that of a factor), in multiplications."""
    return n * n * m + n**3 / 3 + 2 * n * T * (n + m_seen), m * m * (n + T) + m**3 / 3 + n * n * m


class Factor:
    """The lower factor of H at a point, on some rows, to which others can be added.

    Attributes
    ----------
    rows : ndarray of shape (m,)
    """

    def __init__(self, form, point, damping):
        self.form, self.point, self.damping = form, point, damping
        self.rows = np.empty(0, dtype=int)

    def add(self, rows):
        """Whether rows could be added."""
        S, Z, k, m = self.form.halves(self.point, rows), self.form.dual(self.point, rows), len(self.rows), len(rows)
        H = self.form.own(rows, S)
        H *= dsyrk(1.0, Z.T, trans=1, lower=1)
        H.flat[:: m + 1] *= 1 + self.damping
        if k:
            B = self.form.between(rows, S, self.rows, self.S)
            B *= self.Z @ Z.T
            B = dtrtrs(self.L, B, lower=1)[0]
            H -= B.T @ B
        L, failed = dpotrf(H, lower=1, overwrite_a=1)
        if failed:
            return False
        if k:
            whole = np.zeros((k + m, k + m), order="F")
            whole[:k, :k], whole[k:, :k], whole[k:, k:] = self.L, B.T, L
            L, S, Z = whole, np.concatenate([self.S, S], axis=1), np.concatenate([self.Z, Z])
        self.L, self.S, self.Z, self.fixed = L, S, Z, None
        self.rows = np.concatenate([self.rows, rows])
        return True

    def solve(self, right, fixed):
        """x with H x = right, but x = 0 at the positions in ``fixed``."""
        x = dpotrs(self.L, right, lower=1)[0]
        if len(fixed):
            if self.fixed is None or not np.array_equal(fixed, self.fixed):
                unit = np.zeros((len(self.rows), len(fixed)), order="F")
                unit[fixed, np.arange(len(fixed))] = 1.0
                self.fixed, self.columns = fixed, dpotrs(self.L, unit, lower=1, overwrite_b=1)[0]
            x -= self.columns @ np.linalg.solve(self.columns[fixed], x[fixed])
            x[fixed] = 0.0
        return x


class LengthPath:
    """Where a path is, and how it goes on.

    Parameters
    ----------
    X : ndarray of shape (d, n)
    c : float
    Y : ndarray of shape (n, T)
        The negative residual at W = 0.
    strengths : ndarray of shape (d,)
        Of the rows, where f is 1.
    target : float
        The wanted gap.

    Attributes
    ----------
    point : Point or None
        Where it is; None before it has begun, and where numbers are out of range.
    pays : float
        Multiplications in sweeps that take as long as the way to one strength.
    """

    def __init__(self, X, c, Y, strengths, target):
        self.data, self.strengths, self.target = (X, c, Y), strengths, target
        self.form, self.point, self.factor, self.damping = None, None, None, DAMPED[0]
        self.rows = np.empty(0, dtype=int)
        step, factor = (cost + PROMPT for cost in costs(*Y.shape, len(Y), len(Y)))
        self.pays = (3 * step + factor) / FASTER

    def take(self, W, f):
        """Begin, or go on, at W (d, T), for strengths f."""
        if self.form is None:
            (X, c, Y), s = self.data, self.strengths
            # (Without a copy of X where all strengths are the same.)
            even = np.ptp(s) == 0
            self.form = Thin(X, c / s[0] ** 2, s[0] * Y) if even else Thin(X / s[:, None], c, Y)
        self.point, self.factor = self.form.at(row_norms(W) * self.strengths / f), None
        if self.point is not None:
            self._look_at_all()

    def put(self, out):
        """Fill in W (d, T) where it is."""
        used = self.point.used
        out[:] = 0.0
        out[used] = (self.point.theta / self.strengths)[used, None] * self.Z[used]

    def _look_at_all(self):
        self.Z = self.form.dual(self.point)
        self.norms = np.sqrt(np.einsum("jt,jt->j", self.Z, self.Z))

    def _gap(self, point, norms, f, top):
        """The duality gap at W = theta Z, whose negative residual is that of the point."""
        shrink, theta = (1.0 if top <= f else f / top), point.theta[point.used]
        norms = norms[point.used]
        return (1 - shrink) ** 2 * point.fit + float(theta @ (norms * (f - shrink * norms)))

    def to(self, f, most):
        """(number of steps to strengths f, at most ``most``, whether they have reached the wanted gap)."""
        steps, top = 0, self.norms.max(initial=0.0)
        if not len(self.point.used) and top > STRIDE * f:
            # By way of stronger ones.
            for ahead in f * STRIDE ** np.arange(int(np.log(top / f) / np.log(STRIDE)), 0, -1):
                steps, _ = self._go(ahead, max(self.target, ROUGH * self.point.fit), steps, most)
        return self._go(f, self.target, steps, most)

    def _go(self, f, target, steps, most):
        """The same straight on, to a gap, after so many steps."""
        allowed, first = min(steps + MOST_STEPS, most), True
        self._choose(f)
        gap = self._gap(self.point, self.norms, f, self.norms[self.rows].max(initial=0.0))
        while True:
            if gap <= NEARLY * target:
                self._look_at_all()
                if self._gap(self.point, self.norms, f, self.norms.max(initial=0.0)) <= target:
                    return steps, True
                self._choose(f)
                gap = self._gap(self.point, self.norms, f, self.norms[self.rows].max(initial=0.0))
            if steps >= allowed:
                return self._end(steps)
            fresh, moved = self._step(f, gap, first)
            steps += 1
            if moved is None:
                if fresh:
                    if self.damping >= 1:
                        return self._end(steps)
                    self.damping = max(10 * self.damping, DAMPED[1])
                self.factor = None
            else:
                if fresh:
                    self.damping = self.damping / 4 if self.damping > 1e-6 else DAMPED[0]
                left, gap = (None if first else moved / gap), moved
                if moved > NEARLY * target and self._is_stale(left, moved / target, fresh):
                    self.factor = None
            first = False

    def _end(self, steps):
        self._look_at_all()
        return steps, False

    def _choose(self, f):
        """Look at the rows that are in use or may be soon, unless they are looked at already."""
        theta, seen = self.point.theta, np.zeros(len(self.norms), dtype=bool)
        seen[self.rows] = True
        wanted = (theta > 0) | (self.norms > f)
        if np.any(wanted & ~seen) or len(self.rows) > 1.5 * np.count_nonzero(wanted) + 16:
            self.rows = np.flatnonzero((theta > 0) | (self.norms > NEAR * f))

    def _step(self, f, gap, first):
        """(whether the factor is a new one, the gap after a step of Newton's method, or None if that leads nowhere)."""
        point, norms = self.point, self.norms
        theta = point.theta
        # To a new strength first as far as the rows in use lead: most of those that want in then would not stay.
        free = theta > 0
        if not first or not free.any():
            free[self.rows] |= norms[self.rows] > f
        fresh = self.factor is None
        if not fresh:
            missing = free.copy()
            missing[self.factor.rows] = False
            missing = np.flatnonzero(missing)
            fixed = np.flatnonzero(~free[self.factor.rows])
            fresh = len(missing) + len(fixed) > CHANGED * len(self.factor.rows) + 4
            fresh = fresh or (len(missing) > 0 and not self.factor.add(missing))
        if fresh:
            fixed = np.empty(0, dtype=int)
            self.factor = Factor(self.form, point, self.damping)
            if not self.factor.add(np.flatnonzero(free)):
                return True, None
        rows = self.factor.rows
        seen = norms[rows]
        x = self.factor.solve(seen * seen * (seen / f - 1), fixed)
        new = theta.copy()
        new[rows] = np.maximum(new[rows] + x, 0.0)
        ahead = self.form.at(new)
        if ahead is None:
            return fresh, None
        Z = self.form.dual(ahead, self.rows)
        norms = norms.copy()
        norms[self.rows] = np.sqrt(np.einsum("jt,jt->j", Z, Z))
        moved = self._gap(ahead, norms, f, norms[self.rows].max(initial=0.0))
        higher = ahead.value - point.value + 0.5 * f * f * float(new.sum() - theta.sum())
        if not (moved < gap or higher <= 1e-12 * point.value):
            return fresh, None
        self.point, self.norms = ahead, norms
        return fresh, moved

    def _is_stale(self, left, above, fresh):
        """Whether a new factor leads to the target in less time, where the last step has ``left`` a share of the gap,
        which is that many times ``above`` the target.

        What the first step to new strengths has left, None, tells nothing.
        """
        step, factor = (cost + PROMPT for cost in costs(*self.form.Y.shape, len(self.factor.rows), len(self.rows)))
        if left is None:
            return factor < SAVED * step
        if left > 0.5:
            return True
        return not fresh and factor + step < step * np.log(above) / -np.log(left)
