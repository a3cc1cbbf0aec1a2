"""Columns of one X for all tasks, as row descent wants them: gathered as they are needed, and kept."""

from weakref import ref

import numpy as np
from scipy.sparse import hstack, issparse

from ._products import sparse_gram, without_rounding
from ._threads import large_product


class Columns:
    """Columns sqrt(s_i) (x_ij - mean_j) of the features asked for so far, and their Gram matrix.

    With the common weights s, the squared loss of all tasks is a plain one on these columns. Each grows as features are
    asked for in it; a path finds here what its earlier fits have computed. Of a sparse X, and where all features are
    asked for at once, only the Gram matrix is kept.

    Parameters
    ----------
    design : Design
        Of tasks that have common weights.

    Attributes
    ----------
    weight : ndarray of shape (n,)
        The common weights s.
    """

    def __init__(self, design):
        tasks = design.tasks
        # (A cycle would keep the samples until somebody collects garbage.)
        self.design, self.X, self.centred = ref(design), tasks.X, design.centred
        self.weight = tasks.common_weight[0]
        self.place, self.place_in_gram = np.full((2, tasks.n_features), -1)
        self.n_columns, self.known = 0, np.empty(0, dtype=int)
        self.rows = np.empty((0, self.X.shape[0]))
        self.sparse = None
        self.G = np.empty((0, 0))
        self.complete = False

    def take(self, features):
        """(m, n): one row per feature."""
        if issparse(self.X):
            return self._scaled(self.X[:, features].T.toarray())
        if self.complete:
            return self._scaled(self.X.T[features])
        self._gather(features)
        return _subset(self.rows, self.place[features])

    def gram(self, features):
        """(m, m)."""
        if len(features) == len(self.place) and not self.n_columns and not issparse(self.X):
            self.G, self.complete = self.design().common.G, True
            self.place[:] = self.place_in_gram[:] = self.known = np.arange(len(self.place))
            self.n_columns = len(self.place)
        self._gather(features)
        missing = features[self.place_in_gram[features] < 0]
        if len(missing):
            old, new = len(self.known), len(self.known) + len(missing)
            if new > len(self.G):
                self.G = _grown(self.G, (_capacity(new, len(self.place)),) * 2)
            self._multiply(missing, old, new)
            self.G[:old, old:new] = self.G[old:new, :old].T
            self.known = np.concatenate([self.known, missing])
            self.place_in_gram[missing] = np.arange(old, new)
        places = self.place_in_gram[features]
        if _is_range(places):
            size = len(places)
            return np.ascontiguousarray(self.G[:size, :size])
        return self.G[np.ix_(places, places)]

    def _multiply(self, missing, old, new):
        """Fill in the rows of the Gram matrix that are new. (A sparse X has the columns of no others.)"""
        if issparse(self.X):
            means = self.weight @ self.sparse if self.centred else None
            self.G[old:new, :new] = sparse_gram(self.sparse, self.weight, means, old)
            if self.centred:
                constant = without_rounding(np.diag(self.G)[:new], means, 1.0) == 0
                self.G[:new][constant] = 0.0
                self.G[:, :new][:, constant] = 0.0
        else:
            added, before = (_subset(self.rows, self.place[features]) for features in (missing, self.known))
            with large_product(added.size * new):
                self.G[old:new, old:new] = added @ added.T
                self.G[old:new, :old] = added @ before.T

    def _scaled(self, rows):
        """Columns of X, one per row of ``rows``, centred and weighted in place."""
        if self.centred:
            means = rows @ self.weight
            rows -= means[:, None]
        rows *= np.sqrt(self.weight)
        if self.centred:
            squares = np.einsum("ij,ij->i", rows, rows)
            rows[without_rounding(squares, means, 1.0) == 0] = 0.0
        return rows

    def _gather(self, features):
        missing = features[self.place[features] < 0]
        if not len(missing):
            return
        old, new = self.n_columns, self.n_columns + len(missing)
        if issparse(self.X):
            added = self.X[:, missing]
            self.sparse = added if self.sparse is None else hstack([self.sparse, added], format="csc")
        else:
            if new > len(self.rows):
                self.rows = _grown(self.rows, (_capacity(new, len(self.place)), self.X.shape[0]))
            self.rows[old:new] = self.X.T[missing]
            self._scaled(self.rows[old:new])
        self.place[missing] = np.arange(old, new)
        self.n_columns = new


def _capacity(wanted, most):
    """Room for some more than wanted, so that growing is rare."""
    return min(most, max(128, wanted + wanted // 2))


def _grown(array, shape):
    bigger = np.empty(shape)
    bigger[: array.shape[0], : array.shape[1]] = array
    return bigger


def _is_range(places, begin=0):
    return bool(np.array_equal(places, np.arange(begin, begin + len(places))))


def _subset(rows, places):
    begin = places[0] if len(places) else 0
    return rows[begin : begin + len(places)] if _is_range(places, begin) else rows[places]
