"""Products of the samples of tasks: with coefficients, with each other, weighted and centred.

Compiled for many small tasks at once, whatever their sizes; and for one large task in numpy, dense or sparse.

The kernels go through the tasks that read some rows of X. ``X`` (d, m) holds these rows, one feature after the other,
from ``first`` on; the samples of task t are ``ptr[t]:ptr[t + 1]`` and read the rows from ``row[t]`` on. Each adds to
its last argument what these rows contribute.
"""

import numpy as np
from scipy.sparse import issparse

from ._jit import kernel
from ._rows import rows_used_by_any
from ._threads import large_product

BLOCK = 2**22  # entries of X that are worked on at a time
FAR = 1e-6  # share of a feature's second moment that is variance, below which it is far from zero
CHUNK = 1024  # rows that are centred, or copied, at a time


@kernel("void(frozen(float64, 2), int64, int64, int64, frozen(float64, 1), float64[::1])", fastmath=True)
def _dots(X, n_rows, low, high, u, out):
    """out[j] += X[j, low:high] . u for the first rows, four at a time, so that the sums stay in registers."""
    for j in range(0, n_rows - 3, 4):
        x0, x1, x2, x3 = X[j, low:high], X[j + 1, low:high], X[j + 2, low:high], X[j + 3, low:high]
        s0 = s1 = s2 = s3 = 0.0
        for i in range(u.shape[0]):
            s0 += u[i] * x0[i]
            s1 += u[i] * x1[i]
            s2 += u[i] * x2[i]
            s3 += u[i] * x3[i]
        out[j] += s0
        out[j + 1] += s1
        out[j + 2] += s2
        out[j + 3] += s3
    for j in range(n_rows // 4 * 4, n_rows):
        x, total = X[j, low:high], 0.0
        for i in range(u.shape[0]):
            total += u[i] * x[i]
        out[j] += total


@kernel(
    "void(frozen(float64, 2), int64, frozen(int64, 1), frozen(int64, 1), frozen(float64, 2), float64[::1])",
    fastmath=True,
)
def add_predictions(X, first, row, ptr, W, z):
    """z_ti += x_ti . w_t for W (T, d)."""
    d, m = X.shape
    for t in range(row.shape[0]):
        low, high = max(row[t], first), min(row[t] + ptr[t + 1] - ptr[t], first + m)
        if low < high:
            a = ptr[t] + low - row[t]
            out = z[a : a + high - low]
            b, e = low - first, high - first
            for j in range(0, d - 3, 4):
                w0, w1, w2, w3 = W[t, j], W[t, j + 1], W[t, j + 2], W[t, j + 3]
                if w0 != 0.0 or w1 != 0.0 or w2 != 0.0 or w3 != 0.0:
                    x0, x1, x2, x3 = X[j, b:e], X[j + 1, b:e], X[j + 2, b:e], X[j + 3, b:e]
                    for i in range(out.shape[0]):
                        out[i] += w0 * x0[i] + w1 * x1[i] + w2 * x2[i] + w3 * x3[i]
            for j in range(d // 4 * 4, d):
                w, x = W[t, j], X[j, b:e]
                for i in range(out.shape[0]):
                    out[i] += w * x[i]


@kernel(
    "void(frozen(float64, 2), int64, frozen(int64, 1), frozen(int64, 1), frozen(float64, 1), float64[:, ::1])",
    fastmath=True,
)
def add_moments(X, first, row, ptr, u, out):
    """out_t += sum_i u_ti x_ti, (T, d)."""
    d, m = X.shape
    for t in range(row.shape[0]):
        low, high = max(row[t], first), min(row[t] + ptr[t + 1] - ptr[t], first + m)
        if low < high:
            a = ptr[t] + low - row[t]
            _dots(X, d, low - first, high - first, u[a : a + high - low], out[t])


@kernel(
    "void(frozen(float64, 2), int64, frozen(int64, 1), frozen(int64, 1), frozen(float64, 1), frozen(float64, 2),"
    " frozen(boolean, 1), float64[:, :, ::1])",
    fastmath=True,
)
def add_grams(X, first, row, ptr, h, means, wanted, out):
    """out_t += sum_i h_ti (x_ti - mean_t)(x_ti - mean_t)', (T, d, d), for the tasks that are wanted.

    With an ``out`` of shape (T, d, 1) only their diagonals.
    """
    d, m = X.shape
    diagonal = out.shape[2] < d
    A, b = np.empty((1 if diagonal else d, CHUNK)), np.empty(CHUNK)
    for t in range(row.shape[0]):
        low, high = max(row[t], first), min(row[t] + ptr[t + 1] - ptr[t], first + m)
        if wanted[t] and low < high:
            for begin in range(low, high, CHUNK):
                size = min(CHUNK, high - begin)
                a = ptr[t] + begin - row[t]
                weight, weighted = h[a : a + size], b[:size]
                for j in range(d):
                    k = 0 if diagonal else j
                    x, mean, centred = X[j, begin - first : begin - first + size], means[t, j], A[k, :size]
                    for i in range(size):
                        centred[i] = x[i] - mean
                        weighted[i] = weight[i] * centred[i]
                    _dots(A, k + 1, 0, size, weighted, out[t, j])
            if not diagonal:
                for j in range(d):
                    for k in range(j):
                        out[t, k, j] = out[t, j, k]


@kernel(
    "void(frozen(float64, 2), frozen(int64, 1), frozen(int64, 1), frozen(float64, 1), boolean, frozen(float64, 2),"
    " float64[::1], float64[:, ::1])",
    fastmath=True,
)
def add_bent(X, row, ptr, h, centred, W, z, out):
    """out_t += sum_i h_ti (x_ti . w_t - m_t) x_ti, (T, d), m_t the mean weighted by h of what it is taken from, or 0.

    X is read once: the rows of a task are still at hand for their second product. ``z`` (N,) is room for work.
    """
    d = X.shape[0]
    for t in range(row.shape[0]):
        low, high = row[t], row[t] + ptr[t + 1] - ptr[t]
        own, weight = z[ptr[t] : ptr[t + 1]], h[ptr[t] : ptr[t + 1]]
        for i in range(own.shape[0]):
            own[i] = 0.0
        for j in range(0, d - 3, 4):
            w0, w1, w2, w3 = W[t, j], W[t, j + 1], W[t, j + 2], W[t, j + 3]
            x0, x1, x2, x3 = X[j, low:high], X[j + 1, low:high], X[j + 2, low:high], X[j + 3, low:high]
            for i in range(own.shape[0]):
                own[i] += w0 * x0[i] + w1 * x1[i] + w2 * x2[i] + w3 * x3[i]
        for j in range(d // 4 * 4, d):
            w, x = W[t, j], X[j, low:high]
            for i in range(own.shape[0]):
                own[i] += w * x[i]
        total = mass = 0.0
        if centred:
            for i in range(own.shape[0]):
                total += weight[i] * own[i]
                mass += weight[i]
        mean = total / mass if mass > 0.0 else 0.0
        for i in range(own.shape[0]):
            own[i] = weight[i] * (own[i] - mean)
        _dots(X, d, low, high, own, out[t])


@kernel("void(float64[:, :, ::1], int64[::1], float64[:, :, ::1])")
def turn(Ws, rows, out):
    """out[a, t, k] = Ws[a, rows[k], t]."""
    for a in range(Ws.shape[0]):
        for k in range(rows.shape[0]):
            for t in range(Ws.shape[2]):
                out[a, t, k] = Ws[a, rows[k], t]


def turned(Ws):
    """(V (A, T, k), rows (k,)): the rows of Ws (A, d, T) that are in use, those of a task side by side in memory; all
    rows where half of them are."""
    (A, d, T), rows = Ws.shape, rows_used_by_any(Ws)
    if 2 * len(rows) >= d:
        rows = np.arange(d)
    V = np.empty((A, T, len(rows)))
    turn(np.ascontiguousarray(Ws, dtype=float), rows, V)
    return V, rows


def without_rounding(curvature, means, mass):
    """``curvature`` with zeros where centring a constant feature has left the square of a rounding error."""
    return np.where(curvature <= 1e-28 * means**2 * mass, 0.0, curvature)


def squared(X):
    return X.power(2) if issparse(X) else np.square(X)


def gram(X, weight, mean):
    """sum_i weight_i (x_i - mean)(x_i - mean)', (d, d); mean None is 0."""
    if issparse(X):
        G = sparse_gram(X, weight, mean)
    else:
        factor = weight[0]
        equal = not np.any(weight != factor)
        for block in row_blocks(X):
            A = X[block] if mean is None else X[block] - mean
            if not equal:
                # (Where it is, if it is a copy: new memory takes as long as what is written into it.)
                A = np.multiply(A, np.sqrt(weight[block])[:, None], out=None if mean is None else A)
            with large_product(A.shape[0] * A.shape[1] ** 2):
                G = A.T @ A if block.start == 0 else G + A.T @ A
        if equal:
            G *= factor
    return G if mean is None else without_constants(G, mean, weight.sum())


def sparse_gram(X, weight, mean, begin=0):
    """Rows from ``begin`` on of sum_i weight_i (x_i - mean)(x_i - mean)' for a sparse X; mean None is 0."""
    weighted = X.multiply(weight[:, None]).tocsc()
    G = (X[:, begin:].T @ weighted).toarray()
    if mean is None:
        return G
    squares = np.asarray(X.multiply(weighted).sum(axis=0)).ravel()
    far = np.flatnonzero(squares - weight.sum() * mean**2 < FAR * squares)
    G -= weight.sum() * np.outer(mean[begin:], mean)
    if len(far):
        # A column far from zero is hardly sparse: its mean is taken out before the product, which would cancel.
        centred = X[:, far].toarray() - mean[far]
        product = X.T @ (weight[:, None] * centred) - np.outer(mean, weight @ centred)
        product[far] = centred.T @ (weight[:, None] * centred)
        G[:, far] = product[begin:]
        inside = far >= begin
        G[far[inside] - begin] = product[:, inside].T
    return G


def without_constants(G, means, mass):
    """The centred Gram matrices G (..., d, d), changed in place: exact zeros for features that are constant."""
    constant = without_rounding(np.einsum("...jj->...j", G), means, mass) == 0
    if constant.any():
        G[constant] = 0.0
        G.swapaxes(-1, -2)[constant] = 0.0
    return G


def by_columns(X):
    """A copy of X in Fortran order, some rows at a time: what is read of one is still at hand for its other columns."""
    columns = np.empty(X.shape, order="F")
    for a in range(0, len(X), CHUNK):
        columns[a : a + CHUNK] = X[a : a + CHUNK]
    return columns


def row_blocks(X):
    """Slices of rows of a dense X that hold BLOCK entries at most; of a sparse one, all of them."""
    size = X.shape[0] if issparse(X) else max(1, BLOCK // max(1, X.shape[1]))
    return [slice(a, min(a + size, X.shape[0])) for a in range(0, X.shape[0], size)]
