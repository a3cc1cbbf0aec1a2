"""Differential privacy of what parties tell: the mechanism by its definition, sensitivities row by row, the account."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.integrate import quad
from scipy.stats import norm
from test_federated import shared_out
from test_statistics import FORMS, draw

import convexmtl as cm
from convexmtl import federated
from convexmtl.federated import Coordinator, LocalTransport, Party, Privacy, _noisy_rounds
from convexmtl.federated._messages import unpacked
from convexmtl.federated._sums import Sums
from convexmtl.federated.privacy import delta_of, epsilon_of, mu_of, normal
from convexmtl.losses import Huber, Logistic

PRIVACY = Privacy(3.0, 1e-5, bound_X=3.0, bound_y=4.0)


@pytest.mark.parametrize("epsilon", [0.05, 1.0, 6.0])
@pytest.mark.parametrize("mu", [0.1, 0.7, 3.0])
def test_delta_is_what_its_definition_says(epsilon, mu):
    """How much more than exp(epsilon) times as likely anything is by N(mu, 1) than by N(0, 1), at most."""

    def excess(x):
        return max(norm.pdf(x, mu) - np.exp(epsilon) * norm.pdf(x), 0.0)

    # (It is zero below the point where both are equal.)
    start = epsilon / mu + mu / 2
    expected = quad(excess, start, max(start, mu) + 40, epsabs=1e-14, points=[max(start, mu)])[0]
    assert_allclose(delta_of(epsilon, mu), expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("delta", [1e-9, 1e-5, 0.01])
@pytest.mark.parametrize("epsilon", [0.01, 0.3, 1.0, 10.0, 100.0])
def test_noise_is_just_as_much_as_it_takes(epsilon, delta):
    mu = mu_of(epsilon, delta)
    assert_allclose(delta_of(epsilon, mu), delta, rtol=1e-6)
    assert_allclose(epsilon_of(mu, delta), epsilon, rtol=1e-6)
    # Less than the classical mechanism takes, where that holds.
    if epsilon <= 1:
        assert 1 / mu < np.sqrt(2 * np.log(1.25 / delta)) / epsilon


@pytest.mark.parametrize("form", ["shared", "missing", "stacked", "single"])
def test_one_row_changes_the_sums_by_no_more_than_their_sensitivity(form):
    rng = np.random.default_rng(0)
    X, y, options = draw(form)
    weight = rng.random(48)
    codes = np.unique(options["task"], return_inverse=True)[1] if form == "stacked" else None
    labels = np.arange(1 if y.ndim == 1 and codes is None else 4)
    privacy = Privacy(1.0, 1e-5, bound_X=0.8, bound_y=1.5, center_X=0.1, scale_X=[0.5, 1, 2, 1, 1, 1], center_y=0.2)
    U, v, long_X, long_y = privacy._clipped(X, y)
    assert 0 < long_X <= 48 and 0 < long_y <= 48
    bound = np.sqrt(4 * 4 + 5) if form == "missing" else 3.0
    largest = 0.0
    for i in range(48):
        rest = np.arange(48) != i
        both = [
            Sums.of(labels, U[r], v[r], None if codes is None else codes[r], weight[r]) for r in (slice(None), rest)
        ]
        squares = 0.0
        for name in Sums._fields[2:]:
            moved = getattr(both[0], name) - getattr(both[1], name)
            # (Entries of u u' that are there twice count twice, with half the variance; so do those of u v.)
            squares += np.sum(moved**2) * (2 if name in ("sum_X", "sum_y", "cross") else 1)
        largest = max(largest, np.sqrt(squares))
    assert largest <= bound * (1 + 1e-9)
    assert largest > 0.2 * bound


def test_noise_has_the_deviation_that_is_accounted():
    X, Y, _ = draw("shared")
    labels = np.arange(4)
    sums = Sums.of(labels, X, Y, None, None)
    drawn = [sums.with_noise(2.0, seed) for seed in range(400)]
    for name, expected in dict(count=2.0, sum_X=2**0.5, sum_y=2**0.5, cross=2**0.5, square=2.0).items():
        moved = np.array([getattr(one, name) - getattr(sums, name) for one in drawn])
        assert_allclose(moved.std(), expected, rtol=0.1)
        assert abs(moved.mean()) < 0.3
    moved = np.array([one.gram - sums.gram for one in drawn])[:, 0]
    assert_array_equal(moved, moved.transpose(0, 2, 1))
    assert_allclose(moved[:, np.arange(6), np.arange(6)].std(), 2.0, rtol=0.1)
    assert_allclose(moved[:, 0, 1:].std(), 2**0.5, rtol=0.1)
    own = normal((50_000,))
    assert_allclose([own.std(), own.mean() + 1], 1.0, atol=0.02)
    assert len(np.unique(own)) == 50_000


@pytest.mark.parametrize("form", FORMS)
def test_little_noise_leaves_the_model_as_it_is(form):
    data = draw(form)
    X, y, options = data
    options["sample_weight"] = options["sample_weight"] / options["sample_weight"].max()
    privacy = Privacy(
        1e11, 0.5, bound_X=15.0, bound_y=20.0, center_X=[0, 0, 0, 0.5, 0, 0], scale_X=[1, 2, 1, 1, 1, 1], center_y=0.1
    )
    parties, _ = shared_out((X, y, options), privacy=privacy, random_state=0)
    model = federated.fit(cm.BlockSparseRegressor(0.1, tol=1e-8), LocalTransport(parties))
    alone = cm.BlockSparseRegressor(0.1, tol=1e-8).fit(X, y, **options)
    assert_allclose(model.coef_, alone.coef_, atol=0.05 * np.abs(alone.coef_).max())
    assert_allclose(model.intercept_, alone.intercept_, atol=0.05 * np.abs(y[~np.isnan(y)]).max())


def test_noise_that_hides_everything_still_makes_a_model():
    X, y, _ = draw("missing")
    privacy = Privacy(0.01, 1e-9, bound_X=1.0, bound_y=1.0)
    parties, _ = shared_out((X, y, {}), privacy=privacy, random_state=0)
    with pytest.warns(UserWarning, match="shortened"):
        messages = [party.statistics(2) for party in parties]
    model = federated.fit(cm.BlockSparseRegressorCV(cv=2, alphas=4), messages)
    assert np.isfinite(model.coef_).all()
    assert np.isfinite(model.dual_gap_)


def test_rows_beyond_their_bounds_are_reported():
    X, Y, _ = draw("shared")
    party = Party(X, Y, name="north", privacy=Privacy(1.0, 1e-5, bound_X=2.0, bound_y=3.0))
    long_X, long_y = int(np.sum(np.linalg.norm(X, axis=1) > 2)), int(np.sum(np.linalg.norm(Y, axis=1) > 3))
    assert party.n_clipped is None
    with pytest.warns(UserWarning, match=f"north: of 48 rows, {long_X} of X were longer .* and {long_y} of y"):
        party.statistics()
    assert party.n_clipped == (long_X, long_y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Party(X, Y, privacy=Privacy(1.0, 1e-5, bound_X=100.0, bound_y=100.0)).statistics()


def test_what_has_been_told_is_accounted():
    X, Y, _ = draw("shared")
    party = Party(X, Y, privacy=Privacy(2.0, 1e-5, bound_X=100.0, bound_y=100.0))
    assert party.spent == 0.0
    told = party.statistics(2)
    assert_allclose(party.spent, 2.0)
    # Told again it is the same, noise and all.
    assert party.statistics(2) == told
    assert_allclose(party.spent, 2.0)
    assert Party(X, Y, privacy=Privacy(2.0, 1e-5, bound_X=100.0, bound_y=100.0)).statistics(2) != told
    with pytest.raises(ValueError, match="a row must count 1 at most, got sample_weight up to 2"):
        Party(X, Y, sample_weight=np.full(48, 2.0), privacy=PRIVACY).statistics()
    with pytest.raises(ValueError, match=r"scale_X must be a number or have shape \(6,\)"):
        Party(X, Y, privacy=Privacy(1.0, 1e-5, bound_X=1.0, bound_y=1.0, scale_X=[1.0, 2.0])).statistics()


@pytest.mark.parametrize(
    ("name", "value"),
    [("epsilon", 0), ("delta", 1.0), ("bound_X", -1), ("bound_y", np.inf), ("scale_X", [1, 0]), ("center_X", np.nan)],
)
def test_privacy_refuses_what_is_no_bound(name, value):
    options = dict(epsilon=1.0, delta=1e-6, bound_X=1.0, bound_y=1.0)
    with pytest.raises(ValueError, match=name):
        Privacy(**options | {name: value})


def test_folds_with_privacy_do_not_depend_on_other_rows():
    X, Y, _ = draw("shared")
    party, fewer = (Party(X[r], Y[r], privacy=PRIVACY, random_state=3) for r in (slice(None), slice(40)))
    assert_array_equal(party.folds(4)[:40], fewer.folds(4))
    drawn = Party(X, Y, privacy=PRIVACY)
    assert_array_equal(drawn.folds(4), drawn.folds(4))
    with pytest.raises(ValueError, match="n_folds must be an integer"):
        drawn.folds(0)


# --------------------------------------------------------------------------------------- in rounds


def classes_of(form, seed=0):
    """(X, y, options) with two classes, without weights."""
    X, y, options = draw(form, seed=seed)
    return X, np.where(y > np.nanmedian(y), "b", "a"), {"task": options["task"]} if "task" in options else {}


@pytest.mark.parametrize("form", ["shared", "stacked"])
@pytest.mark.parametrize("loss", [Logistic(), Huber(delta=0.7)])
def test_one_row_changes_the_sums_of_a_round_by_no_more_than_their_sensitivity(loss, form):
    X, y, options = classes_of(form) if loss.classification else draw(form)
    options.pop("sample_weight", None)
    privacy = Privacy(1.0, 1e-5, bound_X=1.5, bound_y=1.0)
    rng = np.random.default_rng(0)
    W, b = 0.3 * rng.normal(size=(6, 4)), rng.normal(size=4)
    weight, T = rng.uniform(0.5, 1, 48), 4
    asked = dict(tasks=np.arange(T) if form == "shared" else np.unique(options["task"]))
    if loss.classification:
        asked |= dict(sizes=np.full(T, 2), classes=np.tile(["a", "b"], T), codes=np.tile([-1.0, 1.0], T))
        asked["columns"] = np.ones(T, dtype=int)
    largest, bound = 0.0, 3.0 * np.sqrt(4 if form == "shared" else 1)
    for i in range(0, 48, 3):
        found = []
        for rows in (np.arange(48), np.flatnonzero(np.arange(48) != i)):
            own = {name: value[rows] for name, value in options.items()}
            party = Party(X[rows], y[rows], **own, sample_weight=weight[rows], privacy=privacy)
            inside, longer = _noisy_rounds.rows_within_bounds(party, loss, asked)
            found.append(_noisy_rounds.sums_at(inside, loss, W, b))
        assert longer > 0
        squares = 0.0
        for name in Sums._fields[2:]:
            moved = getattr(found[0], name) - getattr(found[1], name)
            squares += np.sum(moved**2) * (2 if name in ("sum_X", "sum_y", "cross") else 1)
        largest = max(largest, np.sqrt(squares))
    assert 0.2 * bound < largest <= bound * (1 + 1e-9)


@pytest.mark.parametrize("form", ["shared", "missing", "stacked"])
@pytest.mark.parametrize("loss", ["logistic", "huber"])
def test_little_noise_leaves_the_fit_of_rounds_as_it_is(loss, form):
    if loss == "logistic":
        X, y, options = classes_of("stacked" if form == "missing" else form)
        kind = cm.MeanRegularizedClassifier
    else:
        X, y, options = draw(form)
        options = {"task": options["task"]} if "task" in options else {}
        kind = cm.MeanRegularizedRegressor
    privacy = Privacy(1e11, 0.5, bound_X=12.0, bound_y=1.0, center_X=0.2, scale_X=[1, 2, 1, 1, 1, 1], rounds=20)
    parties, _ = shared_out((X, y, options), privacy=privacy, random_state=0)
    estimator = kind(loss=loss, tol=1e-8)
    model = federated.fit(estimator, LocalTransport(parties))
    alone = estimator.fit(X, y, **options)
    assert_allclose(model.coef_, alone.coef_, atol=0.02 * np.abs(alone.coef_).max())
    assert_allclose(model.intercept_, alone.intercept_, atol=0.02 * max(1, np.abs(alone.intercept_).max()))
    assert "certified for the last model" in model._summary.notes[-1]


def test_rounds_are_accounted_and_end():
    X, y, options = classes_of("stacked")
    party = Party(X, y, options["task"], min_group=1, privacy=Privacy(2.0, 1e-5, bound_X=9.0, bound_y=1.0, rounds=2))
    coordinator = Coordinator(cm.MeanRegularizedClassifier())
    answer = party.answer(coordinator.request())
    # Labels of tasks and classes are told, and no count of anything.
    assert set(unpacked(answer, "description")[2]) == {"tasks", "classes"}
    assert party.spent == 0.0
    coordinator.receive([answer])
    answer = party.answer(coordinator.request())
    assert answer == party.answer(coordinator.request())
    assert_allclose(party.spent, epsilon_of(mu_of(2.0, 1e-5) / np.sqrt(2), 1e-5))
    coordinator.receive([answer])
    coordinator.receive([party.answer(coordinator.request())])
    assert coordinator.done and np.isfinite(coordinator.model.coef_).all()
    assert_allclose(party.spent, 2.0)
    other = Coordinator(cm.MeanRegularizedClassifier())
    other.receive([party.answer(other.request())])
    with pytest.raises(RuntimeError, match="epsilon=2 is spent: of what this party may tell, 100% is told"):
        party.answer(other.request())


def test_what_privacy_refuses_in_rounds():
    X, y, options = classes_of("stacked")
    task = options["task"]
    private = Party(X, y, task, name="north", min_group=1, privacy=PRIVACY)
    counts = Party(X, np.ones(48), task, min_group=1, privacy=PRIVACY)
    with pytest.raises(ValueError, match="sums of loss=Poisson by any amount, so that no noise hides it"):
        counts.answer(Coordinator(cm.BlockSparseRegressor(loss="poisson")).request())
    heavy = Party(X, y, task, min_group=1, sample_weight=np.full(48, 3.0), privacy=PRIVACY)
    request = Coordinator(cm.BlockSparseClassifier()).request()
    with pytest.raises(ValueError, match="sample_weight up to 3"):
        heavy.answer(request)
    coordinator = Coordinator(cm.BlockSparseClassifier())
    open_ = Party(X, y, task, name="south", min_group=1)
    with pytest.warns(UserWarning, match="north: of 48 rows"), pytest.raises(ValueError, match="or none does"):
        coordinator.receive(LocalTransport([private, open_])(coordinator.request()))
    with pytest.raises(ValueError, match="rounds must be an integer"):
        Privacy(1.0, 1e-5, bound_X=1.0, bound_y=1.0, rounds=0)
