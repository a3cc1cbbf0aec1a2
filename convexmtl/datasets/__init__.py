"""Multi-task data: synthetic problems with a known truth, and real ones that need no network."""

from .drawn import (
    make_block_sparse,
    make_clustered,
    make_dirty,
    make_graph_guided,
    make_low_rank,
    make_mean_related,
    make_outlier_tasks,
    make_task_relationships,
    make_temporal,
    make_tree_guided,
)
from .real import load_bdf, load_chem97, load_digits_tasks, load_exam

__all__ = [
    "load_bdf",
    "load_chem97",
    "load_digits_tasks",
    "load_exam",
    "make_block_sparse",
    "make_clustered",
    "make_dirty",
    "make_graph_guided",
    "make_low_rank",
    "make_mean_related",
    "make_outlier_tasks",
    "make_task_relationships",
    "make_temporal",
    "make_tree_guided",
]
