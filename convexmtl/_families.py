"""A search over families: who takes part, what is searched while there is time, and what comes of it."""

import time
import warnings
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.exceptions import ConvergenceWarning

from . import estimators
from .baselines import pooled, single_task
from .estimators._base import MultiTaskEstimator
from .estimators._cv import CrossValidated, _select

BASELINES = {"single-task": single_task, "pooled": pooled}
# What has to be the same for all, so that errors can be compared and tasks are the same ones.
SHARED = ("loss", "task_weight", "task_column", "offset_column")
# Of a search for which there may be no time: strengths on a path, and values of what is searched beside them.
FEW_ALPHAS, FEW_VALUES = 8, 3
PACE = 0.5  # what a fit on a long path takes of one on a short path: each is made from the last
SHORTEST = 1e-6  # share of the largest strength at which no path is made longer

LEFT_OUT = NOT_AT_ALL, ONLY_FEW, IMPOSSIBLE = "not searched, the time was over", "few strengths only", "not possible"


class Candidate(NamedTuple):
    """A search that takes part."""

    name: str
    twin: Any  # not fitted
    asked_for: bool  # whether data that it refuses are an error

    @property
    def is_baseline(self):
        return self.name in BASELINES


@dataclass(frozen=True, eq=False)
class Found:
    """What a search has found."""

    candidate: Candidate
    twin: Any  # fitted
    complete: bool  # whether all strengths were tried
    seconds: float
    said: list  # its warnings
    mass: np.ndarray  # (T,) what the tasks count

    @cached_property
    def errors(self):
        """(n_folds,) at the strengths chosen."""
        of_tasks = self.twin.task_errors_
        share = np.where(np.isnan(of_tasks), 0, self.mass)
        return np.sum(share * np.nan_to_num(of_tasks), axis=1) / share.sum(axis=1)

    @property
    def loss(self):
        return float(self.errors.mean())

    @property
    def standard_error(self):
        n_folds = len(self.errors)
        return float(self.errors.std(ddof=1) / np.sqrt(n_folds)) if n_folds > 1 else np.nan

    @property
    def task_losses(self):
        """(T,) means over the folds that test a task; inf where none does."""
        tested = ~np.isnan(self.twin.task_errors_)
        total = np.sum(self.twin.task_errors_, axis=0, where=tested)
        return np.divide(total, tested.sum(axis=0), out=np.full(len(total), np.inf), where=tested.any(axis=0))

    @property
    def strengths(self):
        names = {**self.twin.settings_[0], **self.twin._found.strength_values()}
        values = {name: getattr(self.twin, f"{name}_") for name in names}
        return {name: float(f"{v:.6g}") if isinstance(v, float) else v for name, v in values.items()}


# --------------------------------------------------------------------------------- who takes part


def candidates(owner, data):
    """[Candidate]: the baselines, and the families that an estimator with a parameter ``families`` has been given."""
    kind = "ClassifierCV" if is_classifier(owner) else "RegressorCV"
    twins = {name.removesuffix(kind): getattr(estimators, name) for name in estimators.__all__ if name.endswith(kind)}
    families = owner.families
    if families is None:
        families = [name for name, twin in twins.items() if not twin._single._structure]
    if not len(families):
        raise ValueError(f"families must be a list of names or estimators, or None for all, got {families!r}.")
    # (Of a single task both are the same, and tasks with labels of their own have no model in common.)
    some = list(BASELINES.items())[: 1 if len(data.task_labels) == 1 else 2]
    found = [Candidate(name, make(owner), k == 0 or not data.has_own_classes) for k, (name, make) in enumerate(some)]
    often = {}
    for family in families:
        cls = twins.get(family) if isinstance(family, str) else _twin_of(family)
        if cls is None and isinstance(family, str):
            raise ValueError(f"families: there is no {family!r}; there are {', '.join(map(repr, twins))}.")
        if cls is None:
            raise TypeError(
                f"families must be names or estimators of convexmtl, got {family!r}, which is none or has no twin that "
                f"searches; names are {', '.join(map(repr, twins))}."
            )
        twin = _with_own(owner, cls()) if isinstance(family, str) else _with_own(owner, cls(), family)
        name = cls.__name__.removesuffix(kind)
        often[name] = often.get(name, 0) + 1
        name = f"{name} {often[name]}" if often[name] > 1 else name
        found.append(Candidate(name, twin, owner.families is not None))
    return found


def _twin_of(estimator):
    """The class of the search for an estimator, or None."""
    if isinstance(estimator, CrossValidated):
        return type(estimator)
    searches = (cls for cls in _subclasses(CrossValidated) if vars(cls).get("_single") is type(estimator))
    return next(searches, None) if isinstance(estimator, MultiTaskEstimator) else None


def _subclasses(cls):
    for sub in cls.__subclasses__():
        yield sub
        yield from _subclasses(sub)


def _with_own(owner, twin, estimator=None):
    """The twin with the parameters of an estimator, if there is one, and with what it shares with the owner."""
    ours, names = owner.get_params(deep=False), twin.get_params(deep=False)
    if estimator is None:
        given = {name: ours[name] for name in names if ours.get(name) is not None}
    else:
        if is_classifier(estimator) != is_classifier(owner):
            raise ValueError(f"families: {estimator!r} and {type(owner).__name__} are for different kinds of targets.")
        given = {name: value for name, value in estimator.get_params(deep=False).items() if name in names}
        for name in SHARED:
            if repr(given[name]) not in (repr(ours[name]), repr(names[name])):
                raise ValueError(
                    f"families: {estimator!r} has {name}={given[name]!r}, and {type(owner).__name__} {name}="
                    f"{ours[name]!r}; it has to be the same for all: set it in {type(owner).__name__}."
                )
            given[name] = ours[name]
    return twin.set_params(**{name: clone(value, safe=False) for name, value in given.items()})


# --------------------------------------------------------------------------- what is searched


class Search:
    """The searches of one fit.

    Attributes
    ----------
    found : dict of str -> Found
    left_out : dict of str -> str
    """

    def __init__(self, owner, begin, data, steps, X, y, given):
        self.owner, self.begin, self.steps = owner, begin, steps
        self.shape, self.mass = (data.tasks.n_features, data.tasks.n_tasks), data.by_task.mass
        self.data, self.given = (X, y), given
        self.found, self.left_out = {}, {}

    @property
    def left(self):
        """Seconds that are left."""
        budget = np.inf if self.owner.time_budget is None else self.owner.time_budget
        return budget - (time.perf_counter() - self.begin)

    def make(self, candidates):
        """Search them all: with few strengths first, where time is limited."""
        limited = self.owner.time_budget is not None
        if limited:
            # Those with many paths last.
            candidates = sorted(candidates, key=lambda c: (not c.is_baseline, _n_fits(_few(c.twin), self.shape)))
        for k, candidate in enumerate(candidates):
            if k and self.left <= 0:
                self.left_out[candidate.name] = NOT_AT_ALL
            else:
                self._search(candidate, candidate.twin, not limited or candidate.is_baseline)
        pace = PACE
        for few in sorted((one for one in self.found.values() if not one.complete), key=lambda one: one.loss):
            name, whole = few.candidate.name, few.candidate.twin
            times = _n_fits(whole, self.shape) / _n_fits(few.twin, self.shape)
            if times > 1 and pace * times * few.seconds > self.left:
                self.left_out[name] = (
                    f"{ONLY_FEW}: {_n_fits(few.twin, self.shape)} of {_n_fits(whole, self.shape)}, all of them would "
                    f"take some {pace * times * few.seconds:.2g} s"
                )
                continue
            self._search(few.candidate, whole, True)
            pace = self.found[name].seconds / (times * few.seconds)

    def _search(self, candidate, twin, complete):
        """Make one search."""
        begin = time.perf_counter()
        twin = clone(twin) if complete else _few(twin)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            try:
                twin.fit(*self.data, **self.given)
                if complete and self.left > 0 and _ends_too_soon(twin):
                    del said[:]
                    # The same strengths, and as many again that go on from them.
                    twin.set_params(alphas=2 * twin.alphas - 1, eps=twin.eps**2).fit(*self.data, **self.given)
            except ValueError as error:
                if candidate.asked_for:
                    raise
                self.left_out[candidate.name] = f"{IMPOSSIBLE}: {error}"
                return
        one = Found(candidate, twin, complete, time.perf_counter() - begin, list(said), self.mass)
        self.found[candidate.name] = one
        self.steps.done(candidate.name if complete else f"{candidate.name}, few strengths")
        if self.owner.verbose:
            few = "" if complete else " (few strengths)"
            print(f"[{type(self.owner).__name__}] {candidate.name}{few}: loss {one.loss:.6g}, {one.seconds:.2g} s")

    def warn(self, used, stacklevel):
        """Say what was left out, and what was said of the models that are used."""
        kinds = {kind: [n for n, why in self.left_out.items() if why.startswith(kind)] for kind in LEFT_OUT}
        if self.left_out:
            named = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in kinds.items() if names)
            self._warn(f"{named}. left_out_ says more.", UserWarning, stacklevel + 1)
        for name in used:
            for one in self.found[name].said:
                warnings.warn(one.message, one.category, stacklevel=stacklevel + 1)
        others = [
            name
            for name, one in self.found.items()
            if name not in used and any(issubclass(said.category, ConvergenceWarning) for said in one.said)
        ]
        if others:
            message = f"some fits of {', '.join(others)} did not converge; they may be better than they look."
            self._warn(message, ConvergenceWarning, stacklevel + 1)

    def _warn(self, message, category, stacklevel):
        warnings.warn(f"{type(self.owner).__name__}: {message}", category, stacklevel=stacklevel + 1)


def _few(twin):
    """A search with few strengths out of those of the twin."""
    few = {name: _some(getattr(twin, name), FEW_VALUES) for name in twin._searched}
    return clone(twin).set_params(**few, alphas=_some(twin.alphas, FEW_ALPHAS))


def _some(values, most):
    """So many of a list, with its ends, or of their number; what is neither stays."""
    if isinstance(values, Integral) and not isinstance(values, bool):
        return min(values, most)
    if np.ndim(values) == 0 or len(values) <= most:
        return values
    return [values[round(k)] for k in np.linspace(0, len(values) - 1, most)]


def _n_fits(twin, shape):
    """Strengths that a search tries."""
    return len(twin._settings(*shape)) * (twin.alphas if isinstance(twin.alphas, Integral) else len(twin.alphas))


def _ends_too_soon(twin):
    """Whether the best strength is the last one of a path that can be longer."""
    if not (isinstance(twin.alphas, Integral) and twin.alphas > 1 and SHORTEST < twin.eps < 1):
        return False
    errors = np.reshape(twin.mse_path_, (len(twin.settings_), twin.alphas, -1))
    return _select(errors, twin.selection)[1] == twin.alphas - 1


# --------------------------------------------------------------------------- what comes of it


def better(ours, theirs, ratio):
    """(T,) whether their errors (n_folds, T) are smaller than ours, by more than one standard error of the differences.

    ``ratio`` is that of rows tested to rows trained on: the error of a mean over folds, whose training parts overlap,
    is sqrt(1 / n_folds + ratio) times the deviation. A task that fewer than two folds test has none.
    """
    gain = ours - theirs
    tested = ~np.isnan(gain)
    n = np.maximum(tested.sum(axis=0), 1)
    mean = np.sum(gain, axis=0, where=tested) / n
    variance = np.sum((gain - mean) ** 2, axis=0, where=tested) / np.maximum(n - 1, 1)
    return (tested.sum(axis=0) > 1) & (mean > np.sqrt((1 / n + ratio) * variance))


def leaderboard(found):
    """A frame where pandas is there, else a list of dicts; the best search first."""
    losses = np.array([one.task_losses for one in found])
    best = np.bincount(np.argmin(losses, axis=0)[np.isfinite(losses).any(axis=0)], minlength=len(found))
    rows = [
        {
            "family": one.candidate.name,
            "strengths": one.strengths,
            "loss": one.loss,
            "standard_error": float(one.errors.std(ddof=1) / np.sqrt(len(one.errors)))
            if len(one.errors) > 1
            else np.nan,
            "seconds": one.seconds,
            "tasks_best": int(n_best),
            "complete": one.complete,
        }
        for one, n_best in zip(found, best, strict=True)
    ]
    try:
        import pandas
    except ImportError:
        return rows
    return pandas.DataFrame(rows)
