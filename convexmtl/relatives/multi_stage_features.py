"""Features that all tasks share, without the bias of a norm: capped, by reweighted convex fits."""

from numbers import Real
from typing import NamedTuple

import numpy as np

from .._compat import Interval, StrOptions
from ..estimators._classifier import MultiTaskClassifierBase
from ..estimators._regressor import MultiTaskRegressorBase
from ..penalties import RowNorm
from ..result import Result
from ._base import STARTED, Relative
from ._docs import documented

NORMS = {"l1": 1, "l2": 2}


class _Model(NamedTuple):
    result: Result
    sizes: np.ndarray  # (d,) norms of the rows of W


class _MultiStageFeatures(Relative):
    """minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + alpha sum_j [min(n_j, cap) + slope max(n_j - cap, 0)],
    n_j the norm of the coefficients of feature j across the tasks: what is longer than the cap costs next to no more.

    {summary}

    Every step is a convex fit in which the features whose coefficients are longer than the cap have the weight
    ``slope``, and the others 1. The first start is the convex relaxation, where all have 1; the others have ``slope``
    for random features.

    Parameters
    ----------
    alpha : float, default=0.1
        Strength of the penalty.
    cap : float, default=0.5
        Norm of the coefficients of a feature up to which they are penalised in full: a few times the noise in it.
    norm : {"l1", "l2"}, default="l1"
        "l1" sums up abs(w_jt), so that single coefficients may be zero; with "l2" a feature is in use for all tasks, or
        for none.
    slope : float in [0, 1], default=0.01
        Share of alpha beyond the cap; 0 is the published penalty. A little keeps coefficients finite where features
        beyond the cap separate classes, or are more than samples.
    {common}

    Attributes
    ----------
    {fitted}
    feature_norms_ : ndarray of shape (d,)
        n_j.
    kept_ : ndarray of bool, shape (d,)
        Whether n_j is beyond the cap.

    Notes
    -----
    ``Adaptive`` reweights as well, by any norm found; it follows no objective, and has no cap to be chosen.

    References
    ----------
    Gong, Ye, Zhang (2012), NIPS; Zhang (2010), JMLR (multi-stage relaxation).

    Examples
    --------
    {start}
    >>> model = {name}(alpha=0.05, cap=0.3).fit(X, Y)
    >>> print(np.flatnonzero(model.feature_norms_ > 0))
    [0 1]
    """

    _parameters = {"alpha": 0.1, "cap": 0.5}
    _choices = {"norm": "l1", "slope": 0.01, **STARTED, "n_init": 1}
    _parameter_constraints = {
        **Relative._parameter_constraints,
        "alpha": [Interval(Real, 0, None, closed="neither")],
        "cap": [Interval(Real, 0, None, closed="neither")],
        "norm": [StrOptions(set(NORMS))],
        "slope": [Interval(Real, 0, 1, closed="both")],
    }

    def _starts(self, fits, rng):
        d = fits.shape[0]
        relaxed = self._weighted(fits, np.ones(d))
        yield relaxed
        for _ in range(self.n_init - 1):
            yield self._weighted(fits, np.where(rng.random(d) < 0.5, self.slope, 1.0), relaxed.result)

    def _weighted(self, fits, weights, near=None):
        penalty = RowNorm(self.alpha, q=NORMS[self.norm], feature_weights=None if np.all(weights == 1) else weights)
        result = fits.solve(penalty, near=None if near is None else (near.W, near.intercept))
        return _Model(result, np.linalg.norm(result.W, NORMS[self.norm], axis=1))

    def _objective(self, fits, state):
        n, cap = state.sizes, self.cap
        capped = np.minimum(n, cap) + self.slope * np.maximum(n - cap, 0.0)
        return fits.losses(state.result.W, state.result.intercept).sum() + self.alpha * capped.sum()

    def _step(self, fits, state):
        return self._weighted(fits, np.where(state.sizes > self.cap, self.slope, 1.0), state.result)

    def _model(self, fits, state):
        return state.result.W, state.result.intercept, {"feature_norms_": state.sizes, "kept_": state.sizes > self.cap}


@documented
class MultiStageFeaturesRegressor(_MultiStageFeatures, MultiTaskRegressorBase):
    """Features that all tasks share, in a capped norm. Regression."""


@documented
class MultiStageFeaturesClassifier(_MultiStageFeatures, MultiTaskClassifierBase):
    """Features that all tasks share, in a capped norm. Classification."""
