"""Losses with kinks, and several penalties on one W: seconds to a gap of 1e-6, beside cvxpy.

    python -m benchmarks.algebra --cvxpy 1 --csv benchmarks/results/algebra.csv

20 tasks of 50 samples with 200 features, at a tenth of the largest strength; CPU seconds of one fit, warm, and of one
solution by Clarabel at the tolerances of ``reference.fit``, in a process of its own that ends after ``--limit`` of
them: ``times_faster`` is a lower bound then, and begins with ">". cvxpy is asked for the first ``--cvxpy`` seeds.
"""

import argparse
import multiprocessing
import resource
import sys
import time

import numpy as np

import convexmtl as cm
from convexmtl.penalties import Box, MeanCoupling, Parts, RowNorm, TraceNorm

from ._table import write

T, D, N = 20, 200, 50
LOSSES = ["squared", "quantile", "absolute", "epsilon_insensitive", "hinge", "sqrt"]
PENALTIES = {
    "rows": RowNorm(),
    "rows+trace": RowNorm() + TraceNorm(),
    "entries+trace+positive": RowNorm(q=1) + TraceNorm(2.0) + Box(low=0.0),
    "parts+rows": Parts([("sparse", RowNorm(q=1)), ("low_rank", TraceNorm(2.0))]) + RowNorm(0.5),
    "mean": MeanCoupling(0.1, 1.0),
}


def drawn(seed):
    """X (T N, D), y and task: few features, of few patterns."""
    rng = np.random.default_rng(seed)
    W = np.zeros((D, T))
    W[:20] = rng.standard_normal((20, 3)) @ rng.standard_normal((3, T))
    X, task = rng.standard_normal((T * N, D)), np.repeat(np.arange(T), N)
    return X, np.einsum("ij,ji->i", X, W[:, task]) + rng.standard_normal(T * N), task


def measured(loss, name, seed, limit):
    """One row; cvxpy is asked where it has a limit of seconds."""
    X, y, task = drawn(seed)
    y = np.where(y > 0, 1, -1) if loss == "hinge" else y
    cls = cm.MultiTaskClassifier if loss == "hinge" else cm.MultiTaskRegressor
    penalty = PENALTIES[name]
    if name != "mean":
        largest = cm.alpha_max(cls(penalty, loss=loss), X, y, task=task)
        factor = (next(iter(largest.values())) if isinstance(largest, dict) else largest) / 10
        penalty = penalty.scaled(factor / next(iter(penalty.strength_values().values())))
    model = cls(penalty, loss=loss, tol=1e-6)
    for _ in range(2):  # (The first fit may compile.)
        start = time.process_time()
        model.fit(X, y, task=task)
        seconds = time.process_time() - start
    trivial = model._summary.trivial
    row = {
        "loss": loss,
        "penalty": name,
        "seed": seed,
        "seconds": round(seconds, 3),
        "iterations": model.n_iter_,
        "relative_gap": f"{model.dual_gap_ / trivial:.1e}",
        "converged": model._summary.converged,
        "seconds_cvxpy": "",
        "times_faster": "",
        "above_cvxpy": "",
    }
    if limit:
        other, objective = asked(model, X, y, task, limit)
        beyond = "" if other < limit else "> "
        row |= {"seconds_cvxpy": f"{beyond}{other:.1f}", "times_faster": f"{beyond}{other / seconds:.0f}"}
        row["above_cvxpy"] = "" if objective is None else f"{(model.objective_ - objective) / trivial:.1e}"
    return row


def asked(model, X, y, task, limit):
    """(CPU seconds that cvxpy takes, its objective or None) in a process that ends itself after ``limit`` of them."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_ask, args=(model, X, y, task, limit, theirs))
    process.start()
    theirs.close()
    try:
        return ours.recv()
    except EOFError:
        return limit, None
    finally:
        process.join()


def _ask(model, X, y, task, limit, answer):
    used = resource.getrusage(resource.RUSAGE_SELF)
    end = int(np.ceil(used.ru_utime + used.ru_stime + limit))
    resource.setrlimit(resource.RLIMIT_CPU, (end, end))
    start = time.process_time()
    try:
        found = cm.reference.fit(model, X, y, task=task, solver="CLARABEL").objective
    except RuntimeError:
        found = None
    answer.send((time.process_time() - start, found))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cvxpy", type=int, default=0, metavar="SEEDS", help="of so many seeds ask cvxpy, too")
    parser.add_argument("--limit", type=float, default=60, help="CPU seconds of cvxpy")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--losses", nargs="+", default=LOSSES, choices=LOSSES)
    parser.add_argument("--penalties", nargs="+", default=list(PENALTIES), choices=list(PENALTIES))
    parser.add_argument("--csv", help="file to write")
    given = parser.parse_args(arguments)
    rows = []
    for loss in given.losses:
        for name in given.penalties:
            for seed in range(given.seeds):
                rows.append(measured(loss, name, seed, given.limit * (seed < given.cvxpy)))
                print(*rows[-1].values(), flush=True)
                write(given.csv, rows)


if __name__ == "__main__":
    sys.exit(main())
