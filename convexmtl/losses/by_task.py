"""One loss for every task."""

import numpy as np

from .._words import counted
from ._names import get_loss
from .base import Loss


class ByTask(Loss):
    """loss(y_t, z_t) = loss_t(y_t, z_t), one for every task t.

    What a ``MultiTaskMixed`` estimator makes of its ``losses``.

    Parameters
    ----------
    losses : dict of task label -> str or Loss

    Examples
    --------
    >>> from convexmtl.losses import ByTask
    >>> ByTask({"price": "squared", "sold": "logistic"}).kinds(["sold", "price", "sold"])
    array([1, 0, 1])
    """

    def __init__(self, losses):
        self.losses = losses

    @property
    def _own(self):
        """({label: position in the list}, [each different loss])."""
        if not isinstance(self.losses, dict) or not self.losses:
            raise ValueError(f"losses must be a dict of task -> loss, got {self.losses!r}.")
        place, distinct, known = {}, [], {}
        for label, loss in self.losses.items():
            try:
                found = get_loss(loss)
            except ValueError as error:
                raise ValueError(f"losses[{label!r}]: {error}") from None
            key = repr(found)
            if key not in known:
                known[key] = len(distinct)
                distinct.append(found)
            place[label] = known[key]
        return place, distinct

    @property
    def distinct(self):
        """[each different loss], in the order of ``kinds``."""
        return self._own[1]

    @property
    def formula(self):
        place, distinct = self._own
        counts = np.bincount(list(place.values()))
        short = [loss.formula.partition(", for ")[0].partition("; ")[0] for loss in distinct]
        return "; ".join(f"{one} in {counted(int(n), 'task')}" for one, n in zip(short, counts, strict=True))

    @property
    def by_column(self):
        return all(loss.by_column for loss in self.distinct)

    @property
    def classification(self):
        return all(loss.classification for loss in self.distinct)

    @property
    def quadratic(self):
        return all(loss.quadratic for loss in self.distinct)

    @property
    def is_likelihood(self):
        # (What the squared loss lacks, the noise, others have not.)
        return self.quadratic or all(loss.is_likelihood and not loss.quadratic for loss in self.distinct)

    def kinds(self, labels):
        place, labels = self._own[0], list(labels)
        missing = [label for label in labels if label not in place]
        if missing:
            raise ValueError(
                f"losses has no entry for task {missing[0]!r}; its entries are for {list(place)[:10]}: say which loss "
                "every task has."
            )
        strange = set(place) - set(labels)
        if strange:
            raise ValueError(
                f"losses has an entry for {sorted(map(repr, strange))[0]}, which is no task; the tasks are "
                f"{labels[:10]} (columns of a y without names are 0, 1, ...)."
            )
        return np.array([place[label] for label in labels], dtype=np.int64)

    def groups(self, tasks):
        distinct = self.distinct
        return [(distinct[k], np.flatnonzero(tasks.kind == k)) for k in np.unique(tasks.kind)]

    def log_likelihood(self, y, z):
        # (Which task these are of is not known; whether all have one is.)
        found = [loss.log_likelihood(y, z) for loss in self.distinct]
        return None if any(one is None for one in found) else found[0]

    def mean(self, z):
        raise ValueError("losses differ between the tasks, and so do what predictions are made of: take single tasks.")

    def error(self, y, z):
        raise ValueError("losses differ between the tasks, so that errors of single samples are in different units.")
