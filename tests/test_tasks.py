"""What is computed of all tasks at once is what a loop over the tasks would compute, for any sizes and kinds of X."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

from convexmtl import _products, gram, tasks
from convexmtl._input import encode_classes, encode_tasks, find_tasks
from convexmtl.inverses import Factors, Semidefinite, Tridiagonal, inverse, tops
from convexmtl.tasks import Tasks

SIZES = {"unequal": [1, 7, 40, 1, 3], "equal": [6] * 5, "singletons": [1] * 5, "alone": [9]}
D = 6


def strided(X, folder):
    return np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3]


def on_disk(X, folder):
    """Every other row of a read-only memory map."""
    np.save(folder / "X.npy", np.repeat(X, 2, axis=0))
    return np.load(folder / "X.npy", mmap_mode="r")[::2]


def frozen(X, folder):
    X = np.asfortranarray(X)
    X.setflags(write=False)
    return X


KINDS = {
    "C": lambda X, folder: np.ascontiguousarray(X),
    "F": lambda X, folder: np.asfortranarray(X),
    "frozen": frozen,
    "strided": strided,
    "on disk": on_disk,
    "sparse": lambda X, folder: sp.csr_array(X),
}


@pytest.fixture(params=KINDS)
def kind(request, tmp_path):
    return lambda X: KINDS[request.param](X, tmp_path)


@pytest.fixture(params=["copied", "where it is", "by few rows", "by BLAS"])
def how(request, monkeypatch):
    """An X that is small, large, much larger than a block, and tasks that are large."""
    if request.param in ("where it is", "by few rows"):
        monkeypatch.setattr(tasks, "LARGE", 0)
    if request.param == "by few rows":
        monkeypatch.setattr(_products, "BLOCK", 4 * D)
    if request.param == "by BLAS":
        monkeypatch.setattr(tasks, "LARGE_TASK", 10 * D**2)


def draw(sizes, seed=0, offset=0.0):
    """(X, y, codes, weights), one sample in five without weight, and the second task without any."""
    rng = np.random.default_rng(seed)
    n = sum(sizes)
    X = np.where(rng.random((n, D)) < 0.7, rng.standard_normal((n, D)), 0.0) + offset
    X[:, 3] = offset + 2.0
    codes = np.repeat(np.arange(len(sizes)), sizes)
    weight = np.where(rng.random(n) < 0.2, 0.0, rng.uniform(0.5, 2, n))
    weight[codes == 1] = 0.0
    return X, rng.standard_normal(n), codes, weight


def each_task(these, X):
    """(rows of X, samples) of every task."""
    for t in range(these.n_tasks):
        rows, samples = these.slices(t)
        yield X[rows], samples


def assert_is_the_loop(these, X):
    """All that is asked of tasks against a loop over them, X being their rows as an array."""
    rng = np.random.default_rng(1)
    T, h = these.n_tasks, these.weight
    W, u = rng.standard_normal((D, T)), rng.standard_normal(len(these.y))
    W[[1, 2, 3, 5]] = 0.0
    parts = list(each_task(these, X))
    assert_allclose(these.apply(W), np.concatenate([x @ W[:, t] for t, (x, _) in enumerate(parts)]), atol=1e-12)
    assert_allclose(these.adjoint(u), np.stack([u[s] @ x for x, s in parts], axis=1), rtol=1e-12, atol=1e-10)
    total = [max(h[s].sum(), 1e-300) for _, s in parts]
    means = np.stack([h[s] @ x / m for (x, s), m in zip(parts, total, strict=True)], axis=1)
    assert_allclose(these.means(h), means, rtol=1e-12, atol=1e-12)
    plain = np.stack([x.T @ (h[s][:, None] * x) for x, s in parts])
    centred = [x - means[:, t] for t, (x, _) in enumerate(parts)]
    within = np.stack([x.T @ (h[s][:, None] * x) for x, (_, s) in zip(centred, parts, strict=True)])
    atol = 1e-12 * max(1.0, np.abs(X).max())
    for centre, expected in ((None, plain), (means, within)):
        G = these.gram(h, centre)
        assert_allclose(G, expected, rtol=1e-10, atol=atol)
        assert_allclose(G, G.swapaxes(1, 2), rtol=1e-14, atol=atol)
        assert_allclose(these.curvature(h, centre), np.einsum("tjj->jt", expected), rtol=1e-10, atol=atol)
    assert_array_equal(G[:, 3], 0)
    assert_array_equal(these.curvature(h, means)[3], 0)
    rows = np.concatenate([np.sum(x**2, axis=1) for x, _ in parts])
    assert_allclose(these.row_squares, rows)


@pytest.mark.parametrize("offset", [0.0, 1e6])
@pytest.mark.parametrize("sizes", SIZES)
def test_stacked(sizes, kind, how, offset):
    X, y, codes, weight = draw(SIZES[sizes], offset=offset)
    T = len(SIZES[sizes])
    these = Tasks.stacked(kind(X), y, codes, T, weight)
    assert_is_the_loop(these, X)
    if T > 3:
        some = these.between(1, 4)
        a, e = these.ptr[[1, 4]]
        assert_allclose(some.gram(some.weight), these.gram(these.weight)[1:4])
        assert_allclose(some.adjoint(y[a:e]), these.adjoint(y)[:, 1:4], rtol=1e-12)


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_shared_with_missing_targets(kind, how, offset):
    X, _, _, _ = draw([30], offset=offset)
    rng = np.random.default_rng(2)
    Y = np.where(rng.random((30, 4)) < 0.4, np.nan, rng.standard_normal((30, 4)))
    assert_is_the_loop(Tasks.shared(kind(X), Y), X)


def test_one_huge_task_beside_many_small_ones():
    """Neither time nor memory is that of all tasks at the size of the largest: nothing is padded."""
    sizes = np.append(np.full(10_000, 20), 200_000)
    T, n, d = len(sizes), int(sizes.sum()), 4
    rng = np.random.default_rng(0)
    X, y = np.asfortranarray(rng.standard_normal((n, d))), rng.standard_normal(n)
    these = Tasks.stacked(X, y, np.repeat(np.arange(T), sizes), T)
    h, W = these.weight, rng.standard_normal((d, T))
    means = these.means(h)
    tracemalloc.start()
    try:
        z, G = these.apply(W), these.gram(h, means)
        curvature, moments = these.curvature(h, means), these.adjoint(z)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * X.nbytes
    for t in (0, 4321, T - 1):
        rows, _ = these.slices(t)
        assert_allclose(z[rows], X[rows] @ W[:, t], atol=1e-12)
        assert_allclose(G[t], np.cov(X[rows], rowvar=False, bias=True), rtol=1e-10, atol=1e-12)
        assert_allclose(moments[:, t], z[rows] @ X[rows], rtol=1e-10)
    assert_allclose(curvature, np.einsum("tjj->jt", G), rtol=1e-10)


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("layout", ["unequal", "singletons", "sparse", "rows", "shared"])
def test_products_of_a_hessian(layout, centred):
    """Read once or twice, they are those of the Gram matrices."""
    X, y, codes, weight = draw(SIZES["unequal" if layout in ("sparse", "rows", "shared") else layout], offset=3.0)
    if layout == "shared":
        these = Tasks.shared(X, np.random.default_rng(0).standard_normal((len(X), 5)))
    else:
        these = Tasks.stacked(sp.csc_array(X) if layout == "sparse" else X, y, codes, 5, weight)
    if layout == "rows":
        these = replace(these, X=np.ascontiguousarray(these.X))
    rng = np.random.default_rng(3)
    h, W = rng.uniform(0, 1, len(these.y)), rng.standard_normal((D, 5))
    G = these.gram(h, these.means(h) if centred else None)
    assert_allclose(these.bent(W, h, centred), np.einsum("tij,jt->it", G, W), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("sizes", ["unequal", "singletons"])
def test_samples_in_place_of_grams(sizes):
    """Where tasks have few samples, the form that keeps these is the one that keeps Gram matrices."""
    X, y, codes, weight = draw(SIZES[sizes], offset=3.0)
    these = Tasks.stacked(X, y, codes, 5, weight)
    h, means = these.weight, these.means(these.weight)
    thin, full = gram.TaskThin(these, h, means), gram.TaskGrams(these.gram(h, means))
    W, shift = np.random.default_rng(3).standard_normal((D, 5)), np.linspace(0.1, 1, 5)
    assert_allclose(thin.apply(W), full.apply(W), atol=1e-12)
    assert_allclose(thin.solve(W, shift), full.solve(W, shift), atol=1e-11)
    assert_allclose(thin.diagonal, full.diagonal, atol=1e-12)
    assert_allclose(thin.top, full.top, rtol=0.1)  # (Of either form nearly the largest.)


def test_samples_in_place_of_grams_where_a_feature_is_constant_in_a_task():
    X, y, codes, weight = draw(SIZES["unequal"], offset=3.0)
    X[codes == 1, 0] = 0.1
    these = Tasks.stacked(X, y, codes, 5, weight)
    h, means = these.weight, these.means(these.weight)
    assert np.any(X[codes == 1, 0] != means[0, 1])  # the mean is rounded
    thin, full = gram.TaskThin(these, h, means), gram.TaskGrams(these.gram(h, means))
    assert thin.diagonal[0, 1] == full.diagonal[0, 1] == 0
    assert_allclose(thin.diagonal, full.diagonal, atol=1e-12)


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("centred", [False, True])
def test_largest_eigenvalue(centred, several, kind, monkeypatch):
    X, y, codes, weight = draw(SIZES["unequal"], offset=1.0)
    these = Tasks.stacked(kind(X), y, codes, 5, weight)
    h = these.weight
    expected = np.linalg.eigvalsh(these.gram(h, these.means(h) if centred else None)).max()
    if several:
        monkeypatch.setattr(gram, "BLOCK", 2 * D**2)
    assert_allclose(gram.largest_eigenvalue(gram.Design(these, centred), h), expected)


# ------------------------------------------------------------------------------------------ inverses


def semidefinite(T, d, seed=0):
    """Matrices of unequal scale; every third is singular, every fourth has a feature that says nothing."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((T, 2 * d, d)) * 10.0 ** rng.uniform(-6, 6, (T, 1, d))
    A[::3, :, 1] = A[::3, :, 0]
    A[::4, :, d - 1] = 0.0
    return np.matmul(A.transpose(0, 2, 1), A)


@pytest.mark.parametrize("d", [2, 5, 32, 33, 40])
def test_factors(d):
    G, T = semidefinite(12, d), 12
    rng = np.random.default_rng(1)
    shift = 1e-3 * np.einsum("tjj->t", G)
    K = G + shift[:, None, None] * np.eye(d)
    R, B = rng.standard_normal((d, T)), rng.standard_normal((T, d, 3))
    kept = R.copy(), B.copy()
    factors = Factors(G, shift)
    assert_allclose(factors.solve(R), np.linalg.solve(K, R.T[:, :, None])[:, :, 0].T, rtol=1e-8)
    assert_allclose(factors.solve(B), np.linalg.solve(K, B), rtol=1e-7, atol=1e-10 * np.abs(B).max() / shift.min())
    assert_array_equal(R, kept[0])
    assert_array_equal(B, kept[1])
    # Singular ones: what is in their range is still solved for, nearly.
    singular = Factors(G, np.zeros(T))
    W = rng.standard_normal((d, T))
    R = np.matmul(G, W.T[:, :, None])[:, :, 0].T
    again = np.matmul(G, singular.solve(R).T[:, :, None])[:, :, 0].T
    size = np.sqrt(np.einsum("tjj->jt", G)) * np.linalg.norm(W, axis=0) * np.sqrt(np.einsum("tjj->t", G))
    assert np.all(np.abs(again - R) <= 1e-4 * size)


@pytest.mark.parametrize("d", [2, 5, 40])
def test_inverses(d):
    """Many at once are one after the other, and the pseudo-inverse where there is no other."""
    G = semidefinite(12, d)
    many = inverse(G)
    for t in range(12):
        assert_allclose(many[t], inverse(G[t]), rtol=1e-12)
        scale = np.sqrt(np.diag(G[t]))
        unit = np.divide(1, scale, out=np.zeros(d), where=scale > 0)
        expected = np.linalg.pinv(unit[:, None] * G[t] * unit, hermitian=True, rcond=1e-12)
        assert_allclose(many[t], unit[:, None] * expected * unit, rtol=1e-5, atol=1e-8 * np.abs(many[t]).max())


@pytest.mark.parametrize("d", [1, 2, 32, 33, 50])
def test_tridiagonal_matrices(d):
    """They solve what the matrices do, each task with its own shift and scale, and know the largest eigenvalue."""
    rng, T = np.random.default_rng(d), 4
    A = rng.standard_normal((T, d // 2 + 1, d)) * np.geomspace(1e-3, 1, d)
    G, R, scale, shift = A.swapaxes(1, 2) @ A, rng.standard_normal((d, T)), rng.uniform(1, 9, T), rng.uniform(1, 9, T)
    found = Tridiagonal(G)
    B = found.solve(np.einsum("tji,jt->it", found.Q, R), scale, shift)
    expected = np.linalg.solve(scale[:, None, None] * G + shift[:, None, None] * np.eye(d), R.T[:, :, None])[:, :, 0].T
    assert_allclose(np.einsum("tij,jt->it", found.Q, B), expected, rtol=1e-9, atol=1e-12)
    assert_allclose(found.top, np.linalg.eigvalsh(G)[:, -1])
    assert np.all(tops(G) <= found.top * (1 + 1e-12)) and np.all(tops(G) >= 0.9 * found.top)
    # One matrix for all.
    first = Semidefinite(G[0])
    each = zip(scale, shift, R.T, strict=True)
    expected = np.stack([np.linalg.solve(s * G[0] + m * np.eye(d), r) for s, m, r in each], axis=1)
    assert_allclose(first.solve(R, scale, shift), expected, rtol=1e-9, atol=1e-12)
    assert_allclose(first.top, found.top[0])
    # Without a shift, the solution of least norm.
    least = np.linalg.pinv(G[0], rcond=1e-13, hermitian=True) @ R
    assert_allclose(G[0] @ Semidefinite(G[0]).solve(R, 1.0, np.zeros(T)), G[0] @ least, atol=1e-9)


# ------------------------------------------------------------------------------------------ labels

LABELS = {
    "int": lambda codes: codes * 7 - 3,
    "float": lambda codes: codes / 3,
    "bool": lambda codes: codes > 2,
    "str": lambda codes: np.array(["b", "a", "long", "ca", "d"])[codes],
    "bytes": lambda codes: np.array([b"b", b"a", b"long", b"ca", b"d"])[codes],
    "objects": lambda codes: np.array(["b", "a", "long", "ca", "d"], dtype=object)[codes],
    "dates": lambda codes: np.datetime64("2020-01-01") + codes,
}


@pytest.mark.parametrize("order", ["sorted", "shuffled", "runs"])
@pytest.mark.parametrize("form", LABELS)
def test_labels(form, order):
    codes = np.repeat(np.arange(5), 8)
    if order == "shuffled":
        codes = np.random.default_rng(0).permutation(codes)
    labels = LABELS[form](codes if order != "runs" else np.concatenate([codes, codes]))
    found, of_rows = encode_tasks(labels)
    expected = np.unique(labels, return_inverse=True)
    assert_array_equal(found, expected[0])
    assert_array_equal(of_rows, expected[1])
    assert found.dtype == labels.dtype
    assert_array_equal(find_tasks(labels[::3], found), of_rows[::3])
    with pytest.raises(ValueError, match="was not seen in fit"):
        find_tasks(labels, found[1:])


@pytest.mark.parametrize("form", ["shared", "stacked"])
@pytest.mark.parametrize("kind", ["int", "str", "bool"])
def test_classes_of_each_task(kind, form):
    """Numbers and strings are encoded for all tasks at once, objects task by task: to the same signs and classes."""
    rng, n, T = np.random.default_rng(0), 30, 4
    names = {"int": [3, -1, 0, 7], "str": ["b", "a", "no", "long"], "bool": [True, False]}[kind]
    first = np.array([0, 1, 1, 0]) % len(names)
    second = np.array([1, 2, 1, 3]) % len(names)  # (the third task has one class)
    codes = np.tile(np.arange(T), n)
    y = np.array(names)[np.where(rng.random(n * T) < 0.5, first[codes], second[codes])]
    objects = y.astype(object)
    if form == "shared":
        y, objects, codes = y.reshape(n, T), objects.reshape(n, T), None
    if kind == "bool":
        labels, expected = np.arange(T), np.where(objects.astype(bool), 1, -1)
        assert_array_equal(encode_classes(y, codes, labels)[0], expected)
        return
    signs, classes = encode_classes(y, codes, np.arange(T))
    again, by_task = encode_classes(objects, codes, np.arange(T))
    assert_array_equal(signs, again)
    for one, other in zip(classes, by_task, strict=True):
        assert_array_equal(one, other)
    of_row = np.arange(T) if form == "shared" else codes
    low = np.array([own[0] for own in classes])[of_row]
    high = np.array([own[-1] for own in classes])[of_row]
    assert_array_equal(np.where(signs > 0, high, low), y)
    assert_array_equal([len(own) for own in classes], [2, 2, 1, 2])
