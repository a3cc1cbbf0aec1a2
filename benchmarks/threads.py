"""Fits with the threads that BLAS has by itself and with one, alone and beside a busy process.

python -m benchmarks.threads --csv benchmarks/results/threads.csv

``as before`` lets BLAS have the user's threads throughout, as fits had before they held it to one; ``now`` is a plain
fit; ``one`` is a fit with one thread set by the user. All in turns, in one process; the neighbours are Python loops.
"""

import argparse
import contextlib
import subprocess
import sys
import time
import warnings
from unittest import mock

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from convexmtl import BlockSparseRegressor, TraceNormRegressor, _threads, alpha_max

# (samples, features, tasks, alpha_max / alpha)
SHARED = (
    (300, 7500, 100, 10),
    (500, 5000, 50, 20),
    (2000, 500, 20, 50),
    (100, 300, 50, 20),
    (5000, 1000, 5, 100),
    (64, 4000, 20, 5),
)
STACKED = (50, 60, 200)  # tasks, samples of each, features


def cases():
    """Yield (name, estimator, arguments of fit)."""
    for n, d, T, ratio in SHARED:
        rng = np.random.default_rng(0)
        X = np.asfortranarray(rng.standard_normal((n, d)))
        W = np.zeros((d, T))
        W[: min(20, d)] = rng.standard_normal((min(20, d), T))
        Y = X @ W + rng.standard_normal((n, T))
        alpha = alpha_max(BlockSparseRegressor(), X, Y) / ratio
        yield f"l1/l2, one X, {n} x {d} x {T}, alpha_max / {ratio}", BlockSparseRegressor(alpha, tol=1e-6), (X, Y), {}
    T, n, d = STACKED
    rng = np.random.default_rng(0)
    X, task = rng.standard_normal((T * n, d)), np.repeat(np.arange(T), n)
    W = rng.standard_normal((d, 3)) @ rng.standard_normal((3, T))
    y = np.einsum("ij,ij->i", X, W.T[task]) + rng.standard_normal(T * n)
    alpha = alpha_max(TraceNormRegressor(), X, y, task=task) / 10
    yield f"trace norm, stacked {T} x {n} x {d}", TraceNormRegressor(alpha), (X, y), {"task": task}


@contextlib.contextmanager
def busy(n_processes):
    """Beside so many processes that do not rest."""
    neighbours = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(n_processes)]
    try:
        yield
    finally:
        for neighbour in neighbours:
            neighbour.kill()
            neighbour.wait()


@contextlib.contextmanager
def as_before():
    with mock.patch.object(_threads._Setting, "change", lambda *args, **kwargs: None):
        yield


SETTINGS = {
    "as before": as_before,
    "now": contextlib.nullcontext,
    "one": lambda: threadpool_limits(1, user_api="blas"),
}


def measure(repeats, only):
    """Yield one dict per problem and number of neighbours."""
    for name, estimator, args, kwargs in cases():
        if only and only not in name:
            continue
        estimator.fit(*args, **kwargs)
        for n_neighbours in (0, 1):
            seconds = {setting: [] for setting in SETTINGS}
            with busy(n_neighbours):
                time.sleep(0.2)
                for _ in range(repeats):
                    for setting, context in SETTINGS.items():
                        time.sleep(0.2)  # BLAS's threads go on turning for a while before they sleep
                        with context():
                            start = time.perf_counter()
                            estimator.fit(*args, **kwargs)
                            seconds[setting].append(time.perf_counter() - start)
            row = {"problem": name, "busy": n_neighbours}
            for setting, times in seconds.items():
                row |= {f"{setting}, median": np.median(times), f"{setting}, least": min(times)}
            yield row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--only", help="part of a problem's name")
    parser.add_argument("--csv")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = []
    for row in measure(options.repeats, options.only):
        rows.append(row)
        print(*(f"{value:.4f}" if isinstance(value, float) else value for value in row.values()), sep="  ", flush=True)
        if options.csv:
            pd.DataFrame(rows).to_csv(options.csv, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
