"""
Clusters of tasks, found
========================

Thirty tasks fall into three groups; nobody says which task is in which.

The fit is convex, and learns a covariance of the tasks. Labels are read off afterwards.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import adjusted_rand_score

from convexmtl import ClusteredRegressor, MeanRegularizedRegressor
from convexmtl.datasets import make_clustered

X, y, task, W, labels = make_clustered(n_samples=15, n_features=20, n_tasks=30, random_state=0)
model = ClusteredRegressor(n_clusters=3, alpha_mean=0.01, alpha_between=0.02, alpha_within=1).fit(X, y, task=task)
mean = MeanRegularizedRegressor(alpha_mean=0.01, alpha_variance=0.2 * 30).fit(X, y, task=task)
print("labels as drawn, up to their names:", adjusted_rand_score(labels, model.labels_) == 1)
for name, fitted in (("clusters", model), ("one mean for all", mean)):
    print(f"{name:18s} error {np.sum((fitted.coef_.T - W) ** 2) / np.sum(W**2):.2f}")

# %%
# The learned covariance, with the tasks sorted by the label that was found.

order = np.argsort(model.labels_, kind="stable")
figure, axes = plt.subplots(1, 2, figsize=(7, 3.6), layout="constrained")
covariance = model.task_covariance_[np.ix_(order, order)]
off = covariance - np.diag(np.diag(covariance))
limit = np.abs(off).max()
axes[0].imshow(off, cmap="RdBu_r", vmin=-limit, vmax=limit)
axes[0].set(title="learned covariance (no diagonal)", xlabel="task", ylabel="task")
limit = np.abs(W).max()
axes[1].imshow(model.coef_.T[:, order], cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
axes[1].set(title="learned coefficients", xlabel="task", ylabel="feature", yticks=range(0, 20, 5))
plt.show()
