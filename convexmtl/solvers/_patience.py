"""When to let another solver try."""

import numpy as np

MORE = 3


def hopeless(history, threshold, patience, more=MORE):
    """Whether a solver that has had as many iterations as ``patience`` would take over ``more`` times as many again.

    Judged by how far the second half of its iterations has brought the gap, on a logarithmic scale.

    Parameters
    ----------
    history : list of (n_iter, objective, dual_gap)
    threshold : float
        The gap at which it has converged.
    patience : float
    """
    n = history[-1][0]
    if n < patience:
        return False
    now = min(gap for _, _, gap in history)
    then = min([gap for i, _, gap in history if i <= n / 2], default=np.inf)
    if not (np.isfinite(then) and now < then):
        return True
    return np.log(now / threshold) > more * 2 * np.log(then / now)
