"""What a comparison has found: a table, words, a picture."""

import numpy as np
from scipy import stats

from ._statistics import corrected_t, holm, weighted_mean

HELPED, UNAFFECTED, HURT, UNTESTED = "helped", "unaffected", "hurt", "untested"
NAMED = 8  # tasks that are named in a sentence


class Comparison:
    """What ``compare_tasks`` has found; printed, it is its summary.

    Attributes
    ----------
    models : list of str
    tasks : ndarray of shape (T,)
        Task labels.
    scores : ndarray of shape (n_models, J, T)
        Of every model on every fold, more is better; NaN where a task has no row to test.
    single_task_scores, pooled_scores : ndarray of shape (n_models, J, T)
        Those of the baselines beside each model; where tasks have more than two classes, and not all the same ones,
        there is no one model for all of them, and its scores are NaN.
    n_train, n_test : ndarray of shape (J, T)
        Rows of every task.
    scoring : str
        What the scores are, in words.
    alpha : float

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import MeanRegularizedRegressor, compare_tasks
    >>> from convexmtl.model_selection import TaskKFold
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(30, 4))
    >>> Y = (X @ [1.0, 2.0, 0.0, 0.0])[:, np.newaxis] + rng.normal(size=(30, 3))
    >>> found = compare_tasks(MeanRegularizedRegressor(), X, Y, cv=TaskKFold(3))
    >>> [row["verdict"] in ("helped", "unaffected", "hurt") for row in found.rows]
    [True, True, True]
    """

    def __init__(self, models, tasks, scores, single_task_scores, pooled_scores, n_train, n_test, scoring, sign, alpha):
        self.models = models
        self.tasks = tasks
        self.scores = scores
        self.single_task_scores = single_task_scores
        self.pooled_scores = pooled_scores
        self.n_train = n_train
        self.n_test = n_test
        self.scoring = scoring
        self.alpha = alpha
        self._sign = sign
        self._tables = {model: self._table(m) for m, model in enumerate(models)}

    def _table(self, m):
        """{column: (T,)} of one model."""
        both = [self.scores[m] - other[m] for other in (self.single_task_scores, self.pooled_scores)]
        over_single, over_pooled = (corrected_t(one, self.n_train, self.n_test) for one in both)
        p_holm, level = holm(over_single.p, self.alpha)
        p_pooled, _ = holm(over_pooled.p, self.alpha)
        width = stats.t.isf(level / 2, over_single.df) * over_single.se
        verdict = np.full(len(self.tasks), UNAFFECTED, dtype=object)
        verdict[(p_holm <= self.alpha) & (over_single.mean > 0)] = HELPED
        verdict[(p_holm <= self.alpha) & (over_single.mean < 0)] = HURT
        verdict[np.isnan(p_holm)] = UNTESTED
        mean = lambda scores: self._sign * weighted_mean(scores, self.n_test)  # noqa: E731
        return {
            "task": self.tasks,
            "n": np.max(self.n_train + self.n_test, axis=0).astype(int),
            "score": mean(self.scores[m]),
            "single_task": mean(self.single_task_scores[m]),
            "pooled": mean(self.pooled_scores[m]),
            "gain": over_single.mean,
            "se": over_single.se,
            "low": over_single.mean - width,
            "high": over_single.mean + width,
            "p": over_single.p,
            "p_holm": p_holm,
            "verdict": verdict,
            "gain_over_pooled": over_pooled.mean,
            "p_holm_over_pooled": p_pooled,
            "pooled_would_do": ~((p_pooled <= self.alpha) & (over_pooled.mean > 0)) & ~np.isnan(p_pooled),
        }

    @property
    def rows(self):
        """[{column: value}], one for every task and model: those of ``frame``."""
        out = []
        for model, table in self._tables.items():
            columns = {name: values.tolist() for name, values in table.items()}
            tasks = columns.pop("task")
            for t, task in enumerate(tasks):
                out.append({"task": task, "model": model, **{name: column[t] for name, column in columns.items()}})
        return out

    @property
    def frame(self):
        """A row for every task and model, as a pandas DataFrame; without pandas ``rows``.

        - task, model
        - n : targets of the task
        - score, single_task, pooled : of the model and the baselines, means over the folds; errors where ``scoring``
          is one, for which less is better
        - gain, se : how much better the model is than one per task, and the standard error of that
        - low, high : interval of the gain, of the level at which Holm's procedure has decided: it is beside 0 exactly
          where the verdict says so
        - p, p_holm : of the gain, and after the correction for all tasks
        - verdict : "helped", "unaffected" or "hurt"; "untested" for a task with less than two folds that test it
        - gain_over_pooled, p_holm_over_pooled : how much better the model is than one for all
        - pooled_would_do : whether that is no more than chance
        """
        try:
            from pandas import DataFrame
        except ImportError:
            return self.rows
        return DataFrame(self.rows)

    def helped(self, model=None):
        """Labels of the tasks that sharing helps, those that gain most first; for None of the models the first."""
        return self._having(HELPED, model)

    def unaffected(self, model=None):
        """Labels of the tasks for which no difference can be told from chance."""
        return self._having(UNAFFECTED, model)

    def hurt(self, model=None):
        """Labels of the tasks that sharing hurts, those that lose most first."""
        return self._having(HURT, model)

    def _having(self, verdict, model):
        table = self._of(model)
        size = np.abs(table["gain"])
        order = np.argsort(-np.where(np.isnan(size), 0, size), kind="stable")
        return self.tasks[order[table["verdict"][order] == verdict]].tolist()

    def _of(self, model):
        if model is not None and model not in self._tables:
            raise ValueError(f"model must be one of {self.models}, got {model!r}.")
        return self._tables[self.models[0] if model is None else model]

    # ------------------------------------------------------------------------------- in words

    def summary(self):
        """What was found, in plain words."""
        return "\n\n".join("\n".join(self._sentences(model)) for model in self.models)

    def __repr__(self):
        return self.summary()

    def _sentences(self, model):
        table, m = self._of(model), self.models.index(model)
        yield (
            f"{model} beside one model per task: {self.scoring} of {len(self.tasks)} tasks, each on {len(self.n_test)} "
            "folds."
        )
        means = [np.nanmean(table[name]) for name in ("score", "single_task")]
        pooled = ""
        if not np.isnan(table["pooled"]).all():
            pooled = f", with one for all {np.nanmean(table['pooled']):.4g}"
        yield (
            f"On average over the tasks it is {means[0]:.4g}, with one model per task {means[1]:.4g}{pooled}; "
            f"{self._average(m)}"
        )
        for verdict, verb in {HELPED: "helps", HURT: "hurts"}.items():
            labels = self._having(verdict, model)
            what = f"{_counted(len(labels))}{self._listed(labels, table)}." if labels else "no task beyond doubt."
            yield f"Sharing {verb} {what}"
        if HELPED in table["verdict"]:
            k = np.sum(table["pooled_would_do"] & (table["verdict"] == HELPED))
            n = np.sum(table["verdict"] == HELPED)
            if k:
                yield f"Of those that it helps, one model for all would do for {'all' if k == n > 1 else k}."
        labels = self._having(UNAFFECTED, model)
        if labels:
            yield f"For {_counted(len(labels))} no difference can be told from chance{self._by_guess(table)}."
            yield from self._one_by_one(table)
        untested = self._having(UNTESTED, model)
        if untested:
            yield f"{_counted(len(untested)).capitalize()} had too few rows to be tested: {_names(untested)}."
        yield (
            "(Where sharing makes no difference, the chance that any task is said to be helped or hurt is "
            f"{self.alpha:.0%}.)"
        )

    def _average(self, m):
        """Whether the mean over all tasks differs: by more than chance in what folds test, and in what the tasks are.

        What the training parts of folds have in common moves all tasks where these have few rows: folds alone said that
        one of two models of the same worth is better for 20 of 100 sets of ten tasks with 8 rows.
        """
        differences = self.scores[m] - self.single_task_scores[m]
        n_train, n_test = (counts.sum(axis=1, keepdims=True) for counts in (self.n_train, self.n_test))
        found = corrected_t(np.nanmean(differences, axis=1)[:, None], n_train, n_test)
        gains = self._tables[self.models[m]]["gain"]
        gains, p = gains[~np.isnan(gains)], found.p[0]
        if len(gains) > 1:
            # (Where all are one and the same there is no test to make.)
            p = max(p, stats.ttest_1samp(gains, 0.0).pvalue if np.ptp(gains) > 0 else 0.0)
        if not p <= self.alpha:
            return "the difference that sharing makes is no more than chance."
        return f"sharing {'helps' if found.mean[0] > 0 else 'hurts'} on the whole (p = {p:.2g})."

    def _listed(self, labels, table):
        if not labels:
            return ""
        where = {label: t for t, label in enumerate(self.tasks.tolist())}
        return ": " + _names([f"{label} ({self._change(table, where[label])})" for label in labels])

    def _change(self, table, t):
        """What sharing changes in a task's score, errors relative to what they were."""
        gain, before = table["gain"][t], table["single_task"][t]
        if self._sign < 0 and before > 0:
            return f"{-gain / before:+.0%}"
        return f"{self._sign * gain:+.2g}"

    def _one_by_one(self, table):
        """The tasks that a test of them alone would name."""
        likely = (table["verdict"] == UNAFFECTED) & (table["p"] <= self.alpha)
        if not likely.any():
            return
        sides = []
        for word, side in (("helped", table["gain"] > 0), ("hurt", table["gain"] < 0)):
            some = np.flatnonzero(likely & side)
            some = some[np.argsort(table["p"][some], kind="stable")]
            sides += [f"{word}{self._listed(self.tasks[some].tolist(), table)}"] if len(some) else []
        n, k = np.sum(~np.isnan(table["p"])), likely.sum()
        yield (
            f"Each taken for itself, {k} of these would be called {', and '.join(sides)}; of {n} tasks without any "
            f"difference, chance makes that {self.alpha * n:.2g}."
        )

    def _by_guess(self, table):
        """Of the unaffected tasks, how many look better."""
        own = table["verdict"] == UNAFFECTED
        better = np.sum(table["gain"][own] > 0)
        return f" ({better} look better with sharing, {np.sum(own) - better} do not)"

    # ----------------------------------------------------------------------------- in a picture

    def plot(self, model=None, *, max_rows=40, ax=None):
        """Draw the gain of every task over one model per task, with its interval and verdict.

        Parameters
        ----------
        model : str, default=None
            None draws the first.
        max_rows : int, default=40
            With more tasks than this, those that are helped or hurt most surely have a row each, the others a band.
        ax : matplotlib Axes, default=None

        Returns
        -------
        self
            With ``ax_`` and ``figure_``.
        """
        from ..inspection._common import COLOURS, forest

        table, name = self._of(model), self.models[0] if model is None else model
        tested = np.flatnonzero(table["verdict"] != UNTESTED)
        table = {column: values[tested] for column, values in table.items()}
        sure = -table["p_holm"] - 1e-3 * table["p"]
        colours = {HELPED: COLOURS[0], UNAFFECTED: "0.45", HURT: COLOURS[1]}
        rows = forest(
            table["task"].tolist(),
            table["gain"],
            table["low"],
            table["high"],
            group=table["verdict"].tolist(),
            colours=colours,
            reference=0.0,
            priority=sure,
            max_rows=max_rows,
            xlabel=f"{self.scoring} {'saved' if self._sign < 0 else 'gained'} by {name}",
            ax=ax,
        )
        self.ax_, self.figure_ = rows.ax, rows.ax.figure
        return self


def _counted(n):
    return "1 task" if n == 1 else f"{n} tasks"


def _names(labels):
    more = len(labels) - NAMED
    return ", ".join(map(str, labels[:NAMED])) + (f" and {more} more" if more > 0 else "")
