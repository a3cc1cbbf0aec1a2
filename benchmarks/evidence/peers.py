"""Peers that came late to the race, paired with ours: seconds of the processor to a gap that is seen from outside.

    python -m benchmarks.evidence.peers --csv benchmarks/results/evidence_peers.csv --page docs/evidence/peers.md

Each solver goes down a ladder of its own tolerances to the loosest that reaches the gap, and is timed there again, all
solvers in turns, after a first call that does not count; of these runs the shortest is taken. A problem is drawn anew
for every seed, so that the ratios to ours have intervals (of their logarithms). BLAS has one thread.
"""

import argparse
import logging
import time
import warnings
from itertools import product

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from ..race.benchmark_utils import data
from ..race.benchmark_utils.instance import make_instance
from ..race.benchmark_utils.solvers import SOLVER
from ._report import add_outputs, carry_out, interval, markdown, put

PEERS = ("scikit-learn", "celer", "skglm", "adelie", "cyanure", "cyanure per task", "spams", "skglm, block-diagonal X")
SOLVERS = ("convexmtl", *PEERS)
# name: (family, function of a seed that draws the data, alpha_max / alpha)
PROBLEMS = {
    "l1/l2, 100 x 300 x 50": ("l1/l2", lambda seed: data.gaussian(100, 300, 50, seed=seed), 20),
    "l1/l2, 200 x 2000 x 20": ("l1/l2", lambda seed: data.gaussian(200, 2000, 20, seed=seed), 20),
    "l1/linf, 100 x 300 x 50": ("l1/linf", lambda seed: data.gaussian(100, 300, 50, seed=seed), 20),
    "sparse group, 100 x 300 x 50": ("sparse group", lambda seed: data.gaussian(100, 300, 50, seed=seed), 20),
    "trace norm, 300 x 100 x 30": (
        "trace norm", lambda seed: data.drawn("low_rank", 30, 300, 100, seed=seed, layout="shared", rank=3), 10,
    ),
    "logistic l1/l1, 500 x 100 x 10": (
        "l1/l1",
        lambda seed: data.drawn("clustered", 10, 500, 100, seed=seed, layout="shared", classification=True), 10,
    ),
}  # fmt: skip
TARGETS, RUNS = (1e-3, 1e-6, 1e-9), 3
FINEST, LIMIT = 1e-15, 5.0  # the last tolerance, and seconds on the way to it


def timed(solve, tol):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = time.process_time()
        found = solve(tol)
        return time.process_time() - start, found


def ladder(solver, instance, solve):
    """{target: the loosest tolerance that reaches it}"""
    reached, tol, spent = {}, solver.loosest, 0.0
    while tol >= FINEST and spent < LIMIT and len(reached) < len(TARGETS):
        seconds, found = timed(solve, tol)
        gap = instance.relative_gap(*found)
        spent += seconds
        for target in TARGETS:
            if gap <= target:
                reached.setdefault(target, tol)
        tol /= 10
    return reached


def measured(problem, seed, names=SOLVERS):
    """Yield a row per solver and target."""
    family, draw, ratio = PROBLEMS[problem]
    instance = make_instance(problem, draw(seed), family, ratio, fit_intercept=False)
    solvers = {}
    for name in names:
        solver = SOLVER[name]
        if solver.missing or not solver.applies(instance):
            continue
        solve = solver.prepare(instance)
        timed(solve, solver.loosest)
        solvers[name] = solve, ladder(solver, instance, solve)
    for target in TARGETS:
        best = dict.fromkeys(solvers, np.inf)
        for _, (name, (solve, reached)) in product(range(RUNS), solvers.items()):
            if target in reached:
                best[name] = min(best[name], timed(solve, reached[target])[0])
        for name, seconds in best.items():
            yield {
                "problem": problem, "seed": seed, "target": target, "solver": name,
                "seconds": f"{seconds:.5g}" if np.isfinite(seconds) else "", "times ours": times(best, name),
            }  # fmt: skip


def times(best, name):
    """How many times as long as ours."""
    ratio = best[name] / best["convexmtl"]
    return f"{ratio:.4g}" if np.isfinite(ratio) else ""


def report(rows, page):
    table = pd.DataFrame(rows)
    table[["seconds", "times ours"]] = table[["seconds", "times ours"]].replace("", np.nan).astype(float)
    lines = []
    for (problem, name), own in table.groupby(["problem", "solver"], sort=False):
        cells = []
        for target in TARGETS:
            at = own[own["target"] == target]
            ratios = np.log(at["times ours"].dropna())
            if not len(ratios):
                cells.append("not reached")
                continue
            mean, half = interval(ratios)
            seconds = at["seconds"].median()
            around = "" if np.isnan(half) else " ({:.2g} to {:.2g})".format(*np.exp([mean - half, mean + half]))
            cells.append(f"{seconds:.3g} s" if name == "convexmtl" else f"{np.exp(mean):.2g}{around}")
        lines.append([problem, f"**{name}**" if name == "convexmtl" else name, own["seed"].nunique(), *cells])
    heads = ["problem", "solver", "seeds", *(f"to {target:g}" for target in TARGETS)]
    put(page, "table", markdown(heads, lines))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", nargs="+", default=list(PROBLEMS), choices=list(PROBLEMS), metavar="PROBLEM")
    parser.add_argument("--solvers", nargs="+", default=SOLVERS, choices=SOLVERS, metavar="SOLVER")
    add_outputs(parser, "the table")
    given = parser.parse_args(arguments)
    logging.disable(logging.WARNING)  # what cyanure has to say of every fit
    with threadpool_limits(1):
        steps = product(given.only, range(given.seeds))
        carry_out(given, (list(measured(*step, given.solvers)) for step in steps), report)


if __name__ == "__main__":
    main()
