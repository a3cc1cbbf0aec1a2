"""Fits as plain models of scikit-learn, as ONNX, and as plain JSON."""

import datetime
import json
import pickle
import warnings

import cases
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import is_classifier
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import InconsistentVersionWarning, NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor
from sklearn.model_selection import KFold
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

import convexmtl as cm
from convexmtl import from_dict, to_dict, to_sklearn
from convexmtl.losses import Squared
from convexmtl.penalties import Penalty

PLAIN = {
    "squared": LinearRegression,
    "huber": LinearRegression,
    "poisson": PoissonRegressor,
    "gamma": PoissonRegressor,
    "tweedie": PoissonRegressor,
    "logistic": LogisticRegression,
    "squared_hinge": LinearSVC,
    "quantile": LinearRegression,
    "absolute": LinearRegression,
    "epsilon_insensitive": LinearRegression,
    "hinge": LinearSVC,
    "sqrt": LinearRegression,
    "softmax": LogisticRegression,
}
AROUND = {PoissonRegressor: MultiOutputRegressor, LogisticRegression: MultiOutputClassifier, LinearSVC: None}


def fitted(loss, form, **options):
    """(estimator, X, options of predict) for one of the forms of input."""
    X, y, given = cases.user_input(loss, form)
    lossy = cases.LOSSES[loss].loss
    cls = cm.MeanRegularizedClassifier if lossy.classification else cm.MeanRegularizedRegressor
    model = cls(loss=lossy, **options).fit(X, y, **given)
    return model, X, {"task": given["task"]} if "task" in given else {}


def by_task(models, method, X, task):
    """What one model per task says of rows of several."""
    out = [getattr(models[t], method)(X[[i]])[0] for i, t in enumerate(task)]
    return np.array(out)


# -------------------------------------------------------------------------------- scikit-learn's own


@pytest.mark.parametrize("form", ["shared", "stacked", "single"])
@pytest.mark.parametrize("loss", cases.LOSSES)
def test_plain_models_predict_the_same(loss, form):
    model, X, given = fitted(loss, form)
    plain = to_sklearn(model)
    if form == "stacked":
        assert list(plain) == sorted(set(given["task"]))
        assert all(type(one) is PLAIN[loss] and one.n_features_in_ == X.shape[1] for one in plain.values())
        say = lambda method: by_task(plain, method, X, given["task"])  # noqa: E731
    else:
        inner = PLAIN[loss]
        several = form == "shared" and inner is not LinearRegression
        assert type(plain) is ((AROUND[inner] or MultiOutputClassifier) if several else inner)
        say = lambda method: getattr(plain, method)(X)  # noqa: E731
    assert b"convexmtl" not in pickle.dumps(plain)
    if not is_classifier(model):
        assert_allclose(say("predict"), model.predict(X, **given), rtol=1e-13, atol=1e-13)
        return
    assert_array_equal(say("predict"), model.predict(X, **given))
    if loss in ("logistic", "softmax"):
        p = say("predict_proba")
        p = np.stack([one[:, 1] for one in p], axis=1) if form == "shared" else p
        assert_allclose(p, model.predict_proba(X, **given), atol=1e-14)


def test_without_intercept_and_with_names():
    X, Y = cases.draw_shared(cases.LOSSES["squared"].targets, np.random.default_rng(0), 20, 6, 4)
    frame = pd.DataFrame(X, columns=[*"abcdef"])
    model = cm.BlockSparseRegressor(0.1, fit_intercept=False).fit(frame, Y)
    plain = to_sklearn(model)
    assert plain.feature_names_in_.tolist() == [*"abcdef"] and plain.coef_.shape == (4, 6)
    assert_allclose(plain.predict(frame), model.predict(frame))
    assert plain.coef_ is not model.coef_ and not plain.fit_intercept


def test_labels_of_every_task():
    X, y, codes = cases.draw_stacked(cases.LOSSES["logistic"].targets, np.random.default_rng(0), (12, 18, 25), 6)
    words = np.where(codes == 0, np.where(y > 0, "a", "b"), np.where(y > 0, "c", "d"))
    words[codes == 2] = "e"
    with pytest.warns(UserWarning, match="have a single class"):
        model = cm.MeanRegularizedClassifier().fit(X, words, task=codes)
    plain = to_sklearn(model)
    assert_array_equal(by_task(plain, "predict", X, codes), model.predict(X, task=codes))
    assert_allclose(by_task(plain, "predict_proba", X, codes), model.predict_proba(X, task=codes), atol=1e-14)


def with_column(X, task):
    return pd.DataFrame(X, columns=[*"abcdef"]).assign(region=task)


def test_task_column():
    """The models take the features; behind other steps, whatever those take."""
    X, y, codes = cases.draw_stacked(cases.LOSSES["squared"].targets, np.random.default_rng(0), (12, 18, 25, 10), 6)
    frame = with_column(X, cases.TASK_NAMES[codes])
    model = cm.BlockSparseRegressor(0.1, task_column="region").fit(frame, y)
    plain = to_sklearn(model)
    east = frame[frame["region"] == "east"]
    assert_allclose(plain["east"].predict(east[[*"abcdef"]]), model.predict(east))
    scale = ColumnTransformer([("scale", StandardScaler(), [*"abcdef"])], remainder="passthrough")
    for output, column in (("default", 6), ("pandas", "remainder__region")):
        line = Pipeline([("scale", scale), ("fit", cm.BlockSparseRegressor(0.1, task_column=column))])
        line.set_output(transform=output).fit(frame, y)
        plain = to_sklearn(line)
        assert type(plain["east"]) is Pipeline and plain["east"][0] is line[0]
        assert_allclose(plain["east"].predict(east), line.predict(east), atol=1e-13)
        assert [name for name, _ in plain["east"].steps] == ["scale", "without_task", "fit"]


def test_pipelines():
    X, Y = cases.draw_shared(cases.LOSSES["squared"].targets, np.random.default_rng(0), 20, 6, 4)
    line = make_pipeline(StandardScaler(), cm.BlockSparseRegressor(0.1)).fit(X, Y)
    plain = to_sklearn(line)
    assert type(plain[-1]) is LinearRegression and plain[0] is line[0]
    assert_allclose(plain.predict(X), line.predict(X))
    alone = to_sklearn(make_pipeline(cm.BlockSparseRegressor(0.1)).fit(X, Y))
    assert type(alone) is Pipeline and len(alone) == 1


def test_dates_are_keys():
    X, y, codes = cases.draw_stacked(cases.LOSSES["squared"].targets, np.random.default_rng(0), (12, 18), 6)
    days = np.array(["2020-01-01", "2020-01-02"], dtype="datetime64[D]")
    plain = to_sklearn(cm.BlockSparseRegressor(0.1).fit(X, y, task=days[codes]))
    assert list(plain) == list(days)


class Rooted(Squared):
    """Predicts the square of its score."""

    def mean(self, z):
        return z**2


def test_what_cannot_be_plain():
    X, Y = cases.draw_shared(cases.LOSSES["squared"].targets, np.random.default_rng(0), 20, 6, 4)
    with pytest.raises(TypeError, match=r"estimator must be a fitted estimator of convexmtl, .*, got StandardScaler\."):
        to_sklearn(StandardScaler())
    with pytest.raises(TypeError, match="got StandardScaler"):
        to_sklearn(make_pipeline(StandardScaler()))
    with pytest.raises(NotFittedError):
        to_sklearn(cm.BlockSparseRegressor())
    with pytest.raises(ValueError, match=r"loss=Rooted\(\) makes predictions of scores as no linear model"):
        to_sklearn(cm.BlockSparseRegressor(0.1, loss=Rooted()).fit(X, Y))


# ------------------------------------------------------------------------------------------------ ONNX


def run_onnx(model, X):
    """What a model says of X after its conversion."""
    skl2onnx, onnxruntime = pytest.importorskip("skl2onnx"), pytest.importorskip("onnxruntime")
    last = model[-1] if isinstance(model, Pipeline) else model
    options = {id(last): {"zipmap": False}} if is_classifier(last) else None
    converted = skl2onnx.to_onnx(model, X[:1], options=options)
    session = onnxruntime.InferenceSession(converted.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: X})


@pytest.mark.parametrize("scaled", [False, True], ids=["alone", "scaled"])
@pytest.mark.parametrize("form", ["shared", "stacked"])
@pytest.mark.parametrize("loss", ["squared", "poisson", "logistic"])
def test_onnx(loss, form, scaled):
    X, y, given = cases.user_input(loss, form)
    if loss == "logistic":
        y = (y == "yes").astype(int)
    given.pop("sample_weight", None)
    model = cm.BlockSparseClassifier(0.02) if loss == "logistic" else cm.BlockSparseRegressor(0.1, loss=loss)
    model = make_pipeline(StandardScaler(), model) if scaled else model
    prefix = f"{model.steps[-1][0]}__" if scaled else ""
    model.fit(X, y, **{f"{prefix}{name}": value for name, value in given.items()})
    plain, task = to_sklearn(model), given.get("task")
    for label, one in plain.items() if task is not None else [(None, plain)]:
        rows = X if task is None else X[task == label]
        z = model.predict(rows, **({} if label is None else {"task": np.repeat(label, len(rows))}))
        said, *p = run_onnx(one, rows)
        if loss == "logistic":
            assert_array_equal(said, z)
            theirs = one.predict_proba(rows)
            assert_allclose(np.reshape(p[0], np.shape(theirs)), theirs, atol=1e-6)
        else:
            assert_allclose(np.reshape(said, z.shape), z, rtol=1e-6, atol=1e-6)


# ------------------------------------------------------------------------------------------------ JSON


def again(model):
    """The model after it has been text."""
    return from_dict(json.loads(json.dumps(to_dict(model), allow_nan=False)))


def assert_same(one, other):
    """All that two estimators hold and say."""
    assert type(one) is type(other) and repr(one.get_params()) == repr(other.get_params())
    before, after = one._fitted_state(), other._fitted_state()
    assert before.keys() == after.keys()
    for name, value in before.items():
        if name in ("_later", "_summary", "statistics_") or isinstance(value, Penalty):
            continue
        np.testing.assert_equal(after[name], value)
        if isinstance(value, np.ndarray):
            assert after[name].dtype == value.dtype, name
    assert before["_later"].keys() == after["_later"].keys()
    for name in before["_later"]:
        assert_array_equal(getattr(other, name), getattr(one, name))
    assert str(cm.explain_fit(other)) == str(cm.explain_fit(one))


TWINS = [getattr(cm, f"{cls.__name__}CV") for cls in cases.ESTIMATORS]
TWINS += [cm.SingleTaskRegressorCV, cm.SingleTaskClassifierCV, cm.PooledRegressorCV, cm.PooledClassifierCV]


@pytest.mark.covering(1)
@pytest.mark.parametrize("form", cases.INPUT_FORMS)
@pytest.mark.parametrize("cls", cases.ESTIMATORS + TWINS, ids=lambda cls: cls.__name__)
def test_every_family_as_json(cls, form):
    X, y, given = cases.user_input("logistic" if is_classifier(cls()) else "squared", form)
    options = {"alphas": 2, "cv": 2, "eps": 0.2} if cls.__name__.endswith("CV") else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model = cls(**options).fit(X, y, **given)
    loaded = again(model)
    assert_same(model, loaded)
    task = {"task": given["task"]} if "task" in given else {}
    assert_array_equal(loaded.predict(X, **task), model.predict(X, **task))
    if is_classifier(model):
        assert_array_equal(loaded.predict_proba(X, **task), model.predict_proba(X, **task))


def stacked(**changed):
    X, y, codes = cases.draw_stacked(cases.LOSSES["squared"].targets, np.random.default_rng(0), (12, 18, 25, 10), 6)
    return X, y, codes


STRUCTURES = [
    cm.ClusterCoupling({0: "a", 1: "b", 2: "a", 3: "b"}),
    cm.GraphLaplacian([(0, 1), (2, 3, 0.5, -1)], np.float64(0.3)),
    cm.GraphGuided(csr_array(np.ones((4, 4)) - np.eye(4)), 0.1),
    cm.TreeGuided([([0, 1], 1.0), (range(4), 0.5)]),
    cm.Temporal(order=np.array([2, 1, 0, 3])),
    cm.TaskCoupling(np.eye(4)),
    cm.RowNorm(0.1, np.inf, feature_weights=np.geomspace(1, 2, 6)),
    cm.Parts([("rows", cm.RowNorm(0.1)), ("low", cm.TraceNorm(0.2))]) + cm.MeanCoupling(0.1, 0.2),
]


@pytest.mark.parametrize("penalty", STRUCTURES, ids=lambda penalty: type(penalty).__name__)
def test_structures_as_json(penalty):
    X, y, codes = stacked()
    model = cm.MultiTaskRegressor(penalty, loss=cm.Huber(1.0)).fit(X, y, task=codes)
    loaded = again(model)
    assert_same(model, loaded)
    assert_array_equal(loaded.fit(X, y, task=codes).coef_, model.coef_)


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["b", "a", "ü", "d"]),
        np.array([3, 1, 2, 0], dtype=np.int8),
        np.array([0.1, 1e-300, 2.5, np.inf]),
        np.array([True, False]),
        np.array(["2020-01-01", "2020-01-02", "2021-01-01", "1970-01-01"], dtype="datetime64[ns]"),
        np.array([datetime.date(2020, 1, d) for d in range(1, 5)], dtype=object),
        np.array([("a", 1), ("a", 2), ("b", 1), ("b", 2), None], dtype=object)[:4],
        pd.Series(["x", "y", "z", "w"], dtype="category").to_numpy(),
    ],
    ids=["strings", "integers", "floats", "booleans", "dates", "days", "tuples", "categories"],
)
def test_labels_as_json(labels):
    X, y, codes = stacked()
    task = labels[codes % len(labels)]
    model = cm.BlockSparseRegressor(0.1).fit(X, y, task=task)
    loaded = again(model)
    assert loaded.tasks_.dtype == model.tasks_.dtype
    assert [type(t) for t in loaded.tasks_.tolist()] == [type(t) for t in model.tasks_.tolist()]
    assert_array_equal(loaded.predict(X, task=task), model.predict(X, task=task))


@pytest.mark.parametrize(
    "words", [np.array(["no", "yes"]), np.array([False, True]), np.array([-1, 1]), np.array([1.0, 2.0])], ids=repr
)
def test_classes_as_json(words):
    X, y, codes = cases.draw_stacked(cases.LOSSES["logistic"].targets, np.random.default_rng(0), (12, 18, 25), 6)
    model = cm.BlockSparseClassifier(0.02).fit(X, words[(y > 0).astype(int)], task=codes)
    loaded = again(model)
    assert loaded.classes_.dtype == model.classes_.dtype
    assert_array_equal(loaded.predict(X, task=codes), model.predict(X, task=codes))


def test_what_can_be_done_with_a_loaded_model():
    X, y, codes = stacked()
    frame = with_column(X, cases.TASK_NAMES[codes])
    model = cm.TaskRelationshipRegressor(0.1, task_column="region").partial_fit(frame, y)
    loaded = again(model)
    assert loaded.feature_names_in_.tolist() == model.feature_names_in_.tolist()
    new = with_column(X[:7], "isle")
    assert_array_equal(
        cm.fit_new_task(loaded, new, y[:7], "isle").coef_, cm.fit_new_task(model, new, y[:7], "isle").coef_
    )
    assert_array_equal(loaded.partial_fit(frame, y).coef_, model.partial_fit(frame, y).coef_)
    assert_allclose(to_sklearn(loaded)["east"].coef_, to_sklearn(model)["east"].coef_)
    longer = cm.fit_new_task(cm.ClusteredRegressor([0, 1, 0, 1]).fit(X, y, task=codes), X[:7], y[:7], 9, place=1)
    assert_same(longer, again(longer))
    assert cm.certify(again(model), frame, y).gap == cm.certify(model, frame, y).gap


def test_a_search_over_families():
    X, y, codes = stacked()
    model = cm.AutoMultiTaskRegressor(families=["BlockSparse", "MeanRegularized"], alphas=3, cv=2)
    model.fit(X, y, task=codes)
    loaded = again(model)
    pd.testing.assert_frame_equal(loaded.leaderboard_, model.leaderboard_, check_dtype=False)
    assert_array_equal(loaded.predict(X, task=codes), model.predict(X, task=codes))
    assert_array_equal(loaded.best_estimator_.predict(X, task=codes), model.predict(X, task=codes))
    assert_allclose(by_task(to_sklearn(loaded), "predict", X, codes), model.predict(X, task=codes))
    longer = cm.fit_new_task(loaded, X[:7], y[:7], 9)
    assert_array_equal(longer.coef_[:4], model.coef_)


def test_what_the_dict_says():
    X, y, codes = stacked()
    frame = pd.DataFrame(X, columns=[*"abcdef"])
    model = cm.DirtyRegressorCV(alphas=3, cv=2, loss=cm.Huber(2.0)).fit(frame, y, task=codes)
    said = to_dict(model)
    assert said["class"] == "DirtyRegressorCV" and said["version"] == cm.__version__ and said["features"] == [*"abcdef"]
    assert said["loss"] == {"class": "Huber", "parameters": {"delta": 2.0}}
    assert said["penalty"]["parameters"]["alpha_block"] == model.alpha_block_
    coef = said["fitted"]["coef_"]
    assert coef["shape"] == [4, 6] and coef["array"] == model.coef_.ravel().tolist()


class Foreign(cm.RowNorm):
    pass


class ForeignRegressor(cm.BlockSparseRegressor):
    pass


def test_what_has_no_words():
    X, y, codes = stacked()
    fit = lambda model: model.fit(X, y, task=codes)  # noqa: E731
    with pytest.raises(TypeError, match=r"penalty holds a .*Foreign, which has no words in JSON"):
        to_dict(fit(cm.MultiTaskRegressor(Foreign(0.1))))
    with pytest.raises(TypeError, match=r"estimator must be of a class of convexmtl itself, got .*ForeignRegressor"):
        to_dict(fit(ForeignRegressor()))
    with pytest.raises(TypeError, match=r"graph holds a networkx.*Graph, which has no words in JSON: .* as edges"):
        to_dict(fit(cm.GraphGuidedRegressor(nx.path_graph(4))))
    with pytest.raises(TypeError, match=r"of a Pipeline its last step\), got Pipeline"):
        to_dict(make_pipeline(StandardScaler(), cm.BlockSparseRegressor()).fit(X, np.stack([y, y], axis=1)))
    with pytest.raises(NotFittedError):
        to_dict(cm.BlockSparseRegressor())
    model = fit(cm.BlockSparseRegressorCV(alphas=2, cv=2))
    model.cv = iter([])
    with pytest.raises(TypeError, match=r"cv holds a .*list_iterator.* cv=None once the search is over"):
        to_dict(model)
    model.cv = KFold(3, shuffle=True, random_state=0)
    assert repr(again(model).cv) == repr(model.cv)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"format": 2}, "d must have format 1, got 2: it was written by another version"),
        ({"format": None}, "got None"),
        ({"class": "RowNorm"}, "'RowNorm' is no class that this version of convexmtl knows"),
        ({"class": "os.system"}, "'os.system' is no class"),
        ({"class": ["a"]}, "is no class"),
        ({"parameters": {"alpha": {"class": "Popen", "parameters": {}}}}, "'Popen' is no class"),
        ({"parameters": {"strength": 1}}, "BlockSparseRegressor has no parameter 'strength'"),
        (
            {"parameters": {"alpha": {"pickle": "abc"}}},
            "an entry of the kind 'pickle' is nothing that this version knows",
        ),
        ({"parameters": {"alpha": {"array": [1]}}}, "an entry of the kind 'array' is not as to_dict writes it: 'type'"),
        ({"parameters": {"alpha": {"record": "Tasks", "fields": {}}}}, "'Tasks' is no record"),
        ({"fitted": {"coef_": 1, "predict": 2}}, "d has an entry 'predict' in 'fitted'"),
        ({"fitted": {}}, "coef_, intercept_ and tasks_ do not go together"),
    ],
    ids=str,
)
def test_dicts_that_are_refused(change, message):
    X, y, codes = stacked()
    written = to_dict(cm.BlockSparseRegressor().fit(X, y, task=codes))
    with pytest.raises(ValueError, match=message):
        from_dict(written | change)


def test_other_versions_and_no_dicts():
    X, y, codes = stacked()
    written = to_dict(cm.BlockSparseRegressor().fit(X, y, task=codes))
    with pytest.warns(InconsistentVersionWarning, match=r"convexmtl 0\.0\.1"):
        from_dict(written | {"version": "0.0.1"})
    del written["fitted"]
    with pytest.raises(ValueError, match="d has no entry 'fitted'"):
        from_dict(written)
    with pytest.raises(TypeError, match=r"d must be a dict as from to_dict, got str: of a file, json\.load makes one"):
        from_dict("{}")
