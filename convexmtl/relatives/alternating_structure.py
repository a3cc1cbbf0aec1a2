"""A subspace that the tasks share and a part of their own beside it, found by alternating between them: ASO."""

from dataclasses import replace
from functools import partial
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse

from .. import _input
from .._compat import Interval
from .._progress import with_callbacks
from ..data import DataTerm
from ..estimators._base import all_or_nothing
from ..estimators._classifier import MultiTaskClassifierBase
from ..estimators._regressor import MultiTaskRegressorBase
from ..losses import Squared
from ..penalties import MeanCoupling, SharedStructure
from ..tasks import Tasks
from ._base import STARTED, Relative
from ._docs import documented

AUXILIARY = 2_000_000  # numbers in the copies of the unlabelled rows for all auxiliary tasks together


class _Structure(NamedTuple):
    """The shared subspace, and the models of the tasks and of the auxiliary ones for it."""

    Theta: np.ndarray  # (h, d), orthonormal rows
    W: np.ndarray
    b: np.ndarray
    W_auxiliary: np.ndarray  # (d, T'), with no columns where there are none
    b_auxiliary: np.ndarray


class _AlternatingStructure(Relative):
    """minimise over W and Theta, Theta Theta' = I (h x h), of sum_t mean_i loss(y_ti, x_ti . w_t + b_t)
    + alpha sum_t [norm(w_t - Theta' Theta w_t)^2 + eta norm(w_t)^2]: what a model has beside a subspace of dimension h
    costs more than what it has in it.

    {summary}

    The steps alternate between a convex fit of W, a ridge in other coordinates, and the leading singular vectors of W,
    which are the best Theta. The first start is the Theta of the convex relaxation, that of ``SharedStructure...``; the
    others are random.

    Parameters
    ----------
    n_components : int, default=1
        h, the dimension of the shared subspace; at most the number of tasks, with the auxiliary ones, and of features.
    alpha : float, default=0.1
        Strength on what a model has beside the subspace.
    eta : float > 0, default=0.1
        What the subspace costs itself, as a share; the published penalty has 0.
    gamma : float, default=1.0
        What an auxiliary task counts beside one of y.
    {common}

    Attributes
    ----------
    {fitted}
    components_ : ndarray of shape (h, d)
        Theta, most important first.
    shared_coef_ : ndarray of shape (T, d)
        What `coef_` has in the subspace: Theta' v_t; the rest is u_t.

    Notes
    -----
    The penalty is alpha eta (1 + eta) tr(W' (eta I + M)^-1 W) with M = Theta' Theta, of which ``SharedStructure`` takes
    the convex hull: all M with eigenvalues between 0 and 1 that sum up to h.

    References
    ----------
    Ando, Zhang (2005), JMLR; Chen, Tang, Liu, Ye (2009), ICML.

    Examples
    --------
    {start}
    >>> model = {name}(n_components=2).fit(X, Y, X_unlabeled=rng.normal(size=(100, 6)))
    >>> print(model.components_.shape, np.allclose(model.components_ @ model.components_.T, np.eye(2)))
    (2, 6) True
    """

    _choices = {**STARTED, "n_init": 2}
    _parameters = {"n_components": 1, "alpha": 0.1, "eta": 0.1, "gamma": 1.0}
    _parameter_constraints = {
        **Relative._parameter_constraints,
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "alpha": [Interval(Real, 0, None, closed="neither")],
        "eta": [Interval(Real, 0, None, closed="neither")],
        "gamma": [Interval(Real, 0, None, closed="neither")],
    }

    @with_callbacks
    @all_or_nothing
    def fit(self, X, y, *, sample_weight=None, task=None, offset=None, X_unlabeled=None):
        """Fit all tasks together.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n, d)
        y : array-like of shape (n, T) or (n,)
            One column per task, NaN where a target is missing; or, with task labels, one target per row.
        sample_weight : array-like of shape (n,) or, for y (n, T), (n, T), default=None
            Weight 2 counts as a repeated row, weight 0 as a dropped one.
        task : array-like of shape (n,), default=None
            The task of every row, where every task has its own rows.
        offset : array-like of shape (n,) or, for y (n, T), (n, T), default=None
            What is added to x . w_t + b_t before the loss is taken, the logarithm of an exposure say.
        X_unlabeled : array-like of shape (m, d), default=None
            Rows without targets, with the features alone: every feature is an auxiliary task, to be predicted from the
            others, that shares the subspace. Of many features and rows as many are taken, evenly, as have room.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For parameters, data, task labels, weights or offsets that make no sense, before any work is done.
        """
        more = partial(self._with_auxiliary, X_unlabeled)
        self._fit(X, y, sample_weight, task, offset, stacklevel=6, more=more)
        return self

    def _with_auxiliary(self, X, data):
        d, T = data.tasks.n_features, len(data.labels)
        found = _auxiliary(X, d, self.gamma)
        if found is not None:
            T += found.tasks.n_tasks
        self._at_most("n_components", min(T, d), "tasks, auxiliary ones included, or of features")
        return found

    def _starts(self, fits, rng):
        d, T = fits.shape
        h = min(self.n_components, d)
        relaxed = fits.solve(SharedStructure(self.alpha, self.eta, min(h, T, d)))
        yield self._fitted(fits, _leading(relaxed.W, h))
        for _ in range(self.n_init - 1):
            yield self._fitted(fits, np.linalg.qr(rng.normal(size=(d, h)))[0].T)

    def _fitted(self, fits, Theta, near=None):
        """The best models for a subspace, from those for another one."""
        W, b = self._ridge(fits, fits.term, Theta, None if near is None else (near.W, near.b))
        if fits.extra is None:
            return _Structure(Theta, W, b, W[:, :0], b[:0])
        near = None if near is None else (near.W_auxiliary, near.b_auxiliary)
        return _Structure(Theta, W, b, *self._ridge(fits, fits.extra, Theta, near))

    def _ridge(self, fits, term, Theta, near):
        """W = (eta I + Theta' Theta)^(1/2) V, of which V has a ridge."""
        low, more = np.sqrt(self.eta), np.sqrt(1 + self.eta) - np.sqrt(self.eta)
        X = term.tasks.X
        X = X.toarray() if issparse(X) else X
        turned = np.asfortranarray(low * X + more * (X @ Theta.T) @ Theta)
        strength = self.alpha * self.eta * (1 + self.eta) * term.tasks.n_tasks
        if near is not None:
            W, b = near
            near = W / low + (1 / np.sqrt(1 + self.eta) - 1 / low) * Theta.T @ (Theta @ W), b
        result = fits.solve(MeanCoupling(strength, strength), replace(term, tasks=replace(term.tasks, X=turned)), near)
        V = result.W
        return low * V + more * Theta.T @ (Theta @ V), result.intercept

    def _objective(self, fits, state):
        value = fits.losses(state.W, state.b).sum()
        W = np.hstack([state.W, state.W_auxiliary])
        if fits.extra is not None:
            term = fits.extra
            z = term.predict(state.W_auxiliary, state.b_auxiliary)
            value += float(term.tasks.weight @ term.loss.value(term.tasks.y, z))
        beside = W - state.Theta.T @ (state.Theta @ W)
        return value + self.alpha * (np.sum(beside**2) + self.eta * np.sum(W**2))

    def _step(self, fits, state):
        return self._fitted(fits, _leading(np.hstack([state.W, state.W_auxiliary]), len(state.Theta)), state)

    def _model(self, fits, state):
        Theta = state.Theta
        shared = Theta.T @ (Theta @ state.W)
        return state.W, state.b, {"components_": Theta, "shared_coef_": np.ascontiguousarray(shared.T)}


def _leading(W, h):
    """(h, d) leading singular vectors of W on the left; the largest entry of each is positive."""
    vectors = np.linalg.eigh(W @ W.T)[1][:, ::-1][:, :h]
    sign = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(h)])
    return (vectors * np.where(sign == 0, 1, sign)).T


def _auxiliary(X, d, gamma):
    """The DataTerm of the auxiliary tasks: every feature of the unlabelled rows, standardised, from the others."""
    if X is None:
        return None
    X = X.toarray() if issparse(X) else X
    _input.refuse_mask(X, "X_unlabeled")
    try:
        X = np.asarray(X, dtype=float)
    except (TypeError, ValueError):
        raise ValueError("X_unlabeled must hold numbers, the features alone.") from None
    if X.ndim != 2 or X.shape[1] != d or len(X) < 2:
        raise ValueError(f"X_unlabeled must have shape (m, {d}), two rows at least, got {X.shape}: the features alone.")
    if not np.isfinite(X).all():
        raise ValueError("X_unlabeled must be finite, got NaN or infinity.")
    spread = X.std(axis=0)
    targets = np.flatnonzero(spread > 1e-12 * np.abs(X).max(axis=0))
    if not len(targets):
        raise ValueError("X_unlabeled must have features that vary, got none: leave it out.")
    targets = targets[:: max(1, -(-len(targets) * d * 10 // AUXILIARY))]
    X = X[:: max(1, -(-len(targets) * X.size // AUXILIARY))]
    m, T = len(X), len(targets)
    y = ((X - X.mean(axis=0)) / np.where(spread > 0, spread, 1.0))[:, targets].T.ravel()
    copies = np.tile(X, (T, 1))
    copies[np.arange(T * m), np.repeat(targets, m)] = 0.0
    ptr = m * np.arange(T + 1, dtype=np.int64)
    return DataTerm(Tasks(np.asfortranarray(copies), y, ptr, ptr[:-1].copy(), np.full(T * m, gamma / m)), Squared())


@documented
class AlternatingStructureRegressor(_AlternatingStructure, MultiTaskRegressorBase):
    """A shared subspace and a part of their own, by alternating fits. Regression."""


@documented
class AlternatingStructureClassifier(_AlternatingStructure, MultiTaskClassifierBase):
    """A shared subspace and a part of their own, by alternating fits. Classification."""
