"""What users say of their tasks, by label or by position: graphs and trees."""

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from numbers import Integral, Real
from operator import ne

import numpy as np
from scipy.sparse import coo_array, issparse
from scipy.sparse.csgraph import connected_components, depth_first_order

from .._compat import column_names
from .._input import check_number
from ..coupling import free_of_graph, signed_components
from ..structures import tree_groups

LARGEST = np.finfo(float).max
EDGES = tuple, list, np.ndarray, Sequence  # (The abstract class, which takes longest to be asked, comes last.)


def labels_of(labels):
    """Task labels as plain Python objects, to compare with what a user wrote."""
    return np.asarray(labels).tolist()


class Read(list):
    """What has been read from a user's words: tasks by position, whatever their labels are."""


@dataclass(frozen=True, eq=False)
class Graph:
    """What has been read of a graph: edges (E, 4) of position, position, omega and sign, none of weight 0."""

    edges: np.ndarray
    n_tasks: int

    def __iter__(self):
        return ((int(s), int(t), omega, sign) for s, t, omega, sign in self.edges.tolist())

    def __len__(self):
        return len(self.edges)

    @cached_property
    def ends(self):
        """(s, t, omega, sign) of all edges, as arrays."""
        s, t, omega, sign = self.edges.T
        return s.astype(np.int64), t.astype(np.int64), omega, sign

    @cached_property
    def free(self):
        """(T, k) orthonormal, sparse: what makes all differences along the edges vanish."""
        return free_of_graph(self.n_tasks, self.ends)

    @cached_property
    def positive(self):
        """(Graph, slopes (T,)) of the same for coefficients >= 0: an edge of opposite signs is a lasso on its ends."""
        s, t, omega, sign = self.ends
        apart = sign < 0
        slopes = np.bincount(np.concatenate([s[apart], t[apart]]), np.tile(omega[apart], 2), self.n_tasks)
        return Graph(self.edges[~apart], self.n_tasks), slopes

    @cached_property
    def unsigned(self):
        """(s, t, omega, node) of the edges without signs, among nodes that stand for w_t (t) or -w_t (T + t)."""
        T, (s, t, omega, sign) = self.n_tasks, self.ends
        flip = T * (sign < 0)
        s, t, omega = np.concatenate([s, s + T]), np.concatenate([t + flip, t + T - flip]), np.tile(omega, 2)
        part = signed_components(T, self.ends)
        # The nodes of w_t and -w_t may well be apart; then one will do.
        kept = part <= np.roll(part, T)
        number, inside = np.cumsum(kept) - 1, kept[s]
        return number[s[inside]], number[t[inside]], omega[inside], np.flatnonzero(kept)

    @cached_property
    def chains(self):
        """(task of every place, ~task where its sign is turned; omega between neighbouring places) where the graph is
        made of chains, one after the other with omega 0 in between; else None."""
        T, (s, t, omega, sign) = self.n_tasks, self.ends
        if T == 1:
            return np.zeros(1, dtype=np.int64), np.zeros(0)
        neighbours = np.bincount(np.concatenate([s, t]), minlength=T)
        joins = coo_array((np.arange(1.0, len(s) + 1), (s, t)), shape=(T, T)).tocsr()
        n, part = connected_components(joins, directed=False)
        if neighbours.max() > 2 or len(s) != T - n or joins.nnz != len(s):
            return None
        # From one more node, joined to an end of each, one chain is gone through after the other.
        ends = np.flatnonzero(neighbours < 2)
        begin = ends[np.unique(part[ends], return_index=True)[1]]
        joined = np.append(s, np.full(n, T)), np.append(t, begin)
        paths = coo_array((np.ones(len(s) + n), joined), shape=(T + 1, T + 1))
        order = depth_first_order(paths.tocsr(), T, directed=False, return_predecessors=False)[1:].astype(np.int64)
        edge = np.asarray((joins + joins.T).tocsr()[order[:-1], order[1:]]).ravel().astype(np.int64)
        weight = np.append(0.0, omega)[edge]
        turned = np.concatenate([[1.0], np.cumprod(np.append(1.0, sign)[edge])]) < 0
        return np.where(turned, ~order, order), weight


@dataclass(frozen=True)
class Groups:
    """What has been read of groups of features.

    Attributes
    ----------
    codes : ndarray of shape (d,)
        The group of every feature, as its position in ``labels``.
    labels : ndarray of shape (G,)
    """

    codes: np.ndarray
    labels: np.ndarray

    def __len__(self):
        return len(self.labels)


def read_groups(groups, n_features, names=None):
    """The Groups that a user means by labels (d,), or lists of features, names or positions, in a list or a dict."""
    if isinstance(groups, Groups):
        if len(groups.codes) != n_features:
            raise ValueError(f"feature_groups are of {len(groups.codes)} features, X has {n_features}.")
        return groups
    forms = (
        f"one label for each of the {n_features} features, or lists of features (names or positions), in a list or in "
        "a dict with the labels of the groups"
    )
    if isinstance(groups, str) or not (isinstance(groups, Collection) or hasattr(groups, "__array__")):
        raise ValueError(f"feature_groups must be {forms}, got {groups!r}.")
    lists = list(groups.values()) if isinstance(groups, dict) else list(groups)
    several = [not isinstance(one, str) and isinstance(one, Collection) for one in lists]
    if isinstance(groups, dict) or any(several):
        if not all(several):
            wrong = next(one for one, listed in zip(lists, several, strict=True) if not listed)
            raise ValueError(f"feature_groups must be {forms}, got {wrong!r} for a group.")
        labels = list(groups) if isinstance(groups, dict) else list(range(len(lists)))
        return _groups_of_lists(labels, lists, n_features, names)
    if len(lists) != n_features:
        raise ValueError(f"feature_groups must be {forms}, got {len(lists)} labels.")
    array = np.asarray(groups)
    array = array if array.dtype.kind in "biufUS" else np.asarray(lists, dtype=object)
    missing = [j for j, one in enumerate(array.tolist()) if one is None or one != one]
    if missing:
        raise ValueError(f"feature_groups must have a label for every feature, got none for feature {missing[0]}.")
    try:
        if len({isinstance(one, str) for one in lists}) > 1:
            raise TypeError("strings and others")
        labels, codes = np.unique(array, return_inverse=True)
    except TypeError:
        raise ValueError(f"feature_groups must have labels of one kind, all strings say, got {lists[:10]!r}.") from None
    return Groups(codes.ravel(), labels)


def _groups_of_lists(labels, lists, n_features, names):
    """Groups of the features in lists; one that is in none of them is a group of its own."""
    place = {} if names is None else {name: j for j, name in enumerate(names)}
    codes = np.full(n_features, -1)
    for g, (label, members) in enumerate(zip(labels, lists, strict=True)):
        if not len(members):
            raise ValueError(f"feature_groups: group {label!r} is empty; leave it out, or name its features.")
        for key in members:
            j = key if isinstance(key, Integral) and not isinstance(key, bool) else place.get(key, -1)
            if not 0 <= j < n_features:
                known = "no names, only positions" if names is None else f"the names {list(names)[:10]}"
                raise ValueError(
                    f"feature_groups: {key!r} in group {label!r} is no feature: X has {n_features} features with "
                    f"{known} (the task column is none of them)."
                )
            if codes[j] >= 0:
                raise ValueError(
                    f"feature_groups must not overlap, but feature {key!r} is in group {labels[codes[j]]!r} and in "
                    f"group {label!r}: a feature belongs to one group; repeat its column where several claim it."
                )
            codes[j] = g
    alone = np.flatnonzero(codes < 0)
    codes[alone] = len(labels) + np.arange(len(alone))
    if all(isinstance(label, str) for label in labels):
        labels = labels + [f"feature {j}" if names is None else str(names[j]) for j in alone]
    else:
        labels = labels + list(range(len(labels), len(labels) + len(alone)))
    known = np.empty(len(labels), dtype=object)
    known[:] = labels
    return Groups(codes, np.array(labels) if len({type(label) for label in labels}) == 1 else known)


def places(names, labels, argument):
    """{name: position} of tasks that are named by label or, where the labels are not found, by position."""
    where = {label: i for i, label in enumerate(labels)}
    positions = range(len(labels))
    names = [name.item() if isinstance(name, np.generic) else name for name in names]
    try:
        distinct = set(names)
    except TypeError:
        name = next(name for name in names if not isinstance(name, Hashable))
        raise ValueError(f"{argument}: {name!r} is not the label or position of a task.") from None
    if distinct <= where.keys():
        return where
    if distinct <= set(positions):
        return {i: i for i in positions}
    strange = [name for name in names if name not in where and name not in positions]
    bad = (strange or [name for name in names if name not in where])[0]
    raise ValueError(
        f"{argument}: {bad!r} is neither a task label ({str(labels[:5])[1:-1]}, ...) nor, for all tasks alike, a "
        f"position in 0..{len(labels) - 1}."
    )


def read_graph(graph, labels, argument="graph"):
    """The Graph that a user means."""
    if isinstance(graph, Graph):
        return graph
    labels = labels_of(labels)
    T = len(labels)
    if graph is None:
        labels, edges = list(range(T)), [(s, t, 1.0, 1) for s, t in combinations(range(T), 2)]
    elif hasattr(graph, "edges") and hasattr(graph, "nodes"):
        edges = []
        for s, t, weight in graph.edges(data="weight", default=1.0):
            check_number(weight, f"{argument}: weight of ({s!r}, {t!r})", -np.inf, np.inf, "a number")
            edges.append((s, t, abs(weight), -1 if weight < 0 else 1))
    elif (A := _matrix(graph, labels, argument)) is not None:
        # A frame, such as that of correlations, says which tasks its rows and columns are.
        names = labels_of(column_names(graph)) if hasattr(graph, "columns") else list(range(T))
        labels = labels if hasattr(graph, "columns") else names
        pairs = np.argwhere(np.triu(A, 1)).tolist()
        edges = [(names[s], names[t], float(abs(A[s, t])), -1 if A[s, t] < 0 else 1) for s, t in pairs]
    else:
        edges = _listed_edges(graph, argument)
    place = places([end for edge in edges for end in edge[:2]], labels, argument)
    read, accepted = [], "a finite number >= 0 (coefficients of opposite signs are (s, t, omega, -1))"
    for s, t, omega, sign in edges:
        # (The words are only made where they are needed: there may be many edges.)
        if type(omega) is not float or not 0 <= omega <= LARGEST:
            check_number(omega, f"{argument}: omega of ({s!r}, {t!r})", 0, LARGEST, accepted)
        if sign not in (-1, 1):
            raise ValueError(f"{argument}: the sign of ({s!r}, {t!r}) must be 1 or -1, got {sign!r}.")
        if s == t:
            raise ValueError(f"{argument}: edges must join two different tasks, got ({s!r}, {t!r}).")
        if omega > 0:
            read.append((place[s], place[t], omega, sign))
    return Graph(np.array(read, dtype=float).reshape(-1, 4), T)


def graph_of_columns(graph, columns):
    """The Graph with each of the edges between tasks for every class that both have."""
    s, t, omega, sign = graph.ends
    pair, a, b = columns.pairs(s, t)
    edges = np.column_stack([a, b, omega[pair], sign[pair]]).astype(float)
    return Graph(edges.reshape(-1, 4), len(columns.owner))


EDGES_OF_ONE = "the tasks that it is joined to, as labels or (label, omega[, sign]) tuples"


def read_edges_of_one(graph, labels, place):
    """The Graph with edges from one more task, the last of the labels, to those that a user means by ``place``."""
    old, new, edges = labels_of(labels[:-1]), len(labels) - 1, []
    if isinstance(place, str) or not isinstance(place, Collection):
        raise ValueError(f"place must be {EDGES_OF_ONE}, got {place!r}.")
    for end in list(place):
        # (A label may be a tuple itself.)
        whole = not isinstance(end, EDGES) or isinstance(end, str) or (isinstance(end, tuple) and end in old)
        edges.append((end,) if whole else tuple(end))
    position = places([edge[0] for edge in edges], old, "place")
    added = read_graph([(new, position[s], *rest) for s, *rest in edges], range(len(labels)), "place")
    return Graph(np.concatenate([graph.edges, added.edges]), len(labels))


def _matrix(graph, labels, argument):
    """The (T, T) matrix of weights that is meant by ``graph``; None where edges are."""
    T = len(labels)
    forms = (
        f"the weights of all pairs of tasks are a symmetric matrix of shape ({T}, {T}), as an array, sparse matrix or "
        "frame; edges are a list of (s, t[, omega[, sign]]) tuples"
    )
    if issparse(graph) or hasattr(graph, "columns"):
        A = graph.toarray() if issparse(graph) else np.asarray(graph)
    else:
        A = graph if isinstance(graph, np.ndarray) else _square(graph)
        if A is None:
            return None
        if A.shape == (T, T):
            if A is not graph and not np.array_equal(A, A.T):
                return None
            if A is not graph and _could_be_edges(A, labels):
                raise ValueError(
                    f"{argument}: {graph!r} could be a matrix of weights or a list of edges: {forms}. Write "
                    f"numpy.array({argument}) for the matrix, or give some of the edges in another form, (s, t, omega) "
                    "for (s, t), say."
                )
        elif A.ndim == 2 and 2 <= A.shape[1] <= 4 and (len(A) != A.shape[1] or _could_be_edges(A, labels, once=True)):
            return None
        else:
            raise ValueError(f"{argument}: {forms}. Got a table of shape {A.shape} for {T} tasks.")
    if A.shape != (T, T) or A.dtype.kind not in "biuf" or not np.array_equal(A, A.T) or not np.isfinite(A).all():
        raise ValueError(
            f"{argument}: a matrix of weights must be real, finite, symmetric and of shape ({T}, {T}), got shape "
            f"{A.shape}: {forms}."
        )
    A = A.astype(float)
    diagonal, others = np.diag(A), A - np.diag(np.diag(A))
    if np.any(diagonal > 0) and np.all(others <= 0) and np.all(np.abs(A.sum(axis=1)) <= 1e-10 * diagonal.max()):
        raise ValueError(
            f"{argument}: this is the Laplacian of a graph (its rows sum to 0), of which the weights are wanted: pass "
            "numpy.diag(numpy.diag(L)) - L, or, for the squared penalty tr(W L W'), TaskCoupling(L)."
        )
    return A


def _square(graph):
    """A nested list of as many rows as columns of numbers as an array, None for anything else; tuples are edges."""
    if not isinstance(graph, list | tuple) or not all(isinstance(row, list | np.ndarray) for row in graph):
        return None
    if len(graph) < 2 or any(len(row) != len(graph) for row in graph):
        return None
    numbers = all(isinstance(entry, Real) for row in graph for entry in row)
    return np.array(graph, dtype=float) if numbers else None


def _could_be_edges(A, labels, once=False):
    """Whether every row of the table can be read as (s, t[, omega[, sign]]); ``once``: and none joins the same two
    tasks as another, as the rows of a symmetric matrix with zeros on its diagonal do."""
    if not 2 <= A.shape[1] <= 4 or A.dtype.kind not in "biuf":
        return False
    s, t = A[:, 0].tolist(), A[:, 1].tolist()
    known = set(labels) | set(range(len(labels)))
    ends = all(end in known for end in s + t) and all(map(ne, s, t))
    rest = np.all(A[:, 2:3] >= 0) and np.all(np.abs(A[:, 3:]) == 1)
    return bool(ends and rest) and not (once and len(set(map(frozenset, zip(s, t, strict=True)))) < len(A))


def _listed_edges(graph, argument):
    if isinstance(graph, str) or not isinstance(graph, Collection):
        raise ValueError(
            f"{argument} must be a list of (s, t[, omega[, sign]]) tuples, a matrix or a networkx graph, got {graph!r}."
        )
    edges = []
    for edge in graph.tolist() if isinstance(graph, np.ndarray) else graph:
        if not isinstance(edge, EDGES) or isinstance(edge, str) or len(edge) not in (2, 3, 4):
            raise ValueError(f"{argument} must hold (s, t[, omega[, sign]]) tuples, got {edge!r}.")
        s, t, omega, sign = (*edge, 1.0, 1)[:4] if len(edge) == 2 else (*edge, 1)[:4]
        s, t = s.item() if isinstance(s, np.generic) else s, t.item() if isinstance(t, np.generic) else t
        edges.append((s, t, omega, sign))
    return edges


def read_tree(tree, labels):
    """Read list of (positions of tasks, omega), smaller groups first, without those of weight 0."""
    if isinstance(tree, Read):
        return tree
    own = labels = labels_of(labels)
    if tree is None:
        pairs, labels = [(list(range(len(labels))), 1.0)], list(range(len(labels)))
    elif hasattr(tree, "nodes"):
        pairs = _networkx_groups(tree)
    elif (Z := _linkage(tree)) is not None:
        tree = Z
        if len(tree) != len(labels) - 1:
            raise ValueError(
                f"tree: a linkage matrix of {len(labels)} tasks has {len(labels) - 1} rows, got {len(tree)}."
            )
        pairs, labels = tree_groups(tree), list(range(len(labels)))
    else:
        pairs = _listed_groups(tree)
    place = places([t for members, _ in pairs for t in members], labels, "tree")
    out = Read()
    for members, omega in pairs:
        group = sorted({place[t] for t in members})
        if not group or len(group) != len(members):
            raise ValueError(f"tree: a group must hold different tasks, at least one, got {members!r}.")
        check_number(omega, "tree: omega", 0, LARGEST, "a finite number >= 0")
        if omega > 0:
            out.append((group, float(omega)))
    out.sort(key=lambda pair: len(pair[0]))
    # The largest group so far of every task: a larger one must take it whole.
    within = [[t] for t in range(len(labels))]
    for group, _ in out:
        taken = {id(within[t]): within[t] for t in group}.values()
        if sum(len(smaller) for smaller in taken) != len(group):
            cut = next(smaller for smaller in taken if not set(smaller) <= set(group))
            names = [[own[t] for t in members] for members in (cut, group)]
            raise ValueError(f"tree: groups must be nested or disjoint, got {names[0]!r} and {names[1]!r}.")
        for t in group:
            within[t] = group
    return out


def _linkage(tree):
    """The linkage matrix that is meant by ``tree``, also as a nested list; None where groups are."""
    if isinstance(tree, list | tuple) and len(tree) and all(isinstance(r, list | tuple) and len(r) == 4 for r in tree):
        tree = np.array(tree, dtype=object)
        if tree.ndim == 2 and all(isinstance(entry, Real) for entry in tree.ravel()):
            tree = tree.astype(float)
    return tree if isinstance(tree, np.ndarray) and tree.ndim == 2 and tree.shape[1] == 4 else None


def _listed_groups(tree):
    pairs = list(tree) if isinstance(tree, Collection) and not isinstance(tree, str) else None
    well_formed = pairs is not None and all(
        isinstance(pair, Sequence) and not isinstance(pair, str) and len(pair) == 2 for pair in pairs
    )
    if not well_formed or any(isinstance(m, str) or not isinstance(m, Collection) for m, _ in pairs):
        raise ValueError(
            "tree must be a list of (members, omega) pairs, a linkage matrix of scipy or a networkx tree, got "
            f"{tree!r}."
        )
    return [(labels_of(list(members)), omega) for members, omega in pairs]


def _networkx_groups(tree):
    """Groups of leaves below every node."""
    root = [v for v, degree in tree.in_degree() if degree == 0] if tree.is_directed() else []
    order, leaves = root[:1], {}
    for v in order:
        if len(order) > len(tree):
            break
        order.extend(tree.successors(v))
    if len(root) != 1 or len(order) != len(tree) or tree.number_of_edges() != len(tree) - 1:
        raise ValueError(
            "tree: a networkx tree must be a DiGraph with one root and one way from it to every other node."
        )
    for v in reversed(order):
        below = list(tree.successors(v))
        leaves[v] = [leaf for child in below for leaf in leaves[child]] if below else [v]
    return [(leaves[v], tree.nodes[v].get("omega", 1.0)) for v in order]
