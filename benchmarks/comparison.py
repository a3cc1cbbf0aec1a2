"""How often compare_tasks names a task that sharing neither helps nor hurts, and how often one that it does.

    python -m benchmarks.comparison [--sets 200] [--only WORD ...] [--jobs 1] [--csv FILE]

Ten tasks of n rows and ten features each (five where there is no effect, forty where it says so), with normal noise;
five folds dealt out ten times, alpha = 0.05. Without any effect:

- equal in law: two models of one task each, of two blocks of features that count the same; which of them predicts
  better, and for which task, is chance.
- neutral, unrelated and neutral, related: a coupling that is a ridge for each task, with strengths of its own, on tasks
  with nothing in common, and on tasks that are noisy copies of one.
- unrelated, tuned: a mean-regularised model chooses how much to share, on tasks with nothing in common.

With one: the mean-regularised model on tasks that differ by `spread` from their mean, as a share of its size, all of
which sharing helps; and the same where the last task is the mean's opposite.

A row has the share of data sets with any task named helped or hurt (`any`), what Holm's procedure is to keep at 5%; the
shares of data sets in which sharing is said to help or to hurt on the whole (`whole helped`, `whole hurt`); the shares
of tasks that are named, of those that are to be and, with an outlier, of that one; and of tasks with p < 0.05 before
the correction.
"""

import argparse
import time
import warnings

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import convexmtl as mtl
from convexmtl.baselines import single_task
from convexmtl.comparison import compare_on
from convexmtl.penalties import RowNorm

T = 10
OPTIONS = {"alphas": 10, "cv": 3}
SHARES = mtl.MeanRegularizedRegressorCV(**OPTIONS)
NEUTRAL = mtl.MeanRegularizedRegressorCV(ratios=[1.0], **OPTIONS)


def drawn(rng, n, d, spread, outlier=False):
    """(X, y, task): coefficients are a common part and `spread` of a part of their own; None has nothing in common."""
    W = rng.standard_normal((T, d))
    if spread is not None:
        W = rng.standard_normal(d) + spread * W
    if outlier:
        W[-1] = -W[:-1].mean(axis=0)
    task = np.repeat(np.arange(T), n)
    X = rng.standard_normal((T * n, d))
    return X, np.sum(X * W[task], axis=1) + rng.standard_normal(T * n), task


def first_half(X):
    return X[:, : X.shape[1] // 2]


def second_half(X):
    return X[:, X.shape[1] // 2 :]


def equal_in_law(rng, n, d):
    """A comparison of two models that differ in the half of the features that they use."""
    W, task = rng.standard_normal((T, d)), np.repeat(np.arange(T), n)
    X = rng.standard_normal((T * n, 2 * d))
    y = np.sum((X[:, :d] + X[:, d:]) * W[task], axis=1) + rng.standard_normal(T * n)
    ridge = mtl.MultiTaskRegressor(RowNorm(0.1, l1_ratio=0.0))
    one, other = (make_pipeline(FunctionTransformer(half), ridge) for half in (first_half, second_half))
    return compare_on({"one": (one, other, other)}, X, y, task=task)


def searched(estimator, *how):
    """A comparison with one model per task; what one for all does is not asked."""

    def compare(rng, n, d):
        X, y, task = drawn(rng, n, d, *how)
        alone = single_task(estimator).set_params(alphas=20)
        return compare_on({"model": (estimator, alone, alone)}, X, y, task=task)

    return compare


# {name: (comparison of a random generator, n rows and d features, sizes, features, number of outliers)}
SETTINGS = {
    "equal in law": (equal_in_law, (8, 15, 40, 100), 5, 0),
    "neutral, unrelated": (searched(NEUTRAL, None), (20,), 5, 0),
    "neutral, related": (searched(NEUTRAL, 0.3), (20,), 5, 0),
    "unrelated, tuned": (searched(SHARES, None), (20,), 5, 0),
    "related, spread 0": (searched(SHARES, 0.0), (20, 50, 120), 10, 0),
    "related, spread 0.3": (searched(SHARES, 0.3), (20, 50, 120), 10, 0),
    "related, an outlier": (searched(SHARES, 0.0, True), (20, 50, 120), 10, 1),
    "related, 40 features": (searched(SHARES, 0.0), (60, 120), 40, 0),
    "related, 40 features, an outlier": (searched(SHARES, 0.0, True), (60, 120), 40, 1),
}


def judged(setting, n, seed):
    """What one data set has to say, {column: value}."""
    compare, _, d, outliers = SETTINGS[setting]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        comparison = compare(np.random.default_rng(seed), n, d)
    frame, words = comparison.frame, comparison.summary()
    verdict, own = frame["verdict"], frame["task"] < T - outliers
    return {
        "any": (verdict != "unaffected").any(),
        "whole helped": "helps on the whole" in words,
        "whole hurt": "hurts on the whole" in words,
        "helped": (verdict[own] == "helped").mean(),
        "hurt": (verdict[own] == "hurt").mean(),
        "outlier helped": (verdict[~own] == "helped").mean(),
        "outlier hurt": (verdict[~own] == "hurt").mean(),
        "p below 0.05": (frame["p"][own] < 0.05).mean(),
        "relative gain": (frame["gain"] / frame["single_task"])[own].mean(),
        "relative gain of the outlier": (frame["gain"] / frame["single_task"])[~own].mean(),
    }


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=200, help="data sets, of ten tasks each; with an effect a tenth")
    parser.add_argument("--only", nargs="*", default=[], help="words that the names of settings are to have")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--csv")
    options = parser.parse_args(arguments)
    rows = []
    for setting, (_, sizes, _, _) in SETTINGS.items():
        if options.only and not any(word in setting for word in options.only):
            continue
        sets = max(1, options.sets // 10) if setting.startswith("related") else options.sets
        for n in sizes:
            start = time.perf_counter()
            found = Parallel(n_jobs=options.jobs)(delayed(judged)(setting, n, seed) for seed in range(sets))
            means = pd.DataFrame(found).mean().round(4)
            rows.append({"setting": setting, "rows per task": n, "data sets": sets, **means})
            print(f"{rows[-1]}, {time.perf_counter() - start:.0f} s", flush=True)
            if options.csv:
                pd.DataFrame(rows).to_csv(options.csv, index=False)


if __name__ == "__main__":
    main()
