"""
Ten digits, ten tasks, one picture of the pixels
================================================

One classifier per digit against the rest, that agree on which pixels to look at.

Ten separate sparse classifiers pick pixels of their own. A block-sparse model drops a pixel for all ten tasks together,
and so gets along with fewer.
"""

import matplotlib.pyplot as plt
import numpy as np

from convexmtl import BlockSparseClassifier, regularization_path
from convexmtl.datasets import load_digits_tasks

digits = load_digits_tasks()
X, Y = digits.data / 16, digits.target

# %%
# ``q=1`` is a lasso for each task, ``q=2`` ties the tasks together. Above the first model on the path of each
# that uses 30 pixels or more. Below all models, for three draws of 150 images to learn from.

figure, axes = plt.subplot_mosaic("AB;CC", figsize=(6, 6), layout="constrained")
axes = list(axes.values())
kinds = {1: ("each digit for itself", "#D55E00", "s--"), 2: ("all digits together", "#0072B2", "o-")}
for seed in range(3):
    order = np.random.default_rng(seed).permutation(len(X))
    train, test = order[:150], order[150:]
    for ax, (q, (title, colour, style)) in zip(axes, kinds.items(), strict=False):
        path = regularization_path(BlockSparseClassifier(q=q), X[train], Y[train], alphas=20)
        pixels = path.coefs.any(axis=1).sum(axis=1)
        scores = np.einsum("ij,atj->ait", X[test], path.coefs) + path.intercepts[:, None]
        right = np.mean(scores.argmax(axis=2) == Y[test].argmax(axis=1), axis=1)
        axes[2].plot(pixels, right, style, color=colour, markersize=3, alpha=0.8, label=None if seed else title)
        if seed == 0:
            used = (path.coefs[np.argmax(pixels >= 30)] != 0).sum(axis=0).reshape(8, 8)
            image = ax.imshow(used, cmap="Blues", vmin=0, vmax=10)
            ax.set_title(f"{title}\n{np.count_nonzero(used)} pixels", fontsize=11)
            ax.set_axis_off()
figure.colorbar(image, ax=axes[:2], label="digits that use the pixel")
axes[2].set(xlabel="pixels in use", ylabel="images read right", ylim=(0.4, 1))
axes[2].legend(frameon=False)
axes[2].spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# Where pixels are dear, agreeing on them is worth a lot. Where all may be used, it is worth a point in a hundred, or
# nothing.
