"""Convex penalties of W (d, T), one class each."""

from .._jit import row_prox
from .base import Penalty
from .couplings import ClusterCoupling, Coupling, GraphLaplacian, MeanCoupling, TaskCoupling
from .parts import Parts
from .rows import DirtyNorm, RowNorm, RowPenalty, SparseGroup
from .spectral import LearnedClusters, SpectralBox, SpectralPenalty, SquaredTraceNorm, TraceNorm

__all__ = [
    "ClusterCoupling",
    "Coupling",
    "DirtyNorm",
    "GraphLaplacian",
    "LearnedClusters",
    "MeanCoupling",
    "Parts",
    "Penalty",
    "RowNorm",
    "RowPenalty",
    "SparseGroup",
    "SpectralBox",
    "SpectralPenalty",
    "SquaredTraceNorm",
    "TaskCoupling",
    "TraceNorm",
    "row_prox",
]
