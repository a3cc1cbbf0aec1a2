"""Synthetic problems whose true coefficients have one of the structures that the penalties look for."""

from functools import partial
from itertools import chain, combinations, cycle, pairwise, zip_longest
from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state

from .._compat import Interval, StrOptions, validate_params

# The standard deviation of x'w, on average over the tasks. Against the default noise of 1 it leaves
# one tenth of the variance unexplained; as a logit it gives labels that are neither random nor certain.
_SIGNAL = 3.0

_POSITIVE = Interval(Integral, 1, None, closed="left")
_NATURAL = Interval(Integral, 0, None, closed="left")
_NOT_NEGATIVE = Interval(Real, 0, None, closed="left")

_COMMON = {
    "n_samples": [_POSITIVE],
    "n_features": [_POSITIVE],
    "n_tasks": [_POSITIVE],
    "noise": [_NOT_NEGATIVE],
    "bias": [_NOT_NEGATIVE],
    "layout": [StrOptions({"stacked", "shared"})],
    "classification": ["boolean"],
    "random_state": ["random_state"],
}


def _validated(**constraints):
    """Check the common parameters, and those named, before the function runs."""
    return validate_params({**_COMMON, **constraints}, prefer_skip_nested_validation=True)


def _check_at_most(name, value, bound_name, bound):
    if value > bound:
        raise ValueError(f"{name} must be at most {bound_name}={bound}. Got {name}={value} instead.")


def _draw(A, rng, *, n_samples, noise, bias, layout, classification):
    """Scale A to the true W, draw a sample from it, and lay it out."""
    W = A * (_SIGNAL / np.sqrt(np.mean(np.sum(A**2, axis=0))))
    n_features, n_tasks = W.shape
    intercept = bias * rng.standard_normal(n_tasks)
    if layout == "shared":
        X = rng.standard_normal((n_samples, n_features))
        Z = X @ W + intercept
    else:
        X = rng.standard_normal((n_tasks, n_samples, n_features))
        Z = np.einsum("tij,jt->ti", X, W) + intercept[:, np.newaxis]

    if classification:
        # Both sides are compared on the scale of the logit: no exponential that could overflow.
        Y = (rng.logistic(size=Z.shape) < Z).astype(int)
    else:
        Y = Z + noise * rng.standard_normal(Z.shape)

    if layout == "shared":
        return X, Y, W
    task = np.repeat(np.arange(n_tasks), n_samples)
    return X.reshape(-1, n_features), Y.ravel(), task, W


@_validated(n_informative=[_POSITIVE])
def make_block_sparse(
    *,
    n_samples=30,
    n_features=50,
    n_tasks=10,
    n_informative=5,
    noise=1.0,
    bias=0.0,
    layout="stacked",
    classification=False,
    random_state=None,
):
    """Tasks that need the same few features.

    The targets are::

        y_ti = x_ti' w_t + b_t + noise e_ti,    x_ti ~ N(0, I),  e_ti ~ N(0, 1),  b_t ~ N(0, bias^2)

    and, with `classification`, labels drawn with P(y_ti = 1) = 1 / (1 + exp(-(x_ti' w_t + b_t))).
    The coefficients are, up to a common factor::

        W_jt ~ N(0, 1) for j in J,    W_jt = 0 elsewhere

    with J a random set of `n_informative` features. The factor makes the mean over the tasks of
    norm_2(w_t)^2, which is the variance of x'w, equal to 9.

    Parameters
    ----------
    n_samples : int, default=30
        Number of samples of each task.
    n_features : int, default=50
        Number of features.
    n_tasks : int, default=10
        Number of tasks.
    n_informative : int, default=5
        Number of features that the tasks use, at most `n_features`.
    noise : float, default=1.0
        Standard deviation of the noise. With `classification` it has no effect: there the labels
        are random already.
    bias : float, default=0.0
        Standard deviation of the intercepts of the tasks.
    layout : {"stacked", "shared"}, default="stacked"
        "stacked" gives every task its own samples, "shared" one X for all tasks.
    classification : bool, default=False
        Draw labels 0 and 1 instead of real targets.
    random_state : int, RandomState instance or None, default=None
        Determines what is drawn. For the same seed, both layouts have the same W.

    Returns
    -------
    X : ndarray of shape (n_tasks * n_samples, n_features) or (n_samples, n_features)
        The samples: of one task after the other, or those that all tasks share.
    y : ndarray of shape (n_tasks * n_samples,) or (n_samples, n_tasks)
        The targets, of integers with `classification`.
    task : ndarray of int of shape (n_tasks * n_samples,)
        The task of each sample, 0 to n_tasks - 1. Only with layout="stacked".
    W : ndarray of shape (n_features, n_tasks)
        The true coefficients.

    Raises
    ------
    ValueError
        When a parameter is out of its range, or `n_informative` exceeds `n_features`.

    Examples
    --------
    >>> from convexmtl.datasets import make_block_sparse
    >>> X, y, task, W = make_block_sparse(n_informative=3, random_state=0)
    >>> X.shape, y.shape, task.shape, W.shape
    ((300, 50), (300,), (300,), (50, 10))
    >>> int((W != 0).any(axis=1).sum())
    3
    """
    _check_at_most("n_informative", n_informative, "n_features", n_features)
    rng = check_random_state(random_state)
    A = np.zeros((n_features, n_tasks))
    informative = rng.choice(n_features, n_informative, replace=False)
    A[informative] = rng.standard_normal((n_informative, n_tasks))
    return _draw(A, rng, n_samples=n_samples, noise=noise, bias=bias, layout=layout, classification=classification)


@_validated(n_shared=[_NATURAL], n_private=[_NATURAL])
def make_dirty(
    *,
    n_samples=30,
    n_features=50,
    n_tasks=10,
    n_shared=4,
    n_private=2,
    noise=1.0,
    bias=0.0,
    layout="stacked",
    classification=False,
    random_state=None,
):
    """Tasks that share some features and have some of their own.

    The targets are::

        y_ti = x_ti' w_t + b_t + noise e_ti,    x_ti ~ N(0, I),  e_ti ~ N(0, 1),  b_t ~ N(0, bias^2)

    and, with `classification`, labels drawn with P(y_ti = 1) = 1 / (1 + exp(-(x_ti' w_t + b_t))).
    The coefficients are, up to a common factor::

        W_jt ~ N(0, 1) for j in J or j in J_t,    W_jt = 0 elsewhere

    with J a random set of `n_shared` features, and J_t, drawn for each task on its own, `n_private`
    of the other features. The factor makes the mean over the tasks of norm_2(w_t)^2, which is the
    variance of x'w, equal to 9.

    Parameters
    ----------
    n_samples : int, default=30
        Number of samples of each task.
    n_features : int, default=50
        Number of features, at least `n_shared` + `n_private`.
    n_tasks : int, default=10
        Number of tasks.
    n_shared : int, default=4
        Number of features that all tasks use.
    n_private : int, default=2
        Number of features that a task uses beside them. Two tasks may happen to draw the same one.
    noise : float, default=1.0
        Standard deviation of the noise. With `classification` it has no effect: there the labels
        are random already.
    bias : float, default=0.0
        Standard deviation of the intercepts of the tasks.
    layout : {"stacked", "shared"}, default="stacked"
        "stacked" gives every task its own samples, "shared" one X for all tasks.
    classification : bool, default=False
        Draw labels 0 and 1 instead of real targets.
    random_state : int, RandomState instance or None, default=None
        Determines what is drawn. For the same seed, both layouts have the same W.

    Returns
    -------
    X : ndarray of shape (n_tasks * n_samples, n_features) or (n_samples, n_features)
        The samples: of one task after the other, or those that all tasks share.
    y : ndarray of shape (n_tasks * n_samples,) or (n_samples, n_tasks)
        The targets, of integers with `classification`.
    task : ndarray of int of shape (n_tasks * n_samples,)
        The task of each sample, 0 to n_tasks - 1. Only with layout="stacked".
    W : ndarray of shape (n_features, n_tasks)
        The true coefficients.

    Raises
    ------
    ValueError
        When a parameter is out of its range, `n_shared` + `n_private` is 0 or exceeds `n_features`.

    Examples
    --------
    >>> from convexmtl.datasets import make_dirty
    >>> X, Y, W = make_dirty(n_shared=3, n_private=1, layout="shared", random_state=0)
    >>> X.shape, Y.shape
    ((30, 50), (30, 10))
    >>> (W != 0).sum(axis=0).tolist()
    [4, 4, 4, 4, 4, 4, 4, 4, 4, 4]
    """
    n_used = n_shared + n_private
    _check_at_most("n_shared + n_private", n_used, "n_features", n_features)
    if n_used == 0:
        raise ValueError("n_shared + n_private must be at least 1. Got n_shared=0 and n_private=0 instead.")
    rng = check_random_state(random_state)
    features = rng.permutation(n_features)
    shared, others = features[:n_shared], features[n_shared:]
    A = np.zeros((n_features, n_tasks))
    A[shared] = rng.standard_normal((n_shared, n_tasks))
    for t in range(n_tasks):
        private = rng.choice(others, n_private, replace=False)
        A[private, t] = rng.standard_normal(n_private)
    return _draw(A, rng, n_samples=n_samples, noise=noise, bias=bias, layout=layout, classification=classification)


@_validated(rank=[_POSITIVE])
def make_low_rank(
    *,
    n_samples=30,
    n_features=50,
    n_tasks=20,
    rank=2,
    noise=1.0,
    bias=0.0,
    layout="stacked",
    classification=False,
    random_state=None,
):
    """Tasks whose coefficients are mixtures of a few directions.

    The targets are::

        y_ti = x_ti' w_t + b_t + noise e_ti,    x_ti ~ N(0, I),  e_ti ~ N(0, 1),  b_t ~ N(0, bias^2)

    and, with `classification`, labels drawn with P(y_ti = 1) = 1 / (1 + exp(-(x_ti' w_t + b_t))).
    The coefficients are, up to a common factor::

        W = U V',    U (n_features, rank) and V (n_tasks, rank) with entries from N(0, 1)

    The factor makes the mean over the tasks of norm_2(w_t)^2, which is the variance of x'w, equal
    to 9.

    Parameters
    ----------
    n_samples : int, default=30
        Number of samples of each task.
    n_features : int, default=50
        Number of features.
    n_tasks : int, default=20
        Number of tasks.
    rank : int, default=2
        Rank of W, at most `n_features` and at most `n_tasks`.
    noise : float, default=1.0
        Standard deviation of the noise. With `classification` it has no effect: there the labels
        are random already.
    bias : float, default=0.0
        Standard deviation of the intercepts of the tasks.
    layout : {"stacked", "shared"}, default="stacked"
        "stacked" gives every task its own samples, "shared" one X for all tasks.
    classification : bool, default=False
        Draw labels 0 and 1 instead of real targets.
    random_state : int, RandomState instance or None, default=None
        Determines what is drawn. For the same seed, both layouts have the same W.

    Returns
    -------
    X : ndarray of shape (n_tasks * n_samples, n_features) or (n_samples, n_features)
        The samples: of one task after the other, or those that all tasks share.
    y : ndarray of shape (n_tasks * n_samples,) or (n_samples, n_tasks)
        The targets, of integers with `classification`.
    task : ndarray of int of shape (n_tasks * n_samples,)
        The task of each sample, 0 to n_tasks - 1. Only with layout="stacked".
    W : ndarray of shape (n_features, n_tasks)
        The true coefficients.

    Raises
    ------
    ValueError
        When a parameter is out of its range, or `rank` exceeds `n_features` or `n_tasks`.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl.datasets import make_low_rank
    >>> X, y, task, W = make_low_rank(rank=2, random_state=0)
    >>> int(np.linalg.matrix_rank(W))
    2
    """
    _check_at_most("rank", rank, "n_features", n_features)
    _check_at_most("rank", rank, "n_tasks", n_tasks)
    rng = check_random_state(random_state)
    A = rng.standard_normal((n_features, rank)) @ rng.standard_normal((rank, n_tasks))
    return _draw(A, rng, n_samples=n_samples, noise=noise, bias=bias, layout=layout, classification=classification)


@_validated(n_clusters=[_POSITIVE], spread=[_NOT_NEGATIVE])
def make_clustered(
    *,
    n_samples=30,
    n_features=50,
    n_tasks=12,
    n_clusters=3,
    spread=0.3,
    noise=1.0,
    bias=0.0,
    layout="stacked",
    classification=False,
    random_state=None,
):
    """Tasks that fall into groups with similar coefficients.

    The targets are::

        y_ti = x_ti' w_t + b_t + noise e_ti,    x_ti ~ N(0, I),  e_ti ~ N(0, 1),  b_t ~ N(0, bias^2)

    and, with `classification`, labels drawn with P(y_ti = 1) = 1 / (1 + exp(-(x_ti' w_t + b_t))).
    The coefficients are, up to a common factor::

        w_t = m_c + spread v_t,    c = labels[t],  entries of m_c and v_t from N(0, 1)

    with clusters of equal size, or of two sizes that differ by one task. The factor makes the mean
    over the tasks of norm_2(w_t)^2, which is the variance of x'w, equal to 9.

    Parameters
    ----------
    n_samples : int, default=30
        Number of samples of each task.
    n_features : int, default=50
        Number of features.
    n_tasks : int, default=12
        Number of tasks.
    n_clusters : int, default=3
        Number of clusters, at most `n_tasks`.
    spread : float, default=0.3
        Distance of the tasks from the centre of their cluster, relative to the length of the
        centre. With 0 the tasks of a cluster are equal.
    noise : float, default=1.0
        Standard deviation of the noise. With `classification` it has no effect: there the labels
        are random already.
    bias : float, default=0.0
        Standard deviation of the intercepts of the tasks.
    layout : {"stacked", "shared"}, default="stacked"
        "stacked" gives every task its own samples, "shared" one X for all tasks.
    classification : bool, default=False
        Draw labels 0 and 1 instead of real targets.
    random_state : int, RandomState instance or None, default=None
        Determines what is drawn. For the same seed, both layouts have the same W and labels.

    Returns
    -------
    X : ndarray of shape (n_tasks * n_samples, n_features) or (n_samples, n_features)
        The samples: of one task after the other, or those that all tasks share.
    y : ndarray of shape (n_tasks * n_samples,) or (n_samples, n_tasks)
        The targets, of integers with `classification`.
    task : ndarray of int of shape (n_tasks * n_samples,)
        The task of each sample, 0 to n_tasks - 1. Only with layout="stacked".
    W : ndarray of shape (n_features, n_tasks)
        The true coefficients.
    labels : ndarray of int of shape (n_tasks,)
        The cluster of each task, 0 to n_clusters - 1.

    Raises
    ------
    ValueError
        When a parameter is out of its range, or `n_clusters` exceeds `n_tasks`.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl.datasets import make_clustered
    >>> X, y, task, W, labels = make_clustered(n_tasks=12, n_clusters=3, random_state=0)
    >>> np.bincount(labels).tolist()
    [4, 4, 4]
    """
    _check_at_most("n_clusters", n_clusters, "n_tasks", n_tasks)
    rng = check_random_state(random_state)
    labels = rng.permutation(np.arange(n_tasks) % n_clusters)
    centres = rng.standard_normal((n_features, n_clusters))
    A = centres[:, labels] + spread * rng.standard_normal((n_features, n_tasks))
    drawn = _draw(A, rng, n_samples=n_samples, noise=noise, bias=bias, layout=layout, classification=classification)
    return *drawn, labels


@_validated(spread=[_NOT_NEGATIVE])
def make_mean_related(
    *,
    n_samples=30,
    n_features=50,
    n_tasks=10,
    spread=0.5,
    noise=1.0,
    bias=0.0,
    layout="stacked",
    classification=False,
    random_state=None,
):
    """Tasks whose coefficients scatter around a common mean.

    The targets are::

        y_ti = x_ti' w_t + b_t + noise e_ti,    x_ti ~ N(0, I),  e_ti ~ N(0, 1),  b_t ~ N(0, bias^2)

    and, with `classification`, labels drawn with P(y_ti = 1) = 1 / (1 + exp(-(x_ti' w_t + b_t))).
    The coefficients are, up to a common factor::

        w_t = m + spread v_t,    entries of m and v_t from N(0, 1)

    The factor makes the mean over the tasks of norm_2(w_t)^2, which is the variance of x'w, equal
    to 9.

    Parameters
    ----------
    n_samples : int, default=30
        Number of samples of each task.
    n_features : int, default=50
        Number of features.
    n_tasks : int, default=10
        Number of tasks.
    spread : float, default=0.5
        Distance of the tasks from the mean, relative to the length of the mean. With 0 all tasks
        are equal.
    noise : float, default=1.0
        Standard deviation of the noise. With `classification` it has no effect: there the labels
        are random already.
    bias : float, default=0.0
        Standard deviation of the intercepts of the tasks.
    layout : {"stacked", "shared"}, default="stacked"
        "stacked" gives every task its own samples, "shared" one X for all tasks.
    classification : bool, default=False
        Draw labels 0 and 1 instead of real targets.
    random_state : int, RandomState instance or None, default=None
        Determines what is drawn. For the same seed, both layouts have the same W.

    Returns
    -------
    X : ndarray of shape (n_tasks * n_samples, n_features) or (n_samples, n_features)
        The samples: of one task after the other, or those that all tasks share.
    y : ndarray of shape (n_tasks * n_samples,) or (n_samples, n_tasks)
        The targets, of integers with `classification`.
    task : ndarray of int of shape (n_tasks * n_samples,)
        The task of each sample, 0 to n_tasks - 1. Only with layout="stacked".
    W : ndarray of shape (n_features, n_tasks)
        The true coefficients.

    Raises
    ------
    ValueError
        When a parameter is out of its range.

    Examples
    --------
    >>> from convexmtl.datasets import make_mean_related
    >>> X, y, task, W = make_mean_related(spread=0, random_state=0)
    >>> bool((W == W[:, :1]).all())
    True
    """
    rng = check_random_state(random_state)
    mean = rng.standard_normal((n_features, 1))
    A = mean + spread * rng.standard_normal((n_features, n_tasks))
    return _draw(A, rng, n_samples=n_samples, noise=noise, bias=bias, layout=layout, classification=classification)


def _tree_levels(members, branching):
    """The (members, omega) of a node and of all below it, level by level."""
    if len(members) == 1:
        return [[(members.tolist(), 1.0)]]
    children = np.array_split(members, min(branching, len(members)))
    subtrees = [_tree_levels(child, branching) for child in children]
    # The first subtrees can be a level deeper than the last ones.
    below = [list(chain(*level)) for level in zip_longest(*subtrees, fillvalue=())]
    s = len(below) / (len(below) + 1)
    levels = [[(sorted(members.tolist()), 1 - s)]]
    return levels + [[(group, s * omega) for group, omega in level] for level in below]


@_validated(n_informative=[_POSITIVE], branching=[Interval(Integral, 2, None, closed="left")])
def make_tree_guided(
    *,
    n_samples=30,
    n_features=50,
    n_tasks=16,
    n_informative=15,
    branching=2,
    noise=1.0,
    bias=0.0,
    layout="stacked",
    classification=False,
    random_state=None,
):
    """Tasks at the leaves of a tree, whose subtrees need the same features.

    The targets are::

        y_ti = x_ti' w_t + b_t + noise e_ti,    x_ti ~ N(0, I),  e_ti ~ N(0, 1),  b_t ~ N(0, bias^2)

    and, with `classification`, labels drawn with P(y_ti = 1) = 1 / (1 + exp(-(x_ti' w_t + b_t))).
    The coefficients are, up to a common factor::

        W_jt ~ N(0, 1) for j in J and t in G_v(j),    W_jt = 0 elsewhere

    with J a random set of `n_informative` features, and G_v the tasks below the node v of a tree:
    the root, whose group is all tasks, has `branching` children, to which the tasks are dealt at
    random, and so on down to single tasks. The features of J are dealt to the levels of the tree in
    turn, the first one to the root, and each takes a random node v(j) of its level. The factor
    makes the mean over the tasks of norm_2(w_t)^2, which is the variance of x'w, equal to 9.

    Parameters
    ----------
    n_samples : int, default=30
        Number of samples of each task.
    n_features : int, default=50
        Number of features.
    n_tasks : int, default=16
        Number of tasks.
    n_informative : int, default=15
        Number of features that some task uses, at most `n_features`.
    branching : int, default=2
        Number of children of each node; fewer where there are not as many tasks.
    noise : float, default=1.0
        Standard deviation of the noise. With `classification` it has no effect: there the labels
        are random already.
    bias : float, default=0.0
        Standard deviation of the intercepts of the tasks.
    layout : {"stacked", "shared"}, default="stacked"
        "stacked" gives every task its own samples, "shared" one X for all tasks.
    classification : bool, default=False
        Draw labels 0 and 1 instead of real targets.
    random_state : int, RandomState instance or None, default=None
        Determines what is drawn. For the same seed, both layouts have the same W and tree.

    Returns
    -------
    X : ndarray of shape (n_tasks * n_samples, n_features) or (n_samples, n_features)
        The samples: of one task after the other, or those that all tasks share.
    y : ndarray of shape (n_tasks * n_samples,) or (n_samples, n_tasks)
        The targets, of integers with `classification`.
    task : ndarray of int of shape (n_tasks * n_samples,)
        The task of each sample, 0 to n_tasks - 1. Only with layout="stacked".
    W : ndarray of shape (n_features, n_tasks)
        The true coefficients.
    tree : list of (list of int, float)
        The pairs (G_v, omega_v) of all nodes v, level by level: the root first, single tasks
        included. The weights are those of Kim and Xing (2010) with s_v = m_v / (m_v + 1), m_v being
        the number of levels below v. In a tree whose leaves are all on one level they are equal.

    Raises
    ------
    ValueError
        When a parameter is out of its range, or `n_informative` exceeds `n_features`.

    Examples
    --------
    >>> from convexmtl.datasets import make_tree_guided
    >>> X, y, task, W, tree = make_tree_guided(n_tasks=4, random_state=0)
    >>> [(len(members), round(omega, 2)) for members, omega in tree]
    [(4, 0.33), (2, 0.33), (2, 0.33), (1, 0.33), (1, 0.33), (1, 0.33), (1, 0.33)]
    """
    _check_at_most("n_informative", n_informative, "n_features", n_features)
    rng = check_random_state(random_state)
    levels = _tree_levels(rng.permutation(n_tasks), branching)
    A = np.zeros((n_features, n_tasks))
    informative = rng.choice(n_features, n_informative, replace=False)
    for j, level in zip(informative, cycle(levels)):
        members, _ = level[rng.randint(len(level))]
        A[j, members] = rng.standard_normal(len(members))
    drawn = _draw(A, rng, n_samples=n_samples, noise=noise, bias=bias, layout=layout, classification=classification)
    return *drawn, [node for level in levels for node in level]


@_validated(norm=[StrOptions({"l1", "l2"})], n_informative=[_POSITIVE], n_jumps=[_NATURAL])
def make_temporal(
    *,
    n_samples=30,
    n_features=50,
    n_tasks=20,
    norm="l1",
    n_informative=5,
    n_jumps=2,
    noise=1.0,
    bias=0.0,
    layout="stacked",
    classification=False,
    random_state=None,
):
    """Tasks in the order of time, whose coefficients change little from one to the next.

    The targets are::

        y_ti = x_ti' w_t + b_t + noise e_ti,    x_ti ~ N(0, I),  e_ti ~ N(0, 1),  b_t ~ N(0, bias^2)

    and, with `classification`, labels drawn with P(y_ti = 1) = 1 / (1 + exp(-(x_ti' w_t + b_t))).
    The coefficients are, up to a common factor::

        W_jt = a_jk for j in J, t in T_jk,                       W_jt = 0 elsewhere    (norm="l1")
        W_jt = a_j cos(2 pi (t / n_tasks + phi_j)) for j in J,   W_jt = 0 elsewhere    (norm="l2")

    with J a random set of `n_informative` features, a_jk and a_j ~ N(0, 1), and phi_j uniform in
    [0, 1]. T_j0, T_j1, ... are the intervals between the jumps of feature j, which come at random.
    The factor makes the mean over the tasks of norm_2(w_t)^2, which is the variance of x'w, equal
    to 9.

    Parameters
    ----------
    n_samples : int, default=30
        Number of samples of each task.
    n_features : int, default=50
        Number of features.
    n_tasks : int, default=20
        Number of tasks, the points in time.
    norm : {"l1", "l2"}, default="l1"
        "l1" for coefficients that jump and are constant in between, "l2" for smooth ones.
    n_informative : int, default=5
        Number of features that the tasks use, at most `n_features`.
    n_jumps : int, default=2
        Number of jumps of each coefficient, at most `n_tasks` - 1. Only with norm="l1".
    noise : float, default=1.0
        Standard deviation of the noise. With `classification` it has no effect: there the labels
        are random already.
    bias : float, default=0.0
        Standard deviation of the intercepts of the tasks.
    layout : {"stacked", "shared"}, default="stacked"
        "stacked" gives every task its own samples, "shared" one X for all tasks.
    classification : bool, default=False
        Draw labels 0 and 1 instead of real targets.
    random_state : int, RandomState instance or None, default=None
        Determines what is drawn. For the same seed, both layouts have the same W.

    Returns
    -------
    X : ndarray of shape (n_tasks * n_samples, n_features) or (n_samples, n_features)
        The samples: of one task after the other, or those that all tasks share.
    y : ndarray of shape (n_tasks * n_samples,) or (n_samples, n_tasks)
        The targets, of integers with `classification`.
    task : ndarray of int of shape (n_tasks * n_samples,)
        The task of each sample, 0 to n_tasks - 1. Only with layout="stacked".
    W : ndarray of shape (n_features, n_tasks)
        The true coefficients.

    Raises
    ------
    ValueError
        When a parameter is out of its range, `n_informative` exceeds `n_features`, or `n_jumps`
        exceeds `n_tasks` - 1.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl.datasets import make_temporal
    >>> X, y, task, W = make_temporal(n_informative=3, n_jumps=2, random_state=0)
    >>> int((np.diff(W) != 0).sum())
    6
    """
    _check_at_most("n_informative", n_informative, "n_features", n_features)
    if norm == "l1":
        _check_at_most("n_jumps", n_jumps, "n_tasks - 1", n_tasks - 1)
    rng = check_random_state(random_state)
    A = np.zeros((n_features, n_tasks))
    time = np.arange(n_tasks)
    for j in rng.choice(n_features, n_informative, replace=False):
        if norm == "l1":
            jumps = np.sort(1 + rng.permutation(n_tasks - 1)[:n_jumps])
            A[j] = rng.standard_normal(n_jumps + 1)[np.searchsorted(jumps, time, side="right")]
        else:
            A[j] = rng.standard_normal() * np.cos(2 * np.pi * (time / n_tasks + rng.uniform()))
    return _draw(A, rng, n_samples=n_samples, noise=noise, bias=bias, layout=layout, classification=classification)


@_validated(graph=[StrOptions({"chain", "clique"})], n_components=[_POSITIVE], n_informative=[_POSITIVE])
def make_graph_guided(
    *,
    n_samples=30,
    n_features=50,
    n_tasks=20,
    graph="chain",
    n_components=4,
    n_informative=3,
    noise=1.0,
    bias=0.0,
    layout="stacked",
    classification=False,
    random_state=None,
):
    """Tasks on a graph, whose coefficients are equal along the edges, up to a sign.

    The targets are::

        y_ti = x_ti' w_t + b_t + noise e_ti,    x_ti ~ N(0, I),  e_ti ~ N(0, 1),  b_t ~ N(0, bias^2)

    and, with `classification`, labels drawn with P(y_ti = 1) = 1 / (1 + exp(-(x_ti' w_t + b_t))).
    The coefficients are, up to a common factor::

        W_jt = sigma_t a_jc for j in J_c, c the component of t,    W_jt = 0 elsewhere

    with J_c, drawn for each component of the graph on its own, a random set of `n_informative`
    features, a_jc ~ N(0, 1), and sigma_t = 1 or -1 at random. An edge (s, t) has the sign sigma_s
    sigma_t, so that w_s = sign w_t. The components are of equal size, or of two sizes that differ
    by one task. The factor makes the mean over the tasks of norm_2(w_t)^2, which is the variance of
    x'w, equal to 9.

    Parameters
    ----------
    n_samples : int, default=30
        Number of samples of each task.
    n_features : int, default=50
        Number of features.
    n_tasks : int, default=20
        Number of tasks.
    graph : {"chain", "clique"}, default="chain"
        "chain" joins the tasks of a component one after the other, in a random order; "clique"
        joins any two of them.
    n_components : int, default=4
        Number of components of the graph, at most `n_tasks`.
    n_informative : int, default=3
        Number of features that the tasks of a component use, at most `n_features`. Two components
        may happen to draw the same one.
    noise : float, default=1.0
        Standard deviation of the noise. With `classification` it has no effect: there the labels
        are random already.
    bias : float, default=0.0
        Standard deviation of the intercepts of the tasks.
    layout : {"stacked", "shared"}, default="stacked"
        "stacked" gives every task its own samples, "shared" one X for all tasks.
    classification : bool, default=False
        Draw labels 0 and 1 instead of real targets.
    random_state : int, RandomState instance or None, default=None
        Determines what is drawn. For the same seed, both layouts have the same W and edges.

    Returns
    -------
    X : ndarray of shape (n_tasks * n_samples, n_features) or (n_samples, n_features)
        The samples: of one task after the other, or those that all tasks share.
    y : ndarray of shape (n_tasks * n_samples,) or (n_samples, n_tasks)
        The targets, of integers with `classification`.
    task : ndarray of int of shape (n_tasks * n_samples,)
        The task of each sample, 0 to n_tasks - 1. Only with layout="stacked".
    W : ndarray of shape (n_features, n_tasks)
        The true coefficients.
    edges : list of (int, int, float, int)
        The edges (s, t, omega, sign) with s < t, omega = 1 and sign 1 or -1.

    Raises
    ------
    ValueError
        When a parameter is out of its range, `n_informative` exceeds `n_features`, or
        `n_components` exceeds `n_tasks`.

    Examples
    --------
    >>> from convexmtl.datasets import make_graph_guided
    >>> X, y, task, W, edges = make_graph_guided(random_state=0)
    >>> len(edges)
    16
    >>> all((W[:, s] == sign * W[:, t]).all() for s, t, omega, sign in edges)
    True
    """
    _check_at_most("n_informative", n_informative, "n_features", n_features)
    _check_at_most("n_components", n_components, "n_tasks", n_tasks)
    rng = check_random_state(random_state)
    sigma = rng.choice([-1, 1], n_tasks)
    join = pairwise if graph == "chain" else partial(combinations, r=2)
    A = np.zeros((n_features, n_tasks))
    edges = []
    for members in np.array_split(rng.permutation(n_tasks), n_components):
        informative = rng.choice(n_features, n_informative, replace=False)
        A[np.ix_(informative, members)] = np.outer(rng.standard_normal(n_informative), sigma[members])
        edges += [(*sorted(pair), 1.0, int(sigma[list(pair)].prod())) for pair in join(members.tolist())]
    drawn = _draw(A, rng, n_samples=n_samples, noise=noise, bias=bias, layout=layout, classification=classification)
    return *drawn, sorted(edges)


@_validated(
    structure=[StrOptions({"low_rank", "block_sparse"})],
    rank=[_POSITIVE],
    n_informative=[_POSITIVE],
    n_outliers=[_NATURAL],
)
def make_outlier_tasks(
    *,
    n_samples=30,
    n_features=50,
    n_tasks=20,
    structure="low_rank",
    rank=2,
    n_informative=5,
    n_outliers=3,
    noise=1.0,
    bias=0.0,
    layout="stacked",
    classification=False,
    random_state=None,
):
    """Tasks that share a structure, and a few that have nothing to do with them.

    The targets are::

        y_ti = x_ti' w_t + b_t + noise e_ti,    x_ti ~ N(0, I),  e_ti ~ N(0, 1),  b_t ~ N(0, bias^2)

    and, with `classification`, labels drawn with P(y_ti = 1) = 1 / (1 + exp(-(x_ti' w_t + b_t))).
    The coefficients are, up to a common factor::

        W_jt ~ N(0, c^2)                                     for the outliers t, and for the others
        w_t = U v_t                                          (structure="low_rank")
        W_jt ~ N(0, 1) for j in J,    W_jt = 0 elsewhere     (structure="block_sparse")

    with a random set of `n_outliers` outliers, U (n_features, rank) and v_t with entries from
    N(0, 1), J a random set of `n_informative` features, and c such that norm_2(w_t)^2 has the same
    mean over the outliers, up to chance, as over the others. The factor makes its mean over all
    tasks, which is the variance of x'w, equal to 9.

    Parameters
    ----------
    n_samples : int, default=30
        Number of samples of each task.
    n_features : int, default=50
        Number of features.
    n_tasks : int, default=20
        Number of tasks, the outliers included.
    structure : {"low_rank", "block_sparse"}, default="low_rank"
        What the other tasks share: a few directions, or a few features.
    rank : int, default=2
        Rank of the coefficients of the other tasks, at most `n_features` and at most their number.
        Only with structure="low_rank".
    n_informative : int, default=5
        Number of features that the other tasks use, at most `n_features`. Only with
        structure="block_sparse".
    n_outliers : int, default=3
        Number of outliers, at most `n_tasks` - 1.
    noise : float, default=1.0
        Standard deviation of the noise. With `classification` it has no effect: there the labels
        are random already.
    bias : float, default=0.0
        Standard deviation of the intercepts of the tasks.
    layout : {"stacked", "shared"}, default="stacked"
        "stacked" gives every task its own samples, "shared" one X for all tasks.
    classification : bool, default=False
        Draw labels 0 and 1 instead of real targets.
    random_state : int, RandomState instance or None, default=None
        Determines what is drawn. For the same seed, both layouts have the same W and outliers.

    Returns
    -------
    X : ndarray of shape (n_tasks * n_samples, n_features) or (n_samples, n_features)
        The samples: of one task after the other, or those that all tasks share.
    y : ndarray of shape (n_tasks * n_samples,) or (n_samples, n_tasks)
        The targets, of integers with `classification`.
    task : ndarray of int of shape (n_tasks * n_samples,)
        The task of each sample, 0 to n_tasks - 1. Only with layout="stacked".
    W : ndarray of shape (n_features, n_tasks)
        The true coefficients.
    outliers : ndarray of int of shape (n_outliers,)
        The tasks that are outliers, in ascending order.

    Raises
    ------
    ValueError
        When a parameter is out of its range, `rank` exceeds `n_features` or `n_tasks` -
        `n_outliers`, `n_informative` exceeds `n_features`, or `n_outliers` exceeds `n_tasks` - 1.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl.datasets import make_outlier_tasks
    >>> X, y, task, W, outliers = make_outlier_tasks(rank=2, n_outliers=3, random_state=0)
    >>> outliers.shape
    (3,)
    >>> int(np.linalg.matrix_rank(np.delete(W, outliers, axis=1)))
    2
    """
    _check_at_most("n_outliers", n_outliers, "n_tasks - 1", n_tasks - 1)
    n_others = n_tasks - n_outliers
    if structure == "low_rank":
        _check_at_most("rank", rank, "n_features", n_features)
        _check_at_most("rank", rank, "n_tasks - n_outliers", n_others)
    else:
        _check_at_most("n_informative", n_informative, "n_features", n_features)
    rng = check_random_state(random_state)
    tasks = rng.permutation(n_tasks)
    others, outliers = tasks[:n_others], np.sort(tasks[n_others:])
    A = np.zeros((n_features, n_tasks))
    if structure == "low_rank":
        A[:, others] = rng.standard_normal((n_features, rank)) @ rng.standard_normal((rank, n_others))
    else:
        informative = rng.choice(n_features, n_informative, replace=False)
        A[np.ix_(informative, others)] = rng.standard_normal((n_informative, n_others))
    c = np.sqrt(np.mean(A[:, others] ** 2))
    A[:, outliers] = c * rng.standard_normal((n_features, n_outliers))
    drawn = _draw(A, rng, n_samples=n_samples, noise=noise, bias=bias, layout=layout, classification=classification)
    return *drawn, outliers


@_validated(n_unrelated=[_NATURAL], correlation=[Interval(Real, 0, 1, closed="both")])
def make_task_relationships(
    *,
    n_samples=30,
    n_features=50,
    n_tasks=12,
    n_unrelated=4,
    correlation=0.8,
    noise=1.0,
    bias=0.0,
    layout="stacked",
    classification=False,
    random_state=None,
):
    """Tasks whose coefficients are correlated: positively, negatively, or not at all.

    The targets are::

        y_ti = x_ti' w_t + b_t + noise e_ti,    x_ti ~ N(0, I),  e_ti ~ N(0, 1),  b_t ~ N(0, bias^2)

    and, with `classification`, labels drawn with P(y_ti = 1) = 1 / (1 + exp(-(x_ti' w_t + b_t))).
    The coefficients are, up to a common factor::

        W_j. ~ N(0, Sigma),    Sigma_tt = 1 / n_tasks,    Sigma_st = correlation sigma_s sigma_t / n_tasks

    with sigma_t = 0 for `n_unrelated` random tasks, and 1 for one half of the others, -1 for the
    other half: two groups with positive correlations within and negative ones between them. The
    factor makes the mean over the tasks of norm_2(w_t)^2, which is the variance of x'w, equal to 9.

    Parameters
    ----------
    n_samples : int, default=30
        Number of samples of each task.
    n_features : int, default=50
        Number of features.
    n_tasks : int, default=12
        Number of tasks.
    n_unrelated : int, default=4
        Number of tasks that are not correlated with any other, at most `n_tasks`.
    correlation : float, default=0.8
        Size of the correlations of the other tasks, between 0 and 1.
    noise : float, default=1.0
        Standard deviation of the noise. With `classification` it has no effect: there the labels
        are random already.
    bias : float, default=0.0
        Standard deviation of the intercepts of the tasks.
    layout : {"stacked", "shared"}, default="stacked"
        "stacked" gives every task its own samples, "shared" one X for all tasks.
    classification : bool, default=False
        Draw labels 0 and 1 instead of real targets.
    random_state : int, RandomState instance or None, default=None
        Determines what is drawn. For the same seed, both layouts have the same W and Sigma.

    Returns
    -------
    X : ndarray of shape (n_tasks * n_samples, n_features) or (n_samples, n_features)
        The samples: of one task after the other, or those that all tasks share.
    y : ndarray of shape (n_tasks * n_samples,) or (n_samples, n_tasks)
        The targets, of integers with `classification`.
    task : ndarray of int of shape (n_tasks * n_samples,)
        The task of each sample, 0 to n_tasks - 1. Only with layout="stacked".
    W : ndarray of shape (n_features, n_tasks)
        The true coefficients.
    Sigma : ndarray of shape (n_tasks, n_tasks)
        The covariance of the tasks, of trace 1.

    Raises
    ------
    ValueError
        When a parameter is out of its range, or `n_unrelated` exceeds `n_tasks`.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl.datasets import make_task_relationships
    >>> X, y, task, W, Sigma = make_task_relationships(n_tasks=4, n_unrelated=1, random_state=0)
    >>> np.sign(Sigma).astype(int).tolist()
    [[1, -1, 0, 1], [-1, 1, 0, -1], [0, 0, 1, 0], [1, -1, 0, 1]]
    """
    _check_at_most("n_unrelated", n_unrelated, "n_tasks", n_tasks)
    rng = check_random_state(random_state)
    sigma = np.zeros(n_tasks)
    sigma[rng.permutation(n_tasks)[n_unrelated:]] = np.resize([1, -1], n_tasks - n_unrelated)
    own = 1 - correlation * sigma**2
    common = np.sqrt(correlation) * np.outer(rng.standard_normal(n_features), sigma)
    A = common + np.sqrt(own) * rng.standard_normal((n_features, n_tasks))
    Sigma = (correlation * np.outer(sigma, sigma) + np.diag(own)) / n_tasks
    drawn = _draw(A, rng, n_samples=n_samples, noise=noise, bias=bias, layout=layout, classification=classification)
    return *drawn, Sigma
