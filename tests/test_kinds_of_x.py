"""Whatever X and y come as: types, orders, frames and files give the fit of the same numbers, and nothing is copied
that need not be."""

import tracemalloc

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

import convexmtl as cm
from convexmtl import _input, _products, tasks
from convexmtl.metrics import nmse, task_scores
from convexmtl.model_selection import TaskKFold

rng = np.random.default_rng(0)
N, D, T = 40, 5, 3
X = np.round(rng.standard_normal((N, D)), 2)
Y = X[:, :T] + 0.1 * rng.standard_normal((N, T))
MISSING = Y.copy()
MISSING[::5, 1] = np.nan
TASK = np.arange(N) % T
FRAME = pd.DataFrame(MISSING, columns=list("abc"))


def fitted(x, y, **options):
    return cm.BlockSparseRegressor(0.05, tol=1e-8).fit(x, y, **options)


def read_only(array):
    array = array.copy(order="K")
    array.flags.writeable = False
    return array


def with_indices(form, kind):
    matrix = form(X)
    matrix.indices, matrix.indptr = matrix.indices.astype(kind), matrix.indptr.astype(kind)
    return matrix


ARRAYS = {
    "C": X,
    "Fortran": np.asfortranarray(X),
    "read-only": read_only(X),
    "read-only Fortran": read_only(np.asfortranarray(X)),
    "every second column": np.repeat(X, 2, axis=1)[:, ::2],
    "backwards": np.ascontiguousarray(X[:, ::-1])[:, ::-1],
    "other byte order": X.astype(X.dtype.newbyteorder()),
    "lists": X.tolist(),
    "pandas": pd.DataFrame(X, columns=list("uvwxy")),
    "pandas with nullable floats": pd.DataFrame(X, columns=list("uvwxy")).convert_dtypes(),
    "polars": pl.DataFrame(X, schema=list("uvwxy")),
    "tables of arrow": pa.table(dict(zip("uvwxy", X.T, strict=True))),
} | {
    f"{form.__name__} {kind.__name__}": with_indices(form, kind)
    for form in (sp.csr_matrix, sp.csr_array, sp.csc_matrix, sp.csc_array)
    for kind in (np.int32, np.int64)
}


@pytest.mark.parametrize("layout", ["shared", "stacked"])
@pytest.mark.parametrize("kind", ARRAYS)
def test_same_numbers_same_fit(kind, layout):
    y, options = (MISSING, {}) if layout == "shared" else (Y[:, 0], {"task": TASK})
    expected = fitted(X, y, **options)
    fit = fitted(ARRAYS[kind], y, **options)
    assert_allclose(fit.coef_, expected.coef_, atol=1e-7)
    assert_allclose(fit.predict(ARRAYS[kind], **options), expected.predict(X, **options), atol=1e-6)
    twins = [cm.BlockSparseRegressorCV(alphas=4, cv=3, tol=1e-10).fit(x, y, **options) for x in (ARRAYS[kind], X)]
    assert_allclose(twins[0].mse_path_, twins[1].mse_path_, rtol=1e-6)


@pytest.mark.parametrize("kind", [np.float32, np.float16, np.int8, bool])
def test_computed_in_float64(kind):
    x = (4 * X).astype(kind)
    assert_array_equal(fitted(x, Y).coef_, fitted(x.astype(float), Y).coef_)
    assert fitted(x, Y.astype(np.float32)).coef_.dtype == np.float64


MISSING_TARGETS = {
    "nullable": FRAME.astype("Float64"),
    "NA among objects": FRAME.astype(object).where(FRAME.notna(), pd.NA),
    "None among objects": FRAME.astype(object).where(FRAME.notna(), None),
    "arrow": FRAME.convert_dtypes(dtype_backend="pyarrow"),
    "polars": pl.DataFrame({c: [None if np.isnan(v) else v for v in FRAME[c]] for c in FRAME}),
    "tables of arrow": pa.Table.from_pandas(FRAME),
}


@pytest.mark.parametrize("kind", MISSING_TARGETS)
def test_missing_targets(kind):
    y = MISSING_TARGETS[kind]
    fit, expected = fitted(X, y), fitted(X, MISSING)
    assert_array_equal(fit.coef_, expected.coef_)
    assert fit.tasks_.tolist() == ["a", "b", "c"]
    assert fit.score(X, y) == expected.score(X, MISSING)
    found = cm.metrics.task_scores(y, fit.predict(X))
    assert found["n"].to_dict() == {"a": N, "b": N - 8, "c": N}


@pytest.mark.parametrize("labels", [["y", "n"], [True, False]], ids=str)
def test_missing_labels(labels):
    a, b = [*labels, None, labels[0]] * 10, labels * 20
    as_objects = cm.BlockSparseClassifier(0.01).fit(X, np.array([a, b], dtype=object).T)
    for y in (
        pd.DataFrame({"a": a, "b": b}).convert_dtypes(),
        pd.DataFrame({"a": pd.Categorical(a), "b": b}),
        pl.DataFrame({"a": a, "b": b}),
    ):
        fit = cm.BlockSparseClassifier(0.01).fit(X, y)
        assert_array_equal(fit.coef_, as_objects.coef_)
        assert np.unique(fit.classes_).tolist() == sorted(labels) and fit.tasks_.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    "labels",
    [
        pd.Series(list("abca") * 10, dtype="category"),
        pd.Series(list("abca") * 10, dtype="string"),
        pl.Series(list("abca") * 10, dtype=pl.Categorical),
        pl.Series(list("abca") * 10, dtype=pl.Enum(list("cbax"))),
    ],
    ids=lambda labels: f"{type(labels).__module__.split('.')[0]} {labels.dtype}",
)
def test_task_labels(labels):
    fit = fitted(X, Y[:, 0], task=labels)
    assert fit.tasks_.tolist() == ["a", "b", "c"]
    expected = fitted(X, Y[:, 0], task=list("abca") * 10)
    assert_array_equal(fit.coef_, expected.coef_)
    assert_array_equal(fit.predict(X, task=labels), expected.predict(X, task=list("abca") * 10))


def test_lists_of_labels():
    mixed = np.array(["a", 1, 2, "a"] * 10, dtype=object)
    with pytest.raises(ValueError, match="task must hold labels of one kind"):
        fitted(X, Y[:, 0], task=mixed.tolist())
    assert fitted(X, Y[:, 0], task=["a", "b"] * 20).predict(X, task=["b"] * N).shape == (N,)


def test_dates_as_labels():
    days = np.array(["2020-01-01", "2021-01-01"], dtype="datetime64[D]")[np.arange(N) % 2]
    fit = fitted(X, Y[:, 0], task=days)
    assert_array_equal(fit.predict(X, task=days.astype("datetime64[ns]")), fit.predict(X, task=pd.Series(days)))
    with pytest.raises(ValueError, match="task must not be missing"):
        fitted(X, Y[:, 0], task=np.where(np.arange(N) % 2, days, np.datetime64("NaT")))


def test_columns_with_names_of_several_levels():
    frame = pd.DataFrame(Y, columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)]))
    assert fitted(X, frame).tasks_.tolist() == [("a", 1), ("a", 2), ("b", 1)]


def test_labels_of_other_kinds_in_other_tasks():
    frame = pd.DataFrame({"p": np.where(Y[:, 0] > 0, "u", "v"), "q": (Y[:, 1] > 0).astype(int), "r": Y[:, 2] > 0})
    fit = cm.BlockSparseClassifier(0.01).fit(X, frame)
    assert [c.tolist() for c in fit.classes_] == [["u", "v"], [0, 1], [False, True]]
    assert [c.dtype.kind for c in fit.classes_] == ["U", "i", "b"]
    assert fit.score(X, frame) > 0.8
    with pytest.raises(ValueError, match="y must hold labels of one kind for task 'p'"):
        cm.BlockSparseClassifier().fit(X, frame.astype(object).assign(p=["u", 1] * 20))
    objects = cm.BlockSparseClassifier(0.01).fit(X, (Y[:, 0] > 0).astype(object))
    assert objects.classes_.dtype == bool


def test_lazy_frames():
    with pytest.raises(ValueError, match=r"X must hold its values, got a LazyFrame: pass X.collect\(\)"):
        fitted(pl.DataFrame(X).lazy(), Y)


def test_scores_leave_out_tasks_without_targets():
    fit, y = fitted(X, Y), Y.copy()
    y[:, 1] = np.nan
    own = [fit.score(X, np.where(np.arange(T) == t, Y, np.nan)) for t in (0, 2)]
    assert fit.score(X, y) == pytest.approx(np.mean(own))
    with pytest.raises(ValueError, match="y has no target"):
        fit.score(X, np.full_like(y, np.nan))


# -------------------------------------------------------------------------------------- memory


def test_fortran_order_is_not_copied():
    x = np.asfortranarray(X)
    assert np.shares_memory(cm.BlockSparseRegressor()._formulate(x, Y).problem.tasks.X, x)
    x, y, codes = np.asfortranarray(X), Y[:, 0], np.sort(TASK)
    assert np.shares_memory(cm.BlockSparseRegressor()._formulate(x, y, task=codes).problem.tasks.X, x)


LARGE_FITS = {
    "block": cm.BlockSparseRegressor(0.3),
    "block, all features": cm.BlockSparseRegressor(0.001),
    "classifier": cm.BlockSparseClassifier(0.05),
    "dirty": cm.DirtyRegressor(0.3, 0.2),
    "mean": cm.MeanRegularizedRegressor(),
    "trace": cm.TraceNormRegressor(0.3),
}


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("name", LARGE_FITS)
def test_a_large_x_on_disk_is_never_copied(name, order, tmp_path, monkeypatch):
    """All that is allocated during fit, prediction included, is a fraction of X."""
    n, d = 40_000, 100
    x = np.memmap(tmp_path / "x", dtype=float, mode="w+", shape=(n, d), order=order)
    x[:] = np.random.default_rng(0).standard_normal((n, d))
    x.flush()
    y = x[:, :4] @ np.ones((4, 2)) + 0.1 * np.random.default_rng(1).standard_normal((n, 2))
    x = np.memmap(tmp_path / "x", dtype=float, mode="r", shape=(n, d), order=order)
    if name == "classifier":
        y = (y > 0).astype(int)
    in_memory = LARGE_FITS[name].fit(np.asfortranarray(x), y).coef_
    monkeypatch.setattr(tasks, "LARGE", 2**20)
    monkeypatch.setattr(_products, "BLOCK", 2**18)
    LARGE_FITS[name].fit(np.array(x[:50]), y[:50])
    tracemalloc.start()
    try:
        fit = LARGE_FITS[name].fit(x, y)
        fit.predict(x)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.5 * x.nbytes
    assert_allclose(fit.coef_, in_memory, atol=1e-2 * np.abs(in_memory).max())


def test_features_are_read_once(monkeypatch):
    """The checks of X are made once for a fit, not once for each fold."""
    calls, original = [], _input.read_features
    monkeypatch.setattr(_input, "read_features", lambda *args: calls.append(1) or original(*args))
    cm.BlockSparseRegressorCV(alphas=4, cv=3).fit(X, Y)
    assert len(calls) == 1


# ------------------------------------------------------------------------------- labels that are tuples


def test_labels_of_several_levels():
    pairs = [("a", i % 3) for i in range(N)]
    forms = [pairs, tuple(pairs), pd.MultiIndex.from_tuples(pairs), np.arange(N) % 3]
    fits = [fitted(X, Y[:, 0], task=form) for form in forms]
    assert fits[0].tasks_.tolist() == [("a", 0), ("a", 1), ("a", 2)]
    for fit, form in zip(fits, forms, strict=True):
        assert_array_equal(fit.coef_, fits[-1].coef_)
        assert_array_equal(fit.predict(X, task=form), fits[-1].predict(X, task=forms[-1]))
    assert fits[0].predict(X[:1], task=[("a", 1)]) == fits[-1].predict(X[:1], task=[1])
    expected = [part.tolist() for part in next(TaskKFold(3).split(X, Y, forms[-1]))]
    assert [part.tolist() for part in next(TaskKFold(3).split(X, Y, pairs))] == expected
    scored = nmse(Y[:, 0], Y[:, 1], task=pairs, average=None)
    assert_array_equal(scored, nmse(Y[:, 0], Y[:, 1], task=forms[-1], average=None))
    assert task_scores(Y[:, 0], Y[:, 1], task=pairs).index.tolist() == fits[0].tasks_.tolist()
    Xs, ys, labels = cm.unstack_tasks(X, Y[:, 0], pairs)
    assert labels.tolist() == fits[0].tasks_.tolist()
    assert cm.stack_tasks(Xs, ys, labels=labels.tolist())[2].tolist() == sorted(pairs)
    with pytest.raises(ValueError, match=r"task \('b', 1\) was not seen in fit"):
        fits[0].predict(X[:1], task=[("b", 1)])
