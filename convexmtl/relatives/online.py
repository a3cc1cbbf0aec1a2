"""Perceptrons of several tasks, which learn from one sample at a time."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .. import _input
from .._progress import with_callbacks
from ..estimators._base import all_or_nothing
from ..estimators._classifier import MultiTaskClassifierBase
from ..estimators._docs import documented
from ..estimators._regressor import MultiTaskRegressorBase
from ._online_kernels import PERCEPTRON
from ._stream import COMMON, FITTED, PARAMETERS, Online

RATE = """learning_rate : float in (0, 1], default=0.5
        Share of the residual of a round that its step takes away.
    """
MISTAKES = """mistakes_ : ndarray of shape (`n_rounds_`,)
        Of every round, whether its label was not that of the sign of x . w_t, by the weights that the rounds before had
        left; a score of 0 is a mistake."""
ERRORS = """squared_errors_ : ndarray of shape (`n_rounds_`,)
        Of every round, the square of y - x . w_t, by the weights that the rounds before had left."""
BOUND_OF_MISTAKES = """mistakes <= L + D / 2 + sqrt(D L + D^2 / 4),

    L the hinge loss of W in the rounds of the mistakes."""
BOUND_OF_ERRORS = """sum of r^2 / (B_tt norm(x)^2) <= tr(W M W') / a + L / (1 - a),

    a the learning rate, and L the sum of the same for W."""


@documented
class OnlineMultiTaskClassifier(Online, MultiTaskClassifierBase):
    """A perceptron of several tasks of two classes, from one sample at a time."""

    _kind = PERCEPTRON
    _loss, loss = None, "hinge"
    _fields = {
        "{model}": "a mistake y x . w_t <= 0 in task t moves all tasks:   w_s <- w_s + y B_st x,   B = M^-1 their "
        "interaction.",
        "{related}": PARAMETERS,
        "{rate}": "",
        "{rounds}": COMMON,
        "{lost}": MISTAKES,
        "{fitted}": f"""{FITTED}
    classes_ : ndarray of shape (2,) or, after y of shape (n, T), (T, 2)""",
        "{bound}": BOUND_OF_MISTAKES,
        "{further}": "",
        "{targets}": "np.sum(X * W[task], axis=1) > 0",
        "{declared}": "classes=[False, True], ",
        "{seen}": """print(bool(model.mistakes_[-100:].mean() < model.mistakes_[:100].mean() < 0.5))
    True""",
    }

    def __init__(
        self,
        coupling=None,
        *,
        relations="fixed",
        relation_rate=0.5,
        burn_in=None,
        average=True,
        fit_intercept=True,
        n_passes=5,
        shuffle=True,
        random_state=0,
        task_column=None,
        unseen_task="error",
    ):
        self.coupling = coupling
        self.relations = relations
        self.relation_rate = relation_rate
        self.burn_in = burn_in
        self.average = average
        self.fit_intercept = fit_intercept
        self.n_passes = n_passes
        self.shuffle = shuffle
        self.random_state = random_state
        self.task_column = task_column
        self.unseen_task = unseen_task

    __metadata_request__partial_fit = {"sample_weight": True, "task": True, "tasks": True, "classes": True}

    @with_callbacks
    @all_or_nothing
    def partial_fit(self, X, y, classes=None, *, sample_weight=None, task=None, tasks=None):
        """Learn from more samples, one after the other in their order.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n, d)
        y : array-like of shape (n, T) or (n,)
            One column per task, NaN where a target is missing; or, with task labels, one target per row.
        classes : array-like of shape (2,), default=None
            The labels, of the first call; None are those that it has.
        sample_weight : array-like of shape (n,) or, for y (n, T), (n, T), default=None
            Weight 2 counts as two rounds in succession, weight 0 as none.
        task : array-like of shape (n,), default=None
            The task of every row, where every task has its own rows.
        tasks : array-like of shape (T,), default=None
            The labels of all tasks there will be, of the first call; None are those that it has.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For whatever ``fit`` raises one; for tasks, classes, features or a layout that the first call did not have.
        """
        self._continue(X, y, sample_weight, task, tasks, classes)
        return self

    def _encode(self, y, codes, labels):
        known = self._known
        if known is None:
            encoded, known = _input.encode_classes(y, codes, labels)
            if not isinstance(known, np.ndarray):
                raise ValueError("y must have the same two classes in all tasks: call them by the same two labels.")
            if len(known) < 2:
                raise ValueError(
                    f"y has only 1 class, {known.tolist()[0]!r}; a classifier needs 2: name both in the first call of "
                    "partial_fit, by classes=[...]."
                )
            return encoded, known
        missing, encoded = _input.missing_mask(y), np.full(y.shape, np.nan)
        place = _input._positions(y[~missing], known)
        if np.any(place < 0):
            strange = y[~missing][place < 0].tolist()[0]
            raise ValueError(f"y must hold the classes of the first call, {known.tolist()}, got {strange!r}.")
        encoded[~missing] = 2.0 * place - 1
        return encoded, known

    @property
    def mistakes_(self):
        check_is_fitted(self, "_learner")
        return self._lost

    def _loss_of_rounds(self, y, z):
        return y * z <= 0

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


@documented
class OnlineMultiTaskRegressor(Online, MultiTaskRegressorBase):
    """Least squares for several tasks, from one sample at a time."""

    _kind = PERCEPTRON + 1
    _loss, loss = None, "squared"
    _fields = {
        "{model}": "a residual r = y - x . w_t in task t moves all tasks:\n\n    w_s <- w_s + learning_rate r B_st x / "
        "(B_tt norm(x)^2),   B = M^-1 their interaction.",
        "{related}": PARAMETERS,
        "{rate}": RATE,
        "{rounds}": COMMON,
        "{lost}": ERRORS,
        "{fitted}": FITTED,
        "{bound}": BOUND_OF_ERRORS,
        "{further}": "; Kivinen, Warmuth\n    (1997), Information and Computation",
        "{targets}": "np.sum(X * W[task], axis=1)",
        "{declared}": "",
        "{seen}": """print(bool(model.squared_errors_[-100:].mean() < 0.5 * model.squared_errors_[:100].mean()))
    True""",
    }

    def __init__(
        self,
        coupling=None,
        *,
        relations="fixed",
        relation_rate=0.5,
        burn_in=None,
        learning_rate=0.5,
        average=True,
        fit_intercept=True,
        n_passes=5,
        shuffle=True,
        random_state=0,
        task_column=None,
        unseen_task="error",
    ):
        self.coupling = coupling
        self.relations = relations
        self.relation_rate = relation_rate
        self.burn_in = burn_in
        self.learning_rate = learning_rate
        self.average = average
        self.fit_intercept = fit_intercept
        self.n_passes = n_passes
        self.shuffle = shuffle
        self.random_state = random_state
        self.task_column = task_column
        self.unseen_task = unseen_task

    @with_callbacks
    @all_or_nothing
    def partial_fit(self, X, y, *, sample_weight=None, task=None, tasks=None):
        """Learn from more samples, one after the other in their order.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n, d)
        y : array-like of shape (n, T) or (n,)
            One column per task, NaN where a target is missing; or, with task labels, one target per row.
        sample_weight : array-like of shape (n,) or, for y (n, T), (n, T), default=None
            Weight 2 counts as two rounds in succession, weight 0 as none.
        task : array-like of shape (n,), default=None
            The task of every row, where every task has its own rows.
        tasks : array-like of shape (T,), default=None
            The labels of all tasks there will be, of the first call; None are those that it has.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For whatever ``fit`` raises one; for tasks, features or a layout that the first call did not have.
        """
        self._continue(X, y, sample_weight, task, tasks)
        return self

    @property
    def squared_errors_(self):
        check_is_fitted(self, "_learner")
        return self._lost

    def _loss_of_rounds(self, y, z):
        return (y - z) ** 2
