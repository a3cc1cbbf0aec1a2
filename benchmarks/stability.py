"""Does the bound of stability selection hold, and what does it find?

    python -m benchmarks.stability [--seeds 40] [--pairs 25] [--jobs 1] [--only DESIGN ...] [--csv FILE]

Data of several designs, in which a few features (or single coefficients) have an effect and the others none; what is
selected of the others is false. A row of the table is a design and a bound, ``max_false``: means over the seeds of the
number of falsely selected, with its standard error, of those among them that are of features without any effect, and of
the share of the true ones that is found. A coefficient without effect beside others of its feature that have one is
selected more often than at random by a penalty that joins them, and the bound is not about it.
"""

import argparse
import time
import warnings

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.linalg import toeplitz

import convexmtl as mtl

T, N, D, TRUE = 6, 30, 60, 4
BOUNDS = 0.5, 1.0, 3.0


def coefficients(rng, single=False):
    """(d, T) W of TRUE features, for all tasks or each for about half of them."""
    W = np.zeros((D, T))
    rows = rng.choice(D, TRUE, replace=False)
    W[rows] = rng.choice([-1, 1], (TRUE, 1)) * rng.uniform(0.4, 1.2, (TRUE, T))
    return W * (rng.random(W.shape) < 0.5) if single else W


def drawn(rng, correlation=0.0, noise="normal", single=False, effect=1.0):
    """(X, y, task, W) of tasks with rows of their own."""
    root = np.linalg.cholesky(toeplitz(correlation ** np.arange(D)))
    X, task, W = (
        rng.standard_normal((T * N, D)) @ root.T,
        np.repeat(np.arange(T), N),
        effect * coefficients(rng, single),
    )
    signal = np.einsum("ij,ij->i", X, W.T[task])
    return X, signal + (rng.standard_t(3, T * N) if noise == "heavy" else rng.standard_normal(T * N)), task, W


def stacked(estimator, **options):
    def select(rng, **given):
        X, y, task, W = drawn(rng, **options)
        if estimator.__name__.endswith("Classifier"):
            y = y > 0
        return mtl.stability_selection(estimator(), X, y, task=task, **given), W

    return select


def one_x(rng, **given):
    """One X, and a fifth of the targets missing."""
    X, W = rng.standard_normal((N * 2, D)), coefficients(rng)
    Y = X @ W + rng.standard_normal((N * 2, T))
    Y[rng.random(Y.shape) < 0.2] = np.nan
    return mtl.stability_selection(mtl.BlockSparseRegressor(), X, Y, **given), W


def at_a_strength(rng, **given):
    """At the estimator's strength: 1.5 times that at which the first feature enters for shuffled targets."""
    X, y, task, W = drawn(rng)
    alone = mtl.alpha_max(mtl.BlockSparseRegressor(), X, rng.permutation(y), task=task)
    return mtl.stability_selection(mtl.BlockSparseRegressor(1.5 * alone), X, y, task=task, path=False, **given), W


DESIGNS = {
    "independent": stacked(mtl.BlockSparseRegressor),
    "no effects": stacked(mtl.BlockSparseRegressor, effect=0.0),
    "correlated (0.7)": stacked(mtl.BlockSparseRegressor, correlation=0.7),
    "heavy tails": stacked(mtl.BlockSparseRegressor, noise="heavy"),
    "one X, missing targets": one_x,
    "at a strength": at_a_strength,
    "classes": stacked(mtl.BlockSparseClassifier),
    "coefficients, sparse group": stacked(mtl.SparseGroupRegressor, single=True),
    "coefficients, dirty": stacked(mtl.DirtyRegressor, single=True),
}


def measured(name, bound, seed, pairs):
    rng = np.random.default_rng(seed)
    begin = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        found, W = DESIGNS[name](rng, max_false=bound, n_pairs=pairs, random_state=seed)
    true = W.T != 0 if found.selected.ndim == 2 else W.any(axis=1)
    share = np.mean(found.selected[true]) if true.any() else np.nan
    false = found.selected & ~true
    elsewhere = false[..., ~W.any(axis=1)]
    return np.sum(false), np.sum(elsewhere), share, found.threshold, time.perf_counter() - begin


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--pairs", type=int, default=25)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", nargs="+", metavar="DESIGN")
    parser.add_argument("--csv")
    args = parser.parse_args(argv)
    rows = []
    for name in args.only or DESIGNS:
        for bound in BOUNDS:
            runs = Parallel(args.jobs)(delayed(measured)(name, bound, seed, args.pairs) for seed in range(args.seeds))
            false, elsewhere, share, threshold, seconds = np.array(runs, dtype=float).T
            row = {
                "design": name,
                "max_false": bound,
                "false": round(false.mean(), 3),
                "its standard error": round(false.std(ddof=1) / np.sqrt(len(false)), 3),
                "most": int(false.max()),
                "of features without effects": round(elsewhere.mean(), 3),
                "found": round(float(share.mean()), 3),
                "threshold": round(threshold.mean(), 3),
                "seconds": round(float(np.median(seconds)), 2),
                "seeds": len(false),
            }
            rows.append(row)
            print(*row.values(), sep="  ", flush=True)
    table = pd.DataFrame(rows)
    for name in ("false", "of features without effects"):
        kept = table[name] <= table["max_false"]
        print(f"Means of {name!r} are within the bound in {kept.sum()} of {len(table)} rows.")
    if args.csv:
        table.to_csv(args.csv, index=False)


if __name__ == "__main__":
    main()
