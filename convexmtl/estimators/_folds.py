"""The folds of a search under the squared loss as sufficient statistics, where samples are much more than these.

Every sample is read once, for the fold that tests it; what a fold trains on is the sum of what the others test, which
loses no digits, as taking the fold out of the whole may. The training part becomes a few rows with the same moments, so
that solvers and certificates have the same problem in less time.
"""

from itertools import accumulate
from operator import add
from typing import NamedTuple

import numpy as np

from ..statistics import SufficientStatistics
from ..tasks import Tasks

GAIN = 8  # rows of X for one that is left, from which on what that takes is less than what it saves
FAR = 1e4  # deviations that a mean may be away from zero: the few rows have it added to them
SAFE = 1e-6  # share that an error must be of the products that it is the difference of


class Condensed(NamedTuple):
    """What a fold needs of the samples.

    Attributes
    ----------
    train : Tasks
        A few rows with the moments of the training part.
    test : SufficientStatistics
        Of the held-out part; its tasks are positions.
    share : ndarray
        What the errors of its tasks count in that of the fold; 0 without weight.
    lengths : ndarray of shape (d, 1 or n_tasks)
        Of the features of the held-out part, about their means.
    """

    train: Tasks
    test: SufficientStatistics
    share: np.ndarray
    lengths: np.ndarray

    def errors(self, Ws, intercepts):
        """[the mean test loss of every task of `test`, as from the samples] for each W of Ws (A, d, T).

        It ends with None where only samples have the digits: there coefficients cancel each other, or hardly anything
        is left of the targets.
        """
        test, Ws, intercepts = self.test, Ws[:, :, self.test.tasks], intercepts[:, self.test.tasks]
        products = test.square + np.einsum("adt,dt->at", np.abs(Ws), np.broadcast_to(self.lengths, Ws.shape[1:])) ** 2
        sums = np.array([test.squared_error(Ws, intercepts), products])
        means = np.divide(sums, test.weight, out=np.zeros_like(sums), where=test.weight > 0)
        errors, sizes = means @ self.share
        known = errors > SAFE * sizes
        return list(means[0]) if known.all() else [*means[0, : np.argmin(known)], None]


def condensed(data, folds):
    """[Condensed or None], one for each of the folds [(train, test)]; None where samples are as good or better.

    ``train`` and ``test`` (n,) say how often each row of ``data.tasks`` is in the part.
    """
    tasks = data.tasks
    n_matrices = 1 if tasks.common_weight is not None else tasks.n_tasks
    rows = n_matrices * (tasks.n_features + 2)
    fewest = min(np.count_nonzero(train) for train, _ in folds)
    # (Nor are all folds together to take more memory than the samples do.)
    few = rows * max(GAIN, len(folds) / 4) <= fewest
    if not (few and data.loss.quadratic) or tasks.is_sparse:
        return [None] * len(folds)
    tests = [SufficientStatistics._of_part(tasks, test) for _, test in folds]
    return paired(_trained(tasks, folds, tests), tests, tasks.mass)


def paired(trains, tests, mass):
    """[Condensed or None] of the statistics of training parts and of held-out ones, whose tasks are positions."""
    found = []
    for train, test in zip(trains, tests, strict=True):
        lengths = np.sqrt(np.einsum("kjj->jk", test.gram))
        made = None if _is_far(train) else train._tasks(mass)
        found.append(made and Condensed(made, test, _shares(mass, test), lengths))
    return found


def _trained(tasks, folds, tests):
    """The SufficientStatistics of what every fold trains on."""
    parts = len(folds) > 1 and np.all(sum(test for _, test in folds) == 1)
    if not (parts and all(np.all(train + test == 1) for train, test in folds)):
        return [SufficientStatistics._of_part(tasks, train) for train, _ in folds]
    return of_others(tests)


def of_others(tests):
    """For every one of several statistics the sum of the others."""
    before, after = list(accumulate(tests[:-1], add)), list(accumulate(tests[:0:-1], add))[::-1]
    return [after[0], *map(add, before[:-1], after[1:]), before[-1]]


def _is_far(statistics):
    """Whether a mean is so far from zero that rows around it would lose digits."""
    pairs = (statistics.mean_X, np.einsum("kjj->jk", statistics.gram)), (statistics.mean_y, statistics.square)
    return any(np.any((squares > 0) & (mean**2 * statistics.weight > FAR**2 * squares)) for mean, squares in pairs)


def _shares(mass, test):
    """What the mean error of every task in ``test`` counts."""
    counted = np.where(np.broadcast_to(test.weight, test.tasks.shape) > 0, mass[test.tasks], 0.0)
    return counted / counted.sum()
