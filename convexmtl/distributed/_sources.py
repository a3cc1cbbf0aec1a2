"""Where chunks of samples come from: collections of Dask, futures, iterators, files, arrays.

A chunk is ``Chunk(X, y, task, sample_weight, offset)``, some rows of all that ``fit`` takes. A source is a list of what
makes one each (loaders, or delayed objects of Dask), which can be read as often as it takes and anywhere; or an
iterator, which is read once and here.
"""

from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import issparse

BLOCK = 2**26  # bytes of X in a chunk of an array
CHUNKED = "X must be a dask collection, a list or an iterator of chunks, or an array"


class Chunk(NamedTuple):
    """Some rows of what ``fit`` takes."""

    X: Any
    y: Any
    task: Any = None
    sample_weight: Any = None
    offset: Any = None


class Source(NamedTuple):
    """Chunks, each made by a call of one of the ``loaders``; or by Dask, where these are ``delayed``."""

    loaders: Any  # a list, or an iterator of chunks themselves where it can be read only once
    delayed: bool
    once: bool = False

    def __iter__(self):
        """The chunks, one after the other."""
        for made in self.loaders:
            yield made if self.once else made()


@dataclass(frozen=True)
class Rows:
    """Loads some rows of arrays."""

    parts: tuple
    rows: slice

    def __call__(self):
        return Chunk(*(None if part is None else _some(part, self.rows) for part in self.parts))


@dataclass(frozen=True)
class RowGroup:
    """Loads a row group of a parquet file."""

    path: str
    group: int
    features: tuple
    y: Any
    task: str | None
    sample_weight: str | None

    def __call__(self):
        import pyarrow.parquet as pq

        targets = [self.y] if isinstance(self.y, str) else list(self.y)
        others = [name for name in (self.task, self.sample_weight) if name is not None]
        with pq.ParquetFile(self.path) as file:
            frame = file.read_row_group(self.group, columns=[*self.features, *targets, *others]).to_pandas()
        X = frame[list(self.features)]
        y = frame[self.y] if isinstance(self.y, str) else frame[targets]
        return Chunk(X, y, *(None if name is None else frame[name] for name in (self.task, self.sample_weight)))


@dataclass(frozen=True)
class Given:
    """Holds a chunk that is in memory."""

    chunk: Any

    def __call__(self):
        return as_chunk(self.chunk)


@dataclass(frozen=True)
class Called:
    """Calls what a user has written to load a chunk."""

    loader: Any

    def __call__(self):
        return as_chunk(self.loader())


class Again:
    """Chunks of a function that returns a new iterator every time."""

    def __init__(self, function):
        self.function = function

    def __iter__(self):
        for chunk in self.function():
            yield Given(chunk)


def parquet(paths, y, task=None, sample_weight=None, features=None):
    """Chunks of parquet files, one for each row group, for ``fit``; needs pyarrow.

    Nothing is read but the description of the files: every row group is, when its turn comes, by whoever fits it.

    Parameters
    ----------
    paths : str, path or list of these
        All files have the same columns.
    y : str or list of str
        The column of the targets; of several, one for each task.
    task : str, default=None
        The column of the task labels, where tasks have rows of their own.
    sample_weight : str, default=None
        The column of the weights.
    features : list of str, default=None
        The columns of X; None takes all that are not named elsewhere.

    Returns
    -------
    list of callables

    Raises
    ------
    ValueError
        For columns that are in none of the files.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from convexmtl import BlockSparseRegressor, datasets, distributed
    >>> X, Y, *_ = datasets.make_block_sparse(n_samples=200, n_features=10, n_tasks=3, layout="shared", random_state=0)
    >>> table = pd.DataFrame(X, columns=[f"x{j}" for j in range(10)])
    >>> table[["a", "b", "c"]] = Y
    >>> with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
    ...     table.to_parquet(file.name, row_group_size=50)
    ...     chunks = distributed.parquet(file.name, y=["a", "b", "c"])
    ...     model = distributed.fit(BlockSparseRegressor(0.1), chunks)
    >>> len(chunks), model.coef_.shape
    (4, (3, 10))
    """
    import pyarrow.parquet as pq

    paths = [paths] if isinstance(paths, str) or hasattr(paths, "__fspath__") else list(paths)
    if not paths:
        raise ValueError("paths must name at least one parquet file, got none.")
    named = [y] if isinstance(y, str) else list(y)
    others = [name for name in (task, sample_weight) if name is not None]
    loaders = []
    for path in map(str, paths):
        with pq.ParquetFile(path) as file:
            columns, n_groups = file.schema_arrow.names, file.num_row_groups
        missing = [name for name in [*named, *others, *(features or ())] if name not in columns]
        if missing:
            raise ValueError(f"{missing[0]!r} is not a column of {path}; its columns are {columns[:10]}.")
        # (Those of the first file: of others with more or fewer the chunk that has them says so.)
        features = [name for name in columns if name not in {*named, *others}] if features is None else features
        own = tuple(features)
        y_own = y if isinstance(y, str) else tuple(named)
        loaders += [RowGroup(path, group, own, y_own, task, sample_weight) for group in range(n_groups)]
    return loaders


# --------------------------------------------------------------------------------------- what users hand over


def source_of(X, y=None, task=None, sample_weight=None, offset=None):
    """The Source of what ``fit`` has been handed."""
    parts = Chunk(X, y, task, sample_weight, offset)
    if any(map(is_collection, parts)):
        return Source(_of_collections(parts), delayed=True)
    if isinstance(X, list | tuple) and any(map(is_future, X)):
        return Source(_of_futures(parts), delayed=True)
    rest = {name: part for name, part in zip(Chunk._fields[1:], parts[1:], strict=True) if part is not None}
    if hasattr(X, "shape") or (isinstance(X, list) and y is not None):
        return Source(_of_arrays(parts), delayed=False)
    if callable(X) or hasattr(X, "__next__") or isinstance(X, list | tuple) or hasattr(X, "__iter__"):
        if rest:
            raise ValueError(
                f"{next(iter(rest))} was passed beside chunks in X, each of which is (X, y), (X, y, task) or (X, y, "
                "task, sample_weight): put it into these."
            )
        if callable(X):
            return Source(Again(X), delayed=False)
        if hasattr(X, "__next__"):
            return Source(map(as_chunk, X), delayed=False, once=True)
        found = [Called(one) if callable(one) else Given(as_chunk(one)) for one in X]
        if not found:
            raise ValueError("X has no chunk: the list is empty.")
        return Source(found, delayed=False)
    raise ValueError(f"{CHUNKED}, got {type(X).__name__}.")


def is_collection(part):
    """Whether it is an array, a frame or a series of Dask."""
    return hasattr(part, "__dask_graph__") and hasattr(part, "to_delayed")


def is_future(part):
    """Whether it is a future of Dask or something delayed, which stands for one thing."""
    return type(part).__module__.partition(".")[0] in ("distributed", "dask") and hasattr(part, "key")


def as_chunk(made):
    """What makes a chunk as one: a tuple or a dict."""
    if isinstance(made, Chunk):
        return made
    if isinstance(made, dict):
        strange = sorted(set(made) - set(Chunk._fields))
        if strange or not {"X", "y"} <= set(made):
            raise ValueError(f"a chunk must have the keys X and y, and may have {Chunk._fields[2:]}, got {list(made)}.")
        return Chunk(**made)
    if isinstance(made, tuple | list) and 2 <= len(made) <= len(Chunk._fields):
        return Chunk(*made)
    raise ValueError(
        "a chunk must be (X, y), (X, y, task) or (X, y, task, sample_weight), or a dict of these, got a "
        f"{type(made).__name__}."
    )


def _some(part, rows):
    """Some rows of an array, a frame, a sparse matrix or a list."""
    if hasattr(part, "iloc"):
        return part.iloc[rows]
    if issparse(part):
        return part.tocsr()[rows]
    return part[rows]


def n_rows(part):
    """How many rows there are, of an array, a frame or a list."""
    return part.shape[0] if hasattr(part, "shape") else len(part)


def _of_arrays(parts):
    """Loaders of rows of arrays, of memory maps too."""
    X = parts.X
    if parts.y is None:
        raise ValueError("requires y to be passed, but the target y is None.")
    X = X if hasattr(X, "shape") else np.asarray(X)
    parts = parts._replace(X=X.tocsr() if issparse(X) else X)
    n = n_rows(X)
    for name, part in zip(Chunk._fields, parts, strict=True):
        if part is not None and n_rows(part) != n:
            raise ValueError(f"{name} must have as many rows as X, got {n_rows(part)} and {n}.")
    if not n:
        raise ValueError("X has no rows.")
    width = X.nnz / n if issparse(X) else X.shape[1] if len(X.shape) > 1 else 1
    size = max(1, int(BLOCK / (8 * max(1, width))))
    return [Rows(tuple(parts), slice(a, min(n, a + size))) for a in range(0, n, size)]


def _of_futures(parts):
    """Delayed chunks of lists of futures: of X, y and so on, or of chunks."""
    from dask import delayed

    make = delayed(_made, pure=False)
    if parts.y is None:
        return [make(one) for one in parts.X]
    lists = {name: part for name, part in zip(Chunk._fields, parts, strict=True) if part is not None}
    for name, part in lists.items():
        if not isinstance(part, list | tuple) or len(part) != len(parts.X):
            raise ValueError(f"{name} must be a list of {len(parts.X)} futures, as many as X is.")
    names, missing = list(lists), object()
    return [make(None, names, *some) for some in zip_longest(*lists.values(), fillvalue=missing)]


def _made(chunk=None, names=(), *values):
    return as_chunk(dict(zip(names, values, strict=True)) if chunk is None else chunk)


def _of_collections(parts):
    """Delayed chunks of collections, block by block."""
    from dask import delayed

    if not is_collection(parts.X):
        raise ValueError(f"X must be a dask collection where other arguments are, got {type(parts.X).__name__}.")
    X = parts.X
    if hasattr(X, "rechunk") and X.ndim == 2 and X.numblocks[1] > 1:
        X = X.rechunk({1: -1})
    sizes = X.chunks[0] if hasattr(X, "chunks") else None
    blocks = {"X": _blocks(X)}
    for name, part in list(zip(Chunk._fields, parts, strict=True))[1:]:
        if part is None:
            continue
        if not is_collection(part):
            part = _in_blocks(part, name, sizes)
        else:
            part = _blocks(_aligned(part, sizes))
        if len(part) != len(blocks["X"]):
            raise ValueError(
                f"{name} must have as many blocks as X, got {len(part)} and {len(blocks['X'])}: rechunk or repartition "
                "it as X is, or compute the sizes of its chunks by compute_chunk_sizes()."
            )
        blocks[name] = part
    make, names = delayed(_made, pure=False), list(blocks)
    return [make(None, names, *some) for some in zip(*blocks.values(), strict=True)]


def _aligned(part, sizes):
    """A collection in chunks of these sizes, where they are known."""
    if not hasattr(part, "rechunk"):
        return part
    if part.ndim == 2 and part.numblocks[1] > 1:
        part = part.rechunk({1: -1})
    known = sizes is not None and not np.isnan([*sizes, *part.chunks[0]]).any()
    return part.rechunk({0: sizes}) if known and part.chunks[0] != sizes and sum(part.chunks[0]) == sum(sizes) else part


def _blocks(part):
    """[delayed] the blocks of a collection."""
    made = part.to_delayed()
    return made.ravel().tolist() if hasattr(made, "ravel") else list(made)


def _in_blocks(part, name, sizes):
    """[rows] of an array beside X whose chunks have known sizes."""
    if sizes is None or np.isnan(sizes).any():
        raise ValueError(
            f"{name} must be a dask collection in the chunks of X, whose sizes are not known, got "
            f"{type(part).__name__}: compute them by X.compute_chunk_sizes(), or make a dask collection of {name}."
        )
    if n_rows(part) != sum(sizes):
        raise ValueError(f"{name} must have as many rows as X, got {n_rows(part)} and {sum(sizes)}.")
    ends = np.cumsum(sizes)
    return [_some(part, slice(int(b - k), int(b))) for b, k in zip(ends, sizes, strict=True)]
