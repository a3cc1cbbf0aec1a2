"""Estimators in the manner of scikit-learn, one short file per family."""

from .block_sparse import BlockSparseClassifier, BlockSparseClassifierCV, BlockSparseRegressor, BlockSparseRegressorCV
from .clustered import ClusteredClassifier, ClusteredClassifierCV, ClusteredRegressor, ClusteredRegressorCV
from .dirty import DirtyClassifier, DirtyClassifierCV, DirtyRegressor, DirtyRegressorCV
from .generic import MultiTaskClassifier, MultiTaskClassifierCV, MultiTaskRegressor, MultiTaskRegressorCV
from .graph_guided import GraphGuidedClassifier, GraphGuidedClassifierCV, GraphGuidedRegressor, GraphGuidedRegressorCV
from .mean_regularized import (
    MeanRegularizedClassifier,
    MeanRegularizedClassifierCV,
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
)
from .mixed import MultiTaskMixed, MultiTaskMixedCV
from .robust_feature import (
    RobustFeatureClassifier,
    RobustFeatureClassifierCV,
    RobustFeatureRegressor,
    RobustFeatureRegressorCV,
)
from .robust_low_rank import (
    RobustLowRankClassifier,
    RobustLowRankClassifierCV,
    RobustLowRankRegressor,
    RobustLowRankRegressorCV,
)
from .shared_feature import (
    SharedFeatureClassifier,
    SharedFeatureClassifierCV,
    SharedFeatureRegressor,
    SharedFeatureRegressorCV,
)
from .shared_structure import (
    SharedStructureClassifier,
    SharedStructureClassifierCV,
    SharedStructureRegressor,
    SharedStructureRegressorCV,
)
from .sparse_group import SparseGroupClassifier, SparseGroupClassifierCV, SparseGroupRegressor, SparseGroupRegressorCV
from .sparse_low_rank import (
    SparseLowRankClassifier,
    SparseLowRankClassifierCV,
    SparseLowRankRegressor,
    SparseLowRankRegressorCV,
)
from .task_relationship import (
    TaskRelationshipClassifier,
    TaskRelationshipClassifierCV,
    TaskRelationshipRegressor,
    TaskRelationshipRegressorCV,
)
from .temporal import TemporalClassifier, TemporalClassifierCV, TemporalRegressor, TemporalRegressorCV
from .trace_norm import TraceNormClassifier, TraceNormClassifierCV, TraceNormRegressor, TraceNormRegressorCV
from .tree_guided import TreeGuidedClassifier, TreeGuidedClassifierCV, TreeGuidedRegressor, TreeGuidedRegressorCV

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
    "GraphGuidedClassifier",
    "GraphGuidedClassifierCV",
    "GraphGuidedRegressor",
    "GraphGuidedRegressorCV",
    "MeanRegularizedClassifier",
    "MeanRegularizedClassifierCV",
    "MeanRegularizedRegressor",
    "MeanRegularizedRegressorCV",
    "MultiTaskClassifier",
    "MultiTaskClassifierCV",
    "MultiTaskMixed",
    "MultiTaskMixedCV",
    "MultiTaskRegressor",
    "MultiTaskRegressorCV",
    "RobustFeatureClassifier",
    "RobustFeatureClassifierCV",
    "RobustFeatureRegressor",
    "RobustFeatureRegressorCV",
    "RobustLowRankClassifier",
    "RobustLowRankClassifierCV",
    "RobustLowRankRegressor",
    "RobustLowRankRegressorCV",
    "SharedFeatureClassifier",
    "SharedFeatureClassifierCV",
    "SharedFeatureRegressor",
    "SharedFeatureRegressorCV",
    "SharedStructureClassifier",
    "SharedStructureClassifierCV",
    "SharedStructureRegressor",
    "SharedStructureRegressorCV",
    "SparseGroupClassifier",
    "SparseGroupClassifierCV",
    "SparseGroupRegressor",
    "SparseGroupRegressorCV",
    "SparseLowRankClassifier",
    "SparseLowRankClassifierCV",
    "SparseLowRankRegressor",
    "SparseLowRankRegressorCV",
    "TaskRelationshipClassifier",
    "TaskRelationshipClassifierCV",
    "TaskRelationshipRegressor",
    "TaskRelationshipRegressorCV",
    "TemporalClassifier",
    "TemporalClassifierCV",
    "TemporalRegressor",
    "TemporalRegressorCV",
    "TraceNormClassifier",
    "TraceNormClassifierCV",
    "TraceNormRegressor",
    "TraceNormRegressorCV",
    "TreeGuidedClassifier",
    "TreeGuidedClassifierCV",
    "TreeGuidedRegressor",
    "TreeGuidedRegressorCV",
]
