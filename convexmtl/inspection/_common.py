"""What the displays share: names, colours, sizes, axes, and rows of tasks; and all imports of matplotlib."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._input import check_count, require_features
from ..estimators._base import MultiTaskEstimator

# Okabe and Ito's colours, which people of any colour vision tell apart, but for yellow, which is faint on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", ":", "-.")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
# Inches that a tick label of the default size takes: its height, and the width of a letter.
LINE, LETTER = 0.19, 0.085
ROW = 0.23  # inches of a row that has a name
LONGEST = 32  # letters of a name, which in longer ones are those at its ends

# ------------------------------------------------------------------------------------ what is drawn


def coefficients(estimator, caller):
    """``coef_`` as (T, d), or an error that says what is wrong with the estimator."""
    # What is known of the features, from a path, does not make a fit.
    check_is_fitted(estimator, "tasks_" if isinstance(estimator, MultiTaskEstimator) else None)
    if not hasattr(estimator, "coef_"):
        raise ValueError(
            f"{caller} draws coef_, which {type(estimator).__name__} does not have: hand over the estimator itself, "
            "the last step of a pipeline, or the best_estimator_ of a search."
        )
    require_features(estimator, caller)
    return np.atleast_2d(estimator.coef_)


def row_names(estimator, n, names=None):
    """Names of n rows that an estimator has one of for every task or, where these have more than two classes, for
    every column of coefficients; ``names`` are those of the tasks, in place of their labels."""
    tasks = getattr(estimator, "tasks_", None)
    names = tasks if names is None else list(names)
    if tasks is None or n in (len(tasks), len(names)):
        return names
    of_task = dict(zip(tasks.tolist(), checked_names(names, len(tasks), "task_names"), strict=True))
    return [f"{of_task[task]}: {label}" for task, label in estimator.columns_.tolist()]


def leading(strengths):
    """Name of the first positive strength, of which ``alphas`` are values."""
    return next(name for name, value in strengths.items() if value > 0)


def largest(values):
    """Positions, that of the largest value first; NaN come last."""
    return np.argsort(-np.asarray(values), kind="stable")


def checked_names(names, n, parameter):
    names = [str(name) for name in (range(n) if names is None else names)]
    if len(names) != n:
        raise ValueError(f"{parameter} must hold {n} names, got {len(names)}.")
    return names


def checked_count(count, parameter, least=1):
    check_count(count, parameter, least)
    return count


def checked_view_limits(max_features, max_tasks):
    for count, parameter in ((max_features, "max_features"), (max_tasks, "max_tasks")):
        if count is not None:
            checked_count(count, parameter)


def shortened(names, longest=LONGEST):
    """The names, the middle of long ones left out."""
    head, tail = longest - longest // 3 - 1, longest // 3
    return [f"{name[:head]}…{name[-tail:]}" if len(name) > longest else name for name in names]


# --------------------------------------------------------------------------------------- how it is


def new_axes(ax, size):
    """``ax``, or the axes of a new figure of that size."""
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=size, layout="constrained")
    return ax


def panels(ax, n_rows, n_columns, size, **shared):
    """(n_rows, n_columns) axes: those in the array ``ax``, in place of the axes ``ax``, or of a new figure."""
    import matplotlib.pyplot as plt
    from matplotlib.axes import Axes

    if ax is None:
        return plt.subplots(n_rows, n_columns, figsize=size, layout="constrained", squeeze=False, **shared)[1]
    if isinstance(ax, Axes):
        if ax.get_subplotspec() is None:
            raise ValueError("ax has no place in a grid that could be divided: make it with plt.subplots.")
        ax.set_axis_off()
        return ax.get_subplotspec().subgridspec(n_rows, n_columns).subplots(squeeze=False, **shared)
    ax = np.asarray(ax, dtype=object)
    if ax.size != n_rows * n_columns:
        raise ValueError(f"ax must be one axes or an array of {n_rows * n_columns}, got {ax.size}.")
    return ax.reshape(n_rows, n_columns)


def inches(ax):
    """(width, height) of the axes, as far as they are known before anything is laid out."""
    box = ax.get_window_extent()
    return box.width / ax.figure.dpi, box.height / ax.figure.dpi


def line_style(defaults, given):
    """Defaults for ``Axes.plot``, and what is given in their place by any of matplotlib's names for it."""
    from matplotlib.lines import Line2D

    return _styled(Line2D, defaults, given)


def band_style(defaults, given):
    """The same for ``Axes.fill_between``."""
    from matplotlib.collections import PolyCollection

    return _styled(PolyCollection, defaults, given)


def _styled(artist, defaults, given):
    from matplotlib.cbook import normalize_kwargs

    return {**defaults, **normalize_kwargs(given, artist)}


def distinct(k):
    """Colour and dashes of the k-th line, different for the first 28."""
    return {"color": COLOURS[k % len(COLOURS)], "linestyle": DASHES[k // len(COLOURS) % len(DASHES)]}


def legend_above(ax, names, **options):
    """A legend over the axes, where it covers nothing, in as many columns as there is room for."""
    # (Beside its name every entry has a line, and the space around it.)
    width = max(len(name) for name in names) * LETTER * 0.85 + 0.55
    columns = int(np.clip(inches(ax)[0] // width, 1, len(names)))
    options = {"fontsize": "small", "frameon": False, "borderaxespad": 0.3, "ncols": columns, **options}
    return ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), **options)


def roomy(ax, names, size, place="best"):
    """(axes, options of its legend): ``new_axes``, wider where so long or many names stand beside them."""
    options, width = {"fontsize": "small", "loc": place}, 0.85 * width_of(names) + 0.6
    if ax is None and (width > 2.2 or width * len(names) * ROW > 3):
        size, options = (size[0] + width, size[1]), {**options, "loc": "upper left", "bbox_to_anchor": (1.01, 1.0)}
    return new_axes(ax, size), options


def width_of(names):
    """Inches that the longest of the names takes."""
    return max(map(len, names), default=0) * LETTER


def strength_axis(ax, name):
    ax.set_xscale("log")
    ax.xaxis.set_inverted(True)
    ax.set_xlabel(name)


def marker(values):
    # A line through one point cannot be seen.
    return "o" if len(values) == 1 else None


# ------------------------------------------------------------------------------------ rows of tasks


class Rows(NamedTuple):
    """Axes with a row per task, or, of many tasks, with a row for some and a band for the others."""

    ax: Any
    shown: np.ndarray  # positions of the tasks with a row of their own, from top to bottom
    y: np.ndarray  # where these rows are
    rest: np.ndarray  # positions of the others, from top to bottom
    band: np.ndarray  # where in their band they are
    lines: list  # of the points in the rows, one per group or kind of value


def task_rows(labels, values, *, priority, max_rows, ax):
    """Rows in decreasing order of ``values``; with more than ``max_rows`` tasks for those of the largest priority.

    A new figure is as high as they need; given axes get no more rows than fit.
    """
    if ax is not None:
        max_rows = min(max_rows, max(4, int(inches(ax)[1] / ROW) - 2))
    order = largest(values)
    chosen = np.zeros(len(order), dtype=bool)
    chosen[largest(priority)[:max_rows]] = True
    shown, rest = order[chosen[order]], order[~chosen[order]]
    height = np.clip(len(rest) / 20, 2, 5) if len(rest) else 0.0
    # The band is where its tasks belong, if they follow each other, and else below.
    gaps = np.flatnonzero(~chosen[order])
    above = gaps[0] if len(rest) and gaps[-1] - gaps[0] < len(rest) else len(shown)
    y = np.arange(len(shown)) + np.where(np.arange(len(shown)) < above, 0.0, height)
    band = above - 0.5 + height * (np.arange(len(rest)) + 0.5) / max(len(rest), 1)
    names = shortened([str(label) for label in labels])
    ax = new_axes(ax, (5.0 + width_of(names), ROW * (len(shown) + height) + 1.3))
    ticks, texts = y.tolist(), [names[t] for t in shown]
    if len(rest):
        ax.axhspan(above - 0.5, above - 0.5 + height, color="0.95", linewidth=0, zorder=0)
        ticks.append(above - 0.5 + height / 2)
        texts.append(f"{len(rest)} others")
    ax.set_yticks(ticks, texts)
    ax.set_ylim(len(shown) + height - 0.5, -0.5)
    return Rows(ax, shown, y, rest, band, [])


def far_from_middle(values):
    """How far from the middle every value is if they are sorted; NaN for one that is NaN."""
    place = np.argsort(largest(values), kind="stable")
    return np.where(np.isnan(values), np.nan, np.abs(place - (np.count_nonzero(~np.isnan(values)) - 1) / 2))


def forest(
    labels,
    estimate,
    low=None,
    high=None,
    *,
    group=None,
    colours=None,
    reference=None,
    priority=None,
    max_rows=40,
    xlabel=None,
    ax=None,
):
    """Draw an estimate per task and the interval about it, the largest on top.

    Parameters
    ----------
    labels : list of T names
    estimate : array-like of shape (T,)
    low, high : array-like of shape (T,), default=None
        The intervals; NaN for none.
    group : list of T names, default=None
        What colours and markers tell apart; the legend says how many tasks a group has.
    colours : dict of group -> colour, default=None
        In the order of the legend, also of groups without a task. None takes them as they come.
    reference : float, default=None
        Where a vertical line is.
    priority : array-like of shape (T,), default=None
        With more than ``max_rows`` tasks, those where it is largest get a row each, and the others a band: their
        estimates in order, and their intervals from the sorted lower to the sorted upper ends. None takes as many
        of the largest as of the smallest estimates.
    max_rows : int, default=40
    xlabel : str, default=None
    ax : matplotlib Axes, default=None
        None makes a new figure, whose height grows with the number of rows.

    Returns
    -------
    Rows
    """
    estimate = np.asarray(estimate, dtype=float)
    if priority is None:
        priority = far_from_middle(estimate)
    rows = task_rows(labels, estimate, priority=priority, max_rows=max_rows, ax=ax)
    ax, shown, rest = rows.ax, rows.shown, rows.rest
    group = np.array(["" if group is None else str(name) for name in (labels if group is None else group)])
    names = list(dict.fromkeys(group.tolist())) if colours is None else [str(name) for name in colours]
    colours = list(COLOURS if colours is None else colours.values())
    if low is not None:
        low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
        ax.fill_betweenx(rows.band, -np.sort(-low[rest]), -np.sort(-high[rest]), color="0.82", linewidth=0)
    if reference is not None:
        ax.axvline(reference, color="0.4", linewidth=1, zorder=1)
    for k, name in enumerate(names):
        colour, own, others = colours[k % len(colours)], group[shown] == name, group[rest] == name
        look = {"color": colour, "marker": MARKERS[k % len(MARKERS)], "linestyle": ""}
        if low is not None:
            ax.hlines(rows.y[own], low[shown][own], high[shown][own], color=colour, linewidth=1.4)
        label = f"{name} ({np.count_nonzero(group == name)})"
        rows.lines.extend(ax.plot(estimate[shown][own], rows.y[own], markersize=5, label=label, **look))
        ax.plot(estimate[rest][others], rows.band[others], markersize=2, **look)
    if names != [""]:
        legend_above(ax, [f"{name} (000)" for name in names])
    ax.set_xlabel(xlabel)
    return rows


def dumbbells(labels, values, *, priority=None, max_rows=40, xlabel=None, ax=None):
    """Draw several values per task, joined by a line; the task where the first is largest is on top.

    Parameters
    ----------
    labels : list of T names
    values : dict of name -> array-like of shape (T,)
        The name is that in the legend; NaN for none.
    priority, max_rows, xlabel, ax
        As in ``forest``, but of several values None takes the distance between the smallest and the largest of a
        task; the band has every kind of value in an order of its own.

    Returns
    -------
    Rows
    """
    table = np.array([np.asarray(column, dtype=float) for column in values.values()])
    low, high = np.fmin.reduce(table), np.fmax.reduce(table)
    if priority is None:
        priority = high - low if len(table) > 1 else far_from_middle(table[0])
    rows = task_rows(labels, table[0], priority=priority, max_rows=max_rows, ax=ax)
    ax, shown, rest = rows.ax, rows.shown, rows.rest
    ax.hlines(rows.y, low[shown], high[shown], color="0.75", linewidth=2, zorder=1)
    for k, (name, column) in enumerate(zip(values, table, strict=True)):
        look = {"color": COLOURS[k % len(COLOURS)], "marker": MARKERS[k % len(MARKERS)], "linestyle": ""}
        rows.lines.extend(ax.plot(column[shown], rows.y, markersize=5, label=name, **look))
        ax.plot(-np.sort(-column[rest]), rows.band, markersize=2, **look)
    if len(table) > 1:
        legend_above(ax, list(values))
    ax.set_xlabel(xlabel)
    return rows
