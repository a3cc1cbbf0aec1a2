"""benchopt's objective: any family of penalties, judged by the duality gap seen from outside."""

import numpy as np
from benchmark_utils.families import FAMILIES
from benchmark_utils.instance import make_instance
from benchopt import BaseObjective


class Objective(BaseObjective):
    name = "Convex multi-task learning"
    min_benchopt_version = "1.6"
    requirements = ["pip::convexmtl"]
    # ratio: the strength is alpha_max divided by it.
    parameters = {"family": list(FAMILIES), "ratio": [10], "fit_intercept": [False]}
    test_config = {"family": "l1/l2", "dataset": {"n": 20, "d": 15, "T": 3}}
    test_dataset_name = "gaussian"

    def set_data(self, X, y, task=None):
        self.instance = make_instance("benchopt", (X, y, task), self.family, self.ratio, self.fit_intercept)

    def get_objective(self):
        return dict(instance=self.instance)

    def evaluate_result(self, W, b):
        W, b = np.asarray(W, dtype=float), np.asarray(b, dtype=float)
        return dict(value=self.instance.objective(W, b), relative_gap=self.instance.relative_gap(W, b))

    def get_one_result(self):
        d, T = self.instance.shape
        return dict(W=np.zeros((d, T)), b=np.zeros(T))
