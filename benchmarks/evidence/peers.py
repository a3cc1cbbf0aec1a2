"""Peers that came late to the race, paired with ours: seconds of the processor to a gap that is seen from outside.

    python -m benchmarks.evidence.peers --csv benchmarks/results/evidence_peers.csv --page docs/evidence/peers.md

Each solver goes down a ladder of its own tolerances to the loosest that reaches the gap, and is timed there again, all
solvers in turns, after a first call that does not count; of these runs the shortest is taken. A problem is drawn anew
for every seed, so that the ratios to ours have intervals (of their logarithms). BLAS has one thread.

Problems and solvers that the race has not are below: a tree of tasks, as one vector of coefficients with a tree in
which every feature has a branch (spams), several classes of one task (cyanure, adelie), and peers that hand on to
cvxpy (asgl) or to LAPACK (himalaya).
"""

import argparse
import logging
import time
import warnings
from dataclasses import replace
from functools import cached_property
from itertools import product

import numpy as np
import pandas as pd
from scipy import sparse
from threadpoolctl import threadpool_limits

import convexmtl as mtl

from ..race.benchmark_utils import data
from ..race.benchmark_utils.instance import Instance, make_instance, scaled
from ..race.benchmark_utils.solvers import SOLVER, Solver
from ._report import add_outputs, carry_out, interval, markdown, put

# --------------------------------------------------------------------------------------------- problems


class OfClasses(Instance):
    """One task of several classes, with a column of W for each."""

    @cached_property
    def shape(self):
        return self.X.shape[1], self.problem.tasks.n_tasks


def of_classes(name, seed, n, d, K, ratio):
    """l1/l2 softmax regression; the classes differ in a few features."""
    rng = np.random.default_rng(seed)
    W = np.zeros((d, K))
    W[: d // 10] = rng.standard_normal((d // 10, K))
    X = np.asfortranarray(rng.standard_normal((n, d)))
    y = np.argmax(X @ W + rng.gumbel(size=(n, K)), axis=1)[:, None]
    model = mtl.BlockSparseClassifier(fit_intercept=False)
    return OfClasses(name, "l1/l2 softmax", model.set_params(alpha=mtl.alpha_max(model, X, y) / ratio), X, y)


def in_a_tree(name, seed, n, d, T, ratio):
    """Tasks in pairs, pairs of pairs, and so on."""
    X, Y, _ = data.gaussian(n, d, T, seed=seed)
    sizes = 2 ** np.arange(int(np.log2(T)) + 1)
    tree = [(list(range(k, k + size)), 1.0) for size in sizes.tolist() for k in range(0, T, size)]
    model = mtl.TreeGuidedRegressor(alpha=1.0, tree=tree, fit_intercept=False)
    return Instance(name, "tree", scaled(model, mtl.alpha_max(model, X, Y) / ratio), X, Y)


def raced(family, draw, ratio):
    """A problem as the race has them; ``draw`` is a function of a seed."""
    return lambda name, seed: make_instance(name, draw(seed), family, ratio, fit_intercept=False)


def gaussian(family, n, d, T, ratio=20):
    return raced(family, lambda seed: data.gaussian(n, d, T, seed=seed), ratio)


def drawn(family, kind, n, d, T, ratio, **options):
    return raced(family, lambda seed: data.drawn(kind, T, n, d, seed=seed, layout="shared", **options), ratio)


PROBLEMS = {
    "l1/l2, 40 x 30 x 5": gaussian("l1/l2", 40, 30, 5),
    "l1/l2, 100 x 300 x 50": gaussian("l1/l2", 100, 300, 50),
    "l1/l2, 200 x 2000 x 20": gaussian("l1/l2", 200, 2000, 20),
    "l1/linf, 100 x 60 x 10": gaussian("l1/linf", 100, 60, 10),
    "l1/linf, 100 x 300 x 50": gaussian("l1/linf", 100, 300, 50),
    "sparse group, 40 x 30 x 5": gaussian("sparse group", 40, 30, 5),
    "sparse group, 100 x 300 x 50": gaussian("sparse group", 100, 300, 50),
    "trace norm, 100 x 30 x 10": drawn("trace norm", "low_rank", 100, 30, 10, 10, rank=2),
    "trace norm, 300 x 100 x 30": drawn("trace norm", "low_rank", 300, 100, 30, 10, rank=3),
    "tree, 60 x 50 x 8": lambda name, seed: in_a_tree(name, seed, 60, 50, 8, 20),
    "tree, 100 x 200 x 16": lambda name, seed: in_a_tree(name, seed, 100, 200, 16, 20),
    "softmax l1/l2, 200 x 50 x 5": lambda name, seed: of_classes(name, seed, 200, 50, 5, 10),
    "softmax l1/l2, 500 x 300 x 10": lambda name, seed: of_classes(name, seed, 500, 300, 10, 10),
    "logistic l1/l1, 200 x 50 x 5": drawn("l1/l1", "clustered", 200, 50, 5, 10, classification=True),
    "logistic l1/l1, 500 x 100 x 10": drawn("l1/l1", "clustered", 500, 100, 10, 10, classification=True),
    "ridge, 100 x 300 x 50": gaussian("ridge", 100, 300, 50),
    "ridge, 1000 x 100 x 50": gaussian("ridge", 1000, 100, 50),
}

# ---------------------------------------------------------------------------------------------- solvers


def softmax_of_cyanure(instance):
    from cyanure.estimators import Classifier

    X, y = np.ascontiguousarray(instance.X), instance.y[:, 0]
    options = {"loss": "multiclass-logistic", "penalty": "l1l2", "multi_class": "multinomial", "fit_intercept": False}

    def solve(tol):
        model = Classifier(lambda_1=instance.alpha, tol=tol, max_iter=100_000, verbose=False, **options).fit(X, y)
        W = np.asarray(model.coef_)
        return W if W.shape == instance.shape else W.T, None

    return solve


def softmax_of_adelie(instance):
    """Steps of Newton's method end by their own tolerance, and squares of what the others are told."""
    import adelie

    d, K = instance.shape
    Y = np.ascontiguousarray(np.eye(K)[instance.y[:, 0]])
    options = {"lmda_path": [instance.alpha / K], "penalty": np.ones(d), "intercept": False, "early_exit": False}
    most = {"max_iters": 10**7, "irls_max_iters": 10**5, "progress_bar": False}

    def solve(tol):
        found = adelie.grpnet(instance.X, adelie.glm.multinomial(Y), tol=tol**2, irls_tol=tol**2, **options, **most)
        return found.betas.toarray()[-1].reshape(d, K), None

    return solve


def forest(groups, T, d):
    """The tree that spams wants of one vector of coefficients, feature after feature: a branch for each below a root
    that costs nothing. Groups have to be of neighbours, and every task one of its own."""
    nodes = sorted(((min(members), len(members), weight) for members, weight in groups), key=lambda v: (v[0], -v[1]))

    def parent(i):
        holds = (k for k in range(i - 1, -1, -1) if nodes[i][0] + nodes[i][1] <= nodes[k][0] + nodes[k][1])
        return 1 + next(holds, -1)

    above, K = np.array([parent(i) for i in range(len(nodes))]), len(nodes)
    places = 1 + K * np.arange(d)[:, None] + np.arange(K)
    up = np.where(above == 0, 0, K * np.arange(d)[:, None] + above)
    ones, shape = np.ones(d * K, dtype=bool), (1 + d * K, 1 + d * K)
    first = np.array([begin for begin, _, _ in nodes])
    leaf = [size == 1 for _, size, _ in nodes]
    return {
        "eta_g": np.concatenate([[0.0], np.tile([weight for _, _, weight in nodes], d)]),
        "groups": sparse.csc_matrix((ones, (places.ravel(), up.ravel())), shape=shape),
        "own_variables": np.concatenate([[0], (T * np.arange(d)[:, None] + first).ravel()]).astype(np.int32),
        "N_own_variables": np.concatenate([[0], np.tile(leaf, d)]).astype(np.int32),
    }


def tree_of_spams(instance):
    import spams

    (d, T), n = instance.shape, len(instance.Y)
    tree = forest(instance.estimator.tree, T, d)
    X, y = sparse.csc_matrix(sparse.kron(instance.X, sparse.eye(T))), np.asfortranarray(instance.Y.reshape(-1, 1))
    options = {"loss": "square", "regul": "tree-l2", "lambda1": n * instance.alpha, "it0": 10, "numThreads": 1}

    def solve(tol):
        W = spams.fistaTree(y, X, np.zeros((d * T, 1), order="F"), tree, tol=tol, max_it=100_000, **options)
        return W.reshape(d, T), None

    return solve


def asgl(instance):
    """Of the block-diagonal X, whose groups are all of one size; its mean is over all samples, its loss without 1/2."""
    from asgl import Regressor

    d, T = instance.shape
    X, y = np.kron(np.eye(T), instance.X), instance.Y.ravel(order="F")
    share = instance.penalty.l1_ratio if instance.family == "sparse group" else 0.0
    alpha, groups = 2 * instance.alpha / T, np.tile(np.arange(d), T)
    norm = alpha * (1 - share) / np.sqrt(T)
    strength = {"lambda1": norm + alpha * share, "alpha": alpha * share / (norm + alpha * share)}

    def solve(tol):
        model = Regressor("lm", "sgl", fit_intercept=False, tol=1e-12, **strength).fit(X, y, group_index=groups)
        return model.coef_.reshape(T, d).T, None

    return solve


def himalaya(instance):
    from himalaya.ridge import Ridge

    X, n = np.ascontiguousarray(instance.X), len(instance.Y)
    options = {"solver_params": {"warn": False}, "fit_intercept": False}
    return lambda tol: (Ridge(n * instance.alpha, **options).fit(X, instance.Y).coef_, None)


def _family(*names):
    return lambda instance: instance.family in names


def _small(instance):
    return instance.family in ("l1/l2", "sparse group") and np.prod(instance.shape) < 1000


def _elsewhere(solver):
    """A solver of the race: ours is asked for all problems, the others for none of several classes."""
    if solver.name == "convexmtl":
        return solver
    return replace(solver, applies=lambda instance: not isinstance(instance, OfClasses) and solver.applies(instance))


RACED = ("convexmtl", "scikit-learn", "celer", "skglm", "adelie", "cyanure", "cyanure per task", "spams",
         "skglm, block-diagonal X", "scikit-learn liblinear per task", "LAPACK calls")  # fmt: skip
SOLVER = {
    **{name: _elsewhere(SOLVER[name]) for name in RACED},
    "cyanure, softmax": Solver(
        "cyanure, softmax", softmax_of_cyanure, _family("l1/l2 softmax"), "cyanure", "cyanure", 1e-2
    ),
    "adelie, softmax": Solver("adelie, softmax", softmax_of_adelie, _family("l1/l2 softmax"), "adelie", "adelie", 1e-2),
    "spams, tree": Solver("spams, tree", tree_of_spams, _family("tree"), "spams-bin", "spams", 1e-2),
    "asgl": Solver("asgl", asgl, _small, "asgl", "asgl", one_shot=True),
    "himalaya": Solver("himalaya", himalaya, _family("ridge"), "himalaya", "himalaya", one_shot=True),
}
TARGETS, RUNS = (1e-3, 1e-6, 1e-9), 3
FINEST, LIMIT = 1e-15, 5.0  # the last tolerance, and seconds on the way to it


def timed(solve, tol):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = time.process_time()
        found = solve(tol)
        return time.process_time() - start, found


def ladder(solver, instance, solve):
    """{target: the loosest tolerance that reaches it}"""
    reached, tol, spent = {}, solver.loosest, 0.0
    while tol >= FINEST and spent < LIMIT and len(reached) < len(TARGETS):
        seconds, found = timed(solve, tol)
        gap = instance.relative_gap(*found)
        spent += seconds
        for target in TARGETS:
            if gap <= target:
                reached.setdefault(target, tol)
        tol /= 10
    return reached


def measured(problem, seed, names=tuple(SOLVER)):
    """Yield a row per solver and target."""
    instance = PROBLEMS[problem](problem, seed)
    solvers = {}
    for name in names:
        solver = SOLVER[name]
        if solver.missing or not solver.applies(instance):
            continue
        solve = solver.prepare(instance)
        timed(solve, solver.loosest)
        solvers[name] = solve, ladder(solver, instance, solve)
    for target in TARGETS:
        best = dict.fromkeys(solvers, np.inf)
        for _, (name, (solve, reached)) in product(range(RUNS), solvers.items()):
            if target in reached:
                best[name] = min(best[name], timed(solve, reached[target])[0])
        for name, seconds in best.items():
            yield {
                "problem": problem, "seed": seed, "target": target, "solver": name,
                "seconds": f"{seconds:.5g}" if np.isfinite(seconds) else "", "times ours": times(best, name),
            }  # fmt: skip


def times(best, name):
    """How many times as long as ours."""
    seconds, ours = best[name], best["convexmtl"]
    return f"{seconds / ours:.4g}" if np.isfinite([seconds, ours]).all() else ""


def report(rows, page):
    table = pd.DataFrame(rows)
    table[["seconds", "times ours"]] = table[["seconds", "times ours"]].replace("", np.nan).astype(float)
    lines = []
    for (problem, name), own in table.groupby(["problem", "solver"], sort=False):
        cells = []
        for target in TARGETS:
            at = own[own["target"] == target]
            ratios = np.log(at["times ours"].dropna())
            if not len(ratios):
                cells.append("not reached")
                continue
            mean, half = interval(ratios)
            seconds = at["seconds"].median()
            around = "" if np.isnan(half) else " ({:.2g} to {:.2g})".format(*np.exp([mean - half, mean + half]))
            some = "" if len(ratios) == len(at) else f", {len(ratios)} of {len(at)}"
            cells.append(f"{seconds:.3g} s" if name == "convexmtl" else f"{np.exp(mean):.2g}{around}{some}")
        lines.append([problem, f"**{name}**" if name == "convexmtl" else name, own["seed"].nunique(), *cells])
    heads = ["problem", "solver", "seeds", *(f"to {target:g}" for target in TARGETS)]
    put(page, "table", markdown(heads, lines))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", nargs="+", default=list(PROBLEMS), choices=list(PROBLEMS), metavar="PROBLEM")
    parser.add_argument("--solvers", nargs="+", default=list(SOLVER), choices=list(SOLVER), metavar="SOLVER")
    add_outputs(parser, "the table")
    given = parser.parse_args(arguments)
    logging.disable(logging.WARNING)  # what cyanure has to say of every fit
    with threadpool_limits(1):
        steps = product(given.only, range(given.seeds))
        carry_out(given, (list(measured(*step, given.solvers)) for step in steps), report)


if __name__ == "__main__":
    main()
