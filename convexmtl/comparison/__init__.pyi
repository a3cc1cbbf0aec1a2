"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from collections.abc import Callable, Sequence
from typing import Any, Self

from numpy.typing import ArrayLike, NDArray

class Comparison:
    models: list[str]
    tasks: NDArray[Any]
    scores: NDArray[Any]
    single_task_scores: NDArray[Any]
    pooled_scores: NDArray[Any]
    n_train: NDArray[Any]
    n_test: NDArray[Any]
    scoring: str
    alpha: float
    def __init__(
        self,
        models: Sequence[Any] | NDArray[Any],
        tasks: NDArray[Any],
        scores: NDArray[Any],
        single_task_scores: NDArray[Any],
        pooled_scores: NDArray[Any],
        n_train: NDArray[Any],
        n_test: NDArray[Any],
        scoring: str,
        sign: Any,
        alpha: float,
    ) -> None: ...
    @property
    def frame(self) -> Any: ...
    def helped(self, model: str | None = None) -> list[Any]: ...
    def hurt(self, model: str | None = None) -> list[Any]: ...
    def plot(self, model: str | None = None, *, max_rows: int = 40, ax: Any = None) -> Self: ...
    @property
    def rows(self) -> list[dict[str, Any]]: ...
    def summary(self) -> str: ...
    def unaffected(self, model: str | None = None) -> list[Any]: ...

def compare_tasks(
    estimators: Any,
    X: Any,
    y: Any,
    *,
    task: ArrayLike | None = None,
    cv: Any = None,
    scoring: str | Callable[..., Any] | None = None,
    alpha: float = 0.05,
    n_jobs: int | None = None,
) -> Comparison: ...
