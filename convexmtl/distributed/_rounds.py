"""Fits in rounds: what is asked of all parts, who carries it, and what becomes of the estimator."""

from dataclasses import replace
from functools import partial
from itertools import pairwise
from types import SimpleNamespace

import numpy as np

from .. import _input
from ..estimators._base import printer
from ..estimators._formulation import Formulation
from ..explanation import formulas
from ..problem import Problem
from ..result import Result, Status
from ._dual import dual_ascent, require_dual
from ._dual_parts import ASKED as OF_DUALS
from ._dual_parts import UPDATED
from ._engine import size_of
from ._gradient import descended
from ._multipliers import UPDATED as OF_MULTIPLIERS
from ._newton import fitted
from ._parts import ASKED, part_of, part_of_statistics, shard_of, together
from ._sums import added, statistics_of
from ._survey import planned, surveyed
from ._told import Told

QUESTIONS, UPDATES = {**ASKED, **OF_DUALS}, {**UPDATED, **OF_MULTIPLIERS}
SPARED = 2  # samples for a row of statistics from which on these take their place


def by_rounds(estimator, reader, loss, engine, steps, stacklevel, method="newton", most=np.inf):
    """Fit an estimator in rounds of an engine."""
    require_smooth(estimator, loss, method)
    refuse_iterators(engine, estimator)
    found = engine.gather("convexmtl-survey", surveyed, added, reader)
    if found is None:
        raise ValueError("X has no rows: all chunks are empty.")
    agreement, survey = found
    estimator.n_features_in_ = agreement.n_columns
    if agreement.names is not None:
        estimator.feature_names_in_ = agreement.names
    known = planned(estimator, survey, loss, agreement.layout, stacklevel)
    plan, d = known.plan, agreement.n_columns - len(_input.columns_apart(estimator, agreement.n_columns))
    T = len(plan.of_columns[0])
    if method == "newton" and 8 * matrices_of(known) * d**2 > most:
        method = "gradient"
    if moved_by(known) is not None and method == "dual":
        raise ValueError("method='dual' is for tasks of two classes, and some have more: use method='newton'.")
    if method == "gradient" and loss.quadratic and survey.counts.sum() > SPARED * T * (d + 2):
        # Fewer numbers than the samples: they take their place, some tasks on each worker.
        ends = np.linspace(0, T, 2 * engine.workers + 1).astype(int)
        cuts = [partial(shard_of, plan=plan, begin=a, end=b) for a, b in pairwise(ends) if a < b]
        engine.shard(
            "convexmtl-statistics", partial(statistics_of, estimator=reader), added, cuts, part_of_statistics, plan
        )
    else:
        engine.keep("convexmtl-part", part_of, reader, plan)
    script = Script(estimator, known, d, survey.counts, engine.workers, method)
    told = 0
    for ask in script:
        if len(script.history) > told:
            told = len(script.history)
            steps.done(f"round {script.rounds}")
        carried, functions = (engine.update, UPDATES) if ask.what in UPDATES else (engine.round, QUESTIONS)
        found = carried(ask.what, functions[ask.what], together, *ask.arguments)
        script.answer = found.of_all(known.counted.astype(float)) if isinstance(found, Told) else found
    steps.done(f"round {script.rounds}")
    script.finish(stacklevel + 1)
    estimator.history_ = script.history


class Script:
    """The questions of a fit, one after the other; whoever iterates sets ``answer`` to the sum of the answers.

    Parameters
    ----------
    estimator : estimator
    known : Planned
    d : int
        Features.
    counts : ndarray of shape (T,)
        Samples.
    workers : int
        How many messages go each way in a round.
    method : {"newton", "gradient", "dual"}
    report : callable or None
        Called with ``objective`` and ``gap`` where these are known.
    options : dict
        More for the method.
    """

    def __init__(self, estimator, known, d, counts, workers=1, method="newton", report=None, **options):
        self.estimator, self.known, self.workers, self.counts = estimator, known, workers, counts
        self.labels = known.plan.of_columns[0]
        self.penalty = estimator._bound(d, known.data.names, known.plan.columns)
        self.canonical = self.penalty.resolve(d, self.labels)
        self.rounds, self.bytes, self.history, self.found, self.answer = 0, 0, [], None, None
        show = printer(estimator) if estimator.verbose else None

        def noted(n_iter, objective, gap):
            self.history.append({"round": self.rounds, "bytes": self.bytes, "objective": objective, "gap": gap})
            if report is not None:
                report(objective=objective, gap=gap)
            if show is not None:
                show(n_iter, objective, gap)

        shape = d, len(self.labels)
        if method == "dual":
            require_dual(estimator, self.canonical, len(self.labels))
        asks = {"newton": fitted, "gradient": descended, "dual": dual_ascent}[method]
        more = {} if method == "dual" else {"owner": moved_by(known), "intercept": known.intercept}
        self.questions = asks(
            self.canonical,
            known.plan.loss,
            shape,
            known.counted,
            estimator.fit_intercept,
            known.fixed,
            estimator.tol,
            estimator.max_iter,
            noted,
            self._start(shape) if estimator.warm_start else None,
            **more,
            **options,
        )

    def _start(self, shape):
        """The last solution, where it is one of the same tasks and features."""
        last = vars(self.estimator).get("_last", {})
        parts = last.get("_parts", ())
        known = len(parts) == self.canonical.n_parts and parts[0].shape == shape
        if not known or not np.array_equal(last["tasks_"], self.known.plan.labels):
            return None
        parts = tuple(self.penalty.bind(self.labels).feasible(part) for part in parts)
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
        estimator, data = self.estimator, self.known.data
        formulation = Formulation(Problem(at_zero, self.canonical), self.penalty.bind(self.labels), data)
        settled(estimator, formulation, data, self.counts, result, stacklevel + 1)
        return estimator


def settled(estimator, formulation, data, counts, result, stacklevel):
    """Set what is fitted, and what it says of itself."""
    estimator._finish(formulation, stacklevel, result=result)
    # (It has seen a model and a few rows of the targets.)
    told = SimpleNamespace(loss=data.loss, fit_intercept=estimator.fit_intercept, tasks=data.tasks)
    minimised = formulas(told, formulation.penalty, data.tasks)
    estimator._summary = replace(estimator._summary, minimised=minimised, sizes=counts)


def refuse_iterators(engine, estimator):
    """Raise a ValueError for what can be read only once."""
    if not engine.rereads:
        raise ValueError(
            f"X is an iterator, which can be read only once, and loss={estimator.loss!r} takes several rounds: pass a "
            "function that returns a new iterator, or a list of chunks."
        )


def moved_by(known):
    """The task of every column, where those of a task move each other; else None."""
    plan = known.plan
    return plan.owner if plan.columns is not None and not plan.of_columns[1].by_column else None


def matrices_of(known):
    """How many matrices (d, d) the curvature of the loss is: of every column, and of every two that move each other."""
    owner = moved_by(known)
    counts = np.ones(len(known.counted)) if owner is None else np.bincount(owner)
    return int((counts * (counts + 1) / 2).sum())


def require_smooth(estimator, loss, method="newton"):
    """Raise a ValueError for what cannot be fitted in rounds."""
    if not ((loss.smooth or method == "dual") and loss.by_sample):
        raise ValueError(
            f"loss={estimator.loss!r} cannot be fitted in chunks, whose models are quadratic: use a smooth loss that "
            "is a sum over the samples, 'huber', 'logistic' or 'squared_hinge' say, method='dual' where the penalty is "
            "a quadratic coupling or learns relationships, or fit all samples in one place."
        )
    if hasattr(estimator, "losses"):
        raise ValueError(f"{type(estimator).__name__} cannot be fitted in chunks: fit the tasks of each loss.")
    if getattr(estimator, "refit", None) is not None:
        raise ValueError(f"refit={estimator.refit!r} is for loss='squared' where data come in chunks: leave it out.")
