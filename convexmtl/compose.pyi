"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from typing import Any, Self

from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin  # type: ignore[import-untyped]

class TargetTransformer(MetaEstimatorMixin, BaseEstimator):
    regressor: Any
    transformer: Any
    regressor_: Any
    transformer_: Any
    def __init__(self, regressor: Any = None, transformer: Any = None) -> None: ...
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
    ) -> Self: ...
    @property
    def n_features_in_(self) -> Any: ...
    def predict(self, X: Any, *, task: ArrayLike | None = None) -> NDArray[Any]: ...
    def score(
        self,
        X: Any,
        y: Any,
        *,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
    ) -> float: ...
    def set_fit_request(self, *, sample_weight: bool | str | None = ..., task: bool | str | None = ...) -> Self: ...
    def set_predict_request(self, *, task: bool | str | None = ...) -> Self: ...
    def set_score_request(self, *, sample_weight: bool | str | None = ..., task: bool | str | None = ...) -> Self: ...
