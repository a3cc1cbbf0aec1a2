"""What a party tells of a loss in rounds: its value, derivatives and curvature at coefficients that it is asked about.

Sums are over the rows of every task with their weights s_i, at predictions z = x . w + b; v and h are the first and the
second derivative there. Where the latter is zero, what a model of the loss wants more is told feature by feature.
"""

from typing import NamedTuple

import numpy as np

from .. import _input
from .._json import read as of_words
from ..losses import Loss
from ..statistics import SufficientStatistics, _positions
from ..tasks import Tasks
from ._messages import packed, taken, unpacked
from ._statistics import fold_arrays, read_fold

# What dual variables are shrunk by, which a step that is a little too long has led out of what the loss accepts.
SCALES = 1 - np.array([0, 1e-12, 1e-10, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1])
STEPS = 0.5 ** np.arange(1, 13)  # shorter ones on the way to a candidate, of which the value is told, too


class Rows(NamedTuple):
    """The rows of a party, read for one loss.

    Attributes
    ----------
    tasks : Tasks
    loss : Loss
        At these samples.
    labels : ndarray of shape (T,)
    totals : ndarray of shape (T,)
        Sums of the weights, by which those of ``tasks`` are smaller.
    layout : str
    names : ndarray or None
    """

    tasks: Tasks
    loss: Loss
    labels: np.ndarray
    totals: np.ndarray
    layout: str
    names: np.ndarray | None

    @classmethod
    def of(cls, party, loss, classes):
        """Those of a Party; ``classes`` are the two labels, or None."""
        X, (weight, offset) = party._X, party._given
        if classes is None:
            y = _input.read_real_targets("Party", party._y, party._task is not None)
        else:
            y = _signs(_input.read_class_targets("Party", party._y, party._task is not None), classes)
        _input.require_equal_rows(X, y)
        weight = _input.read_sample_weight(weight, X, y)
        layout, labels, codes = _input.read_layout(y, party._task, party._columns)
        offset = _input.read_offset(offset, y, weight)
        totals = _input.task_totals(y, codes, weight, len(labels))
        if codes is None:
            tasks = Tasks.shared(X, y.reshape(len(y), -1), weight, None, offset)
        else:
            tasks = Tasks.stacked(X, y, codes, len(labels), weight, None, offset)
        _input.refuse_overflow(tasks.X)
        loss.check_targets(tasks.y[tasks.weight > 0])
        return cls(tasks, loss.at(tasks), labels, totals, layout, party._names)

    @property
    def counts(self):
        """(T,) rows with a weight."""
        return self.tasks.sum((self.tasks.weight > 0).astype(float))

    @property
    def scale(self):
        """(T,) by what sums over ``tasks.weight`` are smaller than those over the weights."""
        mass = self.tasks.mass
        return np.divide(self.totals, mass, out=np.zeros_like(mass), where=mass > 0)

    def sums(self, u):
        """(T,) weighted sums of u (N,), which may be infinite for samples without weight."""
        return self.tasks.sum(np.where(self.tasks.weight > 0, u, 0.0) * self.tasks.weight) * self.scale

    def at_zero(self, b):
        """Of coefficients that are zero, and the intercepts b (T,)."""
        y, z = self.tasks.y, self.tasks.shift(np.zeros(len(self.tasks.y)), b)
        perfect, v = self.loss.conjugate(y, np.zeros(len(y))), self.loss.derivative(y, z)
        return dict(
            zero_value=self.sums(self.loss.value(y, z)),
            zero_slope=self.tasks.adjoint(self.tasks.weight * v) * self.scale,
            zero_slope_b=self.sums(v),
            zero_bend=self.sums(self.loss.model_curvature(y, z)),
            zero_perfect=self.sums(perfect),
        )

    @np.errstate(over="ignore", invalid="ignore")
    def model(self, W, b):
        """(SufficientStatistics of the features weighted by s h, {name: sums}) at W (d, T) and b (T,)."""
        tasks, y = self.tasks, self.tasks.y
        z = tasks.shift(tasks.apply(W), b)
        v, h = self.loss.derivative(y, z), self.loss.second(y, z)
        more = np.maximum(self.loss.model_curvature(y, z) - h, 0.0)
        value = self.sums(self.loss.value(y, z))
        if not (np.isfinite(value).all() and np.isfinite(tasks.weight @ np.abs(v)) and np.isfinite(tasks.weight @ h)):
            return None, dict(value=np.where(np.isfinite(value), value, np.inf))
        c, d, T = tasks.weight, tasks.n_features, tasks.n_tasks
        means = tasks.means(c * h)
        nothing = dict(rest_X=np.zeros((d, T)), mean_y=np.zeros(T), rest_y=np.zeros(T))
        nothing |= dict(cross=np.zeros((d, T)), square=np.zeros(T))
        curvature = SufficientStatistics(
            self.labels,
            "stacked",
            self.counts,
            self.sums(h),
            means,
            gram=tasks.gram(c * h, means) * self.scale[:, None, None],
            feature_names=self.names,
            **nothing,
        )
        sums = dict(value=value, slope_b=self.sums(v), slope=tasks.adjoint(c * v) * self.scale)
        centres = tasks.means(c)
        return curvature, sums | dict(more=tasks.curvature(c * more, centres) * self.scale, more_b=self.sums(more))

    @np.errstate(over="ignore", invalid="ignore")
    def along(self, W, b, step_W, step_b):
        """(K, T) values on the way from W and b by STEPS of a step."""
        tasks, y = self.tasks, self.tasks.y
        z, dz = tasks.shift(tasks.apply(W), b), tasks.shift(tasks.apply(step_W), step_b)
        values = np.array([self.sums(self.loss.value(y, z + step * dz)) for step in STEPS])
        return np.where(np.isnan(values), np.inf, values)

    @np.errstate(over="ignore", invalid="ignore")
    def fenchel(self, at, W, b, moved, moved_b, scale):
        """(S, T) this loss's share of the duality gap of W and b: for the dual variables v + h (x . moved + moved_b),
        times ``scale`` and all SCALES, with v and h taken at the coefficients and intercepts ``at``."""
        tasks, y = self.tasks, self.tasks.y
        base, z = tasks.shift(tasks.apply(at[0]), at[1]), tasks.shift(tasks.apply(W), b)
        v = self.loss.derivative(y, base)
        v = v + self.loss.second(y, base) * tasks.shift(tasks.apply(moved), moved_b)
        found = np.array([self.sums(self.loss.fenchel_gap(y, z, s * v)) for s in scale * SCALES])
        return np.where(np.isfinite(found), found, np.inf)


def loss_of(words):
    """The Loss that words of a request describe."""
    loss = of_words(words)
    if not isinstance(loss, Loss):
        raise ValueError(f"the request asks for a {type(loss).__name__}, where a loss is expected.")
    return loss


# ------------------------------------------------------------------------------------- as messages


def describe(rows, party, reply, classes):
    """Bytes: the tasks of a party's Rows, how many and how much each has, and how many of the second class, or the sums
    of their targets."""
    tasks = rows.tasks
    arrays = dict(tasks=rows.labels, totals=rows.totals, counts=rows.counts)
    if rows.names is not None:
        arrays["names"] = rows.names.astype(str)
    if classes is None:
        arrays["sum_y"] = rows.sums(tasks.y)
    else:
        positive = (tasks.y > 0).astype(float)
        arrays |= dict(classes=classes, positive=tasks.sum((tasks.weight > 0) * positive), sum_y=rows.sums(positive))
    words = dict(layout=rows.layout, features=tasks.n_features, offset=tasks.offset is not None)
    return packed("description", arrays, party=party, reply=reply, **words)


class Description(NamedTuple):
    """What a party tells of its rows before anything is evaluated."""

    party: str
    reply: str
    words: dict
    arrays: dict


def read_description(message):
    _, words, arrays = unpacked(message, "description")
    party, reply = words.get("party"), words.get("reply")
    try:
        labels = arrays.get("tasks")
        if labels is None or labels.ndim != 1 or not len(labels) or len(set(labels.tolist())) < len(labels):
            raise ValueError("the message has no different labels of tasks.")
        if type(words.get("features")) is not int or words["features"] < 1:
            raise ValueError(f"the message has {words.get('features')!r} features.")
        private = words.get("private")
        rounds = private.get("rounds") if isinstance(private, dict) else private
        if private is not None and (type(rounds) is not int or rounds < 1):
            raise ValueError(f"the message has {rounds!r} rounds.")
        wanted = () if private is not None else ("totals", "counts", "sum_y")
        for name in (*wanted, *(["positive"] if "positive" in arrays else [])):
            taken(arrays, name, labels.shape)
        if "names" in arrays:
            taken(arrays, "names", (words["features"],), "U")
    except ValueError as error:
        raise ValueError(f"party {party!r}: {error}") from error
    return Description(party, reply, words, arrays)


def evaluate(rows, party, reply, words, arrays):
    """Bytes: what is asked of a party's Rows in a request, for its tasks among those of the request."""
    where, T, d = places(rows.labels, arrays), len(arrays["tasks"]), rows.tasks.n_features

    def asked(name):
        return taken(arrays, name, (d, T) if name.endswith("W") else (T,))[..., where]

    told = dict(tasks=rows.labels, **rows.at_zero(asked("zero_b")))
    curvature, found = rows.model(asked("W"), asked("b"))
    told |= found
    if curvature is not None:
        told |= fold_arrays("0", curvature)
    if words.get("moved"):
        base, moved = (asked("base_W"), asked("base_b")), (asked("moved_W"), asked("moved_b"))
        told["fenchel"] = rows.fenchel(base, asked("W"), asked("b"), *moved, float(words["scale"]))
        step = asked("W") - base[0], asked("b") - base[1]
        told["along"] = rows.along(*base, *step)
    return packed("evaluation", told, party=party, reply=reply)


def places(labels, arrays):
    """Where a party's tasks are among those of a request."""
    try:
        return _positions(labels, arrays["tasks"])
    except KeyError as error:
        raise ValueError(f"the request knows nothing of task {error}: it is of another fit.") from None


class Evaluation(NamedTuple):
    """What a party tells at some coefficients: sums by task, and its curvature; None where the loss is infinite."""

    party: str
    reply: str
    tasks: np.ndarray
    sums: dict
    curvature: SufficientStatistics | None


def read_evaluation(message, d):
    _, words, arrays = unpacked(message, "evaluation")
    party = words.get("party")
    try:
        labels = arrays.get("tasks")
        if labels is None or labels.ndim != 1:
            raise ValueError("the message has no labels of tasks.")
        T = len(labels)
        shapes = dict(slope=(d, T), zero_slope=(d, T), more=(d, T), along=(len(STEPS), T), fenchel=(len(SCALES), T))
        names = ["zero_value", "zero_slope", "zero_slope_b", "zero_bend", "zero_perfect", "value"]
        names += [name for name in ("slope", "slope_b", "more", "more_b", "fenchel", "along") if name in arrays]
        endless = ("value", "fenchel", "along")
        sums = {name: taken(arrays, name, shapes.get(name, (T,)), infinite=name in endless) for name in names}
        curvature = read_fold(arrays, 0, "stacked", None, None) if "0.gram" in arrays else None
        derivatives = {"slope", "slope_b", "more", "more_b"} & sums.keys()
        if len(derivatives) != (0 if curvature is None else 4) or (
            curvature is None and np.isfinite(sums["value"]).all()
        ):
            raise ValueError("the message has no derivatives.")
    except ValueError as error:
        raise ValueError(f"party {party!r}: {error}") from error
    return Evaluation(party, words.get("reply"), labels, sums, curvature)


def classes_of(party):
    """The labels of the classes of a Party, in order."""
    y = _input.read_class_targets("Party", party._y, party._task is not None)
    found = np.unique(y[~_input.missing_mask(y)])
    if len(found) > 2:
        raise ValueError(
            f"y has {len(found)} classes, {found[:5].tolist()}: rounds are for two. Make of each class a task of its "
            "own, itself against the rest."
        )
    return found


def _signs(y, classes):
    """-1 for the first class and +1 for the second, NaN where missing."""
    missing = _input.missing_mask(y)
    found = np.full(y.shape, np.nan)
    known = np.isin(y[~missing], classes)
    if not known.all():
        raise ValueError(f"y holds {y[~missing][~known].tolist()[0]!r}, which is none of {classes.tolist()}.")
    found[~missing] = np.where(y[~missing] == classes[-1], 1.0, -1.0)
    return found
