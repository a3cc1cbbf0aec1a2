"""Couplings as operators, and the systems that they make, beside their matrices."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose

import convexmtl as cm
from convexmtl.coupling import Dense, Graph, Nested, share_in
from convexmtl.gram import Design, Semidefinite
from convexmtl.solvers import direct
from convexmtl.tasks import Tasks

T, D = 12, 4
ALL = np.zeros(T, dtype=int)
FINE, COARSE = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 3]), np.array([0] * 5 + [1] * 7)
ACROSS = np.arange(T) % 3  # not nested in the others


def graph(edges, ridge=0.0):
    s, t, omega, sign = np.array(edges, dtype=float).T
    return Graph(T, (s.astype(int), t.astype(int), omega, sign), ridge)


RNG = np.random.default_rng(0)
GRAPHS = {
    "chain": graph([(t, t + 1, 1 + t, 1) for t in range(T - 1)]),
    "chain with signs and a ridge": graph([(t, t + 1, 1 + t, (-1) ** t) for t in range(T - 1)], 0.1),
    "star and tasks alone": graph([(0, t, 2.0, 1) for t in range(1, T - 2)]),
    "all pairs": graph([(s, t, RNG.uniform(), RNG.choice([-1, 1])) for s in range(T) for t in range(s)]),
    "circle": graph([(t, (t + 1) % T, 1.0, 1) for t in range(T)], 1e-5),
    "signs that contradict each other": graph([(0, 1, 1.0, 1), (1, 2, 1.0, 1), (0, 2, 1.0, -1), (3, 4, 2.0, -1)]),
    "an edge in two": graph([(0, 1, 1.0, 1), (1, 0, 2.0, 1), (1, 2, 1.0, 1)], 0.5),
}
NESTED = {
    "none": Nested(T, [0.0]),
    "ridge": Nested(T, [2.0]),
    "mean": Nested(T, [2.0, 0.5], [ALL]),
    "clusters": Nested(T, [2.0, 1.0, 0.3], [FINE, ALL]),
    "three levels, one free": Nested(T, [2.0, 0.0, 1.0, 0.3], [FINE, COARSE, ALL]),
    "tasks free": Nested(T, [0.0, 1.0, 0.4], [FINE, ALL]),
    "mean free": Nested(T, [2.0, 1.0, 0.0], [FINE, ALL]),
    "values alike": Nested(T, [3.0, 3.0, 1.0], [FINE, ALL]),
    "groups of one": Nested(T, [5.0, 2.0, 1.0], [np.arange(T)[::-1].copy(), ALL]),
    "weak within": Nested(T, [1e-6, 1.0, 1e3], [FINE, ALL]),
    "strong within": Nested(T, [1e6, 1e-3, 1e3], [FINE, ALL]),
}
ANY = {"any": Dense(GRAPHS["all pairs"].matrix()), "any, the mean free": Dense(2 * (np.eye(T) - 1 / T))}
OPERATORS = {**NESTED, **GRAPHS, **ANY}
every_operator = pytest.mark.parametrize("name", OPERATORS)


def textbook(operator):
    """M from its definition."""
    if isinstance(operator, Nested):
        H = [np.eye(codes.max() + 1)[codes] for codes in operator.groups]
        A = [np.eye(T), *(h / h.sum(axis=0) @ h.T for h in H), np.zeros((T, T))]
        return sum(v * (a - b) for v, a, b in zip(operator.values, A, A[1:], strict=False))
    if isinstance(operator, Graph):
        M = operator.ridge * np.eye(T)
        for s, t, omega, sign in zip(*operator.edges, strict=True):
            e = np.eye(T)[s] - sign * np.eye(T)[t]
            M += omega * np.outer(e, e)
        return M
    return operator.M


def unpacked(operator):
    """M from what the kernels see."""
    indptr, indices, data, groups, shares = operator.packed
    M = np.diag(operator.diagonal).astype(float)
    for s in range(len(indptr) - 1):
        for k in range(indptr[s], indptr[s + 1]):
            M[s, indices[k]] += data[k]
    for codes in groups:
        M += np.where(codes[:, None] == codes, shares[codes], 0) * (1 - np.eye(T))
    return M


@every_operator
def test_is_its_matrix(name):
    operator = OPERATORS[name]
    M, W = textbook(operator), np.random.default_rng(1).normal(size=(D, T))
    top = max(np.linalg.norm(M, 2), 1e-300)
    assert_allclose(operator.apply(W), W @ M, atol=1e-13 * top)
    assert_allclose(operator.matrix(), M, atol=1e-14 * top)
    assert_allclose(operator.value(W), np.sum((W @ M) * W), rtol=1e-12)
    assert_allclose(operator.diagonal, np.diag(M), rtol=1e-12, atol=1e-14 * top)
    assert_allclose(operator.row_sums, np.abs(M).sum(axis=1), rtol=1e-12)
    assert_allclose(unpacked(operator), M, atol=1e-14 * top)
    assert_allclose(operator.scaled(3.0).matrix(), 3 * M, atol=1e-13 * top)
    assert_allclose(operator.shifted(0.7).matrix(), M + 0.7 * np.eye(T), atol=1e-14 * top)


def basis_of_free(operator):
    """(T, k) an orthonormal basis of what it leaves free."""
    share = share_in(operator.free, np.eye(T))
    return np.linalg.eigh(share)[1][:, T - operator.free.shape[1] :]


@every_operator
def test_spectrum(name):
    operator = OPERATORS[name]
    M = textbook(operator)
    values = np.linalg.eigvalsh(M)
    cut = 1e-12 * max(values[-1], 1e-300)
    free = basis_of_free(operator)
    assert free.shape[1] == np.sum(values <= cut)
    assert_allclose(free.T @ free, np.eye(free.shape[1]), atol=1e-12)
    assert_allclose(operator.apply(free.T), 0, atol=1e-15)
    assert operator.top >= values[-1] * (1 - 1e-12)
    assert operator.smallest == pytest.approx(values[values > cut].min(initial=np.inf), rel=1e-6)
    assert (operator.lowest > 0) == (not free.shape[1])
    assert operator.is_zero == (not M.any())
    assert operator.is_diagonal == (not np.any(M - M[0, 0] * np.eye(T)))


@every_operator
def test_conjugate_is_the_largest_difference(name):
    """At the maximiser of <W, Z> - tr(W M W') it equals the quadratic; and it is nowhere below that difference."""
    operator, rng = OPERATORS[name], np.random.default_rng(2)
    M = textbook(operator)
    W = rng.normal(size=(D, T))
    Z = 2 * W @ M
    assert_allclose(operator.conjugate(Z), np.sum((W @ M) * W), rtol=1e-9)
    for _ in range(10):
        other = W + rng.normal(size=W.shape) * 10 ** rng.uniform(-3, 3)
        assert np.sum(other * Z) - np.sum((other @ M) * other) <= operator.conjugate(Z) * (1 + 1e-9)


def test_a_graph_does_not_see_tasks_that_are_alike():
    W = np.repeat(RNG.normal(size=(D, 1)) * 1e8, T, axis=1)
    assert not GRAPHS["chain"].apply(W).any() and GRAPHS["chain"].value(W) == 0


@every_operator
def test_what_is_free_is_not_pulled(name):
    """Not even by the rounding of a large share in it, beside which that of a feature in small units is large."""
    operator, rng = OPERATORS[name], np.random.default_rng(1)
    free = basis_of_free(operator)
    W = rng.normal(size=(D, T)) + 1e8 * rng.normal(size=(D, free.shape[1])) @ free.T
    WM = operator.apply(W)
    assert_allclose(WM @ free, 0, atol=1e-14 * np.abs(WM).max())
    assert_allclose(operator.value(W), operator.value(W - W @ free @ free.T), rtol=1e-6)


def test_what_is_nearly_free_is_hardly_pulled():
    W = 1e8 + np.random.default_rng(1).normal(size=(D, T))
    for groups in ([ALL], [FINE, ALL], [FINE, COARSE, ALL]):
        pull = Nested(T, [*range(1, len(groups) + 1), 1e-12], groups).apply(W)
        assert_allclose(pull.sum(axis=1), 1e-12 * W.sum(axis=1), rtol=1e-9)


@every_operator
@pytest.mark.parametrize("other", OPERATORS)
def test_sums(name, other):
    total = OPERATORS[name] + OPERATORS[other]
    M = textbook(OPERATORS[name]) + textbook(OPERATORS[other])
    assert_allclose(total.matrix(), M, atol=1e-13 * max(np.abs(M).max(), 1e-300))


def test_sums_keep_their_form():
    assert isinstance(NESTED["mean"] + NESTED["clusters"], Nested)
    assert isinstance(NESTED["ridge"] + GRAPHS["chain"], Graph) and isinstance(GRAPHS["chain"] + NESTED["ridge"], Graph)
    assert isinstance(NESTED["mean"] + Nested(T, [1.0, 2.0], [ACROSS]), Nested)
    across = Nested(T, [1.0, 2.0, 0.5], [ACROSS, ALL])
    assert_allclose((NESTED["clusters"] + across).matrix(), textbook(NESTED["clusters"]) + textbook(across))


# ---------------------------------------------------------------------------------------- systems


def whole(G, M):
    """The matrix of all unknowns, tasks one after the other."""
    H = 2 * np.kron(M, np.eye(D))
    for t in range(T):
        H[t * D : (t + 1) * D, t * D : (t + 1) * D] += G[t]
    return H


def residual(G, operator, W, R):
    """Largest entry of what is left of R, in units of what cancels in it."""
    M = textbook(operator)
    GW = np.einsum("tij,jt->it", G, W)
    size = np.einsum("tij,jt->it", np.abs(G), np.abs(W)) + 2 * np.abs(W) @ np.abs(M) + np.abs(R)
    return np.max(np.abs(GW + 2 * W @ M - R) / size)


def grams():
    A = np.random.default_rng(3).normal(size=(T, 10, D)) * np.array([1.0, 1e-2, 10.0, 1.0])
    return np.einsum("tni,tnj->tij", A, A)


@every_operator
def test_system_of_own_matrices(name, monkeypatch):
    monkeypatch.setattr(direct, "LARGEST", 0)
    G, operator = grams(), OPERATORS[name]
    R = np.asfortranarray(np.random.default_rng(4).normal(size=(D, T)))
    system = direct.task_system(G, operator)
    before = R.copy()
    assert residual(G, operator, system(R), R) <= 1e-12
    assert np.array_equal(R, before)
    if name in NESTED or name in (
        "chain",
        "chain with signs and a ridge",
        "star and tasks alone",
        "an edge in two",
    ):
        # Elimination alone is the solution.
        expected = np.linalg.solve(whole(G, textbook(operator)), R.T.ravel()).reshape(T, D).T
        assert_allclose(system.precondition(R), expected, atol=1e-6 * np.abs(expected).max())


@every_operator
@pytest.mark.parametrize("even", [True, False])
def test_system_of_a_common_matrix(name, even):
    G, operator, rng = grams()[0], OPERATORS[name], np.random.default_rng(4)
    R, shares = rng.normal(size=(D, T)), np.ones(T) if even else rng.uniform(0.5, 2, T)
    design = type("Design", (), {"common": Semidefinite(G), "shares": shares})()
    for few in (direct.FEW, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(direct, "FEW", few)
            W = direct.flat_system(design, np.ones(T), operator)(R)
        assert residual(shares[:, None, None] * G, operator, W, R) <= 1e-9


@every_operator
def test_system_in_the_span_of_few_samples(name):
    """Samples of unequal numbers and weights, one of which is 0, beside the Gram matrices that they make."""
    rng, operator, d = np.random.default_rng(6), OPERATORS[name], 30
    task = np.repeat(np.arange(T), rng.integers(1, 5, T))
    weight = rng.uniform(0.5, 2, len(task))
    weight[3] = 0.0
    tasks = Tasks.stacked(rng.normal(size=(len(task), d)), rng.normal(size=len(task)), task, T, weight)
    R, scale = rng.normal(size=(d, T)), rng.uniform(0.5, 2, T)
    for centred in (True, False):
        design = Design(tasks, centred)
        if operator.lowest <= 0:
            assert not direct.in_span(design, operator)
            continue
        assert direct.in_span(design, operator)
        assert not direct.in_span(design, operator.scaled(1e-12))
        system = direct.flat_system(design, scale, operator)
        assert isinstance(system, direct.Span)
        assert residual(design.matrices * scale[:, None, None], operator, system(R), R) <= 1e-12
        path = direct.Span(design, scale, operator, many=True)
        for one, factor in product((system, path), (0.01, 100.0)):
            W = one.times(factor)(R)
            assert residual(design.matrices * scale[:, None, None], operator.scaled(factor), W, R) <= 1e-12


def test_many_features_of_stacked_tasks_take_no_matrices_of_features(monkeypatch):
    rng = np.random.default_rng(7)
    X, task = rng.normal(size=(40, 60)), np.repeat(np.arange(5), 8)
    y = X[:, :3].sum(axis=1) + 0.1 * rng.normal(size=40)
    penalty, alphas = cm.MeanCoupling(0.5, 1.0), [1.0, 0.3, 0.1, 0.03]
    monkeypatch.setattr(Tasks, "gram", None)
    path = cm.regularization_path(cm.MultiTaskRegressor(penalty, fit_intercept=False), X, y, task=task, alphas=alphas)
    for alpha, coef in zip(alphas, path.coefs, strict=True):
        # Kernel ridge regression with the kernel x'x (M^-1)_st / 2.
        inverse = np.linalg.inv(penalty.scaled(2 * alpha).matrix(5)) / 2
        dual = np.linalg.solve((X @ X.T) * inverse[np.ix_(task, task)] + 8 * np.eye(40), y)
        expected = inverse[:, task] @ (dual[:, None] * X)
        assert_allclose(coef, expected, atol=1e-10 * np.abs(expected).max())


@pytest.mark.parametrize("unit", [1.0, 1e3, 1e6])
def test_a_coupling_far_from_its_matrices_loses_none_of_their_digits(unit):
    """Strong and weak by many orders, and features in any unit: what elimination keeps is never a difference of large
    numbers."""
    units = np.array([1.0, unit, 1.0, 1 / unit])
    G = grams() * np.outer(units, units)
    R = np.asfortranarray(np.random.default_rng(4).normal(size=(D, T)))
    for strength in 10.0 ** np.arange(-8, 9, 4):
        clusters = Nested(T, [strength, 1e-3, 0.0], [FINE, ALL])
        for operator in (GRAPHS["chain"].scaled(strength).shifted(1e-3), Nested(T, [strength, 1e-3], [ALL]), clusters):
            system = direct.task_system(G, operator)
            assert residual(G, operator, system.precondition(R), R) <= (1e-12 if unit == 1 else 1e-9)
            assert residual(G, operator, system(R), R) <= 1e-12


@pytest.mark.parametrize(
    "loss, rows", [*product(["squared", "huber"], [30, 3, None]), *product(["logistic", "poisson"], [30, None])]
)
@pytest.mark.parametrize("clusters", [ALL, FINE])
def test_free_deviations_are_certified_without_a_basis_of_them(loss, rows, clusters):
    """As by the matrix, whose null space has one; rows=None is one X for all tasks."""
    rng = np.random.default_rng(5)
    n = rows or 40
    X = rng.normal(size=(n if rows is None else n * T, D)) * [1.0, 1e3, 1e-3, 1.0]
    task = None if rows is None else np.repeat(np.arange(T), n)
    y = X[:, :1] + rng.normal(size=(n, T)) if rows is None else X[:, 0] + rng.normal(size=n * T)
    y = {"logistic": np.sign(y), "poisson": np.round(np.exp(np.clip(y, None, 3)))}.get(loss, y)
    penalty = cm.ClusterCoupling(clusters, alpha_mean=0.2, alpha_between=0.1, alpha_within=0.0)
    estimator = cm.MultiTaskClassifier if loss == "logistic" else cm.MultiTaskRegressor
    few = estimator(penalty, loss=loss, tol=1e-7).fit(X, y, task=task)
    whole = estimator(cm.TaskCoupling(penalty.matrix(T)), loss=loss, tol=1e-7).fit(X, y, task=task)
    # (What did not converge would have warned.)
    gaps = few.dual_gap_ + whole.dual_gap_
    assert gaps <= 1e-7 * (few._summary.gain + whole._summary.gain)
    assert abs(few.objective_ - whole.objective_) <= gaps + 1e-12 * abs(whole.objective_)


@pytest.mark.parametrize("unit", [1.0, 1e2, 1e3])
@pytest.mark.parametrize("name", ["chain", "mean free", "any, the mean free", "tasks free"])
def test_a_system_as_a_whole_loses_nothing_of_what_is_free(name, unit):
    """Summed over the tasks, the coupling drops out, however strong it is."""
    units = np.array([1.0, unit, 1.0, 1 / unit])
    G, operator = grams() * np.outer(units, units), OPERATORS[name]
    R = np.random.default_rng(4).normal(size=(D, T)) * units[:, None]
    free = basis_of_free(operator)
    for strength in 10.0 ** np.arange(-8, 9, 4):
        W = direct.Whole(G, operator.scaled(strength))(R)
        left = (np.einsum("tij,jt->it", G, W) - R) @ free
        size = np.einsum("tij,jt->it", np.abs(G), np.abs(W)) + np.abs(R)
        assert np.max(np.abs(left) / size.max(axis=1, keepdims=True)) <= 1e-7
