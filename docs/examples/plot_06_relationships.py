"""
Which tasks go together, and which against each other
=====================================================

Task relationships, positive and negative, learned along with the coefficients.

Other models draw tasks together. This one also learns from a task that does the opposite: what raises one lowers the
other.
"""

import matplotlib.pyplot as plt
import numpy as np

from convexmtl import (
    SharedFeatureRegressor,
    SingleTaskRegressorCV,
    TaskRelationshipRegressor,
    TaskRelationshipRegressorCV,
)
from convexmtl.datasets import make_task_relationships
from convexmtl.inspection import TaskRelationshipDisplay

X, y, task, W, Sigma = make_task_relationships(n_samples=20, n_features=20, n_tasks=12, random_state=0)
model = TaskRelationshipRegressorCV(alphas=20).fit(X, y, task=task)
alone = SingleTaskRegressorCV().fit(X, y, task=task)
for name, fitted in (("together", model), ("alone", alone)):
    print(f"{name:10s} error {np.sum((fitted.coef_.T - W) ** 2) / np.sum(W**2):.2f}")

# %%
# What was learned beside what the data were drawn with. Signs are right where there is a relationship; where there is
# none (white), twenty samples a task leave something that looks like one.

figure, axes = plt.subplots(1, 2, figsize=(7, 3.4), layout="constrained")
TaskRelationshipDisplay.from_estimator(model, ax=axes[0], colorbar=False)
scale = np.sqrt(np.diag(Sigma))
axes[1].imshow(Sigma / np.outer(scale, scale), cmap="RdBu_r", vmin=-1, vmax=1)
axes[0].set_title("learned")
axes[1].set(title="true", xlabel="task")
plt.show()

# %%
# The same model seen from the features: ``SharedFeature`` has the same coefficients, and learns a covariance of the
# features in place of one of the tasks. The shares of its directions say how many patterns serve all tasks; here one
# stands out.

relations = TaskRelationshipRegressor(model.alpha_, tol=1e-8).fit(X, y, task=task)
shared = SharedFeatureRegressor(model.alpha_, tol=1e-8).fit(X, y, task=task)
print("largest difference of coefficients:", np.abs(relations.coef_ - shared.coef_).max().round(6))
print("shares of the directions:", np.linalg.eigvalsh(shared.feature_covariance_)[::-1][:6].round(2))
