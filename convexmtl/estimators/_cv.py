"""Cross-validated twins: every fold goes down a path of strengths, and the best strength is fitted to all samples.

Or all samples go down the path, and a criterion says which strength is best.
"""

import inspect
import warnings
from itertools import takewhile
from numbers import Integral, Real

import numpy as np
from joblib.parallel import effective_n_jobs, get_active_backend
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.parallel import Parallel, delayed

from .._compat import Interval, StrOptions, raise_for_params
from .._input import read_list
from .._progress import Steps, with_callbacks
from .._threads import between, same_sums
from ..criteria import CRITERIA, along_path, check_criterion, path_of, sizes_of
from ..data import DataTerm
from ..problem import Problem
from ..relaxed import Relaxed
from ..solvers.paths import Multiples, leading_strength, path_alphas, path_pieces
from ._base import all_or_nothing, initialiser
from ._folds import condensed
from ._splits import SplitsTasks

# Strengths on a path, by default: on one of several, errors are too flat for more to matter (benchmarks/searches.py).
ALPHAS, FEW_ALPHAS = 100, 30
LOOSER = 2.0  # times tol, to which the fits on paths are made
EXACT = 1e-8  # least tol to which those are made that decide between strengths
KEPT = 1e5  # errors of tasks that a fold hands over
ENTRIES = 4e5  # of all W, and of their predictions, that are held at a time
CACHED = 50_000  # of which errors are taken at a time: a core's cache has them


class CrossValidated(SplitsTasks):
    """Mixin in front of the base of the regressors or classifiers.

    Attributes
    ----------
    _single : class
        What is fitted for one strength.
    _replaced : tuple of str
        Its parameters that are searched for, along a path or by one path each.
    _searched : dict of str -> default
        The twin's parameters in their place.
    _selections : tuple of str
        How it can choose.
    _top, _eps, _n_alphas : float, float, int or None
        Where paths begin, in units of ``alpha_max``, and their length and number of strengths by default.
    """

    _single = None
    _replaced = ("alpha",)
    _searched: dict = {}
    _selections = ("best", "1se", *CRITERIA)
    _top, _eps, _n_alphas = 1.0, 1e-3, None

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "_single" not in vars(cls):
            return
        # By position only what has the same position in the single estimator: up to the first strength.
        own = dict(takewhile(lambda pair: pair[0] not in cls._replaced, cls._single._parameters.items()))
        defaults = dict(cls._searched)
        for name, parameter in inspect.signature(cls._single).parameters.items():
            if name not in cls._replaced and name not in own:
                defaults.setdefault(name, parameter.default)
        several = any(name.endswith("ratios") for name in cls._searched)
        alphas = cls._n_alphas or (FEW_ALPHAS if several else ALPHAS)
        defaults |= {"alphas": alphas, "eps": cls._eps, "cv": None, "n_jobs": None, "selection": "best"}
        cls.__init__ = initialiser(cls, own, defaults)
        cls._parameter_constraints = {
            **cls._single._parameter_constraints,
            "alphas": [Interval(Integral, 1, None, closed="left"), "array-like"],
            "eps": [Interval(Real, 0, 1, closed="right")],
            "cv": ["cv_object"],
            "n_jobs": [Interval(Integral, None, None, closed="neither"), None],
            "selection": [StrOptions({*cls._selections})],
        }

    def _settings(self, n_features, n_tasks):
        """Parameters of ``_single`` for every path, [{name: value}]; the strengths among them are scaled along it."""
        return [{"alpha": 1.0}]

    def _at(self, setting):
        """The single estimator of a path."""
        own = self.get_params(deep=False)
        names = inspect.signature(self._single).parameters
        return self._single(**{name: own[name] for name in names if name in own} | setting)

    def _penalty(self):
        """With the strengths that were found; before fit, with those of the first path."""
        return self._found if hasattr(self, "_found") else self._at(self._settings(2, 2)[0])._penalty()

    @with_callbacks
    @all_or_nothing
    def fit(self, X, y, *, sample_weight=None, task=None, offset=None, **params):
        """Choose the strengths by cross-validation, or by a criterion, and fit all tasks with them.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n, d)
        y : array-like of shape (n, T) or (n,)
            One column per task, NaN where a target is missing; or, with task labels, one target per row.
        sample_weight : array-like of shape (n,) or, for y (n, T), (n, T), default=None
            Weights of the samples, in the fits and in the errors.
        task : array-like of shape (n,), default=None
            The task of every row, where every task has its own rows.
        offset : array-like of shape (n,) or, for y (n, T), (n, T), default=None
            What is added to x . w_t + b_t before the loss is taken, the logarithm of an exposure say.
        **params : dict
            What metadata routing has for the splitter.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For whatever ``fit`` without cross-validation raises one, and for folds that do not train every task.
        """
        raise_for_params(params, self, "fit")
        data = self._read(X, y, sample_weight, task, offset, reset=True)
        if self.selection in CRITERIA:
            check_criterion(self.selection, data.loss, "selection")
        # (Before anything is said of the data, or done with them.)
        folds = None if self.selection in CRITERIA else self._folds(X, y, data, params)
        self._search(data, folds, X, y)
        return self

    def _search(self, *args, stacklevel=6, **kwargs):
        """Choose among strengths of samples that are here."""
        for _ in self._asked(*args, stacklevel=stacklevel + 1, **kwargs):
            pass

    def _asked(self, data, folds, X, y, few=None, sizes=None, stacklevel=6, elsewhere=None):
        """Choose among strengths, and set what is fitted with the best: a generator of what is asked, if anything is.

        ``few`` [Condensed] are the folds where there are no samples, and ``sizes`` the (T,) sums of their weights and
        their numbers. ``elsewhere`` is who knows what to ask of the samples, where they are asked in rounds: it makes
        Formulations (``begin``, ``formulated``), and generators of errors of folds (``errors``), of solutions on paths
        (``path``) and of the last fit (``finish``).
        """
        if elsewhere is not None:
            yield from elsewhere.begin()
        settings = self._settings(data.tasks.n_features, data.tasks.n_tasks)
        singles = [self._at(setting) for setting in settings]
        formulations, leads, alphas = [], [], []
        with warnings.catch_warnings():
            for single in singles:
                made = single._state(data, stacklevel) if elsewhere is None else elsewhere.formulated(single)
                formulations.append(made)
                leads.append(leading_strength(formulations[-1].strengths))
                problem = formulations[-1].problem
                alphas.append(
                    path_alphas(problem, leads[-1], self.alphas, self.eps, self._top, stacklevel=stacklevel - 1)
                )
                # What is to be said of the data has been said.
                warnings.simplefilter("ignore", UserWarning)
        multiples = [
            Multiples(formulation.penalty, strengths / lead, formulation.problem.shape[0], data.labels)
            for formulation, strengths, lead in zip(formulations, alphas, leads, strict=True)
        ]
        paths = list(zip(singles, multiples, [formulation.data for formulation in formulations], strict=True))
        if self.selection in CRITERIA:
            steps = Steps(self, len(paths) + 1, X, y)
            term = formulations[0].problem.data
            found = self._by_criterion(data, term, paths, steps, sizes, stacklevel, elsewhere)
        else:
            steps = Steps(self, len(paths) * len(folds) + 1, X, y)
            found = self._by_folds(paths, folds, steps, few, stacklevel, elsewhere)
        p, a, found = yield from found

        chosen, factor = formulations[p], float(alphas[p][a] / leads[p])
        penalty = chosen.penalty.scaled(factor)
        # As the user wrote it, by labels: of other tasks these positions say nothing. A copy, as of all that is fitted.
        self._found = clone(singles[p]._penalty()).scaled(factor)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            problem = Problem(chosen.problem.data, penalty.resolve(chosen.problem.shape[0], data.labels))
        chosen = chosen._replace(problem=problem, penalty=penalty)
        if elsewhere is None:
            self._finish(chosen, stacklevel)
        else:
            yield from elsewhere.finish(self, chosen, stacklevel)
        self._summary.notes.extend(_edges(settings, p, a, len(alphas[p]), self.coef_.any()))
        steps.done("fit")
        for name, value in {**settings[p], **penalty.strength_values(), **found}.items():
            setattr(self, f"{name}_", value)
        # Given strengths are the same on all paths.
        self.alphas_ = np.array(alphas) if len(paths) > 1 and isinstance(self.alphas, Integral) else alphas[0]
        self.settings_ = settings
        steps.end()

    def _by_folds(self, paths, folds, steps, few=None, stacklevel=6, elsewhere=None):
        """A generator: (path, position on it, what else is fitted) by cross-validation; paths are [(single, Multiples,
        Data)].

        Fits on a path are near enough to the optimum to tell which strengths may be the one; those are fitted anew,
        near enough to tell which of them is.
        """
        shape, n_folds = (len(paths), len(paths[0][1].factors)), len(folds)
        errors, by_task, n_fits, n_failed = np.empty((*shape, n_folds)), {}, 0, 0
        exact = np.zeros(shape, dtype=bool)
        if elsewhere is None:
            few = {id(data): condensed(data, folds) if few is None else few for *_, data in paths}

        def fit(wanted, tol, tell=None):
            """Fill in the errors of the wanted strengths (n_paths, n_alphas)."""
            nonlocal n_fits, n_failed
            some = {p: paths[p][1].some(wanted[p]) for p in np.flatnonzero(wanted.any(axis=1))}
            jobs = [(p, k) for p in some for k in range(n_folds)]
            size = len(jobs) if elsewhere is None else elsewhere.at_a_time(int(wanted.sum(axis=1).max()))
            for part in (jobs[a : a + size] for a in range(0, len(jobs), size)):
                if elsewhere is None:
                    made = self._made(
                        (_errors, paths[p][0], some[p], data, *folds[k], few[id(data)][k], tol)
                        for p, k in part
                        for data in paths[p][2:]
                    )
                else:
                    made = yield from elsewhere.errors([(paths[p][0], some[p], k) for p, k in part], tol)
                for (p, k), (column, of_tasks, failed) in zip(part, made, strict=True):
                    errors[p, wanted[p], k] = column
                    by_task.update(
                        ((p, a, k), one) for a, one in zip(np.flatnonzero(wanted[p]), of_tasks, strict=False)
                    )
                    n_fits, n_failed = n_fits + len(column), n_failed + failed
                    if tell is not None:
                        tell(p, k)

        def tell(p, k):
            steps.done(f"path {p + 1}, fold {k + 1}")
            if self.verbose:
                print(f"[{type(self).__name__}] path {p + 1} of {len(paths)}, fold {k + 1} of {n_folds}")

        def decided():
            yield from fit(np.ones(shape, dtype=bool), LOOSER * self.tol, tell)
            tol = min(self.tol, max(self.tol**2, EXACT))
            while (wanted := _undecided(errors, self.selection, LOOSER * self.tol) & ~exact).any():
                exact[wanted] = True
                yield from fit(wanted, tol)
            p, a = _select(errors, self.selection)
            if (p, a, 0) not in by_task:
                wanted[p, a] = True
                yield from fit(wanted, tol)
            return p, a

        p, a = yield from between(same_sums, decided())
        self._tell_of_failures(n_failed, f"{n_fits} fits on the folds", stacklevel + 1)
        of_tasks = np.array([by_task[p, a, k] for k in range(n_folds)])
        return p, a, {"mse_path": errors if len(paths) > 1 else errors[0], "task_errors": of_tasks}

    def _by_criterion(self, data, term, paths, steps, sizes=None, stacklevel=6, elsewhere=None):
        """The same by an information criterion, without folds; ``term`` is the DataTerm of all samples."""
        sizes, counts = (sizes_of(data, term), None) if sizes is None else sizes
        solutions, failed, shape = [], 0, (len(paths), len(paths[0][1].factors))
        made_of = np.zeros(shape, dtype=bool)

        def followed():
            nonlocal failed
            made = paths
            if elsewhere is None:
                made = self._made((path_of, single, multiples, term, sizes) for single, multiples, _ in paths)
            for p, one in enumerate(made):
                found, n_failed = one if elsewhere is None else (yield from elsewhere.path(*one[:2], sizes))
                solutions.extend(found)
                made_of[p, : len(found)] = True
                failed += n_failed
                steps.done(f"path {p + 1}")
                if self.verbose:
                    print(f"[{type(self).__name__}] path {p + 1} of {len(paths)}")

        yield from between(same_sums, followed())
        self._tell_of_failures(failed, f"{len(solutions)} fits on the paths", stacklevel + 1)
        values, df = np.full(shape, np.inf), np.full(shape, np.nan)
        with same_sums():
            values[made_of] = along_path(solutions, sizes, self.selection, data.loss, term, counts)
        df[made_of] = [one.freedom.sum() for one in solutions]
        p, a = np.unravel_index(np.argmin(values), shape)
        one = len(paths) == 1
        return int(p), int(a), {"criterion_path": values[0] if one else values, "df_path": df[0] if one else df}

    def _made(self, jobs):
        """What the jobs (function, *arguments) return, one after the other as they are done, where the backend can."""
        if effective_n_jobs(self.n_jobs) == 1:
            # (What joblib does to find that out by itself takes as long as many fits.)
            return (function(*arguments) for function, *arguments in jobs)
        jobs = (delayed(function)(*arguments) for function, *arguments in jobs)
        generates = get_active_backend()[0].supports_return_generator
        return Parallel(n_jobs=self.n_jobs, return_as="generator" if generates else "list")(jobs)

    def _tell_of_failures(self, n_failed, of, stacklevel):
        if n_failed:
            warnings.warn(
                "Objective did not converge. You might want to increase the number of iterations, scale the features, "
                f"or raise eps. {type(self).__name__}: {n_failed} of the {of} did not reach tol={self.tol:g}.",
                ConvergenceWarning,
                stacklevel=stacklevel,
            )


def spaced(ratios, low, high):
    """Different values: those given, or how many from low to high, evenly in logarithm."""
    if isinstance(ratios, Integral) and not isinstance(ratios, bool):
        if ratios < 1:
            raise ValueError(f"ratios must be at least 1 if it is how many, got {ratios}.")
        # (From a value to itself it may round differently in between.)
        return [float(r) for r in np.geomspace(low, high, ratios if low < high else 1)]
    return read_list(ratios, "ratios", "a number of ratios or a list of positive ones", low=np.nextafter(0, 1))


def _errors(single, multiples, data, train, test, few, tol):
    """(mean test losses (A,), those of each task (A, T), or none where that is much; how many fits have not converged).

    ``multiples`` are those of the penalty, fitted to ``tol``; ``train`` and ``test`` (n,) say how often each row is
    in the part; ``few`` is the fold Condensed, or None. A task without test samples has NaN.
    """
    if few is not None:
        term = DataTerm(few.train, data.loss, single.fit_intercept)
        errors, failed = _along(single, multiples, term, few.errors, tol)
        if errors[-1] is not None:
            return *of_fold(np.array(errors), few.share, few.test.tasks, len(data.labels)), failed
        if train is None:
            raise ValueError(
                "the statistics of the folds have too few digits for their errors, where coefficients cancel each "
                "other or hardly anything is left of the targets: drop features that repeat others, or search where "
                "the samples are, by fit."
            )
    tasks = data.tasks.part(train)[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        tasks, fixed = single._without_constant_tasks(tasks, data.loss, data.labels)
    term = DataTerm(tasks, data.loss, single.fit_intercept, fixed)
    errors_of, mass, left = held_out_errors(data, test)
    errors, failed = _along(single, multiples, term, errors_of, tol)
    return *of_fold(np.array(errors), mass / mass.sum(), left, len(data.task_labels)), failed


def held_out_errors(data, test):
    """(function of many W (A, d, T) and intercepts (A, T): mean test loss (A, k) of every task that is left in the
    part, what each of these counts, their positions); ``test`` (n,) says how often each row is in the part."""
    held_out, left = data.tasks.part(test)
    mass = held_out.mass
    per_mass = np.divide(1.0, mass, out=np.zeros_like(mass), where=mass > 0)

    loss = data.loss.at(held_out)
    every = slice(None) if len(left) == data.tasks.n_tasks else left
    size = max(1, CACHED // max(data.tasks.n_features * len(left), len(held_out.y)))

    def errors_of(Ws, intercepts):
        if len(Ws) > size:
            parts = [slice(a, a + size) for a in range(0, len(Ws), size)]
            return np.concatenate([errors_of(Ws[part], intercepts[part]) for part in parts])
        z = held_out.apply_all(Ws[:, :, every])
        held_out.shift_all(z, intercepts[:, every])
        if len(held_out.absent):
            # (As in ``shift``.)
            z[:, held_out.absent] = 0.0
        errors = held_out.sums_of_all(loss.error(held_out.y, z)) * per_mass
        return errors if held_out.owner is None else np.add.reduceat(errors, first, axis=1)

    if held_out.owner is None:
        return errors_of, mass, left
    # Of the columns of a task, the sum.
    first = np.flatnonzero(np.diff(held_out.owner, prepend=-1))
    return errors_of, mass[first], held_out.owner[first]


def of_fold(errors, share, tested, n_tasks):
    """(errors of the fold (A,), of all tasks (A, T) or none), from those (A, k) of the tested tasks."""
    by_task = np.full((len(errors) if len(errors) == 1 or len(errors) * n_tasks <= KEPT else 0, n_tasks), np.nan)
    by_task[:, tested] = np.where(share > 0, errors, np.nan)[: len(by_task)]
    return errors @ share, by_task


def _along(single, multiples, term, errors_of, tol):
    """(errors of the fits to these multiples of the penalty, how many have not converged), to the first of None."""
    errors, failed, accepted = [], 0, term.threshold(max(tol, LOOSER * single.tol))
    relaxes = getattr(single, "refit", None) == "relaxed"
    relaxed = Relaxed(term, multiples.canonicals[0].positive) if relaxes else None
    with same_sums():
        for Ws, intercepts, gaps in path_pieces(term, multiples, tol, single.max_iter, ENTRIES):
            if relaxed is not None:
                Ws, intercepts = map(np.array, zip(*(relaxed.fit(W)[:2] for W in Ws), strict=True))
            errors.extend(errors_of(Ws, intercepts))
            failed += int(np.sum(~(gaps <= accepted)))
            if errors[-1] is None:
                break
    return errors, failed


def _edges(settings, p, a, n_alphas, learned):
    """Sentences about strengths and other settings that are the last of what was tried on one side."""
    said = []
    if n_alphas > 1 and a == 0:
        more = "a larger one may be better: pass alphas" if learned else "no coefficients were better than none"
        said.append(f"The search took the largest of its {n_alphas} strengths; {more}.")
    if n_alphas > 1 and a == n_alphas - 1:
        said.append(
            f"The search took the smallest of its {n_alphas} strengths; a smaller one may be better: lower eps, or "
            "pass alphas."
        )
    for name, value in settings[p].items():
        tried = sorted({setting[name] for setting in settings})
        if len(tried) > 2 and value in (tried[0], tried[-1]):
            which = "smallest" if value == tried[0] else "largest"
            said.append(f"The search took the {which} of the {len(tried)} values of {name} that it tried.")
    return said


def _select(errors, selection):
    """(path, position on it) of the strength to take, for errors (n_paths, n_alphas, n_folds)."""
    p, a, allowed = _least(errors)
    if selection == "1se" and errors.shape[2] > 1:
        a = int(np.argmax(errors[p].mean(axis=1) <= allowed))
    return p, a


def _undecided(errors, selection, tol):
    """Which strengths (n_paths, n_alphas) are to be told from each other, if all have been fitted to ``tol``.

    The distance of a fit from the optimum grows as the root of its gap does. With tol=1e-4, mean errors are off by up
    to 0.004 of their standard error on real data, with 5e-4 by up to 0.01 (benchmarks/strengths.py).
    """
    mean, (p, a, allowed) = errors.mean(axis=2), _least(errors)
    unsure = np.sqrt(tol) * (allowed - mean[p, a])
    near = mean <= mean[p, a] + unsure
    if selection == "1se":
        near[p] |= np.abs(mean[p] - allowed) <= unsure
    return near & (near.sum() > 1)


def _least(errors):
    """(path, position on it, what is at most a standard error more) of the least error."""
    mean = errors.mean(axis=2)
    p, a = np.unravel_index(np.argmin(mean), mean.shape)
    error = errors[p, a].std(ddof=1) / np.sqrt(errors.shape[2]) if errors.shape[2] > 1 else mean[p, a] / 10
    return int(p), int(a), mean[p, a] + error
