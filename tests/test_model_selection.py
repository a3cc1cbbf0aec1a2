"""The splitters: every training part has every task, in proportion."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.model_selection import GridSearchCV, cross_val_score

import convexmtl as cm
from convexmtl.model_selection import TaskKFold, TaskShuffleSplit, TaskStratifiedKFold

SPLITTERS = [
    TaskKFold(4),
    TaskKFold(4, shuffle=True, random_state=0),
    TaskStratifiedKFold(4),
    TaskStratifiedKFold(4, shuffle=True, random_state=0),
    TaskShuffleSplit(5, test_size=0.25, random_state=0),
]


def drawn(seed=0):
    rng = np.random.default_rng(seed)
    task = rng.permutation(np.repeat(["a", "b", "c"], [40, 23, 9]))
    return rng.standard_normal((72, 3)), (rng.random(72) < 0.4).astype(int), task


@pytest.mark.parametrize("splitter", SPLITTERS, ids=repr)
def test_every_task_in_proportion(splitter):
    X, y, task = drawn()
    splits = list(splitter.split(X, y, groups=task))
    assert len(splits) == splitter.get_n_splits(X, y, task)
    for train, test in splits:
        assert len(np.intersect1d(train, test)) == 0 and len(train) + len(test) == 72
        for label in "abc":
            share = np.mean(task[test] == label) * len(test) / np.sum(task == label)
            assert abs(share - 0.25) <= 1 / np.sum(task == label) + 1e-12


@pytest.mark.parametrize("splitter", SPLITTERS[:4], ids=repr)
def test_folds_test_every_row_once(splitter):
    X, y, task = drawn()
    tested = np.concatenate([test for _, test in splitter.split(X, y, groups=task)])
    assert_array_equal(np.sort(tested), np.arange(72))


@pytest.mark.parametrize("splitter", SPLITTERS[2:4], ids=repr)
def test_classes_in_proportion(splitter):
    X, y, task = drawn()
    for _, test in splitter.split(X, y, groups=task):
        for label in "abc":
            for value in (0, 1):
                own = (task == label) & (y == value)
                assert abs(own[test].sum() - own.sum() / 4) < 1


@pytest.mark.parametrize("splitter", SPLITTERS, ids=repr)
@pytest.mark.parametrize("kind", ["frame", "array"])
def test_task_column(splitter, kind):
    X, y, task = drawn()
    codes = np.unique(task, return_inverse=True)[1]
    frame = pd.DataFrame(X, columns=["u", "v", "w"]).assign(school=codes)
    expected = list(splitter.split(X, y, groups=task))
    named = type(splitter)(**{**vars(splitter), "task_column": "school" if kind == "frame" else -1})
    found = list(named.split(frame if kind == "frame" else frame.to_numpy(), y))
    for (a, b), (c, d) in zip(expected, found, strict=True):
        assert_array_equal(a, c)
        assert_array_equal(b, d)


def test_a_task_with_one_row_is_trained_on():
    X, task = np.zeros((9, 1)), np.array(list("aaaabbbbc"))
    for splitter in (TaskKFold(2), TaskShuffleSplit(3, random_state=0)):
        assert all(8 in train for train, _ in splitter.split(X, groups=task))


def test_random_splits_repeat():
    X, y, task = drawn()
    for splitter in (TaskShuffleSplit(random_state=3), TaskKFold(shuffle=True, random_state=3)):
        a, b = list(splitter.split(X, y, task)), list(splitter.split(X, y, task))
        assert all(np.array_equal(s[1], t[1]) for s, t in zip(a, b, strict=True))
    splits = list(TaskShuffleSplit(2, random_state=0).split(X, y, task))
    assert not np.array_equal(splits[0][1], splits[1][1])


def test_sizes_of_random_splits():
    X, task = np.zeros((30, 1)), np.repeat([0, 1], [20, 10])
    for sizes, train, test in (
        ({}, (18, 9), (2, 1)),
        ({"test_size": 0.5}, (10, 5), (10, 5)),
        ({"train_size": 0.3}, (6, 3), (14, 7)),
        ({"train_size": 0.3, "test_size": 0.2}, (6, 3), (4, 2)),
    ):
        found = next(iter(TaskShuffleSplit(1, random_state=0, **sizes).split(X, groups=task)))
        assert tuple(np.bincount(task[found[0]])) == train and tuple(np.bincount(task[found[1]])) == test


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda X, y, t: TaskKFold(1), "n_splits"),
        (lambda X, y, t: list(TaskKFold(50).split(X[:20], groups=t[:20])), "n_splits=50 is more than the 20 rows"),
        (lambda X, y, t: list(TaskStratifiedKFold(2).split(X, np.c_[y, y], t)), "use TaskKFold"),
        (lambda X, y, t: list(TaskShuffleSplit(test_size=1.5).split(X, y, t)), "test_size must be a share"),
        (lambda X, y, t: list(TaskShuffleSplit(test_size=0.7, train_size=0.7).split(X, y, t)), "more than the whole"),
        (lambda X, y, t: list(TaskShuffleSplit().split(X[:2], groups=["a", "b"])), "at least 2 rows"),
        (lambda X, y, t: list(TaskKFold(task_column="u").split(X, y)), "without column names"),
        (lambda X, y, t: TaskKFold(3, random_state=0), "random_state=0 has no effect without shuffle"),
        (lambda X, y, t: TaskKFold(3, shuffle="no"), "shuffle must be True or False, got 'no'"),
        (lambda X, y, t: TaskShuffleSplit(0), "n_splits must be an integer >= 1, got 0"),
        (lambda X, y, t: list(TaskStratifiedKFold(3).split(X, None, t)), "y is missing"),
        (lambda X, y, t: list(TaskKFold(2).split(X, groups=t[:5])), "inconsistent numbers of samples"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make(*drawn())


def test_in_a_search_without_configuration():
    X, y, task = drawn()
    X = np.column_stack([X, np.unique(task, return_inverse=True)[1]])
    estimator = cm.BlockSparseClassifier(task_column=-1)
    search = GridSearchCV(estimator, {"alpha": [0.01, 0.1]}, cv=TaskStratifiedKFold(3, task_column=-1)).fit(X, y)
    assert search.best_params_["alpha"] in (0.01, 0.1)
    assert len(cross_val_score(estimator, X, y, cv=TaskShuffleSplit(4, task_column=-1, random_state=0))) == 4
