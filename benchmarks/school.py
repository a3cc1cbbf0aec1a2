"""The School data: ten 75/25 splits, strengths chosen by cross-validation inside the training part.

    python -m benchmarks.school FOLDER

FOLDER holds school.npz with X (15362, 27), y, task (139 schools) and train_mask (10, 15362). Printed are the
root mean squared error on the test parts, and the explained variance in the two definitions in use: pooled,
1 - MSE / var(y_test), and per task weighted by size, 1 - sum_t SSE_t / sum_t (n_t var_t) with ddof = 1.
"""

import sys
import time
from pathlib import Path

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV

import convexmtl as mtl
from convexmtl.model_selection import TaskKFold

CONFIGURATIONS = {
    "mean-regularised": (
        mtl.MeanRegularizedRegressor(task_column=-1),
        {"alpha_mean": np.logspace(-4, 0, 5), "alpha_variance": np.logspace(0, 3, 10)},
    ),
    "trace norm": (mtl.TraceNormRegressor(task_column=-1), {"alpha": np.logspace(-1.5, 1, 12)}),
    "squared trace norm": (
        mtl.MultiTaskRegressor(mtl.SquaredTraceNorm(), task_column=-1),
        {"penalty__alpha": np.logspace(-3, 0, 10)},
    ),
    "learned clusters": (
        mtl.ClusteredRegressor(n_clusters=2, alpha_mean=0.1, task_column=-1),
        [{"alpha_between": [b], "alpha_within": b * np.logspace(0.5, 2, 3)} for b in np.logspace(-2, 0, 5)],
    ),
}


def scores(y, z, task):
    """(RMSE, pooled explained variance, explained variance per task weighted by size), the last two in %."""
    pooled = 1 - np.mean((y - z) ** 2) / np.var(y)
    within = total = 0.0
    for label in np.unique(task):
        rows = task == label
        if rows.sum() > 1:
            weight = rows.sum()
            total += weight * np.var(y[rows], ddof=1)
            within += weight * np.mean((y[rows] - z[rows]) ** 2)
    return np.sqrt(np.mean((y - z) ** 2)), 100 * pooled, 100 * (1 - within / total)


def main(folder):
    data = np.load(Path(folder) / "school.npz", allow_pickle=False)
    X, y, task = np.column_stack([data["X"], data["task"]]), data["y"], data["task"]
    print(f"{'model':22s} {'RMSE':>6s} {'sd':>5s} {'pooled %':>9s} {'per task %':>11s} {'seconds':>8s}  strengths")
    ridge = {"one ridge for all": (Ridge(), {"alpha": np.logspace(-1, 4, 6)})}
    for name, (estimator, grid) in {**ridge, **CONFIGURATIONS}.items():
        table, chosen, start = [], [], time.perf_counter()
        for train in data["train_mask"]:
            folds = TaskKFold(5, shuffle=True, random_state=0)
            search = GridSearchCV(estimator, grid, cv=folds, scoring="neg_mean_squared_error")
            columns = slice(0, -1) if name in ridge else slice(None)
            search.fit(X[train][:, columns], y[train], groups=task[train])
            table.append(scores(y[~train], search.predict(X[~train][:, columns]), task[~train]))
            chosen.append(search.best_params_)
        mean, sd = np.mean(table, axis=0), np.std(table, axis=0)
        strengths = {key: float(f"{np.median([c[key] for c in chosen]):.3g}") for key in chosen[0]}
        print(
            f"{name:22s} {mean[0]:6.3f} {sd[0]:5.3f} {mean[1]:9.1f} {mean[2]:11.1f} "
            f"{time.perf_counter() - start:8.0f}  {strengths}",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1])
