"""Several questions in one request, of a search: each about what a fold is trained on, or what it tests."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..distributed._folds import errors, unlikely
from ..distributed._told import features_of
from ._evaluation import arrays_of_plan, arrays_told, by_prefix, columns_of, prefixed, read_told
from ._messages import packed, taken, unpacked
from ._statistics import fold_arrays, read_fold

# What there is beside "convexmtl-point", and the arrays that go with it.
NAMES = {"convexmtl-errors": ("Ws", "intercepts"), "convexmtl-unlikely": ("W", "b"), "convexmtl-widest": ()}


def request_of(asked, plan, classes):
    """(arrays, words) of [(fold or None, what, arguments)] to parties, for a Plan."""
    arrays, words = arrays_of_plan(plan, classes), []
    for i, (fold, what, arguments) in enumerate(asked):
        words.append(dict(what=what, fold=fold))
        if what == "convexmtl-point":
            (question,) = arguments
            own = question.arrays
            words[-1] |= {} if question.scale is None else dict(scale=float(question.scale))
        else:
            own = dict(zip(NAMES[what], arguments, strict=False))
        arrays |= prefixed(i, own)
    return arrays, dict(asked=words)


def tell(rows, party, reply, words, arrays):
    """Bytes: what is asked of a party's Rows, for its tasks among those of the request."""
    T, left = columns_of(rows.labels, arrays)
    asked, each, sent = words.get("asked"), by_prefix(arrays), dict(tasks=rows.labels)
    if not isinstance(asked, list) or not all(isinstance(one, dict) for one in asked):
        raise ValueError("the request does not say what it asks.")
    for i, one in enumerate(asked):
        what, own = one.get("what"), each.get(str(i), {})
        part = rows.part_of(one.get("fold"), what == "convexmtl-errors")._replace(left=left)
        sent |= prefixed(i, _told(part, T, what, one, own))
    return packed("evaluations", sent, party=party, reply=reply)


def _told(part, T, what, words, arrays):
    d, left = part.term.tasks.n_features, part.left
    if what == "convexmtl-point":
        return arrays_told(part, T, words, arrays)
    if what == "convexmtl-errors":
        Ws = taken(arrays, "Ws", (None, d, T))
        return dict(sums=errors(part, Ws, taken(arrays, "intercepts", (len(Ws), T)))[:, left])
    if what == "convexmtl-unlikely":
        return dict(sums=unlikely(part, taken(arrays, "W", (d, T)), taken(arrays, "b", (T,)))[left])
    if what == "convexmtl-widest":
        features = features_of(part, part.term.tasks.weight)
        return fold_arrays("0", replace(features, tasks=np.arange(len(left))))
    raise ValueError(f"the request asks for {what!r}, which this version does not know.")


class Evaluations(NamedTuple):
    """What a party tells of several questions: Told, an array of all columns, or SufficientStatistics."""

    party: str
    reply: str
    each: list


def read(message, words, arrays):
    """The Evaluations of a message that answers a request with these words and arrays."""
    _, said, told = unpacked(message, "evaluations")
    party = said.get("party")
    try:
        labels = told.get("tasks")
        if labels is None or labels.ndim != 1 or len(set(labels.tolist())) < len(labels):
            raise ValueError("the message has no different labels of tasks.")
        T, left = columns_of(labels, arrays)
        asked, own = by_prefix(arrays), by_prefix(told)
        each = [
            _read(one["what"], own.get(str(i), {}), asked.get(str(i), {}), T, left)
            for i, one in enumerate(words["asked"])
        ]
    except ValueError as error:
        raise ValueError(f"party {party!r}: {error}") from error
    return Evaluations(party, said.get("reply"), each)


def _read(what, told, asked, T, left):
    if what == "convexmtl-point":
        return read_told(told, asked, left)
    if what == "convexmtl-widest":
        features = read_fold(told, "0", "stacked", None, None)
        if not np.array_equal(features.tasks, np.arange(len(left))):
            raise ValueError("the message has not the features of all columns.")
        return replace(features, tasks=left)
    shape = (len(asked["Ws"]), len(left)) if what == "convexmtl-errors" else (len(left),)
    out = np.zeros((*shape[:-1], T))
    out[..., left] = taken(told, "sums", shape, infinite=True)
    return out


def weighted(answer, what, weight):
    """The sum of all answers, of every column of W (T,) times its weight; nobody tells the largest of anything."""
    if what == "convexmtl-point":
        return answer.of_all(weight)
    if what == "convexmtl-widest":
        by = weight[answer.tasks]
        return replace(answer, weight=answer.weight * by, gram=answer.gram * by[:, None, None]), None
    # (Of what does not count they may be infinite.)
    return np.where(weight > 0, answer, 0.0) * weight
