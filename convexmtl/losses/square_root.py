"""The loss that does not depend on the noise of a task."""

import numpy as np

from .base import Loss
from .real import Squared


class Sqrt(Loss):
    """loss(y_t, z_t) = sqrt(mean_i (y_ti - z_ti)^2), of all samples of a task t at once, weighted as they are.

    A task with noise of deviation s counts 1/s of what it would in the squared loss, whatever s is, and strengths do
    not depend on it: alpha here is alpha ``noise_`` there, where there is one task. ``noise_`` (T,) is the loss itself.

    References
    ----------
    Belloni, Chernozhukov, Wang (2011), Biometrika; Liu, Wang, Zhao (2014), JMLR, for several tasks.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import BlockSparseRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 5))
    >>> Y = X[:, :1] @ np.ones((1, 2)) + np.array([0.1, 1.0]) * rng.normal(size=(200, 2))
    >>> model = BlockSparseRegressor(alpha=0.1, loss="sqrt").fit(X, Y)
    >>> print(model.noise_.round(1))
    [0.1 1.1]
    """

    smooth = False
    by_sample = False
    _tasks = None

    def at(self, tasks):
        bound = Sqrt()
        bound._tasks = tasks
        return bound

    def _norms(self, r):
        """For every sample the root of the weighted mean of the squares of its task."""
        tasks = self._tasks
        if tasks is None:
            return np.full(np.shape(r), np.sqrt(np.mean(np.square(r))))
        return tasks.spread(self._by_task(r, tasks.weight, tasks.ptr))

    def _by_task(self, r, weight, ptr):
        # In units of the largest, whose square may be beyond the range of numbers.
        unit = np.maximum(np.max(np.abs(r), where=weight > 0, initial=0.0), np.finfo(float).tiny)
        total = np.add.reduceat(weight, ptr[:-1])
        squares = np.add.reduceat(weight * (r / unit) ** 2, ptr[:-1])
        return unit * np.sqrt(np.divide(squares, total, out=np.zeros_like(total), where=total > 0))

    def value(self, y, z):
        return self._norms(y - z)

    def derivative(self, y, z):
        norms = self._norms(z - y)
        return np.divide(z - y, norms, out=np.zeros(np.shape(norms)), where=norms > 0)

    def second(self, y, z):
        return np.zeros(np.shape(z))

    def model_curvature(self, y, z):
        return np.ones(np.shape(z))

    def inside(self, y, v):
        return v / np.maximum(1.0, self._norms(v))

    def reach(self, y, v):
        return 1 / max(1.0, float(np.max(self._norms(v), initial=0.0)))

    def give(self, y, z, v):
        return np.ones(np.shape(v))

    def conjugate(self, y, v):
        return np.where(self._norms(v) <= 1 + 1e-12, v * y, np.inf)

    def fenchel_gap(self, y, z, v):
        norms = self._norms(v)
        return np.where(norms <= 1 + 1e-12, self._norms(y - z) + v * (y - z), np.inf)

    def prox(self, y, q, step):
        norms = self._norms(q - y)
        return y + (q - y) * np.maximum(0.0, 1 - np.divide(step, norms, out=np.ones(np.shape(norms)), where=norms > 0))

    def stiffness(self, y, q, step):
        tasks, norms = self._tasks, self._norms(q - y)
        step = np.broadcast_to(step, norms.shape)
        outside = norms > step
        weight = np.divide(tasks.weight, tasks.spread(tasks.mass), out=np.zeros_like(norms), where=tasks.weight > 0)
        normal = np.divide(np.sqrt(weight) * (q - y), norms, out=np.zeros_like(norms), where=outside)
        return np.divide(step, norms, out=np.ones_like(norms), where=outside), normal

    def error(self, y, z):
        return (y - z) ** 2

    def best_intercept(self, y, z, weight, ptr):
        return Squared().best_intercept(y, z, weight, ptr)

    def report(self, tasks, predict):
        """``noise_`` (T,)."""
        return {"noise_": self._by_task(tasks.y - predict(), tasks.weight, tasks.ptr)}

    def total_expression(self, y, z, weight, cp):
        total = weight.sum()
        return np.sqrt(total) * cp.norm(cp.multiply(np.sqrt(weight), y - z), 2)
