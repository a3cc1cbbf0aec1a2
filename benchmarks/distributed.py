"""Fits in chunks on clusters of processes, and out of core: seconds, bytes and memory.

python -m benchmarks.distributed --csv benchmarks/results/distributed.csv --page docs/guide/scale.md
python -m benchmarks.distributed --parquet folder --gigabytes 8 --csv benchmarks/results/out_of_core.csv

The first draws chunks where they are needed, of 10^5 to 10^8 values of X, and fits them with 1, 2 and 4 workers of one
thread each: wall clock, CPU seconds of all workers (on a machine with fewer free cores than workers the clock says
little), bytes by ``history_`` and the largest memory of a worker; and puts a table of it in the page. ``--read`` makes
the table of the rows that are in the file already. What takes rounds is fitted to at most ``--most`` values. The second
writes parquet files, fits them in a process of its own, row group by row group, and removes them.
"""

import argparse
import csv
import multiprocessing
import resource
import shutil
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.base import clone

from benchmarks import _table
from benchmarks.evidence._report import markdown, put
from convexmtl import BlockSparseRegressor, MeanRegularizedClassifier, distributed

D, T, ROWS = 100, 10, 50_000  # features, tasks, most rows of a chunk
SIZES, WORKERS = (10**5, 10**6, 10**7, 10**8), (1, 2, 4)
# Squared loss and row norms; logistic loss and a coupling, with intercepts.
MODELS = {
    "statistics": BlockSparseRegressor(0.05),
    **dict.fromkeys(["newton", "gradient", "dual"], MeanRegularizedClassifier(0.1, 0.1)),
}
METHODS, MOST = tuple(MODELS), 10**7
GROUP = 50_000  # rows of a row group
MIB = 2**20


def drawn(k, rows, classes=False):
    """(X, y, task) of chunk k."""
    rng = np.random.default_rng([k, rows])
    X, task = rng.standard_normal((rows, D)), rng.integers(0, T, rows)
    z = X[:, :5] @ np.linspace(1, 0.5, 5) + 0.3 * task * X[:, 5] + rng.standard_normal(rows)
    return X, (z > 0).astype(int) if classes else z, task


def chunks_of(values, classes):
    """Functions that draw the chunks."""
    n = values // D
    rows = min(ROWS, -(-n // 8))
    return [partial(drawn, k, min(rows, n - k * rows), classes) for k in range(-(-n // rows))]


def used():
    """(CPU seconds, largest memory in MiB) of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def on_clusters(sizes, workers, methods=METHODS, most=MOST):
    """Yield a row for every number of workers, size and method."""
    from distributed import Client, LocalCluster

    options = {"threads_per_worker": 1, "processes": True, "dashboard_address": ":0", "memory_limit": 0}
    for n_workers in workers:
        for values in sizes:
            for method in methods:
                if method != "statistics" and values > most:
                    continue
                # (A new cluster, whose largest memory is that of this fit.)
                with LocalCluster(n_workers=n_workers, **options) as cluster, Client(cluster) as client:
                    yield _measured(client, n_workers, values, method)


def _measured(client, n_workers, values, method):
    classes, model = method != "statistics", clone(MODELS[method])
    # Compiled, imported and known before the clock starts.
    distributed.fit(model, chunks_of(20_000, classes), client=client, method=method)
    before = client.run(used)
    start = time.perf_counter()
    distributed.fit(model, chunks_of(values, classes), client=client, method=method)
    seconds = time.perf_counter() - start
    after = client.run(used)
    return {
        "workers": n_workers,
        "values of X": values,
        "method": method,
        "seconds": round(seconds, 3),
        "CPU seconds of workers": round(sum(after[w][0] - before[w][0] for w in after), 3),
        "rounds": model.history_[-1]["round"],
        "MiB moved": round(model.history_[-1]["bytes"] / MIB, 4),
        "most MiB of a worker": round(max(peak for _, peak in after.values())),
        "MiB of it before": round(max(peak for _, peak in before.values())),
        "gap / objective": float(f"{model.dual_gap_ / model.objective_:.2g}"),
    }


def table(rows):
    """The rows as a table of the page."""
    header = ["values of X", "method", "workers", "seconds", "of CPU", "rounds", "MiB moved", "MiB of a worker"]
    names = ["seconds", "CPU seconds of workers", "rounds", "MiB moved"]
    lines = []
    for row in sorted(
        rows, key=lambda row: (METHODS.index(row["method"]), int(row["values of X"]), int(row["workers"]))
    ):
        power = f"$10^{round(np.log10(int(row['values of X'])))}$"
        memory = f"{row['MiB of it before']} + {int(row['most MiB of a worker']) - int(row['MiB of it before'])}"
        figures = [f"{float(row[name]):.3g}" for name in names]
        lines.append([power, f"`{row['method']}`", row["workers"], *figures, memory])
    return markdown(header, lines)


# ---------------------------------------------------------------------------------------------- out of core


def write(folder, gigabytes):
    """Parquet files of so many GB of X in all, a GB each."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    n_groups = max(1, round(gigabytes * 1e9 / (8 * D * GROUP)))
    names, file = [f"x{j}" for j in range(D)], None
    per_file = max(1, n_groups // max(1, round(gigabytes)))
    for k in range(n_groups):
        X, y, task = drawn(k, GROUP)
        table = pa.table({**dict(zip(names, X.T, strict=True)), "y": y, "task": task})
        if k % per_file == 0:
            if file is not None:
                file.close()
            file = pq.ParquetWriter(folder / f"{k:06d}.parquet", table.schema, compression=None, use_dictionary=False)
        file.write_table(table, row_group_size=GROUP)
    file.close()


def read(folder, queue):
    """Fit to the files; to be run in a process of its own, whose largest memory it tells."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaders = distributed.parquet(sorted(Path(folder).glob("*.parquet")), y="y", task="task")
        start = time.perf_counter()
        model = distributed.fit(BlockSparseRegressor(0.05), loaders)
        seconds = time.perf_counter() - start
    cpu, peak = used()
    queue.put((seconds, cpu, peak, len(loaders), model.dual_gap_ / model.objective_))


def out_of_core(folder, gigabytes):
    """The row of a fit to files, which are removed."""
    folder = Path(folder) / "convexmtl_out_of_core"
    folder.mkdir(parents=True)
    try:
        write(folder, gigabytes)
        size = sum(file.stat().st_size for file in folder.glob("*.parquet"))
        context = multiprocessing.get_context("spawn")
        queue = context.Queue()
        process = context.Process(target=read, args=(str(folder), queue))
        process.start()
        seconds, cpu, peak, groups, gap = queue.get()
        process.join()
    finally:
        shutil.rmtree(folder)
    return {
        "GB of parquet": round(size / 1e9, 3),
        "row groups": groups,
        "seconds": round(seconds, 1),
        "CPU seconds": round(cpu, 1),
        "most MiB": round(peak),
        "gap / objective": float(f"{gap:.2g}"),
    }


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=float, nargs="+", default=SIZES)
    parser.add_argument("--workers", type=int, nargs="+", default=WORKERS)
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS)
    parser.add_argument("--most", type=float, default=MOST, help="values of X for methods that take rounds")
    parser.add_argument("--page", help="where the table is put")
    parser.add_argument("--read", action="store_true", help="take the rows of the csv file")
    parser.add_argument("--parquet", help="folder for the files")
    parser.add_argument("--gigabytes", type=float, default=8.0)
    parser.add_argument("--csv")
    options = parser.parse_args(arguments)
    rows = []
    if options.read:
        with open(options.csv, newline="") as file:
            rows = list(csv.DictReader(file))
        made = []
    elif options.parquet:
        made = [out_of_core(options.parquet, options.gigabytes)]
    else:
        made = on_clusters([int(size) for size in options.sizes], options.workers, options.methods, options.most)
    for row in made:
        print("  ".join(f"{name}: {value}" for name, value in row.items()), flush=True)
        rows.append(row)
        _table.write(options.csv, rows)
    if options.page:
        put(options.page, "distributed", table(rows))


if __name__ == "__main__":
    main()
