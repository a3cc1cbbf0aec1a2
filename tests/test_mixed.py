"""Tasks of different kinds in one model: real targets, counts, classes."""

import json
import pickle

import cases
import numpy as np
import pandas as pd
import pytest
from cases import assert_agrees
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import convexmtl as cm
from convexmtl import certify, reference
from convexmtl.baselines import single_task
from convexmtl.losses import ByTask
from convexmtl.model_selection import TaskKFold
from convexmtl.penalties import GraphLaplacian, RowNorm

LOSSES = {"price": "squared", "sold": "logistic", "visits": "poisson", "cost": cm.Tweedie(1.5), "kept": "squared_hinge"}
TASKS = list(LOSSES)
EDGES = [("price", "sold"), ("sold", "kept"), ("visits", "cost", 2.0)]
PENALTIES = ["l2", "linf_ridge", "dirty_inf", "trace", "mean", "shared_feature", "sparse,low_rank", "temporal_l1_free"]


def wide(n=50, holes=True, seed=0):
    """(X, frame of targets)"""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 6))
    u = X[:, 0] - 0.5 * X[:, 1]
    Y = pd.DataFrame(
        {
            "price": u + 0.3 * rng.standard_normal(n),
            "sold": np.where(u + rng.standard_normal(n) > 0, "yes", "no"),
            "visits": rng.poisson(np.exp(0.5 * u)),
            "cost": rng.gamma(2.0, np.exp(0.3 * u)),
            "kept": np.where(u + rng.standard_normal(n) > 0, 1, 0),
        }
    )
    if holes:
        Y = Y.astype(object)
        Y.loc[3, "sold"], Y.loc[5, "price"], Y.loc[7, "kept"] = None, np.nan, None
    return X, Y


def long(seed=0, n=50):
    """(X, y, task): as many rows, of one task each, in mixed order."""
    X, Y = wide(5 * n, holes=False, seed=seed)
    task = np.array(TASKS)[np.random.default_rng(seed).permutation(np.arange(len(X)) % 5)]
    return X, np.array([Y.loc[i, t] for i, t in enumerate(task)], dtype=object), task


def data(form):
    """(X, y, options of fit)"""
    if form == "stacked":
        X, y, task = long(n=15)
        return X, y, {"task": task, "sample_weight": np.random.default_rng(1).uniform(0.2, 2, len(y))}
    X, Y = wide()
    return X, Y, {"offset": 0.5 * np.random.default_rng(1).standard_normal(Y.shape)} if form == "offset" else {}


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("form", ["shared", "offset", "stacked"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_reference(penalty, form, fit_intercept):
    X, y, options = data(form)
    own = clone(cases.PENALTIES[penalty].build(6, 5))
    if penalty == "temporal_l1_free":
        own.set_params(order=TASKS)
    model = cm.MultiTaskMixed(own, LOSSES, fit_intercept=fit_intercept, tol=1e-7)
    model.fit(X, y, **options)
    scale = cases.scale_of(model._formulate(X, y, **options).problem)
    assert_allclose(certify(model, X, y, **options).gap, model.dual_gap_, rtol=1e-6, atol=1e-12 * scale)
    assert model.dual_gap_ <= 1e-7 * scale
    assert_agrees(model.objective_, model.dual_gap_, reference.fit(model, X, y, **options), scale)


@pytest.mark.parametrize("loss", [name for name, case in cases.LOSSES.items() if case.loss.by_column])
def test_one_loss_for_all_is_the_estimator_of_that_loss(loss):
    X, y, options = cases.user_input(loss, "stacked")
    own = cases.LOSSES[loss].loss
    cls = cm.MultiTaskClassifier if own.classification else cm.MultiTaskRegressor
    plain = cls(RowNorm(0.05), loss=own).fit(X, y, **options)
    mixed = cm.MultiTaskMixed(RowNorm(0.05), dict.fromkeys(cases.TASK_NAMES.tolist(), own)).fit(X, y, **options)
    assert_array_equal(mixed.coef_, plain.coef_)
    assert_array_equal(mixed.predict(X, task=options["task"]), plain.predict(X, task=options["task"]))


def test_without_a_coupling_each_task_is_fitted_for_itself():
    X, y, task = long()
    mixed = cm.MultiTaskMixed(RowNorm(0.2, l1_ratio=0.0), LOSSES, tol=1e-10).fit(X, y, task=task)
    for t, name in enumerate(sorted(TASKS)):
        loss, own = LOSSES[name], task == name
        classes = name in ("sold", "kept")
        cls = cm.MultiTaskClassifier if classes else cm.MultiTaskRegressor
        target = y[own].astype(str if name == "sold" else float)
        alone = cls(RowNorm(0.2, l1_ratio=0.0), loss=loss, tol=1e-10).fit(X[own], target)
        assert_allclose(mixed.coef_[t], alone.coef_[0], atol=1e-4)
        said = mixed.predict(X[own], task=task[own])
        if classes:
            assert np.mean(said.astype(target.dtype) == alone.predict(X[own])) > 0.98
        else:
            assert_allclose(said.astype(float), alone.predict(X[own]), rtol=1e-3, atol=1e-3)


def test_predictions_and_scores_are_those_of_each_task():
    X, Y = wide()
    model = cm.MultiTaskMixed(RowNorm(0.05), LOSSES).fit(X, Y)
    z, said, p = model.decision_function(X), model.predict(X), model.predict_proba(X)
    assert_array_equal(said[:, 0].astype(float), z[:, 0])
    assert_array_equal(said[:, 1], np.where(z[:, 1] > 0, "yes", "no"))
    assert_allclose(said[:, 2:4].astype(float), np.exp(z[:, 2:4]))
    assert_array_equal(said[:, 4].astype(int), (z[:, 4] > 0).astype(int))
    assert_allclose(p[:, 1], 1 / (1 + np.exp(-z[:, 1])))
    assert np.isnan(p[:, [0, 2, 3, 4]]).all()
    assert [c if c is None else c.tolist() for c in model.classes_] == [None, ["no", "yes"], None, None, [0, 1]]
    scores = model.score_tasks(X, Y)
    seen = Y["sold"].notna()
    assert scores["sold"] == accuracy_score(Y["sold"][seen], said[seen, 1])
    assert_allclose(scores["visits"], r2_score(Y["visits"].astype(float), said[:, 2].astype(float)))
    assert_allclose(model.score(X, Y), np.mean(list(scores.values())))
    one_by_one = model.predict(X[:5], task=TASKS)
    assert one_by_one.tolist() == [pytest.approx(said[t, t]) if t != 1 else said[t, t] for t in range(5)]
    X, y, task = long()
    weight = np.random.default_rng(0).uniform(0, 2, len(y))
    model.fit(X, y, task=task, sample_weight=weight)
    by_task, own = model.score_tasks(X, y, task=task, sample_weight=weight), task == "cost"
    said = model.predict(X, task=task)
    assert_allclose(by_task["cost"], r2_score(y[own].astype(float), said[own].astype(float), sample_weight=weight[own]))


def test_numbers_alone_are_predicted_as_numbers():
    X, Y = wide(holes=False)
    Y = Y[["price", "visits", "kept"]].to_numpy()
    model = cm.MultiTaskMixed(losses={0: "huber", 1: "poisson", 2: "logistic"}).fit(X, Y)
    assert model.predict(X).dtype == float and set(model.predict(X)[:, 2]) <= {0.0, 1.0}


def test_in_pipelines_and_searches():
    X, y, task = long()
    frame = pd.DataFrame(X, columns=list("abcdef")).assign(of=task)
    model = cm.MultiTaskMixed(RowNorm(0.05), LOSSES, task_column="of")
    search = GridSearchCV(model, {"penalty__alpha": [0.02, 5.0]}, cv=TaskKFold(3, task_column="of")).fit(frame, y)
    assert search.best_params_ == {"penalty__alpha": 0.02} and search.score(frame, y) > 0.3
    assert search.best_estimator_.score_tasks(frame, y).keys() == LOSSES.keys()
    X, Y = wide()
    pipe = make_pipeline(StandardScaler(), cm.MultiTaskMixed(RowNorm(0.05), LOSSES))
    assert cross_validate(pipe, X, Y, cv=3)["test_score"].shape == (3,)
    path = cm.regularization_path(pipe[-1], X, Y, alphas=3)
    assert not path.coefs[0].any() and path.tasks.tolist() == TASKS


def test_saved_and_said():
    X, Y = wide()
    model = cm.MultiTaskMixed(RowNorm(0.05) + GraphLaplacian(EDGES, 0.1), LOSSES).fit(X, Y)
    for again in (pickle.loads(pickle.dumps(model)), cm.from_dict(json.loads(json.dumps(cm.to_dict(model))))):
        assert again.predict(X).tolist() == model.predict(X).tolist()
        assert again.losses["cost"].power == 1.5
    assert clone(model).losses["sold"] == "logistic"
    said = " ".join(str(cm.explain_fit(model)).split())
    assert (
        "loss(y, z) = (y - z)^2 / 2 in 1 task; log(1 + exp(-y z)), y in {-1, +1} in 1 task; exp(z) - y z in 1" in said
    )
    assert cm.relax(model, X, Y).objective_ < model.objective_


def test_tasks_that_say_nothing():
    X, Y = wide()
    Y["sold"], Y["visits"] = "yes", 0
    with pytest.warns(UserWarning) as said:
        model = cm.MultiTaskMixed(RowNorm(0.05), LOSSES).fit(X, Y)
    texts = [str(one.message) for one in said]
    assert any("1 task(s) have a single class" in one and "['sold']" in one for one in texts)
    assert any("1 task(s) have no target above zero" in one and "['visits']" in one for one in texts)
    assert set(model.predict(X)[:, 1]) == {"yes"}
    assert_allclose(model.predict(X)[:, 2].astype(float).sum(), 0.5)


def changed(**columns):
    X, Y = wide()
    return X, Y.assign(**columns)


@pytest.mark.parametrize(
    "losses, targets, message",
    [
        (None, {}, r"losses must be a dict of task -> loss, got None"),
        ({}, {}, r"losses must be a dict of task -> loss, got \{\}"),
        (LOSSES | {"kept": "hinged"}, {}, r"losses\['kept'\]: loss must be one of .* got 'hinged'"),
        ({"price": "squared"}, {}, r"losses has no entry for task 'sold'; its entries are for \['price'\]"),
        (
            LOSSES | {"rent": "squared"},
            {},
            r"losses has an entry for 'rent', which is no task; the tasks are \['price'",
        ),
        (
            LOSSES | {"sold": "squared"},
            {},
            r"task 'sold' must have numbers as its loss is one for numbers, got '(yes|no)'",
        ),
        (LOSSES | {"cost": "logistic"}, {}, r"Only binary classification is supported.* for task 'cost'"),
        (LOSSES, {"visits": -1}, r"loss='poisson' needs targets y >= 0 \(counts\), got -1"),
        (LOSSES | {"cost": "gamma"}, {"cost": 0.0}, r"loss=Gamma\(\) needs targets y > 0, got 0"),
        (LOSSES, {"price": None}, r"task 'price' has no sample with a target"),
    ],
)
def test_bad_input(losses, targets, message):
    with pytest.raises(ValueError, match=message):
        cm.MultiTaskMixed(RowNorm(0.1), losses).fit(*changed(**targets))


def test_what_needs_one_loss_says_so():
    X, Y = wide()
    model = cm.MultiTaskMixed(RowNorm(0.1), LOSSES).fit(X, Y)
    with pytest.raises(ValueError, match=r"(?s)needs a likelihood.*for all tasks or none"):
        cm.information_criterion(model, X, Y)
    with pytest.raises(TypeError, match="MultiTaskMixed has tasks of different kinds"):
        single_task(model)
    with pytest.raises(ValueError, match="loss must be the loss of the new task, got None: MultiTaskMixed"):
        cm.fit_new_task(model, X, Y["price"], label="rent")
    with pytest.raises(ValueError, match="task 'rent' must have numbers as its loss is one for numbers, got 'yes'"):
        cm.fit_new_task(model, X[:5], ["yes", "no", "yes", "no", "no"], label="rent", loss="squared")
    plain = cm.BlockSparseRegressor(0.1).fit(X, X[:, :2])
    with pytest.raises(ValueError, match="loss must be left out, got 'huber': BlockSparseRegressor has one loss"):
        cm.fit_new_task(plain, X, X[:, 0], label=2, loss="huber")
    assert not hasattr(cm.MultiTaskMixed(losses={0: "squared"}), "predict_proba")
    assert ByTask(LOSSES).kinds(TASKS).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("form", ["shared", "stacked"])
def test_a_plain_model_for_every_task(form):
    losses = LOSSES | {"cost": "poisson"}
    X, y, options = data(form)
    model = cm.MultiTaskMixed(RowNorm(0.05), losses).fit(X, y, **options)
    plain = cm.to_sklearn(model)
    assert list(plain) == model.tasks_.tolist()
    for t, (label, one) in enumerate(plain.items()):
        said = model.predict(X)[:, t] if form == "shared" else model.predict(X, task=np.full(len(X), label))
        if losses[label] in ("logistic", "squared_hinge"):
            assert_array_equal(one.predict(X), said)
        else:
            assert_allclose(one.predict(X), said.astype(float), rtol=1e-12)


@pytest.mark.parametrize("loss", ["squared", "logistic", "poisson"])
def test_a_new_task_of_any_kind(loss):
    """Where a penalty connects nothing, it is what it would be alone."""
    X, Y = wide(holes=False)
    penalty = RowNorm(0.1, l1_ratio=0.0)
    model = cm.MultiTaskMixed(penalty, LOSSES, tol=1e-8).fit(X, Y)
    name = next(name for name, own in LOSSES.items() if own == loss)
    more, targets = wide(30, holes=False, seed=1)
    longer = cm.fit_new_task(model, more, targets[name], label="new", loss=loss)
    assert longer.losses == {**LOSSES, "new": loss} and model.losses == LOSSES
    assert_array_equal(longer.coef_[:-1], model.coef_)
    cls = cm.MultiTaskClassifier if loss == "logistic" else cm.MultiTaskRegressor
    alone = cls(penalty, loss=loss, tol=1e-8).fit(more, targets[name])
    assert_allclose(longer.coef_[-1], alone.coef_[0], atol=1e-4)
    assert_allclose(longer.objective_ - longer.dual_gap_, longer.objective_, rtol=1e-6)
    said, alike = longer.predict(more)[:, -1], alone.predict(more)
    assert np.all(said == alike) if loss == "logistic" else np.allclose(said.astype(float), alike, rtol=1e-3, atol=1e-3)
    scores = longer.score_tasks(more, targets.assign(new=targets[name]))
    assert scores["new"] == pytest.approx(alone.score(more, targets[name]), abs=1e-3)


def test_criteria_of_likelihoods():
    """Where tasks share nothing the criteria of the single ones add up, but for the penalty of their number."""
    X, Y = wide(holes=False)
    losses = {"sold": "logistic", "visits": "poisson"}
    penalty = RowNorm(0.1, l1_ratio=0.0)
    both = cm.information_criterion(cm.MultiTaskMixed(penalty, losses), X, Y[list(losses)], criterion="aic")
    each = [
        cm.information_criterion(cls(penalty, loss=losses[name]), X, Y[name], criterion="aic")
        for cls, name in ((cm.MultiTaskClassifier, "sold"), (cm.MultiTaskRegressor, "visits"))
    ]
    assert_allclose(both, sum(each), rtol=1e-4)
    chosen = cm.MultiTaskMixedCV(RowNorm(), losses, alphas=5, selection="bic").fit(X, Y[list(losses)])
    assert 0 < chosen.alpha_ < np.inf


# ------------------------------------------------------------------------------------------ searches


@pytest.mark.parametrize("form", ["shared", "stacked"])
def test_the_twin_chooses_by_errors_of_all_tasks(form):
    X, y, options = data(form)
    twin = cm.MultiTaskMixedCV(RowNorm(), LOSSES, alphas=4, eps=0.01, cv=3).fit(X, y, **options)
    assert twin.mse_path_.shape == (4, 3) and twin.alpha_ == twin.alphas_[np.argmin(twin.mse_path_.mean(axis=1))]
    alone = cm.MultiTaskMixed(twin.penalty_, LOSSES).fit(X, y, **options)
    assert_allclose(twin.coef_, alone.coef_, atol=1e-3)
    task = {"task": options["task"]} if form == "stacked" else {}
    assert_array_equal(twin.predict(X, **task), alone.predict(X, **task))
    assert twin.score_tasks(X, y, **task) == alone.score_tasks(X, y, **task)
    again = cm.from_dict(json.loads(json.dumps(cm.to_dict(twin))))
    assert_array_equal(again.predict(X, **task), twin.predict(X, **task))


def test_errors_on_folds_are_those_of_the_losses():
    X, Y = wide(holes=False)
    folds = [(np.arange(10, 50), np.arange(10)), (np.arange(40), np.arange(40, 50))]
    twin = cm.MultiTaskMixedCV(RowNorm(), LOSSES, alphas=[0.1], cv=folds, tol=1e-8).fit(X, Y)
    for k, (train, test) in enumerate(folds):
        model = cm.MultiTaskMixed(RowNorm(0.1), LOSSES, tol=1e-8).fit(X[train], Y.iloc[train])
        z = model.decision_function(X[test])
        price = np.mean((Y["price"].to_numpy()[test] - z[:, 0]) ** 2) / 2
        sold = np.mean(np.logaddexp(0, -np.where(Y["sold"].to_numpy()[test] == "yes", 1, -1) * z[:, 1]))
        of = dict(zip(twin.tasks_.tolist(), twin.task_errors_[k], strict=True))
        assert_allclose([of["price"], of["sold"]], [price, sold], rtol=1e-3)
        assert_allclose(twin.mse_path_[0, k], np.mean(list(of.values())), rtol=1e-9)
