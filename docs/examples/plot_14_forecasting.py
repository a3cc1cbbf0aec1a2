"""
Forecasting: the horizon as a task
==================================

Predicting one hour, two hours, ... a day ahead are 24 tasks with the same features: the last day.

Direct forecasts fit a model per horizon, and know nothing of each other. Neighbouring horizons have nearly the same
model, which a chain of tasks can use.
"""

import matplotlib.pyplot as plt
import numpy as np

from convexmtl import SingleTaskRegressorCV, TemporalRegressorCV

rng = np.random.default_rng(0)
hours = np.arange(24 * 14)
noise = np.zeros(len(hours))
for i in range(1, len(hours)):
    noise[i] = 0.8 * noise[i - 1] + rng.standard_normal()
load = 3 * np.sin(2 * np.pi * hours / 24) + 1.5 * np.sin(4 * np.pi * hours / 24 + 1) + noise

lags, horizons = 24, 24
windows = np.lib.stride_tricks.sliding_window_view(load, lags + horizons)
X, Y = windows[:, :lags], windows[:, lags:]
train, test = slice(0, 120), slice(120 + horizons, None)  # no hour is in both

# %%
# Two weeks of hours, the first of them to learn from. Errors by horizon:

models = {
    "a model per horizon": SingleTaskRegressorCV(),
    "temporal": TemporalRegressorCV(norm="l2", sparse_ratios=[0.0], group_ratios=[0.0], ridge_ratios=[0.1], alphas=15),
}
figure, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
for (name, model), style in zip(models.items(), ("s--", "o-"), strict=True):
    model.fit(X[train], Y[train])
    error = np.mean((model.predict(X[test]) - Y[test]) ** 2, axis=0)
    ax.plot(np.arange(1, horizons + 1), error, style, markersize=4, label=f"{name}: {error.mean():.2f} on average")
ax.set(xlabel="hours ahead", ylabel="mean squared error", ylim=0)
ax.legend(frameon=False)
ax.spines[["top", "right"]].set_visible(False)
plt.show()
