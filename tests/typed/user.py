"""What a user may write, checked under mypy's strict settings; what is wrong says so, or the check fails."""

from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import convexmtl as mtl
from convexmtl import datasets, penalties
from convexmtl.certificate import Certificate
from convexmtl.comparison import Comparison
from convexmtl.inspection import CoefficientDisplay, CVDisplay
from convexmtl.metrics import TaskScorer, explained_variance, task_scores
from convexmtl.model_selection import TaskKFold
from convexmtl.path import Path

Array = NDArray[Any]


def fits() -> None:
    X, y, task, W = datasets.make_dirty(n_tasks=4, random_state=0)
    assert_type(W, Array)
    model = mtl.DirtyRegressor(alpha_block=0.3, alpha_sparse=0.2, q=2, tol=1e-6).fit(X, y, task=task)
    assert_type(model, mtl.DirtyRegressor)
    assert_type(model.coef_, Array)
    assert_type(model.dual_gap_, float)
    assert_type(model.predict(X, task=task), Array)
    assert_type(model.score(X, y, task=task), float)
    labels = ["Elm", "Oak"]
    mtl.BlockSparseRegressor([0.1, 0.2], q=1).fit(X, y.tolist(), task=[labels[i % 2] for i in task])
    mtl.BlockSparseRegressor(0.1, loss=mtl.Huber(delta=2.0), task_weight="size")
    mtl.TraceNormClassifier(0.1, loss="logistic").fit(X, y > 0, task=task).predict_proba(X, task=task)
    mtl.GraphGuidedRegressor([(0, 1), (1, 2, 0.5)], alpha=0.1)
    statistics = mtl.SufficientStatistics.from_arrays(X, y, task)
    assert_type(statistics + statistics, mtl.SufficientStatistics)
    assert_type(mtl.MeanRegularizedRegressor().fit_statistics(statistics).statistics_, mtl.SufficientStatistics)


def searches() -> float:
    X, Y, _ = datasets.make_low_rank(layout="shared", random_state=0)
    search = mtl.BlockSparseRegressorCV(alphas=np.geomspace(1, 0.01, 5), cv=TaskKFold(3, shuffle=True, random_state=0))
    search.fit(X, Y)
    assert_type(search.mse_path_, Array)
    CVDisplay.from_estimator(search)
    display = CoefficientDisplay.from_estimator(search, max_features=10)
    assert_type(display, CoefficientDisplay)
    found = mtl.AutoMultiTaskRegressor([mtl.TraceNormRegressorCV(alphas=5)], alphas=5, time_budget=60.0).fit(X, Y)
    return search.alpha_ + found.dual_gap_


def checks(X: Array, y: Array, task: Array) -> Comparison:
    model = mtl.MultiTaskRegressor(mtl.RowNorm(0.1) + mtl.MeanCoupling(0.1, 0.1)).fit(X, y, task=task)
    certificate = mtl.certify(model, X, y, task=task)
    assert_type(certificate, Certificate)
    assert_type(certificate.gap, float)
    path = mtl.regularization_path(mtl.BlockSparseRegressor(), X, y, task=task, alphas=10, eps=1e-2)
    assert_type(path, Path)
    assert_type(path.coefs, Array)
    assert_type(mtl.alpha_max(model, X, y, task=task), float | dict[str, float])
    assert_type(mtl.alpha_theory(model, X, y, task=task, noise=1.0, bound="simulated"), float | dict[str, float])
    assert_type(mtl.reference.fit(model, X, y, task=task).objective, float)
    print(mtl.explain_fit(model), mtl.information_criterion(model, X, y, task=task, criterion="ebic"))
    print(task_scores(y, model.predict(X, task=task), task=task), TaskScorer(explained_variance, average="size"))
    comparison = mtl.compare_tasks({"rows": mtl.BlockSparseRegressor(0.1)}, X, y, task=task, cv=TaskKFold(2))
    print(comparison.summary(), comparison.frame)
    return comparison


class Scaled(penalties.Penalty):
    """A penalty of one's own."""

    is_norm = False

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def value(self, W: Array) -> float:
        return self.alpha * float(np.sum(W**2))

    def prox(self, V: Array, step: Any) -> Array:
        return np.asarray(V / (1 + 2 * self.alpha * step))


def mistakes(X: Array, y: Array) -> None:
    mtl.DirtyRegressor(alpha_blok=0.1)  # type: ignore[call-arg]
    mtl.DirtyRegressor(q="two")  # type: ignore[arg-type]
    mtl.BlockSparseRegressor(0.1, loss="hugging")  # type: ignore[arg-type]
    mtl.BlockSparseRegressor(0.1, 2, 1.0, True)  # type: ignore[call-arg]
    mtl.BlockSparseRegressor().fit(X, y, X)  # type: ignore[call-arg]
    mtl.regularization_path(mtl.BlockSparseRegressor(), X)  # type: ignore[call-arg]
    print(mtl.certify(mtl.BlockSparseRegressor().fit(X, y), X, y).primal_)  # type: ignore[attr-defined]
    mtl.BlokSparseRegressor()  # type: ignore[attr-defined]
    mtl.TraceNorm(alpha=[0.1])  # type: ignore[arg-type]
    datasets.make_dirty(layout="stack")  # type: ignore[arg-type]
