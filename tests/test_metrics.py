"""Scores of several tasks, against their formulas."""

import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    mean_absolute_error,
    mean_squared_error,
    r2_score,
    root_mean_squared_error,
)
from sklearn.model_selection import GridSearchCV, cross_validate

import convexmtl as cm
from convexmtl.metrics import TaskScorer, explained_variance, nmse, task_scores
from convexmtl.model_selection import TaskKFold, TaskShuffleSplit


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    task = rng.permutation(np.repeat(["a", "b", "c"], [30, 12, 5]))
    y = rng.standard_normal(47) + 2 * (task == "a")
    return y, y + 0.5 * rng.standard_normal(47), task


def test_explained_variance(data):
    y, z, task = data
    own = [1 - np.mean((y - z)[task == t] ** 2) / np.var(y[task == t], ddof=1) for t in "abc"]
    assert_allclose(explained_variance(y, z, task=task), 1 - np.mean((y - z) ** 2) / np.var(y))
    assert_allclose(explained_variance(y, z, task=task, average=None), own)
    assert_allclose(explained_variance(y, z, task=task, average="equal"), np.mean(own))
    assert_allclose(explained_variance(y, z, task=task, average="size"), np.average(own, weights=[30, 12, 5]))
    assert_allclose(explained_variance(y, z), r2_score(y, z))


def test_nmse(data):
    y, z, task = data
    own = [np.mean((y - z)[task == t] ** 2) / np.var(y[task == t]) for t in "abc"]
    assert_allclose(nmse(y, z, task=task), np.mean(own))
    assert_allclose(nmse(y, z, task=task, average="size"), np.average(own, weights=[30, 12, 5]))
    assert_allclose(nmse(y, z, task=task, average="pooled"), np.mean((y - z) ** 2) / np.var(y))
    assert_allclose(nmse(y, z, task=task, average=None), own)


@pytest.mark.parametrize("average", ["pooled", "size", "equal", None])
@pytest.mark.parametrize("score", [explained_variance, nmse])
def test_missing_targets_do_not_count(score, average):
    rng = np.random.default_rng(0)
    Y = rng.standard_normal((20, 3))
    Z = Y + rng.standard_normal((20, 3))
    Y[::3, 1] = np.nan
    seen = ~np.isnan(Y)
    task = np.broadcast_to(np.arange(3), Y.shape)
    assert_allclose(score(Y, Z, average=average), score(Y[seen], Z[seen], task=task[seen], average=average))


def test_weights_are_repetitions(data):
    y, z, task = data
    weight = np.random.default_rng(1).integers(0, 3, len(y))
    again = np.repeat(np.arange(len(y)), weight)
    for score in (explained_variance, nmse):
        for average in ("pooled", "size", "equal"):
            a = score(y, z, task=task, sample_weight=weight, average=average)
            assert_allclose(a, score(y[again], z[again], task=task[again], average=average))


def test_weights_by_task_and_columns(data):
    y, z, task = data
    both, weight = np.c_[y, y], np.c_[np.ones(len(y)), task == "a"]
    own = nmse(both, np.c_[z, z], sample_weight=weight, average=None)
    assert_allclose(own, [nmse(y, z), nmse(y[task == "a"], z[task == "a"])])
    assert nmse(y[:, None], z, task=task) == nmse(y, z, task=task)


def test_a_task_that_does_not_vary_is_left_out(data):
    y, z, task = data
    y = np.where(task == "c", 1.0, y)
    own = explained_variance(y, z, task=task, average=None)
    assert np.isnan(own[2]) and explained_variance(y, z, task=task, average="equal") == pytest.approx(own[:2].mean())


def test_one_row_per_task(data):
    y, z, task = data
    table = task_scores(y, z, task=task)
    assert table.index.tolist() == ["a", "b", "c"] and table["n"].tolist() == [30, 12, 5]
    assert_allclose(table["rmse"] ** 2, table["mse"])
    assert_allclose(table.loc["b", "r2"], r2_score(y[task == "b"], z[task == "b"]))
    labels = task_scores(y > 0, z > 0, task=task)
    assert_allclose(labels.loc["a", "accuracy"], np.mean((y > 0)[task == "a"] == (z > 0)[task == "a"]))
    frame = pd.DataFrame({"u": y, "v": np.where(task == "a", np.nan, y)})
    assert task_scores(frame, np.c_[z, z])["n"].to_dict() == {"u": 47, "v": 17}
    bias = task_scores(y, z, task=task, metrics={"bias": lambda a, b, **_: np.mean(b - a)})
    assert_allclose(bias.loc["c", "bias"], np.mean((z - y)[task == "c"]))


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda y, z, t: explained_variance(y, z[:5], task=t), "one shape"),
        (lambda y, z, t: explained_variance(y, z, task=t, average="mean"), "average must be one of"),
        (lambda y, z, t: nmse(np.c_[y, y], np.c_[z, z], task=t), "every column of y is a task"),
        (lambda y, z, t: nmse(np.full(3, np.nan), np.zeros(3)), "no target that counts"),
        (lambda y, z, t: nmse(y, z, task=t[:5]), "inconsistent numbers"),
        (lambda y, z, t: nmse(y, np.where(t == "a", np.nan, z), task=t), "y_pred contains NaN"),
        (lambda y, z, t: explained_variance(np.where(t == "a", np.inf, y), z, task=t), "y_true contains infinity"),
        (lambda y, z, t: nmse(y, z, task=t, sample_weight=-np.ones(len(y))), "sample_weight must be >= 0, got -1"),
        (lambda y, z, t: nmse(y, z, task=np.where(t == "a", None, t)), "task must not be missing"),
    ],
)
def test_bad_input(data, call, message):
    with pytest.raises(ValueError, match=message):
        call(*data)


def test_scorer_with_a_task_column():
    rng = np.random.default_rng(0)
    task = np.repeat(np.arange(3), 20)
    X = np.column_stack([rng.standard_normal((60, 4)), task])
    y = X[:, 0] + 3 * task + 0.3 * rng.standard_normal(60)
    estimator = cm.MeanRegularizedRegressor(task_column=-1)
    scorer = TaskScorer(explained_variance, task_column=-1, average="size")
    fit = estimator.fit(X, y)
    assert scorer(fit, X, y) == pytest.approx(explained_variance(y, fit.predict(X), task=task, average="size"))
    worse = TaskScorer(nmse, task_column=-1, greater_is_better=False)
    assert worse(fit, X, y) == pytest.approx(-nmse(y, fit.predict(X), task=task))
    search = GridSearchCV(
        estimator, {"alpha_variance": [0.1, 10.0]}, scoring=scorer, cv=TaskKFold(3, task_column=-1)
    ).fit(X, y)
    assert search.best_score_ > 0
    scoring = {"pooled": TaskScorer(explained_variance), "own": scorer}
    both = cross_validate(fit, X, y, scoring=scoring, cv=TaskKFold(3, task_column=-1))
    # The differences between the tasks are explained as well.
    assert np.all(both["test_pooled"] > both["test_own"])


def test_scorer_by_metadata_routing():
    rng = np.random.default_rng(0)
    task = np.repeat(np.arange(3), 20)
    X = rng.standard_normal((60, 4))
    y = X[:, 0] + 3 * task + 0.3 * rng.standard_normal(60)
    with sklearn.config_context(enable_metadata_routing=True):
        estimator = cm.MeanRegularizedRegressor().set_fit_request(task=True)
        scorer = TaskScorer(explained_variance, average="size").set_score_request(task=True)
        search = GridSearchCV(estimator, {"alpha_variance": [0.1, 10.0]}, scoring=scorer, cv=TaskKFold(3))
        search.fit(X, y, task=task, groups=task)
    assert search.best_score_ > 0


def test_scorer_of_shared_data():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 4))
    Y = X @ rng.standard_normal((4, 3)) + rng.standard_normal((40, 3))
    Y[::5, 1] = np.nan
    fit = cm.TraceNormRegressor(alpha=0.1).fit(X, Y)
    assert TaskScorer(nmse)(fit, X, Y) == pytest.approx(nmse(Y, fit.predict(X)))


def test_tables_of_the_usual_metrics():
    """As scikit-learn's own, task by task, with weights; a constant task, one of one row, one of one class."""
    rng = np.random.default_rng(0)
    task = np.repeat(["a", "b", "c", "d"], [30, 12, 5, 1])
    y, w = rng.standard_normal(48), rng.uniform(0.5, 2, 48)
    y[task == "c"] = 0.1
    z = y + 0.5 * rng.standard_normal(48)
    table = task_scores(y, z, task=task, sample_weight=w)
    sparse = {"mse": mean_squared_error, "mae": mean_absolute_error, "rmse": root_mean_squared_error}
    for t in "abcd":
        own = task == t
        for name, metric in sparse.items():
            assert_allclose(table.loc[t, name], metric(y[own], z[own], sample_weight=w[own]))
    for t in "ab":
        assert_allclose(table.loc[t, "r2"], r2_score(y[task == t], z[task == t], sample_weight=w[task == t]))
    assert table.loc["c", "r2"] == 0 and np.isnan(table.loc["d", "r2"])
    assert np.isnan(nmse(y, z, task=task, average=None)[2])
    labels = np.array(["no", "yes"])
    table = task_scores(labels[(y > 0).astype(int)], labels[(z > 0).astype(int)], task=task, sample_weight=w)
    for t in "abcd":
        own = task == t
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = balanced_accuracy_score(y[own] > 0, z[own] > 0, sample_weight=w[own])
        assert_allclose(table.loc[t, "balanced_accuracy"], expected)
        assert_allclose(table.loc[t, "accuracy"], accuracy_score(y[own] > 0, z[own] > 0, sample_weight=w[own]))


def test_many_tasks_take_no_loop():
    """A hundred thousand tasks: each had been looked for among all rows."""
    n_tasks = 100_000
    task = np.tile(np.arange(n_tasks), 2)
    y = np.concatenate([np.zeros(n_tasks), np.ones(n_tasks)])
    assert nmse(y, 0 * y, task=task) == 2 and task_scores(y, y, task=task)["mse"].sum() == 0
    assert task_scores(y > 0, y > 0, task=task)["balanced_accuracy"].min() == 1
    train, test = next(TaskKFold(2).split(y[:, None], y, task))
    assert_array_equal(np.sort(task[train]), np.arange(n_tasks))
    assert_array_equal(np.sort(task[test]), np.arange(n_tasks))
    train, test = next(TaskShuffleSplit(1, test_size=0.5, random_state=0).split(y[:, None], y, task))
    assert_array_equal(np.sort(task[test]), np.arange(n_tasks))
