"""convexmtl, as users call it."""

from benchmark_utils.benchopt_solvers import ByTolerance


class Solver(ByTolerance):
    name = "convexmtl"
    entry = "convexmtl"
    requirements = ["pip::convexmtl"]
