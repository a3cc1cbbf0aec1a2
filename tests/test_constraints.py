"""Constraints on W, beside penalties or alone."""

import cases
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import lsq_linear
from scipy.sparse import csr_array
from sklearn.isotonic import isotonic_regression
from sklearn.linear_model import ElasticNet, Lasso

import convexmtl as cm
from convexmtl.penalties import Box, LinearConstraint, MeanCoupling, RowNorm, TraceNorm, Weighted

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


# ---------------------------------------------------------------------------------- linear constraints


def rising(d):
    return LinearConstraint(np.diff(np.eye(d), axis=0), low=0.0)


@pytest.mark.parametrize("d", [1 + 1, 30, 300])
def test_rising_coefficients_are_isotonic_regression(d):
    V = np.random.default_rng(0).standard_normal((d, 3))
    theirs = np.column_stack([isotonic_regression(v) for v in V.T])
    assert_allclose(rising(d).prox(V, 1.0), theirs, atol=1e-12)
    assert_allclose(rising(d).prox(1e6 * V, 1.0), 1e6 * theirs, atol=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_the_nearest_point_and_its_multipliers(seed):
    """Of matrices of every rank, with bounds of every kind: V - W is a subgradient at W, so that no W is nearer."""
    rng = np.random.default_rng(seed)
    d, m = rng.integers(1, 9), rng.integers(1, 12)
    A, w = rng.integers(-2, 3, (m, d)).astype(float), rng.standard_normal((d, T))
    low, high = (A @ w + s * rng.random((m, T)) * rng.integers(0, 2, (m, T)) for s in (-1, 1))
    low[rng.random(m) < 0.3], high[rng.random(m) < 0.3] = -np.inf, np.inf
    (term,) = LinearConstraint(A, low, high).resolve(d, np.arange(T)).terms
    terms = [term, term.within(Box(np.minimum(w - 0.1, 0.0), np.maximum(w + 0.1, 0.5)))]
    for scale, term in zip((1.0, 1e3, 1.0, 1e3), terms * 2, strict=True):
        V = scale * rng.standard_normal((d, T))
        W = term.prox(V, 1.0)
        assert_allclose(term.feasible(W), W, atol=1e-8 * scale)
        assert term.holds(term.feasible(W))
        Z = term.dual_part(V - W)
        assert_allclose(Z, V - W, atol=1e-9 * scale)
        assert term.conjugate(Z) - np.sum(W * Z) <= 1e-7 * scale**2


def test_constraints_that_do_not_bind_change_nothing():
    X, Y = drawn()
    free = cm.MultiTaskRegressor(RowNorm(0.1), tol=1e-9).fit(X, Y)
    slack = LinearConstraint(np.ones((1, D)), -100.0, 100.0)
    assert_allclose(cm.MultiTaskRegressor(RowNorm(0.1) + slack, tol=1e-9).fit(X, Y).coef_, free.coef_, atol=1e-5)


def test_rows_of_the_identity_are_bounds():
    X, Y = drawn()
    rows = RowNorm(0.1) + LinearConstraint(csr_array(np.eye(D)), -0.2, 0.3)
    boxed = RowNorm(0.1) + Box(-0.2, 0.3)
    a, b = (cm.MultiTaskRegressor(penalty, tol=1e-10).fit(X, Y) for penalty in (rows, boxed))
    assert_allclose(a.coef_, b.coef_, atol=1e-5)
    assert_allclose(a.objective_, b.objective_, rtol=1e-9)


def test_an_equation_is_a_substitution():
    """A lasso whose coefficients sum to zero, on features of which the last is minus the sum of the others."""
    X, Y = drawn()
    none = LinearConstraint(np.ones((1, D)), 0.0, 0.0)
    model = cm.MultiTaskRegressor(none, fit_intercept=False, tol=1e-10).fit(X, Y)
    first = np.linalg.lstsq(X[:, :-1] - X[:, -1:], Y, rcond=None)[0]
    assert_allclose(model.coef_.T, np.vstack([first, -first.sum(axis=0)]), atol=1e-5)
    assert_allclose(model.coef_.sum(axis=1), 0.0, atol=1e-12)


def test_zeros_beside_constraints_are_exact():
    X, Y = drawn()
    model = cm.MultiTaskRegressor(RowNorm(0.5) + LinearConstraint(np.ones((1, D)), 0.0, 0.0), tol=1e-8).fit(X, Y)
    used = model.coef_.any(axis=0)
    assert 1 < used.sum() < D
    assert_allclose(model.coef_.sum(axis=1), 0.0, atol=1e-12)
    weighted = Weighted(RowNorm(0.1), {0: np.inf}) + LinearConstraint(np.ones((1, D)), 1.0, 1.0)
    model = cm.MultiTaskRegressor(weighted, tol=1e-8).fit(X, Y)
    assert not model.coef_[:, 0].any()
    assert_allclose(model.coef_.sum(axis=1), 1.0, atol=1e-12)


def test_all_that_is_made_of_a_fit_with_rows():
    X, Y = drawn()
    penalty = RowNorm(1.0) + rising(D)
    largest = cm.alpha_max(cm.MultiTaskRegressor(penalty), X, Y)
    assert not cm.MultiTaskRegressor(penalty.scaled(1.001 * largest)).fit(X, Y).coef_.any()
    assert cm.MultiTaskRegressor(penalty.scaled(0.98 * largest), tol=1e-8).fit(X, Y).coef_.any()
    search = cm.MultiTaskRegressorCV(penalty, alphas=4, cv=3).fit(X, Y)
    assert np.diff(search.coef_, axis=1).min() > -1e-12
    said = str(cm.explain_fit(search))
    assert "0 <= A W <= inf" in said and "constraints of 20 at a" in said
    again = cm.from_dict(cm.to_dict(search))
    assert_allclose(again.coef_, search.coef_)
    longer = cm.fit_new_task(search, X[:9], -Y[:9, 0], 9)
    assert np.diff(longer.coef_, axis=1).min() > -1e-12
    own = cm.MultiTaskRegressor(RowNorm(0.1) + LinearConstraint(np.ones((1, D)), np.zeros((1, T)))).fit(X, Y)
    with pytest.raises(ValueError, match=r"LinearConstraint has bounds for each of the old tasks, .* \(m, 1\) or a"):
        cm.fit_new_task(own, X[:9], Y[:9, 0], 9)


def test_signs_select_single_coefficients():
    """However they are asked for."""
    for penalty in (RowNorm(0.1, positive=True), RowNorm(0.1) + Box(low=0.0), RowNorm(0.1) + Box(high=0.0)):
        assert penalty.resolve(D, np.arange(T)).selects_coefficients(T)
    for penalty in (RowNorm(0.1), RowNorm(0.1) + Box(low=-1.0)):
        assert not penalty.resolve(D, np.arange(T)).selects_coefficients(T)
