"""GroupBCD on the block-diagonal design."""

import skglm  # noqa: F401
from benchmark_utils.benchopt_solvers import ByTolerance


class Solver(ByTolerance):
    name = "skglm, block-diagonal X"
    entry = "skglm, block-diagonal X"
    requirements = ["pip::skglm"]
    test_config = {"dataset": {"name": "stacked"}, "objective": {"family": "l1/l2"}}
