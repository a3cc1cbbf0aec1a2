"""Laws: what must hold between the fits of related problems, and of special cases that scikit-learn knows."""

import warnings
from dataclasses import replace

import cases
import numpy as np
import pytest
from cases import law
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import (
    ElasticNet,
    GammaRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    MultiTaskElasticNet,
    MultiTaskLasso,
    PoissonRegressor,
    Ridge,
    TweedieRegressor,
)
from sklearn.metrics import mean_poisson_deviance

import convexmtl as cm
from convexmtl import reference
from convexmtl.datasets import make_clustered, make_low_rank
from convexmtl.penalties import (
    ClusterCoupling,
    GraphGuided,
    GraphLaplacian,
    LearnedClusters,
    MeanCoupling,
    Parts,
    RobustFeature,
    RobustLowRank,
    RowNorm,
    SharedFeature,
    SharedStructure,
    SparseGroup,
    SquaredTraceNorm,
    TaskCoupling,
    TaskNorm,
    Temporal,
    TraceNorm,
    TreeGuided,
)
from convexmtl.problem import Problem
from convexmtl.solvers import solve

seeds = st.integers(0, 10_000)


def shared_data(seed, n=20, d=5, T=3):
    return cases.draw_shared(cases.real_targets, np.random.default_rng(seed), n, d, T)


def stacked_data(seed, sizes=(12, 18, 10), d=5):
    return cases.draw_stacked(cases.real_targets, np.random.default_rng(seed), sizes, d)


# One member of every family, by what it needs to know: strengths that leave part of the coefficients at zero.
FAMILIES = {
    "lasso": RowNorm(0.1, q=1),
    "group": RowNorm(0.15),
    "linf_ridge": RowNorm(0.2, q=np.inf, l1_ratio=0.7),
    "sparse_group": SparseGroup(0.15),
    "dirty": cm.DirtyNorm(0.2, 0.12),
    "trace": TraceNorm(0.2),
    "squared_trace": SquaredTraceNorm(0.1, 0.02),
    "clusters": LearnedClusters(2, 0.05, 0.05, 0.5),
    "mean": MeanCoupling(0.1, 0.5),
    "parts": Parts([("sparse", RowNorm(0.08, q=1)), ("low_rank", TraceNorm(0.15))]),
    "group+mean": RowNorm(0.1) + MeanCoupling(0.05, 0.2),
    "graph": GraphGuided(None, 0.1, alpha_sparse=0.05),
    "structure": SharedStructure(0.1, 0.3, n_components=2),
    "robust": RobustFeature(0.1, 0.12),
}
every_family = pytest.mark.parametrize("family", FAMILIES)


def model(family, tol=1e-10, **options):
    return cm.MultiTaskRegressor(FAMILIES[family], tol=tol, **options)


def assert_same_model(a, b, scale=1.0):
    """Equal objectives to rounding; coefficients as near as the two gaps (1e-10 of the objective) allow."""
    assert_allclose(a.objective_, b.objective_, rtol=1e-8)
    assert_allclose(a.coef_, b.coef_, atol=1e-4 * scale)
    assert_allclose(a.intercept_, b.intercept_, atol=1e-3 * scale)


# ----------------------------------------------------------------------------------------- layouts


@every_family
@law(max_examples=6)
@given(seed=seeds)
def test_shared_is_stacked_copies(family, seed):
    X, Y = shared_data(seed)
    T = Y.shape[1]
    shared = model(family).fit(X, Y)
    stacked = model(family).fit(np.tile(X, (T, 1)), Y.T.ravel(), task=np.repeat(np.arange(T), len(X)))
    assert_same_model(shared, stacked)


@every_family
@law(max_examples=6)
@given(seed=seeds)
def test_missing_targets_are_dropped_rows(family, seed):
    rng = np.random.default_rng(seed)
    X, Y = shared_data(seed, n=25)
    Y[rng.random(Y.shape) < 0.3] = np.nan
    t, i = np.nonzero(~np.isnan(Y.T))
    assert_same_model(model(family).fit(X, Y), model(family).fit(X[i], Y[i, t], task=t))


@every_family
@law(max_examples=6)
@given(seed=seeds)
def test_integer_weights_are_repeated_rows(family, seed):
    """Weight 0 is a dropped row."""
    rng = np.random.default_rng(seed)
    X, y, task = stacked_data(seed, (15, 20, 25))
    weight = rng.integers(0, 4, len(y))
    weighted = model(family).fit(X, y, sample_weight=weight, task=task)
    rows = np.repeat(np.arange(len(y)), weight)
    repeated = model(family).fit(X[rows], y[rows], task=task[rows])
    assert_same_model(weighted, repeated)


@law(max_examples=6)
@given(seed=seeds)
def test_weights_of_entries(seed):
    """(n, T) weights: equal columns are (n,) weights, zeros are missing targets, a factor changes nothing."""
    rng = np.random.default_rng(seed)
    X, Y = shared_data(seed)
    w = rng.uniform(0.5, 2, len(X))
    by_row = model("group").fit(X, Y, sample_weight=w)
    assert_same_model(by_row, model("group").fit(X, Y, sample_weight=np.repeat(w[:, None], 3, axis=1)))
    assert_same_model(by_row, model("group").fit(X, Y, sample_weight=7 * w))
    kept = rng.random(Y.shape) < 0.8
    missing = model("group").fit(X, np.where(kept, Y, np.nan))
    assert_same_model(missing, model("group").fit(X, Y, sample_weight=kept.astype(float)))


@law(max_examples=6)
@given(seed=seeds)
def test_task_weight_by_size_counts_every_sample_alike(seed):
    X, y, task = stacked_data(seed)
    by_size = model("group", task_weight="size").fit(X, y, task=task)
    n = np.bincount(task)
    assert_same_model(by_size, model("group", task_weight=n / n.mean()).fit(X, y, task=task))
    z = by_size.predict(X, task=task)
    expected = np.sum((y - z) ** 2) / 2 / n.mean() + FAMILIES["group"].value(by_size.coef_.T)
    assert_allclose(by_size.objective_, expected)


@every_family
@law(max_examples=6)
@given(seed=seeds)
def test_permuting_tasks_permutes_the_model(family, seed):
    X, Y = shared_data(seed)
    order = np.random.default_rng(seed).permutation(3)
    fit, permuted = model(family).fit(X, Y), model(family).fit(X, Y[:, order])
    permuted.coef_, permuted.intercept_ = permuted.coef_[np.argsort(order)], permuted.intercept_[np.argsort(order)]
    assert_same_model(fit, permuted)


@every_family
@law(max_examples=6)
@given(seed=seeds)
def test_permuting_features_permutes_the_model(family, seed):
    X, y, task = stacked_data(seed)
    order = np.random.default_rng(seed).permutation(5)
    fit, permuted = model(family).fit(X, y, task=task), model(family).fit(X[:, order], y, task=task)
    permuted.coef_ = permuted.coef_[:, np.argsort(order)]
    assert_same_model(fit, permuted)


@law(max_examples=6)
@given(seed=seeds)
def test_labels_of_tasks_only_name_them(seed):
    X, y, task = stacked_data(seed)
    by_code = model("group").fit(X, y, task=task)
    by_name = model("group").fit(X, y, task=np.array(["a", "b", "c"])[task])
    assert_array_equal(by_name.coef_, by_code.coef_)
    assert_array_equal(by_name.tasks_, ["a", "b", "c"])


# ------------------------------------------------------------------------------ shifts and scales


@every_family
@law(max_examples=6)
@given(seed=seeds, distance=st.sampled_from([1.0, 50.0, 1e4]))
def test_shifting_features_moves_only_the_intercept(family, seed, distance):
    X, y, task = stacked_data(seed)
    shift = distance * np.random.default_rng(seed).standard_normal(5)
    fit, shifted = model(family).fit(X, y, task=task), model(family, tol=1e-9).fit(X + shift, y, task=task)
    shifted.intercept_ = shifted.intercept_ + shifted.coef_ @ shift
    assert_allclose(fit.objective_, shifted.objective_, rtol=1e-7)
    assert_allclose(fit.coef_, shifted.coef_, atol=3e-4)
    assert_allclose(fit.intercept_, shifted.intercept_, atol=3e-4 * distance + 1e-3)


@every_family
@law(max_examples=6)
@given(seed=seeds, distance=st.sampled_from([1.0, 1e4]))
def test_shifting_targets_moves_only_the_intercept(family, seed, distance):
    X, Y = shared_data(seed)
    shift = distance * np.array([1.0, -2.0, 0.5])
    fit, shifted = model(family).fit(X, Y), model(family, tol=1e-9).fit(X, Y + shift)
    shifted.intercept_ = shifted.intercept_ - shift
    assert_same_model(fit, shifted)


@pytest.mark.parametrize("family", ["lasso", "group", "sparse_group", "dirty", "trace", "parts"])
@law(max_examples=6)
@given(seed=seeds, scale=st.sampled_from([1e-8, 1e-3, 1e3, 1e8]))
def test_norms_scale_with_the_targets(family, seed, scale):
    X, Y = shared_data(seed)
    scaled = clone(FAMILIES[family]).scaled(scale)
    fit, other = model(family).fit(X, Y), cm.MultiTaskRegressor(scaled, tol=1e-10).fit(X, scale * Y)
    assert_allclose(other.objective_, scale**2 * fit.objective_, rtol=1e-8)
    assert_allclose(other.coef_, scale * fit.coef_, atol=1e-4 * scale)


@pytest.mark.parametrize("family", ["squared_trace", "clusters", "mean"])
@law(max_examples=6)
@given(seed=seeds, scale=st.sampled_from([1e-8, 1e-3, 1e3, 1e8]))
def test_quadratic_penalties_scale_with_the_targets_alone(family, seed, scale):
    X, Y = shared_data(seed)
    fit, other = model(family).fit(X, Y), model(family).fit(X, scale * Y)
    assert_allclose(other.objective_, scale**2 * fit.objective_, rtol=1e-8)
    assert_allclose(other.coef_, scale * fit.coef_, atol=1e-4 * scale)


@law(max_examples=6)
@given(seed=seeds)
def test_scaling_the_features_and_their_weights(seed):
    """Column j divided by f_j with feature weight 1 / f_j: w_j times f_j."""
    X, Y = shared_data(seed)
    f = np.geomspace(0.1, 10, 5)
    plain = cm.MultiTaskRegressor(RowNorm(0.1), tol=1e-10).fit(X, Y)
    scaled = cm.MultiTaskRegressor(RowNorm(0.1, feature_weights=1 / f), tol=1e-10).fit(X / f, Y)
    assert_allclose(scaled.objective_, plain.objective_, rtol=1e-8)
    assert_allclose(scaled.coef_ / f, plain.coef_, atol=1e-4)


# ------------------------------------------------------------------------- what scikit-learn knows


@pytest.mark.parametrize("fit_intercept", [True, False])
@law(max_examples=6)
@given(seed=seeds)
def test_block_sparse_is_the_multi_task_lasso(fit_intercept, seed):
    X, Y = shared_data(seed, d=8)
    ours = cm.BlockSparseRegressor(0.1, fit_intercept=fit_intercept, tol=1e-9).fit(X, Y)
    theirs = MultiTaskLasso(0.1, fit_intercept=fit_intercept, tol=1e-10, max_iter=100_000).fit(X, Y)
    assert_allclose(ours.coef_, theirs.coef_, atol=1e-4)
    assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-4)
    assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-3)
    assert ours.coef_.shape == theirs.coef_.shape


@law(max_examples=6)
@given(seed=seeds, l1_ratio=st.sampled_from([0.1, 0.5, 0.9]))
def test_block_sparse_is_the_multi_task_elastic_net(seed, l1_ratio):
    X, Y = shared_data(seed, d=8)
    ours = cm.BlockSparseRegressor(0.2, l1_ratio=l1_ratio, tol=1e-9).fit(X, Y)
    theirs = MultiTaskElasticNet(0.2, l1_ratio=l1_ratio, tol=1e-10, max_iter=100_000).fit(X, Y)
    assert_allclose(ours.coef_, theirs.coef_, atol=1e-4)


@pytest.mark.parametrize("q", [1, 1.5, 2, np.inf])
@law(max_examples=4)
@given(seed=seeds)
def test_one_task_is_the_lasso(q, seed):
    X, Y = shared_data(seed, T=1)
    ours = cm.BlockSparseRegressor(0.1, q=q, tol=1e-9).fit(X, Y[:, 0])
    theirs = Lasso(0.1, tol=1e-10).fit(X, Y[:, 0])
    assert_allclose(ours.coef_[0], theirs.coef_, atol=1e-4)
    assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-3)


@law(max_examples=6)
@given(seed=seeds)
def test_one_task_is_the_weighted_elastic_net(seed):
    rng = np.random.default_rng(seed)
    X, Y = shared_data(seed, T=1)
    w = rng.uniform(0.2, 3, len(X))
    ours = cm.BlockSparseRegressor(0.2, l1_ratio=0.6, tol=1e-9).fit(X, Y, sample_weight=w)
    theirs = ElasticNet(0.2, l1_ratio=0.6, tol=1e-10).fit(X, Y[:, 0], sample_weight=w)
    assert_allclose(ours.coef_[0], theirs.coef_, atol=1e-4)


@law(max_examples=6)
@given(seed=seeds)
def test_one_task_is_logistic_regression(seed):
    X, Y = cases.draw_shared(cases.sign_targets, np.random.default_rng(seed), 40, 4, 1)
    y = Y[:, 0]
    if len(np.unique(y)) < 2:
        y[0] = -y[0]
    ours = cm.BlockSparseClassifier(0.05, tol=1e-10).fit(X, y)
    lasso = {"penalty": "l1"} if cases.scikit_learn_before("1.8") else {"l1_ratio": 1}
    theirs = LogisticRegression(**lasso, C=1 / (0.05 * len(X)), solver="saga", tol=1e-8, max_iter=200_000).fit(X, y)
    assert_allclose(ours.coef_, theirs.coef_, atol=1e-3)
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-3)


@law(max_examples=6)
@given(seed=seeds)
def test_one_task_is_ridge(seed):
    """Quadratic couplings of a single task: n/2 of our objective is theirs with their alpha = 2 n ours."""
    X, Y = shared_data(seed, T=1)
    theirs = Ridge(2 * 0.3 * len(X)).fit(X, Y[:, 0])
    for penalty in (
        MeanCoupling(0.3, 5.0),
        TaskCoupling([[1.0]], 0.3),
        ClusterCoupling([7], 0.3),
        RowNorm(0.6, l1_ratio=0),
    ):
        ours = cm.MultiTaskRegressor(penalty, tol=1e-12).fit(X, Y[:, 0])
        assert_allclose(ours.coef_[0], theirs.coef_, atol=1e-6)
        assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-5)


@law(max_examples=6)
@given(seed=seeds)
def test_ridge_per_task(seed):
    X, y, task = stacked_data(seed)
    ours = cm.MultiTaskRegressor(TaskCoupling(np.eye(3), 0.2), tol=1e-12).fit(X, y, task=task)
    for t in range(3):
        own = task == t
        theirs = Ridge(2 * 0.2 * own.sum()).fit(X[own], y[own])
        assert_allclose(ours.coef_[t], theirs.coef_, atol=1e-6)


def strength_zero():
    for cls in cases.REGRESSORS:
        if cls is cm.MultiTaskRegressor:
            yield cls(RowNorm(0.0))
            yield cls(SquaredTraceNorm(0.0, 0.0))
            yield cls(GraphLaplacian([(0, 1)], 0.0))
        else:
            yield cls(**{name: 0.0 for name in cls().get_params() if name.startswith("alpha")})
    yield cm.ClusteredRegressor([0, 1, 1], alpha_mean=0, alpha_between=0, alpha_within=0)


@pytest.mark.parametrize("estimator", list(strength_zero()), ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("seed", [0, 1])
def test_strength_zero_is_least_squares(estimator, seed):
    X, Y = shared_data(seed)
    theirs = LinearRegression().fit(X, Y)
    ours = clone(estimator).set_params(tol=1e-10).fit(X, Y)
    assert_allclose(ours.coef_, theirs.coef_, atol=1e-7)
    assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-6)
    assert_allclose(ours.objective_, np.sum((Y - theirs.predict(X)) ** 2) / (2 * len(X)))


# ----------------------------------------------------------------------------- the largest strength

SPARSE = {
    "l1": RowNorm(1.0, q=1),
    "l1.5": RowNorm(1.0, q=1.5),
    "l2": RowNorm(1.0),
    "linf": RowNorm(1.0, q=np.inf),
    "weights": RowNorm(1.0, feature_weights=np.geomspace(0.5, 2, 5)),
    "l2_ridge": RowNorm(1.0, l1_ratio=0.5),
    "sparse_group": SparseGroup(1.0),
    "dirty": cm.DirtyNorm(1.5, 1.0),
    "dirty_2": cm.DirtyNorm(1.3, 1.0, q=2),
    "trace": TraceNorm(1.0),
    "parts": Parts([("a", RowNorm(1.0, q=1)), ("b", TraceNorm(2.0))]),
    "group+mean": RowNorm(1.0) + MeanCoupling(0.1, 0.1),
}


@pytest.mark.parametrize("loss", ["squared", "huber", "poisson", "logistic", "squared_hinge"])
@pytest.mark.parametrize("family", SPARSE)
def test_largest_strength(family, loss):
    """Exactly zero at and beyond it, and not just below it."""
    X, Y, _ = cases.user_input(loss, "shared")
    X, Y = X[:, :5], Y[:, :3]
    cls = cm.MultiTaskClassifier if cases.LOSSES[loss].loss.classification else cm.MultiTaskRegressor
    estimator = cls(SPARSE[family], loss=loss, tol=1e-12)
    top = cm.alpha_max(estimator, X, Y)
    strengths = SPARSE[family].strength_values()
    first = next(iter(strengths))
    factor = (top[first] if isinstance(top, dict) else top) / strengths[first]
    for beyond in (1 + 1e-12, 1.5, 100.0):
        fit = clone(estimator).set_params(penalty=SPARSE[family].scaled(factor * beyond), tol=1e-6).fit(X, Y)
        assert_array_equal(fit.coef_, 0)
    below = clone(estimator).set_params(penalty=SPARSE[family].scaled(factor * 0.999)).fit(X, Y)
    assert np.any(below.coef_)


def test_largest_strength_is_multi_task_lassos():
    X, Y = shared_data(0)
    top = cm.alpha_max(cm.BlockSparseRegressor(), X, Y)
    assert_allclose(top, np.linalg.norm((X - X.mean(axis=0)).T @ Y, axis=1).max() / len(X))
    assert_array_equal(MultiTaskLasso(top * (1 + 1e-6)).fit(X, Y).coef_, 0)


def test_largest_strength_keeps_the_ratios():
    X, Y = shared_data(0)
    top = cm.alpha_max(cm.DirtyRegressor(0.3, 0.2), X, Y)
    assert list(top) == ["alpha_block", "alpha_sparse"]
    assert_allclose(top["alpha_block"] / top["alpha_sparse"], 1.5)
    assert_array_equal(cm.DirtyRegressor(**top).fit(X, Y).coef_, 0)


@pytest.mark.parametrize(
    "penalty", [MeanCoupling(0.2, 0.5), SquaredTraceNorm(0.1), LearnedClusters(2, 0.1, 0.1, 0.5)], ids=str
)
def test_largest_strength_of_quadratic_penalties_shrinks_everything(penalty):
    X, y, task = stacked_data(0)
    top = cm.alpha_max(cm.MultiTaskRegressor(penalty), X, y, task=task)
    name, value = next((k, v) for k, v in penalty.strength_values().items() if v > 0)
    factor = (top[name] if isinstance(top, dict) else top) / value
    free = cm.MultiTaskRegressor(RowNorm(0.0), tol=1e-8).fit(X, y, task=task)
    shrunk = cm.MultiTaskRegressor(penalty.scaled(factor), tol=1e-8).fit(X, y, task=task)
    assert 0 < np.linalg.norm(shrunk.coef_) <= 0.5 * np.linalg.norm(free.coef_)


def test_largest_strength_needs_a_direction():
    X, Y = shared_data(0)
    with pytest.raises(ValueError, match="alpha_max needs a positive strength to start from"):
        cm.alpha_max(cm.BlockSparseRegressor(0.0), X, Y)


# -------------------------------------------------------------------------------------- warm starts


@every_family
@pytest.mark.parametrize("loss", ["squared", "huber"])
def test_warm_start_at_the_solution_takes_no_step(family, loss):
    X, y, task = stacked_data(0)
    estimator = model(family, tol=1e-7, loss=loss, warm_start=True).fit(X, y, task=task)
    coef, steps = estimator.coef_.copy(), []
    formulation = estimator._formulate(X, y, task=task)
    start = estimator._warm_start(formulation, estimator._fitted_state())
    result = solve(formulation.problem, start, tol=1e-7, callback=lambda *line: steps.append(line))
    assert result.n_iter == 0 and len(steps) == 1
    assert_allclose(result.W.T, coef, rtol=1e-12, atol=1e-15)


@every_family
def test_warm_start_along_a_path_is_separate_fits(family):
    X, Y = shared_data(1)
    warm = model(family, tol=1e-9, warm_start=True)
    for factor in (4.0, 2.0, 1.0, 0.5):
        warm.set_params(penalty=FAMILIES[family].scaled(factor)).fit(X, Y)
        cold = cm.MultiTaskRegressor(FAMILIES[family].scaled(factor), tol=1e-9).fit(X, Y)
        assert_allclose(warm.objective_, cold.objective_, rtol=1e-8)
        assert_allclose(warm.coef_, cold.coef_, atol=1e-3)


# ------------------------------------------------------------------------- one family inside another


@law(max_examples=6)
@given(seed=seeds)
def test_q_1_separates_the_tasks(seed):
    X, y, task = stacked_data(seed)
    joint = cm.BlockSparseRegressor(0.1, q=1, tol=1e-9).fit(X, y, task=task)
    for t in range(3):
        own = Lasso(0.1, tol=1e-10).fit(X[task == t], y[task == t])
        assert_allclose(joint.coef_[t], own.coef_, atol=1e-4)


@pytest.mark.parametrize("q", [2, np.inf])
@law(max_examples=6)
@given(seed=seeds)
def test_dirty_at_the_ends_of_its_range(q, seed):
    """alpha_block = alpha_sparse is the block norm; alpha_block = T alpha_sparse (sqrt(T) for q = 2) the lasso."""
    X, Y = shared_data(seed)
    top = 3 if q == np.inf else np.sqrt(3)
    for block, same in ((0.1, RowNorm(0.1, q=q)), (0.1 * top, RowNorm(0.1, q=1))):
        with warnings.catch_warnings():
            # sqrt(3) is not exact: the ratio may be outside of the range by rounding.
            warnings.filterwarnings("ignore", "alpha_block / alpha_sparse")
            dirty = cm.DirtyRegressor(block, 0.1, q, tol=1e-9).fit(X, Y)
        other = cm.MultiTaskRegressor(same, tol=1e-9).fit(X, Y)
        assert_allclose(dirty.objective_, other.objective_, rtol=1e-8)
        assert_allclose(dirty.coef_, other.coef_, atol=1e-3)


SAME_MODEL = {
    "task relationships are shared features": (SquaredTraceNorm(0.1), SharedFeature(0.1)),
    "shared structure with no component": (SharedStructure(0.1, 0.5, 0), TaskCoupling(0.15 * np.eye(3))),
    "shared structure with all components": (SharedStructure(0.1, 0.5, 5), TaskCoupling(0.05 * np.eye(3))),
    "shared structure with a component per task": (SharedStructure(0.1, 0.5, 3), TaskCoupling(0.05 * np.eye(3))),
    "tree with one level": (TreeGuided([([0, 1, 2], 2.0)], 0.1), RowNorm(0.2)),
    "tree with its leaves": (TreeGuided([([t], 1.0) for t in range(3)], 0.1), RowNorm(0.1, q=1)),
    "tree of two levels": (
        TreeGuided([([0], 0.4), ([1], 0.4), ([2], 0.4), ([0, 1, 2], 0.6)], 0.1),
        SparseGroup(0.1, 0.4),
    ),
    "graph without edges": (GraphGuided([], 1.0, alpha_sparse=0.1), RowNorm(0.1, q=1)),
    "graph with edges without weight": (GraphGuided([(0, 1, 0.0)], 1.0, alpha_sparse=0.1), RowNorm(0.1, q=1)),
    "squared graph": (GraphGuided([(0, 1), (1, 2)], 0.1, "l2"), GraphLaplacian([(0, 1), (1, 2)], 0.1)),
    "squared complete graph": (GraphGuided(None, 0.1, "l2"), MeanCoupling(0.0, 0.9)),
    "graph of signs": (
        GraphGuided([(0, 1, 1.0, -1)], 0.1, "l2", alpha_sparse=0.05),
        RowNorm(0.05, q=1) + TaskCoupling([[0.1, 0.1, 0], [0.1, 0.1, 0], [0, 0, 0]]),
    ),
    "chain is a graph": (
        Temporal(0.1, alpha_sparse=0.05, order=[1, 0, 2]),
        GraphGuided([(0, 1), (0, 2)], 0.1, alpha_sparse=0.05),
    ),
    "time without smoothness": (Temporal(0.0, alpha_sparse=0.05, alpha_group=0.1), SparseGroup(0.15, 1 / 3)),
    "only the ridge of time": (Temporal(0.0, alpha_ridge=0.2), TaskCoupling(0.1 * np.eye(3))),
    "ridge of time is that of task relationships": (Temporal(0.0, alpha_ridge=0.1), SquaredTraceNorm(0.0, 0.1)),
    "squared time": (Temporal(0.1, "l2"), GraphLaplacian([(0, 1), (1, 2)], 0.1)),
    "no subspace beside outliers": (RobustLowRank(1.0, 0.1), TaskNorm(0.1)),
    "no outliers beside a subspace": (RobustLowRank(0.1, 1.0), TraceNorm(0.1)),
    "no outliers beside shared features": (RobustFeature(0.1, 1.0), RowNorm(0.1)),
}


@pytest.mark.parametrize("pair", SAME_MODEL)
@law(max_examples=4)
@given(seed=seeds)
def test_same_model(pair, seed):
    """Two penalties that are the same function of W give the same fit, with one X and with their own."""
    X, Y = shared_data(seed)
    x, y, task = stacked_data(seed)
    one, other = (cm.MultiTaskRegressor(penalty, tol=1e-10) for penalty in SAME_MODEL[pair])
    assert_same_model(one.fit(X, Y), other.fit(X, Y))
    assert_same_model(one.fit(x, y, task=task), other.fit(x, y, task=task))
    rng = np.random.default_rng(seed)
    for _ in range(3):
        W = rng.standard_normal((5, 3))
        values = [p.value(W) for p in SAME_MODEL[pair] if not hasattr(p, "parts")]
        assert_allclose(values, values[0])


@law(max_examples=6)
@given(seed=seeds)
def test_dirty_is_two_matrices(seed):
    """Jalali's model as two parts, each with its own penalty."""
    X, Y = shared_data(seed)
    dirty = cm.DirtyRegressor(0.2, 0.12, tol=1e-9).fit(X, Y)
    two = Parts([("block", RowNorm(0.2, q=np.inf)), ("sparse", RowNorm(0.12, q=1))])
    parts = cm.MultiTaskRegressor(two, tol=1e-9, max_iter=100_000).fit(X, Y)
    assert_allclose(dirty.objective_, parts.objective_, rtol=1e-8)
    assert_allclose(dirty.block_ + dirty.sparse_, dirty.coef_, atol=1e-14)
    assert_allclose(parts.block_ + parts.sparse_, parts.coef_, atol=1e-14)


@pytest.mark.parametrize("block, part", [(0.05, "sparse"), (0.4, "block")])
def test_dirty_outside_its_range_says_which_part_is_zero(block, part):
    X, Y = shared_data(0)
    with pytest.warns(
        UserWarning, match=rf"alpha_block / alpha_sparse = .* is outside \[1, 3\]: the {part} part is zero"
    ):
        dirty = cm.DirtyRegressor(block, 0.1).fit(X, Y)
    assert_array_equal(getattr(dirty, f"{part}_"), 0)


@law(max_examples=6)
@given(seed=seeds)
def test_one_known_cluster_is_mean_regularised(seed):
    X, y, task = stacked_data(seed)
    one = cm.ClusteredRegressor([0, 0, 0], alpha_mean=0.2, alpha_between=9.0, alpha_within=0.4, tol=1e-10)
    mean = cm.MeanRegularizedRegressor(0.2, 3 * 0.4, tol=1e-10)
    learned = cm.ClusteredRegressor(n_clusters=1, alpha_mean=0.2, alpha_between=0.1, alpha_within=0.4, tol=1e-10)
    expected = mean.fit(X, y, task=task).coef_
    assert_allclose(one.fit(X, y, task=task).coef_, expected, atol=1e-5)
    assert_allclose(learned.fit(X, y, task=task).coef_, expected, atol=1e-5)


@law(max_examples=6)
@given(seed=seeds)
def test_a_complete_graph_is_the_variance(seed):
    """sum over pairs of norm(w_s - w_t)^2 = T sum_t norm(w_t - w_bar)^2."""
    X, y, task = stacked_data(seed)
    graph = GraphLaplacian([(0, 1), (0, 2), (1, 2)], 0.1) + TaskCoupling(np.full((3, 3), 1 / 9), 0.2)
    a = cm.MultiTaskRegressor(graph, tol=1e-10).fit(X, y, task=task)
    b = cm.MeanRegularizedRegressor(0.2, 3 * 3 * 0.1, tol=1e-10).fit(X, y, task=task)
    assert_allclose(a.coef_, b.coef_, atol=1e-5)


@law(max_examples=6)
@given(seed=seeds)
def test_mean_regularised_with_a_huge_variance_strength_is_one_model(seed):
    X, y, task = stacked_data(seed)
    pooled = cm.MeanRegularizedRegressor(0.1, 1e8, task_weight="size", tol=1e-10).fit(X, y, task=task)
    assert_allclose(pooled.coef_, np.tile(pooled.mean_coef_, (3, 1)), atol=1e-5)
    # One ridge for all rows, with an intercept for every task.
    n = np.bincount(task)
    means = np.stack([X[task == t].mean(axis=0) for t in range(3)])
    own = np.array([y[task == t].mean() for t in range(3)])
    ridge = Ridge(2 * 0.1 * n.mean(), fit_intercept=False).fit(X - means[task], y - own[task])
    assert_allclose(pooled.mean_coef_, ridge.coef_, atol=1e-5)


@law(max_examples=6)
@given(seed=seeds)
def test_task_covariance_attains_the_minimum(seed):
    X, Y = shared_data(seed)
    fit = cm.MultiTaskRegressor(SquaredTraceNorm(0.1), tol=1e-9).fit(X, Y)
    W, Sigma = fit.coef_.T, fit.task_covariance_
    assert_allclose(np.trace(Sigma), 1)
    assert_allclose(Sigma, Sigma.T, atol=1e-14)
    value = 0.05 * np.trace(W @ np.linalg.pinv(Sigma, rcond=1e-8, hermitian=True) @ W.T)
    assert_allclose(value, SquaredTraceNorm(0.1).value(W), rtol=1e-6)
    assert_allclose(value, 0.05 * np.linalg.svd(W, compute_uv=False).sum() ** 2, rtol=1e-6)
    for other in (np.eye(3) / 3, 0.9 * Sigma + 0.1 * np.eye(3) / 3):
        assert 0.05 * np.trace(W @ np.linalg.inv(other) @ W.T) >= value * (1 - 1e-9)


def test_trace_norm_finds_the_rank():
    X, Y, W = make_low_rank(n_samples=200, n_features=20, n_tasks=10, rank=2, layout="shared", random_state=0)
    fit = cm.TraceNormRegressor(0.6, tol=1e-8).fit(X, Y)
    assert fit.rank_ == np.linalg.matrix_rank(W) == 2


# ------------------------------------------------------------------------------------------ clusters


@pytest.mark.parametrize("layout", ["shared", "stacked"])
@pytest.mark.parametrize("n_clusters", [2, 3])
def test_learned_clusters_are_found(n_clusters, layout):
    data = make_clustered(
        n_samples=60, n_features=10, n_tasks=12, n_clusters=n_clusters, layout=layout, noise=0.5, random_state=0
    )
    X, y, truth = data[0], data[1], data[-1]
    options = {"task": data[2]} if layout == "stacked" else {}
    fit = cm.ClusteredRegressor(n_clusters=n_clusters, alpha_mean=0.01, alpha_between=0.01, alpha_within=1.0)
    fit.fit(X, y, **options)
    # The same partition, whatever the numbers: every pair is together in both, or in neither.
    assert_array_equal(fit.labels_[:, None] == fit.labels_, truth[:, None] == truth)
    # Numbered in order of appearance.
    assert_array_equal(
        np.unique(fit.labels_, return_index=True)[1], np.sort(np.unique(fit.labels_, return_index=True)[1])
    )
    values = np.linalg.eigvalsh(fit.task_covariance_)
    assert values[0] >= 1.0 - 1e-9 and values[-1] <= 100.0 + 1e-9
    assert_allclose(values.sum(), (12 - n_clusters + 1) * 1.0 + (n_clusters - 1) * 100.0)


def test_learned_clusters_relax_the_known_ones():
    """The relaxation is a lower bound of the objective with any known clusters."""
    X, y, task, _, truth = make_clustered(n_samples=20, n_features=6, n_tasks=8, n_clusters=2, random_state=1)
    strengths = dict(alpha_mean=0.05, alpha_between=0.05, alpha_within=0.5, tol=1e-8)
    learned = cm.ClusteredRegressor(n_clusters=2, **strengths).fit(X, y, task=task)
    for clusters in (truth, np.arange(8) % 2, np.arange(8) // 4):
        known = cm.ClusteredRegressor(clusters, **strengths).fit(X, y, task=task)
        assert learned.objective_ <= known.objective_ * (1 + 1e-7)
        assert_array_equal(known.labels_, clusters)


def test_reference_of_a_fit_with_one_cluster_per_task():
    X, y, task = stacked_data(0)
    estimator = cm.ClusteredRegressor(n_clusters=3, alpha_mean=0.05, alpha_between=0.1, alpha_within=0.5, tol=1e-8)
    fit = estimator.fit(X, y, task=task)
    assert_allclose(fit.objective_, reference.fit(estimator, X, y, task=task).objective, rtol=1e-6)


# ------------------------------------------------------------------------------------------- counts


COUNTED = {
    "mean": cm.MeanRegularizedRegressor(),
    "clustered": cm.ClusteredRegressor(),
    "shared_structure": cm.SharedStructureRegressor(),
    "robust_feature": cm.RobustFeatureRegressor(),
    "robust_low_rank": cm.RobustLowRankRegressor(),
    "shared_feature": cm.SharedFeatureRegressor(),
    "relationship": cm.TaskRelationshipRegressor(),
    "squared_trace": cm.MultiTaskRegressor(SquaredTraceNorm(0.1)),
    "trace": cm.TraceNormRegressor(),
    "l2": cm.BlockSparseRegressor(alpha=0.1),
    "dirty": cm.DirtyRegressor(alpha_block=0.1, alpha_sparse=0.07),
    "sparse_low_rank": cm.SparseLowRankRegressor(0.1, 0.1),
}


def counts(rng, n=60, d=4, T=2):
    X = rng.standard_normal((n, d))
    return X, rng.poisson(np.exp(1 + 0.6 * X[:, :T])).astype(float)


RIDGES = pytest.mark.parametrize(
    "penalty", [MeanCoupling(0.05, 0.05), RowNorm(0.1, l1_ratio=0.0), SquaredTraceNorm(0.1)], ids=str
)


@RIDGES
@pytest.mark.parametrize("fit_intercept, distance", [(False, 0.0), (True, 0.0), (True, 1e4)])
def test_one_task_is_poisson_regression(penalty, fit_intercept, distance):
    """Also where counts of some hundreds make the objective overflow at the first trial point."""
    rng = np.random.default_rng(0)
    u = rng.standard_normal(20)
    X, y = np.c_[np.ones(20) if not fit_intercept else rng.standard_normal(20), u], rng.poisson(np.exp(6 + u))
    theirs = PoissonRegressor(
        alpha=0.1, fit_intercept=fit_intercept, tol=1e-12, max_iter=1000, solver="newton-cholesky"
    )
    theirs.fit(X, y)
    ours = cm.MultiTaskRegressor(penalty, loss="poisson", fit_intercept=fit_intercept, tol=1e-12)
    assert_allclose(ours.fit(X + distance, y).coef_.ravel(), theirs.coef_, rtol=1e-6, atol=1e-6)


@RIDGES
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize(
    "loss, theirs",
    [
        ("gamma", GammaRegressor()),
        (cm.Tweedie(2), GammaRegressor()),
        (cm.Tweedie(1.1), TweedieRegressor(power=1.1, link="log")),
        (cm.Tweedie(1.6), TweedieRegressor(power=1.6, link="log")),
    ],
    ids=str,
)
def test_one_task_is_a_generalised_linear_model(loss, theirs, fit_intercept, penalty):
    """At the same strength, with sample weights; the prediction of the mean, too."""
    rng = np.random.default_rng(0)
    X, weight = rng.standard_normal((40, 3)), rng.uniform(0.2, 2, 40)
    y = rng.gamma(2.0, np.exp(1 + X @ [0.5, -0.3, 0.0]))
    theirs = clone(theirs).set_params(alpha=0.1, fit_intercept=fit_intercept, tol=1e-12, max_iter=1000)
    theirs.set_params(solver="newton-cholesky").fit(X, y, sample_weight=weight)
    ours = cm.MultiTaskRegressor(penalty, loss=loss, fit_intercept=fit_intercept, tol=1e-13)
    ours.fit(X, y, sample_weight=weight)
    assert_allclose(ours.coef_.ravel(), theirs.coef_, rtol=1e-6, atol=1e-6)
    assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-5)
    assert ours.predict(X).min() > 0


# (Counts of hundreds make little of a strength of 0.1.)
@pytest.mark.filterwarnings("ignore:.*the penalty is too weak for tol:UserWarning")
@pytest.mark.parametrize("family", COUNTED)
def test_infinite_objectives_at_trial_points(family):
    """Errors and warnings are what this is about; the certificate says that the fit is right."""
    rng = np.random.default_rng(0)
    u = rng.standard_normal(20)
    X, Y = np.c_[np.ones(20), u], rng.poisson(np.exp(6 + np.outer(u, [1, 0.5])))
    model = clone(COUNTED[family]).set_params(loss="poisson", fit_intercept=False).fit(X, Y)
    assert cm.certify(model, X, Y).gap <= 1e-4 * abs(model.objective_)
    # A solution for features in other units is where the loss overflows for these: as good as no start.
    model.set_params(warm_start=True)
    assert_allclose(model.fit(1e3 * X, Y).objective_, model.set_params(warm_start=False).fit(1e3 * X, Y).objective_)


@pytest.mark.parametrize("family", COUNTED)
@pytest.mark.parametrize("distance", [1e4, 1e6])
def test_counts_far_from_zero(family, distance):
    X, Y = counts(np.random.default_rng(0))
    model = clone(COUNTED[family]).set_params(loss="poisson", tol=1e-6)
    coef, n_iter = model.fit(X, Y).coef_, model.n_iter_
    # At 1e6 features have ten digits after the point, and their rounding may decide whether a step is extrapolated.
    # Then it is another fit within the same gap, which alone says no more than three digits of the coefficients.
    rough = distance == 1e6
    assert_allclose(model.fit(X + distance, Y).coef_, coef, atol=1e-5 if rough else 1e-6)
    assert abs(model.n_iter_ - n_iter) <= (0.25 * n_iter if rough else 0)


@pytest.mark.parametrize("family", COUNTED)
def test_the_unit_of_counts_does_not_matter(family):
    """Strengths have the unit of the loss, so all is multiplied; at a mean of e, F(0) changes its sign."""
    X, Y = counts(np.random.default_rng(0))
    Y /= Y.mean(axis=0)
    model = clone(COUNTED[family]).set_params(loss="poisson", tol=1e-6)
    formulation = model._formulate(X, Y)
    fits = []
    for unit in (1e-3, 1, 2.718, 2.7185, 1e5):
        data = formulation.problem.data
        data = replace(data, tasks=replace(data.tasks, y=Y.T.ravel() * unit))
        canonical = formulation.penalty.scaled(unit).resolve(4, np.arange(2))
        assert_allclose(data.threshold(1e-6) / unit, formulation.problem.threshold(1e-6), rtol=1e-9)
        result = solve(Problem(data, canonical), tol=1e-6)
        fits.append((result.n_iter, result.dual_gap / unit))
    assert_allclose(fits, fits[:1] * len(fits), rtol=1e-2)


@pytest.mark.parametrize("fit_intercept, mean", [(False, 1.0), (False, 3e2), (False, 1e5), (True, 3e2)])
def test_scale_of_tol_for_counts(fit_intercept, mean):
    """Half the deviance at W = 0, as scikit-learn has it."""
    rng = np.random.default_rng(0)
    Y = rng.poisson(mean, (50, 2)).astype(float)
    model = cm.TraceNormRegressor(loss="poisson", fit_intercept=fit_intercept)
    problem = model._formulate(rng.standard_normal((50, 3)), Y).problem
    level = Y.mean(axis=0) if fit_intercept else np.ones(2)
    deviance = sum(mean_poisson_deviance(Y[:, t], np.full(50, level[t])) for t in range(2))
    assert_allclose(problem.threshold(1e-4), 0.5e-4 * deviance, rtol=1e-9)


@pytest.mark.parametrize("family", COUNTED)
@pytest.mark.parametrize("count", [1e-3, 1.0, np.e, 1e6])
def test_constant_counts(family, count):
    X, _ = counts(np.random.default_rng(0))
    model = clone(COUNTED[family]).set_params(loss="poisson").fit(X, np.full((len(X), 2), count))
    assert np.abs(model.coef_).max() <= 1e-12 and model.n_iter_ <= 1


@pytest.mark.parametrize("family", ["mean", "trace", "l2", "sparse_low_rank"])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize(
    "loss, form",
    [("poisson", form) for form in ("row weights", "entry weights", "missing", "one missing", "stacked")]
    + [("gamma", form) for form in ("row weights", "entry weights", "missing", "stacked")]
    + [("squared", form) for form in ("row weights", "missing", "stacked")],
)
def test_weight_zero_is_absent(family, loss, fit_intercept, form):
    """Whatever its features are: those here would make the loss, the means and the squares overflow."""
    X, Y = counts(np.random.default_rng(0))
    Y += loss == "gamma"
    model = clone(COUNTED[family]).set_params(loss=loss, fit_intercept=fit_intercept, tol=1e-6)
    Y[0, 1] = np.nan if form in ("missing", "one missing") else Y[0, 1]
    far = 1e200 * np.array([[1, -1, 2, 3], [3, -3, 1, 1.0]])
    X2, Y2, counted = np.r_[X, far], np.r_[Y, 7 * np.ones((2, 2))], np.r_[np.ones(len(X)), 0, 0]
    if form == "stacked":
        task = np.arange(len(X2)) % 2
        coef = model.fit(X, Y[:, 0], task=task[:-2]).coef_
        again = model.fit(X2, Y2[:, 0], task=task, sample_weight=counted).coef_
    elif form == "one missing":
        # A row that one task has, and the other one lacks, where its features are large.
        X2, Y2 = np.r_[X, [[0, 0, 1e5, 0]]], np.r_[Y, [[3.0, np.nan]]]
        seen = ~np.isnan(Y2)
        task = np.repeat([0, 1], seen.sum(axis=0))
        coef = model.fit(np.r_[X2[seen[:, 0]], X2[seen[:, 1]]], Y2.T[seen.T], task=task).coef_
        again = model.fit(X2, Y2).coef_
        assert_allclose(again, coef, atol=1e-3)
        return
    else:
        coef = model.fit(X, Y).coef_
        weight = {"row weights": counted, "entry weights": np.c_[counted, counted], "missing": None}[form]
        again = model.fit(
            X2, np.where(counted[:, None] > 0, Y2, np.nan) if weight is None else Y2, sample_weight=weight
        )
        again = again.coef_
    assert_allclose(again, coef, rtol=1e-9, atol=1e-12)


# ------------------------------------------------------------------------------- strengths of the tasks


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.0])
@pytest.mark.parametrize("positive", [False, True])
def test_strengths_of_the_tasks_are_fits_of_each_alone(l1_ratio, positive):
    rng, alpha = np.random.default_rng(0), np.array([0.1, 0.2, 0.05])
    X = rng.standard_normal((40, 6))
    Y = X[:, :2] @ rng.standard_normal((2, 3)) + 0.3 * rng.standard_normal((40, 3))
    options = {"q": 1, "l1_ratio": l1_ratio, "positive": positive, "tol": 1e-10}
    together = cm.BlockSparseRegressor(alpha.tolist(), **options).fit(X, Y)
    for t in range(3):
        alone = cm.BlockSparseRegressor(alpha[t], **options).fit(X, Y[:, t])
        assert_allclose(together.coef_[t], alone.coef_[0], atol=1e-5)
    weighted = cm.BlockSparseRegressor(0.1, task_weight=0.1 / alpha, **options).fit(X, Y)
    assert_allclose(together.coef_, weighted.coef_, atol=1e-5)


def test_a_path_and_a_search_of_strengths_of_the_tasks():
    rng, alpha = np.random.default_rng(0), np.array([0.1, 0.2, 0.05])
    X = rng.standard_normal((40, 6))
    Y = X[:, :2] @ rng.standard_normal((2, 3)) + 0.3 * rng.standard_normal((40, 3))
    penalty = RowNorm(alpha, q=1) + TaskNorm(alpha)
    largest = cm.alpha_max(cm.MultiTaskRegressor(RowNorm(alpha, q=1)), X, Y)
    Xc, Yc = X - X.mean(axis=0), Y - Y.mean(axis=0)
    assert_allclose(largest, 0.2 * (np.abs(Xc.T @ Yc / len(X)) / alpha).max(), rtol=1e-9)
    search = cm.MultiTaskRegressorCV(penalty, alphas=4, cv=3).fit(X, Y)
    found = search.penalty_.first.alpha
    assert_allclose(found / found[0], alpha / alpha[0])
    assert search.first__alpha_ == found.max()
    assert_allclose(cm.from_dict(cm.to_dict(search)).coef_, search.coef_)
    with pytest.raises(
        ValueError, match="RowNorm has alpha for each of the old tasks, which says nothing of a new one"
    ):
        cm.fit_new_task(search, X, Y[:, 0], 9)


@pytest.mark.parametrize(
    "penalty, message",
    [
        (RowNorm([0.1] * 3), r"the same for all tasks, got an array of shape \(3,\): RowNorm .* by task_weight: twice"),
        (TraceNorm([0.1] * 3), r"the same for all tasks, got an array .*: TraceNorm .* by task_weight: twice"),
        (RowNorm([0.1] * 2, q=1), r"one for each of the 3 tasks, all of them finite and > 0 .*, got \[0.1, 0.1\]"),
        (TaskNorm([0.1, 0.0, 0.1]), "one for each of the 3 tasks, all of them finite and > 0"),
        (TaskNorm([0.1, np.nan, 0.1]), "one for each of the 3 tasks, all of them finite and > 0"),
        (RowNorm([0.1] * 3, q=1, feature_groups=[0, 0, 1]), "alpha must be a number where there are feature_groups"),
    ],
)
def test_strengths_of_the_tasks_that_make_no_sense(penalty, message):
    with pytest.raises(ValueError, match=message):
        cm.MultiTaskRegressor(penalty).fit(np.eye(3), np.eye(3))
