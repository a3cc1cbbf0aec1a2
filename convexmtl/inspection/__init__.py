"""Pictures of fits, paths, searches and scores: scikit-learn's displays for several tasks.

``from_estimator`` computes and draws; ``plot`` draws once more, say into other axes. Only they import matplotlib.
"""

from .coefficients import CoefficientDisplay
from .gap import GapDisplay
from .path import PathDisplay
from .relationship import TaskRelationshipDisplay
from .scores import TaskScoresDisplay
from .search import CVDisplay
from .split import SplitDisplay

__all__ = [
    "CVDisplay",
    "CoefficientDisplay",
    "GapDisplay",
    "PathDisplay",
    "SplitDisplay",
    "TaskRelationshipDisplay",
    "TaskScoresDisplay",
]
