"""The tasks that help another one, and inputs that become such tasks."""

import sys
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import convexmtl as cm
from benchmarks import auxiliary
from convexmtl.auxiliary import AuxiliarySelection
from convexmtl.model_selection import TaskKFold

plt.switch_backend("Agg")
NAMES = np.array(["main", "kin", "twin", "stranger", "other"])
QUICK = cm.TaskRelationshipRegressor(0.05)


def drawn(seed=0, related=2, unrelated=2, n=24, d=30):
    """(X, y, task): the first task beside related ones, and then unrelated ones."""
    centre = [0] * (1 + related) + [-1] * unrelated
    X, y, task, _ = auxiliary.drawn(np.random.default_rng(seed), centre, n, d, noise=0.2)
    order = np.random.default_rng(seed).permutation(len(y))
    return X[order], y[order], NAMES[task][order]


def drawn_shared(seed=0, n=40, d=20):
    """(X, Y): the first two targets are about the same, the others are unrelated."""
    rng = np.random.default_rng(seed)
    X, w, own = rng.normal(size=(n, d)), rng.normal(size=d), rng.normal(size=(d, 2))
    return X, X @ np.column_stack([w, w, own]) + 2 * rng.normal(size=(n, 4))


# -------------------------------------------------------------------------------- which tasks help


def test_related_tasks_are_selected():
    X, y, task = drawn(n=30)
    found = cm.select_auxiliary_tasks(QUICK, X, y, "main", task=task, cv=3)
    assert sorted(found.selected) == ["kin", "twin"] and len(found.gains) == 2 and np.all(found.gains > 0)
    assert found.main == "main" and found.candidates.tolist() == sorted(set(NAMES) - {"main"})
    single = dict(zip(found.candidates.tolist(), found.single_gains.tolist(), strict=True))
    assert single[found.selected[0]] == max(single.values()) == pytest.approx(found.gains[0])
    often = dict(zip(found.candidates.tolist(), found.frequencies.tolist(), strict=True))
    assert often["kin"] + often["twin"] > 1 > often["stranger"] + often["other"]
    assert found.nested_gain > 2 * found.nested_standard_error > 0
    assert "2 of 4 tasks help 'main'" in str(found) and f"{found.nested_gain:.1%}" in found.summary()
    assert "nested_gain=" in repr(found)


def mean_losses(X, y, task, others, folds):
    """Test losses of the main task when it is fitted with the others, by fold."""
    lost = []
    for train, test in folds:
        rows = train[np.isin(task[train], ["main", *others])]
        seen = test[task[test] == "main"]
        model = clone(QUICK).fit(X[rows], y[rows], task=task[rows])
        lost.append((y[seen] - model.predict(X[seen], task=task[seen])) ** 2)
    return lost


def selected_by_hand(X, y, task, folds, threshold):
    chosen, left = [], sorted(set(NAMES) - {"main"})
    now, gains = np.concatenate(mean_losses(X, y, task, [], folds)), []
    alone = now.mean()
    while left:
        tried = {label: np.concatenate(mean_losses(X, y, task, [*chosen, label], folds)) for label in left}
        less = {label: now - lost for label, lost in tried.items()}
        good = {k: v.mean() for k, v in less.items() if v.mean() > threshold * v.std() / np.sqrt(len(v))}
        if not good:
            break
        best = max(good, key=good.get)
        gains.append(good[best] / alone)
        chosen.append(best)
        left.remove(best)
        now = tried[best]
    return chosen, gains


def test_agrees_with_fits_one_by_one():
    """The selection, and its repetition inside outer folds."""
    X, y, task = drawn(seed=3, n=15)
    found = cm.select_auxiliary_tasks(QUICK, X, y, "main", task=task, cv=3, threshold=0.3)
    cv = TaskKFold(3)
    outer = list(cv.split(X, groups=task))
    chosen, gains = selected_by_hand(X, y, task, outer, 0.3)
    assert found.selected == chosen and len(chosen)
    assert_allclose(found.gains, gains, rtol=1e-6)
    less, alone, sizes, inside = [], [], [], []
    for train, test in outer:
        # (In the order of the rows, by which folds are dealt out.)
        train = np.sort(train)
        folds = [(train[a], train[b]) for a, b in cv.split(train, groups=task[train])]
        inside.append(selected_by_hand(X, y, task, folds, 0.3)[0])
        pair = [mean_losses(X, y, task, others, [(train, test)])[0] for others in ([], inside[-1])]
        less.append(np.mean(pair[0] - pair[1]))
        alone.append(pair[0])
        sizes.append(np.sum(task[test] == "main") / np.sum(task[train] == "main"))
    unit = np.concatenate(alone).mean()
    assert found.nested_selected == inside
    assert_allclose(found.nested_gain, np.mean(less) / unit)
    error = np.sqrt((1 / 3 + np.mean(sizes)) * np.var(less, ddof=1)) / unit
    assert_allclose(found.nested_standard_error, error)


def test_what_selection_sees_is_too_good():
    """Of unrelated tasks; how honest the nested gain is takes the seeds of benchmarks/auxiliary.py."""
    found = [auxiliary.selection(seed, 0, n=20, d=20, others=2) for seed in range(3)]
    assert np.mean([one["inside"] - one["nested"] for one in found]) > 0.02


def test_nothing_helps():
    X, y, task = drawn(related=0, unrelated=2)
    found = cm.select_auxiliary_tasks(QUICK, X, y, "main", task=task, threshold=50.0, cv=3)
    assert found.selected == [] and found.gains.shape == (0,) and found.nested_gain == 0
    assert "None of 2 tasks helps 'main'" in str(found)


def test_a_loss_of_zero_cannot_fall():
    X = np.random.default_rng(0).normal(size=(12, 2))
    found = cm.select_auxiliary_tasks(QUICK, X, np.column_stack([np.zeros(12), X]), 0, cv=3)
    assert found.selected == [] and found.nested_gain == 0 and not found.single_gains.any()


def test_layouts_say_the_same():
    X, y, task = drawn(n=8, related=1, unrelated=1, d=10)
    labels = np.unique(task)
    expected = cm.select_auxiliary_tasks(QUICK, X, y, "main", task=task, cv=2)
    frame = pd.DataFrame(X, columns=[f"f{j}" for j in range(10)]).assign(family=task)
    by_name = clone(QUICK).set_params(task_column="family")
    coded = np.column_stack([X, np.searchsorted(labels, task)])
    ways = [
        (QUICK, sparse.csr_array(X), y.tolist(), "main", {"task": pd.Series(task)}),
        (by_name, frame, pd.Series(y), "main", {}),
        (make_pipeline(FunctionTransformer(), by_name), pl.from_pandas(frame), y, "main", {}),
        (clone(QUICK).set_params(task_column=-1), coded, y, np.int64(1), {}),
        (QUICK, X, y, "main", {"task": task, "sample_weight": np.full(len(y), 2.0)}),
    ]
    for model, features, target, main, given in ways:
        found = cm.select_auxiliary_tasks(model, features, target, main, cv=2, **given)
        assert [
            label if isinstance(label, str) else labels[int(label)] for label in found.selected
        ] == expected.selected
        assert_allclose(found.nested_gain, expected.nested_gain, atol=1e-9)


def test_one_X_with_holes_names_and_classes():
    X, Y = drawn_shared()
    Y[::7, 2] = Y[1::9, 0] = np.nan
    frame = pd.DataFrame(Y, columns=["risk", "sign", "a", "b"])
    model = make_pipeline(StandardScaler(), cm.TaskRelationshipRegressor(1.0))
    assert cm.select_auxiliary_tasks(model, X, frame, "risk", cv=3).selected[0] == "sign"
    classes = np.where(np.isnan(Y), None, np.where(Y > 0, "yes", "no"))[:, :3]
    found = cm.select_auxiliary_tasks(cm.MeanRegularizedClassifier(0.1, 0.5), X, classes, main=0, cv=3)
    assert found.selected[0] == 1


def test_a_search_inside():
    X, y, task = drawn(n=12, related=1, unrelated=1, d=10)
    twin = cm.TaskRelationshipRegressorCV(alphas=3, eps=0.05, cv=2)
    found = cm.select_auxiliary_tasks(twin, X, y, "main", task=task, cv=2)
    assert set(found.selected) <= set(found.candidates)


def test_jobs_give_the_same():
    X, Y = drawn_shared(n=15, d=5)
    one, two = (cm.select_auxiliary_tasks(QUICK, X, Y, 0, cv=2, n_jobs=n) for n in (None, 2))
    assert one.selected == two.selected and one.nested_gain == two.nested_gain
    one, two = (cm.task_affinity(QUICK, X, Y, cv=2, n_jobs=n) for n in (None, 2))
    assert_array_equal(one.matrix, two.matrix)


def test_outer_folds_that_are_given():
    """Inside of them there are 5 of their own; a splitter splits there as well."""
    X, Y = drawn_shared(n=24, d=5)
    folds = list(KFold(3).split(X))
    given, split = (cm.select_auxiliary_tasks(QUICK, X, Y, 0, cv=cv) for cv in (iter(folds), KFold(3)))
    assert given.selected == split.selected and len(given.nested_selected) == 3
    assert_array_equal(given.single_gains, split.single_gains)


def test_bad_input():
    X, y, task = drawn(n=8)
    for main in ("mian", "man"):
        with pytest.raises(ValueError, match=f"main='{main}' is not the label of one of the 5 tasks. Near .* 'main'"):
            cm.select_auxiliary_tasks(QUICK, X, y, main, task=task)
    with pytest.raises(ValueError, match=r"main=7 is not the label.*The first ones are 'kin', 'main'"):
        cm.select_auxiliary_tasks(QUICK, X, y, 7, task=task)
    with pytest.raises(ValueError, match="select_auxiliary_tasks needs two tasks or more, got one"):
        cm.select_auxiliary_tasks(QUICK, X, y, 0)
    for threshold in (-1, np.inf, "1", True):
        with pytest.raises(ValueError, match="threshold must be a number >= 0, got"):
            cm.select_auxiliary_tasks(QUICK, X, y, "main", task=task, threshold=threshold)
    with pytest.raises(TypeError, match="got Ridge"):
        cm.select_auxiliary_tasks(Ridge(), X, y, "main", task=task)
    with pytest.raises(ValueError, match="this TreeGuidedRegressor cannot be fitted without the others"):
        cm.select_auxiliary_tasks(cm.TreeGuidedRegressor([(["kin", "main"], 1.0)]), X, y, "main", task=task)
    with pytest.raises(ValueError, match="no fold tests task 'main'"):
        cm.select_auxiliary_tasks(QUICK, X, y, "main", task=task, cv=[(np.arange(40), np.flatnonzero(task == "kin"))])
    with pytest.warns(ConvergenceWarning, match="fits did not reach tol=1e-14") as caught:
        tight = cm.TraceNormRegressor(0.01, tol=1e-14, max_iter=1)
        cm.select_auxiliary_tasks(tight, X, y, "main", task=task, cv=2, threshold=9.0)
    assert len(caught) == 1


@pytest.mark.parametrize("n_selected", [0, 2, 60])
def test_drawn_selection(n_selected):
    labels = [f"a school with quite a long name {i}" for i in range(n_selected + 3)]
    gains = 0.3 * 0.6 ** np.arange(n_selected)
    found = AuxiliarySelection(
        main=labels[0],
        selected=labels[1 : n_selected + 1],
        gains=gains,
        nested_gain=-0.1,
        nested_standard_error=0.05,
        nested_selected=[[], labels[1:2]],
        candidates=np.array(labels[1:]),
        single_gains=np.zeros(len(labels) - 1),
    )
    ax = found.plot()
    ax.figure.canvas.draw()
    line = next(line for line in ax.lines if line.get_label() == "on the folds that chose")
    assert_allclose(line.get_ydata(), 100 * (1 - np.append(0, np.cumsum(gains))))
    assert ax.get_xticklabels()[-1].get_text() == "nested"
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()[:-1]]
    assert not any(a.overlaps(b) for a, b in pairwise(boxes))
    assert found.frequencies[0] == 0.5 and "adds 10.0% to the loss" in str(found)
    plt.close("all")


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"AuxiliarySelection\.plot requires matplotlib"):
        AuxiliarySelection(0, [], np.zeros(0), 0.0, 0.0, [[]], np.array([1]), np.zeros(1)).plot()


# ------------------------------------------------------------------------------ inputs as targets


def test_features_as_targets_help(tmp_path):
    """The main target, over seeds, by the benchmark, which has more of them."""
    file = tmp_path / "results.csv"
    auxiliary.main(["--only", "targets", "--seeds", "4", "--csv", str(file)])
    gains = pd.read_csv(file)["true"]
    assert gains.mean() > 2 * gains.sem()


FRAME = pd.DataFrame({"age": [50, 60, 70], "late": [1.5, None, 2.5], "later": [1.0, 0.0, None]}, index=[3, 1, 2])


def test_targets_of_frames():
    X, Y = cm.features_as_targets(FRAME, pd.Series([1.0, 2.0, 3.0], name="risk", index=FRAME.index), ["later", "late"])
    assert list(X.columns) == ["age"] and list(Y.columns) == ["risk", "later", "late"]
    assert Y.index.tolist() == X.index.tolist() == [3, 1, 2]
    assert_array_equal(Y.to_numpy(), [[1, 1, 1.5], [2, 0, np.nan], [3, np.nan, 2.5]])
    two = pd.DataFrame({"risk": [1.0, 2.0, 3.0], "cost": [4.0, 5.0, 6.0]})
    X, Y = cm.features_as_targets(FRAME.to_numpy(), two, 1)
    assert X.shape == (3, 2) and list(Y.columns) == ["risk", "cost", "x1"]
    X, Y = cm.features_as_targets(FRAME, np.arange(3.0), -1)
    assert list(X.columns) == ["age", "late"] and list(Y.columns) == [0, "later"]
    X, Y = cm.features_as_targets(pl.from_pandas(FRAME), pl.Series("risk", [1.0, 2.0, 3.0]), "late")
    assert X.columns == ["age", "later"] and Y.columns == ["risk", "late"]
    X, Y = cm.features_as_targets(pl.from_pandas(FRAME), np.arange(3.0), "late")
    assert Y.columns == ["0", "late"]


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array, np.ndarray.tolist], ids=lambda make: make.__name__)
def test_targets_of_arrays(make):
    values = np.arange(12.0).reshape(3, 4)
    X, Y = cm.features_as_targets(make(values), [1.0, np.nan, 3.0], [3, 0])
    assert_array_equal(X.toarray() if sparse.issparse(X) else X, values[:, 1:3])
    assert_array_equal(Y, np.column_stack([[1.0, np.nan, 3.0], values[:, 3], values[:, 0]]))
    assert cm.BlockSparseRegressor(0.1).fit(X, Y).coef_.shape == (3, 2)
    labels = np.array([["yes", "no"], ["no", "no"], ["yes", "yes"]])
    Y = cm.features_as_targets(make(values % 2), labels, 1)[1]
    assert Y.tolist() == [["yes", "no", 1.0], ["no", "no", 1.0], ["yes", "yes", 1.0]]


def test_columns_that_cannot_be_targets():
    y = np.zeros(3)
    for columns, said in (
        ("lat", r"columns='lat' is not a column of X; its columns are \['age', 'late', 'later'\]"),
        ([3], "columns=3 is not a column of X, which has 3 columns"),
        ([1.5], "columns must be a column name or position, got 1.5"),
        ([], "columns must name one of the 3 columns of X or more"),
        (["late", 1], "each once"),
        (["age", "late", "later"], "and not all of them"),
    ):
        with pytest.raises(ValueError, match=said):
            cm.features_as_targets(FRAME, y, columns)
    with pytest.raises(ValueError, match="columns='late' is a name, but X is an array without column names"):
        cm.features_as_targets(FRAME.to_numpy(), y, "late")
    with pytest.raises(ValueError, match="as many rows, got 3 rows of X and 2 of y"):
        cm.features_as_targets(FRAME, y[:2], "late")
    with pytest.raises(ValueError, match=r"Y must have shape \(n,\) or \(n, T\), got \(3, 1, 1\)"):
        cm.features_as_targets(FRAME, y.reshape(3, 1, 1), "late")
    with pytest.raises(ValueError, match="'late' would be the name of two targets"):
        cm.features_as_targets(FRAME, pd.DataFrame({"late": y}), "late")
