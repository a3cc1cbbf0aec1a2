"""What the solvers do beside finding the solution, which all other tests check."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import convexmtl as cm
from convexmtl import datasets
from convexmtl.solvers import splitting


@pytest.fixture(scope="module")
def fit():
    """Fit two parts for which alternating directions take long; again at every call."""
    X, y, task, *_ = datasets.make_block_sparse(
        n_tasks=40, n_features=400, n_samples=20, n_informative=5, random_state=0
    )
    largest = cm.alpha_max(cm.SparseLowRankRegressor(1.0, 1.0), X, y, task=task)
    estimator = cm.SparseLowRankRegressor(**{name: value / 10 for name, value in largest.items()}, tol=1e-8)
    return lambda: estimator.fit(X, y, task=task)


def test_extrapolation_saves_iterations(fit, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(splitting, "YOUNG", np.inf)
        plain = fit()
        n_plain, coef = plain.n_iter_, plain.coef_
    fitted = fit()
    assert fitted.n_iter_ <= 0.7 * n_plain
    assert_allclose(fitted.coef_, coef, atol=1e-3 * np.abs(coef).max())
    # What is handed out comes from the proxes, with their zeros.
    assert np.mean(fitted.sparse_ == 0) > 0.5
    assert np.linalg.matrix_rank(fitted.low_rank_) < 20


def test_extrapolation_that_leads_astray_is_taken_back(fit, monkeypatch):
    coef, rng, drawn = fit().coef_, np.random.default_rng(0), []

    def wild(iterates):
        weights = rng.normal(scale=1e3, size=len(iterates) - 1)
        drawn.append(weights)
        return weights + (1 - weights.sum()) / len(weights)

    monkeypatch.setattr(splitting, "anderson_weights", wild)
    assert_allclose(fit().coef_, coef, atol=1e-3 * np.abs(coef).max())
    assert drawn
