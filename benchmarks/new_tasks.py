"""Schools that arrive after a fit: learned from few pupils and what the others share, beside learned alone.

    python -m benchmarks.new_tasks [--seeds 3] [--only NAME ...] [--folds N] [--csv FILE]

The 65 schools of the Exam data, five of them held out at a time. Every family that needs no structure from its user is
searched on the other 60 at its defaults (features scaled by all rows of these). Then 5, 10 or 20 pupils of a held-out
school are drawn, by seed, and the rest of its pupils, at least 5, are predicted. One row per family and number of
pupils, mean squared errors over the held-out schools and the seeds, every school counting the same (exam scores have
variance 1):

new                 ``fit_new_task``, the 60 schools held
alone               ridge regression on the pupils of that school, its strength by leaving out one at a time
constant            the mean of the pupils' scores
unseen              no pupil used: the mean of the 60 models, as by ``unseen_task="mean"``
joint               all 61 schools fitted anew at the same strengths
better than alone   share of schools and seeds in which new has the smaller error
gain, se            alone less new, and its standard error over schools (each the mean over its seeds)
unconverged         fits of new that have not reached their tolerance
milliseconds        of one call of ``fit_new_task``, median
"""

import argparse
import time
import warnings

import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeCV
from sklearn.preprocessing import StandardScaler

import convexmtl as cm
from convexmtl.datasets import load_exam

FAMILIES = [
    "BlockSparse",
    "SparseGroup",
    "Dirty",
    "TraceNorm",
    "MeanRegularized",
    "Clustered",
    "TaskRelationship",
    "SharedFeature",
    "SharedStructure",
    "RobustLowRank",
    "RobustFeature",
    "SparseLowRank",
]
SIZES = (5, 10, 20)
HELD_OUT, TESTED = 5, 5


def chosen(name, X, y, task):
    """The family at the strengths that its search on these tasks finds, fitted to them."""
    twin = getattr(cm, f"{name}RegressorCV")()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return twin.fit(X, y, task=task)


def error(predicted, y):
    return float(np.mean((predicted - y) ** 2))


def of_school(model, old, new, n, seed):
    """Errors of one held-out school; ``old`` and ``new`` are (X, y, task)."""
    X, y, task = new
    order = np.random.default_rng(seed).permutation(len(y))
    few, rest = order[:n], order[n:]
    label = task[0].item()
    begin = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        longer = cm.fit_new_task(model, X[few], y[few], label)
    seconds = time.perf_counter() - begin
    both = [np.concatenate([before, after[few]]) for before, after in zip(old, new, strict=True)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        joint = cm.MultiTaskRegressor(model._penalty()).fit(*both[:2], task=both[2])
    mean = X[rest] @ model.coef_.mean(axis=0) + model.intercept_.mean()
    alone = RidgeCV(np.logspace(-2, 4, 25)).fit(X[few], y[few])
    labels = np.full(len(rest), label)
    return {
        "new": error(longer.predict(X[rest], task=labels), y[rest]),
        "alone": error(alone.predict(X[rest]), y[rest]),
        "constant": error(y[few].mean(), y[rest]),
        "unseen": error(mean, y[rest]),
        "joint": error(joint.predict(X[rest], task=labels), y[rest]),
        "unconverged": len(caught),
        "milliseconds": 1e3 * seconds,
    }


def measured(name, exam, seeds, folds=None):
    """One row per held-out school, number of pupils and seed."""
    schools, sizes = np.unique(exam.task, return_counts=True)
    # (Schools are numbered by no rule, but neighbours in number may be in place.)
    parts = np.array_split(np.random.default_rng(0).permutation(schools), len(schools) // HELD_OUT)
    rows = []
    for held in parts[:folds]:
        out = np.isin(exam.task, held)
        scaler = StandardScaler().fit(exam.data[~out])
        X = scaler.transform(exam.data)
        old = X[~out], exam.target[~out], exam.task[~out]
        model = chosen(name, *old)
        for school in held.tolist():
            own = exam.task == school
            new = X[own], exam.target[own], exam.task[own]
            for n in SIZES:
                if n + TESTED > sizes[schools == school][0]:
                    continue
                for seed in range(seeds):
                    rows.append({"n": n, "school": school, **of_school(model, old, new, n, seed)})
    return pd.DataFrame(rows)


def summary(name, rows):
    """One row per number of pupils."""
    out = []
    for n, some in rows.groupby("n"):
        by_school = some.assign(gain=some["alone"] - some["new"]).groupby("school").mean()
        errors = {kind: round(by_school[kind].mean(), 4) for kind in ("new", "alone", "constant", "unseen", "joint")}
        out.append(
            {
                "family": name,
                "pupils": n,
                "schools": len(by_school),
                **errors,
                "better than alone": round(float(np.mean(some["new"] < some["alone"])), 3),
                "gain": round(by_school["gain"].mean(), 4),
                "se": round(by_school["gain"].std(ddof=1) / np.sqrt(len(by_school)), 4),
                "unconverged": int(some["unconverged"].sum()),
                "milliseconds": round(some["milliseconds"].median(), 1),
            }
        )
    return out


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=FAMILIES)
    parser.add_argument("--folds", type=int, help="how many times five schools are held out; all 13 by default")
    parser.add_argument("--csv")
    args = parser.parse_args(argv)
    exam, table = load_exam(), []
    for name in args.only or FAMILIES:
        found = summary(name, measured(name, exam, args.seeds, args.folds))
        table += found
        for row in found:
            print("  ".join(f"{key} {value}" for key, value in row.items()), flush=True)
        if args.csv:
            pd.DataFrame(table).to_csv(args.csv, index=False)


if __name__ == "__main__":
    main()
