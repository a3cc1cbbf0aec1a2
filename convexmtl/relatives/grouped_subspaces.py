"""Tasks in groups, each of which shares a few directions of its own."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..estimators._classifier import MultiTaskClassifierBase
from ..estimators._regressor import MultiTaskRegressorBase
from ..penalties import MeanCoupling, SquaredTraceNorm
from ._base import Relative, task_losses
from ._docs import documented
from ._pooled import grouped

SMOOTH = (1.0, 0.3, 0.1, 0.03)  # what a group has of every direction, as shares of the longest task: ever less
ROUNDS = 20  # of assignments at each of these
DIRECTIONS = 100  # of all models, at most, in which tasks are told apart


class _Groups(NamedTuple):
    W: np.ndarray  # (d, T)
    b: np.ndarray  # (T,)
    codes: np.ndarray  # (T,)


class _GroupedSubspaces(Relative):
    """minimise over W and g(t) of sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + (alpha/2) sum_g norm_*(W_g)^2,
    W_g the models of the tasks of group g: every group has a few directions, those of another do not matter to it.

    {summary}

    The steps alternate between convex fits of the groups, with a squared trace norm each, and assignments. In these
    every task is fitted anew within every group, with the penalty (alpha/2) w_t' Omega_g^-1 w_t, Omega_g the covariance
    that makes the trace norm of the group, and goes where it costs least; tasks move as many at a time as lower the
    objective. Starts group the models of a fit with one trace norm for all by n_groups, 2 n_groups, ... of its right
    singular vectors (of subspaces that are independent, those of two groups are orthogonal), then at random; and let
    the assignments take turns before the first step, with covariances that are wide at first.

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

    Of W drawn from r directions per group, the right groups divide the penalty by their number, and others may do as
    well for estimates with noise: groups are found where tasks are many beside n_groups r, and strengths too small hide
    them.

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
        fits.extra = choice = _Choice(fits, W, self.alpha, K)
        for k in range(1, self.n_init + 1):
            codes = _by_direction(W, K, k * K) if k == 1 or k * K <= len(choice.basis.T) else rng.randint(K, size=T)
            yield self._fitted(fits, choice.settled(W, codes))

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

    def _step(self, fits, state):
        """Groups that lower the objective, with their models; the same ones where none are found."""
        codes, gain, _ = fits.extra.best(state.W, state.codes, SMOOTH[-1])
        movers, before = np.flatnonzero(codes != state.codes), self._objective(fits, state)
        movers = movers[np.argsort(-gain[movers], kind="stable")]
        while len(movers):
            tried = state.codes.copy()
            tried[movers] = codes[movers]
            new = self._fitted(fits, tried)
            if self._objective(fits, new) < before:
                return new
            movers = movers[: len(movers) // 2]
        return state

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


class _Choice:
    """Which group suits a task, in the span of some models."""

    def __init__(self, fits, W, alpha, K):
        U, s, _ = np.linalg.svd(W, full_matrices=False)
        self.basis = U[:, : min(max(np.sum(s > 1e-6 * s[0]), 1), DIRECTIONS)]
        self.fits, self.alpha, self.K = fits, alpha, K
        self.Z = fits.tasks.X @ self.basis

    def best(self, W, codes, smooth):
        """(groups of least cost, what they save, W (d, T) in them), where a task in group g costs
        min over w, b of its loss + (alpha/2) w' Omega_g^-1 w."""
        every, along = np.arange(len(codes)), self.basis.T @ W
        if self.K == 1 or self.alpha == 0 or not along.any():
            return codes, np.zeros(len(codes)), W
        least = smooth * np.linalg.norm(along, axis=0).max()
        costs, models = [], []
        for g in range(self.K):
            root = _root(along[:, codes == g], least)
            cost, V = self._within(root)
            costs.append(cost)
            models.append(root @ V)
        costs = np.array(costs)
        best = costs.argmin(axis=0)
        return best, costs[codes, every] - costs[best, every], self.basis @ np.array(models)[best, :, every].T

    def _within(self, root):
        """((T,) costs, models of features Z root, for which the penalty is a ridge)."""
        term = self.fits.term
        term = replace(term, tasks=replace(term.tasks, X=np.asfortranarray(self.Z @ root)))
        ridge = 0.5 * self.alpha * term.shape[1]
        result = self.fits.solve(MeanCoupling(ridge, ridge), term)
        losses = task_losses(term, term.predict(result.W, result.intercept))
        return losses + 0.5 * self.alpha * np.sum(result.W**2, axis=0), result.W

    def settled(self, W, codes):
        """Groups after assignments, and fits of every task within its group, have taken turns."""
        for smooth in SMOOTH:
            for _ in range(ROUNDS):
                before = codes
                codes, _, W = self.best(W, codes, smooth)
                if np.array_equal(codes, before):
                    break
        return codes


def _root(W, least):
    """R with R R' = Omega, of trace 1, that makes the trace norm of W, as if that had ``least`` of every direction."""
    values, U = np.linalg.eigh(W @ W.T)
    sizes = np.sqrt(np.maximum(values, 0.0) + least**2)
    return U * np.sqrt(sizes / sizes.sum())


def _by_direction(W, K, rank):
    """(T,) groups of tasks by the leading right singular vectors of W, to be taken with either sign."""
    if K == 1 or K >= W.shape[1]:
        return np.arange(W.shape[1]) % K
    along = np.linalg.svd(W, full_matrices=False)[2][:rank]
    along = along / np.maximum(np.linalg.norm(along, axis=0), 1e-300)
    pairs = np.triu_indices(len(along))
    # (Every product of two of them counts twice: distances are those of the projections on the tasks.)
    return grouped((along[pairs[0]] * along[pairs[1]]).T * np.where(pairs[0] == pairs[1], 1.0, np.sqrt(2)), K)


@documented
class GroupedSubspacesRegressor(_GroupedSubspaces, MultiTaskRegressorBase):
    """Tasks in groups that share directions. Regression."""


@documented
class GroupedSubspacesClassifier(_GroupedSubspaces, MultiTaskClassifierBase):
    """Tasks in groups that share directions. Classification, of two classes."""
