"""The recipes in docs/recipes run as written, and what they say does not work does not, for the reason that they give.

What needs more than the extra `tests` is marked: `make recipes` installs the extra `recipes` and runs all, `make test`
the rest.
"""

import configparser
import re
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal
from sklearn.model_selection import GridSearchCV

import convexmtl as cm
from convexmtl import datasets
from convexmtl.model_selection import TaskKFold

ROOT = Path(__file__).parents[1]
PAGES = sorted(page for page in (ROOT / "docs" / "recipes").glob("*.md") if page.stem != "index")

config = configparser.ConfigParser()
config.read(ROOT / "setup.cfg")


def packages(extra):
    lines = [line.strip() for line in config["options.extras_require"][extra].splitlines()]
    return {re.match(r"[\w.-]+", line)[0].lower() for line in lines if line and not line.startswith("#")}


def needed(page):
    """What a page tells to install, beside this package and what comes with it."""
    line = re.search(r"^\$ pip install convexmtl (.*)$", page.read_text(), re.M)[1]
    return {"distributed" if "dask" in name else name for name in line.split()}


def is_light(page):
    return needed(page) <= packages("tests")


recipe = pytest.mark.recipe
# Other packages warn of each other; what warns in the name of this one is an error.
pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.filterwarnings("error:::convexmtl")]


@pytest.mark.parametrize("page", [pytest.param(p, marks=[] if is_light(p) else recipe, id=p.stem) for p in PAGES])
def test_page_runs(page, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    space = {"__name__": "page"}
    for i, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), re.S)):
        exec(compile(block, f"<{page.name} {i}>", "exec"), space)
    assert "Traceback" not in capsys.readouterr().out


def test_every_page_can_be_run():
    assert {p.stem for p in PAGES if is_light(p)} == {"frames", "onnx", "optuna", "parallel"}
    for page in PAGES:
        assert needed(page) <= packages("tests") | packages("recipes"), page.name
        assert f"]({page.name})" in (page.parent / "index.md").read_text()


@recipe
def test_all_that_is_needed_is_there():
    """So that nothing is skipped here, nor in the tests of adapters."""
    for name in packages("recipes"):
        version(name)


@pytest.fixture
def schools():
    X, y, code, _ = datasets.make_dirty(n_tasks=4, n_samples=40, n_features=8, random_state=0)
    labels = np.array(["Elm", "Oak", "Ash", "Fir"])[code]
    return pd.DataFrame(X, columns=[f"x{j}" for j in range(8)]).assign(school=labels), y


# ------------------------------------------------------------------------------------------- frames


def test_tables_of_arrow_are_stacked_and_unstacked(schools):
    frame, y = schools
    table = pa.Table.from_pandas(frame.drop(columns="school"))
    Xs, ys, labels = cm.unstack_tasks(table, y, frame["school"])
    assert all(isinstance(X, pa.Table) for X in Xs)
    X, again, task = cm.stack_tasks(Xs, ys, labels)
    assert isinstance(X, pa.Table) and X.column_names == table.column_names
    for label in labels:
        rows = frame["school"] == label
        assert_array_equal(again[task == label], y[rows])
        assert_array_equal(np.asarray(X)[task == label], np.asarray(table)[rows])
    X, Y = cm.features_as_targets(table, pa.table({"y": y}), columns="x3")
    assert Y.column_names == ["y", "x3"] and "x3" not in X.column_names


# ------------------------------------------------------------------------------------------- skforecast


@pytest.fixture
def series():
    rng = np.random.default_rng(0)
    days = pd.date_range("2026-01-01", periods=60, freq="D")
    return {f"shop {s}": pd.Series(rng.standard_normal(60).cumsum(), days) for s in range(3)}


@recipe
def test_skforecast_encodings(series):
    from skforecast.recursive import ForecasterRecursiveMultiSeries

    def made(encoding):
        model = cm.MeanRegularizedRegressor(task_column="_level_skforecast")
        return ForecasterRecursiveMultiSeries(model, lags=5, encoding=encoding)

    for encoding in ("ordinal", "ordinal_category"):
        one = made(encoding)
        one.fit(series=series, store_in_sample_residuals=True)
        assert one.predict_interval(steps=2, n_boot=5).shape == one.predict_interval(steps=2, method="conformal").shape
    for encoding in ("onehot", None):
        with pytest.raises(ValueError, match="task_column='_level_skforecast' is not a column of X"):
            made(encoding).fit(series=series)


@recipe
def test_skforecast_exogenous_and_unknown_series(series):
    from skforecast.recursive import ForecasterRecursiveMultiSeries

    model = cm.MeanRegularizedRegressor(task_column="_level_skforecast", unseen_task="mean")
    one = ForecasterRecursiveMultiSeries(model, lags=5)
    days = pd.date_range("2026-01-01", periods=70, freq="D")
    promotion = pd.DataFrame({"promotion": np.arange(70) % 3 == 0}, days).astype(float)
    one.fit(series=series, exog={name: promotion[:60] for name in series})
    assert one.estimator.coef_.shape == (3, 6)
    assert len(one.predict(steps=2, exog={name: promotion[60:] for name in series})) == 6
    one.fit(series=series)
    window = pd.DataFrame(series)[-5:].assign(new=0.0)
    with pytest.raises(ValueError, match="task must not be missing: 1 labels are NaN"):
        one.predict(steps=2, levels=["new"], last_window=window)


# ------------------------------------------------------------------------------------------- sktime


@recipe
def test_sktime_direct_fits_one_step_at_a_time():
    from sktime.forecasting.compose import make_reduction

    y = pd.Series(np.random.default_rng(0).standard_normal(60))
    direct = make_reduction(cm.BlockSparseRegressor(0.1), strategy="direct", window_length=5).fit(y, fh=[1, 2, 3])
    assert [model.coef_.size for model in direct.estimators_] == [5] * 3


# ------------------------------------------------------------------------------------------- MNE


@recipe
def test_mne_groups_epochs_and_patterns():
    import mne
    from mne.decoding import ReceptiveField

    mne.set_log_level("ERROR")
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 2, 3))  # times, epochs, features
    Y = np.stack([X[:, :, 1], -X[:, :, 1]], axis=2) + 0.1 * rng.standard_normal((200, 2, 2))
    model = cm.BlockSparseRegressor(0.1, feature_groups=np.repeat(range(3), 4))
    field = ReceptiveField(0.0, 0.3, 10.0, estimator=model, patterns=True).fit(X, Y)
    assert field.coef_.shape == field.patterns_.shape == (2, 3, 4)
    assert field.coef_.any(axis=(0, 2)).tolist() == [False, True, False]
    assert field.predict(X).shape == Y.shape


# ------------------------------------------------------------------------------------------- MAPIE


@recipe
def test_mapie_asks_for_a_row_of_zeros(schools):
    from mapie.regression import SplitConformalRegressor

    frame, y = schools
    split = SplitConformalRegressor(cm.BlockSparseRegressor(0.05, task_column="school"), prefit=False).fit(frame, y)
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        with pytest.raises(UserWarning, match=r"failed a minimal prediction test .* task 0\.0 was not seen in fit"):
            split.conformalize(frame, y)


@recipe
def test_mapie_wants_one_target():
    from mapie.regression import CrossConformalRegressor

    X, Y, _ = datasets.make_low_rank(layout="shared", n_features=5, random_state=0)
    with pytest.raises(ValueError, match="y should be a 1d array"):
        CrossConformalRegressor(cm.TraceNormRegressor(0.1)).fit_conformalize(X, Y)


@recipe
def test_mapie_quantiles(schools):
    from mapie.regression import ConformalizedQuantileRegressor

    frame, y = schools
    models = [
        cm.BlockSparseRegressor(0.05, loss=cm.Quantile(q), task_column="school", unseen_task="mean")
        for q in (0.05, 0.95, 0.5)
    ]
    with pytest.raises(ValueError, match="The base model is not supported"):
        ConformalizedQuantileRegressor(models[2]).fit(frame, y)
    train = np.arange(len(y)) % 2 == 0
    fitted = [model.fit(frame[train], y[train]) for model in models]
    conformal = ConformalizedQuantileRegressor(fitted, confidence_level=0.9, prefit=True)
    interval = conformal.conformalize(frame[~train], y[~train]).predict_interval(frame)[1]
    assert np.all(interval[:, 0, 0] <= interval[:, 1, 0])


# ------------------------------------------------------------------------------------------- SHAP, ONNX, MLflow


@recipe
def test_shap_takes_no_labels_that_are_strings(schools):
    import shap

    frame, y = schools
    with pytest.raises(TypeError):
        shap.LinearExplainer(cm.BlockSparseRegressor(0.05, task_column="school").fit(frame, y), frame)


def test_onnx_knows_the_classes_of_scikit_learn_only():
    from skl2onnx import to_onnx
    from skl2onnx.common.exceptions import MissingShapeCalculator

    X, Y, _ = datasets.make_low_rank(layout="shared", n_features=5, random_state=0)
    with pytest.raises(MissingShapeCalculator):
        to_onnx(cm.TraceNormRegressor(0.1).fit(X, Y), X[:1].astype(np.float32))


@recipe
def test_mlflow_logs_searches_around_by_itself(schools, monkeypatch, tmp_path):
    import mlflow

    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    frame, y = schools
    model = cm.BlockSparseRegressor(0.05, task_column="school")
    mlflow.sklearn.autolog(log_models=False, silent=True)
    try:
        with mlflow.start_run() as alone:
            model.fit(frame, y)
        with mlflow.start_run() as around:
            GridSearchCV(model, {"alpha": [0.05, 0.1]}, cv=TaskKFold(2, task_column="school")).fit(frame, y)
    finally:
        mlflow.sklearn.autolog(disable=True)
    assert not mlflow.get_run(alone.info.run_id).data.params
    assert "best_alpha" in mlflow.get_run(around.info.run_id).data.params
