"""Scores of several tasks, of one model or of several beside each other."""

import numpy as np

from .._compat import check_matplotlib_support, check_pandas_support
from .._input import split_column
from .._predicting import predicted, predictor, tasks_of
from ..metrics import task_scores
from ._common import checked_count, checked_names, dumbbells


class TaskScoresDisplay:
    """The score of every task, a row each; those of several models are joined by a line.

    The task in which the first model's score is largest is on top. Of many tasks those have rows in which the models
    differ most (for one model, those with the largest and the smallest scores); the others are a band, in which every
    model's scores are in order. Make one with ``from_estimator``, ``from_predictions`` or ``from_scores``.

    Parameters
    ----------
    scores : dict of str -> ndarray of shape (T,)
        By the name of the model; NaN where a task has no score.
    task_names : list of T names, default=None
        None takes the positions.
    score_name : str, default="score"

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        The scores of the tasks that have a row, one per model.
    tasks_ : ndarray of int
        These tasks, by position, from top to bottom.
    others_ : ndarray of int
        Those in the band.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import BlockSparseRegressor, TraceNormRegressor
    >>> from convexmtl.inspection import TaskScoresDisplay
    >>> X = np.random.default_rng(0).normal(size=(20, 4))
    >>> models = {m: m(alpha=0.1).fit(X, X[:, :3]) for m in (BlockSparseRegressor, TraceNormRegressor)}
    >>> models = {m.__name__: model for m, model in models.items()}
    >>> display = TaskScoresDisplay.from_estimator(models, X, X[:, :3], metric="r2")
    >>> list(display.scores)
    ['BlockSparseRegressor', 'TraceNormRegressor']
    """

    def __init__(self, *, scores, task_names=None, score_name="score"):
        self.scores = scores
        self.task_names = task_names
        self.score_name = score_name

    @classmethod
    def from_estimator(
        cls,
        estimators,
        X,
        y,
        *,
        task=None,
        task_column=None,
        sample_weight=None,
        metric=None,
        task_names=None,
        max_tasks=40,
        ax=None,
    ):
        """Score fitted estimators on data, and draw.

        Parameters
        ----------
        estimators : fitted estimator, list, or dict of name -> fitted estimator
            Those of convexmtl, in pipelines or searches or not, and whatever else predicts: a pooled model that knows
            nothing of tasks is not told them.
        X : array-like of shape (n, d)
        y : array-like of shape (n, T) or (n,)
        task : array-like of shape (n,), default=None
            The task of every row, for y of shape (n,).
        task_column : str or int, default=None
            The column of X that has the tasks, for y of shape (n,) without ``task``. None takes that of the first
            estimator that has one.
        sample_weight : array-like of shape (n,), default=None
        metric : str or callable, default=None
            A column of ``metrics.task_scores``, or ``metric(y_true, y_pred, sample_weight=...)``. None takes the first
            column: the mean squared error, or the accuracy.
        task_names, max_tasks, ax
            As in ``from_scores``.

        Returns
        -------
        TaskScoresDisplay

        Raises
        ------
        NotFittedError, ValueError
            For an estimator that is not fitted, a metric that is no column, and what ``predict`` refuses.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        estimators = _named(estimators)
        labels = task if task_column is None else split_column(X, task_column)[1]
        if labels is None:
            columns = (tasks_of(estimator, X, np.ndim(y)) for estimator in estimators.values())
            labels = next((column for column in columns if column is not None), None)
        predictions = {name: predicted(estimator, X, task) for name, estimator in estimators.items()}
        options = {"metric": metric, "task_names": task_names, "max_tasks": max_tasks, "ax": ax}
        return cls.from_predictions(y, predictions, task=labels, sample_weight=sample_weight, **options)

    @classmethod
    def from_predictions(
        cls, y_true, y_pred, *, task=None, sample_weight=None, metric=None, task_names=None, max_tasks=40, ax=None
    ):
        """Score predictions, and draw.

        Parameters
        ----------
        y_true : array-like of shape (n, T) or (n,)
        y_pred : array-like of the same shape, or dict of name -> array-like
        task, sample_weight
            As in ``metrics.task_scores``.
        metric
            As in ``from_estimator``.
        task_names, max_tasks, ax
            As in ``from_scores``.

        Returns
        -------
        TaskScoresDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_predictions")
        y_pred = y_pred if isinstance(y_pred, dict) else {"prediction": y_pred}
        name = getattr(metric, "__name__", type(metric).__name__) if callable(metric) else metric
        metrics = {name: metric} if callable(metric) else None
        tables = {
            model: task_scores(y_true, z, task=task, sample_weight=sample_weight, metrics=metrics)
            for model, z in y_pred.items()
        }
        return cls.from_scores(tables, metric=name, task_names=task_names, max_tasks=max_tasks, ax=ax)

    @classmethod
    def from_scores(cls, tables, *, metric=None, task_names=None, max_tasks=40, ax=None):
        """Draw what ``metrics.task_scores`` returns.

        Parameters
        ----------
        tables : DataFrame, or dict of name -> DataFrame
            A row per task; tables of several models are matched by their index.
        metric : str, default=None
            The column to draw. None takes the first one but for ``n``.
        task_names : list of T names, default=None
            None takes the index.
        max_tasks : int, default=40
            How many tasks have a row, as in ``plot``.
        ax : matplotlib Axes, default=None

        Returns
        -------
        TaskScoresDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_scores")
        pandas = check_pandas_support(f"{cls.__name__}.from_scores")
        tables = {str(name): table for name, table in tables.items()} if isinstance(tables, dict) else {"": tables}
        if not tables:
            raise ValueError("There is no table of scores, and nothing to draw.")
        columns = [column for column in next(iter(tables.values())).columns if column != "n"]
        metric = columns[0] if metric is None else metric
        for table in tables.values():
            if metric not in table.columns:
                raise ValueError(f"metric must be one of the columns {list(table.columns)}, got {metric!r}.")
        joined = pandas.concat({name: table[metric] for name, table in tables.items()}, axis=1)
        display = cls(
            scores={name: joined[name].to_numpy(dtype=float) for name in tables},
            task_names=joined.index.tolist() if task_names is None else task_names,
            score_name=str(metric),
        )
        return display.plot(ax, max_tasks=max_tasks)

    def plot(self, ax=None, *, max_tasks=40):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a new figure, whose height grows with the number of rows.
        max_tasks : int, default=40
            How many tasks have a row at most; in given axes, as many as fit.

        Returns
        -------
        self
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        names = checked_names(self.task_names, len(next(iter(self.scores.values()))), "task_names")
        checked_count(max_tasks, "max_tasks")
        rows = dumbbells(names, self.scores, max_rows=max_tasks, xlabel=self.score_name, ax=ax)
        rows.ax.set_ylabel("Task")
        self.lines_ = rows.lines
        self.tasks_, self.others_, self.ax_, self.figure_ = rows.shown, rows.rest, rows.ax, rows.ax.figure
        return self


def _named(estimators):
    """{name: estimator}; estimators without names have those of their classes, told apart by numbers."""
    if isinstance(estimators, dict):
        named = {str(name): estimator for name, estimator in estimators.items()}
    else:
        listed = list(estimators) if isinstance(estimators, (list, tuple)) else [estimators]
        classes = [type(predictor(estimator)).__name__ for estimator in listed]
        named = {}
        for k, (name, estimator) in enumerate(zip(classes, listed, strict=True)):
            named[f"{name} {classes[:k].count(name) + 1}" if classes.count(name) > 1 else name] = estimator
    if not named:
        raise ValueError("estimators must name or list at least one fitted estimator, got none.")
    return named
