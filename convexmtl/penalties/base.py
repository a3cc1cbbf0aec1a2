"""What every penalty owes, and the canonical form in which solvers and certificates see it."""

import warnings
from dataclasses import dataclass
from functools import cache
from numbers import Real
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator

from .._words import counted, formula
from ..coupling import Nested, TaskOperator
from ._manifold import of_prox

RANK = 1e-8  # share of the largest singular value below which another one is rounding


@dataclass(frozen=True, eq=False)
class Canonical:
    """Omega(W) = min over W = sum_k W_k of sum_k terms[k](W_k), plus tr(W M W').

    Attributes
    ----------
    terms : tuple of Penalty
        One per part of W; empty when the quadratic coupling is all there is (then W is its own only part).
    coupling : TaskOperator
        W -> W M.
    """

    terms: tuple
    coupling: TaskOperator

    @property
    def n_parts(self):
        return max(1, len(self.terms))

    @property
    def row_wise(self):
        """Whether there is one term, and that works row by row."""
        return len(self.terms) == 1 and self.terms[0].row_wise

    @property
    def unitarily_invariant(self):
        """Whether Omega depends on W through W'W only."""
        return all(term.unitarily_invariant for term in self.terms)

    def value(self, parts):
        quadratic = 0.0 if self.coupling.is_zero else self.coupling.value(sum(parts))
        return quadratic + sum(float(f.value(part)) for f, part in zip(self.terms, parts, strict=False))


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
    unitarily_invariant : bool
        Whether Omega depends on W through W'W only, so that its minimiser is in the span of the samples.
    part_names : tuple of str
        Where W is a sum of parts, their names; ``report`` has each of them as ``name_``.
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
    unitarily_invariant = False
    part_names = ()
    asks = ""

    def value(self, W):
        """Omega(W)."""
        raise TypeError(f"{type(self).__name__} does not define value")

    def prox(self, V, step):
        """argmin over W of norm_F(W - V)^2 / (2 step) + Omega(W), step > 0."""
        raise TypeError(f"{type(self).__name__} does not define prox")

    def dual_norm(self, Z):
        """max of <W, Z> over Omega(W) <= 1."""
        raise TypeError(f"{type(self).__name__} does not define dual_norm")

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
        """W with exact zeros where Omega would be infinite otherwise."""
        return W

    @property
    def kink(self):
        """The part of it that is a norm, and keeps W at zero; None where nothing does."""
        return self if self.is_norm else None

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

    def expression(self, W, cp):
        """(expression, constraints): the textbook definition in cvxpy, handed in as ``cp``."""
        raise TypeError(f"{type(self).__name__} does not define expression")

    def check(self, n_features, labels):
        """Raise a ValueError for parameters that make no sense for d features and these task labels."""
        for name in self.strengths:
            check_strength(getattr(self, name), name)

    def bind(self, labels):
        """This penalty with whatever it says of task labels said of positions instead."""
        return self

    @property
    def place(self):
        """What ``with_task`` has to be told of the place of a new task, in words; None where nothing is to be said."""
        return None

    def with_task(self, labels, place):
        """This penalty for one task more, the last of these labels, which belongs to the ``place`` that a user names.

        What says nothing of tasks stays what it is.
        """
        return self

    def bind_features(self, n_features, names):
        """This penalty with whatever it says of features by name (``names`` may be None) said of positions instead."""
        return self

    def resolve(self, n_features, labels):
        """The checked Canonical form for d features and the array of task labels."""
        self.check(n_features, labels)
        zero = all(getattr(self, name) == 0 for name in self.strengths)
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
        return formula(self, "Omega(W) = ")

    def parameters(self):
        """{name: value} of the strengths, and of all that it has been told."""
        return {**self.strength_values(), **self.get_params()}

    def describe(self, parts, labels):
        """[Said] of the parts of W, for these task labels: one for each term that has a name."""
        W = sum(parts[1:], parts[0])
        with warnings.catch_warnings():
            # What is to be said of the penalty was said when the problem was made.
            warnings.simplefilter("ignore", UserWarning)
            terms = self.resolve(len(W), labels).terms
        ranks = [Later(_rank, W)] if terms and all(term.unitarily_invariant for term in terms) else []
        return [Said(type(self).__name__, self.asks, float(self.value(W)), ranks + self.findings(W, labels))]

    def findings(self, W, labels):
        """Sentences, str or Later, about what this penalty alone brings about in W (d, T)."""
        return []

    def strength_values(self):
        """Every strength by its parameter name, nested ones with double underscores."""
        return {name: getattr(self, name) for name in self.strengths}

    def scaled(self, factor):
        """The same penalty times ``factor`` >= 0."""
        return self.replaced(**{name: getattr(self, name) * factor for name in self.strengths})

    def replaced(self, **changed):
        """The same penalty with other parameters; those that are left are shared, and not copied as by ``clone``."""
        return type(self)(**{name: getattr(self, name) for name in _parameters(type(self))} | changed)

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


@cache
def _parameters(cls):
    """Names of the parameters; inspecting a signature takes longer than many a fit on a path."""
    return tuple(cls._get_param_names())


class Added(Penalty):
    """Omega(W) = first(W) + second(W), where at least one of the two is a quadratic coupling.

    Made by ``first + second``. Two penalties with kinks on the same W have no common prox; for
    W = W_1 + W_2 with a penalty on each part use ``Parts``.

    Parameters
    ----------
    first, second : Penalty
    """

    strengths = ()
    is_norm = False

    def __init__(self, first, second):
        self.first = first
        self.second = second

    def check(self, n_features, labels):
        self.first.check(n_features, labels)
        self.second.check(n_features, labels)

    def bind(self, labels):
        return Added(self.first.bind(labels), self.second.bind(labels))

    @property
    def place(self):
        return self.first.place or self.second.place

    def with_task(self, labels, place):
        return Added(self.first.with_task(labels, place), self.second.with_task(labels, place))

    def bind_features(self, n_features, names):
        return Added(self.first.bind_features(n_features, names), self.second.bind_features(n_features, names))

    def resolve(self, n_features, labels):
        a, b = self.first.resolve(n_features, labels), self.second.resolve(n_features, labels)
        if a.terms and b.terms:
            raise ValueError(
                f"{type(self.first).__name__} + {type(self.second).__name__}: one of the two must be a quadratic "
                "coupling (MeanCoupling, ClusterCoupling, GraphLaplacian, TaskCoupling); for W = W_1 + W_2 with "
                "a penalty on each part use Parts."
            )
        return Canonical(a.terms + b.terms, a.coupling + b.coupling)

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


def check_number(value, name, low, high, accepted):
    """Raise a ValueError that says what is accepted unless ``value`` is a number in [low, high]."""
    # (An abstract class takes many times as long to be asked as a type does.)
    if isinstance(value, bool) or not isinstance(value, (float, int, Real)) or not low <= value <= high:
        raise ValueError(f"{name} must be {accepted}, got {value!r}.")


def check_strength(value, name):
    """Raise a ValueError unless ``value`` is a finite number >= 0."""
    check_number(value, name, 0, np.finfo(float).max, "a finite number >= 0")
