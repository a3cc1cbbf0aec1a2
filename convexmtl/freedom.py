"""Degrees of freedom of a solution: by how much its predictions follow the targets, sum_i d z_i / d y_i.

For other losses than the squared one they are those of the quadratic model at the solution: the influence of the
samples at their working weights, of all classes of a task together with softmax. They are exact where all penalties
know their Manifold and systems are not too large:

    df = number of intercepts + tr (B' (G + 2 M) B + D - F F')^-1 B' G B

with G the Gram matrices of the tasks and M the coupling. Of penalties that are summed on one W, W moves where all of
them let it, and all bend it. Else the targets are nudged, and the fit is made again.
"""

from dataclasses import replace

import numpy as np
from scipy.sparse import block_diag, csc_array, hstack

from .certificate import duality_gap
from .coupling import Nested, clean_spectrum
from .data import DataTerm
from .gram import each
from .inverses import inverse
from .losses import Squared
from .penalties._manifold import of_entries, settled
from .penalties._sums import Sharing
from .problem import Problem
from .result import Result, Status
from .solvers import solve
from .tasks import Tasks

DENSE = 1000  # unknowns of a system that is solved as one
ENTRIES = 2e7  # of all arrays of one kind
SINGULAR = 1e-9  # smallest eigenvalue, of the largest, of what has an inverse
FEW = 1000  # tasks of which a coupling's spectrum is computed
NUDGE = 1e-3  # of the targets, in units of their deviation
TIGHT = 1e-12  # tol of the fits that are compared
APART = 1e-4  # sine of the angle up to which two directions are one
TOO_MANY = (
    "degrees of freedom of tasks of more than two classes come from one system of all coefficients that move, and here "
    f"these are more than {DENSE}, or not known: choose by cross-validation, or take a larger strength."
)
LEAST = 1e-6  # curvature of a sample, of the largest there may be, that counts as much


def freedom(problem, parts, n_probes=10, seed=0):
    """(T,) degrees of freedom that the predictions of every task have at the solution W = sum(parts) of a Problem.

    Parameters
    ----------
    problem : Problem
    parts : sequence of (d, T) arrays
    n_probes : int
        Directions in which the targets are nudged, where that is what it takes.
    seed : int
        Of the directions.

    Returns
    -------
    ndarray of shape (T,)
    """
    if not problem.loss.smooth:
        raise ValueError(
            f"degrees of freedom need a loss with two derivatives, and {problem.loss!r} has kinks: choose strengths by "
            "cross-validation instead."
        )
    smaller = problem.reduced()
    if smaller is not None:
        problem, Q = smaller
        parts = tuple(Q.T @ part for part in parts)
    certificate = duality_gap(problem, parts)
    if not problem.loss.by_column:
        found = _exact(problem, parts, certificate.Z)
        if found is None:
            raise ValueError(TOO_MANY)
        return found + _intercepts(problem.data)
    model = _quadratic_model(problem, certificate.z)
    found = _exact(model, parts, certificate.Z)
    if found is None:
        found = _probed(model, parts, n_probes, np.random.default_rng(seed))
    return found + (~model.data.empty if model.data.fit_intercept else 0)


def _intercepts(data):
    """(T,) degrees of freedom that they have: of all classes of a task one less, which is shared out."""
    tasks, found = data.tasks, (~data.empty).astype(float) * data.fit_intercept
    for loss, some in data.loss.groups(tasks):
        if not loss.by_column:
            found[some] *= 1 - 1 / np.maximum(tasks.columns_alike(~data.empty), 1)[some]
    return found


def _quadratic_model(problem, z):
    """The Problem whose squared loss is the quadratic model of the loss at the predictions z."""
    data, tasks, loss = problem.data, problem.tasks, problem.loss
    if loss.quadratic:
        return problem
    bend = np.maximum(loss.second(tasks.y, z), LEAST * (loss.curvature or 1.0))
    y = np.where(tasks.weight > 0, z - loss.derivative(tasks.y, z) / bend, 0.0)
    tasks = Tasks(tasks.X, y, tasks.ptr, tasks.row, tasks.weight * bend)
    return Problem(DataTerm(tasks, Squared(), data.fit_intercept, data.fixed_intercept), problem.penalty)


# ------------------------------------------------------------------------------------------- exact


def _exact(problem, parts, Z):
    """The traces for a loss that is squared or softmax, Z minus the gradient of all that is smooth; None where that
    takes too much."""
    coupling = problem.penalty.coupling
    if problem.penalty.whole:
        return _exact_of_sum(problem, parts)
    if not problem.penalty.terms:
        if problem.loss.by_column and problem.data.design.shares is not None and coupling.n_tasks <= FEW:
            return _of_common_gram(problem)
        manifolds = [of_entries(np.ones(problem.shape, dtype=bool))]
    else:
        manifolds = [term.manifold(part, Z) for term, part in zip(problem.penalty.terms, parts, strict=True)]
    if any(manifold is None for manifold in manifolds):
        return None
    if not sum(len(manifold.diagonal) for manifold in manifolds):
        return np.zeros(problem.shape[1])
    singles = problem.loss.by_column and all(manifold.basis.nnz == len(manifold.diagonal) for manifold in manifolds)
    found = _task_by_task(problem, manifolds) if singles else None
    return _at_once(problem, parts, manifolds) if found is None else found


def _exact_of_sum(problem, parts):
    """The same for penalties that are summed on one W.

    How each of them bends is told by its own share of the subgradient, and the shares come from a solver.
    """
    best = solve(problem, _as_start(problem, parts), TIGHT)
    split = None if best.dual is None else best.dual.split
    Z = duality_gap(problem, best.parts, start=best.intercept, dual=best.dual).Z
    shares, _ = Sharing(problem.penalty.groups, problem.shape)(Z, split)
    # (What is zero or of low rank for one of them need not be so, to the last digit, in the copy of another.)
    manifolds = [
        [term.manifold(settled(term, part, share), share) for term, part in zip(group, at, strict=True)]
        for group, at, share in zip(problem.penalty.groups, problem.penalty.seen(best.parts), shares, strict=True)
    ]
    if any(manifold is None for own in manifolds for manifold in own):
        return None
    own, further = manifolds[0], [manifold for (manifold,) in manifolds[1:]]
    if not sum(len(manifold.diagonal) for manifold in own):
        return np.zeros(problem.shape[1])
    return _at_once(problem, parts, own, further)


def _of_common_gram(problem):
    """For a coupling alone, from the spectrum of the Gram matrix of all tasks and that of M."""
    design, coupling = problem.data.design, problem.penalty.coupling
    root = np.sqrt(design.shares)
    bends, Q = clean_spectrum(coupling.matrix() / np.outer(root, root))
    values = design.common.spectrum[0]
    # (What is rounding.)
    values = values[values > 1e-13 * values[-1]]
    return Q**2 @ np.sum(values / (values + 2 * bends[:, None]), axis=1)


def _grams(problem, manifolds):
    """(features that move, their Gram matrices (T, a, a)); None where these are too large."""
    d, T = problem.shape
    moves = np.zeros(d * T, dtype=bool)
    for manifold in manifolds:
        moves[manifold.basis.indices] = True
    features = np.flatnonzero(moves.reshape(d, T).any(axis=1))
    if T * len(features) ** 2 > ENTRIES:
        return None
    data = problem.data
    means = data.design.means
    tasks = data.tasks.select(features)
    return features, tasks.gram(data.tasks.weight, None if means is None else means[features])


def _task_by_task(problem, manifolds):
    """For single entries that move: blocks of the tasks, and what is between them as a matrix of low rank.

    None where the blocks are singular without the others, or with them, or the rank is not low.
    """
    made = _grams(problem, manifolds)
    if made is None:
        return None
    features, G = made
    T, a = G.shape[:2]
    place = np.full(problem.shape[0], -1)
    place[features] = np.arange(a)
    entries = [np.divmod(manifold.basis.indices, T) for manifold in manifolds]
    # One slot per part and feature; slots of entries that do not move are kept apart.
    slot = np.concatenate([k * a + place[feature] for k, (feature, _) in enumerate(entries)])
    task = np.concatenate([t for _, t in entries])
    s = a * len(manifolds)
    between = _between(problem.penalty.coupling, a, len(manifolds))
    if between is None:
        return None
    base, links, signs = between
    factor = block_diag([manifold.factor for manifold in manifolds], format="coo")
    column, row = factor.col, factor.row
    # Columns within one task belong to its block, the others link tasks.
    first, last = np.full(factor.shape[1], T), np.zeros(factor.shape[1], dtype=np.int64)
    np.minimum.at(first, column, task[row])
    np.maximum.at(last, column, task[row])
    links_tasks = first < last
    k = int(links_tasks.sum())
    if T * s * (s + k + len(signs)) > ENTRIES:
        return None
    moves, diagonal = np.zeros((T, s), dtype=bool), np.ones((T, s))
    moves[task, slot] = True
    diagonal[task, slot] = np.concatenate([manifold.diagonal for manifold in manifolds])
    both = moves[:, :, None] & moves[:, None]
    G = np.where(both, np.tile(G, (1, len(manifolds), len(manifolds))), 0.0)
    same = np.tile(np.eye(a), (len(manifolds), len(manifolds)))
    blocks = G + both * (2 * base * same)
    blocks[:, np.arange(s), np.arange(s)] += diagonal
    F = np.zeros((T, s, k))
    number = np.cumsum(links_tasks) - 1
    inside = links_tasks[column]
    F[task[row[inside]], slot[row[inside]], number[column[inside]]] = factor.data[inside]
    rest = csc_array((factor.data[~inside], (row[~inside], column[~inside])), shape=factor.shape)
    pairs = (rest @ rest.T).tocoo()
    np.subtract.at(blocks, (task[pairs.row], slot[pairs.row], slot[pairs.col]), pairs.data)
    F = np.concatenate([F, links * moves[:, :, None]], axis=2)
    inverses = inverse(blocks)
    if F.shape[2]:
        known = np.einsum("tij,tji->t", inverses, blocks)
        if np.any(known < s - 1e-6):
            return None
    traces = np.einsum("tij,tji->t", inverses, G)
    if not F.shape[2]:
        return traces
    solved = inverses @ F
    core = np.tensordot(F, solved, ([0, 1], [0, 1])) + np.diag(np.concatenate([-np.ones(k), signs]))
    sizes = np.abs(np.linalg.eigvalsh(core))
    if sizes.min() <= SINGULAR * sizes.max():
        return None
    return traces - np.einsum("tik,tik->t", solved @ np.linalg.inv(core), G @ solved)


def _between(coupling, a, n_parts):
    """2 M as (b, links (T, s, k), signs (k,)): 2 b I and the sum of signs times links links'; None where it is not."""
    T = coupling.n_tasks
    if not isinstance(coupling, Nested):
        return None
    links, signs = [np.zeros((T, a, 0))], []
    for rise, codes in zip(np.diff(coupling.values), coupling.groups, strict=True):
        sizes = np.bincount(codes)
        if len(sizes) * a > DENSE:
            return None
        H = np.sqrt(2 * abs(rise) / sizes[codes])[:, None] * (codes[:, None] == np.arange(len(sizes)))
        links.append(np.einsum("tc,ij->tijc", H, np.eye(a)).reshape(T, a, -1))
        signs += [np.sign(rise)] * (a * len(sizes))
    return coupling.values[0], np.tile(np.concatenate(links, axis=2), (1, n_parts, 1)), np.array(signs)


def _seen_by(problem, parts, manifolds):
    """(features that move, function of (a, T, k): what the curvature of the loss makes of moves of them); None where
    that takes matrices that are too large."""
    data, tasks = problem.data, problem.tasks
    if problem.loss.by_column:
        made = _grams(problem, manifolds)
        return made and (made[0], lambda basis: np.einsum("tij,jtm->itm", made[1], basis, optimize=True))
    moves = np.unique(np.concatenate([manifold.basis.indices for manifold in manifolds]) // tasks.n_tasks)
    some, z = tasks.select(moves), data.predict(sum(parts), data.best_intercept(tasks.apply(sum(parts))))
    along = data.hessian(z, problem.loss.derivative(tasks.y, z))
    return moves, lambda basis: np.stack([some.adjoint(along(some.apply(B))) for B in np.moveaxis(basis, 2, 0)], axis=2)


def _at_once(problem, parts, manifolds, further=()):
    """For anything that moves, one system; the sum of what moves on the manifolds stays on all of the further ones."""
    sizes = [len(manifold.diagonal) for manifold in manifolds]
    m, T = sum(sizes), problem.shape[1]
    made = _seen_by(problem, parts, manifolds) if m <= DENSE else None
    if made is None or len(made[0]) * T * m > ENTRIES:
        return None
    features, see = made
    a = len(features)
    basis = hstack([manifold.basis for manifold in manifolds]).tocsr()
    N = _along_all(basis, further) if further else np.eye(m)
    k = N.shape[1]
    if not k:
        return np.zeros(T)
    pieces = np.split(N, np.cumsum(sizes)[:-1])
    K = sum(manifold.bent(piece) for manifold, piece in zip(manifolds, pieces, strict=True))
    K = K + sum(manifold.bent(manifold.basis.T @ (basis @ N)) for manifold in further)
    rows = (features[:, None] * T + np.arange(T)).ravel()
    basis = (basis[rows] @ N).reshape(a, T, k)
    seen = see(basis)
    coupled = problem.penalty.coupling.apply(basis.transpose(0, 2, 1).reshape(-1, T)).reshape(a, k, T)
    K = K + np.tensordot(basis, seen + 2 * coupled.transpose(0, 2, 1), ([0, 1], [0, 1]))
    return np.einsum("jtm,jtm->t", basis @ inverse(K), seen)


def _along_all(basis, further):
    """(m, k) orthonormal: the moves a for which B a is on all manifolds."""
    across = len(further) * (basis.T @ basis).toarray()
    for manifold in further:
        along = (manifold.basis.T @ basis).toarray()
        across -= along.T @ along
    values, vectors = np.linalg.eigh(across)
    return vectors[:, values <= APART**2]


# ----------------------------------------------------------------------------------------- nudges


def _probed(problem, parts, n_probes, rng):
    """The traces by finite differences of fits to targets that are nudged in random directions.

    References
    ----------
    Ramani, Blu, Unser (2008), IEEE Transactions on Image Processing.
    """
    data, tasks = problem.data, problem.tasks
    c, gain = tasks.weight, problem.threshold(1.0)
    start = solve(problem, _as_start(problem, parts), TIGHT)
    traces = np.zeros(tasks.n_tasks)
    for b, left in _directions(data, n_probes, rng):
        # As long as NUDGE deviations of the targets, of which half the squares are what there is to gain.
        size = NUDGE * np.sqrt(2 * gain / (c @ b**2))
        moved = 0.0
        # (To both sides: what a spectrum bends by is of the size of the nudge on one.)
        for sign in (1, -1):
            nudged = DataTerm(
                replace(tasks, y=tasks.y + sign * size * b), data.loss, data.fit_intercept, data.fixed_intercept
            )
            nudged.__dict__["design"] = data.design
            moved = moved + sign * solve(Problem(nudged, problem.penalty), start, TIGHT).W
        traces += tasks.sum(left * _centred(data, tasks.apply(moved))) / (2 * size)
    return traces


def _as_start(problem, parts):
    certificate = duality_gap(problem, parts)
    return Result(parts, certificate.intercept, certificate.primal, certificate.gap, 0, Status.CONVERGED)


def _directions(data, n_probes, rng):
    """Yield (b (N,), left (N,)): the trace of any H that is what X does to what X sees is the mean of left' H b, but
    for a sum of all where there are so few.

    They are taken along the principal axes of every task's features, where H is nearly diagonal and signs at random
    err less; all axes, one by one, where there are no more of them than probes.
    """
    tasks, (d, T) = data.tasks, data.shape
    c = tasks.weight
    if T * d**2 > ENTRIES:
        for _ in range(n_probes):
            b = np.where(c > 0, rng.choice([-1.0, 1.0], len(c)), 0.0)
            yield b, b / n_probes
        return
    values, vectors = data.design.spectra
    seen = values > 1e-13 * values.max(axis=1, keepdims=True)
    axes = vectors * np.divide(1.0, np.sqrt(values), out=np.zeros(values.shape), where=seen)[:, None]
    every = np.argwhere(seen)
    if len(every) <= n_probes:
        signs = np.zeros((len(every), T, d))
        signs[np.arange(len(every)), every[:, 0], every[:, 1]] = 1.0
        share = 1.0
    else:
        signs, share = rng.choice([-1.0, 1.0], (n_probes, T, d)), 1 / n_probes
    for g in signs:
        b = _centred(data, tasks.apply(each(axes, (g * seen).T)))
        yield b, share * c * b


def _centred(data, z):
    if not data.fit_intercept:
        return z
    tasks = data.tasks
    totals = tasks.sum(tasks.weight * z)
    return z - tasks.spread(np.divide(totals, tasks.mass, out=np.zeros(len(totals)), where=tasks.mass > 0))
