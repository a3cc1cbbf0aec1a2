"""fistaFlat on a matrix of targets."""

import spams  # noqa: F401
from benchmark_utils.benchopt_solvers import ByTolerance


class Solver(ByTolerance):
    name = "spams"
    entry = "spams"
    requirements = ["pip::spams-bin"]
