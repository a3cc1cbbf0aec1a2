"""Primal, dual and gap of any (W, b), from outside any solver; numpy only.

With v the dual variables (one per sample) and Z_t = -sum_i c_ti v_ti x_ti, any v with sum_i c_ti v_ti = 0
per task gives a lower bound of the objective. The gap is summed as the Fenchel gaps of the loss and of
the penalty, each of them >= 0, because primal - dual would cancel the digits that matter.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Certificate:
    """Attributes
    ----------
    primal, dual, gap : float
        gap = primal - dual bounds how far the primal is above the optimum.
    intercept : ndarray of shape (T,)
        The best intercepts for W; ``primal`` is taken at the intercepts that were asked for, if any.
    Z : ndarray of shape (d, T)
        Minus the gradient of the smooth part (loss and quadratic coupling) at W and the best intercepts.
    """

    primal: float
    dual: float
    gap: float
    intercept: np.ndarray
    Z: np.ndarray


def duality_gap(problem, parts, intercept=None, start=None):
    """Certificate of W = sum(parts).

    Parameters
    ----------
    problem : Problem
    parts : sequence of (d, T) arrays
    intercept : (T,) array or None
        None takes the best intercepts for W.
    start : (T,) array or None
        Where to start looking for the best intercepts.
    """
    tasks, loss, penalty = problem.tasks, problem.loss, problem.penalty
    W = sum(parts)
    c, y = tasks.weight, tasks.y
    raw = tasks.apply(W)
    best = problem.best_intercept(raw, start if intercept is None else intercept)
    at_best = raw + tasks.spread(best)
    z = at_best if intercept is None else raw + tasks.spread(intercept)
    v = loss.derivative(y, at_best)
    if problem.fit_intercept:
        v = _balanced(tasks, c, v)
    WM = W @ penalty.M
    Z = -tasks.adjoint(c * v) - 2 * WM
    gradient = Z
    primal = float(c @ loss.value(y, z)) + penalty.value(parts)

    free = _free_directions(penalty, tasks.n_tasks)
    if free.shape[1]:
        v = v + _correction(problem, at_best, Z, free)
        Z = -tasks.adjoint(c * v) - 2 * WM
        # What is left along the free directions is rounding of the linear solve.
        Z = Z - (Z @ free) @ free.T
    scale = 1.0
    for term in penalty.terms:
        if term.is_norm:
            norm = term.dual_norm(Z)
            scale = min(scale, 1 / norm) if norm > 1 else scale if norm <= 1 else np.nan

    with np.errstate(invalid="ignore", over="ignore"):
        gap = float(c @ np.where(c > 0, loss.fenchel_gap(y, z, scale * v), 0.0))
    if penalty.terms:
        gap += (1 - scale) ** 2 * float(np.sum(W * WM))
        for term, part in zip(penalty.terms, parts, strict=True):
            conjugate = 0.0 if term.is_norm else term.conjugate(scale * Z)
            gap += term.value(part) + conjugate - scale * float(np.sum(part * Z))
    else:
        gap += _quadratic_conjugate(Z, penalty.M)
    # v = 0 is feasible for every loss and penalty; it is the better bound where the data can be fitted exactly.
    trivial = primal + float(c @ loss.conjugate(y, np.zeros_like(y)))
    if not gap <= trivial and not np.isnan(gap):
        gap = trivial
    return Certificate(primal, primal - gap, gap, best, gradient)


def _balanced(tasks, c, v):
    """v with sum_i c_ti v_ti = 0 per task, by shrinking the heavier sign.

    Shrinking towards zero keeps every dual variable inside the domain of its loss.
    """
    plus, minus = tasks.sum(c * np.maximum(v, 0)), tasks.sum(c * np.maximum(-v, 0))
    less = np.minimum(plus, minus)
    down = np.divide(less, plus, out=np.ones_like(plus), where=plus > 0)
    up = np.divide(less, minus, out=np.ones_like(minus), where=minus > 0)
    return v * np.where(v > 0, tasks.spread(down), tasks.spread(up))


def _free_directions(penalty, T):
    """(T, k) orthonormal: the directions of tasks in which Omega is constant."""
    if penalty.terms:
        free = [term.free_tasks(T) for term in penalty.terms]
        return np.linalg.qr(np.concatenate(free, axis=1))[0] if any(f.shape[1] for f in free) else free[0]
    values, vectors = np.linalg.eigh(penalty.M)
    return vectors[:, values <= 1e-14 * max(values[-1], 0.0)]


def _quadratic_conjugate(Z, M):
    """tr(Z M^+ Z') / 4, for Z in the range of M."""
    values, vectors = np.linalg.eigh(M)
    used = values > 1e-14 * max(values[-1], 0.0)
    return float(np.sum((Z @ vectors[:, used]) ** 2 / values[used])) / 4


def _correction(problem, z, Z, free):
    """Change of v after which Z vanishes along the free directions: X-part of one Newton step in them.

    Weighted by the loss's second derivative, so that dual variables at an end of their domain stay there.
    """
    smaller = problem.reduced()
    if smaller is not None:
        # More features than rows: the same correction in an orthonormal basis of the rows.
        problem, Q = smaller
        Z = Q.T @ Z
    tasks = problem.tasks
    d, T = problem.shape
    h = tasks.weight * problem.loss.second(tasks.y, z)
    means = tasks.means(h) if problem.fit_intercept else None
    G = tasks.gram(h, means)
    dv = np.zeros(len(tasks.y))
    wanted = Z @ free
    separate = free.shape[1] == T
    if separate:
        inverse = [np.linalg.pinv(g, rcond=1e-15, hermitian=True) for g in G]
    else:
        k = free.shape[1]
        H = np.einsum("tij,ta,tb->aibj", G, free, free).reshape(k * d, k * d)
        inverse = np.linalg.pinv(H, rcond=1e-15, hermitian=True)
    curvature = problem.loss.second(tasks.y, z)
    for _ in range(3):
        if separate:
            delta = np.stack([inverse[t] @ (wanted @ free.T)[:, t] for t in range(T)], axis=1)
        else:
            delta = (inverse @ wanted.T.ravel()).reshape(free.shape[1], d).T @ free.T
        move = tasks.apply(delta)
        if means is not None:
            move = move - tasks.spread(np.sum(means * delta, axis=0))
        dv = dv + curvature * move
        wanted = (Z - tasks.adjoint(tasks.weight * dv)) @ free
    return dv
