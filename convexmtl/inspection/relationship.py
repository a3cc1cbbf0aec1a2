"""How the tasks are related."""

import numpy as np

from .._compat import check_matplotlib_support
from ._common import checked_names, coefficients, new_axes, row_names, shortened, width_of
from ._heat import depth, heat_map


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
        Between the clusters; none where there are too many to see anything between them.
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
            In the order of ``tasks_``, which None takes. Of tasks with more than two classes every class has a row,
            but for clusters that are known.
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
            coef = coefficients(estimator, cls.__name__)
            # Cosines are to inner products what correlations are to covariances.
            products, name = coef @ coef.T, "Cosine"
        labels = getattr(estimator, "labels_", None)
        if labels is not None and len(labels) < len(products):
            # (Clusters of tasks, and products of their columns.)
            labels = labels[estimator._columns.owner]
        display = cls(
            relation=_normalised(products),
            task_names=row_names(estimator, len(products), task_names),
            labels=labels,
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
        names = checked_names(self.task_names, n_tasks, "task_names")
        labels = np.zeros(n_tasks) if self.labels is None else np.asarray(self.labels)
        tasks = np.argsort(labels, kind="stable")
        names = shortened([names[t] for t in tasks])
        side = np.clip(0.24 * n_tasks, 2.5, 8)
        ax = new_axes(ax, (side + 1.5 + width_of(names), side + depth(names) - 0.3))
        self.im_ = heat_map(ax, self.relation[np.ix_(tasks, tasks)], 1.0, names, names, im_kw or {})
        between = np.flatnonzero(labels[tasks][1:] != labels[tasks][:-1]) + 0.5
        # So many lines that they would hide what is between them say nothing.
        between = between if len(between) <= 10 * side else []
        style = {"color": "black", "linewidth": 1.0}
        self.lines_ = [line(position, **style) for position in between for line in (ax.axhline, ax.axvline)]
        ax.set(xlabel="Task", ylabel="Task")
        self.colorbar_ = ax.figure.colorbar(self.im_, ax=ax, label=self.relation_name) if colorbar else None
        self.tasks_, self.ax_, self.figure_ = tasks, ax, ax.figure
        return self


def _normalised(products):
    """Every entry over the root of the two on the diagonal; NaN where one of them is 0."""
    scale = np.sqrt(np.diag(products))
    scale = np.where(scale > 0, scale, np.nan)
    return np.clip(products / np.outer(scale, scale), -1, 1)
