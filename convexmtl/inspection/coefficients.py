"""The coefficients, tasks by features."""

import numpy as np

from .._compat import check_matplotlib_support
from .._input import coef_names
from ._common import checked_count, checked_names, coefficients, depth, heat_map, largest, new_axes


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
        coef = coefficients(estimator, cls.__name__)
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
        columns = checked_names(self.feature_names, n_features, "feature_names")
        rows = checked_names(self.task_names, n_tasks, "task_names")
        if max_features is None or n_features <= checked_count(max_features, "max_features"):
            features, title = np.arange(n_features), "Feature"
        else:
            norms = np.linalg.norm(self.coef, axis=0)
            # There is nothing to see of the zero ones.
            features = largest(norms)[: max(1, min(max_features, np.count_nonzero(norms)))]
            title = f"Feature ({len(features)} of {n_features}, the largest first)"
        shown, columns = self.coef[:, features], [columns[j] for j in features]
        size = np.clip(0.26 * len(columns) + 1.5, 5, 14), np.clip(0.26 * n_tasks + depth(columns), 2.2, 10)
        ax = new_axes(ax, size)
        # If all coefficients are zero, any bound gives the colour of zero.
        bound = np.abs(shown).max() or 1.0
        self.im_ = heat_map(ax, shown, bound, rows, columns, {"aspect": "auto", **(im_kw or {})})
        ax.set(xlabel=title, ylabel="Task")
        self.colorbar_ = ax.figure.colorbar(self.im_, ax=ax, label="Coefficient") if colorbar else None
        self.features_, self.ax_, self.figure_ = features, ax, ax.figure
        return self
