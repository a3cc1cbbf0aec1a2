"""Checking an estimator's answer: the same problem in cvxpy, and its certificate from outside the solver."""

from ._threads import one_thread
from .certificate import duality_gap
from .textbook import Reference, solve

__all__ = ["Reference", "certify", "fit", "solve"]


def fit(estimator, X, y, *, task=None, sample_weight=None, offset=None, **options):
    """Solve the estimator's problem in cvxpy, from its textbook definition.

    Parameters
    ----------
    estimator : estimator of convexmtl, fitted or not
    X, y, task, sample_weight, offset
        As in ``estimator.fit``.
    **options
        For ``cvxpy.Problem.solve``. Without any, Clarabel is asked with tight tolerances, and as long as what it
        finds is not the optimum that it claims, once more with others, in the end SCS.

    Returns
    -------
    Reference
        Named tuple (W, b, objective, error), W of shape (n_features, n_tasks).

    Raises
    ------
    RuntimeError
        If cvxpy does not reach an optimum.
    """
    formulation = estimator._formulate(X, y, sample_weight=sample_weight, task=task, offset=offset)
    return solve(formulation.problem, formulation.penalty, **options)


def certify(estimator, X, y, *, task=None, sample_weight=None, offset=None):
    """Primal, dual and gap of a fitted estimator on its training data, from outside the solver.

    Parameters
    ----------
    estimator : fitted estimator of convexmtl
    X, y, task, sample_weight, offset
        What it was fitted on.

    Returns
    -------
    Certificate
        With ``primal``, ``dual`` and ``gap`` = primal - dual >= primal - optimum.

    Raises
    ------
    ValueError
        For data with other features or tasks than those of the fit.
    """
    with one_thread():
        formulation = estimator._formulate(X, y, sample_weight=sample_weight, task=task, offset=offset)
        parts, dual = estimator._fitted_parts(formulation), getattr(estimator, "_dual", None)
        problem = formulation.problem
        if parts[0].shape != problem.shape:
            raise ValueError(
                f"X and y have {problem.shape[0]} features and tasks {formulation.labels.tolist()[:10]}, and "
                f"{type(estimator).__name__} was fitted to {parts[0].shape[0]} and {estimator.tasks_.tolist()[:10]}: "
                "hand over what it was fitted on."
            )
        # (One model for all tasks has the same ones for each.)
        intercept = estimator.intercept_[: problem.shape[1]]
        certificate = duality_gap(problem, parts, intercept)
        if dual is None or not dual.fits(problem.tasks):
            return certificate
        # Any dual variables give a bound: those of the fit may give a better one than those to which W leads.
        return min(certificate, duality_gap(problem, parts, intercept, dual=dual), key=lambda c: c.gap)
