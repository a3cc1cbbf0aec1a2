"""Sums of parts: W = W_1 + ... + W_K, each part with a penalty of its own."""

import numpy as np
from sklearn.utils.metaestimators import _BaseComposition

from .base import Canonical, Penalty


class Parts(Penalty, _BaseComposition):
    """Omega(W) = min over W = sum_k W_k of sum_k penalty_k(W_k).

    Parameters
    ----------
    parts : list of (name, penalty)
        As the steps of a scikit-learn pipeline; parameters are reached as ``name__alpha`` and the fitted
        part as the attribute ``name_`` (T, d). A part's penalty has a kink or is strictly convex (RowNorm,
        SparseGroup, DirtyNorm, TraceNorm, SquaredTraceNorm, LearnedClusters).

    References
    ----------
    Chandrasekaran, Sanghavi, Parrilo, Willsky (2011), SIAM J. Optimization; Gong, Ye, Zhang (2012), KDD.
    """

    strengths = ()
    is_norm = False

    def __init__(self, parts):
        self.parts = parts

    def get_params(self, deep=True):
        return self._get_params("parts", deep=deep)

    def set_params(self, **params):
        self._set_params("parts", **params)
        return self

    def check(self, n_features, tasks):
        if not self.parts:
            raise ValueError(f"parts must be a non-empty list of (name, penalty), got {self.parts!r}.")
        for entry in self.parts:
            if not (isinstance(entry, tuple) and len(entry) == 2 and isinstance(entry[1], Penalty)):
                raise ValueError(f"parts must hold (name, penalty) tuples, got {entry!r}.")
            entry[1].check(n_features, tasks)
        self._validate_names([name for name, _ in self.parts])

    def resolve(self, n_features, tasks):
        self.check(n_features, tasks)
        terms = ()
        for name, penalty in self.parts:
            canonical = penalty.resolve(n_features, tasks)
            if len(canonical.terms) != 1 or np.any(canonical.M):
                raise ValueError(
                    f"part {name!r}: {penalty!r} is a quadratic coupling or zero, which leaves nothing for the "
                    "other parts; add a coupling to the sum instead: Parts([...]) + coupling."
                )
            terms += canonical.terms
        return Canonical(terms, np.zeros((len(tasks), len(tasks))))

    def bind(self, tasks):
        return Parts([(name, penalty.bind(tasks)) for name, penalty in self.parts])

    def value(self, W):
        raise TypeError("the value of a sum of parts depends on the parts: use Canonical.value")

    def expression(self, W, cp):
        pieces = [cp.Variable(W.shape) for _ in self.parts]
        total, rules = 0, [sum(pieces) == W]
        for (_, penalty), piece in zip(self.parts, pieces, strict=True):
            value, more = penalty.expression(piece, cp)
            total, rules = total + value, rules + more
        return total, rules

    def report(self, parts):
        return {f"{name}_": part.T.copy() for (name, _), part in zip(self.parts, parts, strict=True)}

    def strength_values(self):
        return {f"{k}__{n}": v for k, penalty in self.parts for n, v in penalty.strength_values().items()}

    def scaled(self, factor):
        return Parts([(name, penalty.scaled(factor)) for name, penalty in self.parts])
