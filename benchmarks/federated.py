"""What differential privacy costs: the accuracy of federated fits as epsilon falls.

    python -m benchmarks.federated --csv benchmarks/results/federated.csv

5 parties with rows of 8 related tasks (a mean-regularised model drawn anew for every seed, 10 features within [-1, 1],
a signal that is twice as large as the noise, delta = 1e-6). For 300, 3,000 and 30,000 rows of every task in all, R^2 on
20,000 new rows: of the fit to all rows ("exact", which is what parties without privacy get), of each party alone
("alone", the mean of the five), and of federated fits with noise. Bounds are chosen without looking at the rows: the
length of rows that only one in thousands is beyond, and three times what targets deviate. The strength is that of the
class, for all alike. Medians over the seeds, and the worst of them. The same of the signs of the targets, by the
logistic loss in three rounds: the share of new rows whose class is met.
"""

import argparse
import sys
import warnings
from itertools import product

import numpy as np

import convexmtl as cm
from convexmtl.federated import LocalTransport, Party, Privacy, fit

from ._table import write

T, D, PARTIES, DELTA = 8, 10, 5, 1e-6
EPSILONS = [30.0, 10.0, 3.0, 1.0, 0.3, 0.1]
SIZES = [300, 3000, 30_000]


def drawn(n, seed):
    """(X, y, task, new X, y and task, who has which row)."""
    rng = np.random.default_rng(seed)
    W = (rng.standard_normal((D, 1)) + 0.5 * rng.standard_normal((D, T))) * np.sqrt(3 / (1.25 * D))
    found = []
    for size in (n * T, 20_000):
        X, task = rng.uniform(-1, 1, (size, D)), rng.permutation(np.arange(size) % T)
        found += [X, np.einsum("ij,ji->i", X, W[:, task]) + 0.5 * rng.standard_normal(size), task]
    return *found, rng.integers(PARTIES, size=n * T)


def scores(loss, n, seed, epsilons):
    """Yield (what, R^2 or accuracy)."""
    X, y, task, X_new, y_new, task_new, who = drawn(n, seed)
    model = cm.MeanRegularizedRegressor()
    if loss == "logistic":
        y, y_new, model = np.sign(y), np.sign(y_new), cm.MeanRegularizedClassifier()
    parts = [(X[who == p], y[who == p], task[who == p]) for p in range(PARTIES)]

    def score(fitted):
        return fitted.score(X_new, y_new, task=task_new)

    yield "exact", score(model.fit(X, y, task=task))
    yield "alone", np.mean([score(model.fit(A, b, task=t)) for A, b, t in parts])
    for epsilon in epsilons:
        privacy = Privacy(epsilon, DELTA, bound_X=1.25 * np.sqrt(D / 3), bound_y=3.0)
        with warnings.catch_warnings():
            # (That some rows are longer than the bounds.)
            warnings.simplefilter("ignore", UserWarning)
            parties = [Party(*part, privacy=privacy, random_state=seed * 100 + p) for p, part in enumerate(parts)]
            yield f"epsilon={epsilon:g}", score(fit(model, LocalTransport(parties)))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--losses", nargs="+", default=["squared", "logistic"])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--epsilons", type=float, nargs="+", default=EPSILONS)
    parser.add_argument("--csv")
    options = parser.parse_args(arguments)
    rows = []
    for loss, n in product(options.losses, options.sizes):
        found = [dict(scores(loss, n, seed, options.epsilons)) for seed in range(options.seeds)]
        for what in found[0]:
            values = [one[what] for one in found]
            figures = dict(score=f"{np.median(values):.3f}", worst=f"{min(values):.3f}")
            rows.append(dict(loss=loss, rows_per_task=n, fit=what) | figures)
            print(*rows[-1].values(), sep="\t", flush=True)
    write(options.csv, rows)


if __name__ == "__main__":
    sys.exit(main())
