"""Many tasks on few rows, for penalties that do not know one combination of the tasks from another."""

import cases
import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone

import convexmtl as cm
from convexmtl import data as data_module
from convexmtl import reduction
from convexmtl.certificate import duality_gap
from convexmtl.penalties import MeanCoupling, Parts, RowNorm, SharedFeature, SquaredTraceNorm, TraceNorm, Weighted
from convexmtl.penalties.spectral import largest_singular_value, singular_values

D, N, T = 5, 8, 40
WEIGHTS = [0.0, 2.0, np.inf, 1.0, 0.5]
PENALTIES = {
    "l2": RowNorm(0.5),
    "l2_ridge": RowNorm(0.5, l1_ratio=0.4),
    "l2_feature_weights": Weighted(RowNorm(0.5), WEIGHTS),
    "trace": TraceNorm(0.7),
    "squared_trace": SquaredTraceNorm(0.02, alpha_ridge=0.05),
    "shared_feature": SharedFeature(0.02),
    "parts": Parts([("rows", RowNorm(0.4)), ("low_rank", TraceNorm(0.5))]),
}
every_penalty = pytest.mark.parametrize("penalty", PENALTIES)


def draw(n=N, n_tasks=T, seed=0):
    rng = np.random.default_rng(seed)
    X = cases.features(rng, n, D)
    W = rng.standard_normal((D, 2)) @ rng.standard_normal((2, n_tasks))
    return X, X @ W + 5 + 0.5 * rng.standard_normal((n, n_tasks))


def by_all_tasks(monkeypatch, model, *data, **options):
    """The fit without the reduction."""
    with monkeypatch.context() as patch:
        patch.setattr(reduction, "MANY", np.inf)
        return clone(model).fit(*data, **options)


@every_penalty
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_same_fit(penalty, fit_intercept, weighted, monkeypatch):
    X, Y = draw()
    weight = np.random.default_rng(1).uniform(0.2, 2, N) * (np.arange(N) != 3) if weighted else None
    model = cm.MultiTaskRegressor(PENALTIES[penalty], fit_intercept=fit_intercept, tol=1e-9)
    few, _ = model._formulate(X, Y, sample_weight=weight).problem.rotated()
    assert few.shape == (D, (N - weighted) - fit_intercept)
    whole = by_all_tasks(monkeypatch, model, X, Y, sample_weight=weight)
    model.fit(X, Y, sample_weight=weight)
    certificate = cm.certify(model, X, Y, sample_weight=weight)
    assert certificate.gap <= 1e-9 * model._summary.gain
    assert_allclose(model.dual_gap_, certificate.gap, rtol=1e-6, atol=1e-13 * certificate.primal)
    assert_allclose(model.objective_, whole.objective_, rtol=1e-9)
    assert_allclose(model.coef_, whole.coef_, atol=2e-4)
    assert_allclose(model.intercept_, whole.intercept_, atol=1e-3)
    assert model.coef_.shape == (T, D)


@pytest.mark.covering(1)
@every_penalty
def test_reference(penalty):
    X, Y = draw(n_tasks=2 * N)
    model = cm.MultiTaskRegressor(PENALTIES[penalty], tol=1e-7).fit(X, Y)
    asked = cm.reference.fit(model, X, Y)
    cases.assert_agrees(model.objective_, model.dual_gap_, asked, model._summary.trivial)


THINNED = PENALTIES | {
    "coupling": MeanCoupling(0.3, 0.6),
    "l1": RowNorm(0.05, q=1, positive=True),
    "rows+trace": RowNorm(0.3) + TraceNorm(0.4),
}


@pytest.mark.parametrize("penalty", THINNED)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_same_fit_of_few_rows(penalty, fit_intercept, monkeypatch):
    """Of far and constant features and targets, weights some of which are zero, with as many tasks as there are."""
    X, Y = draw(n=30, n_tasks=9)
    X[:, 1], X[:, 2] = 3.0, X[:, 2] + 100
    weight = np.random.default_rng(1).uniform(0.2, 2, 30) * (np.arange(30) % 7 != 3)
    own = np.ones(9) if penalty in PENALTIES else np.linspace(0.5, 2, 9)
    model = cm.MultiTaskRegressor(THINNED[penalty], fit_intercept=fit_intercept, task_weight=own, tol=1e-8)
    whole = clone(model).fit(X, Y, sample_weight=weight)
    with monkeypatch.context() as patch:
        patch.setattr(data_module, "PASSES", 0)
        thin = model._formulate(X, Y, sample_weight=weight).problem.thinned()
        assert thin.tasks.X.shape == (D + 1, D) and not thin.data.fit_intercept
        few = clone(model).fit(X, Y, sample_weight=weight)
    certificate = cm.certify(few, X, Y, sample_weight=weight)
    assert certificate.gap <= 1.01e-8 * whole._summary.gain
    assert_allclose(few.dual_gap_, certificate.gap, rtol=1e-5, atol=1e-12 * certificate.primal)
    assert_allclose(few.objective_, certificate.primal, rtol=1e-12)
    assert_allclose(few.objective_, whole.objective_, rtol=1e-7)
    assert_allclose(few.coef_, whole.coef_, atol=1e-3)
    assert_allclose(few._summary.factor or 0, whole._summary.factor or 0, rtol=1e-6)
    if fit_intercept:
        assert not few.coef_[:, 1].any()


def test_a_path_and_a_warm_start_of_few_rows(monkeypatch):
    X, Y = draw(n=60, n_tasks=30)
    model = cm.BlockSparseRegressor(0.5, tol=1e-8, warm_start=True)
    whole = cm.regularization_path(model, X, Y, alphas=5)
    monkeypatch.setattr(data_module, "PASSES", 0)
    assert model._formulate(X, Y).problem.thinned().rotated() is not None
    few = cm.regularization_path(model, X, Y, alphas=5)
    assert_allclose(few.alphas, whole.alphas, rtol=1e-10)
    assert_allclose(few.objectives, whole.objectives, rtol=1e-7)
    assert_allclose(few.coefs, whole.coefs, atol=1e-3)
    assert_allclose(few.intercepts, whole.intercepts, atol=1e-3)
    n_iter = model.fit(X, Y).n_iter_
    assert model.fit(X, Y).n_iter_ <= min(2, n_iter)


@pytest.mark.parametrize("penalty", ["l2", "trace"])
def test_a_path_and_a_search(penalty, monkeypatch):
    X, Y = draw(n=12)
    model = cm.MultiTaskRegressor(PENALTIES[penalty], tol=1e-8)
    path = cm.regularization_path(model, X, Y, alphas=5)
    twin = cm.MultiTaskRegressorCV(PENALTIES[penalty], alphas=4, cv=2, tol=1e-8).fit(X, Y)
    with monkeypatch.context() as patch:
        patch.setattr(reduction, "MANY", np.inf)
        whole = cm.regularization_path(model, X, Y, alphas=5)
        other = clone(twin).fit(X, Y)
    assert_allclose(path.objectives, whole.objectives, rtol=1e-7)
    assert_allclose(path.coefs, whole.coefs, atol=1e-3)
    assert_allclose(path.intercepts, whole.intercepts, atol=1e-3)
    assert_allclose(twin.mse_path_, other.mse_path_, rtol=1e-4)
    assert_allclose(twin.coef_, other.coef_, atol=1e-3)


def test_a_warm_start_is_one():
    X, Y = draw()
    model = cm.BlockSparseRegressor(0.5, tol=1e-8, warm_start=True).fit(X, Y)
    n_iter, coef = model.n_iter_, model.coef_
    assert model.fit(X, Y).n_iter_ <= min(2, n_iter)
    assert_allclose(model.coef_, coef, atol=1e-5)


@pytest.mark.parametrize("kind", ["constant", "repeated", "far", "unequal", "one constant"])
def test_targets_of_all_kinds(kind, monkeypatch):
    X, Y = draw()
    Y = {
        "constant": np.full_like(Y, 3.0),
        "repeated": np.tile(Y[:, :2], (1, T // 2)),
        "far": Y + 1e8,
        "unequal": Y * np.geomspace(1e-6, 1e6, T),
        "one constant": np.where(np.arange(T) == 1, 2.0, Y),
    }[kind]
    model = cm.BlockSparseRegressor(0.3 * np.abs(Y - Y.mean(axis=0)).max() + 1e-3, tol=1e-6).fit(X, Y)
    whole = by_all_tasks(monkeypatch, model, X, Y)
    assert cm.certify(model, X, Y).gap <= 1e-6 * model._summary.gain + 1e-12
    assert_allclose(model.objective_, whole.objective_, rtol=1e-5, atol=1e-9)
    if kind in ("constant", "one constant"):
        assert np.abs(model.coef_[1]).max() <= 1e-12


def test_what_knows_the_tasks_is_not_reduced():
    X, Y = draw()
    plain = cm.BlockSparseRegressor(0.5)._formulate(X, Y).problem
    assert plain.rotated() is not None
    holes = np.where(np.random.default_rng(0).random(Y.shape) < 0.1, np.nan, Y)
    weights = np.random.default_rng(0).uniform(0.5, 2, Y.shape)
    for model, y, options in [
        (cm.BlockSparseRegressor(0.5), holes, {}),
        (cm.BlockSparseRegressor(0.5), Y, {"sample_weight": weights}),
        (cm.BlockSparseRegressor(0.5, task_weight=np.linspace(1, 2, T)), Y, {}),
        (cm.BlockSparseRegressor(0.5, loss="huber"), Y, {}),
        (cm.BlockSparseRegressor(0.5, q=np.inf), Y, {}),
        (cm.BlockSparseRegressor(0.5, positive=True), Y, {}),
        (cm.DirtyRegressor(0.5, 0.4), Y, {}),
        (cm.MeanRegularizedRegressor(0.5, 0.5), Y, {}),
        (cm.RobustLowRankRegressor(0.5, 0.5), Y, {}),
        (cm.BlockSparseRegressor(0.5), Y[:, : N + 1], {}),
    ]:
        assert model._formulate(X, y, **options).problem.rotated() is None, model


def test_invariance_is_what_it_says():
    """Of every penalty of the tables that says so, and of none that does not but has it by chance."""
    rng = np.random.default_rng(0)
    W, Q = rng.standard_normal((6, 4)), np.linalg.qr(rng.standard_normal((4, 4)))[0]
    for name, case in cases.PENALTIES.items():
        canonical = case.build(6, 4).resolve(6, np.arange(4))
        if canonical.for_rotated_tasks(4) is None:
            continue
        for term in canonical.terms:
            assert_allclose(term.value(W @ Q), term.value(W), err_msg=name)
            wide = np.column_stack([W, np.zeros((6, 3))])
            assert_allclose(term.value(wide), term.value(W), err_msg=name)
            assert_allclose(term.prox(wide, 0.3)[:, :4], term.prox(W, 0.3), atol=1e-10, err_msg=name)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("n_tasks", [3, T, 200])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_fit_to_reduced_targets_is_that_of_all(fit_intercept, n_tasks, weighted, monkeypatch):
    X, Y = draw(n_tasks=n_tasks)
    weight = np.random.default_rng(1).uniform(0.2, 2, N) * (np.arange(N) != 3) if weighted else None
    reduced = cm.reduce_tasks(Y, sample_weight=weight, fit_intercept=fit_intercept)
    assert reduced.Y.shape == (N, min(n_tasks, N - weighted - fit_intercept))
    assert_allclose(reduced.basis.T @ reduced.basis, np.eye(reduced.Y.shape[1]), atol=1e-12)
    model = cm.TraceNormRegressor(0.7, fit_intercept=fit_intercept, tol=1e-9)
    few = clone(model).fit(X, reduced.Y, sample_weight=weight)
    whole = by_all_tasks(monkeypatch, model, X, Y, sample_weight=weight)
    coef, intercept = reduced.restore(few.coef_, few.intercept_)
    assert_allclose(few.objective_, whole.objective_, rtol=1e-8)
    assert_allclose(coef, whole.coef_, atol=2e-4)
    assert_allclose(intercept, whole.intercept_, atol=1e-3)


def test_targets_that_cannot_be_reduced():
    Y = draw()[1]
    with pytest.raises(ValueError, match="Y has 1 missing targets: combinations of tasks need all of them"):
        cm.reduce_tasks(np.where(np.arange(T * N).reshape(N, T) == 7, np.nan, Y))
    with pytest.raises(ValueError, match="weights of single targets: combinations of tasks have none"):
        cm.reduce_tasks(Y, sample_weight=np.ones(Y.shape))


@pytest.mark.parametrize("sizes", [[1, 1e-3, 1e-6, 1e-9, 1e-13], [1, 1, 0, 0, 0], [1, 1e-8, 1e-8, 0, 0], [0] * 5])
def test_singular_values_of_long_matrices(sizes):
    """From squares, but as exact as without."""
    rng = np.random.default_rng(0)
    U, V = (np.linalg.qr(rng.standard_normal((n, 5)))[0] for n in (5, 500))
    W = U * sizes @ V.T
    for A in (W, W.T):
        assert_allclose(singular_values(A), np.linalg.svd(A, compute_uv=False), atol=1e-14)
        assert_allclose(largest_singular_value(A), max(sizes), atol=1e-14)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("penalty", ["l2", "l2_ridge", "trace", "squared_trace", "parts", "l1+coupling"])
def test_fewer_passes_over_many_samples_find_the_same(penalty, fit_intercept, monkeypatch):
    """Certificates, gains and gradients at zero, of weights that differ between rows, one of them zero."""
    X, Y = draw(n_tasks=6)
    weight = np.random.default_rng(1).uniform(0.2, 2, N) * (np.arange(N) != 3)
    own = PENALTIES.get(penalty) or RowNorm(0.1, q=1) + MeanCoupling(0.1, 0.2)
    model = cm.MultiTaskRegressor(own, fit_intercept=fit_intercept, task_weight=np.linspace(1, 2, 6))
    few = model._formulate(X, Y, sample_weight=weight).problem
    assert not few.data.even
    with monkeypatch.context() as patch:
        patch.setattr(data_module, "PASSES", 0)
        many = model._formulate(X, Y, sample_weight=weight).problem
        assert many.data.even
        for W in (np.zeros((D, 6)), np.random.default_rng(0).standard_normal((D, 6))):
            parts = (W,) * few.penalty.n_parts
            a, b = duality_gap(few, parts), duality_gap(many, parts)
            for name in ("primal", "dual", "gap", "intercept", "Z", "z"):
                assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-11, atol=1e-11 * a.primal, err_msg=name)
        for name in ("gain", "moments", "pull", "trivial"):
            a, b = getattr(few.data, name), getattr(many.data, name)
            for one, other in zip(a, b, strict=True) if name == "trivial" else [(a, b)]:
                weighed = few.tasks.weight > 0 if name == "pull" else ...
                assert_allclose(np.asarray(one)[weighed], np.asarray(other)[weighed], rtol=1e-11, atol=1e-11)
