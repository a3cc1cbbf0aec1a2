"""
Functions that are not linear
=============================

Twelve sensors follow one curve, each a little shifted, and each has eight samples.

A kernel takes the place of the features, and the tasks are related as before: by a coupling to their mean. Strength and
width are chosen by cross-validation, for all models alike.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF

from convexmtl import MeanCoupling, MeanRegularizedRegressorCV, MultiTaskKernelRidgeCV, TaskKernel, TaskNoise

T, n = 12, 8
grid = np.linspace(0, 6, 121)


def drawn(spread, seed):
    """X (T n, 1), y, task, and the curves on the grid."""
    rng = np.random.default_rng(seed)
    shift = rng.normal(scale=spread, size=T)
    X, task = rng.uniform(0, 6, size=(T * n, 1)), np.repeat(np.arange(T), n)
    y = np.sin(X[:, 0] + shift[task]) + 0.2 * rng.normal(size=T * n)
    return X, y, task, np.sin(grid + shift[:, None])


def error(model, truth):
    tasks = np.repeat(np.arange(T), len(grid))
    predicted = model.predict(np.tile(grid, T)[:, None], task=tasks).reshape(T, -1)
    return np.sqrt(np.mean((predicted - truth) ** 2))


MODELS = {
    "a curve for each": MultiTaskKernelRidgeCV(MeanCoupling(1.0, 1.0), gammas=4, alphas=20),
    "curves near their mean": MultiTaskKernelRidgeCV(MeanCoupling(1.0, 20.0), gammas=4, alphas=20),
    "one curve for all": MultiTaskKernelRidgeCV(MeanCoupling(1.0, 1e4), gammas=4, alphas=20),
    "lines near their mean": MeanRegularizedRegressorCV(),
}
print("error of the curves, mean of three draws")
print(f"{'shifts differ by':24s}" + "".join(f"{spread:8.1f}" for spread in (0.0, 0.4, 3.0)))
draws = {spread: [drawn(spread, seed) for seed in range(3)] for spread in (0.0, 0.4, 3.0)}
for name, model in MODELS.items():
    errors = [np.mean([error(model.fit(X, y, task=t), W) for X, y, t, W in some]) for some in draws.values()]
    print(f"{name:24s}" + "".join(f"{value:8.2f}" for value in errors))

# %%
# Sharing pays where the curves are alike, and most where they are the same; where shifts are as long as the curve
# itself, their mean is no help. A model of lines has nothing to share.
#
# A Gaussian process learns what the tasks have in common with the rest, and says how sure it is.

X, y, task, truth = draws[0.4][0]
kernel = TaskKernel(RBF(), rank=2, n_tasks=T) + TaskNoise(n_tasks=T, noise_level=0.04, noise_level_bounds="fixed")
with warnings.catch_warnings():
    # (What a sensor has of its own may be as good as nothing.)
    warnings.simplefilter("ignore", ConvergenceWarning)
    process = GaussianProcessRegressor(kernel, alpha=0.0).fit(np.column_stack([X[:, 0], task]), y)
ridge = MODELS["curves near their mean"].fit(X, y, task=task)
figure, axes = plt.subplots(2, 2, figsize=(6.5, 5), sharex=True, sharey=True, layout="constrained")
for t, ax in enumerate(axes.flat):
    mean, deviation = process.predict(np.column_stack([grid, np.full(len(grid), t)]), return_std=True)
    ax.fill_between(grid, mean - 2 * deviation, mean + 2 * deviation, color="#D55E00", alpha=0.15, lw=0)
    ax.plot(grid, mean, color="#D55E00", label="Gaussian process")
    ax.plot(grid, ridge.predict(grid[:, None], task=np.full(len(grid), t)), color="#0072B2", label="kernel ridge")
    ax.plot(grid, truth[t], color="black", ls=":", label="truth")
    ax.plot(X[task == t, 0], y[task == t], "o", color="black", ms=4)
    ax.set(title=f"sensor {t}")
axes[0, 0].legend(fontsize=8)
plt.show()
