"""How a fit comes to its end, or how exact the fits of a path are: objectives and duality gaps."""

from copy import copy

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from .._compat import check_matplotlib_support
from .._threads import one_thread
from ..estimators._base import MultiTaskEstimator
from ..estimators._cv import CrossValidated
from ..path import regularization_path
from ..solvers import solve
from ._common import COLOURS, leading, line_style, panels, strength_axis

FEW = 60  # checks up to which each has a marker
NOTHING = 1e-6  # what smaller gaps, as shares of the threshold or of the largest gap of a path, are drawn as


class GapDisplay:
    """Duality gaps on a logarithmic axis, and below them the objectives, over iterations or along a path.

    A gap is a bound of how far the objective is above its minimum: the grey band below the objective is where the
    minimum is. What is above where the objective began is cut off, and gaps below a millionth of the threshold, or of
    the largest gap of a path, are drawn there. Make one with ``from_estimator`` or ``from_path``.

    Parameters
    ----------
    steps : ndarray of shape (n,)
        Iterations at which the gap was looked at, or strengths.
    objectives, gaps : ndarray of shape (n,)
    threshold : float, default=None
        The gap at which the fit has converged, if it is known.
    strength_name : str, default=None
        What ``steps`` are values of, along a path; None for iterations.
    name : str, default=None
        For the legend.

    Attributes
    ----------
    gap_line_, objective_line_ : matplotlib Line2D
    threshold_line_ : matplotlib Line2D or None
    axes_ : ndarray of two matplotlib Axes
        Of the gaps and of the objectives.
    ax_ : matplotlib Axes
        That of the gaps.
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import BlockSparseClassifier
    >>> from convexmtl.inspection import GapDisplay
    >>> X = np.random.default_rng(0).normal(size=(30, 4))
    >>> display = GapDisplay.from_estimator(BlockSparseClassifier(alpha=0.01), X, X[:, :2] > 0)
    >>> print(display.gaps[-1] <= display.threshold)
    True
    """

    def __init__(self, *, steps, objectives, gaps, threshold=None, strength_name=None, name=None):
        self.steps = steps
        self.objectives = objectives
        self.gaps = gaps
        self.threshold = threshold
        self.strength_name = strength_name
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        task=None,
        sample_weight=None,
        offset=None,
        alphas=None,
        eps=1e-2,
        name=None,
        ax=None,
        line_kw=None,
    ):
        """Solve the estimator's problem once more and record every check of the gap, or solve it along a path.

        Parameters
        ----------
        estimator : estimator of convexmtl, fitted or not
            It is left as it is. Of a search, which has to be fitted, the strengths that it has found.
        X, y, task, sample_weight, offset
            As in ``estimator.fit``.
        alphas : int or array-like of shape (n_alphas,), default=None
            For a path, as in ``regularization_path``; None draws the fit of the estimator as it is.
        eps : float, default=1e-2
            For a path, as in ``regularization_path``.
        name, ax, line_kw
            As in ``from_path``.

        Returns
        -------
        GapDisplay

        Raises
        ------
        NotFittedError, ValueError
            For a search that is not fitted, what is no estimator of convexmtl, and whatever ``fit`` refuses.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        if not isinstance(estimator, MultiTaskEstimator):
            raise ValueError(
                f"{cls.__name__} solves the problem of an estimator of convexmtl, which {type(estimator).__name__} is "
                "not: hand over the last step of a pipeline, and X as that step gets it."
            )
        if alphas is not None:
            given = {"task": task, "sample_weight": sample_weight, "offset": offset}
            path = regularization_path(estimator, X, y, **given, alphas=alphas, eps=eps)
            return cls.from_path(path, name=name, ax=ax, line_kw=line_kw)
        searches = isinstance(estimator, CrossValidated)
        if searches:
            check_is_fitted(estimator, "mse_path_")
        # (A clone of a search would have forgotten what was found.)
        own = copy(estimator) if searches else clone(estimator)
        with one_thread():
            problem = own._formulate(X, y, sample_weight=sample_weight, task=task, offset=offset).problem
            result = solve(problem, None, own.tol, own.max_iter)
        # What is handed back need not be what was looked at last.
        history = [*result.history, (result.n_iter, result.objective, result.dual_gap)]
        steps, objectives, gaps = (np.array(column) for column in zip(*dict.fromkeys(history), strict=True))
        threshold = problem.threshold(own.tol) if own.tol > 0 else None
        display = cls(steps=steps, objectives=objectives, gaps=gaps, threshold=threshold, name=name)
        return display.plot(ax, line_kw=line_kw)

    @classmethod
    def from_path(cls, path, *, name=None, ax=None, line_kw=None):
        """Draw the gaps and objectives of a path.

        Parameters
        ----------
        path : convexmtl.path.Path
        name : str, default=None
            For the legend, where several are drawn into the same axes.
        ax, line_kw
            As in ``plot``.

        Returns
        -------
        GapDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_path")
        strength = leading(path.strengths[0])
        values = {"steps": path.alphas, "objectives": path.objectives, "gaps": path.dual_gaps}
        return cls(**values, strength_name=strength, name=name).plot(ax, line_kw=line_kw)

    def plot(self, ax=None, *, line_kw=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or array of two, default=None
            Axes from ``plt.subplots`` are divided; two are taken as they are, such as ``axes_`` of another display,
            to compare. None makes a new figure.
        line_kw : dict, default=None
            For ``Axes.plot``.

        Returns
        -------
        self
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        upper, lower = self.axes_ = panels(ax, 2, 1, (6.4, 5.6), sharex=True).ravel()
        steps, objectives = np.asarray(self.steps), np.asarray(self.objectives)
        colour = COLOURS[len(upper.lines) // 2 % len(COLOURS)]
        style = {"color": colour, "marker": "o" if len(steps) <= FEW else None, "markersize": 3, "label": self.name}
        style = line_style(style, line_kw)
        # On a logarithmic axis nothing is zero, and what is next to nothing would take all of it.
        finite = np.abs(np.array([*self.gaps, 0.0]))
        scale = self.threshold or finite[np.isfinite(finite)].max() or 1.0
        (self.gap_line_,) = upper.plot(steps, np.maximum(self.gaps, NOTHING * scale), **style)
        (self.objective_line_,) = lower.plot(steps, objectives, **style)
        lower.fill_between(steps, objectives - self.gaps, objectives, color="0.85", linewidth=0, zorder=0)
        # The first gaps, and what some solvers pass through, are many times as large as all that is gained.
        curves = [line.get_ydata() for line in lower.lines]
        low, high = min(map(np.min, curves)), max(max(y[0], y[-1]) for y in curves)
        margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
        lower.set_ylim(low - margin, high + margin)
        self.threshold_line_ = None
        if self.threshold is not None:
            style = {"color": self.gap_line_.get_color(), "linestyle": "--", "linewidth": 1.0}
            self.threshold_line_ = upper.axhline(self.threshold, label=f"converged: {self.threshold:.2g}", **style)
        upper.set_yscale("log")
        if self.strength_name is None:
            lower.set_xlabel("Iteration")
            lower.locator_params(axis="x", integer=True)
        else:
            upper.set_xscale("log")
            strength_axis(lower, self.strength_name)
        upper.set_ylabel("Duality gap")
        lower.set_ylabel("Objective")
        if upper.get_legend_handles_labels()[0]:
            upper.legend(fontsize="small")
        self.ax_, self.figure_ = upper, upper.figure
        return self
