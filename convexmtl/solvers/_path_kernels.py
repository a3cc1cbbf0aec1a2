"""The loop of a whole path: fits of problems that differ in the factor before their penalty, one after the other.

Arrays are filled by loops here, and not by slices, lists of indices or array expressions, and none is made: each of
those takes numba up to a second to compile.
"""

import numpy as np

from .._jit import kernel
from .._rows import sum_of_lengths
from ._kernels import ADD, GRADIENTS, PASS, STEPS, SWEEPS

# The products of some rows with each other, as sweeps take them, of which those of the ``first`` are there already;
# and how their changes get into the gradient of all.
GATHER = f"void(float64[:, :, ::1], int64[::1], int64, int64, pointer({GRADIENTS}), float64[:, :, ::1])"
TELL = (
    f"void(float64[:, ::1], int64[::1], float64[:, :, ::1], pointer({ADD}), pointer({GRADIENTS}), float64[:, ::1],"
    " float64[:, ::1])"
)


@kernel("void(float64[:, ::1], float64[::1])", fastmath=True)
def _column_squares(A, out):
    """out[j] = sum_t A[t, j]^2."""
    for j in range(A.shape[1]):
        out[j] = 0.0
    for t in range(A.shape[0]):
        v = A[t]
        for j in range(A.shape[1]):
            out[j] += v[j] * v[j]


@kernel(
    "float64(float64[:, ::1], float64[:, ::1], row_prox, float64[::1], int64[::1], boolean[::1], float64, float64,"
    " float64[::1], float64[::1])"
)
def _enter(gradient, step, prox, fpar, ipar, inside, least, radius, squares, new):
    """Mark the rows outside that the prox moves away from zero by more than ``least``; returns the largest move.

    It leaves those at zero whose gradient is shorter than ``radius``.
    """
    m, T = step.shape
    top = 0.0
    _column_squares(gradient, squares)
    for j in range(m):
        if inside[j] or squares[j] < radius * radius:
            continue
        for t in range(T):
            new[t] = -step[j, t] * gradient[t, j]
        prox(new, step[j], fpar, ipar, j)
        total = 0.0
        for t in range(T):
            if new[t] != 0.0:
                size = new[t] / step[j, t]
                total += size * size
        size = np.sqrt(total)
        if not size <= least:
            inside[j] = True
            top = max(top, size)
    return top


@kernel("void(float64[::1], float64[::1], float64)", fastmath=True)
def _go_on(v, before, ahead):
    """v moves on along the line from ``before``, which becomes what v was."""
    for i in range(v.shape[0]):
        old = v[i]
        v[i] += ahead * (old - before[i])
        before[i] = old


@kernel(GATHER)
def gather_grams(G, rows, first, block, gradients, out):
    """out[b, k, i] = G[b, rows[k], rows[i]]."""
    for b in range(G.shape[0]):
        for k in range(len(rows)):
            for i in range(len(rows)):
                out[b, k, i] = G[b, rows[k], rows[i]]


@kernel(GATHER)
def gather_products(x, rows, first, block, gradients, out):
    """out[0, k, i] = x[0, k] . x[0, i], for x (1, size, n) that are these rows."""
    size = x.shape[1]
    gradients(x[0, first:], x[0], 0, size, out[0, first:])
    for k in range(first, size):
        for i in range(k):
            out[0, i, k] = out[0, k, i]


@kernel(GATHER)
def gather_blocks(x, rows, first, block, gradients, out):
    """out[0, k, i - begin] = x[0, k] . x[0, i] for the rows i of the block of k, which begins at ``begin``."""
    for begin in range(first // block * block, x.shape[1], block):
        end = min(begin + block, x.shape[1])
        gradients(x[0, begin:end], x[0], begin, end, out[0, begin:end])


@kernel(TELL)
def tell_grams(C, rows, G, add, gradients, u, gradient):
    """Add the changes C of these rows, times G, to the gradient."""
    add(C, rows, len(rows), G, gradient)


@kernel(TELL)
def tell_products(C, rows, X, add, gradients, u, gradient):
    """Add them to the residual u, from which the gradient is made anew."""
    add(C, rows, len(rows), X, u)
    gradients(u, X[0], 0, X.shape[1], gradient)


@kernel(TELL)
def tell_blocks(C, rows, X, add, gradients, u, gradient):
    """Make the gradient anew from u, which the sweeps have changed already."""
    gradients(u, X[0], 0, X.shape[1], gradient)


@kernel("void(float64, float64[::1], float64[::1])")
def _times(factor, v, out):
    for t in range(v.shape[0]):
        out[t] = factor * v[t]


@kernel("int64(boolean[::1], boolean[::1], int64[::1], int64)")
def _append(wanted, inside, order, size):
    """Rows that are ``wanted`` and not inside go in, at the end of the list ``order``; returns its size."""
    for j in range(wanted.shape[0]):
        if wanted[j] and not inside[j]:
            inside[j] = True
            order[size] = j
            size += 1
    return size


@kernel("void(float64[:, ::1], int64[::1], float64[:, ::1])")
def _rows_of(A, rows, out):
    """A[rows]."""
    for k in range(rows.shape[0]):
        for i in range(A.shape[1]):
            out[k, i] = A[rows[k], i]


@kernel("void(float64[:, ::1], int64[::1], float64[:, ::1])")
def _columns_of(A, columns, out):
    """A[:, columns]."""
    for k in range(A.shape[0]):
        for i in range(columns.shape[0]):
            out[k, i] = A[k, columns[i]]


@kernel(
    "int64(float64[:, :, ::1], float64[::1], float64[:, ::1], float64[:, ::1], float64[:, ::1], float64[:, ::1],"
    " float64[:, ::1], float64[::1], float64, float64, coupling, coupling, float64[::1], row_prox,"
    f" float64[:, ::1], int64[::1], float64, float64[::1], pointer({STEPS}),"
    f" pointer({SWEEPS}), pointer({GATHER}), pointer({TELL}), pointer({SWEEPS}), pointer({GATHER}), pointer({TELL}),"
    f" pointer({PASS}), pointer({ADD}), pointer({GRADIENTS}), boolean[:, ::1], int64[::1], float64[:, ::1],"
    " float64[::1], float64[:, :, ::1], float64[::1], float64[::1], float64[::1], float64[:, :, ::1],"
    " float64[:, :, ::1], float64, int64, int64, float64, int64, float64[:, :, ::1], int64[::1])"
)
def descend_path(
    source, scale, states, W, gradient, u, curvature, bound, even, spread, M, couple, ridge, prox, fpars, ipar, radius,
    factors, row_steps, sweep_few, gather_few, tell_few, sweep_many, gather_many, tell_many, go, add, gradients,
    marks, order, across, squares, tables, states_of, grams_of, copies, products, blocks, target, block, most, work,
    begin, out, sweeps,
):  # fmt: skip
    """Go down a path of penalties (fpars[a], and M times factors[a]), each fit starting where the last two lead.

    W (m, T), the gradient (T, m) and the residuals u (T, n), which ``descend_gram`` and ``descend_blocks`` work on, are
    the first of two ``states`` one after the other; the second is that of the fit before. ``source`` is G (1 or T, m,
    m), or, with more features than samples, X (1, m, n); only then does u have columns, and as soon as more rows than
    samples are in use, the sweeps are those for many. A fit is done when the largest violation that its last sweep has
    left, times the sum of the rows' lengths, is below ``target``: that is about what the gap comes to. The first fit
    that needs more than ``most`` sweeps, or ``work`` multiplications in them, is left for others. Returns where it has
    stopped; fit a is in ``out[a - begin]``, and ``sweeps[a]`` is what it has needed.

    ``couple`` has room for M times a factor, and what follows ``gradients`` is room to work in: ``marks`` (2, m) of
    rows, their ``order`` (m,), ``across`` (4, T) and ``squares`` (m,), ``tables`` (4, m, T), ``states_of`` the rows in
    use and their ``grams_of``, and, with more features than samples, what is known of the rows in ``order``: ``copies``
    of all that are held, the ``products`` of the first n with each other, and the ``blocks`` that all are in.
    """
    (m, T), n = W.shape, u.shape[1]
    wide = n > 0
    step, C, own, own_step = tables[0], tables[1], tables[2], tables[3]
    new, bounds, stretch, worst = across[0, :T], across[1, :T], across[2, :T], across[3]
    wanted, inside = marks[0], marks[1]
    held = known_few = known_many = 0
    size, natural = m, False
    rate, limit = 1.0, 0.0
    # Whether steps depend on the strength.
    stiff = False
    for t in range(T):
        if bound[t] != 0.0:
            stiff = True
    for a in range(begin, begin + out.shape[0]):
        _times(factors[a], bound, bounds)
        _times(factors[a], M[2], couple[2])
        _times(factors[a], M[4], couple[4])
        _times(factors[a], ridge, stretch)
        if a == begin or stiff:
            row_steps(curvature, bounds, even, spread, step)
        fpar = fpars[a]
        ahead = 0.0
        if a > 1 and factors[a - 1] != factors[a - 2]:
            ahead = (factors[a] - factors[a - 1]) / (factors[a - 1] - factors[a - 2])
        _go_on(states[0], states[1], ahead)
        for j in range(m):
            wanted[j] = False
            for t in range(T):
                if W[j, t] != 0.0:
                    wanted[j] = True
        _enter(gradient, step, prox, fpar, ipar, wanted, 0.0, factors[a] * radius, squares, new)
        idle = 0
        for j in range(m):
            if not wanted[j]:
                idle += 1
        if a == begin or not wide or size + idle - m > 0.3 * size + 16:
            # (What is known of rows is worth keeping some that are not wanted.)
            for j in range(m):
                inside[j] = False
            size = held = known_few = known_many = 0
            natural = False
        size = _append(wanted, inside, order, size)
        total, done = 0, 0.0
        while True:
            many = wide and size > n
            whole = size > 0.7 * m and (many or not wide)
            if whole and not natural:
                for j in range(m):
                    inside[j] = True
                    order[j] = j
                size, known_many, natural = m, 0, True
            rows = order[:size]
            sweep, gather, tell = sweep_few, gather_few, tell_few
            if many:
                sweep, gather, tell = sweep_many, gather_many, tell_many
            small, x, state, V, s = source, source, gradient, W, step
            if not whole:
                # The rows in use and those that want to be, on their own.
                V, s, state = own[:size], own_step[:size], states_of[: T * size].reshape((T, size))
                _rows_of(W, rows, V)
                _rows_of(step, rows, s)
                _columns_of(gradient, rows, state)
                if wide:
                    for k in range(held, size):
                        for i in range(n):
                            copies[k * n + i] = source[0, rows[k], i]
                    held = size
                    x = copies[: size * n].reshape((1, size, n))
            if many:
                state, small = u, blocks
                gather(x, rows, known_many, block, gradients, small)
                known_many = size
            elif wide:
                small = products
                gather(x, rows, known_few, block, gradients, small)
                known_few = size
            elif not whole:
                small = grams_of[: source.shape[0] * size * size].reshape((source.shape[0], size, size))
                gather(source, rows, 0, block, gradients, small)
            last = np.inf
            while total < most and done < work:
                sweep(
                    x,
                    small,
                    scale,
                    state,
                    V,
                    s,
                    couple,
                    stretch,
                    prox,
                    fpar,
                    ipar,
                    go,
                    add,
                    gradients,
                    block,
                    1,
                    0.0,
                    worst,
                )
                total += 1
                done += 1.0 * size * T * (2 * n if many else size)
                top = worst[0]
                rate = 1.5 * rate if last == np.inf else top / last
                if not rate < 1.0:
                    rate = 1.0
                elif rate < 0.1 and last < np.inf:
                    rate = 0.1
                last = top
                limit = target / (sum_of_lengths(V) + 1e-300)
                if not top * rate > limit:
                    break
            if not whole:
                for k in range(size):
                    for t in range(T):
                        C[k, t] = scale[t] * (V[k, t] - W[rows[k], t])
                        W[rows[k], t] = V[k, t]
            if many or not whole:
                tell(C, rows, source, add, gradients, u, gradient)
            if whole or total >= most or done >= work:
                break
            for j in range(m):
                wanted[j] = inside[j]
            short = factors[a] * radius
            if not _enter(gradient, step, prox, fpar, ipar, wanted, limit, short, squares, new) > 0.0:
                break
            size = _append(wanted, inside, order, size)
        sweeps[a] = total
        if total >= most or done >= work:
            return a
        for j in range(m):
            for t in range(T):
                out[a - begin, j, t] = W[j, t]
    return begin + out.shape[0]
