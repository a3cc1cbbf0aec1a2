"""GroupLassoRegressor and SparseGroupLassoRegressor on the block-diagonal design."""

import skein_glm  # noqa: F401
from benchmark_utils.benchopt_solvers import ByTolerance


class Solver(ByTolerance):
    name = "skein-glm, block-diagonal X"
    entry = "skein-glm, block-diagonal X"
    requirements = ["pip::skein-glm"]
    test_config = {"dataset": {"name": "stacked"}, "objective": {"family": "l1/l2"}}
