"""Tasks of different kinds: some real, some counts, some classes."""

import numpy as np
from sklearn.metrics import r2_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .. import _input
from ..losses import ByTask
from ._base import MultiTaskEstimator, check_shape, for_predict
from ._docs import documented
from ._lazy import by_blocks
from .generic import OfPenaltyCV, _checked


class _Mixed:
    """minimise sum_t mean_i loss_t(y_ti, x_ti . w_t + b_t) + Omega(W)
    for any penalty object, with a loss for each task: some have real targets, some counts, some classes.

    {summary}

    The mean losses of tasks are added as they are, each in the unit of its targets: scale real ones (to unit variance,
    say), or weigh tasks by ``task_weight``.

    Parameters
    ----------
    penalty : Penalty, default=None
        One of ``convexmtl.penalties``, a sum of them, or one of your own; None is ``RowNorm(alpha=0.1)``. Its
        parameters are searchable as ``penalty__alpha``.
    losses : dict of task -> str or Loss, default=None
        Has to be given: what each task is fitted by, "squared", "huber", "poisson", "gamma", "logistic",
        "squared_hinge" or a Loss object. Tasks are the labels of ``task``, or names of the columns of y, or 0, 1, ...
        where these have none.
    {common}

    Attributes
    ----------
    {fitted}
    classes_ : list of T arrays, or None for tasks without classes
    rank_, block_, ... :
        What the penalty reports, each part of ``Parts`` by its name.

    References
    ----------
    Yang, Kim, Xing (2009), NIPS, and Zhang, Shen (2012), NeuroImage, for regression and classification of the same
    inputs with features in common.

    Examples
    --------
    {start}
    >>> Y[:, 0] = Y[:, 0] > 0
    >>> Y[:, 1] = rng.poisson(np.exp(0.5 * X[:, 0]))
    >>> losses = {0: "logistic", 1: "poisson", 2: "squared", 3: "squared"}
    >>> model = {name}(losses=losses).fit(X, Y)
    >>> bool(np.isin(model.predict(X)[:, 0], [0, 1]).all())  # a class
    True
    >>> bool((model.predict(X)[:, 1] > 0).all())  # a mean of counts
    True
    """

    _selects = True
    _parameters = {"penalty": None, "losses": None}
    _structure = ("penalty",)
    penalty = None  # a parameter here, not what it says of features

    def _penalty(self):
        return _checked(self.penalty)


class MultiTaskMixedBase(MultiTaskEstimator):
    """Targets, predictions and scores of tasks of different kinds."""

    _loss = None

    @property
    def loss(self):
        """The losses as one."""
        return ByTask(self.losses)

    def _checked_loss(self):
        loss = self.loss
        if not loss.by_column:  # (Which raises where there is something wrong with them.)
            raise ValueError(
                "losses has 'softmax', of tasks with several columns of coefficients: the tasks of MultiTaskMixed have "
                f"one each. Give tasks of two classes 'logistic'. {_input.ONE}"
            )
        return loss

    # --------------------------------------------------------------------------- targets

    def _read_targets(self, y, stacked):
        return _input.read_class_targets(self, y, stacked, mixed=True)

    def _encode(self, y, codes, labels):
        """(float64 targets, -1 and +1 for classes, NaN where missing; the classes of every task, or None)."""
        kinds, distinct = self.loss.kinds(labels.tolist()), self.loss.distinct
        out, classes = np.full(y.shape, np.nan), []
        rows = _input.rows_by_code(codes, len(labels)) if y.ndim == 1 and codes is not None else [slice(None)]
        for t, label in enumerate(labels.tolist()):
            own = (slice(None), t) if y.ndim == 2 else rows[t]
            if distinct[kinds[t]].classification:
                signs, found = _input.encode_classes(y[own][:, None], None, np.array([label], dtype=object))
                out[own] = signs[:, 0]
                classes.append(found if isinstance(found, np.ndarray) else found[0])
            else:
                out[own] = _input.numbers_of_task(y[own], label)
                classes.append(None)
        return out, classes

    @property
    def classes_(self):
        check_is_fitted(self, "coef_")
        return self._classes

    # --------------------------------------------------------------------------- predictions

    @by_blocks
    def decision_function(self, X, *, task=None, offset=None):
        """Scores x . w_t + b_t + offset of all tasks; (n, T), or (n,) with task labels."""
        return self._scores(X, task, offset)[0]

    @by_blocks
    def predict(self, X, *, task=None, offset=None):
        """Predicted targets, of every task in its own scale.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n, d)
        task : array-like of shape (n,), default=None
            The task of every row.
        offset : array-like of shape (n,) or, after fit with y (n, T), (n, T), default=None
            What is added to x . w_t + b_t; None is 0.

        Returns
        -------
        ndarray of shape (n, T), or (n,) with task labels or after fit with y of shape (n,)
            Of floats; of objects where a task has classes that are no numbers.
        """
        scores, codes = self._scores(X, task, offset)
        numbers = all(c is None or c.dtype.kind in "biuf" for c in self._classes)
        out = np.empty(scores.shape, dtype=float if numbers else object)
        for t, own in self._of_tasks(scores, codes):
            z, classes = scores[own], self._classes[t]
            out[own] = self._loss_of(t).mean(z) if classes is None else np.where(z > 0, classes[-1], classes[0])
        return out

    @available_if(lambda self: isinstance(self.losses, dict) and any(map(_has_probabilities, self.loss.distinct)))
    @by_blocks
    def predict_proba(self, X, *, task=None, offset=None):
        """Probabilities of the second class, (n, T) or (n,); NaN for tasks whose loss has none."""
        scores, codes = self._scores(X, task, offset)
        out = np.full(scores.shape, np.nan)
        for t, own in self._of_tasks(scores, codes):
            if _has_probabilities(self._loss_of(t)):
                out[own] = self._loss_of(t).probability(scores[own])
        return out

    def score_tasks(self, X, y, *, sample_weight=None, task=None, offset=None):
        """Score of every task: R^2 where it has numbers, the share of correct labels where it has classes.

        Parameters
        ----------
        X, y, sample_weight, task, offset
            As in ``fit``.

        Returns
        -------
        dict of task label -> float
            NaN for a task without targets.
        """
        given = y
        y = np.asarray(_input.unmasked(y.astype(object) if hasattr(y, "iloc") else y))
        missing = _input.missing_mask(y)
        scored = self.predict(X, **for_predict(task, offset, missing))
        if y.ndim == 2 and scored.ndim == 1:
            y, missing = y[:, 0], missing[:, 0]
        check_shape(y, scored)
        weight = _input.read_sample_weight(sample_weight, X, given if y.ndim == np.ndim(given) else y)
        codes = None
        if y.ndim == 1 and len(self.tasks_) > 1:
            labels = _input.read_features(self, X, task, None, reset=False)[1] if task is None else task
            codes = _input.find_tasks(_input.read_labels(labels, len(y)), self.tasks_)
        found = dict.fromkeys(self.tasks_.tolist(), np.nan)
        for t, own in self._of_tasks(scored, codes):
            seen = ~missing[own]
            w = None if weight is None else (weight[own] if weight.ndim == y.ndim else weight)[seen]
            if not seen.any() or (w is not None and not w.any()):
                continue
            truth, said = y[own][seen], scored[own][seen]
            if self._classes[t] is None:
                value = r2_score(truth.astype(float), said.astype(float), sample_weight=w)
            else:
                value = np.average(truth == said, weights=w)
            found[self.tasks_.tolist()[t]] = float(value)
        return found

    def score(self, X, y, *, sample_weight=None, task=None, offset=None):
        """Mean over the tasks of their scores, as from ``score_tasks``."""
        found = self.score_tasks(X, y, sample_weight=sample_weight, task=task, offset=offset)
        return float(np.nanmean(list(found.values())))

    def _loss_of(self, t):
        return self.loss.distinct[self._kinds[t]]

    @property
    def _kinds(self):
        return self.loss.kinds(self.tasks_.tolist())

    def _of_tasks(self, scores, codes):
        """[(position of a task, its entries of the scores)]."""
        if scores.ndim == 2:
            return [(t, (slice(None), t)) for t in range(scores.shape[1])]
        if codes is None:
            return [(0, slice(None))]
        if np.any(codes < 0):
            raise ValueError(
                'unseen_task="mean": tasks have losses of their own, and which that of another task is is not known. '
                "Its scores are decision_function."
            )
        return [(int(t), np.flatnonzero(codes == t)) for t in np.unique(codes)]


@documented
class MultiTaskMixed(_Mixed, MultiTaskMixedBase):
    """Predictions and scores are those of each task in its own scale: real numbers, means of counts, classes."""


class _MixedCV(OfPenaltyCV):
    """``MultiTaskMixed`` with the strength of its penalty chosen by cross-validation:

    minimise sum_t mean_i loss_t(y_ti, x_ti . w_t + b_t) + s Omega(W)
    for any penalty object and the best multiple s of it; the ratios of its strengths are kept.

    {summary}

    The errors of tasks are their mean losses, each in its own unit, and are added as the minimised ones are.

    Parameters
    ----------
    penalty : Penalty, default=None
        As in ``MultiTaskMixed``.
    losses : dict of task -> str or Loss, default=None
        As in ``MultiTaskMixed``.
    {common}
    {search}

    Attributes
    ----------
    penalty_ : Penalty
        With the strengths that were chosen; `alphas_` are values of its first positive one.
    alpha_, ... : float
        The strengths by name; those of a sum are `first__alpha_`, `second__alpha_` and so on.
    classes_ : list of T arrays, or None for tasks without classes
    {searched}
    {fitted}

    Examples
    --------
    {start}
    >>> Y[:, 0] = Y[:, 0] > 0
    >>> losses = {0: "logistic", 1: "squared", 2: "squared", 3: "squared"}
    >>> model = {name}(losses=losses, alphas=3, eps=0.1, cv=2).fit(X, Y)
    >>> model.penalty_.alpha == model.alpha_
    True
    """


@documented
class MultiTaskMixedCV(_MixedCV, MultiTaskMixedBase):
    """Predictions and scores are those of each task in its own scale: real numbers, means of counts, classes."""

    _single = MultiTaskMixed


def _has_probabilities(loss):
    return hasattr(loss, "probability")
