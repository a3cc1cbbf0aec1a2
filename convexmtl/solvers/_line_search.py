"""The step of the Newton-like solvers."""

import numpy as np

from ..certificate import duality_gap


def line_search(problem, parts, new, certificate, dual=None, bound=True):
    """Move the parts towards new ones by a step that decreases the objective.

    Halves a step of 1 until the objective falls by at least a small share of what the model promises, which is
    the gradient of the loss along the move plus the change of the penalty.

    Parameters
    ----------
    problem : Problem
    parts, new : tuple of (d, T) arrays
    certificate : Certificate
        Of ``parts``.
    dual : Dual or None
        Of the new ones.
    bound : bool
        Whether the new certificate is to have one.

    Returns
    -------
    parts, certificate
        Both unchanged where no step helps.
    """
    moves = tuple(target - old for old, target in zip(parts, new, strict=True))
    move = sum(moves)
    promised = problem.penalty.value(new) - problem.penalty.value(parts)
    pull = problem.penalty.coupling.apply(sum(parts))
    promised -= float(np.sum(certificate.Z * move)) + 2 * float(np.sum(pull * move))
    rounding = 1e-15 * abs(certificate.primal)
    step = 1.0
    for _ in range(40):
        trial = new if step == 1.0 else tuple(old + step * m for old, m in zip(parts, moves, strict=True))
        most = certificate.primal + 1e-4 * step * min(promised, 0.0) + rounding
        after = duality_gap(problem, trial, start=certificate.intercept, most=most, dual=dual, bound=bound)
        if after.primal <= most:
            return trial, after
        step *= 0.5
    return parts, certificate
