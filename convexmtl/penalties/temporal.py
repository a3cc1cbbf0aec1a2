"""Tasks that follow one another in time."""

import re
import warnings
from bisect import bisect
from collections.abc import Collection
from itertools import pairwise

import numpy as np

from .._input import check_count
from .._rows import row_norms
from .._words import counted
from ..coupling import Graph, Nested
from ._chain import prox_chain, prox_positive_chain
from ._reading import Read, labels_of, places
from .base import Canonical
from .positive import only_positive
from .rows import RowPenalty
from .sparse_group import SparseGroup
from .weighted import kept_positive


def _natural(label):
    """Key by which numbers within strings are in the order of numbers."""
    return [(0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in re.split(r"(\d+)", label) if piece]


def _in_order(names, new):
    """Where the new one belongs among names that increase; None where they do not."""
    try:
        return bisect(names, new) if all(a < b for a, b in pairwise(names)) else None
    except TypeError:
        return None


class Chains(Read):
    """Columns in the order of time, those of a class after those of another one; ``ends`` has where a class ends."""

    def __init__(self, chains):
        super().__init__(t for chain in chains for t in chain)
        self.ends = np.cumsum([len(chain) for chain in chains])[:-1] - 1


class Temporal(RowPenalty):
    """Omega(W) = alpha_smooth sum_t norm_1(w_{t+1} - w_t) + alpha_sparse norm_1(W) + alpha_group sum_j norm_2(W_j.)
    + (alpha_ridge/2) norm_F(W)^2; with norm="l2" the first term is alpha_smooth sum_t norm_2(w_{t+1} - w_t)^2.

    Parameters
    ----------
    alpha_smooth : float, default=1.0
    norm : {"l1", "l2"}, default="l1"
        Piecewise constant in time, or smooth.
    alpha_sparse, alpha_group, alpha_ridge : float, default=0.0
    order : sequence of task labels or positions, default=None
        The tasks in the order of time; that of their labels by default.
    positive : bool, default=False
        Whether W has to be >= 0.

    References
    ----------
    Zhou, Yuan, Liu, Ye (2011), KDD (TGL: squared differences and groups); Zhou, Liu, Narayan, Ye (2012), KDD (cFSGL:
    absolute differences, entries and groups, and the order of their proxes).

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import Temporal
    >>> W = np.array([[1.0, 1.0, 3.0]])
    >>> print(round(Temporal(alpha_smooth=2.0, alpha_sparse=1.0).value(W), 6))
    9.0
    """

    strengths = ("alpha_smooth", "alpha_sparse", "alpha_group", "alpha_ridge")
    asks = "models that change little from one task in time to the next"

    def __init__(
        self,
        alpha_smooth=1.0,
        norm="l1",
        alpha_sparse=0.0,
        alpha_group=0.0,
        alpha_ridge=0.0,
        order=None,
        positive=False,
    ):
        self.alpha_smooth = alpha_smooth
        self.norm = norm
        self.alpha_sparse = alpha_sparse
        self.alpha_group = alpha_group
        self.alpha_ridge = alpha_ridge
        self.order = order
        self.positive = positive

    @property
    def row_prox(self):
        return prox_positive_chain if self.positive else prox_chain

    @property
    def is_norm(self):
        return self.norm == "l1" and self.alpha_ridge == 0

    def check(self, n_features, labels):
        super().check(n_features, labels)
        if self.norm not in ("l1", "l2"):
            raise ValueError(f"norm must be 'l1' or 'l2', got {self.norm!r}.")
        positions = self.positions(labels)
        labels = labels_of(labels)
        if self.order is None and all(isinstance(label, str) for label in labels):
            natural = sorted(positions, key=lambda t: _natural(labels[t]))
            k = next((k for k in positions if natural[k] != k), None)
            if k is not None:
                warnings.warn(
                    f"Temporal takes the tasks in the order of their labels, in which {labels[k]!r} comes before "
                    f"{labels[natural[k]]!r}: hand over their order=, or labels that are numbers or dates.",
                    UserWarning,
                    stacklevel=2,
                )

    def positions(self, labels):
        """[position of the first task in time, of the second, ...]."""
        labels = labels_of(labels)
        if isinstance(self.order, Read):
            return self.order
        if self.order is None:
            return Read(range(len(labels)))
        order = list(self.order) if isinstance(self.order, Collection) and not isinstance(self.order, str) else []
        place = places(order, labels, "order")
        positions = Read(place[t] for t in order)
        if sorted(positions) != list(range(len(labels))):
            raise ValueError(f"order must hold each of the {len(labels)} tasks once, got {self.order!r}.")
        return positions

    def bind(self, labels):
        return self.replaced(order=self.positions(labels))

    structure = "order"

    def of_columns(self, columns):
        return self.replaced(order=Chains(columns.chains(self.positions(columns.tasks))))

    def steps(self, labels):
        """(positions before the steps in time, positions after them, whether they are steps at all)."""
        order = self.positions(labels)
        follows = np.ones(len(order) - 1, dtype=bool)
        if isinstance(order, Chains):
            follows[order.ends] = False
        return np.array(order[:-1], dtype=int), np.array(order[1:], dtype=int), follows

    @property
    def place(self):
        return "its position in time, 0 for the first"

    def with_task(self, labels, place):
        order = self.positions(labels[:-1])
        T, names = len(order), labels_of(labels)
        if place is None:
            place = _in_order([names[t] for t in order], names[-1])
            if place is None:
                raise ValueError(
                    f"place must be {self.place}, got None: the tasks are not in the order of their labels, in which "
                    f"task {names[-1]!r} would have one."
                )
        check_count(place, "place", 0, f"{self.place} and {T} for the last", T)
        return self.replaced(order=Read([*order[:place], T, *order[place:]]))

    def resolve(self, n_features, labels):
        self.check(n_features, labels)
        T, order, coupling = len(labels), self.positions(labels), Nested(len(labels), [0.5 * self.alpha_ridge])
        both, smooths = self.alpha_sparse + self.alpha_group, self.alpha_smooth > 0 and T > 1
        if self.norm == "l1" and smooths:
            return Canonical((self.replaced(order=order, alpha_ridge=0.0),), coupling)
        if both > 0:
            found = Canonical((SparseGroup(both, self.alpha_sparse / both, self.positive),), coupling)
        else:
            found = kept_positive(self, Canonical((), coupling), n_features)
        if smooths:
            before, after, follows = self.steps(labels)
            ones = np.ones(int(follows.sum()))
            graph = Graph(T, (after[follows], before[follows], self.alpha_smooth * ones, ones))
            found = Canonical(found.terms, found.coupling + graph)
        return found

    def pack(self):
        cuts = self.alpha_smooth * self.steps(range(len(self.order)))[2]
        slopes = np.zeros(len(self.order) if self.positive else 0)
        fpar = np.concatenate([slopes, [self.alpha_sparse, self.alpha_group], cuts])
        return fpar, np.array(self.order, dtype=np.int64)

    def prox(self, V, step):
        if self.norm == "l2":
            raise TypeError("Temporal(norm='l2') is a sum with a quadratic coupling, which has no prox of its own")
        # That of the rest, for a shrunk point and a shorter step.
        shrink = 1 / (1 + np.asarray(step) * self.alpha_ridge)
        return super(Temporal, self.bind(range(np.shape(V)[1]))).prox(V * shrink, step * shrink)

    def feasible(self, W):
        return np.maximum(W, 0.0) if self.positive else W

    def free_tasks(self, n_tasks):
        free = self.alpha_sparse == 0 and self.alpha_group == 0
        ends = self.order.ends + 1 if isinstance(self.order, Chains) else []
        chains = np.split(self.positions(range(n_tasks)), ends) if free else []
        basis = np.zeros((n_tasks, len(chains)))
        for k, chain in enumerate(chains):
            basis[chain, k] = len(chain) ** -0.5
        return basis

    def value(self, W):
        return only_positive(lambda: self._value(W), W) if self.positive else self._value(W)

    def _value(self, W):
        before, after, follows = self.steps(range(W.shape[1]))
        steps = (W[:, after] - W[:, before])[:, follows]
        smooth = np.abs(steps).sum() if self.norm == "l1" else np.sum(steps**2)
        rest = self.alpha_sparse * np.abs(W).sum() + self.alpha_group * row_norms(W).sum()
        return float(self.alpha_smooth * smooth + rest + 0.5 * self.alpha_ridge * np.sum(W**2))

    def findings(self, W, labels):
        before, after, follows = self.steps(labels)
        changes = (W[:, after] - W[:, before])[:, follows] != 0
        if self.norm == "l2" or not changes.size:
            return []
        steps = counted(changes.shape[1], "step")
        return [f"of the {steps} in time, models change in {np.sum(changes.any(axis=0)):,}"]

    def expression(self, W, cp):
        before, after, follows = self.steps(range(W.shape[1]))
        total = self.alpha_sparse * cp.sum(cp.abs(W)) + self.alpha_group * cp.sum(cp.norm(W, 2, axis=1))
        total += 0.5 * self.alpha_ridge * cp.sum_squares(W)
        for s, t in zip(before[follows].tolist(), after[follows].tolist(), strict=True):
            step = W[:, t] - W[:, s]
            total += self.alpha_smooth * (cp.norm(step, 1) if self.norm == "l1" else cp.sum_squares(step))
        return total, [W >= 0] if self.positive else []
