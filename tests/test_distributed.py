"""Fits to chunks, here and on a cluster of processes: those of ``fit`` on all samples, whoever has them."""

import os
import time
from itertools import pairwise

import cases
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone

import convexmtl as cm
from convexmtl import distributed

da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")
CHUNKS = {"one": [], "two": [31], "empty": [20, 20, 33], "row_by_row": range(1, 60)}


def pieces(data, at):
    """The rows of (X, y, options) from one of the positions ``at`` to the next: dicts, as chunks may be."""
    X, y, options = data
    ends = [0, *[a for a in at if a < len(X)], len(X)]
    return [
        {"X": X[a:b], "y": y[a:b], **{name: value[a:b] for name, value in options.items()}} for a, b in pairwise(ends)
    ]


def assert_fits_as_well(model, data):
    """As ``fit`` on all samples, certified from outside."""
    X, y, options = data
    whole = clone(model).fit(X, y, **options)
    scale = cases.scale_of(whole._formulate(X, y, **options).problem)
    assert abs(model.objective_ - whole.objective_) <= 1e-6 * scale
    certificate = cm.certify(model, X, y, **options)
    assert certificate.gap <= 2 * model.tol * scale
    assert abs(certificate.primal - model.objective_) <= 1e-6 * scale
    assert_array_equal(model.tasks_, whole.tasks_)
    assert model._layout == whole._layout
    assert model.n_features_in_ == whole.n_features_in_
    assert model.dual_gap_ in [step["gap"] for step in model.history_]
    return whole


# ----------------------------------------------------------------------------------------- the same models


def fits(cls, form, chunks, client=None):
    data = cases.user_input("squared", form)
    model = distributed.fit(cls(tol=1e-8), pieces(data, CHUNKS[chunks]), client=client)
    assert_fits_as_well(model, data)


every_family = pytest.mark.parametrize("cls", cases.REGRESSORS, ids=lambda cls: cls.__name__)
every_form = pytest.mark.parametrize("form", cases.INPUT_FORMS)
all_chunks = pytest.mark.parametrize("chunks", CHUNKS)


@all_chunks
@every_form
@every_family
def test_every_family(cls, form, chunks):
    fits(cls, form, chunks)


@pytest.mark.covering(1)
@all_chunks
@every_form
@pytest.mark.parametrize("cls", cases.REGRESSORS[::4], ids=lambda cls: cls.__name__)
def test_every_form_on_a_cluster(cls, form, chunks, client):
    fits(cls, form, chunks, client)


@pytest.mark.covering(1)
@pytest.mark.parametrize("form", cases.INPUT_FORMS)
@pytest.mark.parametrize("loss", ["logistic", "huber", "poisson"])
@pytest.mark.parametrize("position", range(0, len(cases.REGRESSORS), 4))
def test_rounds_on_a_cluster(client, position, loss, form):
    data = cases.user_input(loss, form)
    families = cases.CLASSIFIERS if loss == "logistic" else cases.REGRESSORS
    model = families[position](loss=loss, tol=1e-7)
    distributed.fit(model, pieces(data, [9, 9, 30]), client=client)
    assert_fits_as_well(model, data)
    # (Two workers, each of which is told all and tells all.)
    here = distributed.fit(clone(model), pieces(data, [9, 9, 30]))
    assert_allclose(model.coef_, here.coef_, atol=1e-10)
    assert [step["bytes"] for step in model.history_] == [2 * step["bytes"] for step in here.history_]


@pytest.mark.parametrize("samples", ["many", "few"])
def test_gradients_on_a_cluster(client, samples):
    """Of sums of tasks that stay on the workers, where samples are many, or of samples."""
    rng = np.random.default_rng(0)
    n = 600 if samples == "many" else 60
    X, task = rng.normal(size=(n, 4)) + 3, np.arange(n) % 6
    data = X, X[:, 0] + 0.3 * task * X[:, 1] + rng.normal(size=n), {"task": task}
    model = cm.BlockSparseRegressor(0.1, tol=1e-8)
    distributed.fit(model, pieces(data, [9, n // 2]), client=client, method="gradient")
    assert_fits_as_well(model, data)


@pytest.mark.parametrize("loss", ["logistic", "hinge"])
def test_dual_ascent_on_a_cluster(client, loss):
    """Whose parts go on from where they were; the cluster does, too."""
    data = cases.user_input(loss, "stacked")
    model = cm.MeanRegularizedClassifier(0.5, 0.5, loss=loss, tol=1e-5)
    distributed.fit(model, pieces(data, [9, 30]), client=client, method="dual")
    here = distributed.fit(clone(model), pieces(data, [9, 30]), method="dual")
    assert_allclose(model.coef_, here.coef_, atol=1e-8)
    assert len(model.history_) == len(here.history_) > 3
    again = distributed.fit(clone(model), pieces(data, [9, 30]), client=client, method="dual")
    assert len(again.history_) == len(here.history_)


@pytest.mark.parametrize("form", cases.INPUT_FORMS)
def test_collections(client, form):
    X, y, options = data = cases.user_input("squared", form)
    known = [da.from_array(part, chunks=(17, 2)[: np.ndim(part)]) for part in (X, y, *options.values())]
    model = distributed.fit(
        cm.BlockSparseRegressor(0.1, tol=1e-8), *known[:2], **dict(zip(options, known[2:], strict=True))
    )
    assert_fits_as_well(model, data)
    # Sizes of chunks that are not known, and the same rows in each.
    kept = da.from_array(np.arange(len(X)) % 3 > 0, chunks=17)
    unknown = [part[kept] for part in known]
    model = distributed.fit(
        cm.TraceNormRegressor(0.1, tol=1e-8), *unknown[:2], **dict(zip(options, unknown[2:], strict=True))
    )
    few = np.arange(len(X)) % 3 > 0
    assert_fits_as_well(model, (X[few], y[few], {name: value[few] for name, value in options.items()}))


def test_arrays_beside_a_collection():
    X, y, options = data = cases.user_input("squared", "stacked")
    model = distributed.fit(cm.BlockSparseRegressor(0.1, tol=1e-8), da.from_array(X, chunks=20), y, **options)
    assert_fits_as_well(model, data)


@pytest.mark.parametrize("kind", ["category", "string", "number"])
def test_frames(client, kind):
    X, y, options = cases.user_input("squared", "stacked")
    frame = pd.DataFrame(X, columns=list("abcdef"))
    labels = options["task"] if kind != "number" else np.searchsorted(cases.TASK_NAMES[[1, 0, 2, 3]], options["task"])
    frame["where"] = pd.Series(labels).astype({"category": "category", "string": "str", "number": "int64"}[kind])
    frame["y"] = y
    lazily = dd.from_pandas(frame, npartitions=3)
    model = cm.BlockSparseRegressor(0.1, tol=1e-8, task_column="where")
    distributed.fit(model, lazily[[*"abcdef", "where"]], lazily["y"])
    whole = assert_fits_as_well(model, (frame[[*"abcdef", "where"]], frame["y"], {}))
    assert_array_equal(model.feature_names_in_, whole.feature_names_in_)
    found = model.predict(lazily[[*"abcdef", "where"]])
    assert hasattr(found, "compute")
    assert_allclose(found.compute(), model.predict(frame[[*"abcdef", "where"]]))
    # Without a task column, as series of their own.
    apart = cm.BlockSparseRegressor(0.1, tol=1e-8)
    distributed.fit(apart, lazily[[*"abcdef"]], lazily["y"], task=lazily["where"])
    assert_allclose(apart.coef_, model.coef_, atol=1e-12)


def test_frames_of_targets_with_holes(client):
    X, Y, _ = cases.user_input("squared", "missing")
    frame = pd.DataFrame(X, columns=list("abcdef"))
    targets = pd.DataFrame(Y, columns=cases.TASK_NAMES)
    model = cm.TraceNormRegressor(0.1, tol=1e-8)
    distributed.fit(model, dd.from_pandas(frame, npartitions=4), dd.from_pandas(targets, npartitions=4))
    assert_fits_as_well(model, (frame, targets, {}))
    assert_array_equal(model.tasks_, cases.TASK_NAMES)


def test_futures(client):
    data = cases.user_input("squared", "stacked")
    chunks = pieces(data, [20, 41])
    model = distributed.fit(cm.BlockSparseRegressor(0.1, tol=1e-8), client.scatter(chunks))
    assert_fits_as_well(model, data)
    lists = {name: client.scatter([chunk[name] for chunk in chunks]) for name in chunks[0]}
    model = distributed.fit(cm.BlockSparseRegressor(0.1, tol=1e-8), **lists)
    assert_fits_as_well(model, data)


@pytest.mark.parametrize("kind", ["iterator", "function", "array", "sparse", "memmap"])
def test_sources_without_dask(kind, tmp_path):
    X, y, options = data = cases.user_input("squared", "stacked")
    model, chunks = cm.BlockSparseRegressor(0.1, tol=1e-8), pieces(data, [20, 41])
    if kind == "iterator":
        distributed.fit(model, iter(chunks))
    elif kind == "function":
        distributed.fit(model, lambda: iter(chunks))
    elif kind == "memmap":
        kept = np.memmap(tmp_path / "X", dtype=float, mode="w+", shape=X.shape)
        kept[:] = X
        distributed.fit(model, kept, y, **options)
    else:
        distributed.fit(model, csr_array(X) if kind == "sparse" else X, y, **options)
    assert_fits_as_well(model, data)


def test_rows_of_an_array_in_blocks(monkeypatch):
    from convexmtl.distributed import _sources

    monkeypatch.setattr(_sources, "BLOCK", 8 * 6 * 7)
    X, y, options = data = cases.user_input("squared", "stacked")
    source = _sources.source_of(X, y, **options)
    assert [chunk.X.shape for chunk in source][:2] == [(7, 6), (7, 6)]
    assert_fits_as_well(distributed.fit(cm.TraceNormRegressor(0.1, tol=1e-8), X, y, **options), data)


@pytest.mark.parametrize("engine", ["here", "dask"])
def test_parquet(tmp_path, engine, request):
    X, y, options = cases.user_input("squared", "stacked")
    table = pd.DataFrame(X, columns=list("abcdef")).assign(y=y, place=options["task"], w=options["sample_weight"])
    for k, part in enumerate((table[:30], table[30:])):
        part.to_parquet(tmp_path / f"{k}.parquet", row_group_size=8)
    files = sorted(tmp_path.glob("*.parquet"))
    chunks = distributed.parquet(files, y="y", task="place", sample_weight="w")
    assert len(chunks) == 4 + 5
    client = request.getfixturevalue("client") if engine == "dask" else None
    model = distributed.fit(cm.BlockSparseRegressor(0.1, tol=1e-8), chunks, client=client)
    assert_fits_as_well(model, (table[[*"abcdef"]], y, options))
    with pytest.raises(ValueError, match=r"'z' is not a column of .*0\.parquet; its columns are \['a'"):
        distributed.parquet(files, y="z")


def test_offsets_and_task_weights():
    X, y, options = cases.user_input("squared", "stacked")
    options["offset"] = np.linspace(-2, 3, len(y))
    data = X, y, options
    for task_weight in ("size", [1.0, 2.0, 0.5, 1.0]):
        model = cm.BlockSparseRegressor(0.1, tol=1e-8, task_weight=task_weight)
        assert_fits_as_well(distributed.fit(model, pieces(data, [9, 50])), data)


def test_statistics_stay_for_more_samples():
    X, y, options = cases.user_input("squared", "stacked")
    model = distributed.fit(cm.BlockSparseRegressor(0.1, tol=1e-10), pieces((X, y, options), [40]))
    again = clone(model).fit(
        np.vstack([X, X[:9]]), np.append(y, y[:9]), **{n: np.append(v, v[:9]) for n, v in options.items()}
    )
    model.partial_fit(X[:9], y[:9], **{name: value[:9] for name, value in options.items()})
    assert_allclose(model.coef_, again.coef_, atol=1e-6)


# ---------------------------------------------------------------------------------------------- predictions


@pytest.mark.parametrize("form", cases.INPUT_FORMS)
@pytest.mark.parametrize("cls", [cm.BlockSparseRegressor, cm.BlockSparseClassifier])
def test_predictions_are_lazy(cls, form):
    X, y, options = cases.user_input("squared" if cls is cm.BlockSparseRegressor else "logistic", form)
    model = cls(0.05).fit(X, y, **options)
    task = {"task": options["task"]} if form == "stacked" else {}
    lazy_task = {"task": da.from_array(options["task"], chunks=10)} if task else {}
    kept = np.arange(len(X)) % 5 > 0
    lazily = da.from_array(X, chunks=(9, 4))
    for method in ("predict", "decision_function", "predict_proba"):
        if not hasattr(model, method):
            continue
        found, wanted = getattr(model, method)(lazily, **lazy_task), getattr(model, method)(X, **task)
        assert isinstance(found, da.Array)
        assert found.shape == wanted.shape
        assert found.dtype == wanted.dtype
        assert_array_equal(found.compute(scheduler="sync"), wanted)
        if not task:
            # Blocks of unknown sizes, one of them empty.
            some = lazily[da.from_array(kept & (np.arange(len(X)) >= 9), chunks=9)]
            few = getattr(model, method)(some).compute(scheduler="sync")
            assert_array_equal(few, wanted[kept & (np.arange(len(X)) >= 9)])


def test_offsets_of_lazy_predictions():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(30, 3)), rng.poisson(2.0, size=(30, 2)).astype(float)
    offset = rng.normal(size=(30, 2))
    model = cm.BlockSparseRegressor(0.01, loss="poisson").fit(X, Y, offset=offset)
    lazily = da.from_array(X, chunks=(8, 3))
    for some in (offset, offset[:, 0]):
        found = model.predict(lazily, offset=da.from_array(some, chunks=8))
        assert_allclose(found.compute(scheduler="sync"), model.predict(X, offset=some))
    with pytest.raises(ValueError, match="offset must have as many rows as X, got 9 and 30"):
        model.predict(lazily, offset=offset[:9])


# ------------------------------------------------------------------------------------------------- faults


def test_chunks_that_disagree():
    data = cases.user_input("squared", "stacked")

    def refused(change, message, kind="stacked"):
        chunks = pieces(cases.user_input("squared", kind), [20, 20, 33] if kind == "stacked" else [9])
        change(chunks[-1])
        with pytest.raises(ValueError, match=message):
            distributed.fit(model, chunks)

    model = distributed.fit(cm.BlockSparseRegressor(0.1), pieces(data, [20]))
    before = model.coef_
    refused(lambda c: c.update(X=c["X"][:, :5]), "chunk 3 has 5, and chunk 0 has 6 columns of X")
    refused(lambda c: c["X"].__setitem__((2, 1), np.nan), "chunk 3: Input X contains NaN")
    refused(lambda c: c.update(y=c["y"][1:]), "chunk 3: X and y must have as many rows, got 32 rows of X and 31 of y")
    refused(lambda c: c.update(X=c["X"].astype(str) + "a"), "chunk 3: could not convert string to float")
    refused(
        lambda c: c.update(task=np.arange(len(c["y"]))),
        "chunk 3 has numbers, and chunk 0 has task labels that are strings",
    )
    refused(lambda c: c.pop("task"), r"chunk 3 has y of shape \(n,\), and chunk 0 has task labels")
    refused(lambda c: c.update(y=c["y"][:, :3]), "chunk 1 has 3, and chunk 0 has 4 columns of y: put NaN", "shared")
    refused(lambda c: c.update(name=3), r"a chunk must have the keys X and y, and may have .*'name'")
    # Nothing was lost of what was fitted before.
    assert model.coef_ is before


def test_frames_that_disagree():
    X, y, _ = cases.user_input("squared", "shared")
    frames = [pd.DataFrame(X, columns=list("abcdef")), pd.DataFrame(X, columns=list("abdcef"))]
    message = "chunk 1 has 'd' at position 2 of the columns of X, and chunk 0 has 'c': .* in the same order"
    with pytest.raises(ValueError, match=message):
        distributed.fit(cm.BlockSparseRegressor(0.1), [(frame, y) for frame in frames])


def test_input_that_is_refused():
    X, y, _ = cases.user_input("squared", "shared")
    model = cm.BlockSparseRegressor(0.1)
    for given, message in (
        (((X, y),), None),
        ([], "X has no chunk: the list is empty"),
        ([(X,)], r"a chunk must be \(X, y\)"),
        ([(X[:0], y[:0])], "X has no rows: all chunks are empty"),
        (3, "X must be a dask collection, a list or an iterator of chunks, or an array, got int"),
    ):
        if message is None:
            distributed.fit(model, given)
        else:
            with pytest.raises(ValueError, match=message):
                distributed.fit(model, given)
    with pytest.raises(ValueError, match="y was passed beside chunks in X"):
        distributed.fit(model, iter([(X, y)]), y)
    with pytest.raises(ValueError, match="y must have as many rows as X, got 3 and 24"):
        distributed.fit(model, X, y[:3])
    with pytest.raises(ValueError, match=r"y must have as many blocks as X, got 1 and 3"):
        lazily = da.from_array(X, chunks=(8, 6))
        distributed.fit(model, lazily[lazily[:, 0] > -9], da.from_array(y, chunks=(24, 4)))
    with pytest.raises(ValueError, match=r"client must be a dask\.distributed\.Client, got str"):
        distributed.fit(model, [(X, y)], client="here")
    with pytest.raises(ValueError, match=r"method must be one of .*, got 'fast'"):
        distributed.fit(model, [(X, y)], method="fast")
    with pytest.raises(TypeError, match="estimator must be one of the families of the package"):
        distributed.fit(cm.MultiTaskKernelRidge(), [(X, y)])
    with pytest.raises(ValueError, match="task 'x' has no sample with a target and a positive weight"):
        chunk = {"X": X, "y": y[:, 0], "task": ["a", "x"] * 12, "sample_weight": [1.0, 0.0] * 12}
        distributed.fit(model, [chunk])


def slowly(seconds):
    """A function for workers, which know nothing of this module."""

    def slow(chunk):
        time.sleep(seconds)
        return chunk

    return slow


def dying(path):
    def dies_once(chunk):
        """Takes its worker with it when it is called first."""
        if not os.path.exists(path):
            open(path, "w").close()
            os._exit(1)
        return chunk

    return dies_once


def test_a_worker_that_dies_and_a_straggler(client, tmp_path):
    """Its chunks are computed again, and none is counted twice."""
    data = cases.user_input("squared", "stacked")
    chunks = pieces(data, range(6, 60, 6))
    parts = [client.submit(slowly(0.02 if k else 0.5), chunk, pure=False) for k, chunk in enumerate(chunks[:-1])]
    parts.append(client.submit(dying(str(tmp_path / "died")), chunks[-1], pure=False))
    model = distributed.fit(cm.BlockSparseRegressor(0.1, tol=1e-8), parts)
    assert (tmp_path / "died").exists()
    assert_fits_as_well(model, data)


def busy(client):
    return sum(map(len, client.processing().values()))


def idle(client):
    """Wait until no worker has anything to do."""
    end = time.time() + 10
    while busy(client):
        assert time.time() < end
        time.sleep(0.05)


def test_an_interrupt_leaves_no_tasks(client, monkeypatch):
    import distributed as dask_distributed

    def interrupted(future):
        raise KeyboardInterrupt

    chunks = pieces(cases.user_input("squared", "stacked"), range(2, 60, 2))
    parts = [client.submit(slowly(0.2), chunk, pure=False) for chunk in chunks]
    model = cm.BlockSparseRegressor(0.1)
    monkeypatch.setattr(dask_distributed, "wait", interrupted)
    start = time.time()
    with pytest.raises(KeyboardInterrupt):
        distributed.fit(model, [client.submit(slowly(0.2), part, pure=False) for part in parts])
    del parts
    idle(client)
    # (All of it would take 30 * 0.2 * 2 / 2 seconds.)
    assert time.time() - start < 5
    assert not hasattr(model, "coef_")


def test_a_client_that_goes_away(client):
    from distributed import Client

    with Client(client.scheduler.address, set_as_default=False) as other:
        chunks = [
            other.submit(slowly(5), chunk, pure=False) for chunk in pieces(cases.user_input("squared", "single"), [9])
        ]
        other.loop.call_later(0.3, other.close)
        with pytest.raises(RuntimeError, match="the Dask client went away before the fit was done"):
            distributed.fit(cm.BlockSparseRegressor(0.1), chunks, client=other)
    idle(client)
