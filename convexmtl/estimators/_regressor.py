"""The base of the regressors."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score

from .. import _input
from ..losses import get_loss
from ._base import MultiTaskEstimator, _check_shape, _column_weight, _mean_score


class MultiTaskRegressorBase(RegressorMixin, MultiTaskEstimator):
    """Base of the regressors."""

    _loss = "squared"

    def _read_targets(self, y, stacked):
        return _input.read_real_targets(self, y, stacked)

    def _encode(self, y, codes, labels):
        return y, None

    def predict(self, X, *, task=None):
        """Predicted targets.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n, d)
        task : array-like of shape (n,), default=None
            The task of every row.

        Returns
        -------
        ndarray of shape (n, T), or (n,) with task labels or after fit with y of shape (n,)
        """
        return get_loss(self.loss).mean(self._scores(X, task))

    def score(self, X, y, *, sample_weight=None, task=None):
        """R^2 over all rows; with y (n, T) the mean over the tasks of each one's R^2, without missing targets."""
        z = self.predict(X, task=task) if task is not None else self.predict(X)
        y = _input.read_numbers(y)
        if y.ndim == 1 or z.ndim == 1:
            return r2_score(y, z, sample_weight=sample_weight)
        _check_shape(y, z)
        scores = []
        for t in range(y.shape[1]):
            seen = ~np.isnan(y[:, t])
            if seen.any():
                weight = _column_weight(sample_weight, seen, t)
                scores.append(r2_score(y[seen, t], z[seen, t], sample_weight=weight))
        return _mean_score(scores)
