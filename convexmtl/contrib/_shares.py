"""Strengths as shares of the smallest one at which nothing is left."""

import numpy as np
from sklearn.base import clone

from .._input import POSITIVE, check_number
from ..estimators import BlockSparseRegressor
from ..estimators._base import MultiTaskEstimator
from ..path import alpha_max


def check_share(share):
    """Raise a ValueError unless it is a number in (0, 1]."""
    accepted = "a number in (0, 1], of the smallest strength at which all coefficients are zero"
    check_number(share, "share", POSITIVE, 1, accepted)


def read_estimator(estimator, share, tol, X, y, **options):
    """An estimator without intercepts to fit: a copy of the one given, or a block-sparse one for this share.

    ``options`` are those of ``fit``, and ``feature_groups``.
    """
    groups = options.pop("feature_groups", None)
    if estimator is None:
        own = BlockSparseRegressor(feature_groups=groups, fit_intercept=False, tol=tol)
        top = alpha_max(own, X, y, **options)
        # (Where nothing goes with anything, any strength will do.)
        return own.set_params(alpha=share * top if top > 0 else 1.0)
    if not isinstance(estimator, MultiTaskEstimator):
        raise TypeError(f"estimator must be a regressor of convexmtl, or None, got {type(estimator).__name__}.")
    own = clone(estimator).set_params(fit_intercept=False)
    if groups is not None:
        if "feature_groups" not in own.get_params():
            raise ValueError(
                f"estimator must have feature_groups for several orientations of a source, got "
                f"{type(estimator).__name__}: BlockSparseRegressor and SparseGroupRegressor and their twins have."
            )
        own.set_params(feature_groups=groups)
    return own


def finite(array, name, ndim):
    """As an array of floats; a ValueError where it has other dimensions, or entries that are not finite."""
    read = np.asarray(array, dtype=float)
    if read.ndim not in ndim or not read.size:
        dimensions = " or ".join(map(str, ndim))
        raise ValueError(f"{name} must be an array of {dimensions} dimensions with entries, got shape {read.shape}.")
    if not np.isfinite(read).all():
        raise ValueError(f"{name} must be finite, got {read[~np.isfinite(read)][0]}.")
    return read
