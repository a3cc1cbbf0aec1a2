"""Sufficient statistics of the squared loss: all that a fit needs of the samples, in T d^2 numbers."""

from dataclasses import dataclass, fields, replace
from functools import reduce
from os import PathLike

import numpy as np
from sklearn.utils import check_array

from . import _input, _moments
from .tasks import Tasks

FORMAT = 1  # of files
LEFT = 1e-12  # share of a weight that rounding may leave after taking out
# What the tasks have on their last axis; the matrices of `gram` have them on their first.
BY_TASK = ("n_samples", "weight", "mean_X", "rest_X", "mean_y", "rest_y", "cross", "square")


@dataclass(frozen=True, eq=False, repr=False)
class SufficientStatistics:
    """All that the squared loss needs of the samples: for every task, with s_i the sample weights,

        sum_i s_i,   sum_i s_i x_i,   sum_i s_i y_i,   sum_i s_i x_i x_i',   sum_i s_i y_i x_i,   sum_i s_i y_i^2,

    the last three about the means, so that nothing cancels where features are far from zero; and the means as sums of
    two floats each. Made by ``from_arrays`` or ``from_moments``; objects do not change, and ``a + b`` is a new one.

    Where all tasks have one X with the same weights, K = 1 matrix stands for all of them; else K = T.

    Attributes
    ----------
    tasks : ndarray of shape (T,)
        Task labels.
    layout : {"single", "shared", "stacked"}
        Whether y was of shape (n,), (n, T), or (n,) with task labels.
    n_samples, weight : ndarray of shape (K,)
        Numbers of samples with a positive weight, and sums of the weights.
    mean_X, rest_X : ndarray of shape (d, K)
        Means of the features, and what is to be added to them.
    mean_y, rest_y : ndarray of shape (T,)
        The same of the targets.
    gram : ndarray of shape (K, d, d)
        X'X about the means.
    cross : ndarray of shape (d, T)
        X'y about the means.
    square : ndarray of shape (T,)
        y'y about the means.
    feature_names : ndarray of shape (d,) or None
        Column names, where X has had them.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import BlockSparseRegressor, SufficientStatistics
    >>> rng = np.random.default_rng(0)
    >>> X, Y = rng.normal(size=(40, 6)), rng.normal(size=(40, 4))
    >>> first, second = (SufficientStatistics.from_arrays(X[part], Y[part]) for part in (slice(30), slice(30, 40)))
    >>> first + second
    SufficientStatistics(n_tasks=4, n_features=6, n_samples=160, one X for all tasks)
    >>> model = BlockSparseRegressor(0.1, tol=1e-8).fit_statistics(first + second)
    >>> print(np.allclose(model.coef_, BlockSparseRegressor(0.1, tol=1e-8).fit(X, Y).coef_, atol=1e-6))
    True
    """

    tasks: np.ndarray
    layout: str
    n_samples: np.ndarray
    weight: np.ndarray
    mean_X: np.ndarray
    rest_X: np.ndarray
    mean_y: np.ndarray
    rest_y: np.ndarray
    gram: np.ndarray
    cross: np.ndarray
    square: np.ndarray
    feature_names: np.ndarray | None = None

    def __repr__(self):
        T, K = self.n_tasks, len(self.weight)
        total = f"{self.n_samples.sum() * (T / K):.10g}"
        return (
            f"SufficientStatistics(n_tasks={T}, n_features={self.n_features}, n_samples={total}"
            f"{', one X for all tasks' if K < T else ''})"
        )

    @property
    def n_tasks(self):
        return len(self.tasks)

    @property
    def n_features(self):
        return len(self.cross)

    # ----------------------------------------------------------------------------- where they come from

    @classmethod
    def from_arrays(cls, X, y, task=None, sample_weight=None):
        """Statistics of samples.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n, d)
        y : array-like of shape (n, T) or (n,)
            One column per task, NaN where a target is missing; or, with task labels, one target per row.
        task : array-like of shape (n,), default=None
            The task of every row, where every task has its own rows.
        sample_weight : array-like of shape (n,) or, for y (n, T), (n, T), default=None

        Returns
        -------
        SufficientStatistics

        Raises
        ------
        ValueError
            For whatever ``fit`` raises one.
        """
        _input.refuse_mask(X, "X")
        names = _input.feature_names(X)
        X = check_array(X, dtype=np.float64, accept_sparse=_input.SPARSE, estimator=cls.__name__, input_name="X")
        task = None if task is None else _input.read_labels(task, X.shape[0])
        columns = _input.target_names(y)
        y = _input.read_real_targets(cls.__name__, y, task is not None)
        _input.require_equal_rows(X, y)
        weight = _input.read_sample_weight(sample_weight, X, y)
        return cls._of_samples(X, y, *_input.read_layout(y, task, columns), weight, names)

    @classmethod
    def _of_samples(cls, X, y, layout, labels, codes, weight, names):
        """Of what has been read and checked."""
        _input.refuse_overflow(X)
        if codes is not None:
            totals = _input.task_totals(y, codes, weight, len(labels))
            return cls(labels, layout, **_moments.of_stacked(X, y, codes, weight, totals), feature_names=names)
        y = y.reshape(len(y), -1)
        # Rows without any target, which would give every task weights, and so a matrix, of its own.
        seen = ~np.isnan(y).all(axis=1)
        if not seen.all() and seen.any():
            X, y, weight = X[seen], y[seen], None if weight is None else weight[seen]
        totals = _input.task_totals(y, None, weight, len(labels))
        return cls(labels, layout, **_moments.of_tasks(Tasks.shared(X, y, weight), totals), feature_names=names)

    @classmethod
    def _of_part(cls, tasks, often):
        """Of rows of Tasks and their weights; ``often`` (n,) says how often each is taken.

        Tasks are known by their positions; those without such rows are left out.
        """
        repeats = tasks.n_tasks if tasks.is_shared else 1
        totals = tasks.sum(np.tile(np.asarray(often, dtype=float), repeats) * tasks.weight)
        part, left = tasks.part(often)
        layout = "shared" if tasks.is_shared else "stacked"
        return cls(left, layout, **_moments.of_tasks(part, totals[left]))

    @classmethod
    def from_moments(
        cls,
        gram,
        cross,
        square,
        n_samples,
        mean_X=None,
        mean_y=None,
        *,
        centred=False,
        tasks=None,
        feature_names=None,
    ):
        """Statistics from sums of products: a Gram matrix from one source, say, and X'y from another.

        Parameters
        ----------
        gram : array-like of shape (d, d) or (T, d, d)
            X'X of one X for all tasks, or that of every task.
        cross : array-like of shape (d, T) or (d,)
            X'y of every task.
        square : array-like of shape (T,) or float
            y'y of every task.
        n_samples : array-like of shape (T,) or float
            How many samples every task has, or the sum of their weights; one number for one X.
        mean_X : array-like of shape (d,) or (d, T), default=None
            Means of the features; None is zero.
        mean_y : array-like of shape (T,) or float, default=None
            Means of the targets; None is zero.
        centred : bool, default=False
            Whether the sums of products are about the means already.
        tasks : array-like of shape (T,), default=None
            Task labels; None numbers them.
        feature_names : array-like of shape (d,), default=None

        Returns
        -------
        SufficientStatistics

        Raises
        ------
        ValueError
            For shapes that do not fit, and for moments that no samples have: X'X that is not symmetric, or [X y]'[X y]
            with a negative eigenvalue.
        """
        T = np.shape(cross)[1] if np.ndim(cross) == 2 else 1
        labels = np.arange(T) if tasks is None else _input.read_labels(tasks, T)
        if len(_input.encode_tasks(labels)[0]) < T:
            raise ValueError("tasks must be different labels, one for each task.")
        found = _moments.read(gram, cross, square, n_samples, mean_X, mean_y, centred, labels.tolist())
        if feature_names is not None:
            feature_names = np.asarray(feature_names, dtype=object)
            if feature_names.shape != (len(found["cross"]),):
                raise ValueError(f"feature_names must have shape ({len(found['cross'])},), got {feature_names.shape}.")
        layout = "shared" if np.ndim(gram) == 2 else "stacked"
        return cls(labels, layout, **found, feature_names=feature_names)

    # ------------------------------------------------------------------------------------- sums and differences

    def __add__(self, other):
        if not isinstance(other, SufficientStatistics):
            return NotImplemented
        return self._combined(other, 1)

    def __sub__(self, other):
        """Without what is in ``other``; tasks of which nothing is left go.

        The moments lose as many digits as what is left of them is smaller than they were; of a feature of whose sum of
        squares no more than 1e-14 is left, nothing is.
        """
        if not isinstance(other, SufficientStatistics):
            return NotImplemented
        strangers = set(other.tasks.tolist()) - set(self.tasks.tolist())
        if strangers:
            named = ", ".join(map(repr, list(strangers)[:3]))
            raise ValueError(f"task {named} is not in the statistics that it is to be taken out of.")
        return self._combined(other, -1)

    def merge(self, *others):
        """The sum of these statistics and others, as with ``+``."""
        return reduce(lambda a, b: a + b, others, self)

    def _combined(self, other, sign):
        """These and ``sign`` times the others (Chan, Golub, LeVeque 1983, with weights that may be negative)."""
        names = self._names_with(other)
        layout = self.layout if self.layout == other.layout else "stacked"
        if {self.layout, other.layout} == {"single", "shared"}:
            layout = "shared"
        labels = _union(self.tasks, other.tasks)
        a, b = self, other
        if len(a.weight) != len(b.weight) or not np.array_equal(a.tasks, b.tasks):
            a, b = a._at(labels), b._at(labels)
        weight = a.weight + sign * b.weight
        bad = weight < -LEFT * a.weight
        if bad.any():
            k = int(bad.argmax())
            raise ValueError(
                f"a weight of {weight[k]:.3g} would be left of task {labels.tolist()[k]!r}: statistics can be taken "
                f"out only of those they are part of, and {b.weight[k]:.6g} of {a.weight[k]:.6g} cannot."
            )
        empty = weight <= LEFT * a.weight
        weight = np.where(empty, 0.0, weight)
        share = np.divide(sign * b.weight, weight, out=np.zeros_like(weight), where=~empty)
        factor = a.weight * share
        dX, dy = b.mean_X - a.mean_X, b.mean_y - a.mean_y
        rX, ry = b.rest_X - a.rest_X, b.rest_y - a.rest_y
        mean_X = _moments.add(a.mean_X, a.rest_X + rX * share, dX * share)
        mean_y = _moments.add(a.mean_y, a.rest_y + ry * share, dy * share)
        dX, dy = dX + rX, dy + ry
        gram = a.gram + sign * b.gram + np.einsum("ik,jk,k->kij", dX, dX, factor)
        cross = a.cross + sign * b.cross + dX * dy * factor
        square = a.square + sign * b.square + dy**2 * factor
        n_samples = np.maximum(a.n_samples + sign * b.n_samples, 0.0)
        small = _moments.constant(gram, mean_X[0], weight)
        if sign < 0:
            small |= np.einsum("kjj->kj", gram) <= _moments.NOISE * np.einsum("kjj->kj", a.gram)
            square = np.where(square <= _moments.NOISE * a.square, 0.0, square)
        gram, cross = _moments.without(gram, cross, small)
        made = SufficientStatistics(
            labels, layout, n_samples, weight, *mean_X, *mean_y, gram, cross, np.maximum(square, 0.0), names
        )
        gone = empty & (a.weight > 0)
        return made._only(~np.broadcast_to(gone, labels.shape)) if gone.any() else made

    def _names_with(self, other):
        """The feature names of both."""
        if self.n_features != other.n_features:
            raise ValueError(
                f"the statistics must be of the same features, got {self.n_features} and {other.n_features} of them: "
                "make both from the same columns of X."
            )
        mine, yours = self.feature_names, other.feature_names
        if mine is not None and yours is not None and not np.array_equal(mine, yours):
            j = int(np.argmax(mine != yours))
            raise ValueError(
                f"the statistics must be of the same features in the same order, got {mine[j]!r} and {yours[j]!r} at "
                f"position {j}: make both from the same columns of X."
            )
        return yours if mine is None else mine

    def _at(self, labels):
        """These statistics for other labels, those it has among them: matrices for every task, zero for new ones."""
        where, T = _positions(self.tasks, labels), len(labels)
        arrays = {}
        for name in BY_TASK:
            array = getattr(self, name)
            arrays[name] = np.zeros((*array.shape[:-1], T))
            arrays[name][..., where] = array
        gram = np.zeros((T, self.n_features, self.n_features))
        gram[where] = self.gram
        return replace(self, tasks=labels, gram=gram, **arrays)

    def _only(self, kept):
        """Those of some tasks, given as a mask."""
        if not kept.any():
            raise ValueError("nothing would be left: these are all samples of all tasks.")
        arrays = {name: getattr(self, name) for name in BY_TASK}
        arrays = {name: array[..., kept] if array.shape[-1] == len(kept) else array for name, array in arrays.items()}
        gram = self.gram if len(self.gram) < len(kept) else self.gram[kept]
        return replace(self, tasks=self.tasks[kept], gram=gram, **arrays)

    # ------------------------------------------------------------------------------------- what they are used for

    def squared_error(self, W, b=0.0):
        """sum_i s_i (y_i - x_i . w_t - b_t)^2 of every task.

        Parameters
        ----------
        W : ndarray of shape (..., d, T)
        b : ndarray of shape (..., T) or float, default=0.0

        Returns
        -------
        ndarray of shape (..., T)
        """
        shape = W.shape
        W = W.reshape(-1, *shape[-2:])
        if len(self.gram) == 1:
            GW = self.gram @ W
        else:
            GW = (self.gram @ W.transpose(2, 1, 0)).transpose(2, 1, 0)
        spread = self.square - 2 * np.einsum("ajt,jt->at", W, self.cross) + np.einsum("ajt,ajt->at", W, GW)
        off = self.mean_y - np.sum(self.mean_X * W, axis=1) - np.reshape(b, (-1, np.shape(b)[-1] if np.ndim(b) else 1))
        off = off + (self.rest_y - np.sum(self.rest_X * W, axis=1))
        return (np.maximum(spread, 0.0) + self.weight * off**2).reshape(*shape[:-2], shape[-1])

    def _tasks(self, task_weight=None):
        """Tasks with a few rows that have these statistics: their problem is that of all samples.

        Every task has the same number of rows, which count alike.
        """
        X, Y = self._rows()
        K, m, d = X.shape
        if K == 1:
            return Tasks.shared(X[0], Y[0], None, task_weight)
        return Tasks.stacked(X.reshape(-1, d), Y.ravel(), np.repeat(np.arange(K), m), K, None, task_weight)

    def _rows(self):
        """X (K, m, d) and Y (K, m, T / K): a few rows that have these statistics, each with weight_k / m."""
        X, Y = _moments.samples(self.gram, self.cross, self.square, self.weight)
        X += (self.mean_X + self.rest_X).T[:, None, :]
        Y += (self.mean_y + self.rest_y).reshape(len(X), 1, -1)
        return X, Y

    @property
    def _totals(self):
        """(T,) sums of the weights."""
        return np.broadcast_to(self.weight, (self.n_tasks,)).copy()

    # ------------------------------------------------------------------------------------------------- files

    def save(self, file):
        """Write to a file: numpy's ``npz``, without pickle.

        Parameters
        ----------
        file : str, path or binary file
            The name is taken as it is.

        Raises
        ------
        ValueError
            For labels of tasks that are neither numbers nor strings nor dates.
        """
        arrays = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) is not None}
        arrays["tasks"] = _plain_labels(self.tasks)
        if self.feature_names is not None:
            arrays["feature_names"] = self.feature_names.astype(str)
        arrays["convexmtl_statistics"] = np.array(FORMAT)
        if isinstance(file, str | PathLike):
            with open(file, "wb") as opened:
                np.savez(opened, **arrays)
        else:
            np.savez(file, **arrays)

    @classmethod
    def load(cls, file):
        """Read what ``save`` has written.

        Parameters
        ----------
        file : str, path or binary file

        Returns
        -------
        SufficientStatistics
        """
        try:
            with np.load(file, allow_pickle=False) as found:
                arrays = {name: found[name] for name in found.files}
        except (ValueError, AttributeError) as error:
            raise ValueError(f"{file!r} is not a file of SufficientStatistics.save.") from error
        if int(arrays.pop("convexmtl_statistics", 0)) != FORMAT or "gram" not in arrays:
            raise ValueError(f"{file!r} is not a file of SufficientStatistics.save of this version.")
        if "feature_names" in arrays:
            arrays["feature_names"] = arrays["feature_names"].astype(object)
        return cls(**{**arrays, "layout": str(arrays["layout"])})


def _plain_labels(labels):
    """Labels as an array without objects."""
    if labels.dtype.kind != "O":
        return labels
    kinds = {type(label) for label in labels.tolist()}
    if kinds == {str} or all(issubclass(kind, bool | int | float) for kind in kinds):
        return np.array(labels.tolist())
    named = sorted(kind.__name__ for kind in kinds)
    raise ValueError(f"task labels must be numbers, strings or dates to be saved, got {named}: rename the tasks.")


def _union(mine, yours):
    """All labels: sorted where both are, else those of the second that are new at the end."""
    if np.array_equal(mine, yours):
        return mine
    kinds = [("number" if a.dtype.kind in "biuf" else a.dtype.kind) for a in (mine, yours)]
    if kinds[0] != kinds[1] and "O" not in kinds and set(kinds) != {"U", "T"}:
        raise ValueError(
            f"task labels must be of one kind, got {mine.tolist()[0]!r} and {yours.tolist()[0]!r}: label the tasks of "
            "all parts in the same way."
        )
    both = np.concatenate([mine, yours])
    labels, _ = _input.encode_tasks(both)
    if all(np.array_equal(_input.encode_tasks(a)[0], a) for a in (mine, yours)):
        return labels
    known = set(mine.tolist())
    return both[[t < len(mine) or label not in known for t, label in enumerate(both.tolist())]]


def _positions(labels, among):
    """Where labels are among others, which have them all."""
    where = {label: t for t, label in enumerate(among.tolist())}
    return np.array([where[label] for label in labels.tolist()], dtype=np.int64)
