"""The base of the classifiers."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.metaestimators import available_if

from .. import _input
from ..losses import get_loss
from ._base import MultiTaskEstimator, _check_shape, _column_weight, _mean_score


class MultiTaskClassifierBase(ClassifierMixin, MultiTaskEstimator):
    """Base of the classifiers."""

    _loss = "logistic"

    def _read_targets(self, y, stacked):
        return _input.read_class_targets(self, y, stacked)

    def _encode(self, y, codes, labels):
        return _input.encode_classes(y, codes, labels)

    def decision_function(self, X, *, task=None):
        """Signed scores x . w_t + b_t, positive for the second class; (n, T), or (n,) with task labels."""
        return self._scores(X, task)

    def predict(self, X, *, task=None):
        """Predicted labels, (n, T), or (n,) with task labels or after fit with y of shape (n,).

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n, d)
        task : array-like of shape (n,), default=None
            The task of every row.
        """
        scores = self._scores(X, task)
        if not isinstance(self.classes_, list):
            return _labels(self.classes_, scores)
        if scores.ndim == 2:
            columns = [_labels(c, scores[:, t]) for t, c in enumerate(self.classes_)]
            return np.stack([column.astype(_common_type(self.classes_)) for column in columns], axis=1)
        codes = self._codes(X, task)
        out = np.empty(len(scores), dtype=_common_type(self.classes_))
        for t in np.unique(codes):
            out[codes == t] = _labels(self.classes_[t], scores[codes == t])
        return out

    @available_if(lambda self: _has_probabilities(self))
    def predict_proba(self, X, *, task=None):
        """Probabilities (logistic loss only).

        Returns
        -------
        ndarray of shape (n, 2), one column per class; after fit with y (n, T) and without task labels (n, T),
        one column per task with the probability of its second class, as scikit-learn has it for multilabel
        targets
        """
        p = get_loss(self.loss).probability(self._scores(X, task))
        return p if p.ndim == 2 else np.stack([1 - p, p], axis=1)

    def score(self, X, y, *, sample_weight=None, task=None):
        """Share of correct labels; with y (n, T) the mean over the tasks, without missing targets."""
        z = self.predict(X, task=task) if task is not None else self.predict(X)
        y = np.asarray(y)
        if y.ndim == 1 or z.ndim == 1:
            return accuracy_score(y, z, sample_weight=sample_weight)
        _check_shape(y, z)
        scores = []
        for t in range(y.shape[1]):
            seen = ~_input.missing_mask(y[:, t])
            if seen.any():
                right = (y[seen, t] == z[seen, t]).astype(float)
                scores.append(np.average(right, weights=_column_weight(sample_weight, seen, t)))
        return _mean_score(scores)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.classifier_tags.multi_label = True
        return tags


def _has_probabilities(estimator):
    return hasattr(get_loss(estimator.loss), "probability")


def _labels(classes, scores):
    """The label on the side of the score; a task with one class has only that."""
    return classes[(scores > 0).astype(int)] if len(classes) == 2 else np.full(len(scores), classes[0])


def _common_type(classes):
    """dtype for labels of all tasks: object where numbers and strings meet."""
    kinds = {c.dtype.kind for c in classes}
    return np.result_type(*(c.dtype for c in classes)) if len(kinds) == 1 or kinds <= set("biuf") else object
