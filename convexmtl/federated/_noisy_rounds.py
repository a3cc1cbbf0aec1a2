"""Rounds with privacy, of losses whose slopes and curvatures are bounded: Newton's method on noisy sums.

What a party tells in a round are Sums with h, a curvature of the loss (its second derivative, but for Huber's), and v,
its slope, at the coefficients that it is asked about, in units of the largest that there are: of h, h x, h x x', v,
v x, and of the weights. In units of the noise a row changes them by sqrt(h^2 abs(u)^4 + 2 v^2 abs(u)^2 + 1) <= 3, with
u = (1, x) of length sqrt(2) at most; with one X, whose rows are of all T tasks, by sqrt(T) times that.
"""

from dataclasses import replace
from functools import reduce
from operator import add
from types import SimpleNamespace

import numpy as np

from .. import _input
from .._threads import one_thread
from ..distributed._models import Frame, least_squares
from ..estimators._formulation import Data, Formulation
from ..explanation import FitSummary
from ..losses import Huber, Logistic
from ..solvers import solve
from ..statistics import SufficientStatistics, _union
from . import _statistics
from ._evaluation import Rows, places
from ._messages import packed, taken
from ._sums import Sums


def slope_of(loss):
    """The largest slope of a loss, which is what privacy needs to be bounded.

    Raises
    ------
    ValueError
        Where there is none.
    """
    if isinstance(loss, Logistic):
        return 1.0
    if isinstance(loss, Huber):
        return float(loss.delta)
    raise ValueError(
        f"a row may change sums of loss={type(loss).__name__} by any amount, so that no noise hides it: with privacy "
        "parties tell of the squared loss, 'logistic' and 'huber'."
    )


# ------------------------------------------------------------------------------------------ the party


def rows_within_bounds(party, loss, arrays=None):
    """(Rows in the units of the Privacy, how many rows were longer than their bound)."""
    slope_of(loss)
    X, _, longer, _ = party.privacy._clipped(party._X, np.zeros(party._X.shape[0]))
    inside = SimpleNamespace(
        _X=X, _y=party._y, _task=party._task, _given=party._given, _columns=party._columns, _names=party._names
    )
    return Rows.of(inside, loss, arrays), longer


def describe(rows, party, reply, privacy):
    """Bytes: labels of the tasks, names of the features and classes; no count of anything."""
    arrays, survey = dict(tasks=rows.labels), rows.survey
    if rows.names is not None:
        arrays["names"] = rows.names.astype(str)
    if survey.pairs:
        arrays["classes"] = np.unique(_input.label_array([value for _, value in survey.pairs]))
        if len(arrays["classes"]) > 2:
            raise ValueError(
                f"y has {len(arrays['classes'])} classes, {arrays['classes'][:5].tolist()}: rounds with privacy are "
                "for two. Make of each class a task of its own, itself against the rest."
            )
    d = rows.samples.X.shape[1]
    words = dict(layout=rows.samples.layout, features=d, private=dict(privacy._units(d), rounds=privacy.rounds))
    return packed("description", arrays, party=party, reply=reply, **words)


def evaluate(rows, loss, party, reply, arrays, privacy, account, seed):
    """Bytes: the noisy sums at the coefficients that a request asks about."""
    where, d, T = places(rows.labels, arrays), rows.samples.X.shape[1], len(arrays["tasks"])
    W, b = taken(arrays, "W", (d, T))[:, where], taken(arrays, "b", (T,))[where]
    units = privacy._units(d)
    center, scale = _affine(units, d)
    sums = sums_at(rows, loss, scale[:, None] * W, b + center @ W)
    sensitivity = 3.0 * np.sqrt(1 if rows.samples.layout == "stacked" else len(rows.labels))
    told = sums.with_noise(account.deviation(sensitivity, 1 / privacy.rounds), seed)
    return _statistics.write(party, reply, rows.samples.layout, [told], units, rows.names)


def sums_at(rows, loss, W, b):
    """Sums without noise, at coefficients in the units of the rows."""
    of_samples, tasks, c = rows.part.term.loss, rows.part.term.tasks, rows.part.term.tasks.weight
    z = tasks.shift(tasks.apply(W), b)
    if isinstance(loss, Huber):
        # (Of the parabola that touches the loss from above: no step is too long, with nobody to say so.)
        away = np.abs(tasks.y - z - (0.0 if tasks.offset is None else tasks.offset))
        h = loss.delta / np.maximum(away, loss.delta)
    else:
        h = np.clip(of_samples.second(tasks.y, z) / loss.curvature, 0.0, 1.0)
    v = np.clip(of_samples.derivative(tasks.y, z) / slope_of(loss), -1.0, 1.0)
    return Sums(
        rows.labels,
        0.0,
        tasks.sum(c * h),
        tasks.adjoint(c * h),
        tasks.sum(c * v),
        tasks.gram(c * h),
        tasks.adjoint(c * v),
        rows.survey.totals,
    )


def _affine(units, d):
    """(center (d,), scale (d,)) of the features in units of their bound."""
    scale = np.broadcast_to(np.asarray(units["scale_X"]) * units["bound_X"], d)
    return np.broadcast_to(np.asarray(units["center_X"], dtype=float), d), scale


# ------------------------------------------------------------------------------------- the coordinator


def script(estimator, loss, described, spoken):
    """Yield what is asked, (words, arrays), and take the answers; return the fitted estimator."""
    words, first = described[0].words, described[0].arrays
    labels, classes, names = first["tasks"], first.get("classes"), None
    for one in described:
        if one.words.get("private") != words.get("private"):
            raise ValueError(
                f"{one.party} and {described[0].party} do not tell sums of the same: all parties declare the same "
                f"bounds, units and rounds in Privacy, or none does; got {one.words.get('private')} and "
                f"{words.get('private')}."
            )
        labels = _union(labels, one.arrays["tasks"])
        names = one.arrays.get("names") if names is None else names
        classes = None if classes is None else _union(classes, one.arrays["classes"])
    if classes is not None and len(classes) != 2:
        raise ValueError(f"the parties have {len(classes)} class(es) together, {classes.tolist()}: rounds are for two.")
    d, T = words["features"], len(labels)
    estimator.n_features_in_ = d
    if names is not None:
        estimator.feature_names_in_ = names.astype(object)
    penalty = estimator._bound(d, _input.coef_names(estimator), None)
    canonical = penalty.resolve(d, labels)
    frame, shared = Frame(canonical, estimator.fit_intercept), dict(tasks=labels)
    if classes is not None:
        shared |= dict(sizes=np.full(T, 2), classes=np.tile(classes, T), codes=np.tile([-1.0, 1.0], T))
        shared["columns"] = np.ones(T, dtype=np.int64)
    W, b = np.zeros((d, T)), np.zeros(T)
    for _ in range(words["private"]["rounds"]):
        told = yield dict(ask="evaluation", noisy=True, **spoken), dict(shared, W=W, b=b)
        units = {name: value for name, value in words["private"].items() if name != "rounds"}
        if any(one.units != units for one in told):
            raise ValueError("the parties tell sums in other units than those that they have described.")
        total = reduce(add, (one.folds[0] for one in told))
        H, slope, slope_b, counts = _in_units(total._at(labels), words["private"], loss)
        each = _input.read_task_weight(estimator.task_weight, counts)
        weight = (1.0 if each is None else each) / counts
        with one_thread():
            H = replace(H, weight=weight * H.weight, gram=weight[:, None, None] * H.gram)
            model = least_squares(H, W, b, weight * slope, weight * slope_b, frame)
            result = solve(model, None, estimator.tol, estimator.max_iter)
        W, b = result.W, result.intercept
    data = Data(model.tasks, loss, labels, words["layout"], classes, None, None, counts.mean(), names)
    formulation = Formulation(model, penalty.bind(labels), data)
    estimator._summary = FitSummary.of(formulation, result, estimator.tol)
    estimator._summary.notes.append("It is fitted to noisy sums, and certified for the last model that they make.")
    estimator._settle(formulation, result)
    return estimator


def _in_units(total, units, loss):
    """(SufficientStatistics of the features with the curvatures as weights, slopes (d, T) and (T,), counts (T,)): noisy
    Sums in the units of X, moved to where some rows have them."""
    d, T = total.cross.shape
    center, scale = _affine(units, d)
    counts, mass = np.maximum(total.square, 1.0), np.maximum(total.count, total.deviation)
    means = total.sum_X / mass
    means = means / np.maximum(np.linalg.norm(means, axis=0), 1.0)
    gram = total.gram - np.einsum("ik,jk,k->kij", means, means, mass)
    values, Q = np.linalg.eigh(gram)
    gram = (Q * np.maximum(values, total.deviation * np.sqrt(2 * d))[:, None, :]) @ Q.transpose(0, 2, 1)
    most, steepest = loss.curvature, slope_of(loss)
    slope_b = steepest * total.sum_y
    slope = center[:, None] * slope_b + scale[:, None] * total.cross * steepest
    H = SufficientStatistics(
        total.tasks, "stacked", counts, most * mass, center[:, None] + scale[:, None] * means, np.zeros((d, T)),
        np.zeros(T), np.zeros(T), most * scale[:, None] * gram * scale, np.zeros((d, T)), np.zeros(T),
    )  # fmt: skip
    return H, slope, slope_b, counts
