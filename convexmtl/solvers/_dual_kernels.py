"""Sweeps over the dual variables of all samples, for losses that are linear but for kinks."""

from .._jit import kernel

IDLE = 3  # visits that change nothing, after which a variable at an end of its interval is passed over
ALL = 8  # sweeps, one of which visits all of them


@kernel(
    "float64(float64[:, ::1], float64[::1], float64[::1], float64[::1], float64[::1], float64[::1], float64[::1],"
    " int64[::1], int64[::1], float64[:, ::1], float64[::1], float64[::1], float64[:, ::1], float64[::1], int64[::1],"
    " int64[::1], int64)",
    fastmath=True,
)
def descend_duals(X, kink, width, low, high, weight, squares, row, ptr, inverse, give, v, Z, b, order, idle, n_sweeps):
    """Minimise over one v_i after the other, task by task; returns the largest change of a prediction.

    Of a task X has the rows from row_t on, and ``squares`` (n_rows,) are those of all rows.
    Z (T, d) are the sums of -weight_i v_i x_i, inverse (T, T) what makes W of them. An intercept b_t gives way by
    ``give`` (T,), and is the multiplier of the sum of its task's weight_i v_i, which is to vanish.
    """
    T, d = Z.shape
    state, largest = 12345, 0.0
    for sweep in range(n_sweeps):
        every = sweep % ALL == ALL - 1
        largest = 0.0
        for t in range(T):
            begin, end, shift = ptr[t], ptr[t + 1], row[t] - ptr[t]
            w = Z[t].copy()
            for j in range(d):
                w[j] = 0.0
            for s in range(T):
                share = inverse[t, s]
                if share != 0.0:
                    of = Z[s]
                    for j in range(d):
                        w[j] += share * of[j]
            before, own, soft = w.copy(), inverse[t, t], give[t]
            for k in range(begin, end):
                # In another order every time.
                state = (state * 1103515245 + 12345) % 2147483648
                other = k + state % (end - k)
                i = order[other]
                order[other] = order[k]
                order[k] = i
                if weight[i] <= 0.0 or (idle[i] >= IDLE and not every):
                    continue
                x = X[i + shift]
                p = b[t]
                for j in range(d):
                    p += x[j] * w[j]
                bend = weight[i] * (own * squares[i + shift] + soft)
                u = p + bend * v[i] - kink[i]
                u = u - width[i] if u > width[i] else (u + width[i] if u < -width[i] else 0.0)
                if bend > 0.0:
                    new = min(max(u / bend, low[i]), high[i])
                else:
                    new = high[i] if u > 0.0 else (low[i] if u < 0.0 else v[i])
                change = new - v[i]
                if change == 0.0:
                    idle[i] += 1
                    continue
                idle[i] = 0
                v[i] = new
                move = weight[i] * change
                for j in range(d):
                    w[j] -= move * own * x[j]
                b[t] -= soft * move
                largest = max(largest, abs(change * bend))
            of = Z[t]
            for j in range(d):
                of[j] += (w[j] - before[j]) / own
            if soft > 0.0:
                total = 0.0
                for i in range(begin, end):
                    total += weight[i] * v[i]
                b[t] -= soft * total
    return largest
