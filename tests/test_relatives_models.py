"""Mixtures, Dirichlet processes and hierarchies of tasks: bounds, the textbook, and what is recovered."""

import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.cluster.hierarchy import fcluster
from scipy.special import expit, log_expit
from scipy.stats import multivariate_normal
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import KNeighborsRegressor

import convexmtl as cm
from benchmarks import latent
from convexmtl import relatives
from convexmtl.relatives import _tree
from convexmtl.relatives._quadratics import Quadratics, slope

T, N, D = 8, 12, 3
RNG = np.random.default_rng(0)
X = RNG.normal(size=(T * N, D)) * [1.0, 5.0, 0.2] + [0.0, 3.0, 100.0]
TASK = np.repeat(np.arange(T), N)
Z = np.sum((X - X.mean(axis=0)) / X.std(axis=0) * RNG.normal(size=(2, D))[TASK % 2], axis=1)
NUMBERS = 4.0 + 10 * (Z + 0.3 * RNG.normal(size=T * N))
LABELS = np.where(RNG.random(T * N) < expit(2 * Z), "yes", "no")

MODELS = {
    "TaskMixture": relatives.TaskMixtureRegressor,
    "DirichletProcessTasks": relatives.DirichletProcessTasksRegressor,
    "LatentHierarchy": relatives.LatentHierarchyRegressor,
}


def seen_by(model, y):
    return Quadratics(model._read(X, y, np.arange(T * N) % 3, TASK, None, reset=True), True)


def test_quadratics_are_the_likelihood():
    """Of real targets to the last digit, of classes from below, and exactly where xi is the score."""
    s, w = np.arange(T * N) % 3, RNG.normal(size=(D + 1, T))
    seen = seen_by(relatives.TaskMixtureRegressor(), NUMBERS)
    Q, (W, b) = seen.at(0.3, None), seen.split(w.T)
    z = np.sum(X * W.T[TASK], axis=1) + b[TASK]
    noise = seen.noise_of(0.3)
    expected = np.bincount(TASK, s * (-0.5 * np.log(2 * np.pi * noise) - 0.5 * (NUMBERS - z) ** 2 / noise))
    assert_allclose(Q.k + np.sum(Q.h * w.T, 1) - 0.5 * np.einsum("it,tij,jt->t", w, Q.G, w), expected, rtol=1e-9)
    seen = seen_by(relatives.TaskMixtureClassifier(), LABELS)
    W, b = seen.split(w.T)
    z = np.sum(X * W.T[TASK], axis=1) + b[TASK]
    sign = np.where(LABELS == "yes", 1, -1)
    expected = np.bincount(TASK, s * log_expit(sign * z))
    for xi, exact in ((np.abs(z), True), (np.ones(T * N), False), (np.zeros(T * N), False)):
        Q = seen.at(None, xi)
        bound = Q.k + np.sum(Q.h * w.T, 1) - 0.5 * np.einsum("it,tij,jt->t", w, Q.G, w)
        assert np.all(bound <= expected + 1e-9) and np.allclose(bound, expected, rtol=1e-7) == exact
    assert_allclose(slope(np.array([0.0, 1e-5, 1e-3])), 0.125, rtol=1e-6)
    second = np.einsum("it,jt->tij", w, w)
    assert_allclose(seen.xi_at(w.T, second), np.abs(z), rtol=1e-6)


def test_the_mixture_is_the_textbook():
    """The evidence is that of normal densities of all targets; with one component the means are those given y."""
    for K in (1, 2):
        model = relatives.TaskMixtureRegressor(K, n_init=1).fit(X, NUMBERS, task=TASK)
        P, total = np.column_stack([X, np.ones(len(X))]), 0.0
        mean = np.column_stack([model.component_coef_, model.component_intercept_])
        for t in range(T):
            own = P[TASK == t]
            densities = [
                multivariate_normal(own @ mean[k], own @ S @ own.T + model.noise_ * np.eye(N)).pdf(NUMBERS[TASK == t])
                for k, S in enumerate(model.component_covariance_)
            ]
            share = model.shares_[t] * densities
            total += np.log(share.sum())
            assert_allclose(model.probabilities_[t], share / share.sum(), atol=1e-6)
            if K == 1:
                S = model.component_covariance_[0]
                gain = S @ own.T @ np.linalg.inv(own @ S @ own.T + model.noise_ * np.eye(N))
                w = mean[0] + gain @ (NUMBERS[TASK == t] - own @ mean[0])
                assert_allclose(np.append(model.coef_[t], model.intercept_[t]), w, rtol=1e-5)
        # (What is left is the prior.)
        assert model.objective_ > -total - 100 and np.isfinite(total)


@pytest.mark.parametrize("name", MODELS)
def test_units_do_not_matter(name):
    scale, shift = np.array([10.0, 0.1, 3.0]), np.array([1.0, -5.0, 30.0])
    one = MODELS[name]().fit(X, NUMBERS, task=TASK)
    other = MODELS[name]().fit(X * scale + shift, 7 * NUMBERS - 3, task=TASK)
    assert_allclose(other.predict(X * scale + shift, task=TASK), 7 * one.predict(X, task=TASK) - 3, rtol=1e-4, atol=0.1)
    assert other.noise_ == pytest.approx(49 * one.noise_, rel=1e-3)


def test_the_tree():
    """Its covariance is that of a walk along it, and the best times are those of no other near them."""
    merges = np.array([[0, 1], [2, 4], [3, 5]])
    tree = _tree.Tree(merges, np.array([1.0, 2.0, 4.0]), 0.5)
    # Leaf 0 goes 7 up to the root; with 1 it shares 6, with 2 it shares 4, with 3 nothing.
    assert_allclose(tree.covariance()[0], 0.5 + np.array([7.0, 6.0, 4.0, 0.0]))
    assert_allclose(tree.linkage()[:, 2:], [[1, 2], [3, 3], [7, 4]])
    W = RNG.multivariate_normal(np.zeros(4), tree.covariance(), size=50)
    S = W.T @ W
    best = _tree.best_times(_tree.topology(S, 50), S, 50, 2.0)
    least = _tree.value_of(best, S, 50, 2.0)
    K = best.covariance()
    density = -multivariate_normal(np.zeros(4), K).logpdf(W).sum() - 100 * np.log(2 * np.pi)
    assert_allclose(least - best.cost(2.0), density, rtol=1e-9)
    assert best.cost(2.0) == pytest.approx((6 * best.times[0] + 3 * best.times[1] + best.times[2]) / 2)
    for k in range(3):
        for factor in (0.9, 1.1):
            times = best.times.copy()
            times[k] *= factor
            assert _tree.value_of(best._replace(times=times), S, 50, 2.0) > least - 1e-6


def test_recovery():
    """Each finds what it assumes, in data drawn from its own model (ten seeds are in benchmarks/results/latent.csv)."""
    wanted = {
        "equal clusters": ["DirichletProcessTasks"],
        "loose clusters": ["TaskMixture", "TaskMixture, task features"],
        "tree": ["LatentHierarchy"],
    }
    rows = []
    for data, names in wanted.items():
        rows += latent.measured([1], ["numbers"], [data], ["MeanRegularized", *names])
    found = {(row["model"], row["data"]): row for row in latent.summed(rows)}
    assert found["DirichletProcessTasks", "equal clusters"]["agreement"] > 0.9
    assert found["TaskMixture", "loose clusters"]["agreement"] > 0.8
    assert found["TaskMixture, task features", "loose clusters"]["agreement"] > 0.9
    assert found["LatentHierarchy", "tree"]["agreement"] > 0.5
    for data, (name, *_) in wanted.items():
        assert found[name, data]["excess"] < found["MeanRegularized", data]["excess"]


def test_the_number_of_clusters_is_learned():
    model = relatives.DirichletProcessTasksRegressor(concentration=1.0).fit(X, NUMBERS, task=TASK)
    assert model.n_clusters_ == 2 and adjusted_rand_score(model.labels_, np.arange(T) % 2) == 1.0
    assert model.concentration_ == 1.0 and model.labels_[0] == 0
    assert_allclose(model.coef_, model.cluster_coef_[model.labels_], rtol=1e-3)
    one = relatives.DirichletProcessTasksRegressor(n_clusters=1).fit(X, NUMBERS, task=TASK)
    assert one.n_clusters_ == 1 and one.objective_ > model.objective_
    assert np.ptp(one.coef_, axis=0).max() < 1e-9


@pytest.mark.parametrize("cls", [relatives.TaskMixtureRegressor, relatives.DirichletProcessTasksClassifier])
@pytest.mark.filterwarnings("ignore:Objective did not converge")
def test_many_tasks_make_no_more_calls(cls):
    def calls(n_tasks):
        rng = np.random.default_rng(0)
        x, task = rng.normal(size=(4 * n_tasks, 2)), np.repeat(np.arange(n_tasks), 4)
        y = x[:, 0] * np.where(task % 2 == 0, 3, -3) + rng.normal(size=len(x))
        y = y if cls is relatives.TaskMixtureRegressor else y > 0
        model, made = cls(n_init=1, max_iter=3), []
        before = sys.getprofile()
        sys.setprofile(lambda frame, event, argument: made.append(event))
        try:
            model.fit(x, y, task=task)
        finally:
            sys.setprofile(before)
        return len(made)

    calls(50)
    assert calls(3000) <= 1.3 * calls(300) + 3000


def test_what_is_said_of_components():
    features = {t: [t % 2, 0.0] for t in range(T)}
    model = relatives.TaskMixtureRegressor(task_features=features).fit(X, NUMBERS, task=TASK)
    assert adjusted_rand_score(model.labels_, np.arange(T) % 2) == 1.0
    assert np.all(model.shares_.argmax(axis=1) == model.labels_)
    assert model.gate_.predict([[1.0, 0.0]]) != model.gate_.predict([[-1.0, 0.0]])
    tree = relatives.LatentHierarchyRegressor().fit(X, NUMBERS, task=TASK)
    assert adjusted_rand_score(fcluster(tree.linkage_, 2, "maxclust"), np.arange(T) % 2) == 1.0
    assert_allclose(np.diag(tree.task_covariance_), tree.task_covariance_[0, 0])


def test_what_is_for_convex_fits():
    for model in (relatives.TaskMixtureRegressor(), relatives.OnlineMultiTaskRegressor()):
        with pytest.raises(TypeError, match="fit_new_task is for fits of a convex problem with a penalty"):
            cm.fit_new_task(model.fit(X, NUMBERS, task=TASK), X, NUMBERS, 9)
        with pytest.raises(TypeError, match="explain_fit is for fits of a convex problem with a penalty, and"):
            cm.explain_fit(model)
        exported = cm.to_sklearn(model)
        assert_allclose(exported[3].predict(X), model.predict(X, task=np.full(len(X), 3)))


def test_task_clustering():
    """Clusters by the transfer matrix; predictions are those of scikit-learn's neighbours in the metric."""
    rng = np.random.default_rng(0)
    x, task = rng.normal(size=(480, 6)) * [1, 100, 1, 1, 1, 1], np.arange(480) % 8
    z = np.where(task % 2 == 0, x[:, 0] ** 2, x[:, 1] / 50) + 0.1 * rng.normal(size=480)
    model = relatives.TaskClusteringNeighborsRegressor().fit(x, z, task=task)
    assert model.labels_.tolist() == [0, 1] * 4 and model.n_agreeing_ >= 3
    assert np.all(model.transfer_[::2, ::2].mean(axis=1) < 0.7 * model.transfer_[::2, 1::2].mean(axis=1))
    own, root = task == 3, np.sqrt(model.metrics_[1])
    theirs = KNeighborsRegressor(5).fit(x[own] * root, z[own])
    assert_allclose(model.predict(x[own], task=task[own]), theirs.predict(x[own] * root))
    plain = [KNeighborsRegressor(5).fit(x[task == t] / x.std(axis=0), z[task == t]) for t in range(8)]
    new = rng.normal(size=(800, 6)) * [1, 100, 1, 1, 1, 1]
    codes = np.arange(800) % 8
    true = np.where(codes % 2 == 0, new[:, 0] ** 2, new[:, 1] / 50)
    errors = (model.predict(new, task=codes) - true) ** 2
    theirs = [(plain[t].predict(new[codes == t] / x.std(axis=0)) - true[codes == t]) ** 2 for t in range(8)]
    assert errors.mean() < 0.5 * np.mean(theirs)
    classes = relatives.TaskClusteringNeighborsClassifier().fit(x, np.where(z > 0.5, "b", "a"), task=task)
    p = classes.predict_proba(x, task=task)
    assert_allclose(p.sum(axis=1), 1.0)
    assert np.array_equal(classes.predict(x, task=task), np.where(p[:, 1] > 0.5, "b", "a"))
    mean = relatives.TaskClusteringNeighborsRegressor(unseen_task="mean").fit(x, z, task=task)
    each = [mean.predict(x[:3], task=np.full(3, t)) for t in range(8)]
    assert_allclose(mean.predict(x[:3], task=np.full(3, 99)), np.mean(each, axis=0))
    with pytest.raises(ValueError, match="offset is not for neighbours"):
        model.fit(x, z, task=task, offset=z)
    with pytest.raises(ValueError, match="sample_weight must be whole numbers for neighbours"):
        model.fit(x, z, task=task, sample_weight=np.full(480, 0.5))


@pytest.mark.parametrize(
    "model, message",
    [
        (relatives.TaskClusteringNeighborsRegressor(9), r"n_clusters must be an integer between 1 and the number of"),
        (relatives.TaskMixtureRegressor(9), r"n_components must be an integer between 1 and the number of tasks \(8\)"),
        (relatives.DirichletProcessTasksRegressor(9), r"n_clusters must be an integer between 1 and the number of"),
        (relatives.DirichletProcessTasksRegressor(concentration=0.0), "concentration"),
        (relatives.TaskMixtureRegressor(task_features=np.zeros((3, 2))), "task_features must have a row for each of"),
        (relatives.TaskMixtureRegressor(prior_tasks=0.0), "prior_tasks"),
    ],
)
def test_bad_input(model, message):
    with pytest.raises(ValueError, match=message):
        model.fit(X, NUMBERS, task=TASK)
