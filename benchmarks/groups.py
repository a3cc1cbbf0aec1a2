"""Seconds to a certified group lasso of one task, beside celer and skglm.

    python -m benchmarks.groups --csv benchmarks/results/groups.csv

Groups of three, correlated features, weights sqrt(3), at fractions of the largest strength. Each solver gets the tol
with which it reaches the gap, tightened tenfold until it does; the gap is that of the same certificate for all.
"""

import argparse
import time
import warnings
from importlib.util import find_spec

import numpy as np

import convexmtl as cm
from convexmtl.certificate import duality_gap

from ._table import write

SIZES = [(200, 600), (300, 3000), (1000, 300), (500, 9000)]
RATIOS = (5, 20, 100)
GAP = 1e-6  # of the objective at W = 0


def draw(n, d, seed=0):
    """X (n, d) with features that are correlated within groups of three and a little beyond, and y (n,)."""
    rng = np.random.default_rng(seed)
    shared = np.repeat(rng.standard_normal((n, d // 3)), 3, axis=1)
    X = rng.standard_normal((n, d)) + shared + 0.5 * rng.standard_normal((n, 1))
    w = np.zeros(d)
    w[: d // 20 // 3 * 3] = rng.standard_normal(d // 20 // 3 * 3)
    z = X @ w
    return X, z + 0.5 * z.std() * rng.standard_normal(n)


def own(X, y, alpha, groups, tol):
    fit = cm.BlockSparseRegressor(alpha, feature_groups=groups, tol=tol, max_iter=100_000).fit(X, y)
    return fit.coef_[0]


def of_celer(X, y, alpha, groups, tol):
    from celer import GroupLasso

    weights = np.full(X.shape[1] // 3, np.sqrt(3))
    fit = GroupLasso(groups=3, alpha=alpha, weights=weights, tol=tol, max_iter=1000, max_epochs=100_000)
    return fit.fit(X, y).coef_


def of_skglm(X, y, alpha, groups, tol):
    from skglm import GeneralizedLinearEstimator
    from skglm.datafits import QuadraticGroup
    from skglm.penalties import WeightedGroupL2
    from skglm.solvers import GroupBCD
    from skglm.utils.data import grp_converter

    indices, ptr = grp_converter(3, X.shape[1])
    weights = np.full(X.shape[1] // 3, np.sqrt(3))
    fit = GeneralizedLinearEstimator(
        datafit=QuadraticGroup(ptr, indices),
        penalty=WeightedGroupL2(alpha, weights, ptr, indices),
        solver=GroupBCD(max_iter=1000, max_epochs=100_000, tol=tol, fit_intercept=True, verbose=0),
    )
    return fit.fit(X, y).coef_


SOLVERS = {"convexmtl": own, "celer": of_celer, "skglm": of_skglm}


def measured(solver, X, y, alpha, groups, problem, repeats):
    """(seconds of CPU, gap over the objective at W = 0) at the tol that leads to the gap."""
    scale = problem.data.trivial[0]
    for tol in np.geomspace(1e-4, 1e-13, 10) if solver is not own else (GAP,):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            coef = np.ravel(solver(X, y, alpha, groups, tol))
            gap = duality_gap(problem, (coef[:, None],)).gap / scale
            if gap <= GAP:
                break
    seconds = []
    for _ in range(repeats):
        begin = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            solver(X, y, alpha, groups, tol)
        seconds.append(time.process_time() - begin)
    return min(seconds), gap


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--csv", help="file to write the table to")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", type=int, default=len(SIZES), help="how many of the sizes")
    options = parser.parse_args()
    rows = []
    for n, d in SIZES[: options.only]:
        X, y = draw(n, d)
        X = np.asfortranarray(X)
        groups = np.arange(d) // 3
        top = cm.alpha_max(cm.BlockSparseRegressor(feature_groups=groups), X, y)
        for ratio in RATIOS:
            estimator = cm.BlockSparseRegressor(top / ratio, feature_groups=groups)
            problem = estimator._formulate(X, y).problem
            for name, solver in SOLVERS.items():
                if name != "convexmtl" and find_spec(name) is None:
                    continue
                seconds, gap = measured(solver, X, y, top / ratio, groups, problem, options.repeats)
                row = {"n": n, "d": d, "ratio": ratio, "solver": name}
                rows.append(row | {"seconds": f"{seconds:.4f}", "gap": f"{gap:.1e}"})
                print(*rows[-1].values(), sep="\t", flush=True)
    write(options.csv, rows)


if __name__ == "__main__":
    main()
