"""Data of the race: every function returns (X, y, task), task None where all tasks share X.

X is float64 in Fortran order, so that no solver has to copy it.
"""

from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.signal import lfilter
from scipy.special import expit

from convexmtl import datasets

LEAD_FIELD, SCHOOL = "eeg_sphere_leadfield.npz", "school.npz"


def gaussian(n, d, T, n_informative=None, correlation=0.5, snr=3.0, seed=0):
    """Neighbouring columns correlated, a few rows of W not zero; ``snr`` is that of norms, signal to noise."""
    rng = np.random.default_rng(seed)
    innovations = rng.standard_normal((n, d)) * np.sqrt(1 - correlation**2)
    innovations[:, 0] /= np.sqrt(1 - correlation**2)
    X = np.asfortranarray(lfilter([1.0], [1.0, -correlation], innovations, axis=1))
    k = max(3, min(n, d) // 10) if n_informative is None else n_informative
    W = np.zeros((d, T))
    W[rng.choice(d, k, replace=False)] = rng.standard_normal((k, T))
    Z = X @ W
    noise = rng.standard_normal((n, T))
    return X, Z + noise * (np.linalg.norm(Z) / (snr * np.linalg.norm(noise))), None


def sparse_design(n, d, T, density=0.001, n_informative=50, snr=3.0, seed=0):
    """X in CSC format."""
    rng = np.random.default_rng(seed)
    X = sparse.random(n, d, density, format="csc", random_state=rng, data_rvs=rng.standard_normal)
    W = np.zeros((d, T))
    W[rng.choice(d, min(n_informative, d), replace=False)] = rng.standard_normal((min(n_informative, d), T))
    Z = X @ W
    noise = rng.standard_normal((n, T))
    return X, Z + noise * (np.linalg.norm(Z) / (snr * np.linalg.norm(noise))), None


def drawn(kind, T, n, d, layout="stacked", classification=False, seed=0, **options):
    """One of ``convexmtl.datasets.make_*``: ``kind`` is "block_sparse", "dirty", "low_rank", ...; n is per task."""
    make = getattr(datasets, f"make_{kind}")
    X, y, *rest = make(
        n_samples=n,
        n_features=d,
        n_tasks=T,
        layout=layout,
        classification=classification,
        random_state=seed,
        **options,
    )
    return np.asfortranarray(X), y, rest[0] if layout == "stacked" else None


def varied(kind, n, d, T, layout="shared", correlation=0.5, noise=1 / 3, classification=False, seed=0):
    """X whose neighbouring columns are correlated, under coefficients of one of the ``KINDS``; n is per task.

    ``noise`` is that of norms, noise to signal; labels are drawn with logits of standard deviation 2.
    """
    rng = np.random.default_rng(seed)
    W = KINDS[kind](rng, d, T)
    X = rng.standard_normal((n if layout == "shared" else n * T, d))
    X[:, 1:] *= np.sqrt(1 - correlation**2)
    X = np.asfortranarray(lfilter([1.0], [1.0, -correlation], X, axis=1))
    task = None if layout == "shared" else np.repeat(np.arange(T), n)
    Z = X @ W if task is None else np.einsum("ij,ji->i", X, W[:, task])
    if classification:
        return X, (rng.random(Z.shape) < expit(2 / Z.std() * Z)).astype(int), task
    error = rng.standard_normal(Z.shape)
    return X, Z + error * (noise * np.linalg.norm(Z) / np.linalg.norm(error)), task


def _in_use(rng, d, T, most):
    W = np.zeros((d, T))
    used = rng.choice(d, max(3, min(most, d // 10)), replace=False)
    W[used] = rng.standard_normal((len(used), T))
    return W


def _private(rng, d, T):
    """Thirty features of all tasks, and one entry in a hundred besides."""
    return _in_use(rng, d, T, 30) + rng.standard_normal((d, T)) * (rng.random((d, T)) < 0.01)


def _low_rank(rng, d, T):
    return rng.standard_normal((d, 3)) @ rng.standard_normal((3, T)) / np.sqrt(3)


def _clusters(rng, d, T):
    return rng.standard_normal((d, 3))[:, np.arange(T) % 3] + 0.3 * rng.standard_normal((d, T))


KINDS = {
    "rows": lambda rng, d, T: _in_use(rng, d, T, 50),
    "private": _private,
    "low rank": _low_rank,
    "clusters": _clusters,
}


def lead_field(folder=None):
    """EEG: 64 electrodes, 1092 dipoles, 50 points of time; columns are correlated up to 0.998.

    Without the folder that holds the computed field, dipoles in a homogeneous ball stand in for it.
    """
    if folder is not None:
        data = np.load(Path(folder) / LEAD_FIELD, allow_pickle=False)
        return np.asfortranarray(data["X"]), data["Y"], None
    rng = np.random.default_rng(0)
    electrodes = _on_sphere(rng, 64) * np.array([1, 1, 0.7]) + np.array([0, 0, 0.3])
    electrodes /= np.linalg.norm(electrodes, axis=1, keepdims=True)
    inside = _on_sphere(rng, 1092)
    where = inside * np.cbrt(rng.uniform(0.1, 0.6, (1092, 1)))
    offset = electrodes[:, None, :] - where
    X = np.einsum("ejk,jk->ej", offset, inside) / np.linalg.norm(offset, axis=2) ** 3
    X = np.asfortranarray((X - X.mean(axis=0)) / np.abs(X).max())
    time = np.linspace(0, 1, 50)
    W = np.zeros((1092, 50))
    for j, centre in zip(rng.choice(1092, 3, replace=False), (0.3, 0.5, 0.7), strict=True):
        W[j] = np.exp(-(((time - centre) / 0.1) ** 2)) * np.cos(8 * np.pi * (time - centre))
    Z = X @ W
    noise = rng.standard_normal(Z.shape)
    return X, Z + noise * (np.linalg.norm(Z) / (np.sqrt(10) * np.linalg.norm(noise))), None


def school(folder=None):
    """Exam scores of 15,362 pupils in 139 schools, 27 features, standardised.

    Without the folder that holds them, tasks of the same number, sizes and kinds of features stand in.
    """
    if folder is not None:
        data = np.load(Path(folder) / SCHOOL, allow_pickle=False)
        X, y, task = data["X"].astype(float), data["y"].astype(float), data["task"]
    else:
        rng = np.random.default_rng(0)
        sizes = np.clip(np.round(110 * np.exp(0.5 * rng.standard_normal(139))), 22, 251).astype(int)
        task = np.repeat(np.arange(139), sizes)
        X = rng.standard_normal((len(task), 27))
        X[:, 4:] = X[:, 4:] > rng.uniform(-0.5, 1.5, 23)
        W = rng.standard_normal((27, 1)) + 0.5 * rng.standard_normal((27, 3)) @ rng.standard_normal((3, 139))
        y = np.einsum("ij,ji->i", X, W[:, task]) + 10 * rng.standard_normal(len(task)) + 20
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    return np.asfortranarray(X), y, task


def _on_sphere(rng, n):
    points = rng.standard_normal((n, 3))
    return points / np.linalg.norm(points, axis=1, keepdims=True)
