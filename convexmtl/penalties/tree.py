"""Groups of tasks that make up a tree."""

import numpy as np
from scipy.sparse import csr_array

from .._jit import kernel, row_prox
from ..coupling import Nested
from ._reading import Read, labels_of, places, read_tree
from ._steps import EVEN, EXACT, MOST, check_steps, settled, spread_of, towards
from .base import Canonical
from .positive import may_be_positive
from .rows import RowPenalty
from .weighted import kept_positive


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
    spread = spread_of(step)
    if spread == 1.0:
        _shrink_tree(v, step[0], fpar, ipar)
        return
    low = step.min()
    small = max(EXACT / spread, 4e-16) * np.abs(v).max()
    momentum = (np.sqrt(spread) - 1.0) / (np.sqrt(spread) + 1.0)
    x, old, ahead = v.copy(), v.copy(), np.empty(v.shape[0])
    for _ in range(MOST):
        towards(v, step, low, x, old, ahead, momentum)
        _shrink_tree(x, low, fpar, ipar)
        if settled(x, ahead, small):
            break
    v[:] = x


@may_be_positive
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
    positive : bool, default=False
        Whether W has to be >= 0.

    Notes
    -----
    A task that is in no group of positive weight is not penalised. In a row the groups' shrinkages are applied from
    the leaves to the root, which is the prox if all tasks have the same step; for different steps, it is iterated to
    machine precision.

    References
    ----------
    Kim, Xing (2010), ICML; Jenatton, Mairal, Obozinski, Bach (2011), JMLR (the prox).

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import TreeGuided
    >>> W = np.array([[3.0, 4.0], [0.3, 0.4]])
    >>> print(round(TreeGuided([([0], 1.0), ([0, 1], 1.0)]).value(W), 6))
    8.8
    """

    row_prox = prox_tree
    asks = "features that whole branches of the tree use, or do not"
    even_ratio = EVEN
    step_ratio = 1e4

    def __init__(self, tree=None, alpha=1.0, positive=False):
        self.tree = tree
        self.alpha = alpha
        self.positive = positive

    def check(self, n_features, labels):
        super().check(n_features, labels)
        read_tree(self.tree, labels)

    def bind(self, labels):
        return self.replaced(tree=read_tree(self.tree, labels))

    structure = "tree"

    def of_columns(self, columns):
        if self.tree is None:
            return self
        groups = [(columns.of_tasks(members), omega) for members, omega in read_tree(self.tree, columns.tasks)]
        return self.replaced(tree=Read(groups))

    @property
    def place(self):
        return None if self.tree is None else "the task beside which it is in the tree, in a group wherever that one is"

    def with_task(self, labels, place):
        if self.tree is None:
            return self
        new, old = len(labels) - 1, labels_of(labels[:-1])
        if place is None:
            raise ValueError(f"place must be {self.place}, got None.")
        beside = places([place], old, "place")[place]
        groups = Read()
        for members, omega in read_tree(self.tree, old):
            groups.append(([*members, new] if beside in members and len(members) > 1 else members, omega))
            if members == [beside]:
                groups.append(([new], omega))
        groups.sort(key=lambda pair: len(pair[0]))
        return self.replaced(tree=groups)

    def resolve(self, n_features, labels):
        T = len(labels)
        bound = self.bind(labels)
        bound.check(n_features, labels)
        terms = (bound,) if self.alpha > 0 and bound.tree else ()
        return kept_positive(self, Canonical(terms, Nested(T, [0.0])), n_features)

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
        others = np.setdiff1d(np.arange(n_tasks), list(covered))
        return csr_array((np.ones(len(others)), (others, np.arange(len(others)))), shape=(n_tasks, len(others)))

    def value(self, W):
        tree = read_tree(self.tree, range(W.shape[1]))
        top = np.abs(W).max(initial=0.0)
        if not tree or not 0 < top < np.inf:
            return self.alpha * float(top if tree and top else 0.0)
        # All groups one after the other, in units of the largest entry: what underflows there does not count.
        begins = np.cumsum([0] + [len(members) for members, _ in tree[:-1]])
        squares = np.add.reduceat(((W / top) ** 2)[:, [t for members, _ in tree for t in members]], begins, axis=1)
        return self.alpha * float(top * np.sqrt(squares).sum(axis=0) @ [omega for _, omega in tree])

    def expression(self, W, cp):
        tree = read_tree(self.tree, range(W.shape[1]))
        return self.alpha * sum(omega * cp.sum(cp.norm(W[:, members], 2, axis=1)) for members, omega in tree), []
