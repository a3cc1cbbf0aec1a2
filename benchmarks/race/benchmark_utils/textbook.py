"""Accelerated proximal gradient with line search, as textbooks and MATLAB toolkits have it.

Plain numpy, written from the papers: full passes over the data, one step size found by backtracking, no
restart, no screening, no Gram matrices; it stops when the objective changes no more. It stands for what published
toolkits do. Where the toolkits minimise over W and a second matrix together (dirty model, clusters
of tasks, squared trace norm), so does this. For the squared trace norm there is also the papers' own method,
exact minimisation over W and Sigma in turn.

References
----------
Beck, Teboulle (2009), SIAM J. Imaging Sciences (the method); Jalali et al. (2010), NIPS; Zhou, Chen, Ye (2011),
NIPS (W and M together); Argyriou, Evgeniou, Pontil (2008), Machine Learning; Zhang, Yeung (2010), UAI (W and
Sigma in turn); Liu, Ye (2010), arXiv:1009.4766 (the prox of l1/lq).
"""

import time
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit

# Sigma = M + shift I keeps the squared trace norm differentiable in M. The smaller the shift, the nearer the
# answer and the slower the way, so that it is lowered in steps.
SHIFTS = 10.0 ** -np.arange(0, 8, 0.5)


@dataclass
class Snapshot:
    """W (d, T) and b (T,) after so many iterations and seconds."""

    iteration: int
    seconds: float
    W: np.ndarray
    b: np.ndarray


def snapshots(instance, method=None, limit=np.inf, at=None, growth=1.08, now=time.perf_counter):
    """Run from zero; yields snapshots, and the clock stands still while they are looked at.

    Parameters
    ----------
    method : callable or None
        ``method(instance)`` yields, iteration by iteration, a function that returns (W, b).
    limit : float
        Seconds after which to end.
    at : collection of int or None
        The iterations to show, the largest of them being the last; None is every ``growth`` times as many.
    now : callable
        The clock.
    """
    wanted, iteration, shown, spent = 1, 0, 0, 0.0
    start = now()
    for read in (method or accelerated)(instance):
        iteration += 1
        over = spent + now() - start > limit
        if over or (iteration in at if at is not None else iteration >= wanted):
            spent += now() - start
            yield Snapshot(iteration, spent, *read())
            if over or (at is not None and iteration >= max(at)):
                return
            wanted, shown = max(iteration + 1, growth * iteration), iteration
            start = now()
    if shown < iteration:
        # Its own stopping rule has ended it.
        yield Snapshot(iteration, spent + now() - start, *read())


def solve(instance, method=None, **options):
    """The last of the snapshots."""
    for snapshot in snapshots(instance, method, **options):
        last = snapshot
    return last


def accelerated(instance):
    """Accelerated proximal gradient, whatever the family."""
    if instance.family != "squared trace norm":
        yield from _reads(MODELS[instance.family](instance))
        return
    start = None
    for shift in SHIFTS:
        model = Together(instance, instance.penalty.alpha / 2, shift, 1.0)
        yield from _reads(model, start, change=1e-6 * shift, patience=3)
        start = model.last


def accelerated_closed(instance):
    """Squared trace norm by the prox in closed form, which the toolkits do not have."""
    yield from _reads(_squared_trace_norm(instance))


def _reads(model, start=None, **options):
    for parts in accelerated_proximal_gradient(model, start or model.start(), **options):
        model.last = parts
        yield lambda: model.read(model.last)


def accelerated_proximal_gradient(model, start, change=1e-16, patience=100):
    """FISTA with backtracking; yields the iterate, a tuple of arrays, after each iteration.

    ``model`` has ``inside(parts)`` (the nearest point where the smooth part is defined), ``smooth(parts)`` ->
    (value, gradients), ``smooth_value``, ``prox(parts, step)`` and ``rest(parts)``, the part of the objective
    that is not smooth. It ends when the objective has changed by less than ``change`` ``patience`` times.
    """
    x = before = start
    t, t_before, L = 1.0, 0.0, 1.0
    objective, still = np.inf, 0
    while still < patience:
        momentum = (t_before - 1) / t
        z = model.inside(tuple(a + momentum * (a - b) for a, b in zip(x, before, strict=True)))
        value, gradients = model.smooth(z)
        while True:
            new = model.prox(tuple(a - g / L for a, g in zip(z, gradients, strict=True)), 1 / L)
            steps = [a - b for a, b in zip(new, z, strict=True)]
            length = sum(float(np.vdot(s, s)) for s in steps)
            bound = value + sum(float(np.vdot(s, g)) for s, g in zip(steps, gradients, strict=True)) + L / 2 * length
            new_value = model.smooth_value(new)
            # Rounding of the value must not end the search for a step.
            if new_value <= bound + 1e-15 * abs(value) or length <= 1e-30:
                break
            L *= 2
        before, x = x, new
        t_before, t = t, (1 + np.sqrt(1 + 4 * t**2)) / 2
        last, objective = objective, new_value + model.rest(new)
        still = still + 1 if abs(last - objective) <= change * abs(objective) else 0
        yield x


def alternation(instance):
    """Squared trace norm with the squared loss: W for Sigma, then Sigma = (W'W)^(1/2) / tr, both exactly."""
    T = instance.shape[1]
    alpha = instance.penalty.alpha
    Sigma = np.eye(T) / T
    b = np.zeros(T)
    if instance.layout == "shared":
        # (X'X/n) W + alpha W Sigma^-1 = X'Y/n, with one side's eigenvectors found once.
        X, Y = instance.X, instance.Y
        lam, V = np.linalg.eigh(X.T @ X / len(X))
        right = V.T @ (X.T @ Y) / len(X)
        while True:
            values, U = np.linalg.eigh(Sigma)
            values = np.maximum(values, 0)
            W = V @ ((right @ U) * values / (lam[:, None] * values + alpha)) @ U.T
            yield lambda W=W: (W, b)
            Sigma = _root(W.T @ W)
            Sigma /= np.trace(Sigma)
    # The dual, as the papers have it: the kernel of samples times that of tasks, one system in all samples.
    blocks, targets = zip(*instance.tasks, strict=True)
    X, y = np.concatenate(blocks), np.concatenate(targets)
    n = np.array([len(block) for block in blocks])
    task = np.repeat(np.arange(T), n)
    K = X @ X.T
    while True:
        system = K * Sigma[np.ix_(task, task)]
        system[np.diag_indices(len(y))] += alpha * n[task]
        dual = cho_solve(cho_factor(system, overwrite_a=True, check_finite=False), y, check_finite=False)
        per_task = zip(np.split(dual, np.cumsum(n)[:-1]), blocks, strict=True)
        W = np.stack([v @ block for v, block in per_task], axis=1) @ Sigma
        yield lambda W=W: (W, b)
        Sigma = _root(W.T @ W)
        Sigma /= np.trace(Sigma)


def _root(S):
    values, vectors = np.linalg.eigh(S)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


# ------------------------------------------------------------------------------------------ smooth part


class Loss:
    """sum_t mean_i loss(y_ti, x_ti . w_t + b_t) and its gradient, by full passes over the data."""

    def __init__(self, instance):
        self.squared = instance.loss == "squared"
        self.shape = instance.shape
        self.fit_intercept = instance.fit_intercept
        if instance.layout == "shared":
            self.X, self.y = instance.X, instance.Y
            self.weight = 1 / len(self.y)
            self.form = "shared"
        elif len({len(y) for _, y in instance.tasks}) == 1:
            # Tasks of equal size fit into one array: no loop in Python.
            self.X = np.stack([X for X, _ in instance.tasks])
            self.y = np.stack([y for _, y in instance.tasks], axis=1)
            self.weight = 1 / len(self.y)
            self.form = "equal"
        else:
            self.X = [np.ascontiguousarray(X) for X, _ in instance.tasks]
            self.y = np.concatenate([y for _, y in instance.tasks])
            self.ends = np.cumsum([len(X) for X in self.X])[:-1]
            self.sizes = np.array([len(X) for X in self.X])
            self.weight = np.repeat(1 / self.sizes, self.sizes)
            self.form = "unequal"

    def predict(self, W, b):
        if self.form == "shared":
            return self.X @ W + b
        if self.form == "equal":
            return np.matmul(self.X, W.T[:, :, None])[:, :, 0].T + b
        return np.concatenate([X @ w for X, w in zip(self.X, W.T, strict=True)]) + np.repeat(b, self.sizes)

    def adjoint(self, u):
        if self.form == "shared":
            return self.X.T @ u
        if self.form == "equal":
            return np.matmul(u.T[:, None, :], self.X)[:, 0, :].T
        return np.stack([v @ X for X, v in zip(self.X, np.split(u, self.ends), strict=True)], axis=1)

    def value(self, W, b):
        z = self.predict(W, b)
        losses = 0.5 * (self.y - z) ** 2 if self.squared else np.logaddexp(0, -self.y * z)
        return float(np.sum(self.weight * losses))

    def gradient(self, W, b):
        """(value, gradient in W, gradient in b)."""
        z = self.predict(W, b)
        if self.squared:
            losses, slopes = 0.5 * (self.y - z) ** 2, z - self.y
        else:
            losses, slopes = np.logaddexp(0, -self.y * z), -self.y * expit(-self.y * z)
        slopes = self.weight * slopes
        if not self.fit_intercept:
            in_b = np.zeros(self.shape[1])
        elif self.form == "unequal":
            in_b = np.add.reduceat(slopes, np.concatenate([[0], self.ends]))
        else:
            in_b = slopes.sum(axis=0)
        return float(np.sum(self.weight * losses)), self.adjoint(slopes), in_b


# ----------------------------------------------------------------------------------------------- models


class Norm:
    """Parts (W, b): the loss, plus a norm that has a prox."""

    def __init__(self, instance, prox, value):
        self.loss = Loss(instance)
        self._prox, self._value = prox, value

    def start(self):
        d, T = self.loss.shape
        return np.zeros((d, T)), np.zeros(T)

    def inside(self, parts):
        return parts

    def smooth(self, parts):
        value, in_W, in_b = self.loss.gradient(*parts)
        return value, (in_W, in_b)

    def smooth_value(self, parts):
        return self.loss.value(*parts)

    def prox(self, parts, step):
        return self._prox(parts[0], step), parts[1]

    def rest(self, parts):
        return self._value(parts[0])

    def read(self, parts):
        return parts[0], parts[1]


class Sum(Norm):
    """Parts (P, Q, b): the loss at P + Q, and a norm of each (the dirty model)."""

    def __init__(self, instance, first, second):
        super().__init__(instance, None, None)
        self.norms = first, second

    def start(self):
        d, T = self.loss.shape
        return np.zeros((d, T)), np.zeros((d, T)), np.zeros(T)

    def smooth(self, parts):
        P, Q, b = parts
        value, in_W, in_b = self.loss.gradient(P + Q, b)
        return value, (in_W, in_W, in_b)

    def smooth_value(self, parts):
        P, Q, b = parts
        return self.loss.value(P + Q, b)

    def prox(self, parts, step):
        (prox_P, _), (prox_Q, _) = self.norms
        return prox_P(parts[0], step), prox_Q(parts[1], step), parts[2]

    def rest(self, parts):
        (_, value_P), (_, value_Q) = self.norms
        return value_P(parts[0]) + value_Q(parts[1])

    def read(self, parts):
        return parts[0] + parts[1], parts[2]


class Coupled(Norm):
    """Parts (W, b): the loss plus tr(W M W'), M known. All of it is smooth."""

    def __init__(self, instance, M):
        super().__init__(instance, lambda W, step: W, lambda W: 0.0)
        self.M = M

    def smooth(self, parts):
        value, in_W, in_b = self.loss.gradient(*parts)
        WM = parts[0] @ self.M
        return value + float(np.vdot(parts[0], WM)), (in_W + 2 * WM, in_b)

    def smooth_value(self, parts):
        return self.loss.value(*parts) + float(np.vdot(parts[0], parts[0] @ self.M))


class Together(Norm):
    """Parts (W, b, M): the loss plus factor tr(W C (shift I + M)^-1 C W') plus mean norm(w_bar)^2.

    M is T x T with 0 <= M <= I and tr M = total; its prox projects the eigenvalues. C is the identity or
    the centring of the tasks.
    """

    def __init__(self, instance, factor, shift, total, centre=False, mean=0.0):
        super().__init__(instance, None, None)
        self.factor, self.shift, self.total, self.centre, self.mean = factor, shift, total, centre, mean

    def start(self):
        d, T = self.loss.shape
        return np.zeros((d, T)), np.zeros(T), np.eye(T) * (self.total / T)

    def _penalty(self, W, M):
        """(value, W C (shift I + M)^-1 C, the mean of the tasks)."""
        w_bar = W.mean(axis=1, keepdims=True)
        WC = W - w_bar if self.centre else W
        values, vectors = np.linalg.eigh(M)
        rotated = WC @ vectors
        scaled = rotated / (self.shift + values)
        value = self.factor * float(np.vdot(rotated, scaled)) + self.mean * float(np.vdot(w_bar, w_bar))
        return value, scaled @ vectors.T, w_bar

    def inside(self, parts):
        W, b, M = parts
        values, vectors = np.linalg.eigh((M + M.T) / 2)
        return W, b, (vectors * np.maximum(values, 0)) @ vectors.T

    def smooth(self, parts):
        W, b, M = parts
        loss, in_W, in_b = self.loss.gradient(W, b)
        penalty, WS, w_bar = self._penalty(W, M)
        # WS is centred where WC is: M starts with the vector of ones as an eigenvector and keeps it.
        in_W = in_W + 2 * self.factor * (WS - WS.mean(axis=1, keepdims=True) if self.centre else WS)
        in_W = in_W + 2 * self.mean / W.shape[1] * w_bar
        return loss + penalty, (in_W, in_b, -self.factor * (WS.T @ WS))

    def smooth_value(self, parts):
        W, b, M = parts
        return self.loss.value(W, b) + self._penalty(W, M)[0]

    def prox(self, parts, step):
        W, b, M = parts
        values, vectors = np.linalg.eigh((M + M.T) / 2)
        return W, b, (vectors * project_box_simplex(values, self.total)) @ vectors.T

    def rest(self, parts):
        return 0.0


def project_box_simplex(v, total):
    """Nearest point to v with entries in [0, 1] that sum to ``total``: clip(v - mu, 0, 1), mu between two knots."""
    knots = np.sort(np.concatenate([v, v - 1]))
    sums = np.clip(v - knots[:, None], 0, 1).sum(axis=1)
    return np.clip(v - np.interp(-total, -sums, knots), 0, 1)


# ---------------------------------------------------------------------------------------------- proxes


def soft(V, cut):
    return np.sign(V) * np.maximum(np.abs(V) - cut, 0)


def shrink_rows(V, cut):
    norms = np.linalg.norm(V, axis=1, keepdims=True)
    return V * np.maximum(1 - np.divide(cut, norms, out=np.ones_like(norms), where=norms > cut), 0)


def prox_linf(V, cut):
    """Row by row v minus its projection on the l1 ball of radius ``cut``."""
    A = -np.sort(-np.abs(V), axis=1)
    sums = np.cumsum(A, axis=1) - cut
    k = np.sum(A * np.arange(1, V.shape[1] + 1) > sums, axis=1)
    level = sums[np.arange(len(V)), np.maximum(k, 1) - 1] / np.maximum(k, 1)
    clipped = np.clip(V, -level[:, None], level[:, None])
    return np.where(np.abs(V).sum(axis=1, keepdims=True) <= cut, 0.0, clipped)


def prox_l3(V, cut):
    """Row by row: x + (cut / r^2) x^2 = abs(v) with r = norm_3(x), found by bisection."""
    out = np.zeros_like(V)
    size = np.abs(V)
    rows = np.flatnonzero(np.linalg.norm(size, 1.5, axis=1) > cut)
    if len(rows) == 0:
        return out
    A = size[rows]

    def entries(r):
        c = cut / r[:, None] ** 2
        return 2 * A / (1 + np.sqrt(1 + 4 * c * A))

    low, high = np.zeros(len(A)), np.linalg.norm(A, 3, axis=1)
    for _ in range(60):
        r = (low + high) / 2
        above = np.linalg.norm(entries(r), 3, axis=1) > r
        low, high = np.where(above, r, low), np.where(above, high, r)
    out[rows] = np.sign(V[rows]) * entries(np.maximum((low + high) / 2, np.finfo(float).tiny))
    return out


def shrink_spectrum(V, cut):
    U, s, Vt = np.linalg.svd(V, full_matrices=False)
    return (U * np.maximum(s - cut, 0)) @ Vt


# ------------------------------------------------------------------------------------------ the families


def _rows(prox, q):
    def model(instance):
        alpha = instance.alpha
        return Norm(
            instance,
            lambda V, step: prox(V, step * alpha),
            lambda W: alpha * float(np.sum(np.linalg.norm(W, q, axis=1))),
        )

    return model


def _sparse_group(instance):
    alpha, share = instance.penalty.alpha, instance.penalty.l1_ratio

    def prox(V, step):
        return shrink_rows(soft(V, step * alpha * share), step * alpha * (1 - share))

    def value(W):
        return alpha * float((1 - share) * np.linalg.norm(W, axis=1).sum() + share * np.abs(W).sum())

    return Norm(instance, prox, value)


def _dirty(instance):
    block, sparse = instance.penalty.alpha_block, instance.penalty.alpha_sparse
    return Sum(
        instance,
        (lambda V, step: prox_linf(V, step * block), lambda P: block * float(np.abs(P).max(axis=1).sum())),
        (lambda V, step: soft(V, step * sparse), lambda Q: sparse * float(np.abs(Q).sum())),
    )


def _trace_norm(instance):
    alpha = instance.alpha
    return Norm(
        instance,
        lambda V, step: shrink_spectrum(V, step * alpha),
        lambda W: alpha * float(np.linalg.svd(W, compute_uv=False).sum()),
    )


def _squared_trace_norm(instance):
    alpha = instance.penalty.alpha

    def prox(V, step):
        U, s, Vt = np.linalg.svd(V, full_matrices=False)
        # x_i = (s_i - step alpha S)_+ with S = sum x: S = (sum of the k largest) / (1 + k step alpha).
        S = np.max(np.cumsum(s) / (1 + step * alpha * np.arange(1, len(s) + 1)))
        return (U * np.maximum(s - step * alpha * S, 0)) @ Vt

    return Norm(instance, prox, lambda W: alpha / 2 * float(np.linalg.svd(W, compute_uv=False).sum()) ** 2)


def _learned_clusters(instance):
    penalty = instance.penalty
    low, high = 1 / penalty.alpha_within, 1 / penalty.alpha_between
    # Sigma = low I + (high - low) M.
    return Together(
        instance, 1 / (high - low), low / (high - low), penalty.n_clusters - 1, centre=True, mean=penalty.alpha_mean
    )


def _coupled(instance):
    return Coupled(instance, instance.problem.penalty.coupling.matrix())


MODELS = {
    "l1/l2": _rows(shrink_rows, 2),
    "l1/linf": _rows(prox_linf, np.inf),
    "l1/l3": _rows(prox_l3, 3),
    "l1/l1": _rows(soft, 1),
    "ridge": _coupled,
    "sparse group": _sparse_group,
    "dirty": _dirty,
    "trace norm": _trace_norm,
    "learned clusters": _learned_clusters,
    "mean-regularised": _coupled,
    "known clusters": _coupled,
    "graph Laplacian": _coupled,
}
