"""Strengths: where the useful ones begin."""

import numpy as np

from .certificate import duality_gap
from .solvers.proximal_gradient import largest_curvature


def alpha_max(estimator, X, y, task=None, sample_weight=None):
    """The smallest strength for which all coefficients are zero.

    With a norm, W = 0 is optimal if and only if the dual norm of the gradient at W = 0 is at most 1.
    Quadratic penalties never give exact zeros; for them it is the strength at which the penalty's smallest
    positive curvature equals the largest curvature of the loss, so that everything is at least halved.

    Parameters
    ----------
    estimator : estimator of convexmtl
        With more than one strength, their ratios are kept.
    X, y, task, sample_weight
        As in ``estimator.fit``.

    Returns
    -------
    float, or dict of str -> float
        The strength; with more than one, each by its name.
    """
    formulation = estimator._formulate(X, y, sample_weight, task)
    factor = critical_factor(formulation.problem)
    names = formulation.strengths
    values = {name: float(value * factor) for name, value in names.items()}
    return next(iter(values.values())) if len(values) == 1 else values


def critical_factor(problem):
    """What all strengths are to be multiplied by to reach the point described in ``alpha_max``."""
    penalty, T = problem.penalty, problem.shape[1]
    Z = duality_gap(problem, problem.zeros()).Z
    norms = [term.dual_norm(Z) for term in penalty.terms if term.is_norm]
    if norms:
        return max(norms)
    curvatures = [2 * value for value in np.linalg.eigvalsh(penalty.M) if value > 1e-12 * np.abs(penalty.M).max()]
    probe = np.zeros((1, T))
    for term in penalty.terms:
        # Twice the penalty of a unit matrix of rank one, along the mean and along a difference of tasks.
        for direction in (np.ones(T), np.eye(T)[0] - 1 / T):
            if np.any(direction):
                probe[0] = direction / np.linalg.norm(direction)
                value = 2 * term.value(probe)
                curvatures += [value] if value > 0 else []
    if not curvatures:
        raise ValueError("alpha_max needs a positive strength to start from; all strengths of the penalty are 0.")
    loss = problem.loss
    b = problem.trivial[1]
    second = loss.curvature or float(np.max(loss.second(problem.tasks.y, problem.tasks.spread(b))))
    return largest_curvature(problem, problem.tasks.weight * second, coupling=False) / min(curvatures)
