"""What a search over families is worth, and what falling back to baselines task by task adds to it or takes away.

    python -m benchmarks.auto [FOLDER] [--seeds 10] [--only NAME ...] [--families NAME ...] [--jobs 2] [--csv FILE]
    python -m benchmarks.auto --leaderboard [--jobs 2] [--csv FILE]

Everything is nested: the search sees the training part only, and what it has chosen is tested on the rest. On drawn
data of four structures, with all tasks alike and with three of twenty that are not (their models are drawn for
themselves), the test losses are exact; on Exam, and on the .npz files of FOLDER (as ``benchmarks.families`` reads them,
up to 200 features), 20 rows of every task are trained on (200 where all tasks have one X), one random part per seed,
and at most 200 of every task are tested. Losses are means over the tasks: squared errors of targets of unit variance,
log-losses of labels. By default five families take part, on paths of 10 strengths: the others take most of the time.

With --leaderboard: that of all Exam, by a search at its defaults, and the seconds that it takes.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

import convexmtl as mtl
from convexmtl import baselines, datasets

from .families import read

STRUCTURES = ("block_sparse", "low_rank", "clustered", "mean_related")
N_TASKS, N_ROWS, N_FEATURES, N_OUTLIERS = 20, 20, 15, 3
FAMILIES = ("BlockSparse", "Clustered", "MeanRegularized", "RobustFeature", "TraceNorm")
ALPHAS = 10
BASELINES = ("SingleTask", "Pooled")
TRAIN, TRAIN_SHARED, TEST, MOST_FEATURES = 20, 200, 200, 200


class Part:
    """Training data, and the losses on the tasks of whatever is fitted to them: ``losses(coef, intercept)`` -> (T,)."""

    def __init__(self, X, y, task, losses, classify=False):
        self.X, self.y, self.losses, self.classify = X, y, losses, classify
        self.given = {} if task is None else {"task": task}

    def tested(self, model):
        return self.losses(model.coef_, model.intercept_)


def drawn(structure, n_outliers, seed):
    """As the generator has it but for the models of some tasks; x ~ N(0, I), so that losses are known exactly."""
    size = {"n_tasks": N_TASKS, "n_samples": N_ROWS, "n_features": N_FEATURES}
    generate = getattr(datasets, f"make_{structure}")
    X, y, task, W, *_ = generate(**size, layout="stacked", random_state=seed)
    noise = np.var(y - np.sum(X * W[:, task].T, axis=1))
    rng, models = np.random.default_rng(seed), W.copy()
    others = rng.choice(N_TASKS, n_outliers, replace=False)
    models[:, others] = rng.standard_normal((N_FEATURES, n_outliers))
    models[:, others] *= np.sqrt(np.mean(np.sum(W**2, axis=0))) / np.linalg.norm(models[:, others], axis=0)
    y = y + np.sum(X * (models - W)[:, task].T, axis=1)
    unit = np.var(y)

    def losses(coef, intercept):
        return (np.sum((coef.T - models) ** 2, axis=0) + intercept**2 + noise) / unit

    return Part(X, y / np.sqrt(unit), task, lambda coef, b: losses(coef * np.sqrt(unit), b * np.sqrt(unit)))


def split(X, y, task, classify, seed):
    """A random part of real data for training, another one for the test; features and targets of unit variance."""
    rng = np.random.default_rng(seed)
    if task is None:
        order = rng.permutation(len(X))
        train, test = order[:TRAIN_SHARED], order[TRAIN_SHARED : TRAIN_SHARED + TEST]
        if classify:
            seen = [len(np.unique(column[~np.isnan(column)])) == 2 for column in y[train].T]
            y = y[:, seen]
    else:
        task = np.unique(task, return_inverse=True)[1]
        order = rng.permutation(len(X))
        place = np.empty(len(X), dtype=int)
        for t in range(task.max() + 1):
            own = order[task[order] == t]
            place[own] = np.arange(len(own))
        sizes = np.bincount(task)[task]
        # (Of small tasks half is kept for the test.)
        n_train = np.minimum(TRAIN, sizes // 2)
        kept = sizes >= 4
        train = np.flatnonzero(kept & (place < n_train))
        test = np.flatnonzero(kept & (place >= n_train) & (place < n_train + TEST))
    scaler = StandardScaler().fit(X[train])
    X = scaler.transform(X)
    if not classify:
        y = (y - np.nanmean(y[train], axis=0)) / np.nanstd(y[train], axis=0)
    labels = None if task is None else np.unique(task[train])

    def losses(coef, intercept):
        Z = X[test] @ coef.T + intercept
        Y = y[test]
        if task is not None:
            codes = np.searchsorted(labels, task[test])
            Z, Y = Z[np.arange(len(test)), codes], Y
        error = np.logaddexp(0, (1 - 2 * Y) * Z) if classify else (Y - Z) ** 2
        if task is None:
            return np.nanmean(error, axis=0)
        return np.bincount(codes, error) / np.bincount(codes)

    own = None if task is None else task[train]
    return Part(X[train], y[train], own, losses, classify)


def sets(folder):
    """{name: function of a seed that makes a Part}."""
    found = {}
    for structure in STRUCTURES:
        found[structure] = lambda seed, s=structure: drawn(s, 0, seed)
        found[f"{structure}, outliers"] = lambda seed, s=structure: drawn(s, N_OUTLIERS, seed)
    exam = datasets.load_exam()
    found["exam"] = lambda seed: split(exam.data, exam.target, exam.task, False, seed)
    for file in sorted(Path(folder).glob("*.npz")) if folder else ():
        X, y, task, classify = read(file)
        if "exam" not in file.stem and X.shape[1] <= MOST_FEATURES:
            found[file.stem] = lambda seed, a=(X, y, task, classify): split(*a, seed)
    return found


def measured(name, seed, part, families, jobs):
    """One row of the table."""
    kind = "Classifier" if part.classify else "Regressor"
    options = {"n_jobs": jobs, "cv": 5}
    begin = time.perf_counter()
    auto = getattr(mtl, f"AutoMultiTask{kind}")(families, per_task=True, alphas=ALPHAS, **options)
    auto.fit(part.X, part.y, **part.given)
    seconds = time.perf_counter() - begin
    alone, one = (getattr(baselines, f"{b}{kind}CV")(**options).fit(part.X, part.y, **part.given) for b in BASELINES)
    plain, fallen = part.tested(auto.best_estimator_), part.tested(auto)
    switched = auto.task_families_ != auto.best_family_
    gain = (plain - fallen)[switched]
    board = auto.leaderboard_
    return {
        "data": name,
        "seed": seed,
        "tasks": len(auto.tasks_),
        "rows": len(part.X),
        "best": auto.best_family_,
        "leaderboard": board["loss"].iloc[0],
        "standard error": board["standard_error"].iloc[0],
        "test": plain.mean(),
        "test, per task": fallen.mean(),
        "single-task": part.tested(alone).mean(),
        "pooled": part.tested(one).mean(),
        "fallen back": int(switched.sum()),
        "of these better": int((gain > 0).sum()),
        "gain of these": gain.mean() if len(gain) else np.nan,
        "seconds": seconds,
    }


def report(table):
    """Print means over the seeds, and in how many of them falling back was better and worse."""
    groups = table.groupby("data", sort=False)
    change = 100 * (table["test, per task"] / table["test"] - 1)
    summary = groups[["leaderboard", "test", "test, per task", "single-task", "pooled"]].mean().round(4)
    summary["best"] = groups["best"].agg(lambda names: names.value_counts().index[0])
    summary["optimism %"] = (100 * (table["test"] / table["leaderboard"] - 1)).groupby(table["data"]).mean().round(1)
    summary["per task, change %"] = change.groupby(table["data"]).mean().round(2)
    summary["seeds better"] = (change < 0).groupby(table["data"]).sum()
    summary["seeds worse"] = (change > 0).groupby(table["data"]).sum()
    summary["fallen back"] = (groups["fallen back"].sum() / groups["tasks"].sum()).round(2)
    summary["of these better"] = (groups["of these better"].sum() / groups["fallen back"].sum()).round(2)
    summary["seconds"] = groups["seconds"].median().round(1)
    print(summary.to_string())


def whole_exam(jobs):
    """The leaderboard of a search at its defaults on all of Exam, with the seconds of all of it."""
    exam = datasets.load_exam()
    begin = time.perf_counter()
    auto = mtl.AutoMultiTaskRegressor(n_jobs=jobs).fit(exam.data, exam.target, task=exam.task)
    return auto.leaderboard_.assign(**{"seconds of all": time.perf_counter() - begin})


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--only", nargs="+", metavar="NAME")
    parser.add_argument("--families", nargs="+", metavar="NAME", default=FAMILIES)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--leaderboard", action="store_true")
    parser.add_argument("--csv", metavar="FILE")
    args = parser.parse_args(arguments)
    if args.leaderboard:
        table = whole_exam(args.jobs)
        print(table.to_string())
        if args.csv:
            table.to_csv(args.csv, index=False, float_format="%.5g")
        return
    rows = []
    for name, make in sets(args.folder).items():
        if args.only and name not in args.only:
            continue
        for seed in range(args.seeds):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                rows.append(measured(name, seed, make(seed), args.families, args.jobs))
            print(*(f"{v:.4g}" if isinstance(v, float) else v for v in rows[-1].values()), sep="  ", flush=True)
            if args.csv:
                pd.DataFrame(rows).to_csv(args.csv, index=False, float_format="%.5g")
    report(pd.DataFrame(rows))


if __name__ == "__main__":
    main()
