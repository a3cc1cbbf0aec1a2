"""The prox of absolute differences along chains of tasks, exact for any steps."""

import numpy as np

from .._jit import kernel, row_prox

ROUNDING = 1e-16  # of a sum over a chain, per task
MOST = 200  # evaluations in the search for the weight of a group


@kernel("Tuple((float64, float64))(float64, float64, float64, float64)")
def _plus(a, a_rest, b, b_rest):
    """The sum of two numbers, each of them a float and the rest that it has been rounded by."""
    total = a + b
    part = total - a
    rest = (a - (total - part)) + (b - part) + a_rest + b_rest
    new = total + rest
    return new, rest - (new - total)


@kernel("void(float64[::1], float64[::1], float64[::1], float64, float64, float64[::1])")
def fuse(v, mass, cuts, ridge, lasso, x):
    """x <- argmin sum_t mass_t (x_t - v_t)^2 / 2 + ridge x_t^2 / 2 + lasso abs(x_t) + cuts_t abs(x_{t+1} - x_t).

    The derivative of the best cost of x_1, ..., x_t given x_t is piecewise linear in x_t and, once it is clipped to
    [-cuts_t, cuts_t], that of the link to x_{t+1}. Its kinks are kept in order of size; a lasso is a jump at zero.
    Slopes are sums in which one task may be any number of times as heavy as another: they keep what is rounded off.
    """
    T = v.shape[0]
    low, high = np.empty(T), np.empty(T)
    # At every kink the line a x + b changes by slope and offset, each with its rest.
    kink, change = np.empty(4 * T + 4), np.empty((4 * T + 4, 4))
    first, last, zero, before = 2 * T + 2, 2 * T + 2, 0, 0.0
    most = T * lasso  # that can flow through a link: what is more than that would only be rounded to
    for t in range(T):
        most += mass[t] * abs(v[t])
    for t in range(T):
        cut = min(cuts[t], 2.0 * most) if t < T - 1 else 0.0
        if lasso > 0.0:
            # One kink at zero for all of them. Where it has been passed from one side, all others are on the other one.
            new = True
            if first == last or kink[first] > 0.0:
                first -= 1
                zero = first
            elif kink[last - 1] < 0.0:
                zero = last
                last += 1
            elif kink[first] == 0.0:
                zero, new = first, False
            elif kink[last - 1] == 0.0:
                zero, new = last - 1, False
            else:
                new = False
            if new:
                kink[zero], change[zero, 0], change[zero, 1] = 0.0, 0.0, 0.0
                change[zero, 2], change[zero, 3] = 2.0 * lasso, 0.0
            else:
                change[zero, 2], change[zero, 3] = _plus(change[zero, 2], change[zero, 3], 2.0 * lasso, 0.0)
        # From the left, until the line reaches -cut, within a segment or at a jump.
        own, own_rest = _plus(mass[t], 0.0, ridge, 0.0)
        pull = -mass[t] * v[t]
        a, a_rest = own, own_rest
        b, b_rest = _plus(pull, 0.0, -before, 0.0)
        b, b_rest = _plus(b, b_rest, -lasso, 0.0)
        low[t] = -np.inf
        while first < last and (a * kink[first] + b + cut) + (a_rest * kink[first] + b_rest) < 0.0:
            a, a_rest = _plus(a, a_rest, change[first, 0], change[first, 1])
            b, b_rest = _plus(b, b_rest, change[first, 2], change[first, 3])
            low[t] = kink[first]
            first += 1
        # (At a jump the line has passed -cut already at the kink; and rounding is not to pass the next one.)
        low[t] = max(low[t], (-cut - b - b_rest) / a)
        if first < last:
            low[t] = min(low[t], kink[first])
        if t == T - 1:
            break
        first -= 1
        kink[first], change[first, 0], change[first, 1] = low[t], a, a_rest
        change[first, 2], change[first, 3] = _plus(b, b_rest, cut, 0.0)
        # From the right, until it comes down to cut.
        a, a_rest = own, own_rest
        b, b_rest = _plus(pull, 0.0, before, 0.0)
        b, b_rest = _plus(b, b_rest, lasso, 0.0)
        high[t] = np.inf
        while first + 1 < last and (a * kink[last - 1] + b - cut) + (a_rest * kink[last - 1] + b_rest) > 0.0:
            last -= 1
            a, a_rest = _plus(a, a_rest, -change[last, 0], -change[last, 1])
            b, b_rest = _plus(b, b_rest, -change[last, 2], -change[last, 3])
            high[t] = kink[last]
        high[t] = max(min(high[t], (cut - b - b_rest) / a), kink[last - 1])
        before = cut
        if high[t] > low[t]:
            kink[last], change[last, 0], change[last, 1] = high[t], -a, -a_rest
            change[last, 2], change[last, 3] = _plus(-b, -b_rest, cut, 0.0)
            last += 1
        else:
            # One jump has led from below -cut to above cut.
            high[t], last = low[t], first + 1
            change[first, 0], change[first, 1], change[first, 2], change[first, 3] = 0.0, 0.0, 2.0 * cut, 0.0
    x[T - 1] = low[T - 1]
    for t in range(T - 2, -1, -1):
        x[t] = min(max(x[t + 1], low[t]), high[t])


@kernel("float64(float64[::1])")
def _length(x):
    """2-norm, of entries of any size."""
    top = np.abs(x).max()
    if not top > 0.0:
        return top
    total = 0.0
    for t in range(x.shape[0]):
        total += (x[t] / top) * (x[t] / top)
    return top * np.sqrt(total)


@kernel("void(float64[::1], float64[::1], float64[::1], float64, float64, boolean, float64[::1])")
def _fused(v, mass, cuts, ridge, lasso, positive, x):
    """As ``fuse``; or for x >= 0, which is the positive part of that: a sum of links cuts every level for itself."""
    fuse(v, mass, cuts, ridge, lasso, x)
    if positive:
        for t in range(x.shape[0]):
            if x[t] < 0.0:
                x[t] = 0.0


@kernel("void(float64[::1], float64[::1], float64[::1], int64[::1], boolean)")
def _prox(v, step, fpar, ipar, positive):
    T = v.shape[0]
    if not np.abs(v).max() < np.inf:
        v[:] = np.nan
        return
    y, mass, x = np.empty(T), np.empty(T), np.empty(T)
    for i in range(T):
        t = max(ipar[i], ~ipar[i])
        y[i], mass[i] = v[t] if ipar[i] >= 0 else -v[t], 1.0 / step[t]
    lasso, weight, cuts = fpar[0], fpar[1], fpar[2:]
    _fused(y, mass, cuts, 0.0, lasso, positive, x)
    if weight > 0.0:
        # What pulls at a short x is mass v, beyond what holds it by at least sum_t mass x^2 / length(x), for this x.
        pull, length = 0.0, _length(x)
        for t in range(T):
            pull += mass[t] * x[t] * (x[t] / length)
        if not pull > weight * (1.0 + 1e-10):
            unit, short = np.ones(T), np.empty(T)
            _fused(mass * y, unit, cuts, 0.0, lasso, positive, short)
            if _length(short) <= weight:
                v[:] = 0.0
                return
        # At the solution the group is a ridge of r = weight / length(x): the root of weight / length(x(r)) - r, whose
        # first term is linear in r for equal steps, and otherwise about so for their mean.
        old, wanted_before = 0.0, weight / length
        below, above = 0.0, np.inf
        slope = weight / pull if pull > 0.0 else 1.0
        r = wanted_before / (1.0 - slope) if slope < 1.0 else 2.0 * wanted_before
        for _ in range(MOST):
            _fused(y, mass, cuts, r, lasso, positive, x)
            length = _length(x)
            wanted = weight / length if length > 0.0 else np.inf
            if abs(wanted - r) <= 4e-16 * r:
                break
            if wanted > r:
                below = max(below, r)
            else:
                above = min(above, r)
            slope = (wanted - wanted_before) / (r - old) if r != old else 1.0
            old, wanted_before = r, wanted
            new = (wanted_before - slope * old) / (1.0 - slope) if slope < 1.0 and wanted < np.inf else np.inf
            if not (below < new < above):
                if above == np.inf:
                    new = 4.0 * r
                elif below > 0.0:
                    new = np.sqrt(below) * np.sqrt(above)
                else:
                    new = 0.5 * above
                if new <= below or new >= above:
                    break
            r = new
    # What tasks have in common is free without a lasso, and the rounding of a sum that is to be zero would be kept.
    rounding = ROUNDING * (10 + T) * np.abs(y).max() if lasso == 0.0 else 0.0
    for i in range(T):
        value = x[i] if abs(x[i]) > rounding else 0.0
        v[max(ipar[i], ~ipar[i])] = value if ipar[i] >= 0 else -value


# fpar is [lasso, weight of the group, *cut of each link], ipar the task of each place, ~task for its negative.
@row_prox
def prox_chain(v, step, fpar, ipar, feature):
    _prox(v, step, fpar, ipar, False)


@row_prox
def prox_positive_chain(v, step, fpar, ipar, feature):
    """The same for x >= 0; fpar begins with a slope for each task, and no sign is turned."""
    T = v.shape[0]
    for t in range(T):
        v[t] -= step[t] * fpar[t]
    _prox(v, step, fpar[T:], ipar, True)
