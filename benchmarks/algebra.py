"""Losses with kinks, and several penalties on one W: seconds to a gap of 1e-6, beside cvxpy.

    python -m benchmarks.algebra --cvxpy --csv benchmarks/results/algebra.csv

20 tasks of 50 samples with 200 features, at a tenth of the largest strength; CPU seconds of one fit, warm, and of one
solution by Clarabel at the tolerances of ``reference.fit``. Without ``--cvxpy`` our own alone. cvxpy is asked for those
in ``ASKED``.
"""

import argparse
import csv
import sys
import time

import numpy as np

import convexmtl as cm
from convexmtl.penalties import Box, MeanCoupling, Parts, RowNorm, TraceNorm

T, D, N = 20, 200, 50
LOSSES = ["squared", "quantile", "absolute", "epsilon_insensitive", "hinge", "sqrt"]
PENALTIES = {
    "rows": RowNorm(),
    "rows+trace": RowNorm() + TraceNorm(),
    "entries+trace+positive": RowNorm(q=1) + TraceNorm(2.0) + Box(low=0.0),
    "parts+rows": Parts([("sparse", RowNorm(q=1)), ("low_rank", TraceNorm(2.0))]) + RowNorm(0.5),
    "mean": MeanCoupling(0.1, 1.0),
}
ASKED = [("quantile", "rows"), ("hinge", "mean"), ("sqrt", "rows")]
FIELDS = ["loss", "penalty", "seconds", "iterations", "relative_gap", "converged", "seconds_cvxpy", "times_faster"]


def drawn():
    """X (T N, D), y and task: few features, of few patterns."""
    rng = np.random.default_rng(0)
    W = np.zeros((D, T))
    W[:20] = rng.standard_normal((20, 3)) @ rng.standard_normal((3, T))
    X, task = rng.standard_normal((T * N, D)), np.repeat(np.arange(T), N)
    return X, np.einsum("ij,ji->i", X, W[:, task]) + rng.standard_normal(T * N), task


def measured(loss, name, with_cvxpy):
    """One row."""
    X, y, task = drawn()
    y = np.where(y > 0, 1, -1) if loss == "hinge" else y
    cls = cm.MultiTaskClassifier if loss == "hinge" else cm.MultiTaskRegressor
    penalty = PENALTIES[name]
    if name != "mean":
        largest = cm.alpha_max(cls(penalty, loss=loss), X, y, task=task)
        factor = (next(iter(largest.values())) if isinstance(largest, dict) else largest) / 10
        penalty = penalty.scaled(factor / next(iter(penalty.strength_values().values())))
    model = cls(penalty, loss=loss, tol=1e-6)
    for _ in range(2):  # (The first fit may compile.)
        start = time.process_time()
        model.fit(X, y, task=task)
        seconds = time.process_time() - start
    row = {
        "loss": loss,
        "penalty": name,
        "seconds": round(seconds, 3),
        "iterations": model.n_iter_,
        "relative_gap": f"{model.dual_gap_ / model._summary.trivial:.1e}",
        "converged": model._summary.converged,
        "seconds_cvxpy": "",
        "times_faster": "",
    }
    if with_cvxpy and (loss, name) in ASKED:
        start = time.process_time()
        cm.reference.fit(model, X, y, task=task, solver="CLARABEL")
        other = time.process_time() - start
        row |= {"seconds_cvxpy": round(other, 1), "times_faster": round(other / seconds, 1)}
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cvxpy", action="store_true", help="ask cvxpy, too")
    parser.add_argument("--losses", nargs="+", default=LOSSES, choices=LOSSES)
    parser.add_argument("--csv", help="file to write")
    given = parser.parse_args()
    rows = []
    for loss in given.losses:
        for name in PENALTIES:
            rows.append(measured(loss, name, given.cvxpy))
            print(*rows[-1].values(), flush=True)
            if given.csv:
                with open(given.csv, "w", newline="") as file:
                    writer = csv.DictWriter(file, FIELDS)
                    writer.writeheader()
                    writer.writerows(rows)


if __name__ == "__main__":
    sys.exit(main())
