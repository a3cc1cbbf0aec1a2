"""Predictions for collections of Dask: collections, of which nothing is computed before it is asked for."""

from functools import partial, wraps

import numpy as np

from .. import _input


def by_blocks(method):
    """Decorator of what predicts: for an array or a frame of Dask it returns one, made block by block."""

    @wraps(method)
    def maybe_later(self, X, *, task=None, offset=None):
        if not (hasattr(X, "__dask_graph__") and hasattr(X, "to_delayed")):
            return method(self, X, task=task, offset=offset)
        like = _on_a_row(method, self, X, task, offset)
        make = partial(_predicted, method, self, like[:0])
        return (_of_frame if hasattr(X, "map_partitions") else _of_array)(make, X, task, offset, like, self)

    return maybe_later


def _predicted(method, estimator, empty, X, task=None, offset=None):
    if not len(X):
        return empty
    return method(estimator, X, task=task, offset=offset)


def _on_a_row(method, estimator, X, task, offset):
    """What the method returns for a row of ones, which says of which shape and type all is."""
    if X.ndim != 2:
        raise ValueError(f"X must have two dimensions, got {X.ndim}.")
    if estimator.task_column is not None or estimator.offset_column is not None or hasattr(X, "columns"):
        values = np.ones((1, X.shape[1]), dtype=object)
        names = list(X.columns) if hasattr(X, "columns") else getattr(estimator, "feature_names_in_", None)
        if estimator.task_column is not None:
            where = _input.column_position(estimator.task_column, names, X.shape[1])
            values[0, where] = estimator.tasks_.tolist()[0]
        if hasattr(X, "columns"):
            import pandas as pd

            row = pd.DataFrame(values, columns=X.columns)
        else:
            row = values
    else:
        row = np.ones((1, X.shape[1]))
    label = None if task is None else estimator.tasks_[:1]
    like = method(estimator, row, task=label, offset=None)
    if isinstance(like, list):
        raise ValueError("tasks have classes of their own, and their predictions no common array: compute X first.")
    return like


def _of_array(make, X, task, offset, like, estimator):
    import dask.array as da

    if X.numblocks[1] > 1:
        X = X.rechunk({1: -1})
    beside, names = [X, "ij"], ["X"]
    for name, part in (("task", task), ("offset", offset)):
        if part is not None:
            part = _in_chunks(part, X, name)
            beside += [part, "i" if part.ndim == 1 else "ik"]
            names.append(name)
    axes = {"k": like.shape[1]} if like.ndim == 2 else {}
    apart = {} if offset is None or offset.ndim == 1 else {"adjust_chunks": {"k": like.shape[1]}}
    new = {} if apart else {"new_axes": axes}
    return da.blockwise(
        partial(_with_names, make, names),
        "ik" if like.ndim == 2 else "i",
        *beside,
        dtype=like.dtype,
        meta=like[:0],
        concatenate=True,
        align_arrays=False,
        name=f"predict-{_token(make, X, task, offset)}",
        **new,
        **apart,
    )


def _token(*parts):
    from dask.base import tokenize

    return tokenize(*parts)


def _with_names(make, names, *blocks):
    return make(**dict(zip(names, blocks, strict=True)))


def _in_chunks(part, X, name):
    """An array of Dask in the chunks of X."""
    import dask.array as da

    rows = X.chunks[0]
    if hasattr(part, "to_dask_array"):
        part = part.to_dask_array()
    if not hasattr(part, "__dask_graph__"):
        if np.isnan(rows).any():
            raise ValueError(f"{name} must be a dask array in the chunks of X, whose sizes are not known.")
        part = np.asarray(part)
        if len(part) != sum(rows):
            raise ValueError(f"{name} must have as many rows as X, got {len(part)} and {sum(rows)}.")
        return da.from_array(part, chunks=(rows, *part.shape[1:]))
    if not np.isnan([*rows, *part.chunks[0]]).any() and part.chunks[0] != rows:
        part = part.rechunk({0: rows})
    if part.numblocks[0] != X.numblocks[0]:
        raise ValueError(f"{name} must have as many blocks as X, got {part.numblocks[0]} and {X.numblocks[0]}.")
    return part


def _of_frame(make, X, task, offset, like, estimator):
    import pandas as pd

    columns = None
    if like.ndim == 2:
        shared = len(estimator.tasks_) == like.shape[1]
        columns = estimator.tasks_.tolist() if shared else list(range(like.shape[1]))
    meta = pd.Series(like[:0]) if columns is None else pd.DataFrame(like[:0], columns=columns)
    parts = {name: part for name, part in (("task", task), ("offset", offset)) if part is not None}
    for name, part in parts.items():
        if not hasattr(part, "map_partitions"):
            raise ValueError(f"{name} must be a dask series beside a dask frame, got {type(part).__name__}.")
    return X.map_partitions(
        partial(_framed, make, list(parts), columns), *parts.values(), meta=meta, enforce_metadata=False
    )


def _framed(make, names, columns, X, *parts):
    import pandas as pd

    found = make(X, **dict(zip(names, parts, strict=True)))
    return pd.Series(found, index=X.index) if columns is None else pd.DataFrame(found, index=X.index, columns=columns)
