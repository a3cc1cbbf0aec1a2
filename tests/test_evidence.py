"""The evidence: its figures are what they say on cases that can be told by hand, and a slice of it runs."""

import csv
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import convexmtl as cm
from benchmarks.evidence import __main__ as evidence
from benchmarks.evidence import _report, curves, peers, real, school, theory, transitions
from convexmtl.model_selection import TaskKFold


def page(tmp_path, *names):
    file = tmp_path / "page.md"
    file.write_text(
        "Before.\n" + "\n".join(f"<!-- {name} -->\nold\n<!-- end of {name} -->" for name in names) + "\nAfter.\n"
    )
    return file


def test_intervals_and_pages(tmp_path):
    assert _report.interval([1.0, 3.0]) == (2.0, pytest.approx(12.7062, rel=1e-4))  # t with one degree of freedom
    assert _report.said([2.0]) == "2.000" and _report.said([1.0, 3.0], 1) == "2.0 ± 12.7"
    assert_allclose(_report.share(5, 10), [0.2366, 0.7634], atol=1e-4)
    file = page(tmp_path, "one", "two")
    _report.put(file, "two", "new \\1")
    assert (
        file.read_text().startswith("Before.\n<!-- one -->\nold\n")
        and "new \\1\n<!-- end of two -->" in file.read_text()
    )
    with pytest.raises(ValueError, match="has no place for 'three'"):
        _report.put(file, "three", "")
    for name in evidence.MODULES:
        assert (_report.PAGES / f"{name}.md").exists(), name


def test_strengths_in_a_table(tmp_path, monkeypatch):
    monkeypatch.setitem(theory.DESIGNS, "few tasks", (40, 30, 6, 3, 0.0, 2, 2.0))
    monkeypatch.setitem(theory.PATH, "alphas", 5)
    file, text = tmp_path / "rows.csv", page(tmp_path, "tables")
    theory.main(["--seeds", "2", "--only", "few tasks", "--csv", str(file), "--page", str(text)])
    table = pd.read_csv(file).groupby("strength").mean(numeric_only=True)
    # Clear effects: what keeps the noise out finds them all, and the constants of the theory shrink more.
    assert table.loc["theory", ["false", "missed"]].max() <= 0.5
    assert (
        table.loc["theory", "risk"] < table.loc["theory, slack 2", "risk"] < table.loc["Lounici et al. (2009)", "risk"]
    )
    assert table.loc["theory, noise found, relaxed", "risk"] < 0.05
    first = text.read_text()
    theory.main(["--read", "--csv", str(file), "--page", str(text)])
    assert text.read_text() == first and "2 seeds" in first


def test_what_counts_as_found():
    W = np.array([[1.0, -1.0], [1.0, 0.0], [0.0, 0.0]])
    assert transitions.signs("lasso", W * 0.5).tolist() == W.tolist()
    estimate = np.array([[0.9, -0.9], [0.8, 0.3], [0.0, 0.0]])
    assert transitions.signs("l1/linf", estimate).tolist() == W.tolist()
    s, n = transitions.rows_of(128, 0.3, 2.0)
    X, _, _, W = transitions.drawn(128, 0.3, 2.0, 0)
    assert X.shape == (2 * n, 128) and (W != 0).sum(axis=0).tolist() == [s, s] and W.all(axis=1).sum() == 4


def test_a_transition(tmp_path, monkeypatch):
    """Far below the thresholds nothing is found, far above everything, and halves are where they are put."""
    monkeypatch.setattr(_report, "IMAGES", tmp_path)
    file, text = tmp_path / "rows.csv", page(tmp_path, *transitions.KINDS)
    chosen = ["--seeds", "2", "--sizes", "60", "--overlaps", "0.8", "--thetas", "0.5", "12"]
    transitions.main([*chosen, "--csv", str(file), "--page", str(text)])
    table = pd.read_csv(file)
    found = table.pivot(index="method", columns=["kind", "theta"], values="successes")
    assert (found.xs(0.5, level="theta", axis=1) == 0).all(axis=None)
    assert (found.drop("dirty")["exact", 12.0] == 2).all() and (found["features", 12.0] == 2).all()
    assert (tmp_path / "evidence_transitions.png").stat().st_size < 60_000 and "2 - 0.8" not in text.read_text()
    rows = [{"kind": "exact", "kappa": 0.3, "method": "lasso", "d": 1, "theta": t, "seeds": 10, "successes": k}
            for t, k in ((1, 0), (2, 2), (3, 8), (4, 10))]  # fmt: skip
    assert transitions.halves(pd.DataFrame(rows)).tolist() == [2.5]


def test_games(tmp_path, monkeypatch):
    monkeypatch.setattr(_report, "IMAGES", tmp_path)
    file, text = tmp_path / "rows.csv", page(tmp_path, "own", "others")
    families = ["single-task", "pooled", "BlockSparse", "MeanRegularized"]
    chosen = ["--seeds", "0", "1", "--sizes", "20", "--only", "block-sparse", "mean-related", "--families", *families]
    curves.main([*chosen, "--csv", str(file), "--page", str(text)])
    lines = curves.own_games(pd.read_csv(file), 20)
    assert [line[:2] for line in lines] == [["block-sparse", "BlockSparse"], ["mean-related", "MeanRegularized"]]
    assert curves.verdict([1.0, 1.1]) == "ahead" and curves.verdict([-1.0, -1.1]) == "behind"
    assert curves.verdict([1.0, -1.1]) == "even" and curves.verdict([1.0]) == ""
    assert lines[0][6] == "2 of 2" and "| block-sparse | BlockSparse |" in text.read_text()
    known = {"graph": curves.chain(4), "tree": curves.pairs(4)}
    assert known["graph"] == [(0, 1), (1, 2), (2, 3)] and ([2, 3], 1.0) in known["tree"]


def drawn_school(tmp_path):
    """A folder with what the scripts want of school.npz, of six small schools."""
    rng = np.random.default_rng(0)
    task, X = np.repeat(np.arange(6), 25), rng.standard_normal((150, 4))
    y = X @ [2.0, 1.0, 0.0, 0.0] + rng.standard_normal(6)[task] + 0.5 * rng.standard_normal(150)
    train = np.stack([rng.permutation(np.arange(150) % 4 > 0) for _ in range(2)])
    np.savez(tmp_path / "school.npz", X=X, y=y, task=task, train_mask=train)


def test_schools(tmp_path, monkeypatch):
    drawn_school(tmp_path)
    file, text = tmp_path / "rows.csv", page(tmp_path, "table")
    monkeypatch.setitem(school.RELATIVES, "TaskMixture", {"n_components": [1]})
    few = ["MeanRegularized", "single-task", "pooled", "ridge, schools as features", "mixed model"]
    few += ["SharedHypotheses", "TaskMixture"]
    school.main([str(tmp_path), "--splits", "1", "--only", *few, "--csv", str(file), "--page", str(text)])
    table = pd.read_csv(file)
    assert len(table) == 3 * 2 + 4 and table["pooled"].between(70, 100).all()
    # Nothing is chosen of a grid of one point, which so has no error inside.
    assert table[table["inside"].isna()]["model"].tolist() == ["mixed model", "TaskMixture"]
    # What is chosen inside is the better of its weights by the errors inside, and not by the test.
    best = school.chosen(table).set_index("split")["inside"]
    assert_allclose(best, table[table["model"].isin(school.FAMILIES)].groupby("split")["inside"].min())
    names = ["MeanRegularized", "SharedHypotheses"]
    both = school.chosen(table, names, "both")
    assert both["inside"].tolist() == [table[table["model"].isin(names)]["inside"].min()]
    assert "| chosen inside |" in text.read_text() and "| chosen inside, relatives too |" in text.read_text()


def test_errors_inside_count_all_rows():
    rng = np.random.default_rng(0)
    task, X = np.repeat([5, 7], [30, 60]), rng.standard_normal((90, 2))
    y = X @ [1.0, -1.0] + rng.standard_normal(90)
    folds = TaskKFold(3, shuffle=True, random_state=0)
    model = cm.SingleTaskRegressorCV(alphas=[0.1], cv=folds, task_weight="size").fit(X, y, task=task)
    errors = []
    for train, test in folds.split(X, y, task):
        one = cm.SingleTaskRegressorCV(alphas=[0.1], cv=2, task_weight="size").fit(X[train], y[train], task=task[train])
        errors.append(np.mean((y[test] - one.predict(X[test], task=task[test])) ** 2))
    assert_allclose(school.pooled_errors(model, task, folds), errors, rtol=1e-6)


@pytest.mark.parametrize("layout", ["stacked", "shared", "labels"])
def test_real_data(layout, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((120, 3)) + 1.0
    if layout == "stacked":
        task = np.arange(120) % 4
        np.savez(
            tmp_path / "some.npz", X=X, y=X @ [1.0, 1.0, 0.0] + 3 * task + 0.1 * rng.standard_normal(120), task=task
        )
    else:
        Y = X @ rng.standard_normal((3, 3)) + 0.1 * rng.standard_normal((120, 3))
        Y = np.where(rng.random(Y.shape) < 0.2, np.nan, Y > 0) if layout == "labels" else 10 * Y
        np.savez(tmp_path / "some.npz", X=X, Y=Y)
    monkeypatch.setattr(real, "SETS", {"some": ("some", 0.5, 0)})
    monkeypatch.setattr(real, "FAMILIES", {name: {**real.FAMILIES[name], "alphas": 4} for name in ("MeanRegularized",)})
    monkeypatch.setattr(real, "MODELS", (real.CHOSEN, "MeanRegularized", *real.BASELINES, real.MIXED, real.TREES))
    data = real.load(tmp_path, "some")
    rows = [row for seed in range(2) for row in real.measured(data, "some", seed, real.MODELS)]
    scores = pd.DataFrame(rows).astype({"score": float}).pivot(index="seed", columns="model", values="score")
    assert (scores[["single-task", "MeanRegularized", real.CHOSEN]] > 85).all(axis=None)
    assert (scores["pooled"] < scores["single-task"]).all() and (real.MIXED in scores) == (layout != "labels")
    text = page(tmp_path, "scores", "differences")
    real.report(rows, text)
    assert "| some | 2 |" in text.read_text()


def test_intervals_of_splits_that_overlap():
    mean, half = real.corrected([1.0, 2.0, 3.0], 0.0)
    assert (mean, half) == (2.0, pytest.approx(_report.interval([1.0, 2.0, 3.0])[1]))
    assert real.corrected([1.0, 2.0, 3.0], 1.0)[1] == pytest.approx(2 * half)


def test_peers_in_a_table(tmp_path, monkeypatch):
    monkeypatch.setattr(peers, "PROBLEMS", {"small": peers.gaussian("l1/l2", 30, 20, 4, ratio=5)})
    monkeypatch.setattr(peers, "TARGETS", (1e-3, 1e-6))
    rows = [row for seed in range(2) for row in peers.measured("small", seed, ("convexmtl", "scikit-learn", "spams"))]
    table = pd.DataFrame(rows)
    assert {"convexmtl", "scikit-learn"} <= set(table["solver"]) and (table["seconds"] != "").all()
    assert (table[table["solver"] == "convexmtl"]["times ours"].astype(float) == 1).all()
    text = page(tmp_path, "table")
    peers.report(rows, text)
    assert "| small | **convexmtl** | 2 |" in text.read_text()


def test_problems_that_the_race_has_not():
    """Ours solves them, and the tree of a peer has the penalty of ours: what a node holds is what hangs from it."""
    classes, tree = peers.of_classes("classes", 0, 40, 10, 3, 5), peers.in_a_tree("tree", 0, 20, 3, 4, 5)
    for instance in classes, tree:
        W = peers.SOLVER["convexmtl"].prepare(instance)(1e-6)[0]
        assert W.shape == instance.shape and 0 <= instance.relative_gap(W) <= 2e-6 and W.any()
        assert 0.01 < instance.relative_gap(0 * W)
    assert not peers.SOLVER["spams"].applies(classes) and peers.SOLVER["convexmtl"].applies(classes)
    W = np.random.default_rng(0).standard_normal((3, 4))
    made = peers.forest(tree.estimator.tree, 4, 3)
    parents, squares = made["groups"].toarray().argmax(axis=1), np.zeros(len(made["eta_g"]))
    for node in range(len(parents) - 1, 0, -1):
        begin = made["own_variables"][node]
        squares[node] += np.sum(W.ravel()[begin : begin + made["N_own_variables"][node]] ** 2)
        squares[parents[node]] += squares[node]
    assert made["eta_g"] @ np.sqrt(squares) == pytest.approx(
        sum(weight * np.linalg.norm(W[:, members], axis=1).sum() for members, weight in tree.estimator.tree)
    )


def test_all_of_it(tmp_path, monkeypatch, capsys):
    """What needs data is left out without them, and a quick run leaves pages and rows alone."""
    called = []
    monkeypatch.setattr(
        evidence, "import_module", lambda name: SimpleNamespace(main=lambda a: called.append((name, a)))
    )
    evidence.main(["--quick"])
    assert "school is left out" in capsys.readouterr().out
    assert all("--csv" not in arguments for _, arguments in called) and len(called) >= 3
    evidence.main(["folder", "--only", "school"])
    assert called[-1][1][0] == "folder" and called[-1][1][-1].endswith("school.md")
    with (_report.RESULTS / "evidence_theory.csv").open() as rows:
        assert {"design", "seed", "risk"} <= set(next(csv.reader(rows)))
