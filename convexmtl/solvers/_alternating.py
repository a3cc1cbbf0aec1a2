"""Alternating directions on a quadratic model: rows on one side, all that moves together on the other.

    S <- S + r (X - V),  V = prox(S),  X = argmin of the model's loss at X + sum (X - 2 V + S)^2 / (2 D)

with steps D for every row and task. What features that are nearly collinear do to sweeps, which move one at a time, is
solved here at once, whatever the pattern of W; a pattern that is not final costs what it does everywhere. The loss is
seen from the point at which it was looked at last, where its gradient has all digits: the move from there is made in
single precision, at half of the bytes and twice the speed.
"""

import numpy as np

from .._jit import kernel
from .._rows import row_norms
from ._anderson import Extrapolation

RELAXATION = 1.6
FIRST = 6.0  # times the steps of sweeps
MEMORY, EVERY = 10, 5  # states of an extrapolation, and iterations between two
CHECK = 10  # iterations after which it is looked at where both sides are
LOOK = 40  # iterations after which the gap is computed, however large it is likely to be
APART = 10.0  # ratio of the two residuals from which on the steps change
CHANGES = 4
BETTER = 0.9  # share of the gap that is progress
SOON = 5.0  # times the target: a likely gap from which on it is worth while to look at the gap
PATIENCE = 200  # iterations without progress


@kernel("void(float32[:, :, ::1], float32[:, ::1])", fastmath=True)
def take_out(B, P):
    """P[t] -= B_t' B_t P[t], for B (T, n, m) and P (T, m): four rows of B at a time."""
    T, n, m = B.shape
    q = np.empty(m, dtype=np.float32)
    for t in range(T):
        p = P[t]
        for j in range(m):
            q[j] = p[j]
        for i in range(0, n - 3, 4):
            b0, b1, b2, b3 = B[t, i], B[t, i + 1], B[t, i + 2], B[t, i + 3]
            s0 = s1 = s2 = s3 = np.float32(0.0)
            for j in range(m):
                x = q[j]
                s0 += b0[j] * x
                s1 += b1[j] * x
                s2 += b2[j] * x
                s3 += b3[j] * x
            for j in range(m):
                p[j] -= s0 * b0[j] + s1 * b1[j] + s2 * b2[j] + s3 * b3[j]
        for i in range(n // 4 * 4, n):
            b, s = B[t, i], np.float32(0.0)
            for j in range(m):
                s += b[j] * q[j]
            for j in range(m):
                p[j] -= s * b[j]


def thin(A):
    """The map P (m, T) -> (I + A_t' A_t)^-1 p_t, for A (n, m) that all tasks have, or (T, n, m), all in single
    precision, which is enough to say where to go."""
    K = A @ np.swapaxes(A, -1, -2)
    every = np.arange(K.shape[-1])
    K[..., every, every] += 1
    # (Whitened: with B = L^-1 A it is P - B'B P, for which A is read once.)
    B = np.linalg.inv(np.linalg.cholesky(K)) @ A
    if B.ndim == 2:
        return lambda P: P - B.T @ (B @ P)

    def solve(P):
        P = np.ascontiguousarray(P.T)
        take_out(B, P)
        return P.T

    return solve


def square(K):
    """The map P (m, T) -> (I + K_t)^-1 p_t, for K (m, m) that all tasks have, or (T, m, m)."""
    every = np.arange(K.shape[-1])
    K[..., every, every] += 1
    M = np.linalg.inv(K)
    if M.ndim == 2:
        return lambda P: M @ P
    return lambda P: np.matmul(M, P.T[:, :, None])[:, :, 0].T


@kernel(
    "void(float64[:, ::1], float64[:, ::1], float64[:, ::1], float64[:, ::1], float64[:, ::1], row_prox, float64[::1],"
    " int64[::1], float64[:, ::1], float32[:, ::1])"
)
def near_side(S, length, W, gradient, root, prox, fpar, ipar, V, P):
    """V = prox(S length), and P = root times the gradient of what the other side has to move down from W."""
    m, T = V.shape
    step = np.empty(T)
    for j in range(m):
        for t in range(T):
            step[t] = length[j, t] * length[j, t]
            V[j, t] = S[j, t] * length[j, t]
        prox(V[j], step, fpar, ipar, j)
        for t in range(T):
            P[j, t] = root[j, t] * ((2 * V[j, t] - W[j, t]) / step[t] - S[j, t] / length[j, t] - gradient[j, t])


class _Sides:
    """Both sides of the iteration for a model with steps D (m, T); states S are in units of the roots of these."""

    def __init__(self, model, D):
        # (A ridge is on the side of the loss.)
        self.D, self.length, self.root = D, np.sqrt(D), np.sqrt(D / (1 + 2 * D * model.coupling.diagonal))
        self.inverse = model.inverse(self.root)
        self.prox = model.term.row_prox.pointer, *model.term.pack()
        self.P = np.empty(D.shape, dtype=np.float32)

    def step(self, S, W, gradient):
        """(V, X) for the state S; the gradient is that at W."""
        V = np.empty(S.shape)
        near_side(S, self.length, W, gradient, self.root, *self.prox, V, self.P)
        X = self.root * self.inverse(self.P)
        X += W
        return V, X

    def next(self, S, V, X):
        """The state after these."""
        move = X - V
        move *= RELAXATION
        move /= self.length
        move += S
        return move


def alternate(model, target, most):
    """Iterate from where the model is until its gap is at most ``target``, and leave it at the best point found.

    Returns (number of iterations, whether it got there, or was still on its way). Raises LinAlgError where a side has
    no factor in single precision; the model is then where the last look has left it.

    References
    ----------
    Douglas, Rachford (1956), Trans. AMS; Eckstein, Bertsekas (1992), Math. Programming, for relaxed steps.
    """
    step, tau, changes = model.steps(), FIRST, 0
    sides = _Sides(model, tau * step)
    W, gradient, gap = model.W, model.slope(), model.gap()
    S = W / sides.length - sides.length * gradient
    best, soon, before, better = (gap, model.state()), SOON * target, None, 0
    extrapolation = Extrapolation(MEMORY, EVERY, True)
    for n in range(1, most + 1):
        V, X = sides.step(S, W, gradient)
        checked = n % CHECK == 0 or n == most
        now, (S, back) = S, extrapolation.next(sides.next(S, V, X), not checked)
        if back or not checked:
            before = V
            continue
        U = now / sides.length - V / sides.D
        factor, likely = _factor(sides, V, X, before, U) if changes < CHANGES else 1.0, _likely(sides, V, X)
        before = V
        if likely <= soon or n % LOOK == 0 or n == most:
            W = V
            model.move(W)
            gradient, gap = model.slope(), model.gap()
            better = n if gap < BETTER * best[0] else better
            if gap < best[0]:
                best = gap, model.state()
            if not gap > target or n - better >= PATIENCE:
                break
            soon = min(soon, likely * target / gap)
        if factor != 1:
            tau, changes = tau * factor, changes + 1
            sides = _Sides(model, tau * step)
            S = V / sides.length + sides.length * U
            extrapolation.forget()
    if not gap <= best[0]:
        model.set_state(best[1])
    return n, not best[0] > target or n - better < PATIENCE


def _likely(sides, V, X):
    """About what the gap at V comes to: how far both sides are from one gradient, times the lengths of the rows."""
    return float(row_norms((V - X) / sides.D).max() * row_norms(V).sum())


def _factor(sides, V, X, before, U):
    """What the steps are to be multiplied by, so that both residuals fall alike."""
    size = [np.linalg.norm(A / sides.length) for A in (X - V, V, V - before, U * sides.D)]
    if not min(size) > 0:
        return 1.0
    ratio = (size[0] / size[1]) / (size[2] / size[3])
    return float(np.clip(1 / np.sqrt(ratio), 0.2, 5)) if not 1 / APART <= ratio <= APART else 1.0
