"""Features are chosen for whole branches of a tree of tasks."""

from ..penalties import TreeGuided
from ._classifier import MultiTaskClassifierBase
from ._cv import CrossValidated
from ._docs import documented
from ._regressor import IncrementalRegressorBase, MultiTaskRegressorBase


class _TreeGuided:
    """minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + Omega(W),
    Omega(W) = alpha sum_j sum_v omega_v norm_2(W_{j, G_v}) over the nodes v of a tree with the tasks as leaves.

    {summary}

    Parameters
    ----------
    tree : sequence of (members, omega), linkage matrix or networkx tree, default=None
        Groups of tasks, nested in or disjoint from each other, by label or, where the labels are not found, by
        position, with their weights. A linkage matrix of ``scipy.cluster.hierarchy``, of the tasks in the order of
        `tasks_`, gets the weights of Kim and Xing. A networkx DiGraph has its edges from the root to the leaves,
        which are the tasks, and "omega" as an attribute of its nodes, by default 1. None is one group of all tasks.
        ``structures.correlation_tree`` makes one from the targets.
    alpha : float, default=0.1
        Strength of the penalty.
    {common}

    Attributes
    ----------
    {fitted}

    References
    ----------
    Kim, Xing (2010), ICML; Jenatton, Mairal, Obozinski, Bach (2011), JMLR.

    Examples
    --------
    {start}
    >>> tree = [([0, 1], 1.0), ([0, 1, 2, 3], 1.0)]
    >>> model = {name}(tree, alpha=0.15).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> print(np.flatnonzero(model.coef_.any(axis=0)))  # the features in use
    [0 1]
    """

    _selects = True
    _choices = {"positive": False}
    _parameters = {"tree": None, "alpha": 0.1}
    _structure = ("tree",)

    def _penalty(self):
        return TreeGuided(self.tree, self.alpha, self.positive)


@documented
class TreeGuidedRegressor(_TreeGuided, IncrementalRegressorBase):
    """Features are chosen for whole branches of a tree of tasks. Regression."""


@documented
class TreeGuidedClassifier(_TreeGuided, MultiTaskClassifierBase):
    """Features are chosen for whole branches of a tree of tasks. Classification."""


class _TreeGuidedCV(CrossValidated):
    """``TreeGuided`` with the strength chosen by cross-validation:

    minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + Omega(W),
    Omega(W) = alpha sum_j sum_v omega_v norm_2(W_{j, G_v}) over the nodes v of a tree with the tasks as leaves.

    {summary}

    Parameters
    ----------
    tree : sequence of (members, omega), linkage matrix or networkx tree, default=None
        Groups of tasks, nested in or disjoint from each other, by label or, where the labels are not found, by
        position, with their weights. A linkage matrix of ``scipy.cluster.hierarchy``, of the tasks in the order of
        `tasks_`, gets the weights of Kim and Xing. A networkx DiGraph has its edges from the root to the leaves,
        which are the tasks, and "omega" as an attribute of its nodes, by default 1. None is one group of all tasks.
        ``structures.correlation_tree`` makes one from the targets.
    {common}
    {search}

    Attributes
    ----------
    alpha_ : float
        What was chosen.
    {searched}
    {fitted}

    References
    ----------
    Kim, Xing (2010), ICML; Jenatton, Mairal, Obozinski, Bach (2011), JMLR.

    Examples
    --------
    {start}
    >>> model = {name}([([0, 1], 1.0), ([0, 1, 2, 3], 1.0)], alphas=3, eps=0.1, cv=2).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> model.mse_path_.shape
    (3, 2)
    """


@documented
class TreeGuidedRegressorCV(_TreeGuidedCV, MultiTaskRegressorBase):
    """Features are chosen for whole branches of a tree of tasks. Regression."""

    _single = TreeGuidedRegressor


@documented
class TreeGuidedClassifierCV(_TreeGuidedCV, MultiTaskClassifierBase):
    """Features are chosen for whole branches of a tree of tasks. Classification."""

    _single = TreeGuidedClassifier
