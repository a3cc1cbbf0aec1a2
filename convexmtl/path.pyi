"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike, NDArray

class Path:
    alphas: NDArray[Any]
    strengths: list[dict[str, float]]
    coefs: NDArray[Any]
    intercepts: NDArray[Any]
    objectives: NDArray[Any]
    dual_gaps: NDArray[Any]
    n_iters: NDArray[Any]
    tasks: NDArray[Any]
    feature_names: NDArray[Any] | None
    def __init__(
        self,
        alphas: NDArray[Any],
        strengths: Sequence[Any] | NDArray[Any],
        coefs: NDArray[Any],
        intercepts: NDArray[Any],
        objectives: NDArray[Any],
        dual_gaps: NDArray[Any],
        n_iters: NDArray[Any],
        tasks: NDArray[Any],
        feature_names: NDArray[Any] | None,
    ) -> None: ...

def alpha_max(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    task: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    offset: ArrayLike | None = None,
) -> float | dict[str, float]: ...

def regularization_path(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    task: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    alphas: int | ArrayLike = 100,
    eps: float = 0.01,
) -> Path: ...
