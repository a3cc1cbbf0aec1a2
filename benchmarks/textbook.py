"""The objectives of all families by their definitions: plain numpy, from the data as a user hands them over.

Shared by no solver and no certificate. A new loss or family is a row of LOSSES or FAMILIES; ``benchmarks.fuzz`` draws
from them.
"""

from collections import namedtuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import logsumexp, xlogy
from sklearn.utils import Bunch

import convexmtl as mtl

# Losses: targets(z, scale, rng) for signals z of unit size; value(y, z); the best constant(y, c) at W = 0, infinite
# where there is none; lowest(y), what a perfect fit leaves; and where values of a task are not simply added up,
# total(values, c, task). For classes 0, ..., K - 1 the signals, predictions and constants are (n, K). ---------------

Loss = namedtuple("Loss", "name kind targets value constant lowest total classes", defaults=(None, 1))


def real(z, scale, rng):
    noise = rng.choice([0, 1e-3, 1]) * (
        rng.standard_normal(z.shape) if rng.random() < 0.7 else rng.standard_t(1, z.shape)
    )
    return scale * (z + noise + rng.choice([0, 0, 10, 1e3]))


def counts(z, scale, rng):
    return rng.poisson(np.exp(np.clip(z + np.log(scale) / 3, -5, 12))).astype(float)


def signs(z, scale, rng):
    """Separable where there is no noise."""
    return np.where(z + rng.choice([0, 1.5]) * rng.standard_normal(z.shape) > 0, 1.0, -1.0)


def positive(z, scale, rng):
    return scale * np.exp(np.clip(z, -5, 5)) * rng.gamma(2.0, 0.5, z.shape)


def costs(z, scale, rng):
    return positive(z, scale, rng) * (rng.random(z.shape) < 0.7)


def levels(z, scale, rng):
    """Separable where there is no noise."""
    noise = rng.choice([0, 1.5]) * rng.standard_normal(z.shape)
    return np.digitize(z + noise, [-0.4, 0.4]).astype(float)


DELTA = 1.35


def huber(y, z):
    r = np.abs(y - z)
    return np.where(r <= DELTA, r**2 / 2, DELTA * r - DELTA**2 / 2)


def huber_constant(y, c):
    low, high = y.min(), y.max()
    return brentq(lambda b: c @ np.clip(b - y, -DELTA, DELTA), low, high) if low < high else low


def mean(y, c):
    return np.average(y, weights=c)


def one_of(candidates, value):
    """The best constant of a loss that has kinks at these candidates(y) and is linear between them."""

    def constant(y, c):
        found = candidates(y)
        return found[np.argmin([c @ value(y, b) for b in found])] if len(y) else np.nan

    return constant


def tilted(q):
    return lambda y, z: np.maximum(q * (y - z), (q - 1) * (y - z))


def insensitive(y, z):
    return np.maximum(0, np.abs(y - z) - 0.1)


def hinge(y, z):
    return np.maximum(0, 1 - y * z)


def cross_entropy(y, z):
    return logsumexp(z, axis=-1) - np.take_along_axis(z, y.astype(int)[:, None], axis=-1)[:, 0]


def log_shares(y, c):
    share = np.log(np.bincount(y.astype(int), c, 3) / c.sum())
    return share - share.mean()


def roots(values, c, task):
    """sum_t of C_t times the root of the mean of the values, C_t the sum of the weights."""
    return float(np.sum(np.sqrt(np.bincount(task, c) * np.bincount(task, c * values))))


def nothing(y):
    return np.zeros_like(y)


# fmt: off
LOSSES = [
    Loss("squared", "Regressor", real, lambda y, z: (y - z) ** 2 / 2, mean, nothing),
    Loss("huber", "Regressor", real, huber, huber_constant, nothing),
    Loss("poisson", "Regressor", counts, lambda y, z: np.exp(z) - y * z,
         lambda y, c: np.log(mean(y, c)), lambda y: y - xlogy(y, y)),
    Loss("logistic", "Classifier", signs, lambda y, z: np.logaddexp(0, -y * z),
         lambda y, c: np.log(c[y > 0].sum() / c[y < 0].sum()), nothing),
    Loss("squared_hinge", "Classifier", signs, lambda y, z: np.maximum(0, 1 - y * z) ** 2 / 2, mean, nothing),
    Loss("gamma", "Regressor", positive, lambda y, z: z + y * np.exp(-z), lambda y, c: np.log(mean(y, c)),
         lambda y: 1 + np.log(y)),
    Loss(mtl.Tweedie(), "Regressor", costs, lambda y, z: 2 * np.exp(z / 2) + 2 * y * np.exp(-z / 2),
         lambda y, c: np.log(mean(y, c)), lambda y: 4 * np.sqrt(y)),
    Loss("quantile", "Regressor", real, tilted(0.5), one_of(np.unique, tilted(0.5)), nothing),
    Loss(mtl.Quantile(0.8), "Regressor", real, tilted(0.8), one_of(np.unique, tilted(0.8)), nothing),
    Loss("absolute", "Regressor", real, lambda y, z: np.abs(y - z), one_of(np.unique, tilted(0.5)), nothing),
    Loss("epsilon_insensitive", "Regressor", real, insensitive,
         one_of(lambda y: np.unique([y - 0.1, y + 0.1]), insensitive), nothing),
    Loss("hinge", "Classifier", signs, hinge, one_of(lambda y: np.array([-1.0, 1.0]), hinge), nothing),
    Loss("sqrt", "Regressor", real, lambda y, z: (y - z) ** 2, mean, nothing, roots),
    Loss("softmax", "Classifier", levels, cross_entropy, log_shares, nothing, None, 3),
]
# fmt: on

# Families: the first word of the estimator; omega(W, p), p its parameters, as the textbook has it, or for a sum of
# parts [(attribute, strength, norm)]; and the parameters, where they are callable of (rng, d, T). Their strengths say
# how they relate. ``free`` ones leave something of W without a penalty: separable labels have no best fit. -----------

Family = namedtuple("Family", "name stem omega parameters least_tasks free")


def family(name, stem, omega, least_tasks=1, free=False, **parameters):
    return Family(name, stem, omega, parameters, least_tasks, free)


def l1(W):
    return np.abs(W).sum()


def rows(W, q=2):
    # (High powers of small numbers underflow.)
    size = np.abs(W).max(axis=1, keepdims=True, initial=0) + (W == 0).all(axis=1, keepdims=True)
    return np.sum(size[:, 0] * np.linalg.norm(W / size, ord=q, axis=1))


def nuclear(W):
    return np.linalg.norm(W, "nuc")


def fro2(W):
    return np.sum(W**2)


# Each in numpy and, for the best split of a W into two parts, in cvxpy.
NORMS = {
    "l1": (l1, lambda W, cp: cp.sum(cp.abs(W))),
    "rows": (rows, lambda W, cp: cp.sum(cp.norm(W, 2, axis=1))),
    "rows_inf": (lambda W: rows(W, np.inf), lambda W, cp: cp.sum(cp.norm(W, "inf", axis=1))),
    "tasks": (lambda W: rows(W.T), lambda W, cp: cp.sum(cp.norm(W, 2, axis=0))),
    "nuclear": (nuclear, lambda W, cp: cp.normNuc(W)),
}


def block(W, p):
    return p.alpha * (p.l1_ratio * rows(W, p.q) + (1 - p.l1_ratio) / 2 * fro2(W))


def edges(W, graph, norm):
    return sum(omega * norm(W[:, [s]] - sign * W[:, [t]]) for s, t, omega, sign in graph)


def temporal(W, p):
    step = {"l1": l1, "l2": fro2}[p.norm](np.diff(W))
    return p.alpha_smooth * step + p.alpha_sparse * l1(W) + p.alpha_group * rows(W)


def centred(W):
    centre = W.mean(axis=1, keepdims=True)
    return centre, W - centre


def mean_regularized(W, p):
    centre, rest = centred(W)
    return p.alpha_mean * fro2(centre) + p.alpha_variance / W.shape[1] * fro2(rest)


def known_clusters(W, p):
    centre = W.mean(axis=1, keepdims=True)
    value = p.alpha_mean * fro2(centre)
    for own in (W[:, p.clusters == c] for c in np.unique(p.clusters)):
        inner, rest = centred(own)
        value += p.alpha_between * own.shape[1] * fro2(inner - centre) + p.alpha_within * fro2(rest)
    return value


def spectral_box(W, size, low, high, total):
    """min over low <= th <= high, sum th = total, of sum_i s_i^2 / th_i, s the singular values and zeros up to size."""
    s = np.zeros(size)
    s[: min(W.shape)] = np.linalg.svd(W, compute_uv=False)
    if not s.any():
        return 0.0
    a, b = low / s.max(), high / s[s > 0].min()
    for _ in range(200):
        mu = np.sqrt(a * b)
        a, b = (mu, b) if np.clip(mu * s, low, high).sum() < total else (a, mu)
    return np.sum(s**2 / np.clip(a * s, low, high))


def learned_clusters(W, p):
    (centre, rest), T, low, high = centred(W), W.shape[1], 1 / p.alpha_within, 1 / p.alpha_between
    total = (T - p.n_clusters + 1) * low + (p.n_clusters - 1) * high
    return p.alpha_mean * fro2(centre) + spectral_box(rest, T, low, high, total)


def shared_structure(W, p):
    box = spectral_box(W, len(W), p.eta, 1 + p.eta, len(W) * p.eta + p.n_components)
    return p.alpha * p.eta * (1 + p.eta) * box


def ring(rng, d, T):
    """Every task beside the next, with weights and signs; nothing for a single one."""
    return [(t, (t + 1) % T, float(rng.uniform(0.2, 2)), int(rng.choice([-1, 1, 1]))) for t in range(T if T > 1 else 0)]


def tree(rng, d, T):
    groups = [range(T)] + ([range(T // 2), range(T // 2, T)] if T > 1 else []) + [[t] for t in range(T)]
    return [(list(group), float(rng.uniform(0.1, 1))) for group in groups]


# fmt: off
FAMILIES = [
    *(family(f"block l{q:g}", "BlockSparse", block, alpha=1.0, q=q) for q in (1, 1.01, 1.5, 2, 3, 50, np.inf)),
    *(family(f"block l{q:g} + ridge", "BlockSparse", block, alpha=1.0, q=q, l1_ratio=0.5) for q in (2, np.inf)),
    family("sparse group", "SparseGroup", lambda W, p: p.alpha * ((1 - p.l1_ratio) * rows(W) + p.l1_ratio * l1(W)),
           alpha=1.0, l1_ratio=lambda rng, d, T: rng.choice([0.1, 0.5, 1 - 1e-7])),
    family("dirty", "Dirty", [("block_", "alpha_block", "rows_inf"), ("sparse_", "alpha_sparse", "l1")],
           alpha_block=lambda rng, d, T: T ** rng.uniform(0, 1), alpha_sparse=1.0),
    family("dirty l2", "Dirty", [("block_", "alpha_block", "rows"), ("sparse_", "alpha_sparse", "l1")],
           alpha_block=lambda rng, d, T: T ** rng.uniform(0, 0.5), alpha_sparse=1.0, q=2),
    family("trace norm", "TraceNorm", lambda W, p: p.alpha * nuclear(W), alpha=1.0),
    family("task relationships", "TaskRelationship", lambda W, p: p.alpha / 2 * nuclear(W) ** 2, alpha=1.0),
    family("shared feature", "SharedFeature", lambda W, p: p.alpha / 2 * nuclear(W) ** 2, alpha=1.0),
    family("shared structure", "SharedStructure", shared_structure, alpha=1.0,
           eta=lambda rng, d, T: float(rng.choice([0.01, 1, 10])),
           n_components=lambda rng, d, T: int(rng.integers(1, d + 1))),
    family("tree", "TreeGuided", lambda W, p: p.alpha * sum(omega * rows(W[:, group]) for group, omega in p.tree),
           alpha=1.0, tree=tree),
    family("graph l1", "GraphGuided", lambda W, p: p.alpha * edges(W, p.graph, l1) + p.alpha_sparse * l1(W),
           alpha=1.0, alpha_sparse=0.5, graph=ring),
    family("graph l2", "GraphGuided", lambda W, p: p.alpha * edges(W, p.graph, fro2) + p.alpha_sparse * l1(W),
           alpha=1.0, alpha_sparse=0.5, graph=ring, norm="l2"),
    family("graph l1 alone", "GraphGuided", lambda W, p: p.alpha * edges(W, p.graph, l1), 2, True,
           alpha=1.0, graph=ring),
    family("temporal l1", "Temporal", temporal, alpha_smooth=1.0, alpha_sparse=0.1, alpha_group=0.5),
    family("temporal l2", "Temporal", temporal, alpha_smooth=1.0, alpha_group=0.5, norm="l2"),
    family("temporal l1 alone", "Temporal", temporal, 2, True, alpha_smooth=1.0),
    family("robust low rank", "RobustLowRank",
           [("low_rank_", "alpha_low_rank", "nuclear"), ("outlier_", "alpha_outlier", "tasks")],
           alpha_low_rank=lambda rng, d, T: T**0.25, alpha_outlier=1.0),
    family("robust feature", "RobustFeature",
           [("shared_", "alpha_group", "rows"), ("outlier_", "alpha_outlier", "tasks")],
           alpha_group=1.0, alpha_outlier=1.0),
    family("sparse low rank", "SparseLowRank",
           [("sparse_", "alpha_sparse", "l1"), ("low_rank_", "alpha_low_rank", "nuclear")],
           alpha_sparse=1.0, alpha_low_rank=lambda rng, d, T: 2 * T**0.25),
    family("mean-regularised", "MeanRegularized", mean_regularized,
           alpha_mean=1.0, alpha_variance=lambda rng, d, T: 10.0 ** rng.uniform(-2, 2)),
    family("known clusters", "Clustered", known_clusters,
           clusters=lambda rng, d, T: np.arange(T) % 3, alpha_mean=1.0, alpha_between=1.0, alpha_within=10.0),
    family("learned clusters", "Clustered", learned_clusters, 2,
           n_clusters=lambda rng, d, T: int(rng.integers(1, T)), alpha_mean=1.0, alpha_between=0.3, alpha_within=10.0),
    family("feature weights", "MultiTask",
           lambda W, p: p.penalty.alpha * (p.penalty.feature_weights @ np.linalg.norm(W, axis=1)),
           penalty=lambda rng, d, T: mtl.RowNorm(1.0, feature_weights=np.geomspace(0.1, 10, d))),
    family("rows + graph", "MultiTask",
           lambda W, p: p.penalty.first.alpha * rows(W)
           + p.penalty.second.alpha * edges(W, p.penalty.second.edges, fro2),
           penalty=lambda rng, d, T: mtl.RowNorm(1.0) + mtl.GraphLaplacian(ring(rng, d, T), 1.0)),
    family("trace norm + mean", "MultiTask",
           lambda W, p: p.penalty.first.alpha * nuclear(W) + mean_regularized(W, p.penalty.second),
           penalty=lambda rng, d, T: mtl.TraceNorm(1.0) + mtl.MeanCoupling(0.3, 1.0)),
]
# fmt: on


def best_split(W, strengths, norms):
    """[A, B], A + B = W, for which the two norms times their strengths are nearly least."""
    import cvxpy as cp

    size = np.abs(W).max(initial=0) or 1.0
    A = cp.Variable(W.shape)
    total = sum(s * NORMS[n][1](part, cp) for s, n, part in zip(strengths, norms, (A, W / size - A), strict=True))
    splits = [[W, 0 * W], [0 * W, W]]
    try:
        cp.Problem(cp.Minimize(total / max(strengths))).solve(solver="CLARABEL")
        splits.append([size * A.value, W - size * A.value])
    except (cp.error.SolverError, TypeError):  # no solution, or one of None
        pass
    return min(
        splits, key=lambda parts: sum(s * NORMS[n][0](a) for s, n, a in zip(strengths, norms, parts, strict=True))
    )


class Textbook:
    """sum_t sum_i c_ti loss(y_ti, x_ti . w_t + b_t) + Omega(W) for an estimator and what its fit is given.

    Attributes
    ----------
    at_zero : (float, float)
        The objective at W = 0 and the best intercepts, and its rounding error.
    scale : float
        What of it there is to gain, in which gaps and errors are measured.
    """

    def __init__(self, family, loss, estimator, X, y, task=None, weight=None):
        self.family, self.loss, self.estimator = family, loss, estimator
        X = X.toarray() if hasattr(X, "toarray") else X
        y = y if task is not None else y.reshape(len(y), -1)
        T = y.shape[1] if task is None else task.max() + 1
        s = np.ones(y.shape) if weight is None else weight
        s = s if s.ndim == y.ndim else np.broadcast_to(s.reshape(len(y), -1), y.shape)
        seen = ~np.isnan(y) & (s > 0)
        row = np.nonzero(seen)[0]
        t = np.nonzero(seen)[1] if task is None else task[row]
        X, y, s = X[row], y[seen], s[seen]
        mass = np.bincount(t, s, T)
        named = {"equal": np.ones(T), "size": mass / mass.mean()}
        given = estimator.task_weight
        c = (named[given] if isinstance(given, str) else given)[t] * s / mass[t]
        b = np.zeros((T, loss.classes))
        if estimator.fit_intercept:
            with np.errstate(divide="ignore", invalid="ignore"):
                b[:] = [np.atleast_1d(loss.constant(y[t == k], c[t == k])) for k in range(T)]
        # Tasks without a finite intercept (one class, no count) do not count.
        keep = np.isfinite(b).all(axis=1)[t]
        self.X, self.y, self.t, self.c = X[keep], y[keep], t[keep], c[keep]
        self.at_zero = self.objective(np.zeros((X.shape[1], b.size)), np.where(np.isfinite(b), b, 0).ravel())
        self.scale = self.at_zero[0] - float(self.c @ loss.lowest(self.y))

    def objective(self, W, b, parts=None):
        """(F(W, b), its rounding error); of a sum of parts those given, else the best ones."""
        loss, i, c = self.loss, np.arange(len(self.y)), self.c
        # (n, classes) of the task of every sample.
        own = lambda A: A.reshape(len(A), A.shape[1] // loss.classes, loss.classes)[i, self.t]  # noqa: E731
        b = b.reshape(-1, loss.classes)[self.t]
        z, size = own(self.X @ W) + b, own(np.abs(self.X) @ np.abs(W)) + np.abs(b)
        error = 1e-14 * (size + np.abs(self.y)[:, None])
        if loss.classes == 1:
            z, error = z[:, 0], error[:, 0]
        with np.errstate(over="ignore", invalid="ignore"):
            at = loss.value(self.y, z)
            if loss.classes > 1:
                off = 2 * error.max(axis=1)
            else:
                off = np.maximum(*(abs(loss.value(self.y, z + shift) - at) for shift in (error, -error)))
            fit = float(c @ at) if loss.total is None else loss.total(at, c, self.t)
            off = float(c @ off) if loss.total is None else abs(loss.total(at + off, c, self.t) - fit)
            total = fit + self.omega(W, parts)
            return total, off + 1e-14 * float(c @ abs(at)) + 1e-13 * abs(total)

    def omega(self, W, parts=None):
        omega, p = self.family.omega, Bunch(**self.estimator.get_params())
        if callable(omega):
            return float(omega(W, p))
        strengths, norms = [p[s] for _, s, _ in omega], [n for _, _, n in omega]
        parts = parts or best_split(W, strengths, norms)
        return float(sum(s * NORMS[n][0](part) for s, n, part in zip(strengths, norms, parts, strict=True)))

    def fitted(self):
        """(F, its rounding error) of the fitted estimator, from its public attributes."""
        omega, found = self.family.omega, self.estimator
        parts = None if callable(omega) else [getattr(found, attribute).T for attribute, _, _ in omega]
        return self.objective(found.coef_.T, found.intercept_, parts)
