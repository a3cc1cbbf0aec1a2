"""The hot loops of row descent.

Both minimise, over the rows of W,

    <gradient, W - W0> + 1/2 sum_t (w_t - w0_t)' H_t (w_t - w0_t) + tr(W M W') + sum_j phi(W_j.)

by cyclic descent with one step per task; they differ in what is kept up to date: the gradient (through
the H_t) or the weighted residual (through the columns of X). M comes as ``ridge`` = 2 diag(M), the rest of
M (an empty matrix where there is none), and ``bound``, the curvature per task that covers 2 M.
"""

import numpy as np

from .._jit import kernel


@kernel("float64(float64[::1], float64[::1])", fastmath=True)
def _dot(x, u):
    total = 0.0
    for i in range(x.shape[0]):
        total += x[i] * u[i]
    return total


@kernel("void(float64, float64[::1], float64[::1])", fastmath=True)
def _add(a, x, u):
    for i in range(x.shape[0]):
        u[i] += a * x[i]


@kernel("void(float64, float64, float64[::1], float64[::1], float64[::1])", fastmath=True)
def _add_centred(a, mean, h, x, u):
    for i in range(x.shape[0]):
        u[i] += a * h[i] * (x[i] - mean)


@kernel("boolean(float64[::1], float64[::1], float64[::1])")
def _steps(curvature, bound, step):
    """Fill in 1 / curvature per task; False where the whole row has none (it changes nothing)."""
    low = 0.0
    for t in range(step.shape[0]):
        total = curvature[t] + bound[t]
        step[t] = 1.0 / total if total > 0.0 else 0.0
        low = max(low, step[t])
    if low == 0.0:
        return False
    for t in range(step.shape[0]):
        # A task in which this feature is constant: the gradient is zero there, any step will do.
        if step[t] == 0.0:
            step[t] = low
    return True


@kernel("void(float64[::1], float64[:, ::1], float64[::1])")
def _couple(w, M, new):
    """new += 2 w M."""
    T = w.shape[0]
    for s in range(T):
        if w[s] != 0.0:
            for t in range(T):
                new[t] += 2.0 * w[s] * M[s, t]


@kernel(
    "int64(float64[:, :, ::1], float64[::1], float64[:, ::1], float64[:, ::1], float64[:, ::1], float64[:, ::1],"
    " float64[::1], float64[::1], row_prox, float64[::1], int64[::1], int64, float64, float64[::1])"
)
def descend_gram(G, scale, gradient, W, curvature, M, ridge, bound, prox, fpar, ipar, n_sweeps, tol, worst):
    """Sweeps with H_t = scale_t G[t], or scale_t G[0] where all tasks share it; gradient is (T, m).

    Returns the number of sweeps; worst[0] is the largest change of the last one, in units of the gradient.
    """
    m, T = W.shape
    shared = G.shape[0] == 1
    coupled = M.shape[0] == T
    new = np.empty(T)
    step = np.empty(T)
    for sweep in range(n_sweeps):
        top = 0.0
        for j in range(m):
            w = W[j]
            if not _steps(curvature[j], bound, step):
                continue
            for t in range(T):
                new[t] = gradient[t, j]
            if coupled:
                _couple(w, M, new)
            for t in range(T):
                new[t] = w[t] - step[t] * (new[t] + ridge[t] * w[t])
            prox(new, step, fpar, ipar, j)
            for t in range(T):
                d = new[t] - w[t]
                if d != 0.0:
                    change = abs(d) / step[t]
                    if not change <= top:
                        top = change
                    w[t] = new[t]
                    _add(scale[t] * d, G[0 if shared else t, j], gradient[t])
        worst[0] = top
        if not top > tol:
            return sweep + 1
    return n_sweeps


@kernel(
    "int64(float64[::1], int64, int64[::1], int64[::1], float64[::1], float64[::1], float64[:, ::1],"
    " float64[:, ::1], float64[:, ::1], float64[:, ::1], float64[::1], float64[::1], row_prox, float64[::1],"
    " int64[::1], int64, float64, float64[::1])"
)
def descend_columns(
    X, n_rows, row, ptr, u, h, W, means, curvature, M, ridge, bound, prox, fpar, ipar, n_sweeps, tol, worst
):
    """Sweeps that keep u = the weighted derivative of the loss, with H_t = sum_i h_i (x - mean)(x - mean)'.

    X is the Fortran-ordered matrix, flat; u sums to zero per task where there is an intercept.
    """
    m, T = W.shape
    coupled = M.shape[0] == T
    new = np.empty(T)
    step = np.empty(T)
    for sweep in range(n_sweeps):
        top = 0.0
        for j in range(m):
            w = W[j]
            if not _steps(curvature[j], bound, step):
                continue
            for t in range(T):
                a, e = ptr[t], ptr[t + 1]
                o = j * n_rows + row[t]
                new[t] = _dot(X[o : o + e - a], u[a:e])
            if coupled:
                _couple(w, M, new)
            for t in range(T):
                new[t] = w[t] - step[t] * (new[t] + ridge[t] * w[t])
            prox(new, step, fpar, ipar, j)
            for t in range(T):
                d = new[t] - w[t]
                if d != 0.0:
                    change = abs(d) / step[t]
                    if not change <= top:
                        top = change
                    w[t] = new[t]
                    a, e = ptr[t], ptr[t + 1]
                    o = j * n_rows + row[t]
                    _add_centred(d, means[j, t], h[a:e], X[o : o + e - a], u[a:e])
        worst[0] = top
        if not top > tol:
            return sweep + 1
    return n_sweeps
