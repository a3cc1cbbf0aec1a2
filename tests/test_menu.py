"""The models beyond the first five families: how structures are handed over, and what is read off the fits."""

from itertools import pairwise

import cvxpy as cp
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from cases import law
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.cluster.hierarchy import linkage
from scipy.optimize import lsq_linear
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.isotonic import isotonic_regression

import convexmtl as cm
from convexmtl import datasets, reference
from convexmtl.penalties import (
    GraphGuided,
    GraphLaplacian,
    LearnedClusters,
    Parts,
    SharedStructure,
    Temporal,
    TreeGuided,
)
from convexmtl.penalties._reading import read_graph

TIGHT = {"tol": 1e-10}
NAMES = np.array(["d", "a", "c", "b"])  # of the tasks, not in the order of their labels


def named():
    """X, y and labels of four tasks, and the same with positions in place of labels."""
    X, y, task, *_ = datasets.make_clustered(n_tasks=4, n_samples=20, n_features=6, random_state=0)
    return X, y, NAMES[task], task


def same(one, other, atol=1e-6):
    assert_allclose(one.objective_, other.objective_, rtol=1e-8)
    assert_allclose(one.coef_, other.coef_, atol=atol)


# ------------------------------------------------------------------------- graphs, trees and orders


def adjacency(T, edges):
    A = np.zeros((T, T))
    for s, t, omega, sign in edges:
        A[s, t] = A[t, s] = omega * sign
    return A


EDGES = [(0, 1, 1.0, 1), (1, 2, 0.5, -1), (0, 3, 2.0, 1)]
WEIGHTS = adjacency(4, EDGES)
GRAPHS = {
    "labels": [("a", "b", 1.0, 1), ("b", "c", 0.5, -1), ("a", "d", 2.0)],
    "labels of numpy": [tuple(np.array(["a", "b"])), ("b", "c", 0.5, -1), (np.str_("a"), "d", 2.0)],
    "matrix": WEIGHTS,
    "sparse matrix": csr_array(WEIGHTS),
    "array of edges": np.array([[s, t, omega, sign] for s, t, omega, sign in EDGES]).astype(object),
    "networkx by position": nx.from_numpy_array(WEIGHTS),
    "networkx by label": nx.relabel_nodes(nx.from_numpy_array(WEIGHTS), dict(enumerate("abcd"))),
}


@pytest.mark.parametrize("norm", ["l1", "l2"])
@pytest.mark.parametrize("graph", GRAPHS)
def test_graphs_in_every_form(graph, norm):
    X, y, label, _ = named()
    expected = cm.GraphGuidedRegressor(EDGES, 0.2, norm, 0.02, **TIGHT).fit(X, y, task=label)
    assert_array_equal(expected.tasks_, list("abcd"))
    same(cm.GraphGuidedRegressor(GRAPHS[graph], 0.2, norm, 0.02, **TIGHT).fit(X, y, task=label), expected)


LAPLACIAN = np.array([[1.0, -1, 0, 0], [-1, 2, -1, 0], [0, -1, 2, -1], [0, 0, -1, 1]])
# (graph, number of tasks, what is said of it)
MISREAD = {
    "array of fewer tasks": (1 - np.eye(3), 4, r"shape \(4, 4\).*tuples.* Got .*\(3, 3\) for 4 tasks"),
    "list of fewer tasks": ((1 - np.eye(3)).tolist(), 4, r"shape \(4, 4\).*tuples.*\(3, 3\) for 4 tasks"),
    "pair of lists": ([[0, 1], [1, 0]], 4, r"shape \(4, 4\).*tuples.*\(2, 2\) for 4 tasks"),
    "array of more tasks": (1 - np.eye(6), 4, r"shape \(4, 4\).*tuples.*\(6, 6\) for 4 tasks"),
    "list of more tasks": ((1 - np.eye(6)).tolist(), 4, r"shape \(4, 4\).*tuples.*\(6, 6\) for 4 tasks"),
    "vector": (np.arange(4.0), 4, r"shape \(4, 4\).*tuples.*\(4,\) for 4 tasks"),
    "array of edges like a matrix": (np.array([[0, 1, 1], [1, 2, 1], [0, 2, 2]]), 3, "symmetric.*edges are a list"),
    "2 tasks": ([[0, 1], [1, 0]], 2, "could be a matrix of weights or a list of edges.*numpy.array"),
    "3 tasks": ([[0, 1, 2], [1, 2, 0], [2, 0, 1]], 3, "could be a matrix of weights or a list of edges"),
    "Laplacian": (LAPLACIAN, 4, "Laplacian of a graph.*TaskCoupling"),
    "Laplacian as a list": (LAPLACIAN.tolist(), 4, "Laplacian of a graph.*TaskCoupling"),
    "Laplacian that is sparse": (csr_array(LAPLACIAN), 4, "Laplacian of a graph.*TaskCoupling"),
    "Laplacian as a frame": (pd.DataFrame(LAPLACIAN), 4, "Laplacian of a graph.*TaskCoupling"),
}


@pytest.mark.parametrize("name", MISREAD)
@pytest.mark.parametrize("cls", [GraphGuided, GraphLaplacian])
def test_tables_that_are_no_graph_of_these_tasks(cls, name):
    table, n_tasks, words = MISREAD[name]
    with pytest.raises(ValueError, match=words):
        cls(table).resolve(3, np.arange(n_tasks))


FULL = [(0, 1, 0.5, 1), (1, 2, 0.5, 1), (0, 2, 1.0, 1)]
READ = {
    "list of five": (adjacency(5, EDGES).tolist(), 5, EDGES),
    "list of four": (WEIGHTS.tolist(), 4, EDGES),
    "list of three": (adjacency(3, EDGES[:2]).tolist(), 3, EDGES[:2]),
    "correlations": (adjacency(4, EDGES) + np.eye(4), 4, EDGES),
    "list of correlations": ((adjacency(4, EDGES) + np.eye(4)).tolist(), 4, EDGES),
    "as many edges as tasks": ([edge[:3] for edge in FULL], 3, FULL),
    "as many with signs": ([*EDGES, (1, 3, 1, 1)], 4, [*EDGES, (1, 3, 1, 1)]),
    "a chain like a matrix": ([(0, 1), (1, 2)], 4, [(0, 1, 1.0, 1), (1, 2, 1.0, 1)]),
    "array of pairs": (np.array([[0, 1], [1, 2], [0, 3]]), 4, [(0, 1, 1.0, 1), (1, 2, 1.0, 1), (0, 3, 1.0, 1)]),
    "no edges": ([], 4, []),
}


@pytest.mark.parametrize("name", READ)
def test_tables_that_are_graphs(name):
    table, n_tasks, edges = READ[name]
    graph = GraphLaplacian(table).bind(np.arange(n_tasks)).edges
    assert sorted(graph) == sorted((s, t, float(omega), float(sign)) for s, t, omega, sign in edges)


def test_a_linkage_matrix_as_a_list():
    Z = linkage(np.array([[0.0], [1.0], [4.0], [10.0]]), "single")
    assert TreeGuided(Z.tolist()).bind(np.arange(4)).tree == TreeGuided(Z).bind(np.arange(4)).tree
    with pytest.raises(ValueError, match="a linkage matrix of 5 tasks has 4 rows, got 3"):
        TreeGuided(Z.tolist()).resolve(2, np.arange(5))
    for table in (1 - np.eye(5), (1 - np.eye(5)).tolist(), np.ones((3, 2))):
        with pytest.raises(ValueError, match=r"tree must be a list of \(members, omega\) pairs, a linkage matrix"):
            TreeGuided(table).resolve(2, np.arange(5))


def tree_of_networkx(by=str):
    """((a, b), c), d with weights at the inner nodes."""
    tree = nx.DiGraph()
    a, b, c, d = ("a", "b", "c", "d") if by is str else range(4)
    tree.add_edges_from([("root", "low"), ("root", d), ("low", "lowest"), ("low", c), ("lowest", a), ("lowest", b)])
    nx.set_node_attributes(tree, {"root": 0.3, "low": 0.5, "lowest": 0.7}, "omega")
    return tree


GROUPS = [([0, 1, 2, 3], 0.3), ([0, 1, 2], 0.5), ([0, 1], 0.7), *(([t], 1.0) for t in range(4))]
TREES = {
    "labels": [(["abcd"[t] for t in members], omega) for members, omega in GROUPS],
    "sets, in another order": [(set(members), omega) for members, omega in GROUPS[::-1]],
    "networkx by label": tree_of_networkx(),
    "networkx by position": tree_of_networkx(int),
}


@pytest.mark.parametrize("tree", TREES)
def test_trees_in_every_form(tree):
    X, y, label, _ = named()
    expected = cm.TreeGuidedRegressor(GROUPS, 0.1, **TIGHT).fit(X, y, task=label)
    same(cm.TreeGuidedRegressor(TREES[tree], 0.1, **TIGHT).fit(X, y, task=label), expected)


def test_a_linkage_matrix_has_the_weights_of_kim_and_xing():
    X, y, label, _ = named()
    Z = linkage(np.array([[0.0], [1.0], [4.0], [10.0]]), "single")  # heights 1, 3, 6
    low, middle = 1 / 6, 3 / 6
    groups = [([0, 1, 2], 1 - middle), ([0, 1], middle * (1 - low))]
    groups += [([0], middle * low), ([1], middle * low), ([2], middle), ([3], 1.0)]
    same(
        cm.TreeGuidedRegressor(Z, 0.1, **TIGHT).fit(X, y, task=label),
        cm.TreeGuidedRegressor(groups, 0.1, **TIGHT).fit(X, y, task=label),
    )


def test_order_by_label_and_by_position():
    X, y, label, _ = named()
    by_label = cm.TemporalRegressor(0.1, order=["b", "d", "a", "c"], **TIGHT).fit(X, y, task=label)
    same(cm.TemporalRegressor(0.1, order=(1, 3, 0, 2), **TIGHT).fit(X, y, task=label), by_label)
    # The same tasks, called so that their labels are in the order of time.
    renamed = np.array([{"b": 0, "d": 1, "a": 2, "c": 3}[name] for name in label])
    again = cm.TemporalRegressor(0.1, **TIGHT).fit(X, y, task=renamed)
    assert_allclose(again.coef_[[2, 0, 3, 1]], by_label.coef_, atol=1e-6)


@pytest.mark.parametrize(
    "estimator",
    [
        cm.GraphGuidedRegressor([(1, 2), (2, 3)], 0.2, alpha_sparse=0.02),
        cm.GraphGuidedRegressor([(2, 3)], 0.2, "l2"),
        cm.TreeGuidedRegressor([([2, 3], 1.0), ([1], 1.0), ([4], 1.0)], 0.1),
        cm.TemporalRegressor(0.1, order=[2, 1, 4, 3]),
        cm.MultiTaskRegressor(GraphLaplacian([(2, 3)], 0.2)),
    ],
    ids=lambda e: type(e).__name__,
)
def test_labels_that_could_be_positions_stay_labels(estimator):
    """Tasks 1 to 4: edge (2, 3) is between the second and the third, in a fit, on a path and in a search."""
    X, y, _, code = named()
    estimator = clone(estimator).set_params(**TIGHT)
    numbered, lettered = code + 1, np.array(list("abcd"))[code]

    fitted = estimator.fit(X, y, task=numbered)
    path = cm.regularization_path(estimator, X, y, task=numbered, alphas=3)
    name = {"GraphGuidedRegressor": "graph", "TreeGuidedRegressor": "tree", "TemporalRegressor": "order"}
    positions = clone(estimator)
    letters = dict(zip(range(1, 5), "abcd", strict=True))
    if (argument := name.get(type(estimator).__name__)) is None:
        positions.set_params(penalty=GraphLaplacian([("b", "c")], 0.2))
    else:
        given = getattr(estimator, argument)
        if argument == "order":
            given = [letters[t] for t in given]
        elif argument == "graph":
            given = [(letters[s], letters[t]) for s, t in given]
        else:
            given = [([letters[t] for t in members], omega) for members, omega in given]
        positions.set_params(**{argument: given})
    same(positions.fit(X, y, task=lettered), fitted)
    again = cm.regularization_path(positions, X, y, task=lettered, alphas=path.alphas)
    assert_allclose(again.coefs, path.coefs, atol=1e-5)


def test_labels_that_could_be_positions_in_a_search():
    X, y, _, code = named()
    search = cm.GraphGuidedRegressorCV(graph=[(2, 3)], alphas=4, cv=3, ratios=[1.0], tol=1e-8)
    numbered = clone(search).fit(X, y, task=code + 1)
    lettered = search.set_params(graph=[("b", "c")]).fit(X, y, task=np.array(list("abcd"))[code])
    assert_allclose(numbered.mse_path_, lettered.mse_path_, rtol=1e-4)


def test_structures_from_the_targets():
    """The helpers' graph and tree name the columns of a frame, and go into the estimators as they are."""
    X, Y, _, edges = datasets.make_graph_guided(n_samples=200, n_tasks=8, layout="shared", random_state=0)
    Y = pd.DataFrame(Y, columns=[f"gene{t}" for t in range(8)])
    graph = cm.structures.correlation_graph(Y, threshold=0.5)
    assert graph and all(isinstance(s, str) and isinstance(t, str) for s, t, *_ in graph)
    found = {(int(s[4:]), int(t[4:]), int(sign)) for s, t, _, sign in graph}
    assert {(s, t, int(sign)) for s, t, _, sign in edges} <= found
    fitted = cm.GraphGuidedRegressor(graph, 0.1, alpha_sparse=0.05).fit(X, Y)
    assert_array_equal(fitted.tasks_, Y.columns)
    tree = cm.structures.correlation_tree(Y)
    assert cm.TreeGuidedRegressor(tree, 0.1).fit(X, Y).coef_.shape == (8, 50)


CHAIN = [(0, 1), (1, 2), (2, 3)]
SHARED = {
    "two graphs": [GraphGuided(CHAIN, 0.1), GraphGuided([(0, 2), (1, 3), (0, 3)], 0.2)],
    "time and graph": [Temporal(0.1), GraphGuided([*CHAIN, (0, 3, 2.0)], 0.05)],
    "time and clusters": [Temporal(0.1), LearnedClusters(2, 0.0, 0.1, 1.0)],
    "pieces": [GraphGuided([(0, 1), (2, 3)], 0.1), GraphGuided([(0, 1, 1.0, -1), (2, 3)], 0.1)],
    "tree and graph": [TreeGuided([([0, 1], 1.0)], 0.1), GraphGuided([(0, 1)], 0.1)],
    "three": [GraphGuided(CHAIN, 0.1), Temporal(0.2), GraphGuided(None, 0.1)],
}


@pytest.mark.parametrize("parts", SHARED)
def test_parts_that_leave_the_same_directions_free(parts):
    """The gap sees that they are the same, and the fit is cvxpy's."""
    X, y, _, code = named()
    penalty = Parts([(f"part{k}", part) for k, part in enumerate(SHARED[parts])])
    fitted = cm.MultiTaskRegressor(penalty, tol=1e-7, max_iter=500).fit(X, y, task=code)
    assert fitted.dual_gap_ <= 1e-7 * np.var(y) * 4
    asked = reference.fit(fitted, X, y, task=code)
    assert abs(fitted.objective_ - asked.objective) <= 1e-6 * np.var(y)


# ------------------------------------------------------------------------------ exact structure


def test_coefficients_along_edges_are_exactly_equal():
    X, y, task, _, edges = datasets.make_graph_guided(n_samples=15, random_state=0)
    coef = cm.GraphGuidedRegressor(edges, 0.3, alpha_sparse=0.1).fit(X, y, task=task).coef_
    along = np.array([coef[s] == sign * coef[t] for s, t, _, sign in edges])
    assert along.mean() > 0.9 and np.any(coef) and np.mean(coef == 0) > 0.5


def test_coefficients_in_time_are_exactly_constant_but_for_jumps():
    X, y, task, _ = datasets.make_temporal(n_samples=15, random_state=0)
    coef = cm.TemporalRegressor(0.6, alpha_group=0.3).fit(X, y, task=task).coef_
    jumps = np.diff(coef, axis=0) != 0
    assert np.any(coef) and jumps[:, coef.any(axis=0)].mean() < 0.25
    assert np.mean(~coef.any(axis=0)) > 0.5


def test_branches_are_exactly_zero():
    X, y, task, _, tree = datasets.make_tree_guided(n_samples=20, random_state=0)
    coef = cm.TreeGuidedRegressor(tree, 0.4).fit(X, y, task=task).coef_
    pairs = [members for members, _ in tree if len(members) == 2]
    alike = np.array([np.all((coef[pair] == 0) == (coef[pair[0]] == 0), axis=0) for pair in pairs])
    assert np.any(coef) and alike.mean() > 0.8


# --------------------------------------------------------------------------- what is read off


@pytest.mark.parametrize(
    "estimator, structure",
    [(cm.RobustLowRankRegressor(0.6, 0.5), "low_rank"), (cm.RobustFeatureRegressor(0.35, 0.6), "block_sparse")],
)
def test_outlier_tasks_are_flagged_by_their_labels(estimator, structure):
    X, y, task, _, outliers = datasets.make_outlier_tasks(
        n_samples=100, n_features=20, structure=structure, random_state=0
    )
    labels = np.array([f"task{t:02d}" for t in range(20)])
    fitted = estimator.set_params(tol=1e-6).fit(X, y, task=labels[task])
    assert_array_equal(fitted.outlier_tasks_, labels[outliers])
    assert_array_equal(fitted.outlier_.any(axis=1), np.isin(labels, labels[outliers]))
    shared = fitted.low_rank_ if structure == "low_rank" else fitted.shared_
    assert_allclose(shared + fitted.outlier_, fitted.coef_, atol=1e-12)


def test_no_outlier_task():
    X, y, _, task = named()
    fitted = cm.RobustLowRankRegressor(0.1, 10.0).fit(X, y, task=task)
    assert fitted.outlier_tasks_.shape == (0,) and not fitted.outlier_.any()


@pytest.mark.parametrize("cls", [cm.RobustLowRankRegressor, cm.RobustFeatureRegressor, cm.SparseLowRankRegressor])
def test_a_part_that_is_not_penalised_takes_all(cls):
    X, y, _, task = named()
    free, other = (name for name in cls().get_params() if name.startswith("alpha"))
    fitted = cls(**{free: 0.0, other: 1.0}, tol=1e-10).fit(X, y, task=task)
    parts = [getattr(fitted, name) for name in ("low_rank_", "shared_", "sparse_", "outlier_") if hasattr(fitted, name)]
    sizes = sorted(np.abs(part).max() for part in parts)
    assert sizes[0] == 0 and sizes[1] == np.abs(fitted.coef_).max()


def test_task_covariance_and_correlation():
    X, y, task, W, Sigma = datasets.make_task_relationships(n_samples=200, random_state=0)
    fitted = cm.TaskRelationshipRegressor(0.01, **TIGHT).fit(X, y, task=task)
    covariance, correlation, W = fitted.task_covariance_, fitted.task_correlation_, fitted.coef_.T
    assert_allclose(np.trace(covariance), 1)
    assert_allclose(np.diag(correlation), 1)
    assert np.abs(correlation).max() <= 1
    scale = np.sqrt(np.diag(covariance))
    assert_allclose(correlation * np.outer(scale, scale), covariance, atol=1e-12)
    # It attains the minimum.
    assert_allclose(np.trace(W @ np.linalg.inv(covariance) @ W.T), np.linalg.norm(W, "nuc") ** 2)
    true = Sigma / np.sqrt(np.outer(np.diag(Sigma), np.diag(Sigma)))
    strong = np.abs(true) > 0.5
    assert np.all(np.sign(correlation[strong]) == np.sign(true[strong]))


def test_a_task_without_coefficients_goes_with_no_other():
    X, y, _, task = named()
    y = np.where(task == 2, 1.0, y)
    fitted = cm.TaskRelationshipRegressor(0.1).fit(X, y, task=task)
    assert not fitted.coef_[2].any()
    assert_array_equal(fitted.task_correlation_[2], np.eye(4)[2])
    zero = cm.TaskRelationshipRegressor(1e6).fit(X, np.zeros_like(y), task=task)
    assert_allclose(zero.task_covariance_, np.eye(4) / 4)
    assert_allclose(zero.task_correlation_, np.eye(4))


def test_feature_covariance_attains_the_minimum():
    X, y, task, W = datasets.make_low_rank(n_features=6, n_samples=50, random_state=0)
    fitted = cm.SharedFeatureRegressor(0.01).fit(X, y, task=task)
    D, W = fitted.feature_covariance_, fitted.coef_.T
    assert_allclose(np.trace(D), 1)
    inverse = np.linalg.pinv(D, rcond=1e-10)
    assert_allclose(np.trace(W.T @ inverse @ W), np.linalg.norm(W, "nuc") ** 2, rtol=1e-6)
    zero = cm.SharedFeatureRegressor(0.1).fit(X, np.zeros_like(y), task=task)
    assert_allclose(zero.feature_covariance_, np.eye(6) / 6)


@pytest.mark.parametrize("k", [0, 1, 3, 6, 12, 30])
def test_components(k):
    """Orthonormal, and what the penalty charges least for: T = 10 tasks, of which three are independent."""
    X, y, task, W = datasets.make_low_rank(n_features=30, n_samples=60, rank=3, noise=0.1, random_state=0)
    fitted = cm.SharedStructureRegressor(1e-4, eta=0.01, n_components=k, tol=1e-7).fit(X, y, task=task)
    C = fitted.components_
    assert C.shape == (k, 30)
    assert_allclose(C @ C.T, np.eye(k), atol=1e-10)
    if k:
        largest = np.abs(C).argmax(axis=1)
        assert np.all(C[np.arange(k), largest] > 0)
    left = np.linalg.norm(W - C.T @ (C @ W)) / np.linalg.norm(W)
    assert left < 0.05 if k >= 3 else left > 0.3


def test_shared_structure_is_attained_by_its_components():
    rng = np.random.default_rng(0)
    W, eta, k = rng.standard_normal((8, 5)), 0.3, 2
    W[:, 2:] *= 1e-3
    C = SharedStructure(1.0, eta, k).report((W,), np.arange(5))["components_"]
    M = C.T @ C
    value = eta * (1 + eta) * np.trace(W.T @ np.linalg.solve(eta * np.eye(8) + M, W))
    assert_allclose(SharedStructure(1.0, eta, k).value(W), value, rtol=1e-3)


# ---------------------------------------------------------------- the proxes, by other algorithms


def random_graph(rng, T, E):
    ends = np.array([rng.choice(T, 2, replace=False) for _ in range(E)])
    return [(int(s), int(t), float(rng.uniform(0.1, 2)), int(rng.choice([-1, 1]))) for s, t in ends]


@law(max_examples=40)
@given(seed=st.integers(0, 10_000), T=st.integers(2, 25), sparse=st.sampled_from([0.0, 0.2]), unequal=st.booleans())
def test_prox_on_a_graph_leaves_a_subgradient(seed, T, sparse, unequal):
    """(v - x) / step = sum_e u_e (e_s - sign e_t) + u_tasks, found by another bounded least squares solver."""
    rng = np.random.default_rng(seed)
    penalty = GraphGuided(random_graph(rng, T, rng.integers(1, 3 * T)), 0.4, alpha_sparse=sparse)
    step = rng.uniform(0.1, 3, T) if unequal else np.full(T, 0.7)
    v = 2 * rng.standard_normal(T)
    x = penalty.prox(v[None], step)[0]
    columns, low, high = [], [], []
    for s, t, omega, sign in penalty.graph:
        difference = x[s] - sign * x[t]
        columns.append(np.eye(T)[s] - sign * np.eye(T)[t])
        low.append(0.4 * omega if difference > 1e-13 else -0.4 * omega)
        high.append(-0.4 * omega if difference < -1e-13 else 0.4 * omega)
    for t in range(T if sparse else 0):
        columns.append(np.eye(T)[t])
        low.append(sparse if x[t] > 0 else -sparse)
        high.append(-sparse if x[t] < 0 else sparse)
    low, high = np.array(low) - 1e-13, np.array(high) + 1e-13
    found = lsq_linear(np.array(columns).T, (v - x) / step, (low, high), method="bvls", tol=1e-14, max_iter=10_000)
    assert np.linalg.norm(found.fun) <= 1e-10


@law(max_examples=40)
@given(seed=st.integers(0, 10_000), T=st.integers(1, 60), weight=st.floats(1e-3, 3), sparse=st.sampled_from([0.0, 0.3]))
def test_prox_on_a_complete_graph_is_an_isotonic_regression(seed, T, weight, sparse):
    """With sorted entries, the sum of all differences is linear: sum_i (2 i - T + 1) x_i."""
    v = np.random.default_rng(seed).standard_normal(T)
    order = np.argsort(v)
    x = np.empty(T)
    x[order] = isotonic_regression(v[order] - 0.7 * weight / T * (2 * np.arange(T) - T + 1))
    x = np.sign(x) * np.maximum(np.abs(x) - 0.7 * sparse, 0)
    assert_allclose(GraphGuided(None, weight / T, alpha_sparse=sparse).prox(v[None], 0.7)[0], x, atol=1e-13)


def test_prox_on_a_graph_makes_joined_tasks_exactly_equal():
    """Around a cycle of signs without contradiction; with one, and next to a task at zero, it is zero."""
    v, cycle = np.array([1.0, -1.1, 0.9, -1.2]), [(0, 1, 1.0, -1), (1, 2, 1.0, -1), (2, 3, 1.0, -1)]
    x = GraphGuided([*cycle, (3, 0, 1.0, -1)]).prox(v[None], [1.0, 2.0, 0.3, 0.7])[0]
    assert x[0] > 0 and np.array_equal(np.abs(x), np.full(4, x[0]))
    assert np.array_equal(np.sign(x), [1, -1, 1, -1])
    assert not GraphGuided([*cycle, (3, 0)], 3.0).prox(v[None], 1.0).any()
    assert not GraphGuided(cycle, alpha_sparse=1.1).prox(v[None], 1.0).any()


@pytest.mark.parametrize("alpha", [1e3, 1e10, 1e200, 1e308])
def test_prox_on_a_graph_without_slack(alpha):
    """What flows is as exact as the entries, whatever could flow."""
    v, step = np.random.default_rng(0).standard_normal(6), np.array([1, 2, 3, 0.1, 0.2, 0.5])
    x = GraphGuided(None, alpha).prox(v[None], step)[0]
    assert_allclose(x, np.average(v, weights=1 / step), rtol=1e-13)


@pytest.mark.parametrize("span", [1e3, 1e6, 1e12])
def test_prox_on_a_graph_for_steps_far_apart(span):
    """Tasks whose steps are tiny stay where they are, and the others see them as given."""
    rng = np.random.default_rng(0)
    v, edges = rng.standard_normal(8), [(s, t) for s in range(8) for t in range(s)]
    step = np.where(np.arange(8) < 4, 1.0, 1 / span)
    x = GraphGuided(edges, 0.1).prox(v[None], step)[0]
    assert_allclose(x[4:], v[4:], atol=1 / span)
    X = cp.Variable(4)
    pulls = [cp.abs(X[s] - X[t]) if s < 4 else cp.abs(X[t] - x[s]) for s, t in edges if t < 4]
    cp.Problem(cp.Minimize(cp.sum_squares(X - v[:4]) / 2 + 0.1 * sum(pulls))).solve("CLARABEL")
    assert_allclose(x[:4], X.value, atol=1e-6)


def like_any_graph(edges, T):
    """A graph of which it is not seen that it is made of chains."""
    graph = read_graph(edges, range(T))
    assert graph.chains is not None
    vars(graph)["chains"] = None
    return graph


@law(max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    T=st.integers(1, 60),
    strength=st.sampled_from([1e-2, 0.8, 30.0]),
    sparse=st.sampled_from([0.0, 0.2, 20.0]),
    spread=st.sampled_from([0.0, 0.5, 3.0]),
)
def test_prox_in_time_is_that_on_a_chain(seed, T, strength, sparse, spread):
    rng = np.random.default_rng(seed)
    step = 0.7 * 10 ** rng.uniform(-spread, spread, T)
    V = np.cumsum(rng.standard_normal((5, T)), axis=1)
    chain = like_any_graph([(t, t + 1) for t in range(T - 1)], T)
    order = rng.permutation(T)
    one = Temporal(strength, alpha_sparse=sparse).prox(V, step)
    assert_allclose(one, GraphGuided(chain, strength, alpha_sparse=sparse).prox(V, step), atol=1e-10)
    again = Temporal(strength, alpha_sparse=sparse, order=order).prox(V[:, np.argsort(order)], step[np.argsort(order)])
    assert_allclose(again[:, order], one, atol=1e-10)


@law(max_examples=40)
@given(seed=st.integers(0, 10_000), T=st.integers(1, 40), sparse=st.sampled_from([0.0, 0.2, 5.0]))
def test_prox_on_pieces_of_chains_is_that_on_a_graph(seed, T, sparse):
    """Weights and signs of their own, in any order, and tasks that are joined to no other."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(T).tolist()
    edges = [
        (*pair[:: rng.choice([-1, 1])], 10 ** rng.uniform(-2, 1), rng.choice([-1, 1]))
        for pair in pairwise(order)
        if rng.uniform() < 0.7
    ]
    step, V = 10 ** rng.uniform(-1, 1, T), np.cumsum(rng.standard_normal((5, T)), axis=1)
    if edges:
        expected = GraphGuided(like_any_graph(edges, T), 0.5, alpha_sparse=sparse).prox(V, step)
        assert_allclose(GraphGuided(edges, 0.5, alpha_sparse=sparse).prox(V, step), expected, atol=1e-10)


@law(max_examples=40)
@given(seed=st.integers(0, 10_000), T=st.integers(1, 12), group=st.sampled_from([0.01, 0.5, 2.0]))
def test_prox_in_time_with_a_group_is_stationary(seed, T, group):
    """For steps far apart: (step (v - x)) is a subgradient at x, by what moving along any direction costs."""
    rng = np.random.default_rng(seed)
    step, v = 10 ** rng.uniform(-2, 2, T), rng.standard_normal(T) * 3
    penalty = Temporal(0.3, alpha_sparse=0.1, alpha_group=group)
    x = penalty.prox(v[None], step)[0]
    cost = lambda x: float(np.sum((x - v) ** 2 / step) / 2 + penalty.value(x[None]))  # noqa: E731
    for direction in [*rng.standard_normal((30, T)), *np.eye(T), *np.tri(T), x - v, -x]:
        for size in (1e-3, -1e-3, 1e-6, -1e-6):
            assert cost(x + size * direction) >= cost(x) - 1e-13 * (1 + abs(cost(x)))


@law(max_examples=40)
@given(seed=st.integers(0, 10_000), T=st.integers(2, 80), k=st.integers(1, 20), group=st.sampled_from([0.0, 1.0]))
def test_prox_in_time_of_next_to_nothing_is_zero(seed, T, k, group):
    """Where the lassos of k tasks come to the weight of a link but for rounding; so a row of rounding beside one that
    is not has no share in the dual norm."""
    rng = np.random.default_rng(seed)
    smooth = 10 ** rng.uniform(-3, 3)
    penalty = Temporal(smooth, alpha_sparse=smooth / k, alpha_group=group * smooth / k).bind(range(T))
    row = rng.standard_normal((1, T))
    for size in 10.0 ** -np.arange(12, 60, 4):
        assert not penalty.prox(smooth / k * size * row, 1.0).any()
    assert penalty.dual_norm(np.vstack([row, 1e-17 * row])) == pytest.approx(penalty.dual_norm(row), rel=1e-14)


@law(max_examples=20)
@given(seed=st.integers(0, 10_000), T=st.integers(2, 30), unequal=st.booleans())
def test_prox_on_a_tree_is_stationary(seed, T, unequal):
    """Where x is not zero, (v - x) / step is the sum of the gradients of the groups' norms."""
    rng = np.random.default_rng(seed)
    Z = linkage(rng.standard_normal((T, 3)), "average")
    step = rng.uniform(0.2, 2, T) if unequal else np.full(T, 0.7)
    V = 3 * rng.standard_normal((5, T))
    bound = TreeGuided(Z, 0.5).bind(range(T))
    for v, x in zip(V, bound.prox(V, step), strict=True):
        total = np.zeros(T)
        for members, omega in bound.tree:
            norm = np.linalg.norm(x[members])
            if norm > 0:
                total[members] += 0.5 * omega * x[members] / norm
        used = x != 0
        assert_allclose(((v - x) / step)[used], total[used], atol=1e-10)
        # No move of a single entry, nor of a whole group, is better.
        objective = lambda w: np.sum((w - v) ** 2 / (2 * step)) + bound.value(w[None])  # noqa: B023, E731
        for members, _ in bound.tree:
            move = np.zeros(T)
            move[members] = (v - x)[members]
            for size in (1e-4, 1e-2):
                assert objective(x + size * move) >= objective(x) * (1 - 1e-14)


# ------------------------------------------------------------------------------------- searches


def test_useful_ranges_of_the_ratios():
    """Between their ends no part is zero for certain: d = 16, T = 9."""
    ends = {
        cm.RobustLowRankRegressorCV: (1, 3),
        cm.RobustFeatureRegressorCV: (1 / 4, 3),
        cm.SparseLowRankRegressorCV: (1 / 12, 1),
    }
    for cls, (low, high) in ends.items():
        ratios = [np.divide(*setting.values()) for setting in cls(ratios=4)._settings(16, 9)]
        assert_allclose(ratios, np.geomspace(low, high, 4))


def test_lists_in_a_search():
    X, y, _, task = named()
    quick = {"alphas": 4, "cv": 3}
    search = cm.SharedStructureRegressorCV(eta=[0.1, 1.0], n_components=[1, 2, 3], **quick).fit(X, y, task=task)
    assert len(search.settings_) == 6 and search.mse_path_.shape == (6, 4, 3)
    assert search.eta_ in (0.1, 1.0) and search.n_components_ in (1, 2, 3)
    assert search.components_.shape == (search.n_components_, 6)
    search = cm.TemporalRegressorCV(sparse_ratios=[0.1], group_ratios=[0.0, 2.0], ridge_ratios=[0.0, 0.5], **quick)
    search.fit(X, y, task=task)
    assert len(search.settings_) == 4
    assert_allclose(search.alpha_sparse_, 0.1 * search.alpha_smooth_)
    search = cm.TaskRelationshipRegressorCV(ratios=[0.5], **quick).fit(X, y, task=task)
    assert_allclose(search.alpha_ridge_, 0.5 * search.alpha_)
    search = cm.SparseGroupRegressorCV(l1_ratio=[0.0, 1.0], **quick).fit(X, y, task=task)
    assert search.l1_ratio_ in (0.0, 1.0)


@pytest.mark.parametrize(
    "search, message",
    [
        (cm.SparseGroupRegressorCV(l1_ratio=2), r"l1_ratio must be a number in \[0, 1\] or a list of them, got"),
        (cm.SharedStructureRegressorCV(eta=[0.0]), "eta must be a positive number or a list of them"),
        (cm.SharedStructureRegressorCV(n_components=[1, 7]), "n_components must be an integer between 0 and .* got 7"),
        (cm.SharedStructureRegressorCV(n_components=1.5), "n_components must be an integer or a list of them, got 1.5"),
        (cm.TemporalRegressorCV(sparse_ratios=[-1.0]), "sparse_ratios must be a list of numbers >= 0"),
        (cm.TemporalRegressorCV(group_ratios="a"), "group_ratios must be a list of numbers >= 0"),
        (
            cm.TaskRelationshipRegressorCV(ratios=[-1.0]),
            "ratios must be a positive number of ratios or a list",
        ),
        (cm.GraphGuidedRegressorCV(ratios=0), "ratios must be at least 1 if it is how many"),
    ],
)
def test_searches_refuse_what_makes_no_sense(search, message):
    X, y, _, task = named()
    with pytest.raises(ValueError, match=message):
        search.fit(X, y, task=task)


def test_largest_strengths_have_the_names_of_the_parameters():
    X, y, _, task = named()
    for cls in (cm.RobustLowRankRegressor, cm.RobustFeatureRegressor, cm.SparseLowRankRegressor):
        top = cm.alpha_max(cls(), X, y, task=task)
        assert set(top) == {name for name in cls().get_params() if name.startswith("alpha")}
        assert not cls(**{name: 1.001 * value for name, value in top.items()}).fit(X, y, task=task).coef_.any()
        assert cls(**{name: 0.99 * value for name, value in top.items()}, tol=1e-8).fit(X, y, task=task).coef_.any()


# ------------------------------------------------------------------------- difficult input


def unequal(scale):
    """Six tasks, the third of which has its features in other units."""
    X, y, task, *_ = datasets.make_graph_guided(n_samples=30, n_tasks=6, n_features=8, random_state=0)
    X[task == 2] *= scale
    return X, y, task


ARRANGED = {
    "complete": cm.GraphGuidedRegressor(alpha_sparse=0.01),
    "graph": cm.GraphGuidedRegressor([(0, 1), (1, 2), (2, 3)], alpha_sparse=0.01),
    "tree": cm.TreeGuidedRegressor([([0, 1, 2], 1.0), (range(6), 0.5), ([2], 0.3), ([4], 0.3)], 0.1),
    "time": cm.TemporalRegressor(alpha_group=0.01),
}


@pytest.mark.parametrize(
    "name, scale",
    [(name, scale) for name in ARRANGED for scale in (1e-8, 1e-4, 1e-2, 1e2, 1e3)]
    # Where no prox is iterated there is no limit.
    + [(name, scale) for name in ("complete", "graph") for scale in (1e5, 1e8)],
)
def test_tasks_of_unequal_scale(name, scale):
    X, y, task = unequal(scale)
    fitted = clone(ARRANGED[name]).set_params(max_iter=300, tol=1e-4).fit(X, y, task=task)  # warnings are errors
    gap = cm.certify(fitted, X, y, task=task).gap
    assert gap <= 1e-4 * fitted._formulate(X, y, task=task).problem.data.trivial[0]


@pytest.mark.parametrize(
    "estimator",
    [
        cm.GraphGuidedRegressor(zip([0, 1], [1, 2], strict=True)),
        cm.TreeGuidedRegressor(zip([[0, 1], [2, 3]], [1.0, 1.0], strict=True)),
        cm.TreeGuidedRegressor([(iter([0, 1]), 1.0)]),
        cm.TemporalRegressor(order=iter([0, 1, 2, 3])),
        cm.GraphGuidedRegressor(edge for edge in [(0, 1)]),
    ],
    ids=["zip of edges", "zip of groups", "group", "order", "generator"],
)
def test_iterators_are_refused(estimator):
    """They can be read once only."""
    X, y, _, task = named()
    with pytest.raises(ValueError, match=r"graph must be a list|tree must be a list|order must hold"):
        estimator.fit(X, y, task=task)


@pytest.mark.parametrize("cls", [cm.RobustLowRankRegressor, cm.RobustFeatureRegressor, cm.SparseLowRankRegressor])
def test_parts_of_many_features_on_one_X(cls):
    """Nothing of the size of d x d is made: 800 MB and half a minute for these 10,000 features."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 10_000))
    Y = X[:, :3] @ rng.standard_normal((3, 4)) + 0.1 * rng.standard_normal((40, 4))
    top = cm.alpha_max(cls(), X, Y)
    fitted = cls(**{name: value / 5 for name, value in top.items()}).fit(X, Y)
    assert cm.certify(fitted, X, Y).gap <= 1e-4 * fitted._formulate(X, Y).problem.data.trivial[0]


@pytest.mark.filterwarnings("ignore:4 task.s. have:UserWarning")
@pytest.mark.parametrize(
    "cls, options",
    [
        (cm.TemporalClassifier, {}),
        (cm.GraphGuidedClassifier, {}),
        (cm.GraphGuidedClassifier, {"norm": "l2"}),
        (cm.TreeGuidedClassifier, {"tree": [([0], 1.0)]}),
        (cm.TemporalRegressor, {"loss": "poisson"}),
    ],
)
def test_constant_tasks_and_free_directions(cls, options):
    X = np.random.default_rng(0).standard_normal((8, 3))
    fitted = cls(**options).fit(X, np.zeros((8, 4), dtype=int))
    assert fitted.dual_gap_ == 0 and not fitted.coef_.any() and fitted.n_iter_ == 1


@pytest.mark.parametrize(
    "cls", [cm.TreeGuidedRegressor, cm.GraphGuidedRegressor, cm.TemporalRegressor, cm.SparseGroupRegressor]
)
def test_overflow_never_looks_converged(cls):
    penalty = cls()._penalty().resolve(6, np.arange(4)).terms[0]
    Z = np.random.default_rng(0).standard_normal((6, 4))
    Z -= Z.mean(axis=1, keepdims=True)
    assert_allclose(penalty.dual_norm(1e300 * Z), 1e300 * penalty.dual_norm(Z), rtol=1e-10)
    with np.errstate(invalid="ignore"):
        assert not penalty.dual_norm(np.where(Z == Z.max(), np.inf, Z)) < np.inf


def test_a_frame_of_weights_names_its_tasks():
    X, y, label, _ = named()
    order = list("cadb")
    position = ["abcd".index(name) for name in order]
    frame = pd.DataFrame(WEIGHTS[np.ix_(position, position)], index=order, columns=order)
    expected = cm.GraphGuidedRegressor(EDGES, 0.2, "l1", 0.02, **TIGHT).fit(X, y, task=label)
    same(cm.GraphGuidedRegressor(frame, 0.2, "l1", 0.02, **TIGHT).fit(X, y, task=label), expected)


def test_an_empty_structure_has_no_largest_strength():
    X, y, _, task = named()
    for estimator in (cm.GraphGuidedRegressor([], 0.1), cm.RobustLowRankRegressor(0.0, 1.0)):
        with pytest.raises(ValueError, match="one of 0 leaves all of W free, or the graph"):
            cm.alpha_max(estimator, X, y, task=task)
