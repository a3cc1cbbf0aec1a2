"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from typing import Any

from numpy.typing import ArrayLike, NDArray

class TaskAffinity:
    matrix: NDArray[Any]
    standard_error: NDArray[Any]
    losses: NDArray[Any]
    tasks: NDArray[Any]
    def __init__(
        self,
        matrix: NDArray[Any],
        standard_error: NDArray[Any],
        losses: NDArray[Any],
        tasks: NDArray[Any],
    ) -> None: ...
    def cluster(self, n: int) -> Any: ...
    @property
    def frame(self) -> Any: ...
    def plot(
        self,
        ax: Any = None,
        *,
        n_clusters: int | None = None,
        colorbar: bool = True,
        im_kw: dict[Any, Any] | None = None,
    ) -> Any: ...

def task_affinity(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    task: ArrayLike | None = None,
    cv: Any = None,
    sample_weight: ArrayLike | None = None,
    n_jobs: int | None = None,
) -> TaskAffinity: ...
