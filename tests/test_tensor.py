"""Tasks with several indices: unfoldings, labels, and what is gained."""

import cases
import numpy as np
import pytest
from numpy.testing import assert_allclose

import convexmtl as cm
from convexmtl.penalties import TensorTraceNorm, TraceNorm

SHAPE = (5, 5)


def drawn(seed, n=40, d=8, shape=SHAPE, noise=0.5):
    """(X, Y, W) of multilinear rank (4, 2, 2)."""
    rng = np.random.default_rng(seed)
    sides = [np.linalg.qr(rng.standard_normal((m, k)))[0] for m, k in ((d, 4), (shape[0], 2), (shape[1], 2))]
    W = 4 * np.einsum("abc,ja,rb,pc->jrp", rng.standard_normal((4, 2, 2)), *sides).reshape(d, -1)
    X = rng.standard_normal((n, d))
    return X, X @ W + noise * rng.standard_normal((n, W.shape[1])), W


def test_unfoldings_are_those_of_the_tensor():
    rng, d = np.random.default_rng(0), 3
    tensor = rng.standard_normal((d, 2, 4))
    shuffled = rng.permutation(8)
    W = tensor.reshape(d, 8)[:, shuffled]
    known = {t: divmod(int(position), 4) for t, position in enumerate(shuffled)}
    first = TensorTraceNorm((2, 4)).resolve(d, range(8))
    other = TensorTraceNorm(known).resolve(d, range(8))
    unfoldings = [
        tensor.reshape(d, 8),
        tensor.transpose(1, 0, 2).reshape(2, -1),
        tensor.transpose(2, 0, 1).reshape(4, -1),
    ]
    for k, M in enumerate(unfoldings):
        for canonical, V in ((first, tensor.reshape(d, 8)), (other, W)):
            term = (canonical.terms + canonical.whole)[k]
            assert_allclose(term.value(V), np.linalg.norm(M, "nuc"))
            assert_allclose(term.dual_norm(V), np.linalg.norm(M, 2))
            assert_allclose(term.folded(term.unfolded(V), d), V)
            assert_allclose(np.sort(term.prox(V, 0.5).ravel()), np.sort(soft(M, 0.5).ravel()), atol=1e-12)


def soft(M, cut):
    U, s, V = np.linalg.svd(M, full_matrices=False)
    return (U * np.maximum(s - cut, 0)) @ V


def test_one_value_of_an_index_is_the_trace_norm():
    """Of the other unfoldings one is the same, and one a single row."""
    X, Y, _ = drawn(0)
    Y = Y[:, :5]
    model = cm.MultiTaskRegressor(TensorTraceNorm((1, 5), alpha=0.2), tol=1e-9).fit(X, Y)
    W = model.coef_.T
    (first, *others) = model.penalty.resolve(8, range(5)).terms + model.penalty.resolve(8, range(5)).whole
    assert_allclose(first.value(W), others[1].value(W))
    assert_allclose(others[0].value(W), 0.2 * np.linalg.norm(W))


@pytest.mark.parametrize("kind", ["overlapped", "latent"])
def test_labels_and_their_order_make_no_difference(kind):
    X, Y, _ = drawn(1)
    alpha = 0.1 if kind == "overlapped" else 0.3
    plain = cm.MultiTaskRegressor(TensorTraceNorm(SHAPE, kind, alpha), tol=1e-8).fit(X, Y)
    names = {f"{p}{r}": (r, "abcde"[p]) for p in range(5) for r in range(5)}  # sorted by the second index
    rows, order = np.tile(np.arange(len(X)), 25), np.arange(25).reshape(5, 5).T.ravel()
    task = np.repeat(list(names), len(X))
    named = cm.MultiTaskRegressor(TensorTraceNorm(names, kind, alpha), tol=1e-8)
    named.fit(X[rows], Y[:, order].T.ravel(), task=task)
    assert_allclose(named.objective_, plain.objective_, rtol=1e-6)
    assert_allclose(named.coef_, plain.coef_[order], atol=1e-3)
    assert named.multilinear_rank_ == plain.multilinear_rank_
    if kind == "latent":
        assert_allclose(plain.features_ + plain.index_1_ + plain.index_2_, plain.coef_)
    said = " ".join(str(cm.explain_fit(named)).split())
    assert "few patterns along every index of the tasks" in said and "along the features" in said


@pytest.mark.parametrize("seed", range(3))
def test_low_multilinear_rank_is_recovered_better(seed):
    """Than by the trace norm, each with the strength that is best for it."""
    shape = (8, 8)
    X, Y, W = drawn(seed, shape=shape, noise=1.0)

    def error(penalty):
        path = cm.regularization_path(cm.MultiTaskRegressor(penalty), X, Y, alphas=15)
        return min(np.linalg.norm(coef.T - W) for coef in path.coefs)

    trace, overlapped, latent = map(error, (TraceNorm(), TensorTraceNorm(shape), TensorTraceNorm(shape, "latent")))
    assert overlapped < 0.95 * trace
    assert latent < trace


@pytest.mark.parametrize("kind", ["overlapped", "latent"])
def test_largest_strength(kind):
    X, Y, _ = drawn(2)
    penalty = TensorTraceNorm(SHAPE, kind)
    largest = cm.alpha_max(cm.MultiTaskRegressor(penalty), X, Y)
    assert not cm.MultiTaskRegressor(penalty.scaled(1.001 * largest), tol=1e-6).fit(X, Y).coef_.any()
    assert cm.MultiTaskRegressor(penalty.scaled(0.98 * largest), tol=1e-6).fit(X, Y).coef_.any()


@pytest.mark.parametrize(
    "shape, message",
    [
        ((2, 3), r"shape \(2, 3\) is one of 2 x 3 = 6 tasks, got 4: every combination of indices has to be one task"),
        ((4,), r"must be two or more numbers of values .*, got \(4,\)"),
        ((2.5, 2), r"must be two or more numbers of values .*, got \(2\.5, 2\)"),
        ("no", "must be two or more numbers of values .*, got 'no'"),
        (None, "needs the shape .* of the tasks, or a dict of task label -> indices, where labels are no tuples"),
        ({"north": (0, 0)}, "has no indices of the tasks 'east'|has no indices of the tasks east"),
        (dict.fromkeys(cases.TASK_NAMES.tolist(), (1,)), r"two or more indices for every task, .*, got \(1,\)"),
        (
            dict(zip(cases.TASK_NAMES.tolist(), [(0, 0), (0, 1), (1, 0), (1, 0)], strict=True)),
            r"one task for every combination of indices, 2 x 2 of them, and there is none of \(1, 1\)",
        ),
        (
            dict(zip(cases.TASK_NAMES.tolist(), [(0, 0), (0, 1), (0, 0), (0, 1)], strict=True)),
            "one task for every combination of indices, 1 x 2 of them, and got 4",
        ),
    ],
)
def test_shapes_that_make_no_sense(shape, message):
    X, y, options = cases.user_input("squared", "stacked")
    with pytest.raises(ValueError, match=message):
        cm.MultiTaskRegressor(TensorTraceNorm(shape)).fit(X, y, **options)


def test_kinds_and_new_tasks():
    X, Y, _ = drawn(0)
    with pytest.raises(ValueError, match=r"kind must be one of \['overlapped', 'latent'\], got 'both'"):
        cm.MultiTaskRegressor(TensorTraceNorm(SHAPE, "both")).fit(X, Y)
    model = cm.MultiTaskRegressor(TensorTraceNorm(SHAPE)).fit(X, Y)
    with pytest.raises(ValueError, match="which one task more does not leave complete: fit all tasks anew"):
        cm.fit_new_task(model, X, Y[:, 0], 99)
