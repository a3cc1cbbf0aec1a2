"""scikit-learn's own tests of its four multi-task estimators, with ours in their place.

Many of them compare coefficients to seven digits at the default tolerance, which holds for two runs of one algorithm,
far from the solution as they may be. For different algorithms it has to be the solution that is compared: where a
test has no other ``tol`` than the default, it is taken a million times smaller; in scikit-learn's single-task
estimators as well, where they are beside ours.

Two things differ, and are said: where scikit-learn has no grid of its own for ``l1_ratio=0``, ours is that of the
quadratic penalties; and where nothing is to be searched for (constant targets), ours warns.
"""

import importlib.util
from unittest import mock

import cases
import numpy as np
import pytest
import sklearn.linear_model

import convexmtl as cm

NAME = "sklearn.linear_model.tests.test_coordinate_descent"


class Exact:
    """Fits to more digits, and counts iterations in tens: a sweep over a few features is not a pass over all."""

    def fit(self, X, y, sample_weight=None, **params):
        tol = 1e-10 if self.tol == 1e-4 else self.tol
        with mock.patch.multiple(self, tol=tol, max_iter=10 * self.max_iter):
            return super().fit(X, y, sample_weight=sample_weight, **params)


class MultiTaskElasticNet(Exact, cm.BlockSparseRegressor):
    """With scikit-learn's defaults; what only its coordinate descent knows is taken and left alone."""

    def __init__(
        self,
        alpha=1.0,
        *,
        l1_ratio=0.5,
        fit_intercept=True,
        copy_X=True,
        max_iter=1000,
        tol=1e-4,
        warm_start=False,
        random_state=None,
        selection="cyclic",
    ):
        super().__init__(
            alpha, l1_ratio=l1_ratio, fit_intercept=fit_intercept, max_iter=max_iter, tol=tol, warm_start=warm_start
        )
        self.copy_X, self.random_state, self.selection = copy_X, random_state, selection


class MultiTaskLasso(MultiTaskElasticNet):
    def __init__(
        self,
        alpha=1.0,
        *,
        fit_intercept=True,
        copy_X=True,
        max_iter=1000,
        tol=1e-4,
        warm_start=False,
        random_state=None,
        selection="cyclic",
    ):
        super().__init__(
            alpha, l1_ratio=1.0, fit_intercept=fit_intercept, max_iter=max_iter, tol=tol, warm_start=warm_start
        )
        self.copy_X, self.random_state, self.selection = copy_X, random_state, selection


class MultiTaskElasticNetCV(Exact, cm.BlockSparseRegressorCV):
    def __init__(
        self,
        *,
        l1_ratio=0.5,
        eps=1e-3,
        alphas=100,
        fit_intercept=True,
        max_iter=1000,
        tol=1e-4,
        cv=None,
        copy_X=True,
        verbose=0,
        n_jobs=None,
        random_state=None,
    ):
        super().__init__(
            l1_ratio=l1_ratio,
            eps=eps,
            alphas=alphas,
            fit_intercept=fit_intercept,
            max_iter=max_iter,
            tol=tol,
            cv=cv,
            verbose=verbose,
            n_jobs=n_jobs,
        )
        self.copy_X, self.random_state = copy_X, random_state


class MultiTaskLassoCV(MultiTaskElasticNetCV):
    def __init__(
        self,
        *,
        eps=1e-3,
        alphas=100,
        fit_intercept=True,
        max_iter=1000,
        tol=1e-4,
        cv=None,
        copy_X=True,
        verbose=0,
        n_jobs=None,
        random_state=None,
    ):
        super().__init__(
            l1_ratio=1.0,
            eps=eps,
            alphas=alphas,
            fit_intercept=fit_intercept,
            max_iter=max_iter,
            tol=tol,
            cv=cv,
            verbose=verbose,
            n_jobs=n_jobs,
        )
        self.copy_X, self.random_state = copy_X, random_state


OURS = {c.__name__: c for c in (MultiTaskElasticNet, MultiTaskLasso, MultiTaskElasticNetCV, MultiTaskLassoCV)}


def _with_ours():
    """scikit-learn's module of tests, imported anew while ours stand in."""
    spec = importlib.util.find_spec(NAME)
    module = importlib.util.module_from_spec(spec)
    with mock.patch.multiple(sklearn.linear_model, **OURS):
        spec.loader.exec_module(module)
    return module


def _names(function):
    """Global names that a test uses, in its body and in its parameters."""
    yield from function.__code__.co_names
    for mark in getattr(function, "pytestmark", ()):
        yield from (str(value) for value in mark.args)


# (``n_alphas`` beside ``alphas``, and no weights for splitters that do not ask for them.)
_OLD_TWINS = cases.scikit_learn_before("1.7")
_module = _with_ours()
for _name, _function in vars(_module).items():
    if _name.startswith("test_") and any(ours in text for text in _names(_function) for ours in OURS):
        globals()[_name] = pytest.mark.covering(1)(_function)
        if _OLD_TWINS and any(twin in text for text in _names(_function) for twin in OURS if twin.endswith("CV")):
            globals()[_name] = pytest.mark.skip("before scikit-learn 1.7 its twins had other parameters")(_function)


def test_all_of_ours_are_tested():
    """Should scikit-learn rename its tests or its estimators, this notices."""
    tests = [function for name, function in globals().items() if name.startswith("test_")]
    used = {ours for ours in OURS for test in tests if test.__module__ == NAME and ours in _names(test)}
    assert used == set(OURS)


test_uniform_targets = pytest.mark.filterwarnings("ignore:alpha_max is 0")(test_uniform_targets)  # noqa: F821
# scikit-learn's own ElasticNet stops short of the tolerance there, on some processors or in some versions.
_theirs_stops_short = pytest.mark.filterwarnings(
    "ignore:(?s).*(Linear regression models with a zero l1|increase the number of iterations)"
)
if "test_enet_ridge_consistency" in globals():  # in scikit-learn 1.6 it has no multi-task estimators
    test_enet_ridge_consistency = _theirs_stops_short(test_enet_ridge_consistency)  # noqa: F821
_l1_ratio_of_theirs = test_enet_l1_ratio  # noqa: F821


@_theirs_stops_short
def test_enet_l1_ratio():
    """For the automatic grid that theirs refuses, the one of ``alpha_max``; all the rest as theirs has it."""
    X = np.array([[1.0, 2, 4, 5, 8], [3, 5, 7, 7, 8]]).T
    y = np.array([12.0, 10, 11, 21, 5])
    ours = MultiTaskElasticNetCV(l1_ratio=0, alphas=4).fit(X, y[:, None])
    # (alpha / 2 norm_F(W)^2 has curvature alpha, the loss that of the covariance.)
    top = np.linalg.eigvalsh(np.cov(X.T, bias=True)).max()
    np.testing.assert_allclose(ours.alphas_, top * np.geomspace(1, 1e-3, 4))

    class Refusing(MultiTaskElasticNetCV):
        def fit(self, X, y):
            if self.l1_ratio == 0 and isinstance(self.alphas, int):
                return sklearn.linear_model.MultiTaskElasticNetCV(l1_ratio=0).fit(X, y)
            return super().fit(X, y)

    with mock.patch.dict(_l1_ratio_of_theirs.__globals__, MultiTaskElasticNetCV=Refusing):
        _l1_ratio_of_theirs()


@pytest.fixture(autouse=True)
def single_task_estimators_converge(request):
    if not request.node.name.startswith("test_1d_multioutput"):
        yield
        return
    patched = [
        mock.patch.dict(cls.__init__.__kwdefaults__, tol=1e-10, max_iter=100_000)
        for cls in (sklearn.linear_model.ElasticNetCV, sklearn.linear_model.LassoCV)
    ]
    with patched[0], patched[1]:
        yield


@pytest.fixture
def global_random_seed():
    return 0
