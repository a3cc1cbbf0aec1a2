"""Growth with the number of tasks: seconds and memory of one fit, from 10^2 to 10^5 tasks of 20 rows and 10 features.

    python -m benchmarks.growth [--only FAMILY ...] [--most 100000] [--csv FILE] [--image FILE]

Every fit is in a process of its own, after one to few tasks that compiles. Seconds are the least of up to three runs,
on the clock and of the processor; memory is the peak of the process (VmHWM in /proc/self/status, so Linux only) above
what it held before, so beside X, y and the labels. The exponents are slopes of a line through the logarithms, over the
upper decade and a half; where other processes run on the machine, look at that of the processor's seconds. Strengths
of norms are a tenth of ``alpha_max``; those of couplings pull a task about as much as its own samples do.

Beside the growth: 10^4 tasks of unequal sizes, and the shape of data of statsmodels issue #9097, 125,066 groups with
two categorical variables and a number (how many rows it has is not said there: 4 for each group here).
"""

import argparse
import multiprocessing
import os
import pickle
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

import convexmtl as cm

ROWS, FEATURES, PER_CLUSTER = 20, 10, 100
SIZES = (100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)
FROM = 3_000  # tasks from which on the exponents are fitted
UNEQUAL = 10_000  # tasks of the cases of unequal sizes
LARGE_TASK = 1_000_000  # rows
GROUPS, GROUP_ROWS = 125_066, 4
REPEAT, ENOUGH = 3, 20.0  # runs, and seconds after which there are no more
MIB = 2**20

# From the number of tasks to an estimator, and whether its strengths are then set to a tenth of alpha_max.
FAMILIES = {
    "block-sparse": (lambda T: cm.BlockSparseRegressor(), True),
    "dirty": (lambda T: cm.DirtyRegressor(T**0.5, 1.0), True),
    "mean-regularised": (lambda T: cm.MeanRegularizedRegressor(alpha_mean=0.1, alpha_variance=T), False),
    "known clusters": (lambda T: cm.ClusteredRegressor(clusters=np.arange(T) // PER_CLUSTER), False),
    "chain": (lambda T: cm.GraphGuidedRegressor([(t, t + 1) for t in range(T - 1)], alpha=1.0, norm="l2"), False),
    "trace norm": (lambda T: cm.TraceNormRegressor(), True),
    "task relationships": (lambda T: cm.TaskRelationshipRegressor(), True),
}


def equal(T, rng):
    return np.full(T, ROWS)


def unequal(T, rng):
    return rng.integers(2, 61, T)


def one_large(T, rng):
    return np.append(np.full(T, ROWS), LARGE_TASK)


def drawn(sizes, rng):
    """(X, y, task): clusters of tasks that follow each other, whose coefficients are near a plane, on 4 features."""
    T, n = len(sizes), int(sizes.sum())
    task = np.repeat(np.arange(T), sizes)
    centres = rng.standard_normal((T // PER_CLUSTER + 1, 2)) @ rng.standard_normal((2, 4)) + rng.standard_normal(4)
    W = centres[np.arange(T) // PER_CLUSTER] + 0.2 * rng.standard_normal((T, 4))
    X = rng.standard_normal((n, FEATURES))
    y = np.einsum("ij,ij->i", X[:, :4], W[task]) + task % 7 + 0.5 * rng.standard_normal(n)
    return X, y, task


def grouped(T, rng):
    """The same of two categorical variables of 3 levels and a number."""
    task = np.repeat(np.arange(T), GROUP_ROWS)
    levels = rng.integers(0, 3, (len(task), 2))
    X = np.column_stack([levels == 1, levels == 2, rng.standard_normal(len(task))]).astype(float)
    w = np.array([0.5, -0.5, 1.0, 0.3, 0.7]) + 0.3 * rng.standard_normal((T, 5))
    y = np.einsum("ij,ij->i", X, w[task]) + rng.standard_normal(T)[task] + 0.5 * rng.standard_normal(len(task))
    return X, y, task


def made(family, X, y, task):
    make, scaled = FAMILIES[family]
    estimator = make(task[-1] + 1)
    if scaled:
        top = cm.alpha_max(estimator, X, y, task=task)
        top = top if isinstance(top, dict) else {"alpha": top}
        estimator.set_params(**{name: value / 10 for name, value in top.items()})
    return estimator


def held(field):
    """MiB that the process holds (VmRSS), or has held at most (VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1]) / 1024


def forget_peak():
    Path("/proc/self/clear_refs").write_text("5")


def measured(family, kind, T):
    """What is measured of one fit, as a dict; to be run in a process of its own."""
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    draw = (lambda T: grouped(T, rng)) if kind == "groups" else (lambda T: drawn(SHAPES[kind](T, rng), rng))
    few = drawn(equal(300, rng), rng)
    small = made(family, *few).fit(few[0], few[1], task=few[2])  # compile
    small.predict(few[0], task=few[2])
    X, y, task = draw(T)
    estimator, seconds, processor, peaks = made(family, X, y, task), [], [], []
    while len(seconds) < REPEAT and sum(seconds) < ENOUGH:
        before = held("VmRSS")
        forget_peak()
        start = time.perf_counter(), time.process_time()
        estimator.fit(X, y, task=task)
        seconds.append(time.perf_counter() - start[0])
        processor.append(time.process_time() - start[1])
        # (Later runs may find memory that is free already.)
        peaks.append(held("VmHWM") - before)
    start = time.perf_counter()
    estimator.predict(X, task=task)
    predicted = time.perf_counter() - start
    return {
        "family": family,
        "sizes": kind,
        "T": len(estimator.tasks_),
        "rows": len(y),
        "features": X.shape[1],
        "data MiB": (X.nbytes + y.nbytes + task.nbytes) / MIB,
        "seconds": min(seconds),
        "processor seconds": min(processor),
        "runs": len(seconds),
        "peak MiB": max(peaks),
        "iterations": estimator.n_iter_,
        "relative gap": estimator.dual_gap_ / estimator.objective_,
        "rows of coef_ in use": int(estimator.coef_.any(axis=0).sum()),
        "predict seconds": predicted,
        "pickle MiB": len(pickle.dumps(estimator)) / MIB,
    }


SHAPES = {"20 each": equal, "2 to 60": unequal, "20, one of 10^6": one_large}


def cases(only, most):
    for family in only:
        yield from ((family, "20 each", T) for T in SIZES if T <= most)
        for kind in ("2 to 60", "20, one of 10^6"):
            if most >= UNEQUAL:
                yield family, kind, UNEQUAL
    if "mean-regularised" in only and most >= GROUPS // 2:
        yield "mean-regularised", "groups", GROUPS


def with_exponents(table):
    """The table with the slopes of each family over its sizes from FROM on."""
    for column in ("seconds", "processor seconds", "peak MiB"):
        name = f"exponent of {column}"
        table[name] = np.nan
        for _, rows in table[(table["sizes"] == "20 each") & (table["T"] >= FROM)].groupby("family"):
            if len(rows) > 1:
                # (A fit to few tasks may find all that it needs in memory that was free.)
                amounts = np.log(np.maximum(rows[column], 1e-3))
                table.loc[rows.index, name] = np.polyfit(np.log(rows["T"]), amounts, 1)[0]
    return table


def draw(table, path):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    for ax, column, label in zip(axes, ("seconds", "peak MiB"), ("seconds", "MiB beside the data"), strict=True):
        for family, rows in table[table["sizes"] == "20 each"].groupby("family", sort=False):
            ax.loglog(rows["T"], rows[column], marker="o", markersize=3, label=family)
        equal_sizes = table[table["sizes"] == "20 each"]
        T = np.array([equal_sizes["T"].min(), equal_sizes["T"].max()])
        top = equal_sizes.loc[equal_sizes["T"] == T[1], column].median()
        ax.loglog(T, top * T / T[1], color="grey", linestyle=":", label="proportional")
        ax.set_xlabel("tasks")
        ax.set_ylabel(label)
    axes[0].legend(fontsize=8)
    figure.savefig(path, dpi=90)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=FAMILIES, default=list(FAMILIES))
    parser.add_argument("--most", type=int, default=SIZES[-1], help="tasks")
    parser.add_argument("--csv", metavar="FILE", help="where the table goes")
    parser.add_argument("--image", metavar="FILE", help="where the plot goes")
    chosen = parser.parse_args(arguments)
    rows, context = [], multiprocessing.get_context("spawn")
    for case in cases(chosen.only, chosen.most):
        with ProcessPoolExecutor(1, mp_context=context) as fresh:
            rows.append(fresh.submit(measured, *case).result())
        row = {name: f"{v:.3g}" if isinstance(v, float) else v for name, v in rows[-1].items()}
        print(", ".join(f"{name} {value}" for name, value in row.items()), flush=True)
    table = with_exponents(pd.DataFrame(rows))
    exponents = table[[name for name in table if name.startswith("exponent")]].round(2)
    print(exponents.groupby(table["family"], sort=False).first().to_string())
    if chosen.csv:
        table.to_csv(chosen.csv, index=False, float_format="%.4g")
    if chosen.image:
        draw(table, chosen.image)


if __name__ == "__main__":
    # (What is freed is to go back to the system, else a later peak hides in it.)
    os.environ["MALLOC_TRIM_THRESHOLD_"] = os.environ["MALLOC_MMAP_THRESHOLD_"] = "65536"
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    main()
