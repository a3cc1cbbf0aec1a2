"""The cross-validated twins."""

import inspect
import pickle
import re
import warnings
from itertools import cycle

import cases
import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import MultiTaskElasticNetCV, MultiTaskLassoCV
from sklearn.model_selection import GroupKFold, KFold

import convexmtl as cm
from benchmarks.searches import drawn as small_tasks
from benchmarks.searches import twins
from convexmtl import datasets
from convexmtl.data import DataTerm
from convexmtl.estimators import _cv
from convexmtl.estimators._folds import condensed
from convexmtl.model_selection import TaskKFold, TaskStratifiedKFold

TWINS = [getattr(cm, name) for name in cm.estimators.__all__ if name.endswith("CV") and "Mixed" not in name]
QUICK = {"alphas": 5, "cv": 3, "eps": 0.05}


def drawn(cls, layout="stacked"):
    """X, y and the keyword arguments of fit."""
    made = datasets.make_clustered(
        n_tasks=4, n_samples=15, n_features=6, layout=layout, classification=is_classifier(cls()), random_state=0
    )
    return (made[0], made[1], {"task": made[2]}) if layout == "stacked" else (made[0], made[1], {})


@pytest.mark.covering(1)
@cases.few_checks
@cases.checks_of_scikit_learn([cls(alphas=3, eps=0.2, cv=3) for cls in TWINS])
def test_sklearn_compatible_estimator(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


@pytest.mark.covering(1)
@pytest.mark.parametrize("layout", ["shared", "stacked"])
@pytest.mark.parametrize("cls", TWINS)
def test_twin_is_its_single_at_the_strengths_it_found(cls, layout):
    X, y, given = drawn(cls, layout)
    twin = cls(**QUICK, tol=1e-8).fit(X, y, **given)
    names = inspect.signature(cls._single).parameters
    single = cls._single(**{n: v for n, v in twin.get_params().items() if n in names})
    if hasattr(twin, "penalty_"):
        single.set_params(penalty=twin.penalty_)
    else:
        single.set_params(**{name: getattr(twin, f"{name}_") for name in cls._replaced})
    single.fit(X, y, **given)
    assert_allclose(twin.coef_, single.coef_, atol=1e-4)
    assert_allclose(twin.objective_, single.objective_, rtol=1e-6)
    assert_allclose(cm.certify(twin, X, y, **given).gap, twin.dual_gap_, atol=1e-8)
    n_folds = twin.mse_path_.shape[-1]
    assert n_folds == 3 and twin.mse_path_.shape[-2] == 5 and np.all(np.isfinite(twin.mse_path_))
    assert twin.mse_path_.mean(axis=-1).min() == twin.mse_path_.mean(axis=-1)[_chosen(twin)]


def _chosen(twin):
    """Position of the chosen strengths in the grid."""
    mean = twin.mse_path_.mean(axis=-1)
    return np.unravel_index(np.argmin(mean), mean.shape)


@pytest.mark.covering(1)
@pytest.mark.parametrize("cls", TWINS)
def test_errors_are_those_of_a_search_by_hand(cls):
    """The errors on a fold, for the strengths of the first path, from separate fits."""
    X, y, given = drawn(cls)
    task = given["task"]
    folds = list(TaskKFold(3).split(X, y, groups=task))
    twin = cls(alphas=4, eps=0.2, cv=folds, tol=1e-10).fit(X, y, **given)
    several = twin.mse_path_.ndim == 3
    errors, alphas = (twin.mse_path_[0], twin.alphas_[0]) if several else (twin.mse_path_, twin.alphas_)
    setting = twin._settings(6, 4)[0]
    for a, alpha in enumerate(alphas):
        single = twin._at(setting)
        penalty = single._penalty()
        lead = next(v for v in penalty.strength_values().values() if v > 0)
        penalty = penalty.scaled(alpha / lead)
        generic = cm.MultiTaskClassifier if is_classifier(twin) else cm.MultiTaskRegressor
        for k, (train, test) in enumerate(folds):
            fit = generic(penalty, tol=1e-10).fit(X[train], y[train], task=task[train])
            means = []
            for t in fit.tasks_:
                rows = test[task[test] == t]
                if is_classifier(twin):
                    z = fit.decision_function(X[rows], task=task[rows])
                    sign = np.where(y[rows] == fit.classes_[1], 1, -1)
                    means.append(np.mean(np.log1p(np.exp(-sign * z))))
                else:
                    means.append(np.mean((y[rows] - fit.predict(X[rows], task=task[rows])) ** 2))
            assert_allclose(errors[a, k], np.mean(means), rtol=1e-4)


@pytest.mark.parametrize("ours, theirs", [(1.0, MultiTaskLassoCV), (0.5, MultiTaskElasticNetCV)])
def test_same_as_scikit_learn(ours, theirs):
    X, Y, _ = datasets.make_block_sparse(n_tasks=3, n_samples=40, n_features=10, layout="shared", random_state=0)
    options = {"alphas": 20, "eps": 1e-2, "cv": 4, "tol": 1e-9}
    a = cm.BlockSparseRegressorCV(l1_ratio=ours, **options).fit(X, Y)
    if cases.scikit_learn_before("1.7"):
        options["n_alphas"] = options.pop("alphas")
    b = theirs(**options, max_iter=100_000).fit(X, Y)
    assert_allclose(a.alphas_, b.alphas_)
    assert_allclose(a.mse_path_, b.mse_path_, rtol=1e-5)
    assert_allclose(a.alpha_, b.alpha_)
    assert_allclose(a.coef_, b.coef_, atol=1e-6)
    assert_allclose(a.intercept_, b.intercept_, atol=1e-6)
    assert_allclose(a.dual_gap_, cm.certify(a, X, Y).gap, atol=1e-12)


@pytest.mark.parametrize("cls", [cm.BlockSparseRegressorCV, cm.DirtyRegressorCV, cm.MeanRegularizedClassifierCV])
@pytest.mark.parametrize("n_jobs", [2, -1])
def test_jobs_change_nothing(cls, n_jobs):
    X, y, given = drawn(cls)
    one = cls(**QUICK).fit(X, y, **given)
    more = cls(**QUICK, n_jobs=n_jobs).fit(X, y, **given)
    assert_array_equal(one.mse_path_, more.mse_path_)
    assert_array_equal(one.coef_, more.coef_)


def test_one_standard_error_is_a_stronger_penalty():
    X, y, given = drawn(cm.BlockSparseRegressorCV)
    best = cm.BlockSparseRegressorCV(alphas=30, cv=5).fit(X, y, **given)
    simple = cm.BlockSparseRegressorCV(alphas=30, cv=5, selection="1se").fit(X, y, **given)
    mean, a = best.mse_path_.mean(axis=1), np.flatnonzero(best.alphas_ == best.alpha_)[0]
    allowed = mean[a] + best.mse_path_[a].std(ddof=1) / np.sqrt(5)
    assert simple.alpha_ > best.alpha_
    assert simple.alpha_ == best.alphas_[mean <= allowed].max()


def test_two_strengths_make_a_grid():
    X, y, given = drawn(cm.DirtyRegressorCV)
    twin = cm.DirtyRegressorCV(ratios=[1.5, 3.0], alphas=4, cv=3).fit(X, y, **given)
    assert twin.alphas_.shape == (2, 4) and twin.mse_path_.shape == (2, 4, 3)
    assert twin.alpha_block_ / twin.alpha_sparse_ == pytest.approx([1.5, 3.0][_chosen(twin)[0]])
    assert twin.alpha_block_ == pytest.approx(twin.alphas_[_chosen(twin)])


def test_several_mixtures():
    X, y, given = drawn(cm.BlockSparseRegressorCV)
    twin = cm.BlockSparseRegressorCV(l1_ratio=[0.2, 0.9], alphas=4, cv=3).fit(X, y, **given)
    assert twin.l1_ratio_ in (0.2, 0.9) and twin.alphas_.shape == (2, 4)


def test_given_strengths_are_taken_as_they_are():
    X, y, given = drawn(cm.BlockSparseRegressorCV)
    twin = cm.BlockSparseRegressorCV(alphas=[0.01, 1.0, 0.1], cv=3).fit(X, y, **given)
    assert_array_equal(twin.alphas_, [1.0, 0.1, 0.01])
    assert twin.alpha_ in twin.alphas_


@pytest.mark.parametrize("selection", ["best", "1se"])
@pytest.mark.parametrize("layout", ["shared", "holes", "stacked", "many"])
@pytest.mark.parametrize("cls", [cm.DirtyRegressorCV, cm.BlockSparseRegressorCV, cm.MeanRegularizedClassifierCV])
def test_errors_of_tasks(cls, layout, selection):
    """Those of separate fits at the strengths chosen; with the weights of the tasks they make the error of a fold."""
    if layout == "many":
        X, y, given = many_samples("stacked")
        y = (y > np.median(y)).astype(int) if is_classifier(cls()) else y
        given = {"task": np.unique(given["task"], return_inverse=True)[1]}
    else:
        X, y, given = drawn(cls, "stacked" if layout == "stacked" else "shared")
    if layout == "holes":
        y = y.astype(float)
        y[:5, 1] = y[::3, 2] = np.nan  # of one task the first fold tests nothing
    n_tasks = len(np.unique(given["task"])) if given else y.shape[1]
    weight = np.arange(1.0, n_tasks + 1)
    folds = list(TaskKFold(3).split(X, groups=given["task"]) if given else KFold(3).split(X))
    twin = cls(alphas=4, eps=0.05, cv=folds, tol=1e-9, task_weight=weight, selection=selection).fit(X, y, **given)
    errors = np.full((3, n_tasks), np.nan)
    generic = cm.MultiTaskClassifier if is_classifier(twin) else cm.MultiTaskRegressor
    for k, (train, test) in enumerate(folds):
        part = {"task": given["task"][train]} if given else {}
        fit = generic(twin._found, tol=1e-9, task_weight=weight).fit(X[train], y[train], **part)
        z = X[test] @ fit.coef_.T + fit.intercept_
        for t in range(n_tasks):
            mine = given["task"][test] == t if given else ~np.isnan(y[test, t])
            target = y[test][mine] if given else y[test][mine, t]
            signed = (1 - 2 * target) * z[mine, t]
            loss = np.logaddexp(0, signed) if is_classifier(twin) else (target - z[mine, t]) ** 2
            errors[k, t] = loss.mean() if mine.any() else np.nan
    assert_allclose(twin.task_errors_, errors, rtol=1e-4)
    tested = np.where(np.isnan(errors), 0, weight)
    whole = np.sum(tested * np.nan_to_num(errors), axis=1) / tested.sum(axis=1)
    assert np.min(np.abs(twin.mse_path_.reshape(-1, 3) - whole).max(axis=1)) < 1e-4 * whole.max()


def test_default_folds_split_within_every_task():
    X, y, given = drawn(cm.BlockSparseRegressorCV)
    task = given["task"]
    default = cm.BlockSparseRegressorCV(alphas=4).fit(X, y, **given)
    spelled = cm.BlockSparseRegressorCV(alphas=4, cv=list(TaskKFold(5).split(X, y, groups=task))).fit(X, y, **given)
    assert_array_equal(default.mse_path_, spelled.mse_path_)
    X, y, given = drawn(cm.BlockSparseClassifierCV)
    default = cm.BlockSparseClassifierCV(alphas=4).fit(X, y, **given)
    folds = list(TaskStratifiedKFold(5).split(X, y, groups=task))
    assert_array_equal(default.mse_path_, cm.BlockSparseClassifierCV(alphas=4, cv=folds).fit(X, y, **given).mse_path_)


def test_folds_without_a_task_are_an_error():
    X, y, given = drawn(cm.BlockSparseRegressorCV)
    folds = list(GroupKFold(4).split(X, y, groups=given["task"]))
    with pytest.raises(ValueError, match=r"cv: fold 0 trains on no sample of task 3. Use TaskKFold"):
        cm.BlockSparseRegressorCV(alphas=3, cv=folds).fit(X, y, **given)


def test_folds_that_test_nothing_are_an_error():
    X, y, given = drawn(cm.BlockSparseRegressorCV)
    weight = np.ones(len(y))
    folds = list(TaskKFold(3).split(X, y, groups=given["task"]))
    weight[folds[1][1]] = 0.0
    with pytest.raises(ValueError, match="cv: fold 1 tests no sample with a target and a positive weight"):
        cm.BlockSparseRegressorCV(alphas=3, cv=folds).fit(X, y, **given, sample_weight=weight)


def test_rows_in_any_order():
    X, y, given = drawn(cm.TraceNormRegressorCV)
    shuffled = np.random.default_rng(0).permutation(len(y))
    folds = list(TaskKFold(3).split(X, y, groups=given["task"]))
    position = np.argsort(shuffled)
    moved = [(position[train], position[test]) for train, test in folds]
    a = cm.TraceNormRegressorCV(alphas=4, cv=folds, tol=1e-10).fit(X, y, **given)
    b = cm.TraceNormRegressorCV(alphas=4, cv=moved, tol=1e-10)
    b.fit(X[shuffled], y[shuffled], task=given["task"][shuffled])
    assert_allclose(a.mse_path_, b.mse_path_, rtol=1e-5)


def test_missing_targets():
    X, Y, _ = drawn(cm.BlockSparseRegressorCV, "shared")
    Y = np.array(Y)
    Y[::4, 0] = np.nan
    twin = cm.BlockSparseRegressorCV(alphas=4, cv=KFold(3), tol=1e-8).fit(X, Y)
    (train, test), alpha = next(iter(KFold(3).split(X))), twin.alphas_[-1]
    fit = cm.BlockSparseRegressor(alpha, tol=1e-8).fit(X[train], Y[train])
    assert_allclose(twin.mse_path_[-1, 0], np.nanmean((Y[test] - fit.predict(X[test])) ** 2, axis=0).mean(), rtol=1e-5)


def test_rows_that_are_taken_twice():
    """As in a bootstrap, and as MultiTaskLassoCV has it."""
    X, Y, _ = datasets.make_block_sparse(n_tasks=3, n_samples=30, n_features=8, layout="shared", random_state=0)
    rng = np.random.default_rng(0)
    folds = [(rng.integers(0, 30, 30), rng.integers(0, 30, 20)) for _ in range(3)]
    options = {"alphas": [0.5, 0.1, 0.02], "cv": folds, "tol": 1e-10}
    ours = cm.BlockSparseRegressorCV(**options).fit(X, Y)
    assert_allclose(ours.mse_path_, MultiTaskLassoCV(**options, max_iter=100_000).fit(X, Y).mse_path_, rtol=1e-5)
    task = np.arange(30) % 3
    ours = cm.BlockSparseRegressorCV(**options).fit(X, Y[:, 0], task=task)
    train, test = folds[0]
    by_hand = cm.BlockSparseRegressor(0.1, tol=1e-10).fit(X[train], Y[train, 0], task=task[train])
    squares = (Y[test, 0] - by_hand.predict(X[test], task=task[test])) ** 2
    assert_allclose(ours.mse_path_[1, 0], np.mean([squares[task[test] == t].mean() for t in range(3)]), rtol=1e-5)


def test_masks_and_negative_positions():
    X, y, given = drawn(cm.BlockSparseRegressorCV)
    folds = list(TaskKFold(3).split(X, y, groups=given["task"]))
    masks = [tuple(np.isin(np.arange(len(y)), part) for part in fold) for fold in folds]
    behind = [tuple(part - len(y) for part in fold) for fold in folds]
    expected = cm.BlockSparseRegressorCV(alphas=4, cv=folds).fit(X, y, **given).mse_path_
    for other in (masks, behind):
        assert_array_equal(cm.BlockSparseRegressorCV(alphas=4, cv=other).fit(X, y, **given).mse_path_, expected)


@pytest.mark.parametrize(
    "cv, message",
    [
        ([], "cv has no splits"),
        (iter([]), "cv has no splits"),
        ([([0, 1], [99])], "cv: fold 0 must be"),
        ([([0, 1], [0.5])], "cv: fold 0 must be"),
        ([([0, 1], [[2]])], "cv: fold 0 must be"),
    ],
)
def test_bad_folds(cv, message):
    X, y, given = drawn(cm.BlockSparseRegressorCV)
    with pytest.raises(ValueError, match=message):
        cm.BlockSparseRegressorCV(alphas=3, cv=cv).fit(X, y, **given)


@pytest.mark.parametrize("observed", [slice(24, None), slice(None, None, 5), slice(0, 3)])
def test_default_folds_split_within_tasks_with_few_targets(observed):
    X, Y, _ = datasets.make_block_sparse(n_tasks=3, n_samples=30, n_features=8, layout="shared", random_state=0)
    missing = np.ones(30, dtype=bool)
    missing[observed] = False
    Y[missing, 1] = np.nan
    twin = cm.BlockSparseRegressorCV(alphas=4).fit(X, Y)
    assert twin.mse_path_.shape == (4, 5) and np.all(np.isfinite(twin.mse_path_))
    Y[:, 1] = np.where(np.arange(30) == 3, 1.0, np.nan)
    with pytest.raises(ValueError, match=r"cv: fold \d trains on no sample of task 1\. .* use fewer folds"):
        cm.BlockSparseRegressorCV(alphas=4).fit(X, Y)


@pytest.mark.parametrize("layout", ["stacked", "shared", "missing", "single"])
@pytest.mark.parametrize("cls", [cm.BlockSparseRegressorCV, cm.BlockSparseClassifierCV, cm.MeanRegularizedRegressorCV])
def test_rows_of_no_weight_are_as_good_as_none(cls, layout):
    X, y, given = drawn(cls, "stacked" if layout == "stacked" else "shared")
    weight = np.ones(len(y))
    weight[:4] = 0.0  # the first fold, if they were dealt out
    weight[5::7] = 0.0
    if layout == "stacked":
        weight[np.flatnonzero(given["task"] == 0)[10:]] = 0.0  # and more in one of the tasks
    if layout == "single":
        y = y[:, 0]
    if layout == "missing":
        y = np.array(y, dtype=float)
        y[::3, 1] = np.nan
        y[9] = np.nan  # a row without any target
    kept = (weight > 0) & (np.isnan(y).sum(axis=1) < y.shape[1] if y.ndim == 2 else True)
    # (Errors of fits to 1e-8 are known to the root of that.)
    a = cls(alphas=4, cv=3, tol=1e-11).fit(X, y, sample_weight=weight, **given)
    b = cls(alphas=4, cv=3, tol=1e-11).fit(X[kept], y[kept], **{name: value[kept] for name, value in given.items()})
    assert_allclose(a.mse_path_, b.mse_path_, rtol=1e-5)
    assert_allclose(a.coef_, b.coef_, atol=1e-5)


@pytest.mark.parametrize(
    "penalty",
    [
        cm.GraphLaplacian([("b", "c"), ("c", "d")], 2.0),
        cm.GraphGuided([("b", "c"), ("c", "d")], 0.05, alpha_sparse=0.05),
        cm.TreeGuided([(["b", "c"], 1.0), (["b", "c", "d"], 0.5)], 0.1),
        cm.ClusterCoupling({"b": 0, "c": 0, "d": 1, "e": 1, "a": 2}, 0.1, 0.1, 3.0),
        cm.RowNorm(0.1) + cm.GraphLaplacian([("b", "c"), ("c", "d")], 2.0),
        cm.Parts([("rows", cm.RowNorm(0.1)), ("tree", cm.TreeGuided([(["b", "c"], 1.0), (["d"], 1.0)], 0.2))]),
    ],
    ids=lambda penalty: type(penalty).__name__,
)
def test_the_penalty_that_was_found_speaks_of_labels(penalty):
    """On other tasks it joins those of the same names."""
    X, y, given = drawn(cm.MultiTaskRegressorCV)
    task = np.array(list("abcd"))[given["task"]]
    more = np.array(list("bcde"))[given["task"]]  # other tasks, of which three have the same names
    if not isinstance(penalty, cm.ClusterCoupling):
        task, more = more, np.where(task == "a", "z", task)
    twin = cm.MultiTaskRegressorCV(penalty, alphas=3, cv=3).fit(X, y, task=task)
    factor = next(iter(twin.penalty_.strength_values().values())) / next(iter(penalty.strength_values().values()))
    expected = cm.MultiTaskRegressor(penalty.scaled(factor), tol=1e-8).fit(X, y, task=more)
    for found in (twin.penalty_, clone(twin.penalty_), pickle.loads(pickle.dumps(twin)).penalty_):
        again = cm.MultiTaskRegressor(found, tol=1e-8).fit(X, y, task=more)
        assert_allclose(again.coef_, expected.coef_, atol=1e-6)
    assert repr(twin.penalty_) == repr(penalty.scaled(factor))


def test_what_was_found_stays_when_the_penalty_changes():
    X, y, given = drawn(cm.MultiTaskRegressorCV)
    edges = [(0, 1), (2, 3)]
    twin = cm.MultiTaskRegressorCV(cm.GraphLaplacian(edges), alphas=3, cv=3).fit(X, y, **given)
    edges.append((1, 2))
    assert twin.penalty_.edges == [(0, 1), (2, 3)]


EDGES, TREE = [(0, 1), (1, 2)], [([0, 1], 1.0)]


@pytest.mark.parametrize(
    "family, given, names",
    [
        ("GraphGuided", (EDGES,), ["graph"]),
        ("TreeGuided", (TREE,), ["tree"]),
        ("MultiTask", (cm.RowNorm(0.2),), ["penalty"]),
        ("Clustered", ([0, 0, 1, 1], 3), ["clusters", "n_clusters"]),
        ("BlockSparse", (), []),
        ("Temporal", (), []),
    ],
)
@pytest.mark.parametrize("kind", ["Regressor", "Classifier"])
def test_arguments_by_position(family, given, names, kind):
    """A position means the same in the single estimator and in its twin, up to the first strength."""
    single, twin = (getattr(cm, f"{family}{kind}{suffix}") for suffix in ("", "CV"))
    for cls in (single, twin):
        assert [getattr(cls(*given), name) for name in names] == list(given)
    with pytest.raises(TypeError, match="too many positional arguments"):
        twin(*given, 0.1)


@pytest.mark.parametrize("cls", [cm.BlockSparseRegressorCV, cm.BlockSparseClassifierCV])
def test_ridge_has_the_grid_of_the_quadratic_penalties(cls):
    X, y, given = drawn(cls)
    twin = cls(l1_ratio=[0, 0.5], alphas=4, cv=3).fit(X, y, **given)
    single = cls._single(l1_ratio=0)
    assert_allclose(twin.alphas_[0], cm.alpha_max(single, X, y, **given) * np.geomspace(1, 1e-3, 4))
    alone = cls(l1_ratio=0, alphas=4, cv=3).fit(X, y, **given)
    assert_allclose(alone.mse_path_, twin.mse_path_[0], rtol=1e-6)


@pytest.mark.covering(1)
@pytest.mark.parametrize("name", ["feature", "targets"])
@pytest.mark.parametrize("cls", TWINS)
def test_nothing_to_search_for_is_said(cls, name):
    """A constant feature, far from zero, or constant targets: one warning, and fits that are done at once."""
    y = np.arange(36).reshape(12, 3) % 7.0
    X = np.full((12, 1), 1e6 / 3)
    if is_classifier(cls()):
        y = (y > 3).astype(int)
    elif name == "targets":
        X, y = np.arange(24.0).reshape(12, 2) ** 2 % 11, np.tile([0.1, 5.3, 1e4 / 3], (12, 1))
    with pytest.warns(UserWarning, match="alpha_max is 0: .* pass the strengths to try as alphas") as caught:
        twin = cls(alphas=3, cv=2, max_iter=2).fit(X, y)
    assert len(caught) == 1 and caught[0].filename == __file__
    assert_allclose(twin.coef_, 0, atol=1e-15)
    assert_allclose(twin.mse_path_, twin.mse_path_.flat[: twin.mse_path_.shape[-1]] + 0 * twin.mse_path_, rtol=1e-9)


def test_nothing_is_left_of_another_fit():
    X, y, given = drawn(cm.MultiTaskRegressorCV)
    twin = cm.MultiTaskRegressorCV(penalty=cm.RowNorm(0.1), **QUICK).fit(X, y, **given)
    twin.set_params(penalty=cm.MeanCoupling(0.1, 0.2)).fit(X, y, **given)
    fresh = clone(twin).fit(X, y, **given)
    assert vars(twin).keys() == vars(fresh).keys() and hasattr(twin, "mean_coef_") and not hasattr(twin, "alpha_")
    single = cm.MultiTaskRegressor(cm.MeanCoupling(0.1, 0.2)).fit(X, y, **given)
    single.set_params(penalty=cm.RowNorm(0.1)).fit(X, y, **given)
    assert not hasattr(single, "mean_coef_")


# (A single task has both lasso and group, and of numbers that are given all are tried.)
NO_RATIOS = [c for c in TWINS if "ratios" in c._searched and not re.match("RobustF|SparseL|TaskR", c.__name__)]


@pytest.mark.parametrize("cls", NO_RATIOS, ids=lambda c: c.__name__)
def test_one_task_has_no_ratios(cls):
    X, y, _ = drawn(cls)
    twin = cls(alphas=3, cv=3).fit(X, y)
    assert twin.mse_path_.shape == (3, 3) and len(twin.settings_) == 1


@pytest.mark.parametrize("cls", [cm.MeanRegularizedRegressorCV, cm.ClusteredRegressorCV, cm.TraceNormRegressorCV])
@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_features_of_any_scale(cls, scale):
    X, y, given = drawn(cls)
    a, b = cls(alphas=4, cv=3).fit(X, y, **given), cls(alphas=4, cv=3).fit(X * scale, y, **given)
    assert_allclose(a.mse_path_, b.mse_path_, rtol=1e-2)


def test_weight_counts_rows():
    X, y, given = drawn(cm.BlockSparseRegressorCV)
    task, weight = given["task"], np.random.default_rng(0).integers(0, 3, len(y)).astype(float)
    repeats = np.repeat(np.arange(len(y)), weight.astype(int))
    folds = list(TaskKFold(3).split(X, groups=task))
    again = [tuple(np.flatnonzero(np.isin(repeats, part)) for part in fold) for fold in folds]
    a = cm.BlockSparseRegressorCV(alphas=5, cv=folds, tol=1e-10).fit(X, y, sample_weight=weight, task=task)
    b = cm.BlockSparseRegressorCV(alphas=5, cv=again, tol=1e-10).fit(X[repeats], y[repeats], task=task[repeats])
    assert_allclose(a.alphas_, b.alphas_)
    assert_allclose(a.mse_path_, b.mse_path_, rtol=1e-5)


def test_one_warning_for_all_folds():
    X, y, given = drawn(cm.BlockSparseRegressorCV)
    with pytest.warns(ConvergenceWarning) as caught:
        cm.BlockSparseRegressorCV(alphas=4, cv=3, max_iter=1, tol=0).fit(X, y, **given)
    assert sum("on the folds" in str(w.message) for w in caught) == 1 and len(caught) <= 2


@pytest.mark.parametrize(
    "parameters, message",
    [
        ({"alphas": 0}, "alphas"),
        ({"alphas": [-1.0]}, "positive"),
        ({"eps": 0.0}, "eps"),
        ({"alphas": ["x"]}, r"alphas must be .* got \['x'\]"),
        ({"l1_ratio": []}, r"l1_ratio must be a number in \[0, 1\] or a list of them, got \[\]"),
        ({"l1_ratio": "a"}, "l1_ratio must be .* got 'a'"),
        ({"l1_ratio": [0.5, 1.5]}, "l1_ratio must be .* got"),
        ({"l1_ratio": None}, "l1_ratio must be .* got None"),
        ({"selection": "cyclic"}, "selection"),
        ({"cv": 1}, "n_splits"),
    ],
)
def test_parameters(parameters, message):
    X, y, given = drawn(cm.BlockSparseRegressorCV)
    with pytest.raises(ValueError, match=message):
        cm.BlockSparseRegressorCV(**parameters).fit(X, y, **given)
    with pytest.raises(TypeError, match="unexpected keyword argument 'alpha'"):
        cm.BlockSparseRegressorCV(alpha=1.0)


def test_ratios():
    X, y, given = drawn(cm.DirtyRegressorCV)
    for ratios in (0, [0.0], [], "a", None, [[1.0]]):
        with pytest.raises(ValueError, match="ratios must be"):
            cm.DirtyRegressorCV(ratios=ratios).fit(X, y, **given)


@pytest.mark.covering(1)
@pytest.mark.parametrize("cls", TWINS)
def test_cloned_shown_and_pickled(cls):
    twin = cls(alphas=3, cv=3, eps=0.1)
    assert "alphas=3" in repr(twin) and clone(twin).get_params()["cv"] == 3
    X, y, given = drawn(cls)
    twin.fit(X, y, **given)
    assert_array_equal(pickle.loads(pickle.dumps(twin)).predict(X, **given), twin.predict(X, **given))


# ------------------------------------------------------------------------------ folds from statistics

UNITS = np.array([[1.0], [1e-3], [1e4]])


def many_samples(layout, seed=0, noise=0.5, far=0.0):
    """X, y and the arguments of fit: many more rows than 3 features of unequal scale, 3 tasks."""
    rng = np.random.default_rng(seed)
    n = 240 if layout == "stacked" else 300
    X, W = (rng.normal(size=(n, 3)) + far) * UNITS.T, rng.normal(size=(3, 3)) / UNITS
    if layout == "stacked":
        task = rng.permutation(np.repeat(["b", "a", "c"], [70, 80, 90]))
        codes = np.unique(task, return_inverse=True)[1]
        y = np.einsum("ij,ij->i", X, W.T[codes]) + codes + noise * rng.normal(size=n)
        return X, y, {"task": task, "sample_weight": rng.integers(1, 4, n).astype(float)}
    Y = X @ W + [0.0, 5.0, -5.0] + noise * rng.normal(size=(n, 3))
    if layout == "holes":
        Y[rng.random(Y.shape) < 0.2] = np.nan
    return X, Y, {"sample_weight": rng.uniform(0.5, 2.0, n)}


def folds_of(cv, n, seed=0):
    """Folds that are parts of the whole, or rows that may be taken twice or never."""
    rng = np.random.default_rng(seed)
    return [(rng.integers(0, n, n), rng.integers(0, n, n // 2)) for _ in range(3)] if cv == "drawn" else cv


def read(twin, X, y, task=None, sample_weight=None):
    """(data, folds) of a search."""
    data = twin._read(X, y, sample_weight, task, reset=True)
    return data, twin._folds(X, y, data, {})


@pytest.mark.parametrize("cv", [2, 4, "drawn"])
@pytest.mark.parametrize("layout", ["shared", "holes", "stacked"])
@cases.law(10)
@hypothesis.given(st.integers(0, 1000), st.sampled_from([0.0, 100.0]))
def test_statistics_of_a_fold_are_the_same_problem_and_errors(layout, cv, seed, far):
    X, y, options = many_samples(layout, seed, far=far)
    data, folds = read(cm.MeanRegularizedRegressorCV(cv=folds_of(cv, len(X), seed)), X, y, **options)
    rng = np.random.default_rng(seed)
    for few, (train, test) in zip(condensed(data, folds), folds, strict=True):
        tasks, (held_out, left) = data.tasks.part(train)[0], data.tasks.part(test)
        assert few.train.n_rows < tasks.n_rows / 2
        W = rng.normal(size=(3, 3)) / UNITS
        b = rng.normal(size=3) - far * np.sum(W * UNITS, axis=0)
        term, expected = DataTerm(few.train, data.loss), DataTerm(tasks, data.loss)
        assert_allclose(term.value(term.predict(W, b)), expected.value(expected.predict(W, b)), rtol=1e-9)
        z = held_out.shift(held_out.apply(W[:, left]), b[left])
        expected = held_out.weight @ (held_out.y - z) ** 2 / held_out.weight.sum()
        assert_allclose(few.errors(W[None], b[None])[0] @ few.share, expected, rtol=1e-9)


def searched(cls, data, statistics, monkeypatch, **parameters):
    """The twin fitted, with statistics of the folds or without."""
    X, y, options = data
    with monkeypatch.context() as patch:
        if not statistics:
            patch.setattr(_cv, "condensed", lambda data, folds: [None] * len(folds))
        return cls(alphas=6, **parameters).fit(X, y, **options)


@pytest.mark.parametrize("cv", [4, "drawn"])
@pytest.mark.parametrize("layout", ["shared", "holes", "stacked"])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("cls", [cm.MeanRegularizedRegressorCV, cm.BlockSparseRegressorCV, cm.TraceNormRegressorCV])
def test_search_is_the_same_from_statistics_as_from_samples(cls, intercept, layout, cv, monkeypatch):
    data = many_samples(layout)
    options = {"cv": folds_of(cv, len(data[0])), "fit_intercept": intercept, "tol": 1e-12}
    ours, theirs = (searched(cls, data, statistics, monkeypatch, **options) for statistics in (True, False))
    assert_allclose(ours.mse_path_, theirs.mse_path_, rtol=1e-8)
    assert_allclose(ours.coef_ * UNITS.T, theirs.coef_ * UNITS.T, rtol=1e-8)


def test_jobs_change_nothing_where_folds_are_statistics():
    X, y, options = many_samples("stacked")
    one, more = (cm.MeanRegularizedRegressorCV(alphas=4, n_jobs=n).fit(X, y, **options) for n in (None, 2))
    assert_array_equal(one.mse_path_, more.mse_path_)


def test_statistics_are_not_taken_where_digits_would_go():
    # Nothing is left of the targets: errors are rounding of squares.
    data = many_samples("shared", noise=0.0)
    twin = cm.MeanRegularizedRegressorCV(cv=4)
    read_, folds = read(twin, *data[:2], **data[2])
    few = condensed(read_, folds)[0]
    W = np.linalg.lstsq(np.c_[np.ones(len(data[0])), data[0]], data[1], rcond=None)[0]
    assert few.errors(W[None, 1:], W[:1]) == [None]
    # A mean is far away.
    far = many_samples("shared", far=1e6)
    assert condensed(*read(twin, *far[:2], **far[2])) == [None] * 4
    # Rows are few, sparse, or the loss is another one.
    assert condensed(*read(twin, data[0][:20], data[1][:20])) == [None] * 4
    assert condensed(*read(twin, csr_array(data[0]), data[1])) == [None] * 4
    assert condensed(*read(clone(twin).set_params(loss="huber"), *data[:2])) == [None] * 4


def test_a_fold_without_digits_is_made_of_samples(monkeypatch):
    X, *rest = many_samples("stacked", noise=0.0)
    data = X / UNITS.T, *rest
    options = {"cv": 4, "eps": 1e-9, "tol": 1e-12, "ratios": [1.0]}
    ours, theirs = (searched(cm.MeanRegularizedRegressorCV, data, s, monkeypatch, **options) for s in (True, False))
    assert theirs.mse_path_.min() < 1e-6 * theirs.mse_path_.max()
    assert_array_equal(ours.mse_path_, theirs.mse_path_)


# ------------------------------------------------------------------------------ how close is close enough


def unequal_tasks():
    """5 tasks of 12 to 24 rows, features that go with each other, one of which is constant in a task."""
    X, y, task = small_tasks(5, 24, 4)
    X[:, 1] = X[:, 0] + 0.3 * X[:, 1]
    X[task == 0, 2] = 1.0
    kept = np.arange(len(y)) % 24 < 12 + 3 * task
    return X[kept], y[kept], {"task": task[kept]}


def one_x():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    return X, X @ (np.ones((4, 1)) + 0.5 * rng.normal(size=(4, 4))) + 2 * rng.normal(size=(60, 4)), {}


def allowed(twin, data, folds, errors, tol):
    """By how much the errors (..., n_folds) may be off, for fits to this tolerance.

    The loss is strongly convex in the predictions: with the gap g = tol * (F(0) - best), those on the training part are
    off by at most sqrt(2 g) in the norm of the weights. On the held-out part it is as much more as its second moments,
    intercept included, are larger; and an error e then changes by at most 2 sqrt(e) off + off^2.
    """
    bounds = []
    for k, (train, test) in enumerate(folds):
        tasks, (held_out, left) = data.tasks.part(train)[0], data.tasks.part(test)
        gap = DataTerm(tasks, data.loss).threshold(tol)
        ratio = 0.0
        for t, own in enumerate(left):
            moments = []
            for part, position in ((held_out, t), (tasks, own)):
                Z = np.c_[np.ones(np.diff(part.ptr)[position]), part.rows_of(position)]
                c = part.weight[part.slices(position)[1]]
                moments.append((Z.T * c) @ Z)
            # What is constant in the task has coefficients that only the intercept takes up.
            ratio = max(ratio, np.linalg.eigvals(np.linalg.pinv(moments[1]) @ moments[0]).real.max())
        off = np.sqrt(ratio * 2 * gap / held_out.weight.sum())
        bounds.append(2 * np.sqrt(errors[..., k]) * off + off**2)
    return np.stack(bounds, axis=-1)


@pytest.mark.parametrize(
    "name, make, selection", list(zip(twins(4), cycle([unequal_tasks, one_x]), cycle(["best", "best", "1se"])))
)
def test_the_usual_tolerance_chooses_what_exact_fits_do(name, make, selection):
    X, y, options = make()
    T = len(np.unique(options["task"])) if options else y.shape[1]
    twin = twins(T)[name].set_params(alphas=16, eps=0.02, cv=3, selection=selection)
    twin.set_params(**{"ratios": 2} if "ratios" in twin.get_params() else {})
    data, folds = read(twin, X, y, **options)
    usual = clone(twin).fit(X, y, **options)
    exact = clone(twin).set_params(tol=1e-8, max_iter=100_000).fit(X, y, **options)
    strengths = [twin._found.strength_values() for twin in (usual, exact)]
    assert strengths[0] == pytest.approx(strengths[1], rel=1e-6)
    bound = sum(allowed(twin, data, folds, exact.mse_path_, _cv.LOOSER * tol) for tol in (1e-4, 1e-8))
    assert np.all(np.abs(usual.mse_path_ - exact.mse_path_) <= bound)
