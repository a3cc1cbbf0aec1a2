"""Sufficient statistics of the squared loss: all that a fit needs of the samples, in T d^2 numbers."""

from dataclasses import dataclass, fields, replace
from functools import reduce
from os import PathLike

import numpy as np
from scipy.linalg import helmert
from scipy.sparse import issparse
from sklearn.utils import check_array

from . import _input
from .gram import unit_diagonal
from .tasks import Tasks, without_rounding

FORMAT = 1  # of files
LEFT = 1e-12  # share of a weight that rounding may leave after taking out
NOISE = 1e-14  # share of a sum of squares that rounding leaves after taking out
HARD = 1e-8  # squared pivot, beside a diagonal of ones, below which an eigendecomposition is taken instead of Cholesky
CUT = 1e-15  # eigenvalue, beside a diagonal of ones and per feature, that is rounding
TOLERANCE = 1e-8  # by which moments from outside may contradict each other
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
        if layout == "stacked":
            tasks = Tasks.stacked(X, y, codes, len(labels), weight)
        else:
            y = y[:, None] if y.ndim == 1 else y
            # Rows without any target, which would give every task weights, and so a matrix, of its own.
            seen = ~np.isnan(y).all(axis=1)
            if not seen.all() and seen.any():
                X, y, weight = X[seen], y[seen], None if weight is None else weight[seen]
                codes = None
            tasks = Tasks.shared(X, y, weight)
        return cls._of(tasks, _input.task_totals(y, codes, weight, len(labels)), labels, layout, names)

    @classmethod
    def _of(cls, tasks, totals=None, labels=None, layout="stacked", names=None):
        """Of Tasks, whose weights sum to ``totals`` (T,); None takes them as they are."""
        c, mass = tasks.weight, tasks.mass
        totals = mass if totals is None else totals
        common = tasks.common_weight is not None
        share = np.divide(1.0, mass, out=np.zeros_like(mass), where=mass > 0)
        scale = totals * share
        n_samples = tasks.sum((c > 0).astype(float))

        mean_y = tasks.sum(c * tasks.y) * share
        r = tasks.y - tasks.spread(mean_y)
        rest_y = tasks.sum(c * r) * share
        r -= tasks.spread(rest_y)

        tasks, centre = _centred(tasks)
        means = tasks.means(c)
        cross = tasks.adjoint(c * r) - means * tasks.sum(c * r)
        if common:
            gram = tasks.weighted_gram(tasks.common_weight[0], True)[None] * totals[:1, None, None]
        else:
            gram = scale[:, None, None] * tasks.gram(c, means)
        K = len(gram)
        mean_X, rest_X = _sum(*np.broadcast_arrays(centre, means[:, :K]), 0.0)
        gram, cross = _without(gram, cross * scale, _constant(gram, mean_X, totals[:K]))
        labels = np.arange(len(mass)) if labels is None else labels
        own = n_samples[:K], totals[:K], mean_X, rest_X
        return cls(labels, layout, *own, *_sum(mean_y, rest_y, 0.0), gram, cross, tasks.sum(c * r**2) * scale, names)

    @classmethod
    def of_part(cls, tasks, often):
        """Of some rows of Tasks, for the weights that these have; ``often`` (n,) says how often each is taken.

        One pass over the rows that are taken. Tasks are known by their positions; those without such rows are left out.
        """
        repeats = tasks.n_tasks if tasks.is_shared else 1
        totals = tasks.sum(np.tile(np.asarray(often, dtype=float), repeats) * tasks.weight)
        part, left = tasks.part(often)
        return cls._of(part, totals[left], left, "shared" if tasks.is_shared else "stacked")

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
        tolerance = TOLERANCE
        if np.asarray(gram).dtype == np.float32 or np.asarray(cross).dtype == np.float32:
            tolerance = 1e-4
        gram = _moments(gram, "gram", (2, 3))
        cross = _moments(cross, "cross", (1, 2))
        cross = cross[:, None] if cross.ndim == 1 else cross
        shared = gram.ndim == 2
        gram = gram[None] if shared else gram
        (d, T), K = cross.shape, len(gram)
        if gram.shape != (K, d, d) or not (shared or K == T):
            raise ValueError(
                f"gram must have shape ({d}, {d}), or ({T}, {d}, {d}) with one matrix per task, since cross has shape "
                f"{cross.shape}; got {gram.shape[1:] if shared else gram.shape}."
            )
        square = _filled(square, "square", (T,))
        n_samples = _filled(n_samples, "n_samples", (K,))
        mean_X = np.zeros((d, K)) if mean_X is None else _moments(mean_X, "mean_X", (1, 2))
        mean_X = _filled(mean_X[:, None] if mean_X.ndim == 1 else mean_X, "mean_X", (d, K))
        mean_y = _filled(0.0 if mean_y is None else mean_y, "mean_y", (T,))
        if np.any(n_samples <= 0):
            raise ValueError(f"n_samples must be positive, got {n_samples.min():g}: leave out tasks without samples.")
        if np.any(np.abs(gram - gram.swapaxes(1, 2)) > tolerance * np.abs(gram).max()):
            raise ValueError("gram must be symmetric: X'X is, so one of its triangles is wrong. Pass (G + G.T) / 2.")
        if tasks is None:
            labels = np.arange(T)
        else:
            labels = _input.read_labels(tasks, T)
            if len(_input.encode_tasks(labels)[0]) < T:
                raise ValueError("tasks must be different labels, one for each task.")
        if feature_names is not None:
            feature_names = np.asarray(feature_names, dtype=object)
            if feature_names.shape != (d,):
                raise ValueError(f"feature_names must have shape ({d},), got {feature_names.shape}.")
        zeros = np.zeros_like(mean_X), np.zeros_like(mean_y)
        gram = (gram + gram.swapaxes(1, 2)) / 2
        if not centred:
            # What is left of a constant feature is rounding of its sum of squares.
            squares, before = np.einsum("kjj->kj", gram).copy(), square
            gram = gram - np.einsum("ik,jk,k->kij", mean_X, mean_X, n_samples)
            cross = cross - mean_X * n_samples * mean_y
            square = square - n_samples * mean_y**2
            square = np.where(np.abs(square) <= NOISE * before, 0.0, square)
            gram, cross = _without(gram, cross, np.abs(np.einsum("kjj->kj", gram)) <= NOISE * squares)
        own = n_samples, n_samples.copy(), mean_X, zeros[0], mean_y, zeros[1], gram, cross, square
        made = cls(labels, "shared" if shared else "stacked", *own, feature_names)
        made._refuse_contradictions(tolerance)
        return made

    def _refuse_contradictions(self, tolerance):
        """Raise a ValueError where the moments are those of no samples."""
        diagonal = np.einsum("kjj->kj", self.gram)
        S, _ = unit_diagonal(self.gram)
        lowest = np.linalg.eigvalsh(S)[:, 0]
        lowest = np.where((diagonal < 0).any(axis=1), -1.0, lowest)
        if lowest.min() < -tolerance * self.n_features:
            k = int(lowest.argmin())
            where = "" if len(lowest) < self.n_tasks else f" of task {self.tasks.tolist()[k]!r}"
            raise ValueError(
                f"gram{where} is not a Gram matrix about the means: with a diagonal of ones it has an eigenvalue of "
                f"{lowest[k]:.3g}. Check mean_X, n_samples and centred, or add to its diagonal."
            )
        R, V, left = self._factors()
        scale = np.where(self.square > 0, self.square, 1.0)
        # (What of X'y is along features, or combinations of them, that do not vary.)
        missed = np.abs(self.cross - _cross(R, V)).max(axis=0, initial=0.0)
        lengths = np.sqrt(np.maximum(diagonal.max(axis=1), 0) * scale)
        bad = (left < -tolerance * self.n_features * scale) | (missed > np.sqrt(tolerance) * lengths)
        if bad.any():
            t = int(bad.argmax())
            raise ValueError(
                f"cross of task {self.tasks.tolist()[t]!r} contradicts gram and square: no samples have such X'y, since "
                f"the least squares fit would leave {left[t]:.3g} of y'y = {self.square[t]:.3g}. If they come "
                "from different samples, scale cross and square to the same n_samples, or add to the diagonal of gram."
            )

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
        same = np.array_equal(labels, self.tasks) and np.array_equal(labels, other.tasks)
        if same and len(self.weight) == len(other.weight):
            a, b = self, other
        else:
            a, b = self._at(labels), other._at(labels)
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
        mean_X = _sum(a.mean_X, a.rest_X + rX * share, dX * share)
        mean_y = _sum(a.mean_y, a.rest_y + ry * share, dy * share)
        dX, dy = dX + rX, dy + ry
        gram = a.gram + sign * b.gram + np.einsum("ik,jk,k->kij", dX, dX, factor)
        cross = a.cross + sign * b.cross + dX * dy * factor
        square = a.square + sign * b.square + dy**2 * factor
        n_samples = np.maximum(a.n_samples + sign * b.n_samples, 0.0)
        small = _constant(gram, mean_X[0], weight)
        if sign < 0:
            small |= np.einsum("kjj->kj", gram) <= NOISE * np.einsum("kjj->kj", a.gram)
            square = np.where(square <= NOISE * a.square, 0.0, square)
        gram, cross = _without(gram, cross, small)
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
        arrays = {name: getattr(self, name)[..., kept] for name in BY_TASK if getattr(self, name).shape[-1] == len(kept)}
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

    def _factors(self):
        """R (K, m, d), V (K, m, T / K) and left (T,): R'R = X'X, R'V = X'y and V'V + left = y'y, about the means.

        By Cholesky factors, or eigenvectors where a matrix is nearly singular; features have unit length meanwhile, so
        that small units are not rounding.
        """
        K, d = len(self.gram), self.n_features
        length = np.sqrt(np.maximum(np.einsum("kjj->kj", self.gram), 0.0))
        S, unit = unit_diagonal(self.gram)
        unit = np.where(length > 0, unit, 0.0)
        every = np.arange(d)
        S[:, every, every] += length == 0
        C = (self.cross.T[:, :, None] if K > 1 else self.cross[None]) * unit[:, :, None]
        try:
            # (A little more on the diagonal, so that a single singular matrix does not stop them all.)
            pivots = np.linalg.cholesky(S + 0.1 * HARD * np.eye(d))[:, every, every]
            hard = pivots.min(axis=1, initial=1.0) ** 2 < HARD
        except np.linalg.LinAlgError:
            hard = np.ones(K, dtype=bool)
        R, V = np.empty_like(S), np.empty_like(C)
        L = np.linalg.cholesky(S[~hard])
        R[~hard], V[~hard] = L.transpose(0, 2, 1), np.linalg.solve(L, C[~hard])
        values, Q = np.linalg.eigh(S[hard])
        root = np.sqrt(np.where(values > CUT * d, values, 0.0))[:, :, None]
        Q = Q.transpose(0, 2, 1)
        R[hard] = root * Q
        V[hard] = np.divide(Q @ C[hard], root, out=np.zeros_like(V[hard]), where=root > 0)
        R *= length[:, None, :]
        left = self.square - np.sum(V**2, axis=1).ravel()
        # (Features that outnumber the samples: as many rows as it takes.)
        used = R.any(axis=(0, 2))
        return R[:, used], V[:, used], left

    def _tasks(self, task_weight=None):
        """Tasks with a few rows that have these statistics: their problem is that of all samples.

        The factors of the centred moments, and a row for what is left of y, turned into one row more, which sum to zero
        (by Helmert's matrix); and the means on top. The rows count alike.
        """
        R, V, left = self._factors()
        K, m, d = R.shape
        T = self.n_tasks
        left = np.sqrt(np.maximum(left, 0.0)).reshape(K, 1, -1)
        rows = np.concatenate([R, np.zeros((K, 1, d))], axis=1), np.concatenate([V, left], axis=1)
        turn = np.sqrt(m + 2.0) * helmert(m + 2).T
        size = np.sqrt(np.divide(1.0, self.weight, out=np.zeros(K), where=self.weight > 0))[:, None, None]
        X, Y = (size * (turn @ some) for some in rows)
        X += (self.mean_X + self.rest_X).T[:, None, :]
        Y += (self.mean_y + self.rest_y).reshape(K, 1, -1)
        if K == 1:
            return Tasks.shared(X[0], Y[0], None, task_weight)
        codes = np.repeat(np.arange(T), m + 2)
        return Tasks.stacked(X.reshape(-1, d), Y.ravel(), codes, T, None, task_weight)

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


def _sum(high, low, step):
    """(high, low) + step, for sums of two floats: the new high, and what is to be added to it."""
    high, lost = _two_sum(high, step)
    return _two_sum(high, low + lost)


def _two_sum(a, b):
    """a + b, and exactly what rounding has taken from it."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _centred(tasks):
    """(tasks with features near zero, what has been taken off (d, 1) or (d, T)); a sparse X stays what it is."""
    if issparse(tasks.X):
        return tasks, np.zeros((tasks.n_features, 1))
    if tasks.is_shared:
        # One centre: the tasks have the same rows, whose means differ little between them.
        centre = tasks.X.mean(axis=0)[:, None]
        X = tasks.X.T - centre
    else:
        centre = tasks.means(tasks.weight)
        X = tasks.X.T - centre[:, tasks.sample_task]
    return Tasks(X.T, tasks.y, tasks.ptr, tasks.row, tasks.weight), centre


def _constant(gram, means, weight):
    """(K, d) booleans: features of which nothing but rounding is left about their means."""
    return without_rounding(np.einsum("kjj->jk", gram), means, weight).T == 0


def _without(gram, cross, small):
    """gram and cross with zeros for some features (K, d)."""
    if not small.any():
        return gram, cross
    gram = np.where(small[:, :, None] | small[:, None, :], 0.0, gram)
    return gram, np.where(small.T, 0.0, cross)


def _cross(R, V):
    """(d, T): R'V."""
    return np.concatenate(list(R.transpose(0, 2, 1) @ V), axis=1)


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


def _moments(values, name, dims):
    """A finite array of float64 with that many dimensions."""
    try:
        array = np.array(values, dtype=float)
    except (TypeError, ValueError):
        array = None
    if array is None or array.ndim not in dims or not np.isfinite(array).all():
        shapes = " or ".join(map(str, dims))
        raise ValueError(f"{name} must be an array of finite numbers with {shapes} dimensions, got {values!r}.")
    return array


def _filled(values, name, shape):
    """``values``, one for all or an array, as an array of that shape."""
    array = _moments(values, name, range(len(shape) + 1))
    if array.ndim and array.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got {array.shape}.")
    return np.broadcast_to(array, shape).copy()
