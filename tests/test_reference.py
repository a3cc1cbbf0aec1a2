"""Every loss x penalty x layout against cvxpy, which solves the textbook definition."""

from inspect import isclass
from itertools import combinations, product

import cases
import conftest
import numpy as np
import pytest
from cases import assert_agrees
from numpy.testing import assert_allclose
from scipy.optimize import linprog
from sklearn.base import clone

import convexmtl as cm
import convexmtl.estimators
import convexmtl.losses
import convexmtl.penalties
from convexmtl import certify, reference, textbook
from convexmtl.certificate import duality_gap
from convexmtl.data import DataTerm
from convexmtl.penalties import (
    Constraint,
    Coupling,
    DirtyNorm,
    GraphLaplacian,
    NamedParts,
    Penalty,
    RowNorm,
    RowPenalty,
    SpectralPenalty,
    TraceNorm,
)
from convexmtl.problem import Problem
from convexmtl.solvers import SOLVERS, solve
from convexmtl.solvers.paths import critical_factor
from convexmtl.tasks import Tasks

TOL = 1e-7
FAMILIES = {Constraint, Coupling, NamedParts, Penalty, RowPenalty, SpectralPenalty}


# A penalty meets every kind of loss and of layout, a loss every layout. (With many features a loss with kinks is nearly
# a linear program, of which there need not be more than it takes.)
KINDS = {"loss": cases.kind_of_loss, "layout": cases.kind_of_layout}


@pytest.mark.covering(
    last=lambda loss, penalty, layout: not cases.LOSSES[loss].loss.smooth and cases.LAYOUTS[layout].wide, kinds=KINDS
)
@pytest.mark.parametrize("loss, penalty, layout", cases.COMBINATIONS)
def test_combination(loss, penalty, layout):
    problem, written = cases.make_problem(loss, penalty, layout)
    scale = cases.scale_of(problem)
    result = solve(problem, tol=TOL)
    asked = reference.solve(problem, written)
    assert result.converged, result.status.value
    assert result.dual_gap <= TOL * scale * (1 + 1e-9)
    assert_agrees(result.objective, result.dual_gap, asked, scale)
    assert_allclose(problem.primal(result.parts, result.intercept), result.objective, rtol=1e-12)
    # Where Omega is strongly convex both are this close to the one minimiser.
    strength = 2 * np.linalg.eigvalsh(problem.penalty.coupling.matrix())[0]
    if strength > 1e-6:
        above = result.dual_gap, asked.objective - (result.objective - result.dual_gap)
        radius = sum(np.sqrt(2 * (height + 1e-12 * scale) / strength) for height in above)
        assert np.linalg.norm(result.W - asked.W) <= radius


def are_separated(X, sign, fit_intercept):
    """Whether coefficients >= 0 put some samples on their side and none on the other: by the most that these gain."""
    margins = sign[:, None] * np.column_stack([X, np.full(len(X), float(fit_intercept))])
    bounds = [(0, 1)] * X.shape[1] + [(-1, 1)]
    return linprog(-margins.sum(axis=0), -margins, np.zeros(len(X)), bounds=bounds).fun < -1e-6


def test_what_is_not_attained_has_no_solution():
    """Without a penalty the logistic loss of classes that can be separated falls for ever; all the others are asked."""
    found = set()
    for layout, case in cases.LAYOUTS.items():
        if cases.applies(cases.PENALTIES["positive"], case):
            tasks = cases.make_problem("logistic", "positive", layout)[0].tasks
            for t in range(tasks.n_tasks):
                rows, samples = tasks.slices(t)
                seen = tasks.weight[samples] > 0
                if are_separated(tasks.dense()[rows][seen], tasks.y[samples][seen], case.fit_intercept):
                    found.add(("logistic", "positive", layout))
    assert found == cases.NOT_ATTAINED


# --------------------------------------------------------------------------------- estimators

VARIANTS = {
    cm.ClusteredRegressor: {"clusters": {"north": 0, "east": 1, "south": 0, "west": 1}},
    cm.ClusteredClassifier: {"clusters": ["a", "b", "b", "a"]},
    cm.MultiTaskRegressor: {"penalty": cases.PENALTIES["sparse,low_rank"].build(6, 4)},
    cm.MultiTaskClassifier: {"penalty": RowNorm(0.1) + GraphLaplacian([("north", "west"), ("east", "west", 2.0)], 0.1)},
}


def models(form):
    """Every estimator with every loss by name, and where tasks have names the variants that use them."""
    for cls in cases.ESTIMATORS:
        losses = ("logistic", "squared_hinge") if cls in cases.CLASSIFIERS else ("squared", "huber", "poisson")
        yield from (cls(loss=loss, tol=TOL) for loss in losses)
    if form == "stacked":
        yield from (cls(**variant, tol=TOL) for cls, variant in VARIANTS.items())


@pytest.mark.parametrize(
    "form, estimator",
    [
        pytest.param(form, model, id=f"{form}-{type(model).__name__}-{model.loss}")
        for form in cases.INPUT_FORMS
        for model in models(form)
    ],
)
def test_estimator(form, estimator):
    X, y, options = cases.user_input(estimator.loss, form)
    estimator = clone(estimator).fit(X, y, **options)
    scale = cases.scale_of(estimator._formulate(X, y, **options).problem)
    certificate = certify(estimator, X, y, **options)
    assert estimator.dual_gap_ <= TOL * scale * (1 + 1e-9)
    assert_allclose(estimator.objective_, certificate.primal, rtol=1e-12, atol=1e-12 * scale)
    assert_allclose(estimator.dual_gap_, certificate.gap, rtol=1e-6, atol=1e-12 * scale)
    assert_allclose(certificate.dual, certificate.primal - certificate.gap)
    asked = reference.fit(estimator, X, y, **options)
    assert asked.W.shape == estimator.coef_.T.shape and asked.b.shape == estimator.intercept_.shape
    assert_agrees(estimator.objective_, estimator.dual_gap_, asked, scale)


def test_reference_needs_no_fit():
    X, y, options = cases.user_input("squared", "stacked")
    asked = reference.fit(cm.TraceNormRegressor(0.1), X, y, **options)
    fitted = cm.TraceNormRegressor(0.1, tol=TOL).fit(X, y, **options)
    assert_allclose(asked.objective, fitted.objective_, rtol=1e-6)


@pytest.mark.parametrize("penalty", ["shared_feature", "sparse,low_rank", "sparse,low_rank+graph", "dirty_inf", "l3"])
def test_the_reference_is_judged_by_what_it_found(penalty):
    """Of a rough solution the objective is known to the last digit."""
    problem, written = cases.make_problem("squared", penalty, "shared_missing")
    exact = reference.solve(problem, written)
    scale = cases.scale_of(problem)
    assert exact.error <= 1e-7 * scale
    rough = reference.solve(problem, written, solver="SCS", eps_abs=1e-3, eps_rel=1e-3)
    assert 1e-7 * scale < rough.objective - exact.objective < 0.1 * scale
    if problem.penalty.n_parts == 1:
        assert_allclose(rough.objective, problem.primal((rough.W,), rough.b), rtol=1e-12)


class Liar:
    """A program of cvxpy whose solver claims these values one after the other, at points of these objectives."""

    def __init__(self, claims, objectives):
        self.told = list(zip(claims, objectives, strict=True))

    def solve(self, **options):
        self.value, self.objective = self.told.pop(0)
        self.status = "infeasible" if self.value is None else "optimal"

    def found(self):
        return cases.Least(self.objective, abs(self.objective - self.value))


def test_a_claim_is_not_believed():
    liar = Liar([None, 0.9, 1.0, 1.1], [None, 1.2, 1.1, 1.1])
    assert textbook.best_of_attempts(liar, liar.found, 1e-6) == (1.1, pytest.approx(0.1))
    assert not liar.told
    content = Liar([1.2, 1.0], [1.2, 1.0])
    assert textbook.best_of_attempts(content, content.found, 1e-6).objective == 1.2 and len(content.told) == 1
    with pytest.raises(RuntimeError, match="cvxpy ended with status 'infeasible', 'infeasible'"):
        textbook.best_of_attempts(Liar([None] * 2, [None] * 2), None, 1e-6, [{}, {}])


def test_certify_of_other_data():
    X, Y, _ = cases.user_input("squared", "shared")
    estimator = cm.BlockSparseRegressor().fit(X, Y)
    with pytest.raises(ValueError, match=r"was fitted to \d+ and .*: hand over what it was fitted on"):
        certify(estimator, X, Y[:, 1:])


def test_certify_sees_a_wrong_solution():
    X, y, options = cases.user_input("squared", "shared")
    estimator = cm.BlockSparseRegressor(tol=1e-8).fit(X, y, **options)
    at_optimum = certify(estimator, X, y, **options)
    estimator._parts = tuple(part + 0.1 for part in estimator._parts)
    moved = certify(estimator, X, y, **options)
    assert moved.primal > at_optimum.primal
    assert moved.gap >= moved.primal - at_optimum.primal - 1e-12
    assert moved.dual <= at_optimum.primal
    assert str(moved) == f"Certificate(primal={moved.primal!r}, dual={moved.dual!r}, gap={moved.gap!r})"


def test_nan_never_looks_converged():
    problem, _ = cases.make_problem("squared", "l2", "shared")
    W = np.full(problem.shape, np.nan)
    with np.errstate(invalid="ignore"):
        assert not duality_gap(problem, (W,)).gap <= problem.threshold(1e6)


# ---------------------------------------------------------- larger problems, where the certificate decides


WIDE_PENALTIES = {
    "l1.5": RowNorm(1.0, q=1.5),
    "l2": RowNorm(1.0),
    "linf": RowNorm(1.0, q=np.inf),
    "dirty": DirtyNorm(2.0, 1.0),
    "trace": TraceNorm(1.0),
}


def draw_wide(loss, form):
    """400 features, 3 tasks of about 50 samples."""
    rng, targets = np.random.default_rng(1), cases.LOSSES[loss].targets
    if form == "stacked":
        tasks = Tasks.stacked(*cases.draw_stacked(targets, rng, (30, 45, 60), 400), 3)
    else:
        tasks = Tasks.shared(*cases.draw_shared(targets, rng, 60, 400, 3, missing=0.2 if form == "missing" else 0.0))
    return tasks if cases.LOSSES[loss].loss.by_column else cases.in_columns(tasks)


# The losses at a tenth of the largest strength; the squared one with every penalty, and at a hundredth.
WIDE = [
    *((loss, 0.1, penalty) for loss in cases.LOSSES for penalty in WIDE_PENALTIES if penalty != "l1.5"),
    ("squared", 0.1, "l1.5"),
    *(("squared", 0.01, penalty) for penalty in WIDE_PENALTIES if penalty != "l1.5"),
]


@pytest.mark.parametrize("form", ["shared", "missing", "stacked"])
@pytest.mark.parametrize("loss, strength, penalty", WIDE)
def test_many_features_are_certified(loss, strength, penalty, form):
    """More features than a first working set and than samples, at a fraction of the largest strength."""
    tasks, penalty = draw_wide(loss, form), WIDE_PENALTIES[penalty]

    def problem_of(penalty):
        return Problem(DataTerm(tasks, cases.LOSSES[loss].loss), penalty.resolve(400, np.arange(tasks.n_tasks)))

    problem = problem_of(penalty.scaled(strength * critical_factor(problem_of(penalty))))
    tol = 1e-6
    result = solve(problem, tol=tol)
    certificate = duality_gap(problem, result.parts, dual=result.dual)
    assert result.converged, result.status.value
    assert certificate.gap <= tol * cases.scale_of(problem) * (1 + 1e-9)
    assert_allclose(certificate.primal, result.objective, rtol=1e-9)


# ---------------------------------------------------------------------- the tables are complete


def test_every_loss_has_a_row():
    assert {type(case.loss) for case in cases.LOSSES.values()} == {*convexmtl.losses.LOSSES.values(), convexmtl.Tweedie}


def _leaves(penalty):
    """The penalties of which a sum, or a sum of parts, is made, and the sum of parts itself."""
    if hasattr(penalty, "first"):
        return [*_leaves(penalty.first), *_leaves(penalty.second)]
    return [penalty, *(leaf for _, part in getattr(penalty, "parts", ()) for leaf in _leaves(part))]


def test_every_penalty_has_a_row():
    exported = [getattr(convexmtl.penalties, name) for name in convexmtl.penalties.__all__]
    concrete = {p for p in exported if isclass(p) and issubclass(p, Penalty)} - FAMILIES
    covered = {type(leaf) for case in cases.PENALTIES.values() for leaf in _leaves(case.build(6, 4))}
    assert concrete == covered


def test_every_solver_is_reached():
    problems = [cases.make_problem("squared", penalty, "shared")[0] for penalty in cases.PENALTIES]
    reached = {next(run for applies, run in SOLVERS if applies(problem)) for problem in problems}
    assert reached == {run for _, run in SOLVERS}


def test_every_estimator_has_a_row():
    exported = [getattr(convexmtl.estimators, name) for name in convexmtl.estimators.__all__]
    # A twin solves the problem of its single estimator.
    assert {getattr(cls, "_single", cls) for cls in exported} == {*cases.ESTIMATORS, cm.MultiTaskMixed}


TABLES = {
    "combinations": [dict(zip(("loss", "penalty", "layout"), row, strict=True)) for row in cases.COMBINATIONS],
    "product": [dict(zip("abcd", row, strict=True)) for row in product("abcd", range(5), (True, False), "ab")],
    "classes": [{"cls": cls, "form": form} for cls in cases.ESTIMATORS for form in cases.INPUT_FORMS],
    "functions": [{"f": f, "x": x, "y": y} for f in [lambda: 0, lambda: 1] for x in (1, 1.0) for y in "ab"],
}


@pytest.mark.covering(3)
@pytest.mark.parametrize("last", [range(0), range(0, 200, 3)])
@pytest.mark.parametrize("strength", [1, 2, 3])
@pytest.mark.parametrize("table", TABLES)
def test_a_covering_covers(table, strength, last):
    """What ``make test`` runs of a table meets all that any few of its columns meet in the whole."""
    rows = conftest.columns(TABLES[table])
    kept = conftest.covering(TABLES[table], strength, last)
    for names in combinations(rows[0], min(strength, len(rows[0]))):
        everywhere, here = ({tuple(row[n] for n in names) for row in some} for some in (rows, [rows[i] for i in kept]))
        assert here == everywhere


def test_kinds_are_met_where_values_need_not_be():
    rows = TABLES["combinations"]
    kept = [rows[i] for i in conftest.covering(rows, kinds=KINDS)]

    def pairs(some, **values):
        return {tuple(of(row[name]) for name, of in values.items()) for row in some}

    def itself(value):
        return value

    asked = [
        {"loss": itself, "layout": itself},
        {"loss": cases.kind_of_loss, "penalty": itself},
        {"penalty": itself, "layout": cases.kind_of_layout},
    ]
    for values in asked:
        assert pairs(kept, **values) == pairs(rows, **values)
    assert len(pairs(rows, loss=cases.kind_of_loss)) == 6 and len(pairs(rows, layout=cases.kind_of_layout)) == 6
    assert len(kept) < len(pairs(rows, loss=itself, penalty=itself)) / 1.7
    # Beside each other, columns with kinds meet all their values.
    alone = [{"a": a, "b": b} for a in range(4) for b in range(3)]
    assert len(conftest.covering(alone, kinds={"a": bool, "b": bool})) == 12


def test_a_covering_is_small():
    """Hardly more than the pairs of the two largest columns; without what is dear, where nothing else needs it."""
    pairs = {(row["penalty"], row["layout"]) for row in TABLES["combinations"]}
    assert len(conftest.covering(TABLES["combinations"])) <= 1.2 * len(pairs)
    assert len(conftest.covering(TABLES["classes"])) <= 1.5 * len(cases.REGRESSORS) * len(cases.INPUT_FORMS)
    rows = TABLES["product"]
    assert len(conftest.covering(rows)) < len(rows) / 3
    assert min(conftest.covering([*rows, *rows], last=range(len(rows)))) >= len(rows)
    # Classes are told apart by their names, and functions of one name by what they are.
    assert len(conftest.columns(TABLES["classes"])[0]) == 3
    assert len(conftest.covering(TABLES["functions"], 1)) == 2


def test_every_loss_and_penalty_meets_every_layout_that_applies():
    assert {(loss, penalty) for loss, penalty, _ in cases.COMBINATIONS} == {
        (loss, penalty)
        for loss, penalty in product(cases.LOSSES, cases.PENALTIES)
        if cases.meets(cases.LOSSES[loss], cases.PENALTIES[penalty])
    }
    assert {layout for _, _, layout in cases.COMBINATIONS} == set(cases.LAYOUTS)
