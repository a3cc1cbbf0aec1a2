"""What people do in notebooks: look, interrupt, read the warnings, go on from the last fit."""

import pickle
import signal
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone, is_classifier
from sklearn.exceptions import ConvergenceWarning, NotFittedError

import convexmtl as cm
from convexmtl import datasets
from convexmtl._jit import kernel
from convexmtl.estimators import _base, _cv

ESTIMATORS = [getattr(cm.estimators, name) for name in cm.estimators.__all__ if "Mixed" not in name]
X, Y, _ = datasets.make_block_sparse(n_tasks=3, n_samples=60, n_features=8, layout="shared", random_state=0)
every_estimator = pytest.mark.parametrize("cls", ESTIMATORS, ids=lambda cls: cls.__name__)


def quick(cls, **options):
    return cls(**({"alphas": 2, "cv": 2, "eps": 0.2} if cls.__name__.endswith("CV") else {}), **options)


def targets(cls):
    return (Y > 0).astype(int) if is_classifier(cls()) else Y


# --------------------------------------------------------------------------------- looking at it


@pytest.mark.covering(1)
@every_estimator
def test_shown(cls):
    estimator = quick(cls, tol=1e-3)
    assert "tol=0.001" in repr(estimator)
    before = estimator._repr_html_()
    assert cls.__name__ in before and "Not fitted" in before and "tol" in before
    assert "Fitted" in estimator.fit(X, targets(cls))._repr_html_()
    assert "Fit all tasks together" in cls.fit.__doc__ or "cross-validation" in cls.fit.__doc__


@pytest.mark.covering(1)
@every_estimator
def test_set_params_and_clone(cls):
    estimator = quick(cls).set_params(tol=1e-2, max_iter=7777)
    copy = clone(estimator.fit(X, targets(cls)))
    assert copy.get_params()["max_iter"] == 7777 and not hasattr(copy, "coef_")
    assert {n: repr(v) for n, v in copy.get_params().items()} == {n: repr(v) for n, v in estimator.get_params().items()}
    with pytest.raises(ValueError, match="Invalid parameter 'strength'"):
        estimator.set_params(strength=1)


# --------------------------------------------------------------------------------- interrupting


def same(a, b):
    return a.keys() == b.keys() and all(a[name] is b[name] for name in a)


@pytest.mark.covering(1)
@every_estimator
def test_an_interrupt_leaves_nothing_half_fitted(cls, monkeypatch):
    fresh, fitted = quick(cls), quick(cls).fit(X, targets(cls))
    before, untouched = dict(vars(fitted)), dict(vars(fresh))

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    for module, name in ((_base, "solve"), (_cv, "_errors")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, interrupted)
            for estimator in (fresh, fitted):
                if (module, cls.__name__.endswith("CV")) != (_cv, False):
                    with pytest.raises(KeyboardInterrupt):
                        estimator.fit(X[:, :5], targets(cls)[:, :2])
    assert same(vars(fresh), untouched) and same(vars(fitted), before)
    with pytest.raises(NotFittedError):
        fresh.predict(X)
    assert fitted.predict(X).shape == Y.shape


@pytest.mark.covering(1)
@every_estimator
def test_so_does_bad_input(cls):
    fitted = quick(cls).fit(X, targets(cls))
    before = dict(vars(fitted))
    with pytest.raises(ValueError, match="sample_weight"):
        fitted.fit(X[:, :5], targets(cls), sample_weight=-np.ones(60))
    assert same(vars(fitted), before)


@pytest.fixture
def interruptible():
    """Ctrl-C as in a notebook, whatever the tests' own process does about it."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs the timers of Unix")
@pytest.mark.parametrize("cls", [cm.BlockSparseClassifier, cm.BlockSparseClassifierCV], ids=lambda cls: cls.__name__)
def test_a_real_interrupt(cls, interruptible):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 1000))
    Y = (X[:, :20] + rng.standard_normal((400, 20)) > 0).astype(int)
    estimator = cls(tol=1e-12, **({"alphas": 100} if cls is cm.BlockSparseClassifierCV else {"alpha": 1e-4}))
    untouched = dict(vars(estimator))
    previous = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    start = time.perf_counter()
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(KeyboardInterrupt):
            estimator.fit(X, Y)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert time.perf_counter() - start < 30  # it may have waited for a compilation
    assert same(vars(estimator), untouched)


def test_an_interrupt_waits_for_the_end_of_a_compilation(interruptible, monkeypatch):
    """In the callbacks of LLVM it would be lost, and the compilation fail with another error."""
    done = []

    def njit(*args, **kwargs):
        def compile(source):
            signal.raise_signal(signal.SIGINT)
            done.append(source)
            return source

        return compile

    monkeypatch.setattr("numba.njit", njit)
    triple = kernel("float64(float64)")(lambda x: 3 * x)
    with pytest.raises(KeyboardInterrupt):
        triple(1.0)
    assert [source.__code__ for source in done] == [triple.function.__code__]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with ThreadPoolExecutor(1) as other, pytest.raises(KeyboardInterrupt):  # signals go to the main thread
        other.submit(triple, 1.0).result()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    assert triple(2.0) == 6.0 and signal.getsignal(signal.SIGINT) is signal.SIG_IGN


# ------------------------------------------------------------------------------------- warnings


def said(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return caught


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_warning_appears_once_and_where_it_was_called(n_jobs):
    labels = (Y > 0).astype(int)
    labels[:, 0] = 1
    search = {"alphas": 4, "cv": 3, "n_jobs": n_jobs}
    for call in (
        lambda: cm.BlockSparseClassifierCV(**search).fit(X, labels),
        lambda: cm.BlockSparseClassifier().fit(X, labels),
        lambda: cm.BlockSparseRegressor(max_iter=1, tol=1e-12).fit(X, Y),
        lambda: cm.regularization_path(cm.BlockSparseRegressor(max_iter=1, tol=1e-12), X, Y, alphas=7),
    ):
        (warning,) = said(call)
        assert warning.filename == __file__, warning.message
    caught = said(lambda: cm.BlockSparseRegressorCV(**search, max_iter=1, tol=1e-12).fit(X, Y))
    # One for all folds, one for the fit.
    assert [w.category for w in caught] == [ConvergenceWarning] * 2 and {w.filename for w in caught} == {__file__}
    assert "of the 12 fits on the folds" in str(caught[0].message)
    assert len(said(lambda: cm.DirtyRegressorCV(ratios=[0.5, 2.0], **search).fit(X, Y))) == 1
    assert not said(lambda: cm.DirtyRegressorCV(ratios=3, **search).fit(X, Y))


# ----------------------------------------------------------------------------------- warm starts


@pytest.mark.covering(1)
@every_estimator
def test_warm_start(cls):
    """From the solution nothing is left to do; from another one, what was fitted before does not matter."""
    # (With the squared loss couplings are solved in one step, from wherever it starts.)
    options = {"tol": 1e-5} if is_classifier(cls()) else {"tol": 1e-5, "loss": "huber"}
    warm, cold = quick(cls, warm_start=True, **options), quick(cls, **options)
    y = targets(cls)
    first = warm.fit(X, y).n_iter_
    assert first > 1 and warm.fit(X, y).n_iter_ == 1
    warm.fit(X[:40], y[:40])
    cold.fit(X[:40], y[:40])
    np.testing.assert_allclose(warm.objective_, cold.objective_, rtol=1e-4)
    warm.fit(X[:, :4], y)  # another shape: a cold start
    assert warm.coef_.shape == (3, 4)
    assert quick(cls, **options).fit(X, y).n_iter_ == first


# ------------------------------------------------------------------------- verbose, and all else


def test_verbose(capsys):
    fit = cm.BlockSparseRegressorCV(alphas=3, cv=2, verbose=1).fit(X, Y)
    lines = capsys.readouterr().out.split(f"\n{cm.explain_fit(fit)}\n")[0].splitlines()
    assert lines[:2] == [f"[BlockSparseRegressorCV] path 1 of 1, fold {k} of 2" for k in (1, 2)]
    assert all("duality gap" in line for line in lines[2:]) and len(lines) > 2
    cm.BlockSparseRegressorCV(alphas=3, cv=2).fit(X, Y)
    assert not capsys.readouterr().out


def test_fits_do_not_depend_on_what_was_fitted_before():
    estimator = cm.BlockSparseRegressor(0.1).fit(X, Y)
    first = estimator.coef_
    estimator.fit(X[:20], Y[:20])
    assert_array_equal(estimator.fit(X, Y).coef_, first)


@pytest.mark.parametrize(
    "estimator",
    [cm.TaskRelationshipRegressor(), cm.ClusteredRegressor(n_clusters=2), cm.ClusteredRegressor(clusters=[0, 0, 1])],
    ids=["learned", "learned clusters", "known clusters"],
)
def test_what_is_tasks_by_tasks_is_computed_when_it_is_read(estimator):
    fit = estimator.fit(X, targets(type(estimator)))
    assert "task_covariance_" not in vars(fit) and "task_covariance_" in dir(fit)
    copy, refit = pickle.loads(pickle.dumps(fit)), clone(fit)
    covariance = fit.task_covariance_
    assert covariance.shape == (3, 3) and fit.task_covariance_ is covariance and "task_covariance_" in vars(fit)
    np.testing.assert_array_equal(copy.task_covariance_, covariance)
    assert not hasattr(refit, "task_covariance_")
    with pytest.raises(AttributeError, match="no attribute 'task_covariance'"):
        _ = fit.task_covariance
    fit.fit(X[:20], targets(type(estimator))[:20])
    assert not np.array_equal(fit.task_covariance_, covariance) or estimator.clusters is not None
