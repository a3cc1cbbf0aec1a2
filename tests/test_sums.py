"""Several penalties on one W: laws, bounds from any split of the dual variables, and all that is made of a fit."""

import cases
import cvxpy as cp
import numpy as np
import pytest
from cases import law, least
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.feature_selection import SelectFromModel

import convexmtl as cm
from convexmtl.certificate import Dual, duality_gap
from convexmtl.penalties import (
    DirtyNorm,
    GraphGuided,
    MeanCoupling,
    Parts,
    RobustFeature,
    RobustLowRank,
    RowNorm,
    SparseGroup,
    SparseLowRank,
    TaskNorm,
    Temporal,
    TraceNorm,
)
from convexmtl.solvers import solve
from convexmtl.solvers.paths import critical_factor

D, T = 6, 4
SUMS = [name for name in cases.PENALTIES if cases.PENALTIES[name].build(D, T).resolve(D, np.arange(T)).whole]
SUM = RowNorm(0.3) + TraceNorm(0.3)


def drawn(seed=0, n=40):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, D))
    return X, X[:, :2] @ rng.normal(size=(2, T)) + 0.1 * rng.normal(size=(n, T))


# --------------------------------------------------------------------------------------------- laws


@pytest.mark.parametrize("loss", ["squared", "poisson", "logistic"])
@pytest.mark.parametrize(
    "one, other, both",
    [
        (RowNorm(0.05), RowNorm(0.1), RowNorm(0.15)),
        (TraceNorm(0.1) + MeanCoupling(0.1, 0.1), TraceNorm(0.05), TraceNorm(0.15) + MeanCoupling(0.1, 0.1)),
        (RowNorm(0.06), SparseGroup(0.05, l1_ratio=0.0), RowNorm(0.11)),
        (RowNorm(0.04, q=1), SparseGroup(0.1, l1_ratio=0.6), SparseGroup(0.14, l1_ratio=0.1 / 0.14)),
    ],
)
def test_copies_add_up(one, other, both, loss):
    case = cases.LOSSES[loss]
    X, Y = cases.draw_shared(case.targets, np.random.default_rng(0), 25, D, T)
    cls = cm.MultiTaskClassifier if case.loss.classification else cm.MultiTaskRegressor
    sum_of_two, single = (cls(p, loss=loss, tol=1e-9).fit(X, Y) for p in (one + other, both))
    assert_allclose(sum_of_two.objective_, single.objective_, rtol=1e-7)
    assert_allclose(sum_of_two.coef_, single.coef_, atol=1e-3)


def test_a_norm_within_another_is_that_much_stronger():
    X, Y = drawn()
    # The dual balls add up: an l1 norm beside a Dirty norm that is one.
    sum_of_two = cm.MultiTaskRegressor(DirtyNorm(0.1, 0.1) + RowNorm(0.1, q=np.inf), tol=1e-9).fit(X, Y)
    assert_allclose(sum_of_two.coef_, cm.BlockSparseRegressor(0.2, q=np.inf, tol=1e-9).fit(X, Y).coef_, atol=1e-3)


@law(8)
@given(st.permutations([RowNorm(0.1), TraceNorm(0.1), RowNorm(0.05, q=1), MeanCoupling(0.05, 0.1)]))
def test_the_order_does_not_matter(summands):
    X, Y = drawn()
    first, *others = summands
    total = first + (others[0] + others[1]) + others[2]
    ordered = RowNorm(0.1) + TraceNorm(0.1) + RowNorm(0.05, q=1) + MeanCoupling(0.05, 0.1)
    a, b = (cm.MultiTaskRegressor(p, tol=1e-8).fit(X, Y) for p in (total, ordered))
    assert_allclose(a.objective_, b.objective_, rtol=1e-6)
    assert [type(one) for one in total.summands] == [type(one) for one in summands]


def test_zeros_and_rank_at_once():
    X, Y = drawn(n=200)
    model = cm.MultiTaskRegressor(RowNorm(0.4) + TraceNorm(0.4)).fit(X, Y)
    assert_array_equal(model.coef_.any(axis=0), np.arange(D) < 2)
    assert model.rank_ == np.linalg.matrix_rank(model.coef_) <= 2
    with_entries = cm.MultiTaskRegressor(RowNorm(0.1) + RowNorm(0.6, q=1)).fit(X, Y)
    assert 0 < np.sum(with_entries.coef_[:, :2] == 0) < 2 * T and not with_entries.coef_[:, 2:].any()


# ------------------------------------------------------------------------------------------- bounds


@pytest.mark.parametrize("name", SUMS)
def test_any_split_of_the_dual_variables_is_a_bound(name):
    """However wrong what a solver hands over is, the gap is never less than the height above the optimum."""
    problem, _ = cases.make_problem("squared", name, "shared_missing")
    result, rng = solve(problem, tol=1e-9), np.random.default_rng(0)
    scale, (n_groups, shape) = cases.scale_of(problem), (len(problem.penalty.groups), problem.shape)
    out = problem.penalty.left_out(shape)
    lowest = result.objective - result.dual_gap
    for size in (0.0, 1e-3, 1.0):
        noise = size * rng.standard_normal((problem.penalty.n_parts, *shape))
        parts = problem.penalty.feasible(result.parts + (noise if out is None else np.where(out, 0.0, noise)))
        for split in (None, result.dual.split, rng.standard_normal((n_groups, *shape)), np.zeros((1, 2, 3))):
            certificate = duality_gap(problem, parts, dual=Dual(split=split))
            assert certificate.gap >= certificate.primal - result.objective - 1e-10 * scale
            assert certificate.dual <= lowest + result.dual_gap + 1e-10 * scale
            assert np.isfinite(certificate.primal)


def test_certify_has_the_split():
    X, Y = drawn()
    model = cm.MultiTaskRegressor(SUM, tol=1e-8).fit(X, Y)
    assert cm.certify(model, X, Y).gap == pytest.approx(model.dual_gap_, rel=1e-6)
    model._dual = None
    assert cm.certify(model, X, Y).gap > 10 * model.dual_gap_


@pytest.mark.parametrize(
    "penalty",
    [
        RowNorm(0.5) + TraceNorm(0.7),
        RowNorm(0.5, q=1) + RowNorm(1.0, q=np.inf) + TaskNorm(0.3),
        Temporal(0.4) + TraceNorm(0.5),
        Temporal(0.4, alpha_group=0.3) + GraphGuided([(0, 1)], 0.2),
        SparseLowRank(0.4, 0.8) + RowNorm(0.2),
    ],
)
def test_dual_norm_of_a_sum(penalty):
    Z = np.random.default_rng(0).standard_normal((D, T))
    canonical, W = penalty.resolve(D, np.arange(T)), cp.Variable((D, T))
    omega, rules = penalty.expression(W, cp)
    asked = 1 / least(cp.Problem(cp.Minimize(omega), [*rules, cp.sum(cp.multiply(W, Z)) == 1]))
    found = canonical.dual_norm(Z, 1e-7)
    assert_allclose(found, asked, rtol=2e-7)
    assert_allclose(canonical.dual_norm(1e9 * Z, 1e-7), 1e9 * found, rtol=1e-12)
    assert canonical.dual_norm(np.zeros((D, T)), 1e-7) == 0


def test_dual_norm_of_copies():
    Z = np.random.default_rng(1).standard_normal((D, T))
    twice = (RowNorm(0.3) + RowNorm(0.5)).resolve(D, np.arange(T)).dual_norm(Z, 1e-8)
    assert_allclose(twice, RowNorm(0.8).dual_norm(Z), rtol=1e-8)


# ------------------------------------------------------------------------------ what is made of a fit


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("penalty", [SUM, RowNorm(0.3, q=1) + Parts([("a", RowNorm()), ("b", TraceNorm())])])
def test_largest_strength(penalty, loss):
    X, Y = drawn()
    Y = Y if loss == "squared" else np.sign(Y)
    cls = cm.MultiTaskRegressor if loss == "squared" else cm.MultiTaskClassifier
    model = cls(penalty, loss=loss, tol=1e-8)
    largest, strengths = cm.alpha_max(model, X, Y), penalty.strength_values()
    factors = [largest[name] / strengths[name] for name in strengths]
    assert_allclose(factors, factors[0])
    assert not cls(penalty.scaled(1.001 * factors[0]), loss=loss, tol=1e-8).fit(X, Y).coef_.any()
    assert np.abs(cm.reference.fit(cls(penalty.scaled(0.99 * factors[0]), loss=loss), X, Y).W).max() > 1e-4


def test_paths_and_searches():
    X, Y = drawn()
    path = cm.regularization_path(cm.MultiTaskRegressor(SUM, tol=1e-7), X, Y, alphas=6)
    assert not path.coefs[0].any() and path.coefs[1].any()
    for k in (1, 3, 5):
        alone = cm.MultiTaskRegressor(SUM.scaled(path.alphas[k] / 0.3), tol=1e-7).fit(X, Y)
        assert_allclose(path.objectives[k], alone.objective_, rtol=1e-5)
    search = cm.MultiTaskRegressorCV(SUM, alphas=5, cv=3).fit(X, Y)
    assert search.penalty_.first.alpha == search.penalty_.second.alpha == search.first__alpha_
    assert_allclose(search.coef_, cm.MultiTaskRegressor(search.penalty_).fit(X, Y).coef_, atol=1e-2)


def test_warm_start_takes_no_step():
    X, Y = drawn()
    model = cm.MultiTaskRegressor(SUM, tol=1e-7, warm_start=True).fit(X, Y)
    first, coef = model.n_iter_, model.coef_
    assert model.fit(X, Y).n_iter_ == 1 < first
    assert_allclose(model.coef_, coef, atol=1e-3)


def test_words_and_selection():
    X, Y = drawn()
    model = cm.MultiTaskRegressor(RowNorm(0.3) + TraceNorm(0.1)).fit(X, Y)
    explanation = cm.explain_fit(model)
    said = str(explanation)
    assert "RowNorm" in said and "TraceNorm" in said and "alpha_max, from which on all coefficients are zero" in said
    figures = explanation.figures
    assert_allclose(figures["loss"] + figures["penalty"], model.objective_)
    largest = cm.alpha_max(model, X, Y)["first__alpha"]
    assert_allclose(figures["alpha_max_factor"] * 0.3, largest, rtol=1e-3)
    selected = SelectFromModel(model, prefit=True).get_support()
    assert_array_equal(selected, model.coef_.any(axis=0))
    stable = cm.stability_selection(model, X, Y, n_pairs=3, random_state=0)
    assert stable.selected.sum() >= 1
    relaxed = cm.relax(model, X, Y)
    assert_array_equal(relaxed.coef_ != 0, model.coef_ != 0)


def test_degrees_of_freedom():
    """Of copies of a norm, those of the norm."""
    X, Y = drawn()
    one = cm.degrees_of_freedom(cm.MultiTaskRegressor(RowNorm(0.2), tol=1e-9).fit(X, Y), X, Y)
    model = cm.MultiTaskRegressor(RowNorm(0.1) + RowNorm(0.1), tol=1e-9).fit(X, Y)
    assert_allclose(np.sum(cm.degrees_of_freedom(model, X, Y, n_probes=100)), np.sum(one), rtol=0.01)


# ---------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    "penalty",
    [RobustFeature() + RobustLowRank(), RowNorm() + RobustFeature() + Parts([("a", RowNorm()), ("b", TraceNorm())])],
)
def test_two_splits_of_one_matrix(penalty):
    with pytest.raises(ValueError, match=r"only one penalty of a sum may be a sum of parts .* Put all parts into one"):
        cm.MultiTaskRegressor(penalty).fit(*drawn())


def test_a_sum_as_a_part():
    penalty = Parts([("a", RowNorm() + TraceNorm()), ("b", TaskNorm())])
    with pytest.raises(ValueError, match=r"part 'a': Added.* is a sum of penalties, and a part has one\. Add what is"):
        cm.MultiTaskRegressor(penalty).fit(*drawn())


def test_a_sum_with_what_is_no_penalty():
    with pytest.raises(TypeError):
        RowNorm() + 3


def test_strengths_of_zero_leave_the_rest():
    X, Y = drawn()
    nothing = RowNorm(0.0) + TraceNorm(0.2) + RowNorm(0.0, q=1)
    assert_allclose(
        cm.MultiTaskRegressor(nothing, tol=1e-8).fit(X, Y).coef_,
        cm.TraceNormRegressor(0.2, tol=1e-8).fit(X, Y).coef_,
        atol=1e-4,
    )
    assert critical_factor(cm.MultiTaskRegressor(nothing)._formulate(X, Y).problem) > 0


def test_saved_as_json():
    X, Y = drawn()
    model = cm.MultiTaskRegressor(SUM, tol=1e-8).fit(X, Y)
    again = cm.from_dict(cm.to_dict(model))
    assert cm.certify(again, X, Y).gap == cm.certify(model, X, Y).gap <= 1e-6
