"""Stability selection: what is found again and again in halves of the samples."""

import warnings
from dataclasses import dataclass, field

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed

from ._compat import check_matplotlib_support
from ._input import FINITE, POSITIVE, check_count, check_number, coef_names, require_features
from ._rows import used_rows
from ._threads import one_thread, same_sums
from .data import DataTerm
from .estimators._base import MultiTaskEstimator
from .estimators._cv import CrossValidated
from .solvers.paths import Multiples, leading_strength, path_alphas, solve_path

DESIGN = 0.75  # threshold for which the number of features that a half may select is made
LEAST = 0.6  # smallest threshold, however few are selected
BEYOND = 2.0  # times where all is zero on all samples, where paths begin: in a half noise weighs more
STRETCH = 10  # fits of a path at a time
DRAWS = 20  # attempts at halves in which no task is empty


@dataclass(frozen=True, eq=False)
class StabilitySelection:
    """What ``stability_selection`` has found.

    Attributes
    ----------
    frequencies : ndarray of shape (d,), or in the shape of ``coef_``, (T, d), where single coefficients are selected
        In which share of the halves each was selected.
    selected : ndarray of bool of the same shape
        Where that is at least the threshold.
    threshold : float
    feature_frequencies : ndarray of shape (d,)
        In which share of the halves a feature was selected for any task.
    max_false : float
        What the expected number of falsely selected ones is at most.
    n_selected : float
        How many a half selects on average.
    tasks : ndarray of shape (T,)
        Task labels; of tasks with more than two classes (task, class) for every row of ``coef_``.
    feature_names : ndarray of shape (d,) or None
        Column names of X, where it has them, but for the task column.

    Examples
    --------
    >>> from convexmtl import BlockSparseRegressor, datasets, stability_selection
    >>> X, y, task, W = datasets.make_block_sparse(n_tasks=3, n_features=20, n_informative=2, random_state=0)
    >>> found = stability_selection(BlockSparseRegressor(), X, y, task=task, n_pairs=10, random_state=0)
    >>> print(found.selected.nonzero()[0], W.any(axis=1).nonzero()[0])
    [ 1 18] [ 1 18]
    """

    frequencies: np.ndarray = field(repr=False)
    selected: np.ndarray = field(repr=False)
    threshold: float
    feature_frequencies: np.ndarray = field(repr=False)
    max_false: float
    n_selected: float
    tasks: np.ndarray = field(repr=False)
    feature_names: np.ndarray | None = field(repr=False)

    @property
    def _names(self):
        names = range(len(self.feature_frequencies)) if self.feature_names is None else self.feature_names
        return [str(name) for name in names]

    def summary(self):
        """What was selected, in words."""
        single, names = self.frequencies.ndim == 2, self._names
        if self.threshold > 1:
            return (
                f"Nothing is selected: a half selects {self.n_selected:.3g} of {self.selected.size} on average, too "
                f"many for {self.max_false:g} falsely selected ones in expectation, whatever the threshold."
            )
        used = np.flatnonzero(self.selected.any(axis=0) if single else self.selected)
        what = f"{self.selected.sum()} of {self.selected.size} {'coefficients' if single else 'features'}"
        named = ", ".join(names[j] for j in used[:10]) + (", ..." if len(used) > 10 else "")
        return (
            f"{what} are selected in at least {self.threshold:.0%} of the halves"
            + (f", {'of the features' if single else 'these are'} {named}" if len(used) else "")
            + f". Expected number of falsely selected ones: at most {self.max_false:g}."
        )

    def plot(self, ax=None, *, max_features=30, max_tasks=200):
        """Draw the frequencies and what was selected.

        Of features, a row each, and the threshold as a line; of coefficients, a map of tasks and features, with a dot
        on what was selected.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.
        max_features : int or None, default=30
            Those of the largest frequencies are seen one by one, the others as a band.
        max_tasks : int or None, default=200
            The same for tasks, in a map.

        Returns
        -------
        matplotlib Axes
        """
        check_matplotlib_support("StabilitySelection.plot")
        from .inspection._common import COLOURS, checked_view_limits, forest, new_axes
        from .inspection._heat import coefficient_map, view_of

        checked_view_limits(max_features, max_tasks)
        names = self._names
        if self.frequencies.ndim == 1:
            group = np.where(self.selected, "selected", "not selected")
            look = {"group": group, "colours": {"selected": COLOURS[1], "not selected": COLOURS[0]}}
            most = len(names) if max_features is None else max_features
            of = {"priority": self.frequencies, "max_rows": most, "reference": self.threshold, "ax": ax}
            ax = forest(names, self.frequencies, **look, **of).ax
            ax.set(xlim=(-0.03, 1.03), xlabel="Share of halves in which it is selected", ylabel="Feature")
            return ax
        view = view_of(self.frequencies, [str(label) for label in self.tasks], names, max_tasks, max_features)
        ax = new_axes(ax, view.size)
        options = {"aspect": "auto", "cmap": "Blues", "vmin": 0.0, "vmax": 1.0}
        image, _ = coefficient_map(ax, self.frequencies, view, 1.0, options)
        row, column = np.nonzero(self.selected[np.ix_(view.tasks, view.features)])
        ax.plot(column, row, marker="o", linestyle="", markersize=4, markeredgecolor="white", color=COLOURS[1])
        ax.set_title("Dots are selected", fontsize="small")
        bar = ax.figure.colorbar(image, ax=ax, label="Frequency")
        bar.ax.axhline(self.threshold, color=COLOURS[1])
        return ax


def stability_selection(
    estimator,
    X,
    y,
    *,
    task=None,
    sample_weight=None,
    max_false=1.0,
    path=True,
    n_pairs=50,
    alphas=100,
    eps=1e-2,
    random_state=None,
    n_jobs=None,
):
    """Which features are selected in most halves of the samples, with a bound of how many of them are false.

    The samples of every task are split at random into two halves, ``n_pairs`` times, and the estimator is fitted to
    each half. With q the number that a half selects on average, of p candidates, those selected in a share of at least

        threshold = (1 + q^2 / (p max_false)) / 2

    of the halves contain, in expectation, at most ``max_false`` that are selected no more often than at random, which
    is by the share q / p of all such halves; whatever the data and the estimator are. If all that say nothing are
    alike, and selected no more often than at random, it bounds the number of these. Single coefficients without an
    effect are not, where a penalty joins them with those of the same feature that have one: beside such, more may be
    selected (benchmarks/stability.py).

    Candidates are features, or single coefficients where the penalty selects these: where it leaves zeros in rows of
    other features. Features that are constant in every task are none, nor are those whose weight is 0 or infinite.

    Parameters
    ----------
    estimator : estimator of convexmtl
        It need not be fitted. Of a search that is fitted, the strengths that it found.
    X, y, task, sample_weight
        As in ``estimator.fit``. Of one X for all tasks the rows are split.
    max_false : float > 0, default=1.0
        What the expected number of falsely selected candidates is to be at most.
    path : bool, default=True
        Whether a half selects what enters first on a path of strengths, as many as go with a threshold of 0.75: the
        estimator's strengths say their ratios only. Else, what its fit at these strengths selects; where that is too
        many for the bound, nothing is.
    n_pairs : int, default=50
        Of halves.
    alphas, eps
        As in ``regularization_path``: how many strengths there are on a path, and its length.
    random_state : int, RandomState instance or None, default=None
        Of the halves.
    n_jobs : int, default=None
        Pairs at a time; the results do not depend on it.

    Returns
    -------
    StabilitySelection
        With ``frequencies``, ``selected``, ``threshold``, ``summary()`` and ``plot()``. The threshold is 0.6 at least.

    Raises
    ------
    TypeError, ValueError
        For anything but an estimator of this package; a penalty that does not select; tasks of a single sample; and
        parameters that make no sense.

    Warns
    -----
    UserWarning
        Where halves select too many for the bound: the threshold is above 1.

    References
    ----------
    Meinshausen, Buehlmann (2010), JRSS B; Shah, Samworth (2013), JRSS B (complementary halves, and the bound without
    assumptions).
    """
    _check(estimator, max_false, n_pairs, path)
    rng = check_random_state(random_state)
    # (A search that is fitted knows its strengths.)
    own = estimator if hasattr(estimator, "_found") else clone(estimator)
    with one_thread():
        formulation = own._formulate(X, y, sample_weight=sample_weight, task=task)
        data, problem = formulation.data, formulation.problem
        single = _selects_single(own, problem)
        d, labels = problem.shape[0], formulation.labels
        candidates = _candidates(problem, single)
        p = max(1, int(candidates.sum()))
        most, factors = p, np.ones(1)
        if path:
            most = max(1, int(np.sqrt((2 * DESIGN - 1) * p * max_false)))
            lead = leading_strength(formulation.strengths)
            factors = path_alphas(problem, lead, alphas, eps, BEYOND, stacklevel=2) / lead
        pairs = [_halves(data, rng) for _ in range(n_pairs)]
    stretches = [
        Multiples(formulation.penalty, factors[a : a + STRETCH], d, labels) for a in range(0, len(factors), STRETCH)
    ]
    found = Parallel(n_jobs=n_jobs)(
        delayed(_selected)(own, data, half, stretches, most, candidates) for pair in pairs for half in pair
    )
    found = np.array(found)
    n_selected = float(np.mean([np.count_nonzero(chosen & candidates) for chosen in found]))
    threshold = float(max(LEAST, (1 + n_selected**2 / (p * max_false)) / 2))
    if threshold > 1:
        warnings.warn(
            f"A half selects {n_selected:.3g} of {p} on average, too many for max_false={max_false:g} whatever the "
            "threshold: nothing is selected. Use a larger strength, path=True, or a larger max_false.",
            UserWarning,
            stacklevel=2,
        )
    frequencies = found.mean(axis=0)
    of_features = found.any(axis=1).mean(axis=0) if single else frequencies
    return StabilitySelection(
        frequencies,
        frequencies >= threshold,
        threshold,
        of_features,
        float(max_false),
        n_selected,
        labels,
        coef_names(own),
    )


def _check(estimator, max_false, n_pairs, path):
    if not isinstance(estimator, MultiTaskEstimator):
        raise TypeError(
            f"estimator must be an estimator of convexmtl, got {type(estimator).__name__}: of a pipeline hand over the "
            "last step, and the data as the steps before leave them."
        )
    require_features(estimator, "stability_selection")
    check_number(max_false, "max_false", POSITIVE, FINITE, "a finite number > 0")
    check_count(n_pairs, "n_pairs", 1)
    if not isinstance(path, bool):
        raise ValueError(f"path must be True or False, got {path!r}.")
    if not path and isinstance(estimator, CrossValidated) and not hasattr(estimator, "_found"):
        raise ValueError(
            f"path=False takes the strengths of the estimator, and this {type(estimator).__name__} has not found any "
            "yet: fit it, or use path=True."
        )


def _selects_single(estimator, problem):
    """Whether single coefficients are selected; a ValueError where nothing is."""
    penalty, T = problem.penalty, problem.shape[1]
    if not penalty.selects_features(T):
        raise ValueError(
            f"the penalty of this {type(estimator).__name__} does not select features, none of whose coefficients it "
            "leaves at exactly zero: use one that does, such as BlockSparse, SparseGroup or Dirty."
        )
    return penalty.selects_coefficients(T)


def _candidates(problem, single):
    """(T, d) or (d,) booleans: what there is to select, and is not known without the data."""
    candidates = np.ones(problem.shape, dtype=bool)
    if problem.data.fit_intercept:
        candidates[problem.tasks.constant_features] = False
    for known in (problem.penalty.free_entries(problem.shape), problem.penalty.left_out(problem.shape)):
        if known is not None:
            candidates &= ~known
    return candidates.T if single else candidates.any(axis=1)


def _halves(data, rng):
    """Two disjoint halves of the samples of every task, as how often each row of ``data.tasks`` is in them, (n,)."""
    tasks = data.by_task
    repeats = tasks.n_tasks if tasks.is_shared else 1
    seen = tasks.weight.reshape(repeats, -1) > 0
    rows = np.flatnonzero(seen.any(axis=0))
    counts = seen.sum(axis=1) if tasks.is_shared else tasks.sum(seen[0].astype(np.int64))
    if counts.min() < 2:
        label = data.task_labels.tolist()[int(counts.argmin())]
        raise ValueError(f"task {label!r} has a single sample, which cannot be split into halves: drop the task.")
    if tasks.is_shared:
        # Rows with the same targets are dealt out in turns, those of the rarest task first.
        rarest = [t for t in np.argsort(-counts, kind="stable") if counts[t] < len(rows)]
        group = np.zeros(len(rows), dtype=np.int64)
        keys = np.concatenate([group[None], seen[rarest][:, rows]])
    else:
        group, keys = tasks.sample_task[rows], tasks.sample_task[None, rows]
    if data.loss.classification and seen.shape[0] == 1:
        keys = np.concatenate([tasks.y[None, rows], keys])
    for _ in range(DRAWS):
        first, second = _dealt(rows, group, keys, rng, tasks.n_rows)
        if all(np.all(tasks.sum(tasks.weight * np.tile(half, repeats)) > 0) for half in (first, second)):
            return first, second
    raise ValueError("y has tasks with so few targets that halves leave one without any: drop these tasks.")


def _dealt(rows, group, keys, rng, n_rows):
    """Two arrays (n_rows,): rows alike in their keys go into both in turns, as many of each group."""
    order = rng.permutation(len(rows))
    # Of an odd number in a group one is left out.
    groups, begin, sizes = np.unique(group[order], return_index=True, return_counts=True)
    order = np.delete(order, begin[sizes % 2 == 1])
    order = order[np.lexsort(keys[:, order])]
    turn = np.arange(len(order)) - np.searchsorted(group[order], group[order])
    first = (turn + rng.randint(2, size=len(groups))[np.searchsorted(groups, group[order])]) % 2 == 0
    halves = np.zeros((2, n_rows), dtype=np.int64)
    halves[0, rows[order[first]]] = halves[1, rows[order[~first]]] = 1
    return halves


def _selected(estimator, data, half, stretches, most, candidates):
    """What is selected in a half, as ``candidates``: all that enters on the path, as long as at most ``most`` do."""
    with same_sums(), warnings.catch_warnings():
        # What is to be said of the data has been said.
        warnings.simplefilter("ignore", UserWarning)
        tasks = data.tasks.part(half)[0]
        tasks, fixed = estimator._without_constant_tasks(tasks, data.loss, data.labels)
        term = DataTerm(tasks, data.loss, estimator.fit_intercept, fixed)
        chosen = np.zeros_like(candidates)
        for multiples in stretches:
            for result in solve_path(term, multiples, estimator.tol, estimator.max_iter):
                more = chosen | (result.W.T != 0 if chosen.ndim == 2 else used_rows(result.W))
                if np.count_nonzero(more & candidates) > most:
                    return chosen
                chosen = more
    return chosen
