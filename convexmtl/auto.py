"""The family, and its strengths, that predict best: a search over all of them."""

import time
from dataclasses import replace
from numbers import Integral, Real

import numpy as np

from ._compat import Interval, StrOptions, raise_for_params
from ._families import Search, better, candidates, leaderboard
from ._progress import Steps, with_callbacks
from .estimators._base import COMMON_DEFAULTS, MultiTaskEstimator, all_or_nothing, initialiser
from .estimators._classifier import MultiTaskClassifierBase
from .estimators._docs import documented
from .estimators._regressor import MultiTaskRegressorBase
from .estimators._splits import SplitsTasks, counted

# What the best search knows of its fit, beside its attributes.
OF_A_FIT = ("_layout", "_size", "_classes", "_counts", "_parts", "_dual", "_support", "_summary")
COMMON = {name: default for name, default in COMMON_DEFAULTS.items() if name != "warm_start"}


class _Auto(SplitsTasks):
    """minimise over families f and their strengths s the mean over folds k of
    sum_t c_t mean_(i in test_k) error(y_ti, x_ti . w_t + b_t), (W, b) fitted to the rest by f with s.

    {summary}

    Every family is searched by its cross-validated twin, and so are the two baselines, a ridge for each task and one
    for all of them, all on the same folds; the best is fitted to all samples.

    Parameters
    ----------
    families : list of str or estimators, default=None
        Names such as "BlockSparse", or estimators. One that searches keeps its own strengths; of another one the
        strengths are searched for, the rest is kept. None takes all that have to be told nothing of how the tasks are
        arranged (no graph, no tree, no order). Folds, jobs, selection and weights are those of this estimator for all.
    per_task : bool, default=False
        Whether tasks for which a baseline is better get its model: where their error is smaller by more than one
        standard error of the differences on the folds, which takes into account that their training parts overlap. It
        protects tasks that are unlike all others, at some cost where there are none.
    time_budget : float, default=None
        Seconds. After the baselines every family is searched with few strengths; then those that look best are in full,
        as long as the time is likely to suffice. A search that has begun is ended. `left_out_` says what was not done.
    alphas : int, default=None
        How many strengths there are on a path of a family given by name; None is what each has by default.
    cv : int, splitter or iterable of (train, test), default=None
        An int is a number of folds that split within every task, None five of them.
    n_jobs : int, default=None
        Paths at a time; the results do not depend on it.
    selection : {"best", "1se"}, default="best"
        The strengths that a search takes: "1se" the largest whose error is within one standard error of the smallest.
        Of the families the best is taken.
    {common}

    Attributes
    ----------
    leaderboard_ : pandas.DataFrame, or list of dict where there is no pandas
        One row for each search, the best first: family, strengths (a dict, to six digits), loss, standard_error,
        seconds, tasks_best (the number of tasks on which its error is the smallest) and complete (whether all strengths
        were tried).
    best_estimator_ : estimator
        The best search, fitted to all samples.
    best_family_ : str
        Its name in the leaderboard.
    task_families_ : ndarray of shape (T,)
        The name of the search that each task has its coefficients from.
    left_out_ : dict of str -> str
        What was not searched, or not in full, and why.
    {fitted}

    Notes
    -----
    `loss` is the mean test loss of the folds at the strengths chosen, each task counting by `task_weight`; the standard
    error is that of a mean over the folds. As the strengths and the family are those with the smallest loss on these
    very folds, what they have on other samples is likely to be a little more: ``cross_validate`` around this estimator
    says how much.

    A path of strengths that is best at its end is made longer, once. With ``verbose=1`` there is a line for every
    search, with 2 what each of them says as well.

    With a single task the two baselines are the same, and only "single-task" takes part. The families can still be
    told apart: what is left of them is a lasso, a ridge, or a norm of all coefficients.

    With ``per_task`` the coefficients are no longer those of one problem: `objective_`, `dual_gap_` and ``certify``
    are about `best_estimator_`.

    References
    ----------
    Nadeau, Bengio (2003), Machine Learning, for the standard error of differences on folds.

    Examples
    --------
    {start}
    >>> model = {name}(families=["BlockSparse", "TraceNorm"], alphas=5, cv=2).fit(X, Y)
    >>> model.coef_.shape, len(model.leaderboard_)
    ((4, 6), 4)
    >>> model.best_family_ in ("BlockSparse", "TraceNorm")
    True
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        own = {"families": None}
        options = {"per_task": False, "time_budget": None, "alphas": None, "cv": None, "n_jobs": None}
        cls.__init__ = initialiser(cls, own, {**options, "selection": "best", "loss": cls._loss, **COMMON})
        constraints = MultiTaskEstimator._parameter_constraints
        cls._parameter_constraints = {
            **{name: constraint for name, constraint in constraints.items() if name in COMMON},
            "families": ["array-like", None],
            "per_task": ["boolean"],
            "time_budget": [Interval(Real, 0, None, closed="neither"), None],
            "alphas": [Interval(Integral, 1, None, closed="left"), None],
            "cv": ["cv_object"],
            "n_jobs": [Interval(Integral, None, None, closed="neither"), None],
            "selection": [StrOptions({"best", "1se"})],
        }

    @with_callbacks
    @all_or_nothing
    def fit(self, X, y, *, sample_weight=None, task=None, offset=None, **params):
        """Search all families and the baselines, and fit the best to all samples.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n, d)
        y : array-like of shape (n, T) or (n,)
            One column per task, NaN where a target is missing; or, with task labels, one target per row.
        sample_weight : array-like of shape (n,) or, for y (n, T), (n, T), default=None
            Weights of the samples, in the fits and in the errors.
        task : array-like of shape (n,), default=None
            The task of every row, where every task has its own rows.
        offset : array-like of shape (n,) or, for y (n, T), (n, T), default=None
            What is added to x . w_t + b_t before the loss is taken, the logarithm of an exposure say.
        **params : dict
            What metadata routing has for the splitter.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For families that there are not, a time budget <= 0, and whatever a search raises one for.

        Warns
        -----
        UserWarning
            Where time did not suffice, and for what the best search warns of.
        ConvergenceWarning
            Where fits of other searches on the folds have not converged.
        """
        begin = time.perf_counter()
        raise_for_params(params, self, "fit")
        data = self._read(X, y, sample_weight, task, offset, reset=True)
        some = candidates(self, data)
        splits = list(self._splits(X, y, data, params))
        ratio = np.mean([test.sum() / train.sum() for train, test in counted(splits, data)])
        own = {"cv": splits, "n_jobs": self.n_jobs, "selection": self.selection}
        for candidate in some:
            candidate.twin.set_params(**own, verbose=max(0, self.verbose - 1))
        steps = Steps(self, len(some) * (1 if self.time_budget is None else 2), X, y)
        given = {"sample_weight": sample_weight, "task": task, "offset": offset}
        search = Search(self, begin, data, steps, X, y, given)
        search.make(some)
        found = sorted(search.found.values(), key=lambda one: one.loss)
        for one in found:
            # (So that a copy of it can be fitted to other samples.)
            one.twin.set_params(cv=self.cv)
        self._take(found, ratio)
        self.left_out_ = search.left_out
        search.warn(dict.fromkeys(self.task_families_.tolist()), stacklevel=4)
        steps.end()
        return self

    def _take(self, found, ratio):
        """Set what is fitted, from what was found, the best first; ``ratio`` as ``better`` wants it."""
        best = found[0]
        self.leaderboard_ = leaderboard(found)
        self.best_estimator_, self.best_family_ = best.twin, best.candidate.name
        for name in ("coef_", "intercept_", "tasks_", "n_iter_", "objective_", "dual_gap_"):
            setattr(self, name, getattr(best.twin, name))
        for name in OF_A_FIT:
            if hasattr(best.twin, name):
                setattr(self, name, getattr(best.twin, name))
        self.task_families_ = np.full(len(self.tasks_), best.candidate.name, dtype=object)
        if self.per_task:
            self._fall_back(best, [one for one in found[1:] if one.candidate.is_baseline], ratio)

    def _fall_back(self, best, baselines, ratio):
        """Give the tasks for which a baseline is better its coefficients."""
        least = np.full(len(self.tasks_), np.inf)
        self.coef_, self.intercept_ = self.coef_.copy(), self.intercept_.copy()
        for one in baselines:
            taken = better(best.twin.task_errors_, one.twin.task_errors_, ratio) & (one.task_losses < least)
            least[taken] = one.task_losses[taken]
            rows = taken if self._columns is None else taken[self._columns.owner]
            self.coef_[rows], self.intercept_[rows] = one.twin.coef_[rows], one.twin.intercept_[rows]
            self.task_families_[taken] = one.candidate.name
        n_others = np.sum(self.task_families_ != self.best_family_)
        if n_others:
            note = f"{n_others} of {len(self.tasks_)} tasks have the coefficients of a baseline (task_families_)."
            self._summary = replace(self._summary, notes=[*self._summary.notes, note])

    def _penalty(self):
        return self.best_estimator_._penalty() if hasattr(self, "best_estimator_") else super()._penalty()

    def _formulate(self, X, y, **given):
        if not hasattr(self, "best_estimator_"):
            raise TypeError(
                f"{type(self).__name__} has no problem of its own before it is fitted: it chooses that of a family."
            )
        return self.best_estimator_._formulate(X, y, **given)


@documented
class AutoMultiTaskRegressor(_Auto, MultiTaskRegressorBase):
    """The best of all families and baselines. Regression."""


@documented
class AutoMultiTaskClassifier(_Auto, MultiTaskClassifierBase):
    """The best of all families and baselines. Classification."""
