"""Problem: a data term and a penalty, and what all solvers ask of them."""

from dataclasses import dataclass

import numpy as np

from .data import DataTerm
from .penalties.base import Canonical

NEGLIGIBLE = 0.1  # share of the penalty that a duality gap must be for its effects to show, and it of what is gained


@dataclass(frozen=True, eq=False)
class Problem:
    """minimise over W, b of sum_ti c_ti loss(y_ti, x_ti . w_t + b_t + offset_ti) + Omega(W).

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

    def wanted_tol(self, parts, objective, gap, tol, factor=1.0):
        """The tol that a penalty calls for which is too weak for ``tol`` to see; None where it is not.

        It is where all of it is below the duality gap that tol allows, though not by the optimum being near W = 0,
        where little is gained either. There nothing that the penalty asks for (zeros, tasks alike) can be expected.

        Parameters
        ----------
        parts, objective, gap
            A converged solution, for ``factor`` times the penalty.
        """
        threshold, gain = self.threshold(tol), self.data.trivial[0] - objective
        most = min(threshold, NEGLIGIBLE * gain, gap / NEGLIGIBLE)
        size = max(0.0, factor * self.penalty.value(parts))
        if size <= most:
            # Tasks that a strong penalty makes alike have next to none either: it counts what it were, were they not.
            tilt = np.linspace(0.5, 1, self.shape[1]) ** 2
            size = max(size, factor * self.penalty.value([part * tilt for part in parts]))
        return tol * NEGLIGIBLE * size / threshold if 0 < size <= most else None

    def rotated(self):
        """(problem with at most n_rows tasks, Rotated) with W = W_few Q', or None where that is not smaller, or where
        the penalty knows one combination of tasks from another."""
        if not self.penalty.terms or self.penalty.for_rotated_tasks(1) is None or self.data.rotated is None:
            return None
        data, rotated = self.data.rotated
        return Problem(data, self.penalty.for_rotated_tasks(data.shape[1])), rotated

    def thinned(self):
        """The Problem on as many rows as there are features and one more, without intercepts; None where that is not
        much smaller."""
        return None if self.data.thinned is None else Problem(self.data.thinned, self.penalty)

    def reduced(self):
        """(problem with at most n_rows features, Q) with W = Q W_reduced, or None where that is not smaller, or where
        the penalty knows one feature from another."""
        smaller = self.data.reduced if self.penalty.unitarily_invariant else None
        return None if smaller is None else (Problem(smaller[0], self.penalty), smaller[1])
