"""
Which features can be trusted
=============================

Cross-validation chooses for predictions, and keeps too many features. Stability selection keeps those that half of
the data find again and again.

What it promises is few *false* ones. True ones that are weak are the price.
"""

import matplotlib.pyplot as plt
import numpy as np

from convexmtl import BlockSparseRegressor, BlockSparseRegressorCV, stability_selection
from convexmtl.datasets import make_block_sparse

print("of 60 features, 5 are true")
for n in (20, 40, 80):
    X, y, task, W = make_block_sparse(n_samples=n, n_features=60, n_tasks=6, n_informative=5, noise=3, random_state=0)
    true = np.flatnonzero(W.any(axis=1))
    search = BlockSparseRegressorCV(alphas=20).fit(X, y, task=task)
    chosen = np.flatnonzero(search.coef_.any(axis=0))
    found = stability_selection(BlockSparseRegressor(), X, y, task=task, n_pairs=25, random_state=0)
    kept = np.flatnonzero(found.selected)
    print(
        f"{n} samples a task: cross-validation keeps {len(chosen)}, {np.isin(chosen, true).sum()} of them true; "
        f"stability {len(kept)}, {np.isin(kept, true).sum()} of them true"
    )

# %%
# With 80 samples a task. Whatever is right of the line was selected often enough; among those, one false feature is
# expected at most. The true ones:

print(true)
found.plot(max_features=12)
plt.show()
