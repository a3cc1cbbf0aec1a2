"""What online learners have in common: they read a stream of samples, and hand it to a ``Learner``."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .. import _input
from .._compat import Interval, StrOptions
from .._progress import Steps, with_callbacks
from ..estimators._base import MultiTaskEstimator, all_or_nothing
from ..penalties import MeanCoupling
from ._learner import Learner

BLOCK = 2**20  # entries of X that are copied at a time
SINGULAR = 1e-12  # smallest eigenvalue of an interaction, beside its largest one

PARAMETERS = """coupling : Coupling, default=None
        How the tasks are related: tr(W M W') with M positive definite, the interaction of which is B = M^-1. None is
        ``MeanCoupling(1.0, 1.0 + T)``, of which all tasks learn half as much from a sample as its own does. With a mean
        or known clusters a round takes O(d) operations; with a graph or an array O(d T), and T^2 numbers are kept.
    relations : {"fixed", "covariance", "logdet", "von_neumann"}, default="fixed"
        Whether B stays, or is learned from W, every T steps: the best B for these W is C = (W'W)^(1/2), up to a factor,
        as in ``TaskRelationship``. "covariance" is B_0 + relation_rate (C - B_0), and the others take a step of mirror
        descent towards C, multiplicative for "von_neumann". A step takes O(d T + T^2) operations then.
    relation_rate : float in (0, 1], default=0.5
    burn_in : int, default=None
        Rounds before the first update of the relations; None is ten for every task."""

COMMON = """average : bool, default=True
        Whether `coef_` is the average of the weights after all rounds, or the last of them.
    fit_intercept : bool, default=True
        Whether samples have another feature, of ones; its coefficients are related as all others are.
    n_passes : int, default=5
        Of ``fit``, over all samples.
    shuffle : bool, default=True
        Whether ``fit`` takes the samples in another order in every pass; else, as ``partial_fit``, row by row.
    random_state : int or RandomState, default=0
        Of that order.
    task_column : str or int, default=None
        The column of X, by name (a string) or position (an integer), that holds the task labels.
    unseen_task : {"error", "mean"}, default="error"
        How a task that was not there is predicted: not at all, or by the mean of `coef_` and of `intercept_`."""

FITTED = """coef_ : ndarray of shape (T, d)
    intercept_ : ndarray of shape (T,)
    tasks_ : ndarray of shape (T,)
        Task labels, in the order of the rows of `coef_`.
    interaction_ : ndarray of shape (T, T)
        B, the given or the learned one.
    n_rounds_ : int
        So far; every target is a round.
    n_features_in_ : int
        Columns of X, that of the task included.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Where X has column names."""


class Online:
    """{model}

    {summary}

    Parameters
    ----------
    {related}
    {rate}{rounds}

    Attributes
    ----------
    {lost}
    {fitted}

    Notes
    -----
    The order of the samples matters, and a weight of s stands for s rounds in succession. Nothing is minimised, and
    there is no certificate. There is a bound, for any sequence of samples and fixed relations, by any models W of one's
    choice; with R^2 the largest B_tt norm(x)^2 (x with its feature of ones) and D = R^2 tr(W M W'),

    {bound}

    References
    ----------
    Cavallanti, Cesa-Bianchi, Gentile (2010), JMLR; Saha, Rai, Daume, Venkatasubramanian (2011), AISTATS{further}.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl.relatives import {name}
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(400, 6)), rng.integers(0, 4, size=400)
    >>> W = rng.normal(size=6) + 0.3 * rng.normal(size=(4, 6))
    >>> y = {targets}
    >>> model = {name}()
    >>> for part in range(0, 400, 100):
    ...     now = slice(part, part + 100)
    ...     _ = model.partial_fit(X[now], y[now], task=task[now], {declared}tasks=range(4))
    >>> {seen}
    """

    _of_features = True
    verbose, offset_column, warm_start, task_weight = 0, None, False, "equal"
    _parameter_constraints = {
        **MultiTaskEstimator._parameter_constraints,
        "relations": [StrOptions({"fixed", "covariance", "logdet", "von_neumann"})],
        "relation_rate": [Interval(Real, 0, 1, closed="right")],
        "learning_rate": [Interval(Real, 0, 1, closed="right")],
        "burn_in": [Interval(Integral, 0, None, closed="left"), None],
        "average": ["boolean"],
        "n_passes": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
    }
    __metadata_request__partial_fit = {"sample_weight": True, "task": True, "tasks": True}

    def _penalty(self):
        raise TypeError(f"{type(self).__name__} learns from one sample at a time: nothing is minimised or certified.")

    def _formulate(self, *args, **options):
        return self._penalty()

    def _fitted_state(self):
        return super()._fitted_state() | {n: v for n, v in vars(self).items() if n in ("_learner", "_lost")}

    @with_callbacks
    @all_or_nothing
    def fit(self, X, y, *, sample_weight=None, task=None):
        """Learn from all samples, in some passes.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n, d)
        y : array-like of shape (n, T) or (n,)
            One column per task, NaN where a target is missing; or, with task labels, one target per row.
        sample_weight : array-like of shape (n,) or, for y (n, T), (n, T), default=None
            Weight 2 counts as two rounds in succession, weight 0 as none.
        task : array-like of shape (n,), default=None
            The task of every row, where every task has its own rows.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For parameters, data, task labels or weights that make no sense, before any work is done.
        """
        self._validate_params()
        self._known = None
        try:
            samples = self._samples(X, y, sample_weight, task, None, reset=True)
        finally:
            del self._known
        self._begin(samples, samples.labels)
        steps = Steps(self, self.n_passes, X, y)
        rng, learner, lost = check_random_state(self.random_state), self._learner_of(samples), []
        for k in range(self.n_passes):
            order = rng.permutation(samples.X.shape[0]) if self.shuffle else None
            lost.append(self._rounds(learner, samples, samples.codes, order))
            steps.done(f"pass {k + 1}")
        self._end(learner, lost)
        steps.end()
        return self

    def _continue(self, X, y, sample_weight, task, tasks, classes=None):
        """One pass over more samples, in their order."""
        self._validate_params()
        former = self._last.get("_learner")
        self._known = self._last.get("_classes") if former is not None else _declared_classes(classes)
        try:
            if former is not None:
                for name in ("n_features_in_", "feature_names_in_"):
                    if name in self._last:
                        setattr(self, name, self._last[name])
            samples = self._samples(X, y, sample_weight, task, None, reset=former is None)
        finally:
            del self._known
        if former is None:
            self._begin(samples, _declared_tasks(tasks, samples))
            learner, lost = self._learner_of(samples), []
        else:
            self.tasks_, self._layout = self._last["tasks_"], self._last["_layout"]
            if "_classes" in self._last:
                self._classes = self._last["_classes"]
            self._refuse_others(samples, tasks, classes)
            learner, lost = former.copy(), [self._last["_lost"]]
        steps = Steps(self, 0, X, y)
        codes = None if samples.codes is None else _among(samples, self.tasks_)
        lost.append(self._rounds(learner, samples, codes, None))
        self._end(learner, lost)
        steps.end()

    def _begin(self, samples, labels):
        self.tasks_, self._layout = labels, samples.layout
        if samples.classes is not None:
            self._classes = samples.classes

    def _end(self, learner, lost):
        self._learner, self._lost = learner, np.concatenate(lost)

    def _learner_of(self, samples):
        """One that has seen nothing."""
        penalty = MeanCoupling(1.0, 1.0 + len(self.tasks_)) if self.coupling is None else self.coupling
        d = samples.X.shape[1]
        if not hasattr(penalty, "resolve"):
            raise ValueError(
                f"coupling must be a coupling of the tasks, tr(W M W'), got {penalty!r}: of an array M it is "
                "TaskCoupling(M)."
            )
        canonical = penalty.resolve(d, self.tasks_)
        if canonical.terms or canonical.whole:
            raise ValueError(
                f"coupling must be a coupling of the tasks, tr(W M W'), got {penalty!r}, which is none: take "
                "MeanCoupling, ClusterCoupling, GraphLaplacian, TaskCoupling, or a sum of them."
            )
        operator = canonical.coupling
        if not operator.lowest > SINGULAR * operator.top:
            raise ValueError(
                f"coupling must be positive definite, got {penalty!r}, which leaves some models free "
                f"(smallest eigenvalue {max(operator.lowest, 0.0):.3g}): add a ridge, by + MeanCoupling(0.1, 0.1) say."
            )
        return Learner(operator, d + self.fit_intercept, self.relations, self.relation_rate)

    def _refuse_others(self, samples, tasks, classes):
        """Raise a ValueError where more samples are not of the same kind as the former ones."""
        T = len(self.tasks_)
        if samples.layout != self._layout:
            words = {"single": "y of shape (n,)", "shared": "y of shape (n, T)", "stacked": "task labels"}
            raise ValueError(
                f"partial_fit got {words[samples.layout]} after {words[self._layout]}: hand over all parts in one "
                "layout."
            )
        if samples.layout != "stacked" and not np.array_equal(samples.labels, self.tasks_):
            raise ValueError(
                f"y must have the columns of the first call, {self.tasks_[:10].tolist()}, got "
                f"{samples.labels[:10].tolist()}: put NaN where there is no target."
            )
        if tasks is not None and set(np.asarray(tasks).tolist()) != set(self.tasks_.tolist()):
            raise ValueError(f"tasks must be those of the first call, {T} of them, got {list(tasks)[:10]}.")
        if classes is not None and not np.array_equal(np.unique(classes), self._classes):
            raise ValueError(f"classes must be those of the first call, {self._classes.tolist()}, got {list(classes)}.")

    def _rounds(self, learner, samples, codes, order):
        """(rounds,) what every round has lost; every target that is there is a round, row by row."""
        n = samples.X.shape[0]
        order = np.arange(n) if order is None else order
        y, weight, X = samples.y, samples.weight, samples.X.tocsr() if hasattr(samples.X, "tocsr") else samples.X
        size, lost = max(1, BLOCK // (X.shape[1] + 1)), []
        burn_in = 10 * len(self.tasks_) if self.burn_in is None else self.burn_in
        for begin in range(0, n, size):
            rows = order[begin : begin + size]
            block = X[rows].toarray() if hasattr(X, "tocsr") else X[rows]
            block = np.column_stack([block, np.ones(len(rows))]) if self.fit_intercept else np.ascontiguousarray(block)
            targets = y[rows].reshape(len(rows), -1)
            s = np.ones(targets.shape) if weight is None else weight[rows].reshape(len(rows), -1) + 0 * targets
            row, column = np.nonzero(~np.isnan(targets) & (s > 0))
            task = column if codes is None else codes[rows][row]
            rounds = row.copy(), task.astype(np.int64), targets[row, column], s[row, column]
            z = learner.learn(self._kind, getattr(self, "learning_rate", 1.0), block, *rounds, burn_in)
            lost.append(self._loss_of_rounds(rounds[2], z))
        return np.concatenate(lost)

    @property
    def _weights(self):
        check_is_fitted(self, "_learner")
        return self._learner.models[int(self.average)]

    @property
    def coef_(self):
        W = self._weights
        return np.ascontiguousarray(W[:, :-1]) if self.fit_intercept else W

    @property
    def intercept_(self):
        W = self._weights
        return W[:, -1].copy() if self.fit_intercept else np.zeros(len(W))

    @property
    def interaction_(self):
        check_is_fitted(self, "_learner")
        return self._learner.interaction

    @property
    def n_rounds_(self):
        check_is_fitted(self, "_learner")
        return self._learner.n_rounds


def _declared_classes(classes):
    """Two labels, in order; None where nothing is declared."""
    if classes is None:
        return None
    found = np.unique(np.asarray(classes))
    if len(found) != 2:
        raise ValueError(
            f"classes must be two labels, got {list(classes)}. Only binary classification is supported: learn one "
            "class against the rest."
        )
    return found


def _declared_tasks(tasks, samples):
    """Labels of all tasks there will be: those of the first samples, where none are declared."""
    if tasks is None:
        return samples.labels
    given = _input.label_array(tasks)
    if given.ndim != 1 or not len(given):
        raise ValueError(f"tasks must be the labels of all tasks, got {tasks!r}.")
    labels, _ = _input.encode_tasks(given)
    if samples.layout != "stacked":
        if len(labels) != len(samples.labels) or set(labels.tolist()) != set(samples.labels.tolist()):
            raise ValueError(
                f"tasks must name the columns of y, {samples.labels[:10].tolist()}, got {labels[:10].tolist()}: leave "
                "it out, or hand over task labels."
            )
        return samples.labels
    _among(samples, labels)
    return labels


def _among(samples, labels):
    """(n,) where the task of every row is among the labels."""
    place = _input._positions(samples.labels, labels)
    if np.any(place < 0):
        strange = samples.labels[place < 0].tolist()
        raise ValueError(
            f"task {strange[0]!r} was not there in the first call: declare all tasks there, by tasks=[...], or begin "
            "anew with fit."
        )
    return place[samples.codes]
