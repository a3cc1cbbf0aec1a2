"""Gaussian processes with a learned prior, and the samples that say most."""

import cases
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import multivariate_normal, norm
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.metrics.pairwise import laplacian_kernel, rbf_kernel

import convexmtl as cm
from convexmtl import HierarchicalGaussianProcess, TaskKernel, TaskNoise, select_informative
from convexmtl.kernels.selection import _probit

RNG = np.random.default_rng(0)
T, N = 8, 5
X = RNG.uniform(-3, 3, size=(T * N, 1))
TASK = np.repeat(np.arange(T), N)
Y = np.sin(X[:, 0]) + 0.3 * RNG.normal(size=T)[TASK] * X[:, 0] + 0.1 * RNG.normal(size=T * N)


def posterior_of(m, S, noise, K, pi, tau):
    """The logarithm, but for a constant, of the prior of functions at all samples: densities of the targets."""
    inside = np.linalg.inv(S)
    value = -0.5 * tau * (np.linalg.slogdet(S)[1] + np.trace(inside @ K)) - 0.5 * pi * m @ inside @ m
    for t in range(T):
        own = TASK == t
        value += multivariate_normal(m[own], S[np.ix_(own, own)] + noise * np.eye(N)).logpdf(Y[own])
    return value


def test_the_textbook():
    """Begun at mean 0 and covariance k, ended at a maximum, never falling in between."""
    pi, tau = 2.0, 3.0
    options = {"kernel": "laplacian", "gamma": 1.0, "tol": 1e-9, "max_iter": 20000, "fit_intercept": False}
    model = HierarchicalGaussianProcess(pi, tau, **options).fit(X, Y, task=TASK)
    K = laplacian_kernel(X, gamma=1.0)
    # (Functions at the samples are their features times coefficients: the determinant of the features is a constant.)
    begun = posterior_of(np.zeros(len(K)), K, 0.1 * Y.var(), K, pi, tau)
    phi = model._features.of_columns(model._features.columns(X))
    S, m = phi @ model._posterior[0] @ phi.T, model._features.columns(X) @ model.prior_coef_
    ended = posterior_of(m, S, model.noise_, K, pi, tau)
    assert_allclose(ended - begun, model.log_posteriors_[-1] - model.log_posteriors_[0], rtol=1e-5)
    assert np.diff(model.log_posteriors_).min() >= -1e-9
    for _ in range(10):
        A = 1e-3 * RNG.normal(size=S.shape)
        away = posterior_of(
            m + 1e-3 * K @ RNG.normal(size=len(m)),
            (np.eye(len(S)) + A) @ S @ (np.eye(len(S)) + A).T,
            model.noise_,
            K,
            pi,
            tau,
        )
        assert away < ended
    # (Towards less noise it is all but flat.)
    assert posterior_of(m, S, 2 * model.noise_, K, pi, tau) < ended
    assert posterior_of(m, S, 0.5 * model.noise_, K, pi, tau) < ended + 1e-2


def test_a_strong_prior_is_one_process_for_each_task():
    model = HierarchicalGaussianProcess(1e9, 1e9, gamma=0.5).fit(X, Y, task=TASK)
    mean, deviation = model.predict(X, task=TASK, return_std=True)
    for t in range(T):
        own = TASK == t
        # (A target's noise is no part of what is predicted.)
        alone = GaussianProcessRegressor(RBF(1.0), alpha=model.noise_, optimizer=None).fit(X[own], Y[own] - Y.mean())
        expected = alone.predict(X[own], return_std=True)
        assert_allclose(mean[own] - Y.mean(), expected[0], atol=1e-5)
        assert_allclose(deviation[own], expected[1], atol=1e-5)


def test_others_say_what_a_task_does_not():
    model = HierarchicalGaussianProcess(gamma=0.5, unseen_task="mean").fit(X, Y, task=TASK)
    grid = np.linspace(-2, 2, 9)[:, None]
    mean, deviation = model.predict(grid, task=np.full(9, "new"), return_std=True)
    assert np.sqrt(np.mean((mean - np.sin(grid[:, 0])) ** 2)) < 0.3
    assert np.all(model.predict(grid, task=np.zeros(9, dtype=int), return_std=True)[1] <= deviation + 1e-9)
    far = model.predict([[100.0]], task=["new"], return_std=True)
    assert_allclose(far, [[Y.mean()], [1.0]], atol=1e-9)
    with pytest.raises(ValueError, match="unseen"):
        HierarchicalGaussianProcess().fit(X, Y, task=TASK).predict(grid, task=np.full(9, 99))


def test_layouts_and_weights_agree():
    shared = np.full((len(X), T), np.nan)
    shared[np.arange(len(X)), TASK] = Y
    rows, holes = (
        HierarchicalGaussianProcess(gamma=0.5).fit(X, Y, task=TASK),
        HierarchicalGaussianProcess(gamma=0.5).fit(X, shared),
    )
    assert_allclose(holes.predict(X)[np.arange(len(X)), TASK], rows.predict(X, task=TASK), atol=1e-9)
    assert_allclose(
        holes.predict(X, return_std=True)[1][0],
        rows.predict(np.repeat(X[:1], T, 0), task=np.arange(T), return_std=True)[1],
        atol=1e-9,
    )
    weight = RNG.integers(1, 4, len(X))
    often = np.repeat(np.arange(len(X)), weight)
    given = HierarchicalGaussianProcess(gamma=0.5).fit(X, Y, task=TASK, sample_weight=weight)
    repeated = HierarchicalGaussianProcess(gamma=0.5).fit(X[often], Y[often], task=TASK[often])
    assert_allclose(given.predict(X, task=TASK), repeated.predict(X, task=TASK), atol=1e-7)
    assert_allclose(given.noise_, repeated.noise_, rtol=1e-7)
    precomputed = HierarchicalGaussianProcess(kernel="precomputed").fit(rbf_kernel(X, gamma=0.5), Y, task=TASK)
    assert_allclose(precomputed.predict(rbf_kernel(X, gamma=0.5), task=TASK), rows.predict(X, task=TASK), atol=1e-9)


def test_bad_input():
    with pytest.raises(ValueError, match="kernel='precomputed' does not say"):
        K = rbf_kernel(X, gamma=0.5)
        HierarchicalGaussianProcess(kernel="precomputed").fit(K, Y, task=TASK).predict(K, task=TASK, return_std=True)
    with pytest.raises(ValueError, match="task 3 has no sample"):
        HierarchicalGaussianProcess().fit(X, Y, task=TASK, sample_weight=(TASK != 3).astype(float))
    with pytest.raises(ValueError, match="tau"):
        HierarchicalGaussianProcess(tau=0.0).fit(X, Y, task=TASK)
    with pytest.warns(ConvergenceWarning, match="the last of 2 steps raised the log posterior by"):
        HierarchicalGaussianProcess(max_iter=2).fit(X, Y, task=TASK)
    with pytest.raises(TypeError, match="learns its prior, which is no convex problem"):
        cm.certify(HierarchicalGaussianProcess().fit(X, Y, task=TASK), X, Y, task=TASK)


@cases.checks_of_scikit_learn([HierarchicalGaussianProcess()])
def test_sklearn_compatible_estimator(estimator, check):
    check(estimator)


# -------------------------------------------------------------------------------------- informative samples


def entropy_taken(K, noise, chosen):
    """By the definition: half the logarithm of the determinant of 1 + K / noise."""
    inside = K[np.ix_(chosen, chosen)] / np.sqrt(np.outer(noise[chosen], noise[chosen]))
    return 0.5 * np.linalg.slogdet(np.eye(len(chosen)) + inside)[1]


@pytest.mark.parametrize("n", [1, 7, 20])
def test_each_takes_most_off_the_entropy(n):
    rows = np.column_stack([X, TASK])
    kernel = TaskKernel(RBF(), rank=1, n_tasks=T) + TaskNoise(n_tasks=T, noise_level=RNG.uniform(0.05, 0.5, T))
    chosen = select_informative(kernel, rows, Y, n)
    K, noise = kernel(rows, rows), kernel.diag(rows) - np.diag(kernel(rows, rows))
    taken = []
    for i in chosen:
        left = [j for j in range(len(X)) if j not in taken]
        gains = [entropy_taken(K, noise, [*taken, j]) for j in left]
        assert gains[left.index(i)] >= max(gains) - 1e-10
        taken.append(int(i))
    assert len({*taken}) == n


def test_classes_by_moments():
    """The first step has a closed form; samples whose class is known already come late."""
    x = np.concatenate([np.linspace(-3, -2, 20), np.linspace(-0.5, 0.5, 20), np.linspace(2, 3, 20)])[:, None]
    chosen = select_informative(4.0 * RBF(0.7), x, x[:, 0] > 0, 12)
    assert len({*chosen.tolist()}) == 12
    strings = select_informative(4.0 * RBF(0.7), x, np.where(x[:, 0] > 0, "up", "down"), 12)
    assert np.array_equal(chosen, strings)
    # Variance and mean after one sample, by numbers.
    f = np.linspace(-15, 15, 200001)
    weight = np.exp(-(f**2) / 8) * norm.cdf(f)
    mean = weight @ f / weight.sum()
    variance = weight @ (f - mean) ** 2 / weight.sum()
    nu, pull = _probit(np.ones(1), np.zeros(1), np.array([4.0]))
    assert_allclose([4 * pull[0], 4 - nu[0] * 16], [mean, variance], rtol=1e-6)


def test_a_subset_is_nearly_as_good_as_all():
    rng = np.random.default_rng(1)
    x = rng.uniform(-3, 3, size=(300, 1))
    y = np.sin(2 * x[:, 0]) + 0.1 * rng.normal(size=300)
    kernel = RBF(0.5) + WhiteKernel(0.01)
    grid = np.linspace(-3, 3, 50)[:, None]

    def error(some):
        fitted = GaussianProcessRegressor(kernel, alpha=0.0, optimizer=None).fit(x[some], y[some])
        return np.sqrt(np.mean((fitted.predict(grid) - np.sin(2 * grid[:, 0])) ** 2))

    chosen = error(select_informative(kernel, x, y, 30))
    assert chosen < 2.5 * error(np.arange(300)) + 0.05
    assert chosen < np.median([error(rng.choice(300, 30, replace=False)) for _ in range(9)])


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"kernel": "rbf"}, "kernel must be a Kernel of sklearn.gaussian_process.kernels, got 'rbf'"),
        ({"kernel": RBF()}, "kernel must have noise for real targets"),
        ({"n": 41}, "n must be at most the number of samples, 40, got 41"),
        ({"n": 0}, "n must be"),
        ({"y": Y[:-1]}, r"got \(40, 1\) and \(39,\)"),
        ({"y": np.full(40, np.nan)}, "y must be finite"),
        ({"X": np.full((40, 1), np.nan)}, "X must be finite"),
        ({"y": np.resize(["a", "b", "c"], 40)}, "the labels of two classes, got 3 different labels"),
    ],
)
def test_what_is_not_selected_from(changed, message):
    given = {"kernel": RBF() + WhiteKernel(0.1), "X": X, "y": Y, "n": 5} | changed
    with pytest.raises(ValueError, match=message):
        select_informative(**given)
