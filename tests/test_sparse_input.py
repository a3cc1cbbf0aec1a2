"""A sparse X gives what the same X gives as an array, in every layout, and is never made dense as a whole."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone

import convexmtl as cm
from convexmtl.tasks import Tasks

rng = np.random.default_rng(0)
N, D, T = 60, 150, 3
X = np.where(rng.random((N, D)) < 0.15, rng.standard_normal((N, D)), 0.0)
X[:, 5] = 0.0
W = np.zeros((D, T))
W[:6] = rng.standard_normal((6, T))
Y = X @ W + 0.5 + 0.3 * rng.standard_normal((N, T))
MISSING = np.where(rng.random(Y.shape) < 0.2, np.nan, Y)
TASK = np.arange(N) % T

FAMILIES = {
    "l2": cm.BlockSparseRegressor(alpha=0.05),
    "linf": cm.BlockSparseRegressor(alpha=0.1, q=np.inf),
    "dirty": cm.DirtyRegressor(alpha_block=0.1, alpha_sparse=0.06),
    "trace": cm.TraceNormRegressor(alpha=0.1),
    "mean": cm.MeanRegularizedRegressor(alpha_variance=0.3, alpha_mean=0.1),
    "clustered": cm.ClusteredRegressor(n_clusters=2),
    "huber": cm.BlockSparseRegressor(alpha=0.05, loss=cm.Huber(0.5)),
}
FORMATS = [sp.csr_array, sp.csc_matrix, sp.coo_array]


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("layout", ["shared", "missing", "stacked"])
@pytest.mark.parametrize("family", FAMILIES)
def test_sparse_is_dense(family, layout, intercept):
    estimator = FAMILIES[family].set_params(tol=1e-9, fit_intercept=intercept)
    y, task = {"shared": (Y, None), "missing": (MISSING, None), "stacked": (Y[:, 0], TASK)}[layout]
    dense = estimator.fit(X, y, task=task)
    coef, predicted = dense.coef_, dense.predict(X, task=task) if task is not None else dense.predict(X)
    for form in FORMATS:
        S = form(X)
        sparse = estimator.fit(S, y, task=task)
        np.testing.assert_allclose(sparse.coef_, coef, atol=2e-4 * np.abs(coef).max())
        again = sparse.predict(S, task=task) if task is not None else sparse.predict(S)
        np.testing.assert_allclose(again, predicted, atol=2e-3)


@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_index_types_and_unsorted_indices(index):
    S = sp.csr_matrix(X)
    S = sp.csr_matrix((S.data[::-1], S.indices[::-1].astype(index), S.indptr.astype(index)), shape=S.shape)
    D = S.toarray()
    coef = cm.BlockSparseRegressor(alpha=0.05, tol=1e-8).fit(D, Y).coef_
    kept = S.data.copy(), S.indices.copy()
    np.testing.assert_allclose(cm.BlockSparseRegressor(alpha=0.05, tol=1e-8).fit(S, Y).coef_, coef, atol=1e-4)
    assert np.array_equal(S.data, kept[0]) and np.array_equal(S.indices, kept[1])


def test_classifier():
    L = (Y > 0.5).astype(int)
    a = cm.BlockSparseClassifier(alpha=0.01, tol=1e-8).fit(X, L)
    b = cm.BlockSparseClassifier(alpha=0.01, tol=1e-8).fit(sp.csr_array(X), L)
    np.testing.assert_allclose(a.coef_, b.coef_, atol=1e-4)
    np.testing.assert_allclose(a.predict_proba(X), b.predict_proba(sp.csr_array(X)), atol=1e-3)


def test_task_column_of_a_sparse_matrix():
    with_task = sp.csr_array(np.column_stack([X, TASK + 1.0]))
    a = cm.BlockSparseRegressor(alpha=0.05, task_column=-1, tol=1e-8).fit(with_task, Y[:, 0])
    b = cm.BlockSparseRegressor(alpha=0.05, tol=1e-8).fit(X, Y[:, 0], task=TASK)
    np.testing.assert_allclose(a.coef_, b.coef_, atol=1e-4)
    np.testing.assert_allclose(a.predict(with_task), b.predict(X, task=TASK), atol=1e-3)


def test_never_dense_as_a_whole(monkeypatch):
    n, d = 2000, 200_000  # 3.2 GB as an array
    S = sp.csc_array(sp.random(n, d, density=1e-4, random_state=rng))
    y = S[:, :5] @ rng.standard_normal((5, 4)) + 0.01 * rng.standard_normal((n, 4))
    estimator = cm.BlockSparseRegressor(tol=1e-6)
    estimator.set_params(alpha=cm.alpha_max(estimator, S, y) / 5)
    monkeypatch.setattr(Tasks, "dense", lambda self: pytest.fail("made dense"))
    model = estimator.fit(S, y)
    assert model.dual_gap_ <= 1e-6 * (y - y.mean(axis=0)).var(axis=0).sum()
    assert cm.certify(model, S, y).gap <= 1.01 * model.dual_gap_ + 1e-15


def test_path():
    a = cm.regularization_path(cm.BlockSparseRegressor(tol=1e-8), X, Y, alphas=5)
    b = cm.regularization_path(cm.BlockSparseRegressor(tol=1e-8), sp.csr_array(X), Y, alphas=5)
    np.testing.assert_allclose(a.coefs, b.coefs, atol=1e-4)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("layout", ["shared", "missing", "stacked"])
def test_coupling_with_many_features(loss, layout):
    """More features than d x d matrices are formed for: conjugate gradients, and the same certificate."""
    S = sp.csr_array(sp.random(60, 6000, density=0.01, random_state=1))
    cls = cm.MeanRegularizedRegressor if loss == "squared" else cm.MeanRegularizedClassifier
    y, options = {"shared": (Y, {}), "missing": (MISSING, {}), "stacked": (Y[:, 0], {"task": TASK})}[layout]
    if loss == "logistic":
        y = np.where(np.isnan(y), np.nan, y > 0.5)
    sparse = cls(tol=1e-8).fit(S, y, **options)
    dense = cls(tol=1e-8).fit(S.toarray(), y, **options)
    np.testing.assert_allclose(sparse.objective_, dense.objective_, rtol=1e-7)
    np.testing.assert_allclose(sparse.coef_, dense.coef_, atol=1e-3 * np.abs(dense.coef_).max())
    with pytest.raises(ValueError, match="sparse with 6000 features, and the penalty leaves directions"):
        cls(alpha_mean=0.0).fit(S, y, **options)


def test_targets_whose_squares_overflow():
    with pytest.raises(ValueError, match=r"y is too large, up to 1e\+160: the loss overflows"):
        cm.BlockSparseRegressor().fit(X, np.sign(Y) * 1e160)


@pytest.mark.parametrize("distance", [1e6, 1e8])
@pytest.mark.parametrize("layout", ["shared", "missing", "stacked"])
@pytest.mark.parametrize("family", [*FAMILIES, "sums", "free"])
def test_columns_far_from_zero(family, layout, distance):
    """In standard deviations; the same fit as that of the array, which centres before it multiplies."""
    far = X[:, :15].copy()  # (fewer than samples of a task: one solver for both)
    far[:, [3, 8]] = distance * np.array([1, -2]) + np.random.default_rng(1).standard_normal((N, 2))
    others = {
        "sums": cm.SparseLowRankRegressor(alpha_sparse=0.1, alpha_low_rank=0.1),
        "free": cm.MeanRegularizedRegressor(alpha_mean=0.0),
    }
    estimator = clone({**FAMILIES, **others}[family]).set_params(tol=1e-5, fit_intercept=True)
    y, options = {"shared": (Y, {}), "missing": (MISSING, {}), "stacked": (Y[:, 0], {"task": TASK})}[layout]
    dense = clone(estimator).fit(far, y, **options)
    sparse = estimator.fit(sp.csr_array(far), y, **options)
    np.testing.assert_allclose(sparse.coef_, dense.coef_, atol=1e-5)
    assert sparse.n_iter_ <= 1.2 * dense.n_iter_ + 1
