"""Work and memory grow with the data, and with the number of tasks in no other way."""

import sys
import tracemalloc

import numpy as np
import pytest

import convexmtl as cm
from benchmarks import growth

FEW, MANY = 300, 3_000


def fit(family, T):
    """A function that fits the family to T tasks anew, and the bytes of what it is fitted to."""
    rng = np.random.default_rng(0)
    X, y, task = growth.drawn(growth.equal(T, rng), rng)
    estimator = growth.made(family, X, y, task)
    return lambda: estimator.fit(X, y, task=task), X.nbytes + y.nbytes + task.nbytes


def calls(function):
    """How many calls of Python functions one call of it makes."""
    n = 0

    def count(frame, event, argument):
        nonlocal n
        n += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(before)
    return n


@pytest.mark.parametrize("family", growth.FAMILIES)
def test_many_tasks_make_no_more_calls_and_no_array_of_all_their_pairs(family):
    few, _ = fit(family, FEW)
    many, data = fit(family, MANY)
    few(), many()  # compiled
    made, more = calls(few), calls(many)
    # (As many again for iterations, of which there may be some more.)
    assert more <= 1.2 * made + 300
    tracemalloc.start()
    try:
        many()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5 * data < 8 * MANY**2


PIECES = {
    "nothing": lambda T: cm.BlockSparseRegressor(alpha=0.0),
    "graph, l1": lambda T: cm.GraphGuidedRegressor([(t, t + 1) for t in range(0, T, 2)], alpha=0.1),
    "graph, l2": lambda T: cm.GraphGuidedRegressor([(t, t + 1) for t in range(0, T, 2)], alpha=0.1, norm="l2"),
    "the mean alone": lambda T: cm.MeanRegularizedRegressor(alpha_mean=0.1, alpha_variance=0.0),
    "means of clusters alone": lambda T: cm.ClusteredRegressor(
        clusters=np.arange(T) % 50, alpha_mean=0.1, alpha_between=0.1, alpha_within=0.0
    ),
    "groups": lambda T: cm.TreeGuidedRegressor([([t, t + 1], 1.0) for t in range(0, T - 2, 2)], alpha=0.1),
}


@pytest.mark.parametrize("name", PIECES)
def test_what_is_free_of_every_piece_makes_no_array_of_all_pairs(name):
    rng = np.random.default_rng(0)
    X, y, task = growth.drawn(growth.equal(MANY, rng), rng)
    estimator = PIECES[name](MANY).fit(X, y, task=task)
    tracemalloc.start()
    try:
        estimator.fit(X, y, task=task)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # (A matrix of features for every task is half of X here, and some are held at a time.)
    assert peak < 6 * (X.nbytes + y.nbytes + task.nbytes) < 8 * MANY**2


@pytest.mark.parametrize("family", ["known clusters", "task relationships"])
def test_a_display_of_many_tasks_makes_no_array_of_all_their_pairs(family):
    few, many = fit(family, FEW)[0](), fit(family, MANY)[0]()
    assert "task_covariance_" in dir(few) and "task_covariance_" not in dir(many)
    tracemalloc.start()
    try:
        assert "<div" in many._repr_html_()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MANY**2 and "task_covariance_" not in vars(many)


def test_a_search_for_the_classes_of_many_tasks_makes_no_array_of_all_their_pairs():
    T, n = 10_000, 4
    X, task = np.random.default_rng(0).normal(size=(T * n, 2)), np.repeat(np.arange(T), n)
    y = (X[:, 0] + np.tile([1.0, -1.0], T * n // 2) > 0).astype(int)
    y[::n], y[1::n] = 0, 1
    search = cm.MeanRegularizedClassifierCV(ratios=[10.0], alphas=3, cv=2)
    tracemalloc.start()
    try:
        search.fit(X, y, task=task)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.5 * T**2
