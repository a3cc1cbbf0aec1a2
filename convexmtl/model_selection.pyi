"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from collections.abc import Iterator
from typing import Any, Self

from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import BaseCrossValidator  # type: ignore[import-untyped]

class TaskKFold(BaseCrossValidator):
    def __init__(
        self,
        n_splits: int = 5,
        *,
        shuffle: bool = False,
        random_state: int | RandomState | None = None,
        task_column: str | int | None = None,
    ) -> None: ...
    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int: ...
    def set_split_request(self, *, groups: bool | str | None = ...) -> Self: ...
    def split(
        self,
        X: ArrayLike,
        y: Any = None,
        groups: ArrayLike | None = None,
    ) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]: ...

class TaskShuffleSplit(BaseCrossValidator):
    def __init__(
        self,
        n_splits: int = 10,
        *,
        test_size: float | None = None,
        train_size: float | None = None,
        random_state: int | RandomState | None = None,
        task_column: str | int | None = None,
    ) -> None: ...
    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int: ...
    def set_split_request(self, *, groups: bool | str | None = ...) -> Self: ...
    def split(
        self,
        X: ArrayLike,
        y: Any = None,
        groups: ArrayLike | None = None,
    ) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]: ...

class TaskStratifiedKFold(TaskKFold):
    def set_split_request(self, *, groups: bool | str | None = ...) -> Self: ...
    def split(
        self,
        X: ArrayLike,
        y: ArrayLike,
        groups: ArrayLike | None = None,
    ) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]: ...
