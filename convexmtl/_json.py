"""Values in the words of JSON, and back: names stand for classes of this package alone, and no code is loaded."""

import datetime
from dataclasses import fields, is_dataclass
from functools import cache
from inspect import signature

import numpy as np
import sklearn.model_selection
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.model_selection import BaseCrossValidator, BaseShuffleSplit

from . import auto, baselines, estimators, losses, model_selection, penalties
from ._compat import check_pandas_support
from .certificate import Dual
from .estimators._base import MultiTaskEstimator
from .explanation import FitSummary
from .penalties._reading import Graph, Groups, Read
from .penalties.base import Added, Later, Said
from .statistics import SufficientStatistics

RECORDS = {cls.__name__: cls for cls in (FitSummary, Said, SufficientStatistics, Graph, Groups, Dual)}


@cache
def classes():
    """{name: class} of all that is written as its parameters."""
    modules = estimators, baselines, auto, losses, penalties, model_selection
    found = [vars(module).values() for module in modules] + [[Added]]
    own = {
        cls.__name__: cls
        for values in found
        for cls in values
        if isinstance(cls, type) and cls.__module__.startswith("convexmtl.")
    }
    splitters = {
        cls.__name__: cls
        for cls in vars(sklearn.model_selection).values()
        if isinstance(cls, type) and issubclass(cls, (BaseCrossValidator, BaseShuffleSplit))
    }
    return splitters | own


def _parameters(value):
    """{name: value} of what a class's __init__ takes."""
    if isinstance(value, BaseEstimator):
        return value.get_params(deep=False)
    return {name: getattr(value, name) for name in signature(type(value)).parameters}


def described(value, where=""):
    """An object by its class and parameters, and what has been fitted, if it has."""
    own = {name: written(one, f"{where}{name}") for name, one in _parameters(value).items()}
    out = {"class": type(value).__name__, "parameters": own}
    if isinstance(value, MultiTaskEstimator) and hasattr(value, "coef_"):
        state = {name: one for name, one in value._fitted_state().items() if name != "_later"}
        out["fitted"] = {name: written(one, f"{where}{name}") for name, one in state.items()}
    return out


def made(d):
    """The object that has been described."""
    cls = known(d["class"])
    names = set(signature(cls).parameters)
    strange = sorted(d["parameters"].keys() - names)
    if strange:
        raise ValueError(f"{cls.__name__} has no parameter {strange[0]!r}.")
    value = cls(**{name: read(one) for name, one in d["parameters"].items()})
    if "fitted" in d and isinstance(value, MultiTaskEstimator):
        _restore(value, d["fitted"])
    return value


def _restore(estimator, fitted):
    """Set what has been fitted."""
    vars(estimator).update({name: read(value) for name, value in fitted.items()})
    strange = sorted(fitted.keys() - estimator._fitted_state().keys())
    if strange:
        raise ValueError(f"d has an entry {strange[0]!r} in 'fitted', which is nothing that a fit sets.")
    shapes = [np.shape(vars(estimator).get(name)) for name in ("coef_", "intercept_", "tasks_")]
    counts = vars(estimator).get("_counts")
    n_columns = shapes[2] if counts is None else (int(np.sum(counts)),)
    if len(shapes[0]) != 2 or shapes[1] != shapes[0][:1] or n_columns != shapes[0][:1]:
        raise ValueError(f"coef_, intercept_ and tasks_ do not go together: their shapes are {shapes}.")
    # (What is put off is made anew: it is a call, which is nothing to be written.)
    report = estimator._fitted_penalty().bind(estimator._labels).report(estimator._parts, estimator._labels)
    estimator._later = {
        name: value for name, value in report.items() if isinstance(value, Later) and name not in vars(estimator)
    }


def known(name, base=object):
    cls = classes().get(name) if isinstance(name, str) else None
    if cls is None or not issubclass(cls, base):
        raise ValueError(f"{name!r} is no class that this version of convexmtl knows: nothing else is loaded.")
    return cls


def written(value, where):
    """A value in the words of JSON; what has none of its own is a dict with one key that says what it is."""
    inside = lambda values: [written(one, where) for one in values]  # noqa: E731
    if isinstance(value, np.generic):
        return {"scalar": written(np.array(value), where)}
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float:
        return value if np.isfinite(value) else {"float": repr(value)}
    if isinstance(value, np.ndarray):
        return {"array": _numbers(value, where), "type": value.dtype.str, "shape": list(value.shape)}
    if type(value) is list:
        return inside(value)
    if isinstance(value, Later):
        return written(value(), where)
    name = type(value).__name__
    if RECORDS.get(name) is type(value):
        names = [field.name for field in fields(value)] if is_dataclass(value) else value._fields
        return {"record": name, "fields": {n: written(getattr(value, n), where) for n in names}}
    if type(value) is tuple:
        return {"tuple": inside(value)}
    if type(value) is Read:
        return {"read": inside(value)}
    if type(value) is range:
        return {"range": [value.start, value.stop, value.step]}
    if type(value) is dict:
        return {"dict": [inside(pair) for pair in value.items()]}
    if type(value) in (datetime.date, datetime.datetime):
        return {name: value.isoformat()}
    if sparse.issparse(value):
        rows = sparse.csr_array(value)
        return {"csr": inside([rows.data, rows.indices, rows.indptr, list(rows.shape)])}
    if classes().get(name) is type(value):
        return described(value, f"{where}__")
    if hasattr(value, "columns") and hasattr(value, "iloc"):
        own = [value.columns.tolist(), value.index.tolist(), *(value[column].tolist() for column in value.columns)]
        return {"frame": inside(own)}
    raise TypeError(
        f"{where} holds a {of_a_kind(value)}, which has no words in JSON: hand over arrays, lists, numbers or objects "
        "of convexmtl in its place (a structure as edges, groups or an array; cv=None once the search is over)."
    )


def of_a_kind(value):
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _numbers(array, where):
    """The entries of an array, row by row; those that are not finite by their names, dates as integers."""
    kind, flat = array.dtype.kind, array.ravel()
    if kind == "O":
        return [written(one, where) for one in flat.tolist()]
    if kind in "mM":
        return flat.astype(np.int64).tolist()
    if kind == "f" and array.dtype.itemsize <= 8:
        return [one if np.isfinite(one) else repr(one) for one in flat.tolist()]
    if kind in "biuU":
        return flat.tolist()
    raise TypeError(f"{where} holds an array of type {array.dtype}, which has no words in JSON.")


def _array(d):
    kind, entries, shape = np.dtype(d["type"]), d["array"], tuple(d["shape"])
    if kind.kind == "O":
        array = np.empty(len(entries), dtype=object)
        array[:] = [read(one) for one in entries]
    elif kind.kind in "mM":
        array = np.array(entries, dtype=np.int64).astype(kind)
    else:
        array = np.array(entries, dtype=kind)
    return array.reshape(shape)


def _csr(d):
    data, indices, indptr, shape = map(read, d["csr"])
    return sparse.csr_array((data, indices, indptr), shape=tuple(shape))


def _frame(d):
    check_pandas_support("from_dict of a frame")
    import pandas as pd

    columns, index, *values = map(read, d["frame"])
    return pd.DataFrame(dict(zip(columns, values, strict=True)), columns=columns, index=index)


def _record(d):
    if d["record"] not in RECORDS:
        raise ValueError(f"{d['record']!r} is no record that this version of convexmtl knows.")
    return RECORDS[d["record"]](**{name: read(value) for name, value in d["fields"].items()})


READERS = {
    "scalar": lambda d: _array(d["scalar"])[()],
    "float": lambda d: float(d["float"]),
    "array": _array,
    "record": _record,
    "tuple": lambda d: tuple(map(read, d["tuple"])),
    "read": lambda d: Read(map(read, d["read"])),
    "range": lambda d: range(*d["range"]),
    "dict": lambda d: {read(key): read(value) for key, value in d["dict"]},
    "date": lambda d: datetime.date.fromisoformat(d["date"]),
    "datetime": lambda d: datetime.datetime.fromisoformat(d["datetime"]),
    "csr": _csr,
    "class": made,
    "frame": _frame,
}


def read(written):
    """What ``written`` has written."""
    if isinstance(written, list):
        return [read(one) for one in written]
    if not isinstance(written, dict):
        return written
    kind = next((kind for kind in READERS if kind in written), None)
    if kind is None:
        raise ValueError(f"an entry of the kind {next(iter(written), None)!r} is nothing that this version knows.")
    try:
        return READERS[kind](written)
    except (KeyError, TypeError) as error:
        raise ValueError(f"an entry of the kind {kind!r} is not as to_dict writes it: {error}.") from error
