"""Heat maps: of coefficients, in which the largest of many are seen one by one; of any matrix with names."""

from typing import NamedTuple

import numpy as np

from ._common import LETTER, LINE, inches, largest, shortened, width_of

SHARP = 300  # rows or columns up to which an image has edges, and beyond which it is averaged
BESIDE_BAR = 0.8  # of the width of axes is left beside a bar of colours


class View(NamedTuple):
    """What of many tasks and features is seen one by one, and what only by the largest of it."""

    tasks: np.ndarray
    other_tasks: np.ndarray
    features: np.ndarray
    other_features: np.ndarray
    rows: list  # names of the tasks, and of the others
    columns: list
    labels: tuple  # of the axes: x, y

    @property
    def height(self):
        """Inches of the map alone."""
        return np.clip(0.26 * len(self.rows), 1.0, 9)

    @property
    def size(self):
        """Inches of a figure for it, without a bar of colours."""
        width = np.clip(0.26 * len(self.columns) + 1.5, 5, 14) + max(0.0, width_of(self.rows) - 1)
        return width, self.height + depth(self.columns)


def view_of(sizes, task_names, feature_names, max_tasks, max_features):
    """The View of coefficients whose absolute values are ``sizes`` (T, d)."""
    (T, d), norms = sizes.shape, np.linalg.norm(sizes, axis=0)
    tasks, features, labels = np.arange(T), np.arange(d), ["Feature", "Task"]
    if max_features is not None and d > max_features:
        # There is nothing to see of the zero ones.
        features = largest(norms)[: max(1, min(max_features, np.count_nonzero(norms)))]
        rest = "" if norms[largest(norms)[len(features) :]].any() else ", the others are zero"
        labels[0] = f"Feature ({len(features)} of {d}, the largest first{rest})"
    if max_tasks is not None and T > max_tasks:
        tasks = np.sort(largest(np.linalg.norm(sizes, axis=1))[:max_tasks])
        labels[1] = f"Task ({max_tasks} of {T}, the largest)"
    others = [
        np.setdiff1d(np.flatnonzero(norms), features),
        np.setdiff1d(np.arange(T), tasks),
    ]
    names = [
        shortened([given[k] for k in shown]) + ([f"{len(rest)} others"] if len(rest) else [])
        for given, shown, rest in zip((feature_names, task_names), (features, tasks), others, strict=True)
    ]
    return View(tasks, others[1], features, others[0], names[1], names[0], tuple(labels))


def coefficient_map(ax, coef, view, bound, options):
    """(image of what the view has one by one, images of the others: in a task, and of a feature)."""
    F, T = len(view.features), len(view.tasks)
    image = heat_map(ax, coef[np.ix_(view.tasks, view.features)], bound, view.rows, view.columns, options)
    x, y, bands = F - 0.5, T - 0.5, []
    same = {"norm": image.norm, "cmap": image.get_cmap(), "interpolation": "nearest", "aspect": ax.get_aspect()}
    if len(view.other_features):
        x, band = _beyond(F)
        strip = _extreme(coef[np.ix_(view.tasks, view.other_features)], axis=1)
        bands.append(ax.imshow(strip, extent=(*band, T - 0.5, -0.5), **same))
        _more_ticks(ax.xaxis, np.mean(band), view.columns[F], inches(ax)[0] / x)
    if len(view.other_tasks):
        y, band = _beyond(T)
        strip = _extreme(coef[np.ix_(view.other_tasks, view.features)], axis=0)
        bands.append(ax.imshow(strip, extent=(-0.5, F - 0.5, *band[::-1]), **same))
        _more_ticks(ax.yaxis, np.mean(band), view.rows[T], inches(ax)[1] / y)
    if bands:
        # What is between is no missing value.
        ax.set_facecolor("white")
        ax.set(xlim=(-0.5, x), ylim=(y, -0.5))
    ax.set(xlabel=view.labels[0], ylabel=view.labels[1])
    return image, bands


def _beyond(n):
    """(end of the axis, (begin, end) of a band) behind n rows or columns."""
    thick = max(1.0, 0.04 * n)
    return n - 0.5 + 1.5 * thick, (n - 0.5 + 0.5 * thick, n - 0.5 + 1.5 * thick)


def _extreme(values, axis):
    """The entries that are largest in absolute value, with their signs."""
    return np.take_along_axis(values, np.expand_dims(np.abs(values).argmax(axis=axis), axis), axis=axis)


def _more_ticks(axis, position, name, scale):
    """One tick more, of the others; ``scale`` is inches per row or column."""
    labels = {p: label.get_text() for p, label in zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)}
    labels = {p: text for p, text in labels.items() if (position - p) * scale >= LINE}
    rotation = axis.get_ticklabels()[0].get_rotation()
    axis.set_ticks([*labels, position], [*labels.values(), name], rotation=rotation)


def heat_map(ax, values, bound, rows, columns, options):
    """The image, with diverging colours from -bound to bound, and the names of its rows and columns.

    (There may be one name more, of what is to come beside them.)
    """
    # NaN lets it show through.
    ax.set_facecolor("0.8")
    limits = {} if "norm" in options else {"vmin": -bound, "vmax": bound}
    # What is smaller than a dot on the screen would be there or not by chance.
    interpolation = "nearest" if max(values.shape) <= SHARP else "antialiased"
    image = ax.imshow(values, **{"cmap": "RdBu_r", "interpolation": interpolation, **limits, **options})
    width, height = inches(ax)
    width *= BESIDE_BAR
    if ax.get_aspect() == 1:
        width = min(width, height * values.shape[1] / values.shape[0])
    upright = len(columns) * (width_of(columns) + LETTER) < width
    ticks = spread_ticks(values.shape[1], width if not upright else np.inf)
    ax.set_xticks(ticks, [columns[j] for j in ticks], rotation=0 if upright else 90)
    ticks = spread_ticks(values.shape[0], height)
    ax.set_yticks(ticks, [rows[t] for t in ticks])
    return image


def spread_ticks(n, inches):
    """Positions of ticks, so far apart that the lines of their labels do not overlap."""
    step = max(1, int(np.ceil(n * LINE / inches)))
    return range(0, n, step)


def depth(names):
    """Inches below a heat map for the names, if they are turned, and the label of the axis."""
    return 0.8 + width_of(names)
