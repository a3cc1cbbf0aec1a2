"""The scripts under benchmarks/ do what they say, on sizes that take no time."""

import csv

import numpy as np
import pytest

from benchmarks import cross_validation, memory_map


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


def test_own_pages_counts_what_is_held():
    before = memory_map.own_pages()
    held = np.ones(2**24)  # 128 MiB
    assert memory_map.own_pages() - before > 100 and held.sum() > 0
