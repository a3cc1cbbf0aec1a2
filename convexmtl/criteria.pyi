"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from typing import Any, Literal

from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray

def information_criterion(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    task: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    criterion: Literal["aic", "bic", "ebic", "sure"] = "bic",
    noise: Literal["pooled", "task"] | float | ArrayLike = "pooled",
    gamma: float = 1.0,
    n_probes: Any = 10,
    random_state: Any = 0,
) -> float: ...

def degrees_of_freedom(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    task: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    per_task: bool = False,
    n_probes: int = 10,
    random_state: int | RandomState | None = 0,
) -> float | NDArray[Any]: ...
