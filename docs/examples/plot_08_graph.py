"""
A graph of tasks, with signs
============================

Joined tasks have equal coefficients, or opposite ones.

All targets are measured on the same samples, so their correlations can serve as the graph; negative ones become edges
with a sign.
"""

import matplotlib.pyplot as plt
import numpy as np

from convexmtl import BlockSparseRegressor, GraphGuidedRegressor, regularization_path
from convexmtl.datasets import make_graph_guided
from convexmtl.structures import correlation_graph

X, Y, W, edges = make_graph_guided(
    layout="shared", n_samples=40, n_features=30, n_tasks=16, graph="clique", random_state=0
)
graph = correlation_graph(Y, threshold=0.6)
print(len(graph), "edges from the correlations,", len(edges), "in truth")

models = {
    "lasso for each": BlockSparseRegressor(q=1),
    "graph": GraphGuidedRegressor(graph, alpha=1.0, alpha_sparse=1.0),
}
fits = {"truth": W.T}
for name, model in models.items():
    coefs = regularization_path(model, X, Y, alphas=25).coefs
    errors = [np.sum((coef.T - W) ** 2) / np.sum(W**2) for coef in coefs]
    fits[f"{name}\nerror {min(errors):.3f}"] = coefs[np.argmin(errors)]

# %%
# Tasks of a component side by side.

order = np.lexsort(np.abs(W[np.argsort(-np.abs(W).sum(axis=1))[:8]]).round(6))
rows = np.flatnonzero(W.any(axis=1))
limit = np.abs(W).max()
figure, axes = plt.subplots(1, 3, figsize=(7, 3.4), sharey=True, layout="constrained")
for ax, (name, coef) in zip(axes, fits.items(), strict=True):
    ax.imshow(coef[np.ix_(order, rows)].T, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
    ax.set(title=name, xlabel="task")
axes[0].set_ylabel("feature in use")
plt.show()
