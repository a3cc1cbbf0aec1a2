"""alpha_theory: the strength that keeps noise out is what its formulas say, and does so."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import convexmtl as cm

rng = np.random.default_rng(0)
n, d, T = 40, 60, 6
X = rng.standard_normal((n, d)) * rng.uniform(0.5, 2, d) + 1.0
W = np.zeros((d, T))
W[:3] = 3 * rng.standard_normal((3, T))
Y = X @ W + 2.0 + rng.standard_normal((n, T))
UNEVEN = rng.uniform(0.1, 2, (d, T)) * np.geomspace(1, 10, T)

NORMS = {
    "lasso": cm.RowNorm(0.7, q=1),
    "l2": cm.RowNorm(0.7),
    "linf": cm.RowNorm(0.7, q=np.inf),
    "dirty": cm.DirtyNorm(2.0, 0.7),
    "dirty l2": cm.DirtyNorm(1.2, 0.7, q=2),
}


@pytest.mark.parametrize("uneven", [False, True])
@pytest.mark.parametrize("name", NORMS)
def test_noise_is_within_its_bound(name, uneven):
    penalty, V = NORMS[name], UNEVEN if uneven else np.ones((d, T))
    drawn = np.random.default_rng(1).standard_normal((500, d, T)) * np.sqrt(V)
    norms = np.array([penalty.dual_norm(Z) for Z in drawn])
    for level in (0.5, 0.05):
        bound = penalty.noise_bound(V, level)
        assert np.mean(norms > bound) <= level
        # It is not far beyond; where variances differ, further: every feature counts as one of the largest.
        assert bound <= (2.2 if uneven else 1.6) * np.quantile(norms, 1 - level)
        assert_allclose(penalty.scaled(2.0).noise_bound(V, level), bound / 2)


@pytest.mark.parametrize("name", ["l2", "dirty"])
def test_the_formula_and_what_is_drawn(name):
    """Both from plain numpy, for one X and the noise of every task."""
    estimator, noise, level = cm.MultiTaskRegressor(NORMS[name]), np.linspace(0.5, 2, T), 0.1
    centred = X - X.mean(axis=0)
    V = np.mean(centred**2, axis=0)[:, None] * noise / n
    factor = NORMS[name].noise_bound(V, level)
    if name == "l2":
        x = np.log(d / level)
        squares = V.sum(axis=1) + 2 * np.sqrt(x * np.sum(V**2, axis=1)) + 2 * x * V.max(axis=1)
        assert_allclose(factor, np.sqrt(squares.max()) / 0.7)
    found = cm.alpha_theory(estimator, X, Y, noise=noise, level=level, slack=2)
    own = NORMS[name].strength_values()
    assert_allclose([*found.values()] if len(own) > 1 else [found], [2 * factor * value for value in own.values()])
    drawn = cm.alpha_theory(estimator, X, Y, noise=noise, level=level, bound="simulated", n_draws=400)
    noises = np.sqrt(noise) * np.random.default_rng(5).standard_normal((400, n, T))
    norms = [NORMS[name].dual_norm(centred.T @ E / n) for E in noises]
    drawn = next(iter(drawn.values())) / 2.0 if len(own) > 1 else drawn / 0.7
    assert np.quantile(norms, 0.8) < drawn < np.quantile(norms, 0.97)
    assert drawn < factor


@pytest.mark.parametrize("bound", ["tail", "simulated"])
@pytest.mark.parametrize("layout", ["shared", "missing", "stacked"])
def test_noise_alone_is_kept_out(layout, bound):
    task = np.repeat(np.arange(T), [20, 30, 40, 50, 60, 40])
    fitted = 0
    for seed in range(20):
        own = np.random.default_rng(seed)
        x = X if layout != "stacked" else own.standard_normal((len(task), 15))
        y = own.standard_normal((n, T) if layout != "stacked" else len(task))
        options = {"task": task} if layout == "stacked" else {}
        if layout == "missing":
            y[::4, 2] = np.nan
        alpha = cm.alpha_theory(cm.BlockSparseRegressor(), x, y, noise=1.0, bound=bound, n_draws=40, **options)
        top = cm.alpha_max(cm.BlockSparseRegressor(), x, y, **options)
        fitted += top > alpha
        assert alpha < 3 * top
    assert fitted <= 4  # of one expected, by 2.5 in a thousand more


def test_a_weight_is_a_repeated_row():
    weight = np.where(np.arange(n) < 10, 2.0, 1.0)
    twice = np.concatenate([np.arange(n), np.arange(10)])
    one = cm.alpha_theory(cm.BlockSparseRegressor(), X, Y, sample_weight=weight, noise=1.5)
    assert_allclose(one, cm.alpha_theory(cm.BlockSparseRegressor(), X[twice], Y[twice], noise=1.5))
    stacked = np.vstack([X] * T), Y.ravel(order="F")
    task = np.repeat(np.arange(T), n)
    plain = cm.alpha_theory(cm.BlockSparseRegressor(), X, Y, noise=1.5)
    assert_allclose(cm.alpha_theory(cm.BlockSparseRegressor(), *stacked, task=task, noise=1.5), plain)


def test_noise_that_is_not_known():
    """With fewer samples than features, and with more; in the units of the targets; by a twin as well."""
    known = cm.alpha_theory(cm.BlockSparseRegressor(), X, Y, noise=1.0)
    assert_allclose(cm.alpha_theory(cm.BlockSparseRegressor(), X, Y), known, rtol=0.15)
    assert_allclose(cm.alpha_theory(cm.BlockSparseRegressor(), X, 100 * Y), 100 * known, rtol=0.15)
    few = X[:, :10], Y
    for noise in ("pooled", "task"):
        assert_allclose(
            cm.alpha_theory(cm.BlockSparseRegressor(), *few, noise=noise),
            cm.alpha_theory(cm.BlockSparseRegressor(), *few, noise=1.0),
            rtol=0.35,
        )
    assert_allclose(cm.alpha_theory(cm.BlockSparseRegressorCV(), X, Y, noise=1.0), known)
    simulated = cm.alpha_theory(cm.TraceNormRegressor(), *few, bound="simulated", n_draws=20)
    assert 0.5 * np.sqrt((n + T) / n**2) < simulated < 5 * np.sqrt((n + T) / n)


def test_it_finds_the_features():
    alpha = cm.alpha_theory(cm.BlockSparseRegressor(), X, Y, noise=1.0)
    model = cm.BlockSparseRegressor(alpha, refit="relaxed").fit(X, Y)
    assert np.flatnonzero(model.coef_.any(axis=0)).tolist() == [0, 1, 2]
    assert_allclose(model.coef_.T[:3], W[:3], atol=0.6)


@pytest.mark.parametrize(
    ("estimator", "options", "message"),
    [
        (cm.BlockSparseRegressor(), {"bound": "best"}, r"bound must be one of \['tail', 'simulated'\], got 'best'"),
        (cm.BlockSparseRegressor(), {"slack": 0}, "slack must be a finite number > 0, got 0"),
        (cm.BlockSparseRegressor(), {"level": 1.0}, r"level must be a number in \(0, 1\), got 1.0"),
        (cm.BlockSparseRegressor(), {"n_draws": 0}, "n_draws must be an integer of at least 1, got 0"),
        (cm.BlockSparseRegressor(), {"noise": -1.0}, "noise must be positive and finite, got -1.0"),
        (cm.BlockSparseRegressor(), {"noise": np.ones(3)}, r"noise must be one variance or 6, .* got shape \(3,\)"),
        (cm.BlockSparseRegressor(), {"noise": "task"}, "noise='task' needs more samples than features in every task"),
        (cm.BlockSparseRegressor(loss="huber"), {}, "about the noise of the squared loss, got loss='huber'"),
        (cm.MeanRegularizedRegressor(), {}, "MeanCoupling.* keeps nothing at zero"),
        (cm.TraceNormRegressor(), {}, "not for TraceNorm.*: use bound='simulated'"),
        (cm.BlockSparseRegressor(q=3), {}, "not for RowNorm.*: use bound='simulated'"),
    ],
)
def test_what_is_refused(estimator, options, message):
    with pytest.raises(ValueError, match=message):
        cm.alpha_theory(estimator, X, Y, **options)
