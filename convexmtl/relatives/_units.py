"""Scales of one for features and targets, and the way back."""

from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse


class Units(NamedTuple):
    """What puts features, targets and features of the tasks on scales of one, and coefficients back."""

    means: np.ndarray  # (d,)
    scales: np.ndarray  # (d,)
    mean_of_y: float
    of_y: float
    task_means: np.ndarray  # (k,)
    task_scales: np.ndarray  # (k,)
    constant: bool

    @classmethod
    def of(cls, samples, C, constant, centred):
        """Of Samples, and features of the tasks C (T, k); ``constant``: whether there are intercepts."""
        X, y, s = _flat(samples)
        rows = s.sum(axis=1)
        means = rows @ X / rows.sum() if centred else np.zeros(X.shape[1])
        scales = _root(rows @ (X - means) ** 2 / rows.sum(), means)
        mean = float(np.sum(s * y) / s.sum()) if constant else 0.0
        of_y = float(_root(np.sum(s * (y - mean) ** 2) / s.sum(), mean))
        task_means = C.mean(axis=0)
        return cls(
            means, scales, mean, of_y, task_means, _root(np.mean((C - task_means) ** 2, axis=0), task_means), constant
        )

    def scaled(self, samples):
        """(X, y (n,) or (n, T), codes, weight) in these units."""
        X, y, s = _flat(samples)
        y = np.where(s > 0, (y - self.mean_of_y) / self.of_y, np.nan if samples.codes is None else 0.0)
        y = y if samples.codes is None else y[:, 0]
        return (X - self.means) / self.scales, y, samples.codes, samples.weight

    def of_tasks(self, C):
        return np.column_stack([np.ones(len(C)), (C - self.task_means) / self.task_scales])

    @property
    def back(self):
        """(p, p) what makes coefficients of scaled features those of the user's, but for ``of_constant``."""
        Q = np.diag(np.append(1 / self.scales, [1.0] * self.constant))
        if self.constant:
            Q[-1, :-1] = -self.means / self.scales
        return self.of_y * Q

    @property
    def back_of_tasks(self):
        """(1 + k, 1 + k) the same of the features of the tasks, on the right."""
        Q = np.diag(np.append(1.0, 1 / self.task_scales))
        Q[1:, 0] = -self.task_means / self.task_scales
        return Q

    @property
    def of_constant(self):
        """(p,) what the mean of y adds."""
        return np.append(np.zeros(len(self.scales)), [self.mean_of_y] * self.constant)

    @property
    def of_constant_effects(self):
        out = np.zeros((1 + len(self.task_scales), len(self.of_constant)))
        out[0] = self.of_constant
        return out

    @property
    def logarithm(self):
        """Of the determinant of what makes the effects of scaled features those of the user's."""
        p, L = len(self.of_constant), 1 + len(self.task_scales)
        return float(L * np.log(self.scales).sum() + p * np.log(self.task_scales).sum())


def _flat(samples):
    """X as an array, targets without offsets and weights, both (n, T) or (n, 1); 0 where a target is missing."""
    y = samples.y.reshape(len(samples.y), -1)
    s = np.broadcast_to(1.0 if samples.weight is None else samples.weight.reshape(len(y), -1), y.shape)
    s = np.where(np.isnan(y), 0.0, s)
    if samples.offset is not None:
        y = y - samples.offset.reshape(len(y), -1)
    return samples.X.toarray() if issparse(samples.X) else samples.X, np.where(s > 0, y, 0.0), s


def _root(variance, mean):
    """Deviations; 1 where there is none but rounding."""
    found = np.sqrt(variance)
    return np.where(found > 1e-13 * np.abs(mean), np.where(found > 0, found, 1.0), 1.0)
