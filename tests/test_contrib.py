"""Adapters to the protocols of MNE and PySINDy: what they promise, and those toolkits themselves where they are."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import Lasso

import convexmtl as cm
from convexmtl.contrib.mne import SourceSolver
from convexmtl.contrib.sindy import JointOptimizer


def lead_field(n_sources, n_orient, n_channels=32, seed=0):
    """Gains as of sources below sensors on a sphere: smooth in their places, so that neighbours are nearly alike."""
    rng = np.random.default_rng(seed)
    sensors = rng.standard_normal((n_channels, 3))
    sensors /= np.linalg.norm(sensors, axis=1)[:, None]
    places = rng.standard_normal((n_sources, 3))
    places *= (rng.uniform(0.3, 0.8, n_sources) / np.linalg.norm(places, axis=1))[:, None]
    apart = sensors[:, None] - places
    field = apart / np.linalg.norm(apart, axis=2)[:, :, None] ** 3
    if n_orient == 1:
        field = np.einsum("csk,sk->cs", field, places / np.linalg.norm(places, axis=1)[:, None])
    G = field.reshape(n_channels, -1)
    return G - G.mean(axis=0)


def sources(n_orient, seed=1, n_times=12):
    """(M, G, X) with two sources of 40 that are active, the noise a tenth of the data."""
    rng = np.random.default_rng(seed)
    G = lead_field(40, n_orient)
    X = np.zeros((G.shape[1], n_times))
    for s in (3, 31):
        wave = np.sin(np.linspace(0, 3 + s / 10, n_times))
        X[s * n_orient : (s + 1) * n_orient] = (
            rng.standard_normal((n_orient, 1)) * wave / np.linalg.norm(G[:, s * n_orient])
        )
    M = G @ X
    return M + 0.1 * M.std() * rng.standard_normal(M.shape), G, X


@pytest.mark.parametrize("n_orient", [1, 3])
def test_the_protocol(n_orient):
    """X is X_full[active_set], of whole sources, and X_full has the least objective."""
    M, G, _ = sources(n_orient)
    solver = SourceSolver(share=0.3, tol=1e-9)
    X, active_set = solver(M, G, n_orient)
    assert active_set.shape == (G.shape[1],) and active_set.dtype == bool and X.shape == (active_set.sum(), M.shape[1])
    whole = active_set.reshape(-1, n_orient)
    assert np.all(whole == whole[:, :1]) and 0 < active_set.sum() < len(active_set)
    full = np.zeros((G.shape[1], M.shape[1]))
    full[active_set] = X
    # The optimality conditions of the mixed norm.
    gradient = (G.T @ (M - G @ full)).reshape(-1, n_orient * M.shape[1]) / len(M)
    norms = np.linalg.norm(gradient, axis=1)
    start = np.linalg.norm((G.T @ M).reshape(-1, n_orient * M.shape[1]), axis=1).max() / len(M)
    assert np.all(norms <= 0.3 * start * (1 + 1e-3))
    used = whole[:, 0]
    assert_allclose(norms[used], 0.3 * start, rtol=1e-3)
    assert solver.estimator_.dual_gap_ <= 1e-9 * 0.5 * np.sum(M**2) / len(M)


def test_fixed_orientations_are_the_block_norm():
    M, G, _ = sources(1)
    top = cm.alpha_max(cm.BlockSparseRegressor(fit_intercept=False), G, M)
    other = cm.BlockSparseRegressor(0.2 * top, fit_intercept=False, tol=1e-6).fit(G, M)
    X, active_set = SourceSolver(share=0.2)(M, G, 1)
    assert_array_equal(X, other.coef_.T[active_set])


def test_other_estimators_of_sources():
    M, G, _ = sources(3)
    top = cm.alpha_max(cm.SparseGroupRegressor(fit_intercept=False), G, M)
    for estimator in (cm.SparseGroupRegressor(0.05 * top), cm.BlockSparseRegressorCV(alphas=5, eps=0.1, cv=3)):
        solver = SourceSolver(estimator=estimator)
        X, active_set = solver(M, G, 3)
        assert len(X) == active_set.sum() > 0 and not solver.estimator_.fit_intercept
    none, inactive = SourceSolver(share=1.0)(M, G, 3)
    assert not inactive.any() and none.shape == (0, M.shape[1])
    one, active_set = SourceSolver()(M[:, :1], G, 3)
    assert one.shape == (active_set.sum(), 1)


BAD_SOURCES = {
    "share": ({"share": 0.0}, {}, r"share must be a number in \(0, 1\]"),
    "rows": ({}, {"M": np.ones((5, 2))}, "M and G must have a row for every channel, got 5 and 32"),
    "nan": ({}, {"M": np.full((32, 2), np.nan)}, "M must be finite, got nan"),
    "flat": ({}, {"M": np.ones(32)}, "M must be an array of 2 dimensions"),
    "orientations": ({}, {"n_orient": 7}, "G must have n_orient=7 columns for every source, got 120"),
    "none": ({}, {"n_orient": 0}, "n_orient must be a number of orientations, 1 or 3, got 0"),
    "no groups": ({"estimator": cm.TraceNormRegressor()}, {}, "estimator must have feature_groups"),
}


@pytest.mark.parametrize("case", BAD_SOURCES)
def test_bad_sources(case):
    options, given, message = BAD_SOURCES[case]
    M, G, _ = sources(3)
    with pytest.raises(ValueError, match=message):
        SourceSolver(**options)(**({"M": M, "G": G, "n_orient": 3} | given))
    with pytest.raises(TypeError, match="estimator must be a regressor of convexmtl"):
        SourceSolver(estimator=Lasso())(M, G, 3)


def quiet_mne():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mne = pytest.importorskip("mne")
        mne.set_log_level("ERROR")
        return mne


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("n_orient", [1, 3])
def test_it_is_the_mixed_norm_of_mne(n_orient):
    quiet_mne()
    from mne.inverse_sparse.mxne_optim import mixed_norm_solver

    M, G, _ = sources(n_orient)
    solver = SourceSolver(share=0.3, tol=1e-9)
    X, active_set = solver(M, G, n_orient)
    alpha = solver.estimator_.alpha * np.sqrt(n_orient) * len(M)
    theirs, active, _ = mixed_norm_solver(
        M, G, alpha, tol=1e-9 * np.sum(M**2), maxit=100_000, n_orient=n_orient, debias=False
    )
    full, other = np.zeros((2, G.shape[1], M.shape[1]))
    full[active_set], other[active] = X, theirs
    assert_allclose(full, other, atol=1e-3 * np.abs(other).max())


@pytest.mark.filterwarnings("ignore")
def test_through_mne():
    """As its example of a custom solver does it: whitened, with weights for the depth, back to a source estimate."""
    mne = quiet_mne()
    from mne.inverse_sparse import mxne_inverse as inner

    montage = mne.channels.make_standard_montage("biosemi32")
    info = mne.create_info(montage.ch_names, 100.0, "eeg").set_montage(montage)
    sphere = mne.make_sphere_model("auto", "auto", info)
    grid = mne.setup_volume_source_space(pos=30.0, sphere=sphere, mindist=20.0)
    forward = mne.make_forward_solution(info, None, grid, sphere, meg=False)
    rng = np.random.default_rng(0)
    data = forward["sol"]["data"][:, 6:9] @ rng.standard_normal((3, 5)) * 1e-7
    evoked = mne.EvokedArray(data, info).set_eeg_reference(projection=True)
    noise = mne.make_ad_hoc_cov(info, std={"eeg": 0.2 * data.std()})
    fields = inner._prepare_gain(forward, evoked.info, noise, False, 0.8, 1.0, None, None)
    forward, gain, gain_info, whitener, weighting, _ = fields
    M = whitener @ evoked.data[[evoked.ch_names.index(name) for name in gain_info["ch_names"]]]
    X, active_set = SourceSolver(share=0.5)(M, gain, 3)
    X = inner._reapply_source_weighting(X, weighting, active_set)
    estimate = inner._make_sparse_stc(X, active_set, forward, tmin=0.0, tstep=0.01)
    assert estimate.data.shape[-1] == 5 and 0 < len(estimate.data) < gain.shape[1]


# ------------------------------------------------------------------------------------------- dynamics


def library(rng, sizes):
    """(terms (n, 6), rates (R, 2), derivatives (n, 2)) along trajectories with rates of their own."""
    x = rng.standard_normal((sum(sizes), 6))
    rates = rng.uniform(1, 3, (len(sizes), 2))
    each = np.repeat(rates, sizes, axis=0)
    dx = np.column_stack([-each[:, 0] * x[:, 0] + x[:, 3], each[:, 1] * x[:, 1]])
    return x, rates, dx + 0.01 * rng.standard_normal(dx.shape)


def test_terms_are_those_of_all_trajectories():
    rng = np.random.default_rng(0)
    x, rates, dx = library(rng, [30, 50, 40])
    model = JointOptimizer(0.1, trajectories=[30, 50, 40]).fit(x, dx)
    expected = np.zeros((2, 6), dtype=bool)
    expected[0, [0, 3]] = expected[1, 1] = True
    assert_array_equal(model.ind_, expected)
    assert_allclose(model.trajectory_coef_[:, 0, 0], -rates[:, 0], atol=0.02)
    assert_allclose(model.trajectory_coef_[:, 1, 1], rates[:, 1], atol=0.02)
    assert_allclose(model.coef_, model.trajectory_coef_.mean(axis=0))
    assert model.complexity == 3 and model.intercept_ == 0 and len(model.history_) == 1
    assert_allclose(model.predict(x), x @ model.coef_.T)
    one = model.of_trajectory(1)
    assert_array_equal(one.coef_, model.trajectory_coef_[1])
    assert one.score(x[30:80], dx[30:80]) > 0.999 > model.score(x[30:80], dx[30:80])
    labels = np.repeat(["a", "b", "c"], [30, 50, 40])
    by_label = clone(model).set_params(trajectories=labels).fit(x, dx)
    assert_array_equal(by_label.coef_, model.coef_)
    assert by_label.trajectories_.tolist() == ["a", "b", "c"]


def test_one_trajectory_is_the_lasso():
    rng = np.random.default_rng(1)
    x, _, dx = library(rng, [60])
    model = JointOptimizer(0.2, unbias=False, tol=1e-12).fit(x, dx)
    for s in range(2):
        top = np.abs(x.T @ dx[:, s]).max() / 60
        assert_allclose(
            model.coef_[s], Lasso(0.2 * top, fit_intercept=False, tol=1e-12).fit(x, dx[:, s]).coef_, atol=1e-5
        )
    scaled = JointOptimizer(0.2, unbias=False, normalize_columns=True, tol=1e-12).fit(x * np.arange(1, 7), dx)
    other = JointOptimizer(0.2, unbias=False, normalize_columns=True, tol=1e-12).fit(x, dx)
    assert_allclose(scaled.coef_ * np.arange(1, 7), other.coef_, atol=1e-5)


def test_missing_samples_and_weights():
    rng = np.random.default_rng(2)
    x, _, dx = library(rng, [40, 40])
    dx[[0, 79]] = np.nan
    with_nan = JointOptimizer(trajectories=[40, 40]).fit(x, dx)
    without = JointOptimizer(trajectories=[39, 39]).fit(x[1:-1], dx[1:-1])
    assert_allclose(with_nan.coef_, without.coef_, atol=1e-10)
    weight = np.ones(80)
    weight[0] = weight[79] = 0
    dx[[0, 79]] = 100.0
    weighted = JointOptimizer(trajectories=[40, 40]).fit(x, dx, sample_weight=weight)
    assert_allclose(weighted.coef_, without.coef_, atol=1e-8)


BAD_DYNAMICS = {
    "lengths": ({"trajectories": [3, 4]}, r"trajectories must be lengths that add up to the 20 rows of x, .* \[3, 4\]"),
    "share": ({"share": 2.0}, r"share must be a number in \(0, 1\]"),
    "unbias": ({"unbias": "yes"}, "unbias must be True or False, got 'yes'"),
}


@pytest.mark.parametrize("case", BAD_DYNAMICS)
def test_bad_dynamics(case):
    options, message = BAD_DYNAMICS[case]
    x, _, dx = library(np.random.default_rng(0), [10, 10])
    with pytest.raises(ValueError, match=message):
        JointOptimizer(**options).fit(x, dx)
    with pytest.raises(ValueError, match="x and y must have a row for every sample"):
        JointOptimizer().fit(x, dx[1:])
    with pytest.raises(ValueError, match=r"label must be one of \[0, 1\], got 2"):
        JointOptimizer(trajectories=[10, 10]).fit(x, dx).of_trajectory(2)


@pytest.mark.filterwarnings("ignore")
def test_through_pysindy():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ps = pytest.importorskip("pysindy")
    t = np.linspace(0, 6, 300)
    paths = [np.column_stack([np.cos(speed * t), np.sin(speed * t)]) for speed in (1.0, 2.0)]
    optimizer = JointOptimizer(0.05, trajectories=[300, 300])
    model = ps.SINDy(optimizer=optimizer, feature_library=ps.PolynomialLibrary(degree=2))
    model.fit(paths, t=t)
    names = model.get_feature_names()
    found = optimizer.trajectory_coef_
    assert_allclose(found[:, 0, names.index("x1")], [-1, -2], atol=0.02)
    assert_allclose(found[:, 1, names.index("x0")], [1, 2], atol=0.02)
    assert model.complexity == optimizer.complexity <= 6
    assert model.predict(paths[0]).shape == (300, 2)
