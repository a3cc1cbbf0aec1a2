"""Regression on a matrix of targets."""

import cyanure  # noqa: F401
from benchmark_utils.benchopt_solvers import ByTolerance


class Solver(ByTolerance):
    name = "cyanure"
    entry = "cyanure"
    requirements = ["pip::cyanure"]
