"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from typing import Any

from numpy.typing import ArrayLike

from convexmtl.losses import Loss

def fit_new_task(
    estimator: Any,
    X: Any,
    y: ArrayLike,
    label: Any,
    *,
    sample_weight: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    place: Any = None,
    task_weight: float | None = None,
    loss: str | Loss | None = None,
) -> Any: ...
