"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from typing import Any, NamedTuple

from numpy.typing import ArrayLike, NDArray

from convexmtl.certificate import Certificate

class Reference(NamedTuple):
    W: NDArray[Any]
    b: NDArray[Any]
    objective: float
    error: float

def certify(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    task: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    offset: ArrayLike | None = None,
) -> Certificate: ...

def fit(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    task: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    **options: Any,
) -> Reference: ...
