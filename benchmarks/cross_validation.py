"""Cross-validation of 100 strengths on 5 folds, beside scikit-learn's MultiTaskLassoCV on the same data.

    python -m benchmarks.cross_validation [--csv FILE]

Both get the same grid (down to alpha_max / 1000), folds, tolerance and number of jobs, run in turns in one process,
hot; the strength that they choose and the largest difference of their errors are printed beside the seconds.
"""

import argparse
import time
import warnings

import numpy as np
import pandas as pd
from sklearn.linear_model import MultiTaskLassoCV

from convexmtl import BlockSparseRegressorCV

from .race.benchmark_utils.data import gaussian

DESIGNS = [
    (60, 40, 3),
    (200, 100, 10),
    (500, 200, 20),
    (5000, 100, 20),
    (100, 500, 20),
    (300, 2000, 10),
    (200, 5000, 10),
]
OPTIONS = {"eps": 1e-3, "cv": 5, "tol": 1e-4}  # and 100 strengths, as both have by default


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--csv", metavar="FILE", help="where the results go")
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args(arguments)
    rows = []
    for n, d, T in DESIGNS:
        X, Y, _ = gaussian(n, d, T)
        for n_jobs in (1, 2):
            models = {
                "convexmtl": BlockSparseRegressorCV(**OPTIONS, n_jobs=n_jobs),
                "scikit-learn": MultiTaskLassoCV(**OPTIONS, max_iter=100_000, n_jobs=n_jobs),
            }
            seconds = {name: [] for name in models}
            for run in range(chosen.runs + 1):
                for name, model in models.items():
                    start = time.perf_counter()
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        model.fit(X, Y)
                    # The first run compiles, or starts the workers.
                    seconds[name] += [time.perf_counter() - start] if run else []
            ours, theirs = models.values()
            difference = np.max(np.abs(ours.mse_path_ - theirs.mse_path_) / theirs.mse_path_)
            medians = {name: float(np.median(values)) for name, values in seconds.items()}
            row = {
                "n": n, "d": d, "T": T, "n_jobs": n_jobs, **{name: f"{value:.4g}" for name, value in medians.items()},
                "ratio": f"{medians['scikit-learn'] / medians['convexmtl']:.2f}",
                "alpha": f"{ours.alpha_:.5g}", "alpha of scikit-learn": f"{theirs.alpha_:.5g}",
                "largest relative difference of errors": f"{difference:.1e}",
            }  # fmt: skip
            rows.append(row)
            print(row, flush=True)
    if chosen.csv:
        pd.DataFrame(rows).to_csv(chosen.csv, index=False)


if __name__ == "__main__":
    main()
