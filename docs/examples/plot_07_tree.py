"""
A tree of tasks
===============

Products come in categories, and categories in departments; a feature may matter to a whole branch, and nowhere else.

Here are 24 products in six categories of four, and two departments. Two features matter to all of them, and each
category has four of its own. The tree is known. Where it is not, ``convexmtl.structures.correlation_tree`` makes one
of the targets.
"""

import matplotlib.pyplot as plt
import numpy as np

from convexmtl import BlockSparseRegressor, TreeGuidedRegressor, regularization_path

rng = np.random.default_rng(0)
n_tasks, n, d = 24, 18, 60
W = np.zeros((d, n_tasks))
W[:2] = rng.standard_normal((2, n_tasks))
for i in range(6):
    W[2 + 4 * i : 6 + 4 * i, 4 * i : 4 * i + 4] = rng.standard_normal((4, 4))
task = np.repeat(np.arange(n_tasks), n)
X = rng.standard_normal((n_tasks * n, d))
y = np.sum(X * W.T[task], axis=1) + rng.standard_normal(n_tasks * n)


def tree(of):
    """All products, two departments, six categories: the weights of what a product is in add up to 1."""
    return [
        (list(of), 0.25),
        *((list(part), 0.25) for part in np.split(of, 2)),
        *((list(part), 0.5) for part in np.split(of, 6)),
    ]


# %%
# The best error along its path for each model, and for a tree that deals out the products at random.

models = {
    "lasso": BlockSparseRegressor(q=1),
    "block-sparse": BlockSparseRegressor(),
    "tree": TreeGuidedRegressor(tree(np.arange(n_tasks))),
    "wrong tree": TreeGuidedRegressor(tree(rng.permutation(n_tasks))),
}
fits = {"truth": W.T}
for name, model in models.items():
    coefs = regularization_path(model, X, y, task=task, alphas=30).coefs
    errors = [np.sum((coef.T - W) ** 2) / np.sum(W**2) for coef in coefs]
    fits[f"{name}\nerror {min(errors):.2f}"] = coefs[np.argmin(errors)]

limit = 2
figure, axes = plt.subplots(1, 5, figsize=(7, 4), sharey=True, layout="constrained")
for ax, (name, coef) in zip(axes, fits.items(), strict=True):
    ax.imshow(coef[:, :26].T, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
    ax.set_title(name, fontsize=10)
    ax.set(xlabel="product", xticks=range(0, 24, 8))
axes[0].set_ylabel("feature in use")
plt.show()

# %%
# Block sparsity has no word for a branch, and pays for all products where four use a feature; the lasso does not know
# that those four go together. A wrong tree is no better than the lasso, which needs none.
