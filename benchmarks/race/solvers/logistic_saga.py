"""LogisticRegression, one task after the other, for penalties that separate."""

from benchmark_utils.benchopt_solvers import ByTolerance


class Solver(ByTolerance):
    name = "scikit-learn saga per task"
    entry = "scikit-learn saga per task"
    requirements = ["pip::scikit-learn>=1.9"]
    test_config = {"dataset": {"name": "classes"}, "objective": {"family": "l1/l1"}}
