"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from typing import Any

from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray

class StabilitySelection:
    frequencies: Any
    selected: NDArray[Any]
    threshold: float
    feature_frequencies: NDArray[Any]
    max_false: float
    n_selected: float
    tasks: NDArray[Any]
    feature_names: NDArray[Any] | None
    def __init__(
        self,
        frequencies: Any,
        selected: NDArray[Any],
        threshold: float,
        feature_frequencies: NDArray[Any],
        max_false: float,
        n_selected: float,
        tasks: NDArray[Any],
        feature_names: NDArray[Any] | None,
    ) -> None: ...
    def plot(self, ax: Any = None, *, max_features: int | None = 30, max_tasks: int | None = 200) -> Any: ...
    def summary(self) -> str: ...

def stability_selection(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    task: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    max_false: float = 1.0,
    path: bool = True,
    n_pairs: int = 50,
    alphas: Any = 100,
    eps: Any = 0.01,
    random_state: int | RandomState | None = None,
    n_jobs: int | None = None,
) -> StabilitySelection: ...
