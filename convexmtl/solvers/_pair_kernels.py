"""Sequential minimal optimisation over the dual variables of one task after the other, on a kernel of the samples."""

from .._jit import kernel

FAR = 1e300  # what no move has to gain
NEAR = 5.0  # times the gap that is wanted, from where on it is worth a pass over all samples
FLAT = 1e-12  # least curvature of a move, beside that of the first variable alone

VECTOR, MATRIX = "float64[::1]", "float64[:, ::1]"


@kernel(f"void({MATRIX}, int64, int64, {VECTOR}, {VECTOR})", fastmath=True)
def _function(U, begin, n, shares, f):
    """f = sum_s shares_s U_s on the n rows of a task."""
    for i in range(n):
        f[i] = 0.0
    for s in range(U.shape[0]):
        share = shares[s]
        if share != 0.0:
            u = U[s]
            for i in range(n):
                f[i] += share * u[begin + i]


@kernel(f"void(int64, int64, {VECTOR}, {VECTOR}, {VECTOR}, {VECTOR}, {VECTOR}, {VECTOR}, {VECTOR})")
def _ways(i, k, v, low, high, width, weight, up, down):
    """What adds to a prediction less its kink in the slope of sample i, the k-th of its task, on its way up, and down;
    far away where it may not go there."""
    w = width[i]
    up[k] = -FAR if weight[i] <= 0.0 or v[i] >= high[i] else (-w if v[i] >= 0.0 else w)
    down[k] = FAR if weight[i] <= 0.0 or v[i] <= low[i] else (-w if v[i] > 0.0 else w)


@kernel(
    f"float64({MATRIX}, int64, int64, int64, float64, boolean, {VECTOR}, {VECTOR}, {VECTOR}, {VECTOR}, {VECTOR},"
    f" {VECTOR}, {VECTOR}, {VECTOR}, float64, float64, int64)",
    fastmath=True,
)
def _descend(K, begin, p, n, own, pairs, v, low, high, width, weight, r, up, down, least, share, most):
    """Move two dual variables of a task, or with no intercept one, that gain most, until none gains more than ``least``
    or ``share`` of what the first did; returns what that was.

    r are its predictions less the kinks, ``own`` is the kernel of the task with itself.
    """
    first = -1.0
    for count in range(most + 1):
        a, d, i, j = -FAR, FAR, -1, -1
        for k in range(n):
            g = r[k] + up[k]
            if g > a:
                a, i = g, k
            g = r[k] + down[k]
            if g < d:
                d, j = g, k
        violation = a - d if pairs else max(a, -d)
        if count == 0:
            first = violation
            least = max(least, share * violation)
        if violation <= least or count == most:
            break
        if pairs:
            row = K[begin + i]
            itself, best = row[begin + i], -1.0
            for k in range(n):
                g = a - r[k] - down[k]
                if g > 0.0:
                    bend = max(itself + K[begin + k, begin + k] - 2 * row[begin + k], FLAT * itself)
                    if g * g > best * bend:
                        best, j = g * g / bend, k
            bend = max(itself + K[begin + j, begin + j] - 2 * row[begin + j], FLAT * itself)
            gain = a - r[j] - down[j]
        else:
            best = -1.0
            for k in range(n):
                g = max(r[k] + up[k], -r[k] - down[k])
                bend = K[begin + k, begin + k]
                if g > 0.0 and g * g > best * bend:
                    best, i = g * g / max(bend, 1e-300), k
            rises = r[i] + up[i] >= -r[i] - down[i]
            gain, bend = max(r[i] + up[i], -r[i] - down[i]), K[begin + i, begin + i]
            j = -1 if rises else i
            i = i if rises else -1
        # As far as the next end or kink of either.
        step = gain / (own * bend) if bend > 0.0 else FAR
        rise, fall = FAR, FAR
        if i >= 0:
            s = p + i
            rise = weight[s] * ((0.0 if v[s] < 0.0 and width[s] > 0.0 else high[s]) - v[s])
        if j >= 0:
            s = p + j
            fall = weight[s] * (v[s] - (0.0 if v[s] > 0.0 and width[s] > 0.0 else low[s]))
        step = min(step, min(rise, fall))
        if i >= 0:
            s = p + i
            end = 0.0 if v[s] < 0.0 and width[s] > 0.0 else high[s]
            v[s] = end if step >= rise else v[s] + step / weight[s]
            row = K[begin + i]
            for k in range(n):
                r[k] -= own * step * row[begin + k]
            _ways(s, i, v, low, high, width, weight, up, down)
        if j >= 0:
            s = p + j
            end = 0.0 if v[s] > 0.0 and width[s] > 0.0 else low[s]
            v[s] = end if step >= fall else v[s] - step / weight[s]
            row = K[begin + j]
            for k in range(n):
                r[k] += own * step * row[begin + k]
            _ways(s, j, v, low, high, width, weight, up, down)
    return first


@kernel(
    f"float64(int64, int64, boolean, {VECTOR}, {VECTOR}, {VECTOR}, {VECTOR}, {VECTOR}, {VECTOR}, {VECTOR}, {VECTOR})"
)
def _gap(p, n, pairs, v, low, high, width, weight, r, up, down):
    """A bound of the gap of a task, with an intercept in the middle of those that its dual variables ask for."""
    a, d, b, total = -FAR, FAR, 0.0, 0.0
    for k in range(n):
        a, d = max(a, r[k] + up[k]), min(d, r[k] + down[k])
    if pairs:
        low_end, high_end = a > -0.5 * FAR, d < 0.5 * FAR
        b = -(a + d) / 2 if low_end and high_end else (-a if low_end else (-d if high_end else 0.0))
    for k in range(n):
        i = p + k
        if weight[i] > 0.0:
            u, w = r[k] + b, width[i]
            loss = high[i] * (u - w) if u > w else (low[i] * (u + w) if u < -w else 0.0)
            total += weight[i] * (loss - v[i] * u + w * abs(v[i]))
    return total


@kernel(
    f"int64({MATRIX}, int64[::1], int64[::1], {MATRIX}, boolean, {VECTOR}, {VECTOR}, {VECTOR}, {VECTOR}, {VECTOR},"
    f" {VECTOR}, {MATRIX}, {MATRIX}, float64, float64, float64, int64, int64)",
    fastmath=True,
)
def descend_pairs(
    K, row, ptr, inverse, pairs, kink, width, low, high, weight, v, U, room, enough, least, share, most, n_sweeps
):
    """Visit one task after the other until a bound of the gap is ``enough``; returns how often all were visited.

    K (n, n) is the kernel of the rows, U (T, n) what the functions of the tasks would be by their own samples alone:
    ``inverse`` (T, T) makes functions of them. ``room`` (5, largest task) is worked on.
    """
    T, n_rows = U.shape
    f, r, up, down, old = room[0], room[1], room[2], room[3], room[4]
    for sweep in range(n_sweeps):
        before = 0.0
        for t in range(T):
            p, n, begin, own = ptr[t], ptr[t + 1] - ptr[t], row[t], inverse[t, t]
            _function(U, begin, n, inverse[t], f)
            for k in range(n):
                r[k] = f[k] - kink[p + k]
                old[k] = v[p + k]
                _ways(p + k, k, v, low, high, width, weight, up, down)
            before += _gap(p, n, pairs, v, low, high, width, weight, r, up, down)
            _descend(K, begin, p, n, own, pairs, v, low, high, width, weight, r, up, down, least, share, most * n)
            u = U[t]
            if n == n_rows:
                for k in range(n):
                    u[k] += (r[k] + kink[p + k] - f[k]) / own
                continue
            for k in range(n):
                move = weight[p + k] * (v[p + k] - old[k])
                if move != 0.0:
                    of = K[begin + k]
                    for i in range(n_rows):
                        u[i] -= move * of[i]
        # (What every task had when it was visited is above what all have now, in most cases.)
        if before > NEAR * enough:
            continue
        total = 0.0
        for t in range(T):
            p, n, begin = ptr[t], ptr[t + 1] - ptr[t], row[t]
            _function(U, begin, n, inverse[t], f)
            for k in range(n):
                r[k] = f[k] - kink[p + k]
                _ways(p + k, k, v, low, high, width, weight, up, down)
            total += _gap(p, n, pairs, v, low, high, width, weight, r, up, down)
        if total <= enough:
            return sweep + 1
    return n_sweeps
