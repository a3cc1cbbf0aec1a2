"""Problem: a data term and a penalty, and what all solvers ask of them."""

from dataclasses import dataclass

import numpy as np

from .data import DataTerm
from .penalties.base import Canonical


@dataclass(frozen=True, eq=False)
class Problem:
    """minimise over W, b of sum_ti c_ti loss(y_ti, x_ti . w_t + b_t) + Omega(W).

    Attributes
    ----------
    data : DataTerm
    penalty : Canonical
    """

    data: DataTerm
    penalty: Canonical

    @property
    def tasks(self):
        return self.data.tasks

    @property
    def loss(self):
        return self.data.loss

    @property
    def shape(self):
        """(d, T)"""
        return self.data.shape

    def zeros(self):
        """One (d, T) matrix of zeros per part."""
        return tuple(np.zeros(self.shape) for _ in range(self.penalty.n_parts))

    def primal(self, parts, b):
        """The objective."""
        return self.data.value(self.data.predict(sum(parts), b)) + self.penalty.value(parts)

    def threshold(self, tol):
        """The duality gap at which a fit has converged."""
        return self.data.threshold(tol)

    def reduced(self):
        """(problem with at most n_rows features, Q) with W = Q W_reduced, or None where that is not smaller, or where
        the penalty knows one feature from another."""
        smaller = self.data.reduced if self.penalty.unitarily_invariant else None
        return None if smaller is None else (Problem(smaller[0], self.penalty), smaller[1])
