"""Fits in rounds: what is asked of all parts, who carries it, and what becomes of the estimator."""

from dataclasses import replace
from functools import partial
from itertools import pairwise
from types import SimpleNamespace

import numpy as np

from .. import _input
from .._classes import Columns
from ..estimators._base import printer
from ..estimators._formulation import Data, Formulation
from ..explanation import formulas
from ..problem import Problem
from ..result import Result, Status
from ..tasks import Tasks
from ._dual import dual_ascent, require_dual
from ._dual_parts import ASKED as OF_DUALS
from ._dual_parts import UPDATED
from ._engine import size_of
from ._gradient import descended
from ._newton import fitted
from ._parts import ASKED, Plan, part_of, part_of_statistics, shard_of, surveyed, together
from ._sums import added, statistics_of

QUESTIONS = {**ASKED, **OF_DUALS}
SPARED = 2  # samples for a row of statistics from which on these take their place
MANY = 10**6  # samples of a task with one target that its intercept is made of


def by_rounds(estimator, reader, loss, engine, steps, stacklevel, method="newton", most=np.inf):
    """Fit an estimator in rounds of an engine."""
    require_smooth(estimator, loss, method)
    if not engine.rereads:
        raise ValueError(
            f"X is an iterator, which can be read only once, and loss={estimator.loss!r} takes several rounds: pass a "
            "function that returns a new iterator, or a list of chunks."
        )
    found = engine.gather("convexmtl-survey", surveyed, added, reader)
    if found is None:
        raise ValueError("X has no rows: all chunks are empty.")
    agreement, survey = found
    estimator.n_features_in_ = agreement.n_columns
    if agreement.names is not None:
        estimator.feature_names_in_ = agreement.names
    plan, data, counted, fixed = planned(estimator, survey, loss, agreement.layout, stacklevel)
    d = agreement.n_columns - len(_input.columns_apart(estimator, agreement.n_columns))
    T = len(plan.labels)
    if method == "newton" and 8 * T * d**2 > most:
        method = "gradient"
    if method == "gradient" and loss.quadratic and survey.counts.sum() > SPARED * T * (d + 2):
        # Fewer numbers than the samples: they take their place, some tasks on each worker.
        ends = np.linspace(0, T, 2 * engine.workers + 1).astype(int)
        cuts = [partial(shard_of, plan=plan, begin=a, end=b) for a, b in pairwise(ends) if a < b]
        engine.shard(
            "convexmtl-statistics", partial(statistics_of, estimator=reader), added, cuts, part_of_statistics, plan
        )
    else:
        engine.keep("convexmtl-part", part_of, reader, plan)
    script = Script(estimator, plan, data, counted, fixed, d, survey.counts, engine.workers, method)
    told = 0
    for ask in script:
        if len(script.history) > told:
            told = len(script.history)
            steps.done(f"round {script.rounds}")
        if ask.what in UPDATED:
            script.answer = engine.update(ask.what, UPDATED[ask.what], together, *ask.arguments)
        else:
            script.answer = engine.round(ask.what, QUESTIONS[ask.what], together, *ask.arguments)
    steps.done(f"round {script.rounds}")
    script.finish(stacklevel + 1)


class Script:
    """The questions of a fit, one after the other; whoever iterates sets ``answer`` to the sum of the answers.

    Parameters
    ----------
    estimator : estimator
    plan, data, counted, fixed
        As from ``planned``.
    d : int
        Features.
    counts : ndarray of shape (T,)
        Samples.
    workers : int
        How many messages go each way in a round.
    method : {"newton", "gradient"}
    """

    def __init__(self, estimator, plan, data, counted, fixed, d, counts, workers=1, method="newton"):
        self.estimator, self.plan, self.data, self.workers, self.counts = estimator, plan, data, workers, counts
        self.penalty = estimator._bound(d, data.names, None)
        self.canonical = self.penalty.resolve(d, plan.labels)
        self.rounds, self.bytes, self.history, self.found, self.answer = 0, 0, [], None, None
        show = printer(estimator) if estimator.verbose else None

        def noted(n_iter, objective, gap):
            self.history.append({"round": self.rounds, "bytes": self.bytes, "objective": objective, "gap": gap})
            if show is not None:
                show(n_iter, objective, gap)

        shape = d, len(plan.labels)
        if method == "dual":
            require_dual(estimator, self.canonical, len(plan.labels))
        self.questions = {"newton": fitted, "gradient": descended, "dual": dual_ascent}[method](
            self.canonical,
            plan.loss,
            shape,
            counted,
            estimator.fit_intercept,
            fixed,
            estimator.tol,
            estimator.max_iter,
            noted,
            self._start(shape) if estimator.warm_start else None,
        )

    def _start(self, shape):
        """The last solution, where it is one of the same tasks and features."""
        last = self.estimator._last
        parts = last.get("_parts", ())
        known = len(parts) == self.canonical.n_parts and parts[0].shape == shape
        if not known or not np.array_equal(last["tasks_"], self.plan.labels):
            return None
        parts = tuple(self.penalty.bind(self.plan.labels).feasible(part) for part in parts)
        return Result(parts, last["intercept_"], np.inf, np.inf, 0, Status.CONVERGED)

    def __iter__(self):
        try:
            ask = next(self.questions)
            while True:
                yield ask
                self.rounds += 1
                self.bytes += self.workers * (size_of(ask.arguments) + size_of(self.answer))
                ask = self.questions.send(self.answer)
        except StopIteration as done:
            self.found = done.value

    def finish(self, stacklevel):
        """Set what is fitted."""
        result, at_zero = self.found
        estimator, loss = self.estimator, self.plan.loss
        formulation = Formulation(Problem(at_zero, self.canonical), self.penalty.bind(self.plan.labels), self.data)
        estimator._finish(formulation, stacklevel, result=result)
        # (It has seen a model and a few rows of the targets.)
        told = SimpleNamespace(loss=loss, fit_intercept=estimator.fit_intercept, tasks=self.data.tasks)
        minimised = formulas(told, formulation.penalty, self.data.tasks)
        estimator._summary = replace(estimator._summary, minimised=minimised, sizes=self.counts)
        estimator.history_ = self.history


def planned(estimator, survey, loss, layout, stacklevel):
    """(Plan, Data of a few rows that stand for the targets, (T,) which tasks count, intercepts of others or None)."""
    labels, totals = survey.labels, survey.totals
    _input.refuse_empty_tasks(totals, labels)
    task_weight = _input.read_task_weight(estimator.task_weight, totals)
    signs = classes = None
    low, high = survey.low, survey.high
    if loss.classification:
        signs, classes, low, high = _signed(estimator, survey, loss)
    alone = low == high
    sizes = np.where(alone, np.minimum(survey.counts, MANY), 2).astype(int)
    codes = np.repeat(np.arange(len(labels)), sizes)
    y = np.where(np.arange(len(codes)) == (np.cumsum(sizes) - 1)[codes], high[codes], low[codes])
    tasks = Tasks.stacked(np.zeros((len(codes), 0)), y, codes, len(labels), None, task_weight)
    loss.check_targets(y)
    left, fixed = estimator._without_constant_tasks(tasks, loss, labels, stacklevel + 1)
    counted = left.mass > 0
    weight = np.ones(len(labels)) if task_weight is None else task_weight
    plan = Plan(labels, np.where(counted, weight / totals, 0.0), signs, loss)
    names = _input.coef_names(estimator)
    data = Data(tasks, loss, labels, layout, classes, None, None, totals.mean(), names)
    return plan, data, counted, fixed


def _signed(estimator, survey, loss):
    """(-1 or 1 of every pair of label and class, classes as estimators have them, least and largest sign of tasks)."""
    labels = survey.labels
    where = {label: t for t, label in enumerate(labels.tolist())}
    pairs = sorted(survey.pairs, key=lambda pair: where[pair[0]])
    codes = np.array([where[label] for label, _ in pairs])
    y = _input.label_array([value for _, value in pairs])
    encoded, classes = estimator._encode(y, codes, labels)
    if Columns.of(labels, classes, loss) is not None:
        sizes = [len(classes)] * len(labels) if isinstance(classes, np.ndarray) else [len(own) for own in classes]
        t = int(np.argmax(sizes))
        raise ValueError(
            f"task {labels.tolist()[t]!r} has {sizes[t]} classes, and in chunks tasks have two (one with "
            "loss='softmax'): make of each class a task of two, itself against the rest."
        )
    low, high = np.full(len(labels), np.inf), np.full(len(labels), -np.inf)
    np.minimum.at(low, codes, encoded)
    np.maximum.at(high, codes, encoded)
    return dict(zip(pairs, encoded.tolist(), strict=True)), classes, low, high


def require_smooth(estimator, loss, method="newton"):
    """Raise a ValueError for what cannot be fitted in rounds."""
    if not ((loss.smooth or method == "dual") and loss.by_sample and loss.by_column):
        raise ValueError(
            f"loss={estimator.loss!r} cannot be fitted in chunks, whose models are quadratic: use a smooth loss that "
            "is a sum over the samples, 'huber', 'logistic' or 'squared_hinge' say, or fit all samples in one place."
        )
    if hasattr(estimator, "losses"):
        raise ValueError(f"{type(estimator).__name__} cannot be fitted in chunks: fit the tasks of each loss.")
    if getattr(estimator, "refit", None) is not None:
        raise ValueError(f"refit={estimator.refit!r} is for loss='squared' where data come in chunks: leave it out.")
