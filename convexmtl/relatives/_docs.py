"""What the docstrings of the relatives have in common."""

import re

from sklearn.base import ClassifierMixin

from ..estimators import _docs

STARTS = """n_init : int, default={n_init}
        Starts: the first one from the convex relaxation, or from what takes its place, the others random; the best end
        is kept."""

RANDOM = """random_state : int or RandomState, default=0
        Of the random starts."""

COMMON = """fit_intercept : bool, default=True
        Whether each task has an intercept; it is never penalised.
    task_weight : {"equal", "size"} or array-like of shape (T,), default="equal"
        What the mean loss of a task counts; "size" is n_t / mean(n), and an array is in the order of `tasks_`.
    task_column : str or int, default=None
        The column of X, by name (a string) or position (an integer), that holds the task labels.
    offset_column : str or int, default=None
        The column of X that holds the offset of every row, which adds to x . w_t + b_t: log exposures say.
    unseen_task : {"error", "mean"}, default="error"
        How a task that fit has not seen is predicted: not at all, or by the mean of `coef_` and of `intercept_`.
    max_iter : int, default={max_iter}
        Largest number of steps from every start.
    tol : float, default={tol}
        A descent has converged when a step lowers the objective by at most tol times {unit}.
        The convex fits inside a step are made to a tenth of that.
    verbose : int, default=0
        1 prints a line at every step."""

DESCENT = """objective_ : float
        The lowest objective that was found.
    objective_history_ : ndarray of shape (`n_iter_` + 1,)
        The objective at the start that led there and after every step; it never rises.
    objectives_ : ndarray of shape (`n_init`,)
        Where every start has ended.
    n_agreeing_ : int
        How many of the starts ended within 10 tol, in the units of `tol`, of the best one, itself included.
    n_fits_ : int
        Convex fits inside the steps, over all starts, each of them certified.
    n_iter_ : int
        Steps from the start that led to the best end."""

MODEL = """intercept_ : ndarray of shape (T,)
    tasks_ : ndarray of shape (T,)
        Task labels, in the order of the rows of `coef_`."""

INPUT = """n_features_in_ : int
        Columns of X, those of task and offset included.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Where X has column names."""


def documented(cls):
    """Class decorator: as that of the families, with what relatives have in place of a duality gap."""
    loss = _docs.CLASSIFICATION_LOSS if issubclass(cls, ClassifierMixin) else _docs.REGRESSION_LOSS
    starts = f"{STARTS}\n    {RANDOM}\n    " if "n_init" in cls._choices else ""
    starts = starts or (f"{RANDOM}\n    " if "random_state" in cls._choices else "")
    common = starts + ("" if cls._loss is None else f"{loss}\n    ") + COMMON
    for name in ("n_init", "max_iter", "tol"):
        common = common.replace(f"{{{name}}}", str(cls._defaults.get(name)))
    common = common.replace("{unit}", cls._unit_words)
    for name in cls._without:
        common = re.sub(rf"^    {name} : .*\n(?:        .*\n)*", "", common, flags=re.M)
    fitted = "\n    ".join([_docs.COEFFICIENTS, MODEL, DESCENT, INPUT, _docs.IMPORTANCES])
    fitted += _docs.CLASSES if issubclass(cls, ClassifierMixin) else ""
    start = _docs.CLASSIFICATION_EXAMPLE if issubclass(cls, ClassifierMixin) else _docs.REGRESSION_EXAMPLE
    start = start.replace("from convexmtl import", "from convexmtl.relatives import")
    cls._fields = {"{common}": common, "{fitted}": fitted, "{start}": start} | getattr(cls, "_fields", {})
    return _docs.documented(cls)
