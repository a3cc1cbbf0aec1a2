"""W and Sigma in turn."""

from benchmark_utils.benchopt_solvers import ByIteration


class Solver(ByIteration):
    name = "textbook alternation"
    entry = "textbook alternation"
    requirements = ["pip::convexmtl"]
    test_config = {"dataset": {"name": "stacked"}, "objective": {"family": "squared trace norm"}}
