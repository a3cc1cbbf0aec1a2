"""Tasks that combine a few latent ones, each in its own sparse way: GO-MTL."""

from dataclasses import replace
from numbers import Real
from typing import NamedTuple

import numpy as np
from scipy.sparse import csc_array, diags_array, hstack

from .._compat import Interval
from ..data import DataTerm
from ..estimators._classifier import MultiTaskClassifierBase
from ..estimators._regressor import MultiTaskRegressorBase
from ..penalties import MeanCoupling, RowNorm, TraceNorm
from ..tasks import Tasks
from ._base import STARTED, Relative
from ._docs import documented

BEGIN = 0.05  # strength of the trace norm to begin with, as a share of that at which all coefficients are zero
LONGER = 1.5  # times the last step, of the next one


class _Factors(NamedTuple):
    """W = L S, with intercepts."""

    L: np.ndarray  # (d, k)
    S: np.ndarray  # (k, T)
    b: np.ndarray  # (T,)
    length: float = 1.0  # of the next step of L, in units of that which is best for S


class _GroupedTasks(Relative):
    """minimise over L (d x k), S (k x T) of sum_t mean_i loss(y_ti, x_ti . w_t + b_t)
    + alpha_sparse sum_kt abs(s_kt) + alpha norm_F(L)^2, W = L S: tasks overlap in the latent tasks that they combine.

    {summary}

    Both steps are convex fits: of all tasks to the k features X L, with an l1 norm; and of one model to the products of
    features and of the tasks' combinations. The first start has the leading singular vectors of a fit with the trace
    norm, rotated so that tasks have few of them, the others have random tasks of it.

    Parameters
    ----------
    n_components : int, default=2
        k, the number of latent tasks; at most the number of tasks.
    alpha_sparse : float, default=0.01
        Strength on S: the larger, the fewer latent tasks are in each task.
    alpha : float, default=0.01
        Ridge on L.
    {common}

    Attributes
    ----------
    {fitted}
    components_ : ndarray of shape (k, d)
        The latent tasks, L transposed.
    weights_ : ndarray of shape (T, k)
        What every task has of each, S transposed: two tasks that share none have nothing in common.

    Notes
    -----
    The second step has a copy of all samples with d k features.

    References
    ----------
    Kumar, Daume (2012), ICML.

    Examples
    --------
    {start}
    >>> model = {name}(n_components=2).fit(X, Y)
    >>> print(np.allclose(model.coef_, model.weights_ @ model.components_))
    True
    """

    _several = False
    _choices = {**STARTED, "n_init": 3}
    _changed = {"max_iter": 1000, "tol": 1e-6}
    _parameters = {"n_components": 2, "alpha_sparse": 0.01, "alpha": 0.01}
    _parameter_constraints = {
        **Relative._parameter_constraints,
        "alpha_sparse": [Interval(Real, 0, None, closed="neither")],
        "alpha": [Interval(Real, 0, None, closed="neither")],
    }

    def _check(self, data):
        self._at_most("n_components", len(data.labels), "tasks")

    def _starts(self, fits, rng):
        W = _low_rank(fits)
        (d, T), k = W.shape, min(self.n_components, W.shape[1])
        values, vectors = np.linalg.eigh(W @ W.T)
        U, size = vectors[:, ::-1][:, :k], np.sqrt(max(values[-1], 0.0))
        # What is drawn is drawn in units of the features: one in small units would drown all others in two latent ones.
        scale = np.sqrt(fits.term.design.squares.mean(axis=1))[:, None]
        unit = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)
        spare = np.random.default_rng(0).normal(size=(d, k)) * unit / np.sqrt(d)
        if size > 0:
            # Of all bases of their span that in which tasks have few of them.
            U = U @ _varimax((U.T @ W).T)
            spare[:, : U.shape[1]] = U
        yield self._combined(fits, spare)
        for _ in range(self.n_init - 1):
            noise = 1e-3 * max(np.linalg.norm(scale * W), 1e-3) * unit
            L = W[:, rng.permutation(T)[:k]] + noise * rng.normal(size=(d, k))
            yield self._combined(fits, L / np.maximum(np.linalg.norm(L, axis=0), 1e-300))

    def _combined(self, fits, L, near=None):
        """The best S and b for L."""
        tasks = fits.tasks
        X = tasks.X @ L
        term = replace(fits.term, tasks=replace(tasks, X=np.asfortranarray(X)))
        result = fits.solve(RowNorm(self.alpha_sparse, q=1), term, near)
        return _Factors(L, result.W, result.intercept)

    def _objective(self, fits, state):
        losses = fits.losses(state.L @ state.S, state.b)
        return losses.sum() + self.alpha_sparse * np.abs(state.S).sum() + self.alpha * np.sum(state.L**2)

    def _step(self, fits, state):
        before, state = self._objective(fits, state), _balanced(state, self.alpha_sparse, self.alpha)
        near, L = (state.S, state.b), self._latent(fits, state)
        # Steps of both in turn are short where tasks turn in the span of the latent ones: several at once are tried.
        if state.length > 1:
            further = self._combined(fits, state.L + state.length * (L - state.L), near)
            if self._objective(fits, further) < before:
                return further._replace(length=LONGER * state.length)
        return self._combined(fits, L, near)._replace(length=LONGER)

    def _latent(self, fits, state):
        """The best L for S, and for the mean predictions of all tasks, which intercepts make up for."""
        (d, k), tasks = state.L.shape, fits.tasks
        S = state.S[:, tasks.sample_task].T
        means = (
            tasks.means(tasks.weight).T if self.fit_intercept and not tasks.is_sparse else np.zeros((len(state.b), d))
        )
        level = state.b + np.sum(means * (state.L @ state.S).T, axis=1)
        if tasks.is_sparse:
            rows = tasks._sparse_rows[tasks.sample_row]
            X = csc_array(hstack([diags_array(S[:, j]) @ rows for j in range(k)]))
        else:
            centred = tasks.X[tasks.sample_row] - means[tasks.sample_task]
            X = np.asfortranarray((S[:, :, None] * centred[:, None, :]).reshape(len(S), k * d))
        N, offset = np.array([0, len(S)]), level[tasks.sample_task]
        offset = offset if tasks.offset is None else offset + tasks.offset
        one = Tasks(X, tasks.y, N, np.zeros(1, dtype=np.int64), tasks.weight, np.where(tasks.weight > 0, offset, 0.0))
        near = np.ascontiguousarray(state.L.T).reshape(k * d, 1), np.zeros(1)
        result = fits.solve(MeanCoupling(self.alpha, self.alpha), DataTerm(one, fits.term.loss, False), near)
        return result.W.reshape(k, d).T

    def _model(self, fits, state):
        said = {"components_": np.ascontiguousarray(state.L.T), "weights_": np.ascontiguousarray(state.S.T)}
        return state.L @ state.S, state.b, said


def _low_rank(fits):
    """(d, T) coefficients of a fit with the trace norm."""
    top = np.linalg.svd(np.ascontiguousarray(fits.term.moments), compute_uv=False)[0]
    return fits.solve(TraceNorm(BEGIN * top)).W if top > 0 else np.zeros(fits.shape)


def _varimax(A, n_steps=100):
    """The rotation R with A R, (T, k), as sparse as rotations make it: with the largest sum of fourth powers."""
    R = np.eye(A.shape[1])
    for _ in range(n_steps):
        B = A @ R
        U, _, V = np.linalg.svd(A.T @ (B**3))
        before, R = R, U @ V
        if np.abs(R - before).max() < 1e-8:
            break
    return R


def _balanced(state, sparse, ridge):
    """The same W with the lengths of L and S that cost least: minimise sparse a / c + ridge l^2 c^2 over c."""
    sizes, squares = np.abs(state.S).sum(axis=1), np.sum(state.L**2, axis=0)
    used = (sizes > 0) & (squares > 0)
    c = np.ones(len(sizes))
    c[used] = np.cbrt(sparse * sizes[used] / (2 * ridge * squares[used]))
    return state._replace(L=state.L * c, S=state.S / c[:, None])


@documented
class GroupedTasksRegressor(_GroupedTasks, MultiTaskRegressorBase):
    """Tasks that combine a few latent ones, each sparsely. Regression."""


@documented
class GroupedTasksClassifier(_GroupedTasks, MultiTaskClassifierBase):
    """Tasks that combine a few latent ones, each sparsely. Classification."""
