"""The relatives of the convex models: not convex, or not one optimisation problem, each made of convex fits."""

from .hierarchical_bayes import HierarchicalBayes
from .online import OnlineMultiTaskClassifier, OnlineMultiTaskRegressor
from .shared_hypotheses import SharedHypothesesClassifier, SharedHypothesesRegressor

__all__ = [
    "HierarchicalBayes",
    "OnlineMultiTaskClassifier",
    "OnlineMultiTaskRegressor",
    "SharedHypothesesClassifier",
    "SharedHypothesesRegressor",
]
