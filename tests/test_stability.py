"""Stability selection: what it selects, its threshold, its halves; and what it refuses."""

import cases
import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal

import convexmtl as cm
from benchmarks import stability as simulation
from convexmtl import datasets, stability

X, y, task, W = datasets.make_block_sparse(n_tasks=4, n_samples=30, n_features=20, n_informative=3, random_state=0)
QUICK = {"n_pairs": 6, "alphas": 30, "eps": 0.05, "random_state": 0}


def test_features_that_matter_are_found():
    found = cm.stability_selection(cm.BlockSparseRegressor(), X, y, task=task, max_false=2, **QUICK)
    assert found.frequencies.shape == found.selected.shape == (20,)
    assert_array_equal(found.selected, W.any(axis=1))
    assert_array_equal(found.selected, found.frequencies >= found.threshold)
    assert_allclose(found.threshold, max(0.6, (1 + found.n_selected**2 / (20 * 2)) / 2))
    assert_allclose(found.n_selected, found.frequencies.sum())
    assert found.n_selected <= np.sqrt(0.5 * 20 * 2)
    assert_array_equal(found.feature_frequencies, found.frequencies)
    # Shares of 12 halves.
    assert_allclose(found.frequencies * 12, np.round(found.frequencies * 12))
    assert "3 of 20 features are selected" in found.summary()


@pytest.mark.parametrize("cls", [cm.SparseGroupRegressor, cm.DirtyRegressor, cm.TemporalRegressor])
def test_single_coefficients(cls):
    estimator = cls(alpha_sparse=0.1) if cls is cm.TemporalRegressor else cls()
    found = cm.stability_selection(estimator, X, y, task=task, max_false=3, **QUICK)
    assert found.frequencies.shape == found.selected.shape == (4, 20)
    assert found.feature_frequencies.shape == (20,)
    assert np.all(found.feature_frequencies >= found.frequencies.max(axis=0))
    assert found.selected.any() and not np.any(found.selected & (W.T == 0))


def test_at_the_strength_of_the_estimator():
    found = cm.stability_selection(cm.BlockSparseRegressor(1.0), X, y, task=task, path=False, max_false=2, **QUICK)
    assert_allclose(found.threshold, max(0.6, (1 + found.n_selected**2 / 40) / 2))
    # One half of a pair, by hand.
    formulation = cm.BlockSparseRegressor(1.0)._formulate(X, y, task=task)
    first, second = stability._halves(formulation.data, np.random.RandomState(0))
    by_hand = cm.BlockSparseRegressor(1.0).fit(X[first > 0], y[first > 0], task=task[first > 0]).coef_.any(axis=0)
    pair = cm.stability_selection(
        cm.BlockSparseRegressor(1.0), X, y, task=task, path=False, max_false=2, **QUICK | {"n_pairs": 1}
    )
    other = cm.BlockSparseRegressor(1.0).fit(X[second > 0], y[second > 0], task=task[second > 0]).coef_.any(axis=0)
    assert_allclose(pair.frequencies, (by_hand.astype(float) + other) / 2)
    search = cm.BlockSparseRegressorCV(alphas=10, eps=0.1, selection="bic").fit(X, y, task=task)
    options = QUICK | {"path": False, "max_false": 50}
    same = cm.stability_selection(cm.BlockSparseRegressor(search.alpha_), X, y, task=task, **options)
    assert_array_equal(cm.stability_selection(search, X, y, task=task, **options).frequencies, same.frequencies)


def test_too_many_for_the_bound():
    with pytest.warns(UserWarning, match=r"A half selects .* of 20 on average, too many for max_false=0.1"):
        found = cm.stability_selection(
            cm.BlockSparseRegressor(0.01), X, y, task=task, path=False, max_false=0.1, **QUICK
        )
    assert found.threshold > 1 and not found.selected.any() and "Nothing is selected" in found.summary()


# ----------------------------------------------------------------------------------------- halves


@pytest.mark.parametrize("form", cases.INPUT_FORMS)
@pytest.mark.parametrize("cls", [cm.BlockSparseRegressor, cm.BlockSparseClassifier])
def test_halves_are_halves_of_every_task(cls, form):
    loss = cls().get_params()["loss"]
    X, y, given = cases.user_input(loss, form)
    data = cls()._formulate(X, y, **given).data
    tasks, rng = data.tasks, np.random.RandomState(0)
    repeats = tasks.n_tasks if tasks.is_shared else 1
    seen = (tasks.weight > 0).astype(float)
    of_task = tasks.sum(seen)
    often = np.zeros(tasks.n_rows)
    for _ in range(200):
        first, second = stability._halves(data, rng)
        often += first
        assert set(first + second) <= {0, 1} and first.sum() == second.sum()
        for half in (first, second):
            counts = tasks.sum(seen * np.tile(half, repeats))
            # One X with missing targets has rows that go together.
            assert np.all(np.abs(counts - of_task / 2) <= (0.5 if form in ("stacked", "single") else 4))
    counted = tasks._counted
    assert np.all(np.abs(often[counted] / 200 - 0.5) < 0.15)


def test_classes_are_in_both_halves():
    labels = np.zeros(24, dtype=int)
    labels[:4] = 1
    codes = np.repeat([0, 1], 12)
    labels[12:16] = 1
    data = cm.BlockSparseClassifier()._formulate(np.random.default_rng(0).normal(size=(24, 3)), labels, task=codes).data
    for seed in range(20):
        for half in stability._halves(data, np.random.RandomState(seed)):
            assert np.all(data.tasks.sum(half * (data.tasks.y > 0)) == 2)


def test_layouts_jobs_and_names():
    X, Y, W = datasets.make_block_sparse(n_tasks=3, n_samples=40, n_features=12, layout="shared", random_state=1)
    one = cm.stability_selection(cm.BlockSparseRegressor(), X, Y, **QUICK)
    with parallel_config("threading"):
        two = cm.stability_selection(cm.BlockSparseRegressor(), X, Y, n_jobs=2, **QUICK)
    assert_array_equal(one.frequencies, two.frequencies)
    holes = np.where(np.random.default_rng(0).random(Y.shape) < 0.2, np.nan, Y)
    found = cm.stability_selection(cm.BlockSparseRegressor(), X, holes, **QUICK)
    assert not np.any(found.selected & ~W.any(axis=1))
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(12)]).assign(half=np.repeat(["a", "b"], 20))
    found = cm.stability_selection(cm.BlockSparseRegressor(task_column="half"), frame, Y[:, 0], **QUICK)
    assert found.feature_names.tolist() == frame.columns.tolist()[:-1] and found.tasks.tolist() == ["a", "b"]
    # A single task: features are coefficients.
    found = cm.stability_selection(cm.BlockSparseRegressor(q=1), X, Y[:, 0], **QUICK)
    assert found.frequencies.shape == (12,)
    assert not hasattr(cm.BlockSparseRegressor(), "n_features_in_")


def test_a_constant_feature_is_no_candidate():
    constant = np.column_stack([X, np.ones((len(X), 20))])
    options = {"path": False, "max_false": 5, **QUICK}
    plain = cm.stability_selection(cm.BlockSparseRegressor(1.0), X, y, task=task, **options)
    found = cm.stability_selection(cm.BlockSparseRegressor(1.0), constant, y, task=task, **options)
    assert_allclose(found.threshold, plain.threshold)
    assert not found.frequencies[20:].any()


def test_a_feature_without_a_penalty_is_no_candidate():
    estimator = cm.BlockSparseRegressor(feature_weights={5: 0.0, 7: np.inf})
    found = cm.stability_selection(estimator, X, y, task=task, max_false=2, **QUICK)
    assert found.frequencies[5] == 1 and found.frequencies[7] == 0
    rest = np.delete(found.frequencies, [5, 7])
    assert_allclose(found.n_selected, rest.sum())
    assert_allclose(found.threshold, max(0.6, (1 + found.n_selected**2 / (18 * 2)) / 2))


# ------------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    "estimator",
    [
        cm.TraceNormRegressor(),
        cm.MeanRegularizedRegressor(),
        cm.RobustFeatureRegressor(),
        cm.BlockSparseRegressor(l1_ratio=0),
        cm.GraphGuidedRegressor(),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_what_does_not_select_is_refused(estimator):
    with pytest.raises(ValueError, match=f"this {type(estimator).__name__} does not select features"):
        cm.stability_selection(estimator, X, y, task=task, **QUICK)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"max_false": 0}, "max_false must be a finite number > 0, got 0"),
        ({"n_pairs": 0}, "n_pairs must be an integer of at least 1, got 0"),
        ({"path": "no"}, "path must be True or False, got 'no'"),
        ({"eps": 2.0}, "eps must be between 0 and 1, got 2.0"),
        ({"alphas": [-1.0]}, "alphas must be"),
    ],
)
def test_parameters(given, message):
    with pytest.raises(ValueError, match=message):
        cm.stability_selection(cm.BlockSparseRegressor(), X, y, task=task, **QUICK | given)


def test_data_and_estimators():
    with pytest.raises(TypeError, match="must be an estimator of convexmtl, got str"):
        cm.stability_selection("lasso", X, y, task=task)
    with pytest.raises(ValueError, match="has not found any yet: fit it, or use path=True"):
        cm.stability_selection(cm.BlockSparseRegressorCV(), X, y, task=task, path=False)
    lonely = np.where(np.arange(len(y)) == 5, 9, task)
    with pytest.raises(ValueError, match="task 9 has a single sample"):
        cm.stability_selection(cm.BlockSparseRegressor(), X, y, task=lonely, **QUICK)


@pytest.mark.covering(1)
@pytest.mark.parametrize("name", cases.PENALTIES)
def test_penalties_know_whether_they_select_single_coefficients(name):
    """By fits: whether zeros are within rows of other entries."""
    problem, _ = cases.make_problem("squared", name, "shared")
    claims = problem.penalty.selects_coefficients(problem.shape[1])
    single = {"l1", "sparse_group", "tree", "graph_l1", "graph_l2", "temporal_l1", "temporal_l2"}
    single |= {"l1+squared_trace+graph", "trace+l1+bounds", "tensor+l1", "l1_by_task", "task_norm_by_task+l1"}
    dirty = {"dirty_inf", "dirty_inf_fractional", "dirty_2", "any_matrix+dirty", "weighted_dirty"}
    single |= {"sparse_group_groups", "weighted_sparse_group_groups"}
    assert claims == (name in single | dirty or "positive" in name)


# ---------------------------------------------------------------------------------------- pictures


@pytest.mark.parametrize("shape", [(5,), (900,), (3, 8), (150, 300)])
def test_drawn(shape, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    plt = pytest.importorskip("matplotlib.pyplot")
    rng = np.random.default_rng(0)
    frequencies = rng.random(shape) ** 6
    found = stability.StabilitySelection(
        frequencies,
        frequencies >= 0.7,
        0.7,
        frequencies.reshape(-1, shape[-1]).max(axis=0),
        1.0,
        2.0,
        np.arange(shape[0] if len(shape) == 2 else 4),
        None,
    )
    ax = found.plot(max_features=10)
    if len(shape) == 1:
        assert ax.get_xlim()[1] > 1 and any(line.get_xdata()[0] == 0.7 for line in ax.lines)
        texts = [label.get_text() for label in ax.get_yticklabels()]
        assert ("890 others" in texts) == (shape[0] == 900)
    else:
        seen = ax.images[0].get_array()
        assert seen.shape[1] <= 10
        assert len(ax.lines[0].get_xdata()) == np.sum(np.asarray(seen) >= 0.7)
    own = plt.figure().subplots()
    assert found.plot(own) is own
    plt.close("all")


# -------------------------------------------------------------------------------------- simulations


def test_simulation_of_the_bound(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(simulation, "BOUNDS", (2.0,))
    file = tmp_path / "stability.csv"
    simulation.main(["--seeds", "3", "--pairs", "4", "--only", "no effects", "--csv", str(file)])
    table = pd.read_csv(file)
    assert table["false"][0] <= 2 and np.isnan(table["found"][0])
    assert table["of features without effects"][0] == table["false"][0]
    assert "Means of 'false' are within the bound in 1 of 1 rows" in capsys.readouterr().out
