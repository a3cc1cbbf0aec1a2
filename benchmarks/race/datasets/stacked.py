"""Every task has its own rows; what the tasks share is the kind."""

from benchmark_utils import data
from benchopt import BaseDataset


class Dataset(BaseDataset):
    name = "stacked"
    requirements = ["pip::convexmtl"]
    parameters = {"kind": ["block_sparse"], "T, n, d": [(50, 100, 1000), (1000, 30, 50)], "seed": [0]}
    test_parameters = {"T, n, d": [(3, 15, 10)]}

    def get_data(self):
        X, y, task = data.drawn(self.kind, self.T, self.n, self.d, seed=self.seed)
        return dict(X=X, y=y, task=task)
