"""The base of the regressors."""

import warnings

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import r2_score

from .. import _input
from ..losses import get_loss
from ._base import MultiTaskEstimator, check_shape, score_weights


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
        return get_loss(self.loss).mean(self._scores(X, task)[0])

    def score(self, X, y, *, sample_weight=None, task=None):
        """R^2 over all rows; with y (n, T) the mean over the tasks of each one's R^2, without missing targets."""
        z = self.predict(X, task=task) if task is not None else self.predict(X)
        y = _input.read_numbers(y)
        if y.ndim == 1 or z.ndim == 1:
            return r2_score(y, z, sample_weight=sample_weight)
        check_shape(y, z)
        weight = score_weights(np.isnan(y), sample_weight)
        counts, total = np.sum(weight > 0, axis=0), weight.sum(axis=0)
        if np.any(counts == 1):
            message = "R^2 score is not well-defined with less than two samples."
            warnings.warn(message, UndefinedMetricWarning, stacklevel=2)
        scored = counts > 0
        y, z, weight, total = np.where(weight > 0, y, 0.0)[:, scored], z[:, scored], weight[:, scored], total[scored]
        errors = np.sum(weight * (y - z) ** 2, axis=0)
        variances = np.sum(weight * (y - np.sum(weight * y, axis=0) / total) ** 2, axis=0)
        seen = weight > 0
        varies = np.max(y, axis=0, where=seen, initial=-np.inf) > np.min(y, axis=0, where=seen, initial=np.inf)
        # (Targets that do not vary: 1 where they are met, else 0, as scikit-learn has it.)
        ratio = np.divide(errors, variances, out=(errors > 0).astype(float), where=varies)
        return float(np.mean(np.where(counts[scored] == 1, np.nan, 1 - ratio)))
