"""The main job on real data: five families against one model for all tasks and one model per task.

    python -m benchmarks.demo [--folder demo_output]

On the Exam data (65 schools, every pupil belongs to one) and on scikit-learn's digits (ten one-against-rest
tasks on one X), every model has its strengths chosen by cross-validation with folds that split within every
task, and is tested on outer folds. Printed is one table per data set; the pictures go to the folder. Then the
final problems on Exam are solved once more by the cvxpy reference, and at the end it is said which schools
sharing helps and which it hurts.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import GridSearchCV, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import convexmtl as mtl
from convexmtl import reference
from convexmtl.datasets import load_digits_tasks, load_exam
from convexmtl.model_selection import TaskKFold

from . import pictures

TOLERANCE = 1e-6


def on_features(estimator, task_column):
    """The estimator behind a scaler of the features, which leaves the task column alone."""
    if task_column is None:
        return make_pipeline(StandardScaler(), estimator)
    scaler = make_column_transformer((StandardScaler(), slice(0, -1)), remainder="passthrough")
    return make_pipeline(scaler, estimator)


def grids(kind, task_column, n_tasks):
    """{name: (estimator, parameter grid)} of the five families."""
    common = dict(task_column=task_column, tol=TOLERANCE)

    def make(family, **parameters):
        return getattr(mtl, family + kind)(**parameters, **common)

    alphas = np.logspace(-2.5, 0, 6)
    dirty = [{"alpha_block": [a], "alpha_sparse": a / n_tasks ** np.array([0.25, 0.5])} for a in alphas]
    within = [{"alpha_between": [a], "alpha_within": [3 * a, 30 * a]} for a in np.logspace(-3, 0, 4)]
    variances = n_tasks * np.logspace(-3, 1, 6)
    return {
        "block-sparse l1/l2": (make("BlockSparse"), {"alpha": alphas}),
        "dirty": (make("Dirty"), dirty),
        "trace norm": (make("TraceNorm"), {"alpha": alphas}),
        "mean-regularised": (
            make("MeanRegularized"),
            {"alpha_mean": [1e-3, 1e-1], "alpha_variance": variances},
        ),
        "learned clusters": (make("Clustered", n_clusters=3, alpha_mean=0.01), within),
    }


def prefixed(grid, prefix):
    """The grid with the pipeline's step in front of every name."""
    if isinstance(grid, list):
        return [prefixed(part, prefix) for part in grid]
    return {f"{prefix}__{name}": values for name, values in grid.items()}


def baselines(kind, task_column, folds, unit):
    """{name: pipeline} of one model for all tasks and one per task."""
    models = {"one model for all": mtl.baselines.pooled, f"one model per {unit}": mtl.baselines.single_task}
    beside = getattr(mtl, f"BlockSparse{kind}CV")(task_column=task_column, cv=folds)
    return {name: on_features(make(beside), task_column) for name, make in models.items()}


def searches(models, task_column, folds, scoring):
    """{name: grid search over a pipeline}."""
    out = {}
    for name, (estimator, grid) in models.items():
        pipeline = on_features(estimator, task_column)
        step = pipeline.steps[-1][0]
        out[name] = GridSearchCV(pipeline, prefixed(grid, step), cv=folds, scoring=scoring, n_jobs=-1)
    return out


def compare(searches, X, y, splits, groups, error, final=slice(None)):
    """{name: (errors by outer fold, search refitted on the rows ``final``, seconds)}, printed as it goes."""

    def fit(search, rows):
        given = {"groups": groups[rows]} if groups is not None and isinstance(search, GridSearchCV) else {}
        return clone(search).fit(X[rows], y[rows], **given)

    results = {}
    for name, search in searches.items():
        start = time.perf_counter()
        errors = [error(test, fit(search, train).predict(X[test])) for train, test in splits]
        results[name] = errors, fit(search, final), time.perf_counter() - start
        print_row(name, *results[name])
    return results


def last_step(search):
    """The estimator at the end of a pipeline, or of that which a search has found."""
    return getattr(search, "best_estimator_", search)[-1]


def print_row(name, errors, search, seconds):
    total, final = [e["all"] for e in errors], last_step(search)
    found = search.best_params_ if isinstance(search, GridSearchCV) else {"alpha": final.alpha_}
    strengths = ", ".join(f"{key.split('__')[-1]}={value:.3g}" for key, value in found.items())
    gap = final.dual_gap_ / final.objective_
    print(
        f"{name:22s} {np.mean(total):8.4f} +- {np.std(total):6.4f} {gap:9.1e} {seconds:8.1f}  {strengths}", flush=True
    )


def print_head(title, unit):
    print(f"\n{title}\n{'model':22s} {unit:>18s} {'rel. gap':>9s} {'seconds':>8s}  chosen strengths")


def per_task(results):
    """{name: mean error of every task over the outer folds}."""
    return {name: np.nanmean([e["tasks"] for e in errors], axis=0) for name, (errors, _, _) in results.items()}


def exam(folder):
    data = load_exam()
    labels, codes = np.unique(data.task, return_inverse=True)
    X, y = np.column_stack([data.data, codes]), data.target
    folds = TaskKFold(3, shuffle=True, random_state=1)
    splits = list(TaskKFold(5, shuffle=True, random_state=0).split(X, y, codes))

    def error(test, z):
        square = (z - y[test]) ** 2
        count = np.bincount(codes[test], minlength=len(labels))
        with np.errstate(invalid="ignore"):
            tasks = np.sqrt(np.bincount(codes[test], square, minlength=len(labels)) / count)
        return {"all": root_mean_squared_error(y[test], z), "tasks": tasks}

    print_head(f"Exam: {len(labels)} schools, {len(y)} pupils, {data.data.shape[1]} features", "test RMSE")
    models = grids("Regressor", -1, len(labels))
    found = baselines("Regressor", -1, folds, "school") | searches(models, -1, folds, "neg_mean_squared_error")
    results = compare(found, X, y, splits, codes, error)

    final = {name: last_step(search) for name, (_, search, _) in results.items()}
    names = data.feature_names
    families = {name: final[name] for name in models}
    matrices = {name: final[name].coef_ for name in ["one model per school", *models]}
    pictures.coefficients(matrices, names, "school", folder / "exam_coefficients.png")
    dirty, clusters = final["dirty"], final["learned clusters"]
    pictures.split(dirty, names, "school", folder / "exam_dirty_split.png")
    pictures.relationships(clusters, labels, "school", folder / "exam_learned_clusters.png")
    pictures.errors_per_task(per_task(results), "school", "test RMSE", folder / "exam_errors_per_school.png")
    features = StandardScaler().fit_transform(data.data)
    return [(name, est, features, y, codes) for name, est in families.items()]


def digits(folder):
    data = load_digits_tasks()
    X, Y = data.data, data.target
    # Little data: 300 images to learn from, the other ones to test on.
    splits = list(ShuffleSplit(3, train_size=300, random_state=0).split(X))
    folds = TaskKFold(3, shuffle=True, random_state=1)

    def error(test, Z):
        tasks = 100 * np.mean(Z != Y[test], axis=0)
        return {"all": tasks.mean(), "tasks": tasks}

    print_head(f"Digits: {Y.shape[1]} tasks on one X, 300 images to learn from", "wrong labels, %")
    models = grids("Classifier", None, Y.shape[1])
    found = baselines("Classifier", None, folds, "digit") | searches(models, None, folds, mean_accuracy)
    results = compare(found, X, Y, splits, None, error, final=splits[0][0])

    final = {name: last_step(search) for name, (_, search, _) in results.items()}
    matrices = {name: final[name].coef_ for name in ["one model per digit", *models]}
    pictures.images(matrices, (8, 8), data.target_names, folder / "digits_coefficients.png")
    dirty = final["dirty"]
    parts = {"W = B + S": dirty.coef_, "B: shared by the tasks": dirty.block_, "S: of single tasks": dirty.sparse_}
    pictures.images(parts, (8, 8), data.target_names, folder / "digits_dirty_split.png")
    pictures.relationships(final["learned clusters"], range(10), "digit", folder / "digits_learned_clusters.png")
    pictures.errors_per_task(per_task(results), "digit", "wrong labels, %", folder / "digits_errors_per_digit.png")


def mean_accuracy(estimator, X, Y):
    """Share of right labels over all tasks."""
    return np.mean(estimator.predict(X) == Y)


def against_reference(problems):
    """Solve the final problems with cvxpy too, and print how the objectives differ."""
    print(
        f"\n{'final problem on Exam':30s} {'convexmtl':>14s} {'cvxpy':>14s} {'difference':>11s} "
        f"{'certified gap':>13s} {'seconds':>8s}"
    )
    for name, estimator, X, y, task in problems:
        estimator = clone(estimator).set_params(task_column=None).fit(X, y, task=task)
        start = time.perf_counter()
        other = reference.fit(estimator, X, y, task=task).objective
        seconds = time.perf_counter() - start
        gap = mtl.certify(estimator, X, y, task=task).gap
        print(
            f"{name:30s} {estimator.objective_:14.8f} {other:14.8f} {estimator.objective_ - other:11.1e} "
            f"{gap:13.1e} {seconds:8.1f}",
            flush=True,
        )


def sharing(folder):
    """Which schools sharing helps and hurts, in words and a picture."""
    data = load_exam()
    X = np.column_stack([data.data, data.task])
    model = on_features(mtl.MeanRegularizedRegressorCV(task_column=-1), -1)
    found = mtl.compare_tasks({"mean-regularised": model}, X, data.target, task=data.task, n_jobs=-1)
    print(f"\nDid sharing help? {found.summary()}")
    found.plot().figure_.savefig(folder / "exam_sharing.png", dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("demo_output"), help="where the pictures go")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    problems = exam(folder)
    digits(folder)
    against_reference(problems)
    sharing(folder)
    names = ", ".join(sorted(picture.name for picture in folder.glob("*.png")))
    print(f"\n{time.perf_counter() - start:.0f} s; pictures in {folder}/: {names}")


if __name__ == "__main__":
    warnings.filterwarnings("ignore", message="Solution may be inaccurate")
    # One model for ten digits, each against the rest, has nothing to go by.
    warnings.filterwarnings("ignore", message="alpha_max is 0")
    main()
