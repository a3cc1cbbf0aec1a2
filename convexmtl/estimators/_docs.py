"""What the docstrings of all estimators have in common."""

import inspect

from sklearn.base import ClassifierMixin

WARM_START = """warm_start : bool, default=False
        Whether fit starts from the previous solution.
    """
ROW_PARAMETERS = """feature_weights : array-like of shape (d,) or dict of feature -> weight, default=None
        What each feature's share of the penalty counts, in the order of `coef_`; 0 leaves a feature unpenalised,
        infinity leaves it out. In a dict, features go by name or position, and have the weight 1 where they are not in
        it. A weight of f is to all what dividing the column of X by f is, so that a ridge counts f^2.
    refit : {"relaxed"}, default=None
        "relaxed" fits the loss alone to the coefficients that are not zero, as ``relax`` does; in a search, on the
        folds as well, so that its errors are those of relaxed fits."""

POSITIVE = """positive : bool, default=False
        Whether all coefficients have to be >= 0."""

GROUPS = """feature_groups : labels of shape (d,), or list or dict of lists of features, default=None
        Groups of features that are in use, or not, as a whole: the penalty of a row is that of all coefficients of a
        group, times sqrt(size). One label per feature, or lists of names or positions; features in no list are groups
        of their own. `feature_weights` are then those of the groups, in the order of `groups_`, or by label."""
GROUPED = """
    groups_ : ndarray of shape (G,)
        With feature_groups only, as are the next two: their labels.
    feature_groups_ : ndarray of shape (d,)
        The position in `groups_` of every feature's group.
    group_norms_ : ndarray of shape (G,)
        Length of all coefficients of a group; 0 where it is not in use."""

COMMON_PARAMETERS = """fit_intercept : bool, default=True
        Whether each task has an intercept; it is never penalised.
    task_weight : {"equal", "size"} or array-like of shape (T,), default="equal"
        What the mean loss of a task counts; "size" is n_t / mean(n), and an array is in the order of `tasks_`. In a
        search these are weights of all samples, for the parts of all folds as well.
    task_column : str or int, default=None
        The column of X, by name (a string) or position (an integer), that holds the task labels.
    offset_column : str or int, default=None
        The column of X that holds the offset of every row, which adds to x . w_t + b_t: log exposures say.
    unseen_task : {"error", "mean"}, default="error"
        How a task that fit has not seen is predicted: not at all, or by the mean of `coef_` and of `intercept_`.
    max_iter : int, default=10000
        Largest number of iterations.
    tol : float, default=1e-4
        The fit has converged when the duality gap is at most tol times what the objective at W = 0 is above the loss
        of a perfect fit (which is 0 but for Poisson, gamma and Tweedie).
    {warm}verbose : int, default=0
        1 prints a line at each check of the gap, and at the end what ``explain_fit`` says."""

COEFFICIENTS = """coef_ : ndarray of shape (T, d)
        W transposed: one row per task; of a classifier one per class of a task with more than two, see `columns_`."""

FITTED = """intercept_ : ndarray of shape (T,)
    tasks_ : ndarray of shape (T,)
        Task labels, in the order of the rows of `coef_`.
    n_iter_ : int
    objective_ : float
        The objective at the solution.
    dual_gap_ : float
        Upper bound of what the objective is above the optimum.
    n_features_in_ : int
        Columns of X, those of task and offset included.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Where X has column names."""

IMPORTANCES = """feature_importances_ : ndarray of shape (`n_features_in_`,)
        Norms of the features' coefficients across the tasks; the columns of task and offset have their mean."""

SEARCH_PARAMETERS = """alphas : int or array-like of shape (n_alphas,), default={n_alphas}
        Strengths to try; or how many, evenly spaced in logarithm from where all coefficients are zero down to
        eps times that.
    eps : float in (0, 1], default=1e-3
        Length of the path.
    cv : int, splitter or iterable of (train, test), default=None
        An int is a number of folds that split within every task, None five of them.
    n_jobs : int, default=None
        Paths at a time; the results do not depend on it.
    selection : {"best", "1se", "aic", "bic", "ebic", "sure"}, default="best"
        "1se" takes the largest strength whose error is within one standard error of the smallest. The fits on folds
        are made to 2 tol, and again to tol^2 (1e-8 at least) where mean errors are less than sqrt(2 tol) standard
        errors from a decision. A criterion
        (as in ``information_criterion``) is computed on the paths of all samples instead, without any folds. The
        variance of the noise is that which "sure" has there, for all criteria."""

SEARCH_ATTRIBUTES = """alphas_ : ndarray of shape (n_alphas,) or (n_paths, n_alphas)
        The strengths that were tried, decreasing.
    mse_path_ : ndarray of shape (n_alphas, n_folds) or (n_paths, n_alphas, n_folds)
        Mean loss of the test samples of every fold, each task counting by its weight; for the squared loss the
        mean squared error.
    task_errors_ : ndarray of shape (n_folds, T)
        Mean loss of every task's test samples in every fold, at the strengths chosen; NaN where it has none.
    criterion_path_, df_path_ : ndarray of shape (n_alphas,) or (n_paths, n_alphas)
        In place of these two where a criterion selects: its values, and the degrees of freedom. Under the squared
        loss a path ends where these are 90% of the samples; beyond are infinity and NaN.
    settings_ : list of dict
        What the paths differ in: for each, the parameters that were searched for, of the strengths their ratios."""

REGRESSION_LOSS = """loss : {"squared", "huber", "poisson", "gamma", "quantile", "absolute", "epsilon_insensitive", \
"sqrt"} or Loss, default="squared"
        "huber" has delta = 1.35 in units of y; a ``Huber(delta)`` object has any other. "poisson" for counts, "gamma"
        for positive targets and ``Tweedie(power)`` in between predict means, exp(x . w_t + b_t)."""

CLASSIFICATION_LOSS = """loss : {"logistic", "softmax", "squared_hinge", "hinge"} or Loss, default="logistic"
        With more than two classes "logistic" is softmax, and the others tell each class from the rest; "softmax" has a
        column for each of two classes, too."""


CLASSES = """
    classes_ : ndarray of shape (K,), (T, K) or (T,), or list of T arrays
        The labels, of all tasks where these have rows of their own and one has more than two. Else a list where tasks
        with rows of their own have different ones. After fit with y (n, T) one row per task, or an array of arrays
        where those do not make a table; for T >= 3 columns of 0 and 1 the positions of the columns, as in
        ``OneVsRestClassifier``.
    columns_ : ndarray of (task, class)
        What every row of `coef_` and entry of `intercept_` is of: of a task of two classes the second, of one with
        more each of them."""


RELAXED = """
    ridge_tasks_ : ndarray
        With refit="relaxed" only: the labels of the tasks whose data do not determine the coefficients that were
        selected, for which they have a small ridge."""


STATISTICS = """
    statistics_ : SufficientStatistics
        Of all samples, after ``partial_fit`` and ``fit_statistics`` only."""


EXAMPLE = """>>> import numpy as np
    >>> from convexmtl import {name}
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 6))
    >>> Y = X[:, :2] @ rng.normal(size=(2, 4))"""

REGRESSION_EXAMPLE = f"{EXAMPLE} + 0.1 * rng.normal(size=(40, 4))"

CLASSIFICATION_EXAMPLE = f"{EXAMPLE}\n    >>> Y = (Y > 0).astype(int)"


def documented(cls):
    """Class decorator: the docstring of the family, its first base, with this class's own one as its summary.

    The Examples section of a family goes on from data with two features of use, ``X`` (40, 6) and ``Y`` (40, 4). What a
    class has in ``_fields`` takes the place of these in it, by their names.
    """
    classifies = issubclass(cls, ClassifierMixin)
    loss = CLASSIFICATION_LOSS if classifies else REGRESSION_LOSS
    names = inspect.signature(cls).parameters
    for default in ("logistic", "squared"):
        loss = loss.replace(f'default="{default}"', f'default="{cls._loss}"')
    loss = f"{loss}\n    " if "loss" in names else ""
    selects = "refit" in names
    fields = {
        "{summary}": cls.__doc__ or "",
        "{search}": SEARCH_PARAMETERS,
        "{n_alphas}": str(getattr(inspect.signature(cls).parameters.get("alphas"), "default", "")),
        "{searched}": SEARCH_ATTRIBUTES,
        "{common}": (f"{POSITIVE}\n    " if "positive" in names else "")
        + (f"{GROUPS}\n    " if "feature_groups" in names else "")
        + (f"{ROW_PARAMETERS}\n    " if selects else "")
        + f"{loss}{COMMON_PARAMETERS}",
        "{warm}": WARM_START if "warm_start" in inspect.signature(cls).parameters else "",
        "{fitted}": f"{COEFFICIENTS}\n    {FITTED}\n    {IMPORTANCES}"
        + (GROUPED if "feature_groups" in names else "")
        + (RELAXED if selects else "")
        + (CLASSES if classifies else "")
        + (STATISTICS if hasattr(cls, "partial_fit") else ""),
        "{start}": CLASSIFICATION_EXAMPLE if classifies else REGRESSION_EXAMPLE,
        "{name}": cls.__name__,
        **getattr(cls, "_fields", {}),
    }
    text = cls.__bases__[0].__doc__ or ""  # python -OO drops docstrings
    for field, value in fields.items():
        text = text.replace(field, value)
    cls.__doc__ = text
    return cls
