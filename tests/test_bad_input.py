"""Bad input is refused before any work, in words that help; difficult input works."""

import warnings

import cases
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

import convexmtl as cm
from convexmtl import metrics, model_selection, structures
from convexmtl._compat import Interval
from convexmtl._input import is_plain
from convexmtl.estimators import _base
from convexmtl.penalties import (
    Box,
    ClusterCoupling,
    GraphGuided,
    GraphLaplacian,
    LearnedClusters,
    LinearConstraint,
    MeanCoupling,
    Parts,
    RobustLowRank,
    RowNorm,
    SharedStructure,
    SparseGroup,
    SpectralBox,
    SquaredTraceNorm,
    TaskCoupling,
    TaskNorm,
    Temporal,
    TraceNorm,
    TreeGuided,
)
from convexmtl.solvers.paths import critical_factor

nan, inf = np.nan, np.inf

X, Y, _ = cases.user_input("squared", "shared")
XS, YS, _ = cases.user_input("squared", "stacked")
TASK = cases.user_input("squared", "stacked")[2]["task"]
XC, YC, _ = cases.user_input("logistic", "stacked")
LABELS = cases.user_input("logistic", "shared")[1]
N, T = Y.shape
D = X.shape[1]


@pytest.fixture
def no_work(monkeypatch):
    """Whoever starts to solve has not looked at the input."""

    def work(*args, **options):
        raise AssertionError("a solver was started")

    monkeypatch.setattr(_base, "solve", work)


def put(array, where, value):
    """A copy of the array with one entry, or one slice, replaced."""
    array = np.array(array, dtype=object if isinstance(value, str | None) else None)
    array[where] = value
    return array


def refused(estimator, message, *data, **options):
    with pytest.raises(ValueError, match=message):
        estimator.fit(*data, **options)


# ------------------------------------------------------------------------------ data that make no sense

DATA = {
    "nan_in_X": (put(X, (3, 1), nan), Y, {}, "Input X contains NaN"),
    "inf_in_X": (put(X, (3, 1), inf), Y, {}, "Input X contains infinity"),
    "flat_X": (X[:, 0], Y, {}, "Expected 2D array, got 1D array"),
    "text_in_X": (put(X, (3, 1), "a"), Y, {}, "could not convert string to float: 'a'"),
    "no_rows": (X[:0], Y[:0], {}, r"0 sample\(s\)"),
    "no_columns": (X[:, :0], Y, {}, r"0 feature\(s\)"),
    "inf_in_y": (X, put(Y, (3, 1), inf), {}, "Input y contains infinity"),
    "nan_in_stacked_y": (XS, put(YS, 3, nan), {"task": TASK}, "Input y contains NaN"),
    "nan_in_single_y": (XS, put(YS, 3, nan), {}, "Input y contains NaN"),
    "task_all_nan": (X, put(Y, np.s_[:, 2], nan), {}, "task 2 has no sample with a target and a positive weight"),
    "no_y": (X, None, {}, "requires y to be passed, but the target y is None"),
    "rows_of_y": (X, Y[:-1], {}, f"X and y must have as many rows, got {N} rows of X and {N - 1} of y"),
    "y_of_three_dimensions": (X, Y[:, :, None], {}, "dim 3"),
    "y_without_columns": (X, Y[:, :0], {}, r"0 feature\(s\)"),
    "matrix_y_with_task": (X, Y, {"task": [0] * N}, rf"y must have shape \(n,\) where every row .*, got \({N}, {T}\)"),
    "text_in_y": (X, LABELS, {}, "could not convert string to float"),
    "task_too_short": (XS, YS, {"task": TASK[:-1]}, f"task .*{len(YS) - 1}"),
    "task_matrix": (XS, YS, {"task": np.stack([TASK, TASK], axis=1)}, r"task .*\(65, 2\)"),
    "task_none": (XS, YS, {"task": put(TASK, 3, None)}, "task must not be missing: 1 labels .* first at row 3"),
    "task_nan": (XS, YS, {"task": put(np.ones(len(YS)), 5, nan)}, "task must not be missing: 1 .* first at row 5"),
    "task_na": (
        XS,
        YS,
        {"task": pd.array([None, *[1] * (len(YS) - 1)], dtype="Int64")},
        "task must not be missing: 1 .* first at row 0",
    ),
    "task_na_string": (
        XS,
        YS,
        {"task": pd.Series(["a", None, *["b"] * (len(YS) - 2)], dtype="string")},
        "task must not be missing: 1 .* first at row 1",
    ),
    "task_of_mixed_kinds": (
        XS,
        YS,
        {"task": np.array([1, "a"] * 32 + [1], dtype=object)},
        r"task must hold labels of one kind, got \['int', 'str'\]",
    ),
    "negative_weight": (X, Y, {"sample_weight": put(np.ones(N), 3, -1.0)}, "sample_weight must be >= 0, got -1"),
    "nan_weight": (X, Y, {"sample_weight": put(np.ones(N), 3, nan)}, "sample_weight contains NaN"),
    "inf_weight": (X, Y, {"sample_weight": put(np.ones(N), 3, inf)}, "sample_weight contains infinity"),
    # (In scikit-learn's words, where it looks; older versions leave it to us.)
    "no_weight": (
        X,
        Y,
        {"sample_weight": np.zeros(N)},
        "(?i)sample.weights? must contain at least one non-zero|task 0 has no sample with a target",
    ),
    "task_without_weight": (
        XS,
        YS,
        {"sample_weight": (TASK != "south") * 1.0, "task": TASK},
        "task 'south' has no sample with a target and a positive weight",
    ),
    "column_without_weight": (
        X,
        Y,
        {"sample_weight": put(np.ones(Y.shape), np.s_[:, 1], 0.0)},
        "task 1 has no sample with a target and a positive weight",
    ),
    "negative_entry_weight": (X, Y, {"sample_weight": put(np.ones(Y.shape), (1, 1), -2.0)}, "must be >= 0, got -2"),
    "nan_entry_weight": (X, Y, {"sample_weight": put(np.ones(Y.shape), (1, 1), nan)}, "sample_weight contains NaN"),
    "weights_too_short": (X, Y, {"sample_weight": np.ones(N - 1)}, rf"sample_weight.*\({N - 1},\).*\({N},\)"),
    "weights_of_other_tasks": (
        X,
        Y,
        {"sample_weight": np.ones((N, 2))},
        rf"sample_weight must have shape \({N},\) or \({N}, {T}\), got \({N}, 2\)",
    ),
    "matrix_weights_of_flat_y": (
        X,
        Y[:, 0],
        {"sample_weight": np.ones((N, 1))},
        rf"sample_weight must have shape \({N},\), got \({N}, 1\)",
    ),
}


@pytest.mark.parametrize("case", DATA)
def test_regression_data(case, no_work):
    features, targets, options, message = DATA[case]
    refused(cm.BlockSparseRegressor(), message, features, targets, **options)


@pytest.mark.parametrize("case", ["nan_in_X", "rows_of_y", "task_all_nan", "negative_weight", "task_none"])
@pytest.mark.parametrize("cls", cases.REGRESSORS, ids=lambda cls: cls.__name__)
def test_every_regressor_reads_its_data(cls, case, no_work):
    features, targets, options, message = DATA[case]
    refused(cls(), message, features, targets, **options)


LABEL_DATA = {
    "offset_of_three_classes": (
        XC,
        np.arange(len(XC)) % 3,
        {"offset": np.ones(len(XC))},
        "offset is not for tasks with more than two classes, which task 0 has",
    ),
    "real_targets": (X, Y[:, 0], {}, "Unknown label type: continuous"),
    "real_target_columns": (X, Y, {}, "y must hold classes, got numbers such as .*label type: continuous"),
    "nan_label": (XC, put((YC == "yes") * 1.0, 3, nan), {"task": TASK}, "y contains NaN"),
    "none_label": (XC, put(YC, 3, None), {"task": TASK}, "y .*(NaN|None|missing)"),
    "task_without_labels": (X, put(LABELS, np.s_[:, 1], None), {}, "task 1 has no sample with a target"),
    "no_y": (X, None, {}, "requires y to be passed"),
    "a_single_class": (X, np.ones(N), {}, "y has only 1 class"),
}


@pytest.mark.parametrize("case", LABEL_DATA)
@pytest.mark.parametrize("cls", cases.CLASSIFIERS, ids=lambda cls: cls.__name__)
def test_classification_data(cls, case, no_work):
    features, targets, options, message = LABEL_DATA[case]
    refused(cls(), message, features, targets, **options)


@pytest.mark.parametrize(
    "loss, message, targets",
    [
        ("gamma", r"loss=Gamma\(\) needs targets y > 0, got 0: drop such rows, or use Tweedie", put(np.abs(Y), 3, 0.0)),
        (cm.Tweedie(1.2), r"loss=Tweedie\(power=1\.2\) needs targets y >= 0, got -2\.5", put(np.abs(Y), 3, -2.5)),
        (cm.Tweedie(3), r"Tweedie's power must be in \[1, 2\], got 3: beyond, the loss is not convex", np.abs(Y) + 1),
    ],
)
def test_targets_that_are_not_positive(loss, message, targets, no_work):
    for model in (cm.BlockSparseRegressor(loss=loss), cm.TraceNormRegressorCV(loss=loss)):
        refused(model, message, X, targets)


@pytest.mark.parametrize("cls", cases.REGRESSORS, ids=lambda cls: cls.__name__)
def test_negative_counts(cls, no_work):
    refused(
        cls(loss="poisson"), r"loss='poisson' needs targets y >= 0 \(counts\), got -2\.5", X, put(np.abs(Y), 3, -2.5)
    )


def test_a_negative_count_without_weight_does_not_matter():
    counts = put(np.abs(Y).round(), (3, 1), -2.0)
    fit = cm.BlockSparseRegressor(loss="poisson").fit(X, counts, sample_weight=(counts >= 0) * 1.0)
    missing = cm.BlockSparseRegressor(loss="poisson").fit(X, np.where(counts >= 0, counts, nan))
    assert_allclose(fit.coef_, missing.coef_, atol=1e-10)


# --------------------------------------------------------------------------------------- parameters


def strengths():
    """Every strength of every penalty and estimator, as a function of its value."""
    penalties = {
        "RowNorm": (lambda v: RowNorm(v), "alpha"),
        "SparseGroup": (lambda v: SparseGroup(v), "alpha"),
        "DirtyNorm": (lambda v: cm.DirtyNorm(v, 0.1), "alpha_block"),
        "DirtyNorm sparse": (lambda v: cm.DirtyNorm(0.1, v), "alpha_sparse"),
        "TraceNorm": (lambda v: TraceNorm(v), "alpha"),
        "SquaredTraceNorm": (lambda v: SquaredTraceNorm(v), "alpha"),
        "SquaredTraceNorm ridge": (lambda v: SquaredTraceNorm(0.1, v), "alpha_ridge"),
        "SpectralBox": (lambda v: SpectralBox(v), "alpha"),
        "MeanCoupling": (lambda v: MeanCoupling(v), "alpha_mean"),
        "MeanCoupling variance": (lambda v: MeanCoupling(0.1, v), "alpha_variance"),
        "GraphLaplacian": (lambda v: GraphLaplacian([(0, 1)], v), "alpha"),
        "TaskCoupling": (lambda v: TaskCoupling(np.eye(T), v), "alpha"),
        "TaskNorm": (lambda v: TaskNorm(v), "alpha"),
        "GraphGuided": (lambda v: GraphGuided(None, v), "alpha"),
        "GraphGuided sparse": (lambda v: GraphGuided(None, 0.1, alpha_sparse=v), "alpha_sparse"),
        "TreeGuided": (lambda v: TreeGuided(None, v), "alpha"),
        "RobustLowRank": (lambda v: RobustLowRank(0.1, v), "alpha_outlier"),
        "Parts": (lambda v: Parts([("a", TraceNorm()), ("b", RowNorm(v))]), "alpha"),
        "sum": (lambda v: RowNorm(v) + MeanCoupling(), "alpha"),
    }
    for name in ("alpha_mean", "alpha_between", "alpha_within"):
        penalties[f"LearnedClusters {name}"] = (lambda v, name=name: LearnedClusters(**{name: v}), name)
        penalties[f"ClusterCoupling {name}"] = (lambda v, name=name: ClusterCoupling([0, 1, 0, 1], **{name: v}), name)
    return penalties


STRENGTHS = strengths()


@pytest.mark.parametrize("value", [-0.1, nan, inf, None, "a", True])
@pytest.mark.parametrize("penalty", STRENGTHS)
def test_strengths_of_penalties(penalty, value, no_work):
    build, name = STRENGTHS[penalty]
    refused(cm.MultiTaskRegressor(build(value)), f"^{name} must be a finite number >= 0, got {value!r}", X, Y)


@pytest.mark.parametrize("value", [-0.1, nan, inf])
@pytest.mark.parametrize("cls", cases.ESTIMATORS, ids=lambda cls: cls.__name__)
def test_strengths_of_estimators(cls, value, no_work):
    targets = LABELS if cls in cases.CLASSIFIERS else Y
    for name in (name for name in cls().get_params() if name.startswith("alpha")):
        refused(cls(**{name: value}), f"^{name} must be a finite number >= 0, got {value!r}", X, targets)


M = np.eye(T)
PARAMETERS = {
    **{f"q={q}": (RowNorm(q=q), rf"q must be a number in \[1, inf\], got {q!r}") for q in (0.5, -1, nan, True)},
    **{f"q={q!r}": (RowNorm(q=q), rf"q must be .*\[1, inf\].*, got {q!r}") for q in ("inf", None)},
    **{f"l1_ratio={r}": (RowNorm(l1_ratio=r), rf"l1_ratio must be .*\[0, 1\], got {r}") for r in (-0.1, 1.1, nan)},
    "l1_ratio='a'": (RowNorm(l1_ratio="a"), r"l1_ratio must be .*\[0, 1\], got 'a'"),
    "l1_ratio=None": (SparseGroup(l1_ratio=None), r"l1_ratio must be .*\[0, 1\], got None"),
    "sparse group": (SparseGroup(l1_ratio=2), r"l1_ratio must be .*\[0, 1\], got 2"),
    **{f"dirty q={q}": (cm.DirtyNorm(q=q), f"q must be 2 or inf .*, got {q!r}") for q in (1, 3, nan, None, "a")},
    "few weights": (RowNorm(feature_weights=[1, 2]), rf"feature_weights must have shape \({D},\), got \(2,\)"),
    **{
        f"weight {w}": (
            RowNorm(feature_weights=[1, 1, w, 1, 1, 1]),
            rf"feature_weights must be >= 0 \(0 leaves .*\), got {float(w)} at feature 2",
        )
        for w in (-1, nan, -inf)
    },
    "few clusters": (
        ClusterCoupling([0, 1]),
        rf"clusters must hold one label for each of the {T} tasks, got shape \(2,\)",
    ),
    "no clusters": (ClusterCoupling(), rf"clusters must hold one label for each of the {T} tasks"),
    "clusters by matrix": (ClusterCoupling([[0, 1, 0, 1]]), r"clusters must hold one label .*, got shape \(1, 4\)"),
    "nan cluster": (ClusterCoupling([0, 1, nan, 1]), "clusters must not hold NaN.* 2"),
    "none cluster": (ClusterCoupling([0, 1, None, 1]), "clusters must not hold .*None.* 2"),
    "unknown task": (ClusterCoupling({"a": 1}), "clusters has no entry for task 0"),
    "nan in dict": (ClusterCoupling({0: 0, 1: 1, 2: 0, 3: nan}), "clusters must not hold NaN.* 3"),
    **{
        f"n_clusters={c!r}": (
            LearnedClusters(c),
            rf"n_clusters must be an integer between 1 and the number of tasks \({T}\), got {c!r}",
        )
        for c in (0, 5, -1, 2.5, True, "2", None)
    },
    "between > within": (
        LearnedClusters(2, 0.1, 2.0, 1.0),
        r"alpha_within must be at least .* alpha_within=1\.0 < .*=2\.0",
    ),
    "M shape": (TaskCoupling(np.eye(3)), rf"M must have shape \({T}, {T}\), .*, got \(3, 3\)"),
    "M not symmetric": (TaskCoupling(put(M, (0, 1), 0.3)), r"M must be symmetric, got entries that differ by 0\.3"),
    "M indefinite": (
        TaskCoupling(np.diag([1, 1, 1, -0.5])),
        r"M must be positive semidefinite, its smallest eigenvalue is -0\.5",
    ),
    "M nan": (TaskCoupling(put(M, (0, 0), nan)), "M must be finite, got NaN or infinity"),
    "edge to nowhere": (GraphLaplacian([(0, 9)]), r"edges: 9 .*is neither a task label .* a position in 0\.\.3"),
    "edge by unknown name": (GraphLaplacian([("a", 1)]), "edges: 'a' .*is neither a task label"),
    "edge to itself": (GraphLaplacian([(1, 1)]), r"edges must join two different tasks, got \(1, 1\)"),
    "negative edge": (
        GraphLaplacian([(0, 1, -1.0)]),
        r"edges: omega of \(0, 1\) must be a finite number >= 0 .*, -1\)\), got -1\.0",
    ),
    "nan edge": (GraphLaplacian([(0, 1, nan)]), r"edges: omega of \(0, 1\) must be a finite number >= 0 .* got nan"),
    "long edge": (
        GraphLaplacian([(0, 1, 1, 1, 1)]),
        r"edges must hold \(s, t\[, omega\[, sign\]\]\) tuples, got \(0, 1, 1, 1, 1\)",
    ),
    "short edge": (GraphLaplacian([(0,)]), r"edges must hold .* tuples, got \(0,\)"),
    "no edge": (GraphLaplacian([0, 1]), r"edges must hold .* tuples, got 0"),
    "edge of a list": (GraphLaplacian([([0], 1)]), r"edges: \[0\] is not the label or position of a task"),
    "sign 2": (GraphGuided([(0, 1, 1.0, 2)]), r"graph: the sign of \(0, 1\) must be 1 or -1, got 2"),
    "graph is a number": (GraphGuided(3), r"graph must be a list of \(s, t\[, omega\[, sign\]\]\) tuples, a matrix"),
    "graph is a string": (GraphGuided("chain"), "graph must be a list of"),
    "graph not symmetric": (
        GraphGuided(np.triu(np.ones((T, T)))),
        "graph: a matrix .* must be real, finite, symmetric",
    ),
    "infinite graph": (
        GraphGuided(put(put(M, (0, 1), inf), (1, 0), inf)),
        "graph: a matrix of weights must be real, finite",
    ),
    "sparse graph shape": (GraphGuided(csr_array(np.eye(3))), rf"graph: a matrix .* of shape \({T}, {T}\)"),
    "graph by label": (GraphGuided([("a", "b")]), "graph: 'a' is neither a task label"),
    "norm": (GraphGuided([(0, 1)], norm="l3"), "norm must be 'l1' or 'l2', got 'l3'"),
    "norm of time": (Temporal(norm=1), "norm must be 'l1' or 'l2', got 1"),
    "order of few": (Temporal(order=[0, 1]), rf"order must hold each of the {T} tasks once, got \[0, 1\]"),
    "order twice": (Temporal(order=[0, 1, 1, 2]), rf"order must hold each of the {T} tasks once"),
    "order by name": (Temporal(order=["a", "b", "c", "d"]), "order: 'a' is neither a task label"),
    "order is a number": (Temporal(order=3), "order must hold each of the .* tasks once, got 3"),
    "tree of a number": (TreeGuided(3), r"tree must be a list of \(members, omega\) pairs, a linkage matrix .*, got 3"),
    "tree of numbers": (TreeGuided([1, 2]), r"tree must be a list of \(members, omega\) pairs"),
    "group that is a number": (TreeGuided([(0, 1.0)]), r"tree must be a list of \(members, omega\) pairs"),
    "group of strangers": (TreeGuided([([0, 9], 1.0)]), r"tree: 9 is neither a task label .* a position in 0\.\.3"),
    "group twice": (TreeGuided([([0, 0], 1.0)]), r"tree: a group must hold different tasks, .*, got \[0, 0\]"),
    "empty group": (TreeGuided([([], 1.0)]), r"tree: a group must hold different tasks, .*, got \[\]"),
    "crossing groups": (
        TreeGuided([([0, 1], 1.0), ([1, 2], 1.0)]),
        r"tree: groups must be nested or disjoint, got \[0, 1\] and \[1, 2\]",
    ),
    "crossing larger group": (
        TreeGuided([([0, 1, 2], 1.0), ([0, 3], 1.0)]),
        r"tree: groups must be nested or disjoint, got \[0, 3\] and \[0, 1, 2\]",
    ),
    "negative group": (TreeGuided([([0, 1], -1.0)]), r"tree: omega must be a finite number >= 0, got -1\.0"),
    "linkage of few": (TreeGuided(np.ones((2, 4))), "tree: a linkage matrix of 4 tasks has 3 rows, got 2"),
    "tree without direction": (TreeGuided(nx.path_graph(3)), "tree: a networkx tree must be a DiGraph with one root"),
    "tree with a cycle": (TreeGuided(nx.DiGraph([(0, 1), (1, 0)])), "tree: a networkx tree must be a DiGraph"),
    "eta": (SharedStructure(eta=0.0), r"eta must be a number > 0, from 1e-12 to 1e12, got 0\.0"),
    **{
        f"n_components={k!r}": (
            SharedStructure(n_components=k),
            rf"n_components must be an integer between 0 and the number of features \({D}\), got {k!r}",
        )
        for k in (-1, D + 1, 1.5, True, None)
    },
    "low": (SpectralBox(low=-1), "0 <= low <= high is needed, got low=-1, high=inf"),
    "low > high": (SpectralBox(low=2, high=1), "0 <= low <= high is needed, got low=2, high=1"),
    "nan high": (SpectralBox(high=nan), "0 <= low <= high is needed, .* high=nan"),
    "total": (SpectralBox(total=0), "total must be positive and between T low = 0 and T high = inf, got 0"),
    "small total": (SpectralBox(low=1, total=2.0), r"total must be .* T low = 4 .*, got 2\.0"),
    "large total": (SpectralBox(high=0.1, total=1.0), r"total must be .* T high = 0\.4, got 1\.0"),
    "nan total": (SpectralBox(total=nan), "total must be .*, got nan"),
    "no parts": (Parts([]), r"parts must be a non-empty list of \(name, penalty\), got \[\]"),
    "parts without names": (Parts([RowNorm()]), r"parts must hold \(name, penalty\) tuples, got RowNorm"),
    "a part that is none": (Parts([("a", 3)]), r"parts must hold \(name, penalty\) tuples, got \('a', 3\)"),
    "names twice": (Parts([("a", RowNorm()), ("a", TraceNorm())]), "not unique"),
    "a quadratic part": (
        Parts([("a", RowNorm()), ("b", MeanCoupling())]),
        "part 'b': MeanCoupling.* leaves nothing for the other",
    ),
    "a part that is zero": (
        Parts([("a", RowNorm(0.0)), ("b", TraceNorm())]),
        "part 'a': RowNorm.* leaves nothing for the other",
    ),
    "bounds that cross": (
        Box(1.0, [[0.5]] * 6),
        "Box needs low <= high .*, got low = 1 and high = 0.5 for feature 0 in",
    ),
    "nan bounds": (Box(nan), "Box's low must not be NaN, got nan: use infinity where there is none"),
    "bounds in words": (Box(high="no"), r"Box's high must be a number, or numbers that broadcast to .*, got 'no'"),
    "bounds of another shape": (Box(high=np.ones((2, 7))), r"Box's high must be .*, got bounds of shape \(2, 7\)"),
    "infinite bounds": (Box(low=np.inf), "Box needs low <= high with low < inf .*, got low = inf and high = inf"),
    "boxes apart": (
        RowNorm() + Box(low=1.0) + Box(high=0.5),
        r"no W is allowed by Box \+ Box: a lower bound of 1 is above",
    ),
    "left out and bounded away": (
        RowNorm(feature_weights={0: np.inf}) + Box(low=0.1),
        r"no W is allowed by RowNorm \+ Box: coefficients that are left out have to be zero",
    ),
    "rows of another length": (
        LinearConstraint(np.ones((1, 5))),
        r"LinearConstraint's A must have a row per constraint and a column per feature \(6\), got shape \(1, 5\)",
    ),
    "rows in words": (LinearConstraint("no"), "LinearConstraint's A must be a matrix of numbers, got 'no'"),
    "nan rows": (LinearConstraint([[nan] * 6]), "LinearConstraint's A must be finite numbers, got NaN or infinity"),
    "bounds of other rows": (
        LinearConstraint(np.ones((1, 6)), low=np.zeros((2, 4))),
        r"LinearConstraint's low must be .* broadcast to \(rows of A, tasks\) = \(1, 4\), got bounds of shape \(2, 4\)",
    ),
    "bounds of rows that cross": (
        LinearConstraint(np.ones((2, 6)), [[0], [1]], [[1], [0]]),
        "LinearConstraint needs low <= high .*, got low = 1 and high = 0 for row 1 of A in task",
    ),
    "rows that contradict": (
        LinearConstraint([[1.0] * 6, [2.0] * 6], low=[[1], [-9]], high=[[9], [1]]),
        r"no W is allowed by LinearConstraint: .* no w with low <= A w <= high: 1 row of A cannot be met beside the "
        r"others, \[[01]\] \(counted from 0\)\. Loosen these",
    ),
    "rows against bounds": (
        RowNorm() + Box(high=0.1) + LinearConstraint(np.ones((1, 6)), low=0.7),
        r"no W is allowed by RowNorm \+ Box \+ LinearConstraint: .* no w with low <= A w <= high within the bounds",
    ),
    "rows against signs": (
        RowNorm(positive=True) + LinearConstraint(np.ones((1, 6)), high=-0.1),
        r"no W is allowed by RowNorm \+ LinearConstraint: .* within the bounds",
    ),
    "rows against what is left out": (
        RowNorm(feature_weights={0: np.inf}) + LinearConstraint(np.eye(6)[:1], low=0.1),
        r"no W is allowed by RowNorm \+ LinearConstraint: .* within the bounds",
    ),
    "no penalty": ("l1", "penalty must be a Penalty object such as .*, got 'l1'"),
    "a class": (RowNorm, "penalty must be a Penalty object such as .*, got <class"),
}


@pytest.mark.parametrize("case", PARAMETERS)
def test_parameters_of_penalties(case, no_work):
    penalty, message = PARAMETERS[case]
    refused(cm.MultiTaskRegressor(penalty), message, X, Y)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"loss": "cubic"}, "loss must be one of .* or a Loss object, got 'cubic'"),
        ({"loss": None}, "loss must be one of .*, got None"),
        ({"loss": "logistic"}, "loss='logistic' is a loss for classifiers, not for TraceNormRegressor"),
        ({"loss": cm.SquaredHinge()}, r"loss=SquaredHinge\(\) is a loss for classifiers"),
        ({"loss": cm.Huber(-1.0)}, r"Huber's delta must be positive and finite, got -1\.0"),
        ({"tol": -1}, "'tol' parameter of TraceNormRegressor must be .* Got -1"),
        ({"tol": nan}, "'tol' parameter .* Got nan"),
        ({"max_iter": 0}, "'max_iter' parameter .* Got 0"),
        ({"max_iter": 1.5}, r"'max_iter' parameter .* Got 1\.5"),
        ({"fit_intercept": "yes"}, "'fit_intercept' parameter .* Got 'yes'"),
        ({"warm_start": 3}, "'warm_start' parameter .* Got 3"),
        ({"verbose": "a"}, "'verbose' parameter .* Got 'a'"),
        ({"task_weight": "big"}, "task_weight must be 'equal', 'size' or an array of positive numbers, got 'big'"),
        ({"task_weight": [1, 2]}, rf"task_weight must have one entry for each of the {T} tasks, got \(2,\)"),
        ({"task_weight": [1, 2, -3, 1]}, "task_weight must be positive, got -3"),
        ({"task_weight": [1, 2, 0, 1]}, "task_weight must be positive, got 0"),
        ({"task_weight": [1, 2, nan, 1]}, "task_weight contains NaN"),
        ({"task_weight": [1, 2, inf, 1]}, "task_weight contains infinity"),
        ({"task_column": "school"}, "task_column='school' is a name, but X is an array without column names"),
        ({"task_column": 9}, f"task_column=9 is not a column of X, which has {D} columns"),
        ({"task_column": 1.5}, r"task_column must be a column name or position, got 1\.5"),
        ({"task_column": True}, "task_column must be a column name or position, got True"),
    ],
)
def test_parameters_of_estimators(options, message, no_work):
    refused(cm.TraceNormRegressor(**options), message, X, Y)


NUMBERS = [
    (cls, name)
    for cls in (cm.TraceNormRegressor, cm.TraceNormRegressorCV, cm.AutoMultiTaskRegressor)
    for name, accepted in cls._parameter_constraints.items()
    if any(isinstance(one, Interval) for one in accepted)
]


@pytest.mark.parametrize("cls, name", NUMBERS, ids=lambda value: getattr(value, "__name__", value))
def test_true_is_no_number(cls, name, no_work):
    refused(cls(**{name: True}), f"'{name}' parameter of {cls.__name__} must be .* Got True", X, Y)


def test_true_is_no_number_of_a_loss(no_work):
    for loss in (cm.Huber(True), cm.Tweedie(True)):
        refused(cm.TraceNormRegressor(loss=loss), "must be .*, got True", X, abs(Y))


def test_folds_come_before_what_is_said_of_the_data(no_work):
    """(Of one sample no strength could be said to be the largest either.)"""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        refused(cm.TraceNormRegressorCV(), "n_splits=5 greater than the number of samples", X[:1], Y[:1])


def test_classifiers_refuse_losses_for_regression(no_work):
    refused(cm.TraceNormClassifier(loss="squared"), "loss='squared' is a loss for regressors, not for", X, LABELS)


def test_task_column(no_work):
    frame = pd.DataFrame(X, columns=list("abcdef"))
    y = Y[:, 0]
    refused(
        cm.TraceNormRegressor(task_column="school"),
        "task_column='school' is not a column of X; its columns are",
        frame,
        y,
    )
    refused(cm.TraceNormRegressor(task_column="a"), "task was passed although task_column='a'", frame, y, task=[0] * N)
    refused(cm.TraceNormRegressor(task_column=0), "X has no feature beside the task column", X[:, :1], y)
    frame["a"] = frame["a"].where(frame["a"] > frame["a"].min())
    refused(cm.TraceNormRegressor(task_column="a"), "task must not be missing: 1 labels are NaN", frame, y)


# -------------------------------------------------------------------------------- after the fit


@pytest.fixture(scope="module")
def own_rows():
    return cm.BlockSparseRegressor().fit(XS, YS, task=TASK)


@pytest.fixture(scope="module")
def common_rows():
    return cm.BlockSparseRegressor().fit(X, Y)


def test_predict_for_unknown_tasks(own_rows, common_rows):
    message = r"task 'mars', 'venus' was not seen in fit\. Cross-validate with TaskKFold\(5\) and groups"
    with pytest.raises(ValueError, match=message):
        own_rows.predict(XS, task=["mars", "venus"] + ["east"] * (len(XS) - 2))
    with pytest.raises(ValueError, match="task 7 was not seen in fit"):
        common_rows.predict(X, task=[7] * N)
    with pytest.raises(ValueError, match="task 'mars' was not seen in fit"):
        own_rows.score(XS, YS, task=["mars"] * len(XS))
    by_column = cm.BlockSparseRegressor(task_column=0).fit(np.insert(XS.astype(object), 0, TASK, axis=1), YS)
    with pytest.raises(ValueError, match="task 'mars' was not seen in fit"):
        by_column.predict(np.insert(XS.astype(object), 0, "mars", axis=1))


def test_predict_without_tasks(own_rows):
    message = "task is missing: BlockSparseRegressor was fitted with 4 tasks that have their own rows; pass task="
    for method in (own_rows.predict, lambda X: own_rows.score(X, YS)):
        with pytest.raises(ValueError, match=message):
            method(XS)
    classifier = cm.BlockSparseClassifier().fit(XC, YC, task=TASK)
    for method in (classifier.predict, classifier.predict_proba, classifier.decision_function):
        with pytest.raises(ValueError, match="task is missing"):
            method(XC)
        with pytest.raises(ValueError, match="task 'mars' was not seen in fit"):
            method(XC, task=["mars"] * len(XC))


def test_predict_for_tasks_that_do_not_fit(own_rows):
    with pytest.raises(ValueError, match=rf"task .*{len(XS) - 1}"):
        own_rows.predict(XS, task=TASK[:-1])
    with pytest.raises(ValueError, match=r"task must not be missing: 1 labels .* first at row 0"):
        own_rows.predict(XS, task=put(TASK, 0, None))


def test_predict_for_other_features(own_rows):
    with pytest.raises(ValueError, match=f"X has {D - 1} features, but BlockSparseRegressor is expecting {D} features"):
        own_rows.predict(XS[:, :-1], task=TASK)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        own_rows.predict(put(XS, (0, 0), nan), task=TASK)


def test_score_for_other_targets(common_rows):
    for wrong in (Y[:, :2], np.hstack([Y, Y]), Y[:-1]):
        with pytest.raises(ValueError, match="y"):
            common_rows.score(X, wrong)
    classifier = cm.BlockSparseClassifier().fit(X, LABELS)
    with pytest.raises(ValueError, match="y"):
        classifier.score(X, LABELS[:, :2])


# ---------------------------------------------------------------------------- difficult data that work

TOL = 1e-6

REGRESSION_FAMILIES = {
    "l2": cm.BlockSparseRegressor(),
    "linf": cm.BlockSparseRegressor(q=inf),
    "l1.5": cm.BlockSparseRegressor(q=1.5),
    "elastic_net": cm.BlockSparseRegressor(l1_ratio=0.5),
    "dirty": cm.DirtyRegressor(0.1, 0.06),
    "dirty_2": cm.DirtyRegressor(0.1, 0.07, q=2),
    "trace": cm.TraceNormRegressor(),
    "mean": cm.MeanRegularizedRegressor(),
    "mean_free": cm.MeanRegularizedRegressor(0.0, 1.0),
    "known_clusters": cm.ClusteredRegressor([0, 1, 0, 1]),
    "learned_clusters": cm.ClusteredRegressor(),
    "squared_trace": cm.MultiTaskRegressor(SquaredTraceNorm(0.1)),
    "sparse_group": cm.MultiTaskRegressor(SparseGroup(0.1)),
    "parts": cm.MultiTaskRegressor(Parts([("sparse", RowNorm(0.1, q=1)), ("low_rank", TraceNorm(0.1))])),
    "l2+graph": cm.MultiTaskRegressor(RowNorm(0.1) + GraphLaplacian([(0, 1), (1, 2), (2, 3)], 0.1)),
}
# Those that say something of four tasks, or nothing of a single one.
NOT_FOR_ONE_TASK = {"known_clusters", "l2+graph", "mean_free"}
CLASSIFIER_OF = dict(zip(cases.REGRESSORS, cases.CLASSIFIERS, strict=True))


def family(name, loss):
    """The estimator of that family with that loss."""
    regressor = REGRESSION_FAMILIES[name]
    params = {**regressor.get_params(deep=False), "loss": loss, "tol": TOL}
    is_classifier = loss in ("logistic", "squared_hinge")
    return clone((CLASSIFIER_OF[type(regressor)] if is_classifier else type(regressor))(**params))


def design(kind, rng, n, d=6):
    X = cases.features(rng, n, d)
    if kind == "constant_columns":
        X[:, [1, 4]] = [0.0, 7.0]
    elif kind == "duplicate_columns":
        X[:, 3], X[:, 4] = X[:, 0], -X[:, 1]
    elif kind == "rank_2":
        X = X[:, :2] @ rng.standard_normal((2, d))
    elif kind == "unequal_scales":
        X = X * np.logspace(-6, 6, d)
    elif kind == "far_from_zero":
        X = X + 2000.0
    elif kind == "few_samples":
        X = cases.features(rng, n, n + 6)
    return X


DESIGNS = [
    "constant_columns",
    "duplicate_columns",
    "rank_2",
    "unequal_scales",
    "far_from_zero",
    "few_samples",
    "one_sample",
]


def difficult_data(kind, loss, form):
    """(X, y, options); the targets depend on the standardised features."""
    rng = np.random.default_rng(0)
    n = 72 if form == "stacked" else 24
    if kind == "few_samples":
        n = 24
    elif kind == "one_sample" and form != "stacked":
        # One sample for a task would leave nothing to fit beside the intercept.
        n = 2
    elif cases.LOSSES[loss].loss.classification:
        # So many that the labels cannot be separated.
        n *= 3
    X = design(kind, rng, n)
    spread = X.std(axis=0)
    Z = (X - X.mean(axis=0)) / np.where(spread > 1e-12, spread, 1)
    n_tasks = 1 if form == "single" else 4
    z = Z @ cases.true_coefficients(rng, X.shape[1], n_tasks) + np.linspace(-0.5, 0.5, n_tasks)
    y = cases.LOSSES[loss].targets(z, rng)
    if loss == "poisson" and kind == "one_sample":
        # A task that counts nothing at all is another matter, and warned about.
        y = y + 1
    if form == "single":
        return X, y[:, 0], {}
    if form == "shared":
        return X, y, {}
    # With "one_sample" the last task has one; the others share the rest.
    codes = np.where(np.arange(n) == 0, 3, np.arange(n) % 3) if kind == "one_sample" else rng.permutation(n) % 4
    return X, y[np.arange(n), codes], {"task": codes}


def assert_certified(estimator, X, y, **options):
    """It converges without a warning (an error here), and the certificate from outside agrees."""
    estimator.fit(X, y, **options)
    problem = estimator._formulate(X, y, **options).problem
    # Where the objective at W = 0 is itself rounding, so is the gap.
    rounding = 1e-28 * float(problem.tasks.weight @ problem.tasks.y**2)
    assert np.isfinite(estimator.coef_).all() and np.isfinite(estimator.intercept_).all()
    assert certify_gap(estimator, X, y, **options) <= TOL * cases.scale_of(problem) * (1 + 1e-6) + rounding
    return estimator


def certify_gap(estimator, X, y, **options):
    return cm.certify(estimator, X, y, **options).gap


def at_fraction_of_largest_strength(estimator, fraction, X, y, **options):
    """The estimator with its strengths, in their ratios, at that fraction of the largest."""
    formulation = estimator._formulate(X, y, **options)
    factor = fraction * critical_factor(formulation.problem)
    if "penalty" in estimator.get_params(deep=False):
        return estimator.set_params(penalty=estimator.penalty.scaled(factor))
    return estimator.set_params(**{name: value * factor for name, value in formulation.strengths.items()})


def applicable(losses, forms, kinds=("",)):
    """(loss, family, kind, form), but what says nothing of a single task, or has a task with a single class."""
    return [
        (loss, name, kind, form)
        for loss in losses
        for name in REGRESSION_FAMILIES
        for kind in kinds
        for form in forms
        if not (form == "single" and name in NOT_FOR_ONE_TASK)
        and not (kind == "one_sample" and cases.LOSSES[loss].loss.classification)
    ]


def assert_certified_or_warned(estimator, X, y, **options):
    """A fit that stops short warns with the gap that it has reached, and that gap is true."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        estimator.fit(X, y, **options)
    gap = certify_gap(estimator, X, y, **options)
    assert_allclose(gap, estimator.dual_gap_, rtol=1e-3)
    if caught:
        assert f"Duality gap {estimator.dual_gap_:.3g}" in str(caught[-1].message)
    else:
        assert_certified(estimator, X, y, **options)


@pytest.mark.parametrize(
    "loss, name, kind, form",
    [
        *applicable(["squared"], ["shared", "stacked", "single"], DESIGNS),
        *applicable(["huber", "poisson", "logistic", "squared_hinge"], ["shared", "stacked"], DESIGNS),
    ],
)
def test_difficult_features(loss, name, kind, form):
    """At a tenth of the largest strength."""
    X, y, options = difficult_data(kind, loss, form)
    estimator = family(name, loss)
    estimator = at_fraction_of_largest_strength(estimator, 0.1, X, y, **options)
    assert_certified(estimator, X, y, **options)


@pytest.mark.parametrize("loss, name, kind, form", applicable(["squared"], ["shared", "stacked"], DESIGNS))
def test_difficult_features_at_default_strengths(loss, name, kind, form):
    X, y, options = difficult_data(kind, loss, form)
    estimator = family(name, loss)
    if kind == "unequal_scales" and name in ("squared_trace", "parts"):
        # Penalties of all features together, with eigenvalues over 24 orders of magnitude and a strength made for
        # the middle of them: out of reach, and the fit has to say so.
        assert_certified_or_warned(estimator, X, y, **options)
    else:
        assert_certified(estimator, X, y, **options)


@pytest.mark.parametrize("name", ["BlockSparseRegressor", "SharedFeatureRegressor", "TemporalClassifierCV"])
@pytest.mark.parametrize("container", [np.array, csr_array, pd.DataFrame])
def test_features_whose_squares_overflow(name, container):
    strange = np.array(X)
    strange[3, 1] = -1e155
    with pytest.raises(ValueError, match=r"X is too large, up to 1e\+155: its squares overflow"):
        getattr(cm, name)().fit(container(strange), np.sign(Y))


def with_norms_scaled(name, loss, scale):
    """The family with its norms times ``scale``: they grow with the targets, quadratic penalties do not."""
    estimator = family(name, cm.Huber(1.35 * scale) if loss == "huber" else loss)
    params = estimator.get_params()
    norms = {"alpha", "alpha_block", "alpha_sparse"} & set(params)
    if name == "l2+graph":
        norms = {"penalty__first__alpha"}
    elif name in ("sparse_group", "parts"):
        return estimator.set_params(penalty=estimator.penalty.scaled(scale))
    return estimator.set_params(**{k: params[k] * scale for k in norms})


@pytest.mark.parametrize("scale", [1e-8, 1e8])
@pytest.mark.parametrize(
    "loss, name, kind, form",
    applicable(["squared", "huber"], ["shared", "stacked"]) + applicable(["squared"], ["single"]),
)
def test_targets_of_any_scale(loss, name, kind, form, scale):
    X, y, options = difficult_data(kind, loss, form)
    small = family(name, loss).fit(X, y, **options)
    large = assert_certified(with_norms_scaled(name, loss, scale), X, y * scale, **options)
    # Half of an elastic net grows with the targets and half does not.
    if name != "elastic_net":
        assert_allclose(large.objective_, small.objective_ * scale**2, rtol=1e-5)
        assert_allclose(large.coef_ / scale, small.coef_, atol=0.01)


# (Of targets that large, a strength of 0.1 is nothing.)
@pytest.mark.filterwarnings("ignore:.*the penalty is too weak for tol:UserWarning")
@pytest.mark.parametrize("scale", [1e-8, 1e8])
@pytest.mark.parametrize("name", REGRESSION_FAMILIES)
def test_targets_of_a_scale_that_the_strength_was_not_made_for(name, scale):
    X, y, _ = difficult_data("", "squared", "shared")
    assert_certified(family(name, "squared"), X, y * scale)


# ------------------------------------------------------------------------------------- strength zero

FREE = {
    "l2": cm.BlockSparseRegressor(0.0),
    "dirty": cm.DirtyRegressor(0.0, 0.0),
    "dirty_no_block": cm.DirtyRegressor(0.0, 0.1),
    "dirty_no_sparse": cm.DirtyRegressor(0.1, 0.0),
    "trace": cm.TraceNormRegressor(0.0),
    "mean": cm.MeanRegularizedRegressor(0.0, 0.0),
    "known_clusters": cm.ClusteredRegressor([0, 1, 0, 1], alpha_mean=0.0, alpha_between=0.0, alpha_within=0.0),
    "learned_clusters": cm.ClusteredRegressor(alpha_mean=0.0, alpha_between=0.0, alpha_within=0.0),
    "squared_trace": cm.MultiTaskRegressor(SquaredTraceNorm(0.0)),
    "sparse_group": cm.MultiTaskRegressor(SparseGroup(0.0)),
    "box": cm.MultiTaskRegressor(SpectralBox(0.0)),
    "sum": cm.MultiTaskRegressor(RowNorm(0.0) + MeanCoupling(0.0, 0.0)),
}
# Some directions of the tasks are penalised, others are not.
PARTLY_FREE = {
    "mean_free": cm.MeanRegularizedRegressor(0.0, 1.0),
    "variance_free": cm.MeanRegularizedRegressor(1.0, 0.0),
    "known_clusters_mean_free": cm.ClusteredRegressor([0, 1, 0, 1], alpha_mean=0.0),
    "known_clusters_between_free": cm.ClusteredRegressor([0, 1, 0, 1], alpha_between=0.0),
    "learned_clusters_mean_free": cm.ClusteredRegressor(alpha_mean=0.0),
    "learned_clusters_between_free": cm.ClusteredRegressor(alpha_between=0.0),
    "graph": cm.MultiTaskRegressor(GraphLaplacian([(0, 1), (1, 2), (2, 3)], 0.1)),
    "graph_in_two_pieces": cm.MultiTaskRegressor(GraphLaplacian([(0, 1), (2, 3)], 0.1)),
    "ridge_alone": cm.MultiTaskRegressor(SquaredTraceNorm(0.0, 0.1)),
    "norm_of_strength_zero": cm.MultiTaskRegressor(RowNorm(0.0) + MeanCoupling(0.0, 0.1)),
}


def fit_free(estimator, loss, kind, form):
    X, y, options = difficult_data(kind, loss, form)
    params = {**estimator.get_params(deep=False), "loss": loss, "tol": TOL}
    is_classifier = loss in ("logistic", "squared_hinge")
    cls = CLASSIFIER_OF[type(estimator)] if is_classifier else type(estimator)
    return assert_certified(clone(cls(**params)), X, y, **options)


@pytest.mark.parametrize("form", ["shared", "stacked"])
@pytest.mark.parametrize("kind", ["", *DESIGNS])
@pytest.mark.parametrize("name", FREE)
@pytest.mark.parametrize("loss", ["squared", "huber"])
def test_strength_zero_in_regression(loss, name, kind, form):
    fit_free(FREE[name], loss, kind, form)


# Labels that can be separated have no best coefficients without a penalty: few samples are left out.
@pytest.mark.parametrize("form", ["shared", "stacked"])
@pytest.mark.parametrize("kind", ["", *DESIGNS[:3], "far_from_zero"])
@pytest.mark.parametrize("name", ["l2", "trace", "mean", "learned_clusters"])
@pytest.mark.parametrize("loss", ["poisson", "logistic", "squared_hinge"])
def test_strength_zero_for_counts_and_labels(loss, name, kind, form):
    fit_free(FREE[name], loss, kind, form)


@pytest.mark.parametrize("form", ["shared", "stacked"])
@pytest.mark.parametrize("kind", ["", *DESIGNS[:3], "far_from_zero"])
@pytest.mark.parametrize("name", PARTLY_FREE)
@pytest.mark.parametrize("loss", ["squared", "huber", "logistic"])
def test_some_strengths_zero(loss, name, kind, form):
    fit_free(PARTLY_FREE[name], loss, kind, form)


# All but what alternating directions solve: after 3000 iterations they are nowhere near.
@pytest.mark.parametrize("form", ["shared", "stacked"])
@pytest.mark.parametrize("name", [name for name in PARTLY_FREE if name != "learned_clusters_mean_free"])
@pytest.mark.parametrize("loss", ["squared", "huber", "poisson", "logistic", "squared_hinge"])
def test_some_strengths_zero_and_unequal_scales(loss, name, form):
    """A mean that nothing penalises is of size 1e6 in the smallest unit, and the gradient of size 1e-6."""
    fit_free(PARTLY_FREE[name], loss, "unequal_scales", form)


@pytest.mark.parametrize("form", ["shared", "stacked"])
@pytest.mark.parametrize("kind", ["few_samples", "one_sample"])
@pytest.mark.parametrize("name", PARTLY_FREE)
def test_some_strengths_zero_with_few_samples(name, kind, form):
    fit_free(PARTLY_FREE[name], "squared", kind, form)


def test_least_norm_is_not_promised_but_finite():
    """One sample for each task and no penalty: the fit is exact."""
    X, y = np.arange(1.0, 9.0).reshape(4, 2), np.array([1.0, 2.0, 3.0, 4.0])
    fit = cm.BlockSparseRegressor(0.0, fit_intercept=False).fit(X, y, task=range(4))
    assert_allclose(fit.predict(X, task=range(4)), y, atol=1e-6)


# ------------------------------------------------------------------------------ masked arrays

HOLES = np.random.default_rng(5).random(Y.shape) < 0.2


def masked(array, where):
    return np.ma.array(array, mask=np.broadcast_to(where, np.shape(array)))


@pytest.mark.parametrize("cls", [cm.BlockSparseRegressor, cm.MeanRegularizedRegressor, cm.TraceNormRegressorCV])
def test_masked_targets_are_missing(cls):
    few = {"alphas": 3, "cv": 2} if cls.__name__.endswith("CV") else {}
    wrong = np.where(HOLES, 1e6, Y)  # what is under the mask
    fit, expected = cls(**few).fit(X, masked(wrong, HOLES)), cls(**few).fit(X, put(Y, HOLES, nan))
    assert_array_equal(fit.coef_, expected.coef_)
    assert fit.score(X, masked(wrong, HOLES)) == expected.score(X, put(Y, HOLES, nan))
    z = fit.predict(X)
    for score in (metrics.nmse, metrics.explained_variance):
        assert score(masked(wrong, HOLES), z) == score(put(Y, HOLES, nan), z)
    assert_array_equal(fit.coef_, cls(**few).fit(X, masked(put(Y, HOLES, nan), HOLES)).coef_)


def test_masked_targets_without_holes_are_targets():
    assert_array_equal(
        cm.BlockSparseRegressor().fit(X, masked(Y, False)).coef_, cm.BlockSparseRegressor().fit(X, Y).coef_
    )


@pytest.mark.parametrize("labels", [["no", "yes"], [0, 1], [False, True]], ids=str)
def test_masked_labels_are_missing(labels):
    there, codes = np.array(labels), (LABELS == "yes").astype(int)
    expected = cm.BlockSparseClassifier().fit(X, np.where(HOLES, np.nan, codes.astype(float)))
    fit = cm.BlockSparseClassifier().fit(X, masked(there[codes], HOLES))
    assert_array_equal(fit.coef_, expected.coef_)
    assert_array_equal(fit.predict(X), there[expected.predict(X).astype(int)])
    assert fit.score(X, masked(there[codes], HOLES)) == expected.score(X, np.where(HOLES, np.nan, codes.astype(float)))


FIRST = np.arange(len(XS)) == 0
MASKED = {
    "X": lambda: cm.BlockSparseRegressor().fit(masked(XS, FIRST[:, None]), YS, task=TASK),
    "X in predict": lambda: cm.BlockSparseRegressor().fit(X, Y).predict(masked(X, np.arange(N)[:, None] == 0)),
    "X with a task column": lambda: cm.BlockSparseRegressor(task_column=0).fit(masked(XS, FIRST[:, None]), YS),
    "sample_weight": lambda: cm.BlockSparseRegressor().fit(XS, YS, task=TASK, sample_weight=masked(abs(YS), FIRST)),
    "sample_weight of a score": lambda: metrics.nmse(YS, YS + 1, task=TASK, sample_weight=masked(abs(YS), FIRST)),
    "task_weight": lambda: cm.BlockSparseRegressor(task_weight=masked(np.ones(T), np.arange(T) == 0)).fit(X, Y),
    "task": lambda: cm.BlockSparseRegressor().fit(XS, YS, task=masked(TASK, FIRST)),
    "task of a score": lambda: metrics.nmse(YS, YS + 1, task=masked(TASK, FIRST)),
    "y_pred": lambda: metrics.nmse(YS, masked(YS, FIRST), task=TASK),
    "groups": lambda: next(model_selection.TaskKFold(2).split(XS, YS, masked(TASK, FIRST))),
    "y": lambda: next(model_selection.TaskStratifiedKFold(2).split(XS, masked(YS, FIRST), TASK)),
    "task of a stack": lambda: cm.unstack_tasks(XS, YS, masked(TASK, FIRST)),
    "labels": lambda: cm.stack_tasks([X, X], [Y[:, 0], Y[:, 1]], labels=masked([1, 2], [True, False])),
}


@pytest.mark.parametrize("what", MASKED)
def test_what_is_masked_and_cannot_be_missing(what):
    with pytest.raises(ValueError, match=f"{what.split()[0]} must not be masked, got"):
        MASKED[what]()


@pytest.mark.parametrize("cls", [cm.BlockSparseRegressor, cm.BlockSparseClassifier])
def test_masked_targets_of_rows_with_a_task(cls):
    y = masked(YS if cls is cm.BlockSparseRegressor else YC, FIRST)
    refused(cls(), "y contains NaN", XS if cls is cm.BlockSparseRegressor else XC, y, task=TASK)


def test_nullable_arrays_are_not_masked_ones():
    """They have a mask under the same name."""
    task = pd.array(["a", None] * (len(XS) // 2 + 1), dtype="string")[: len(XS)]
    refused(cm.BlockSparseRegressor(), "task must not be missing", XS, YS, task=task)
    weight = pd.array(np.where(np.arange(len(XS)) % 2, 1, 2), dtype="Int64")
    assert_array_equal(
        cm.BlockSparseRegressor().fit(XS, YS, task=TASK, sample_weight=weight).coef_,
        cm.BlockSparseRegressor().fit(XS, YS, task=TASK, sample_weight=np.asarray(weight, dtype=float)).coef_,
    )


def test_masked_targets_in_other_places():
    wrong, holes = np.where(HOLES, 1e6, Y), put(Y, HOLES, nan)
    assert structures.correlation_graph(masked(wrong, HOLES)) == structures.correlation_graph(holes)
    y = cm.stack_tasks([X, X], [masked(wrong[:, t], HOLES[:, t]) for t in (0, 1)])[1]
    assert_array_equal(y.filled(nan), np.concatenate([holes[:, 0], holes[:, 1]]))
    stacked = cm.stack_tasks([masked(X, HOLES[:, :1])], [Y[:, 0]])
    refused(cm.BlockSparseRegressor(), "X must not be masked", *stacked[:2])


# ------------------------------------------------------------------------------ by keyword only


@pytest.mark.parametrize(
    "call",
    [
        lambda fit: fit.fit(XS, YS, TASK),
        lambda fit: cm.BlockSparseRegressorCV().fit(XS, YS, TASK),
        lambda fit: fit.predict(XS, TASK),
        lambda fit: fit.score(XS, YS, TASK),
        lambda fit: cm.BlockSparseClassifier().predict_proba(XS, TASK),
        lambda fit: cm.BlockSparseClassifier().decision_function(XS, TASK),
        lambda fit: cm.alpha_max(fit, XS, YS, TASK),
        lambda fit: cm.certify(fit, XS, YS, TASK),
        lambda fit: cm.reference.fit(fit, XS, YS, TASK),
        lambda fit: cm.regularization_path(fit, XS, YS, TASK),
        lambda fit: metrics.nmse(YS, YS, TASK),
        lambda fit: metrics.explained_variance(YS, YS, TASK),
        lambda fit: metrics.task_scores(YS, YS, TASK),
        lambda fit: cm.inspection.PathDisplay.from_estimator(fit, XS, YS, TASK),
    ],
)
def test_tasks_and_weights_by_keyword_only(call):
    with pytest.raises(TypeError, match="positional argument"):
        call(cm.BlockSparseRegressor())


# ------------------------------------------------------------------------------ tasks that fit has not seen


def test_unseen_tasks_name_the_way_out():
    frame = pd.DataFrame(XS).assign(school=np.sort(TASK)).rename(columns=str)
    model = cm.BlockSparseRegressor(task_column="school")
    with pytest.raises(ValueError) as caught:
        cross_val_score(model, frame, YS, cv=5, error_score="raise")
    said = str(caught.value)
    assert "was not seen in fit" in said and 'TaskKFold(5, task_column="school")' in said
    assert "\n" not in said and len(said) < 250
    with pytest.warns(UserWarning, match="Scoring failed") as warned:
        cross_val_score(model, frame, YS, cv=5)
    assert str(warned[0].message).rstrip().splitlines()[-1] == f"ValueError: {said}"
    way_out = model_selection.TaskKFold(5, task_column="school")
    assert np.isfinite(cross_val_score(model, frame, YS, cv=way_out)).all()
    with pytest.raises(ValueError, match=r"TaskKFold\(5\) and groups"):
        cm.BlockSparseRegressor().fit(XS, YS, task=TASK).predict(XS[:1], task=["?"])


def test_plain_arrays_are_read_as_others_are():
    """Arrays that scikit-learn would hand back as they are do not go through it; all others do."""
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    assert is_plain(X, (2,)) and not is_plain(X[0], (2,))
    for other in (X.astype(np.float32), X.tolist(), np.ma.array(X), X[:0], X.astype(">f8")):
        assert not is_plain(other, (2,))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # (Of large numbers the sum may be infinite: that is for others to decide.)
        assert not is_plain(np.full((2, 2), 1.7e308), (2,))
        model = cm.BlockSparseRegressor(0.1).fit(X, Y)
    for value, said in ((np.nan, "Input X contains NaN"), (np.inf, "Input X contains infinity")):
        bad = X.copy()
        bad[3, 1] = value
        with pytest.raises(ValueError, match=said):
            cm.BlockSparseRegressor(0.1).fit(bad, Y)
        with pytest.raises(ValueError, match=said):
            model.predict(bad)
    with pytest.raises(ValueError, match="Input y contains infinity"):
        cm.BlockSparseRegressor(0.1).fit(X, np.where(Y == Y[0, 0], np.inf, Y))
    with pytest.raises(ValueError, match="X has 2 features, but BlockSparseRegressor is expecting 3 features"):
        model.predict(X[:, :2])
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    named = cm.BlockSparseRegressor(0.1).fit(frame, Y)
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        np.testing.assert_array_equal(named.predict(X), model.predict(X))
    assert not hasattr(named.fit(X, Y), "feature_names_in_") and named.n_features_in_ == 3
