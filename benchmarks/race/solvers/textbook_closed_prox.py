"""The same with a prox in closed form that the toolkits do not have."""

from benchmark_utils.benchopt_solvers import ByIteration


class Solver(ByIteration):
    name = "textbook APG, closed prox"
    entry = "textbook APG, closed prox"
    requirements = ["pip::convexmtl"]
    test_config = {"dataset": {"name": "stacked"}, "objective": {"family": "squared trace norm"}}
