"""Where a solution can move: the directions along which a penalty is smooth, and its second derivative there.

A penalty with kinks is smooth along the set of all W with the zeros, ties and rank of the solution, and a solution that
is not degenerate stays on that set when the targets change a little. Both are known from the prox: at V = W + step Z, Z
a subgradient at W, its derivative is (I + step H)^-1 along the set, and 0 across it.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csc_array

NUDGE = 1e-5  # of the largest entry, by which a prox is differentiated
ACROSS = 1e-7  # derivative of a prox that is taken for rounding
FLAT = 1e-9  # by how much less than 1 it may be from rounding
SMALL = 400  # entries of W up to which any prox is differentiated, at two calls for each of them
MANY = 1000  # the same where the singular vectors are known


class Manifold(NamedTuple):
    """W may move by B a, which bends Omega by a' (D - F F') a.

    Attributes
    ----------
    basis : sparse array of shape (d T, m)
        B, with orthonormal columns; entry (j, t) of W is in row j T + t.
    diagonal : ndarray of shape (m,)
        D >= 0.
    factor : sparse array of shape (m, k)
        F, such that D - F F' is positive semidefinite.
    """

    basis: csc_array
    diagonal: np.ndarray
    factor: csc_array

    def bent(self, A):
        """A' (D - F F') A for moves A (m, k)."""
        turned = self.factor.T @ A
        return A.T @ (self.diagonal[:, None] * A) - turned.T @ turned


def of_entries(used):
    """That of W (d, T) whose entries ``used`` move freely."""
    at = np.flatnonzero(used)
    basis = csc_array((np.ones(len(at)), (at, np.arange(len(at)))), shape=(used.size, len(at)))
    return Manifold(basis, np.zeros(len(at)), csc_array((len(at), 0)))


def of_norms(W, used, strength, axis):
    """That of sum strength norm_2 over the rows (axis = 1) or columns (axis = 0) of W, whose entries ``used`` move.

    With lambda = strength / norm_2(w) and u = w / norm_2(w), a norm bends by lambda (I - u u').
    """
    norms = np.linalg.norm(W, axis=axis)
    groups, group = np.unique(np.nonzero(used)[1 - axis], return_inverse=True)
    bend = (strength / np.where(norms > 0, norms, 1.0))[groups]
    entries = np.sqrt(bend)[group] * W[used] / norms[groups][group]
    factor = csc_array((entries, (np.arange(len(group)), group)), shape=(len(group), len(groups)))
    return Manifold(of_entries(used).basis, bend[group], factor)


def of_row_prox(penalty, W, Z):
    """That of a penalty of rows, whose prox is differentiated row by row."""
    d, T = W.shape
    free = penalty.free_tasks(T).shape[1] > 0
    rows = np.flatnonzero((W.any(axis=1) | Z.any(axis=1)) if free else W.any(axis=1))
    steps = _balanced(np.linalg.norm(W[rows], axis=1), np.linalg.norm(Z[rows], axis=1))
    if penalty.is_norm:
        # Its prox with step s is s times that with step 1 at V / s, so that every row has its own step in one call.
        V, step = W[rows] / steps[:, None] + Z[rows], 1.0
    else:
        step = float(np.median(steps)) if len(rows) else 1.0
        V, steps = W[rows] + step * Z[rows], np.full(len(rows), step)
    values, vectors = _spectrum(row_slopes(penalty, V, rows, step))
    row, k = np.nonzero(values > ACROSS)
    at, column = rows[row][:, None] * T + np.arange(T), np.repeat(np.arange(len(row)), T)
    basis = csc_array((vectors[row, :, k].ravel(), (at.ravel(), column)), shape=(d * T, len(row)))
    return Manifold(basis, _bend(values[row, k], steps[row]), csc_array((len(row), 0)))


def row_slopes(penalty, V, rows, step, nudge=NUDGE):
    """(m, T, T) derivatives of the prox with this step at the rows V (m, T) of these features, by differences.

    ``nudge`` is their size, beside the largest entry of a row.
    """
    T = V.shape[1]
    size = nudge * np.abs(V).max(axis=1, initial=0.0)[:, None, None]
    repeated = penalty.restrict(np.repeat(rows, T))
    ahead, behind = (
        repeated.prox((V[:, None] + move).reshape(-1, T), step).reshape(-1, T, T)
        for move in (size * np.eye(T), -size * np.eye(T))
    )
    return (ahead - behind) / (2 * size)


def of_prox(penalty, W, Z):
    """That of any penalty, from the derivative of its prox; None of a large W."""
    if W.size > SMALL:
        return None
    step = float(_balanced(np.linalg.norm(W), np.linalg.norm(Z)))
    return _of_spectrum(*_spectrum(penalty.slopes(W + step * Z, step)), step)


def slopes(penalty, V, step):
    """(d T, d T) derivative of the prox with this step at V, by differences."""
    size = NUDGE * np.abs(V).max()
    moves = (size * np.eye(V.size)).reshape(-1, *V.shape)
    J = np.array([penalty.prox(V + move, step) - penalty.prox(V - move, step) for move in moves])
    return J.reshape(V.size, V.size) / (2 * size) if size > 0 else np.eye(V.size)


def of_singular_values(penalty, W, Z):
    """That of a penalty of the singular values s, of which its prox makes x = ratios(s) s; None of a large W."""
    if W.size > MANY:
        return None
    step = float(_balanced(np.linalg.norm(W), np.linalg.norm(Z)))
    return _of_spectrum(*singular_spectrum(W + step * Z, lambda s: penalty.ratios(s, step, W.shape[1])), step)


def singular_slopes(V, ratios):
    """(d T, d T) derivative at V of what makes ``ratios(s)`` s of the singular values s."""
    values, vectors = singular_spectrum(V, ratios)
    return (vectors * values) @ vectors.T


def singular_spectrum(V, ratios):
    """(values, vectors) of that derivative.

    A pair (i, j) of singular directions is multiplied by (x_i - x_j) / (s_i - s_j) where both turn alike, and by
    (x_i + x_j) / (s_i + s_j) where they turn against each other, x = ratios(s) s.
    """
    (d, T), r = V.shape, min(V.shape)
    U, s, Vt = np.linalg.svd(V)
    V, size = Vt.T, NUDGE * (s[0] if s[0] > 0 else 1.0)

    def shrunk(s):
        return ratios(s) * s

    x = shrunk(s)
    A = np.array([shrunk(s + e) - shrunk(s - e) for e in size * np.eye(r)]) / (2 * size)
    values, vectors = _spectrum(A)
    found = [(values, np.einsum("ji,ti,ik->jtk", U[:, :r], V[:, :r], vectors))]
    i, k = np.triu_indices(r, 1)
    one, other = U[:, None, i] * V[:, k], U[:, None, k] * V[:, i]
    apart = s[i] - s[k] > 2 * size
    alike = np.where(apart, (x[i] - x[k]) / np.where(apart, s[i] - s[k], 1.0), A[i, i] - A[i, k])
    found.append((alike, (one + other) / np.sqrt(2)))
    found.append((_ratio(x[i] + x[k], s[i] + s[k]), (one - other) / np.sqrt(2)))
    # What the longer side has beyond the shorter one.
    i, k = np.repeat(np.arange(r), max(d, T) - r), np.tile(np.arange(r, max(d, T)), r)
    found.append((_ratio(x, s)[i], U[:, None, k] * V[:, i] if d > T else U[:, None, i] * V[:, k]))
    values, vectors = (np.concatenate(pieces, axis=-1) for pieces in zip(*found, strict=True))
    return values, vectors.reshape(d * T, -1)


def settled(penalty, W, Z):
    """The W nearby of which Z is a subgradient, with all the zeros and ties of that."""
    step = float(_balanced(np.linalg.norm(W), np.linalg.norm(Z)))
    return penalty.prox(W + step * Z, step)


def _balanced(size, pull):
    """Steps for which W and step Z are of one size, and 1 where one of the two is zero."""
    ratio = _ratio(size, pull)
    return np.where(ratio > 0, ratio, 1.0)


def _ratio(a, b):
    return np.divide(a, b, out=np.zeros(np.shape(b)), where=np.asarray(b) > 0)


def _spectrum(J):
    return np.linalg.eigh((J + np.swapaxes(J, -1, -2)) / 2)


def _bend(values, step):
    """The eigenvalues of H from those of (I + step H)^-1.

    What differences leave of none is taken out: parts that can move against each other are told by nothing else.
    """
    return np.where(values < 1 - FLAT, 1 / values - 1, 0.0) / step


def _of_spectrum(values, vectors, step):
    along = values > ACROSS
    basis = csc_array(vectors[:, along])
    return Manifold(basis, _bend(values[along], step), csc_array((basis.shape[1], 0)))
