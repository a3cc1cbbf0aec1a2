"""Variations of the race: sizes, strengths and correlations drawn around those of its problems.

    python -m benchmarks.race.variations --csv benchmarks/results/race_variations.csv --page docs/evidence/variations.md

A row is one line of the goals. Its problems have sizes within a factor of three of the race's, alpha_max / alpha
log-uniform in 3 to 300, neighbouring features correlated by 0 to 0.95, and seeds of their own. Seconds are those of the
processor, with one thread (set OPENBLAS_NUM_THREADS=1 and the like), ours and the others' in turns at a gap that is
computed outside of both. A solver is stopped after --limit seconds, or when it has taken so many times as long as ours
that the goal is met with something to spare; its ratio is then a lower bound. --only and --problems make a part of it,
and --update puts that into the file.
"""

import argparse
import itertools
import sys
import time
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import convexmtl as mtl

from ..evidence._report import markdown, put
from . import report
from .benchmark_utils import data
from .benchmark_utils.families import FAMILIES
from .benchmark_utils.instance import Instance, make_instance
from .benchmark_utils.solvers import OURS, SOLVER
from .desk import Worker, preload
from .measure import Options, race
from .run import write

FAST, JOINT, CLOSED = "textbook APG", "textbook joint APG", "textbook APG, closed prox"
ONE_X = ("scikit-learn", "celer", "skglm")
SEARCH = "l1/l2 search"

# (kind of coefficients, layout, n, d, T), n per task.
SEVEN = [
    ("rows", "shared", *size)
    for size in (
        (300, 7500, 100),
        (500, 5000, 50),
        (2000, 500, 20),
        (1000, 10000, 10),
        (5000, 1000, 5),
        (64, 4000, 20),
        (100, 300, 50),
    )
]
PATHS = [SEVEN[6], SEVEN[2], SEVEN[5]]
TWO = [SEVEN[6], SEVEN[1]]
PRIVATE = [("private", "shared", *size) for _, _, *size in TWO]
STACKED = [("private", "stacked", 100, 1000, 50), ("rows", "stacked", 30, 50, 1000)]
LOW_RANK = [("low rank", "stacked", 60, 200, 50), ("low rank", "shared", 300, 200, 50)]
CLUSTERS = [("clusters", "stacked", 100, 200, 20), ("clusters", "stacked", 50, 100, 100)]
COUPLED = [("clusters", "shared", 2000, 500, 20), CLUSTERS[1]]
CLASSES = [("clusters", "shared", 1000, 300, 10), ("rows", "stacked", 100, 200, 50)]
SEARCHES = [("rows", "shared", *size) for size in ((200, 100, 10), (100, 500, 20), (300, 2000, 10), (500, 200, 20))]


@dataclass(frozen=True)
class Row:
    """Attributes
    ----------
    name, goal : str
        As the page has it.
    families : tuple of str
        One after the other, as are the ``designs``.
    beside : dict
        {label: names of solvers}, of which the best counts.
    family : str or None
        Ours of this family on the same problem is compared as well.
    classes : bool
        Classification.
    path : tuple or None
        As in ``make_instance``.
    targets : tuple
    enough : float
        Times our seconds, after which others are stopped.
    """

    name: str
    goal: str
    families: tuple
    designs: list
    beside: dict
    family: str | None = None
    classes: bool = False
    path: tuple | None = None
    targets: tuple = (1e-6,)
    enough: float = 10.0

    def problems(self, count, seed):
        """Of every variation the Problem; the first one of stacked tasks stands where the goals were set."""
        rng = np.random.default_rng([seed, *self.name.encode()])
        both = itertools.cycle(itertools.product(self.designs, self.families))
        for k, ((kind, layout, *size), family) in zip(range(count), both, strict=False):
            # Upwards less than a factor of three: a few problems would take all of the time.
            n, d, T = (max(3, int(np.ceil(value * 3 ** rng.uniform(-1, 0.3)))) for value in size)
            ratio, correlation = 3 * 100 ** rng.uniform(), rng.uniform(0, 0.95)
            draw = dict(kind=kind, layout=layout, n=n, d=d, T=T, correlation=correlation, classification=self.classes)
            # How much weaker a penalty of single entries is than one of rows.
            entries = ratio * 4 ** rng.uniform(-1, 0)
            if k == 0 and self.designs[0] is STACKED[0]:
                draw |= dict(n=size[0], d=size[1], T=size[2], correlation=0.0, noise=0.5 / np.sqrt(40))
                ratio, entries = 15, 8
            yield Problem(self, k, family, draw | {"seed": 1000 * seed + k}, ratio, entries)


@dataclass(frozen=True)
class Problem:
    """One variation of a row."""

    row: Row
    number: int
    family: str
    draw: dict
    ratio: float
    entries: float

    @property
    def name(self):
        size = "{n}x{d}x{T}".format(**self.draw)
        return f"{self.row.name}, {self.number}: {self.family} {self.draw['layout']} {size}"

    def instances(self):
        """The Instance, and where ours is compared with ours that of the other family."""
        drawn = data.varied(**self.draw)
        families = [self.family, self.row.family] if self.row.family else [self.family]
        return [self._instance(family, drawn) for family in families]

    def _instance(self, family, drawn):
        name = self.name if family == self.family else f"{self.name}, beside {family}"
        if family == "dirty":
            return _dirty(name, drawn, self.ratio, self.entries)
        # liblinear penalises its intercept.
        intercept = False if family == "l1/l1" else None
        return make_instance(name, drawn, family, self.ratio, intercept, self.row.path)

    def described(self):
        return {
            "row": self.row.name,
            "variation": self.number,
            "correlation": self.draw["correlation"],
            "strength": f"1/{self.row.path[1] if self.row.path else self.ratio:.3g}",
        }


def _dirty(name, drawn, ratio, entries):
    """At fractions of the strengths from which either part alone is zero."""
    X, y, task = drawn
    classify = np.issubdtype(y.dtype, np.integer)
    T = y.shape[1] if task is None else len(np.unique(task))
    top = [
        mtl.alpha_max(FAMILIES[family](T, classify).set_params(fit_intercept=classify), X, y, task=task)
        for family in ("l1/linf", "l1/l1")
    ]
    estimator = FAMILIES["dirty"](T, classify)
    # Where the part of rows is to be of use at all, its strength is below that of a row of single entries.
    sparse = top[1] / entries
    block = min(top[0] / ratio, 0.9 * T * sparse)
    estimator.set_params(alpha_block=max(block, 1.1 * sparse), alpha_sparse=sparse, fit_intercept=classify)
    return Instance(name, "dirty", estimator, X, y, task)


SPARSE = ("l1/l2", "l1/linf", "l1/l3", "sparse group", "dirty")
TEXTBOOK = {"textbook": (FAST, JOINT)}
PER_TASK = {"scikit-learn": tuple(name for name in SOLVER if name.endswith("per task") and name.startswith("scikit"))}
LAPACK = {"LAPACK": ("LAPACK calls",), "textbook": (FAST,)}
COUPLINGS = ("mean-regularised", "known clusters", "graph Laplacian")

ROWS = [
    Row("l1/l2, one X", "≥ 4x; ≥ 5x at 1e-9; none slower", ("l1/l2",), SEVEN, {"peers": ONE_X}, targets=(1e-6, 1e-9)),
    Row(
        "path of 100 strengths",
        "≥ 5x",
        ("l1/l2",),
        PATHS,
        {"peers": ("scikit-learn path", "celer path")},
        path=(100, 100),
    ),
    Row(SEARCH, "≥ 4x", ("l1/l2",), SEARCHES, {"MultiTaskLassoCV": ("MultiTaskLassoCV",)}),
    Row("l1/linf", "≤ 2 l1/l2", ("l1/linf",), TWO, {"textbook": (FAST,)}, "l1/l2"),
    Row("l1/l3", "≤ 2 l1/l2", ("l1/l3",), TWO, {"textbook": (FAST,)}, "l1/l2"),
    Row("sparse group", "≤ 2 l1/l2", ("sparse group",), TWO, {"textbook": (FAST,)}, "l1/l2"),
    Row("dirty, one X", "≥ 20x; ≤ 2 l1/linf", ("dirty",), PRIVATE, {"textbook": (JOINT,)}, "l1/linf", enough=30),
    Row("dirty, stacked", "≥ 20x; ≤ 2 l1/linf", ("dirty",), STACKED[:1], {"textbook": (JOINT,)}, "l1/linf", enough=30),
    Row("l1/linf, stacked", "≤ 2 l1/l2", ("l1/linf",), STACKED, {"textbook": (FAST,)}, "l1/l2"),
    Row("l1/l2, stacked", "≥ 10x, worst ≥ 4x", ("l1/l2",), STACKED, {"textbook": (FAST,)}, enough=60),
    Row("trace norm", "≥ 4x", ("trace norm",), LOW_RANK, {"textbook": (FAST,)}),
    Row(
        "squared trace norm",
        "≥ 20x joint",
        ("squared trace norm",),
        LOW_RANK,
        {"joint APG": (JOINT,), "APG, closed prox": (CLOSED,)},
        enough=30,
    ),
    Row("learned clusters", "≥ 20x joint", ("learned clusters",), CLUSTERS, {"joint APG": (JOINT,)}, enough=30),
    Row("quadratic couplings", "≥ 1/3 LAPACK", COUPLINGS, COUPLED, LAPACK),
    Row("logistic, sparse", "≥ 5x", SPARSE, CLASSES, TEXTBOOK, classes=True),
    Row(
        "logistic, spectral",
        "≥ 5x",
        ("trace norm", "squared trace norm", "learned clusters"),
        CLASSES,
        {"textbook": (FAST, JOINT, CLOSED)},
        classes=True,
    ),
    Row("logistic, couplings", "≥ 5x", COUPLINGS, CLASSES, TEXTBOOK, classes=True),
    Row("logistic, no coupling", "none slower", ("ridge", "l1/l1"), CLASSES, PER_TASK | TEXTBOOK, classes=True),
]


# ---------------------------------------------------------------------------------------------- measured


def measured(problem, options, names=(), desk=Worker):
    """List of dicts, one per solver and target."""
    wanted = [*OURS, *dict.fromkeys(name for group in problem.row.beside.values() for name in group)]
    if problem.row.name == SEARCH:
        rows = searched(problem, options)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            instance, *beside = problem.instances()
            solvers = [SOLVER[name] for name in wanted if not names or name in OURS or name.startswith(tuple(names))]
            solvers = [solver for solver in solvers if solver.applies(instance)]
            rows, _ = race(instance, solvers, options, desk, beside)
    keep = [name for name in rows[0] if name not in ("first", "peak_mb", "note", "layout")]
    return [{**problem.described(), **{name: row[name] for name in keep}} for row in rows if row["status"] != "missing"]


def searched(problem, options):
    """Five folds of 100 strengths down to the problem's and the fit at the best of them, in turns in this process.

    Neither hands out the coefficients of its folds: both stop by their own gaps, relative to the objective at W = 0
    (scikit-learn's tolerance is in twice that), and the gap that is noted is that of the fit at the end.
    """
    from sklearn.linear_model import MultiTaskLassoCV

    (target,) = problem.row.targets
    X, Y, _ = data.varied(**problem.draw)
    shared = {"eps": 1 / problem.ratio, "cv": 5, "fit_intercept": False}
    models = {
        "convexmtl": mtl.BlockSparseRegressorCV(**shared, tol=target),
        "MultiTaskLassoCV": MultiTaskLassoCV(**shared, tol=target / 2, max_iter=100_000),
    }
    seconds = {name: [] for name in models}
    for turn in range(options.runs):
        for name, model in models.items():
            if turn and sum(seconds[name]) > options.budget:
                continue
            start = time.thread_time()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model.fit(X, Y)
            seconds[name].append(time.thread_time() - start)
    rows = []
    for name, model in models.items():
        # The first one compiles, if it is not the only one.
        hot = seconds[name][1:] or seconds[name]
        instance = Instance(problem.name, "l1/l2", mtl.BlockSparseRegressor(model.alpha_, fit_intercept=False), X, Y)
        rows.append(
            {
                "problem": problem.name, "family": SEARCH, "loss": "squared", "layout": "shared",
                "n": len(X), "d": X.shape[1], "T": Y.shape[1], "solver": name, "target": target, "status": "reached",
                "seconds": float(np.median(hot)), "low": min(hot), "high": max(hot), "runs": len(hot),
                "first": np.nan, "gap": instance.relative_gap(model.coef_.T), "setting": target,
            }
        )  # fmt: skip
    return rows


# ------------------------------------------------------------------------------------------------- shown


def summary(ratios, slow):
    """(median, geometric mean, worst, share beyond ``slow``) of ratios that are to be large."""
    values = np.array(ratios, dtype=float)
    bounds = any(isinstance(ratio, report.Bound) for ratio in ratios)
    worst = min(ratios, key=float)
    mean = report.mean(ratios)
    share = np.mean(values < slow)
    median = float(np.median(values))
    above = [r for r in ratios if isinstance(r, report.Bound) and r <= median]
    return [
        report.number(report.Bound(median) if above else median),
        report.number(mean if bounds else float(mean)),
        report.number(worst),
        f"{100 * share:.0f} %",
    ]


def lines(rows):
    """Of the page's table: first ours beside others, then ours beside ours."""
    others, ours = [], []
    for row in ROWS:
        mine = [line for line in rows if line["row"] == row.name]
        found = report.Race(mine)
        problems = [name for name in found.problems if ", beside " not in name]
        for target, (label, names) in itertools.product(row.targets, row.beside.items()):
            ratios = [_ratio(found, name, target, names) for name in problems]
            known = [ratio for ratio in ratios if ratio is not None]
            if known:
                cells = summary(known, 1)
                others.append([row.name, label, f"{target:g}", row.goal, str(len(known)), *cells])
        if row.family:
            pairs = [(found.ours(name), found.ours(f"{name}, beside {row.family}")) for name in problems]
            known = [a / b for a, b in pairs if a and b]
            if known:
                median, mean, worst = np.median(known), report.mean(known), max(known)
                share = f"{100 * np.mean(np.array(known) > 2):.0f} %"
                cells = [report.number(float(value)) for value in (median, mean, worst)]
                ours.append([row.name, row.family, str(len(known)), *cells, share])
    return others, ours


def _ratio(found, problem, target, names):
    """How many times as long as ours the best of these takes, exact names; None where either is not known.

    Where ours has been stopped and one of the others has not, its seconds are what it had taken by then: at most.
    """
    own = found.ours(problem, target)
    rows = [found.table.get((problem, target, name)) for name in names]
    best = None
    for row in filter(None, rows):
        if row["status"] in ("reached", "over limit"):
            seconds = row["seconds"] if row["status"] == "reached" else report.Bound(row["seconds"])
            best = seconds if best is None or seconds < best else best
    if own is None and not isinstance(best, report.Bound):
        stopped = [found.table.get((problem, target, name)) for name in OURS]
        own = next((row["seconds"] for row in stopped if row and row["status"] == "over limit"), None)
    if own is None or best is None:
        return None
    return report.Bound(best / own) if isinstance(best, report.Bound) else best / own


def page(rows, file):
    others, ours = lines(rows)
    header = ["problems", "beside", "to", "goal", "variations", "median", "geometric mean", "worst", "slower"]
    second = ["problems", "beside ours of", "variations", "median", "geometric mean", "worst", "above 2"]
    put(file, "others", markdown(header, others))
    put(file, "ours", markdown(second, ours))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="TEXT", help="rows whose names contain one of these")
    parser.add_argument("--problems", type=int, default=20, help="variations of each row")
    parser.add_argument("--start", type=int, default=0, help="the first variation")
    parser.add_argument("--solvers", nargs="+", metavar="NAME", help="others whose names begin with one of these")
    parser.add_argument("--limit", type=float, default=10.0, help="seconds of the processor for one run")
    parser.add_argument("--runs", type=int, default=5, help="hot runs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--csv", type=Path, help="file of the rows")
    parser.add_argument("--update", action="store_true", help="keep what else there is in the file")
    parser.add_argument("--read", action="store_true", help="take the rows from that file, and measure nothing")
    parser.add_argument("--page", help="page to put the tables into")
    given = parser.parse_args(arguments)
    chosen = [row for row in ROWS if not given.only or any(text in row.name for text in given.only)]
    options = Options(
        limit=given.limit, runs=given.runs, budget=1.0, exploring=2 * given.limit, own=4.0, clock="thread_time"
    )
    rows = []
    if not given.read:
        preload([SOLVER[name] for row in chosen for group in row.beside.values() for name in group if name in SOLVER])
    # One variation of every row after the other: a run that is ended early has something of all of them.
    drawn = [list(row.problems(given.problems, given.seed))[given.start :] for row in chosen]
    for problem in () if given.read else filter(None, itertools.chain(*itertools.zip_longest(*drawn))):
        start = time.perf_counter()
        row = problem.row
        mine = measured(problem, replace(options, targets=row.targets, enough=row.enough), given.solvers or ())
        rows += mine
        if given.csv:
            write(mine, given.csv, given.update or len(rows) > len(mine))
        show(problem, mine, time.perf_counter() - start)
    rows = report.read(given.csv) if given.csv else rows
    if given.page:
        page(rows, given.page)
    for table in lines(rows):
        print(*("  ".join(line) for line in table), sep="\n")


def show(problem, rows, seconds):
    print(f"{problem.name}, correlation {problem.draw['correlation']:.2f}, strength {problem.described()['strength']}")
    for row in rows:
        sign = {"reached": " ", "over limit": ">"}.get(row["status"], "?")
        own = "" if row["problem"] == problem.name else f" ({row['family']})"
        print(f"    {row['solver'] + own:36s} {row['target']:7.0e} {sign}{row['seconds']:9.4f}")
    print(f"    {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
