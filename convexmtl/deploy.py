"""Fitted estimators as plain scikit-learn models, and as plain JSON."""

import copy
import warnings
from functools import partial

import numpy as np
from scipy.special import expit
from sklearn.base import is_classifier
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC
from sklearn.utils.validation import check_is_fitted

from . import _input, _json
from ._version import __version__
from .estimators._base import MultiTaskEstimator
from .losses import Softmax, get_loss

# What predicts as a loss does, by the function that it makes predictions of scores with.
REGRESSORS = {LinearRegression: lambda z: z, PoissonRegressor: np.exp}
SCORES = np.linspace(-3, 3, 13)
FORMAT = 1  # of dicts


def to_sklearn(estimator):
    """A fitted estimator as linear models of scikit-learn alone, which predict what it predicts, to rounding.

    For regression ``LinearRegression``, for losses that predict exp(z) ``PoissonRegressor``; for classification
    ``LogisticRegression``, and ``LinearSVC`` for losses without probabilities. They need nothing of this package where
    they are loaded, and what converts scikit-learn's models (``skl2onnx`` to ONNX, say) converts them.

    Parameters
    ----------
    estimator : fitted estimator of convexmtl, or Pipeline that ends with one

    Returns
    -------
    model or dict of label -> model
        One model where all tasks have one X (or there is but one task, with y of shape (n,)): ``LinearRegression`` of
        several targets, and ``MultiOutputRegressor`` or ``MultiOutputClassifier`` around others, whose
        ``predict_proba`` is a list of what tasks have, (n, 2) each. Else, and of tasks of different kinds, a model for
        each task, which takes the features without the task column. Of a Pipeline pipelines with the same steps before,
        which take what it takes: a task column that there is is dropped by a step before the model.

    Raises
    ------
    TypeError
        For anything but an estimator of convexmtl, or a Pipeline that ends with one.
    NotFittedError
    ValueError
        For a loss that makes predictions of scores as no linear model of scikit-learn does, and for an
        ``offset_column``. (With offsets passed to ``fit``, predictions are those for an offset of 0.)

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import BlockSparseRegressor, to_sklearn
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 6))
    >>> Y = X[:, :2] @ rng.normal(size=(2, 4)) + 0.1 * rng.normal(size=(40, 4))
    >>> model = BlockSparseRegressor(alpha=0.1).fit(X, Y)
    >>> plain = to_sklearn(model)
    >>> plain
    LinearRegression()
    >>> print(np.allclose(plain.predict(X), model.predict(X)))
    True
    >>> by_task = to_sklearn(BlockSparseRegressor(alpha=0.1).fit(X, Y[:, 0], task=["a", "b"] * 20))
    >>> sorted(by_task)
    ['a', 'b']
    """
    before, last = [], estimator
    if isinstance(estimator, Pipeline):
        *before, (name, last) = estimator.steps
    _check(last, ", or a Pipeline that ends with one")
    if last.offset_column is not None:
        raise ValueError(
            f"offset_column={last.offset_column!r}: linear models of scikit-learn have no offsets. Fit with offset=... "
            "in its place; what is made of that predicts for an offset of 0, to which you add your own."
        )
    if not before:
        made = _models(last)
        return made if not isinstance(estimator, Pipeline) else _each(made, lambda model: Pipeline([(name, model)]))
    names = {name for name, _ in estimator.steps}
    if last.task_column is not None:
        position = _input.column_position(
            last.task_column, getattr(last, "feature_names_in_", None), last.n_features_in_
        )
        others = [j for j in range(last.n_features_in_) if j != position]
        drop = ColumnTransformer([("features", "passthrough", others)]).fit(np.zeros((1, last.n_features_in_)))
        before.append((next(word for word in ("without_task", "without_task_column", "_") if word not in names), drop))
    named = last.task_column is None
    return _each(_models(last, named), lambda model: Pipeline([*before, (name, model)]))


def _check(estimator, also):
    if not isinstance(estimator, MultiTaskEstimator):
        raise TypeError(f"estimator must be a fitted estimator of convexmtl{also}, got {type(estimator).__name__}.")
    check_is_fitted(estimator, "coef_")
    _input.require_features(estimator, "this form")


def _each(made, function):
    return {t: function(model) for t, model in made.items()} if isinstance(made, dict) else function(made)


def _models(estimator, named=True):
    """One model, or {label: model}; ``named``: with the names of the features, where there are any."""
    W, b = estimator.coef_, estimator.intercept_
    names = _input.coef_names(estimator) if named else None
    losses = _losses(estimator)
    templates = {repr(loss): _fitted_to_nothing(estimator, loss, W.shape[1], names) for loss in losses}
    template = templates[repr(losses[0])]
    make = partial(_told, template)
    if estimator._layout == "shared" and _kinds(estimator) is None:
        if not is_classifier(estimator) and isinstance(template, LinearRegression):
            return make(W, b, None)
        inner = [make(*own, _classes_of(estimator, t)) for t, own in enumerate(_own(estimator))]
        several = MultiOutputClassifier if is_classifier(estimator) else MultiOutputRegressor
        model = several(type(template)(fit_intercept=estimator.fit_intercept))
        model.estimators_ = inner
        if is_classifier(estimator):
            model.classes_ = [one.classes_ for one in inner]
        model.n_features_in_ = W.shape[1]
        if names is not None:
            model.feature_names_in_ = names
        return model
    own = zip(_keys(estimator), _own(estimator), strict=True)
    made = {
        label: _told(templates[repr(losses[t])], *coefficients, _classes_of(estimator, t))
        for t, (label, coefficients) in enumerate(own)
    }
    return next(iter(made.values())) if estimator._layout == "single" else made


def _losses(estimator):
    """[Loss] of every task."""
    loss, kinds = get_loss(estimator.loss), _kinds(estimator)
    return [loss] * len(estimator.tasks_) if kinds is None else [loss.distinct[kind] for kind in kinds]


def _kinds(estimator):
    """Which of several losses every task has, or None."""
    return get_loss(estimator.loss).kinds(estimator.tasks_.tolist())


def _own(estimator):
    """[(coefficients, intercepts)] of every task, as its plain model has them: of two classes one row, else one for
    every class."""
    W, b, columns = estimator.coef_, estimator.intercept_, estimator._columns
    if columns is None:
        return list(zip(W, b, strict=True))
    found = []
    for count, first, _ in columns.each:
        w, a = W[first : first + count], b[first : first + count]
        found.append((w[1] - w[0], a[1] - a[0]) if count == 2 else (w[0], a[0]) if count == 1 else (w, a))
    return found


def _keys(estimator):
    """Task labels as keys of a dict; dates as numpy has them."""
    tasks = estimator.tasks_
    return list(tasks) if tasks.dtype.kind in "mM" else tasks.tolist()


def _plain(loss):
    """The class of scikit-learn that makes predictions of scores as the loss does."""
    if loss.classification:
        if isinstance(loss, Softmax):
            return LogisticRegression
        if not hasattr(loss, "probability"):
            return LinearSVC
        if np.allclose(loss.probability(SCORES), expit(SCORES), rtol=1e-12, atol=0):
            return LogisticRegression
    else:
        for cls, link in REGRESSORS.items():
            if np.allclose(loss.mean(SCORES), link(SCORES), rtol=1e-12, atol=0):
                return cls
    raise ValueError(f"loss={loss!r} makes predictions of scores as no linear model of scikit-learn does.")


def _classes_of(estimator, t):
    """The labels of a task, a single one twice; None for numbers."""
    known = getattr(estimator, "_classes", None)
    own = known[t] if isinstance(known, list) else known
    if own is None:
        return None
    return own if len(own) > 2 else own[[0, -1]]


def _fitted_to_nothing(estimator, loss, d, names):
    """A plain model with all that a fit sets, and nothing learned."""
    y = np.array([0, 1]) if loss.classification else np.ones(2)
    model = _plain(loss)(fit_intercept=estimator.fit_intercept).fit(np.zeros((2, d)), y)
    for name in ("rank_", "singular_", "n_iter_"):
        vars(model).pop(name, None)
    if names is not None:
        model.feature_names_in_ = names
    return model


def _told(template, w, b, classes):
    """A copy with these coefficients."""
    model = copy.copy(template)
    several = classes is None or w.ndim == 2
    model.coef_, model.intercept_ = (w.copy(), b.copy()) if several else (w[None].copy(), np.array([b]))
    if classes is not None:
        model.classes_ = classes
    return model


# ------------------------------------------------------------------------------------------- as JSON


def to_dict(estimator):
    """A fitted estimator in the words of JSON: dicts, lists, strings, numbers, booleans and None.

    Parameters
    ----------
    estimator : fitted estimator of convexmtl

    Returns
    -------
    dict
        For ``json.dump``. ``"class"``, ``"version"`` and ``"format"`` say what it is; ``"loss"`` and ``"penalty"``,
        with the strengths that a search has found, what was fitted; ``"features"`` has the names of the columns of
        ``coef_``, where there are any. What ``from_dict`` reads are ``"parameters"`` and ``"fitted"``: an array is
        its numbers, row by row, with its shape and type.

    Raises
    ------
    TypeError
        For anything but an estimator of convexmtl; for one, or a parameter of it, of a class that is not this
        package's, or of a kind that JSON has no words for: the message says which.
    NotFittedError

    Examples
    --------
    >>> import json
    >>> import numpy as np
    >>> from convexmtl import BlockSparseRegressor, from_dict, to_dict
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 6))
    >>> Y = X[:, :2] @ rng.normal(size=(2, 4)) + 0.1 * rng.normal(size=(40, 4))
    >>> model = BlockSparseRegressor(alpha=0.1).fit(X, Y)
    >>> text = json.dumps(to_dict(model))
    >>> print(np.array_equal(from_dict(json.loads(text)).predict(X), model.predict(X)))
    True
    """
    _check(estimator, " (of a Pipeline its last step)")
    name = type(estimator).__name__
    if _json.classes().get(name) is not type(estimator):
        raise TypeError(f"estimator must be of a class of convexmtl itself, got {_json.of_a_kind(estimator)}.")
    names = _input.coef_names(estimator)
    return {
        "format": FORMAT,
        "version": __version__,
        "loss": _json.written(get_loss(estimator.loss), "loss"),
        "penalty": _json.written(estimator._fitted_penalty(of_columns=False), "penalty"),
        "features": None if names is None else list(names),
        **_json.described(estimator),
    }


def from_dict(d):
    """The estimator that ``to_dict`` has written: it predicts the same, bit by bit.

    No code is loaded: names stand for classes of this package (and splitters of scikit-learn), and others are refused.

    Parameters
    ----------
    d : dict

    Returns
    -------
    estimator

    Raises
    ------
    TypeError
        For anything but a dict.
    ValueError
        For a format, a class or a kind of entry that this version does not know, and for entries that are missing or do
        not go together.

    Warns
    -----
    InconsistentVersionWarning
        Where another version has written it.

    Examples
    --------
    >>> from convexmtl import from_dict
    >>> from_dict({"format": 7})
    Traceback (most recent call last):
    ...
    ValueError: d must have format 1, got 7: it was written by another version of convexmtl, which reads it.
    """
    if not isinstance(d, dict):
        raise TypeError(f"d must be a dict as from to_dict, got {type(d).__name__}: of a file, json.load makes one.")
    if d.get("format") != FORMAT:
        raise ValueError(
            f"d must have format {FORMAT}, got {d.get('format')!r}: it was written by another version of convexmtl, "
            "which reads it."
        )
    missing = {"version", "class", "parameters", "fitted"} - d.keys()
    if missing:
        raise ValueError(f"d has no entry {sorted(missing)[0]!r}: it is not what to_dict has written.")
    cls = _json.known(d["class"], MultiTaskEstimator)
    if d["version"] != __version__:
        warning = InconsistentVersionWarning(
            estimator_name=cls.__name__,
            current_sklearn_version=f"convexmtl {__version__}",
            original_sklearn_version=f"convexmtl {d['version']}",
        )
        warnings.warn(warning, stacklevel=2)
    return _json.made(d)
