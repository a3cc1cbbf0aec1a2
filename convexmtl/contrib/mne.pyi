"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from typing import Any

from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator  # type: ignore[import-untyped]

class SourceSolver(BaseEstimator):
    share: float
    estimator: Any
    tol: float
    estimator_: Any
    def __init__(self, share: float = 0.3, *, estimator: Any = None, tol: float = 1e-06) -> None: ...
    def __call__(self, M: ArrayLike, G: ArrayLike, n_orient: int) -> tuple[NDArray[Any], NDArray[Any]]: ...
