"""Kernels of samples and of tasks, beside their textbook definitions and scikit-learn's machines."""

import pickle
import tracemalloc

import cases
import cvxpy as cp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import pairwise_kernels, rbf_kernel
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC, SVR

import convexmtl as cm
from convexmtl.inspection import CoefficientDisplay
from convexmtl.kernels import _features
from convexmtl.solvers import span

T = 4
COUPLINGS = {
    "mean": cm.MeanCoupling(0.5, 2.0),
    "clusters": cm.ClusterCoupling([0, 0, 1, 1], 0.2, 0.3, 1.0),
    "any": cm.TaskCoupling(np.eye(T) + 0.3 * np.ones((T, T))),
    "sum": cm.GraphLaplacian([(0, 1), (1, 2), (2, 3)]) + cm.MeanCoupling(0.3, 0.3),
}
LOSSES = {
    "squared": (cm.MultiTaskKernelRidge, lambda y, z: cp.square(y - z) / 2),
    "huber": (cm.MultiTaskSVR, lambda y, z: cp.huber(y - z, 1.35) / 2),
    "epsilon_insensitive": (cm.MultiTaskSVR, lambda y, z: cp.pos(cp.abs(y - z) - 0.1)),
    "hinge": (cm.MultiTaskSVC, lambda y, z: cp.pos(1 - cp.multiply(y, z))),
    "squared_hinge": (cm.MultiTaskSVC, lambda y, z: cp.square(cp.pos(1 - cp.multiply(y, z))) / 2),
    "logistic": (cm.MultiTaskSVC, lambda y, z: cp.logistic(-cp.multiply(y, z))),
}
KERNELS = {"rbf": {"gamma": 0.2}, "poly": {"degree": 2, "gamma": 0.5}, "laplacian": {"gamma": 0.1}}
every_loss = pytest.mark.parametrize("loss", LOSSES)
LAYOUTS = ["shared", "missing", "stacked"]


def draw(loss, layout, n=14, d=3, seed=0):
    """(X, y, options of fit), and (rows, tasks, targets (-1 and 1 of classes)) of the samples that count."""
    rng = np.random.default_rng(seed)
    n = 2 * n if layout == "stacked" else n
    X = rng.normal(size=(n, d))
    Y = np.tanh(X @ rng.normal(size=(d, T))) + 0.3 * rng.normal(size=(n, T))
    signs = LOSSES[loss][0] is cm.MultiTaskSVC
    Y = np.where(Y > 0, 1.0, -1.0) if signs else Y
    rows, tasks = np.tile(np.arange(n), T), np.repeat(np.arange(T), n)
    if layout == "stacked":
        tasks = rng.permutation(np.resize(np.arange(T), n))
        first = np.array([np.flatnonzero(tasks == t)[:4] for t in range(T)])
        Y[first, np.arange(T)[:, None]] = [1.0, -1.0, 1.0, -1.0]
        return X, Y[np.arange(n), tasks], {"task": tasks}, (np.arange(n), tasks, Y[np.arange(n), tasks])
    if layout == "missing":
        Y[rng.random(Y.shape) < 0.2] = np.nan
        Y[:4] = [1.0], [-1.0], [1.0], [-1.0]
    counted = np.flatnonzero(~np.isnan(Y.T.ravel()))
    samples = rows[counted], tasks[counted], Y.T.ravel()[counted]
    if layout == "missing" and signs:
        Y = np.where(np.isnan(Y), None, Y)
    return X, Y, {}, samples


def model(loss, *args, **options):
    cls = LOSSES[loss][0]
    return cls(*args, **options) if loss == "squared" else cls(*args, loss=loss, **options)


@every_loss
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("coupling", COUPLINGS)
def test_against_the_matrix_of_all_samples(loss, layout, kernel, coupling):
    """sum_t mean_i loss + alpha a'Ka / 2 for f = K a, K the kernel of all samples and tasks."""
    X, y, options, (rows, tasks, targets) = draw(loss, layout)
    fitted = model(loss, COUPLINGS[coupling], 0.1, kernel=kernel, tol=1e-7, **KERNELS[kernel]).fit(X, y, **options)
    M = COUPLINGS[coupling].resolve(1, np.arange(T)).coupling.matrix()
    B = np.linalg.inv(M) / 2
    K = pairwise_kernels(X, metric=kernel, **KERNELS[kernel])[np.ix_(rows, rows)] * B[np.ix_(tasks, tasks)]
    values, vectors = np.linalg.eigh(K)
    root = vectors * np.sqrt(np.maximum(values, 0))
    c, b = cp.Variable(len(K)), cp.Variable(T)
    weights = 1 / np.bincount(tasks)[tasks]
    z = root @ c + b[tasks]
    least = cp.Problem(cp.Minimize(weights @ LOSSES[loss][1](targets, z) + 0.05 * cp.sum_squares(c)))
    asked = cases.least(least)
    assert asked - 1e-6 <= fitted.objective_ <= asked + 1e-6
    assert fitted.objective_ - fitted.dual_gap_ <= asked + 1e-6
    assert_allclose(fitted.task_kernel_, B)
    # What is predicted is what the dual coefficients say, of the samples that carry the functions.
    scores = getattr(fitted, "decision_function", fitted.predict)(X, **options)
    said = (
        pairwise_kernels(X, fitted.X_fit_, metric=kernel, **KERNELS[kernel]) @ fitted.dual_coef_.T + fitted.intercept_
    )
    assert_allclose(scores, said[np.arange(len(X)), options["task"]] if options else said, atol=1e-12)


@every_loss
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("coupling", COUPLINGS)
def test_the_linear_kernel_has_linear_models(loss, layout, coupling):
    X, y, options, _ = draw(loss, layout)
    kernel = model(loss, COUPLINGS[coupling], 0.1, kernel="linear", tol=1e-14).fit(X, y, **options)
    linear = cm.MultiTaskClassifier if LOSSES[loss][0] is cm.MultiTaskSVC else cm.MultiTaskRegressor
    beside = linear(COUPLINGS[coupling].scaled(0.1), loss=loss, tol=1e-14).fit(X, y, **options)
    assert kernel.dual_coef_.shape == (T, 3)
    scores = [getattr(one, "decision_function", one.predict)(X, **options) for one in (kernel, beside)]
    assert_allclose(*scores, atol=1e-6)


def test_one_task_is_scikit_learns():
    X, Y, _, _ = draw("squared", "shared", n=40)
    y, n = Y[:, 0], 40
    ridge = cm.MeanCoupling(0.5, 0.5)  # norm(w)^2 / 2
    ours = cm.MultiTaskKernelRidge(ridge, 0.1, gamma=0.3, fit_intercept=False).fit(X, y)
    assert_allclose(ours.predict(X), KernelRidge(alpha=n * 0.1, kernel="rbf", gamma=0.3).fit(X, y).predict(X))
    ours = cm.MultiTaskSVR(ridge, 0.1, gamma=0.3, tol=1e-10).fit(X, y)
    assert_allclose(ours.predict(X), SVR(C=1 / (n * 0.1), gamma=0.3, tol=1e-9).fit(X, y).predict(X), atol=1e-5)
    ours = cm.MultiTaskSVC(ridge, 0.1, gamma=0.3, tol=1e-10).fit(X, y > 0)
    theirs = SVC(C=1 / (n * 0.1), gamma=0.3, tol=1e-9).fit(X, y > 0)
    assert_allclose(ours.decision_function(X), theirs.decision_function(X), atol=1e-5)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("layout", ["shared", "stacked"])
@pytest.mark.parametrize("loss", ["squared", "epsilon_insensitive", "quantile", "hinge", "three classes", "repeated"])
def test_coefficients_of_samples_or_of_features(loss, layout, intercept, monkeypatch):
    X, y, options, _ = draw("hinge" if loss == "hinge" else "squared", layout, n=30)
    if loss == "repeated":
        X[-5:] = X[:5]
    named = {"three classes": "hinge", "repeated": "epsilon_insensitive"}.get(loss, loss)
    y = np.digitize(y, [-0.3, 0.3]) if loss == "three classes" else y
    options["sample_weight"] = np.random.default_rng(1).uniform(0.5, 2.0, len(X))
    cls = {"hinge": cm.MultiTaskSVC, "squared": cm.MultiTaskKernelRidge}.get(named, cm.MultiTaskSVR)
    given = {} if named == "squared" else {"loss": named}

    def fitted(**more):
        return cls(COUPLINGS["mean"], 0.05, gamma=0.3, fit_intercept=intercept, **given, **more).fit(X, y, **options)

    of_samples = fitted(tol=1e-9)
    assert isinstance(of_samples._features, _features.Span)
    certificate = cm.certify(of_samples, X, y, **options)
    assert_allclose(certificate.primal, of_samples.objective_)
    assert certificate.gap <= 1e-8 * T
    monkeypatch.setattr(span, "applies", lambda *given: False)
    of_features = fitted(tol=1e-9)
    assert not isinstance(of_features._features, _features.Span)
    assert_allclose(of_samples.objective_, of_features.objective_, atol=1e-8 * T)
    sizes = [one._summary.said[0].value for one in (of_samples, of_features)]
    assert_allclose(*sizes, rtol=1e-3)
    told = {} if layout == "shared" else {"task": options["task"]}
    scores = [getattr(one, "decision_function", one.predict)(X, **told) for one in (of_samples, of_features)]
    # (What is left of functions is the root of the gap.)
    functions = [np.asarray(one.predict(X, **told), float) for one in (of_samples, of_features)]
    assert_allclose(*(functions if named == "hinge" else scores), atol=2e-3)


def test_samples_start_from_where_the_last_fit_ended():
    X, Y, _, _ = draw("hinge", "shared", n=60)
    cold = cm.MultiTaskSVC(gamma=0.3, alpha=0.01, tol=1e-8, warm_start=True).fit(X, Y)
    n_iter = cold.n_iter_
    assert cold.fit(X, Y).n_iter_ < n_iter / 2
    with pytest.warns(ConvergenceWarning, match="after 1 iterations"):
        cm.MultiTaskSVC(gamma=0.3, alpha=1e-4, tol=1e-12, max_iter=1).fit(X, Y)


def test_features_go_on_where_tasks_wait_for_each_other_too_long():
    X, Y, _, _ = draw("squared", "shared", n=60)
    fitted = cm.MultiTaskSVR(cm.MeanCoupling(1.0, 1e4), alpha=1e-5, gamma=0.3).fit(X, Y)
    assert isinstance(fitted._features, _features.KernelFeatures)
    assert fitted._summary.converged and cm.certify(fitted, X, Y).gap <= fitted._summary.threshold


@pytest.mark.parametrize("layout", ["shared", "stacked"])
@pytest.mark.parametrize("loss", ["squared", "hinge"])
def test_free_directions_are_not_penalised(loss, layout):
    """alpha_mean = 0 leaves the mean of the functions free."""
    X, y, options, (rows, tasks, targets) = draw(loss, layout, n=30)
    coupling = cm.MeanCoupling(0.0, 2.0)
    fitted = model(loss, coupling, 0.1, kernel="poly", degree=2, gamma=0.5, tol=1e-7).fit(X, y, **options)
    values, vectors = np.linalg.eigh(pairwise_kernels(X, metric="poly", degree=2, gamma=0.5))
    root = (vectors * np.sqrt(np.maximum(values, 0)))[:, -10:]
    own, common, b = cp.Variable((10, T)), cp.Variable((10, 1)), cp.Variable(T)
    z = cp.sum(cp.multiply(root[rows], (own + common @ np.ones((1, T))).T[tasks]), axis=1) + b[tasks]
    weights = 1 / np.bincount(tasks)[tasks]
    omega = 2.0 / T * cp.sum_squares(own)  # (of which the best common part leaves what is about their mean)
    least = cp.Problem(cp.Minimize(weights @ LOSSES[loss][1](targets, z) + 0.1 * omega))
    assert_allclose(fitted.objective_, cases.least(least), atol=1e-6)
    assert np.isinf(fitted.task_kernel_).all()


@pytest.mark.parametrize("estimator", [cm.MultiTaskKernelRidge(), cm.MultiTaskSVC(), cm.MultiTaskSVR()])
def test_one_x_takes_less_memory_than_the_kernel_of_all(estimator):
    n, tasks = 120, 20
    X = np.random.default_rng(0).normal(size=(n, 3))
    Y = np.sin(X @ np.ones((3, tasks)) + np.arange(tasks))
    Y = Y > 0 if isinstance(estimator, cm.MultiTaskSVC) else Y
    estimator.fit(X, Y)
    tracemalloc.start()
    estimator.fit(X, Y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * (n * tasks) ** 2 / 10


def test_learned():
    """The squared nuclear norm of the functions, by the root of the kernel."""
    X, Y, _, _ = draw("squared", "shared")
    fitted = cm.MultiTaskKernelRidge("learned", 0.1, gamma=0.3, tol=1e-8).fit(X, Y)
    values, vectors = np.linalg.eigh(rbf_kernel(X, gamma=0.3))
    root = vectors * np.sqrt(np.maximum(values, 0))
    W, b = cp.Variable((len(X), T)), cp.Variable((1, T))
    loss = cp.sum_squares(Y - root @ W - np.ones((len(X), 1)) @ b) / (2 * len(X))
    asked = cases.least(cp.Problem(cp.Minimize(loss + 0.05 * cp.square(cp.normNuc(W)))))
    assert abs(fitted.objective_ - asked) <= 1e-6
    assert_allclose(np.trace(fitted.task_covariance_), 1)
    assert not hasattr(fitted, "task_kernel_")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_precomputed(layout):
    X, y, options, _ = draw("squared", layout)
    new = np.random.default_rng(1).normal(size=(5, 3))
    of_new = {"task": np.arange(5) % T} if options else {}
    own = cm.MultiTaskKernelRidge(kernel="rbf", gamma=0.3).fit(X, y, **options)
    given = cm.MultiTaskKernelRidge(kernel="precomputed").fit(rbf_kernel(X, gamma=0.3), y, **options)
    assert_allclose(given.predict(rbf_kernel(new, X, gamma=0.3), **of_new), own.predict(new, **of_new), atol=1e-10)
    with pytest.raises(ValueError, match=f"features, but MultiTaskKernelRidge is expecting {len(X)}"):
        given.predict(new, **of_new)


def test_a_search_of_scikit_learn_cuts_a_precomputed_kernel():
    X, Y, _, _ = draw("squared", "shared", n=30)
    grid = {"alpha": [0.01, 0.1]}
    own = GridSearchCV(cm.MultiTaskKernelRidge(gamma=0.3), grid, cv=3).fit(X, Y)
    given = GridSearchCV(cm.MultiTaskKernelRidge(kernel="precomputed"), grid, cv=3).fit(rbf_kernel(X, gamma=0.3), Y)
    assert_allclose(given.cv_results_["mean_test_score"], own.cv_results_["mean_test_score"])


def test_approximations():
    X, Y, _, _ = draw("squared", "shared", n=40)
    exact = cm.MultiTaskKernelRidge(gamma=0.2).fit(X, Y)
    full = cm.MultiTaskKernelRidge(gamma=0.2, n_components=100).fit(X, Y)
    assert_allclose(full.predict(X), exact.predict(X), atol=1e-6)
    errors = [
        np.abs(
            cm.MultiTaskKernelRidge(gamma=0.2, n_components=m, approximation=by).fit(X, Y).predict(X) - exact.predict(X)
        )
        for by, m in (("nystroem", 20), ("fourier", 2000))
    ]
    assert all(0 < error.max() < 0.1 for error in errors)
    default = cm.MultiTaskKernelRidge(n_components=2000, approximation="fourier").fit(X, Y)
    assert_allclose(default.predict(X), cm.MultiTaskKernelRidge().fit(X, Y).predict(X), atol=0.1)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("twin", [cm.MultiTaskKernelRidgeCV, cm.MultiTaskSVRCV, cm.MultiTaskSVCCV])
def test_a_twin_chooses_as_fits_one_by_one_do(twin, layout):
    loss = "hinge" if twin is cm.MultiTaskSVCCV else "squared"
    X, y, options, _ = draw(loss, layout, n=24)
    n = len(X)
    gammas, alphas = [0.05, 0.5], [1.0, 0.1, 0.01]
    folds = [(np.arange(n)[::2], np.arange(n)[1::2]), (np.arange(n)[1::2], np.arange(n)[::2])]
    search = twin(gammas=gammas, alphas=alphas, cv=folds, tol=1e-8).fit(X, y, **options)
    assert search.mse_path_.shape == (2, 3, 2)
    error = cm.losses.get_loss(search.loss).error
    signs = (lambda v: np.where(np.equal(v, 1.0), 1.0, -1.0)) if loss == "hinge" else (lambda v: np.asarray(v, float))
    for (train, test), found in zip(folds, np.moveaxis(search.mse_path_, -1, 0), strict=True):
        for gamma, row in zip(gammas, found, strict=True):
            for alpha, value in zip(alphas, row, strict=True):
                one = twin._single(alpha=alpha, gamma=gamma, tol=1e-8)
                one.fit(X[train], y[train], **{k: v[train] for k, v in options.items()})
                told = {k: v[test] for k, v in options.items()}
                z = getattr(one, "decision_function", one.predict)(X[test], **told)
                seen = np.array([[v is not None and v == v for v in row] for row in np.atleast_2d(y[test].T)])
                columns = [(np.asarray(y[test]), z, options["task"][test])] if options else None
                if columns:
                    ((yy, zz, tt),) = columns
                    by_task = [error(signs(yy[tt == t]), zz[tt == t]).mean() for t in np.unique(tt)]
                else:
                    by_task = [error(signs(y[test][s, t]), z[s, t]).mean() for t, s in enumerate(seen)]
                assert_allclose(value, np.mean(by_task), atol=2e-3)
    single = twin._single(alpha=search.alpha_, gamma=search.gamma_, tol=1e-8).fit(X, y, **options)
    new = getattr(search, "decision_function", search.predict)(X[:3], **{k: v[:3] for k, v in options.items()})
    assert_allclose(
        new,
        getattr(single, "decision_function", single.predict)(X[:3], **{k: v[:3] for k, v in options.items()}),
        atol=1e-3,
    )
    assert cm.certify(search, X, y, **options).gap <= search.dual_gap_ * (1 + 1e-6) + 1e-12


def test_a_kernel_without_gamma_has_one_path():
    X, Y, _, _ = draw("squared", "shared")
    search = cm.MultiTaskKernelRidgeCV(kernel="linear", alphas=4, cv=2).fit(X, Y)
    assert search.mse_path_.shape == (4, 2) and not hasattr(search, "gamma_")


def test_more_than_two_classes_and_unseen_tasks():
    X, Y, _, _ = draw("squared", "shared", n=40)
    labels = np.digitize(Y, [-0.3, 0.3])
    for loss in ("hinge", "logistic"):
        fitted = cm.MultiTaskSVC(loss=loss, gamma=0.3, alpha=0.01).fit(X, labels)
        assert fitted.score(X, labels) > 0.7 and fitted.dual_coef_.shape == (3 * T, 40)
    rows = cm.MultiTaskKernelRidge(unseen_task="mean").fit(X, Y[:, 0], task=np.arange(40) % T)
    each = np.mean([rows.predict(X, task=np.full(40, t)) for t in range(T)], axis=0)
    assert_allclose(rows.predict(X, task=np.full(40, 9)), each)


def test_what_is_said_and_kept():
    X, Y, _, _ = draw("squared", "shared")
    fitted = cm.MultiTaskKernelRidge(COUPLINGS["clusters"], gamma=0.3).fit(X, Y)
    said = str(cm.explain_fit(fitted))
    assert "4 tasks, rbf, 14 functions of 3 columns" in said and "f_t(x_ti) + b_t" in said
    assert "scale" not in said and "feature" not in said
    assert fitted.labels_.tolist() == [0, 0, 1, 1] and not hasattr(fitted, "mean_coef_")
    again = pickle.loads(pickle.dumps(fitted))
    assert_allclose(again.predict(X), fitted.predict(X), rtol=0)
    assert_allclose(again.task_kernel_, fitted.task_kernel_)
    assert fitted.set_params(warm_start=True).fit(X, Y).n_iter_ == 1


@pytest.mark.parametrize(
    "tool",
    [
        cm.to_sklearn,
        cm.to_dict,
        CoefficientDisplay.from_estimator,
        lambda fitted: cm.relax(fitted, *draw("squared", "shared")[:2]),
        lambda fitted: cm.fit_new_task(fitted, np.ones((3, 3)), np.arange(3.0), label=9),
        lambda fitted: cm.stability_selection(fitted, *draw("squared", "shared")[:2]),
    ],
)
def test_tools_for_features_refuse(tool):
    fitted = cm.MultiTaskKernelRidge().fit(*draw("squared", "shared")[:2])
    with pytest.raises(
        TypeError, match="is for models with coefficients of features, and MultiTaskKernelRidge has fun"
    ):
        tool(fitted)


BAD = {
    "no coupling": ({"task_kernel": cm.RowNorm(0.1)}, "task_kernel must be a coupling of the tasks"),
    "indefinite": (
        {"task_kernel": np.eye(T) - 0.5},
        "task_kernel must be positive definite, its smallest eigenvalue is -1",
    ),
    "singular": ({"task_kernel": np.ones((T, T))}, "task_kernel must be positive definite"),
    "not symmetric": (
        {"task_kernel": np.triu(np.ones((T, T)))},
        "task_kernel must be symmetric, got entries that diff",
    ),
    "NaN": ({"task_kernel": np.full((T, T), np.nan)}, "task_kernel must be finite"),
    "other tasks": ({"task_kernel": np.eye(3)}, r"must have shape \(4, 4\)"),
    "a word": ({"task_kernel": "close"}, "task_kernel must be a coupling, an array or \"learned\", got 'close'"),
    "a number": ({"task_kernel": 3}, r"or an array of shape \(T, T\)"),
    "sigmoid": ({"kernel": "sigmoid", "gamma": 5.0}, "kernel='sigmoid' is not positive semidefinite on these samples"),
    "infinite": ({"kernel": lambda a, b: np.inf}, "kernel must be finite, got NaN or infinity"),
    "negative": (
        {"kernel": lambda a, b: -float(a @ b)},
        "kernel must be positive semidefinite, got .* on its diagonal",
    ),
    "not square": ({"kernel": "precomputed"}, r"for kernel='precomputed', got \(14, 3\)"),
    "components": ({"kernel": "precomputed", "n_components": 3}, "n_components is for kernels of samples"),
    "fourier": ({"kernel": "poly", "n_components": 3, "approximation": "fourier"}, "is for kernel='rbf', got 'poly'"),
    "alpha": ({"alpha": -1.0}, "alpha must be a finite number >= 0"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name):
    options, message = BAD[name]
    X, Y, _, _ = draw("squared", "shared")
    with pytest.raises(ValueError, match=message):
        cm.MultiTaskKernelRidge(**options).fit(X, Y)


def test_too_many_samples(monkeypatch):
    X, Y, _, _ = draw("squared", "shared")
    monkeypatch.setattr(_features, "_memory", lambda: 1000.0)
    with pytest.raises(ValueError, match=r"X has 14 rows, whose kernel and its factor take .* n_components=1000"):
        cm.MultiTaskKernelRidge().fit(X, Y)
    assert cm.MultiTaskKernelRidge(n_components=5).fit(X, Y).dual_coef_.shape == (T, 5)


@cases.checks_of_scikit_learn(
    # (Functions with kinks are as different as their gaps allow.)
    [
        cm.MultiTaskKernelRidge(),
        cm.MultiTaskSVC(loss="squared_hinge", tol=1e-12),
        cm.MultiTaskKernelRidgeCV(gammas=2, alphas=3, cv=3),
    ]
)
def test_sklearn_compatible_estimator(estimator, check):
    check(estimator)
