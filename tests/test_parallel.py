"""Searches on any backend of joblib: the same numbers, to the last bit, for any number of jobs."""

import gc
import pickle
import warnings
from weakref import ref

import joblib
import numpy as np
import pytest
from distributed import Client, LocalCluster
from numpy.testing import assert_array_equal
from sklearn.base import is_classifier
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_limits

import convexmtl as cm
from convexmtl import datasets
from convexmtl.estimators import _cv
from convexmtl.model_selection import TaskKFold

TWINS = [getattr(cm, name) for name in cm.__all__ if name.endswith("CV") and "Mixed" not in name]


def search(cls, layout="stacked", n_jobs=None, **sizes):
    sizes = {"n_tasks": 4, "n_samples": 30, "n_features": 8} | sizes
    made = datasets.make_clustered(**sizes, layout=layout, classification=is_classifier(cls()), random_state=0)
    options = {"task": made[2]} if layout == "stacked" else {}
    few = {name: 2 for name in ("ratios", "gammas") if name in cls().get_params()}
    return cls(alphas=4, cv=3, eps=0.05, n_jobs=n_jobs, **few).fit(*made[:2], **options)


def assert_same(a, b):
    assert_array_equal(a.mse_path_, b.mse_path_)
    assert_array_equal(a.alphas_, b.alphas_)
    assert_array_equal(a.coef_, b.coef_)
    assert_array_equal(a.intercept_, b.intercept_)


@pytest.mark.covering(1)
@pytest.mark.parametrize("n_jobs", [2, -1])
@pytest.mark.parametrize("layout", ["shared", "stacked"])
@pytest.mark.parametrize("cls", TWINS, ids=lambda cls: cls.__name__)
def test_any_number_of_jobs(cls, layout, n_jobs):
    assert_same(search(cls, layout, n_jobs), search(cls, layout))


def test_more_jobs_than_folds():
    assert_same(search(cm.TraceNormRegressorCV, n_jobs=4), search(cm.TraceNormRegressorCV))


@pytest.mark.parametrize("cls", [cm.BlockSparseRegressorCV, cm.MeanRegularizedRegressorCV], ids=lambda c: c.__name__)
@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing", "sequential"])
def test_backends(backend, cls):
    """Sizes at which BLAS would use several threads."""
    sizes = {"n_samples": 300, "n_features": 120, "n_tasks": 6}
    with threadpool_limits(2, user_api="blas"):
        one = search(cls, "shared", **sizes)
        with joblib.parallel_config(backend=backend):
            assert_same(search(cls, "shared", n_jobs=2, **sizes), one)


@pytest.fixture(scope="module")
def cluster():
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
    with warnings.catch_warnings():
        # What the cluster has to say of ports and slow machines is not about us.
        warnings.simplefilter("ignore")
        with LocalCluster(**options) as workers, Client(workers):
            yield


@pytest.mark.parametrize("layout", ["shared", "stacked"])
@pytest.mark.parametrize("cls", [cm.BlockSparseRegressorCV, cm.DirtyRegressorCV, cm.TraceNormClassifierCV])
def test_dask(cluster, cls, layout):
    one = search(cls, layout)
    with joblib.parallel_config(backend="dask"):
        assert_same(search(cls, layout), one)


def test_dask_searches(cluster):
    X, y, task, *_ = datasets.make_clustered(n_tasks=3, n_samples=20, n_features=5, random_state=0)
    X = np.column_stack([X, task])
    grid = GridSearchCV(
        cm.BlockSparseRegressor(task_column=-1), {"alpha": [0.01, 0.1]}, cv=TaskKFold(3, task_column=-1)
    )
    alone = grid.fit(X, y).cv_results_["mean_test_score"]
    with joblib.parallel_config(backend="dask"):
        assert_array_equal(grid.fit(X, y).cv_results_["mean_test_score"], alone)


def test_errors_in_workers_are_told():
    X, y, task, *_ = datasets.make_clustered(n_tasks=3, n_samples=20, n_features=5, random_state=0)
    folds = [(np.flatnonzero(task != 1), np.flatnonzero(task == 1))]
    with pytest.raises(ValueError, match="cv: fold 0 trains on no sample of task 1"):
        cm.BlockSparseRegressorCV(alphas=3, cv=folds, n_jobs=2).fit(X, y, task=task)


@pytest.mark.parametrize("family", ["BlockSparse", "TraceNorm", "MeanRegularized", "Dirty"])
@pytest.mark.parametrize("shape", [(30, 8), (12, 40)])
def test_a_fold_lets_go_of_the_samples(family, shape, monkeypatch):
    """Without a collection of garbage, or joblib waits a second for the file in which workers share X."""
    rng = np.random.default_rng(0)
    held, errors = [], _cv._errors

    def noted(single, multiples, data, *rest):
        data = pickle.loads(pickle.dumps(data))
        held.append(ref(data.tasks))
        return errors(single, multiples, data, *rest)

    monkeypatch.setattr(_cv, "_errors", noted)
    X = rng.normal(size=shape)
    gc.disable()
    try:
        getattr(cm, f"{family}RegressorCV")(alphas=4, cv=2).fit(X, X[:, :3] + rng.normal(size=(shape[0], 3)))
        assert held and not any(kept() for kept in held)
    finally:
        gc.enable()
