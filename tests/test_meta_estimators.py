"""Tasks through scikit-learn's meta-estimators: as a column of X, and by metadata routing."""

import cases
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingRegressor,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import RFE, SelectFromModel, SequentialFeatureSelector
from sklearn.inspection import permutation_importance
from sklearn.linear_model import MultiTaskLasso, Ridge
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    permutation_test_score,
    validation_curve,
)
from sklearn.multioutput import RegressorChain
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

import convexmtl as cm
from convexmtl import datasets
from convexmtl.model_selection import TaskKFold, TaskStratifiedKFold

D, T = 6, 4
X, Y_STACKED, TASK, *_ = datasets.make_clustered(
    n_tasks=T, n_samples=25, n_features=D, layout="stacked", random_state=0
)
CLASSES = (np.median(Y_STACKED) < Y_STACKED).astype(int)
NAMES = [f"x{j}" for j in range(D)]
SHARED = datasets.make_block_sparse(n_tasks=3, n_samples=60, n_features=8, layout="shared", random_state=0)[:2]


def with_tasks(kind):
    """(X with a column of tasks, the column's name or position)."""
    if kind == "array":
        return np.column_stack([X, TASK]), -1
    frame = pd.DataFrame(X, columns=NAMES).assign(school=np.array(list("abcd"))[TASK])
    if kind == "category":
        frame["school"] = frame["school"].astype("category")
    return (pl.from_pandas(frame) if kind == "polars" else frame), "school"


KINDS = ["array", "pandas", "category", "polars"]
every_kind = pytest.mark.parametrize("kind", KINDS)


def regressor(kind, **options):
    options = {"alpha": 0.05, "tol": 1e-6} | options
    return cm.BlockSparseRegressor(task_column=with_tasks(kind)[1], **options)


def scaled(kind, last):
    """A pipeline that scales the features and leaves the tasks alone."""
    columns = list(range(D)) if kind == "array" else NAMES
    first = ColumnTransformer([("scale", StandardScaler(), columns)], remainder="passthrough")
    if kind != "array":
        first.set_params(verbose_feature_names_out=False)
        first.set_output(transform="polars" if kind == "polars" else "pandas")
    return Pipeline([("columns", first), ("model", last)])


FOLDS = list(TaskKFold(3).split(X, Y_STACKED, groups=TASK))


def by_hand(**options):
    """Predictions of every row by the fit on the folds that do not hold it, without any meta-estimator."""
    out = np.empty(len(X))
    for train, test in FOLDS:
        fit = cm.BlockSparseRegressor(tol=1e-6, **options).fit(X[train], Y_STACKED[train], task=TASK[train])
        out[test] = fit.predict(X[test], task=TASK[test])
    return out


# ------------------------------------------------------------------------------- a column of X


@every_kind
def test_cross_val_predict(kind):
    x, column = with_tasks(kind)
    predicted = cross_val_predict(regressor(kind), x, Y_STACKED, cv=TaskKFold(3, task_column=column))
    assert_allclose(predicted, by_hand(alpha=0.05), rtol=1e-6)


@every_kind
def test_pipeline(kind):
    x, column = with_tasks(kind)
    fit = scaled(kind, regressor(kind)).fit(x, Y_STACKED)
    alone = cm.BlockSparseRegressor(0.05, tol=1e-6).fit(StandardScaler().fit_transform(X), Y_STACKED, task=TASK)
    assert_allclose(fit[-1].coef_, alone.coef_, atol=1e-6)
    assert_allclose(fit.predict(x), alone.predict(StandardScaler().fit_transform(X), task=TASK), atol=1e-6)
    scores = cross_val_score(scaled(kind, regressor(kind)), x, Y_STACKED, cv=TaskKFold(3, task_column=column))
    assert np.all(scores > 0.5)


def test_scaler_in_front_of_everything():
    """The task column is scaled as well: its values are other ones, and as different."""
    x, _ = with_tasks("array")
    pipeline = make_pipeline(StandardScaler(), regressor("array"))
    fit = pipeline.fit(x, Y_STACKED)
    alone = cm.BlockSparseRegressor(0.05, tol=1e-6).fit(StandardScaler().fit_transform(X), Y_STACKED, task=TASK)
    assert_allclose(fit.predict(x), alone.predict(StandardScaler().fit_transform(X), task=TASK), atol=1e-6)
    assert np.all(cross_val_score(pipeline, x, Y_STACKED, cv=TaskKFold(3, task_column=-1)) > 0.5)


GRID = {"alpha": [0.01, 0.1, 3.0]}
SEARCHES = {
    "grid": lambda e, cv: GridSearchCV(e, GRID, cv=cv),
    "random": lambda e, cv: RandomizedSearchCV(e, GRID, n_iter=3, cv=cv, random_state=0),
    "halving": lambda e, cv: HalvingGridSearchCV(e, GRID, cv=cv, random_state=0, min_resources=50),
}


@every_kind
@pytest.mark.parametrize("search", SEARCHES)
def test_search(search, kind):
    x, column = with_tasks(kind)
    found = SEARCHES[search](regressor(kind), TaskKFold(3, task_column=column)).fit(x, Y_STACKED)
    assert found.best_params_["alpha"] < 3.0 and found.best_score_ > 0.2
    assert len(found.best_estimator_.tasks_) == T and found.score(x, Y_STACKED) > 0.7


def test_grid_scores_are_those_by_hand():
    x, column = with_tasks("pandas")
    found = GridSearchCV(regressor("pandas"), GRID, cv=TaskKFold(3, task_column=column), scoring="r2").fit(x, Y_STACKED)
    for alpha, score in zip(GRID["alpha"], found.cv_results_["mean_test_score"], strict=True):
        z = by_hand(alpha=alpha)
        expected = [sklearn.metrics.r2_score(Y_STACKED[test], z[test]) for _, test in FOLDS]
        assert_allclose(score, np.mean(expected), rtol=1e-6)


def test_groups_say_the_tasks_to_the_splitter():
    x, _ = with_tasks("pandas")
    a = GridSearchCV(regressor("pandas"), GRID, cv=TaskKFold(3)).fit(x, Y_STACKED, groups=TASK)
    b = GridSearchCV(regressor("pandas"), GRID, cv=TaskKFold(3, task_column="school")).fit(x, Y_STACKED)
    assert_array_equal(a.cv_results_["mean_test_score"], b.cv_results_["mean_test_score"])


def test_nested_penalty_parameters():
    x, column = with_tasks("array")
    penalty = cm.RowNorm(0.1) + cm.MeanCoupling(0.1, 0.1)
    grid = {
        "model__penalty__first__alpha": [0.01, 5.0],
        "model__penalty__first__q": [2, np.inf],
        "model__penalty__second__alpha_mean": [0.1, 1.0],
    }
    pipeline = scaled("array", cm.MultiTaskRegressor(penalty, task_column=column))
    found = GridSearchCV(pipeline, grid, cv=TaskKFold(3, task_column=column)).fit(x, Y_STACKED)
    assert len(found.cv_results_["params"]) == 8 and found.best_params_["model__penalty__first__alpha"] == 0.01
    assert found.best_estimator_[-1].penalty.first.alpha == 0.01 and penalty.first.alpha == 0.1
    objects = {"model__penalty": [cm.RowNorm(0.1), cm.TraceNorm(0.1)]}
    assert GridSearchCV(pipeline, objects, cv=TaskKFold(3, task_column=column)).fit(x, Y_STACKED).best_score_ > 0.5


@every_kind
def test_cross_validate(kind):
    x, column = with_tasks(kind)
    found = cross_validate(
        regressor(kind), x, Y_STACKED, cv=TaskKFold(3, task_column=column), return_estimator=True, return_indices=True
    )
    for k, (train, test) in enumerate(FOLDS):
        assert_array_equal(found["indices"]["train"][k], train)
        alone = cm.BlockSparseRegressor(0.05, tol=1e-6).fit(X[train], Y_STACKED[train], task=TASK[train])
        assert_allclose(found["estimator"][k].coef_, alone.coef_, atol=1e-8)
        assert_allclose(found["test_score"][k], alone.score(X[test], Y_STACKED[test], task=TASK[test]))


@every_kind
def test_stacking(kind):
    x, column = with_tasks(kind)
    models = [("block", regressor(kind)), ("mean", cm.MeanRegularizedRegressor(task_column=column))]
    fit = StackingRegressor(models, final_estimator=Ridge(), cv=TaskKFold(3, task_column=column)).fit(x, Y_STACKED)
    assert fit.score(x, Y_STACKED) > 0.8 and fit.transform(x).shape == (len(X), 2)
    assert VotingRegressor(models).fit(x, Y_STACKED).score(x, Y_STACKED) > 0.7


@every_kind
def test_transformed_target(kind):
    x, _ = with_tasks(kind)
    fit = TransformedTargetRegressor(regressor(kind), func=np.arcsinh, inverse_func=np.sinh).fit(x, Y_STACKED)
    alone = cm.BlockSparseRegressor(0.05, tol=1e-6).fit(X, np.arcsinh(Y_STACKED), task=TASK)
    assert_allclose(fit.predict(x), np.sinh(alone.predict(X, task=TASK)), rtol=1e-6)


def test_bagging():
    """Bagging turns frames into arrays, so the column is given by position; columns are drawn without it."""
    x, _ = with_tasks("array")
    fit = BaggingRegressor(regressor("array"), n_estimators=5, random_state=0).fit(x, Y_STACKED)
    assert fit.score(x, Y_STACKED) > 0.8
    weighted = BaggingRegressor(regressor("array"), n_estimators=5, random_state=0)
    assert weighted.fit(x, Y_STACKED, sample_weight=np.ones(len(X))).score(x, Y_STACKED) > 0.8
    assert (
        AdaBoostRegressor(regressor("array"), n_estimators=3, random_state=0).fit(x, Y_STACKED).score(x, Y_STACKED) > 0
    )
    frame, _ = with_tasks("pandas")
    with pytest.raises(ValueError, match=r"task_column='school' is a name, but X is an array .* pass a position"):
        BaggingRegressor(regressor("pandas"), n_estimators=2).fit(frame.assign(school=TASK), Y_STACKED)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "polars"])  # it turns those into arrays
def test_permutation_importance(kind):
    x, _ = with_tasks(kind)
    found = permutation_importance(regressor(kind).fit(x, Y_STACKED), x, Y_STACKED, n_repeats=3, random_state=0)
    assert found.importances_mean.shape == (D + 1,) and found.importances_mean[-1] > 0.1


@every_kind
@pytest.mark.parametrize("shuffle", [False, True])
def test_learning_curve(kind, shuffle):
    """Whatever share of the training rows is taken, all tasks are in it."""
    x, column = with_tasks(kind)
    cv = TaskKFold(3, task_column=column)
    sizes, _, scores = learning_curve(
        regressor(kind), x, Y_STACKED, cv=cv, train_sizes=[0.4, 0.7, 1.0], shuffle=shuffle, random_state=0
    )
    assert len(sizes) == 3 and np.all(np.isfinite(scores)) and scores[-1].mean() > scores[0].mean()


def test_curves_and_tests():
    x, column = with_tasks("pandas")
    cv = TaskKFold(3, task_column=column)
    curve = validation_curve(regressor("pandas"), x, Y_STACKED, param_name="alpha", param_range=[0.01, 5.0], cv=cv)
    assert curve[1][0].mean() > curve[1][1].mean()
    score, permuted, _ = permutation_test_score(
        regressor("pandas"), x, Y_STACKED, cv=cv, n_permutations=3, random_state=0
    )
    assert score > permuted.max()


def test_select_from_model():
    select = SelectFromModel(cm.BlockSparseRegressor(0.5), threshold=1e-10).fit(*SHARED)
    assert_array_equal(select.get_support(), np.any(select.estimator_.coef_ != 0, axis=0))
    assert 0 < select.transform(SHARED[0]).shape[1] < 8
    assert make_pipeline(select, cm.BlockSparseRegressor(0.01)).fit(*SHARED).score(*SHARED) > 0.5
    assert RFE(cm.BlockSparseRegressor(0.1), n_features_to_select=3).fit(*SHARED).support_.sum() == 3
    chosen = SequentialFeatureSelector(cm.BlockSparseRegressor(0.1), n_features_to_select=2, cv=3).fit(*SHARED)
    assert chosen.get_support().sum() == 2


USES = np.where(
    np.arange(D)[:, None] < 3, [[9.0], [3.0], [1.0]] + [[0.0]] * (D - 3), 0.0
)  # the last far below the mean


def few_features():
    rng = np.random.default_rng(0)
    X, W = rng.standard_normal((80, D)), USES * rng.choice([-1, 1], (D, 3))
    return X, X @ W + 0.1 * rng.standard_normal((80, 3))


@pytest.mark.parametrize(
    "estimator",
    [
        cm.BlockSparseRegressor(0.3),
        cm.BlockSparseRegressor(0.3, l1_ratio=0.9),
        cm.BlockSparseRegressor(0.3, q=np.inf),
        cm.SparseGroupRegressor(0.2),
        cm.DirtyRegressor(0.4, 0.3),
        cm.TreeGuidedRegressor([([0, 1, 2], 1.0)], 0.3),
        cm.TemporalRegressor(0.1, alpha_sparse=0.3),
        cm.BlockSparseRegressorCV(alphas=[0.3], cv=2),
    ],
    ids=str,
)
def test_select_from_model_keeps_what_is_used(estimator):
    """As with MultiTaskLasso, not what is above the mean."""
    X, Y = few_features()
    expected = SelectFromModel(MultiTaskLasso(0.3)).fit(X, Y).get_support()
    select = SelectFromModel(estimator).fit(X, Y)
    assert expected.sum() == 3
    if not hasattr(estimator, "tree"):  # whose tasks are known after fit only
        assert select.threshold_ == 1e-5
    assert_array_equal(select.get_support(), expected)


@pytest.mark.parametrize(
    "estimator",
    [
        cm.BlockSparseRegressor(0.3, l1_ratio=0),
        cm.TraceNormRegressor(),
        cm.TemporalRegressor(),
        cm.MultiTaskRegressor(),
        cm.MeanRegularizedRegressor(),
    ],
    ids=str,
)
def test_select_from_other_models_by_the_mean(estimator):
    X, Y = few_features()
    select = SelectFromModel(estimator).fit(X, Y)
    assert_allclose(select.threshold_, np.abs(select.estimator_.coef_).sum(axis=0).mean())


@pytest.mark.parametrize("family", [cm.BlockSparseRegressor, cm.TraceNormRegressor])
@pytest.mark.parametrize("threshold", [None, "mean", "median"])
@pytest.mark.parametrize("column", [0, 4, -1])
def test_select_from_model_keeps_the_task_column(family, threshold, column):
    """And the features that it keeps where the tasks are not in a column."""
    X, Y = few_features()
    X, y, task = np.tile(X, (3, 1)), Y.ravel(order="F"), np.repeat(np.arange(3), len(X))
    norms = np.linalg.norm(family(0.3).fit(X, y, task=task).coef_, axis=0)
    sparse = threshold is None and family is cm.BlockSparseRegressor
    cut = 1e-5 if sparse else np.median(norms) if threshold == "median" else norms.mean()
    column %= D + 1
    select = SelectFromModel(
        family(0.3, task_column=column), threshold=threshold, importance_getter="feature_importances_"
    ).fit(np.insert(X, column, task, axis=1), y)
    kept = select.get_support()
    assert kept[column]
    if threshold != "median":  # (that of one value more is another)
        assert_array_equal(np.delete(kept, column), norms >= cut)


@pytest.mark.parametrize("kind", ["array", "pandas"])
def test_select_from_model_in_a_pipeline(kind):
    x, column = with_tasks(kind)
    select = SelectFromModel(regressor(kind), threshold="median", importance_getter="feature_importances_")
    if kind == "pandas":
        select.set_output(transform="pandas")
    else:
        column = -1
    fit = make_pipeline(select, cm.BlockSparseRegressor(0.01, task_column=column)).fit(x, Y_STACKED)
    assert select.get_support()[-1] and 1 < select.get_support().sum() < D + 1
    assert fit.score(x, Y_STACKED) > 0.4


@pytest.mark.parametrize("labels", [[0, 1], ["no", "yes"], [False, True]], ids=str)
@pytest.mark.parametrize("n_tasks", [1, 2, 3, 5])
def test_classifiers_of_several_targets(n_tasks, labels):
    """By hand what scikit-learn makes of the folds."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 4))
    codes = (X @ rng.standard_normal((4, n_tasks)) + rng.standard_normal((60, n_tasks)) > 0).astype(int)
    Y, estimator = np.array(labels)[codes], cm.BlockSparseClassifier(0.01)
    assert len(estimator.fit(X, Y).classes_) == n_tasks
    for method in ("predict_proba", "decision_function"):
        expected = np.empty(codes.shape)
        for train, test in KFold(3).split(X):
            expected[test] = getattr(clone(estimator).fit(X[train], codes[train]), method)(X[test])
        assert_allclose(cross_val_predict(estimator, X, Y, cv=KFold(3), method=method), expected)
    if n_tasks > 1 and labels == [0, 1]:
        own = [
            roc_auc_score(codes[test], clone(estimator).fit(X[train], codes[train]).decision_function(X[test]))
            for train, test in KFold(3).split(X)
        ]
        assert_allclose(cross_val_score(estimator, X, Y, cv=KFold(3), scoring="roc_auc"), own)
        other = cm.TraceNormClassifier(0.01)
        stack = StackingClassifier([("block", estimator), ("trace", other)], cm.BlockSparseClassifier(0.01), cv=3)
        assert stack.fit(X, Y).score(X, Y) > 0.3 and stack.predict(X).shape == Y.shape


def test_classifiers_whose_targets_have_other_labels():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 4))
    codes = (X @ rng.standard_normal((4, 3)) > 0).astype(int)
    tables = {"of one kind": [["a", "b"], ["c", "d"], ["no", "yes"]], "of several": [["a", "b"], [3, 7], [False, True]]}
    for pairs in tables.values():
        Y = np.stack([np.array(pairs[t], dtype=object)[codes[:, t]] for t in range(3)], axis=1)
        fit = cm.BlockSparseClassifier(0.01).fit(X, Y)
        assert [classes.tolist() for classes in fit.classes_] == pairs and fit.classes_.shape[0] == 3
        probability = cross_val_predict(fit, X, Y, cv=KFold(3), method="predict_proba")
        assert_allclose(probability, cross_val_predict(fit, X, codes, cv=KFold(3), method="predict_proba"))


def test_classifiers():
    x, column = with_tasks("pandas")
    cv = TaskStratifiedKFold(3, task_column=column)
    estimator = cm.BlockSparseClassifier(0.01, task_column=column)
    found = GridSearchCV(estimator, {"alpha": [0.001, 0.01]}, cv=cv, scoring="roc_auc").fit(x, CLASSES)
    assert found.best_score_ > 0.7
    probabilities = cross_val_predict(estimator, x, CLASSES, cv=cv, method="predict_proba")
    assert_allclose(probabilities.sum(axis=1), 1)
    other = cm.TraceNormClassifier(0.01, task_column=column)
    for meta in (
        StackingClassifier([("block", estimator), ("trace", other)], cv=cv),
        CalibratedClassifierCV(estimator, cv=cv),
        TunedThresholdClassifierCV(estimator, cv=cv),
    ):
        assert meta.fit(x, CLASSES).score(x, CLASSES) > 0.8
    bag = BaggingClassifier(cm.BlockSparseClassifier(0.01, task_column=-1), n_estimators=5, random_state=0)
    assert bag.fit(with_tasks("array")[0], CLASSES).score(with_tasks("array")[0], CLASSES) > 0.8


@every_kind
def test_twins(kind):
    x, column = with_tasks(kind)
    twin = cm.BlockSparseRegressorCV(alphas=5, cv=3, task_column=column)
    own = cm.BlockSparseRegressorCV(alphas=5, cv=3).fit(X, Y_STACKED, task=TASK)
    assert_allclose(twin.fit(x, Y_STACKED).mse_path_, own.mse_path_)
    assert np.all(cross_val_score(twin, x, Y_STACKED, cv=TaskKFold(3, task_column=column)) > 0.5)
    assert scaled(kind, twin).fit(x, Y_STACKED)[-1].alpha_ > 0


def test_one_x_for_all_tasks():
    """Nothing to hand over: every splitter and every meta-estimator for several targets will do."""
    estimator = cm.BlockSparseRegressor(0.05)
    assert cross_val_predict(estimator, *SHARED, cv=KFold(3)).shape == SHARED[1].shape
    assert GridSearchCV(estimator, GRID, cv=3).fit(*SHARED).best_params_["alpha"] < 3
    assert TransformedTargetRegressor(estimator, transformer=StandardScaler()).fit(*SHARED).score(*SHARED) > 0.5
    assert BaggingRegressor(estimator, n_estimators=3, random_state=0).fit(*SHARED).score(*SHARED) > 0.5
    assert RegressorChain(estimator).fit(*SHARED).score(*SHARED) > 0.5


# ---------------------------------------------------------------------------- metadata routing


def since_scikit_learn(version, what):
    """For what older versions do not hand on."""
    return pytest.mark.skipif(cases.scikit_learn_before(version), reason=f"{what} since scikit-learn {version}")


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield {"task": TASK, "groups": TASK}


def routed(**options):
    estimator = cm.BlockSparseRegressor(**({"alpha": 0.05, "tol": 1e-6} | options))
    return estimator.set_fit_request(task=True).set_predict_request(task=True).set_score_request(task=True)


@pytest.mark.parametrize("search", SEARCHES)
def test_routed_search(routing, search):
    found = SEARCHES[search](routed(), TaskKFold(3)).fit(X, Y_STACKED, **routing)
    assert found.best_params_["alpha"] < 3.0 and found.best_score_ > 0.2
    assert found.best_estimator_.predict(X, task=TASK).shape == (len(X),)
    if search == "grid":
        column = GridSearchCV(regressor("array"), GRID, cv=TaskKFold(3, task_column=-1))
        column.fit(with_tasks("array")[0], Y_STACKED)
        assert_allclose(found.cv_results_["mean_test_score"], column.cv_results_["mean_test_score"])


def test_routed_pipeline(routing):
    pipeline = make_pipeline(StandardScaler(), routed())
    alone = cm.BlockSparseRegressor(0.05, tol=1e-6).fit(StandardScaler().fit_transform(X), Y_STACKED, task=TASK)
    assert_allclose(pipeline.fit(X, Y_STACKED, task=TASK)[-1].coef_, alone.coef_, atol=1e-8)
    assert pipeline.predict(X, task=TASK).shape == (len(X),) and pipeline.score(X, Y_STACKED, task=TASK) > 0.7


@since_scikit_learn("1.8", "searches route what the score of a pipeline takes")
def test_routed_search_of_a_pipeline(routing):
    pipeline = make_pipeline(StandardScaler(), routed())
    found = GridSearchCV(pipeline, {"blocksparseregressor__alpha": [0.01, 0.1]}, cv=TaskKFold(3))
    assert found.fit(X, Y_STACKED, **routing).best_score_ > 0.5


def test_routed_validation(routing):
    found = cross_validate(routed(), X, Y_STACKED, cv=TaskKFold(3), params=routing)
    column = cross_validate(regressor("array"), with_tasks("array")[0], Y_STACKED, cv=TaskKFold(3, task_column=-1))
    assert_allclose(found["test_score"], column["test_score"])
    _, _, scores = learning_curve(routed(), X, Y_STACKED, cv=TaskKFold(3), params=routing, train_sizes=[0.5, 1.0])
    assert np.all(np.isfinite(scores))


def test_routed_meta_estimators(routing):
    target = TransformedTargetRegressor(routed(), func=np.arcsinh, inverse_func=np.sinh)
    assert target.fit(X, Y_STACKED, task=TASK).predict(X, task=TASK).shape == (len(X),)
    select = SelectFromModel(routed(), threshold="median")
    pipeline = make_pipeline(select, routed()).fit(X, Y_STACKED, task=TASK)
    assert 0 < select.get_support().sum() < D and pipeline.predict(X, task=TASK).shape == (len(X),)


@since_scikit_learn("1.7", "bags route what predict takes")
def test_routed_bag(routing):
    bag = BaggingRegressor(routed(), n_estimators=3, random_state=0).fit(X, Y_STACKED, task=TASK)
    assert bag.predict(X, task=TASK).shape == (len(X),)


def test_routed_twin(routing):
    twin = cm.BlockSparseRegressorCV(alphas=4).set_fit_request(task=True).set_predict_request(task=True)
    twin.set_score_request(task=True)
    found = cross_validate(twin, X, Y_STACKED, cv=TaskKFold(3), params=routing)
    assert np.all(found["test_score"] > 0.5)
    weighted = cm.BlockSparseRegressorCV(alphas=4, cv=TaskKFold(3)).fit(X, Y_STACKED, task=TASK)
    assert weighted.mse_path_.shape == (4, 3)


def test_what_cannot_be_routed(routing):
    """scikit-learn hands nothing to ``predict`` here: the error says what is missing; a task column does it."""
    with pytest.raises(ValueError, match="task is missing"):
        cross_val_predict(routed(), X, Y_STACKED, cv=TaskKFold(3), params=routing)
    with pytest.raises(ValueError, match="task is missing"):
        permutation_importance(routed().fit(X, Y_STACKED, task=TASK), X, Y_STACKED)
    with pytest.raises(ValueError, match="task is missing"):
        StackingRegressor([("block", routed())], cv=FOLDS).fit(X, Y_STACKED, task=TASK)
    # A search predicts through its best estimator only.
    search = GridSearchCV(routed(), GRID, cv=TaskKFold(3)).fit(X, Y_STACKED, **routing)
    with pytest.raises(TypeError, match="task"):
        search.predict(X, task=TASK)
