"""Small fits: milliseconds of the processor beside the solver, for checks, the certificate's words, and attributes.

Another checkout of the project may be measured in turns with this one, each in processes of its own.

    python -m benchmarks.overheads --against FOLDER --csv benchmarks/results/overheads.csv
"""

import argparse
import json
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np

from ._table import write

ROOT = Path(__file__).parents[1]
SIZES = {"60x12x5": (60, 12, 5, "shared"), "100x300x50": (100, 300, 50, "shared"), "20x30x50": (20, 30, 50, "stacked")}
SEARCHES = ("squared", "logistic", "quantile")


def draw(n, d, T, layout, classes, seed=1):
    """(X, y, task) with a few features in use."""
    rng = np.random.default_rng(seed)
    X = np.asfortranarray(rng.normal(size=(n if layout == "shared" else n * T, d)))
    W = np.zeros((d, T))
    W[: max(3, d // 10)] = rng.normal(size=(max(3, d // 10), T))
    task = None if layout == "shared" else np.repeat(np.arange(T), n)
    Z = X @ W if task is None else np.einsum("ij,ji->i", X, W[:, task])
    Z = Z + rng.normal(size=Z.shape)
    return X, (Z > 0).astype(int) if classes else Z, task


def fits():
    """(name, estimator, data) of the fits."""
    import convexmtl as mtl

    for size, (n, d, T, layout) in SIZES.items():
        for loss, model in (("squared", mtl.BlockSparseRegressor), ("logistic", mtl.BlockSparseClassifier)):
            X, y, task = draw(n, d, T, layout, loss == "logistic")
            alpha = mtl.alpha_max(model(1.0), X, y, task=task) / 10
            yield f"{loss}, {layout} {size}", model(alpha), (X, y, task)


def searches():
    """The same of the twins that search."""
    import convexmtl as mtl

    for loss in SEARCHES:
        model = mtl.BlockSparseClassifierCV if loss == "logistic" else mtl.BlockSparseRegressorCV
        data = draw(20, 12, 6, "stacked", loss == "logistic")
        yield f"search, {loss}, stacked 20x12x6", model(loss=loss, alphas=20, cv=3), data


def measured(seconds):
    """{name: {column: milliseconds}}, least and median."""
    from convexmtl.estimators import _base

    own, spent = _base.solve, [0.0]

    def timed(*args, **kwargs):
        begin = time.process_time()
        try:
            return own(*args, **kwargs)
        finally:
            spent[0] += time.process_time() - begin

    _base.solve = timed
    found = {}
    for name, model, (X, y, task) in (*fits(), *searches()):
        whole, beside = [], []
        end = time.process_time() + seconds
        while time.process_time() < end or len(whole) < 4:
            spent[0], begin = 0.0, time.process_time()
            model.fit(X, y, task=task)
            whole.append(time.process_time() - begin)
            beside.append(whole[-1] - spent[0])
        # (The first ones load what is compiled.)
        columns = {"fit": whole[2:], "beside": [np.nan] if name.startswith("search") else beside[2:]}
        found[name] = {
            f"{column}_{least}": 1e3 * float(take(values))
            for column, values in columns.items()
            for least, take in (("least", np.min), ("median", np.median))
        }
    return found


def elsewhere(folder, seconds):
    """What is measured with the package of a folder, in a process of its own."""
    code = f"import json; from benchmarks import overheads as o; print(json.dumps(o.measured({seconds})))"
    # (This script, and the package from there: the folder comes first but for its benchmarks.)
    paths = {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    load = f"import sys; sys.path.insert(0, {str(folder)!r}); import convexmtl; sys.path.insert(0, {str(ROOT)!r}); "
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", load + code],
        cwd=ROOT, env={**os.environ, **paths}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, metavar="FOLDER", help="another checkout, measured in turns")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="of the processor for every fit and round")
    parser.add_argument("--csv")
    given = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    states = {"before": given.against} if given.against else {}
    states["now"] = ROOT
    found = {state: [] for state in states}
    for _ in range(given.rounds):
        for state, folder in states.items():
            found[state].append(elsewhere(folder, given.seconds))
    rows = []
    for name in found["now"][0]:
        for state, rounds in found.items():
            best = {column: min(one[name][column] for one in rounds) for column in rounds[0][name]}
            rows.append({"problem": name, "state": state, **{c: f"{value:.3f}" for c, value in best.items()}})
            print(*rows[-1].values(), flush=True)
    write(given.csv, rows)


if __name__ == "__main__":
    main()
