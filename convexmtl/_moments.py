"""Moments of the samples of tasks: summed, factored and turned back into a few samples."""

from dataclasses import replace

import numpy as np
from scipy.linalg import helmert
from scipy.sparse import issparse

from .tasks import Tasks, without_rounding

BLOCK = 2**21  # entries of X that are worked on at a time
HARD = 1e-6  # squared pivot, beside a diagonal of ones, below which an eigendecomposition is taken instead of Cholesky
NOISE = 1e-14  # share of a sum of squares that rounding leaves after taking out
TOLERANCE = 1e-8, 1e-4  # by which moments from outside may contradict each other, in float64 and float32
CUT = 1e-15  # eigenvalue, beside a diagonal of ones and per feature, that is rounding


def of_tasks(tasks, totals):
    """{name: array} of the samples of Tasks, whose weights sum to ``totals`` (T,), as SufficientStatistics has them."""
    c, mass = tasks.weight, tasks.mass
    # (Weights that are the same but for a factor make one matrix for a fit, but not for a sum with others.)
    common = tasks.common_weight if np.ptp(totals) <= 1e-14 * totals.max() else None
    share = np.divide(1.0, mass, out=np.zeros_like(mass), where=mass > 0)
    scale = totals * share
    K = len(mass) if common is None else 1
    n_samples = tasks.sum((c > 0).astype(float))[:K]

    mean_y = tasks.sum(c * tasks.y) * share
    r = tasks.y - tasks.spread(mean_y)
    rest_y = tasks.sum(c * r) * share
    r -= tasks.spread(rest_y)

    tasks, centre = _centred(tasks)
    means = tasks.means(c)
    cross = (tasks.adjoint(c * r) - means * tasks.sum(c * r)) * scale
    if common is None:
        gram = scale[:, None, None] * tasks.gram(c, means)
    else:
        gram = totals[0] * tasks.weighted_gram(common[0], True)[None]
    mean_X, rest_X = add(*np.broadcast_arrays(centre, means[:, :K]), 0.0)
    mean_y, rest_y = add(mean_y, rest_y, 0.0)
    gram, cross = without(gram, cross, constant(gram, mean_X, totals[:K]))
    square = tasks.sum(c * r**2) * scale
    own = dict(n_samples=n_samples, weight=totals[:K], mean_X=mean_X, rest_X=rest_X, gram=gram)
    return dict(**own, mean_y=mean_y, rest_y=rest_y, cross=cross, square=square)


def of_stacked(X, y, codes, weight, totals):
    """The same of samples with the tasks ``codes`` (n,); some tasks at a time, so that no large X is copied whole."""
    counts = np.bincount(codes, minlength=len(totals))
    ends, order = np.cumsum(counts), np.argsort(codes, kind="stable")
    X = X.tocsr() if issparse(X) else X
    first = np.flatnonzero(np.diff(ends * X.shape[1] // BLOCK, prepend=-1))
    found = []
    for a, b in zip(first, [*first[1:], len(totals)], strict=True):
        rows = order[ends[a] - counts[a] : ends[b - 1]]
        some = None if weight is None else weight[rows]
        found.append(of_tasks(Tasks.stacked(X[rows], y[rows], codes[rows] - a, b - a, some), totals[a:b]))
    return {name: np.concatenate([part[name] for part in found], axis=0 if name == "gram" else -1) for name in found[0]}


def add(high, low, step):
    """(high, low) + step, for sums of two floats: the new high, and what is to be added to it."""
    high, lost = _two_sum(high, step)
    return _two_sum(high, low + lost)


def _two_sum(a, b):
    """a + b, and exactly what rounding has taken from it."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _centred(tasks):
    """(tasks with features near zero, what has been taken off (d, 1) or (d, T)); a sparse X stays what it is."""
    if issparse(tasks.X):
        return tasks, np.zeros((tasks.n_features, 1))
    if tasks.is_shared:
        # One centre: the tasks have the same rows, whose means differ little between them.
        centre = tasks.X.mean(axis=0)[:, None]
        X = tasks.X.T - centre
    else:
        centre = tasks.means(tasks.weight)
        X = tasks.X.T - np.repeat(centre, np.diff(tasks.ptr), axis=1)
    return replace(tasks, X=X.T), centre


def constant(gram, means, weight):
    """(K, d) booleans: features of which nothing but rounding is left about their means."""
    return without_rounding(np.einsum("kjj->jk", gram), means, weight).T == 0


def without(gram, cross, small):
    """gram and cross with zeros for some features (K, d)."""
    if not small.any():
        return gram, cross
    gram = np.where(small[:, :, None] | small[:, None, :], 0.0, gram)
    return gram, np.where(small.T, 0.0, cross)


def product(R, V):
    """(d, T): R'V."""
    found = R.transpose(0, 2, 1) @ V
    return found[0] if len(found) == 1 else found[:, :, 0].T


def _unit_diagonal(gram):
    """gram with a diagonal of ones, or zeros; the features' lengths (K, d), and their inverses, or zeros."""
    length = np.sqrt(np.maximum(np.einsum("kjj->kj", gram), 0.0))
    unit = np.divide(1.0, length, out=np.zeros_like(length), where=length > 0)
    return unit[:, :, None] * gram * unit[:, None, :], length, unit


def factors(gram, cross, square):
    """R (K, m, d), V (K, m, T / K) and left (T,): R'R = X'X, R'V = X'y and V'V + left = y'y, about the means.

    By Cholesky factors, or eigenvectors where a matrix is nearly singular; features have unit length meanwhile, so
    that small units are not rounding.
    """
    K, d = len(gram), len(cross)
    every = np.arange(d)
    S, length, unit = _unit_diagonal(gram)
    S[:, every, every] += length == 0
    C = (cross.T[:, :, None] if K > 1 else cross[None]) * unit[:, :, None]
    R, V = np.empty_like(S), np.empty_like(C)
    try:
        # (A little more on the diagonal, so that a single singular matrix does not stop them all.)
        pivots = np.linalg.cholesky(S + 1e-6 * HARD * np.eye(d))[:, every, every]
        hard = pivots.min(axis=1, initial=1.0) ** 2 < HARD
        L = np.linalg.cholesky(S[~hard])
        R[~hard], V[~hard] = L.transpose(0, 2, 1), np.linalg.solve(L, C[~hard])
    except np.linalg.LinAlgError:
        hard = np.ones(K, dtype=bool)
    values, Q = np.linalg.eigh(S[hard])
    root = np.sqrt(np.where(values > CUT * d, values, 0.0))[:, :, None]
    Q = Q.transpose(0, 2, 1)
    R[hard] = root * Q
    V[hard] = np.divide(Q @ C[hard], root, out=np.zeros_like(V[hard]), where=root > 0)
    R *= length[:, None, :]
    left = square - np.sum(V**2, axis=1).ravel()
    # (Features that outnumber the samples: as many rows as it takes.)
    used = R.any(axis=(0, 2))
    return R[:, used], V[:, used], left


def samples(gram, cross, square, weight):
    """X (K, n, d) and Y (K, n, T / K), n at most d + 2 rows that sum to zero and, each with weight_k / n, have these
    moments.

    They are the factors, and a row for what is left of y, turned by Helmert's matrix into one row more.
    """
    R, V, left = factors(gram, cross, square)
    K, m = R.shape[:2]
    left = np.sqrt(np.maximum(left, 0.0)).reshape(K, 1, -1)
    turn = np.sqrt(m + 2.0) * helmert(m + 2).T
    unit = np.sqrt(np.divide(1.0, weight, out=np.zeros(K), where=weight > 0))[:, None, None]
    X = turn[:, :-1] @ (unit * R)
    return X, turn @ (unit * np.concatenate([V, left], axis=1))


# ------------------------------------------------------------------------------------------ from outside


def read(gram, cross, square, n_samples, mean_X, mean_y, centred, labels):
    """{name: array} as from ``of_tasks``, of moments that a user has; they must be those of some samples."""
    single = np.float32 in (np.asarray(gram).dtype, np.asarray(cross).dtype)
    gram, cross = _finite(gram, "gram", (2, 3)), _finite(cross, "cross", (1, 2))
    cross = cross[:, None] if cross.ndim == 1 else cross
    gram = gram[None] if gram.ndim == 2 else gram
    (d, T), K = cross.shape, len(gram)
    if gram.shape != (K, d, d) or K not in (1, T):
        raise ValueError(
            f"gram must have shape ({d}, {d}), or ({T}, {d}, {d}) with one matrix per task, since cross has shape "
            f"{cross.shape}; got {gram.shape[1:] if K == 1 else gram.shape}."
        )
    square = _filled(square, "square", (T,))
    n_samples = _filled(n_samples, "n_samples", (K,))
    mean_X = np.zeros((d, K)) if mean_X is None else _finite(mean_X, "mean_X", (1, 2))
    mean_X = _filled(mean_X[:, None] if mean_X.shape == (d,) and K == 1 else mean_X, "mean_X", (d, K))
    mean_y = _filled(0.0 if mean_y is None else mean_y, "mean_y", (T,))
    if np.any(n_samples <= 0):
        raise ValueError(f"n_samples must be positive, got {n_samples.min():g}: leave out tasks without samples.")
    tolerance = TOLERANCE[single]
    if np.any(np.abs(gram - gram.swapaxes(1, 2)) > tolerance * np.abs(gram).max()):
        raise ValueError("gram must be symmetric: X'X is, so one of its triangles is wrong. Pass (gram + gram.T) / 2.")
    gram = (gram + gram.swapaxes(1, 2)) / 2
    if not centred:
        before, squares = np.einsum("kjj->kj", gram), square
        gram = gram - np.einsum("ik,jk,k->kij", mean_X, mean_X, n_samples)
        cross = cross - mean_X * n_samples * mean_y
        square = square - n_samples * mean_y**2
        # What is left of a constant is rounding.
        square = np.where(np.abs(square) <= NOISE * squares, 0.0, square)
        gram, cross = without(gram, cross, np.abs(np.einsum("kjj->kj", gram)) <= NOISE * before)
    refuse_contradictions(gram, cross, square, tolerance * d, labels)
    own = dict(n_samples=n_samples, weight=n_samples, mean_X=mean_X, rest_X=np.zeros((d, K)), gram=gram)
    return dict(**own, mean_y=mean_y, rest_y=np.zeros(T), cross=cross, square=square)


def refuse_contradictions(gram, cross, square, tolerance, labels):
    """Raise a ValueError where the moments are those of no samples."""
    diagonal = np.einsum("kjj->kj", gram)
    lowest = np.linalg.eigvalsh(_unit_diagonal(gram)[0])[:, 0]
    lowest[np.any(diagonal < 0, axis=1)] = -1.0
    if lowest.min() < -tolerance:
        k = int(lowest.argmin())
        where = "" if len(lowest) < len(labels) else f" of task {labels[k]!r}"
        raise ValueError(
            f"gram{where} is no Gram matrix about the means: with a diagonal of ones it has an eigenvalue of "
            f"{lowest[k]:.3g}. Check mean_X, n_samples and centred, or add to its diagonal."
        )
    R, V, left = factors(gram, cross, square)
    scale = np.where(square > 0, square, 1.0)
    # (What of X'y is along features, or combinations of them, that do not vary.)
    lengths = np.sqrt(np.maximum(diagonal.T, diagonal.max() * 1e-30) * scale) + np.finfo(float).tiny
    missed = (np.abs(cross - product(R, V)) / lengths).max(axis=0, initial=0.0)
    bad = (left < -tolerance * scale) | (missed > np.sqrt(tolerance))
    if bad.any():
        t = int(bad.argmax())
        raise ValueError(
            f"cross of task {labels[t]!r} contradicts gram and square: no samples have such X'y, of which a least "
            f"squares fit would leave {left[t]:.3g} of y'y = {square[t]:.3g}. If they come from different samples, "
            "bring cross and square to the n_samples of gram, or add to the diagonal of gram."
        )


def _finite(values, name, dims):
    """A finite array of float64 with that many dimensions."""
    try:
        array = np.array(values, dtype=float)
    except (TypeError, ValueError):
        array = None
    if array is None or array.ndim not in dims or not np.isfinite(array).all():
        allowed = " or ".join(map(str, dims))
        raise ValueError(f"{name} must be an array of finite numbers with {allowed} dimensions, got {values!r}.")
    return array


def _filled(values, name, shape):
    """``values``, one for all or an array, as an array of that shape."""
    array = _finite(values, name, range(len(shape) + 1))
    if array.ndim and array.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got {array.shape}.")
    return np.broadcast_to(array, shape).copy()
