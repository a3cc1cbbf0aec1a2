"""The same over W and a second matrix together, as the toolkits have it."""

from benchmark_utils.benchopt_solvers import ByIteration


class Solver(ByIteration):
    name = "textbook joint APG"
    entry = "textbook joint APG"
    requirements = ["pip::convexmtl"]
    test_config = {"dataset": {"name": "stacked"}, "objective": {"family": "dirty"}}
