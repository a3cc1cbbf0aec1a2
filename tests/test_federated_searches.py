"""Searches for losses that are not squared, of parties that do not share rows: those of ``fit`` on their folds."""

import cases
import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.model_selection import PredefinedSplit
from test_distributed_searches import twin
from test_federated import shared_out

import convexmtl as cm
from convexmtl.federated import Coordinator, LocalTransport, Party, Privacy
from convexmtl.federated._messages import packed, unpacked


def search_of(estimator, data, **options):
    """(Coordinator that is done, the same search of all rows on the folds of the parties)."""
    X, y, own = data
    parties, who = shared_out(data, **options)
    coordinator = Coordinator(estimator)
    while not coordinator.done:
        coordinator.receive(LocalTransport(parties)(coordinator.request()))
    fold, stratified = np.empty(len(X), dtype=int), estimator._checked_loss().classification
    for p, party in enumerate(parties):
        fold[who == p] = party.folds(3, stratified=stratified)
    return coordinator, clone(estimator).set_params(cv=PredefinedSplit(fold)).fit(X, y, **own)


def assert_found_alike(coordinator, whole, data):
    model, (X, y, own) = coordinator.model, data
    assert_allclose(model.alphas_, whole.alphas_, rtol=1e-6)
    assert_allclose(model.mse_path_, whole.mse_path_, rtol=1e-3)
    assert_allclose(model.task_errors_, whole.task_errors_, rtol=1e-3)
    scale = cases.scale_of(whole._formulate(X, y, **own).problem)
    assert abs(model.objective_ - whole.objective_) <= 3e-6 * scale
    assert cm.certify(model, X, y, **own).gap <= 1e-4 * scale
    assert coordinator.history_[-1]["gap"] == model.dual_gap_


@pytest.mark.covering(1)
@pytest.mark.parametrize("form", cases.INPUT_FORMS)
@pytest.mark.parametrize("loss", ["logistic", "huber", "poisson"])
@pytest.mark.parametrize("family", ["BlockSparse", "MeanRegularized", "TraceNorm"])
def test_search_is_that_by_the_folds_of_the_parties(family, loss, form):
    data = cases.user_input(loss, form)
    coordinator, whole = search_of(twin(family, loss), data)
    assert_found_alike(coordinator, whole, data)
    assert {record["ask"] for record in coordinator.history_} == {"description", "evaluations"}


def test_rounds_do_not_grow_with_strengths():
    data = cases.user_input("logistic", "stacked")
    few, _ = search_of(twin("BlockSparse", "logistic", alphas=3, tol=1e-4), data)
    many, whole = search_of(twin("BlockSparse", "logistic", alphas=15, tol=1e-4), data)
    assert len(many.history_) <= 2 * len(few.history_) <= 60
    assert_allclose(many.model.mse_path_, whole.mse_path_, rtol=1e-2)


def test_searches_over_more_than_two_classes_and_with_offsets():
    rng = np.random.default_rng(0)
    X, task = rng.normal(size=(90, 3)), np.array(["a", "b"])[rng.integers(0, 2, 90)]
    y = np.array(["low", "mid", "high"])[np.digitize(X[:, 0] + rng.normal(size=90), [-0.5, 0.5])]
    data = X, y, {"task": task}
    assert_found_alike(*search_of(twin("BlockSparse", "logistic"), data), data)
    own = {"task": task, "offset": rng.normal(size=90)}
    data = X, rng.poisson(np.exp(0.5 * X[:, 0] + 0.3)).astype(float), own
    assert_found_alike(*search_of(twin("BlockSparse", "poisson", task_weight="size", selection="1se"), data), data)


@pytest.mark.parametrize("loss, selection", [("logistic", "bic"), ("poisson", "aic")])
def test_searches_by_criterion(loss, selection):
    data = cases.user_input(loss, "stacked")
    coordinator, whole = search_of(twin("BlockSparse", loss, selection=selection), data)
    assert_allclose(coordinator.model.criterion_path_, whole.criterion_path_, rtol=1e-3)
    assert coordinator.model.alpha_ == pytest.approx(whole.alpha_)


def test_searches_that_are_refused():
    X, y, own = data = cases.user_input("logistic", "stacked")
    search = twin("BlockSparse", "logistic")
    with pytest.raises(RuntimeError, match="the search is not done after max_rounds=4"):
        parties, coordinator = shared_out(data)[0], Coordinator(search, max_rounds=4)
        for _ in range(4):
            coordinator.receive(LocalTransport(parties)(coordinator.request()))
    private = Party(X, y, own["task"], name="north", privacy=Privacy(1.0, 1e-5, bound_X=100, bound_y=1), min_group=1)
    with pytest.raises(ValueError, match="north adds noise to what it tells, and a search in rounds asks far more"):
        private.answer(Coordinator(search).request())
    by_criterion = Coordinator(twin("BlockSparse", "logistic", selection="bic"))
    with pytest.raises(ValueError, match="north adds noise to what it tells"):
        by_criterion.receive([private.answer(by_criterion.request())])
    assert private.spent == 0
    # Sums over few rows are not told, neither by a fold nor by the difference of two divisions.
    with pytest.raises(ValueError, match=r"north tells nothing of .* rows in fold 0 of 3 here.* Ask for fewer folds"):
        Party(X, y, own["task"], name="north").answer(Coordinator(search).request())
    party = Party(X, y, own["task"], name="north", min_group=1)
    party.answer(Coordinator(search).request())
    with pytest.raises(
        RuntimeError, match="has told of 3 folds within classes, and is asked for 4 folds within classes"
    ):
        party.answer(Coordinator(clone(search).set_params(cv=4)).request())
    party = Party(X, np.arange(len(X)) % 3, own["task"], name="north", min_group=1)
    party.statistics(3)
    assert party.answer(Coordinator(twin("BlockSparse", "poisson")).request())
    with pytest.raises(RuntimeError, match="has told of 3 folds, and is asked for 4 folds"):
        party.answer(Coordinator(twin("BlockSparse", "poisson", cv=4)).request())
    with pytest.raises(RuntimeError, match="has told of 3 folds, and is asked for 3 folds within classes"):
        party.answer(Coordinator(search).request())


def test_messages_of_searches_that_are_damaged_are_refused():
    X, y, own = cases.user_input("logistic", "stacked")
    party, coordinator = (
        Party(X, y, own["task"], name="north", min_group=1),
        Coordinator(twin("BlockSparse", "logistic")),
    )
    _, said, arrays = unpacked(party.answer(coordinator.request()), "description")
    arrays["1.tasks"] = np.array([f"{label}?" for label in arrays["1.tasks"]])
    with pytest.raises(ValueError, match="party 'north': the message has a fold with tasks that it does not have"):
        coordinator.receive([packed("description", arrays, **said)])
    coordinator.receive([party.answer(coordinator.request())])
    _, words, arrays = unpacked(coordinator.request(), "request")
    for change, message in (
        ({"asked": [{"what": "rows"}]}, "asks for 'rows', which this version does not know"),
        ({"asked": [{"what": "convexmtl-point", "fold": 3}]}, "asks for fold 3, which there is not"),
        ({"asked": 1}, "does not say what it asks"),
        ({"folds": 1}, "n_folds must be"),
    ):
        with pytest.raises(ValueError, match=message):
            party.answer(packed("request", arrays, **{**words, **change}))
    _, said, arrays = unpacked(party.answer(coordinator.request()), "evaluations")
    del arrays["0.slope"]
    with pytest.raises(ValueError, match="party 'north': the message has no array 'slope'"):
        coordinator.receive([packed("evaluations", arrays, **said)])
