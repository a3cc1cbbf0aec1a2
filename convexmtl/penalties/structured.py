"""Row penalties that know how the tasks are arranged: in a tree or in time."""

from collections.abc import Collection, Sequence
from itertools import pairwise

import numpy as np
from sklearn.base import clone

from .._jit import kernel, row_prox
from .._rows import row_norms
from ..structures import tree_groups
from .base import Canonical, check_number
from .couplings import Read, labels_of, places
from .rows import RowPenalty, SparseGroup

EXACT = 1e-14  # to which the iterations here go, relative to the largest entry of the row
MOST = 1_000_000  # of their steps, which only rounding can make them need
APART = 1e6  # what the iterations for unequal steps can bridge
EVEN = 30.0  # factor between steps for which more sweeps of equal ones are cheaper than these iterations


@kernel("float64(float64[::1])")
def _spread(step):
    """Largest of the steps over the smallest; 1 where they are the same but for rounding."""
    low = step[0]
    high = step[0]
    for t in range(step.shape[0]):
        low = min(low, step[t])
        high = max(high, step[t])
    return high / low if high > low * (1.0 + 1e-15) else 1.0


@kernel("void(float64[::1], float64[::1], float64, float64[::1], float64[::1], float64[::1], float64)")
def _towards(v, step, low, x, old, ahead, momentum):
    """Make x the point whose prox with the one step ``low`` is the next iterate for the many steps.

    It is the accelerated proximal gradient method for sum_t (x_t - v_t)^2 / (2 step_t) + phi(x), which is strongly
    convex: the error falls by 1 - sqrt(smallest / largest step) in each iteration.
    """
    for t in range(v.shape[0]):
        ahead[t] = x[t] + momentum * (x[t] - old[t])
        old[t] = x[t]
        x[t] = ahead[t] - low / step[t] * (ahead[t] - v[t])


@kernel("boolean(float64[::1], float64[::1], float64)")
def _settled(x, ahead, small):
    """Whether the step from ``ahead`` has moved no entry by more than ``small``; NaN has settled."""
    for t in range(x.shape[0]):
        if abs(x[t] - ahead[t]) > small:
            return False
    return True


# ------------------------------------------------------------------------------------ tree


@kernel("void(float64[::1], float64, float64[::1], int64[::1])")
def _shrink_tree(v, step, fpar, ipar):
    """Group after group from the leaves to the root: exact where all tasks have one step."""
    n = ipar[0]
    for k in range(n):
        begin = ipar[1 + k]
        end = ipar[2 + k]
        square = 0.0
        for i in range(begin, end):
            square += v[ipar[i]] * v[ipar[i]]
        cut = step * fpar[k]
        if square <= cut * cut:
            for i in range(begin, end):
                v[ipar[i]] = 0.0
        else:
            scale = 1.0 - cut / np.sqrt(square)
            for i in range(begin, end):
                v[ipar[i]] *= scale


@row_prox
def prox_tree(v, step, fpar, ipar, feature):
    spread = _spread(step)
    if spread == 1.0:
        _shrink_tree(v, step[0], fpar, ipar)
        return
    low = step.min()
    small = max(EXACT / spread, 4e-16) * np.abs(v).max()
    momentum = (np.sqrt(spread) - 1.0) / (np.sqrt(spread) + 1.0)
    x, old, ahead = v.copy(), v.copy(), np.empty(v.shape[0])
    for _ in range(MOST):
        _towards(v, step, low, x, old, ahead, momentum)
        _shrink_tree(x, low, fpar, ipar)
        if _settled(x, ahead, small):
            break
    v[:] = x


class TreeGuided(RowPenalty):
    """Omega(W) = alpha sum_j sum_v omega_v norm_2(W_{j, G_v}) over the nodes v of a tree whose leaves are the tasks.

    Parameters
    ----------
    tree : sequence of (members, omega), linkage matrix or networkx tree, default=None
        Groups G_v of tasks (labels, or positions where the labels are not found) and their weights omega_v >= 0. Any
        two groups must be nested or disjoint. A (T - 1, 4) matrix of ``scipy.cluster.hierarchy.linkage``, of the tasks
        in the order of ``tasks_``, gets the weights of Kim and Xing: with h_v the height of node v over that of the
        root, g_v = 1 - h_v and s_v = h_v, omega_v is g_v times the s of all nodes above v; for a leaf, g_v is 1. A
        networkx tree has its edges from the root to the leaves, the leaves are tasks, and a node's attribute "omega"
        (1 by default) is its weight. None is one group of all tasks.
    alpha : float, default=1.0

    Notes
    -----
    A task that is in no group of positive weight is not penalised. In a row the groups' shrinkages are applied from
    the leaves to the root, which is the prox if all tasks have the same step; for different steps, it is iterated to
    machine precision.

    References
    ----------
    Kim, Xing (2010), ICML; Jenatton, Mairal, Obozinski, Bach (2011), JMLR (the prox).
    """

    row_prox = prox_tree
    even = EVEN
    spread = 1e4

    def __init__(self, tree=None, alpha=1.0):
        self.tree = tree
        self.alpha = alpha

    def check(self, n_features, tasks):
        super().check(n_features, tasks)
        read_tree(self.tree, tasks)

    def bind(self, tasks):
        return clone(self).set_params(tree=read_tree(self.tree, tasks))

    def resolve(self, n_features, tasks):
        self.check(n_features, tasks)
        T = len(tasks)
        bound = self.bind(tasks)
        return Canonical((bound,) if self.alpha > 0 and bound.tree else (), np.zeros((T, T)))

    def pack(self):
        sizes = [len(members) for members, _ in self.tree]
        begins = np.cumsum([2 + len(sizes), *sizes])
        flat = [t for members, _ in self.tree for t in members]
        return np.array([self.alpha * omega for _, omega in self.tree]), np.array([len(sizes), *begins, *flat])

    def prox(self, V, step):
        check_steps(step)
        return super(TreeGuided, self.bind(range(np.shape(V)[1]))).prox(V, step)

    def free_tasks(self, n_tasks):
        covered = {t for members, _ in self.tree for t in members}
        return np.eye(n_tasks)[:, [t for t in range(n_tasks) if t not in covered]]

    def dual_norm(self, Z):
        return super().dual_norm(without(Z, self.free_tasks(Z.shape[1])))

    def value(self, W):
        tree = read_tree(self.tree, range(W.shape[1]))
        return self.alpha * float(sum(omega * row_norms(W[:, members]).sum() for members, omega in tree))

    def expression(self, W, cp):
        tree = read_tree(self.tree, range(W.shape[1]))
        return self.alpha * sum(omega * cp.sum(cp.norm(W[:, members], 2, axis=1)) for members, omega in tree), []


def read_tree(tree, tasks):
    """Read list of (positions of tasks, omega), smaller groups first, without those of weight 0."""
    if isinstance(tree, Read):
        return tree
    labels = labels_of(tasks)
    if tree is None:
        pairs, labels = [(list(range(len(labels))), 1.0)], list(range(len(labels)))
    elif hasattr(tree, "nodes"):
        pairs = _networkx_groups(tree)
    elif isinstance(tree, np.ndarray) and tree.ndim == 2 and tree.shape[1] == 4:
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
        check_number(omega, "tree: omega", 0, np.finfo(float).max, "a finite number >= 0")
        if omega > 0:
            out.append((group, float(omega)))
    out.sort(key=lambda pair: len(pair[0]))
    # The largest group so far of every task: a larger one must take it whole.
    within = [[t] for t in range(len(labels))]
    for group, _ in out:
        taken = {id(within[t]): within[t] for t in group}.values()
        if sum(len(smaller) for smaller in taken) != len(group):
            cut = next(smaller for smaller in taken if not set(smaller) <= set(group))
            names = [[labels_of(tasks)[t] for t in members] for members in (cut, group)]
            raise ValueError(f"tree: groups must be nested or disjoint, got {names[0]!r} and {names[1]!r}.")
        for t in group:
            within[t] = group
    return out


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


def check_steps(step):
    """Raise a ValueError for steps that are too far apart to iterate over."""
    if np.max(step) > APART * (1 + 1e-9) * np.min(step):
        raise ValueError(f"step must not differ by more than a factor of {APART:g} between tasks, got {step!r}.")


def without(Z, free):
    """Z without its share in the directions ``free`` (T, k) of the tasks; what is left of a row that is all rounding
    is zero."""
    if not free.shape[1]:
        return Z
    rest = Z - (Z @ free) @ free.T
    rest[np.abs(rest).max(axis=1) <= 1e-13 * np.abs(Z).max(axis=1)] = 0.0
    return rest


# ------------------------------------------------------------------------------------ time


@kernel("void(float64[::1], float64, float64)")
def _total_variation(v, step, weight):
    """v <- argmin_x sum_t (x_t - v_t)^2 / (2 step) + weight sum_t abs(x_{t+1} - x_t).

    The derivative of the best cost of x_1, ..., x_t given x_t is piecewise linear in x_t and, once it is clipped to
    [-weight, weight], that of the link to x_{t+1}. Its kinks are kept in order of size; each is made and dropped once.
    """
    T = v.shape[0]
    low, high = np.empty(T), np.empty(T)
    # At every kink the line changes by slope and offset.
    kink, slope, offset = np.empty(2 * T), np.empty(2 * T), np.empty(2 * T)
    cut = weight * step
    first, last = T, T
    for t in range(T - 1):
        bound = 0.0 if t == 0 else cut
        a, b = 1.0, -bound - v[t]
        while first < last and a * kink[first] + b < -cut:
            a += slope[first]
            b += offset[first]
            first += 1
        low[t] = (-cut - b) / a
        first -= 1
        kink[first], slope[first], offset[first] = low[t], a, b + cut
        a, b = 1.0, bound - v[t]
        while first + 1 < last and a * kink[last - 1] + b > cut:
            last -= 1
            a -= slope[last]
            b -= offset[last]
        high[t] = (cut - b) / a
        kink[last], slope[last], offset[last] = high[t], -a, cut - b
        last += 1
    a, b = 1.0, -(cut if T > 1 else 0.0) - v[T - 1]
    while first < last and a * kink[first] + b < 0.0:
        a += slope[first]
        b += offset[first]
        first += 1
    v[T - 1] = -b / a
    for t in range(T - 2, -1, -1):
        v[t] = min(max(v[t + 1], low[t]), high[t])


@kernel("void(float64[::1], float64, float64[::1])")
def _shrink_chain(v, step, fpar):
    """Total variation, then entries, then the group: exact where all tasks have one step."""
    if fpar[0] > 0.0:
        _total_variation(v, step, fpar[0])
    square = 0.0
    cut = step * fpar[1]
    for t in range(v.shape[0]):
        v[t] = max(v[t] - cut, 0.0) + min(v[t] + cut, 0.0)
        square += v[t] * v[t]
    cut = step * fpar[2]
    if square <= cut * cut:
        v[:] = 0.0 * square
    else:
        v *= 1.0 - cut / np.sqrt(square)


@row_prox
def prox_chain(v, step, fpar, ipar, feature):
    T = v.shape[0]
    size = np.abs(v).max()
    if not size < np.inf:
        v[:] = np.nan
        return
    x = np.empty(T)
    for i in range(T):
        x[i] = v[ipar[i]]
    spread = _spread(step)
    if spread == 1.0:
        _shrink_chain(x, step[0], fpar)
    else:
        steps, w = np.empty(T), x.copy()
        for i in range(T):
            steps[i] = step[ipar[i]]
        low = step.min()
        small = max(EXACT / spread, 4e-16) * size
        momentum = (np.sqrt(spread) - 1.0) / (np.sqrt(spread) + 1.0)
        old, ahead = x.copy(), np.empty(T)
        for _ in range(MOST):
            _towards(w, steps, low, x, old, ahead, momentum)
            _shrink_chain(x, low, fpar)
            if _settled(x, ahead, small):
                break
    for i in range(T):
        v[ipar[i]] = x[i]


class Temporal(RowPenalty):
    """Omega(W) = alpha_smooth sum_t norm_1(w_{t+1} - w_t) + alpha_sparse norm_1(W) + alpha_group sum_j norm_2(W_j.)
    + alpha_ridge norm_F(W)^2; with smooth="l2" the first term is alpha_smooth sum_t norm_2(w_{t+1} - w_t)^2.

    Parameters
    ----------
    alpha_smooth : float, default=1.0
    smooth : {"l1", "l2"}, default="l1"
        Piecewise constant in time, or smooth.
    alpha_sparse, alpha_group, alpha_ridge : float, default=0.0
    order : sequence of task labels or positions, default=None
        The tasks in the order of time; that of their labels by default.

    References
    ----------
    Zhou, Yuan, Liu, Ye (2011), KDD (TGL: squared differences and groups); Zhou, Liu, Narayan, Ye (2012), KDD (cFSGL:
    absolute differences, entries and groups, and the order of their proxes).
    """

    strengths = ("alpha_smooth", "alpha_sparse", "alpha_group", "alpha_ridge")
    row_prox = prox_chain
    even = EVEN
    spread = 1e4

    def __init__(self, alpha_smooth=1.0, smooth="l1", alpha_sparse=0.0, alpha_group=0.0, alpha_ridge=0.0, order=None):
        self.alpha_smooth = alpha_smooth
        self.smooth = smooth
        self.alpha_sparse = alpha_sparse
        self.alpha_group = alpha_group
        self.alpha_ridge = alpha_ridge
        self.order = order

    @property
    def is_norm(self):
        return self.smooth == "l1" and self.alpha_ridge == 0

    def check(self, n_features, tasks):
        super().check(n_features, tasks)
        if self.smooth not in ("l1", "l2"):
            raise ValueError(f"smooth must be 'l1' or 'l2', got {self.smooth!r}.")
        self.positions(tasks)

    def positions(self, tasks):
        """[position of the first task in time, of the second, ...]."""
        labels = labels_of(tasks)
        if isinstance(self.order, Read):
            return self.order
        if self.order is None:
            return Read(range(len(labels)))
        order = list(self.order) if isinstance(self.order, Collection) and not isinstance(self.order, str) else []
        place = places(order, labels, "order")
        positions = Read(place[t] for t in order)
        if sorted(positions) != list(range(len(labels))):
            raise ValueError(f"order must hold each of the {len(labels)} tasks once, got {self.order!r}.")
        return positions

    def bind(self, tasks):
        return clone(self).set_params(order=self.positions(tasks))

    def resolve(self, n_features, tasks):
        self.check(n_features, tasks)
        T, steps = len(tasks), np.diff(np.eye(len(tasks))[self.positions(tasks)], axis=0)
        M = self.alpha_ridge * np.eye(T)
        both = self.alpha_sparse + self.alpha_group
        if self.smooth == "l1" and self.alpha_smooth > 0 and T > 1:
            return Canonical((self.bind(tasks).set_params(alpha_ridge=0.0),), M)
        terms = (SparseGroup(both, self.alpha_sparse / both),) if both > 0 else ()
        return Canonical(terms, M + (self.alpha_smooth * steps.T @ steps if self.smooth == "l2" else 0.0))

    def pack(self):
        strengths = [self.alpha_smooth, self.alpha_sparse, self.alpha_group]
        return np.array(strengths, dtype=float), np.array(self.order, dtype=np.int64)

    def prox(self, V, step):
        if self.smooth == "l2":
            raise TypeError("Temporal(smooth='l2') is a sum with a quadratic coupling, which has no prox of its own")
        check_steps(step)
        # That of the rest, for a shrunk point and a shorter step.
        shrink = 1 / (1 + 2 * np.asarray(step) * self.alpha_ridge)
        return super(Temporal, self.bind(range(np.shape(V)[1]))).prox(V * shrink, step * shrink)

    def free_tasks(self, n_tasks):
        free = self.alpha_sparse == 0 and self.alpha_group == 0
        return np.full((n_tasks, int(free)), n_tasks**-0.5)

    def dual_norm(self, Z):
        return super().dual_norm(without(Z, self.free_tasks(Z.shape[1])))

    def value(self, W):
        steps = np.diff(W[:, self.positions(range(W.shape[1]))], axis=1)
        smooth = np.abs(steps).sum() if self.smooth == "l1" else np.sum(steps**2)
        rest = self.alpha_sparse * np.abs(W).sum() + self.alpha_group * row_norms(W).sum()
        return float(self.alpha_smooth * smooth + rest + self.alpha_ridge * np.sum(W**2))

    def expression(self, W, cp):
        order = self.positions(range(W.shape[1]))
        total = self.alpha_sparse * cp.sum(cp.abs(W)) + self.alpha_group * cp.sum(cp.norm(W, 2, axis=1))
        total += self.alpha_ridge * cp.sum_squares(W)
        for s, t in pairwise(order):
            step = W[:, t] - W[:, s]
            total += self.alpha_smooth * (cp.norm(step, 1) if self.smooth == "l1" else cp.sum_squares(step))
        return total, []
