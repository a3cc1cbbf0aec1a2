"""grpnet with a multigaussian loss."""

import adelie  # noqa: F401
from benchmark_utils.benchopt_solvers import ByTolerance


class Solver(ByTolerance):
    name = "adelie"
    entry = "adelie"
    requirements = ["pip::adelie"]
