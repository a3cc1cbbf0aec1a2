"""The relatives: what they recover, that they never rise, and that they keep to the conventions of all estimators."""

import cases
import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import is_classifier
from sklearn.metrics import adjusted_rand_score

import convexmtl as cm
from convexmtl import datasets, relatives
from convexmtl.relatives._base import Relative
from convexmtl.relatives._descent import agreeing, descend

CLASSES = [cls for cls in (getattr(relatives, name) for name in relatives.__all__) if issubclass(cls, Relative)]
every_class = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)


@cases.few_checks
@cases.checks_of_scikit_learn([cls() for cls in CLASSES])
def test_sklearn_compatible_estimator(estimator, check):
    check(estimator)


# ------------------------------------------------------------------------------- the loop


def test_descent_takes_no_step_that_rises():
    options = {"enough": 1e-3, "slack": 0.1, "max_iter": 50}
    steps = iter([4.0, 2.0, 1.0, 1.05])
    run = descend(8.0, float, lambda _: next(steps), **options)
    assert run.history == [8.0, 4.0, 2.0, 1.0] and run.state == 1.0 and run.converged
    for wrong in (5.5, np.nan):
        steps = iter([4.0, wrong])
        run = descend(8.0, float, lambda _, steps=steps: next(steps), **options)
        assert run.history == [8.0, 4.0] and not run.converged and not run.risen == 0
    run = descend(1.0, float, lambda state: state / 2, **{**options, "max_iter": 3})
    assert len(run.history) == 4 and not run.converged
    assert descend(1.0, float, lambda state: state / 2, **options).converged
    assert agreeing([1.0, 1.1, 3.0, 1.0], 0.2) == 3


# ------------------------------------------------------------------------------- conventions


def draw(cls, seed=0, n=12):
    X, y, task, *_ = datasets.make_clustered(n_tasks=6, n_samples=n, n_features=4, n_clusters=2, random_state=seed)
    return X, (np.where(y > np.median(y), "yes", "no") if is_classifier(cls()) else y), np.array(list("abcdef"))[task]


def outcome(model, X, task):
    return getattr(model, "decision_function", model.predict)(X, task=task)


@every_class
def test_never_rises_and_repeats_itself(cls):
    X, y, task = draw(cls)
    model = cls(random_state=3).fit(X, y, task=task)
    assert np.all(np.diff(model.objective_history_) <= 0)
    assert model.objective_ == model.objective_history_[-1] == model.objectives_.min()
    assert 1 <= model.n_agreeing_ <= len(model.objectives_) == getattr(model, "n_init", 1)
    assert model.n_iter_ == max(len(model.objective_history_) - 1, 1) and model.n_fits_ > 0
    again = cls(random_state=3).fit(X, y, task=task)
    assert np.array_equal(outcome(model, X, task), outcome(again, X, task))


@every_class
def test_layouts_weights_and_columns_agree(cls):
    X, y, task = draw(cls)
    rows = cls().fit(X, y, task=task)
    shared = np.full(
        (len(X), 6), None if is_classifier(rows) else np.nan, dtype=object if is_classifier(rows) else float
    )
    codes = np.searchsorted(rows.tasks_, task)
    shared[np.arange(len(X)), codes] = y
    holes = cls().fit(X, shared)
    beside = getattr(holes, "decision_function", holes.predict)(X)[np.arange(len(X)), codes]
    assert_allclose(beside, outcome(rows, X, task), atol=1e-4)
    often = 1 + np.arange(len(X)) % 3
    given = cls().fit(X, y, task=task, sample_weight=often)
    many = np.repeat(np.arange(len(X)), often)
    assert_allclose(outcome(given, X, task), outcome(cls().fit(X[many], y[many], task=task[many]), X, task), atol=1e-3)
    table = np.column_stack([X, codes])
    column = cls(task_column=4, unseen_task="mean").fit(table, y)
    assert_allclose(outcome(column, table, None), outcome(rows, X, task), atol=1e-9)
    assert getattr(column, "decision_function", column.predict)(np.append(X[:1], [[77]], axis=1)).shape == (1,)


@every_class
def test_offsets(cls):
    X, y, task = draw(cls)
    offset = np.linspace(-0.5, 0.5, len(X))
    model = cls().fit(X, y, task=task, offset=offset)
    plain = outcome(model, X, task)
    scored = getattr(model, "decision_function", model.predict)(X, task=task, offset=offset)
    assert_allclose(scored - plain, offset, atol=1e-12)
    if not is_classifier(model):
        assert_allclose(plain, cls().fit(X, y - offset, task=task).predict(X, task=task), atol=1e-8)


@every_class
def test_no_certificate_where_nothing_is_convex(cls):
    X, y, task = draw(cls)
    model = cls().fit(X, y, task=task)
    with pytest.raises(TypeError, match="no convex problem"):
        cm.certify(model, X, y, task=task)


@every_class
def test_loss_of_a_whole_task(cls):
    X, y, task = draw(cls)
    if is_classifier(cls()) or cls._loss is None:
        return
    with pytest.raises(ValueError, match="loss='sqrt' is a loss of all samples of a task at once"):
        cls(loss="sqrt").fit(X, y, task=task)


def test_verbose(capsys):
    X, y, task = draw(relatives.SharedHypothesesRegressor)
    relatives.SharedHypothesesRegressor(verbose=1).fit(X, y, task=task)
    assert "[SharedHypothesesRegressor] start 1, step 1: objective" in capsys.readouterr().out
    cm.HierarchicalGaussianProcess(verbose=1).fit(X, y, task=task)
    assert "[HierarchicalGaussianProcess] step 1" in capsys.readouterr().out


# ------------------------------------------------------------------------------- shared hypotheses


def test_shared_hypotheses_find_the_clusters():
    for seed in range(3):
        X, y, task, _, clusters = datasets.make_clustered(
            n_tasks=20, n_samples=15, n_features=6, n_clusters=3, random_state=seed
        )
        model = relatives.SharedHypothesesRegressor(3, random_state=seed).fit(X, y, task=task)
        assert adjusted_rand_score(clusters, model.labels_) > 0.85
        # Each model is what a ridge makes of all samples of its tasks.
        for k, own in enumerate(model.hypotheses_):
            rows = np.isin(task, np.flatnonzero(model.labels_ == k))
            A = X[rows] - X[rows].mean(axis=0)
            ridge = np.linalg.solve(A.T @ A / 15 + 0.02 * np.eye(6), A.T @ y[rows] / 15)
            assert_allclose(own, ridge, atol=1e-3)


def test_more_hypotheses_than_tasks():
    X, y, task = draw(relatives.SharedHypothesesRegressor)
    with pytest.raises(
        ValueError, match=r"n_clusters must be an integer between 1 and the number of tasks \(6\), got 7"
    ):
        relatives.SharedHypothesesRegressor(7).fit(X, y, task=task)
    with pytest.raises(ValueError, match=r"Only binary classification is supported\..* in task 'a'"):
        relatives.SharedHypothesesClassifier().fit(X, np.arange(len(X)) % 3, task=task)
    every = relatives.SharedHypothesesRegressor(6, alpha=1e-8).fit(X, y, task=task)
    assert len(every.hypotheses_) == 6 and every.score(X, y, task=task) > 0.8
