"""Did sharing help? Models beside one model per task and one for all, on the same folds, task by task."""

from numbers import Real

import numpy as np

from ..baselines import pooled, single_task
from ._data import folds_within, named, position, read
from ._result import Comparison
from ._scoring import Scorer, score_all

__all__ = ["Comparison", "compare_tasks"]


def compare_tasks(estimators, X, y, *, task=None, cv=None, scoring=None, alpha=0.05, n_jobs=None):
    """Which tasks does sharing help, and which does it hurt?

    Every model is fitted and tested on the same folds as one model per task and one model for all tasks. For a task
    whose scores on the J folds are better than those of one model per task by d_j,

        t = d / sqrt((1 / J + n_test / n_train) s^2),   d, s^2: mean and variance of the d_j,

    has a t distribution if sharing makes no difference to the task: the corrected resampled t test, with the means
    weighted by the rows that are tested. It has J - 1 degrees of freedom, but no more than the rows of the task less
    one, nor than 24, with which tasks without a difference keep their level in simulations. Holm's correction over the
    tasks of a model keeps the chance that any task is said to be helped or hurt without reason at ``alpha``.

    Parameters
    ----------
    estimators : estimator of convexmtl, a list of them, or a dict of name -> estimator
        Not fitted by this. The twins (``...CV``) and searches choose their strengths in every fold anew, others are
        taken with those that they have; pipelines have to end in one. The baselines are
        ``baselines.single_task(estimator)`` and ``baselines.pooled(estimator)``.
    X, y, task
        As in ``estimator.fit``. With a ``task_column`` no task is needed, unless a pipeline moves that column.
    cv : int, splitter or iterable of (train, test), default=None
        An int is a number of folds that split within every task, dealt out anew ten times; None five of them.
    scoring : str or callable, default=None
        A scorer of scikit-learn, for each task by itself. None is the mean squared error, and for classifiers the log
        loss, or the accuracy where one of them has no probabilities.
    alpha : float in (0, 1), default=0.05
    n_jobs : int, default=None
        Fits at a time; the results do not depend on it.

    Returns
    -------
    Comparison

    Raises
    ------
    TypeError
        For what is no estimator of convexmtl, nor around one.
    ValueError
        For a single task, with which there is nothing to compare; for folds that leave a task without training rows;
        for regressors beside classifiers.

    References
    ----------
    Nadeau, Bengio (2003), Machine Learning; Holm (1979), Scandinavian Journal of Statistics.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import MeanRegularizedRegressor, compare_tasks
    >>> from convexmtl.model_selection import TaskShuffleSplit
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(180, 60)), np.repeat(["a", "b", "c"], 60)
    >>> y = X @ rng.normal(size=60) + rng.normal(size=180)
    >>> model = MeanRegularizedRegressor(alpha_mean=0.001, alpha_variance=20)
    >>> found = compare_tasks(model, X, y, task=task, cv=TaskShuffleSplit(15, random_state=0))
    >>> sorted(found.helped()), found.hurt()
    (['a', 'b', 'c'], [])
    """
    models = named(estimators)
    beside = {name: (estimator, single_task(estimator), pooled(estimator)) for name, estimator in models.items()}
    return compare_on(beside, X, y, task=task, cv=cv, scoring=scoring, alpha=alpha, n_jobs=n_jobs)


def compare_on(beside, X, y, *, task=None, cv=None, scoring=None, alpha=0.05, n_jobs=None):
    """The Comparison of {name: (estimator, its single-task baseline, its pooled baseline)}; the rest as above."""
    if not (isinstance(alpha, Real) and 0 < alpha < 1):
        raise ValueError(f"alpha must be between 0 and 1, got {alpha!r}.")
    models = [three[0] for three in beside.values()]
    data, scorer = read(models, X, y, task), Scorer.of(scoring, models)
    folds = folds_within(data, cv, models[0])
    # What several models have in common is fitted once.
    runs = []
    # (Of classes of their own tasks have no model in common: NaN.)
    some = slice(2 if data.has_own_classes else 3)
    place = np.array([[position(runs, one) for one in three[some]] for three in beside.values()])
    scores, counts = score_all(runs, data, folds, scorer, n_jobs), data.counts(folds)
    of_each = [scores[column] for column in place.T]
    of_each += [np.full_like(of_each[0], np.nan)] * (3 - len(of_each))
    return Comparison(list(beside), data.labels, *of_each, *counts, scorer.name, scorer.sign, alpha)
