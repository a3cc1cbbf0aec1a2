"""Whether fits inside a search are close enough to the optimum to choose what exact ones do, and how flat errors are.

    python -m benchmarks.strengths FOLDER [--only NAME ...] [--sets NAME ...] [--seconds 600] [--csv FILE]

FOLDER holds the .npz files of ``benchmarks.families``, of which those for regression are taken. So that every search
takes seconds, sets are cut to at most 6 tasks (drawn, those with fewer than 15 rows left out), 20 rows per task (80 of
one X) and 8 features; the features have unit deviations. Every twin is searched at its defaults, at tol=1e-8 on
the same folds and strengths, and, where it has several ratios and so 30 strengths by default, with 100 strengths for
each ratio. A search that takes more than 3 s is compared at 10 strengths (``strengths`` says so), and not searched
with 100. Every set has the same share of ``--seconds``: what would begin after 0.7 of it is not searched with 100,
after all of it left out.

One row per set and twin:

same                whether both tolerances choose the same strengths
steps, paths        how far apart on the path the chosen strengths are, and whether on another one
difference          of the mean test loss at the two chosen points, both from the fits at tol=1e-8
in se of it         that, in standard errors of the difference over folds
in se of the mean   that, in standard errors of the mean over folds
largest error       the largest change of a fold's error by the tolerance, beside that error
100 strengths       the least mean test loss with 100 strengths per ratio, less that with as many as by default, in
                    standard errors of the mean
half the ratios     the least mean test loss with every other ratio, less that with all of them, in the same unit
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

from .families import read
from .searches import twins

TASKS, ROWS, COMMON_ROWS, FEATURES = 6, 20, 80, 8
LONG = 3.0  # seconds of a search, beyond which it is compared at fewer strengths
EXACT = {"tol": 1e-8, "max_iter": 1_000_000}


def cut(X, y, task, seed=0):
    """(X, y, task) of a size that is searched in seconds, the features with unit deviations."""
    rng = np.random.default_rng(seed)
    some = lambda n, most: np.sort(rng.permutation(n)[:most])  # noqa: E731
    if task is None:
        rows = some(len(X), COMMON_ROWS)
        X, y = X[rows][:, some(X.shape[1], FEATURES)], y[rows][:, some(y.shape[1], TASKS)]
    else:
        _, codes, sizes = np.unique(task, return_inverse=True, return_counts=True)
        large = np.flatnonzero(sizes >= 15)
        rows = [rng.permutation(np.flatnonzero(codes == t))[:ROWS] for t in large[some(len(large), TASKS)]]
        rows = np.sort(np.concatenate(rows))
        X, y, task = X[rows][:, some(X.shape[1], FEATURES)], y[rows], task[rows]
    return StandardScaler().fit_transform(X), y.astype(float), task


def sets(folder):
    """Yield (name, X, y, task, what has been cut)."""
    files = Path(folder).glob("*.npz")
    for file in sorted(files, key=lambda file: ("eeg" in file.stem, file)):
        X, y, task, classify = read(file)
        if not classify:
            shape = X.shape
            X, y, task = cut(X, y, task)
            T = y.shape[1] if task is None else len(np.unique(task))
            yield (
                file.stem,
                X,
                y,
                task,
                f"{X.shape[0]} of {shape[0]} rows, {X.shape[1]} of {shape[1]} features, {T} tasks",
            )


def search(twin, X, y, task, **parameters):
    """(errors (n_paths, n_alphas, n_folds), seconds, warnings)."""
    twin = type(twin)(**twin.get_params() | parameters)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        begin = time.perf_counter()
        twin.fit(X, y, task=task)
        seconds = time.perf_counter() - begin
    return np.reshape(twin.mse_path_, (len(twin.settings_), -1, twin.mse_path_.shape[-1])), seconds, len(caught)


def chosen(errors):
    """(path, position on it)"""
    mean = errors.mean(axis=-1)
    return tuple(int(i) for i in np.unravel_index(np.argmin(mean), mean.shape))


def standard_error(values):
    """Of the mean of values on folds."""
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))


def halved(errors):
    """The errors of every other path."""
    return errors[::2]


def compared(name, twin, X, y, task, more):
    """One row of the table; ``more`` strengths, too, if there are several ratios."""
    search(twin, X, y, task, alphas=6, cv=2)  # compiled before the clock runs
    errors, seconds, caught = search(twin, X, y, task)
    few = {"alphas": 10} if seconds > LONG else {}
    if few:
        errors, seconds, caught = search(twin, X, y, task, **few)
        more = False
    exact, seconds_exact, caught_exact = search(twin, X, y, task, **EXACT, **few)
    (p, a), (q, b) = here, there = chosen(errors), chosen(exact)
    apart = exact[here] - exact[there]
    unit, own = standard_error(exact[there]), standard_error(apart)
    row = {
        "twin": name,
        "seconds": round(seconds, 3),
        "seconds at 1e-8": round(seconds_exact, 3),
        "warnings": caught + caught_exact,
        "same": here == there,
        "steps": a - b,
        "paths": p - q,
        "difference": float(f"{apart.mean():.3g}"),
        "in se of it": round(apart.mean() / own, 3) if own > 0 else 0.0,
        "in se of the mean": round(apart.mean() / unit, 5),
        "largest error": float(f"{np.max(np.abs(errors / exact - 1)):.2g}"),
        "strength": a + 1,
        "strengths": errors.shape[1],
        "ratios": len(errors),
        "100 strengths": None,
        "half the ratios": None,
    }
    least, unit = errors.mean(axis=-1).min(), standard_error(errors[here])
    if len(errors) > 1:
        row["half the ratios"] = round((halved(errors).mean(axis=-1).min() - least) / unit, 3)
        if more:
            row["100 strengths"] = round(
                (search(twin, X, y, task, alphas=100)[0].mean(axis=-1).min() - least) / unit, 3
            )
    return row


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--only", nargs="+", metavar="TWIN")
    parser.add_argument("--sets", nargs="+", metavar="NAME")
    parser.add_argument(
        "--seconds", type=float, default=600.0, help="after which nothing is begun; half of it for more"
    )
    parser.add_argument("--csv")
    args = parser.parse_args(argv)
    found, rows, left = [one for one in sets(args.folder) if not args.sets or one[0] in args.sets], [], 0
    share = args.seconds / max(1, len(found))
    for data, X, y, task, what in found:
        begin = time.perf_counter()
        print(f"{data}: {what}", flush=True)
        for name, twin in twins(y.shape[1] if task is None else len(np.unique(task))).items():
            spent = time.perf_counter() - begin
            if args.only and name not in args.only:
                continue
            if spent > share:
                left += 1
                continue
            row = {"data": data, **compared(name, twin, X, y, task, spent < 0.7 * share)}
            rows.append(row)
            print("  ".join(f"{key} {value}" for key, value in row.items() if value is not None), flush=True)
            if args.csv:
                pd.DataFrame(rows).to_csv(args.csv, index=False)
    table = pd.DataFrame(rows)
    print(
        f"{table['same'].sum()} of {len(table)} searches choose the same strengths; the largest difference is "
        f"{table['in se of the mean'].max()} standard errors of the mean, "
        f"{table['in se of it'].max()} of the difference. In those, 100 strengths per ratio gain up to "
        f"{-table['100 strengths'].min()}, half the ratios lose up to {table['half the ratios'].max()}. "
        f"{left} searches were left out for time."
    )


if __name__ == "__main__":
    main()
