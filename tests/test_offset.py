"""Offsets: what is added to x . w_t + b_t before the loss is taken, as an argument or as a column of X."""

import json

import cases
import numpy as np
import pandas as pd
import pytest
from cases import assert_agrees
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import PoissonRegressor
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import convexmtl as cm
from convexmtl import certify, reference
from convexmtl.baselines import PooledRegressorCV
from convexmtl.model_selection import TaskKFold
from convexmtl.penalties import MeanCoupling, RowNorm, TraceNorm

TOL = 1e-7
MODELS = {
    "rows": RowNorm(0.05),
    "mean": MeanCoupling(0.05, 0.2),
    "trace": TraceNorm(0.05),
    "parts": cases.PENALTIES["sparse,low_rank"].build(6, 4),
    "free": cases.PENALTIES["temporal_l1_free"].build(6, 4),
}


def model_for(loss, penalty, **options):
    own = cases.LOSSES[loss].loss
    cls = cm.MultiTaskClassifier if own.classification else cm.MultiTaskRegressor
    return cls(MODELS[penalty], loss=own, tol=TOL, **options)


def with_offset(loss, form, seed=0):
    """(X, y, options of fit) with offsets of unit size, NaN where a target is missing."""
    X, y, options = cases.user_input(loss, form, seed)
    offset = np.random.default_rng(seed + 1).standard_normal(np.shape(y))
    if form == "missing":
        offset[[[label is None or label != label for label in row] for row in y.tolist()]] = np.nan
    return X, y, {**options, "offset": offset}


def exposed(seed=0, n=60, T=3):
    """(X, counts, exposures (n, T))"""
    rng = np.random.default_rng(seed)
    X, exposure = rng.standard_normal((n, 5)), rng.uniform(0.2, 5, (n, T))
    return X, rng.poisson(exposure * np.exp(0.3 + 0.5 * X[:, :T])).astype(float), exposure


@pytest.mark.parametrize("penalty", MODELS)
@pytest.mark.parametrize("form", cases.INPUT_FORMS)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("loss", [name for name, case in cases.LOSSES.items() if case.loss.by_column])
def test_reference(loss, form, penalty, fit_intercept):
    if form == "single" and penalty == "free":
        pytest.skip("nothing is penalised")
    X, y, options = with_offset(loss, form)
    model = model_for(loss, penalty, fit_intercept=fit_intercept).fit(X, y, **options)
    scale = cases.scale_of(model._formulate(X, y, **options).problem)
    assert_allclose(certify(model, X, y, **options).gap, model.dual_gap_, rtol=1e-6, atol=1e-12 * scale)
    assert model.dual_gap_ <= TOL * scale
    assert_agrees(model.objective_, model.dual_gap_, reference.fit(model, X, y, **options), scale)


def test_squared_loss_is_a_shift_of_the_targets():
    X, y, options = with_offset("squared", "missing")
    offset = options.pop("offset")
    for name in MODELS:
        shifted = model_for("squared", name).fit(X, y - offset, **options)
        model = model_for("squared", name).fit(X, y, offset=offset, **options)
        assert_array_equal(model.coef_, shifted.coef_)
        clean = np.nan_to_num(offset)
        assert_allclose(model.predict(X, offset=clean), shifted.predict(X) + clean)
        assert_allclose(model.score(X, y, offset=offset), model.score(X, y, offset=clean))


@pytest.mark.parametrize("loss", ["poisson", "gamma", "tweedie"])
def test_log_exposure_is_a_weight_of_rates(loss):
    """exp(o)^(2 - p) loss(y exp(-o), z), for Poisson with p = 1, but for a constant."""
    X, counts, exposure = exposed()
    own = cases.LOSSES[loss].loss
    Y = counts + (loss == "gamma")
    power = {"poisson": 1.0, "gamma": 2.0, "tweedie": 1.5}[loss]
    weight = exposure ** (2 - power)
    model = cm.MultiTaskRegressor(RowNorm(0.02), loss=own, tol=1e-10).fit(X, Y, offset=np.log(exposure))
    # (The weights are normalised within tasks.)
    rates = cm.MultiTaskRegressor(RowNorm(0.02), loss=own, tol=1e-10, task_weight=weight.mean(axis=0))
    rates.fit(X, Y / exposure, sample_weight=weight)
    assert_allclose(model.coef_, rates.coef_, atol=1e-6)
    assert_allclose(model.predict(X), rates.predict(X), rtol=1e-5)
    assert_allclose(model.predict(X, offset=np.log(exposure)), exposure * rates.predict(X), rtol=1e-5)


def test_one_task_is_a_poisson_regression_of_rates():
    X, Y, exposure = exposed()
    y, e = Y[:, 0], exposure[:, 0]
    theirs = PoissonRegressor(alpha=0.1, tol=1e-10).fit(X, y / e, sample_weight=e)
    # (Theirs is divided by the sum of the weights.)
    ours = cm.MultiTaskRegressor(MeanCoupling(0.1 * e.mean() / 2, 0.1 * e.mean() / 2), loss="poisson", tol=1e-12)
    assert_allclose(ours.fit(X, y, offset=np.log(e)).coef_[0], theirs.coef_, atol=1e-6)


@pytest.mark.parametrize("loss", [name for name, case in cases.LOSSES.items() if case.loss.by_column])
def test_intercepts_absorb_what_is_common_to_a_task(loss):
    X, y, _ = cases.user_input(loss, "shared")
    model = model_for(loss, "rows")
    plain = clone(model).fit(X, y)
    model.fit(X, y, offset=np.tile([0.5, -1.0, 0.0, 2.0], (len(X), 1)))
    assert_allclose(model.coef_, plain.coef_, atol=1e-4)
    assert_allclose(model.intercept_ + [0.5, -1.0, 0.0, 2.0], plain.intercept_, atol=1e-4)


@pytest.mark.parametrize("loss", ["poisson", "logistic"])
@pytest.mark.parametrize("form", ["shared", "stacked"])
@pytest.mark.parametrize("kind", ["array", "frame", "sparse"])
def test_a_column_is_the_argument(loss, form, kind):
    X, y, options = with_offset(loss, form)
    offset = options.pop("offset")
    offset = offset if offset.ndim == 1 else offset[:, 0]
    columns = {"log_exposure": offset} | {f"x{j}": column for j, column in enumerate(X.T)}
    given = {name: value for name, value in options.items() if name == "task"}
    Z = pd.DataFrame(columns)
    if kind == "array":
        Z = Z.to_numpy()
    elif kind == "sparse":
        Z = csr_array(Z.to_numpy())
    column = "log_exposure" if kind == "frame" else 0
    plain = model_for(loss, "rows").fit(X, y, offset=offset, **options)
    model = model_for(loss, "rows", offset_column=column).fit(Z, y, **options)
    assert_allclose(model.coef_, plain.coef_, rtol=1e-6, atol=1e-9)
    ours, theirs = model.predict(Z, **given), plain.predict(X, offset=offset, **given)
    assert np.all(ours == theirs) if loss == "logistic" else np.allclose(ours, theirs, rtol=1e-6)
    assert_allclose(model.score(Z, y, **given), plain.score(X, y, offset=offset, **given), rtol=1e-6)
    assert model.n_features_in_ == 7 and model.feature_importances_.shape == (7,)
    assert_allclose(model.feature_importances_[1:], plain.feature_importances_)
    again = cm.from_dict(json.loads(json.dumps(cm.to_dict(model))))
    assert_array_equal(again.predict(Z, **given), model.predict(Z, **given))
    if loss == "logistic":
        for method in ("decision_function", "predict_proba"):
            theirs = getattr(plain, method)(X, offset=offset, **given)
            assert_allclose(getattr(model, method)(Z, **given), theirs, atol=1e-7)


def stacked_counts():
    X, Y, exposure = exposed(n=150)
    frame = pd.DataFrame(X, columns=list("abcde"))
    frame.insert(2, "shop", np.array(["north", "south", "east"])[np.arange(len(X)) % 3])
    frame.insert(0, "log_days", np.log(exposure[:, 0]))
    return frame, Y[:, 0]


def test_columns_of_task_and_offset_in_searches():
    frame, y = stacked_counts()
    options = {"loss": "poisson", "task_column": "shop", "offset_column": "log_days"}
    model = cm.BlockSparseRegressor(0.02, **options)
    search = GridSearchCV(model, {"alpha": [0.01, 0.1]}, cv=TaskKFold(3, task_column="shop")).fit(frame, y)
    assert search.best_score_ > 0
    fitted = search.best_estimator_
    assert fitted.coef_.shape == (3, 5) and fitted.feature_importances_.shape == (7,)
    assert cm.adaptive(model).fit(frame, y).coef_.shape == (3, 5)
    twin = cm.BlockSparseRegressorCV(alphas=4, cv=3, **options).fit(frame, y)
    assert_array_equal(twin.predict(frame), twin.predict(frame.iloc[::-1])[::-1])
    path = cm.regularization_path(model, frame, y, alphas=3)
    assert path.feature_names.tolist() == list("abcde")
    pooled = PooledRegressorCV(alphas=4, cv=3, **options).fit(frame, y)
    assert np.ptp(pooled.coef_, axis=0).max() == 0 and pooled.score(frame, y) > 0


def test_a_search_compares_errors_with_offsets():
    """On each fold the error is that of predictions with the offsets."""
    X, Y, exposure = exposed()
    o = np.log(exposure)
    twin = cm.BlockSparseRegressorCV(loss="poisson", alphas=[0.05], cv=KFold(3), tol=1e-9).fit(X, Y, offset=o)
    for (train, test), error in zip(KFold(3).split(X), twin.mse_path_[0], strict=True):
        model = cm.BlockSparseRegressor(0.05, loss="poisson", tol=1e-9).fit(X[train], Y[train], offset=o[train])
        mean = model.predict(X[test], offset=o[test])
        assert_allclose(error, np.mean(mean - Y[test] * np.log(mean)), rtol=1e-6)


def test_offsets_by_metadata_routing():
    X, Y, exposure = exposed()
    o = np.log(exposure)
    with config_context(enable_metadata_routing=True):
        model = cm.BlockSparseRegressor(0.02, loss="poisson").set_fit_request(offset=True)
        model.set_score_request(offset=True).set_predict_request(offset=True)
        pipe = make_pipeline(StandardScaler(), model)
        scores = cross_validate(pipe, X, Y, params={"offset": o}, cv=3)["test_score"]
        pipe.fit(X, Y, offset=o)
        assert pipe.predict(X, offset=o).shape == Y.shape
    train, test = next(KFold(3).split(X))
    scaler = StandardScaler().fit(X[train])
    model.fit(scaler.transform(X[train]), Y[train], offset=o[train])
    assert_allclose(scores[0], model.score(scaler.transform(X[test]), Y[test], offset=o[test]))


def test_statistics_of_shifted_targets():
    X, y, options = cases.user_input("squared", "stacked")
    offset = np.random.default_rng(3).standard_normal(len(y))
    whole = cm.BlockSparseRegressor(0.05, tol=1e-10).fit(X, y, offset=offset, **options)
    parts = cm.BlockSparseRegressor(0.05, tol=1e-10)
    for rows in (slice(0, 40), slice(40, None)):
        parts.partial_fit(X[rows], y[rows], offset=offset[rows], **{k: v[rows] for k, v in options.items()})
    assert_allclose(parts.coef_, whole.coef_, atol=1e-8)
    with pytest.raises(ValueError, match="partial_fit needs loss='squared', got loss='poisson'"):
        cm.BlockSparseRegressor(loss="poisson").partial_fit(X, np.abs(y), offset=offset)
    with pytest.raises(ValueError, match=r"offset_column=0 is a column of X, which statistics do not have"):
        cm.BlockSparseRegressor(offset_column=0).fit_statistics(whole_statistics(X, y, options))


def whole_statistics(X, y, options):
    return cm.SufficientStatistics.from_arrays(X, y, options["task"])


def test_a_new_task_and_a_relaxed_fit():
    X, Y, exposure = exposed()
    o = np.log(exposure)
    model = cm.BlockSparseRegressor(0.05, loss="poisson", tol=1e-8).fit(X, Y[:, :2], offset=o[:, :2])
    longer = cm.fit_new_task(model, X, Y[:, 2], label=2, offset=o[:, 2])
    # A rate that is e times as high is an intercept that is larger by one.
    other = cm.fit_new_task(model, X, Y[:, 2], label=2, offset=o[:, 2] - 1)
    assert_allclose(other.intercept_[2], longer.intercept_[2] + 1, atol=1e-4)
    relaxed = cm.relax(model, X, Y[:, :2], offset=o[:, :2])
    assert relaxed.objective_ < model.objective_
    assert_allclose(
        cm.information_criterion(model, X, Y[:, :2], offset=o[:, :2]),
        cm.information_criterion(model, X, Y[:, :2], offset=o[:, :2] + 0.0),
    )


def test_a_task_without_counts_is_predicted_half_of_one():
    X, Y, exposure = exposed()
    Y[:, 1] = 0
    with pytest.warns(UserWarning, match=r"1 task\(s\) have no target above zero"):
        model = cm.BlockSparseRegressor(0.05, loss="poisson").fit(X, Y, offset=np.log(exposure))
    assert_allclose(model.predict(X, offset=np.log(exposure))[:, 1].sum(), 0.5)


def test_what_a_fit_says():
    X, Y, exposure = exposed()
    said = str(cm.explain_fit(cm.BlockSparseRegressor(0.05, loss="poisson").fit(X, Y, offset=np.log(exposure))))
    assert "x_ti . w_t + b_t + offset_ti" in said


COUNTS = exposed()
REFUSED = {
    "length": (
        {"offset": np.zeros(59)},
        r"offset must have shape \(60,\) or \(60, 3\), one for each row of X, got \(59,\)",
    ),
    "shape": ({"offset": np.zeros((60, 2))}, r"offset must have shape \(60,\) or \(60, 3\), .*got \(60, 2\)"),
    "NaN": ({"offset": np.r_[np.zeros(59), np.nan]}, r"offset must be finite where a target counts, got nan at row 59"),
    "no exposure": ({"offset": np.r_[-np.inf, np.zeros(59)]}, r"got -inf at row 0: .* drop the rows without any"),
    "words": ({"offset": np.full(60, "a day")}, r"offset must hold numbers, such as log exposures"),
    "masked": ({"offset": np.ma.masked_less(np.arange(60.0), 2)}, r"offset must not be masked, got 2"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("cls", [cm.BlockSparseRegressor, cm.TraceNormRegressorCV])
def test_bad_offsets(cls, case):
    options, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        cls(loss="poisson").fit(*COUNTS[:2], **options)
    if case != "NaN":
        model = cm.BlockSparseRegressor(0.1, loss="poisson").fit(*COUNTS[:2])
        with pytest.raises(ValueError, match=message):
            model.predict(COUNTS[0], **options)


def test_bad_columns_of_offsets():
    frame, y = stacked_counts()
    for options, message in [
        ({"offset_column": "days"}, r"offset_column='days' is not a column of X"),
        (
            {"offset_column": "shop"},
            r"task_column and offset_column must be different columns of X, got \['shop', 'shop'\]",
        ),
        ({"offset_column": 1.5}, r"offset_column must be a column name or position, got 1\.5"),
    ]:
        with pytest.raises(ValueError, match=message):
            cm.BlockSparseRegressor(loss="poisson", task_column="shop", **options).fit(frame, y)
    model = cm.BlockSparseRegressor(0.1, loss="poisson", task_column="shop", offset_column="log_days")
    with pytest.raises(ValueError, match=r"offset was passed although offset_column='log_days' names the column"):
        model.fit(frame, y, offset=np.zeros(len(y)))
    with pytest.raises(ValueError, match=r"offset_column='log_days' must be finite .* got inf at row 3"):
        model.fit(frame.assign(log_days=np.where(np.arange(len(y)) == 3, np.inf, 0)), y)
    with pytest.raises(ValueError, match=r"linear models of scikit-learn have no offsets"):
        cm.to_sklearn(make_pipeline(model.fit(frame, y)))
    with pytest.raises(ValueError, match=r"without offsets, which offset_column='log_days' has"):
        cm.task_affinity(model, frame, y)
