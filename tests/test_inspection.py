"""The displays: what is drawn is what was computed."""

import subprocess
import sys
from itertools import pairwise

import cases
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import SymLogNorm, to_rgb
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LassoCV, MultiTaskLasso
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import convexmtl as cm
from convexmtl.inspection import CoefficientDisplay, CVDisplay, PathDisplay, TaskRelationshipDisplay

plt.switch_backend("Agg")

TWINS = [getattr(cm, name) for name in cm.__all__ if name.endswith("CV") and "Mixed" not in name]
rng = np.random.default_rng(0)
X = rng.standard_normal((60, 6))
Y = X @ (np.array([3.0, 2.0, 0.0, 1.0, 0.0, 0.0])[:, None] * rng.standard_normal((6, 4))) + rng.standard_normal((60, 4))
REGION = np.array(["north", "east", "south", "west"])[np.arange(60) % 4]
FRAME = pd.DataFrame(X, columns=list("abcdef"))
FRAME.insert(2, "region", REGION)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def texts(labels):
    return [label.get_text() for label in labels]


def drawn(display):
    """The display; matplotlib lays it out, so that it can complain."""
    display.figure_.canvas.draw()
    return display


# ---------------------------------------------------------------------------------- on use only


def run(code):
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_matplotlib_is_imported_on_use():
    assert run("import sys, convexmtl.inspection; print('matplotlib' in sys.modules)") == "False"


@pytest.mark.parametrize(
    "name, call",
    [
        ("CoefficientDisplay.from_estimator", lambda: CoefficientDisplay.from_estimator(None)),
        ("PathDisplay.from_estimator", lambda: PathDisplay.from_estimator(None, X, Y)),
        ("PathDisplay.from_path", lambda: PathDisplay.from_path(None)),
        ("CVDisplay.from_estimator", lambda: CVDisplay.from_estimator(None)),
        ("TaskRelationshipDisplay.from_estimator", lambda: TaskRelationshipDisplay.from_estimator(None)),
        ("CVDisplay.plot", lambda: CVDisplay(alphas=None, mse_path=None, alpha=1.0).plot()),
    ],
)
def test_without_matplotlib(monkeypatch, name, call):
    """Said before anything is computed."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=f"{name} requires matplotlib"):
        call()


# --------------------------------------------------------------------------------- coefficients


def test_coefficients_in_order():
    fit = cm.BlockSparseRegressor(0.1).fit(X, Y)
    display = drawn(CoefficientDisplay.from_estimator(fit))
    assert_array_equal(display.im_.get_array(), fit.coef_)
    bound = np.abs(fit.coef_).max()
    assert display.im_.get_clim() == (-bound, bound) and display.im_.get_cmap().name == "RdBu_r"
    assert_array_equal(display.features_, np.arange(6))
    assert texts(display.ax_.get_xticklabels()) == list("012345")
    assert texts(display.ax_.get_yticklabels()) == list("0123")
    assert display.colorbar_.ax in display.figure_.axes and display.ax_.figure is display.figure_


@pytest.mark.parametrize("column", ["region", 2, -5])
def test_names_without_the_task_column(column):
    fit = cm.BlockSparseRegressor(0.1, task_column=column).fit(FRAME, Y[:, 0])
    display = CoefficientDisplay.from_estimator(fit)
    assert texts(display.ax_.get_xticklabels()) == list("abcdef")
    assert texts(display.ax_.get_yticklabels()) == ["east", "north", "south", "west"]


def test_task_column_without_names():
    table = np.column_stack([np.arange(60) % 4, X])
    display = CoefficientDisplay.from_estimator(cm.BlockSparseRegressor(0.1, task_column=0).fit(table, Y[:, 0]))
    assert texts(display.ax_.get_xticklabels()) == list("012345")


def test_largest_coefficients_first():
    fit = cm.BlockSparseRegressor(0.1).fit(FRAME[list("fedcba")], Y)
    norms = np.linalg.norm(fit.coef_, axis=0)
    display = drawn(CoefficientDisplay.from_estimator(fit, max_features=2))
    largest = np.argsort(norms)[::-1][:2]
    assert_array_equal(display.features_, largest)
    assert_array_equal(display.im_.get_array(), fit.coef_[:, largest])
    assert texts(display.ax_.get_xticklabels()) == [*("fedcba"[j] for j in largest), "4 others"]
    assert display.ax_.get_xlabel() == "Feature (2 of 6, the largest first)"
    # Again, from the same data.
    assert_array_equal(display.plot(max_features=None).im_.get_array(), fit.coef_)


def test_zero_features_are_left_out_where_there_are_many():
    fit = cm.BlockSparseRegressor(0.3).fit(np.hstack([X, rng.standard_normal((60, 60))]), Y)
    used = np.flatnonzero(fit.coef_.any(axis=0))
    assert 0 < len(used) < 30
    assert sorted(CoefficientDisplay.from_estimator(fit).features_) == used.tolist()
    nothing = CoefficientDisplay(coef=np.zeros((3, 40)))
    assert drawn(nothing.plot()).im_.get_array().shape == (3, 1) and nothing.im_.get_clim() == (-1, 1)


def test_names_given():
    fit = cm.BlockSparseRegressor(0.1).fit(X, Y)
    display = CoefficientDisplay.from_estimator(fit, feature_names=list("uvwxyz"), task_names=[10, 20, 30, 40])
    assert texts(display.ax_.get_xticklabels()) == list("uvwxyz")
    assert texts(display.ax_.get_yticklabels()) == ["10", "20", "30", "40"]


def test_in_given_axes():
    fit = cm.BlockSparseRegressor(0.1).fit(X, Y)
    figure, axes = plt.subplots(1, 2)
    for cls, ax in zip((CoefficientDisplay, TaskRelationshipDisplay), axes, strict=True):
        display = cls.from_estimator(fit, ax=ax, colorbar=False, im_kw={"cmap": "PuOr", "vmax": 5.0})
        assert display.ax_ is ax and display.figure_ is figure and display.colorbar_ is None
        assert display.im_.get_cmap().name == "PuOr" and display.im_.get_clim()[1] == 5.0
    assert figure.axes == list(axes) and plt.get_fignums() == [figure.number]


def test_colours_on_another_scale():
    fit = cm.BlockSparseRegressor(0.1).fit(X, Y)
    norm = SymLogNorm(0.1, vmin=-2, vmax=2)
    assert CoefficientDisplay.from_estimator(fit, im_kw={"norm": norm}).im_.norm is norm


def test_coefficients_of_scikit_learn():
    theirs = CoefficientDisplay.from_estimator(MultiTaskLasso(0.1, tol=1e-10).fit(X, Y))
    ours = CoefficientDisplay.from_estimator(cm.BlockSparseRegressor(0.1, tol=1e-10).fit(X, Y))
    assert_allclose(theirs.im_.get_array(), ours.im_.get_array(), atol=1e-6)
    assert drawn(CoefficientDisplay.from_estimator(LassoCV(alphas=[0.1]).fit(X, Y[:, 0]))).coef.shape == (1, 6)


@pytest.mark.parametrize("name", ["{}", "school number {}"])
@pytest.mark.parametrize("n", [1, 3, 20, 300])
def test_names_do_not_overlap(n, name):
    names = [name.format(i) for i in range(n)]
    coefficients = CoefficientDisplay(coef=rng.standard_normal((n, n)), feature_names=names, task_names=names)
    relation = TaskRelationshipDisplay(relation=np.eye(n), task_names=names)
    for display in (drawn(coefficients.plot(max_features=None, max_tasks=None)), drawn(relation.plot())):
        for axis in (display.ax_.xaxis, display.ax_.yaxis):
            labels = [label for label in axis.get_ticklabels() if label.get_visible()]
            assert texts(labels) == [names[int(tick)] for tick in axis.get_ticklocs()]
            assert len(labels) >= min(n, 15)
            boxes = [label.get_window_extent() for label in labels]
            assert not any(a.overlaps(b) for a, b in pairwise(boxes))


# ----------------------------------------------------------------------------------------- paths


def test_path():
    estimator = cm.BlockSparseRegressor()
    path = cm.regularization_path(estimator, X, Y, alphas=20, eps=1e-2)
    display = drawn(PathDisplay.from_path(path, feature_names=list("uvwxyz"), max_labels=3))
    norms = np.sqrt((path.coefs**2).sum(axis=1))
    assert len(display.lines_) == len(display.features_) == np.count_nonzero(norms.max(axis=0))
    assert np.all(np.diff(norms.max(axis=0)[display.features_]) <= 0)
    for line, j in zip(display.lines_, display.features_, strict=True):
        assert_array_equal(line.get_xdata(), path.alphas)
        assert_allclose(line.get_ydata(), norms[:, j])
    assert texts(display.ax_.get_legend().get_texts()) == ["uvwxyz"[j] for j in display.features_[:3]]
    assert {line.get_color() for line in display.lines_[3:]} == {"0.8"}
    assert display.ax_.get_xscale() == "log" and display.ax_.xaxis_inverted()
    assert display.ax_.get_xlabel() == "alpha" and not hasattr(estimator, "coef_")
    same = PathDisplay.from_estimator(estimator, X, Y, alphas=20, eps=1e-2)
    assert_array_equal(same.norms, display.norms)


def test_path_of_a_frame():
    display = PathDisplay.from_estimator(cm.DirtyRegressor(task_column="region"), FRAME, Y[:, 0], alphas=[0.1, 0.01])
    assert sorted(texts(display.ax_.get_legend().get_texts())) == list("abcdef")
    assert display.ax_.get_xlabel() == "alpha_block"
    assert_array_equal(display.alphas, [0.1, 0.01])


def test_path_with_tasks_and_weights():
    weight = rng.integers(1, 3, 60)
    path = cm.regularization_path(cm.TraceNormRegressor(), X, Y[:, 0], task=REGION, sample_weight=weight, alphas=5)
    data = cm.TraceNormRegressor(), X, Y[:, 0]
    display = PathDisplay.from_estimator(*data, task=REGION, sample_weight=weight, alphas=5)
    assert_allclose(display.norms, np.linalg.norm(path.coefs, axis=1))


def test_unused_features_have_no_line():
    norms = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 2.0]])
    display = PathDisplay(alphas=np.array([1.0, 0.1]), norms=norms).plot(line_kw={"lw": 3, "c": "k"})
    assert display.features_.tolist() == [2, 0] and len(display.ax_.lines) == 2
    assert [(line.get_linewidth(), line.get_color()) for line in display.lines_] == [(3, "k")] * 2
    again = display.plot(display.ax_, max_labels=0)
    assert again.ax_.xaxis_inverted()
    with pytest.warns(UserWarning, match="alpha_max is 0"):
        nothing = drawn(PathDisplay.from_estimator(cm.BlockSparseRegressor(), X, np.ones(60), alphas=3))
    assert nothing.lines_ == [] and nothing.ax_.get_legend() is None


def test_path_of_one_point_can_be_seen():
    display = drawn(PathDisplay.from_estimator(cm.BlockSparseRegressor(), X, Y, alphas=[0.1]))
    assert {line.get_marker() for line in display.lines_} == {"o"}


# -------------------------------------------------------------------------------------- searches


def check_search(display, alphas, errors):
    """The curves and bands of every path."""
    for p, (line, band) in enumerate(zip(display.lines_, display.fill_between_, strict=True)):
        mean, error = errors[p].mean(axis=1), errors[p].std(axis=1, ddof=1) / np.sqrt(errors.shape[2])
        assert_array_equal(line.get_xdata(), alphas[p])
        assert_allclose(line.get_ydata(), mean)
        corners = band.get_paths()[0].vertices
        for alpha, low, high in zip(alphas[p], mean - error, mean + error, strict=True):
            own = corners[corners[:, 0] == alpha, 1]
            assert_allclose([own.min(), own.max()], [low, high])
        assert_allclose(band.get_facecolor()[0, :3], to_rgb(line.get_color()))


@pytest.mark.parametrize("selection", ["best", "1se"])
def test_one_path(selection):
    twin = cm.BlockSparseRegressorCV(alphas=15, cv=4, selection=selection).fit(X, Y)
    display = drawn(CVDisplay.from_estimator(twin))
    check_search(display, twin.alphas_[None], twin.mse_path_[None])
    assert_array_equal(display.chosen_.get_xdata(), [twin.alpha_, twin.alpha_])
    assert display.ax_.get_xscale() == "log" and display.ax_.xaxis_inverted()
    assert display.ax_.get_xlabel() == "alpha" and display.ax_.get_ylabel() == "Mean squared error"
    assert texts(display.ax_.get_legend().get_texts()) == [f"chosen: alpha = {twin.alpha_:.3g}"]


SEVERAL = {
    "dirty": (cm.DirtyRegressorCV(ratios=[1.5, 3.0]), "alpha_block / alpha_sparse = {}", ["1.5", "3"], "alpha_block"),
    "mean": (
        cm.MeanRegularizedRegressorCV(ratios=[1, 1000, 10]),
        "alpha_variance / alpha_mean = {}",
        ["1", "1000", "10"],
        "alpha_mean",
    ),
    "clusters": (
        cm.ClusteredRegressorCV(ratios=[1, 8], clusters=[0, 0, 1, 1]),
        "alpha_within / alpha_mean = {}",
        ["1", "8"],
        "alpha_mean",
    ),
    "mixtures": (cm.BlockSparseRegressorCV(l1_ratio=[0.2, 0.9]), "l1_ratio = {}", ["0.2", "0.9"], "alpha"),
}


@pytest.mark.parametrize("alphas", [6, [1.0, 0.1, 0.01]], ids=["own", "given"])
@pytest.mark.parametrize("selection", ["best", "1se"])
@pytest.mark.parametrize("name", SEVERAL)
def test_several_paths(name, selection, alphas):
    twin, label, values, strength = SEVERAL[name]
    twin = twin.set_params(alphas=alphas, cv=3, selection=selection, eps=1e-2).fit(X, Y)
    display = drawn(CVDisplay.from_estimator(twin))
    check_search(display, np.broadcast_to(twin.alphas_, twin.mse_path_.shape[:2]), twin.mse_path_)
    chosen = getattr(twin, f"{strength}_")
    legend = [label.format(value) for value in values] + [f"chosen: {strength} = {chosen:.3g}"]
    assert texts(display.ax_.get_legend().get_texts()) == legend
    assert display.ax_.get_xlabel() == strength
    assert_array_equal(display.chosen_.get_xdata(), [chosen, chosen])
    means = twin.mse_path_.mean(axis=2)
    assert display.path == np.unravel_index(np.argmin(means), means.shape)[0]
    assert display.chosen_.get_color() == display.lines_[display.path].get_color()


@pytest.mark.covering(1)
@pytest.mark.parametrize("cls", TWINS)
def test_every_twin(cls):
    twin = cls(alphas=3, cv=2).fit(X, Y > 0 if is_classifier(cls()) else Y)
    display = drawn(CVDisplay.from_estimator(twin))
    named = {"squared": "Mean squared error", "epsilon_insensitive": "Mean epsilon insensitive loss"}
    assert display.ax_.get_ylabel() == named.get(twin.loss, f"Mean {twin.loss} loss")
    assert_allclose(display.lines_[0].get_ydata(), np.atleast_3d(twin.mse_path_.mean(axis=-1)).ravel()[:3])


@pytest.mark.parametrize(
    "loss, name",
    [
        (cm.Squared(), "Mean squared error"),
        ("huber", "Mean huber loss"),
        (cm.Huber(2.0), "Mean huber loss"),
        (type("Own", (cm.Squared,), {})(), "Mean Own loss"),
    ],
)
def test_error_is_named_by_the_loss(loss, name):
    twin = cm.TraceNormRegressorCV(loss=loss, alphas=2, cv=2).fit(X, Y)
    assert CVDisplay.from_estimator(twin).ax_.get_ylabel() == name


def test_strengths_of_a_sum():
    penalty = cm.RowNorm(0.0) + cm.MeanCoupling(0.1, 0.2)
    twin = cm.MultiTaskRegressorCV(penalty=penalty, alphas=3, cv=2).fit(X, Y)
    display = CVDisplay.from_estimator(twin)
    assert display.ax_.get_xlabel() == "second__alpha_mean"
    assert display.chosen_.get_xdata()[0] == twin.second__alpha_mean_


def test_one_alpha_and_one_fold():
    twin = cm.BlockSparseRegressorCV(alphas=[0.1], cv=[(np.arange(40), np.arange(40, 60))]).fit(X, Y)
    display = drawn(CVDisplay.from_estimator(twin, line_kw={"c": "k"}, fill_between_kw={"color": "red"}))
    assert display.lines_[0].get_marker() == "o" and display.lines_[0].get_color() == "k"
    assert_allclose(display.fill_between_[0].get_facecolor()[0, :3], [1, 0, 0])
    assert_allclose(display.fill_between_[0].get_paths()[0].vertices[:, 1], twin.mse_path_[0, 0])


# ------------------------------------------------------------------------------ relation of tasks


def test_cosines():
    fit = cm.BlockSparseRegressor(0.1).fit(FRAME.drop(columns="region"), pd.DataFrame(Y, columns=list("pqrs")))
    display = drawn(TaskRelationshipDisplay.from_estimator(fit))
    W = fit.coef_
    expected = [[a @ b / np.sqrt(a @ a * (b @ b)) for b in W] for a in W]
    assert_allclose(display.im_.get_array(), expected)
    assert display.im_.get_clim() == (-1, 1) and display.colorbar_.ax.get_ylabel() == "Cosine"
    assert texts(display.ax_.get_xticklabels()) == texts(display.ax_.get_yticklabels()) == list("pqrs")
    assert display.lines_ == []


@pytest.mark.parametrize("clusters", [[1, 0, 1, 2], ["v", "u", "v", "w"]])
def test_correlations_by_cluster(clusters):
    fit = cm.ClusteredRegressor(clusters=clusters, alpha_within=5.0).fit(X, Y)
    display = drawn(TaskRelationshipDisplay.from_estimator(fit))
    order, Sigma = [1, 0, 2, 3], fit.task_covariance_
    correlation = np.array([[Sigma[s, t] / np.sqrt(Sigma[s, s] * Sigma[t, t]) for t in order] for s in order])
    assert_array_equal(display.tasks_, order)
    assert_allclose(display.im_.get_array(), correlation)
    assert correlation[1, 2] > 0 > correlation[0, 1]
    assert texts(display.ax_.get_xticklabels()) == texts(display.ax_.get_yticklabels()) == list("1023")
    assert display.colorbar_.ax.get_ylabel() == "Correlation"
    across, down = display.lines_[::2], display.lines_[1::2]
    assert [line.get_ydata()[0] for line in across] == [line.get_xdata()[0] for line in down] == [0.5, 2.5]


def test_learned_clusters():
    fit = cm.ClusteredRegressor(n_clusters=2).fit(X, Y)
    display = TaskRelationshipDisplay.from_estimator(fit, task_names=["A", "B", "C", "D"])
    labels = fit.labels_[display.tasks_]
    assert np.all(np.diff(labels) >= 0) and len(display.lines_) == 2 * np.count_nonzero(np.diff(labels))
    assert texts(display.ax_.get_xticklabels()) == ["ABCD"[t] for t in display.tasks_]


def test_tasks_without_a_direction_are_grey():
    targets = Y.copy()
    targets[:, 1] = 1.0
    fit = cm.BlockSparseRegressor(0.1, q=1).fit(X, targets)
    shown = drawn(TaskRelationshipDisplay.from_estimator(fit)).im_.get_array()
    missing = np.ma.getmaskarray(shown) | np.isnan(np.asarray(shown))
    assert missing[1].all() and missing[:, 1].all() and missing.sum() == 7


@pytest.mark.covering(1)
@pytest.mark.parametrize("cls", cases.ESTIMATORS)
def test_every_estimator(cls):
    fit = cls().fit(X, Y > 0 if cls in cases.CLASSIFIERS else Y)
    assert_array_equal(drawn(CoefficientDisplay.from_estimator(fit)).im_.get_array(), fit.coef_)
    relation = drawn(TaskRelationshipDisplay.from_estimator(fit)).im_.get_array()
    assert_allclose(relation, relation.T)
    assert_allclose(np.diag(relation), 1.0)


# ------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize("cls", [CoefficientDisplay, TaskRelationshipDisplay])
def test_estimators_without_coefficients(cls):
    estimator = cm.BlockSparseRegressor()
    with pytest.raises(NotFittedError, match="BlockSparseRegressor instance is not fitted"):
        cls.from_estimator(estimator)
    cm.regularization_path(estimator, X, Y, alphas=2)
    with pytest.raises(NotFittedError, match="BlockSparseRegressor instance is not fitted"):
        cls.from_estimator(estimator)
    pipe = make_pipeline(StandardScaler(), estimator).fit(X, Y)
    with pytest.raises(ValueError, match=r"coef_, which Pipeline does not have.* last step"):
        cls.from_estimator(pipe)
    drawn(cls.from_estimator(pipe[-1]))


def test_estimators_without_a_search():
    with pytest.raises(NotFittedError, match="DirtyRegressorCV instance is not fitted"):
        CVDisplay.from_estimator(cm.DirtyRegressorCV())
    for estimator in (cm.BlockSparseRegressor().fit(X, Y), LassoCV(alphas=[1.0]).fit(X, Y[:, 0])):
        name = type(estimator).__name__
        with pytest.raises(
            ValueError, match=f"{name} does not have: use .* ends in CV, such as BlockSparseRegressorCV"
        ):
            CVDisplay.from_estimator(estimator)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda f: CoefficientDisplay.from_estimator(f, feature_names=["a"]), "feature_names must hold 6 names, got 1"),
        (lambda f: CoefficientDisplay.from_estimator(f, task_names=["a"]), "task_names must hold 4 names, got 1"),
        (lambda f: CoefficientDisplay.from_estimator(f, max_features=0), "max_features must be an integer of at least"),
        (lambda f: CoefficientDisplay.from_estimator(f, max_features=2.5), "at least 1, got 2.5"),
        (lambda f: TaskRelationshipDisplay.from_estimator(f, task_names="ab"), "task_names must hold 4 names, got 2"),
        (
            lambda f: PathDisplay.from_estimator(f, X, Y, alphas=2, feature_names=list("abcdefg")),
            "feature_names must hold 6 names, got 7",
        ),
        (lambda f: PathDisplay.from_estimator(f, X, Y, alphas=2, max_labels=-1), "max_labels must be an integer"),
        (lambda f: PathDisplay.from_estimator(f, X, Y, alphas=0), "alphas must be at least 1"),
        (
            lambda f: CVDisplay(
                alphas=np.ones((2, 1)), mse_path=np.ones((2, 1, 3)), alpha=1.0, path_names=["a"]
            ).plot(),
            "path_names must hold 2 names, got 1",
        ),
    ],
)
def test_bad_arguments(call, message):
    fit = cm.BlockSparseRegressor(0.1).fit(X, Y)
    with pytest.raises(ValueError, match=message):
        call(fit)
    assert plt.get_fignums() == []
