"""The search over families: who takes part, what it says of them, and what it leaves out."""

import builtins
import pickle
import sys
import warnings
from types import SimpleNamespace

import cases
import numpy as np
import pandas as pd
import pytest
import sklearn
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_classifier
from sklearn.compose import make_column_transformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import convexmtl as cm
from convexmtl import _families, baselines, datasets, estimators
from convexmtl.model_selection import TaskKFold

AUTOS = [cm.AutoMultiTaskRegressor, cm.AutoMultiTaskClassifier]
FEW = ["BlockSparse", "MeanRegularized"]
QUICK = {"families": FEW, "alphas": 3, "cv": 3}
# (At its default of strengths a baseline takes most of the time that families with few of them do.)
SHORT = {"alphas": 10}
FOUR = SimpleNamespace(task_labels=range(4), has_own_classes=False)  # what is asked of the data
every_auto = pytest.mark.parametrize("cls", AUTOS, ids=lambda cls: cls.__name__)


def drawn(cls, form):
    return cases.user_input(cls().loss, form)


def twin(cls, name):
    """The class that searches a family."""
    return getattr(cm, f"{name}{cls.__name__.removeprefix('AutoMultiTask')}CV")


def rows(auto):
    """{family: row of the leaderboard}."""
    return auto.leaderboard_.set_index("family").T.to_dict()


@pytest.fixture(autouse=True)
def short_baselines(monkeypatch):
    short = {n: lambda owner, make=make: make(owner).set_params(**SHORT) for n, make in _families.BASELINES.items()}
    monkeypatch.setattr(_families, "BASELINES", short)


@cases.few_checks
@cases.checks_of_scikit_learn([cls(["MeanRegularized"], alphas=2, cv=2) for cls in AUTOS])
def test_sklearn_compatible_estimator(estimator, check, monkeypatch):
    monkeypatch.setitem(SHORT, "alphas", 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


# --------------------------------------------------------------------------------- who takes part


@every_auto
def test_families_that_need_no_structure(cls):
    kind = cls.__name__.removeprefix("AutoMultiTask")
    names = {name.removesuffix(f"{kind}CV") for name in estimators.__all__ if name.endswith(f"{kind}CV")}
    told = {"GraphGuided", "MultiTask", "Temporal", "TreeGuided"}
    assert {one.name for one in _families.candidates(cls(), FOUR)} == {"single-task", "pooled"} | names - told


def test_all_of_them():
    X, Y, _ = drawn(cm.AutoMultiTaskRegressor, "shared")
    auto = cm.AutoMultiTaskRegressor(alphas=2, cv=2).fit(X, Y)
    assert len(auto.leaderboard_) == len(_families.candidates(auto, FOUR)) and not auto.left_out_


def test_a_new_family_takes_part(monkeypatch):
    class NewRegressor(cm.BlockSparseRegressor):
        pass

    class NewRegressorCV(cm.BlockSparseRegressorCV):
        _single = NewRegressor

    X, Y, _ = drawn(cm.AutoMultiTaskRegressor, "shared")
    monkeypatch.setattr(estimators, "__all__", ["NewRegressor", "NewRegressorCV", "BlockSparseRegressorCV"])
    monkeypatch.setattr(estimators, "NewRegressorCV", NewRegressorCV, raising=False)
    found = rows(cm.AutoMultiTaskRegressor(alphas=3, cv=2).fit(X, Y))
    assert set(found) == {"New", "BlockSparse", "single-task", "pooled"}
    assert found["New"]["loss"] == found["BlockSparse"]["loss"]
    monkeypatch.setattr(NewRegressor, "_structure", ("q",))
    assert "New" not in rows(cm.AutoMultiTaskRegressor(alphas=3, cv=2).fit(X, Y))


def test_families_as_estimators():
    """One that searches keeps its strengths; of another one they are searched for, and the rest is kept."""
    X, Y, _ = drawn(cm.AutoMultiTaskRegressor, "shared")
    graph = cm.GraphGuidedRegressor([(0, 1), (2, 3)], norm="l2")
    given = [
        cm.BlockSparseRegressor(q=np.inf, fit_intercept=False),
        "BlockSparse",
        graph,
        cm.DirtyRegressorCV(alphas=[0.2, 0.1], ratios=[1.5], cv=7),
        cm.MultiTaskRegressor(cm.TraceNorm() + cm.MeanCoupling(0.1, 0.1)),
    ]
    search = _families.candidates(cm.AutoMultiTaskRegressor(given, alphas=3, tol=1e-6), FOUR)
    twins = {one.name: one.twin for one in search}
    names = ["BlockSparse", "BlockSparse 2", "GraphGuided", "Dirty", "MultiTask"]
    assert list(twins) == ["single-task", "pooled", *names]
    assert twins["BlockSparse"].q == np.inf and not twins["BlockSparse"].fit_intercept
    assert twins["BlockSparse 2"].alphas == 3 and twins["BlockSparse 2"].tol == 1e-6
    assert twins["GraphGuided"].graph == graph.graph and twins["GraphGuided"].norm == "l2"
    assert twins["Dirty"].alphas == [0.2, 0.1] and twins["Dirty"] is not given[3]
    auto = cm.AutoMultiTaskRegressor(given, alphas=3, cv=3).fit(X, Y)
    assert rows(auto)["Dirty"]["strengths"]["alpha_block"] in (0.2, 0.1)
    assert set(rows(auto)["MultiTask"]["strengths"]) == {"first__alpha", "second__alpha_mean", "second__alpha_variance"}
    assert given[3].cv == 7 and not hasattr(given[3], "coef_")


@pytest.mark.parametrize(
    "families, error, message",
    [
        (["Foo"], ValueError, "there is no 'Foo'; there are 'BlockSparse', 'Clustered'"),
        ([], ValueError, r"or None for all, got \[\]"),
        ("Dirty", ValueError, "'families' parameter .* Got 'Dirty'"),
        ([3], TypeError, "got 3, which is none"),
        ([cm.BlockSparseRegressor], TypeError, "got <class"),
        ([cm.AutoMultiTaskRegressor()], TypeError, "has no twin that searches"),
        (
            [cm.BlockSparseClassifier()],
            ValueError,
            r"BlockSparseClassifier\(\) and AutoMultiTaskRegressor are for diff",
        ),
        ([cm.BlockSparseRegressor(loss="huber")], ValueError, "has loss='huber', and .* loss='squared'; .* set it in"),
        ([cm.BlockSparseRegressor(task_weight="size")], ValueError, "task_weight='size'"),
        ([cm.ClusteredRegressor(n_clusters=9)], ValueError, "n_clusters"),
    ],
)
def test_families_that_cannot_take_part(families, error, message):
    X, Y, _ = drawn(cm.AutoMultiTaskRegressor, "shared")
    with pytest.raises(error, match=message):
        cm.AutoMultiTaskRegressor(families, cv=2, alphas=2).fit(X, Y)


@pytest.mark.parametrize("name, value", [("time_budget", 0), ("time_budget", -1.5), ("per_task", 2), ("alphas", [1.0])])
def test_parameters_that_make_no_sense(name, value, monkeypatch):
    monkeypatch.setattr(_families.Search, "make", lambda *args: pytest.fail("work was done"))
    X, Y, _ = drawn(cm.AutoMultiTaskRegressor, "shared")
    with pytest.raises(ValueError, match=f"'{name}' parameter of AutoMultiTaskRegressor .* Got"):
        cm.AutoMultiTaskRegressor(**{name: value}).fit(X, Y)
    folds = [(np.arange(12), np.arange(12, 24)), (np.arange(0), np.arange(24))]
    with pytest.raises(ValueError, match="fold 1 trains on no sample of task 0"):
        cm.AutoMultiTaskRegressor(cv=folds).fit(X, Y)


# --------------------------------------------------------------------------- what it says of them


@pytest.mark.covering(1)
@pytest.mark.parametrize("form", cases.INPUT_FORMS)
@every_auto
def test_as_the_searches_on_their_own(cls, form, monkeypatch):
    """Losses, strengths and the best are those of the twins on the same folds."""
    monkeypatch.setattr(_families, "SHORTEST", 1.0)  # no path is made longer
    X, y, given = drawn(cls, form)
    auto = cls(FEW, alphas=4, cv=3).fit(X, y, **given)
    found, T = rows(auto), len(auto.tasks_)
    kind = cls.__name__.removeprefix("AutoMultiTask")
    own = {name: twin(cls, name)(alphas=4, cv=3) for name in FEW}
    own |= {"single-task": getattr(baselines, f"SingleTask{kind}CV")(cv=3, **SHORT)}
    own |= {"pooled": getattr(baselines, f"Pooled{kind}CV")(cv=3, **SHORT)} if T > 1 else {}
    assert list(found) == sorted(found, key=lambda name: found[name]["loss"]) and set(found) == set(own)
    errors = []
    for name, search in own.items():
        search.fit(X, y, **given)
        errors.append(np.nanmean(search.task_errors_, axis=0))
        if auto.best_family_ == name:
            assert_array_equal(auto.coef_, search.coef_)
            assert_array_equal(auto.predict(X, **_task(given)), search.predict(X, **_task(given)))
        if name == "pooled":
            continue  # (its own errors weigh the folds by all their samples)
        of_fold = search.mse_path_.reshape(-1, 3)
        chosen = of_fold[np.argmin(of_fold.mean(axis=1))]
        assert_allclose(found[name]["loss"], chosen.mean())
        assert_allclose(found[name]["standard_error"], chosen.std(ddof=1) / np.sqrt(3))
        for strength, value in found[name]["strengths"].items():
            assert_allclose(value, getattr(search, f"{strength}_"), rtol=1e-5)
    best = np.bincount(np.argmin(errors, axis=0), minlength=len(own))
    ties = T == 1  # (the same model may be there twice)
    assert ties or {name: found[name]["tasks_best"] for name in own} == dict(zip(own, best.tolist(), strict=True))
    assert auto.leaderboard_["tasks_best"].sum() == T and auto.leaderboard_["complete"].all() and not auto.left_out_
    assert auto.task_families_.tolist() == [auto.best_family_] * T
    assert_allclose(cm.certify(auto, X, y, **given).gap, auto.dual_gap_, rtol=1e-6, atol=1e-12)
    assert auto.best_estimator_.cv == 3


def _task(given):
    return {"task": given["task"]} if "task" in given else {}


def test_the_loss_of_the_pooled_model():
    """Each task counts by its mean on the test part, as elsewhere, also where numbers of targets differ."""
    X, Y, _ = drawn(cm.AutoMultiTaskRegressor, "missing")
    folds = list(KFold(3, shuffle=True, random_state=0).split(X))
    auto = cm.AutoMultiTaskRegressor(["BlockSparse"], cv=folds, alphas=2).fit(X, Y)
    whole = baselines.PooledRegressorCV(cv=folds, **SHORT).fit(X, Y)
    losses = []
    for train, test in folds:
        part = baselines.PooledRegressorCV(alphas=[whole.alpha_], cv=2).fit(X[train], Y[train])
        losses.append(np.nanmean((Y[test] - part.predict(X[test])) ** 2, axis=0).mean())
    # (Tasks count in its fits what they do with all their samples, which are here not those of the part alone.)
    assert_allclose(rows(auto)["pooled"]["loss"], np.mean(losses), rtol=0.01)
    assert_allclose(rows(auto)["pooled"]["loss"], np.nanmean(whole.task_errors_, axis=1).mean())


def test_without_pandas(monkeypatch):
    X, Y, _ = drawn(cm.AutoMultiTaskRegressor, "shared")
    frame = cm.AutoMultiTaskRegressor(**QUICK).fit(X, Y).leaderboard_
    imported = builtins.__import__

    def refuse(name, *args):
        if name == "pandas":
            raise ImportError(name)
        return imported(name, *args)

    monkeypatch.setattr(builtins, "__import__", refuse)
    found = cm.AutoMultiTaskRegressor(**QUICK).fit(X, Y).leaderboard_
    assert isinstance(found, list) and list(found[0]) == list(frame)
    assert [row["loss"] for row in found] == frame["loss"].tolist()


@every_auto
def test_the_best_of_all(cls):
    """Its predictions, probabilities and scores, behind a column of tasks and with labels as strings."""
    X, y, given = drawn(cls, "stacked")
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])]).assign(region=given["task"])
    auto = cls(**QUICK, task_column="region").fit(frame, y)
    assert_array_equal(auto.tasks_, sorted(cases.TASK_NAMES))
    assert_array_equal(auto.predict(frame), auto.best_estimator_.predict(frame))
    assert auto.score(frame, y) == auto.best_estimator_.score(frame, y)
    assert_array_equal(auto.feature_names_in_, frame.columns)
    assert auto.n_iter_ >= 1 and auto.objective_ > auto.dual_gap_ >= 0
    if is_classifier(auto):
        assert_array_equal(auto.classes_, ["no", "yes"])
        assert_array_equal(auto.predict_proba(frame), auto.best_estimator_.predict_proba(frame))
    with pytest.raises(ValueError, match="was not seen in fit"):
        auto.predict(frame.assign(region="nowhere"))


def test_strengths_within_a_standard_error():
    X, y, given = drawn(cm.AutoMultiTaskRegressor, "stacked")
    best, simple = (cm.AutoMultiTaskRegressor(FEW, selection=s, alphas=30).fit(X, y, **given) for s in ("best", "1se"))
    for name in FEW:
        search = twin(cm.AutoMultiTaskRegressor, name)(selection="1se", alphas=30).fit(X, y, **given)
        strength, value = next(iter(rows(simple)[name]["strengths"].items()))
        assert_allclose(value, getattr(search, f"{strength}_"), rtol=1e-5)
        assert value > rows(best)[name]["strengths"][strength]


def test_a_path_that_ends_too_soon_is_made_longer():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 3))
    Y = X @ rng.standard_normal((3, 3)) + 1e-3 * rng.standard_normal((40, 3))
    short = cm.BlockSparseRegressorCV(alphas=5, tol=1e-8).fit(X, Y)
    auto = cm.AutoMultiTaskRegressor(["BlockSparse"], alphas=5, tol=1e-8).fit(X, Y)
    assert short.alpha_ == short.alphas_[-1]
    longer = rows(auto)["BlockSparse"]
    assert longer["strengths"]["alpha"] < short.alpha_ / 2 and longer["loss"] < short.mse_path_.mean(axis=1).min() / 2


# ------------------------------------------------------------------------------- a model per task


def with_an_outlier(seed=0):
    """Tasks that are alike, and a last one that is the opposite of them: a model of its own is better for it."""
    rng = np.random.default_rng(seed)
    w, task = rng.standard_normal(5), np.repeat(np.arange(6), 30)
    X = rng.standard_normal((180, 5))
    return X, X @ w * np.where(task == 5, -1, 1) + rng.standard_normal(180), task


def test_tasks_fall_back_to_a_baseline():
    X, y, task = with_an_outlier()
    options = {"families": ["MeanRegularized"], "cv": 5}
    plain = cm.AutoMultiTaskRegressor(**options).fit(X, y, task=task)
    auto = cm.AutoMultiTaskRegressor(**options, per_task=True).fit(X, y, task=task)
    searches = {
        "MeanRegularized": plain.best_estimator_,
        "single-task": baselines.SingleTaskRegressorCV(**SHORT).fit(X, y, task=task),
        "pooled": baselines.PooledRegressorCV(**SHORT).fit(X, y, task=task),
    }
    assert plain.best_family_ == "MeanRegularized" and set(plain.task_families_) == {"MeanRegularized"}
    ours = searches["MeanRegularized"].task_errors_
    for t in range(6):
        gains = {}
        for name in ("single-task", "pooled"):
            gain = ours[:, t] - searches[name].task_errors_[:, t]
            if gain.mean() > gain.std(ddof=1) * np.sqrt(1 / 5 + 1 / 4):
                gains[name] = gain.mean()
        expected = max(gains, key=gains.get, default="MeanRegularized")
        assert auto.task_families_[t] == expected
        assert_array_equal(auto.coef_[t], searches[expected].coef_[t])
        assert auto.intercept_[t] == searches[expected].intercept_[t]
    assert auto.task_families_[5] == "single-task"
    n_others = np.sum(auto.task_families_ != "MeanRegularized")
    assert f"{n_others} of 6 tasks have the coefficients of a baseline (task_families_)." in cm.explain_fit(auto).notes
    assert "baseline" not in str(cm.explain_fit(auto.best_estimator_))
    assert_array_equal(auto.best_estimator_.coef_, plain.coef_)
    new = np.random.default_rng(1).standard_normal((9, 5))
    assert_allclose(auto.predict(new, task=np.full(9, 5)), searches["single-task"].predict(new, task=np.full(9, 5)))


def test_what_beyond_one_standard_error_means():
    ours = np.array([[1.0, 1.0, np.nan, 1.0, 2.0], [2.0, 2.0, 5.0, np.nan, 2.0], [3.0, 3.0, np.nan, 3.0, 2.0]])
    theirs = np.array([[0.9, 1.5, np.nan, 0.5, 2.0], [1.9, 1.0, 1.0, np.nan, 2.0], [2.9, 2.5, np.nan, 2.9, 2.0]])
    # Always by 0.1; 0.33 with an error of 0.44; in a single fold; 0.3 with one of 0.2; never.
    assert_array_equal(_families.better(ours, theirs, 0.0), [True, False, False, True, False])
    # As large as that of 1 / 3 + 1 / 2 in place of 1 / 3 folds, or 1 / 2 + 1 / 2 where two test the task.
    assert_array_equal(_families.better(ours, theirs, 0.5), [True, False, False, True, False])
    assert_array_equal(_families.better(ours, theirs, 1.0), [True, False, False, False, False])


def test_one_task_has_one_baseline():
    X, y, _ = drawn(cm.AutoMultiTaskRegressor, "single")
    auto = cm.AutoMultiTaskRegressor(alphas=2, cv=2, per_task=True).fit(X, y)
    assert "pooled" not in rows(auto) and "single-task" in rows(auto) and not auto.left_out_
    assert auto.coef_.shape == (1, 6) and auto.predict(X).shape == (25,)


# ------------------------------------------------------------------------------------------ time


@pytest.fixture
def clock(monkeypatch):
    """A clock on which a strength of a path takes a hundredth of a second, and nothing else anything."""
    now = SimpleNamespace(time=0.0)
    for module in (_families, sys.modules["convexmtl.auto"]):
        monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: now.time))
    for cls in (cm.BlockSparseRegressorCV, cm.DirtyRegressorCV, cm.TraceNormRegressorCV):

        def fit(self, *args, _fit=cls.fit, **kwargs):
            now.time += 0.01 * self.alphas * len(self._settings(6, 4))
            return _fit(self, *args, **kwargs)

        monkeypatch.setattr(cls, "fit", fit)
    return now


BUDGETED = {"families": ["Dirty", "BlockSparse", "TraceNorm"], "alphas": 30, "cv": 2}


@pytest.mark.parametrize(
    "budget, partly, never",
    [
        # 0.08 for few strengths of BlockSparse and TraceNorm each, 0.24 of Dirty; 0.3 and 1.5 for all of them.
        (0.05, {"BlockSparse"}, {"TraceNorm", "Dirty"}),
        (0.1, {"BlockSparse", "TraceNorm"}, {"Dirty"}),
        (0.41, {"BlockSparse", "TraceNorm", "Dirty"}, set()),
        (0.8, {"BlockSparse", "Dirty"}, set()),
        (1.3, {"Dirty"}, set()),
        (4.0, set(), set()),
    ],
)
def test_time_budget(clock, budget, partly, never):
    X, Y, _ = datasets.make_low_rank(n_tasks=4, n_samples=40, n_features=6, layout="shared", random_state=0)
    auto = cm.AutoMultiTaskRegressor(**BUDGETED, time_budget=budget)
    if partly | never:
        with pytest.warns(UserWarning, match="left_out_ says more"):
            auto.fit(X, Y)
    else:
        auto.fit(X, Y)
    assert set(auto.left_out_) == partly | never
    found = rows(auto)
    assert {name for name, row in found.items() if not row["complete"]} == partly and not never & set(found)
    assert all("the time was over" in auto.left_out_[name] for name in never)
    assert all("few strengths only: " in auto.left_out_[name] for name in partly)
    assert {"single-task", "pooled"} < set(found)
    if not auto.left_out_:
        whole = cm.AutoMultiTaskRegressor(**BUDGETED).fit(X, Y)
        assert_array_equal(auto.coef_, whole.coef_)
        assert_array_equal(auto.leaderboard_["loss"], whole.leaderboard_["loss"])


def test_few_strengths_are_some_of_all():
    few = _families._few(cm.BlockSparseRegressorCV(l1_ratio=[0.1, 0.3, 0.5, 0.7, 0.9]))
    assert few.l1_ratio == [0.1, 0.5, 0.9] and few.alphas == 8
    few = _families._few(cm.DirtyRegressorCV(alphas=list(range(1, 21)), ratios=5))
    assert few.ratios == 3 and few.alphas[0] == 1 and few.alphas[-1] == 20 and len(few.alphas) == 8
    few = _families._few(cm.TemporalRegressorCV(alphas=5))
    assert few.alphas == 5 and few.sparse_ratios == (0.1, 1.0)


def test_what_data_refuse_is_left_out():
    """Of the families nobody has asked for; there, with more clusters by default than tasks."""
    X, Y, _ = drawn(cm.AutoMultiTaskRegressor, "shared")

    class Picky(cm.ClusteredRegressorCV):
        _single = cm.ClusteredRegressor

        def _settings(self, n_features, n_tasks):
            raise ValueError("too few tasks")

    candidate = _families.Candidate("Picky", Picky(cv=2), False)
    owner = cm.AutoMultiTaskRegressor(["BlockSparse"], alphas=2, cv=2)
    steps = SimpleNamespace(done=lambda name: None)
    search = _families.Search(owner, 0.0, owner._read(X, Y, None, None, reset=True), steps, X, Y, {})
    search.make([candidate])
    assert search.left_out == {"Picky": "not possible: too few tasks"} and not search.found
    with pytest.raises(ValueError, match="too few tasks"):
        search.make([candidate._replace(asked_for=True)])


# ----------------------------------------------------------------------- beside scikit-learn


def test_jobs_change_nothing():
    X, y, task = with_an_outlier()
    with parallel_config("threading"):
        one, two = (cm.AutoMultiTaskRegressor(**QUICK, n_jobs=n).fit(X, y, task=task) for n in (1, 2))
    assert_array_equal(one.coef_, two.coef_)
    assert_array_equal(one.leaderboard_["loss"], two.leaderboard_["loss"])


@every_auto
def test_cloned_and_pickled(cls):
    X, y, given = drawn(cls, "stacked")
    auto = cls(["MeanRegularized", twin(cls, "Dirty")(alphas=2, ratios=2)], alphas=3, cv=2, per_task=True).fit(
        X, y, **given
    )
    copy = pickle.loads(pickle.dumps(auto))
    assert_array_equal(copy.predict(X, task=given["task"]), auto.predict(X, task=given["task"]))
    assert copy.leaderboard_["strengths"].tolist() == auto.leaderboard_["strengths"].tolist()
    other = clone(auto)
    assert other.families[1] is not auto.families[1] and not hasattr(other, "coef_")
    assert_array_equal(other.fit(X, y, **given).coef_, auto.coef_)


def test_pipelines_and_searches():
    X, y, task = with_an_outlier()
    frame = pd.DataFrame(X, columns=list("abcde")).assign(school=task)
    scale = make_column_transformer((StandardScaler(), list("abcde")), remainder="passthrough")
    scale.set_params(verbose_feature_names_out=False).set_output(transform="pandas")
    pipeline = make_pipeline(scale, cm.AutoMultiTaskRegressor(**QUICK, task_column="school"))
    cv = TaskKFold(2, task_column="school")
    search = GridSearchCV(pipeline, {"automultitaskregressor__per_task": [True, False]}, cv=cv).fit(frame, y)
    assert search.best_estimator_[-1].task_families_.shape == (6,) and search.score(frame, y) > 0.4
    assert cross_val_predict(pipeline, frame, y, cv=cv).shape == y.shape


def test_routing():
    X, y, task = with_an_outlier()
    with sklearn.config_context(enable_metadata_routing=True):
        few = {"families": ["MeanRegularized"], "alphas": 2}
        auto = cm.AutoMultiTaskRegressor(**few, cv=TaskKFold(3).set_split_request(groups=True))
        auto.set_fit_request(task=True).set_score_request(task=True)
        search = GridSearchCV(auto, {"per_task": [True, False]}, cv=TaskKFold(2).set_split_request(groups=True))
        search.fit(X, y, task=task, groups=task)
        assert len(search.best_estimator_.tasks_) == 6
        own = cm.AutoMultiTaskRegressor(**few, cv=3).fit(X, y, task=task)
        assert_array_equal(own.coef_, auto.fit(X, y, task=task, groups=task).coef_)


def test_progress():
    callbacks = pytest.importorskip("sklearn.callback", reason="needs scikit-learn 1.9")
    told = []

    class Recorded(callbacks.ProgressBar):
        def setup(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            told.append("done")

        def on_fit_task_begin(self, estimator, context):
            told.append((context.task_name, context.max_subtasks))

        def on_fit_task_end(self, estimator, context):
            pass

    X, Y, _ = drawn(cm.AutoMultiTaskRegressor, "shared")
    cm.AutoMultiTaskRegressor(**QUICK).set_callbacks(Recorded()).fit(X, Y)
    assert told == [("fit", 4), *((name, 0) for name in ("single-task", "pooled", *FEW)), "done"]


def test_verbose(capsys):
    X, Y, _ = drawn(cm.AutoMultiTaskRegressor, "shared")
    cm.AutoMultiTaskRegressor(**QUICK).fit(X, Y)
    assert not capsys.readouterr().out
    auto = cm.AutoMultiTaskRegressor(**QUICK, verbose=1).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines[:4]] == [
        f"[AutoMultiTaskRegressor] {name}" for name in ("single-task", "pooled", *FEW)
    ]
    assert f"loss {rows(auto)['pooled']['loss']:.6g}, " in lines[1]
    assert lines[4].startswith("AutoMultiTaskRegressor: 4 tasks, 6 features")


def test_warnings_of_the_best_and_of_the_others():
    X, y, given = drawn(cm.AutoMultiTaskRegressor, "stacked")
    with pytest.warns(ConvergenceWarning) as caught:
        hard = [cm.BlockSparseRegressor(max_iter=1, tol=1e-12), "MeanRegularized"]
        auto = cm.AutoMultiTaskRegressor(hard, alphas=4, cv=2).fit(X, y, **given)
    assert {warning.filename for warning in caught} == {__file__}
    if auto.best_family_ != "BlockSparse":
        (warning,) = caught
        assert "some fits of BlockSparse did not converge" in str(warning.message)


def test_all_or_nothing():
    X, y, given = drawn(cm.AutoMultiTaskRegressor, "stacked")
    auto = cm.AutoMultiTaskRegressor(**QUICK).fit(X, y, **given)
    coef = auto.coef_
    with pytest.raises(ValueError, match="task must have shape"):
        auto.fit(X[:-1], y[:-1], **given)
    assert auto.coef_ is coef and auto.left_out_ == {}
    with pytest.raises(TypeError, match="has no problem of its own before it is fitted"):
        cm.alpha_max(auto, X, y, **given)
