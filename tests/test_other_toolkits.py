"""MALSAR and RMTL: at our solutions their objectives, as their code has them, are at their minimum.

The calls are those of docs/guide/malsar_and_rmtl.md, read from its tables. The objectives are written here from the
formulas, once for numpy and cvxpy alike.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cases
import numpy as np
import pytest
from numpy.testing import assert_allclose

import convexmtl as cm
from convexmtl.textbook import best_of_attempts

PAGE = (Path(__file__).parents[1] / "docs" / "guide" / "malsar_and_rmtl.md").read_text()
SIZES, D = np.array([9, 14, 20, 11]), 8
T = len(SIZES)
TASK = np.repeat(np.arange(T), SIZES)
TOL = 1e-9

# ------------------------------------------------------------------- the formulas and what they are made of


class Numpy:
    """Functions of arrays."""

    entries = staticmethod(lambda A: np.sum(np.abs(A)))
    squares = staticmethod(lambda A: np.sum(A**2))
    rows = staticmethod(lambda A: np.sum(np.sqrt(np.sum(A**2, axis=1))))
    largest_of_rows = staticmethod(lambda A: np.sum(np.max(np.abs(A), axis=1)))
    trace_norm = staticmethod(lambda A: np.sum(np.linalg.svd(A, compute_uv=False)))
    fraction = staticmethod(lambda A, B: np.sum(A * np.linalg.solve(B, A)))
    logistic = staticmethod(lambda z: np.sum(np.logaddexp(0, z)))
    times = staticmethod(np.multiply)


class Cvxpy:
    """The same of cvxpy's expressions."""

    def __init__(self, cp):
        self.entries = lambda A: cp.sum(cp.abs(A))
        self.squares = cp.sum_squares
        self.rows = lambda A: cp.sum(cp.norm(A, 2, axis=1))
        self.largest_of_rows = lambda A: cp.sum(cp.norm(A, "inf", axis=1))
        self.trace_norm = cp.normNuc
        self.fraction = cp.matrix_frac
        self.logistic = lambda z: cp.sum(cp.logistic(z))
        self.times = cp.multiply


# Of one task, with predictions z.


def half(f, y, z):
    return f.squares(y - z) / 2


def whole(f, y, z):
    return f.squares(y - z)


def mean(f, y, z):
    return f.squares(y - z) / (2 * len(y))


def mean_logistic(f, y, z):
    return f.logistic(f.times(-y, z)) / len(y)


# Of W or its parts, and of the values of the arguments.


def lasso(f, W, rho1, rho_L2):
    return rho1 * f.entries(W) + rho_L2 * f.squares(W)


def joint_features(f, W, rho1, rho_L2):
    return rho1 * f.rows(W) + rho_L2 * f.squares(W)


def low_rank(f, W, rho1, rho_L2):
    return rho1 * f.trace_norm(W) + rho_L2 * f.squares(W)


def sources(f, W, z, lambda_max):
    return z * lambda_max * f.rows(W)


def dirty(f, P, Q, lambda1, lambda2):
    return lambda1 * f.largest_of_rows(P) + lambda2 * f.entries(Q)


def structure(f, W, R, rho1, rho2, rho_L2):
    return rho1 * f.squares(W @ R) + rho2 * f.entries(W) + rho_L2 * f.squares(W)


def graph(f, W, G, Lam1, Lam2):
    return Lam1 * f.squares(W @ G) + Lam2 * f.squares(W)


def sparse_and_bounded(f, P, Q, gamma, alpha):
    return gamma * f.entries(P)


def relaxed(f, W, M, rho1, rho2, k):
    eta = rho2 / rho1
    return rho1 * eta * (1 + eta) * f.fraction(W.T if M.shape[0] == T else W, eta * np.eye(M.shape[0]) + M)


def robust_low_rank(f, L, S, rho1, rho2):
    return rho1 * f.trace_norm(L) + rho2 * f.rows(S.T)


def robust_features(f, P, Q, lambda1, lambda2):
    return lambda1 * f.rows(P) + lambda2 * f.rows(Q.T)


STEPS = np.eye(T)[:, :-1] - np.eye(T)[:, 1:]  # W @ STEPS: what each task differs from the next


def temporal(f, W, rho1, rho2, rho3):
    return rho1 * f.squares(W) + rho2 * f.squares(W @ STEPS) + rho3 * f.rows(W)


def fused(f, W, rho1, rho2, rho3=0.0):
    return rho1 * f.entries(W) + rho2 * f.entries(W @ STEPS) + rho3 * f.rows(W)


# ------------------------------------------------------------------------------------- data and functions


@cache
def blocks(classification=False, missing=False):
    """[(X_t, y_t)], as the toolkits take them; tasks may lack some features, which are zero then."""
    rng = np.random.default_rng(7)
    W = cases.true_coefficients(rng, D, T)
    draw = cases.sign_targets if classification else cases.real_targets
    out = []
    for t, n in enumerate(SIZES):
        X = cases.features(rng, n, D) * present(missing)[:, t]
        out.append((X, draw(X @ W[:, t] + 0.4 * t, rng)))
    return out


def present(missing):
    """(D, T): which task has which feature."""
    mask = np.ones((D, T))
    if missing:
        mask[:3, 0] = mask[5:, 2] = 0.0
    return mask


def lambda_max(classification):
    """What MALSAR multiplies the strength of its iMSF functions by."""
    slopes = []
    for X, y in blocks(classification, missing=True):
        share = np.mean(y == 1)
        slopes.append(X.T @ (np.where(y == 1, 1 - share, -share) / len(y)) if classification else X.T @ y)
    return np.sqrt(np.sum(np.square(slopes), axis=0)).max()


@dataclass(frozen=True)
class Case:
    """A function of a toolkit and values of its arguments, by their names on the page.

    Its penalty takes ``parts``, attributes of our estimator that sum to W, and then the values. ``side``: of W, T or D,
    the side on which the penalty has a matrix M to minimise over. ``bounded``: the trace norm of the last part has a
    bound. ``missing``: tasks lack some features.
    """

    loss: Callable
    penalty: Callable
    values: dict
    parts: tuple = ("coef_",)
    side: int = 0
    bounded: bool = False
    missing: bool = False

    @property
    def data(self):
        return blocks(self.loss is mean_logistic, self.missing)

    @property
    def intercept(self):
        return self.loss in (mean, mean_logistic)


R = np.array([[1.0, 0, 0.5], [-1, 1, 0], [0, -1, 0], [0, 0, -0.5]])
SPARSE, ROBUST, SHARED = ("sparse_", "low_rank_"), ("low_rank_", "outlier_"), ("shared_", "outlier_")
DIRTY = ("block_", "sparse_")

CASES = {
    "Least_Lasso": Case(half, lasso, dict(rho1=5.0, rho_L2=0.8)),
    "Logistic_Lasso": Case(mean_logistic, lasso, dict(rho1=0.05, rho_L2=0.02)),
    "Least_L21": Case(half, joint_features, dict(rho1=12.0, rho_L2=0.8)),
    "Logistic_L21": Case(mean_logistic, joint_features, dict(rho1=0.1, rho_L2=0.02)),
    "Least_iMSF": Case(half, sources, dict(z=0.2, lambda_max=lambda_max(False)), missing=True),
    "Logistic_iMSF": Case(mean_logistic, sources, dict(z=0.3, lambda_max=lambda_max(True)), missing=True),
    "Least_Dirty": Case(whole, dirty, dict(lambda1=25.0, lambda2=12.0), DIRTY),
    "Logistic_Dirty": Case(mean_logistic, dirty, dict(lambda1=0.1, lambda2=0.05), DIRTY),
    "Least_SRMTL": Case(half, structure, dict(R=R, rho1=2.0, rho2=4.0, rho_L2=0.5)),
    "Logistic_SRMTL": Case(mean_logistic, structure, dict(R=R, rho1=0.05, rho2=0.04, rho_L2=0.02)),
    "Least_Trace": Case(half, low_rank, dict(rho1=15.0, rho_L2=0.8)),
    "Logistic_Trace": Case(mean_logistic, low_rank, dict(rho1=0.3, rho_L2=0.02)),
    "Least_SparseTrace": Case(whole, sparse_and_bounded, dict(gamma=9.0, alpha=25.0), SPARSE, bounded=True),
    "Least_CMTL": Case(half, relaxed, dict(rho1=9.0, rho2=2.7, k=2), side=T),
    "Logistic_CMTL": Case(mean_logistic, relaxed, dict(rho1=0.1, rho2=0.03, k=2), side=T),
    "Least_CASO": Case(half, relaxed, dict(rho1=9.0, rho2=2.7, k=2), side=D),
    "Logistic_CASO": Case(mean_logistic, relaxed, dict(rho1=0.1, rho2=0.03, k=2), side=D),
    "Least_RMTL": Case(whole, robust_low_rank, dict(rho1=30.0, rho2=25.0), ROBUST),
    "Least_rMTFL": Case(whole, robust_features, dict(lambda1=25.0, lambda2=25.0), SHARED),
    "Logistic_rMTFL": Case(mean_logistic, robust_features, dict(lambda1=0.1, lambda2=0.12), SHARED),
    "Logistic_rMTL": Case(mean_logistic, robust_features, dict(lambda1=0.1, lambda2=0.12), SHARED),
    "Least_TGL": Case(half, temporal, dict(rho1=0.8, rho2=2.0, rho3=8.0)),
    "Logistic_TGL": Case(mean_logistic, temporal, dict(rho1=0.02, rho2=0.05, rho3=0.08)),
    "Least_CFGLasso": Case(half, fused, dict(rho1=2.0, rho2=3.0, rho3=4.0)),
    "Logistic_CFGLasso": Case(mean_logistic, fused, dict(rho1=0.02, rho2=0.03, rho3=0.04)),
    "Least_FGLasso": Case(half, fused, dict(rho1=2.0, rho2=3.0)),
    "Regression Lasso": Case(mean, lasso, dict(Lam1=0.3, Lam2=0.1)),
    "Classification Lasso": Case(mean_logistic, lasso, dict(Lam1=0.05, Lam2=0.02)),
    "Regression L21": Case(mean, joint_features, dict(Lam1=0.6, Lam2=0.1)),
    "Classification L21": Case(mean_logistic, joint_features, dict(Lam1=0.1, Lam2=0.02)),
    "Regression Trace": Case(mean, low_rank, dict(Lam1=0.8, Lam2=0.1)),
    "Classification Trace": Case(mean_logistic, low_rank, dict(Lam1=0.3, Lam2=0.02)),
    "Regression Graph": Case(mean, graph, dict(G=R, Lam1=0.4, Lam2=0.1)),
    "Classification Graph": Case(mean_logistic, graph, dict(G=R, Lam1=0.05, Lam2=0.02)),
    "Regression CMTL": Case(mean, relaxed, dict(Lam1=0.4, Lam2=0.1, k=2), side=T),
    "Classification CMTL": Case(mean_logistic, relaxed, dict(Lam1=0.1, Lam2=0.03, k=2), side=T),
}
every_function = pytest.mark.parametrize("name", CASES)

# ------------------------------------------------------------------------------------------------ the page


def page_calls():
    """{function: our call} of the tables, for regressors as they are written."""
    calls = {}
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and "(" in cells[2]:
            for name in re.findall(r"`([^`]+)`", cells[0]):
                names = [f"{kind} {name[1:-1]}" for kind in ("Regression", "Classification")] if '"' in name else [name]
                calls |= dict.fromkeys(names, cells[2].strip("`"))
    return calls


def page_options():
    """``half`` and ``whole`` as the page defines them."""
    options = {}
    for line in re.findall(r"^(?:half|whole) = .*$", PAGE, re.M):
        exec(line, {"n": SIZES}, options)
    return options


def estimator(name, values, tol=TOL):
    """The page's call with these values of the arguments."""
    call, options = page_calls()[name], page_options()
    if CASES[name].loss is mean_logistic:
        call, options = call.replace("Regressor(", "Classifier("), {option: {} for option in options}
    first, second = [*values.values()][:2]
    derived = {"T": T, "np": np} | ({"eta": second / first} if CASES[name].side else {})
    return eval(call, {n: getattr(cm, n) for n in cm.__all__} | options | derived | values).set_params(tol=tol)


def test_every_call_of_the_page_has_a_case():
    assert page_calls().keys() == CASES.keys()


# ------------------------------------------------------------------------------------ objectives at a point


@dataclass
class Point:
    """The parts of W, the intercepts, and M where there is one."""

    parts: list
    b: np.ndarray
    M: list


def objective(f, case, point):
    """What the toolkit minimises, made of the functions of f."""
    W = sum(point.parts)
    loss = sum(case.loss(f, y, X @ W[:, t] + point.b[t]) for t, (X, y) in enumerate(case.data))
    return loss + case.penalty(f, *point.parts, *point.M, *case.values.values())


def best_relation(case, W):
    """M for this W: its eigenvalues are clip(mu s - eta, 0, 1) with the sum k, s the singular values of W."""
    rho1, rho2, k = case.values.values()
    squares, vectors = np.linalg.eigh(W.T @ W if case.side == T else W @ W.T)
    s = np.sqrt(np.maximum(squares, 0))
    low, high = 0.0, (1 + rho2 / rho1) / s.max() * 1e6
    for _ in range(200):
        mu = (low + high) / 2
        shares = np.clip(mu * s - rho2 / rho1, 0, 1)
        low, high = (mu, high) if shares.sum() < k else (low, mu)
    return (vectors * shares) @ vectors.T


@cache
def solution(name, tol=TOL, **changed):
    """Where the page's call ends, some arguments at other values, as a Point of the toolkit's objective."""
    case = CASES[name]
    X, y = (np.concatenate(arrays) for arrays in zip(*case.data, strict=True))
    fitted = estimator(name, case.values | changed, tol).fit(X, y, task=TASK)
    parts = [getattr(fitted, part).T for part in case.parts]
    M = [best_relation(case, sum(parts))] if case.side else []
    return Point(parts, fitted.intercept_, M)


def bound(name):
    """The tau of which our strength is the multiplier."""
    return Numpy.trace_norm(solution(name).parts[-1])


def feasible(name, point):
    """The point, or one near it that is allowed."""
    case = CASES[name]
    parts = [part * present(case.missing) for part in point.parts]
    if case.bounded:
        parts[-1] = parts[-1] * (bound(name) / max(bound(name), Numpy.trace_norm(parts[-1])))
    return Point(parts, point.b * case.intercept, point.M)


def scale(case):
    """The objective without coefficients, which the tolerance of a fit is relative to."""
    empty = [np.zeros((D, T))] * len(case.parts)
    return objective(Numpy, case, Point(empty, np.zeros(T), [np.eye(case.side)] * bool(case.side)))


# --------------------------------------------------------------------------------------------------- around


def directions(A, rng):
    """Ways to leave A: at random, on a part of it, towards zero, towards what penalties like."""
    j, t = rng.integers(D), rng.integers(T)
    dense = rng.standard_normal(A.shape)
    row, column = np.eye(D)[:, [j]], np.eye(T)[[t]]
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    r = rng.integers(len(s))
    yield from (dense, dense * row, dense * column, row * column, dense * (rng.random(A.shape) < 0.2))
    yield from (dense * (A != 0), dense * (A == 0), np.outer(dense[:, t], dense[j]), U[:, [r]] @ Vt[[r]], U @ Vt)
    yield from (A, A * row, A * column, A * row * column, np.sign(A), s[r] * U[:, [r]] @ Vt[[r]])
    yield from (A - A.mean(axis=1, keepdims=True), A @ STEPS @ STEPS.T, np.ones_like(A) * row, np.ones_like(A) * column)


SHARES = [sign * 10.0**power for power in range(-5, 1) for sign in (1, -1)]


def around(name):
    """A few hundred points around our solution."""
    rng = np.random.default_rng(3)
    case, here = CASES[name], solution(name)
    length = max(np.linalg.norm(sum(here.parts)), 0.1)
    for i, part in enumerate(here.parts):
        for direction in (direction for _ in range(3) for direction in directions(part, rng)):
            step = direction * (length / max(np.linalg.norm(direction), 1e-12))
            for share in SHARES:
                parts = list(here.parts)
                parts[i] = part + share * step
                yield Point(parts, here.b, here.M)
                if i:
                    # The same W, split in another way.
                    parts[0] = parts[0] - share * step
                    yield Point(parts, here.b, here.M)
    for share in SHARES:
        yield Point(here.parts, here.b + share * rng.standard_normal(T), here.M)
        for M in here.M:
            # Towards another projection, or a mixture of all of them.
            k, side = case.values["k"], case.side
            Q = np.linalg.qr(rng.standard_normal((side, k)))[0]
            for other in (Q @ Q.T, np.eye(side) * k / side):
                yield Point(here.parts, here.b, [M + abs(share) * (other - M)])


@every_function
def test_nothing_around_our_solution_is_lower(name):
    case, here = CASES[name], solution(name)
    ours = objective(Numpy, case, here)
    values = [objective(Numpy, case, feasible(name, point)) for point in around(name)]
    assert len(values) > 500
    assert min(values) >= ours - TOL * scale(case)
    assert case.intercept or not here.b.any()
    # Of a part that is zero this would say little.
    assert all(part.any() for part in here.parts)


@every_function
def test_every_argument_is_where_the_page_puts_it(name):
    """The page's call at a somewhat different value of one argument ends somewhat higher."""
    case = CASES[name]
    ours = objective(Numpy, case, solution(name))
    for argument, value in case.values.items():
        if isinstance(value, np.ndarray):
            continue
        for other in (value - 1, value + 1) if isinstance(value, int) else (0.8 * value, 1.25 * value):
            there = feasible(name, solution(name, 1e-6, **{argument: other}))
            assert objective(Numpy, case, there) > ours + 10 * TOL * scale(case), (argument, other)


@every_function
def test_cvxpy_finds_nothing_lower(name):
    import cvxpy as cp

    case = CASES[name]
    parts = [cp.Variable((D, T)) for _ in case.parts]
    b = cp.Variable(T) if case.intercept else cp.Constant(np.zeros(T))
    M = [cp.Variable((case.side, case.side), symmetric=True)] if case.side else []
    rules = [cp.multiply(part, 1 - present(case.missing)) == 0 for part in parts if case.missing]
    rules += [cp.normNuc(parts[-1]) <= bound(name)] if case.bounded else []
    for matrix in M:
        rules += [matrix >> 0, matrix << np.eye(case.side), cp.trace(matrix) == case.values["k"]]
    program = cp.Problem(cp.Minimize(objective(Cvxpy(cp), case, Point(parts, b, M))), rules)
    ours = objective(Numpy, case, solution(name))

    def found():
        """The objective at what cvxpy found, made feasible."""
        relation = [best_relation(case, sum(part.value for part in parts))] if M else []
        there = feasible(name, Point([part.value for part in parts], b.value, relation))
        value = objective(Numpy, case, there)
        return cases.Least(value, abs(value - program.value))

    asked = best_of_attempts(program, found, 1e-7 * scale(case))
    assert abs(ours - asked.objective) <= 1e-6 * scale(case)
    assert ours <= asked.objective + TOL * scale(case)


@pytest.mark.parametrize("name", ["Least_iMSF", "Logistic_iMSF"])
def test_lambda_max_is_our_alpha_max(name):
    case = CASES[name]
    X, y = (np.concatenate(arrays) for arrays in zip(*case.data, strict=True))
    top = cm.alpha_max(estimator(name, case.values), X, y, task=TASK)
    assert_allclose(top, case.values["lambda_max"], rtol=1e-7)


def test_what_the_notes_call_the_same():
    for kind in ("Least", "Logistic"):
        values = [objective(Numpy, CASES[name], solution(name)) for name in (f"{kind}_CASO", f"{kind}_CMTL")]
        assert_allclose(*values, rtol=1e-7)

    X, y = (np.concatenate(arrays) for arrays in zip(*blocks(), strict=True))
    edges, half = [(0, 1), (0, 2), (1, 3)], page_options()["half"]
    R = np.array([np.eye(T)[s] - np.eye(T)[t] for s, t in edges]).T
    guided = cm.GraphGuidedRegressor(edges, alpha=2.0, norm="l2", alpha_sparse=4.0, tol=TOL, **half)
    near_mean = cm.MeanRegularizedRegressor(alpha_mean=0, alpha_variance=T * 3.0, tol=TOL, **half)
    for same, values in (
        (guided, dict(R=R, rho1=2.0, rho2=4.0, rho_L2=0.0)),
        (near_mean, dict(R=np.eye(T) - 1 / T, rho1=3.0, rho2=0.0, rho_L2=0.0)),
    ):
        own = estimator("Least_SRMTL", values).fit(X, y, task=TASK)
        assert_allclose(same.fit(X, y, task=TASK).objective_, own.objective_, rtol=1e-7)
