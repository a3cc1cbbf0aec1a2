"""
Schools as draws from one distribution
======================================

Each school has a line of its own, from an earlier score to the later one. What are the schools like, and what is known
of one with two pupils?

``HierarchicalBayes`` estimates the distribution that levels and slopes are drawn from, by restricted maximum
likelihood: there is no strength to be chosen. The line of a school is then what its pupils make of that distribution.
"""

import matplotlib.pyplot as plt
import numpy as np

from convexmtl import MeanRegularizedRegressorCV
from convexmtl.datasets import load_exam
from convexmtl.relatives import HierarchicalBayes

exam = load_exam()
X, y, school = exam.data[:, [exam.feature_names.index("standLRT")]], exam.target, exam.task
model = HierarchicalBayes(unseen_task="mean").fit(X, y, task=school)

for name, value, error in zip(["slope", "level"], model.fixed_effects_[0], model.fixed_errors_[0], strict=True):
    print(f"{name}: {value:.3f}, standard error {error:.3f}")
spread = np.sqrt(np.diag(model.prior_covariance_))
print(f"between schools slopes differ by {spread[0]:.3f}, levels by {spread[1]:.3f}")
print(f"pupils of a school differ by {np.sqrt(model.noise_):.3f}; log likelihood {model.log_likelihood_:.2f}")

# %%
# Schools with few pupils are drawn towards the mean, and nobody is sure of them: the bars are one standard deviation.

sizes = np.array([np.sum(school == t) for t in model.tasks_])
own = np.array(
    [
        np.polyfit(X[school == t, 0], y[school == t], 1)[0] if n > 2 else np.nan
        for t, n in zip(model.tasks_, sizes, strict=True)
    ]
)
deviation = np.sqrt(model.coef_covariance_[:, 0, 0])
order = np.argsort(sizes)
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
left.axhline(model.mean_coef_[0], color="0.7", lw=1)
left.plot(sizes, own, "x", color="0.6", label="least squares, school by school")
left.errorbar(sizes, model.coef_[:, 0], deviation, fmt="o", ms=3, lw=0.8, label="given all schools")
left.set(xscale="log", xlabel="pupils of the school", ylabel="slope", ylim=(-0.1, 1.2))
left.legend()

# Lines of the largest school, of the smallest, and of one that nobody has seen.
grid = np.linspace(-2.5, 2.5, 41)
for label, color, name in (
    (model.tasks_[order[-1]], "C0", "the largest"),
    (model.tasks_[order[0]], "C1", "the smallest"),
    (-1, "0.5", "a new one"),
):
    mean, at = model.predict(grid[:, None], task=np.full(41, label), return_std=True)
    right.plot(grid, mean, color=color, label=name)
    right.fill_between(grid, mean - at, mean + at, color=color, alpha=0.2, lw=0)
right.set(xlabel="earlier score", ylabel="later score")
right.legend()

# %%
# The convex sibling measures the distance from the mean by one strength, which cross-validation chooses; there the
# variances of levels and slopes are one, and of the same order.

sibling = MeanRegularizedRegressorCV().fit(X, y, task=school)
print(f"correlation of the slopes of both: {np.corrcoef(model.coef_[:, 0], sibling.coef_[:, 0])[0, 1]:.2f}")
