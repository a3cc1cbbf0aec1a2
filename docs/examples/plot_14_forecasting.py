"""
Forecasting: the horizon as a task
==================================

At midnight the 24 hours to come are to be predicted from what is known: 24 tasks with one X.

Direct forecasts fit a model per horizon, and know nothing of each other. If the effect of a feature changes little
from one hour to the next, a chain of tasks can use that. Whether it helps depends on the *errors*: where each hour has
an error of its own, neighbours are new evidence. Where an error is carried from hour to hour, they repeat the old one.
"""

import matplotlib.pyplot as plt
import numpy as np

from convexmtl import SingleTaskRegressorCV, TemporalRegressorCV

n_hours, n_features, n_train = 24, 12, 40
hours = np.arange(n_hours)


def nights(seed, carried, n=n_train):
    """What is known at midnight, the hours that follow, and the true effects, of n nights."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, n_features))
    peak, size = rng.uniform(0, 24, (n_features, 1)), rng.standard_normal((n_features, 1))
    effect = size * np.exp(-hours / 18) * (1 + 0.8 * np.cos(2 * np.pi * (hours - peak) / 24))
    effect /= np.sqrt(np.mean(np.sum(effect**2, axis=0)))
    error = rng.standard_normal((n, n_hours))
    for h in hours[1:]:
        error[:, h] = carried * error[:, h - 1] + np.sqrt(1 - carried**2) * error[:, h]
    return X, X @ effect + 1.5 * error, effect


models = {
    "a model per hour": SingleTaskRegressorCV(),
    "temporal": TemporalRegressorCV(norm="l2", sparse_ratios=[0.0], group_ratios=[0.0], ridge_ratios=[0.03], alphas=15),
}

# %%
# Above the effect of one feature over the hours, with errors of their own; below how far off the predictions are as
# more of the error is carried over.

figure, (above, below) = plt.subplots(2, 1, figsize=(6, 6.6), layout="constrained")
X, Y, effect = nights(0, 0.0)
j = np.argmax(np.abs(effect).max(axis=1))
above.plot(hours + 1, effect[j], color="#bbbbbb", linewidth=4, label="true")
shares = [0.0, 0.5, 0.8, 0.95]
for (name, model), colour, style in zip(models.items(), ("#D55E00", "#0072B2"), ("s--", "o-"), strict=True):
    above.plot(hours + 1, model.fit(X, Y).coef_[:, j], style, color=colour, markersize=3, label=name)
    off = []
    for carried in shares:
        tries = []
        for seed in range(5):
            known, targets, truth = nights(seed, carried)
            # For features of unit variance that is the error of predictions, beside the noise.
            tries.append(np.mean(np.sum((model.fit(known, targets).coef_ - truth.T) ** 2, axis=1)))
        off.append(np.mean(tries))
    below.plot(shares, off, style, color=colour, label=name)
above.set(xlabel="hours ahead", ylabel="effect of one feature")
below.set(xlabel="share of the error that is carried over", ylabel="error of predictions, beside noise", ylim=0)
for ax in (above, below):
    ax.spines[["top", "right"]].set_visible(False)
above.legend(frameon=False)
plt.show()

# %%
# Sharing leaves a third of the error where every hour has noise of its own, and *adds* to it where errors last all day,
# as those of a random walk do: folds cannot tell the chain's errors from the truth, since neighbours confirm them.
# Look at the residuals of separate models. If neighbouring horizons have the same ones, leave it.
