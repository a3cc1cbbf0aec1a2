"""The hot loops of row descent.

All minimise, over the rows of W,

    <gradient, W - W0> + 1/2 sum_t (w_t - w0_t)' H_t (w_t - w0_t) + tr(W M W') + sum_j phi(W_j.)

by cyclic descent with one step per task. They differ in what is kept up to date: the gradient (through the
H_t) or the weighted residual (through the columns of X). M comes as ``ridge`` = 2 diag(M) and what is off its
diagonal, as ``TaskOperator.packed`` has it. ``step`` (m, T) is 1 / curvature, as ``row_steps`` fills it in. Where all
tasks share one Gram matrix, rows are taken a block at a time: descent inside the block on its own Gram matrix,
and one matrix product to tell the others.
"""

import numpy as np

from .._jit import kernel

# A pass over some rows, how their changes C (k, T) get into what is kept for every task, and whole sweeps: pointers, of
# which there is one for data that tasks share and one for data of their own.
PASS = (
    "float64(float64[:, :, ::1], float64[::1], float64[:, ::1], float64[:, ::1], float64[:, ::1], float64[:, ::1],"
    " float64[:, ::1], coupling, float64[::1], row_prox, float64[::1], int64[::1], int64, int64, int64, float64[::1])"
)
GRADIENTS = "void(float64[:, ::1], float64[:, ::1], int64, int64, float64[:, :])"
ADD = "void(float64[:, ::1], int64[::1], int64, float64[:, :, ::1], float64[:, ::1])"
STEPS = "void(float64[:, ::1], float64[::1], float64, float64, float64[:, ::1])"
SWEEPS = (
    "int64(float64[:, :, ::1], float64[:, :, ::1], float64[::1], float64[:, ::1], float64[:, ::1], float64[:, ::1],"
    " coupling, float64[::1], row_prox, float64[::1], int64[::1],"
    f" pointer({PASS}), pointer({ADD}), pointer({GRADIENTS}), int64, int64, float64, float64[::1])"
)


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


@kernel(GRADIENTS, fastmath=True)
def gradients(u, X, begin, end, out):
    """out[t, j - begin] = u[t] . X[j], four tasks by four rows at a time, so that 16 sums stay in registers."""
    T, n = u.shape
    for j in range(begin, end - 3, 4):
        x0, x1, x2, x3, k = X[j], X[j + 1], X[j + 2], X[j + 3], j - begin
        for t in range(0, T - 3, 4):
            u0, u1, u2, u3 = u[t], u[t + 1], u[t + 2], u[t + 3]
            a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = 0.0
            c0 = c1 = c2 = c3 = d0 = d1 = d2 = d3 = 0.0
            for i in range(n):
                a0 += u0[i] * x0[i]
                a1 += u0[i] * x1[i]
                a2 += u0[i] * x2[i]
                a3 += u0[i] * x3[i]
                b0 += u1[i] * x0[i]
                b1 += u1[i] * x1[i]
                b2 += u1[i] * x2[i]
                b3 += u1[i] * x3[i]
                c0 += u2[i] * x0[i]
                c1 += u2[i] * x1[i]
                c2 += u2[i] * x2[i]
                c3 += u2[i] * x3[i]
                d0 += u3[i] * x0[i]
                d1 += u3[i] * x1[i]
                d2 += u3[i] * x2[i]
                d3 += u3[i] * x3[i]
            out[t, k], out[t, k + 1], out[t, k + 2], out[t, k + 3] = a0, a1, a2, a3
            out[t + 1, k], out[t + 1, k + 1], out[t + 1, k + 2], out[t + 1, k + 3] = b0, b1, b2, b3
            out[t + 2, k], out[t + 2, k + 1], out[t + 2, k + 2], out[t + 2, k + 3] = c0, c1, c2, c3
            out[t + 3, k], out[t + 3, k + 1], out[t + 3, k + 2], out[t + 3, k + 3] = d0, d1, d2, d3
        for t in range(T // 4 * 4, T):
            u0 = u[t]
            a0 = a1 = a2 = a3 = 0.0
            for i in range(n):
                a0 += u0[i] * x0[i]
                a1 += u0[i] * x1[i]
                a2 += u0[i] * x2[i]
                a3 += u0[i] * x3[i]
            out[t, k], out[t, k + 1], out[t, k + 2], out[t, k + 3] = a0, a1, a2, a3
    for j in range(begin + (end - begin) // 4 * 4, end):
        for t in range(T):
            out[t, j - begin] = _dot(u[t], X[j])


@kernel(GRADIENTS)
def no_gradients(u, X, begin, end, out):
    """In the place of ``gradients`` where nobody asks for them: compiled at once."""


@kernel(
    "void(float64, float64, float64, float64, float64, float64, float64, float64, float64, float64, float64, float64,"
    " float64, float64, float64, float64, float64[::1], float64[::1], float64[::1], float64[::1], float64[::1],"
    " float64[::1], float64[::1], float64[::1])",
    fastmath=True,
)
def _add_four(a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3, x0, x1, x2, x3, u, v, w, z):
    """u += sum_k a_k x_k and so on for v, w and z."""
    for i in range(u.shape[0]):
        p, q, r, s = x0[i], x1[i], x2[i], x3[i]
        u[i] += a0 * p + a1 * q + a2 * r + a3 * s
        v[i] += b0 * p + b1 * q + b2 * r + b3 * s
        w[i] += c0 * p + c1 * q + c2 * r + c3 * s
        z[i] += d0 * p + d1 * q + d2 * r + d3 * s


@kernel(ADD, fastmath=True)
def add_shared(D, rows, n_rows, G, u):
    """u[t] += sum_k D[k, t] G[0, rows[k]] over the first n_rows rows."""
    X, (T, n) = G[0], u.shape
    for a in range(0, n, 1024):
        e = min(a + 1024, n)
        for k in range(0, n_rows, 4):
            # (Beyond the last one: that one again, zero times.)
            k1, k2, k3 = min(k + 1, n_rows - 1), min(k + 2, n_rows - 1), min(k + 3, n_rows - 1)
            one, two, three = 1.0 * (k1 - k), 1.0 * (k2 - k1), 1.0 * (k3 - k2)
            x0, x1, x2, x3 = X[rows[k], a:e], X[rows[k1], a:e], X[rows[k2], a:e], X[rows[k3], a:e]
            for t in range(0, T - 3, 4):
                _add_four(
                    D[k, t], one * D[k1, t], two * D[k2, t], three * D[k3, t],
                    D[k, t + 1], one * D[k1, t + 1], two * D[k2, t + 1], three * D[k3, t + 1],
                    D[k, t + 2], one * D[k1, t + 2], two * D[k2, t + 2], three * D[k3, t + 2],
                    D[k, t + 3], one * D[k1, t + 3], two * D[k2, t + 3], three * D[k3, t + 3],
                    x0, x1, x2, x3, u[t, a:e], u[t + 1, a:e], u[t + 2, a:e], u[t + 3, a:e],
                )  # fmt: skip
            for t in range(T // 4 * 4, T):
                v, d0, d1, d2, d3 = u[t, a:e], D[k, t], one * D[k1, t], two * D[k2, t], three * D[k3, t]
                for i in range(e - a):
                    v[i] += d0 * x0[i] + d1 * x1[i] + d2 * x2[i] + d3 * x3[i]


@kernel(STEPS)
def row_steps(curvature, bound, even, spread, step):
    """1 / (curvature + bound) per row and task, at most ``spread`` times the shortest of the row, and that one for all
    if none is more than ``even`` times longer; a row that has none (it changes nothing) gets zeros."""
    m, T = curvature.shape
    for j in range(m):
        low = 0.0
        high = 0.0
        for t in range(T):
            total = curvature[j, t] + bound[t]
            step[j, t] = 1.0 / total if total > 0.0 else 0.0
            low = max(low, step[j, t])
            high = max(high, total)
        if low * high <= even:
            low = 1.0 / high if high > 0.0 else 0.0
        elif low * high > spread:
            low = spread / high
        for t in range(T):
            # A task in which this feature is constant: the gradient is zero there, any step will do.
            if step[j, t] == 0.0 or step[j, t] > low:
                step[j, t] = low


@kernel("void(float64[::1], coupling, float64[::1])")
def _couple(w, M, new):
    """new += 2 w M, without the diagonal of M."""
    indptr, indices, data, groups, shares = M
    T = w.shape[0]
    for s in range(len(indptr) - 1):
        if w[s] != 0.0:
            for k in range(indptr[s], indptr[s + 1]):
                new[indices[k]] += 2.0 * w[s] * data[k]
    if len(shares) > 0:
        totals = np.empty(len(shares))
        for g in range(len(shares)):
            totals[g] = 0.0
        for level in range(groups.shape[0]):
            for t in range(T):
                totals[groups[level, t]] += w[t]
        for level in range(groups.shape[0]):
            for t in range(T):
                g = groups[level, t]
                new[t] += 2.0 * shares[g] * (totals[g] - w[t])


@kernel(
    "float64(float64[::1], float64[::1], float64[::1], float64[::1], row_prox, float64[::1], int64[::1], int64)",
    fastmath=True,
)
def _row(new, w, step, ridge, prox, fpar, ipar, feature):
    """Turn ``new``, the gradient of the row, into its change; returns the norm of that in units of the gradient."""
    T = w.shape[0]
    for t in range(T):
        new[t] = w[t] - step[t] * (new[t] + ridge[t] * w[t])
    prox(new, step, fpar, ipar, feature)
    total = 0.0
    for t in range(T):
        change = new[t] - w[t]
        w[t] = new[t]
        new[t] = change
        size = change / step[t]
        total += size * size
    return np.sqrt(total)


@kernel("void(float64[:, ::1], float64[::1], float64[::1])", fastmath=True)
def _add_combination(C, g, new):
    """new += sum_k g[k] C[k], four rows of C at a time."""
    size = g.shape[0]
    for k in range(0, size - 3, 4):
        c0, c1, c2, c3 = C[k], C[k + 1], C[k + 2], C[k + 3]
        g0, g1, g2, g3 = g[k], g[k + 1], g[k + 2], g[k + 3]
        for t in range(new.shape[0]):
            new[t] += g0 * c0[t] + g1 * c1[t] + g2 * c2[t] + g3 * c3[t]
    for k in range(size // 4 * 4, size):
        _add(g[k], C[k], new)


@kernel(PASS)
def pass_shared(G, scale, gradient, C, D, W, step, M, ridge, prox, fpar, ipar, begin, end, offset, new):
    """One pass over rows begin..end where all tasks have G[0]; C (block, T) collects their changes, times scale.

    ``gradient`` is left as it was: a row adds to its own entry what the changes of its block so far amount to,
    through its row of G. Both start at column ``offset``. Returns the largest norm of a row's change. D has no use.
    """
    T = W.shape[1]
    coupled = len(M[1]) + len(M[4]) > 0
    top = 0.0
    for j in range(begin, end):
        k = j - begin
        for t in range(T):
            C[k, t] = 0.0
        if step[j, 0] == 0.0:
            continue
        for t in range(T):
            new[t] = gradient[t, offset + k]
        _add_combination(C, G[0, j, offset : offset + k], new)
        # (Not in ``_row``: to hand a coupling on for every row takes a quarter of the time of a short one.)
        if coupled:
            _couple(W[j], M, new)
        change = _row(new, W[j], step[j], ridge, prox, fpar, ipar, j)
        if not change <= top:
            top = change
        for t in range(T):
            C[k, t] = scale[t] * new[t]
    return top


@kernel(PASS)
def pass_tasks(G, scale, gradient, C, D, W, step, M, ridge, prox, fpar, ipar, begin, end, offset, new):
    """The same where every task has its own G[t], or tasks are few; D (T, block) is the transpose of C."""
    T, own = W.shape[1], G.shape[0] > 1
    coupled = len(M[1]) + len(M[4]) > 0
    top = 0.0
    for j in range(begin, end):
        k = j - begin
        for t in range(T):
            C[k, t] = D[t, k] = 0.0
        if step[j, 0] == 0.0:
            continue
        for t in range(T):
            new[t] = gradient[t, offset + k] + _dot(D[t, :k], G[t if own else 0, j, offset : offset + k])
        if coupled:
            _couple(W[j], M, new)
        change = _row(new, W[j], step[j], ridge, prox, fpar, ipar, j)
        if not change <= top:
            top = change
        for t in range(T):
            C[k, t] = D[t, k] = scale[t] * new[t]
    return top


@kernel("int64(float64[:, ::1], int64, int64, int64[::1])")
def _changed(C, begin, end, rows):
    """Move the rows of C that are not zero to its beginning, and list in ``rows`` whose they are."""
    n_rows = 0
    for k in range(end - begin):
        any_change = False
        for t in range(C.shape[1]):
            if C[k, t] != 0.0:
                any_change = True
                break
        if any_change:
            if n_rows != k:
                for t in range(C.shape[1]):
                    C[n_rows, t] = C[k, t]
            rows[n_rows] = begin + k
            n_rows += 1
    return n_rows


@kernel(ADD, fastmath=True)
def add_task_rows(D, rows, n_rows, G, u):
    """u[t] += sum_k D[k, t] G[t, rows[k]] over the first n_rows rows."""
    for t in range(u.shape[0]):
        v = u[t]
        for k in range(0, n_rows - 3, 4):
            x0, x1, x2, x3 = G[t, rows[k]], G[t, rows[k + 1]], G[t, rows[k + 2]], G[t, rows[k + 3]]
            d0, d1, d2, d3 = D[k, t], D[k + 1, t], D[k + 2, t], D[k + 3, t]
            for i in range(v.shape[0]):
                v[i] += d0 * x0[i] + d1 * x1[i] + d2 * x2[i] + d3 * x3[i]
        for k in range(n_rows // 4 * 4, n_rows):
            _add(D[k, t], G[t, rows[k]], v)


@kernel(SWEEPS)
def descend_gram(
    X, G, scale, gradient, W, step, M, ridge, prox, fpar, ipar, go, add, products, block, n_sweeps, tol, worst
):
    """Sweeps with H_t = scale_t G[t], or scale_t G[0] where all tasks share it; gradient is (T, m), X and
    ``products`` have no use.

    ``go`` and ``add`` are those for one G, or for one per task.

    Returns the number of sweeps; worst[0] is the largest norm of a row's change in the last one, in units of the
    gradient.
    """
    m, T = W.shape
    new = np.empty(T)
    C = np.empty((block, T))
    D = np.empty((T, block))
    rows = np.empty(block, dtype=np.int64)
    for sweep in range(n_sweeps):
        top = 0.0
        for begin in range(0, m, block):
            end = min(begin + block, m)
            moved = go(G, scale, gradient, C, D, W, step, M, ridge, prox, fpar, ipar, begin, end, begin, new)
            if not moved <= top:
                top = moved
            add(C, rows, _changed(C, begin, end, rows), G, gradient)
        worst[0] = top
        if not top > tol:
            return sweep + 1
    return n_sweeps


@kernel(SWEEPS)
def descend_blocks(X, G, scale, u, W, step, M, ridge, prox, fpar, ipar, go, add, products, block, n_sweeps, tol, worst):
    """Sweeps that keep u (T, n) = scale_t times the residual, for H_t = scale_t X X' with X (1, m, n) and m > n.

    G (1, m, block) has, for every row, the products with the rows of its own block.
    """
    m, T = W.shape
    new = np.empty(T)
    C, D = np.empty((block, T)), np.empty((T, block))
    rows = np.empty(block, dtype=np.int64)
    gradient = np.empty((T, block))
    for sweep in range(n_sweeps):
        top = 0.0
        for begin in range(0, m, block):
            end = min(begin + block, m)
            products(u, X[0], begin, end, gradient)
            moved = go(G, scale, gradient, C, D, W, step, M, ridge, prox, fpar, ipar, begin, end, 0, new)
            if not moved <= top:
                top = moved
            add(C, rows, _changed(C, begin, end, rows), X, u)
        worst[0] = top
        if not top > tol:
            return sweep + 1
    return n_sweeps


@kernel(
    "int64(float64[::1], int64, int64[::1], int64[::1], float64[::1], float64[::1], float64[:, ::1],"
    " float64[:, ::1], float64[:, ::1], coupling, float64[::1], row_prox, float64[::1],"
    " int64[::1], int64, float64, float64[::1])"
)
def descend_columns(X, n_rows, row, ptr, u, h, W, means, step, M, ridge, prox, fpar, ipar, n_sweeps, tol, worst):
    """Sweeps that keep u = the weighted derivative of the loss, with H_t = sum_i h_i (x - mean)(x - mean)'.

    X is the Fortran-ordered matrix, flat; u sums to zero per task where there is an intercept.
    """
    m, T = W.shape
    coupled = len(M[1]) + len(M[4]) > 0
    new = np.empty(T)
    for sweep in range(n_sweeps):
        top = 0.0
        for j in range(m):
            if step[j, 0] == 0.0:
                continue
            for t in range(T):
                a, e = ptr[t], ptr[t + 1]
                o = j * n_rows + row[t]
                new[t] = _dot(X[o : o + e - a], u[a:e])
            if coupled:
                _couple(W[j], M, new)
            change = _row(new, W[j], step[j], ridge, prox, fpar, ipar, j)
            if not change <= top:
                top = change
            if change != 0.0:
                for t in range(T):
                    if new[t] != 0.0:
                        a, e = ptr[t], ptr[t + 1]
                        o = j * n_rows + row[t]
                        _add_centred(new[t], means[j, t], h[a:e], X[o : o + e - a], u[a:e])
        worst[0] = top
        if not top > tol:
            return sweep + 1
    return n_sweeps


@kernel(
    "float64(float64[::1], float64[:, ::1], float64[:, :, ::1], float64[:, ::1], coupling, float64[::1], row_prox,"
    " float64[::1], int64[::1], int64, int64, int64, float64[::1])"
)
def _block(new, W, turn, step, M, ridge, prox, fpar, ipar, group, begin, end, old):
    """Turn ``new`` (size T), the gradient of the rows begin : end, into their change; returns the norm of that in units
    of the gradient.

    Along the axes ``turn``, where there are any, each row has its own step. ``old`` has room for as much.
    """
    T, size, turned = W.shape[1], end - begin, turn.shape[0] > 0
    each = turn.shape[0] > 1
    for k in range(size):
        if len(M[1]) + len(M[4]) > 0:
            _couple(W[begin + k], M, new[k * T : (k + 1) * T])
        for t in range(T):
            new[k * T + t] += ridge[t] * W[begin + k, t]
    if turned:
        for i in range(size):
            for t in range(T):
                w = g = 0.0
                for k in range(size):
                    share = turn[t if each else 0, begin + k, i]
                    w += share * W[begin + k, t]
                    g += share * new[k * T + t]
                old[i * T + t] = w
                old[(size + i) * T + t] = w - step[begin + i, t] * g
        for k in range(size * T):
            new[k] = old[size * T + k]
    else:
        for k in range(size):
            for t in range(T):
                old[k * T + t] = W[begin + k, t]
                new[k * T + t] = W[begin + k, t] - step[begin + k, t] * new[k * T + t]
    length, G = ipar[1], ipar[0]
    own = fpar[ipar[G + 3 + group] * length : (ipar[G + 3 + group] + 1) * length]
    steps = old[2 * size * T : 3 * size * T]
    for k in range(size):
        for t in range(T):
            steps[k * T + t] = step[begin + k, t]
    prox(new[: size * T], steps, own, ipar[2 * G + 3 :], group)
    total = 0.0
    for k in range(size * T):
        move = (new[k] - old[k]) / steps[k]
        total += move * move
    for k in range(size):
        for t in range(T):
            w = new[k * T + t]
            if turned:
                w = 0.0
                for i in range(size):
                    w += turn[t if each else 0, begin + k, i] * new[i * T + t]
            old[k * T + t] = w
    for k in range(size):
        for t in range(T):
            new[k * T + t] = old[k * T + t] - W[begin + k, t]
            W[begin + k, t] = old[k * T + t]
    return np.sqrt(total)


@kernel(SWEEPS)
def descend_groups(
    turn, G, scale, gradient, W, step, M, ridge, prox, fpar, ipar, go, add, products, block, n_sweeps, tol, worst
):
    """As ``descend_gram``, block by block of rows, along the axes ``turn``; ``go``, ``products`` and ``block`` have
    no use."""
    T, n_groups = W.shape[1], ipar[0]
    starts, longest = ipar[2 : n_groups + 3], 0
    for g in range(n_groups):
        longest = max(longest, starts[g + 1] - starts[g])
    new, old = np.empty(longest * T), np.empty(3 * longest * T)
    C, rows = np.empty((longest, T)), np.empty(longest, dtype=np.int64)
    for sweep in range(n_sweeps):
        top = 0.0
        for g in range(n_groups):
            begin, end = starts[g], starts[g + 1]
            if step[begin, 0] == 0.0:
                continue
            for k in range(end - begin):
                for t in range(T):
                    new[k * T + t] = gradient[t, begin + k]
            change = _block(new, W, turn, step, M, ridge, prox, fpar, ipar, g, begin, end, old)
            if not change <= top:
                top = change
            if change != 0.0:
                for k in range(end - begin):
                    for t in range(T):
                        C[k, t] = scale[t] * new[k * T + t]
                add(C, rows, _changed(C, begin, end, rows), G, gradient)
        worst[0] = top
        if not top > tol:
            return sweep + 1
    return n_sweeps


@kernel(
    "int64(float64[::1], int64, int64[::1], int64[::1], float64[::1], float64[::1], float64[:, ::1],"
    " float64[:, ::1], float64[:, :, ::1], float64[:, ::1], coupling, float64[::1], row_prox, float64[::1],"
    " int64[::1], int64, float64, float64[::1])"
)
def descend_group_columns(
    X, n_rows, row, ptr, u, h, W, means, turn, step, M, ridge, prox, fpar, ipar, n_sweeps, tol, worst
):
    """As ``descend_columns``, block by block of rows, along the axes ``turn``."""
    T, n_groups = W.shape[1], ipar[0]
    starts, longest = ipar[2 : n_groups + 3], 0
    for g in range(n_groups):
        longest = max(longest, starts[g + 1] - starts[g])
    new, old = np.empty(longest * T), np.empty(3 * longest * T)
    for sweep in range(n_sweeps):
        top = 0.0
        for g in range(n_groups):
            begin, end = starts[g], starts[g + 1]
            if step[begin, 0] == 0.0:
                continue
            for k in range(end - begin):
                for t in range(T):
                    a, e = ptr[t], ptr[t + 1]
                    o = (begin + k) * n_rows + row[t]
                    new[k * T + t] = _dot(X[o : o + e - a], u[a:e])
            change = _block(new, W, turn, step, M, ridge, prox, fpar, ipar, g, begin, end, old)
            if not change <= top:
                top = change
            if change != 0.0:
                for k in range(end - begin):
                    for t in range(T):
                        if new[k * T + t] != 0.0:
                            a, e = ptr[t], ptr[t + 1]
                            o = (begin + k) * n_rows + row[t]
                            _add_centred(new[k * T + t], means[begin + k, t], h[a:e], X[o : o + e - a], u[a:e])
        worst[0] = top
        if not top > tol:
            return sweep + 1
    return n_sweeps


@kernel(
    "void(float64[::1], int64, int64[::1], int64[::1], float64[::1], float64[:, ::1], int64[::1], float64[:, :, ::1])"
)
def block_grams(X, n_rows, row, ptr, h, means, starts, out):
    """out[t, j, k] = sum_i h_i (x_ij - mean_jt)(x_il - mean_lt), i the samples of t, l the k-th row of j's block."""
    for g in range(starts.shape[0] - 1):
        begin, end = starts[g], starts[g + 1]
        for t in range(ptr.shape[0] - 1):
            a, n = ptr[t], ptr[t + 1] - ptr[t]
            for j in range(begin, end):
                for l in range(j, end):
                    o, p, total = j * n_rows + row[t], l * n_rows + row[t], 0.0
                    for i in range(n):
                        total += h[a + i] * (X[o + i] - means[j, t]) * (X[p + i] - means[l, t])
                    out[t, j, l - begin] = out[t, l, j - begin] = total


@kernel(
    "void(float64[::1], int64, int64[::1], int64[::1], float64[::1], float64[:, ::1], float64[:, ::1],"
    " float32[:, :, ::1])"
)
def task_rows(X, n_rows, row, ptr, h, means, scale, out):
    """out[t, i, j] = sqrt(h_i) (x_ij - mean_jt) scale_tj for the samples i of every task t."""
    for t in range(ptr.shape[0] - 1):
        a, n = ptr[t], ptr[t + 1] - ptr[t]
        for j in range(scale.shape[1]):
            o, mean, factor = j * n_rows + row[t], means[j, t], scale[t, j]
            for i in range(n):
                out[t, i, j] = np.sqrt(h[a + i]) * (X[o + i] - mean) * factor
