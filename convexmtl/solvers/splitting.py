"""Alternating directions: exact solutions of the quadratic model on one side, proxes on the other.

The quadratic side is factored once, so that an iteration costs what one of proximal gradient does; but
tasks and features of unequal scale, which proximal gradient pays for with its one step size, cost nothing.
Losses other than the squared one get prox-Newton outside, at first with the mean curvature of every task,
for which nothing needs to be factored again.
"""

import numpy as np

from ..certificate import duality_gap
from ..result import Result, Status
from ._anderson import anderson_weights, combine
from ._line_search import line_search

CHECK_EVERY = 10
SLOW = 0.3  # a step that leaves more than this share of the gap calls for a model with the curvature of its point
INNER = 300  # iterations for one quadratic model of a loss that is not quadratic
RELAXATION = 1.6
GROUP = 5  # iterations between two extrapolations
YOUNG = 30  # iterations before the first, within which easy problems end
# Ratio of the two residuals from which on their weight changes, where that takes another factorisation and where not.
COSTLY, CHEAP = 100.0, 3.0


def applies(problem):
    """Whether the quadratic model can be factored: no coupling off the diagonal, and matrices that fit."""
    M = problem.penalty.M
    diagonal = not np.any(M - np.diag(np.diag(M)))
    return diagonal and problem.data.design.fits(flat=problem.loss.quadratic)


def solve(problem, start=None, tol=1e-4, max_iter=10_000, callback=None):
    """See ``convexmtl.solvers.solve``. One iteration is one prox of every part."""
    squared, threshold = problem.loss.quadratic, problem.threshold(tol)
    parts = problem.zeros() if start is None else start.parts
    certificate = duality_gap(problem, parts, start=None if start is None else start.intercept)
    directions, model, flat, n_iter, since_better, history = None, None, True, 0, 0, []
    best = certificate, parts

    while True:
        history.append((n_iter, certificate.primal, certificate.gap))
        if callback is not None:
            callback(*history[-1])
        if certificate.gap <= threshold:
            status = Status.CONVERGED
            break
        if n_iter >= max_iter:
            status = Status.OUT_OF_ITERATIONS
            break
        if since_better > (1000 if squared else 10):
            status = Status.STALLED
            break
        left = max_iter - n_iter
        if squared:
            if directions is None:
                directions = _Directions(problem, parts, certificate, problem.data.gram(certificate.z, flat))
            n_iter += directions.run(min(CHECK_EVERY, left), 0.0)
            parts = tuple(directions.Z)
            certificate = duality_gap(problem, parts, start=certificate.intercept)
        else:
            slow = model is not None and certificate.gap > SLOW * history[-2][2]
            if model is None or slow:
                flat = flat and not slow
                model = problem.data.gram(certificate.z, flat)
            directions = _Directions(problem, parts, certificate, model, directions)
            n_iter += directions.run(min(INNER, left), 0.1)
            parts, certificate = line_search(problem, parts, tuple(directions.Z), certificate)
        # A gap that does not move any more has reached rounding.
        since_better = 0 if certificate.gap < 0.999 * best[0].gap else since_better + 1
        if not certificate.gap >= best[0].gap:
            best = certificate, parts

    certificate, parts = best
    return Result(parts, certificate.intercept, certificate.primal, certificate.gap, n_iter, status, history)


class _Directions:
    """The iteration on one quadratic model: Z the parts, W their sum on the quadratic side, U the scaled dual.

    The model's Hessian is that of the loss, a Gram, plus the diagonal coupling.
    """

    def __init__(self, problem, parts, certificate, gram, previous=None):
        self.terms, self.gram, self.ridge = problem.penalty.terms, gram, 2 * np.diag(problem.penalty.M)
        self.top = float((gram.top + self.ridge).max())
        self.Z = np.stack(parts)
        self.W = sum(parts)
        # The minimiser W of the model solves (gram + ridge) W = target.
        self.target = gram.apply(self.W) + self.W * self.ridge + certificate.Z
        if previous is None:
            self.rho = max(1e-2 * self.top, 1e-300)
            self.U = np.zeros_like(self.W)
        else:
            self.rho, self.U = previous.rho, previous.U
        self.age = 0
        self._forget()

    def run(self, n, shrink):
        """At most n iterations, fewer when both residuals have shrunk by a factor; returns their number."""
        first = None
        for i in range(1, n + 1):
            before, checked = self.W, i % CHECK_EVERY == 0 or i == n
            total = self._step()
            # (What a check or the caller sees comes from a step, not from an extrapolation.)
            self.age += 1
            if (self.age > YOUNG and not self._go_ahead(jump=not checked)) or not checked:
                continue
            K = len(self.terms)
            primal = np.linalg.norm(total - self.W) / max(np.linalg.norm(total), np.linalg.norm(self.W), 1e-300)
            dual = np.linalg.norm(self.W - before) / max(np.linalg.norm(self.U) * K, 1e-300)
            self._balance(primal, dual)
            first = max(primal, dual) if first is None else first
            if i > CHECK_EVERY and max(primal, dual) <= shrink * min(first, 0.1):
                return i
        return n

    def _step(self):
        """One iteration; returns the sum of the parts."""
        K = len(self.terms)
        # Sharing: every part answers for the same K-th of what is missing.
        move = (self.W - self.Z.sum(axis=0)) / K - self.U
        self.Z = np.stack([f.prox(Z + move, 1 / self.rho) for f, Z in zip(self.terms, self.Z, strict=True)])
        total = self.Z.sum(axis=0)
        relaxed = RELAXATION * total + (1 - RELAXATION) * self.W
        right = self.target + self.rho / K * (relaxed + K * self.U)
        self.W = self.gram.solve(right, self.ridge + self.rho / K)
        self.U = self.U + (relaxed - self.W) / K
        return total

    def _forget(self):
        self.iterates, self.retreat = [], None

    @property
    def _state(self):
        return np.concatenate([self.Z.ravel(), self.W.ravel(), len(self.terms) * self.U.ravel()])

    def _set_state(self, state):
        Z, W, U = np.split(state, [self.Z.size, self.Z.size + self.W.size])
        self.Z, self.W = Z.reshape(self.Z.shape), W.reshape(self.W.shape)
        self.U = U.reshape(self.U.shape) / len(self.terms)

    def _go_ahead(self, jump):
        """Keep the iterate; after every group of them extrapolate, if ``jump``. Returns False where it has gone back
        to before the last extrapolation, since the step from there was longer than the one that led to it."""
        self.iterates.append(self._state)
        if len(self.iterates) == 1:
            return True
        length = np.linalg.norm(self.iterates[-1] - self.iterates[-2])
        if self.retreat is not None:
            state, before = self.retreat
            if not length <= before:
                self._set_state(state)
                self._forget()
                return False
            self.retreat = None
        self.iterates = self.iterates[-GROUP - 1 :]
        if jump and len(self.iterates) > GROUP:
            weights = anderson_weights(self.iterates)
            if weights is not None:
                last = self.iterates[-1]
                self._set_state(combine(weights, self.iterates[1:]))
                self.iterates, self.retreat = [self._state], (last, length)
        return True

    def _balance(self, primal, dual):
        """Change rho until both residuals fall alike."""
        ratio = primal / dual if dual > 0 else 1.0
        tolerated = COSTLY if self.gram.refactors else CHEAP
        if ratio > tolerated or ratio < 1 / tolerated:
            # Below the rounding of the model, rho would divide nothing but that.
            factor = max(float(np.clip(np.sqrt(ratio), 0.2, 5)), 1e-12 * self.top / self.rho)
            self.rho *= factor
            self.U = self.U / factor
            self._forget()
