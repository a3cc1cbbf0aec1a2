"""Rows of (d, T) matrices: which are in use, and their norms. Most rows are zero, so these passes must be cheap."""

import numpy as np

from ._jit import kernel

SHORT = 32  # entries of a row, of which a copy costs little


def used_rows(W):
    """(..., d) booleans: the rows of W (..., d, T) that are not all zero; NaN is not zero."""
    if W.dtype != np.float64:
        return W.any(axis=-1)
    if W.shape[-1] <= SHORT and W.ndim > 1:
        # Several times as fast: a product. (Sums of sizes that are not all zero are not, nor are they of NaN.)
        return np.abs(W) @ np.ones(W.shape[-1]) != 0
    # Faster: the bits of a row, but for the signs.
    return np.bitwise_or.reduce(W.view(np.int64), axis=-1) << 1 != 0


@kernel("float64(float64[:, ::1])", fastmath=True)
def sum_of_lengths(W):
    """Of the rows: the sum of their 2-norms."""
    total = 0.0
    for j in range(W.shape[0]):
        square = 0.0
        for t in range(W.shape[1]):
            square += W[j, t] * W[j, t]
        total += np.sqrt(square)
    return total


@kernel("void(float64[:, :, ::1], boolean[::1])", fastmath=True)
def mark_used(Ws, used):
    """Mark the rows that are not all zero in some of Ws, from the last one on."""
    A, d, T = Ws.shape
    for k in range(1, A + 1):
        W = Ws[A - k]
        for j in range(d):
            if not used[j]:
                total = 0.0
                for t in range(T):
                    total += abs(W[j, t])
                if total != 0.0:
                    used[j] = True


def rows_used_by_any(Ws):
    """Positions of the rows that are not all zero in some of Ws (A, d, T).

    On a path the last one has nearly all of them: what it uses is not looked at in the others.
    """
    used = np.zeros(Ws.shape[1], dtype=bool)
    mark_used(np.ascontiguousarray(Ws, dtype=float), used)
    return np.flatnonzero(used)


def row_norms(W, q=2):
    """(..., d) norms of order q >= 1 of the rows of W (..., d, T), scaled where a large exponent might overflow or
    underflow."""
    if q == 2:
        squares = np.einsum("...t,...t->...", W, W)
        norms = np.sqrt(squares)
        odd = (squares < 1e-280) | (squares > 1e280)
        if odd.any():
            # Squares that overflow or underflow, rather than zeros.
            odd &= used_rows(W)
            if odd.any():
                norms[odd] = _scaled_norms(W[odd], 2.0)
        return norms
    if q in (1, np.inf):
        return np.linalg.norm(W, ord=q, axis=-1)
    return _scaled_norms(W, float(q))


def _scaled_norms(W, q):
    top = np.abs(W).max(axis=-1, initial=0.0)
    scale = np.where((top > 0) & (top < np.inf), top, 1.0)
    return top * np.linalg.norm(W / scale[..., None], ord=q, axis=-1)
