"""Which tasks sharing helps and hurts: scores on common folds, paired differences, and what is said of them."""

import sys
from functools import partial

import cases
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge
from sklearn.metrics import log_loss, make_scorer, mean_squared_error, median_absolute_error, r2_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import convexmtl as cm
from convexmtl import comparison
from convexmtl.baselines import estimator_inside, pooled, single_task
from convexmtl.comparison._data import folds_within, read
from convexmtl.comparison._statistics import corrected_t, holm
from convexmtl.model_selection import TaskKFold, TaskShuffleSplit, TaskStratifiedKFold

FEW = {"alphas": 4, "cv": 2}
FOLDS = TaskKFold(3, shuffle=True, random_state=0)
MEAN = cm.MeanRegularizedRegressor(0.01, 1.0)


def stacked(kind="squared", seed=0):
    X, y, options = cases.user_input(kind, "stacked", seed)
    return X, y, options["task"]


@pytest.fixture(scope="module", autouse=True)
def quick():
    """Baselines that search a little only."""
    with pytest.MonkeyPatch.context() as patch:
        for make in (single_task, pooled):
            patch.setattr(comparison, make.__name__, partial(quickly, make))
        yield


def quickly(make, estimator):
    made = make(estimator)
    estimator_inside(made).set_params(**FEW)
    return made


@pytest.fixture(scope="module")
def found(quick):
    """Tasks of one model of many features, but for the last, which has the opposite one."""
    rng = np.random.default_rng(0)
    w, task = rng.standard_normal(60), np.repeat(np.arange(12), 60)
    X = rng.standard_normal((720, 60))
    y = np.where(task == 11, -1, 1) * (X @ w) + rng.standard_normal(720)
    models = {"one": MEAN, "other": cm.MeanRegularizedRegressor(0.001, 20.0)}
    return cm.compare_tasks(models, X, y, task=task, cv=TaskShuffleSplit(25, test_size=0.2, random_state=0))


# ---------------------------------------------------------------------------------- statistics


def test_corrected_t_by_hand():
    """Nadeau and Bengio (2003), with folds of equal size."""
    d = np.random.default_rng(0).standard_normal((12, 3)) + 0.3
    n_train, n_test = np.full((12, 3), 40), np.full((12, 3), 10)
    found = corrected_t(d, n_train, n_test)
    t = d.mean(axis=0) / np.sqrt((1 / 12 + 10 / 40) * d.var(axis=0, ddof=1))
    assert_allclose(found.mean, d.mean(axis=0))
    assert_allclose(found.p, 2 * stats.t.sf(abs(t), 11))
    # A task of six rows has no more than five degrees of freedom, however often it is split.
    assert_array_equal(corrected_t(d, n_train // 10, n_test // 5).df, [5, 5, 5])
    assert_array_equal(corrected_t(np.tile(d, (5, 1)), np.tile(n_train, (5, 1)), np.tile(n_test, (5, 1))).df, [24] * 3)


def test_corrected_t_of_unequal_folds():
    """Folds that test nothing do not count, and two that test one row each count as one that tests two."""
    d, n_train, n_test = np.array([[1.0], [3.0], [np.nan], [2.0]]), np.full((4, 1), 9), np.array([[1], [1], [0], [2]])
    found = corrected_t(d, n_train, n_test)
    assert_allclose(found.mean, [2.0])
    assert_allclose(found.se, np.sqrt((1 / 3 + (1 / 9 + 1 / 9 + 4 / 9) / 4) * 0.5 * 3 / 2))
    assert_allclose(found.df, 2)
    nothing = corrected_t(np.array([[1.0, np.nan], [np.nan, np.nan]]), np.ones((2, 2)), np.ones((2, 2)))
    assert np.isnan(nothing.p).all() and np.isnan(nothing.se).all()
    same = corrected_t(np.zeros((5, 1)), np.full((5, 1), 8), np.full((5, 1), 2))
    assert (same.mean[0], same.p[0]) == (0.0, 1.0)


def test_holm_by_hand():
    p = np.array([0.2, 0.011, np.nan, 0.001, 0.03, 0.026])
    adjusted, level = holm(p, 0.05)
    assert_allclose(adjusted, [0.2, 0.044, np.nan, 0.005, 0.078, 0.078])
    assert_allclose(level, np.array([0.05 / 3, 0.05 / 4, np.nan, 0.05 / 5, 0.05 / 3, 0.05 / 3]))
    for seed in range(50):
        p = np.random.default_rng(seed).uniform(size=7) ** 4
        adjusted, level = holm(p, 0.05)
        assert_array_equal(adjusted <= 0.05, p <= level)


def test_false_alarms_and_detection():
    """On drawn differences; benchmarks/comparison.py has those of fits."""
    rng = np.random.default_rng(0)
    n_train, n_test = np.full((20, 8), 36), np.full((20, 8), 9)
    alarms = 0
    for _ in range(300):
        # What folds have in common, as the correction supposes: the correlation n_test / (n_train + n_test).
        d = np.sqrt(0.2) * rng.standard_normal((1, 8)) + np.sqrt(0.8) * rng.standard_normal((20, 8))
        alarms += (holm(corrected_t(d, n_train, n_test).p, 0.05)[0] <= 0.05).any()
        assert (holm(corrected_t(d + 9, n_train, n_test).p, 0.05)[0] <= 0.05).all()
    assert 3 <= alarms <= 27


# -------------------------------------------------------------------------------------- scores


def by_hand(estimator, X, y, task, folds, score):
    """(J, T), by a loop over folds and tasks."""
    out = []
    for train, test in folds:
        model = clone(estimator).fit(X[train], y[train], task=task[train])
        out.append([score(model, X[test][own], y[test][own], task[test][own]) for own in rows_of(task[test])])
    return np.array(out)


def rows_of(task):
    return [task == label for label in np.unique(cases.TASK_NAMES)]


def test_scores_are_those_of_a_loop():
    X, y, task = stacked()
    twin = cm.TraceNormRegressorCV(**FEW)
    result = cm.compare_tasks(twin, X, y, task=task, cv=FOLDS)
    folds = list(FOLDS.split(X, groups=task))
    mse = lambda model, X, y, task: -mean_squared_error(y, model.predict(X, task=task))  # noqa: E731
    assert_allclose(result.scores[0], by_hand(twin, X, y, task, folds, mse))
    assert_allclose(result.single_task_scores[0], by_hand(quickly(single_task, twin), X, y, task, folds, mse))
    assert_allclose(result.pooled_scores[0], by_hand(quickly(pooled, twin), X, y, task, folds, mse))
    counts = [[np.sum(own) for own in rows_of(task[test])] for _, test in folds]
    assert_array_equal(result.n_test, counts)
    assert_array_equal(result.tasks, np.unique(task))
    frame = result.frame
    assert_allclose(frame["single_task"], -np.average(result.single_task_scores[0], axis=0, weights=counts))
    assert_allclose(frame["gain"], frame["single_task"] - frame["score"])
    assert_allclose(frame["gain_over_pooled"], frame["pooled"] - frame["score"])
    assert frame["n"].tolist() == [np.sum(own) for own in rows_of(task)]


SCORES = {
    "r2": lambda m, X, y, task: r2_score(y, m.predict(X, task=task)),
    "neg_median_absolute_error": lambda m, X, y, task: -median_absolute_error(y, m.predict(X, task=task)),
    "neg_mean_absolute_error": lambda m, X, y, task: -np.abs(y - m.predict(X, task=task)).mean(),
    make_scorer(median_absolute_error, greater_is_better=False): lambda *args: SCORES["neg_median_absolute_error"](
        *args
    ),
}
CLASS_SCORES = {
    None: lambda m, X, y, task: -log_loss(y, m.predict_proba(X, task=task), labels=[0, 1]),
    "accuracy": lambda m, X, y, task: np.mean(y == m.predict(X, task=task)),
    "roc_auc": lambda m, X, y, task: roc_auc_score(y, m.decision_function(X, task=task)),
    "neg_brier_score": lambda m, X, y, task: -np.mean((m.predict_proba(X, task=task)[:, 1] - y) ** 2),
}


@pytest.mark.parametrize("scoring", SCORES, ids=str)
def test_any_scorer(scoring):
    X, y, task = stacked()
    folds = list(FOLDS.split(X, groups=task))
    result = cm.compare_tasks(MEAN, X, y, task=task, cv=FOLDS, scoring=scoring)
    assert_allclose(result.scores[0], by_hand(MEAN, X, y, task, folds, SCORES[scoring]))
    assert np.all(result.frame["score"] > 0) or not str(scoring).startswith("neg_")


@pytest.mark.parametrize("scoring", CLASS_SCORES)
def test_any_scorer_of_classes(scoring):
    X, y, task = stacked("logistic")
    y = (y == "yes").astype(int)  # (of strings, not all scorers know the positive one)
    folds = list(TaskStratifiedKFold(3).split(X, y, groups=task))
    model = cm.MeanRegularizedClassifier(0.01, 1.0)
    result = cm.compare_tasks(model, X, y, task=task, cv=folds, scoring=scoring)
    assert_allclose(result.scores[0], by_hand(model, X, y, task, folds, CLASS_SCORES[scoring]))
    assert result.scoring == (str(scoring).removeprefix("neg_").replace("_", " ") if scoring else "log loss")


def test_scores_that_are_not_defined():
    """A single class has no area under a curve, one row no explained variance; the folds that have them count."""
    rng = np.random.default_rng(0)
    X, task = rng.standard_normal((48, 3)), np.repeat(["a", "b"], 24)
    y = (X[:, 0] > np.where(task == "a", 1.2, 0)).astype(int)
    result = cm.compare_tasks(
        cm.MeanRegularizedClassifier(),
        X,
        y,
        task=task,
        cv=TaskKFold(6, shuffle=True, random_state=1),
        scoring="roc_auc",
    )
    assert np.isnan(result.scores[0, :, 0]).any() and not np.isnan(result.scores[0, :, 1]).any()
    assert result.frame["score"].between(0, 1).all()


def test_squared_hinge_has_no_probabilities():
    X, y, task = stacked("squared_hinge")
    model = cm.MeanRegularizedClassifier(loss="squared_hinge")
    assert cm.compare_tasks(model, X, y, task=task, cv=FOLDS).scoring == "accuracy"


# ------------------------------------------------------------------------------------- layouts


def test_layouts_agree():
    """Labels beside X, a column of it, by position or name, behind a pipeline and a search, and routed."""
    X, y, task = stacked()
    expected = cm.compare_tasks(MEAN, X, y, task=task, cv=FOLDS)
    position = np.unique(task, return_inverse=True)[1]
    frame = pd.DataFrame(X, columns=list("abcdef")).assign(school=task)
    named = clone(MEAN).set_params(task_column="school")
    numbered = clone(MEAN).set_params(task_column=-1)
    folds = list(FOLDS.split(X, groups=task))
    for model, data, target, options in (
        (named, frame, pd.Series(y), {}),
        (named, frame, y, {"task": task}),
        (numbered, np.c_[X, position], y, {}),
        (make_pipeline("passthrough", MEAN), X, y, {"task": task}),
        (make_pipeline("passthrough", named), frame, y, {}),
        (GridSearchCV(named, {"alpha_mean": [0.01]}, cv=TaskKFold(2, task_column="school")), frame, y, {}),
    ):
        result = cm.compare_tasks(model, data, target, cv=folds, **options)
        assert_allclose(result.scores, expected.scores)
    with config_context(enable_metadata_routing=True):
        asking = clone(MEAN).set_fit_request(task=True).set_predict_request(task=True)
        result = cm.compare_tasks(make_pipeline("passthrough", asking), X, y, task=task, cv=FOLDS)
        assert_allclose(result.scores, expected.scores)
        assert_allclose(result.single_task_scores, expected.single_task_scores)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_one_X_with_missing_targets(loss):
    X, Y, _ = cases.user_input(loss, "missing")
    X, Y = np.tile(X, (2, 1)), np.tile(Y, (2, 1))
    model = (cm.TraceNormClassifier if loss == "logistic" else cm.TraceNormRegressor)(0.05)
    frame = pd.DataFrame(Y, columns=cases.TASK_NAMES)
    result = cm.compare_tasks(model, X, frame, cv=KFold(3, shuffle=True, random_state=0))
    train, test = next(KFold(3, shuffle=True, random_state=0).split(X))
    fitted = model.fit(X[train], Y[train])
    for t in range(4):
        own = test[~pd.isna(Y[test, t])]
        if loss == "logistic":
            score = -log_loss(Y[own, t], fitted.predict_proba(X[own])[:, t], labels=["no", "yes"])
        else:
            score = -mean_squared_error(Y[own, t], fitted.predict(X[own])[:, t])
        assert_allclose(result.scores[0, 0, t], score)
    assert result.frame["task"].tolist() == cases.TASK_NAMES.tolist()
    by_name = "balanced_accuracy" if loss == "logistic" else "neg_median_absolute_error"
    again = cm.compare_tasks(model, X, frame, cv=KFold(2, shuffle=True, random_state=0), scoring=by_name)
    assert not np.isnan(again.frame["gain"]).any()


def test_scaling_stays_inside_of_the_folds():
    X, y, task = stacked()
    data = np.c_[X, np.unique(task, return_inverse=True)[1]]
    scaler = make_column_transformer((StandardScaler(), slice(0, -1)), remainder="passthrough")
    pipeline = make_pipeline(scaler, clone(MEAN).set_params(task_column=-1))
    result = cm.compare_tasks(pipeline, data, y, cv=FOLDS)
    train, test = next(FOLDS.split(X, groups=task))
    scaled = StandardScaler().fit(X[train])
    alone = quickly(single_task, MEAN).fit(scaled.transform(X[train]), y[train], task=task[train])
    errors = (alone.predict(scaled.transform(X[test]), task=task[test]) - y[test]) ** 2
    assert_allclose(result.single_task_scores[0, 0], [-errors[own].mean() for own in rows_of(task[test])])


def test_default_folds():
    """Five, or as many as are asked for, dealt out ten times; every row of a task is tested as often."""
    X, y, task = stacked()
    result = cm.compare_tasks(MEAN, X, y, task=task, cv=2)
    assert result.scores.shape == (1, 20, 4) and (result.n_train > 0).all()
    assert_array_equal(result.n_test.sum(axis=0), [10 * np.sum(own) for own in rows_of(task)])
    rare = np.c_[y, np.where(np.arange(len(y)) < 5, y, np.nan)]
    data = read([MEAN], X, rare, None)
    assert len(folds_within(data, None, MEAN)) == 50 and (data.counts(folds_within(data, 2, MEAN))[0] > 0).all()


def test_jobs_make_no_difference():
    X, y, task = stacked()
    with parallel_config("threading"):
        one, two = (cm.compare_tasks(MEAN, X, y, task=task, cv=FOLDS, n_jobs=n) for n in (1, 2))
    assert_array_equal(one.scores, two.scores)


def test_what_does_not_converge_is_said_once():
    X, y, task = stacked()
    with pytest.warns(ConvergenceWarning, match="in 3 of the 9 fits") as caught:
        cm.compare_tasks(cm.TraceNormRegressor(0.01, max_iter=1, tol=1e-12), X, y, task=task, cv=FOLDS)
    assert len(caught) == 1 and caught[0].filename == __file__


# ------------------------------------------------------------------------------------- verdicts


def test_helped_and_hurt(found):
    """Where one model is good for all tasks but one."""
    strong = found.frame[found.frame["model"] == "other"]
    assert strong["verdict"].tolist() == ["helped"] * 11 + ["hurt"]
    assert sorted(found.helped("other")) == list(range(11)) and found.hurt("other") == [11]
    assert found.unaffected("other") == []
    assert_array_equal(strong["verdict"] == "unaffected", (strong["low"] < 0) & (strong["high"] > 0))
    for row in found.rows:
        assert (row["verdict"] == "unaffected") == (row["low"] <= 0 <= row["high"])
        assert row["low"] < row["gain"] < row["high"] and row["p"] <= row["p_holm"] <= 1
    assert found.models == ["one", "other"] and len(found.frame) == 24


def test_the_baseline_beside_itself():
    X, y, task = stacked()
    result = cm.compare_tasks(quickly(single_task, MEAN), X, y, task=task, cv=FOLDS)
    assert (result.frame["gain"] == 0).all() and (result.frame["verdict"] == "unaffected").all()
    result = cm.compare_tasks(quickly(pooled, MEAN), X, y, task=task, cv=FOLDS)
    assert result.frame["pooled_would_do"].all()


def test_too_few_rows_to_test():
    X, y, task = stacked()
    task = np.where(np.arange(len(y)) == 0, "alone", task)
    result = cm.compare_tasks(MEAN, X, y, task=task, cv=FOLDS)
    (row,) = (row for row in result.rows if row["task"] == "alone")
    assert row["verdict"] == "untested" and np.isnan(row["gain"]) and not row["pooled_would_do"]
    assert "1 task had too few rows to be tested: alone." in result.summary()


def test_models_have_names():
    X, y, task = stacked()
    twice = [MEAN, clone(MEAN).set_params(alpha_mean=1.0), make_pipeline(StandardScaler(), cm.TraceNormRegressor())]
    result = cm.compare_tasks(twice, X, y, task=task, cv=FOLDS)
    assert result.models == ["MeanRegularizedRegressor", "MeanRegularizedRegressor 2", "TraceNormRegressor"]
    # Two of them have the same baselines, and the third is beside those of scaled features.
    assert_array_equal(result.single_task_scores[0], result.single_task_scores[1])
    assert np.any(result.single_task_scores[0] != result.single_task_scores[2])


def test_in_words(found):
    text = found.summary()
    assert text == str(found)
    second = text.split("\n\n")[1]
    assert second.startswith("other beside one model per task: mean squared error of 12 tasks, each on 25 folds.")
    assert "Sharing helps 11 tasks: " in second and " and 3 more." in second and "Sharing hurts 1 task: 11 (+" in second
    row = max(found.rows[12:], key=lambda row: row["gain"])
    assert f"{row['task']} ({-row['gain'] / row['single_task']:+.0%})" in second
    assert "one model for all would do" in second or all(not row["pooled_would_do"] for row in found.rows[12:])


def test_without_pandas(found, monkeypatch):
    p = found.frame["p"].tolist()
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert [row["p"] for row in found.frame] == p and found.frame == found.rows


@pytest.mark.parametrize("T", [3, 150])
def test_picture(T):
    rng = np.random.default_rng(0)
    X, task = rng.standard_normal((6 * T, 2)), np.repeat([f"school {t}" for t in range(T)], 6)
    result = cm.compare_tasks(
        MEAN, X, X[:, 0] + rng.standard_normal(6 * T), task=task, cv=TaskShuffleSplit(3, random_state=0)
    )
    assert result.plot() is result
    assert result.figure_ is result.ax_.figure
    assert result.ax_.get_xlabel() == "mean squared error saved by MeanRegularizedRegressor"
    assert len(result.ax_.get_yticks()) == (3 if T == 3 else 41)
    own = plt.figure().add_subplot()
    assert result.plot(ax=own).ax_ is own
    plt.close("all")


# ------------------------------------------------------------------------------------ bad input


def refused(match, error=ValueError, estimators=MEAN, **changed):
    X, y, task = stacked()
    given = {"X": X, "y": y, "task": task, "cv": FOLDS} | changed
    with pytest.raises(error, match=match):
        cm.compare_tasks(estimators, given.pop("X"), given.pop("y"), **given)


def test_bad_input():
    _, y, task = stacked()
    refused("one task only, 'north': nothing to compare", task=np.repeat("north", len(y)))
    refused("one task only, nothing to compare", task=None)
    refused("one task only, nothing to compare", task=None, y=y[:, None])
    refused("no estimator of convexmtl", TypeError, estimators=Ridge())
    refused("no estimator of convexmtl", TypeError, estimators={"ridge": make_pipeline(Ridge())})
    refused("no estimator of convexmtl", TypeError, estimators=[MEAN, "lasso"])
    refused("estimators is empty", estimators=[])
    refused("all regressors or all classifiers", estimators=[MEAN, cm.TraceNormClassifier()])
    refused(
        "fold 0 trains on no sample of task '.*'. Use TaskKFold", cv=[(np.flatnonzero(task != "east"), [0]), ([1], [2])]
    )
    refused("1 split", cv=[(np.arange(60), np.arange(60, 65))])
    refused("alpha must be between 0 and 1, got 5", alpha=5)
    refused("as many rows", y=y[:-1])
    refused("task must have shape", task=task[:-1])
    refused("scoring", scoring="best")
    refused("y to be passed", y=None)
    refused("hand over either task labels", y=np.c_[y, y])
    refused("n_splits must be an integer >= 2, got 1", cv=1)


def test_a_model_that_is_not_there(found):
    for look in (found.helped, found.plot):
        with pytest.raises(ValueError, match="got 'third'"):
            look("third")


@pytest.mark.parametrize("n_tasks", [1, 3, 10])
def test_what_is_said_on_the_whole_is_wrong_as_seldom_as_claimed(n_tasks):
    """What a task's rows make of two models of the same worth is in all its folds, and not 0; the folds add noise."""
    rng, J, sets = np.random.default_rng(0), 10, 300
    counts = [np.full((J, n_tasks), n) for n in (16, 4)]
    said = 0
    for _ in range(sets):
        scores = rng.standard_normal(n_tasks) * (n_tasks > 1) + 0.5 * rng.standard_normal((1, J, n_tasks))
        alone = np.zeros((J, n_tasks))
        words = comparison.Comparison(["m"], np.arange(n_tasks), scores, alone, alone, *counts, "loss", 1, 0.05)
        said += "on the whole" in words.summary()
    assert said / sets < 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / sets)
