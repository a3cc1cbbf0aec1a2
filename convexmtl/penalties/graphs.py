"""Graph-guided fused penalties: tasks that are joined have alike coefficients, or opposite ones."""

import numpy as np

from .._jit import kernel, row_prox
from .._words import counted, percent
from ..coupling import Nested
from ._chain import prox_chain, prox_positive_chain
from ._reading import EDGES_OF_ONE, graph_of_columns, read_edges_of_one, read_graph
from ._steps import EXACT
from .base import Canonical
from .couplings import graph_operator
from .positive import only_positive
from .row_norm import RowNorm
from .rows import RowPenalty
from .weighted import kept_positive

SWEEPS = 4  # over the edges of a graph, before maximum flows
DENSE = 10  # neighbours of a node on average, with more of which they do not pay
ROUNDING = 1e-15  # relative to the sum of what is added


# For the kernels, a graph has no signs. Its nodes stand for w_t or -w_t, and the last one for zero where there is a
# lasso, which is an edge to it. Arc a leads from its node to other[a], twin[a] is the arc back, and
# first[t] : first[t + 1] are the arcs of node t; flow[a], at most weight[a], is -flow[twin[a]]. ipar is [number of
# nodes, whether the last one is zero, *first, *other, *twin, *the task of each node, ~task where it is -w_t].


@kernel("float64(int64[::1], float64[::1], float64[::1], float64[::1], float64[::1])")
def _descend(ipar, weight, flow, step, x):
    """Let flow along one edge after the other what is best for it; returns the largest change over the largest flow."""
    N = ipar[0]
    first = ipar[2 : N + 3]
    A = first[N]
    other, twin = ipar[N + 3 : N + 3 + A], ipar[N + 3 + A : N + 3 + 2 * A]
    most = largest = 0.0
    for t in range(N):
        for a in range(first[t], first[t + 1]):
            b = twin[a]
            if b < a:
                continue
            s = other[a]
            new = flow[a] + (x[t] - x[s]) / (step[t] + step[s])
            new = min(max(new, -weight[a]), weight[a])
            change = new - flow[a]
            if change != 0.0:
                x[t] -= step[t] * change
                x[s] += step[s] * change
                flow[a], flow[b] = new, -new
                most = max(most, abs(change))
            largest = max(largest, abs(new))
    return most / largest if most > 0.0 else 0.0


@kernel("void(int64[::1], float64[::1], float64[::1], int64[::1], int64[::1], int64[::1])")
def _join(ipar, weight, flow, nodes, group, ends):
    """Groups of nodes that are joined by edges which are not full."""
    N = ipar[0]
    first = ipar[2 : N + 3]
    other = ipar[N + 3 :]
    group[:] = -1
    n = 0
    for start in range(N):
        if group[start] >= 0:
            continue
        begin = i = n
        group[start] = begin
        nodes[n] = start
        n += 1
        while i < n:
            t = nodes[i]
            for a in range(first[t], first[t + 1]):
                s = other[a]
                if group[s] < 0 and abs(flow[a]) < weight[a]:
                    group[s] = begin
                    nodes[n] = s
                    n += 1
            i += 1
        ends[begin] = n


@kernel(
    "float64(int64, int64, int64[::1], int64[::1], int64[::1], float64[::1], float64[::1], float64[::1], float64[::1],"
    "float64[::1])"
)
def _balance(begin, end, nodes, group, ipar, flow, mass, target, excess, noise):
    """The value that is best for the group as a whole, what each node then has too much, and how much of that is
    rounding."""
    N = ipar[0]
    first, other = ipar[2 : N + 3], ipar[N + 3 :]
    zero = N - 1 if ipar[1] == 1 else -1
    anchored = False
    total = masses = 0.0
    for i in range(begin, end):
        t = nodes[i]
        outside = inside = through = 0.0
        for a in range(first[t], first[t + 1]):
            through += abs(flow[a])
            if group[other[a]] == begin:
                inside += flow[a]
            else:
                outside += flow[a]
        own = mass[t] * target[t] - outside
        excess[t] = own - inside
        noise[t] = abs(own) + through
        if t == zero:
            anchored = True
        else:
            total += own
            masses += mass[t]
    value = 0.0 if anchored else total / masses
    balance = 0.0
    for i in range(begin, end):
        t = nodes[i]
        excess[t] -= mass[t] * value
        noise[t] = ROUNDING * (noise[t] + mass[t] * abs(value))
        if t != zero:
            balance += excess[t]
    if anchored:
        # It gives and takes what the others lack and have.
        excess[zero] = -balance
    return value


@kernel(
    "int64(int64, int64, int64[::1], int64[::1], int64[::1], float64[::1], float64[::1], float64[::1], float64[::1],"
    "int64[::1], int64[::1])"
)
def _levels(begin, end, nodes, group, ipar, weight, flow, excess, noise, level, queue):
    """How many arcs there are from each node of the group to one that lacks something, -1 where none is in reach; the
    number of those in reach, which the queue holds in this order."""
    N = ipar[0]
    first = ipar[2 : N + 3]
    other = ipar[N + 3 :]
    n = 0
    for i in range(begin, end):
        t = nodes[i]
        level[t] = -1
        if excess[t] < -noise[t]:
            level[t] = 0
            queue[n] = t
            n += 1
    i = 0
    while i < n and n < end - begin:
        t = queue[i]
        for a in range(first[t], first[t + 1]):
            s = other[a]
            if group[s] == begin and level[s] < 0 and -flow[a] < weight[a]:
                level[s] = level[t] + 1
                queue[n] = s
                n += 1
        i += 1
    return n


@kernel(
    "boolean(int64, int64, int64[::1], int64[::1], float64[::1], float64[::1], float64[::1], float64[::1], int64[::1],"
    "int64[::1])"
)
def _send(n, begin, group, ipar, weight, flow, excess, noise, level, queue):
    """From the farthest to the nearest, send what there is too much one level down; returns whether there was any."""
    N = ipar[0]
    first = ipar[2 : N + 3]
    A = first[N]
    other, twin = ipar[N + 3 : N + 3 + A], ipar[N + 3 + A : N + 3 + 2 * A]
    sent = False
    for i in range(n - 1, -1, -1):
        t = queue[i]
        if level[t] == 0:
            break
        if not excess[t] > noise[t]:
            continue
        sent = True
        for a in range(first[t], first[t + 1]):
            s = other[a]
            if group[s] == begin and level[s] == level[t] - 1 and flow[a] < weight[a]:
                room = weight[a] - flow[a]
                change = min(excess[t], room)
                flow[a] = weight[a] if change == room else flow[a] + change
                flow[twin[a]] = -flow[a]
                excess[t] -= change
                excess[s] += change
                noise[t] += ROUNDING * change
                noise[s] += ROUNDING * change
                if excess[t] <= 0.0:
                    break
    return sent


@row_prox
def prox_graph(v, step, fpar, ipar, feature):
    """Split the tasks into groups of one value by maximum flows.

    A group is given the value that is best for it as a whole. If what its nodes then pull can flow along its edges
    within their weights, this is the solution. If not, the nodes whose excess is held up by full edges have a larger
    value in the solution than all others, and the two halves go on each for itself, full edges between them.
    To begin with, descent along single edges guesses the flows and groups.
    """
    T, N = v.shape[0], ipar[0]
    first = ipar[2 : N + 3]
    A = first[N]
    other, origin = ipar[N + 3 : N + 3 + A], ipar[N + 3 + 2 * A :]
    size = np.abs(v).max()
    if not size < np.inf:
        v[:] = np.nan
        return
    if size == 0.0:
        return
    # In units of the largest entry, so that nothing overflows.
    weight, flow = fpar / size, np.zeros(A)
    free = N - ipar[1]
    target, steps, mass = np.zeros(N), np.zeros(N), np.zeros(N)
    for i in range(free):
        t = origin[i]
        target[i] = v[t] / size if t >= 0 else -v[~t] / size
        steps[i] = step[t] if t >= 0 else step[~t]
        mass[i] = 1.0 / steps[i]
    x = target.copy()
    for _ in range(SWEEPS if A <= DENSE * N else 0):
        if _descend(ipar, weight, flow, steps, x) <= EXACT:
            break
    # Nodes begin : end are a group, which is known by its begin.
    nodes, group, ends = np.arange(N), np.zeros(N, dtype=np.int64), np.full(N, N)
    level, queue = np.empty(N, dtype=np.int64), np.empty(N, dtype=np.int64)
    excess, noise = np.empty(N), np.empty(N)
    _join(ipar, weight, flow, nodes, group, ends)
    guess = True
    while True:
        begin = 0
        while begin < N:
            end = ends[begin]
            value = _balance(begin, end, nodes, group, ipar, flow, mass, target, excess, noise)
            reached = _levels(begin, end, nodes, group, ipar, weight, flow, excess, noise, level, queue)
            while _send(reached, begin, group, ipar, weight, flow, excess, noise, level, queue):
                reached = _levels(begin, end, nodes, group, ipar, weight, flow, excess, noise, level, queue)
            stuck = False
            for i in range(begin, end):
                t = nodes[i]
                x[t] = value
                stuck = stuck or (level[t] < 0 and excess[t] > noise[t])
            if not stuck or reached == 0:
                begin = end
                continue
            i = begin
            for k in range(begin, end):
                if level[nodes[k]] < 0:
                    nodes[i], nodes[k] = nodes[k], nodes[i]
                    i += 1
            ends[begin], ends[i] = i, end
            for k in range(i, end):
                group[nodes[k]] = i
        if not guess:
            break
        # What flows along a full edge has to come from the larger value.
        guess = False
        right = True
        for t in range(N):
            for a in range(first[t], first[t + 1]):
                s = other[a]
                right = right and (group[s] == group[t] or x[t] >= x[s] or flow[a] < weight[a])
        if right:
            break
        group[:], ends[0] = 0, N
        for i in range(N):
            nodes[i] = i
    v[:] = 0.0
    shares = np.zeros(T)
    for i in range(free):
        t = origin[i] if origin[i] >= 0 else ~origin[i]
        v[t] += size * x[i] if origin[i] >= 0 else -size * x[i]
        shares[t] += 1.0
    v /= shares


@row_prox
def prox_positive_graph(v, step, fpar, ipar, feature):
    """For x >= 0, the positive part of that, without signs; fpar begins with a slope for each task."""
    T = v.shape[0]
    for t in range(T):
        v[t] -= step[t] * fpar[t]
    prox_graph(v, step, fpar[T:], ipar, feature)
    for t in range(T):
        if v[t] < 0.0:
            v[t] = 0.0


class GraphGuided(RowPenalty):
    """Omega(W) = alpha sum_e omega_e norm_1(w_s - sign_e w_t) + alpha_sparse norm_1(W) over the edges e = (s, t) of a
    graph of tasks; with norm="l2" the first term is alpha sum_e omega_e norm_2(w_s - sign_e w_t)^2.

    Parameters
    ----------
    graph : sequence of (s, t[, omega[, sign]]), (T, T) array, sparse matrix or networkx graph, default=None
        Tasks by label, or by position where the labels are not found; omega >= 0 and sign, 1 or -1, are 1 by default.
        Of a symmetric matrix of weights, in the order of ``tasks_``, the absolute values are the omega, and a
        negative weight has sign -1; so has a negative "weight" of an edge of a networkx graph. What is on its diagonal
        is ignored, and a Laplacian is refused. A frame, such as that of correlations, names its tasks. None joins
        each task with each: a prox then looks at T (T - 1) / 2 edges.
    alpha : float, default=1.0
    norm : {"l1", "l2"}, default="l1"
        Fuse tasks that are joined, or draw them together.
    alpha_sparse : float, default=0.0
    positive : bool, default=False
        Whether W has to be >= 0.

    References
    ----------
    Chen, Kim, Lin, Carbonell, Xing (2010), arXiv:1005.3579; Kim, Xing (2009), PLoS Genetics; Evgeniou, Micchelli,
    Pontil (2005), JMLR (norm="l2"); Hochbaum (2001), JACM, and Chambolle, Darbon (2009), IJCV (the prox).

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import GraphGuided
    >>> W = np.array([[1.0, 1.0, 3.0]])
    >>> print(round(GraphGuided([(0, 1), (1, 2)], alpha=2.0).value(W), 6))
    4.0
    """

    strengths = ("alpha", "alpha_sparse")
    asks = "joined tasks with the same coefficients"

    @property
    def row_prox(self):
        """That of chains where the graph is made of them: it is many times quicker."""
        if self.positive:
            return prox_positive_graph if self.graph.positive[0].chains is None else prox_positive_chain
        return prox_graph if self.graph.chains is None else prox_chain

    def __init__(self, graph=None, alpha=1.0, norm="l1", alpha_sparse=0.0, positive=False):
        self.graph = graph
        self.alpha = alpha
        self.norm = norm
        self.alpha_sparse = alpha_sparse
        self.positive = positive

    @property
    def is_norm(self):
        return self.norm == "l1"

    def check(self, n_features, labels):
        super().check(n_features, labels)
        if self.norm not in ("l1", "l2"):
            raise ValueError(f"norm must be 'l1' or 'l2', got {self.norm!r}.")
        read_graph(self.graph, labels)

    def bind(self, labels):
        return self.replaced(graph=read_graph(self.graph, labels))

    structure = "graph"

    @property
    def place(self):
        return None if self.graph is None else EDGES_OF_ONE

    def with_task(self, labels, place):
        if self.graph is None:
            return self
        return self.replaced(graph=read_edges_of_one(read_graph(self.graph, labels[:-1]), labels, place))

    def of_columns(self, columns):
        return self.replaced(graph=graph_of_columns(read_graph(self.graph, columns.tasks), columns))

    def resolve(self, n_features, labels):
        bound = self.bind(labels)
        bound.check(n_features, labels)
        graph, none = bound.graph, Nested(len(labels), [0.0])
        if self.norm == "l1" and len(graph) and self.alpha > 0:
            return Canonical((bound,), none)
        sparse = (RowNorm(self.alpha_sparse, q=1, positive=self.positive),) if self.alpha_sparse > 0 else ()
        terms = kept_positive(self, Canonical(sparse, none), n_features).terms
        return Canonical(terms, graph_operator(graph, self.alpha) if self.norm == "l2" else none)

    def pack(self):
        if not self.positive:
            return self._pack(self.graph)
        graph, slopes = self.graph.positive
        fpar, ipar = self._pack(graph)
        return np.concatenate([self.alpha * slopes, fpar]), ipar

    def _pack(self, graph):
        if graph.chains is not None:
            places, omega = graph.chains
            return np.concatenate([[self.alpha_sparse, 0.0], self.alpha * omega]), places
        T, (s, t, weight, node) = graph.n_tasks, graph.unsigned
        n, weight = len(node), self.alpha * weight
        if self.alpha_sparse > 0:
            weight = np.concatenate([weight, np.full(n, self.alpha_sparse)])
            s, t = np.concatenate([s, np.arange(n)]), np.concatenate([t, np.full(n, n)])
        N, E = n + (self.alpha_sparse > 0), len(s)
        begins, ends = np.concatenate([s, t]), np.concatenate([t, s])
        order = np.argsort(begins, kind="stable")
        first = np.searchsorted(begins[order], np.arange(N + 1))
        twin = np.argsort(order)[(order + E) % (2 * E)]
        origin = np.where(node < T, node, ~(node - T))
        ipar = np.concatenate([[N, N - n], first, ends[order], twin, origin]).astype(np.int64)
        return np.tile(weight, 2)[order], ipar

    def prox(self, V, step):
        if self.norm == "l2":
            raise TypeError("GraphGuided(norm='l2') is a sum with a quadratic coupling, which has no prox of its own")
        return super(GraphGuided, self.bind(range(np.shape(V)[1]))).prox(V, step)

    def free_tasks(self, n_tasks):
        if self.alpha_sparse > 0:
            return np.zeros((n_tasks, 0))
        if not self.positive:
            return self.graph.free
        graph, slopes = self.graph.positive
        return graph.free[:, np.flatnonzero(slopes @ graph.free == 0)]

    def feasible(self, W):
        return np.maximum(W, 0.0) if self.positive else W

    def value(self, W):
        return only_positive(lambda: self._value(W), W) if self.positive else self._value(W)

    def _value(self, W):
        s, t, omega, sign = read_graph(self.graph, range(W.shape[1])).ends
        steps = W[:, s] - sign * W[:, t]
        sizes = np.abs(steps) if self.norm == "l1" else steps**2
        return float(self.alpha * np.sum(sizes @ omega) + self.alpha_sparse * np.abs(W).sum())

    def findings(self, W, labels):
        s, t, omega, sign = self.graph.ends
        if self.norm == "l2" or not np.any(omega):
            return []
        joined = np.mean((W[:, s] == sign * W[:, t])[:, omega > 0])
        return [f"{percent(joined)} of the differences along the {counted(np.sum(omega > 0), 'edge')} are zero"]

    def expression(self, W, cp):
        total = self.alpha_sparse * cp.sum(cp.abs(W))
        for s, t, omega, sign in read_graph(self.graph, range(W.shape[1])):
            step = W[:, s] - sign * W[:, t]
            total += self.alpha * omega * (cp.norm(step, 1) if self.norm == "l1" else cp.sum_squares(step))
        return total, [W >= 0] if self.positive else []
