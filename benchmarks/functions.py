"""Linear models, kernels and Gaussian processes of several tasks on real data, over paired splits.

    python -m benchmarks.functions FOLDER --csv benchmarks/results/functions.csv

FOLDER holds school.npz and parkinsons.npz with X, y, task, and digits_usps_pca.npz with X, Y (0 and 1) and label. A
split deals out the rows of every task at random: 4 of each school, 20 of each patient (of whom the 16 features of the
voice are taken), or 3 images of each digit, which all ten tasks, one digit against the rest, have. The others are test
rows. All models of a split have the same rows, standardised by the training rows.

All strengths are chosen inside the training rows: those of linear models and kernels, what tasks share and the width by
three folds, those of the Gaussian process by its marginal likelihood. It learns what all tasks have in common, what
each has of its own, an intercept for each, the width and the noise, and so is given few rows: N x N matrices. The
hierarchical one is what it is by default. ``tied`` are linear models and kernels whose intercepts are as related
between tasks, and as small, as all else, which those of Gaussian processes are too; elsewhere they are free.
Gaussian processes take classes for -1 and 1.

``error`` is in %: the mean squared error on the test rows beside their variance, or the share of images whose largest
of ten values is another digit's; of these tasks ``one by one`` is the share of wrong signs, 10 % for never.
"""

import argparse
import sys
import time
import warnings
from copy import copy
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.preprocessing import StandardScaler

import convexmtl as cm

from ._table import write

ROWS = {"school": 4, "parkinsons": 20, "digits": 3}
VOICE = 3  # columns before those of the voice: age, sex and time
RATIOS = [1.0, 30.0, 1000.0]  # of what tasks have of their own to what is common: from none shared to one model
WIDTHS = [0.01, 0.1, 1.0]  # values of gamma, times the number of features
SEARCH = {"alphas": 15, "eps": 1e-5, "cv": 3}


class Part:
    """Training and test rows of one split: X, y (n,) or (n, T), and the task of each, where every task has its own."""

    def __init__(self, X, y, task, train):
        self.scaler = StandardScaler().fit(X[train])
        (self.X, self.X_test), self.task = (self.scaler.transform(X[rows]) for rows in (train, ~train)), None
        self.y, self.y_test = y[train], y[~train]
        self.given, self.given_test = ({}, {}) if task is None else ({"task": task[train]}, {"task": task[~train]})

    @property
    def classifies(self):
        return self.y.ndim == 2

    def stacked(self):
        """((N, d + 1) training rows with their task, (N,) targets, the same of the test rows but for targets)."""
        if not self.classifies:
            tasks = np.unique(self.given["task"])
            at = [np.searchsorted(tasks, given["task"]) for given in (self.given, self.given_test)]
            return np.c_[self.X, at[0]], self.y, np.c_[self.X_test, at[1]]
        T = self.y.shape[1]
        rows = [np.c_[np.repeat(X, T, axis=0), np.tile(np.arange(T), len(X))] for X in (self.X, self.X_test)]
        return rows[0], self.y.ravel(), rows[1]

    def errors(self, z):
        """{name: error in %} of predictions, of decisions (n, T) where there are classes."""
        if not self.classifies:
            return {"error": 100 * np.mean((self.y_test - z) ** 2) / np.var(self.y_test), "one by one": np.nan}
        wrong = np.argmax(z, axis=1) != np.argmax(self.y_test, axis=1)
        return {"error": 100 * np.mean(wrong), "one by one": 100 * np.mean((z > 0) != (self.y_test > 0))}


def read(folder, name):
    """(X, y, task or None, strata of the splits)"""
    data = np.load(Path(folder) / f"{'digits_usps_pca' if name == 'digits' else name}.npz")
    if name == "digits":
        return data["X"], np.where(data["Y"] > 0, 1.0, -1.0), None, data["label"]
    X = data["X"][:, VOICE:] if name == "parkinsons" else data["X"]
    return X.astype(float), data["y"].astype(float), data["task"], data["task"]


def split(strata, size, seed):
    """(n,) whether a row is one of ``size`` of its stratum, but never all of it."""
    order = np.random.default_rng(seed).permutation(len(strata))
    _, codes, counts = np.unique(strata[order], return_inverse=True, return_counts=True)
    place = np.empty(len(strata), dtype=int)
    by_stratum = np.argsort(codes, kind="stable")
    place[by_stratum] = np.arange(len(strata)) - np.repeat(np.cumsum(counts) - counts, counts)
    train = np.zeros(len(strata), dtype=bool)
    train[order] = place < np.minimum(size, counts - 1)[codes]
    return train


# --------------------------------------------------------------------------------- models


def of(model, part):
    """What a fitted estimator says of the test rows."""
    return (model.decision_function if part.classifies else model.predict)(part.X_test, **part.given_test)


def tied(part, model):
    """What ``model`` says with a column of ones in place of intercepts, whose coefficients are as all others."""
    other, mean = copy(part), part.y.mean()
    other.X, other.X_test = (np.c_[X, np.ones(len(X))] for X in (part.X, part.X_test))
    other.y = part.y - mean
    z, chosen = model(other)
    return z + mean, chosen


def linear(part, ratios, **options):
    family = cm.MeanRegularizedClassifierCV if part.classifies else cm.MeanRegularizedRegressorCV
    model = family(ratios=ratios, **options, **SEARCH).fit(part.X, part.y, **part.given)
    ratio = model.alpha_variance_ / model.alpha_mean_
    return of(model, part), {"ratio": ratio, "alpha": model.alpha_mean_}


def kernel(part, searches, ratios, **options):
    """The best of one search per ratio, which are kept in ``searches`` for others."""
    gammas = [width / part.X.shape[1] for width in WIDTHS]
    for ratio in ratios:
        if ratio not in searches:
            coupling = cm.MeanCoupling(1.0, ratio)
            if part.classifies:
                model = cm.MultiTaskSVCCV(coupling, gammas=gammas, loss="logistic", **SEARCH)
            else:
                model = cm.MultiTaskKernelRidgeCV(coupling, gammas=gammas, **options, **SEARCH)
            searches[ratio] = model.fit(part.X, part.y, **part.given)
    ratio = min(ratios, key=lambda ratio: searches[ratio].mse_path_.mean(axis=-1).min())
    model = searches[ratio]
    return of(model, part), {"ratio": ratio, "alpha": model.alpha_, "width": model.gamma_ * part.X.shape[1]}


def machine(part, ratio):
    gammas = [width / part.X.shape[1] for width in WIDTHS]
    model = cm.MultiTaskSVCCV(cm.MeanCoupling(1.0, ratio), gammas=gammas, **SEARCH).fit(part.X, part.y)
    return of(model, part), {"ratio": ratio, "alpha": model.alpha_, "width": model.gamma_ * part.X.shape[1]}


def process(part, rank=None):
    """Common and own functions; or, with a rank, any covariance of that rank and of what tasks have of their own."""
    X, y, X_test = part.stacked()
    T, fixed = int(X[:, -1].max()) + 1, {"factor_bounds": "fixed", "kappa_bounds": "fixed"}
    common = {"rank": 1, "n_tasks": T, "factor": np.ones((T, 1)), "kappa": 1e-6, **fixed}
    own = common | {"factor": np.zeros((T, 1)), "kappa": 1.0}
    width = RBF(np.sqrt(X.shape[1]), (1e-1, 1e3))
    scale = lambda value: ConstantKernel(value, (1e-5, 1e3))  # noqa: E731
    if rank is None:
        prior = scale(1.0) * cm.TaskKernel(width, **common) + scale(0.1) * cm.TaskKernel(width, **own)
    else:
        prior = cm.TaskKernel(width, rank=rank, n_tasks=T)
    prior = prior + scale(1.0) * cm.TaskKernel(ConstantKernel(1.0, "fixed"), **own) + WhiteKernel(0.5, (1e-4, 1e1))
    model = GaussianProcessRegressor(prior, normalize_y=True).fit(X, y)
    return _shaped(part, model.predict(X_test)), {"likelihood": model.log_marginal_likelihood_value_}


def hierarchical(part):
    model = cm.HierarchicalGaussianProcess().fit(part.X, part.y, **part.given)
    return model.predict(part.X_test, **part.given_test), {"width": 1.0}


def _shaped(part, z):
    return z.reshape(part.y_test.shape)


def measured(part, wanted=("",)):
    """Yield (model, predictions of the test rows, what was chosen, CPU seconds, warnings) of those that begin so."""
    searches, chosen = {}, {}
    models = {
        "linear": lambda: linear(part, RATIOS),
        "linear, apart": lambda: linear(part, RATIOS[:1]),
        "RBF, apart": lambda: kernel(part, searches, RATIOS[:1]),
        "RBF": lambda: kernel(part, searches, RATIOS),
    }
    if part.classifies:
        models["RBF, hinge"] = lambda: machine(part, chosen["RBF"]["ratio"])
        models["Gaussian process, rank 2"] = lambda: process(part, rank=2)
    else:
        free = {"fit_intercept": False}
        models["tied: linear"] = lambda: tied(part, lambda other: linear(other, RATIOS, **free))
        models["tied: RBF"] = lambda: tied(part, lambda other: kernel(other, {}, RATIOS, **free))
    models["Gaussian process"] = lambda: process(part)
    models["hierarchical process"] = lambda: hierarchical(part)
    for name, model in models.items():
        if not name.startswith(tuple(wanted)):
            continue
        start = time.process_time()
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            z, chosen[name] = model()
        yield name, z, chosen[name], time.process_time() - start, len(told)


def table(rows, beside="linear"):
    """Per data set and model the mean errors, and the paired differences from one model: mean, its error, wins."""
    rows, found = pd.DataFrame(rows), []
    for name, part in rows.groupby("data", sort=False):
        part = part.astype({"error": float, "one by one": float, "seconds": float})
        errors, means = part.pivot(index="split", columns="model", values="error"), part.groupby("model")
        for model in part["model"].unique():
            difference = (errors[model] - errors[beside]).dropna()
            found.append(
                {
                    "data": name,
                    "model": model,
                    "error": errors[model].mean(),
                    "one by one": means["one by one"].mean()[model],
                    f"minus {beside}": difference.mean(),
                    "standard error": difference.std(ddof=1) / np.sqrt(len(difference)),
                    "wins": int((difference < 0).sum()),
                    "splits": len(difference),
                    "seconds": means["seconds"].mean()[model],
                }
            )
    return pd.DataFrame(found).round(2)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="seed of the first split")
    parser.add_argument("--only", nargs="+", choices=list(ROWS), default=list(ROWS))
    parser.add_argument("--models", nargs="+", default=[""], help="how the names of those begin that are measured")
    parser.add_argument("--csv", help="file to write")
    given, rows = parser.parse_args(arguments), []
    for name in given.only:
        X, y, task, strata = read(given.folder, name)
        for seed in range(given.first, given.first + given.splits):
            part = Part(X, y, task, split(strata, ROWS[name], seed))
            for model, z, chosen, seconds, told in measured(part, given.models):
                errors = {key: f"{value:.3f}" for key, value in part.errors(z).items()}
                values = {key: f"{chosen[key]:.4g}" if key in chosen else "" for key in ("ratio", "alpha", "width")}
                rows.append({"data": name, "split": seed, "model": model, **errors, **values})
                rows[-1] |= {"seconds": f"{seconds:.2f}", "warnings": told}
                print(*rows[-1].values(), flush=True)
            write(given.csv, rows)
    if any(row["model"] == "linear" for row in rows):
        print(table(rows).to_string(index=False))


if __name__ == "__main__":
    sys.exit(main())
