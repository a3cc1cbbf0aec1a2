"""Many targets of a few hundred rows: seconds of fits, with and without reducing them first.

Of the rows no more are needed than there are features; and for penalties that depend on W W' only (rows, trace norm)
all targets are orthonormal combinations of at most as many as there are rows: with 500 rows a hundred thousand targets
are to cost what 500 do, beside what it takes to read them.

    python -m benchmarks.reduction --csv benchmarks/results/reduction.csv
"""

import argparse
import time
from contextlib import contextmanager, nullcontext

import numpy as np

import convexmtl as mtl
from convexmtl import reduction

from ._table import write

FAMILIES = {"block_sparse": mtl.BlockSparseRegressor, "trace_norm": mtl.TraceNormRegressor}


@contextmanager
def all_tasks():
    """Neither tasks nor rows are reduced."""
    before = reduction.MANY, reduction.THIN
    reduction.MANY = reduction.THIN = np.inf
    try:
        yield
    finally:
        reduction.MANY, reduction.THIN = before


def draw(n_rows, n_features, n_tasks, rank=10, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_rows, n_features))
    W = np.zeros((n_features, n_tasks))
    W[: n_features // 5] = rng.standard_normal((n_features // 5, rank)) @ rng.standard_normal((rank, n_tasks))
    return X, X @ W / np.sqrt(n_features) + rng.standard_normal((n_rows, n_tasks))


def timed(name, X, Y, share, rotated, tol):
    """(seconds of CPU of the faster of two fits, objective, gap as a share of what there is to gain)"""
    model = FAMILIES[name](tol=tol)
    model.alpha = share * mtl.alpha_max(model, X, Y)
    with nullcontext() if rotated else all_tasks():
        seconds = []
        for _ in range(2):
            begin = time.process_time()
            model.fit(X, Y)
            seconds.append(time.process_time() - begin)
    return min(seconds), model.objective_, model.dual_gap_ / model._summary.gain


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--features", type=int, default=100)
    parser.add_argument("--tasks", type=int, nargs="+", default=[500, 5_000, 20_000, 100_000])
    parser.add_argument("--most", type=int, default=20_000, help="tasks up to which all of them are fitted, too")
    parser.add_argument("--share", type=float, default=0.1, help="strength, of alpha_max")
    parser.add_argument("--tol", type=float, default=1e-6)
    parser.add_argument("--csv")
    options = parser.parse_args()
    rows = []
    for name in FAMILIES:
        timed(name, *draw(20, 5, 50), options.share, True, options.tol)
        for n_tasks in options.tasks:
            X, Y = draw(options.rows, options.features, n_tasks)
            for rotated in (True, False):
                if not rotated and n_tasks > options.most:
                    continue
                seconds, objective, gap = timed(name, X, Y, options.share, rotated, options.tol)
                taken = rotated and n_tasks >= reduction.MANY * options.rows
                how = "rotated" if taken else "all tasks"
                if rotated and not taken:
                    continue
                rows.append([name, n_tasks, options.rows, options.features, how, f"{seconds:.3g}", f"{gap:.2g}"])
                print(*rows[-1], f"objective {objective:.10g}", flush=True)
    names = ["family", "tasks", "rows", "features", "fit", "cpu_seconds", "gap_share"]
    write(options.csv, [dict(zip(names, row, strict=True)) for row in rows])


if __name__ == "__main__":
    main()
