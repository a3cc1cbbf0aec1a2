"""Tasks with several indices: trace norms of the unfoldings of W as a tensor of features x tasks x tasks."""

import numpy as np

from .._words import listed
from ..coupling import Nested
from ._manifold import singular_slopes
from .base import RANK, Canonical, Penalty, Said
from .parts import PART
from .spectral import largest_singular_value, rescale, singular_values

KINDS = ("overlapped", "latent")


class Unfolding(Penalty):
    """Omega(W) = alpha norm_*(W_(k)), of W as a tensor unfolded along one of the indices of the tasks, or of features.

    Parameters
    ----------
    alpha : float
    shape : tuple of int
        Of the tasks.
    order : ndarray of shape (T,)
        The tasks in C order of their indices.
    mode : int
        0 is that of the features.
    """

    unitarily_invariant = True
    folds = True

    def __init__(self, alpha, shape, order, mode):
        self.alpha = alpha
        self.shape = shape
        self.order = order
        self.mode = mode

    def unfolded(self, W):
        """(n_k, -1) the tensor with one index as rows."""
        tensor = W[:, self.order].reshape(-1, *self.shape)
        return np.moveaxis(tensor, self.mode, 0).reshape(tensor.shape[self.mode], -1)

    def folded(self, M, d):
        """The way back, (d, T)."""
        axes = (d, *self.shape)
        rest = [n for k, n in enumerate(axes) if k != self.mode]
        W = np.empty((d, len(self.order)))
        W[:, self.order] = np.moveaxis(M.reshape(axes[self.mode], *rest), 0, self.mode).reshape(d, -1)
        return W

    def value(self, W):
        return self.alpha * float(singular_values(self.unfolded(W)).sum())

    def prox(self, V, step):
        return self.folded(rescale(self.unfolded(V), self._ratios(step)), len(V))

    def _ratios(self, step):
        cut = step * self.alpha

        def ratios(s):
            kept = ~(s <= cut)
            return np.where(kept, 1 - cut / np.where(kept, s, 1.0), 0.0)

        return ratios

    def slopes(self, V, step):
        place = np.argsort(self.unfolded(np.arange(V.size).reshape(V.shape)), axis=None)
        return singular_slopes(self.unfolded(V), self._ratios(step))[np.ix_(place, place)]

    def dual_norm(self, Z):
        return largest_singular_value(self.unfolded(Z)) / self.alpha

    def along(self, W, V):
        U, s, _ = np.linalg.svd(self.unfolded(V), full_matrices=False)
        U = U[:, s > RANK * s[:1].max(initial=0.0)]
        return self.folded(U @ (U.T @ self.unfolded(W)), len(W))

    def rank(self, W):
        s = singular_values(self.unfolded(W))
        return int(np.sum(s > RANK * s[:1].max(initial=0.0)))

    def expression(self, W, cp):
        """From slices: a row per value of the index, of all coefficients that have it."""
        if self.mode == 0:
            return self.alpha * cp.normNuc(W), []
        index = [i[self.mode - 1] for i in np.ndindex(*self.shape)]
        rows = [
            cp.hstack([W[:, t] for t, of in zip(self.order, index, strict=True) if of == i])
            for i in range(self.shape[self.mode - 1])
        ]
        return self.alpha * cp.normNuc(cp.vstack(rows)), []


class TensorTraceNorm(Penalty):
    """Omega(W) = alpha sum_k norm_*(W_(k)), or min over sum_k W_k = W of alpha sum_k norm_*((W_k)_(k)) / sqrt(n_k).

    Tasks have several indices, such as region and product, and W is a tensor of features x regions x products; W_(k) is
    it as a matrix with n_k rows, one per value of the index k (features, regions, products), and a column for every
    combination of the others. ``kind="overlapped"`` is the first one, which asks for a low rank along every index;
    ``"latent"`` the second, scaled one: for the sum of tensors that have a low rank along one index each, so that the
    rank may be low along some index only.

    Parameters
    ----------
    shape : tuple of int, dict of task label -> indices, or None, default=None
        (T1, T2, ...) has the numbers of values of the indices, of tasks in C order: ``tasks_`` are those of the first
        value of the first index, then those of the second one. A dict has the values themselves, of any kind, for every
        task. None takes them from labels that are tuples. Every combination of values is one task.
    kind : {"overlapped", "latent"}, default="overlapped"
    alpha : float, default=1.0

    Notes
    -----
    Fits have ``multilinear_rank_`` (the rank of every unfolding, that of the features first). Of the latent kind these
    are those of its parts, each along its own index: ``features_``, ``index_1_``, ``index_2_`` and so on, (T, d) each.

    References
    ----------
    Tomioka, Suzuki (2013), NIPS; Romera-Paredes, Aung, Bianchi-Berthouze, Pontil (2013), ICML; Wimalawarne, Sugiyama,
    Tomioka (2014), NIPS (the scaled latent norm).

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import MultiTaskRegressor, TensorTraceNorm
    >>> rng = np.random.default_rng(0)
    >>> regions, products = rng.normal(size=(3, 1)), rng.normal(size=(4, 1))
    >>> W = np.einsum("j,ra,pa->jrp", rng.normal(size=6), regions, products).reshape(6, 12)
    >>> X = rng.normal(size=(40, 6))
    >>> Y = X @ W + 0.1 * rng.normal(size=(40, 12))
    >>> model = MultiTaskRegressor(TensorTraceNorm((3, 4), alpha=0.3)).fit(X, Y)
    >>> print(model.multilinear_rank_)
    (1, 1, 1)
    """

    asks = "few patterns along every index of the tasks"
    unitarily_invariant = True

    def __init__(self, shape=None, kind="overlapped", alpha=1.0):
        self.shape = shape
        self.kind = kind
        self.alpha = alpha

    @property
    def is_norm(self):
        return False  # as solvers see it, a sum or parts

    def check(self, n_features, labels):
        super().check(n_features, labels)
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {list(KINDS)}, got {self.kind!r}.")
        self._grid(labels)

    def _grid(self, labels):
        """(shape, the positions of the tasks in C order)"""
        T = len(labels)
        known = self.shape
        if known is None:
            if not all(isinstance(label, tuple) for label in labels):
                raise ValueError(
                    "TensorTraceNorm needs the shape (T1, T2, ...) of the tasks, or a dict of task label -> indices, "
                    "where labels are no tuples of these."
                )
            known = {label: label for label in labels}
        if not hasattr(known, "keys"):
            try:
                shape = tuple(int(n) for n in known)
                whole = all(n == given and n >= 1 for n, given in zip(shape, known, strict=True))
            except (TypeError, ValueError):
                whole = False
            if not whole or len(shape) < 2:
                raise ValueError(
                    "TensorTraceNorm's shape must be two or more numbers of values (T1, T2, ...), a dict of task label "
                    f"-> indices, or None, got {known!r}."
                )
            if np.prod(shape) != T:
                product = " x ".join(map(str, shape))
                raise ValueError(
                    f"TensorTraceNorm's shape {shape} is one of {product} = {int(np.prod(shape))} tasks, got {T}: "
                    "every combination of indices has to be one task."
                )
            return shape, np.arange(T)
        missing = [label for label in labels if label not in known]
        if missing:
            raise ValueError(f"TensorTraceNorm's shape has no indices of the tasks {listed(missing)}.")
        indices = [known[label] for label in labels]
        sizes = {len(index) if isinstance(index, (tuple, list)) else 0 for index in indices}
        if len(sizes) != 1 or min(sizes) < 2:
            raise ValueError(
                f"TensorTraceNorm's shape must have two or more indices for every task, as many for all, got "
                f"{indices[0]!r} for the first one."
            )
        values = [list(dict.fromkeys(index[k] for index in indices)) for k in range(sizes.pop())]
        shape = tuple(map(len, values))
        places = [{value: i for i, value in enumerate(some)} for some in values]
        at = np.ravel_multi_index([[place[ix[k]] for ix in indices] for k, place in enumerate(places)], shape)
        absent, product = np.setdiff1d(np.arange(np.prod(shape)), at), " x ".join(map(str, shape))
        if len(absent):
            first = tuple(some[i] for some, i in zip(values, np.unravel_index(absent[0], shape), strict=True))
            raise ValueError(
                f"TensorTraceNorm needs one task for every combination of indices, {product} of them, and there is "
                f"none of {first}."
            )
        if len(at) > np.prod(shape):
            raise ValueError(
                f"TensorTraceNorm needs one task for every combination of indices, {product} of them, and got "
                f"{len(at)}."
            )
        return shape, np.argsort(at)

    def bind(self, labels):
        if self.shape is not None and not hasattr(self.shape, "keys"):
            return self
        shape, order = self._grid(labels)
        indices = np.empty((len(order), len(shape)), dtype=int)
        indices[order] = np.column_stack(np.unravel_index(np.arange(len(order)), shape))
        return self.replaced(shape={t: tuple(map(int, index)) for t, index in enumerate(indices)})

    def of_columns(self, columns):
        # One index more, which is the class.
        shape, order = self._grid(columns.tasks)
        place = np.empty(len(order), dtype=int)
        place[order] = np.arange(len(order))
        index = np.column_stack(np.unravel_index(place, shape)).tolist()
        owner, of_class = columns.owner.tolist(), columns.of_class.tolist()
        full = zip(columns.labels.tolist(), owner, of_class, strict=True)
        return self.replaced(shape={label: (*index[t], k) for label, t, k in full})

    def with_task(self, labels, place):
        raise ValueError(
            "TensorTraceNorm has a task for every combination of indices, which one task more does not leave complete: "
            "fit all tasks anew."
        )

    def _unfoldings(self, n_features, labels):
        shape, order = self._grid(labels)
        sizes = (n_features, *shape) if self.kind == "latent" else np.ones(1 + len(shape))
        return tuple(Unfolding(self.alpha / np.sqrt(n), shape, order, k) for k, n in enumerate(sizes))

    def resolve(self, n_features, labels):
        self.check(n_features, labels)
        coupling = Nested(len(labels), [0.0])
        if self.alpha == 0:
            return Canonical((), coupling)
        terms = self._unfoldings(n_features, labels)
        return Canonical(terms, coupling) if self.kind == "latent" else Canonical(terms[:1], coupling, terms[1:])

    def value(self, W):
        if self.kind == "latent":
            raise TypeError("the value of a sum of parts depends on the parts: use Canonical.value")
        if self.alpha == 0:
            return 0.0
        return sum(term.value(W) for term in self._unfoldings(len(W), range(W.shape[1])))

    def expression(self, W, cp):
        terms = self._unfoldings(W.shape[0], range(W.shape[1]))
        if self.kind == "overlapped":
            return sum(term.expression(W, cp)[0] for term in terms), []
        pieces = [cp.Variable(W.shape, name=PART + name) for name in self.part_names[: len(terms)]]
        return sum(term.expression(P, cp)[0] for term, P in zip(terms, pieces, strict=True)), [sum(pieces) == W]

    @property
    def part_names(self):
        if self.kind != "latent":
            return ()
        known = self.shape
        if hasattr(known, "keys"):
            known = next(iter(known.values()), ())
        return ("features", *(f"index_{k + 1}" for k in range(len(known) if known is not None else 2)))

    def _ranks(self, parts, labels):
        """Of W along every index, or of every part along its own."""
        terms = self._unfoldings(len(parts[0]), labels)
        parts = parts if len(parts) > 1 else [parts[0]] * len(terms)
        return tuple(term.rank(part) for term, part in zip(terms, parts, strict=True))

    def report(self, parts, labels):
        found = {"multilinear_rank_": self._ranks(parts, np.arange(len(labels)))}
        if self.kind == "latent" and len(parts) > 1:
            for name, part in zip(self.part_names, parts, strict=True):
                found |= self.report_part(name, part, labels)
        return found

    @property
    def formula(self):
        if self.kind == "overlapped":
            return "alpha sum_k norm_*(W_(k))"
        return "min over sum_k W_k = W of alpha sum_k norm_*((W_k)_(k)) / sqrt(n_k)"

    def describe(self, parts, labels):
        W, at = sum(parts[1:], parts[0]), np.arange(len(labels))
        value = float(self.resolve(len(W), at).value(parts))
        ranks, shape = self._ranks(parts, at), (len(W), *self._grid(at)[0])
        first, *others = [f"{rank} of {n}" for rank, n in zip(ranks, shape, strict=True)]
        said = f"rank {first} along the features, {listed(others)} along the indices of the tasks"
        return [Said(type(self).__name__, self.asks, value, [said])]
