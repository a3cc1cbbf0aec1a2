"""The scripts under benchmarks/ do what they say, on sizes that take no time."""

import csv

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.utils import Bunch

import convexmtl as cm
import convexmtl.distributed
from benchmarks import (
    adaptive,
    algebra,
    auto,
    baselines,
    comparison,
    cross_validation,
    distributed,
    functions,
    growth,
    intervals,
    kernels,
    memory_map,
    noise,
    recovery,
    searches,
    strengths,
)
from convexmtl.comparison import _data


def test_cross_validation_beside_scikit_learn(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cross_validation, "DESIGNS", [(60, 10, 3)])
    monkeypatch.setitem(cross_validation.OPTIONS, "tol", 1e-8)
    file = tmp_path / "results.csv"
    cross_validation.main(["--runs", "1", "--csv", str(file)])
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert [row["n_jobs"] for row in rows] == ["1", "2"]
    for row in rows:
        assert row["alpha"] == row["alpha of scikit-learn"]
        assert float(row["largest relative difference of errors"]) < 1e-4
        ratio = float(row["scikit-learn"]) / float(row["convexmtl"])
        assert float(row["ratio"]) == pytest.approx(ratio, abs=0.02 * max(1, ratio))
    assert len(capsys.readouterr().out.splitlines()) == 2


@pytest.mark.parametrize("name", ["BlockSparseRegressor(0.3)", "BlockSparseClassifier(0.05)"])
def test_memory_beside_a_memory_map(name, tmp_path):
    Y = memory_map._on_disk(tmp_path / "X", 3000, 60, "C")
    assert Y.shape == (3000, memory_map.N_TASKS) and (tmp_path / "X").stat().st_size == 3000 * 60 * 8
    seconds, peak = memory_map.measured(name, tmp_path / "X", 3000, 60, "C", Y)
    assert seconds > 0 and 0 <= peak < 1000


@pytest.mark.parametrize("stacked", [False, True])
@pytest.mark.parametrize("model", kernels.MODELS)
def test_kernels_beside_scikit_learn(model, stacked):
    row = kernels.measured(model, stacked, 3, 20, 0.1, 0.2, 0)
    assert -1e-12 <= float(row["gap_sklearn"]) <= kernels.TOL and float(row["gap"]) <= kernels.TOL
    assert row["seconds"] > 0 and row["seconds_sklearn"] > 0
    assert kernels.peak(model, stacked, 3, 30) >= 0


def test_files_for_fits_out_of_core(tmp_path, monkeypatch):
    monkeypatch.setattr(distributed, "GROUP", 200)
    distributed.write(tmp_path, 8 * 100 * 600 / 1e9)
    chunks = cm.distributed.parquet(sorted(tmp_path.glob("*.parquet")), y="y", task="task")
    X, y, _ = distributed.drawn(2, 200)
    assert len(chunks) == 3
    assert_allclose(chunks[2]().X, X)
    assert_allclose(chunks[2]().y, y)
    drawn = [make() for make in distributed.chunks_of(10**5, True)]
    assert sum(len(part[0]) for part in drawn) == 1000 and {*drawn[0][1]} == {0, 1}


def test_own_pages_counts_what_is_held():
    before = memory_map.own_pages()
    held = np.ones(2**24)  # 128 MiB
    assert memory_map.own_pages() - before > 100 and held.sum() > 0


def test_growth_in_a_table_and_a_picture(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(growth, "SIZES", (50, 100))
    monkeypatch.setattr(growth, "FROM", 50)
    file, image = tmp_path / "growth.csv", tmp_path / "growth.png"
    growth.main(["--only", "block-sparse", "--most", "100", "--csv", str(file), "--image", str(image)])
    table = pd.read_csv(file)
    assert table["T"].tolist() == [50, 100] and (table["rows"] == 20 * table["T"]).all()
    assert (table["seconds"] > 0).all() and (table["peak MiB"] >= 0).all() and image.stat().st_size > 0
    slope = np.log2(table["seconds"][1] / table["seconds"][0])
    assert table["exponent of seconds"].tolist() == pytest.approx([slope, slope], abs=0.01)
    assert "block-sparse" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["2 to 60", "20, one of 10^6", "groups"])
def test_growth_beside_equal_sizes(kind, monkeypatch):
    monkeypatch.setattr(growth, "LARGE_TASK", 1_000)
    row = growth.measured("mean-regularised", kind, 120)
    assert row["T"] == 120 + (kind == "20, one of 10^6") and row["relative gap"] < 1e-8


RIVALS = ["itself", "BlockSparse", "Dirty", "TraceNorm", "MeanRegularized", "Clustered", "single-task", "pooled"]


def test_recovery_beside_its_rivals(tmp_path, monkeypatch, capsys):
    for options in (recovery.NORMS, recovery.SQUARED_NORMS, recovery.SQUARES):
        for key, value in {"alphas": 3, "cv": 2, "tol": 1e-3}.items():
            monkeypatch.setitem(options, key, value)
    some = dict(list(recovery.MODELS.items())[::3])
    monkeypatch.setattr(recovery, "MODELS", some)
    for name, (generate, options, *rest) in list(some.items()):
        tiny = {**options, "n_samples": 12, "n_features": 16, "n_tasks": 6}
        monkeypatch.setitem(recovery.MODELS, name, (generate, tiny, *rest))
    file = tmp_path / "results.csv"
    recovery.main(["--seeds", "1", "--jobs", "1", "--csv", str(file)])
    table = pd.read_csv(file)
    assert table["model"].unique().tolist() == list(recovery.MODELS)
    assert table["rival"].tolist() == RIVALS * len(recovery.MODELS)
    itself = table[table["rival"] == "itself"].set_index("model")
    assert table["risk"].between(0, 10).all() and itself["structure"].between(-1, 1).all()
    assert table["warnings"].isna().all()
    printed = capsys.readouterr().out
    wins = printed[printed.index("in how many of 1 seeds") :].splitlines()
    for name, part in table.groupby("model"):
        assert f"{name}, seed 0: itself {itself['risk'][name]:.3f}" in printed
        line = next(line for line in wins if line.startswith(f"{name} "))
        more = part["risk"].iloc[1:] > itself["risk"][name]
        assert line.removeprefix(name).split() == [str(int(value)) for value in more]


@pytest.mark.parametrize("name", recovery.MODELS)
def test_recovery_of_the_truth(name):
    """Samples without noise fit the true coefficients, whose error is 0, and whose structure is all found."""
    generate, options, _, score = recovery.MODELS[name]
    X, y, task, W, *truth = generate(random_state=0, **{**options, "noise": 0.0})
    assert_allclose(y, np.sum(X * W.T[task], axis=1))
    T = W.shape[1]
    fitted = Bunch(coef_=W.T, intercept_=np.zeros(T), tasks_=np.arange(T))
    if score is recovery.outliers:
        fitted.update(outlier_=W.T, outlier_tasks_=truth[0])
    elif score is recovery.relationships:
        fitted.update(task_correlation_=truth[0])
    elif score is recovery.features:
        fitted.update(feature_covariance_=W @ W.T)
    elif score is recovery.components:
        fitted.update(components_=np.linalg.svd(truth[0])[0][:, :2].T)
    elif score is recovery.both_parts:
        fitted.update(low_rank_=truth[0].T, sparse_=truth[1].T)
    assert recovery.risk(fitted, W) == 0
    assert_allclose(list(score(fitted, W, *truth).values()), 1)
    fitted.update(coef_=np.zeros_like(W.T))
    assert recovery.risk(fitted, W) == 1


def test_recovery_from_nothing():
    nothing, W = np.zeros((4, 5)), np.eye(5, 4)
    for score in (recovery.support, recovery.jumps, recovery.changes):
        assert set(score(Bunch(coef_=nothing), W).values()) == {0}


def test_strengths_at_two_tolerances(tmp_path, capsys):
    X, y, task = searches.drawn(8, 20, 3)
    np.savez(tmp_path / "stacked.npz", X=X, y=y, task=task)
    np.savez(tmp_path / "shared.npz", X=X, Y=np.c_[y, X @ [1.0, -1.0, 0.0] + y])
    np.savez(tmp_path / "labels.npz", X=X, y=np.sign(y), task=task)
    file = tmp_path / "strengths.csv"
    strengths.main([str(tmp_path), "--only", "BlockSparse", "MeanRegularized", "--csv", str(file)])
    table = pd.read_csv(file)
    assert table["data"].tolist() == ["shared", "shared", "stacked", "stacked"] and table["same"].all()
    assert (table["difference"] == 0).all() and (table["warnings"] == 0).all() and (table["largest error"] < 0.1).all()
    assert table["half the ratios"].notna().tolist() == [False, True, False, True]
    assert (table["half the ratios"].dropna() >= 0).all()
    printed = capsys.readouterr().out
    assert "stacked: 120 of 160 rows, 3 of 3 features, 6 tasks" in printed
    assert "4 of 4 searches choose the same strengths" in printed


def test_coverage_of_intervals(monkeypatch, capsys):
    monkeypatch.setattr(intervals, "KINDS", ("heteroscedastic",))
    monkeypatch.setattr(intervals, "SIZES", {"2": [2], "50": [50]})
    table = intervals.main(seeds=3, n_tasks=25)
    assert table["alpha"].tolist() == [0.05, 0.1, 0.2] * 2
    assert table["infinite: tasks"].tolist() == [0] * 6 and table["own: tasks"].tolist() == [0, 0, 0, 25, 25, 25]
    assert np.all(table["coverage"] >= 0.9 * (1 - table["alpha"])) and np.all(table["width"] > 0.9)
    assert "heteroscedastic" in capsys.readouterr().out


def test_search_over_families_in_a_table(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(auto, "N_TASKS", 5)
    monkeypatch.setattr(auto, "N_FEATURES", 4)
    few = ["MeanRegularized", "Clustered"]
    monkeypatch.setattr(auto, "ALPHAS", 3)
    rng = np.random.default_rng(0)
    X, labels = rng.standard_normal((90, 3)), rng.random((90, 4)) < 0.5
    np.savez(tmp_path / "labels.npz", X=X, Y=np.where(rng.random(labels.shape) < 0.1, np.nan, labels))
    file = tmp_path / "auto.csv"
    names = ["mean_related", "mean_related, outliers", "labels"]
    monkeypatch.setattr(auto, "TRAIN_SHARED", 60)
    chosen = ["--seeds", "1", "--only", *names, "--families", *few, "--jobs", "1", "--csv", str(file)]
    auto.main([str(tmp_path), *chosen])
    table = pd.read_csv(file)
    assert table["data"].tolist() == names and table["tasks"].tolist() == [5, 5, 4]
    assert set(table["best"]) <= {*few, "single-task", "pooled"}
    assert (table[["test", "test, per task", "single-task", "pooled", "leaderboard"]] > 0).all(axis=None)
    assert (table["fallen back"] >= table["of these better"]).all()
    assert "optimism %" in capsys.readouterr().out


def test_the_exact_loss_of_drawn_tasks():
    part = auto.drawn("mean_related", 3, 0)
    model = cm.MeanRegularizedRegressor(0.01, 0.1).fit(part.X, part.y, **part.given)
    loss = part.tested(model)
    nothing = Bunch(coef_=np.zeros_like(model.coef_), intercept_=np.zeros(len(loss)))
    assert_allclose(part.tested(nothing).mean(), 1, atol=0.2)
    assert loss.mean() < 0.8


def test_adaptive_beside_plain(monkeypatch):
    monkeypatch.setattr(adaptive, "FEATURES", 12)
    monkeypatch.setattr(adaptive, "TASKS", 3)
    rows = pd.DataFrame([adaptive.judge("BlockSparse", m, 0.5, 0.3, 0) for m in ("plain", "relaxed", "adaptive")])
    assert rows.risk.between(0, 0.2).all() and not rows.missed.any()
    assert adaptive.summary(rows).loc[("BlockSparse", 0.5, 0.3, "plain"), "wins"] == 0


def test_false_alarms_of_a_comparison(tmp_path, monkeypatch, capsys):
    for setting, n in (("equal in law", 20), ("related, an outlier", 20)):
        compare, _, d, outliers = comparison.SETTINGS[setting]
        monkeypatch.setitem(comparison.SETTINGS, setting, (compare, (n,), d, outliers))
    monkeypatch.setattr(comparison, "T", 3)
    monkeypatch.setattr(_data, "REPEATS", 1)
    file = tmp_path / "results.csv"
    comparison.main(["--sets", "2", "--only", "law", "related, an outlier", "--csv", str(file)])
    table = pd.read_csv(file).set_index("setting")
    assert table.index.tolist() == ["equal in law", "related, an outlier"] and table["data sets"].tolist() == [2, 1]
    assert table["relative gain of the outlier"].notna().tolist() == [False, True]
    assert table[["any", "helped", "hurt", "p below 0.05"]].stack().between(0, 1).all()
    assert "equal in law" in capsys.readouterr().out


def test_strengths_of_a_baseline(tmp_path, monkeypatch):
    monkeypatch.setattr(baselines, "CASES", [(8, "equal"), (8, "unequal")])
    monkeypatch.setattr(baselines, "T", 4)
    file = tmp_path / "results.csv"
    baselines.main(["--seeds", "1", "--csv", str(file)])
    table = pd.read_csv(file)
    assert table["rows per task"].tolist() == [8, 8] and (table["one for all"] > 0).all()
    common, each = baselines.errors(*baselines.drawn(8, "equal", 0))
    assert common.shape == each.shape == (4,) and table["one for all"][0] == pytest.approx(common.mean() - 1, abs=1e-4)


def test_losses_and_penalties_in_a_table(tmp_path, monkeypatch, capsys):
    for name, value in {"T": 3, "D": 25, "N": 12}.items():
        monkeypatch.setattr(algebra, name, value)
    monkeypatch.setattr(algebra, "asked", lambda model, X, y, task, limit: (limit, None))
    file = tmp_path / "algebra.csv"
    chosen = ["--losses", "quantile", "hinge", "--penalties", "rows", "mean", "--seeds", "2", "--cvxpy", "1"]
    algebra.main([*chosen, "--limit", "7", "--csv", str(file)])
    table = pd.read_csv(file)
    assert len(table) == len(capsys.readouterr().out.splitlines()) == 8
    assert table["converged"].all() and (table["relative_gap"] <= 1e-6).all()
    first = table["seed"] == 0
    assert (table["seconds_cvxpy"][first] == "> 7.0").all() and table["times_faster"][~first].isna().all()


def test_noise_of_a_few_tasks(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(noise, "STRENGTHS", np.array([1.0, 0.1]))
    noise.main(["--seeds", "1", "--ratios", "10", "--csv", str(tmp_path / "noise.csv")])
    table = pd.read_csv(tmp_path / "noise.csv").set_index(["loss", "chosen_by"])
    assert len(table) == len(capsys.readouterr().out.splitlines()) == 9
    for loss in ("squared", "sqrt", "weighted"):
        # What is chosen by what is to be found has found most of it.
        assert table.loc[(loss, "oracle"), "error"] == table.loc[loss]["error"].min()


def test_functions_on_paired_splits(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(functions, "WIDTHS", [1.0])
    monkeypatch.setattr(functions, "RATIOS", [1.0, 100.0])
    monkeypatch.setattr(functions, "SEARCH", {"alphas": 3, "cv": 2})
    rng = np.random.default_rng(0)
    X, task = rng.standard_normal((60, 2)), np.repeat([3, 5, 8], [10, 20, 30])
    np.savez(tmp_path / "school.npz", X=X, y=X[:, 0] + task, task=task)
    label = np.argmax(X @ rng.standard_normal((2, 3)), axis=1)
    np.savez(tmp_path / "digits_usps_pca.npz", X=X, Y=np.eye(3)[label], label=label)
    chosen = ["--only", "school", "digits", "--splits", "2", "--csv", str(tmp_path / "functions.csv")]
    functions.main([str(tmp_path), *chosen])
    rows = pd.read_csv(tmp_path / "functions.csv")
    assert rows.groupby("data", sort=False)["model"].nunique().tolist() == [8, 8]
    assert rows["error"].between(0, 100).all()
    found = functions.table(rows).set_index(["data", "model"])
    assert (found.loc["school"].loc[["linear", "Gaussian process"], "error"] < 5).all()
    first, second = (rows[rows["split"] == seed].set_index(["data", "model"])["error"] for seed in (0, 1))
    for name, model in found.index:
        pair = [errors[name, model] - errors[name, "linear"] for errors in (first, second)]
        assert_allclose(found.loc[(name, model), "minus linear"], np.mean(pair), atol=0.006)
        assert_allclose(found.loc[(name, model), "standard error"], abs(pair[0] - pair[1]) / 2, atol=0.006)
        assert found.loc[(name, model), "wins"] == sum(value < 0 for value in pair)
    assert "Gaussian process, rank 2" in capsys.readouterr().out
    train = functions.split(task, 15, 0)
    assert [int(train[task == t].sum()) for t in (3, 5, 8)] == [9, 15, 15]
    # Rows with their task, and what is said of them, are in one order.
    part = functions.Part(X, np.where(np.eye(3)[label] > 0, 1.0, -1.0), None, functions.split(label, 5, 0))
    rows, y, new = part.stacked()
    assert_allclose(functions._shaped(part, new[:, -1])[:, 2], 2)
    assert len(rows) == len(y) == 45
    assert part.errors(part.y_test) == {"error": 0, "one by one": 0}
