"""regularization_path: the fits of a path are those of the estimator, one strength at a time."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import MultiTaskLasso

import convexmtl as cm

rng = np.random.default_rng(0)
X = rng.standard_normal((60, 40)) + 1.0
W = np.zeros((40, 3))
W[:5] = rng.standard_normal((5, 3))
Y = X @ W + 2.0 + 0.5 * rng.standard_normal((60, 3))
TASK = np.arange(60) % 3

FAMILIES = {
    "l2": cm.BlockSparseRegressor(),
    "elastic": cm.BlockSparseRegressor(l1_ratio=0.5),
    "linf": cm.BlockSparseRegressor(q=np.inf),
    "dirty": cm.DirtyRegressor(),
    "trace": cm.TraceNormRegressor(),
    "mean": cm.MeanRegularizedRegressor(),
    "clusters": cm.ClusteredRegressor(n_clusters=2),
    "logistic": cm.BlockSparseClassifier(),
}


@pytest.mark.parametrize("layout", ["shared", "stacked"])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_point_is_a_fit(family, layout):
    estimator = clone(FAMILIES[family]).set_params(tol=1e-8)
    y, options = (Y, {}) if layout == "shared" else (Y[:, 0], {"task": TASK})
    if family == "logistic":
        y = (y > 2).astype(int)
    path = cm.regularization_path(estimator, X, y, alphas=6, eps=1e-2, **options)
    assert path.coefs.shape == (6, 3, 40) and path.intercepts.shape == (6, 3)
    assert np.all(np.diff(path.alphas) < 0)
    largest = cm.alpha_max(estimator, X, y, **options)
    largest = next(iter(largest.values())) if isinstance(largest, dict) else largest
    np.testing.assert_allclose(path.alphas, largest * np.geomspace(1, 1e-2, 6))
    for k in (1, 5):
        alone = clone(estimator).set_params(**path.strengths[k]).fit(X, y, **options)
        assert path.dual_gaps[k] <= 1e-8 * path.objectives[0] * 1.01
        np.testing.assert_allclose(path.objectives[k], alone.objective_, rtol=1e-6)
        np.testing.assert_allclose(path.coefs[k], alone.coef_, atol=2e-3 * np.abs(alone.coef_).max())


def test_agrees_with_multi_task_lasso():
    alphas = np.geomspace(1, 0.01, 5)
    ours = cm.regularization_path(cm.BlockSparseRegressor(tol=1e-10, fit_intercept=False), X, Y, alphas=alphas)
    _, theirs, _ = MultiTaskLasso.path(X, Y, l1_ratio=1.0, alphas=alphas, tol=1e-10, max_iter=100_000)
    np.testing.assert_allclose(ours.coefs, theirs.transpose(2, 0, 1), atol=1e-5)


def test_alphas_are_sorted_and_the_estimator_is_left_alone():
    estimator = cm.BlockSparseRegressor(alpha=3.0)
    path = cm.regularization_path(estimator, X, Y, alphas=[0.01, 1.0, 0.1])
    assert path.alphas.tolist() == [1.0, 0.1, 0.01]
    assert estimator.alpha == 3.0 and not hasattr(estimator, "coef_")


def test_ratios_are_kept():
    path = cm.regularization_path(cm.DirtyRegressor(alpha_block=2.0, alpha_sparse=1.5), X, Y, alphas=[0.4])
    assert path.strengths == [{"alpha_block": pytest.approx(0.4), "alpha_sparse": pytest.approx(0.3)}]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"alphas": 0}, "alphas must be at least 1"),
        ({"alphas": [1.0, -1.0]}, "positive and finite, got -1.0"),
        ({"alphas": [[1.0]]}, "a number of strengths or a list"),
        ({"alphas": []}, "a number of strengths or a list"),
        ({"alphas": 5, "eps": 1.5}, "eps must be between 0 and 1, got 1.5"),
    ],
)
def test_bad_alphas(options, message):
    with pytest.raises(ValueError, match=message):
        cm.regularization_path(cm.BlockSparseRegressor(), X, Y, **options)


def test_no_strength_to_scale():
    with pytest.raises(ValueError, match="needs a positive strength"):
        cm.regularization_path(cm.BlockSparseRegressor(alpha=0.0), X, Y)


def test_one_warning_for_all_fits():
    estimator = cm.BlockSparseRegressor(max_iter=1, tol=1e-12)
    with pytest.warns(ConvergenceWarning, match="of 4 fits did not reach tol=1e-12") as caught:
        path = cm.regularization_path(estimator, X, Y, alphas=4)
    assert len(caught) == 1 and path.dual_gaps[-1] > 0
