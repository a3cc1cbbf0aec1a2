"""Newton's steps from the exact Hessian of a smooth loss and a quadratic coupling, for several copies of some tasks.

A system is of all that moves each other: of a column of W with its intercept, of all columns of a task where the loss
is a function of them, or of all columns where the coupling is one.
"""

from functools import cached_property

import numpy as np

from ..inverses import Factors


class Hessian:
    """Of copies of the tasks of a problem, each with a factor before the coupling.

    Parameters
    ----------
    problem : Problem
        With a smooth loss.
    """

    def __init__(self, problem):
        self.coupling, tasks = problem.penalty.coupling, problem.tasks
        self.d, self.T = problem.shape
        self.size = self.d + problem.data.fit_intercept
        self.centres = tasks.means(tasks.weight) if problem.data.fit_intercept else None
        owner = np.arange(self.T) if tasks.owner is None else tasks.owner
        together = self.coupling.is_diagonal and not problem.loss.by_column
        of_system = owner if together else np.arange(self.T) * self.coupling.is_diagonal
        first, counts = np.unique(of_system, return_index=True, return_counts=True)[1:]
        self.owner = owner
        self.systems = [first[counts == k][:, None] + np.arange(k) for k in np.unique(counts)]

    @property
    def unknowns(self):
        """Of the largest system."""
        return max(columns.shape[1] for columns in self.systems) * self.size

    @property
    def entries(self):
        """Of all systems of one copy."""
        return sum(columns.size * columns.shape[1] for columns in self.systems) * self.size**2

    @cached_property
    def blocks(self):
        """[(columns (m, k) of systems of one size, (m, k, k) whether two of them are of one task)], for few tasks."""
        of_task = [self.owner[columns] for columns in self.systems]
        return [(c, of[:, :, None] == of[:, None]) for c, of in zip(self.systems, of_task, strict=True)]

    def step(self, copies, factors, z, v, slopes):
        """(moves of W (A, T, d), of b (A, T), slopes (A,) along them).

        The intercepts are those at the means of the features, so that their shares in the systems cancel no digits.

        Parameters
        ----------
        copies : DataTerm
            Of A times the tasks.
        factors : ndarray of shape (A,)
        z, v : (A N,) arrays
            Predictions, and the derivatives of the loss there.
        slopes : ndarray of shape (A, T, d)
            Of the objective in W.
        """
        tasks, A, d = copies.tasks, len(factors), self.d
        right = np.zeros((A, self.T, self.size))
        right[..., :d] = slopes
        if self.centres is not None:
            right[..., d] = tasks.sum(tasks.weight * v).reshape(A, self.T)
            right[..., :d] -= right[..., d:] * self.centres.T
        bends = [self._bends(tasks, tasks.weight * h) for h in copies.loss.mixed(tasks.y, z)]
        step = np.empty_like(right)
        for columns, together in self.blocks:
            H = self._systems(columns, together, bends, factors)
            found = Factors(H, np.zeros(len(H))).solve(right[:, columns].reshape(len(H), -1).T)
            step[:, columns] = -found.T.reshape(A, *columns.shape, self.size)
        slope = np.einsum("atj,atj->a", right, step)
        if self.centres is None:
            return step, np.zeros((A, self.T)), slope
        return step[..., :d], step[..., d] - np.einsum("atd,dt->at", step[..., :d], self.centres), slope

    def _bends(self, tasks, h):
        """(A, T, size, size): the curvature in w and b of every column, for weights h (A N,) >= 0 of the samples."""
        d, centres = self.d, None
        G = np.empty((tasks.n_tasks, self.size, self.size))
        if self.centres is not None:
            centres = np.tile(self.centres, tasks.n_tasks // self.T)
            G[:, d, d] = tasks.sum(h)
            G[:, :d, d] = G[:, d, :d] = tasks.adjoint(h).T - G[:, d, d][:, None] * centres.T
        G[:, :d, :d] = tasks.gram(h, centres)
        return G.reshape(-1, self.T, self.size, self.size)

    def _systems(self, columns, together, bends, factors):
        """(A m, k size, k size) for columns (m, k); ``together`` (m, k, k) says whether two of them are of one task."""
        A, (m, k), n, d = len(factors), columns.shape, self.size, self.d
        H = np.zeros((A, m, k, n, k, n))
        for r, bend in enumerate(bends[:k]):
            for i in range(k - r):
                block = bend[:, columns[:, i]] * together[:, i, i + r, None, None]
                H[:, :, i, :, i + r] += -block if r else block
                if r:
                    H[:, :, i + r, :, i] -= block
        every, f = np.arange(d), 2 * factors
        if self.coupling.is_diagonal:
            for i in range(k):
                H[:, :, i, every, i, every] += f[:, None, None] * self.coupling.values[0]
        else:
            H[:, 0, :, every, :, every] += f[:, None, None] * self.coupling.matrix()
        if n > d and len(bends) > 1:
            # What the intercepts of a task have in common changes nothing: it gets as much curvature as they have.
            own = bends[0][:, columns, d, d]
            several = together & (together.sum(axis=-1) > 1)[:, :, None]
            common = np.einsum("mij,amj->ami", several, own) / k
            both = several & (own > 0)[..., None] & (own > 0)[..., None, :]
            H[:, :, :, d, :, d] += common[..., None] * both
        return H.reshape(A * m, k * n, k * n)
