"""Penalties that are sums over the tasks, with a strength for every task."""

import numpy as np

from .._jit import row_prox
from ..coupling import Nested
from ._manifold import of_entries
from .base import Canonical
from .positive import may_be_positive
from .rows import RowPenalty


@row_prox
def prox_tasks(v, step, fpar, ipar, feature):
    """fpar: the lasso of every task, then its ridge."""
    T = v.shape[0]
    for t in range(T):
        shrink = 1.0 / (1.0 + step[t] * fpar[T + t])
        x = v[t] * shrink
        cut = step[t] * fpar[t] * shrink
        if x > cut:
            v[t] = x - cut
        elif x < -cut:
            v[t] = x + cut
        else:
            v[t] = x * 0.0  # 0, and NaN for NaN


@may_be_positive
class TaskRows(RowPenalty):
    """Omega(W) = sum_t a_t norm_1(w_t) + sum_t r_t / 2 norm_2(w_t)^2, as solvers see it.

    Parameters
    ----------
    lasso, ridge : ndarray of shape (T,)
        a and r; every a_t is positive, or none, and so is every r_t.
    positive : bool, default=False
    """

    strengths = ()
    row_prox = prox_tasks

    def __init__(self, lasso, ridge, positive=False):
        self.lasso = lasso
        self.ridge = ridge
        self.positive = positive

    @property
    def is_norm(self):
        return not self.ridge.any()

    @property
    def kink(self):
        return TaskRows(self.lasso, 0.0 * self.ridge, self.positive) if self.lasso.any() else None

    def resolve(self, n_features, labels):
        return Canonical((self,), Nested(len(labels), [0.0]))

    def pack(self):
        return np.concatenate([self.lasso, self.ridge]).astype(float), np.zeros(0, dtype=np.int64)

    def scaled(self, factor):
        return TaskRows(self.lasso * factor, self.ridge * factor, self.positive)

    def value(self, W):
        return float(np.sum(np.abs(W) @ self.lasso) + 0.5 * np.sum(W**2 @ self.ridge))

    def dual_norm(self, Z):
        return float(np.max(np.abs(Z) / self.lasso, initial=0.0))

    def conjugate(self, Z):
        if self.is_norm:
            return super().conjugate(Z)
        return float(np.sum(np.maximum(np.abs(Z) - self.lasso, 0.0) ** 2 / (2 * self.ridge)))

    def excess(self, Z):
        return np.maximum(np.abs(Z) - self.lasso, 0.0).max(axis=1)

    def dual_radius(self, n_tasks):
        return (1 - 1e-12) * float(self.lasso.min())

    def manifold(self, W, Z):
        used = (W != 0) if self.lasso.any() else np.ones(W.shape, dtype=bool)
        return of_entries(used)._replace(diagonal=np.broadcast_to(self.ridge, W.shape)[used])

    def expression(self, W, cp):
        each = (cp.norm(W, 1, axis=0) @ self.lasso) + 0.5 * (cp.sum(cp.square(W), axis=0) @ self.ridge)
        return each, []
