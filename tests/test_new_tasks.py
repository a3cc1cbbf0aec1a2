"""Tasks that arrive after a fit: predicted by the mean of all models, or learned with the others held."""

import copy
import datetime
import warnings

import cases
import cvxpy as cp
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

import convexmtl as cm
from benchmarks import new_tasks
from convexmtl import fit_new_task
from convexmtl.baselines import PooledRegressorCV
from convexmtl.data import DataTerm
from convexmtl.penalties import Penalty
from convexmtl.penalties.parts import PART
from convexmtl.solvers.held import Held
from convexmtl.tasks import Tasks
from convexmtl.textbook import best_of_attempts

T, D, SIZES = 4, 6, (12, 18, 25, 10, 15)
NAMES = np.array(["north", "east", "south", "west", "isle"])
# Where the new task belongs, by what the penalty calls the structure that it has been given.
PLACES = {"clusters": 1, "edges": [(3, 0.5), 0], "graph": [(3, 0.5, -1), 1], "tree": 2, "order": 1}
PLACES["M"] = [0.1, -0.2, 0.3, 0.1, 2.0]


def place_for(penalty):
    """The one of PLACES that a penalty needs, None where it needs none."""
    if getattr(penalty, "order", 0) is None:
        return None
    told = {name: PLACES[name] for name in penalty.places}
    return told if len(told) > 1 else next(iter(told.values()), None)


def drawn(loss, seed=3):
    """(X, y, codes) of five tasks, as the tables' losses have them."""
    return cases.draw_stacked(cases.LOSSES[loss].targets, np.random.default_rng(seed), SIZES, D)


def fitted(loss, penalty, X, y, codes, **options):
    """A generic estimator fitted to the first four tasks."""
    lossy = cases.LOSSES[loss].loss
    cls = cm.MultiTaskClassifier if lossy.classification else cm.MultiTaskRegressor
    old = codes < T
    return cls(penalty, loss=lossy, **options).fit(X[old], y[old], task=codes[old])


# --------------------------------------------------------------------- the problem and its solution


def textbook(longer, X, y, loss):
    """The least objective of the new task's problem, by cvxpy, from the textbook definition of the penalty."""
    labels = longer.tasks_
    penalty = longer._extended.bind(labels)
    held = tuple(part[:, :-1] for part in longer._parts)
    data = DataTerm(Tasks.shared(X, y[:, None]), loss)
    problem = Held(data, penalty.resolve(D, labels), held)
    W, b = cp.Variable((D, len(labels))), cp.Variable()
    omega, rules = penalty.expression(W, cp)
    total = loss.total_expression(y, X @ W[:, -1] + b, np.full(len(y), 1 / len(y)), cp)
    program = cp.Problem(cp.Minimize(total + omega), [*rules, W[:, :-1] == sum(held)])
    parts = sorted((v for v in program.variables() if v.name().startswith(PART)), key=lambda v: v.id)
    fixed = [part[:, :-1] == P for part, P in zip(parts, held, strict=False)] if problem.penalty.terms else []
    program = cp.Problem(program.objective, program.constraints + fixed)

    def found():
        """The objective at the new columns that the solver found, beside those that are held exactly."""
        new = [part.value[:, -1] for part in parts] if parts and fixed else [W.value[:, -1]]
        # (Within the constraints, which the solver may miss by rounding.)
        new = [part[:, -1] for part in problem.penalty.feasible(problem.joined(new))]
        signs = [getattr(term, "positive", False) for term in problem.penalty.terms] or [False]
        new = [np.maximum(w, 0.0) if positive else w for w, positive in zip(new, signs, strict=True)]
        z = X @ sum(new) + b.value
        objective = loss.value(y, z).mean() + problem.penalty.value(problem.joined(new))
        return cases.Least(objective, abs(objective - program.value))

    return best_of_attempts(program, found, 1e-8)


# A support that has been chosen for each old task, or bounds or sums for each of them, say nothing of a new one.
NOT_EXTENDED = {"support", "temporal+task_norm+support", "trace+l1+bounds"}
NOT_EXTENDED |= {
    "bounds+total",
    "sparse,low_rank+contrasts",
    "ridge+contrasts",
    "tensor",
    "tensor_latent",
    "tensor+l1",
    "l1_by_task",
    "l1_by_task_positive_weights",
    "ridge_by_task",
    "task_norm_by_task+l1",
}
# One of every form.
FORMS = ["l2", "linf_ridge", "dirty_2", "squared_trace_ridge", "box", "learned_clusters", "known_clusters"]
FORMS += [
    "any_matrix",
    "shared_structure",
    "tree",
    "graph_l1",
    "temporal_l2",
    "robust_feature",
    "sparse,low_rank+graph",
]
# (A task that is learned alone has one column.)
every_loss = pytest.mark.parametrize("loss", [name for name, case in cases.LOSSES.items() if case.loss.by_column])


@pytest.mark.covering(1)
@every_loss
@pytest.mark.parametrize("name", FORMS)
def test_solution_is_that_of_the_textbook(name, loss):
    assert_textbook(name, loss)


@pytest.mark.parametrize("name", ["positive+mean", "sparse,low_rank+positive"])
def test_bounds_take_signs_but_for_rounding(name):
    assert_textbook(name, "absolute")


@pytest.mark.covering(0)
@every_loss
@pytest.mark.parametrize("name", sorted(set(cases.PENALTIES) - set(FORMS) - NOT_EXTENDED))
def test_solution_of_every_penalty_is_that_of_the_textbook(name, loss):
    assert_textbook(name, loss)


def assert_textbook(name, loss):
    X, y, codes = drawn(loss)
    penalty = cases.PENALTIES[name].build(D, T)
    # (A constraint on a sum leaves singular values of the size of tol in its parts, beside which a better one for the
    # new task takes very long.)
    with warnings.catch_warnings():
        # (Whatever the old models are, that of the new task is what there is to prove.)
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = fitted(loss, penalty, X, y, codes, tol=1e-9 if name == "sparse,low_rank+positive" else 1e-7)
    new = codes == T
    longer = fit_new_task(model.set_params(tol=1e-8), X[new], y[new], T, place=place_for(penalty))
    assert_array_equal(longer.coef_[:T], model.coef_)
    asked = textbook(longer, X[new], y[new], cases.LOSSES[loss].loss)
    at_zero = DataTerm(Tasks.shared(X[new], y[new][:, None]), cases.LOSSES[loss].loss).trivial[0]
    cases.assert_agrees(longer.objective_, longer.dual_gap_, asked, abs(at_zero))


def test_mean_regularisation_in_closed_form():
    X, y, codes = drawn("squared")
    model = fitted("squared", cm.MeanCoupling(0.3, 2.0), X, y, codes)
    new = codes == T
    w = fit_new_task(model, X[new], y[new], T).coef_[-1]
    centred, r = X[new] - X[new].mean(axis=0), y[new] - y[new].mean()
    W = np.column_stack([model.coef_.T, w])
    mean = W.mean(axis=1)
    gradient = centred.T @ (centred @ w - r) / new.sum()
    # Of alpha_mean norm(mean)^2 + (alpha_variance / 5) sum_t norm(w_t - mean)^2, in which the last term's mean cancels.
    assert_allclose(gradient + 2 * 0.3 * mean / 5 + 2 * 2.0 / 5 * (w - mean), 0, atol=1e-12)


def test_a_row_in_use_costs_less_than_one_that_is_not():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 4))
    Y = X[:, :1] @ rng.uniform(1, 2, (1, 8)) + 0.1 * rng.standard_normal((200, 8))
    model = cm.BlockSparseRegressor(alpha=0.3).fit(X, Y)
    longer = fit_new_task(model, X[:40], X[:40, 0] + 0.2 * X[:40, 1], 8)
    alone = cm.BlockSparseRegressor(alpha=0.3).fit(X[:40], X[:40, 0] + 0.2 * X[:40, 1])
    assert_array_equal(longer.coef_[-1, 1:], 0)
    assert longer.coef_[-1, 0] > 0.9 > 0.85 > alone.coef_[0, 0]


def test_a_subspace_is_found_again():
    """With fewer samples than features the new model is where the old ones are."""
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.standard_normal((20, 2)))[0]
    X = rng.standard_normal((300, 20))
    model = cm.TraceNormRegressor(alpha=0.5).fit(X, X @ basis @ rng.standard_normal((2, 15)))
    w = basis @ [1.0, -1.0]
    longer = fit_new_task(model, X[:10], X[:10] @ w, 15)
    alone = cm.TraceNormRegressor(alpha=0.01).fit(X[:10], X[:10] @ w)
    error = lambda m: np.linalg.norm(m.coef_[-1] - w) / np.linalg.norm(w)  # noqa: E731
    assert error(longer) < 0.25 < 0.6 < error(alone)


def test_features_that_say_nothing_have_no_coefficient():
    X, y, codes = drawn("squared")
    X[:, 2] = codes
    X[:, 4] = np.where(codes == T, 1.0, X[:, 4])
    for penalty in (cm.SquaredTraceNorm(0.05), cm.MeanCoupling(), cm.RobustLowRank(0.1, 0.1)):
        longer = fit_new_task(fitted("squared", penalty, X, y, codes), X[codes == T], y[codes == T], T)
        assert_array_equal(longer.coef_[:, 2], 0)
        if penalty.get_params().keys() == {"alpha_mean", "alpha_variance"}:
            assert longer.coef_[T, 4] != 0  # what the others have


def test_explained():
    X, y, codes = drawn("squared")
    longer = fit_new_task(fitted("squared", cm.RowNorm(0.1), X, y, codes), X[codes == T], y[codes == T], T)
    explanation = cm.explain_fit(longer)
    assert "5 tasks, 6 features, 80 samples" in explanation.title
    assert dict(explanation.rows)["minimised"].startswith("mean_i loss(y_i, x_i . w + b) + Omega([W, w]) for task 4")
    residual = y[codes == T] - longer.predict(X[codes == T], task=codes[codes == T])
    assert_allclose(explanation.figures["loss"], np.mean(residual**2) / 2)


@pytest.mark.parametrize("weighting", ["equal", "size", "array"])
def test_weight_of_the_new_task(weighting):
    X, y, codes = drawn("squared")
    old, new = codes < T, codes == T
    task_weight = {"array": [1.0, 2.0, 0.5, 1.0]}.get(weighting, weighting)
    model = cm.BlockSparseRegressor(0.1, task_weight=task_weight, tol=1e-9).fit(X[old], y[old], task=codes[old])
    if weighting == "array":
        with pytest.raises(ValueError, match="task_weight must be a number where the estimator has an array of them"):
            fit_new_task(model, X[new], y[new], T)
    given = 0.7 if weighting == "array" else None
    longer = fit_new_task(model, X[new], y[new], T, task_weight=given)
    share = {"equal": 1.0, "size": 15 / np.mean(SIZES[:T]), "array": 0.7}[weighting]
    other = fit_new_task(model, X[new], y[new], T, task_weight=share)
    assert_allclose(longer.coef_, other.coef_)
    with pytest.raises(ValueError, match="task_weight must be a positive number or None, got 0"):
        fit_new_task(model, X[new], y[new], T, task_weight=0)


# ------------------------------------------------------------------------ what is known of all tasks


def state(estimator):
    """All that an estimator holds, as copies; of penalties what they print."""
    held = {name: repr(value) if isinstance(value, Penalty) else value for name, value in vars(estimator).items()}
    return {name: copy.deepcopy(value) for name, value in held.items() if name not in ("_later", "_summary")}


TWINS = [getattr(cm, f"{cls.__name__}CV") for cls in cases.ESTIMATORS]


@pytest.mark.covering(1)
@pytest.mark.parametrize("cls", cases.ESTIMATORS + TWINS, ids=lambda cls: cls.__name__)
def test_every_family(cls):
    classifies, searches = is_classifier(cls()), cls.__name__.endswith("CV")
    X, y, codes = drawn("logistic" if classifies else "squared")
    old, new = codes < T, codes == T
    options = {"alphas": 2, "cv": 2, "eps": 0.2} if searches else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model = cls(**options).fit(X[old], y[old], task=codes[old])
    before = state(model)
    longer = fit_new_task(model, X[new], y[new], T)
    np.testing.assert_equal(state(model), before)
    assert type(longer) is cls and longer.get_params() == model.get_params()
    assert longer.tasks_.tolist() == [0, 1, 2, 3, 4]
    assert_array_equal(longer.coef_[:T], model.coef_)
    assert_array_equal(longer.intercept_[:T], model.intercept_)
    # Of what there is to gain.
    assert 0 <= longer.dual_gap_ <= 1e-4 * (np.log(2) if classifies else np.var(y[new]) / 2)
    assert_array_equal(longer.predict(X[old], task=codes[old]), model.predict(X[old], task=codes[old]))
    assert longer.predict(X[new], task=codes[new]).shape == (SIZES[T],)
    # What the penalty reports is of all tasks, by shape.
    for name in longer._fitted_penalty().bind(longer.tasks_).report(longer._parts, longer.tasks_):
        if name != "outlier_tasks_":
            expected = tuple(T + 1 if size == T else size for size in np.shape(getattr(model, name)))
            assert np.shape(getattr(longer, name)) == expected, name
    assert np.isfinite(longer.feature_importances_).all()
    assert_allclose(sum(longer._parts).T, longer.coef_, atol=1e-12)


@pytest.mark.parametrize("layout", ["shared", "named", "single", "stacked", "column", "sparse"])
def test_layouts(layout):
    X, Y = cases.draw_shared(cases.LOSSES["squared"].targets, np.random.default_rng(0), 25, D, T + 1)
    long = np.tile(X, (T, 1)), Y[:, :T].ravel(order="F"), np.repeat(NAMES[:T], 25)
    model = cm.MeanRegularizedRegressor(0.1, 1.0)
    few, label = (X[:9], Y[:9, T]), "isle"
    if layout == "shared":
        model.fit(X, Y[:, :T])
        label = T
    elif layout == "named":
        model.fit(X, pd.DataFrame(Y[:, :T], columns=NAMES[:T]))
    elif layout == "single":
        model.fit(X, Y[:, 0])
        label = 1
    elif layout == "column":
        model.set_params(task_column="region")
        frame = pd.DataFrame(long[0], columns=[f"x{j}" for j in range(D)]).assign(region=long[2])
        model.fit(frame, long[1])
        few = pd.DataFrame(few[0], columns=frame.columns[:D]).assign(region=label), few[1]
    else:
        model.fit(csr_array(long[0]) if layout == "sparse" else long[0], long[1], task=long[2])
        few = (csr_array(few[0]), few[1]) if layout == "sparse" else few
    longer = fit_new_task(model, *few, label)
    assert longer.tasks_.tolist() == [*model.tasks_.tolist(), label]
    z = X @ longer.coef_[-1] + longer.intercept_[-1]
    if layout in ("shared", "named"):
        assert_allclose(longer.predict(X), np.column_stack([model.predict(X), z]))
    if layout == "column":
        frame = pd.DataFrame(X, columns=frame.columns[:D]).assign(region=label)
        assert_allclose(longer.predict(frame), z)
    else:
        assert_allclose(longer.predict(X, task=[label] * len(X)), z)
    if layout != "single":
        # Whatever the layout, the same model.
        single = cm.MeanRegularizedRegressor(0.1, 1.0).fit(*long[:2], task=long[2])
        order = [single.tasks_.tolist().index(name) for name in NAMES[:T]]
        assert_allclose(sorted(longer.coef_[:-1].ravel()), sorted(single.coef_[order].ravel()), atol=1e-10)
        assert_allclose(longer.coef_[-1], fit_new_task(single, X[:9], Y[:9, T], "isle").coef_[-1], atol=1e-10)


def test_weights_count_as_repeated_rows():
    X, y, codes = drawn("squared")
    model = fitted("squared", cm.TraceNorm(0.2), X, y, codes, tol=1e-10)
    new = np.flatnonzero(codes == T)
    weight = np.array([0, 1, 2] * 5)
    one = fit_new_task(model, X[new], y[new], T, sample_weight=weight)
    other = fit_new_task(model, X[np.repeat(new, weight)], y[np.repeat(new, weight)], T)
    assert_allclose(one.coef_[-1], other.coef_[-1], atol=1e-6)


def test_behind_a_scaler():
    X, y, codes = drawn("squared")
    old, new = codes < T, codes == T
    line = make_pipeline(StandardScaler(), cm.BlockSparseRegressor(0.1)).fit(
        X[old], y[old], blocksparseregressor__task=codes[old]
    )
    longer = fit_new_task(line, X[new], y[new], T)
    assert longer is not line and longer[0] is line[0] and len(line[-1].tasks_) == T
    scaled = fit_new_task(line[-1], line[0].transform(X[new]), y[new], T)
    assert_array_equal(longer[-1].coef_, scaled.coef_)


@pytest.mark.parametrize(
    "labels",
    [
        ["b", "a", "c", "d", "longer"],
        [3, 1, 2, 0, 7],
        [0.5, 1.5, 2.5, 3.5, -1.0],
        [("b", 1), ("a", 1), ("a", 2), ("c", 1), ("a", 0)],
        np.array(["2001", "2002", "2003", "2004", "1999"], dtype="datetime64[Y]").astype("datetime64[ns]"),
    ],
    ids=["strings", "integers", "floats", "tuples", "dates"],
)
def test_kinds_of_labels(labels):
    X, y, codes = drawn("squared")
    task = np.empty(len(codes), dtype=object)
    task[:] = [labels[t] for t in codes]
    task = task if isinstance(labels[0], tuple) else np.array(list(labels))[codes]
    old, new = codes < T, codes == T
    model = cm.BlockSparseRegressor().fit(X[old], y[old], task=task[old])
    longer = fit_new_task(model, X[new], y[new], labels[-1])
    assert longer.tasks_.dtype.kind == model.tasks_.dtype.kind
    assert_allclose(longer.predict(X[new], task=task[new]), X[new] @ longer.coef_[-1] + longer.intercept_[-1])
    assert_array_equal(longer.predict(X[old], task=task[old]), model.predict(X[old], task=task[old]))
    with pytest.raises(ValueError, match="label must be new"):
        fit_new_task(longer, X[new], y[new], labels[-1])


def test_labels_of_classes():
    X, y, codes = drawn("logistic")
    old, new = codes < T, codes == T
    words = np.where(y > 0, "yes", "no")
    model = cm.MeanRegularizedClassifier().fit(X[old], words[old], task=codes[old])
    same = fit_new_task(model, X[new], words[new], T)
    assert same.classes_.tolist() == ["no", "yes"]
    with pytest.warns(UserWarning, match=r"1 task\(s\) have a single class .* \[4\]"):
        one = fit_new_task(model, X[new], np.full(SIZES[T], "yes"), T)
    assert set(one.predict(X[new], task=codes[new])) <= {"no", "yes"}
    assert_allclose(one.coef_[-1], model.coef_.mean(axis=0), rtol=0.3, atol=0.02)  # nothing else is known of it
    other = fit_new_task(model, X[new], np.where(y[new] > 0, "true", "false"), T)
    assert [own.tolist() for own in other.classes_] == [["no", "yes"]] * T + [["false", "true"]]
    assert_array_equal(other.coef_, same.coef_)
    assert set(other.predict(X[new], task=codes[new])) <= {"false", "true"}
    last = fit_new_task(other, X[new], y[new].astype(int), 5)
    assert last.classes_[-1].tolist() == [-1, 1]
    with pytest.raises(ValueError, match="Only binary classification is supported"):
        fit_new_task(model, X[new], codes[new] + np.arange(15) % 3, T)


def test_statistics_go_on():
    X, y, codes = drawn("squared")
    first, new = codes < T, codes == T
    model = cm.BlockSparseRegressor(0.1, tol=1e-9).partial_fit(X[first], y[first], task=codes[first])
    longer = fit_new_task(model, X[new][:5], y[new][:5], T)
    assert longer.statistics_.tasks.tolist() == [0, 1, 2, 3, 4] and len(model.statistics_.tasks) == T
    longer.partial_fit(X[new][5:], y[new][5:], task=codes[new][5:])
    assert_allclose(longer.coef_, cm.BlockSparseRegressor(0.1, tol=1e-9).fit(X, y, task=codes).coef_, atol=1e-5)


def test_fitted_anew_forgets_what_came_later():
    X, y, codes = drawn("squared")
    old, new = codes < T, codes == T
    model = cm.ClusteredRegressor(clusters=[0, 1, 0, 1]).fit(X[old], y[old], task=codes[old])
    longer = fit_new_task(model, X[new], y[new], T, place=1)
    assert longer.labels_.tolist() == [0, 1, 0, 1, 1] and longer.task_covariance_.shape == (5, 5)
    again = longer.fit(X[old], y[old], task=codes[old])
    assert_array_equal(again.coef_, model.coef_)
    assert again.labels_.tolist() == [0, 1, 0, 1]


def test_one_after_the_other():
    X, y, codes = drawn("squared")
    old = codes < 3
    model = cm.TemporalRegressor(0.05).fit(X[old], y[old], task=2001 + codes[old])
    for t in (4, 3):
        model = fit_new_task(model, X[codes == t], y[codes == t], 2001 + t)
    assert model.tasks_.tolist() == [2001, 2002, 2003, 2005, 2004]
    assert model._fitted_penalty().bind(model.tasks_).order == [0, 1, 2, 4, 3]
    assert len(model.predict(X, task=2001 + codes)) == len(X)


# ---------------------------------------------------------------------------- where it belongs


def test_places_in_structures():
    labels = np.array([*"abcd", "e"])
    longer = cm.GraphLaplacian([("a", "b"), ("b", "c", 0.5)], 1.0).with_task(labels, ["d", ("a", 2.0)])
    assert [edge[:3] for edge in longer.bind(labels).edges] == [(0, 1, 1.0), (1, 2, 0.5), (4, 3, 1.0), (4, 0, 2.0)]
    longer = cm.GraphGuided([("a", "b")], 1.0).with_task(labels, [("c", 2.0, -1)])
    assert list(longer.bind(labels).graph) == [(0, 1, 1.0, 1), (4, 2, 2.0, -1)]
    tree = [("abcd", 1.0), ("ab", 0.5), ("cd", 0.7), ("a", 0.2), ("d", 0.3)]
    longer = cm.TreeGuided([(list(members), omega) for members, omega in tree]).with_task(labels, "d")
    found = {"".join(labels[members]): omega for members, omega in longer.bind(labels).tree}
    assert found == {"abcde": 1.0, "ab": 0.5, "cde": 0.7, "a": 0.2, "d": 0.3, "e": 0.3}
    longer = cm.Temporal(order=["d", "c", "b", "a"]).with_task(labels, 1)
    assert labels[longer.bind(labels).order].tolist() == ["d", "e", "c", "b", "a"]
    assert cm.ClusterCoupling(["x", "y", "x", "y"]).with_task(labels, "y").clusters.tolist() == [*"xyxyy"]
    assert_array_equal(cm.TaskCoupling(np.eye(4)).with_task(labels, [0.1, 0, 0, 0, 2]).M[-1], [0.1, 0, 0, 0, 2])


def test_places_in_several_structures():
    """A dict has one for each; what it does not name is told by the labels, if by anything."""
    X, y, codes = drawn("squared")
    old, new = codes < T, codes == T
    penalty = cm.Temporal(0.1) + (cm.RowNorm(0.1) + cm.GraphLaplacian([("a", "b"), ("b", "d", 0.5)], 0.3))
    model = cm.MultiTaskRegressor(penalty).fit(X[old], y[old], task=np.array([*"abde"])[codes[old]])
    for place, order in (({"edges": ["a"]}, [0, 1, 4, 2, 3]), ({"edges": ["a"], "order": 0}, [4, 0, 1, 2, 3])):
        longer = fit_new_task(model, X[new], y[new], "c", place=place)
        first, second = longer._extended.bind(longer.tasks_).get_params(deep=False).values()
        assert first.order == order and (4, 0, 1.0) in [edge[:3] for edge in second.second.edges]


def test_places_beside_weights_of_features():
    X, y, codes = drawn("squared")
    old, new = codes < T, codes == T
    tree = [([0, 1], 1.0), ([0], 0.5)]
    weights = np.arange(1.0, D + 1)
    model = cm.MultiTaskRegressor(cm.Weighted(cm.TreeGuided(tree, 0.1), weights)).fit(X[old], y[old], task=codes[old])
    scaled = cm.MultiTaskRegressor(cm.TreeGuided(tree, 0.1)).fit(X[old] / weights, y[old], task=codes[old])
    w = fit_new_task(model, X[new], y[new], T, place=0).coef_[-1]
    assert_allclose(w * weights, fit_new_task(scaled, X[new] / weights, y[new], T, place=0).coef_[-1], atol=1e-3)
    with pytest.raises(ValueError, match="place must be the task beside which it is in the tree"):
        fit_new_task(model, X[new], y[new], T)


@pytest.mark.parametrize(
    "penalty, place, message",
    [
        (cm.RowNorm(), 1, "place must be left out, got 1: MultiTaskRegressor has been told of no structure"),
        (cm.ClusterCoupling([0, 1, 0, 1]), None, "place must be the cluster that it is in, one of 0, 1, got None"),
        (cm.ClusterCoupling([0, 1, 0, 1]), "far", "one of 0, 1, got 'far'"),
        (cm.GraphLaplacian([(0, 1)]), None, r"place must be the tasks that it is joined to, .* got None"),
        (cm.GraphGuided([(0, 1)], 0.1, alpha_sparse=0.1), [7], "place: 7 is neither a task label"),
        (cm.GraphGuided([(0, 1)], 0.1), "north", "place must be the tasks .* got 'north'"),
        (cm.GraphLaplacian([(0, 1)]), [(0, -1.0)], r"omega of \(4, 0\) must be a finite number >= 0"),
        (cm.TreeGuided([([0, 1], 1.0)]), None, "place must be the task beside which it is in the tree, .* got None"),
        (cm.TreeGuided([([0, 1], 1.0)]), 9, "place: 9 is neither a task label"),
        (cm.Temporal(order=[2, 1, 0, 3]), None, "place must be its position in time, 0 for the first, got None"),
        (cm.Temporal(order=[2, 1, 0, 3]), 6, "0 for the first and 4 for the last, got 6"),
        (cm.TaskCoupling(np.eye(4)), None, "place must be its row of M, its entry with itself last, 5 numbers"),
        (cm.TaskCoupling(np.eye(4)), [1.0, 2.0], "5 numbers, got 2 of them"),
        (cm.TaskCoupling(np.eye(4)), [3.0, 0, 0, 0, 1], "M must be positive semidefinite"),
        (cm.RowNorm() + cm.GraphLaplacian([(0, 1)]), None, "place must be the tasks that it is joined to"),
        (
            cm.Temporal(0.1) + cm.GraphLaplacian([(0, 1)]),
            [0],
            r"place must be a dict with the place in each structure \('order': its .*; 'edges': .*\), got \[0\]",
        ),
        (cm.Temporal(0.1) + cm.GraphLaplacian([(0, 1)]), {"order": 9, "edges": [0]}, "4 for the last, got 9"),
        (cm.GraphLaplacian([(0, 1)]), {"graph": [0]}, r"a dict .* \('edges': .*\), got {'graph': \[0\]}"),
        (cm.RowNorm() + cm.Box(0.0, np.ones((6, 4))), None, r"give bounds for all tasks, \(d, 1\) or a number, before"),
    ],
    ids=repr,
)
def test_places_that_make_no_sense(penalty, place, message):
    X, y, codes = drawn("squared")
    model = fitted("squared", penalty, X, y, codes, tol=1e-2)
    with pytest.raises(ValueError, match=message):
        fit_new_task(model, X[codes == T], y[codes == T], T, place=place)


# -------------------------------------------------------------------------------------- bad input


@pytest.fixture(scope="module")
def model():
    X, y, codes = drawn("squared")
    old = codes < T
    return cm.BlockSparseRegressor(0.1).fit(X[old], y[old], task=NAMES[codes[old]])


@pytest.mark.parametrize(
    "change, message",
    [
        ({"label": "east"}, "label must be new, got 'east', a task that fit has seen"),
        ({"label": 3}, r"label must be a label of the kind of the others \('east', 'north', 'south', ...\), got 3"),
        ({"label": None}, "label must be a label of the kind of the others .* got None"),
        ({"label": ["a", "b"]}, "label must be a label of the kind"),
        ({"X": np.ones((15, 5))}, "X has 5 features, but BlockSparseRegressor is expecting 6"),
        ({"X": np.ones((14, 6))}, "X and y must have as many rows, got 14 rows of X and 15 of y"),
        ({"X": np.full((15, 6), np.nan)}, "Input X contains NaN"),
        ({"X": np.full((15, 6), 1e120)}, "X is too large"),
        ({"y": np.ones((15, 2))}, r"y must have shape \(n,\), got \(15, 2\): tasks are learned one at a time"),
        ({"y": np.full(15, np.nan)}, "Input y contains NaN"),
        ({"y": None}, "requires y to be passed"),
        ({"sample_weight": np.zeros(15)}, "at least one non-zero|has no sample with a target and a positive weight"),
        ({"sample_weight": -np.ones(15)}, "sample_weight must be >= 0, got -1"),
    ],
    ids=lambda v: next(iter(v)) if isinstance(v, dict) else "",
)
def test_bad_input(model, change, message):
    X, y, codes = drawn("squared")
    given = {"X": X[codes == T], "y": y[codes == T], "label": "isle"} | change
    with pytest.raises(ValueError, match=message):
        fit_new_task(model, **given)


def test_missing_labels():
    X, y, codes = drawn("squared")
    old, new = codes < T, codes == T
    model = cm.BlockSparseRegressor().fit(X[old], y[old], task=0.5 + codes[old])
    with pytest.raises(ValueError, match="label must not be missing, got nan"):
        fit_new_task(model, X[new], y[new], np.nan)


def test_what_is_no_estimator(model):
    X, y, codes = drawn("squared")
    new = codes == T
    with pytest.raises(TypeError, match=r"estimator must be a fitted estimator of convexmtl, .* got StandardScaler"):
        fit_new_task(StandardScaler(), X[new], y[new], "isle")
    with pytest.raises(TypeError, match="got StandardScaler"):
        fit_new_task(make_pipeline(StandardScaler()), X[new], y[new], "isle")
    for unfitted in (cm.BlockSparseRegressor(), make_pipeline(StandardScaler(), cm.BlockSparseRegressor())):
        with pytest.raises(NotFittedError, match="This BlockSparseRegressor instance is not fitted yet"):
            fit_new_task(unfitted, X[new], y[new], "isle")


def test_one_model_for_all_tasks():
    X, y, codes = drawn("squared")
    model = PooledRegressorCV(alphas=2, cv=2).fit(X, y, task=codes)
    with pytest.raises(ValueError, match="PooledRegressorCV has one model for all tasks, by which it predicts any"):
        fit_new_task(model, X[codes == T], y[codes == T], 9)


def test_after_a_search_over_families():
    X, y, codes = drawn("squared")
    old, new = codes < T, codes == T
    auto = cm.AutoMultiTaskRegressor(["MeanRegularized"], alphas=3, cv=2).fit(X[old], y[old], task=codes[old])
    auto.best_family_ = "the best"  # whichever it was
    longer = fit_new_task(auto, X[new], y[new], 9)
    assert longer.task_families_.tolist() == [*auto.task_families_.tolist(), "the best"]
    assert len(auto.task_families_) == T == len(longer.tasks_) - 1
    alike = cm.AutoMultiTaskRegressor(["MeanRegularized"], alphas=3, cv=2)
    with pytest.raises(ValueError, match=r"has chosen PooledRegressorCV, with one model .* Use its best_estimator_"):
        fit_new_task(alike.fit(X[old], np.zeros(old.sum()) + 1e-3 * X[old, 0], task=codes[old]), X[new], y[new], 9)


def test_a_search_of_scikit_learn():
    X, y, _ = drawn("squared")
    search = GridSearchCV(cm.BlockSparseRegressor(), {"alpha": [0.1]})
    with pytest.raises(TypeError, match="got GridSearchCV; of a search pass its best_estimator_"):
        fit_new_task(search, X, y, 9)


def test_rows_of_several_tasks_in_the_task_column():
    X, y, codes = drawn("squared")
    frame = pd.DataFrame(X).rename(columns=str).assign(region=NAMES[codes])
    model = cm.BlockSparseRegressor(task_column="region").fit(frame[codes < T], y[codes < T])
    with pytest.raises(ValueError, match="X must have rows of task 'isle' alone, got task 'east', 'north', 'south' as"):
        fit_new_task(model, frame, y, "isle")


def test_too_few_iterations():
    X, y, codes = drawn("squared")
    model = fitted("squared", cm.TraceNorm(0.2), X, y, codes)
    with pytest.warns(ConvergenceWarning, match="MultiTaskRegressor: The iterations ran out .* wanted") as caught:
        fit_new_task(model.set_params(max_iter=1, tol=1e-9), X[codes == T], y[codes == T], T)
    assert caught[0].filename == __file__


# --------------------------------------------------------------- predicted without a sample of it


@pytest.mark.covering(1)
@pytest.mark.parametrize("cls", cases.ESTIMATORS, ids=lambda cls: cls.__name__)
def test_unseen_tasks_are_predicted_by_the_mean(cls):
    classifies = is_classifier(cls())
    X, y, codes = drawn("logistic" if classifies else "squared")
    old, new = codes < T, codes == T
    model = cls(unseen_task="mean").fit(X[old], y[old], task=NAMES[codes[old]])
    z = X @ model.coef_.mean(axis=0) + model.intercept_.mean()
    scores = model.decision_function if classifies else model.predict
    mixed = np.where(new, "isle", NAMES[codes])
    assert_allclose(scores(X, task=mixed)[new], z[new], atol=1e-12)
    assert_array_equal(scores(X, task=mixed)[old], scores(X[old], task=NAMES[codes[old]]))
    assert np.isfinite(model.score(X[new], y[new], task=mixed[new]))
    if classifies:
        assert_array_equal(model.predict(X, task=mixed)[new], np.where(z[new] > 0, 1, -1))
        p = model.predict_proba(X, task=mixed)[new]
        assert_allclose(p[:, 1], 1 / (1 + np.exp(-z[new])))
    with pytest.raises(ValueError, match=r'was not seen in fit.* set unseen_task="mean"'):
        model.set_params(unseen_task="error").predict(X, task=mixed)


def test_unseen_tasks_in_cross_validation():
    """Whole tasks left out: only the mean can predict them."""
    X, y, codes = drawn("squared")
    frame = pd.DataFrame(X).rename(columns=str).assign(region=NAMES[codes])
    folds = LeaveOneGroupOut()
    model = cm.MeanRegularizedRegressor(task_column="region")
    with pytest.raises(ValueError, match=r'TaskKFold\(5, task_column="region"\).* set unseen_task="mean"'):
        cross_val_score(model, frame, y, groups=codes, cv=folds, error_score="raise")
    found = cross_val_score(model.set_params(unseen_task="mean"), frame, y, groups=codes, cv=folds)
    assert len(found) == 5 and np.isfinite(found).all()


def test_unseen_tasks_that_are_missing_or_have_unknown_labels():
    X, y, codes = drawn("logistic")
    own = np.where(codes == 0, np.where(y > 0, "a", "b"), np.where(y > 0, "c", "d"))
    model = cm.MeanRegularizedClassifier(unseen_task="mean").fit(X, own, task=codes)
    assert model.decision_function(X, task=np.full(len(X), 9)).shape == (len(X),)
    with pytest.raises(ValueError, match="which those of another task are is not known"):
        model.predict(X, task=np.full(len(X), 9))
    with pytest.raises(ValueError, match="task must not be missing"):
        model.predict(X, task=np.full(len(X), np.nan))
    with pytest.raises(ValueError, match=r"'unseen_task' parameter .* Got 'zero'"):
        cm.BlockSparseRegressor(unseen_task="zero").fit(X, y, task=codes)


def test_names_of_columns_are_compared():
    X, y, codes = drawn("squared")
    frame = pd.DataFrame(X, columns=[*"abcdef"])
    model = cm.BlockSparseRegressor().fit(frame[codes < T], y[codes < T], task=codes[codes < T])
    with pytest.raises(ValueError, match="feature names"):
        fit_new_task(model, frame.rename(columns={"a": "z"})[codes == T], y[codes == T], T)
    check_is_fitted(fit_new_task(model, frame[codes == T], y[codes == T], T))


def test_benchmark(monkeypatch, tmp_path, capsys):
    exam = new_tasks.load_exam()
    some = exam.task <= 11
    exam.data, exam.target, exam.task = exam.data[some], exam.target[some], exam.task[some]
    monkeypatch.setattr(new_tasks, "load_exam", lambda: exam)
    file = tmp_path / "new_tasks.csv"
    new_tasks.main(["--seeds", "1", "--folds", "1", "--only", "MeanRegularized", "--csv", str(file)])
    table = pd.read_csv(file)
    assert table["pupils"].tolist() == [5, 10, 20] and (table["new"] < table["constant"]).all()
    assert "MeanRegularized" in capsys.readouterr().out


def test_dates_of_python():
    X, y, codes = drawn("squared")
    days = np.array(["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-04"], dtype="datetime64[D]")
    old, new = codes < T, codes == T
    model = cm.TemporalRegressor(0.05).fit(X[old], y[old], task=days[codes[old]])
    longer = fit_new_task(model, X[new], y[new], datetime.date(2020, 1, 5))
    assert longer.tasks_.dtype == days.dtype and str(longer.tasks_[-1]) == "2020-01-05"
