"""What a fit is said to have solved: figures against plain numpy, notes against data that call for them, two pages."""

import pickle
import warnings

import cases
import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose
from scipy.sparse import csr_array
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import convexmtl as cm
from convexmtl import explain_fit
from convexmtl.losses import get_loss
from convexmtl.penalties import MeanCoupling, Parts, Penalty, RowNorm, TraceNorm

CARD = 'class="convexmtl-fit"'


def drawn(cls, form="stacked"):
    return cases.user_input("logistic" if "Classifier" in cls.__name__ else "squared", form)


def mean_loss(estimator, X, y, coef, intercept, task=None, sample_weight=None):
    """sum_t of the weighted mean losses, by hand, for stacked data and y (n, T)."""
    codes = None if task is None else np.searchsorted(estimator.tasks_, task)
    loss, total = get_loss(estimator.loss), 0.0
    for t in range(len(estimator.tasks_)):
        rows = slice(None) if codes is None else codes == t
        target = y[rows, t] if codes is None else y[rows]
        if is_classifier(estimator):
            target = np.where(target == "yes", 1.0, -1.0)
        weight = None if sample_weight is None else sample_weight[rows]
        total += np.average(loss.value(target, X[rows] @ coef[t] + intercept[t]), weights=weight)
    return total


@pytest.mark.parametrize("form", ["shared", "stacked"])
@pytest.mark.parametrize("cls", cases.ESTIMATORS, ids=lambda cls: cls.__name__)
def test_figures(cls, form):
    X, y, options = drawn(cls, form)
    estimator = cls().fit(X, y, **options)
    said = explain_fit(estimator)
    figures, coef = said.figures, estimator.coef_
    loss = mean_loss(estimator, X, y, coef, estimator.intercept_, **options)
    assert_allclose(figures["loss"], loss, rtol=1e-6)
    assert_allclose(figures["loss"] + figures["penalty"], estimator.objective_)
    none = cm.MultiTaskRegressor if not is_classifier(estimator) else cm.MultiTaskClassifier
    none = none(RowNorm(1e6)).fit(X, y, **options)
    assert_allclose(figures["trivial_loss"], mean_loss(none, X, y, 0 * coef, none.intercept_, **options), rtol=1e-6)
    assert_allclose(figures["gap_share"], estimator.dual_gap_ / (figures["trivial_loss"] - loss), rtol=1e-5)
    assert figures["active_features"] == np.count_nonzero(coef.any(axis=0))
    text = str(said)
    assert cls.__name__ in text and "Omega(W) = " in text and "4 tasks, 6 features" in text
    terms = estimator._formulate(X, y, **options).problem.penalty.terms
    if any(term.is_norm for term in terms):
        highest, own = cm.alpha_max(estimator, X, y, **options), estimator._penalty().strength_values()
        highest = highest if isinstance(highest, dict) else {next(iter(own)): highest}
        name = next(name for name, value in own.items() if value > 0)
        assert_allclose(figures["alpha_max_factor"], highest[name] / own[name], rtol=1e-6)
    else:
        assert np.isnan(figures["alpha_max_factor"]) and "no strength makes all" in text


def row(estimator, about):
    return dict(explain_fit(estimator).rows)[about]


def data(n_tasks=3, n=30, seed=0):
    rng = np.random.default_rng(seed)
    X, task = rng.normal(size=(n_tasks * n, 5)), np.repeat(np.arange(n_tasks), n)
    W = np.zeros((n_tasks, 5))
    W[:, :2] = rng.normal(size=(n_tasks, 2)) + 2
    return X, np.einsum("ij,ij->i", X, W[task]) + 0.1 * rng.normal(size=len(X)), task


def test_what_penalties_say():
    X, y, task = data()
    fit = lambda penalty: cm.MultiTaskRegressor(penalty).fit(X, y, task=task)  # noqa: E731
    assert row(fit(RowNorm(0.3)), "features") == "2 of 5 in use: 0, 1"
    rank = fit(TraceNorm(0.5)).rank_
    assert f"rank {rank} of 3" in row(fit(TraceNorm(0.5)), "TraceNorm")
    both = fit(RowNorm(0.3) + MeanCoupling(0.0, 0.1))
    assert "few features" in row(both, "RowNorm") and "similar models" in row(both, "MeanCoupling")
    parts = fit(Parts([("rows", RowNorm(0.3)), ("low", TraceNorm(0.4))]))
    assert "features in it" in row(parts, "rows") + row(parts, "low")
    assert "min over rows + low = W" in row(parts, "minimised")
    clusters = cm.ClusteredRegressor([0, 0, 1]).fit(X, y, task=task)
    assert row(clusters, "clusters") == "2: 0 (2 tasks), 1 (1 task)"
    robust = cm.RobustFeatureRegressor(0.3, 0.1).fit(X, y, task=task)
    assert f"{len(robust.outlier_tasks_)} of 3 tasks in it" in row(robust, "outlier")
    free = cm.RobustLowRankRegressor(0.5, 0.0).fit(X, y, task=task)
    assert row(free, "low_rank").endswith("nothing is in it")
    temporal = cm.TemporalRegressor(5.0).fit(X, y, task=task)
    changes = np.diff(temporal.coef_, axis=0).any(axis=1).sum()
    assert f"of the 2 steps in time, models change in {changes}" in row(temporal, "Temporal")
    joined = cm.GraphGuidedRegressor([(0, 1), (1, 2)], alpha=0.05).fit(X, y, task=task)
    share = 100 * np.mean(joined.coef_[:-1] == joined.coef_[1:])
    assert 0 < share < 100 and f"{share:.3g}% of the differences along the 2 edges" in row(joined, "GraphGuided")
    dirty = cm.DirtyRegressor(0.4, 0.3).fit(X, y, task=task)
    assert f"{np.count_nonzero(dirty.sparse_)} coefficient" in row(dirty, "DirtyNorm")


class Ridge(Penalty):
    is_norm = False

    def __init__(self, alpha=1.0):
        self.alpha = alpha

    def value(self, W):
        return self.alpha * float(np.sum(W**2))

    def prox(self, V, step):
        return V / (1 + 2 * self.alpha * step)

    def conjugate(self, Z):
        return float(np.sum(Z**2)) / (4 * self.alpha)


def test_a_penalty_of_ones_own_has_nothing_more_to_say():
    X, y, task = data()
    said = explain_fit(cm.MultiTaskRegressor(Ridge(0.2)).fit(X, y, task=task))
    assert "Omega(W) = Ridge(alpha=0.2)" in str(said) and "(Ridge)" in dict(said.rows)["objective"]


def notes(estimator):
    return "\n".join(explain_fit(estimator).notes)


def test_tasks_that_say_nothing():
    X, y, task = data(6)
    name = np.array([f"school {t}" for t in range(6)])[task]
    keep = (task != 1) | (np.arange(len(task)) == 30)
    y[task == 2] = 7.3
    X[task == 3] = X[task == 3][0]
    said = notes(cm.BlockSparseRegressor(0.1).fit(X[keep], y[keep], task=name[keep]))
    assert "1 task with a single sample, whose data say nothing of the coefficients: school 1." in said
    assert "1 task with constant targets, whose data say nothing of the coefficients: school 2." in said
    assert "1 task with no feature that goes with the targets, whose data say nothing" in said
    assert "tasks with coefficients that are all zero: school 1, school 2" in said
    # Couplings have coefficients for them all the same.
    said = notes(cm.MeanRegularizedRegressor().fit(X[keep], y[keep], task=name[keep]))
    assert "all zero" not in said and "a single sample" in said
    # Of their statistics as well, whose few rows are not what was counted.
    statistics = cm.SufficientStatistics.from_arrays(X[keep], y[keep], task=name[keep])
    by_moments = cm.BlockSparseRegressor(0.1).fit_statistics(statistics)
    assert "with a single sample, whose data say nothing of the coefficients: school 1." in notes(by_moments)
    assert "constant targets, whose data say nothing of the coefficients: school 2." in notes(by_moments)
    assert f"{keep.sum()} samples (1 to 30 a task, median 30)" in explain_fit(by_moments).title
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        classes = cm.BlockSparseClassifier(0.01).fit(X, np.where(task == 2, True, y > 0), task=name)
    assert "constant targets, whose data say nothing of the coefficients: school 2." in notes(classes)


def test_an_ordinary_fit_has_no_notes():
    X, y, task = data()
    assert not notes(cm.BlockSparseRegressor(0.1).fit(X, y, task=task))
    assert not notes(cm.BlockSparseRegressor(0.1).fit(1e6 + 100 * X, y, task=task))


def test_features():
    X, y, task = data()
    X[:, 3] *= 1e5
    X[:, 4] = np.array([2.0, 5.0, 9.0])[task]
    said = notes(cm.TraceNormRegressor(0.1).fit(X, y, task=task))
    assert "1 feature constant within every task" in said and "StandardScaler" in said and "(3)" in said
    sparse = notes(cm.TraceNormRegressor(0.1).fit(csr_array(X), y, task=task))
    assert "StandardScaler" in sparse


def test_strengths():
    X, y, task = data()
    top = cm.alpha_max(cm.BlockSparseRegressor(), X, y, task=task)
    said = explain_fit(cm.BlockSparseRegressor(2 * top).fit(X, y, task=task))
    assert dict(said.rows)["strength"].startswith("2 times alpha_max") and "All coefficients are zero" in str(said)
    assert np.isnan(said.figures["gap_share"])
    assert "4 times as strong" in row(cm.BlockSparseRegressor(top / 4).fit(X, y, task=task), "strength")
    low = cm.BlockSparseRegressorCV(alphas=[top, top / 2], cv=3).fit(X, y, task=task)
    assert "the smallest of its 2 strengths" in notes(low)
    high = cm.BlockSparseRegressorCV(alphas=[0.02, 2e-3], cv=3).fit(X, y, task=task)
    assert "the largest of its 2 strengths; a larger one may be better" in notes(high)
    with pytest.warns(UserWarning, match="too weak"):
        weak = cm.BlockSparseRegressor(1e-9).fit(X, y, task=task)
    assert "too weak" in notes(weak)
    inside = cm.BlockSparseRegressorCV(l1_ratio=[0.2, 0.6, 1.0], alphas=20, eps=1e-4, cv=3).fit(X, y, task=task)
    assert 0 < np.argmin(np.abs(inside.alphas_[0] - inside.alpha_)) and "strengths" not in notes(inside)
    assert ("values of l1_ratio" in notes(inside)) == (inside.l1_ratio_ in (0.2, 1.0))


def test_a_strength_for_every_task_is_a_range():
    X, Y = np.random.default_rng(0).standard_normal((2, 20, 3))
    told = cm.explain_fit(cm.MultiTaskRegressor(RowNorm([0.1, 0.25, 0.2], q=1)).fit(X, Y))
    assert "alpha from 0.1 to 0.25 by task" in dict(told.rows)["minimised"]
    assert "by task" not in RowNorm(0.1).formula


def test_not_converged():
    X, y, task = data()
    with pytest.warns(ConvergenceWarning):
        estimator = cm.TraceNormRegressor(0.1, max_iter=1, tol=1e-12).fit(X, y, task=task)
    text = " ".join(str(explain_fit(estimator)).split())
    assert "NOT CONVERGED in 1 iteration" in text and "ran out" in text


class SaidToBeHalf(TraceNorm):
    """Omega(W) = half of what the prox is of."""

    def value(self, W):
        return super().value(W) / 2


@pytest.mark.parametrize("loss", ["squared", "huber"])
def test_an_objective_below_its_own_bound(loss):
    X, Y, _ = cases.user_input(loss, "shared")
    with pytest.warns(ConvergenceWarning, match="check the value of the penalty .* below its own lower bound"):
        fitted = cm.MultiTaskRegressor(SaidToBeHalf(0.2), loss=loss).fit(X, Y)
    assert fitted.dual_gap_ < 0 and fitted.n_iter_ < 500  # none of which could mend it
    assert not cm.MultiTaskRegressor(TraceNorm(0.2), loss=loss).fit(X, Y).dual_gap_ < 0
    text = " ".join(str(explain_fit(fitted)).split())
    assert "nothing: the objective is" in text and "contradicts itself" in text


def test_a_search_over_families_says_what_it_has_found():
    X, y, task = data()
    found = cm.AutoMultiTaskRegressor(["TraceNorm"], alphas=3, cv=2).fit(X, y, task=task)
    said = dict(explain_fit(found).rows)["family"]
    assert said.startswith(f"{found.best_family_}, whose loss") and "single-task (" in said and "TraceNorm (" in said


def test_long_lists_are_cut():
    T = 2000
    rng = np.random.default_rng(0)
    X, task = rng.normal(size=(4 * T, 3)), np.repeat(np.arange(T), 4)
    y = X[:, 0] * (task % 2)
    said = explain_fit(cm.BlockSparseRegressor(1.0).fit(X, y, task=task))
    assert "1,000 tasks with constant targets" in str(said) and "and 994 more" in str(said)
    assert len(str(said)) < 2500 and max(map(len, str(said).splitlines())) <= 100
    assert len(pickle.dumps(said.figures)) < 1000


# ------------------------------------------------------------------------------- where it is shown


def test_html_is_escaped():
    X, y, task = data()
    name = np.array(["<b>", "a&b", "c"])[task]
    y[task == 0] = 1.0
    page = explain_fit(cm.BlockSparseRegressor(0.1).fit(X, y, task=name))._repr_html_()
    assert "&lt;b&gt;" in page and page.count("<b>") == 2
    assert page.count("<tr") == page.count("</tr>") and page.count("<div") == page.count("</div>") == 1


def test_card():
    """Below scikit-learn's own diagram, for notebooks that ask in either way, and only once it is fitted."""
    X, y, task = data()
    estimator = cm.BlockSparseRegressor(0.1)
    assert CARD not in estimator._repr_html_() and CARD not in estimator._repr_mimebundle_()["text/html"]
    estimator.fit(X, y, task=task)
    for page in (estimator._repr_html_(), estimator._repr_mimebundle_()["text/html"]):
        assert page.count(CARD) == 1 and page.index("sk-") < page.index(CARD)
    assert "BlockSparseRegressor" in make_pipeline(StandardScaler(), estimator)._repr_html_()
    with sklearn.config_context(display="text"):
        assert "text/html" not in estimator._repr_mimebundle_() and not hasattr(estimator, "_repr_html_")


@pytest.mark.parametrize("form", ["shared", "stacked", "single"])
def test_verbose_ends_with_it(form, capsys):
    X, y, options = cases.user_input("squared", form)
    for cls in (cm.BlockSparseRegressor, cm.MeanRegularizedRegressorCV):
        estimator = cls(verbose=1).fit(X, y, **options)
        said = capsys.readouterr().out
        assert said.endswith(f"{explain_fit(estimator)}\n") and said.count("minimised") == 1
    estimator = cm.TraceNormRegressor(verbose=1).partial_fit(X, y, **options)
    estimator.partial_fit(X, y, **options)
    assert capsys.readouterr().out.endswith(f"{explain_fit(estimator)}\n")
    counts = int(explain_fit(estimator).title.split(" sample")[0].split()[-1].replace(",", ""))
    assert counts == 2 * np.count_nonzero(np.broadcast_to(options.get("sample_weight", 1), np.shape(y)))


# --------------------------------------------------------------------------------- what is not fitted


def test_what_cannot_be_explained():
    with pytest.raises(NotFittedError, match="BlockSparseRegressor"):
        explain_fit(cm.BlockSparseRegressor())
    X, y, _ = data()
    pipe = make_pipeline(StandardScaler(), cm.BlockSparseRegressor()).fit(X, y)
    with pytest.raises(TypeError, match="got Pipeline: of a pipeline pass its last step"):
        explain_fit(pipe)
    assert explain_fit(pipe[-1]).title.startswith("BlockSparseRegressor: 1 task, 5 features, 90 samples")


def test_it_goes_with_the_fit():
    """Pickled with it, and left as it was by a fit that refuses its input."""
    X, y, task = data()
    estimator = cm.TraceNormRegressor(0.2).fit(X, y, task=task)
    before = str(explain_fit(estimator))
    assert str(explain_fit(pickle.loads(pickle.dumps(estimator)))) == before
    with pytest.raises(ValueError, match="NaN"):
        estimator.fit(X, np.where(task == 0, np.nan, y), task=task)
    assert str(explain_fit(estimator)) == before
    # Parameters that are changed after it are not what was solved.
    assert str(explain_fit(estimator.set_params(alpha=7.0))) == before
