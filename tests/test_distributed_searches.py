"""Searches in chunks, under the squared loss by statistics of the folds, under others in rounds: those of ``fit``."""

import cases
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from test_distributed import CHUNKS, pieces

import convexmtl as cm
from convexmtl import distributed

TWINS = [cm.BlockSparseRegressorCV, cm.TraceNormRegressorCV, cm.MeanRegularizedRegressorCV, cm.DirtyRegressorCV]


def row_by_row(data, n_folds=3):
    """Folds of the rows that count, one after the other."""
    X, y, options = data
    seen = ~cm._input.missing_mask(y).reshape(len(y), -1)
    if np.ndim(options.get("sample_weight")) == 2:
        seen &= options["sample_weight"] > 0
    rows, place = np.arange(len(X)), np.cumsum(seen.any(axis=1)) - 1
    return [(rows[place % n_folds != k], rows[place % n_folds == k]) for k in range(n_folds)]


@pytest.mark.parametrize("form", cases.INPUT_FORMS)
@pytest.mark.parametrize("chunks", ["two", "row_by_row"])
@pytest.mark.parametrize("cls", TWINS, ids=lambda cls: cls.__name__)
def test_searches(cls, form, chunks):
    """As in ``fit``: with task labels on the same folds; else rows are dealt out one by one."""
    X, y, options = data = cases.user_input("squared", form)
    # (Errors of folds move by the root of twice the tolerance.)
    model = cls(alphas=5, cv=3, tol=1e-8)
    distributed.fit(model, pieces(data, CHUNKS[chunks]))
    whole = clone(model).set_params(cv=3 if form == "stacked" else row_by_row(data)).fit(X, y, **options)
    assert_allclose(model.mse_path_, whole.mse_path_, rtol=1e-4)
    assert_allclose(model.coef_, whole.coef_, atol=1e-3 * np.abs(whole.coef_).max())


def test_a_search_does_not_depend_on_the_chunks(client):
    data = cases.user_input("squared", "stacked")
    found = [
        distributed.fit(cm.BlockSparseRegressorCV(alphas=5, cv=4), pieces(data, at), client=with_)
        for at, with_ in (([], None), (range(1, 60, 7), None), ([3, 3, 60], client))
    ]
    for other in found[1:]:
        assert_allclose(other.mse_path_, found[0].mse_path_, rtol=1e-9)


def test_a_search_with_tasks_of_a_single_row():
    """Which are trained on and never tested."""
    X, y, options = cases.user_input("squared", "stacked")
    task = options["task"].astype("U9")
    task[[7, 30]] = "alone", "single"
    model = distributed.fit(cm.MeanRegularizedRegressorCV(alphas=4, cv=3), pieces((X, y, {"task": task}), [9, 33]))
    whole = clone(model).fit(X, y, task=task)
    assert_allclose(model.mse_path_, whole.mse_path_, rtol=1e-4)
    assert_array_equal(np.isnan(model.task_errors_).all(axis=0), np.isnan(whole.task_errors_).all(axis=0))


@pytest.mark.parametrize("selection", ["aic", "bic"])
def test_a_search_by_criterion(selection):
    X, y, options = data = cases.user_input("squared", "stacked")
    model = distributed.fit(cm.BlockSparseRegressorCV(alphas=6, selection=selection), pieces(data, [30]))
    whole = clone(model).fit(X, y, **options)
    assert_allclose(model.criterion_path_, whole.criterion_path_, rtol=1e-3)
    assert model.alpha_ == pytest.approx(whole.alpha_)


def test_searches_that_are_refused():
    data = pieces(cases.user_input("squared", "stacked"), [30])
    with pytest.raises(ValueError, match="cv must be a number of folds, at least 2, got TaskKFold"):
        distributed.fit(cm.BlockSparseRegressorCV(cv=cm.model_selection.TaskKFold(3)), data)
    with pytest.raises(ValueError, match="cv=40 is more than the rows that can be tested"):
        distributed.fit(cm.BlockSparseRegressorCV(cv=40), pieces(cases.user_input("squared", "single"), [9]))


# -------------------------------------------------------------------------------------------- other losses


def twin(family, loss, **options):
    kind = "Classifier" if cases.LOSSES[loss].loss.classification else "Regressor"
    return getattr(cm, f"{family}{kind}CV")(loss=loss, **{"alphas": 4, "cv": 3, "tol": 1e-6, "eps": 0.05, **options})


def assert_found_alike(model, data, cv=3, rtol=1e-3):
    X, y, options = data
    whole = clone(model).set_params(cv=cv).fit(X, y, **options)
    assert_allclose(model.alphas_, whole.alphas_, rtol=1e-6)
    assert_allclose(model.mse_path_, whole.mse_path_, rtol=rtol)
    assert_allclose(model.task_errors_, whole.task_errors_, rtol=rtol)
    assert {k: v for k, v in model.settings_[0].items() if k != "alpha"} == {
        k: v for k, v in whole.settings_[0].items() if k != "alpha"
    }
    scale = cases.scale_of(whole._formulate(X, y, **options).problem)
    assert abs(model.objective_ - whole.objective_) <= 3e-6 * scale
    assert cm.certify(model, X, y, **options).gap <= 2e-6 * scale
    assert model.history_[-1]["gap"] == model.dual_gap_ and model.history_[-1]["bytes"] > 0
    return whole


@pytest.mark.covering(1)
@pytest.mark.parametrize("chunks", ["two", "empty"])
@pytest.mark.parametrize("form", cases.INPUT_FORMS)
@pytest.mark.parametrize("loss", ["logistic", "huber", "poisson"])
@pytest.mark.parametrize("family", ["BlockSparse", "MeanRegularized", "TraceNorm"])
def test_other_losses(family, loss, form, chunks):
    data = cases.user_input(loss, form)
    model = distributed.fit(twin(family, loss), pieces(data, CHUNKS[chunks]))
    if form == "single" and loss == "logistic":
        # (Within the classes, as a single task.)
        cv = list(cm.model_selection.TaskStratifiedKFold(3).split(data[0], data[1]))
    else:
        cv = 3 if form == "stacked" else row_by_row(data)
    assert_found_alike(model, data, cv)


def test_other_losses_do_not_depend_on_the_chunks(client):
    data = cases.user_input("logistic", "stacked")
    found = [
        distributed.fit(twin("BlockSparse", "logistic", selection="1se"), pieces(data, at), client=with_)
        for at, with_ in (([], None), (range(1, 60, 7), None), ([3, 3, 60], client))
    ]
    for other in found[1:]:
        assert_allclose(other.mse_path_, found[0].mse_path_, rtol=1e-6)
        assert other.alpha_ == pytest.approx(found[0].alpha_)


def test_a_search_over_more_than_two_classes_tasks_of_a_single_row_and_offsets():
    rng = np.random.default_rng(0)
    X, task = rng.normal(size=(90, 3)), np.array(["a", "b"])[rng.integers(0, 2, 90)]
    y = np.array(["low", "mid", "high"])[np.digitize(X[:, 0] + rng.normal(size=90), [-0.5, 0.5])]
    data = X, y, {"task": task}
    model = distributed.fit(twin("BlockSparse", "logistic"), pieces(data, [20, 50]))
    assert_found_alike(model, data)
    task = np.where(np.arange(90) == 7, "alone", task)
    data = X, rng.poisson(np.exp(0.5 * X[:, 0] + 0.3)).astype(float), {"task": task, "offset": rng.normal(size=90)}
    model = distributed.fit(twin("BlockSparse", "poisson", task_weight="size"), pieces(data, [20, 50]))
    whole = assert_found_alike(model, data)
    assert np.isnan(whole.task_errors_).any()


@pytest.mark.parametrize("loss, selection", [("logistic", "bic"), ("poisson", "aic")])
def test_other_losses_by_criterion(loss, selection):
    X, y, options = data = cases.user_input(loss, "stacked")
    model = distributed.fit(twin("BlockSparse", loss, selection=selection), pieces(data, [30]))
    whole = clone(model).fit(X, y, **options)
    assert_allclose(model.criterion_path_, whole.criterion_path_, rtol=1e-3)
    assert model.alpha_ == pytest.approx(whole.alpha_)


def test_searches_of_other_losses_that_are_refused():
    data = pieces(cases.user_input("logistic", "stacked"), [30])
    for model, options, message in (
        (twin("BlockSparse", "logistic", cv=cm.model_selection.TaskKFold(3)), {}, "cv must be a number of folds, at"),
        (twin("BlockSparse", "logistic", cv=70), {}, "cv=70 is more than the .* rows that can be tested"),
        (twin("BlockSparse", "logistic"), {"method": "gradient"}, "searches in chunks by method='newton'"),
        (twin("BlockSparse", "hinge"), {}, "loss='hinge' cannot be fitted in chunks"),
        (
            twin("BlockSparse", "logistic", feature_weights=[0, 1, 1, 1, 1, 1]),
            {},
            "feature_weights of 0 leave features",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            distributed.fit(model, data, **options)
    with pytest.raises(ValueError, match="X is an iterator, which can be read only once"):
        distributed.fit(twin("BlockSparse", "logistic"), iter(data))
