"""Losses by their names."""

from .base import Loss
from .classes import Logistic, SquaredHinge
from .counts import Gamma, Poisson
from .kinked import Absolute, EpsilonInsensitive, Hinge, Quantile
from .real import Huber, Squared
from .softmax import Softmax
from .square_root import Sqrt

LOSSES = {
    "squared": Squared,
    "huber": Huber,
    "poisson": Poisson,
    "gamma": Gamma,
    "logistic": Logistic,
    "softmax": Softmax,
    "squared_hinge": SquaredHinge,
    "quantile": Quantile,
    "absolute": Absolute,
    "epsilon_insensitive": EpsilonInsensitive,
    "hinge": Hinge,
    "sqrt": Sqrt,
}


def get_loss(loss):
    """The Loss of that name, or the Loss itself."""
    if isinstance(loss, Loss):
        return loss
    if isinstance(loss, str) and loss in LOSSES:
        return LOSSES[loss]()
    raise ValueError(f"loss must be one of {sorted(LOSSES)} or a Loss object, got {loss!r}.")
