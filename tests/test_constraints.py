"""Constraints on W, beside penalties or alone."""

import cases
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import lsq_linear
from sklearn.linear_model import ElasticNet, Lasso

import convexmtl as cm
from convexmtl.penalties import Box, MeanCoupling, RowNorm, TraceNorm

D, T = 6, 4


def drawn(seed=0, n=40):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, D))
    W = rng.normal(size=(D, T)) * (rng.random((D, 1)) < 0.6)
    return X, X @ W + 0.3 * rng.normal(size=(n, T))


@pytest.mark.parametrize("penalty", [RowNorm(0.1, q=1), RowNorm(0.05) + TraceNorm(0.05), MeanCoupling(0.1, 0.1)])
def test_a_bound_that_does_not_bind_changes_nothing(penalty):
    X, Y = drawn()
    free = cm.MultiTaskRegressor(penalty, tol=1e-9).fit(X, Y)
    size = 1.01 * np.abs(free.coef_).max()
    bounded = cm.MultiTaskRegressor(penalty + Box(-size, size), tol=1e-9).fit(X, Y)
    assert_allclose(bounded.objective_, free.objective_, rtol=1e-7)
    assert_allclose(bounded.coef_, free.coef_, atol=2e-4)


def test_positive_solutions_stay_what_they_are():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, D))
    Y = X @ rng.uniform(0.5, 2.0, (D, T)) + 0.1 * rng.normal(size=(60, T))
    free = cm.MultiTaskRegressor(RowNorm(0.01), tol=1e-9).fit(X, Y)
    assert free.coef_.min() > 0
    positive = cm.MultiTaskRegressor(RowNorm(0.01) + Box(low=0.0), tol=1e-9).fit(X, Y)
    assert_allclose(positive.coef_, free.coef_, atol=1e-4)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_one_task_is_the_positive_lasso(l1_ratio):
    X, Y = drawn()
    theirs = (Lasso(0.1, positive=True) if l1_ratio == 1 else ElasticNet(0.1, l1_ratio=l1_ratio, positive=True)).fit(
        X, Y[:, 0]
    )
    ours = cm.MultiTaskRegressor(RowNorm(0.1, q=1, l1_ratio=l1_ratio) + Box(low=0.0), tol=1e-10).fit(X, Y[:, 0])
    assert_allclose(ours.coef_.ravel(), theirs.coef_, atol=1e-4)
    assert np.all((ours.coef_.ravel() == 0) == (theirs.coef_ == 0))


@pytest.mark.parametrize("n", [40, 4])
def test_bounds_alone_are_bounded_least_squares(n):
    X, Y = drawn(n=n)
    low, high = np.full((D, 1), -0.2), np.linspace(0.0, 0.8, D)[:, None]
    model = cm.MultiTaskRegressor(Box(low, high), fit_intercept=False, tol=1e-9).fit(X, Y)
    total = sum(lsq_linear(X, y, (low[:, 0], high[:, 0]), tol=1e-14).cost for y in Y.T) / n
    assert_allclose(model.objective_, total, rtol=1e-7)
    assert model.dual_gap_ <= 1e-8 * np.sum(Y**2)
    assert cm.certify(model, X, Y).gap <= 1e-8 * np.sum(Y**2)


def test_the_largest_strength_knows_the_bounds():
    X, Y = drawn()
    penalty = RowNorm(1.0, q=1) + Box(low=0.0)
    largest = cm.alpha_max(cm.MultiTaskRegressor(penalty), X, Y)
    # Of what pulls upwards alone.
    Xc, Yc = X - X.mean(axis=0), Y - Y.mean(axis=0)
    assert_allclose(largest, (Xc.T @ Yc / len(X)).max(), rtol=1e-6)
    assert not cm.MultiTaskRegressor(penalty.scaled(1.001 * largest)).fit(X, Y).coef_.any()
    with pytest.raises(ValueError, match="the constraints do not allow W = 0: pass the strengths to try as alphas"):
        cm.alpha_max(cm.MultiTaskRegressor(RowNorm() + Box(low=0.1)), X, Y)


def test_paths_searches_and_words():
    X, Y = drawn()
    penalty = RowNorm(1.0) + Box(low=0.0, high=0.5)
    path = cm.regularization_path(cm.MultiTaskRegressor(penalty), X, Y, alphas=5)
    assert not path.coefs[0].any() and path.coefs.min() >= 0 and path.coefs.max() == 0.5
    search = cm.MultiTaskRegressorCV(penalty, alphas=4, cv=3).fit(X, Y)
    assert search.coef_.min() >= 0 and search.penalty_.second.high == 0.5
    assert "at a bound" in str(cm.explain_fit(search))
    below = cm.MultiTaskRegressor(RowNorm(0.1) + Box(low=np.full((D, T), 0.1)), tol=1e-6).fit(X, Y)
    assert below.coef_.min() == 0.1
    with pytest.raises(ValueError, match="Box has bounds for each of the old tasks, which say nothing of a new one"):
        cm.fit_new_task(below, X[:9], Y[:9, 0], 9)
    longer = cm.fit_new_task(search, X[:9], -Y[:9, 0], 9)
    assert longer.coef_.min() >= 0


def test_constant_features_are_within_their_bounds():
    X, Y = drawn()
    X[:, 2] = 1.0
    model = cm.MultiTaskRegressor(RowNorm(0.1) + Box(low=np.linspace(-0.5, 0.5, D)[:, None])).fit(X, Y)
    assert np.all(model.coef_ >= np.linspace(-0.5, 0.5, D)) and np.all(model.coef_[:, 2] == 0)


@pytest.mark.parametrize("name", ["positive", "box_alone", "trace+l1+bounds", "positive+mean"])
def test_bounds_from_any_dual_variables(name):
    """Of W that are far from the solution, and of predictions that are not theirs."""
    from convexmtl.certificate import Dual, duality_gap
    from convexmtl.solvers import solve

    problem, _ = cases.make_problem("squared", name, "shared_missing")
    result, rng = solve(problem, tol=1e-9), np.random.default_rng(0)
    scale = cases.scale_of(problem)
    for size in (1e-6, 1e-2, 1.0):
        parts = [part + size * rng.standard_normal(part.shape) for part in result.parts]
        parts = problem.penalty.feasible(parts)
        for at in (None, problem.tasks.y + rng.standard_normal(problem.tasks.y.shape)):
            certificate = duality_gap(problem, parts, dual=Dual(at=at))
            assert certificate.gap >= certificate.primal - result.objective - 1e-9 * scale
