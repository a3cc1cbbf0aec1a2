"""Anderson extrapolation: the combination of a few iterates that would move least."""

from itertools import pairwise

import numpy as np


def anderson_weights(iterates):
    """Weights of all iterates (arrays of one shape) but the first, which sum to 1 and minimise the norm of the combined
    move to them; None where they are not defined.

    They are rounded to a thousandth of the largest, without which they would turn the last bits of the sums behind
    them (the order of the samples, the number of threads) into digits of W that a user sees.
    """
    U = np.empty((len(iterates) - 1, iterates[0].size))
    for move, (a, b) in zip(U, pairwise(iterates), strict=True):
        np.subtract(b, a, out=move.reshape(a.shape))
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
    total = weights[0] * arrays[0]
    for weight, array in zip(weights[1:], arrays[1:], strict=True):
        total += weight * array
    return total


class Extrapolation:
    """Where a fixed-point iteration goes on from: Anderson's combination of its states after every few of them, with a
    way back.

    Parameters
    ----------
    size : int
        States that are combined.
    every : int
        Iterations between two combinations.
    patient : bool
        Whether they go on as often where one has led astray; else half as often.
    """

    def __init__(self, size, every, patient):
        self.size, self.every, self.patient, self.waited = size, every, patient, 0
        self.forget()

    def forget(self):
        self.iterates, self.retreat = [], None

    def next(self, state, jump=True):
        """(state to go on from, whether that is where the last combination was made, since the step from there was
        longer than the one that led to it); another one than this is combined only with ``jump``."""
        self.iterates.append(state)
        if len(self.iterates) == 1:
            return state, False
        length = np.linalg.norm(self.iterates[-1] - self.iterates[-2])
        if self.retreat is not None:
            last, before = self.retreat
            if not length <= before:
                self.forget()
                self.every = self.every if self.patient else 2 * self.every
                return last, True
            self.retreat = None
        self.waited += 1
        self.iterates = self.iterates[-self.size - 1 :]
        if jump and self.waited >= self.every and len(self.iterates) > self.size:
            self.waited = 0
            weights = anderson_weights(self.iterates)
            if weights is not None:
                ahead = combine(weights, self.iterates[1:])
                self.iterates, self.retreat = [ahead], (state, length)
                return ahead, False
        return state, False
