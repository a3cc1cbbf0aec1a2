"""Peak memory of a fit beside X: Fortran order, float64, many more features than the working set.

python -m benchmarks.race.memory
"""

import subprocess
import sys

from .desk import peak_memory, reset_peak

# MB
SIZES = {"n": 2000, "d": 50_000, "T": 10}
SMALL = {"n": 200, "d": 20_000, "T": 10}


def measure(quick=False):
    """A single row: MB of X, peak beside it, their ratio; from a process of its own."""
    sizes = SMALL if quick else SIZES
    words = [str(sizes[name]) for name in ("n", "d", "T")]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.race.memory", *words], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        row = dict.fromkeys(("x_mb", "peak_mb", "ratio", "rows_used", "gap"), float("nan"))
        row = {**sizes, **row, "note": f"failed: {done.stderr.strip().splitlines()[-1]}"}
    else:
        x_mb, peak_mb, rows_used, gap = map(float, done.stdout.split())
        row = {"x_mb": x_mb, "peak_mb": peak_mb, "ratio": peak_mb / x_mb, "rows_used": int(rows_used), "gap": gap}
        row = {**sizes, **row, "note": ""}
    print(f"    peak beside X of {row['x_mb']:.0f} MB: {row['peak_mb']:.0f} MB, {row['ratio']:.3f} of X  {row['note']}")
    return [row]


def fit(n, d, T):
    """Prints MB of X, MB of the peak beside it, rows of W that are used, and the relative gap."""
    import numpy as np

    import convexmtl

    rng = np.random.default_rng(0)
    X = np.empty((n, d), order="F")
    for j in range(d):
        X[:, j] = rng.standard_normal(n)
    Y = X[:, :20] @ rng.standard_normal((20, T)) + rng.standard_normal((n, T))
    # What is loaded and compiled once is not part of a fit.
    convexmtl.BlockSparseRegressor(0.5).fit(X[:100, :50], Y[:100])
    alpha = np.linalg.norm(X.T @ (Y - Y.mean(axis=0)), axis=1).max() / n / 10
    before = reset_peak()
    model = convexmtl.BlockSparseRegressor(alpha, tol=1e-6).fit(X, Y)
    peak = peak_memory() - before
    gap = model.dual_gap_ / (0.5 * np.sum((Y - Y.mean(axis=0)) ** 2) / n)
    print(X.nbytes / 2**20, peak, np.any(model.coef_, axis=0).sum(), gap)


if __name__ == "__main__":
    if len(sys.argv) == 4:
        fit(*map(int, sys.argv[1:]))
    else:
        measure()
