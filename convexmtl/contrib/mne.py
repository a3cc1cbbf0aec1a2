"""Source localisation: a solver in the protocol that MNE-Python documents for custom ones.

MNE's example "Source localization with a custom inverse solver" calls ``solver(M, G, n_orient)`` on whitened data and
gain, and takes the time series of the active dipoles, and which ones these are. MNE itself is not needed.
"""

import numpy as np
from sklearn.base import BaseEstimator

from .._input import check_count
from ._shares import check_share, finite, read_estimator


class SourceSolver(BaseEstimator):
    """minimise over X (n_dipoles, n_times)  1 / (2 n_channels) norm_F(M - G X)^2 + alpha sum_s norm_F(X_s),

    X_s the rows of X of all orientations of a source s: few sources for all times, each with its own orientation at
    each time. It is the mixed norm of Gramfort et al., which MNE has as ``mne.inverse_sparse.mixed_norm``, with a
    certificate.

    Parameters
    ----------
    share : float in (0, 1], default=0.3
        alpha as a share of the smallest one at which no source is active; MNE's ``mixed_norm`` has it in percent.
    estimator : regressor of convexmtl, default=None
        In place of ``BlockSparseRegressor`` with that strength: its own strengths are then in place of ``share``, times
        are its tasks. With several orientations it must have ``feature_groups``; one that searches its strengths takes
        folds of channels.
    tol : float, default=1e-6
        Duality gap, as in ``BlockSparseRegressor``; not for ``estimator``.

    Attributes
    ----------
    estimator_ : estimator
        The last fit, with its ``dual_gap_``.

    References
    ----------
    Gramfort, Kowalski, Haemaelaeinen (2012), Physics in Medicine and Biology.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl.contrib.mne import SourceSolver
    >>> rng = np.random.default_rng(0)
    >>> G = rng.normal(size=(30, 60))  # 20 sources with three orientations each
    >>> M = G[:, 6:9] @ rng.normal(size=(3, 10)) + 0.1 * rng.normal(size=(30, 10))
    >>> X, active_set = SourceSolver(share=0.3)(M, G, n_orient=3)
    >>> print(np.flatnonzero(active_set), X.shape)
    [6 7 8] (3, 10)
    """

    def __init__(self, share=0.3, *, estimator=None, tol=1e-6):
        self.share = share
        self.estimator = estimator
        self.tol = tol

    def __call__(self, M, G, n_orient):
        """Solve for whitened data and gain.

        Parameters
        ----------
        M : array-like of shape (n_channels, n_times)
        G : array-like of shape (n_channels, n_dipoles)
            The orientations of a source one after the other.
        n_orient : int
            How many each source has: 1 for fixed ones, 3 for free ones.

        Returns
        -------
        X : ndarray of shape (n_active_dipoles, n_times)
        active_set : ndarray of shape (n_dipoles,)
            Booleans, such that X_full[active_set] is X; of an active source all dipoles are.

        Raises
        ------
        ValueError
            For data and gains that do not fit, and parameters that make no sense.
        """
        check_share(self.share)
        M, G = finite(M, "M", (2,)), finite(G, "G", (2,))
        if len(M) != len(G):
            raise ValueError(f"M and G must have a row for every channel, got {len(M)} and {len(G)} rows.")
        check_count(n_orient, "n_orient", 1, "a number of orientations, 1 or 3")
        if G.shape[1] % n_orient:
            raise ValueError(f"G must have n_orient={n_orient} columns for every source, got {G.shape[1]} columns.")
        groups = np.arange(G.shape[1]) // n_orient if n_orient > 1 else None
        own = read_estimator(self.estimator, self.share, self.tol, G, M, feature_groups=groups)
        self.estimator_ = own.fit(G, M)
        X = own.coef_.T
        sources = X.any(axis=1).reshape(-1, n_orient).any(axis=1)
        active_set = np.repeat(sources, n_orient)
        return X[active_set], active_set
