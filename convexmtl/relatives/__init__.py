"""The relatives of the convex models: not convex, or not one optimisation problem, each made of convex fits."""

from .alternating_structure import AlternatingStructureClassifier, AlternatingStructureRegressor
from .dirichlet_process import DirichletProcessTasksClassifier, DirichletProcessTasksRegressor
from .grouped_subspaces import GroupedSubspacesClassifier, GroupedSubspacesRegressor
from .grouped_tasks import GroupedTasksClassifier, GroupedTasksRegressor
from .hierarchical_bayes import HierarchicalBayes
from .latent_hierarchy import LatentHierarchyClassifier, LatentHierarchyRegressor
from .multi_stage_features import MultiStageFeaturesClassifier, MultiStageFeaturesRegressor
from .online import OnlineMultiTaskClassifier, OnlineMultiTaskRegressor
from .shared_hypotheses import SharedHypothesesClassifier, SharedHypothesesRegressor
from .task_clustering import TaskClusteringNeighborsClassifier, TaskClusteringNeighborsRegressor
from .task_mixture import TaskMixtureClassifier, TaskMixtureRegressor

__all__ = [
    "AlternatingStructureClassifier",
    "AlternatingStructureRegressor",
    "DirichletProcessTasksClassifier",
    "DirichletProcessTasksRegressor",
    "GroupedSubspacesClassifier",
    "GroupedSubspacesRegressor",
    "GroupedTasksClassifier",
    "GroupedTasksRegressor",
    "HierarchicalBayes",
    "LatentHierarchyClassifier",
    "LatentHierarchyRegressor",
    "MultiStageFeaturesClassifier",
    "MultiStageFeaturesRegressor",
    "OnlineMultiTaskClassifier",
    "OnlineMultiTaskRegressor",
    "SharedHypothesesClassifier",
    "SharedHypothesesRegressor",
    "TaskClusteringNeighborsClassifier",
    "TaskClusteringNeighborsRegressor",
    "TaskMixtureClassifier",
    "TaskMixtureRegressor",
]
