"""Sufficient statistics: the same models from them as from the samples, however these are divided."""

import io
import pickle

import cases
import numpy as np
import pandas as pd
import pytest
import skops.io
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone

import convexmtl as cm
from convexmtl import SufficientStatistics
from convexmtl.tasks import Tasks

FAMILIES = {
    "block_sparse": cm.BlockSparseRegressor(0.1),
    "mean_regularized": cm.MeanRegularizedRegressor(),
    "trace_norm": cm.TraceNormRegressor(0.1),
    "dirty": cm.DirtyRegressor(0.1, 0.06),
    "clustered": cm.ClusteredRegressor(),
    "known_clusters": cm.ClusteredRegressor(clusters=[0, 0, 1, 1]),
    "temporal": cm.TemporalRegressor(),
}
FORMS = ["shared", "missing", "stacked", "single"]
ARRAYS = ("n_samples", "weight", "mean_X", "mean_y", "gram", "cross", "square")


def draw(form, far=0.0, seed=0):
    """(X, y, options): features and targets whose means are ``far`` times their deviations, and weights."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((48, 6)) * np.geomspace(0.5, 2, 6)
    T = 1 if form == "single" else 4
    Y = X @ (rng.standard_normal((6, 1)) + 0.3 * rng.standard_normal((6, T))) + 0.5 * rng.standard_normal((48, T))
    X, Y = X + far * X.std(axis=0), Y + far * Y.std(axis=0)
    weight = rng.uniform(0.2, 3, 48)
    if form == "stacked":
        codes = rng.permutation(np.repeat(np.arange(4), (9, 12, 17, 10)))
        return X, Y[np.arange(48), codes], {"task": cases.TASK_NAMES[codes], "sample_weight": weight}
    if form == "missing":
        Y[rng.random(Y.shape) < 0.2] = np.nan
        Y[5] = np.nan
    return X, Y[:, 0] if form == "single" else Y, {"sample_weight": weight}


def some(data, rows):
    X, y, options = data
    return X[rows], y[rows], {name: value[rows] for name, value in options.items()}


def statistics(data, rows=slice(None)):
    X, y, options = some(data, rows)
    return SufficientStatistics.from_arrays(X, y, **options)


def assert_same(a, b, rtol=1e-12):
    """Two statistics are equal within rounding, each array relative to what it is made of."""
    assert_array_equal(a.tasks, b.tasks)
    assert a.layout == b.layout
    T, d = a.n_tasks, a.n_features
    length = np.sqrt(np.maximum(np.einsum("kjj->jk", b.gram), 0)) + 1e-300
    size = np.sqrt(b.square) + 1e-300
    assert_allclose(np.broadcast_to(a.weight, T), np.broadcast_to(b.weight, T), rtol=rtol)
    assert_allclose(np.broadcast_to(a.n_samples, T), np.broadcast_to(b.n_samples, T), rtol=rtol)
    scale = (length.T[:, :, None] * length.T[:, None, :], np.broadcast_to(length * size, (d, T)), size**2)
    for name, unit in zip(("gram", "cross", "square"), scale, strict=True):
        mine, yours = np.broadcast_arrays(getattr(a, name), getattr(b, name))
        assert np.all(np.abs(mine - yours) <= rtol * unit), name
    for what, unit in {"X": length / np.sqrt(b.weight), "y": size / np.sqrt(b.weight)}.items():
        away = getattr(a, f"mean_{what}") - getattr(b, f"mean_{what}")
        away = away + (getattr(a, f"rest_{what}") - getattr(b, f"rest_{what}"))
        assert np.all(np.abs(away) <= rtol * unit), what


# ------------------------------------------------------------------------------------- the same models


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("family", FAMILIES)
def test_parts_give_the_model_of_all_samples(family, form, fit_intercept):
    if form == "single" and family in ("known_clusters", "clustered", "temporal"):
        return
    data = draw(form)
    X, y, options = data
    whole = clone(FAMILIES[family]).set_params(fit_intercept=fit_intercept, tol=1e-13).fit(X, y, **options)
    model = clone(whole)
    for rows in (slice(20), slice(20, 21), slice(21, 48)):
        part_X, part_y, part_options = some(data, rows)
        # (As many tasks as known clusters from the first call on.)
        model.partial_fit(part_X, part_y, **part_options)
    assert_allclose(model.coef_, whole.coef_, atol=1e-8 * np.abs(whole.coef_).max())
    assert_allclose(model.intercept_, whole.intercept_, atol=1e-8)
    assert_allclose(model.objective_, whole.objective_, rtol=1e-10)
    assert_array_equal(model.tasks_, whole.tasks_)
    task = {"task": options["task"]} if form == "stacked" else {}
    assert_allclose(model.predict(X, **task), whole.predict(X, **task), atol=1e-7)
    scale = cases.scale_of(whole._formulate(X, y, **options).problem)
    assert cm.certify(model, X, y, **options).gap <= 1e-12 * scale


@pytest.mark.parametrize("form", FORMS[:3])
@pytest.mark.parametrize("family", ["block_sparse", "mean_regularized", "trace_norm"])
def test_features_far_from_zero(family, form):
    """Of means 1e6 times their deviation."""
    X, y, options = data = draw(form, far=1e6)
    whole = clone(FAMILIES[family]).set_params(tol=1e-10, max_iter=2000).fit(X, y, **options)
    model = clone(whole).fit_statistics(statistics(data, slice(17)) + statistics(data, slice(17, 48)))
    assert_allclose(model.coef_, whole.coef_, atol=1e-8 * np.abs(whole.coef_).max())
    assert_same(statistics(data, slice(17)) + statistics(data, slice(17, 48)), statistics(data), 1e-12)


@pytest.mark.parametrize("task_weight", ["size", [0.5, 2.0, 1.0, 3.0]])
def test_task_weights(task_weight):
    X, y, options = data = draw("stacked")
    model = cm.BlockSparseRegressor(0.1, task_weight=task_weight, tol=1e-13)
    whole = clone(model).fit(X, y, **options)
    assert_allclose(model.fit_statistics(statistics(data)).coef_, whole.coef_, atol=1e-8)


def test_parts_whose_weights_differ_by_a_factor():
    """Of every task within a part, but not from part to part."""
    X, y, _ = draw("shared")
    weight = np.outer(np.linspace(0.5, 2, 48), [1.0, 2.0, 0.5, 3.0])
    weight[20:] = weight[20:, ::-1]
    data = X, y, {"sample_weight": weight}
    assert_same(statistics(data, slice(20)) + statistics(data, slice(20, 48)), statistics(data))


def test_more_features_than_samples():
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((12, 30)), rng.standard_normal((12, 3))
    model = cm.BlockSparseRegressor(0.1, tol=1e-12)
    found = SufficientStatistics.from_arrays(X, Y)
    # As few rows as their rank asks for.
    assert found._tasks().n_rows == 11 + 2
    assert_allclose(model.fit_statistics(found).coef_, clone(model).fit(X, Y).coef_, atol=1e-8)


@pytest.mark.parametrize("size", [1, 2, 5, 6, 7, 8])
def test_small_tasks(size):
    """Of as many samples as features, and fewer: singular matrices of any rank among others."""
    rng = np.random.default_rng(size)
    task = np.concatenate([np.repeat(np.arange(200), size), np.repeat(200, 40)])
    X, y = rng.standard_normal((len(task), 6)), rng.standard_normal(len(task))
    tasks = SufficientStatistics.from_arrays(X, y, task)._tasks()
    samples = Tasks.stacked(X, y, task, 201)
    for centred in (False, True):
        grams = [t.gram(t.weight, t.means(t.weight) if centred else None) for t in (tasks, samples)]
        assert_allclose(*grams, atol=1e-13)
    assert_allclose(*(t.adjoint(t.weight * t.y) for t in (tasks, samples)), atol=1e-13)
    assert_allclose(*(t.sum(t.weight * t.y**2) for t in (tasks, samples)), rtol=1e-9)


def test_features_of_any_scale():
    X, y, options = draw("stacked")
    units = 10.0 ** np.array([-12, -6, 0, 3, 6, 9])
    tasks = SufficientStatistics.from_arrays(X * units, y, **options)._tasks()
    expected = SufficientStatistics.from_arrays(X, y, **options)._tasks()
    assert_allclose(tasks.gram(tasks.weight) / np.outer(units, units), expected.gram(expected.weight), atol=1e-10)


@pytest.mark.parametrize("form", FORMS[:3])
def test_constant_features_have_no_coefficients(form):
    X, y, options = draw(form)
    X[:, 2] = 7.7
    data = X, y, options
    found = statistics(data, slice(17)) + statistics(data, slice(17, 48))
    model = cm.MeanRegularizedRegressor().fit_statistics(found)
    assert not model.coef_[:, 2].any()
    assert model.coef_[:, 1].all()


@pytest.mark.parametrize("form", FORMS[:3])
def test_sparse_features(form):
    X, y, options = draw(form)
    X[np.random.default_rng(1).random(X.shape) < 0.7] = 0.0
    assert_same(statistics((csr_array(X), y, options)), statistics((X, y, options)))


def test_errors_of_many_models():
    for form in FORMS[:3]:
        X, y, options = data = draw(form)
        rng = np.random.default_rng(1)
        W, b = rng.standard_normal((3, 6, 4)), rng.standard_normal((3, 4))
        weight = options["sample_weight"][:, None]
        z = np.einsum("ij,ajt->ait", X, W) + b[:, None, :]
        if form == "stacked":
            seen = options["task"][:, None] == np.unique(options["task"])
            squares = weight * seen * (y[:, None] - z) ** 2
        else:
            squares = np.where(np.isnan(y), 0.0, weight * (np.nan_to_num(y) - z) ** 2)
        found = statistics(data)
        assert_allclose(found.squared_error(W, b), squares.sum(axis=1), rtol=1e-12)
        assert_allclose(found.squared_error(W[0], b[0]), squares.sum(axis=1)[0], rtol=1e-12)


@pytest.mark.parametrize("form", ["shared", "missing", "stacked"])
def test_statistics_of_a_fold(form):
    """What is left when a fold is taken out is the other part."""
    targets, rng = cases.real_targets, np.random.default_rng(0)
    tasks = {
        "shared": lambda: cases.shared(targets, rng),
        "missing": lambda: cases.shared(targets, rng, missing=0.2),
        "stacked": lambda: cases.stacked(targets, rng, weight=cases.row_weights),
    }[form]()
    test = (np.arange(tasks.n_rows) % 3 == 0).astype(float)
    whole, fold, rest = (SufficientStatistics._of_part(tasks, often) for often in (test + (1 - test), test, 1 - test))
    assert_same(whole - fold, rest)
    assert_same(fold + rest, whole)


# ------------------------------------------------------------------------------------- sums and differences


@cases.law(30)
@given(
    st.sampled_from(FORMS[:3]),
    st.permutations(range(48)),
    st.lists(st.integers(1, 47), min_size=1, max_size=6, unique=True),
    st.sampled_from([0.0, 1e6]),
)
def test_order_and_partition_do_not_matter(form, order, cuts, far):
    data = draw(form, far)
    parts = [statistics(data, np.array(rows)) for rows in np.split(np.array(order), sorted(cuts))]
    assert_same(parts[0].merge(*parts[1:]), statistics(data), 1e-12)


@cases.law(30)
@given(st.sampled_from(FORMS[:3]), st.integers(12, 40), st.sampled_from([0.0, 1e6]))
def test_taking_out_is_the_inverse_of_merging(form, size, far):
    data = draw(form, far)
    first, second = statistics(data, slice(size)), statistics(data, slice(size, 48))
    assert_same(first + second - second, first, 1e-11)


def test_many_small_parts():
    data = draw("stacked", far=1e6)
    found = statistics(data, slice(1))
    for i in range(1, 48):
        found = found + statistics(data, slice(i, i + 1))
    assert_same(found, statistics(data))


def test_tasks_may_be_new():
    X, y, options = data = draw("stacked")
    task = options["task"]
    first, second = task < "south", task >= "south"
    a, b = statistics(data, first), statistics(data, second)
    assert_array_equal((b + a).tasks, np.unique(task))
    assert_same(a + b, statistics(data))
    assert_same(a + b - b, a)
    model = cm.BlockSparseRegressor(0.1, tol=1e-12)
    for rows in (second, first):
        model.partial_fit(X[rows], y[rows], task=task[rows], sample_weight=options["sample_weight"][rows])
    assert_allclose(model.coef_, clone(model).fit(X, y, **options).coef_, atol=1e-8)


def test_frames_name_features_and_tasks():
    X, Y, _ = draw("shared")
    frame = pd.DataFrame(X, columns=list("abcdef"))
    targets = pd.DataFrame(Y, columns=["wheat", "rye", "oats", "barley"])
    model = cm.BlockSparseRegressor(0.1, tol=1e-12)
    model.partial_fit(frame[:20], targets[:20]).partial_fit(frame[20:], targets[20:])
    assert_array_equal(model.tasks_, targets.columns)
    assert_array_equal(model.feature_names_in_, list("abcdef"))
    found = SufficientStatistics.from_arrays(frame, targets)
    assert_same(found, model.statistics_)
    assert_array_equal(cm.BlockSparseRegressor().fit_statistics(found).feature_names_in_, list("abcdef"))
    other = SufficientStatistics.from_arrays(frame[list("abcdfe")], targets)
    with pytest.raises(ValueError, match="same features in the same order, got 'e' and 'f' at position 4"):
        found + other
    with pytest.raises(ValueError, match="feature names should match"):
        model.partial_fit(frame[list("abcdfe")], targets)


def test_task_column():
    X, y, options = draw("stacked")
    frame = pd.DataFrame(X, columns=list("abcdef")).assign(where=options["task"])
    model = cm.BlockSparseRegressor(0.1, task_column="where", tol=1e-12)
    model.partial_fit(frame[:30], y[:30]).partial_fit(frame[30:], y[30:])
    assert_allclose(model.coef_, clone(model).fit(frame, y).coef_, atol=1e-8)
    assert model.n_features_in_ == 7
    assert model.statistics_.n_features == 6
    with pytest.raises(ValueError, match="task_column='where' is a column of X, which statistics do not have"):
        model.fit_statistics(model.statistics_)


# ------------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize("form", FORMS)
def test_files(form, tmp_path):
    found = statistics(draw(form))
    found.save(tmp_path / "file")
    again = SufficientStatistics.load(tmp_path / "file")
    for name in ("tasks", "layout", "rest_X", "rest_y", *ARRAYS):
        assert_array_equal(getattr(again, name), getattr(found, name))
    assert again.feature_names is None
    buffer = io.BytesIO()
    found.save(buffer)
    buffer.seek(0)
    assert_same(SufficientStatistics.load(buffer) + found, found + found)
    assert_same(pickle.loads(pickle.dumps(found)), found)


def test_labels_that_cannot_be_saved():
    X, y, _ = draw("single")
    labels = [("a", i % 2) for i in range(48)]
    with pytest.raises(ValueError, match=r"numbers, strings or dates to be saved, got .'tuple'.: rename"):
        SufficientStatistics.from_arrays(X, y, labels).save(io.BytesIO())
    strings = np.array(["a", "b"], dtype=object)[np.arange(48) % 2]
    buffer = io.BytesIO()
    SufficientStatistics.from_arrays(pd.DataFrame(X, columns=list("abcdef")), y, strings).save(buffer)
    buffer.seek(0)
    again = SufficientStatistics.load(buffer)
    assert_array_equal(again.tasks, ["a", "b"])
    assert_array_equal(again.feature_names, list("abcdef"))


def test_other_files(tmp_path):
    np.savez(tmp_path / "other.npz", gram=np.eye(2))
    (tmp_path / "text").write_text("gram")
    for name in ("other.npz", "text"):
        with pytest.raises(ValueError, match=r"is not a file of SufficientStatistics\.save"):
            SufficientStatistics.load(tmp_path / name)


# ------------------------------------------------------------------------------------------ from moments


@pytest.mark.parametrize("form", ["shared", "stacked"])
@pytest.mark.parametrize("centred", [False, True])
def test_from_moments(form, centred):
    X, y, options = data = draw(form)
    found = statistics(data)
    gram, cross, square = found.gram, found.cross, found.square
    if not centred:
        gram = gram + np.einsum("ik,jk,k->kij", found.mean_X, found.mean_X, found.weight)
        cross = cross + found.mean_X * found.weight * found.mean_y
        square = square + found.weight * found.mean_y**2
    again = SufficientStatistics.from_moments(
        gram[0] if form == "shared" else gram,
        cross,
        square,
        found.weight,
        found.mean_X,
        found.mean_y,
        centred=centred,
        tasks=found.tasks,
    )
    model = cm.BlockSparseRegressor(0.1, tol=1e-12).fit(X, y, **options)
    assert_allclose(clone(model).fit_statistics(again).coef_, model.coef_, atol=1e-8)


GRAM, CROSS, SQUARE = np.array([[2.0, 1.0], [1.0, 2.0]]), np.array([[1.0, 0.0], [0.5, 1.0]]), np.array([2.0, 1.0])


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"gram": np.eye(3)}, r"gram must have shape \(2, 2\), or \(2, 2, 2\) with one matrix per task"),
        ({"gram": "many"}, "gram must be an array of finite numbers"),
        ({"gram": np.full((2, 2), np.nan)}, "gram must be an array of finite numbers"),
        ({"gram": [[2.0, 1.0], [0.5, 2.0]]}, "gram must be symmetric"),
        ({"gram": [[1.0, 2.0], [2.0, 1.0]]}, "gram is no Gram matrix about the means: .* eigenvalue of -1"),
        ({"cross": 10 * CROSS}, "cross of task 0 contradicts gram and square"),
        ({"gram": [[1.0, 1.0], [1.0, 1.0]]}, "cross of task 0 contradicts gram and square"),
        ({"square": [2.0, 0.1]}, "cross of task 1 contradicts gram and square"),
        ({"square": [2.0, 0.1, 1.0]}, r"square must have shape \(2,\), got \(3,\)"),
        ({"n_samples": 0}, "n_samples must be positive, got 0"),
        ({"n_samples": [-1.0]}, "n_samples must be positive, got -1"),
        ({"mean_X": [3.0, 0.0]}, "gram is no Gram matrix about the means"),
        ({"tasks": ["a"]}, r"task must have shape \(2,\)"),
        ({"tasks": ["a", "a"]}, "tasks must be different labels"),
        ({"feature_names": ["a"]}, r"feature_names must have shape \(2,\), got \(1,\)"),
    ],
)
def test_moments_of_no_samples(changes, message):
    moments = {"gram": GRAM, "cross": CROSS, "square": SQUARE, "n_samples": 10}
    assert SufficientStatistics.from_moments(**moments).n_tasks == 2
    with pytest.raises(ValueError, match=message):
        SufficientStatistics.from_moments(**{**moments, **changes})


# ---------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize("method", ["partial_fit", "fit_statistics"])
@pytest.mark.parametrize("loss", ["huber", "poisson", cm.Huber(2.0)])
def test_other_losses(method, loss):
    X, y, options = data = draw("single")
    arguments = (X, y) if method == "partial_fit" else (statistics(data),)
    with pytest.raises(ValueError, match=f"{method} needs loss='squared', got loss=.*: use fit with all samples"):
        getattr(cm.BlockSparseRegressor(loss=loss), method)(*arguments)
    assert cm.BlockSparseRegressor(loss=cm.Squared()).partial_fit(X, y, **options).coef_.shape == (1, 6)


@pytest.mark.parametrize("method", ["partial_fit", "fit_statistics"])
def test_who_has_the_methods(method):
    """Regressors; but not those that search, which need the samples of their folds."""
    for cls in cases.REGRESSORS:
        assert hasattr(cls, method)
        assert not hasattr(getattr(cm, f"{cls.__name__}CV"), method)
    assert not any(hasattr(cls, method) for cls in cases.CLASSIFIERS)


def test_a_refused_part_leaves_what_was_fitted():
    X, y, options = draw("stacked")
    model = cm.BlockSparseRegressor(0.1).partial_fit(X, y, **options)
    before, kept = model.coef_, model.statistics_
    X[3, 2] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN"):
        model.partial_fit(X, y, **options)
    with pytest.raises(ValueError, match="X has 5 features, but BlockSparseRegressor is expecting 6 features"):
        model.partial_fit(X[:2, :5], y[:2], task=options["task"][:2])
    with pytest.raises(ValueError, match=r"got y of shape \(n,\) after task labels: hand over all parts in one layout"):
        model.partial_fit(X[:2], y[:2])
    with pytest.raises(ValueError, match="task labels must be of one kind, got 'east' and 0"):
        model.partial_fit(X[:2], y[:2], task=[0, 1])
    assert model.coef_ is before
    assert model.statistics_ is kept


def test_after_fit():
    """It keeps no statistics, and forgets those that there were."""
    X, y, options = draw("stacked")
    model = cm.BlockSparseRegressor(0.1).partial_fit(X, y, **options).fit(X, y, **options)
    assert not hasattr(model, "statistics_")
    model.partial_fit(X[:, :5], y, **options)
    assert_same(model.statistics_, statistics((X[:, :5], y, options)))
    assert model.n_features_in_ == 5


def test_numbers_of_columns():
    X, Y, _ = draw("shared")
    model = cm.BlockSparseRegressor(0.1).partial_fit(X, Y)
    with pytest.raises(ValueError, match="y must have 4 columns as in former calls, got 2: put NaN"):
        model.partial_fit(X, Y[:, :2])


def test_a_task_without_targets():
    X, Y, _ = draw("shared")
    Y[:20, 2] = np.nan
    model = cm.BlockSparseRegressor(0.1, tol=1e-12)
    with pytest.raises(ValueError, match="task 2 has no sample with a target and a positive weight"):
        model.partial_fit(X[:20], Y[:20])
    # Once it has had some, a part without any is one like others; so is one without any target.
    model.partial_fit(X[20:], Y[20:]).partial_fit(X[:20], Y[:20]).partial_fit(X[:3], np.full((3, 4), np.nan))
    assert_allclose(model.coef_, clone(model).fit(X, Y).coef_, atol=1e-8)


def test_differences_that_are_none():
    data = draw("stacked")
    task = data[2]["task"]
    whole, part = statistics(data), statistics(data, task < "south")
    with pytest.raises(ValueError, match="task 'south' is not in the statistics that it is to be taken out of"):
        part - statistics(data, task == "south")
    with pytest.raises(ValueError, match=r"a weight of -.* would be left of task 'east'"):
        part - part.merge(part)
    with pytest.raises(ValueError, match="nothing would be left"):
        whole - whole
    X, Y, _ = draw("shared")
    with pytest.raises(ValueError, match="must be of the same features, got 6 and 5"):
        SufficientStatistics.from_arrays(X, Y) + SufficientStatistics.from_arrays(X[:, :5], Y)
    with pytest.raises(TypeError):
        whole + 1


@pytest.mark.parametrize(
    "change, message",
    [
        ({"X": [["a"] * 6] * 48}, "could not convert string to float"),
        ({"X": np.full((48, 6), np.nan)}, "Input X contains NaN"),
        ({"X": np.full((48, 6), 1e200)}, "X is too large"),
        ({"y": None}, "requires y to be passed"),
        ({"y": np.full(48, np.nan)}, "Input y contains NaN"),
        ({"y": np.zeros(47)}, "X and y must have as many rows, got 48 rows of X and 47 of y"),
        ({"sample_weight": np.full(48, -1.0)}, "sample_weight must be >= 0, got -1"),
        ({"task": np.zeros(47)}, r"task must have shape \(48,\)"),
    ],
)
def test_arrays_that_make_no_sense(change, message):
    X, y, options = draw("single")
    with pytest.raises(ValueError, match=message):
        SufficientStatistics.from_arrays(**{"X": X, "y": y, **options, **change})


@pytest.mark.parametrize("wrong", [None, 3, np.eye(3)])
def test_what_is_no_statistics(wrong):
    with pytest.raises(ValueError, match="statistics must be SufficientStatistics, got"):
        cm.BlockSparseRegressor().fit_statistics(wrong)


def test_equal_weights_are_one_matrix():
    """Whether a missing row is dropped or a task is alone."""
    X, Y, options = draw("shared")
    Y[7] = np.nan
    assert len(SufficientStatistics.from_arrays(X, Y, **options).gram) == 1
    assert isinstance(SufficientStatistics.from_arrays(X, Y)._tasks(), Tasks)
    assert repr(SufficientStatistics.from_arrays(X, Y)) == (
        "SufficientStatistics(n_tasks=4, n_features=6, n_samples=188, one X for all tasks)"
    )
    Y[8, 0] = np.nan
    assert (
        repr(SufficientStatistics.from_arrays(X, Y)) == "SufficientStatistics(n_tasks=4, n_features=6, n_samples=187)"
    )


def test_a_fitted_model_in_a_file():
    data = draw("stacked")
    model = cm.BlockSparseRegressor(0.1).fit_statistics(statistics(data))
    trusted = skops.io.get_untrusted_types(data=skops.io.dumps(model))
    assert all(name.startswith("convexmtl.") for name in trusted), trusted
    for again in (pickle.loads(pickle.dumps(model)), skops.io.loads(skops.io.dumps(model), trusted=trusted)):
        assert_same(again.statistics_, model.statistics_)
        again.partial_fit(*data[:2], **data[2])
