"""Searches in rounds, for losses that are not squared: as a twin searches itself, its fits made where the samples are.

All folds, and all paths, go down their strengths in step: what each asks next is one question with several parts, and
a pass over the samples answers all of them. Errors take one more.
"""

import warnings

import numpy as np

from .. import _input
from .._threads import one_thread
from ..criteria import CRITERIA, FULL, PATH, Measured, check_criterion, patterns
from ..data import DataTerm
from ..estimators._cv import ENTRIES, LOOSER, of_fold
from ..estimators._formulation import Formulation
from ..freedom import freedom
from ..gram import largest_eigenvalue
from ..losses import Squared
from ..problem import Problem
from ._engine import size_of
from ._folds import Answers, Dealt, folds_of, numbered, several, surveyed_by_fold
from ._models import Frame, Model
from ._newton import LEAST, begun, fitted, steps
from ._rounds import moved_by, refuse_iterators, require_smooth, settled
from ._sums import TooLarge, added, n_folds_of
from ._survey import planned
from ._told import Told

AT_A_TIME = 1e9  # bytes of what is told in a round


def search(estimator, reader, loss, engine, stacklevel, most):
    """Fit a twin in rounds of an engine."""
    for setting in estimator._settings(2, 2)[:1]:
        require_smooth(estimator._at(setting), loss)
    refuse_iterators(engine, estimator)
    by_criterion = estimator.selection in CRITERIA
    if by_criterion:
        check_criterion(estimator.selection, loss, "selection")
    n_folds = 0 if by_criterion else n_folds_of(estimator)
    found = engine.gather("convexmtl-survey", numbered, added, reader)
    if found is None:
        raise ValueError("X has no rows: all chunks are empty.")
    agreement, survey, numbers = found
    estimator.n_features_in_ = agreement.n_columns
    if agreement.names is not None:
        estimator.feature_names_in_ = agreement.names
    known = planned(estimator, survey, loss, agreement.layout, stacklevel)
    d = agreement.n_columns - len(_input.columns_apart(estimator, agreement.n_columns))
    if 8 * len(known.counted) * d**2 > most:
        raise TooLarge(
            f"a search tells matrices of {d} features for {len(known.counted)} columns of W in every round, more than "
            f"{most / 1e9:.3g} GB: fit {estimator._single.__name__} by method='gradient' for each strength."
        )
    there = Elsewhere(estimator, reader, loss, engine, known, survey, d)
    there.keep(numbers, n_folds, agreement.layout)
    if by_criterion and there.owner is not None:
        raise ValueError(
            f"selection={estimator.selection!r} is for tasks of two classes in chunks, and some have more: choose by "
            "cross-validation."
        )
    sizes = np.where(known.counted, survey.totals[known.plan.owner], 0.0), None
    estimator._search(known.data, [None] * n_folds, None, None, sizes=sizes, stacklevel=stacklevel, elsewhere=there)


class Elsewhere:
    """Who has the samples of a search, see ``CrossValidated._search``."""

    def __init__(self, estimator, reader, loss, engine, known, survey, d):
        self.estimator, self.reader, self.loss, self.engine = estimator, reader, loss, engine
        self.known, self.survey, self.shape = known, survey, (d, len(known.counted))
        self.owner, self.folds, self.rounds, self.bytes = moved_by(known), [], 0, 0
        self.tested = self.began = self.widest = None

    def keep(self, numbers, n_folds, layout):
        """Deal out the rows, and have the parts of every chunk."""
        whole, plan = self.known, self.known.plan
        dealt, factors, counted = Dealt(0, {}), np.zeros((0, len(plan.labels))), np.zeros((0, self.shape[1]))
        if n_folds:
            dealt = Dealt.of(numbers, self.survey, plan.signs, layout, n_folds)
            (surveys,) = self.engine.gather("convexmtl-folds", surveyed_by_fold, added, self.reader, dealt)
            trained = [surveys.trained(k) for k in range(n_folds)]
            for k, one in enumerate(trained):
                self._check(k, one, surveys.parts[k])
            with warnings.catch_warnings():
                # (What is to be said of the data has been said.)
                warnings.simplefilter("ignore", UserWarning)
                self.folds = [planned(self.estimator, one, self.loss, layout, 2, whole) for one in trained]
            factors = np.array([of.plan.factor / plan.factor for of in self.folds])
            counted = np.array([of.counted for of in self.folds])
            self.tested = [_at(one, plan.labels) for one in surveys.parts[:n_folds]]
        self.engine.keep("convexmtl-part", folds_of, self.reader, plan, dealt, factors, counted)

    def _check(self, k, trained, tested):
        labels = self.known.plan.labels
        totals = np.zeros(len(labels)) if trained is None else _at(trained, labels)
        if not (totals > 0).all():
            raise ValueError(
                f"cv: fold {k} trains on no sample of task {labels[totals <= 0].tolist()[0]!r}: drop tasks with a "
                "single sample, or use fewer folds."
            )
        if tested is None or not tested.totals.sum() > 0:
            raise ValueError(f"cv: fold {k} tests no sample with a target and a positive weight: use fewer folds.")

    # ------------------------------------------------------------------------------------------- rounds

    def run(self, generators):
        """[what every generator returns] after rounds in which all of them are asked at once; ``generators`` are pairs
        of a fold, or None, and one that yields questions about what it is trained on."""
        found, pending = [None] * len(generators), {}

        def advance(i, answer):
            try:
                pending[i] = generators[i][1].send(answer)
            except StopIteration as done:
                found[i] = done.value
                pending.pop(i, None)

        with one_thread():
            for i in range(len(generators)):
                advance(i, None)
            while pending:
                asked = {i: (generators[i][0], *ask) for i, ask in pending.items()}
                told = self._asked(list(asked.values()))
                for (i, (fold, *_)), answer in zip(asked.items(), told, strict=True):
                    if isinstance(answer, Told):
                        answer = answer.of_all(self._of(fold).counted.astype(float))
                    advance(i, answer)
        return found

    def _of(self, fold):
        return self.known if fold is None else self.folds[fold]

    def _asked(self, asked):
        answers = self.engine.round("convexmtl-several", several, Answers.__add__, asked)
        self.rounds += 1
        self.bytes += self.engine.workers * (size_of([list(one[1:]) for one in asked]) + size_of(answers.each))
        return answers.each

    def ask(self, fold, what, *arguments):
        """The answer to a single question."""
        return self._asked([(fold, what, arguments)])[0]

    # ------------------------------------------------------------------------------------- of a search

    def formulated(self, single):
        """The Formulation of a path, by what is known at W = 0."""
        known, (d, _) = self.known, self.shape
        labels = known.plan.of_columns[0]
        penalty = single._bound(d, known.data.names, known.plan.columns)
        canonical = penalty.resolve(d, labels)
        frame = Frame(canonical, single.fit_intercept, known.fixed, self.owner)
        if canonical.free_entries(self.shape) is not None and isinstance(self.estimator.alphas, int):
            raise ValueError(
                "feature_weights of 0 leave features free, and where strengths begin to matter is not known in chunks: "
                "pass the strengths to try as alphas."
            )
        if self.began is None:
            at = begun(self.shape, known.counted, single.fit_intercept, known.intercept, canonical.n_parts, exact=True)
            (self.began,) = self.run([(None, at)])
            told, largest = self.ask(None, "convexmtl-widest", self.began[0].b_last)
            told = told._at(np.arange(self.shape[1]))
            tasks = told._tasks(told.weight)
            self.widest = DataTerm(tasks, Squared(), single.fit_intercept), largest.value
        zero, first = self.began
        term = zero.term(frame, first)
        wide, largest = self.widest
        steepest = largest_eigenvalue(wide.design, wide.tasks.weight * largest)
        vars(term).update(design=wide.design, largest_second=largest, steepest=steepest)
        return Formulation(Problem(term, canonical), penalty.bind(labels), known.data)

    def _path(self, single, multiples, fold, tol, results):
        """A generator: the solutions for all multiples of a penalty, on what a fold is trained on."""
        known = self._of(fold)
        here = None
        if fold is None:
            zero, first = self.began
        else:
            n_parts = multiples.canonicals[0].n_parts
            zero, first = yield from begun(self.shape, known.counted, single.fit_intercept, known.intercept, n_parts)
        for canonical in multiples.canonicals:
            frame = Frame(canonical, single.fit_intercept, known.fixed, self.owner)
            result, point = yield from steps(
                frame, zero, here or first, tol, single.max_iter, closing=False, damping=1.0 if here is None else LEAST
            )
            here = point
            results.append((canonical, result, point))
        return zero

    def errors(self, jobs, tol):
        """Yield (mean test losses (A,), those of each task, how many fits have not converged) of every job, a path on a
        fold."""
        d, T = self.shape
        size = max(1, int(AT_A_TIME / (8 * T * (d + 4) ** 2)))
        for some in (jobs[a : a + size] for a in range(0, len(jobs), size)):
            paths = [[] for _ in some]
            zeros = self.run(
                [(k, self._path(single, multiples, k, tol, paths[i])) for i, (single, multiples, k) in enumerate(some)]
            )
            for (single, _, k), path, zero in zip(some, paths, zeros, strict=True):
                accepted = zero.threshold(max(tol, LOOSER * single.tol))
                failed = sum(not result.dual_gap <= accepted for _, result, _ in path)
                yield *self._of_fold(k, [result for _, result, _ in path]), failed

    def _of_fold(self, k, results):
        plan, tested = self.known.plan, self.tested[k]
        T, size = len(plan.labels), max(1, int(ENTRIES / np.prod(self.shape)))
        sums = []
        for some in (results[a : a + size] for a in range(0, len(results), size)):
            Ws, b = np.array([result.W for result in some]), np.array([result.intercept for result in some])
            sums.append(self.ask(k, "convexmtl-errors", Ws, b))
        by_task = np.zeros((len(results), T))
        np.add.at(by_task.T, plan.owner, np.concatenate(sums).T)
        left = np.flatnonzero(tested > 0)
        means = by_task[:, left] / (tested * plan.factor)[left]
        share = self.known.weight[left] / self.known.weight[left].sum()
        return of_fold(means, share, left, T)

    def path(self, single, multiples, sizes):
        """([Measured], how many fits have not converged) of a path on all samples, as ``criteria.path_of``."""
        tol, results, found = min(single.tol, PATH), [], []
        (zero,) = self.run([(None, self._path(single, multiples, None, tol, results))])
        failed = sum(result.dual_gap > zero.threshold(single.tol) for _, result, _ in results)
        counts = np.divide(sizes, self.known.weight, out=np.zeros_like(sizes), where=self.known.weight > 0)
        for canonical, result, point in results:
            frame = Frame(canonical, single.fit_intercept, self.known.fixed)
            free = freedom(Model(frame, point, 0.0).problem, result.parts)
            misfit = counts * self.ask(None, "convexmtl-unlikely", result.W, result.intercept)
            found.append(Measured(misfit, free, patterns(result.W)))
            if free.sum() > FULL * sizes.sum():
                break
        return found, failed

    def finish(self, estimator, formulation, stacklevel):
        """Fit all samples, and set what is fitted."""
        known, canonical = self.known, formulation.problem.penalty
        history = []

        def noted(n_iter, objective, gap):
            history.append({"round": self.rounds, "bytes": self.bytes, "objective": objective, "gap": gap})

        fit = fitted(
            canonical,
            known.plan.loss,
            self.shape,
            known.counted,
            estimator.fit_intercept,
            known.fixed,
            estimator.tol,
            estimator.max_iter,
            noted,
            owner=self.owner,
            intercept=self.began[0].b_last,
        )
        ((result, at_zero),) = self.run([(None, fit)])
        formulation = formulation._replace(problem=Problem(at_zero, canonical))
        settled(estimator, formulation, known.data, self.survey.counts, result, stacklevel + 1)
        estimator.history_ = history


def _at(survey, labels):
    """(T,) the sums of the weights of a Survey, of all tasks."""
    totals = np.zeros(len(labels))
    where = {label: t for t, label in enumerate(labels.tolist())}
    totals[[where[label] for label in survey.labels.tolist()]] = survey.totals
    return totals
