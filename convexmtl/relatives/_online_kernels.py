"""The rounds of online learners: a sample is predicted, then its target moves the models of all related tasks."""

import numpy as np

from .._jit import kernel

PERCEPTRON = 0  # kinds of steps; the other is that of the squared loss


@kernel("float64(int64, float64, float64, float64, float64, float64)")
def _step(kind, z, y, square, weight, rate):
    """What times the sample's image under the interaction is added, of a squared length ``square``.

    A weight of s stands for s rounds in succession, of which a perceptron no longer moves in those that are right.
    """
    if square <= 0.0:
        return 0.0
    if kind == PERCEPTRON:
        return 0.0 if y * z > 0.0 else y * min(weight, np.floor(-y * z / square) + 1.0)
    return (y - z) * (1.0 - (1.0 - rate) ** weight) / square


@kernel("float64(frozen(float64, 1), frozen(float64, 1))", fastmath=True)
def _dot(a, b):
    total = 0.0
    for j in range(a.shape[0]):
        total += a[j] * b[j]
    return total


@kernel("void(float64, frozen(float64, 1), float64[::1])")
def _add(factor, x, w):
    for j in range(x.shape[0]):
        w[j] += factor * x[j]


SAMPLES = "frozen(float64, 2), frozen(int64, 1), frozen(int64, 1), frozen(float64, 1), frozen(float64, 1)"
WEIGHTS = "float64[:, ::1], float64[:, ::1], float64[::1]"


@kernel(f"void(int64, float64, {SAMPLES}, frozen(int64, 2), frozen(float64, 1), float64, {WEIGHTS})")
def learn_nested(kind, rate, X, row, task, y, weight, groups, shares, seen, V, U, z):
    """All rounds, with the interaction sum_g shares_g 1_g 1_g' of groups of tasks, ``groups[l, t]`` on level l.

    w_t is the sum of V (G, p) over the groups of task t, so that a round takes as many steps as there are levels,
    however many tasks there are. ``seen`` is the weight of all rounds before; U takes what the average of all rounds
    lags behind V by, times their weight; z the predictions.
    """
    levels = groups.shape[0]
    for i in range(y.shape[0]):
        x, t = X[row[i]], task[i]
        total, share = 0.0, 0.0
        for k in range(levels):
            g = groups[k, t]
            total += _dot(x, V[g])
            share += shares[g]
        z[i] = total
        step = _step(kind, total, y[i], share * _dot(x, x), weight[i], rate)
        if step != 0.0:
            for k in range(levels):
                g = groups[k, t]
                _add(step * shares[g], x, V[g])
                _add(step * shares[g] * seen, x, U[g])
        seen += weight[i]


@kernel(f"int64(int64, float64, {SAMPLES}, int64, int64, frozen(float64, 2), float64, {WEIGHTS})")
def learn_dense(kind, rate, X, row, task, y, weight, first, limit, B, seen, V, U, z):
    """The same with any interaction B (T, T), from round ``first`` on: where it ended, after ``limit`` steps if not
    with the last round. V (T, p) are the models themselves."""
    steps = 0
    for i in range(first, y.shape[0]):
        x, t = X[row[i]], task[i]
        z[i] = _dot(x, V[t])
        step = _step(kind, z[i], y[i], B[t, t] * _dot(x, x), weight[i], rate)
        if step != 0.0:
            for s in range(V.shape[0]):
                if B[t, s] != 0.0:
                    _add(step * B[t, s], x, V[s])
                    _add(step * B[t, s] * seen, x, U[s])
            steps += 1
        seen += weight[i]
        if steps == limit:
            return i + 1
    return y.shape[0]
