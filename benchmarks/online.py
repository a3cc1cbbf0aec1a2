"""Do online learners lose less with related tasks, and learned relations less than given ones that are wrong?

    python -m benchmarks.online [--seeds 10] [--csv FILE]

Streams of 3,000 rounds from 12 tasks with 20 features, x ~ N(0, I), models of length sqrt(20):

- one model: the tasks' models are one, and of their own 0.3 of that; 0.1; 0.
- two signs: every other task has the opposite model. The given relation, that all are near their mean, is wrong.
- three clusters, two directions (W of rank 2), unrelated.
- chain: models drift from task to task; given is a chain of the tasks in another order.

Of the classifier, labels are flipped with probability 0.05, and mistakes counted; of the regressor the noise has
deviation 0.5, and squared errors are summed. "second half" is that of the rounds. Learners: every task alone,
the given relations, and those learned from there, or from none, in three ways; "true" knows the relations of the
models.
"""

import argparse
import time
from functools import partial

import numpy as np
import pandas as pd

from benchmarks._table import write
from convexmtl import GraphLaplacian, MeanCoupling, TaskCoupling
from convexmtl.relatives import OnlineMultiTaskClassifier, OnlineMultiTaskRegressor

T, D, N = 12, 20, 3000
MEAN = MeanCoupling(1.0, 1.0 + T)


def one(rng, spread):
    return rng.normal(size=D) + spread * rng.normal(size=(T, D))


def two_signs(rng):
    return np.resize([1, -1], T)[:, None] * rng.normal(size=D) + 0.3 * rng.normal(size=(T, D))


def clusters(rng):
    return rng.normal(size=(3, D))[np.arange(T) % 3] + 0.3 * rng.normal(size=(T, D))


def directions(rng):
    return rng.normal(size=(T, 2)) @ rng.normal(size=(2, D)) / np.sqrt(2) + 0.3 * rng.normal(size=(T, D))


def chain(rng):
    steps = rng.normal(size=(T, D))
    W = np.empty((T, D))
    W[0] = steps[0]
    for t in range(1, T):
        W[t] = 0.9 * W[t - 1] + np.sqrt(1 - 0.81) * steps[t]
    return W[ORDER]


ORDER = np.argsort(np.sin(7.0 * np.arange(T)))
CHAIN = GraphLaplacian([(t, t + 1) for t in range(T - 1)], 10.0) + MeanCoupling(float(T), float(T))
STREAMS = {
    "one model": (partial(one, spread=0.3), MEAN),
    "one model, nearly": (partial(one, spread=0.1), MEAN),
    "one model, exactly": (partial(one, spread=0.0), MEAN),
    "two signs": (two_signs, MEAN),
    "three clusters": (clusters, MEAN),
    "two directions": (directions, MEAN),
    "chain": (chain, CHAIN),
    "unrelated": (lambda rng: rng.normal(size=(T, D)), MEAN),
}
LEARNERS = {
    "alone": {},
    "fixed": {},
    "covariance": {"relations": "covariance"},
    "logdet": {"relations": "logdet"},
    "von Neumann": {"relations": "von_neumann"},
    "covariance, nothing given": {"relations": "covariance"},
    "logdet, nothing given": {"relations": "logdet"},
    "von Neumann, nothing given": {"relations": "von_neumann"},
    "true": {},
}


def _coupling(learner, given, W):
    """That of a learner; the true one is the inverse of the root of W'W, with a little of the identity."""
    if learner == "alone" or learner.endswith("nothing given"):
        return MeanCoupling(1.0, 1.0)
    if learner != "true":
        return given
    values, vectors = np.linalg.eigh(W @ W.T)
    root = np.sqrt(np.maximum(values, 0)) + 0.01 * np.sqrt(values[-1])
    return TaskCoupling((vectors / root) @ vectors.T)


def measured(seeds, n=N, streams=tuple(STREAMS)):
    rows = []
    for seed in seeds:
        for stream in streams:
            models, given = STREAMS[stream]
            rng = np.random.default_rng([seed, [*STREAMS].index(stream)])
            W = models(rng)
            W *= np.sqrt(T * D) / np.linalg.norm(W)
            X, task = rng.normal(size=(n, D)), rng.integers(0, T, n)
            z = np.sum(X * W[task], axis=1)
            flipped = rng.random(n) < 0.05
            targets = {"classes": (z > 0) != flipped, "numbers": z + 0.5 * rng.normal(size=n)}
            for learner, parameters in LEARNERS.items():
                for kind, cls in (("classes", OnlineMultiTaskClassifier), ("numbers", OnlineMultiTaskRegressor)):
                    begun = time.process_time()
                    model = cls(_coupling(learner, given, W), fit_intercept=False, **parameters)
                    model.partial_fit(X, targets[kind], task=task, tasks=range(T))
                    lost = model.mistakes_ if kind == "classes" else model.squared_errors_
                    row = {"seed": seed, "stream": stream, "kind": kind, "learner": learner}
                    row |= {"lost": float(lost.sum()), "second half": float(lost[n // 2 :].sum())}
                    rows.append(row | {"seconds": time.process_time() - begun})
    return rows


def summed(rows):
    """Means over the seeds; ``better``: with how many of them less is lost than with the given relations."""
    table = pd.DataFrame(rows)
    keys = ["stream", "kind", "learner"]
    wide = table.pivot_table(index=["stream", "kind", "seed"], columns="learner", values="lost", sort=False)
    better = wide.lt(wide["fixed"], axis=0).groupby(["stream", "kind"]).sum()
    found = table.groupby(keys, sort=False)[["lost", "second half", "seconds"]].mean().reset_index()
    found["better than fixed"] = [better.loc[(r.stream, r.kind), r.learner] for r in found.itertuples()]
    found["seeds"] = table["seed"].nunique()
    return found.round({"lost": 1, "second half": 1, "seconds": 4}).to_dict("records")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--csv")
    options = parser.parse_args(arguments)
    rows = summed(measured(range(options.seeds)))
    table = pd.DataFrame(rows).pivot_table(index=["kind", "stream"], columns="learner", values="lost", sort=False)
    print(table.round(0).to_string())
    write(options.csv, rows)


if __name__ == "__main__":
    main()
