"""Fits of some of the tasks on some of the rows, and what they lose on others."""

import warnings

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from ._classes import Columns
from ._compat import safe_indexing
from ._input import split_columns
from ._threads import same_sums
from .estimators._base import MultiTaskEstimator
from .estimators._splits import SplitsTasks


class _Splits(SplitsTasks, BaseEstimator):
    """The folds of a search, for what does not search: by classes where ``model`` has them."""

    def __init__(self, model, cv):
        self.model = model
        self.cv = cv

    def __sklearn_tags__(self):
        return get_tags(self.model)


class TaskSubsets:
    """A data set, read and checked once, some of whose tasks are fitted at a time.

    Rows are in the order of ``data.tasks``, stacked ones task after task; tasks are positions.

    Parameters
    ----------
    estimator : estimator of convexmtl, or pipeline that ends in one
    X, y, task, sample_weight
        As in ``estimator.fit``.
    caller : str
        Who asks, for messages.

    Attributes
    ----------
    data : Data
    labels : ndarray of shape (T,)
        Of the tasks.
    counts : ndarray of bool, (n, T) or (n,)
        Which targets there are: all whose weight is not 0.
    """

    def __init__(self, estimator, X, y, *, task, sample_weight, caller):
        own = clone(estimator)
        self.steps, self.model = (own[:-1], own[-1]) if isinstance(own, Pipeline) else (None, own)
        if not isinstance(self.model, MultiTaskEstimator):
            raise TypeError(
                f"{caller} takes an estimator of convexmtl, or a pipeline that ends in one, got "
                f"{type(estimator).__name__}. In place of a search of scikit-learn's use an estimator whose name ends "
                "in CV."
            )
        self.estimator, self.caller = estimator, caller
        read = X if self.steps is None else clone(self.steps).fit_transform(X, y)
        self.data = data = clone(self.model)._read(read, y, sample_weight, task, None, reset=True)
        self.labels, tasks = data.task_labels, data.by_task
        T = len(self.labels)
        if T < 2:
            raise ValueError(
                f"{caller} needs two tasks or more, got one, with which nothing can be shared: hand over y of shape "
                "(n, T), or task=..., the task of every row."
            )
        if data.tasks.offset is not None:
            raise ValueError(
                f"{caller} fits some of the tasks at a time, without offsets, which offset_column="
                f"{self.model.offset_column!r} has: leave them out, or use the squared loss, which takes them off y."
            )
        self._refuse_structure()
        self.shared = data.codes is None
        self.columns = {name: getattr(self.model, name) for name in ("task_column", "offset_column")}
        self.order = np.arange(tasks.n_rows) if self.shared else np.argsort(data.codes, kind="stable")
        self.given = X.tocsr() if issparse(X) else X, y, None if task is None else self.labels[data.codes]
        # (What comes before the estimator has to see what the user has; else all that is read need be read once.)
        own = tasks.X.tocsr() if tasks.is_sparse else tasks.X
        self.X = own if self.steps is None else safe_indexing(self.given[0], self.order)
        shape = (T, -1) if self.shared else (-1,)
        # (Structures of tasks know classes by their labels, so that each is a number that all tasks have in common.)
        y = tasks.y if data.columns is None else data.columns.shared_codes(tasks)
        self.share, self.y = (values.reshape(shape).T for values in (tasks.weight, y))
        self.counts = self.share > 0
        self.codes = None if self.shared else tasks.sample_task
        self.weight = None if data.weight is None else data.weight[self.order]
        self.model.set_params(task_column=None, offset_column=None, verbose=0)

    def _refuse_structure(self):
        """Raise a ValueError for a penalty that says which tasks there are, or that a single one cannot have."""
        d, name = self.data.tasks.n_features, type(self.model).__name__
        try:
            penalty = self.model._penalty()
        except TypeError:
            # It has none before it has chosen a family: fit says what of them it cannot fit.
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            penalty.resolve(d, self.labels)
            try:
                penalty.resolve(d, np.array(["any task"]))
            except ValueError as error:
                raise ValueError(
                    f"{self.caller} fits some of the tasks at a time, also a single one, and this {name} cannot be "
                    f"fitted without the others: {error} Use one that needs no graph, tree, order or number of "
                    "clusters, such as MeanRegularized or TaskRelationship."
                ) from error

    def part(self, rows):
        """The same for some rows, read as if there were no other ones."""
        X, y, task = (None if a is None else safe_indexing(a, self.order[rows]) for a in self.given)
        weight = None if self.data.weight is None else self.weight[rows]
        return TaskSubsets(self.estimator, X, y, task=task, sample_weight=weight, caller=self.caller)

    def folds(self, cv, tested):
        """[(train, test)], positions of rows, that test all tasks in ``tested`` and train each on all its classes."""
        X, y, _ = self.given
        found = _Splits(self.model, cv)._folds(X, y, self.data, {})
        folds = [tuple(np.repeat(np.arange(len(often)), often) for often in fold) for fold in found]
        names, every = self.labels.tolist(), np.arange(len(self.y))
        for t in tested:
            if not any(self.tested(t, test).size for _, test in folds):
                raise ValueError(
                    f"cv: no fold tests task {names[t]!r}. A task needs two samples to be trained and tested: drop it, "
                    "or pass other folds."
                )
            for k, (train, _) in enumerate(folds):
                if not self.data.loss.classification:
                    continue
                trained, there = (len(np.unique(self._targets(t, self.tested(t, rows)))) for rows in (train, every))
                if trained == 1:
                    raise ValueError(
                        f"cv: fold {k} trains task {names[t]!r} on a single class, with which it cannot be fitted "
                        "alone: drop the task, or pass folds with all of its classes."
                    )
                if trained < there:
                    raise ValueError(
                        f"cv: fold {k} trains task {names[t]!r} on {trained} of its {there} classes, so that what is "
                        "of the others has no probability: join rare classes, or pass folds that train on all of them."
                    )
        return folds

    def tested(self, t, rows):
        """Those of the rows with a target of task t."""
        return rows[self.counts[rows, t] if self.shared else self.counts[rows] & (self.codes[rows] == t)]

    def weights(self, t, rows):
        """What the targets of task t on these rows, all ``tested``, count."""
        return self.share[rows, t] if self.shared else self.share[rows]

    def _targets(self, t, rows):
        return self.y[rows, t] if self.shared else self.y[rows]

    def losses(self, tasks, train, test, of):
        """([losses of task t on its rows of ``test``, for every t in ``of``], whether the fit has converged).

        Fitted are ``tasks``, increasing, on their rows of ``train``.
        """
        tasks = np.asarray(tasks)
        model, steps = clone(self.model), None if self.steps is None else clone(self.steps)
        if np.ndim(model.task_weight) == 1:
            model.set_params(task_weight=np.asarray(model.task_weight)[tasks])
        if not self.shared:
            train = train[np.isin(self.codes[train], tasks)]
        elif len(tasks) == 1:
            # As the targets of one task, by whose classes a search can split.
            train, tasks = self.tested(tasks[0], train), tasks[0]
        y, weight = self.y[train], None if self.weight is None else self.weight[train]
        if self.shared:
            y = np.where(self.counts[train][:, tasks], y[:, tasks], np.nan)
            weight = weight if np.ndim(weight) < 2 else weight[:, tasks]
        labels = {} if self.shared else {"task": self.codes[train]}
        with warnings.catch_warnings(record=True) as caught, same_sums():
            warnings.simplefilter("always")
            if steps is not None:
                steps.fit(safe_indexing(self.X, train), y)
            model.fit(self._features(steps, train), y, sample_weight=weight, **labels)
            found = [self._losses(model, steps, tasks, t, self.tested(t, test)) for t in of]
        return found, not any(issubclass(warning.category, ConvergenceWarning) for warning in caught)

    def _losses(self, model, steps, tasks, t, rows):
        if not len(rows):
            return np.zeros(0)
        place = int(np.searchsorted(np.atleast_1d(tasks), t))
        X, codes = self._features(steps, rows), None if self.shared else self.codes[rows]
        if self.data.columns is not None:
            return self._losses_of_classes(model, X, codes, place, self._targets(t, rows))
        z = model._scores(X, codes)[0]
        z = z[:, place] if z.ndim == 2 else z
        return self.data.loss.error(self._targets(t, rows), z)

    def _losses_of_classes(self, model, X, codes, k, y):
        """The losses of the k-th task of a model on its rows."""
        columns = model._columns or Columns.single(model.tasks_, model._classes)
        own = slice(columns.first[k], columns.first[k] + columns.counts[k])
        Z = model._rows(X, codes, None)[0] @ model.coef_[own].T + model.intercept_[own]
        return columns.errors(k, y, Z, model._checked_loss())

    def _features(self, steps, rows):
        """What the estimator sees of these rows, behind the fitted steps."""
        if steps is None:
            return self.X[rows]
        X = steps.transform(safe_indexing(self.X, rows))
        return split_columns(X, self.columns)[0] if any(c is not None for c in self.columns.values()) else X
