"""What the solvers do beside finding the solution, which all other tests check."""

import warnings

import cases
import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning

import convexmtl as cm
from convexmtl import certificate, datasets, solvers
from convexmtl import textbook as reference
from convexmtl.certificate import duality_gap
from convexmtl.data import DataTerm
from convexmtl.gram import Design
from convexmtl.losses import get_loss
from convexmtl.path import alpha_max
from convexmtl.penalties import DirtyNorm, GraphLaplacian, MeanCoupling, RowNorm, SparseGroup
from convexmtl.problem import Problem
from convexmtl.result import Result, Status
from convexmtl.solvers import _alternating, _anderson, _models, _sides, coupling_path, newton, solve, splitting
from convexmtl.solvers.direct import Separable, task_system
from convexmtl.tasks import Tasks


@pytest.fixture(scope="module")
def fit():
    """Fit two parts for which alternating directions take long; again at every call."""
    X, y, task, *_ = datasets.make_block_sparse(
        n_tasks=40, n_features=400, n_samples=20, n_informative=5, random_state=0
    )
    largest = cm.alpha_max(cm.SparseLowRankRegressor(1.0, 1.0), X, y, task=task)
    estimator = cm.SparseLowRankRegressor(**{name: value / 10 for name, value in largest.items()}, tol=1e-8)
    return lambda: estimator.fit(X, y, task=task)


def test_extrapolation_saves_iterations(fit, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(_sides.Model, "young", np.inf)
        plain = fit()
        n_plain, coef = plain.n_iter_, plain.coef_
    fitted = fit()
    assert fitted.n_iter_ <= 0.7 * n_plain
    assert_allclose(fitted.coef_, coef, atol=1e-3 * np.abs(coef).max())
    # What is handed out comes from the proxes, with their zeros.
    assert np.mean(fitted.sparse_ == 0) > 0.5
    assert np.linalg.matrix_rank(fitted.low_rank_) < 20


def test_extrapolation_that_leads_astray_is_taken_back(fit, monkeypatch):
    coef, rng, drawn = fit().coef_, np.random.default_rng(0), []

    def wild(iterates):
        weights = rng.normal(scale=1e3, size=len(iterates) - 1)
        drawn.append(weights)
        return weights + (1 - weights.sum()) / len(weights)

    monkeypatch.setattr(_anderson, "anderson_weights", wild)
    assert_allclose(fit().coef_, coef, atol=1e-3 * np.abs(coef).max())
    assert drawn


# ------------------------------------------------------------------------------- what is hard to solve


def hard(make, X, y, *, task=None, sample_weight=None, most=2000, share=1e-4):
    """Fit at a share of the largest strength: within ``most`` iterations, certified, at the textbook's objective."""
    options = {"task": task, "sample_weight": sample_weight}
    largest = cm.alpha_max(make(), X, y, **options)
    largest = largest if isinstance(largest, dict) else {"alpha": largest}
    estimator = make().set_params(**{name: share * value for name, value in largest.items()}, max_iter=most)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        estimator.fit(X, y, **options)
    problem = estimator._formulate(X, y, **options).problem
    scale = cases.scale_of(problem)
    # (An absolute loss in all but name costs cvxpy some digits.)
    asked = cm.reference.fit(estimator, X, y, **options)
    assert estimator.dual_gap_ <= estimator.tol * scale * (1 + 1e-9)
    assert estimator.objective_ - estimator.dual_gap_ <= asked.objective + 1e-7 * scale
    assert estimator.objective_ <= asked.objective + (estimator.tol + 1e-7) * scale
    return estimator


def draw(n, d, T, *, classes=False, scale=1.0, offset=0.0, shift=0.0, seed=0):
    """X (n, d) around ``shift``, Y (n, T) around ``offset``."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    Y = X @ rng.standard_normal((d, 1)) + 0.3 * X @ rng.standard_normal((d, T)) + rng.standard_normal((n, T))
    return X + shift, np.where(Y > 0, 1.0, -1.0) if classes else scale * Y + offset


@pytest.mark.parametrize("offset", [0.0, 1e4])
@pytest.mark.parametrize(
    "family, options",
    [("Temporal", {}), ("TreeGuided", {"tree": [([0, 1], 1.0), ([0, 1, 2], 0.5)]}), ("BlockSparse", {})],
)
@pytest.mark.parametrize("loss", ["logistic", "squared_hinge"])
def test_a_long_row(family, options, loss, offset):
    X, Y = draw(25, 6, 3, classes=True, seed=1)
    X[-1] *= 1e4
    X[:, 0] += offset
    make = lambda: getattr(cm, family + "Classifier")(loss=loss, tol=1e-6, **options)  # noqa: E731
    hard(make, X, Y, share=1e-3)


def test_lengths_of_rows_are_evened():
    X, Y = draw(25, 6, 3)
    tasks = Tasks.shared(X, Y)
    assert Design(tasks, True).evened is tasks.weight
    X[-1] *= 1e4
    X += 1e3
    tasks = Tasks.shared(X, Y)
    shares = (Design(tasks, True).evened / tasks.weight).reshape(3, 25)
    assert_allclose(shares[:, -1], 1e-8, rtol=9)
    assert shares[:, :-1].min() > 0.05


@pytest.mark.parametrize("coupling", [GraphLaplacian([(0, 1), (1, 2, 2.0)], 30.0), MeanCoupling(2.0, 3.0)])
@pytest.mark.parametrize("loss", [name for name, case in cases.LOSSES.items() if case.loss.by_column])
def test_splitting_from_a_start_with_a_coupling(loss, coupling):
    tasks = cases.LAYOUTS["stacked"].build(cases.LOSSES[loss].targets, np.random.default_rng(0))
    written = RowNorm(0.5) + coupling
    problem = Problem(DataTerm(tasks, cases.LOSSES[loss].loss), written.resolve(tasks.n_features, np.arange(4)))
    start = solve(problem, tol=0.3)
    result = splitting.solve(problem, start, tol=1e-7, split_loss=True)
    asked = reference.solve(problem, written)
    assert result.converged
    cases.assert_agrees(result.objective, result.dual_gap, asked, cases.scale_of(problem))


@pytest.mark.parametrize("stacked", [False, True])
@pytest.mark.parametrize("scale, far", [(1.0, 0.0), (1e-3, 1e3)])
@pytest.mark.parametrize("loss, seed", [("squared", 0), ("squared", 1), ("huber", 3)])
def test_duplicates_among_more_features_than_samples(loss, seed, scale, far, stacked):
    X, Y = draw(5, 7, 2, seed=seed)
    X[:, 1], X[:, 4], X[:, 6] = 0, X[:, 3], X[:, 5]
    X[:, 0] += far
    X[:, 1:] *= scale
    make = lambda: cm.GraphGuidedRegressor(graph=[(0, 1)], loss=loss, tol=1e-6)  # noqa: E731
    if stacked:
        hard(make, np.tile(X, (2, 1)), Y.T.ravel(), task=np.repeat([0, 1], 5), share=0.01)
    else:
        hard(make, X, Y, share=0.01)


@pytest.mark.parametrize("n", [4, 8])
def test_parts_with_weak_strengths_and_few_samples(n):
    X, Y = draw(n * 5, 7, 5, classes=True, seed=3)
    task = np.repeat(np.arange(5), n)
    hard(lambda: cm.SparseLowRankClassifier(), X, Y[np.arange(5 * n), task], task=task)


@pytest.mark.parametrize("loss", ["squared", "huber", "poisson"])
@pytest.mark.parametrize(
    "family, options", [("SparseGroup", {}), ("TreeGuided", {"tree": [([0, 1], 1.0)]}), ("Dirty", {})]
)
def test_far_columns_without_an_intercept(family, options, loss):
    X, Y = draw(30, 4, 3, offset=0 if loss == "poisson" else 5.0, shift=1e3)
    Y = np.round(np.exp(0.5 * np.clip(Y, -3, 3))) if loss == "poisson" else Y
    make = lambda: getattr(cm, family + "Regressor")(loss=loss, fit_intercept=False, **options)  # noqa: E731
    hard(make, X, Y, share=1e-3, most=500)


@pytest.mark.parametrize("how", ["large units", "an offset", "duplicates"])
@pytest.mark.parametrize(
    "family, T, d", [("BlockSparse", 1, 7), ("BlockSparse", 5, 5), ("SparseGroup", 3, 2), ("Temporal", 4, 3)]
)
def test_huber_far_from_its_parabola(family, T, d, how):
    X, Y = draw(20, d, T, scale=1e4, offset=1e5 * (how == "an offset"))
    X = np.repeat(X, 2, axis=1) if how == "duplicates" else X
    make = lambda: getattr(cm, family + "Regressor")(loss="huber", fit_intercept=how != "an offset")  # noqa: E731
    hard(make, X, Y, share=1e-3)


def test_no_row_in_use_is_no_row_to_descend_in():
    """Where a sweep has put all coefficients back to zero, and nobody knows yet that they stay there."""
    X = np.array([[0.873, -1.28], [-0.713, 0.621], [-2.25, 0.386], [-0.582, 0.109], [-0.0757, 0.202], [0.694, -0.758]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model = cm.GraphGuidedClassifierCV().fit(X, np.arange(6) % 2, task=[0, 1, 1, 1, 1, 1])
    assert model.dual_gap_ <= 1e-4 * model.objective_


@pytest.mark.parametrize("shape", [(9, 20), (3, 9, 20)], ids=["shared", "stacked"])
def test_factored_sides(shape):
    rng = np.random.default_rng(0)
    A, P = rng.normal(size=shape), rng.normal(size=(20, 3))
    K = np.swapaxes(A, -1, -2) @ A
    right = P if A.ndim == 2 else P.T[:, :, None]
    wanted = np.linalg.solve(np.eye(20) + K, right)
    wanted = wanted if A.ndim == 2 else wanted[:, :, 0].T
    for factored in (_alternating.thin(A.astype(np.float32)), _alternating.square(K.astype(np.float32))):
        assert_allclose(factored(P.astype(np.float32)), wanted, atol=1e-5)


ALTERNATING = {
    "linf": RowNorm(q=np.inf),
    "l2": RowNorm(),
    "l1": RowNorm(q=1),
    "dirty": DirtyNorm(1.0, 0.6),
    "sparse group": SparseGroup(l1_ratio=0.3),
    "positive": RowNorm(positive=True),
    "ridge": RowNorm(l1_ratio=0.8),
}


@pytest.mark.parametrize("layout", ["shared", "stacked", "holes", "weights"])
@pytest.mark.parametrize("n, d", [(12, 60), (60, 25)], ids=["wide", "long"])
@pytest.mark.parametrize("penalty", list(ALTERNATING))
def test_alternating_directions(penalty, n, d, layout, monkeypatch):
    """From the first sweeps on, or never: all forms of models go to the same solution, to its last digits."""
    rng = np.random.default_rng(d)
    X = rng.normal(size=(n, d)) @ (0.2 * np.eye(d) + rng.normal(size=(d, d)) / np.sqrt(d))
    Y = X[:, :9] @ rng.normal(size=(9, 4)) + rng.normal(size=(n, 4))
    data = {"shared": (X, Y), "holes": (X, np.where(rng.uniform(size=Y.shape) < 0.2, np.nan, Y)), "weights": (X, Y)}
    stacked = (np.tile(X, (4, 1)) * rng.uniform(0.5, 2, (4 * n, d)), Y.T.ravel())
    more = {"stacked": {"task": np.repeat(np.arange(4), n)}, "weights": {"sample_weight": rng.uniform(0.5, 2, n)}}
    data, more = data.get(layout, stacked), more.get(layout, {})
    make = lambda: cm.MultiTaskRegressor(ALTERNATING[penalty], tol=1e-10, max_iter=50_000)  # noqa: E731
    largest = alpha_max(make(), *data, **more)
    share = (largest["alpha_block"] if isinstance(largest, dict) else largest) / 100
    monkeypatch.setattr(_models, "LEAP", -1e9)
    factored, calls = _models.alternate, []
    monkeypatch.setattr(_models, "alternate", lambda *a: calls.append(factored(*a)) or calls[-1])
    model = make().set_params(penalty=ALTERNATING[penalty].scaled(share))
    first = model.fit(*data, **more).objective_
    assert calls and cm.certify(model, *data, **more).gap <= 2e-10 * model._summary.gain
    monkeypatch.setattr(_models.Model, "leap_cost", np.inf)
    assert abs(first - model.fit(*data, **more).objective_) <= 1e-9 * first


@pytest.mark.parametrize("q, n, d", [(2, 60, 300), (2, 300, 150), (np.inf, 300, 150)])
def test_weak_strengths_take_few_sweeps(q, n, d, monkeypatch):
    """Alternating directions take the place of hundreds of sweeps."""
    rng = np.random.default_rng(d)
    X = rng.normal(size=(n, d)) @ (0.3 * np.eye(d) + rng.normal(size=(d, d)) / np.sqrt(d))
    Y = X[:, :9] @ rng.normal(size=(9, 20)) + rng.normal(size=(n, 20))
    model = cm.BlockSparseRegressor(1.0, q=q, tol=1e-6, max_iter=20_000)
    model.set_params(alpha=alpha_max(model, X, Y) / 300)
    quick, objective = model.fit(X, Y).n_iter_, model.objective_
    monkeypatch.setattr(_models.Model, "leap_cost", np.inf)
    plain = model.fit(X, Y)
    assert quick < 0.8 * plain.n_iter_
    assert abs(objective - plain.objective_) <= 1e-5 * objective


def test_weights_that_lead_nowhere_are_left(monkeypatch):
    """The best is gone on with, but not with the weights from which the last turn has found nothing better."""
    problem, _ = cases.make_problem("hinge", "linf", "shared")
    gaps, starts = iter([3.0, 2.0, 5.0, 4.0, 1.0]), []

    def turn(problem, start, tol, max_iter, callback, patience):
        starts.append(start)
        gap = next(gaps)
        status = Status.CONVERGED if gap == 1.0 else Status.OUT_OF_ITERATIONS
        return Result((np.full(problem.shape, gap),), None, gap, gap, 1, status, [], rho=np.array([10 * gap]))

    monkeypatch.setattr(solvers, "KINKED", [(lambda problem: True, turn, lambda problem: 1)] * 2)
    assert solvers._take_turns(problem, None, 1e-6, 100, None).dual_gap == 1.0
    assert starts[0] is None and [start.parts[0][0, 0] for start in starts[1:]] == [3.0, 2.0, 2.0, 2.0]
    assert [start.rho[0] for start in starts[1:]] == [30.0, 20.0, 50.0, 40.0]


# ----------------------------------------------------------------------------------- what takes less time


def classes(layout, family, seed=0, **parameters):
    """A problem of labels, with more features than any compiled loop is for."""
    X, y, *rest = datasets.make_low_rank(
        n_tasks=6, n_features=40, n_samples=150, layout=layout, classification=True, random_state=seed
    )
    task = rest[0] if layout == "stacked" else None
    return getattr(cm, family + "Classifier")(**parameters)._formulate(X, y, task=task).problem


@pytest.mark.parametrize("layout", ["shared", "stacked"])
def test_a_loss_is_followed(layout, monkeypatch):
    """No curvature of single samples is made a matrix of, and what comes out is what comes of it."""
    problem = classes(layout, "TraceNorm", alpha=0.05)
    monkeypatch.setattr(splitting, "FOLLOWED", 0)
    slow = solve(problem, tol=1e-7)
    monkeypatch.undo()
    monkeypatch.setattr(Design, "weighted", None if layout == "shared" else Design.weighted)
    quick = solve(problem, tol=1e-7)
    assert slow.converged and quick.converged
    assert abs(quick.objective - slow.objective) <= 2e-7 * problem.data.gain
    assert_allclose(quick.W, slow.W, atol=1e-2 * np.abs(slow.W).max())


def test_a_model_with_too_little_curvature_gets_more():
    """Labels that are all but separable have next to none at the start of a path, and much more where it leads."""
    problem = classes("shared", "TraceNorm", alpha=0.03)
    far = Result((50 * np.random.default_rng(0).standard_normal(problem.shape),), None, np.inf, np.inf, 0, None)
    side = splitting.Following(problem, duality_gap(problem, far.parts).z)
    directions = splitting.Directions(problem, far.parts, duality_gap(problem, far.parts), side)
    directions.run(20, 0.0)
    assert side.factor > 1
    result = splitting.solve(problem, far, 1e-6)
    assert result.converged and abs(result.objective - solve(problem).objective) <= 1e-4 * problem.data.gain


@pytest.mark.parametrize("layout", ["shared", "stacked"])
def test_what_is_free_is_taken_out_of_the_dual_variables(layout, monkeypatch):
    """A graph leaves the mean of the tasks free: however the system for it is solved, the bound is the same."""
    X, y, *rest = datasets.make_low_rank(
        n_tasks=6, n_features=40, n_samples=60, layout=layout, classification=True, random_state=0
    )
    penalty = GraphLaplacian([(t, t + 1) for t in range(5)], 0.05)
    estimator = cm.MultiTaskClassifier(penalty=penalty)
    problem = estimator._formulate(X + 3.0, y, task=rest[0] if layout == "stacked" else None).problem
    W = 0.1 * np.random.default_rng(0).standard_normal(problem.shape)
    found = duality_gap(problem, (W,))
    monkeypatch.setattr(certificate, "_by_products", lambda *rest: (None, False))
    monkeypatch.setattr(certificate, "_pooled_gram", lambda tasks, h, means: tasks.gram(h, means).sum(axis=0))
    expected = duality_gap(problem, (W,))
    assert 0 < expected.gap < problem.data.trivial[0] + 1
    assert_allclose(found.gap, expected.gap, rtol=1e-9)
    assert_allclose(found.dual, expected.dual, rtol=1e-9)


def test_elimination_by_products_of_matrices():
    rng, (T, d) = np.random.default_rng(0), (7, 40)
    A = rng.standard_normal((T, 2 * d, d))
    tree = GraphLaplacian([(t, t // 2) for t in range(1, T)], 3.0)
    G, coupling = A.swapaxes(1, 2) @ A, tree.resolve(d, np.arange(T)).coupling
    R = rng.standard_normal((d, T))
    found = task_system(G, coupling)(R)
    assert_allclose(np.einsum("tij,jt->it", G, found) + 2 * coupling.apply(found), R, atol=1e-10)


def test_steps_of_newtons_method_are_few(monkeypatch):
    """Those after the first one know of others, or have the curvature of their own samples."""
    problem = classes("shared", "MeanRegularized", alpha_mean=0.01)
    quick = solve(problem, tol=1e-8)
    monkeypatch.setattr(newton, "QUICK", 1.0)
    assert solve(problem, tol=1e-8).n_iter <= quick.n_iter + 2
    monkeypatch.setattr(newton, "_remembered", lambda system, steps, R: system(R))
    slow = solve(problem, tol=1e-8)
    assert quick.converged and quick.n_iter <= 0.7 * slow.n_iter


@pytest.mark.parametrize(
    "penalty", [MeanCoupling(0.001, 20.0), GraphLaplacian([(t, (t + 1) % 6) for t in range(6)], alpha=0.5)]
)
def test_what_is_separable_preconditions_couplings(penalty, monkeypatch):
    """With the coupling whole it takes fewer products than with its diagonal."""
    problem, products = classes("stacked", "MultiTask", penalty=penalty), []
    bent = Tasks.bent
    monkeypatch.setattr(Tasks, "bent", lambda *given: products.append(1) or bent(*given))
    monkeypatch.setattr(newton, "UNKNOWNS", 0)
    quick = solve(problem, tol=1e-7)
    few = len(products)
    monkeypatch.setattr(newton, "FEW", 0)
    slow = solve(problem, tol=1e-7)
    assert quick.converged and slow.converged and 0 < few <= 0.6 * (len(products) - few)
    assert_allclose(quick.W, slow.W, atol=1e-3 * np.abs(slow.W).max())
    # Of a product and any coupling it is the inverse.
    rng, (d, T) = np.random.default_rng(0), problem.shape
    a, b, R = rng.uniform(1, 9, d), rng.uniform(1, 9, T), rng.standard_normal((d, T))
    separable = Separable(np.outer(a, b), problem.penalty.coupling)
    W = separable.at(np.outer(2 * a, b)).precondition(R)
    assert separable.fits(np.outer(a, b)) and not separable.fits(np.outer(a, b) * 1e3 ** rng.uniform(size=(d, T)))
    assert_allclose(2 * np.outer(a, b) * W + 2 * problem.penalty.coupling.apply(W), R, atol=1e-9)


@pytest.mark.parametrize("layout", ["shared", "stacked"])
def test_dear_bounds_are_few(layout, monkeypatch):
    """Where directions are free, a bound is made only of what may be the last step; what is handed out has one."""
    problem = classes(layout, "MultiTask", penalty=GraphLaplacian([(t, t + 1) for t in range(5)], alpha=0.05))
    monkeypatch.setattr(newton, "UNKNOWNS", 0)
    bounds, correction = [], certificate._correction
    monkeypatch.setattr(certificate, "_correction", lambda *given: bounds.append(1) or correction(*given))
    result = solve(problem, tol=1e-8)
    assert result.converged and len(bounds) == len(result.history) < result.n_iter + 1
    assert_allclose(duality_gap(problem, result.parts).gap, result.dual_gap, atol=0.1 * problem.threshold(1e-8))
    short = solve(problem, tol=1e-8, max_iter=1)
    assert short.status is Status.OUT_OF_ITERATIONS and np.isfinite(short.dual_gap)
    assert_allclose(duality_gap(problem, short.parts).gap, short.dual_gap, rtol=1e-6)
    assert short.history[-1] == (1, short.objective, short.dual_gap)


EDGES = [(t, t + 1) for t in range(5)]
COUPLINGS = {
    "graph": lambda a: GraphLaplacian(EDGES, a),
    "two parts": lambda a: GraphLaplacian(EDGES[:2] + EDGES[3:], a),
    "graph and mean": lambda a: GraphLaplacian(EDGES, a) + MeanCoupling(0.1 * a, 0.3 * a),
    "mean": lambda a: MeanCoupling(a, 3 * a),
}


@pytest.mark.parametrize("d", [10, 40])
@pytest.mark.parametrize("even", [True, False])
@pytest.mark.parametrize("coupling", COUPLINGS)
def test_a_path_of_couplings_is_solved_at_once(coupling, even, d, monkeypatch):
    """With what is free of a penalty, and certified as single fits are."""
    X, Y, *_ = datasets.make_clustered(n_tasks=6, n_features=d, n_samples=90, layout="shared", random_state=0)
    data = DataTerm(Tasks.shared(X + 2.0, Y, task_weight=None if even else np.linspace(1, 3, 6)), get_loss("squared"))
    factors = np.geomspace(10.0, 1e-3, 12)
    problems = [Problem(data, COUPLINGS[coupling](a).resolve(d, np.arange(6))) for a in factors]
    monkeypatch.setattr(coupling_path, "flat_system", None)
    monkeypatch.setattr(coupling_path.newton, "solve", None)
    assert coupling_path.applies(problems)
    for problem, result in zip(problems, coupling_path.solve(problems, factors, 1e-9, 10), strict=True):
        found = duality_gap(problem, result.parts, intercept=result.intercept)
        assert result.converged and found.gap <= problem.threshold(1e-9)
        assert_allclose(result.objective, found.primal, rtol=1e-12)


def test_a_path_of_couplings_does_not_claim_what_samples_do_not_allow():
    """Two features are the same: along their difference, nothing holds the mean of the tasks."""
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((90, 40)), rng.standard_normal((90, 6))
    X[:, 1] = X[:, 0]
    data = DataTerm(Tasks.shared(X, Y), get_loss("squared"))
    problems = [Problem(data, COUPLINGS["graph"](a).resolve(40, np.arange(6))) for a in (1.0, 0.1, 0.01)]
    for problem, result in zip(problems, coupling_path.solve(problems, [1.0, 0.1, 0.01], 1e-9, 10), strict=True):
        found = duality_gap(problem, result.parts)
        assert result.converged and found.gap <= problem.threshold(1e-9)


def test_gram_matrices_of_the_features_that_are_asked_for():
    """Not of all whose columns have been looked at."""
    X, Y = draw(20, 300, 3, offset=1.0)
    columns = cm.BlockSparseRegressor()._formulate(X, Y).problem.data.design.columns
    rows = columns.take(np.arange(300)).copy()
    for features in (np.array([7, 3, 250]), np.array([3, 9, 7]), np.arange(40, 60), np.arange(300)[::-1]):
        assert_allclose(columns.gram(features), rows[features] @ rows[features].T, atol=1e-12)
        assert len(features) > 100 or len(columns.G) < 200
