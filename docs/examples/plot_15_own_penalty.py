"""
A penalty of your own
=====================

Few features, few patterns among them, and nothing negative: three penalties added up on one W.

Penalties are objects. A sum of them is one, and so is a constraint; any of them goes with any loss, and each fit ends
with a gap. A wholly new one is a class with a prox: see :doc:`/developer/adding_a_penalty`.
"""

import matplotlib.pyplot as plt
import numpy as np

from convexmtl import Box, MultiTaskRegressor, RowNorm, TraceNorm, certify

rng = np.random.default_rng(0)
W = np.zeros((30, 12))
W[:8] = rng.uniform(0, 1, (8, 2)) @ rng.uniform(0, 1, (2, 12))
X = rng.standard_normal((40, 30))
Y = X @ W + rng.standard_normal((40, 12))

penalties = {
    "rows": RowNorm(alpha=0.3),
    "rows + rank": RowNorm(alpha=0.2) + TraceNorm(alpha=0.3),
    "rows + rank, >= 0": RowNorm(alpha=0.2) + TraceNorm(alpha=0.3) + Box(low=0.0),
}

# %%
# Each sum is fitted like any other penalty, and certified.

figure, axes = plt.subplots(1, 4, figsize=(7.2, 4), sharey=True, layout="constrained")
limit = W.max()
axes[0].imshow(W, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
axes[0].set(title="truth", ylabel="feature")
for ax, (name, penalty) in zip(axes[1:], penalties.items(), strict=True):
    model = MultiTaskRegressor(penalty).fit(X, Y)
    error = np.sum((model.coef_.T - W) ** 2) / np.sum(W**2)
    ax.imshow(model.coef_.T, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
    ax.set_title(f"{name}\nerror {error:.2f}", fontsize=10)
    print(f"{name:18s} gap / objective {certify(model, X, Y).gap / model.objective_:.1e}")
for ax in axes:
    ax.set(xlabel="task", xticks=range(0, 12, 4))
plt.show()
