"""
Ten digits, ten tasks, one picture of the pixels
================================================

One classifier per digit against the rest, that agree on which pixels to look at.

With few images to learn from, ten separate sparse classifiers pick pixels of their own. A block-sparse model drops a
pixel for all ten tasks together.
"""

import matplotlib.pyplot as plt
import numpy as np

from convexmtl import BlockSparseClassifier, alpha_max
from convexmtl.datasets import load_digits_tasks

digits = load_digits_tasks()
rng = np.random.default_rng(0)
order = rng.permutation(len(digits.data))
train, test = order[:150], order[150:]
X, Y = digits.data / 16, digits.target

# %%
# The same share of the largest strength for both: ``q=1`` is a lasso for each task, ``q=2`` ties the tasks together.

figure, axes = plt.subplots(1, 2, figsize=(7, 3.4), layout="constrained")
for ax, q, title in zip(axes, (1, 2), ("each digit for itself", "all digits together"), strict=True):
    top = alpha_max(BlockSparseClassifier(q=q), X[train], Y[train])
    model = BlockSparseClassifier(alpha=top / 8, q=q).fit(X[train], Y[train])
    right = np.mean(model.decision_function(X[test]).argmax(axis=1) == Y[test].argmax(axis=1))
    used = (model.coef_ != 0).sum(axis=0).reshape(8, 8)
    image = ax.imshow(used, cmap="Blues", vmin=0, vmax=10)
    ax.set_title(f"{title}\n{np.count_nonzero(used)} pixels, {right:.0%} right", fontsize=11)
    ax.set_axis_off()
figure.colorbar(image, ax=axes, label="digits that use the pixel")
plt.show()
