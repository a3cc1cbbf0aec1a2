"""
Missing targets: assays of molecules
====================================

Many molecules, many assays, and most of the table empty.

The problem is that of drug screening: an assay is dear, so each molecule was measured in few of them. Assays of
related proteins respond to the same combinations of features, which makes a trace norm a good guess.
"""

import matplotlib.pyplot as plt
import numpy as np

from convexmtl import SingleTaskRegressorCV, TraceNormRegressorCV
from convexmtl.datasets import make_low_rank

X, Y, W = make_low_rank(layout="shared", n_samples=150, n_features=30, n_tasks=24, rank=3, noise=2, random_state=0)
rng = np.random.default_rng(1)
new = np.arange(len(X)) >= 100  # molecules that nobody has measured yet

# %%
# NaN is all that a missing target needs. The less was measured, the more the assays gain from each other.

shares = [0.2, 0.35, 0.6, 1.0]
errors = {"one model per assay": [], "trace norm": []}
for share in shares:
    seen = np.where(rng.random(Y.shape) < share, Y, np.nan)[~new]
    for name, model in (
        ("one model per assay", SingleTaskRegressorCV()),
        ("trace norm", TraceNormRegressorCV(alphas=20)),
    ):
        model.fit(X[~new], seen)
        truth = X[new] @ W
        errors[name].append(np.mean((model.predict(X[new]) - truth) ** 2) / np.mean(truth**2))

figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
for (name, values), marker in zip(errors.items(), "so", strict=True):
    ax.plot(shares, values, marker=marker, label=name)
ax.set(xlabel="share of the table that was measured", ylabel="error for new molecules / signal", ylim=0)
ax.legend(frameon=False)
ax.spines[["top", "right"]].set_visible(False)
plt.show()
