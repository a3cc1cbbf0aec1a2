"""The School data: ten 75/25 splits, strengths chosen by cross-validation inside the training part.

    python -m benchmarks.school FOLDER [MODEL ...]

FOLDER holds school.npz with X (15362, 27), y, task (139 schools) and train_mask (10, 15362). Printed are the
root mean squared error on the test parts, and the explained variance in the two definitions in use: pooled,
1 - MSE / var(y_test), and per task, the mean weighted by size of 1 - MSE_t / var_t with ddof = 1.
"""

import sys
import time
from pathlib import Path

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import convexmtl as mtl
from convexmtl.model_selection import TaskKFold

CONFIGURATIONS = {
    "one ridge for all": (Ridge(), {"alpha": np.logspace(-1, 4, 6)}),
    "mean-regularised": (
        mtl.MeanRegularizedRegressor(task_column=-1),
        {"alpha_mean": np.logspace(-3, 1, 5), "alpha_variance": np.logspace(0.5, 3, 8)},
    ),
    "trace norm": (mtl.TraceNormRegressor(task_column=-1), {"alpha": np.logspace(-0.5, 1, 7)}),
    "squared trace norm": (
        mtl.MultiTaskRegressor(mtl.SquaredTraceNorm(), task_column=-1),
        {"penalty__alpha": np.logspace(-3, -0.5, 6)},
    ),
    "learned clusters": (
        mtl.ClusteredRegressor(n_clusters=2, task_column=-1),
        [
            {"alpha_mean": [0.1], "alpha_between": [b], "alpha_within": b * np.logspace(0.5, 2, 3)}
            for b in np.logspace(-1.5, 0.5, 5)
        ],
    ),
}


def scores(y, z, task):
    """(RMSE, pooled explained variance, explained variance per task weighted by size), the last two in %."""
    pooled = 1 - np.mean((y - z) ** 2) / np.var(y)
    sizes, shares = [], []
    for label in np.unique(task):
        rows = task == label
        sizes.append(rows.sum())
        shares.append(1 - np.mean((y[rows] - z[rows]) ** 2) / np.var(y[rows], ddof=1))
    return np.sqrt(np.mean((y - z) ** 2)), 100 * pooled, 100 * np.average(shares, weights=sizes)


def search(estimator, grid):
    """A grid search over folds within every task; features are standardised, the task column is not."""
    if isinstance(estimator, Ridge):
        pipeline = make_pipeline(make_column_transformer((StandardScaler(), slice(0, -1))), estimator)
    else:
        scaler = make_column_transformer((StandardScaler(), slice(0, -1)), remainder="passthrough")
        pipeline = make_pipeline(scaler, estimator)
    step = pipeline.steps[-1][0]
    grids = [
        {f"{step}__{name}": values for name, values in part.items()}
        for part in (grid if isinstance(grid, list) else [grid])
    ]
    folds = TaskKFold(5, shuffle=True, random_state=0)
    return GridSearchCV(pipeline, grids, cv=folds, scoring="neg_mean_squared_error", n_jobs=-1)


def main(folder, names):
    data = np.load(Path(folder) / "school.npz", allow_pickle=False)
    X, y, task = np.column_stack([data["X"], data["task"]]), data["y"], data["task"]
    print(f"{'model':22s} {'RMSE':>6s} {'sd':>5s} {'pooled %':>9s} {'per task %':>11s} {'seconds':>8s}  strengths")
    for name in names or CONFIGURATIONS:
        estimator, grid = CONFIGURATIONS[name]
        table, chosen, start = [], [], time.perf_counter()
        for train in data["train_mask"]:
            fitted = search(estimator, grid).fit(X[train], y[train], groups=task[train])
            table.append(scores(y[~train], fitted.predict(X[~train]), task[~train]))
            chosen.append(fitted.best_params_)
        mean, sd = np.mean(table, axis=0), np.std(table, axis=0)
        strengths = {key.split("__")[-1]: float(f"{np.median([c[key] for c in chosen]):.3g}") for key in chosen[0]}
        print(
            f"{name:22s} {mean[0]:6.3f} {sd[0]:5.3f} {mean[1]:9.1f} {mean[2]:11.1f} "
            f"{time.perf_counter() - start:8.0f}  {strengths}",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
