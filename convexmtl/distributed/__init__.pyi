"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from collections.abc import Sequence
from typing import Any, Literal

from numpy.typing import NDArray

def fit(
    estimator: Any,
    X: Any,
    y: Any = None,
    task: Any = None,
    sample_weight: Any = None,
    client: Any = None,
    *,
    offset: Any = None,
    method: Literal["auto", "statistics", "newton", "gradient", "dual"] = "auto",
) -> Any: ...

def parquet(
    paths: Any,
    y: str | Sequence[Any] | NDArray[Any],
    task: str | None = None,
    sample_weight: str | None = None,
    features: Sequence[Any] | NDArray[Any] | None = None,
) -> list[Any]: ...
