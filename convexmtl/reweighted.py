"""Adaptive weights: features that were of little use are penalised more, those of much use less."""

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ._input import FINITE, POSITIVE, check_count, check_number, coef_names, read_feature_weights

HANDED_ON = (
    "coef_", "intercept_", "tasks_", "objective_", "dual_gap_", "n_features_in_", "feature_names_in_", "classes_",
    "columns_", "feature_importances_",
)  # fmt: skip


def _has(name):
    """Whether the inner estimator has a method: the fitted one, or else the one to fit."""
    return available_if(lambda self: hasattr(getattr(self, "estimator_", self.estimator), name))


class Adaptive(MetaEstimatorMixin, BaseEstimator):
    """Fit an estimator, weigh the features by what it has found, and fit it again.

        f_j = (norm_2(W_j.) / s + eps)^-gamma,   s the mean norm of the features in use,

    are the ``feature_weights`` of the next fit, times those that the estimator has itself. Made by ``adaptive``.

    Parameters
    ----------
    estimator : estimator of convexmtl with ``feature_weights``
        Of one strength or, with strengths that each fit searches for itself, a cross-validated twin.
    gamma : float > 0, default=1
    n_iter : int >= 1, default=1
        Fits after the first one.
    eps : float >= 0, default=0.01
        Share of the usual norm that a feature counts as having at least; 0 leaves out for good what a fit has left out.

    Attributes
    ----------
    estimator_ : estimator
        The last fit.
    initial_ : estimator
        The first one.
    feature_weights_ : ndarray of shape (d,), or (G,) for groups of features
        Of the last fit.
    coef_, intercept_, tasks_, objective_, dual_gap_, ... :
        Those of ``estimator_``.

    Notes
    -----
    A twin chooses its strength anew in each fit, on folds that have already had their say in the weights: its errors
    of the later fits are too good, if not the choice. For errors of the whole, cross-validate this estimator.

    References
    ----------
    Zou (2006), JASA; Candes, Wakin, Boyd (2008), Journal of Fourier Analysis and Applications; Wang, Leng (2008),
    Computational Statistics & Data Analysis (rows).

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import Adaptive, BlockSparseRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 6))
    >>> Y = X[:, :2] @ rng.normal(size=(2, 4)) + 0.1 * rng.normal(size=(40, 4))
    >>> model = Adaptive(BlockSparseRegressor(alpha=0.01)).fit(X, Y)
    >>> print(np.flatnonzero(model.initial_.coef_.any(axis=0)), np.flatnonzero(model.coef_.any(axis=0)))
    [0 1 2 3 4 5] [0 1]
    """

    def __init__(self, estimator, *, gamma=1, n_iter=1, eps=0.01):
        self.estimator = estimator
        self.gamma = gamma
        self.n_iter = n_iter
        self.eps = eps

    def _check(self):
        if "feature_weights" not in getattr(self.estimator, "get_params", dict)():
            raise ValueError(
                f"estimator must have feature_weights, got {self.estimator!r}: take one that selects features "
                "(BlockSparse, SparseGroup, Dirty, TreeGuided, ...), and put the adaptive one last into a "
                "pipeline, not around one."
            )
        check_number(self.gamma, "gamma", POSITIVE, FINITE, "a finite number > 0")
        check_number(self.eps, "eps", 0, FINITE, "a finite number >= 0")
        check_count(self.n_iter, "n_iter", 1, "an integer >= 1")

    def fit(self, X, y, *, sample_weight=None, task=None):
        """Fit ``n_iter`` + 1 times.

        Parameters
        ----------
        X, y, sample_weight, task
            As in ``estimator.fit``.

        Returns
        -------
        self
        """
        self._check()
        given = _given(sample_weight=sample_weight, task=task)
        first = latest = clone(self.estimator).fit(X, y, **given)
        own = read_feature_weights(self.estimator.feature_weights, *_units(latest))
        for _ in range(self.n_iter):
            weights = _weights(_norms(latest), own, self.gamma, self.eps)
            latest = clone(self.estimator).set_params(feature_weights=weights).fit(X, y, **given)
        self.initial_, self.estimator_, self.feature_weights_ = first, latest, weights
        return self

    @_has("predict")
    def predict(self, X, *, task=None):
        """As ``estimator_`` has it."""
        return self._fitted().predict(X, **_given(task=task))

    @_has("predict_proba")
    def predict_proba(self, X, *, task=None):
        """As ``estimator_`` has it."""
        return self._fitted().predict_proba(X, **_given(task=task))

    @_has("decision_function")
    def decision_function(self, X, *, task=None):
        """As ``estimator_`` has it."""
        return self._fitted().decision_function(X, **_given(task=task))

    def score(self, X, y, *, sample_weight=None, task=None):
        """As ``estimator_`` has it."""
        return self._fitted().score(X, y, **_given(sample_weight=sample_weight, task=task))

    def _fitted(self):
        check_is_fitted(self, "estimator_")
        return self.estimator_

    def __getattr__(self, name):
        """What a fit has found."""
        if name in HANDED_ON and "estimator_" in vars(self):
            return getattr(self.estimator_, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        for name in ("estimator_type", "regressor_tags", "classifier_tags", "input_tags", "target_tags"):
            setattr(tags, name, getattr(inner, name))
        return tags


def adaptive(estimator, gamma=1, n_iter=1, *, eps=0.01):
    """An estimator that reweights the features by its last fit: ``Adaptive``.

    Parameters
    ----------
    estimator : estimator of convexmtl with ``feature_weights``
        Any that selects features, a cross-validated twin among them.
    gamma : float > 0, default=1
        Features get the weights (norm_2(W_j.) / s + eps)^-gamma.
    n_iter : int >= 1, default=1
        Fits after the first one.
    eps : float >= 0, default=0.01

    Returns
    -------
    Adaptive
        Not fitted yet.

    Raises
    ------
    ValueError
        In ``fit``, for an estimator without ``feature_weights``, and for numbers out of their ranges.

    Examples
    --------
    >>> from convexmtl import BlockSparseRegressorCV, adaptive
    >>> adaptive(BlockSparseRegressorCV(), gamma=2)
    Adaptive(estimator=BlockSparseRegressorCV(), gamma=2)
    """
    return Adaptive(estimator, gamma=gamma, n_iter=n_iter, eps=eps)


def _units(estimator):
    """What has a weight each, as ``read_feature_weights`` asks: the features of a fitted estimator, or their groups."""
    if hasattr(estimator, "groups_"):
        return estimator.feature_groups_, estimator.groups_.tolist(), "group"
    return estimator.coef_.shape[1], coef_names(estimator)


def _norms(estimator):
    """(d,) or (G,) lengths of the coefficients of every feature, or of a feature of every group on the average."""
    if hasattr(estimator, "groups_"):
        return estimator.group_norms_ / np.sqrt(np.bincount(estimator.feature_groups_))
    return np.linalg.norm(estimator.coef_, axis=0)


def _weights(norms, own, gamma, eps):
    """The weights that go with the lengths of coefficients: ``own`` where all are zero, infinite where eps is 0."""
    if not norms.any():
        return own
    with np.errstate(divide="ignore"):
        weights = (norms / norms[norms > 0].mean() + eps) ** -float(gamma)
    # (What is unpenalised stays so, and what is left out.)
    return np.where((own == 0) | np.isinf(own), own, own * weights)


def _given(**options):
    """Those that are not None."""
    return {name: value for name, value in options.items() if value is not None}
