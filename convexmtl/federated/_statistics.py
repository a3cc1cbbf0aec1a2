"""Statistics of the folds of a party as a message, and back."""

from typing import Any, NamedTuple

import numpy as np

from .. import _moments
from ..statistics import BY_TASK, SufficientStatistics
from ._messages import packed, taken, unpacked
from ._sums import Sums

EXACT = (*BY_TASK, "gram")
LAYOUTS = ("single", "shared", "stacked")


class Told(NamedTuple):
    """What a party has told.

    Attributes
    ----------
    party : str
    reply : str or None
        The request that it answers.
    layout : str
    folds : list of SufficientStatistics or Sums
    units : dict or None
        Of a Privacy, where there is noise.
    names : ndarray or None
        Of the features.
    n_bytes : int
    """

    party: str
    reply: Any
    layout: str
    folds: list
    units: Any
    names: Any
    n_bytes: int


def write(party, reply, layout, folds, units=None, names=None):
    """Bytes of the statistics of folds, or of their sums with noise."""
    arrays = {} if names is None else {"names": np.asarray(names).astype(str)}
    words = dict(party=party, reply=reply, layout=layout, folds=len(folds), units=units)
    for k, fold in enumerate(folds):
        arrays |= fold_arrays(k, fold, units)
    return packed("statistics", arrays, **words)


def fold_arrays(k, fold, units=None):
    """{name: array} of fold k."""
    return {f"{k}.{name}": np.asarray(getattr(fold, name)) for name in ("tasks", *_fields(units))}


def _fields(units):
    return EXACT if units is None else Sums._fields[1:]


def read(message):
    """What a message of ``write`` tells: a Told, of which every array has been checked."""
    _, words, arrays = unpacked(message, "statistics")
    try:
        party, reply, layout, n_folds, units = (words[k] for k in ("party", "reply", "layout", "folds", "units"))
    except (KeyError, TypeError) as error:
        raise ValueError(f"the message has no word {error}: convexmtl has not written it.") from error
    if type(n_folds) is not int or n_folds < 1 or layout not in LAYOUTS or not isinstance(party, str):
        raise ValueError(f"the message of party {party!r} has {n_folds!r} folds of layout {layout!r}, which none has.")
    names = None
    if "names" in arrays:
        d = len(taken(arrays, "0.cross", (None, None)))
        names = taken(arrays, "names", (d,), "U").astype(object)
    try:
        folds = [read_fold(arrays, k, layout, units, names) for k in range(n_folds)]
    except ValueError as error:
        raise ValueError(f"party {party!r}: {error}") from error
    return Told(party, reply, layout, folds, units, names, len(message))


def read_fold(arrays, k, layout, units, names):
    """SufficientStatistics or Sums of fold k, checked."""
    tasks = arrays.get(f"{k}.tasks")
    if tasks is None or tasks.ndim != 1 or not len(tasks) or len(set(tasks.tolist())) < len(tasks):
        raise ValueError(f"the message has no different labels of tasks for fold {k}.")
    T = len(tasks)
    d, _ = taken(arrays, f"{k}.cross", (None, T)).shape
    K = len(taken(arrays, f"{k}.gram", (None, d, d)))
    if K not in (1, T):
        raise ValueError(f"the message has {K} Gram matrices for the {T} tasks of fold {k}: it must be 1, or as many.")
    shapes = dict(weight=(K,), n_samples=(K,), count=(K,), mean_X=(d, K), rest_X=(d, K), sum_X=(d, K))
    shapes |= dict(gram=(K, d, d), cross=(d, T), deviation=())
    found = {name: taken(arrays, f"{k}.{name}", shapes.get(name, (T,))) for name in _fields(units)}
    if units is not None:
        return Sums(tasks, float(found.pop("deviation")), **found)
    if np.any(found["weight"] < 0) or np.any(found["square"] < 0) or np.any(found["n_samples"] < 0):
        raise ValueError("the message has weights, numbers of samples or squares below zero.")
    gram = found["gram"]
    if np.any(np.abs(gram - gram.transpose(0, 2, 1)) > 1e-9 * np.abs(gram).max(initial=0.0)):
        raise ValueError("the message has a Gram matrix that is not symmetric.")
    tolerance = _moments.TOLERANCE[False] * max(d, 1)
    _moments.refuse_contradictions(gram, found["cross"], found["square"], tolerance, tasks.tolist())
    return SufficientStatistics(tasks, layout, **found, feature_names=names)
