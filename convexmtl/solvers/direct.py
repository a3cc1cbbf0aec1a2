"""Linear systems of quadratic couplings:  G_t w_t + 2 (W M)_t = r_t  for all tasks t at once.

What the coupling is decides how they are solved. Averages over nested groups and graphs without cycles are eliminated
task by task, in a time that is proportional to their number (``_elimination``); any other graph by conjugate gradients,
preconditioned by its heaviest tree; an array M by its spectrum. With one Gram matrix for all tasks it is a Sylvester
equation. Where all tasks together have few samples beside features, all of that takes less time in their span. All end
with conjugate gradients, which take back what rounding has taken.
"""

from copy import copy
from functools import cached_property

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from ..coupling import Dense, Graph, Nested, clean_spectrum
from ..gram import CommonGram, each
from ..inverses import Factors, Semidefinite, conjugate_gradients, inverse
from ._elimination import Factored, Forest, Levels

PIVOT = 0.1  # of a factor, from which on its inverse is as good: what it solves is to be exact
FEW = 1000  # tasks up to which the spectrum of a coupling that has no other form is cheap
LARGEST = 300  # unknowns of a system that is solved as one, where tasks may need each other
PSEUDO = 1000  # of a core, up to which nothing is taken for determined that is not
WORTH = 4.0  # products of d x d matrices that a task takes, in multiples of d^3
ALIKE = 10.0  # times a product of what features and tasks bend by, up to which a diagonal is near it
WEAKEST = 1e-9  # of a coupling, beside the samples' products, from which on their span keeps half of the digits


def flat_system(design, scale, coupling):
    """The system of the samples with their own weights, G_t times scale_t (T,), as something that solves it."""
    if design.shares is None:
        if in_span(design, coupling):
            return Span(design, scale, coupling)
        alike = np.all(scale == 1)
        return task_system(design.matrices if alike else design.matrices * scale[:, None, None], coupling)
    scale = design.shares * scale
    if isinstance(coupling, Nested) and np.all(scale == scale[0]):
        return Components(design.common, scale[0], coupling)
    if coupling.n_tasks <= FEW:
        return Sylvester(design.common, scale, coupling.matrix())
    return Iterated(CommonGram(design.common, scale), coupling)


def task_system(G, coupling):
    """The system of a Gram matrix per task, (T, d, d)."""
    # Where the penalty leaves most directions free, the tasks' own matrices may be singular, and only all of them
    # together determine the solution.
    if _base(coupling) == 0 and G.shape[0] * G.shape[1] <= LARGEST:
        return Whole(G, coupling)
    if isinstance(coupling, Nested):
        return Refined(G, coupling, Levels(Factored(G, 2 * coupling.values[0]), coupling, np.ones(1)))
    if isinstance(coupling, Graph):
        return Refined(G, coupling, Forest(G, coupling))
    return Refined(G, coupling, LowRank(G, coupling))


def _base(coupling):
    """The eigenvalue that most directions have, if any."""
    if isinstance(coupling, Nested):
        return coupling.values[0]
    return coupling.ridge if isinstance(coupling, Graph) else repeated(coupling.spectrum[0])[0]


class Shifted:
    """(G + shifts_k)^-1 for the common Gram matrix of the tasks, a Semidefinite; of least norm where it is singular."""

    def __init__(self, matrix, shifts):
        self.matrix, self.shifts, self.factors = matrix, shifts, None
        if _unlike(matrix.G):
            self.factors = Factors(np.broadcast_to(matrix.G, (len(shifts), *matrix.G.shape)), shifts, PIVOT)

    def solve(self, V):
        """For each shift k the solution for the columns of V[k], (d, m)."""
        if self.factors is not None:
            return self.factors.solve(V)
        columns = V.transpose(1, 0, 2)
        shifts = np.repeat(self.shifts, V.shape[2])
        found = self.matrix.solve(columns.reshape(len(columns), -1), 1.0, shifts)
        return found.reshape(columns.shape).transpose(1, 0, 2)


def _unlike(G):
    """Whether the eigenvalues of features in small units are lost in the rounding of the large ones."""
    diagonal = np.diag(G)[np.diag(G) > 0]
    return bool(len(diagonal) and diagonal.max() > 1e8 * diagonal.min())


class Components:
    """s G w_t + 2 (W M)_t = r_t for averages over nested groups: every component of W on its own."""

    def __init__(self, matrix, scale, coupling):
        self.matrix, self.coupling, self.scale = matrix, coupling, scale
        self.shifts = 2 * coupling.values / scale

    @cached_property
    def shifted(self):
        return Shifted(self.matrix, self.shifts)

    def __call__(self, R):
        """The solution for R (d, T), of least norm where there are many."""
        parts = [np.broadcast_to(part, R.shape) for part in self.coupling.components(R / self.scale)]
        return self.shifted.solve(np.stack(parts)).sum(axis=0)

    def path(self, R, factors):
        """(A, d, T) the solutions for multiples of M; see ``flat_path``."""
        Q, solve = self.matrix.basis(self.shifts.min() * factors.min())
        d, T = R.shape
        parts = [np.broadcast_to(part, R.shape) for part in self.coupling.components(Q.T @ R / self.scale)]
        found = np.zeros((d, len(factors), T))
        for part, shift in zip(parts, self.shifts, strict=True):
            columns = np.broadcast_to(part[:, None], found.shape).reshape(d, -1)
            found += solve(columns, 1.0, np.repeat(shift * factors, T)).reshape(found.shape)
        return (Q @ found.reshape(d, -1)).reshape(found.shape).transpose(1, 0, 2)


class Sylvester:
    """scale_t G w_t + 2 (W M)_t = r_t with the common Gram matrix of the tasks, a Semidefinite, scale_t > 0."""

    def __init__(self, matrix, scale, M):
        self.matrix, self.root = matrix, np.sqrt(scale)
        values, self.Q = clean_spectrum(M / np.outer(self.root, self.root))
        self.shifts = 2 * values

    @cached_property
    def shifted(self):
        return Shifted(self.matrix, self.shifts)

    def __call__(self, R):
        """The solution for R (d, T), of least norm where there are many."""
        V = R / self.root @ self.Q
        return self.shifted.solve(V.T[:, :, None])[:, :, 0].T @ self.Q.T / self.root

    def path(self, R, factors):
        """(A, d, T) the solutions for multiples of M; see ``flat_path``."""
        P, solve = self.matrix.basis(self.shifts.min() * factors.min())
        V = P.T @ R / self.root @ self.Q
        columns = np.broadcast_to(V[:, None], (len(V), len(factors), V.shape[1])).reshape(len(V), -1)
        found = P @ solve(columns, 1.0, np.outer(factors, self.shifts).ravel())
        return (found.reshape(-1, R.shape[1]) @ self.Q.T / self.root).reshape(len(R), -1, R.shape[1]).transpose(1, 0, 2)


def flat_path(design, coupling, factors, R):
    """(A, d, T) the solutions of ``flat_system`` for right sides R (d, T) and multiples of the coupling, all at once.

    None where the tasks have Gram matrices of their own, or features of units that are too different.
    """
    if design.shares is None or coupling.n_tasks > FEW or _unlike(design.common.G):
        return None
    scale = design.shares
    if isinstance(coupling, Nested) and np.all(scale == scale[0]):
        return Components(design.common, scale[0], coupling).path(R, factors)
    return Sylvester(design.common, scale, coupling.matrix()).path(R, factors)


class Refined:
    """G_t w_t + 2 (W M)_t = r_t with a Gram matrix per task, (T, d, d): conjugate gradients on what ``inner`` solves,
    exactly but for rounding or nearly."""

    def __init__(self, G, coupling, inner):
        self.G, self.coupling, self.precondition = G, coupling, inner

    def apply(self, W):
        return each(self.G, W) + 2 * self.coupling.apply(W)

    def __call__(self, R):
        return conjugate_gradients(self.apply, self.precondition, R, rtol=1e-14, max_iter=1000)[0]


class Iterated(Refined):
    """The same with the Gram matrices as an operator, preconditioned by the diagonal of the coupling."""

    def __init__(self, gram, coupling):
        base = coupling.values[0] if isinstance(coupling, Nested) and coupling.values[0] > 0 else coupling.diagonal
        shift = np.full(coupling.n_tasks, 2.0) * base
        self.gram, self.coupling = gram, coupling
        self.precondition = lambda R: gram.solve(R, shift)

    def apply(self, W):
        return self.gram.apply(W) + 2 * self.coupling.apply(W)


def in_span(design, coupling):
    """Whether a system in the span of the samples takes less than one task by task, and loses no digits."""
    tasks = design.tasks
    if design.shares is not None or not design.few_samples:
        return False
    n, d, T = len(tasks.y), tasks.n_features, tasks.n_tasks
    if n**2 * d + n**3 / 3 > WORTH * T * d**3:
        return False
    return coupling.lowest > WEAKEST * design.flat.top.max()


class Span(Refined):
    """G_t w_t + 2 (W M)_t = r_t for few samples, the rows of A_t: with S = R M^-1 / 2 and the kernel of all of them,
    K = A_s A_t' (M^-1)_st / 2, the solution is S - (A' (1 + K)^-1 A S) M^-1 / 2.

    Parameters
    ----------
    design : Design
    scale : ndarray of shape (T,)
    coupling : TaskOperator
    many : bool
        Whether ``times`` will be asked for many multiples of the coupling, which share a spectrum then.
    """

    def __init__(self, design, scale, coupling, many=False):
        self.gram, self.coupling, self.many = design.flat.scaled(scale), coupling, many
        values, vectors = coupling.spectrum if isinstance(coupling, Dense) else np.linalg.eigh(coupling.matrix())
        self.inverse = (vectors / (2 * values)) @ vectors.T
        self.A = self.gram.A * np.sqrt(scale)[:, None, None]
        size, d = self.A.shape[1:]
        self.kept = (np.arange(size) < np.diff(design.tasks.ptr)[:, None]).ravel()
        rows, task = self.A.reshape(-1, d)[self.kept], np.repeat(np.arange(len(scale)), size)[self.kept]
        self.kernel = Semidefinite((rows @ rows.T) * self.inverse[np.ix_(task, task)])
        self.factor, self._solve = 1.0, None

    def times(self, factor):
        """The system of ``factor`` times the coupling."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__, factor=factor, _solve=None)
        return other

    def _inside(self, V):
        """(factor + K)^-1 V for all samples."""
        if self.many:
            values, vectors = self.kernel.spectrum
            return vectors @ ((vectors.T @ V) / (self.factor + values))
        if self._solve is None:
            self._solve = cho_factor(self.kernel.G + self.factor * np.eye(len(self.kernel.G)), overwrite_a=True)
        return cho_solve(self._solve, V)

    def precondition(self, R):
        """The solution but for rounding."""
        S = R @ self.inverse
        of_samples = np.zeros(self.kept.shape)
        of_samples[self.kept] = self._inside(np.matmul(self.A, S.T[:, :, None]).ravel()[self.kept])
        pull = np.matmul(of_samples.reshape(len(self.A), 1, -1), self.A)[:, 0].T
        return (S - pull @ self.inverse) / self.factor

    def apply(self, W):
        return self.gram.apply(W) + 2 * self.factor * self.coupling.apply(W)


class LowRank:
    """G_t w_t + 2 (W M)_t = r_t for M as an array: exact for a low rank plus a multiple of the identity."""

    def __init__(self, G, coupling):
        d = G.shape[1]
        values, vectors = coupling.spectrum
        base, low_rank = repeated(values)
        others = np.abs(values - base) > 1e-12 * max(values[-1], 0.0)
        self.exact = others.sum() * d <= 3000 and low_rank
        shift = np.full(len(G), 2 * base) if self.exact else 2 * coupling.diagonal
        self.factors = Factors(G, shift, PIVOT)
        if self.exact:
            self.V, weights = vectors[:, others], values[others] - base
            k = self.V.shape[1]
            # The core 1/(2 weights) + V' K^-1 V, K = G + 2 base, written without the cancellation that loses G in
            # directions in which M is much smaller than its base.
            if base > 0:
                blocks = -self.factors.solve(G) / (2 * base)
            else:
                blocks = self.factors.solve(np.broadcast_to(np.eye(d), G.shape))
            core = np.einsum("ta,tb,tij->aibj", self.V, self.V, blocks, optimize=True)
            core = core.reshape(k * d, k * d)
            diagonal = values[others] / (2 * base * weights) if base > 0 else 1 / (2 * weights)
            core[np.diag_indices(k * d)] += np.repeat(diagonal, d)
            self.core = inverse(core, pseudo=len(core) <= PSEUDO)

    def __call__(self, R):
        S = self.factors.solve(R)
        if not self.exact or not self.V.shape[1]:
            return S
        d, k = len(R), self.V.shape[1]
        shared = (self.core @ (S @ self.V).T.ravel()).reshape(k, d).T @ self.V.T
        return S - self.factors.solve(shared)


class Whole:
    """G_t w_t + 2 (W M)_t = r_t as one small system, for the solution of least norm where there are many.

    Features at which M is the stronger are turned into its eigenvectors, what it leaves free among them: added to M
    task by task, a Gram matrix that is smaller by the digits there are would be lost.
    """

    def __init__(self, G, coupling):
        T, d = G.shape[:2]
        M = coupling.matrix()
        values, self.vectors = clean_spectrum(M)
        self.turned = np.einsum("tjj->jt", G).max(axis=1) < 2 * values[-1]
        every, turned, others = np.arange(T), np.flatnonzero(self.turned), np.flatnonzero(~self.turned)
        H = np.zeros((T, d, T, d))
        H[every, :, every] = G
        if len(turned):
            H[:, turned] = np.tensordot(self.vectors.T, H[:, turned], 1)
            H[..., turned] = np.tensordot(H[..., turned], self.vectors, (2, 0)).swapaxes(2, 3)
        H[:, turned, :, turned] += 2 * np.diag(values)
        H[:, others, :, others] += 2 * M
        self.inverse = inverse(H.reshape(T * d, T * d), pseudo=True)

    def __call__(self, R):
        turned = self.turned
        R = np.array(R)
        R[turned] = R[turned] @ self.vectors
        W = (self.inverse @ R.T.ravel()).reshape(R.shape[::-1]).T
        W[turned] = W[turned] @ self.vectors.T
        return W


class Diagonal:
    """Preconditioner alone, for matrices too large to form: the diagonal of G_t + 2 M_tt."""

    def __init__(self, diagonal):
        self.diagonal = diagonal

    def precondition(self, R):
        return np.divide(R, self.diagonal, out=np.zeros_like(R), where=self.diagonal > 0)


class Separable:
    """Preconditioner alone: a_j b_t w_jt + 2 (W M)_jt, for curvatures a of features and b of tasks whose products are
    near the diagonals of G_t.

    Parameters
    ----------
    diagonal : ndarray of shape (d, T)
        From which b is taken.
    coupling : TaskOperator
    """

    def __init__(self, diagonal, coupling):
        b = np.maximum(diagonal.sum(axis=0), np.finfo(float).tiny)
        self.b = np.maximum(b / b.mean(), 1e-9)
        self.values, self.Q = clean_spectrum(coupling.matrix() / np.sqrt(np.outer(self.b, self.b)))
        self.Q = self.Q / np.sqrt(self.b)[:, None]

    def about(self, diagonal):
        """(d,) a for the diagonals (d, T)."""
        return diagonal.sum(axis=1) / self.b.sum()

    def fits(self, diagonal):
        """Whether no product is far from the diagonals."""
        product = np.outer(self.about(diagonal), self.b)
        return bool(np.all(diagonal <= ALIKE * product) and np.all(product <= ALIKE * diagonal))

    def at(self, diagonal):
        """The same with other curvatures of the features."""
        other = copy(self)
        total = self.about(diagonal)[:, None] + 2 * self.values
        other.inverse = np.divide(1.0, total, out=np.zeros_like(total), where=total > 0)
        return other

    def precondition(self, R):
        return (R @ self.Q * self.inverse) @ self.Q.T


def repeated(values):
    """(the most repeated eigenvalue, whether it is repeated at all)."""
    if len(values) == 1:
        return values[0], True
    close = np.abs(values[:, None] - values) <= 1e-12 * max(abs(values[-1]), np.finfo(float).tiny)
    i = int(np.argmax(close.sum(axis=0)))
    return max(values[i], 0.0), bool(close[:, i].sum() >= 2 or len(values) <= 2)
