"""Row descent: cyclic descent over the rows of W, on a growing working set.

For losses other than the squared one, prox-Newton outside: every outer step minimises a weighted
quadratic model and searches along the line to its minimiser. The intercepts are eliminated inside the
quadratic model, so that features far from zero cost nothing. The certificate alone decides when to stop.
"""

import numpy as np

from .._rows import used_rows
from ..certificate import duality_gap
from ..result import Result, Status
from ._anderson import anderson_weights, combine
from ._line_search import line_search
from ._models import quadratic_model
from ._patience import MORE, hopeless

FIRST_WORKING_SET = 64
# Multiplications of a pass over all features, and of their Gram matrices, that are not worth a working set, for at most
# 512 features; the latter only where the strength is less than a share of the largest, and many will be in use.
SMALL, SMALL_GRAM, WEAK = 1e7, 5e7, 0.1
GROUP = 4  # sweeps between two extrapolations
SOON = 5.0  # times the target: a likely gap from which on it is worth while to look at the gap
FAR = 10.0  # times that, after every group of sweeps
MAX_SWEEPS = 2000  # in one outer step
BORNE = 6  # as ``_patience.MORE``, of alternating directions
WARM_MARGIN = 0.95  # as strengths next to each other on a path of 100
# A step that leaves more than this share of the gap calls for a model with the curvature of its point; a little more
# is borne where all tasks have one X, since that model takes a Gram matrix per task for the first time.
SLOW, SLOW_SHARED = 0.3, 0.45
INEXACT = 0.1  # share of the present gap to which an outer step solves its model


def solve(problem, start=None, tol=1e-4, max_iter=10_000, callback=None, patience=np.inf):
    """See ``convexmtl.solvers.solve``. One iteration is one sweep over the working set."""
    term, coupling = problem.penalty.terms[0], problem.penalty.coupling
    d, T = problem.shape
    W = np.zeros((d, T)) if start is None else np.array(start.parts[0], dtype=float, order="C")
    quadratic_loss = problem.loss.quadratic
    threshold = problem.threshold(tol)
    n_iter, history, model, leaps, solved = 0, [], None, False, False
    if start is None:
        certificate = duality_gap(problem, (W,))
    else:
        certificate = duality_gap(problem, (W,), start=start.intercept, known=start.certificate)
    floor, stalls, flat = 1e-6, 0, True
    tasks = problem.tasks
    bearable = SLOW_SHARED if tasks.common_weight is not None else SLOW
    small = start is None and d <= 512 and d * len(tasks.y) <= SMALL
    if small and d * d * (len(tasks.y) if tasks.common_weight is None else tasks.n_rows) > SMALL_GRAM:
        small = bool(np.any(term.scaled(1 / WEAK).excess(certificate.Z) > 0))

    while True:
        history.append((n_iter, certificate.primal, certificate.gap))
        if callback is not None:
            callback(*history[-1])
        status = Status.of(certificate.gap, threshold)
        if status is not None:
            break
        if n_iter >= max_iter or hopeless(history, threshold, np.inf if solved else patience, BORNE if leaps else MORE):
            status = Status.OUT_OF_ITERATIONS
            break
        if stalls >= 3:
            status = Status.STALLED
            break
        if small:
            features, settled = _every(term, d), True
        else:
            features, settled = _working_set(term, W, certificate.Z, None if model is None else model.features)
        same = model is not None and np.array_equal(features, model.features)
        slow = same and not quadratic_loss and certificate.gap > bearable * history[-2][2]
        if same and not slow:
            model.W = np.ascontiguousarray(W[features])
            model.restart(certificate)
        else:
            flat, failed = flat and not slow, 0 if model is None else model.failed
            model = quadratic_model(problem, term, coupling, features, W, certificate, flat)
            model.failed = failed
        target = INEXACT * certificate.gap
        if quadratic_loss and settled:
            # The model is all there is to solve: to the end, but for what features still to enter may add.
            target = 0.7 * threshold
        most = int(min(MAX_SWEEPS, max_iter - n_iter, patience))
        swept = _descend(model, target, floor, most)
        # Extrapolation becomes quicker; and where the model has been solved, it is features that have been missing.
        leaps = quadratic_loss and np.isfinite(model.leap_cost)
        n_iter, solved = n_iter + swept, leaps and swept < most and len(features) < d
        previous, new = certificate, W.copy()
        new[model.features] = model.W
        if quadratic_loss:
            W, certificate = new, duality_gap(problem, (new,), start=certificate.intercept)
        else:
            (W,), certificate = line_search(problem, (W,), (new,), certificate)
        # Rounding: neither the objective nor the gap moves any more.
        if certificate.gap >= 0.999 * previous.gap and certificate.primal >= previous.primal * (1 - 1e-15):
            stalls += 1
            floor *= 0.1
        else:
            stalls = 0

    return Result(
        (W,), certificate.intercept, certificate.primal, certificate.gap, n_iter, status, history, certificate
    )


def _working_set(term, W, Z, current):
    """(features, settled): the rows in use, the current ones first, and the zero rows that most want to enter.

    It is settled when next to none enter.
    """
    d = len(W)
    if d <= 2 * FIRST_WORKING_SET:
        return _every(term, d), True
    inside = used_rows(W)
    if term.blocks is not None:
        inside[term.blocks.whole(inside)] = True
    n_used = int(inside.sum())
    if current is None:
        current = np.flatnonzero(inside)
        # At a warm start along a path, features are about to enter that do not violate anything yet.
        term = term.scaled(WARM_MARGIN) if n_used else term
    inside[current] = True
    violation = term.excess(Z)
    violation[inside] = 0.0
    entering = np.flatnonzero(violation > 0)
    settled = len(entering) <= 0.01 * len(current)
    # Where nearly all of the current features are in use, many more will be.
    growth = 3 if n_used > 0.7 * len(current) else 1
    room = max(FIRST_WORKING_SET, growth * n_used)
    if len(entering) > room:
        entering = entering[np.argpartition(-violation[entering], room - 1)[:room]]
    features = np.concatenate([current, np.sort(entering)])
    return (features if term.blocks is None else term.blocks.whole(features)), settled


def _every(term, d):
    """All features, block after block where there are blocks."""
    return np.arange(d) if term.blocks is None else term.blocks.order


def _descend(model, target, floor, max_sweeps):
    """Sweep until the model's duality gap is at most ``target``, or the largest violation has shrunk by ``floor``.

    Most sweeps are over the rows in use only, where there are many others. Returns the number of sweeps.
    """
    total = model.sweep(1, 0.0)
    floor *= model.worst
    if max_sweeps > 1:
        total += model.sweep(1, floor)
    while total < max_sweeps and model.worst > floor and not _done(model, target, FAR * SOON * target):
        rows = np.flatnonzero(used_rows(model.W))
        if model.term.blocks is not None:
            rows = model.term.blocks.whole(rows)
        part = 0 < len(rows) < 0.8 * len(model.W)
        some, wanted = (model.restricted(rows), 0.5 * target) if part else (model, target)
        swept, slow = _sweeps(some, wanted, floor, max_sweeps - total, model.leap_cost)
        total += swept
        if part:
            model.absorb(some, rows)
        if slow:
            total += model.leap(target, max_sweeps - total)
        elif not part:
            break
        total += model.sweep(1, floor)
    return total


def _done(model, target, soon):
    """Whether the gap is at most ``target``; it is not looked at where more than ``soon`` is likely."""
    return model.likely_gap <= soon and not model.gap() > target


def _sweeps(model, target, floor, max_sweeps, bearable):
    """Sweep until the gap or the largest violation is small enough, or more sweeps are left than are ``bearable``, by
    what the last ones have achieved; extrapolate after every group of them. Returns (their number, whether it would
    take too many)."""
    total, soon, likely = 0, SOON * target, []
    while total < max_sweeps:
        iterates = [model.state()]
        for k in range(1, GROUP + 1):
            total += model.sweep(1, floor)
            iterates.append(model.state())
            # (A gap may cost as much as some sweeps. The likely one says when it pays, better after every look.)
            within = FAR * soon if k == GROUP else soon if model.gap_is_cheap else -np.inf
            now = model.likely_gap
            if now <= within:
                gap = model.gap()
                if not gap > target:
                    return total, False
                soon = min(soon, now * target / gap)
        if not model.worst > floor:
            break
        _extrapolate(model, iterates)
        likely.append(now)
        if bearable < min(_sweeps_left(likely, soon), max_sweeps - total):
            return total, True
    return total, False


def _sweeps_left(likely, soon):
    """How many more it takes until a gap below ``soon`` is likely, by what two groups have achieved; 0 if not known."""
    if len(likely) <= 2 or not likely[-1] > soon:
        return 0.0
    rate = np.log(likely[-3] / likely[-1]) / (2 * GROUP)
    return np.log(likely[-1] / soon) / rate if rate > 0 else np.inf


def _extrapolate(model, iterates):
    """Jump ahead: Anderson's combination of the last iterates, or else far along their common direction."""
    before, last = model.objective(), model.state()
    # What is not better by more than rounding is not better.
    rounding = 1e-14 * abs(before)
    weights = anderson_weights([state[0] for state in iterates])
    if weights is not None:
        model.set_state([combine(weights, states) for states in zip(*iterates[1:], strict=True)])
        if model.objective() < before - rounding:
            return
        model.set_state(last)
    # Along a valley in which two features of a task are collinear, sweeps move at constant speed, which no
    # combination of them can stop: double the step for as long as the objective falls.
    moves = [new - old for new, old in zip(last, iterates[-2], strict=True)]
    factor, best = 1.0, last
    while factor < 1e12:
        model.set_state([state + factor * move for state, move in zip(last, moves, strict=True)])
        value = model.objective()
        if not value < before - rounding:
            break
        before, best, factor = value, model.state(), 2 * factor
    model.set_state(best)
