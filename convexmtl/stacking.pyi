"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike, NDArray

def stack_tasks(
    Xs: Sequence[Any] | NDArray[Any],
    ys: Sequence[Any] | NDArray[Any],
    labels: ArrayLike | None = None,
) -> tuple[Any, NDArray[Any], NDArray[Any]]: ...

def unstack_tasks(X: Any, y: ArrayLike, task: ArrayLike) -> tuple[list[Any], list[Any], NDArray[Any]]: ...
