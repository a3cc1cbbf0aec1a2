"""Steps that lower an objective, from several starts: the loop of all models that are not convex."""

from typing import Any, NamedTuple

import numpy as np


class Descent(NamedTuple):
    """Where the steps from one start have led."""

    state: Any
    history: list  # the objective at the start and after every step; it never rises
    converged: bool
    risen: float  # by how much the last step would have raised it, 0 where none would

    @property
    def objective(self):
        return self.history[-1]


def descend(state, objective, step, *, enough, slack, max_iter, show=None):
    """Take steps until one lowers the objective by no more than ``enough``.

    A step that raises it is not taken, and is the last one: by up to ``slack``, which is what convex fits inside a step
    may leave, it says that there is nothing more to gain; beyond, that something is wrong.

    Parameters
    ----------
    state : object
        Where to begin; whatever ``step`` and ``objective`` take.
    objective : callable
        objective(state) -> float, computed from what the state says alone.
    step : callable
        step(state) -> state
    show : callable or None
        show(n_steps, objective)

    Returns
    -------
    Descent
    """
    history = [float(objective(state))]
    for k in range(max_iter):
        new = step(state)
        value = float(objective(new))
        if not value <= history[-1]:
            risen = value - history[-1]
            return Descent(state, history, bool(risen <= slack), risen)
        state = new
        history.append(value)
        if show is not None:
            show(k + 1, value)
        if history[-2] - value <= enough:
            return Descent(state, history, True, 0.0)
    return Descent(state, history, False, 0.0)


def agreeing(objectives, within):
    """How many of the objectives are no further than that above the least one."""
    objectives = np.asarray(objectives)
    return int(np.sum(objectives <= objectives.min() + within))
