"""Losses that are not squared, in rounds: Newton's method of ``distributed._newton``, whose questions parties answer.

A party does not know what the rows of others weigh: it tells sums with its own weights, and what these count is made
of them here.
"""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .._json import written
from ..distributed._rounds import Script
from ..distributed._survey import planned
from . import _noisy_rounds
from ._evaluation import request_of


def script(estimator, max_rounds, report):
    """Yield what is asked, (words, arrays), and take the answers; return the fitted estimator.

    ``report(objective=, gap=)`` is called where these are known.
    """
    loss = estimator._checked_loss()
    spoken = dict(loss=written(loss, "loss"))
    described = yield dict(ask="description", **spoken), {}
    if any("private" in one.words for one in described):
        return (yield from _noisy_rounds.script(estimator, loss, described, spoken))
    words, survey, names = described[0].words, None, None
    for one in described:
        refuse_others(described[0], one)
        try:
            survey = one.survey if survey is None else survey + one.survey
        except ValueError as error:
            raise ValueError(f"{one.party} does not go together with {described[0].party}: {error}") from error
        names = one.arrays.get("names") if names is None else names
    d = words["features"]
    estimator.n_features_in_ = d
    if names is not None:
        estimator.feature_names_in_ = names.astype(object)
    known = planned(estimator, survey, loss, words["layout"], stacklevel=6)
    weight = known.counted * known.plan.factor[known.plan.owner]
    # (Parties may be far away: what is certified with the dual variables of the last point is good enough.)
    steps = Script(estimator, known, d, survey.counts, report=report, max_rounds=max_rounds - 1, closing=False)
    for ask in steps:
        (question,) = ask.arguments
        arrays, more = request_of(question, known.plan, known.data.classes)
        told = yield dict(ask="evaluation", **spoken, **more), arrays
        total = told[0].told
        for one in told[1:]:
            total = total + one.told
        steps.answer = total.of_all(weight)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        steps.finish(stacklevel=5)
    result, at_zero = steps.found
    if not result.converged:
        warnings.warn(
            "Objective did not converge. You might want to increase max_rounds, scale features, or increase tol. "
            f"{type(estimator).__name__}: {result.status.value} Duality gap {result.dual_gap:.3g}, wanted "
            f"{at_zero.threshold(estimator.tol):.3g} (tol={estimator.tol:g}).",
            ConvergenceWarning,
            stacklevel=5,
        )
    return estimator


def refuse_others(first, other):
    """Raise a ValueError where two descriptions do not go together."""
    (name, _, words, arrays), (party, _, own, theirs) = first, other
    pairs = {"layout": "is laid out as", "features": "has features:"}
    for key, said in pairs.items():
        if words.get(key) != own.get(key):
            raise ValueError(f"{party} {said} {own.get(key)!r}, and {name} {words.get(key)!r}: let all be the same.")
    mine, yours = arrays.get("names"), theirs.get("names")
    if mine is not None and yours is not None and not np.array_equal(mine, yours):
        j = int(np.argmax(mine != yours))
        raise ValueError(f"{party} has feature {yours[j]!r} at position {j}, and {name} {mine[j]!r}.")
    if first.has_classes != other.has_classes:
        raise ValueError(f"{party} and {name} do not both have classes.")
