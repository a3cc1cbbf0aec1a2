"""The weights of an online learner, and the interaction of its tasks."""

from functools import cached_property

import numpy as np

from ..coupling import Nested
from ._online_kernels import PERCEPTRON, learn_dense, learn_nested

KEPT = 0.01  # share of the given interaction in a learned one, so that no direction is closed for good
LEAST = 1e-12  # eigenvalue of what is learned, beside its largest one


class Learner:
    """The weights of all tasks after some rounds.

    Attributes
    ----------
    V, U : ndarray of shape (G, p)
        As the kernels have them; of T tasks or, with a nested coupling, of all groups of them.
    groups, shares : ndarray of shape (L, T), (G,); or None
        Of a nested coupling.
    B, B0, learned : ndarray of shape (T, T); or None
        The interaction of any other; where it is learned, the one that was given, and what is learned of it.
    seen, n_rounds, n_steps, n_updates : float and int
    """

    def __init__(self, operator, n_columns, relations="fixed", relation_rate=1.0):
        T, learns = operator.n_tasks, relations != "fixed" and operator.n_tasks > 1
        self.relations, self.relation_rate = relations, relation_rate
        self.groups = self.shares = self.B = self.B0 = self.learned = None
        if isinstance(operator, Nested) and not learns:
            inverse = operator.inverse()
            own, sizes = np.arange(T), [np.ones(T), *map(np.bincount, inverse.groups)]
            levels = [own, *inverse.groups]
            first = np.cumsum([0, *map(len, sizes)])
            self.groups = np.array([codes + k for codes, k in zip(levels, first, strict=False)], dtype=np.int64)
            rises = np.diff(inverse.values, prepend=0)
            self.shares = np.concatenate([rise / size for rise, size in zip(rises, sizes, strict=True)])
            n_models = int(first[-1])
        else:
            values, vectors = np.linalg.eigh(operator.matrix())
            self.B = np.ascontiguousarray((vectors / values) @ vectors.T)
            n_models = T
            if learns:
                self.B *= T / np.trace(self.B)
                self.B0 = self.learned = self.B
        self.V, self.U = np.zeros((n_models, n_columns)), np.zeros((n_models, n_columns))
        self.n_rounds = self.n_steps = self.n_updates = 0
        self.seen = 0.0

    def copy(self):
        other = object.__new__(type(self))
        other.__dict__.update({name: value for name, value in vars(self).items() if name != "models"})
        other.V, other.U = self.V.copy(), self.U.copy()
        return other

    def learn(self, kind, rate, X, row, task, y, weight, burn_in=0):
        """(m,) predictions of some rounds, which read rows of X (n, p), before each of them moved the weights."""
        z = np.empty(len(y))
        rounds = (kind, rate, X, row, task, y, weight)
        if self.groups is not None:
            learn_nested(*rounds, self.groups, self.shares, self.seen, self.V, self.U, z)
            self.seen += weight.sum()
        else:
            every, first = len(self.B) if self.B0 is not None else len(y) + 1, 0
            while first < len(y):
                end = learn_dense(*rounds, first, every - self.n_steps, self.B, self.seen, self.V, self.U, z)
                taken = slice(first, end)
                moved = z[taken] * y[taken] <= 0 if kind == PERCEPTRON else np.ones(end - first, dtype=bool)
                self.seen += weight[taken].sum()
                self.n_steps += int(moved.sum())
                if self.B0 is not None and self.n_steps >= every:
                    self.n_steps = 0
                    if self.n_rounds + end >= burn_in:
                        self.relate()
                first = end
        self.n_rounds += len(y)
        return z

    def relate(self):
        """Learn the interaction from the weights: a step towards C = (W'W)^(1/2), which is the best one for these.

        It minimises tr(W B^-1 W') + tr(B). In A = B^-1 the gradient of that is W'W - B^2, by which mirror descent moves
        -B (of the logarithm of the determinant) or -log B (of von Neumann's entropy).
        """
        T, rate = len(self.B), self.relation_rate
        squares, vectors = np.linalg.eigh(self.V @ self.V.T)
        values = np.sqrt(np.maximum(squares, 0.0))
        if not values.sum() > 0:
            return
        values *= T / values.sum()
        C, B = (vectors * values) @ vectors.T, self.learned
        if self.relations == "covariance":
            B = self.B0 + rate * (C - self.B0)
        else:
            own, axes = np.linalg.eigh(B)
            # (As long a step as keeps it positive.)
            top = max(own[-1], values[-1])
            if self.relations == "logdet":
                B = B + rate / top * (C @ C - B @ B)
            else:
                own, axes = np.linalg.eigh(
                    (axes * np.log(np.maximum(own, LEAST * own[-1]))) @ axes.T + rate / top**2 * (C @ C - B @ B)
                )
                B = (axes * np.exp(own)) @ axes.T
        self.learned = (B + B.T) * (T / (2 * np.trace(B)))
        self.B = np.ascontiguousarray((1 - KEPT) * self.learned + KEPT * self.B0)
        self.n_updates += 1

    @property
    def interaction(self):
        if self.groups is None:
            return self.B
        same = self.groups[:, :, None] == self.groups[:, None, :]
        return np.einsum("lst,ls->st", same, self.shares[self.groups])

    @cached_property
    def models(self):
        """[(T, p) the last weights, (T, p) their average over all rounds]."""
        found = [self.V, self.V - self.U / self.seen if self.seen > 0 else self.V]
        return found if self.groups is None else [sum(of[codes] for codes in self.groups) for of in found]
