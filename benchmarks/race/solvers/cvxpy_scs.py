"""The textbook definition, by operator splitting."""

import scs  # noqa: F401
from benchmark_utils.benchopt_solvers import ByTolerance


class Solver(ByTolerance):
    name = "cvxpy SCS"
    entry = "cvxpy SCS"
    requirements = ["pip::cvxpy", "pip::scs"]
