"""Proxes, dual norms, conjugates and values of the penalties, against their textbook definitions.

The prox at V with steps s is the fit of the squared loss to X = I, Y = V with weights 1 / s, so that the
reference for problems is one for proxes too.
"""

import cases
import numpy as np
import pytest
from cases import least
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import brentq
from scipy.special import logsumexp

from convexmtl import reference
from convexmtl._rows import row_norms
from convexmtl.data import DataTerm
from convexmtl.losses import Squared
from convexmtl.penalties import (
    Coupling,
    DirtyNorm,
    GraphGuided,
    LearnedClusters,
    NamedParts,
    Parts,
    Penalty,
    RowNorm,
    RowPenalty,
    SparseGroup,
    SpectralBox,
    SquaredTraceNorm,
    TaskNorm,
    Temporal,
    TensorTraceNorm,
    TraceNorm,
    TreeGuided,
)
from convexmtl.penalties.base import Added
from convexmtl.problem import Problem
from convexmtl.tasks import Tasks

D, T = 5, 4


def built(name, d=D):
    return cases.PENALTIES[name].build(d, T)


def is_sum(name):
    """Whether it is a sum of parts, or one with a quadratic coupling; neither has a prox of its own."""
    penalty, canonical = built(name), built(name).resolve(D, np.arange(T))
    coupled = canonical.terms and not canonical.coupling.is_diagonal
    return coupled or canonical.whole or isinstance(penalty, Coupling | Added | Parts | NamedParts | TensorTraceNorm)


def term(name):
    return built(name).resolve(D, np.arange(T)).terms[0]


# As a user writes them.
WRITTEN = [n for n in cases.PENALTIES if not is_sum(n)]
# What the solvers see of them: without ridge and coupling.
TERMS = [n for n in WRITTEN if built(n).resolve(D, np.arange(T)).terms]
ROWS = [n for n in TERMS if built(n).resolve(D, np.arange(T)).terms[0].row_wise]
NORMS = [n for n in TERMS if built(n).resolve(D, np.arange(T)).terms[0].is_norm]
# Those in which each row is for itself, not groups of them.
ALONE = [n for n in ROWS if term(n).blocks is None]
ROW_NORMS = [n for n in ALONE if n in NORMS]
COUPLINGS = [n for n in cases.PENALTIES if isinstance(built(n), Coupling)]

STEPS = {
    "equal": np.full(T, 0.7),
    "unequal": np.array([0.3, 3.0, 1.0, 0.05]),
    "far_apart": np.array([1e-6, 1.0, 1e-3, 1e-5]),
    "nearly_equal": 0.7 * (1 + np.array([0, 1e-15, 1e-12, 1e-9])),
}


def points(seed, rows=D):
    """Matrices with large, small, equal, single and no entries in a row."""
    rng = np.random.default_rng(seed)
    V = rng.standard_normal((rows, T)) * np.geomspace(0.05, 2, rows)[:, None]
    if seed % 3 == 1:
        V[0] = np.sign(V[0])
        V[1, 1:] = 0
    if seed % 3 == 2:
        V[2] = 0
        V[-1] = [1.0, 1.0, -0.5, -0.5]
    return V


# From the number next to 1 to those whose powers overflow, and both sides of 2.
QS = [1, 1 + 2e-16, 1 + 1e-12, 1 + 1e-9, 1 + 1e-6, 1.0001, 1.01, 1.1, 1.5, 1.9, 2 - 1e-12, 2, 2 + 1e-12, 2.1, 3, 4]
QS += [10, 100, 10**3, 10**30, 1e6, 1e100, 1e300, np.inf]


def hostile_rows(rng, kind, n):
    """(n, T) rows: of any size, tied or nearly so, graded down to subnormal numbers, with zeros."""
    V = rng.standard_normal((n, T))
    if kind == "ties":
        V = np.sign(V) * rng.integers(1, 3, V.shape)
    elif kind == "near_ties":
        V = np.sign(V) * (1 + 1e-12 * rng.standard_normal(V.shape))
    elif kind == "graded":
        V = V * 10.0 ** rng.uniform(-25, 0, V.shape)
    elif kind == "subnormal":
        V[:, 1:] = V[:, 1:] * 10.0 ** rng.uniform(-323, -300, (n, T - 1))
    elif kind == "zeros":
        V[:, rng.integers(T)] = 0
    return V * {"huge": 1e200, "tiny": 1e-200}.get(kind, 1.0)


KINDS = ["plain", "ties", "near_ties", "graded", "subnormal", "zeros", "huge", "tiny"]


def prox_by_cvxpy(penalty, V, step):
    """(the prox, how far cvxpy's answer may be from it)."""
    step = np.broadcast_to(step, V.shape[1])
    tasks = Tasks.shared(np.eye(len(V)), V, None, len(V) / step)
    data = DataTerm(tasks, Squared(), fit_intercept=False)
    problem = Problem(data, penalty.resolve(len(V), np.arange(V.shape[1])))
    asked = reference.solve(problem, penalty)
    inaccuracy = max(asked.error, 1e-10 * data.trivial[0])
    assert inaccuracy <= 1e-7 * data.trivial[0]
    # The objective is strongly convex, with 1 / step.
    return asked.W, np.sqrt(20 * inaccuracy * step.max())


def value_by_cvxpy(penalty, W):
    import cvxpy as cp

    expression, rules = penalty.expression(cp.Constant(W), cp)
    return least(cp.Problem(cp.Minimize(expression), rules))


# ------------------------------------------------------------------------------------------ value


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", WRITTEN + COUPLINGS)
def test_value_is_the_textbook_definition(name, seed):
    W = built(name).feasible(points(seed))
    assert_allclose(built(name).value(W), value_by_cvxpy(built(name), W), rtol=1e-6)


@pytest.mark.parametrize("name", [n for n in cases.PENALTIES if n not in WRITTEN])
def test_value_of_a_sum_is_the_sum(name):
    penalty = built(name)
    canonical = penalty.resolve(D, np.arange(T))
    parts = canonical.feasible([points(k) for k in range(canonical.n_parts)])
    W = sum(parts)
    quadratic = np.sum((W @ canonical.coupling.matrix()) * W)
    expected = quadratic + sum(f.value(P) for f, P in zip(canonical.terms, parts, strict=False))
    expected += sum(f.value(W) for f in canonical.whole)
    assert_allclose(canonical.value(parts), expected)
    if canonical.n_parts == 1:
        assert_allclose(penalty.value(W), canonical.value([W]))
    else:
        # Omega(W) is the smallest over all splits, of which this is one.
        assert canonical.value(parts) >= value_by_cvxpy(penalty, W) * (1 - 1e-6)


@pytest.mark.parametrize("name", WRITTEN)
def test_value_at_zero_is_zero(name):
    assert built(name).value(np.zeros((D, T))) == 0


def test_value_of_a_vanishing_singular_value():
    W = np.diag([1.0, 1e-160])
    for penalty in (SpectralBox(0.1), SquaredTraceNorm(0.1), LearnedClusters(2), TraceNorm()):
        assert_allclose(penalty.value(W), penalty.value(np.diag([1.0, 0.0])))


# ------------------------------------------------------------------------------------------- prox


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", WRITTEN)
def test_prox_minimises_its_definition(name, seed):
    V, step = points(seed), 0.7
    expected, error = prox_by_cvxpy(built(name), V, step)
    assert np.linalg.norm(built(name).prox(V, step) - expected) <= error


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ROWS)
def test_row_prox_with_a_step_per_task(name, seed):
    V, step = points(seed), STEPS["unequal"]
    expected, error = prox_by_cvxpy(term(name), V, step)
    assert np.linalg.norm(term(name).prox(V, step) - expected) <= error


@pytest.mark.parametrize("step", [0.05, 0.7, 20.0])
@pytest.mark.parametrize("name", WRITTEN)
def test_no_move_from_the_prox_is_better(name, step):
    penalty, rng, V = built(name), np.random.default_rng(3), points(0)
    P = penalty.prox(V, step)

    def objective(W):
        return np.sum((W - V) ** 2) / (2 * step) + penalty.value(W)

    lowest = objective(P)
    for size in np.geomspace(1e-7, 10, 30):
        move = rng.standard_normal(V.shape) * (rng.random(V.shape) < 0.5)
        assert objective(P + size * move) >= lowest * (1 - 1e-13)
        assert objective(P * (1 + size * rng.standard_normal(V.shape))) >= lowest * (1 - 1e-13)


def assert_subgradient(penalty, V, P, steps, rtol=1e-10):
    """(V - P) / step is in the subdifferential at P: Omega(P) + Omega*(Z) = <P, Z>."""
    Z = (V - P) / steps
    if penalty.is_norm:
        # Omega*(Z) is 0 in the dual ball, of which rounding may leave Z just outside.
        assert penalty.dual_norm(Z) <= 1 + rtol
        conjugate = 0.0
    else:
        conjugate = penalty.conjugate(Z)
    value = penalty.value(P)
    assert abs(value + conjugate - np.sum(P * Z)) <= rtol * (value + abs(conjugate) + np.sum(np.abs(P * Z)))


@pytest.mark.parametrize("step", [1e-6, 0.05, 0.7, 20.0])
@pytest.mark.parametrize("name", TERMS)
def test_prox_leaves_a_subgradient(name, step):
    for seed in range(6):
        V = points(seed)
        assert_subgradient(term(name), V, term(name).prox(V, step), step, rtol=1e-13 / step + 1e-10)


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("name", ROWS)
def test_row_prox_leaves_a_subgradient_in_any_metric(name, steps):
    for seed in range(6):
        for scale in (1e-3, 1.0, 1e3):
            V = scale * points(seed)
            # A step of 1e-6 takes V to about V / 1e-6: only so many digits of the difference are left.
            rtol = 1e-10 + 1e-14 * np.abs(V).max() / STEPS[steps].min()
            assert_subgradient(term(name), V, term(name).prox(V, STEPS[steps]), STEPS[steps], rtol)


@pytest.mark.parametrize("name", ROWS)
def test_equal_steps_are_one_step(name):
    V = points(0)
    assert_allclose(term(name).prox(V, 0.7), term(name).prox(V, STEPS["equal"]), rtol=1e-12)
    assert_allclose(term(name).prox(V, 0.7), term(name).prox(V, STEPS["nearly_equal"]), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", TERMS)
@cases.law(max_examples=10)
@given(seeds=st.tuples(st.integers(0, 1000), st.integers(0, 1000)), distance=st.sampled_from([1e-6, 1e-2, 1.0]))
def test_prox_is_firmly_nonexpansive(name, seeds, distance):
    V = points(seeds[0])
    other = V + distance * points(seeds[1])
    steps = STEPS["unequal"] if name in ROWS else 0.7
    change = term(name).prox(V, steps) - term(name).prox(other, steps)
    # In the metric of the steps.
    inner = np.sum(change * (V - other) / steps)
    assert np.sum(change**2 / steps) <= inner + 1e-13 * distance


@pytest.mark.parametrize("name", TERMS)
def test_prox_does_not_write_to_its_input(name):
    V = points(0)
    kept = V.copy()
    term(name).prox(V, 0.7)
    assert_array_equal(V, kept)


@pytest.mark.parametrize("name", TERMS)
def test_prox_of_zero_is_zero(name):
    assert_array_equal(term(name).prox(np.zeros((D, T)), 0.7), 0)


# Those that say something about two tasks already.
ANY_SHAPE = [n for n in TERMS if n not in ("dirty_inf_fractional", "dirty_2", "learned_clusters_no_mean")]


@pytest.mark.parametrize("shape", [(1, 4), (4, 1), (2, 7), (9, 2), (3, 3)])
@pytest.mark.parametrize("name", ANY_SHAPE)
def test_prox_of_any_shape(name, shape):
    """Few or many tasks for the features: the two sides of the singular value decomposition."""
    V = np.random.default_rng(0).standard_normal(shape)
    for f in cases.PENALTIES[name].build(*shape).resolve(shape[0], np.arange(shape[1])).terms:
        assert_subgradient(f, V, f.prox(V, 0.7), 0.7)


# Those that are no norm and a square at once, and have no fixed bounds.
MIXED = {"l3_feature_weights", "linf_positive_weights", "l2_groups_weights", "box_alone", "l1_by_task"}
HOMOGENEOUS = [n for n in TERMS if n not in MIXED]


# Steps of 1e-8 and values of 1e8: what raw data give.
@pytest.mark.parametrize("scale", [1e-8, 1e8])
@pytest.mark.parametrize("name", HOMOGENEOUS)
def test_prox_scales_with_the_data(name, scale):
    """Norms: prox of s V at step s is s times the prox. Penalties of degree 2: at the same step."""
    V, f = points(0), term(name)
    step = 0.7 * scale if f.is_norm else 0.7
    assert_allclose(f.prox(scale * V, step), scale * f.prox(V, 0.7), rtol=1e-9, atol=1e-11 * scale)
    assert_allclose(f.value(scale * V), scale ** (1 if f.is_norm else 2) * f.value(V), rtol=1e-10)


@pytest.mark.parametrize("scale", [1e-8, 1e8])
@pytest.mark.parametrize("name", TERMS)
def test_prox_scales_with_the_step(name, scale):
    """The prox with step s of Omega is that with step 1 of s Omega."""
    V, f = points(0), term(name)
    assert_allclose(
        f.prox(V * scale, scale * STEPS["unequal"] if name in ROWS else scale),
        f.scaled(scale).prox(V * scale, STEPS["unequal"] if name in ROWS else 1.0),
        rtol=1e-9,
        atol=1e-11 * scale,
    )


@pytest.mark.parametrize("task", range(T))
@pytest.mark.parametrize("name", ALONE)
def test_prox_keeps_nan(name, task):
    V = points(0)
    V[1, task] = np.nan
    P = term(name).prox(V, STEPS["unequal"])
    assert np.isnan(P[1]).any()
    others = np.arange(D) != 1
    assert_array_equal(P[others], term(name).prox(points(0), STEPS["unequal"])[others])


# --------------------------------------------------------------------------- dual norm, conjugate


def balanced(Z, name):
    """Z without its share in what the penalty leaves free, where its dual norm is infinite."""
    free = term(name).free_tasks(T)
    return Z - (Z @ free) @ free.T


@pytest.mark.parametrize("name", NORMS)
@cases.law(max_examples=10)
@given(seeds=st.tuples(st.integers(0, 1000), st.integers(0, 1000)))
def test_dual_norm_is_a_support_function(name, seeds):
    f, W, Z = term(name), points(seeds[0]), balanced(points(seeds[1]), name)
    assert np.sum(W * Z) <= f.value(W) * f.dual_norm(Z) * (1 + 1e-12)
    assert_allclose(f.dual_norm(3 * Z), 3 * f.dual_norm(Z))


@pytest.mark.parametrize("name", NORMS)
def test_dual_norm_is_where_the_prox_reaches_zero(name):
    for seed in range(3):
        f, Z = term(name), balanced(points(seed), name)
        unit = Z / f.dual_norm(Z)
        assert_allclose(f.prox(unit * (1 - 1e-9), 1.0), 0, atol=0 if not f.free_tasks(T).size else 1e-14)
        just_outside = f.prox(unit * (1 + 1e-6), 1.0)
        assert np.any(just_outside)
        # It points to where the supremum of <W, Z> over Omega(W) <= 1 is attained.
        assert_allclose(np.sum(just_outside * unit), f.value(just_outside), rtol=1e-4)


@pytest.mark.parametrize("name", ROW_NORMS)
def test_dual_norm_from_the_prox_is_the_formula(name):
    for seed in range(3):
        Z = balanced(points(seed), name)
        assert_allclose(RowPenalty.dual_norm(term(name), Z), term(name).dual_norm(Z), rtol=1e-9)
    assert RowPenalty.dual_norm(term(name), np.zeros((D, T))) == term(name).dual_norm(np.zeros((D, T))) == 0


@pytest.mark.parametrize(
    "scales", [[1e-18, 1e-3, 1e5, 1, 1e-20], [1e5, 1, 1e-3, 1e-18, 1e-20], [1e-18] * 5, [1e18] * 5]
)
@pytest.mark.parametrize("name", ROW_NORMS)
def test_dual_norm_of_rows_of_very_different_size(name, scales):
    """It is that of the row with the largest, in any order and for any strength."""
    Z = balanced(points(0), name) * np.array(scales)[:, None]
    own = max(term(name).restrict([j]).dual_norm(Z[j : j + 1]) for j in range(D))
    assert_allclose(term(name).dual_norm(Z), own)
    for factor in (1e-12, 1e12):
        assert_allclose(RowPenalty.dual_norm(term(name).scaled(factor), Z), own / factor)


@pytest.mark.parametrize("name", ROW_NORMS)
def test_dual_norm_of_nan_is_nan(name):
    for entry in ((0, 0), (1, 2), (D - 1, T - 1)):
        Z = points(0)
        Z[entry] = np.nan
        with np.errstate(invalid="ignore"):
            assert np.isnan(term(name).dual_norm(Z))


@pytest.mark.parametrize("l1_ratio", [0.0, 1e-12, 0.3, 0.5, np.sqrt(0.5), 0.9, 1 - 1e-12, 1.0])
def test_dual_norm_of_the_sparse_group(l1_ratio):
    penalty = SparseGroup(0.5, l1_ratio)
    for seed in range(6):
        Z = points(seed)
        s = penalty.dual_norm(Z)
        soft = np.maximum(np.abs(Z) - 0.5 * s * l1_ratio, 0)
        assert_allclose(np.linalg.norm(soft, axis=1).max(), 0.5 * s * (1 - l1_ratio), atol=1e-10)


@pytest.mark.parametrize("g", [1e-3, 1e-6, 1e-8, 1e-10, 1e-12, 1e-15])
def test_dual_norm_of_the_sparse_group_near_ties(g):
    """By brentq in the share that is left, s = largest / (1 - g) (1 - x): no digit is cancelled where entries tie."""
    rng, penalty = np.random.default_rng(0), SparseGroup(1.0, 1 - g)
    g = 1 - penalty.l1_ratio
    for gap in (0.0, 1e-16, 1e-13, 1e-9, 1e-7, 1e-4, 0.1):
        for _ in range(20):
            below = np.sort(np.append(gap * np.abs(rng.standard_normal(T - 1)), 0.0))
            z = 1.0 - below
            below = 1.0 - z
            # With s (1 - g) = 1 - x: norm_2((x - below)_+) = (1 - x) g / (1 - g).
            x = brentq(lambda x: np.linalg.norm(np.maximum(x - below, 0)) - (1 - x) * g / (1 - g), 0, 1, xtol=1e-18)  # noqa: B023
            s = penalty.dual_norm(z[None])
            assert_allclose(s, (1 - x) / (1 - g), rtol=4e-15)


WIDE = [(0, 1, 1e-8), (1, 2, 1e8)]
FREE = {
    "tree": (TreeGuided([([0], 1e-8), ([2, 3], 1e8)]), 1),
    "time": (Temporal(1e-8), 1),
    "time with entries": (Temporal(1e8, alpha_sparse=1e-8), 0),
    "clusters": (LearnedClusters(2, 0.0, 1e-8, 1e8), 1),
    "clusters with a mean": (LearnedClusters(2, 1e-8, 1e-8, 1e8), 0),
    "complete graph": (GraphGuided(None), 1),
    "graph in two pieces": (GraphGuided(WIDE), 2),
    "graph without edges": (GraphGuided([]), 4),
    "signs that agree": (GraphGuided([*WIDE, (0, 2, 1e-8), (2, 3, 1.0, -1)]), 1),
    "signs that do not": (GraphGuided([(0, 1, 1e-8, -1), (1, 2, 1e8), (0, 2, 1.0)]), 1),
    "graph with entries": (GraphGuided(WIDE, alpha_sparse=1e-8), 0),
}


@pytest.mark.parametrize("name", FREE)
def test_free_directions_do_not_depend_on_sizes(name):
    """As many as the graph says, orthonormal, exactly without a value, whatever else W has."""
    penalty, count = FREE[name]
    free = penalty.bind(np.arange(T)).free_tasks(T) @ np.eye(count)
    assert free.shape == (T, count)
    assert_allclose(free.T @ free, np.eye(count), atol=1e-15)
    W = np.random.default_rng(0).standard_normal((D, T))
    moved = W + np.random.default_rng(1).standard_normal((D, count)) @ free.T
    assert_allclose(penalty.value(moved), penalty.value(W), rtol=1e-13)
    assert_allclose(penalty.value(free.T), 0, atol=1e-20)


# Strengths at the ends of their ranges, tied and graded weights: where closed forms of dual norms lose digits.
EXTREME = {
    **{f"sparse_group_{g:g}": SparseGroup(0.7, 1 - g) for g in (1e-14, 1e-9, 1e-7, 1e-3)},
    **{f"sparse_group_{r:g}": SparseGroup(0.7, r) for r in (1e-14, 1e-7, 0.999999)},
    **{f"dirty_{q}_{r:g}": DirtyNorm(r, 1.0, q) for q in (2, np.inf) for r in (1.0, 1 + 1e-9, 1.4, 2 - 1e-12)},
    **{f"rows_{q:g}": RowNorm(0.7, q) for q in (1 + 1e-12, 1.01, 2, 3, 1e6, np.inf)},
    "tree": TreeGuided([([0], 1e-8), ([1], 1.0), ([2, 3], 1e8), ([0, 1, 2, 3], 1e-3)]),
    "time": Temporal(1.0, alpha_sparse=1e-8, alpha_group=1e-4),
    "time_sparse": Temporal(1e-8, alpha_sparse=1.0),
    "graph": GraphGuided([(0, 1, 1e-8), (1, 2, 1e8), (2, 3, 1.0, -1)], alpha_sparse=1e-3),
    "graph_strong": GraphGuided([(0, 1, 1e8), (1, 2, 1e8, -1), (0, 2, 1e-8)], alpha_sparse=1.0),
    "trace": TraceNorm(0.7),
    "tasks": TaskNorm(0.7),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", EXTREME)
def test_dual_norm_is_never_too_small(name, kind):
    """<W, Z> <= Omega(W) dual_norm(Z) for any W, those that prox and signs make of Z included."""
    penalty, rng = EXTREME[name].bind(np.arange(T)), np.random.default_rng(0)
    rows = hostile_rows(rng, kind, 12)
    # One row at a time, so that none is hidden behind another.
    for Z in rows[:, None, :]:
        s = penalty.dual_norm(Z)
        assert 0 < s < np.inf
        unit = Z / s
        tried = [np.sign(Z), unit, *rng.standard_normal((3, 1, T)), *np.eye(T)[:, None, :] * np.sign(Z)]
        tried += [np.sign(Z) * (np.abs(Z) >= size) for size in np.abs(Z)[0]]
        tried += [penalty.prox(unit * factor, 1.0) for factor in (1 + 1e-9, 1 + 1e-3, 2.0, 100.0)]
        for W in tried:
            assert np.sum(W * unit) <= penalty.value(W) * (1 + 1e-9)


@pytest.mark.parametrize("name", TERMS)
@cases.law(max_examples=10)
@given(seeds=st.tuples(st.integers(0, 1000), st.integers(0, 1000)))
def test_fenchel_inequality(name, seeds):
    f, W, Z = term(name), points(seeds[0]), points(seeds[1])
    if f.is_norm:
        Z = Z / f.dual_norm(Z)
    Z = Z - (Z @ f.free_tasks(T)) @ f.free_tasks(T).T
    conjugate = f.conjugate(Z)
    assert f.value(W) + conjugate - np.sum(W * Z) >= -1e-10 * (f.value(W) + conjugate)


@pytest.mark.parametrize("name", [n for n in TERMS if n not in NORMS])
def test_conjugate_is_the_supremum(name):
    """sup over W of <W, Z> - Omega(W), by cvxpy."""
    import cvxpy as cp

    f, Z = term(name), points(0)
    Z = f.dual_part(Z - (Z @ f.free_tasks(T)) @ f.free_tasks(T).T)
    W = cp.Variable(Z.shape)
    expression, rules = f.expression(W, cp)
    program = cp.Problem(cp.Minimize(expression - cp.sum(cp.multiply(W, Z))), rules)
    assert_allclose(f.conjugate(Z), -least(program), rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("name", NORMS)
def test_conjugate_of_a_norm(name):
    f, Z = term(name), points(0)
    unit = Z / f.dual_norm(Z)
    assert f.conjugate(0.999 * unit) == 0
    assert f.conjugate(1.001 * unit) == np.inf


@pytest.mark.parametrize("name", COUPLINGS)
def test_coupling_is_a_positive_semidefinite_matrix(name):
    M = built(name).matrix(T)
    assert_array_equal(M, M.T)
    assert np.linalg.eigvalsh(M)[0] >= -1e-15


# ----------------------------------------------------------------------------------- the dirty norm


@pytest.mark.parametrize("q", [2, np.inf])
@pytest.mark.parametrize("block", [0.5, 1.0, 1.3, 2.0, 2.5, 4.0, 6.0])
def test_dirty_split_attains_the_minimum(block, q):
    """In and outside the range in which both parts are of use, whole and fractional ratios."""
    penalty = DirtyNorm(block, 1.0, q)
    for seed in range(3):
        W = points(seed)
        B, S = penalty.split(W)
        assert_allclose(B + S, W, atol=1e-15)
        attained = block * np.linalg.norm(B, ord=q, axis=1).sum() + np.abs(S).sum()
        assert_allclose(attained, value_by_cvxpy(penalty, W), rtol=1e-6)
        assert_allclose(penalty.value(W), attained, rtol=1e-12)


@pytest.mark.parametrize("T", [1, 2, 5])
@pytest.mark.parametrize("q", [2, np.inf])
def test_dirty_norm_for_any_number_of_tasks(q, T):
    penalty = DirtyNorm(1.2, 1.0, q)
    V = np.random.default_rng(0).standard_normal((6, T))
    for steps in (np.ones(T), np.geomspace(1e-3, 1, T)):
        assert_subgradient(penalty, V, penalty.prox(V, steps), steps)


# ------------------------------------------------------------------------------- the spectral boxes


@pytest.mark.parametrize("low, high, total", [(0.0, np.inf, 1.0), (0.1, 2.0, 3.0), (0.5, 0.5, 2.0), (0.0, 1.0, 2.0)])
@pytest.mark.parametrize("rank", [0, 1, 2, 4])
def test_spectral_box_of_any_rank(low, high, total, rank):
    rng = np.random.default_rng(rank)
    W = rng.standard_normal((D, rank)) @ rng.standard_normal((rank, T))
    penalty = SpectralBox(0.3, low, high, total)
    Sigma = penalty.covariance(W)
    values = np.linalg.eigvalsh(Sigma)
    assert values[0] >= low - 1e-12 and values[-1] <= high + 1e-12
    assert_allclose(np.trace(Sigma), total)
    # Sigma attains the minimum that defines the value.
    assert_allclose(penalty.value(W), 0.3 * np.trace(W @ np.linalg.pinv(Sigma, rcond=1e-9) @ W.T), atol=1e-12)
    assert_subgradient(penalty, W, penalty.prox(W, 0.7), 0.7)


def test_box_without_bounds_is_the_squared_trace_norm():
    W = points(0)
    assert_allclose(SpectralBox(0.3).value(W), SquaredTraceNorm(0.6).value(W))
    assert_allclose(SpectralBox(0.3).prox(W, 0.7), SquaredTraceNorm(0.6).prox(W, 0.7), atol=1e-12)
    assert_allclose(SpectralBox(0.3).conjugate(W), SquaredTraceNorm(0.6).conjugate(W))


@pytest.mark.parametrize("q", QS)
def test_row_norm_for_every_q(q):
    """x is the prox of v iff z = (v - x) / step is in the dual ball and attains <x, z> = Omega(x): to rounding of v."""
    rng = np.random.default_rng(0)
    penalty = RowNorm(1.0, q)
    for kind in KINDS:
        for steps in (np.full(T, 0.7), np.exp(rng.uniform(-4, 4, T))):
            V = hostile_rows(rng, kind, 40)
            each = np.array([[penalty.dual_norm(v[None] / steps)] for v in V])
            assert not penalty.prox(V / each * (1 - 1e-9), steps).any()
            # Just beyond the dual ball, and far.
            V = V / each / rng.choice([1e-6, 0.1, 0.5, 0.9, 1 - 1e-9], size=(40, 1))
            X = penalty.prox(V, steps)
            Z = (V - X) / steps
            rounding = 2e-14 * np.array([penalty.dual_norm(v[None] / steps) for v in V])
            values = np.array([penalty.value(x[None]) for x in X])
            assert np.all(np.array([penalty.dual_norm(z[None]) for z in Z]) <= 1 + rounding)
            assert np.all(np.abs(np.sum(X * Z, axis=1) - values) <= rounding * values)
            assert np.all((X * V >= 0) & (np.abs(X) <= np.abs(V))) and X.any(axis=1).all()


@pytest.mark.parametrize("q", [1 + 1e-9, 1 + 1e-3, 1.01, 1.2, 1.7, 2.5, 3, 5, 20, 300])
def test_row_norm_by_bisection(q):
    """Equal steps: sum_t u_t(r)^q = 1, each u_t the root of r u + k u^(q-1) = v_t, both by brentq in logarithms."""
    v, k = np.array([1.0, 0.8, 0.3, 1e-3]), 0.25

    def root(a, r):
        return brentq(
            lambda log_u: np.logaddexp(np.log(r) + log_u, np.log(k) + (q - 1) * log_u) - np.log(a), -1e13, 1e3
        )

    def excess(log_r):
        return logsumexp([q * root(a, np.exp(log_r)) for a in v])

    r = np.exp(brentq(excess, -12, 3, xtol=1e-13, rtol=1e-14))
    expected = [r * np.exp(root(a, r)) for a in v]
    assert_allclose(RowNorm(k, q).prox(v[None], np.ones(4))[0], expected, rtol=1e-6, atol=1e-12)


# Of which the larger of q and its conjugate less 1 is 2, another whole or half number, any, and too large for powers.
@pytest.mark.parametrize("q", [1.04, 1.1, 1.25, 1.5, 1.7, 1.99, 2.2, 2.5, 3, 4, 6.3, 10, 17.5, 40])
def test_row_norm_meets_its_equation_in_every_entry(q):
    """x_t + step_t (x_t / norm_q(x))^(q-1) = v_t, far from zero and close to it, to rounding of each v_t."""
    rng = np.random.default_rng(0)
    for steps in (np.full(30, 0.7), np.exp(rng.uniform(-4, 4, 30))):
        V = np.abs(rng.standard_normal((40, 30))) * 10.0 ** rng.uniform(-4, 0, (40, 30))
        V /= RowNorm(1.0, q).dual_norms((V / steps)[:, None, :])[:, None] * rng.choice([1e-3, 0.5, 0.99], size=(40, 1))
        X = RowNorm(1.0, q).prox(V, steps)
        again = X + steps * (X / row_norms(X, q)[:, None]) ** (q - 1)
        assert_allclose(again, V, rtol=1e-14 * max(q, q / (q - 1)))


@pytest.mark.parametrize("q", QS)
def test_row_norm_and_its_dual_for_every_q(q):
    """Of a unit vector and of equal entries, T^(1/q) and T^(1 - 1/q); norms fall with q; Hoelder is attained."""
    f, ones = RowNorm(0.5, q), np.ones((1, T))
    for size in (1e-310, 1e-200, 1.0, 1e200):
        assert_allclose([f.value(size * ones), f.value(size * ones[:, :1])], [0.5 * size * T ** (1 / q), 0.5 * size])
        assert_allclose(f.dual_norm(size * ones), size * T ** (1 - 1 / q) / 0.5)
    assert_allclose(f.excess(ones * 3), 3 * T ** (1 - 1 / q) - 0.5)
    rng = np.random.default_rng(1)
    for kind in KINDS:
        for w, z in zip(hostile_rows(rng, kind, 20), rng.standard_normal((20, T)), strict=True):
            assert w @ z <= f.value(w[None]) * f.dual_norm(z[None]) * (1 + 1e-14)


def test_row_norm_with_q_close_to_its_ends():
    """The general prox meets the closed forms."""
    V, steps = points(0), STEPS["unequal"]
    for q, end in ((1 + 1e-6, 1), (2 + 1e-9, 2), (2 - 1e-9, 2), (1e6, np.inf)):
        assert_allclose(RowNorm(0.5, q).prox(V, steps), RowNorm(0.5, end).prox(V, steps), atol=1e-4)


@pytest.mark.parametrize(
    "name", ["trace", "squared_trace", "box", "tensor", "task_norm", "task_norm_by_task+l1", "rising"]
)
def test_slopes_are_those_of_the_prox(name):
    """In closed form, beside differences."""
    canonical, rng = built(name, 6).resolve(6, np.arange(T)), np.random.default_rng(0)
    term = next(term for group in canonical.groups for term in group if not term.by_rows)
    some = [rng.standard_normal((6, T)), np.outer(np.arange(6.0), np.ones(T)) + 0.1]
    # (Of a rank below the box's there is no derivative: what is left of its trace goes to whatever is nudged.)
    for V in some[:1] if name == "box" else some:
        found = term.slopes(V, 0.3)
        assert_allclose(found, Penalty.slopes(term, V, 0.3), atol=1e-6)
        assert found.any()
        assert_allclose(found, found.T, atol=1e-12)
