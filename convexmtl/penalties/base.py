"""What every penalty owes, and the canonical form in which solvers and certificates see it."""

import warnings
from dataclasses import dataclass
from functools import cache, cached_property, reduce
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator

from .._input import FINITE, check_number
from .._words import counted, figure, formula
from ..coupling import Nested, TaskOperator
from ._manifold import of_prox, slopes
from ._sums import dual_norm_of_sum, free_entries_of, free_of_all, free_of_any

RANK = 1e-8  # share of the largest singular value below which another one is rounding


@dataclass(frozen=True, eq=False)
class Canonical:
    """Omega(W) = min over W = sum_k W_k of sum_k terms[k](W_k), plus sum_j whole[j](W), plus tr(W M W').

    Attributes
    ----------
    terms : tuple of Penalty
        One per part of W; empty when the quadratic coupling is all there is (then W is its own only part).
    coupling : TaskOperator
        W -> W M.
    whole : tuple of Penalty
        Further ones, each of all of W.
    """

    terms: tuple
    coupling: TaskOperator
    whole: tuple = ()

    @cached_property
    def groups(self):
        """Tuples of terms: those of the parts of W, and each of the further ones for itself. Omega, but for the
        coupling, is the sum over the groups, each with a share of the dual variables of its own."""
        return (self.terms, *((term,) for term in self.whole)) if self.terms else ()

    def seen(self, parts):
        """What the terms of every group are taken at: the parts, and W for the others."""
        parts = tuple(parts)
        W = (sum(parts[1:], parts[0]),)
        return [parts, *([W] * len(self.whole))] if self.terms else []

    @property
    def n_parts(self):
        return max(1, len(self.terms))

    @property
    def row_wise(self):
        """Whether there is one term, and that works row by row."""
        return len(self.terms) == 1 and not self.whole and self.terms[0].row_wise

    @property
    def unitarily_invariant(self):
        """Whether Omega depends on W through W'W only."""
        return all(term.unitarily_invariant for term in self.terms + self.whole)

    @property
    def positive(self):
        """Whether W has to be >= 0, by the one term there is."""
        return len(self.terms) == 1 and not self.whole and self.terms[0].positive

    def for_rotated_tasks(self, n_tasks):
        """The same penalty of W R for R (T, n_tasks) with orthonormal columns; None where it does not depend on W W'
        only."""
        if self.whole or not (self.coupling.is_diagonal and all(term.rotation_invariant for term in self.terms)):
            return None
        return Canonical(self.terms, Nested(n_tasks, [float(self.coupling.values[0])]))

    def value(self, parts):
        quadratic = 0.0 if self.coupling.is_zero else self.coupling.value(sum(parts))
        return quadratic + sum(sum(sizes) for sizes in self.values(parts))

    def values(self, parts):
        """[values of the terms] of every group."""
        pairs = zip(self.groups, self.seen(parts), strict=True)
        return [[float(f.value(part)) for f, part in zip(group, at, strict=True)] for group, at in pairs]

    def selects_features(self, n_tasks):
        """Whether rows of W stay exactly zero, as ``Penalty.selects_features``."""
        return any(all(term.selects_features(n_tasks) for term in group) for group in self.groups)

    def selects_coefficients(self, n_tasks):
        """Whether single entries of W do."""
        return any(all(term.selects_coefficients(n_tasks) for term in group) for group in self.groups)

    # What Omega does not depend on, or does not allow: of parts, what any one leaves free, and what all leave out; of a
    # sum, what all leave free, and what any one leaves out.

    @cached_property
    def free(self):
        """(T, k) orthonormal: the directions of tasks in which Omega is constant; sparse where no task is in two."""
        if not self.terms:
            return self.coupling.free
        T = self.coupling.n_tasks
        return free_of_all([free_of_any(group, T) for group in self.groups], T)

    def free_entries(self, shape):
        """(d, T) booleans: the coefficients on which Omega does not depend; None where there are none."""
        return _every([free_entries_of(group, shape) for group in self.groups])

    def left_out(self, shape):
        """(d, T) booleans: the coefficients that have to be zero; None where there are none."""
        return _some([_every([term.left_out(shape) for term in group]) for group in self.groups])

    @property
    def allows_zero(self):
        """Whether W may be zero at all."""
        return all(term.binds_zero is not None for group in self.groups for term in group)

    @property
    def kinks(self):
        """[[norms, or cones, that keep W at zero]] of the groups that have such; none where no strength does."""
        found = [[term.kink for term in group if term.kink is not None] for group in self.groups]
        found = [kinks for kinks in found if kinks]
        return found if self.allows_zero and any(kink.is_norm for kinks in found for kink in kinks) else []

    def feasible(self, parts):
        """The parts, changed as little as it takes for Omega to be finite."""
        parts = [term.feasible(part) for term, part in zip(self.terms, parts, strict=True)] if self.terms else [*parts]
        W = changed = sum(parts[1:], parts[0])
        for term in self.whole:
            changed = term.feasible(changed)
        if len(parts) == 1:
            return (changed,)
        if changed is W:
            return tuple(parts)
        parts = np.stack(parts)
        largest = np.abs(parts).argmax(axis=0)[None]
        for _ in range(2):
            # (Zeros of a part stay zeros; once more for what rounding has made of the sum.)
            more = np.take_along_axis(parts, largest, axis=0) + (changed - parts.sum(axis=0))
            np.put_along_axis(parts, largest, more, axis=0)
        return tuple(parts)

    def dual_norm(self, Z, rtol=1e-9):
        """The smallest factor before the strengths for which the kinks keep W at zero while Z pulls, up to ``rtol``
        where there are several groups of them."""
        kinks = self.kinks
        if len(kinks) == 1:
            return max(float(kink.dual_norm(Z)) for kink in kinks[0])
        return dual_norm_of_sum(kinks, Z, rtol)

    def noise_bound(self, V, level):
        """What the dual norm of independent normal entries with variances V (d, T) exceeds with a probability of at
        most ``level``, by the formulas of the kinks; None where there are none."""
        kinks = self.kinks
        if len(kinks) != 1:
            return None
        found = [kink.noise_bound(V, level / len(kinks[0])) for kink in kinks[0]]
        return None if None in found else max(found)


def _every(masks):
    """Where all of the masks hold, None being one that holds nowhere."""
    return np.logical_and.reduce(masks) if masks and all(mask is not None for mask in masks) else None


def _some(masks):
    """Where any of the masks holds."""
    masks = [mask for mask in masks if mask is not None]
    return np.logical_or.reduce(masks) if masks else None


class Later:
    """A call that is put off: a ``functools.partial`` of this package, for those who have to trust a saved model."""

    def __init__(self, function, *args):
        self.function = function
        self.args = args

    def __call__(self):
        return self.function(*self.args)


class Said(NamedTuple):
    """What a penalty says of a fit: what it asks for, its value, sentences (str, or Later) about its part of W."""

    name: str
    asks: str
    value: float
    findings: list


class Penalty(BaseEstimator):
    """A convex penalty of W (d, T). Parameters are scikit-learn parameters and are never written to.

    A norm owes ``value``, ``prox``, ``dual_norm`` and ``expression``; a penalty that is not a norm has
    ``is_norm = False`` and owes ``conjugate`` instead of ``dual_norm``.

    Attributes
    ----------
    strengths : tuple of str
        Names of the parameters that scale the penalty: multiplying all of them by s multiplies Omega by s.
    is_norm : bool
    row_wise : bool
        Whether Omega is a sum over the rows of W, with a compiled prox of one row.
    by_rows : bool
        Whether it is a sum over single rows, some of which ``restrict`` takes.
    unitarily_invariant : bool
        Whether Omega depends on W through W'W only, so that its minimiser is in the span of the samples.
    rotation_invariant : bool
        Whether Omega depends on W through W W' only, so that it knows no combination of the tasks from another one.
    part_names : tuple of str
        Where W is a sum of parts, their names; ``report`` has each of them as ``name_``.
    positive : bool
        Whether W has to be >= 0: Omega is infinite elsewhere.
    asks : str
        What it asks for, in a few words that follow "asks for"; may be empty.

    Examples
    --------
    >>> from convexmtl import MeanCoupling, RowNorm
    >>> from convexmtl.penalties import Penalty
    >>> isinstance(RowNorm(), Penalty)
    True
    >>> RowNorm(alpha=0.5).scaled(4).alpha
    2.0
    >>> RowNorm(alpha=0.5) + MeanCoupling()  # both, of the same W
    Added(first=RowNorm(alpha=0.5), second=MeanCoupling())
    """

    strengths = ("alpha",)
    is_norm = True
    row_wise = False
    by_rows = False
    unitarily_invariant = False
    rotation_invariant = False
    part_names = ()
    positive = False
    asks = ""

    @classmethod
    @cache
    def _get_param_names(cls):
        # (Inspecting a signature takes longer than many a fit on a path.)
        return super()._get_param_names()

    def value(self, W):
        """Omega(W)."""
        raise TypeError(f"{type(self).__name__} does not define value")

    def prox(self, V, step):
        """argmin over W of norm_F(W - V)^2 / (2 step) + Omega(W), step > 0."""
        raise TypeError(f"{type(self).__name__} does not define prox")

    def dual_norm(self, Z):
        """max of <W, Z> over Omega(W) <= 1."""
        raise TypeError(f"{type(self).__name__} does not define dual_norm")

    def noise_bound(self, V, level):
        """What the dual norm of independent normal entries with variances V (d, T) exceeds with a probability of at
        most ``level``, by a formula; None where there is none."""
        return None

    def conjugate(self, Z):
        """sup over W of <W, Z> - Omega(W)."""
        return 0.0 if self.dual_norm(Z) <= 1 + 1e-12 else np.inf

    def free_tasks(self, n_tasks):
        """(T, k) orthonormal: Omega(W) does not change along x v' for v in their span, x any.

        It may be sparse where no task is in two of these directions.
        """
        return np.zeros((n_tasks, 0))

    def free_entries(self, shape):
        """(d, T) booleans: the coefficients on which Omega does not depend; None where there are none."""
        return None

    def left_out(self, shape):
        """(d, T) booleans: the coefficients that have to be zero, however small Omega is; None where there are none."""
        return None

    def feasible(self, W):
        """The W nearest by for which Omega is finite."""
        return W

    def bounds(self, shape):
        """A Box with the W for which Omega is finite, None for all."""
        out = self.left_out(shape)
        if out is None and not self.positive:
            return None
        from .constraints import Box

        low = np.full(shape, 0.0 if self.positive else -np.inf)
        return (
            Box(low, np.full(shape, np.inf))
            if out is None
            else Box(np.where(out, 0.0, low), np.where(out, 0.0, np.inf))
        )

    # Whether it asks for few patterns of W in a form of its own, which others leave in theirs; it owes ``along`` then.
    folds = False

    def along(self, W, V):
        """W as made of the patterns of V alone."""
        raise TypeError(f"{type(self).__name__} does not define along")

    @property
    def summands(self):
        """The penalties of the same W of which it is the sum."""
        return (self,)

    @property
    def kink(self):
        """The part of it that is a norm, and keeps W at zero; None where nothing does."""
        return self if self.is_norm else None

    # A constraint: whether W = 0 is within it and some W near zero are not, or None where W = 0 is not.
    binds_zero = False
    # Whether it is 0 or infinite.
    is_constraint = False

    def dual_part(self, Z):
        """Z, or what is near it that has no share where the conjugate is infinite however short Z is (but for the
        directions of tasks that are free)."""
        entries = self.free_entries(np.shape(Z))
        return Z if entries is None else np.where(entries, 0.0, Z)

    @property
    def softest(self):
        """It on the row that it penalises least, of those that it does, where rows differ."""
        return self

    def selects_features(self, n_tasks):
        """Whether a row of W stays exactly zero while its gradient is small enough."""
        return False

    def selects_coefficients(self, n_tasks):
        """Whether single entries of W stay exactly zero, in rows that are not."""
        return False

    def manifold(self, W, Z):
        """The Manifold on which Omega is smooth at W, Z a subgradient there; None where to find it takes too long."""
        return of_prox(self, W, Z)

    def slopes(self, V, step):
        """(d T, d T) derivative of the prox at V, its entries in C order; where it has kinks, one that is near."""
        return slopes(self, V, step)

    def expression(self, W, cp):
        """(expression, constraints): the textbook definition in cvxpy, handed in as ``cp``."""
        raise TypeError(f"{type(self).__name__} does not define expression")

    def check(self, n_features, labels):
        """Raise a ValueError for parameters that make no sense for d features and these task labels."""
        for name in self.strengths:
            value = getattr(self, name)
            if isinstance(value, (list, tuple, np.ndarray)):
                self._check_by_task(name, value, labels)
            else:
                check_strength(value, name)

    # Whether it is a sum over the tasks, each of which may have a strength of its own.
    by_task = False

    def _check_by_task(self, name, values, labels):
        """Raise a ValueError unless ``values`` are the strengths of the tasks, and may differ."""
        if not self.by_task:
            raise ValueError(
                f"{name} must be a finite number >= 0, the same for all tasks, got an array of shape "
                f"{np.shape(values)}: {type(self).__name__} with these parameters is not a sum over the tasks, as "
                "RowNorm with q = 1 or l1_ratio = 0 and TaskNorm are. Weight the tasks instead, by task_weight: twice "
                "the weight is half the strength."
            )
        accepted = f"a number, or one for each of the {len(labels)} tasks, all of them finite and > 0 (or all 0)"
        try:
            given = np.asarray(values, dtype=float)
        except (TypeError, ValueError):
            raise ValueError(f"{name} must be {accepted}, got {values!r}.") from None
        fits = given.shape == (len(labels),) and np.isfinite(given).all()
        if not (fits and (np.all(given > 0) or not given.any())):
            raise ValueError(f"{name} must be {accepted}, got {values!r}.")

    def bind(self, labels):
        """This penalty with whatever it says of task labels said of positions instead."""
        return self

    # The parameter that has a structure of the tasks, in which a new one has a place.
    structure = None

    @property
    def place(self):
        """What ``with_task`` has to be told of the place of a new task, in words; None where nothing is to be said."""
        return None

    @property
    def places(self):
        """{structure: place in words} of all the structures that there are."""
        return {} if self.place is None else {self.structure: self.place}

    def with_task(self, labels, place):
        """This penalty for one task more, the last of these labels, which belongs to the ``place`` that a user names.

        What says nothing of tasks stays what it is.
        """
        for name in self.strengths:
            if np.ndim(getattr(self, name)):
                raise ValueError(
                    f"{type(self).__name__} has {name} for each of the old tasks, which says nothing of a new one: "
                    "give one number for all tasks before fit, and task_weight."
                )
        return self

    def of_columns(self, columns):
        """This penalty of W with the Columns of tasks that have several: what it says of tasks, said of those.

        What says nothing of tasks stays what it is, and is of all columns alike.
        """
        T, values = len(columns.counts), {name: getattr(self, name) for name in self.strengths}
        own = {name: np.asarray(value)[columns.owner] for name, value in values.items() if np.shape(value) == (T,)}
        return self.replaced(**own) if own else self

    def bind_features(self, n_features, names):
        """This penalty with whatever it says of features by name (``names`` may be None) said of positions instead."""
        return self

    def units(self, n_features, names):
        """(number of what may have a weight, or the (d,) positions of groups; their names; what one of them is)"""
        return n_features, names, "feature"

    def resolve(self, n_features, labels):
        """The checked Canonical form for d features and the array of task labels."""
        self.check(n_features, labels)
        zero = all(not np.any(getattr(self, name)) for name in self.strengths)
        return Canonical(() if zero else (self,), Nested(len(labels), [0.0]))

    def report(self, parts, labels):
        """Fitted attributes (name with trailing underscore -> value) of the parts of W, for these task labels.

        What is ``Later`` is called when its attribute is first read: what is T x T is not for every fit.
        """
        return {}

    def report_part(self, name, part, labels):
        """The same where this is the penalty of one part of W, of that name."""
        return {f"{name}_": part.T.copy()}

    @property
    def formula(self):
        """Omega(W) in its parameters: what the docstring begins with; how the penalty prints where it has none."""
        several = {name: getattr(self, name) for name in self.strengths if np.ndim(getattr(self, name))}
        each = [f", {name} from {figure(np.min(v))} to {figure(np.max(v))} by task" for name, v in several.items()]
        return formula(self, "Omega(W) = ") + "".join(each)

    def parameters(self):
        """{name: value} of the strengths, and of all that it has been told."""
        return {**self.strength_values(), **self.get_params()}

    def describe(self, parts, labels):
        """[Said] of the parts of W, for these task labels: one for each term that has a name."""
        W = sum(parts[1:], parts[0])
        ranks = [Later(_rank, W)] if not self.row_wise and self._sees_patterns(len(W), labels) else []
        return [Said(type(self).__name__, self.asks, float(self.value(W)), ranks + self.findings(W, labels))]

    def _sees_patterns(self, n_features, labels):
        """Whether all of its terms depend on W through W'W only."""
        with warnings.catch_warnings():
            # What is to be said of the penalty was said when the problem was made.
            warnings.simplefilter("ignore", UserWarning)
            terms = self.resolve(n_features, labels).terms
        return bool(terms) and all(term.unitarily_invariant for term in terms)

    def findings(self, W, labels):
        """Sentences, str or Later, about what this penalty alone brings about in W (d, T)."""
        return []

    def strength_values(self):
        """Every strength by its parameter name, nested ones with double underscores; of several tasks the largest."""
        values = {name: getattr(self, name) for name in self.strengths}
        return {name: float(np.max(value)) if np.ndim(value) else value for name, value in values.items()}

    def scaled(self, factor):
        """The same penalty times ``factor`` >= 0."""
        values = {name: getattr(self, name) for name in self.strengths}
        return self.replaced(**{name: (np.asarray(v) if np.ndim(v) else v) * factor for name, v in values.items()})

    def replaced(self, **changed):
        """The same penalty with other parameters; those that are left are shared, and not copied as by ``clone``."""
        return type(self)(**{name: getattr(self, name) for name in self._get_param_names()} | changed)

    def __add__(self, other):
        if not isinstance(other, Penalty):
            return NotImplemented
        return Added(self, other)


def _rank(W):
    s = np.linalg.svd(W, compute_uv=False)
    rank = int(np.sum(s > RANK * s[:1].max(initial=0.0)))
    if not rank:
        return "rank 0: nothing is left of it"
    models = "model of every task is" if W.shape[1] > 1 else "model is"
    return f"rank {rank} of {min(W.shape):,}: the {models} a sum of {counted(rank, 'pattern')} over the features"


def grown(penalty, labels, place):
    """``penalty.with_task``, where ``place`` may be a dict from structures to the place in each."""
    own = place.get(penalty.structure) if penalty.structure and isinstance(place, dict) else place
    return penalty.with_task(labels, own)


class Added(Penalty):
    """Omega(W) = first(W) + second(W), both of the same W.

    Made by ``first + second``, for any number of penalties. At most one of them is a sum of parts (``Parts``,
    ``RobustLowRank``, ``RobustFeature``, ``SparseLowRank``), which all others meet in their sum.

    Parameters
    ----------
    first, second : Penalty

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import MultiTaskRegressor, RowNorm, TraceNorm
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 6))
    >>> Y = X[:, :2] @ rng.normal(size=(2, 4)) + 0.1 * rng.normal(size=(40, 4))
    >>> model = MultiTaskRegressor(RowNorm(0.3) + TraceNorm(0.3)).fit(X, Y)  # few features, and few patterns of them
    >>> print(model.coef_.any(axis=0), model.rank_)
    [ True  True False False False False] 2
    """

    strengths = ()
    is_norm = False

    def __init__(self, first, second):
        self.first = first
        self.second = second

    @property
    def summands(self):
        return self.first.summands + self.second.summands

    def check(self, n_features, labels):
        self.first.check(n_features, labels)
        self.second.check(n_features, labels)

    def bind(self, labels):
        return Added(self.first.bind(labels), self.second.bind(labels))

    @property
    def places(self):
        return {**self.first.places, **self.second.places}

    def with_task(self, labels, place):
        return Added(grown(self.first, labels, place), grown(self.second, labels, place))

    def of_columns(self, columns):
        return Added(self.first.of_columns(columns), self.second.of_columns(columns))

    def bind_features(self, n_features, names):
        return Added(self.first.bind_features(n_features, names), self.second.bind_features(n_features, names))

    def resolve(self, n_features, labels):
        a, b = self.first.resolve(n_features, labels), self.second.resolve(n_features, labels)
        if a.n_parts > 1 and b.n_parts > 1:
            raise ValueError(
                f"only one penalty of a sum may be a sum of parts of W, got two, in {_names(self.first)} and "
                f"{_names(self.second)}: W would be split in two ways at once. Put all parts into one Parts([...])."
            )
        split = [one.terms for one in (a, b) if one.n_parts > 1]
        single = [term for one in (a, b) for term in (one.terms if one.n_parts == 1 else ()) + one.whole]
        # (What takes any dual variable comes first.)
        groups = split + [(term,) for term in single if not term.is_constraint]
        constraints = [term for term in single if term.is_constraint]
        if constraints:
            allowed = reduce(lambda one, other: one.within(other), constraints)
            if allowed.has_rows:
                # What the others ask of the signs and zeros of W has to be kept at the same time.
                for term in (term for group in groups if len(group) == 1 for term in group):
                    bounds = term.bounds((n_features, len(labels)))
                    allowed = allowed if bounds is None else allowed.within(bounds)
            allowed.check_allowed(_names(self), labels)
            groups.append((allowed,))
        if not groups:
            return Canonical((), a.coupling + b.coupling)
        both = Canonical(groups[0], a.coupling + b.coupling, tuple(term for (term,) in groups[1:]))
        if constraints and not np.isfinite(
            both.value(both.feasible([np.zeros((n_features, len(labels)))] * both.n_parts))
        ):
            raise ValueError(
                f"no W is allowed by {_names(self)}: coefficients that are left out have to be zero, which the other "
                "constraints do not allow. Loosen these."
            )
        return both

    def feasible(self, W):
        return self.second.feasible(self.first.feasible(W))

    def value(self, W):
        return self.first.value(W) + self.second.value(W)

    def expression(self, W, cp):
        a, more = self.first.expression(W, cp)
        b, still_more = self.second.expression(W, cp)
        return a + b, more + still_more

    def report(self, parts, labels):
        return {**self.first.report(parts, labels), **self.second.report(parts, labels)}

    @property
    def part_names(self):
        return self.first.part_names + self.second.part_names

    @property
    def formula(self):
        return f"{self.first.formula} + {self.second.formula}"

    def describe(self, parts, labels):
        return self.first.describe(parts, labels) + self.second.describe(parts, labels)

    def strength_values(self):
        nested = {"first": self.first, "second": self.second}
        return {f"{k}__{n}": v for k, penalty in nested.items() for n, v in penalty.strength_values().items()}

    def scaled(self, factor):
        return Added(self.first.scaled(factor), self.second.scaled(factor))


def _names(penalty):
    """Of the penalties in a sum."""
    return " + ".join(type(one).__name__ for one in penalty.summands)


def check_strength(value, name):
    """Raise a ValueError unless ``value`` is a finite number >= 0."""
    check_number(value, name, 0, FINITE, "a finite number >= 0")
