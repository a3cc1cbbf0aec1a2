"""What a chunk says in a round: sums over its samples at the coefficients that it is told.

None of it knows who asks: each function takes a ``Part`` and arrays, and returns arrays that are added up over all
parts.
"""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from .. import _input
from .._classes import Columns
from ..data import DataTerm
from ..statistics import _positions
from ..tasks import Tasks
from ._reading import read
from ._told import told_of

# Curvature that a sample has at least in a model, in units of its slope: targets are no further from predictions than
# the inverse of that, beyond which sums of them lose digits. Where there is no slope there need not be any curvature.
FLOOR = 1e-8


class Part(NamedTuple):
    """Samples of some tasks, with the weights that they have among all.

    Attributes
    ----------
    term : DataTerm
    left : ndarray
        Positions of these tasks, or of the columns that they have, among all.
    loss : Loss
        As it is before it is bound to samples.
    """

    term: DataTerm
    left: np.ndarray
    loss: Any = None

    @property
    def n_bytes(self):
        X = self.term.tasks.X
        return X.data.nbytes if self.term.tasks.is_sparse else X.nbytes


def part_of(chunk, index, estimator, plan):
    """The Part of a chunk; None where it has no rows."""
    found = read(estimator, chunk, index)
    if found is None:
        return None
    _, samples, offset = found
    try:
        return prepared(samples, offset, plan, estimator.offset_column)
    except ValueError as error:
        raise ValueError(f"chunk {index}: {error}") from error


def prepared(samples, offset, plan, offset_column=None):
    """The Part of Samples as they were handed over."""
    own = _positions(samples.labels, plan.labels)
    y = samples.y if plan.signs is None else _encoded(samples, plan.signs)
    offset = _input.read_offset(offset, y, samples.weight, offset_column)
    totals = _input.task_totals(y, samples.codes, samples.weight, len(own))
    weights = plan.factor[own] * totals
    if samples.codes is None:
        tasks = Tasks.shared(samples.X, y.reshape(len(y), -1), samples.weight, weights, offset)
    else:
        tasks = Tasks.stacked(samples.X, y, samples.codes, len(own), samples.weight, weights, offset)
    loss, left = plan.loss, own
    if plan.columns is not None:
        every = plan.columns
        columns = Columns(every.tasks[own], [every.classes[t] for t in own], every.counts[own])
        tasks, loss, labels = columns.samples(tasks, loss), columns.loss(loss), columns.labels
        tasks = replace(tasks, kind=loss.kinds(labels.tolist()))
        left = every.first[own][columns.owner] + np.arange(len(columns.owner)) - columns.first[columns.owner]
    if plan.counted is not None and not plan.counted[left].all():
        tasks = replace(tasks, weight=tasks.weight * tasks.spread(plan.counted[left]))
    return Part(DataTerm(tasks, loss), left, loss)


def shard_of(found, plan, begin, end):
    """(SufficientStatistics of the tasks at some positions,) of what ``statistics_of`` has found; None without any."""
    statistics = found[1]
    where = _positions(statistics.tasks, plan.labels)
    chosen = (where >= begin) & (where < end)
    if not chosen.any():
        return None
    some = statistics._at(statistics.tasks) if len(statistics.weight) < len(where) else statistics
    return (replace(some._only(chosen), tasks=where[chosen], feature_names=None, layout="stacked"),)


def part_of_statistics(found, plan):
    """The Part of a few rows that have the statistics of some tasks."""
    (statistics,) = found
    factor = plan.factor if plan.counted is None else plan.factor * plan.counted
    tasks = statistics._tasks(factor[statistics.tasks] * statistics.weight)
    return Part(DataTerm(tasks, plan.loss), statistics.tasks, plan.loss)


def _encoded(samples, signs):
    """Classes as -1 and 1, NaN where they are missing."""
    missing = _input.missing_mask(samples.y)
    column = np.zeros(1, dtype=int) if samples.y.ndim == 1 else np.arange(samples.y.shape[1])
    task = np.broadcast_to(column if samples.codes is None else samples.codes, samples.y.shape)[~missing]
    values, labels = samples.y[~missing].tolist(), samples.labels.tolist()
    known = {}
    for pair in set(zip(task.tolist(), values, strict=True)):
        # (Without weight a class may have been seen nowhere else.)
        known[pair] = signs.get((labels[pair[0]], pair[1]), np.nan)
    encoded = np.full(samples.y.shape, np.nan)
    encoded[~missing] = [known[pair] for pair in zip(task.tolist(), values, strict=True)]
    return encoded


# -------------------------------------------------------------------------------------------- what is asked


def at_zero(part, b):
    """(3, T) at W = 0 and the intercepts b: slopes, the sums of their absolute terms, second derivatives."""
    tasks, loss, c = part.term.tasks, part.term.loss, part.term.tasks.weight
    out = np.zeros((3, len(b)))
    z = tasks.shift(np.zeros(len(tasks.y)), b[part.left])
    with np.errstate(over="ignore", invalid="ignore"):
        pull = c * loss.derivative(tasks.y, z)
        out[:, part.left] = tasks.sum(pull), tasks.sum(np.abs(pull)), tasks.sum(c * loss.second(tasks.y, z))
    return out


def at_rest(part):
    """(2,) the conjugates at no dual variables; the sum of which what there is to gain would be rounding."""
    tasks, loss = part.term.tasks, part.term.loss
    conjugates = loss.conjugate(tasks.y, np.zeros_like(tasks.y))
    return np.array([tasks.total(conjugates), tasks.total(tasks.y**2 + np.abs(conjugates))])


def means_of_all(part, T):
    """((d, T) weighted sums of the features, (T,) sums of the weights)."""
    tasks = part.term.tasks
    sums, mass = np.zeros((tasks.n_features, T)), np.zeros(T)
    sums[:, part.left], mass[part.left] = tasks.adjoint(tasks.weight), tasks.mass
    return sums, mass


def pooled(part, centre):
    """((d, d) the sum over tasks of their weighted Gram matrices about ``centre`` (d, T), (d, T) their diagonals)."""
    tasks, c = part.term.tasks, part.term.tasks.weight
    diagonals = np.zeros(centre.shape)
    for some in (slice(a, a + 100) for a in range(0, tasks.n_features, 100)):
        x = tasks.X[:, some].toarray() if tasks.is_sparse else tasks.X[:, some]
        away = x[tasks.sample_row] - centre[some, part.left].T[tasks.sample_task]
        diagonals[some, part.left] = np.add.reduceat(c[:, None] * away**2, tasks.ptr[:-1], axis=0).T
    return _pooled(part, centre), diagonals


def _pooled(part, centre):
    tasks, c = part.term.tasks, part.term.tasks.weight
    if tasks.is_shared:
        # One X: of the samples of all tasks the rows are the same.
        weight = c.reshape(tasks.n_tasks, -1).sum(axis=0)
        X = tasks.X.toarray() if tasks.is_sparse else tasks.X
        middle = centre[:, part.left].mean(axis=1)
        X = X - middle
        away = centre[:, part.left] - middle[:, None]
        sums = (c.reshape(tasks.n_tasks, -1) @ X).T
        cross = sums @ away.T
        return X.T @ (weight[:, None] * X) - cross - cross.T + (away * tasks.mass) @ away.T
    rows = tasks.X.toarray() if tasks.is_sparse else tasks.X
    rows = (rows if tasks.owner is None else rows[tasks.sample_row]) - centre.T[part.left[tasks.sample_task]]
    return rows.T @ (c[:, None] * rows)


def slopes(part, W, b, move, turn):
    """((1,) the loss at W and b, (d, T) minus its gradient in W, (T,) that in b; (d, T), (T,) the same of curvatures).

    Of the dual variables v + h (x . move + turn), where these move; of columns that move each other with the matrix of
    second derivatives in place of h.
    """
    tasks, left, c = part.term.tasks, part.left, part.term.tasks.weight
    z, v, h = _at(part, W, b)
    value = part.term.value(z)
    if turn.any() or move.any():
        along = tasks.apply(move[:, left]) if move.shape == W.shape else 0.0
        v = v + _bent(part, z, h, along + tasks.spread(turn[left]))
    d, T = W.shape
    Z, spread, slope, mass = np.zeros((d, T)), np.zeros((d, T)), np.zeros(T), np.zeros(T)
    if np.isfinite(value):
        Z[:, left], slope[left] = tasks.adjoint(-c * v), tasks.sum(c * v)
        spread[:, left], mass[left] = tasks.adjoint(c * h), tasks.sum(c * h)
    return np.array([value]), Z, slope, spread, mass


def _bent(part, z, h, along):
    loss = part.term.loss
    return h * along if loss.by_column else loss.bent(part.term.tasks.y, z, along)


def responses(part, W, b, n):
    """((n, T) sums of the second derivatives at W and b, and of minus the mixed ones of a column and the r-th next one,
    r < n; (n, d, T) the same times the features)."""
    tasks, left, c = part.term.tasks, part.left, part.term.tasks.weight
    mass, spread = np.zeros((n, len(b))), np.zeros((n, *W.shape))
    for r, h in enumerate(part.term.loss.mixed(tasks.y, _at(part, W, b)[0])):
        mass[r, left], spread[r][:, left] = tasks.sum(c * h), tasks.adjoint(c * h)
    return mass, spread


def gaps(part, W, b, move, turn, scales):
    """The Fenchel gaps at W and b and the dual variables v + h (x . move + turn), times all scales."""
    tasks, loss, left, c = part.term.tasks, part.term.loss, part.left, part.term.tasks.weight
    z, v, h = _at(part, W, b)
    v = v + _bent(part, z, h, tasks.apply(move[:, left]) + tasks.spread(turn[left]))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        found = [tasks.total(loss.fenchel_gap(tasks.y, z, np.where(c > 0, scale * v, 0.0))) for scale in scales]
    return np.array(found)


def _at(part, W, b):
    """(predictions, derivatives, curvatures), each (N,), at W and b."""
    tasks, loss = part.term.tasks, part.term.loss
    z = tasks.shift(tasks.apply(W[:, part.left]), b[part.left])
    with np.errstate(over="ignore", invalid="ignore"):
        v, h = loss.derivative(tasks.y, z), loss.second(tasks.y, z)
    return z, v, np.maximum(h, FLOOR * np.abs(v))


ASKED = {
    "convexmtl-intercepts": at_zero,
    "convexmtl-floor": at_rest,
    "convexmtl-point": told_of,
    "convexmtl-means": means_of_all,
    "convexmtl-pooled": pooled,
    "convexmtl-slopes": slopes,
    "convexmtl-gap": gaps,
    "convexmtl-responses": responses,
}


def together(a, b):
    """The sum of what two parts have said."""
    return tuple(map(together, a, b)) if isinstance(a, tuple) else a + b
