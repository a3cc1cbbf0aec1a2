"""Quadratic models of the objective on some features, in the forms that row descent works on."""

from functools import cached_property

import numpy as np

from .._rows import sum_of_lengths, used_rows
from ..gram import LARGEST
from ._alternating import alternate, square, thin
from ._kernels import (
    add_shared,
    add_task_rows,
    block_grams,
    descend_blocks,
    descend_columns,
    descend_gram,
    descend_group_columns,
    descend_groups,
    gradients,
    no_gradients,
    pass_shared,
    pass_tasks,
    row_steps,
    task_rows,
)

BLOCK = 64
MORE = 1.5  # times as many features as samples of a task, up to which sweeps go through Gram matrices
FEW = 6  # tasks for which sums over the rows before are taken task by task
NO_X = np.empty((0, 0, 0))
NEAR = 0.95  # share of the strength that a row reaches which is about to be in use
LEAP = 20.0  # sweeps that are left, beside those that factoring costs, from which on alternating directions are tried
BESIDE = 1e5  # products in a sweep, below which an iteration takes what is done beside its own
QUICK = 8.0  # times as long as a product with a factor a sweep takes that goes through the tasks one by one
PADDED = 4.0  # times the samples there are
RANK = 1e-12  # curvature of a block along an axis, of its largest, that is rounding


def quadratic_model(problem, term, coupling, features, W, certificate, flat=True):
    """The model on ``features`` in the form that is cheapest to descend on.

    ``flat`` lets a task's samples share their mean curvature (with the squared loss they do): then the Gram
    matrices need not be computed anew at every point.
    """
    tasks = problem.tasks
    m, T = len(features), tasks.n_tasks
    parts = (problem.data, term, coupling, features, W, certificate, flat)
    grouped = term.blocks is not None
    if tasks.common_weight is not None and flat:
        # A sweep costs m^2 T on the Gram matrix and 2 n m T on the residual.
        most = max(2 * BLOCK, tasks.n_rows) if not (tasks.is_sparse or grouped) else 8000
        return (CommonGramModel if m <= most else ColumnsModel if grouped else BlocksModel)(*parts)
    rows = len(tasks.y) / T
    most = max(rows, 2 * BLOCK)
    if problem.loss.quadratic and not grouped:
        # (Where the curvature changes, Gram matrices serve for several points.)
        most = min(most, MORE * rows)
    if m <= most and T * m * m <= LARGEST:
        return TaskGramsModel(*parts)
    return ColumnsModel(*parts)


def pointers(G, n_tasks, wide=False):
    """What goes over rows, adds up their changes, and makes gradients of residuals, for G (1 or T, m, m)."""
    rows = pass_shared if len(G) == 1 and n_tasks > FEW else pass_tasks
    add = add_shared if len(G) == 1 else add_task_rows
    return rows.pointer, add.pointer, (gradients if wide else no_gradients).pointer


def flat_grams(data, features):
    """(G (1 or T, m, m), scale (T,)) of some features, the samples with their own weights."""
    design = data.design
    if design.shares is not None:
        return design.columns.gram(features)[None], design.shares
    if len(features) == data.shape[0]:
        return design.matrices, np.ones(data.shape[1])
    sub = data.tasks.select(features)
    means = None if design.means is None else design.means[features]
    return sub.gram(sub.weight, means), np.ones(data.shape[1])


class Model:
    """State shared by all forms: W on the features, and what the kernels need of the penalty."""

    def __init__(self, data, term, coupling, features, W, flat):
        self.data, self.features, self.coupling, self.flat = data, features, coupling, flat
        self.h = None
        self.term = term.restrict(features)
        self.W = np.ascontiguousarray(W[features])
        self._worst = np.full(1, np.inf)

    def _linearise(self, certificate):
        """Curvature ``h`` and derivative ``u`` of the loss at every sample, times its weight, (N,).

        The intercepts are at the minimiser of the model. A model that is not flat keeps the curvature of the point
        at which it was made.
        """
        tasks, loss = self.data.tasks, self.data.loss
        if self.flat or self.h is None:
            self.h, self.mean_curvature = self.data.curvature(certificate.z, self.flat)
        h = self.h
        u = tasks.weight * loss.derivative(tasks.y, certificate.z)
        if self.data.fit_intercept:
            total, mass = tasks.sum(u), tasks.sum(h)
            b = np.divide(-total, mass, out=np.zeros_like(mass), where=mass > 0)
            u = u + h * tasks.spread(b)
        return h, u

    def _prepare(self, curvature, grams=None):
        """Steps and the penalty's arguments of the kernels, for curvature (m, T) of the loss; ``grams`` are those of
        the blocks, (1 or T, m, size), and the tasks' factors of them, where there are blocks."""
        coupling = self.coupling
        self.turn, self.step = NO_X, np.empty(self.W.shape)
        if self.term.blocks is not None:
            self.turn, self.step = block_steps(self.term, *grams, 2 * coupling.row_sums)
            self.penalty = (
                self.step, coupling.packed, 2 * coupling.diagonal, self.term.row_prox.pointer, *self.term.pack()
            )  # fmt: skip
            return
        even, spread = float(self.term.even_ratio), float(self.term.step_ratio)
        row_steps(np.ascontiguousarray(curvature), 2 * coupling.row_sums, even, spread, self.step)
        self.penalty = (
            self.step,
            coupling.packed,
            2 * coupling.diagonal,
            self.term.row_prox.pointer,
            *self.term.pack(),
        )

    def _part(self, rows):
        """A model with some of the rows, still without what its form keeps."""
        small = object.__new__(type(self))
        small.data, small.coupling, small.flat = self.data, self.coupling, self.flat
        small.features = self.features[rows]
        small.term, small.W, small.step = self.term.restrict(rows), self.W[rows], self.step[rows]
        small.turn = np.ascontiguousarray(self.turn[:, rows]) if self.turn.size else NO_X
        small.penalty = (small.step, *self.penalty[1:4], *small.term.pack())
        small._worst = np.full(1, np.inf)
        return small

    @property
    def worst(self):
        """Largest norm of a row's change in the last sweep, in units of the gradient."""
        return self._worst[0]

    failed = 0  # leaps that have got nowhere

    @property
    def leap_cost(self):
        """About how many sweeps ``leap`` has to save; infinite where it is not possible.

        Forms owe ``length``, the products that a sweep takes for a row of one task; ``factor_cost``, the sweeps that
        it takes to factor; ``inverse(root)``, the map P -> (I + root H root)^-1 P of (m, T); and ``move(W)``.
        """
        if not self.coupling.is_diagonal or self.term.blocks is not None or not self._invertible:
            return np.inf
        small = max(1.0, BESIDE / (len(self.W) * self.W.shape[1] * self.length))
        return (LEAP + self.factor_cost) * small * 3.0**self.failed

    @property
    def _alike(self):
        """Whether the steps of all tasks, which have one X, are the same but for their curvature, and so is a ridge."""
        alike = [self.step * self.scale, *([] if self.coupling.is_zero else [self.coupling.diagonal / self.scale])]
        return all(np.all(np.ptp(one, axis=-1) <= 1e-9 * one.max(axis=-1)) for one in alike)

    def slope(self):
        """(m, T) the gradient of the loss and the coupling."""
        slope = np.ascontiguousarray(self.loss_gradient().T)
        return slope if self.coupling.is_zero else slope + 2 * self.coupling.apply(self.W)

    def steps(self):
        """(m, T) those of sweeps; what changes nothing gets that of others."""
        return np.where(self.step > 0, self.step, max(float(self.step.max()), 1e-300))

    def leap(self, target, most):
        """Alternating directions to a gap of about ``target``, on the rows in use and those that are about to be;
        returns the number of iterations."""
        rows = np.flatnonzero(used_rows(self.W) | (self.term.scaled(NEAR).excess(-self.slope()) > 0))
        small = self.restricted(rows) if len(rows) < 0.8 * len(self.W) else self
        try:
            n_iter, found = alternate(small, 0.5 * target, most)
        except np.linalg.LinAlgError:
            n_iter, found = 0, False
        self.failed += not found
        if small is not self:
            self.absorb(small, rows)
        return n_iter

    @property
    def likely_gap(self):
        """About what the gap comes to: the largest violation left by the last sweep times the lengths of the rows."""
        return self.worst * sum_of_lengths(self.W)

    def objective(self):
        """The model's value at W, penalty included (the other rows are zero, or do not change)."""
        coupling = 0.0 if self.coupling.is_zero else self.coupling.value(self.W)
        return self.loss_value() + float(self.term.value(self.W)) + coupling

    def gap(self):
        """Duality gap of the model, for the dual variables that its residual offers."""
        W, Z, coupling = self.W, -self.loss_gradient().T, 0.0
        if not self.coupling.is_zero:
            WM = self.coupling.apply(W)
            Z = Z - 2 * WM
            coupling = float(np.sum(W * WM))
        scale, conjugate = 1.0, 0.0
        if self.term.is_norm:
            scale = 1 / max(1.0, self.term.dual_norm(Z))
        else:
            conjugate = self.term.conjugate(Z)
        fit = (1 - scale) ** 2 * (self.loss_value() + coupling)
        return fit + float(self.term.value(W)) + conjugate - scale * float(np.sum(W * Z))


class GradientModel(Model):
    """Keeps the gradient of the loss, (T, m)."""

    gap_is_cheap = True  # beside a sweep

    def restart(self, certificate):
        """Take the model around the present W, of which this is the certificate."""
        h, u = self._linearise(certificate)
        if self.flat:
            self.scale = self.weight * self.mean_curvature
            self._prepare(np.einsum("tjj->jt", self.G) * self.scale, (self._blocks(), self.scale))
        self.loss0 = 0.5 * float(np.sum(np.divide(u**2, h, out=np.zeros_like(u), where=h > 0)))
        Z = certificate.Z[self.features]
        if not self.coupling.is_zero:
            Z = Z + 2 * self.coupling.apply(self.W)
        self.gradient = np.ascontiguousarray(-Z.T)
        self.W0, self.gradient0 = self.W.copy(), self.gradient.copy()

    def _blocks(self):
        """(1 or T, m, size): of every row, its products with those of its block."""
        blocks = self.term.blocks
        if blocks is None:
            return None
        out = np.zeros((*self.G.shape[:2], blocks.sizes.max()))
        for size, _, rows in blocks.by_size:
            out[:, rows, :size] = self.G[:, rows[:, :, None], rows[:, None]]
        return out

    def restricted(self, rows):
        """The model on some of its rows; ``absorb`` takes over what was done on it."""
        small = self._part(rows)
        small.scale, small.gradient = self.scale, np.ascontiguousarray(self.gradient[:, rows])
        small.G = np.ascontiguousarray(self.G[:, rows[:, None], rows])
        small.W0, small.gradient0, small.loss0 = small.W.copy(), small.gradient.copy(), self.loss_value()
        return small

    @property
    def _invertible(self):
        return len(self.G) > 1 or self._alike

    @property
    def length(self):
        return len(self.W)

    @property
    def factor_cost(self):
        return self.length / (len(self.scale) if len(self.G) == 1 else QUICK)

    def inverse(self, root):
        if len(self.G) == 1:
            r = root[:, 0] * np.sqrt(self.scale[0])
            return square((self.G[0] * np.outer(r, r)).astype(np.float32))
        r = root.T * np.sqrt(self.scale)[:, None]
        return square((self.G * r[:, :, None] * r[:, None, :]).astype(np.float32))

    def move(self, W):
        change, self.W = W - self.W, W
        if len(self.G) == 1:
            self.gradient += (self.scale[:, None] * change.T) @ self.G[0]
        else:
            self.gradient += self.scale[:, None] * np.matmul(change.T[:, None], self.G)[:, 0]

    def absorb(self, small, rows):
        change = small.W - self.W[rows]
        self.W[rows] = small.W
        if len(self.G) == 1:
            self.gradient += (self.scale[:, None] * change.T) @ self.G[0, rows]
        else:
            self.gradient += np.matmul(change.T[:, None], self.G[:, rows])[:, 0]

    def sweep(self, n_sweeps, tol):
        data = (self.turn, self.G, self.scale, self.gradient, self.W)
        descend = descend_gram if self.term.blocks is None else descend_groups
        arguments = (*data, *self.penalty, *pointers(self.G, len(self.scale)))
        return descend(*arguments, min(BLOCK, len(self.W)), n_sweeps, tol, self._worst)

    def state(self):
        return [self.W.copy(), self.gradient.copy()]

    def set_state(self, state):
        self.W, self.gradient = (np.ascontiguousarray(a) for a in state)

    def loss_gradient(self):
        return self.gradient

    def loss_value(self):
        return self.loss0 + 0.5 * float(np.sum((self.W - self.W0) * (self.gradient + self.gradient0).T))


class CommonGramModel(GradientModel):
    """One Gram matrix for all tasks."""

    def __init__(self, data, term, coupling, features, W, certificate, flat):
        super().__init__(data, term, coupling, features, W, flat)
        self.G, self.weight = flat_grams(data, features)
        self.restart(certificate)


class TaskGramsModel(GradientModel):
    """One Gram matrix per task."""

    def __init__(self, data, term, coupling, features, W, certificate, flat):
        super().__init__(data, term, coupling, features, W, flat)
        if flat:
            self.G, self.weight = flat_grams(data, features)
        else:
            sub, h = data.tasks.select(features), self._linearise(certificate)[0]
            self.G = sub.gram(h, sub.means(h) if data.fit_intercept else None)
            self.weight = self.scale = np.ones(len(self.G))
            self._prepare(np.einsum("tjj->jt", self.G), (self._blocks(), self.scale))
        self.restart(certificate)


class ResidualModel(Model):
    """Keeps the weighted residual ``u``."""

    gap_is_cheap = False

    def state(self):
        return [self.W.copy(), self.u.copy()]

    def set_state(self, state):
        self.W, self.u = (np.ascontiguousarray(a) for a in state)

    def absorb(self, small, rows):
        self.W[rows], self.u = small.W, small.u

    def loss_value(self):
        return 0.5 * float(np.vdot(self.u, self.u * self.inverse_curvature))


class ColumnsModel(ResidualModel):
    """The residual, updated column by column: own X per task, missing targets or weights, m > n_t."""

    def __init__(self, data, term, coupling, features, W, certificate, flat):
        super().__init__(data, term, coupling, features, W, flat=False)
        self.sub = sub = data.tasks.select(features)
        self.u = self._linearise(certificate)[1]
        self.means = sub.means(self.h) if data.fit_intercept else np.zeros(self.W.shape)
        self.columns = sub.dense().ravel(order="F")
        grams, blocks = None, self.term.blocks
        if blocks is not None:
            G = np.zeros((sub.n_tasks, len(features), blocks.sizes.max()))
            block_grams(self.columns, sub.n_rows, sub.row, sub.ptr, self.h, self.means, blocks.starts, G)
            grams = G, np.ones(sub.n_tasks)
        self._prepare(sub.curvature(self.h, self.means if data.fit_intercept else None), grams)

    @cached_property
    def inverse_curvature(self):
        return np.divide(1.0, self.h, out=np.zeros_like(self.h), where=self.h > 0)

    def restart(self, certificate):
        self.u = self._linearise(certificate)[1]

    def loss_gradient(self):
        gradient = self.sub.adjoint(self.u)
        return (gradient - self.means * self.sub.sum(self.u)).T

    def restricted(self, rows):
        small = self._part(rows)
        small.sub, small.h, small.means, small.u = self.sub.select(rows), self.h, self.means[rows], self.u
        small.columns, small.inverse_curvature = small.sub.dense().ravel(order="F"), self.inverse_curvature
        return small

    @property
    def _invertible(self):
        # (Smaller tasks are padded.)
        most, m = np.diff(self.sub.ptr).max(), len(self.W)
        return self.sub.n_tasks * most * max(most, m) <= min(LARGEST, PADDED * len(self.u) * m)

    @property
    def length(self):
        return len(self.u) / self.sub.n_tasks

    @property
    def factor_cost(self):
        return self.length / QUICK

    def inverse(self, root):
        sub, m = self.sub, len(self.W)
        A = np.zeros((sub.n_tasks, np.diff(sub.ptr).max(), m), dtype=np.float32)
        task_rows(self.columns, sub.n_rows, sub.row, sub.ptr, self.h, self.means, np.ascontiguousarray(root.T), A)
        return thin(A)

    def move(self, W):
        change, self.W = W - self.W, W
        z = self.sub.apply(change)
        self.u += self.h * (z - self.sub.spread(np.sum(self.means * change, axis=0)))

    def sweep(self, n_sweeps, tol):
        sub = self.sub
        data = (self.columns, sub.n_rows, sub.row, sub.ptr, self.u, self.h, self.W, self.means)
        if self.term.blocks is not None:
            return descend_group_columns(*data, self.turn, *self.penalty, n_sweeps, tol, self._worst)
        return descend_columns(*data, *self.penalty, n_sweeps, tol, self._worst)


class BlocksModel(ResidualModel):
    """The residual of all tasks, updated by blocks: one X for all tasks, more features than samples."""

    def __init__(self, data, term, coupling, features, W, certificate, flat):
        super().__init__(data, term, coupling, features, W, flat)
        columns = data.design.columns
        self.X, self.root = columns.take(features), np.sqrt(columns.weight)
        self.G = _block_grams(self.X)
        self.restart(certificate)

    def restricted(self, rows):
        small = self._part(rows)
        small.X, small.scale, small.u = self.X[rows], self.scale, self.u
        small.inverse_curvature, small.G = self.inverse_curvature, _block_grams(small.X)
        return small

    @property
    def _invertible(self):
        return self._alike

    @property
    def length(self):
        return self.X.shape[1]

    @property
    def factor_cost(self):
        return self.length / len(self.scale)

    def inverse(self, root):
        return thin((self.X * (root[:, :1] * np.sqrt(self.scale[0]))).astype(np.float32).T)

    def move(self, W):
        change, self.W = W - self.W, W
        self.u += self.scale[:, None] * (change.T @ self.X)

    def restart(self, certificate):
        u = self._linearise(certificate)[1].reshape(len(self.W.T), -1)
        self.u = np.divide(u, self.root, out=np.zeros_like(u), where=self.root > 0)
        self.scale = self.data.design.shares * self.mean_curvature
        self.inverse_curvature = 1 / self.scale[:, None]
        rows = np.arange(len(self.X))
        self._prepare(np.outer(self.G[0, rows, rows % BLOCK], self.scale))

    def loss_gradient(self):
        return self.u @ self.X.T

    def sweep(self, n_sweeps, tol):
        forms = pointers(self.G, len(self.scale), wide=True)
        arguments = (self.X[None], self.G, self.scale, self.u, self.W, *self.penalty, *forms)
        return descend_blocks(*arguments, BLOCK, n_sweeps, tol, self._worst)


def block_steps(term, grams, scale, bound):
    """(axes (1 or T, m, size) along which the rows of a block do not interact, a column each, or none; steps (m, T)).

    ``grams`` (1 or T, m, size) times ``scale`` (T,) are the curvatures of the blocks, ``bound`` (T,) those of the
    coupling. Where the penalty knows no axes of a block, it is taken along those of its curvature, and so exactly; else
    all of its rows have the step of the largest curvature.
    """
    turn, values = np.zeros(grams.shape), np.zeros(grams.shape[:2])
    for size, _, rows in term.blocks.by_size:
        # (G, n, size, size)
        block = grams[:, rows, :size]
        if size == 1:
            values[:, rows], turn[:, rows, 0] = block[..., 0], 1.0
        elif term.isotropic:
            found, axes = np.linalg.eigh(block)
            values[:, rows], turn[:, rows, :size] = found, axes
        else:
            values[:, rows] = np.linalg.eigvalsh(block)[..., -1:]
    curvature = np.maximum(values, 0.0).T * scale
    top = np.maximum.reduceat(curvature, term.blocks.starts[:-1], axis=0)[term.blocks.codes]
    # (What is rounding of a block's curvature is none.)
    total = np.where(curvature > RANK * top, curvature, 0.0) + bound
    step = np.divide(1.0, total, out=np.zeros(total.shape), where=total > 0)
    # Where nothing bends, the gradient is zero, and any step will do.
    longest = np.maximum.reduceat(step.max(axis=1), term.blocks.starts[:-1])[term.blocks.codes]
    step = np.where(step > 0, step, longest[:, None])
    return (turn if term.isotropic else NO_X), np.ascontiguousarray(step)


def _block_grams(X):
    """(1, m, BLOCK): the products of every row of X with the rows of its block."""
    G = np.zeros((1, len(X), BLOCK))
    for begin in range(0, len(X), BLOCK):
        block = X[begin : begin + BLOCK]
        G[0, begin : begin + BLOCK, : len(block)] = block @ block.T
    return G
