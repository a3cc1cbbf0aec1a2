"""Tasks of more than two classes: columns of W for their classes, and what penalties of tasks make of these."""

import pickle
from itertools import pairwise

import cases
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

import convexmtl as cm
from convexmtl import certify, inspection, reference
from convexmtl.baselines import PooledClassifierCV
from convexmtl.comparison import compare_on
from convexmtl.penalties import (
    GraphGuided,
    GraphLaplacian,
    MeanCoupling,
    RowNorm,
    TaskCoupling,
    Temporal,
    TensorTraceNorm,
    TreeGuided,
)
from convexmtl.stability import _halves

TASKS = ("east", "north", "west")


def draw(n=90, d=4, seed=0):
    """(X, labels, task of every row): three tasks; "west" has no class "c"."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    z = X @ rng.normal(size=(d, 3)) + rng.gumbel(size=(n, 3))
    y = np.array(["a", "b", "c"])[z.argmax(axis=1)]
    task = np.array(TASKS)[rng.integers(0, 3, n)]
    return X, np.where((task == "west") & (y == "c"), "a", y), task


def wide(n=60, d=4, seed=1):
    """(X, Y): three targets of three, two and four classes, some of them missing."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    Y = np.empty((n, 3), dtype=object)
    for t, labels in enumerate((["a", "b", "c"], [False, True], [3, 5, 7, 9])):
        z = X @ rng.normal(size=(d, len(labels))) + rng.gumbel(size=(n, len(labels)))
        Y[:, t] = np.array(labels, dtype=object)[z.argmax(axis=1)]
    Y[rng.random(Y.shape) < 0.1] = None
    return X, Y


# ------------------------------------------------------------------------------------------- laws


@pytest.mark.parametrize("weighted", [False, True])
def test_one_task_is_multinomial_logistic_regression(weighted):
    X, y, _ = draw()
    s = np.random.default_rng(0).uniform(0.5, 2, len(y)) if weighted else np.ones(len(y))
    ours = cm.BlockSparseClassifier(0.05, l1_ratio=0.0, tol=1e-13).fit(X, y, sample_weight=s)
    theirs = LogisticRegression(C=1 / (0.05 * s.sum()), tol=1e-10, max_iter=10_000).fit(X, y, sample_weight=s)
    assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-6)
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-6)
    assert_allclose(ours.decision_function(X), theirs.decision_function(X), atol=1e-5)
    assert_array_equal(ours.predict(X), theirs.predict(X))
    assert_array_equal(ours.classes_, theirs.classes_)


@pytest.mark.parametrize("form", ["stacked", "single"])
def test_two_classes_as_two_columns(form):
    """Half the strength of a ridge, and logistic loss: the same predictions."""
    X, y, options = cases.user_input("logistic", form)
    one = cm.MultiTaskClassifier(MeanCoupling(0.1, 0.3), tol=1e-12).fit(X, y, **options)
    two = cm.MultiTaskClassifier(MeanCoupling(0.2, 0.6), loss="softmax", tol=1e-12).fit(X, y, **options)
    task = {k: v for k, v in options.items() if k == "task"}
    assert_allclose(two.coef_[1::2], one.coef_ / 2, atol=1e-6)
    assert_allclose(two.coef_[::2], -one.coef_ / 2, atol=1e-6)
    assert_allclose(two.objective_, one.objective_, rtol=1e-10)
    assert_allclose(two.decision_function(X, **task), one.decision_function(X, **task), atol=1e-5)
    assert_allclose(two.predict_proba(X, **task), one.predict_proba(X, **task), atol=1e-5)
    assert_array_equal(two.predict(X, **task), one.predict(X, **task))


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
def test_margins_are_one_against_the_rest(loss):
    X, y, _ = draw()
    ours = cm.MultiTaskClassifier(RowNorm(0.1, l1_ratio=0.0), loss=loss, tol=1e-9).fit(X, y)
    for label, w, b in zip(ours.classes_, ours.coef_, ours.intercept_, strict=True):
        one = cm.MultiTaskClassifier(RowNorm(0.1, l1_ratio=0.0), loss=loss, tol=1e-9).fit(X, y == label)
        assert_allclose(w, one.coef_[0], atol=1e-3)
        assert_allclose(b, one.intercept_[0], atol=1e-2)
    assert_array_equal(ours.predict(X), ours.classes_[ours.decision_function(X).argmax(axis=1)])
    assert not hasattr(ours, "predict_proba")


def test_weights_are_repeated_rows():
    X, y, task = draw()
    often = np.random.default_rng(0).integers(0, 3, len(y))
    rows = np.repeat(np.arange(len(y)), often)
    model = cm.MultiTaskClassifier(MeanCoupling(0.1, 0.2), task_weight=[1.0, 2.0, 0.5], tol=1e-11)
    weighted = clone(model).fit(X, y, task=task, sample_weight=often)
    repeated = clone(model).fit(X[rows], y[rows], task=task[rows])
    assert_allclose(weighted.coef_, repeated.coef_, atol=1e-5)
    assert_allclose(weighted.objective_, repeated.objective_, rtol=1e-9)


# ------------------------------------------------- what penalties of tasks are of their columns


def textbook(model, X, y, task, omega):
    """The objective of softmax tasks in cvxpy, for the penalty omega({(task, class): w})."""
    import cvxpy as cp

    total, W = 0, {}
    for t in TASKS:
        own, classes = task == t, np.unique(y[task == t])
        # Of two classes one column, of the second.
        columns = classes if len(classes) > 2 else classes[1:]
        for k in columns:
            W[t, k] = cp.Variable(X.shape[1])
        Z = cp.vstack([X[own] @ W[t, k] + cp.Variable() for k in columns]).T
        if len(classes) == 2:
            Z = cp.hstack([np.zeros((own.sum(), 1)), Z])
        right = (y[own][:, None] == classes).astype(float)
        total += cp.sum(cp.log_sum_exp(Z, axis=1) - cp.sum(cp.multiply(right, Z), axis=1)) / own.sum()
    return cases.least(cp.Problem(cp.Minimize(total + omega(W, cp))))


def each_class(W, tasks=TASKS):
    """[columns of a class, in the order of the tasks that have it]."""
    return [[W[t, k] for t in tasks if (t, k) in W] for k in "abc"]


def of_means(W, cp):
    total = 0
    for own in each_class(W):
        mean = sum(own) / len(own) if own else 0
        total += 0.2 * len(own) / 3 * cp.sum_squares(mean)
        total += 0.5 / 3 * sum(cp.sum_squares(w - mean) for w in own)
    return total


EDGES = [("east", "north", 0.5), ("north", "west", 2.0)]


def along_edges(W, distance):
    return sum(o * distance(W[s, k] - W[t, k]) for s, t, o in EDGES for k in "abc" if (s, k) in W and (t, k) in W)


def in_time(W, distance, order=("west", "east", "north")):
    return sum(distance(after - before) for own in each_class(W, order) for before, after in pairwise(own))


def of_matrix(W, cp):
    M = cases.some_matrix(3)
    L = np.linalg.cholesky(0.1 * M)
    zero = np.zeros(4)
    return sum(
        cp.sum_squares(
            sum(
                np.outer(np.eye(1), L[t])[0][:, None]
                @ cp.reshape(W.get((name, k), cp.Constant(zero)), (1, 4), order="C")
                for t, name in enumerate(TASKS)
            )
        )
        for k in "abc"
    )


def sizes(W, tasks, cp):
    """Of every feature, the length of its coefficients in all columns of some tasks."""
    return cp.sum(cp.norm(cp.vstack([w for (t, _), w in W.items() if t in tasks]), 2, axis=0))


STRUCTURES = {
    "mean": (MeanCoupling(0.2, 0.5), of_means),
    "laplacian": (
        GraphLaplacian(EDGES, 0.3) + RowNorm(0.05),
        lambda W, cp: 0.3 * along_edges(W, cp.sum_squares) + 0.05 * sizes(W, TASKS, cp),
    ),
    "matrix": (TaskCoupling(cases.some_matrix(3), 0.1), of_matrix),
    "graph": (
        GraphGuided(EDGES, 0.05, alpha_sparse=0.02),
        lambda W, cp: 0.05 * along_edges(W, cp.norm1) + 0.02 * sum(cp.norm1(w) for w in W.values()),
    ),
    "temporal": (
        Temporal(0.1, alpha_sparse=0.03, order=["west", "east", "north"]),
        lambda W, cp: 0.1 * in_time(W, cp.norm1) + 0.03 * sum(cp.norm1(w) for w in W.values()),
    ),
    "temporal_free": (Temporal(0.1, order=["west", "east", "north"]), lambda W, cp: 0.1 * in_time(W, cp.norm1)),
    "temporal_squares": (
        Temporal(0.1, norm="l2", alpha_ridge=0.2, order=["west", "east", "north"]),
        lambda W, cp: 0.1 * in_time(W, cp.sum_squares) + 0.1 * sum(cp.sum_squares(w) for w in W.values()),
    ),
    "tree": (
        TreeGuided([(["east", "north"], 1.0), (["east", "north", "west"], 0.5), (["west"], 0.7)], 0.05),
        lambda W, cp: 0.05 * (sizes(W, TASKS[:2], cp) + 0.5 * sizes(W, TASKS, cp) + 0.7 * sizes(W, TASKS[2:], cp)),
    ),
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_structures_of_tasks(name):
    X, y, task = draw()
    penalty, omega = STRUCTURES[name]
    model = cm.MultiTaskClassifier(penalty, tol=1e-8).fit(X, y, task=task)
    assert model.coef_.shape == (7, 4)
    assert certify(model, X, y, task=task).gap <= 2e-8 * model.objective_
    assert_allclose(model.objective_, textbook(model, X, y, task, omega), rtol=1e-6)


ESTIMATORS = [
    cm.ClusteredClassifier(clusters=["u", "v", "u"]),
    cm.ClusteredClassifier(n_clusters=2),
    cm.DirtyClassifier(0.05, 0.03),
    cm.RobustFeatureClassifier(0.05, 0.05),
    cm.SharedStructureClassifier(0.1),
    cm.SparseGroupClassifier(0.03, feature_weights=[0, 1, 1, 2]),
    cm.SparseLowRankClassifier(0.03, 0.05),
    cm.TaskRelationshipClassifier(0.1),
    cm.TraceNormClassifier(0.05),
    cm.BlockSparseClassifier(0.02, positive=True),
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda model: type(model).__name__)
@pytest.mark.parametrize("form", ["stacked", "wide"])
def test_certified(estimator, form):
    X, y, task = draw() if form == "stacked" else (*wide(), None)
    options = {} if task is None else {"task": task}
    if form == "wide" and getattr(estimator, "clusters", None) is not None:
        options = {"sample_weight": cases.entry_weights(np.random.default_rng(0), *y.shape) + 0.01}
    model = clone(estimator).set_params(tol=1e-7).fit(X, y, **options)
    scale = cases.scale_of(model._formulate(X, y, **options).problem)
    assert certify(model, X, y, **options).gap <= 1e-7 * scale * (1 + 1e-9)
    cases.assert_agrees(model.objective_, model.dual_gap_, reference.fit(model, X, y, **options), scale)
    assert str(cm.explain_fit(model)).startswith(f"{type(model).__name__}: 3 tasks, 4 features")


def test_tensors_have_the_class_for_an_index():
    X, y, task = draw(n=160)
    y = np.where((task == "west") & (np.arange(len(y)) % 3 == 0), "c", y)
    indices = {"east": (0, "low"), "north": (0, "high"), "west": (1, "low"), "south": (1, "high")}
    task = np.where(np.arange(len(y)) % 4 == 0, "south", task)
    model = cm.MultiTaskClassifier(TensorTraceNorm(indices, alpha=0.02), tol=1e-7).fit(X, y, task=task)
    assert certify(model, X, y, task=task).gap <= 1e-6
    assert len(model.multilinear_rank_) == 4
    asked = reference.fit(model, X, y, task=task)
    assert_allclose(model.objective_, asked.objective, rtol=1e-6)


def test_strengths_of_tasks():
    X, y, task = draw()
    model = cm.MultiTaskClassifier(RowNorm([0.01, 0.05, 10.0], q=1), tol=1e-9).fit(X, y, task=task)
    assert not model.coef_[6].any() and model.coef_[:6].any(axis=1).all()
    for t, alpha in zip(TASKS[:2], (0.01, 0.05), strict=True):
        own = task == t
        one = cm.MultiTaskClassifier(RowNorm(alpha, q=1), tol=1e-9).fit(X[own], y[own])
        rows = [name == t for name, _ in model.columns_]
        assert_allclose(model.coef_[rows], one.coef_, atol=1e-4)


# ------------------------------------------------------------------------------------ estimators


def test_stacked_tasks_of_different_classes():
    X, y, task = draw()
    model = cm.BlockSparseClassifier(0.02).fit(X, y, task=task)
    assert model.classes_.tolist() == ["a", "b", "c"] and model.tasks_.tolist() == list(TASKS)
    assert model.columns_.tolist() == [(t, k) for t in TASKS for k in ("abc" if t != "west" else "b")]
    scores, p = model.decision_function(X, task=task), model.predict_proba(X, task=task)
    west = task == "west"
    assert scores.shape == p.shape == (len(y), 3)
    assert np.all(scores[west, 2] == -np.inf) and not p[west, 2].any() and np.isfinite(scores[~west]).all()
    assert_allclose(p.sum(axis=1), 1)
    assert_array_equal(model.predict(X, task=task), model.classes_[p.argmax(axis=1)])
    assert model.score(X, y, task=task) == np.mean(model.predict(X, task=task) == y) > 0.6
    # Of its column alone.
    z = X @ model.coef_[6] + model.intercept_[6]
    assert_allclose(p[west, 1], 1 / (1 + np.exp(-z[west])))
    for again in (pickle.loads(pickle.dumps(model)), cm.from_dict(cm.to_dict(model))):
        assert_array_equal(again.predict_proba(X, task=task), p)
        assert again.columns_.tolist() == model.columns_.tolist()
    plain = cm.to_sklearn(model)
    for t in TASKS:
        k = [0, 1, 2] if t != "west" else [0, 1]
        assert_allclose(plain[t].predict_proba(X), model.predict_proba(X, task=np.full(len(y), t))[:, k], atol=1e-12)


def test_one_x_for_targets_of_different_classes():
    X, Y = wide()
    model = cm.BlockSparseClassifier(0.02).fit(X, Y)
    assert [own.tolist() for own in model.classes_] == [["a", "b", "c"], [False, True], [3, 5, 7, 9]]
    assert [len(p[0]) for p in model.predict_proba(X)] == [3, 2, 4]
    assert [z.shape for z in model.decision_function(X)] == [(60, 3), (60,), (60, 4)]
    Z = model.predict(X)
    assert Z.shape == (60, 3) and set(Z[:, 2]) <= {3, 5, 7, 9}
    seen = Y != None  # noqa: E711
    right = [np.mean(Z[seen[:, t], t] == Y[seen[:, t], t]) for t in range(3)]
    assert_allclose(model.score(X, Y), np.mean(right))
    # One task for each row.
    labels = np.resize([0, 1, 2], 60)
    assert_array_equal(model.predict(X, task=labels), Z[np.arange(60), labels])
    assert_allclose(model.predict_proba(X, task=labels).sum(axis=1), 1)
    sparse = clone(model).fit(csr_array(X), Y)
    assert_allclose(sparse.coef_, model.coef_, atol=1e-3)
    for one, p in zip(cm.to_sklearn(model).predict_proba(X), model.predict_proba(X), strict=True):
        assert_allclose(one, p, atol=1e-12)


def test_plain_margins():
    X, y, _ = draw()
    model = cm.BlockSparseClassifier(0.02, loss="squared_hinge").fit(X, y)
    plain = cm.to_sklearn(model)
    assert type(plain) is LinearSVC
    assert_allclose(plain.decision_function(X), model.decision_function(X))
    assert_array_equal(plain.predict(X), model.predict(X))


def test_a_task_that_fit_has_not_seen():
    X, y, task = draw()
    y = np.where((task == "west") & (np.arange(len(y)) % 3 == 0), "c", y)
    model = cm.BlockSparseClassifier(0.02, unseen_task="mean").fit(X, y, task=task)
    new = np.full(len(y), "south")
    W, b = model.coef_.reshape(3, 3, 4).mean(axis=0), model.intercept_.reshape(3, 3).mean(axis=0)
    assert_allclose(model.decision_function(X, task=new), X @ W.T + b)
    X, y, task = draw()
    own = clone(model).fit(X, y, task=task)
    with pytest.raises(ValueError, match="the tasks have labels of their own"):
        own.predict(X, task=new)


def log_losses(model, X, y, task, fold):
    """(T,) of its tasks on a fold, of which it is fitted to the training part."""
    train, test = fold
    one = clone(model).fit(X[train], y[train], task=task[train])
    p = one.predict_proba(X[test], task=task[test])
    return np.array(
        [log_loss(y[test][own], p[own], labels=one.classes_) for own in (task[test] == t for t in one.tasks_)]
    )


def halves(n):
    return [(np.arange(n) % 2 != k, np.arange(n) % 2 == k) for k in range(2)]


def test_a_search_compares_log_losses():
    X, y, task = draw()
    search = cm.BlockSparseClassifierCV(alphas=[0.1, 0.03], cv=halves(90), tol=1e-5).fit(X, y, task=task)
    found = [
        [log_losses(cm.BlockSparseClassifier(a, tol=1e-7), X, y, task, f) for f in halves(90)] for a in (0.1, 0.03)
    ]
    assert_allclose(search.mse_path_, np.mean(found, axis=2), rtol=1e-2)
    chosen = int(np.argmin(search.mse_path_.mean(axis=1)))
    assert_allclose(search.task_errors_, found[chosen], rtol=1e-2)
    assert search.classes_.tolist() == ["a", "b", "c"]


def test_a_class_that_a_fold_does_not_train():
    """Its column has no say there, and a finite intercept."""
    X, y, _ = draw()
    y = np.where(np.arange(len(y)) < 2, "rare", np.where(y == "c", "a", y))
    folds = [(np.arange(len(y)) >= 2, np.arange(len(y)) < 20), (np.arange(len(y)) < 60, np.arange(len(y)) >= 60)]
    search = cm.BlockSparseClassifierCV(alphas=4, cv=folds).fit(X, y)
    assert np.isfinite(search.mse_path_).all() and search.coef_.shape == (3, 4)
    # So it is of a class whose samples have no weight.
    model = cm.BlockSparseClassifier(0.01, tol=1e-9).fit(X, y, sample_weight=(y != "rare").astype(float))
    without = cm.BlockSparseClassifier(0.02, loss="softmax", tol=1e-9).fit(X[2:], y[2:])
    assert not model.coef_[2].any() and model.intercept_[2] < model.intercept_[:2].min()
    assert model.dual_gap_ <= 1e-8 and without.coef_.shape == (2, 4)


def test_relaxed():
    X, y, task = draw()
    model = cm.BlockSparseClassifier(0.08, refit="relaxed", tol=1e-6).fit(X, y, task=task)
    shrunk = cm.BlockSparseClassifier(0.08, tol=1e-6).fit(X, y, task=task)
    assert_array_equal(model.coef_ != 0, shrunk.coef_ != 0)
    assert model.dual_gap_ <= 1e-5 and np.abs(model.coef_).sum() > np.abs(shrunk.coef_).sum()
    assert certify(model, X, y, task=task).gap <= 1e-5


def test_one_model_for_all():
    X, y, _ = draw()
    task = np.resize(TASKS, len(y))
    model = PooledClassifierCV(alphas=[0.05], cv=2, tol=1e-9).fit(X, y, task=task)
    weight = 1 / np.array([np.sum(task == t) for t in task])
    one = cm.MultiTaskClassifier(RowNorm(0.05, l1_ratio=0.0), tol=1e-9).fit(X, y, sample_weight=weight)
    assert_allclose(model.coef_, np.tile(one.coef_, (3, 1)), atol=1e-4)
    assert_allclose(model.predict_proba(X, task=task), one.predict_proba(X), atol=1e-4)
    X, y, task = draw()
    with pytest.raises(ValueError, match="one model for all tasks needs tasks of the same classes"):
        clone(model).fit(X, y, task=task)


# --------------------------------------------------------------------------------- around a fit

RIDGE = cm.MultiTaskClassifier(MeanCoupling(0.1, 0.5), tol=1e-8)


def test_affinity_and_auxiliary_tasks():
    """They speak of tasks, and compare log losses of fits that know the labels."""
    X, y, task = draw()
    found = cm.task_affinity(RIDGE, X, y, task=task, cv=halves(90))
    assert found.tasks.tolist() == list(TASKS) and found.matrix.shape == (3, 3)
    for some, at in (((0,), (0, 0)), ((2,), (2, 2)), ((0, 2), (0, 2)), ((0, 2), (2, 0))):
        own = np.isin(task, [TASKS[t] for t in some])
        folds = [(train & own, test & own) for train, test in halves(90)]
        mass = [np.sum(test & (task == TASKS[at[0]])) for _, test in folds]
        each = [log_losses(RIDGE, X, y, task, fold)[some.index(at[0])] for fold in folds]
        assert_allclose(found.losses[at], np.average(each, weights=mass), rtol=1e-4)
    chosen = cm.select_auxiliary_tasks(clone(RIDGE).set_params(tol=1e-2), X, y, main="west", task=task, cv=2)
    assert chosen.main == "west" and set(chosen.candidates) == {"east", "north"}


@pytest.mark.parametrize("loss", ["logistic", "hinge"])
def test_affinity_with_one_x(loss):
    X, Y = wide()
    model = clone(RIDGE).set_params(loss=loss, tol=1e-5)
    found = cm.task_affinity(model, X, Y, cv=halves(60))
    assert found.tasks.tolist() == [0, 1, 2]
    seen = np.array([label is not None for label in Y[:, 2]])
    total = count = 0
    for train, test in halves(60):
        alone = clone(model).fit(X[train & seen], Y[train & seen, 2].astype(int))
        z, right = alone.decision_function(X[test & seen]), Y[test & seen, 2][:, None] == alone.classes_
        margin = np.sum(np.maximum(0, 1 - np.where(right, z, -z)), axis=1)
        total += np.sum(margin if loss == "hinge" else np.log(np.exp(z).sum(axis=1)) - z[right])
        count += len(z)
    assert_allclose(found.losses[2, 2], total / count, rtol=1e-2)


@pytest.mark.parametrize("form", ["stacked", "wide"])
@pytest.mark.parametrize("scoring", [None, "accuracy", "balanced_accuracy", "roc_auc_ovr"])
def test_comparison(form, scoring):
    X, y, task = draw() if form == "stacked" else (*wide(), None)
    folds = [tuple(map(np.flatnonzero, fold)) for fold in halves(len(X))]
    found = comparison_on(X, y, task, folds, scoring)
    assert len(found.tasks) == 3 and np.isfinite(found.scores).all()
    # There is no one model for tasks of different classes.
    assert np.isnan(found.pooled_scores).all() and "one for all" not in found.summary()
    if scoring is None and form == "stacked":
        each = [-log_losses(RIDGE, X, y, task, fold) for fold in halves(90)]
        assert_allclose(found.scores[0], each, rtol=1e-6)


def comparison_on(X, y, task, folds, scoring):
    return compare_on({"ridge": (RIDGE, RIDGE, RIDGE)}, X, y, task=task, cv=folds, scoring=scoring)


def test_comparison_with_one_model_for_all():
    X, y, _ = draw()
    task = np.resize(TASKS, 90)
    found = comparison_on(X, y, task, [tuple(map(np.flatnonzero, f)) for f in halves(90)], None)
    assert_allclose(found.scores, found.pooled_scores)
    rare = np.where(np.arange(90) == 0, "rare", y)
    with pytest.raises(ValueError, match=r"fold 0 trains task 'east' on 3 of its 4 classes: join rare classes"):
        comparison_on(X, rare, task, [tuple(map(np.flatnonzero, f)) for f in halves(90)], None)
    with pytest.raises(ValueError, match=r"fold 0 trains task 'east' on 3 of its 4 classes.*join rare classes"):
        cm.task_affinity(RIDGE, X, rare, task=task, cv=halves(90))


def test_best_of_all_families():
    X, y, task = draw()
    model = cm.AutoMultiTaskClassifier(["BlockSparse"], alphas=2, cv=halves(90), per_task=True, tol=1e-2)
    with pytest.warns(UserWarning, match="not possible: pooled"):
        model.fit(X, y, task=task)
    assert "same classes" in model.left_out_["pooled"] and len(model.task_families_) == 3
    assert model.coef_.shape == (7, 4) and len(model.columns_) == 7
    assert_allclose(model.predict_proba(X, task=task).sum(axis=1), 1)


def test_stability_selection_halves_every_class():
    X, y, task = draw()
    X[:, 3] = np.random.default_rng(5).normal(size=90)
    rare = np.where(np.arange(90) == np.flatnonzero(task == "west")[0], "c", y)
    found = cm.stability_selection(cm.BlockSparseClassifier(), X, rare, task=task, n_pairs=2, alphas=5, random_state=0)
    assert found.frequencies.shape == (4,) and len(found.tasks) == 9
    data = cm.BlockSparseClassifier()._read(X, y, None, task)
    for half in _halves(data, np.random.RandomState(0)):
        own = data.by_task
        for t in range(3):
            rows = np.arange(own.ptr[t], own.ptr[t + 1])
            of_class = [half[rows[own.y[rows] == k]] for k in np.unique(own.y[rows])]
            assert all(abs(h.sum() - len(h) / 2) <= 1.5 for h in of_class)


def test_adaptive_weights():
    X, y, task = draw()
    model = cm.adaptive(cm.BlockSparseClassifier(0.02)).fit(X, y, task=task)
    norms = np.linalg.norm(model.initial_.coef_, axis=0)
    weights = 1 / (norms / norms[norms > 0].mean() + 0.01)
    assert_allclose(model.feature_weights_, weights)
    assert len(model.columns_) == len(model.coef_) == 7


def test_displays_name_columns():
    plt = pytest.importorskip("matplotlib.pyplot")
    X, y, task = draw()
    rows = [f"{t}: {k}" for t in TASKS for k in ("abc" if t != "west" else "b")]
    model = cm.DirtyClassifier(0.05, 0.03, tol=1e-2).fit(X, y, task=task)
    clusters = cm.ClusteredClassifier(n_clusters=2, tol=1e-2).fit(X, y, task=task)
    known = cm.ClusteredClassifier(clusters=["u", "v", "u"], tol=1e-2).fit(X, y, task=task)
    shown = [
        inspection.CoefficientDisplay.from_estimator(model),
        inspection.SplitDisplay.from_estimator(model),
        inspection.TaskRelationshipDisplay.from_estimator(model),
        inspection.TaskRelationshipDisplay.from_estimator(clusters),
    ]
    for display in shown:
        assert sorted(map(str, display.task_names)) == rows
    assert shown[3].lines_ and len(shown[3].labels) == 7
    assert inspection.TaskRelationshipDisplay.from_estimator(known).task_names.tolist() == list(TASKS)
    own = inspection.CoefficientDisplay.from_estimator(model, task_names=["E", "N", "W"])
    assert own.task_names[0] == "E: a" and own.task_names[-1] == "W: b"
    path = inspection.PathDisplay.from_estimator(cm.BlockSparseClassifier(tol=1e-2), X, y, task=task, alphas=3)
    assert path.norms.shape == (3, 4)
    scores = inspection.TaskScoresDisplay.from_estimator(model, X, y, task=task)
    assert len(next(iter(scores.scores.values()))) == 3
    plt.close("all")


def test_pipelines_and_searches_of_scikit_learn():
    X, y, task = draw()
    X = np.column_stack([X, np.searchsorted(TASKS, task)])
    model = make_pipeline(FunctionTransformer(), cm.BlockSparseClassifier(task_column=4, tol=1e-2))
    search = GridSearchCV(model, {"blocksparseclassifier__alpha": [0.1, 0.02]}, cv=2, error_score="raise").fit(X, y)
    assert search.classes_.tolist() == ["a", "b", "c"]
    assert search.score(X, y) == np.mean(search.predict(X) == y) > 0.6
    assert np.isfinite(cm.task_affinity(model, X, y, cv=2).matrix).all()


# ------------------------------------------------------------------------------ degrees of freedom


def curvatures(model, X, task):
    """(one matrix for all columns of W, features inside, with the intercepts taken out; degrees of these)."""
    d, counts, first, intercepts = X.shape[1], [], 0, 0
    owners = [t for t, _ in model.columns_]
    H = np.zeros((len(owners) * d,) * 2)
    for t in TASKS:
        K, own = owners.count(t), task == t
        z = X[own] @ model.coef_[first : first + K].T + model.intercept_[first : first + K]
        z = z if K > 1 else np.hstack([np.zeros(z.shape), z])
        p = (np.exp(z) / np.exp(z).sum(axis=1, keepdims=True))[:, -K:]
        bend = np.mean([np.kron(np.diag(q) - np.outer(q, q), np.outer(*[np.append(x, 1)] * 2)) for x, q in
                        zip(X[own], p, strict=True)], axis=0)  # fmt: skip
        b = np.arange(K) * (d + 1) + d
        w = np.setdiff1d(np.arange(len(bend)), b)
        inside = bend[np.ix_(w, w)] - bend[np.ix_(w, b)] @ np.linalg.pinv(bend[np.ix_(b, b)]) @ bend[np.ix_(b, w)]
        H[first * d : (first + K) * d, first * d : (first + K) * d] = inside
        first, intercepts, counts = first + K, intercepts + max(K - 1, 1), [*counts, K]
    return H, intercepts


@pytest.mark.parametrize("alpha", [1e-3, 0.02, 0.2])
@pytest.mark.parametrize("family", ["rows", "ridge"])
def test_degrees_of_freedom_are_the_influence_of_the_samples(family, alpha):
    """tr((H + P)^-1 H) along what moves, written down as one matrix; H of two classes beside others."""
    X, y, task = draw(n=150)
    penalty = RowNorm(alpha, l1_ratio=float(family == "rows"))
    model = cm.MultiTaskClassifier(penalty, tol=1e-12).fit(X, y, task=task)
    H, intercepts = curvatures(model, X, task)
    W, (n, d) = model.coef_, model.coef_.shape
    P = np.zeros((n, d, n, d))
    for j in np.flatnonzero(W.any(axis=0)):
        w, size = W[:, j], np.linalg.norm(W[:, j])
        P[:, j, :, j] = alpha * (np.eye(n) if family == "ridge" else (np.eye(n) - np.outer(w, w) / size**2) / size)
    moves = np.tile(W.any(axis=0), n)
    assert moves.any() and moves.all() == (alpha < 0.1 or family == "ridge")
    some = np.ix_(moves, moves)
    df = np.trace(np.linalg.solve((H + P.reshape(n * d, -1))[some], H[some])) + intercepts
    found = cm.degrees_of_freedom(model, X, y, task=task, per_task=True)
    assert found.shape == (3,)
    assert_allclose(found.sum(), df, rtol=1e-6)
    p = model.predict_proba(X, task=task)[np.arange(len(y)), np.searchsorted(model.classes_, y)]
    bic = cm.information_criterion(model, X, y, task=task, criterion="bic")
    assert_allclose(bic, -2 * np.log(p).sum() + np.log(len(y)) * df, rtol=1e-6)


def test_two_columns_have_the_freedom_of_one():
    X, y, task = draw()
    y = y == "a"
    one, two = (
        cm.MultiTaskClassifier(MeanCoupling(*strengths), loss=loss, tol=1e-12).fit(X, y, task=task)
        for loss, strengths in (("logistic", (0.1, 0.3)), ("softmax", (0.2, 0.6)))
    )
    assert two.coef_.shape == (6, 4)
    for measure in (cm.degrees_of_freedom, cm.information_criterion):
        assert_allclose(measure(two, X, y, task=task), measure(one, X, y, task=task), rtol=1e-6)


def test_a_search_by_a_criterion():
    X, y, task = draw()
    alphas = [0.2, 0.1, 0.03, 0.003]
    values = [cm.information_criterion(cm.BlockSparseClassifier(a), X, y, task=task, criterion="bic") for a in alphas]
    search = cm.BlockSparseClassifierCV(alphas=alphas, selection="bic").fit(X, y, task=task)
    assert search.alpha_ == alphas[int(np.argmin(values))] and 0 < np.argmin(values) < 3


# --------------------------------------------------------------------------------------- bad input


def test_what_several_columns_do_not_do_says_so():
    X, y, task = draw()
    model = cm.BlockSparseClassifier(0.05).fit(X, y, task=task)
    with pytest.raises(ValueError, match="offset is not for tasks with more than two classes"):
        model.predict(X, task=task, offset=np.ones(len(y)))
    with pytest.raises(ValueError, match="several columns of coefficients for a task"):
        cm.fit_new_task(model, X, y, label="south")
    many = np.random.default_rng(0).normal(size=(90, 150))
    large = cm.BlockSparseClassifier(0.05, loss="softmax", l1_ratio=1e-3, tol=1e-2).fit(many, y, task=task)
    with pytest.raises(ValueError, match=r"more than 1000, or not known: choose by cross-validation"):
        cm.degrees_of_freedom(large, many, y, task=task)
    way_out = "Fit tasks of more with a classifier.*make of each class a task of two"
    for loss, wrong in (("softmax", "losses has 'softmax'"), ("logistic", "for task 'east': 3 classes")):
        with pytest.raises(ValueError, match=f"{wrong}.*{way_out}"):
            cm.MultiTaskMixed(RowNorm(0.1), {t: loss for t in TASKS}).fit(X, y, task=task)
    with pytest.raises(TypeError, match="its predict_proba says how certain it is"):
        cm.prediction_interval(model, X, y, task=task)
