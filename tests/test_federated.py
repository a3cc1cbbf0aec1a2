"""Parties that do not share rows: the fit to what they tell is that to all rows; messages, bounds and noise."""

import json
from zlib import crc32

import cases
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import PredefinedSplit
from test_statistics import FAMILIES, FORMS, draw, some

import convexmtl as cm
from convexmtl import federated
from convexmtl.federated import Coordinator, DaskTransport, LocalTransport, Party, Privacy
from convexmtl.federated._messages import FIXED, MAGIC, packed, unpacked


def shared_out(data, n_parties=3, by_task=False, **options):
    """(parties with the rows of data, who has which); tasks in common, or whole ones each."""
    X, _, own = data
    if by_task:
        who = np.unique(own["task"], return_inverse=True)[1] % n_parties
    else:
        who = np.random.default_rng(1).integers(n_parties, size=len(X))
    options = {"min_group": 1, **options}
    return [party_of(some(data, who == p), name=f"party {p}", **options) for p in range(n_parties)], who


def party_of(data, **options):
    X, y, own = data
    return Party(X, y, **own, **options)


# ------------------------------------------------------------------------------------- the same models


@pytest.mark.parametrize("form", [*FORMS, "disjoint"])
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.covering(1)
def test_fit_is_that_to_all_rows(family, form):
    data = draw("stacked" if form == "disjoint" else form, far=30.0)
    X, y, options = data
    parties, _ = shared_out(data, by_task=form == "disjoint")
    if form == "single" and family == "known_clusters":
        pytest.skip("It has the clusters of four tasks.")
    estimator = clone(FAMILIES[family]).set_params(tol=1e-9)
    model = federated.fit(estimator, LocalTransport(parties))
    alone = estimator.fit(X, y, **options)
    assert_allclose(model.objective_, alone.objective_, rtol=1e-8)
    assert_allclose(model.coef_, alone.coef_, atol=1e-6 * np.abs(alone.coef_).max())
    assert_allclose(model.intercept_, alone.intercept_, rtol=1e-6)
    assert_array_equal(model.tasks_, alone.tasks_)
    # It is an ordinary one, certified on the rows themselves.
    certificate = cm.certify(model, X, y, **options)
    assert certificate.gap <= 1e-6 * certificate.primal
    at = {"task": options["task"]} if "task" in options else {}
    assert_allclose(model.predict(X, **at), alone.predict(X, **at), rtol=1e-6)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("selection", ["best", "1se"])
@pytest.mark.covering(1)
def test_search_is_that_by_the_folds_of_the_parties(form, selection):
    data = draw(form)
    X, y, options = data
    parties, who = shared_out(data)
    fold = np.empty(len(X), dtype=int)
    for p, party in enumerate(parties):
        fold[who == p] = party.folds(3)
    search = cm.BlockSparseRegressorCV(alphas=8, cv=3, tol=1e-8, selection=selection)
    model = federated.fit(search, LocalTransport(parties))
    assert model.cv == 3
    alone = search.set_params(cv=PredefinedSplit(fold)).fit(X, y, **options)
    assert_allclose(model.mse_path_, alone.mse_path_, rtol=1e-5)
    assert_allclose(model.alpha_, alone.alpha_, rtol=1e-9)
    assert_allclose(model.coef_, alone.coef_, atol=1e-6)
    assert model._layout == alone._layout


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("selection", ["aic", "bic", "ebic"])
@pytest.mark.covering(1)
def test_search_by_a_criterion_counts_the_rows_of_all(form, selection):
    data = draw(form)
    X, y, options = data
    parties, _ = shared_out(data)
    search = cm.BlockSparseRegressorCV(alphas=8, tol=1e-8, selection=selection)
    model = federated.fit(search, LocalTransport(parties))
    alone = search.fit(X, y, **options)
    # (At the first strength, rounding says whether a coefficient is zero.)
    assert_allclose(model.criterion_path_[1:], alone.criterion_path_[1:], rtol=1e-6)
    assert_allclose(model.coef_, alone.coef_, atol=1e-6)


def test_one_party_searches_as_its_own_rows_do():
    X, y, options = draw("stacked")
    search = cm.MeanRegularizedRegressorCV(alphas=5, cv=3, tol=1e-8)
    model = federated.fit(search, [Party(X, y, **options, min_group=1).statistics(3)])
    assert_allclose(model.mse_path_, search.fit(X, y, **options).mse_path_, rtol=1e-6)


def test_names_sparse_rows_and_offsets():
    X, Y, _ = draw("shared")
    frame, targets = pd.DataFrame(X, columns=[*"abcdef"]), pd.DataFrame(Y, columns=["u", "v", "w", "x"])
    offset = np.linspace(0, 3, len(X))
    parties = [
        Party(frame[:20], targets[:20], offset=offset[:20]),
        Party(frame[20:], targets[20:], offset=offset[20:]),
    ]
    model = federated.fit(cm.BlockSparseRegressor(0.1, tol=1e-9), LocalTransport(parties))
    alone = cm.BlockSparseRegressor(0.1, tol=1e-9).fit(frame, targets, offset=offset)
    assert_allclose(model.coef_, alone.coef_, atol=1e-7)
    assert_array_equal(model.feature_names_in_, alone.feature_names_in_)
    assert_array_equal(model.tasks_, alone.tasks_)
    sparse = [Party(csr_array(X[:20]), Y[:20]), Party(csr_array(X[20:]), Y[20:])]
    model = federated.fit(cm.BlockSparseRegressor(0.1, tol=1e-9), LocalTransport(sparse))
    assert_allclose(model.coef_, cm.BlockSparseRegressor(0.1, tol=1e-9).fit(X, Y).coef_, atol=1e-7)


def test_dask_keeps_rows_where_they_are():
    distributed = pytest.importorskip("distributed")
    X, y, options = draw("stacked")
    parts = [(X[rows], y[rows], options["task"][rows]) for rows in np.split(np.arange(len(X)), 2)]
    with distributed.Client(processes=False, n_workers=1, threads_per_worker=2, dashboard_address=":0") as client:
        scattered = [tuple(client.scatter(list(part))) for part in parts]
        transport = DaskTransport(client, scattered, [{"min_group": 1}] * 2)
        model = federated.fit(cm.MeanRegularizedRegressor(tol=1e-8), transport)
        assert repr(transport) == "DaskTransport(2 parties)"
        with pytest.raises(ValueError, match="one dict for each of the 2"):
            DaskTransport(client, scattered, [{}])
    alone = cm.MeanRegularizedRegressor(tol=1e-8).fit(X, y, task=options["task"])
    assert_allclose(model.coef_, alone.coef_, atol=1e-6)


# ------------------------------------------------------------------------------------------ messages


def message():
    return Party(*draw("shared")[:2], name="north").statistics()


def changed(data, change):
    """A message with another head, and the checksum that goes with it."""
    start = len(MAGIC) + FIXED.size
    length, _ = FIXED.unpack(data[len(MAGIC) : start])
    head, body = json.loads(data[start : start + length]), data[start + length :]
    body = change(head, body) or body
    rest = json.dumps(head).encode() + body
    return MAGIC + FIXED.pack(len(rest) - len(body), crc32(rest)) + rest


def test_messages_come_back_as_they_were():
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.array(["é", "ab"]), "c": np.array(3), "d": np.zeros((0, 2))}
    arrays |= {"e": np.array(["x", "y"], dtype=object), "f": np.array([True, False]), "g": np.float32([1.5])}
    kind, words, found = unpacked(packed("request", arrays, id="é", many=[1, None]), "request")
    assert (kind, words) == ("request", {"id": "é", "many": [1, None]})
    for name, array in arrays.items():
        assert_array_equal(found[name], array)
        assert found[name].flags.writeable
    with pytest.raises(ValueError, match="must be numbers, strings or dates"):
        packed("request", {"a": np.array([(1, 2), None], dtype=object)})


BROKEN = {
    "pickle": (lambda m: b"\x80\x04K\x01.", "no message of convexmtl"),
    "empty": (lambda m: b"", "no message of convexmtl"),
    "cut off": (lambda m: m[:-8], "damaged or cut off"),
    "flipped": (lambda m: m[:-1] + bytes([m[-1] ^ 1]), "damaged or cut off"),
    "no head": (lambda m: MAGIC + FIXED.pack(3, crc32(b"abc")) + b"abc", "head of the message"),
    "newer": (lambda m: changed(m, lambda head, body: head.update(format=2)), "has format 2, of convexmtl"),
    "huge": (lambda m: changed(m, lambda head, body: head["arrays"][1].__setitem__(2, [10**12])), "and ends before"),
    "longer": (lambda m: changed(m, lambda head, body: body + b"12345678"), "8 bytes more"),
    "objects": (lambda m: changed(m, lambda head, body: head["arrays"][1].__setitem__(1, "|O")), "of type object"),
    "types": (lambda m: changed(m, lambda head, body: head["arrays"][1].__setitem__(1, "?!")), "cannot be read"),
    "negative": (lambda m: changed(m, lambda head, body: head["arrays"][1].__setitem__(2, [-1])), "which none has"),
    "request": (lambda m: Coordinator(cm.BlockSparseRegressor()).request(), "is a 'request', where"),
    "folds": (lambda m: changed(m, lambda head, body: head["words"].update(folds=0)), "has 0 folds"),
    "more folds": (lambda m: changed(m, lambda head, body: head["words"].update(folds=2)), "of tasks for fold 1"),
    "words": (lambda m: changed(m, lambda head, body: head["words"].__delitem__("layout")), "no word 'layout'"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_wrong_with_a_message_is_said(kind):
    spoil, words = BROKEN[kind]
    coordinator = Coordinator(cm.BlockSparseRegressor())
    with pytest.raises(ValueError, match=words):
        coordinator.receive([spoil(message())])
    # And nothing has happened.
    assert coordinator.receive([message()]).done


SPOILT = {
    "nan": ("cross", lambda a: a * np.nan, "holds nan"),
    "shape": ("mean_y", lambda a: a[:2], r"must have shape \(4\), got \(2,\)"),
    "type": ("square", lambda a: a.astype(str), "must be of type 'f'"),
    "not symmetric": ("gram", lambda a: a + np.triu(np.ones(a.shape)), "not symmetric"),
    "indefinite": ("gram", lambda a: -a, "no Gram matrix"),
    "contradiction": ("cross", lambda a: 100 * a, "contradicts gram and square"),
    "weight": ("weight", lambda a: -a, "below zero"),
    "matrices": ("gram", lambda a: np.repeat(a, 2, axis=0), "2 Gram matrices for the 4 tasks"),
}


@pytest.mark.parametrize("kind", SPOILT)
def test_statistics_that_no_rows_have_are_refused(kind):
    name, spoil, words = SPOILT[kind]
    _, said, arrays = unpacked(message(), "statistics")
    arrays[f"0.{name}"] = spoil(arrays[f"0.{name}"])
    with pytest.raises(ValueError, match=f"party 'north': .*{words}"):
        federated.fit(cm.BlockSparseRegressor(), [packed("statistics", arrays, **said)])


# ------------------------------------------------------------------------------- the coordinator's rounds


def test_coordinator_in_rounds():
    parties, _ = shared_out(draw("shared"))
    coordinator = Coordinator(cm.BlockSparseRegressor(0.1))
    assert repr(coordinator) == "Coordinator(BlockSparseRegressor, not done after 0 rounds)"
    with pytest.raises(NotFittedError, match="receive the answers"):
        coordinator.model  # noqa: B018
    request = coordinator.request()
    assert request == coordinator.request()
    answers = [party.answer(request) for party in parties]
    assert answers[0] == parties[0].answer(request)
    with pytest.raises(ValueError, match="several answers of party 0"):
        coordinator.receive([*answers, answers[0]])
    with pytest.raises(TypeError, match="must be a list"):
        coordinator.receive(answers[0])
    with pytest.raises(ValueError, match="answers is empty"):
        coordinator.receive([])
    other = Coordinator(cm.BlockSparseRegressor(0.1))
    with pytest.raises(ValueError, match="party 0 answers request"):
        other.receive(answers)
    assert coordinator.receive(answers[::-1]) is coordinator
    assert coordinator.done
    (record,) = coordinator.history_
    assert record["parties"] == 3
    assert record["bytes_up"] == sum(map(len, answers))
    assert record["bytes_down"] == 3 * len(request)
    with pytest.raises(RuntimeError, match="nothing more to ask"):
        coordinator.request()
    with pytest.raises(RuntimeError, match="the fit is done"):
        coordinator.receive(answers)


def test_parties_that_do_not_go_together_are_named():
    X, Y, _ = draw("shared")
    north = Party(X, Y, name="north").statistics()

    def fit(*others):
        return federated.fit(cm.BlockSparseRegressor(), [north, *(other.statistics() for other in others)])

    with pytest.raises(ValueError, match=r"south does not go together with north: .* same features, got 6 and 5"):
        fit(Party(X, Y, name="east"), Party(X[:, :5], Y, name="south"))
    with pytest.raises(ValueError, match=r"south has y of shape \(n,\) and north y of shape \(n, T\)"):
        fit(Party(X, Y[:, 0], name="south"))
    with pytest.raises(ValueError, match="south has 3 columns of targets and north 4"):
        fit(Party(X, Y[:, :3], name="south"))
    with pytest.raises(ValueError, match="south and north do not send sums of the same"):
        fit(Party(X, Y, name="south", privacy=Privacy(1.0, 1e-5, bound_X=100, bound_y=100)))
    with pytest.raises(ValueError, match="south has told of 2 folds, and 1 are needed"):
        federated.fit(cm.BlockSparseRegressor(), [north, Party(X, Y, name="south").statistics(2)])


REFUSED = {
    "no estimator": ("model", TypeError, "must be one of convexmtl, got str"),
    "search": (cm.BlockSparseRegressorCV(loss="absolute"), TypeError, "cannot fit 'absolute' in rounds"),
    "mixed": (cm.MultiTaskMixed(cm.RowNorm(), losses={0: "squared"}), TypeError, "it needs rows"),
    "relaxed": (cm.BlockSparseClassifier(refit="relaxed"), TypeError, "refit='relaxed' needs the rows"),
    "kernel": (cm.MultiTaskKernelRidge(), TypeError, "it needs rows"),
    "kinks": (cm.BlockSparseRegressor(loss="absolute"), TypeError, "cannot fit 'absolute' in rounds"),
    "task_column": (cm.BlockSparseRegressor(task_column=0), ValueError, "task_column=0 is a column of X"),
    "splitter": (cm.BlockSparseRegressorCV(cv=PredefinedSplit([0, 1])), ValueError, "cv must be a number of folds"),
    "strength": (cm.BlockSparseRegressor(tol=-1.0), ValueError, "'tol' parameter"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_fitted_to_sums_is_refused_before_anything_is_asked(case):
    estimator, error, words = REFUSED[case]
    with pytest.raises(error, match=words):
        Coordinator(estimator)


def test_tasks_of_few_rows_are_not_told():
    X, y, options = draw("stacked")
    party = Party(X, y, options["task"], name="north", min_group=10)
    sizes = {label: int(np.sum(options["task"] == label)) for label in cases.TASK_NAMES[:4]}
    small = str(min(sizes, key=sizes.get))
    words = f"north tells nothing of 1 task with fewer than min_group=10 rows here: {small!r} .9 at least"
    with pytest.raises(ValueError, match=words):
        party.statistics()
    kept = options["task"] != small
    party = Party(X[kept], y[kept], options["task"][kept], name="north", min_group=10)
    with pytest.raises(ValueError, match="rows in fold 0 of 2 here"):
        party.statistics(2)
    assert Party(X[kept], y[kept], options["task"][kept], min_group=10).statistics()
    # A row without weight is none, and a target that is missing neither.
    weight = (np.arange(48) < 9).astype(float)
    with pytest.raises(ValueError, match="min_group=10"):
        Party(X, y, sample_weight=weight).statistics()
    with pytest.raises(ValueError, match="min_group must be an integer"):
        Party(X, y, min_group=0)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"y": np.zeros(5)}, ValueError, "got 48 rows of X and 5 of y"),
        ({"y": None}, ValueError, "requires y to be passed"),
        ({"task": ["a"]}, ValueError, r"task must have shape \(48,\)"),
        ({"X": np.full((48, 2), np.nan)}, ValueError, "Input X contains NaN"),
        ({"privacy": 1.0}, TypeError, "privacy must be a Privacy or None, got 1.0"),
        ({"max_rounds": 0}, ValueError, "max_rounds must be an integer"),
    ],
)
def test_a_party_refuses_what_makes_no_sense_before_anything_is_asked(change, error, words):
    with pytest.raises(error, match=words):
        Party(**{"X": np.ones((48, 2)), "y": np.ones(48), **change})


def test_parties_that_are_no_messages_are_told_the_way():
    party = Party(np.eye(3), np.arange(3.0), ["a"] * 3)
    with pytest.raises(TypeError, match=r"got Party.*LocalTransport\(parties\)"):
        federated.fit(cm.MeanRegularizedRegressor(), [party])


def test_differences_between_divisions_are_not_told():
    X, Y, _ = draw("shared")
    party = Party(X, Y, name="north")
    first = party.statistics(3)
    assert party.statistics(3) == first
    with pytest.raises(RuntimeError, match="north has told of 3 folds, and is asked for 1"):
        party.statistics()
    assert repr(party) == "Party('north', 48 rows, 6 features)"
    assert party.spent == 0.0
