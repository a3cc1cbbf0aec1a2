"""Accelerated proximal gradient with line search, as textbooks have it."""

from benchmark_utils.benchopt_solvers import ByIteration


class Solver(ByIteration):
    name = "textbook APG"
    entry = "textbook APG"
    requirements = ["pip::convexmtl"]
