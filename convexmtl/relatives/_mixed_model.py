"""The likelihood of linear models whose coefficients are drawn from one normal distribution, from moments of tasks."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from ..tasks import Tasks

SMALLEST = 1e-8  # variance of the noise, as a share of that of y
LOST = 1e-12  # eigenvalue, as a share of the largest, that is rounding
FLAT = 1e-10  # share of the likelihood below which differences are rounding, and a search that stalls has arrived


class Moments(NamedTuple):
    """Of the samples of every task, a row of p features (the last one a constant, where there are intercepts) each."""

    A: np.ndarray  # (T, p, p) sums of x x'
    g: np.ndarray  # (T, p) sums of x y
    yy: np.ndarray  # (T,) sums of y^2
    n: np.ndarray  # (T,) sums of the weights
    c: np.ndarray  # (T, L) what the mean of the coefficients depends on: a one, and the features of the tasks


def moments(X, y, codes, weight, C, constant):
    """Moments of samples, all tasks at once.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    y : ndarray of shape (n,), or (n, T) with NaN where there is none
    codes : ndarray of shape (n,), or None where y is (n, T)
    weight : ndarray of the shape of y, or (n,), or None
    C : ndarray of shape (T, L)
    constant : bool
        Whether there are intercepts.
    """
    X = np.column_stack([X, np.ones(len(X))]) if constant else X
    if codes is None:
        s = np.broadcast_to(1.0 if weight is None else weight.reshape(len(y), -1), y.shape)
        totals = np.where(np.isnan(y), 0.0, s).sum(axis=0)
        tasks = Tasks.shared(X, y, s, totals)
    else:
        totals = np.bincount(codes, weight, minlength=len(C)).astype(float)
        tasks = Tasks.stacked(X, y, codes, len(C), weight, totals)
    s = tasks.weight
    return Moments(tasks.gram(s), tasks.adjoint(s * tasks.y).T, tasks.sum(s * tasks.y**2), totals, C)


class Estimate(NamedTuple):
    """What a likelihood has to say at one covariance and noise."""

    value: float  # minus its logarithm, and minus that of the prior of the noise
    loss: float  # without the latter
    Lambda: np.ndarray  # (q, q), the covariance of the coefficients that vary is Lambda Lambda'
    noise: np.ndarray  # (T,)
    effects: np.ndarray  # (p, L)
    information: np.ndarray  # (p L, p L) pseudo-inverse: the covariance of the effects
    means: np.ndarray  # (T, p) of the coefficients given the samples
    gradient: np.ndarray


class Likelihood:
    """Minus the logarithm of the likelihood of y_t = X_t w_t + noise_t, w_t ~ N(effects c_t, Lambda Lambda').

    The effects are those that are best for the covariance and the noise; under REML the likelihood is that of what is
    left of y beside them. Every task has at most p rows here, which have the moments of its samples: R_t, with
    R_t'R_t = A_t. (From A_t itself all would be differences of large numbers where there is little noise.)

    Parameters
    ----------
    m : Moments
    varying : ndarray of int, (q,)
        Which of the p coefficients vary.
    reml, diagonal, by_task : bool
        ``diagonal``: of the covariance; ``by_task``: whether every task has its own noise.
    prior : float
        Of noise by task: so many samples speak for the level of all.
    units : (float, float)
        Logarithms of the unit of y, and of the determinant of what scales the effects: the value is that of data in
        units of 1.
    """

    def __init__(self, m, varying, reml, diagonal, by_task, prior, units=(0.0, 0.0)):
        self.m, self.v, self.reml, self.by_task, self.prior, self.logs = m, varying, reml, by_task, prior, units
        (T, p, _), q, L = m.A.shape, len(varying), m.c.shape[1]
        self.entries = (np.arange(q),) * 2 if diagonal else np.tril_indices(q)
        of_noise = np.sqrt(m.n / 2 if by_task else m.n.sum(keepdims=True) / 2)
        # Units in which the likelihood bends about as much along all variables.
        self.units = np.concatenate([np.full(len(self.entries[0]), np.sqrt(T)), of_noise])
        values, vectors = np.linalg.eigh(m.A)
        kept = values > LOST * values[:, -1:]
        roots = np.sqrt(np.where(kept, values, 0.0))
        self.R = roots[:, :, None] * vectors.transpose(0, 2, 1)
        self.Rv = np.ascontiguousarray(self.R[:, :, varying])
        # What the rows have of y, and the squares of what no row has.
        turned = np.einsum("tji,tj->ti", vectors, m.g)
        self.y = np.divide(turned, roots, out=np.zeros((T, p)), where=kept)
        self.rest = np.maximum(m.yy - np.sum(self.y**2, axis=1), 0.0)
        # (T, p, p L): what the effects see.
        self.F = (self.R[:, :, :, None] * m.c[:, None, None, :]).reshape(T, p, p * L)

    def start(self):
        """Half of the variance of y (which is 1) to the noise, the other half to the coefficients."""
        q = len(self.v)
        Lambda = np.eye(q) * np.sqrt(0.5 / max(q, 1))
        count = len(self.units) - len(self.entries[0])
        return self.units * np.concatenate([Lambda[self.entries], np.full(count, np.log(0.5))])

    def split(self, x):
        """(Lambda (q, q), noise (T,))"""
        x, k = x / self.units, len(self.entries[0])
        Lambda = np.zeros((len(self.v),) * 2)
        Lambda[self.entries] = x[:k]
        return Lambda, np.broadcast_to(np.exp(x[k:]), self.m.n.shape)

    def at(self, x):
        """The Estimate at variables x."""
        m, (Lambda, noise) = self.m, self.split(x)
        T, p, L = *self.R.shape[:2], m.c.shape[1]
        G = self.Rv @ Lambda
        V = G @ G.transpose(0, 2, 1)
        V[:, np.arange(p), np.arange(p)] += noise[:, None]
        inside = np.linalg.inv(np.linalg.cholesky(V))
        beyond = m.n - p
        value = beyond @ np.log(noise) + self.rest @ (1 / noise)
        value -= 2 * np.sum(np.log(np.diagonal(inside, axis1=1, axis2=2)))

        # The effects.
        EF, Ey = inside @ self.F, np.einsum("tij,tj->ti", inside, self.y)
        flat = EF.reshape(T * p, p * L)
        information = flat.T @ flat
        values, vectors = np.linalg.eigh((information + information.T) / 2)
        kept = values > LOST * max(values[-1], 0.0)
        P = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
        beta = P @ (flat.T @ Ey.ravel())
        e = Ey - (flat @ beta).reshape(T, p)
        value += np.sum(e**2)
        free = m.n.sum()
        if self.reml:
            value += np.sum(np.log(values[kept])) + 2 * self.logs[1]
            free -= kept.sum()
        value = loss = 0.5 * (value + free * (np.log(2 * np.pi) + 2 * self.logs[0]))

        # Derivatives by Lambda and by the logarithms of the noise.
        outer = inside.transpose(0, 2, 1)
        We = np.einsum("tij,tj->ti", outer, e)
        EG, Gv = inside @ G, np.einsum("tij,ti->tj", self.Rv, We)
        u = np.einsum("tij,ti->tj", G, We)
        ER = inside @ self.Rv
        of_Lambda = np.tensordot(ER, EG, axes=([0, 1], [0, 1])) - Gv.T @ u
        of_noise = np.sum(inside**2, axis=(1, 2)) + (beyond - self.rest / noise) / noise - np.sum(We**2, axis=1)
        if self.reml:
            EFP = EF @ P
            of_Lambda -= np.tensordot(ER.transpose(0, 2, 1) @ EFP, EG.transpose(0, 2, 1) @ EF, axes=([0, 2], [0, 2]))
            of_noise -= np.sum((outer @ EFP) * (outer @ EF), axis=(1, 2))
        of_noise *= 0.5 * noise
        if self.by_task and self.prior:
            level = T / np.sum(1 / noise)
            value += 0.5 * self.prior * np.sum(np.log(noise / level) + level / noise)
            of_noise += 0.5 * self.prior * (1 - level / noise)
        of_noise = of_noise if self.by_task else of_noise.sum(keepdims=True)
        gradient = np.concatenate([of_Lambda[self.entries], of_noise]) / self.units

        means = m.c @ beta.reshape(p, L).T
        means[:, self.v] += u @ Lambda.T
        return Estimate(float(value), float(loss), Lambda, noise, beta.reshape(p, L), P, means, gradient)

    def _inner(self, Lambda, noise):
        """(T, q, q) covariances of the coefficients that vary, given the samples and the effects."""
        G = self.Rv @ Lambda
        M = np.eye(len(self.v)) + G.transpose(0, 2, 1) @ G / noise[:, None, None]
        return Lambda @ np.linalg.inv(M) @ Lambda.T

    def missing(self, e):
        """About what the value is above the least one."""
        noise = e.noise if self.by_task else e.noise[:1]
        open_ = np.append(np.ones(len(self.entries[0]), dtype=bool), noise > 2 * SMALLEST)
        return 0.5 * float(np.sum(e.gradient[open_ | (e.gradient < 0)] ** 2))

    def posterior(self, e):
        """(T, p, p) covariances of the coefficients given the samples, the effects as unsure as these leave them."""
        (T, p, _), L, v = self.R.shape, self.m.c.shape[1], self.v
        inner = self._inner(e.Lambda, e.noise)
        seen = np.einsum("ij,tl->tijl", np.eye(p), self.m.c).reshape(T, p, p * L)
        seen[:, v] -= inner @ (self.Rv.transpose(0, 2, 1) @ self.F) / e.noise[:, None, None]
        found = seen @ e.information @ seen.transpose(0, 2, 1)
        found[np.ix_(np.arange(T), v, v)] += inner
        return found


def maximise(likelihood, tol, max_iter, show):
    """(Estimate, values at every step, whether they have converged) by a quasi-Newton method."""
    known, history = {}, []
    x = likelihood.start()

    def evaluate(x):
        found = likelihood.at(x)
        known.clear()
        known["last"] = (x.copy(), found.value, found.gradient)
        return found.value, found.gradient

    def step(x):
        seen = known.get("last")
        value = seen[1] if seen is not None and np.array_equal(seen[0], x) else likelihood.at(x).value
        history.append(value)
        if show is not None:
            show(len(history) - 1, value)

    step(x)
    k = len(likelihood.entries[0])
    low = np.concatenate([np.full(k, -np.inf), likelihood.units[k:] * np.log(SMALLEST)])
    # In these units half of the square of a derivative is about what the value is above the least one, which is as
    # sure as there are tasks.
    found = minimize(
        evaluate,
        x,
        jac=True,
        method="L-BFGS-B",
        bounds=np.column_stack([low, np.full(len(x), np.inf)]),
        callback=step,
        options={
            "maxiter": max_iter,
            "maxfun": 20 * max_iter,
            "ftol": 0.0,
            "gtol": np.sqrt(tol * len(likelihood.m.n)),
            "maxcor": 20,
        },
    )
    best = likelihood.at(found.x)
    last = history[-2] - history[-1] if len(history) > 1 else 0.0
    # (A search along a line that finds nothing lower has come to rounding.)
    arrived = found.status == 0 or (found.status == 2 and last <= FLAT * (1 + abs(best.value)))
    return best, history, arrived
