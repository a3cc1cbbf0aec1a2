"""What a fit has solved, in words and figures: ``explain_fit``, and what a fit keeps for it."""

import html
import textwrap
from dataclasses import dataclass, field, replace
from numbers import Number

import numpy as np
from sklearn.utils.validation import check_is_fitted

from . import _input
from ._rows import used_rows
from ._words import counted, figure, listed, percent
from .penalties.base import Later
from .solvers.paths import critical_factor

SCALES = 1e3  # features whose scales differ by more than that are not penalised alike
ALIKE = 1e-8  # correlation of a feature with the targets below which it is rounding
LOOKED_AT = 200_000  # entries of X that say of which scale the features are
WIDTH = 100  # of the text
SHOWN = 1e-4  # accuracy of figures that are shown
SELECTED = "which coefficients may differ from 0 was selected by "


@dataclass(frozen=True, eq=False, repr=False)
class FitSummary:
    """What of a fit is not in its coefficients: O(d + T) numbers, and what the penalty says.

    Attributes
    ----------
    minimised : list of str
        The objective, the loss and the penalty as formulas.
    parameters : dict of str -> value
        Those of the loss and the penalty that are numbers or words.
    status : str
    converged : bool
    threshold, trivial, gain : float
        The gap that was wanted; the loss at W = 0; that less the loss of a perfect fit.
    said : list of Said
    factor : float or None
        What to multiply the strengths by for all coefficients to be zero; None where no strength makes them so.
    sizes : ndarray of shape (T,)
        Samples of every task.
    silent : list of two ndarray
        Positions of the tasks with constant targets, and of those with no feature that goes with the targets.
    constant : ndarray
        Positions of the features that are constant within every task.
    scales : ndarray of shape (d,)
        Deviations of the features within the tasks.
    notes : list of str
        What else is to be said.
    """

    minimised: list
    parameters: dict
    status: str
    converged: bool
    threshold: float
    trivial: float
    gain: float
    said: list
    factor: float | None
    sizes: np.ndarray
    silent: list
    constant: np.ndarray
    scales: np.ndarray
    notes: list = field(default_factory=list)

    @classmethod
    def of(cls, formulation, result, tol):
        """Of the Result of a Formulation."""
        problem, penalty, labels = formulation.problem, formulation.penalty, formulation.labels
        data = problem.data
        if not problem.penalty.kinks:
            factor = None
        elif problem.penalty.free_entries(problem.shape) is not None:
            factor = critical_factor(problem)
        else:
            factor = problem.penalty.dual_norm(np.ascontiguousarray(data.moments), SHOWN)
        tasks = formulation.data.tasks
        scales = _scales(data)
        scalars = {**formulation.data.loss.get_params(), **penalty.parameters()}
        return cls(
            minimised=formulas(data, penalty, tasks),
            parameters={
                name: v for name, v in scalars.items() if isinstance(v, Number | str) and not isinstance(v, bool)
            },
            status=result.status.value,
            converged=result.converged,
            threshold=problem.threshold(tol),
            trivial=data.trivial[0],
            gain=data.gain,
            said=penalty.describe(result.parts, labels),
            factor=factor,
            sizes=tasks.counts,
            silent=_silent(data, scales),
            constant=np.flatnonzero(problem.tasks.constant_features) if data.fit_intercept else np.zeros(0, int),
            scales=scales,
        )

    def after(self, former):
        """The same, of a fit without penalty to what the ``former`` one has selected."""
        selected = former.minimised[-1]
        if not selected.startswith(SELECTED):
            selected = SELECTED + selected
        return replace(self, minimised=[*self.minimised, selected], parameters=former.parameters, factor=former.factor)


def formulas(data, penalty, tasks):
    """The objective, the loss and the penalty."""
    even = np.abs(tasks.mass - 1).max() < 1e-9
    z = "x_ti . w_t" + (" + b_t" if data.fit_intercept else "") + ("" if data.tasks.offset is None else " + offset_ti")
    objective = f"sum_t {'' if even else 'c_t '}mean_i loss(y_ti, {z}) + Omega(W)"
    weights = [] if even else [f"c_t from {figure(tasks.mass.min())} to {figure(tasks.mass.max())}, task_weight"]
    return [objective, *weights, f"loss(y, z) = {data.loss.formula}", f"Omega(W) = {penalty.formula}"]


def _scales(data):
    """(d,) deviations of the features: of some of the rows, which say of which size they are."""
    X = data.tasks.X
    if data.tasks.is_sparse:
        return np.sqrt(np.asarray(X.power(2).mean(axis=0)).ravel())
    some = X[:: max(1, X.size // LOOKED_AT)]
    return some.std(axis=0) if data.fit_intercept else np.sqrt(np.mean(some**2, axis=0))


def _silent(data, scales):
    """Positions of the tasks with constant targets, and of others whose gradient at W = 0 is zero."""
    tasks = data.tasks
    # The gradient in units of what it would be were all features the residuals themselves.
    # (Of a loss with kinks any subgradients will do: the shortest take longer than many a fit.)
    gradient = data.moments if data.loss.smooth else tasks.adjoint(tasks.weight * data.slopes)
    gradient = gradient * np.divide(1.0, scales, out=np.zeros_like(scales), where=scales > 0)[:, None]
    most = tasks.mass * data.squares
    nothing = np.einsum("jt,jt->t", gradient, gradient) <= ALIKE**2 * most
    constant = np.zeros_like(nothing)
    if data.fit_intercept and tasks.offset is None:
        low, high = tasks.extremes(tasks.y)
        constant = low >= high
    return [np.flatnonzero(constant), np.flatnonzero(nothing & ~constant)]


def explain_fit(estimator):
    """What a fit has solved, in words and figures.

    The objective as a formula with its strengths, and what loss and penalty contribute to it; the duality gap, and
    how much that is of the explained loss, which is the loss at W = 0 less that of the fit,

        100 gap / (loss(0) - loss(W)) percent;

    what the penalty has brought about: features in use, rank, clusters, parts; how far the strengths are from where
    all coefficients are zero; and what to be aware of: tasks and features that say nothing, scales that differ, a
    search that ended at the edge of its grid, a fit that has not converged.

    Parameters
    ----------
    estimator : fitted estimator of convexmtl
        Of a pipeline or a search of scikit-learn its last step or ``best_estimator_``.

    Returns
    -------
    Explanation
        Prints as text, and draws itself as HTML in notebooks.

    Raises
    ------
    NotFittedError
        Where the estimator is not fitted.
    TypeError
        For anything else than an estimator of convexmtl.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import BlockSparseRegressor, explain_fit
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 6))
    >>> Y = X[:, :2] @ rng.normal(size=(2, 4)) + 0.1 * rng.normal(size=(40, 4))
    >>> explanation = explain_fit(BlockSparseRegressor(alpha=0.2).fit(X, Y))
    >>> print(dict(explanation.rows)["features"])
    2 of 6 in use: 0, 1
    """
    if not hasattr(type(estimator), "_fitted_state"):
        raise TypeError(
            f"explain_fit takes a fitted estimator of convexmtl, got {type(estimator).__name__}: of a pipeline pass "
            "its last step, of a search its best_estimator_."
        )
    _input.require_convex_fit(estimator, "explain_fit")
    check_is_fitted(estimator, "_summary")
    return Explanation(estimator)


class Explanation:
    """What ``explain_fit`` returns.

    Attributes
    ----------
    title : str
    rows : list of (str, str)
        What about, and what is said of it.
    notes : list of str
        What to be aware of.
    figures : dict of str -> float
        ``objective``, ``loss``, ``penalty``, ``trivial_loss``, ``explained_loss``, ``dual_gap``, ``gap_share`` (of the
        explained loss), ``active_features`` and ``alpha_max_factor`` (NaN where no strength makes all zero).

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import BlockSparseRegressor, explain_fit
    >>> X, Y = np.eye(3), np.array([[3.0, 0.0], [0.0, 0.0], [0.0, 3.0]])
    >>> explanation = explain_fit(BlockSparseRegressor(alpha=10.0).fit(X, Y))
    >>> explanation.notes
    ['All coefficients are zero: every task is predicted by its constant. Use a smaller strength.']
    >>> explanation.figures["active_features"]
    0
    """

    def __init__(self, estimator):
        summary = estimator._summary
        labels, names = estimator._labels.tolist(), _input.coef_names(estimator)
        d = estimator.coef_.shape[1]
        names = np.arange(d) if names is None else names
        used = used_rows(np.ascontiguousarray(estimator.coef_.T))
        tasks = counted(len(estimator.tasks_), "task")
        features = estimator._about_columns()[1] if not estimator._of_features else counted(d, "feature")
        sizes = summary.sizes if estimator._columns is None else summary.sizes[estimator._columns.first]
        self.title = f"{type(estimator).__name__}: {tasks}, {features}, {_samples(sizes)}"
        self.figures = _figures(estimator, summary, int(used.sum()))
        self.rows = [
            ("minimised", "\n".join([*summary.minimised, _with(summary.parameters)])),
            ("objective", _objective(self.figures, summary.said)),
            ("explained", _explained(self.figures, summary)),
            ("certain", _certain(estimator, self.figures, summary)),
            ("features", _features(names[used].tolist(), d)) if estimator._of_features else estimator._about_columns(),
            *((one.name, _said(one)) for one in summary.said if one.asks or one.findings),
            *_clusters(estimator),
            *_family(estimator),
            ("strength", _strength(summary.factor)),
        ]
        self.notes = _notes(estimator, summary, labels, names, used)

    def __str__(self):
        wide = max(len(about) for about, _ in self.rows) + 4
        lines = [self.title, ""]
        for about, text in self.rows:
            lines += _hung(text, "  " + about.ljust(wide - 2), wide)
        lines += [line for note in self.notes for line in _hung(note, "  ! ", 4)]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self):
        """A table; in what is around it are its colours, so that dark pages stay dark."""
        head = "padding:2px 12px 2px 0;text-align:left;vertical-align:top;white-space:nowrap"
        cell = "padding:2px 0;text-align:left"
        rows = "".join(
            f'<tr style="background:none"><th style="{head}">{html.escape(about)}</th>'
            f'<td style="{cell}">{html.escape(text).replace(chr(10), "<br>")}</td></tr>'
            for about, text in self.rows
        )
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        return (
            '<div class="convexmtl-fit" style="border:1px solid;border-radius:4px;padding:8px 12px;margin:6px 0;'
            f'max-width:60em;font-size:90%;overflow-wrap:anywhere"><b>{html.escape(self.title)}</b>'
            f'<table style="border-collapse:collapse;margin:4px 0">{rows}</table>'
            + (f'<b>To be aware of</b><ul style="margin:2px 0">{notes}</ul>' if notes else "")
            + "</div>"
        )


def _hung(text, first, indent):
    """Lines of the text, the first after ``first``, the others indented."""
    lines = [line for part in text.split("\n") for line in textwrap.wrap(part, WIDTH - indent) or [""]]
    return [(" " * indent if k else first) + line for k, line in enumerate(lines)]


def _figures(estimator, summary, n_used):
    penalty = float(sum(one.value for one in summary.said))
    loss = estimator.objective_ - penalty
    explained, gap = summary.trivial - loss, estimator.dual_gap_
    return {
        "objective": estimator.objective_,
        "loss": loss,
        "penalty": penalty,
        "trivial_loss": summary.trivial,
        "explained_loss": explained,
        "dual_gap": gap,
        "gap_share": gap / explained if explained > 0 else np.nan,
        "active_features": n_used,
        "alpha_max_factor": np.nan if summary.factor is None else summary.factor,
    }


def _samples(sizes):
    total, low, high = counted(int(sizes.sum()), "sample"), int(sizes.min()), int(sizes.max())
    if len(sizes) == 1:
        return total
    each = f"{low:,} for each task" if low == high else f"{low:,} to {high:,} a task, median {np.median(sizes):,.0f}"
    return f"{total} ({each})"


def _with(parameters):
    return "with " + ", ".join(
        f"{name} = {value if isinstance(value, str | bool) else format(value, '.4g')}"
        for name, value in parameters.items()
    )


def _objective(figures, said):
    terms = [f"{figure(figures['loss'])} (loss)"] + [f"{figure(one.value)} ({one.name})" for one in said]
    return f"{figure(figures['objective'])} = {' + '.join(terms)}"


def _explained(figures, summary):
    share = f"{percent(figures['explained_loss'] / summary.gain)} of the loss: " if summary.gain > 0 else ""
    return f"{share}{figure(summary.trivial)} without coefficients, {figure(figures['loss'])} with them"


def _certain(estimator, figures, summary):
    if figures["dual_gap"] < -summary.threshold:
        return f"nothing: the objective is {figure(-figures['dual_gap'])} below its own lower bound"
    share, gap = figures["gap_share"], figure(figures["dual_gap"])
    of_it = f", which is {percent(share)} of the explained loss" if np.isfinite(share) else ""
    rounds = counted(estimator.n_iter_, "iteration")
    ended = f"converged in {rounds}" if summary.converged else f"NOT CONVERGED in {rounds}"
    return f"no model has an objective more than {gap} below this one (duality gap){of_it}; {ended}"


def _features(used, d):
    if len(used) == d:
        return "all in use"
    return f"{len(used):,} of {d:,} in use" + (f": {listed(used)}" if used else "")


def _said(one):
    findings = [finding() if isinstance(finding, Later) else finding for finding in one.findings]
    return "; ".join(([f"asks for {one.asks}"] if one.asks else []) + findings)


def _clusters(estimator):
    """What there is of the attribute in which penalties report the cluster of every task."""
    members = getattr(estimator, "labels_", None)
    if members is None:
        return []
    found, sizes = np.unique(members, return_counts=True)
    order = np.argsort(-sizes, kind="stable")
    each = listed([f"{found[k]} ({counted(int(sizes[k]), 'task')})" for k in order])
    return [("clusters", f"{len(found):,}: {each}")]


def _family(estimator):
    """What there is of the attributes in which a search over families says what it has found."""
    table = getattr(estimator, "leaderboard_", None)
    if table is None:
        return []
    rows = table if isinstance(table, list) else table.to_dict("records")
    each = listed([f"{row['family']} ({figure(row['loss'])})" for row in rows])
    return [("family", f"{estimator.best_family_}, whose loss on the folds is the smallest: {each}")]


def _strength(factor):
    if factor is None:
        return "the penalty is smooth at zero: it shrinks, and no strength makes all coefficients exactly zero"
    if factor <= 0:
        return "no target goes with any feature: all coefficients are zero at any strength"
    if factor <= 1:
        return f"{figure(1 / factor)} times alpha_max, from which on all coefficients are zero"
    return f"alpha_max, from which on all coefficients are zero, is {figure(factor)} times as strong"


def _notes(estimator, summary, labels, names, used):
    notes = []
    if not summary.converged:
        wanted = figure(summary.threshold)
        notes.append(f"{summary.status} The gap is {figure(estimator.dual_gap_)}, and was to be {wanted}.")
    if not used.any():
        notes.append("All coefficients are zero: every task is predicted by its constant. Use a smaller strength.")
    else:
        zero = np.flatnonzero(~estimator.coef_.any(axis=1))
        if len(zero):
            named = listed(labels[k] for k in zero.tolist())
            notes.append(f"{counted(len(zero), 'task')} with coefficients that are all zero: {named}.")
    constant, nothing = summary.silent
    alone = summary.sizes[constant] == 1
    for tasks, reason in (
        (constant[alone], "a single sample"),
        (constant[~alone], "constant targets"),
        (nothing, "no feature that goes with the targets"),
    ):
        if len(tasks):
            notes.append(
                f"{counted(len(tasks), 'task')} with {reason}, whose data say nothing of the coefficients: "
                f"{listed(labels[k] for k in tasks.tolist())}."
            )
    if len(summary.constant):
        notes.append(
            f"{counted(len(summary.constant), 'feature')} constant within every task, whose coefficients are 0 since "
            f"intercepts do all that they can do: {listed(names[summary.constant].tolist())}."
        )
    scales = np.where(summary.scales > 0, summary.scales, np.nan)
    if np.isfinite(scales).any():
        low, high = int(np.nanargmin(scales)), int(np.nanargmax(scales))
        ratio = scales[high] / scales[low]
        if ratio > SCALES:
            notes.append(
                f"Features differ in scale by a factor of {figure(ratio)}, from {figure(scales[low])} "
                f"({listed([names[low]])}) to {figure(scales[high])} ({listed([names[high]])}): the smaller a feature, "
                "the more the penalty holds it down. Put a StandardScaler in front."
            )
    return notes + summary.notes
