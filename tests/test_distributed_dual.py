"""Dual ascent in rounds: quadratic couplings with any loss, and relationships that are learned."""

import cases
import numpy as np
import pytest
from sklearn.base import clone
from test_distributed_rounds import pieces

import convexmtl as cm
from convexmtl import distributed
from convexmtl.penalties import GraphLaplacian, MeanCoupling, TaskCoupling

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


def assert_certified(coupling, loss, form, at, tol):
    cls = cm.MultiTaskClassifier if cases.LOSSES[loss].loss.classification else cm.MultiTaskRegressor
    model = cls(COUPLINGS[coupling], loss=loss, fit_intercept=False, tol=tol)
    data = cases.user_input(loss, form)
    model, more, scale = fitted(model, data, at)
    assert -1e-7 <= more <= 1.001 * tol
    assert (more - 1e-7) * scale <= model.dual_gap_ <= 1.001 * tol * scale
    last = model.history_[-1]
    assert last["round"] <= 600 and last["bytes"] > 0


@pytest.mark.covering(1)
@pytest.mark.parametrize("at", [[], [9, 9, 30]])
@pytest.mark.parametrize("form", ["shared", "stacked"])
@pytest.mark.parametrize("loss", ["squared", "logistic", "huber"])
@pytest.mark.parametrize("coupling", COUPLINGS)
def test_couplings(coupling, loss, form, at):
    assert_certified(coupling, loss, form, at, 1e-3)


@pytest.mark.covering(1)
@pytest.mark.parametrize("form", ["shared", "stacked"])
@pytest.mark.parametrize("loss", ["hinge", "absolute"])
def test_kinks(loss, form):
    """Of which no model in rounds can be made."""
    assert_certified("mean", loss, form, [20], 1e-2)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_relationships(loss):
    cls = cm.TaskRelationshipClassifier if loss == "logistic" else cm.TaskRelationshipRegressor
    data = cases.user_input(loss, "stacked")
    model, more, scale = fitted(cls(0.1, loss=loss, fit_intercept=False, tol=2e-2), data, [20])
    assert -1e-7 <= more <= model.dual_gap_ / scale <= 2.002e-2
    assert np.trace(model.task_covariance_) == pytest.approx(1.0)


def test_what_is_refused():
    data = cases.user_input("squared", "stacked")
    for model, message in (
        (
            cm.MeanRegularizedRegressor(),
            "method='dual' needs fit_intercept=False: an intercept ties the dual variables",
        ),
        (
            cm.BlockSparseRegressor(fit_intercept=False),
            "method='dual' is for quadratic couplings that leave no direction",
        ),
        (cm.MultiTaskRegressor(MeanCoupling(0.0, 1.0), fit_intercept=False), "leave no direction free"),
    ):
        with pytest.raises(ValueError, match=message):
            distributed.fit(model, pieces(data, [9]), method="dual")
