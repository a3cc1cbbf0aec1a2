"""
Which features can be trusted
=============================

Cross-validation chooses too many features; stability selection keeps those that half the data find again and again.
"""

import matplotlib.pyplot as plt
import numpy as np

from convexmtl import BlockSparseRegressor, BlockSparseRegressorCV, stability_selection
from convexmtl.datasets import make_block_sparse

X, y, task, W = make_block_sparse(n_samples=30, n_features=60, n_tasks=6, n_informative=5, noise=3, random_state=1)
true = np.flatnonzero(W.any(axis=1))
search = BlockSparseRegressorCV(alphas=20).fit(X, y, task=task)
chosen = np.flatnonzero(search.coef_.any(axis=0))
print(
    f"by cross-validation {len(chosen)} features, of which {np.isin(chosen, true).sum()} of the {len(true)} true ones"
)

# %%
# Fits to halves of the data, in pairs. The line bounds how many false features are expected above it.

found = stability_selection(BlockSparseRegressor(), X, y, task=task, n_pairs=25, random_state=0)
kept = np.flatnonzero(found.selected)
print(f"stable: {len(kept)} features, of which {np.isin(kept, true).sum()} true ones")
found.plot(max_features=12)
plt.show()
