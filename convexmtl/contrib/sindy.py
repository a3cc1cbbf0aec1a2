"""Sparse identification of dynamics: an optimizer in the protocol of PySINDy's ``BaseOptimizer``.

It may be handed to ``pysindy.SINDy(optimizer=...)`` as any of theirs. PySINDy itself is not needed.
"""

import copy

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from ._shares import check_share, finite, read_estimator


class JointOptimizer(RegressorMixin, BaseEstimator):
    """minimise for every state s  sum_r mean_i (y_ris - x_ri . w_rs)^2 / 2 + alpha_s sum_j norm_2(W_js.)

    over the trajectories r, W_js. the coefficients of library term j in all of them: the equations have the same terms
    along all trajectories, and parameters of their own in each of them.

    Parameters
    ----------
    share : float in (0, 1], default=0.05
        alpha_s as a share of the smallest one at which the equation of state s has no terms.
    trajectories : array-like, default=None
        The lengths of the trajectories one after the other, as PySINDy stacks them, or a label for every row; integers
        that add up to the number of rows are lengths. None is one trajectory: a lasso for every state.
    unbias : bool, default=True
        Whether coefficients are those of least squares on the terms that were selected, trajectory by trajectory.
    normalize_columns : bool, default=False
        Whether library terms are divided by their lengths before.
    estimator : regressor of convexmtl, default=None
        In place of ``BlockSparseRegressor`` with that strength: its own strengths are then in place of ``share``, the
        trajectories are its tasks.
    tol : float, default=1e-6
        Duality gap, as in ``BlockSparseRegressor``; not for ``estimator``.

    Attributes
    ----------
    coef_ : ndarray of shape (n_states, n_terms)
        The mean over the trajectories, by which ``predict`` goes.
    trajectory_coef_ : ndarray of shape (n_trajectories, n_states, n_terms)
    trajectories_ : ndarray of shape (n_trajectories,)
        Their labels, or positions.
    ind_ : ndarray of shape (n_states, n_terms)
        Booleans: which terms each equation has.
    intercept_ : float
        0: a constant is for the library to have.
    estimators_ : list of estimators
        The fit of every state.
    history_, Theta_
        As PySINDy's optimizers have them: ``[coef_]``, and the library at the samples.

    References
    ----------
    Brunton, Proctor, Kutz (2016), PNAS; Schaeffer, Tran, Ward (2017), arXiv:1709.01558 (joint sparsity).

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl.contrib.sindy import JointOptimizer
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(80, 5))  # terms of a library, along two trajectories
    >>> rate = np.repeat([1.0, 2.0], 40)
    >>> dx = np.column_stack([-rate * x[:, 0], rate * x[:, 1]])
    >>> model = JointOptimizer(trajectories=[40, 40]).fit(x, dx)
    >>> print(model.trajectory_coef_[:, 0, 0].round(3), model.ind_.astype(int))
    [-1. -2.] [[1 0 0 0 0]
     [0 1 0 0 0]]
    """

    def __init__(
        self,
        share=0.05,
        *,
        trajectories=None,
        unbias=True,
        normalize_columns=False,
        estimator=None,
        tol=1e-6,
    ):
        self.share = share
        self.trajectories = trajectories
        self.unbias = unbias
        self.normalize_columns = normalize_columns
        self.estimator = estimator
        self.tol = tol

    def fit(self, x, y, sample_weight=None):
        """Fit an equation for every state.

        Parameters
        ----------
        x : array-like of shape (n_samples, n_terms)
            The library at the samples; rows with NaN, in x or y, are left out.
        y : array-like of shape (n_samples,) or (n_samples, n_states)
            Derivatives, or next states.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self
        """
        check_share(self.share)
        for name in ("unbias", "normalize_columns"):
            if not isinstance(getattr(self, name), (bool, np.bool_)):
                raise ValueError(f"{name} must be True or False, got {getattr(self, name)!r}.")
        # (PySINDy's arrays know their axes, which a plain one does not.)
        x, y = np.array(x, dtype=float), np.array(y, dtype=float)
        y = y.reshape(-1, 1) if y.ndim == 1 else y
        if x.ndim != 2 or y.ndim != 2 or len(x) != len(y):
            raise ValueError(f"x and y must have a row for every sample, got shapes {x.shape} and {y.shape}.")
        labels, codes = self._read_trajectories(len(x))
        kept = ~(np.isnan(x).any(axis=1) | np.isnan(y).any(axis=1))
        x, y, codes = finite(x[kept], "x", (2,)), finite(y[kept], "y", (2,)), codes[kept]
        weight = np.ones(len(x)) if sample_weight is None else np.broadcast_to(sample_weight, len(kept))[kept]
        sizes = np.linalg.norm(x, axis=0) if self.normalize_columns else np.ones(x.shape[1])
        sizes = np.where(sizes > 0, sizes, 1.0)
        options = {"task": codes, "sample_weight": weight} if len(labels) > 1 else {"sample_weight": weight}
        self.estimators_ = []
        W = np.zeros((len(labels), y.shape[1], x.shape[1]))
        for s in range(y.shape[1]):
            own = read_estimator(self.estimator, self.share, self.tol, x / sizes, y[:, s], **options)
            if self.unbias and "refit" in own.get_params() and own.refit is None:
                own.set_params(refit="relaxed")
            own.fit(x / sizes, y[:, s], **options)
            self.estimators_.append(own)
            W[own.tasks_ if len(labels) > 1 else [0], s] = own.coef_ / sizes
        self.trajectory_coef_, self.trajectories_ = W, labels
        self.n_features_in_, self.Theta_ = x.shape[1], x
        self._set(W.mean(axis=0))
        return self

    def _set(self, coef):
        self.coef_, self.ind_, self.intercept_ = coef, coef != 0, 0.0
        self.history_ = [coef]

    def _read_trajectories(self, n_rows):
        """(labels (R,), position of every row's trajectory (n_rows,))"""
        if self.trajectories is None:
            return np.zeros(1, dtype=int), np.zeros(n_rows, dtype=int)
        given = np.asarray(self.trajectories)
        integers = given.ndim == 1 and given.dtype.kind in "iu"
        if integers and len(given) and np.all(given > 0) and given.sum() == n_rows:
            return np.arange(len(given)), np.repeat(np.arange(len(given)), given)
        if given.ndim == 1 and len(given) == n_rows:
            return np.unique(given, return_inverse=True)
        raise ValueError(
            f"trajectories must be lengths that add up to the {n_rows} rows of x, or a label for each of them, got "
            f"{self.trajectories!r}: where a library or a derivative leaves out rows at the ends of trajectories, "
            "count those that are left."
        )

    @property
    def complexity(self):
        """How many coefficients are not zero."""
        check_is_fitted(self, "coef_")
        return int(np.count_nonzero(self.coef_))

    def predict(self, x):
        """(n_samples, n_states), by the mean over the trajectories."""
        check_is_fitted(self, "coef_")
        return np.asarray(x, dtype=float) @ self.coef_.T

    def of_trajectory(self, label):
        """This optimizer with the coefficients of one trajectory as ``coef_``."""
        check_is_fitted(self, "coef_")
        found = np.flatnonzero(self.trajectories_ == label)
        if not len(found):
            raise ValueError(f"label must be one of {self.trajectories_.tolist()[:10]}, got {label!r}.")
        own = copy.copy(self)
        own._set(self.trajectory_coef_[found[0]])
        return own
