"""
One sample at a time
====================

Twelve tasks whose samples come one after the other: half of them have a model, the others its opposite.

A mistake in one task moves the models of all tasks that are related to it. Of four learners two are told that all
tasks are near their mean, which is wrong.
"""

import matplotlib.pyplot as plt
import numpy as np

from convexmtl import MeanCoupling
from convexmtl.relatives import OnlineMultiTaskClassifier

rng = np.random.default_rng(0)
T, d, n = 12, 20, 4000
W = np.resize([1, -1], T)[:, None] * rng.normal(size=d) + 0.3 * rng.normal(size=(T, d))
X, task = rng.normal(size=(n, d)), rng.integers(0, T, n)
y = np.sum(X * W[task], axis=1) > 0
y[rng.random(n) < 0.05] ^= True  # labels that are wrong

alone, near = MeanCoupling(1.0, 1.0), MeanCoupling(1.0, 13.0)
LEARNERS = {
    "every task alone": OnlineMultiTaskClassifier(alone),
    "near their mean": OnlineMultiTaskClassifier(near),
    "learned from there": OnlineMultiTaskClassifier(near, relations="covariance"),
    "learned from nothing": OnlineMultiTaskClassifier(alone, relations="covariance"),
}
fig, ax = plt.subplots(layout="constrained")
for name, model in LEARNERS.items():
    model.partial_fit(X, y, task=task, tasks=range(T))
    mistakes = np.cumsum(model.mistakes_)
    ax.plot(mistakes, label=f"{name}: {mistakes[-1]}")
ax.set(xlabel="rounds", ylabel="mistakes so far")
ax.legend()
plt.show()

# %%
# What was learned: tasks of one kind move together, and against those of the other kind.

order = np.argsort(np.arange(T) % 2, kind="stable")
B = LEARNERS["learned from nothing"].interaction_[np.ix_(order, order)]
fig, ax = plt.subplots(layout="constrained")
image = ax.imshow(B, cmap="RdBu_r", vmin=-abs(B).max(), vmax=abs(B).max())
fig.colorbar(image, label="interaction")
ax.set(title="tasks of one sign, then of the other")
plt.show()
