"""Do prediction intervals hold their coverage, on average over the tasks and task by task, and how wide are they?

    python -m benchmarks.intervals [--seeds 100] [--first 0] [--tasks 60] [--jobs 1] [--csv FILE]

Tasks of 20 training rows, fitted around their mean, and 2 to 200 calibration rows; the tasks are drawn once for each
kind, their rows, and which of them has how many, anew for every seed. Kinds of tasks: with the same noise; with noise
that differs; with heavy tails (Student's t, 3 degrees of freedom) too; one in ten with a model that is far off; and
noisier the fewer rows a task has, which the rule for borrowing does not allow for (there every task keeps its number of
rows). The coverage of a task is its share of 300 new rows that are inside, in the mean over the seeds. Widths are in
units of the smallest ones that would do, task by task; beside them what all residuals in one pool have, for all tasks
alike.
"""

import argparse
import warnings

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from convexmtl import MeanRegularizedRegressor, prediction_interval

KINDS = ("alike", "heteroscedastic", "heavy tails", "outlier tasks", "noisier where smaller")
SIZES = {"2": [2], "5": [5], "10": [10], "20": [20], "50": [50], "200": [200], "2 to 200": [2, 5, 10, 20, 50, 200]}
ALPHAS = (0.05, 0.1, 0.2)
N_TRAIN, N_TEST, N_FEATURES = 20, 300, 5


class Population:
    """Tasks of one kind.

    Parameters
    ----------
    kind : str
    sizes : list of int
        Calibration rows that a task may have.
    n_tasks : int
    """

    def __init__(self, kind, sizes, n_tasks):
        rng = np.random.default_rng(0)
        self.kind, self.n_calibration = kind, rng.choice(sizes, size=n_tasks)
        self.W = rng.normal(size=N_FEATURES) + 0.5 * rng.normal(size=(n_tasks, N_FEATURES))
        spread = {"heteroscedastic": 0.7, "heavy tails": 0.5, "outlier tasks": 0.3}.get(kind, 0.0)
        self.scale = np.exp(spread * rng.normal(size=n_tasks))
        if kind == "noisier where smaller":
            self.scale = 3.0 / np.sqrt(self.n_calibration)
        self.off = np.where(rng.uniform(size=n_tasks) < 0.1, 5.0, 0.0) if kind == "outlier tasks" else 0.0

    def draw(self, counts, rng, later):
        """(X, y, task): so many rows of every task; targets of outlier tasks are others ``later``."""
        task = np.repeat(np.arange(len(self.scale)), counts)
        X = rng.normal(size=(len(task), N_FEATURES))
        noise = rng.standard_t(3, size=len(task)) if self.kind == "heavy tails" else rng.normal(size=len(task))
        noise = noise + later * np.broadcast_to(self.off, self.scale.shape)[task]
        return X, np.einsum("ij,ij->i", X, self.W[task]) + self.scale[task] * noise, task


def one(population, seed):
    """{alpha: (coverage (T,), width over the smallest that would do (T,), source (T,), those of one pool)}."""
    rng, T = np.random.default_rng([seed, 1]), len(population.scale)
    X, y, task = population.draw(N_TRAIN, rng, False)
    model = MeanRegularizedRegressor().fit(X, y, task=task)
    sizes = population.n_calibration
    sizes = sizes if population.kind == "noisier where smaller" else rng.permutation(sizes)
    X_cal, y_cal, own = population.draw(sizes, rng, True)
    X, y, task = population.draw(N_TEST, rng, True)
    residuals = np.abs(y - model.predict(X, task=task)).reshape(T, -1)
    pool = np.sort(np.abs(y_cal - model.predict(X_cal, task=own)))
    found = {}
    for alpha in ALPHAS:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*infinite intervals")
            interval = prediction_interval(model, X_cal, y_cal, task=own, alpha=alpha)
        width, needed = interval.half_width, np.quantile(residuals, 1 - alpha, axis=1)
        one_pool = pool[min(int(np.ceil((1 - alpha) * (len(pool) + 1))), len(pool)) - 1]
        inside, inside_pool = (np.mean(residuals <= w, axis=1) for w in (width[:, None], one_pool))
        found[alpha] = inside, width / needed, interval.source, inside_pool, one_pool / needed
    return found


def table(kind, name, n_tasks, found):
    """Rows, one for each alpha, of what ``one`` has found for every seed."""
    for alpha in ALPHAS:
        inside, width, source, inside_pool, width_pool = (
            np.array(a) for a in zip(*(f[alpha] for f in found), strict=True)
        )
        of_seed = inside.mean(axis=1)
        row = {"tasks": kind, "calibration rows": name, "alpha": alpha, "coverage": inside.mean()}
        row["standard error"] = of_seed.std(ddof=1) / np.sqrt(len(found))
        for which in ("own", "borrowed", "infinite"):
            some = source == which
            row[f"{which}: tasks"] = some.sum() / len(found)
            if which != "infinite":
                times = some.sum(axis=0)
                of_task = np.divide((inside * some).sum(axis=0), times, out=np.full(n_tasks, np.nan), where=times > 0)
                row[f"{which}: coverage"] = inside[some].mean() if some.any() else np.nan
                row[f"{which}: least of a task"] = np.nanmin(of_task) if some.any() else np.nan
        finite = np.isfinite(width)
        row["width"] = np.mean(width[finite]) if finite.any() else np.inf
        row |= {"pool: coverage": inside_pool.mean(), "pool: least of a task": inside_pool.mean(axis=0).min()}
        yield row | {"pool: width": width_pool.mean(), "seeds": len(found)}


def main(seeds=100, first=0, n_tasks=60, jobs=1):
    """The table, as a data frame."""
    rows = []
    for kind in KINDS:
        for name, sizes in SIZES.items():
            population = Population(kind, sizes, n_tasks)
            found = Parallel(n_jobs=jobs)(delayed(one)(population, seed) for seed in range(first, first + seeds))
            rows += list(table(kind, name, n_tasks, found))
            print(pd.DataFrame(rows[-len(ALPHAS) :]).round(3).to_string(header=len(rows) == len(ALPHAS)), flush=True)
    return pd.DataFrame(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--tasks", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--csv")
    given = parser.parse_args()
    frame = main(given.seeds, given.first, given.tasks, given.jobs)
    if given.csv:
        frame.round(4).to_csv(given.csv, index=False)
