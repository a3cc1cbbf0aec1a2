"""Time the cross-validated twins of all families at their defaults, on data with many small tasks.

    python -m benchmarks.searches [FOLDER] [--only NAME ...] [--jobs 2] [--runs 1] [--csv FILE]

FOLDER holds the .npz files of ``benchmarks.families``, of which those with their own rows for every task are taken;
drawn data of 190 tasks x 20 rows x 13 features come along. Every search has been made once before on 6 strengths, so
that nothing is compiled while the clock runs.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

import convexmtl as mtl


def twins(T):
    """{name: twin at its defaults}; chains and trees join tasks whose labels follow each other."""
    chain = [(t, t + 1) for t in range(T - 1)]
    halves = [(range(a, min(a + 2**k, T)), 0.5) for k in range(T.bit_length() + 1) for a in range(0, T, 2**k)]
    options = {
        "TreeGuided": {"tree": [(list(members), omega) for members, omega in halves]},
        "GraphGuided": {"graph": chain},
        "Clustered": {"n_clusters": min(T, 3)},
    }
    names = [name.removesuffix("RegressorCV") for name in mtl.estimators.__all__ if name.endswith("RegressorCV")]
    return {n: getattr(mtl, f"{n}RegressorCV")(**options.get(n, {})) for n in names if n != "MultiTask"}


def drawn(n_tasks=190, n_rows=20, n_features=13, seed=0):
    """(X, y, task): models that are near a common one."""
    rng = np.random.default_rng(seed)
    X, task = rng.normal(size=(n_tasks * n_rows, n_features)), np.repeat(np.arange(n_tasks), n_rows)
    models = rng.normal(size=n_features) + 0.5 * rng.normal(size=(n_tasks, n_features))
    return X, np.einsum("ij,ij->i", X, models[task]) + rng.normal(size=len(X)), task


def sets(folder):
    """Yield (name, X, y, task), the features with unit deviations."""
    for file in sorted(Path(folder).glob("*.npz")) if folder else ():
        with np.load(file, allow_pickle=False) as z:
            if "task" in z.files and "y" in z.files and len(np.unique(z["y"])) > 2:
                yield file.stem, StandardScaler().fit_transform(z["X"].astype(float)), z["y"].astype(float), z["task"]
    yield "drawn", *drawn()


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--only", nargs="+", metavar="NAME")
    parser.add_argument("--sets", nargs="+", metavar="NAME")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--csv")
    args = parser.parse_args(argv)
    rows = []
    for data, X, y, task in sets(args.folder):
        if args.sets and data not in args.sets:
            continue
        for name, twin in twins(len(np.unique(task))).items():
            if args.only and name not in args.only:
                continue
            twin.set_params(n_jobs=args.jobs)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                type(twin)(**twin.get_params() | {"alphas": 6, "cv": 2}).fit(X, y, task=task)
                del caught[:]
                seconds = []
                for _ in range(args.runs):
                    begin = time.perf_counter()
                    twin.fit(X, y, task=task)
                    seconds.append(time.perf_counter() - begin)
            row = {
                "data": data,
                "twin": name,
                "seconds": round(float(np.median(seconds)), 3),
                "fits": int(np.size(twin.mse_path_)),
                "error": round(float(np.min(np.mean(twin.mse_path_, axis=-1))), 6),
                "warnings": len(caught),
            }
            rows.append(row)
            print(*row.values(), sep="  ", flush=True)
    table = pd.DataFrame(rows)
    print(table.groupby("data")["seconds"].sum().round(2).to_string())
    if args.csv:
        table.to_csv(args.csv, index=False)


if __name__ == "__main__":
    main()
