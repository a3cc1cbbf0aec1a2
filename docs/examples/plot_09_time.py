"""
One model at many times
=======================

A score that is predicted a month, two months, ... ahead is a chain of tasks: coefficients change at few times.
"""

import matplotlib.pyplot as plt
import numpy as np

from convexmtl import SingleTaskRegressorCV, TemporalRegressorCV
from convexmtl.datasets import make_temporal

X, y, time, W = make_temporal(n_samples=25, n_features=20, n_tasks=24, n_informative=3, n_jumps=2, random_state=2)
alone = SingleTaskRegressorCV().fit(X, y, task=time)
chain = TemporalRegressorCV(alphas=15).fit(X, y, task=time)

# %%
# Each time alone, and all times with a price on every change. Grey steps are the truth. What changes for one
# time only, as a coefficient does at time 14, is taken for noise: that is what was said of it.

figure, axes = plt.subplots(2, 1, figsize=(6, 5.6), sharex=True, sharey=True, layout="constrained")
used = np.flatnonzero(W.any(axis=1))
for ax, (name, model) in zip(axes, {"each time alone": alone, "temporal": chain}.items(), strict=True):
    for j, colour in zip(used, ("#0072B2", "#D55E00", "#009E73"), strict=True):
        ax.step(range(24), W[j], color="#bbbbbb", linewidth=3, where="mid")
        ax.step(range(24), model.coef_[:, j], color=colour, where="mid")
    error = np.sum((model.coef_.T - W) ** 2) / np.sum(W**2)
    ax.set(title=f"{name}, error {error:.3f}", ylabel="coefficient")
    ax.spines[["top", "right"]].set_visible(False)
axes[1].set_xlabel("time")
plt.show()
