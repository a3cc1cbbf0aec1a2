"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from typing import Any

from numpy.typing import ArrayLike

def relax(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    task: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    offset: ArrayLike | None = None,
) -> Any: ...
