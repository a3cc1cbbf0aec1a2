"""
Lasso, block-sparse or dirty, as the overlap changes
====================================================

How much tasks have in common decides which of three sparse models is right; the dirty one hedges.

Each of eight tasks uses ten features, of which a share is the same for all. A lasso per task is best where nothing is
shared, block sparsity where everything is. The dirty model has both as its ends, and a second strength, the price of
a shared feature in terms of private ones, to be chosen in between.
"""

import matplotlib.pyplot as plt
import numpy as np

from convexmtl import BlockSparseRegressor, DirtyRegressor, regularization_path
from convexmtl.datasets import make_dirty

n_tasks, used = 8, 10
ratios = np.sqrt(n_tasks) ** np.array([0.1, 0.5, 0.7, 0.9])
models = {
    "lasso for each": [BlockSparseRegressor(q=1)],
    "block-sparse": [BlockSparseRegressor(q=2)],
    "dirty": [DirtyRegressor(alpha_block=ratio, alpha_sparse=1.0, q=2) for ratio in ratios],
}
overlap = [0, 3, 6, 8, 10]

# %%
# For each model the best error along its path, of the dirty one along its four paths, against the truth: what a
# perfect choice of the strengths would give.


def error(coef, W):
    return np.sum((coef.T - W) ** 2) / np.sum(W**2)


errors = {name: [] for name in models}
for shared in overlap:
    tries = {name: [] for name in models}
    for seed in range(3):
        X, y, task, W = make_dirty(
            n_samples=40, n_features=80, n_tasks=n_tasks, n_shared=shared, n_private=used - shared, random_state=seed
        )
        for name, kinds in models.items():
            paths = [regularization_path(model, X, y, task=task, alphas=16) for model in kinds]
            tries[name].append([min(error(coef, W) for coef in path.coefs) for path in paths])
    for name in models:
        errors[name].append(np.mean(np.min(tries[name], axis=1)))
    best = ratios[np.argmin(np.mean(tries["dirty"], axis=0))]
    print(f"{shared:2d} of {used} features shared: best price of a shared one {best:.1f} private ones")

figure, ax = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
for (name, values), style in zip(errors.items(), ("s--", "^:", "o-"), strict=True):
    ax.plot(np.divide(overlap, used), values, style, label=name)
ax.set(xlabel="share of a task's features that all tasks use", ylabel="error of the coefficients, relative", ylim=0)
ax.legend(frameon=False)
ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# At either end the dirty model is no better than the simpler one that is right there, and in between it gains up to a
# quarter. What it spares is a wrong choice between the two; what it costs is a ratio to be searched for.
