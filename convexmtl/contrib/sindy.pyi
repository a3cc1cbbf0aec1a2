"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from typing import Any, Self

from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin  # type: ignore[import-untyped]

class JointOptimizer(RegressorMixin, BaseEstimator):
    share: float
    trajectories: ArrayLike | None
    unbias: bool
    normalize_columns: bool
    estimator: Any
    tol: float
    coef_: NDArray[Any]
    trajectory_coef_: NDArray[Any]
    trajectories_: NDArray[Any]
    ind_: NDArray[Any]
    intercept_: float
    estimators_: list[Any]
    history_: Any
    Theta_: Any
    def __init__(
        self,
        share: float = 0.05,
        *,
        trajectories: ArrayLike | None = None,
        unbias: bool = True,
        normalize_columns: bool = False,
        estimator: Any = None,
        tol: float = 1e-06,
    ) -> None: ...
    @property
    def complexity(self) -> Any: ...
    def fit(self, x: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self: ...
    def of_trajectory(self, label: Any) -> Any: ...
    def predict(self, x: Any) -> NDArray[Any]: ...
    def set_fit_request(self, *, sample_weight: bool | str | None = ..., x: bool | str | None = ...) -> Self: ...
    def set_predict_request(self, *, x: bool | str | None = ...) -> Self: ...
    def set_score_request(self, *, sample_weight: bool | str | None = ...) -> Self: ...
