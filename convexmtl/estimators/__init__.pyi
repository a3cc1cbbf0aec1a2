"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from collections.abc import Sequence
from typing import Any, Literal, Self

from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin  # type: ignore[import-untyped]

from convexmtl.losses import Loss
from convexmtl.penalties import Penalty
from convexmtl.statistics import SufficientStatistics

__all__: list[str]

class _Regressor(RegressorMixin, BaseEstimator):
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
    statistics_: SufficientStatistics
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> Self: ...
    def fit_statistics(self, statistics: SufficientStatistics) -> Self: ...
    def partial_fit(
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
    def set_partial_fit_request(
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

class BlockSparseRegressor(_Regressor):
    alpha: float | ArrayLike
    q: float
    l1_ratio: float
    positive: bool
    feature_groups: ArrayLike | Sequence[Any] | NDArray[Any] | dict[Any, Any] | None
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
    groups_: NDArray[Any]
    feature_groups_: NDArray[Any]
    group_norms_: NDArray[Any]
    ridge_tasks_: NDArray[Any]
    def __init__(
        self,
        alpha: float | ArrayLike = 0.1,
        q: float = 2,
        l1_ratio: float = 1.0,
        *,
        positive: bool = False,
        feature_groups: ArrayLike | Sequence[Any] | NDArray[Any] | dict[Any, Any] | None = None,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
    ) -> None: ...

class ClusteredRegressor(_Regressor):
    clusters: ArrayLike | dict[Any, Any] | None
    n_clusters: int
    alpha_mean: float
    alpha_between: float
    alpha_within: float
    labels_: NDArray[Any]
    task_covariance_: NDArray[Any]
    def __init__(
        self,
        clusters: ArrayLike | dict[Any, Any] | None = None,
        n_clusters: int = 2,
        alpha_mean: float = 0.1,
        alpha_between: float = 0.1,
        alpha_within: float = 1.0,
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
    ) -> None: ...

class DirtyRegressor(_Regressor):
    alpha_block: float
    alpha_sparse: float
    q: float
    positive: bool
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
    ridge_tasks_: NDArray[Any]
    block_: NDArray[Any]
    sparse_: NDArray[Any]
    def __init__(
        self,
        alpha_block: float = 0.1,
        alpha_sparse: float = 0.05,
        q: float = ...,
        *,
        positive: bool = False,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
    ) -> None: ...

class GraphGuidedRegressor(_Regressor):
    graph: Any
    alpha: float
    norm: Literal["l1", "l2"]
    alpha_sparse: float
    positive: bool
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
    ridge_tasks_: NDArray[Any]
    def __init__(
        self,
        graph: Any = None,
        alpha: float = 0.1,
        norm: Literal["l1", "l2"] = "l1",
        alpha_sparse: float = 0.0,
        *,
        positive: bool = False,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
    ) -> None: ...

class MeanRegularizedRegressor(_Regressor):
    alpha_mean: float
    alpha_variance: float
    mean_coef_: NDArray[Any]
    def __init__(
        self,
        alpha_mean: float = 0.1,
        alpha_variance: float = 1.0,
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
    ) -> None: ...

class MultiTaskRegressor(_Regressor):
    penalty: Penalty | None
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
    ridge_tasks_: NDArray[Any]
    rank_: Any
    block_: Any
    def __init__(
        self,
        penalty: Penalty | None = None,
        *,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class RobustFeatureRegressor(_Regressor):
    alpha_group: float
    alpha_outlier: float
    shared_: NDArray[Any]
    outlier_: NDArray[Any]
    outlier_tasks_: NDArray[Any]
    def __init__(
        self,
        alpha_group: float = 0.1,
        alpha_outlier: float = 0.1,
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
    ) -> None: ...

class RobustLowRankRegressor(_Regressor):
    alpha_low_rank: float
    alpha_outlier: float
    low_rank_: NDArray[Any]
    outlier_: NDArray[Any]
    outlier_tasks_: NDArray[Any]
    def __init__(
        self,
        alpha_low_rank: float = 0.1,
        alpha_outlier: float = 0.1,
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
    ) -> None: ...

class SharedFeatureRegressor(_Regressor):
    alpha: float
    feature_covariance_: NDArray[Any]
    def __init__(
        self,
        alpha: float = 0.1,
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
    ) -> None: ...

class SharedStructureRegressor(_Regressor):
    alpha: float
    eta: float
    n_components: int
    components_: NDArray[Any]
    def __init__(
        self,
        alpha: float = 0.1,
        eta: float = 1.0,
        n_components: int = 1,
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
    ) -> None: ...

class SparseGroupRegressor(_Regressor):
    alpha: float
    l1_ratio: float
    positive: bool
    feature_groups: ArrayLike | Sequence[Any] | NDArray[Any] | dict[Any, Any] | None
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
    groups_: NDArray[Any]
    feature_groups_: NDArray[Any]
    group_norms_: NDArray[Any]
    ridge_tasks_: NDArray[Any]
    def __init__(
        self,
        alpha: float = 0.1,
        l1_ratio: float = 0.5,
        *,
        positive: bool = False,
        feature_groups: ArrayLike | Sequence[Any] | NDArray[Any] | dict[Any, Any] | None = None,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
    ) -> None: ...

class SparseLowRankRegressor(_Regressor):
    alpha_sparse: float
    alpha_low_rank: float
    sparse_: NDArray[Any]
    low_rank_: NDArray[Any]
    def __init__(
        self,
        alpha_sparse: float = 0.05,
        alpha_low_rank: float = 0.1,
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
    ) -> None: ...

class TaskRelationshipRegressor(_Regressor):
    alpha: float
    alpha_ridge: float
    task_covariance_: NDArray[Any]
    task_correlation_: NDArray[Any]
    def __init__(
        self,
        alpha: float = 0.1,
        alpha_ridge: float = 0.0,
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
    ) -> None: ...

class TemporalRegressor(_Regressor):
    alpha_smooth: float
    norm: Literal["l1", "l2"]
    alpha_sparse: float
    alpha_group: float
    alpha_ridge: float
    order: Any
    positive: bool
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
    ridge_tasks_: NDArray[Any]
    def __init__(
        self,
        alpha_smooth: float = 0.1,
        norm: Literal["l1", "l2"] = "l1",
        alpha_sparse: float = 0.0,
        alpha_group: float = 0.0,
        alpha_ridge: float = 0.0,
        order: Any = None,
        *,
        positive: bool = False,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
    ) -> None: ...

class TraceNormRegressor(_Regressor):
    alpha: float
    rank_: int
    def __init__(
        self,
        alpha: float = 0.1,
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
    ) -> None: ...

class TreeGuidedRegressor(_Regressor):
    tree: Any
    alpha: float
    positive: bool
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
    ridge_tasks_: NDArray[Any]
    def __init__(
        self,
        tree: Any = None,
        alpha: float = 0.1,
        *,
        positive: bool = False,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
    ) -> None: ...

class _RegressorCV(RegressorMixin, BaseEstimator):
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

class BlockSparseRegressorCV(_RegressorCV):
    l1_ratio: float | Sequence[Any] | NDArray[Any]
    q: float
    positive: bool
    feature_groups: ArrayLike | Sequence[Any] | NDArray[Any] | dict[Any, Any] | None
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
    alpha_: float
    l1_ratio_: float
    groups_: NDArray[Any]
    feature_groups_: NDArray[Any]
    group_norms_: NDArray[Any]
    ridge_tasks_: NDArray[Any]
    def __init__(
        self,
        *,
        l1_ratio: float | Sequence[Any] | NDArray[Any] = 1.0,
        q: float = 2,
        positive: bool = False,
        feature_groups: ArrayLike | Sequence[Any] | NDArray[Any] | dict[Any, Any] | None = None,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
        alphas: int | ArrayLike = 100,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class ClusteredRegressorCV(_RegressorCV):
    clusters: ArrayLike | dict[Any, Any] | None
    n_clusters: int
    ratios: int | ArrayLike
    alpha_mean_: float
    alpha_between_: float
    alpha_within_: float
    labels_: NDArray[Any]
    task_covariance_: NDArray[Any]
    def __init__(
        self,
        clusters: ArrayLike | dict[Any, Any] | None = None,
        n_clusters: int = 2,
        *,
        ratios: int | ArrayLike = 5,
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
        alphas: int | ArrayLike = 30,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class DirtyRegressorCV(_RegressorCV):
    ratios: int | ArrayLike
    q: float
    positive: bool
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
    alpha_block_: float
    alpha_sparse_: float
    ridge_tasks_: NDArray[Any]
    block_: NDArray[Any]
    sparse_: NDArray[Any]
    def __init__(
        self,
        *,
        ratios: int | ArrayLike = 5,
        q: float = ...,
        positive: bool = False,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
        alphas: int | ArrayLike = 30,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class GraphGuidedRegressorCV(_RegressorCV):
    graph: Any
    ratios: int | ArrayLike
    norm: Literal["l1", "l2"]
    positive: bool
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
    alpha_: float
    alpha_sparse_: float
    ridge_tasks_: NDArray[Any]
    def __init__(
        self,
        graph: Any = None,
        *,
        ratios: int | ArrayLike = 5,
        norm: Literal["l1", "l2"] = "l1",
        positive: bool = False,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
        alphas: int | ArrayLike = 30,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class MeanRegularizedRegressorCV(_RegressorCV):
    ratios: int | ArrayLike
    alpha_mean_: float
    alpha_variance_: float
    mean_coef_: NDArray[Any]
    def __init__(
        self,
        *,
        ratios: int | ArrayLike = 5,
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
        alphas: int | ArrayLike = 30,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class MultiTaskRegressorCV(_RegressorCV):
    penalty: Penalty | None
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
    @property
    def penalty_(self) -> Penalty: ...
    alpha_: float
    ridge_tasks_: NDArray[Any]
    def __init__(
        self,
        penalty: Penalty | None = None,
        *,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
        alphas: int | ArrayLike = 100,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class RobustFeatureRegressorCV(_RegressorCV):
    ratios: int | ArrayLike
    alpha_group_: float
    alpha_outlier_: float
    shared_: NDArray[Any]
    outlier_: NDArray[Any]
    outlier_tasks_: NDArray[Any]
    def __init__(
        self,
        *,
        ratios: int | ArrayLike = 5,
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
        alphas: int | ArrayLike = 30,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class RobustLowRankRegressorCV(_RegressorCV):
    ratios: int | ArrayLike
    alpha_low_rank_: float
    alpha_outlier_: float
    low_rank_: NDArray[Any]
    outlier_: NDArray[Any]
    outlier_tasks_: NDArray[Any]
    def __init__(
        self,
        *,
        ratios: int | ArrayLike = 5,
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
        alphas: int | ArrayLike = 30,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class SharedFeatureRegressorCV(_RegressorCV):
    alpha_: float
    feature_covariance_: NDArray[Any]
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
        alphas: int | ArrayLike = 100,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class SharedStructureRegressorCV(_RegressorCV):
    eta: float | Sequence[Any] | NDArray[Any]
    n_components: int | Sequence[Any] | NDArray[Any]
    alpha_: float
    eta_: float
    n_components_: float
    components_: NDArray[Any]
    def __init__(
        self,
        *,
        eta: float | Sequence[Any] | NDArray[Any] = 1.0,
        n_components: int | Sequence[Any] | NDArray[Any] = 1,
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
        alphas: int | ArrayLike = 100,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class SparseGroupRegressorCV(_RegressorCV):
    l1_ratio: float | Sequence[Any] | NDArray[Any]
    positive: bool
    feature_groups: ArrayLike | Sequence[Any] | NDArray[Any] | dict[Any, Any] | None
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
    alpha_: float
    l1_ratio_: float
    groups_: NDArray[Any]
    feature_groups_: NDArray[Any]
    group_norms_: NDArray[Any]
    ridge_tasks_: NDArray[Any]
    def __init__(
        self,
        *,
        l1_ratio: float | Sequence[Any] | NDArray[Any] = 0.5,
        positive: bool = False,
        feature_groups: ArrayLike | Sequence[Any] | NDArray[Any] | dict[Any, Any] | None = None,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
        alphas: int | ArrayLike = 100,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class SparseLowRankRegressorCV(_RegressorCV):
    ratios: int | ArrayLike
    alpha_sparse_: float
    alpha_low_rank_: float
    sparse_: NDArray[Any]
    low_rank_: NDArray[Any]
    def __init__(
        self,
        *,
        ratios: int | ArrayLike = 5,
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
        alphas: int | ArrayLike = 30,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class TaskRelationshipRegressorCV(_RegressorCV):
    ratios: int | Sequence[Any] | NDArray[Any]
    alpha_: float
    alpha_ridge_: float
    task_covariance_: NDArray[Any]
    task_correlation_: NDArray[Any]
    def __init__(
        self,
        *,
        ratios: int | Sequence[Any] | NDArray[Any] = 2,
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
        alphas: int | ArrayLike = 30,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class TemporalRegressorCV(_RegressorCV):
    sparse_ratios: Sequence[Any] | NDArray[Any]
    group_ratios: Sequence[Any] | NDArray[Any]
    ridge_ratios: Sequence[Any] | NDArray[Any]
    norm: Literal["l1", "l2"]
    order: Any
    positive: bool
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
    alpha_smooth_: float
    alpha_sparse_: float
    alpha_group_: float
    alpha_ridge_: float
    ridge_tasks_: NDArray[Any]
    def __init__(
        self,
        *,
        sparse_ratios: Sequence[Any] | NDArray[Any] = (0.1, 1.0),
        group_ratios: Sequence[Any] | NDArray[Any] = (0.0, 1.0),
        ridge_ratios: Sequence[Any] | NDArray[Any] = (0.0,),
        norm: Literal["l1", "l2"] = "l1",
        order: Any = None,
        positive: bool = False,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
        alphas: int | ArrayLike = 30,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class TraceNormRegressorCV(_RegressorCV):
    alpha_: float
    rank_: int
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
        alphas: int | ArrayLike = 100,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class TreeGuidedRegressorCV(_RegressorCV):
    tree: Any
    positive: bool
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
    alpha_: float
    ridge_tasks_: NDArray[Any]
    def __init__(
        self,
        tree: Any = None,
        *,
        positive: bool = False,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
        alphas: int | ArrayLike = 100,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class _Classifier(ClassifierMixin, BaseEstimator):
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

class BlockSparseClassifier(_Classifier):
    alpha: float | ArrayLike
    q: float
    l1_ratio: float
    positive: bool
    feature_groups: ArrayLike | Sequence[Any] | NDArray[Any] | dict[Any, Any] | None
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
    groups_: NDArray[Any]
    feature_groups_: NDArray[Any]
    group_norms_: NDArray[Any]
    ridge_tasks_: NDArray[Any]
    def __init__(
        self,
        alpha: float | ArrayLike = 0.1,
        q: float = 2,
        l1_ratio: float = 1.0,
        *,
        positive: bool = False,
        feature_groups: ArrayLike | Sequence[Any] | NDArray[Any] | dict[Any, Any] | None = None,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
    ) -> None: ...

class ClusteredClassifier(_Classifier):
    clusters: ArrayLike | dict[Any, Any] | None
    n_clusters: int
    alpha_mean: float
    alpha_between: float
    alpha_within: float
    labels_: NDArray[Any]
    task_covariance_: NDArray[Any]
    def __init__(
        self,
        clusters: ArrayLike | dict[Any, Any] | None = None,
        n_clusters: int = 2,
        alpha_mean: float = 0.1,
        alpha_between: float = 0.1,
        alpha_within: float = 1.0,
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
    ) -> None: ...

class DirtyClassifier(_Classifier):
    alpha_block: float
    alpha_sparse: float
    q: float
    positive: bool
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
    ridge_tasks_: NDArray[Any]
    block_: NDArray[Any]
    sparse_: NDArray[Any]
    def __init__(
        self,
        alpha_block: float = 0.1,
        alpha_sparse: float = 0.05,
        q: float = ...,
        *,
        positive: bool = False,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
    ) -> None: ...

class GraphGuidedClassifier(_Classifier):
    graph: Any
    alpha: float
    norm: Literal["l1", "l2"]
    alpha_sparse: float
    positive: bool
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
    ridge_tasks_: NDArray[Any]
    def __init__(
        self,
        graph: Any = None,
        alpha: float = 0.1,
        norm: Literal["l1", "l2"] = "l1",
        alpha_sparse: float = 0.0,
        *,
        positive: bool = False,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
    ) -> None: ...

class MeanRegularizedClassifier(_Classifier):
    alpha_mean: float
    alpha_variance: float
    mean_coef_: NDArray[Any]
    def __init__(
        self,
        alpha_mean: float = 0.1,
        alpha_variance: float = 1.0,
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
    ) -> None: ...

class MultiTaskClassifier(_Classifier):
    penalty: Penalty | None
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
    ridge_tasks_: NDArray[Any]
    rank_: Any
    block_: Any
    def __init__(
        self,
        penalty: Penalty | None = None,
        *,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class RobustFeatureClassifier(_Classifier):
    alpha_group: float
    alpha_outlier: float
    shared_: NDArray[Any]
    outlier_: NDArray[Any]
    outlier_tasks_: NDArray[Any]
    def __init__(
        self,
        alpha_group: float = 0.1,
        alpha_outlier: float = 0.1,
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
    ) -> None: ...

class RobustLowRankClassifier(_Classifier):
    alpha_low_rank: float
    alpha_outlier: float
    low_rank_: NDArray[Any]
    outlier_: NDArray[Any]
    outlier_tasks_: NDArray[Any]
    def __init__(
        self,
        alpha_low_rank: float = 0.1,
        alpha_outlier: float = 0.1,
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
    ) -> None: ...

class SharedFeatureClassifier(_Classifier):
    alpha: float
    feature_covariance_: NDArray[Any]
    def __init__(
        self,
        alpha: float = 0.1,
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
    ) -> None: ...

class SharedStructureClassifier(_Classifier):
    alpha: float
    eta: float
    n_components: int
    components_: NDArray[Any]
    def __init__(
        self,
        alpha: float = 0.1,
        eta: float = 1.0,
        n_components: int = 1,
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
    ) -> None: ...

class SparseGroupClassifier(_Classifier):
    alpha: float
    l1_ratio: float
    positive: bool
    feature_groups: ArrayLike | Sequence[Any] | NDArray[Any] | dict[Any, Any] | None
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
    groups_: NDArray[Any]
    feature_groups_: NDArray[Any]
    group_norms_: NDArray[Any]
    ridge_tasks_: NDArray[Any]
    def __init__(
        self,
        alpha: float = 0.1,
        l1_ratio: float = 0.5,
        *,
        positive: bool = False,
        feature_groups: ArrayLike | Sequence[Any] | NDArray[Any] | dict[Any, Any] | None = None,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
    ) -> None: ...

class SparseLowRankClassifier(_Classifier):
    alpha_sparse: float
    alpha_low_rank: float
    sparse_: NDArray[Any]
    low_rank_: NDArray[Any]
    def __init__(
        self,
        alpha_sparse: float = 0.05,
        alpha_low_rank: float = 0.1,
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
    ) -> None: ...

class TaskRelationshipClassifier(_Classifier):
    alpha: float
    alpha_ridge: float
    task_covariance_: NDArray[Any]
    task_correlation_: NDArray[Any]
    def __init__(
        self,
        alpha: float = 0.1,
        alpha_ridge: float = 0.0,
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
    ) -> None: ...

class TemporalClassifier(_Classifier):
    alpha_smooth: float
    norm: Literal["l1", "l2"]
    alpha_sparse: float
    alpha_group: float
    alpha_ridge: float
    order: Any
    positive: bool
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
    ridge_tasks_: NDArray[Any]
    def __init__(
        self,
        alpha_smooth: float = 0.1,
        norm: Literal["l1", "l2"] = "l1",
        alpha_sparse: float = 0.0,
        alpha_group: float = 0.0,
        alpha_ridge: float = 0.0,
        order: Any = None,
        *,
        positive: bool = False,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
    ) -> None: ...

class TraceNormClassifier(_Classifier):
    alpha: float
    rank_: int
    def __init__(
        self,
        alpha: float = 0.1,
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
    ) -> None: ...

class TreeGuidedClassifier(_Classifier):
    tree: Any
    alpha: float
    positive: bool
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
    ridge_tasks_: NDArray[Any]
    def __init__(
        self,
        tree: Any = None,
        alpha: float = 0.1,
        *,
        positive: bool = False,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
    ) -> None: ...

class _ClassifierCV(ClassifierMixin, BaseEstimator):
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

class BlockSparseClassifierCV(_ClassifierCV):
    l1_ratio: float | Sequence[Any] | NDArray[Any]
    q: float
    positive: bool
    feature_groups: ArrayLike | Sequence[Any] | NDArray[Any] | dict[Any, Any] | None
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
    alpha_: float
    l1_ratio_: float
    groups_: NDArray[Any]
    feature_groups_: NDArray[Any]
    group_norms_: NDArray[Any]
    ridge_tasks_: NDArray[Any]
    def __init__(
        self,
        *,
        l1_ratio: float | Sequence[Any] | NDArray[Any] = 1.0,
        q: float = 2,
        positive: bool = False,
        feature_groups: ArrayLike | Sequence[Any] | NDArray[Any] | dict[Any, Any] | None = None,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
        alphas: int | ArrayLike = 100,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class ClusteredClassifierCV(_ClassifierCV):
    clusters: ArrayLike | dict[Any, Any] | None
    n_clusters: int
    ratios: int | ArrayLike
    alpha_mean_: float
    alpha_between_: float
    alpha_within_: float
    labels_: NDArray[Any]
    task_covariance_: NDArray[Any]
    def __init__(
        self,
        clusters: ArrayLike | dict[Any, Any] | None = None,
        n_clusters: int = 2,
        *,
        ratios: int | ArrayLike = 5,
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
        alphas: int | ArrayLike = 30,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class DirtyClassifierCV(_ClassifierCV):
    ratios: int | ArrayLike
    q: float
    positive: bool
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
    alpha_block_: float
    alpha_sparse_: float
    ridge_tasks_: NDArray[Any]
    block_: NDArray[Any]
    sparse_: NDArray[Any]
    def __init__(
        self,
        *,
        ratios: int | ArrayLike = 5,
        q: float = ...,
        positive: bool = False,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
        alphas: int | ArrayLike = 30,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class GraphGuidedClassifierCV(_ClassifierCV):
    graph: Any
    ratios: int | ArrayLike
    norm: Literal["l1", "l2"]
    positive: bool
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
    alpha_: float
    alpha_sparse_: float
    ridge_tasks_: NDArray[Any]
    def __init__(
        self,
        graph: Any = None,
        *,
        ratios: int | ArrayLike = 5,
        norm: Literal["l1", "l2"] = "l1",
        positive: bool = False,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
        alphas: int | ArrayLike = 30,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class MeanRegularizedClassifierCV(_ClassifierCV):
    ratios: int | ArrayLike
    alpha_mean_: float
    alpha_variance_: float
    mean_coef_: NDArray[Any]
    def __init__(
        self,
        *,
        ratios: int | ArrayLike = 5,
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
        alphas: int | ArrayLike = 30,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class MultiTaskClassifierCV(_ClassifierCV):
    penalty: Penalty | None
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
    @property
    def penalty_(self) -> Penalty: ...
    alpha_: float
    ridge_tasks_: NDArray[Any]
    def __init__(
        self,
        penalty: Penalty | None = None,
        *,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
        alphas: int | ArrayLike = 100,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class RobustFeatureClassifierCV(_ClassifierCV):
    ratios: int | ArrayLike
    alpha_group_: float
    alpha_outlier_: float
    shared_: NDArray[Any]
    outlier_: NDArray[Any]
    outlier_tasks_: NDArray[Any]
    def __init__(
        self,
        *,
        ratios: int | ArrayLike = 5,
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
        alphas: int | ArrayLike = 30,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class RobustLowRankClassifierCV(_ClassifierCV):
    ratios: int | ArrayLike
    alpha_low_rank_: float
    alpha_outlier_: float
    low_rank_: NDArray[Any]
    outlier_: NDArray[Any]
    outlier_tasks_: NDArray[Any]
    def __init__(
        self,
        *,
        ratios: int | ArrayLike = 5,
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
        alphas: int | ArrayLike = 30,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class SharedFeatureClassifierCV(_ClassifierCV):
    alpha_: float
    feature_covariance_: NDArray[Any]
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
        alphas: int | ArrayLike = 100,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class SharedStructureClassifierCV(_ClassifierCV):
    eta: float | Sequence[Any] | NDArray[Any]
    n_components: int | Sequence[Any] | NDArray[Any]
    alpha_: float
    eta_: float
    n_components_: float
    components_: NDArray[Any]
    def __init__(
        self,
        *,
        eta: float | Sequence[Any] | NDArray[Any] = 1.0,
        n_components: int | Sequence[Any] | NDArray[Any] = 1,
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
        alphas: int | ArrayLike = 100,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class SparseGroupClassifierCV(_ClassifierCV):
    l1_ratio: float | Sequence[Any] | NDArray[Any]
    positive: bool
    feature_groups: ArrayLike | Sequence[Any] | NDArray[Any] | dict[Any, Any] | None
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
    alpha_: float
    l1_ratio_: float
    groups_: NDArray[Any]
    feature_groups_: NDArray[Any]
    group_norms_: NDArray[Any]
    ridge_tasks_: NDArray[Any]
    def __init__(
        self,
        *,
        l1_ratio: float | Sequence[Any] | NDArray[Any] = 0.5,
        positive: bool = False,
        feature_groups: ArrayLike | Sequence[Any] | NDArray[Any] | dict[Any, Any] | None = None,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
        alphas: int | ArrayLike = 100,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class SparseLowRankClassifierCV(_ClassifierCV):
    ratios: int | ArrayLike
    alpha_sparse_: float
    alpha_low_rank_: float
    sparse_: NDArray[Any]
    low_rank_: NDArray[Any]
    def __init__(
        self,
        *,
        ratios: int | ArrayLike = 5,
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
        alphas: int | ArrayLike = 30,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class TaskRelationshipClassifierCV(_ClassifierCV):
    ratios: int | Sequence[Any] | NDArray[Any]
    alpha_: float
    alpha_ridge_: float
    task_covariance_: NDArray[Any]
    task_correlation_: NDArray[Any]
    def __init__(
        self,
        *,
        ratios: int | Sequence[Any] | NDArray[Any] = 2,
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
        alphas: int | ArrayLike = 30,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class TemporalClassifierCV(_ClassifierCV):
    sparse_ratios: Sequence[Any] | NDArray[Any]
    group_ratios: Sequence[Any] | NDArray[Any]
    ridge_ratios: Sequence[Any] | NDArray[Any]
    norm: Literal["l1", "l2"]
    order: Any
    positive: bool
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
    alpha_smooth_: float
    alpha_sparse_: float
    alpha_group_: float
    alpha_ridge_: float
    ridge_tasks_: NDArray[Any]
    def __init__(
        self,
        *,
        sparse_ratios: Sequence[Any] | NDArray[Any] = (0.1, 1.0),
        group_ratios: Sequence[Any] | NDArray[Any] = (0.0, 1.0),
        ridge_ratios: Sequence[Any] | NDArray[Any] = (0.0,),
        norm: Literal["l1", "l2"] = "l1",
        order: Any = None,
        positive: bool = False,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
        alphas: int | ArrayLike = 30,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class TraceNormClassifierCV(_ClassifierCV):
    alpha_: float
    rank_: int
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
        alphas: int | ArrayLike = 100,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class TreeGuidedClassifierCV(_ClassifierCV):
    tree: Any
    positive: bool
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
    alpha_: float
    ridge_tasks_: NDArray[Any]
    def __init__(
        self,
        tree: Any = None,
        *,
        positive: bool = False,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
        alphas: int | ArrayLike = 100,
        eps: float = 0.001,
        cv: Any = None,
        n_jobs: int | None = None,
        selection: Literal["best", "1se", "aic", "bic", "ebic", "sure"] = "best",
    ) -> None: ...

class MultiTaskMixed(BaseEstimator):
    penalty: Penalty | None
    losses: dict[Any, str] | Loss | None
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
    fit_intercept: bool
    task_weight: Literal["equal", "size"] | ArrayLike
    task_column: str | int | None
    offset_column: str | int | None
    unseen_task: Literal["error", "mean"]
    max_iter: int
    tol: float
    warm_start: bool
    verbose: int
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
    ridge_tasks_: NDArray[Any]
    @property
    def classes_(self) -> list[Any] | None: ...
    rank_: Any
    block_: Any
    def __init__(
        self,
        penalty: Penalty | None = None,
        losses: dict[Any, str] | Loss | None = None,
        *,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
    def loss(self) -> Any: ...
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
    def score_tasks(
        self,
        X: Any,
        y: Any,
        *,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> dict[Any, Any]: ...
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

class MultiTaskMixedCV(BaseEstimator):
    penalty: Penalty | None
    losses: dict[Any, str] | Loss | None
    feature_weights: ArrayLike | dict[Any, Any] | None
    refit: Literal["relaxed"] | None
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
    @property
    def penalty_(self) -> Penalty: ...
    alpha_: float
    @property
    def classes_(self) -> list[Any] | None: ...
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
    ridge_tasks_: NDArray[Any]
    def __init__(
        self,
        penalty: Penalty | None = None,
        losses: dict[Any, str] | Loss | None = None,
        *,
        feature_weights: ArrayLike | dict[Any, Any] | None = None,
        refit: Literal["relaxed"] | None = None,
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
    def loss(self) -> Any: ...
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
    def score_tasks(
        self,
        X: Any,
        y: Any,
        *,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> dict[Any, Any]: ...
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
