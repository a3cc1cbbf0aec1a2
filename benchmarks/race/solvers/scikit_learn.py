"""MultiTaskLasso."""

from benchmark_utils.benchopt_solvers import ByTolerance


class Solver(ByTolerance):
    name = "scikit-learn"
    entry = "scikit-learn"
    requirements = ["pip::scikit-learn>=1.9"]
