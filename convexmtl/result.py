"""What a solver hands back."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np


class Status(Enum):
    """How a fit ended, as sentences for people."""

    CONVERGED = "The duality gap is below the tolerance."
    OUT_OF_ITERATIONS = "The iterations ran out before the duality gap was below the tolerance."
    STALLED = "No further progress was possible in floating point before the gap was below the tolerance."
    CONTRADICTED = "The objective is below its own lower bound: what the penalty says of itself contradicts itself."

    @classmethod
    def of(cls, gap, threshold):
        """What a duality gap says of a fit, if it is to end: None where it is still too large.

        A gap below zero is rounding as long as its size would do above zero. Beyond that nothing is certified, and no
        further iteration mends it. (Where the problem has no finite value to compare with, the threshold is infinite.)
        """
        if gap <= threshold and gap < float("inf"):
            return cls.CONVERGED if gap >= -threshold else cls.CONTRADICTED
        return None


@dataclass(frozen=True, eq=False)
class Result:
    """Parts of W, intercepts, and the certificate that was computed for them.

    Attributes
    ----------
    parts : tuple of ndarray of shape (d, T)
        W is their sum.
    intercept : ndarray of shape (T,)
    objective, dual_gap : float
    n_iter : int
    status : Status
    history : list of (n_iter, objective, dual_gap)
        One entry for each check of the gap.
    certificate : Certificate or None
        The last one, where the solver has it: a warm start for other strengths need not compute it again.
    dual : Dual or None
        Where the dual variables were taken, as for ``duality_gap``, if W alone does not lead to them.
    rho : ndarray or None
        The weights between the two sides that ``splitting`` has come to: good ones to start with nearby.
    """

    parts: tuple
    intercept: np.ndarray
    objective: float
    dual_gap: float
    n_iter: int
    status: Status
    history: list = field(default_factory=list)
    certificate: Any = None
    dual: Any = None
    rho: np.ndarray | None = None

    @property
    def W(self):
        return sum(self.parts[1:], self.parts[0])

    @property
    def converged(self):
        return self.status is Status.CONVERGED
