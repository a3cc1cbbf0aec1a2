"""What every task gains from every other one."""

import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import PredefinedSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import convexmtl as cm
from convexmtl.affinity import TaskAffinity
from convexmtl.model_selection import TaskKFold

plt.switch_backend("Agg")
ESTIMATORS = [
    getattr(cm, name) for name in cm.__all__ if name.endswith(("Regressor", "Classifier", "CV")) and "Mixed" not in name
]


def grouped(layout="stacked", seed=0, n=24, d=10, noise=1.0, groups=(0, 0, 0, 1, 1, 1)):
    """(X, y, options): tasks with the same model in every group."""
    rng, T = np.random.default_rng(seed), len(groups)
    W = rng.normal(size=(max(groups) + 1, d))[list(groups)]
    if layout == "shared":
        X = rng.normal(size=(n, d))
        return X, X @ W.T + noise * rng.normal(size=(n, T)), {}
    X, task = rng.normal(size=(T * n, d)), rng.permutation(np.repeat(np.arange(T), n))
    y = np.sum(X * W[task], axis=1) + noise * rng.normal(size=T * n)
    return X, y, {"task": np.array(list("abcdefgh"))[task]}


@pytest.mark.parametrize("layout", ["shared", "stacked"])
def test_blocks_are_found(layout):
    X, y, options = grouped(layout, n=30, noise=0.5)
    affinity = cm.task_affinity(cm.TaskRelationshipRegressor(0.2), X, y, cv=2, **options)
    own = np.equal.outer(*[np.arange(6) // 3] * 2)
    assert affinity.matrix.shape == (6, 6) and not np.diag(affinity.matrix).any()
    assert affinity.matrix[own & ~np.eye(6, dtype=bool)].min() > affinity.matrix[~own].max()
    assert_array_equal(affinity.cluster(2), [0, 0, 0, 1, 1, 1])
    assert_array_equal(affinity.cluster(1), np.zeros(6))
    assert sorted(affinity.cluster(6)) == list(range(6))
    assert "6 tasks" in repr(affinity)


def squares(y, z):
    return (y - z) ** 2


def logistic(y, z):
    return np.log1p(np.exp(np.where(y == "yes", -z, z)))


def one_by_one(estimator, X, y, folds, loss, weight, task=None):
    """(losses, matrix, standard errors), each (T, T), by fits to what a user would hand over."""
    labels = np.arange(y.shape[1]) if task is None else np.unique(task)
    T, own_weight = len(labels), np.asarray(estimator.task_weight)
    found = np.empty((3, T, T))
    for t in range(T):
        lost = {}
        for s in range(T):
            pair, of_folds = sorted({s, t}), []
            for train, test in folds:
                model = clone(estimator).set_params(task_weight=own_weight[pair])
                if task is None:
                    model.fit(X[train], y[train][:, pair], sample_weight=weight[train][:, pair])
                    seen = test[~np.isnan(y[test, t])]
                    z, target, w = model.predict(X[seen])[:, pair.index(t)], y[seen, t], weight[seen, t]
                else:
                    rows, seen = train[np.isin(task[train], labels[pair])], test[task[test] == labels[t]]
                    model.fit(X[rows], y[rows], sample_weight=weight[rows], task=task[rows])
                    predict = getattr(model, "decision_function", model.predict)
                    z, target, w = predict(X[seen], task=task[seen]), y[seen], weight[seen]
                of_folds.append((loss(target, z), w))
            lost[s], w = np.concatenate(of_folds, axis=1)
        w = w / w.sum()
        for s in range(T):
            less = lost[t] - lost[s]
            unit = max(w @ lost[t], w @ lost[s])
            error = np.sqrt(w**2 @ (less - w @ less) ** 2)
            found[:, t, s] = w @ lost[s], (w @ less) / unit, error / unit
    return found


@pytest.mark.parametrize("kind", ["shared", "stacked", "classes"])
def test_agrees_with_fits_one_by_one(kind):
    X, y, options = grouped("shared" if kind == "shared" else "stacked", n=20, d=4, groups=(0, 0, 1, 1))
    rng = np.random.default_rng(1)
    weight = rng.uniform(0.5, 2, y.shape)
    estimator, loss = cm.TraceNormRegressor(0.1, task_weight=[1.0, 2.0, 3.0, 4.0], tol=1e-8), squares
    if kind == "shared":
        y[rng.random(y.shape) < 0.2] = np.nan
    if kind == "classes":
        y, estimator = np.where(y > 0, "yes", "no"), cm.MeanRegularizedClassifier(0.1, 0.1, task_weight=np.ones(4))
        loss = logistic
    folds = list(TaskKFold(3).split(X, groups=options.get("task")))
    found = cm.task_affinity(estimator, X, y, cv=folds, sample_weight=weight, **options)
    losses, matrix, errors = one_by_one(estimator, X, y, folds, loss, weight, **options)
    assert_allclose(found.losses, losses, rtol=1e-5)
    assert_allclose(found.matrix, matrix, atol=1e-5)
    assert_allclose(found.standard_error, errors, atol=1e-5)


@pytest.mark.covering(1)
@pytest.mark.parametrize("layout", ["shared", "stacked"])
@pytest.mark.parametrize("cls", ESTIMATORS, ids=lambda cls: cls.__name__)
def test_every_estimator(cls, layout):
    X, y, options = grouped(layout, n=16, d=3, groups=(0, 0, 1))
    y = (y > 0).astype(int) if is_classifier(cls()) else y
    given = {"alphas": 2, "eps": 0.1, "cv": 2} if cls.__name__.endswith("CV") else {}
    names = cls().get_params()
    given |= {"ratios": [1.0]} if "ratios" in names else {}
    given |= {"n_clusters": 1} if "n_clusters" in names else {}
    given |= {"families": ["BlockSparse"], "alphas": 2, "cv": 2} if "families" in names else {}
    found = cm.task_affinity(cls(**given, tol=1e-3), X, y, cv=2, **options)
    assert np.all(np.isfinite(found.matrix)) and np.all(np.abs(found.matrix) <= 1) and (found.losses > 0).all()


# ------------------------------------------------------------------------------------- its input


def test_layouts_say_the_same():
    X, y, options = grouped(n=6, groups=(0, 0, 1))
    task = options["task"]
    estimator = cm.MeanRegularizedRegressor(0.1, 0.5)
    expected = cm.task_affinity(estimator, X, y, task=task, cv=2)
    assert_array_equal(expected.tasks, ["a", "b", "c"])
    frame = pd.DataFrame(X, columns=[f"f{j}" for j in range(10)]).assign(school=task)
    by_name = clone(estimator).set_params(task_column="school")
    array = np.column_stack([np.searchsorted(expected.tasks, task), X])
    ways = [
        (estimator, sparse.csr_array(X), {"task": list(task)}),
        (by_name, frame, {}),
        (clone(estimator).set_params(task_column=0), array, {}),
        (make_pipeline(FunctionTransformer(), estimator), X.tolist(), {"task": task}),
        (make_pipeline(FunctionTransformer(), by_name), frame, {}),
    ]
    for model, X, given in ways:
        assert_allclose(cm.task_affinity(model, X, y, cv=2, **given).matrix, expected.matrix, atol=1e-9)


def test_steps_before_are_fitted_to_what_is_trained():
    X, y, options = grouped(n=12, d=4, groups=(0, 0, 1))
    estimator, task = cm.MeanRegularizedRegressor(0.1, 0.5), options["task"]
    train, test = next(iter(TaskKFold(3).split(X, groups=task)))
    found = cm.task_affinity(make_pipeline(StandardScaler(), estimator), X, y, task=task, cv=[(train, test)])
    rows, seen = train[task[train] != "b"], test[task[test] == "c"]
    scaler = StandardScaler().fit(X[rows])
    model = clone(estimator).fit(scaler.transform(X[rows]), y[rows], task=task[rows])
    z = model.predict(scaler.transform(X[seen]), task=task[seen])
    assert_allclose(found.losses[2, 0], np.mean((y[seen] - z) ** 2))


def test_names_of_columns_and_the_frame():
    X, y, _ = grouped("shared", groups=(0, 0, 1))
    names = ["north", "east", "south"]
    found = cm.task_affinity(cm.TraceNormRegressor(0.1), X, pd.DataFrame(y, columns=names), cv=2)
    assert found.frame.index.tolist() == found.frame.columns.tolist() == names
    assert found.frame.loc["north", "south"] == found.matrix[0, 2]


def test_structure_that_some_of_the_tasks_cannot_have():
    X, y, options = grouped(groups=(0, 0, 1))
    for estimator in (
        cm.GraphGuidedRegressor([("a", "b")]),
        cm.GraphGuidedRegressorCV([(0, 1)]),
        cm.TemporalRegressor(order=["a", "b", "c"]),
        cm.MultiTaskRegressor(cm.TaskCoupling(np.eye(3))),
        cm.MultiTaskRegressor(cm.RowNorm(0.1) + cm.GraphLaplacian([("a", "c")])),
    ):
        name = type(estimator).__name__
        with pytest.raises(ValueError, match=f"task_affinity fits some of the tasks.*this {name} cannot be fitted"):
            cm.task_affinity(estimator, X, y, **options)


def test_bad_input():
    X, y, options = grouped(n=6, groups=(0, 0, 1))
    estimator, task = cm.MeanRegularizedRegressor(), options["task"]
    with pytest.raises(TypeError, match=r"takes an estimator of convexmtl, or a pipeline.*got RidgeCV"):
        cm.task_affinity(RidgeCV(), X, y, task=task)
    for given in ({}, {"task": np.zeros(len(y))}):
        with pytest.raises(ValueError, match="task_affinity needs two tasks or more, got one"):
            cm.task_affinity(estimator, X, y, **given)
    lone = np.where(np.arange(len(y)) == 3, "lone", task)
    with pytest.raises(ValueError, match="no fold tests task 'lone'"):
        cm.task_affinity(estimator, X, y, task=lone)
    with pytest.raises(ValueError, match="fold 0 trains on no sample of task"):
        cm.task_affinity(estimator, X, y, task=task, cv=PredefinedSplit(np.searchsorted(np.unique(task), task)))
    classes = np.where(task == "b", 1.0, y > 0)
    with pytest.raises(ValueError, match="fold 0 trains task 'b' on a single class"):
        cm.task_affinity(cm.MeanRegularizedClassifier(), X, classes, task=task, cv=2)
    with pytest.raises(ValueError, match="alpha_mean"):
        cm.task_affinity(cm.MeanRegularizedRegressor(-1.0), X, y, task=task)
    affinity = cm.task_affinity(estimator, X, y, task=task, cv=2)
    for n in (0, 4, 1.0, True):
        with pytest.raises(ValueError, match="n must be an integer between 1 and the number of tasks"):
            affinity.cluster(n)


def test_fits_that_do_not_converge_are_counted_once():
    X, y, options = grouped(groups=(0, 0, 1))
    with pytest.warns(ConvergenceWarning, match="12 of 12 fits did not reach tol=1e-12") as caught:
        cm.task_affinity(cm.TraceNormRegressor(0.01, max_iter=1, tol=1e-12), X, y, cv=2, **options)
    assert len(caught) == 1


# ------------------------------------------------------------------------------------ its picture


@pytest.mark.parametrize("n_tasks", [3, 150])
def test_drawn(n_tasks):
    matrix = np.random.default_rng(0).uniform(-0.2, 0.1, (n_tasks, n_tasks)) * (1 - np.eye(n_tasks))
    affinity = TaskAffinity(matrix, np.abs(matrix), 1 - matrix, np.arange(n_tasks))
    display = affinity.plot(n_clusters=2)
    display.figure_.canvas.draw()
    assert_array_equal(display.im_.get_array(), matrix[np.ix_(display.tasks_, display.tasks_)])
    assert display.im_.get_clim() == (-np.abs(matrix).max(), np.abs(matrix).max())
    assert display.ax_.get_ylabel() == "Task that gains" and len(display.lines_) == 2
    plt.close("all")


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"TaskAffinity\.plot requires matplotlib"):
        TaskAffinity(np.eye(2), np.eye(2), np.eye(2), np.arange(2)).plot()
