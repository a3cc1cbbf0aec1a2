"""Pictures of fits, paths and searches: scikit-learn's displays for several tasks.

``from_estimator`` computes and draws; ``plot`` draws once more, say into other axes. Only they import matplotlib.
"""

from numbers import Integral

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ._compat import check_matplotlib_support
from ._input import coef_names
from .estimators._base import MultiTaskEstimator
from .estimators._cv import CrossValidated
from .losses import LOSSES
from .path import regularization_path

__all__ = ["CVDisplay", "CoefficientDisplay", "PathDisplay", "TaskRelationshipDisplay"]

# Inches that a tick label of the default size takes: its height, and the width of a letter.
_LINE, _LETTER = 0.19, 0.085


class CoefficientDisplay:
    """Heat map of the coefficients, tasks by features.

    Make one with ``from_estimator``.

    Parameters
    ----------
    coef : ndarray of shape (T, d)
    feature_names : list of d names, default=None
        None takes the positions in ``coef``.
    task_names : list of T names, default=None

    Attributes
    ----------
    im_ : matplotlib AxesImage
    features_ : ndarray of int
        The columns of ``coef`` that are drawn, from left to right.
    colorbar_ : matplotlib Colorbar or None
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import BlockSparseRegressor
    >>> from convexmtl.inspection import CoefficientDisplay
    >>> X = np.eye(4)
    >>> model = BlockSparseRegressor(alpha=0.01).fit(X, X[:, :2])
    >>> display = CoefficientDisplay.from_estimator(model)
    >>> display.coef.shape
    (2, 4)
    """

    def __init__(self, *, coef, feature_names=None, task_names=None):
        self.coef = coef
        self.feature_names = feature_names
        self.task_names = task_names

    @classmethod
    def from_estimator(
        cls,
        estimator,
        *,
        feature_names=None,
        task_names=None,
        max_features=30,
        ax=None,
        colorbar=True,
        im_kw=None,
    ):
        """Draw the coefficients of a fitted estimator.

        Parameters
        ----------
        estimator : fitted estimator
        feature_names : list of d names, default=None
            None takes ``feature_names_in_`` without the task column, or else positions in ``coef_``.
        task_names : list of T names, default=None
            In the order of ``tasks_``, which None takes.
        max_features, ax, colorbar, im_kw
            As in ``plot``.

        Returns
        -------
        CoefficientDisplay

        Raises
        ------
        NotFittedError, ValueError
            For an estimator that is not fitted or has no ``coef_``, and for a wrong number of names.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        coef = _coefficients(estimator, cls.__name__)
        if feature_names is None:
            feature_names = coef_names(estimator)
        if task_names is None:
            task_names = getattr(estimator, "tasks_", None)
        display = cls(coef=coef, feature_names=feature_names, task_names=task_names)
        return display.plot(ax, max_features=max_features, colorbar=colorbar, im_kw=im_kw)

    def plot(self, ax=None, *, max_features=30, colorbar=True, im_kw=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.
        max_features : int or None, default=30
            With more features than that, those with the largest 2-norms across the tasks are drawn, the largest first,
            without any that are zero; else, and with None, all of them in order.
        colorbar : bool, default=True
        im_kw : dict, default=None
            For ``Axes.imshow``, such as ``{"cmap": "PuOr"}``. The colours are symmetric about 0 unless it says else.

        Returns
        -------
        self
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        n_tasks, n_features = self.coef.shape
        columns = _checked_names(self.feature_names, n_features, "feature_names")
        rows = _checked_names(self.task_names, n_tasks, "task_names")
        if max_features is None or n_features <= _checked_count(max_features, "max_features"):
            features, title = np.arange(n_features), "Feature"
        else:
            norms = np.linalg.norm(self.coef, axis=0)
            # There is nothing to see of the zero ones.
            features = _largest(norms)[: max(1, min(max_features, np.count_nonzero(norms)))]
            title = f"Feature ({len(features)} of {n_features}, the largest first)"
        shown, columns = self.coef[:, features], [columns[j] for j in features]
        size = np.clip(0.26 * len(columns) + 1.5, 5, 14), np.clip(0.26 * n_tasks + _depth(columns), 2.2, 10)
        ax = _axes(ax, size)
        # If all coefficients are zero, any bound gives the colour of zero.
        bound = np.abs(shown).max() or 1.0
        self.im_ = _heat_map(ax, shown, bound, rows, columns, {"aspect": "auto", **(im_kw or {})})
        ax.set(xlabel=title, ylabel="Task")
        self.colorbar_ = ax.figure.colorbar(self.im_, ax=ax, label="Coefficient") if colorbar else None
        self.features_, self.ax_, self.figure_ = features, ax, ax.figure
        return self


class PathDisplay:
    """The 2-norm of every feature's coefficients across the tasks, along a path of strengths.

    The strength is on a logarithmic axis and decreases to the right, so that features come in from left to right.
    Make one with ``from_estimator`` or ``from_path``.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
    norms : ndarray of shape (n_alphas, d)
    feature_names : list of d names, default=None
        None takes the positions.
    strength_name : str, default="alpha"
        What ``alphas`` are values of.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        One for every feature that is ever in use.
    features_ : ndarray of int
        Their features; those whose norm gets largest come first.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import BlockSparseRegressor
    >>> from convexmtl.inspection import PathDisplay
    >>> X = np.eye(4)
    >>> display = PathDisplay.from_estimator(BlockSparseRegressor(), X, X[:, :2], alphas=5)
    >>> len(display.lines_)
    2
    """

    def __init__(self, *, alphas, norms, feature_names=None, strength_name="alpha"):
        self.alphas = alphas
        self.norms = norms
        self.feature_names = feature_names
        self.strength_name = strength_name

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        task=None,
        sample_weight=None,
        alphas=100,
        eps=1e-2,
        feature_names=None,
        max_labels=10,
        ax=None,
        line_kw=None,
    ):
        """Compute a path with ``regularization_path`` and draw it.

        Parameters
        ----------
        estimator, X, y, task, sample_weight, alphas, eps
            As in ``regularization_path``.
        feature_names : list of d names, default=None
            None takes the column names of X without the task column, or else positions in ``coef_``.
        max_labels, ax, line_kw
            As in ``plot``.

        Returns
        -------
        PathDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        path = regularization_path(estimator, X, y, task=task, sample_weight=sample_weight, alphas=alphas, eps=eps)
        return cls.from_path(path, feature_names=feature_names, max_labels=max_labels, ax=ax, line_kw=line_kw)

    @classmethod
    def from_path(cls, path, *, feature_names=None, max_labels=10, ax=None, line_kw=None):
        """Draw a path.

        Parameters
        ----------
        path : convexmtl.path.Path
        feature_names : list of d names, default=None
            None takes those of the path, or else positions in ``coef_``.
        max_labels, ax, line_kw
            As in ``plot``.

        Returns
        -------
        PathDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_path")
        feature_names = path.feature_names if feature_names is None else feature_names
        norms, strength = np.linalg.norm(path.coefs, axis=1), _leading(path.strengths[0])
        display = cls(alphas=path.alphas, norms=norms, feature_names=feature_names, strength_name=strength)
        return display.plot(ax, max_labels=max_labels, line_kw=line_kw)

    def plot(self, ax=None, *, max_labels=10, line_kw=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.
        max_labels : int, default=10
            How many features get a colour and a name: those whose norm gets largest. The others are grey.
        line_kw : dict, default=None
            For ``Axes.plot``.

        Returns
        -------
        self
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        from matplotlib.lines import Line2D

        names = _checked_names(self.feature_names, self.norms.shape[1], "feature_names")
        _checked_count(max_labels, "max_labels", least=0)
        peaks = self.norms.max(axis=0)
        # Features that stay at zero would be lines on top of the axis.
        features = _largest(peaks)[: np.count_nonzero(peaks)]
        ax = _axes(ax, (6.4, 4.8))
        self.lines_ = []
        for k, j in enumerate(features):
            style = {"color": f"C{k}", "label": names[j], "zorder": 2.1} if k < max_labels else {"color": "0.8"}
            style = _styled(Line2D, {"marker": _marker(self.alphas), **style}, line_kw)
            self.lines_ += ax.plot(self.alphas, self.norms[:, j], **style)
        _strength_axis(ax, self.strength_name)
        ax.set_ylabel("2-norm of a feature's coefficients")
        ax.set_ylim(bottom=0)
        if len(features) and max_labels:
            # Where the penalty is strong there are no lines in the way.
            ax.legend(title="Feature", loc="upper left", fontsize="small")
        self.features_, self.ax_, self.figure_ = features, ax, ax.figure
        return self


class CVDisplay:
    """The errors of a cross-validated search: mean over the folds, and one standard error to both sides.

    The strength is on a logarithmic axis and decreases to the right, as in ``PathDisplay``; a dashed line is at the
    one that was chosen. Make one with ``from_estimator``.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,) or (n_paths, n_alphas)
    mse_path : ndarray of shape (n_alphas, n_folds) or (n_paths, n_alphas, n_folds)
    alpha : float
        The one that was chosen.
    path : int, default=0
        The path on which it is.
    path_names : list of n_paths names, default=None
        What the paths differ in; None takes numbers.
    strength_name : str, default="alpha"
        What ``alphas`` are values of.
    error_name : str, default="Mean squared error"

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        Means, one line per path.
    fill_between_ : list of matplotlib PolyCollection
        Standard errors, one band per path.
    chosen_ : matplotlib Line2D
        The vertical line.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import BlockSparseRegressorCV
    >>> from convexmtl.inspection import CVDisplay
    >>> X = np.random.default_rng(0).normal(size=(20, 4))
    >>> search = BlockSparseRegressorCV(alphas=5, cv=2).fit(X, X[:, :2])
    >>> display = CVDisplay.from_estimator(search)
    >>> print(display.ax_.get_xscale())
    log
    """

    def __init__(
        self,
        *,
        alphas,
        mse_path,
        alpha,
        path=0,
        path_names=None,
        strength_name="alpha",
        error_name="Mean squared error",
    ):
        self.alphas = alphas
        self.mse_path = mse_path
        self.alpha = alpha
        self.path = path
        self.path_names = path_names
        self.strength_name = strength_name
        self.error_name = error_name

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, line_kw=None, fill_between_kw=None):
        """Draw the search of a fitted estimator.

        Several paths are named by what they differ in: the ratio of their strengths, or the value of a parameter.

        Parameters
        ----------
        estimator : fitted estimator of convexmtl, one of those whose names end in CV
        ax, line_kw, fill_between_kw
            As in ``plot``.

        Returns
        -------
        CVDisplay

        Raises
        ------
        NotFittedError, ValueError
            For an estimator that is not fitted, and one that does not search.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        if not isinstance(estimator, CrossValidated):
            raise ValueError(
                f"{cls.__name__} draws the errors of a search (mse_path_), which {type(estimator).__name__} does not "
                "have: use an estimator of convexmtl whose name ends in CV, such as BlockSparseRegressorCV."
            )
        check_is_fitted(estimator, "mse_path_")
        errors, strengths = estimator.mse_path_, estimator._penalty().strength_values()
        several = errors.ndim == 3
        display = cls(
            alphas=estimator.alphas_,
            mse_path=errors,
            alpha=strengths[_leading(strengths)],
            # The largest strength within one standard error is looked for on the path with the smallest error.
            path=int(np.argmin(errors.mean(axis=2).min(axis=1))) if several else 0,
            path_names=_differences(estimator.settings_, strengths) if several else None,
            strength_name=_leading(strengths),
            error_name=_error_name(estimator.loss),
        )
        return display.plot(ax, line_kw=line_kw, fill_between_kw=fill_between_kw)

    def plot(self, ax=None, *, line_kw=None, fill_between_kw=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.
        line_kw : dict, default=None
            For ``Axes.plot``, the means.
        fill_between_kw : dict, default=None
            For ``Axes.fill_between``, the standard errors.

        Returns
        -------
        self
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        from matplotlib.collections import PolyCollection
        from matplotlib.lines import Line2D

        errors = self.mse_path if self.mse_path.ndim == 3 else self.mse_path[None]
        n_paths, n_alphas, n_folds = errors.shape
        names = _checked_names(self.path_names, n_paths, "path_names")
        alphas, means = np.broadcast_to(self.alphas, (n_paths, n_alphas)), errors.mean(axis=2)
        # With one fold nothing is known of the error of the mean.
        spread = errors.std(axis=2, ddof=1) / np.sqrt(n_folds) if n_folds > 1 else np.zeros_like(means)
        ax = _axes(ax, (6.4, 4.8))
        self.lines_, self.fill_between_ = [], []
        for p, (x, mean, error, name) in enumerate(zip(alphas, means, spread, names, strict=True)):
            style = {"color": f"C{p}", "marker": _marker(x), "label": name if n_paths > 1 else None}
            self.lines_ += ax.plot(x, mean, **_styled(Line2D, style, line_kw))
            style = {"facecolor": self.lines_[-1].get_color(), "alpha": 0.2, "linewidth": 0}
            style = _styled(PolyCollection, style, fill_between_kw)
            self.fill_between_.append(ax.fill_between(x, mean - error, mean + error, **style))
        label = f"chosen: {self.strength_name} = {self.alpha:.3g}"
        self.chosen_ = ax.axvline(self.alpha, color=self.lines_[self.path].get_color(), linestyle="--", label=label)
        _strength_axis(ax, self.strength_name)
        ax.set_ylabel(self.error_name)
        ax.legend(fontsize="small")
        self.ax_, self.figure_ = ax, ax.figure
        return self


class TaskRelationshipDisplay:
    """Heat map of how the tasks are related, from -1 to 1.

    What is shown is the correlation that belongs to the estimator's ``task_covariance_``, where it has one, else the
    cosine of the angle between the coefficients of two tasks. The tasks of a cluster (``labels_``) stand side by
    side, with lines between the clusters. A task that has no variance, or whose coefficients are all zero, is grey.
    Make one with ``from_estimator``.

    Parameters
    ----------
    relation : ndarray of shape (T, T)
        NaN where there is none.
    task_names : list of T names, default=None
        None takes the positions.
    labels : ndarray of shape (T,), default=None
        The cluster of every task.
    relation_name : {"Correlation", "Cosine"}, default="Correlation"

    Attributes
    ----------
    im_ : matplotlib AxesImage
    tasks_ : ndarray of int
        The tasks from left to right, and from top to bottom, by position.
    lines_ : list of matplotlib Line2D
        Between the clusters.
    colorbar_ : matplotlib Colorbar or None
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import TaskRelationshipRegressor
    >>> from convexmtl.inspection import TaskRelationshipDisplay
    >>> X = np.random.default_rng(0).normal(size=(20, 4))
    >>> model = TaskRelationshipRegressor().fit(X, X[:, :3])
    >>> display = TaskRelationshipDisplay.from_estimator(model)
    >>> display.im_.get_array().shape
    (3, 3)
    """

    def __init__(self, *, relation, task_names=None, labels=None, relation_name="Correlation"):
        self.relation = relation
        self.task_names = task_names
        self.labels = labels
        self.relation_name = relation_name

    @classmethod
    def from_estimator(cls, estimator, *, task_names=None, ax=None, colorbar=True, im_kw=None):
        """Draw the relation between the tasks of a fitted estimator.

        Parameters
        ----------
        estimator : fitted estimator
        task_names : list of T names, default=None
            In the order of ``tasks_``, which None takes.
        ax, colorbar, im_kw
            As in ``plot``.

        Returns
        -------
        TaskRelationshipDisplay

        Raises
        ------
        NotFittedError, ValueError
            For an estimator that is not fitted or has no ``coef_``, and for a wrong number of names.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        products, name = getattr(estimator, "task_covariance_", None), "Correlation"
        if products is None:
            coef = _coefficients(estimator, cls.__name__)
            # Cosines are to inner products what correlations are to covariances.
            products, name = coef @ coef.T, "Cosine"
        display = cls(
            relation=_normalised(products),
            task_names=getattr(estimator, "tasks_", None) if task_names is None else task_names,
            labels=getattr(estimator, "labels_", None),
            relation_name=name,
        )
        return display.plot(ax, colorbar=colorbar, im_kw=im_kw)

    def plot(self, ax=None, *, colorbar=True, im_kw=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.
        colorbar : bool, default=True
        im_kw : dict, default=None
            For ``Axes.imshow``, such as ``{"cmap": "PuOr"}``.

        Returns
        -------
        self
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        n_tasks = len(self.relation)
        names = _checked_names(self.task_names, n_tasks, "task_names")
        labels = np.zeros(n_tasks) if self.labels is None else np.asarray(self.labels)
        tasks = np.argsort(labels, kind="stable")
        names = [names[t] for t in tasks]
        side = np.clip(0.24 * n_tasks, 2.5, 8)
        ax = _axes(ax, (side + 1.8, side + _depth(names) - 0.3))
        self.im_ = _heat_map(ax, self.relation[np.ix_(tasks, tasks)], 1.0, names, names, im_kw or {})
        self.lines_ = []
        for t in np.flatnonzero(labels[tasks][1:] != labels[tasks][:-1]):
            style = {"color": "black", "linewidth": 1.0}
            self.lines_ += [ax.axhline(t + 0.5, **style), ax.axvline(t + 0.5, **style)]
        ax.set(xlabel="Task", ylabel="Task")
        self.colorbar_ = ax.figure.colorbar(self.im_, ax=ax, label=self.relation_name) if colorbar else None
        self.tasks_, self.ax_, self.figure_ = tasks, ax, ax.figure
        return self


# ------------------------------------------------------------------------------------ what is drawn


def _coefficients(estimator, caller):
    """``coef_`` as (T, d), or an error that says what is wrong with the estimator."""
    # What is known of the features, from a path, does not make a fit.
    check_is_fitted(estimator, "tasks_" if isinstance(estimator, MultiTaskEstimator) else None)
    if not hasattr(estimator, "coef_"):
        raise ValueError(
            f"{caller} draws coef_, which {type(estimator).__name__} does not have: hand over the estimator itself, "
            "the last step of a pipeline, or the best_estimator_ of a search."
        )
    return np.atleast_2d(estimator.coef_)


def _leading(strengths):
    """Name of the first positive strength, of which ``alphas`` are values."""
    return next(name for name, value in strengths.items() if value > 0)


def _differences(settings, strengths):
    """What each setting has that others have not: ratios to the leading strength, values of other parameters."""
    lead = _leading(strengths)
    quantities = {}
    for name in settings[0]:
        values = np.array([setting[name] for setting in settings])
        if name in strengths and name != lead:
            # Only ratios count along a path. As the parameter `ratios` has them: the larger one over the smaller.
            values = values / np.array([setting[lead] for setting in settings])
            inverted = np.all(values > 0) and np.log(values).sum() < 0
            name, values = (f"{lead} / {name}", 1 / values) if inverted else (f"{name} / {lead}", values)
        if np.any(values != values[0]):
            quantities[name] = values
    return [", ".join(f"{name} = {values[p]:.4g}" for name, values in quantities.items()) for p in range(len(settings))]


def _error_name(loss):
    names = {cls: name for name, cls in LOSSES.items()}
    name = loss if isinstance(loss, str) else names.get(type(loss), type(loss).__name__)
    return "Mean squared error" if name == "squared" else f"Mean {name.replace('_', ' ')} loss"


def _normalised(products):
    """Every entry over the root of the two on the diagonal; NaN where one of them is 0."""
    scale = np.sqrt(np.diag(products))
    scale = np.where(scale > 0, scale, np.nan)
    return np.clip(products / np.outer(scale, scale), -1, 1)


def _largest(values):
    """Positions, that of the largest value first."""
    return np.argsort(-values, kind="stable")


def _checked_names(names, n, parameter):
    names = [str(name) for name in (range(n) if names is None else names)]
    if len(names) != n:
        raise ValueError(f"{parameter} must hold {n} names, got {len(names)}.")
    return names


def _checked_count(count, parameter, least=1):
    if not isinstance(count, Integral) or isinstance(count, bool) or count < least:
        raise ValueError(f"{parameter} must be an integer of at least {least}, got {count!r}.")
    return count


# --------------------------------------------------------------------------------------- how it is


def _axes(ax, size):
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=size, layout="constrained")
    return ax


def _heat_map(ax, values, bound, rows, columns, options):
    """The image, with diverging colours from -bound to bound, and the names of its rows and columns."""
    # NaN lets it show through.
    ax.set_facecolor("0.8")
    limits = {} if "norm" in options else {"vmin": -bound, "vmax": bound}
    image = ax.imshow(values, **{"cmap": "RdBu_r", "interpolation": "nearest", **limits, **options})
    box = ax.get_window_extent()
    width, height = box.width / ax.figure.dpi, box.height / ax.figure.dpi
    upright = _width(columns) < width
    ticks = _ticks(len(columns), width if not upright else np.inf)
    ax.set_xticks(ticks, [columns[j] for j in ticks], rotation=0 if upright else 90)
    ticks = _ticks(len(rows), height)
    ax.set_yticks(ticks, [rows[t] for t in ticks])
    return image


def _styled(artist, defaults, given):
    """Defaults, and what is given in their place by any of matplotlib's names for it."""
    from matplotlib.cbook import normalize_kwargs

    return {**defaults, **normalize_kwargs(given, artist)}


def _ticks(n, inches):
    """Positions of ticks, so far apart that the lines of their labels do not overlap."""
    step = max(1, int(np.ceil(n * _LINE / inches)))
    return range(0, n, step)


def _width(names):
    """Inches that the names take next to each other."""
    return len(names) * (max(map(len, names)) + 1) * _LETTER


def _depth(names):
    """Inches below a heat map for the names, if they are turned, and the label of the axis."""
    return 0.8 + max(map(len, names)) * _LETTER


def _strength_axis(ax, name):
    ax.set_xscale("log")
    ax.xaxis.set_inverted(True)
    ax.set_xlabel(name)


def _marker(alphas):
    # A line through one point cannot be seen.
    return "o" if len(alphas) == 1 else None
