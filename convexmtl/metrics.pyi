"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from collections.abc import Callable
from typing import Any, Literal, Self

from numpy.typing import ArrayLike, NDArray

class TaskScorer:
    def __init__(
        self,
        metric: Callable[..., Any],
        *,
        greater_is_better: bool = True,
        task_column: str | int | None = None,
        **kwargs: Any,
    ) -> None: ...
    def set_score_request(self, **kwargs: bool | str | None) -> Self: ...

def explained_variance(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    task: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    average: Literal["pooled", "size", "equal"] | None = "pooled",
) -> float | NDArray[Any]: ...

def nmse(
    y_true: Any,
    y_pred: Any,
    *,
    task: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    average: Literal["equal", "size", "pooled"] | None = "equal",
) -> float | NDArray[Any]: ...

def task_scores(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    task: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    metrics: dict[str, Callable[..., Any]] | None = None,
) -> Any: ...
