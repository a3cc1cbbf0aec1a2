"""Estimators around estimators."""

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from . import _input
from .estimators import MultiTaskRegressor
from .estimators._regressor import MultiTaskRegressorBase


class TargetTransformer(MetaEstimatorMixin, BaseEstimator):
    """Fit a regressor to transformed targets, and transform its predictions back; targets may be missing.

        predict(X) = transformer^-1( regressor.predict(X) ),   the regressor fitted to transformer(y)

    What ``sklearn.compose.TransformedTargetRegressor`` does, which refuses targets with holes.

    Parameters
    ----------
    regressor : regressor of convexmtl, default=None
        None is ``MultiTaskRegressor()``.
    transformer : transformer, default=None
        Of targets as columns: one column per task for y (n, T), a single one for y (n,), which all tasks share. It has
        to leave NaN where it is, as scikit-learn's scalers and its ``PowerTransformer`` do. None is
        ``StandardScaler()``.

    Attributes
    ----------
    regressor_ : regressor
        Fitted; its coefficients, objective and gap are those of the transformed targets.
    transformer_ : transformer
        Fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import BlockSparseRegressor
    >>> from convexmtl.compose import TargetTransformer
    >>> X = np.random.default_rng(0).standard_normal((40, 5))
    >>> Y = 1e6 * np.stack([X[:, 0], X[:, 0] - X[:, 1]], axis=1)
    >>> Y[3, 1] = np.nan
    >>> model = TargetTransformer(BlockSparseRegressor(alpha=0.01)).fit(X, Y)
    >>> model.predict(X).shape, bool(model.score(X, Y) > 0.99)
    ((40, 2), True)
    """

    def __init__(self, regressor=None, transformer=None):
        self.regressor = regressor
        self.transformer = transformer

    def fit(self, X, y, *, sample_weight=None, task=None):
        """Fit the transformer to the targets, and the regressor to what it makes of them.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n, d)
        y : array-like of shape (n, T) or (n,)
            NaN where a target is missing.
        sample_weight : array-like of shape (n,) or, for y (n, T), (n, T), default=None
            For the regressor, and where there is one per row for a transformer that takes weights.
        task : array-like of shape (n,), default=None
            The task of every row, where every task has its own rows.

        Returns
        -------
        self
        """
        read, names = _input.read_real_targets(self, y, stacked=task is not None), _input.target_names(y)
        columns = read[:, None] if read.ndim == 1 else read
        transformer = StandardScaler() if self.transformer is None else clone(self.transformer)
        # (Weights of single targets are beyond transformers.)
        weighs = np.ndim(np.asarray(sample_weight)) == 1 and has_fit_parameter(transformer, "sample_weight")
        transformer.fit(columns, **_given(sample_weight=sample_weight if weighs else None))
        transformed = np.asarray(transformer.transform(columns), dtype=float)
        if transformed.shape != columns.shape or np.any(np.isnan(transformed) & ~np.isnan(columns)):
            raise ValueError(
                f"transformer must give a number for every target, got {transformer!r}, which turns targets of shape "
                f"{columns.shape} into {transformed.shape} with {int(np.isnan(transformed).sum())} NaN in place of "
                f"{int(np.isnan(columns).sum())}."
            )
        target = transformed[:, 0] if read.ndim == 1 else transformed
        if names is not None:
            # (So that tasks keep the names of the columns.)
            target = type(y)(target, columns=y.columns) if hasattr(y, "iloc") else target
        regressor = MultiTaskRegressor() if self.regressor is None else clone(self.regressor)
        self.regressor_ = regressor.fit(X, target, **_given(sample_weight=sample_weight, task=task))
        self.transformer_ = transformer
        return self

    def predict(self, X, *, task=None):
        """Predicted targets, in the units of those that were fitted.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n, d)
        task : array-like of shape (n,), default=None
            The task of every row.

        Returns
        -------
        ndarray of shape (n, T), or (n,) with task labels or after fit with y of shape (n,)
        """
        check_is_fitted(self)
        n_columns = self.transformer_.n_features_in_
        if n_columns > 1 and task is not None:
            # The transformer knows columns only.
            codes = _input.find_tasks(_input.read_labels(task, len(task)), self.regressor_.tasks_)
            return self.predict(X)[np.arange(len(codes)), codes]
        z = self.regressor_.predict(X, **_given(task=task))
        back = np.asarray(self.transformer_.inverse_transform(z[:, None] if z.ndim == 1 else z))
        return back[:, 0] if z.ndim == 1 else back

    def score(self, X, y, *, sample_weight=None, task=None):
        """R^2, as the regressors have it: with y (n, T) the mean over the tasks, without missing targets."""
        return MultiTaskRegressorBase.score(self, X, y, sample_weight=sample_weight, task=task)

    @property
    def n_features_in_(self):
        check_is_fitted(self, "regressor_")
        return self.regressor_.n_features_in_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(MultiTaskRegressor() if self.regressor is None else self.regressor)
        tags.estimator_type, tags.regressor_tags = inner.estimator_type, inner.regressor_tags
        tags.input_tags, tags.target_tags = inner.input_tags, inner.target_tags
        return tags


def _given(**options):
    """Those that are not None."""
    return {name: value for name, value in options.items() if value is not None}
