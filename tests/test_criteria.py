"""Degrees of freedom, against brute force; criteria, against their formulas; searches without folds."""

import warnings
from dataclasses import replace

import cases
import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import is_classifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import convexmtl as cm
from benchmarks import criteria as simulation
from convexmtl import criteria, datasets, freedom
from convexmtl.data import DataTerm
from convexmtl.estimators import _cv
from convexmtl.inspection import CVDisplay
from convexmtl.penalties import TraceNorm
from convexmtl.problem import Problem
from convexmtl.solvers import solve

SEARCHES = [cls for cls in vars(cm).values() if isinstance(cls, type) and issubclass(cls, _cv.CrossValidated)]
TWINS = [cls for cls in SEARCHES if "bic" in cls._selections and cls is not cm.MultiTaskMixedCV]
TIGHT = 1e-14
# Everything is small: brute force fits once for every target.
LAYOUTS = {
    "shared": (cases.with_options(cases.shared, n=9, d=3, T=3), True),
    "missing": (cases.with_options(cases.shared, n=10, d=3, T=3, missing=0.2), True),
    "stacked": (cases.with_options(cases.stacked, sizes=(6, 9, 7), d=3, weight=cases.row_weights), True),
    "wide": (cases.with_options(cases.shared, n=4, d=5, T=3), False),
    "single": (cases.with_options(cases.shared, n=10, d=4, T=1), True),
}


def problem_of(loss, penalty, layout, seed=0):
    build, fit_intercept = LAYOUTS[layout]
    case = cases.LOSSES[loss]
    tasks = build(case.targets, np.random.default_rng(seed))
    written = cases.PENALTIES[penalty].build(tasks.n_features, tasks.n_tasks)
    canonical = written.resolve(tasks.n_features, np.arange(tasks.n_tasks))
    return Problem(DataTerm(tasks, case.loss, fit_intercept), canonical)


def by_brute_force(problem, size=3e-5, curvature=None):
    """(degrees of freedom (T,), the solution): every target on its own is moved by ``size`` to both sides, which is
    less than what any of the tables' solutions are from a kink."""
    data, tasks = problem.data, problem.tasks
    best, found = solve(problem, None, TIGHT), np.zeros(tasks.n_tasks)
    for i in np.flatnonzero(tasks.weight > 0):
        z = []
        for side in (size, -size):
            moved = replace(tasks, y=tasks.y + side * (np.arange(len(tasks.y)) == i))
            other = replace(data, tasks=moved)
            # (Not from the best: within the tolerance that would do.)
            result = solve(Problem(other, problem.penalty), None, TIGHT)
            z.append(other.predict(result.W, result.intercept)[i])
        bend = 1.0 if curvature is None else curvature(data.predict(best.W, best.intercept))[i]
        found[tasks.sample_task[i]] += bend * (z[0] - z[1]) / (2 * size)
    return found, best


# ------------------------------------------------------------------------------ degrees of freedom


# One of each way in which a penalty knows its manifold, for every run.
KINDS = ["l1", "l2_ridge", "linf_ridge", "sparse_group", "temporal_l1_ridge", "tree", "graph_l1_free", "task_norm"]
KINDS += ["l2_positive", "temporal_l1_positive"]
KINDS += ["trace", "squared_trace_ridge", "learned_clusters", "mean", "known_clusters", "any_matrix", "l2+graph"]
KINDS += ["l2+trace", "trace+l1+bounds", "sparse,low_rank+positive"]


def check_freedom(penalty, layout):
    if cases.PENALTIES[penalty].free and layout in ("wide", "single"):
        layout = "shared"
    problem = problem_of("squared", penalty, layout)
    expected, best = by_brute_force(problem)
    assert_allclose(freedom.freedom(problem, best.parts), expected, atol=1e-4)


@pytest.mark.covering(1)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("penalty", KINDS)
def test_freedom_is_that_by_brute_force(penalty, layout):
    check_freedom(penalty, layout)


@pytest.mark.covering(0)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("penalty", [name for name in cases.PENALTIES if name not in KINDS])
def test_so_is_that_of_all_others(penalty, layout):
    check_freedom(penalty, layout)


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_parts_between_which_nothing_tells(share):
    """Two norms that are the same, one of the features and one of the only index with several values."""
    problem = problem_of("squared", "tensor_latent", "missing")
    alone = Problem(problem.data, TraceNorm(problem.penalty.terms[0].alpha).resolve(3, np.arange(3)))
    W = solve(alone, None, TIGHT).W
    parts = share * W, np.zeros_like(W), (1 - share) * W
    assert_allclose(freedom.freedom(problem, parts), freedom.freedom(alone, (W,)), rtol=1e-8)


@pytest.mark.parametrize("form", ["shared", "stacked"])
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_one_model_for_the_one_task(loss, form):
    """Of a single task both baselines are the same, whatever one model for all makes of the weights of the samples."""
    X, y, _ = cases.user_input(loss, "stacked")
    y = y[:, None] if form == "shared" else y
    weight = np.random.default_rng(0).integers(1, 4, len(y)).astype(float)
    ending = "ClassifierCV" if loss == "logistic" else "RegressorCV"
    for given in ({}, {"sample_weight": weight}):
        values = []
        for name in ("Pooled", "SingleTask"):
            fitted = getattr(cm, name + ending)(alphas=[0.1], cv=2).fit(X, y, **given)
            values.append([cm.information_criterion(fitted, X, y, criterion=c, **given) for c in ("aic", "bic")])
        assert_allclose(*values)


def test_freedom_of_yuan_and_lin():
    """Orthonormal features: (1 + (T - 1) norm(w_j) / norm(of the least squares)) for every row in use."""
    rng = np.random.default_rng(0)
    n, d, T = 30, 8, 5
    X = np.linalg.qr(rng.standard_normal((n, d)))[0] * np.sqrt(n)
    Y = X @ (rng.standard_normal((d, T)) * (np.arange(d) < 4)[:, None]) + 0.5 * rng.standard_normal((n, T))
    model = cm.BlockSparseRegressor(0.5, fit_intercept=False, tol=1e-12).fit(X, Y)
    shrunk = np.linalg.norm(model.coef_, axis=0) / np.linalg.norm(X.T @ Y / n, axis=1)
    assert 0 < np.sum(shrunk > 0) < d
    expected = np.sum((shrunk > 0) + (T - 1) * shrunk)
    assert_allclose(cm.degrees_of_freedom(model, X, Y), expected, rtol=1e-6)


@pytest.mark.parametrize("loss", ["poisson", "logistic"])
def test_freedom_of_other_losses_is_the_influence_at_working_weights(loss):
    """l1 leaves its support free, in which the influence is a projection; a row norm does not, but curvature can be
    told apart by targets that may take any value."""
    problem = problem_of(loss, "l1", "stacked")
    best = solve(problem, None, TIGHT)
    assert_allclose(freedom.freedom(problem, best.parts), np.count_nonzero(best.W, axis=0) + 1, atol=1e-6)
    if loss == "poisson":
        problem = problem_of(loss, "l2", "stacked")
        # (Counts above zero, which may be a little less.)
        data = replace(problem.data, tasks=replace(problem.tasks, y=problem.tasks.y + 1))
        problem = replace(problem, data=data)
        expected, best = by_brute_force(problem, curvature=np.exp)
        assert_allclose(freedom.freedom(problem, best.parts), expected, atol=2e-3)


@pytest.mark.parametrize("penalty", ["trace", "sparse_low_rank", "l2"])
def test_nudged_targets_say_the_same(penalty, monkeypatch):
    """All axes, one by one; and few directions at random, within their error."""
    problem = problem_of("squared", penalty, "stacked")
    best = solve(problem, None, TIGHT)
    exact = freedom.freedom(problem, best.parts)
    monkeypatch.setattr(freedom, "_exact", lambda *args: None)
    assert_allclose(freedom.freedom(problem, best.parts, n_probes=20), exact, atol=0.05)
    few = np.mean([freedom.freedom(problem, best.parts, 4, seed).sum() for seed in range(4)])
    assert_allclose(few, exact.sum(), atol=3 * np.sqrt(2 * exact.sum() / 16))
    monkeypatch.setattr(freedom, "ENTRIES", 1)
    plain = freedom.freedom(problem, best.parts, 40).sum()
    assert_allclose(plain, exact.sum(), atol=3 * np.sqrt(2 * exact.sum() / 40))


@pytest.mark.parametrize("penalty", ["l2", "mean", "robust_feature", "sparse_group"])
def test_task_by_task_is_at_once(penalty, monkeypatch):
    problem = problem_of("squared", penalty, "stacked")
    best = solve(problem, None, TIGHT)
    expected = freedom.freedom(problem, best.parts)
    monkeypatch.setattr(freedom, "_task_by_task", lambda *args: None)
    assert_allclose(freedom.freedom(problem, best.parts), expected, rtol=1e-8)


def test_freedom_of_many_tasks_makes_no_large_matrix():
    """300 tasks of 8 features: what is between them is of low rank, and the traces are those of the tasks alone where
    the penalty is too weak to join them."""
    rng = np.random.default_rng(0)
    task = np.repeat(np.arange(300), 12)
    X = rng.standard_normal((len(task), 8))
    y = X[:, 0] + rng.standard_normal(len(task))
    for estimator in (cm.BlockSparseRegressor(1e-7, tol=1e-9), cm.MeanRegularizedRegressor(1e-7, 1e-7)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            model = estimator.fit(X, y, task=task)
        assert_allclose(cm.degrees_of_freedom(model, X, y, task=task), 300 * 9, rtol=1e-4)
    model = cm.BlockSparseRegressor(4.0).fit(X, y, task=task)
    df = cm.degrees_of_freedom(model, X, y, task=task, per_task=True)
    assert df.shape == (300,) and 300 < df.sum() < 1500 and (df > 0.9).all()


def test_freedom_where_samples_are_too_few():
    """All that can be followed is: as many degrees of freedom as samples, and not more."""
    X, y, task, _ = datasets.make_block_sparse(n_tasks=10, n_samples=12, n_features=20, random_state=0)
    for estimator in (cm.BlockSparseRegressor(1e-3), cm.SparseGroupRegressor(1e-3), cm.BlockSparseRegressor(1e-3, q=1)):
        df = cm.degrees_of_freedom(estimator, X, y, task=task, per_task=True)
        assert np.all((df > 6) & (df < 12 + 1e-6))


# ---------------------------------------------------------------------------------------- criteria

X, Y, _ = datasets.make_block_sparse(n_tasks=3, n_samples=30, n_features=8, layout="shared", noise=0.5, random_state=0)
MODEL = cm.BlockSparseRegressor(0.1, tol=1e-10).fit(X, Y)
ALL = ("aic", "bic", "ebic", "sure")


def values(model, X, Y, **given):
    return [cm.information_criterion(model, X, Y, criterion=name, **given) for name in ALL]


def test_criteria_are_their_formulas():
    df, n = cm.degrees_of_freedom(MODEL, X, Y), Y.size
    squares = np.sum((Y - MODEL.predict(X)) ** 2, axis=0)
    fit = n * np.log(2 * np.pi * squares.sum() / n) + n
    assert_allclose(cm.information_criterion(MODEL, X, Y, criterion="aic"), fit + 2 * df)
    assert_allclose(cm.information_criterion(MODEL, X, Y), fit + np.log(n) * df)
    used = np.count_nonzero(MODEL.coef_.any(axis=0))
    supports = np.log(np.prod(np.arange(8 - used + 1, 9)) / np.prod(np.arange(1, used + 1)))
    found = cm.information_criterion(MODEL, X, Y, criterion="ebic", gamma=0.5)
    assert_allclose(found, fit + np.log(n) * df + supports)
    own = np.sum(30 * np.log(2 * np.pi * squares / 30) + 30)
    assert_allclose(cm.information_criterion(MODEL, X, Y, noise="task", criterion="aic"), own + 2 * df)
    given = n * np.log(2 * np.pi * 0.3) + squares.sum() / 0.3
    assert_allclose(cm.information_criterion(MODEL, X, Y, noise=0.3, criterion="aic"), given + 2 * df)
    # What least squares leave.
    design = np.column_stack([np.ones(30), X])
    noise = np.linalg.lstsq(design, Y, rcond=None)[1] / (30 - 9)
    expected = (squares.sum() + noise.mean() * (2 * df - n)) / n
    assert_allclose(cm.information_criterion(MODEL, X, Y, criterion="sure"), expected)
    by_task = cm.degrees_of_freedom(MODEL, X, Y, per_task=True)
    expected = np.sum(squares + noise * (2 * by_task - 30)) / n
    assert_allclose(cm.information_criterion(MODEL, X, Y, criterion="sure", noise="task"), expected)


def test_criteria_of_least_squares_are_the_textbook_ones():
    y = Y[:, 0]
    model = cm.MeanRegularizedRegressor(1e-12, 1e-12, tol=1e-8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model.fit(X, y)
    rss = np.linalg.lstsq(np.column_stack([np.ones(30), X]), y, rcond=None)[1][0]
    expected = 30 * np.log(2 * np.pi * rss / 30) + 30 + 2 * 9
    assert_allclose(cm.information_criterion(model, X, y, criterion="aic"), expected, rtol=1e-6)


def test_criteria_of_likelihoods():
    counts = np.random.default_rng(0).poisson(np.exp(0.3 * X[:, :3]))
    model = cm.BlockSparseRegressor(0.05, loss="poisson", tol=1e-9).fit(X, counts)
    mean = model.predict(X)
    factorials = np.array([np.sum(np.log(np.arange(1, k + 1))) for k in counts.ravel()]).reshape(counts.shape)
    fit = -2 * np.sum(counts * np.log(mean) - mean - factorials)
    df = cm.degrees_of_freedom(model, X, counts)
    assert_allclose(cm.information_criterion(model, X, counts, criterion="aic"), fit + 2 * df, rtol=1e-6)
    labels = Y > 0
    model = cm.BlockSparseClassifier(0.05, tol=1e-9).fit(X, labels)
    p = model.predict_proba(X)
    fit = -2 * np.sum(np.log(np.where(labels, p, 1 - p)))
    df = cm.degrees_of_freedom(model, X, labels)
    assert 3 < df < 27
    assert_allclose(cm.information_criterion(model, X, labels), fit + np.log(90) * df, rtol=1e-6)


def test_layouts_say_the_same():
    """One X, stacked copies, weights in place of repeated rows, missing targets in place of dropped ones."""
    expected = values(MODEL, X, Y)
    stacked, task = np.tile(X, (3, 1)), np.repeat(["a", "b", "c"], 30)
    assert_allclose(values(cm.BlockSparseRegressor(0.1, tol=1e-10), stacked, Y.T.ravel(), task=task), expected)
    frame = pd.DataFrame(stacked, columns=[f"x{j}" for j in range(8)]).assign(school=task)
    by_column = cm.BlockSparseRegressor(0.1, tol=1e-10, task_column="school").fit(frame, Y.T.ravel())
    assert_allclose(values(by_column, frame, Y.T.ravel()), expected)
    weight = np.random.default_rng(0).integers(0, 3, 30)
    often = np.repeat(np.arange(30), weight)
    repeated = cm.BlockSparseRegressor(0.1, tol=1e-10).fit(X[often], Y[often])
    weighted = cm.BlockSparseRegressor(0.1, tol=1e-10).fit(X, Y, sample_weight=weight)
    # (How many samples there are to spare for the noise does not depend on their weights.)
    given = {"noise": 0.3}
    found = values(weighted, X, Y, sample_weight=weight, **given)
    assert_allclose(found, values(repeated, X[often], Y[often], **given), rtol=1e-6)
    holes = np.where(np.arange(90).reshape(30, 3) % 7 == 0, np.nan, Y)
    seen = ~np.isnan(holes.T.ravel())
    found = values(cm.BlockSparseRegressor(0.1, tol=1e-10), X, holes)
    kept = {"task": task[seen]}
    assert_allclose(found, values(cm.BlockSparseRegressor(0.1, tol=1e-10), stacked[seen], Y.T.ravel()[seen], **kept))


def test_sure_is_unbiased():
    """Beside the true risk, over 60 draws of the noise."""
    rng = np.random.default_rng(0)
    signal = X[:, :2] @ rng.standard_normal((2, 3))
    differences = []
    for _ in range(60):
        drawn = signal + rng.standard_normal(signal.shape)
        model = cm.TraceNormRegressor(0.3).fit(X, drawn)
        risk = np.mean((model.predict(X) - signal) ** 2)
        differences.append(cm.information_criterion(model, X, drawn, criterion="sure", noise=1.0) - risk)
    assert abs(np.mean(differences)) < 3 * np.std(differences) / np.sqrt(60)


def test_noise_without_least_squares():
    """More features than samples: from the path, within a factor of two of the truth."""
    X, Y, _ = datasets.make_block_sparse(
        n_tasks=10, n_samples=20, n_features=60, n_informative=3, layout="shared", noise=1.0, random_state=0
    )
    model = cm.BlockSparseRegressor(0.5).fit(X, Y)
    found = cm.information_criterion(model, X, Y, criterion="sure")
    truth = cm.information_criterion(model, X, Y, criterion="sure", noise=1.0)
    assert abs(found - truth) < 0.5


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"criterion": "hqc"}, "criterion must be one of"),
        ({"gamma": -1.0}, "gamma must be a finite number >= 0, got -1.0"),
        ({"noise": "none"}, "noise must be 'pooled', 'task' or the variance itself, got 'none'"),
        ({"noise": 0.0}, "noise must be positive"),
        ({"noise": [1.0, 2.0]}, "one variance or 3, one for each task"),
        ({"n_probes": 0}, "n_probes must be an integer of at least 1, got 0"),
    ],
)
def test_parameters(given, message):
    with pytest.raises(ValueError, match=message):
        cm.information_criterion(MODEL, X, Y, **given)


def test_what_has_no_criterion():
    with pytest.raises(ValueError, match=r"needs a likelihood, which loss Huber\(\) is not: use one of \['squared'"):
        cm.information_criterion(cm.BlockSparseRegressor(loss="huber"), X, Y)
    with pytest.raises(ValueError, match=r"sure.* is about squared errors, and loss Logistic"):
        cm.information_criterion(cm.BlockSparseClassifier(), X, Y > 0, criterion="sure")
    with pytest.raises(ValueError, match="selection='aic' needs a likelihood"):
        cm.BlockSparseClassifierCV(loss="squared_hinge", selection="aic").fit(X, Y > 0)
    with pytest.raises(ValueError, match="not what this BlockSparseRegressor was fitted to"):
        cm.information_criterion(MODEL, X, Y + 1)
    with pytest.raises(ValueError, match="features"):
        cm.information_criterion(MODEL, X[:, :5], Y)
    exact = cm.MeanRegularizedRegressor(1e-9, 1e-9, tol=1e-12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        with pytest.raises(ValueError, match=r"leaves nothing of the targets to estimate the noise from.*noise="):
            cm.information_criterion(exact, X[:6], Y[:6])


# ---------------------------------------------------------------------------------------- searches

QUICK = {"alphas": 6, "eps": 0.05}


@pytest.mark.covering(1)
@pytest.mark.parametrize("selection", ALL)
@pytest.mark.parametrize("cls", TWINS)
def test_searches_without_folds(cls, selection, monkeypatch):
    selection = "bic" if is_classifier(cls()) and selection == "sure" else selection
    X, y, task, *_ = datasets.make_clustered(
        n_tasks=4, n_samples=15, n_features=5, classification=is_classifier(cls()), random_state=0
    )
    monkeypatch.setattr(_cv, "_errors", None)
    monkeypatch.setattr(cls, "_folds", None)
    twin = cls(**QUICK, selection=selection).fit(X, y, task=task)
    assert not hasattr(twin, "mse_path_") and not hasattr(twin, "task_errors_")
    assert twin.criterion_path_.shape == twin.df_path_.shape
    assert twin.df_path_.shape[-1] == 6 and twin.df_path_.size == 6 * len(twin.settings_)
    assert np.isfinite(twin.criterion_path_).all() and np.all((twin.df_path_ > 0) & (twin.df_path_ < len(y)))
    p, a = np.unravel_index(np.argmin(twin.criterion_path_), (len(twin.settings_), 6))
    alphas = np.broadcast_to(twin.alphas_, (len(twin.settings_), 6))
    strengths = twin._penalty().strength_values()
    assert_allclose(next(value for value in strengths.values() if value > 0), alphas[p, a])
    df = np.atleast_2d(twin.df_path_)[p, a]
    assert_allclose(cm.degrees_of_freedom(twin, X, y, task=task), df, rtol=0.02)


def test_what_is_chosen_has_the_least_criterion():
    twin = cm.BlockSparseRegressorCV(**QUICK, selection="bic").fit(X, Y)
    design = np.column_stack([np.ones(30), X])
    noise = np.mean(np.linalg.lstsq(design, Y, rcond=None)[1]) / (30 - 9)
    singles = [cm.BlockSparseRegressor(alpha) for alpha in twin.alphas_]
    expected = [cm.information_criterion(single, X, Y, noise=noise) for single in singles]
    assert_allclose(twin.criterion_path_, expected, rtol=1e-4)
    assert twin.alpha_ == twin.alphas_[np.argmin(expected)]


def test_a_path_ends_where_nothing_is_left_of_the_samples():
    """More features than samples: what follows all targets is not chosen, and not made."""
    X, y, task, _ = datasets.make_block_sparse(n_tasks=5, n_samples=10, n_features=30, n_informative=2, random_state=0)
    twin = cm.BlockSparseRegressorCV(alphas=20, eps=1e-3, selection="sure").fit(X, y, task=task)
    made = np.isfinite(twin.criterion_path_)
    assert 2 < np.sum(made) < 20 and np.all(np.diff(made.astype(int)) <= 0)
    assert_array_equal(made, ~np.isnan(twin.df_path_))
    assert np.all(twin.df_path_[made][:-1] <= 0.9 * 50) and twin.df_path_[made][-1] > 0.9 * 50
    assert made[twin.alphas_ == twin.alpha_].all()


def test_jobs_layouts_and_pipelines_of_searches():
    one = cm.DirtyRegressorCV(**QUICK, ratios=2, selection="sure").fit(X, Y)
    with parallel_config("threading"):
        two = cm.DirtyRegressorCV(**QUICK, ratios=2, selection="sure", n_jobs=2).fit(X, Y)
    assert_array_equal(one.criterion_path_, two.criterion_path_)
    frame = pd.DataFrame(np.tile(X, (3, 1))).assign(school=np.repeat(["a", "b", "c"], 30))
    frame.columns = frame.columns.astype(str)
    stacked = cm.DirtyRegressorCV(**QUICK, ratios=2, selection="sure", task_column="school").fit(frame, Y.T.ravel())
    assert_allclose(stacked.criterion_path_, one.criterion_path_, rtol=1e-3)
    pipe = make_pipeline(StandardScaler(), cm.TraceNormRegressorCV(**QUICK, selection="ebic")).fit(X, Y)
    assert pipe[-1].criterion_path_.shape == (6,)
    # A fit by folds afterwards leaves nothing of it.
    pipe.set_params(tracenormregressorcv__selection="best", tracenormregressorcv__cv=2).fit(X, Y)
    assert not hasattr(pipe[-1], "criterion_path_") and hasattr(pipe[-1], "mse_path_")


def test_a_search_finds_the_support_that_errors_do_not():
    """Few of many features: "bic" leaves fewer of the others than cross-validation, and misses none."""
    X, y, task, W = datasets.make_block_sparse(n_tasks=8, n_samples=30, n_features=40, n_informative=4, random_state=1)
    true = W.any(axis=1)
    found = {
        selection: cm.BlockSparseRegressorCV(alphas=40, eps=0.01, selection=selection)
        .fit(X, y, task=task)
        .coef_.any(axis=0)
        for selection in ("best", "bic")
    }
    assert all(np.all(used[true]) for used in found.values())
    assert np.sum(found["bic"]) < np.sum(found["best"])


def test_searches_are_drawn():
    twin = cm.DirtyRegressorCV(**QUICK, ratios=2, selection="bic").fit(X, Y)
    display = CVDisplay.from_estimator(twin)
    assert display.ax_.get_ylabel() == "BIC" and len(display.lines_) == 2
    assert_array_equal(display.lines_[1].get_ydata(), twin.criterion_path_[1])
    assert criteria.CRITERIA == ALL


def test_simulation_of_what_criteria_choose(tmp_path, monkeypatch):
    monkeypatch.setattr(simulation, "SELECTIONS", ("best", "bic"))
    monkeypatch.setitem(simulation.SIZES, "n_samples", 24)
    file = tmp_path / "criteria.csv"
    simulation.main(["--seeds", "2", "--only", "block-sparse", "--csv", str(file)])
    table = pd.read_csv(file)
    assert table["selection"].tolist() == ["best", "bic"] and table["as good as best"][0] == 2
    assert (table["error"] > 0).all() and table["recall"].between(0, 1).all()
