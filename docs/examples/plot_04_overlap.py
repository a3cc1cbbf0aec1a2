"""
Lasso, block-sparse or dirty, as the overlap changes
====================================================

How much tasks have in common decides which of three sparse models is right; the dirty one hedges.

Each of eight tasks uses ten features, of which a share is the same for all. A lasso per task is best where nothing is
shared, block
sparsity where everything is. The dirty model has both as its ends.
"""

import matplotlib.pyplot as plt
import numpy as np

from convexmtl import BlockSparseRegressor, DirtyRegressor, regularization_path
from convexmtl.datasets import make_dirty

models = {
    "lasso for each": BlockSparseRegressor(q=1),
    "block-sparse": BlockSparseRegressor(q=2),
    "dirty": DirtyRegressor(alpha_block=2.5, alpha_sparse=1.0),
}
n_tasks, used = 8, 10
overlap = [0, 3, 6, 8, 10]

# %%
# For each model the best error along its path, against the truth: what a perfect choice of the strength would give.

errors = {name: [] for name in models}
for shared in overlap:
    tries = {name: [] for name in models}
    for seed in range(3):
        X, y, task, W = make_dirty(
            n_samples=40, n_features=80, n_tasks=n_tasks, n_shared=shared, n_private=used - shared, random_state=seed
        )
        for name, model in models.items():
            path = regularization_path(model, X, y, task=task, alphas=25)
            tries[name].append(min(np.sum((coef.T - W) ** 2) for coef in path.coefs) / np.sum(W**2))
    for name in models:
        errors[name].append(np.mean(tries[name]))

figure, ax = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
for (name, values), style in zip(errors.items(), ("s--", "^:", "o-"), strict=True):
    ax.plot(np.divide(overlap, used), values, style, label=name)
ax.set(xlabel="share of a task's features that all tasks use", ylabel="error of the coefficients, relative", ylim=0)
ax.legend(frameon=False)
ax.spines[["top", "right"]].set_visible(False)
plt.show()
