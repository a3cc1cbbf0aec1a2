"""
Exam schools, end to end
========================

Are schools better predicted together than alone, and for which of them?

Pupils of 65 London schools have a score on entry, and sat an exam at 16. A school is a task. Some have two hundred
pupils, some a handful.
"""

import matplotlib.pyplot as plt
import numpy as np

import convexmtl as mtl
from convexmtl.datasets import load_exam
from convexmtl.inspection import CVDisplay
from convexmtl.model_selection import TaskKFold, TaskShuffleSplit

exam = load_exam()
X, y, school = exam.data, exam.target, exam.task
train, test = next(TaskKFold(4, shuffle=True, random_state=0).split(X, y, school))

# %%
# The mean-regularised model says that schools are variations of one school. Its twin chooses how close they are.

model = mtl.MeanRegularizedRegressorCV(alphas=20).fit(X[train], y[train], task=school[train])
CVDisplay.from_estimator(model)
plt.show()

# %%
# What was found, in words:

print(mtl.explain_fit(model))

# %%
# Beside one model per school and one for all, on pupils that none of them has seen:

for other in (mtl.SingleTaskRegressorCV(), mtl.PooledRegressorCV(), model):
    if other is not model:
        other.fit(X[train], y[train], task=school[train])
    error = np.mean((y[test] - other.predict(X[test], task=school[test])) ** 2)
    print(f"{type(other).__name__:28s} {error:.4f}")

# %%
# School by school, with intervals. Whoever has few pupils has wide ones: no single school's gain can be told from
# chance, while that of all together can.

single = mtl.MeanRegularizedRegressor(model.alpha_mean_, model.alpha_variance_)
found = mtl.compare_tasks(single, X, y, task=school, cv=TaskShuffleSplit(5, random_state=0))
print(found.summary())
found.plot(max_rows=15)
plt.show()
