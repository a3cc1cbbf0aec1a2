"""The evidence: its figures are what they say on cases that can be told by hand, and a slice of it runs."""

import csv
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from benchmarks.evidence import __main__ as evidence
from benchmarks.evidence import _report, curves, theory, transitions


def page(tmp_path, *names):
    file = tmp_path / "page.md"
    file.write_text(
        "Before.\n" + "\n".join(f"<!-- {name} -->\nold\n<!-- end of {name} -->" for name in names) + "\nAfter.\n"
    )
    return file


def test_intervals_and_pages(tmp_path):
    assert _report.interval([1.0, 3.0]) == (2.0, pytest.approx(12.7062, rel=1e-4))  # t with one degree of freedom
    assert _report.said([2.0]) == "2.000 ± 0.000"
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
    chosen = ["--seeds", "3", "--sizes", "60", "--overlaps", "0.8", "--thetas", "0.5", "12"]
    transitions.main([*chosen, "--csv", str(file), "--page", str(text)])
    table = pd.read_csv(file)
    found = table.pivot(index="method", columns=["kind", "theta"], values="successes")
    assert (found.xs(0.5, level="theta", axis=1) == 0).all(axis=None)
    assert (found.drop("dirty")["exact", 12.0] >= 2).all() and (found["features", 12.0] >= 2).all()
    assert (tmp_path / "evidence_transitions.png").stat().st_size < 60_000 and "2 - 0.8" not in text.read_text()
    rows = [{"kind": "exact", "kappa": 0.3, "method": "lasso", "d": 1, "theta": t, "seeds": 10, "successes": k}
            for t, k in ((1, 0), (2, 2), (3, 8), (4, 10))]  # fmt: skip
    assert transitions.halves(pd.DataFrame(rows)).tolist() == [2.5]


def test_games(tmp_path, monkeypatch):
    monkeypatch.setattr(_report, "IMAGES", tmp_path)
    file, text = tmp_path / "rows.csv", page(tmp_path, "own", "others")
    families = ["single-task", "pooled", "BlockSparse", "MeanRegularized"]
    chosen = ["--seeds", "2", "--sizes", "20", "--only", "block-sparse", "mean-related", "--families", *families]
    curves.main([*chosen, "--csv", str(file), "--page", str(text)])
    lines = curves.own_games(pd.read_csv(file), 20)
    assert [line[:2] for line in lines] == [["block-sparse", "BlockSparse"], ["mean-related", "MeanRegularized"]]
    assert lines[0][6] == "2 of 2" and "| block-sparse | BlockSparse |" in text.read_text()
    known = {"graph": curves.chain(4), "tree": curves.pairs(4)}
    assert known["graph"] == [(0, 1), (1, 2), (2, 3)] and ([2, 3], 1.0) in known["tree"]


def test_all_of_it(monkeypatch):
    """A quick run leaves pages and rows alone."""
    called = []
    monkeypatch.setattr(
        evidence, "import_module", lambda name: SimpleNamespace(main=lambda a: called.append((name, a)))
    )
    evidence.main(["--quick"])
    assert all("--csv" not in arguments for _, arguments in called) and len(called) == 2
    with (_report.RESULTS / "evidence_theory.csv").open() as rows:
        assert {"design", "seed", "risk"} <= set(next(csv.reader(rows)))
