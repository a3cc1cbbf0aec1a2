"""The losses, elementwise in numpy."""

from ._names import LOSSES, get_loss
from .base import AtSamples, Loss, OfClasses
from .by_task import ByTask
from .classes import Logistic, SquaredHinge
from .counts import Gamma, Poisson, Tweedie
from .kinked import Absolute, EpsilonInsensitive, Hinge, Kinked, Quantile
from .real import Huber, Squared
from .softmax import Softmax
from .square_root import Sqrt

__all__ = [
    "LOSSES",
    "Absolute",
    "AtSamples",
    "ByTask",
    "EpsilonInsensitive",
    "Gamma",
    "Hinge",
    "Huber",
    "Kinked",
    "Logistic",
    "Loss",
    "OfClasses",
    "Poisson",
    "Quantile",
    "Softmax",
    "Sqrt",
    "Squared",
    "SquaredHinge",
    "Tweedie",
    "get_loss",
]
