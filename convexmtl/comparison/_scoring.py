"""Scores of fits on folds, task by task."""

import warnings
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.exceptions import ConvergenceWarning, UndefinedMetricWarning
from sklearn.metrics import get_scorer
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.parallel import Parallel, delayed

from .._compat import safe_indexing
from ..baselines import estimator_inside


def _log_likelihood(sign, p):
    return np.log(np.maximum(np.where(sign > 0, p, 1 - p), np.finfo(float).eps))


# Scores that are means over rows: of what is predicted, and which function of that and of the targets.
BY_ROW = {
    "neg_mean_squared_error": ("predict", lambda y, z: -((y - z) ** 2)),
    "neg_mean_absolute_error": ("predict", lambda y, z: -np.abs(y - z)),
    "accuracy": ("predict", lambda y, z: (y == z).astype(float)),
    "neg_log_loss": ("predict_proba", _log_likelihood),
}


class Scorer(NamedTuple):
    """How tasks are scored; more is better."""

    name: str  # in words
    sign: int  # -1 where the score is the negative of an error, which is what people read
    scoring: Any  # a key of BY_ROW, or a scorer

    @classmethod
    def of(cls, scoring, models):
        inside = [estimator_inside(estimator) for estimator in models]
        classifies = is_classifier(inside[0])
        if scoring is None and classifies:
            scoring = "neg_log_loss" if all(hasattr(one, "predict_proba") for one in inside) else "accuracy"
        scoring = "neg_mean_squared_error" if scoring is None else scoring
        name = scoring if isinstance(scoring, str) else getattr(scoring, "__name__", type(scoring).__name__)
        if not (scoring in BY_ROW if isinstance(scoring, str) else callable(scoring)):
            scoring = get_scorer(scoring)
        sign = -1 if name.startswith("neg_") else 1
        return cls(name.removeprefix("neg_").replace("_", " "), sign, scoring)

    def of_tasks(self, model, data, rows):
        """(T,) scores of a fitted model on these rows, NaN for tasks that have none."""
        X, _, options = data.part(rows)
        options = options if estimator_inside(model).task_column is None else {}
        if callable(self.scoring):
            return _by_task(self.scoring, model, X, data, rows, options)
        method, function = BY_ROW[self.scoring]
        z, seen = getattr(model, method)(X, **options), data.seen[rows]
        if method == "predict_proba" and data.classes is not None:
            # (The right class has what there is.)
            y, z = np.ones(seen.shape), _of_the_right(model, z, data, rows)
        elif method == "predict_proba":
            y, z = data.signs[rows], z if data.codes is None else z[:, 1]
        else:
            y = data.target[rows]
        values = np.zeros(seen.shape)
        values[seen] = function(y[seen], z[seen])
        counts = data.sum(seen.astype(float), rows)
        return np.divide(data.sum(values, rows), counts, out=np.full(len(counts), np.nan), where=counts > 0)


def _of_classes(model, response, data, t, rows):
    """(n, K) what a model says of the classes of task t on these rows, where tasks have more than two."""
    if data.codes is None:
        return response[t][rows]
    found = model.classes_.tolist()
    return response[rows][:, [found.index(label) for label in data.classes[t].tolist()]]


def _of_the_right(model, p, data, rows):
    """Probabilities of the classes that samples have, of the shape of their y."""
    y, seen = data.target[rows], data.seen[rows]
    right = np.ones(seen.shape)
    for t, classes in enumerate(data.classes):
        some = np.flatnonzero(seen[:, t] if data.codes is None else data.codes[rows] == t)
        own = (some, t) if data.codes is None else some
        right[own] = np.sum(_of_classes(model, p, data, t, some) * (y[own][:, None] == classes), axis=1)
    return right


class _OfTask(BaseEstimator):
    """One task of a model on some rows, as a scorer knows models: its predictions, whatever X it is handed."""

    def __init__(self, model, responses, pick, of_classes, classes):
        self.model = model
        self.responses = responses
        self.pick = pick
        self.of_classes = of_classes
        self.classes_ = classes

    def predict(self, X):
        z = self.pick(self.responses("predict"))
        # (Labels of tasks beside which others have labels of other kinds.)
        return np.array(z.tolist()) if z.dtype.kind == "O" else z

    @available_if(lambda self: hasattr(self.model, "decision_function"))
    def decision_function(self, X):
        z = self.of_classes(self.responses("decision_function"))
        return z[:, 1] - z[:, 0] if z.ndim == 2 and z.shape[1] == 2 else z

    @available_if(lambda self: hasattr(self.model, "predict_proba"))
    def predict_proba(self, X):
        p = self.of_classes(self.responses("predict_proba"))
        return p if p.ndim == 2 else np.stack([1 - p, p], axis=1)

    def __sklearn_is_fitted__(self):
        return True

    def __sklearn_tags__(self):
        return get_tags(self.model)


def _by_task(scorer, model, X, data, rows, options):
    """(T,) what a scorer says of every task by itself, NaN for tasks without rows and scores that are not defined."""
    responses = cache(lambda method: getattr(model, method)(X, **options))
    out = np.full(len(data.labels), np.nan)
    for t in range(len(data.labels)):
        if data.codes is None:
            own = np.flatnonzero(data.seen[rows, t])
            y, everything = data.target[rows[own], t], data.target[data.seen[:, t], t]
            pick = lambda response, own=own, t=t: response[own, t]  # noqa: E731
        else:
            own = np.flatnonzero(data.codes[rows] == t)
            y, everything = data.target[rows[own]], data.target[data.codes == t]
            pick = lambda response, own=own: response[own]  # noqa: E731
        if len(own):
            y, of_classes = np.array(y.tolist()), pick
            if data.classes is not None:
                of_classes = lambda response, own=own, t=t: _of_classes(model, response, data, t, own)  # noqa: E731
            view = _OfTask(model, responses, pick, of_classes, np.unique(everything.tolist()))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UndefinedMetricWarning)
                try:
                    out[t] = scorer(view, safe_indexing(X, own), y)
                except ValueError:
                    # Of a single class or a single row many scores are not defined.
                    if len(np.unique(y)) > 1:
                        raise
    return out


def score_all(runs, data, folds, scorer, n_jobs):
    """(number of runs, J, T)"""
    jobs = [(r, k) for r in range(len(runs)) for k in range(len(folds))]
    found = Parallel(n_jobs=n_jobs)(delayed(_score)(runs[r], data, *folds[k], scorer) for r, k in jobs)
    failed = sum(n for _, n in found)
    if failed:
        warnings.warn(
            f"Objective did not converge in {failed} of the {len(jobs)} fits. You might want to increase max_iter, "
            "scale the features, or increase tol.",
            ConvergenceWarning,
            stacklevel=4,
        )
    return np.array([scores for scores, _ in found]).reshape(len(runs), len(folds), -1)


def _score(estimator, data, train, test, scorer):
    """(scores of the tasks on one fold, whether the fit has not converged)"""
    X, y, options = data.part(train)
    if estimator_inside(estimator).task_column is not None:
        options = {}
    if hasattr(estimator, "steps") and not get_config()["enable_metadata_routing"]:
        options = {f"{estimator.steps[-1][0]}__{name}": value for name, value in options.items()}
    with warnings.catch_warnings(record=True) as caught:
        # What is to be said of the data is said by a fit to all of them.
        warnings.simplefilter("always")
        model = clone(estimator).fit(X, y, **options)
        scores = scorer.of_tasks(model, data, test)
    return scores, any(issubclass(warning.category, ConvergenceWarning) for warning in caught)
