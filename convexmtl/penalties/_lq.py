"""The prox of the norms l1/lq for q other than 1, 2 and infinity: one equation in the norm, one in every entry.

With k_t = alpha step_t and r = norm_q(x) it is x_t + k_t (x_t / r)^(q-1) = abs(v_t). For a given r each u_t = x_t / r
is the root of r u + k_t u^(q-1) = abs(v_t), and sum_t u_t^q = 1 is to hold. With g = u, or u^(q-1) where q < 2, one of
the two terms is linear and the other one convex, flat g + steep g^ratio = abs(v_t), and u^q is g^(ratio+1).
"""

import numpy as np

from .._jit import kernel, row_prox

PRODUCTS = 16.0  # the largest exponent of which powers are made, as products where it is whole or a half
SETTLED = 1e-15  # square of what the entries may still move for the norm to be final, times that of the ratio,
STRAY = 1e-6  # for their powers to be made anew,
ROUGH = 0.05  # and of what they may for it to move at all
TINY, HUGE = 1e-140, 1e140  # of entries and steps, in units of the row, and of q: what is beyond is beyond rounding
ROUNDING = 1e-15


@kernel("void(float64, float64, float64, float64, float64[::1])")
def _shares(a, flat, steep, ratio, shares):
    """The two terms of flat g + steep g^ratio = a at its root g > 0, for a, flat, steep > 0 and ratio >= 1.

    With delta such that they are a exp(-delta) and a (1 - exp(-delta)), x = ratio delta is the root of
    x + log(ratio (1 - exp(-delta))) = log(ratio steep / a) + ratio log(a / flat), which is concave in x and, while
    delta is small, Lambert's x + log(x). No power of a or g is ever made, so that no ratio is too large.
    """
    near = 0.5 < a / flat < 2.0
    far = np.log1p((a - flat) / flat) if near else np.log(a) - np.log(flat)
    level = np.log(ratio) + (np.log(steep) - np.log(a)) + ratio * far
    most = np.log1p(np.exp(level)) if level < 30.0 else level
    x = most * (1.0 - np.log1p(most) / (2.0 + most))
    if not x > 0.0:
        shares[0], shares[1] = a, 0.0
        return
    for _ in range(50):
        delta = x / ratio
        grown = x if delta < 1e-17 else -ratio * np.expm1(-delta)
        move = (x + np.log(grown) - level) / (1.0 + np.exp(-delta) / grown)
        x = max(x - move, 0.25 * x)
        if abs(move) <= 1e-9 * x:
            break
    delta = x / ratio
    shares[0], shares[1] = a * np.exp(-delta), -a * np.expm1(-delta)


@kernel("void(float64[::1], float64, float64[::1])")
def _powers(x, exponent, out):
    """out = x^exponent."""
    twice = 2.0 * exponent
    if not (twice == np.floor(twice) and exponent <= PRODUCTS):
        for t in range(x.shape[0]):
            out[t] = x[t] ** exponent
        return
    odd = twice % 2.0 == 1.0
    for t in range(x.shape[0]):
        out[t] = np.sqrt(x[t]) if odd else 1.0
    for _ in range(int(exponent)):
        for t in range(x.shape[0]):
            out[t] *= x[t]


@kernel("float64(float64, float64)")
def _grown(n, exponent):
    """n^exponent - 1 for an exponent of size at most 1; near n = 1 by a quotient that is off by a third power."""
    if 0.75 < n < 1.25:
        return exponent * (n - 1.0) / (1.0 + 0.5 * (1.0 - exponent) * (n - 1.0))
    return np.expm1(exponent * np.log(n))


@kernel("float64(float64, float64, float64, float64)")
def _towards(n, r, c, q):
    """How far from r the norm is, where sum_t u_t^q is n instead of 1: exactly so if all entries are equal.

    In that case the norm N of u is the root of r N + kappa N^(q-1) = constant, and c is kappa N^(q-2).
    """
    grown = _grown(n, 1.0 / q)
    return r * grown + c * (grown - _grown(n, (2.0 - q) / q))


@kernel("void(float64[::1], boolean, float64, float64[::1], float64[::1], float64[::1])", fastmath=True)
def _at_zero(k, up, ratio, g, power, sums):
    """Turn g = abs(v) / k into the roots for r = 0; sums = (sum u^q, the c of ``_towards``)."""
    _powers(g, 1.0 / ratio if up else ratio - 1.0, power)
    total = other = 0.0
    for t in range(k.shape[0]):
        z, p = g[t], power[t]
        u = p if up else z * p
        total += z * u
        other += u * u / k[t]
        g[t] = p if up else z
    sums[0], sums[1] = total, total / other


@kernel("void(float64[::1], float64, boolean, float64, float64[::1], float64[::1])")
def _guess(a, r, up, ratio, g, power):
    """Of the roots for r = 0, in g, make some for r: with either term alone they would be larger, with this sum of
    their inverses they are smaller, by a factor of at most 2."""
    for t in range(a.shape[0]):
        power[t] = a[t] / r
    if not up:
        for t in range(a.shape[0]):
            power[t] = power[t] ** (1.0 / ratio)
    for t in range(a.shape[0]):
        g[t] = g[t] / (1.0 + g[t] / power[t])


@kernel(
    "void(float64[::1], float64[::1], float64, boolean, float64, float64[::1], float64[::1], float64[::1])",
    fastmath=True,
)
def _settle(a, k, r, up, ratio, g, power, sums):
    """Move all g_t to the roots of flat g + steep g^ratio = a, or towards them, where r is flat and k steep, or else
    (not ``up``) the other way round.

    ``power`` is g^(ratio - 1), before and after. With w = g^(ratio + 1) and d = flat + ratio steep power, sums = (sum
    w, sum w flat / d, sum w steep power / d, sum of the squares of the moves, each relative to its g).
    """
    # flat = r on + off k and steep = on k + r off.
    on, off = (1.0, 0.0) if up else (0.0, 1.0)
    total = level = rise = far = 0.0
    if ratio == 2.0:
        for t in range(a.shape[0]):
            flat, steep = r * on + off * k[t], on * k[t] + r * off
            d = np.sqrt(flat * flat + 4.0 * steep * a[t])
            p = 2.0 * a[t] / (flat + d)
            g[t] = power[t] = p
            w = p * p * p
            total += w
            v = w / d
            level += v * flat
            rise += v * (steep * p)
    elif ratio <= PRODUCTS:
        # Newton's step in the logarithm of g, with a quotient for the exponential: g stays positive.
        for t in range(a.shape[0]):
            flat, steep = r * on + off * k[t], on * k[t] + r * off
            p = steep * power[t]
            f, d = flat + p, flat + ratio * p
            lack = a[t] / g[t] - f
            move = 2.0 * f * lack / (2.0 * d * f + (d - f) * lack)
            far += move * move
            new = g[t] + g[t] * move
            more = 1.0 + (ratio - 3.0) / 3.0 * move * (1.0 + (ratio - 4.0) / 4.0 * move)
            p = power[t] + power[t] * ((ratio - 1.0) * move * (1.0 + (ratio - 2.0) / 2.0 * move * more))
            g[t] = new
            power[t] = p
            w = p * new * new
            d = flat + ratio * steep * p
            total += w
            v = w / d
            level += v * flat
            rise += v * (steep * p)
    else:
        for t in range(a.shape[0]):
            flat, steep = r * on + off * k[t], on * k[t] + r * off
            _shares(a[t], flat, steep, ratio, sums)
            p = sums[0] / flat
            g[t] = p
            power[t] = sums[1] / (steep * p)
            w = power[t] * p * p
            d = flat + ratio * steep * power[t]
            total += w
            v = w / d
            level += v * flat
            rise += v * (steep * power[t])
    sums[0], sums[1], sums[2], sums[3] = total, level, rise, far


@kernel(
    "float64(float64[::1], float64[::1], float64, float64, boolean, float64, float64[::1], float64[::1], float64[::1])"
)
def _norm(a, k, r, q, up, ratio, g, power, sums):
    """The norm, by Newton's steps from r, up to a last one, sums[0], that is not made; g and ``power`` are as before
    that."""
    by_steps = ratio != 2.0 and ratio <= PRODUCTS
    if by_steps:
        _guess(a, r, up, ratio, g, power)
    low, high, far = 0.0, 1.0 + 1e-9, np.inf
    small = max(1e-8 / ratio, 4e-16)
    for _ in range(300):
        if by_steps and far > STRAY:
            _powers(g, ratio - 1.0, power)
        _settle(a, k, r, up, ratio, g, power, sums)
        n, far = sums[0], ratio * (ratio * sums[3])
        sums[0] = 0.0
        if not far <= ROUGH:
            continue
        c = r * (sums[2] / sums[1] if up else sums[1] / sums[2])
        move = _towards(n, r, c, q)
        if abs(move) <= max(small * r, ROUNDING * (r + c)):
            if far <= SETTLED:
                sums[0] = move
                break
            continue
        if abs(n - 1.0) > 10.0 * far:
            low, high = (r, high) if n > 1.0 else (low, r)
            if high - low <= ROUNDING * high:
                break
        if low < r + move < high:
            r += move
        elif n > 1.0:
            r = 0.5 * (r + high)
        else:
            r = 0.5 * (low + r) if low > 0.0 else 0.1 * r
    return r


@kernel("void(float64[::1], float64[::1], float64, float64, float64[::1])")
def _shrink(v, step, alpha, q, room):
    """The prox; ``room`` is for four rows and four numbers."""
    T = v.shape[0]
    a, k, g, power, sums = room[:T], room[T : 2 * T], room[2 * T : 3 * T], room[3 * T : 4 * T], room[4 * T :]
    unit = 0.0
    for t in range(T):
        unit += abs(v[t])
    if not 0.0 < unit < np.inf:
        for t in range(T):
            v[t] = unit * 0.0  # 0, and NaN where there is one
        return
    q = min(q, HUGE)
    up = q > 2.0
    ratio = q - 1.0 if up else 1.0 / (q - 1.0)
    # (1 / (4/3 - 1) is 3, but for rounding.)
    half = 0.5 * np.rint(2.0 * ratio)
    if not up and 1.0 + 1.0 / half == q:
        ratio = half
    for t in range(T):
        a[t] = max(abs(v[t]) / unit, TINY)
        k[t] = min(max(alpha * (step[t] / unit), TINY), HUGE)
        g[t] = a[t] / k[t]
    _at_zero(k, up, ratio, g, power, sums)
    if sums[0] <= 1.0:
        for t in range(T):
            v[t] = 0.0
        return
    r = _towards(sums[0], 0.0, sums[1], q)
    r = _norm(a, k, r if 0.0 < r < 1.0 else 1.0, q, up, ratio, g, power, sums)
    move = max(sums[0], -0.5 * r)
    for t in range(T):
        # To the first order in the last move.
        d = (r if up else k[t]) + ratio * (k[t] if up else r) * power[t]
        u, slope = (g[t], 1.0) if up else (g[t] * power[t], ratio * power[t])
        x = unit * ((r + move) * (u * (d / (d + slope * move))))
        v[t] = min(x, v[t]) if v[t] > 0.0 else max(-x, v[t])


@row_prox
def prox_lq(v, step, fpar, ipar, feature):
    """For fpar = (alpha, q). (What makes arrays counts references to them, so all else is done elsewhere.)"""
    _shrink(v, step, fpar[0], fpar[1], np.empty(4 * v.shape[0] + 4))
