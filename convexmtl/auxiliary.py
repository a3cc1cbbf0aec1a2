"""Tasks that help another one: which of them do, and inputs that are turned into such tasks."""

import difflib
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral
from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.parallel import Parallel, delayed

from . import _input
from ._compat import check_matplotlib_support, column_names, num_features, safe_indexing
from ._input import FINITE, check_number
from ._subsets import TaskSubsets


@dataclass(frozen=True, eq=False, repr=False)
class AuxiliarySelection:
    """The tasks that help a main task; made by ``select_auxiliary_tasks``.

    All gains are shares of the main task's test loss when it is fitted alone.

    Attributes
    ----------
    main : label
        The main task.
    selected : list of labels
        In the order of their choice.
    gains : ndarray of shape (len(selected),)
        What each has taken off the loss when it was chosen, on the folds that chose it: too good, as a maximum is.
    nested_gain : float
        What selection takes off the loss on rows that it has not seen, repeated on the training rows of every outer
        fold; negative where it does harm. This is what to expect.
    nested_standard_error : float
        Of ``nested_gain``, over the outer folds, corrected for the rows that their training parts share.
    nested_selected : list of lists of labels
        What is selected in every outer fold.
    candidates : ndarray of shape (T - 1,)
        The labels of the other tasks.
    single_gains : ndarray of shape (T - 1,)
        What each of them takes off the loss as the only one, on the same folds as ``gains``.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import MeanRegularizedRegressor, select_auxiliary_tasks
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(30, 8))
    >>> w, v = rng.normal(size=(2, 8))
    >>> Y = X @ np.stack([w, w, v, v], axis=1) + rng.normal(size=(30, 4))
    >>> found = select_auxiliary_tasks(MeanRegularizedRegressor(0.01, 0.5), X, Y, main=0)
    >>> found.selected, found.nested_gain > 0
    ([1], True)
    """

    main: object
    selected: list
    gains: np.ndarray
    nested_gain: float
    nested_standard_error: float
    nested_selected: list
    candidates: np.ndarray
    single_gains: np.ndarray

    @property
    def frequencies(self):
        """(T - 1,) the share of the outer folds in which each candidate is selected."""
        chosen = [[label in fold for fold in self.nested_selected] for label in self.candidates.tolist()]
        return np.mean(chosen, axis=1)

    def summary(self):
        """What was found, in words."""
        honest = (
            f"On rows that it has not seen, selection {'takes' if self.nested_gain >= 0 else 'adds'} "
            f"{abs(self.nested_gain):.1%} {'off' if self.nested_gain >= 0 else 'to'} the loss of {self.main!r} alone "
            f"(standard error {self.nested_standard_error:.1%})."
        )
        if not self.selected:
            return f"None of {len(self.candidates)} tasks helps {self.main!r} clearly enough to be selected. {honest}"
        steps = ", ".join(
            f"{label!r} ({gain:.1%})" for label, gain in zip(self.selected, self.gains.tolist(), strict=True)
        )
        ending = "s" if len(self.selected) == 1 else ""
        return (
            f"{len(self.selected)} of {len(self.candidates)} tasks help{ending} {self.main!r}: {steps}. In brackets: "
            f"what each took off the test loss of {self.main!r} alone when it was chosen, which is too good "
            f"by being chosen. {honest}"
        )

    __str__ = summary

    def __repr__(self):
        return (
            f"AuxiliarySelection(main={self.main!r}, selected={self.selected!r}, nested_gain={self.nested_gain:.3f} "
            f"+- {self.nested_standard_error:.3f})"
        )

    def plot(self, ax=None):
        """Draw the main task's test loss as tasks were chosen, and beside it what is left of that on unseen rows.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.

        Returns
        -------
        matplotlib Axes
        """
        check_matplotlib_support("AuxiliarySelection.plot")
        from .inspection._common import COLOURS, LETTER, inches, legend_above, new_axes, shortened, width_of
        from .inspection._heat import spread_ticks

        names = [*shortened(["alone", *(f"+ {label}" for label in self.selected)]), "nested"]
        left, end = 100 * (1 - np.append(0.0, np.cumsum(self.gains))), len(self.selected) + 1
        ax = new_axes(ax, (np.clip(0.4 * end + 3, 5, 14), 4.4))
        ax.axhline(100, color="0.8", linewidth=1, zorder=1)
        legend = ["on the folds that chose", "nested: on rows that selection has not seen"]
        ax.plot(range(end), left, marker="o", color=COLOURS[0], label=legend[0])
        look = dict(marker="s", linestyle="", capsize=4, color=COLOURS[1], label=legend[1])
        ax.errorbar(end, 100 * (1 - self.nested_gain), yerr=100 * self.nested_standard_error, **look)
        upright = len(names) * (width_of(names) + LETTER) < inches(ax)[0]
        ticks = [*spread_ticks(end, np.inf if upright else inches(ax)[0]), end]
        ax.set_xticks(ticks, [names[k] for k in ticks], rotation=0 if upright else 90)
        (main,) = shortened([str(self.main)])
        ax.set(xlabel="Task that was added", ylabel=f"Test loss of {main},\n% of that alone")
        legend_above(ax, legend)
        return ax


def select_auxiliary_tasks(
    estimator, X, y, main, *, task=None, cv=None, sample_weight=None, threshold=0.5, n_jobs=None
):
    """Find the tasks that help a main one, by forward selection, and what they honestly help.

    Beginning with the main task alone, the task is added that takes most off the main task's mean test loss over the
    folds, of all whose gain is larger than ``threshold`` standard errors (of the difference, over the main task's
    test samples); until there is none.

    A gain that is the largest of many is too good. The whole selection is therefore repeated on the training part of
    every outer fold, and ``nested_gain`` is what that takes off the loss on the test parts.

    Parameters
    ----------
    estimator : estimator of convexmtl, or pipeline that ends in one
        It is fitted to some of the tasks, also to the main one alone, so that it cannot have a graph, tree, order or
        number of clusters. Where its strengths do not suit the main task alone, any task may seem to help: choose
        them for that one, or take an estimator whose name ends in CV, which chooses them for every fit.
    X, y, task, sample_weight
        As in ``estimator.fit``.
    main : label
        The task to help: a task label, or a column of y, by name in a frame and else by position.
    cv : int, splitter or iterable of (train, test), default=None
        The outer folds, which the selection from all samples uses as well; None is 5 that split within every task.
        Inside of them they are split by the same splitter, or by 5 folds where ``cv`` is an iterable.
    threshold : float, default=0.5
        Larger ones select fewer tasks: of those that do not help, but also of those that help little.
    n_jobs : int, default=None
        Selections at a time, as in joblib: there is one, and one per outer fold.

    Returns
    -------
    AuxiliarySelection
        With ``selected``, ``gains``, ``nested_gain``, ``nested_standard_error``, ``summary()``, ``plot()``.

    Raises
    ------
    TypeError
        For anything but an estimator of convexmtl.
    ValueError
        For a main task that there is not, a single task, folds that do not train every task or never test the main
        one (for classifiers, train it on both classes), an estimator that cannot be fitted to some of the tasks, and
        whatever ``fit`` raises.

    Warns
    -----
    ConvergenceWarning
        Once, where fits did not reach ``tol``.

    Notes
    -----
    With K folds and S tasks selected it takes about K (K + 1) (S + 1) (T - 1) fits of up to S + 2 tasks.

    The standard error of the nested gain is that of Nadeau and Bengio: sqrt((1/K + n_test/n_train) v), v the variance
    of the gain over the outer folds.

    References
    ----------
    Caruana (1997), Machine Learning; Nadeau, Bengio (2003), Machine Learning.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import TaskRelationshipRegressor, select_auxiliary_tasks
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(30, 30))
    >>> w, v = rng.normal(size=(2, 30))
    >>> Y = X @ np.stack([w, v, w, v], axis=1) + 2 * rng.normal(size=(30, 4))
    >>> select_auxiliary_tasks(TaskRelationshipRegressor(0.2), X, Y, main=0, cv=3).selected
    [2]
    """
    check_number(threshold, "threshold", 0, FINITE, "a number >= 0")
    given = dict(task=task, sample_weight=sample_weight, caller="select_auxiliary_tasks")
    subsets = TaskSubsets(estimator, X, y, **given)
    labels = subsets.labels.tolist()
    t = _position(main, labels)
    outer = subsets.folds(cv, [t])
    # (All folds are made before the first fit, so that none is refused later.)
    inner = cv if isinstance(cv, Integral) or hasattr(cv, "split") else None
    parts = [subsets.part(train) for train, _ in outer]
    jobs = [(subsets, outer), *((part, part.folds(inner, [t])) for part in parts)]
    chosen, *within = Parallel(n_jobs=n_jobs)(delayed(_forward)(*job, t, threshold) for job in jobs)
    tested = [_tested(subsets, *fold, t, one.tasks) for fold, one in zip(outer, within, strict=True)]
    failed, fits = np.sum([(one.failed, one.fits) for one in (chosen, *within, *tested)], axis=0)
    if failed:
        warnings.warn(
            f"{failed} of {fits} fits did not reach tol={subsets.model.tol:g}: increase max_iter, or scale the "
            "features.",
            ConvergenceWarning,
            stacklevel=2,
        )
    nested_gain, error = _nested(tested)
    others = np.arange(len(labels)) != t
    first = chosen.losses[0]
    return AuxiliarySelection(
        main=labels[t],
        selected=[labels[s] for s in chosen.tasks],
        gains=_share(-np.diff(chosen.losses), first),
        nested_gain=nested_gain,
        nested_standard_error=error,
        nested_selected=[[labels[s] for s in one.tasks] for one in within],
        candidates=subsets.labels[others],
        single_gains=_share(chosen.single, first),
    )


class _Chosen(NamedTuple):
    tasks: list  # positions, in the order of their choice
    losses: np.ndarray  # mean losses of the main task: alone, and after each choice
    single: np.ndarray  # what each other task takes off the first, as the only one
    failed: int
    fits: int


class _Tested(NamedTuple):
    trained: float  # what the main task's samples of the training part count
    weight: float  # and those of the test part
    alone: float  # their sum of losses
    together: float
    failed: int
    fits: int


def _position(main, labels):
    main = main.item() if isinstance(main, np.generic) else main
    if main in labels:
        return labels.index(main)
    by_name = {str(label): label for label in labels}
    near = [by_name[name] for name in difflib.get_close_matches(str(main), by_name, cutoff=0.4)]
    named = ", ".join(map(repr, near or labels[:5]))
    said = f"Near it are {named}." if near else f"The first ones are {named}."
    raise ValueError(f"main={main!r} is not the label of one of the {len(labels)} tasks. {said}")


def _forward(subsets, folds, main, threshold):
    """Chosen tasks."""
    weight = np.concatenate([subsets.weights(main, subsets.tested(main, test)) for _, test in folds])
    weight, states = weight / weight.sum(), []

    def losses(others):
        found = [subsets.losses(sorted([main, *others]), *fold, [main]) for fold in folds]
        states.extend(converged for _, converged in found)
        return np.concatenate([own for (own,), _ in found])

    left = [t for t in range(len(subsets.labels)) if t != main]
    tasks, now, single = [], losses([]), None
    means = [weight @ now]
    while left:
        found = np.array([losses([*tasks, t]) for t in left])
        less = now - found
        gains = less @ weight
        errors = np.sqrt((less - gains[:, None]) ** 2 @ weight**2)
        single = gains if single is None else single
        helps = gains > threshold * errors
        if not helps.any():
            break
        best = int(np.argmax(np.where(helps, gains, -np.inf)))
        tasks.append(left.pop(best))
        now = found[best]
        means.append(weight @ now)
    return _Chosen(tasks, np.array(means), single, states.count(False), len(states))


def _tested(subsets, train, test, main, others):
    """What the main task loses on an outer fold, alone and with the others."""
    made = [subsets.losses(some, train, test, [main]) for some in ([main], sorted([main, *others]))[: 1 + bool(others)]]
    alone, together = made[0][0][0], made[-1][0][0]
    weight = subsets.weights(main, subsets.tested(main, test))
    trained = subsets.weights(main, subsets.tested(main, train)).sum()
    return _Tested(
        trained, weight.sum(), weight @ alone, weight @ together, [ok for _, ok in made].count(False), len(made)
    )


def _nested(tested):
    """(gain over the outer folds, its standard error), as shares of the loss alone."""
    trained, weight, alone, together, *_ = np.array([one for one in tested if one.weight > 0]).T
    unit = alone.sum() / weight.sum()
    gains = _share((alone - together) / weight, unit)
    gain = float(gains @ weight / weight.sum())
    if len(gains) < 2:
        return gain, np.nan
    return gain, float(np.sqrt((1 / len(gains) + np.mean(weight / trained)) * gains.var(ddof=1)))


def _share(less, loss):
    """``less`` over ``loss``; 0 where there is no loss, off which nothing can be taken."""
    return less / loss if loss > 0 else np.zeros_like(less)


def features_as_targets(X, Y, columns):
    """Turn features that are missing at prediction time into targets at training time.

    A feature that is known of the samples to train on, but not of those to predict (a laboratory value that arrives
    later, say), cannot be an input. As a further target it still says what matters in the other features.

    Parameters
    ----------
    X : array-like, sparse matrix or frame of shape (n, d)
    Y : array-like, series or frame of shape (n,) or (n, T)
        One X for all tasks: a column per task, NaN where a target is missing.
    columns : name or position, or list of them
        Of X; a string is a name, an integer a position. NaN in them is a missing target.

    Returns
    -------
    X : of the kind of X, shape (n, d - k)
        Without these columns.
    Y : ndarray, or frame where X or Y is one, of shape (n, T + k)
        With them as its last columns, named as they were. Where only the other of both has names, targets are called
        by their position, features ``"x3"``; a series without a name is 0.

    Raises
    ------
    ValueError
        For columns that X does not have or that are named twice, for all columns of X, for Y of other rows or more
        dimensions, and for a feature that has the name of a target.

    Notes
    -----
    Each target counts by its mean loss, and penalties shrink what is large: bring the new targets to the scale of the
    others, by ``convexmtl.compose.TargetTransformer`` say. All targets have one loss, so that a classifier takes
    features of two values only.

    References
    ----------
    Caruana, de Sa (1997), NIPS.

    Examples
    --------
    >>> import pandas as pd
    >>> from convexmtl import features_as_targets
    >>> X = pd.DataFrame({"age": [50, 60], "later": [1.5, None]})
    >>> X, Y = features_as_targets(X, pd.Series([0.1, 0.2], name="risk"), "later")
    >>> list(X.columns), list(Y.columns)
    (['age'], ['risk', 'later'])
    """
    X, Y = (table if hasattr(table, "shape") else np.asarray(table) for table in (X, Y))
    _input.require_equal_rows(X, Y)
    if len(Y.shape) not in (1, 2):
        raise ValueError(f"Y must have shape (n,) or (n, T), got {Y.shape}.")
    names, d = column_names(X), num_features(X)
    listed = columns if isinstance(columns, Iterable) and not isinstance(columns, str) else [columns]
    moved = [_input.column_position(column, names, d, "columns") for column in listed]
    if len(set(moved)) < len(moved) or not 0 < len(moved) < d:
        raise ValueError(
            f"columns must name one of the {d} columns of X or more, each once, and not all of them: got {columns!r}."
        )
    left = [j for j in range(d) if j not in moved]
    X = X.tocsc() if issparse(X) else X
    table = Y.to_frame() if hasattr(Y, "to_frame") else Y if len(Y.shape) == 2 else Y[:, None]
    parts = [_column(table, j) for j in range(table.shape[1])] + [_column(X, j) for j in moved]
    framed = next((frame for frame in (table, X) if hasattr(frame, "columns")), None)
    if framed is None:
        # (Numbers beside labels that are strings would become strings.)
        kind = None if all(part.dtype.kind in "biuf" for part in parts) else object
        return safe_indexing(X, left, axis=1), np.stack([np.asarray(part, dtype=kind) for part in parts], axis=1)
    unnamed = getattr(Y, "name", "") is None or not hasattr(table, "columns")
    targets = list(range(table.shape[1])) if unnamed else list(column_names(table))
    called = targets + [f"x{j}" if names is None else list(names)[j] for j in moved]
    if len(set(called)) < len(called):
        twice = next(name for name in called if called.count(name) > 1)
        raise ValueError(f"columns: {twice!r} would be the name of two targets; rename one of them.")
    index = {"index": framed.index} if hasattr(framed, "iloc") else {}
    # (Polars has no names but strings.)
    called = called if index else map(str, called)
    made = getattr(type(framed), "from_pydict", type(framed))(dict(zip(called, parts, strict=True)), **index)
    return safe_indexing(X, left, axis=1), made


def _column(table, j):
    column = safe_indexing(table, [j], axis=1)
    return (column.toarray() if issparse(column) else np.asarray(column))[:, 0]
