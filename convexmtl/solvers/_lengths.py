"""Newton's method in the lengths of the rows: where tasks have one X, and rows are penalised by their 2-norms.

    min over eta >= 0 of  1/2 sum_j eta_j + min over W of loss(W) + 1/2 sum_j norm_2(w_j)^2 / eta_j

(rows in units in which all strengths are 1) has the same solution with eta_j = norm_2(w_j), and is convex and smooth in
eta: rows near zero, where the norm bends without end, are just bounds. With z_j the negative gradient of the loss in
row j at the inner minimum, which is w_j / eta_j, its gradient is (1 - norm_2(z_j)^2) / 2, and its second derivative
sum_t z_t z_t' times Q_t, entry by entry, where Q_t = c_t X (I + c_t X' diag(eta) X)^-1 X' for X (m, n).

That is a number per row in place of one per row and task, and a product with the second derivative takes as long as a
sweep. Conjugate gradients want a handful of them, whatever the number of sweeps that are left.

References
----------
Poon, Peyre (2021), NeurIPS.
"""

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve, eigh

from .._rows import row_norms

MAX_STEPS = 10
MAX_PRODUCTS = 60  # in one step
FORCING = 0.1  # share of the gradient, in the metric of the diagonal, that conjugate gradients leave
ENOUGH = 0.5  # share of the wanted gap that is left
SHORTEST = 1e-3  # step along a direction
PRODUCTS = 8.0  # of a step, as a rule
EIGEN = 25.0  # times as long as a Cholesky factor takes a spectrum


def cost(n_rows, size, n_tasks, even):
    """About what a step costs, in sweeps: the matrix of this ``size``, its factor or its spectrum, and products."""
    sweep = 4.0 * n_rows * size * n_tasks
    return (n_rows * size**2 + (1.0 if even else EIGEN) * size**3 / 3) / sweep + PRODUCTS


class _Shifted:
    """(I + c_t A)^-1 for all tasks: by one factor where they have the same c, else by the spectrum of A."""

    def __init__(self, A, c):
        self.even = np.ptp(c) == 0
        if self.even:
            A *= c[0]
            A[np.diag_indices(len(A))] += 1
            self.factor = cho_factor(A, lower=True, overwrite_a=True, check_finite=False)
        else:
            values, self.axes = eigh(A, overwrite_a=True, check_finite=False)
            self.shrink = 1 / (1 + np.maximum(values, 0.0)[:, None] * c)

    def solve(self, V):
        """V (k, T)"""
        if self.even:
            return cho_solve(self.factor, V, check_finite=False)
        return self.axes @ (self.shrink * (self.axes.T @ V))


class Thin:
    """Fewer samples than rows: what is inverted has the size of the samples.

    Parameters
    ----------
    X : ndarray of shape (m, n)
    c : ndarray of shape (T,)
    Y : ndarray of shape (n, T)
        The negative residual at W = 0, times c.
    """

    def __init__(self, X, c, Y):
        self.X, self.c, self.Y = X, c, Y
        self.squares = np.einsum("ji,ji->j", X, X)

    def at(self, eta):
        used = np.flatnonzero(eta > 0)
        R = self.X[used] * np.sqrt(eta[used])[:, None]
        return _Shifted(R.T @ R, self.c)

    def value(self, eta, inverse):
        """(objective, what ``dual`` is made of)"""
        U = inverse.solve(self.Y)
        return 0.5 * (eta.sum() + float(np.sum(self.Y * U / self.c))), U

    def dual(self, eta, U):
        return self.X @ U

    def bent(self, inverse, eta, V):
        """Q_t v_t for V (m, T)."""
        return self.X @ inverse.solve(self.X.T @ (self.c * V))


class Square:
    """Fewer rows than samples: what is inverted has the size of the rows.

    Parameters
    ----------
    G : ndarray of shape (m, m)
        X X'
    c : ndarray of shape (T,)
    C : ndarray of shape (m, T)
        The negative gradient of the loss at W = 0.
    """

    def __init__(self, G, c, C):
        self.G, self.c, self.C = G, c, C
        self.squares = np.diag(G)

    def at(self, eta):
        root = np.sqrt(eta)
        return _Shifted(self.G * np.outer(root, root), self.c)

    def value(self, eta, inverse):
        root = np.sqrt(eta)[:, None]
        W = root * inverse.solve(root * self.C)
        return 0.5 * (eta.sum() - float(np.sum(self.C * W))), W

    def dual(self, eta, W):
        return self.C - self.c * (self.G @ W)

    def bent(self, inverse, eta, V):
        root, seen = np.sqrt(eta)[:, None], self.c * (self.G @ V)
        return seen - self.c * (self.G @ (root * inverse.solve(root * seen)))


def newton(form, eta, target):
    """(eta, Z (m, T), number of steps) from lengths ``eta`` (m,), until the gap is below ``target``, or no step lowers
    the objective; None where not even the first one does."""
    try:
        inverse = form.at(eta)
    except LinAlgError:
        return None
    value, made = form.value(eta, inverse)
    Z = form.dual(eta, made)
    for step in range(1, MAX_STEPS + 1):
        squares = np.einsum("jt,jt->j", Z, Z)
        slope = 0.5 * (1 - squares)
        free = (eta > 0) | (slope < 0)
        # The second derivative of a row alone, were all others orthogonal to it.
        own = squares / (1 / np.maximum(form.squares * form.c.mean(), 1e-300) + eta)
        move = _conjugate_gradients(form, inverse, eta, Z, np.where(free, -slope, 0.0), free, own)
        length, lower = 1.0, None
        while lower is None and length > SHORTEST:
            ahead = np.maximum(eta + length * move, 0.0)
            lower = _lower(form, ahead, value)
            length *= 0.4
        if lower is None:
            return None if step == 1 else (eta, Z, step - 1)
        eta, (inverse, value, made) = ahead, lower
        Z = form.dual(eta, made)
        if _gap(eta, Z) <= ENOUGH * target:
            break
    return eta, Z, step


def _gap(eta, Z):
    """The duality gap at W = diag(eta) Z, to first order."""
    norms = row_norms(Z)
    return float(np.sum(eta * norms * (1 - norms / max(1.0, norms.max()))))


def _lower(form, eta, value):
    """(inverse, objective, what the dual is made of) at lengths, None where the objective is not below ``value``."""
    try:
        inverse = form.at(eta)
    except LinAlgError:
        return None
    new, made = form.value(eta, inverse)
    return (inverse, new, made) if new < value else None


def _conjugate_gradients(form, inverse, eta, Z, right, free, own):
    """Move (m,) of the free lengths."""
    x, r = np.zeros(len(right)), right
    metric = np.where(free & (own > 0), 1 / np.where(own > 0, own, 1.0), 0.0)
    z = metric * r
    p, size = z, float(r @ z)
    wanted = FORCING**2 * size
    for _ in range(MAX_PRODUCTS):
        Hp = np.where(free, np.einsum("jt,jt->j", Z, form.bent(inverse, eta, p[:, None] * Z)), 0.0)
        along = float(p @ Hp)
        if not along > 0:
            break
        x, r = x + (size / along) * p, r - (size / along) * Hp
        z = metric * r
        new = float(r @ z)
        if new <= wanted:
            break
        p, size = z + (new / size) * p, new
    return x
