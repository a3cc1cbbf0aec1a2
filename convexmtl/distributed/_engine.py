"""Who does the work on chunks: this process, chunk after chunk, or Dask, as a tree of tasks."""

from functools import partial, reduce
from itertools import count
from uuid import uuid4

import numpy as np

BRANCHES = 8  # results that are merged at a time
KEPT = 2**29  # bytes of chunks that stay in memory from round to round
GONE = (
    "the Dask client went away before the fit was done: connect a new one and fit again. Nothing of it is left in the "
    "estimator."
)


def engine_of(source, client=None):
    """The engine for a Source."""
    if source.delayed or (client is not None and not source.once):
        return DaskEngine(source, client)
    return LocalEngine(source)


class LocalEngine:
    """Chunk after chunk in this process.

    Attributes
    ----------
    workers : int
        How many messages go each way in a round.
    """

    workers = 1

    def __init__(self, source):
        self.source, self.make, self.kept, self.states = source, None, None, []

    @property
    def rereads(self):
        """Whether there can be a second round."""
        return not self.source.once

    def gather(self, name, function, merge, *shared):
        """The merged results of ``function(chunk, index, *shared)``, those that are None left out."""
        total = None
        for index, chunk in enumerate(self.source):
            total = _merged(merge, total, function(chunk, index, *shared))
        return total

    def keep(self, name, function, *shared):
        """Have ``function(chunk, index, *shared)`` of every chunk for the rounds: what is small stays, else it is made
        anew in each."""
        self.make, self.kept = partial(_with_shared, function, shared), None

    def shard(self, name, statistics, merge, shards, make, *shared):
        """Have what is made of the merged ``statistics(chunk, index)``, here in one piece."""
        found = self.gather(name, statistics, merge)
        made = [cut(found) for cut in shards]
        self.kept = [make(one, *shared) for one in made if one is not None]

    def _parts(self):
        if self.kept is not None:
            yield from self.kept
            return
        kept, size = [], 0
        for index, chunk in enumerate(self.source):
            part = self.make(chunk, index)
            if part is None:
                continue
            size += part.n_bytes
            kept = kept + [part] if size <= KEPT else []
            yield part
        self.kept = kept if size <= KEPT else None

    def round(self, name, function, merge, *shared):
        """The merged results of ``function(kept, *shared)`` for what is kept of every chunk."""
        total = None
        for part in self._parts():
            total = _merged(merge, total, function(part, *shared))
        return total

    def update(self, name, function, merge, *shared):
        """The merged messages of ``function(kept, state, *shared)``, which returns the next state of a chunk and a
        message."""
        total, states = None, []
        for k, part in enumerate(self._parts()):
            state, message = function(part, self.states[k] if self.states else None, *shared)
            states.append(state)
            total = _merged(merge, total, message)
        self.states = states
        return total

    def close(self):
        self.make, self.kept, self.states = None, None, []


class DaskEngine:
    """Tasks of Dask, whose results are merged in a tree on the workers; they have names for its dashboard.

    Everything is in the graph, so that what a worker had that dies is made again.
    """

    rereads = True

    def __init__(self, source, client=None):
        from dask import delayed

        self.delayed, self.client = delayed, _client(client)
        if source.delayed:
            self.chunks = source.loaders
        else:
            load = delayed(_loaded, pure=False)
            self.chunks = [load(one) for one in source.loaders]
        self.kept, self.running, self.states = [], [], []

    @property
    def workers(self):
        if self.client is None:
            return 1
        return max(1, len(self.client.scheduler_info(n_workers=-1)["workers"]))

    def gather(self, name, function, merge, *shared):
        shared = self._wrapped(shared)
        return self._result(self._tree(name, function, merge, self.chunks, shared, numbered=True))

    def keep(self, name, function, *shared):
        import dask

        shared, task = self._wrapped(shared), self._task(name, function)
        made = [task(chunk, k, *shared, dask_key_name=key) for (k, chunk), key in self._keys(name, self.chunks)]
        self.kept = list(dask.persist(*made) if self.client is None else self.client.persist(made))

    def shard(self, name, statistics, merge, shards, make, *shared):
        """Have what is made of the merged ``cut(statistics(chunk, index))``, for every cut of ``shards``: it stays on
        the workers."""
        import dask

        task = self._task(name, statistics)
        made = [task(chunk, k, dask_key_name=key) for (k, chunk), key in self._keys(name, self.chunks)]
        shared, build, kept = self._wrapped(shared), self._task(f"{name}-part", partial(_unless_none, make)), []
        for cut in shards:
            kept.append(build(self._tree(f"{name}-shard", cut, merge, made, [], numbered=False), *shared))
        self.kept = list(dask.persist(*kept) if self.client is None else self.client.persist(kept))

    def round(self, name, function, merge, *shared):
        shared = self._wrapped(shared)
        return self._result(self._tree(name, function, merge, self.kept, shared, numbered=False))

    def update(self, name, function, merge, *shared):
        shared, task = self._wrapped(shared), self._task(name, partial(_next_state, function))
        states = self.states or [None] * len(self.kept)
        made = [
            task(part, state, *shared, dask_key_name=key)
            for ((_, part), key), state in zip(self._keys(name, self.kept), states, strict=True)
        ]
        import dask

        made = list(dask.persist(*made) if self.client is None else self.client.persist(made))
        self.states = made
        return self._result(self._tree(f"{name}-message", _second, merge, made, [], numbered=False))

    def close(self):
        """Let go of all that the workers have; what they were to do is no longer wanted."""
        if self.client is not None:
            from distributed import futures_of

            for future in self.running:
                _quietly(future.cancel)
            # (To cancel a state is to cancel what was made of it, which nobody wants any more: the scheduler fails.)
            for future in futures_of([*self.kept, *self.states]):
                _quietly(future.release)
        self.kept, self.running, self.states = [], [], []

    def _task(self, name, function):
        return self.delayed(function, name=name, pure=False, traverse=False)

    def _wrapped(self, shared):
        """What all tasks take, each as one node of the graph."""
        keep = self.delayed(_same, pure=False, traverse=False)
        return [keep(one) if _size(one) > 1000 else one for one in shared]

    def _keys(self, name, parts):
        run = uuid4().hex[:12]
        return [((k, part), f"{name}-{run}{k:06d}") for k, part in enumerate(parts)]

    def _tree(self, name, function, merge, parts, shared, numbered):
        task, join = self._task(name, partial(_unless_none, function)), self._task(f"{name}-sum", _joined)
        level = [
            task(part, *([k] if numbered else []), *shared, dask_key_name=key)
            for (k, part), key in self._keys(name, parts)
        ]
        for depth in count():
            if len(level) == 1 and depth:
                return level[0]
            groups = [level[a : a + BRANCHES] for a in range(0, len(level), BRANCHES)]
            keys = [key for _, key in self._keys(f"{name}-sum", groups)]
            level = [join(merge, *group, dask_key_name=key) for group, key in zip(groups, keys, strict=True)]

    def _result(self, root):
        import dask

        if self.client is None:
            return dask.compute(root)[0]
        from distributed import CancelledError, wait
        from distributed.comm import CommClosedError

        try:
            future = self.client.compute(root)
            self.running.append(future)
            wait(future)
            found = future.result()
        except (CancelledError, CommClosedError) as error:
            raise RuntimeError(GONE) from error
        except RuntimeError as error:
            if self.client.status in ("running", "connecting"):
                raise
            raise RuntimeError(GONE) from error
        self.running.remove(future)
        return found


def _client(client):
    """The client that is given, or else the one that there is; None without any."""
    if client is not None:
        if not hasattr(client, "persist") or not hasattr(client, "scheduler_info"):
            raise ValueError(f"client must be a dask.distributed.Client, got {type(client).__name__}.")
        return client
    try:
        from distributed import get_client
    except ImportError:
        return None
    try:
        return get_client()
    except ValueError:
        return None


def _quietly(function):
    """Call what may fail where a client is gone."""
    try:
        function()
    except Exception:
        pass


def _loaded(loader):
    return loader()


def _same(one):
    return one


def _with_shared(function, shared, chunk, index):
    return function(chunk, index, *shared)


def _unless_none(function, part, *rest):
    return None if part is None else function(part, *rest)


def _next_state(function, part, last, *shared):
    """(state, message) after the last ones."""
    return None if part is None else function(part, None if last is None else last[0], *shared)


def _second(pair):
    return pair[1]


def _merged(merge, total, new):
    return new if total is None else total if new is None else merge(total, new)


def _joined(merge, *parts):
    """Results, merged in order."""
    return reduce(partial(_merged, merge), parts, None)


def _size(one):
    """Bytes of the arrays in something, about."""
    return size_of(one) if one is not None else 0


def size_of(message):
    """Bytes of the arrays in a message: an array, or a tuple, a list, a dict or an object with fields of these."""
    if isinstance(message, np.ndarray):
        return message.nbytes
    if isinstance(message, tuple | list):
        return sum(map(size_of, message))
    if isinstance(message, dict):
        return sum(map(size_of, message.values()))
    if isinstance(message, int | float | np.number):
        return 8
    return sum(map(size_of, vars(message).values())) if hasattr(message, "__dict__") else 0
