"""What a user sees: layouts, labels, names and shapes, predictions, scores, pipelines and searches."""

import json
import pickle
import re

import cases
import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csc_array
from sklearn.base import clone, is_classifier
from sklearn.compose import make_column_transformer
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import convexmtl as cm
from convexmtl.penalties import ClusterCoupling, GraphLaplacian, Parts, RowNorm, TraceNorm

D, T = 6, 4
NAMES = [f"x{j}" for j in range(D)]


# A single task has no neighbours: without the lasso nothing would be penalised, and of the least-squares solutions for
# more features than samples any would do.
LASSO = {cls: {"alpha_sparse": 0.1} for cls in cases.ESTIMATORS if cls.__name__.startswith(("Graph", "Temporal"))}


@cases.few_checks
@cases.checks_of_scikit_learn([cls(**LASSO.get(cls, {})) for cls in cases.ESTIMATORS])
def test_sklearn_compatible_estimator(estimator, check):
    check(estimator)


every_estimator = pytest.mark.parametrize("cls", cases.ESTIMATORS, ids=lambda cls: cls.__name__)
every_regressor = pytest.mark.parametrize("cls", cases.REGRESSORS, ids=lambda cls: cls.__name__)
every_classifier = pytest.mark.parametrize("cls", cases.CLASSIFIERS, ids=lambda cls: cls.__name__)


def loss_of(cls):
    return cls().loss


def stacked(cls, seed=0):
    X, y, options = cases.user_input(loss_of(cls), "stacked", seed)
    return X, y, options["task"]


def shared(cls, form="shared", seed=0):
    X, Y, _ = cases.user_input(loss_of(cls), form, seed)
    return X, Y


# ------------------------------------------------------------------------------ names and shapes


@every_estimator
@pytest.mark.parametrize("form", cases.INPUT_FORMS)
def test_attributes(cls, form):
    X, y, options = cases.user_input(loss_of(cls), form)
    fit = cls().fit(X, y, **options)
    n_tasks = 1 if form == "single" else T
    assert fit.coef_.shape == (n_tasks, D) and fit.coef_.dtype == np.float64
    assert fit.intercept_.shape == (n_tasks,)
    assert fit.tasks_.shape == (n_tasks,)
    assert fit.n_features_in_ == D
    assert isinstance(fit.n_iter_, int) and fit.n_iter_ >= 1
    assert np.ndim(fit.objective_) == np.ndim(fit.dual_gap_) == 0
    assert not hasattr(fit, "feature_names_in_")
    expected = {"stacked": sorted(cases.TASK_NAMES), "single": [0]}.get(form, list(range(T)))
    assert_array_equal(fit.tasks_, expected)


def test_attributes_of_the_families():
    X, Y = shared(cm.DirtyRegressor)
    dirty = cm.DirtyRegressor().fit(X, Y)
    assert dirty.block_.shape == dirty.sparse_.shape == dirty.coef_.shape
    assert_allclose(dirty.block_ + dirty.sparse_, dirty.coef_, atol=1e-15)
    trace = cm.TraceNormRegressor(0.5).fit(X, Y)
    assert trace.rank_ == np.linalg.matrix_rank(trace.coef_, tol=1e-6)
    mean = cm.MeanRegularizedRegressor().fit(X, Y)
    assert_allclose(mean.mean_coef_, mean.coef_.mean(axis=0))
    for clusters in (None, [0, 1, 1, 0]):
        clustered = cm.ClusteredRegressor(clusters).fit(X, Y)
        assert clustered.labels_.shape == (T,) and clustered.task_covariance_.shape == (T, T)
    parts = cm.MultiTaskRegressor(Parts([("some", RowNorm(0.1)), ("low", TraceNorm(0.1))])).fit(X, Y)
    assert_allclose(parts.some_ + parts.low_, parts.coef_, atol=1e-15)
    related = cm.MultiTaskRegressor(cm.SquaredTraceNorm(0.1)).fit(X, Y)
    assert_allclose(np.trace(related.task_covariance_), 1)


def test_penalty_of_the_generic_estimator_has_a_default():
    X, Y = shared(cm.MultiTaskRegressor)
    assert_array_equal(cm.MultiTaskRegressor().fit(X, Y).coef_, cm.BlockSparseRegressor(0.1).fit(X, Y).coef_)


@every_estimator
def test_no_intercept(cls):
    X, Y = shared(cls)
    fit = cls(fit_intercept=False).fit(X, Y)
    assert_array_equal(fit.intercept_, np.zeros(T))


@every_estimator
def test_fit_is_the_same_every_time(cls):
    X, y, task = stacked(cls)
    assert_array_equal(cls().fit(X, y, task=task).coef_, cls().fit(X, y, task=task).coef_)


@every_estimator
def test_fit_leaves_its_input_alone(cls):
    X, y, options = cases.user_input(loss_of(cls), "missing")
    kept = X.copy(), y.copy(), options["sample_weight"].copy()
    penalty = RowNorm(0.1)
    estimator = cls().set_params(penalty=penalty) if "penalty" in cls().get_params() else cls()
    estimator.fit(X, y, **options)
    assert_array_equal(X, kept[0])
    assert_array_equal(y, kept[1])
    assert_array_equal(options["sample_weight"], kept[2])
    assert penalty.get_params() == RowNorm(0.1).get_params()


# ----------------------------------------------------------------------------------- task labels


@pytest.mark.covering(1)
@every_estimator
def test_task_column_is_task(cls):
    """By name in a frame of pandas or polars, by position in any X: the same fit as with task=."""
    X, y, task = stacked(cls)
    expected = cls().fit(X, y, task=task)
    predicted = expected.predict(X, task=task)
    frame = pd.DataFrame(X, columns=NAMES)
    frame.insert(2, "region", task)
    polars = pl.DataFrame({name: frame[name].to_numpy().tolist() for name in frame})
    objects = np.insert(X.astype(object), 0, task, axis=1)
    inputs = [
        (frame, "region"),
        (frame, 2),
        (frame, -5),
        (polars, "region"),
        (polars, 2),
        (objects, 0),
        (objects, -7),
        (objects.tolist(), 0),
    ]
    for data, column in inputs:
        fit = cls(task_column=column).fit(data, y)
        assert_array_equal(fit.coef_, expected.coef_)
        assert_array_equal(fit.tasks_, expected.tasks_)
        # (Sums over features in another order in memory are rounded in another.)
        again = fit.predict(data)
        assert_array_equal(again, predicted) if is_classifier(fit) else assert_allclose(again, predicted, rtol=1e-12)
        assert_allclose(fit.score(data, y), expected.score(X, y, task=task), rtol=1e-12)
        assert fit.n_features_in_ == D + 1
        assert hasattr(fit, "feature_names_in_") == hasattr(data, "columns")


def test_columns_by_name_of_an_array():
    """What was fitted to a frame finds its columns in an array by their places, of which scikit-learn warns."""
    X, y, task = stacked(cm.TraceNormRegressor)
    frame = pd.DataFrame(X, columns=NAMES).assign(late=0.5 * (np.arange(len(y)) % 2))
    frame.insert(1, "region", np.unique(task, return_inverse=True)[1])
    fit = cm.TraceNormRegressor(task_column="region", offset_column="late").fit(frame, y)
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        again = fit.predict(frame.to_numpy())
    assert_allclose(again, fit.predict(frame), rtol=1e-12)
    with pytest.raises(ValueError, match="is a name, but X is an array without column names"):
        fit.fit(frame.to_numpy(), y)


def test_feature_names():
    X, Y = shared(cm.TraceNormRegressor)
    for frame in (pd.DataFrame(X, columns=NAMES), pl.DataFrame(X, schema=NAMES)):
        fit = cm.TraceNormRegressor().fit(frame, Y)
        assert_array_equal(fit.feature_names_in_, NAMES)
        assert_array_equal(fit.predict(frame), X @ fit.coef_.T + fit.intercept_)
    with pytest.raises(ValueError, match="feature names should match"):
        fit.predict(pd.DataFrame(X, columns=NAMES[::-1]))


def test_names_of_targets_are_the_tasks():
    X, Y = shared(cm.TraceNormRegressor)
    names = ["maths", "physics", "latin", "greek"]
    for frame in (pd.DataFrame(Y, columns=names), pl.DataFrame(Y, schema=names)):
        assert_array_equal(cm.TraceNormRegressor().fit(X, frame).tasks_, names)


LABELS = {
    "strings": (np.array(["b", "a", "d", "c"]), ["a", "b", "c", "d"]),
    "integers": (np.array([30, -1, 7, 5]), [-1, 5, 7, 30]),
    "floats": (np.array([0.5, 2.0, 1.0, 1.5]), [0.5, 1.0, 1.5, 2.0]),
    "booleans_and_two": (np.array([True, False, True, False]), [False, True]),
    "objects": (np.array(["b", "a", "d", "c"], dtype=object), ["a", "b", "c", "d"]),
}


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("wrap", [np.asarray, list, pd.Series, lambda a: pd.Series(a, dtype="category"), pl.Series])
def test_kinds_of_task_labels(kind, wrap):
    X, y, codes = cases.draw_stacked(cases.real_targets, np.random.default_rng(0), (12, 18, 25, 10), D)
    labels, expected = LABELS[kind]
    task = wrap(labels[codes].tolist() if wrap is pl.Series else labels[codes])
    fit = cm.BlockSparseRegressor().fit(X, y, task=task)
    assert_array_equal(fit.tasks_, expected)
    code = np.searchsorted(expected, labels[codes])
    by_code = cm.BlockSparseRegressor().fit(X, y, task=code)
    assert_array_equal(fit.coef_, by_code.coef_)
    assert_array_equal(fit.predict(X, task=task), by_code.predict(X, task=code))


def test_unused_categories_are_no_tasks():
    X, y, task = stacked(cm.BlockSparseRegressor)
    labels = pd.Series(pd.Categorical(task, categories=["nowhere", *sorted(cases.TASK_NAMES)]))
    assert_array_equal(cm.BlockSparseRegressor().fit(X, y, task=labels).tasks_, sorted(cases.TASK_NAMES))


def test_penalties_speak_of_task_labels():
    """Clusters and edges by label, whatever order the tasks come in."""
    X, y, task = stacked(cm.MultiTaskRegressor)
    order = np.sort(cases.TASK_NAMES)
    clusters = {"north": "cold", "south": "warm", "east": "cold", "west": "warm"}
    in_order = [clusters[name] for name in order]
    by_dict = cm.MultiTaskRegressor(ClusterCoupling(clusters)).fit(X, y, task=task)
    by_list = cm.MultiTaskRegressor(ClusterCoupling(in_order)).fit(X, y, task=task)
    assert_array_equal(by_dict.coef_, by_list.coef_)
    assert_array_equal(by_dict.labels_, in_order)
    edges = [("north", "south", 2.0), ("east", "south")]
    where = {name: t for t, name in enumerate(order)}
    by_position = [(where["north"], where["south"], 2.0), (where["east"], where["south"])]
    named = cm.MultiTaskRegressor(RowNorm(0.1) + GraphLaplacian(edges, 0.3)).fit(X, y, task=task)
    placed = cm.MultiTaskRegressor(RowNorm(0.1) + GraphLaplacian(by_position, 0.3)).fit(X, y, task=task)
    assert_array_equal(named.coef_, placed.coef_)


# ------------------------------------------------------------------------------------ predictions


@every_regressor
def test_predictions(cls):
    X, Y = shared(cls)
    fit = cls().fit(X, Y)
    expected = X @ fit.coef_.T + fit.intercept_
    assert_allclose(fit.predict(X), expected)
    # With task labels, after a fit to shared X too: one column each.
    codes = np.arange(len(X)) % T
    assert_allclose(fit.predict(X, task=codes), expected[np.arange(len(X)), codes])
    X, y, task = stacked(cls)
    fit = cls().fit(X, y, task=task)
    rows = np.searchsorted(fit.tasks_, task)
    assert_allclose(fit.predict(X, task=task), np.sum(X * fit.coef_[rows], axis=1) + fit.intercept_[rows])
    # Some tasks only, in any order.
    some = np.flatnonzero(task != "north")[::-1]
    assert_allclose(fit.predict(X[some], task=task[some]), fit.predict(X, task=task)[some])


@every_estimator
def test_a_single_task_has_flat_predictions(cls):
    X, y, _ = cases.user_input(loss_of(cls), "single")
    flat = cls().fit(X, y)
    assert flat.predict(X).shape == (len(X),)
    column = cls().fit(X, y[:, None])
    assert column.predict(X).shape == (len(X), 1)
    assert_array_equal(column.coef_, flat.coef_)
    named = cls().fit(X, y, task=["only"] * len(X))
    assert_array_equal(named.coef_, flat.coef_)
    assert_array_equal(named.predict(X), flat.predict(X))


def test_a_loss_object_is_searched_saved_and_reported():
    X, Y, _ = cases.user_input("tweedie", "shared")
    model = cm.MultiTaskRegressor(RowNorm(0.05), loss=cm.Tweedie(1.2))
    assert clone(model).loss.power == 1.2 and clone(model).loss is not model.loss
    search = GridSearchCV(model, {"loss__power": [1, 1.5]}, cv=2, scoring="neg_mean_absolute_error").fit(X, Y)
    assert search.best_estimator_.loss.power == search.best_params_["loss__power"]
    model.fit(X, Y)
    said = " ".join(str(cm.explain_fit(model)).split())
    assert "exp((2 - p) z) / (2 - p) + y exp((1 - p) z) / (p - 1)" in said and "power = 1.2" in said
    for again in (pickle.loads(pickle.dumps(model)), cm.from_dict(json.loads(json.dumps(cm.to_dict(model))))):
        assert again.loss.power == 1.2
        assert_allclose(again.predict(X), model.predict(X), rtol=1e-15)


def test_poisson_predicts_the_mean():
    X, Y, _ = cases.user_input("poisson", "shared")
    fit = cm.BlockSparseRegressor(loss="poisson", tol=1e-8).fit(X, Y)
    assert_allclose(fit.predict(X), np.exp(X @ fit.coef_.T + fit.intercept_))
    # With an intercept the mean prediction is the mean count.
    assert_allclose(fit.predict(X).mean(axis=0), Y.mean(axis=0), rtol=1e-6)


@every_estimator
def test_predict_before_fit(cls):
    with pytest.raises(NotFittedError):
        cls().predict(np.zeros((2, D)))


@every_classifier
def test_scores_labels_and_probabilities(cls):
    X, Y = shared(cls)
    fit = cls().fit(X, Y)
    assert_array_equal(np.unique(fit.classes_), ["no", "yes"])
    scores = fit.decision_function(X)
    assert_allclose(scores, X @ fit.coef_.T + fit.intercept_)
    assert_array_equal(fit.predict(X), np.where(scores > 0, "yes", "no"))
    assert_allclose(fit.predict_proba(X), 1 / (1 + np.exp(-scores)))
    X, y, task = stacked(cls)
    fit = cls().fit(X, y, task=task)
    scores = fit.decision_function(X, task=task)
    probability = fit.predict_proba(X, task=task)
    assert scores.shape == (len(X),) and probability.shape == (len(X), 2)
    assert_allclose(probability.sum(axis=1), 1)
    assert_allclose(probability[:, 1], 1 / (1 + np.exp(-scores)))
    assert_array_equal(fit.predict(X, task=task), fit.classes_[(scores > 0).astype(int)])


def test_probabilities_only_with_the_logistic_loss():
    X, Y = shared(cm.TraceNormClassifier)
    assert hasattr(cm.TraceNormClassifier(), "predict_proba")
    hinge = cm.TraceNormClassifier(loss="squared_hinge").fit(X, Y)
    assert not hasattr(hinge, "predict_proba")
    assert_array_equal(hinge.predict(X), np.where(hinge.decision_function(X) > 0, "yes", "no"))


PAIRS = {
    "strings": np.array(["no", "yes"]),
    "signs": np.array([-1, 1]),
    "bits": np.array([0, 1]),
    "floats": np.array([0.0, 1.0]),
    "numbers": np.array([3, 17]),
    "booleans": np.array([False, True]),
    "objects": np.array(["a", "b"], dtype=object),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_any_two_labels(pair):
    X, Y, _ = cases.user_input("logistic", "shared")
    codes = (Y == "yes").astype(int)
    expected = cm.BlockSparseClassifier().fit(X, Y)
    labels = PAIRS[pair][codes]
    fit = cm.BlockSparseClassifier().fit(X, labels)
    assert_array_equal(fit.coef_, expected.coef_)
    assert_array_equal(fit.classes_, np.arange(T) if pair == "bits" else np.tile(PAIRS[pair], (T, 1)))
    predicted = fit.predict(X)
    assert predicted.dtype.kind == labels.dtype.kind
    assert_array_equal(predicted == PAIRS[pair][1], expected.predict(X) == "yes")
    task = np.tile(np.arange(T), len(X))
    one_column = cm.BlockSparseClassifier().fit(np.repeat(X, T, axis=0), labels.ravel(), task=task)
    assert_array_equal(one_column.classes_, PAIRS[pair])
    assert_array_equal(one_column.predict(np.repeat(X, T, axis=0), task=task).reshape(predicted.shape), predicted)


@pytest.mark.parametrize("missing", [np.nan, None])
def test_missing_labels(missing):
    X, Y, _ = cases.user_input("logistic", "shared")
    hole = np.random.default_rng(0).random(Y.shape) < 0.2
    expected = cm.BlockSparseClassifier().fit(X, Y, sample_weight=1.0 - hole)
    holes = np.where(hole, missing, Y.astype(object))
    fit = cm.BlockSparseClassifier().fit(X, holes)
    assert_allclose(fit.coef_, expected.coef_, atol=1e-12)
    assert_array_equal(np.unique(fit.classes_), ["no", "yes"])
    right = [(fit.predict(X)[~hole[:, t], t] == Y[~hole[:, t], t]).mean() for t in range(T)]
    assert_allclose(fit.score(X, holes), np.mean(right))
    numbers = np.where(hole, np.nan, (Y == "yes").astype(float))
    assert_allclose(cm.BlockSparseClassifier().fit(X, numbers).coef_, fit.coef_, atol=1e-12)


def test_other_labels_in_other_tasks():
    X, Y, _ = cases.user_input("logistic", "shared")
    codes = (Y == "yes").astype(int)
    pairs = np.array([["cat", "dog"], ["no", "yes"], ["no", "yes"], ["bad", "good"]])
    labels = np.stack([pairs[t][codes[:, t]] for t in range(T)], axis=1)
    # Two solvers are compared: both have to be nearer to the solution than the comparison is sharp.
    fit = cm.BlockSparseClassifier(tol=1e-10).fit(X, labels)
    expected = cm.BlockSparseClassifier(tol=1e-10).fit(X, codes)
    assert_array_equal(fit.coef_, expected.coef_)
    assert fit.classes_.shape == (T, 2)
    assert_array_equal(np.stack(fit.classes_), pairs)
    predicted = fit.predict(X)
    assert_array_equal(predicted, np.stack([pairs[t][expected.predict(X)[:, t]] for t in range(T)], axis=1))
    assert_allclose(fit.score(X, labels), expected.score(X, codes))
    long, task = np.repeat(X, T, axis=0), np.tile(np.arange(T), len(X))
    stacked_fit = cm.BlockSparseClassifier(tol=1e-10).fit(long, labels.ravel(), task=task)
    assert_array_equal(np.stack(stacked_fit.classes_), pairs)
    assert_array_equal(stacked_fit.predict(long, task=task).reshape(predicted.shape), predicted)
    assert_allclose(stacked_fit.predict_proba(long, task=task)[:, 1], fit.predict_proba(X).ravel(), atol=1e-6)


# ----------------------------------------------------------------------------------------- scores


@every_regressor
def test_score_of_a_regressor(cls):
    X, Y = shared(cls, "missing")
    fit = cls().fit(X, Y)
    z, w = fit.predict(X), np.random.default_rng(0).uniform(0.5, 2, Y.shape)
    seen = ~np.isnan(Y)
    own = [r2_score(Y[seen[:, t], t], z[seen[:, t], t]) for t in range(T)]
    assert_allclose(fit.score(X, Y), np.mean(own))
    weighted = [r2_score(Y[seen[:, t], t], z[seen[:, t], t], sample_weight=w[seen[:, t], t]) for t in range(T)]
    assert_allclose(fit.score(X, Y, sample_weight=w), np.mean(weighted))
    rows = [r2_score(Y[seen[:, t], t], z[seen[:, t], t], sample_weight=w[seen[:, t], 0]) for t in range(T)]
    assert_allclose(fit.score(X, Y, sample_weight=w[:, 0]), np.mean(rows))
    X, y, task = stacked(cls)
    fit = cls().fit(X, y, task=task)
    assert_allclose(fit.score(X, y, task=task), r2_score(y, fit.predict(X, task=task)))
    assert_allclose(
        fit.score(X, y, sample_weight=w.ravel()[: len(y)], task=task),
        r2_score(y, fit.predict(X, task=task), sample_weight=w.ravel()[: len(y)]),
    )


@every_classifier
def test_score_of_a_classifier(cls):
    X, Y = shared(cls, "missing")
    fit = cls().fit(X, Y)
    seen = np.vectorize(lambda label: label is not None)(Y)
    own = [accuracy_score(Y[seen[:, t], t].astype(str), fit.predict(X)[seen[:, t], t]) for t in range(T)]
    assert_allclose(fit.score(X, Y), np.mean(own))
    X, y, task = stacked(cls)
    fit = cls().fit(X, y, task=task)
    assert_allclose(fit.score(X, y, task=task), accuracy_score(y, fit.predict(X, task=task)))


# ----------------------------------------------------------------------- weights, odd tasks, ends


@every_estimator
def test_weights_of_tasks(cls):
    X, y, task = stacked(cls)
    sizes = np.unique(task, return_counts=True)[1]
    by_size = cls(task_weight="size").fit(X, y, task=task)
    assert_allclose(by_size.coef_, cls(task_weight=sizes / sizes.mean()).fit(X, y, task=task).coef_, atol=1e-12)
    assert_array_equal(cls(task_weight=np.ones(T)).fit(X, y, task=task).coef_, cls().fit(X, y, task=task).coef_)
    heavy = cls(task_weight=[1, 1, 100, 1]).fit(X, y, task=task)
    assert not np.allclose(heavy.coef_, by_size.coef_, atol=1e-3)
    assert_array_equal(clone(heavy).task_weight, [1, 1, 100, 1])


@pytest.mark.covering(1)
@every_classifier
@pytest.mark.parametrize("loss", ["logistic", "squared_hinge"])
@pytest.mark.parametrize("form", ["shared", "stacked"])
def test_a_task_with_a_single_class(cls, loss, form):
    X, y, options = cases.user_input(loss, form)
    options.pop("sample_weight", None)
    if form == "stacked":
        y[options["task"] == "south"] = "yes"
        t, name, n = 2, "south", np.sum(options["task"] == "south")
    else:
        y[:, 2] = "yes"
        t, name, n = 2, 2, len(y)
    with pytest.warns(UserWarning, match=rf"1 task\(s\) have a single class .* \[{name!r}\]"):
        fit = cls(loss=loss).fit(X, y, **options)
    assert np.isfinite(fit.coef_).all() and np.isfinite(fit.intercept_).all()
    assert fit.dual_gap_ <= 1e-4 * 4
    if loss == "logistic":
        # The log-odds after adding half a sample of either class.
        assert_allclose(fit.intercept_[t], np.log((n + 0.5) / 0.5))
    if cls in (cm.GraphGuidedClassifier, cm.TemporalClassifier):
        # The tasks that it is joined to lend it their coefficients: it is between them.
        others = np.delete(fit.coef_, t, axis=0)
        assert np.all((others.min(axis=0) <= fit.coef_[t]) & (fit.coef_[t] <= others.max(axis=0)))
    elif form == "stacked":
        assert_array_equal(fit.predict(X[:3], task=["south"] * 3), ["yes"] * 3)
    else:
        assert_array_equal(fit.predict(X)[:, 2], "yes")


def test_a_single_class_and_nothing_else():
    X, y, _ = cases.user_input("logistic", "single")
    with pytest.raises(ValueError, match="y has only 1 class; a classifier needs samples of 2 classes"):
        cm.BlockSparseClassifier().fit(X, np.full_like(y, "yes"))


@every_regressor
def test_poisson_task_of_zeros(cls):
    X, Y, _ = cases.user_input("poisson", "shared")
    Y[:, 1] = 0
    with pytest.warns(UserWarning, match=r"1 task\(s\) have no target above zero .* \[1\]"):
        fit = cls(loss="poisson").fit(X, Y)
    assert np.isfinite(fit.coef_).all()
    assert_allclose(fit.intercept_[1], np.log(0.5 / len(Y)))
    assert fit.predict(X)[:, 1].max() < 0.5


@every_regressor
def test_constant_targets(cls):
    X, Y = shared(cls)
    fit = cls().fit(X, np.full_like(Y, 3.5))
    assert_allclose(fit.coef_, 0, atol=1e-7)
    assert_allclose(fit.intercept_, 3.5, atol=1e-6)


@every_estimator
def test_convergence_warning_names_the_gap(cls):
    X, y, task = stacked(cls)
    # The squared loss with a quadratic penalty is one step, and done.
    estimator = cls(max_iter=1, tol=1e-13, loss="huber" if cls in cases.REGRESSORS else "logistic")
    with pytest.warns(ConvergenceWarning) as caught:
        estimator.fit(X, y, task=task)
    (message,) = [str(w.message) for w in caught]
    found = re.search(
        r"^Objective did not converge. .* or increase tol. (\w+): .* Duality gap (\S+) after 1 iterations, "
        r"wanted (\S+) \(tol=1e-13\)",
        message,
    )
    assert found[1] == cls.__name__
    assert_allclose(float(found[2]), estimator.dual_gap_, rtol=1e-2)
    assert float(found[3]) < float(found[2])
    # An iterate is there all the same, and what it claims is true.
    certificate = cm.certify(estimator, X, y, task=task)
    assert_allclose(estimator.dual_gap_, certificate.gap, rtol=1e-6)


@every_estimator
def test_warm_start(cls):
    X, y, task = stacked(cls)
    estimator = cls(warm_start=True, tol=1e-6).fit(X, y, task=task)
    coef, objective = estimator.coef_, estimator.objective_
    again = estimator.fit(X, y, task=task)
    assert_allclose(again.coef_, coef, rtol=1e-12, atol=1e-15)
    assert again.n_iter_ == 1
    # Other tasks or features: it starts afresh.
    other = estimator.fit(X[:, :3], y, task=task)
    assert other.coef_.shape == (T, 3)
    renamed = estimator.fit(X, y, task=np.char.add(task, "!"))
    assert_allclose(renamed.objective_, objective, rtol=1e-5)


@every_estimator
def test_verbose_prints_the_gap(cls, capsys):
    X, y, task = stacked(cls)
    cls().fit(X, y, task=task)
    assert capsys.readouterr().out == ""
    fit = cls(verbose=1).fit(X, y, task=task)
    lines = capsys.readouterr().out.split(f"\n{cm.explain_fit(fit)}\n")[0].splitlines()
    pattern = rf"\[{cls.__name__}\] iteration (\d+): objective (\S+), duality gap (\S+)"
    numbers = [re.fullmatch(pattern, line).groups() for line in lines]
    assert int(numbers[0][0]) <= 1  # (a direct solution is the first that there is)
    assert_allclose(float(numbers[-1][1]), fit.objective_, rtol=1e-7)
    assert_allclose(float(numbers[-1][2]), fit.dual_gap_, rtol=1e-2)


# ---------------------------------------------------------------------- the rest of scikit-learn


@every_estimator
def test_parameters(cls):
    estimator = cls()
    params = estimator.get_params()
    common = {"loss", "fit_intercept", "task_weight", "task_column", "max_iter", "tol", "warm_start", "verbose"}
    assert common < set(params)
    assert params["tol"] == 1e-4 and params["fit_intercept"] is True and params["task_weight"] == "equal"
    changed = clone(estimator.set_params(tol=1e-3, task_column="school"))
    assert changed.get_params() == estimator.get_params()
    assert "{common}" not in cls.__doc__ and "{fitted}" not in cls.__doc__
    documented = set(re.findall(r"^    (\w+(?:, \w+)*) :", cls.__doc__, re.M))
    documented = {name for names in documented for name in names.split(", ")}
    assert set(params) <= documented
    X, Y = shared(cls)
    fitted = {name for name in vars(cls().fit(X, Y)) if name.endswith("_") and not name.startswith("_")}
    assert fitted <= documented


def test_parameters_of_penalties():
    penalty = RowNorm(0.3) + GraphLaplacian([(0, 1)], 0.5)
    estimator = cm.MultiTaskRegressor(penalty)
    assert estimator.get_params()["penalty__first__alpha"] == 0.3
    estimator.set_params(penalty__first__alpha=0.7, penalty__second__alpha=0.1)
    assert penalty.first.alpha == 0.7 and penalty.second.alpha == 0.1
    copy = clone(estimator)
    assert copy.penalty is not penalty and copy.get_params()["penalty__first__alpha"] == 0.7
    parts = cm.MultiTaskRegressor(Parts([("sparse", RowNorm(0.3)), ("low_rank", TraceNorm(0.2))]))
    parts.set_params(penalty__sparse__alpha=0.9)
    assert parts.get_params()["penalty__sparse__alpha"] == 0.9
    assert clone(parts).penalty.parts[0][1].alpha == 0.9


@pytest.mark.parametrize("case", cases.PENALTIES)
def test_penalties_are_cloned_and_shown(case):
    penalty = cases.PENALTIES[case].build(D, T)
    copy = clone(penalty)
    assert type(copy) is type(penalty) and repr(copy) == repr(penalty)
    doubled = penalty.scaled(2.0)
    strengths = penalty.strength_values()
    assert doubled.strength_values() == {name: 2 * value for name, value in strengths.items()}
    assert penalty.strength_values() == strengths
    assert repr(pickle.loads(pickle.dumps(penalty))) == repr(penalty)


def school_frame(seed=0):
    X, y, codes = cases.draw_stacked(cases.real_targets, np.random.default_rng(seed), (30, 40, 25, 35), D)
    frame = pd.DataFrame(X, columns=NAMES)
    frame["school"] = cases.TASK_NAMES[codes]
    return frame, y


def test_search_with_a_task_column_inside_a_pipeline():
    frame, y = school_frame()
    scale = make_column_transformer((StandardScaler(), NAMES), remainder="passthrough", verbose_feature_names_out=False)
    scale.set_output(transform="pandas")
    pipeline = make_pipeline(scale, cm.MultiTaskRegressor(RowNorm(0.1), task_column="school"))
    grid = {"multitaskregressor__penalty__alpha": [0.01, 0.1, 10.0], "multitaskregressor__penalty__q": [2, np.inf]}
    search = GridSearchCV(pipeline, grid, cv=KFold(3, shuffle=True, random_state=0)).fit(frame, y)
    assert search.best_params_["multitaskregressor__penalty__alpha"] < 10
    assert search.predict(frame).shape == y.shape
    best = search.best_estimator_[-1]
    assert_array_equal(best.tasks_, sorted(cases.TASK_NAMES))
    assert search.score(frame, y) > 0.5


@every_estimator
def test_cross_validation_with_a_task_column(cls):
    frame, y = school_frame()
    y = y if cls in cases.REGRESSORS else np.where(y > np.median(y), "high", "low")
    cv = KFold(3, shuffle=True, random_state=0)
    scores = cross_validate(cls(task_column="school"), frame, y, cv=cv)["test_score"]
    assert scores.shape == (3,) and np.all(scores > 0.2)
    predicted = cross_val_predict(cls(task_column="school"), frame, y, cv=cv)
    assert predicted.shape == y.shape
    train, test = next(cv.split(frame))
    own = cls(task_column="school").fit(frame.iloc[train], y[train])
    assert_array_equal(predicted[test], own.predict(frame.iloc[test]))
    assert scores[0] == own.score(frame.iloc[test], y[test])


def test_search_over_shared_data():
    X, Y = shared(cm.DirtyRegressor)
    search = GridSearchCV(cm.DirtyRegressor(), {"alpha_block": [0.12, 0.2], "alpha_sparse": [0.1]}, cv=3).fit(X, Y)
    assert search.predict(X).shape == Y.shape
    search = GridSearchCV(cm.MultiTaskRegressor(RowNorm()), {"penalty": [RowNorm(0.1), TraceNorm(0.1)]}, cv=3).fit(X, Y)
    assert isinstance(search.best_params_["penalty"], RowNorm | TraceNorm)


@every_estimator
def test_pickling(cls):
    X, y, task = stacked(cls)
    fit = cls().fit(X, y, task=task)
    copy = pickle.loads(pickle.dumps(fit))
    assert_array_equal(copy.predict(X, task=task), fit.predict(X, task=task))
    assert copy.get_params().keys() == fit.get_params().keys()
    assert_array_equal(copy.fit(X, y, task=task).coef_, fit.coef_)


@every_estimator
@pytest.mark.parametrize("dtype", [np.float32, np.float64, int])
def test_types_of_features(cls, dtype):
    X, y, task = stacked(cls)
    X = (10 * X).astype(dtype)
    fit = cls().fit(X, y, task=task)
    assert fit.coef_.dtype == fit.intercept_.dtype == np.float64
    for same in (np.asfortranarray(X), X.tolist(), X[::-1][::-1]):
        assert_allclose(cls().fit(same, y, task=task).coef_, fit.coef_, rtol=1e-9, atol=1e-12)


def test_lists_and_frames_of_targets():
    X, Y = shared(cm.BlockSparseRegressor)
    expected = cm.BlockSparseRegressor().fit(X, Y)
    for same in (Y.tolist(), pd.DataFrame(Y), Y.astype(np.float32).astype(float), np.asfortranarray(Y)):
        assert_allclose(cm.BlockSparseRegressor().fit(X, same).coef_, expected.coef_, rtol=1e-4, atol=1e-6)
    X, y, task = stacked(cm.BlockSparseRegressor)
    expected = cm.BlockSparseRegressor().fit(X, y, task=task)
    for same in (y.tolist(), pd.Series(y), pl.Series(y), y[:, None]):
        assert_array_equal(cm.BlockSparseRegressor().fit(X, same, task=task).coef_, expected.coef_)


# ------------------------------------------------------------------- features that say nothing


@every_estimator
@pytest.mark.parametrize("layout", ["stacked", "shared"])
def test_features_that_are_constant_within_every_task(cls, layout):
    """Zero exactly, and the rest as without them: intercepts do all that they can do."""
    X, y, *rest = (stacked if layout == "stacked" else shared)(cls)
    options = {"task": rest[0]} if layout == "stacked" else {}
    codes = np.unique(rest[0], return_inverse=True)[1] if layout == "stacked" else np.zeros(len(X), dtype=int)
    size = np.array([30.1, 4.7, 1.3, 20.9])[codes]
    few = {"alphas": 2, "cv": 2} if cls.__name__.endswith("CV") else {}
    fit = cls(**few).fit(np.insert(X, 1, size, axis=1), y, **options)
    expected = cls(**few).fit(X, y, **options)
    assert_array_equal(fit.coef_[:, 1], 0)
    assert fit.dual_gap_ >= 0
    slack = fit.dual_gap_ + expected.dual_gap_ + 1e-12 * abs(expected.objective_)
    if not few:
        assert abs(fit.objective_ - expected.objective_) <= slack
        again = cm.certify(fit, np.insert(X, 1, size, axis=1), y, **options)
        assert_allclose([again.primal, again.gap], [fit.objective_, fit.dual_gap_], rtol=1e-6, atol=1e-12)


def test_only_what_is_constant_in_every_task_is_zero():
    """In one task of two the other lends its coefficient; without an intercept a constant is a feature."""
    rng = np.random.default_rng(0)
    X, task = rng.standard_normal((40, 3)), np.repeat([0, 1], 20)
    y = X @ [1.0, 2.0, 3.0]
    X[task == 0, 1] = 5.0
    fit = cm.MeanRegularizedRegressor(0.01, 1.0).fit(X, y, task=task)
    # There the penalty alone decides: mean (w_0 + w_1)^2 + variance (w_0 - w_1)^2, over w_0.
    mean, variance = 0.01, 1.0
    assert_allclose(fit.coef_[0, 1], fit.coef_[1, 1] * (variance - mean) / (variance + mean), rtol=1e-6)
    X[:, 1] = 5.0
    assert np.all(cm.MeanRegularizedRegressor(fit_intercept=False).fit(X, y, task=task).coef_[:, 1] != 0)
    weight = np.ones(40)
    X[3, 1], weight[3] = 6.0, 0.0  # a row that is not there
    assert_array_equal(cm.MeanRegularizedRegressor().fit(X, y, task=task, sample_weight=weight).coef_[:, 1], 0)
    assert np.all(cm.MeanRegularizedRegressor().fit(X, y, task=task).coef_[:, 1] != 0)
    sparse = csc_array(np.where(X == 5, 0, X))
    assert_array_equal(cm.MeanRegularizedRegressor().fit(sparse, y, task=task, sample_weight=weight).coef_[:, 1], 0)


def test_verbose_says_which_features_say_nothing(capsys):
    rng = np.random.default_rng(0)
    task = np.repeat([0, 1], 10)
    frame = pd.DataFrame({"school": task, "score": rng.standard_normal(20), "size": np.array([3.0, 8.0])[task]})
    cm.TraceNormRegressor(task_column="school", verbose=1).fit(frame, frame["score"])
    said = capsys.readouterr().out
    assert "1 feature constant within every task" in said and said.rstrip().endswith(": size.")


# ------------------------------------------------------------------- the order of time


def test_labels_whose_numbers_are_in_another_order():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((24, 2)), rng.standard_normal(24)
    labels = np.array([f"t{i % 12}" for i in range(24)])
    for cls in (cm.TemporalRegressor, cm.TemporalRegressorCV):
        with pytest.warns(UserWarning, match="'t10' comes before 't2': hand over their order="):
            cls(**({"alphas": 2, "cv": 2} if cls is cm.TemporalRegressorCV else {})).fit(X, y, task=labels)
    order = [f"t{i}" for i in range(12)]
    told = cm.TemporalRegressor(order=order).fit(X, y, task=labels)  # warnings are errors
    numbers = cm.TemporalRegressor().fit(X, y, task=np.arange(24) % 12)
    place = [told.tasks_.tolist().index(label) for label in order]
    assert_allclose(told.coef_[place], numbers.coef_, atol=1e-3)
    cm.TemporalRegressor().fit(X, y, task=[f"t{i % 12:02}" for i in range(24)])


def test_the_gap_is_not_below_zero():
    """Rounding had left -1e-16 on some of these."""
    rng = np.random.default_rng(0)
    for k in range(40):
        X, Y = rng.standard_normal((8, 3)), rng.standard_normal((8, 2))
        top = cm.alpha_max(cm.BlockSparseRegressor(), X, Y)
        fits = [cm.BlockSparseRegressor(top * (1 + k / 10), fit_intercept=bool(k % 2)).fit(X, Y)]
        fits.append(cm.TraceNormRegressor(top / (k + 1), tol=1e-14).fit(X, X @ rng.standard_normal((3, 2))))
        assert min(fit.dual_gap_ for fit in fits) >= 0
        assert cm.regularization_path(cm.BlockSparseRegressor(), X, Y, alphas=5).dual_gaps.min() >= 0


def test_what_the_package_says_of_itself():
    assert "inspection" in cm.__all__ and "squared loss" not in cm.BlockSparseClassifier.__doc__


def test_fewer_clusters_where_tasks_have_the_same_model():
    """Warnings are errors here: that of k-means, of fewer distinct points than clusters, is not for users."""
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((30, 3)), rng.standard_normal((3, 2))
    fitted = cm.ClusteredRegressor(n_clusters=4, alpha_mean=0.1, alpha_between=0.1, alpha_within=0.1)
    labels = fitted.fit(x, x @ w[:, [0, 0, 1, 1, 0]]).labels_
    assert_array_equal(labels, [0, 0, 1, 1, 0])
