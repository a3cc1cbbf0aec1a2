"""The bare LAPACK calls that quadratic couplings need."""

from benchmark_utils.benchopt_solvers import ByTolerance


class Solver(ByTolerance):
    name = "LAPACK calls"
    entry = "LAPACK calls"
    requirements = ["pip::convexmtl"]
    test_config = {"dataset": {"name": "gaussian"}, "objective": {"family": "ridge"}}
