"""regularization_path: the fits of a path are those of the estimator, one strength at a time."""

from dataclasses import replace
from functools import partialmethod

import cases
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import MultiTaskLasso

import convexmtl as cm
from convexmtl._products import turned
from convexmtl._rows import rows_used_by_any
from convexmtl.certificate import duality_gap, path_gaps
from convexmtl.penalties import ClusterCoupling, GraphLaplacian, MeanCoupling, RowNorm, SparseGroup, TaskCoupling
from convexmtl.problem import Problem
from convexmtl.solvers import _length_path, coupling_path, newton, newton_path, row_path, solve
from convexmtl.solvers.paths import Multiples, Problems, critical_factor, path_pieces, solve_path

rng = np.random.default_rng(0)
X = rng.standard_normal((60, 40)) + 1.0
W = np.zeros((40, 3))
W[:5] = rng.standard_normal((5, 3))
Y = X @ W + 2.0 + 0.5 * rng.standard_normal((60, 3))
TASK = np.arange(60) % 3

FAMILIES = {
    "l2": cm.BlockSparseRegressor(),
    "elastic": cm.BlockSparseRegressor(l1_ratio=0.5),
    "linf": cm.BlockSparseRegressor(q=np.inf),
    "dirty": cm.DirtyRegressor(),
    "trace": cm.TraceNormRegressor(),
    "mean": cm.MeanRegularizedRegressor(),
    "clusters": cm.ClusteredRegressor(n_clusters=2),
    "logistic": cm.BlockSparseClassifier(),
}


@pytest.mark.parametrize("layout", ["shared", "stacked"])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_point_is_a_fit(family, layout):
    estimator = clone(FAMILIES[family]).set_params(tol=1e-8)
    y, options = (Y, {}) if layout == "shared" else (Y[:, 0], {"task": TASK})
    if family == "logistic":
        y = (y > 2).astype(int)
    path = cm.regularization_path(estimator, X, y, alphas=6, eps=1e-2, **options)
    assert path.coefs.shape == (6, 3, 40) and path.intercepts.shape == (6, 3)
    assert np.all(np.diff(path.alphas) < 0)
    largest = cm.alpha_max(estimator, X, y, **options)
    largest = next(iter(largest.values())) if isinstance(largest, dict) else largest
    assert_allclose(path.alphas, largest * np.geomspace(1, 1e-2, 6))
    for k in (1, 5):
        alone = clone(estimator).set_params(**path.strengths[k]).fit(X, y, **options)
        assert path.dual_gaps[k] <= 1e-8 * path.objectives[0] * 1.01
        assert_allclose(path.objectives[k], alone.objective_, rtol=1e-6)
        assert_allclose(path.coefs[k], alone.coef_, atol=2e-3 * np.abs(alone.coef_).max())


@pytest.mark.parametrize("penalty", ["l2", "l2_ridge", "sparse_group", "l2_feature_weights"])
@pytest.mark.parametrize("layout", cases.LAYOUTS)
def test_certificates_of_a_path_are_those_of_its_fits(layout, penalty):
    first, made = cases.make_problem("squared", penalty, layout)
    factors, (d, T) = np.geomspace(1, 0.1, 4), first.shape
    problems = [Problem(first.data, made.scaled(factor).resolve(d, list(range(T)))) for factor in factors]
    Ws = np.random.default_rng(1).normal(size=(4, d, T)) * (np.arange(4) % 3)[:, None, None]
    found = path_gaps(problems, factors, Ws)
    for problem, W, primal, gap, intercept in zip(problems, Ws, *found, strict=True):
        alone = duality_gap(problem, (W,))
        assert_allclose([primal, gap], [alone.primal, alone.gap], rtol=1e-9)
        assert_allclose(intercept, alone.intercept, rtol=1e-9, atol=1e-12)


LONG = {
    "l1": RowNorm(1.0, q=1),
    "l2": RowNorm(1.0),
    "elastic": RowNorm(1.0, l1_ratio=0.3),
    "linf": RowNorm(1.0, q=np.inf),
    "weighted": RowNorm(1.0, feature_weights=np.linspace(0.5, 2, 40)),
    "sparse group": SparseGroup(1.0, 0.4),
    "coupled": RowNorm(1.0) + MeanCoupling(0.3, 0.1),
}


@pytest.mark.parametrize("layout", ["tall", "wide", "missing", "stacked"])
@pytest.mark.parametrize("name", LONG)
def test_a_path_in_one_loop(name, layout):
    """Every fit is certified, at the objective of a fit of its own."""
    rows = {"tall": 60, "wide": 25}.get(layout, 60)
    x, y, options = X[:rows], Y[:rows].copy(), {}
    if layout == "missing":
        y[::5, 1] = np.nan
    if layout == "stacked":
        y, options = Y[:, 0], {"task": TASK}
    estimator = cm.MultiTaskRegressor(LONG[name], tol=1e-6)
    formulation = estimator._formulate(x, y, **options)
    path = cm.regularization_path(estimator, x, y, alphas=25, eps=1e-3, **options)
    factors = path.alphas / next(iter(formulation.strengths.values()))
    problems = [
        Problem(formulation.problem.data, LONG[name].scaled(f).resolve(40, formulation.labels)) for f in factors
    ]
    assert row_path.applies(problems)
    for k, problem in enumerate(problems):
        alone, threshold = solve(problem, None, 1e-8), problem.threshold(1e-6)
        certificate = duality_gap(problem, (path.coefs[k].T,), path.intercepts[k])
        assert certificate.gap <= threshold * (1 + 1e-6)
        assert_allclose(certificate.gap, path.dual_gaps[k], rtol=1e-3, atol=1e-6 * threshold)
        assert_allclose(certificate.primal, path.objectives[k], rtol=1e-12)
        assert -1e-2 * threshold <= path.objectives[k] - alone.objective <= path.dual_gaps[k] + 1e-2 * threshold


PIECES = {
    "tall": (RowNorm(1.0), X, Y),
    "wide": (RowNorm(1.0), X[:25], Y[:25]),
    "scaled otherwise": (SparseGroup(1.0, 0.4), X, Y),
    "coupled": (RowNorm(1.0, l1_ratio=0.5), X, Y),
    "constant feature": (RowNorm(1.0), np.column_stack([X, np.full(60, 3.0)]), Y),
    "more tasks than rows": (RowNorm(1.0), X[:20], np.column_stack([Y[:20] + k for k in range(10)])),
    "another solver": (MeanCoupling(1.0, 0.5), X, Y),
}


@pytest.mark.parametrize("most", [1, 700, 1e6])
@pytest.mark.parametrize("name", PIECES)
def test_pieces_of_a_path_are_its_fits(name, most):
    """However many there are in a piece."""
    penalty, x, y = PIECES[name]
    formulation = cm.MultiTaskRegressor(penalty)._formulate(x, y)
    data, factors = formulation.problem.data, np.geomspace(1, 1e-2, 9) * critical_factor(formulation.problem)
    made = [Multiples(penalty, factors, x.shape[1], formulation.labels) for _ in range(2)]
    results = list(solve_path(data, made[0], 1e-6, 1000))
    pieces = list(path_pieces(data, made[1], 1e-6, 1000, most))
    assert len(pieces) == (1 if most == 1e6 else 9 if most == 1 else len(pieces))
    Ws, intercepts, gaps = map(np.concatenate, zip(*pieces, strict=True))
    for result, W, intercept, gap in zip(results, Ws, intercepts, gaps, strict=True):
        assert_allclose(W, result.W, atol=1e-3 * np.abs(result.W).max())
        assert_allclose(intercept, result.intercept, atol=1e-3 * np.abs(y).max())
        assert gap <= data.threshold(1e-6) and result.dual_gap <= data.threshold(1e-6)


@pytest.mark.parametrize("name", ["l1", "elastic", "linf", "weighted", "sparse group"])
def test_penalties_at_every_strength_at_once(name):
    """What compiled loops get of them is what each has by itself; a sequence of them has what a list has."""
    penalty, factors = LONG[name], np.array([2.0, 1.0, 0.3])
    canonicals = Multiples(penalty, factors, 40, list(range(3))).canonicals
    problems = Problems(None, canonicals)
    for a, factor in enumerate(factors):
        (term,) = penalty.scaled(factor).resolve(40, list(range(3))).terms
        assert_allclose(problems.packs[a], term.pack()[0], rtol=1e-15)
        assert_allclose(canonicals[a].terms[0].pack()[0], term.pack()[0], rtol=1e-15)
        assert_allclose(problems[a - 3].penalty.terms[0].pack()[0], term.pack()[0], rtol=1e-15)
    assert len(problems) == 3 and [one.penalty.n_parts for one in problems[1:]] == [1, 1]
    with pytest.raises(IndexError):
        problems[3]


def test_rows_that_any_of_many_uses():
    Ws = np.zeros((4, 7, 3))
    Ws[0, 1, 2], Ws[3, 4, 0], Ws[2, 5, 1], Ws[1, 6] = 1e-300, np.nan, -1.0, -0.0
    rows = rows_used_by_any(Ws)
    assert rows.tolist() == [1, 4, 5]
    V, rows = turned(Ws[:, :, ::2])
    assert rows.tolist() == [1, 4]
    assert_array_equal(V, Ws[:, rows, ::2].transpose(0, 2, 1))
    V, rows = turned(Ws[:, [1, 4, 5]])
    assert rows.tolist() == [0, 1, 2]
    assert_array_equal(V, Ws[:, [1, 4, 5]].transpose(0, 2, 1))


def test_what_the_loop_cannot_do_is_done_all_the_same(monkeypatch):
    """Fits that take too many sweeps, and certificates that say no."""
    expected = cm.regularization_path(cm.BlockSparseRegressor(tol=1e-8), X, Y, alphas=20, eps=1e-3)
    monkeypatch.setattr(row_path, "MOST_SWEEPS", 3)
    few = cm.regularization_path(cm.BlockSparseRegressor(tol=1e-8), X, Y, alphas=20, eps=1e-3)
    monkeypatch.undo()
    monkeypatch.setattr(row_path._Path, "descend", partialmethod(row_path._Path.descend, target=1e4))
    monkeypatch.setattr(row_path._Path, "again", lambda self, a, W: (W, duality_gap(self.problems[a], (W,)), 1))
    hasty = cm.regularization_path(cm.BlockSparseRegressor(tol=1e-8), X, Y, alphas=20, eps=1e-3)
    search = cm.BlockSparseRegressorCV(tol=1e-8, alphas=20, cv=3)
    monkeypatch.undo()
    sure = clone(search).fit(X, Y)
    monkeypatch.setattr(row_path, "MOST_SWEEPS", 3)
    assert_allclose(search.fit(X, Y).mse_path_, sure.mse_path_, rtol=1e-4)
    for path in (few, hasty):
        assert np.all(path.dual_gaps <= 1e-8 * path.objectives[0])
        assert_allclose(path.coefs, expected.coefs, atol=1e-3)


def in_lengths(name):
    """(estimator, X, Y, options) of a path that can be made in the lengths of the rows: fewer samples than features."""
    rng = np.random.default_rng(3)
    X, E = rng.standard_normal((24, 50)) + 1.0, rng.standard_normal((24, 6))
    if name == "collinear":
        # Twins, rows that say nothing, and neighbours that are nearly the same.
        X[:, 10:20], X[:, 20], X[:, 30:40] = X[:, :10], 3.0, X[:, 40:] + 0.01 * X[:, 30:40]
    Y, options = X[:, :8] @ rng.standard_normal((8, 6)) + 0.3 * E, {}
    estimator = cm.BlockSparseRegressor(tol=1e-8, fit_intercept=name != "no_intercept")
    if name == "feature_weights":
        estimator.set_params(feature_weights=rng.uniform(0.5, 2, 50))
    if name == "sample_weights":
        options = {"sample_weight": rng.uniform(0.1, 1, 24)}
    return estimator, X, (Y[:, :1] if name == "one_task" else Y), options


IN_LENGTHS = ["plain", "no_intercept", "feature_weights", "sample_weights", "collinear", "one_task"]


@pytest.mark.parametrize("name", IN_LENGTHS)
def test_a_path_in_the_lengths_of_the_rows(name, monkeypatch):
    """Each fit is certified as if it were alone, with the objective that sweeps come to; no other solver is asked."""
    estimator, X, Y, options = in_lengths(name)
    formulation = estimator._formulate(X, Y, **options)
    by_sweeps = cm.regularization_path(estimator, X, Y, alphas=20, eps=1e-3, **options)
    with monkeypatch.context() as patch:
        patch.setattr(_length_path, "FASTER", np.inf)
        patch.setattr(row_path.row_descent, "solve", None)
        path = cm.regularization_path(estimator, X, Y, alphas=20, eps=1e-3, **options)
    assert path.n_iters[0] == 0 < path.n_iters[1:].min() and path.n_iters.mean() < 10
    for a, alpha in enumerate(path.alphas):
        penalty = formulation.penalty.scaled(alpha / estimator.alpha).resolve(X.shape[1], formulation.labels)
        problem = Problem(formulation.problem.data, penalty)
        certificate = duality_gap(problem, (path.coefs[a].T,), intercept=path.intercepts[a])
        assert certificate.gap <= 1e-8 * problem.data.trivial[0]
        assert abs(path.objectives[a] - by_sweeps.objectives[a]) <= 1e-8 * problem.data.trivial[0]


@pytest.mark.parametrize("most", ["steps", "samples", "iterations", "range"])
def test_what_lengths_cannot_do_is_done_all_the_same(most, monkeypatch):
    estimator, X, Y, _ = in_lengths("plain")
    monkeypatch.setattr(_length_path, "FASTER", np.inf)
    if most == "steps":
        monkeypatch.setattr(_length_path, "MOST_STEPS", 2)
    if most == "samples":
        monkeypatch.setattr(row_path, "MOST_SAMPLES", 23)
    if most == "range":
        monkeypatch.setattr(_length_path.Thin, "at", lambda self, theta: None)
    if most == "iterations":
        with pytest.warns(ConvergenceWarning):
            path = cm.regularization_path(estimator.set_params(max_iter=2), X, Y, alphas=8, eps=1e-2)
        assert path.n_iters.max() <= 3
        return
    path = cm.regularization_path(estimator, X, Y, alphas=8, eps=1e-2)
    assert path.dual_gaps.max() <= 1e-8 * estimator._formulate(X, Y).problem.data.trivial[0]


def test_agrees_with_multi_task_lasso():
    alphas = np.geomspace(1, 0.01, 5)
    ours = cm.regularization_path(cm.BlockSparseRegressor(tol=1e-10, fit_intercept=False), X, Y, alphas=alphas)
    _, theirs, _ = MultiTaskLasso.path(X, Y, l1_ratio=1.0, alphas=alphas, tol=1e-10, max_iter=100_000)
    assert_allclose(ours.coefs, theirs.transpose(2, 0, 1), atol=1e-5)


def test_alphas_are_sorted_and_the_estimator_is_left_alone():
    estimator = cm.BlockSparseRegressor(alpha=3.0)
    path = cm.regularization_path(estimator, X, Y, alphas=[0.01, 1.0, 0.1])
    assert path.alphas.tolist() == [1.0, 0.1, 0.01]
    cm.alpha_max(estimator, X, Y)
    assert vars(estimator) == vars(cm.BlockSparseRegressor(alpha=3.0))
    # Nor does what it has been fitted to matter.
    again = cm.regularization_path(estimator.fit(X[:, :3], Y), X, Y, alphas=[0.01, 1.0, 0.1])
    np.testing.assert_array_equal(again.coefs, path.coefs)


def test_ratios_are_kept():
    path = cm.regularization_path(cm.DirtyRegressor(alpha_block=2.0, alpha_sparse=1.5), X, Y, alphas=[0.4])
    assert path.strengths == [{"alpha_block": pytest.approx(0.4), "alpha_sparse": pytest.approx(0.3)}]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"alphas": 0}, "alphas must be at least 1"),
        ({"alphas": [1.0, -1.0]}, r"positive and finite ones, got \[1.0, -1.0\]"),
        ({"alphas": [[1.0]]}, "a number of strengths or a list"),
        ({"alphas": []}, "a number of strengths or a list"),
        ({"alphas": 5, "eps": 1.5}, "eps must be between 0 and 1, got 1.5"),
    ],
)
def test_bad_alphas(options, message):
    with pytest.raises(ValueError, match=message):
        cm.regularization_path(cm.BlockSparseRegressor(), X, Y, **options)


def test_no_strength_to_scale():
    with pytest.raises(ValueError, match="needs a positive strength"):
        cm.regularization_path(cm.BlockSparseRegressor(alpha=0.0), X, Y)


def test_one_warning_for_all_fits():
    estimator = cm.BlockSparseRegressor(max_iter=1, tol=1e-12)
    with pytest.warns(ConvergenceWarning, match="of 4 fits did not reach tol=1e-12") as caught:
        path = cm.regularization_path(estimator, X, Y, alphas=4)
    assert len(caught) == 1 and path.dual_gaps[-1] > 0


# ----------------------------------------------------------------- where no target goes with any feature

SINGLES = [
    getattr(cm, name)
    for name in cm.__all__
    if name.endswith(("Regressor", "Classifier")) and not name.startswith("Auto")
]
NOTHING = {
    "constant feature": (np.full((12, 1), 3.7), np.arange(36).reshape(12, 3) % 7.0),
    "far feature": (np.full((12, 1), 1e6 / 3), np.arange(36).reshape(12, 3) % 7.0),
    "constant features": (np.tile([3.7, 1e5 / 3, 0.0], (12, 1)), np.arange(36).reshape(12, 3) % 7.0),
    "constant targets": (np.arange(24.0).reshape(12, 2) ** 2 % 11, np.tile([0.1, 5.3, 1e4 / 3], (12, 1))),
}


def _losses(cls):
    return ("logistic", "squared_hinge") if cls.__name__.endswith("Classifier") else ("squared", "huber", "poisson")


@pytest.mark.parametrize(
    "cls, loss, name",
    [(cls, loss, name) for cls in SINGLES for loss in _losses(cls) for name in NOTHING if "targets" not in name]
    + [(cls, loss, "constant targets") for cls in SINGLES for loss in _losses(cls) if not is_classifier(cls())],
)
def test_nothing_to_find(cls, loss, name):
    x, y = NOTHING[name]
    strength = cm.alpha_max(cls(loss=loss), x, (y > 3).astype(int) if is_classifier(cls()) else y)
    assert set(strength.values() if isinstance(strength, dict) else [strength]) == {0.0}


@pytest.mark.parametrize("cls, name", [(cm.TemporalRegressor, "alpha_smooth"), (cm.GraphGuidedRegressor, "alpha")])
def test_nothing_to_find_but_what_is_free(cls, name):
    """All tasks with the same targets have no differences, on which alone there is a penalty."""
    assert cm.alpha_max(cls(alpha_sparse=0.0), X, np.tile(Y[:, :1], 4))[name] == 0.0


@pytest.mark.parametrize("shift, scale", [(1e6, 1.0), (0.0, 1e-20), (1e3, 1e-12)])
def test_little_is_not_nothing(shift, scale):
    """max_j norm_2 of the covariances with the targets, in exact arithmetic as good as this one."""
    x = shift + X
    centred = X - X.mean(axis=0)
    expected = scale * np.linalg.norm(centred.T @ (Y - Y.mean(axis=0)) / len(X), axis=1).max()
    assert_allclose(cm.alpha_max(cm.BlockSparseRegressor(), x, scale * Y), expected, rtol=1e-5)


def test_a_path_of_nothing_says_so():
    x, y = NOTHING["far feature"]
    with pytest.warns(UserWarning, match="alpha_max is 0: no target goes with any feature") as caught:
        path = cm.regularization_path(cm.BlockSparseRegressor(), x, y, alphas=3)
    assert len(caught) == 1 and caught[0].filename == __file__
    assert not path.coefs.any() and path.n_iters.max() <= 1


def wide(loss):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((30, 60)) + 2.0
    Z = X[:, :3] @ rng.standard_normal((3, 3)) + 0.5 * rng.standard_normal((30, 3))
    if loss == "poisson":
        return X, np.exp(np.clip(Z - Z.mean(axis=0), -3, 3)).round()
    return X, (Z > np.median(Z, axis=0)).astype(int) if loss in ("logistic", "squared_hinge") else Z


@pytest.mark.parametrize("loss", ["squared", "huber", "poisson", "logistic", "squared_hinge"])
@pytest.mark.parametrize("family", ["BlockSparse", "SparseGroup", "TraceNorm"])
def test_a_penalty_too_weak_for_tol(family, loss):
    """Where tol allows a gap that is larger than the whole penalty, one warning says so."""
    X, Y = wide(loss)
    cls = getattr(cm, family + ("Classifier" if loss in ("logistic", "squared_hinge") else "Regressor"))
    strengths = {"alpha": 1e-7 * cm.alpha_max(cls(loss=loss), X, Y)}
    with pytest.warns(UserWarning, match="the penalty is too weak for tol=0.0001 to see it") as caught:
        cls(loss=loss, **strengths).fit(X, Y)
    assert len(caught) == 1 and "decrease tol to" in str(caught[0].message)
    # Warnings are errors here: none where the penalty is as usual, strong, or nearly makes all zero.
    for factor in (1e-2, 0.1, 0.999, 1.001, 100):
        cls(loss=loss, **{key: value * factor * 1e7 for key, value in strengths.items()}).fit(X, Y)


def test_a_penalty_too_weak_for_tol_on_a_path():
    X, Y = wide("squared")
    top = cm.alpha_max(cm.BlockSparseRegressor(), X, Y)
    alphas = top * np.array([1e-1, 1e-7, 1e-8])
    with pytest.warns(UserWarning, match=rf"alpha={alphas[1]:.3g} .*first such") as caught:
        cm.regularization_path(cm.BlockSparseRegressor(), X, Y, alphas=alphas)
    assert len(caught) == 1
    with pytest.warns(UserWarning, match="too weak") as caught:
        cm.BlockSparseRegressorCV(alphas=alphas[1:], cv=3).fit(X, Y)
    assert len(caught) == 1
    cm.BlockSparseRegressor(alphas[1], tol=1e-12, max_iter=100_000).fit(X, Y)


@pytest.mark.parametrize("name", ["RobustFeature", "RobustLowRank", "SparseLowRank", "TraceNorm", "MeanRegularized"])
def test_a_path_with_features_that_say_nothing(name):
    """Constant within every task: zero exactly in every fit, and no hindrance to what is started from one."""
    rng = np.random.default_rng(0)
    task = np.repeat(np.arange(4), 12)
    X = np.c_[rng.normal(size=(48, 3)), task, np.ones(48)]
    y = X[:, :3] @ rng.normal(size=3) + 0.3 * task + 0.1 * rng.normal(size=48)
    path = cm.regularization_path(getattr(cm, f"{name}Regressor")(), X, y, task=task, alphas=12)
    assert not path.coefs[:, :, 3:].any() and path.coefs.any()


COUPLED = {
    "mean": MeanCoupling(0.3, 30.0),
    "clusters": ClusterCoupling(np.arange(Y.shape[1]) % 2, 0.3, 1.0, 20.0),
    "graph and a ridge": GraphLaplacian([(0, 1), (1, 2)], 2.0) + TaskCoupling(0.1 * np.eye(Y.shape[1])),
    "any": TaskCoupling(np.eye(Y.shape[1]) + 0.5),
}


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("layout", ["shared", "missing", "stacked"])
@pytest.mark.parametrize("name", COUPLED)
def test_a_path_of_couplings_is_solved_as_one(name, layout, intercept, monkeypatch):
    """As by fits of their own, without any; features in units of any size."""
    x, y, options = X * 10.0 ** (np.arange(X.shape[1]) % 5), Y.copy(), {}
    if layout == "missing":
        y[::5, 1] = np.nan
    if layout == "stacked":
        y, options = Y[:, 0], {"task": TASK % Y.shape[1]}
    estimator = cm.MultiTaskRegressor(COUPLED[name], tol=1e-10, fit_intercept=intercept)
    formulation = estimator._formulate(x, y, **options)
    with monkeypatch.context() as patch:
        patch.setattr(coupling_path.newton, "solve", None)
        path = cm.regularization_path(estimator, x, y, alphas=9, eps=1e-6, **options)
    factors = path.alphas / next(iter(formulation.strengths.values()))
    for a, factor in enumerate(factors):
        alone = cm.MultiTaskRegressor(COUPLED[name].scaled(factor), tol=1e-10, fit_intercept=intercept)
        alone.fit(x, y, **options)
        assert_allclose(path.objectives[a], alone.objective_, rtol=1e-9)
        size = np.abs(alone.coef_).max(axis=0)
        assert_allclose(path.coefs[a] / size, alone.coef_ / size, atol=1e-6)
        assert_allclose(path.intercepts[a], alone.intercept_, atol=1e-6 * (1 + np.abs(alone.intercept_).max()))
        problem = Problem(
            formulation.problem.data, COUPLED[name].scaled(factor).resolve(x.shape[1], formulation.labels)
        )
        certificate = duality_gap(problem, (path.coefs[a].T,), intercept=path.intercepts[a])
        assert certificate.gap <= 1e-10 * problem.data.trivial[0]


def test_a_path_in_the_span_of_the_samples_takes_one_spectrum(monkeypatch):
    """However many parts the path is made in; each fit is the one that the strength has alone."""
    rng = np.random.default_rng(1)
    x, y, task = rng.standard_normal((24, 30)), rng.standard_normal(24), np.arange(24) % 4
    estimator = cm.MultiTaskRegressor(MeanCoupling(0.1, 1.0), tol=1e-10)
    spectra, eigh = [], np.linalg.eigh
    monkeypatch.setattr(np.linalg, "eigh", lambda A: spectra.append(len(A)) or eigh(A))
    monkeypatch.setattr(coupling_path, "ENTRIES", 240)
    path = cm.regularization_path(estimator, x, y, task=task, alphas=7, eps=1e-4)
    assert spectra.count(24) == 1
    for alpha, coef in zip(path.alphas, path.coefs, strict=True):
        alone = cm.MultiTaskRegressor(MeanCoupling(alpha, 10 * alpha), tol=1e-10).fit(x, y, task=task)
        assert_allclose(coef, alone.coef_, atol=1e-8)


BENDING = ["logistic", "softmax", "poisson", "huber"]


@pytest.mark.parametrize("layout", ["shared_missing", "stacked_weighted", "shared_no_intercept"])
@pytest.mark.parametrize("penalty", ["ridge", "known_clusters", "any_matrix"])
@pytest.mark.parametrize("loss", BENDING)
def test_a_path_of_a_loss_that_bends_is_solved_as_one(loss, penalty, layout, monkeypatch):
    """Each fit is certified as if it were alone, and has the objective that solvers come to with the strength."""
    problem, _ = cases.make_problem(loss, penalty, layout)
    factors, tol = np.geomspace(10, 1e-3, 7), 1e-9
    several = [replace(problem.penalty, coupling=problem.penalty.coupling.scaled(factor)) for factor in factors]
    problems = [Problem(problem.data, penalty) for penalty in several]
    monkeypatch.setattr(newton_path, "LARGEST", 100)
    monkeypatch.setattr(newton_path, "ENTRIES", 1e5)
    assert newton_path.applies(problems)
    with monkeypatch.context() as patch:
        patch.setattr(newton, "solve", None)
        results = list(newton_path.solve(problems, factors, tol, 1000))
    for one, result in zip(problems, results, strict=True):
        gap = duality_gap(one, result.parts, intercept=result.intercept).gap
        # (The dual variables of the best intercepts are not quite those that the path has taken.)
        assert result.converged and gap <= 1.5 * one.threshold(tol)
        assert_allclose(result.objective, one.primal(result.parts, result.intercept), rtol=1e-12)
        alone = solve(one, tol=tol)
        assert abs(alone.objective - result.objective) <= 2 * one.threshold(tol)
