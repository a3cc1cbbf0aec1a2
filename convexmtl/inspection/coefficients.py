"""The coefficients, tasks by features."""

import numpy as np

from .._compat import check_matplotlib_support
from .._input import coef_names
from ._common import checked_names, checked_view_limits, coefficients, new_axes, row_names
from ._heat import coefficient_map, view_of


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
    others_ : list of matplotlib AxesImage
        The bands in which the features and tasks are that are not drawn one by one.
    features_ : ndarray of int
        The columns of ``coef`` that are drawn, from left to right.
    tasks_ : ndarray of int
        The rows, from top to bottom.
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
        max_tasks=200,
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
            In the order of ``tasks_``, which None takes. Of tasks with more than two classes every class has a row.
        max_features, max_tasks, ax, colorbar, im_kw
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
        task_names = row_names(estimator, len(coef), task_names)
        display = cls(coef=coef, feature_names=feature_names, task_names=task_names)
        options = {"max_features": max_features, "max_tasks": max_tasks}
        return display.plot(ax, **options, colorbar=colorbar, im_kw=im_kw)

    def plot(self, ax=None, *, max_features=30, max_tasks=200, colorbar=True, im_kw=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.
        max_features : int or None, default=30
            With more features than that, those with the largest 2-norms across the tasks are drawn, the largest first,
            without any that are zero, and beside them a band with each task's largest coefficient (in absolute
            value) of the others; else, and with None, all of them in order.
        max_tasks : int or None, default=200
            The same for tasks, which stay in order; the band is below them.
        colorbar : bool, default=True
        im_kw : dict, default=None
            For ``Axes.imshow``, such as ``{"cmap": "PuOr"}``. The colours are symmetric about 0 unless it says else.

        Returns
        -------
        self
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        T, d = self.coef.shape
        names = checked_names(self.task_names, T, "task_names"), checked_names(self.feature_names, d, "feature_names")
        checked_view_limits(max_features, max_tasks)
        view = view_of(np.abs(self.coef), *names, max_tasks, max_features)
        ax = new_axes(ax, view.size)
        # If all coefficients are zero, any bound gives the colour of zero.
        bound = np.abs(self.coef).max() or 1.0
        self.im_, self.others_ = coefficient_map(ax, self.coef, view, bound, {"aspect": "auto", **(im_kw or {})})
        self.colorbar_ = ax.figure.colorbar(self.im_, ax=ax, label="Coefficient") if colorbar else None
        self.features_, self.tasks_, self.ax_, self.figure_ = view.features, view.tasks, ax, ax.figure
        return self
