"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from typing import Any

from numpy.typing import ArrayLike, NDArray

class PredictionInterval:
    alpha: float
    tasks: list[Any]
    n_calibration: NDArray[Any]
    source: NDArray[Any]
    half_width: NDArray[Any]
    other_half_width: float
    def __init__(self, estimator: Any, targets: Any, alpha: float, labelled: Any, names: Any) -> None: ...
    def predict(self, X: Any, *, task: ArrayLike | None = None) -> NDArray[Any]: ...

def prediction_interval(
    estimator: Any,
    X_cal: Any,
    y_cal: ArrayLike,
    *,
    task: ArrayLike | None = None,
    alpha: float = 0.1,
) -> PredictionInterval: ...
