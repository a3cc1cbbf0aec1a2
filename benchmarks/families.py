"""Fit every family on every data set of a folder, raw and standardised, and report gaps and seconds.

    python -m benchmarks.families FOLDER [--tol 1e-6] [--ratios 10 30 100] [--only NAME ...] [--csv FILE]

FOLDER holds .npz files with X (n, d) and either Y (n, T), one column per task with NaN where missing, or y
(n,) and task (n,). Targets that take two values only are fitted with classifiers. Each fit runs at the
strength alpha_max / ratio; penalties with more strengths keep the ratios given in ``families`` below.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

import convexmtl as mtl


def families(T, classify):
    """(name, estimator) pairs; strengths say only how they relate, see ``at_ratio``."""
    kind = "Classifier" if classify else "Regressor"

    def make(name, **parameters):
        return getattr(mtl, name + kind)(**parameters)

    yield "block-sparse l1/l2", make("BlockSparse", alpha=1.0)
    yield "block-sparse l1/linf", make("BlockSparse", alpha=1.0, q=np.inf)
    yield "block-sparse l1/l1.5", make("BlockSparse", alpha=1.0, q=1.5)
    yield "sparse group", make("SparseGroup", alpha=1.0)
    # Half way through the range in which both parts are of use, on a log scale.
    yield "dirty", make("Dirty", alpha_block=np.sqrt(T), alpha_sparse=1.0)
    yield "dirty l2", make("Dirty", alpha_block=T**0.25, alpha_sparse=1.0, q=2)
    yield "trace norm", make("TraceNorm", alpha=1.0)
    yield "task relationships", make("TaskRelationship", alpha=1.0)
    yield "shared structure", make("SharedStructure", alpha=1.0, eta=0.1, n_components=max(1, min(T, 6) // 2))
    # The labels of these tasks have no order, and no tree: what is measured is how hard the problems are.
    halves = [(range(a, min(a + 2**k, T)), 0.5) for k in range(T.bit_length() + 1) for a in range(0, T, 2**k)]
    yield "tree", make("TreeGuided", tree=[(list(members), omega) for members, omega in halves], alpha=1.0)
    ring = [(t, (t + 1) % T, 1.0, 1 if t % 2 else -1) for t in range(T)]
    yield "graph l1", make("GraphGuided", graph=ring, alpha=1.0, alpha_sparse=1.0)
    yield "graph l2", make("GraphGuided", graph=ring, alpha=1.0, norm="l2", alpha_sparse=1.0)
    yield "temporal l1", make("Temporal", alpha_smooth=1.0, alpha_sparse=0.1, alpha_group=1.0)
    yield "temporal l2", make("Temporal", alpha_smooth=1.0, norm="l2", alpha_sparse=0.1, alpha_group=1.0)
    yield "robust low rank", make("RobustLowRank", alpha_low_rank=T**0.25, alpha_outlier=1.0)
    yield "robust feature", make("RobustFeature", alpha_group=1.0, alpha_outlier=1.0)
    yield "sparse low rank", make("SparseLowRank", alpha_sparse=1.0, alpha_low_rank=2 * T**0.25)
    yield "mean-regularised", make("MeanRegularized", alpha_mean=1.0, alpha_variance=float(T))
    yield (
        "known clusters",
        make("Clustered", clusters=np.arange(T) % min(T, 3), alpha_mean=1.0, alpha_between=1.0, alpha_within=10.0),
    )
    yield (
        "learned clusters",
        make("Clustered", n_clusters=min(T, 3), alpha_mean=1.0, alpha_between=1.0, alpha_within=10.0),
    )


def at_ratio(estimator, top, ratio):
    """The estimator with its strengths at alpha_max / ratio."""
    # (Other estimators have an attribute of that name as well.)
    prefix = "penalty__" if "penalty" in estimator.get_params(deep=False) else ""
    top = top if isinstance(top, dict) else {"alpha": top}
    return estimator.set_params(**{prefix + name: value / ratio for name, value in top.items()})


def read(file):
    """(X, y, task or None, classify)."""
    data = np.load(file, allow_pickle=False)
    if "Y" in data.files:
        X, y, task = data["X"].astype(float), data["Y"].astype(float), None
    else:
        X, y, task = data["X"].astype(float), data["y"], data["task"]
    return X, y, task, len(np.unique(y[~np.isnan(y)])) == 2


def run(folder, tol, ratios, only):
    """One dict per fit."""
    for file in sorted(Path(folder).glob("*.npz")):
        X, y, task, classify = read(file)
        T = y.shape[1] if task is None else len(np.unique(task))
        for scaling in ("raw", "standardised"):
            features = X if scaling == "raw" else StandardScaler().fit_transform(X)
            for name, estimator in families(T, classify):
                if only and name not in only and file.stem not in only:
                    continue
                estimator.set_params(tol=tol)
                top = mtl.alpha_max(estimator, features, y, task=task)
                for ratio in ratios:
                    at_ratio(estimator, top, ratio)
                    with warnings.catch_warnings(record=True) as caught:
                        warnings.simplefilter("always")
                        start = time.perf_counter()
                        estimator.fit(features, y, task=task)
                        seconds = time.perf_counter() - start
                    certificate = mtl.certify(estimator, features, y, task=task)
                    yield {
                        "data": file.stem,
                        "scaling": scaling,
                        "family": name,
                        "ratio": ratio,
                        "iterations": estimator.n_iter_,
                        "seconds": round(seconds, 3),
                        "gap": certificate.gap,
                        "objective": certificate.primal,
                        "warnings": "; ".join(str(w.message).split(":")[0] for w in caught),
                    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--tol", type=float, default=1e-6)
    parser.add_argument("--ratios", type=float, nargs="+", default=[10, 30, 100])
    parser.add_argument("--only", nargs="+", help="names of families or data sets")
    parser.add_argument("--csv", type=Path, help="where to write the table as well")
    options = parser.parse_args()
    rows = []
    print(
        f"{'data':22s} {'scaling':12s} {'family':22s} {'ratio':>5s} {'iter':>7s} {'seconds':>8s} {'gap':>9s}  warnings"
    )
    for row in run(options.folder, options.tol, options.ratios, options.only):
        rows.append(row)
        print(
            f"{row['data']:22s} {row['scaling']:12s} {row['family']:22s} {row['ratio']:5g} {row['iterations']:7d} "
            f"{row['seconds']:8.3f} {row['gap']:9.1e}  {row['warnings']}",
            flush=True,
        )
    short = [row for row in rows if row["warnings"]]
    print(f"{len(rows)} fits in {sum(row['seconds'] for row in rows):.0f} s, {len(short)} with a warning")
    if options.csv:
        pd.DataFrame(rows).to_csv(options.csv, index=False)


if __name__ == "__main__":
    main()
