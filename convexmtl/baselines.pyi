"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from typing import Any, Literal, Self

from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin  # type: ignore[import-untyped]

from convexmtl.losses import Loss
from convexmtl.penalties import Penalty

class SingleTaskRegressorCV(RegressorMixin, BaseEstimator):
    loss: Literal["squared", "huber", "poisson", "gamma", "quantile", "absolute", "epsilon_insensitive", "sqrt"] | Loss
    fit_intercept: bool
    task_weight: Literal["equal", "size"] | ArrayLike
    task_column: str | int | None
    offset_column: str | int | None
    unseen_task: Literal["error", "mean"]
    max_iter: int
    tol: float
    warm_start: bool
    verbose: int
    alphas: int | ArrayLike
    eps: float
    cv: Any
    n_jobs: int | None
    selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"]
    alpha_: float
    @property
    def penalty_(self) -> Penalty: ...
    alphas_: NDArray[Any]
    mse_path_: NDArray[Any]
    task_errors_: NDArray[Any]
    criterion_path_: NDArray[Any]
    df_path_: NDArray[Any]
    settings_: list[dict[Any, Any]]
    coef_: NDArray[Any]
    intercept_: NDArray[Any]
    tasks_: NDArray[Any]
    n_iter_: int
    objective_: float
    dual_gap_: float
    n_features_in_: int
    feature_names_in_: NDArray[Any]
    @property
    def feature_importances_(self) -> NDArray[Any]: ...
    def __init__(
        self,
        *,
        loss: Literal["squared", "huber", "poisson", "gamma", "quantile", "absolute", "epsilon_insensitive", "sqrt"] | Loss = "squared",
        fit_intercept: bool = True,
        task_weight: Literal["equal", "size"] | ArrayLike = "equal",
        task_column: str | int | None = None,
        offset_column: str | int | None = None,
        unseen_task: Literal["error", "mean"] = "error",
        max_iter: int = 10000,
        tol: float = 0.0001,
        warm_start: bool = False,
        verbose: int = 0,
        alphas: int | ArrayLike = 50,
        eps: float = 1e-08,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
        offset: ArrayLike | None = None,
        **params: Any,
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

class SingleTaskClassifierCV(ClassifierMixin, BaseEstimator):
    loss: Literal["logistic", "softmax", "squared_hinge", "hinge"] | Loss
    fit_intercept: bool
    task_weight: Literal["equal", "size"] | ArrayLike
    task_column: str | int | None
    offset_column: str | int | None
    unseen_task: Literal["error", "mean"]
    max_iter: int
    tol: float
    warm_start: bool
    verbose: int
    alphas: int | ArrayLike
    eps: float
    cv: Any
    n_jobs: int | None
    selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"]
    alpha_: float
    @property
    def penalty_(self) -> Penalty: ...
    alphas_: NDArray[Any]
    mse_path_: NDArray[Any]
    task_errors_: NDArray[Any]
    criterion_path_: NDArray[Any]
    df_path_: NDArray[Any]
    settings_: list[dict[Any, Any]]
    coef_: NDArray[Any]
    intercept_: NDArray[Any]
    tasks_: NDArray[Any]
    n_iter_: int
    objective_: float
    dual_gap_: float
    n_features_in_: int
    feature_names_in_: NDArray[Any]
    @property
    def feature_importances_(self) -> NDArray[Any]: ...
    @property
    def classes_(self) -> NDArray[Any] | list[Any]: ...
    @property
    def columns_(self) -> NDArray[Any]: ...
    def __init__(
        self,
        *,
        loss: Literal["logistic", "softmax", "squared_hinge", "hinge"] | Loss = "logistic",
        fit_intercept: bool = True,
        task_weight: Literal["equal", "size"] | ArrayLike = "equal",
        task_column: str | int | None = None,
        offset_column: str | int | None = None,
        unseen_task: Literal["error", "mean"] = "error",
        max_iter: int = 10000,
        tol: float = 0.0001,
        warm_start: bool = False,
        verbose: int = 0,
        alphas: int | ArrayLike = 50,
        eps: float = 1e-08,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
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
        **params: Any,
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

class PooledRegressorCV(RegressorMixin, BaseEstimator):
    loss: Literal["squared", "huber", "poisson", "gamma", "quantile", "absolute", "epsilon_insensitive", "sqrt"] | Loss
    fit_intercept: bool
    task_weight: Literal["equal", "size"] | ArrayLike
    task_column: str | int | None
    offset_column: str | int | None
    unseen_task: Literal["error", "mean"]
    max_iter: int
    tol: float
    warm_start: bool
    verbose: int
    alphas: int | ArrayLike
    eps: float
    cv: Any
    n_jobs: int | None
    selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"]
    alpha_: float
    @property
    def penalty_(self) -> Penalty: ...
    alphas_: NDArray[Any]
    mse_path_: NDArray[Any]
    task_errors_: NDArray[Any]
    criterion_path_: NDArray[Any]
    df_path_: NDArray[Any]
    settings_: list[dict[Any, Any]]
    coef_: NDArray[Any]
    intercept_: NDArray[Any]
    tasks_: NDArray[Any]
    n_iter_: int
    objective_: float
    dual_gap_: float
    n_features_in_: int
    feature_names_in_: NDArray[Any]
    @property
    def feature_importances_(self) -> NDArray[Any]: ...
    def __init__(
        self,
        *,
        loss: Literal["squared", "huber", "poisson", "gamma", "quantile", "absolute", "epsilon_insensitive", "sqrt"] | Loss = "squared",
        fit_intercept: bool = True,
        task_weight: Literal["equal", "size"] | ArrayLike = "equal",
        task_column: str | int | None = None,
        offset_column: str | int | None = None,
        unseen_task: Literal["error", "mean"] = "error",
        max_iter: int = 10000,
        tol: float = 0.0001,
        warm_start: bool = False,
        verbose: int = 0,
        alphas: int | ArrayLike = 50,
        eps: float = 1e-08,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
        offset: ArrayLike | None = None,
        **params: Any,
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

class PooledClassifierCV(ClassifierMixin, BaseEstimator):
    loss: Literal["logistic", "softmax", "squared_hinge", "hinge"] | Loss
    fit_intercept: bool
    task_weight: Literal["equal", "size"] | ArrayLike
    task_column: str | int | None
    offset_column: str | int | None
    unseen_task: Literal["error", "mean"]
    max_iter: int
    tol: float
    warm_start: bool
    verbose: int
    alphas: int | ArrayLike
    eps: float
    cv: Any
    n_jobs: int | None
    selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"]
    alpha_: float
    @property
    def penalty_(self) -> Penalty: ...
    alphas_: NDArray[Any]
    mse_path_: NDArray[Any]
    task_errors_: NDArray[Any]
    criterion_path_: NDArray[Any]
    df_path_: NDArray[Any]
    settings_: list[dict[Any, Any]]
    coef_: NDArray[Any]
    intercept_: NDArray[Any]
    tasks_: NDArray[Any]
    n_iter_: int
    objective_: float
    dual_gap_: float
    n_features_in_: int
    feature_names_in_: NDArray[Any]
    @property
    def feature_importances_(self) -> NDArray[Any]: ...
    @property
    def classes_(self) -> NDArray[Any] | list[Any]: ...
    @property
    def columns_(self) -> NDArray[Any]: ...
    def __init__(
        self,
        *,
        loss: Literal["logistic", "softmax", "squared_hinge", "hinge"] | Loss = "logistic",
        fit_intercept: bool = True,
        task_weight: Literal["equal", "size"] | ArrayLike = "equal",
        task_column: str | int | None = None,
        offset_column: str | int | None = None,
        unseen_task: Literal["error", "mean"] = "error",
        max_iter: int = 10000,
        tol: float = 0.0001,
        warm_start: bool = False,
        verbose: int = 0,
        alphas: int | ArrayLike = 50,
        eps: float = 1e-08,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
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
        **params: Any,
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

def single_task(estimator: Any) -> Any: ...

def pooled(estimator: Any) -> Any: ...
