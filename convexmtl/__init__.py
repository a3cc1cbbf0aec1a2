"""Convex multi-task learning: several related prediction problems, little data for each."""

from importlib import import_module

from . import metrics, model_selection, reference
from ._version import __version__
from .estimators import (
    BlockSparseClassifier,
    BlockSparseClassifierCV,
    BlockSparseRegressor,
    BlockSparseRegressorCV,
    ClusteredClassifier,
    ClusteredClassifierCV,
    ClusteredRegressor,
    ClusteredRegressorCV,
    DirtyClassifier,
    DirtyClassifierCV,
    DirtyRegressor,
    DirtyRegressorCV,
    MeanRegularizedClassifier,
    MeanRegularizedClassifierCV,
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
    MultiTaskClassifier,
    MultiTaskClassifierCV,
    MultiTaskRegressor,
    MultiTaskRegressorCV,
    TraceNormClassifier,
    TraceNormClassifierCV,
    TraceNormRegressor,
    TraceNormRegressorCV,
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

__all__ = [
    "BlockSparseClassifier",
    "BlockSparseClassifierCV",
    "BlockSparseRegressor",
    "BlockSparseRegressorCV",
    "ClusterCoupling",
    "ClusteredClassifier",
    "ClusteredClassifierCV",
    "ClusteredRegressor",
    "ClusteredRegressorCV",
    "DirtyClassifier",
    "DirtyClassifierCV",
    "DirtyNorm",
    "DirtyRegressor",
    "DirtyRegressorCV",
    "GraphLaplacian",
    "Huber",
    "LearnedClusters",
    "Logistic",
    "MeanCoupling",
    "MeanRegularizedClassifier",
    "MeanRegularizedClassifierCV",
    "MeanRegularizedRegressor",
    "MeanRegularizedRegressorCV",
    "MultiTaskClassifier",
    "MultiTaskClassifierCV",
    "MultiTaskRegressor",
    "MultiTaskRegressorCV",
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
    "TraceNormClassifierCV",
    "TraceNormRegressor",
    "TraceNormRegressorCV",
    "__version__",
    "alpha_max",
    "certify",
    "datasets",
    "metrics",
    "model_selection",
    "reference",
    "regularization_path",
    "stack_tasks",
    "unstack_tasks",
]


def __getattr__(name):
    """Modules that take a while to import are imported when they are asked for."""
    if name in ("datasets", "inspection"):
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
