"""Losses that are not squared, in rounds: Newton's method on what parties tell of the loss at the last coefficients.

Around these the loss is modelled by its value, derivatives and curvature, of T d^2 numbers: a problem of weighted least
squares, which is solved with its penalty here, and whose solution is the next candidate. One more round tells the loss
there, and its share of the duality gap with dual variables v + h (x . moved + moved_b), which are such that their
gradient is that of the model's dual solution. All that penalties ask of dual variables holds for these, then, and the
rest of the gap is that of the model: the candidate is certified as any other fit is, without a sample.
"""

import warnings
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .. import _input
from .._json import written
from .._threads import one_thread
from .._words import listed
from ..certificate import Dual, duality_gap
from ..data import DataTerm
from ..estimators._formulation import Data, Formulation
from ..explanation import FitSummary, formulas
from ..losses import Squared
from ..problem import Problem
from ..result import Result, Status
from ..solvers import solve
from ..statistics import SufficientStatistics, _positions, _union
from ..tasks import Tasks
from . import _noisy_rounds
from ._evaluation import SCALES, STEPS

EASED = 0.1  # share of the damping that is left after a good step
LEAST = 1e-4  # without any, a model of too few curved samples would know nothing of the slopes of the others
INNER = 1e-3  # share of the gap that is wanted, to which models are solved
ENOUGH = 1e-4  # share of what a model promises that a step has to keep
KNOWN = 1e-3  # share of the gap that is wanted, to which the value at W = 0 is known
FURTHER = 3  # rounds that certify, at most
EXACT = 1e-7  # share of a gradient that may be missed
CUT = 1e-14  # share of the largest eigenvalue, beside a diagonal of ones, that is rounding


class Point(NamedTuple):
    """Coefficients, and what the loss is there: sums over all parties, with the weights of the objective."""

    parts: tuple
    b: np.ndarray
    value: float
    slope: np.ndarray | None = None
    slope_b: np.ndarray | None = None
    more: np.ndarray | None = None
    more_b: np.ndarray | None = None
    curvature: SufficientStatistics | None = None
    split: Dual | None = None

    @property
    def W(self):
        return sum(self.parts[1:], self.parts[0])


def script(estimator, max_rounds, report):
    """Yield what is asked, (words, arrays), and take the answers; return the fitted estimator.

    ``report(objective=, gap=)`` is called where these are known.
    """
    loss = estimator._checked_loss()
    spoken = dict(loss=written(loss, "loss"))
    described = yield dict(ask="description", **spoken), {}
    if any("private" in one.words for one in described):
        return (yield from _noisy_rounds.script(estimator, loss, described, spoken, _quadratic))
    setting = _Setting.of(estimator, loss, described)
    d, T = setting.shape
    zeros = tuple(np.zeros((d, T)) for _ in range(setting.canonical.n_parts))
    shared = dict(tasks=setting.labels) | ({} if setting.classes is None else {"classes": setting.classes})
    zero = _AtZero(setting)

    def asked(parts, b, base=None, moved=None):
        arrays = dict(shared, W=sum(parts[1:], parts[0]), b=b, zero_b=zero.b)
        if moved is not None:
            arrays |= dict(base_W=base.W, base_b=base.b, moved_W=moved[0], moved_b=moved[1])
        return dict(ask="evaluation", moved=moved is not None, scale=moved and float(moved[2]), **spoken), arrays

    status, n_fits, damping, left = Status.OUT_OF_ITERATIONS, 0, 1.0, FURTHER
    told = setting.sums((yield asked(zeros, zero.b)))
    zero.take(told)
    here = setting.point(zeros, zero.b_last, told)
    first = here
    best = here, np.inf
    n_rounds = 2
    while n_rounds < max_rounds:
        n_rounds += 1
        with one_thread():
            model = setting.model(here, damping)
            result = setting.solved(model, here, INNER * zero.threshold(estimator.tol), estimator.max_iter)
            moved, rest, promised = setting.dual(model, here, result)
        n_fits += result.n_iter
        told = setting.sums((yield asked(result.parts, result.intercept, here, moved)))
        zero.take(told)
        there = setting.point(result.parts, result.intercept, told)
        if result.dual is not None:
            # (How the gradient is shared out, whatever the samples.)
            there = there._replace(split=Dual(split=result.dual.split))
        objective = there.value + setting.penalty(result.parts)
        # (The conjugate of s Z is at most s times that of Z, as no penalty is below zero.)
        shares = told["fenchel"].sum(axis=1) + SCALES * rest + (1 - SCALES) * setting.penalty(result.parts)
        gap = min(float(shares.min()), objective + zero.perfect)
        report(objective=objective, gap=gap)
        threshold = zero.threshold(estimator.tol)
        ended = Status.of(gap, threshold) if zero.is_known() and there.curvature is not None else None
        if ended is not None or (status is Status.OUT_OF_ITERATIONS and gap < best[1]):
            best = there, gap
        if ended is not None:
            status, left = ended, left - 1
            # (Without the dual variables, which the parties have, the coefficients are to be as good.)
            if not left or duality_gap(setting.model(there, damping), there.parts, dual=there.split).gap <= threshold:
                break
        before = here.value + setting.penalty(here.parts)
        # (It begins at zero, which constraints may refuse.)
        better = objective <= before - ENOUGH * promised if np.isfinite(before) else np.isfinite(objective)
        if better and there.curvature is not None:
            here, damping = there, max(damping * EASED, LEAST)
            continue
        shorter = setting.shorter(here, result, told, before)
        if shorter is None and damping < 1 and here.more.any():
            damping = 1.0
            continue
        if shorter is not None and n_rounds == max_rounds:
            break
        if shorter is None:
            # (Nothing on the way is better: rounding, as far as rounds can tell.)
            status = Status.STALLED if status is Status.OUT_OF_ITERATIONS else status
            break
        damping = min(damping / EASED, 1.0)
        n_rounds += 1
        told = setting.sums((yield asked(*shorter)))
        zero.take(told)
        here = setting.point(*shorter, told)
    point, gap = best
    objective = point.value + setting.penalty(point.parts)
    found = Result(point.parts, point.b, objective, gap, max(n_fits, 1), status, dual=point.split)
    at_zero = first._replace(b=zero.b_last, slope=zero.slope, slope_b=zero.slope_b)
    setting.settle(found, setting.formulation(setting.model(at_zero, 1.0)), zero)
    return estimator


class _AtZero:
    """The loss at W = 0, and the best intercepts there: what there is to gain, by which gaps are measured.

    The intercepts move by a Newton step with every round, within what is known to be around the best.
    """

    def __init__(self, setting):
        self.setting, self.b = setting, setting.first_intercept()
        self.b_last = self.b
        T = len(self.b)
        self.low, self.high, self.width = np.full(T, -np.inf), np.full(T, np.inf), np.ones(T)
        self.value, self.perfect, self.left = np.inf, np.inf, np.inf

    def take(self, told):
        """What parties tell of the intercepts that they have been asked about; the next ones."""
        self.slope, slope, bend = told["zero_slope"], told["zero_slope_b"], told["zero_bend"]
        self.value, self.perfect = float(told["zero_value"].sum()), float(told["zero_perfect"].sum())
        self.b_last, self.slope_b = self.b, slope
        if not self.setting.estimator.fit_intercept:
            self.left = 0.0
            return
        open_ = self.setting.weight > 0
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.where(open_ & (slope != 0), -slope / bend, 0.0)
        self.left = float(-0.5 * slope @ step)
        self.low = np.where(slope < 0, self.b, self.low)
        self.high = np.where(slope > 0, self.b, self.high)
        new = self.b + step
        far = np.isinf(self.low) | np.isinf(self.high)
        inside = (new >= self.low) & (new <= self.high) & np.isfinite(new)
        with np.errstate(invalid="ignore"):
            middle = np.where(far, self.b - np.sign(slope) * self.width, (self.low + self.high) / 2)
        self.width = np.where(inside, self.width, 2 * self.width)
        self.b = np.where(open_, np.where(inside, new, middle), self.b)

    def threshold(self, tol):
        return tol * max(self.value + self.perfect, 0.0)

    def is_known(self):
        """Whether the intercepts are near enough to the best for what there is to gain."""
        return self.left <= KNOWN * self.threshold(1.0)


class _Setting(NamedTuple):
    """What is known before the first evaluation."""

    estimator: object
    loss: object
    labels: np.ndarray
    layout: str
    names: np.ndarray | None
    classes: np.ndarray | None
    n_features: int
    totals: np.ndarray
    counts: np.ndarray
    few: Tasks
    weight: np.ndarray  # (T,) of the sums of a task in the objective, 0 for those without a best intercept
    fixed: np.ndarray | None
    canonical: object
    bound: object

    @classmethod
    def of(cls, estimator, loss, described):
        """Of the descriptions of all parties."""
        words, first = described[0].words, described[0].arrays
        labels, classes, names = first["tasks"], first.get("classes"), None
        for one in described:
            arrays = one.arrays
            _refuse_others(described[0], one)
            try:
                labels = _union(labels, arrays["tasks"])
                names = arrays.get("names") if names is None else names
                classes = None if classes is None else _union(classes, arrays["classes"])
            except ValueError as error:
                raise ValueError(f"{one.party} does not go together with {described[0].party}: {error}") from error
        sums = {name: np.zeros(len(labels)) for name in ("totals", "counts", "sum_y", "positive")}
        for one in described:
            where, own = _positions(one.arrays["tasks"], labels), one.arrays
            # (What a party counts is its last class, which may be the first of all.)
            first = classes is not None and len(classes) == 2 and own["classes"].tolist()[-1] == classes.tolist()[0]
            for name in sums.keys() & own.keys():
                sums[name][where] += 0.0 if first and name in ("sum_y", "positive") else own[name]
        _input.refuse_empty_tasks(sums["totals"], labels)
        few = _few(sums, classes)
        offset = any(one.words["offset"] for one in described)
        few = replace(few, offset=np.zeros(len(few.y)) if offset else None)
        estimator.n_features_in_ = words["features"]
        if names is not None:
            estimator.feature_names_in_ = names.astype(object)
        task_weight = _input.read_task_weight(estimator.task_weight, sums["totals"])
        each = np.ones(len(labels)) if task_weight is None else task_weight
        few, weight = replace(few, weight=few.weight * few.spread(each)), each / sums["totals"]
        kept, fixed = estimator._without_constant_tasks(few, loss, labels, stacklevel=7)
        if fixed is not None:
            if offset:
                silent = labels[kept.mass <= 0].tolist()
                raise ValueError(f"tasks {listed(map(repr, silent))} have {loss.silence}, and offsets: leave them out.")
            weight = np.where(kept.mass > 0, weight, 0.0)
        penalty = estimator._bound(words["features"], _input.coef_names(estimator), None)
        canonical = penalty.resolve(words["features"], labels)
        more = words["features"], sums["totals"], sums["counts"], few, weight, fixed, canonical, penalty.bind(labels)
        return cls(estimator, loss, labels, words["layout"], names, classes, *more)

    @property
    def shape(self):
        return self.n_features, len(self.labels)

    def first_intercept(self):
        """Near the best ones at W = 0; it without offsets for most losses."""
        if not self.estimator.fit_intercept:
            return np.zeros(len(self.labels))
        tasks = replace(self.few, weight=self.few.weight * self.few.spread(self.weight > 0))
        return DataTerm(tasks, self.loss, True, self.fixed).trivial[1]

    def sums(self, answers):
        """{name: sums by task over all parties, with the weights of the objective}; "curvature" among them."""
        T = len(self.labels)
        total, curvature, unknown = {}, None, False
        for told in answers:
            where = _positions(told.tasks, self.labels)
            for name, value in told.sums.items():
                into = total.setdefault(name, np.zeros((*value.shape[:-1], T)))
                into[..., where] += value
            unknown |= told.curvature is None
            if told.curvature is not None:
                curvature = told.curvature if curvature is None else curvature + told.curvature
        with np.errstate(invalid="ignore"):
            # (A task that does not count may well have an infinite loss.)
            total = {name: np.where(self.weight > 0, value * self.weight, 0.0) for name, value in total.items()}
        return total | {"curvature": None if unknown else curvature._at(self.labels)}

    def point(self, parts, b, told):
        value = float(told["value"].sum())
        if told["curvature"] is None:
            return Point(parts, b, value)
        return Point(parts, b, value, *(told[name] for name in Point._fields[3:-1]))

    def penalty(self, parts):
        return self.canonical.value(parts)

    def model(self, here, damping):
        """The Problem of weighted least squares that is the model around a Point.

        ``damping`` is how much of the curvature counts that is only there for the sake of a model.
        """
        known = here.curvature, self.weight, here.W, here.b, here.slope, here.slope_b
        # (Of a party's single row its own mean says nothing: features vary there as they do elsewhere.)
        H, squares = here.curvature, np.einsum("tjj->jt", here.curvature.gram)
        spread = np.divide(squares, H.weight, out=np.zeros_like(squares), where=H.weight > 0)
        more = damping * np.maximum(here.more, here.more_b * spread), damping * here.more_b
        return _quadratic(*known, self.canonical, self.estimator.fit_intercept, self.fixed, *more)

    def solved(self, model, here, gap, max_iter):
        start = Result(here.parts, here.b, np.inf, np.inf, 0, Status.OUT_OF_ITERATIONS, dual=here.split)
        gain = model.data.gain
        return solve(model, start, gap / gain if gain > 0 else 1.0, max_iter)

    def dual(self, model, here, result):
        """((moved (d, T), moved_b (T,), scale), the gap of the model but for its loss, what the model promises).

        The first two lead from the derivatives at a Point to dual variables with the gradient of the model's, before
        these are shrunk by ``scale``; where none do, the gap is infinite.
        """
        tasks = model.tasks
        known = duality_gap(model, result.parts, dual=result.dual, keep=True)
        v = np.zeros(len(tasks.y)) if known.v is None else known.v
        away = known.z - tasks.y - known.scale * v
        rest = max(known.gap - 0.5 * float(tasks.weight @ away**2), 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            by = np.where(self.weight > 0, 1 / self.weight, 0.0)
        H = here.curvature
        wanted = (tasks.adjoint(tasks.weight * v) - here.slope) * by
        wanted_b = (tasks.sum(tasks.weight * v) - here.slope_b) * by
        means = H.mean_X + H.rest_X
        centred = wanted - means * wanted_b
        moved = _solved(H.gram, centred)
        moved_b = np.divide(wanted_b, H.weight, out=np.zeros_like(wanted_b), where=H.weight > 0)
        missed = np.abs(np.einsum("tij,jt->it", H.gram, moved) - centred), np.abs(H.weight * moved_b - wanted_b)
        sizes = np.abs(here.slope * by) + np.abs(wanted), np.abs(here.slope_b * by) + H.weight
        if any(np.any(left > EXACT * size.max(initial=0.0)) for left, size in zip(missed, sizes, strict=True)):
            rest = np.inf
        moved_b -= np.einsum("dt,dt->t", means, moved)
        before = model.primal(here.parts, here.b)
        return (moved, moved_b, known.scale), rest, max(before - known.primal, 0.0)

    def shorter(self, here, result, told, before):
        """(parts, b) of the best of the shorter steps, where one is better than none."""
        values, best = told["along"].sum(axis=1), None
        for step, value in zip(STEPS, values, strict=True):
            parts = tuple(a + step * (c - a) for a, c in zip(here.parts, result.parts, strict=True))
            objective = value + self.penalty(parts)
            if objective < (before if best is None else best[0]):
                best = objective, parts, here.b + step * (result.intercept - here.b)
        return None if best is None else best[1:]

    def formulation(self, model):
        """The Formulation of a model, which stands for that of the samples in what an estimator says of its fit."""
        data = Data(
            model.tasks, self.loss, self.labels, self.layout, self.classes, None, None, self.totals.mean(), self.names
        )
        return Formulation(model, self.bound, data)

    def settle(self, result, formulation, zero):
        """Set what is fitted, and what it says of itself; the Formulation is that of the model around W = 0."""
        estimator = self.estimator
        summary = FitSummary.of(formulation, result, estimator.tol)
        few = DataTerm(self.few, self.loss, estimator.fit_intercept, self.fixed)
        minimised = formulas(few, self.bound, few.tasks)
        estimator._summary = replace(
            summary,
            minimised=minimised,
            threshold=zero.threshold(estimator.tol),
            trivial=zero.value,
            gain=zero.value + zero.perfect,
            sizes=self.counts,
        )
        if not result.converged:
            warnings.warn(
                "Objective did not converge. You might want to increase max_rounds, scale features, or increase tol. "
                f"{type(estimator).__name__}: {result.status.value} Duality gap {result.dual_gap:.3g}, wanted "
                f"{zero.threshold(estimator.tol):.3g} (tol={estimator.tol:g}).",
                ConvergenceWarning,
                stacklevel=5,
            )
        estimator._settle(formulation, result)


def _quadratic(H, weight, W, b, slope, slope_b, canonical, fit_intercept, fixed=None, more=None, more_b=0.0):
    """The Problem of weighted least squares with these derivatives at W and b.

    ``H`` are SufficientStatistics of the features, weighted by the curvatures, and ``weight`` (T,) what they count in
    the objective, as the slopes (d, T) and (T,) do already. ``more`` (d, T) and ``more_b`` (T,) are more curvature.
    """
    mass = H.weight * weight + more_b
    means = H.mean_X + H.rest_X
    with np.errstate(divide="ignore", invalid="ignore"):
        along = np.where(mass > 0, slope_b / mass, 0.0)
    gram, every = H.gram * weight[:, None, None], np.arange(len(W))
    if more is not None:
        gram[:, every, every] += more.T
    cross = np.einsum("tij,jt->it", gram, W) - (slope - means * slope_b)
    target, T = np.einsum("dt,dt->t", means, W) + b - along, len(weight)
    of = SufficientStatistics(
        H.tasks, "stacked", H.n_samples, np.where(mass > 0, mass, 1.0), H.mean_X, H.rest_X, target, np.zeros(T), gram,
        cross, np.zeros(T),
    )  # fmt: skip
    X, Y = of._rows()
    K, m, d = X.shape
    ptr = np.arange(K + 1, dtype=np.int64) * m
    weights = np.repeat(mass / m, m)
    y = np.where(weights > 0, Y.ravel(), 0.0)
    tasks = Tasks(np.asfortranarray(X.reshape(-1, d)), y, ptr, ptr[:-1].copy(), weights)
    return Problem(DataTerm(tasks, Squared(), fit_intercept, fixed), canonical)


def _solved(gram, R):
    """(d, T): gram_t^+ r_t, for matrices (T, d, d), which may be singular."""
    length = np.sqrt(np.maximum(np.einsum("kjj->kj", gram), 0.0))
    unit = np.divide(1.0, length, out=np.zeros_like(length), where=length > 0)
    values, Q = np.linalg.eigh(unit[:, :, None] * gram * unit[:, None, :])
    inverse = np.divide(1.0, values, out=np.zeros_like(values), where=values > CUT * gram.shape[1])
    along = np.einsum("tij,ti->tj", Q, unit * R.T) * inverse
    return (unit * np.einsum("tij,tj->ti", Q, along)).T


def _few(sums, classes):
    """Tasks without features whose targets are the classes, or the means, of the rows: as many as there are."""
    counts = sums["counts"].astype(int)
    ptr = np.concatenate([[0], np.cumsum(counts)])
    totals = np.repeat(sums["totals"], counts)
    if classes is None:
        y = np.repeat(sums["sum_y"] / sums["totals"], counts)
        weight = 1 / np.repeat(counts, counts)
    else:
        if len(classes) != 2:
            raise ValueError(
                f"the parties have {len(classes)} class(es) together, {classes.tolist()}: rounds are for two."
            )
        positive = sums["positive"].astype(int)
        y = np.where(np.arange(ptr[-1]) - np.repeat(ptr[:-1], counts) < np.repeat(positive, counts), 1.0, -1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            of = [sums["sum_y"] / positive, (sums["totals"] - sums["sum_y"]) / (counts - positive)]
        weight = np.where(y > 0, *(np.repeat(one, counts) for one in of)) / totals
    return Tasks(np.zeros((len(y), 1), order="F"), y, ptr.astype(np.int64), ptr[:-1].astype(np.int64), weight)


def _refuse_others(first, other):
    """Raise a ValueError where two descriptions do not go together."""
    (name, _, words, arrays), (party, _, own, theirs) = first, other
    pairs = {"layout": "is laid out as", "features": "has features:"}
    for key, said in pairs.items():
        if words.get(key) != own.get(key):
            raise ValueError(f"{party} {said} {own.get(key)!r}, and {name} {words.get(key)!r}: let all be the same.")
    mine, yours = arrays.get("names"), theirs.get("names")
    if mine is not None and yours is not None and not np.array_equal(mine, yours):
        j = int(np.argmax(mine != yours))
        raise ValueError(f"{party} has feature {yours[j]!r} at position {j}, and {name} {mine[j]!r}.")
    if ("classes" in arrays) != ("classes" in theirs):
        raise ValueError(f"{party} and {name} do not both have classes.")
