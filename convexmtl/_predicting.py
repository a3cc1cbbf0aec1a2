"""Asking any fitted estimator for predictions: those of this package, and pipelines and searches around them."""

from inspect import signature

from ._input import split_column

WITHIN = ("best_estimator_", "regressor_")


def predictor(estimator):
    """What predicts in the end, inside of searches, pipelines and transformed targets."""
    while True:
        inside = next((name for name in WITHIN if hasattr(estimator, name)), None)
        if inside is not None:
            estimator = getattr(estimator, inside)
        elif hasattr(estimator, "steps"):
            estimator = estimator.steps[-1][1]
        else:
            return estimator


def predicted(estimator, X, task):
    """The predictions; the tasks are told to what takes them and does not read them off X."""
    last = predictor(estimator)
    takes = "task" in signature(last.predict).parameters and getattr(last, "task_column", None) is None
    if task is None or not takes:
        return estimator.predict(X)
    hands_on = signature(estimator.predict).parameters.values()
    if not any(p.name == "task" or p.kind is p.VAR_KEYWORD for p in hands_on):
        raise ValueError(
            f"task was passed, but {type(estimator).__name__}.predict hands nothing on to its {type(last).__name__}: "
            "name a task_column of that instead, so that it reads the tasks off X."
        )
    return estimator.predict(X, task=task)


def tasks_of(estimator, X, y_ndim):
    """The task column that what predicts reads off X, for targets of one dimension; or None."""
    column = getattr(predictor(estimator), "task_column", None)
    return None if column is None or y_ndim != 1 else split_column(X, column)[1]
