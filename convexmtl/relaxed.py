"""After selection: the loss alone on the coefficients that a penalty has left, so that it does not shrink them."""

from dataclasses import replace

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from ._input import require_features
from ._threads import one_thread
from .certificate import duality_gap
from .coupling import Nested
from .data import DataTerm
from .gram import LARGEST, each, grams_of
from .inverses import conjugate_gradients, inverse
from .penalties.base import Canonical
from .penalties.support import Support
from .problem import Problem
from .result import Result, Status
from .solvers import solve
from .solvers._models import flat_grams

RIDGE = 1e-3  # where the data do not determine the coefficients, times the curvature of each of them
RANK = 1e-10  # smallest eigenvalue for features of unit length, below which features repeat each other
FLAT = 1e-6  # the same of the curvature at the solution beside that at W = 0, below which there is none but at infinity
NEWTON = 100  # steps
TRUNCATE, STEPS = 1e-4, 200  # residual of a step by conjugate gradients, relative, and how many of them
LOOK = 10  # of them after which it is seen where they lead
KINKED = 1e-6  # tol of the fits of losses with kinks that a search compares
DEEP = 1e-9  # tol of them, at which a solution at infinity shows


class Relaxed:
    """Fits without penalty to supports, for the same data; one for the same support as before is not made again.

    Parameters
    ----------
    data : DataTerm
    positive : bool
        Whether the coefficients have to be >= 0.
    """

    def __init__(self, data, positive=False):
        self.data, self.positive = data, positive
        self.support = self.found = None

    def fit(self, W):
        """(W (d, T), intercepts (T,), ridge (d, T)) on the support of W; the ridge is infinite elsewhere."""
        if self.support is None or not np.array_equal(self.support, W != 0):
            self.support = W != 0
            self.found = _fit(self.data, self.support)
            if self.positive and np.any(self.found[0] < 0):
                self.found = _kept_positive(self.data, *self.found)
        return self.found


def certified(data, W, tol, max_iter, positive=False):
    """(Result, Support, (T,) booleans: the tasks that have a ridge) on the support of W."""
    if not data.loss.smooth:
        result, support = _with_kinks(data, W != 0, tol, max_iter, positive)
        return result, support, np.zeros(W.shape[1], dtype=bool)
    W, intercept, ridge = Relaxed(data, positive).fit(W)
    penalty = Support(ridge, positive)
    problem = Problem(data, Canonical((penalty,), Nested(W.shape[1], [0.0])))
    certificate = duality_gap(problem, (W,), start=intercept)
    status = Status.of(certificate.gap, problem.threshold(tol)) or Status.STALLED
    best, gap = certificate.intercept, certificate.gap
    result = Result((W,), best, certificate.primal, gap, 1, status, certificate=certificate)
    if status is Status.STALLED:
        other = solve(problem, result if np.isfinite(gap) else None, tol, max_iter)
        result = other if other.dual_gap <= gap else replace(result, n_iter=other.n_iter)
    return result, penalty, np.any((ridge > 0) & np.isfinite(ridge), axis=0)


def _kept_positive(data, W, intercept, ridge):
    """The same for coefficients >= 0."""
    problem = Problem(data, Canonical((Support(ridge, positive=True),), Nested(W.shape[1], [0.0])))
    result = solve(problem, None, DEEP if data.loss.smooth else KINKED)
    return result.W, result.intercept, ridge


def _with_kinks(data, support, tol, max_iter, positive):
    """(Result, Support) of a loss without a derivative everywhere, whose minimum coefficients always attain."""
    penalty = Support(np.where(support, 0.0, np.inf), positive)
    return solve(Problem(data, Canonical((penalty,), Nested(support.shape[1], [0.0]))), None, tol, max_iter), penalty


def _fit(data, support):
    if not data.loss.smooth:
        result, penalty = _with_kinks(data, support, KINKED, 10_000, positive=False)
        return result.W, result.intercept, penalty.ridge
    tasks = data.tasks
    b = data.trivial[1]
    flat = data.curvature(tasks.shift(np.zeros(len(tasks.y)), b), flat=False)[0]
    means = data.design.means if data.loss.quadratic else tasks.means(flat) if data.fit_intercept else None
    # (A feature that is constant in a task says nothing there.)
    squares = data.design.squares if means is None else tasks.curvature(flat, means)
    support = support & (squares > 0)
    rows = np.flatnonzero(support.any(axis=1))
    W, ridge = np.zeros(data.shape), np.where(support, 0.0, np.inf)
    if not len(rows):
        return W, b, ridge
    fit = _Fit(data, rows, support[rows].T, squares[rows].T, flat)
    undetermined = fit.undetermined(RANK)
    if not data.loss.by_column:
        return _of_columns(data, support, ridge, squares, undetermined)
    fit.add_ridge(undetermined)
    fit.descend()
    W[rows], ridge[rows] = fit.W, np.where(support[rows], fit.ridge.T, np.inf)
    return W, fit.b, ridge


def _of_columns(data, support, ridge, squares, undetermined):
    """(W, intercepts, ridge) where columns of a task bend each other; with a ridge for all columns of a task that is
    not determined, or whose classes are separated."""
    owner = np.arange(len(undetermined)) if data.tasks.owner is None else data.tasks.owner
    for _ in range(2):
        held = np.isin(owner, owner[undetermined])
        ridge = np.where(support & held, RIDGE * squares, ridge)
        W, b = _newton(data, support, np.where(support, ridge, 0.0), squares)
        undetermined = held | data.separated(W, support & ~held)
        if np.array_equal(undetermined, held):
            break
    return W, b, ridge


def _newton(data, support, ridge, squares):
    """(W, intercepts) by Newton's method for all tasks at once, its steps by conjugate gradients."""
    tasks, enough = data.tasks, 1e-3 * data.threshold(DEEP)
    W, b = np.zeros(data.shape), data.trivial[1]
    unit = np.divide(1.0, squares + ridge, out=np.zeros_like(squares), where=support)
    z = tasks.apply(W)
    value = data.value(tasks.shift(z, b))
    for _ in range(NEWTON):
        at = tasks.shift(z, b)
        v = data.loss.derivative(tasks.y, at)
        slope = np.where(support, tasks.adjoint(tasks.weight * v) + ridge * W, 0.0)
        along = data.hessian(at, v)

        def bend(P, along=along):
            return np.where(support, tasks.adjoint(along(tasks.apply(P))), 0.0) + ridge * P

        move, _ = conjugate_gradients(bend, lambda R: unit * R, -slope, TRUNCATE, STEPS)
        falls, ahead, length = float(np.sum(slope * move)), tasks.apply(move), 1.0
        if not -falls > enough:
            break
        while length > 1e-9:
            new, intercepts = W + length * move, data.best_intercept(z + length * ahead, b)
            found = data.value(tasks.shift(z + length * ahead, intercepts)) + 0.5 * float(np.sum(ridge * new**2))
            if found <= value + 1e-4 * length * falls:
                W, z, b, value = new, z + length * ahead, intercepts, found
                break
            length *= 0.5
        else:
            break
    return W, b


class _Fit:
    """Newton's method for all tasks at once, each on its own support.

    Parameters
    ----------
    data : DataTerm
    rows : (s,) features that a task needs
    E : (T, s) which of them each task needs
    squares : (T, s) their squared lengths
    flat : (N,) curvature of the loss at W = 0, times the weights
    """

    def __init__(self, data, rows, E, squares, flat):
        tasks = data.tasks.select(rows)
        self.data, self.loss = DataTerm(tasks, data.loss, data.fit_intercept, data.fixed_intercept), data.loss
        self.whole, self.rows = data, rows
        self.E, self.flat = E, flat
        self.squares, self.unit = squares, np.where(E, 1 / np.sqrt(np.where(squares > 0, squares, 1.0)), 0.0)
        self.W, self.b = np.zeros(E.T.shape), data.trivial[1]
        self.ridge = np.zeros(E.shape)
        self.z = np.zeros(len(tasks.y))
        self.kept = None

    def matrices(self, h):
        """Yield (tasks, Gram matrices (k or 1, s, s) for the curvatures h (N,) on the supports, in units of the
        features' lengths, with ones on the diagonal beyond them)."""
        data, (T, s) = self.data, self.E.shape
        if self.loss.quadratic and T * s * s <= LARGEST:
            G, scale = flat_grams(self.whole, self.rows)
            # One for all, where tasks share X and the support.
            one = len(G) == 1 and np.all(self.E == self.E[0])
            some = slice(0, 1) if one else slice(None)
            yield slice(None), self.united(G * (1.0 if one else scale[:, None, None]), some, scale[0] if one else 1.0)
            return
        means = data.tasks.means(h) if data.fit_intercept else None
        for some, G in grams_of(data.tasks, h, means):
            yield some, self.united(G, some)

    def united(self, G, some, scale=1.0):
        unit = self.unit[some]
        G = scale * unit[:, :, None] * G * unit[:, None, :]
        every = np.arange(G.shape[-1])
        G[:, every, every] += ~self.E[some]
        return G

    def undetermined(self, least, beside=False):
        """(T,) the tasks whose curvature at W = 0, or at W ``beside`` that, is next to none along a line."""
        smallest = np.empty(len(self.E))
        blocks = self.matrices(self.flat)
        if beside:
            at = self.data.tasks.shift(self.z, self.b)
            h = self.data.tasks.weight * self.loss.second(self.data.tasks.y, at)
            blocks = ((some, _whitened(H, G)) for (some, G), (_, H) in zip(blocks, self.matrices(h), strict=True))
        for some, G in blocks:
            smallest[some] = np.linalg.eigvalsh(G)[:, 0]
        return ~(smallest > least) & self.E.any(axis=1)

    def add_ridge(self, tasks):
        """Let these tasks begin anew, with a ridge."""
        self.ridge[tasks] = np.where(self.E, RIDGE * self.squares, 0.0)[tasks]
        self.W[:, tasks] = 0.0
        self.z = self.data.tasks.apply(self.W)
        self.b = self.data.best_intercept(self.z, self.b)
        self.kept = None

    def values(self, W, z, b):
        """(T,) objectives."""
        tasks = self.data.tasks
        losses = tasks.sum(tasks.weight * self.loss.value(tasks.y, tasks.shift(z, b)))
        return losses + 0.5 * np.sum(self.ridge * W.T**2, axis=1)

    def inverses(self, h):
        """[(tasks, inverses of the Hessians, in units of the features' lengths)]"""
        if self.kept is None or not self.loss.quadratic:
            self.kept = []
            every = np.arange(len(self.rows))
            for some, G in self.matrices(h):
                G[:, every, every] += (self.ridge * self.unit**2)[some][: len(G)]
                self.kept.append((some, inverse(G)))
        return self.kept

    def curvature(self, at):
        """(N,) at the predictions ``at``, times the weights: the second derivative, where it is not 0."""
        tasks, loss = self.data.tasks, self.loss
        second = loss.second(tasks.y, at)
        return tasks.weight * np.where(second > 0, second, loss.model_curvature(tasks.y, at))

    def descend(self):
        """To the solutions; tasks on their way to one at infinity get a ridge, and begin anew."""
        tasks, enough = self.data.tasks, 1e-3 * self.whole.threshold(DEEP)
        with np.errstate(over="ignore", invalid="ignore"):
            value = self.values(self.W, self.z, self.b)
            for k in range(1, NEWTON + 1):
                at = tasks.shift(self.z, self.b)
                slope = tasks.adjoint(tasks.weight * self.loss.derivative(tasks.y, at)) + (self.ridge * self.W.T).T
                slope = np.where(self.E.T, slope, 0.0)
                move = np.empty(self.W.shape)
                for some, inner in self.inverses(self.curvature(at)):
                    unit = self.unit[some].T
                    move[:, some] = -unit * each(inner, unit * slope[:, some])
                falls = np.sum(slope * move, axis=0)
                done = -falls.sum() <= enough
                if not self.loss.quadratic and (done or k % LOOK == 0):
                    far = self.undetermined(FLAT, beside=True) & ~self.ridge.any(axis=1)
                    if far.any():
                        self.add_ridge(far)
                        value = self.values(self.W, self.z, self.b)
                        continue
                if done:
                    break
                value = self.step(move, falls, value)

    def step(self, move, falls, value):
        """Every task goes as far as pays: the whole way, or a part of it."""
        along, length = self.data.tasks.apply(move), np.ones(len(falls))
        for _ in range(40):
            z = self.z + self.data.tasks.spread(length) * along
            b = self.data.best_intercept(z, self.b)
            new = self.values(self.W + length * move, z, b)
            # (What is rounding of the value is no rise.)
            short = ~(new <= value + 1e-4 * length * falls + 1e-15 * np.abs(value))
            if not short.any():
                break
            length = np.where(short, 0.5 * length, length)
        length = np.where(short, 0.0, length)
        self.W, self.z = self.W + length * move, self.z + self.data.tasks.spread(length) * along
        self.b = self.data.best_intercept(self.z, self.b)
        return self.values(self.W, self.z, self.b)


def _whitened(H, G):
    """Matrices with the eigenvalues of G^-1 H; of no use, and so 1, where G is nearly singular."""
    values, vectors = np.linalg.eigh(G)
    root = vectors / np.sqrt(np.maximum(values, RANK))[:, None, :]
    return root.transpose(0, 2, 1) @ H @ root


def relax(estimator, X, y, *, task=None, sample_weight=None, offset=None):
    """The loss alone on the coefficients that a fit has selected: what the penalty has shrunk is not shrunk any more.

    minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) over all W with w_tj = 0 wherever the estimator's is,

    which is least squares, task by task, for the squared loss. The support is that of single coefficients, which are
    whole rows where the penalty selects rows. Where the data of a task do not determine its coefficients there (more of
    them than samples, features that repeat each other, classes that can be separated, for which they would be
    infinite), the task gets a ridge of 0.001 times the curvature that each coefficient has at W = 0; a warning says so,
    and ``ridge_tasks_`` which tasks those are.

    Parameters
    ----------
    estimator : fitted estimator of convexmtl
        It is left as it is.
    X, y, task, sample_weight, offset
        As in ``estimator.fit``; of the same tasks and features.

    Returns
    -------
    estimator
        A fitted one of the same class and with the same parameters, whose ``coef_``, ``intercept_``, ``objective_`` and
        ``dual_gap_`` are those of the problem above; ``certify`` and ``reference.fit`` take it for that.
        ``ridge_tasks_`` has the labels of the tasks with a ridge. Where W was a sum of parts, there are none any more.
        ``fit`` fits it as it would any other; ``refit="relaxed"`` does both at once.

    Raises
    ------
    ValueError
        For data with other tasks or features, and for what ``fit`` raises one.
    TypeError
        For what is no estimator of convexmtl, a pipeline that ends with one say.

    Warns
    -----
    UserWarning
        Where tasks have got a ridge.

    References
    ----------
    Meinshausen (2007), Computational Statistics & Data Analysis; Belloni, Chernozhukov (2013), Bernoulli.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import BlockSparseRegressor, relax
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 6))
    >>> Y = X[:, :2] @ np.array([[1.0, 2.0], [3.0, 4.0]]) + 0.1 * rng.normal(size=(40, 2))
    >>> model = BlockSparseRegressor(alpha=0.5).fit(X, Y)
    >>> print(model.coef_.round(1)[:, :2])
    [[0.8 2.7]
     [1.7 3.5]]
    >>> print(relax(model, X, Y).coef_.round(1)[:, :2])
    [[1. 3.]
     [2. 4.]]
    """
    if not hasattr(estimator, "_formulate"):
        raise TypeError(
            f"estimator must be an estimator of convexmtl, got {type(estimator).__name__}: of a pipeline hand over the "
            "last step, and X as that sees it, pipeline[:-1].transform(X)."
        )
    check_is_fitted(estimator, "coef_")
    require_features(estimator, "relax")
    own = clone(estimator)
    with one_thread():
        data = own._read(X, y, sample_weight, task, offset, reset=True)
        if own.n_features_in_ != estimator.n_features_in_:
            raise ValueError(
                f"X has {own.n_features_in_} features, the estimator was fitted with {estimator.n_features_in_}: hand "
                "over the X that it was fitted to."
            )
        if not np.array_equal(data.labels, estimator._labels):
            raise ValueError(
                f"task must be as in fit, {estimator.tasks_.tolist()[:10]}, got {data.labels.tolist()[:10]}: what was "
                "selected for other tasks says nothing of these."
            )
        vars(own).update(estimator._fitted_state())
        vars(own).pop("_support", None)
        own._relax(own._state(data, stacklevel=3), stacklevel=3)
    return own
