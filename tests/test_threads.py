"""BLAS has one thread in everything that fits, and afterwards what the user has set."""

import subprocess
import sys
import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import convexmtl as cm
from convexmtl import _products, _threads, datasets
from convexmtl.estimators import _base, _cv
from convexmtl.reference import certify

X, Y = datasets.make_clustered(n_tasks=3, n_samples=30, n_features=6, layout="shared", random_state=0)[:2]


def blas():
    # (That of a solver of cvxpy has been built without threads.)
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return [pool["num_threads"] for pool in pools if pool.get("threading_layer") != "disabled"]


@pytest.fixture(autouse=True)
def user():
    """A setting that nobody else has."""
    with threadpool_limits(3, user_api="blas"):
        assert set(blas()) == {3}
        yield
        assert set(blas()) == {3}


@pytest.fixture
def seen(monkeypatch):
    """The numbers of threads that every solution sees."""
    found = []
    for module, name in ((_base, "solve"), (_cv, "path_pieces"), (cm.path, "solve_path"), (cm.path, "critical_factor")):
        _look_into(monkeypatch, module, name, found)
    _look_into(monkeypatch, cm.reference, "duality_gap", found)
    return found


def _look_into(monkeypatch, module, name, found):
    original = getattr(module, name)

    def looking(*args, **kwargs):
        found.extend(blas())
        return original(*args, **kwargs)

    monkeypatch.setattr(module, name, looking)


def work():
    model = cm.BlockSparseRegressor(0.1)
    yield lambda: model.fit(X, Y)
    yield lambda: cm.MeanRegularizedRegressor().partial_fit(X, Y)
    yield lambda: cm.BlockSparseRegressorCV(alphas=3, cv=2).fit(X, Y)
    yield lambda: cm.regularization_path(model, X, Y, alphas=3)
    yield lambda: cm.alpha_max(model, X, Y)
    yield lambda: certify(model.fit(X, Y), X, Y)


@pytest.mark.parametrize("position", range(6))
def test_one_thread(position, seen):
    list(work())[position]()
    assert set(seen) == {1}
    assert set(blas()) == {3}


def test_after_an_exception(monkeypatch):
    def fail(*args, **kwargs):
        assert set(blas()) == {1}
        raise KeyboardInterrupt

    monkeypatch.setattr(_base, "solve", fail)
    with pytest.raises(KeyboardInterrupt):
        cm.BlockSparseRegressor().fit(X, Y)
    assert set(blas()) == {3}
    with pytest.raises(ValueError, match="NaN"):
        cm.BlockSparseRegressor().fit(np.where(X > 2, np.nan, X), Y)


def test_nested():
    with _threads.one_thread():
        with _threads.same_sums(), _threads.one_thread():
            assert set(blas()) == {1}
        cm.BlockSparseRegressor(0.1).fit(X, Y)
        assert set(blas()) == {1}


@pytest.mark.parametrize("first_to_leave", [0, 1])
def test_two_threads(first_to_leave):
    """Whichever ends first: one thread as long as anything is fitted, by whatever thread."""
    inside, leave = [threading.Event(), threading.Event()], [threading.Event(), threading.Event()]
    looks = []

    def fits(k):
        with _threads.one_thread():
            inside[k].set()
            assert leave[k].wait(10)
            looks.append(blas())

    threads = [threading.Thread(target=fits, args=(k,)) for k in range(2)]
    for k, thread in enumerate(threads):
        thread.start()
        assert inside[k].wait(10)
    for k in (first_to_leave, 1 - first_to_leave):
        assert set(blas()) == {1}
        leave[k].set()
        threads[k].join()
    assert set(blas()) == {3}
    assert {n for look in looks for n in look} == {1}


def test_many_threads():
    def fits():
        for _ in range(20):
            cm.BlockSparseRegressor(0.1).fit(X, Y)

    cm.BlockSparseRegressor(0.1).fit(X, Y)
    threads = [threading.Thread(target=fits) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(blas()) == {3}
    assert (_threads._setting.fitting, _threads._setting.strict, _threads._setting.large) == (0, 0, 0)


def test_large_products():
    """They have the user's threads, but where sums must stay the same, or where other fits have the processors."""

    def inside(size):
        with _threads.large_product(size):
            return blas()

    assert set(inside(1e12)) == {3}
    with _threads.one_thread():
        assert set(inside(1e12)) == {3}
        assert set(inside(1e3)) == set(blas()) == {1}
        with _threads.same_sums():
            assert set(inside(1e12)) == {1}
        _threads._setting.change(fitting=1)  # by another thread
        try:
            assert set(inside(1e12)) == {1}
        finally:
            _threads._setting.change(fitting=-1)
        assert set(blas()) == {1}


def test_a_large_gram_matrix(monkeypatch):
    sizes = []
    monkeypatch.setattr(_products, "large_product", lambda size: sizes.append(size) or _threads.large_product(size))
    _products.gram(X, np.ones(len(X)), None)
    assert sum(sizes) == X.size * X.shape[1]


class OwnSetting:
    """A BLAS with OpenMP, in which every thread has its own setting."""

    threading_layer = "openmp"

    def __init__(self):
        self.of = threading.local()

    @property
    def num_threads(self):
        return getattr(self.of, "n", 3)

    def set_num_threads(self, n):
        self.of.n = n


def test_a_setting_for_each_thread(monkeypatch):
    pool, looks = OwnSetting(), []
    monkeypatch.setattr(_threads, "_pools", lambda: [pool])

    def fits():
        with _threads.one_thread():
            looks.append(pool.num_threads)
        looks.append(pool.num_threads)

    with _threads.one_thread():
        thread = threading.Thread(target=fits)
        thread.start()
        thread.join()
        looks.append(pool.num_threads)
    assert looks == [1, 3, 1]
    assert pool.num_threads == 3


def test_a_blas_that_cannot_be_set(monkeypatch):
    class Fixed:
        num_threads = None

        def set_num_threads(self, n):
            raise AssertionError

    monkeypatch.setattr(_threads, "_pools", lambda: [Fixed()])
    cm.BlockSparseRegressor(0.1).fit(X, Y)


def test_every_blas_of_a_new_process():
    """Also scipy's, which comes later than numpy's."""
    code = """
import numpy
import convexmtl
from convexmtl import _threads
with _threads.one_thread():
    import sklearn.cluster, scipy.sparse.linalg, scipy.linalg
    from threadpoolctl import threadpool_info
    print({pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "{1}"
