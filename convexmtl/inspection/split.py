"""The parts whose sum the coefficients are."""

import numpy as np

from .._compat import check_matplotlib_support
from .._input import coef_names
from ..estimators._base import MultiTaskEstimator
from ._common import checked_names, checked_view_limits, coefficients, panels, row_names
from ._heat import coefficient_map, view_of

WIDEST = 17  # inches of a figure with panels side by side, beyond which they stand one below the other


class SplitDisplay:
    """Heat maps of the coefficients and of their parts, W = W_1 + ... + W_K, all of the same tasks and features.

    They have one scale of colours. Make one with ``from_estimator``, for whatever has a penalty with parts: the
    dirty model's B and S, L and S of a robust low-rank model, P and Q of robust features, or ``Parts`` of one's own.

    Parameters
    ----------
    parts : dict of str -> ndarray of shape (T, d)
        By name.
    feature_names : list of d names, default=None
        None takes the positions.
    task_names : list of T names, default=None

    Attributes
    ----------
    ims_ : list of matplotlib AxesImage
        The sum, and the parts.
    features_, tasks_ : ndarray of int
        What is drawn one by one; bands at the side are for the others.
    colorbar_ : matplotlib Colorbar or None
    axes_ : ndarray of matplotlib Axes of shape (1 + K,)
    ax_ : matplotlib Axes
        The one of the sum.
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import DirtyRegressor
    >>> from convexmtl.inspection import SplitDisplay
    >>> X = np.eye(4)
    >>> model = DirtyRegressor(alpha_block=0.01, alpha_sparse=0.007).fit(X, X[:, :2])
    >>> display = SplitDisplay.from_estimator(model)
    >>> print([ax.get_title() for ax in display.axes_])
    ['coef = block + sparse', 'block', 'sparse']
    """

    def __init__(self, *, parts, feature_names=None, task_names=None):
        self.parts = parts
        self.feature_names = feature_names
        self.task_names = task_names

    @classmethod
    def from_estimator(
        cls,
        estimator,
        *,
        feature_names=None,
        task_names=None,
        max_features=20,
        max_tasks=200,
        ax=None,
        colorbar=True,
        im_kw=None,
    ):
        """Draw the coefficients of a fitted estimator and their parts.

        Parameters
        ----------
        estimator : fitted estimator of convexmtl
        feature_names, task_names
            As in ``CoefficientDisplay.from_estimator``.
        max_features, max_tasks, ax, colorbar, im_kw
            As in ``plot``.

        Returns
        -------
        SplitDisplay

        Raises
        ------
        NotFittedError, ValueError
            For an estimator that is not fitted or whose penalty has no parts, and for a wrong number of names.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        coef = coefficients(estimator, cls.__name__)
        names = estimator._penalty().part_names if isinstance(estimator, MultiTaskEstimator) else ()
        if not names:
            raise ValueError(
                f"{cls.__name__} draws the parts of coef_, and that of {type(estimator).__name__} has none: use a "
                "family that has, such as DirtyRegressor or SparseLowRankRegressor, or a penalty Parts([...])."
            )
        display = cls(
            parts={name: getattr(estimator, f"{name}_") for name in names},
            feature_names=coef_names(estimator) if feature_names is None else feature_names,
            task_names=row_names(estimator, len(coef), task_names),
        )
        limits = {"max_features": max_features, "max_tasks": max_tasks}
        return display.plot(ax, **limits, colorbar=colorbar, im_kw=im_kw)

    def plot(self, ax=None, *, max_features=20, max_tasks=200, colorbar=True, im_kw=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or array of 1 + K of them, default=None
            Axes from ``plt.subplots`` are divided; None makes a new figure.
        max_features, max_tasks : int or None, default=20 and 200
            As in ``CoefficientDisplay.plot``, by the norms of all parts together.
        colorbar : bool, default=True
        im_kw : dict, default=None
            For ``Axes.imshow``, such as ``{"cmap": "PuOr"}``. The colours are symmetric about 0 unless it says else.

        Returns
        -------
        self
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        table = np.array(list(self.parts.values()))
        (_, T, d), names = table.shape, [str(name) for name in self.parts]
        rows = checked_names(self.task_names, T, "task_names")
        columns = checked_names(self.feature_names, d, "feature_names")
        checked_view_limits(max_features, max_tasks)
        maps = {f"coef = {' + '.join(names)}": table.sum(axis=0), **dict(zip(names, table, strict=True))}
        view = view_of(np.linalg.norm(table, axis=0), rows, columns, max_tasks, max_features)
        width, height = view.size
        beside = len(maps) * width <= WIDEST or len(view.rows) > len(view.columns)
        if beside:
            shape, size = (1, len(maps)), (min(len(maps) * width, WIDEST) + 1, height + 0.3)
        else:
            shape, size = (len(maps), 1), (width + 1, height + (len(maps) - 1) * view.height + 0.4 * len(maps))
        self.axes_ = panels(ax, *shape, size).ravel()
        bound = max(np.abs(M).max() for M in maps.values()) or 1.0
        options, self.ims_ = {"aspect": "auto", **(im_kw or {})}, []
        for panel, (title, coef) in zip(self.axes_, maps.items(), strict=True):
            self.ims_.append(coefficient_map(panel, coef, view, bound, options)[0])
            panel.set_title(title)
            if ax is None or not np.iterable(ax):
                panel.label_outer()
        self.ax_, self.figure_ = self.axes_[0], self.axes_[0].figure
        bar = {"ax": self.axes_.tolist(), "label": "Coefficient"}
        self.colorbar_ = self.figure_.colorbar(self.ims_[0], **bar) if colorbar else None
        self.features_, self.tasks_ = view.features, view.tasks
        return self
