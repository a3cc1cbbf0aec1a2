"""The base of the classifiers."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .. import _input
from ..losses import get_loss
from ._base import MultiTaskEstimator, check_shape, for_predict, score_weights


class MultiTaskClassifierBase(ClassifierMixin, MultiTaskEstimator):
    """Base of the classifiers."""

    _loss = "logistic"

    def _read_targets(self, y, stacked):
        return _input.read_class_targets(self, y, stacked)

    def _encode(self, y, codes, labels):
        return _input.encode_classes(y, codes, labels)

    @property
    def classes_(self):
        check_is_fitted(self, "coef_")
        own = self._classes
        if self._layout != "shared":
            return own
        # One entry per task on the first axis, by which scikit-learn knows several targets from several classes.
        T = len(self.tasks_)
        if isinstance(own, np.ndarray):
            # Indicators of three labels or more have what its own estimators for them have, and its checks ask for.
            # (Two of them would be taken for two classes.)
            indicators = T > 2 and own.dtype.kind in "iu" and own.tolist() == [0, 1]
            return np.arange(T) if indicators else np.tile(own, (T, 1))
        if len({(len(classes), classes.dtype.kind) for classes in own}) == 1:
            return np.stack(own)
        held = np.empty(T, dtype=object)
        for t, classes in enumerate(own):
            held[t] = classes
        return held

    def decision_function(self, X, *, task=None, offset=None):
        """Signed scores x . w_t + b_t + offset, positive for the second class; (n, T), or (n,) with task labels."""
        return self._scores(X, task, offset)[0]

    def predict(self, X, *, task=None, offset=None):
        """Predicted labels, (n, T), or (n,) with task labels or after fit with y of shape (n,).

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n, d)
        task : array-like of shape (n,), default=None
            The task of every row.
        offset : array-like of shape (n,) or, after fit with y (n, T), (n, T), default=None
            What is added to the scores; None is 0.
        """
        scores, codes = self._scores(X, task, offset)
        of_task = self._classes
        if isinstance(of_task, np.ndarray):
            of_task, codes = [of_task], np.zeros(1, dtype=int)
        elif codes is None:
            codes = np.arange(len(of_task))
        elif np.any(codes < 0):
            raise ValueError(
                'unseen_task="mean": the tasks have labels of their own, and which those of another task are is not '
                "known. Its scores are decision_function; or add the task by fit_new_task."
            )
        # A task with one class has only that, on both sides.
        sides = [np.array([own[s] for own in of_task], dtype=_common_type(of_task)) for s in (0, -1)]
        return np.where(scores > 0, sides[1][codes], sides[0][codes])

    @available_if(lambda self: _has_probabilities(self))
    def predict_proba(self, X, *, task=None, offset=None):
        """Probabilities (logistic loss only).

        Returns
        -------
        ndarray of shape (n, 2), one column per class; after fit with y (n, T) and without task labels (n, T),
        one column per task with the probability of its second class, as scikit-learn has it for multilabel
        targets
        """
        p = get_loss(self.loss).probability(self._scores(X, task, offset)[0])
        return p if p.ndim == 2 else np.stack([1 - p, p], axis=1)

    def score(self, X, y, *, sample_weight=None, task=None, offset=None):
        """Share of correct labels; with y (n, T) the mean over the tasks, without missing targets."""
        y = np.asarray(_input.unmasked(y))
        z = self.predict(X, **for_predict(task, offset, _input.missing_mask(y)))
        if y.ndim == 1 or z.ndim == 1:
            return accuracy_score(y, z, sample_weight=sample_weight)
        check_shape(y, z)
        missing = _input.missing_mask(y)
        weight = score_weights(missing, sample_weight)
        right = np.zeros(y.shape)
        right[~missing] = y[~missing] == z[~missing]
        total = weight.sum(axis=0)
        return float(np.mean(np.sum(weight * right, axis=0)[total > 0] / total[total > 0]))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.classifier_tags.multi_label = True
        return tags


def _has_probabilities(estimator):
    return hasattr(get_loss(estimator.loss), "probability")


def _common_type(classes):
    """dtype for labels of all tasks: object where numbers and strings meet."""
    kinds = {c.dtype.kind for c in classes}
    return np.result_type(*(c.dtype for c in classes)) if len(kinds) == 1 or kinds <= set("biuf") else object
