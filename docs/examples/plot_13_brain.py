"""
Where in the brain? Few sources for all times
=============================================

Sixty electrodes see mixtures of a few hundred possible sources. Which are active is the same at all times.

A time is a task, a source a feature, and the matrix from sources to electrodes is one :math:`X` for all tasks. The
sources lie on a circle here, seen by electrodes around it, so that those beside each other look nearly alike.
"""

import matplotlib.pyplot as plt
import numpy as np

from convexmtl import BlockSparseRegressor, regularization_path

n_electrodes, n_sources, n_times = 60, 300, 40
place = np.linspace(0, 2 * np.pi, n_sources, endpoint=False)
electrode = np.linspace(0, 2 * np.pi, n_electrodes, endpoint=False)
field = 1 / (1.1 - np.cos(electrode[:, None] - place)) ** 1.5
field /= np.linalg.norm(field, axis=0)
print(f"correlation of neighbouring sources: {field[:, 0] @ field[:, 1]:.4f}")

time = np.linspace(0, 1, n_times)
active = [40, 130, 220]
truth = np.zeros((n_sources, n_times))
truth[active] = [np.sin(2 * np.pi * f * time) * np.exp(-4 * (time - c) ** 2) for f, c in ((5, 0.3), (8, 0.5), (3, 0.8))]
rng = np.random.default_rng(0)
signal = field @ truth
noise = 0.5 * signal.std()
noisy = signal + noise * rng.standard_normal(signal.shape)

# %%
# The mixed norm picks sources for all times at once, a lasso for each time alone. Either gets the largest strength that
# leaves no more of the data unexplained than a little above the noise in them, of which one has an idea in practice.

fits = {}
for name, q in {"each time alone": 1, "all times": 2}.items():
    model = BlockSparseRegressor(q=q, tol=1e-3, fit_intercept=False)
    path = regularization_path(model, field, noisy, alphas=15, eps=0.12)
    left = [np.mean((noisy - field @ coef.T) ** 2) for coef in path.coefs]
    alpha = path.alphas[np.argmax(np.array(left) < 1.2 * noise**2)]
    fits[name] = BlockSparseRegressor(alpha, q=q, fit_intercept=False)
figure, axes = plt.subplots(2, 1, figsize=(6.4, 5), sharex=True, layout="constrained")
for ax, (name, model) in zip(axes, fits.items(), strict=True):
    model.fit(field, noisy)
    strength = np.linalg.norm(model.coef_, axis=0)
    ax.vlines(active, 0, 1.05, color="#D55E00", linestyle=":", label="true sources")
    ax.stem(
        np.flatnonzero(strength), strength[strength > 0] / strength.max(), markerfmt=".", basefmt=" ", label="found"
    )
    ax.set(title=f"{name}: {np.count_nonzero(strength)} sources", ylabel="strength, relative")
    ax.spines[["top", "right"]].set_visible(False)
axes[0].legend(frameon=False)
axes[1].set_xlabel("source")

# %%
# The courses near each true source, added up. The penalty has shrunk them; to fit what was picked once more without it
# (``convexmtl.relax``) is no remedy here, where neighbours are told apart by noise alone.

figure, ax = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
for j, colour in zip(active, ("#0072B2", "#D55E00", "#009E73"), strict=True):
    near = slice(j - 4, j + 5)
    ax.plot(time, truth[j], color=colour, linewidth=3, alpha=0.3)
    ax.plot(time, fits["all times"].coef_[:, near].sum(axis=1), color=colour, linewidth=1, label=f"source {j}")
ax.set(xlabel="time", ylabel="amplitude (pale: true)")
ax.legend(frameon=False)
ax.spines[["top", "right"]].set_visible(False)
plt.show()
