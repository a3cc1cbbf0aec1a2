"""The base of the classifiers."""

from functools import partial

import numpy as np
from scipy.special import softmax
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .. import _input
from .._classes import OPPOSITE, Columns, common_type
from ..losses import Softmax, get_loss
from ..tasks import row_products
from ._base import MultiTaskEstimator, check_shape, for_predict, score_weights
from ._lazy import by_blocks

OWN_LABELS = (
    'unseen_task="mean": the tasks have labels of their own, and which those of another task are is not known. '
    "Its scores are decision_function, where tasks have two classes; or add the task by fit_new_task."
)


class MultiTaskClassifierBase(ClassifierMixin, MultiTaskEstimator):
    """Base of the classifiers."""

    _loss = "logistic"

    def _read_targets(self, y, stacked):
        return _input.read_class_targets(self, y, stacked)

    def _encode(self, y, codes, labels):
        return _input.encode_classes(y, codes, labels, several=True)

    @property
    def classes_(self):
        check_is_fitted(self, "coef_")
        own = self._classes
        if self._layout != "shared":
            return own if self._columns is None else self._columns.every_class
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

    @property
    def columns_(self):
        """(n_columns,) tuples of task and class, one for every row of ``coef_`` and entry of ``intercept_``: of a task
        with two classes the second, of one with more each of them."""
        check_is_fitted(self, "coef_")
        return (self._columns or Columns.single(self.tasks_, self._classes)).labels

    @by_blocks
    def decision_function(self, X, *, task=None, offset=None):
        """Signed scores x . w_t + b_t + offset, positive for the second class; (n, T), or (n,) with task labels.

        With more than two classes one score for every class: (n, K) with task labels, or after fit with y of shape
        (n,), in the order of ``classes_``, and -inf for a class that the task has not; else a list with those of every
        task, (n, K_t), or (n,) for two classes.
        """
        if self._columns is None:
            return self._scores(X, task, offset)[0]
        scores, columns = self._of_classes(X, task, offset, self._signed)
        return np.column_stack(scores) if isinstance(scores, list) and columns.most_classes <= 2 else scores

    @by_blocks
    def predict(self, X, *, task=None, offset=None):
        """Predicted labels, (n, T), or (n,) with task labels or after fit with y of shape (n,).

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n, d)
        task : array-like of shape (n,), default=None
            The task of every row.
        offset : array-like of shape (n,) or, after fit with y (n, T), (n, T), default=None
            What is added to the scores; None is 0. Not for tasks with more than two classes.
        """
        if self._columns is not None:
            best, columns = self._of_classes(X, task, offset, lambda scores: scores.argmax(axis=1))
            if not isinstance(best, list):
                return columns.every_class[best]
            kind = common_type(columns.classes)
            return np.column_stack([own[k].astype(kind) for own, k in zip(columns.classes, best, strict=True)])
        scores, codes = self._scores(X, task, offset)
        of_task = self._classes
        if isinstance(of_task, np.ndarray):
            of_task, codes = [of_task], np.zeros(1, dtype=int)
        elif codes is None:
            codes = np.arange(len(of_task))
        elif np.any(codes < 0):
            raise ValueError(OWN_LABELS)
        # A task with one class has only that, on both sides.
        sides = [np.array([own[s] for own in of_task], dtype=common_type(of_task)) for s in (0, -1)]
        return np.where(scores > 0, sides[1][codes], sides[0][codes])

    @available_if(lambda self: _has_probabilities(self))
    @by_blocks
    def predict_proba(self, X, *, task=None, offset=None):
        """Probabilities (logistic loss only).

        Returns
        -------
        ndarray of shape (n, K), one column per class in the order of ``classes_``; after fit with y (n, T) and without
        task labels (n, T), one column per task with the probability of its second class, as scikit-learn has it for
        multilabel targets; where a task has more than two classes, a list with those of every task, (n, K_t)
        """
        if self._columns is not None:
            p, columns = self._of_classes(X, task, offset, partial(softmax, axis=1))
            if isinstance(p, list) and columns.most_classes <= 2:
                return np.column_stack([own[:, -1] for own in p])
            return p
        p = get_loss(self.loss).probability(self._scores(X, task, offset)[0])
        return p if p.ndim == 2 else np.stack([1 - p, p], axis=1)

    def _of_classes(self, X, task, offset, function):
        """(what the function makes of the (n, K) scores of all classes, or a list of what it makes of those of every
        task; Columns)."""
        X, codes, offset = self._rows(X, task, offset)
        columns, W, b = self._columns, self.coef_, self.intercept_
        if offset is not None:
            raise ValueError(
                "offset is not for tasks with more than two classes: it adds to all of their scores alike."
            )
        if codes is None:
            Z = X @ W.T + b
            found = [function(self._spread(Z, count, first, own)) for count, first, own in columns.each]
            return (found if self._layout == "shared" else found[0]), columns
        where, first = columns.where, columns.first
        if np.any(codes < 0):
            if not isinstance(self._classes, np.ndarray):
                raise ValueError(OWN_LABELS)
            # (Where -1 finds it.)
            K = len(self._classes)
            where = np.vstack([where, len(W) + np.arange(K)])
            W, b = (np.concatenate([of, of.reshape(-1, K, *of.shape[1:]).mean(axis=0)]) for of in (W, b))
        scores = np.full((len(codes), where.shape[1]), -np.inf)
        for k, column in enumerate(where.T):
            # What a single column is not of has no score, or for margins the opposite one.
            at = column[codes]
            some, other = np.flatnonzero(at >= 0), np.flatnonzero(at == OPPOSITE)
            scores[some, k] = row_products(X[some], W, at[some]) + b[at[some]]
            at = first[codes[other]]
            scores[other, k] = 0.0 if self._from_probabilities else -(row_products(X[other], W, at) + b[at])
        return function(scores), columns

    def _spread(self, Z, count, first, n_classes):
        """(n, K) the scores of the classes of one task, from those of all columns."""
        own = Z[:, first : first + count]
        if count == n_classes:
            return own
        return np.hstack([np.zeros(own.shape) if self._from_probabilities else -own, own])

    def _signed(self, scores):
        """Scores of two classes as one."""
        if scores.shape[1] != 2:
            return scores
        return scores[:, 1] - scores[:, 0] if self._from_probabilities else scores[:, 1]

    @property
    def _from_probabilities(self):
        return _has_probabilities(self)

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
        tags.classifier_tags.multi_class = True
        tags.classifier_tags.multi_label = True
        return tags


def _has_probabilities(estimator):
    loss = get_loss(estimator.loss)
    return hasattr(loss, "probability") or isinstance(loss, Softmax)
