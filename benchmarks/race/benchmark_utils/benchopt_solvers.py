"""What the benchopt solvers have in common: each is a row of the table in ``solvers``."""

from benchopt import BaseSolver

from .solvers import SOLVER


class FromTable(BaseSolver):
    """``entry`` names the row."""

    entry = None

    def skip(self, instance):
        applies = SOLVER[self.entry].applies(instance)
        return not applies, None if applies else f"{self.entry} does not solve this problem"

    def get_result(self):
        W, b = self.result
        return dict(W=W, b=b)


class ByTolerance(FromTable):
    """Solvers that are given a tolerance, each in its own units."""

    sampling_strategy = "tolerance"

    def set_objective(self, instance):
        self.solve = SOLVER[self.entry].prepare(instance)

    def warm_up(self):
        if SOLVER[self.entry].compiles:
            self.run_once(1e-2)

    def run(self, tolerance):
        self.result = self.solve(tolerance)


class ByIteration(FromTable):
    """Methods that show their iterates."""

    sampling_strategy = "callback"

    def set_objective(self, instance):
        self.instance = instance
        self.result = instance.zero()[0], [0.0] * instance.shape[1]

    def run(self, callback):
        for read in SOLVER[self.entry].method(self.instance):
            self.result = read()
            if not callback():
                return
