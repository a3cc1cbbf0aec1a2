"""
Parties that do not share rows
==============================

Six clinics measure the same things, none has many patients, and none may hand them over. Each tells sums over its rows.

The model that is fitted to the sums is the one that all rows together would have given. Where sums tell too much of
single patients, noise hides them (differential privacy), at a price that falls as there are more rows.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np

from convexmtl import BlockSparseClassifier, MeanRegularizedRegressor
from convexmtl.federated import Coordinator, LocalTransport, Party, Privacy, fit

T, d = 6, 8
names = [f"clinic {t + 1}" for t in range(T)]
rng = np.random.default_rng(0)
common = rng.normal(size=d)
W = common[:, None] + 0.3 * rng.normal(size=(d, T))


def drawn(n, seed):
    """(X, y, task) of n rows for each clinic."""
    rng = np.random.default_rng(seed)
    X, task = rng.uniform(-1, 1, size=(T * n, d)), np.repeat(np.arange(T), n)
    return X, np.einsum("ij,ji->i", X, W[:, task]) + rng.normal(size=T * n), task


X_new, y_new, task_new = drawn(2000, 99)

# %%
# One round: every clinic makes a message of a kilobyte or so, and the coordinator fits an ordinary estimator to them.
X, y, task = drawn(40, 1)
clinics = [Party(X[task == t], y[task == t], task[task == t], name=names[t]) for t in range(T)]
messages = [clinic.statistics() for clinic in clinics]
together = fit(MeanRegularizedRegressor(), messages)
alone = [MeanRegularizedRegressor().fit(X[task == t], y[task == t]) for t in range(T)]
by_itself = np.mean([alone[t].score(X_new[task_new == t], y_new[task_new == t]) for t in range(T)])
print(f"R2 on new patients: {together.score(X_new, y_new, task=task_new):.2f}, each clinic by itself {by_itself:.2f}")
print(f"{len(messages[0])} bytes of every clinic")

# %%
# Whether somebody has got better, yes or no, takes some rounds more. Each tells how far the optimum may be.
better = np.where(y > 0, "yes", "no")
clinics = [Party(X[task == t], better[task == t], task[task == t], name=names[t]) for t in range(T)]
coordinator = Coordinator(BlockSparseClassifier(0.02, tol=1e-8))
transport = LocalTransport(clinics)
while not coordinator.done:
    coordinator.receive(transport(coordinator.request()))
gaps = [record["gap"] for record in coordinator.history_ if "gap" in record]


# %%
# With noise, any single patient is hidden within epsilon. The bounds of the rows are known without looking at them.
epsilons, sizes = [0.3, 1, 3, 10], [100, 1000, 10_000]
scores = np.zeros((len(sizes), len(epsilons)))
for i, n in enumerate(sizes):
    X, y, task = drawn(n, 2)
    for j, epsilon in enumerate(epsilons):
        privacy = Privacy(epsilon, delta=1e-6, bound_X=2.0, bound_y=5.0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # how many rows have been longer than the bounds
            clinics = [
                Party(X[task == t], y[task == t], task[task == t], privacy=privacy, random_state=t) for t in range(T)
            ]
            private = fit(MeanRegularizedRegressor(), LocalTransport(clinics))
        scores[i, j] = private.score(X_new, y_new, task=task_new)

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
left.semilogy(range(1, len(gaps) + 1), np.maximum(gaps, 1e-12), "o-")
left.set(xlabel="round", ylabel="duality gap", title="Classes, in rounds")
for n, row in zip(sizes, scores, strict=True):
    right.semilogx(epsilons, np.maximum(row, 0), "o-", label=f"{n:,} rows of a clinic")
right.axhline(MeanRegularizedRegressor().fit(X, y, task=task).score(X_new, y_new, task=task_new), color="0.6")
right.set(xlabel="epsilon", ylabel="R² on new patients", title="What privacy costs")
right.legend()
plt.show()
