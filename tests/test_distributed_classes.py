"""Tasks of more than two classes, in chunks and between parties: those of ``fit`` on all samples."""

from itertools import pairwise

import cases
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone

import convexmtl as cm
from convexmtl import distributed
from convexmtl.distributed import _fit
from convexmtl.federated import Coordinator, LocalTransport, Party
from convexmtl.penalties import GraphLaplacian


def draw(form, own=False, n=120):
    """(X, y, options): up to four classes; with ``own`` the tasks have not all of them."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 5)) * [1, 2, 0.5, 1, 1] + [0, 3, 0, 0, 0]
    task = np.array(["east", "north", "west"])[rng.integers(0, 3, n)]
    y = np.array(["low", "mid", "high", "top"])[np.digitize(X[:, 0] + 0.7 * rng.normal(size=n), [-1, 0, 1])]
    if form == "shared":
        third = np.where(X[:, 1] + rng.normal(size=n) > 3, "low", "mid") if own else np.roll(y, 5)
        return X, np.stack([y, np.roll(y, 3), third], axis=1), {}
    if own:
        y[(task == "east") & (y != "low")] = "high"
    return X, y, {"task": task} if form == "stacked" else {}


def chunks_of(data, order=None):
    """Some of which have not all classes."""
    X, y, options = data
    order = np.arange(len(X)) if order is None else order
    ends = [0, 15, 15, 70, len(X)]
    return [
        {"X": X[rows], "y": y[rows], **{name: of[rows] for name, of in options.items()}}
        for rows in (order[a:b] for a, b in pairwise(ends))
    ]


def assert_fits_as_well(model, data, tol=1e-7, alone=2.0):
    X, y, options = data
    whole = clone(model).fit(X, y, **options)
    scale = cases.scale_of(whole._formulate(X, y, **options).problem)
    assert abs(model.objective_ - whole.objective_) <= 1e-6 * scale
    assert model.dual_gap_ <= 1.01 * tol * scale
    assert cm.certify(model, X, y, **options).gap <= alone * tol * scale
    assert_array_equal(model.predict(X, **options), whole.predict(X, **options))
    assert model.columns_.tolist() == whole.columns_.tolist()


FAMILIES = {
    "rows": cm.BlockSparseClassifier(0.02),
    "trace": cm.TraceNormClassifier(0.02),
    "mean": cm.MeanRegularizedClassifier(0.05, 0.05, fit_intercept=False),
    "free": cm.MultiTaskClassifier(GraphLaplacian(cases.chain(3), 0.5)),
}


@pytest.mark.covering(1)
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("form", ["stacked", "shared"])
@pytest.mark.parametrize("loss", ["logistic", "softmax", "squared_hinge"])
@pytest.mark.parametrize("family", FAMILIES)
def test_chunks(family, loss, form, own):
    data = draw(form, own)
    model = clone(FAMILIES[family]).set_params(loss=loss, tol=1e-7)
    distributed.fit(model, chunks_of(data))
    assert_fits_as_well(model, data)
    assert model.history_[-1]["round"] <= 15


@pytest.mark.covering(1)
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("form", ["stacked", "shared"])
@pytest.mark.parametrize("loss", ["logistic", "softmax"])
@pytest.mark.parametrize("family", ["rows", "trace", "mean"])
def test_chunks_by_gradients(family, loss, form, own):
    data = draw(form, own)
    model = clone(FAMILIES[family]).set_params(loss=loss, tol=1e-6)
    distributed.fit(model, chunks_of(data), method="gradient")
    assert_fits_as_well(model, data, tol=1e-6, alone=10.0)


def test_a_class_of_a_single_chunk():
    data = draw("single")
    model = distributed.fit(cm.BlockSparseClassifier(0.02, tol=1e-7), chunks_of(data, np.argsort(data[1])))
    assert_fits_as_well(model, data)


@pytest.mark.parametrize("form", ["stacked", "shared"])
def test_parties(form):
    X, y, options = data = draw(form, own=True)
    # One of them has no row of a class.
    who = np.where((y if form == "stacked" else y[:, 0]) == "top", 0, np.arange(len(X)) % 3)
    parties = [
        Party(
            X[who == p], y[who == p], **{name: of[who == p] for name, of in options.items()}, name=str(p), min_group=1
        )
        for p in range(3)
    ]
    coordinator = Coordinator(cm.BlockSparseClassifier(0.02, tol=1e-7))
    while not coordinator.done:
        coordinator.receive(LocalTransport(parties)(coordinator.request()))
    assert len(coordinator.history_) <= 12
    assert_fits_as_well(coordinator.model, data, alone=50.0)


def test_two_classes_beside_four_have_columns_as_well():
    """Of softmax: what moves a column beside the next but two there is none of."""
    X, y, options = draw("stacked", own=True)
    model = cm.MeanRegularizedClassifier(0.1, 0.1, loss="softmax", tol=1e-8).fit(X, y, **options)
    assert_fits_as_well(model, (X, y, options), tol=1e-8)
    assert len(model.columns_) == 10


def test_pairs_of_classes_count_for_what_is_too_large(monkeypatch):
    """Of 12 columns the matrices would fit; of these and the 18 pairs of them they do not."""
    data, found = draw("stacked"), []
    for most in (8 * 20 * 5**2, 8 * 30 * 5**2):
        monkeypatch.setattr(_fit, "LARGEST", most)
        found.append(distributed.fit(cm.BlockSparseClassifier(0.02, tol=1e-6), chunks_of(data)))
        assert_fits_as_well(found[-1], data, tol=1e-6, alone=10.0)
    gradients, newton = (len(model.history_) and model.history_[-1]["round"] for model in found)
    assert gradients > 15 >= newton


def test_what_is_refused():
    data = draw("stacked")
    with pytest.raises(ValueError, match="method='dual' is for tasks of two classes, and some have more"):
        distributed.fit(cm.MeanRegularizedClassifier(), chunks_of(data), method="dual")
    for model in (FAMILIES["free"], cm.BlockSparseClassifier(feature_weights=[0, 1, 1, 1, 1])):
        with pytest.raises(
            ValueError, match=r"method='gradient' certifies .* only where the penalty leaves nothing free"
        ):
            distributed.fit(clone(model), chunks_of(data), method="gradient")
    offset = [{**chunk, "offset": np.ones(len(chunk["y"]))} for chunk in chunks_of(data)]
    with pytest.raises(ValueError, match="offset is not for tasks with more than two classes"):
        distributed.fit(cm.MeanRegularizedClassifier(), offset)
    twin = cm.BlockSparseClassifierCV(selection="bic", alphas=3)
    with pytest.raises(ValueError, match="selection='bic' is for tasks of two classes in rounds"):
        distributed.fit(twin, chunks_of(data))
