"""Labels, one X for all tasks or rows of their own."""

from benchmark_utils import data
from benchopt import BaseDataset


class Dataset(BaseDataset):
    name = "classes"
    requirements = ["pip::convexmtl"]
    parameters = {"layout": ["shared", "stacked"], "T, n, d": [(10, 1000, 300)], "seed": [0]}
    test_parameters = {"T, n, d": [(3, 40, 10)]}

    def get_data(self):
        X, y, task = data.drawn(
            "clustered", self.T, self.n, self.d, layout=self.layout, classification=True, seed=self.seed
        )
        return dict(X=X, y=y, task=task)
