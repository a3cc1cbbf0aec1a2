"""Criteria that weigh the misfit of a solution against its degrees of freedom, in place of test samples."""

from typing import NamedTuple

import numpy as np
from scipy.special import gammaln
from sklearn.base import clone
from sklearn.utils import check_random_state

from ._input import FINITE, check_count, check_number
from ._threads import one_thread, same_sums
from .freedom import freedom
from .inverses import inverse
from .losses import LOSSES
from .problem import Problem
from .relaxed import certified
from .result import Result, Status
from .solvers import solve
from .solvers.paths import Multiples, critical_factor, solve_path

CRITERIA = ("aic", "bic", "ebic", "sure")
SHARP = 1e-8  # tol of a solution that is judged by itself
PATH, PATH_PROBES = 1e-6, 3  # tol of the solutions on a path, and nudges for each of them
SATURATED = 0.5  # degrees of freedom per sample, from which on what is left of the samples says too little of the noise
FULL = 0.9  # the same, from which on a path is not followed further
SPARE = 10  # samples beyond the features, that the noise is known from
PILOT, PILOT_EPS = 30, 1e-2  # strengths of a path on which the noise is looked for


class Measured(NamedTuple):
    """What the criteria need of a solution.

    Attributes
    ----------
    misfit : ndarray of shape (T,)
        The squared residuals of every task times their weights, summed; for losses that are a likelihood, minus twice
        its logarithm.
    freedom : ndarray of shape (T,)
        Degrees of freedom.
    patterns : float
        Logarithm of the number of supports as large.
    """

    misfit: np.ndarray
    freedom: np.ndarray
    patterns: float


def measured(problem, result, sizes, n_probes=10, seed=0):
    """Measured, for the solution of a Problem whose tasks have samples of these total weights (T,)."""
    tasks, loss, degrees = problem.tasks, problem.loss, freedom(problem, result.parts, n_probes, seed)
    z = problem.data.predict(result.W, result.intercept)
    z[tasks.absent] = 0.0
    errors = (tasks.y - z) ** 2 if loss.quadratic else -2 * loss.log_likelihood(tasks.y, z)
    counts = np.divide(sizes, tasks.mass, out=np.zeros(len(sizes)), where=tasks.mass > 0)
    # (The columns of a task, which share its samples, have the values of their own class only.)
    counts = counts * tasks.columns_alike(sizes > 0)
    misfit = counts * tasks.sum(np.where(tasks.weight > 0, tasks.weight * errors, 0.0))
    return Measured(misfit, degrees, patterns(result.W))


def patterns(W):
    """Logarithm of how many sets of as many rows of W there are, with as many entries in each."""
    entries = np.count_nonzero(W, axis=1)
    return _binomial(len(W), np.count_nonzero(entries)) + float(np.sum(_binomial(W.shape[1], entries[entries > 0])))


def _binomial(n, k):
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


def weighed(found, sizes, criterion, gamma=1.0, noise="pooled", gaussian=True):
    """The criterion of something Measured, for tasks of these sizes (T,); ``noise`` and ``gamma`` as users say it."""
    n, df = sizes.sum(), found.freedom.sum()
    if criterion == "sure":
        noise = np.broadcast_to(noise, sizes.shape)
        return float(np.sum(found.misfit + noise * (2 * found.freedom - sizes)) / n)
    if not gaussian:
        misfit = found.misfit.sum()
    elif isinstance(noise, str):
        some = sizes > 0
        total, count = (found.misfit[some], sizes[some]) if noise == "task" else (found.misfit.sum(), n)
        with np.errstate(divide="ignore"):
            misfit = np.sum(count * (np.log(2 * np.pi * total / count) + 1))
    else:
        misfit = np.sum(sizes * np.log(2 * np.pi * noise) + found.misfit / noise)
    price = {"aic": 2 * df, "bic": np.log(n) * df}.get(criterion, np.log(n) * df + 2 * gamma * found.patterns)
    return float(misfit + price)


def along_path(found, sizes, criterion, loss, data, counts=None):
    """(len(found),) the criterion of the solutions on paths, with one noise for all of them.

    That is what least squares leave, and where there are none, what the best solution by "bic" does: at the noise that
    is likeliest for itself, a model that follows the targets closely would seem all the more certain. ``counts`` are
    the numbers of samples (T,), where the data are a few rows that stand for these.
    """
    if not loss.quadratic:
        return np.array([weighed(one, sizes, criterion, gaussian=False) for one in found])
    noise = least_squares_noise(data, sizes, counts=counts)
    noise = best_noise(found, sizes) if noise is None else noise
    return np.array([weighed(one, sizes, criterion, noise=noise) for one in found])


def best_noise(found, sizes):
    """Variance of the noise from what the best of some solutions leaves, by "bic"."""
    free = np.array([one.freedom.sum() for one in found])
    values = np.array([weighed(one, sizes, "bic") for one in found])
    # (Where the intercepts alone are too many, nothing is left to choose from but the least.)
    values[free > max(SATURATED * sizes.sum(), free.min())] = np.inf
    best = found[int(np.argmin(values))]
    return best.misfit.sum() / max(sizes.sum() - best.freedom.sum(), 1.0)


def least_squares_noise(data, sizes, per_task=False, counts=None):
    """Variance of the noise from what least squares leave of every task; None where too few samples are left.

    All tasks with more samples than features count; ``per_task`` gives each its own, (T,).
    """
    tasks, (d, T) = data.tasks, data.shape
    counts = tasks.sum((tasks.weight > 0).astype(float)) if counts is None else counts
    known = counts > d + 1
    if np.sum((counts - d - 1)[known]) < SPARE or (per_task and not known[sizes > 0].all()):
        return None
    G = data.design.matrices
    inverses, R = inverse(G), data.moments
    ranks = np.einsum("tij,tji->t", inverses, G) + (~data.empty if data.fit_intercept else 0)
    at_zero = tasks.sum(tasks.weight * (tasks.y - tasks.spread(data.trivial[1])) ** 2)
    rest = np.maximum(at_zero - np.einsum("it,tij,jt->t", R, inverses, R), 0.0)
    rest *= np.divide(sizes, tasks.mass, out=np.zeros(T), where=tasks.mass > 0)
    if per_task:
        return rest / np.maximum(sizes - ranks, 1.0)
    return rest[known].sum() / np.sum((sizes - ranks)[known])


def check_criterion(criterion, loss, name="criterion"):
    """Raise a ValueError where the loss has no such criterion; ``name`` is that of the parameter."""
    if criterion not in CRITERIA:
        raise ValueError(f"{name} must be one of {list(CRITERIA)}, got {criterion!r}.")
    if criterion == "sure" and not loss.quadratic:
        raise ValueError(f"{name}='sure' is about squared errors, and loss {loss!r} about others: use 'bic' or 'aic'.")
    if not loss.is_likelihood:
        known = [other for other, cls in LOSSES.items() if cls().is_likelihood]
        raise ValueError(
            f"{name}={criterion!r} needs a likelihood, which loss {loss!r} is not: use one of {known} (of these "
            "'squared', whose noise is unknown, for all tasks or none), or choose by cross-validation."
        )


def sizes_of(data, term):
    """(T,) total sample weights of the tasks of ``data`` (as read) that count in its DataTerm, shared out among the
    columns that a task has for its classes."""
    return np.where(term.empty, 0.0, totals_of(data)) / np.maximum(term.tasks.columns_alike(~term.empty), 1)


def totals_of(data):
    """(T,) total sample weights of the tasks of ``data`` (as read); of several columns each has that of its task."""
    tasks, weight, T = data.tasks, data.weight, data.tasks.n_tasks
    seen, owner = tasks.weight > 0, np.arange(T) if tasks.owner is None else tasks.owner
    if weight is None:
        return tasks.sum(seen.astype(float))
    if data.codes is not None:
        return np.bincount(data.codes, weights=weight, minlength=owner.max() + 1)[owner]
    weight = weight[:, owner] if weight.ndim == 2 else weight[:, None]
    return np.sum(np.where(seen.reshape(T, -1).T, weight, 0.0), axis=0)


def path_of(estimator, multiples, data, sizes):
    """([Measured] for these multiples of the penalty, how many fits have not converged).

    It ends before the last of them where solutions have nearly as many degrees of freedom as there are samples: more of
    them take long to make, and none is chosen.
    """
    found, failed = [], 0
    with same_sums():
        results = solve_path(data, multiples, min(estimator.tol, PATH), estimator.max_iter)
        for canonical, result in zip(multiples.canonicals, results, strict=False):
            failed += result.dual_gap > data.threshold(estimator.tol)
            if getattr(estimator, "refit", None) == "relaxed":
                limits = min(estimator.tol, PATH), estimator.max_iter
                result, support, _ = certified(data, result.W, *limits, canonical.positive)
                canonical = support.resolve(data.shape[0], multiples.labels)
            found.append(measured(Problem(data, canonical), result, sizes, PATH_PROBES))
            if data.loss.quadratic and found[-1].freedom.sum() > FULL * sizes.sum():
                break
    return found, failed


# ----------------------------------------------------------------------------------- for estimators


def information_criterion(
    estimator,
    X,
    y,
    *,
    task=None,
    sample_weight=None,
    offset=None,
    criterion="bic",
    noise="pooled",
    gamma=1.0,
    n_probes=10,
    random_state=0,
):
    """-2 log L + p df: how well a model fits its training data, and how freely it does.

    The smaller the better, for models of the same targets. With n the total weight of the samples of all tasks, where
    a missing target is none, and df the ``degrees_of_freedom``:

    - "aic": p = 2; "bic": p = log n;
    - "ebic": as "bic", and 2 gamma times the logarithm of the number of supports of the same size, the binomial
      coefficient of d features and those in use, and of T tasks and those that use a feature;
    - "sure": Stein's unbiased estimate of the mean squared error of the predictions for the training data, beside what
      they would be without noise: (RSS + sum_t v_t (2 df_t - n_t)) / n, v_t the variance of the noise. With v_t known,
      "aic" and "sure" order models alike.

    Parameters
    ----------
    estimator : estimator of convexmtl
        Fitted to these data; or not fitted, and a clone is.
    X, y, task, sample_weight, offset
        As in ``estimator.fit``. A weight of 2 counts as a repeated row.
    criterion : {"aic", "bic", "ebic", "sure"}, default="bic"
    noise : {"pooled", "task"}, float or array-like of shape (T,), default="pooled"
        The variance of the noise, for the squared loss; or where it comes from. "pooled" is one for all tasks, "task"
        one for each, in the order of `tasks_`. In the likelihood it is the mean of the squared residuals. For "sure"
        it is what least squares leave of the tasks with more samples than features, RSS / (n - rank); where these have
        less than 10 samples to spare, and "pooled", RSS / (n - df) of the best model by "bic" on the estimator's path.
    gamma : float >= 0, default=1.0
        For "ebic".
    n_probes, random_state
        As in ``degrees_of_freedom``.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        For losses that are no likelihood, data other than those of the fit, and models that leave nothing of the
        targets to estimate the noise from.

    References
    ----------
    Zou, Hastie, Tibshirani (2007), Annals of Statistics (degrees of freedom in criteria); Chen, Chen (2008), Biometrika
    ("ebic"); Stein (1981), Annals of Statistics ("sure").

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import BlockSparseRegressor, information_criterion
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 6))
    >>> Y = X[:, :2] @ rng.normal(size=(2, 4)) + 0.1 * rng.normal(size=(40, 4))
    >>> values = [information_criterion(BlockSparseRegressor(alpha), X, Y) for alpha in (0.5, 0.05, 0.005)]
    >>> print(np.argmin(values))
    1
    """
    loss = estimator._checked_loss()
    check_criterion(criterion, loss)
    check_number(gamma, "gamma", 0, FINITE, "a finite number >= 0")
    seed = _checked_seed(n_probes, random_state)
    with one_thread():
        own, formulation, result = _solution(estimator, X, y, task, sample_weight, offset)
        problem = formulation.problem
        sizes = sizes_of(formulation.data, problem.data)
        noise = checked_noise(noise, len(sizes))
        found = measured(problem, result, sizes, n_probes, seed)
        if loss.quadratic and isinstance(noise, str):
            if criterion == "sure":
                noise = estimated_noise(own, formulation, sizes, noise)
            else:
                _refuse_perfect(found, sizes, noise, formulation.labels)
        return weighed(found, sizes, criterion, gamma, noise, loss.quadratic)


def degrees_of_freedom(
    estimator, X, y, *, task=None, sample_weight=None, offset=None, per_task=False, n_probes=10, random_state=0
):
    """sum_i d z_i / d y_i: by how much the predictions of a model follow its training targets.

    For a norm of the rows (q = 2) of orthonormal features this is what Yuan and Lin give in closed form; for all
    models it is the exact divergence by implicit differentiation along the zeros, ties and rank of the solution, as
    long as that takes systems of moderate size, and else by nudging the targets at random and fitting anew, as Ramani,
    Blu and Unser do. Without a penalty it is the number of coefficients and intercepts, with l1 that of coefficients
    that are not zero, and of intercepts. For losses other than the squared one it is the trace of the influence of the
    samples at their working weights, the second derivatives of the loss.

    Parameters
    ----------
    estimator : estimator of convexmtl
        Fitted to these data; or not fitted, and a clone is.
    X, y, task, sample_weight, offset
        As in ``estimator.fit``.
    per_task : bool, default=False
        Whether to tell what every task has of it, in the order of `tasks_`.
    n_probes : int, default=10
        Fits to nudged targets, for models of more than 1,000 free coefficients that are not linked by few norms only.
    random_state : int, RandomState instance or None, default=0
        Of the nudges.

    Returns
    -------
    float, or ndarray of shape (T,)

    References
    ----------
    Yuan, Lin (2006), JRSS B; Vaiter, Deledalle, Fadili, Peyre, Dossal (2017), Annals of the Institute of Statistical
    Mathematics; Ramani, Blu, Unser (2008), IEEE Transactions on Image Processing.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import BlockSparseRegressor, degrees_of_freedom
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 6))
    >>> Y = X[:, :2] @ rng.normal(size=(2, 4)) + 0.1 * rng.normal(size=(40, 4))
    >>> model = BlockSparseRegressor(alpha=0.2).fit(X, Y)  # 2 features, 4 tasks and their intercepts
    >>> print(4 < degrees_of_freedom(model, X, Y) < 12)
    True
    """
    seed = _checked_seed(n_probes, random_state)
    with one_thread():
        _, formulation, result = _solution(estimator, X, y, task, sample_weight, offset)
        problem = formulation.problem
        found = freedom(problem, result.parts, n_probes, seed)
        found = found if problem.tasks.owner is None else np.bincount(problem.tasks.owner, found)
    return found if per_task else float(found.sum())


def _solution(estimator, X, y, task, sample_weight, offset):
    """(the estimator fitted to the data, its Formulation, its solution as exact as a criterion needs it)."""
    own = estimator
    if not hasattr(estimator, "coef_"):
        own = clone(estimator).fit(X, y, **_given(sample_weight=sample_weight, task=task, offset=offset))
    formulation = own._formulate(X, y, sample_weight=sample_weight, task=task, offset=offset)
    problem, parts = formulation.problem, own._fitted_parts(formulation)
    if not np.array_equal(formulation.labels, own._labels):
        raise ValueError(
            f"X and y have tasks {formulation.labels.tolist()[:10]} as this {type(own).__name__} sees them, and not "
            f"those of its fit, {own.tasks_.tolist()[:10]}: hand over its training data, and no model for all tasks."
        )
    here = problem.primal(parts, own.intercept_) if parts[0].shape == problem.shape else np.nan
    if not abs(here - own.objective_) <= 1e-6 * (problem.threshold(1.0) + abs(own.objective_)):
        raise ValueError(
            f"X and y are not what this {type(own).__name__} was fitted to (the objective is {here:.6g} here and was "
            f"{own.objective_:.6g} there): hand over its training data, with the weights and task labels."
        )
    start = Result(parts, own.intercept_, own.objective_, own.dual_gap_, 0, Status.CONVERGED)
    return own, formulation, solve(problem, start, min(own.tol, SHARP), own.max_iter)


def _given(**options):
    return {name: value for name, value in options.items() if value is not None}


def _checked_seed(n_probes, random_state):
    check_count(n_probes, "n_probes", 1)
    return int(check_random_state(random_state).randint(2**31 - 1))


def checked_noise(noise, n_tasks):
    """ "pooled", "task" or (T,) variances."""
    if isinstance(noise, str):
        if noise not in ("pooled", "task"):
            raise ValueError(f"noise must be 'pooled', 'task' or the variance itself, got {noise!r}.")
        return noise
    values = np.asarray(noise, dtype=float)
    if values.shape not in ((), (n_tasks,)):
        raise ValueError(f"noise must be one variance or {n_tasks}, one for each task, got shape {values.shape}.")
    if not np.all((values > 0) & np.isfinite(values)):
        raise ValueError(f"noise must be positive and finite, got {noise!r}.")
    return np.broadcast_to(values, n_tasks)


def _refuse_perfect(found, sizes, noise, labels):
    misfit, left = found.misfit, sizes - found.freedom
    if noise == "pooled":
        misfit, left = misfit.sum(keepdims=True), left.sum(keepdims=True)
    some = sizes > 0 if noise == "task" else np.ones(1, dtype=bool)
    bad = some & ~((misfit > 0) & (left > 1e-3))
    if bad.any():
        of = f" of task {labels.tolist()[int(bad.argmax())]!r}" if noise == "task" else ""
        raise ValueError(
            f"the model leaves nothing of the targets{of} to estimate the noise from: use a larger strength, or pass "
            "its variance as noise=..."
        )


def estimated_noise(estimator, formulation, sizes, noise):
    """The variance of the noise, "pooled" or of every "task", for "sure" and ``alpha_theory``."""
    data = formulation.problem.data
    variance = least_squares_noise(data, sizes, per_task=noise == "task")
    if variance is not None:
        return variance
    if noise == "task":
        raise ValueError(
            "noise='task' needs more samples than features in every task to be estimated: use 'pooled', or pass the "
            "variances as noise=..."
        )
    factors = critical_factor(formulation.problem) * np.geomspace(1, PILOT_EPS, PILOT)
    multiples = Multiples(formulation.penalty, factors, data.tasks.n_features, formulation.labels)
    return best_noise(path_of(estimator, multiples, data, sizes)[0], sizes)
