"""The errors of a cross-validated search."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._compat import check_matplotlib_support
from ..estimators._cv import CrossValidated
from ..losses import LOSSES
from ._common import (
    band_style,
    checked_count,
    checked_names,
    distinct,
    leading,
    line_style,
    marker,
    roomy,
    strength_axis,
)


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
        Standard errors, one band per path that has a colour.
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
    def from_estimator(cls, estimator, *, max_labels=7, ax=None, line_kw=None, fill_between_kw=None):
        """Draw the search of a fitted estimator: the errors, or the criterion that selected.

        Several paths are named by what they differ in: the ratio of their strengths, or the value of a parameter.

        Parameters
        ----------
        estimator : fitted estimator of convexmtl, one of those whose names end in CV
        max_labels, ax, line_kw, fill_between_kw
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
        check_is_fitted(estimator, "alphas_")
        strengths = estimator._penalty().strength_values()
        by_criterion = hasattr(estimator, "criterion_path_")
        errors = estimator.criterion_path_[..., None] if by_criterion else estimator.mse_path_
        several = errors.ndim == 3
        display = cls(
            alphas=estimator.alphas_,
            mse_path=errors,
            alpha=strengths[leading(strengths)],
            # The largest strength within one standard error is looked for on the path with the smallest error.
            path=int(np.argmin(errors.mean(axis=2).min(axis=1))) if several else 0,
            path_names=_differences(estimator.settings_, strengths) if several else None,
            strength_name=leading(strengths),
            error_name=estimator.selection.upper() if by_criterion else _error_name(estimator.loss),
        )
        return display.plot(ax, max_labels=max_labels, line_kw=line_kw, fill_between_kw=fill_between_kw)

    def plot(self, ax=None, *, max_labels=7, line_kw=None, fill_between_kw=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure.
        max_labels : int, default=7
            How many paths get a colour, a band and a name: the one that was chosen, and those with the smallest errors.
            The others are grey.
        line_kw : dict, default=None
            For ``Axes.plot``, the means.
        fill_between_kw : dict, default=None
            For ``Axes.fill_between``, the standard errors.

        Returns
        -------
        self
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")

        errors = self.mse_path if self.mse_path.ndim == 3 else self.mse_path[None]
        n_paths, n_alphas, n_folds = errors.shape
        names = checked_names(self.path_names, n_paths, "path_names")
        alphas, means = np.broadcast_to(self.alphas, (n_paths, n_alphas)), errors.mean(axis=2)
        # With one fold nothing is known of the error of the mean.
        spread = errors.std(axis=2, ddof=1) / np.sqrt(n_folds) if n_folds > 1 else np.zeros_like(means)
        # The chosen path first, then those with the smallest errors.
        first = np.argsort(means.min(axis=1), kind="stable")
        first = [self.path, *first[first != self.path]][: checked_count(max_labels, "max_labels")]
        named = {p: k for k, p in enumerate(sorted(first))}
        ax, legend = roomy(ax, names if n_paths > 1 else [], (6.4, 4.8))
        self.lines_, self.fill_between_ = [], []
        for p, (x, mean, error, name) in enumerate(zip(alphas, means, spread, names, strict=True)):
            label = {"label": name} if n_paths > 1 else {}
            style = {**distinct(named[p]), **label} if p in named else {"color": "0.8", "zorder": 1}
            self.lines_ += ax.plot(x, mean, **line_style({"marker": marker(x), **style}, line_kw))
            if p in named:
                style = {"facecolor": self.lines_[-1].get_color(), "alpha": 0.2, "linewidth": 0}
                style = band_style(style, fill_between_kw)
                self.fill_between_.append(ax.fill_between(x, mean - error, mean + error, **style))
        label = f"chosen: {self.strength_name} = {self.alpha:.3g}"
        self.chosen_ = ax.axvline(self.alpha, color=self.lines_[self.path].get_color(), linestyle="--", label=label)
        strength_axis(ax, self.strength_name)
        ax.set_ylabel(self.error_name)
        ax.legend(**legend)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _differences(settings, strengths):
    """What each setting has that others have not: ratios to the leading strength, values of other parameters."""
    lead = leading(strengths)
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
