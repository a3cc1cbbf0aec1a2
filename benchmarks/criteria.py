"""Strengths chosen by information criteria beside those chosen by cross-validation.

    python -m benchmarks.criteria [--seeds 10] [--jobs 1] [--only DESIGN ...] [--csv FILE]

Every twin on data of its own generator (rows of their own for every task, x ~ N(0, I)), its strengths chosen in
each way. The error is the excess risk in units of the variance of the signal, without test samples:
(norm_F(W_hat - W)^2 + norm_2(b_hat)^2) / norm_F(W)^2; for classes, where only the direction of W counts, 1 minus the
cosine of the two. Precision and recall are of the features in use, and seconds of the processor, hot.
"""

import argparse
import time
import warnings

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import is_classifier
from sklearn.metrics import precision_score, recall_score

import convexmtl as mtl
from convexmtl import datasets

SELECTIONS = "best", "1se", "aic", "bic", "ebic", "sure"
SIZES = {"n_tasks": 10, "n_samples": 30, "n_features": 20}
WIDE = {"n_tasks": 10, "n_samples": 30, "n_features": 100}
# name -> (generator, its options, twin)
DESIGNS = {
    "block-sparse": (datasets.make_block_sparse, SIZES, mtl.BlockSparseRegressorCV),
    "block-sparse, d > n": (datasets.make_block_sparse, WIDE, mtl.BlockSparseRegressorCV),
    "block-sparse, classes": (
        datasets.make_block_sparse,
        {**SIZES, "n_samples": 100, "classification": True},
        mtl.BlockSparseClassifierCV,
    ),
    "dirty": (datasets.make_dirty, SIZES, mtl.DirtyRegressorCV),
    "dirty, d > n": (datasets.make_dirty, WIDE, mtl.DirtyRegressorCV),
    "sparse group": (datasets.make_dirty, SIZES, mtl.SparseGroupRegressorCV),
    "trace norm": (datasets.make_low_rank, SIZES, mtl.TraceNormRegressorCV),
    "mean-regularised": (datasets.make_mean_related, SIZES, mtl.MeanRegularizedRegressorCV),
    "sparse + low rank": (datasets.make_low_rank, SIZES, mtl.SparseLowRankRegressorCV),
}


def measured(name, seed):
    """A row for each way to choose."""
    make, options, twin = DESIGNS[name]
    X, y, task, W, *_ = make(random_state=seed, **options)
    rows = []
    for selection in SELECTIONS:
        if selection == "sure" and is_classifier(twin()):
            continue
        begin = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = twin(selection=selection).fit(X, y, task=task)
        seconds = time.process_time() - begin
        found = model.coef_.T
        if is_classifier(model):
            error = 1 - np.sum(found * W) / max(np.linalg.norm(found) * np.linalg.norm(W), 1e-300)
        else:
            error = (np.sum((found - W) ** 2) + np.sum(model.intercept_**2)) / np.sum(W**2)
        true, used = W.any(axis=1), found.any(axis=1)
        rows.append(
            {
                "design": name,
                "selection": selection,
                "error": error,
                "precision": precision_score(true, used, zero_division=0),
                "recall": recall_score(true, used),
                "seconds": seconds,
            }
        )
    return rows


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", nargs="+", metavar="DESIGN")
    parser.add_argument("--csv")
    args = parser.parse_args(argv)
    tables = []
    for name in args.only or DESIGNS:
        measured(name, 1000)  # compiles
        runs = Parallel(args.jobs)(delayed(measured)(name, seed) for seed in range(args.seeds))
        table = pd.DataFrame([row for run in runs for row in run])
        # How often an error is no larger than that of cross-validation on the same data.
        errors = table.pivot_table(index=table.index // (len(table) // args.seeds), columns="selection", values="error")
        table = table.groupby(["design", "selection"], sort=False).median()
        table["as good as best"] = [int(np.sum(errors[s] <= errors["best"] * (1 + 1e-9))) for _, s in table.index]
        table["seeds"] = args.seeds
        tables.append(table.round(4))
        print(tables[-1].to_string(), flush=True)
    if args.csv:
        pd.concat(tables).to_csv(args.csv)


if __name__ == "__main__":
    main()
