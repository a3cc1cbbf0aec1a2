"""A party: rows that stay where they are, and answers to what a coordinator asks."""

import warnings
from secrets import token_hex

import numpy as np
from sklearn.utils import check_array

from .. import _input
from .._words import counted, listed
from ..model_selection import TaskKFold, TaskStratifiedKFold
from ..statistics import SufficientStatistics
from . import _evaluation, _noisy_rounds, _several, _statistics
from ._messages import unpacked
from ._sums import Sums, has_holes
from .privacy import Account, Privacy

HEAVY = "with privacy a row must count 1 at most, got sample_weight up to {:g}: divide by that."
SHORTENED = "They have been shortened to it, which biases the model: larger bounds call for more noise."


class Party:
    """Rows that stay where they are: what leaves a party are messages, bytes with sums over its rows.

    Parameters
    ----------
    X : array-like, sparse matrix or frame of shape (n, d)
    y : array-like of shape (n, T) or (n,)
        One column per task, NaN where a target is missing; or, with task labels, one target per row.
    task : array-like of shape (n,), default=None
        The task of every row, where every task has its own rows. Parties may have tasks in common, or not.
    sample_weight : array-like of shape (n,) or, for y (n, T), (n, T), default=None
    offset : array-like of shape (n,) or, for y (n, T), (n, T), default=None
    name : str, default=None
        By which a coordinator knows the answers of one party from those of another; None draws one.
    min_group : int, default=10
        Nothing is told of a task that has fewer rows here, or in a fold where folds are asked for: the request is
        refused.
    privacy : Privacy, default=None
        Bounds of rows, and noise; None sends sums as they are.
    max_rounds : int, default=100
        How often it answers in rounds, for losses that are not squared; of a search, each time to many questions.
    random_state : int, default=None
        Of the noise and of folds, for trials: whoever knows it can take the noise away. None takes the random numbers
        of the operating system.

    Attributes
    ----------
    spent : float
        The epsilon of all that has been told so far; 0 without privacy.
    n_clipped : tuple of int or None
        How many rows of X and of y have been longer than their bounds, once something has been told.

    Raises
    ------
    ValueError
        For X, y, task and the others as ``fit`` of an estimator does.

    Warns
    -----
    UserWarning
        Where rows are longer than the bounds of a Privacy, and are shortened.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import BlockSparseRegressor
    >>> from convexmtl.federated import Party, fit
    >>> rng = np.random.default_rng(0)
    >>> X, Y = rng.normal(size=(60, 5)), rng.normal(size=(60, 3))
    >>> parties = [Party(X[:25], Y[:25]), Party(X[25:], Y[25:])]
    >>> messages = [party.statistics() for party in parties]  # bytes, to be carried by whatever there is
    >>> model = fit(BlockSparseRegressor(0.1, tol=1e-8), messages)
    >>> print(np.allclose(model.coef_, BlockSparseRegressor(0.1, tol=1e-8).fit(X, Y).coef_, atol=1e-6))
    True
    """

    def __init__(
        self,
        X,
        y,
        task=None,
        *,
        sample_weight=None,
        offset=None,
        name=None,
        min_group=10,
        privacy=None,
        max_rounds=100,
        random_state=None,
    ):
        _input.refuse_mask(X, "X")
        _input.check_count(min_group, "min_group", 1)
        if privacy is not None and not isinstance(privacy, Privacy):
            raise TypeError(f"privacy must be a Privacy or None, got {privacy!r}.")
        self.name = token_hex(4) if name is None else str(name)
        _input.check_count(max_rounds, "max_rounds", 1)
        self.min_group, self.max_rounds, self.privacy, self.random_state = min_group, max_rounds, privacy, random_state
        self._names = _input.feature_names(X)
        self._X = check_array(X, dtype=np.float64, accept_sparse=_input.SPARSE, estimator="Party", input_name="X")
        _input.require_targets("Party", y)
        _input.require_equal_rows(self._X, np.empty(np.shape(y)[:1]))
        self._task = None if task is None else _input.read_labels(task, self._X.shape[0])
        self._y, self._columns = y, _input.target_names(y)
        self._given = sample_weight, offset
        self._account = None if privacy is None else Account(privacy)
        self._told, self.n_clipped = {}, None
        self._n_rounds, self._last, self._dealt, self._division = 0, None, {}, None

    def __repr__(self):
        n, d = self._X.shape
        return f"Party({self.name!r}, {counted(n, 'row')}, {counted(d, 'feature')})"

    @property
    def spent(self):
        return 0.0 if self._account is None else self._account.epsilon

    def answer(self, request):
        """The answer to a request of a Coordinator.

        The same request has the same answer, at no further cost, so that one that is lost can be sent again.

        Parameters
        ----------
        request : bytes

        Returns
        -------
        bytes

        Raises
        ------
        ValueError
            For bytes that are no request; and where a task has fewer rows than ``min_group``, with the tasks.
        RuntimeError
            Where the privacy that has been declared is spent, another division into folds has been told, or
            ``max_rounds`` answers have been given.
        """
        _, words, arrays = unpacked(request, "request")
        ask, reply = words.get("ask"), words.get("id")
        if ask == "statistics":
            return self._statistics(words.get("folds"), reply)
        if ask not in ("description", "evaluation", "evaluations"):
            raise ValueError(f"the request asks for {ask!r}, which this version does not know.")
        return self._round(ask, reply, words, arrays, bytes(request))

    def statistics(self, n_folds=1):
        """The sufficient statistics of the squared loss, of all rows or of each of some folds, as bytes.

        Parameters
        ----------
        n_folds : int, default=1
            For a search by cross-validation: as many folds within every task, see ``folds``.

        Returns
        -------
        bytes

        Raises
        ------
        ValueError, RuntimeError
            As ``answer``.
        """
        return self._statistics(n_folds, None)

    def folds(self, n_folds, *, stratified=False):
        """The fold of every row, as they are told apart in a search by cross-validation; nobody else learns them.

        The rows of every task are dealt out in their order, as ``TaskKFold`` does, or within its classes, as
        ``TaskStratifiedKFold``. With privacy every row's fold is drawn for itself, so that it does not depend on other
        rows.

        Parameters
        ----------
        n_folds : int
        stratified : bool, default=False
            Whether within the classes of every task, as searches with losses of classes have them, where ``y`` has one
            target in a row.

        Returns
        -------
        ndarray of shape (n,)
        """
        _input.check_count(n_folds, "n_folds", 1)
        n = self._X.shape[0]
        if n_folds == 1:
            return np.zeros(n, dtype=int)
        if self.privacy is not None:
            if n_folds not in self._dealt:
                seed = None if self.random_state is None else [self.random_state, n_folds]
                self._dealt[n_folds] = np.random.default_rng(seed).integers(n_folds, size=n)
            return self._dealt[n_folds].copy()
        fold, y, splitter = np.zeros(n, dtype=int), None, TaskKFold(n_folds)
        if stratified and np.ndim(self._y) == 1:
            y = _input.read_class_targets("Party", self._y, self._task is not None)
            splitter = TaskStratifiedKFold(n_folds)
        for k, (_, test) in enumerate(splitter.split(self._X, y, groups=self._task)):
            fold[test] = k
        return fold

    # ------------------------------------------------------------------------------------- rounds

    def _round(self, ask, reply, words, arrays, request):
        """The answer in a round for a loss that is not squared."""
        if self._last is not None and self._last[0] == request:
            return self._last[1]
        if self._n_rounds >= self.max_rounds:
            raise RuntimeError(
                f"{self.name} has answered max_rounds={self.max_rounds} times: every answer tells more of the rows. "
                "Make another Party if more is meant."
            )
        loss, private = _evaluation.loss_of(words.get("loss")), self.privacy is not None
        asked = None if ask == "description" else arrays
        n_folds = self._n_folds_of(words.get("folds", 0), loss, private, ask)
        rows = self._within_bounds(loss, asked) if private else _evaluation.Rows.of(self, loss, asked, n_folds)
        self._refuse_few(rows.survey.counts, rows.labels)
        for k, tested in enumerate(rows.folds):
            if tested is not None:
                self._refuse_few(tested.counts, tested.labels, f"in fold {k} of {n_folds} ")
        if ask == "description" and private:
            found = _noisy_rounds.describe(rows, self.name, reply, self.privacy)
        elif ask == "description":
            found = _evaluation.describe(rows, self.name, reply)
        elif ask == "evaluations":
            found = _several.tell(rows, self.name, reply, words, arrays)
        elif private:
            seed = None if self.random_state is None else [self.random_state, self._n_rounds]
            found = _noisy_rounds.evaluate(rows, loss, self.name, reply, arrays, self.privacy, self._account, seed)
        else:
            found = _evaluation.evaluate(rows, self.name, reply, words, arrays)
        self._division = (n_folds, loss.classification) if n_folds else self._division
        self._n_rounds, self._last = self._n_rounds + 1, (request, found)
        return found

    def _n_folds_of(self, n_folds, loss, private, ask):
        """How many folds a request in rounds is about, checked; 0 for none."""
        if private and (n_folds or ask == "evaluations"):
            raise ValueError(
                f"{self.name} adds noise to what it tells, and a search in rounds asks far more often than the noise "
                "is made for: fit for some strengths, or search under the squared loss, which takes one round."
            )
        if not n_folds:
            return 0
        _input.check_count(n_folds, "n_folds", 2)
        self._refuse_another((n_folds, loss.classification))
        return n_folds

    def _refuse_another(self, division):
        """Raise a RuntimeError where another division into folds has been told than (their number, stratified)."""
        before = [(n, False) for n in self._told if n > 1]
        before += [] if self._division is None else [self._division]
        if division[0] > 1 and before and before[0] != division:
            words = [
                f"{counted(n, 'fold')}{' within classes' if classes else ''}" for n, classes in (before[0], division)
            ]
            raise RuntimeError(
                f"{self.name} has told of {words[0]}, and is asked for {words[1]}: differences between the two may be "
                "sums over few rows. Make another Party if that is meant."
            )

    def _within_bounds(self, loss, arrays):
        """Rows within the bounds of the privacy; a warning, the first time, where some were not."""
        weight = self._given[0]
        if weight is not None and np.max(weight, initial=0.0) > 1:
            raise ValueError(HEAVY.format(np.max(weight)))
        rows, longer = _noisy_rounds.rows_within_bounds(self, loss, arrays)
        if longer and self.n_clipped is None:
            warnings.warn(
                f"{self.name}: of {counted(self._X.shape[0], 'row')}, {longer:,} of X were longer than "
                f"bound_X={self.privacy.bound_X:g}. {SHORTENED}",
                UserWarning,
                stacklevel=5,
            )
        self.n_clipped = longer, 0
        return rows

    # ------------------------------------------------------------------------------------- statistics

    def _statistics(self, n_folds, reply):
        _input.check_count(n_folds, "n_folds", 1)
        if not self._told:
            self._refuse_another((n_folds, False))
            self._told[n_folds] = self._folds(n_folds)
        if n_folds not in self._told:
            (before,) = self._told
            raise RuntimeError(
                f"{self.name} has told of {counted(before, 'fold')}, and is asked for {n_folds}: differences between "
                f"the two may be sums over few rows. Ask for {before}, or make another Party if that is meant."
            )
        folds, layout, units = self._told[n_folds]
        return _statistics.write(self.name, reply, layout, folds, units, self._names)

    def _folds(self, n_folds):
        """([SufficientStatistics or Sums] of the folds, layout, units or None)."""
        y, layout, labels, codes, weight = self._real_targets()
        fold = self.folds(n_folds)
        parts = [np.flatnonzero(fold == k) for k in range(n_folds)]
        for k, rows in enumerate(parts):
            self._refuse_small(rows, y, codes, weight, labels, f"in fold {k} of {n_folds} " if n_folds > 1 else "")
        if self._account is None:
            return [self._exact(rows, y, layout, labels, codes, weight) for rows in parts], layout, None
        X, y = self._bounded(y, weight)
        T = y.shape[1] if y.ndim == 2 else 1
        sensitivity = np.sqrt(4 * T + 5) if has_holes(y, weight) else 3.0
        sums = [
            Sums.of(labels, X[r], y[r], None if codes is None else codes[r], None if weight is None else weight[r])
            for r in parts
        ]
        deviation = self._account.deviation(sensitivity)
        seeds = [None] * n_folds if self.random_state is None else [[self.random_state, k] for k in range(n_folds)]
        sums = [one.with_noise(deviation, seed) for one, seed in zip(sums, seeds, strict=True)]
        return sums, layout, self.privacy._units(X.shape[1])

    def _exact(self, rows, y, layout, labels, codes, weight):
        weight = None if weight is None else weight[rows]
        if codes is not None:
            some, codes = np.unique(codes[rows], return_inverse=True)
            labels = labels[some]
        return SufficientStatistics._of_samples(self._X[rows], y[rows], layout, labels, codes, weight, self._names)

    def _real_targets(self):
        """(y without offsets, layout, labels, codes, weight), read and checked."""
        X, (weight, offset) = self._X, self._given
        y = _input.read_real_targets("Party", self._y, self._task is not None)
        _input.require_equal_rows(X, y)
        _input.refuse_overflow(X)
        weight = _input.read_sample_weight(weight, X, y)
        layout, labels, codes = _input.read_layout(y, self._task, self._columns)
        offset = _input.read_offset(offset, y, weight)
        if offset is not None:
            y = y - (offset if offset.ndim == y.ndim else offset[:, None])
        return y, layout, labels, codes, weight

    def _refuse_small(self, rows, y, codes, weight, labels, where):
        """Raise a ValueError where a task has some of the rows, but fewer than ``min_group``."""
        counts = ~np.isnan(y[rows])
        if weight is not None:
            counts &= (weight[rows] if weight.ndim == y.ndim else weight[rows, None]) > 0
        if codes is None:
            sizes = counts.reshape(len(rows), -1).sum(axis=0)
        else:
            sizes = np.bincount(codes[rows], weights=counts, minlength=len(labels)).astype(int)
        self._refuse_few(sizes, labels, where)

    def _refuse_few(self, sizes, labels, where=""):
        """Raise a ValueError where a task has some rows, but fewer than ``min_group``."""
        small = (sizes > 0) & (sizes < self.min_group)
        if small.any():
            fewer = "Ask for fewer folds, leave" if where else "Leave"
            raise ValueError(
                f"{self.name} tells nothing of {counted(int(small.sum()), 'task')} with fewer than "
                f"min_group={self.min_group} rows {where}here: {listed(map(repr, labels[small].tolist()))} "
                f"({sizes[small].min():.0f} at least). {fewer} their rows out, have them told by a party that has "
                "more, or lower min_group."
            )

    def _bounded(self, y, weight):
        """Rows and targets within their bounds; a warning where some were not."""
        if weight is not None and weight.max(initial=0.0) > 1:
            raise ValueError(HEAVY.format(weight.max()))
        X, y, *self.n_clipped = self.privacy._clipped(self._X, y)
        self.n_clipped = tuple(self.n_clipped)
        if any(self.n_clipped):
            warnings.warn(
                f"{self.name}: of {counted(len(y), 'row')}, {self.n_clipped[0]:,} of X were longer than "
                f"bound_X={self.privacy.bound_X:g} and {self.n_clipped[1]:,} of y than "
                f"bound_y={self.privacy.bound_y:g}. {SHORTENED}",
                UserWarning,
                stacklevel=5,
            )
        return X, y
