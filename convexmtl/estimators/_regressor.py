"""The base of the regressors."""

import warnings
from dataclasses import replace

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import r2_score

from .. import _input
from .._progress import Steps, with_callbacks
from ..losses import get_loss
from ..statistics import SufficientStatistics
from ._base import MultiTaskEstimator, all_or_nothing, check_shape, for_predict, score_weights
from ._formulation import Data
from ._lazy import by_blocks


class MultiTaskRegressorBase(RegressorMixin, MultiTaskEstimator):
    """Base of the regressors."""

    _loss = "squared"

    def _read_targets(self, y, stacked):
        return _input.read_real_targets(self, y, stacked)

    def _encode(self, y, codes, labels):
        return y, None

    @by_blocks
    def predict(self, X, *, task=None, offset=None):
        """Predicted targets.

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
        """
        return get_loss(self.loss).mean(self._scores(X, task, offset)[0])

    def score(self, X, y, *, sample_weight=None, task=None, offset=None):
        """R^2 over all rows; with y (n, T) the mean over the tasks of each one's R^2, without missing targets."""
        y = _input.read_numbers(y)
        z = self.predict(X, **for_predict(task, offset, np.isnan(y)))
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


class IncrementalRegressorBase(MultiTaskRegressorBase):
    """Base of the regressors that can be fitted to sufficient statistics: all but those that search."""

    # (Else whoever routes metadata through learning_curve would have to ask for them twice, here and for fit.)
    __metadata_request__partial_fit = {"sample_weight": True, "task": True, "offset": True}

    @with_callbacks
    @all_or_nothing
    def partial_fit(self, X, y, *, sample_weight=None, task=None, offset=None):
        """Add samples to those of former calls, and fit all tasks to all of them; for the squared loss.

        The model is that of ``fit`` on all samples. Kept are their statistics, ``statistics_``, of T d^2 numbers
        however many samples there have been. Tasks may be new; the fit starts from the last one where there are none.
        ``fit`` keeps no statistics: the first call after it begins anew.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n, d)
        y : array-like of shape (n, T) or (n,)
            One column per task, NaN where a target is missing; or, with task labels, one target per row.
        sample_weight : array-like of shape (n,) or, for y (n, T), (n, T), default=None
            Weight 2 counts as a repeated row, weight 0 as a dropped one.
        task : array-like of shape (n,), default=None
            The task of every row, where every task has its own rows.
        offset : array-like of shape (n,) or, for y (n, T), (n, T), default=None
            What is added to x . w_t + b_t before the loss is taken, the logarithm of an exposure say.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For whatever ``fit`` raises one, for another loss, and for other features or another layout than those of
            former calls.
        """
        loss = self._squared_loss("partial_fit")
        former = self._last.get("statistics_")
        if former is not None:
            # What the features of all calls are compared with.
            for name in ("n_features_in_", "feature_names_in_"):
                if name in self._last:
                    setattr(self, name, self._last[name])
        samples = self._samples(X, y, sample_weight, task, offset, reset=former is None)
        if former is not None:
            _refuse_other_layout(former, samples)
        X, y, layout, labels, codes, weight, offset, _ = samples
        if offset is not None:
            y = y - (offset if offset.ndim == y.ndim else offset[:, None])
        names = _input.coef_names(self)
        statistics = SufficientStatistics._of_samples(X, y, layout, labels, codes, weight, names)
        steps = Steps(self, 0, X, y)
        self._fit_to(statistics if former is None else former + statistics, loss)
        steps.end()
        return self

    @with_callbacks
    @all_or_nothing
    def fit_statistics(self, statistics):
        """Fit all tasks to the samples that are behind sufficient statistics; for the squared loss.

        Parameters
        ----------
        statistics : SufficientStatistics
            They are kept as ``statistics_``, so that ``partial_fit`` adds to them.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For anything but statistics, for another loss, and where there is a ``task_column`` or an ``offset_column``.
        """
        loss = self._squared_loss("fit_statistics")
        if not isinstance(statistics, SufficientStatistics):
            raise ValueError(
                f"statistics must be SufficientStatistics, got {type(statistics).__name__}: make them by "
                "SufficientStatistics.from_arrays(X, y, task, sample_weight), or pass X and y to fit."
            )
        for name in ("task", "offset"):
            if (column := getattr(self, f"{name}_column")) is not None:
                raise ValueError(
                    f"{name}_column={column!r} is a column of X, which statistics do not have: leave it out, and pass "
                    f"{name}=... to predict and score."
                )
        self.n_features_in_ = statistics.n_features
        if statistics.feature_names is not None:
            self.feature_names_in_ = statistics.feature_names
        steps = Steps(self, 0, None, None)
        self._fit_to(statistics, loss)
        steps.end()
        return self

    def _squared_loss(self, method):
        self._validate_params()
        loss = self._checked_loss()
        if not loss.quadratic:
            raise ValueError(
                f"{method} needs loss='squared', got loss={self.loss!r}, for which no statistics are sufficient: use "
                "fit with all samples."
            )
        return loss

    def _fit_to(self, statistics, loss, stacklevel=6):
        totals, labels = statistics._totals, statistics.tasks
        _input.refuse_empty_tasks(totals, labels)
        tasks = statistics._tasks(_input.read_task_weight(self.task_weight, totals))
        names = statistics.feature_names
        data = Data(tasks, loss, labels, statistics.layout, None, None, None, totals.mean(), names)
        self._finish(self._state(data, stacklevel), stacklevel, warm=True)
        # (Those of the few rows that stand for them are others.)
        sizes = np.broadcast_to(statistics.n_samples, labels.shape).copy()
        self._summary = replace(self._summary, sizes=sizes)
        self.statistics_ = statistics


def _refuse_other_layout(former, samples):
    """Raise a ValueError where more samples are not laid out as the former ones, and tasks would be mixed up."""
    words = {"single": "y of shape (n,)", "shared": "y of shape (n, T)", "stacked": "task labels"}
    if samples.layout != former.layout:
        raise ValueError(
            f"partial_fit got {words[samples.layout]} after {words[former.layout]}: hand over all parts in one layout."
        )
    T = len(samples.labels)
    numbered = [np.array_equal(labels, np.arange(len(labels))) for labels in (samples.labels, former.tasks)]
    if samples.layout == "shared" and T != former.n_tasks and all(numbered):
        raise ValueError(
            f"y must have {former.n_tasks} columns as in former calls, got {T}: put NaN where there is no target, or "
            "name the tasks, by frames of targets."
        )
