"""Searches whose samples are elsewhere: a few rows with the moments of every fold stand for them."""

from dataclasses import replace

import numpy as np
from sklearn.model_selection import PredefinedSplit

from .. import _input
from .._progress import with_callbacks
from ..criteria import CRITERIA
from ..estimators._base import all_or_nothing
from ..estimators._formulation import Data
from ..estimators._splits import counted
from ..tasks import Tasks


@with_callbacks
@all_or_nothing
def search(estimator, folds):
    """Fit a twin to the SufficientStatistics of the folds, as it would be to their samples.

    Errors and fits depend on the samples of a fold through its moments only, and criteria on those of all and how many
    there are. The parameter ``cv`` counts for nothing.
    """
    data, fold, total = data_of_folds(folds, estimator._checked_loss(), estimator.task_weight)
    estimator.n_features_in_ = total.n_features
    if total.feature_names is not None:
        estimator.feature_names_in_ = total.feature_names
    # (Those of the few rows that stand for them are others.)
    counts = np.broadcast_to(total.n_samples, total.tasks.shape).copy()
    splits = None if estimator.selection in CRITERIA else counted(PredefinedSplit(fold).split(), data)
    estimator._search(data, splits, None, None, sizes=(total._totals, counts))
    estimator._summary = replace(estimator._summary, sizes=counts)


def data_of_folds(folds, loss, task_weight):
    """(Data of a few rows that have the moments of every fold, the fold of each of them, statistics of all folds).

    A task may be in some of the folds only.
    """
    total = folds[0].merge(*folds[1:])
    labels, T = total.tasks, total.n_tasks
    same = all(len(one.weight) == 1 and np.array_equal(one.tasks, labels) for one in folds)
    X, Y, weight, fold = [], [], [], []
    for k, one in enumerate(folds if same else [one._at(labels) for one in folds]):
        rows, targets = one._rows()
        K, m, d = rows.shape
        X.append(rows.reshape(-1, d))
        Y.append(targets.reshape(K * m, -1))
        weight.append(np.repeat(one.weight / m, m))
        fold.append(np.full(K * m, k))
    X, Y, weight, fold = map(np.concatenate, (X, Y, weight, fold))
    totals = total._totals
    _input.refuse_empty_tasks(totals, labels)
    task_weight = _input.read_task_weight(task_weight, totals)
    if same:
        tasks, codes = Tasks.shared(X, Y, weight, task_weight), None
    else:
        sizes = [np.count_nonzero(fold == k) // T for k in range(len(folds))]
        codes = np.concatenate([np.repeat(np.arange(T), size) for size in sizes])
        tasks = Tasks.stacked(X, Y.ravel(), codes, T, weight, task_weight)
    data = Data(tasks, loss, labels, total.layout, None, codes, weight, totals.mean(), total.feature_names)
    return data, fold, total
