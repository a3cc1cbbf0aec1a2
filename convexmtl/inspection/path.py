"""The features along a path of strengths."""

import numpy as np

from .._compat import check_matplotlib_support
from ..path import regularization_path
from ._common import (
    checked_count,
    checked_names,
    distinct,
    largest,
    leading,
    line_style,
    marker,
    roomy,
    shortened,
    strength_axis,
)


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
        One for every feature that is ever in use, but for those in the band.
    others_ : matplotlib PolyCollection or None
        The band.
    features_ : ndarray of int
        The features that are ever in use; those whose norm gets largest come first.
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
        max_lines=50,
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
        max_labels, max_lines, ax, line_kw
            As in ``plot``.

        Returns
        -------
        PathDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        path = regularization_path(estimator, X, y, task=task, sample_weight=sample_weight, alphas=alphas, eps=eps)
        return cls.from_path(
            path, feature_names=feature_names, max_labels=max_labels, max_lines=max_lines, ax=ax, line_kw=line_kw
        )

    @classmethod
    def from_path(cls, path, *, feature_names=None, max_labels=10, max_lines=50, ax=None, line_kw=None):
        """Draw a path.

        Parameters
        ----------
        path : convexmtl.path.Path
        feature_names : list of d names, default=None
            None takes those of the path, or else positions in ``coef_``.
        max_labels, max_lines, ax, line_kw
            As in ``plot``.

        Returns
        -------
        PathDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_path")
        feature_names = path.feature_names if feature_names is None else feature_names
        norms, strength = np.linalg.norm(path.coefs, axis=1), leading(path.strengths[0])
        display = cls(alphas=path.alphas, norms=norms, feature_names=feature_names, strength_name=strength)
        return display.plot(ax, max_labels=max_labels, max_lines=max_lines, line_kw=line_kw)

    def plot(self, ax=None, *, max_labels=10, max_lines=50, line_kw=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.
        max_labels : int, default=10
            How many features get a colour and a name: those whose norm gets largest. The others are grey.
        max_lines : int, default=50
            How many features get a line. The others are a band from 0 to the largest of their norms.
        line_kw : dict, default=None
            For ``Axes.plot``.

        Returns
        -------
        self
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")

        names = checked_names(self.feature_names, self.norms.shape[1], "feature_names")
        checked_count(max_labels, "max_labels", least=0)
        checked_count(max_lines, "max_lines", least=0)
        peaks = self.norms.max(axis=0)
        # Features that stay at zero would be lines on top of the axis.
        features = largest(peaks)[: np.count_nonzero(peaks)]
        n_lines = max(max_lines, max_labels)
        lines, others = features[:n_lines], features[n_lines:]
        labels = shortened([names[j] for j in features[:max_labels]])
        labels += [f"{len(others)} others"] if len(others) else []
        # Where the penalty is strong there are no lines in the way.
        ax, legend = roomy(ax, labels, (6.4, 4.8), "upper left")
        self.lines_, self.others_ = [], None
        for k, j in enumerate(lines):
            style = {**distinct(k), "label": labels[k], "zorder": 2.1} if k < max_labels else {"color": "0.8"}
            style = line_style({"marker": marker(self.alphas), **style}, line_kw)
            self.lines_ += ax.plot(self.alphas, self.norms[:, j], **style)
        if len(others):
            top = self.norms[:, others].max(axis=1)
            self.others_ = ax.fill_between(self.alphas, 0, top, color="0.9", linewidth=0, zorder=1, label=labels[-1])
        strength_axis(ax, self.strength_name)
        ax.set_ylabel("2-norm of a feature's coefficients")
        ax.set_ylim(bottom=0)
        if labels:
            ax.legend(title="Feature", **legend)
        self.features_, self.ax_, self.figure_ = features, ax, ax.figure
        return self
