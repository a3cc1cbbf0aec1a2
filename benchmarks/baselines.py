"""One strength for all tasks or one for each: which makes the stronger baseline of one model per task?

    python -m benchmarks.baselines [--seeds 10] [--csv FILE]

Thirty drawn tasks with ten features and normal noise of variance 1, of n rows each or of 5 to 200, whose coefficients
have the same size for all tasks (equal) or one between 0.1 and 3.2 (unequal); and the Exam schools, of whose pupils
four fifths are for training. Printed are the means over the tasks of the test errors, less the variance of the noise
of drawn ones, for one strength for all tasks and one for each, and the share of the tasks for which one each is better.
"""

import argparse

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

from convexmtl import SingleTaskRegressorCV
from convexmtl.datasets import load_exam
from convexmtl.model_selection import TaskShuffleSplit

T, D, N_TEST = 30, 10, 500
CASES = [(size, kind) for kind in ("equal", "unequal") for size in (8, 15, 40, 100, "5 to 200")] + [("Exam", "")]


def drawn(size, kind, seed):
    """(X, y, task, test X, test y, test task)"""
    rng = np.random.default_rng(seed)
    sizes = np.exp(rng.uniform(np.log(5), np.log(200), T)).astype(int) if isinstance(size, str) else np.full(T, size)
    scale = np.ones(T) if kind == "equal" else 10 ** rng.uniform(-1, 0.5, T)
    W = scale[:, None] * rng.standard_normal((T, D)) / np.sqrt(D)
    out = []
    for rows in (sizes, np.full(T, N_TEST)):
        task = np.repeat(np.arange(T), rows)
        X = rng.standard_normal((len(task), D))
        out += [X, np.sum(X * W[task], axis=1) + rng.standard_normal(len(task)), task]
    return out


def exam(seed):
    data = load_exam()
    X = StandardScaler().fit_transform(data.data)
    train, test = next(TaskShuffleSplit(1, test_size=0.2, random_state=seed).split(X, groups=data.task))
    return [part[rows] for rows in (train, test) for part in (X, data.target, data.task)]


def errors(X, y, task, X_test, y_test, task_test):
    """(T,) test errors of one strength for all tasks, and of one for each."""
    common = SingleTaskRegressorCV().fit(X, y, task=task)
    found = []
    for label in common.tasks_:
        own, test = task == label, task_test == label
        if np.sum(own) > 1 and test.any():
            alone = SingleTaskRegressorCV(cv=min(5, np.sum(own))).fit(X[own], y[own])
            sides = common.predict(X_test[test], task=task_test[test]), alone.predict(X_test[test])
            found.append([np.mean((z - y_test[test]) ** 2) for z in sides])
    return np.array(found).T


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--csv")
    options = parser.parse_args(arguments)
    rows = []
    for size, kind in CASES:
        found = [errors(*(exam(seed) if size == "Exam" else drawn(size, kind, seed))) for seed in range(options.seeds)]
        noise = 0 if size == "Exam" else 1
        means = np.mean([both.mean(axis=1) - noise for both in found], axis=0)
        better = np.mean([np.mean(each < common) for common, each in found])
        rows.append({"rows per task": size, "signals": kind, "one for all": means[0], "one each": means[1]})
        rows[-1] = {**rows[-1], "one each better": better}
        print(rows[-1], flush=True)
    if options.csv:
        pd.DataFrame(rows).round(4).to_csv(options.csv, index=False)


if __name__ == "__main__":
    main()
