"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from collections.abc import Callable, Sequence
from typing import Any, Self

from numpy.typing import ArrayLike, NDArray

class Party:
    @property
    def spent(self) -> float: ...
    n_clipped: tuple[int, ...] | None
    def __init__(
        self,
        X: Any,
        y: ArrayLike,
        task: ArrayLike | None = None,
        *,
        sample_weight: ArrayLike | None = None,
        offset: ArrayLike | None = None,
        name: str | None = None,
        min_group: int = 10,
        privacy: Privacy | None = None,
        max_rounds: int = 100,
        random_state: int | None = None,
    ) -> None: ...
    def answer(self, request: bytes) -> bytes: ...
    def folds(self, n_folds: int, *, stratified: bool = False) -> NDArray[Any]: ...
    def statistics(self, n_folds: int = 1) -> bytes: ...

class Coordinator:
    @property
    def done(self) -> bool: ...
    @property
    def model(self) -> Any: ...
    history_: list[dict[Any, Any]]
    def __init__(self, estimator: Any, *, max_rounds: int = 100) -> None: ...
    def receive(self, answers: Sequence[Any] | NDArray[Any]) -> Self: ...
    def request(self) -> bytes: ...

class Privacy:
    def __init__(
        self,
        epsilon: float,
        delta: float,
        bound_X: float,
        bound_y: float,
        center_X: ArrayLike | float = 0.0,
        scale_X: ArrayLike | float = 1.0,
        center_y: float = 0.0,
        rounds: int = 3,
    ) -> None: ...
    @property
    def mu(self) -> Any: ...

class LocalTransport:
    def __init__(self, parties: Sequence[Any] | NDArray[Any]) -> None: ...
    def __call__(self, request: Any) -> Any: ...

class DaskTransport:
    def __init__(
        self,
        client: Any,
        parts: Sequence[Any] | NDArray[Any],
        options: Sequence[Any] | NDArray[Any] | None = None,
    ) -> None: ...
    def __call__(self, request: Any) -> Any: ...

def fit(estimator: Any, parties: Callable[..., Any] | Sequence[Any] | NDArray[Any]) -> Any: ...
