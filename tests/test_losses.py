"""Losses: derivatives, conjugates and the textbook definition."""

import dataclasses

import cases
import numpy as np
import pytest
from cases import least
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize_scalar
from scipy.special import softmax
from sklearn.metrics import mean_tweedie_deviance

import convexmtl.losses
from convexmtl.losses import (
    EpsilonInsensitive,
    Gamma,
    Hinge,
    Huber,
    Logistic,
    Loss,
    Poisson,
    Quantile,
    Softmax,
    Sqrt,
    Squared,
    SquaredHinge,
    Tweedie,
    get_loss,
)
from convexmtl.tasks import Tasks

ALL = {name: case.loss for name, case in cases.LOSSES.items()} | {
    f"tweedie {power}": Tweedie(power) for power in (1, 1.1, 1.95, 2)
}
LOSSES = {name: loss for name, loss in ALL.items() if loss.by_sample and loss.by_column}
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
SMOOTH = {name: loss for name, loss in LOSSES.items() if loss.smooth}
smooth_loss = pytest.mark.parametrize("loss", SMOOTH.values(), ids=SMOOTH)
KINKED = {name: loss for name, loss in LOSSES.items() if not loss.smooth}


def targets_of(loss):
    if loss.classification:
        return np.array([-1.0, 1.0])
    if isinstance(loss, Gamma) or getattr(loss, "power", None) == 2:
        return np.array([0.2, 1.0, 3.0])
    return np.array([0.0, 1.0, 3.0]) if isinstance(loss, Poisson | Tweedie) else np.array([-2.0, 0.0, 1.3])


def pairs(loss, z=None):
    """Every target with every prediction; none of them at a kink of a derivative."""
    z = np.linspace(-3.137, 3.317, 41) if z is None else z
    y, z = np.meshgrid(targets_of(loss), z)
    return y.ravel(), z.ravel()


@every_loss
def test_derivative(loss):
    y, z = pairs(loss)
    h = 1e-6
    assert_allclose(
        loss.derivative(y, z), (loss.value(y, z + h) - loss.value(y, z - h)) / (2 * h), rtol=1e-7, atol=1e-8
    )


@every_loss
def test_second_derivative(loss):
    y, z = pairs(loss)
    h = 1e-6
    assert_allclose(
        loss.second(y, z), (loss.derivative(y, z + h) - loss.derivative(y, z - h)) / (2 * h), rtol=1e-7, atol=1e-8
    )


@smooth_loss
def test_curvature_bounds_the_second_derivative(loss):
    y, z = pairs(loss, np.linspace(-30, 30, 601))
    if loss.curvature is None:
        assert loss.second(y, z).max() > 1e6
    else:
        assert_allclose(loss.second(y, z).max(), loss.curvature, rtol=1e-12)


@every_loss
def test_value_is_the_textbook_definition(loss):
    import cvxpy as cp

    y, z = pairs(loss)
    assert_allclose(loss.value(y, z), loss.expression(y, cp.Constant(z), cp).value, rtol=1e-10, atol=1e-12)


@every_loss
def test_convex_in_cvxpy(loss):
    import cvxpy as cp

    y, _ = pairs(loss)
    z = cp.Variable(len(y))
    assert cp.sum(loss.expression(y, z, cp)).is_dcp()


@every_loss
def test_conjugate_is_the_supremum(loss):
    # At dual variables inside the domain the supremum is attained at a finite z.
    y, z = pairs(loss, np.array([-2.9, -1.1, 0.2, 0.9, 2.7]))
    for target, v in zip(y, loss.derivative(y, z), strict=True):
        found = minimize_scalar(
            lambda u, target=target, v=v: loss.value(target, u) - v * u,
            bounds=(-12, 12),
            method="bounded",
            options={"xatol": 1e-10},
        )
        assert_allclose(loss.conjugate(target, v), -found.fun, atol=1e-7)


@every_loss
def test_conjugate_by_cvxpy(loss):
    import cvxpy as cp

    y, z = pairs(loss, np.array([-1.0, 0.3, 1.4]))
    v = loss.derivative(y, z)
    u = cp.Variable(len(y))
    program = cp.Problem(cp.Minimize(cp.sum(loss.expression(y, u, cp)) - v @ u))
    assert_allclose(loss.conjugate(y, v).sum(), -least(program), rtol=1e-6, atol=1e-6)


@every_loss
def test_fenchel_gap(loss):
    y, z = pairs(loss)
    assert_allclose(loss.fenchel_gap(y, z, loss.derivative(y, z)), 0, atol=1e-12)
    # With the dual variable of another prediction it is positive, and what the formula says.
    v = loss.derivative(y, z[::-1])
    gap = loss.fenchel_gap(y, z, v)
    assert gap.min() >= -1e-12
    assert_allclose(gap, loss.value(y, z) + loss.conjugate(y, v) - z * v, atol=1e-12)
    assert gap.max() > 0.1


@every_loss
def test_zero_is_a_dual_variable(loss):
    """The certificate falls back on it: conjugate(y, 0) = -inf over z of loss(y, z) is finite."""
    y = targets_of(loss)
    assert np.isfinite(loss.conjugate(y, np.zeros_like(y))).all()


@pytest.mark.parametrize(
    "loss, y, v",
    [
        (Huber(0.7), 1.0, 0.71),
        (Huber(0.7), 1.0, -0.71),
        (Poisson(), 2.0, -2.1),
        (Gamma(), 2.0, 1.1),
        (Tweedie(1), 2.0, -2.1),
        (Tweedie(1.5), 0.0, -0.1),
        (Logistic(), 1.0, 0.1),
        (Logistic(), 1.0, -1.1),
        (Logistic(), -1.0, -0.1),
        (SquaredHinge(), 1.0, 0.1),
        (SquaredHinge(), -1.0, -0.1),
    ],
)
def test_conjugate_is_infinite_outside_its_domain(loss, y, v):
    assert loss.conjugate(np.array([y]), np.array([v])) == np.inf
    assert loss.conjugate(np.array([y]), np.array([0.0])) < np.inf


@pytest.mark.parametrize(
    "loss, y, v, expected",
    [
        (Huber(0.7), 1.0, 0.7, 0.7 + 0.245),
        (Poisson(), 2.0, -2.0, 0.0),
        (Tweedie(1), 2.0, -2.0, 0.0),
        (Gamma(), 2.0, 1.0, 0.0),
        (Tweedie(1.5), 0.0, 0.0, 0.0),
        (Logistic(), 1.0, 0.0, 0.0),
        (Logistic(), -1.0, 1.0, 0.0),
        (SquaredHinge(), 1.0, 0.0, 0.0),
    ],
)
def test_conjugate_at_the_ends_of_its_domain(loss, y, v, expected):
    assert_allclose(loss.conjugate(np.array([y]), np.array([v])), expected, atol=1e-15)


@pytest.mark.parametrize("loss", [Logistic(), SquaredHinge(), Squared(), Huber()], ids=str)
def test_far_predictions_are_finite(loss):
    y, z = pairs(loss, np.array([-1e5, -800.0, 800.0, 1e5]))
    for number in (loss.value(y, z), loss.derivative(y, z), loss.second(y, z)):
        assert np.isfinite(number).all()
    assert_allclose(Logistic().value(1.0, -1e5), 1e5)
    assert_array_equal(Logistic().derivative(np.array([1.0, -1.0]), np.array([1e5, 1e5])), [0, 1])


def test_poisson_overflows_to_infinity():
    loss = Poisson()
    assert loss.value(1.0, 1e5) == loss.derivative(1.0, 1e5) == loss.second(1.0, 1e5) == np.inf
    assert loss.value(1.0, -1e5) == 1e5


@every_loss
def test_nan_stays_nan(loss):
    y = targets_of(loss)
    with np.errstate(invalid="ignore"):
        assert np.isnan(loss.value(y, np.full_like(y, np.nan))).all()
        assert not np.any(np.isfinite(loss.conjugate(y, np.full_like(y, np.nan))))


def test_what_is_predicted():
    z = np.array([-1.0, 0.0, 2.0])
    assert_array_equal(Squared().mean(z), z)
    assert_array_equal(Huber().mean(z), z)
    for loss in (Poisson(), Gamma(), Tweedie(1.5)):
        assert_allclose(loss.mean(z), np.exp(z))
    assert_allclose(Logistic().probability(z), 1 / (1 + np.exp(-z)))


def test_constant_targets_without_a_finite_best_intercept():
    y, ptr, nan = np.array([0.0, 0, 0, 0, 0, 1, 2, 0]), np.array([0, 4, 6, 7, 8]), np.nan
    assert_allclose(Poisson().constant(y, ptr), [np.log(0.5 / 4), nan, nan, np.log(0.5)])
    y = np.array([1.0, 1, 1, 1, 1, -1, -1, 1])
    assert_allclose(Logistic().constant(y, ptr), [np.log(4.5 / 0.5), nan, -np.log(3.0), np.log(3.0)])
    for loss in (Squared(), Huber(), SquaredHinge()):
        assert_array_equal(loss.constant(y, ptr), [nan] * 4)


def test_huber_is_the_squared_loss_for_a_large_delta():
    y, z = pairs(Squared())
    assert_allclose(Huber(1e6).value(y, z), Squared().value(y, z))
    assert_allclose(Huber(1e6).conjugate(y, z - y), Squared().conjugate(y, z - y))


def test_get_loss():
    for name, cls in convexmtl.losses.LOSSES.items():
        assert type(get_loss(name)) is cls
    huber = Huber(3.0)
    assert get_loss(huber) is huber
    with pytest.raises(ValueError, match=r"loss must be one of .*'huber'.* or a Loss object, got 'hubert'"):
        get_loss("hubert")


@pytest.mark.parametrize("delta", [0, -1.0, np.nan, np.inf])
def test_huber_delta(delta):
    with pytest.raises(ValueError, match=f"delta must be positive and finite, got {delta!r}"):
        Huber(delta).check_targets(np.zeros(3))


def test_fenchel_gap_of_poisson_does_not_cancel():
    """The gap of a dual variable off by a share e of exp(z) is exp(z) e^2 / 2, to leading order."""
    loss, z = Poisson(), np.array([-3.0, 1.0, 14.0, 300.0])
    for y, e in ((5.0, 1e-3), (1e-3, -1e-9)):
        v = np.exp(z) * (1 + e) - y
        share = np.abs(v + y - np.exp(z)) / np.exp(z)
        assert_allclose(loss.fenchel_gap(y, z, v), np.exp(z) * share**2 / 2, rtol=1e-3, atol=1e-20)


def test_poisson_targets():
    with pytest.raises(ValueError, match=r"loss='poisson' needs targets y >= 0 .*, got -2"):
        Poisson().check_targets(np.array([1.0, -2.0]))
    Poisson().check_targets(np.array([0.0, 1.5]))


@pytest.mark.parametrize("power, same", [(1, Poisson()), (2, Gamma())])
def test_tweedie_ends_in_poisson_and_gamma(power, same):
    loss = Tweedie(power)
    y, z = pairs(loss)
    v, q = same.derivative(y, z[::-1]), np.random.default_rng(0).standard_normal(len(y))
    for method, arguments in {"value": (z,), "derivative": (z,), "second": (z,), "conjugate": (v,)}.items():
        expected = getattr(same, method)(y, *arguments)
        assert_allclose(getattr(loss, method)(y, *arguments), expected, rtol=1e-12, atol=1e-12)
    assert_allclose(loss.fenchel_gap(y, z, v), same.fenchel_gap(y, z, v), rtol=1e-10, atol=1e-13)
    assert_allclose(loss.prox(y, q, 0.7), same.prox(y, q, 0.7), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("power", [1, 1.3, 1.7, 2])
def test_tweedie_is_that_of_scikit_learn(power):
    """Half of its deviance, but for what does not depend on the prediction."""
    y, z = pairs(Tweedie(power))
    y = np.maximum(y, 1e-3)
    theirs = [mean_tweedie_deviance([a], [np.exp(b)], power=power) / 2 for a, b in zip(y, z, strict=True)]
    loss = Tweedie(power)
    assert_allclose(loss.value(y, z) - loss.value(y, np.log(y)), theirs, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("loss", [Tweedie(1), Tweedie(1.2), Tweedie(1.8), Gamma()], ids=str)
def test_best_intercept_of_tweedie(loss):
    """Sum of derivatives zero, of targets and predictions that would overflow one after the other."""
    rng = np.random.default_rng(0)
    y, z, c = rng.gamma(2.0, 3.0, 12), 3 * rng.standard_normal(12), rng.uniform(0.1, 2, 12) * (np.arange(12) != 3)
    ptr = np.array([0, 5, 12])
    b = np.repeat(loss.best_intercept(y, z, c, ptr), np.diff(ptr))
    slopes = c * loss.derivative(y, z + b)
    assert_allclose(np.add.reduceat(slopes, ptr[:-1]), 0, atol=1e-12 * np.abs(slopes).sum())
    assert_allclose(loss.best_intercept(y, z + 2000, c, ptr), loss.best_intercept(y, z, c, ptr) - 2000)


def test_fenchel_gap_of_tweedie_does_not_cancel():
    """Of the dual variable at a prediction off by e it is e^2 / 2 times the second derivative, to leading order."""
    y, e = 3.0, 1e-6
    for loss in (Tweedie(1.3), Gamma()):
        z = np.array([-3.0, 0.5, 40.0])
        e_dual = loss.second(y, z) * e
        gap = loss.fenchel_gap(y, z, loss.derivative(y, z + e))
        assert_allclose(gap[:2], (e_dual * e / 2)[:2], rtol=1e-4)
        assert np.all(gap >= 0)


@pytest.mark.parametrize("power", [0, 0.99, 2.1, 3, np.nan, "1.5", None])
def test_power_of_tweedie(power):
    with pytest.raises(ValueError, match=r"Tweedie's power must be in \[1, 2\], got "):
        Tweedie(power).check_targets(np.ones(3))


@pytest.mark.parametrize(
    "loss, y, said",
    [
        (Gamma(), 0.0, r"loss=Gamma\(\) needs targets y > 0, got 0: drop such rows, or use Tweedie"),
        (Tweedie(2), -1.0, r"loss=Tweedie\(power=2\) needs targets y > 0, got -1"),
        (Tweedie(1.5), -2.0, r"loss=Tweedie\(\) needs targets y >= 0, got -2"),
    ],
)
def test_positive_targets(loss, y, said):
    with pytest.raises(ValueError, match=said):
        loss.check_targets(np.array([1.0, y]))
    loss.check_targets(np.array([1.0, 0.0 if loss.power < 2 else 1e-9]))


@pytest.mark.parametrize("method", ["value", "derivative", "second", "conjugate"])
def test_an_unfinished_loss_says_what_is_missing(method):
    class Unfinished(Loss):
        pass

    with pytest.raises(TypeError, match=f"Unfinished does not define {method}"):
        getattr(Unfinished(), method)(1.0, 2.0)


# ------------------------------------------------------------------------- without a derivative everywhere


def weighted_tasks(seed, loss):
    """Targets, predictions, weights (some 0) and ptr of tasks, with ties, one sample, and no weight at all."""
    rng = np.random.default_rng(seed)
    sizes = np.array([1, 2, 5, 9, 4])
    ptr = np.concatenate([[0], np.cumsum(sizes)])
    y = rng.integers(-2, 3, ptr[-1]).astype(float)
    y = np.where(y >= 0, 1.0, -1.0) if loss.classification else y
    z = np.round(rng.standard_normal(ptr[-1]), seed % 2)
    weight = rng.integers(0, 3, ptr[-1]).astype(float)
    weight[:3] = 1.0
    weight[ptr[-2] :] = 0.0
    return y, z, weight, ptr


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("loss", KINKED.values(), ids=KINKED)
def test_best_intercept_of_a_loss_with_kinks(loss, seed):
    """No other kink is better; nor is the middle between two."""
    y, z, weight, ptr = weighted_tasks(seed, loss)
    b = loss.best_intercept(y, z, weight, ptr)
    for t in range(len(ptr) - 1):
        own = slice(ptr[t], ptr[t + 1])
        at = lambda c, own=own: float(weight[own] @ loss.value(y[own], z[own] + c))  # noqa: E731
        grid = np.linspace(-6, 6, 2401)
        assert at(b[t]) <= min(map(at, grid)) + 1e-12


@pytest.mark.parametrize("power", [1.0, 1.2, 1.5, 1.9, 2.0])
def test_prox_of_tweedie_far_out(power):
    """Where exp(z) is beyond the range of numbers, and of targets of zero."""
    loss = Tweedie(power)
    y, q, step = np.meshgrid([0.0, 1e-3, 1.0, 1e5][power == 2 :], [-1e5, -30.0, 0.0, 30.0, 1e5], [1e-4, 1.0, 1e4])
    y, q, step = y.ravel(), q.ravel(), step.ravel()
    z = loss.prox(y, q, step)
    excess = z - q + step * loss.derivative(y, z)
    # As near as the numbers that it is made of are.
    assert np.all(np.abs(excess) <= 1e-14 * (1 + np.abs(q) + step) * (1 + step * loss.second(y, z)))


@pytest.mark.parametrize("loss", KINKED.values(), ids=KINKED)
def test_prox_of_a_loss_with_kinks(loss):
    y, q = pairs(loss, np.linspace(-3, 3, 25))
    for step in (0.1, 1.0, 7.0):
        z = loss.prox(y, q, np.full(len(q), step))
        value = loss.value(y, z) + (z - q) ** 2 / (2 * step)
        for move in np.linspace(-1, 1, 41):
            other = loss.value(y, z + move) + (z + move - q) ** 2 / (2 * step)
            assert np.all(value <= other - move**2 / (2 * step) + 1e-12)  # which is strongly convex
        # What q has lost on its way is a subgradient.
        assert_allclose(loss.fenchel_gap(y, z, (q - z) / step), 0, atol=1e-12)


@pytest.mark.parametrize("loss", KINKED.values(), ids=KINKED)
def test_domain_of_dual_variables(loss):
    y, v = pairs(loss, np.linspace(-2, 2, 33))
    inside = loss.inside(y, v)
    assert np.isfinite(loss.conjugate(y, inside)).all()
    assert_array_equal(loss.inside(y, inside), inside)
    kept = np.isfinite(loss.conjugate(y, v))
    assert_array_equal(inside[kept], v[kept])
    for target, one in zip(y, v, strict=True):
        s = loss.reach(np.array([target]), np.array([one]))
        assert 0 <= s <= 1 and np.isfinite(loss.conjugate(np.array([target]), np.array([s * one])))
        assert s == 1 or not np.isfinite(loss.conjugate(np.array([target]), np.array([(s + 1e-3) * one])))


def test_square_root_of_the_mean_square():
    rng = np.random.default_rng(0)
    Y, weight = rng.standard_normal((9, 3)), rng.uniform(0, 2, 9)
    tasks = Tasks.shared(rng.standard_normal((9, 2)), Y, weight, np.array([1.0, 0.5, 2.0]))
    loss, z, c = Sqrt().at(tasks), rng.standard_normal(27), tasks.weight
    by_hand = [
        m * np.sqrt(np.average((Y[:, t] - z.reshape(3, 9)[t]) ** 2, weights=weight)) for t, m in enumerate([1, 0.5, 2])
    ]
    assert_allclose(c @ loss.value(tasks.y, z), sum(by_hand))
    h = 1e-6 * rng.standard_normal(27)
    change = c @ (loss.value(tasks.y, z + h) - loss.value(tasks.y, z - h)) / 2
    v = loss.derivative(tasks.y, z)
    assert_allclose(c @ (v * h), change, rtol=1e-6)
    assert_allclose(c @ loss.fenchel_gap(tasks.y, z, v), 0, atol=1e-14)
    assert loss.conjugate(tasks.y, 1.001 * v).max() == np.inf and loss.reach(tasks.y, 2 * v) == pytest.approx(0.5)
    moved = loss.prox(tasks.y, z, np.full(27, 0.3))
    assert_allclose((z - moved) / 0.3, loss.derivative(tasks.y, moved), rtol=1e-9)
    assert_array_equal(loss.prox(tasks.y, tasks.y + 1e-3 * v, np.full(27, 0.3)), tasks.y)
    assert_allclose(loss.value(1e200 * tasks.y, 1e200 * z), 1e200 * loss.value(tasks.y, z))


@pytest.mark.parametrize(
    "loss, message",
    [
        (Quantile(0.0), r"Quantile's q must be a number between 0 and 1, got 0\.0"),
        (Quantile(np.nan), "Quantile's q must be a number between 0 and 1, got nan"),
        (EpsilonInsensitive(-1.0), r"EpsilonInsensitive's epsilon must be a finite number >= 0, got -1\.0"),
    ],
)
def test_parameters_of_losses_with_kinks(loss, message):
    with pytest.raises(ValueError, match=message):
        loss.check_targets(np.zeros(3))


def test_hinge_is_the_quantile_of_margins():
    z = np.linspace(-2, 2, 9)
    assert_allclose(Hinge().value(1.0, z) + Hinge().value(-1.0, z), 2 * np.maximum(1, (1 + np.abs(z)) / 2))


# ------------------------------------------------------------------------------------------- softmax

PRESENT = np.array([3, 2, 1])  # classes of three tasks


def softmax_at(rng, n=12):
    """(Softmax at the samples of three tasks, their Tasks): targets are indicators, and some samples have no weight."""
    Y = np.column_stack([np.resize(np.arange(K), n) for K in PRESENT]).astype(float)
    Y[rng.random(Y.shape) < 0.2] = np.nan
    Y[:3] = np.column_stack([np.arange(3) % K for K in PRESENT])
    tasks = Tasks.shared(rng.normal(size=(n, 2)), Y, rng.uniform(0.5, 2, n), np.array([1.0, 2.0, 0.5]))
    columns = tasks.in_columns(PRESENT)
    of_class = columns.spread(np.concatenate([np.arange(K) for K in PRESENT]))
    columns = dataclasses.replace(columns, y=np.where(columns.weight > 0, columns.y == of_class, 0.0))
    return Softmax().at(columns), columns


def by_task(tasks, u):
    """[(n, K) the columns of every task]."""
    return [u.reshape(tasks.n_tasks, -1)[tasks.owner == t].T for t in range(len(PRESENT))]


def test_softmax_is_the_cross_entropy():
    rng = np.random.default_rng(0)
    loss, tasks = softmax_at(rng)
    z, c = rng.normal(size=len(tasks.y)) * 3, tasks.weight
    values, p = loss.value(tasks.y, z), loss.probabilities(z)
    for y_t, z_t, p_t, value in zip(*(by_task(tasks, u) for u in (tasks.y, z, p, values)), strict=True):
        some = y_t.any(axis=1)
        assert_allclose(p_t, softmax(z_t, axis=1), rtol=1e-12)
        assert_allclose(value.sum(axis=1)[some], -np.log(np.sum(p_t * y_t, axis=1)[some]), rtol=1e-12)
    h, e = 1e-6, rng.normal(size=len(z))
    difference = loss.value(tasks.y, z + h * e) - loss.value(tasks.y, z - h * e)
    assert_allclose(c @ difference / (2 * h), c @ (loss.derivative(tasks.y, z) * e), rtol=1e-6)
    v = loss.derivative(tasks.y, z)
    along = loss.hessian(tasks.y, z, v, c, tasks.ptr, fit_intercept=False)
    difference = loss.derivative(tasks.y, z + h * e) - loss.derivative(tasks.y, z - h * e)
    assert_allclose(along(e), c * difference / (2 * h), atol=1e-9)
    mixed = loss.mixed(tasks.y, z)
    assert mixed.min() >= 0
    image = mixed[0] * e
    for r in range(1, len(mixed)):
        # (Between a column and the r-th after it, of which the samples are 12 r further on.)
        image[: -12 * r] -= (mixed[r] * np.roll(e, -12 * r))[: -12 * r]
        image[12 * r :] -= (mixed[r] * e)[: -12 * r]
    assert_allclose(c * image, along(e), atol=1e-12)
    # What bounds the curvature of all columns together.
    assert np.sum(e * along(e)) <= c @ (loss.model_curvature(tasks.y, z) * e**2)


def test_gap_of_softmax():
    rng = np.random.default_rng(1)
    loss, tasks = softmax_at(rng)
    y = tasks.y
    z, other = rng.normal(size=(2, len(y)))
    v = loss.derivative(y, other)
    gap = loss.fenchel_gap(y, z, v)
    assert gap.min() >= 0 and tasks.total(gap) > 0.1
    assert_allclose(tasks.total(gap), tasks.total(loss.value(y, z) + loss.conjugate(y, v) - z * v), rtol=1e-12)
    assert_allclose(tasks.total(loss.fenchel_gap(y, z, loss.derivative(y, z))), 0, atol=1e-14)
    # The conjugate is a supremum: shares that do not sum to one have none.
    assert np.isinf(loss.conjugate(y, v + 0.1)).any() and np.isinf(loss.fenchel_gap(y, z, v - 0.1)).any()
    near = loss.inside(y, v + 0.1 * rng.normal(size=len(v)))
    assert np.isfinite(loss.conjugate(y, near)[tasks.weight > 0]).all()


def test_balanced_dual_variables_of_softmax():
    rng = np.random.default_rng(2)
    loss, tasks = softmax_at(rng)
    c, y = tasks.weight, tasks.y
    b = loss.best_intercept(y, np.zeros(len(y)), c, tasks.ptr)
    assert_allclose(tasks.sum(c * loss.derivative(y, tasks.shift(np.zeros(len(y)), b))), 0, atol=1e-14)
    assert_allclose(np.bincount(tasks.owner, b), 0, atol=1e-12)
    z = 4 * rng.normal(size=len(y))
    v = loss.balanced(y, loss.derivative(y, z), c, tasks.ptr)
    assert_allclose(tasks.sum(c * v), 0, atol=1e-14)
    assert np.isfinite(loss.conjugate(y, v)[c > 0]).all()
    # At the best intercepts there is nothing to balance.
    best = tasks.shift(z, loss.best_intercept(y, z, c, tasks.ptr))
    v = loss.derivative(y, best)
    assert_allclose(loss.balanced(y, v, c, tasks.ptr), v, atol=1e-12)


@pytest.mark.parametrize("separated", [False, True])
@pytest.mark.parametrize("far", [1.0, 30.0, 1e3])
def test_intercepts_of_softmax(far, separated):
    """To the digits that predictions have, also where next to no sample is in doubt about its class."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        loss, tasks = softmax_at(rng, n=40)
        y, c = tasks.y, tasks.weight
        z = far * (rng.normal(size=len(y)) + separated * (3 * y - tasks.spread(rng.normal(size=tasks.n_tasks))))
        b = loss.best_intercept(y, z, c, tasks.ptr)
        left = tasks.sum(c * loss.derivative(y, tasks.shift(z, b)))
        assert_allclose(left, 0, atol=1e-14 + 2e-15 * far)


@pytest.mark.parametrize("far", [1.0, 30.0, 1e4])
def test_prox_of_softmax(far):
    rng = np.random.default_rng(3)
    loss, tasks = softmax_at(rng)
    y, counted = tasks.y, tasks.weight > 0
    q, step = far * rng.normal(size=len(y)), rng.uniform(0.1, 5, len(y)) * far ** rng.choice([-1, 0, 1], len(y))
    z = loss.prox(y, q, step)
    left = loss.derivative(y, z) + (z - q) / step
    assert np.abs(left[counted]).max() <= 1e-9 * max(1.0, np.max(np.abs(q / step)))


def test_a_column_without_weight_is_no_class():
    rng = np.random.default_rng(4)
    _, tasks = softmax_at(rng)
    weight = tasks.weight * (tasks.sample_task != 2)
    without = Softmax().at(dataclasses.replace(tasks, weight=weight))
    z = rng.normal(size=len(tasks.y))
    p = by_task(tasks, without.probabilities(z))[0]
    z_t = by_task(tasks, z)[0]
    some = by_task(tasks, tasks.weight)[0][:, 0] > 0
    assert_allclose(p[some, :2], softmax(z_t[some, :2], axis=1), rtol=1e-12)
    assert not p[some, 2].any()
    assert not by_task(tasks, without.derivative(tasks.y, z))[0][some, 2].any()
