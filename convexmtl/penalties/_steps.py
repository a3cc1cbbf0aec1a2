"""Proxes that have a closed form where all tasks have one step, iterated for steps that differ."""

import numpy as np

from .._jit import kernel

EXACT = 1e-14  # to which the iterations here go, relative to the largest entry of the row
MOST = 1_000_000  # of their steps, which only rounding can make them need
APART = 1e6  # what the iterations for unequal steps can bridge
EVEN = 30.0  # factor between steps for which more sweeps of equal ones are cheaper than these iterations


@kernel("float64(float64[::1])")
def spread_of(step):
    """Largest of the steps over the smallest; 1 where they are the same but for rounding."""
    low = step[0]
    high = step[0]
    for t in range(step.shape[0]):
        low = min(low, step[t])
        high = max(high, step[t])
    return high / low if high > low * (1.0 + 1e-15) else 1.0


@kernel("void(float64[::1], float64[::1], float64, float64[::1], float64[::1], float64[::1], float64)")
def towards(v, step, low, x, old, ahead, momentum):
    """Make x the point whose prox with the one step ``low`` is the next iterate for the many steps.

    It is the accelerated proximal gradient method for sum_t (x_t - v_t)^2 / (2 step_t) + phi(x), which is strongly
    convex: the error falls by 1 - sqrt(smallest / largest step) in each iteration.
    """
    for t in range(v.shape[0]):
        ahead[t] = x[t] + momentum * (x[t] - old[t])
        old[t] = x[t]
        x[t] = ahead[t] - low / step[t] * (ahead[t] - v[t])


@kernel("boolean(float64[::1], float64[::1], float64)")
def settled(x, ahead, small):
    """Whether the step from ``ahead`` has moved no entry by more than ``small``; NaN has settled."""
    for t in range(x.shape[0]):
        if abs(x[t] - ahead[t]) > small:
            return False
    return True


def check_steps(step):
    """Raise a ValueError for steps that are too far apart to iterate over."""
    if np.max(step) > APART * (1 + 1e-9) * np.min(step):
        raise ValueError(f"step must not differ by more than a factor of {APART:g} between tasks, got {step!r}.")
