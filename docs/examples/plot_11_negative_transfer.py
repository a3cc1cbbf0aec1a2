"""
Negative transfer, found and avoided
====================================

Eight small shops are variations of one model; two large ones do the opposite. A common mean hurts these.

``compare_tasks`` fits the model, one model per task and one for all on the same folds, and says whom sharing helps
and whom it hurts.
"""

import matplotlib.pyplot as plt
import numpy as np

import convexmtl as mtl
from convexmtl.model_selection import TaskShuffleSplit

rng = np.random.default_rng(0)
names, d = np.array([*"abcdefgh", "y", "z"]), 15
sizes = np.array([40] * 8 + [300] * 2)
sign = np.array([1] * 8 + [-1] * 2)
W = sign[:, None] * rng.standard_normal(d) + 0.3 * rng.standard_normal((10, d))
shop = np.repeat(names, sizes)
X = rng.standard_normal((len(shop), d))
y = np.sum(X * np.repeat(W, sizes, axis=0), axis=1) + 3 * rng.standard_normal(len(shop))

# %%
# The mean model, at the strengths that its search finds best for all shops together:

folds = TaskShuffleSplit(10, test_size=0.3, random_state=0)
search = mtl.MeanRegularizedRegressorCV(alphas=20).fit(X, y, task=shop)
mean = mtl.MeanRegularizedRegressor(search.alpha_mean_, search.alpha_variance_)
found = mtl.compare_tasks(mean, X, y, task=shop, cv=folds)
print(found.summary())
found.plot()

# %%
# The small shops look better, each within what chance can do, and ``y`` and ``z`` are hurt: they have samples enough
# for a model of their own, and are drawn towards a mean that is nobody's.
#
# A model that knows opposites as well as likenesses learns from all ten, and hurts nobody:

search = mtl.TaskRelationshipRegressorCV(alphas=20).fit(X, y, task=shop)
found = mtl.compare_tasks(mtl.TaskRelationshipRegressor(search.alpha_), X, y, task=shop, cv=folds)
print(found.summary())
found.plot()
plt.show()

# %%
# Were ``y`` and ``z`` as small as the others, nobody would be hurt beyond doubt: alone they would do no better, and
# with so few samples it could not be told. That a table shows no harm is no proof that there is none; look at the
# width of its intervals.
