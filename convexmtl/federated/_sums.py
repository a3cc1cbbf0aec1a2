"""Sums of bounded rows with noise, and statistics of them that some samples may have."""

from math import sqrt
from typing import NamedTuple

import numpy as np

from ..statistics import SufficientStatistics, _positions, _union
from ..tasks import Tasks
from .privacy import normal


class Sums(NamedTuple):
    """Sums over the rows of every task, u = (1, x) and y in the units of a Privacy; K = 1 matrix for all, or K = T.

    Attributes
    ----------
    tasks : ndarray of shape (T,)
    deviation : float
        Of the noise: of sums of squares; of those of other products 1 / sqrt(2) of it.
    count : ndarray of shape (K,)
    sum_X : ndarray of shape (d, K)
    sum_y : ndarray of shape (T,)
    gram : ndarray of shape (K, d, d)
    cross : ndarray of shape (d, T)
    square : ndarray of shape (T,)
    """

    tasks: np.ndarray
    deviation: float
    count: np.ndarray
    sum_X: np.ndarray
    sum_y: np.ndarray
    gram: np.ndarray
    cross: np.ndarray
    square: np.ndarray

    @classmethod
    def of(cls, labels, X, y, codes, weight):
        """Of rows (n, d) and targets (n,) with the tasks ``codes``, or (n, T); without noise."""
        if codes is None:
            y = y.reshape(len(y), -1)
            tasks = Tasks.shared(X, y, weight)
            given = np.ones(len(y)) if weight is None else weight
            weights = np.where(np.isnan(y), 0.0, given if given.ndim == 2 else given[:, None])
            totals = weights.sum(axis=0)
            K = len(labels) if has_holes(y, weight) else 1
        else:
            tasks = Tasks.stacked(X, y, codes, len(labels), weight)
            totals, K = np.bincount(codes, weights=weight, minlength=len(labels)).astype(float), len(labels)
        c = tasks.weight
        shared = codes is None and K == 1
        gram = tasks.weighted_gram(tasks.common_weight[0], False)[None] if shared else tasks.gram(c)
        return cls(
            labels,
            0.0,
            totals[:K],
            (tasks.adjoint(c) * totals)[:, :K],
            tasks.sum(c * tasks.y) * totals,
            gram * totals[:K, None, None],
            tasks.adjoint(c * tasks.y) * totals,
            tasks.sum(c * tasks.y**2) * totals,
        )

    def with_noise(self, deviation, random_state=None):
        """These sums with noise of that deviation."""
        rng = None if random_state is None else np.random.default_rng(random_state)
        noise = {name: deviation * normal(getattr(self, name).shape, rng) for name in self._fields[2:]}
        noise["gram"] = (noise["gram"] + noise["gram"].transpose(0, 2, 1)) / 2
        for name in ("sum_X", "sum_y", "cross"):
            noise[name] /= sqrt(2)
        return self._replace(deviation=deviation, **{name: getattr(self, name) + of for name, of in noise.items()})

    def __add__(self, other):
        a, b = self, other
        labels = _union(a.tasks, b.tasks)
        if len(a.count) != len(b.count) or not np.array_equal(a.tasks, b.tasks):
            a, b = a._at(labels), b._at(labels)
        both = {name: getattr(a, name) + getattr(b, name) for name in a._fields[2:]}
        return Sums(labels, sqrt(a.deviation**2 + b.deviation**2), **both)

    def _at(self, labels):
        """For other labels, these among them: matrices for every task, zero for new ones."""
        where, arrays = _positions(self.tasks, labels), {}
        for name in self._fields[2:]:
            of = getattr(self, name)
            axis = 0 if name == "gram" else -1
            shape = list(of.shape)
            shape[axis] = len(labels)
            arrays[name] = np.zeros(shape)
            arrays[name][(where,) if axis == 0 else (..., where)] = of
        return self._replace(tasks=labels, **arrays)

    def statistics(self, units, layout, names):
        """SufficientStatistics in the units of X and y: the noisy sums, moved to where some samples have them.

        No task has less than one row, means are within the bounds, and no combination of features varies by less than
        noise alone would have it, about sqrt(2 d) deviations: along such a one coefficients would be noise divided by
        noise. It is as a ridge there, and nothing elsewhere.
        """
        d = len(self.cross)
        n = np.maximum(self.count, 1.0)
        mean_X, mean_y = self.sum_X / n, self.sum_y / n
        mean_X = mean_X / np.maximum(np.linalg.norm(mean_X, axis=0), 1.0)
        mean_y = np.clip(mean_y, -1.0, 1.0)
        gram = self.gram - np.einsum("ik,jk,k->kij", mean_X, mean_X, n)
        cross = self.cross - n * mean_X * mean_y
        square = self.square - n * mean_y**2
        values, Q = np.linalg.eigh(gram)
        least = max(self.deviation * sqrt(2 * d), np.finfo(float).eps * float(n.max()))
        values = np.maximum(values, least)
        along = Q.transpose(0, 2, 1) @ (cross.T[:, :, None] if len(gram) > 1 else cross[None])
        explained = np.sum(along**2 / values[:, :, None], axis=1).ravel()
        gram = (Q * values[:, None, :]) @ Q.transpose(0, 2, 1)
        square = np.maximum(square, explained * (1 + 1e-9) + least * 1e-9)
        scale = np.broadcast_to(np.asarray(units["scale_X"]) * units["bound_X"], d)
        center, of_y = np.broadcast_to(np.asarray(units["center_X"]), d), units["bound_y"]
        T, K = len(self.tasks), len(n)
        return SufficientStatistics(
            self.tasks,
            layout,
            n,
            n,
            center[:, None] + scale[:, None] * mean_X,
            np.zeros((d, K)),
            units["center_y"] + of_y * mean_y,
            np.zeros(T),
            scale[:, None] * gram * scale,
            scale[:, None] * cross * of_y,
            square * of_y**2,
            names,
        )


def has_holes(y, weight):
    """Whether targets (n, T) have weights of their own, or are missing."""
    return y.ndim == 2 and (bool(np.isnan(y).any()) or (weight is not None and weight.ndim == 2))
