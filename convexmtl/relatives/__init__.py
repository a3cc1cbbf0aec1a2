"""The relatives of the convex models: not convex, or not one optimisation problem, each made of convex fits."""

from .shared_hypotheses import SharedHypothesesClassifier, SharedHypothesesRegressor

__all__ = [
    "SharedHypothesesClassifier",
    "SharedHypothesesRegressor",
]
