"""Neighbouring features correlated, one X for all tasks."""

from benchmark_utils import data
from benchopt import BaseDataset


class Dataset(BaseDataset):
    name = "gaussian"
    requirements = ["pip::convexmtl"]
    parameters = {
        "n, d, T": [(300, 7500, 100), (500, 5000, 50), (2000, 500, 20), (64, 4000, 20), (100, 300, 50)],
        "seed": [0],
    }
    test_parameters = {"n, d, T": [(20, 15, 3)]}

    def get_data(self):
        X, y, task = data.gaussian(self.n, self.d, self.T, seed=self.seed)
        return dict(X=X, y=y, task=task)
