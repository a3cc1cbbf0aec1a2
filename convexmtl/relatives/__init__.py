"""The relatives of the convex models: not convex, or not one optimisation problem, each made of convex fits."""

from .dirichlet_process import DirichletProcessTasksClassifier, DirichletProcessTasksRegressor
from .hierarchical_bayes import HierarchicalBayes
from .latent_hierarchy import LatentHierarchyClassifier, LatentHierarchyRegressor
from .online import OnlineMultiTaskClassifier, OnlineMultiTaskRegressor
from .shared_hypotheses import SharedHypothesesClassifier, SharedHypothesesRegressor
from .task_clustering import TaskClusteringNeighborsClassifier, TaskClusteringNeighborsRegressor
from .task_mixture import TaskMixtureClassifier, TaskMixtureRegressor

__all__ = [
    "DirichletProcessTasksClassifier",
    "DirichletProcessTasksRegressor",
    "HierarchicalBayes",
    "LatentHierarchyClassifier",
    "LatentHierarchyRegressor",
    "OnlineMultiTaskClassifier",
    "OnlineMultiTaskRegressor",
    "SharedHypothesesClassifier",
    "SharedHypothesesRegressor",
    "TaskClusteringNeighborsClassifier",
    "TaskClusteringNeighborsRegressor",
    "TaskMixtureClassifier",
    "TaskMixtureRegressor",
]
