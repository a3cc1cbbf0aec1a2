"""Row descent with and without alternating directions, in turns: l1/l2, l1/linf, sparse group and dirty.

Sizes are drawn around those of the race, by a factor of up to three, of one X and of tasks with samples of their own;
strengths are alpha_max over 3 to 300, and neighbouring features have a correlation of up to 0.95.

    python -m benchmarks.alternating --problems 28 --csv benchmarks/results/alternating.csv
"""

import argparse
import time
import warnings

import numpy as np
from scipy.signal import lfilter

import convexmtl as mtl
from convexmtl.penalties import DirtyNorm, RowNorm, SparseGroup
from convexmtl.solvers import _models

from ._table import write

SHARED = (
    (300, 7500, 100),
    (500, 5000, 50),
    (2000, 500, 20),
    (1000, 5000, 10),
    (5000, 1000, 5),
    (64, 4000, 20),
    (100, 300, 50),
)
STACKED = ((100, 1000, 50), (30, 50, 1000), (20, 200, 100))  # samples of a task, features, tasks
LONG = 3.0  # seconds after which a comparison is not repeated
PENALTIES = {
    "l1/l2": RowNorm(),
    "l1/linf": RowNorm(q=np.inf),
    "sparse group": SparseGroup(l1_ratio=0.3),
    "dirty": DirtyNorm(1.0, 0.6),
}


def draw(n, d, T, correlation, seed):
    """(X, Y): neighbouring features are correlated, and a few of them count."""
    rng = np.random.default_rng(seed)
    X, Y = _features(rng, n, d, correlation), np.zeros((n, T))
    n_used = max(3, min(n, d) // 15)
    Y = X[:, rng.choice(d, n_used, replace=False)] @ rng.normal(size=(n_used, T))
    return X, Y + 0.5 * Y.std() * rng.normal(size=Y.shape)


def draw_stacked(n, d, T, correlation, seed):
    """(X, y, task): a few features count for all tasks, and one in a hundred coefficients beside them."""
    rng = np.random.default_rng(seed)
    X, task = _features(rng, n * T, d, correlation), np.repeat(np.arange(T), n)
    W = (rng.random((d, T)) < 0.01) * rng.normal(size=(d, T))
    used = rng.choice(d, max(3, min(n, d) // 3), replace=False)
    W[used] += rng.normal(size=(len(used), T))
    y = np.einsum("ij,ij->i", X, W.T[task])
    return X, y + 0.1 * y.std() * rng.normal(size=len(y)), task


def _features(rng, n, d, correlation):
    X = rng.normal(size=(n, d))
    X[:, 1:] *= np.sqrt(1 - correlation**2)
    return np.asfortranarray(lfilter([1.0], [1.0, -correlation], X, axis=1))


def sweeps_alone():
    """Whether alternating directions pay: never. Returns what puts them back."""
    own = _models.LEAP
    _models.LEAP = np.inf
    return lambda: setattr(_models, "LEAP", own)


def timed(model, X, y, task):
    begin = time.process_time()
    model.fit(X, y, task=task)
    return time.process_time() - begin


def compare(penalty, X, y, task, tol, repeats):
    """{column: value}; seconds of CPU are the least of some fits, both in turns, fewer where these take long."""
    seconds, found = {True: [], False: []}, {}
    model = mtl.MultiTaskRegressor(penalty, tol=tol, max_iter=20_000)
    for _ in range(repeats):
        if sum(seconds[True]) + sum(seconds[False]) > LONG:
            break
        for alternating in (False, True):
            back = None if alternating else sweeps_alone()
            try:
                seconds[alternating].append(timed(model, X, y, task))
            finally:
                if back:
                    back()
            found[alternating] = model.n_iter_, model.dual_gap_ / model._summary.gain
    alone, both = min(seconds[False]), min(seconds[True])
    return {
        "rows": int(np.count_nonzero(model.coef_.any(axis=0))),
        "iterations_sweeps": found[False][0],
        "iterations": found[True][0],
        "seconds_sweeps": f"{alone:.4g}",
        "seconds": f"{both:.4g}",
        "ratio": round(alone / both, 2),
        "gap_sweeps": f"{found[False][1]:.1e}",
        "gap": f"{found[True][1]:.1e}",
    }


def problems(number, seed):
    """Yield (what it is, penalties with their strengths, X, y, task)."""
    rng = np.random.default_rng(seed)
    for k in range(number):
        stacked = k % 10 >= 7
        sizes = STACKED[k % 10 - 7] if stacked else SHARED[k % 10]
        n, d, T = (max(2, int(size * 3 ** rng.uniform(-1, 0.3))) for size in sizes)
        ratio, correlation = 3 * 100 ** rng.uniform(), rng.uniform(0, 0.95)
        X, y, task = draw_stacked(n, d, T, correlation, k) if stacked else (*draw(n, d, T, correlation, k), None)
        what = {"layout": "stacked" if stacked else "one X", "n": n, "d": d, "T": T}
        yield what | {"correlation": round(correlation, 2), "strength": f"1/{ratio:.0f}"}, ratio, X, y, task


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--tol", type=float, nargs="+", default=[1e-6, 1e-9])
    parser.add_argument("--only", nargs="+", default=list(PENALTIES), choices=list(PENALTIES), metavar="PENALTY")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--csv")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = []
    for what, ratio, X, y, task in problems(options.problems, options.seed):
        for name in options.only:
            largest = mtl.alpha_max(mtl.MultiTaskRegressor(PENALTIES[name]), X, y, task=task)
            share = (largest["alpha_block"] if isinstance(largest, dict) else largest) / ratio
            penalty = PENALTIES[name].scaled(share)
            for tol in options.tol:
                head = {"seed": options.seed, "penalty": name, **what, "tol": tol}
                rows.append(head | compare(penalty, X, y, task, tol, options.repeats))
                print(*rows[-1].values(), flush=True)
                write(options.csv, rows)
    for name in options.only:
        for tol in options.tol:
            for layout in ("one X", "stacked"):
                of = [r["ratio"] for r in rows if (r["penalty"], r["tol"], r["layout"]) == (name, tol, layout)]
                if of:
                    mean = np.exp(np.log(of).mean())
                    print(f"{name}, {layout}, {tol:g}: geometric mean {mean:.2f}, {min(of)} to {max(of)}")


if __name__ == "__main__":
    main()
