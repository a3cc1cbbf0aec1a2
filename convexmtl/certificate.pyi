"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from typing import Any

from numpy.typing import NDArray

class Certificate:
    primal: float
    dual: float
    gap: float
    intercept: NDArray[Any]
    Z: NDArray[Any]
    z: NDArray[Any]
    tasks: Any
    coupled: bool
    v: NDArray[Any] | None
    scale: float
    def __init__(
        self,
        primal: float,
        dual: float,
        gap: float,
        intercept: NDArray[Any],
        Z: NDArray[Any],
        z: NDArray[Any],
        tasks: Any,
        coupled: bool,
        v: NDArray[Any] | None = None,
        scale: float = 1.0,
    ) -> None: ...

def duality_gap(
    problem: Any,
    parts: Any,
    intercept: NDArray[Any] | None = None,
    start: NDArray[Any] | None = None,
    known: Certificate | None = None,
    most: float = ...,
    dual: Any = None,
    keep: bool = False,
    bound: bool = True,
) -> Any: ...
