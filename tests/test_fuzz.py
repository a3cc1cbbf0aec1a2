"""A slice of the fuzz of hostile problems, and whether the fuzz sees what is wrong."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from benchmarks import fuzz
from benchmarks.textbook import FAMILIES, LOSSES, Textbook
from convexmtl.losses import get_loss

FEW, MANY = range(80), range(300)


def test_slice(pytestconfig):
    """None wrong, none silent, and fewer than one in a hundred unconverged."""
    seeds = MANY if pytestconfig.getoption("all") else FEW
    rows = list(fuzz.run(seeds, reference_share=0.1))
    bad = [(row["seed"], row["kind"], row["detail"]) for row in rows if row["kind"] in ("wrong", "silent")]
    assert not bad
    assert sum(row["kind"] == "unconverged" for row in rows) < 0.01 * len(seeds)
    assert sum(row["kind"] == "refused" for row in rows) <= 0.02 * len(seeds)
    references = [row["reference"] for row in rows if "reference" in row]
    # (cvxpy's tolerances are absolute; many targets are small, and many features large.)
    assert len(references) > 0.02 * len(seeds) and np.mean([r <= 2 * fuzz.SHARP for r in references]) > 0.5


@pytest.mark.parametrize("seed", [1964, 5082, 5594])
def test_seeds_that_once_failed(seed):
    """A weight that ran away, a line without a slope, the slopes of a prox at zero."""
    assert fuzz.examine(seed, reference_share=0.0)["kind"] == "fine"


def plain(family, loss, T=4):
    """A fitted estimator on data with nothing wrong in them, the problem and its textbook."""
    p = fuzz.draw(0)
    rng = np.random.default_rng(5)
    own = {name: value(rng, 3, T) if callable(value) else value for name, value in family.parameters.items()}
    estimator = getattr(fuzz.mtl, family.stem + loss.kind)(**own, loss=loss.name, tol=1e-6)
    X = rng.standard_normal((40, 3))
    z = X @ np.ones((3, T)) + rng.standard_normal((40, T))
    signs = np.where(z > 0, 1.0, -1.0) if loss.classes == 1 else np.digitize(z, [-1, 1]).astype(float)
    y = {"Regressor": np.floor(np.abs(z)) + (loss.name == "gamma"), "Classifier": signs}[loss.kind]
    p.update(family=family, loss=loss, X=X, y=y, task=None, weight=None, estimator=estimator, ratio=0.1)
    estimator = fuzz.with_strength(p).fit(X, y)
    return p, estimator, Textbook(family, loss, estimator, X, y)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_textbook_of_families(family):
    """The definitions in numpy and cvxpy agree with the estimator's where nothing is wrong."""
    p, estimator, textbook = plain(family, LOSSES[0])
    assert estimator.coef_.any()
    found, about = fuzz.judge(p, estimator, [], 0.0, textbook, ask=True)
    assert not found and abs(about["reference"]) < 1e-5


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: str(loss.name))
def test_textbook_of_losses(loss):
    p, estimator, textbook = plain(FAMILIES[3], loss)
    found, about = fuzz.judge(p, estimator, [], 0.0, textbook, ask=True)
    assert not found and abs(about["reference"]) < 1e-5
    # The constants are the best ones.
    best, _ = textbook.at_zero
    b = np.ravel([loss.constant(y, np.full(len(y), 1 / len(y))) for y in p.y.T])
    for step in (-1e-3, 1e-3):
        moved = textbook.objective(np.zeros((3, len(b))), b + step * (np.arange(len(b)) % loss.classes + 1))[0]
        # (There may be a range of those of a loss with kinks.)
        assert moved > best or (moved == pytest.approx(best) and not get_loss(loss.name).smooth)
    assert textbook.objective(np.zeros((3, len(b))), b)[0] == pytest.approx(best)


@pytest.mark.parametrize(
    "change, kind, words",
    [
        (lambda e: setattr(e, "objective_", 0.9 * e.objective_), "wrong", "by the textbook"),
        (lambda e: e.coef_.__imul__(1.01), "wrong", "by the textbook"),
        (lambda e: setattr(e, "dual_gap_", -0.5 * e.objective_), "wrong", "lower bound above that of cvxpy"),
        (lambda e: setattr(e, "dual_gap_", 0.1 * e.objective_), "silent", "certify says"),
        (lambda e: setattr(e, "tol", 1e-12), "silent", "without a warning"),
        (lambda e: e.intercept_.fill(np.nan), "silent", "NaN"),
    ],
)
def test_what_is_wrong_is_seen(change, kind, words):
    p, estimator, textbook = plain(FAMILIES[3], LOSSES[0])
    change(estimator)
    found, _ = fuzz.judge(p, estimator, [], 0.0, textbook, ask=True)
    assert any(one == kind and words in detail for one, detail in found)


def test_warnings_are_told_apart():
    p, estimator, textbook = plain(FAMILIES[3], LOSSES[0])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for category in (RuntimeWarning, UserWarning, ConvergenceWarning):
            warnings.warn("so", category, stacklevel=1)
    found, _ = fuzz.judge(p, estimator, caught, 10.0, textbook, ask=False)
    assert [kind for kind, _ in found] == ["silent", "unconverged", "slow"]
    assert found[0][1] == "RuntimeWarning: so"


@pytest.mark.parametrize(
    "error, kind",
    [
        (ValueError("y has only 1 class; so"), "refused"),
        (ValueError("operands could not be broadcast"), "silent"),
        (np.linalg.LinAlgError("X is too large"), "silent"),
        (OverflowError("so"), "silent"),
    ],
)
def test_errors_are_told_apart(error, kind, monkeypatch):
    def fail(problem):
        raise error

    monkeypatch.setattr(fuzz, "with_strength", fail)
    assert fuzz.examine(3)["kind"] == kind


def test_a_seed_makes_the_same_problem(capsys):
    one, other = fuzz.draw(11), fuzz.draw(11)
    assert_array_equal(one.X, other.X)
    assert_array_equal(one.y, other.y)
    assert repr(one.estimator) == repr(other.estimator) and one.ratio == other.ratio
    exec(fuzz.describe(11), space := {})
    assert str(space["estimator"].objective_) in capsys.readouterr().out
    names = [fuzz.draw(seed).family.name for seed in range(300)]
    assert set(names) == {family.name for family in FAMILIES}


def test_table(tmp_path, capsys):
    file = tmp_path / "fuzz.csv"
    fuzz.main(["--seeds", "5:8", "--jobs", "1", "--reference-share", "1", "--csv", str(file)])
    table = pd.read_csv(file)
    assert table["seed"].tolist() == [5, 6, 7] and set(table["kind"]) <= set(fuzz.KINDS)
    printed = capsys.readouterr().out
    assert f"of 3: {sum(table['kind'] == 'wrong')} wrong" in printed and "of 3 references" in printed
    fuzz.report(table.assign(kind=["wrong", "silent", "fine"], detail="so"))
    printed = capsys.readouterr().out
    assert "1 wrong, 1 silent" in printed and "1 fine" in printed
    fuzz.main(["--only", "5"])
    assert "p = draw(5)" in capsys.readouterr().out
