"""One model per task and one for all tasks: what they are, in every layout, and beside which estimator."""

import cases
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.compose import make_column_transformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import convexmtl as cm
from convexmtl import baselines, reference
from convexmtl.baselines import (
    PooledClassifierCV,
    PooledRegressorCV,
    SingleTaskClassifierCV,
    SingleTaskRegressorCV,
    pooled,
    single_task,
)
from convexmtl.compose import TargetTransformer
from convexmtl.model_selection import TaskKFold

BASELINES = [SingleTaskRegressorCV, PooledRegressorCV, SingleTaskClassifierCV, PooledClassifierCV]
FEW = {"alphas": 8, "cv": 3}


def of_loss(loss):
    return [cls for cls in BASELINES if is_classifier(cls()) == cases.LOSSES[loss].loss.classification]


def rows(X, y, task=None, sample_weight=None):
    """(X, y, weights, task) of all samples that count, one after the other, as a plain loop makes them."""
    out = []
    for i in range(len(X)):
        for t in range(1 if y.ndim == 1 else y.shape[1]):
            target = y[i] if y.ndim == 1 else y[i, t]
            w = 1.0 if sample_weight is None else sample_weight[i] if sample_weight.ndim == 1 else sample_weight[i, t]
            if target is not None and target == target and w > 0:
                out.append((X[i], target, w, t if task is None else task[i]))
    X, y, w, task = map(np.array, zip(*out, strict=True))
    return X, y, w / np.array([w[task == t].sum() for t in task]), task


@cases.checks_of_scikit_learn([cls(**FEW) for cls in BASELINES])
@cases.few_checks
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("form", cases.INPUT_FORMS)
@pytest.mark.parametrize("loss", cases.LOSSES)
def test_certified_against_the_textbook(loss, form):
    X, y, options = cases.user_input(loss, form)
    for cls in of_loss(loss):
        # (With next to no penalty a loss with kinks is a linear program, and classes are separated by ever longer
        # coefficients: both take very long to this gap.)
        mild = not cases.LOSSES[loss].loss.smooth or not cases.LOSSES[loss].loss.by_column
        few = {"alphas": 3, "cv": 2} | ({"eps": 1e-2} if mild else {})
        model = cls(loss=cases.LOSSES[loss].loss, tol=1e-7, **few).fit(X, y, **options)
        scale = cases.scale_of(model._formulate(X, y, **options).problem)
        assert cm.certify(model, X, y, **options).gap <= 1e-7 * scale * (1 + 1e-9)
        cases.assert_agrees(model.objective_, model.dual_gap_, reference.fit(model, X, y, **options), scale)


@pytest.mark.parametrize("form", cases.INPUT_FORMS)
@pytest.mark.parametrize("loss", ["squared", "poisson", "logistic"])
def test_pooled_is_one_task_of_all_samples(loss, form):
    X, y, options = cases.user_input(loss, form)
    cls = PooledClassifierCV if loss == "logistic" else PooledRegressorCV
    model = cls(loss=loss, tol=1e-9, **FEW).fit(X, y, **options)
    X1, y1, weight, _ = rows(X, y, **options)
    one = cm.MultiTaskClassifier if loss == "logistic" else cm.MultiTaskRegressor
    one = one(cm.RowNorm(model.alpha_, l1_ratio=0.0), loss=loss, tol=1e-9).fit(X1, y1, sample_weight=weight)
    assert_allclose(model.coef_, np.repeat(one.coef_, len(model.tasks_), axis=0), atol=1e-5)
    assert_allclose(model.intercept_, one.intercept_[0], atol=1e-5)
    assert_allclose(model.objective_, one.objective_, rtol=1e-8)


def test_pooled_searches_as_one_task_would():
    """On the folds of the tasks; rows of one X stay together."""
    X, Y, _ = cases.user_input("squared", "missing")
    folds = list(TaskKFold(3).split(X))
    alphas = np.geomspace(10, 1e-3, 7)
    model = PooledRegressorCV(alphas=alphas, cv=folds).fit(X, Y)
    errors = np.empty((7, 3))
    for k, (train, test) in enumerate(folds):
        X1, y1, w1, _ = rows(X, Y)
        place = np.array([i for i in range(len(X)) for t in range(4) if not np.isnan(Y[i, t])])
        fit, held = np.isin(place, train), np.isin(place, test)
        for a, alpha in enumerate(alphas):
            ridge = Ridge(alpha * w1[fit].sum()).fit(X1[fit], y1[fit], sample_weight=w1[fit])
            errors[a, k] = np.average((ridge.predict(X1[held]) - y1[held]) ** 2, weights=w1[held])
    assert_allclose(model.mse_path_, errors, rtol=1e-8)
    counted = np.array([[np.sum(~np.isnan(Y[test, t])) for t in range(4)] for _, test in folds])
    share = counted / np.sum(~np.isnan(Y), axis=0)
    chosen = model.mse_path_[model.alphas_ == model.alpha_][0]
    assert_allclose(np.sum(model.task_errors_ * share, axis=1) / share.sum(axis=1), chosen, rtol=1e-8)


def test_single_task_shares_nothing_but_its_strength():
    X, y, options = cases.user_input("squared", "stacked")
    model = SingleTaskRegressorCV(**FEW).fit(X, y, **options)
    task, weight = options["task"], options["sample_weight"]
    for t, label in enumerate(model.tasks_):
        own = task == label
        ridge = Ridge(model.alpha_ * weight[own].sum()).fit(X[own], y[own], sample_weight=weight[own])
        assert_allclose(model.coef_[t], ridge.coef_, atol=1e-8)
        assert_allclose(model.intercept_[t], ridge.intercept_, atol=1e-8)
    again = cm.MultiTaskRegressor(model.penalty_).fit(X, y, **options)
    assert_allclose(again.coef_, model.coef_, atol=1e-12)


@pytest.mark.parametrize("cls", BASELINES[:2])
def test_no_signal_and_no_noise(cls):
    """The range of strengths has both: nothing left, and nothing taken."""
    rng = np.random.default_rng(0)
    X, w = rng.standard_normal((40, 10)) * np.geomspace(0.1, 10, 10), rng.standard_normal(10)
    noise = cls().fit(X, rng.standard_normal((40, 30)))
    assert np.sqrt(np.mean((X @ noise.coef_.T) ** 2)) < 0.05
    assert_allclose(cls().fit(X, np.repeat((X @ w)[:, None], 3, axis=1)).coef_, np.tile(w, (3, 1)), atol=0.01)


@pytest.mark.parametrize("cls", BASELINES)
def test_layouts_agree(cls):
    """A column of X, a frame, and labels beside X are one thing."""
    X, y, options = cases.user_input("logistic" if is_classifier(cls()) else "squared", "stacked")
    task, weight = options["task"], options["sample_weight"]
    beside = cls(**FEW).fit(X, y, task=task, sample_weight=weight)
    frame = pd.DataFrame(X, columns=list("abcdef")).assign(school=task)
    column = cls(task_column="school", **FEW).fit(frame, y, sample_weight=weight)
    assert_allclose(column.coef_, beside.coef_)
    if is_classifier(beside):
        assert_array_equal(column.predict(frame), beside.predict(X, task=task))
    else:
        assert_allclose(column.predict(frame), beside.predict(X, task=task))
    assert_allclose(column.score(frame, y), beside.score(X, y, task=task))
    assert list(beside.tasks_) == sorted(cases.TASK_NAMES) and beside.alpha_ in beside.alphas_
    assert clone(beside).get_params() == cls(**FEW).get_params()


def test_pooled_predicts_what_it_has_not_seen():
    X, y, options = cases.user_input("squared", "stacked")
    model = PooledRegressorCV(**FEW).fit(X, y, task=options["task"])
    assert_array_equal(model.predict(X, task=np.repeat("nowhere", len(X))), model.predict(X))
    with pytest.raises(ValueError, match="'nowhere' was not seen"):
        SingleTaskRegressorCV(**FEW).fit(X, y, task=options["task"]).predict(X, task=np.repeat("nowhere", len(X)))


def test_pooled_with_classes_of_their_own():
    X, y, options = cases.user_input("logistic", "stacked")
    task = options["task"]
    y = np.where(task == "north", np.where(y == "yes", "up", "down"), y)
    model = PooledClassifierCV(**FEW).fit(X, y, task=task)
    assert set(model.predict(X, task=task)[task == "north"]) <= {"up", "down"}
    assert model.predict_proba(X, task=task).shape == (len(X), 2)
    with pytest.raises(ValueError, match="classes of their own"):
        model.predict(X)


@pytest.mark.parametrize("cls", BASELINES[:2])
def test_warnings_are_of_the_baseline_and_where_it_was_called(cls):
    X, y, options = cases.user_input("squared", "stacked")
    with pytest.warns(ConvergenceWarning, match=cls.__name__) as caught:
        cls(loss="huber", max_iter=1, tol=1e-12, **FEW).fit(X, y, **options)
    assert {warning.filename for warning in caught} == {__file__}


# ------------------------------------------------------------------------- beside an estimator


def test_beside_every_estimator():
    for name in {name for name in cm.estimators.__all__ if "Mixed" not in name}:
        cls = getattr(cm, name)
        options = dict(fit_intercept=False, task_column=2, tol=1e-3, task_weight="size", max_iter=77)
        options |= {"cv": 4, "n_jobs": 2, "selection": "1se"} if name.endswith("CV") else {}
        for make in (single_task, pooled):
            made = make(cls(**options))
            assert is_classifier(made) == is_classifier(cls()) and not hasattr(made, "coef_")
            assert {k: made.get_params()[k] for k in options} == options
            assert (made.eps, made.alphas) == (baselines.EPS, baselines.N_ALPHAS)
    assert single_task(cm.TraceNormRegressor(loss=cm.Huber(2.0))).loss.delta == 2.0


def test_in_the_same_place():
    scaler = make_column_transformer((StandardScaler(), slice(0, -1)), remainder="passthrough")
    inside = cm.TraceNormRegressor(task_column=-1)
    pipeline = make_pipeline(scaler, inside)
    search = GridSearchCV(pipeline, {"tracenormregressor__alpha": [0.1, 1.0]}, cv=TaskKFold(4), n_jobs=1)
    within = make_pipeline(scaler, GridSearchCV(inside, {"alpha": [0.1, 1.0]}, cv=3))
    for outer, cv in ((pipeline, None), (search, search.cv), (within, 3)):
        made = single_task(outer)
        assert made is not pipeline and isinstance(made[-1], SingleTaskRegressorCV) and made[-1].task_column == -1
        assert made[-1].cv is cv or made[-1].cv == cv or isinstance(made[-1].cv, TaskKFold)
        assert isinstance(pipeline[-1], cm.TraceNormRegressor)
    rng = np.random.default_rng(0)
    X = np.c_[5 + 9 * rng.standard_normal((60, 3)), np.arange(60) % 3]
    y = X[:, 0] + rng.standard_normal(60)
    found = cross_val_predict(pooled(search), X, y, cv=TaskKFold(3, task_column=-1))
    assert np.corrcoef(found, y)[0, 1] > 0.9
    transformed = pooled(TargetTransformer(cm.DirtyRegressorCV(cv=3)))
    assert isinstance(transformed, TargetTransformer) and transformed.regressor.cv == 3
    assert isinstance(transformed.regressor, PooledRegressorCV)


def test_asks_for_what_the_estimator_asks_for():
    X, y, options = cases.user_input("squared", "stacked")
    with config_context(enable_metadata_routing=True):
        inside = cm.TraceNormRegressor().set_fit_request(task=True).set_predict_request(task=True)
        for make in (single_task, pooled):
            made = make(make_pipeline(StandardScaler(), inside))
            made.fit(X, y, task=options["task"])
            assert made.predict(X, task=options["task"]).shape == y.shape


@pytest.mark.parametrize("wrong", [Ridge(), make_pipeline(StandardScaler(), Ridge()), None, cm.TraceNormRegressor])
def test_beside_nothing_of_ours(wrong):
    with pytest.raises(TypeError, match="no estimator of convexmtl"):
        single_task(wrong)
