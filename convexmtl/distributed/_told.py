"""What is asked of a loss at some coefficients, and what the samples tell there: sums over them, column by column of W.

One answer is all that a step of Newton's method takes, and it certifies the coefficients: it has the value of the loss,
its derivatives and its curvature, the value at shorter steps, and the share of the loss in the duality gap.
"""

from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np

from ..statistics import SufficientStatistics, _positions, _union

# What dual variables are shrunk by, which a step that is a little too long has led out of what the loss accepts.
SCALES = 1 - np.array([0, 1e-12, 1e-10, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1])
STEPS = 0.5 ** np.arange(1, 13)  # shorter ones on the way to a candidate, of which the value is told, too


class Question(NamedTuple):
    """Coefficients W (d, T) and intercepts b (T,) at which a loss is asked for, and dual variables for a bound.

    Attributes
    ----------
    W, b : ndarray or None
        None where only a bound is asked for, of what is at the base.
    zero_b : ndarray of shape (T,) or None
        Intercepts beside W = 0, for what is to be known there.
    base_W, base_b : ndarray or None
        Where the last step began.
    moved_W, moved_b : ndarray or None
        The dual variables of a bound are v + h (x . moved_W + moved_b), with the derivatives v and h there.
    scale : float or None
        What these are multiplied by.
    """

    W: Any
    b: Any
    zero_b: Any = None
    base_W: Any = None
    base_b: Any = None
    moved_W: Any = None
    moved_b: Any = None
    scale: Any = None

    @property
    def arrays(self):
        """{name: array} of those that there are."""
        found = zip(self._fields[:-1], self[:-1], strict=True)
        return {name: array for name, array in found if array is not None}


@dataclass(frozen=True)
class Told:
    """Sums over samples with their weights c, predictions z, derivatives v and second derivatives h.

    Attributes
    ----------
    columns : ndarray of shape (n,)
        Of W, for which these are.
    sums : dict of str -> ndarray of shape (..., n)
        "value"; "slope" and "slope_b", of c v x and c v; "more" and "more_b", of the curvature that a model is to have
        beside h; "along" of the value at STEPS from the base; "fenchel" of the Fenchel gaps at SCALES of the dual
        variables; and at W = 0 "zero_value", "zero_slope", "zero_slope_b", "zero_bend", the conjugates "zero_perfect"
        at no dual variables, and "zero_size", the sum of which what there is to gain is rounding.
    curvature : list of (SufficientStatistics or None), or None
        Of the features, weighted by c h; behind them, weighted by minus the mixed derivatives of a column and the r-th
        next one of its task. None where the loss is infinite.
    """

    columns: np.ndarray
    sums: dict
    curvature: Any

    def __add__(self, other):
        columns = _union(self.columns, other.columns)
        mine, yours = _positions(self.columns, columns), _positions(other.columns, columns)
        sums = {}
        for part, where in ((self, mine), (other, yours)):
            for name, array in part.sums.items():
                sums.setdefault(name, np.zeros((*array.shape[:-1], len(columns))))[..., where] += array
        curvature = None
        if self.curvature is not None and other.curvature is not None:
            pairs = zip_longest(self.curvature, other.curvature)
            curvature = [a if b is None else b if a is None else a + b for a, b in pairs]
        return Told(columns, sums, curvature)

    def of_all(self, weight):
        """For all columns of W, those without samples among them, of each times its ``weight`` (n,)."""
        T = len(weight)
        where, sums = self.columns, {}
        for name, array in self.sums.items():
            out = np.zeros((*array.shape[:-1], T))
            # (A column that does not count may well have an infinite loss.)
            out[..., where] = np.where(weight[where] > 0, array, 0.0) * weight[where]
            sums[name] = out
        curvature = self.curvature
        if curvature:
            curvature = [None if of is None else _times(of, weight) for of in curvature]
            curvature[0] = curvature[0]._at(np.arange(T))
        return Told(np.arange(T), sums, curvature)


def _times(of, weight):
    weight = weight[of.tasks]
    return replace(of, weight=of.weight * weight, gram=of.gram * weight[:, None, None])


def told_of(part, question):
    """What a Part tells of a Question, with the weights that its samples have."""
    tasks, own = part.term.tasks, part.left
    sums, curvature = {} if question.zero_b is None else _at_zero(part, question.zero_b[own]), []
    if question.W is not None:
        W, b = question.W[:, own], question.b[own]
        found, curvature = _model(part, W, b)
        sums |= found
    if question.moved_W is not None:
        base, step = (question.base_W[:, own], question.base_b[own]), 0.0
        z = _predicted(tasks, *base)
        if question.W is not None:
            step = _predicted(tasks, W - base[0], b - base[1])
            sums["along"] = _along(part, z, step)
        moved = _predicted(tasks, question.moved_W[:, own], question.moved_b[own])
        sums["fenchel"] = _fenchel(part, z, z + step, moved, question.scale)
    return Told(own, sums, curvature)


def _predicted(tasks, W, b):
    return tasks.shift(tasks.apply(W), b)


def _summed(tasks, u):
    """(T,) weighted sums of u (N,), which may be infinite for samples without weight."""
    return tasks.sum(np.where(tasks.weight > 0, u, 0.0) * tasks.weight)


@np.errstate(over="ignore", invalid="ignore")
def _at_zero(part, b):
    tasks, loss, y = part.term.tasks, part.term.loss, part.term.tasks.y
    z = tasks.shift(np.zeros(len(y)), b)
    perfect, v = loss.conjugate(y, np.zeros(len(y))), loss.derivative(y, z)
    return {
        "zero_value": _summed(tasks, loss.value(y, z)),
        "zero_slope": tasks.adjoint(tasks.weight * v),
        "zero_slope_b": _summed(tasks, v),
        "zero_bend": _summed(tasks, loss.model_curvature(y, z)),
        "zero_perfect": _summed(tasks, perfect),
        "zero_size": _summed(tasks, y**2 + np.abs(perfect)),
    }


@np.errstate(over="ignore", invalid="ignore")
def _model(part, W, b):
    """({name: sums}, curvature)"""
    tasks, loss, y, c = part.term.tasks, part.term.loss, part.term.tasks.y, part.term.tasks.weight
    z = _predicted(tasks, W, b)
    mixed, v = loss.mixed(y, z), loss.derivative(y, z)
    value = _summed(tasks, loss.value(y, z))
    if not (np.isfinite(value).all() and np.isfinite(c @ np.abs(v)) and np.isfinite(c @ mixed[0])):
        return {"value": np.where(np.isfinite(value), value, np.inf)}, None
    bound = mixed[0] if loss.by_column else tasks.spread(doubled(tasks.owner)) * mixed[0]
    more = np.maximum(loss.model_curvature(y, z) - bound, 0.0)
    sums = {
        "value": value,
        "slope": tasks.adjoint(c * v),
        "slope_b": _summed(tasks, v),
        "more": tasks.curvature(c * more, tasks.means(c)),
        "more_b": _summed(tasks, more),
    }
    return sums, [_curvature(part, c * h, r) for r, h in enumerate(mixed)]


def doubled(owner):
    """(n,) by what the curvature of a column alone is multiplied to bound that of all of its task, at least."""
    return np.where(np.bincount(owner)[owner] > 1, 2.0, 1.0)


def features_of(part, h):
    """SufficientStatistics of the features weighted by h (N,), without targets."""
    tasks = part.term.tasks
    means = tasks.means(h)
    d, T = means.shape
    zero, counts = np.zeros((d, T)), tasks.counts.astype(float)
    return SufficientStatistics(
        part.left, "stacked", counts, tasks.sum(h), means, zero, np.zeros(T), np.zeros(T), tasks.gram(h, means), zero,
        np.zeros(T),
    )  # fmt: skip


def _curvature(part, h, r):
    """The same of the columns that have an r-th next one."""
    if not r:
        return features_of(part, h)
    owner, kept = part.term.tasks.owner, np.zeros(len(part.left), dtype=bool)
    kept[:-r] = owner[r:] == owner[:-r]
    return features_of(part, h)._only(kept) if kept.any() else None


@np.errstate(over="ignore", invalid="ignore")
def _along(part, z, step):
    """(K, T) values at z and STEPS of a step."""
    tasks, loss = part.term.tasks, part.term.loss
    values = np.array([_summed(tasks, loss.value(tasks.y, z + size * step)) for size in STEPS])
    return np.where(np.isnan(values), np.inf, values)


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def _fenchel(part, base, z, moved, scale):
    """(S, T) Fenchel gaps at z, for dual variables that have ``moved`` from those at ``base``, times all SCALES."""
    tasks, loss, y = part.term.tasks, part.term.loss, part.term.tasks.y
    v = loss.derivative(y, base) + loss.bent(y, base, moved)
    v = np.where(tasks.weight > 0, v, 0.0)
    found = np.array([_summed(tasks, loss.fenchel_gap(y, z, s * v)) for s in scale * SCALES])
    return np.where(np.isfinite(found), found, np.inf)
