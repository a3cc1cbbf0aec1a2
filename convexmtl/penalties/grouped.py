"""Groups of features: what a row penalty makes of blocks of rows, each of them as one long row."""

from functools import cached_property, wraps

import numpy as np
from scipy.sparse import block_diag, csc_array, hstack

from .._rows import row_norms, used_rows
from .._words import counted, listed
from ..coupling import Nested
from ._manifold import Manifold
from ._reading import read_groups
from .base import Canonical
from .rows import RowPenalty
from .weighted import WeightedRows

SHOWN = 10  # groups that are named


class Blocks:
    """Which rows are taken together, by their ``codes`` (d,), from 0 on and without gaps."""

    def __init__(self, codes):
        self.codes = np.asarray(codes)

    @cached_property
    def sizes(self):
        return np.bincount(self.codes)

    @cached_property
    def order(self):
        """(d,) the rows, block after block."""
        return np.argsort(self.codes, kind="stable")

    @cached_property
    def starts(self):
        """(G + 1,) where each block begins in ``order``."""
        return np.concatenate([[0], np.cumsum(self.sizes)])

    @cached_property
    def by_size(self):
        """[(size, blocks (n,) of that size, their rows (n, size))]"""
        some = [np.flatnonzero(self.sizes == size) for size in np.unique(self.sizes)]
        return [
            (len(rows[0]), ids, rows)
            for ids in some
            for rows in [self.order[self.starts[ids][:, None] + np.arange(self.sizes[ids[0]])]]
        ]

    def whole(self, rows):
        """All rows of the blocks that ``rows`` are in, a block after the other as they come first there."""
        codes, first = np.unique(self.codes[rows], return_index=True)
        rank = np.full(len(self.sizes), -1)
        rank[codes[np.argsort(first)]] = np.arange(len(codes))
        some = np.flatnonzero(rank[self.codes] >= 0)
        return some[np.argsort(rank[self.codes[some]], kind="stable")]

    def select(self, rows):
        """(Blocks of these rows, which hold whole blocks, numbered as they come first; their numbers here)."""
        codes, first, inverse = np.unique(self.codes[rows], return_index=True, return_inverse=True)
        order = np.argsort(first)
        rank = np.empty(len(codes), dtype=np.int64)
        rank[order] = np.arange(len(codes))
        return Blocks(rank[inverse]), codes[order]


class GroupedRows(RowPenalty):
    """Omega(W) = sum_g phi_g(W_g), W_g the rows of group g as one long row, for a row penalty phi that is
    ``of_block`` of their number; as solvers see it.

    Parameters
    ----------
    rows : RowPenalty
    blocks : Blocks
    weights : ndarray of shape (G,) or None
        Of the groups, as those of the rows in ``WeightedRows``.
    ridge : float, default=0.0
    """

    strengths = ()

    def __init__(self, rows, blocks, weights=None, ridge=0.0):
        self.rows = rows
        self.blocks = blocks
        self.weights = weights
        self.ridge = ridge

    @property
    def positive(self):
        return self.rows.positive

    @property
    def is_norm(self):
        return self.rows.is_norm and self.ridge == 0

    @property
    def isotropic(self):
        return self.rows.isotropic

    @property
    def kink(self):
        return None if self.rows.kink is None else GroupedRows(self.rows.kink, self.blocks, self.weights)

    @property
    def softest(self):
        if self.weights is None:
            return self.rows
        positive = np.where(self.weights > 0, self.weights, np.inf)
        return WeightedRows(self.rows, positive[[np.argmin(positive)]], self.ridge)

    @property
    def row_prox(self):
        return self._of_size(1).row_prox

    def _of_size(self, size, ids=slice(None)):
        """The penalty of the rows that blocks of this size are."""
        rows = self.rows.of_block(size)
        return rows if self.weights is None else WeightedRows(rows, self.weights[ids], self.ridge)

    def _pieces(self, *arrays):
        """Yield (penalty, rows (n, size), each of the arrays (..., d, T) as (..., n, size T)) of the blocks of every
        size."""
        for size, ids, rows in self.blocks.by_size:
            flat = (A[..., rows, :] for A in arrays)
            yield self._of_size(size, ids), rows, *(A.reshape(*A.shape[:-2], -1) for A in flat)

    def pack(self):
        """For rows in the order of their blocks: the numbers of one size after those of the other; and G, the length of
        these, the starts, the position of every block's size, and all else."""
        packed = [self._of_size(size).pack() for size, _, _ in self.blocks.by_size]
        which = np.empty(len(self.blocks.sizes), dtype=np.int64)
        for k, (_, ids, _) in enumerate(self.blocks.by_size):
            which[ids] = k
        fpars = [fpar for fpar, _ in packed]
        known = [len(which), len(fpars[0]) if packed else 0], self.blocks.starts, which
        ipar = np.concatenate([*known, *(ipar for _, ipar in packed[:1])])
        return np.concatenate([np.zeros(0), *fpars]), ipar.astype(np.int64)

    def resolve(self, n_features, labels):
        return Canonical((self,), Nested(len(labels), [0.0]))

    def restrict(self, features):
        blocks, ids = self.blocks.select(features)
        return GroupedRows(self.rows, blocks, None if self.weights is None else self.weights[ids], self.ridge)

    def scaled(self, factor):
        return GroupedRows(self.rows.scaled(factor), self.blocks, self.weights, self.ridge * factor)

    def weighted(self, weights, ridge):
        if self.weights is not None:
            weights = product(weights, self.weights)
        return GroupedRows(self.rows, self.blocks, weights, self.ridge + ridge)

    def _entries(self, which, shape):
        """(d, T) booleans of those in groups that ``which`` (G,) says; None where there are none."""
        return np.broadcast_to(which[self.blocks.codes][:, None], shape) if which.any() else None

    def free_entries(self, shape):
        return None if self.weights is None else self._entries(self.weights == 0, shape)

    def left_out(self, shape):
        return None if self.weights is None else self._entries(np.isinf(self.weights), shape)

    def feasible(self, W):
        out = self.left_out(W.shape)
        W = np.maximum(W, 0.0) if self.positive else W
        return W if out is None else np.where(out, 0.0, W)

    def selects_features(self, n_tasks):
        return self.rows.selects_features(n_tasks)

    def selects_coefficients(self, n_tasks):
        return self.rows.selects_coefficients(n_tasks)

    def value(self, W):
        return float(sum(term.value(V) for term, _, V in self._pieces(W)))

    def values(self, Ws):
        return sum(term.values(Vs) for term, _, Vs in self._pieces(Ws))

    def dual_norm(self, Z):
        return float(self._largest(term.dual_norm(V) for term, _, V in self._pieces(Z)))

    def dual_norms(self, Zs):
        return self._largest(term.dual_norms(Vs) for term, _, Vs in self._pieces(Zs))

    def _largest(self, norms):
        # (NaN stays NaN.)
        return np.max(list(norms), axis=0, initial=0.0)

    def conjugate(self, Z):
        return float(sum(term.conjugate(V) for term, _, V in self._pieces(Z)))

    def excess(self, Z):
        """(d,) that of a group, for each of its features."""
        out = np.empty(len(Z))
        for term, rows, V in self._pieces(Z):
            out[rows] = term.excess(V)[:, None]
        return out

    def expression(self, W, cp):
        """Group by group, omega_g = f_g sqrt(size) before a norm."""
        T, total, rules = W.shape[1], 0.0, [W >= 0] if self.positive else []
        for g, size in enumerate(self.blocks.sizes):
            f = 1.0 if self.weights is None else self.weights[g]
            block = W[np.flatnonzero(self.blocks.codes == g)]
            if np.isinf(f):
                rules = [*rules, block == 0]
            elif f > 0:
                row = cp.reshape(block, (1, size * T), order="C")
                total = total + f * self.rows.of_block(size).expression(row, cp)[0]
                total = total + 0.5 * self.ridge * f**2 * cp.sum_squares(row)
        return total, rules

    def prox(self, V, step):
        out = np.empty(V.shape)
        for term, rows, block in self._pieces(np.asarray(V, dtype=float)):
            steps = step if np.ndim(step) == 0 else np.tile(step, rows.shape[1])
            out[rows] = term.prox(block, steps).reshape(*rows.shape, -1)
        return out

    def manifold(self, W, Z):
        T, found = W.shape[1], []
        for term, rows, V, Y in self._pieces(W, Z):
            one = term.manifold(V, Y)
            at = (rows[:, :, None] * T + np.arange(T)).ravel()
            basis = one.basis.tocoo()
            moved = csc_array((basis.data, (at[basis.row], basis.col)), shape=(W.size, basis.shape[1]))
            found.append(one._replace(basis=moved))
        basis, diagonal, factor = zip(*found, strict=True)
        return Manifold(csc_array(hstack(basis)), np.concatenate(diagonal), csc_array(block_diag(factor, format="csc")))


def product(f, own):
    """Weights times weights; what one of them leaves out is left out."""
    out = np.isinf(f) | np.isinf(own)
    return np.where(out, np.inf, np.where(out, 1.0, f) * np.where(out, 1.0, own))


def may_be_grouped(cls):
    """Class decorator of a row penalty that has the parameter ``feature_groups``, and ``of_block``."""
    check, bind, resolve = cls.check, cls.bind_features, cls.resolve
    report, findings, units = cls.report, cls.findings, cls.units

    def plain(self):
        return self.replaced(feature_groups=None)

    def of_check(self, n_features, labels):
        check(self, n_features, labels)
        if self.feature_groups is not None:
            read_groups(self.feature_groups, n_features)

    def of_bind(self, n_features, names):
        if self.feature_groups is None:
            return bind(self, n_features, names)
        groups = read_groups(self.feature_groups, n_features, names)
        return bind(self.replaced(feature_groups=groups), n_features, names)

    def of_resolve(self, n_features, labels):
        if self.feature_groups is None or getattr(self, "feature_weights", None) is not None:
            return resolve(self, n_features, labels)
        self.check(n_features, labels)
        groups = read_groups(self.feature_groups, n_features)
        canonical = resolve(plain(self), n_features, labels)
        terms = tuple(term.in_groups(Blocks(groups.codes)) for term in canonical.terms)
        return Canonical(terms, canonical.coupling)

    def of_report(self, parts, labels):
        own = report(self, parts, labels)
        if self.feature_groups is None:
            return own
        W = sum(parts)
        groups = read_groups(self.feature_groups, len(W))
        norms = np.sqrt(np.bincount(groups.codes, row_norms(W) ** 2, len(groups)))
        return own | {"groups_": groups.labels, "feature_groups_": groups.codes, "group_norms_": norms}

    def of_findings(self, W, labels):
        own = findings(self, W, labels)
        if self.feature_groups is None:
            return own
        groups = read_groups(self.feature_groups, len(W))
        used = np.bincount(groups.codes, used_rows(W), len(groups)) > 0
        named = f": {listed(groups.labels[used].tolist())}" if 0 < used.sum() <= SHOWN else ""
        return [f"{used.sum():,} of {counted(len(used), 'group')} of features in use{named}", *own]

    def of_units(self, n_features, names):
        if self.feature_groups is None:
            return units(self, n_features, names)
        groups = read_groups(self.feature_groups, n_features, names)
        return groups.codes, groups.labels.tolist(), "group"

    changed = [("check", of_check), ("bind_features", of_bind), ("resolve", of_resolve), ("report", of_report)]
    for name, method in [*changed, ("findings", of_findings), ("units", of_units)]:
        setattr(cls, name, wraps(getattr(cls, name))(method))

    def of_formula(self):
        own = super(cls, self).formula
        blocks = "of groups g of d_g features in place of rows j, their norms times sqrt(d_g)"
        return own if self.feature_groups is None else f"{own}, {blocks}"

    cls.formula = property(of_formula, doc=cls.formula.__doc__)

    def by_term(name):
        own = getattr(cls, name)

        @wraps(own)
        def method(self, *args, **kwargs):
            if self.feature_groups is None:
                return own(self, *args, **kwargs)
            W = args[0] if args else next(iter(kwargs.values()))
            return getattr(_Whole(self, W), name)(*args, **kwargs)

        return method

    asked = "value", "values", "prox", "dual_norm", "dual_norms", "conjugate", "excess", "feasible", "manifold"
    for name in (*asked, "expression"):
        setattr(cls, name, by_term(name))
    return cls


class _Whole:
    """A penalty of rows and the ridge beside it, for W of one shape: what its user may ask of it."""

    def __init__(self, penalty, W):
        canonical = penalty.resolve(np.shape(W)[-2], range(np.shape(W)[-1]))
        self.term = canonical.terms[0] if canonical.terms else None
        self.ridge = 2 * float(canonical.coupling.values[0])

    def __getattr__(self, name):
        return getattr(self.term, name)

    def value(self, W):
        return (self.term.value(W) if self.term else 0.0) + 0.5 * self.ridge * float(np.sum(W**2))

    def values(self, Ws):
        return (self.term.values(Ws) if self.term else 0.0) + 0.5 * self.ridge * np.sum(Ws**2, axis=(-2, -1))

    def prox(self, V, step):
        shrink = 1 / (1 + np.asarray(step) * self.ridge)
        return self.term.prox(V * shrink, step * shrink) if self.term else V * shrink

    def expression(self, W, cp):
        total, rules = self.term.expression(W, cp) if self.term else (0.0, [])
        return total + 0.5 * self.ridge * cp.sum_squares(W), rules

    def conjugate(self, Z):
        if not self.ridge:
            return self.term.conjugate(Z)
        beyond = self.term.prox(Z, 1.0) if self.term else Z
        return float(np.sum(beyond**2)) / (2 * self.ridge)

    def feasible(self, W):
        return self.term.feasible(W) if self.term else W
