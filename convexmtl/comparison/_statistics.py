"""Paired differences of tasks on the folds, and the correction for many tasks."""

from typing import NamedTuple

import numpy as np
from scipy import stats


def weighted_mean(values, n_test):
    """(T,) means over the folds of (J, T), which count by the rows that they test; NaN ones do not."""
    weight = np.where(np.isnan(values), 0.0, n_test)
    total = weight.sum(axis=0)
    summed = np.sum(weight * np.nan_to_num(values), axis=0)
    return np.divide(summed, total, out=np.full(len(total), np.nan), where=total > 0)


# The most degrees of freedom: differences on folds that overlap have longer tails than the test supposes. With 49, for
# fifty folds, tasks of 25 to 200 rows without a difference have p < 0.005 in 0.7% of cases, with 24 in 0.4%.
MOST = 24


class Differences(NamedTuple):
    """Mean differences of tasks (T,), and what a corrected resampled t test says of each; NaN for those without."""

    mean: np.ndarray
    se: np.ndarray
    df: np.ndarray
    p: np.ndarray


def corrected_t(differences, n_train, n_test):
    """The corrected resampled t test of every task: differences (J, T), NaN where a task is not tested.

    ``n_train`` and ``n_test`` (J, T) are the rows of the task in both parts of every fold. Folds count by the rows that
    they test. There are J - 1 degrees of freedom, but no more than a task has rows less one, nor than ``MOST``.
    """
    J, mean = np.sum(~np.isnan(differences), axis=0), weighted_mean(differences, n_test)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = weighted_mean((differences - mean) ** 2, n_test) * J / (J - 1)
        ratio = weighted_mean(np.where(np.isnan(differences), np.nan, n_test / n_train), n_test)
        se = np.sqrt((1 / J + ratio) * variance)
        rows = np.max(n_train + n_test, axis=0)
        df = np.where(J > 1, np.minimum(np.minimum(J, rows) - 1.0, MOST), np.nan)
        # (Models that are one and the same do not differ, whatever rounding makes of that.)
        same = np.abs(mean) <= 1e-12
        p = np.where(same & (J > 1), 1.0, 2 * stats.t.sf(np.abs(mean) / se, df))
    untested = J < 2
    return Differences(*(np.where(untested, np.nan, value) for value in (mean, se, df, p)))


def holm(p, alpha):
    """(p values after Holm's correction, level at which each was decided); NaN do not count.

    A p value is below its level exactly where the corrected one is below ``alpha``.
    """
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    factor = len(order) - np.arange(len(order))
    adjusted, level = np.full(len(p), np.nan), np.full(len(p), np.nan)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(factor * p[order]))
    # All that are left after the first that is not significant are decided with that one.
    first = np.count_nonzero(adjusted[order] <= alpha)
    level[order] = alpha / np.maximum(factor, factor[first] if first < len(order) else 1)
    return adjusted, level
