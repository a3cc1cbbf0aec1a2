"""Weights of the features: what a row penalty makes of the rows of W times a weight each."""

import warnings
from functools import cache, wraps
from types import FunctionType

import numpy as np

from .._input import read_feature_weights
from .._jit import Kernel, row_prox
from ..coupling import Nested
from .base import Canonical, Penalty, Said, grown
from .positive import may_be_positive
from .rows import RowPenalty


@row_prox
def prox_nothing(v, step, fpar, ipar, feature):
    """Without a penalty, where it is."""


def _weighted(v, step, fpar, ipar, feature):
    """argmin over x of sum_t (x_t - v_t)^2 / (2 step_t) + phi(f x) + r / 2 norm_2(f x)^2, with the prox of phi for
    ``_inner``; fpar is [r, *f, those of phi], ipar [number of features, whether x >= 0, those of phi]."""
    d = ipar[0]
    f = fpar[1 + feature]
    T = v.shape[0]
    if f == 0.0:
        for t in range(T):
            if ipar[1] == 1 and v[t] < 0.0:
                v[t] = 0.0
        return
    if not f < np.inf:
        for t in range(T):
            v[t] = v[t] * 0.0  # 0, and NaN for NaN
        return
    own = np.empty(T)
    for t in range(T):
        long = f * f * step[t]
        shrink = 1.0 / (1.0 + fpar[0] * long)
        own[t] = long * shrink
        v[t] *= f * shrink
    _inner(v, own, fpar[1 + d :], ipar[2:], feature)  # noqa: F821
    for t in range(T):
        v[t] /= f


@cache
def weighted_prox(inner):
    """The row prox, a Kernel, of ``inner`` for rows with weights."""
    space = {"np": np, "_inner": inner, "__name__": __name__}
    return Kernel(FunctionType(_weighted.__code__, space, _weighted.__name__), inner.signature)


@may_be_positive
class Unpenalised(RowPenalty):
    """Omega(W) = 0, as a row penalty whose rows may have weights all the same: a ridge, features to leave out, or
    signs."""

    strengths = ()
    row_prox = prox_nothing
    kink = None

    def __init__(self, positive=False):
        self.positive = positive

    def pack(self):
        return np.zeros(0), np.zeros(0, dtype=np.int64)

    def value(self, W):
        return 0.0

    def dual_norm(self, Z):
        return 0.0

    def expression(self, W, cp):
        return 0.0, []


class WeightedRows(RowPenalty):
    """Omega(W) = phi(diag(f) W) + ridge / 2 norm_F(diag(f) W)^2 for a row penalty phi, as solvers see it.

    Parameters
    ----------
    rows : RowPenalty
    weights : ndarray of shape (d,)
        f_j in [0, inf]: a row of weight 0 is free, and one of infinite weight is zero.
    ridge : float, default=0.0
    """

    strengths = ()

    def __init__(self, rows, weights, ridge=0.0):
        self.rows = rows
        self.weights = weights
        self.ridge = ridge

    def weighted(self, weights, ridge):
        # (Left out by one of them is left out.)
        out = np.isinf(weights) | np.isinf(self.weights)
        f = np.where(out, np.inf, np.where(out, 1.0, weights) * np.where(out, 1.0, self.weights))
        return WeightedRows(self.rows, f, self.ridge + ridge)

    def in_groups(self, blocks):
        # (What nothing but signs is asked of, in groups as well as alone.)
        return self

    @property
    def row_prox(self):
        return weighted_prox(self.rows.row_prox)

    @property
    def positive(self):
        return self.rows.positive

    @property
    def even_ratio(self):
        return self.rows.even_ratio

    @property
    def step_ratio(self):
        return self.rows.step_ratio

    @property
    def is_norm(self):
        return self.rows.is_norm and self.ridge == 0

    @property
    def rotation_invariant(self):
        return self.rows.rotation_invariant

    @property
    def kink(self):
        return None if self.rows.kink is None else WeightedRows(self.rows.kink, self.weights)

    @property
    def softest(self):
        positive = np.where(self.weights > 0, self.weights, np.inf)
        return self.restrict([int(np.argmin(positive))])

    def pack(self):
        fpar, ipar = self.rows.pack()
        known = [len(self.weights), int(self.positive)]
        return np.concatenate([[self.ridge], self.weights, fpar]), np.concatenate([known, ipar])

    def resolve(self, n_features, labels):
        return Canonical((self,), Nested(len(labels), [0.0]))

    def restrict(self, features):
        return WeightedRows(self.rows.restrict(features), self.weights[features], self.ridge)

    def scaled(self, factor):
        return WeightedRows(self.rows.scaled(factor), self.weights, self.ridge * factor)

    def free_tasks(self, n_tasks):
        return self.rows.free_tasks(n_tasks)

    def feasible(self, W):
        return np.where(np.isinf(self.weights)[:, None], 0.0, W)

    def free_entries(self, shape):
        free = self.weights == 0
        return np.broadcast_to(free[:, None], shape) if free.any() else None

    def left_out(self, shape):
        out = np.isinf(self.weights)
        return np.broadcast_to(out[:, None], shape) if out.any() else None

    def lengths(self, n_rows):
        rows = self.rows.lengths(n_rows) if self.ridge == 0 else None
        return (
            rows * self.weights if rows is not None and np.all((self.weights > 0) & (self.weights < np.inf)) else None
        )

    def dual_radius(self, n_tasks):
        # (Rows that are left out are zero however long theirs are.)
        return float(np.min(self.weights, initial=1.0)) * self.rows.dual_radius(n_tasks)

    def selects_features(self, n_tasks):
        return self.rows.selects_features(n_tasks)

    def selects_coefficients(self, n_tasks):
        return self.rows.selects_coefficients(n_tasks)

    def _times(self, W):
        return np.where(np.isinf(self.weights), 0.0, self.weights)[:, None] * W

    def _over(self, Z):
        """Z over the weights; zero in rows that are free or left out, of which Omega does not say anything."""
        inverse = np.divide(1.0, self.weights, out=np.zeros(len(self.weights)), where=self.weights > 0)
        return Z * inverse[:, None]

    def value(self, W):
        if np.any(W[np.isinf(self.weights)]) or (self.positive and np.any(W < 0)):
            return np.inf
        V = self._times(W)
        rows = float(self.rows.value(V))
        return rows + 0.5 * self.ridge * float(np.sum(V**2)) if self.ridge else rows

    def values(self, Ws):
        if np.any(Ws[:, np.isinf(self.weights)]) or (self.positive and np.any(Ws < 0)):
            return super().values(Ws)
        Vs = self._times(Ws)
        return self.rows.values(Vs) + (0.5 * self.ridge * np.sum(Vs**2, axis=(1, 2)) if self.ridge else 0.0)

    def dual_norm(self, Z):
        return self.rows.dual_norm(self._over(Z))

    def dual_norms(self, Zs):
        return self.rows.dual_norms(self._over(Zs))

    def conjugate(self, Z):
        if not self.ridge:
            return self.rows.conjugate(self._over(Z))
        # The squared distance to the dual ball, which is the squared length of the prox.
        return float(np.sum(self.rows.prox(self._over(Z), 1.0) ** 2)) / (2 * self.ridge)

    def excess(self, Z):
        beyond = self._times(self.rows.excess(self._over(Z))[:, None])[:, 0]
        return np.where(self.weights == 0, np.abs(Z).max(axis=1), beyond)

    def expression(self, W, cp):
        """Of a norm sum_j f_j phi(W_j.), and of others phi(f_j W_j.), row by row."""
        out, norm = np.isinf(self.weights), self.rows.is_norm
        total, rules = 0.0, [W[np.flatnonzero(out)] == 0] if out.any() else []
        for f in np.unique(self.weights[(self.weights > 0) & ~out]):
            some = W[np.flatnonzero(self.weights == f)]
            value, more = self.rows.expression(some if norm else f * some, cp)
            total = total + (f if norm else 1.0) * value + 0.5 * self.ridge * f**2 * cp.sum_squares(some)
            rules = rules + more
        return total, [*rules, W >= 0] if self.positive else rules


def kept_positive(penalty, canonical, n_features, ridge=0.0):
    """The Canonical form of a penalty that may have to be positive where nothing else is left of it but, beside the
    coupling, a ridge / 2 norm_F(W)^2."""
    if not penalty.positive or canonical.terms:
        return canonical
    coupling = canonical.coupling
    if coupling.is_diagonal:
        ridge, coupling = ridge + 2 * float(coupling.values[0]), Nested(coupling.n_tasks, [0.0])
    weights = np.full(n_features, float(ridge > 0))
    return Canonical((WeightedRows(Unpenalised(positive=True), weights, ridge),), coupling)


class Weighted(Penalty):
    """Omega(W) = sum_j f_j phi(W_j.) for a norm of rows sum_j phi(W_j.): features with weights.

    Of any other row penalty it is phi(f_j W_j.), so that a ridge r / 2 norm_2(W_j.)^2 counts f_j^2: a weight of f_j
    is to all what dividing the column j of X by f_j is.

    Parameters
    ----------
    penalty : Penalty
        Of rows: RowNorm, SparseGroup, DirtyNorm, TreeGuided, Temporal or GraphGuided with norm="l1", or your own.
    feature_weights : array-like of shape (d,) or dict of feature -> weight, default=None
        f_j >= 0 in the order of `coef_`; 0 leaves a feature unpenalised, and infinity leaves it out. A dict has names
        of columns or positions; features that are not in it have the weight 1, as all have by default.

    References
    ----------
    Zou (2006), JASA.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import RowNorm, Weighted
    >>> W = np.array([[3.0, 4.0], [0.3, 0.4], [5.0, 12.0]])
    >>> print(round(Weighted(RowNorm(alpha=1.0), {1: 10.0, 2: 0.0}).value(W), 6))
    10.0
    """

    def __init__(self, penalty, feature_weights=None):
        self.penalty = penalty
        self.feature_weights = feature_weights

    @property
    def is_norm(self):
        return self.penalty.is_norm

    @property
    def positive(self):
        return self.penalty.positive

    def check(self, n_features, labels):
        self.penalty.check(n_features, labels)
        read_feature_weights(self.feature_weights, *self.penalty.units(n_features, None))

    def bind(self, labels):
        return Weighted(self.penalty.bind(labels), self.feature_weights)

    @property
    def places(self):
        return self.penalty.places

    def with_task(self, labels, place):
        return Weighted(grown(self.penalty, labels, place), self.feature_weights)

    def of_columns(self, columns):
        return Weighted(self.penalty.of_columns(columns), self.feature_weights)

    def bind_features(self, n_features, names):
        if not isinstance(self.penalty, Penalty):
            raise ValueError(f"penalty must be a Penalty object such as RowNorm(alpha=0.1), got {self.penalty!r}.")
        penalty = self.penalty.bind_features(n_features, names)
        return Weighted(penalty, read_feature_weights(self.feature_weights, *penalty.units(n_features, names)))

    def units(self, n_features, names):
        return self.penalty.units(n_features, names)

    def resolve(self, n_features, labels):
        self.check(n_features, labels)
        inner, units = self.penalty.resolve(n_features, labels), self.penalty.units(n_features, None)
        f = read_feature_weights(self.feature_weights, *units)
        if (inner.terms and not inner.row_wise) or not inner.coupling.is_diagonal:
            raise ValueError(
                f"feature_weights need a penalty that is one of each row of W, got {self.penalty!r}, which is not: "
                "divide the columns of X by the weights, or choose another penalty (norm='l1' for Temporal and "
                "GraphGuided, which couple the tasks by squares otherwise)."
            )
        term, ridge = inner.terms[0] if inner.terms else Unpenalised(), 2 * float(inner.coupling.values[0])
        if term.blocks is None and np.ndim(units[0]):
            f = f[units[0]]  # what knows no groups
        if not inner.terms and not ridge:
            # Nothing is penalised, but features may be left out.
            f = np.where(np.isinf(f), f, 0.0)
            if not f.any():
                return inner
        return Canonical((term.weighted(f, ridge),), Nested(len(labels), [0.0]))

    def _term(self, shape):
        """The resolved form, None where nothing is penalised."""
        with warnings.catch_warnings():
            # What is to be said of the penalty is said when a problem is made.
            warnings.simplefilter("ignore", UserWarning)
            terms = self.resolve(shape[0], range(shape[1])).terms
        return terms[0] if terms else None

    def _of_features(self, n_features):
        """(d,) the weight of every feature."""
        units = self.penalty.units(n_features, None)
        f = read_feature_weights(self.feature_weights, *units)
        return f[units[0]] if np.ndim(units[0]) else f

    def feasible(self, W):
        out = np.isinf(self._of_features(len(W)))
        return np.where(out[:, None], 0.0, self.penalty.feasible(W))

    def value(self, W):
        f = self._of_features(len(W))
        out = np.isinf(f)
        if np.any(W[out]) or (self.positive and np.any(W < 0)):
            return np.inf
        return self.penalty.value(np.where(out, 0.0, f)[:, None] * W)

    def prox(self, V, step):
        return self._term(np.shape(V)).prox(V, step)

    def excess(self, Z):
        return self._term(Z.shape).excess(Z)

    def dual_norm(self, Z):
        return self._term(Z.shape).dual_norm(Z)

    def conjugate(self, Z):
        return self._term(Z.shape).conjugate(Z)

    def expression(self, W, cp):
        term = self._term(W.shape)
        return (0.0, []) if term is None else term.expression(W, cp)

    @property
    def formula(self):
        return f"{self.penalty.formula}, of f_j W_j. in place of W_j., f = feature_weights"

    def parameters(self):
        return self.penalty.parameters()

    def describe(self, parts, labels):
        W, inner = sum(parts[1:], parts[0]), self.penalty
        return [Said(type(inner).__name__, inner.asks, float(self.value(W)), inner.findings(W, labels))]

    def report(self, parts, labels):
        return self.penalty.report(parts, labels)

    def report_part(self, name, part, labels):
        return self.penalty.report_part(name, part, labels)

    def strength_values(self):
        return self.penalty.strength_values()

    def scaled(self, factor):
        return Weighted(self.penalty.scaled(factor), self.feature_weights)


def weighable(method):
    """Decorator of a penalty's method of (d, T) matrices: that of ``Weighted``, where it has ``feature_weights``, or of
    what it is ``of_tasks``, where these have strengths of their own."""

    @wraps(method)
    def weighed(self, *args, **kwargs):
        if self.feature_weights is None:
            own = self.of_tasks
            return method(self, *args, **kwargs) if own is None else getattr(own, method.__name__)(*args, **kwargs)
        weighted = Weighted(self.replaced(feature_weights=None), self.feature_weights)
        return getattr(weighted, method.__name__)(*args, **kwargs)

    return weighed
