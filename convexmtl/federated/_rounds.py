"""Losses that are not squared, in rounds: Newton's method of ``distributed._newton``, whose questions parties answer.

A party does not know what the rows of others weigh: it tells sums with its own weights, and what these count is made
of them here.
"""

import warnings
from functools import reduce
from itertools import count
from operator import add

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .._json import written
from ..distributed._rounds import Script
from ..distributed._search import Elsewhere
from ..distributed._survey import planned
from ..estimators._cv import CrossValidated
from . import _noisy_rounds, _several
from ._evaluation import request_of

AT_ONCE = 1e8  # bytes of what every party tells in a round of a search


def script(estimator, max_rounds, report, n_folds=1):
    """Yield what is asked, (words, arrays), and take the answers; return the fitted estimator.

    ``report(objective=, gap=)`` is called where these are known.
    """
    loss, searches = estimator._checked_loss(), isinstance(estimator, CrossValidated)
    spoken = dict(loss=written(loss, "loss"))
    if n_folds > 1:
        spoken["folds"] = n_folds
    described = yield dict(ask="description", **spoken), {}
    private = [one.party for one in described if "private" in one.words]
    if private and searches:
        raise ValueError(
            f"{private[0]} adds noise to what it tells, and a search in rounds asks far more often than the noise is "
            "made for: fit for some strengths, or search under the squared loss, which takes one round."
        )
    if private:
        return (yield from _noisy_rounds.script(estimator, loss, described, spoken))
    words, survey, surveys, names = described[0].words, None, None, None
    for one in described:
        refuse_others(described[0], one)
        try:
            survey = one.survey if survey is None else survey + one.survey
            folds = one.surveys(n_folds)
            surveys = folds if surveys is None else surveys + folds
        except ValueError as error:
            raise ValueError(f"{one.party} does not go together with {described[0].party}: {error}") from error
        names = one.arrays.get("names") if names is None else names
    d = words["features"]
    estimator.n_features_in_ = d
    if names is not None:
        estimator.feature_names_in_ = names.astype(object)
    known = planned(estimator, survey, loss, words["layout"], stacklevel=6)
    if searches:
        n_folds = 0 if n_folds == 1 else n_folds
        there = Elsewhere(
            estimator,
            loss,
            known,
            survey,
            d,
            surveys,
            n_folds,
            words["layout"],
            apart=True,
            at_once=AT_ONCE,
            closing=False,
        )
        there.report = report
        yield from searched(there, max_rounds, spoken)
        return estimator
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


def searched(there, max_rounds, spoken):
    """Yield what a search asks, and take the answers."""
    script, known, answers = there.script(stacklevel=7), there.known, None
    for rounds in count(1):
        try:
            asked = script.send(answers)
        except StopIteration:
            return
        if rounds >= max_rounds:
            raise RuntimeError(
                f"the search is not done after max_rounds={max_rounds}: let it, and the parties, have more, or search "
                "fewer strengths."
            )
        arrays, more = _several.request_of(asked, known.plan, known.data.classes)
        told = yield dict(ask="evaluations", **spoken, **more), arrays
        answers = []
        for (fold, what, _), each in zip(asked, zip(*(one.each for one in told), strict=True), strict=True):
            # (Tasks that do not count are tested all the same, by all of what they weigh.)
            of = known if what == "convexmtl-errors" else there.of(fold)
            counted = 1.0 if what == "convexmtl-errors" else of.counted
            total = reduce(add, each)
            answers.append(_several.weighted(total, what, counted * of.plan.factor[of.plan.owner]))


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
