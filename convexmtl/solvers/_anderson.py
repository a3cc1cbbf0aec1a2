"""Anderson extrapolation: the combination of a few iterates that would move least."""

from itertools import pairwise

import numpy as np


def anderson_weights(iterates):
    """Weights of all iterates (arrays of one shape) but the first, which sum to 1 and minimise the norm of the combined
    move to them; None where they are not defined.

    They are rounded to a thousandth of the largest, without which they would turn the last bits of the sums behind
    them (the order of the samples, the number of threads) into digits of W that a user sees.
    """
    U = np.stack([(b - a).ravel() for a, b in pairwise(iterates)])
    gram = U @ U.T
    trace = np.trace(gram)
    if not trace > 0:
        return None
    x = np.linalg.solve(gram + 1e-10 * trace * np.eye(len(gram)), np.ones(len(gram)))
    x = x / x.sum()
    if not np.isfinite(x).all():
        return None
    unit = 2.0 ** (np.ceil(np.log2(np.abs(x).max())) - 10)
    x = unit * np.round(x / unit)
    x[-1] += 1 - x.sum()
    return x


def combine(weights, arrays):
    """The weighted sum."""
    return sum(weight * array for weight, array in zip(weights, arrays, strict=True))
