"""After selection: fits without the penalty on what it has selected, and adaptive weights."""

import pickle
import warnings

import cases
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import convexmtl as cm
from convexmtl import datasets, reference
from convexmtl.model_selection import TaskKFold
from convexmtl.penalties import RowNorm, Weighted

TWINS = [getattr(cm, cls.__name__ + "CV") for cls in cases.ESTIMATORS if "refit" in cls().get_params()]
SINGLES = [cls for cls in cases.ESTIMATORS if "refit" in cls().get_params()]
named = {"ids": lambda cls: cls.__name__}
LARGE = datasets.make_block_sparse(n_tasks=6, n_samples=40, n_features=30, n_informative=5, random_state=0)


@pytest.mark.covering(1)
@pytest.mark.parametrize("form", cases.INPUT_FORMS)
@pytest.mark.parametrize("loss", cases.LOSSES)
@pytest.mark.parametrize("cls", cases.ESTIMATORS, **named)
@pytest.mark.filterwarnings("ignore:.*do not determine")
def test_relaxed_against_the_reference(cls, loss, form):
    """Any estimator: certified, from outside as well, and what cvxpy makes of the loss on the support."""
    if cases.LOSSES[loss].loss.classification != is_classifier(cls()):
        pytest.skip("a loss for others")
    X, y, options = cases.user_input(loss, form)
    fit = cls(loss=cases.LOSSES[loss].loss, tol=1e-7).fit(X, y, **options)
    before = pickle.dumps(fit)
    relaxed = cm.relax(fit, X, y, **options)
    assert pickle.dumps(fit) == before and type(relaxed) is cls
    assert_array_equal(relaxed.coef_ != 0, fit.coef_ != 0)
    scale = cases.scale_of(fit._formulate(X, y, **options).problem)
    asked = reference.fit(relaxed, X, y, **options)
    cases.assert_agrees(relaxed.objective_, relaxed.dual_gap_, asked, scale)
    assert relaxed.dual_gap_ <= 1e-7 * scale
    assert_allclose(cm.certify(relaxed, X, y, **options).gap, relaxed.dual_gap_, atol=1e-9 * scale)
    assert relaxed.predict(X, **({"task": options["task"]} if "task" in options else {})).shape == np.shape(y)


def test_relaxed_is_least_squares_on_the_support():
    X, y, task, _ = LARGE
    fit = cm.SparseGroupRegressor(0.3).fit(X, y, task=task)
    relaxed = cm.relax(fit, X, y, task=task)
    assert len({tuple(row) for row in relaxed.coef_ != 0}) > 1  # the tasks have supports of their own
    for t, label in enumerate(fit.tasks_):
        used, rows = fit.coef_[t] != 0, task == label
        alone = LinearRegression().fit(X[rows][:, used], y[rows])
        assert_allclose(relaxed.coef_[t, used], alone.coef_, rtol=1e-8)
        assert_allclose(relaxed.intercept_[t], alone.intercept_, rtol=1e-8)
    assert not len(relaxed.ridge_tasks_)
    with pytest.raises(AttributeError):
        fit.ridge_tasks_  # noqa: B018


@pytest.mark.covering(1)
@pytest.mark.parametrize("cls", SINGLES, **named)
@pytest.mark.filterwarnings("ignore:.*do not determine")
def test_refit_is_relax(cls):
    X, Y, _ = cases.user_input("logistic" if is_classifier(cls()) else "squared", "shared")
    both = cls(refit="relaxed", tol=1e-7).fit(X, Y)
    assert_allclose(both.coef_, cm.relax(cls(tol=1e-7).fit(X, Y), X, Y).coef_, rtol=1e-6, atol=1e-9)
    assert_array_equal(cm.relax(both, X, Y).coef_ != 0, both.coef_ != 0)
    assert both.dual_gap_ <= 1e-7 * cases.scale_of(both._formulate(X, Y).problem)
    again = clone(both).set_params(refit=None).fit(X, Y)
    assert_array_equal(again.coef_, cls(tol=1e-7).fit(X, Y).coef_)
    assert "was selected by" in str(cm.explain_fit(both))


def test_what_the_penalty_reports_is_of_the_relaxed_fit():
    X, Y, _ = cases.user_input("squared", "shared")
    dirty = cm.DirtyRegressor(0.3, 0.2, refit="relaxed").fit(X, Y)
    assert_allclose(dirty.block_ + dirty.sparse_, dirty.coef_)
    parts = cm.RobustFeatureRegressor().fit(X, Y)
    relaxed = cm.relax(parts, X, Y)
    assert hasattr(parts, "shared_") and not hasattr(relaxed, "shared_") and not hasattr(relaxed, "outlier_tasks_")
    twin = cm.BlockSparseRegressorCV(alphas=4, cv=3).fit(X, Y)
    assert cm.relax(twin, X, Y).alpha_ == twin.alpha_


# ------------------------------------------------------------------------- what data do not determine


def test_more_coefficients_than_samples_get_a_ridge():
    """Those tasks alone; features and targets may be in any unit."""
    rng = np.random.default_rng(0)
    sizes, d = (60, 60, 5), 8
    task = np.repeat(["a", "b", "few"], sizes)
    X = rng.standard_normal((sum(sizes), d))
    y = X @ rng.standard_normal(d) + 0.1 * rng.standard_normal(len(X))
    fit = cm.BlockSparseRegressor(0.01).fit(X, y, task=task)
    with pytest.warns(UserWarning, match=r"1 task\(s\) do not determine .*\['few'\]") as caught:
        relaxed = cm.relax(fit, X, y, task=task)
    assert caught[0].filename == __file__ and relaxed.ridge_tasks_.tolist() == ["few"]
    alone = LinearRegression().fit(X[task == "a"], y[task == "a"])
    assert_allclose(relaxed.coef_[0], alone.coef_, rtol=1e-8)
    few = task == "few"
    own = X[few] - X[few].mean(axis=0)
    squares = np.mean(own**2, axis=0)
    ridge = np.linalg.solve(own.T @ own / 5 + 1e-3 * np.diag(squares), own.T @ (y[few] - y[few].mean()) / 5)
    assert_allclose(relaxed.coef_[2], ridge, rtol=1e-7)
    units = np.geomspace(1e-3, 1e3, d)
    scaled = cm.BlockSparseRegressor(0.01, feature_weights=units).fit(X * units, y, task=task)
    with pytest.warns(UserWarning, match="few"):
        assert_allclose(cm.relax(scaled, X * units, y, task=task).coef_ * units, relaxed.coef_, rtol=1e-5)
    with pytest.warns(UserWarning, match="few") as caught:
        refit = cm.BlockSparseRegressor(0.01, refit="relaxed").fit(X, y, task=task)
    assert caught[0].filename == __file__
    assert_allclose(refit.coef_, relaxed.coef_, rtol=1e-6)
    assert any("few" in note for note in cm.explain_fit(refit).notes)


@pytest.mark.parametrize("kind", ["repeated", "apart", "nearly apart", "quasi", "no counts"])
def test_what_has_no_finite_or_single_solution(kind):
    """Features that repeat each other; classes that can be separated, wholly or in part; counts of zero."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 3))
    loss = "poisson" if kind == "no counts" else "squared" if kind == "repeated" else "logistic"
    y = {
        "repeated": X[:, 0] + 0.1 * rng.standard_normal(80),
        "apart": X[:, 0] > 0,
        "nearly apart": (X[:, 0] > 0) ^ (np.arange(80) == np.argmax(np.abs(X[:, 0]))),
        "quasi": (X[:, 1] > 0) | (rng.random(80) < 0.3),
        "no counts": rng.poisson(2.0, 80) * (X[:, 1] < 1),
    }[kind]
    X[:, 2] = X[:, 0] if kind == "repeated" else X[:, 2]
    if kind in ("quasi", "no counts"):
        # Where the feature is 1, one class or count is all there is.
        X[:, 1] = X[:, 1] > (0 if kind == "quasi" else 1)
    y = y if loss in ("squared", "poisson") else y.astype(int)
    Y = np.column_stack([y, rng.permutation(y)])  # the other task is an ordinary one, but for the repeated feature
    cls = cm.BlockSparseClassifier if loss == "logistic" else cm.BlockSparseRegressor
    fit = cls(1e-3, loss=loss, l1_ratio=0.5).fit(X, Y)
    expected = {"repeated": [0, 1], "nearly apart": []}.get(kind, [0])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        relaxed = cm.relax(fit, X, Y)
    assert relaxed.ridge_tasks_.tolist() == expected and len(caught) == bool(expected)
    assert np.all(np.abs(relaxed.coef_) < 1e3) and np.isfinite(relaxed.coef_).all()
    assert relaxed.dual_gap_ <= 1e-4 * relaxed.objective_
    if kind == "nearly apart":
        theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(X, y)
        assert_allclose(relaxed.coef_[0], theirs.coef_[0], rtol=1e-3)


def test_a_task_with_one_class_has_no_coefficients():
    X, Y, _ = cases.user_input("logistic", "shared")
    Y = Y.copy()
    Y[:, 1] = "no"
    with pytest.warns(UserWarning, match="a single class|do not determine"):
        fit = cm.BlockSparseClassifier(0.1, refit="relaxed").fit(X, Y)
    assert not fit.coef_[1].any() and fit.coef_[0].any()


def test_nothing_selected():
    X, Y, _ = cases.user_input("squared", "shared")
    fit = cm.BlockSparseRegressor(1e3, refit="relaxed").fit(X, Y)
    assert not fit.coef_.any() and fit.dual_gap_ < 1e-20
    assert_allclose(fit.intercept_, Y.mean(axis=0))


# ---------------------------------------------------------------------------------------------- searches


@pytest.mark.covering(1)
@pytest.mark.parametrize("cls", TWINS, **named)
@pytest.mark.filterwarnings("ignore:.*do not determine")
def test_errors_of_a_search_are_those_of_relaxed_fits(cls):
    X, Y = cases.draw_shared(cases.LOSSES["squared"].targets, np.random.default_rng(0), 150, 6, 3)
    Y = (Y > 0).astype(int) if is_classifier(cls()) else Y
    folds = list(TaskKFold(3).split(X, groups=np.zeros(150)))
    twin = cls(alphas=3, cv=folds, refit="relaxed", tol=1e-6).fit(X, Y)
    paths = twin.mse_path_.reshape(-1, 3, 3)
    for k, a in ((0, 1), (len(paths) - 1, 2)):
        strengths = np.broadcast_to(twin.alphas_, (len(paths), 3))[k]
        single = twin._at(twin.settings_[k])
        penalty = single._penalty()
        values = penalty.strength_values()
        lead = next(value for value in values.values() if value > 0)
        scaled = cm.MultiTaskClassifier if is_classifier(cls()) else cm.MultiTaskRegressor
        alone = scaled(penalty.scaled(strengths[a] / lead), refit="relaxed", tol=1e-6)
        train, test = folds[1]
        alone.fit(X[train], Y[train])
        z = alone.decision_function(X[test]) if is_classifier(cls()) else alone.predict(X[test])
        loss = alone._checked_loss()
        y = np.where(Y[test] > 0, 1.0, -1.0) if is_classifier(cls()) else Y[test]
        assert_allclose(paths[k, a, 1], loss.error(y, z).mean(axis=0).sum() / 3, rtol=1e-3)
    assert cm.certify(twin, X, Y).gap <= 1e-6 * cases.scale_of(twin._formulate(X, Y).problem)


def test_a_relaxed_search_selects_less_and_is_nearer_to_the_truth():
    X, y, task, W = datasets.make_block_sparse(n_tasks=8, n_samples=40, n_features=40, n_informative=4, random_state=1)
    search = cm.BlockSparseRegressorCV(alphas=30, eps=0.01)
    plain, relaxed = (clone(search).set_params(refit=r).fit(X, y, task=task) for r in (None, "relaxed"))
    assert relaxed.coef_.any(axis=0).sum() < plain.coef_.any(axis=0).sum()
    assert np.linalg.norm(relaxed.coef_.T - W) < np.linalg.norm(plain.coef_.T - W)


def test_a_path_of_relaxed_fits():
    X, y, task, _ = LARGE
    path = cm.regularization_path(cm.BlockSparseRegressor(refit="relaxed"), X, y, task=task, alphas=5, eps=0.2)
    plain = cm.regularization_path(cm.BlockSparseRegressor(), X, y, task=task, alphas=5, eps=0.2)
    alone = cm.BlockSparseRegressor(path.alphas[2], refit="relaxed").fit(X, y, task=task)
    assert_allclose(path.coefs[2], alone.coef_, atol=1e-8)
    assert np.all(path.objectives[1:] < plain.objectives[1:]) and np.all(path.dual_gaps <= 1e-6)


def test_statistics_and_what_comes_later():
    X, y, task, _ = LARGE
    whole = cm.BlockSparseRegressor(0.5, refit="relaxed").fit(X, y, task=task)
    parts = cm.BlockSparseRegressor(0.5, refit="relaxed")
    for rows in (slice(None, None, 2), slice(1, None, 2)):
        parts.partial_fit(X[rows], y[rows], task=task[rows])
    assert_allclose(parts.coef_, whole.coef_, atol=1e-8)
    again = pickle.loads(pickle.dumps(whole))
    assert_array_equal(again.predict(X, task=task), whole.predict(X, task=task))
    longer = cm.fit_new_task(whole, X[:30], y[:30], "new" if whole.tasks_.dtype.kind in "UO" else 99)
    assert_array_equal(longer.coef_[:-1], whole.coef_)


def test_bad_input():
    X, Y, _ = cases.user_input("squared", "shared")
    fit = cm.BlockSparseRegressor().fit(X, Y)
    with pytest.raises(NotFittedError):
        cm.relax(cm.BlockSparseRegressor(), X, Y)
    with pytest.raises(TypeError, match=r"relax.*|estimator must be an estimator of convexmtl, got Pipeline"):
        cm.relax(make_pipeline(StandardScaler(), fit), X, Y)
    with pytest.raises(ValueError, match="X has 5 features, the estimator was fitted with 6"):
        cm.relax(fit, X[:, :5], Y)
    with pytest.raises(ValueError, match="task must be as in fit"):
        cm.relax(fit, X, Y[:, :3])
    with pytest.raises(ValueError, match="refit"):
        cm.BlockSparseRegressor(refit="least squares").fit(X, Y)


# -------------------------------------------------------------------------------------- adaptive weights


def test_adaptive_by_hand():
    X, y, task, _ = LARGE
    first = cm.BlockSparseRegressor(0.3, tol=1e-8).fit(X, y, task=task)
    model = cm.adaptive(first, gamma=2, n_iter=2, eps=0.05).fit(X, y, task=task)
    latest = first
    for _ in range(2):
        norms = np.linalg.norm(latest.coef_, axis=0)
        f = (norms / norms[norms > 0].mean() + 0.05) ** -2.0
        latest = cm.MultiTaskRegressor(Weighted(RowNorm(0.3), f), tol=1e-8).fit(X, y, task=task)
    assert_allclose(model.feature_weights_, f)
    assert_allclose(model.coef_, latest.coef_, atol=1e-8)
    assert_array_equal(model.initial_.coef_, first.coef_)
    assert_array_equal(model.predict(X, task=task), model.estimator_.predict(X, task=task))
    assert model.score(X, y, task=task) > 0.5 and model.dual_gap_ == model.estimator_.dual_gap_


def test_adaptive_keeps_what_the_user_has_weighted():
    X, y, task, _ = LARGE
    model = cm.adaptive(cm.BlockSparseRegressor(0.3, feature_weights={0: 0.0, 1: np.inf, 2: 3.0}), eps=0.0)
    model.fit(X, y, task=task)
    assert model.feature_weights_[0] == 0 and model.feature_weights_[1] == np.inf
    out = ~model.initial_.coef_.any(axis=0)
    assert out[5:].any() and not model.coef_[:, out].any()


def test_adaptive_in_scikit_learn():
    X, y, task, _ = LARGE
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])]).assign(task=task)
    model = cm.adaptive(cm.BlockSparseRegressorCV(alphas=5, task_column="task"))
    assert clone(model).get_params()["estimator__alphas"] == 5 and not is_classifier(model)
    folds = TaskKFold(3, task_column="task")
    assert cross_val_score(model, frame, y, cv=folds).mean() > 0.5
    search = GridSearchCV(cm.adaptive(cm.BlockSparseRegressor(task_column="task")), {"gamma": [1, 2]}, cv=folds)
    with pytest.raises(AttributeError):
        search.estimator.predict_proba  # noqa: B018
    assert search.fit(frame, y).best_estimator_.feature_names_in_.tolist() == frame.columns.tolist()
    labels = (y > 0).astype(int)
    classifier = cm.adaptive(cm.SparseGroupClassifier(0.02)).fit(X, labels, task=task)
    assert is_classifier(classifier) and classifier.predict_proba(X, task=task).shape == (len(X), 2)
    assert_array_equal(classifier.classes_, [0, 1])
    assert classifier.decision_function(X, task=task).shape == (len(X),)


@pytest.mark.parametrize(
    "model, message",
    [
        (cm.adaptive(cm.TraceNormRegressor()), "estimator must have feature_weights, got TraceNormRegressor"),
        (cm.adaptive(make_pipeline(StandardScaler())), "estimator must have feature_weights"),
        (cm.adaptive(cm.BlockSparseRegressor(), gamma=0), "gamma must be a finite number > 0, got 0"),
        (cm.adaptive(cm.BlockSparseRegressor(), n_iter=0), "n_iter must be an integer >= 1, got 0"),
        (cm.adaptive(cm.BlockSparseRegressor(), eps=-1), "eps must be a finite number >= 0, got -1"),
    ],
)
def test_adaptive_bad_input(model, message):
    with pytest.raises(ValueError, match=message):
        model.fit(*cases.user_input("squared", "shared")[:2])
    with pytest.raises(NotFittedError):
        cm.adaptive(cm.BlockSparseRegressor()).predict(np.ones((2, 2)))
