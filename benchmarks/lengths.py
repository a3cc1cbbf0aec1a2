"""l1/l2 on one X: fits with and without Newton's method in the lengths of the rows, in turns.

Sizes are drawn around those of the race, by a factor of up to three; strengths are alpha_max over 3 to 300, and
neighbouring features have a correlation of up to 0.95.

    python -m benchmarks.lengths --problems 21 --csv benchmarks/results/lengths.csv
"""

import argparse
import time
import warnings

import numpy as np
from scipy.signal import lfilter

import convexmtl as mtl
from convexmtl.solvers._models import Model

from ._table import write

SIZES = (
    (300, 7500, 100),
    (500, 5000, 50),
    (2000, 500, 20),
    (1000, 5000, 10),
    (5000, 1000, 5),
    (64, 4000, 20),
    (100, 300, 50),
)


def draw(n, d, T, correlation, seed):
    """(X, Y): neighbouring features are correlated, and a few of them count."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    X[:, 1:] *= np.sqrt(1 - correlation**2)
    X = np.asfortranarray(lfilter([1.0], [1.0, -correlation], X, axis=1))
    n_used = max(3, min(n, d) // 15)
    Y = X[:, rng.choice(d, n_used, replace=False)] @ rng.normal(size=(n_used, T))
    return X, Y + 0.5 * Y.std() * rng.normal(size=Y.shape)


def sweeps_alone():
    """Whether a leap pays: never. Returns what puts it back."""
    own = Model.__dict__["leap_cost"]
    Model.leap_cost = np.inf
    return lambda: setattr(Model, "leap_cost", own)


def timed(model, X, Y):
    begin = time.process_time()
    model.fit(X, Y)
    return time.process_time() - begin


def compare(X, Y, alpha, tol, repeats):
    """{column: value}; seconds of CPU are the least of some fits, both in turns."""
    seconds, found = {True: [], False: []}, {}
    model = mtl.BlockSparseRegressor(alpha, tol=tol, max_iter=100_000)
    for _ in range(repeats):
        for leaps in (False, True):
            back = None if leaps else sweeps_alone()
            try:
                seconds[leaps].append(timed(model, X, Y))
            finally:
                if back:
                    back()
            found[leaps] = model.n_iter_, model.dual_gap_ / model._summary.gain, model.objective_
    rows = int(np.count_nonzero(model.coef_.any(axis=0)))
    alone, both = min(seconds[False]), min(seconds[True])
    return {
        "rows": rows,
        "iterations_sweeps": found[False][0],
        "iterations": found[True][0],
        "seconds_sweeps": f"{alone:.4g}",
        "seconds": f"{both:.4g}",
        "ratio": round(alone / both, 2),
        "gap_sweeps": f"{found[False][1]:.1e}",
        "gap": f"{found[True][1]:.1e}",
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=21)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--csv")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    rng, rows = np.random.default_rng(options.seed), []
    for k in range(options.problems):
        n, d, T = (max(2, int(size * 3 ** rng.uniform(-1, 0.3))) for size in SIZES[k % len(SIZES)])
        ratio, correlation = 3 * 100 ** rng.uniform(), rng.uniform(0, 0.95)
        X, Y = draw(n, d, T, correlation, k)
        alpha = mtl.alpha_max(mtl.BlockSparseRegressor(), X, Y) / ratio
        for tol in (1e-6, 1e-9):
            size = {"n": n, "d": d, "T": T, "correlation": round(correlation, 2), "strength": f"1/{ratio:.0f}"}
            rows.append({"seed": options.seed, **size, "tol": tol, **compare(X, Y, alpha, tol, options.repeats)})
            print(*rows[-1].values(), flush=True)
    for tol in (1e-6, 1e-9):
        ratios = np.array([row["ratio"] for row in rows if row["tol"] == tol])
        print(f"tol {tol:g}: geometric mean {np.exp(np.log(ratios).mean()):.2f}, {ratios.min()} to {ratios.max()}")
    write(options.csv, rows)


if __name__ == "__main__":
    main()
