"""What do relaxed fits and adaptive weights find, beside the plain search?

    python -m benchmarks.adaptive [--seeds 10] [--jobs 2] [--only FAMILY ...] [--csv FILE]

Each family on data of its own kind: every task has its own X, whose columns are correlated as rho^|j - k|, and noise of
the given share of the deviation of the signal. All strengths are chosen by five folds within the tasks, in every fit
of an adaptive search anew. The errors are

    risk = sum_t (w_hat_t - w_t)' S (w_hat_t - w_t) / sum_t w_t' S w_t,   S the covariance of the columns,

the excess risk in units of the variance of the signal, and the numbers of features that are found without being there,
and missed although they are: coefficients in place of features for the dirty model.
"""

import argparse
import time
import warnings

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

import convexmtl as mtl

TASKS, SAMPLES, FEATURES, USED = 8, 30, 40, 5
RHOS = {"BlockSparse": (0.0, 0.5, 0.9), "Dirty": (0.5,)}
NOISES = (0.3, 1.0)
SEARCH = {"alphas": 20, "eps": 1e-2, "cv": 5}
FAMILIES = {
    "BlockSparse": mtl.BlockSparseRegressorCV(**SEARCH),
    "Dirty": mtl.DirtyRegressorCV(ratios=3, **SEARCH),
}


def methods(search):
    """{name: estimator} of what is compared for a search."""
    return {
        "plain": search,
        "1se": search.__class__(**search.get_params(deep=False) | {"selection": "1se"}),
        "relaxed": search.__class__(**search.get_params(deep=False) | {"refit": "relaxed"}),
        "adaptive": mtl.adaptive(search),
        "adaptive, gamma=2": mtl.adaptive(search, gamma=2),
        "adaptive, n_iter=3": mtl.adaptive(search, n_iter=3),
    }


def draw(family, rho, noise, seed):
    """(X, y, task, W (d, T), covariance of the columns)."""
    rng = np.random.default_rng(seed)
    S = rho ** np.abs(np.subtract.outer(np.arange(FEATURES), np.arange(FEATURES)))
    X = rng.standard_normal((TASKS * SAMPLES, FEATURES)) @ np.linalg.cholesky(S).T
    W = np.zeros((FEATURES, TASKS))
    W[rng.choice(FEATURES, USED, replace=False)] = rng.standard_normal((USED, TASKS))
    if family == "Dirty":
        # Beside the shared features, one of its own for every task.
        W[rng.choice(FEATURES, TASKS), np.arange(TASKS)] += rng.choice([-2.0, 2.0], TASKS)
    task = np.repeat(np.arange(TASKS), SAMPLES)
    z = np.einsum("ij,ji->i", X, W[:, task])
    return X, z + noise * z.std() * rng.standard_normal(len(z)), task, W, S


def judge(family, method, rho, noise, seed):
    """One row of the table."""
    X, y, task, W, S = draw(family, rho, noise, seed)
    begin = time.process_time()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit = methods(FAMILIES[family])[method].fit(X, y, task=task)
    seconds = time.process_time() - begin
    missed = fit.coef_.T - W
    found, true = (fit.coef_.T != 0, W != 0) if family == "Dirty" else (fit.coef_.any(axis=0), W.any(axis=1))
    return {
        "family": family,
        "method": method,
        "correlation": rho,
        "noise": noise,
        "seed": seed,
        "risk": float(np.sum(missed * (S @ missed)) / np.sum(W * (S @ W))),
        "false": int(np.sum(found & ~true)),
        "missed": int(np.sum(~found & true)),
        "seconds": seconds,
        "warnings": len({str(warning.message) for warning in caught}),
    }


def summary(table):
    """Means over the seeds, and in how many of them the risk is below that of the plain search."""
    by = ["family", "correlation", "noise"]
    plain = table[table.method == "plain"][[*by, "seed", "risk"]]
    table = table.merge(plain, on=[*by, "seed"], suffixes=("", " of plain"))
    table["wins"] = table["risk"] < table["risk of plain"]
    means = {"risk": "mean", "false": "mean", "missed": "mean", "wins": "sum", "seconds": "mean"}
    return table.groupby([*by, "method"], sort=False).agg(means)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", nargs="*", choices=FAMILIES, default=list(FAMILIES))
    parser.add_argument("--csv")
    options = parser.parse_args()
    jobs = [
        (family, method, rho, noise, seed)
        for family in options.only
        for rho in RHOS[family]
        for noise in NOISES
        for seed in range(options.seeds)
        for method in methods(FAMILIES[family])
    ]
    table = pd.DataFrame(Parallel(n_jobs=options.jobs)(delayed(judge)(*job) for job in jobs))
    with pd.option_context("display.width", 120, "display.max_rows", None, "display.max_columns", None):
        print(summary(table).round(3))
    if options.csv:
        table.to_csv(options.csv, index=False, float_format="%.5g")


if __name__ == "__main__":
    main()
