"""Convex penalties of W (d, T), one class each."""

from .._jit import row_prox
from .base import Penalty
from .constraints import Box, Constraint
from .couplings import ClusterCoupling, Coupling, GraphLaplacian, MeanCoupling, TaskCoupling
from .dirty import DirtyNorm
from .graphs import GraphGuided
from .linear import LinearConstraint
from .parts import NamedParts, Parts, RobustFeature, RobustLowRank, SparseLowRank, TaskNorm
from .row_norm import RowNorm
from .rows import RowPenalty
from .sparse_group import SparseGroup
from .spectral import (
    LearnedClusters,
    SharedFeature,
    SharedStructure,
    SpectralBox,
    SpectralPenalty,
    SquaredTraceNorm,
    TraceNorm,
)
from .support import Support
from .temporal import Temporal
from .tensor import TensorTraceNorm
from .tree import TreeGuided
from .weighted import Weighted

__all__ = [
    "Box",
    "ClusterCoupling",
    "Constraint",
    "Coupling",
    "DirtyNorm",
    "GraphGuided",
    "GraphLaplacian",
    "LearnedClusters",
    "LinearConstraint",
    "MeanCoupling",
    "NamedParts",
    "Parts",
    "Penalty",
    "RobustFeature",
    "RobustLowRank",
    "RowNorm",
    "RowPenalty",
    "SharedFeature",
    "SharedStructure",
    "SparseGroup",
    "SparseLowRank",
    "SpectralBox",
    "SpectralPenalty",
    "SquaredTraceNorm",
    "Support",
    "TaskCoupling",
    "TaskNorm",
    "Temporal",
    "TensorTraceNorm",
    "TraceNorm",
    "TreeGuided",
    "Weighted",
    "row_prox",
]
