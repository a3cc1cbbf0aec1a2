"""
Data that come in chunks
========================

Shops report their sales day by day, a file each, and all files together are more than the memory holds.

Under the squared loss one pass over them does. Other losses take rounds, in which each file says sums at the
coefficients that it is told: few rounds of large sums, or more of small ones. What is fitted is the same, and so is its
certificate.
"""

import matplotlib.pyplot as plt
import numpy as np

from convexmtl import BlockSparseClassifier, BlockSparseRegressor, distributed

T, d, n_days = 12, 30, 20
shops = np.array([f"shop {t + 1}" for t in range(T)])
rng = np.random.default_rng(0)
W = np.zeros((d, T))
W[:5] = rng.normal(size=(5, 1)) + 0.4 * rng.normal(size=(5, T))
scale = np.geomspace(0.5, 2, T)


def day(k):
    """(X, y, task) of a file; here drawn, when it is asked for."""
    rng = np.random.default_rng(k)
    task = rng.integers(0, T, 300)
    X = rng.normal(size=(300, d)) * scale[task, None]
    return X, np.einsum("ij,ji->i", X, W[:, task]) + rng.normal(size=300), shops[task]


# %%
# The files as functions that load them, each when its turn comes: a pass adds up sums, and the last file is read when
# the first has long been forgotten.
days = [lambda k=k: day(k) for k in range(n_days)]
model = distributed.fit(BlockSparseRegressor(0.1, tol=1e-8), days)
print(model.history_)

# All samples in one place say the same.
X, y, task = (np.concatenate(part) for part in zip(*map(day, range(n_days)), strict=True))
together = BlockSparseRegressor(0.1, tol=1e-8).fit(X, y, task=task)
print(f"largest difference of coefficients: {np.abs(model.coef_ - together.coef_).max():.1e}")


# %%
# Whether sales were up, yes or no: in rounds.
def up(k):
    X, y, task = day(k)
    return X, np.where(y > 0, "up", "down"), task


days = [lambda k=k: up(k) for k in range(n_days)]
found = {
    method: distributed.fit(BlockSparseClassifier(0.01, tol=1e-6), days, method=method).history_
    for method in ("newton", "gradient")
}

fig, axes = plt.subplots(1, 2, figsize=(8, 3.2), sharey=True, layout="constrained")
for method, history in found.items():
    gaps = np.array([step["gap"] for step in history])
    axes[0].semilogy([step["round"] for step in history], gaps, marker=".", label=method)
    axes[1].semilogy([step["bytes"] / 1e6 for step in history], gaps, marker=".", label=method)
axes[0].set(xlabel="rounds", ylabel="duality gap")
axes[1].set(xlabel="MB of messages of a worker")
axes[0].legend()
fig.suptitle("Large sums in few rounds, or small ones in many")
plt.show()
