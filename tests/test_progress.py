"""Fits, paths and searches tell scikit-learn's callbacks how far they are, and progress bars show it."""

import pytest
from sklearn.model_selection import GridSearchCV

import convexmtl as cm
from convexmtl import datasets, distributed
from convexmtl.estimators import _base

callbacks = pytest.importorskip("sklearn.callback", reason="needs scikit-learn 1.9")

X, Y, _ = datasets.make_block_sparse(n_tasks=3, n_samples=60, n_features=8, layout="shared", random_state=0)


class Recorded(callbacks.ProgressBar):
    """What a progress bar is told."""

    told = None

    def setup(self, estimator, context):
        self.told = []

    def teardown(self, estimator, context):
        self.told.append("done")

    def on_fit_task_begin(self, estimator, context):
        self.told.append((context.task_name, context.max_subtasks))

    def on_fit_task_end(self, estimator, context):
        pass


def test_progress_of_a_search():
    bar = Recorded()
    cm.DirtyRegressorCV(alphas=3, ratios=2, cv=3).set_callbacks(bar).fit(X, Y)
    assert bar.told[0] == ("fit", 7) and len(bar.told) == 9
    assert bar.told[1][0] == "path 1, fold 1" and bar.told[6][0] == "path 2, fold 3"
    assert bar.told[-2:] == [("fit", 0), "done"]


def test_progress_of_a_path():
    bar, estimator = Recorded(), cm.BlockSparseRegressor()
    cm.regularization_path(estimator.set_callbacks(bar), X, Y, alphas=[1.0, 0.1])
    assert bar.told == [("fit", 2), ("alpha=1", 0), ("alpha=0.1", 0), "done"]
    assert vars(estimator).keys() - {"_skl_callbacks"} == vars(cm.BlockSparseRegressor()).keys()


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("name", ["single", "twin", "path", "grid"])
def test_progress_bars(name, n_jobs, capfd):
    bar = callbacks.ProgressBar(max_propagation_depth=None)
    if name == "single":
        cm.BlockSparseRegressor().set_callbacks(bar).fit(X, Y)
    elif name == "twin":
        cm.BlockSparseRegressorCV(alphas=3, cv=3, n_jobs=n_jobs).set_callbacks(bar).fit(X, Y)
    elif name == "path":
        cm.regularization_path(cm.BlockSparseRegressor().set_callbacks(bar), X, Y, alphas=3)
    else:
        GridSearchCV(cm.BlockSparseRegressor(), {"alpha": [0.1, 1.0]}, n_jobs=n_jobs).set_callbacks(bar).fit(X, Y)
    assert "BlockSparseRegressor" in capfd.readouterr().out


def test_a_progress_bar_ends_with_an_interrupt(monkeypatch):
    bar = Recorded()
    estimator = cm.BlockSparseRegressor().set_callbacks(bar)
    monkeypatch.setattr(_base, "solve", lambda *args: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        estimator.fit(X, Y)
    assert bar.told[-1] == "done" and not hasattr(estimator, "_callback_fit_ctx")


@pytest.mark.parametrize("method", ["statistics", "newton", "gradient"])
def test_progress_of_chunks(method):
    chunks = [(X[:30], Y[:30]), (X[30:], Y[30:])]
    bar = Recorded()
    distributed.fit(cm.BlockSparseRegressor(0.1).set_callbacks(bar), chunks, method=method)
    assert bar.told[0] == ("fit", None) and bar.told[-1] == "done"
    names = [name for name, _ in bar.told[1:-1]]
    assert names == ["statistics"] if method == "statistics" else all(name.startswith("round ") for name in names)
    assert names


def test_progress_of_a_search_in_chunks():
    bar = Recorded()
    twin = cm.BlockSparseRegressorCV(alphas=3, cv=3).set_callbacks(bar)
    distributed.fit(twin, [(X[:30], Y[:30]), (X[30:], Y[30:])])
    assert [told[0] for told in bar.told[:2]] == ["fit", "path 1, fold 1"] and bar.told[-2:] == [("fit", 0), "done"]
