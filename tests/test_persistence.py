"""Fitted estimators in files: they predict as before, and say so where another version has made them."""

import io
import pickle
import warnings

import cloudpickle
import joblib
import numpy as np
import pytest
import skops.io
from numpy.testing import assert_array_equal
from sklearn.base import is_classifier
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import convexmtl as cm
from convexmtl import datasets
from convexmtl.estimators import _base

ESTIMATORS = [getattr(cm.estimators, name) for name in cm.estimators.__all__]
X, Y, _ = datasets.make_block_sparse(n_tasks=3, n_samples=40, n_features=6, layout="shared", random_state=0)


def by_joblib(estimator):
    file = io.BytesIO()
    joblib.dump(estimator, file)
    file.seek(0)
    return joblib.load(file)


def by_skops(estimator):
    data = skops.io.dumps(estimator)
    # All that has to be trusted is ours.
    trusted = skops.io.get_untrusted_types(data=data)
    assert all(name.startswith("convexmtl.") for name in trusted), trusted
    return skops.io.loads(data, trusted=trusted)


WAYS = {
    "pickle": lambda estimator: pickle.loads(pickle.dumps(estimator)),
    "joblib": by_joblib,
    "cloudpickle": lambda estimator: pickle.loads(cloudpickle.dumps(estimator)),
    "skops": by_skops,
}


def fitted(cls):
    options = dict(alphas=3, cv=3, eps=0.1) if cls.__name__.endswith("CV") else {}
    estimator = cls(**options | ({"losses": dict.fromkeys(range(3), "squared")} if "Mixed" in cls.__name__ else {}))
    return estimator.fit(X, (Y > 0).astype(int) if is_classifier(estimator) else Y)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "estimator",
    [cm.TaskRelationshipRegressor(), cm.ClusteredRegressor(n_clusters=2), cm.ClusteredRegressor(clusters=[0, 0, 1])],
    ids=["learned", "learned clusters", "known clusters"],
)
def test_what_is_put_off_is_computed_as_before(estimator, way):
    again = WAYS[way](estimator.fit(X, Y))
    assert_array_equal(again.task_covariance_, estimator.task_covariance_)


@pytest.mark.covering(1)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("cls", ESTIMATORS, ids=lambda cls: cls.__name__)
def test_predicts_as_before(cls, way):
    estimator = fitted(cls)
    again = WAYS[way](estimator)
    assert_array_equal(again.predict(X), estimator.predict(X))
    assert vars(again).keys() == vars(estimator).keys()
    # It goes on from where it was, and is the same problem.
    y = (Y > 0).astype(int) if is_classifier(estimator) else Y
    assert again.dual_gap_ == estimator.dual_gap_
    assert cm.certify(again, X, y).gap == pytest.approx(cm.certify(estimator, X, y).gap)
    assert_array_equal(again.fit(X, y).coef_, estimator.coef_)


@pytest.mark.parametrize("way", WAYS)
def test_unfitted_and_in_a_pipeline(way):
    assert repr(WAYS[way](cm.DirtyRegressor(q=2))) == "DirtyRegressor(q=2)"
    pipeline = make_pipeline(StandardScaler(), cm.MultiTaskRegressor(cm.RowNorm(0.1) + cm.MeanCoupling())).fit(X, Y)
    assert_array_equal(WAYS[way](pipeline).predict(X), pipeline.predict(X))


@pytest.mark.parametrize("way", WAYS)
def test_another_version_is_told(way, monkeypatch):
    estimator, dump = fitted(cm.BlockSparseRegressor), {}
    original = _base.__version__
    monkeypatch.setattr(_base, "__version__", "0.0.1")
    dump["old"] = pickle.dumps(estimator) if way != "skops" else skops.io.dumps(estimator)
    if way == "joblib":
        file = io.BytesIO()
        joblib.dump(estimator, file)
    if way == "cloudpickle":
        dump["old"] = cloudpickle.dumps(estimator)
    monkeypatch.setattr(_base, "__version__", original)
    with pytest.warns(InconsistentVersionWarning, match=f"from version convexmtl 0.0.1 when using .* {original}") as w:
        if way == "skops":
            again = skops.io.loads(dump["old"], trusted=skops.io.get_untrusted_types(data=dump["old"]))
        elif way == "joblib":
            file.seek(0)
            again = joblib.load(file)
        else:
            again = pickle.loads(dump["old"])
    assert len(w) == 1
    assert_array_equal(again.predict(X), estimator.predict(X))


def test_from_before_versions_were_kept():
    estimator = fitted(cm.BlockSparseRegressor)
    state = estimator.__getstate__()
    del state["_convexmtl_version"]
    with pytest.warns(InconsistentVersionWarning, match="an older version"):
        cm.BlockSparseRegressor().__setstate__(state)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cm.BlockSparseRegressor().__setstate__(estimator.__getstate__())
    assert not np.any([name.startswith("_convexmtl") for name in vars(estimator)])
