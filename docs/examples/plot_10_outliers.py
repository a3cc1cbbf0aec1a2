"""
Tasks that do not belong
========================

A subspace that most tasks share is pulled off by those that do not; the robust model gives them a part of their own.
"""

import matplotlib.pyplot as plt
import numpy as np

from convexmtl import RobustLowRankRegressor, TraceNormRegressor, regularization_path
from convexmtl.datasets import make_outlier_tasks

X, y, task, W, outliers = make_outlier_tasks(n_samples=40, n_features=20, n_tasks=30, random_state=0)
robust = RobustLowRankRegressor(alpha_low_rank=0.9, alpha_outlier=0.55).fit(X, y, task=task)
print("found:", sorted(robust.outlier_tasks_.tolist()), "true:", sorted(np.asarray(outliers).tolist()))

# %%
# Lengths of the tasks' own parts: exactly zero for those that belong.

figure, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
colours = np.where(np.isin(np.arange(30), outliers), "#D55E00", "#0072B2")
ax.bar(range(30), np.linalg.norm(robust.outlier_, axis=1), color=colours)
ax.set(xlabel="task (orange: an outlier in truth)", ylabel="length of its own part")
ax.spines[["top", "right"]].set_visible(False)

# %%
# What it is worth to the others, each model at its best strength on a path:

inside = np.setdiff1d(np.arange(30), outliers)
for model in (TraceNormRegressor(), robust):
    coefs = regularization_path(model, X, y, task=task, alphas=15, eps=0.03).coefs
    error = min(np.sum((coef.T - W)[:, inside] ** 2) for coef in coefs) / np.sum(W[:, inside] ** 2)
    print(f"{type(model).__name__:24s} error of the tasks that belong: {error:.3f}")
plt.show()
