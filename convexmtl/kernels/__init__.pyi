"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from collections.abc import Callable
from typing import Any, Literal, Self

from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin  # type: ignore[import-untyped]

from convexmtl.losses import Loss

class TaskKernel:
    def __init__(
        self,
        kernel: Any,
        task_column: int = -1,
        rank: int | None = None,
        n_tasks: int = 10,
        factor: ArrayLike | None = None,
        kappa: float | ArrayLike = 0.1,
        factor_bounds: Any = (-100.0, 100.0),
        kappa_bounds: Any = (1e-05, 100.0),
    ) -> None: ...
    def __call__(self, X: Any, Y: Any = None, eval_gradient: Any = False) -> Any: ...
    @property
    def bounds(self) -> Any: ...
    def diag(self, X: ArrayLike) -> NDArray[Any]: ...
    def get_params(self, deep: bool = True) -> dict[Any, Any]: ...
    @property
    def hyperparameter_factor(self) -> Any: ...
    @property
    def hyperparameter_kappa(self) -> Any: ...
    @property
    def hyperparameters(self) -> Any: ...
    def is_stationary(self) -> Any: ...
    @property
    def requires_vector_input(self) -> Any: ...
    @property
    def task_covariance(self) -> Any: ...
    @property
    def theta(self) -> Any: ...

class TaskNoise:
    def __init__(
        self,
        task_column: int = -1,
        n_tasks: int = 10,
        noise_level: float | ArrayLike = 1.0,
        noise_level_bounds: Any = (1e-05, 100000.0),
    ) -> None: ...
    def __call__(self, X: Any, Y: Any = None, eval_gradient: Any = False) -> Any: ...
    @property
    def bounds(self) -> Any: ...
    def diag(self, X: ArrayLike) -> NDArray[Any]: ...
    @property
    def hyperparameter_noise_level(self) -> Any: ...
    def is_stationary(self) -> Any: ...
    @property
    def requires_vector_input(self) -> Any: ...
    @property
    def theta(self) -> Any: ...

class HierarchicalGaussianProcess(RegressorMixin, BaseEstimator):
    pi: float
    tau: float
    noise_level: float
    kernel: str | Callable[..., Any]
    gamma: float | None
    degree: float
    coef0: float
    kernel_params: dict[Any, Any] | None
    n_components: int | None
    approximation: Literal["nystroem", "fourier"]
    random_state: int | RandomState
    fit_intercept: bool
    task_column: str | int | None
    unseen_task: Literal["error", "mean"]
    max_iter: int
    tol: float
    verbose: int
    @property
    def dual_coef_(self) -> NDArray[Any]: ...
    @property
    def X_fit_(self) -> Any: ...
    prior_coef_: NDArray[Any]
    intercept_: NDArray[Any]
    noise_: float
    tasks_: NDArray[Any]
    log_posteriors_: NDArray[Any]
    n_iter_: int
    n_features_in_: int
    feature_names_in_: NDArray[Any]
    def __init__(
        self,
        pi: float = 1.0,
        tau: float = 1.0,
        *,
        noise_level: float = 0.1,
        kernel: str | Callable[..., Any] = "rbf",
        gamma: float | None = None,
        degree: float = 3,
        coef0: float = 1,
        kernel_params: dict[Any, Any] | None = None,
        n_components: int | None = None,
        approximation: Literal["nystroem", "fourier"] = "nystroem",
        random_state: int | RandomState = 0,
        fit_intercept: bool = True,
        task_column: str | int | None = None,
        unseen_task: Literal["error", "mean"] = "error",
        max_iter: int = 1000,
        tol: float = 0.0001,
        verbose: int = 0,
    ) -> None: ...
    @property
    def feature_importances_(self) -> Any: ...
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
    ) -> Self: ...
    @property
    def penalty(self) -> Any: ...
    def predict(self, X: Any, *, task: ArrayLike | None = None, return_std: bool = False) -> NDArray[Any]: ...
    def score(
        self,
        X: Any,
        y: Any,
        *,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> float: ...
    def set_fit_request(self, *, sample_weight: bool | str | None = ..., task: bool | str | None = ...) -> Self: ...
    def set_predict_request(self, *, return_std: bool | str | None = ..., task: bool | str | None = ...) -> Self: ...
    def set_score_request(
        self,
        *,
        offset: bool | str | None = ...,
        sample_weight: bool | str | None = ...,
        task: bool | str | None = ...,
    ) -> Self: ...
    def __getattr__(self, name: str) -> Any: ...

class MultiTaskKernelRidge(RegressorMixin, BaseEstimator):
    task_kernel: Any
    alpha: float
    kernel: str | Callable[..., Any]
    gamma: float | None
    degree: float
    coef0: float
    kernel_params: dict[Any, Any] | None
    n_components: int | None
    approximation: Literal["nystroem", "fourier"]
    random_state: int | RandomState
    fit_intercept: bool
    task_weight: Literal["equal", "size"] | ArrayLike
    task_column: str | int | None
    offset_column: str | int | None
    unseen_task: Literal["error", "mean"]
    max_iter: int
    tol: float
    warm_start: bool
    verbose: int
    @property
    def dual_coef_(self) -> NDArray[Any]: ...
    @property
    def X_fit_(self) -> Any: ...
    task_kernel_: NDArray[Any]
    intercept_: NDArray[Any]
    tasks_: NDArray[Any]
    n_iter_: int
    objective_: float
    dual_gap_: float
    n_features_in_: int
    feature_names_in_: NDArray[Any]
    def __init__(
        self,
        task_kernel: Any = None,
        alpha: float = 0.1,
        *,
        kernel: str | Callable[..., Any] = "rbf",
        gamma: float | None = None,
        degree: float = 3,
        coef0: float = 1,
        kernel_params: dict[Any, Any] | None = None,
        n_components: int | None = None,
        approximation: Literal["nystroem", "fourier"] = "nystroem",
        random_state: int | RandomState = 0,
        fit_intercept: bool = True,
        task_weight: Literal["equal", "size"] | ArrayLike = "equal",
        task_column: str | int | None = None,
        offset_column: str | int | None = None,
        unseen_task: Literal["error", "mean"] = "error",
        max_iter: int = 10000,
        tol: float = 0.0001,
        warm_start: bool = False,
        verbose: int = 0,
    ) -> None: ...
    @property
    def feature_importances_(self) -> Any: ...
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

class MultiTaskSVC(ClassifierMixin, BaseEstimator):
    task_kernel: Any
    alpha: float
    kernel: str | Callable[..., Any]
    gamma: float | None
    degree: float
    coef0: float
    kernel_params: dict[Any, Any] | None
    n_components: int | None
    approximation: Literal["nystroem", "fourier"]
    random_state: int | RandomState
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
    @property
    def dual_coef_(self) -> NDArray[Any]: ...
    @property
    def X_fit_(self) -> Any: ...
    task_kernel_: NDArray[Any]
    intercept_: NDArray[Any]
    tasks_: NDArray[Any]
    n_iter_: int
    objective_: float
    dual_gap_: float
    n_features_in_: int
    feature_names_in_: NDArray[Any]
    @property
    def classes_(self) -> NDArray[Any] | list[Any]: ...
    @property
    def columns_(self) -> NDArray[Any]: ...
    def __init__(
        self,
        task_kernel: Any = None,
        alpha: float = 0.1,
        *,
        kernel: str | Callable[..., Any] = "rbf",
        gamma: float | None = None,
        degree: float = 3,
        coef0: float = 1,
        kernel_params: dict[Any, Any] | None = None,
        n_components: int | None = None,
        approximation: Literal["nystroem", "fourier"] = "nystroem",
        random_state: int | RandomState = 0,
        loss: Literal["logistic", "softmax", "squared_hinge", "hinge"] | Loss = "hinge",
        fit_intercept: bool = True,
        task_weight: Literal["equal", "size"] | ArrayLike = "equal",
        task_column: str | int | None = None,
        offset_column: str | int | None = None,
        unseen_task: Literal["error", "mean"] = "error",
        max_iter: int = 10000,
        tol: float = 0.0001,
        warm_start: bool = False,
        verbose: int = 0,
    ) -> None: ...
    def decision_function(
        self,
        X: Any,
        *,
        task: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> NDArray[Any]: ...
    @property
    def feature_importances_(self) -> Any: ...
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

class MultiTaskSVR(RegressorMixin, BaseEstimator):
    task_kernel: Any
    alpha: float
    kernel: str | Callable[..., Any]
    gamma: float | None
    degree: float
    coef0: float
    kernel_params: dict[Any, Any] | None
    n_components: int | None
    approximation: Literal["nystroem", "fourier"]
    random_state: int | RandomState
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
    @property
    def dual_coef_(self) -> NDArray[Any]: ...
    @property
    def X_fit_(self) -> Any: ...
    task_kernel_: NDArray[Any]
    intercept_: NDArray[Any]
    tasks_: NDArray[Any]
    n_iter_: int
    objective_: float
    dual_gap_: float
    n_features_in_: int
    feature_names_in_: NDArray[Any]
    def __init__(
        self,
        task_kernel: Any = None,
        alpha: float = 0.1,
        *,
        kernel: str | Callable[..., Any] = "rbf",
        gamma: float | None = None,
        degree: float = 3,
        coef0: float = 1,
        kernel_params: dict[Any, Any] | None = None,
        n_components: int | None = None,
        approximation: Literal["nystroem", "fourier"] = "nystroem",
        random_state: int | RandomState = 0,
        loss: Literal["squared", "huber", "poisson", "gamma", "quantile", "absolute", "epsilon_insensitive", "sqrt"] | Loss = "epsilon_insensitive",
        fit_intercept: bool = True,
        task_weight: Literal["equal", "size"] | ArrayLike = "equal",
        task_column: str | int | None = None,
        offset_column: str | int | None = None,
        unseen_task: Literal["error", "mean"] = "error",
        max_iter: int = 10000,
        tol: float = 0.0001,
        warm_start: bool = False,
        verbose: int = 0,
    ) -> None: ...
    @property
    def feature_importances_(self) -> Any: ...
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

class MultiTaskKernelRidgeCV(RegressorMixin, BaseEstimator):
    task_kernel: Any
    gammas: int | ArrayLike
    kernel: str | Callable[..., Any]
    degree: float
    coef0: float
    kernel_params: dict[Any, Any] | None
    n_components: int | None
    approximation: Literal["nystroem", "fourier"]
    random_state: int | RandomState
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
    gamma_: float
    alphas_: NDArray[Any]
    mse_path_: NDArray[Any]
    task_errors_: NDArray[Any]
    criterion_path_: NDArray[Any]
    df_path_: NDArray[Any]
    settings_: list[dict[Any, Any]]
    @property
    def dual_coef_(self) -> NDArray[Any]: ...
    @property
    def X_fit_(self) -> Any: ...
    task_kernel_: NDArray[Any]
    intercept_: NDArray[Any]
    tasks_: NDArray[Any]
    n_iter_: int
    objective_: float
    dual_gap_: float
    n_features_in_: int
    feature_names_in_: NDArray[Any]
    def __init__(
        self,
        task_kernel: Any = None,
        *,
        gammas: int | ArrayLike = 5,
        kernel: str | Callable[..., Any] = "rbf",
        degree: float = 3,
        coef0: float = 1,
        kernel_params: dict[Any, Any] | None = None,
        n_components: int | None = None,
        approximation: Literal["nystroem", "fourier"] = "nystroem",
        random_state: int | RandomState = 0,
        fit_intercept: bool = True,
        task_weight: Literal["equal", "size"] | ArrayLike = "equal",
        task_column: str | int | None = None,
        offset_column: str | int | None = None,
        unseen_task: Literal["error", "mean"] = "error",
        max_iter: int = 10000,
        tol: float = 0.0001,
        warm_start: bool = False,
        verbose: int = 0,
        alphas: int | ArrayLike = 100,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...
    @property
    def feature_importances_(self) -> Any: ...
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

class MultiTaskSVCCV(ClassifierMixin, BaseEstimator):
    task_kernel: Any
    gammas: int | ArrayLike
    kernel: str | Callable[..., Any]
    degree: float
    coef0: float
    kernel_params: dict[Any, Any] | None
    n_components: int | None
    approximation: Literal["nystroem", "fourier"]
    random_state: int | RandomState
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
    gamma_: float
    alphas_: NDArray[Any]
    mse_path_: NDArray[Any]
    task_errors_: NDArray[Any]
    criterion_path_: NDArray[Any]
    df_path_: NDArray[Any]
    settings_: list[dict[Any, Any]]
    @property
    def dual_coef_(self) -> NDArray[Any]: ...
    @property
    def X_fit_(self) -> Any: ...
    task_kernel_: NDArray[Any]
    intercept_: NDArray[Any]
    tasks_: NDArray[Any]
    n_iter_: int
    objective_: float
    dual_gap_: float
    n_features_in_: int
    feature_names_in_: NDArray[Any]
    @property
    def classes_(self) -> NDArray[Any] | list[Any]: ...
    @property
    def columns_(self) -> NDArray[Any]: ...
    def __init__(
        self,
        task_kernel: Any = None,
        *,
        gammas: int | ArrayLike = 5,
        kernel: str | Callable[..., Any] = "rbf",
        degree: float = 3,
        coef0: float = 1,
        kernel_params: dict[Any, Any] | None = None,
        n_components: int | None = None,
        approximation: Literal["nystroem", "fourier"] = "nystroem",
        random_state: int | RandomState = 0,
        loss: Literal["logistic", "softmax", "squared_hinge", "hinge"] | Loss = "hinge",
        fit_intercept: bool = True,
        task_weight: Literal["equal", "size"] | ArrayLike = "equal",
        task_column: str | int | None = None,
        offset_column: str | int | None = None,
        unseen_task: Literal["error", "mean"] = "error",
        max_iter: int = 10000,
        tol: float = 0.0001,
        warm_start: bool = False,
        verbose: int = 0,
        alphas: int | ArrayLike = 100,
        eps: float = 0.001,
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
    @property
    def feature_importances_(self) -> Any: ...
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

class MultiTaskSVRCV(RegressorMixin, BaseEstimator):
    task_kernel: Any
    gammas: int | ArrayLike
    kernel: str | Callable[..., Any]
    degree: float
    coef0: float
    kernel_params: dict[Any, Any] | None
    n_components: int | None
    approximation: Literal["nystroem", "fourier"]
    random_state: int | RandomState
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
    gamma_: float
    alphas_: NDArray[Any]
    mse_path_: NDArray[Any]
    task_errors_: NDArray[Any]
    criterion_path_: NDArray[Any]
    df_path_: NDArray[Any]
    settings_: list[dict[Any, Any]]
    @property
    def dual_coef_(self) -> NDArray[Any]: ...
    @property
    def X_fit_(self) -> Any: ...
    task_kernel_: NDArray[Any]
    intercept_: NDArray[Any]
    tasks_: NDArray[Any]
    n_iter_: int
    objective_: float
    dual_gap_: float
    n_features_in_: int
    feature_names_in_: NDArray[Any]
    def __init__(
        self,
        task_kernel: Any = None,
        *,
        gammas: int | ArrayLike = 5,
        kernel: str | Callable[..., Any] = "rbf",
        degree: float = 3,
        coef0: float = 1,
        kernel_params: dict[Any, Any] | None = None,
        n_components: int | None = None,
        approximation: Literal["nystroem", "fourier"] = "nystroem",
        random_state: int | RandomState = 0,
        loss: Literal["squared", "huber", "poisson", "gamma", "quantile", "absolute", "epsilon_insensitive", "sqrt"] | Loss = "epsilon_insensitive",
        fit_intercept: bool = True,
        task_weight: Literal["equal", "size"] | ArrayLike = "equal",
        task_column: str | int | None = None,
        offset_column: str | int | None = None,
        unseen_task: Literal["error", "mean"] = "error",
        max_iter: int = 10000,
        tol: float = 0.0001,
        warm_start: bool = False,
        verbose: int = 0,
        alphas: int | ArrayLike = 100,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...
    @property
    def feature_importances_(self) -> Any: ...
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

def select_informative(kernel: Any, X: ArrayLike, y: ArrayLike, n: int) -> NDArray[Any]: ...
