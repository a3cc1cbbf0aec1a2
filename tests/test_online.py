"""Online learners: the rounds of the textbook, the bounds, and what relations are worth."""

import sys

import cases
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from scipy.linalg import sqrtm

import convexmtl as cm
from benchmarks import online
from convexmtl import ClusterCoupling, GraphLaplacian, MeanCoupling, TaskCoupling
from convexmtl.coupling import Dense
from convexmtl.relatives import OnlineMultiTaskClassifier, OnlineMultiTaskRegressor
from convexmtl.relatives._learner import Learner

T, D, N = 5, 4, 120
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, D))
TASK = RNG.integers(0, T, N)
W = RNG.normal(size=D) + 0.3 * RNG.normal(size=(T, D))
Z = np.sum(X * W[TASK], axis=1)
Y = {"classes": np.where(Z + 0.5 * RNG.normal(size=N) > 0, "yes", "no"), "numbers": Z + 0.5 * RNG.normal(size=N)}
LEARNERS = {"classes": OnlineMultiTaskClassifier, "numbers": OnlineMultiTaskRegressor}
ARRAY = np.eye(T) + 0.3 * np.ones((T, T)) + np.diag(np.arange(T))
COUPLINGS = {
    "mean": MeanCoupling(0.3, 4.0),
    "alone": MeanCoupling(1.0, 1.0),
    "clusters": ClusterCoupling([0, 0, 1, 1, 1], 0.1, 0.5, 2.0),
    "graph": GraphLaplacian([(0, 1), (1, 2, 0.5), (3, 4, 1.0, -1)], 2.0) + MeanCoupling(1.0, 1.0),
    "array": TaskCoupling(ARRAY),
}
learners = pytest.mark.parametrize("kind", LEARNERS)


def matrix(name):
    return COUPLINGS[name].resolve(D, np.arange(T)).coupling.matrix()


def textbook(kind, M, X, y, task, weight=None, a=0.5):
    """(last weights, their average, what every round has lost), with samples as rows of the Kronecker product."""
    inverse, w = np.kron(np.linalg.inv(M), np.eye(X.shape[1])), np.zeros(len(M) * X.shape[1])
    total, lost = np.zeros(len(w)), []
    for i, (x, t) in enumerate(zip(X, task, strict=True)):
        phi = np.kron(np.eye(len(M))[t], x)
        lost.append(y[i] * (phi @ w) <= 0 if kind == "classes" else (y[i] - phi @ w) ** 2)
        for _ in range(1 if weight is None else weight[i]):
            if kind == "numbers":
                w = w + a * (y[i] - phi @ w) * (inverse @ phi) / (phi @ inverse @ phi)
            elif y[i] * (phi @ w) <= 0:
                w = w + y[i] * (inverse @ phi)
        total += w * (1 if weight is None else weight[i])
    average = total / (len(X) if weight is None else weight.sum())
    return w.reshape(len(M), -1), average.reshape(len(M), -1), np.array(lost)


def signs(kind):
    return np.where(Y[kind] == "yes", 1.0, -1.0) if kind == "classes" else Y[kind]


def lost(model):
    return model.mistakes_ if isinstance(model, OnlineMultiTaskClassifier) else model.squared_errors_


@learners
@pytest.mark.parametrize("name", COUPLINGS)
def test_the_textbook(kind, name):
    last = LEARNERS[kind](COUPLINGS[name], average=False).partial_fit(X, Y[kind], task=TASK)
    ones = np.column_stack([X, np.ones(N)])
    expected, average, rounds = textbook(kind, matrix(name), ones, signs(kind), TASK)
    assert_allclose(np.column_stack([last.coef_, last.intercept_]), expected, atol=1e-9)
    assert_allclose(lost(last), rounds, atol=1e-9)
    assert_allclose(last.interaction_, np.linalg.inv(matrix(name)), atol=1e-9)
    mean = LEARNERS[kind](COUPLINGS[name]).partial_fit(X, Y[kind], task=TASK)
    assert_allclose(np.column_stack([mean.coef_, mean.intercept_]), average, atol=1e-9)
    assert mean.n_rounds_ == N
    # In parts, and without an intercept.
    parts = LEARNERS[kind](COUPLINGS[name], fit_intercept=False)
    for some in (slice(0, 1), slice(1, 60), slice(60, N)):
        parts.partial_fit(X[some], Y[kind][some], task=TASK[some], tasks=range(T), **declared(kind))
    assert_allclose(parts.coef_, textbook(kind, matrix(name), X, signs(kind), TASK)[1], atol=1e-9)
    assert not parts.intercept_.any()


def declared(kind):
    return {"classes": ["no", "yes"]} if kind == "classes" else {}


@learners
@pytest.mark.parametrize("name", ["mean", "array"])
def test_a_weight_is_so_many_rounds_in_succession(kind, name):
    weight = RNG.integers(0, 4, N)
    model = LEARNERS[kind](COUPLINGS[name], average=False, fit_intercept=False)
    model.partial_fit(X, Y[kind], task=TASK, sample_weight=weight)
    often = np.repeat(np.arange(N), weight)
    expected, _, _ = textbook(kind, matrix(name), X[often], signs(kind)[often], TASK[often])
    assert_allclose(model.coef_, expected, atol=1e-9)
    assert model.n_rounds_ == np.sum(weight > 0)


@learners
def test_layouts_agree(kind):
    """Stacked or with holes, dense or sparse, labels beside X or in it."""
    holes = np.full((N, T), None if kind == "classes" else np.nan, dtype=object if kind == "classes" else float)
    holes[np.arange(N), TASK] = Y[kind]
    rows = LEARNERS[kind]().fit(X, Y[kind], task=TASK)
    assert_allclose(LEARNERS[kind]().fit(X, holes).coef_, rows.coef_, atol=1e-9)
    assert_allclose(LEARNERS[kind]().fit(sparse.csr_matrix(X), Y[kind], task=TASK).coef_, rows.coef_, atol=1e-9)
    inside = LEARNERS[kind](task_column=1).fit(np.insert(X, 1, TASK, axis=1), Y[kind])
    assert_allclose(inside.coef_, rows.coef_, atol=1e-9)
    assert rows.score(X, Y[kind], task=TASK) == pytest.approx(inside.score(np.insert(X, 1, TASK, axis=1), Y[kind]))
    assert np.array_equal(LEARNERS[kind]().fit(X, Y[kind], task=TASK).coef_, rows.coef_)
    assert not np.array_equal(LEARNERS[kind](random_state=1).fit(X, Y[kind], task=TASK).coef_, rows.coef_)
    full = np.column_stack([Y[kind]] * 2)
    both = LEARNERS[kind](shuffle=False, n_passes=2).fit(X, full)
    again = LEARNERS[kind](shuffle=False, n_passes=1).fit(np.repeat(X, 2, 0), full.ravel(), task=np.arange(2 * N) % 2)
    assert both.n_rounds_ == 2 * again.n_rounds_ == 4 * N
    assert_allclose(lost(both)[: 2 * N], lost(again))
    assert lost(both)[2 * N :].mean() < lost(both)[: 2 * N].mean()


@pytest.mark.parametrize("name", COUPLINGS)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.covering(1)
def test_bounds_hold_on_any_stream(name, seed):
    """Whatever the models they are compared with: true ones, none at all, random ones; and where labels are noise."""
    rng = np.random.default_rng(seed)
    n = 300
    X, task = rng.standard_t(3, size=(n, D)), rng.integers(0, T, n)
    true = rng.normal(size=(T, D))
    z = np.sum(X * true[task], axis=1)
    y = np.where(rng.random(n) < 0.25 * seed, rng.normal(size=n), z)
    M = matrix(name)
    B = np.linalg.inv(M)
    squares = np.diag(B)[task] * np.sum(X**2, axis=1)
    model = OnlineMultiTaskClassifier(COUPLINGS[name], fit_intercept=False).partial_fit(X, y > 0, task=task)
    least = OnlineMultiTaskRegressor(COUPLINGS[name], learning_rate=0.3, fit_intercept=False)
    least.partial_fit(X, y, task=task)
    share = np.sum(least.squared_errors_ / squares)
    for models in (true, 3 * true, 0 * true, rng.normal(size=(T, D))):
        z = np.sum(X * models[task], axis=1)
        size = np.sum((models.T @ M) * models.T)
        wrong, width = model.mistakes_, squares.max() * size
        hinge = np.maximum(1 - np.where(y > 0, z, -z), 0)[wrong].sum()
        assert wrong.sum() <= hinge + width / 2 + np.sqrt(width * hinge + width**2 / 4) + 1e-9
        assert share <= size / 0.3 + np.sum((y - z) ** 2 / squares) / 0.7 + 1e-9
    assert wrong.sum() > 0


@pytest.mark.parametrize("relations", ["covariance", "logdet", "von_neumann"])
def test_relations_are_those_of_the_weights(relations):
    """With the weights held, updates lead to the root of W'W, as it is in TaskRelationship."""
    learner = Learner(Dense(matrix("mean")), D, relations, 1.0)
    learner.V[:] = RNG.normal(size=(T, D)) + np.outer([1, 1, -1, -1, 0], RNG.normal(size=D))
    root = sqrtm(learner.V @ learner.V.T).real
    C = T * root / np.trace(root)
    away = []
    for _ in range(400):
        learner.relate()
        away.append(np.abs(learner.learned - C).max())
        assert np.linalg.eigvalsh(learner.B)[0] > 0 and abs(np.trace(learner.B) - T) < 1e-9
    # (Small eigenvalues are approached slowly; W has one of zero.)
    assert away[-1] < 0.05 and away[-1] < 0.1 * np.abs(learner.B0 - C).max()


def test_relations_are_worth_something():
    """Related tasks lose less than alone; where the given relations are wrong, learned ones lose less."""
    found = online.measured(range(2), n=1500, streams=["one model", "two signs"])
    total = {(row["stream"], row["kind"], row["learner"]): row["lost"] for row in online.summed(found)}
    for kind in LEARNERS:
        one, other = ({name: total[s, kind, name] for name in online.LEARNERS} for s in ("one model", "two signs"))
        assert one["fixed"] < 0.9 * one["alone"]
        assert other["fixed"] > other["alone"]
        assert min(other["covariance"], other["logdet"], other["von Neumann"]) < 0.95 * other["fixed"]


def test_what_the_first_call_declares():
    some = TASK != 3
    first = {"classes": ["no", "yes"], "tasks": range(T)}
    model = OnlineMultiTaskClassifier().partial_fit(X[some], Y["classes"][some], task=TASK[some], **first)
    assert model.tasks_.tolist() == list(range(T)) and model.coef_[3].any()
    assert model.predict(X[:2], task=[3, 3]).tolist() <= ["yes", "yes"]
    model.partial_fit(X[~some], Y["classes"][~some], task=TASK[~some])
    before = model.coef_
    for options, message in [
        ({"task": ["a"]}, "task 'a' was not there in the first call: declare all tasks there"),
        ({"task": [1], "classes": ["a", "b"]}, r"classes must be those of the first call, \['no', 'yes'\]"),
        ({"task": [1], "tasks": [1]}, "tasks must be those of the first call"),
        ({}, r"partial_fit got y of shape \(n,\) after task labels"),
        ({"task": [1], "y": ["maybe"]}, r"classes of the first call, \['no', 'yes'\], got 'maybe'"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.partial_fit(X[:1], options.pop("y", ["no"]), **options)
    assert model.coef_ is not before and np.array_equal(model.coef_, before)
    assert model.fit(X[some], Y["classes"][some], task=TASK[some]).tasks_.tolist() == [0, 1, 2, 4]


@pytest.mark.parametrize(
    "parameters, given, message",
    [
        ({"coupling": cm.RowNorm(1.0)}, {}, "coupling must be a coupling of the tasks, tr"),
        ({"coupling": np.eye(T)}, {}, r"of an array M it is TaskCoupling\(M\)"),
        ({"coupling": GraphLaplacian([(0, 1)])}, {}, "coupling must be positive definite, got GraphLaplacian"),
        ({"relations": "learned"}, {}, "relations"),
        ({"relation_rate": 0.0}, {}, "relation_rate"),
        ({}, {"classes": ["a", "b", "c"]}, "classes must be two labels"),
        ({}, {"tasks": [0, 1]}, "task 2 was not there"),
        ({}, {"y": np.resize(["a", "b", "c"], N)}, "Only binary classification"),
        ({}, {"y": np.resize(["a"], N)}, "y has only 1 class, 'a'"),
        ({}, {"y": np.where(TASK == 1, TASK, TASK + 7 * (X[:, 0] > 0))}, "the same two classes in all tasks"),
    ],
)
def test_bad_input(parameters, given, message):
    model = OnlineMultiTaskClassifier(**parameters)
    with pytest.raises(ValueError, match=message):
        model.partial_fit(X, given.pop("y", Y["classes"]), task=TASK, **given)
    assert not hasattr(model, "coef_") and not hasattr(model, "tasks_")
    with pytest.raises(TypeError, match="learns from one sample at a time"):
        cm.certify(OnlineMultiTaskClassifier().fit(X, Y["classes"], task=TASK), X, Y["classes"], task=TASK)


@pytest.mark.parametrize("coupling", [None, ClusterCoupling(np.arange(100_000) % 7, 0.1, 0.1, 1e4)])
def test_a_hundred_thousand_tasks(coupling):
    """No loop over the tasks, and no array of all their pairs, with a mean or clusters."""
    many, n, calls = 100_000, 200_000, []
    rng = np.random.default_rng(0)
    x, task = rng.normal(size=(n, 5)), np.arange(n) % many
    model = OnlineMultiTaskRegressor(coupling)
    before = sys.getprofile()
    sys.setprofile(lambda frame, event, argument: calls.append(event))
    try:
        model.partial_fit(x, x @ np.ones(5), task=task)
    finally:
        sys.setprofile(before)
    assert len(calls) < 20_000
    assert model.squared_errors_[-many:].mean() < 0.05 * model.squared_errors_[:50].mean()


@cases.few_checks
@cases.checks_of_scikit_learn([OnlineMultiTaskClassifier(), OnlineMultiTaskRegressor()])
def test_sklearn_compatible_estimator(estimator, check):
    if check.func.__name__.startswith("check_sample_weight_equivalence"):
        pytest.skip("the samples of the check are in two orders, and rounds are not the same in another order")
    check(estimator)
