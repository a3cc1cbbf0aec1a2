"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from typing import Any

from numpy.typing import ArrayLike, NDArray

class ReducedTasks:
    Y: NDArray[Any]
    basis: NDArray[Any]
    mean: NDArray[Any]
    def __init__(self, Y: NDArray[Any], basis: NDArray[Any], mean: NDArray[Any]) -> None: ...
    def restore(self, coef: Any, intercept: Any = 0.0) -> Any: ...

def reduce_tasks(
    Y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    fit_intercept: bool = True,
) -> ReducedTasks: ...
