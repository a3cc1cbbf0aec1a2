"""Fits in rounds, for losses other than the squared one: those of ``fit`` on all samples, certified."""

import warnings
from itertools import pairwise

import cases
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_classifier

import convexmtl as cm
from convexmtl import distributed
from convexmtl.distributed import _engine

LOSSES = ["logistic", "huber", "poisson", "squared_hinge", "gamma", "squared"]
CHUNKS = {"one": [], "empty": [9, 9, 30], "row_by_row": range(1, 60)}


def pieces(data, at):
    X, y, options = data
    ends = [0, *[a for a in at if a < len(X)], len(X)]
    return [
        {"X": X[a:b], "y": y[a:b], **{name: value[a:b] for name, value in options.items()}} for a, b in pairwise(ends)
    ]


def assert_fits_as_well(model, data, tol=1e-7):
    X, y, options = data
    whole = clone(model).fit(X, y, **options)
    scale = cases.scale_of(whole._formulate(X, y, **options).problem)
    assert abs(model.objective_ - whole.objective_) <= 1e-6 * scale
    # As we say, and as it is said from outside.
    assert model.dual_gap_ <= 1.01 * tol * scale
    certificate = cm.certify(model, X, y, **options)
    assert certificate.gap <= 2 * tol * scale
    assert abs(certificate.primal - model.objective_) <= 1e-6 * scale
    assert_array_equal(model.tasks_, whole.tasks_)
    assert model._layout == whole._layout
    if is_classifier(model):
        assert_array_equal(model.classes_, whole.classes_)
    return whole


def family(loss):
    return cases.CLASSIFIERS if cases.LOSSES[loss].loss.classification else cases.REGRESSORS


def fits(method, loss, position, form, chunks, rounds):
    data = cases.user_input(loss, form)
    model = family(loss)[position](loss=loss, tol=1e-7)
    distributed.fit(model, pieces(data, CHUNKS[chunks]), method=method)
    assert_fits_as_well(model, data)
    last = model.history_[-1]
    assert last["round"] <= rounds
    assert last["bytes"] > 0


every_form = pytest.mark.parametrize("form", cases.INPUT_FORMS)
every_family = pytest.mark.parametrize("position", range(len(cases.REGRESSORS)))
every_loss = pytest.mark.parametrize("loss", LOSSES)


@pytest.mark.covering(2, last=lambda chunks, **_: chunks == "row_by_row")
@pytest.mark.parametrize("chunks", CHUNKS)
@every_form
@every_family
@every_loss
def test_every_family(loss, position, form, chunks):
    """Some three rounds for a step of Newton's method, of which there are few."""
    fits("newton", loss, position, form, chunks, 80)


@pytest.mark.covering(1)
@pytest.mark.parametrize("chunks", ["one", "empty"])
@every_form
@every_family
@every_loss
def test_every_family_by_gradients(loss, position, form, chunks):
    fits("gradient", loss, position, form, chunks, 1000)


def test_statistics_that_are_too_large(monkeypatch):
    """Of all tasks in one place; and sums of some tasks take the place of many samples."""
    from convexmtl.distributed import _fit

    rng = np.random.default_rng(0)
    X, task = rng.normal(size=(900, 5)) + 3, rng.integers(0, 6, 900)
    y = X[:, 0] + 0.3 * task * X[:, 1] + rng.normal(size=900)
    data = X, y, {"task": task}
    chunks = pieces(data, range(100, 900, 100))
    monkeypatch.setattr(_fit, "LARGEST", 500)
    model = distributed.fit(cm.TraceNormRegressor(0.1, tol=1e-7), chunks)
    assert model.history_[-1]["round"] > 5
    assert_fits_as_well(model, data)
    few = distributed.fit(cm.TraceNormRegressor(0.1, tol=1e-7), chunks, method="statistics")
    assert len(few.history_) == 1
    assert_allclose(few.coef_, model.coef_, atol=1e-3)
    with pytest.raises(RuntimeError, match=r"the statistics of the tasks take .* GB, of 5e-07 that they may"):
        distributed.fit(model, iter(chunks))
    y = np.where(y > 5, "high", "low")
    model = distributed.fit(cm.TraceNormClassifier(0.02, tol=1e-7), pieces((X, y, {"task": task}), [400]))
    assert_fits_as_well(model, (X, y, {"task": task}))


@pytest.mark.parametrize("method", ["newton", "gradient"])
def test_a_last_entry_is_that_of_the_fit(method):
    data = cases.user_input("huber", "stacked")
    model = distributed.fit(cm.DirtyRegressor(loss="huber"), pieces(data, [9]), method=method)
    assert model.dual_gap_ in [step["gap"] for step in model.history_]
    rounds = [step["round"] for step in model.history_]
    assert rounds == sorted(rounds)


PENALTIES = ["l2", "linf_ridge", "trace", "graph", "mean_no_mean", "sparse,low_rank", "l1_positive", "temporal_l1_free"]


@pytest.mark.covering(2, last=lambda method, **_: method == "gradient")
@pytest.mark.parametrize("method", ["newton", "gradient"])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("loss", ["logistic", "huber", "squared"])
@pytest.mark.parametrize("penalty", PENALTIES)
def test_penalties(penalty, loss, fit_intercept, method):
    """Those that leave something free, too, where dual variables take a step before they prove anything."""
    data = cases.user_input(loss, "shared")
    cls = cm.MultiTaskClassifier if loss == "logistic" else cm.MultiTaskRegressor
    model = cls(cases.PENALTIES[penalty].build(6, 4), loss=loss, tol=1e-7, fit_intercept=fit_intercept)
    distributed.fit(model, pieces(data, [7, 15]), method=method)
    assert_fits_as_well(model, data)


def test_offsets_and_task_weights():
    rng = np.random.default_rng(0)
    X, task = rng.normal(size=(120, 4)), rng.integers(0, 3, 120)
    offset = rng.normal(size=120)
    y = rng.poisson(np.exp(0.4 * X[:, 0] + offset)).astype(float)
    data = X, y, {"task": task, "offset": offset, "sample_weight": rng.uniform(0.5, 2, 120)}
    for task_weight in ("size", [1.0, 2.0, 0.5]):
        model = cm.BlockSparseRegressor(0.01, loss="poisson", task_weight=task_weight, tol=1e-7)
        assert_fits_as_well(distributed.fit(model, pieces(data, [50])), data)


@pytest.mark.filterwarnings("ignore:1 task:UserWarning")
@pytest.mark.parametrize("loss", ["logistic", "poisson"])
def test_a_task_that_says_nothing(loss):
    X, y, options = data = cases.user_input(loss, "stacked")
    own = options["task"] == "north"
    y[own] = "yes" if loss == "logistic" else 0.0
    model = family(loss)[0](0.02, loss=loss, tol=1e-7)
    with pytest.warns(UserWarning, match="say nothing of their coefficients"):
        distributed.fit(model, pieces(data, [20]))
    whole = clone(model).fit(X, y, **options)
    assert_allclose(model.intercept_, whole.intercept_, rtol=1e-3)
    assert_allclose(model.coef_, whole.coef_, atol=1e-3)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_far_features_and_rare_classes():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(400, 5)) * [1, 10, 0.1, 1, 3] + [100, 0, 5, -30, 0]
    task = np.repeat(["a", "b"], 200)
    y = (X[:, 1] + 10 * rng.normal(size=400) > 20).astype(int)
    data = X, y, {"task": task}
    model = distributed.fit(cm.MeanRegularizedClassifier(0.01, 0.1, tol=1e-7), pieces(data, [77, 300]))
    assert_fits_as_well(model, data)


def test_chunks_that_do_not_stay(monkeypatch):
    """Read again in every round, where they are too large to stay."""
    data = cases.user_input("logistic", "stacked")
    read = []

    def chunks():
        read.append(1)
        return iter(pieces(data, [20, 40]))

    monkeypatch.setattr(_engine, "KEPT", 0)
    model = distributed.fit(cm.BlockSparseClassifier(0.02, tol=1e-7), chunks)
    assert len(read) == model.history_[-1]["round"] + 1
    assert_fits_as_well(model, data)
    monkeypatch.undo()
    read.clear()
    distributed.fit(model, chunks)
    assert len(read) == 2


def test_warm_starts_and_what_is_said():
    X, y, options = data = cases.user_input("logistic", "stacked")
    model = distributed.fit(cm.BlockSparseClassifier(0.02, tol=1e-7, warm_start=True), pieces(data, [20]))
    steps = model.n_iter_
    distributed.fit(model.set_params(alpha=0.021), pieces(data, [20]))
    assert model.n_iter_ < steps
    text = str(cm.explain_fit(model))
    assert "log(1 + exp(-y z))" in text
    assert text.count("north") == str(cm.explain_fit(clone(model).fit(X, y, **options))).count("north")


def test_frames_of_classes():
    X, y, options = cases.user_input("logistic", "stacked")
    frame = pd.DataFrame(X, columns=list("abcdef")).assign(place=pd.Categorical(options["task"]))
    model = cm.BlockSparseClassifier(0.02, tol=1e-7, task_column="place")
    distributed.fit(model, [(frame[:31], y[:31]), (frame[31:], y[31:])])
    whole = assert_fits_as_well(model, (frame, y, {}))
    assert_array_equal(model.predict(frame), whole.predict(frame))


def test_what_is_refused():
    data = cases.user_input("logistic", "shared")
    for model, message in (
        (cm.BlockSparseClassifier(loss="hinge"), "loss='hinge' cannot be fitted in chunks, whose models are quadratic"),
        (cm.BlockSparseClassifier(refit="relaxed"), "refit='relaxed' is for loss='squared' where data come in chunks"),
    ):
        with pytest.raises(ValueError, match=message):
            distributed.fit(model, pieces(data, [9]))
    model = cm.BlockSparseClassifier(0.02)
    with pytest.raises(ValueError, match="X is an iterator, which can be read only once, and loss='logistic' takes"):
        distributed.fit(model, iter(pieces(data, [9])))
    with pytest.raises(ValueError, match=r"method='statistics' is for loss='squared', got loss='logistic'"):
        distributed.fit(model, pieces(data, [9]), method="statistics")
    with pytest.raises(ValueError, match="needs targets y >= 0"):
        distributed.fit(cm.BlockSparseRegressor(loss="poisson"), [(data[0], -np.ones((24, 4)))])


def test_no_convergence_is_said():
    data = cases.user_input("logistic", "stacked")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="did not converge"):
            distributed.fit(cm.BlockSparseClassifier(0.02, tol=1e-12, max_iter=1), pieces(data, [9]))
