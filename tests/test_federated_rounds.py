"""Losses that are not squared, of parties that do not share rows: the fit to all rows, certified in every round."""

import cases
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from test_federated import party_of, shared_out, some

import convexmtl as cm
from convexmtl.federated import Coordinator, LocalTransport, Party
from convexmtl.federated._messages import packed, unpacked

ROUNDS = ["logistic", "squared_hinge", "huber", "poisson", "gamma"]
# Each of what penalties ask of dual variables: nothing, a norm, signs, a null space, constraints, several on one W.
ASKS = [
    "mean",
    "l2",
    "trace",
    "dirty_inf",
    "l1_positive",
    "graph",
    "bounds+total",
    "l2_free_features+trace",
    "tensor+l1",
]


def in_rounds(estimator, data, n_parties=3, who=None, **options):
    """(model, Coordinator)"""
    n = data[0].shape[0]
    who = np.random.default_rng(1).integers(n_parties, size=n) if who is None else who
    parties = [party_of(some(data, who == p), name=f"party {p}", min_group=1, **options) for p in range(n_parties)]
    coordinator = Coordinator(estimator)
    while not coordinator.done:
        coordinator.receive(LocalTransport(parties)(coordinator.request()))
    return coordinator.model, coordinator


def kind_of(loss):
    return "Classifier" if cases.LOSSES[loss].loss.classification else "Regressor"


def assert_fitted_alike(coordinator, estimator, data, rtol=1e-9):
    """The same as by all rows, with a lower bound in every round that is none above the optimum."""
    X, y, options = data
    model, alone = coordinator.model, clone(estimator).fit(X, y, **options)
    assert_allclose(model.objective_, alone.objective_, rtol=rtol)
    assert_allclose(model.coef_, alone.coef_, atol=2e-3 * max(np.abs(alone.coef_).max(), 1))
    assert_allclose(model.intercept_, alone.intercept_, atol=2e-3 * max(np.abs(alone.intercept_).max(), 1))
    assert_array_equal(model.tasks_, alone.tasks_)
    own, theirs = vars(model._summary), vars(alone._summary)
    assert model.dual_gap_ <= own["threshold"]
    for name in ("threshold", "trivial", "gain", "sizes", "factor"):
        if theirs[name] is not None:
            assert_allclose(own[name], theirs[name], rtol=2e-3)
    assert own["minimised"] == theirs["minimised"]
    assert own["parameters"] == theirs["parameters"]
    certified = [record for record in coordinator.history_ if "gap" in record]
    lowest = min(record["objective"] for record in certified) - 1e-12
    assert all(record["objective"] - record["gap"] <= alone.objective_ + 1e-9 for record in certified)
    assert model.objective_ >= lowest
    # From the coefficients alone, on the rows, about as much is certified.
    assert cm.certify(model, X, y, **options).gap <= max(50 * own["threshold"], 1e-4 * own["gain"])


@pytest.mark.parametrize("form", ["shared", "missing", "stacked", "single"])
@pytest.mark.parametrize("loss", ROUNDS)
def test_rounds_lead_to_the_fit_to_all_rows(loss, form):
    data = cases.user_input(loss, form)
    estimator = getattr(cm, f"BlockSparse{kind_of(loss)}")(0.03, loss=cases.LOSSES[loss].loss, tol=1e-7)
    model, coordinator = in_rounds(estimator, data)
    assert_fitted_alike(coordinator, estimator, data)
    assert len(coordinator.history_) <= (20 if loss == "huber" else 10)
    X, y, options = data
    at = {"task": options["task"]} if "task" in options else {}
    assert model.predict(X, **at).shape == y.shape


@pytest.mark.parametrize("penalty", ASKS)
@pytest.mark.parametrize("loss", ["logistic", "huber", "poisson"])
@pytest.mark.covering(1)
def test_rounds_certify_whatever_a_penalty_asks_for(penalty, loss):
    X, y, _ = cases.user_input(loss, "shared")
    kind = getattr(cm, f"MultiTask{kind_of(loss)}")
    estimator = kind(cases.PENALTIES[penalty].build(6, 4), loss=cases.LOSSES[loss].loss, tol=1e-6)
    _, coordinator = in_rounds(estimator, (X / X.std(axis=0), y, {}))
    assert_fitted_alike(coordinator, estimator, (X / X.std(axis=0), y, {}), rtol=3e-6)


def test_rounds_of_more_features_than_rows_without_intercepts_and_by_size():
    rng = np.random.default_rng(0)
    X, task = rng.standard_normal((60, 80)) * (rng.random((60, 80)) < 0.5), np.repeat(["a", "b", "c"], (30, 20, 10))
    y = np.where(X[:, 0] + X[:, 1] + rng.standard_normal(60) > 0, 3, 1)
    for options in ({}, {"fit_intercept": False, "task_weight": "size"}):
        estimator = cm.BlockSparseClassifier(0.03, tol=1e-7, **options)
        model, coordinator = in_rounds(estimator, (X, y, {"task": task}), n_parties=2)
        assert_fitted_alike(coordinator, estimator, (X, y, {"task": task}))
        assert model.classes_.tolist() == [1, 3]
        sparse, _ = in_rounds(estimator, (csr_array(X), y, {"task": task}), n_parties=2)
        assert_allclose(sparse.coef_, model.coef_, atol=1e-6)


def test_rounds_of_parties_with_tasks_or_classes_of_their_own_and_with_offsets():
    rng = np.random.default_rng(0)
    X, task, offset = rng.standard_normal((120, 5)), np.repeat([0, 1, 2], 40), rng.normal(size=120)
    y = rng.poisson(np.exp(X[:, 0] / 2 + offset)).astype(float)
    estimator = cm.TraceNormRegressor(0.02, loss="poisson", tol=1e-7)
    data = X, y, {"task": task, "offset": offset}
    _, coordinator = in_rounds(estimator, data, who=task)
    assert_fitted_alike(coordinator, estimator, data)
    # A party may see one class only.
    data = X, np.where(y > 1, "many", "few"), {"task": task}
    estimator = cm.MeanRegularizedClassifier(tol=1e-8)
    _, coordinator = in_rounds(estimator, data, who=(y > 1) * 2 + (X[:, 1] > 0), n_parties=4)
    assert_fitted_alike(coordinator, estimator, data)


def test_a_task_that_says_nothing_has_the_same_intercept():
    rng = np.random.default_rng(0)
    X, task = rng.standard_normal((90, 4)), np.repeat([0, 1, 2], 30)
    data = X, np.where((task == 1) | (X[:, 0] + rng.standard_normal(90) > 0), 1, 0), {"task": task}
    estimator = cm.BlockSparseClassifier(0.03, tol=1e-7)
    with pytest.warns(UserWarning, match="1 task.* a single class"):
        _, coordinator = in_rounds(estimator, data)
    with pytest.warns(UserWarning, match="1 task.* a single class"):
        assert_fitted_alike(coordinator, estimator, data)
    counts = np.where(task == 1, 0.0, rng.poisson(1.0, 90))
    offset = np.ones(90)
    with pytest.warns(UserWarning), pytest.raises(ValueError, match="tasks 1 have no target above zero, and offsets"):
        in_rounds(cm.BlockSparseRegressor(loss="poisson"), (X, counts, {"task": task, "offset": offset}))


def test_rounds_that_run_out_say_so():
    data = cases.user_input("logistic", "stacked")
    parties, _ = shared_out(data)
    coordinator = Coordinator(cm.BlockSparseClassifier(0.03, tol=1e-10), max_rounds=4)
    with pytest.warns(ConvergenceWarning, match="increase max_rounds.*Duality gap .*, wanted"):
        for _ in range(4):
            coordinator.receive(LocalTransport(parties)(coordinator.request()))
    assert coordinator.done and coordinator.model.coef_.any()
    gap = coordinator.model.dual_gap_
    assert gap == coordinator.history_[-1]["gap"]
    assert [record["ask"] for record in coordinator.history_] == ["description", *["evaluation"] * 3]


def test_what_parties_refuse_in_rounds():
    X, y, options = cases.user_input("logistic", "stacked")
    request = Coordinator(cm.BlockSparseClassifier()).request()
    with pytest.raises(
        ValueError, match=r"north tells nothing of 1 task .*min_group=11 rows here: 'west' .10 at least"
    ):
        Party(X, y, options["task"], name="north", min_group=11).answer(request)
    party = Party(X, y, options["task"], name="north", max_rounds=1)
    answer = party.answer(request)
    assert party.answer(request) == answer
    other = Coordinator(cm.BlockSparseClassifier())
    with pytest.raises(RuntimeError, match="north has answered max_rounds=1 times"):
        party.answer(other.request())
    with pytest.raises(ValueError, match="asks for 'rows', which this version does not know"):
        party.answer(packed("request", {}, ask="rows", id="x"))
    arrays = dict(tasks=np.array(["here"]), W=np.zeros((6, 1)), b=np.zeros(1), zero_b=np.zeros(1))
    words = dict(ask="evaluation", id="x", loss={"class": "Logistic", "parameters": {}})
    with pytest.raises(ValueError, match="the request knows nothing of task 'east'"):
        Party(X, y, options["task"]).answer(packed("request", arrays, **words))
    strange = {"class": "BlockSparseRegressor", "parameters": {}}
    with pytest.raises(ValueError, match="asks for a BlockSparseRegressor, where a loss is expected"):
        Party(X, y).answer(packed("request", {}, ask="description", id="x", loss=strange))
    with pytest.raises(ValueError, match="needs targets y >= 0"):
        Party(X, -np.ones(len(X))).answer(Coordinator(cm.BlockSparseRegressor(loss="poisson")).request())


def test_parties_that_do_not_go_together_in_rounds_are_named():
    X, y, options = cases.user_input("logistic", "stacked")
    task = options["task"]

    def begin(*others):
        coordinator = Coordinator(cm.BlockSparseClassifier())
        parties = [Party(X, y, task, name="north"), *others]
        coordinator.receive(LocalTransport(parties)(coordinator.request()))
        return coordinator

    with pytest.raises(ValueError, match="south has features: 5, and north 6"):
        begin(Party(X[:, :5], y, task, name="south"))
    with pytest.raises(ValueError, match="south is laid out as 'single', and north 'stacked'"):
        begin(Party(X, y, name="south"))
    coordinator = begin()
    answers = LocalTransport([Party(X, y, task, name="south")])(coordinator.request())
    with pytest.raises(ValueError, match="there is none of north"):
        coordinator.receive(answers)
    _, said, arrays = unpacked(Party(X, y, task, name="north").answer(coordinator.request()), "evaluation")
    del arrays["slope"]
    with pytest.raises(ValueError, match="party 'north': the message has no array 'slope'"):
        coordinator.receive([packed("evaluation", arrays, **said)])
