"""Classifier, one task after the other."""

import cyanure  # noqa: F401
from benchmark_utils.benchopt_solvers import ByTolerance


class Solver(ByTolerance):
    name = "cyanure per task"
    entry = "cyanure per task"
    requirements = ["pip::cyanure"]
    test_config = {"dataset": {"name": "classes"}, "objective": {"family": "l1/l1"}}
