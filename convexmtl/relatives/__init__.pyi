"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from collections.abc import Sequence
from typing import Any, Literal, Self

from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin  # type: ignore[import-untyped]

from convexmtl.losses import Loss
from convexmtl.penalties import Coupling

class HierarchicalBayes(RegressorMixin, BaseEstimator):
    varying: Literal["all", "intercept"] | Sequence[Any] | NDArray[Any]
    covariance: Literal["auto", "full", "diagonal"]
    method: Literal["reml", "ml"]
    noise: Literal["common", "task"]
    noise_prior: float
    task_features: ArrayLike | dict[Any, Any] | None
    fit_intercept: bool
    task_column: str | int | None
    offset_column: str | int | None
    unseen_task: Literal["error", "mean"]
    max_iter: int
    tol: float
    verbose: int
    coef_: NDArray[Any]
    intercept_: NDArray[Any]
    coef_covariance_: NDArray[Any]
    mean_coef_: NDArray[Any]
    mean_intercept_: float
    fixed_effects_: NDArray[Any]
    fixed_errors_: NDArray[Any]
    prior_covariance_: NDArray[Any]
    noise_: float | NDArray[Any]
    log_likelihood_: float
    objective_: float
    objective_history_: NDArray[Any]
    tasks_: NDArray[Any]
    n_iter_: int
    n_features_in_: int
    feature_names_in_: NDArray[Any]
    @property
    def feature_importances_(self) -> NDArray[Any]: ...
    def __init__(
        self,
        varying: Literal["all", "intercept"] | Sequence[Any] | NDArray[Any] = "all",
        *,
        covariance: Literal["auto", "full", "diagonal"] = "auto",
        method: Literal["reml", "ml"] = "reml",
        noise: Literal["common", "task"] = "common",
        noise_prior: float = 4.0,
        task_features: ArrayLike | dict[Any, Any] | None = None,
        fit_intercept: bool = True,
        task_column: str | int | None = None,
        offset_column: str | int | None = None,
        unseen_task: Literal["error", "mean"] = "error",
        max_iter: int = 2000,
        tol: float = 1e-10,
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
    def predict(
        self,
        X: Any,
        *,
        task: ArrayLike | None = None,
        offset: Any = None,
        task_features: ArrayLike | None = None,
        return_std: bool = False,
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
    def set_fit_request(
        self,
        *,
        offset: bool | str | None = ...,
        sample_weight: bool | str | None = ...,
        task: bool | str | None = ...,
    ) -> Self: ...
    def set_predict_request(
        self,
        *,
        offset: bool | str | None = ...,
        return_std: bool | str | None = ...,
        task: bool | str | None = ...,
        task_features: bool | str | None = ...,
    ) -> Self: ...
    def set_score_request(
        self,
        *,
        offset: bool | str | None = ...,
        sample_weight: bool | str | None = ...,
        task: bool | str | None = ...,
    ) -> Self: ...
    def __getattr__(self, name: str) -> Any: ...

class OnlineMultiTaskClassifier(ClassifierMixin, BaseEstimator):
    coupling: Coupling | None
    relations: Literal["fixed", "covariance", "logdet", "von_neumann"]
    relation_rate: float
    burn_in: int | None
    average: bool
    fit_intercept: bool
    n_passes: int
    shuffle: bool
    random_state: int | RandomState
    task_column: str | int | None
    unseen_task: Literal["error", "mean"]
    @property
    def mistakes_(self) -> NDArray[Any]: ...
    @property
    def coef_(self) -> NDArray[Any]: ...
    @property
    def intercept_(self) -> NDArray[Any]: ...
    tasks_: NDArray[Any]
    @property
    def interaction_(self) -> NDArray[Any]: ...
    @property
    def n_rounds_(self) -> int: ...
    n_features_in_: int
    feature_names_in_: NDArray[Any]
    @property
    def classes_(self) -> Any: ...
    def __init__(
        self,
        coupling: Coupling | None = None,
        *,
        relations: Literal["fixed", "covariance", "logdet", "von_neumann"] = "fixed",
        relation_rate: float = 0.5,
        burn_in: int | None = None,
        average: bool = True,
        fit_intercept: bool = True,
        n_passes: int = 5,
        shuffle: bool = True,
        random_state: int | RandomState = 0,
        task_column: str | int | None = None,
        unseen_task: Literal["error", "mean"] = "error",
    ) -> None: ...
    @property
    def columns_(self) -> Any: ...
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
    ) -> Self: ...
    def partial_fit(
        self,
        X: Any,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        *,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
        tasks: ArrayLike | None = None,
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
    def set_fit_request(self, *, sample_weight: bool | str | None = ..., task: bool | str | None = ...) -> Self: ...
    def set_partial_fit_request(
        self,
        *,
        classes: bool | str | None = ...,
        sample_weight: bool | str | None = ...,
        task: bool | str | None = ...,
        tasks: bool | str | None = ...,
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

class OnlineMultiTaskRegressor(RegressorMixin, BaseEstimator):
    coupling: Coupling | None
    relations: Literal["fixed", "covariance", "logdet", "von_neumann"]
    relation_rate: float
    burn_in: int | None
    learning_rate: float
    average: bool
    fit_intercept: bool
    n_passes: int
    shuffle: bool
    random_state: int | RandomState
    task_column: str | int | None
    unseen_task: Literal["error", "mean"]
    @property
    def squared_errors_(self) -> NDArray[Any]: ...
    @property
    def coef_(self) -> NDArray[Any]: ...
    @property
    def intercept_(self) -> NDArray[Any]: ...
    tasks_: NDArray[Any]
    @property
    def interaction_(self) -> NDArray[Any]: ...
    @property
    def n_rounds_(self) -> int: ...
    n_features_in_: int
    feature_names_in_: NDArray[Any]
    def __init__(
        self,
        coupling: Coupling | None = None,
        *,
        relations: Literal["fixed", "covariance", "logdet", "von_neumann"] = "fixed",
        relation_rate: float = 0.5,
        burn_in: int | None = None,
        learning_rate: float = 0.5,
        average: bool = True,
        fit_intercept: bool = True,
        n_passes: int = 5,
        shuffle: bool = True,
        random_state: int | RandomState = 0,
        task_column: str | int | None = None,
        unseen_task: Literal["error", "mean"] = "error",
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
    def partial_fit(
        self,
        X: Any,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
        tasks: ArrayLike | None = None,
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
    def set_fit_request(self, *, sample_weight: bool | str | None = ..., task: bool | str | None = ...) -> Self: ...
    def set_partial_fit_request(
        self,
        *,
        sample_weight: bool | str | None = ...,
        task: bool | str | None = ...,
        tasks: bool | str | None = ...,
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

class AlternatingStructureRegressor(RegressorMixin, BaseEstimator):
    n_components: int
    alpha: float
    eta: float
    gamma: float
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
    components_: NDArray[Any]
    shared_coef_: NDArray[Any]
    def __init__(
        self,
        n_components: int = 1,
        alpha: float = 0.1,
        eta: float = 0.1,
        gamma: float = 1.0,
        *,
        n_init: int = 2,
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
        X_unlabeled: ArrayLike | None = None,
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
        X_unlabeled: bool | str | None = ...,
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

class AlternatingStructureClassifier(ClassifierMixin, BaseEstimator):
    n_components: int
    alpha: float
    eta: float
    gamma: float
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
    components_: NDArray[Any]
    shared_coef_: NDArray[Any]
    def __init__(
        self,
        n_components: int = 1,
        alpha: float = 0.1,
        eta: float = 0.1,
        gamma: float = 1.0,
        *,
        n_init: int = 2,
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
        X_unlabeled: ArrayLike | None = None,
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
        X_unlabeled: bool | str | None = ...,
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

class GroupedSubspacesRegressor(RegressorMixin, BaseEstimator):
    n_groups: int
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
    def __init__(
        self,
        n_groups: int = 2,
        alpha: float = 0.1,
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

class GroupedSubspacesClassifier(ClassifierMixin, BaseEstimator):
    n_groups: int
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
    def __init__(
        self,
        n_groups: int = 2,
        alpha: float = 0.1,
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

class GroupedTasksRegressor(RegressorMixin, BaseEstimator):
    n_components: int
    alpha_sparse: float
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
    components_: NDArray[Any]
    weights_: NDArray[Any]
    def __init__(
        self,
        n_components: int = 2,
        alpha_sparse: float = 0.01,
        alpha: float = 0.01,
        *,
        n_init: int = 3,
        random_state: int | RandomState = 0,
        loss: Literal["squared", "huber", "poisson", "gamma", "quantile", "absolute", "epsilon_insensitive", "sqrt"] | Loss = "squared",
        fit_intercept: bool = True,
        task_weight: Literal["equal", "size"] | ArrayLike = "equal",
        task_column: str | int | None = None,
        offset_column: str | int | None = None,
        unseen_task: Literal["error", "mean"] = "error",
        max_iter: int = 1000,
        tol: float = 1e-06,
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

class GroupedTasksClassifier(ClassifierMixin, BaseEstimator):
    n_components: int
    alpha_sparse: float
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
    components_: NDArray[Any]
    weights_: NDArray[Any]
    def __init__(
        self,
        n_components: int = 2,
        alpha_sparse: float = 0.01,
        alpha: float = 0.01,
        *,
        n_init: int = 3,
        random_state: int | RandomState = 0,
        loss: Literal["logistic", "softmax", "squared_hinge", "hinge"] | Loss = "logistic",
        fit_intercept: bool = True,
        task_weight: Literal["equal", "size"] | ArrayLike = "equal",
        task_column: str | int | None = None,
        offset_column: str | int | None = None,
        unseen_task: Literal["error", "mean"] = "error",
        max_iter: int = 1000,
        tol: float = 1e-06,
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

class MultiStageFeaturesRegressor(RegressorMixin, BaseEstimator):
    alpha: float
    cap: float
    norm: Literal["l1", "l2"]
    slope: float
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
    feature_norms_: NDArray[Any]
    kept_: Any
    def __init__(
        self,
        alpha: float = 0.1,
        cap: float = 0.5,
        *,
        norm: Literal["l1", "l2"] = "l1",
        slope: float = 0.01,
        n_init: int = 1,
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

class MultiStageFeaturesClassifier(ClassifierMixin, BaseEstimator):
    alpha: float
    cap: float
    norm: Literal["l1", "l2"]
    slope: float
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
    feature_norms_: NDArray[Any]
    kept_: Any
    def __init__(
        self,
        alpha: float = 0.1,
        cap: float = 0.5,
        *,
        norm: Literal["l1", "l2"] = "l1",
        slope: float = 0.01,
        n_init: int = 1,
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

class TaskClusteringNeighborsRegressor(RegressorMixin, BaseEstimator):
    n_clusters: int
    n_neighbors: int
    alpha: float
    n_pairs: int
    n_init: int
    random_state: int | RandomState
    task_column: str | int | None
    unseen_task: Literal["error", "mean"]
    max_iter: int
    tol: float
    verbose: int
    coef_: NDArray[Any]
    transfer_: NDArray[Any]
    labels_: NDArray[Any]
    metrics_: NDArray[Any]
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
    def __init__(
        self,
        n_clusters: int = 2,
        n_neighbors: int = 5,
        alpha: float = 0.01,
        n_pairs: int = 1000,
        *,
        n_init: int = 5,
        random_state: int | RandomState = 0,
        task_column: str | int | None = None,
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

class TaskClusteringNeighborsClassifier(ClassifierMixin, BaseEstimator):
    n_clusters: int
    n_neighbors: int
    alpha: float
    n_pairs: int
    n_init: int
    random_state: int | RandomState
    task_column: str | int | None
    unseen_task: Literal["error", "mean"]
    max_iter: int
    tol: float
    verbose: int
    coef_: NDArray[Any]
    transfer_: NDArray[Any]
    labels_: NDArray[Any]
    metrics_: NDArray[Any]
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
    def __init__(
        self,
        n_clusters: int = 2,
        n_neighbors: int = 5,
        alpha: float = 0.01,
        n_pairs: int = 1000,
        *,
        n_init: int = 5,
        random_state: int | RandomState = 0,
        task_column: str | int | None = None,
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

class TaskMixtureRegressor(RegressorMixin, BaseEstimator):
    n_components: int
    prior_tasks: float
    task_features: ArrayLike | dict[Any, Any] | None
    gate_ridge: float
    n_init: int
    random_state: int | RandomState
    fit_intercept: bool
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
    probabilities_: NDArray[Any]
    labels_: NDArray[Any]
    shares_: NDArray[Any]
    component_coef_: NDArray[Any]
    component_intercept_: NDArray[Any]
    component_covariance_: NDArray[Any]
    gate_: Any
    noise_: float
    def __init__(
        self,
        n_components: int = 2,
        prior_tasks: float = 2.0,
        task_features: ArrayLike | dict[Any, Any] | None = None,
        gate_ridge: float = 0.01,
        *,
        n_init: int = 5,
        random_state: int | RandomState = 0,
        fit_intercept: bool = True,
        task_column: str | int | None = None,
        offset_column: str | int | None = None,
        unseen_task: Literal["error", "mean"] = "error",
        max_iter: int = 1000,
        tol: float = 0.0001,
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

class TaskMixtureClassifier(ClassifierMixin, BaseEstimator):
    n_components: int
    prior_tasks: float
    task_features: ArrayLike | dict[Any, Any] | None
    gate_ridge: float
    n_init: int
    random_state: int | RandomState
    fit_intercept: bool
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
    probabilities_: NDArray[Any]
    labels_: NDArray[Any]
    shares_: NDArray[Any]
    component_coef_: NDArray[Any]
    component_intercept_: NDArray[Any]
    component_covariance_: NDArray[Any]
    gate_: Any
    def __init__(
        self,
        n_components: int = 2,
        prior_tasks: float = 2.0,
        task_features: ArrayLike | dict[Any, Any] | None = None,
        gate_ridge: float = 0.01,
        *,
        n_init: int = 5,
        random_state: int | RandomState = 0,
        fit_intercept: bool = True,
        task_column: str | int | None = None,
        offset_column: str | int | None = None,
        unseen_task: Literal["error", "mean"] = "error",
        max_iter: int = 1000,
        tol: float = 0.0001,
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

class DirichletProcessTasksRegressor(RegressorMixin, BaseEstimator):
    n_clusters: int | None
    concentration: float | None
    n_init: int
    random_state: int | RandomState
    fit_intercept: bool
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
    n_clusters_: int
    probabilities_: NDArray[Any]
    cluster_coef_: NDArray[Any]
    cluster_intercept_: NDArray[Any]
    concentration_: float
    noise_: float
    def __init__(
        self,
        n_clusters: int | None = None,
        concentration: float | None = None,
        *,
        n_init: int = 5,
        random_state: int | RandomState = 0,
        fit_intercept: bool = True,
        task_column: str | int | None = None,
        offset_column: str | int | None = None,
        unseen_task: Literal["error", "mean"] = "error",
        max_iter: int = 500,
        tol: float = 1e-06,
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

class DirichletProcessTasksClassifier(ClassifierMixin, BaseEstimator):
    n_clusters: int | None
    concentration: float | None
    n_init: int
    random_state: int | RandomState
    fit_intercept: bool
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
    n_clusters_: int
    probabilities_: NDArray[Any]
    cluster_coef_: NDArray[Any]
    cluster_intercept_: NDArray[Any]
    concentration_: float
    def __init__(
        self,
        n_clusters: int | None = None,
        concentration: float | None = None,
        *,
        n_init: int = 5,
        random_state: int | RandomState = 0,
        fit_intercept: bool = True,
        task_column: str | int | None = None,
        offset_column: str | int | None = None,
        unseen_task: Literal["error", "mean"] = "error",
        max_iter: int = 500,
        tol: float = 1e-06,
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

class LatentHierarchyRegressor(RegressorMixin, BaseEstimator):
    n_init: int
    random_state: int | RandomState
    fit_intercept: bool
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
    linkage_: NDArray[Any]
    task_covariance_: NDArray[Any]
    noise_: float
    def __init__(
        self,
        *,
        n_init: int = 3,
        random_state: int | RandomState = 0,
        fit_intercept: bool = True,
        task_column: str | int | None = None,
        offset_column: str | int | None = None,
        unseen_task: Literal["error", "mean"] = "error",
        max_iter: int = 200,
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

class LatentHierarchyClassifier(ClassifierMixin, BaseEstimator):
    n_init: int
    random_state: int | RandomState
    fit_intercept: bool
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
    linkage_: NDArray[Any]
    task_covariance_: NDArray[Any]
    def __init__(
        self,
        *,
        n_init: int = 3,
        random_state: int | RandomState = 0,
        fit_intercept: bool = True,
        task_column: str | int | None = None,
        offset_column: str | int | None = None,
        unseen_task: Literal["error", "mean"] = "error",
        max_iter: int = 200,
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
