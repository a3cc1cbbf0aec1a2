"""
Path and gap in one picture
===========================

A whole path of strengths, and for each fit how far from the optimum it can be.

The path goes from the strength at which all coefficients are zero down to a hundredth of it. Each fit starts where
the last ones lead, and each ends with a duality gap, which is computed from the coefficients alone.
"""

import matplotlib.pyplot as plt

from convexmtl import BlockSparseRegressor, regularization_path
from convexmtl.datasets import make_block_sparse
from convexmtl.inspection import GapDisplay, PathDisplay

X, Y, W = make_block_sparse(layout="shared", n_samples=60, n_features=40, n_tasks=10, random_state=0)
path = regularization_path(BlockSparseRegressor(tol=1e-6), X, Y, alphas=40)

# %%
# Above, the norms of the features across all tasks: the five that the data were made with come in first, and stay
# apart from the rest. Below, the gap of every fit, and its objective.

figure, (above, below) = plt.subplots(2, 1, figsize=(7, 8), layout="constrained")
PathDisplay.from_path(path, ax=above)
GapDisplay.from_path(path, ax=below)

# %%
# The gap is a bound, not an estimate: no other coefficients have an objective below that of a fit by more than its
# gap.

print(f"largest gap / objective: {(path.dual_gaps / path.objectives).max():.1e}")
