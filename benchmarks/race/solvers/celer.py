"""mtl_path with a single strength; the estimator does not run on current scikit-learn."""

import celer  # noqa: F401
from benchmark_utils.benchopt_solvers import ByTolerance


class Solver(ByTolerance):
    name = "celer"
    entry = "celer"
    requirements = ["pip::celer"]
