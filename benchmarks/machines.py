"""Support vector machines on couplings beside scikit-learn's LinearSVC on the explicit multi-task features.

    python -m benchmarks.machines --csv benchmarks/results/machines.csv

The same problem for both, without an intercept, since LinearSVC penalises its own: with M the matrix of the coupling,
(2 M)^-1 = own I + common 11' makes the features common to all tasks and those of each. LinearSVC is given the largest
``tol`` of 0.01, 0.001, ... with which its objective is at most 1e-6, relative to that at W = 0, above the lower bound
of a fit to 1e-8; ours ends with a certified gap of that. CPU seconds of one fit, warm.
"""

import argparse
import sys
import time
import warnings

import numpy as np
from scipy.sparse import csr_array, hstack
from sklearn.svm import LinearSVC

import convexmtl as cm

from ._table import write

SHAPES = [(20, 200, 50), (20, 50, 100), (20, 50, 200)]  # tasks, features, samples of each
STRENGTHS = [0.01, 0.1, 1.0]
TOL, MOST = 1e-6, 20_000


def drawn(T, d, n, seed):
    """X (T n, d), y and task: half of what the tasks have is common."""
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((d, 1)) + rng.standard_normal((d, T))
    X, task = rng.standard_normal((T * n, d)), np.repeat(np.arange(T), n)
    z = np.einsum("ij,ji->i", X, W[:, task]) / np.sqrt(d) + 0.5 * rng.standard_normal(T * n)
    return X, np.where(z > 0, 1, -1), task


def mapped(X, task, T, mean, variance):
    """(features, own, common): of MeanCoupling, (2 M)^-1 = own I + common 11'."""
    own = T / (2 * variance)
    common = (T / (2 * mean) - own) / T
    (n, d), rows = X.shape, np.repeat(np.arange(len(X), dtype=np.int32), X.shape[1])
    columns = (task[:, None] * d + np.arange(d)).ravel().astype(np.int32)
    each = csr_array((np.sqrt(own) * X.ravel(), (rows, columns)), shape=(n, d * T))
    return hstack([csr_array(np.sqrt(common) * X), each], format="csr"), own, common


def measured(T, d, n, strength, seed):
    """One row."""
    X, y, task = drawn(T, d, n, seed)
    mean, variance = 0.1 * strength, strength
    model = cm.MeanRegularizedClassifier(mean, variance, loss="hinge", fit_intercept=False, tol=TOL)
    for _ in range(2):  # (The first fit may compile.)
        start = time.process_time()
        model.fit(X, y, task=task)
        seconds = time.process_time() - start
    exact = cm.MeanRegularizedClassifier(mean, variance, loss="hinge", fit_intercept=False, tol=1e-8).fit(
        X, y, task=task
    )
    lowest, scale = exact.objective_ - exact.dual_gap_, float(T)  # (the hinge loss of W = 0 is 1 per task)
    features, own, common = mapped(X, task, T, mean, variance)
    M = mean / T**2 * np.ones((T, T)) + variance / T * (np.eye(T) - 1 / T)
    for tol in 10.0 ** -np.arange(2, 9):
        svc = LinearSVC(loss="hinge", C=1 / n, fit_intercept=False, tol=tol, max_iter=MOST, random_state=0)
        start = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            svc.fit(features, y)
        theirs = time.process_time() - start
        w = svc.coef_.ravel()
        W = np.sqrt(own) * w[d:].reshape(T, d).T + np.sqrt(common) * w[:d, None]
        lost = np.maximum(0, 1 - y * np.einsum("ij,ji->i", X, W[:, task])).sum() / n
        above = (lost + np.sum((W @ M) * W) - lowest) / scale
        if above <= TOL or svc.n_iter_ >= MOST:
            break
    return {
        "tasks": T,
        "features": d,
        "samples": n,
        "strength": strength,
        "seed": seed,
        "seconds": round(seconds, 4),
        "sweeps": model.n_iter_,
        "relative_gap": f"{model.dual_gap_ / scale:.1e}",
        "seconds_linear_svc": round(theirs, 4),
        "epochs_linear_svc": svc.n_iter_,
        "above_linear_svc": f"{above:.1e}",
        "times_faster": round(theirs / seconds, 1),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--csv", help="file to write")
    given = parser.parse_args()
    rows = []
    for T, d, n in SHAPES:
        for strength in STRENGTHS:
            for seed in range(given.seeds):
                rows.append(measured(T, d, n, strength, seed))
                print(*rows[-1].values(), flush=True)
                write(given.csv, rows)


if __name__ == "__main__":
    sys.exit(main())
