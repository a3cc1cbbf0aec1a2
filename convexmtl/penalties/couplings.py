"""Quadratic couplings of tasks: Omega(W) = tr(W M W'), M (T x T) symmetric positive semidefinite."""

import numpy as np

from .._input import label_array, missing_mask, read_list
from .._words import percent
from ..coupling import Dense, Graph, Nested
from ._reading import EDGES_OF_ONE, graph_of_columns, labels_of, read_edges_of_one, read_graph
from .base import Canonical, Later, Penalty


class Coupling(Penalty):
    """Omega(W) = tr(W M W'): a member owes ``matrix``, or ``operator`` where M has a form that spares it, and its
    textbook definition.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl.penalties import Coupling
    >>> class Ridge(Coupling):
    ...     def __init__(self, alpha=1.0):
    ...         self.alpha = alpha
    ...
    ...     def matrix(self, n_tasks):
    ...         return self.alpha * np.eye(n_tasks)
    >>> print(Ridge(alpha=2.0).value(np.array([[1.0, 3.0]])))
    20.0
    """

    is_norm = False
    asks = "tasks with similar models"

    def matrix(self, n_tasks):
        """M (T, T)."""
        if type(self).operator is Coupling.operator:
            raise TypeError(f"{type(self).__name__} does not define matrix")
        return self.operator(n_tasks).matrix()

    def operator(self, n_tasks):
        """M as a ``convexmtl.coupling.TaskOperator``."""
        return Dense(self.matrix(n_tasks))

    def resolve(self, n_features, labels):
        bound = self.bind(labels)
        bound.check(n_features, labels)
        return Canonical((), bound.operator(len(labels)))

    def of_columns(self, columns):
        return OfColumns(self.bind(columns.tasks), columns)

    def report_of_columns(self, parts, columns):
        """``report`` where tasks have several columns."""
        return self.report(parts, columns.tasks)

    def value(self, W):
        return self.operator(W.shape[1]).value(W)

    def expression(self, W, cp):
        values, vectors = np.linalg.eigh(self.matrix(W.shape[1]))
        return cp.sum_squares(W @ (vectors * np.sqrt(np.maximum(values, 0)))), []


class OfColumns(Coupling):
    """Omega(W) = sum_k of a coupling of the columns of class k, of the tasks that have it.

    Parameters
    ----------
    coupling : Coupling
        With task labels bound to positions.
    columns : Columns
    """

    strengths = ()

    def __init__(self, coupling, columns):
        self.coupling = coupling
        self.columns = columns

    @property
    def asks(self):
        return self.coupling.asks

    @property
    def formula(self):
        return f"{self.coupling.formula}, for the columns of every class"

    def check(self, n_features, labels):
        self.coupling.check(n_features, self.columns.tasks)

    def operator(self, n_tasks):
        return self.columns.operator(self.coupling.operator(len(self.columns.counts)))

    def report(self, parts, labels):
        return self.coupling.report_of_columns(parts, self.columns)

    def parameters(self):
        return self.coupling.parameters()

    def describe(self, parts, labels):
        (said,) = super().describe(parts, labels)
        return [said._replace(name=type(self.coupling).__name__)]

    def strength_values(self):
        return self.coupling.strength_values()

    def scaled(self, factor):
        return OfColumns(self.coupling.scaled(factor), self.columns)


class MeanCoupling(Coupling):
    """Omega(W) = alpha_mean norm(w_bar)^2 + (alpha_variance/T) sum_t norm(w_t - w_bar)^2.

    Parameters
    ----------
    alpha_mean, alpha_variance : float, default=1.0

    References
    ----------
    Evgeniou, Micchelli, Pontil (2005), JMLR; Evgeniou, Pontil (2004), KDD.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import MeanCoupling
    >>> W = np.array([[1.0, 3.0]])
    >>> print(round(MeanCoupling(alpha_mean=1.0, alpha_variance=3.0).value(W), 6))
    7.0
    """

    strengths = ("alpha_mean", "alpha_variance")

    def __init__(self, alpha_mean=1.0, alpha_variance=1.0):
        self.alpha_mean = alpha_mean
        self.alpha_variance = alpha_variance

    def operator(self, n_tasks):
        T = n_tasks
        return Nested(T, [self.alpha_variance / T, self.alpha_mean / T], [np.zeros(T, dtype=np.int64)])

    def expression(self, W, cp):
        T = W.shape[1]
        mean = W @ np.full((T, 1), 1 / T)
        spread = cp.sum_squares(W - mean @ np.ones((1, T)))
        return self.alpha_mean * cp.sum_squares(mean) + self.alpha_variance / T * spread, []

    def report(self, parts, labels):
        return {"mean_coef_": sum(parts).mean(axis=1)}

    def report_of_columns(self, parts, columns):
        """``mean_coef_`` (K, d), one row for every class."""
        chains, W = columns.chains(range(len(columns.counts))), sum(parts)
        return {"mean_coef_": np.array([W[:, of_class].mean(axis=1) for of_class in chains])}

    def findings(self, W, labels):
        return [Later(_about_mean, W)]


class ClusterCoupling(Coupling):
    """Omega(W) = alpha_mean norm(w_bar)^2 + alpha_between sum_c T_c norm(w_bar_c - w_bar)^2
    + alpha_within sum_c sum_{t in c} norm(w_t - w_bar_c)^2, for known clusters of tasks.

    Parameters
    ----------
    clusters : array-like of shape (T,) or dict of task label -> cluster
        In the order of the task labels.
    alpha_mean, alpha_between, alpha_within : float

    Notes
    -----
    The paper has T times this mean term.

    References
    ----------
    Jacob, Bach, Vert (2009), NIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import MultiTaskRegressor, ClusterCoupling
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 6))
    >>> Y = X[:, :2] @ rng.normal(size=(2, 4)) + 0.1 * rng.normal(size=(40, 4))
    >>> model = MultiTaskRegressor(ClusterCoupling([0, 0, 1, 1])).fit(X, Y)
    >>> print(model.labels_)
    [0 0 1 1]
    """

    strengths = ("alpha_mean", "alpha_between", "alpha_within")

    def __init__(self, clusters=None, alpha_mean=0.1, alpha_between=0.1, alpha_within=1.0):
        self.clusters = clusters
        self.alpha_mean = alpha_mean
        self.alpha_between = alpha_between
        self.alpha_within = alpha_within

    def check(self, n_features, labels):
        super().check(n_features, labels)
        self.codes(labels)

    def bind(self, labels):
        return self.replaced(clusters=self.members(labels))

    structure = "clusters"

    @property
    def place(self):
        return "the cluster that it is in"

    def with_task(self, labels, place):
        members = self.members(labels[:-1]).tolist()
        if place not in members:
            clusters = ", ".join(repr(cluster) for cluster in dict.fromkeys(members))
            raise ValueError(f"place must be {self.place}, one of {clusters}, got {place!r}.")
        return self.replaced(clusters=label_array([*members, place]))

    def members(self, labels):
        """(T,) cluster of every task, in the order of the tasks."""
        clusters = self.clusters
        if isinstance(clusters, dict):
            missing = [task for task in labels_of(labels) if task not in clusters]
            if missing:
                raise ValueError(f"clusters has no entry for task {missing[0]!r}; it needs one for each task.")
            clusters = [clusters[task] for task in labels_of(labels)]
        clusters = np.asarray(clusters)
        if clusters.shape != (len(labels),):
            raise ValueError(
                f"clusters must hold one label for each of the {len(labels)} tasks, got shape {clusters.shape}."
            )
        missing = missing_mask(clusters)
        if missing.any():
            i = int(missing.argmax())
            kind = "None" if clusters[i] is None else "NaN"
            raise ValueError(f"clusters must not hold {kind}, got one at position {i}.")
        return clusters

    def codes(self, labels):
        """(T,) cluster of every task as an integer."""
        return np.unique(self.members(labels), return_inverse=True)[1]

    def report(self, parts, labels):
        """``labels_`` as given, and ``task_covariance_``: the inverse of the coupling of the centred part."""
        centred = self.replaced(alpha_mean=0.0).operator(len(labels))
        return {"labels_": np.asarray(self.clusters), "task_covariance_": Later(centred.inverse().matrix)}

    def operator(self, n_tasks):
        values = [self.alpha_within, self.alpha_between, self.alpha_mean / n_tasks]
        return Nested(n_tasks, values, [self.codes(range(n_tasks)), np.zeros(n_tasks, dtype=np.int64)])

    def expression(self, W, cp):
        T = W.shape[1]
        codes = self.codes(range(T))
        mean = W @ np.full((T, 1), 1 / T)
        total = self.alpha_mean * cp.sum_squares(mean)
        for c in np.unique(codes):
            members = np.flatnonzero(codes == c)
            n = len(members)
            centre = W[:, members] @ np.full((n, 1), 1 / n)
            total += self.alpha_between * n * cp.sum_squares(centre - mean)
            total += self.alpha_within * cp.sum_squares(W[:, members] - centre @ np.ones((1, n)))
        return total, []


class GraphLaplacian(Coupling):
    """Omega(W) = alpha sum_e omega_e norm(w_s - sign_e w_t)^2 over the edges e = (s, t) of a graph of tasks.

    Parameters
    ----------
    edges : sequence of (s, t), (s, t, omega) or (s, t, omega, sign)
        Tasks by label, or by position where the labels are not found; omega >= 0 and sign, 1 or -1, are 1 by default.
        Or a matrix or a networkx graph, as in ``GraphGuided``.
    alpha : float, default=1.0

    References
    ----------
    Evgeniou, Micchelli, Pontil (2005), JMLR.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import GraphLaplacian
    >>> W = np.array([[1.0, 1.0, 3.0]])
    >>> print(round(GraphLaplacian([(0, 1), (1, 2)], alpha=2.0).value(W), 6))
    8.0
    """

    def __init__(self, edges=(), alpha=1.0):
        self.edges = edges
        self.alpha = alpha

    def check(self, n_features, labels):
        super().check(n_features, labels)
        read_graph(self.edges, labels, "edges")

    def bind(self, labels):
        return self.replaced(edges=read_graph(self.edges, labels, "edges"))

    structure = "edges"

    @property
    def place(self):
        return EDGES_OF_ONE

    def with_task(self, labels, place):
        return self.replaced(edges=read_edges_of_one(read_graph(self.edges, labels[:-1], "edges"), labels, place))

    def of_columns(self, columns):
        return self.replaced(edges=graph_of_columns(read_graph(self.edges, columns.tasks, "edges"), columns))

    def operator(self, n_tasks):
        return graph_operator(read_graph(self.edges, range(n_tasks), "edges"), self.alpha)

    def expression(self, W, cp):
        edges = read_graph(self.edges, range(W.shape[1]), "edges")
        return self.alpha * sum(omega * cp.sum_squares(W[:, s] - sign * W[:, t]) for s, t, omega, sign in edges), []


class TaskCoupling(Coupling):
    """Omega(W) = alpha tr(W M W') for any symmetric positive semidefinite M.

    Parameters
    ----------
    M : array-like of shape (T, T)
    alpha : float, default=1.0

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import TaskCoupling
    >>> W = np.array([[1.0, 1.0, 3.0]])
    >>> print(round(TaskCoupling(np.eye(3), alpha=2.0).value(W), 6))
    22.0
    """

    def __init__(self, M, alpha=1.0):
        self.M = M
        self.alpha = alpha

    def check(self, n_features, labels):
        super().check(n_features, labels)
        M, T = np.asarray(self.M, dtype=float), len(labels)
        if M.shape != (T, T):
            raise ValueError(f"M must have shape ({T}, {T}), one row and column per task, got {M.shape}.")
        if not np.isfinite(M).all():
            raise ValueError("M must be finite, got NaN or infinity.")
        top = np.abs(M).max()
        if np.abs(M - M.T).max() > 1e-10 * top:
            raise ValueError(f"M must be symmetric, got entries that differ by {np.abs(M - M.T).max():g}.")
        lowest = np.linalg.eigvalsh((M + M.T) / 2)[0]
        if lowest < -1e-10 * top:
            raise ValueError(f"M must be positive semidefinite, its smallest eigenvalue is {lowest:g}.")

    structure = "M"

    @property
    def place(self):
        return "its row of M, its entry with itself last"

    def with_task(self, labels, place):
        T = len(labels)
        row = np.asarray(read_list(place, "place", f"{self.place}, {T} numbers"))
        if row.shape != (T,):
            raise ValueError(f"place must be {self.place}, {T} numbers, got {len(row)} of them.")
        M = np.zeros((T, T))
        M[:-1, :-1], M[-1], M[:, -1] = self.M, row, row
        return self.replaced(M=M)

    def matrix(self, n_tasks):
        M = np.asarray(self.M, dtype=float)
        return self.alpha * (M + M.T) / 2


def _about_mean(W):
    total = np.sum(W**2)
    away = np.sum((W - W.mean(axis=1, keepdims=True)) ** 2) / total if total > 0 else 0.0
    return f"{percent(away)} of the squared coefficients is what tasks have of their own, the rest their mean"


def graph_operator(graph, alpha):
    """alpha sum over the edges of a graph that has been read of omega (e_s - sign e_t)(e_s - sign e_t)'."""
    if alpha == 0 or not len(graph):
        return Nested(graph.n_tasks, [0.0])
    s, t, omega, sign = graph.ends
    return Graph(graph.n_tasks, (s, t, alpha * omega, sign))
