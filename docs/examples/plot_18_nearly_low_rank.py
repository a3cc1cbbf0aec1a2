"""
When low rank is nearly right
=============================

Mixtures of two hidden models; then with single exceptions, with something of each task's own, with outlier tasks.

The trace norm has one idea. Its relatives allow for one kind of departure from it each. What does it cost to allow for
the wrong one?
"""

import matplotlib.pyplot as plt
import numpy as np

from convexmtl import (
    RobustLowRankRegressor,
    SharedStructureRegressor,
    SparseLowRankRegressor,
    TraceNormRegressor,
    regularization_path,
)

n, d, T = 25, 20, 24
rng = np.random.default_rng(0)
low_rank = rng.standard_normal((d, 2)) @ rng.standard_normal((2, T))
few = np.where(rng.random((d, T)) < 0.04, rng.choice([-4.0, 4.0], (d, T)), 0.0)
outliers = np.where(np.arange(T) < 3, 2 * rng.standard_normal((d, T)), 0.0)
truths = {
    "low rank": low_rank,
    "+ exceptions": low_rank + few,
    "+ a little of its own": low_rank + 0.5 * rng.standard_normal((d, T)),
    "+ outlier tasks": np.where(outliers != 0, outliers, low_rank),
}

# %%
# Each model has a strength, searched for on a path; all but the trace norm have a ratio as well, of which three are
# tried. The error is the smallest one, what a perfect choice would give.

models = {
    "TraceNorm": [TraceNormRegressor()],
    "SparseLowRank": [SparseLowRankRegressor(r, 1.0) for r in (0.2, 0.35, 0.6)],
    "SharedStructure": [SharedStructureRegressor(1.0, eta=eta, n_components=2) for eta in (0.03, 0.1, 0.3)],
    "RobustLowRank": [RobustLowRankRegressor(r, 1.0) for r in (1.3, 1.7, 2.5)],
}
task = np.repeat(np.arange(T), n)
errors = np.zeros((len(models), len(truths)))
for seed in range(2):
    draw = np.random.default_rng(seed)
    X, noise = draw.standard_normal((n * T, d)), draw.standard_normal(n * T)
    for k, W in enumerate(truths.values()):
        y = np.sum(X * W.T[task], axis=1) + 3 * noise
        for i, kinds in enumerate(models.values()):
            paths = [regularization_path(model, X, y, task=task, alphas=12) for model in kinds]
            best = min(np.sum((coef.T - W) ** 2) for path in paths for coef in path.coefs)
            errors[i, k] += best / np.sum(W**2) / 2

# %%
# Columns are what is true, rows what is believed; colours compare within a column.

figure, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
ax.imshow(errors / errors.min(axis=0), cmap="Blues", vmin=1, vmax=1.5, aspect="auto")
for (i, k), error in np.ndenumerate(errors):
    best = error == errors[:, k].min()
    dark = error > 1.3 * errors[:, k].min()
    ax.text(k, i, f"{error:.3f}", ha="center", va="center", weight="bold" if best else None, color="w" if dark else "k")
ax.set_xticks(range(len(truths)), truths, fontsize=8.5)
ax.set_yticks(range(len(models)), models)
ax.tick_params(length=0)
ax.set_title("error of the coefficients, relative (bold: best)", fontsize=11)
plt.show()

# %%
# Single exceptions are worth a model of their own, and outlier tasks less so. For a little of each task's own the trace
# norm does as well: what it shrinks is what little there is. To allow for a departure that is not there costs next to
# nothing where the ratio can be chosen; with a fixed small ``eta``, which insists on two patterns, it costs more.
