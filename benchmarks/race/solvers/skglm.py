"""MultiTaskLasso."""

import skglm  # noqa: F401
from benchmark_utils.benchopt_solvers import ByTolerance


class Solver(ByTolerance):
    name = "skglm"
    entry = "skglm"
    requirements = ["pip::skglm"]
