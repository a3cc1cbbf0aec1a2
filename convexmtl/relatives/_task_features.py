"""What is known of the tasks themselves."""

import numpy as np

from .. import _input


def read_task_features(task_features, labels):
    """(T, k) features of the tasks with these labels, from an array in their order or a dict of label -> features; None
    is none of them."""
    T = len(labels)
    if task_features is None:
        return np.zeros((T, 0))
    if isinstance(task_features, dict):
        missing = [label for label in labels.tolist() if label not in task_features]
        if missing:
            raise ValueError(f"task_features has no entry for task {missing[0]!r}: give one for every task.")
        task_features = [np.atleast_1d(task_features[label]) for label in labels.tolist()]
    _input.refuse_mask(task_features, "task_features")
    try:
        found = np.asarray(task_features, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"task_features must hold numbers, as many for every task, got {task_features!r}.") from None
    found = found[:, None] if found.ndim == 1 else found
    if found.ndim != 2 or len(found) != T:
        raise ValueError(
            f"task_features must have a row for each of the {T} tasks, in the order of tasks_, got shape {found.shape}."
        )
    if not np.isfinite(found).all():
        t = int(np.argwhere(~np.isfinite(found))[0, 0])
        raise ValueError(f"task_features must be finite, got {found[t].tolist()} for task {labels.tolist()[t]!r}.")
    return found
