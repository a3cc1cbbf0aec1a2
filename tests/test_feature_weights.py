"""Weights of the features: their laws, the reference, and what users hand over."""

import cases
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import convexmtl as cm
from convexmtl import reference
from convexmtl._jit import Kernel
from convexmtl.data import DataTerm
from convexmtl.penalties import DirtyNorm, GraphGuided, RowNorm, SparseGroup, Temporal, TraceNorm, TreeGuided, Weighted
from convexmtl.penalties.weighted import weighted_prox
from convexmtl.tasks import Tasks

ROWS = {
    "l1": RowNorm(0.1, q=1),
    "l2": RowNorm(0.15),
    "l3": RowNorm(0.15, q=3),
    "elastic": RowNorm(0.15, l1_ratio=0.5),
    "ridge": RowNorm(0.2, l1_ratio=0.0),
    "sparse group": SparseGroup(0.15),
    "dirty": DirtyNorm(0.15, 0.1),
    "tree": TreeGuided(cases.tree(4), 0.1),
    "chain": Temporal(0.1, alpha_sparse=0.05, alpha_ridge=0.05),
    "chain alone": Temporal(0.1),
    "graph": GraphGuided(cases.signed_graph(4), 0.1, alpha_sparse=0.05),
    "own": cm.RowNorm(0.15, feature_weights=[1.0, 2.0, 1.0, 1.0, 0.5, 1.0]),
    "nothing": RowNorm(0.0),
}
FAMILIES = [cls for cls in cases.REGRESSORS if "feature_weights" in cls().get_params()]
SOME = np.array([0.5, 0.0, 2.0, np.inf, 1.0, 0.3])  # of each kind
every_form = pytest.mark.parametrize("form", ["shared", "missing", "stacked", "single"])


def model(loss, penalty, **options):
    own = cases.LOSSES[loss].loss
    cls = cm.MultiTaskClassifier if own.classification else cm.MultiTaskRegressor
    return cls(penalty, loss=own, **options)


def suited(penalty, form):
    """Graphs and trees are of four tasks."""
    return form != "single" or penalty not in ("tree", "graph")


@pytest.mark.covering(1)
@every_form
@pytest.mark.parametrize("loss", cases.LOSSES)
@pytest.mark.parametrize("name", ROWS)
def test_weights_against_the_reference(name, loss, form):
    """Free features, and some that are left out: certified, and what cvxpy makes of the textbook definition."""
    if not suited(name, form) or (name == "nothing" and cases.LOSSES[loss].loss.classification):
        pytest.skip("no such structure, or classes that may be separated")
    X, y, options = cases.user_input(loss, form)
    fit = model(loss, Weighted(ROWS[name], SOME), tol=1e-7).fit(X, y, **options)
    scale = cases.scale_of(fit._formulate(X, y, **options).problem)
    cases.assert_agrees(fit.objective_, fit.dual_gap_, reference.fit(fit, X, y, **options), scale)
    assert cm.certify(fit, X, y, **options).gap <= 1e-7 * scale * (1 + 1e-9)
    assert not fit.coef_[:, 3].any() and fit.coef_[:, 1].any()


@pytest.mark.parametrize("form", ["shared", "stacked"])
@pytest.mark.parametrize("name", [n for n in ROWS if n != "nothing"])
def test_a_weight_is_a_scale_of_the_column(name, form):
    """Weight f of a column is a column divided by f, whatever the penalty."""
    X, y, options = cases.user_input("squared", form)
    f = np.array([0.2, 1.0, 3.0, 0.7, 1.5, 5.0])
    weighted = model("squared", Weighted(ROWS[name], f), tol=1e-10).fit(X, y, **options)
    scaled = model("squared", ROWS[name], tol=1e-10).fit(X / f, y, **options)
    assert_allclose(weighted.objective_, scaled.objective_, rtol=1e-8)
    assert_allclose(weighted.coef_ * f, scaled.coef_, atol=2e-4)


def residual(X, free, Y):
    """X and Y without what the free columns and a constant explain."""
    return (A - LinearRegression().fit(X[:, free], A).predict(X[:, free]) for A in (X[:, ~free], Y))


@pytest.mark.parametrize("cls", FAMILIES, ids=lambda cls: cls.__name__)
def test_weight_zero_is_fitting_freely(cls):
    """The others are those of what the free features leave, and alpha_max is theirs."""
    X, Y, _ = cases.user_input("squared", "shared")
    free = np.array([False, True, False, False, True, False])
    rest, left = residual(X, free, Y)
    with_free = cls(feature_weights=np.where(free, 0.0, 1.0), tol=1e-10).fit(X, Y)
    without = cls(tol=1e-10).fit(rest, left)
    assert_allclose(with_free.coef_[:, ~free], without.coef_, atol=1e-4)
    assert_allclose(with_free.objective_, without.objective_, rtol=1e-8)
    own, other = cm.alpha_max(with_free, X, Y), cm.alpha_max(without, rest, left)
    assert_allclose(*(list(top.values()) if isinstance(top, dict) else top for top in (own, other)), rtol=1e-8)


# (Those with kinks are not fitted to as many digits; of the hinge loss the strength may not be the smallest.)
@pytest.mark.parametrize("loss", [name for name, case in cases.LOSSES.items() if case.loss.smooth])
def test_largest_strength_with_free_features(loss):
    X, y, _ = cases.user_input(loss, "shared")
    f = np.array([1.0, 0.0, 2.0, np.inf, 0.5, 1.0])
    fit = model(loss, Weighted(RowNorm(1.0), f), tol=1e-9)
    top = cm.alpha_max(fit, X, y)
    above, below = (clone(fit).set_params(penalty__penalty__alpha=top * s).fit(X, y) for s in (1.0001, 0.99))
    others = np.array([0, 2, 3, 4, 5])
    assert not above.coef_[:, others].any() and below.coef_[:, others].any() and above.coef_[:, 1].all()
    path = cm.regularization_path(fit, X, y, alphas=4)
    assert path.coefs[0][:, 1].all() and not path.coefs[:, :, 3].any()
    assert np.all(path.dual_gaps <= 1e-8 * cases.scale_of(fit._formulate(X, y).problem))


@pytest.mark.parametrize("layout", ["tall", "wide", "stacked"])
def test_paths_with_free_features(layout):
    """Those in one loop, and those of many features: every fit certified."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30 if layout == "wide" else 80, 60))
    Y = X[:, :4] @ rng.standard_normal((4, 3)) + 0.1 * rng.standard_normal((len(X), 3))
    y, options = (Y[:, 0], {"task": np.arange(80) % 2}) if layout == "stacked" else (Y, {})
    f = np.where(np.arange(60) % 9 == 0, np.inf, np.where(np.arange(60) < 3, 0.0, 1.5))
    f[0] = 0.0
    estimator = cm.BlockSparseRegressor(feature_weights=f, tol=1e-6)
    path = cm.regularization_path(estimator, X, y, alphas=12, eps=0.05, **options)
    problem = estimator._formulate(X, y, **options).problem
    assert np.all(path.dual_gaps <= problem.threshold(1e-6))
    assert path.coefs[:, :, :3].all() and not path.coefs[:, :, 9::9].any()


@pytest.mark.parametrize("classifies", [False, True])
def test_a_search_has_the_same_weights(classifies):
    loss = "logistic" if classifies else "squared"
    X, Y = cases.draw_shared(cases.LOSSES[loss].targets, np.random.default_rng(0), 80, 6, 3)
    cls = cm.BlockSparseClassifierCV if classifies else cm.BlockSparseRegressorCV
    twin = cls(alphas=5, cv=3, feature_weights=SOME, tol=1e-8).fit(X, Y)
    assert not twin.coef_[:, 3].any() and twin.coef_[:, 1].all()
    alone = twin._single(twin.alpha_, feature_weights=SOME, tol=1e-8).fit(X, Y)
    assert_allclose(twin.coef_, alone.coef_, atol=1e-5 * np.abs(alone.coef_).max())
    assert_allclose(twin.alphas_[0], cm.alpha_max(alone, X, Y), rtol=1e-9)
    assert cm.certify(twin, X, Y).gap <= 1e-8 * cases.scale_of(twin._formulate(X, Y).problem)


def test_names_and_positions():
    """Of the features as in coef_, whatever column the task is; by a frame, an array, a pipeline, statistics."""
    pd = pytest.importorskip("pandas")
    X, y, options = cases.user_input("squared", "stacked")
    names = list("abcdef")
    frame = pd.DataFrame(X, columns=names)
    frame.insert(2, "region", options["task"])
    by_array = cm.BlockSparseRegressor(feature_weights=[1, 1, 0, 1, np.inf, 2.0]).fit(X, y, **options)
    weights = {"c": 0, "e": np.inf, "f": 2}
    for given in (weights, {2: 0, "e": np.inf, np.int64(5): 2.0}):
        fit = cm.BlockSparseRegressor(task_column="region", feature_weights=given)
        fit.fit(frame, y, sample_weight=options["sample_weight"])
        assert_array_equal(fit.coef_, by_array.coef_)
        assert fit.predict(frame).shape == y.shape
    pipe = make_pipeline(StandardScaler(), cm.SparseGroupRegressorCV(alphas=3, feature_weights={0: 0.0}))
    pipe.set_output(transform="pandas").fit(frame[names], cases.user_input("squared", "stacked")[1])
    assert pipe[-1].coef_[:, 0].all()
    statistics = cm.SufficientStatistics.from_arrays(frame[names], y, task=options["task"])
    fit = cm.BlockSparseRegressor(feature_weights=weights).fit_statistics(statistics)
    other = cm.BlockSparseRegressor(feature_weights=weights).fit(frame[names], y, task=options["task"])
    assert_allclose(fit.coef_, other.coef_, atol=1e-6)


BAD = {
    "negative": ([1, 1, -1, 1, 1, 1], r"feature_weights must be >= 0 .*, got -1\.0 at feature 2"),
    "nan": ({3: np.nan}, "feature_weights must be >= 0 .*, got nan at feature 3"),
    "few": ([1.0, 2.0], r"feature_weights must have shape \(6,\), got \(2,\)"),
    "word": ({0: "much"}, "feature_weights must hold numbers, got 'much'"),
    "words": (["a"] * 6, "feature_weights must hold numbers"),
    "unknown": ({"age": 1.0}, "feature_weights has an entry for 'age', which is no feature: X has 6 .* no names"),
    "far": ({6: 1.0}, "feature_weights has an entry for 6, which is no feature"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("cls", FAMILIES, ids=lambda cls: cls.__name__)
def test_bad_weights(cls, case, monkeypatch):
    X, Y, _ = cases.user_input("squared", "shared")
    given, message = BAD[case]
    monkeypatch.setattr("convexmtl.estimators._base.solve", None)
    with pytest.raises(ValueError, match=message):
        cls(feature_weights=given).fit(X, Y)
    with pytest.raises(ValueError, match=message):
        getattr(cm, cls.__name__ + "CV")(feature_weights=given).fit(X, Y)


@pytest.mark.parametrize("penalty", [TraceNorm(0.1), Temporal(0.1, "l2"), GraphGuided(None, 0.1, "l2")])
def test_penalties_that_know_no_rows(penalty):
    X, Y, _ = cases.user_input("squared", "shared")
    with pytest.raises(ValueError, match="feature_weights need a penalty that is one of each row of W"):
        cm.MultiTaskRegressor(penalty, feature_weights={0: 2.0}).fit(X, Y)


def test_ones_change_nothing_and_no_weights_are_no_kernel():
    X, Y, _ = cases.user_input("squared", "shared")
    plain, ones = (cm.BlockSparseRegressor(feature_weights=w, tol=1e-9).fit(X, Y) for w in (None, np.ones(6)))
    assert_allclose(ones.coef_, plain.coef_, atol=1e-8)
    (term,) = plain._formulate(X, Y).problem.penalty.terms
    assert isinstance(term, RowNorm) and isinstance(weighted_prox(term.row_prox), Kernel)
    assert weighted_prox(term.row_prox) is weighted_prox(term.row_prox)


def test_a_warm_start_leaves_out_what_was_in():
    X, Y, _ = cases.user_input("squared", "shared")
    warm = cm.BlockSparseRegressor(warm_start=True, tol=1e-8).fit(X, Y)
    assert warm.coef_[:, 0].any()
    warm.set_params(feature_weights={0: np.inf}).fit(X, Y)
    assert not warm.coef_[:, 0].any()


def separated():
    """Stacked tasks of which the first is separated by feature 0, the others by none."""
    rng = np.random.default_rng(0)
    X, task = rng.standard_normal((60, 4)), np.repeat(["a", "b", "c"], 20)
    own = np.where(task == "a", X[:, 0] - 0.5, X[:, 1] + rng.standard_normal(60))
    return X, np.where(own > 0, "yes", "no"), task


def test_free_features_that_separate_classes():
    """No finite coefficient is the best: a certificate all the same, and a word about it."""
    X, y, task = separated()
    free = cm.BlockSparseClassifier(0.5, feature_weights={0: 0.0})
    with pytest.warns(UserWarning, match=r"1 task\(s\): \['a'\]. .* above 0 in feature_weights"):
        free.fit(X, y, task=task)  # that it does not converge would be an error
    assert free.n_iter_ < 200 and free.coef_[0, 0] > 20
    assert any("separate the classes" in note for note in cm.explain_fit(free).notes)
    assert 0 <= cm.certify(free, X, y, task=task).gap <= 1.01 * free.dual_gap_ + 1e-12
    # Without a word where they do not, have a weight, or the loss has a best coefficient.
    clone(free).set_params(feature_weights={1: 0.0}).fit(X, y, task=task)
    clone(free).set_params(feature_weights={0: 0.1}).fit(X, y, task=task)
    clone(free).set_params(loss="squared_hinge").fit(X, y, task=task)


def test_no_penalty_on_separated_classes():
    X, y, task = separated()
    with pytest.warns(UserWarning, match=r"separate the classes of 1 task\(s\): \['a'\]"):
        cm.BlockSparseClassifier(alpha=0.0).fit(X, y, task=task)


@pytest.mark.parametrize("fit_intercept", [False, True])
def test_what_separates(fit_intercept):
    """Some samples may be on the border, but not all of them; without an intercept it is at zero."""
    x = np.array([-2.0, -1.0, 1.0, 3.0, -2.0, 1.0, 1.0, 3.0, -2.0, -1.0, -1.0, 2.0, 1.0, 2.0, 3.0, 4.0])[:, None]
    y = np.tile([-1.0, -1.0, 1.0, 1.0], 4)
    data = DataTerm(Tasks.stacked(x, y, np.repeat(range(4), 4), 4), cm.Logistic(), fit_intercept)
    everything = np.ones((1, 4), dtype=bool)
    expected = [True, fit_intercept, fit_intercept, fit_intercept]
    assert data.separated(np.ones((1, 4)), everything).tolist() == expected
    for none in (data.separated(-np.ones((1, 4)), everything), data.separated(np.ones((1, 4)), ~everything)):
        assert not none.any()
    assert not DataTerm(data.tasks, cm.SquaredHinge(), fit_intercept).separated(np.ones((1, 4)), everything).any()


def test_a_new_task_knows_the_weights():
    X, Y, _ = cases.user_input("squared", "shared")
    fit = cm.SparseGroupRegressor(0.2, feature_weights=SOME, tol=1e-7).fit(X, Y)
    longer = cm.fit_new_task(fit, X, Y[:, 0], "new" if fit.tasks_.dtype.kind in "OU" else 99)
    assert not longer.coef_[-1, 3] and longer.coef_[-1, 1]
    free = LinearRegression().fit(X[:, [1]], Y[:, 0] - X[:, [0, 2, 4, 5]] @ longer.coef_[-1, [0, 2, 4, 5]])
    assert_allclose(longer.coef_[-1, 1], free.coef_[0], atol=1e-2)
