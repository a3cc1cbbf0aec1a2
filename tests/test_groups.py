"""Groups of features: their laws, the reference, and what users hand over."""

import cases
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LinearRegression

import convexmtl as cm
from convexmtl import reference
from convexmtl.penalties import RowNorm, SparseGroup, Weighted
from convexmtl.penalties.grouped import Blocks

LABELS = np.array(["b", "a", "b", "c", "a", "b"])  # of six features
ROWS = {
    "l2": RowNorm(0.15),
    "elastic": RowNorm(0.15, l1_ratio=0.5),
    "l1": RowNorm(0.1, q=1),
    "linf": RowNorm(0.2, q=np.inf),
    "sparse group": SparseGroup(0.15),
    "positive": RowNorm(0.1, positive=True),
}
FAMILIES = [cls for cls in cases.REGRESSORS if "feature_groups" in cls().get_params()]
every_family = pytest.mark.parametrize("cls", FAMILIES, ids=lambda cls: cls.__name__)


def model(penalty, loss="squared", **options):
    cls = cm.MultiTaskClassifier if cases.LOSSES[loss].loss.classification else cm.MultiTaskRegressor
    return cls(penalty, loss=loss, **options)


def group_norms(coef, labels=LABELS):
    return np.array([np.linalg.norm(coef[:, labels == label]) for label in np.unique(labels)])


@pytest.mark.parametrize("form", cases.INPUT_FORMS)
@pytest.mark.parametrize("loss", ["squared", "logistic", "poisson"])
def test_objective_is_the_textbook_one(loss, form):
    """alpha sum_g sqrt(d_g) norm_F(W_g), in plain numpy, and by cvxpy."""
    X, y, options = cases.user_input(loss, form)
    cls = cm.BlockSparseClassifier if cases.LOSSES[loss].loss.classification else cm.BlockSparseRegressor
    fit = cls(0.1, loss=loss, feature_groups=LABELS, tol=1e-8).fit(X, y, **options)
    problem = fit._formulate(X, y, **options).problem
    loss_value = problem.data.value(problem.data.predict(fit.coef_.T, fit.intercept_))
    sizes = np.sqrt([2, 3, 1])
    assert_allclose(fit.objective_, loss_value + 0.1 * sizes @ group_norms(fit.coef_), rtol=1e-10)
    scale = cases.scale_of(problem)
    cases.assert_agrees(fit.objective_, fit.dual_gap_, reference.fit(fit, X, y, **options), scale)
    assert cm.certify(fit, X, y, **options).gap <= 1e-8 * scale * (1 + 1e-9)


def test_one_task_is_the_group_lasso_of_the_textbook():
    """Its optimality conditions, group by group (Yuan & Lin 2006)."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(20), 3)
    X = cases.features(rng, 50, 60)
    y = X[:, :6] @ rng.standard_normal(6) + rng.standard_normal(50)
    fit = cm.BlockSparseRegressor(0.3, feature_groups=labels, tol=1e-12).fit(X, y)
    gradient = (X - X.mean(axis=0)).T @ (y - fit.predict(X)) / 50
    used = 0
    for g in range(20):
        w, z = fit.coef_[0, labels == g], gradient[labels == g]
        if w.any():
            used += 1
            assert_allclose(z, 0.3 * np.sqrt(3) * w / np.linalg.norm(w), atol=1e-4)
        else:
            assert np.linalg.norm(z) <= 0.3 * np.sqrt(3) * (1 + 1e-6)
    assert 2 <= used < 20


@pytest.mark.parametrize("form", ["shared", "stacked"])
@pytest.mark.parametrize("name", ROWS)
def test_a_group_of_one_feature_is_no_group(name, form):
    X, y, options = cases.user_input("squared", form)
    alone = model(ROWS[name], tol=1e-10).fit(X, y, **options)
    for groups in (list("fedcba"), [[0]], {"x": [5], "y": [2]}):
        fit = model(ROWS[name].replaced(feature_groups=groups), tol=1e-10).fit(X, y, **options)
        assert_allclose(fit.coef_, alone.coef_, atol=2e-5)
        assert_allclose(fit.objective_, alone.objective_, rtol=1e-9)


@pytest.mark.parametrize("name", ["l2", "elastic", "sparse group"])
def test_weights_of_groups_are_scales_of_their_columns(name):
    X, Y, _ = cases.user_input("squared", "shared")
    f = np.array([0.3, 2.0, 1.5])
    grouped = ROWS[name].replaced(feature_groups=LABELS)
    weighted = model(Weighted(grouped, dict(zip("abc", f, strict=True))), tol=1e-10).fit(X, Y)
    of_features = f[np.unique(LABELS, return_inverse=True)[1]]
    scaled = model(grouped, tol=1e-10).fit(X / of_features, Y)
    assert_allclose(weighted.objective_, scaled.objective_, rtol=1e-8)
    assert_allclose(weighted.coef_ * of_features, scaled.coef_, atol=2e-4)


def test_groups_that_are_free_or_left_out():
    X, Y, _ = cases.user_input("squared", "shared")
    fit = cm.BlockSparseRegressor(0.2, feature_groups=LABELS, feature_weights={"a": 0, "b": np.inf}, tol=1e-9)
    fit.fit(X, Y)
    assert not fit.coef_[:, LABELS == "b"].any() and fit.coef_[:, LABELS == "a"].all()
    scale = cases.scale_of(fit._formulate(X, Y).problem)
    cases.assert_agrees(fit.objective_, fit.dual_gap_, reference.fit(fit, X, Y), scale)
    top = cm.alpha_max(fit, X, Y)
    left = Y - LinearRegression().fit(X[:, [1, 4]], Y).predict(X[:, [1, 4]])
    assert_allclose(top, np.linalg.norm((X[:, 3] - X[:, 3].mean()) @ left) / len(X), rtol=1e-7)
    assert not clone(fit).set_params(alpha=top * 1.0001).fit(X, Y).coef_[:, 3].any()


@pytest.mark.parametrize("layout", ["tall", "wide", "stacked"])
@pytest.mark.parametrize("cls", FAMILIES)
def test_paths_and_working_sets(cls, layout):
    """Groups spread over many columns: whole ones enter, and every fit is certified."""
    rng = np.random.default_rng(0)
    labels = np.arange(240) % 70
    n = 40 if layout == "wide" else 300
    X = rng.standard_normal((n, 240))
    Y = X[:, :4] @ rng.standard_normal((4, 3)) + 0.1 * rng.standard_normal((n, 3))
    y, options = (Y[:, 0], {"task": np.arange(n) % 2}) if layout == "stacked" else (Y, {})
    estimator = cls(feature_groups=labels, tol=1e-6)
    path = cm.regularization_path(estimator, X, y, alphas=6, eps=0.05, **options)
    assert np.all(path.dual_gaps <= estimator._formulate(X, y, **options).problem.threshold(1e-6))
    assert not path.coefs[0].any() and path.coefs[-1].any()
    if cls is cm.BlockSparseRegressor:
        used = path.coefs.any(axis=1)
        for g in range(70):
            assert np.all(used[:, labels == g] == used[:, labels == g][:, :1])


@every_family
def test_attributes_and_words(cls):
    X, Y, _ = cases.user_input("squared", "shared")
    fit = cls(0.3, feature_groups=LABELS, tol=1e-8).fit(X, Y)
    assert fit.groups_.tolist() == ["a", "b", "c"] and fit.groups_[fit.feature_groups_].tolist() == LABELS.tolist()
    assert_allclose(fit.group_norms_, group_norms(fit.coef_))
    used = int(np.count_nonzero(fit.group_norms_))
    assert f"{used} of 3 groups of features in use" in " ".join(str(cm.explain_fit(fit)).split())
    assert "of groups g of d_g features in place of rows j" in " ".join(str(cm.explain_fit(fit)).split())
    again = cm.from_dict(cm.to_dict(fit))
    assert_array_equal(again.coef_, fit.coef_)
    assert_array_equal(again.groups_, fit.groups_)
    twin = getattr(cm, cls.__name__ + "CV")(feature_groups=LABELS, alphas=4, cv=2, eps=0.1, refit="relaxed").fit(X, Y)
    assert_allclose(twin.group_norms_, group_norms(twin.coef_))
    longer = cm.fit_new_task(cls(0.05, feature_groups=LABELS).fit(X, Y), X, Y[:, 0], 99)
    assert longer.coef_.shape == (5, 6)


def test_names_of_frames():
    pd = pytest.importorskip("pandas")
    X, y, options = cases.user_input("squared", "stacked")
    frame = pd.DataFrame(X, columns=list("uvwxyz"))
    frame.insert(2, "region", options["task"])
    expected = cm.BlockSparseRegressor(feature_groups=LABELS).fit(X, y, **options)
    forms = {
        "names": {"a": ["v", "y"], "b": ["u", "w", "z"], "c": ["x"]},
        "positions": {"a": [1, 4], "b": np.array([0, 2, 5])},
        "lists": [["y", 1], ("u", "w", 5)],
    }
    for groups in forms.values():
        fit = cm.BlockSparseRegressor(task_column="region", feature_groups=groups)
        fit.fit(frame, y, sample_weight=options["sample_weight"])
        assert_allclose(fit.coef_, expected.coef_, atol=1e-8)
    assert cm.BlockSparseRegressor(feature_groups={"a": ["u", "v"]}).fit(frame.drop(columns="region"), y).groups_[
        :2
    ].tolist() == ["a", "w"]


def test_degrees_of_freedom_of_yuan_and_lin():
    """Orthonormal groups: for every one in use 1 + (d_g - 1) norm(w_g) / norm(w_g without penalty)."""
    rng = np.random.default_rng(0)
    Q = np.linalg.qr(rng.standard_normal((40, 6)))[0] * np.sqrt(40)
    y = Q @ rng.standard_normal(6) + 0.3 * rng.standard_normal(40)
    fit = cm.BlockSparseRegressor(0.2, feature_groups=LABELS, fit_intercept=False, tol=1e-14).fit(Q, y)
    free = (Q.T @ y / 40)[None]
    sizes, used = np.array([2, 3, 1]), group_norms(fit.coef_) > 0
    expected = np.sum((1 + (sizes - 1) * group_norms(fit.coef_) / group_norms(free))[used])
    assert_allclose(cm.degrees_of_freedom(fit, Q, y), expected, rtol=1e-6)


def test_adaptive_weights_are_those_of_groups():
    X, Y, _ = cases.user_input("squared", "shared")
    adaptive = cm.Adaptive(cm.BlockSparseRegressor(0.05, feature_groups=LABELS)).fit(X, Y)
    assert adaptive.feature_weights_.shape == (3,)
    order = np.argsort(group_norms(adaptive.initial_.coef_) / np.sqrt([2, 3, 1]))
    assert np.all(np.diff(adaptive.feature_weights_[order]) <= 0)


def test_stability_is_that_of_whole_groups():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(10), 3)
    X = rng.standard_normal((80, 30))
    Y = X[:, :3] @ rng.standard_normal((3, 3)) + rng.standard_normal((80, 3))
    found = cm.stability_selection(cm.BlockSparseRegressor(feature_groups=labels), X, Y, n_pairs=5, random_state=0)
    assert np.flatnonzero(found.selected).tolist() == [0, 1, 2]
    assert np.all(found.frequencies.reshape(10, 3) == found.frequencies.reshape(10, 3)[:, :1])


def test_blocks():
    blocks = Blocks([1, 0, 1, 2, 0])
    assert blocks.order.tolist() == [1, 4, 0, 2, 3] and blocks.starts.tolist() == [0, 2, 4, 5]
    assert blocks.whole([3, 2]).tolist() == [3, 0, 2]
    some, ids = blocks.select([3, 0, 2])
    assert some.codes.tolist() == [0, 1, 1] and ids.tolist() == [2, 1]


BAD = {
    "few labels": (["a", "b"], r"feature_groups must be one label for each of the 6 features.*, got 2 labels"),
    "word": ("abcdef", "feature_groups.* must be an array-like, an instance of 'dict' or None. Got 'abcdef'"),
    "number": (3, "feature_groups"),
    "empty": ([[0, 1], []], "feature_groups: group 1 is empty"),
    "overlap": ({"a": [0, 1], "b": [2, 1]}, "must not overlap, but feature 1 is in group 'a' and in group 'b'"),
    "twice": ([[0, 0]], "must not overlap, but feature 0 is in group 0 and in group 0"),
    "far": ([[0, 6]], "feature_groups: 6 in group 0 is no feature: X has 6 features with no names"),
    "unknown": ({"a": ["age"]}, "feature_groups: 'age' in group 'a' is no feature"),
    "nan": ([0.0, 1.0, np.nan, 0.0, 1.0, 1.0], "must have a label for every feature, got none for feature 2"),
    "none": (["a", None, "b", "a", "b", "a"], "must have a label for every feature, got none for feature 1"),
    "mixed": ([0, "a", 1, "b", 2, 2], "feature_groups must have labels of one kind"),
    "half": ([[0, 1], 2], "feature_groups must be .*, got 2 for a group"),
}
BAD_WEIGHTS = {
    "negative": ([1, -1, 1], r"feature_weights must be >= 0 \(0 leaves a group unpenalised.*, got -1\.0 at group 'b'"),
    "nan": ({"c": np.nan}, "feature_weights must be >= 0 .*, got nan at group 'c'"),
    "of features": ([1.0] * 6, r"feature_weights must have shape \(3,\), got \(6,\): one for each group of features"),
    "unknown": (
        {"d": 1.0},
        r"feature_weights has an entry for 'd', which is no group: the labels .* \['a', 'b', 'c'\]",
    ),
}


@pytest.mark.parametrize("case", BAD)
@every_family
def test_bad_groups(cls, case, monkeypatch):
    X, Y, _ = cases.user_input("squared", "shared")
    groups, message = BAD[case]
    monkeypatch.setattr("convexmtl.estimators._base.solve", None)
    for one in (cls, getattr(cm, cls.__name__ + "CV")):
        with pytest.raises(ValueError, match=message):
            one(feature_groups=groups).fit(X, Y)


@pytest.mark.parametrize("case", BAD_WEIGHTS)
@every_family
def test_bad_weights_of_groups(cls, case, monkeypatch):
    X, Y, _ = cases.user_input("squared", "shared")
    weights, message = BAD_WEIGHTS[case]
    monkeypatch.setattr("convexmtl.estimators._base.solve", None)
    with pytest.raises(ValueError, match=message):
        cls(feature_groups=LABELS, feature_weights=weights).fit(X, Y)
