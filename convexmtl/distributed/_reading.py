"""A chunk as the estimator reads it, where the chunk is; and whether chunks agree with each other."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import _input
from ._sources import n_rows

SHOWN = 5  # columns or labels that are named
LAYOUTS = {"single": "y of shape (n,)", "shared": "y of shape (n, T)", "stacked": "task labels"}


@dataclass(frozen=True)
class Agreement:
    """What chunks have to agree in, and how much there is in them.

    Attributes
    ----------
    chunk : int
        The first of them.
    layout : str
    n_columns : int
        Of X, with those of task and offset.
    names : ndarray or None
        Of the columns of X.
    targets : ndarray or None
        Labels of the columns of y, where there is one for each task.
    kind : str
        Of the labels of tasks.
    n_rows, n_bytes : int
    """

    chunk: int
    layout: str
    n_columns: int
    names: Any
    targets: Any
    kind: str
    n_rows: int
    n_bytes: int

    def __add__(self, other):
        """Of both; a ValueError that names the chunk where they disagree."""
        a, b = (self, other) if self.chunk <= other.chunk else (other, self)

        def refuse(mine, yours, way_out):
            raise ValueError(f"chunk {b.chunk} has {yours}, and chunk {a.chunk} has {mine}: {way_out}")

        if a.n_columns != b.n_columns:
            refuse(f"{a.n_columns} columns of X", b.n_columns, "all chunks must have the same columns.")
        if a.names is not None and b.names is not None and not np.array_equal(a.names, b.names):
            j = int(np.argmax(a.names != b.names))
            refuse(
                f"{a.names[j]!r}",
                f"{b.names[j]!r} at position {j} of the columns of X",
                "all chunks must have the same columns in the same order.",
            )
        if a.layout != b.layout:
            refuse(LAYOUTS[a.layout], LAYOUTS[b.layout], "all chunks must have one layout.")
        if a.targets is not None and len(a.targets) != len(b.targets):
            refuse(f"{len(a.targets)} columns of y", len(b.targets), "put NaN where there is no target.")
        if a.targets is not None and not np.array_equal(a.targets, b.targets):
            t = int(np.argmax(a.targets != b.targets))
            refuse(
                f"{a.targets.tolist()[t]!r}",
                f"{b.targets.tolist()[t]!r} at position {t} of the columns of y",
                "all chunks must have the same tasks in the same order.",
            )
        if a.kind != b.kind:
            refuse(f"task labels that are {a.kind}", b.kind, "label the tasks of all chunks in the same way.")
        names = b.names if a.names is None else a.names
        return replace(a, names=names, n_rows=a.n_rows + b.n_rows, n_bytes=a.n_bytes + b.n_bytes)


def read(estimator, chunk, index):
    """(Agreement, Samples with classes as the user has them, offset) of a chunk; None where it has no rows.

    ``estimator`` is a copy of that to be fitted. Whatever ``fit`` raises is raised with the number of the chunk.
    """
    try:
        if not n_rows(chunk.X):
            return None
        samples, offset = estimator._as_handed_over(
            chunk.X, chunk.y, chunk.sample_weight, chunk.task, chunk.offset, reset=True
        )
        _input.refuse_overflow(samples.X)
        columns, names = estimator.n_features_in_, getattr(estimator, "feature_names_in_", None)
    except (ValueError, TypeError) as error:
        raise type(error)(f"chunk {index}: {error}") from error
    size = samples.X.nbytes if hasattr(samples.X, "nbytes") else samples.X.data.nbytes
    targets = samples.labels if samples.layout == "shared" else None
    agreement = Agreement(
        index, samples.layout, columns, names, targets, _kind(samples.labels), samples.X.shape[0], size
    )
    return agreement, samples, offset


def own_names(estimator):
    """Names of the features, without columns of task and offset, after ``read``."""
    return _input.coef_names(estimator)


def _kind(labels):
    """Numbers, or what else labels are."""
    if labels.dtype.kind == "O":
        return " and ".join(sorted({_word(type(label)) for label in labels[:1000].tolist()}))
    return {"U": "strings", "T": "strings", "S": "bytes", "M": "dates", "m": "durations"}.get(
        labels.dtype.kind, "numbers"
    )


def _word(kind):
    if issubclass(kind, str):
        return "strings"
    return "numbers" if issubclass(kind, bool | int | float | np.number) else f"of type {kind.__name__}"
