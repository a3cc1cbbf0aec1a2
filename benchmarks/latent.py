"""Do models with latent clusters and trees of tasks find them, and what is that worth beside their convex relatives?

    python -m benchmarks.latent [--seeds 10] [--kinds numbers classes] [--csv FILE]
    python -m benchmarks.latent --real FOLDER [--sets mlmrev_exam school digits] [--splits 3] [--csv FILE]
    python -m benchmarks.latent --neighbors [--seeds 10] [--csv FILE]

24 tasks with 12 rows (classes: 40) and 6 features, x ~ N(0, I), noise of deviation 1, from

- equal clusters: three models, which tasks share exactly;
- loose clusters: three models, from which tasks differ by 0.4, and 4 features of tasks that say which, with noise of
  deviation 0.7;
- tree: four models in two pairs, from which tasks differ by 0.2;
- one cloud: N(m, I), where there is nothing to be found.

"agreement" is the adjusted Rand index of the clusters found (of a tree, cut where there are as many), and "excess" the
mean over the tasks of norm(w - w_true)^2 + (b - b_true)^2, which is what predictions lose on new samples; of classes,
the share of wrong signs. Strengths of the convex models are chosen by cross-validation, on the same samples.

FOLDER holds school.npz and mlmrev_exam.npz (X, y, task), of which 75% of the rows of every school train a model and the
others test it: pooled explained variance; and digits_usps_pca.npz (X, Y of 10 tasks, fold), errors on fold 2 of models
of fold 0.

Neighbours: 8 tasks of 60 rows and 6 or 20 features of unequal scale; even tasks depend on the square of one feature,
odd ones on another one, with noise of deviation 0.1. Squared errors on new rows, as shares of the variance of what is
true.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import fcluster
from sklearn.compose import make_column_transformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import convexmtl as mtl
from benchmarks._table import write
from convexmtl import relatives
from convexmtl.metrics import explained_variance
from convexmtl.model_selection import TaskShuffleSplit

T, D, NEW = 24, 6, 4000
REAL = ("mlmrev_exam", "school", "digits")
ROWS = {"numbers": 12, "classes": 40}
CLUSTERS = {"equal clusters": 3, "loose clusters": 3, "tree": 4, "one cloud": 1}


def drawn(data, rng):
    """(W (T, d), clusters (T,), features of tasks)."""
    K = CLUSTERS[data]
    codes = rng.permutation(np.arange(T) % K)
    U = rng.normal(size=(K, D)) * 1.5
    if data == "tree":
        U = rng.normal(size=(2, D))[np.arange(4) // 2] * 1.5 + 0.7 * rng.normal(size=(4, D))
    own = {"equal clusters": 0.0, "loose clusters": 0.4, "tree": 0.2, "one cloud": 1.0}[data]
    return U[codes] + own * rng.normal(size=(T, D)), codes, np.eye(4)[codes] + 0.7 * rng.normal(size=(T, 4))


def models(kind, K, features):
    suffix = "Regressor" if kind == "numbers" else "Classifier"
    cls = {name: getattr(relatives, name + suffix) for name in ("DirichletProcessTasks", "TaskMixture")}
    tree = getattr(relatives, "LatentHierarchy" + suffix)
    yield "alone", getattr(mtl.baselines, f"SingleTask{suffix}CV")(alphas=10)
    yield "MeanRegularized", getattr(mtl, f"MeanRegularized{suffix}CV")(alphas=10)
    yield "Clustered, learned", getattr(mtl, f"Clustered{suffix}CV")(n_clusters=max(K, 2), alphas=10)
    yield "DirichletProcessTasks", cls["DirichletProcessTasks"]()
    yield "TaskMixture", cls["TaskMixture"](max(K, 2))
    yield "TaskMixture, task features", cls["TaskMixture"](max(K, 2), task_features=features)
    yield "LatentHierarchy", tree()


def clusters_of(model, K):
    if hasattr(model, "linkage_"):
        return fcluster(model.linkage_, K, "maxclust")
    return getattr(model, "labels_", None)


def measured(seeds, kinds=tuple(ROWS), sets=tuple(CLUSTERS), wanted=None):
    rows = []
    for seed in seeds:
        for data in sets:
            for kind in kinds:
                rng = np.random.default_rng([seed, [*CLUSTERS].index(data)])
                W, codes, features = drawn(data, rng)
                n = ROWS[kind]
                X, task = rng.normal(size=(T * n, D)), np.repeat(np.arange(T), n)
                z = np.sum(X * W[task], axis=1)
                y = z + rng.normal(size=len(z)) if kind == "numbers" else rng.random(len(z)) < 1 / (1 + np.exp(-z))
                new = rng.normal(size=(NEW, D))
                for name, model in models(kind, CLUSTERS[data], features):
                    if wanted is not None and name not in wanted:
                        continue
                    begun = time.process_time()
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore", UserWarning)
                        warnings.simplefilter("ignore", ConvergenceWarning)
                        model.fit(X, y, task=task)
                    seconds = time.process_time() - begun
                    b = model.intercept_
                    if kind == "numbers":
                        excess = np.mean(np.sum((model.coef_ - W) ** 2, axis=1) + b**2)
                    else:
                        excess = np.mean(np.sign(new @ model.coef_.T + b) != np.sign(new @ W.T))
                    found = clusters_of(model, CLUSTERS[data])
                    agreement = np.nan if found is None else adjusted_rand_score(codes, found)
                    row = {"seed": seed, "data": data, "kind": kind, "model": name, "excess": excess}
                    row |= {"agreement": agreement, "clusters": np.nan if found is None else len(np.unique(found))}
                    starts, agreeing = np.size(getattr(model, "objectives_", 1)), getattr(model, "n_agreeing_", 1)
                    rows.append(row | {"starts that agree": agreeing / starts, "seconds": seconds})
    return rows


def summed(rows):
    """Means over the seeds; ``better than all convex``: with how many of them less is lost than by those."""
    table = pd.DataFrame(rows)
    keys = ["data", "kind", "model"]
    wide = table.pivot_table(index=["data", "kind", "seed"], columns="model", values="excess", sort=False)
    convex = wide.reindex(columns=["alone", "MeanRegularized", "Clustered, learned"]).min(axis=1)
    better = wide.lt(convex, axis=0).groupby(["data", "kind"]).sum()
    found = table.groupby(keys, sort=False).mean(numeric_only=True).drop(columns="seed").reset_index()
    found["better than all convex"] = [better.loc[(r.data, r.kind), r.model] for r in found.itertuples()]
    found["seeds"] = table["seed"].nunique()
    digits = {"excess": 4, "agreement": 3, "clusters": 1, "starts that agree": 2, "seconds": 2}
    return found.round(digits).to_dict("records")


def real(folder, splits, sets=REAL):
    """Rows of real sets."""
    rows = []
    for name in [name for name in sets if name != "digits"]:
        z = np.load(Path(folder) / f"{name}.npz")
        X, y, task = z["X"], z["y"], z["task"]
        split = TaskShuffleSplit(splits, test_size=0.25, random_state=0).split(X, y, groups=task)
        for seed, (train, test) in enumerate(split):
            scaler = StandardScaler().fit(X[train])
            given = scaler.transform(X[train]), y[train], {"task": task[train]}
            for model, fitted, seconds in _fitted("numbers", *given):
                score = explained_variance(
                    y[test], fitted.predict(scaler.transform(X[test]), task=task[test]), task=task[test]
                )
                rows.append(_row(name, model, fitted, seed, "explained variance", score, seconds))
    if "digits" not in sets:
        return rows
    z = np.load(Path(folder) / "digits_usps_pca.npz")
    X, Y, fold = z["X"], z["Y"], z["fold"]
    for model, fitted, seconds in _fitted("classes", X[fold == 0], Y[fold == 0], {}):
        error = np.mean(fitted.predict(X[fold == 2]) != Y[fold == 2])
        rows.append(_row("digits", model, fitted, 0, "error", error, seconds))
    return rows


def _fitted(kind, X, y, options):
    for name, model in models(kind, 3, None):
        if "task features" in name:
            continue
        begun = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            model.fit(X, y, **options)
        yield name, model, time.process_time() - begun


def _row(data, model, fitted, seed, what, score, seconds):
    clusters = len(np.unique(fitted.labels_)) if hasattr(fitted, "labels_") else ""
    row = {"data": data, "model": model, "split": seed, "what": what, "score": round(float(score), 4)}
    return row | {"clusters": clusters, "seconds": round(seconds, 2)}


def neighbors(seeds, n=60, n_tasks=8, new=200):
    """Rows of nearest neighbours with a metric that clusters of tasks share, beside others."""
    rows = []
    for seed in seeds:
        for d in (6, 20):
            rng = np.random.default_rng([seed, d])
            scale = np.append([1.0, 30.0], np.ones(d - 2))

            def drawn(n, rng=rng, d=d, scale=scale):
                X, task = rng.normal(size=(n * n_tasks, d)), np.arange(n * n_tasks) % n_tasks
                return X * scale, task, np.where(task % 2 == 0, X[:, 0] ** 2, 1.4 * X[:, 1])

            X, task, z = drawn(n)
            y = z + 0.1 * rng.normal(size=len(z))
            X_new, task_new, z_new = drawn(new)
            kernel = make_pipeline(
                make_column_transformer((StandardScaler(), slice(0, -1)), remainder="passthrough"),
                mtl.MultiTaskKernelRidgeCV(gammas=[0.01, 0.1, 1.0], alphas=8, task_column=-1),
            )
            fitted = {
                "TaskClusteringNeighbors": relatives.TaskClusteringNeighborsRegressor(random_state=seed),
                "neighbours of each task alone": [
                    make_pipeline(StandardScaler(), KNeighborsRegressor(5)).fit(X[task == t], y[task == t])
                    for t in range(n_tasks)
                ],
                "MultiTaskKernelRidgeCV": kernel.fit(np.column_stack([X, task]), y),
            }
            for name, model in fitted.items():
                agreement = ""
                if isinstance(model, list):
                    found = np.empty(len(z_new))
                    for t, own in enumerate(model):
                        found[task_new == t] = own.predict(X_new[task_new == t])
                elif name == "MultiTaskKernelRidgeCV":
                    found = model.predict(np.column_stack([X_new, task_new]))
                else:
                    found = model.fit(X, y, task=task).predict(X_new, task=task_new)
                    agreement = round(adjusted_rand_score(np.arange(n_tasks) % 2, model.labels_), 3)
                error = round(float(np.mean((found - z_new) ** 2) / z_new.var()), 4)
                rows.append({"features": d, "model": name, "seed": seed, "error": error, "agreement": agreement})
    return rows


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real")
    parser.add_argument("--neighbors", action="store_true")
    parser.add_argument("--sets", nargs="+", default=[*REAL], choices=REAL)
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--kinds", nargs="+", default=[*ROWS], choices=[*ROWS])
    parser.add_argument("--csv")
    options = parser.parse_args(arguments)
    if options.neighbors:
        rows = neighbors(range(options.seeds))
    elif options.real:
        rows = real(options.real, options.splits, options.sets)
    else:
        rows = summed(measured(range(options.seeds), options.kinds))
    print(pd.DataFrame(rows).to_string(index=False))
    write(options.csv, rows)


if __name__ == "__main__":
    main()
