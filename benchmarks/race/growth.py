"""How the time grows with n, d and T: each over a factor of 16, the others fixed, to the same relative gap.

python -m benchmarks.race.growth
"""

import time
import warnings

import numpy as np
from sklearn.base import clone

from .benchmark_utils import data
from .benchmark_utils.instance import make_instance

TOLERANCE = 1e-6
BASE = {"n": 1000, "d": 2000, "T": 10}
FACTORS = (1, 2, 4, 8, 16)
# The smallest of each: large enough for the time not to be that of Python.
FROM = {"n": 1000, "d": 2500, "T": 20, "T stacked": 20}


def measure(quick=False):
    """One dict per size; the exponent of each quantity in all of its rows."""
    scale, factors, runs = (10, FACTORS[:3], 2) if quick else (1, FACTORS, 7)
    rows = []
    for quantity, smallest in FROM.items():
        smallest = max(2, smallest // scale)
        sizes = [smallest * factor for factor in factors]
        instances = [_instance(quantity, size, scale) for size in sizes]
        seconds, sweeps = _times(instances, runs)
        medians = np.median(seconds, axis=1)
        exponent = float(np.polyfit(np.log(sizes), np.log(medians), 1)[0])
        print(f"    {quantity}: exponent {exponent:.2f}, seconds {np.round(medians, 4).tolist()}", flush=True)
        for i, size in enumerate(sizes):
            numbers = dict(seconds=float(medians[i]), low=float(seconds[i].min()), high=float(seconds[i].max()))
            more = dict(runs=runs, iterations=sweeps[i], exponent=exponent)
            rows.append({"quantity": quantity, "size": size, **numbers, **more})
    return rows


def _instance(quantity, size, scale):
    """Same number of features in use, same signal, same alpha_max / alpha."""
    if quantity == "T stacked":
        drawn = data.drawn("block_sparse", T=size, n=50, d=500 // scale, n_informative=5)
    else:
        sizes = {name: max(4, value // scale) for name, value in BASE.items()} | {quantity: size}
        drawn = data.gaussian(**sizes, n_informative=min(10, sizes["d"]), correlation=0.0)
    return make_instance(f"{quantity} = {size}", drawn, "l1/l2", 10)


def _times(instances, runs):
    """((sizes, runs) seconds, iterations), in turns."""
    seconds = np.empty((len(instances), runs + 1))
    iterations = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for run in range(runs + 1):
            for i, instance in enumerate(instances):
                model = clone(instance.estimator).set_params(tol=TOLERANCE)
                start = time.perf_counter()
                model.fit(instance.X, instance.y, task=instance.task)
                seconds[i, run] = time.perf_counter() - start
                if run == 0:
                    iterations.append(model.n_iter_)
    # The first ones are not hot.
    return seconds[:, 1:], iterations


if __name__ == "__main__":
    measure()
