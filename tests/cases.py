"""The tables that the tests run over: losses, layouts, penalties and estimators.

A new loss, penalty or estimator is one row here; ``test_reference.py`` fails while the row is missing.
Everything is small (d about 6, T = 4), so that cvxpy solves any combination in a tenth of a second.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pytest
import sklearn
from hypothesis import settings
from scipy.sparse import csr_array
from sklearn.base import is_classifier
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.fixes import parse_version

import convexmtl as cm
from convexmtl.data import DataTerm
from convexmtl.losses import (
    Absolute,
    EpsilonInsensitive,
    Gamma,
    Hinge,
    Huber,
    Logistic,
    Loss,
    Poisson,
    Quantile,
    Softmax,
    Sqrt,
    Squared,
    SquaredHinge,
    Tweedie,
)
from convexmtl.penalties import (
    Box,
    ClusterCoupling,
    DirtyNorm,
    GraphGuided,
    GraphLaplacian,
    LearnedClusters,
    LinearConstraint,
    MeanCoupling,
    Parts,
    RobustFeature,
    RobustLowRank,
    RowNorm,
    SharedFeature,
    SharedStructure,
    SparseGroup,
    SparseLowRank,
    SpectralBox,
    SquaredTraceNorm,
    Support,
    TaskCoupling,
    TaskNorm,
    Temporal,
    TensorTraceNorm,
    TraceNorm,
    TreeGuided,
    Weighted,
)
from convexmtl.problem import Problem
from convexmtl.tasks import Tasks
from convexmtl.textbook import best_of_attempts

# ------------------------------------------------------------------------------------------ losses


@dataclass(frozen=True)
class LossCase:
    """A loss and how its targets are drawn for given predictions z: ``targets(z, rng)``."""

    loss: Loss
    targets: Callable


def real_targets(z, rng):
    return z + 0.5 * rng.standard_normal(z.shape)


def outlying_targets(z, rng):
    return z + rng.standard_t(2, z.shape)


def count_targets(z, rng):
    return rng.poisson(np.exp(np.clip(0.5 * z, -2, 2))).astype(float)


def positive_targets(z, rng):
    return rng.gamma(2.0, 0.5 * np.exp(np.clip(0.5 * z, -2, 2)))


def costs_or_none(z, rng):
    """Sums of a random number of positive ones, often none."""
    return rng.gamma(np.maximum(2.0 * rng.poisson(1.0, z.shape), 1e-12), 0.5 * np.exp(np.clip(0.5 * z, -2, 2)))


def sign_targets(z, rng):
    return np.where(z + 1.5 * rng.standard_normal(z.shape) > 0, 1.0, -1.0)


def level_targets(z, rng):
    """-1, 0 or 1."""
    return np.clip(np.round(z + 0.8 * rng.standard_normal(z.shape)), -1, 1)


LOSSES = {
    "squared": LossCase(Squared(), real_targets),
    "huber": LossCase(Huber(delta=0.7), outlying_targets),
    "poisson": LossCase(Poisson(), count_targets),
    "gamma": LossCase(Gamma(), positive_targets),
    "tweedie": LossCase(Tweedie(1.5), costs_or_none),
    "logistic": LossCase(Logistic(), sign_targets),
    "softmax": LossCase(Softmax(), level_targets),
    "squared_hinge": LossCase(SquaredHinge(), sign_targets),
    "quantile": LossCase(Quantile(0.7), real_targets),
    "absolute": LossCase(Absolute(), outlying_targets),
    "epsilon_insensitive": LossCase(EpsilonInsensitive(0.3), real_targets),
    "hinge": LossCase(Hinge(), sign_targets),
    "sqrt": LossCase(Sqrt(), real_targets),
}


# ------------------------------------------------------------------------------------------ layouts


@dataclass(frozen=True)
class Layout:
    """One way in which T tasks hand over their data: ``build(targets, rng)`` makes the Tasks.

    ``wide``: so many features that cvxpy is only asked about row penalties and couplings.
    ``determined``: enough samples for coefficients common to all tasks to be finite without a penalty,
    also where labels could be separated.
    """

    build: Callable
    fit_intercept: bool = True
    wide: bool = False
    determined: bool = True


def features(rng, n, d):
    """Columns of unequal scale, away from zero, and correlated."""
    common = rng.standard_normal((n, 1))
    return (rng.standard_normal((n, d)) + 0.5 * common) * np.geomspace(0.5, 2, d) + np.linspace(-1, 2, d)


def true_coefficients(rng, d, T):
    """Related tasks: a common part on half of the features, and a private part."""
    W = np.zeros((d, T))
    W[: max(1, d // 2)] = rng.standard_normal((max(1, d // 2), 1)) + 0.3 * rng.standard_normal((max(1, d // 2), T))
    W[-1] = rng.standard_normal(T)
    return W / np.sqrt(min(d, 6))


def draw_shared(targets, rng, n, d, T, missing=0.0):
    """X (n, d) and Y (n, T), NaN where missing."""
    X = features(rng, n, d)
    Y = targets(X @ true_coefficients(rng, d, T) + np.linspace(-0.5, 0.5, T), rng)
    return X, np.where(rng.random(Y.shape) < missing, np.nan, Y)


def draw_stacked(targets, rng, sizes, d):
    """X (n, d), y (n,) and codes (n,), the rows of the tasks in mixed order; tasks of unequal scale."""
    T = len(sizes)
    codes = rng.permutation(np.repeat(np.arange(T), sizes))
    X = features(rng, len(codes), d) * np.geomspace(0.6, 1.6, T)[codes, None]
    z = np.einsum("ij,ji->i", X, true_coefficients(rng, d, T)[:, codes]) + np.linspace(-0.5, 0.5, T)[codes]
    return X, targets(z, rng), codes


def shared(targets, rng, n=20, d=6, T=4, missing=0.0, weight=None, task_weight=None):
    X, Y = draw_shared(targets, rng, n, d, T, missing)
    sample_weight = None if weight is None else weight(rng, n, T)
    return Tasks.shared(X, Y, sample_weight, task_weight)


def stacked(targets, rng, sizes=(12, 18, 25, 10), d=6, weight=None, task_weight=None):
    X, y, codes = draw_stacked(targets, rng, sizes, d)
    sample_weight = None if weight is None else weight(rng, len(y), None)
    return Tasks.stacked(X, y, codes, len(sizes), sample_weight, task_weight)


def row_weights(rng, n, T):
    return rng.uniform(0.2, 3, n)


def entry_weights(rng, n, T):
    """Some of them zero."""
    return rng.uniform(0.2, 3, (n, T)) * (rng.random((n, T)) > 0.15)


def with_options(build, **options):
    return lambda targets, rng: build(targets, rng, **options)


TASK_WEIGHT = np.array([0.5, 2.0, 1.0, 3.0])

LAYOUTS = {
    "shared": Layout(shared),
    "shared_no_intercept": Layout(shared, fit_intercept=False),
    "shared_few_samples": Layout(with_options(shared, n=8, d=10), determined=False),
    "shared_missing": Layout(with_options(shared, n=24, missing=0.2)),
    "shared_row_weights": Layout(with_options(shared, weight=row_weights)),
    "shared_entry_weights": Layout(with_options(shared, n=24, weight=entry_weights)),
    "shared_task_weights": Layout(with_options(shared, task_weight=TASK_WEIGHT)),
    "stacked": Layout(stacked),
    "stacked_no_intercept": Layout(stacked, fit_intercept=False),
    "stacked_weighted": Layout(with_options(stacked, weight=row_weights, task_weight=TASK_WEIGHT)),
    "single": Layout(with_options(shared, n=25, T=1), determined=False),
    "shared_wide": Layout(with_options(shared, n=15, d=150, T=3), wide=True, determined=False),
    "stacked_wide": Layout(with_options(stacked, sizes=(10, 15, 12), d=150), wide=True, determined=False),
}


def kind_of_loss(name):
    """What solvers ask of a loss, in which those of one kind are alike."""
    loss = LOSSES[name].loss
    return loss.quadratic, loss.smooth, loss.by_column, loss.curvature is None, isinstance(loss, Sqrt)


def kind_of_layout(name):
    """Which form the samples of several tasks have, in which layouts of one kind are alike."""
    if LAYOUTS[name].wide or name in ("single", "shared_few_samples"):
        return name
    return "per task" if name.startswith("stacked") or name in ("shared_missing", "shared_entry_weights") else "shared"


# ---------------------------------------------------------------------------------------- penalties


@dataclass(frozen=True)
class PenaltyCase:
    """``build(d, T)`` makes the penalty for d features and T tasks.

    ``wide``: cvxpy can be asked about 150 features. ``free``: something of W is not penalised, so that the
    data have to determine it.
    """

    build: Callable
    wide: bool = False
    free: bool = False


def rows(penalty):
    """A penalty that works row by row, whatever d and T."""
    return PenaltyCase(lambda d, T: penalty, wide=True)


def whole(penalty, free=False):
    """A penalty of W as a whole, whatever d and T."""
    return PenaltyCase(lambda d, T: penalty, free=free)


def chain(T):
    """Edges 0 - 1 - 2 ..., with growing weights."""
    return [(t, t + 1, 0.5 + 0.5 * t) for t in range(T - 1)]


def cycle(T):
    return [*chain(T), (0, T - 1, 0.7)] if T > 2 else chain(T)


def signed_graph(T):
    """A chain with growing weights and a cycle of contradicting signs."""
    return [(*edge, -1 if edge[0] % 2 else 1) for edge in chain(T)] + ([(0, 2, 0.7, 1)] if T > 2 else [])


def tree(T):
    """All tasks, the first two, the rest, and every task but the last for itself."""
    groups = [(range(T), 0.4), (range(min(2, T)), 0.7), (range(2, T), 0.6)]
    return [(list(members), omega) for members, omega in groups if members] + [([t], 0.3) for t in range(T - 1)]


def backwards(T):
    return np.arange(T)[::-1]


def bounds(d, T):
    """Of every kind, not all with zero between them."""
    low = np.resize([-np.inf, 0.0, -0.2, 0.1, -np.inf], (d, T))
    return low, np.where(np.isinf(low), np.resize([np.inf, -0.05, 0.0], (d, T)), low + 0.4)


def rising(d, high=np.inf):
    """Coefficients that do not fall from feature to feature."""
    return LinearConstraint(np.diff(np.eye(d + 1, d), axis=0)[: max(1, d - 1)], low=0.0, high=high)


def total(d, low, high):
    return LinearConstraint(np.ones((1, d)), low, high)


def contrasts(d, T):
    """More rows than features, of which some say the same; bounds of every kind."""
    A = np.vstack([np.eye(d) - np.eye(d, k=2), np.ones((2, d))])
    middle = A @ np.resize([0.2, 0.1, -0.1], (d, T))
    below, above = np.resize([0.2, np.inf, 0.1], (d + 2, T)), np.resize([0.3, 0.2, np.inf, 0.0], (d + 2, T))
    return LinearConstraint(csr_array(A), middle - below, middle + above)


def grid(T):
    """T tasks as those of two indices."""
    return (2, T // 2) if T % 2 == 0 else (1, T)


def mixed_grid(T):
    """The same, of tasks in another order."""
    return {t: tuple(map(int, ij)) for t, ij in enumerate(np.array(list(np.ndindex(grid(T))))[backwards(T)])}


def task_strengths(T):
    return np.geomspace(0.5, 2, T)


def two_clusters(T):
    return np.arange(T) % 2


def some_matrix(T):
    """Positive definite, nothing repeated, off the diagonal as large as on it."""
    A = np.random.default_rng(5).standard_normal((T, T))
    return A @ A.T + 0.1 * np.eye(T)


def feature_weights(d):
    return np.resize(np.geomspace(0.5, 2, 6), d)


def groups(d):
    """Labels of the features, a few of each, never one beside the other."""
    return np.arange(d) % max(2, d // 3)


def grouped(penalty, d, weights=False):
    more = {"feature_weights": feature_weights(len(set(groups(d))))} if weights else {}
    return penalty.replaced(feature_groups=groups(d), **more)


def box(T):
    return SpectralBox(0.1, low=0.2, high=1.5, total=0.2 * T + 1.0)


def group_and_clusters(T):
    # A single task has no clusters to learn: the penalty would be quadratic, which Parts refuses.
    clusters = LearnedClusters(2, 0.05, 0.05, 0.5) if T > 1 else SquaredTraceNorm(0.1)
    return Parts([("group", RowNorm(0.1)), ("clusters", clusters)])


PENALTIES = {
    "l1": rows(RowNorm(0.1, q=1)),
    # General q is a row penalty too, but one that cvxpy takes seconds for at 150 features.
    "l1_by_task": PenaltyCase(lambda d, T: RowNorm(0.2 * task_strengths(T), q=1, l1_ratio=0.8), wide=True),
    "l1_by_task_positive_weights": PenaltyCase(
        lambda d, T: RowNorm(0.1 * task_strengths(T), 1, 1.0, feature_weights(d), positive=True), wide=True
    ),
    "ridge_by_task": PenaltyCase(lambda d, T: RowNorm(0.1 * task_strengths(T), l1_ratio=0.0), wide=True),
    "task_norm_by_task+l1": PenaltyCase(
        lambda d, T: TaskNorm(0.2 * task_strengths(T)) + RowNorm(0.05 * task_strengths(T), q=1)
    ),
    "l1.5": whole(RowNorm(0.12, q=1.5)),
    "l2": rows(RowNorm(0.15, q=2)),
    "l3": whole(RowNorm(0.2, q=3)),
    "linf": rows(RowNorm(0.25, q=np.inf)),
    "l2_ridge": rows(RowNorm(0.2, q=2, l1_ratio=0.6)),
    "linf_ridge": rows(RowNorm(0.2, q=np.inf, l1_ratio=0.5)),
    "ridge": rows(RowNorm(0.1, l1_ratio=0.0)),
    "l2_feature_weights": PenaltyCase(lambda d, T: RowNorm(0.15, feature_weights=feature_weights(d)), wide=True),
    "l3_feature_weights": PenaltyCase(lambda d, T: RowNorm(0.15, 3, 0.8, feature_weights(d))),
    "weighted_dirty": PenaltyCase(lambda d, T: Weighted(DirtyNorm(0.2, 0.1), feature_weights(d))),
    "sparse_group": rows(SparseGroup(0.15, l1_ratio=0.4)),
    "dirty_inf": rows(DirtyNorm(0.2, 0.1)),
    "dirty_inf_fractional": rows(DirtyNorm(0.25, 0.1)),
    "dirty_2": rows(DirtyNorm(0.15, 0.1, q=2)),
    "l1_positive": rows(RowNorm(0.1, q=1, positive=True)),
    "l2_positive": rows(RowNorm(0.15, positive=True)),
    "l3_positive": whole(RowNorm(0.15, 3, 0.8, positive=True)),
    "linf_positive_weights": PenaltyCase(
        lambda d, T: RowNorm(0.2, np.inf, 0.9, feature_weights(d), positive=True), wide=True
    ),
    "ridge_positive": rows(RowNorm(0.1, l1_ratio=0.0, positive=True)),
    "sparse_group_positive": rows(SparseGroup(0.15, l1_ratio=0.4, positive=True)),
    "dirty_positive": rows(DirtyNorm(0.2, 0.1, positive=True)),
    "dirty_2_positive": rows(DirtyNorm(0.14, 0.1, q=2, positive=True)),
    "tree_positive": PenaltyCase(lambda d, T: TreeGuided(tree(T), 0.2, positive=True), wide=True),
    "graph_l1_positive": PenaltyCase(
        lambda d, T: GraphGuided(signed_graph(T), 0.1, alpha_sparse=0.08, positive=True), wide=True
    ),
    "graph_l1_free_positive": PenaltyCase(lambda d, T: GraphGuided(cycle(T), 0.15, positive=True), free=True),
    "graph_l2_positive": PenaltyCase(
        lambda d, T: GraphGuided(signed_graph(T), 0.2, "l2", alpha_sparse=0.1, positive=True), wide=True
    ),
    "temporal_l1_positive": rows(Temporal(0.1, alpha_sparse=0.05, alpha_group=0.08, positive=True)),
    "temporal_l1_free_positive": whole(Temporal(0.15, positive=True), free=True),
    "temporal_l2_positive": rows(Temporal(0.2, "l2", alpha_ridge=0.1, positive=True)),
    "l2+graph_positive": PenaltyCase(
        lambda d, T: RowNorm(0.1, positive=True) + GraphLaplacian(chain(T), 0.2), wide=True
    ),
    "l2_groups": PenaltyCase(lambda d, T: RowNorm(0.1, feature_groups=groups(d)), wide=True),
    "l2_groups_weights": PenaltyCase(lambda d, T: grouped(RowNorm(0.1, l1_ratio=0.6), d, weights=True), wide=True),
    "l3_groups": PenaltyCase(lambda d, T: grouped(RowNorm(0.1, q=3), d)),
    "linf_groups_positive": PenaltyCase(lambda d, T: grouped(RowNorm(0.15, np.inf, 0.9, positive=True), d), wide=True),
    "sparse_group_groups": PenaltyCase(lambda d, T: grouped(SparseGroup(0.12, l1_ratio=0.4), d), wide=True),
    "weighted_sparse_group_groups": PenaltyCase(
        lambda d, T: Weighted(grouped(SparseGroup(0.12, l1_ratio=0.4), d), feature_weights(len(set(groups(d))))),
        wide=True,
    ),
    "l2_groups+graph": PenaltyCase(
        lambda d, T: RowNorm(0.1, feature_groups=groups(d)) + GraphLaplacian(chain(T), 0.2), wide=True
    ),
    "support": PenaltyCase(lambda d, T: Support(np.resize([0.1, np.inf, 0.5, 0.2, 2.0], (d, T))), wide=True),
    "trace": whole(TraceNorm(0.2)),
    "squared_trace": whole(SquaredTraceNorm(0.1)),
    "squared_trace_ridge": whole(SquaredTraceNorm(0.1, alpha_ridge=0.05)),
    "box": PenaltyCase(lambda d, T: box(T)),
    "simplex": whole(SpectralBox(0.1)),
    "learned_clusters": whole(LearnedClusters(2, 0.05, 0.05, 0.5)),
    "learned_clusters_no_mean": whole(LearnedClusters(3, 0.0, 0.05, 0.5), free=True),
    "mean": rows(MeanCoupling(0.1, 0.5)),
    "mean_no_mean": PenaltyCase(lambda d, T: MeanCoupling(0.0, 0.5), free=True),
    "known_clusters": PenaltyCase(lambda d, T: ClusterCoupling(two_clusters(T), 0.05, 0.1, 0.3), wide=True),
    "graph": PenaltyCase(lambda d, T: GraphLaplacian(chain(T), 0.2), free=True),
    "any_matrix": PenaltyCase(lambda d, T: TaskCoupling(some_matrix(T), 0.05), wide=True),
    "shared_feature": whole(SharedFeature(0.1)),
    "shared_structure": whole(SharedStructure(0.1, eta=0.5, n_components=1)),
    "shared_structure_2": PenaltyCase(lambda d, T: SharedStructure(0.05, eta=0.1, n_components=min(2, d))),
    "tree": PenaltyCase(lambda d, T: TreeGuided(tree(T), 0.2), wide=True),
    "graph_l1": PenaltyCase(lambda d, T: GraphGuided(signed_graph(T), 0.1, alpha_sparse=0.08), wide=True),
    "graph_l1_free": PenaltyCase(lambda d, T: GraphGuided(chain(T), 0.15), free=True),
    "graph_l2": PenaltyCase(lambda d, T: GraphGuided(signed_graph(T), 0.2, "l2", alpha_sparse=0.1), wide=True),
    "temporal_l1": rows(Temporal(0.1, alpha_sparse=0.05, alpha_group=0.08)),
    "temporal_l1_free": whole(Temporal(0.15), free=True),
    "temporal_l1_ridge": PenaltyCase(
        lambda d, T: Temporal(0.1, alpha_group=0.1, alpha_ridge=0.05, order=backwards(T)), wide=True
    ),
    "temporal_l2": PenaltyCase(
        lambda d, T: Temporal(0.2, "l2", alpha_sparse=0.05, alpha_group=0.08, order=backwards(T)), wide=True
    ),
    "task_norm": whole(TaskNorm(0.2)),
    "robust_low_rank": whole(RobustLowRank(0.15, 0.12)),
    "robust_feature": whole(RobustFeature(0.12, 0.12)),
    "sparse_low_rank": whole(SparseLowRank(0.08, 0.15)),
    "tensor": PenaltyCase(lambda d, T: TensorTraceNorm(grid(T), alpha=0.1)),
    "tensor_latent": PenaltyCase(lambda d, T: TensorTraceNorm(mixed_grid(T), "latent", alpha=0.3)),
    "tensor+l1": PenaltyCase(lambda d, T: TensorTraceNorm(mixed_grid(T), alpha=0.05) + RowNorm(0.05, q=1)),
    "trace+mean": whole(TraceNorm(0.1) + MeanCoupling(0.05, 0.2)),
    "l2+graph": PenaltyCase(lambda d, T: RowNorm(0.1) + GraphLaplacian(chain(T), 0.2), wide=True),
    "any_matrix+dirty": PenaltyCase(lambda d, T: TaskCoupling(some_matrix(T), 0.05) + DirtyNorm(0.2, 0.1), wide=True),
    "sparse,low_rank": whole(Parts([("sparse", RowNorm(0.08, q=1)), ("low_rank", TraceNorm(0.15))])),
    "group,clusters": PenaltyCase(lambda d, T: group_and_clusters(T)),
    "l2+trace": whole(RowNorm(0.1) + TraceNorm(0.1)),
    "l1+squared_trace+graph": PenaltyCase(
        lambda d, T: RowNorm(0.05, q=1) + SquaredTraceNorm(0.1) + GraphLaplacian(chain(T), 0.1)
    ),
    "temporal+task_norm+support": PenaltyCase(
        lambda d, T: Temporal(0.1) + TaskNorm(0.1) + Support(np.resize([0.1, np.inf, 0.5], (d, T)))
    ),
    "temporal+graph_free": PenaltyCase(lambda d, T: Temporal(0.1) + GraphGuided(signed_graph(T)[:1], 0.1), free=True),
    "l2_free_features+trace": PenaltyCase(
        lambda d, T: RowNorm(0.15, feature_weights=np.resize([0, 1, np.inf, 2, 1], d)) + TraceNorm(0.05)
    ),
    "box_alone": PenaltyCase(lambda d, T: Box(-0.3, np.linspace(0.1, 0.4, d)[:, None])),
    "positive+mean": whole(Box(low=0.0) + MeanCoupling(0.1, 0.2)),
    "positive": whole(Box(low=0.0), free=True),
    "l2+positive": whole(RowNorm(0.1) + Box(low=0.0)),
    "trace+l1+bounds": PenaltyCase(lambda d, T: TraceNorm(0.1) + Box(*bounds(d, T)) + RowNorm(0.03, q=1)),
    "sparse,low_rank+positive": PenaltyCase(lambda d, T: SparseLowRank(0.08, 0.12) + Box(low=0.0, high=0.5)),
    "temporal_free+positive": whole(Temporal(0.1) + Box(low=0.0), free=True),
    "l2+rising": PenaltyCase(lambda d, T: RowNorm(0.1) + rising(d), wide=True),
    "rising": PenaltyCase(lambda d, T: rising(d), free=True),
    "rising+graph": PenaltyCase(lambda d, T: rising(d, 0.3) + GraphLaplacian(chain(T), 0.1), free=True),
    "trace+no_total": PenaltyCase(lambda d, T: TraceNorm(0.1) + total(d, 0.0, 0.0)),
    "l1_positive+total": PenaltyCase(lambda d, T: RowNorm(0.05, q=1, positive=True) + total(d, 0.5, 0.5)),
    "bounds+total": PenaltyCase(lambda d, T: Box(-0.1, 0.5) + total(d, -0.1, np.linspace(0.1, 0.5, T))),
    "sparse,low_rank+contrasts": PenaltyCase(lambda d, T: SparseLowRank(0.08, 0.12) + contrasts(d, T)),
    "ridge+contrasts": PenaltyCase(lambda d, T: RowNorm(0.1, l1_ratio=0.0) + contrasts(d, T)),
    "sparse,low_rank+l2": PenaltyCase(
        lambda d, T: RowNorm(0.1) + Parts([("sparse", RowNorm(0.08, q=1)), ("low_rank", TraceNorm(0.1))])
    ),
    "sparse,low_rank+graph": PenaltyCase(
        lambda d, T: (
            Parts([("sparse", SparseGroup(0.1)), ("low_rank", TraceNorm(0.15))]) + GraphLaplacian(chain(T), 0.1)
        )
    ),
}


def applies(penalty_case, layout):
    return (penalty_case.wide or not layout.wide) and (layout.determined or not penalty_case.free)


def meets(loss_case, penalty_case):
    """Whether there is a solution: three classes in so few samples are separated where nothing is penalised."""
    return loss_case.loss.by_column or not penalty_case.free


# Signs alone leave every task to its own samples, and here the classes of one are separated: there is no solution.
NOT_ATTAINED = {("logistic", "positive", "shared_missing")}
COMBINATIONS = [
    (loss, penalty, layout)
    for loss in LOSSES
    for penalty in PENALTIES
    for layout in LAYOUTS
    if applies(PENALTIES[penalty], LAYOUTS[layout])
    and meets(LOSSES[loss], PENALTIES[penalty])
    and (loss, penalty, layout) not in NOT_ATTAINED
]


def make_problem(loss, penalty, layout, seed=0):
    """(Problem, the penalty as a user writes it) of one combination."""
    case, layout = LOSSES[loss], LAYOUTS[layout]
    tasks = layout.build(case.targets, np.random.default_rng(seed))
    if not case.loss.by_column:
        tasks = in_columns(tasks)
    written = PENALTIES[penalty].build(tasks.n_features, tasks.n_tasks)
    canonical = written.resolve(tasks.n_features, np.arange(tasks.n_tasks))
    return Problem(DataTerm(tasks, case.loss, layout.fit_intercept), canonical), written


def in_columns(tasks):
    """Tasks of three columns each, for targets -1, 0 and 1, all of which every task has."""
    for t in range(tasks.n_tasks):
        counted = tasks.ptr[t] + np.flatnonzero(tasks.weight[tasks.slices(t)[1]] > 0)
        tasks.y[counted[:3]] = -1, 0, 1
    columns = tasks.in_columns(np.full(tasks.n_tasks, 3))
    of_class = columns.spread(np.tile([-1, 0, 1], tasks.n_tasks))
    return replace(columns, y=np.where(columns.weight > 0, columns.y == of_class, 0.0))


def scale_of(problem):
    """The objective at W = 0, which errors are relative to.

    A Poisson objective may be of either sign, or zero; its height above the lowest value that the loss can
    take cannot. (For the other losses that value is 0, and the two are the same.)
    """
    y, weight = problem.tasks.y, problem.tasks.weight
    lowest = -problem.loss.conjugate(y, np.zeros_like(y))[weight > 0] @ weight[weight > 0]
    return max(abs(problem.data.trivial[0]), problem.data.trivial[0] - float(lowest))


class Least(NamedTuple):
    """What cvxpy calls the least value of a program, and by how much its point misses the constraints."""

    objective: float
    error: float


def least(program):
    """The least value of a program, by cvxpy: of a point that keeps the constraints, from a solver that is content.

    For fits there is ``reference.solve``, which computes the objective at what the solver found.
    """

    def found():
        violation = max((float(np.max(rule.violation())) for rule in program.constraints), default=0.0)
        kept = violation <= 1e-8 and program.status == "optimal"
        return Least(float(program.value) if kept else np.inf, violation if kept else np.inf)

    best = best_of_attempts(program, found, 1e-8)
    assert np.isfinite(best.objective), "no solver of cvxpy was content"
    return best.objective


def assert_agrees(objective, gap, asked, scale):
    """The objective of a fit is that of the reference, and the lower bound not above it.

    The reference's objective is computed at what its solver found, so that it cannot be below the optimum whatever
    the solver claims; nor can our lower bound be above it, but for rounding.
    """
    assert objective - gap <= asked.objective + 1e-10 * scale
    assert abs(objective - asked.objective) <= 1e-6 * scale, f"the reference's own error is {asked.error:.1e}"


def law(max_examples):
    """Settings of a property test: the same examples at every run, and no timing."""
    return settings(max_examples=max_examples, derandomize=True, database=None, deadline=None)


# --------------------------------------------------------------------------------------- estimators

REGRESSORS = [
    cm.BlockSparseRegressor,
    cm.ClusteredRegressor,
    cm.DirtyRegressor,
    cm.GraphGuidedRegressor,
    cm.MeanRegularizedRegressor,
    cm.MultiTaskRegressor,
    cm.RobustFeatureRegressor,
    cm.RobustLowRankRegressor,
    cm.SharedFeatureRegressor,
    cm.SharedStructureRegressor,
    cm.SparseGroupRegressor,
    cm.SparseLowRankRegressor,
    cm.TaskRelationshipRegressor,
    cm.TemporalRegressor,
    cm.TraceNormRegressor,
    cm.TreeGuidedRegressor,
]
CLASSIFIERS = [
    cm.BlockSparseClassifier,
    cm.ClusteredClassifier,
    cm.DirtyClassifier,
    cm.GraphGuidedClassifier,
    cm.MeanRegularizedClassifier,
    cm.MultiTaskClassifier,
    cm.RobustFeatureClassifier,
    cm.RobustLowRankClassifier,
    cm.SharedFeatureClassifier,
    cm.SharedStructureClassifier,
    cm.SparseGroupClassifier,
    cm.SparseLowRankClassifier,
    cm.TaskRelationshipClassifier,
    cm.TemporalClassifier,
    cm.TraceNormClassifier,
    cm.TreeGuidedClassifier,
]
ESTIMATORS = REGRESSORS + CLASSIFIERS

# scikit-learn's checks: all of them for one member of each kind; for the others, which share its ``fit``, those that
# ask about a class's own signature, state and arithmetic, and as many as it takes for every check to be met by some.
CHECKED = {"BlockSparseRegressor", "TraceNormClassifier", "MeanRegularizedRegressorCV", "BlockSparseClassifierCV"}
ABOUT_A_CLASS = {
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimators_pickle",
    "check_fit2d_1feature",
    "check_mixin_order",
    "check_n_features_in",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_set_params",
}
few_checks = pytest.mark.covering(
    1,
    always=lambda estimator, check: type(estimator).__name__ in CHECKED or check.func.__name__ in ABOUT_A_CLASS,
    last=lambda estimator, check: is_classifier(estimator),  # whose data have three classes, at several times the cost
)


def scikit_learn_before(version):
    return parse_version(sklearn.__version__) < parse_version(version)


def _wrong_in_theirs(estimator):
    """Checks that fail for any estimator of two classes, before scikit-learn 1.7."""
    if not (is_classifier(estimator) and scikit_learn_before("1.7")):
        return {}
    reason = "of three classes two are made by the first sample, and the samples are compared in two orders"
    return {f"check_sample_weight_equivalence_on_{kind}_data": reason for kind in ("dense", "sparse")}


def checks_of_scikit_learn(estimators):
    """``parametrize_with_checks``, with a list for the generator of older versions, which pytest is about to refuse."""
    made = parametrize_with_checks(estimators, expected_failed_checks=_wrong_in_theirs)
    names, checks = made.args
    return pytest.mark.parametrize(names, list(checks), **made.kwargs)


TASK_NAMES = np.array(["north", "east", "south", "west"])


def user_input(loss, form, seed=0):
    """(X, y, options of fit) as a user has them, for T = 4; labels are "no" and "yes"."""
    rng = np.random.default_rng(seed)
    targets = LOSSES[loss].targets if LOSSES[loss].loss.by_column else sign_targets
    if form == "stacked":
        X, y, codes = draw_stacked(targets, rng, (12, 18, 25, 10), 6)
        options = {"task": TASK_NAMES[codes], "sample_weight": row_weights(rng, len(y), None)}
    elif form == "single":
        X, Y = draw_shared(targets, rng, 25, 6, 1)
        y, options = Y[:, 0], {}
    else:
        X, y = draw_shared(targets, rng, 24, 6, 4, missing=0.2 if form == "missing" else 0.0)
        options = {"sample_weight": entry_weights(rng, *y.shape)} if form == "missing" else {}
    if LOSSES[loss].loss.classification:
        labels = np.where(y > 0, "yes", "no")
        y = np.where(np.isnan(y), None, labels) if form == "missing" else labels
    return X, y, options


INPUT_FORMS = ["shared", "missing", "stacked", "single"]
