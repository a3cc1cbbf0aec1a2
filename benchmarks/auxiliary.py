"""Are the tasks found that help another one, is the gain that is reported honest, and do inputs help as targets?

    python -m benchmarks.auxiliary [--seeds 20] [--first 0] [--only PART ...] [--csv FILE]

x ~ N(0, I), models have norm 1 in mean square. Parts:

- half: select_auxiliary_tasks for a main task beside 5 related tasks, whose models correlate with its own at 0.96,
  and 5 unrelated ones; 60 rows each, 150 features.
- noise: the same beside 10 unrelated tasks.
- search: a twin that chooses its strength in every fit, beside 2 related and 2 unrelated tasks; 40 rows each, 30
  features.
- targets: one X; 3 features that say nearly what the main target says are not there at prediction time, and are left
  out, or become targets (features_as_targets).
- affinity: task_affinity of 4 + 4 tasks around two models; 40 rows each, 40 features.

The strength is the best one for a task alone, of which TaskRelationship leaves a ridge: sigma^2 / (n tau^2). That of
the targets is chosen by cross-validation. A true gain is what the risk of the main task (excess and noise) loses, for
fits to all samples; it takes no test samples.
"""

import argparse
import time

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score

import convexmtl as mtl

N, D, NOISE, SPREAD = 60, 150, 0.3, 0.2  # rows of a task, features, deviations of the noise and of related tasks


def drawn(rng, centre, n=N, d=D, noise=NOISE, spread=SPREAD):
    """(X, y, task, W): tasks around the models that ``centre`` (T,) numbers; with -1 unrelated to any."""
    T = len(centre)
    centres, own = rng.normal(size=(d, max(centre) + 2)), rng.normal(size=(d, T))
    near = np.sqrt(1 - spread**2) * centres[:, centre] + spread * own
    W = np.where(np.asarray(centre) >= 0, near, own) / np.sqrt(d)
    X, task = rng.normal(size=(T * n, d)), np.repeat(np.arange(T), n)
    return X, np.einsum("ij,ji->i", X, W[:, task]) + noise * rng.normal(size=T * n), task, W


def alone(n=N, d=D, noise=NOISE):
    """An estimator whose strength is the best one for a single task."""
    return mtl.TaskRelationshipRegressor(alpha=noise**2 * d / n)


def risk(model, position, w, noise):
    return float(np.sum((model.coef_[position] - w) ** 2) + model.intercept_[position] ** 2 + noise**2)


def selection(seed, related, n=N, d=D, others=10, estimator=None):
    centre = [0] * (1 + related) + [-1] * (others - related)
    X, y, task, W = drawn(np.random.default_rng(seed), centre, n, d)
    estimator = alone(n, d) if estimator is None else estimator
    found = mtl.select_auxiliary_tasks(estimator, X, y, 0, task=task)
    risks = []
    for helpers in ([], found.selected):
        some = np.isin(task, [0, *helpers])
        risks.append(risk(clone(estimator).fit(X[some], y[some], task=task[some]), 0, W[:, 0], NOISE))
    return {
        "related": sum(t <= related for t in found.selected),
        "unrelated": sum(t > related for t in found.selected),
        "inside": found.gains.sum(),
        "nested": found.nested_gain,
        "standard error": found.nested_standard_error,
        "true": 1 - risks[1] / risks[0],
    }


def targets(seed, n=40, d=20, noise=1.0):
    rng = np.random.default_rng(seed)
    X, w = rng.normal(size=(n, d)), rng.normal(size=(d, 1)) / np.sqrt(d)
    later = X @ (w + 0.3 * rng.normal(size=(d, 3)) / np.sqrt(d)) + 0.3 * rng.normal(size=(n, 3))
    y = (X @ w)[:, 0] + noise * rng.normal(size=n)
    left, Y = mtl.features_as_targets(np.column_stack([X, later]), y, [d, d + 1, d + 2])
    risks = []
    for target in (y[:, None], Y):
        risks.append(risk(mtl.TaskRelationshipRegressorCV(alphas=20).fit(left, target), 0, w[:, 0], noise))
    return {"true": 1 - risks[1] / risks[0]}


def affinity(seed):
    centre = [0] * 4 + [1] * 4
    X, y, task, _ = drawn(np.random.default_rng(seed), centre, n=40, d=40, noise=0.7)
    found = mtl.task_affinity(alone(40, 40, 0.7), X, y, task=task)
    same = np.equal.outer(centre, centre)
    other = same & ~np.eye(8, dtype=bool)
    return {
        "clusters": adjusted_rand_score(centre, found.cluster(2)),
        "within": found.matrix[other].mean(),
        "between": found.matrix[~same].mean(),
    }


PARTS = {
    "half": lambda seed: selection(seed, 5),
    "noise": lambda seed: selection(seed, 0),
    "search": lambda seed: selection(seed, 2, 40, 30, 4, mtl.TaskRelationshipRegressorCV(alphas=10, ratios=1, cv=3)),
    "targets": targets,
    "affinity": affinity,
}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--csv")
    args = parser.parse_args(argv)
    rows = []
    for part in args.only:
        for seed in range(args.first, args.first + args.seeds):
            begin = time.process_time()
            found = PARTS[part](seed)
            seconds = round(time.process_time() - begin, 2)
            rows.append({"part": part, "seed": seed, **found, "seconds": seconds})
            print(*(f"{k}={v:.3g}" if isinstance(v, float) else f"{k}={v}" for k, v in rows[-1].items()), flush=True)
    table = pd.DataFrame(rows)
    of_part = table.drop(columns="seed").groupby("part")
    print(of_part.mean().round(4).to_string(), of_part.sem().round(4).to_string(), sep="\n\n")
    if args.csv:
        table.round(6).to_csv(args.csv, index=False)


if __name__ == "__main__":
    main()
