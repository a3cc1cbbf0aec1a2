"""Searches in rounds, for losses that are not squared: as a twin searches itself, its fits made where the samples are.

All folds, and all paths, go down their strengths in step: what each asks next is one question with several parts, and
a pass over the samples answers all of them. Or all strengths are fitted at once, which takes fewer rounds with longer
questions. Errors take one more.
"""

import warnings
from copy import copy

import numpy as np

from .. import _input
from ..criteria import CRITERIA, FULL, PATH, Measured, check_criterion, patterns
from ..data import DataTerm
from ..estimators._cv import ENTRIES, LOOSER, of_fold
from ..estimators._formulation import Formulation
from ..freedom import freedom
from ..gram import largest_eigenvalue
from ..losses import Squared
from ..problem import Problem
from ._engine import size_of
from ._folds import Answers, Dealt, Largest, folds_of, numbered, several, surveyed_by_fold
from ._models import Frame, Model
from ._newton import LEAST, Ask, begun, fitted, steps
from ._rounds import matrices_of, moved_by, refuse_iterators, require_smooth, settled
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
    if 8 * matrices_of(known) * d**2 > most:
        raise TooLarge(
            f"a search tells {matrices_of(known)} matrices of {d} features in every round, more than "
            f"{most / 1e9:.3g} GB: fit {estimator._single.__name__} by method='gradient' for each strength."
        )
    dealt, surveys = Dealt(0, {}), None
    if n_folds:
        dealt = Dealt.of(numbers, survey, known.plan.signs, agreement.layout, n_folds)
        (surveys,) = engine.gather("convexmtl-folds", surveyed_by_fold, added, reader, dealt)
    there = Elsewhere(estimator, loss, known, survey, d, surveys, n_folds, agreement.layout)
    engine.keep("convexmtl-part", folds_of, reader, known.plan, dealt, there.factors, there.counted)
    moved, history, script = {"round": 0, "bytes": 0}, [], there.script(stacklevel)
    there.report = lambda **said: history.append({**moved, **said})
    try:
        asked = next(script)
        while True:
            found = engine.round("convexmtl-several", several, Answers.__add__, asked).each
            moved["round"] += 1
            moved["bytes"] += engine.workers * (size_of([list(one[1:]) for one in asked]) + size_of(found))
            weights = [there.of(fold).counted.astype(float) for fold, *_ in asked]
            asked = script.send(
                [one.of_all(w) if isinstance(one, Told) else one for one, w in zip(found, weights, strict=True)]
            )
    except StopIteration:
        estimator.history_ = history


class Elsewhere:
    """Knows what to ask of the samples of a search, see ``CrossValidated._asked``.

    Generators yield lists of (fold or None, what, arguments), and want the sums of the answers, with the weights that
    samples have in ``of(fold)``.

    Parameters
    ----------
    estimator : CrossValidated
    loss : Loss
    known : Planned
    survey : Survey
    d : int
        Features.
    surveys : Surveys or None
        Of the folds.
    n_folds : int
    layout : str
    apart : bool
        Whether all strengths of a path are fitted at once, each from W = 0.
    at_once : float
        Bytes of what is told in a round, at most, where a path takes no more.
    closing : bool
        As for ``fitted``.
    """

    report = None

    def __init__(
        self, estimator, loss, known, survey, d, surveys, n_folds, layout, apart=False, at_once=AT_A_TIME, closing=True
    ):
        self.estimator, self.loss, self.known, self.survey = estimator, loss, known, survey
        self.n_folds, self.apart, self.at_once, self.closing = n_folds, apart, at_once, closing
        self.shape, self.owner, self.folds = (d, len(known.counted)), moved_by(known), []
        self.tested = self.began = self.widest = None
        plan = known.plan
        self.factors, self.counted = np.zeros((0, len(plan.labels))), np.zeros((0, self.shape[1]))
        if n_folds:
            trained = [surveys.trained(k) for k in range(n_folds)]
            for k, one in enumerate(trained):
                self._check(k, one, surveys.parts[k])
            with warnings.catch_warnings():
                # (What is to be said of the data has been said.)
                warnings.simplefilter("ignore", UserWarning)
                self.folds = [planned(estimator, one, loss, layout, 2, known) for one in trained]
            # (What the weights of what a fold trains on are multiplied by, and which columns count there.)
            self.factors = np.array([of.plan.factor / plan.factor for of in self.folds])
            self.counted = np.array([of.counted for of in self.folds])
            self.tested = [_at(one, plan.labels) for one in surveys.parts[:n_folds]]
        elif self.owner is not None:
            raise ValueError(
                f"selection={estimator.selection!r} is for tasks of two classes in rounds, and some have more: choose "
                "by cross-validation."
            )

    def script(self, stacklevel):
        """A generator of all that is asked, which fits the estimator."""
        known = self.known
        sizes = np.where(known.counted, self.survey.totals[known.plan.owner], 0.0), None
        return self.estimator._asked(
            known.data, [None] * self.n_folds, None, None, sizes=sizes, stacklevel=stacklevel, elsewhere=self
        )

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
        """A generator: [what every generator returns] after rounds in which all of them are asked at once;
        ``generators`` are pairs of a fold, or None, and one that yields questions about what it is trained on."""
        found, pending = [None] * len(generators), {}

        def advance(i, answer):
            try:
                pending[i] = generators[i][1].send(answer)
            except StopIteration as done:
                found[i] = done.value
                pending.pop(i, None)

        for i in range(len(generators)):
            advance(i, None)
        while pending:
            asked = {i: (generators[i][0], *ask) for i, ask in pending.items()}
            told = yield list(asked.values())
            for i, answer in zip(asked, told, strict=True):
                advance(i, answer)
        return found

    def of(self, fold):
        """The Planned of what a fold is trained on; None is all samples."""
        return self.known if fold is None else self.folds[fold]

    # ------------------------------------------------------------------------------------- of a search

    def begin(self):
        """Ask for what there is to know at W = 0, before anything else."""
        single, (d, T) = self.estimator._at(self.estimator._settings(*self.shape)[0]), self.shape
        canonical = self._bound(single).resolve(d, self.known.plan.of_columns[0])
        if canonical.free_entries(self.shape) is not None and isinstance(self.estimator.alphas, int):
            raise ValueError(
                "feature_weights of 0 leave features free, and where strengths begin to matter is not known in rounds: "
                "pass the strengths to try as alphas."
            )
        known = self.known
        at = begun(self.shape, known.counted, single.fit_intercept, known.intercept, canonical.n_parts, exact=True)
        (self.began,) = yield from self.run([(None, at)])
        ((told, largest),) = yield [(None, "convexmtl-widest", (self.began[0].b_last,))]
        told = told._at(np.arange(T))
        tasks = told._tasks(told.weight)
        if largest is None:
            # (That of a single sample is not told: it is the mean of a task where it has no bound.)
            means = np.divide(self.began[0].bend, told.weight, out=np.zeros(T), where=told.weight > 0)
            largest = Largest(known.plan.loss.curvature or float(means.max()))
        self.widest = DataTerm(tasks, Squared(), single.fit_intercept), largest.value

    def _bound(self, single):
        return single._bound(self.shape[0], self.known.data.names, self.known.plan.columns)

    def formulated(self, single):
        """The Formulation of a path, by what is known at W = 0."""
        known, labels, penalty = self.known, self.known.plan.of_columns[0], self._bound(single)
        canonical = penalty.resolve(self.shape[0], labels)
        zero, first = self.began
        term = zero.term(Frame(canonical, single.fit_intercept, known.fixed, self.owner), first)
        wide, largest = self.widest
        steepest = largest_eigenvalue(wide.design, wide.tasks.weight * largest)
        vars(term).update(design=wide.design, largest_second=largest, steepest=steepest)
        return Formulation(Problem(term, canonical), penalty.bind(labels), known.data)

    def _path(self, single, canonicals, fold, zero, first, tol):
        """A generator: [(Canonical, Result, Point)] for multiples of a penalty, on what a fold is trained on, and the
        last _AtZero."""
        # (Others begin there, too.)
        zero, here, results = copy(zero), None, []
        for canonical in canonicals:
            frame = Frame(canonical, single.fit_intercept, self.of(fold).fixed, self.owner)
            result, here = yield from steps(
                frame, zero, here or first, tol, single.max_iter, closing=False, damping=1.0 if here is None else LEAST
            )
            results.append((canonical, result, here))
        return results, zero

    def _paths(self, jobs, began, tol):
        """A generator: [(what ``_path`` returns of each job, how many fits have not converged)], where these began."""
        tracks = []
        for i, (_, multiples, _) in enumerate(jobs):
            canonicals = multiples.canonicals
            tracks += [(i, [one]) for one in canonicals] if self.apart else [(i, canonicals)]
        found = yield from self.run(
            [(jobs[i][2], self._path(jobs[i][0], some, jobs[i][2], *began[i], tol)) for i, some in tracks]
        )
        paths, failed = [[] for _ in jobs], [0] * len(jobs)
        for (i, _), (results, zero) in zip(tracks, found, strict=True):
            paths[i] += results
            accepted = zero.threshold(max(tol, LOOSER * jobs[i][0].tol) if jobs[i][2] is not None else jobs[i][0].tol)
            failed[i] += sum(not result.dual_gap <= accepted for _, result, _ in results)
        return list(zip(paths, failed, strict=True))

    def at_a_time(self, n_strengths):
        """How many paths of so many strengths are followed at a time."""
        size = matrices_of(self.known) * (self.shape[0] + 4) ** 2
        return max(1, int(self.at_once / (8 * size * (n_strengths if self.apart else 1))))

    def errors(self, jobs, tol):
        """A generator: [(mean test losses (A,), those of each task, how many fits have not converged)] of jobs, paths
        on folds."""
        began = yield from self.run([(k, self._begun(single, multiples, k)) for single, multiples, k in jobs])
        paths = yield from self._paths(jobs, began, tol)
        results = [[result for _, result, _ in path] for path, _ in paths]
        errors = yield from self.run(
            [(k, self._tested(k, some)) for (_, _, k), some in zip(jobs, results, strict=True)]
        )
        return [(*error, failed) for error, (_, failed) in zip(errors, paths, strict=True)]

    def _begun(self, single, multiples, fold):
        known = self.of(fold)
        n_parts = multiples.canonicals[0].n_parts
        return (yield from begun(self.shape, known.counted, single.fit_intercept, known.intercept, n_parts))

    def _tested(self, k, results):
        """A generator: (mean test losses of the Results of a fold, those of each task)."""
        plan, tested = self.known.plan, self.tested[k]
        T, size = len(plan.labels), max(1, int(ENTRIES / np.prod(self.shape)))
        sums = []
        for some in (results[a : a + size] for a in range(0, len(results), size)):
            Ws, b = np.array([result.W for result in some]), np.array([result.intercept for result in some])
            sums.append((yield Ask("convexmtl-errors", (Ws, b))))
        by_task = np.zeros((len(results), T))
        np.add.at(by_task.T, plan.owner, np.concatenate(sums).T)
        left = np.flatnonzero(tested > 0)
        means = by_task[:, left] / (tested * plan.factor)[left]
        share = self.known.weight[left] / self.known.weight[left].sum()
        return of_fold(means, share, left, T)

    def path(self, single, multiples, sizes):
        """A generator: ([Measured], how many fits have not converged) of a path on all samples, as
        ``criteria.path_of``."""
        found = yield from self._paths([(single, multiples, None)], [self.began], min(single.tol, PATH))
        ((results, failed),) = found
        counts = np.divide(sizes, self.known.weight, out=np.zeros_like(sizes), where=self.known.weight > 0)
        free = []
        for canonical, result, point in results:
            frame = Frame(canonical, single.fit_intercept, self.known.fixed)
            free.append(freedom(Model(frame, point, 0.0).problem, result.parts))
            if free[-1].sum() > FULL * sizes.sum():
                break
        results = [result for (_, result, _), _ in zip(results, free, strict=False)]
        told = yield [(None, "convexmtl-unlikely", (result.W, result.intercept)) for result in results]
        measured = zip(told, free, results, strict=True)
        return [Measured(counts * misfit, own, patterns(result.W)) for misfit, own, result in measured], failed

    def finish(self, estimator, formulation, stacklevel):
        """A generator: fit all samples, and set what is fitted."""
        known, canonical = self.known, formulation.problem.penalty

        def noted(n_iter, objective, gap):
            self.report(objective=objective, gap=gap)

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
            closing=self.closing,
        )
        ((result, at_zero),) = yield from self.run([(None, fit)])
        formulation = formulation._replace(problem=Problem(at_zero, canonical))
        settled(estimator, formulation, known.data, self.survey.counts, result, stacklevel + 1)


def _at(survey, labels):
    """(T,) the sums of the weights of a Survey, of all tasks."""
    totals = np.zeros(len(labels))
    where = {label: t for t, label in enumerate(labels.tolist())}
    totals[[where[label] for label in survey.labels.tolist()]] = survey.totals
    return totals
