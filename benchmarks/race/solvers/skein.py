"""MultiTaskLassoRegressor."""

import skein_glm  # noqa: F401
from benchmark_utils.benchopt_solvers import ByTolerance


class Solver(ByTolerance):
    name = "skein-glm"
    entry = "skein-glm"
    requirements = ["pip::skein-glm"]
