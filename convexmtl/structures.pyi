"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from typing import Any

from numpy.typing import ArrayLike

def correlation_graph(Y: Any, threshold: float = 0.5) -> list[Any]: ...

def correlation_tree(Y: Any, method: str = "average") -> list[Any]: ...

def tree_groups(linkage: ArrayLike, labels: Any = None) -> list[Any]: ...
