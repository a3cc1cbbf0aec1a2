"""Samples of tasks as quadratic functions of their coefficients: what Bayesian models see of them.

The logarithm of the likelihood of task t is log p(y_t | w) = k_t + h_t . w - w' G_t w / 2; of classes, of which it is
none, that is a lower bound (Jaakkola & Jordan 2000), one for every choice of a number xi per sample, and exact where
xi^2 is the square of the score.
"""

from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.special import log_expit

SMALLEST = 1e-6  # variance of the noise, as a share of that of y
VAGUE = 1e-2  # precision of the prior of an intercept, in units of the data


class Quadratic(NamedTuple):
    """Of all tasks: G (T, p, p), h (T, p) and k (T,)."""

    G: np.ndarray
    h: np.ndarray
    k: np.ndarray


class Quadratics:
    """The samples of all tasks, in units of theirs: features, and targets, of mean 0 and deviation 1 over all tasks.

    Coefficients have the intercept last, where there is one; then only are features centred, and sparse ones never.

    Parameters
    ----------
    data : Data
        Of an estimator whose ``task_weight`` is "size".
    fit_intercept : bool

    Attributes
    ----------
    tasks : Tasks
    s : ndarray of shape (N,)
        Weights of the samples, as they were given.
    n : ndarray of shape (T,)
        Their sums.
    """

    def __init__(self, data, fit_intercept):
        tasks, self.fit_intercept = data.tasks, fit_intercept
        self.classes = data.loss.classification
        self.s = tasks.weight * data.size
        self.n = tasks.sum(self.s)
        total = self.n.sum()
        rows = np.bincount(tasks.sample_row, self.s, tasks.n_rows)
        means = np.asarray(rows @ tasks.X).ravel() / total
        squares = tasks.X.multiply(tasks.X) if tasks.is_sparse else np.square(tasks.X)
        centred = fit_intercept and not tasks.is_sparse
        variance = np.asarray(rows @ squares).ravel() / total
        if centred:
            variance = rows @ np.square(tasks.X - means) / total
        self.scale = np.sqrt(np.where(variance > 1e-28 * np.maximum(means**2, 1e-300), variance, 1.0))
        self.centre = means if centred else np.zeros(len(means))
        self.y_centre, self.y_scale = 0.0, 1.0
        y = tasks.y
        if not self.classes:
            self.y_centre = self.s @ y / total if fit_intercept else 0.0
            variance = self.s @ (y - self.y_centre) ** 2 / total
            self.y_scale = float(np.sqrt(variance)) if variance > 0 else 1.0
            y = (y - self.y_centre) / self.y_scale
        X = self._scaled(tasks.X)
        self.tasks = replace(tasks, X=X, y=np.where(self.s > 0, y, 0.0), offset=None)
        self.offset = tasks.offset if self.classes and tasks.offset is not None else np.zeros(len(y))

    def _scaled(self, X):
        if hasattr(X, "tocsc"):
            X = X.multiply(1 / self.scale[None, :]).toarray()
        else:
            X = (X - self.centre) / self.scale
        ones = np.ones((len(X), int(self.fit_intercept)))
        return np.asfortranarray(np.hstack([X, ones]))

    @property
    def shape(self):
        """(p, T)"""
        return self.tasks.n_features, self.tasks.n_tasks

    @property
    def own(self):
        """Coefficients that are none of intercepts."""
        return slice(0, self.shape[0] - self.fit_intercept)

    @cached_property
    def prior(self):
        """(p,) whether a coefficient is that of a feature."""
        return np.arange(self.shape[0]) < self.shape[0] - self.fit_intercept

    @cached_property
    def _moments(self):
        """G, h and the squares of y, of real targets."""
        tasks = self.tasks
        return tasks.gram(self.s), tasks.adjoint(self.s * tasks.y).T, tasks.sum(self.s * tasks.y**2)

    def at(self, noise, xi):
        """The Quadratic, of real targets for a variance of the noise, of classes for xi (N,)."""
        if not self.classes:
            G, h, squares = self._moments
            k = -0.5 * (self.n * np.log(2 * np.pi * noise * self.y_scale**2) + squares / noise)
            return Quadratic(G / noise, h / noise, k)
        lam, o, y = slope(xi), self.offset, self.tasks.y
        h = self.tasks.adjoint(self.s * (y / 2 - 2 * lam * o)).T
        k = log_expit(xi) - xi / 2 + lam * (xi**2 - o**2) + y * o / 2
        return Quadratic(self.tasks.gram(2 * self.s * lam), h, self.tasks.sum(self.s * k))

    def noise_at(self, means, second):
        """The best variance of the noise for expectations of w (T, p) and of w w' (T, p, p)."""
        G, h, squares = self._moments
        left = squares.sum() - 2 * np.sum(h * means) + np.sum(G * second)
        return max(left / self.n.sum(), SMALLEST)

    def xi_at(self, means, second):
        """(N,) the best xi for these: the roots of the expected squares of the scores."""
        tasks, o = self.tasks, self.offset
        z = tasks.apply(means.T)
        values, vectors = np.linalg.eigh(second)
        roots = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
        squares = sum(tasks.apply(roots[:, :, j].T) ** 2 for j in range(roots.shape[2]))
        return np.sqrt(np.maximum(squares + 2 * o * z + o**2, 0.0))

    def noise_of(self, noise):
        """In units of the user."""
        return float(noise * self.y_scale**2)

    @cached_property
    def back(self):
        """(Q (p, p), q (p,)): coefficients in units of the user are Q w + q."""
        p = self.shape[0]
        Q, q = np.eye(p) * self.y_scale, np.zeros(p)
        Q[self.own, self.own] /= self.scale[:, None]
        if self.fit_intercept:
            Q[-1, self.own] = -self.y_scale * self.centre / self.scale
            q[-1] = self.y_centre
        return Q, q

    def split(self, W):
        """(coefficients (d, k), intercepts (k,)) in units of the user, of W (k, p)."""
        Q, q = self.back
        found = W @ Q.T + q
        return np.ascontiguousarray(found[:, self.own].T), found[:, -1] if self.fit_intercept else np.zeros(len(found))


def slope(xi):
    """lambda(xi) = tanh(xi / 2) / (4 xi), which is 1/8 at 0."""
    small = np.abs(xi) < 1e-4
    return np.where(small, 0.125 - xi**2 / 96, np.tanh(xi / 2) / (4 * np.where(small, 1.0, xi)))


def inverted(A):
    """(A^-1, log det A) of positive definite matrices (..., p, p)."""
    L = np.linalg.cholesky(A)
    half = np.linalg.inv(L)
    return half.swapaxes(-1, -2) @ half, 2 * np.log(np.einsum("...jj->...j", L)).sum(axis=-1)
