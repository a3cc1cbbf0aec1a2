"""Coefficients that are not negative: their laws, what users hand over, and how long it takes."""

import cases
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import nnls
from sklearn.linear_model import ElasticNet, Lasso

import convexmtl as cm
from convexmtl import reference
from convexmtl.certificate import Dual, duality_gap
from convexmtl.penalties import DirtyNorm, GraphGuided, RowNorm, SparseGroup, Temporal, TreeGuided, Weighted
from convexmtl.solvers import solve

PENALTIES = {
    "l1": RowNorm(0.1, q=1),
    "l2": RowNorm(0.15),
    "linf": RowNorm(0.15, q=np.inf, l1_ratio=0.7),
    "sparse group": SparseGroup(0.15),
    "dirty": DirtyNorm(0.15, 0.1),
    "tree": TreeGuided(cases.tree(4), 0.1),
    "chain": Temporal(0.1, alpha_sparse=0.05, alpha_group=0.05),
    "chain alone": Temporal(0.1),
    "squares": Temporal(0.1, "l2", alpha_ridge=0.1),
    "graph": GraphGuided(cases.cycle(4), 0.1, alpha_sparse=0.05),
    "signs": GraphGuided(cases.signed_graph(4), 0.1),
}
FAMILIES = [cls for cls in cases.REGRESSORS if "positive" in cls().get_params()]
every_family = pytest.mark.parametrize("cls", FAMILIES, ids=lambda cls: cls.__name__)


def positive(penalty):
    return penalty.replaced(positive=True)


def model(penalty, loss="squared", **options):
    cls = cm.MultiTaskClassifier if cases.LOSSES[loss].loss.classification else cm.MultiTaskRegressor
    return cls(penalty, loss=loss, **options)


def draw(rng, n=40, d=6, T=4, signs=1.0):
    """Features nearly orthogonal, and coefficients far from zero."""
    X = rng.standard_normal((n, d))
    W = signs * rng.uniform(2.0, 3.0, (d, T))
    return X, X @ W + 0.1 * rng.standard_normal((n, T))


@pytest.mark.parametrize("l1_ratio", [1.0, 0.6])
@pytest.mark.parametrize("strength", [0.0, 0.01, 0.3])
def test_one_task_is_that_of_scikit_learn(strength, l1_ratio):
    rng = np.random.default_rng(0)
    X = cases.features(rng, 60, 20)
    y = X @ rng.standard_normal(20) + rng.standard_normal(60)
    theirs = ElasticNet(alpha=strength, l1_ratio=l1_ratio, positive=True, tol=1e-12, max_iter=100_000)
    if strength:
        theirs.fit(X, y)
        coef, intercept = theirs.coef_, theirs.intercept_
    else:
        coef = nnls(X - X.mean(axis=0), y - y.mean())[0]
        intercept = y.mean() - X.mean(axis=0) @ coef
    for estimator in (
        cm.BlockSparseRegressor(strength, l1_ratio=l1_ratio, positive=True, tol=1e-10),
        *([cm.SparseGroupRegressor(strength, positive=True, tol=1e-10)] if l1_ratio == 1 else []),
    ):
        estimator.fit(X, y)
        assert_allclose(estimator.coef_[0], coef, atol=1e-5 * np.abs(coef).max())
        assert_allclose(estimator.intercept_, intercept, rtol=1e-4)
        assert np.all(estimator.coef_ >= 0)
        assert cm.certify(estimator, X, y).gap <= 1e-9 * y.var()


def test_where_all_is_zero_it_is_that_of_scikit_learn():
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((30, 8)), rng.standard_normal(30)
    top = cm.alpha_max(cm.BlockSparseRegressor(positive=True), X, y)
    assert not Lasso(top * 1.0001, positive=True, tol=1e-12).fit(X, y).coef_.any()
    assert Lasso(top * 0.999, positive=True, tol=1e-12).fit(X, y).coef_.any()
    # Where the target falls with every feature nothing is of use.
    assert cm.alpha_max(cm.BlockSparseRegressor(positive=True), np.abs(X[:, :1]), -np.abs(X[:, :1])) == 0


@pytest.mark.parametrize("name", PENALTIES)
def test_positive_solutions_do_not_change(name):
    X, Y = draw(np.random.default_rng(0))
    plain = model(PENALTIES[name], tol=1e-10).fit(X, Y)
    signed = model(positive(PENALTIES[name]), tol=1e-10).fit(X, Y)
    assert np.all(plain.coef_ > 0)
    assert_allclose(signed.coef_, plain.coef_, atol=1e-4)
    assert_allclose(signed.objective_, plain.objective_, rtol=1e-8)


@pytest.mark.parametrize("name", PENALTIES)
def test_free_and_left_out(name):
    """With features that are not penalised, but have to be positive, and features that are left out."""
    X, Y = draw(np.random.default_rng(1), signs=np.array([1, -1, 1, -1, 1, 1])[:, None])
    weights = [0.0, 0.0, 2.0, 1.0, np.inf, 1.0]
    if name == "squares":
        pytest.skip("couples the tasks, and has no weights")
    fit = model(Weighted(positive(PENALTIES[name]), weights), tol=1e-8).fit(X, Y)
    assert np.all(fit.coef_ >= 0) and fit.coef_[:, 0].all() and not fit.coef_[:, [1, 4]].any()
    scale = cases.scale_of(fit._formulate(X, Y).problem)
    cases.assert_agrees(fit.objective_, fit.dual_gap_, reference.fit(fit, X, Y), scale)
    top = cm.alpha_max(fit, X, Y)
    strengths = fit._formulate(X, y=Y).strengths
    lead = next(name for name, value in strengths.items() if value > 0)
    factor = (top[lead] if isinstance(top, dict) else top) / strengths[lead]
    others = [2, 3, 5]
    above, below = (model(fit.penalty.scaled(factor * s), tol=1e-9).fit(X, Y).coef_[:, others] for s in (1.0001, 0.99))
    if "alone" not in name and name != "signs":
        assert not above.any() and below.any()


@pytest.mark.parametrize("layout", ["tall", "wide", "stacked"])
@pytest.mark.parametrize("cls", [cm.BlockSparseRegressor, cm.DirtyRegressor, cm.TemporalRegressor])
def test_paths_are_certified(cls, layout):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30 if layout == "wide" else 80, 60))
    Y = X[:, :4] @ np.abs(rng.standard_normal((4, 3))) - X[:, 4:6].sum(axis=1)[:, None] + 0.1
    y, options = (Y[:, 0], {"task": np.arange(80) % 2}) if layout == "stacked" else (Y, {})
    more = {"alpha_group": 0.1} if cls is cm.TemporalRegressor else {}
    estimator = cls(positive=True, tol=1e-6, **more)
    path = cm.regularization_path(estimator, X, y, alphas=12, eps=0.05, **options)
    assert np.all(path.dual_gaps <= estimator._formulate(X, y, **options).problem.threshold(1e-6))
    # (At the largest strength nothing is left, but for rounding of the strength itself.)
    assert np.all(path.coefs >= 0) and path.coefs[-1].any() and path.coefs[0].max() < 1e-14


@every_family
def test_every_family_and_its_twin(cls):
    X, Y, _ = cases.user_input("squared", "shared")
    fit = cls(positive=True, tol=1e-8).fit(X, Y)
    assert np.all(fit.coef_ >= 0) and np.any(cls(tol=1e-8).fit(X, Y).coef_ < 0)
    assert fit.dual_gap_ <= 1e-8 * cases.scale_of(fit._formulate(X, Y).problem)
    twin = getattr(cm, cls.__name__ + "CV")(positive=True, alphas=3, cv=2, eps=0.1).fit(X, Y)
    assert np.all(twin.coef_ >= 0)
    again = cm.from_dict(cm.to_dict(fit))
    assert_array_equal(again.predict(X), fit.predict(X))
    assert "for W >= 0" in " ".join(str(cm.explain_fit(fit)).split())


@pytest.mark.parametrize("loss", [name for name, case in cases.LOSSES.items() if case.loss.by_column])
def test_relaxed(loss):
    """The loss alone, with the signs that it would lose otherwise."""
    X, y = cases.draw_shared(cases.LOSSES[loss].targets, np.random.default_rng(0), 60, 6, 4)
    # A column that the others nearly make up for turns negative without a penalty.
    X = np.column_stack([X, X[:, 0] + 0.05 * np.random.default_rng(0).standard_normal(len(X))])
    cls = cm.BlockSparseClassifier if cases.LOSSES[loss].loss.classification else cm.BlockSparseRegressor
    fit = cls(0.02, loss=cases.LOSSES[loss].loss, positive=True, refit="relaxed", tol=1e-8).fit(X, y)
    assert np.all(fit.coef_ >= 0)
    certificate = cm.certify(fit, X, y)
    assert certificate.gap <= 1e-8 * cases.scale_of(fit._formulate(X, y).problem)
    assert_allclose(certificate.primal, fit.objective_, rtol=1e-9)
    plain = cls(0.02, loss=cases.LOSSES[loss].loss, positive=True, tol=1e-8).fit(X, y)
    assert not fit.coef_[plain.coef_ == 0].any()


@pytest.mark.parametrize("loss", ["quantile", "absolute", "epsilon_insensitive"])
def test_dual_variables_at_kinks_are_mended(loss):
    """Signs leave what is common to the tasks free: where dual variables are a little off, those at kinks move."""
    problem, _ = cases.make_problem(loss, "temporal_l1_free_positive", "shared")
    result = solve(problem, tol=1e-4)
    assert result.converged
    off = result.dual.v + 1e-4 * np.random.default_rng(0).standard_normal(len(result.dual.v))
    assert duality_gap(problem, result.parts, dual=Dual(v=off)).gap < 0.01 * result.objective


def test_criteria_count_what_moves():
    """With the lasso, as many degrees of freedom as coefficients that are not zero."""
    X, Y, _ = cases.user_input("squared", "shared")
    fit = cm.BlockSparseRegressor(0.1, q=1, positive=True, tol=1e-9).fit(X, Y)
    assert_allclose(cm.degrees_of_freedom(fit, X, Y), np.count_nonzero(fit.coef_) + 4, rtol=1e-5)


def test_a_new_task_has_the_signs():
    X, Y, _ = cases.user_input("squared", "shared")
    fit = cm.BlockSparseRegressor(0.05, positive=True, tol=1e-7).fit(X, Y)
    longer = cm.fit_new_task(fit, X, -Y[:, 0], 99)
    assert np.all(longer.coef_ >= 0)


@pytest.mark.parametrize("given", ["yes", 1, None])
@every_family
def test_what_is_not_said(cls, given):
    X, Y, _ = cases.user_input("squared", "shared")
    with pytest.raises(ValueError, match="positive"):
        cls(positive=given).fit(X, Y)
    with pytest.raises(ValueError, match="positive must be True or False, got"):
        model(RowNorm(0.1, positive=given)).fit(X, Y)
