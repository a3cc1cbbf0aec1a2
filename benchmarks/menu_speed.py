"""Seconds to a certified answer for every model of the menu, beside accelerated proximal gradient and cvxpy.

    python -m benchmarks.menu_speed [--tasks 20 --features 200 --samples 50] [--limit 600] [--csv FILE]

Every model on data of its own generator (every task has its own X), at a tenth and a thirtieth of its alpha_max, until
the gap is 1e-6 of the objective at W = 0. "apg" is FISTA as in the textbook, one step 1/L for all of W, on the same
compiled proxes and, where they are cheaper, Gram matrices; it looks at the gap every ten iterations and what it takes
to do so is not counted. cvxpy gets the textbook definition of the penalty, for Clarabel with tolerances of 1e-6; it is
stopped after ``--limit`` seconds, and then its seconds are a lower bound. 0 leaves it out.
"""

import argparse
import multiprocessing
import time
import warnings

import numpy as np
import pandas as pd

import convexmtl as mtl
from convexmtl import datasets, reference
from convexmtl.certificate import duality_gap
from convexmtl.solvers import solve
from convexmtl.solvers.proximal_gradient import _smooth_part

TOL = 1e-6
MOST = 50_000  # iterations of proximal gradient


def models(T):
    """Yield (name, generator, options of it, estimator for the rest of what it returns)."""
    few, low = datasets.make_block_sparse, datasets.make_low_rank
    outliers = datasets.make_outlier_tasks
    yield "SparseGroup", few, {}, lambda *_: mtl.SparseGroupRegressor(1.0)
    yield "TaskRelationship", datasets.make_task_relationships, {}, lambda *_: mtl.TaskRelationshipRegressor(1.0)
    yield "SharedFeature", low, {}, lambda *_: mtl.SharedFeatureRegressor(1.0)
    yield "SharedStructure", low, {}, lambda *_: mtl.SharedStructureRegressor(1.0, eta=0.1, n_components=3)
    for norm in ("l1", "l2"):
        yield (
            f"GraphGuided {norm}",
            datasets.make_graph_guided,
            {},
            lambda edges, norm=norm: mtl.GraphGuidedRegressor(edges, 1.0, norm, alpha_sparse=1.0),
        )
    yield "TreeGuided", datasets.make_tree_guided, {}, lambda tree: mtl.TreeGuidedRegressor(tree, 1.0)
    for norm in ("l1", "l2"):
        yield (
            f"Temporal {norm}",
            datasets.make_temporal,
            {"norm": norm},
            lambda *_, norm=norm: mtl.TemporalRegressor(1.0, norm, alpha_sparse=0.1, alpha_group=1.0),
        )
    yield "RobustLowRank", outliers, {}, lambda *_: mtl.RobustLowRankRegressor(T**0.25, 1.0)
    yield "RobustFeature", outliers, {"structure": "block_sparse"}, lambda *_: mtl.RobustFeatureRegressor(1.0, 1.0)
    yield "SparseLowRank", low, {}, lambda *_: mtl.SparseLowRankRegressor(1.0, T**0.25 * 2)


def fista(problem):
    """(seconds, iterations) of accelerated proximal gradient to the gap; None where MOST of them do not suffice."""
    terms, threshold, K = problem.penalty.terms, problem.threshold(TOL), problem.penalty.n_parts
    start = time.perf_counter()
    smooth = _smooth_part(problem)
    L = K * smooth.bound()
    X = np.stack(problem.zeros())
    Y, momentum, aside = X.copy(), 1.0, 0.0
    for i in range(MOST):
        gradient = smooth(Y.sum(axis=0))[1]
        new = np.stack([term.prox(Y[k] - gradient / L, 1 / L) for k, term in enumerate(terms)])
        following = 0.5 * (1 + np.sqrt(1 + 4 * momentum**2))
        X, Y, momentum = new, new + (momentum - 1) / following * (new - X), following
        if i % 10 == 9:
            look = time.perf_counter()
            gap = duality_gap(problem, tuple(X)).gap
            aside += time.perf_counter() - look
            if gap <= threshold:
                return time.perf_counter() - start - aside, i + 1
    return None, MOST


def _ask(estimator, X, y, task, queue):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = time.perf_counter()
        asked = reference.fit(estimator, X, y, task=task, tol_gap_abs=TOL, tol_gap_rel=TOL, tol_feas=TOL)
        queue.put((time.perf_counter() - start, asked.objective))


def cvxpy_seconds(estimator, X, y, task, limit):
    """(seconds, objective or None); in a process of its own, which can be stopped."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_ask, args=(estimator, X, y, task, queue))
    process.start()
    try:
        return queue.get(timeout=limit)
    except Exception:
        return limit, None
    finally:
        process.kill()
        process.join()


def rows(T, d, n, limit, only):
    for name, make, options, build in models(T):
        if only and name not in only:
            continue
        X, y, task, _, *extra = make(n_samples=n, n_features=d, n_tasks=T, random_state=0, **options)
        estimator = build(*extra).set_params(tol=TOL)
        top = mtl.alpha_max(estimator, X, y, task=task)
        for ratio in (10, 30):
            strengths = top if isinstance(top, dict) else {"alpha": top}
            estimator.set_params(**{key: value / ratio for key, value in strengths.items()})
            seconds = []
            for _ in range(4):
                start = time.perf_counter()
                estimator.fit(X, y, task=task)
                seconds.append(time.perf_counter() - start)
            ours = float(np.median(seconds[1:]))
            problem = estimator._formulate(X, y, task=task).problem
            # What the data keep is made for both.
            solve(problem, tol=TOL)
            apg, n_apg = fista(problem) if problem.penalty.terms else (np.nan, 0)
            problem_value, at_zero = estimator.objective_, problem.data.trivial[0]
            asked, objective = cvxpy_seconds(estimator, X, y, task, limit) if limit else (np.nan, None)
            yield {
                "model": name, "T": T, "d": d, "n": n, "ratio": ratio, "iterations": estimator.n_iter_,
                "seconds": f"{ours:.4g}", "gap": f"{estimator.dual_gap_ / at_zero:.1e}",
                "apg": "" if apg is None else f"{apg:.4g}", "apg iterations": n_apg,
                "apg / ours": f"> {MOST} iterations" if apg is None else f"{apg / ours:.2f}",
                "cvxpy": f"{asked:.4g}",
                "cvxpy / ours": f"{'> ' if limit and objective is None else ''}{asked / ours:.1f}",
                "above cvxpy": "" if objective is None else f"{(problem_value - objective) / at_zero:.1e}",
            }  # fmt: skip


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=20)
    parser.add_argument("--features", type=int, default=200)
    parser.add_argument("--samples", type=int, default=50)
    parser.add_argument("--limit", type=float, default=600)
    parser.add_argument("--only", nargs="+", metavar="MODEL")
    parser.add_argument("--csv", metavar="FILE", help="where the results go")
    chosen = parser.parse_args(arguments)
    table = []
    for row in rows(chosen.tasks, chosen.features, chosen.samples, chosen.limit, chosen.only):
        table.append(row)
        print(row, flush=True)
        if chosen.csv:
            pd.DataFrame(table).to_csv(chosen.csv, index=False)


if __name__ == "__main__":
    main()
