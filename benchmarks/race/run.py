"""Run the race and write what was measured.

    python -m benchmarks.race.run [--quick] [--only TEXT ...] [--solvers NAME ...] [--data FOLDER] [--extras]

Without --quick the results go to benchmarks/results, where they are tracked; with --quick, or where only
a part is run, to benchmarks/race/outputs. ``python -m benchmarks.race.report`` makes the page of them.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import time
import warnings
from dataclasses import asdict
from pathlib import Path

from . import growth, memory, startup
from .benchmark_utils.problems import PROBLEMS, QUICK
from .benchmark_utils.solvers import SOLVERS
from .desk import one_line, preload
from .machine import describe
from .measure import Options, race

HERE = Path(__file__).parent
TRACKED = HERE.parent / "results"
FULL = Options()
SHORT = Options(limit=1.5, runs=3, budget=0.5, exploring=1.5)


def seconds(row):
    """One cell of the table."""
    if row["status"] == "reached":
        return f"{row['seconds']:9.4f}"
    return {"over limit": f">{row['seconds']:8.1f}", "not reached": f"({row['gap']:.0e})"}.get(
        row["status"], row["status"]
    ).rjust(9)


def show(rows):
    """A line per solver."""
    for name in dict.fromkeys(row["solver"] for row in rows):
        mine = [row for row in rows if row["solver"] == name]
        cells = " ".join(map(seconds, mine))
        first, peak = mine[0]["first"], mine[0]["peak_mb"]
        print(f"    {name:38s} {cells}  first {first:8.4f}  {peak:7.1f} MB  {mine[0]['note']}", flush=True)


def run(problems, solvers, options, folder=None):
    """(rows, curves, messages)."""
    rows, curves, messages = [], [], []
    preload(solvers)
    for problem in problems:
        start = time.perf_counter()
        print(f"{problem.name}, seconds:", flush=True)
        lacking = problem.missing(folder)
        if lacking:
            messages.append(f"{problem.name}: {lacking} is missing, a synthetic stand-in was used")
            print(f"    {messages[-1].split(': ')[1]}")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                instance = problem.build(folder)
                instance.relative_gap(*instance.zero())
        except Exception as error:
            messages.append(f"{problem.name}: failed: {one_line(error)}")
            print(f"    failed: {one_line(error)}", flush=True)
            continue
        more, points = race(instance, [s for s in solvers if s.applies(instance)], options)
        show(more)
        print(f"    {time.perf_counter() - start:.0f} s in all", flush=True)
        rows += more
        curves += points
    return rows, curves, messages


def write(rows, file, update=False):
    """A CSV with six digits, empty where there is no number; ``update`` replaces the problems that are in ``rows``."""
    if not rows:
        return
    rows = [{name: _cell(value) for name, value in row.items()} for row in rows]
    if update and file.exists():
        rows = merged(rows, file)
    with open(file, "w", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def merged(rows, file):
    """The rows of the file, those of the same problems replaced where they stood."""
    with open(file, newline="") as handle:
        old = list(csv.DictReader(handle))
    new = {}
    for row in rows:
        new.setdefault(row["problem"], []).append(row)
    both = []
    for row in old:
        both += new.pop(row["problem"], []) if row["problem"] in new else []
        if not any(row["problem"] == other["problem"] for other in rows):
            both.append(row)
    return both + [row for part in new.values() for row in part]


def _cell(value):
    if isinstance(value, float):
        return "" if value != value else f"{value:.6g}"
    return value


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one small problem of each kind")
    parser.add_argument("--only", nargs="+", metavar="TEXT", help="problems whose names contain one of these")
    parser.add_argument("--solvers", nargs="+", metavar="NAME", help="solvers whose names begin with one of these")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="holds the measured data")
    parser.add_argument("--extras", action="store_true", help="start-up, memory and growth as well")
    parser.add_argument("--only-extras", action="store_true", help="nothing but these")
    parser.add_argument("--limit", type=float, help="seconds for one run")
    parser.add_argument("--runs", type=int, help="hot runs")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where the results go")
    parser.add_argument("--update", action="store_true", help="with --only: replace these problems' tracked results")
    parser.add_argument("--list", action="store_true", help="list problems and solvers, and end")
    chosen = parser.parse_args(arguments)
    problems, options = (QUICK, SHORT) if chosen.quick else (PROBLEMS, FULL)
    given = {name: value for name, value in (("limit", chosen.limit), ("runs", chosen.runs)) if value is not None}
    options = Options(**{**asdict(options), **given})
    if chosen.only:
        problems = [p for p in problems if any(text in p.name for text in chosen.only)]
    solvers = [s for s in SOLVERS if not chosen.solvers or any(s.name.startswith(text) for text in chosen.solvers)]
    if chosen.list:
        print("\n".join(p.name for p in problems))
        print("\n".join(f"{s.name}: {s.missing or s.version}" for s in solvers))
        return
    if chosen.update and (chosen.quick or chosen.solvers or not chosen.only):
        parser.error("--update is for --only, with all solvers: what is compared has to come from one run")
    part = chosen.quick or chosen.only or chosen.solvers or chosen.only_extras
    out = chosen.out or (HERE / "outputs" if part and not chosen.update else TRACKED)
    out.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    rows, curves, messages = ([], [], []) if chosen.only_extras else run(problems, solvers, options, chosen.data)
    write(rows, out / "race.csv", chosen.update)
    write(curves, out / "race_curves.csv", chosen.update)
    if chosen.extras or chosen.only_extras:
        for module in (startup, memory, growth):
            write(module.measure(quick=chosen.quick), out / f"race_{module.__name__.split('.')[-1]}.csv")
    record = {
        "commit": commit(),
        "command": "python -m benchmarks.race.run " + " ".join(_without_paths(arguments or sys.argv[1:])),
        **describe(solvers),
        "options": asdict(options),
        "seconds": round(time.perf_counter() - start),
        "messages": messages + [f"{s.name}: {s.missing}" for s in solvers if s.missing],
    }
    file = out / ("race_extras.json" if chosen.only_extras else "race.json")
    if chosen.update and file.exists():
        # What was measured again stands beside the record of the whole.
        whole = json.loads(file.read_text())
        again = {**record, "problems": [problem.name for problem in problems]}
        record = {**whole, "updates": [*whole.get("updates", []), again]}
    file.write_text(json.dumps(record, indent=2) + "\n")
    for message in record["messages"]:
        print(message)
    print(f"{len(rows)} rows in {record['seconds']} s; results in {os.path.relpath(out)}")


def commit():
    """The state of the project that was measured, or None outside of a checkout."""
    try:
        done = subprocess.run(["git", "-C", HERE, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    except OSError:
        return None
    return done.stdout.strip() or None


def _without_paths(arguments):
    """The command as anybody would type it: the folders have another name elsewhere."""
    words = list(arguments)
    for option in ("--data", "--out"):
        if option in words:
            words[words.index(option) + 1] = "FOLDER"
    return words


if __name__ == "__main__":
    main()
