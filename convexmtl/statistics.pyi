"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from typing import Any, Literal, Self

from numpy.typing import ArrayLike, NDArray

class SufficientStatistics:
    tasks: NDArray[Any]
    layout: Literal["single", "shared", "stacked"]
    n_samples: NDArray[Any]
    weight: NDArray[Any]
    mean_X: NDArray[Any]
    rest_X: NDArray[Any]
    mean_y: NDArray[Any]
    rest_y: NDArray[Any]
    gram: NDArray[Any]
    cross: NDArray[Any]
    square: NDArray[Any]
    feature_names: NDArray[Any] | None
    def __init__(
        self,
        tasks: NDArray[Any],
        layout: Literal["single", "shared", "stacked"],
        n_samples: NDArray[Any],
        weight: NDArray[Any],
        mean_X: NDArray[Any],
        rest_X: NDArray[Any],
        mean_y: NDArray[Any],
        rest_y: NDArray[Any],
        gram: NDArray[Any],
        cross: NDArray[Any],
        square: NDArray[Any],
        feature_names: NDArray[Any] | None = None,
    ) -> None: ...
    def __add__(self, other: Self) -> Self: ...
    def __sub__(self, other: Self) -> Self: ...
    @classmethod
    def from_arrays(
        cls,
        X: Any,
        y: ArrayLike,
        task: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> SufficientStatistics: ...
    @classmethod
    def from_moments(
        cls,
        gram: ArrayLike,
        cross: ArrayLike,
        square: ArrayLike | float,
        n_samples: ArrayLike | float,
        mean_X: ArrayLike | None = None,
        mean_y: ArrayLike | float | None = None,
        *,
        centred: bool = False,
        tasks: ArrayLike | None = None,
        feature_names: ArrayLike | None = None,
    ) -> SufficientStatistics: ...
    @classmethod
    def load(cls, file: Any) -> SufficientStatistics: ...
    def merge(self, *others: Any) -> Any: ...
    @property
    def n_features(self) -> Any: ...
    @property
    def n_tasks(self) -> Any: ...
    def save(self, file: Any) -> Any: ...
    def squared_error(self, W: NDArray[Any], b: NDArray[Any] | float = 0.0) -> NDArray[Any]: ...
