"""Convex multi-task learning: several related prediction problems, little data for each."""

from . import reference
from .estimators import (
    BlockSparseClassifier,
    BlockSparseRegressor,
    ClusteredClassifier,
    ClusteredRegressor,
    DirtyClassifier,
    DirtyRegressor,
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    MultiTaskClassifier,
    MultiTaskRegressor,
    TraceNormClassifier,
    TraceNormRegressor,
)
from .losses import Huber, Logistic, Poisson, Squared, SquaredHinge
from .path import alpha_max, regularization_path
from .penalties import (
    ClusterCoupling,
    DirtyNorm,
    GraphLaplacian,
    LearnedClusters,
    MeanCoupling,
    Parts,
    RowNorm,
    SparseGroup,
    SpectralBox,
    SquaredTraceNorm,
    TaskCoupling,
    TraceNorm,
)
from .reference import certify
from .stacking import stack_tasks, unstack_tasks

__version__ = "0.1.0"

__all__ = [
    "BlockSparseClassifier",
    "BlockSparseRegressor",
    "ClusterCoupling",
    "ClusteredClassifier",
    "ClusteredRegressor",
    "DirtyClassifier",
    "DirtyNorm",
    "DirtyRegressor",
    "GraphLaplacian",
    "Huber",
    "LearnedClusters",
    "Logistic",
    "MeanCoupling",
    "MeanRegularizedClassifier",
    "MeanRegularizedRegressor",
    "MultiTaskClassifier",
    "MultiTaskRegressor",
    "Parts",
    "Poisson",
    "RowNorm",
    "SparseGroup",
    "SpectralBox",
    "Squared",
    "SquaredHinge",
    "SquaredTraceNorm",
    "TaskCoupling",
    "TraceNorm",
    "TraceNormClassifier",
    "TraceNormRegressor",
    "alpha_max",
    "certify",
    "reference",
    "regularization_path",
    "stack_tasks",
    "unstack_tasks",
]
