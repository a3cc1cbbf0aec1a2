"""Estimators in the manner of scikit-learn, one short file per family."""

from .block_sparse import BlockSparseClassifier, BlockSparseRegressor
from .clustered import ClusteredClassifier, ClusteredRegressor
from .dirty import DirtyClassifier, DirtyRegressor
from .generic import MultiTaskClassifier, MultiTaskRegressor
from .mean_regularized import MeanRegularizedClassifier, MeanRegularizedRegressor
from .trace_norm import TraceNormClassifier, TraceNormRegressor

__all__ = [
    "BlockSparseClassifier",
    "BlockSparseRegressor",
    "ClusteredClassifier",
    "ClusteredRegressor",
    "DirtyClassifier",
    "DirtyRegressor",
    "MeanRegularizedClassifier",
    "MeanRegularizedRegressor",
    "MultiTaskClassifier",
    "MultiTaskRegressor",
    "TraceNormClassifier",
    "TraceNormRegressor",
]
