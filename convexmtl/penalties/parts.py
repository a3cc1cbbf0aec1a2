"""Sums of parts: W = W_1 + ... + W_K, each part with a penalty of its own."""

import numpy as np

from .._compat import BaseComposition
from .._rows import row_norms, used_rows
from .._words import counted, listed
from ..coupling import Nested
from ._manifold import of_norms
from .base import Canonical, Penalty, grown
from .row_norm import RowNorm
from .rows import shorten
from .spectral import TraceNorm

PART = "part: "  # how the variables of parts begin in cvxpy, by which the reference knows them


class Parts(Penalty, BaseComposition):
    """Omega(W) = min over W = sum_k W_k of sum_k penalty_k(W_k).

    Parameters
    ----------
    parts : list of (name, penalty)
        As the steps of a scikit-learn pipeline; parameters are reached as ``name__alpha`` and the fitted
        part as the attribute ``name_`` (T, d); where it is a ``TaskNorm``, ``name_tasks_`` has the labels of the
        tasks in it. A part's penalty has a kink or is strictly convex (RowNorm, SparseGroup, DirtyNorm, TaskNorm,
        TraceNorm, SquaredTraceNorm, LearnedClusters).

    References
    ----------
    Chandrasekaran, Sanghavi, Parrilo, Willsky (2011), SIAM J. Optimization; Gong, Ye, Zhang (2012), KDD.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import MultiTaskRegressor, Parts, RowNorm, TraceNorm
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 6))
    >>> Y = X[:, :2] @ rng.normal(size=(2, 4)) + 0.1 * rng.normal(size=(40, 4))
    >>> model = MultiTaskRegressor(Parts([("rows", RowNorm(0.3)), ("low", TraceNorm(0.4))])).fit(X, Y)
    >>> print(np.allclose(model.rows_ + model.low_, model.coef_))
    True
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

    @property
    def _ill_formed(self):
        """What is wrong with the list as such, or None."""
        if not self.parts:
            return f"parts must be a non-empty list of (name, penalty), got {self.parts!r}."
        for entry in self.parts:
            if not (isinstance(entry, tuple) and len(entry) == 2 and isinstance(entry[1], Penalty)):
                return f"parts must hold (name, penalty) tuples, got {entry!r}."
        return None

    def check(self, n_features, labels):
        if self._ill_formed is not None:
            raise ValueError(self._ill_formed)
        for _, penalty in self.parts:
            penalty.check(n_features, labels)
        self._validate_names([name for name, _ in self.parts])

    def resolve(self, n_features, labels):
        self.check(n_features, labels)
        terms = ()
        for name, penalty in self.parts:
            canonical = penalty.resolve(n_features, labels)
            if canonical.whole:
                raise ValueError(
                    f"part {name!r}: {penalty!r} is a sum of penalties, and a part has one. Add what is to hold of all "
                    "of W to the sum instead, Parts([...]) + penalty, or name one penalty that is both (SparseGroup, "
                    "RowNorm with l1_ratio)."
                )
            if len(canonical.terms) != 1 or not canonical.coupling.is_zero:
                raise ValueError(
                    f"part {name!r}: {penalty!r} is a quadratic coupling or zero, which leaves nothing for the "
                    "other parts; add a coupling to the sum instead: Parts([...]) + coupling."
                )
            terms += canonical.terms
        return Canonical(terms, Nested(len(labels), [0.0]))

    def bind(self, labels):
        return Parts([(name, penalty.bind(labels)) for name, penalty in self.parts])

    @property
    def places(self):
        return {name: place for _, penalty in self.parts for name, place in penalty.places.items()}

    def with_task(self, labels, place):
        return Parts([(name, grown(penalty, labels, place)) for name, penalty in self.parts])

    def of_columns(self, columns):
        if self._ill_formed is not None:
            return self  # for ``check`` to say
        return Parts([(name, penalty.of_columns(columns)) for name, penalty in self.parts])

    def bind_features(self, n_features, names):
        if self._ill_formed is not None:
            return self  # for ``check`` to say
        return Parts([(name, penalty.bind_features(n_features, names)) for name, penalty in self.parts])

    def value(self, W):
        raise TypeError("the value of a sum of parts depends on the parts: use Canonical.value")

    def expression(self, W, cp):
        pieces = [cp.Variable(W.shape, name=PART + name) for name, _ in self.parts]
        total, rules = 0, [sum(pieces) == W]
        for (_, penalty), piece in zip(self.parts, pieces, strict=True):
            value, more = penalty.expression(piece, cp)
            total, rules = total + value, rules + more
        return total, rules

    @property
    def part_names(self):
        return tuple(name for name, _ in self.parts)

    def report(self, parts, labels):
        out = {}
        for (name, penalty), part in zip(self.parts, parts, strict=True):
            out |= penalty.report_part(name, part, labels)
        return out

    @property
    def formula(self):
        """With the parts by their names."""
        total = " + ".join(name for name, _ in self.parts)
        each = " + ".join(penalty.formula.replace("W", name) for name, penalty in self.parts)
        return f"min over {total} = W of {each}"

    def describe(self, parts, labels):
        """Every part by its name, with how many features and tasks are in it."""
        said = []
        for (name, penalty), part in zip(self.parts, parts, strict=True):
            used = int(used_rows(part).sum())
            rows = [f"{used:,} of {counted(len(part), 'feature')} in it"] if used < len(part) else []
            for one in penalty.describe([part], labels):
                said.append(one._replace(name=name, findings=rows + one.findings if used else ["nothing is in it"]))
        return said

    def strength_values(self):
        return {f"{k}__{n}": v for k, penalty in self.parts for n, v in penalty.strength_values().items()}

    def scaled(self, factor):
        return Parts([(name, penalty.scaled(factor)) for name, penalty in self.parts])


class TaskNorm(Penalty):
    """Omega(W) = alpha sum_t norm_2(w_t): whole tasks are zero. As a part of W it takes up the outlier tasks.

    Parameters
    ----------
    alpha : float, or array-like of shape (T,), default=1.0
        The same for all tasks, or one for each, in the order of ``tasks_``.

    References
    ----------
    Chen, Zhou, Ye (2011), KDD; Gong, Ye, Zhang (2012), KDD.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import TaskNorm
    >>> W = np.array([[3.0, 0.0], [4.0, 0.0]])
    >>> print(round(TaskNorm(alpha=1.0).value(W), 6))
    5.0
    >>> print(TaskNorm(alpha=1.0).prox(W, step=1.0).round(3))
    [[2.4 0. ]
     [3.2 0. ]]
    """

    unitarily_invariant = True
    by_task = True
    asks = "few tasks"

    def __init__(self, alpha=1.0):
        self.alpha = alpha

    def value(self, W):
        return float(np.sum(np.multiply(self.alpha, row_norms(W.T))))

    def prox(self, V, step):
        return shorten(V.T, row_norms(V.T), np.multiply(self.alpha, step)).T

    def dual_norm(self, Z):
        return float(np.max(row_norms(Z.T) / self.alpha))

    def manifold(self, W, Z):
        return of_norms(W, np.broadcast_to(W.any(axis=0), W.shape), self.alpha, axis=0)

    def slopes(self, V, step):
        (d, T), norms = V.shape, row_norms(V.T)
        left = norms > np.multiply(self.alpha, step)
        u = np.divide(V, norms, out=np.zeros_like(V), where=left)
        cut = np.divide(np.multiply(self.alpha, step), norms, out=np.ones(T), where=left)
        J = np.zeros((d, T, d, T))
        for t in np.flatnonzero(left):
            J[:, t, :, t] = (1 - cut[t]) * np.eye(d) + cut[t] * np.outer(u[:, t], u[:, t])
        return J.reshape(d * T, d * T)

    def expression(self, W, cp):
        return cp.norm(W, 2, axis=0) @ np.broadcast_to(self.alpha, W.shape[1]), []

    def findings(self, W, labels):
        used = W.any(axis=0)
        return [f"{used.sum():,} of {counted(len(used), 'task')} in it: {listed(np.asarray(labels)[used].tolist())}"]

    def report_part(self, name, part, labels):
        """With ``name_tasks_``, the labels of the tasks in it."""
        return super().report_part(name, part, labels) | {f"{name}_tasks_": np.asarray(labels)[part.any(axis=0)]}


class NamedParts(Penalty):
    """A sum of parts whose strengths have names of their own; a member owes ``parts``.

    Examples
    --------
    >>> from convexmtl import RobustFeature
    >>> from convexmtl.penalties import NamedParts
    >>> isinstance(RobustFeature(), NamedParts)
    True
    >>> [name for name, _ in RobustFeature().parts]
    ['shared', 'outlier']
    """

    is_norm = False

    @property
    def parts(self):
        """[(name, penalty)], as for ``Parts``."""
        raise TypeError(f"{type(self).__name__} does not define parts")

    def resolve(self, n_features, labels):
        self.check(n_features, labels)
        if any(getattr(self, name) == 0 for name in self.strengths):
            # One free part makes all of W free.
            return Canonical((), Nested(len(labels), [0.0]))
        return Parts(self.parts).resolve(n_features, labels)

    def value(self, W):
        return Parts(self.parts).value(W)

    def expression(self, W, cp):
        return Parts(self.parts).expression(W, cp)

    @property
    def part_names(self):
        return Parts(self.parts).part_names

    def _all(self, parts):
        """All parts, where one that is free has been all there is."""
        if len(parts) == len(self.strengths):
            return parts
        free = next(k for k, name in enumerate(self.strengths) if getattr(self, name) == 0)
        return [parts[0] if k == free else np.zeros_like(parts[0]) for k in range(len(self.strengths))]

    def report(self, parts, labels):
        return Parts(self.parts).report(self._all(parts), labels)

    def describe(self, parts, labels):
        return Parts(self.parts).describe(self._all(parts), labels)


class RobustLowRank(NamedParts):
    """Omega(W) = min over L + S = W of alpha_low_rank norm_*(L) + alpha_outlier sum_t norm_2(s_t).

    Parameters
    ----------
    alpha_low_rank, alpha_outlier : float, default=1.0

    References
    ----------
    Chen, Zhou, Ye (2011), KDD.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import MultiTaskRegressor, RobustLowRank
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 6))
    >>> Y = X[:, :2] @ rng.normal(size=(2, 4)) + 0.1 * rng.normal(size=(40, 4))
    >>> model = MultiTaskRegressor(RobustLowRank(0.3, 0.2)).fit(X, Y)
    >>> print(np.allclose(model.low_rank_ + model.outlier_, model.coef_))
    True
    """

    strengths = ("alpha_low_rank", "alpha_outlier")

    def __init__(self, alpha_low_rank=1.0, alpha_outlier=1.0):
        self.alpha_low_rank = alpha_low_rank
        self.alpha_outlier = alpha_outlier

    @property
    def parts(self):
        return [("low_rank", TraceNorm(self.alpha_low_rank)), ("outlier", TaskNorm(self.alpha_outlier))]


class RobustFeature(NamedParts):
    """Omega(W) = min over P + Q = W of alpha_group sum_j norm_2(P_j.) + alpha_outlier sum_t norm_2(q_t).

    Parameters
    ----------
    alpha_group, alpha_outlier : float, default=1.0

    References
    ----------
    Gong, Ye, Zhang (2012), KDD.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import MultiTaskRegressor, RobustFeature
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 6))
    >>> Y = X[:, :2] @ rng.normal(size=(2, 4)) + 0.1 * rng.normal(size=(40, 4))
    >>> model = MultiTaskRegressor(RobustFeature(0.2, 0.2)).fit(X, Y)
    >>> print(np.allclose(model.shared_ + model.outlier_, model.coef_))
    True
    """

    strengths = ("alpha_group", "alpha_outlier")

    def __init__(self, alpha_group=1.0, alpha_outlier=1.0):
        self.alpha_group = alpha_group
        self.alpha_outlier = alpha_outlier

    @property
    def parts(self):
        return [("shared", RowNorm(self.alpha_group)), ("outlier", TaskNorm(self.alpha_outlier))]


class SparseLowRank(NamedParts):
    """Omega(W) = min over S + L = W of alpha_sparse norm_1(S) + alpha_low_rank norm_*(L).

    Parameters
    ----------
    alpha_sparse, alpha_low_rank : float, default=1.0

    References
    ----------
    Chen, Liu, Ye (2010), KDD.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import MultiTaskRegressor, SparseLowRank
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 6))
    >>> Y = X[:, :2] @ rng.normal(size=(2, 4)) + 0.1 * rng.normal(size=(40, 4))
    >>> model = MultiTaskRegressor(SparseLowRank(0.1, 0.2)).fit(X, Y)
    >>> print(np.allclose(model.sparse_ + model.low_rank_, model.coef_))
    True
    """

    strengths = ("alpha_sparse", "alpha_low_rank")

    def __init__(self, alpha_sparse=1.0, alpha_low_rank=1.0):
        self.alpha_sparse = alpha_sparse
        self.alpha_low_rank = alpha_low_rank

    @property
    def parts(self):
        return [("sparse", RowNorm(self.alpha_sparse, q=1)), ("low_rank", TraceNorm(self.alpha_low_rank))]
