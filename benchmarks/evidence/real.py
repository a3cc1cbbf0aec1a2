"""Measured data: together, one by one, as one, a mixed model, and boosted trees that know the task.

    python -m benchmarks.evidence.real FOLDER --csv benchmarks/results/evidence_real.csv --page docs/evidence/real.md

Random splits within tasks, the same for all models; strengths by 3-fold cross-validation inside the training part, by
which features are standardised too, and targets of one X. "together, chosen inside" is the family with the smallest
error of that cross-validation. Scores are shares of the variance explained (of all test targets of stacked tasks, of
each target with one X, then the mean), or areas under the curve, means over tasks, both in %. Differences have the
intervals of Nadeau and Bengio (2003), as test and training parts of splits overlap.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch

import convexmtl as cm
from convexmtl.relatives import HierarchicalBayes

from ._report import add_outputs, carry_out, markdown, put, said

# name: (file, how many training rows of a task or of X, or what share of them, columns left out)
SETS = {
    "Parkinson's voice": ("parkinsons", 20, 3),
    "Exam": ("mlmrev_exam", 0.75, 0),
    "Chem97": ("mlmrev_chem97", 0.5, 0),
    "Jura": ("mulan_jura", 0.5, 0),
    "Water quality": ("mulan_wq", 0.5, 0),
    "USPS digits": ("digits_usps_pca", 200, 0),
    "Tox21": ("tox21_maccs", 300, 0),
}
ALPHAS = 10
NORMS = {"alphas": ALPHAS, "eps": 1e-2, "cv": 3, "tol": 1e-3}
SQUARES = {**NORMS, "eps": 1e-6}
FAMILIES = {
    "MeanRegularized": SQUARES,
    "TraceNorm": NORMS,
    "BlockSparse": NORMS,
    "Clustered": {**SQUARES, "n_clusters": 2},
}
BASELINES = {"single-task": "SingleTask", "pooled": "Pooled"}
CHOSEN, MIXED, TREES = "together, chosen inside", "mixed model", "gradient boosting"
MODELS = (CHOSEN, *FAMILIES, *BASELINES, MIXED, TREES)


def load(folder, name):
    """Bunch of X, y, task (None for one X, with y a matrix), whether it has classes, and the training rows."""
    file, train, left_out = SETS[name]
    data = np.load(Path(folder) / f"{file}.npz", allow_pickle=False)
    X = data["X"].astype(float)[:, left_out:]
    if "Y" in data.files:
        y, task = data["Y"].astype(float), None
    else:
        y, task = data["y"].astype(float), np.unique(data["task"], return_inverse=True)[1]
    return Bunch(X=X, y=y, task=task, classify=len(np.unique(y[~np.isnan(y)])) == 2, train=train)


def split(data, seed):
    """(training rows, test rows), random within tasks; tasks with less than two training rows are left out."""
    rng = np.random.default_rng(seed)
    groups = [np.arange(len(data.X))] if data.task is None else [np.flatnonzero(data.task == t) for t in set(data.task)]
    train, test = [], []
    for group in groups:
        order = rng.permutation(group)
        size = data.train if isinstance(data.train, int) else round(data.train * len(order))
        if size >= 2:
            train.append(order[:size])
            test.append(order[size:])
    return np.concatenate(train), np.concatenate(test)


def prepared(data, seed):
    """Bunch of both parts in the units of the training part; targets of one X have a mean of 0 and unit variance."""
    train, test = split(data, seed)
    X = StandardScaler().fit(data.X[train]).transform(data.X)
    y = data.y
    if data.task is None and not data.classify:
        y = (y - np.nanmean(y[train], axis=0)) / np.nanstd(y[train], axis=0)
    if data.task is None and data.classify:
        # (A target of a single class in the training part cannot be learned.)
        y = y[:, [len(np.unique(column[~np.isnan(column)])) == 2 for column in y[train].T]]
    tasks = (None, None) if data.task is None else (data.task[train], data.task[test])
    return Bunch(X=X[train], y=y[train], task=tasks[0], X_new=X[test], y_new=y[test], task_new=tasks[1])


def stacked(X, y, task):
    """(X, y, task) with one row per sample of a task; those without a target are dropped."""
    if task is not None:
        return X, y, task
    T = y.shape[1]
    seen = ~np.isnan(y.ravel(order="F"))
    return np.tile(X, (T, 1))[seen], y.ravel(order="F")[seen], np.repeat(np.arange(T), len(X))[seen]


def boosted(part, classify):
    """Predictions of trees, shaped as the new targets."""
    cls = HistGradientBoostingClassifier if classify else HistGradientBoostingRegressor
    X, y, task = stacked(part.X, part.y, part.task)
    options = {"max_leaf_nodes": 8, "max_iter": 300, "early_stopping": True, "n_iter_no_change": 20}
    model = cls(categorical_features=[X.shape[1]], random_state=0, **options).fit(np.column_stack([X, task]), y)
    whole = np.zeros(part.y_new.shape)
    X, _, task = stacked(part.X_new, whole, part.task_new)
    rows = np.column_stack([X, task])
    found = model.predict_proba(rows)[:, 1] if classify else model.predict(rows)
    return found if part.task_new is not None else found.reshape(whole.T.shape).T


def fitted(name, part, classify):
    """A fitted estimator of convexmtl; "together" is chosen among those of the families."""
    kind = "ClassifierCV" if classify else "RegressorCV"
    if name == MIXED:
        return HierarchicalBayes().fit(
            *stacked(part.X, part.y, part.task)[:2], task=stacked(part.X, part.y, part.task)[2]
        )
    options = {"cv": 3, "alphas": 20} if name in BASELINES else FAMILIES[name]
    cls = getattr(cm, BASELINES.get(name, name) + kind)
    return cls(**options).fit(part.X, part.y, **({} if part.task is None else {"task": part.task}))


def predicted(model, part, classify):
    given = {} if part.task is None else {"task": part.task_new}
    if part.task is None and hasattr(model, "coef_") and len(model.coef_) == part.y.shape[1]:
        return part.X_new @ model.coef_.T + model.intercept_
    return model.decision_function(part.X_new, **given) if classify else model.predict(part.X_new, **given)


def score(z, part, classify):
    """In %."""
    if part.task is not None:
        return 100 * (1 - np.mean((part.y_new - z) ** 2) / np.var(part.y_new))
    of_tasks = []
    for y, own in zip(part.y_new.T, z.T, strict=True):
        seen = ~np.isnan(y)
        if not classify:
            of_tasks.append(1 - np.mean((y[seen] - own[seen]) ** 2) / np.var(y[seen]))
        elif len(np.unique(y[seen])) == 2:
            of_tasks.append(roc_auc_score(y[seen], own[seen]))
    return 100 * np.mean(of_tasks)


def measured(data, name, seed, models=MODELS):
    """Yield a row per model."""
    part, inside = prepared(data, seed), {}
    share = len(part.X_new) / len(part.X)
    names = [model for model in models if model != CHOSEN and not (model in (MIXED, "Clustered") and data.classify)]
    for model in names:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            start = time.process_time()
            if model == TREES:
                z, error = boosted(part, data.classify), np.nan
            else:
                one = fitted(model, part, data.classify)
                z, error = predicted(one, part, data.classify), getattr(one, "task_errors_", np.nan)
            seconds = time.process_time() - start
        if model in FAMILIES:
            inside[float(np.nanmean(error))] = model, z
        yield row(name, seed, model, score(z, part, data.classify), share, seconds, caught)
    if CHOSEN in models:
        best, z = inside[min(inside)]
        yield {**row(name, seed, CHOSEN, score(z, part, data.classify), share, np.nan, []), "family": best}


def row(name, seed, model, value, share, seconds, caught):
    return {
        "data": name, "seed": seed, "model": model, "score": f"{value:.4f}", "test per training row": f"{share:.3f}",
        "seconds": f"{seconds:.3f}", "warnings": len(caught), "family": "",
    }  # fmt: skip


def corrected(differences, share, level=0.95):
    """(mean, half the width of its interval) of differences between models over random splits, which overlap."""
    n = len(differences)
    error = np.sqrt(np.var(differences, ddof=1) * (1 / n + share))
    return float(np.mean(differences)), float(error * stats.t.ppf(0.5 + level / 2, n - 1))


def report(rows, page):
    table = pd.DataFrame(rows).astype({"score": float, "test per training row": float})
    lines, against = [], []
    for name in table["data"].unique():
        own = table[table["data"] == name]
        scores = own.pivot(index="seed", columns="model", values="score")
        lines.append([name, len(scores), *(said(scores[m], 1) if m in scores else "" for m in MODELS)])
        share, cells = own["test per training row"].mean(), []
        for other in (*BASELINES, MIXED, TREES):
            if other not in scores or len(scores) < 2:
                cells.append("")
                continue
            more = scores[CHOSEN] - scores[other]
            mean, half = corrected(more, share)
            mark = "**" if abs(mean) > half else ""
            cells.append(f"{mark}{mean:+.1f} ± {half:.1f}{mark}, {(more > 0).sum()}")
        families = own[own["model"] == CHOSEN]["family"].value_counts()
        against.append([name, *cells, ", ".join(f"{family} {count}" for family, count in families.items())])
    put(page, "scores", markdown(["data", "splits", *MODELS], lines))
    heads = ["data", *(f"beside {other}" for other in (*BASELINES, MIXED, TREES)), "chosen"]
    put(page, "differences", markdown(heads, against))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", help="needed unless rows are read")
    parser.add_argument("--seeds", type=int, nargs="+", default=range(20), metavar="SEED")
    parser.add_argument("--only", nargs="+", default=list(SETS), choices=list(SETS), metavar="SET")
    add_outputs(parser, "the tables")
    given = parser.parse_args(arguments)

    def parts():
        for name in given.only:
            data = load(given.folder, name)
            for seed in given.seeds:
                yield list(measured(data, name, seed))

    carry_out(given, parts(), report)


if __name__ == "__main__":
    main()
