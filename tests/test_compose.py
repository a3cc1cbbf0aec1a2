"""Transformed targets: what scikit-learn's own meta-estimator gives, and holes."""

import cases
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import convexmtl as cm
from convexmtl.compose import TargetTransformer
from convexmtl.model_selection import TaskKFold

X, Y, _ = cases.user_input("squared", "shared")
HOLES = np.where(np.random.default_rng(1).random(Y.shape) < 0.2, np.nan, Y)
SCALES = np.array([1e-6, 1.0, 1e3, 1e6])


@cases.checks_of_scikit_learn([TargetTransformer()])
def test_scikit_learn(estimator, check):
    check(estimator)


def test_without_holes_it_is_the_one_of_scikit_learn():
    regressor = cm.TraceNormRegressor(0.1, tol=1e-9)
    ours = TargetTransformer(regressor).fit(X, Y * SCALES)
    theirs = TransformedTargetRegressor(regressor, transformer=StandardScaler()).fit(X, Y * SCALES)
    assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-12)
    assert_allclose(ours.score(X, Y * SCALES), theirs.score(X, Y * SCALES), rtol=1e-12)


def test_units_of_targets_with_holes_do_not_matter():
    model = TargetTransformer(cm.BlockSparseRegressor(0.1, tol=1e-10))
    one, other = (model.fit(X, targets).predict(X) for targets in (HOLES, HOLES * SCALES + 5))
    assert_allclose(other, one * SCALES + 5, rtol=1e-6)
    by_hand = (HOLES - np.nanmean(HOLES, axis=0)) / np.nanstd(HOLES, axis=0)
    coef = cm.BlockSparseRegressor(0.1, tol=1e-10).fit(X, by_hand).coef_
    assert_allclose(model.fit(X, HOLES).regressor_.coef_, coef, atol=1e-9)


def test_tasks():
    frame = pd.DataFrame(X).rename(columns=str).assign(task=np.arange(len(X)) % 3)
    y, model = Y[:, 0] * 1e6, TargetTransformer(cm.MeanRegularizedRegressor(task_column="task"))
    by_label = TargetTransformer(cm.MeanRegularizedRegressor()).fit(X, y, task=frame.task)
    assert_allclose(model.fit(frame, y).predict(frame), by_label.predict(X, task=frame.task))
    search = GridSearchCV(model, {"regressor__alpha_mean": [0.1, 1e3]}, cv=TaskKFold(3, task_column="task"))
    assert search.fit(frame, y).best_params_ == {"regressor__alpha_mean": 0.1}
    names = ["n", "e", "s", "w"]
    named = TargetTransformer(cm.TraceNormRegressor(0.1)).fit(X, pd.DataFrame(HOLES, columns=names))
    assert named.regressor_.tasks_.tolist() == names
    assert_allclose(named.predict(X[:2], task=["w", "n"]), named.predict(X[:2])[[0, 1], [3, 0]])


def test_a_transformer_that_loses_targets():
    with pytest.raises(ValueError, match=r"transformer must give a number for every target, got FunctionTransformer"):
        TargetTransformer(transformer=FunctionTransformer(lambda y: np.where(y > 0, y, np.nan))).fit(X, Y)
