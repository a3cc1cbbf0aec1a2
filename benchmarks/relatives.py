"""The relatives beside their convex siblings: on data of the relative's own model, and on tasks that share nothing.

    python -m benchmarks.relatives models --csv benchmarks/results/relatives.csv
    python -m benchmarks.relatives subspaces --csv benchmarks/results/relatives_subspaces.csv
    python -m benchmarks.relatives mixed FOLDER --csv benchmarks/results/relatives_mixed.csv
    python -m benchmarks.relatives school FOLDER --csv benchmarks/results/relatives_school.csv
    python -m benchmarks.relatives groups

``models``: 24 tasks of 12 features in ten draws, n rows for each task. "own" truths are drawn from what the relative
assumes, "none" from independent normal coefficients of the same size. Of both, strengths are chosen on the same rows
(as many as for training, drawn anew), from four values each; measured is R^2 of the truth, without noise, on features
of variance 1, and of clusters or supports how well they are found (adjusted Rand index, F1).

``subspaces``: groups of tasks, each with two directions of its own, for several sizes: GroupedSubspaces, one group, and
the same model told the groups, strengths of each chosen like that; and by how much its objective is smaller than that
of the true groups at the same strength.

``mixed``: statsmodels' MixedLM on the Exam data (mlmrev_exam.npz in FOLDER), where it is installed. ``school``: the ten
splits of school.npz, as in benchmarks/school.py. ``groups``: seconds for 125,000 groups of ten rows.
"""

import argparse
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import adjusted_rand_score, f1_score
from sklearn.preprocessing import StandardScaler

import convexmtl as mtl
from convexmtl import relatives

from ._table import write
from .school import scores

T, D, SEEDS = 24, 12, 10
STRENGTHS = (0.01, 0.03, 0.1, 0.3)


# --------------------------------------------------------------------------------------------- truths


def few_models(rng):
    codes = np.arange(T) % 3
    return rng.normal(size=(D, 3))[:, codes] / np.sqrt(D), codes


def near_centres(rng):
    codes = np.arange(T) % 3
    return (rng.normal(size=(D, 3))[:, codes] + 0.3 * rng.normal(size=(D, T))) / np.sqrt(D), codes


def latent(rng):
    S = rng.normal(size=(3, T)) * (rng.random((3, T)) < 0.5)
    S[rng.integers(3, size=T), np.arange(T)] += 1
    return rng.normal(size=(D, 3)) @ S / np.sqrt(3 * D), None


def subspace(rng):
    basis = np.linalg.qr(rng.normal(size=(D, 2)))[0]
    return basis @ rng.normal(size=(2, T)) / np.sqrt(2) + 0.2 * rng.normal(size=(D, T)) / np.sqrt(D), None


def few_features(rng):
    W = np.zeros((D, T))
    W[:3] = rng.choice([-1, 1], size=(3, T)) * rng.uniform(0.5, 1, size=(3, T)) / np.sqrt(3)
    return W, None


def subspaces(rng, n_groups=2, n_tasks=T, n_features=D):
    codes, W = np.arange(n_tasks) % n_groups, np.zeros((n_features, n_tasks))
    for g in range(n_groups):
        basis = np.linalg.qr(rng.normal(size=(n_features, 2)))[0]
        W[:, codes == g] = basis @ rng.normal(size=(2, n_tasks // n_groups)) / np.sqrt(2)
    return W, codes


def normal(rng):
    root = rng.normal(size=(D, D)) * np.geomspace(1, 0.1, D)
    W = rng.normal(size=(D, 1)) + root @ rng.normal(size=(D, T)) / np.sqrt(D)
    return W / np.sqrt(2 * D), None


def tree(rng):
    W = np.zeros((D, T))
    for level in range(4):
        W += rng.normal(size=(D, 2**level))[:, np.arange(T) * 2**level // T]
    return W / np.sqrt(4 * D), None


def none(rng):
    return rng.normal(size=(D, T)) / np.sqrt(D), None


# --------------------------------------------------------------------------------------------- models


def clustered(k):
    return lambda a: mtl.ClusteredRegressor(n_clusters=k, alpha_mean=a, alpha_between=a, alpha_within=30 * a)


CASES = {
    "SharedHypotheses": (few_models, lambda a: relatives.SharedHypothesesRegressor(3, a), clustered(3)),
    "TaskMixture": (near_centres, lambda a: relatives.TaskMixtureRegressor(3), clustered(3)),
    "DirichletProcessTasks": (few_models, lambda a: relatives.DirichletProcessTasksRegressor(), clustered(3)),
    "GroupedTasks": (latent, lambda a: relatives.GroupedTasksRegressor(3, a, a), lambda a: mtl.TraceNormRegressor(a)),
    "AlternatingStructure": (
        subspace,
        lambda a: relatives.AlternatingStructureRegressor(2, a),
        lambda a: mtl.SharedStructureRegressor(a, 0.1, 2),
    ),
    "MultiStageFeatures": (
        few_features,
        lambda a: relatives.MultiStageFeaturesRegressor(a, 2.0),
        lambda a: mtl.BlockSparseRegressor(a),
    ),
    "GroupedSubspaces": (
        subspaces,
        lambda a: relatives.GroupedSubspacesRegressor(2, a),
        lambda a: mtl.TaskRelationshipRegressor(a),
    ),
    "HierarchicalBayes": (
        normal,
        lambda a: relatives.HierarchicalBayes(),
        lambda a: mtl.MeanRegularizedRegressor(a / 10, 10 * a),
    ),
    "LatentHierarchy": (
        tree,
        lambda a: relatives.LatentHierarchyRegressor(),
        lambda a: mtl.TaskRelationshipRegressor(a),
    ),
}


def drawn(W, n, rng):
    d, n_tasks = W.shape
    task, X = np.repeat(np.arange(n_tasks), n), rng.normal(size=(n_tasks * n, d))
    return X, np.sum(X * W.T[task], axis=1) + 0.7 * rng.normal(size=n_tasks * n), task


def chosen(make, train, valid):
    """The fit that does best on other rows."""
    best, least = None, np.inf
    for strength in STRENGTHS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            model = make(strength).fit(train[0], train[1], task=train[2])
        error = np.mean((valid[1] - model.predict(valid[0], task=valid[2])) ** 2)
        if error < least:
            best, least = model, error
        if repr(make(STRENGTHS[0])) == repr(make(STRENGTHS[-1])):
            # It has no strength to be chosen.
            break
    return best


def right(model, W):
    errors = np.sum((model.coef_.T - W) ** 2) + np.sum(model.intercept_**2)
    return 1 - errors / np.sum(W**2)


def structure(model, W, codes):
    if codes is not None and hasattr(model, "labels_"):
        return f"{adjusted_rand_score(codes, model.labels_):.2f}"
    if isinstance(model, relatives.MultiStageFeaturesRegressor | mtl.BlockSparseRegressor):
        return f"{f1_score(np.any(W, axis=1), np.any(np.abs(model.coef_) > 1e-9, axis=0)):.2f}"
    return ""


def models(only):
    for name, (own, relative, sibling) in CASES.items():
        if only and name not in only:
            continue
        for truth, draw in (("own", own), ("none", none)):
            for n in (8, 20):
                for seed in range(SEEDS):
                    rng = np.random.default_rng(seed)
                    W, codes = draw(rng)
                    train, valid = drawn(W, n, rng), drawn(W, n, rng)
                    began = time.process_time()
                    ours = chosen(relative, train, valid)
                    middle = time.process_time()
                    theirs = chosen(sibling, train, valid)
                    yield {
                        "model": name,
                        "truth": truth,
                        "rows": n,
                        "seed": seed,
                        "relative": f"{right(ours, W):.3f}",
                        "sibling": f"{right(theirs, W):.3f}",
                        "found": structure(ours, W, codes),
                        "found_by_sibling": structure(theirs, W, codes),
                        "agreeing": getattr(ours, "n_agreeing_", ""),
                        "seconds": f"{middle - began:.2f}",
                        "seconds_sibling": f"{time.process_time() - middle:.2f}",
                    }


@dataclass
class GroupsKnown:
    """A TaskRelationshipRegressor for each group."""

    codes: np.ndarray
    alpha: float

    def fit(self, X, y, task):
        T = len(self.codes)
        self.coef_, self.intercept_, self.objective_ = np.zeros((T, X.shape[1])), np.zeros(T), 0.0
        for g in np.unique(self.codes):
            own = self.codes[task] == g
            fit = mtl.TaskRelationshipRegressor(self.alpha).fit(X[own], y[own], task=task[own])
            self.coef_[self.codes == g], self.intercept_[self.codes == g] = fit.coef_, fit.intercept_
            self.objective_ += fit.objective_
        return self

    def predict(self, X, task):
        return np.sum(X * self.coef_[task], axis=1) + self.intercept_[task]


SIZES = [(24, 12, 2), (48, 16, 2), (60, 20, 3)]  # tasks, features, groups


def subspaces_by_size():
    for n_tasks, d, K in SIZES:
        for n in (20, 40):
            for seed in range(SEEDS):
                rng = np.random.default_rng(seed)
                W, codes = subspaces(rng, K, n_tasks, d)
                train, valid = drawn(W, n, rng), drawn(W, n, rng)
                unit, given = 24 / n_tasks, {"task": train[2]}
                began = time.process_time()
                ours = chosen(lambda a, K=K, u=unit: relatives.GroupedSubspacesRegressor(K, a * u), train, valid)
                seconds = time.process_time() - began
                one = chosen(lambda a, u=unit: mtl.TaskRelationshipRegressor(a * u), train, valid)
                known = chosen(lambda a, c=codes, u=unit: GroupsKnown(c, a * u), train, valid)
                least = GroupsKnown(codes, ours.alpha).fit(train[0], train[1], **given).objective_
                yield {
                    "tasks": n_tasks,
                    "features": d,
                    "groups": K,
                    "rows": n,
                    "seed": seed,
                    "found": f"{right(ours, W):.3f}",
                    "one_group": f"{right(one, W):.3f}",
                    "groups_known": f"{right(known, W):.3f}",
                    "agreement": f"{adjusted_rand_score(codes, ours.labels_):.2f}",
                    "alpha": f"{ours.alpha:.3g}",
                    "objective_less_than_known": f"{least - ours.objective_:.4f}",
                    "seconds": f"{seconds:.2f}",
                }


def summary_of_sizes(rows):
    for key in dict.fromkeys((r["tasks"], r["features"], r["groups"], r["rows"]) for r in rows):
        some = [r for r in rows if (r["tasks"], r["features"], r["groups"], r["rows"]) == key]
        names = ("found", "one_group", "groups_known", "agreement", "objective_less_than_known")
        table = np.array([[float(r[name]) for name in names] for r in some])
        print(*key, *table.mean(axis=0).round(3), "wins", np.sum(table[:, 0] > table[:, 1]), "of", len(some))


def summary(rows):
    names = ["relative", "sibling", "wins", "found", "by sib.", "s"]
    print(f"{'model':24}{'truth':6}{'rows':>5}" + "".join(f"{name:>10}" for name in names))
    for key in dict.fromkeys((r["model"], r["truth"], r["rows"]) for r in rows):
        some = [r for r in rows if (r["model"], r["truth"], r["rows"]) == key]
        a, b = (np.array([float(r[name]) for r in some]) for name in ("relative", "sibling"))
        found = [np.mean([float(r[f]) for r in some]) if some[0][f] else np.nan for f in ("found", "found_by_sibling")]
        seconds = np.median([float(r["seconds"]) for r in some])
        print(
            f"{key[0]:24}{key[1]:6}{key[2]:5}{a.mean():10.3f}{b.mean():10.3f}{np.sum(a > b):10}"
            f"{found[0]:10.2f}{found[1]:10.2f}{seconds:10.2f}"
        )


# --------------------------------------------------------------------------------------------- real data


def mixed(folder):
    """HierarchicalBayes beside MixedLM, of which the better of several optimisers is taken."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    data = np.load(Path(folder) / "mlmrev_exam.npz", allow_pickle=True)
    x = data["X"][:, data["feature_names"].tolist().index("standLRT")].astype(float)
    y, school = data["y"].astype(float), data["task"]
    both = np.column_stack([x, np.ones(len(x))])
    for varying, Z, first in (("intercept", both[:, 1:], 1), ("all", both, 0)):
        for method in ("reml", "ml"):
            began = time.process_time()
            ours = relatives.HierarchicalBayes(varying, method=method).fit(x[:, None], y, task=school)
            seconds = time.process_time() - began
            began, theirs = time.process_time(), []
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for optimiser in ("bfgs", "lbfgs", "powell"):
                    theirs.append(
                        MixedLM(y, both, school, Z).fit(
                            reml=method == "reml", method=optimiser, gtol=1e-9, maxiter=2000
                        )
                    )
            # (One of them may go astray, to a likelihood that is infinite.)
            best = max((fit for fit in theirs if np.isfinite(fit.llf)), key=lambda fit: fit.llf)

            def away(a, b):
                return f"{np.max(np.abs(np.asarray(a) - b) / np.abs(b)):.1e}"

            yield {
                "varying": varying,
                "method": method,
                "log_likelihood": f"{ours.log_likelihood_:.6f}",
                "log_likelihood_more": f"{ours.log_likelihood_ - best.llf:.1e}",
                "fixed_effects_off": away(ours.fixed_effects_[0], best.fe_params),
                "covariance_off": away(ours.prior_covariance_[first:, first:], np.asarray(best.cov_re)),
                "noise_off": away(ours.noise_, best.scale),
                "seconds": f"{seconds:.4f}",
                "seconds_statsmodels": f"{(time.process_time() - began) / 3:.4f}",
            }


def school(folder):
    """HierarchicalBayes beside the mean-regularised model with strengths of benchmarks/school.py."""
    data = np.load(Path(folder) / "school.npz", allow_pickle=True)
    X, y, task, masks = data["X"].astype(float), data["y"].astype(float), data["task"], data["train_mask"].astype(bool)
    candidates = {
        "mean-regularised": lambda: mtl.MeanRegularizedRegressorCV(ratios=np.logspace(1, 3, 3), alphas=8, eps=1e-2),
        "hierarchical, intercepts vary": lambda: relatives.HierarchicalBayes("intercept"),
        "hierarchical, all vary": lambda: relatives.HierarchicalBayes(),
        "hierarchical, variances alone": lambda: relatives.HierarchicalBayes(covariance="diagonal"),
        "hierarchical, noise by task": lambda: relatives.HierarchicalBayes(noise="task"),
    }
    for split, train in enumerate(masks):
        scaler = StandardScaler().fit(X[train])
        for name, make in candidates.items():
            began = time.process_time()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                model = make().fit(scaler.transform(X[train]), y[train], task=task[train])
            seconds = time.process_time() - began
            z = model.predict(scaler.transform(X[~train]), task=task[~train])
            rmse, pooled, by_task = scores(y[~train], z, task[~train])
            yield {
                "split": split,
                "model": name,
                "rmse": f"{rmse:.3f}",
                "pooled": f"{pooled:.2f}",
                "by_task": f"{by_task:.2f}",
                "seconds": f"{seconds:.2f}",
            }


def groups():
    n_groups, n = 125_000, 10
    rng = np.random.default_rng(0)
    task = np.repeat(np.arange(n_groups), n)
    for varying, d in (("intercept", 1), ("all", 1), ("all", 2)):
        X = rng.normal(size=(n_groups * n, d))
        y = 1 + X.sum(axis=1) + 0.5 * rng.normal(size=n_groups)[task] + rng.normal(size=len(X))
        y += 0.3 * rng.normal(size=n_groups)[task] * X[:, 0]
        for noise in ("common", "task"):
            began = time.process_time()
            model = relatives.HierarchicalBayes(varying, noise=noise).fit(X, y, task=task)
            yield {
                "varying": varying,
                "features": d,
                "noise": noise,
                "seconds": f"{time.process_time() - began:.2f}",
                "steps": model.n_iter_,
                "variance_of_intercepts": f"{model.prior_covariance_[-1, -1]:.4f}",
                "mean_noise": f"{np.mean(model.noise_):.4f}",
            }


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["models", "subspaces", "mixed", "school", "groups"])
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--csv")
    options = parser.parse_args(arguments)
    found = {
        "models": lambda: models(options.only),
        "subspaces": subspaces_by_size,
        "mixed": lambda: mixed(options.folder),
        "school": lambda: school(options.folder),
        "groups": groups,
    }[options.what]()
    rows = []
    for row in found:
        rows.append(row)
        print(*row.values(), flush=True)
    if options.what == "models":
        summary(rows)
    elif options.what == "subspaces":
        summary_of_sizes(rows)
    write(options.csv, rows)


if __name__ == "__main__":
    main(sys.argv[1:])
