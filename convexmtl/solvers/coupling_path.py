"""A whole path of strengths of a quadratic coupling alone, for the squared loss: every fit is a direct solution.

What does not depend on the strength is computed once: the spectra of the Gram matrices, and all that certificates
need. Fits of which the certificate is not good enough are left to ``newton``.
"""

from functools import cache, partial

import numpy as np
from scipy.sparse import issparse

from ..coupling import AllBut, Nested
from ..result import Result, Status
from . import newton
from ._elimination import Diagonalised, Levels
from .direct import Span, flat_path, flat_system, in_span

FREE = 3  # directions of tasks without a penalty
SHORT = 3  # fits that are not worth spectra of all tasks
ENTRIES = 4e6  # of the matrices of all tasks and strengths that are held at a time
EVEN = 1e8  # ratio of the diagonals of Gram matrices, up to which a spectrum keeps the digits of all features


def applies(problems):
    """Whether the path can be made here, and should be."""
    first = problems[0]
    return (
        len(problems) >= SHORT
        and not first.penalty.terms
        and first.loss.quadratic
        and (first.penalty.coupling.lowest > 0 or _few_free(first))
        and not (first.tasks.is_sparse and first.shape[0] > newton.LARGEST)
        and first.data.design.fits(flat=True)
    )


def _few_free(problem):
    """Whether a few directions of tasks on one X are all that the coupling leaves free."""
    free, design = problem.penalty.free, problem.data.design
    few = not isinstance(free, AllBut) and free.shape[1] <= FREE
    return few and design.shares is not None and not design.few_samples


def solve(problems, factors, tol, max_iter):
    """Yield the Result of each of the problems, which differ in the factor before their penalty."""
    first = problems[0]
    data, (d, T) = first.data, first.shape
    threshold, (at_zero, intercepts) = data.threshold(tol), data.trivial
    coupling = first.penalty.coupling.scaled(1 / factors[0])
    means = np.zeros((d, T)) if data.design.means is None else data.design.means
    # (One for all strengths: its spectrum takes longer than all else.)
    span = cache(partial(Span, data.design, np.ones(T), coupling, many=True))
    size = max(1, int(ENTRIES / (T * d * (1 if in_span(data.design, coupling.scaled(min(factors))) else d))))
    for begin in range(0, len(problems), size):
        some = np.asarray(factors[begin : begin + size], dtype=float)
        Ws = _solutions(data, coupling, some, span)
        if data.fit_intercept:
            Ws[:, data.tasks.constant_features] = 0.0  # not nearly
        primals, gaps = _certified(data, coupling, some, Ws, at_zero)
        for a, problem in enumerate(problems[begin : begin + size]):
            W = np.ascontiguousarray(Ws[a])
            b = intercepts - np.sum(means * W, axis=0)
            status = Status.of(gaps[a], threshold)
            result = Result((W,), b, float(primals[a]), float(gaps[a]), 1, status)
            yield result if status is not None else newton.solve(problem, result, tol, max_iter)


def _solutions(data, coupling, factors, span):
    """(A, d, T)"""
    design, ones = data.design, np.ones(coupling.n_tasks)
    if in_span(design, coupling.scaled(factors.min())):
        return np.stack([span().times(factor)(data.moments) for factor in factors])
    if isinstance(coupling, Nested) and design.shares is None:
        diagonal = design.flat.diagonal
        if diagonal.max() <= EVEN * diagonal[diagonal > 0].min(initial=np.inf):
            leaves = Diagonalised(design.spectra, 2 * coupling.values[0] * factors)
            return Levels(leaves, coupling, factors).solve(data.moments).transpose(1, 2, 0)
    found = flat_path(design, coupling, factors, data.moments)
    if found is not None:
        return found
    return np.stack([flat_system(design, ones, coupling.scaled(factor))(data.moments) for factor in factors])


def _certified(data, coupling, factors, Ws, at_zero):
    """(objectives (A,), duality gaps (A,)) of Ws (A, d, T), as ``duality_gap`` has them, from the Gram matrices."""
    (A, d, T), R, design = Ws.shape, data.moments, data.design
    if design.shares is None or design.few_samples:
        GW = np.stack([design.flat.apply(W) for W in Ws])
    else:
        # One product for all.
        GW = (design.common.G @ Ws.transpose(1, 0, 2).reshape(d, -1)).reshape(d, A, T).swapaxes(0, 1) * design.shares
    WM = coupling.apply(Ws.reshape(A * d, T)).reshape(A, d, T) * factors[:, None, None]
    each = lambda a, b: np.einsum("adt,adt->a", a, b)  # noqa: E731
    primals = at_zero + each(Ws, GW / 2 - R + WM)
    Z, gaps, free = R - GW - 2 * WM, np.zeros(A), coupling.free
    if free.shape[1]:
        Z, gaps = _within(design, Z, free.toarray() if issparse(free) else free, data.gain)
    return primals, gaps + np.array([coupling.conjugate(z) / factor for z, factor in zip(Z, factors, strict=True)])


def _within(design, Z, free, gain):
    """(Z (A, d, T) without what it has along directions of tasks that are ``free`` (T, k), by how much dual variables
    that have nothing there are worse than those of Z); infinite where the samples allow none."""
    (A, d, _), k = Z.shape, free.shape[1]
    along, within = Z @ free, free.T @ (design.shares[:, None] * free)
    pull = along @ np.linalg.pinv(within, hermitian=True)
    C = design.common.inverted(pull.swapaxes(0, 1).reshape(d, -1)).reshape(d, A, k).swapaxes(0, 1)
    left = along - design.common.G @ C @ within
    size = np.sqrt(np.diag(design.common.G) * design.shares.max() * 2 * gain)
    worse = 0.5 * np.einsum("adk,adk->a", C, along)
    feasible = np.all(np.abs(left) <= 1e-7 * size[:, None], axis=(1, 2))
    return Z - along @ free.T, np.where(feasible, worse, np.inf)
