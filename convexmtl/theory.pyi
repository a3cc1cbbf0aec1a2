"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from typing import Any, Literal

from numpy.random import RandomState
from numpy.typing import ArrayLike

def alpha_theory(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    task: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    noise: Literal["pooled", "task"] | float | ArrayLike = "pooled",
    bound: Literal["tail", "simulated"] = "tail",
    slack: float = 1.0,
    level: float = 0.05,
    n_draws: int = 200,
    random_state: int | RandomState | None = 0,
) -> float | dict[str, float]: ...
