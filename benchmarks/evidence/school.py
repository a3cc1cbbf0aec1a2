"""School, the ten published splits: families, relatives and what is simpler, strengths chosen inside the training part.

    python -m benchmarks.evidence.school FOLDER --csv benchmarks/results/evidence_school.csv \
        --page docs/evidence/school.md

FOLDER holds school.npz as ``benchmarks.school`` reads it. Strengths come from 5-fold cross-validation within the
training part, each on a path, those of relatives on a grid of few values; features are standardised by it. "chosen
inside" is for every split the family, and its weights of the tasks, with the smallest error of that cross-validation,
so that nothing is chosen by the test; "chosen inside, relatives too" takes these in as well. Models that choose
nothing (the mixed model, and relatives whose grid is one point) have no such error and take no part.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV, ParameterGrid
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import convexmtl as cm
from convexmtl import relatives
from convexmtl.model_selection import TaskKFold
from convexmtl.relatives import HierarchicalBayes

from ..school import scores
from ._report import add_outputs, carry_out, markdown, put, said

NORMS = {"alphas": 12, "eps": 1e-2, "tol": 1e-3}
SQUARED_NORMS, SQUARES = {**NORMS, "eps": 1e-3}, {**NORMS, "eps": 1e-6}
FAMILIES = {
    "BlockSparse": (cm.BlockSparseRegressorCV, NORMS),
    "Dirty": (cm.DirtyRegressorCV, NORMS),
    "SparseGroup": (cm.SparseGroupRegressorCV, {**NORMS, "l1_ratio": [0.25, 0.75]}),
    "TraceNorm": (cm.TraceNormRegressorCV, NORMS),
    "SharedFeature": (cm.SharedFeatureRegressorCV, SQUARED_NORMS),
    "SharedStructure": (cm.SharedStructureRegressorCV, {**SQUARED_NORMS, "eta": [0.03, 0.3], "n_components": 2}),
    "TaskRelationship": (cm.TaskRelationshipRegressorCV, {**SQUARED_NORMS, "ratios": [0, 1]}),
    "MeanRegularized": (cm.MeanRegularizedRegressorCV, SQUARES),
    "Clustered": (cm.ClusteredRegressorCV, {**SQUARES, "n_clusters": 2}),
    "RobustLowRank": (cm.RobustLowRankRegressorCV, {**NORMS, "ratios": [1.3, 2, 4]}),
    "RobustFeature": (cm.RobustFeatureRegressorCV, {**NORMS, "ratios": [0.5, 1, 2]}),
    "SparseLowRank": (cm.SparseLowRankRegressorCV, {**NORMS, "ratios": [0.1, 0.2, 0.4]}),
    "single-task": (cm.SingleTaskRegressorCV, {"alphas": 20}),
    "pooled": (cm.PooledRegressorCV, {"alphas": 20}),
}
RELATIVES = {
    "AlternatingStructure": {"alpha": [1, 3], "eta": [0.003, 0.03], "n_components": [1]},
    "DirichletProcessTasks": {},
    "GroupedSubspaces": {"alpha": [0.1, 0.3]},
    "GroupedTasks": [{"alpha": [a], "alpha_sparse": [a], "n_components": [2]} for a in (1, 3)],
    "LatentHierarchy": {"n_init": [1]},
    "MultiStageFeatures": {"alpha": [3, 10, 30], "cap": [10, 100], "norm": ["l2"]},
    "OnlineMultiTask": {"learning_rate": [0.02, 0.05, 0.1, 0.2]},
    "SharedHypotheses": {"n_clusters": [2, 3, 4], "alpha": [0.03]},
    "TaskClusteringNeighbors": {"n_neighbors": [10, 20]},
    "TaskMixture": {"n_components": [1, 2]},
}
WEIGHTS = ("size", "equal")
SIMPLE = ("mixed model", "ridge, schools as features", "gradient boosting")


def simple(name, X, y, task, folds):
    """(function of X and task that predicts, error in cross-validation) of a model of scikit-learn."""
    if name in RELATIVES:
        return relative(name, X, y, task, folds)
    if name == "mixed model":
        model = HierarchicalBayes().fit(X, y, task=task)
        return lambda X, task: model.predict(X, task=task), np.nan
    if name == "gradient boosting":
        grid = {"max_leaf_nodes": [4, 8], "max_iter": [50, 100, 200]}
        model = HistGradientBoostingRegressor(categorical_features=[X.shape[1]], random_state=0)
        search = GridSearchCV(model, grid, cv=list(folds.split(X, y, task)), scoring="neg_mean_squared_error")
        search.fit(np.column_stack([X, task]), y)
        return lambda X, task: search.predict(np.column_stack([X, task])), -search.best_score_
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(task[:, None])

    def made(X, task):
        return np.column_stack([X, encoder.transform(task[:, None])])

    given = {"cv": list(folds.split(X, y, task)), "scoring": "neg_mean_squared_error"}
    model = RidgeCV(np.logspace(-1, 4, 16), **given).fit(made(X, task), y)
    return lambda X, task: model.predict(made(X, task)), -float(model.best_score_)


def relative(name, X, y, task, folds):
    """The same of a relative, whose strengths are those of a grid."""
    model = getattr(relatives, f"{name}Regressor")(task_column=-1)
    points = list(ParameterGrid(RELATIVES[name]))
    joined = np.column_stack([X, task])
    if len(points) == 1:
        found, error = model.set_params(**points[0]).fit(joined, y), np.nan
    else:
        given = {"cv": list(folds.split(X, y, task)), "scoring": "neg_mean_squared_error"}
        found = GridSearchCV(model, [{k: [v] for k, v in point.items()} for point in points], **given).fit(joined, y)
        error = -float(found.best_score_)
    return lambda X, task: found.predict(np.column_stack([X, task])), error


def measured(split, X, y, task, train, names):
    """Yield a row per model of one split."""
    Z = StandardScaler().fit(X[train]).transform(X)
    inside, test = (Z[train], y[train], task[train]), (Z[~train], task[~train])
    folds = TaskKFold(5, shuffle=True, random_state=split)
    for name in names:
        for weight in WEIGHTS if name in FAMILIES else ("",):
            start = time.process_time()
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                if name in FAMILIES:
                    cls, options = FAMILIES[name]
                    model = cls(cv=folds, task_weight=weight, **options).fit(*inside[:2], task=inside[2])
                    predicted = model.predict(test[0], task=test[1])
                    error = np.nanmean(pooled_errors(model, inside[2], folds))
                else:
                    predict, error = simple(name, *inside, folds)
                    predicted = predict(*test)
            rmse, pooled, per_task = scores(y[~train], predicted, test[1])
            yield {
                "split": split, "model": name, "weights": weight, "rmse": f"{rmse:.4f}", "pooled": f"{pooled:.3f}",
                "per task": f"{per_task:.3f}", "inside": f"{np.sqrt(error):.4f}",
                "seconds": f"{time.process_time() - start:.2f}", "warnings": len(caught),
            }  # fmt: skip


def pooled_errors(model, task, folds):
    """(folds,) mean squared errors over all held-out rows, whatever weights the search had."""
    labels = {label: t for t, label in enumerate(model.tasks_.tolist())}
    codes = np.array([labels[label] for label in task])
    found = []
    for errors, (_, rows) in zip(model.task_errors_, folds.split(np.zeros((len(task), 1)), None, task), strict=True):
        counts = np.bincount(codes[rows], minlength=len(labels))
        known = ~np.isnan(errors)
        found.append(np.average(errors[known], weights=counts[known]))
    return np.array(found)


def chosen(table, names=tuple(FAMILIES), called="chosen inside"):
    """The rows of the model of these names that is best inside, split by split."""
    part = table[table["model"].isin(names)].dropna(subset="inside")
    return table.loc[part.groupby("split")["inside"].idxmin()].assign(model=called, weights="")


def report(rows, page):
    columns = ("rmse", "pooled", "per task", "inside", "seconds")
    table = pd.DataFrame(rows).astype(dict.fromkeys(columns, float)).fillna({"weights": ""})
    more = chosen(table, (*FAMILIES, *RELATIVES), "chosen inside, relatives too")
    table = pd.concat([table, chosen(table), more], ignore_index=True)
    reference = table[(table["model"] == "single-task") & (table["weights"] == "size")].set_index("split")["rmse"]
    found = []
    for (name, weight), own in table.groupby(["model", "weights"], sort=False):
        own = own.set_index("split")
        figures = (
            said(own["rmse"]),
            said((reference - own["rmse"]).dropna()),
            said(own["pooled"], 1),
            said(own["per task"], 1),
        )
        line = [name, weight, len(own), *figures, f"{own['seconds'].median():.1f}"]
        found.append((-len(own), own["rmse"].mean(), line))
    heads = ["model", "weights", "splits", "RMSE", "less than single-task", "pooled %", "per task %", "seconds"]
    put(page, "table", markdown(heads, [line for *_, line in sorted(found, key=lambda one: one[:2])]))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", help="needed unless rows are read")
    parser.add_argument("--splits", type=int, nargs="+", default=range(10), metavar="SPLIT")
    parser.add_argument("--only", nargs="+", default=[*FAMILIES, *SIMPLE, *RELATIVES], metavar="MODEL")
    add_outputs(parser, "the table")
    given = parser.parse_args(arguments)

    def parts():
        data = np.load(Path(given.folder) / "school.npz", allow_pickle=False)
        X, y, task = data["X"].astype(float), data["y"].astype(float), np.unique(data["task"], return_inverse=True)[1]
        for split in given.splits:
            yield list(measured(split, X, y, task, data["train_mask"][split], given.only))

    carry_out(given, parts(), report)


if __name__ == "__main__":
    main()
