"""The bare LAPACK calls that quadratic couplings need: what no solver of them can go below by much.

All of them numpy's: scipy brings a BLAS of its own, and the threads of the two get into each other's way.

Squared loss; W minimises sum_t norm(y_t - X_t w_t)^2 / (2 n_t) + tr(W M W').
"""

import numpy as np


def solve(instance):
    """(W, b)."""
    return (_shared if instance.layout == "shared" else _stacked)(instance)


def _shared(instance):
    """(X'X/n) W + 2 W M = X'Y/n: one eigendecomposition on either side."""
    X, Y, M = instance.X, instance.Y, instance.problem.penalty.coupling.matrix()
    x_mean, y_mean = (X.mean(axis=0), Y.mean(axis=0)) if instance.fit_intercept else (0.0, 0.0)
    if instance.fit_intercept:
        X, Y = X - x_mean, Y - y_mean
    n, d = X.shape
    mu, U = np.linalg.eigh(M)
    if d <= n:
        lam, V = np.linalg.eigh(X.T @ X / n)
        W = V @ ((V.T @ (X.T @ (Y @ U)) / n) / (lam[:, None] + 2 * np.maximum(mu, 0))) @ U.T
    else:
        # W = X'A: the same equation in the rows, n x n.
        lam, V = np.linalg.eigh(X @ X.T / n)
        W = X.T @ (V @ ((V.T @ (Y @ U) / n) / (np.maximum(lam, 0)[:, None] + 2 * mu))) @ U.T
    return W, y_mean - x_mean @ W if instance.fit_intercept else np.zeros(W.shape[1])


def _stacked(instance):
    """M = delta I + sum_k kappa_k u_k u_k' with few k: a factor per task, and one system in d k unknowns."""
    M = instance.problem.penalty.coupling.matrix()
    d, T = instance.shape
    mu, U = np.linalg.eigh(M)
    values, counts = np.unique(np.round(mu, 12), return_counts=True)
    delta = values[np.argmax(counts)]
    special = np.abs(mu - delta) > 1e-9 * max(1.0, mu[-1])
    H, kappa = U[:, special], mu[special] - delta
    k = len(kappa)
    inverses, first = np.empty((T, d, d)), np.empty((d, T))
    means = np.zeros((d, T))
    y_means = np.zeros(T)
    for t, (X, y) in enumerate(instance.tasks):
        if instance.fit_intercept:
            means[:, t], y_means[t] = X.mean(axis=0), y.mean()
            X, y = X - means[:, t], y - y_means[t]
        A = X.T @ X / len(y)
        A[np.diag_indices(d)] += 2 * delta
        inverses[t] = np.linalg.inv(A)
        first[:, t] = inverses[t] @ (X.T @ y / len(y))
    # With Z = W H: w_t = first_t - 2 A_t^-1 Z diag(kappa) h_t.
    outer = np.einsum("ta,tb->tab", H, H * (2 * kappa)).reshape(T, k * k)
    blocks = (outer.T @ inverses.reshape(T, d * d)).reshape(k, k, d, d)
    system = np.eye(k * d) + blocks.transpose(0, 2, 1, 3).reshape(k * d, k * d)
    Z = np.linalg.solve(system, (first @ H).T.ravel()).reshape(k, d).T
    W = first - 2 * np.einsum("tij,jt->it", inverses, Z @ (H * kappa).T)
    return W, y_means - np.sum(means * W, axis=0)
