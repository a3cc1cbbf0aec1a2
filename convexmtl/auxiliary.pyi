"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike, NDArray

class AuxiliarySelection:
    main: Any
    selected: list[ArrayLike]
    gains: NDArray[Any]
    nested_gain: float
    nested_standard_error: float
    nested_selected: list[Any]
    candidates: NDArray[Any]
    single_gains: NDArray[Any]
    def __init__(
        self,
        main: Any,
        selected: Sequence[Any] | NDArray[Any],
        gains: NDArray[Any],
        nested_gain: float,
        nested_standard_error: float,
        nested_selected: Sequence[Any] | NDArray[Any],
        candidates: NDArray[Any],
        single_gains: NDArray[Any],
    ) -> None: ...
    @property
    def frequencies(self) -> Any: ...
    def plot(self, ax: Any = None) -> Any: ...
    def summary(self) -> str: ...

def select_auxiliary_tasks(
    estimator: Any,
    X: Any,
    y: Any,
    main: Any,
    *,
    task: ArrayLike | None = None,
    cv: Any = None,
    sample_weight: ArrayLike | None = None,
    threshold: float = 0.5,
    n_jobs: int | None = None,
) -> AuxiliarySelection: ...

def features_as_targets(X: Any, Y: Any, columns: Any) -> tuple[Any, Any]: ...
