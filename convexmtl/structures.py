"""Structures of the tasks that their targets suggest: a graph or a tree for the penalties that take one."""

from itertools import combinations

import numpy as np
from scipy.cluster import hierarchy

from ._compat import column_names
from ._input import BELOW_ONE, check_number

__all__ = ["correlation_graph", "correlation_tree", "tree_groups"]


def correlation_graph(Y, threshold=0.5):
    """Graph of the tasks whose targets are correlated, for the graph-guided fused lasso.

    The edges are::

        (s, t, omega, sign),    omega = abs(r_st),  sign = sign(r_st),    for s < t with abs(r_st) > threshold

    with r_st the correlation of the targets of the tasks s and t over the samples that have both.

    Parameters
    ----------
    Y : {array-like, DataFrame} of shape (n_samples, n_tasks)
        The targets, NaN where one is missing.
    threshold : float, default=0.5
        Correlations up to this size, at least 0 and less than 1, give no edge.

    Returns
    -------
    edges : list of (s, t, float, int)
        The tasks s and t by position, or by column name if Y is a frame.

    Raises
    ------
    ValueError
        When Y is not a table of finite numbers with two columns or more, two of its columns have one name, the
        targets of a task do not vary, or two tasks have not three samples in common on which both vary;
        when the threshold is out of its range.

    See Also
    --------
    correlation_tree : A tree instead of a graph.

    References
    ----------
    Kim, Xing (2009), PLoS Genetics; Chen, Kim, Lin, Carbonell, Xing (2010).

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl.structures import correlation_graph
    >>> Y = np.array([[1.0, -1.0, 0.0], [2.0, -2.0, 5.0], [3.0, -3.0, 0.0]])
    >>> correlation_graph(Y)
    [(0, 1, 1.0, -1)]
    """
    check_number(threshold, "threshold", 0, BELOW_ONE, "a number in [0, 1)")
    labels, r = _correlations(Y)
    pairs = zip(combinations(labels, 2), r.tolist(), strict=True)
    return [(s, t, abs(r_st), 1 if r_st > 0 else -1) for (s, t), r_st in pairs if abs(r_st) > threshold]


def correlation_tree(Y, method="average"):
    """Tree of the tasks from a clustering of their targets, for the tree-guided group lasso.

    The distance of two tasks is::

        1 - abs(r_st)

    with r_st the correlation of their targets over the samples that have both. It is without a sign, as the penalty
    is: negating the targets of a task negates its coefficients, which need the same features as before.
    Agglomerative clustering makes a tree of the distances, and `tree_groups` the weights of its groups.

    Parameters
    ----------
    Y : {array-like, DataFrame} of shape (n_samples, n_tasks)
        The targets, NaN where one is missing.
    method : str, default="average"
        How `scipy.cluster.hierarchy.linkage` computes the distance of two clusters: "average", "complete", "single"
        or "weighted". Its other methods are for Euclidean distances.

    Returns
    -------
    tree : list of (list, float)
        The pairs (members, omega) of the groups, the single tasks first. Members are positions of tasks, or column
        names if Y is a frame. Groups of weight 0, as that of all tasks always is, are left out.

    Raises
    ------
    ValueError
        When Y is not a table of finite numbers with two columns or more, two of its columns have one name, the
        targets of a task do not vary, or two tasks have not three samples in common on which both vary;
        when all tasks are perfectly correlated; when the method is unknown, or not monotone on these targets.

    See Also
    --------
    tree_groups : The same for any clustering: of signed correlations, say, or of coefficients.
    correlation_graph : A graph instead of a tree.

    References
    ----------
    Kim, Xing (2010), ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl.structures import correlation_tree
    >>> Y = np.array([[1.0, -1.0, 0.0], [2.0, -2.0, 5.0], [3.0, -3.0, 0.0]])
    >>> correlation_tree(Y)
    [([2], 1.0), ([0, 1], 1.0)]
    """
    labels, r = _correlations(Y)
    # Rounding errors are no distances: among perfectly correlated tasks they would be all the tree is made of.
    distance = np.round(1 - np.abs(r), 12)
    if not distance.any():
        raise ValueError(
            "Y: the targets of all tasks are perfectly correlated, which gives one group and no tree. Use a penalty "
            "of one group of tasks, such as RowNorm."
        )
    return tree_groups(hierarchy.linkage(distance, method=method), labels)


def tree_groups(linkage, labels=None):
    """Groups of tasks and their weights from a hierarchical clustering, as Kim and Xing (2010) weight them.

    With h_v in [0, 1] the height of the node v over that of the root, s_v = h_v and g_v = 1 - h_v, the weights are::

        omega_v = g_v prod_{u above v} s_u    for the clusters
        omega_t = prod_{u above t} s_u        for the single tasks

    so that those of the groups that hold a task sum to 1, for each task. The lower a cluster, the more it is selected
    as a whole (g_v), and the less its parts are on their own (s_v).

    Parameters
    ----------
    linkage : array-like of shape (n_tasks - 1, 4)
        A linkage matrix of `scipy.cluster.hierarchy`.
    labels : sequence of length n_tasks, default=None
        The labels of the tasks; None stands for 0, 1, 2, ...

    Returns
    -------
    tree : list of (list, float)
        The pairs (members, omega), the single tasks first, then the clusters from the bottom to the top. Groups of
        weight 0 are left out: that of all tasks always, and what is below a node of height 0.

    Raises
    ------
    ValueError
        When the matrix is not a linkage, its heights decrease, are negative or all 0, or the number of labels does
        not fit.

    See Also
    --------
    correlation_tree : The clustering of correlated targets.

    References
    ----------
    Kim, Xing (2010), ICML; Kim, Xing (2012), Annals of Applied Statistics.

    Examples
    --------
    >>> from scipy.cluster.hierarchy import linkage
    >>> from convexmtl.structures import tree_groups
    >>> tree_groups(linkage([[0.0], [1.0], [5.0]], "single"))
    [([0], 0.25), ([1], 0.25), ([2], 1.0), ([0, 1], 0.75)]
    """
    Z = np.asarray(linkage, dtype=float)
    hierarchy.is_valid_linkage(Z, throw=True, name="linkage")
    if not np.isfinite(Z[:, 2]).all() or Z[0, 2] < 0 or not hierarchy.is_monotonic(Z):
        raise ValueError(
            "linkage: its heights must be finite, not negative, and not decrease from row to row. The methods centroid "
            "and median need not give such heights; use average, complete or single."
        )
    if Z[-1, 2] == 0:
        raise ValueError(
            "linkage: all heights are 0, which gives one group and no tree. Use a penalty of one group of tasks, such "
            "as RowNorm."
        )
    n_tasks = len(Z) + 1
    labels = list(range(n_tasks)) if labels is None else list(labels)
    if len(labels) != n_tasks:
        raise ValueError(f"labels must have one entry for each of the {n_tasks} tasks. Got {len(labels)} entries.")

    children = Z[:, :2].astype(int)
    members = [[t] for t in range(n_tasks)]
    for left, right in children:
        members.append(sorted(members[left] + members[right]))
    s = Z[:, 2] / Z[-1, 2]
    above = np.ones(2 * n_tasks - 1)
    for v in reversed(range(n_tasks - 1)):
        above[children[v]] = above[n_tasks + v] * s[v]
    omega = above * np.concatenate([np.ones(n_tasks), 1 - s])
    groups = zip(members, omega.tolist(), strict=True)
    return [([labels[t] for t in group], weight) for group, weight in groups if weight > 0]


def _correlations(Y):
    """(labels of the tasks, r_st of the pairs s < t), each over the samples that have both targets."""
    labels, values = _read_targets(Y)
    present = ~np.isnan(values)
    low = np.min(values, axis=0, where=present, initial=np.inf)
    high = np.max(values, axis=0, where=present, initial=-np.inf)
    constant = np.flatnonzero(low >= high)
    if len(constant):
        label = labels[constant[0]]
        raise ValueError(
            f"Y: the targets of task {label!r} do not vary, and are correlated with nothing. Leave the task out."
        )

    z = np.where(present, (values - np.nanmean(values, axis=0)) / np.nanstd(values, axis=0), 0.0)
    present = present.astype(float)
    # Entry (s, t): over the n_st samples that have both targets, sums of that of s, of its square, of the product.
    n, total, square, product = present.T @ present, z.T @ present, (z**2).T @ present, z.T @ z
    variance = n * square - total**2
    first, second = pairs = np.triu_indices(len(labels), 1)
    # What is left of a variance of 0 is rounding.
    varies = variance > 10 * np.finfo(float).eps * len(z) * n**2
    defined = (n >= 3) & varies & varies.T
    undefined = np.flatnonzero(~defined[pairs])
    if len(undefined):
        s, t = first[undefined[0]], second[undefined[0]]
        raise ValueError(
            f"Y: tasks {labels[s]!r} and {labels[t]!r} have {n[s, t]:.0f} samples in common; their correlation needs "
            "three, on which the targets of both vary. Leave out one of the tasks, or make the structure by hand."
        )
    r = (n * product - total * total.T)[pairs] / np.sqrt(variance * variance.T)[pairs]
    return labels, np.clip(r, -1, 1)


def _read_targets(Y):
    """(labels of the tasks, targets as floats)."""
    try:
        # Numpy cannot read the NA of pandas' nullable columns.
        values = Y.to_numpy(float, na_value=np.nan) if hasattr(Y, "iloc") else Y
        if isinstance(values, np.ma.MaskedArray):
            values = values.astype(float).filled(np.nan)
        values = np.asarray(values, dtype=float, order="C")
    except (TypeError, ValueError) as error:
        raise ValueError("Y must hold numbers, and NaN where a target is missing.") from error
    if values.ndim != 2 or values.shape[1] < 2:
        raise ValueError(
            f"Y must have one column per task, and at least two of them to be related. Got shape {values.shape}."
        )
    labels = list(column_names(Y, range(values.shape[1])))
    if len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise ValueError(f"Y: two columns have the name {twice!r}. Give each task a name of its own.")
    infinite = np.flatnonzero(np.isinf(values).any(axis=0))
    if len(infinite):
        raise ValueError(
            f"Y: task {labels[infinite[0]]!r} has an infinite target. Make it NaN if it is missing, or drop the row."
        )
    return labels, values
