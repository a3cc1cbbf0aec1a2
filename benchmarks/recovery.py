"""Does each model of the rest of the menu find its structure, and does it predict better because of it?

    python -m benchmarks.recovery [--seeds 20] [--first 0] [--jobs 2] [--only MODEL ...] [--csv FILE]

Every model on data of its own generator (every task has its own X) and beside it, on the same data, one model per task
and one for all tasks (lasso or ridge, whichever turns out better), and the first five families. All strengths are
chosen by cross-validation. The error is the excess risk in units of the variance of the signal; as x ~ N(0, I), this is
(norm_F(W_hat - W)^2 + norm_2(b_hat)^2) / norm_F(W)^2, without test samples. The structure is a score for each
model, 1 for all of it found; where it is a function of W_hat, the rivals have it as well.
"""

import argparse
import time
import warnings

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.linalg import subspace_angles
from sklearn.linear_model import LassoCV, RidgeCV
from sklearn.metrics import precision_score, recall_score
from sklearn.utils import Bunch

import convexmtl as mtl
from convexmtl import datasets

# Paths that end well below what is chosen: the strengths of squares span more than those of norms.
NORMS = {"alphas": 20, "eps": 5e-3, "cv": 5, "tol": 1e-4}
SQUARED_NORMS = {**NORMS, "eps": 1e-3}
SQUARES = {**NORMS, "eps": 1e-6}


# Data: the package's generators, and three that add something to what those draw ---------------


def _plus(drawn, more, *truth):
    """The same samples and noise with W + more in place of W, and what else is true."""
    X, y, task, W = drawn
    return X, y + np.sum(X * more.T[task], axis=1), task, W + more, *truth


def some_of_few(*, random_state, share=0.4, **options):
    """Few features, each for some tasks: make_block_sparse with the other coefficients of these features at 0."""
    drawn = datasets.make_block_sparse(random_state=random_state, **options)
    W = drawn[3]
    return _plus(drawn, np.where(np.random.default_rng(random_state).uniform(size=W.shape) < share, 0, -W))


def low_rank_and_private(*, random_state, spread=0.7, **options):
    """A subspace for all tasks and for each a part of its own: make_low_rank plus normal entries."""
    drawn = datasets.make_low_rank(random_state=random_state, **options)
    L = drawn[3]
    own = np.random.default_rng(random_state).standard_normal(L.shape)
    return _plus(drawn, spread * np.sqrt(np.mean(L**2)) * own, L)


def low_rank_and_single(*, random_state, share=0.04, size=2.0, **options):
    """A subspace for all tasks and single large coefficients: make_low_rank plus some entries of size or -size."""
    drawn = datasets.make_low_rank(random_state=random_state, **options)
    L = drawn[3]
    odds = [share / 2, 1 - share, share / 2]
    S = np.random.default_rng(random_state).choice([-size, 0, size], L.shape, p=odds)
    return _plus(drawn, S, L, S)


# Scores: what is found of the structure -------------------------------------------------------


def _found(estimate, truth):
    """structure: how much of the k entries that are not 0 is among the k largest of the estimate;
    precision and recall: of all that are not 0 in the estimate."""
    size, truth = np.abs(estimate).ravel(), truth.ravel() != 0
    largest = np.argsort(-size)[: truth.sum()]
    return {
        "structure": np.mean(truth[largest] & (size[largest] > 0)),
        "precision": precision_score(truth, size > 0, zero_division=0),
        "recall": recall_score(truth, size > 0),
    }


def _overlap(A, B):
    """Mean squared cosine of the angles between the spaces that the columns span."""
    return np.mean(np.cos(subspace_angles(A, B)) ** 2)


def _leading(A, like):
    """As many left singular vectors as `like` has rank."""
    return np.linalg.svd(A)[0][:, : np.linalg.matrix_rank(like)]


def support(fitted, W, *_):
    return _found(fitted.coef_.T, W)


def fused(fitted, W, edges):
    """The support, and how many of the coefficients in it are equal along an edge, as all are in truth."""
    s, t, _, sign = np.array(edges).astype(int).T
    equal = np.isclose(fitted.coef_[s], sign[:, np.newaxis] * fitted.coef_[t], rtol=0, atol=1e-6)
    return {**support(fitted, W), "fused": equal[W[:, s].T != 0].mean()}


def jumps(fitted, W):
    return _found(np.diff(fitted.coef_.T), np.diff(W))


def changes(fitted, W):
    """Cosine of the true changes in time and those found."""
    a, b = np.diff(fitted.coef_.T), np.diff(W)
    return {"structure": np.sum(a * b) / max(np.linalg.norm(a) * np.linalg.norm(b), np.finfo(float).tiny)}


def outliers(fitted, W, true):
    size = np.linalg.norm(fitted.outlier_, axis=1) * np.isin(fitted.tasks_, fitted.outlier_tasks_)
    return _found(size, np.isin(fitted.tasks_, true))


def relationships(fitted, W, Sigma):
    """Correlation with the true correlations of pairs of tasks, and share of right signs where they are not 0."""
    pairs = np.triu_indices_from(Sigma, 1)
    a, b = fitted.task_correlation_[pairs], Sigma[pairs]
    return {"structure": np.corrcoef(a, b)[0, 1], "signs": np.mean(np.sign(a)[b != 0] == np.sign(b)[b != 0])}


def features(fitted, W):
    return {"structure": _overlap(_leading(fitted.feature_covariance_, W), _leading(W, W))}


def components(fitted, W, L):
    return {"structure": _overlap(fitted.components_.T, _leading(L, L))}


def both_parts(fitted, W, L, S):
    """What is found of S, and the overlap of the column spaces of L."""
    return {**_found(fitted.sparse_.T, S), "subspace": _overlap(_leading(fitted.low_rank_.T, L), _leading(L, L))}


OF_COEFFICIENTS = support, fused, jumps, changes

# What is not said is as the generator has it: 30 samples of 50 features for each of 10, 12, 16 or 20 tasks.
# name -> (generator, its options, search for what else it returns, score)
MODELS = {
    "SparseGroup": (
        some_of_few, {"n_samples": 20, "n_tasks": 20, "n_informative": 6, "noise": 0.5},
        lambda: mtl.SparseGroupRegressorCV(l1_ratio=[0.1, 0.25, 0.5, 0.75], **NORMS), support,
    ),
    "TaskRelationship": (
        datasets.make_task_relationships, {"n_tasks": 20},
        lambda Sigma: mtl.TaskRelationshipRegressorCV(ratios=[0, 1, 4], **SQUARED_NORMS), relationships,
    ),
    "SharedFeature": (datasets.make_low_rank, {}, lambda: mtl.SharedFeatureRegressorCV(**SQUARED_NORMS), features),
    "SharedStructure": (
        low_rank_and_private, {"n_tasks": 30},
        lambda L: mtl.SharedStructureRegressorCV(eta=[0.03, 0.1, 0.3], n_components=2, **SQUARED_NORMS), components,
    ),
    "GraphGuided l1": (
        datasets.make_graph_guided, {"n_samples": 20},
        lambda edges: mtl.GraphGuidedRegressorCV(graph=edges, norm="l1", ratios=[1, 10, 100], **NORMS), fused,
    ),
    "GraphGuided l2": (
        datasets.make_graph_guided, {"n_samples": 20},
        lambda edges: mtl.GraphGuidedRegressorCV(graph=edges, norm="l2", ratios=[1, 10, 100], **NORMS), support,
    ),
    "TreeGuided": (
        datasets.make_tree_guided, {}, lambda tree: mtl.TreeGuidedRegressorCV(tree=tree, **NORMS), support,
    ),
    "Temporal l1": (
        datasets.make_temporal, {"norm": "l1"},
        lambda: mtl.TemporalRegressorCV(norm="l1", sparse_ratios=[0, 0.1], group_ratios=[0.3, 1, 3], **NORMS), jumps,
    ),
    "Temporal l2": (
        datasets.make_temporal, {"norm": "l2", "n_samples": 15, "n_tasks": 30},
        lambda: mtl.TemporalRegressorCV(norm="l2", sparse_ratios=[0], group_ratios=[0.3, 1, 3], **NORMS), changes,
    ),
    "RobustLowRank": (
        datasets.make_outlier_tasks, {"n_features": 30, "n_tasks": 40, "n_outliers": 4},
        lambda _: mtl.RobustLowRankRegressorCV(ratios=[1.1, 1.3, 1.6, 2], **NORMS), outliers,
    ),
    "RobustFeature": (
        datasets.make_outlier_tasks, {"structure": "block_sparse", "n_tasks": 40, "n_outliers": 4},
        lambda _: mtl.RobustFeatureRegressorCV(ratios=[0.5, 0.7, 1, 1.4], **NORMS), outliers,
    ),
    "SparseLowRank": (
        low_rank_and_single, {},
        lambda L, S: mtl.SparseLowRankRegressorCV(ratios=[0.1, 0.2, 0.3, 0.4], **NORMS), both_parts,
    ),
}  # fmt: skip


def families():
    yield "BlockSparse", mtl.BlockSparseRegressorCV(**NORMS)
    yield "Dirty", mtl.DirtyRegressorCV(**NORMS)
    yield "TraceNorm", mtl.TraceNormRegressorCV(**NORMS)
    yield "MeanRegularized", mtl.MeanRegularizedRegressorCV(**SQUARES)
    yield "Clustered", mtl.ClusteredRegressorCV(n_clusters=3, **SQUARES)


def risk(fitted, W):
    return (np.sum((fitted.coef_.T - W) ** 2) + np.sum(fitted.intercept_**2)) / np.sum(W**2)


def baselines(X, y, task, W):
    """Yield (name, coefficients) for a model per task and for one for all tasks, the better of lasso and ridge."""
    labels = np.unique(task)
    for name, parts in ("single-task", [task == label for label in labels]), ("pooled", [np.full(len(y), True)]):
        kinds = []
        for model in LassoCV(cv=NORMS["cv"], max_iter=100_000), RidgeCV(np.geomspace(1e-2, 1e4, 31)):
            fits = [(model.fit(X[part], y[part]).coef_, model.intercept_) for part in parts]
            coef, intercept = (np.array(values) for values in zip(*fits, strict=True))
            kinds.append(Bunch(coef_=np.resize(coef, W.T.shape), intercept_=np.resize(intercept, len(labels))))
        yield name, min(kinds, key=lambda fitted: risk(fitted, W))


def run(name, seed):
    """One row for the model itself and one for each rival."""
    generate, options, search, score = MODELS[name]
    X, y, task, W, *truth = generate(random_state=seed, **options)
    rows = []
    for rival, fitted in [("itself", search(*truth)), *families(), *baselines(X, y, task, W)]:
        about = {}
        if not isinstance(fitted, Bunch):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                start = time.process_time()
                fitted.fit(X, y, task=task)
            errors = fitted.mse_path_.mean(axis=-1)
            about = {
                "strengths": " ".join(f"{key}={getattr(fitted, key + '_'):.3g}" for key in fitted._replaced),
                "position on the path": np.unravel_index(np.argmin(errors), errors.shape)[-1] + 1,
                "CPU seconds": round(time.process_time() - start, 2),
                "warnings": "; ".join({str(w.message) for w in caught}),
            }
        scores = score(fitted, W, *truth) if rival == "itself" or score in OF_COEFFICIENTS else {}
        rows.append({"model": name, "seed": seed, "rival": rival, "risk": risk(fitted, W), **scores, **about})
    return rows


def report(table):
    """Print medians over the seeds, and in how many of them a model wins."""
    rivals = list(table["rival"].unique())
    risks, structure = (table.pivot(index=["model", "seed"], columns="rival", values=v) for v in ("risk", "structure"))
    more = risks.sub(risks["itself"], axis=0)
    itself = table[table["rival"] == "itself"].set_index(["model", "seed"])
    details = [name for name in ("precision", "recall", "fused", "signs", "subspace") if name in table]
    for title, part, how in (
        ("excess risk, in units of the variance of the signal: medians", risks[rivals], "median"),
        ("what a rival has more, seed by seed: medians", more[rivals[1:]], "median"),
        (f"in how many of {table['seed'].nunique()} seeds it has more", more[rivals[1:]].gt(0), "sum"),
        ("structure: medians", structure[rivals], "median"),
        ("structure, further: medians", itself[details], "median"),
    ):
        summary = part.groupby(level="model").agg(how).loc[table["model"].unique()]
        print(f"\n{title}\n{summary.to_string(float_format='{:.3f}'.format, na_rep='')}")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20, help="how many")
    parser.add_argument("--first", type=int, default=0, metavar="SEED")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", nargs="+", metavar="MODEL", choices=MODELS, default=list(MODELS))
    parser.add_argument("--csv", metavar="FILE", help="where the results go")
    chosen = parser.parse_args(arguments)
    jobs = [(name, seed) for name in chosen.only for seed in range(chosen.first, chosen.first + chosen.seeds)]
    rows = []
    for part in Parallel(chosen.jobs, return_as="generator")(delayed(run)(*job) for job in jobs):
        rows += part
        errors = ", ".join(f"{row['rival']} {row['risk']:.3f}" for row in part)
        print(f"{part[0]['model']}, seed {part[0]['seed']}: {errors}", flush=True)
        if chosen.csv:
            pd.DataFrame(rows).to_csv(chosen.csv, index=False, float_format="%.5g")
    report(pd.DataFrame(rows))


if __name__ == "__main__":
    main()
