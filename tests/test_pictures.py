"""Pictures of many tasks and features, of parts, scores and gaps: what is drawn, and that it can be read."""

import sys
import warnings
from itertools import pairwise

import cases
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, MultiTaskLasso, Ridge
from sklearn.metrics import max_error
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import convexmtl as cm
from convexmtl.inspection import (
    CoefficientDisplay,
    CVDisplay,
    GapDisplay,
    PathDisplay,
    SplitDisplay,
    TaskRelationshipDisplay,
    TaskScoresDisplay,
)
from convexmtl.inspection._common import COLOURS, dumbbells, forest
from convexmtl.metrics import task_scores

plt.switch_backend("Agg")

rng = np.random.default_rng(0)
X = rng.standard_normal((60, 6))
Y = X @ (np.array([3.0, 2.0, 0.0, 1.0, 0.0, 0.0])[:, None] * rng.standard_normal((6, 4))) + rng.standard_normal((60, 4))
REGION = np.array(["north", "east", "south", "west"])[np.arange(60) % 4]
FRAME = pd.DataFrame(X, columns=list("abcdef")).assign(region=REGION)
LONG = "a thing whose name goes on for quite a while, number {}"


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def texts(labels):
    return [label.get_text() for label in labels]


def not_overlapping(labels):
    boxes = [label.get_window_extent() for label in labels if label.get_visible() and label.get_text()]
    return not any(a.overlaps(b) for a, b in pairwise(boxes))


def readable(display):
    """The display; laid out, no label on another or beyond the figure, which is not larger than a page or two."""
    figure = display.figure_
    figure.draw_without_rendering()
    assert np.all(figure.get_size_inches() < (21, 14)) and np.all(figure.get_size_inches() >= (4, 1.5))
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            assert not_overlapping(axis.get_ticklabels())
        box = ax.get_window_extent()
        assert ax.get_label() == "<colorbar>" or (box.width > figure.dpi and box.height > 0.4 * figure.dpi)
        labels = [label for label in ax.get_yticklabels() if label.get_visible()]
        assert all(len(label.get_text()) <= 32 and label.get_window_extent().x0 > -1 for label in labels)
    return display


# ------------------------------------------------------------------ many tasks, many features, long names

SIZES = [
    (1, 5, "{}"),
    (3, 5, LONG),
    (3, 3000, "{}"),
    (3, 3000, LONG),
    (150, 5, "{}"),
    (150, 3000, LONG),
    (3000, 30, "{}"),
]


def named(T, d, name):
    return {"feature_names": [name.format(j) for j in range(d)], "task_names": [name.format(t) for t in range(T)]}


@pytest.mark.parametrize("T, d, name", SIZES)
def test_coefficients_of_any_size(T, d, name):
    coef = rng.standard_normal((T, d)) * rng.exponential(1, d)
    display = readable(CoefficientDisplay(coef=coef, **named(T, d, name)).plot())
    assert len(display.features_) == (30 if d > 30 else d) and len(display.tasks_) == min(T, 200)
    assert len(display.others_) == (d > 30) + (T > 200)
    assert np.abs(display.im_.get_array()).max() <= np.abs(coef).max() == display.im_.get_clim()[1]
    assert len(display.ax_.get_yticklabels()) <= 60


def test_bands_hold_the_largest_of_the_others():
    coef = rng.standard_normal((250, 40))
    coef[:, 7] = 0.0
    display = readable(CoefficientDisplay(coef=coef).plot(max_features=10, max_tasks=100))
    beside, below = (band.get_array() for band in display.others_)
    features = np.setdiff1d(np.arange(40), [*display.features_, 7])
    tasks = np.setdiff1d(np.arange(250), display.tasks_)
    for k, t in enumerate(display.tasks_):
        assert beside[k, 0] == max(coef[t, features], key=abs)
    for k, j in enumerate(display.features_):
        assert below[0, k] == max(coef[tasks, j], key=abs)
    assert texts(display.ax_.get_xticklabels())[-1] == "29 others"
    assert texts(display.ax_.get_yticklabels())[-1] == "150 others"
    norms = np.linalg.norm(coef, axis=1)
    assert np.all(np.diff(display.tasks_) > 0) and norms[display.tasks_].min() >= norms[tasks].max()
    # Nothing of the map is beyond the axes, nor on top of it.
    (left, right), (bottom, top) = display.ax_.get_xlim(), display.ax_.get_ylim()
    extents = np.array([image.get_extent() for image in (display.im_, *display.others_)])
    assert extents[:, 1].max() == right > extents[1, 0] > extents[0, 1] and left == -0.5
    assert extents[:, 2].max() == bottom > extents[2, 3] > extents[0, 2] and top == -0.5


def test_without_others_there_is_no_band():
    coef = np.zeros((3, 100))
    coef[:, [5, 50]] = [[1.0, 2.0]]
    display = readable(CoefficientDisplay(coef=coef).plot())
    assert display.features_.tolist() == [50, 5] and display.others_ == []
    assert display.ax_.get_xlabel() == "Feature (2 of 100, the largest first, the others are zero)"


@pytest.mark.parametrize("n", [1, 3, 150, 400])
def test_relations_of_any_number_of_tasks(n):
    names, labels = [LONG.format(t) for t in range(n)], np.arange(n) // 10
    display = readable(TaskRelationshipDisplay(relation=np.eye(n), task_names=names, labels=labels).plot())
    assert len(display.lines_) == {1: 0, 3: 0, 150: 28, 400: 78}[n]
    # Lines around each of them would be all there is to see.
    display.labels = np.arange(n)
    assert len(display.plot().lines_) == {1: 0, 3: 4}.get(n, 0)


@pytest.mark.parametrize("name", ["{}", LONG], ids=["short", "long"])
@pytest.mark.parametrize("d", [5, 3000])
def test_paths_of_any_size(d, name):
    norms = np.linspace(0, 1, 20)[:, None] * rng.uniform(0.1, 1, d)
    names = [name.format(j) for j in range(d)]
    display = PathDisplay(alphas=np.geomspace(1, 0.01, 20), norms=norms, feature_names=names).plot()
    readable(display)
    assert len(display.lines_) == min(d, 50) and len(display.features_) == d
    legend = display.ax_.get_legend()
    assert len(texts(legend.get_texts())) == (11 if d > 5 else 5)
    looks = {(line.get_color(), line.get_linestyle()) for line in display.lines_[:10]}
    assert len(looks) == min(d, 10) and {colour for colour, _ in looks} <= set(COLOURS)
    box, axes = legend.get_window_extent(), display.ax_.get_window_extent()
    assert box.x1 <= display.figure_.bbox.x1 + 1 and (box.width < 0.4 * axes.width or box.x0 >= axes.x1)
    if d > 5:
        top = norms[:, display.features_[50:]].max(axis=1)
        assert texts(legend.get_texts())[-1] == "2950 others"
        assert_allclose(display.others_.get_paths()[0].vertices[:, 1].max(), top[-1])


def test_of_many_paths_of_a_search_the_best_have_colours():
    errors = 1 + np.arange(40)[::-1, None, None] / 10 + rng.uniform(0, 0.01, (40, 8, 3))
    names = [f"alpha_within / alpha_mean = {p}" for p in range(40)]
    values = {"alphas": np.geomspace(1, 0.01, 8), "mse_path": errors, "alpha": 0.1, "path": 3, "path_names": names}
    display = readable(CVDisplay(**values).plot())
    coloured = [p for p, line in enumerate(display.lines_) if line.get_color() != "0.8"]
    assert coloured == [3, *range(34, 40)] and len(display.fill_between_) == 7
    assert texts(display.ax_.get_legend().get_texts())[:-1] == [names[p] for p in coloured]
    assert len(display.plot(max_labels=1).fill_between_) == 1


# ------------------------------------------------------------------------------------------ parts

WITH_PARTS = {
    "dirty": (cm.DirtyRegressor(0.1, 0.06), ["block", "sparse"]),
    "dirty q=2": (cm.DirtyRegressor(0.1, 0.06, q=2), ["block", "sparse"]),
    "free part": (cm.SparseLowRankRegressor(0.0, 0.1), ["sparse", "low_rank"]),
    "robust": (cm.RobustLowRankRegressor(0.1, 0.1), ["low_rank", "outlier"]),
    "features": (cm.RobustFeatureRegressor(0.1, 0.1), ["shared", "outlier"]),
    "own": (
        cm.MultiTaskRegressor(cm.MeanCoupling(0.1, 0.1) + cm.Parts([("u", cm.RowNorm(0.1)), ("v", cm.TraceNorm(0.2))])),
        ["u", "v"],
    ),
    "search": (cm.SparseLowRankRegressorCV(ratios=2, alphas=2, cv=2), ["sparse", "low_rank"]),
}


@pytest.mark.parametrize("name", WITH_PARTS)
def test_parts(name):
    estimator, names = WITH_PARTS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        fit = estimator.fit(FRAME.drop(columns="region"), Y)
        display = readable(SplitDisplay.from_estimator(fit))
    assert [ax.get_title() for ax in display.axes_] == [f"coef = {' + '.join(names)}", *names]
    whole, *parts = (im.get_array() for im in display.ims_)
    assert_allclose(whole, fit.coef_, atol=1e-12)
    for part, own in zip(parts, names, strict=True):
        assert_array_equal(part, getattr(fit, f"{own}_"))
    assert len({im.get_clim() for im in display.ims_}) == 1
    assert display.ax_ is display.axes_[0] and display.figure_ is display.ax_.figure


@pytest.mark.covering(1)
@pytest.mark.parametrize("cls", cases.ESTIMATORS)
def test_part_names_are_what_is_reported(cls):
    """Of every family: all parts that are named are there and add up, and no others are."""
    fit = cls(**({"alphas": 2, "cv": 2} if cls.__name__.endswith("CV") else {}))
    fit.fit(X, Y > 0 if cls in cases.CLASSIFIERS else Y)
    names = fit._penalty().part_names
    reported = [n for n, v in vars(fit).items() if n.endswith("_") and np.shape(v) == fit.coef_.shape and n != "coef_"]
    assert sorted(reported) == sorted(f"{name}_" for name in names)
    if names:
        assert_allclose(sum(getattr(fit, f"{name}_") for name in names), fit.coef_, atol=1e-12)
        SplitDisplay.from_estimator(fit)
    else:
        with pytest.raises(ValueError, match=f"parts of coef_, and that of {cls.__name__} has none: use"):
            SplitDisplay.from_estimator(fit)


@pytest.mark.parametrize("T, d, name", SIZES[1::2])
def test_parts_of_any_size(T, d, name):
    parts = {"shared": rng.standard_normal((1, d)) * np.ones((T, 1)), "outlier": rng.standard_normal((T, d))}
    display = readable(SplitDisplay(parts=parts, **named(T, d, name)).plot())
    norms = np.linalg.norm(np.concatenate(list(parts.values())), axis=0)
    if d > 20:
        assert_array_equal(display.features_, np.argsort(-norms)[:20])
    shapes = {im.get_array().shape for im in display.ims_}
    assert shapes == {(min(T, 200), min(d, 20))}


def test_parts_in_given_axes():
    fit = cm.DirtyRegressor(0.1, 0.06).fit(X, Y)
    figure, axes = plt.subplots(1, 2, layout="constrained", figsize=(12, 4))
    display = readable(SplitDisplay.from_estimator(fit, ax=axes[1], colorbar=False))
    assert display.figure_ is figure and display.colorbar_ is None and len(figure.axes) == 5
    left = axes[0].get_window_extent().x1
    assert all(ax.get_window_extent().x0 > left for ax in display.axes_) and not axes[1].axison
    figure, axes = plt.subplots(3)
    assert_array_equal(display.plot(axes).axes_, axes)
    with pytest.raises(ValueError, match="ax must be one axes or an array of 3, got 2"):
        display.plot(axes[:2])
    with pytest.raises(ValueError, match=r"make it with plt\.subplots"):
        display.plot(figure.add_axes((0, 0, 1, 1)))


# ----------------------------------------------------------------------------------------- scores


def test_scores_of_one_model():
    model = cm.BlockSparseRegressor(0.1).fit(X, pd.DataFrame(Y, columns=list("pqrs")))
    display = readable(TaskScoresDisplay.from_estimator(model, X, pd.DataFrame(Y, columns=list("pqrs"))))
    errors = ((Y - model.predict(X)) ** 2).mean(axis=0)
    order = np.argsort(-errors)
    (line,) = display.lines_
    assert_allclose(line.get_xdata(), errors[order])
    assert texts(display.ax_.get_yticklabels()) == ["pqrs"[t] for t in order]
    assert display.ax_.get_xlabel() == "mse" and display.ax_.get_legend() is None
    assert_allclose(display.scores["BlockSparseRegressor"], errors)


@pytest.mark.parametrize("column", ["region", 6])
def test_scores_of_several_models(column):
    """Told of the tasks in every way there is, or not at all."""
    y, inner = Y[:, 0], cm.BlockSparseRegressor(0.1, task_column=column)
    numbers = FRAME.drop(columns="region")
    models = {
        "argument": (cm.BlockSparseRegressor(0.1).fit(numbers, y, task=REGION), numbers, {"task": REGION}),
        "column": (inner.fit(FRAME, y), FRAME, {}),
        "pipeline": (make_pipeline("passthrough", inner).fit(FRAME, y), FRAME, {"task_column": "region"}),
        "search": (GridSearchCV(inner, {"alpha": [0.1]}, cv=2).fit(FRAME, y), FRAME, {}),
    }
    pooled = make_pipeline(StandardScaler(), Ridge()).fit(numbers, y)
    expected = task_scores(y, models["column"][0].predict(FRAME), task=REGION)
    for model, table, options in models.values():
        display = TaskScoresDisplay.from_estimator({"ours": model}, table, y, metric="mae", **options)
        assert_allclose(display.scores["ours"], expected["mae"])
        assert sorted(texts(display.ax_.get_yticklabels())) == expected.index.tolist()
    both = [models["argument"][0], pooled]
    display = readable(TaskScoresDisplay.from_estimator(both, numbers, y, task=REGION, metric="r2"))
    assert list(display.scores) == ["BlockSparseRegressor", "Ridge"]
    assert_allclose(display.scores["Ridge"], task_scores(y, pooled.predict(numbers), task=REGION)["r2"])
    assert texts(display.ax_.get_legend().get_texts()) == ["BlockSparseRegressor", "Ridge"]
    assert [line.get_marker() for line in display.lines_] == ["o", "s"]


def test_scores_of_classifiers_and_own_metrics():
    classifier = cm.BlockSparseClassifier(0.01).fit(X, Y > 0)
    display = TaskScoresDisplay.from_estimator([classifier, classifier], X, Y > 0)
    assert list(display.scores) == ["BlockSparseClassifier 1", "BlockSparseClassifier 2"]
    assert display.score_name == "accuracy"
    ols = LinearRegression().fit(X, Y)
    display = TaskScoresDisplay.from_estimator(ols, X, Y, metric=lambda y, z: max_error(y, z))
    assert_allclose(display.scores["LinearRegression"], np.abs(Y - ols.predict(X)).max(axis=0))
    assert TaskScoresDisplay.from_estimator(ols, X, Y, metric=max_error).score_name == "max_error"


def test_scores_from_tables():
    holes = np.where(rng.random(Y.shape) < 0.3, np.nan, Y)
    tables = {name: task_scores(holes, z) for name, z in (("zero", 0 * Y), ("one", 0 * Y + 1))}
    tables["one"] = tables["one"].iloc[[3, 1, 0]]
    display = readable(TaskScoresDisplay.from_scores(tables))
    assert_allclose(display.scores["zero"], np.nanmean(holes**2, axis=0))
    expected = np.nanmean((holes - 1) ** 2, axis=0)
    expected[2] = np.nan
    assert_allclose(display.scores["one"], expected)
    one = TaskScoresDisplay.from_scores(tables["zero"], metric="n", task_names=list("abcd"))
    assert_allclose(one.scores[""], np.sum(~np.isnan(holes), axis=0))
    assert sorted(texts(one.ax_.get_yticklabels())) == list("abcd")


@pytest.mark.parametrize("n, name", [(1, "{}"), (3, LONG), (150, LONG), (3000, "{}")])
def test_scores_of_any_number_of_tasks(n, name):
    scores = {name: rng.gamma(5, 0.2, n) for name in ("one per task", "all in one", "DirtyRegressorCV")}
    display = readable(TaskScoresDisplay(scores=scores, task_names=named(n, 0, name)["task_names"]).plot())
    assert len(display.tasks_) == min(n, 40) and sorted([*display.tasks_, *display.others_]) == list(range(n))
    table = np.array(list(scores.values()))
    if n > 40:
        spread = np.ptp(table, axis=0)
        assert spread[display.tasks_].min() >= spread[display.others_].max()


# ------------------------------------------------------------------------------------------- gaps


@pytest.mark.covering(1)
@pytest.mark.parametrize("cls", cases.ESTIMATORS)
def test_gap_of_every_family(cls):
    y = Y > 0 if cls in cases.CLASSIFIERS else Y
    estimator = cls().fit(X, y) if cls.__name__.endswith("CV") else cls()
    before = dict(vars(estimator))
    display = GapDisplay.from_estimator(estimator, X, y)
    assert vars(estimator).keys() == before.keys() and all(vars(estimator)[n] is v for n, v in before.items())
    fit = estimator if hasattr(estimator, "coef_") else estimator.fit(X, y)
    assert_allclose([display.objectives[-1], display.gaps[-1]], [fit.objective_, fit.dual_gap_], rtol=1e-9)
    assert display.gaps[-1] <= display.threshold and display.steps[-1] in (fit.n_iter_, 0)
    # Every one of them bounds the distance to the minimum.
    assert np.all(display.objectives - display.gaps <= fit.objective_ * (1 + 1e-9) + 1e-12)


def test_gap_of_stacked_tasks_with_weights():
    weight = rng.uniform(0.5, 2, 60)
    estimator = cm.TraceNormRegressor(0.1, loss="huber", tol=1e-8)
    display = readable(
        GapDisplay.from_estimator(estimator, X, Y[:, 0], task=REGION, sample_weight=weight, name="huber")
    )
    fit = estimator.fit(X, Y[:, 0], task=REGION, sample_weight=weight)
    assert_allclose(display.objectives[-1], fit.objective_, rtol=1e-9)
    assert_array_equal(display.gap_line_.get_xdata(), display.steps)
    assert display.ax_.get_yscale() == "log" and display.axes_[1].get_xlabel() == "Iteration"
    assert texts(display.ax_.get_legend().get_texts()) == ["huber", f"converged: {display.threshold:.2g}"]
    column = cm.TraceNormRegressor(0.1, loss="huber", tol=1e-8, task_column="region")
    same = GapDisplay.from_estimator(column, FRAME, Y[:, 0], sample_weight=weight, ax=display.axes_)
    assert_array_equal(same.gaps, display.gaps)
    assert same.ax_ is display.ax_ and same.gap_line_.get_color() != display.gap_line_.get_color()


def test_fits_that_have_not_converged_can_be_seen():
    display = readable(GapDisplay.from_estimator(cm.BlockSparseClassifier(1e-3, tol=1e-12, max_iter=3), X, Y > 0))
    assert display.gaps[-1] > display.threshold == display.threshold_line_.get_ydata()[0]
    assert GapDisplay.from_estimator(cm.BlockSparseRegressor(0.1, tol=0.0), X, Y).threshold_line_ is None


def test_gaps_along_a_path():
    estimator = cm.DirtyRegressor()
    path = cm.regularization_path(estimator, X, Y, alphas=8)
    display = readable(GapDisplay.from_path(path))
    assert_array_equal(display.objective_line_.get_xydata(), np.column_stack([path.alphas, path.objectives]))
    assert_allclose(display.gap_line_.get_ydata(), np.maximum(path.dual_gaps, 1e-6 * path.dual_gaps.max()))
    assert display.ax_.get_xscale() == "log" and display.ax_.xaxis_inverted() and display.threshold_line_ is None
    assert display.axes_[1].get_xlabel() == "alpha_block"
    assert_array_equal(GapDisplay.from_estimator(estimator, X, Y, alphas=8).gaps, path.dual_gaps)


def test_what_the_objective_passes_through_does_not_hide_where_it_comes_to():
    values = {"steps": [0, 1, 2, 3], "objectives": [3.0, 1e5, 2.0, 1.0], "gaps": [np.inf, 1e6, 1.0, 0.0]}
    display = readable(GapDisplay(**values, threshold=0.1).plot())
    low, high = display.axes_[1].get_ylim()
    assert 0.8 < low < 1 and 3 < high < 3.2
    assert display.ax_.get_ylim()[0] > 1e-9
    assert_array_equal(display.gap_line_.get_ydata(), [np.inf, 1e6, 1.0, 1e-7])


# -------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: SplitDisplay.from_estimator(cm.DirtyRegressor()), NotFittedError, "DirtyRegressor instance is not"),
        (lambda: SplitDisplay.from_estimator(MultiTaskLasso().fit(X, Y)), ValueError, "MultiTaskLasso has none"),
        (lambda: SplitDisplay(parts={"a": Y}, task_names="ab").plot(), ValueError, "must hold 60 names, got 2"),
        (lambda: SplitDisplay(parts={"a": Y}).plot(max_tasks=0), ValueError, "max_tasks must be an integer of at l"),
        (lambda: CoefficientDisplay(coef=Y).plot(max_tasks=2.5), ValueError, "max_tasks .* got 2.5"),
        (lambda: GapDisplay.from_estimator(cm.DirtyRegressorCV(), X, Y), NotFittedError, "DirtyRegressorCV instance"),
        (lambda: GapDisplay.from_estimator(Ridge(), X, Y), ValueError, "which Ridge is not: hand over the last step"),
        (lambda: GapDisplay.from_estimator(cm.DirtyRegressor(), X, Y[:5]), ValueError, "inconsistent|rows|samples"),
        (lambda: TaskScoresDisplay.from_estimator([], X, Y), ValueError, "at least one fitted estimator, got none"),
        (lambda: TaskScoresDisplay.from_estimator(cm.DirtyRegressor(), X, Y), NotFittedError, "DirtyRegressor"),
        (
            lambda: TaskScoresDisplay.from_estimator(Ridge().fit(X, Y), X, Y, metric="auc"),
            ValueError,
            r"columns \['n', 'mse', 'rmse', 'mae', 'r2'\], got 'auc'",
        ),
        (lambda: TaskScoresDisplay.from_scores({}), ValueError, "no table of scores"),
        (lambda: TaskScoresDisplay(scores={"a": [1.0]}).plot(max_tasks=0), ValueError, "max_tasks must be an integer"),
        (
            lambda: TaskScoresDisplay.from_estimator(
                cm.BlockSparseRegressor().fit(X, Y[:, 0], task=REGION), X, Y[:, 0]
            ),
            ValueError,
            "task is missing",
        ),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    "name, call",
    [
        ("SplitDisplay.from_estimator", lambda: SplitDisplay.from_estimator(None)),
        ("GapDisplay.from_estimator", lambda: GapDisplay.from_estimator(None, X, Y)),
        ("GapDisplay.from_path", lambda: GapDisplay.from_path(None)),
        ("TaskScoresDisplay.from_estimator", lambda: TaskScoresDisplay.from_estimator(None, X, Y)),
        ("TaskScoresDisplay.from_predictions", lambda: TaskScoresDisplay.from_predictions(Y, Y)),
        ("TaskScoresDisplay.from_scores", lambda: TaskScoresDisplay.from_scores(None)),
    ],
)
def test_without_matplotlib(monkeypatch, name, call):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=f"{name} requires matplotlib"):
        call()


# ----------------------------------------------------------------------------------- rows of tasks


def rows_of(draw, n, name="task {}", **options):
    """Rows of n tasks, laid out."""
    values = rng.permutation(np.linspace(-1.0, 1.0, n)) if n > 1 else np.ones(1)
    rows = draw([name.format(t) for t in range(n)], values, **options)
    rows.ax.figure.draw_without_rendering()
    assert not_overlapping(rows.ax.get_yticklabels())
    assert sorted([*rows.shown, *rows.rest]) == list(range(n))
    assert np.all(np.diff(rows.y) >= 1) and np.all(np.diff(values[rows.shown]) <= 0)
    return rows, values


def pairs(labels, values, **options):
    return dumbbells(labels, {"ours": values, "theirs": values**2}, **options)


@pytest.mark.parametrize("n, name", [(1, "{}"), (3, LONG), (40, "task {}"), (150, LONG), (3000, "task {}")])
@pytest.mark.parametrize("draw", [forest, pairs])
def test_rows_of_tasks(draw, n, name):
    """Each has one, or all that have none are in the band; a figure does not grow for ever."""
    rows, values = rows_of(draw, n, name)
    assert len(rows.shown) == min(n, 40) and rows.ax.figure.get_size_inches()[1] < 13
    names = texts(rows.ax.get_yticklabels())
    assert all(label.split()[-1] == str(t) for label, t in zip(names, rows.shown, strict=False))
    assert names[40:] == ([f"{n - 40} others"] if n > 40 else [])
    assert max(map(len, names)) <= 32
    if n > 40 and draw is forest:
        # As many of the largest as of the smallest, and the band between them.
        assert np.count_nonzero(values[rows.shown] > 0) == 20
        assert np.all((rows.y[19] < rows.band) & (rows.band < rows.y[20])) and np.all(np.diff(values[rows.rest]) < 0)


def test_forest_draws_what_it_is_given():
    estimate, width = np.array([0.2, -0.4, 0.9, 0.0]), np.array([0.3, 0.1, 0.2, np.nan])
    group, colours = ["none", "hurt", "helped", "none"], {"helped": "blue", "none": "grey", "hurt": "red", "odd": "k"}
    low, high = estimate - width, estimate + width
    rows = forest("abcd", estimate, low, high, group=group, colours=colours, reference=0.0, xlabel="Gain")
    assert rows.shown.tolist() == [2, 0, 3, 1] and texts(rows.ax.get_yticklabels()) == list("cadb")
    assert texts(rows.ax.get_legend().get_texts()) == ["helped (1)", "none (2)", "hurt (1)", "odd (0)"]
    points = {(x, y): line for line in rows.ax.lines for x, y in zip(*line.get_data(), strict=True)}
    for y, t in enumerate(rows.shown):
        assert to_rgb(points[estimate[t], y].get_color()) == to_rgb(colours[group[t]])
    assert len({points[estimate[t], y].get_marker() for y, t in enumerate(rows.shown)}) == 3
    segments = [s for c in rows.ax.collections if hasattr(c, "get_segments") for s in c.get_segments()]
    found = sorted((s[0, 1], *s[:, 0]) for s in segments if s.size == 4)
    assert_allclose(found, [(y, low[t], high[t]) for y, t in enumerate(rows.shown) if t != 3])
    assert rows.ax.get_xlabel() == "Gain"


def test_rows_that_matter_first():
    """By priority; what is left follows in a band below, since it is of all sizes."""
    estimate = np.arange(10.0)
    rows = forest(range(10), estimate, priority=np.arange(10) % 2, max_rows=5)
    assert rows.shown.tolist() == [9, 7, 5, 3, 1] and rows.rest.tolist() == [8, 6, 4, 2, 0]
    assert rows.band.min() > rows.y.max()
    rows = dumbbells(range(4), {"a": [1.0, np.nan, 3.0, 2.0], "b": [1.0, 2.0, 9.0, 4.0]}, max_rows=2)
    assert rows.shown.tolist() == [2, 3]


def test_rows_in_given_axes():
    """No more than fit."""
    figure, ax = plt.subplots(figsize=(6, 4))
    rows, _ = rows_of(forest, 150, ax=ax)
    assert rows.ax is ax and 4 <= len(rows.shown) < 20
    assert figure.get_size_inches().tolist() == [6, 4]


# ---------------------------------------------------------------------------------------- colours

# Machado, Oliveira, Fernandes (2009), IEEE TVCG: what people without one kind of cones see, in linear RGB.
SEEN = {
    "all": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(colours, seen):
    """CIE L*a*b*, in which distances are about those that are perceived; 2 can just be noticed."""
    rgb = np.array([to_rgb(colour) for colour in colours])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = np.clip(linear @ np.array(seen).T, 0, 1) @ XYZ.T / XYZ.sum(axis=1)
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.column_stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])])


@pytest.mark.parametrize("eyes", SEEN)
def test_colours_can_be_told_apart(eyes):
    points = lab([*COLOURS, "white", "0.8"], SEEN[eyes])
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)[np.triu_indices(len(points), 1)]
    assert distances.min() > 10
    # Of a heat map both signs, and neither like zero.
    ends = lab([plt.get_cmap("RdBu_r")(x)[:3] for x in (0.1, 0.5, 0.9)], SEEN[eyes])
    assert np.linalg.norm(ends[[0, 0, 1]] - ends[[1, 2, 2]], axis=1).min() > 30
