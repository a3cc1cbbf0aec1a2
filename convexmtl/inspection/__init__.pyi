"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, Self

from numpy.typing import ArrayLike, NDArray

class CoefficientDisplay:
    im_: Any
    others_: list[Any]
    features_: NDArray[Any]
    tasks_: NDArray[Any]
    colorbar_: Any
    ax_: Any
    figure_: Any
    def __init__(
        self,
        *,
        coef: NDArray[Any],
        feature_names: Sequence[Any] | NDArray[Any] | None = None,
        task_names: Sequence[Any] | NDArray[Any] | None = None,
    ) -> None: ...
    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        feature_names: Sequence[Any] | NDArray[Any] | None = None,
        task_names: Sequence[Any] | NDArray[Any] | None = None,
        max_features: Any = 30,
        max_tasks: Any = 200,
        ax: Any = None,
        colorbar: Any = True,
        im_kw: Any = None,
    ) -> CoefficientDisplay: ...
    def plot(
        self,
        ax: Any = None,
        *,
        max_features: int | None = 30,
        max_tasks: int | None = 200,
        colorbar: bool = True,
        im_kw: dict[Any, Any] | None = None,
    ) -> Self: ...

class PathDisplay:
    lines_: list[Any]
    others_: Any
    features_: NDArray[Any]
    ax_: Any
    figure_: Any
    def __init__(
        self,
        *,
        alphas: NDArray[Any],
        norms: NDArray[Any],
        feature_names: Sequence[Any] | NDArray[Any] | None = None,
        strength_name: str = "alpha",
    ) -> None: ...
    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        task: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        alphas: Any = 100,
        eps: Any = 0.01,
        feature_names: Sequence[Any] | NDArray[Any] | None = None,
        max_labels: Any = 10,
        max_lines: Any = 50,
        ax: Any = None,
        line_kw: Any = None,
    ) -> PathDisplay: ...
    @classmethod
    def from_path(
        cls,
        path: Any,
        *,
        feature_names: Sequence[Any] | NDArray[Any] | None = None,
        max_labels: Any = 10,
        max_lines: Any = 50,
        ax: Any = None,
        line_kw: Any = None,
    ) -> PathDisplay: ...
    def plot(
        self,
        ax: Any = None,
        *,
        max_labels: int = 10,
        max_lines: int = 50,
        line_kw: dict[Any, Any] | None = None,
    ) -> Self: ...

class CVDisplay:
    lines_: list[Any]
    fill_between_: list[Any]
    chosen_: Any
    ax_: Any
    figure_: Any
    def __init__(
        self,
        *,
        alphas: NDArray[Any],
        mse_path: NDArray[Any],
        alpha: float,
        path: int = 0,
        path_names: Sequence[Any] | NDArray[Any] | None = None,
        strength_name: str = "alpha",
        error_name: str = "Mean squared error",
    ) -> None: ...
    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        max_labels: Any = 7,
        ax: Any = None,
        line_kw: Any = None,
        fill_between_kw: Any = None,
    ) -> CVDisplay: ...
    def plot(
        self,
        ax: Any = None,
        *,
        max_labels: int = 7,
        line_kw: dict[Any, Any] | None = None,
        fill_between_kw: dict[Any, Any] | None = None,
    ) -> Self: ...

class TaskRelationshipDisplay:
    im_: Any
    tasks_: NDArray[Any]
    lines_: list[Any]
    colorbar_: Any
    ax_: Any
    figure_: Any
    def __init__(
        self,
        *,
        relation: NDArray[Any],
        task_names: Sequence[Any] | NDArray[Any] | None = None,
        labels: NDArray[Any] | None = None,
        relation_name: Literal["Correlation", "Cosine"] = "Correlation",
    ) -> None: ...
    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        task_names: Sequence[Any] | NDArray[Any] | None = None,
        ax: Any = None,
        colorbar: Any = True,
        im_kw: Any = None,
    ) -> TaskRelationshipDisplay: ...
    def plot(self, ax: Any = None, *, colorbar: bool = True, im_kw: dict[Any, Any] | None = None) -> Self: ...

class SplitDisplay:
    ims_: list[Any]
    features_: NDArray[Any]
    tasks_: NDArray[Any]
    colorbar_: Any
    axes_: NDArray[Any]
    ax_: Any
    figure_: Any
    def __init__(
        self,
        *,
        parts: dict[str, NDArray[Any]],
        feature_names: Sequence[Any] | NDArray[Any] | None = None,
        task_names: Sequence[Any] | NDArray[Any] | None = None,
    ) -> None: ...
    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        feature_names: Any = None,
        task_names: Any = None,
        max_features: Any = 20,
        max_tasks: Any = 200,
        ax: Any = None,
        colorbar: Any = True,
        im_kw: Any = None,
    ) -> SplitDisplay: ...
    def plot(
        self,
        ax: Any = None,
        *,
        max_features: int | None = 20,
        max_tasks: int | None = 200,
        colorbar: bool = True,
        im_kw: dict[Any, Any] | None = None,
    ) -> Self: ...

class TaskScoresDisplay:
    lines_: list[Any]
    tasks_: NDArray[Any]
    others_: NDArray[Any]
    ax_: Any
    figure_: Any
    def __init__(
        self,
        *,
        scores: dict[str, NDArray[Any]],
        task_names: Sequence[Any] | NDArray[Any] | None = None,
        score_name: str = "score",
    ) -> None: ...
    @classmethod
    def from_estimator(
        cls,
        estimators: Any,
        X: ArrayLike,
        y: ArrayLike,
        *,
        task: ArrayLike | None = None,
        task_column: str | int | None = None,
        sample_weight: ArrayLike | None = None,
        metric: str | Callable[..., Any] | None = None,
        task_names: Any = None,
        max_tasks: Any = 40,
        ax: Any = None,
    ) -> TaskScoresDisplay: ...
    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike | dict[Any, ArrayLike],
        *,
        task: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        metric: Any = None,
        task_names: Any = None,
        max_tasks: Any = 40,
        ax: Any = None,
    ) -> TaskScoresDisplay: ...
    @classmethod
    def from_scores(
        cls,
        tables: Any,
        *,
        metric: str | None = None,
        task_names: Sequence[Any] | NDArray[Any] | None = None,
        max_tasks: int = 40,
        ax: Any = None,
    ) -> TaskScoresDisplay: ...
    def plot(self, ax: Any = None, *, max_tasks: int = 40) -> Self: ...

class GapDisplay:
    gap_line_: Any
    objective_line_: Any
    threshold_line_: Any
    axes_: NDArray[Any]
    ax_: Any
    figure_: Any
    def __init__(
        self,
        *,
        steps: NDArray[Any],
        objectives: NDArray[Any],
        gaps: NDArray[Any],
        threshold: float | None = None,
        strength_name: str | None = None,
        name: str | None = None,
    ) -> None: ...
    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        task: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        offset: ArrayLike | None = None,
        alphas: int | ArrayLike | None = None,
        eps: float = 0.01,
        name: Any = None,
        ax: Any = None,
        line_kw: Any = None,
    ) -> GapDisplay: ...
    @classmethod
    def from_path(cls, path: Any, *, name: str | None = None, ax: Any = None, line_kw: Any = None) -> GapDisplay: ...
    def plot(self, ax: Any = None, *, line_kw: dict[Any, Any] | None = None) -> Self: ...
