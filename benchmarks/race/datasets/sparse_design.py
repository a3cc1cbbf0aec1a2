"""X sparse, one for all tasks."""

from benchmark_utils import data
from benchopt import BaseDataset


class Dataset(BaseDataset):
    name = "sparse"
    requirements = ["pip::convexmtl"]
    parameters = {"n, d, T, density": [(20000, 50000, 10, 0.001)], "seed": [0]}
    test_parameters = {"n, d, T, density": [(40, 30, 3, 0.2)]}

    def get_data(self):
        X, y, task = data.sparse_design(self.n, self.d, self.T, self.density, seed=self.seed)
        return dict(X=X, y=y, task=task)
