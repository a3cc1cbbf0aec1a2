"""Tasks that arrive after a fit: each is learned from what the others share, which stay as they are."""

import copy
import warnings
from dataclasses import replace

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from . import _input
from ._threads import one_thread
from .data import DataTerm
from .estimators._base import MultiTaskEstimator, not_converged, printer
from .losses import get_loss
from .penalties.base import grown
from .solvers.held import Held, solve_held
from .statistics import SufficientStatistics
from .tasks import Tasks


def fit_new_task(estimator, X, y, label, *, sample_weight=None, offset=None, place=None, task_weight=None, loss=None):
    """Learn one task more from its samples and from what the tasks of a fit share, without touching those:

        minimise over w, b of mean_i loss(y_i, x_i . w + b) + Omega([W, w]),

    the estimator's own problem for all tasks with the coefficients W of the old ones held fixed, which is convex in w.
    Of the old tasks no sample is needed. What is shared is what makes w cheap: a row in use costs a little more ridge
    and no lasso; the span of W costs less than what is beyond it, the less the more the tasks are in a direction;
    clusters, graphs and the mean draw w to the tasks that are there. Of a penalty with a minimum over a covariance
    (of tasks, or of features) inside, that is taken anew for all T + 1 tasks; of a sum of parts, each part of the old
    tasks is held.

    Parameters
    ----------
    estimator : fitted estimator of convexmtl, or Pipeline that ends with one
        It is left as it is.
    X : array-like, sparse matrix or frame of shape (n, d)
        The samples of the new task; with ``task_column``, that column holds its label.
    y : array-like of shape (n,)
    label : str, int, ...
        Of the new task, of the kind of the others'.
    sample_weight, offset : array-like of shape (n,), default=None
    place : default=None
        Where the new task belongs, if the penalty has a structure from the user: with known clusters, the label of its
        cluster; with a graph, the tasks that it is joined to, as labels or (label, omega[, sign]) tuples; with a tree,
        the task beside which it is, whose groups get another member; with ``Temporal``, its position in time, 0 for the
        first, which labels in order tell by themselves; with ``TaskCoupling``, its row of M. Of a sum of penalties that
        have several structures, a dict from the parameter of each to the place in it: {"order": 0, "edges": ["a"]}.
    task_weight : float, default=None
        What its mean loss counts, as the ``task_weight`` of the estimator: 1 where that is "equal", and its number of
        samples over the mean of the old tasks' where it is "size". Has to be given where that is an array.
    loss : str or Loss, default=None
        What the new task is fitted by, for ``MultiTaskMixed``, whose ``losses`` get another entry; else that of all.

    Returns
    -------
    estimator
        Of the same class, or a Pipeline with the same steps before it. `tasks_`, `coef_` and `intercept_` have the new
        task at the end, the others bit by bit as they were; what the penalty reports (clusters, covariances, a mean
        model, parts) is that of all T + 1 tasks, and so are the `task_families_` of an ``AutoMultiTaskRegressor``, the
        best family of which learns the new one; `objective_`, `dual_gap_` and `n_iter_` are those of the problem above;
        `statistics_`, if any, have the samples of the new task as well.

    Raises
    ------
    TypeError
        For anything but an estimator of convexmtl, or a Pipeline that ends with one.
    NotFittedError
    ValueError
        For a label that exists already or is of another kind, other features than those of the fit, samples of more
        than one task, a place that is missing, superfluous or makes no sense, and whatever ``fit`` raises one for.

    References
    ----------
    Argyriou, Evgeniou, Pontil (2008), Machine Learning (features that are shared, for a new task); Zhang, Yeung (2010),
    UAI (a learned covariance of tasks, for a new task).

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import BlockSparseRegressor, fit_new_task
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 6))
    >>> Y = X[:, :2] @ rng.normal(size=(2, 4)) + 0.1 * rng.normal(size=(40, 4))
    >>> model = BlockSparseRegressor(alpha=0.1).fit(X, Y)
    >>> longer = fit_new_task(model, X[:3], X[:3, 0], label=4)  # three samples
    >>> longer.tasks_
    array([0, 1, 2, 3, 4])
    >>> print(np.array_equal(longer.coef_[:4], model.coef_), bool(longer.coef_[4, 0] > 0.5))
    True True
    """
    options = dict(sample_weight=sample_weight, offset=offset, place=place, task_weight=task_weight, loss=loss)
    if isinstance(estimator, Pipeline):
        longer = copy.copy(estimator)
        name, last = estimator.steps[-1]
        if isinstance(last, MultiTaskEstimator):
            check_is_fitted(last, "coef_")
            X = estimator[:-1].transform(X) if len(estimator) > 1 else X
        longer.steps = [*estimator.steps[:-1], (name, fit_new_task(last, X, y, label, **options))]
        return longer
    if not isinstance(estimator, MultiTaskEstimator):
        raise TypeError(
            "estimator must be a fitted estimator of convexmtl, or a Pipeline that ends with one, got "
            f"{type(estimator).__name__}; of a search pass its best_estimator_."
        )
    check_is_fitted(estimator, "coef_")
    _input.require_features(estimator, "fit_new_task")
    _input.require_convex_fit(estimator, "fit_new_task")
    mixed = get_loss(estimator.loss).kinds(estimator.tasks_.tolist()) is not None
    if mixed != (loss is not None):
        name = type(estimator).__name__
        why = "has tasks of different kinds, and of a new one has to be told" if mixed else "has one loss for all tasks"
        wanted = "the loss of the new task" if mixed else "left out"
        raise ValueError(f"loss must be {wanted}, got {loss!r}: {name} {why}.")
    if estimator._columns is not None:
        raise ValueError(
            f"{type(estimator).__name__} has several columns of coefficients for a task, for its classes, and "
            "fit_new_task fits one: fit all tasks together, or to two classes (one against the rest, say)."
        )
    if estimator._fitted_parts()[0].shape[1] != len(estimator.tasks_):
        raise ValueError(_nothing_to_learn(estimator))
    with one_thread():
        return _longer(estimator, X, y, label, **options)


def _nothing_to_learn(estimator):
    """What is said where all tasks have one model."""
    own, chosen = type(estimator).__name__, type(getattr(estimator, "best_estimator_", estimator)).__name__
    why = "one model for all tasks, by which it predicts any: there is nothing to be learned of a new one."
    return f"{own} has {why}" if own == chosen else f"{own} has chosen {chosen}, with {why} Use its best_estimator_."


def _longer(estimator, X, y, label, sample_weight, offset, place, task_weight, loss):
    """The estimator with the new task."""
    longer = copy.copy(estimator)
    longer.tasks_ = _with_label(estimator.tasks_, label)
    if loss is not None:
        longer.losses = {**estimator.losses, longer.tasks_.tolist()[-1]: loss}
        longer._checked_loss()
    loss = get_loss(estimator.loss if loss is None else loss)
    X, y, classes, weight, offset = _samples(longer, X, y, sample_weight, offset, loss)
    penalty = _penalty_with_place(estimator, longer.tasks_, place)
    total = float(len(y) if weight is None else weight.sum())
    _input.refuse_empty_tasks(np.array([total]), longer.tasks_[-1:])
    share = _share(estimator, total, task_weight)
    # Few rows of many features are less work as an array.
    dense = X.toarray() if hasattr(X, "toarray") and X.shape[0] < X.shape[1] else X
    tasks = Tasks.shared(dense, y[:, None], weight, np.array([share]), offset)
    _input.refuse_overflow(tasks.X)
    loss.check_targets(tasks.y[tasks.weight > 0])
    present, fixed = estimator._without_constant_tasks(tasks.present, loss, longer.tasks_[-1:], 4, others=True)
    with warnings.catch_warnings():
        # What is to be said of the penalty was said in fit.
        warnings.simplefilter("ignore", UserWarning)
        canonical = penalty.resolve(X.shape[1], longer.tasks_)
    problem = Held(DataTerm(present, loss, estimator.fit_intercept, fixed), canonical, estimator._fitted_parts())
    show = printer(estimator) if estimator.verbose else None
    result = solve_held(problem, estimator.tol, estimator.max_iter, show)
    if not np.isfinite(result.objective):
        raise ValueError(
            f"no model of task {label!r} was found that {penalty} allows beside those of the other tasks, whose sums "
            "of parts may be outside of its bounds by rounding: fit all tasks together."
        )
    if not result.converged:
        warnings.warn(not_converged(estimator, problem, result), ConvergenceWarning, stacklevel=3)

    longer._parts = problem.joined(result.parts)
    longer.coef_ = np.vstack([estimator.coef_, result.W])
    longer.intercept_ = np.append(estimator.intercept_, result.intercept)
    longer.n_iter_, longer.objective_, longer.dual_gap_ = max(result.n_iter, 1), result.objective, result.dual_gap
    longer._layout = "stacked" if estimator._layout == "single" else estimator._layout
    vars(longer).pop("_dual", None)
    longer._extended = penalty
    if classes is not None:
        longer._classes = classes
    bound = penalty.bind(longer.tasks_)
    longer._report(bound, longer.tasks_)
    former = estimator._summary
    what = f"mean_i loss(y_i, x_i . w + b) + Omega([W, w]) for task {label!r}, with W, all other tasks, held"
    if hasattr(estimator, "task_families_"):
        longer.task_families_ = np.append(estimator.task_families_, estimator.best_family_)
    longer._summary = replace(
        former,
        minimised=[what, *former.minimised[1:]],
        status=result.status.value,
        converged=result.converged,
        threshold=problem.threshold(estimator.tol),
        trivial=problem.data.trivial[0],
        gain=problem.data.gain,
        said=bound.describe(longer._parts, longer.tasks_),
        sizes=np.append(former.sizes, np.sum(tasks.weight > 0)),
    )
    if hasattr(estimator, "statistics_"):
        former = replace(estimator.statistics_, layout=longer._layout)
        own = longer._layout, longer.tasks_[-1:], None, weight, _input.coef_names(estimator)
        y = y if offset is None else y - offset
        longer.statistics_ = former + SufficientStatistics._of_samples(X, y, *own)
    return longer


def _with_label(tasks, label):
    """Task labels and one more."""
    try:
        new = np.array([label], dtype=tasks.dtype) if tasks.dtype.kind in "mM" else _input.label_array([label])
    except (TypeError, ValueError):
        new = np.empty(0)
    kinds = {"number" if array.dtype.kind in "biuf" else array.dtype.kind for array in (tasks, new)} - {"O"}
    if new.dtype.kind == "O" or tasks.dtype.kind == "O":
        known = {type(task) for task in tasks.tolist()}
        kinds = known | {type(other) for other in new.tolist()} if len(known) == 1 else {}
    if new.shape != (1,) or len(kinds) > 1:
        raise ValueError(
            f"label must be a label of the kind of the others ({str(tasks[:3].tolist())[1:-1]}, ...), got {label!r}."
        )
    if _input.missing_mask(new).any():
        raise ValueError(f"label must not be missing, got {label!r}.")
    if _input.find_tasks(new, tasks, unseen="mean")[0] >= 0:
        raise ValueError(
            f"label must be new, got {label!r}, a task that fit has seen: choose another one, or fit all tasks anew "
            "with the samples of this one."
        )
    return np.append(tasks.astype(object) if new.dtype.kind == "O" else tasks, new)


def _samples(longer, X, y, sample_weight, offset, loss):
    """(X, y, classes, weights, offset) of the new task, which is the last of ``tasks_``, read and checked."""
    _input.require_targets(longer, y)
    X, task, offset = _input.read_features(longer, X, None, offset, reset=False)
    if X.shape[1] != longer.coef_.shape[1]:
        raise ValueError(f"X has {X.shape[1]} features beside the task, fit saw {longer.coef_.shape[1]}.")
    new = longer.tasks_[-1:]
    if task is not None and np.any(_input.find_tasks(task, new, unseen="mean") < 0):
        others = sorted({repr(other) for other in task.tolist()} - {repr(new.tolist()[0])})
        raise ValueError(
            f"X must have rows of task {new.tolist()[0]!r} alone, got task {', '.join(others[:3])} as well in "
            f"task_column={longer.task_column!r}: tasks are learned one at a time."
        )
    if np.ndim(y) == 2 and np.shape(y)[1] != 1:
        raise ValueError(
            f"y must have shape (n,), got {np.shape(y)}: tasks are learned one at a time; call fit_new_task for one "
            "after the other, on what it has returned."
        )
    y = longer._read_targets(y, True)
    _input.require_equal_rows(X, y)
    weight = _input.read_sample_weight(sample_weight, X, y)
    known = getattr(longer, "_classes", None)
    if known is None:
        return X, y, None, weight, _input.read_offset(offset, y, weight, longer.offset_column)
    offset = _input.read_offset(offset, np.zeros(len(y)), weight, longer.offset_column)
    if not loss.classification:
        return X, _input.numbers_of_task(y, new.tolist()[0]), [*known, None], weight, offset
    if isinstance(known, list):
        y, own = _input.encode_classes(y, np.zeros(len(y), dtype=int), new)
        return X, y, [*known, own], weight, offset
    # Beside the labels that all tasks have, as if those were another task.
    both = _input.label_array([*known.tolist(), *y.tolist()])
    encoded, classes = _input.encode_classes(both, np.repeat([0, 1], [len(known), len(y)]), longer.tasks_[-2:])
    if isinstance(classes, list):
        classes = [known] * (len(longer.tasks_) - 1) + classes[1:]
    return X, encoded[len(known) :], classes, weight, offset


def _penalty_with_place(estimator, labels, place):
    """The penalty of all tasks, the last of which is new."""
    penalty = estimator._fitted_penalty()
    known = penalty.places
    if place is not None and not known:
        raise ValueError(
            f"place must be left out, got {place!r}: {type(estimator).__name__} has been told of no structure of the "
            "tasks in which a new one had a place."
        )
    told = isinstance(place, dict) and set(place) <= set(known)
    if place is not None and not told and (len(known) > 1 or isinstance(place, dict)):
        wanted = "; ".join(f"{name!r}: {what}" for name, what in known.items())
        raise ValueError(f"place must be a dict with the place in each structure ({wanted}), got {place!r}.")
    return grown(penalty, labels, place)


def _share(estimator, total, task_weight):
    """What the mean loss of a new task of this total weight counts."""
    if task_weight is not None:
        _input.check_number(task_weight, "task_weight", _input.POSITIVE, _input.FINITE, "a positive number or None")
        return float(task_weight)
    if isinstance(estimator.task_weight, str):
        return 1.0 if estimator.task_weight == "equal" else total / estimator._size
    raise ValueError(
        f"task_weight must be a number where the estimator has an array of them, got None: {type(estimator).__name__} "
        f"has one for each of the {len(estimator.tasks_)} old tasks."
    )
