"""Primal, dual and gap of any (W, b), from outside any solver.

With v the dual variables (one per sample) and Z_t = -sum_i c_ti v_ti x_ti, any v with sum_i c_ti v_ti = 0
per task gives a lower bound of the objective. The gap is summed as the Fenchel gaps of the loss and of
the penalty, each of them >= 0, because primal - dual would cancel the digits that matter.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, hstack, identity, issparse
from scipy.sparse.csgraph import connected_components

from ._products import BLOCK, turned, without_rounding
from ._rows import used_rows
from .coupling import AllBut, share_in
from .gram import each, grams_of
from .inverses import conjugate_gradients, inverse
from .penalties._sums import Sharing
from .penalties.rows import without
from .tasks import Tasks

SMALL = 5_000  # entries of W up to which looking for zeros takes longer than they would
ENTRIES = 50_000  # of all W of a path, or of all predictions, that are certified at a time: a core's cache has them
MENDED = 5  # steps in which constraints alone find dual variables
EXACT, PRODUCTS = 1e-10, 50  # residual of a Newton step that is made of products with the samples, and how many
MOST = 500  # conjugate gradients in a Newton step of a loss of all columns of a task at once
ROUNDS = 10  # in which the features are found whose coefficients >= 0 nothing else holds
FAR = 1e3  # deviations of the targets from their mean that others may be away from zero, and still be exact


@dataclass(frozen=True, eq=False)
class Certificate:
    """Attributes
    ----------
    primal, dual, gap : float
        gap = primal - dual bounds how far the primal is above the optimum.
    intercept : ndarray of shape (T,)
        The best intercepts for W; ``primal`` is taken at the intercepts that were asked for, if any.
    Z : ndarray of shape (d, T)
        Minus the gradient of the smooth part (loss and quadratic coupling) at W and the best intercepts.
    z : ndarray of shape (N,)
        Predictions at W and the best intercepts.
    tasks : Tasks
        The data.
    coupled : bool
        Whether there was a quadratic coupling.
    v : ndarray of shape (N,) or None
        The dual variables of the bound before they are shrunk by ``scale``, where they were asked for.
    scale : float
        By how much they are, until every norm accepts them.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import BlockSparseRegressor, certify
    >>> X, Y = np.eye(3), np.array([[3.0, 0.0], [0.0, 0.0], [0.0, 3.0]])
    >>> model = BlockSparseRegressor(alpha=0.1).fit(X, Y)
    >>> certificate = certify(model, X, Y)
    >>> print(certificate.gap <= 1e-4 * certificate.primal)
    True
    >>> certificate.Z.shape
    (3, 2)
    """

    primal: float
    dual: float
    gap: float
    # (What is printed fits on a line.)
    intercept: np.ndarray = field(repr=False)
    Z: np.ndarray = field(repr=False)
    z: np.ndarray = field(repr=False)
    tasks: Tasks = field(repr=False)
    coupled: bool = field(repr=False)
    v: np.ndarray | None = field(default=None, repr=False)
    scale: float = field(default=1.0, repr=False)


class Dual(NamedTuple):
    """What a solver knows of the dual variables; any make a bound, and these a better one than W alone leads to.

    Attributes
    ----------
    at : ndarray of shape (N,) or None
        Predictions at which the derivatives of the loss are taken; None takes those of W. A solver that splits the
        predictions from W has better ones where the loss bends sharply: a small error of W is a large one of its
        derivative there.
    v : ndarray of shape (N,) or None
        Near subgradients of a loss that has no derivative everywhere, in place of ``at``.
    split : ndarray of shape (G, d, T) or None
        Near the shares in minus the gradient of the groups of a penalty that is a sum of several.
    """

    at: np.ndarray | None = None
    v: np.ndarray | None = None
    split: np.ndarray | None = None

    def fits(self, tasks):
        """Whether it is of as many samples as these Tasks have."""
        return all(of is None or of.shape == tasks.y.shape for of in (self.at, self.v))


def _pull(data, v, plain, W):
    """Minus the gradient for the derivatives v at W, (d, T); that at W = 0 is known."""
    if data.loss.smooth and data.thinned is None and not W.any() and np.array_equal(v, data.slopes):
        return data.moments
    return data.pulled(v) if plain else data.tasks.adjoint(-data.tasks.weight * v)


# A gradient may overflow where the objective does not; its bound is then the trivial one.
@np.errstate(over="ignore", invalid="ignore")
def duality_gap(problem, parts, intercept=None, start=None, known=None, most=np.inf, dual=None, keep=False, bound=True):
    """Certificate of W = sum(parts).

    Parameters
    ----------
    problem : Problem
    parts : sequence of (d, T) arrays
    intercept : (T,) array or None
        None takes the best intercepts for W.
    start : (T,) array or None
        Where to start looking for the best intercepts.
    known : Certificate or None
        Of the same W for other strengths, or without a bound: predictions and the gradient of the loss do not depend on
        them.
    most : float
        Where the objective is larger, infinite or NaN, nothing is certified: a trial point that is not taken needs no
        bound, and what a bound is made of may overflow there.
    dual : Dual or None
        Where to take the dual variables.
    keep : bool
        Whether to hand them over.
    bound : bool
        Whether there is to be one. Without, the gap is infinite, and all else is as it is with one.
    """
    tasks, loss, penalty = problem.tasks, problem.loss, problem.penalty
    W = sum(parts[1:], parts[0])
    c, y = tasks.weight, tasks.y
    coupling = penalty.coupling
    coupled = not coupling.is_zero
    if known is not None and (known.tasks is not tasks or intercept is not None):
        known = None
    dual = Dual() if dual is None else dual
    # Of many tasks on one X every pass over their samples counts.
    plain = problem.data.even and known is None and intercept is None and dual.at is None and dual.v is None
    if plain:
        best, v = problem.data.residual(W)
        at_best = y + v
    elif known is None:
        raw, near = tasks.apply(W), start if intercept is None else intercept
        if near is None and not loss.quadratic:
            near = problem.data.trivial[1]
        best = problem.data.best_intercept(raw, near) if W.any() else problem.data.trivial[1]
        at_best = tasks.shift(raw, best)
    else:
        best, at_best = known.intercept, known.z
    z = at_best if intercept is None else tasks.shift(raw, intercept)
    WM = coupling.apply(W) if coupled else None
    sizes = penalty.values(parts)
    quadratic = coupling.value(W) if coupled else 0.0
    fit = 0.5 * float(np.einsum("i,i,i->", c, v, v)) if plain else problem.data.value(z)
    primal = fit + sum(map(sum, sizes)) + quadratic
    at = at_best if dual.at is None else np.where(c > 0, dual.at, 0.0)
    if not plain:
        v = loss.derivative(y, at) if dual.v is None else loss.inside(y, np.where(c > 0, dual.v, 0.0))
    if not (primal <= most and np.isfinite(primal) and (plain or np.isfinite(v).all())):
        primal = np.inf if np.isnan(primal) else primal
        return Certificate(primal, -np.inf, np.inf, best, np.full(W.shape, np.nan), at_best, tasks, coupled)
    if not plain:
        v = balanced(problem.data, v)
    own = v if plain else None
    Z = _pull(problem.data, v, plain, W) if known is None or known.coupled else known.Z
    if coupled:
        Z = Z - 2 * WM
    gradient = Z
    if not bound:
        return Certificate(primal, -np.inf, np.inf, best, gradient, at_best, tasks, coupled)
    free, feasible = penalty.free, True
    entries, out = penalty.free_entries(problem.shape), penalty.left_out(problem.shape)
    if out is not None:
        # W is zero there, and Z may be anything.
        Z = np.where(out, 0.0, Z)
    if penalty.positive and (entries is not None or free.shape[1]) and c.any():
        v, Z, feasible = _within_cone(problem, W, at, v, Z, WM, entries, out)
        free = free[:, :0]
    elif entries is not None and c.any():
        v = in_domain(problem.data, without_entries(problem.data, at, v, WM, free, entries, out))
        Z = _gradient(tasks, -c * v, WM, out)
        size = np.sqrt(problem.data.design.squares * float(c @ v**2))
        feasible = not np.any(np.abs(Z[entries]) > 1e-7 * size[entries])
        Z = np.where(entries, 0.0, Z)
    elif free.shape[1] and c.any():
        if loss.by_column:
            v = v + _correction(problem, at, v, Z, free)
        else:
            v = _moved(problem.data, at, v, Z, *what_is_free(free, None, problem.shape))
        Z = _gradient(tasks, -c * v, WM, out)
    if free.shape[1] and c.any():
        share = share_in(free, Z)
        left = share if isinstance(free, AllBut) else Z @ free
        # A feature's largest possible share, by Cauchy and Schwarz; only rounding of it may be left.
        size = np.sqrt(problem.data.design.squares.max(axis=1) * float(c @ v**2))
        feasible = feasible and not np.any(np.abs(left[size > 0]) > 1e-7 * size[size > 0, None])
        Z = Z - share
    shares, rest = [Z] * bool(penalty.terms), None
    if len(penalty.groups) > 1 or any(term.is_constraint for group in penalty.groups for term in group):
        sharing, split = Sharing(penalty.groups, problem.shape), dual.split
        for k in range(MENDED + 1):
            shares, rest = sharing(Z, split, out)
            taken = without(rest, coupling.free) if coupled else np.zeros_like(rest)
            least = 1e-9 if k == MENDED else 1e-13
            if not np.abs(rest - taken).max() > least * np.abs(Z).max():
                break
            # What neither a group nor the coupling can take has to be taken out of the dual variables.
            v = _without_rest(problem.data, at, v, rest - taken)
            Z, split = _gradient(tasks, -c * v, WM, out), shares
        else:
            feasible = False
        rest = taken if coupled else None
    fit = fit if v is own else None
    gap, scale = np.inf, 0.0
    if feasible:
        gap, scale = _fenchel_gaps(problem, parts, sizes, quadratic, z, v, Z, shares, rest, fit)
    # v = 0 is feasible for every loss and penalty; it is the better bound where the data can be fitted exactly.
    trivial = primal + problem.data.at_rest
    if not gap <= trivial:
        gap, scale = trivial, 0.0
    gap = float(not_below_zero(gap, abs(primal) + abs(trivial)))
    return Certificate(primal, primal - gap, gap, best, gradient, at_best, tasks, coupled, v if keep else None, scale)


def path_gaps(problems, factors, Ws, begin=0):
    """(primal (A,), gap (A,), best intercepts (A, T)) of W = Ws[a] for problem ``begin + a``, as from ``duality_gap``.

    The problems differ in the factor before their penalty, of one term. With the squared loss all are made at once.
    """
    (A, d, T), first = Ws.shape, problems[0]
    data, penalty = first.data, first.penalty
    tasks, (term,) = data.tasks, penalty.terms

    def one_by_one(known):
        some = problems[begin : begin + A]
        found = [duality_gap(problem, (W,), known=k) for problem, W, k in zip(some, Ws, known, strict=True)]
        return tuple(map(np.array, zip(*((c.primal, c.gap, c.intercept) for c in found), strict=True)))

    if not data.loss.quadratic:
        return one_by_one([None] * A)
    size = max(1, ENTRIES // max(T * d, len(tasks.y)))
    if A > size:
        found = [path_gaps(problems, factors, Ws[a : a + size], begin + a) for a in range(0, A, size)]
        return tuple(np.concatenate(column) for column in zip(*found, strict=True))
    mass, (V, used) = tasks.mass, turned(Ws)
    z = tasks.apply_all(Ws, (V, used))
    r = tasks.y - z
    intercepts = np.zeros((A, T))
    if data.fit_intercept:
        # Once more where they are large: the mean of large numbers is only as exact as they are.
        for _ in range(2):
            means = np.divide(tasks.sums_of_all(r), mass, out=np.zeros((A, T)), where=mass > 0)
            intercepts += means
            tasks.shift_all(r, -means)
            if np.max(means**2 @ mass) <= FAR**2 * data.trivial[0]:
                break
        if data.fixed_intercept is not None:
            intercepts[:, data.empty] = data.fixed_intercept[data.empty]
    weighted = r * tasks.weight
    Z = tasks.adjoint_all(weighted)
    free = term.free_tasks(T).size or term.free_entries((d, T)) is not None
    if not penalty.coupling.is_zero or free or not term.is_norm:
        nothing, z = (np.inf, -np.inf, np.inf), tasks.y - r
        return one_by_one([Certificate(*nothing, intercepts[a], Z[a], z[a], tasks, False) for a in range(A)])
    # With the weighted residual as dual variables, the loss has a gap of (1 - shrink)^2 times its value.
    strength = np.asarray(factors[begin : begin + A]) / factors[0]
    losses, products = 0.5 * np.einsum("an,an->a", r, weighted), np.einsum("an,an->a", z, weighted)
    sizes = strength * term.restrict(used).values(V.transpose(0, 2, 1))
    shrink = 1 / np.maximum(1, term.dual_norms(Z) / strength)
    primals = losses + sizes
    gaps = np.fmin((1 - shrink) ** 2 * losses + sizes - shrink * products, primals)
    return primals, not_below_zero(gaps, primals), intercepts


def not_below_zero(gap, scale):
    """A gap without the rounding by which it is below zero; whatever is more is an error of a penalty, and shows."""
    return np.where((gap < 0) & (gap >= -1e-12 * scale), 0.0, gap)


def _fenchel_gaps(problem, parts, sizes, quadratic, z, v, Z, shares, rest=None, fit=None):
    """(primal - dual, scale), after v has been scaled down until every norm accepts its group's share of Z.

    ``sizes`` are the values of the terms, ``quadratic`` is that of the coupling, which takes the ``rest`` of Z that no
    share has beside its own.
    """
    tasks, loss, penalty = problem.tasks, problem.loss, problem.penalty
    scale = loss.reach(tasks.y, np.where(tasks.weight > 0, v, 0.0)) if fit is None and not loss.quadratic else 1.0
    for group, share in zip(penalty.groups, shares, strict=False):
        for term in group:
            if term.is_norm:
                norm = term.dual_norm(share)
                scale = min(scale, 1 / norm) if norm > 1 else scale if norm <= 1 else np.nan
    if fit is None:
        gap, scale = problem.data.fenchel_gap(z, v, scale)
    else:
        gap = (1 - scale) ** 2 * fit
    if not penalty.terms:
        rest = Z
    gap += (1 - scale) ** 2 * quadratic
    if rest is not None:
        along = float(np.sum(sum(parts) * rest))
        gap += scale * (scale - 1) * along + scale**2 * penalty.coupling.conjugate(rest)
    for group, at, of_group, share in zip(penalty.groups, penalty.seen(parts), sizes, shares, strict=True):
        for term, part, size in zip(group, at, of_group, strict=True):
            conjugate = 0.0 if term.is_norm else term.conjugate(scale * share)
            used = used_rows(part) if part.size > SMALL else slice(None)
            gap += size + conjugate - scale * float(np.sum(part[used] * share[used]))
    return gap, scale


def balanced(data, v):
    """Dual variables of which those of a task have the weighted sum 0 where it has an intercept, close to v (N,)."""
    if not data.fit_intercept:
        return v
    tasks, loss, c = data.tasks, data.loss, data.tasks.weight
    if loss.quadratic or not loss.by_sample:
        return _centred(tasks, c, v)
    if not loss.by_column:
        return loss.balanced(tasks.y, v, c, tasks.ptr)
    if not loss.smooth:
        # Those at a kink may go either way.
        give = c * loss.give(tasks.y, None, v)
        room = tasks.sum(give)
        move = np.divide(tasks.sum(c * v), room, out=np.zeros(tasks.n_tasks), where=room > 0)
        v = loss.inside(tasks.y, np.where(give > 0, v - tasks.spread(move), v))
    return loss.balanced(tasks.y, v, c, tasks.ptr)


def _centred(tasks, c, v):
    """v with sum_i c_ti v_ti = 0 per task, where any value of v is allowed; it is nearly so already."""
    mean = np.divide(tasks.sum(c * v), tasks.mass, out=np.zeros(tasks.n_tasks), where=tasks.mass > 0)
    return v - tasks.spread(mean)


def separated(problem, W):
    """Positions of the tasks whose classes are separated by coefficients without a penalty, as ``DataTerm`` has it."""
    entries, penalty = problem.penalty.free_entries(problem.shape), problem.penalty
    if entries is None and not penalty.terms and penalty.coupling.is_zero:
        entries = np.ones(problem.shape, dtype=bool)
    return np.flatnonzero(False if entries is None else problem.data.separated(W, entries))


def _without_rest(data, at, v, rest):
    """v after a Newton step in the coefficients at which ``rest`` is not zero, that takes it out of Z there.

    Weighted by the loss's second derivative, as ``_correction`` is.
    """
    tasks, c = data.tasks, data.tasks.weight
    if not data.loss.by_column:
        return _moved(data, at, v, rest, identity(tasks.n_tasks, format="csr"), rest != 0)
    curvature = data.loss.give(tasks.y, at, v)
    rows = np.flatnonzero(rest.any(axis=1))
    sub, E, h = tasks.select(rows), rest[rows].T != 0, c * curvature
    means = sub.means(h) if data.fit_intercept else None
    move = np.zeros((len(rows), tasks.n_tasks))
    for some, G in grams_of(sub, h, means):
        move[:, some] = each(inverse(_inside(G, E[some])), rest[rows][:, some])
    step = sub.apply(move)
    return v + curvature * (step if means is None else step - tasks.spread(np.sum(means * move, axis=0)))


def _gradient(tasks, u, WM, out):
    """(d, T) sums of u_ti x_ti, less the gradient of the coupling; zero where W has to be."""
    Z = tasks.adjoint(u)
    if WM is not None:
        Z = Z - 2 * WM
    return Z if out is None else np.where(out, 0.0, Z)


def without_entries(data, at, v, WM, free, entries, out=None):
    """v after Newton steps in the coefficients that are free, and beside them in the directions of tasks that are.

    Weighted by the loss's second derivative, as ``_correction`` is. Between the two, the directions get what their
    features have beyond the free ones.
    """
    tasks, c = data.tasks, data.tasks.weight
    if not data.loss.by_column:
        U, allowed = what_is_free(free, entries, np.shape(entries))
        return _moved(data, at, v, _gradient(tasks, -c * v, WM, out), U, allowed)
    curvature = data.loss.give(tasks.y, at, v)
    h = c * curvature
    if issparse(free):
        free = free.toarray()
    rows = np.flatnonzero(entries.any(axis=1)) if not free.shape[1] else np.arange(len(entries))
    sub, E = tasks.select(rows), entries[rows].T
    means = sub.means(h) if data.fit_intercept else None
    blocks = [(some, G, inverse(_inside(G, E[some]))) for some, G in grams_of(sub, h, means, bool(free.shape[1]))]
    for _ in range(2):
        Z = _gradient(tasks, -c * v, WM, out)[rows]
        move = np.zeros(Z.shape)
        for some, G, inner in blocks:
            own, outside = E[some].T, Z[:, some]
            if free.shape[1]:
                across = G * (~E[:, :, None] & E[:, None, :])
                rest = np.where(own, 0.0, outside - each(across, each(inner, np.where(own, outside, 0.0))))
                beyond = _inside(G, ~E) - across @ inner @ across.transpose(0, 2, 1)
                k, d = free.shape[1], len(Z)
                H = np.einsum("tij,ta,tb->aibj", beyond, free, free).reshape(k * d, k * d)
                common = np.where(own, 0.0, (inverse(H) @ (rest @ free).T.ravel()).reshape(k, d).T @ free.T)
                outside = outside - each(across.transpose(0, 2, 1), common)
                move[:, some] = common
            move[:, some] += each(inner, np.where(own, outside, 0.0))
        step = sub.apply(move)
        v = v + curvature * (step if means is None else step - tasks.spread(np.sum(means * move, axis=0)))
    return v


def in_domain(data, v):
    """v (N,), zero in the tasks in which the loss does not accept it.

    So it is where free coefficients separate the classes of a task: the loss has no minimum, steps of Newton's method
    are as long as v itself, however small that is, and zero is what v goes to.
    """
    tasks = data.tasks
    if not data.loss.smooth:
        return v  # for all of it to be shortened
    outside = (tasks.weight > 0) & ~np.isfinite(data.loss.conjugate(tasks.y, v))
    return np.where(tasks.spread(tasks.sum(outside.astype(float))) > 0, 0.0, v) if outside.any() else v


def what_is_free(free, entries, shape):
    """(U (T, k), allowed (d, k)): feature j is free along the column k of U, for allowed[j, k]."""
    U, allowed = csr_array(free), np.ones((shape[0], free.shape[1]), dtype=bool)
    if entries is not None:
        own = entries.all(axis=1)
        U = hstack([U, identity(shape[1])], format="csr")
        allowed = np.hstack([allowed & ~own[:, None], entries])
    return U, allowed


def _moved(data, at, v, Z, U, allowed):
    """v after a Newton step along the columns of U (T, k), in the features that are allowed (d, k), that takes Z (d, T)
    out there; for a loss of all columns of a task at once, whose curvature is no matter of samples."""
    features = np.flatnonzero(allowed.any(axis=1))
    tasks, allowed = data.tasks.select(features), allowed[features]
    along, curvature = data.hessian(at, v), data.tasks.weight * data.loss.give(data.tasks.y, at, v)
    means = data.tasks.means(curvature)[features] if data.fit_intercept else None
    squares = np.where(allowed, tasks.curvature(curvature, means) @ U.power(2), 0.0)
    unit = np.divide(1.0, squares, out=np.zeros_like(squares), where=squares > 0)

    def project(R):
        return np.where(allowed, R @ U, 0.0)

    def change(C):
        return along(tasks.apply(C @ U.T))

    C, _ = conjugate_gradients(
        lambda C: project(tasks.adjoint(change(C))), lambda R: unit * R, project(Z[features]), 1e-10, MOST
    )
    c = data.tasks.weight
    return v + np.divide(change(C), c, out=np.zeros_like(v), where=c > 0)


def _within_cone(problem, W, at, v, Z, WM, entries, out):
    """(v, Z, whether they are feasible) where W >= 0: along what is free, Z must not be positive, and it is zero
    where W is not.

    Newton steps in the coefficients that are held by nothing else, weighted by how easily the dual variables move.
    """
    data = problem.data
    tasks, c, (d, T) = data.tasks, data.tasks.weight, problem.shape
    U, allowed = what_is_free(problem.penalty.free, entries, (d, T))
    allowed &= (data.design.squares @ abs(U)) > 0
    curvature = data.loss.give(tasks.y, at, v)
    h = c * curvature
    squares, support = data.design.squares.max(axis=1)[:, None], abs(U) > 0
    # Columns of U that have tasks in common are taken together.
    part = connected_components(U @ U.T, directed=False)[1]
    blocks = [np.flatnonzero(part == p) for p in np.unique(part[np.unique(U.nonzero()[0])])]
    active = allowed & ((W <= 0).astype(float) @ support.astype(float) == 0)
    for k in range(ROUNDS):
        along, size = np.where(allowed, Z @ U, 0.0), np.sqrt(squares * float(c @ v**2))
        active |= along > 1e-12 * size
        features = np.flatnonzero(active.any(axis=1))
        left = np.where(active, np.abs(along), 0.0)
        if not len(features) or (k > 1 and not np.any(left > 1e-10 * size)):
            break
        if not data.loss.by_column:
            v = _moved(data, at, v, Z, U, active)
            Z = _gradient(tasks, -c * v, WM, out)
            continue
        sub = tasks.select(features)
        means = sub.means(h) if data.fit_intercept else None
        G, move = sub.gram(h, means), np.zeros((len(features), T))
        for some in blocks:
            row, column = np.nonzero(active[features] & (support[some].sum(axis=0) > 0))
            if not len(row):
                continue
            shares = U[some][:, column].toarray()
            H = np.einsum("ta,tb,tab->ab", shares, shares, G[some][:, row[:, None], row], optimize=True)
            np.add.at(move, (row[None], some[:, None]), shares * (inverse(H) @ along[features[row], column]))
        step = sub.apply(move)
        v = v + curvature * (step if means is None else step - tasks.spread(np.sum(means * move, axis=0)))
        Z = _gradient(tasks, -c * v, WM, out)
    accepted = in_domain(data, v)
    if accepted is not v:
        v, Z = accepted, _gradient(tasks, -c * accepted, WM, out)
    along, size = np.where(allowed, Z @ U, 0.0), np.sqrt(squares * float(c @ v**2))
    feasible = not np.any(np.where(active, np.abs(along), along) > 1e-7 * size)
    return v, Z - np.where(active, along, np.maximum(along, 0.0)) @ U.T, feasible


def _inside(G, E):
    """G (T, s, s) on the features of E (T, s), zeros elsewhere."""
    return G * (E[:, :, None] & E[:, None, :])


def _correction(problem, z, v, Z, free):
    """Change of v after which Z vanishes along the free directions: X-part of one Newton step in them.

    Weighted by the loss's second derivative, so that dual variables at an end of their domain stay there.
    """
    data = problem.data
    if data.independent is not None:
        # More features than rows: the same correction in a basis of what the rows span.
        data, Q = data.independent
        Z = Q.T @ Z
    tasks, (_, T) = data.tasks, data.shape
    curvature = data.loss.give(tasks.y, z, v)
    h = tasks.weight * curvature
    quadratic, solve = data.loss.quadratic, None
    means = data.design.means if quadratic else tasks.means(h) if data.fit_intercept else None
    if isinstance(free, AllBut):
        V = _correction_but(data, h, means, Z, free.others)
        step = tasks.apply(V)
        return curvature * (step if means is None else step - tasks.spread(np.sum(means * V, axis=0)))
    if quadratic and data.design.common is not None:
        # H = (free' diag(shares) free) x G has the inverse of a Kronecker product.
        G, shares = data.design.common, data.design.shares
        if issparse(free):
            within = free.power(2).T @ shares
            product = lambda C: (G.G @ C) * within  # noqa: E731
            solve = lambda R: G.inverted(R) / within  # noqa: E731
        else:
            within = free.T @ (shares[:, None] * free)
            outer = np.linalg.pinv(within, hermitian=True)
            product = lambda C: G.G @ C @ within  # noqa: E731
            solve = lambda R: G.inverted(R) @ outer  # noqa: E731
    elif issparse(free) and not _few(tasks, free):
        # Every direction has tasks of its own.
        G = data.design.matrices if quadratic else tasks.gram(h, means)
        H = (free.power(2).T @ G.reshape(T, -1)).reshape(-1, *G.shape[1:])
        inverses = inverse(H)
        product = lambda C: each(H, C)  # noqa: E731
        solve = lambda R: each(inverses, R)  # noqa: E731
    else:
        free, solve = free.toarray() if issparse(free) else free, None
    wanted, reached = Z @ free, False
    if solve is None and _few(tasks, free) and data.design.common is not None:
        C, reached = _by_products(data, h, curvature, means, free, wanted)
    if solve is None and not reached:
        H = _projected_hessian(tasks, h, means, free)
        k, d = H.shape[:2]
        H = H.reshape(k * d, k * d)
        inverted = inverse(H)
        product = lambda C: (H @ C.T.ravel()).reshape(k, d).T  # noqa: E731
        solve = lambda R: (inverted @ R.T.ravel()).reshape(k, d).T  # noqa: E731
    if not reached:
        C = solve(wanted)
        for _ in range(2):
            C = C + solve(wanted - product(C))
    if tasks.is_shared:
        move = (free @ (C.T @ tasks.X.T)).ravel()
    else:
        move = tasks.apply(C @ free.T)
    if means is not None:
        move = move - tasks.spread(np.sum(means * (C @ free.T), axis=0))
    return curvature * move


def _correction_but(data, h, means, Z, others):
    """The step V (d, T) in all directions but ``others`` (T, m), after which there is nothing left of Z in them:
    G_t v_t = z_t - (C others')_t, of which C (d, m) is such that V others = 0."""
    tasks, V = data.tasks, np.zeros(data.shape)
    if data.loss.quadratic and data.design.common is not None:
        G, shares = data.design.common, data.design.shares
        C = ((Z / shares) @ others) / (others.power(2).T @ (1 / shares))
        return G.inverted((Z - C @ others.T) / shares)
    d, m = len(Z), others.shape[1]
    G = data.design.matrices if data.loss.quadratic else tasks.gram(h, means)
    # The inverse is nearly infinite where no sample of a task determines anything, so that C is zero there.
    diagonal = np.einsum("tjj->tj", G)
    little = 1e-11 * np.where(diagonal > 0, diagonal, diagonal.max(axis=0))
    stiff = inverse(G + little[:, :, None] * np.eye(d), pseudo=False)
    rigid = inverse((others.power(2).T @ stiff.reshape(len(G), -1)).reshape(m, d, d))
    inverses = inverse(G)
    for _ in range(3):
        rest = Z - each(G, V)
        C = each(rigid, each(stiff, rest) @ others)
        V = V + each(inverses, rest - C @ others.T)
    return V


def _few(tasks, free):
    """Whether products of the weights of all tasks on one X, for any two directions, take the place of those of X."""
    T, k = free.shape
    return tasks.is_shared and not tasks.is_sparse and k * (k + 1) < 2 * T


def _by_products(data, h, curvature, means, free, wanted):
    """(C (d, k), whether it is the solution) of H C = ``wanted``, H as from ``_projected_hessian``.

    By conjugate gradients, preconditioned by the common Gram matrix of the tasks.
    """
    tasks, common, (T, k) = data.tasks, data.design.common, free.shape
    weights, mass = h.reshape(T, -1), tasks.sum(h)
    both = (free[:, :, None] * free[:, None, :]).reshape(T, -1)
    # (Of all samples of a row of X, for any two directions.)
    inner = (both.T @ weights).reshape(k, k, -1)
    shares = data.design.shares * np.average(curvature.reshape(T, -1), axis=1, weights=tasks.common_weight[0])
    outer = np.linalg.pinv(free.T @ (shares[:, None] * free), hermitian=True)

    if means is None:
        centre = np.zeros(tasks.n_features)
    else:
        # As there: what is left of the means cancels no digits.
        centre = means @ mass / max(mass.sum(), np.finfo(float).tiny)
        means = means - centre[:, None]

    def product(C):
        U = np.einsum("abn,nb->na", inner, tasks.X @ C - centre @ C)
        image = tasks.X.T @ U - np.outer(centre, U.sum(axis=0))
        if means is None:
            return image
        return image - means @ (free * (mass * np.sum(means * (C @ free.T), axis=0))[:, None])

    return conjugate_gradients(product, lambda R: common.inverse @ R @ outer, wanted, EXACT, PRODUCTS)


def _pooled_gram(tasks, h, means):
    """(d, d) the sum of the Gram matrices of all tasks, none of which is made."""
    d, root = tasks.n_features, np.sqrt(h)
    G, size = np.zeros((d, d)), max(1, BLOCK // d)
    for some in (slice(i, i + size) for i in range(0, len(h), size)):
        A = tasks.X[tasks.sample_row[some]]
        if means is not None:
            A -= means.T[tasks.sample_task[some]]
        A *= root[some][:, None]
        G += A.T @ A
    constant = np.all(tasks.curvature(h, means) == 0, axis=1)
    G[constant] = 0.0
    G[:, constant] = 0.0
    return G


def _projected_hessian(tasks, h, means, free):
    """(k, d, k, d): sum over t of free_ta free_tb G_t, G_t the Gram matrix weighted by h (N,)."""
    d, (T, k) = tasks.n_features, free.shape
    if not _few(tasks, free):
        if k == 1 and d <= len(h) and not tasks.is_sparse:
            return _pooled_gram(tasks, h * tasks.spread(free[:, 0] ** 2), means)[None, :, None]
        return np.einsum("tij,ta,tb->aibj", tasks.gram(h, means), free, free)
    # One X: the weights of the tasks are added up before the products are made.
    weights = h.reshape(T, -1)
    X, mass = tasks.X, tasks.sum(h)
    if means is not None:
        # Means of the same rows differ little between tasks: what is left of them cancels no digits.
        centre = means @ mass / max(mass.sum(), np.finfo(float).tiny)
        X, means = X - centre, means - centre[:, None]
    H = np.empty((k, d, k, d))
    for a in range(k):
        for b in range(a + 1):
            both = free[:, a] * free[:, b]
            H[a, :, b] = X.T @ ((both @ weights)[:, None] * X)
            if means is not None:
                H[a, :, b] -= (means * (both * mass)) @ means.T
            H[b, :, a] = H[a, :, b].T
    if means is not None:
        constant = without_rounding(np.einsum("ajaj->j", H), centre, mass.sum()) == 0
        H[:, constant] = 0.0
        H[:, :, :, constant] = 0.0
    return H
