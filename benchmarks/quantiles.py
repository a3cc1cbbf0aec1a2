"""Quantiles of the School data, held out: how many scores are below them, on the whole and in every school.

    python -m benchmarks.quantiles FOLDER --csv benchmarks/results/quantiles.csv

FOLDER holds school.npz with X (15362, 27), y, task (139 schools) and train_mask, 75/25 splits. Quantiles of a tenth,
the half and nine tenths: mean-regularised tasks beside scikit-learn's QuantileRegressor (a lasso) for every school and
for all of them. Strengths are those with the smallest loss on a fifth of every school's training rows; the features
are standardised. ``coverage`` is the share of test scores below the prediction; ``away`` the mean over schools of how
far their own share is from q, and ``chance`` what that would be were the true quantiles known, from as many draws;
``loss`` is the mean quantile loss.
"""

import argparse
import itertools
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from scipy.stats import binom
from sklearn.linear_model import QuantileRegressor
from sklearn.metrics import mean_pinball_loss
from sklearn.preprocessing import StandardScaler

import convexmtl as cm
from convexmtl.losses import Quantile
from convexmtl.model_selection import TaskShuffleSplit

from ._table import write

QUANTILES = [0.1, 0.5, 0.9]


def together(q, mean, variance):
    model = cm.MeanRegularizedRegressor(mean, variance, loss=Quantile(q), tol=1e-4)

    def predicted(X, y, task, X_new, task_new):
        return model.fit(X, y, task=task).predict(X_new, task=task_new)

    return predicted


def for_all(q, alpha):
    def predicted(X, y, task, X_new, task_new):
        return QuantileRegressor(quantile=q, alpha=alpha, solver="highs").fit(X, y).predict(X_new)

    return predicted


def for_each(q, alpha):
    def predicted(X, y, task, X_new, task_new):
        z = np.empty(len(X_new))
        for label in np.unique(task_new):
            own, new = task == label, task_new == label
            z[new] = QuantileRegressor(quantile=q, alpha=alpha, solver="highs").fit(X[own], y[own]).predict(X_new[new])
        return z

    return predicted


MODELS = {
    "mean-regularised": (together, list(itertools.product([0.03, 0.3, 3.0], [3.0, 10.0, 30.0, 100.0, 300.0]))),
    "one for every school": (for_each, [(alpha,) for alpha in (0.003, 0.01, 0.03, 0.1, 0.3)]),
    "one for all": (for_all, [(0.0,)]),
}


def measured(X, y, task, train, seed):
    """Yield a row per quantile and model."""
    scaler = StandardScaler().fit(X[train])
    inside, outside = (scaler.transform(X[rows]) for rows in (train, ~train))
    tasks = task[train], task[~train]
    folds = TaskShuffleSplit(n_splits=1, test_size=0.2, random_state=0)
    first, second = next(folds.split(inside, y[train], groups=tasks[0]))
    for q, (name, (make, grid)) in itertools.product(QUANTILES, MODELS.items()):
        start = time.process_time()
        tried = inside[first], y[train][first], tasks[0][first], inside[second], tasks[0][second]
        losses = [
            mean_pinball_loss(y[train][second], make(q, *one)(*tried), alpha=q) if len(grid) > 1 else 0.0
            for one in grid
        ]
        chosen = grid[int(np.argmin(losses))]
        z = make(q, *chosen)(inside, y[train], tasks[0], outside, tasks[1])
        below = y[~train] <= z
        _, own = np.unique(tasks[1], return_inverse=True)
        sizes = np.bincount(own)
        shares = np.bincount(own, below) / sizes
        chance = [np.abs(np.arange(n + 1) / n - q) @ binom(n, q).pmf(np.arange(n + 1)) for n in sizes]
        yield {
            "split": seed,
            "q": q,
            "model": name,
            "strengths": " ".join(f"{value:g}" for value in chosen),
            "loss": f"{mean_pinball_loss(y[~train], z, alpha=q):.4f}",
            "coverage": f"{below.mean():.4f}",
            "away": f"{np.abs(shares - q).mean():.4f}",
            "chance": f"{np.mean(chance):.4f}",
            "seconds": f"{time.process_time() - start:.1f}",
        }


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--csv", help="file to write")
    given = parser.parse_args(arguments)
    data, rows = np.load(given.folder / "school.npz"), []
    X, y, task = data["X"].astype(float), data["y"].astype(float), data["task"]
    for seed in range(given.splits):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for row in measured(X, y, task, data["train_mask"][seed].astype(bool), seed):
                rows.append(row)
                print(*row.values(), flush=True)
                write(given.csv, rows)


if __name__ == "__main__":
    sys.exit(main())
