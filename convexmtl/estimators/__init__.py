"""Estimators in the manner of scikit-learn, one short file per family."""

from .block_sparse import BlockSparseClassifier, BlockSparseClassifierCV, BlockSparseRegressor, BlockSparseRegressorCV
from .clustered import ClusteredClassifier, ClusteredClassifierCV, ClusteredRegressor, ClusteredRegressorCV
from .dirty import DirtyClassifier, DirtyClassifierCV, DirtyRegressor, DirtyRegressorCV
from .generic import MultiTaskClassifier, MultiTaskClassifierCV, MultiTaskRegressor, MultiTaskRegressorCV
from .mean_regularized import (
    MeanRegularizedClassifier,
    MeanRegularizedClassifierCV,
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
)
from .trace_norm import TraceNormClassifier, TraceNormClassifierCV, TraceNormRegressor, TraceNormRegressorCV

__all__ = [
    "BlockSparseClassifier",
    "BlockSparseClassifierCV",
    "BlockSparseRegressor",
    "BlockSparseRegressorCV",
    "ClusteredClassifier",
    "ClusteredClassifierCV",
    "ClusteredRegressor",
    "ClusteredRegressorCV",
    "DirtyClassifier",
    "DirtyClassifierCV",
    "DirtyRegressor",
    "DirtyRegressorCV",
    "MeanRegularizedClassifier",
    "MeanRegularizedClassifierCV",
    "MeanRegularizedRegressor",
    "MeanRegularizedRegressorCV",
    "MultiTaskClassifier",
    "MultiTaskClassifierCV",
    "MultiTaskRegressor",
    "MultiTaskRegressorCV",
    "TraceNormClassifier",
    "TraceNormClassifierCV",
    "TraceNormRegressor",
    "TraceNormRegressorCV",
]
