"""Tasks in groups, each of which shares a few directions of its own."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..estimators._classifier import MultiTaskClassifierBase
from ..estimators._regressor import MultiTaskRegressorBase
from ..penalties import SquaredTraceNorm
from ._base import Relative
from ._docs import documented
from ._pooled import grouped

SMOOTH = 1e-3  # what a group has of every direction, as a share of its longest
DIRECTIONS = 8  # of W, in which tasks are told apart to begin with


class _Groups(NamedTuple):
    W: np.ndarray  # (d, T)
    b: np.ndarray  # (T,)
    codes: np.ndarray  # (T,)


class _GroupedSubspaces(Relative):
    """minimise over W and g(t) of sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + (alpha/2) sum_g norm_*(W_g)^2,
    W_g the models of the tasks of group g: every group has a few directions, those of another do not matter to it.

    {summary}

    The steps alternate between convex fits of the groups, with a squared trace norm each, and assignments. In these a
    task costs every group what the group's directions leave of it, w_t' Omega_g^-1 w_t with Omega_g the covariance that
    makes the trace norm of the group; tasks move as many at a time as lower the objective. The first start groups the
    models of a fit with one trace norm for all by their directions, the others are random.

    Parameters
    ----------
    n_groups : int, default=2
        The largest number of groups; at most the number of tasks.
    alpha : float, default=0.1
        Strength of the penalty.
    {common}

    Attributes
    ----------
    {fitted}
    labels_ : ndarray of shape (T,)
        The group of every task, numbered in order of appearance.

    Notes
    -----
    The paper relaxes assignments to shares between 0 and 1; with W held, the penalty is concave in these, so that the
    best ones are 0 and 1 all the same.

    References
    ----------
    Kang, Grauman, Sha (2011), ICML.

    Examples
    --------
    {start}
    >>> model = {name}(n_groups=2).fit(X, Y)
    >>> model.labels_.shape
    (4,)
    """

    _parameters = {"n_groups": 2, "alpha": 0.1}
    _several = False

    def _check(self, data):
        self._at_most("n_groups", len(data.labels), "tasks")

    def _starts(self, fits, rng):
        T = fits.shape[1]
        K = min(self.n_groups, T)
        W = fits.solve(SquaredTraceNorm(self.alpha)).W
        yield self._fitted(fits, _by_direction(W, K))
        for _ in range(self.n_init - 1):
            codes = rng.randint(K, size=T)
            # (The models of all have more to say of who belongs together than those of random groups.)
            for _ in range(3):
                codes = self._moved(W, codes)
            yield self._fitted(fits, codes)

    def _fitted(self, fits, codes):
        """The best models for these groups."""
        W, b = np.zeros(fits.shape), np.zeros(fits.shape[1])
        for g in np.unique(codes):
            own = np.flatnonzero(codes == g)
            result = fits.solve(SquaredTraceNorm(self.alpha), some_tasks(fits.term, own))
            W[:, own], b[own] = result.W, result.intercept
        return _Groups(W, b, codes)

    def _norms(self, W, codes):
        return sum(np.linalg.norm(W[:, codes == g], "nuc") ** 2 for g in np.unique(codes))

    def _objective(self, fits, state):
        return fits.losses(state.W, state.b).sum() + 0.5 * self.alpha * self._norms(state.W, state.codes)

    def _moved(self, W, codes):
        """Groups with a smaller penalty for W; the same ones where none is found."""
        every, K = np.arange(len(codes)), min(self.n_groups, len(codes))
        costs = np.array([_cost(W, codes == g) for g in range(K)])
        best = costs.argmin(axis=0)
        gain = costs[codes, every] - costs[best, every]
        movers, before = np.flatnonzero(gain > 0), self._norms(W, codes)
        movers = movers[np.argsort(-gain[movers], kind="stable")]
        while len(movers):
            tried = codes.copy()
            tried[movers] = best[movers]
            if self._norms(W, tried) < before:
                return tried
            movers = movers[: len(movers) // 2]
        return codes

    def _step(self, fits, state):
        return self._fitted(fits, self._moved(state.W, state.codes))

    def _model(self, fits, state):
        _, first, codes = np.unique(state.codes, return_index=True, return_inverse=True)
        return state.W, state.b, {"labels_": np.argsort(np.argsort(first))[codes]}


def some_tasks(term, some):
    """The DataTerm of some of the tasks, on the same X."""
    tasks = term.tasks
    if len(some) == tasks.n_tasks:
        return term
    sizes = np.diff(tasks.ptr)[some]
    ptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    taken = np.arange(ptr[-1]) + np.repeat(tasks.ptr[some] - ptr[:-1], sizes)
    X, row = tasks.X, tasks.row[some]
    if not tasks.is_shared:
        # (Rows of their own, one task after the other.)
        rows = tasks.sample_row[taken]
        X = tasks._sparse_rows[rows].tocsc() if tasks.is_sparse else np.asfortranarray(X[rows])
        row = ptr[:-1].copy()
    offset, kind = (None if of is None else of[at] for of, at in ((tasks.offset, taken), (tasks.kind, some)))
    part = replace(tasks, X=X, y=tasks.y[taken], ptr=ptr, row=row, weight=tasks.weight[taken], offset=offset, kind=kind)
    fixed = None if term.fixed_intercept is None else term.fixed_intercept[some]
    return replace(term, tasks=part, fixed_intercept=fixed)


def _cost(W, own):
    """(T,) w_t' Omega^-1 w_t, Omega that of a group."""
    U, s, _ = np.linalg.svd(W[:, own], full_matrices=False) if own.any() else (np.zeros((len(W), 0)), np.zeros(0), None)
    least = SMOOTH * max(np.linalg.norm(W, axis=0).max(), 1e-300)
    sizes = np.sqrt(s**2 + least**2)
    total = sizes.sum() + least * (len(W) - len(s))
    along = U.T @ W
    beyond = np.maximum(np.sum(W**2, axis=0) - np.sum(along**2, axis=0), 0.0)
    return total * (np.sum(along**2 / sizes[:, None], axis=0) + beyond / least)


def _by_direction(W, K):
    """(T,) groups of models that point alike, or in opposite ways."""
    if K == 1 or K >= W.shape[1]:
        return np.arange(W.shape[1]) % K
    U = np.linalg.svd(W, full_matrices=False)[0][:, :DIRECTIONS]
    along = U.T @ W
    along = along / np.maximum(np.linalg.norm(along, axis=0), 1e-300)
    pairs = np.triu_indices(len(along))
    return grouped((along[pairs[0]] * along[pairs[1]]).T, K)


@documented
class GroupedSubspacesRegressor(_GroupedSubspaces, MultiTaskRegressorBase):
    """Tasks in groups that share directions. Regression."""


@documented
class GroupedSubspacesClassifier(_GroupedSubspaces, MultiTaskClassifierBase):
    """Tasks in groups that share directions. Classification, of two classes."""
