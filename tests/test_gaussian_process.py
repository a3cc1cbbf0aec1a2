"""Kernels of several tasks in scikit-learn's Gaussian processes."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import multivariate_normal
from sklearn.base import clone
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, WhiteKernel
from sklearn.model_selection import GridSearchCV

import convexmtl as cm
from convexmtl import TaskKernel, TaskNoise

# (What tasks have of their own may be as good as nothing.)
pytestmark = pytest.mark.filterwarnings("ignore:.*close to the specified:sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
N, T = 40, 3
X = np.column_stack([RNG.uniform(0, 6, N), RNG.normal(size=N), RNG.integers(0, T, N)])
TASK = X[:, 2].astype(int)
Y = np.sin(X[:, 0]) * np.array([1.0, -1.0, 0.5])[TASK] + 0.1 * RNG.normal(size=N)
KERNELS = {
    "alone": TaskKernel(RBF(), -1, rank=2),
    "sum": TaskKernel(RBF(), 2, rank=1, n_tasks=T) + WhiteKernel(0.1),
    "product": TaskKernel(RBF([1.0, 2.0]), n_tasks=T) * ConstantKernel(2.0) + TaskNoise(n_tasks=T, noise_level=0.1),
    "factor fixed": TaskKernel(RBF(), n_tasks=T, rank=1, factor_bounds="fixed", kappa=[0.1, 0.2, 0.3]),
    "kappa fixed": TaskKernel(RBF(), n_tasks=T, factor=np.ones((T, T)), kappa_bounds="fixed"),
    "noise fixed": TaskKernel(RBF(length_scale_bounds="fixed"), n_tasks=T)
    + TaskNoise(n_tasks=T, noise_level=[1.0, 2.0, 3.0], noise_level_bounds="fixed"),
    "task first": TaskKernel(DotProduct(), 0, rank=1, n_tasks=T),
}
every_kernel = pytest.mark.parametrize("name", KERNELS)


def rows(name):
    return np.roll(X, 1, axis=1) if name == "task first" else X


@every_kernel
def test_gradients(name):
    kernel, X = KERNELS[name], rows(name)
    K, gradient = kernel(X, eval_gradient=True)
    theta = kernel.theta
    assert kernel.bounds.shape == (len(theta), 2) and gradient.shape == (N, N, len(theta))
    for i, direction in enumerate(1e-6 * np.eye(len(theta))):
        up, down = (kernel.clone_with_theta(theta + sign * direction)(X) for sign in (1, -1))
        assert_allclose(gradient[:, :, i], (up - down) / 2e-6, atol=1e-7)
    assert np.array_equal(kernel.theta, theta)
    assert_allclose(kernel.diag(X), np.diag(K))
    assert np.linalg.eigvalsh(K)[0] > -1e-10
    # White noise is that of samples, and not of rows that are alike.
    assert_allclose(kernel(X[:5], X), kernel(X)[:5] - (K - kernel(X, X))[:5], atol=1e-12)


@every_kernel
def test_manners(name):
    kernel = KERNELS[name]
    assert clone(kernel) == kernel and pickle.loads(pickle.dumps(kernel)) == kernel
    assert kernel.clone_with_theta(kernel.theta + 0.1) != kernel or not len(kernel.theta)
    assert len(kernel.hyperparameters) and "Task" in repr(kernel)


def test_the_textbook():
    """K = B_st k(x, x'), and the log marginal likelihood as the density of the targets."""
    L, kappa, noise = RNG.normal(size=(T, 2)), np.array([0.1, 0.2, 0.3]), np.array([0.05, 0.1, 0.2])
    kernel = TaskKernel(RBF(1.5), rank=2, n_tasks=T, factor=L, kappa=kappa) + TaskNoise(n_tasks=T, noise_level=noise)
    squares = np.sum((X[:, None, :2] - X[None, :, :2]) ** 2, axis=2)
    B = L @ L.T + np.diag(kappa)
    K = B[np.ix_(TASK, TASK)] * np.exp(-squares / (2 * 1.5**2)) + np.diag(noise[TASK])
    assert_allclose(kernel(X), K)
    fixed = GaussianProcessRegressor(kernel, alpha=0.0, optimizer=None).fit(X, Y)
    expected = multivariate_normal(np.zeros(N), K).logpdf(Y)
    assert_allclose(fixed.log_marginal_likelihood(kernel.theta), expected)


def test_what_is_learned():
    kernel = TaskKernel(RBF(), -1, rank=1, n_tasks=T) + TaskNoise(n_tasks=T, noise_level=0.1)
    model = GaussianProcessRegressor(kernel, alpha=0.0).fit(X, Y)
    B = model.kernel_.k1.task_covariance
    correlation = B / np.sqrt(np.outer(np.diag(B), np.diag(B)))
    assert correlation[0, 1] < -0.8 and correlation[0, 2] > 0.8
    assert model.log_marginal_likelihood_value_ > model.log_marginal_likelihood(kernel.theta) + 10
    mean, deviation = model.predict([[0.5 * np.pi, 0.0, t] for t in range(T)], return_std=True)
    assert_allclose(mean / mean[0], [1.0, -1.0, 0.5], atol=0.2)
    assert np.all((deviation > 0) & (deviation < 0.5))


def test_of_more_tasks_than_there_are():
    """As with as many as there are, and what belongs to others stays as it was."""
    few, many = (TaskKernel(RBF(), rank=1, n_tasks=n, factor=np.ones((n, 1))) + WhiteKernel(0.1) for n in (T, 6))
    fits = [GaussianProcessRegressor(kernel).fit(X, Y) for kernel in (few, many)]
    assert_allclose(*(fit.log_marginal_likelihood_value_ for fit in fits), rtol=1e-3)
    assert np.array_equal(fits[1].kernel_.k1.factor[T:], np.ones((3, 1)))


def test_a_fixed_kernel_of_tasks_is_a_coupling():
    """With the linear kernel the posterior mean is the linear model with that coupling."""
    coupling = cm.MeanCoupling(0.5, 2.0)
    B = np.linalg.inv(coupling.matrix(T)) / 2
    counts = np.bincount(TASK)
    noise = 0.3 * counts  # alpha n_t: losses are means
    L = np.linalg.cholesky(B - 1e-9 * np.eye(T))
    kernel = TaskKernel(DotProduct(0.0, "fixed"), n_tasks=T, factor=L, kappa=1e-9) + TaskNoise(
        n_tasks=T, noise_level=noise
    )
    process = GaussianProcessRegressor(kernel, alpha=0.0, optimizer=None).fit(X, Y)
    linear = cm.MultiTaskRegressor(coupling.scaled(0.3), fit_intercept=False).fit(X[:, :2], Y, task=TASK)
    assert_allclose(process.predict(X), linear.predict(X[:, :2], task=TASK), atol=1e-6)


def test_classes_and_searches():
    kernel = TaskKernel(RBF(), rank=1, n_tasks=T)
    assert GaussianProcessClassifier(kernel).fit(X, Y > 0).score(X, Y > 0) > 0.9
    search = GridSearchCV(
        GaussianProcessRegressor(kernel + WhiteKernel(0.1), optimizer=None),
        {"kernel__k1__kernel__length_scale": [0.01, 1.0]},
    ).fit(X, Y)
    assert search.best_params_ == {"kernel__k1__kernel__length_scale": 1.0}


BAD = {
    "label": (TaskKernel(RBF(), n_tasks=2), r"must hold integers from 0 to n_tasks - 1 = 1, got 2: number the tasks"),
    "fraction": (TaskKernel(RBF(), 0), "must hold integers"),
    "column": (TaskKernel(RBF(), 5), "task_column must be the position of a column of X, from -3 to 2, got 5"),
    "rank": (TaskKernel(RBF(), rank=0), "rank must be"),
    "n_tasks": (TaskKernel(RBF(), n_tasks=0), "n_tasks must be"),
    "factor": (TaskKernel(RBF(), n_tasks=T, factor=np.ones(T)), r"factor must be finite, of shape \(3, 3\)"),
    "kappa": (TaskKernel(RBF(), n_tasks=T, kappa=[1.0, -1.0, 1.0]), "kappa must be positive, one number or 3"),
    "noise": (TaskNoise(n_tasks=T, noise_level=0.0), "noise_level must be positive"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name):
    kernel, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        GaussianProcessRegressor(kernel).fit(X, Y)
