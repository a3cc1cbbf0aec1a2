"""Dual ascent in rounds: quadratic couplings with any loss, and relationships that are learned."""

import cases
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.base import clone
from test_distributed_rounds import pieces

import convexmtl as cm
from convexmtl import distributed
from convexmtl.coupling import TaskOperator
from convexmtl.distributed import _dual
from convexmtl.penalties import GraphLaplacian, MeanCoupling, RowNorm, TaskCoupling

COUPLINGS = {
    "mean": MeanCoupling(0.2, 0.5),
    "graph": GraphLaplacian(cases.chain(4), 0.2) + MeanCoupling(0.2, 0.2),
    "array": TaskCoupling(cases.some_matrix(4), 0.2),
}


def fitted(model, data, at, **options):
    """(the model, its objective less that of all samples in units of what there is to gain, that unit)."""
    distributed.fit(model, pieces(data, at), method="dual", **options)
    X, y, given = data
    whole = clone(model).set_params(tol=1e-8, max_iter=10_000).fit(X, y, **given)
    scale = cases.scale_of(whole._formulate(X, y, **given).problem)
    return model, (model.objective_ - whole.objective_) / scale, scale


def assert_certified(penalty, loss, form, at, intercept, tol, rounds):
    data = cases.user_input(loss, form)
    classes = cases.LOSSES[loss].loss.classification
    if penalty == "learned":
        cls = cm.TaskRelationshipClassifier if classes else cm.TaskRelationshipRegressor
        model = cls(0.1, loss=loss, fit_intercept=intercept, tol=tol)
    else:
        cls = cm.MultiTaskClassifier if classes else cm.MultiTaskRegressor
        model = cls(COUPLINGS[penalty], loss=loss, fit_intercept=intercept, tol=tol)
    model, more, scale = fitted(model, data, at)
    assert -1e-7 <= more <= 1.001 * tol
    assert (more - 1e-7) * scale <= model.dual_gap_ <= 1.001 * tol * scale
    X, y, given = data
    assert cm.certify(model, X, y, **given).primal == pytest.approx(model.objective_, abs=1e-9 * scale)
    last = model.history_[-1]
    assert last["round"] <= rounds and last["bytes"] > 0
    return model


@pytest.mark.covering(2, last=lambda at, **_: len(at) > 3)
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("at", [[], [9, 9, 30], range(12, 60, 12)], ids=["one", "empty", "many"])
@pytest.mark.parametrize("form", ["shared", "missing", "stacked"])
@pytest.mark.parametrize("loss", ["squared", "logistic", "huber", "squared_hinge", "poisson"])
@pytest.mark.parametrize("penalty", [*COUPLINGS, "learned"])
def test_smooth_losses(penalty, loss, form, at, intercept):
    assert_certified(penalty, loss, form, at, intercept, 1e-6, 80)


@pytest.mark.covering(2, last=lambda at, **_: len(at) > 1)
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("at", [[], [20], [9, 9, 30]], ids=["one", "two", "empty"])
@pytest.mark.parametrize("form", ["shared", "stacked"])
@pytest.mark.parametrize("loss", ["hinge", "absolute", "quantile", "epsilon_insensitive"])
@pytest.mark.parametrize("penalty", [*COUPLINGS, "learned"])
def test_kinks(penalty, loss, form, at, intercept):
    assert_certified(penalty, loss, form, at, intercept, 1e-5, 120)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("loss", ["hinge", "absolute"])
def test_kinks_where_curvatures_are_too_many(loss, intercept, monkeypatch):
    monkeypatch.setattr(_dual, "CURVED", 0)
    assert_certified("mean", loss, "stacked", [20], intercept, 1e-3, 120)


def test_covariance():
    model = assert_certified("learned", "logistic", "stacked", [20], True, 1e-6, 80)
    assert np.trace(model.task_covariance_) == pytest.approx(1.0)


@pytest.mark.parametrize("cls", [cm.MeanRegularizedClassifier, cm.TaskRelationshipClassifier])
def test_sparse_features(cls):
    X, y, given = cases.user_input("logistic", "stacked")
    X = np.where(np.abs(X) > 1, X, 0.0)
    whole = cls(tol=1e-6).fit(X, y, **given)
    few = [{**piece, "X": sparse.csr_array(piece["X"])} for piece in pieces((X, y, given), [20])]
    model = distributed.fit(clone(whole), few, method="dual")
    assert model.objective_ == pytest.approx(whole.objective_, rel=2e-6)


@pytest.mark.parametrize(
    "coupling", [MeanCoupling(0.5, 1.0), GraphLaplacian(cases.chain(1500), 1.0) + RowNorm(0.1, l1_ratio=0.0)]
)
def test_many_tasks(coupling, monkeypatch):
    """A coupling that is an operator stays one."""
    rng = np.random.default_rng(0)
    T = 1500
    X, task = rng.normal(size=(12 * T, 3)), np.tile(np.arange(T), 12)
    y = X[:, 0] + 0.1 * rng.normal(size=12 * T)
    monkeypatch.setattr(TaskOperator, "matrix", None)
    whole = cm.MultiTaskRegressor(coupling, tol=1e-8).fit(X, y, task=task)
    model = clone(whole).set_params(tol=1e-6)
    distributed.fit(model, pieces((X, y, {"task": task}), [5000, 11_000]), method="dual")
    assert 0 <= model.objective_ - whole.objective_ <= model.dual_gap_ + whole.dual_gap_
    assert model.history_[-1]["round"] <= 400


@pytest.mark.filterwarnings("ignore:1 task:UserWarning")
def test_a_task_that_says_nothing():
    """It goes with the others, and has the intercept that it would have here."""
    X, y, given = cases.user_input("logistic", "stacked")
    y[given["task"] == "north"] = "yes"
    whole = cm.MeanRegularizedClassifier(0.1, 0.1, tol=1e-7).fit(X, y, **given)
    model = distributed.fit(clone(whole), pieces((X, y, given), [20]), method="dual")
    assert_allclose(model.intercept_, whole.intercept_, rtol=1e-2)
    assert_allclose(model.coef_, whole.coef_, atol=1e-3)


def test_what_is_refused():
    data = cases.user_input("squared", "stacked")
    for model in (cm.BlockSparseRegressor(), cm.MultiTaskRegressor(MeanCoupling(0.0, 1.0))):
        with pytest.raises(ValueError, match="method='dual' is for quadratic couplings that leave no direction free"):
            distributed.fit(model, pieces(data, [9]), method="dual")
