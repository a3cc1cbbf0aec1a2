"""Phase transitions: how many samples it takes to find which coefficients there are, and their signs.

    python -m benchmarks.evidence.transitions --csv benchmarks/results/evidence_transitions.csv \
        --page docs/evidence/transitions.md

Two tasks, d features with x ~ N(0, I), s = 0.1 d of them in use in each task, a share kappa of these in both. Their
coefficients are 1 or -1, of one size where both tasks use a feature, as the theorems ask; noise 0.1, no intercepts.
Against theta = n / (s log(d - (2 - kappa) s)) the thresholds are 2 for the lasso (Wainwright 2009), 4 - 3 kappa for
l1/linf (Negahban, Wainwright 2008) and 2 - kappa for the dirty model at alpha_block / alpha_sparse = sqrt(2) (Jalali et
al. 2010).

The strength of the lasso is c sigma sqrt(2 log(s) log(d - s) / n), Wainwright's with c = 3: at his c = 1 noise alone is
now and then in use, however many samples there are, and the theorems let n alpha^2 / log(d) grow beyond all bounds.
That of l1/linf is sqrt(2) times it, as the noise of a feature is a sum over two tasks, and the dirty model has both.

Two successes are counted. "exact" is the signed support of both tasks: of l1/linf, which leaves no zeros in a row in
use, the signs of the coefficients that are as large as the row's largest, as in the paper. "features" is that all
coefficients have their signs and no feature is in use that no task needs; what a task has in a feature that only the
other needs is let pass.
"""

import argparse
from itertools import product

import numpy as np
import pandas as pd

import convexmtl as cm
from convexmtl.problem import Problem
from convexmtl.solvers import solve

from ._report import add_outputs, carry_out, markdown, picture, put, share

NOISE, STRENGTH, TOL = 0.1, 3.0, 1e-8
SIZES, OVERLAPS = (128, 256, 512), (0.3, 2 / 3, 0.8)
THETAS = np.arange(0.75, 4.01, 0.25)
THRESHOLDS = {"lasso": lambda kappa: 2.0, "l1/linf": lambda kappa: 4 - 3 * kappa, "dirty": lambda kappa: 2 - kappa}
RATIOS = {"dirty": np.sqrt(2), "dirty, 1.8": 1.8}
METHODS, KINDS = ("lasso", "l1/linf", *RATIOS), ("exact", "features")
SURE = 2  # points in a row at which all repetitions of all methods have found all, after which no more are run


def rows_of(d, kappa, theta):
    """(s, n)"""
    s = round(0.1 * d)
    return s, round(theta * s * np.log(d - (2 - kappa) * s))


def drawn(d, kappa, theta, seed):
    """(X (2n, d), y, task, W (d, 2))."""
    s, n = rows_of(d, kappa, theta)
    rng = np.random.default_rng([d, round(1000 * kappa), round(1000 * theta), seed])
    common = round(kappa * s)
    used, W = rng.permutation(d), np.zeros((d, 2))
    W[used[:s], 0] = 1.0
    W[used[:common], 1] = 1.0
    W[used[s : 2 * s - common], 1] = 1.0
    W *= rng.choice([-1.0, 1.0], W.shape)
    X = rng.standard_normal((2 * n, d))
    task = np.repeat([0, 1], n)
    return X, np.sum(X * W.T[task], axis=1) + NOISE * rng.standard_normal(2 * n), task, W


def penalties(d, kappa, theta):
    """{method: penalty}"""
    s, n = rows_of(d, kappa, theta)
    alpha = STRENGTH * NOISE * np.sqrt(2 * np.log(s) * np.log(d - s) / n)
    return {
        "lasso": cm.RowNorm(alpha, q=1),
        "l1/linf": cm.RowNorm(np.sqrt(2) * alpha, q=np.inf),
        **{name: cm.DirtyNorm(ratio * alpha, alpha) for name, ratio in RATIOS.items()},
    }


def signs(method, W):
    """(d, 2) the signed support that a method claims."""
    if method != "l1/linf":
        return np.sign(W)
    size = np.abs(W)
    return np.where(size >= (1 - 1e-6) * size.max(axis=1, keepdims=True), np.sign(W), 0.0)


def successes(d, kappa, theta, seed):
    """{(method, kind): whether it finds what is to be found}"""
    X, y, task, W = drawn(d, kappa, theta, seed)
    # (One DataTerm for all: what is known of the data is found out once.)
    data = cm.MultiTaskRegressor(cm.RowNorm(), fit_intercept=False)._formulate(X, y, task=task).problem.data
    found = {}
    for name, penalty in penalties(d, kappa, theta).items():
        result = solve(Problem(data, penalty.resolve(d, [0, 1])), None, TOL)
        if not result.converged:
            raise RuntimeError(f"{name} at d={d}, kappa={kappa}, theta={theta}, seed={seed}: {result.status}")
        V = result.W
        found[name, "exact"] = np.array_equal(signs(name, V), np.sign(W))
        found[name, "features"] = np.all(np.sign(V[W != 0]) == W[W != 0]) and not V[~W.any(axis=1)].any()
    return found


def measured(d, kappa, thetas, seeds):
    """Yield a row per theta, method and kind of success."""
    done = 0
    for theta in thetas:
        found = pd.DataFrame([successes(d, kappa, theta, seed) for seed in range(seeds)])
        for name, kind in found:
            count = int(found[name, kind].sum())
            low, high = share(count, seeds)
            yield {
                "d": d, "kappa": f"{kappa:.4f}", "theta": f"{theta:.3f}", "n": rows_of(d, kappa, theta)[1],
                "method": name, "kind": kind, "seeds": seeds, "successes": count,
                "low": f"{low:.3f}", "high": f"{high:.3f}",
            }  # fmt: skip
        done = done + 1 if found.all(axis=None) else 0
        if done == SURE:
            return


def halves(table):
    """The theta of every kind, overlap, method and d at which half of the repetitions succeed, by interpolation."""
    found = {}
    for key, own in table.groupby(["kind", "kappa", "method", "d"], sort=False):
        own = own.sort_values("theta")
        rate = np.maximum.accumulate((own["successes"] / own["seeds"]).to_numpy())
        theta, k = own["theta"].to_numpy(), int(np.searchsorted(rate, 0.5))
        if k == len(rate):
            found[key] = np.nan
        else:
            last = max(k - 1, 0)
            part = (0.5 - rate[last]) / (rate[k] - rate[last]) if k else 0.0
            found[key] = theta[last] + part * (theta[k] - theta[last])
    return pd.Series(found).rename_axis(["kind", "kappa", "method", "d"])


def behind(table, kind, name):
    """(method, kappa, d, theta, its successes, those of ``name``) where another method has clearly more: their
    intervals of 95 % do not meet."""
    own = table[table["kind"] == kind].set_index(["kappa", "d", "theta", "method"]).sort_index()
    lost = []
    for (kappa, d, theta), group in own.groupby(level=[0, 1, 2]):
        group = group.droplevel([0, 1, 2])
        for other in ("lasso", "l1/linf"):
            if group.loc[other, "low"] > group.loc[name, "high"]:
                lost.append((other, kappa, d, theta, group.loc[other, "successes"], group.loc[name, "successes"]))
    return lost


def report(rows, page):
    columns = ("theta", "kappa", "low", "high")
    table = pd.DataFrame(rows).astype(dict.fromkeys(columns, float))
    half, sizes = halves(table), sorted(table["d"].unique())
    points = table.groupby(["kappa", "d", "theta"]).ngroups
    for kind in KINDS:
        lines = []
        for kappa in table["kappa"].unique():
            for name in METHODS:
                at = [half.get((kind, kappa, name, d), np.nan) for d in sizes]
                theory = f"{THRESHOLDS[name](kappa):.2f}" if name in THRESHOLDS else ""
                at = ["> 4" if np.isnan(value) else f"{value:.2f}" for value in at]
                lines.append([f"{kappa:.2g}", name, theory, *at])
        heads = ["overlap", "method", "threshold", *(f"half, d = {d}" for d in sizes)]
        counts = []
        for name in RATIOS:
            lost = pd.DataFrame(behind(table, kind, name), columns=["other", "kappa", "d", "theta", "its", "own"])
            for other in ("lasso", "l1/linf"):
                counts.append([name, other, f"{(lost['other'] == other).sum()} of {points}"])
        text = markdown(["dirty model", "clearly behind", "points"], counts)
        put(page, kind, markdown(heads, lines) + "\n\n" + text)
    draw(table)


def draw(table):
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    kappas = list(table["kappa"].unique())
    figure, axes = plt.subplots(2, len(kappas), figsize=(4 * len(kappas), 6), sharex=True, sharey=True, squeeze=False)
    colours = dict(zip(METHODS, ("C0", "C1", "C2", "C3"), strict=True))
    styles = {128: ":", 256: "--", 512: "-"}
    for (row, kind), (column, kappa) in product(enumerate(KINDS), enumerate(kappas)):
        ax, shown = axes[row, column], table[(table["kappa"] == kappa) & (table["kind"] == kind)]
        for (name, d), own in shown.groupby(["method", "d"], sort=False):
            rate = own["successes"] / own["seeds"]
            ax.plot(own["theta"], rate, styles.get(d, "-"), color=colours[name], label=f"{name}, d = {d}")
        for name, threshold in THRESHOLDS.items():
            ax.axvline(threshold(kappa), color=colours[name], alpha=0.3, lw=3)
        ax.set(title=f"{kind}, overlap {kappa:.2g}")
    for ax in axes[-1]:
        ax.set_xlabel("n / (s log(d - (2 - overlap) s))")
    for ax in axes[:, 0]:
        ax.set_ylabel("found")
    axes[0, -1].legend(fontsize=6)
    figure.tight_layout()
    picture(figure, "evidence_transitions")
    plt.close(figure)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--overlaps", type=float, nargs="+", default=OVERLAPS)
    parser.add_argument("--thetas", type=float, nargs="+", default=THETAS)
    add_outputs(parser, "the tables and the picture")
    given = parser.parse_args(arguments)
    parts = (list(measured(d, kappa, given.thetas, given.seeds)) for d, kappa in product(given.sizes, given.overlaps))
    carry_out(given, parts, report)


if __name__ == "__main__":
    main()
