"""Kernels of samples and tasks beside scikit-learn's estimators on the precomputed kernel of all samples and tasks.

    python -m benchmarks.kernels speed --csv benchmarks/results/kernels.csv
    python -m benchmarks.kernels memory --csv benchmarks/results/kernels_memory.csv
    python -m benchmarks.kernels components --csv benchmarks/results/kernels_components.csv

*speed*: the same kernel B_st k(x, x') for both; one X for all tasks, or rows of their own. Ours reads X and y, makes
its kernel, solves, and certifies. Theirs is timed twice: the fit to the (N, N) kernel that is there already, and with
making it. Ours ends at a certified gap of ``TOL`` times the loss at zero; theirs is given the largest ``tol`` of 1,
0.3, 0.1, ... with which its gap, computed here from its coefficients, is not above that. SVC and SVR of scikit-learn
have one intercept where ours has one per task; kernel ridge has none in both. CPU seconds, medians of warm fits.

*memory*: one fit in a process of its own; how much its peak is above that after a fit to little data, in units of the
N x N kernel.

*components*: five tasks with one X, exactly and by so many ``n_components``, for more and more samples: seconds, and
the error on new samples, whose noise is in it.
"""

import argparse
import resource
import subprocess
import sys
import time

import numpy as np
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.svm import SVC, SVR

import convexmtl as cm

from ._table import write

TOL, EPSILON, FEATURES = 1e-4, 0.1, 5
COUPLING = cm.MeanCoupling(1.0, 10.0)
SETTINGS = [(0.1, 0.05), (0.1, 0.5), (0.01, 0.2), (0.001, 0.05), (0.001, 0.5)]  # (alpha, gamma)
LAYOUTS = ["one X", "stacked"]
MODELS = {"ridge": cm.MultiTaskKernelRidge, "svc": cm.MultiTaskSVC, "svr": cm.MultiTaskSVR}


def drawn(model, stacked, T, n, seed):
    """X, y and what else fit takes: smooth functions, most of which the tasks have in common, with noise."""
    rng = np.random.default_rng(seed)
    N = n * T if stacked else n
    hidden, common, own = rng.normal(size=(FEATURES, 8)), rng.normal(size=(8, 1)), rng.normal(size=(8, T))
    X = rng.normal(size=(N, FEATURES))
    Z = np.tanh(X @ hidden) @ (common + 0.5 * own) + 0.5 * rng.normal(size=(N, T))
    Y = np.where(Z > 0, 1.0, -1.0) if model == "svc" else Z / Z.std()
    if not stacked:
        return X, Y, {}
    task = np.repeat(np.arange(T), n)
    return X, Y[np.arange(N), task], {"task": task}


def timed(work, least=0.2, most=7):
    """(median CPU seconds, result) of as many runs as take a while."""
    seconds = []
    while len(seconds) < most and (len(seconds) < 3 or sum(seconds) < least):
        start = time.process_time()
        result = work()
        seconds.append(time.process_time() - start)
    return float(np.median(seconds)), result


def whole(X, Y, options, B, gamma):
    """(kernel of all samples and tasks, targets)."""
    K = rbf_kernel(X, gamma=gamma)
    if not options:
        return np.kron(B, K), Y.T.ravel()
    K *= B[np.ix_(options["task"], options["task"])]
    return K, Y


def gap_of(model, K, y, fitted, alpha, n):
    """(primal - dual) / loss at zero of scikit-learn's fit, both taken from what it says of its coefficients."""
    if model == "ridge":
        a = fitted.dual_coef_
        return 0.5 * np.sum((y - K @ a - n * alpha * a) ** 2) / (0.5 * np.sum(y**2))
    a = np.zeros(len(y))
    a[fitted.support_] = fitted.dual_coef_[0]
    C, f = 1 / (n * alpha), K @ a
    z = f + fitted.intercept_[0]
    if model == "svc":
        lost, dual, zero = np.maximum(0, 1 - y * z), np.sum(np.abs(a)), np.mean(np.maximum(0, 1 - y * np.sign(y.sum())))
    else:
        lost = np.maximum(0, np.abs(y - z) - EPSILON)
        dual = a @ y - EPSILON * np.sum(np.abs(a))
        zero = np.mean(np.maximum(0, np.abs(y - np.median(y)) - EPSILON))
    return (C * lost.sum() + a @ f - dual) / (C * len(y) * zero)


def theirs(model, K, y, alpha, n):
    """(seconds of a fit, its gap) at the largest tol that is good enough."""
    if model == "ridge":
        seconds, fitted = timed(lambda: KernelRidge(alpha=n * alpha, kernel="precomputed").fit(K, y))
        return seconds, gap_of(model, K, y, fitted, alpha, n)
    cls = SVC if model == "svc" else SVR
    for tol in (1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 3e-4, 1e-4, 1e-5):
        machine = cls(kernel="precomputed", C=1 / (n * alpha), tol=tol, cache_size=1000)
        fitted = machine.fit(K, y)
        gap = gap_of(model, K, y, fitted, alpha, n)
        if gap <= TOL:
            break
    return timed(lambda: machine.fit(K, y))[0], gap


def measured(model, stacked, T, n, alpha, gamma, seed):
    """One row."""
    X, Y, options = drawn(model, stacked, T, n, seed)
    estimator = MODELS[model](COUPLING, alpha, gamma=gamma, tol=TOL, fit_intercept=model != "ridge")
    estimator.fit(X, Y, **options)  # (The first fit may compile.)
    ours, _ = timed(lambda: estimator.fit(X, Y, **options))
    making, (K, y) = timed(lambda: whole(X, Y, options, estimator.task_kernel_, gamma))
    seconds, gap = theirs(model, K, y, alpha, n)
    gain = cm.explain_fit(estimator).figures["trivial_loss"]
    return {
        "model": model,
        "layout": LAYOUTS[stacked],
        "tasks": T,
        "samples": n,
        "alpha": alpha,
        "gamma": gamma,
        "seed": seed,
        "seconds": round(ours, 5),
        "iterations": estimator.n_iter_,
        "gap": f"{estimator.dual_gap_ / gain:.1e}",
        "seconds_sklearn": round(seconds, 5),
        "seconds_kernel": round(making, 5),
        "gap_sklearn": f"{gap:.1e}",
        "times_faster": round(seconds / ours, 2),
        "with_kernel": round((seconds + making) / ours, 2),
    }


def speed(seeds, models):
    """Rows."""
    for model in models:
        for stacked, T in [(False, 1), (False, 5), (False, 20), (True, 5), (True, 20)]:
            for n in (30, 100, 250, 1000, 3000)[: 5 if T == 1 and model != "ridge" else 3]:
                for k, (alpha, gamma) in enumerate(SETTINGS):
                    yield measured(model, stacked, T, n, alpha, gamma, k % seeds)


def memory(seeds, models):
    """Rows."""
    for model in models:
        for stacked in (False, True):
            for T, n in [(5, 400), (20, 100), (20, 250)]:
                given = [sys.executable, "-m", "benchmarks.kernels", "peak", model, str(int(stacked)), str(T), str(n)]
                peak = int(subprocess.run(given, check=True, capture_output=True, text=True).stdout)
                square = 8 * (n * T) ** 2
                yield {
                    "model": model,
                    "layout": LAYOUTS[stacked],
                    "tasks": T,
                    "samples": n,
                    "peak_MB": round(peak / 1e6, 1),
                    "square_MB": round(square / 1e6, 1),
                    "peak_in_squares": round(peak / square, 2),
                }


def peak(model, stacked, T, n):
    """Bytes that a fit has beyond those of one to little data."""

    def fitted(n):
        X, Y, options = drawn(model, stacked, T, n, 0)
        MODELS[model](COUPLING, 0.01, gamma=0.2).fit(X, Y, **options)
        return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    before = fitted(20)
    return fitted(n) - before


def components(seeds, models):
    """Rows."""
    T, alpha, gamma = 5, 1e-3, 0.1
    ways = {"exact": {}, "nystroem 100": {"n_components": 100}, "nystroem 400": {"n_components": 400}}
    ways["fourier 400"] = {"n_components": 400, "approximation": "fourier"}
    for model in models:
        for n in (250, 500, 1000, 2000, 4000, 8000):
            for seed in range(seeds):
                X, Y, _ = drawn(model, False, T, n + 1000, seed)
                for way, options in ways.items():
                    estimator = MODELS[model](COUPLING, alpha, gamma=gamma, **options)
                    start = time.process_time()
                    estimator.fit(X[:n], Y[:n])
                    seconds = time.process_time() - start
                    found = estimator.predict(X[n:])
                    error = np.mean(found != Y[n:]) if model == "svc" else np.mean((found - Y[n:]) ** 2)
                    row = {"model": model, "samples": n, "seed": seed, "way": way}
                    yield row | {"seconds": round(seconds, 4), "error": round(float(error), 4)}


def main():
    if sys.argv[1:2] == ["peak"]:
        model, *sizes = sys.argv[2:]
        print(peak(model, *map(int, sizes)))
        return
    parts = {"speed": speed, "memory": memory, "components": components}
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("part", choices=parts)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--csv", help="file to write")
    given = parser.parse_args()
    rows = []
    for row in parts[given.part](given.seeds, given.models):
        rows.append(row)
        print(*row.values(), flush=True)
        write(given.csv, rows)


if __name__ == "__main__":
    sys.exit(main())
