"""
Negative transfer, found and avoided
====================================

Six tasks are variations of one model, two are its opposite: a common mean helps some and hurts the others.

``compare_tasks`` fits the model, one model per task and one for all on the same folds, and says whom sharing helps.
"""

import matplotlib.pyplot as plt
import numpy as np

import convexmtl as mtl
from convexmtl.model_selection import TaskShuffleSplit

rng = np.random.default_rng(0)
names = np.array([*"abcdef", "y", "z"])
sign = np.array([1, 1, 1, 1, 1, 1, -1, -1])
centre = rng.standard_normal(15)
W = sign[:, None] * centre + 0.3 * rng.standard_normal((8, 15))
task = np.repeat(names, 40)
X = rng.standard_normal((320, 15))
y = np.einsum("ij,ij->i", X, np.repeat(W, 40, axis=0)) + 3 * rng.standard_normal(320)

# %%
# The mean model: tasks y and z pay for the others.

folds = TaskShuffleSplit(10, test_size=0.5, random_state=0)
mean = mtl.MeanRegularizedRegressor(alpha_mean=0.05, alpha_variance=8)
found = mtl.compare_tasks(mean, X, y, task=task, cv=folds)
print("helped:", found.helped(), "hurt:", found.hurt())
found.plot()

# %%
# A model that knows opposites as well as likenesses learns from all eight.

relations = mtl.TaskRelationshipRegressorCV(alphas=20).fit(X, y, task=task)
found = mtl.compare_tasks(mtl.TaskRelationshipRegressor(relations.alpha_), X, y, task=task, cv=folds)
print("helped:", found.helped(), "hurt:", found.hurt())
found.plot()
plt.show()
