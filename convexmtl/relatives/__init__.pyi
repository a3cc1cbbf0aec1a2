"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from typing import Any, Literal, Self

from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin  # type: ignore[import-untyped]

from convexmtl.losses import Loss

class SharedHypothesesRegressor(RegressorMixin, BaseEstimator):
    n_clusters: int
    alpha: float
    n_init: int
    random_state: int | RandomState
    loss: Literal["squared", "huber", "poisson", "gamma", "quantile", "absolute", "epsilon_insensitive", "sqrt"] | Loss
    fit_intercept: bool
    task_weight: Literal["equal", "size"] | ArrayLike
    task_column: str | int | None
    offset_column: str | int | None
    unseen_task: Literal["error", "mean"]
    max_iter: int
    tol: float
    verbose: int
    coef_: NDArray[Any]
    intercept_: NDArray[Any]
    tasks_: NDArray[Any]
    objective_: float
    objective_history_: NDArray[Any]
    objectives_: NDArray[Any]
    n_agreeing_: int
    n_fits_: int
    n_iter_: int
    n_features_in_: int
    feature_names_in_: NDArray[Any]
    @property
    def feature_importances_(self) -> NDArray[Any]: ...
    labels_: NDArray[Any]
    hypotheses_: NDArray[Any]
    hypothesis_intercepts_: NDArray[Any]
    def __init__(
        self,
        n_clusters: int = 2,
        alpha: float = 0.01,
        *,
        n_init: int = 5,
        random_state: int | RandomState = 0,
        loss: Literal["squared", "huber", "poisson", "gamma", "quantile", "absolute", "epsilon_insensitive", "sqrt"] | Loss = "squared",
        fit_intercept: bool = True,
        task_weight: Literal["equal", "size"] | ArrayLike = "equal",
        task_column: str | int | None = None,
        offset_column: str | int | None = None,
        unseen_task: Literal["error", "mean"] = "error",
        max_iter: int = 100,
        tol: float = 1e-05,
        verbose: int = 0,
    ) -> None: ...
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> Self: ...
    @property
    def penalty(self) -> Any: ...
    def predict(self, X: Any, *, task: ArrayLike | None = None, offset: Any = None) -> NDArray[Any]: ...
    def score(
        self,
        X: Any,
        y: Any,
        *,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> float: ...
    def set_fit_request(
        self,
        *,
        offset: bool | str | None = ...,
        sample_weight: bool | str | None = ...,
        task: bool | str | None = ...,
    ) -> Self: ...
    def set_predict_request(self, *, offset: bool | str | None = ..., task: bool | str | None = ...) -> Self: ...
    def set_score_request(
        self,
        *,
        offset: bool | str | None = ...,
        sample_weight: bool | str | None = ...,
        task: bool | str | None = ...,
    ) -> Self: ...
    def __getattr__(self, name: str) -> Any: ...

class SharedHypothesesClassifier(ClassifierMixin, BaseEstimator):
    n_clusters: int
    alpha: float
    n_init: int
    random_state: int | RandomState
    loss: Literal["logistic", "softmax", "squared_hinge", "hinge"] | Loss
    fit_intercept: bool
    task_weight: Literal["equal", "size"] | ArrayLike
    task_column: str | int | None
    offset_column: str | int | None
    unseen_task: Literal["error", "mean"]
    max_iter: int
    tol: float
    verbose: int
    coef_: NDArray[Any]
    intercept_: NDArray[Any]
    tasks_: NDArray[Any]
    objective_: float
    objective_history_: NDArray[Any]
    objectives_: NDArray[Any]
    n_agreeing_: int
    n_fits_: int
    n_iter_: int
    n_features_in_: int
    feature_names_in_: NDArray[Any]
    @property
    def feature_importances_(self) -> NDArray[Any]: ...
    @property
    def classes_(self) -> NDArray[Any] | list[Any]: ...
    @property
    def columns_(self) -> NDArray[Any]: ...
    labels_: NDArray[Any]
    hypotheses_: NDArray[Any]
    hypothesis_intercepts_: NDArray[Any]
    def __init__(
        self,
        n_clusters: int = 2,
        alpha: float = 0.01,
        *,
        n_init: int = 5,
        random_state: int | RandomState = 0,
        loss: Literal["logistic", "softmax", "squared_hinge", "hinge"] | Loss = "logistic",
        fit_intercept: bool = True,
        task_weight: Literal["equal", "size"] | ArrayLike = "equal",
        task_column: str | int | None = None,
        offset_column: str | int | None = None,
        unseen_task: Literal["error", "mean"] = "error",
        max_iter: int = 100,
        tol: float = 1e-05,
        verbose: int = 0,
    ) -> None: ...
    def decision_function(
        self,
        X: Any,
        *,
        task: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> NDArray[Any]: ...
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> Self: ...
    @property
    def penalty(self) -> Any: ...
    def predict(self, X: Any, *, task: ArrayLike | None = None, offset: Any = None) -> NDArray[Any]: ...
    def predict_proba(
        self,
        X: Any,
        *,
        task: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> NDArray[Any]: ...
    def score(
        self,
        X: Any,
        y: Any,
        *,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> float: ...
    def set_decision_function_request(
        self,
        *,
        offset: bool | str | None = ...,
        task: bool | str | None = ...,
    ) -> Self: ...
    def set_fit_request(
        self,
        *,
        offset: bool | str | None = ...,
        sample_weight: bool | str | None = ...,
        task: bool | str | None = ...,
    ) -> Self: ...
    def set_predict_proba_request(self, *, offset: bool | str | None = ..., task: bool | str | None = ...) -> Self: ...
    def set_predict_request(self, *, offset: bool | str | None = ..., task: bool | str | None = ...) -> Self: ...
    def set_score_request(
        self,
        *,
        offset: bool | str | None = ...,
        sample_weight: bool | str | None = ...,
        task: bool | str | None = ...,
    ) -> Self: ...
    def __getattr__(self, name: str) -> Any: ...
