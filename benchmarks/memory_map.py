"""Memory beside a numpy.memmap X of 2 GB: the largest amount held at a time while an estimator is fitted to it.

    python -m benchmarks.memory_map [--gigabytes 2] [--csv FILE]

What is counted are the process's own pages (RssAnon in /proc/self/status, so Linux only), sampled every 5 ms: those of
the mapped file come from the disk and go back to it as they like. A copy of X would count in full.
"""

import argparse
import multiprocessing
import tempfile
import threading
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

import convexmtl as cm

N_TASKS = 10
SHAPES = {"tall": 1000, "wide": 100_000}  # features
ESTIMATORS = {
    "BlockSparseRegressor(0.3)": (cm.BlockSparseRegressor(0.3), "tall wide"),
    "BlockSparseRegressor(0.001)": (cm.BlockSparseRegressor(0.001), "tall"),
    "BlockSparseClassifier(0.05)": (cm.BlockSparseClassifier(0.05), "tall wide"),
    "DirtyRegressor(0.3, 0.2)": (cm.DirtyRegressor(0.3, 0.2), "tall wide"),
    "MeanRegularizedRegressor()": (cm.MeanRegularizedRegressor(), "tall"),
    "TraceNormRegressor(0.3)": (cm.TraceNormRegressor(0.3), "tall"),
}


def own_pages():
    """MiB that the process holds beside mapped files."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("RssAnon")).split()[1]) / 1024


def measured(name, path, n, d, order, Y):
    """(seconds, peak MiB above what was held before) of one fit; to be run in a process of its own."""
    estimator = ESTIMATORS[name][0]
    X = np.memmap(path, dtype=float, mode="r", shape=(n, d), order=order)
    if "Classifier" in name:
        Y = (np.median(Y, axis=0) < Y).astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(np.array(X[:100, :50]), Y[:100])  # compile
    peak, done, before = [0.0], threading.Event(), own_pages()

    def watch():
        while not done.is_set():
            peak[0] = max(peak[0], own_pages() - before)
            time.sleep(0.005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    try:
        estimator.fit(X, Y)
    finally:
        seconds = time.perf_counter() - start
        done.set()
        watcher.join()
    return seconds, peak[0]


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--csv", metavar="FILE", help="where the results go")
    chosen = parser.parse_args(arguments)
    rows = []
    for shape, d in SHAPES.items():
        n = max(100, int(chosen.gigabytes * 2**30 / 8 / d))
        for order in "CF":
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "X.dat"
                Y = _on_disk(path, n, d, order)
                for name, (_, shapes) in ESTIMATORS.items():
                    if shape not in shapes:
                        continue
                    context = multiprocessing.get_context("spawn")
                    with ProcessPoolExecutor(1, mp_context=context) as fresh:
                        seconds, peak = fresh.submit(measured, name, path, n, d, order, Y).result()
                    size = n * d * 8 / 2**20
                    rows.append(
                        {
                            "estimator": name, "n": n, "d": d, "T": N_TASKS, "order": order,
                            "X in MiB": round(size), "peak in MiB": round(peak),
                            "share of X": f"{peak / size:.2f}", "seconds": f"{seconds:.3g}",
                        }
                    )  # fmt: skip
                    print(rows[-1], flush=True)
    if chosen.csv:
        pd.DataFrame(rows).to_csv(chosen.csv, index=False)


def _on_disk(path, n, d, order):
    """Write X to a file; returns targets that 20 of its features explain."""
    rng = np.random.default_rng(0)
    X = np.memmap(path, dtype=float, mode="w+", shape=(n, d), order=order)
    W = rng.standard_normal((20, N_TASKS))
    Y = np.empty((n, N_TASKS))
    for begin in range(0, n, 1000):
        block = slice(begin, min(begin + 1000, n))
        X[block] = rng.standard_normal((block.stop - begin, d))
        Y[block] = X[block, :20] @ W + rng.standard_normal((block.stop - begin, N_TASKS))
    X.flush()
    return Y


if __name__ == "__main__":
    main()
