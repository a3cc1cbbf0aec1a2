"""The root of the mean square beside the squared loss, where tasks have noise of different size.

    python -m benchmarks.noise --csv benchmarks/results/noise.csv

20 tasks with 50 features, 5 of which are in use in all of them, 30 rows each; deviations of the noise between the tasks
as 1 to 1, 3, 10 and 30, their geometric mean 1. One strength for all, of 15 from alpha_max to a hundredth of it, chosen
by the squared error on as many new rows ("validation"), by the same in units of every task's noise ("in its units"),
and by what is to be found ("oracle"). Measured is the error of predictions without their noise, on average over the
tasks ("error", in units of the noise's mean square), and in units of each task's noise ("relative"), of which also for
the quietest and the noisiest five; and whether the right features are in use (F1). "weighted" is the squared loss with
1 / noise as task_weight, which nobody knows who has not drawn the data.
"""

import argparse
import sys

import numpy as np
from sklearn.metrics import f1_score

import convexmtl as cm

from ._table import write

T, D, USED, N = 20, 50, 5, 30
RATIOS = [1, 3, 10, 30]
STRENGTHS = np.geomspace(1, 0.01, 15)


def drawn(ratio, seed):
    """(X, y, task, X and y of the validation, W (D, T), deviations (T,)); the features have variance 1."""
    rng = np.random.default_rng(seed)
    noise = rng.permutation(np.geomspace(1, ratio, T) / np.sqrt(ratio))
    W = np.zeros((D, T))
    W[rng.choice(D, USED, replace=False)] = rng.standard_normal((USED, T)) / np.sqrt(USED)
    task, found = np.repeat(np.arange(T), N), []
    for _ in range(2):
        X = rng.standard_normal((T * N, D))
        found += [X, np.einsum("ij,ji->i", X, W[:, task]) + noise[task] * rng.standard_normal(T * N)]
    return *found[:2], task, *found[2:], W, noise


def fits(loss, X, y, task, noise):
    """[(coefficients (D, T), intercepts (T,))] for every strength."""
    options = {"loss": "sqrt"} if loss == "sqrt" else {"task_weight": 1 / noise} if loss == "weighted" else {}
    model = cm.BlockSparseRegressor(tol=1e-5, **options)
    top = cm.alpha_max(model, X, y, task=task)
    path = cm.regularization_path(model, X, y, task=task, alphas=top * STRENGTHS)
    return [(coef.T, intercept) for coef, intercept in zip(path.coefs, path.intercepts, strict=True)]


def measured(ratio, seed):
    """Yield one row per loss and way to choose."""
    X, y, task, X_new, y_new, W, noise = drawn(ratio, seed)
    order = np.argsort(noise)
    for loss in ("squared", "sqrt", "weighted"):
        found = fits(loss, X, y, task, noise)
        predicted = [np.einsum("ij,ji->i", X_new, V[:, task]) + b[task] for V, b in found]
        squares = np.array([np.bincount(task, (y_new - z) ** 2) / N for z in predicted])
        # (Features of variance 1 that nothing connects: what the coefficients and intercepts are wrong by.)
        errors = np.array([np.sum((V - W) ** 2, axis=0) + b**2 for V, b in found])
        for chosen_by, value in (
            ("validation", squares),
            ("in its units", squares / noise**2),
            ("oracle", errors),
        ):
            best = int(np.argmin(value.mean(axis=1)))
            relative = errors[best] / noise**2
            yield {
                "ratio": ratio,
                "seed": seed,
                "loss": loss,
                "chosen_by": chosen_by,
                "strength": f"{STRENGTHS[best]:.3g}",
                "error": f"{errors[best].mean() / np.mean(noise**2):.4f}",
                "relative": f"{relative.mean():.4f}",
                "quietest": f"{relative[order[:5]].mean():.4f}",
                "noisiest": f"{relative[order[-5:]].mean():.4f}",
                "f1": f"{f1_score(W.any(axis=1), found[best][0].any(axis=1)):.3f}",
            }


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--ratios", type=float, nargs="+", default=RATIOS)
    parser.add_argument("--csv", help="file to write")
    given = parser.parse_args(arguments)
    rows = []
    for ratio in given.ratios:
        for seed in range(given.seeds):
            rows += measured(ratio, seed)
        write(given.csv, rows)
        for loss in ("squared", "sqrt", "weighted"):
            for chosen_by in ("validation", "in its units", "oracle"):
                own = [r for r in rows if (r["ratio"], r["loss"], r["chosen_by"]) == (ratio, loss, chosen_by)]
                figures = {
                    name: np.array([float(r[name]) for r in own])
                    for name in ("error", "relative", "quietest", "noisiest", "f1")
                }
                print(
                    ratio, loss, chosen_by,
                    *(f"{name} {v.mean():.3f} ({v.std() / np.sqrt(len(v)):.3f})" for name, v in figures.items()),
                    flush=True,
                )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
