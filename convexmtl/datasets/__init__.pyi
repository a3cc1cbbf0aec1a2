"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from typing import Any, Literal

from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.utils import Bunch  # type: ignore[import-untyped]

def make_block_sparse(
    *,
    n_samples: int = 30,
    n_features: int = 50,
    n_tasks: int = 10,
    n_informative: int = 5,
    noise: float = 1.0,
    bias: float = 0.0,
    layout: Literal["stacked", "shared"] = "stacked",
    classification: bool = False,
    random_state: int | RandomState | None = None,
) -> tuple[NDArray[Any], ...]: ...

def make_dirty(
    *,
    n_samples: int = 30,
    n_features: int = 50,
    n_tasks: int = 10,
    n_shared: int = 4,
    n_private: int = 2,
    noise: float = 1.0,
    bias: float = 0.0,
    layout: Literal["stacked", "shared"] = "stacked",
    classification: bool = False,
    random_state: int | RandomState | None = None,
) -> tuple[NDArray[Any], ...]: ...

def make_low_rank(
    *,
    n_samples: int = 30,
    n_features: int = 50,
    n_tasks: int = 20,
    rank: int = 2,
    noise: float = 1.0,
    bias: float = 0.0,
    layout: Literal["stacked", "shared"] = "stacked",
    classification: bool = False,
    random_state: int | RandomState | None = None,
) -> tuple[NDArray[Any], ...]: ...

def make_clustered(
    *,
    n_samples: int = 30,
    n_features: int = 50,
    n_tasks: int = 12,
    n_clusters: int = 3,
    spread: float = 0.3,
    noise: float = 1.0,
    bias: float = 0.0,
    layout: Literal["stacked", "shared"] = "stacked",
    classification: bool = False,
    random_state: int | RandomState | None = None,
) -> tuple[NDArray[Any], ...]: ...

def make_mean_related(
    *,
    n_samples: int = 30,
    n_features: int = 50,
    n_tasks: int = 10,
    spread: float = 0.5,
    noise: float = 1.0,
    bias: float = 0.0,
    layout: Literal["stacked", "shared"] = "stacked",
    classification: bool = False,
    random_state: int | RandomState | None = None,
) -> tuple[NDArray[Any], ...]: ...

def make_task_relationships(
    *,
    n_samples: int = 30,
    n_features: int = 50,
    n_tasks: int = 12,
    n_unrelated: int = 4,
    correlation: float = 0.8,
    noise: float = 1.0,
    bias: float = 0.0,
    layout: Literal["stacked", "shared"] = "stacked",
    classification: bool = False,
    random_state: int | RandomState | None = None,
) -> tuple[NDArray[Any], ...]: ...

def make_tree_guided(
    *,
    n_samples: int = 30,
    n_features: int = 50,
    n_tasks: int = 16,
    n_informative: int = 15,
    branching: int = 2,
    noise: float = 1.0,
    bias: float = 0.0,
    layout: Literal["stacked", "shared"] = "stacked",
    classification: bool = False,
    random_state: int | RandomState | None = None,
) -> tuple[Any, ...]: ...

def make_graph_guided(
    *,
    n_samples: int = 30,
    n_features: int = 50,
    n_tasks: int = 20,
    graph: Literal["chain", "clique"] = "chain",
    n_components: int = 4,
    n_informative: int = 3,
    noise: float = 1.0,
    bias: float = 0.0,
    layout: Literal["stacked", "shared"] = "stacked",
    classification: bool = False,
    random_state: int | RandomState | None = None,
) -> tuple[Any, ...]: ...

def make_temporal(
    *,
    n_samples: int = 30,
    n_features: int = 50,
    n_tasks: int = 20,
    norm: Literal["l1", "l2"] = "l1",
    n_informative: int = 5,
    n_jumps: int = 2,
    noise: float = 1.0,
    bias: float = 0.0,
    layout: Literal["stacked", "shared"] = "stacked",
    classification: bool = False,
    random_state: int | RandomState | None = None,
) -> tuple[NDArray[Any], ...]: ...

def make_outlier_tasks(
    *,
    n_samples: int = 30,
    n_features: int = 50,
    n_tasks: int = 20,
    structure: Literal["low_rank", "block_sparse"] = "low_rank",
    rank: int = 2,
    n_informative: int = 5,
    n_outliers: int = 3,
    noise: float = 1.0,
    bias: float = 0.0,
    layout: Literal["stacked", "shared"] = "stacked",
    classification: bool = False,
    random_state: int | RandomState | None = None,
) -> tuple[NDArray[Any], ...]: ...

def load_exam(*, as_frame: bool = False) -> Bunch: ...

def load_chem97(*, as_frame: bool = False) -> Bunch: ...

def load_bdf(*, as_frame: bool = False) -> Bunch: ...

def load_digits_tasks(*, as_frame: bool = False) -> Bunch: ...
