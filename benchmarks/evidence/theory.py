"""The strength that theory asks for, from the noise alone, beside cross-validation.

    python -m benchmarks.evidence.theory --csv benchmarks/results/evidence_theory.csv --page docs/evidence/theory.md

One X for all tasks, features with correlations rho^abs(i - j), few of them in use with normal coefficients, noise 1.
What is measured of every fit: the excess risk in units of the signal's variance, how many features without effect are
in use and how many with an effect are not, and the seconds of the processor, the search for the strength included.
"""

import argparse
import time
from itertools import product

import numpy as np
import pandas as pd
from scipy.linalg import toeplitz

import convexmtl as cm

from ._report import add_outputs, carry_out, markdown, put, said

# name: (rows, features, tasks, features in use, correlation, q, size of the coefficients)
DESIGNS = {
    "few tasks": (60, 200, 4, 8, 0.0, 2, 0.7),
    "many tasks": (60, 200, 40, 8, 0.0, 2, 0.7),
    "correlated": (60, 200, 10, 8, 0.8, 2, 0.7),
    "many rows": (400, 100, 10, 20, 0.3, 2, 0.3),
    "weak": (60, 200, 10, 8, 0.0, 2, 0.25),
    "lasso": (100, 200, 4, 8, 0.0, 1, 0.7),
    "l1/linf": (100, 200, 4, 8, 0.0, np.inf, 0.7),
}
KNOWN, FOUND = {"noise": 1.0}, {"noise": "pooled"}
# name: (options of alpha_theory, options of the estimator)
THEORY = {
    "theory, slack 2": ({**KNOWN, "slack": 2.0}, {}),
    "theory": (KNOWN, {}),
    "theory, simulated": ({**KNOWN, "bound": "simulated"}, {}),
    "theory, noise found": (FOUND, {}),
    "theory, noise found, relaxed": (FOUND, {"refit": "relaxed"}),
}
SEARCH = {
    "cross-validation": {},
    "cross-validation, 1se": {"selection": "1se"},
    "cross-validation, relaxed": {"refit": "relaxed"},
}
PATH = {"alphas": 30, "eps": 0.02, "tol": 1e-5}


def drawn(design, seed):
    """(X, Y, W (d, T), covariance of the features (d, d))."""
    n, d, T, used, rho, _, size = DESIGNS[design]
    rng = np.random.default_rng(seed)
    S = toeplitz(rho ** np.arange(d))
    W = np.zeros((d, T))
    W[rng.choice(d, used, replace=False)] = size * rng.standard_normal((used, T))
    X = rng.standard_normal((n, d)) @ np.linalg.cholesky(S).T
    return X, X @ W + rng.standard_normal((n, T)), W, S


def published(n, d, T):
    """The strength of Lounici et al. (2009) at its smallest constant, A = 8, in our units: noise 1, mean squares 1."""
    return 2 * np.sqrt((T + 8 * np.sqrt(T) * np.log(d)) / n)


def measured(design, seed):
    """Yield a row for each way to choose the strength."""
    X, Y, W, S = drawn(design, seed)
    n, d, T, _, _, q, _ = DESIGNS[design]
    plain, top = cm.BlockSparseRegressor(q=q, tol=1e-5), None
    ways = {"Lounici et al. (2009)": lambda: cm.BlockSparseRegressor(published(n, d, T), tol=1e-5)} if q == 2 else {}
    for name, (theory, own) in THEORY.items():
        ways[name] = lambda theory=theory, own=own: cm.BlockSparseRegressor(
            cm.alpha_theory(plain, X, Y, **theory), q=q, tol=1e-5, **own
        )
    for name, own in SEARCH.items():
        ways[name] = lambda own=own: cm.BlockSparseRegressorCV(q=q, cv=5, **PATH, **own)
    top = cm.alpha_max(plain, X, Y)
    for name, way in ways.items():
        start = time.process_time()
        model = way().fit(X, Y)
        seconds = time.process_time() - start
        E, found, true = model.coef_.T - W, model.coef_.any(axis=0), W.any(axis=1)
        alpha = model.alpha_ if hasattr(model, "alpha_") else model.alpha
        yield {
            "design": design,
            "seed": seed,
            "strength": name,
            "share of alpha_max": f"{alpha / top:.4g}",
            "risk": f"{np.sum(E * (S @ E)) / np.sum(W * (S @ W)):.5g}",
            "false": int(np.sum(found & ~true)),
            "missed": int(np.sum(true & ~found)),
            "seconds": f"{seconds:.4f}",
        }


def report(rows, page):
    table = pd.DataFrame(rows).astype({"risk": float, "share of alpha_max": float, "seconds": float})
    texts = []
    for design, (n, d, T, used, rho, q, size) in DESIGNS.items():
        own = table[table["design"] == design]
        if not len(own):
            continue
        lines = []
        for name, group in own.groupby("strength", sort=False):
            figures = [said(group[column], digits) for column, digits in (("risk", 3), ("false", 1), ("missed", 1))]
            alpha, seconds = group["share of alpha_max"].median(), group["seconds"].median()
            lines.append([name, f"{alpha:.2f}", *figures, f"{seconds:.2f}"])
        texts.append(
            f"**{design}**: {n} rows, {d} features of which {used} are in use, {T} tasks, q = {q:g}, "
            f"correlation {rho:g}, size {size:g}; {own['seed'].nunique()} seeds.\n\n"
            + markdown(["strength", "share of alpha_max", "risk", "false", "missed", "seconds"], lines)
        )
    put(page, "tables", "\n\n".join(texts))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--only", nargs="+", default=list(DESIGNS), choices=list(DESIGNS))
    add_outputs(parser, "the tables")
    given = parser.parse_args(arguments)
    carry_out(given, (list(measured(*step)) for step in product(given.only, range(given.seeds))), report)


if __name__ == "__main__":
    main()
