"""The textbook definition, by an interior-point method."""

import clarabel  # noqa: F401
from benchmark_utils.benchopt_solvers import ByTolerance


class Solver(ByTolerance):
    name = "cvxpy Clarabel"
    entry = "cvxpy Clarabel"
    requirements = ["pip::cvxpy", "pip::clarabel"]
