"""Random hostile problems, fitted as a user would and judged from outside: is any answer wrong, or wrong without a word?

    python -m benchmarks.fuzz [--seeds 0:10000] [--jobs 2] [--reference-share 0.3] [--csv FILE]
    python -m benchmarks.fuzz --only 4711

One seed makes one problem: a family, a loss, a layout, weights and up to two things that are wrong with X, each a row
of the tables below, at a strength between 1e-4 and 2 times alpha_max. What comes out is one of KINDS:

wrong        the objective is not that of the textbook at these coefficients, or its lower bound, objective_ - dual_gap_,
             is above the textbook's objective somewhere else: at W = 0, or at the W that cvxpy found (which thereby is
             judged before it judges: by the value that it reaches, not by the value that it claims)
silent       an exception or a warning that is not documented, NaN, a certificate that is not the one that ``certify``
             computes, or a gap above tol without a ConvergenceWarning
unconverged  a ConvergenceWarning
slow         more than SLOW seconds of the processor, without compilation
refused      one of the documented errors
fine         none of these

A reference that cvxpy cannot find, or whose objective is more than 1e-6 of the scale above ours, is counted apart.
"""

import argparse
import time
import warnings
from collections import namedtuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.optimize import brentq
from scipy.sparse import csr_array
from scipy.special import xlogy
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Bunch

import convexmtl as mtl

from .families import at_ratio

KINDS = ["wrong", "silent", "unconverged", "slow", "refused", "fine"]
SLOW = 2.0
SHARP = 1e-6  # of the scale: how near to ours the objective of a good reference is
SLACK = 1e-7  # of the scale: what an objective may differ beside rounding
REFUSALS = ("is too large", "y has only 1 class")

# Losses: targets(z, scale, rng) for signals z of unit size; the textbook's value(y, z); at W = 0 the best
# constant(y, c); lowest(y), what a perfect fit leaves. --------------------------------------------------------------

Loss = namedtuple("Loss", "name kind targets value constant lowest")


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


def huber(delta):
    def value(y, z):
        r = np.abs(y - z)
        return np.where(r <= delta, r**2 / 2, delta * r - delta**2 / 2)

    def constant(y, c):
        ends = y.min(), y.max()
        return brentq(lambda b: c @ np.clip(b - y, -delta, delta), *ends) if ends[0] < ends[1] else ends[0]

    return value, constant


def nothing(y):
    return np.zeros_like(y)


LOSSES = [
    Loss("squared", "Regressor", real, lambda y, z: (y - z) ** 2 / 2, lambda y, c: np.average(y, weights=c), nothing),
    Loss("huber", "Regressor", real, *huber(1.35), nothing),
    Loss(
        *("poisson", "Regressor", counts, lambda y, z: np.exp(z) - y * z),
        *(lambda y, c: np.log(np.average(y, weights=c)), lambda y: y - xlogy(y, y)),
    ),
    Loss(
        *("logistic", "Classifier", signs, lambda y, z: np.logaddexp(0, -y * z)),
        *(lambda y, c: np.log(c[y > 0].sum() / c[y < 0].sum()), nothing),
    ),
    Loss(
        *("squared_hinge", "Classifier", signs, lambda y, z: np.maximum(0, 1 - y * z) ** 2 / 2),
        *(lambda y, c: np.average(y, weights=c), nothing),
    ),
]

# Families: parameters(rng, d, T), whose strengths say how they relate, and Omega(W, p) as the textbook has it, p the
# parameters. A sum of parts has [(attribute, strength, norm)] instead. ``free`` ones leave something of W without a
# penalty, so that separable labels have no best fit. ---------------------------------------------------------------

Family = namedtuple("Family", "name stem parameters omega least_tasks free", defaults=(1, False))

# Each in numpy and, for the best split of a W into two parts, in cvxpy.
NORMS = {
    "l1": (lambda W: np.abs(W).sum(), lambda W, cp: cp.sum(cp.abs(W))),
    "rows": (lambda W: np.linalg.norm(W, axis=1).sum(), lambda W, cp: cp.sum(cp.norm(W, 2, axis=1))),
    "rows_inf": (lambda W: np.abs(W).max(axis=1).sum(), lambda W, cp: cp.sum(cp.norm(W, "inf", axis=1))),
    "tasks": (lambda W: np.linalg.norm(W, axis=0).sum(), lambda W, cp: cp.sum(cp.norm(W, 2, axis=0))),
    "nuclear": (lambda W: np.linalg.norm(W, "nuc"), lambda W, cp: cp.normNuc(W)),
}
l1, rows, rows_inf, tasks, nuclear = (norm[0] for norm in NORMS.values())


def fro2(W):
    return np.sum(W**2)


def spectral_box(W, size, low, high, total):
    """min over low <= th <= high, sum th = total, of sum_i s_i^2 / th_i, s the singular values and zeros up to size."""
    s = np.zeros(size)
    s[: min(W.shape)] = np.linalg.svd(W, compute_uv=False)
    a, b = low / s.max(initial=1e-300), high / max(s[s > 0].min(initial=np.inf), 1e-300)
    for _ in range(200):
        mu = np.sqrt(a * b)
        a, b = (mu, b) if np.clip(mu * s, low, high).sum() < total else (a, mu)
    # (Those that are too small for mu to reach would only raise the others by less than rounding.)
    return np.sum(s**2 / np.clip(a * s, low, high))


def learned_clusters(W, p):
    mean, T, low, high = W.mean(axis=1, keepdims=True), W.shape[1], 1 / p.alpha_within, 1 / p.alpha_between
    total = (T - p.n_clusters + 1) * low + (p.n_clusters - 1) * high
    return p.alpha_mean * fro2(mean) + spectral_box(W - mean, T, low, high, total)


def known_clusters(W, p):
    mean = W.mean(axis=1, keepdims=True)
    value = p.alpha_mean * fro2(mean)
    for c in np.unique(p.clusters):
        own = W[:, p.clusters == c]
        centre = own.mean(axis=1, keepdims=True)
        value += p.alpha_between * own.shape[1] * fro2(centre - mean) + p.alpha_within * fro2(own - centre)
    return value


def shared_structure(W, p):
    d = len(W)
    box = spectral_box(W, d, p.eta, 1 + p.eta, d * p.eta + p.n_components)
    return p.alpha * p.eta * (1 + p.eta) * box


def edges(W, graph, norm):
    return sum(omega * norm(W[:, [s]] - sign * W[:, [t]]) for s, t, omega, sign in graph)


def mean_regularized(W, p):
    mean = W.mean(axis=1, keepdims=True)
    return p.alpha_mean * fro2(mean) + p.alpha_variance / W.shape[1] * fro2(W - mean)


def ring(rng, T):
    """Every task beside the next, with signs and weights; none for a single one."""
    return [(t, (t + 1) % T, float(rng.uniform(0.2, 2)), int(rng.choice([-1, 1, 1]))) for t in range(T if T > 1 else 0)]


def tree(rng, T):
    groups = [range(T)] + ([range(T // 2), range(T // 2, T)] if T > 1 else []) + [[t] for t in range(T)]
    return [(list(group), float(rng.uniform(0.1, 1))) for group in groups]


def block(q, l1_ratio=1.0):
    """The row of BlockSparse with this q."""

    def omega(W, p):
        norms = np.linalg.norm(W, ord=q, axis=1).sum()
        return p.alpha * (l1_ratio * norms + (1 - l1_ratio) / 2 * fro2(W))

    name = f"block l{q:g}" + (" + ridge" if l1_ratio < 1 else "")
    return Family(name, "BlockSparse", lambda rng, d, T: dict(alpha=1.0, q=q, l1_ratio=l1_ratio), omega)


def any_penalty(name, penalty, omega, *rest):
    """The row of MultiTask with the penalty(rng, d, T); omega gets that as p."""
    return Family(
        name, "MultiTask", lambda rng, d, T: dict(penalty=penalty(rng, d, T)), lambda W, p: omega(W, p.penalty), *rest
    )


FAMILIES = [
    *(block(q) for q in (1, 1.01, 1.5, 2, 3, 50, np.inf)),
    *(block(q, 0.5) for q in (2, np.inf)),
    Family(
        *("sparse group", "SparseGroup", lambda rng, d, T: dict(alpha=1.0, l1_ratio=rng.choice([0.1, 0.5, 1 - 1e-7]))),
        lambda W, p: p.alpha * ((1 - p.l1_ratio) * rows(W) + p.l1_ratio * l1(W)),
    ),
    Family(
        *("dirty", "Dirty", lambda rng, d, T: dict(alpha_block=T ** rng.uniform(0, 1), alpha_sparse=1.0)),
        [("block_", "alpha_block", "rows_inf"), ("sparse_", "alpha_sparse", "l1")],
    ),
    Family(
        *("dirty l2", "Dirty", lambda rng, d, T: dict(alpha_block=T ** rng.uniform(0, 0.5), alpha_sparse=1.0, q=2)),
        [("block_", "alpha_block", "rows"), ("sparse_", "alpha_sparse", "l1")],
    ),
    Family("trace norm", "TraceNorm", lambda rng, d, T: dict(alpha=1.0), lambda W, p: p.alpha * nuclear(W)),
    Family(
        *("task relationships", "TaskRelationship", lambda rng, d, T: dict(alpha=1.0)),
        lambda W, p: p.alpha / 2 * nuclear(W) ** 2,
    ),
    Family(
        *("shared feature", "SharedFeature", lambda rng, d, T: dict(alpha=1.0)),
        lambda W, p: p.alpha / 2 * nuclear(W) ** 2,
    ),
    Family(
        "shared structure",
        "SharedStructure",
        lambda rng, d, T: dict(
            alpha=1.0, eta=float(rng.choice([0.01, 1, 10])), n_components=int(rng.integers(1, d + 1))
        ),
        shared_structure,
    ),
    Family(
        *("tree", "TreeGuided", lambda rng, d, T: dict(alpha=1.0, tree=tree(rng, T))),
        lambda W, p: p.alpha * sum(omega * rows(W[:, members]) for members, omega in p.tree),
    ),
    Family(
        *("graph l1", "GraphGuided", lambda rng, d, T: dict(alpha=1.0, alpha_sparse=0.5, graph=ring(rng, T))),
        lambda W, p: p.alpha * edges(W, p.graph, l1) + p.alpha_sparse * l1(W),
    ),
    Family(
        *(
            "graph l2",
            "GraphGuided",
            lambda rng, d, T: dict(alpha=1.0, alpha_sparse=0.5, graph=ring(rng, T), norm="l2"),
        ),
        lambda W, p: p.alpha * edges(W, p.graph, fro2) + p.alpha_sparse * l1(W),
    ),
    Family(
        *("graph l1 alone", "GraphGuided", lambda rng, d, T: dict(alpha=1.0, graph=ring(rng, T))),
        *(lambda W, p: p.alpha * edges(W, p.graph, l1), 2, True),
    ),
    Family(
        *("temporal l1", "Temporal", lambda rng, d, T: dict(alpha_smooth=1.0, alpha_sparse=0.1, alpha_group=0.5)),
        lambda W, p: p.alpha_smooth * l1(np.diff(W)) + p.alpha_sparse * l1(W) + p.alpha_group * rows(W),
    ),
    Family(
        *("temporal l2", "Temporal", lambda rng, d, T: dict(alpha_smooth=1.0, alpha_group=0.5, smooth="l2")),
        lambda W, p: p.alpha_smooth * fro2(np.diff(W)) + p.alpha_group * rows(W),
    ),
    Family(
        *("temporal l1 alone", "Temporal", lambda rng, d, T: dict(alpha_smooth=1.0)),
        *(lambda W, p: p.alpha_smooth * l1(np.diff(W)), 2, True),
    ),
    Family(
        *("robust low rank", "RobustLowRank", lambda rng, d, T: dict(alpha_low_rank=T**0.25, alpha_outlier=1.0)),
        [("low_rank_", "alpha_low_rank", "nuclear"), ("outlier_", "alpha_outlier", "tasks")],
    ),
    Family(
        *("robust feature", "RobustFeature", lambda rng, d, T: dict(alpha_group=1.0, alpha_outlier=1.0)),
        [("shared_", "alpha_group", "rows"), ("outlier_", "alpha_outlier", "tasks")],
    ),
    Family(
        *("sparse low rank", "SparseLowRank", lambda rng, d, T: dict(alpha_sparse=1.0, alpha_low_rank=2 * T**0.25)),
        [("sparse_", "alpha_sparse", "l1"), ("low_rank_", "alpha_low_rank", "nuclear")],
    ),
    Family(
        "mean-regularised",
        "MeanRegularized",
        lambda rng, d, T: dict(alpha_mean=1.0, alpha_variance=10.0 ** rng.uniform(-2, 2)),
        mean_regularized,
    ),
    Family(
        "known clusters",
        "Clustered",
        lambda rng, d, T: dict(clusters=np.arange(T) % 3, alpha_mean=1.0, alpha_between=1.0, alpha_within=10.0),
        known_clusters,
    ),
    Family(
        "learned clusters",
        "Clustered",
        lambda rng, d, T: dict(
            n_clusters=int(rng.integers(1, T)), alpha_mean=1.0, alpha_between=0.3, alpha_within=10.0
        ),
        *(learned_clusters, 2),
    ),
    any_penalty(
        "feature weights",
        lambda rng, d, T: mtl.RowNorm(1.0, feature_weights=np.geomspace(0.1, 10, d)),
        lambda W, p: p.alpha * (p.feature_weights @ np.linalg.norm(W, axis=1)),
    ),
    any_penalty(
        "rows + graph",
        lambda rng, d, T: mtl.RowNorm(1.0) + mtl.GraphLaplacian(ring(rng, T), 1.0),
        lambda W, p: p.first.alpha * rows(W) + p.second.alpha * edges(W, p.second.edges, fro2),
    ),
    any_penalty(
        "trace norm + mean",
        lambda rng, d, T: mtl.TraceNorm(1.0) + mtl.MeanCoupling(0.3, 1.0),
        lambda W, p: p.first.alpha * nuclear(W) + mean_regularized(W, p.second),
    ),
]

# Layouts: (name, whether tasks share X, share of missing targets) and weights(rng, shape). --------------------------

LAYOUTS = [("one task", True, 0.0), ("shared", True, 0.0), ("missing", True, 0.3), ("stacked", False, 0.0)]
WEIGHTS = {
    "none": None,
    "rows": lambda rng, shape: rng.uniform(0.2, 3, shape[:1]),
    "entries": lambda rng, shape: rng.uniform(0.2, 3, shape),
    "zeros": lambda rng, shape: (rng.random(shape) < 0.6).astype(float),
    "graded": lambda rng, shape: 10 ** rng.uniform(-3, 3, shape[:1]),
}

# What may be wrong with X: (X, j, rng) -> X, j a column or a slice. -------------------------------------------------


def with_column(change):
    """The pathology that replaces column j by change(x_j, another column, rng)."""

    def pathology(X, rng):
        X, (j, k) = X.copy(), rng.integers(X.shape[1], size=2)
        X[:, j] = change(X[:, j], X[:, k], rng)
        return X

    return pathology


PATHOLOGIES = {
    "duplicate": lambda X, rng: X[:, rng.integers(X.shape[1], size=X.shape[1])],
    "nearly duplicate": with_column(lambda x, other, rng: other * (1 + 1e-8 * x)),
    "opposite": with_column(lambda x, other, rng: -2 * other),
    "zero": with_column(lambda x, other, rng: 0),
    "constant": with_column(lambda x, other, rng: rng.choice([1, 1e4])),
    "nearly constant": with_column(lambda x, other, rng: 1 + 1e-7 * x),
    "all constant": lambda X, rng: np.ones_like(X) * rng.standard_normal(X.shape[1]),
    "huge": with_column(lambda x, other, rng: 1e6 * x),
    "tiny": with_column(lambda x, other, rng: 1e-6 * x),
    "graded": lambda X, rng: X * np.geomspace(1e-4, 1e4, X.shape[1]),
    "all huge": lambda X, rng: 1e5 * X,
    "all tiny": lambda X, rng: 1e-5 * X,
    "far off": with_column(lambda x, other, rng: x + 10 ** rng.uniform(2, 6)),
    "all far off": lambda X, rng: X + 10 ** rng.uniform(1, 4),
    "a huge row": lambda X, rng: X * np.where(np.arange(len(X)) == len(X) - 1, 1e4, 1)[:, None],
    "binary": lambda X, rng: (X > 1).astype(float),
}

# From a seed to a problem -------------------------------------------------------------------------------------------


def draw(seed):
    """The problem of a seed: X, y, task, sample_weight as for fit, the estimator without its strength, and the ratio."""
    rng = np.random.default_rng(seed)
    family, loss = (table[rng.integers(len(table))] for table in (FAMILIES, LOSSES))
    layout, shared, missing = LAYOUTS[rng.integers(len(LAYOUTS))]
    T = 1 if layout == "one task" else int(rng.integers(2, 7))
    if family.free and loss.name not in ("squared", "huber") or family.least_tasks > T:
        family = FAMILIES[rng.integers(9)]
    d = int(rng.integers(9, 26)) if rng.random() < 0.1 else int(rng.integers(1, 9))
    sizes = [int(rng.integers(1, 31))] if shared else [int(n) for n in rng.integers(1, 31, T) ** rng.integers(0, 2, T)]
    task = None if shared else rng.permutation(np.repeat(np.arange(T), sizes))
    n = sum(sizes)
    if layout == "one task" and loss.kind == "Classifier":
        n = max(n, 2)
    X = rng.standard_normal((n, d)) + 0.5 * rng.standard_normal((n, 1))
    W = rng.standard_normal((d, 1)) * (rng.random((d, 1)) < 0.7) + 0.5 * rng.standard_normal((d, T))
    z = X @ W / np.sqrt(d)
    scale = 10 ** rng.uniform(-6, 6)
    y = loss.targets(z if shared else z[np.arange(n), task], scale, rng)
    if shared:
        # The first row is there in every task; its weight below as well.
        y[1:][rng.random(y[1:].shape) < missing] = np.nan
    if loss.kind == "Classifier" and T == 1:
        y[:2] = [[1], [-1]]
    y = y[:, 0] if layout == "one task" else y
    first = np.arange(2) if shared else np.unique(task, return_index=True)[1]
    weights = list(WEIGHTS)[rng.integers(len(WEIGHTS))]
    weight = None if weights == "none" else WEIGHTS[weights](rng, y.shape)
    if weight is not None:
        weight[first[first < n]] = 1
    wrong = sorted(rng.choice(list(PATHOLOGIES), rng.choice([0, 1, 2], p=[0.2, 0.5, 0.3]), replace=False).tolist())
    for name in wrong:
        X = PATHOLOGIES[name](X, rng)
    options = {
        "fit_intercept": bool(rng.random() < 0.75),
        "task_weight": ["equal", "size", 10 ** rng.uniform(-2, 2, T)][rng.choice(3, p=[0.7, 0.1, 0.2])],
        "tol": float(rng.choice([1e-4, 1e-6])),
    }
    estimator = getattr(mtl, family.stem + loss.kind)(**family.parameters(rng, d, T), loss=loss.name, **options)
    sparse = rng.random() < 0.15
    return Bunch(
        seed=seed, family=family, loss=loss, layout=layout + ", sparse" * sparse, weights=weights, wrong=wrong,
        X=csr_array(X) if sparse else X, y=y, task=task, weight=weight, scale=scale, shape=(n, d, T),
        estimator=estimator, ratio=10 ** rng.uniform(-4, np.log10(2)),
    )  # fmt: skip


def with_strength(problem):
    """The estimator at ratio times alpha_max; at the ratio itself where that is 0."""
    p = problem
    top = mtl.alpha_max(p.estimator, p.X, p.y, task=p.task, sample_weight=p.weight)
    several = isinstance(top, dict)
    if max(top.values()) <= 0 if several else top <= 0:
        own, prefix = p.estimator.get_params(), "penalty__" if hasattr(p.estimator, "penalty") else ""
        top = {name: own[prefix + name] for name in (top if several else ["alpha"])}
    return at_ratio(p.estimator, top, 1 / p.ratio)


# The textbook -------------------------------------------------------------------------------------------------------


class Textbook:
    """The objective of the problem by its definition, from the data as the user hands them over."""

    def __init__(self, problem):
        p = self.problem = problem
        n, d, T = p.shape
        X = p.X.toarray() if hasattr(p.X, "toarray") else p.X
        y = p.y if p.task is not None else p.y.reshape(n, T)
        s = np.ones(n) if p.weight is None else p.weight
        s = s if s.ndim == y.ndim else np.broadcast_to(np.reshape(s, (n, -1)), y.shape)
        seen = ~np.isnan(y) & (s > 0)
        i = np.nonzero(seen)[0]
        self.t = np.nonzero(seen)[1] if p.task is None else p.task[i]
        self.X, self.y = X[i], y[seen]
        mass = np.bincount(self.t, s[seen], T)
        weight = (
            {"equal": np.ones(T), "size": mass / mass.mean()}.get(p.estimator.task_weight)
            if isinstance(p.estimator.task_weight, str)
            else p.estimator.task_weight
        )
        self.c = weight[self.t] * s[seen] / mass[self.t]
        if p.estimator.fit_intercept:
            # Tasks with one class, or without a count, have no finite intercept; documented not to count.
            several = {t: np.any(self.y[self.t == t] > 0) and np.any(self.y[self.t == t] < 0) for t in range(T)}
            if p.loss.name == "poisson":
                several = {t: np.any(self.y[self.t == t] > 0) for t in range(T)}
            if p.loss.name == "poisson" or p.loss.kind == "Classifier":
                keep = np.array([several[t] for t in self.t])
                self.t, self.X, self.y, self.c = self.t[keep], self.X[keep], self.y[keep], self.c[keep]
        b = np.zeros(T)
        for t in np.unique(self.t) if p.estimator.fit_intercept else ():
            b[t] = p.loss.constant(self.y[self.t == t], self.c[self.t == t])
        self.at_zero = self.objective(np.zeros((d, T)), b)
        # What there is to gain, in which gaps and errors are measured, and what of it is rounding.
        self.scale = self.at_zero[0] - float(self.c @ p.loss.lowest(self.y))

    def objective(self, W, b, parts=None):
        """(F(W, b), its rounding error); ``parts`` as fitted, else the best ones are found."""
        size = np.abs(self.X) @ np.abs(W)
        i = np.arange(len(self.y))
        z, error = (self.X @ W)[i, self.t] + b[self.t], 1e-14 * (size[i, self.t] + np.abs(b[self.t]) + np.abs(self.y))
        value = self.problem.loss.value
        with np.errstate(over="ignore", invalid="ignore"):
            at = value(self.y, z)
            off = np.maximum(abs(value(self.y, z + error) - at), abs(value(self.y, z - error) - at))
            total = float(self.c @ at) + self.omega(W, parts)
            return total, float(self.c @ (off + 1e-14 * abs(at))) + 1e-13 * abs(total)

    def omega(self, W, parts):
        omega, p = self.problem.family.omega, Bunch(**self.problem.estimator.get_params())
        if callable(omega):
            return float(omega(W, p))
        parts = parts or best_split(W, [(p[strength], norm) for _, strength, norm in omega])
        return float(sum(p[s] * NORMS[norm][0](part) for (_, s, norm), part in zip(omega, parts, strict=True)))

    def fitted(self, estimator):
        """The objective of a fitted estimator, from its public attributes."""
        omega = self.problem.family.omega
        parts = None if callable(omega) else [getattr(estimator, attribute).T for attribute, _, _ in omega]
        return self.objective(estimator.coef_.T, estimator.intercept_, parts)


def best_split(W, norms):
    """[A, B], A + B = W, for which alpha_1 norm_1(A) + alpha_2 norm_2(B) is nearly least."""
    import cvxpy as cp

    size = np.abs(W).max()
    if size == 0:
        return [W, W]
    A = cp.Variable(W.shape)
    (first, one), (second, other) = norms
    total = NORMS[one][1](A, cp) + second / first * NORMS[other][1](W / size - A, cp)
    candidates = [[W, np.zeros_like(W)], [np.zeros_like(W), W]]
    try:
        cp.Problem(cp.Minimize(total)).solve(solver="CLARABEL")
        candidates += [[size * A.value, W - size * A.value]] if A.value is not None else []
    except cp.error.SolverError:
        pass
    return min(candidates, key=lambda parts: first * NORMS[one][0](parts[0]) + second * NORMS[other][0](parts[1]))


SOLVERS = [
    {},
    {"tol_gap_abs": 1e-8, "tol_gap_rel": 1e-8, "tol_feas": 1e-8},
    {"solver": "SCS", "eps": 1e-8, "max_iters": 20_000},
]


def ask_cvxpy(problem, textbook, wanted):
    """(F, rounding) of the best W that cvxpy finds, by the textbook; it is asked anew until F <= wanted."""
    p, best = problem, (np.inf, 0.0)
    for options in SOLVERS:
        if options.get("solver") == "SCS":
            options = {**dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas", "max_iter")), **options}
        try:
            found = mtl.reference.fit(p.estimator, p.X, p.y, task=p.task, sample_weight=p.weight, **options)
            best = min(best, textbook.objective(found.W, found.b))
        except Exception:  # whatever ends cvxpy, and a W of None, is no reference
            continue
        if best[0] <= wanted:
            break
    return best


# The judgement ------------------------------------------------------------------------------------------------------


def judge(problem, estimator, caught, seconds, textbook, ask):
    """[(kind, detail)] of a fit, and what was measured."""
    found, p = [], problem
    for warning in caught:
        if not issubclass(warning.category, ConvergenceWarning) and warning.category is not UserWarning:
            found.append(("silent", f"{warning.category.__name__}: {warning.message}"))
    warned = [str(w.message) for w in caught if issubclass(w.category, ConvergenceWarning)]
    F, rounding = textbook.fitted(estimator)
    certificate = mtl.certify(estimator, p.X, p.y, task=p.task, sample_weight=p.weight)
    scale, gap = textbook.scale, certificate.gap
    threshold = estimator.tol * scale + 1e-30 * float(textbook.c @ textbook.y**2)
    about = {"objective": F, "gap": gap, "n_iter": estimator.n_iter_, "scale": scale, "gap/scale": gap / (scale or 1.0)}
    finite = all(np.isfinite(a).all() for a in (estimator.coef_, estimator.intercept_))
    if not finite or np.isnan([estimator.objective_, estimator.dual_gap_, gap]).any():
        found.append(("silent", "NaN"))
        return found, about
    slack = SLACK * scale + rounding
    if not abs(estimator.objective_ - F) <= slack:
        found.append(("wrong", f"objective_ {estimator.objective_:.10g}, by the textbook {F:.10g}"))
    for name in ("objective_", "dual_gap_"):
        ours, theirs = getattr(estimator, name), certificate.primal if name == "objective_" else gap
        if not (
            ours == theirs
            or abs(ours - theirs) <= 0.01 * threshold + rounding + 0.01 * abs(theirs) * (name == "dual_gap_")
        ):
            found.append(("silent", f"{name} is {ours:.10g}, certify says {theirs:.10g}"))
    if gap < -rounding:
        found.append(("wrong", f"gap {gap:.3g}"))
    if not warned and not gap <= 1.01 * threshold + rounding * 1e-3:
        found.append(("silent", f"gap {gap:.3g} > {threshold:.3g} without a warning"))
    if warned:
        found.append(
            (
                "unconverged",
                f"gap {gap / (scale or 1.0):.2g} of the scale, {'iterations ran out' if 'ran out' in warned[0] else 'stalled'}",
            )
        )
    if seconds > SLOW:
        found.append(("slow", f"{seconds:.1f} s, {estimator.n_iter_} iterations"))
    others = {"W = 0": textbook.at_zero}
    if ask:
        others["cvxpy"] = ask_cvxpy(p, textbook, F + SHARP * scale + rounding)
        about["reference"] = (others["cvxpy"][0] - F) / (scale or 1.0)
    for name, (value, their_rounding) in others.items():
        if estimator.objective_ - estimator.dual_gap_ > value + slack + their_rounding:
            excess = estimator.objective_ - estimator.dual_gap_ - value
            found.append(
                ("wrong", f"the lower bound is {excess:.3g} ({excess / (scale or 1.0):.2g} of the scale) above {name}")
            )
    return found, about


def examine(seed, reference_share=0.3):
    """One row of the table: the problem of a seed, and what came of it."""
    p = draw(seed)
    row = {
        "seed": seed, "family": p.family.name, "loss": p.loss.name, "layout": p.layout, "weights": p.weights,
        "X": " & ".join(p.wrong), "y": p.scale, "n, d, T": "{} {} {}".format(*p.shape), "ratio": p.ratio,
        "intercept": p.estimator.fit_intercept, "tol": p.estimator.tol,
    }  # fmt: skip
    found, about, seconds = [], {}, 0.0
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            estimator = with_strength(p)
            start = time.process_time()
            estimator.fit(p.X, p.y, task=p.task, sample_weight=p.weight)
            seconds = time.process_time() - start
            # (Many seconds for few iterations: the first fit of a kind compiles.)
            if seconds > SLOW and estimator.n_iter_ < 1000:
                start = time.process_time()
                estimator.fit(p.X, p.y, task=p.task, sample_weight=p.weight)
                seconds = time.process_time() - start
    except Exception as error:
        refused = type(error) is ValueError and any(words in str(error) for words in REFUSALS)
        found = [("refused" if refused else "silent", f"{type(error).__name__}: {error}")]
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ask = np.random.default_rng([seed, 1]).random() < reference_share
            found, about = judge(p, estimator, caught, seconds, Textbook(p), ask)
    found.sort(key=lambda one: KINDS.index(one[0]))
    kind = found[0][0] if found else "fine"
    return {
        **row,
        "seconds": round(seconds, 3),
        **about,
        "kind": kind,
        "detail": "; ".join(dict.fromkeys(d for _, d in found)),
    }


def run(seeds, jobs=1, reference_share=0.3):
    """Yield the rows of many seeds."""
    yield from Parallel(jobs, return_as="generator")(delayed(examine)(seed, reference_share) for seed in seeds)


def describe(seed):
    """The lines of Python that make one problem."""
    p = draw(seed)
    return f"""from benchmarks.fuzz import draw, with_strength
p = draw({seed})  # {p.layout}, weights: {p.weights}, X: {" & ".join(p.wrong) or "as it should be"}, n, d, T = {p.shape}
estimator = with_strength(p)  # {with_strength(p)!r}, alpha_max * {p.ratio:.3g}
estimator.fit(p.X, p.y, task=p.task, sample_weight=p.weight)
print(estimator.objective_, estimator.dual_gap_, estimator.n_iter_)"""


def report(table):
    """Print how many of each kind there are, and the worst."""
    counts = table["kind"].value_counts().reindex(KINDS, fill_value=0)
    print("  ".join(f"{kind} {count}" for kind, count in counts.items()), f" of {len(table)}")
    if "reference" in table:
        asked = table["reference"].dropna()
        sharp, none = (asked <= 2 * SHARP).sum(), np.isinf(asked).sum()
        print(f"cvxpy: asked {len(asked)}, sharp {sharp}, weak {len(asked) - sharp - none}, no reference {none}")
    columns = ["seed", "family", "loss", "layout", "weights", "X", "y", "n, d, T", "intercept", "ratio", "detail"]
    for kind in KINDS[:5]:
        rows = table[table["kind"] == kind]
        if len(rows):
            rows = rows.sort_values("gap/scale", ascending=False) if "gap/scale" in rows else rows
            shown = rows.head(40)[columns].to_string(index=False, float_format="{:.2g}".format, max_colwidth=110)
            print(f"\n{kind}\n{shown}")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="0:10000", metavar="FIRST:END")
    parser.add_argument("--only", type=int, metavar="SEED", help="look at one problem")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--reference-share", type=float, default=0.3, help="of the problems, for which cvxpy is asked")
    parser.add_argument("--csv", metavar="FILE", help="where the table goes")
    chosen = parser.parse_args(arguments)
    if chosen.only is not None:
        print(describe(chosen.only))
        print(pd.Series(examine(chosen.only, reference_share=1.0)).to_string())
        return
    first, end = map(int, chosen.seeds.split(":"))
    rows = []
    for row in run(range(first, end), chosen.jobs, chosen.reference_share):
        rows.append(row)
        if row["kind"] != "fine":
            print(
                f"{row['seed']:6d} {row['kind']}: {row['family']}, {row['loss']}, {row['layout']}: {row['detail']}"[
                    :200
                ],
                flush=True,
            )
        if chosen.csv and (len(rows) % 200 == 0 or row["seed"] == end - 1):
            pd.DataFrame(rows).to_csv(chosen.csv, index=False, float_format="%.6g")
    report(pd.DataFrame(rows))


if __name__ == "__main__":
    main()
