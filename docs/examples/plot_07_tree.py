"""
A tree of tasks
===============

Genes, regions, products come in hierarchies; a feature may matter to a whole branch, and to nothing else.

The tree of this example is known. Where it is not, ``convexmtl.structures.correlation_tree`` makes one of the
targets.
"""

import matplotlib.pyplot as plt
import numpy as np

from convexmtl import BlockSparseRegressor, TreeGuidedRegressor, regularization_path
from convexmtl.datasets import make_tree_guided

X, y, task, W, tree = make_tree_guided(n_samples=25, n_features=40, n_tasks=16, random_state=0)
fits = {"truth": W.T}
for name, model in (("block-sparse", BlockSparseRegressor()), ("tree", TreeGuidedRegressor(tree))):
    coefs = regularization_path(model, X, y, task=task, alphas=30).coefs
    errors = [np.sum((coef.T - W) ** 2) / np.sum(W**2) for coef in coefs]
    fits[f"{name}, error {min(errors):.2f}"] = coefs[np.argmin(errors)]

# %%
# Tasks are sorted as leaves of the tree. Branches show as runs of coefficients, which block sparsity has no word for.

leaves = sorted(range(16), key=lambda t: [members for members, _ in tree if t in members])
rows = np.flatnonzero(W.any(axis=1))
limit = np.abs(W).max()
figure, axes = plt.subplots(1, 3, figsize=(9, 3.6), sharey=True, layout="constrained")
for ax, (name, coef) in zip(axes, fits.items(), strict=True):
    # White is zero, and nothing else is quite white.
    shown = np.where(coef == 0, np.nan, coef)[np.ix_(leaves, rows)].T
    ax.imshow(shown, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
    ax.set_facecolor("#e8ecf0")
    ax.set(title=name, xlabel="task")
axes[0].set_ylabel("feature in use")
plt.show()
