"""Make the page of results, docs/race.md and its pictures, of what is tracked in benchmarks/results.

python -m benchmarks.race.report [--results FOLDER] [--docs FOLDER]
"""

import argparse
import csv
import json
from collections import defaultdict
from pathlib import Path

import numpy as np

from .benchmark_utils.problems import CLASSES, MANY_CLASSES, ROWS, SEVEN
from .benchmark_utils.solvers import OURS

ROOT = Path(__file__).parents[2]
BASELINE = "LAPACK calls"
TEXTBOOK = ("textbook APG", "textbook joint APG")
CVXPY = ("cvxpy Clarabel", "cvxpy SCS")
TEXT = {"row", "strength", "problem", "family", "loss", "layout", "solver", "status", "note", "what", "quantity"}


def read(file):
    """List of dicts, numbers as floats; empty where there is no such file."""
    if not file.exists():
        return []
    with open(file, newline="") as handle:
        rows = list(csv.DictReader(handle))
    return [{k: v if k in TEXT else float(v) if v else np.nan for k, v in row.items()} for row in rows]


# ------------------------------------------------------------------------------------------ comparisons


class Bound(float):
    """Seconds or a ratio that the truth is at least."""


class Race:
    """The rows by problem, target and solver."""

    def __init__(self, rows):
        self.rows = rows
        self.table = {(row["problem"], row["target"], row["solver"]): row for row in rows}
        self.problems = list(dict.fromkeys(row["problem"] for row in rows))

    def ours(self, problem, target=1e-6):
        """Seconds of ours, or None."""
        found = [self.table.get((problem, target, name)) for name in OURS]
        return next((row["seconds"] for row in found if row and row["status"] == "reached"), None)

    def peers(self, problem, target=1e-6, names=None):
        """Seconds of the best of the peers, a Bound if one that was stopped early might be better; or None."""
        best = None
        for (which, at, solver), row in self.table.items():
            other = solver not in (*OURS, BASELINE) if names is None else solver.startswith(tuple(names))
            if which != problem or at != target or not other or row["status"] not in ("reached", "over limit"):
                continue
            seconds = row["seconds"] if row["status"] == "reached" else Bound(row["seconds"])
            best = seconds if best is None or seconds < best else best
        return best

    def ratio(self, problem, target=1e-6, names=None):
        """How many times as long as ours the best peer takes; None where either is not known.

        Where all of the peers end before the target, at the smallest one that one of them reaches.
        """
        if self.ours(problem, target) is None:
            return None
        for at in sorted({at for which, at, _ in self.table if which == problem and at >= target}):
            best = self.peers(problem, at, names)
            if best is not None:
                ratio = best / self.ours(problem, at)
                return Bound(ratio) if isinstance(best, Bound) else ratio
        return None

    def ratios(self, problems, target=1e-6, names=None):
        return [self.ratio(problem, target, names) for problem in problems]


def number(value):
    if value is None or value != value:
        return "-"
    text = f"{value:.2g}" if value < 9.95 else f"{value:,.0f}"
    return f"≥ {text}" if isinstance(value, Bound) else text


def mean(values):
    """Geometric mean; a Bound if any of them is."""
    value = float(np.exp(np.mean(np.log(values))))
    return Bound(value) if any(isinstance(v, Bound) for v in values) else value


def smallest(values):
    return min(values)


class Goal:
    """One line of the table of goals."""

    def __init__(self, what, wanted):
        self.what, self.wanted, self.measured, self.verdicts = what, wanted, [], []

    def faster(self, label, ratios, least, summary=smallest):
        """``summary`` of the ratios, peer to ours, is to be at least ``least``."""
        known = [ratio for ratio in ratios if ratio is not None]
        if not known:
            return self.absent(label)
        value = summary(known)
        return self.add(f"{label} {number(value)}x{self._each(ratios)}", value >= least and len(known) == len(ratios))

    def within(self, label, ratios, most):
        """The largest of the ratios, ours to the other, is to be at most ``most``."""
        known = [ratio for ratio in ratios if ratio is not None and ratio == ratio]
        if not known:
            return self.absent(label)
        return self.add(f"{label} {number(max(known))}{self._each(ratios)}", max(known) <= most and None not in ratios)

    def _each(self, ratios):
        """All of them, unless they are many or have just been shown."""
        text = f" ({', '.join(map(number, ratios))})"
        shown = any(text in earlier for earlier in self.measured)
        return text if 1 < len(ratios) <= 12 and not shown else ""

    def add(self, text, met):
        self.measured.append(text.strip())
        self.verdicts.append(met)
        return self

    def absent(self, label):
        self.measured.append(f"{label}: not measured" if label else "not measured")
        self.verdicts.append(None)
        return self

    def line(self):
        verdict = "not met" if False in self.verdicts else "not measured" if None in self.verdicts else "met"
        return f"| {self.what} | {self.wanted} | {'; '.join(self.measured)} | {verdict} |"


def _divide(a, b):
    return None if a is None or b is None else a / b


def goals(race, extras):
    """List of Goal."""
    seven = [f"l1/l2, gaussian {size}" for size, _ in SEVEN]
    rows = [f"gaussian {size}" for size, _ in ROWS]
    stacked = ["l1/l2, stacked 50x100x1000", "l1/l2, stacked 1000x30x50"]
    named = race.problems

    def of(*families):
        return [name for name in named if name.startswith(tuple(f"{family}," for family in families))]

    def ours_to_ours(families, other, data):
        return [_divide(race.ours(f"{f}, {on}"), race.ours(f"{other}, {on}")) for f in families for on in data]

    def to_lapack(problem):
        row = race.table.get((problem, 1e-6, BASELINE))
        return _divide(race.ours(problem), row["seconds"] if row and row["status"] == "reached" else None)

    table = []

    def goal(*words):
        table.append(Goal(*words))
        return table[-1]

    one = goal("l1/l2, one X, to 1e-6", "geometric mean ≥ 4x the best peer over seven designs, none slower")
    one.faster("geometric mean", race.ratios(seven), 4, mean).faster("worst", race.ratios(seven), 1)
    one = goal("l1/l2, one X, to 1e-9", "geometric mean ≥ 5x")
    one.faster("geometric mean", race.ratios(seven, 1e-9), 5, mean)
    paths = [name for name in named if name.startswith("l1/l2 path")]
    goal("path of 100 alphas to alpha_max/100, 1e-6", "≥ 5x the best peer's path").faster("", race.ratios(paths), 5)
    three = ("l1/linf", "l1/l3", "sparse group")
    one = goal("l1/linf, l1/l3, sparse group", "within 2x of our l1/l2 on the same problem; ≥ 50x cvxpy")
    one.within("to our l1/l2", ours_to_ours(three, "l1/l2", rows), 2)
    one.faster("cvxpy", race.ratios([f"{f}, {rows[0]}" for f in three], names=CVXPY), 50)
    dirty = of("dirty")
    one = goal("dirty, stacked and shared", "≥ 20x textbook APG; within 2x of our l1/linf")
    one.faster("textbook", race.ratios(dirty, names=TEXTBOOK), 20)
    one.within("to our l1/linf", ours_to_ours(["dirty"], "l1/linf", [*rows, "stacked 50x100x1000"]), 2)
    one = goal("l1/l2 stacked (50, 100, 1000), (1000, 30, 50)", "≥ 10x textbook APG")
    one.faster("textbook", race.ratios(stacked, names=TEXTBOOK), 10)
    low_rank = [name for name in of("trace norm") if "low rank" in name]
    one = goal("trace norm (50, 60, 200) and shared X", "≥ 4x textbook APG, ≥ 50x cvxpy")
    one.faster("textbook", race.ratios(low_rank, names=TEXTBOOK), 4)
    one.faster("cvxpy", race.ratios(low_rank, names=CVXPY), 50)
    joint = of("squared trace norm", "learned clusters")
    one = goal("squared trace norm, learned clusters", "≥ 20x the joint APG over (W, M), ≥ 100x cvxpy")
    one.faster("joint APG", race.ratios(joint, names=TEXTBOOK[1:]), 20)
    one.faster("cvxpy", race.ratios(joint, names=CVXPY), 100)
    closed = of("mean-regularised", "known clusters", "graph Laplacian")
    one = goal(
        "mean-regularised, known clusters, Laplacian (squared loss)",
        "within 3x of the LAPACK calls needed; a grid of 20 strengths in < 2x of one fit",
    )
    one.within("to LAPACK", [to_lapack(problem) for problem in closed], 3)
    grid = [name for name in named if name.startswith(("graph Laplacian path", "mean-regularised path"))]
    one.within(
        "grid to fit", [_divide(race.ours(name), race.ours(name.replace(" path", ""))) for name in grid], 2 - 1e-9
    )
    logistic = [name for name in named if name.startswith("logistic")]
    separate = [name for name in logistic if name.startswith(("logistic l1/l1", "logistic ridge"))]
    one = goal(
        f"logistic, all families ({CLASSES}; {MANY_CLASSES})",
        "≥ 5x textbook APG; where the penalty separates not slower than LogisticRegression per task",
    )
    one.faster("textbook, worst", race.ratios(logistic, names=TEXTBOOK), 5)
    known = [ratio for ratio in race.ratios(logistic, names=TEXTBOOK) if ratio is not None]
    if known:
        one.measured[-1] += f", geometric mean {number(mean(known))}x"
    one.faster("scikit-learn", race.ratios(separate, names=("scikit-learn",)), 1)
    sparse = [name for name in named if "sparse 2" in name or "sparse 1" in name]
    one = goal("sparse X, l1/l2", "faster than scikit-learn's; no dense copy of X")
    one.faster("scikit-learn", race.ratios(sparse, names=("scikit-learn",)), 1)
    used = [race.table.get((name, 1e-6, "convexmtl")) for name in sparse]
    # A dense copy would be all of it.
    one.within("peak to dense X", [r and r["peak_mb"] / (r["n"] * r["d"] * 8 / 2**20) for r in used], 0.5)
    return table + _extra_goals(extras)


def _extra_goals(extras):
    start = {(row["what"], row["solver"]): row for row in extras["startup"]}

    def seconds(what, solver="convexmtl"):
        row = start.get((what, solver))
        return None if row is None or row["seconds"] != row["seconds"] else row["seconds"]

    imports = [_divide(seconds("import"), seconds("import", "sklearn.linear_model"))]
    read_only = start.get(("first fit, read-only install without a cache", "convexmtl"), {}).get("note")
    warm = Goal("first fit in a new process, cache warm", "≤ 0.7 s; a read-only install still works")
    warm.within("seconds", [seconds("first fit in a new process, cache warm")], 0.7)
    warm.add(f"read-only install {read_only}", read_only == "works") if read_only else warm.absent("read-only")
    exponents = {row["quantity"]: row["exponent"] for row in extras["growth"]}
    growth = Goal("growth with n, d, T, each over a factor of 16", "exponent ≤ 1.1")
    for quantity, exponent in exponents.items():
        growth.within(quantity, [exponent], 1.1)
    return [
        Goal("import convexmtl", "≤ 1.3x of import sklearn.linear_model").within("", imports, 1.3),
        warm,
        Goal("first fit ever (compiling)", "≤ 10 s").within(
            "seconds", [seconds("first fit ever, nothing compiled")], 10
        ),
        Goal("peak memory beside X, Fortran float64, d >> working set", "≤ 0.3x of X").within(
            "", [row["ratio"] for row in extras["memory"]], 0.3
        ),
        growth if exponents else growth.absent("exponents"),
    ]


# --------------------------------------------------------------------------------------------- pictures

PICTURES = {
    "race_shared": [f"l1/l2, gaussian {size}" for size, _ in SEVEN[:6]],
    "race_families": [
        "l1/linf, gaussian 100x300x50",
        "dirty, stacked 50x100x1000",
        "trace norm, low rank 50x60x200",
        "squared trace norm, low rank shared 300x200x50",
        "learned clusters, clusters 20x100x200",
        f"logistic l1/l2, {CLASSES}",
    ],
}


def draw(curves, folder):
    """Names of the pictures made: the gap against seconds, on logarithmic scales."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.ticker import NullFormatter

    points = defaultdict(list)
    for row in curves:
        points[row["problem"], row["solver"]].append((row["seconds"], row["gap"]))
    made = []
    for name, problems in PICTURES.items():
        problems = [problem for problem in problems if any(which == problem for which, _ in points)]
        if not problems:
            continue
        solvers = {solver for problem, solver in points if problem in problems}
        solvers = sorted(solvers, key=lambda name: (name not in OURS, name))
        figure, axes = pyplot.subplots(-(-len(problems) // 3), 3, figsize=(10, 6), layout="constrained", squeeze=False)
        for ax in axes.flat[len(problems) :]:
            ax.axis("off")
        for ax, problem in zip(axes.flat, problems, strict=False):
            for i, solver in enumerate(solvers):
                if (problem, solver) in points:
                    # A gap of 0 but for rounding has no place on a logarithmic scale.
                    x, y = np.array(sorted(points[problem, solver])).T
                    style = "-" if solver.startswith("textbook") else ".-"
                    width = 2 if solver in OURS else 1
                    ax.loglog(x, np.maximum(y, 1e-12), style, color=f"C{i}", label=solver, linewidth=width)
            ax.set_title(problem, fontsize=8)
            ax.tick_params(labelsize=7)
            ax.xaxis.set_minor_formatter(NullFormatter())
            ax.set_ylim(1e-12, 2)
            ax.grid(alpha=0.3)
            ax.set_xlabel("seconds", fontsize=7)
        figure.supylabel("relative duality gap", fontsize=9)
        entries = {label: line for ax in axes.flat for line, label in zip(*ax.get_legend_handles_labels(), strict=True)}
        figure.legend(entries.values(), entries, loc="outside lower center", ncols=5, fontsize=7)
        folder.mkdir(parents=True, exist_ok=True)
        figure.savefig(folder / f"{name}.png", dpi=90)
        pyplot.close(figure)
        made.append(name)
    return made


# -------------------------------------------------------------------------------------------------- page

HEAD = """# The race

Time to a relative duality gap of 1e-3, 1e-6 and 1e-9, ours beside every peer that solves the same problem.

- *The gap* is computed from outside, by the same function for all: the duality gap of the coefficients that a solver
  hands back, over the objective at $W = 0$. No solver's own word is taken for the objective or the gap.
- *The time to a gap* is that of the loosest of a solver's own tolerances that reaches it: each goes down a ladder of
  them first, and the chosen ones are run again, hot, all solvers in turns. Shown is the median; the tracked table has
  smallest, largest and the number of runs, which is below five where a run takes seconds.
- *Textbook* methods stand for what published toolkits do: accelerated proximal gradient with line search,
  full passes, plain numpy. Their iterates are recorded and judged while the clock stands still, which favours them.
  *Joint* ones run over two matrices, as the published toolkits do.
  (Some families with one X have peers: cyanure, spams, adelie. [Another page](evidence/peers.md) has them beside ours.)
- *Problems* of each kind are few here. [Another page](evidence/variations.md) has others, drawn around these.
- `> 10` did not get there in so many seconds, `(3e-05)` ended at this gap. A ratio to a peer that was stopped is `≥`;
  where all peers end before 1e-6, they are compared at 1e-3. `-` is not known.
- *First* is the first call in a process that has compiled what there is to compile; *MB* is the peak of memory
  beside what was there before the call.
"""

GROUPS = {
    "l1/l2, one X": lambda r: r["family"] == "l1/l2" and r["layout"] == "shared" and r["loss"] == "squared",
    "Paths and grids": lambda r: r["layout"].endswith("path"),
    "Tasks with rows of their own, l1/l2": lambda r: r["family"] == "l1/l2" and r["loss"] == "squared",
    "Other row norms": lambda r: (
        r["loss"] == "squared" and r["family"] in ("l1/linf", "l1/l3", "l1/l1", "sparse group", "dirty")
    ),
    "Spectral penalties": lambda r: (
        r["loss"] == "squared" and r["family"] in ("trace norm", "squared trace norm", "learned clusters")
    ),
    "Quadratic couplings": lambda r: r["loss"] == "squared",
    "Classification": lambda r: True,
}


def cell(row):
    if row["status"] == "reached":
        return f"{row['seconds']:.3g}"
    if row["status"] == "over limit":
        return f"> {row['seconds']:.3g}"
    return f"({row['gap']:.0e})" if row["status"] == "not reached" else row["status"]


def tables(rows):
    """The lines of all tables."""
    lines, left = [], list(rows)
    for title, belongs in GROUPS.items():
        mine = [row for row in left if belongs(row)]
        left = [row for row in left if not belongs(row)]
        if not mine:
            continue
        lines += ["", f"## {title}", ""]
        targets = list(dict.fromkeys(row["target"] for row in mine))
        names = " | ".join(f"to {target:g}" for target in targets)
        lines += [f"| problem | solver | {names} | first | MB | remark |"]
        lines += ["| --- | --- |" + " ---: |" * (len(targets) + 2) + " --- |"]
        before = None
        for key in dict.fromkeys((row["problem"], row["solver"]) for row in mine):
            found = [row for row in mine if (row["problem"], row["solver"]) == key]
            problem = key[0] if key[0] != before else ""
            solver = f"**{key[1]}**" if key[1] in OURS else key[1]
            first = "" if found[0]["first"] != found[0]["first"] else f"{found[0]['first']:.3g}"
            memory = "" if found[0]["peak_mb"] != found[0]["peak_mb"] else f"{found[0]['peak_mb']:.0f}"
            remark = found[0]["note"].replace("|", "/")[:80]
            lines.append(f"| {problem} | {solver} | {' | '.join(map(cell, found))} | {first} | {memory} | {remark} |")
            before = key[0]
    return lines


def machine(record):
    packages = ", ".join(f"{name} {number}" for name, number in record["packages"].items() if number)
    threads = ", ".join(f"{k}={v}" for k, v in record["environment"].items()) or "threads as the libraries choose"
    return [
        "",
        "## The machine",
        "",
        f"{record['cpu']}, {record['cores']} cores, {record['memory_gib']} GiB, {record['system']}; "
        f"Python {record['python']}, {packages}; {'; '.join(record['blas'])}; {threads}. "
        f"{record['date']}, `{record['command'].strip()}`, {record['seconds'] / 60:.0f} minutes, "
        f"at most {record['options']['limit']:g} s for one run.",
        "",
        *[f"- {message}" for message in record["messages"]],
        *[
            f"- Measured again on {again['date']}, all solvers anew, at most {again['options']['limit']:g} s for one "
            f"run: {'; '.join(again['problems'])}."
            for again in record.get("updates", [])
        ],
    ]


def extra_tables(extras):
    lines = []
    if extras["startup"]:
        lines += ["", "## Start-up", "", "| what | solver | seconds | |", "| --- | --- | ---: | --- |"]
        lines += [f"| {r['what']} | {r['solver']} | {r['seconds']:.3g} | {r['note']} |" for r in extras["startup"]]
    if extras["growth"]:
        lines += [
            "",
            "## Growth",
            "",
            "To 1e-6, the other sizes fixed.",
            "",
            "| | size | seconds |",
            "| --- | ---: | ---: |",
        ]
        lines += [f"| {r['quantity']} | {r['size']:,.0f} | {r['seconds']:.3g} |" for r in extras["growth"]]
    for r in extras["memory"]:
        lines += ["", "## Memory", ""]
        lines += [
            f"X of {r['n']:.0f} x {r['d']:,.0f} in Fortran order takes {r['x_mb']:.0f} MB, "
            f"the fit {r['peak_mb']:.0f} MB beside it at its peak, {r['ratio']:.3f} of X."
        ]
    return lines


def page(results, images):
    """The text of the page; pictures go to ``images``."""
    rows = read(results / "race.csv")
    extras = {name: read(results / f"race_{name}.csv") for name in ("startup", "memory", "growth")}
    lines = [HEAD, "## Goals", "", "| | goal | measured | |", "| --- | --- | --- | --- |"]
    lines += [goal.line() for goal in goals(Race(rows), extras)]
    for name in draw(read(results / "race_curves.csv"), images):
        lines += ["", f"![The gap against time]({images.name}/{name}.png)"]
    lines += tables(rows) + extra_tables(extras)
    lines += machine(json.loads((results / "race.json").read_text()))
    return "\n".join(lines) + "\n"


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs")
    chosen = parser.parse_args(arguments)
    chosen.docs.mkdir(parents=True, exist_ok=True)
    text = page(chosen.results, chosen.docs / "images")
    (chosen.docs / "race.md").write_text(text)


if __name__ == "__main__":
    main()
