"""Prediction intervals: by hand, in simulations of what they promise, for every layout, and where they are refused."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import convexmtl as cm
from convexmtl import intervals, prediction_interval
from convexmtl.compose import TargetTransformer
from convexmtl.model_selection import TaskKFold


def stacked(sizes=(60, 40, 50), seed=0, d=3):
    rng = np.random.default_rng(seed)
    task = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    X = rng.normal(size=(len(task), d))
    return X, X[:, 0] * (1 + task % 3) + (1 + task % 3) * rng.normal(size=len(task)), task


def quantile_by_hand(residuals, alpha):
    k = int(np.ceil((1 - alpha) * (len(residuals) + 1) - 1e-9))
    return np.sort(residuals)[k - 1] if k <= len(residuals) else np.inf


# ------------------------------------------------------------------------------------ what they are


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.2])
def test_tasks_with_many_rows_have_their_own(alpha):
    X, y, task = stacked()
    name = np.array(["b", "c", "a"])[task]
    model = cm.MeanRegularizedRegressor().fit(X, y, task=name)
    cal = stacked(seed=1)
    interval = prediction_interval(model, cal[0], cal[1], task=np.array(["b", "c", "a"])[cal[2]], alpha=alpha)
    assert interval.tasks == ["a", "b", "c"] and interval.n_calibration.tolist() == [50, 60, 40]
    residuals = np.abs(cal[1] - model.predict(cal[0], task=np.array(["b", "c", "a"])[cal[2]]))
    expected = [quantile_by_hand(residuals[cal[2] == code], alpha) for code in (2, 0, 1)]
    assert_allclose(interval.half_width, expected)
    ends = interval.predict(X, task=name)
    assert_allclose(ends.mean(axis=1), model.predict(X, task=name))
    assert_allclose(np.diff(ends, axis=1)[:, 0] / 2, np.array(expected)[np.searchsorted(["a", "b", "c"], name)])


def borrowed_by_hand(pool, t, alpha):
    """The rule of the docstring for task t of a pool whose residuals are in the order in which they are lent."""
    R, T = pool.residuals, len(pool.residuals)
    n = np.array([len(r) for r in R])
    out = [s for s in range(T) if s % 5 == (t + 1) % 5]
    enough = max(int(np.ceil(2 / alpha - 1e-9)) - 1, (T - 1) / 2)
    inside = [s for s in range(T) if s != t and s not in out]
    k = next((k for k in range(n[t], 0, -1) if sum(n[s] > k for s in inside) >= enough), 0)
    usual = np.median([np.mean(R[s]) for s in out])
    lenders = [s for s in inside if n[s] > k] if k else [s for s in range(T) if s != t]
    scale = lambda some: (3 * usual + np.sum(some)) / (3 + k) if k else 1.0  # noqa: E731
    units, shares = [], []
    for s in lenders:
        for i in range(n[s]):
            units.append(R[s][i] / scale([R[s][(i + j) % n[s]] for j in range(1, k + 1)]))
            shares.append(1 / n[s])
    order = np.argsort(units)
    above = np.cumsum(np.array(shares)[order]) >= (1 - alpha) * (len(lenders) + 1) - 1e-9
    return k, (np.array(units)[order][np.argmax(above)] if above.any() else np.inf) * scale(R[t][:k])


@pytest.mark.parametrize("alpha", [0.1, 0.2])
@pytest.mark.parametrize("sizes", [(1, 2), (1, 4, 6), (2, 7, 30)], ids=str)
def test_tasks_with_few_rows_borrow(alpha, sizes):
    rng = np.random.default_rng(0)
    residuals = [np.abs(rng.normal(size=n)) * (1 + n) for n in rng.choice(sizes, size=45)]
    # (Equal ones are not counted twice.)
    residuals = [np.round(r, 1) for r in residuals]
    pool = intervals._Pool(residuals, alpha)
    width, source, other = pool.intervals()
    found = {t: borrowed_by_hand(pool, t, alpha) for t in range(45) if len(residuals[t]) < 2 / alpha - 1}
    assert_allclose([width[t] for t in found], [h for _, h in found.values()])
    assert np.all(source[list(found)] == "borrowed") and len({k for k, _ in found.values()}) > (max(sizes) > 2)
    lent = np.concatenate(residuals)
    weights = np.concatenate([np.full(len(r), 1 / len(r)) for r in residuals])
    assert weights[lent <= other].sum() >= (1 - alpha) * 46 > weights[lent < other].sum()


def test_tasks_that_have_to_borrow_do_it_from_each_other():
    rng = np.random.default_rng(0)
    few, many = [np.abs(10 * rng.normal(size=4)) for _ in range(40)], [np.abs(rng.normal(size=80)) for _ in range(60)]
    width, source, _ = intervals._intervals(many + few, 0.1)
    alone, _, _ = intervals._intervals(few, 0.1)
    assert_array_equal(width[60:], alone)
    assert source.tolist() == ["own"] * 60 + ["borrowed"] * 40


# -------------------------------------------------------------------------------- what they promise


def simulated(draw, n, alpha, T=40, seeds=150):
    """Coverage (seeds, T), by the law of the residuals; ``draw(rng)`` makes deviations of normal residuals (T,)."""
    coverage = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        scale, sizes = draw(rng, T), n if np.ndim(n) else np.full(T, n)
        residuals = [np.abs(s * rng.normal(size=m)) for s, m in zip(scale, sizes, strict=True)]
        coverage.append(2 * norm.cdf(intervals._intervals(residuals, alpha)[0] / scale) - 1)
    return np.array(coverage)


@pytest.mark.parametrize("alpha", [0.1, 0.2])
@pytest.mark.parametrize("n", [2, 6, 25])
def test_coverage(n, alpha):
    """On average over the tasks, however their scales differ; and by a narrower margin than one pool for all has."""
    coverage = simulated(lambda rng, T: np.exp(0.8 * rng.normal(size=T)), n, alpha)
    of_seeds = coverage.mean(axis=1)
    error = of_seeds.std(ddof=1) / np.sqrt(len(of_seeds))
    assert 1 - alpha - 2.5 * error <= of_seeds.mean() <= 1 - alpha + 0.04
    # Single tasks are further from it the fewer rows they have.
    low = np.quantile(coverage, 0.1)
    assert low >= 1 - alpha - {2: 0.35, 6: 0.2, 25: 0.1}[n]


def test_coverage_of_each_task_with_rows_enough():
    scale = np.geomspace(0.01, 100, 12)
    coverage = simulated(lambda rng, T: scale, 30, 0.1, T=12, seeds=300)
    error = coverage.std(axis=0, ddof=1) / np.sqrt(300)
    assert np.all(coverage.mean(axis=0) >= 0.9 - 3.5 * error)
    assert np.all(coverage.mean(axis=0) <= 0.9 + 1 / 31 + 3.5 * error)


def test_a_new_task():
    """One that has no calibration rows, drawn as the others were."""
    inside = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        scale = np.exp(0.5 * rng.normal(size=31))
        other = intervals._intervals([np.abs(s * rng.normal(size=5)) for s in scale[1:]], 0.1)[2]
        inside.append(2 * norm.cdf(other / scale[0]) - 1)
    assert np.mean(inside) >= 0.9 - 2.5 * np.std(inside) / np.sqrt(300)


# ------------------------------------------------------------------------------- layouts, and around them


def test_one_x_for_all_tasks():
    rng = np.random.default_rng(0)
    X, noise = rng.normal(size=(160, 3)), rng.normal(size=(160, 4)) * [0.1, 1.0, 3.0, 1.0]
    Y = X @ rng.normal(size=(3, 4)) + noise
    model = cm.BlockSparseRegressor(0.05).fit(X[:80], pd.DataFrame(Y[:80], columns=list("wxyz")))
    held = pd.DataFrame(Y[80:], columns=list("wxyz"))
    held.loc[held.index[::2], "y"] = np.nan
    held["z"] = np.nan
    interval = prediction_interval(model, X[80:], held, alpha=0.2)
    assert interval.tasks == ["w", "x", "y"] and interval.n_calibration.tolist() == [80, 80, 40]
    ends = interval.predict(X[:5])
    assert ends.shape == (5, 4, 2) and np.all(np.isinf(ends[:, 3])) and np.all(np.isfinite(ends[:, :3]))
    widths = np.diff(ends[0], axis=1)[:3, 0] / 2
    assert_allclose(widths, interval.half_width)
    assert widths[0] < widths[1] < widths[2]
    # Labels of rows, of what was fitted by columns.
    assert_allclose(interval.predict(X[:2], task=["y", "w"]), [ends[0, 2], ends[1, 0]])


def test_a_single_task():
    X, y, _ = stacked((90,))
    interval = prediction_interval(cm.BlockSparseRegressor(0.1).fit(X[:40], y[:40]), X[40:], y[40:])
    assert interval.predict(X).shape == (90, 2) and interval.source.tolist() == ["own"]


FRAME = ["a", "b", "c"]


def frame(seed):
    X, y, task = stacked(seed=seed)
    return pd.DataFrame(X, columns=FRAME).assign(school=np.array(["s", "t", "u"])[task]), y, np.array(list("stu"))[task]


def scaled(model):
    scale = make_column_transformer((StandardScaler(), FRAME), remainder="passthrough", verbose_feature_names_out=False)
    return make_pipeline(scale.set_output(transform="pandas"), model)


AROUND = {
    "estimator": lambda: cm.MeanRegularizedRegressor(task_column="school"),
    "pipeline": lambda: scaled(cm.MeanRegularizedRegressor(task_column="school")),
    "search": lambda: GridSearchCV(
        scaled(cm.MeanRegularizedRegressor(task_column="school")),
        {"meanregularizedregressor__alpha_mean": [0.1, 1.0]},
        cv=TaskKFold(3, task_column="school"),
    ),
    "twin": lambda: cm.BlockSparseRegressorCV(task_column="school", alphas=4, cv=3),
    "transformed": lambda: TargetTransformer(cm.MeanRegularizedRegressor(task_column="school")),
}


@pytest.mark.parametrize("around", AROUND)
def test_around_the_estimator(around):
    model = AROUND[around]().fit(*frame(0)[:2])
    X, y, label = frame(1)
    interval = prediction_interval(model, X, y)
    assert interval.tasks == ["s", "t", "u"]
    residuals = np.abs(y - model.predict(X))
    assert_allclose(interval.half_width, [quantile_by_hand(residuals[label == own], 0.1) for own in "stu"])
    X, y, label = frame(2)
    low, high = interval.predict(X).T
    assert_allclose((low + high) / 2, model.predict(X))
    assert_allclose(high - low, 2 * interval.half_width[np.searchsorted(interval.tasks, label)])


def test_labels_as_an_argument_through_a_pipeline():
    X, y, task = stacked()
    pipe = make_pipeline(StandardScaler(), cm.MeanRegularizedRegressor())
    pipe.fit(X, y, meanregularizedregressor__task=task)
    X, y, task = stacked(seed=1)
    residuals = np.abs(y - pipe.predict(X, task=task))
    interval = prediction_interval(pipe, X, y, task=task)
    assert_allclose(interval.half_width, [quantile_by_hand(residuals[task == t], 0.1) for t in range(3)])
    assert interval.predict(X, task=task).shape == (150, 2)
    with pytest.raises(ValueError, match="task is missing"):
        interval.predict(X)


def test_models_that_know_of_no_tasks():
    X, y, _ = stacked()
    model = Ridge().fit(X, y)
    interval = prediction_interval(model, *stacked(seed=1)[:2], task=stacked(seed=1)[2])
    assert len(set(interval.half_width)) == 3
    with pytest.raises(ValueError, match="task is missing: the calibration samples had tasks"):
        interval.predict(X)
    # A task that they have not been calibrated for.
    few = prediction_interval(model, X[:60], y[:60], task=np.arange(60) // 5)
    ends = few.predict(X[:2], task=[3, 99])
    assert_allclose(np.diff(ends, axis=1)[:, 0] / 2, [few.half_width[3], few.other_half_width])
    assert np.all(np.isfinite(ends))


# ------------------------------------------------------------------------------------- what is refused


def test_too_few_calibration_rows():
    X, y, task = stacked((30, 30, 30))
    model = cm.MeanRegularizedRegressor().fit(X, y, task=task)
    rows = np.concatenate(
        [np.flatnonzero(task == 0)[:12], np.flatnonzero(task == 1)[:3], np.flatnonzero(task == 2)[:8]]
    )
    with pytest.warns(
        UserWarning, match=r"2 tasks have infinite intervals: they have fewer than 9 .* These are 1, 2\."
    ):
        interval = prediction_interval(model, X[rows], y[rows], task=task[rows])
    assert interval.source.tolist() == ["own", "infinite", "infinite"]
    assert repr(interval) == "90% prediction intervals for 3 tasks: 1 by their own residuals, 2 infinite."
    assert np.all(np.isinf(interval.predict(X, task=task)[task > 0]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.all(np.isfinite(prediction_interval(model, X[rows], y[rows], task=task[rows], alpha=0.4).half_width))


def test_bad_input():
    X, y, task = stacked()
    model = cm.MeanRegularizedRegressor().fit(X, y, task=task)
    for classifier in (cm.BlockSparseClassifier().fit(X, y > 0), make_pipeline(LogisticRegression()).fit(X, y > 0)):
        with pytest.raises(TypeError, match="is for regressors, got the classifier"):
            prediction_interval(classifier, X, y > 0)
    for thing in (StandardScaler(), cm.MeanRegularizedRegressor, 3):
        with pytest.raises(TypeError, match="does not predict"):
            prediction_interval(thing, X, y)
    for alpha in (0, 1, 1.5, -0.1, np.nan, "0.1", True):
        with pytest.raises(ValueError, match="alpha must be a number between 0 and 1"):
            prediction_interval(model, X, y, task=task, alpha=alpha)
    with pytest.raises(NotFittedError):
        prediction_interval(cm.MeanRegularizedRegressor(), X, y, task=task)
    with pytest.raises(ValueError, match="task is missing"):
        prediction_interval(model, X, y)
    with pytest.raises(ValueError, match="was not seen in fit"):
        prediction_interval(model, X, y, task=task + 1)
    with pytest.raises(
        ValueError, match=r"y_cal must have the shape of the predictions for X_cal, \(150,\), got \(149,\)"
    ):
        prediction_interval(model, X, y[:-1], task=task)
    with pytest.raises(ValueError, match="y_cal has no target"):
        prediction_interval(Ridge().fit(X, y[:, None]), X, np.full((len(X), 1), np.nan))
    search = GridSearchCV(cm.MeanRegularizedRegressor(), {"alpha_mean": [1.0]}, cv=2).fit(X, y)
    with pytest.raises(ValueError, match="hands nothing on to its MeanRegularizedRegressor: name a task_column"):
        prediction_interval(search, X, y, task=task)
