import itertools

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose
from scipy.cluster.hierarchy import linkage, to_tree
from scipy.spatial.distance import squareform

from convexmtl import structures
from convexmtl.structures import correlation_graph, correlation_tree, tree_groups

HELPERS = [correlation_graph, correlation_tree]


def targets(n_samples=40, n_tasks=6, missing=0.0, seed=0):
    """Two tasks alike, two opposite, and others on their own, on different scales."""
    rng = np.random.default_rng(seed)
    Y = rng.standard_normal((n_samples, n_tasks))
    Y[:, 1] = Y[:, 0] + 0.3 * Y[:, 1]
    Y[:, 3] = -Y[:, 2] + 0.5 * Y[:, 3]
    Y = 10.0 ** np.arange(n_tasks) * Y + 100
    Y[rng.random(Y.shape) < missing] = np.nan
    return Y


def weights(tree):
    return {tuple(sorted(members)): omega for members, omega in tree}


# The graph


def test_graph():
    edges = correlation_graph(targets())
    assert [(s, t, sign) for s, t, _, sign in edges] == [(0, 1, 1), (2, 3, -1)]
    r = np.corrcoef(targets().T)
    assert_allclose([omega for _, _, omega, _ in edges], [r[0, 1], -r[2, 3]], rtol=1e-12)


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_graph_of_all_pairs_has_the_pairwise_complete_correlations(missing):
    Y = targets(missing=missing)
    r = pd.DataFrame(Y).corr().to_numpy()
    edges = correlation_graph(Y, threshold=0)
    assert [edge[:2] for edge in edges] == list(itertools.combinations(range(6), 2))
    assert_allclose([omega * sign for *_, omega, sign in edges], r[np.triu_indices(6, 1)], atol=1e-12)


def test_threshold_is_exclusive():
    Y = np.array([[1.0, 1.0, 1.0], [-1.0, 1.0, 1.0], [1.0, -1.0, 1.0], [-1.0, -1.0, -1.0]])
    size = 1 / np.sqrt(3)
    assert [edge[:2] for edge in correlation_graph(Y, threshold=size - 1e-9)] == [(0, 2), (1, 2)]
    assert correlation_graph(Y, threshold=size + 1e-9) == []
    # Tasks 0 and 1 have correlation 0.
    assert [edge[:2] for edge in correlation_graph(Y, threshold=0)] == [(0, 2), (1, 2)]


def test_graph_of_perfectly_correlated_targets():
    y = np.random.default_rng(0).standard_normal(50)
    assert correlation_graph(np.column_stack([y, -3 * y, 7 + y]), 0.99) == [
        (0, 1, pytest.approx(1), -1),
        (0, 2, pytest.approx(1), 1),
        (1, 2, pytest.approx(1), -1),
    ]
    omegas = [edge[2] for edge in correlation_graph(np.column_stack([y, -3 * y, 7 + y]))]
    assert max(omegas) <= 1


@pytest.mark.parametrize("threshold", [-0.1, 1, 1.5, np.nan, "0.5", None])
def test_bad_threshold(threshold):
    with pytest.raises(ValueError, match=r"threshold must be a number in \[0, 1\)") as info:
        correlation_graph(targets(), threshold)
    assert repr(threshold) in str(info.value)


# The tree


def test_weights_of_two_pairs_by_hand():
    """Heights 1, 2 and 4: s = 1/4, 1/2 and 1."""
    Z = [[0, 1, 1, 2], [2, 3, 2, 2], [4, 5, 4, 4]]
    assert tree_groups(Z) == [([0], 0.25), ([1], 0.25), ([2], 0.5), ([3], 0.5), ([0, 1], 0.75), ([2, 3], 0.5)]


def test_weights_of_a_chain_by_hand():
    """Heights 1, 2 and 4, each cluster within the next: 1/8 = 1/4 1/2 for the first two, 3/8 = 3/4 1/2 for both."""
    Z = [[3, 1, 1, 2], [2, 4, 2, 3], [0, 5, 4, 4]]
    assert tree_groups(Z) == [([0], 1.0), ([1], 0.125), ([2], 0.5), ([3], 0.125), ([1, 3], 0.375), ([1, 2, 3], 0.5)]


def test_groups_of_weight_zero_are_left_out():
    """Tasks at no distance have no weight of their own; a cluster as high as the root has none either."""
    Z = [[0, 1, 0, 2], [2, 3, 3, 2], [4, 5, 3, 4]]
    assert tree_groups(Z) == [([2], 1.0), ([3], 1.0), ([0, 1], 1.0)]


def test_two_tasks():
    assert tree_groups([[0, 1, 0.3, 2]]) == [([0], 1.0), ([1], 1.0)]


@pytest.mark.parametrize("method", ["average", "complete", "single", "weighted", "ward"])
def test_laws_of_the_weights(method):
    """Each task is penalised with weight 1 in all, and the sum of the groups is the recursion that defines it."""
    rng = np.random.default_rng(0)
    Z = linkage(rng.standard_normal((9, 3)), method)
    tree = tree_groups(Z)
    for t in range(9):
        assert sum(omega for members, omega in tree if t in members) == pytest.approx(1)

    w = rng.standard_normal(9)

    def penalty(node):
        if node.is_leaf():
            return abs(w[node.id])
        s = node.dist / Z[-1, 2]
        return s * (penalty(node.left) + penalty(node.right)) + (1 - s) * np.linalg.norm(w[node.pre_order()])

    assert sum(omega * np.linalg.norm(w[members]) for members, omega in tree) == pytest.approx(penalty(to_tree(Z)))


def test_heights_count_relative_to_the_root():
    Z = linkage(np.random.default_rng(0).standard_normal((7, 2)), "average")
    assert tree_groups(Z * [1, 1, 8, 1]) == tree_groups(Z)


def test_labels():
    Z = [[0, 1, 1, 2], [2, 3, 2, 3]]
    assert tree_groups(Z, labels=["a", "b", "c"]) == [(["a"], 0.5), (["b"], 0.5), (["c"], 1.0), (["a", "b"], 0.5)]
    with pytest.raises(ValueError, match=r"labels must have one entry for each of the 3 tasks. Got 2"):
        tree_groups(Z, labels=["a", "b"])


@pytest.mark.parametrize("method", ["average", "complete", "single"])
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_tree_of_targets(method, missing):
    Y = targets(missing=missing)
    distance = 1 - np.abs(pd.DataFrame(Y).corr().to_numpy())
    expected = weights(tree_groups(linkage(squareform(distance, checks=False), method)))
    found = weights(correlation_tree(Y, method))
    assert found.keys() == expected.keys() >= {(0, 1), (2, 3)}
    assert_allclose([found[group] for group in expected], list(expected.values()), atol=1e-9)


def test_tree_is_that_of_negated_targets():
    Y = targets()
    assert correlation_tree(Y * [1, -1, 1, 1, -1, 1]) == correlation_tree(Y)


def test_tree_with_perfectly_correlated_targets():
    """They are selected together, or not at all."""
    Y = targets(n_tasks=4)
    tree = weights(correlation_tree(np.column_stack([Y, -2 * Y[:, 0] + 5])))
    assert (0,) not in tree and (4,) not in tree
    assert sum(omega for group, omega in tree.items() if {0, 4} <= set(group)) == pytest.approx(1)


def test_all_targets_perfectly_correlated():
    y = np.random.default_rng(0).standard_normal((50, 1))
    with pytest.raises(ValueError, match=r"Y: the targets of all tasks are perfectly correlated.*RowNorm"):
        correlation_tree(y * [1, -3, 0.1])


def test_unknown_method():
    with pytest.raises(ValueError, match="Invalid method: nearest"):
        correlation_tree(targets(), method="nearest")


def test_heights_that_decrease():
    triangle = [[0.0, 0.0], [1.0, 0.0], [0.5, 0.87]]
    with pytest.raises(
        ValueError, match=r"linkage: its heights must .* not decrease .* use average, complete or single"
    ):
        tree_groups(linkage(triangle, "centroid"))
    # All three at nearly the same distance of each other.
    Y = np.random.default_rng(0).standard_normal((10000, 3))
    with pytest.raises(
        ValueError, match=r"linkage: its heights must .* not decrease .* use average, complete or single"
    ):
        correlation_tree(Y, method="centroid")


@pytest.mark.parametrize(
    "Z, message",
    [
        ([[0, 1, 1.0]], "linkage"),
        ([0, 1, 1.0, 2], "linkage"),
        (np.empty((0, 4)), "Linkage .* two observations"),
        ([[0, 0, 1, 2], [2, 3, 2, 3]], "linkage"),
        ([[0, 4, 1, 2], [2, 3, 2, 3]], "linkage"),
        ([[0, 1, -1, 2]], "linkage: its heights must be .* not negative"),
        ([[0, 1, np.nan, 2]], "linkage: its heights must be finite"),
        ([[0, 1, 1, 2], [2, 3, np.inf, 3]], "linkage: its heights must be finite"),
        ([[0, 1, 0, 2], [2, 3, 0, 3]], "linkage: all heights are 0.*RowNorm"),
    ],
)
def test_bad_linkage(Z, message):
    with pytest.raises(ValueError, match=message):
        tree_groups(Z)


# What both read


@pytest.mark.parametrize("kind", ["pandas", "nullable", "polars"])
def test_frames(kind):
    Y = targets(missing=0.2)
    names = list("uvwxyz")
    frame = pl.DataFrame(Y, schema=names) if kind == "polars" else pd.DataFrame(Y, columns=names)
    if kind == "nullable":
        frame = frame.convert_dtypes()
        assert frame.isna().any(axis=None)
    assert correlation_graph(frame) == [(names[s], names[t], *rest) for s, t, *rest in correlation_graph(Y)]
    assert correlation_tree(frame) == [([names[t] for t in group], omega) for group, omega in correlation_tree(Y)]


def test_names_that_are_numbers():
    edges = correlation_graph(pd.DataFrame(targets(), columns=[2001, 2002, 2003, 2004, 2005, 2006]))
    assert [edge[:2] for edge in edges] == [(2001, 2002), (2003, 2004)]


def test_lists():
    assert correlation_graph([[1, 3], [2, 2], [3, 1], [4, None]]) == [(0, 1, pytest.approx(1), -1)]


@pytest.mark.parametrize("helper", HELPERS)
@pytest.mark.parametrize("Y", [np.arange(5.0), np.ones((5, 1)), np.ones((5, 0)), np.ones((5, 2, 2))])
def test_bad_shape(helper, Y):
    with pytest.raises(ValueError, match="Y must have one column per task, and at least two") as info:
        helper(Y)
    assert str(Y.shape) in str(info.value)


@pytest.mark.parametrize("helper", HELPERS)
def test_no_numbers(helper):
    for Y in ([["a", "b"], ["c", "d"]], pd.DataFrame({"u": ["a", "b"], "v": [1, 2]})):
        with pytest.raises(ValueError, match="Y must hold numbers"):
            helper(Y)


@pytest.mark.parametrize("helper", HELPERS)
def test_constant_and_missing_targets(helper):
    for value in (0.1, np.nan):
        Y = targets()
        Y[:, 4] = value
        with pytest.raises(ValueError, match=r"Y: the targets of task 4 do not vary.* Leave the task out"):
            helper(Y)
        with pytest.raises(ValueError, match="Y: the targets of task 'y' do not vary"):
            helper(pd.DataFrame(Y, columns=list("uvwxyz")))
    with pytest.raises(ValueError, match="task 0 do not vary"):
        helper(np.empty((0, 3)))


@pytest.mark.parametrize("helper", HELPERS)
@pytest.mark.parametrize("common", [0, 1, 2])
def test_too_few_samples_in_common(helper, common):
    Y = targets(n_samples=40)
    Y[:20, 2] = np.nan
    Y[20 + common :, 5] = np.nan
    with pytest.raises(ValueError, match=f"Y: tasks 2 and 5 have {common} samples in common.* Leave out one"):
        helper(Y)


@pytest.mark.parametrize("helper", HELPERS)
@pytest.mark.parametrize("value", [0.1, 1e8])
def test_constant_on_the_samples_in_common(helper, value):
    Y = targets(n_samples=40)
    Y[:20, 2] = np.nan
    Y[20:, 0] = value
    with pytest.raises(ValueError, match=r"Y: tasks 0 and 2 have 20 samples in common.* vary"):
        helper(Y)


@pytest.mark.parametrize("helper", HELPERS)
def test_infinite_targets(helper):
    Y = targets()
    Y[3, 1] = -np.inf
    with pytest.raises(ValueError, match="Y: task 1 has an infinite target"):
        helper(Y)


@pytest.mark.parametrize("helper", HELPERS)
def test_names_given_twice(helper):
    with pytest.raises(ValueError, match="Y: two columns have the name 'b'"):
        helper(pd.DataFrame(targets(n_tasks=4), columns=list("abcb")))


def test_all_is_complete():
    public = {
        name for name, value in vars(structures).items() if getattr(value, "__module__", "") == structures.__name__
    }
    assert {name for name in public if not name.startswith("_")} == set(structures.__all__)
