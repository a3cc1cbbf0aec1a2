"""A whole path of strengths by row descent, compiled as one loop, for the squared loss.

Where every fit takes a few sweeps, what is done beside them is what a path takes its time for. So all fits are made
first, each judged by its violations, and certified afterwards, in one go. Those whose certificate is not good enough
are made once more and more exactly, and then by ``row_descent``.

From the first fit on that takes longer by sweeps than by Newton's method in the lengths of the rows, all are made by
that, where the penalty is the sum of these lengths and there are fewer samples than features.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from .._rows import row_norms
from ..certificate import duality_gap, path_gaps
from ..result import Result, Status
from ..tasks import LARGE
from . import row_descent
from ._kernels import descend_blocks, descend_gram, row_steps
from ._length_path import STRIDE, LengthPath
from ._models import BLOCK, flat_grams, pointers
from ._path_kernels import (
    descend_path,
    gather_blocks,
    gather_grams,
    gather_products,
    tell_blocks,
    tell_grams,
    tell_products,
)

MOST_FEATURES = 3000  # of which there is one Gram matrix, where there are more samples
SHORT = 5  # fits that are not worth Gram matrices of all features, unless these are few:
SMALL = 256
MOST_SWEEPS = 50  # of one fit, after which extrapolation helps
MOST_HELP = 5  # fits that take longer, after which the path is left to row descent
ENTRIES = 5e5  # of all W, and of all predictions, that are held at a time
USUAL = 0.6  # share of the target that violations are to leave: a second attempt takes as long as many fits
EXACT = 0.1  # that for a second attempt
MOST_SAMPLES = 1000  # of which the square matrices are factored in every step in lengths


def applies(problems):
    """Whether the path can be made here, and should be."""
    penalty, tasks, (d, T) = problems[0].penalty, problems[0].tasks, problems[0].shape
    if not (penalty.row_wise and problems[0].loss.quadratic) or tasks.is_sparse:
        return False
    if penalty.terms[0].blocks is not None:
        return False
    if len(problems) < SHORT and d > SMALL and _strengths(problems[0]) is None:
        return False
    if tasks.common_weight is not None:
        return d <= MOST_FEATURES if d <= tasks.n_rows else tasks.X.nbytes <= LARGE
    return d <= max(len(tasks.y) / T, 128) and T * d * d <= 1e7


def _strengths(problem):
    """(d,) those of the 2-norms of the rows, where the path can go on in these; else None."""
    shares, d, n = problem.data.design.shares, problem.shape[0], problem.tasks.n_rows
    if shares is None or not n < d or n > MOST_SAMPLES or np.ptp(shares) > 0 or not problem.penalty.coupling.is_zero:
        return None
    return problem.penalty.terms[0].lengths(d)


class Fits(NamedTuple):
    """Some of a path, one after the other.

    Attributes
    ----------
    Ws : ndarray of shape (A, d, T)
    intercepts : ndarray of shape (A, T)
    objectives, gaps, n_iters : ndarray of shape (A,)
    others : dict of int -> Result
        Those that the loop has not done by itself.
    """

    Ws: np.ndarray
    intercepts: np.ndarray
    objectives: np.ndarray
    gaps: np.ndarray
    n_iters: np.ndarray
    others: dict

    @classmethod
    def of(cls, result):
        """Of one Result."""
        figures = ([value] for value in (result.intercept, result.objective, result.dual_gap, result.n_iter))
        return cls(result.W[None], *map(np.array, figures), {0: result})

    def put(self, a, result):
        """Take this Result for the fit at position a."""
        self.Ws[a], self.intercepts[a], self.objectives[a] = result.W, result.intercept, result.objective
        self.gaps[a], self.n_iters[a], self.others[a] = result.dual_gap, result.n_iter, result


def solve(problems, factors, tol, max_iter):
    """Yield the Result of each of the problems, which differ in the factor before their penalty."""
    threshold = problems[0].threshold(tol)
    for fits in fits_of(problems, factors, tol, max_iter):
        columns = zip(fits.Ws, fits.intercepts, fits.objectives, fits.gaps, fits.n_iters, strict=True)
        for a, (W, intercept, objective, gap, n_iter) in enumerate(columns):
            figures = float(objective), float(gap), int(n_iter), Status.of(gap, threshold)
            yield fits.others.get(a) or Result((W,), intercept, *figures)


def fits_of(problems, factors, tol, max_iter, most=ENTRIES):
    """Yield the Fits of these, of ``most`` entries of W or of targets, unless one alone has more."""
    path = _Path(problems, factors, problems[0].threshold(tol), max_iter)
    begin, helped = 0, 0
    size = max(1, int(most / max(path.W.size, len(problems[0].tasks.y))))
    while begin < len(problems):
        out = np.empty((min(size, len(problems) - begin), *path.W.shape))
        end = path.follow(begin, out) if helped < MOST_HELP else begin
        if begin < end:
            objectives, gaps, intercepts = path_gaps(problems, factors, out[: end - begin], begin)
            fits = Fits(out[: end - begin], intercepts, objectives, gaps, path.sweeps[begin:end].copy(), {})
            for a in np.flatnonzero(~((gaps <= path.threshold) & (gaps < np.inf))):
                again = path.again(begin + a, out[a])
                fits.put(a, _finished(problems[begin + a], *again, path.threshold, tol, max_iter))
            yield fits
        if end < begin + len(out):
            W, n_iter = path.W.copy(), int(path.sweeps[end])
            certificate = duality_gap(problems[end], (W,))
            result = _finished(problems[end], W, certificate, n_iter, path.threshold, tol, max_iter)
            yield Fits.of(result)
            path.take(end, result.W, result.certificate)
            end, helped = end + 1, helped + 1
        begin = end


def _finished(problem, W, certificate, n_iter, threshold, tol, max_iter):
    """The Result for W, by row descent if need be."""
    status = Status.of(certificate.gap, threshold)
    result = Result(
        (W,), certificate.intercept, certificate.primal, certificate.gap, n_iter, status, certificate=certificate
    )
    if status is not None:
        return result
    start = result if np.isfinite(certificate.gap) else None
    result = row_descent.solve(problem, start, tol, max(1, max_iter - n_iter))
    return replace(result, n_iter=n_iter + result.n_iter)


def _room(source, m, T, n):
    """What ``descend_path`` works in."""
    wide = n > 0
    few = min(m, n)
    # (What it does not touch takes no memory. A larger share of the rows is not taken out of a Gram matrix.)
    most = 0 if wide else len(source) * int(0.7 * m + 1) ** 2
    return (
        np.empty((2, m), dtype=bool), np.empty(m, dtype=np.int64), np.empty((4, T)), np.empty(m), np.empty((4, m, T)),
        np.empty(m * T), np.empty(most), np.empty(m * n), np.empty((1, few, few)),
        np.empty((1, m if wide else 0, BLOCK)),
    )  # fmt: skip


class _Path:
    """What ``descend_path`` works on."""

    def __init__(self, problems, factors, threshold, max_iter):
        self.problems, self.threshold, self.max_iter = problems, threshold, max_iter
        self.by_lengths, self.work = None, np.inf
        first = problems[0]
        tasks, (d, T) = first.tasks, first.shape
        design = first.data.design
        self.wide = design.shares is not None and d > tasks.n_rows
        few = many = descend_gram, gather_grams, tell_grams
        if self.wide:
            source, scale = design.columns.take(np.arange(d))[None], design.shares
            diagonal = np.einsum("bji,bji->jb", source, source)
            few, many = (descend_gram, gather_products, tell_products), (descend_blocks, gather_blocks, tell_blocks)
        else:
            source, scale = flat_grams(first.data, np.arange(d))
            diagonal = np.einsum("tjj->jt", source)
        coupling = first.penalty.coupling.scaled(1 / factors[0])
        (term,) = first.penalty.terms
        curvature = np.ascontiguousarray(diagonal * scale)
        n = tasks.n_rows if self.wide else 0
        self.states = np.zeros((2, d * T + T * d + T * n))
        W, gradient, u = np.split(self.states[0], [d * T, 2 * d * T])
        self.W, self.gradient, self.residuals = W.reshape(d, T), gradient.reshape(T, d), u.reshape(T, n)
        self.sweeps = np.zeros(len(problems), dtype=np.int64)
        self._begin(np.zeros((d, T)), first.data.moments, first.data.slopes)
        self.arguments = (
            source, scale, self.states, self.W, self.gradient, self.residuals, curvature, 2 * coupling.row_sums,
            float(term.even_ratio), float(term.step_ratio),
            coupling.packed, tuple(map(np.copy, coupling.packed)), 2 * coupling.diagonal, term.row_prox.pointer,
            problems.packs, term.pack()[1], term.dual_radius(T) / factors[0],
            np.asarray(factors, dtype=float),
            *(form.pointer for form in (row_steps, *few, *many)), *pointers(source, T, self.wide),
            *_room(source, d, T, n),
        )  # fmt: skip
        self.factors, strengths = np.asarray(factors, dtype=float) / factors[0], _strengths(first)
        if strengths is not None:
            self.by_lengths = LengthPath(source[0], scale[0], -self.residuals.T / scale[0], strengths, threshold)
            self.work = self.by_lengths.pays
            if row_norms(self.gradient.T / strengths[:, None]).max() > STRIDE:
                # Far from W = 0, sweeps would take long.
                self.by_lengths.take(self.W, 1.0)

    def follow(self, begin, out):
        """Fill ``out`` with the fits from ``begin`` on; returns the first that is left for others."""
        end, lengths = begin, self.by_lengths
        in_lengths = lengths is not None and lengths.point is not None
        if not in_lengths:
            end = self.descend(begin, out)
            if lengths is not None and end < begin + len(out):
                lengths.take(self.W, self.factors[end])
                in_lengths = lengths.point is not None
        if in_lengths:
            while end < begin + len(out):
                n_iter, reached = lengths.to(self.factors[end], self.max_iter - self.sweeps[end])
                self.sweeps[end] += n_iter
                lengths.put(out[end - begin])
                if not reached:
                    self.W[:] = out[end - begin]
                    break
                end += 1
        return end

    def descend(self, begin, out, target=USUAL):
        """The same by sweeps."""
        most = min(MOST_SWEEPS, self.max_iter)
        return descend_path(*self.arguments, target * self.threshold, BLOCK, most, self.work, begin, out, self.sweeps)

    def take(self, a, W, certificate):
        """Go on from W, which has this certificate for problem a."""
        self._continue(a, W, certificate)
        if self.by_lengths is not None and self.by_lengths.point is not None:
            self.by_lengths.take(W, self.factors[a])

    def _continue(self, a, W, certificate):
        """The same for sweeps."""
        coupling = self.problems[a].penalty.coupling
        Z = certificate.Z if coupling.is_zero else certificate.Z + 2 * coupling.apply(W)
        self._begin(W, Z, certificate.z - certificate.tasks.y)

    def _begin(self, W, Z, v):
        """Sweep from W, at which the loss has the derivatives v (N,) and minus the gradient Z."""
        self.W[:] = W
        np.negative(Z.T, out=self.gradient)
        if self.wide:
            tasks = self.problems.data.tasks
            root = np.sqrt(tasks.common_weight[0])
            u = (tasks.weight * v).reshape(W.shape[1], -1)
            self.residuals[:] = np.divide(u, root, out=np.zeros_like(u), where=root > 0)

    def again(self, a, W):
        """(W, certificate, n_iter) of problem a, more exactly."""
        certificate = duality_gap(self.problems[a], (W,))
        kept = self.states.copy()
        n_iter, out = int(self.sweeps[a]), np.empty((1, *W.shape))
        self._continue(a, W, certificate)
        self.states[1] = self.states[0]
        if self.descend(a, out, EXACT) > a:
            W, certificate = out[0], duality_gap(self.problems[a], (out[0],))
        self.states[:] = kept
        return W, certificate, n_iter + int(self.sweeps[a])
