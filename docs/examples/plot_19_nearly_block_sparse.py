"""
When the features are nearly the same
=====================================

The same six features for all tasks; then with holes, with private ones beside them, with tasks that need others.

Block sparsity has one idea. Its relatives allow for one kind of departure from it each.
"""

import matplotlib.pyplot as plt
import numpy as np

from convexmtl import (
    BlockSparseRegressor,
    DirtyRegressor,
    RobustFeatureRegressor,
    SparseGroupRegressor,
    regularization_path,
)

n, d, T = 25, 50, 12
rng = np.random.default_rng(0)
block = np.zeros((d, T))
block[:6] = rng.standard_normal((6, T))
private = np.zeros((d, T))
for t in range(T):
    private[rng.choice(np.arange(6, d), 3, replace=False), t] = rng.standard_normal(3)
outlying = np.where(np.arange(T) < 2, 0.5 * rng.standard_normal((d, T)), block)
truths = {
    "the same for all": block,
    "not all for each": np.where(rng.random((d, T)) < 0.4, block, 0.0),
    "+ private ones": block + private,
    "+ outlier tasks": outlying,
}

# %%
# Each model has a strength, searched for on a path; all but the first have a ratio as well, of which three are tried.
# The error is the smallest one, what a perfect choice would give.

models = {
    "BlockSparse": [BlockSparseRegressor()],
    "SparseGroup": [SparseGroupRegressor(l1_ratio=r) for r in (0.2, 0.5, 0.8)],
    "Dirty": [DirtyRegressor(r, 1.0, q=2) for r in (1.3, 1.8, 2.5)],
    "RobustFeature": [RobustFeatureRegressor(r, 1.0) for r in (0.4, 0.7, 1.2)],
}
task = np.repeat(np.arange(T), n)
errors = np.zeros((len(models), len(truths)))
for seed in range(3):
    draw = np.random.default_rng(seed)
    X, noise = draw.standard_normal((n * T, d)), draw.standard_normal(n * T)
    for k, W in enumerate(truths.values()):
        y = np.sum(X * W.T[task], axis=1) + noise
        for i, kinds in enumerate(models.values()):
            paths = [regularization_path(model, X, y, task=task, alphas=15) for model in kinds]
            best = min(np.sum((coef.T - W) ** 2) for path in paths for coef in path.coefs)
            errors[i, k] += best / np.sum(W**2) / 3

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
# Private features cost block sparsity much, and the dirty model wins back a third of it; outlier tasks as well, and
# either of two models helps. Holes in the rows are hardly worth a second strength. Where block sparsity is right, a
# model that has it as one of its ends is no worse; sparse groups, which here pay for single coefficients at any of the
# ratios, are.
