"""The coordinator: asks parties for sums over their rows, and fits an ordinary estimator to them."""

from numbers import Integral
from secrets import token_hex

from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from .._input import check_count
from .._words import counted, listed
from ..criteria import CRITERIA, check_criterion
from ..estimators._base import MultiTaskEstimator
from ..estimators._cv import CrossValidated
from ..estimators.mixed import MultiTaskMixedBase
from ..losses import LOSSES
from . import _rounds, _several, _statistics
from ._evaluation import read_description, read_evaluation
from ._messages import packed
from ._search import search

WORDS = {"single": "y of shape (n,)", "shared": "y of shape (n, T)", "stacked": "task labels"}


class Coordinator:
    """Asks parties for sums over their rows, and fits an estimator to them: the one that ``fit`` makes of all rows.

    It makes requests and takes answers, all of them bytes; how they travel is up to the user::

        while not coordinator.done:
            request = coordinator.request()
            answers = [...]  # of every party, party.answer(request)
            coordinator.receive(answers)
        coordinator.model

    Under the squared loss that is one round, whose answers ``Party.statistics`` makes without a request, too. For other
    smooth losses ("logistic", "huber", "poisson", ...) it is one that describes the tasks, and some ten for steps of
    Newton's method, each of which tells the loss, its gradient and its curvature at the last coefficients, T d^2
    numbers, and certifies these. Searches fit all strengths and folds in the same rounds.

    Parameters
    ----------
    estimator : estimator of convexmtl
        It is not changed; ``model`` is a fitted copy. Twins search by folds within parties, ``cv`` of them, or
        by a criterion.
    max_rounds : int, default=100

    Attributes
    ----------
    done : bool
        Whether there is nothing more to ask.
    model : fitted estimator
        Once it is done.
    history_ : list of dict
        For every round what was asked, how many parties answered, how many bytes went down and up, and where it
        certifies coefficients their objective and duality gap.

    Raises
    ------
    RuntimeError
        In ``receive``, where a search is not done after ``max_rounds``.
    TypeError
        For what is no estimator of convexmtl, or none that can be fitted to statistics.
    ValueError
        For parameters that only samples have: ``task_column``, ``offset_column``, a splitter as ``cv``.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import BlockSparseRegressorCV
    >>> from convexmtl.federated import Coordinator, Party
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(90, 5))
    >>> Y = X[:, :2] @ rng.normal(size=(2, 3)) + rng.normal(size=(90, 3))
    >>> parties = [Party(X[:50], Y[:50]), Party(X[50:], Y[50:])]
    >>> coordinator = Coordinator(BlockSparseRegressorCV(cv=3))
    >>> while not coordinator.done:
    ...     request = coordinator.request()
    ...     _ = coordinator.receive([party.answer(request) for party in parties])
    >>> coordinator.model.coef_.shape
    (3, 5)
    """

    def __init__(self, estimator, *, max_rounds=100):
        check_count(max_rounds, "max_rounds", 3)
        self.estimator, self.max_rounds = estimator, max_rounds
        self._begin()

    def _begin(self):
        self._model, self._session, self._parties, self.history_ = None, token_hex(8), None, []
        self._found, self._script = {}, _script(_checked(self.estimator), self.max_rounds, self._report)
        self._asked = next(self._script)

    def _report(self, **found):
        self._found = found

    def __repr__(self):
        rounds = counted(len(self.history_), "round")
        return f"Coordinator({type(self.estimator).__name__}, {'done' if self.done else 'not done'} after {rounds})"

    @property
    def done(self):
        return self._model is not None

    @property
    def model(self):
        if self._model is None:
            raise NotFittedError("there is no model yet: receive the answers to request() until done is True.")
        return self._model

    @property
    def _id(self):
        return f"{self._session}/{len(self.history_)}"

    def request(self):
        """What is to be asked of every party next, as bytes; the same until the answers are received.

        Returns
        -------
        bytes

        Raises
        ------
        RuntimeError
            Once it is done.
        """
        if self.done:
            raise RuntimeError("there is nothing more to ask: the fit is done, and the estimator is model.")
        words, arrays = self._asked
        return packed("request", arrays, id=self._id, **words)

    def receive(self, answers):
        """Take the answers of all parties to the last request, in any order.

        Parameters
        ----------
        answers : list of bytes

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For answers that are malformed, to another request, twice from one party, or not from all parties of the
            rounds before: nothing has happened then. And for ones that do not go together, with the party: then it
            begins anew.
        """
        if isinstance(answers, bytes | bytearray):
            raise TypeError("answers must be a list with the bytes of every party, got the bytes of one.")
        answers = list(answers)
        told = self._read(answers)
        down = len(self.request())
        try:
            asked = self._script.send(told)
        except StopIteration as end:
            self._model, asked = end.value, None
        except BaseException:
            self._begin()
            raise
        record = dict(ask=self._asked[0]["ask"], parties=len(told), bytes_down=down * len(told))
        self.history_.append(record | {"bytes_up": sum(map(len, answers)), **self._found})
        self._parties, self._asked, self._found = {one.party for one in told}, asked, {}
        return self

    def _reader(self, answer):
        words, arrays = self._asked
        if words["ask"] == "statistics":
            return _statistics.read(answer)
        if words["ask"] == "description":
            return read_description(answer)
        if words.get("noisy"):
            return _statistics.read(answer)
        if words["ask"] == "evaluations":
            return _several.read(answer, words, arrays)
        return read_evaluation(answer, arrays)

    def _read(self, answers):
        if self.done:
            raise RuntimeError("the fit is done: make another Coordinator for another one.")
        told = [self._reader(answer) for answer in answers]
        if not told:
            raise ValueError("answers is empty: receive takes those of all parties at once.")
        names = [one.party for one in told]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(
                f"there are several answers of {listed(sorted(twice))}, whose rows would count as often: hand over one "
                "of each party, and give different parties different names."
            )
        missing, new = (self._parties or {*names}) - {*names}, {*names} - (self._parties or {*names})
        if missing or new:
            of = f"none of {listed(sorted(missing))}" if missing else f"one of {listed(sorted(new))}, which is new"
            raise ValueError(f"answers are to be of the parties that have answered before, and there is {of}.")
        for one in told:
            # (What a party makes without a request answers none.)
            if one.reply != self._id and not (one.reply is None and self._asked[0]["ask"] == "statistics"):
                raise ValueError(
                    f"{one.party} answers request {one.reply!r}, and the last one was {self._id!r}: have it answer "
                    "what request() gives now."
                )
        return told


def fit(estimator, parties):
    """The estimator fitted to the rows of all parties, none of which leaves its party.

    Parameters
    ----------
    estimator : estimator of convexmtl
        It is not changed.
    parties : callable or list of bytes
        A transport: a function of a request (bytes) that returns the answers of all parties (a list of bytes), such as
        ``LocalTransport``. Or the messages of ``Party.statistics``.

    Returns
    -------
    fitted estimator

    Raises
    ------
    ValueError, TypeError
        As ``Coordinator``.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import MeanRegularizedRegressor
    >>> from convexmtl.federated import LocalTransport, Party, fit
    >>> rng = np.random.default_rng(0)
    >>> parties = [Party(rng.normal(size=(30, 4)), rng.normal(size=30), [name] * 30) for name in ("north", "south")]
    >>> model = fit(MeanRegularizedRegressor(), LocalTransport(parties))
    >>> model.tasks_.tolist()
    ['north', 'south']
    """
    coordinator = Coordinator(estimator)
    if not callable(parties):
        return coordinator.receive(parties).model
    while not coordinator.done:
        coordinator.receive(parties(coordinator.request()))
    return coordinator.model


# ------------------------------------------------------------------------------------- what is asked


def _checked(estimator):
    """A copy of an estimator that can be fitted to sums."""
    if not isinstance(estimator, MultiTaskEstimator):
        raise TypeError(f"estimator must be one of convexmtl, got {type(estimator).__name__}.")
    name = type(estimator).__name__
    searches = isinstance(estimator, CrossValidated)
    if not estimator._of_features or not hasattr(estimator, "loss") or isinstance(estimator, MultiTaskMixedBase):
        raise TypeError(f"{name} cannot be fitted to sums over rows, which is all that parties tell: it needs rows.")
    loss = estimator._checked_loss()
    if not (loss.quadratic or (loss.smooth and loss.by_sample)):
        smooth = [other for other, cls in LOSSES.items() if cls.smooth and cls.by_sample]
        raise TypeError(f"{name} cannot fit {estimator.loss!r} in rounds, which are for loss in {smooth}.")
    if not loss.quadratic and getattr(estimator, "refit", None) is not None:
        raise TypeError(f"refit={estimator.refit!r} needs the rows where the loss is not squared: leave it out.")
    for column in ("task_column", "offset_column"):
        if (value := getattr(estimator, column)) is not None:
            raise ValueError(f"{column}={value!r} is a column of X: leave it out, and have parties hand it over apart.")
    if searches and not (estimator.cv is None or isinstance(estimator.cv, Integral)):
        raise ValueError(f"cv must be a number of folds, which parties make of their own rows, got {estimator.cv!r}.")
    estimator._validate_params()
    if searches and estimator.selection in CRITERIA:
        check_criterion(estimator.selection, loss, "selection")
    return clone(estimator)


def _script(estimator, max_rounds, report):
    """Yield what is asked, (words, arrays), and take the answers; return the fitted estimator."""
    n_folds = 1
    if isinstance(estimator, CrossValidated) and estimator.selection not in CRITERIA:
        n_folds = 5 if estimator.cv is None else int(estimator.cv)
    if not estimator._checked_loss().quadratic:
        return (yield from _rounds.script(estimator, max_rounds, report, n_folds))
    told = yield dict(ask="statistics", folds=n_folds), {}
    folds = _merged(told, n_folds)
    return _fitted(estimator, folds)


def _fitted(estimator, folds):
    if isinstance(estimator, CrossValidated):
        search(estimator, folds)
    else:
        estimator.fit_statistics(folds[0])
    return estimator


def _merged(told, n_folds):
    """[SufficientStatistics] of every fold of all parties."""
    first = told[0]
    for one in told:
        if len(one.folds) != n_folds:
            raise ValueError(
                f"{one.party} has told of {counted(len(one.folds), 'fold')}, and {n_folds} are needed: have it answer "
                f"the request, or party.statistics({n_folds})."
            )
        if one.layout != first.layout:
            raise ValueError(
                f"{one.party} has {WORDS[one.layout]} and {first.party} {WORDS[first.layout]}: let all parties hand "
                "over their rows in one layout."
            )
        if one.layout == "shared" and len(one.folds[0].tasks) != len(first.folds[0].tasks) and _numbered(one, first):
            raise ValueError(
                f"{one.party} has {len(one.folds[0].tasks)} columns of targets and {first.party} "
                f"{len(first.folds[0].tasks)}, without names: put NaN where there is no target, or name the tasks, by "
                "frames of targets."
            )
        if (one.units is None) != (first.units is None) or (one.units or {}) != (first.units or {}):
            raise ValueError(
                f"{one.party} and {first.party} do not send sums of the same: all parties declare the same bounds and "
                f"units in Privacy, or none does; got {one.units} and {first.units}."
            )
    sums = [[one.folds[k] for one in told] for k in range(n_folds)]
    try:
        folds = [_sum(fold) for fold in sums]
    except ValueError:
        # (Which of them it is.)
        for one in told:
            try:
                _sum([first.folds[0], one.folds[0]] if one is not first else [one.folds[0]])
            except ValueError as error:
                raise ValueError(f"{one.party} does not go together with {first.party}: {error}") from None
        raise
    if first.units is None:
        return folds
    return [fold.statistics(first.units, first.layout, first.names) for fold in folds]


def _sum(parts):
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _numbered(*told):
    return all(one.folds[0].tasks.tolist() == list(range(len(one.folds[0].tasks))) for one in told)
