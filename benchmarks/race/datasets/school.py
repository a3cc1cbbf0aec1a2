"""Exam scores: 139 tasks of unequal size."""

from benchmark_utils import data
from benchopt import BaseDataset
from benchopt.config import get_data_path


class Dataset(BaseDataset):
    name = "school"
    requirements = ["pip::convexmtl"]
    # measured: read from benchopt's folder of data; else a synthetic stand-in.
    parameters = {"measured": [False]}

    def get_data(self):
        X, y, task = data.school(get_data_path() if self.measured else None)
        return dict(X=X, y=y, task=task)
