import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from convexmtl.stacking import stack_tasks, unstack_tasks


@pytest.fixture
def tasks():
    rng = np.random.default_rng(0)
    sizes = (3, 1, 4)
    return [rng.standard_normal((n, 2)) for n in sizes], [rng.standard_normal(n) for n in sizes]


def test_stack(tasks):
    Xs, ys = tasks
    X, y, task = stack_tasks(Xs, ys)
    assert_array_equal(X, np.vstack(Xs))
    assert_array_equal(y, np.hstack(ys))
    assert_array_equal(task, [0, 0, 0, 1, 2, 2, 2, 2])
    assert task.dtype.kind == "i"


def test_stack_with_labels(tasks):
    _, _, task = stack_tasks(*tasks, labels=["c", "a", "b"])
    assert task.tolist() == list("cccabbbb")


def test_stack_lists_of_numbers():
    X, y, task = stack_tasks([[[1, 2]], [[3, 4], [5, 6]]], [["no"], ["yes", "no"]])
    assert X.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert y.tolist() == ["no", "yes", "no"]
    assert task.tolist() == [0, 1, 1]


def test_round_trip_sorts_the_labels(tasks):
    Xs, ys = tasks
    Xs2, ys2, labels = unstack_tasks(*stack_tasks(Xs, ys, labels=["c", "a", "b"]))
    assert labels.tolist() == ["a", "b", "c"]
    for position, original in enumerate([1, 2, 0]):
        assert_array_equal(Xs2[position], Xs[original])
        assert_array_equal(ys2[position], ys[original])


def test_unstack_keeps_the_order_of_scattered_rows():
    X = np.arange(6.0).reshape(6, 1)
    Xs, ys, labels = unstack_tasks(X, X.ravel(), [7, 5, 7, 5, 5, 7])
    assert labels.tolist() == [5, 7]
    assert [y.tolist() for y in ys] == [[1, 3, 4], [0, 2, 5]]
    assert [part.ravel().tolist() for part in Xs] == [[1, 3, 4], [0, 2, 5]]


def test_unstack_lists():
    Xs, ys, labels = unstack_tasks([[1], [2], [3]], ["p", "q", "p"], ["b", "a", "b"])
    assert [part.tolist() for part in Xs] == [[[2]], [[1], [3]]]
    assert [part.tolist() for part in ys] == [["q"], ["p", "p"]]
    assert labels.tolist() == ["a", "b"]


def test_pandas_round_trip(tasks):
    frames = [pd.DataFrame(X, columns=["u", "v"]) for X in tasks[0]]
    X, y, task = stack_tasks(frames, [pd.Series(y) for y in tasks[1]], labels=["c", "a", "b"])
    assert isinstance(X, pd.DataFrame)
    assert list(X) == ["u", "v"]
    assert X.index.tolist() == list(range(8))
    assert_array_equal(X, np.vstack(tasks[0]))

    Xs, ys, labels = unstack_tasks(X, pd.Series(y), pd.Series(task, dtype="category"))
    assert labels.tolist() == ["a", "b", "c"]
    assert all(isinstance(part, pd.DataFrame) for part in Xs)
    assert all(isinstance(part, pd.Series) for part in ys)
    assert_array_equal(Xs[2], tasks[0][0])
    assert_array_equal(ys[2], tasks[1][0])


def test_polars_round_trip(tasks):
    frames = [pl.DataFrame(X, schema=["u", "v"]) for X in tasks[0]]
    X, y, task = stack_tasks(frames, [pl.Series(y) for y in tasks[1]])
    assert isinstance(X, pl.DataFrame)
    assert X.columns == ["u", "v"]

    Xs, ys, labels = unstack_tasks(X, pl.Series(y), pl.Series(task))
    assert labels.tolist() == [0, 1, 2]
    assert all(isinstance(part, pl.DataFrame) for part in Xs)
    assert_array_equal(Xs[2], tasks[0][2])
    assert_array_equal(ys[2], tasks[1][2])


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csc_array])
def test_sparse_round_trip(tasks, kind):
    X, y, task = stack_tasks([kind(X) for X in tasks[0]], tasks[1])
    assert sparse.issparse(X) and X.format == "csr"
    assert_array_equal(X.toarray(), np.vstack(tasks[0]))

    Xs, _, _ = unstack_tasks(kind(X), y, task)
    assert all(sparse.issparse(part) for part in Xs)
    assert_array_equal(Xs[2].toarray(), tasks[0][2])


def test_frame_and_array_give_an_array(tasks):
    (X1, X2, X3), ys = tasks
    X, _, _ = stack_tasks([pd.DataFrame(X1), X2, X3], ys)
    assert isinstance(X, np.ndarray)
    assert_array_equal(X, np.vstack(tasks[0]))


ONE, TWO = np.ones((1, 2)), np.ones((2, 2))


@pytest.mark.parametrize(
    "Xs, ys, labels, message",
    [
        ([], [], None, "Xs is empty"),
        ([ONE, TWO], [[1]], None, "one entry for each task. Got 2 and 1 entries"),
        ([ONE, TWO], [[1], [1, 2, 3]], ["a", "b"], "X and y of task b .* Got 2 rows and 3 targets"),
        ([ONE, np.ones((2, 3))], [[1], [1, 2]], None, "number of columns. Got 2 for task 0 and 3 for task 1"),
        ([ONE, TWO], [[1], [1, 2]], ["a"], r"each of the 2 tasks. Got an array of shape \(1,\)"),
        ([ONE, TWO], [[1], [1, 2]], ["a", "a"], r"labels must be distinct. Got more than once: \['a'\]"),
        ([ONE, TWO], [[1], [1, 2]], [1.0, np.nan], "label is missing at position 1"),
        ([ONE, np.ones((0, 2))], [[1], []], ["a", "b"], "Task b has no samples"),
        ([ONE, [1.0, 2.0]], [[1], [1, 2]], None, r"X of task 1 must have two dimensions. Got shape \(2,\)"),
        ([ONE, TWO], [[1], [[1], [2]]], None, r"y of task 1 must have one dimension. Got shape \(2, 1\)"),
        (
            [pd.DataFrame(ONE, columns=["u", "v"]), pd.DataFrame(TWO, columns=["v", "u"])],
            [[1], [1, 2]],
            None,
            r"Got \['u', 'v'\] for task 0 and \['v', 'u'\] for task 1",
        ),
    ],
)
def test_stack_errors(Xs, ys, labels, message):
    with pytest.raises(ValueError, match=message):
        stack_tasks(Xs, ys, labels)


@pytest.mark.parametrize(
    "X, y, task, message",
    [
        (TWO, [1], [0, 1], "inconsistent numbers of samples"),
        (TWO, [1, 2], [0, 1, 1], "inconsistent numbers of samples"),
        (TWO, [1, 2], [[0], [1]], r"Got an array of shape \(2, 1\)"),
        (TWO[:0], [], [], "no rows"),
        (TWO, [1, 2], [np.nan, 1.0], r"missing at position 0 \(1 missing in all\)"),
        (TWO, [1, 2], ["a", None], "missing at position 1"),
        (TWO, [1, 2], pd.array([1, None], dtype="Int64"), "missing at position 1"),
    ],
)
def test_unstack_errors(X, y, task, message):
    with pytest.raises(ValueError, match=message):
        unstack_tasks(X, y, task)
