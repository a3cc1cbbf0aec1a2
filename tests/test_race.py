"""The race in its smallest slice: textbook methods and ours agree, the gap is the judge, missing peers are named."""

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.race import desk, measure, report, run, variations
from benchmarks.race.benchmark_utils import data, lapack, textbook
from benchmarks.race.benchmark_utils.families import COUPLINGS, FAMILIES
from benchmarks.race.benchmark_utils.instance import make_instance
from benchmarks.race.benchmark_utils.problems import PROBLEMS, QUICK
from benchmarks.race.benchmark_utils.solvers import SOLVER, SOLVERS, Solver, ours

ROOT = Path(__file__).parents[1]
TARGET = 1e-5


def tiny(family, layout="shared", classification=False, **options):
    drawn = data.drawn(
        "clustered", 4, 30 if layout == "shared" else 12, 6, layout=layout, classification=classification
    )
    return make_instance("tiny", drawn, family, 5, **options)


@pytest.mark.parametrize("layout", ["shared", "stacked"])
@pytest.mark.parametrize("classification", [False, True])
@pytest.mark.parametrize("family", FAMILIES)
def test_textbook_and_ours_agree(family, classification, layout):
    """Same objective, both gaps below the target, for every family, loss and layout."""
    instance = tiny(family, layout, classification)
    zero = instance.problem.data.trivial[0]
    W, b = ours(instance)(TARGET)
    assert instance.relative_gap(W, b) <= TARGET
    # The joint method for the squared trace norm smooths what it minimises, and ends where that shows.
    joint = family == "squared trace norm"
    methods = [textbook.accelerated, textbook.accelerated_closed] if joint else [textbook.accelerated]
    for method in methods:
        target = 0.05 if joint and method is textbook.accelerated else TARGET
        for shown in textbook.snapshots(instance, method, limit=10):
            gap = instance.relative_gap(shown.W, shown.b)
            if gap <= target:
                break
        assert gap <= target
        assert abs(instance.objective(shown.W, shown.b) - instance.objective(W, b)) <= target * zero


def test_alternation():
    for layout in ("shared", "stacked"):
        instance = tiny("squared trace norm", layout)
        gaps = [
            instance.relative_gap(s.W, s.b) for s in textbook.snapshots(instance, textbook.alternation, at=[1, 10, 300])
        ]
        assert gaps[0] > gaps[1] > gaps[2] and gaps[2] < 0.01


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("layout", ["shared", "stacked"])
@pytest.mark.parametrize("family", COUPLINGS)
def test_lapack(family, layout, fit_intercept):
    instance = tiny(family, layout, fit_intercept=fit_intercept)
    if SOLVER["LAPACK calls"].applies(instance):
        assert instance.relative_gap(*lapack.solve(instance)) <= 1e-12


def test_tasks_of_unequal_size():
    X, y, task = data.drawn("low_rank", 4, 20, 6)
    keep = np.ones(len(y), dtype=bool)
    keep[:7] = False
    for family in ("l1/l2", "mean-regularised"):
        instance = make_instance("tiny", (X[keep], y[keep], task[keep]), family, 5, fit_intercept=True)
        last = textbook.solve(instance, limit=10)
        assert instance.relative_gap(last.W, last.b) <= 1e-9


def test_stand_ins_have_the_shapes_of_what_they_stand_for():
    X, Y, _ = data.lead_field()
    assert X.shape == (64, 1092) and Y.shape == (64, 50)
    corr = np.abs(np.corrcoef(X.T)[np.triu_indices(1092, 1)])
    assert corr.max() > 0.99
    X, y, task = data.school()
    assert X.shape == (len(y), 27) and len(np.unique(task)) == 139


def test_problems_have_different_names():
    for problems in (PROBLEMS, QUICK):
        names = [problem.name for problem in problems]
        assert len(set(names)) == len(names)


def test_a_slice_in_this_process():
    """A peer that is missing or fails is a row of its own; recorded iterates and tolerances reach the targets."""

    def fail(instance):
        def solve(tol):
            raise ArithmeticError("no luck")

        return solve

    absent = Solver("absent", None, lambda i: True, "no-such-package", "no_such_package")
    broken = Solver("broken", fail, lambda i: True)
    solvers = [SOLVER["convexmtl"], SOLVER["scikit-learn"], SOLVER["textbook APG"], absent, broken]
    options = measure.Options(targets=(1e-3, TARGET), limit=5.0, runs=2, budget=0.5, exploring=5.0)
    rows, curves = measure.race(tiny("l1/l2"), solvers, options, desk=desk.Desk)
    assert len(rows) == 2 * len(solvers)
    for row in rows:
        if row["solver"] in ("absent", "broken"):
            assert row["status"] == {"absent": "missing", "broken": "failed"}[row["solver"]]
            assert {"absent": "no-such-package is not installed", "broken": "no luck"}[row["solver"]] in row["note"]
        else:
            assert row["status"] == "reached"
            assert row["gap"] <= row["target"] and 0 < row["low"] <= row["seconds"] <= row["high"]
    assert {"convexmtl", "scikit-learn", "textbook APG"} == {curve["solver"] for curve in curves}


def test_the_runner_and_the_page(tmp_path):
    """The whole way in a process of its own: run, table, page."""
    command = [sys.executable, "-m", "benchmarks.race.run", "--quick", "--only", "dirty, stacked"]
    command += ["--solvers", "convexmtl", "textbook", "--limit", "20", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ}, check=False)
    assert done.returncode == 0, done.stderr
    with open(tmp_path / "race.csv") as handle:
        rows = {(row["solver"], row["target"]): row for row in csv.DictReader(handle)}
    for solver in ("convexmtl", "textbook joint APG"):
        assert float(rows[solver, "0.001"]["gap"]) <= 1e-3 and rows[solver, "1e-06"]["status"] == "reached"
    record = json.loads((tmp_path / "race.json").read_text())
    assert record["cores"] > 0 and str(tmp_path) not in record["command"]
    absent = [solver.name for solver in SOLVERS if solver.missing and solver.name.startswith(("convexmtl", "textbook"))]
    assert len(record["messages"]) == len(absent)
    page = report.page(tmp_path, tmp_path / "images")
    assert "| dirty, stacked 10x30x100 | **convexmtl** |" in page and "not measured" in page


def test_a_part_that_is_measured_again_replaces_its_rows(tmp_path):
    file = tmp_path / "race.csv"
    row = lambda problem, seconds: {"problem": problem, "solver": "convexmtl", "seconds": seconds}  # noqa: E731
    run.write([row("a", 1.0), row("b", 2.0), row("c", 3.0)], file)
    run.write([row("b", 0.25), row("d", 4.0)], file, update=True)
    with open(file) as handle:
        found = [(r["problem"], float(r["seconds"])) for r in csv.DictReader(handle)]
    assert found == [("a", 1.0), ("b", 0.25), ("c", 3.0), ("d", 4.0)]
    with pytest.raises(SystemExit):
        run.main(["--update", "--quick"])


def test_variations_are_drawn_around_the_race():
    for row in variations.ROWS:
        problems = list(row.problems(20, seed=0))
        assert len({problem.name for problem in problems}) == 20
        for problem in problems:
            sizes = [[problem.draw[name] / size for name, size in zip("ndT", d[2:], strict=True)] for d in row.designs]
            assert any(all(1 / 3 <= share < 1.5 for share in shares) for shares in sizes), problem
            assert 3 <= problem.ratio <= 300 and 0 <= problem.draw["correlation"] <= 0.95
        again = list(row.problems(3, seed=0))
        assert [problem.draw for problem in again] == [problem.draw for problem in problems[:3]]
        assert next(row.problems(1, seed=1)).draw != problems[0].draw


def test_variations_where_the_goals_were_set():
    row = next(row for row in variations.ROWS if row.name == "dirty, stacked")
    instance, _ = next(row.problems(1, seed=0)).instances()
    X, y, W = instance.X, instance.y, np.zeros(instance.shape)
    gradient = np.stack([X[rows].T @ y[rows] / 100 for rows in (instance.task == t for t in range(50))], axis=1)
    assert instance.shape == (1000, 50) and instance.relative_gap(W) <= 1
    np.testing.assert_allclose(instance.penalty.alpha_block, np.abs(gradient).sum(axis=1).max() / 15)
    np.testing.assert_allclose(instance.penalty.alpha_sparse, np.abs(gradient).max() / 8)


def test_a_slice_of_the_variations(tmp_path, monkeypatch):
    """Measured, written, read, and put into a page; a solver that was stopped gives a lower bound."""
    row = variations.Row(
        "small", "≥ 1x", ("l1/linf",), [("rows", "shared", 30, 20, 4)], {"textbook": ("textbook APG",)}, "l1/l2"
    )
    monkeypatch.setattr(variations, "ROWS", [row])
    options = measure.Options(targets=(1e-6,), limit=5.0, runs=1, budget=0.1, exploring=5.0, clock="thread_time")
    rows = []
    for problem in row.problems(2, seed=0):
        rows += variations.measured(problem, options, desk=desk.Desk)
    assert {r["family"] for r in rows} == {"l1/linf", "l1/l2"} and all(r["gap"] <= 1e-6 for r in rows)
    stopped = next(r for r in rows if r["solver"] == "textbook APG")
    own = next(r["seconds"] for r in rows if r["problem"] == stopped["problem"])
    stopped |= {"status": "over limit", "seconds": 10 * own}
    file, page = tmp_path / "rows.csv", tmp_path / "page.md"
    run.write(rows, file)
    page.write_text("<!-- others -->\n<!-- end of others -->\n<!-- ours -->\n<!-- end of ours -->\n")
    variations.main(["--read", "--csv", str(file), "--page", str(page)])
    others, ours = variations.lines(report.read(file))
    assert others[0][:5] == ["small", "textbook", "1e-06", "≥ 1x", "2"] and others[0][6].startswith("≥")
    assert "| small | l1/l2 | 2 |" in page.read_text() and ours[0][-1].endswith("%")


def test_a_summary_by_hand():
    bound = report.Bound
    assert variations.summary([1.0, 4.0, bound(16.0)], 2) == ["4", "≥ 4", "1", "33 %"]
    assert variations.summary([bound(2.0), 8.0], 1) == ["≥ 5", "≥ 4", "≥ 2", "0 %"]


def test_seconds_of_the_processor_have_a_limit_of_their_own():
    """A process is ended by its own seconds, not those on the clock."""
    options = measure.Options(limit=-0.4, clock="thread_time")
    child = os.fork()
    if child == 0:
        with desk._alarm(options, SOLVER["convexmtl"]):
            while True:
                pass
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGPROF
