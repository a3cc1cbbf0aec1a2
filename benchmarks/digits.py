"""USPS digits, 64 principal components, one against the rest: relatives beside their convex siblings.

    python -m benchmarks.digits FOLDER --csv benchmarks/results/digits.csv

FOLDER holds digits_usps_pca.npz (X, Y of 10 tasks, fold: 1,000 images to train, 500 to choose strengths, 500 to
test, the split of Kang, Grauman and Sha 2011). Of the images to train with, ``rows`` are drawn, as many of every digit,
in five draws; or all are taken, once. All models have the logistic loss, and the strength with the fewest wrong digits
of the second part, of five; numbers of groups, latent tasks or directions are said in the name, and GroupedTasks has
one start. ``wrong_digits`` are images whose largest score of ten is not that of their digit, ``wrong_one_by_one`` wrong
signs, means over the tasks, in %.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import convexmtl as mtl
from convexmtl import relatives

from ._table import write

STRENGTHS = np.logspace(-3, 0, 5)
LOGISTIC = {"loss": "logistic"}
MODELS = {
    "single-task": lambda a: mtl.MeanRegularizedClassifier(a, a, **LOGISTIC),
    "MeanRegularized": lambda a: mtl.MeanRegularizedClassifier(a, 10 * a, **LOGISTIC),
    "BlockSparse": lambda a: mtl.BlockSparseClassifier(a, **LOGISTIC),
    "TraceNorm": lambda a: mtl.TraceNormClassifier(a, **LOGISTIC),
    "TaskRelationship": lambda a: mtl.TaskRelationshipClassifier(a / 10, **LOGISTIC),
    "SharedStructure, 5": lambda a: mtl.SharedStructureClassifier(a, 0.1, 5, **LOGISTIC),
    "AlternatingStructure, 5": lambda a: relatives.AlternatingStructureClassifier(5, a, **LOGISTIC),
    "GroupedTasks, 7": lambda a: relatives.GroupedTasksClassifier(7, a, a, n_init=1, **LOGISTIC),
    "GroupedSubspaces, 2": lambda a: relatives.GroupedSubspacesClassifier(2, a / 10, n_init=3, **LOGISTIC),
    "SharedHypotheses, 8": lambda a: relatives.SharedHypothesesClassifier(8, a, n_init=3, **LOGISTIC),
}


def errors(model, X, label):
    scores = np.asarray(model.decision_function(X))
    wrong = (scores > 0) != (label[:, None] == np.arange(scores.shape[1]))
    return 100 * np.mean(scores.argmax(axis=1) != label), 100 * np.mean(wrong)


def drawn(label, train, n, rng):
    """Rows of the training part, n of every digit."""
    return np.concatenate([rng.permutation(train[label[train] == digit])[:n] for digit in np.unique(label)])


def measured(folder, sizes, seeds, only=None):
    data = np.load(Path(folder) / "digits_usps_pca.npz")
    X, Y, fold = data["X"], data["Y"], data["fold"]
    label = Y.argmax(axis=1)
    train, valid, test = (np.flatnonzero(fold == k) for k in range(3))
    for n in sizes:
        for seed in range(seeds if n else 1):
            rows = drawn(label, train, n, np.random.default_rng(seed)) if n else train
            for name, make in MODELS.items():
                if only and name not in only:
                    continue
                began, fits = time.process_time(), []
                for strength in STRENGTHS:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore", UserWarning)
                        model = make(strength).fit(X[rows], Y[rows])
                    fits.append((errors(model, X[valid], label[valid]), strength, model))
                _, strength, model = min(fits, key=lambda fit: fit[0])
                wrong, by_task = errors(model, X[test], label[test])
                yield {
                    "rows": len(rows),
                    "seed": seed,
                    "model": name,
                    "strength": f"{strength:.3g}",
                    "wrong_digits": f"{wrong:.1f}",
                    "wrong_one_by_one": f"{by_task:.2f}",
                    "seconds": f"{time.process_time() - began:.2f}",
                }


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--sizes", nargs="+", type=int, default=[5, 20, 0], help="of every digit; 0 is all")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--csv")
    options = parser.parse_args(arguments)
    rows = []
    for row in measured(options.folder, options.sizes, options.seeds, options.only):
        rows.append(row)
        print(*row.values(), flush=True)
    table = pd.DataFrame(rows).astype({"wrong_digits": float, "wrong_one_by_one": float, "seconds": float})
    found = table.groupby(["rows", "model"], sort=False)[["wrong_digits", "wrong_one_by_one", "seconds"]]
    print(found.agg(["mean", "std"]).round(2).to_string())
    write(options.csv, rows)


if __name__ == "__main__":
    main()
