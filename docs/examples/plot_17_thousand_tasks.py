"""
A thousand tasks
================

Two thousand shops of a dozen days each: too little for a model of their own, too different for one.

Work grows with the data and with nothing else, so that all strengths are tried in seconds.
"""

from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np

from convexmtl import MeanRegularizedRegressor, regularization_path
from convexmtl.datasets import make_mean_related

T, n, d = 2000, 12, 8
X, y, shop, W = make_mean_related(n_tasks=T, n_samples=n, n_features=d, spread=0.5, random_state=0)
start = perf_counter()
path = regularization_path(MeanRegularizedRegressor(0.0, 1.0), X, y, task=shop, alphas=T * np.logspace(-3, 1.5, 25))
seconds = perf_counter() - start
print(f"{len(path.alphas)} fits of {T} tasks in {seconds:.1f} s")

# %%
# To the left each shop alone, to the right one model for all.

error = [np.sum((coef.T - W) ** 2) / np.sum(W**2) for coef in path.coefs]
figure, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
ax.semilogx(path.alphas / T, error, "o-", markersize=4)
ax.set(xlabel="alpha_variance / T", ylabel="error of the coefficients, relative", ylim=0)
ax.spines[["top", "right"]].set_visible(False)
plt.show()
