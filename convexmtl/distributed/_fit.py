"""Fits to chunks of data: ``fit``."""

from functools import partial

import numpy as np
from sklearn.base import clone

from .. import _input
from .._progress import Steps, with_callbacks
from ..criteria import CRITERIA, check_criterion
from ..estimators._base import MultiTaskEstimator, all_or_nothing
from ..estimators._cv import CrossValidated
from ..estimators._formulation import Data
from ._engine import engine_of, size_of
from ._rounds import by_rounds
from ._search import search
from ._sources import source_of
from ._sums import TooLarge, added, folds_of, n_folds_of, statistics_of, within

METHODS = ("auto", "statistics", "newton", "gradient", "dual")
LARGEST = 4e9  # bytes of statistics beyond which gradients are exchanged instead
FRAMES = 7  # from a warning in ``_finish`` to whoever calls ``fit``


def fit(estimator, X, y=None, task=None, sample_weight=None, client=None, *, offset=None, method="auto"):
    """Fit an estimator to data in chunks, as its ``fit`` would to all of them: out of core, or on Dask.

    Parameters
    ----------
    estimator : estimator
        Any family of the package, or its ``...CV`` twin; it is fitted in place.
    X : dask array or frame, list of futures, list or iterator of chunks, function or array-like
        A chunk is (X, y), (X, y, task) or (X, y, task, sample_weight), or a dict with these names. A function returns
        a new iterator of chunks whenever it is called; of a list, items that can be called return a chunk each, such
        as those of ``parquet``. Arrays, memory maps among them, are read in blocks of rows.
    y, task, sample_weight : dask collection, list of futures or array-like, default=None
        As in ``fit`` of the estimator, in as many blocks as X; None where they are in the chunks.
    client : dask.distributed.Client, default=None
        Who has the workers; None takes the one that there is for what is Dask's or, without any, Dask's own scheduler,
        and this process for all else.
    offset : dask collection, list of futures or array-like, default=None
        What is added to x . w_t + b_t before the loss is taken.
    method : {"auto", "statistics", "newton", "gradient", "dual"}, default="auto"
        How the work is divided. "statistics", for the squared loss: one pass, in which sums of T d^2 numbers are made
        of the samples, of which all else is made here. "newton", for smooth losses: the same sums of a quadratic model
        of the loss in every round, of which five to ten are made, and two or three for every strength of a search.
        "gradient": where T d^2 numbers are too many, 2 d T of them in every round, of which a hundred may be needed.
        "dual", for quadratic couplings and learned relationships, of any loss, with kinks too: every chunk fits dual
        variables to its own samples, and says d T numbers (after Liu, Pan, Ho 2016). "auto" takes the first that
        applies, and gradients where sums would take more than 4 GB.

    Returns
    -------
    estimator
        Fitted, with all its attributes, and ``history_``: a dict for every round with ``bytes`` that went between
        workers and here, ``objective`` and ``gap``.

    Raises
    ------
    ValueError
        For whatever ``fit`` of the estimator raises one, with the number of the chunk; and for chunks that disagree.
    RuntimeError
        Where the client goes away.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import BlockSparseRegressor, datasets, distributed
    >>> X, Y, *_ = datasets.make_block_sparse(n_samples=300, n_features=10, n_tasks=3, layout="shared", random_state=0)
    >>> chunks = [(X[rows], Y[rows]) for rows in np.split(np.arange(300), 4)]
    >>> model = distributed.fit(BlockSparseRegressor(0.1), chunks)
    >>> print(np.allclose(model.coef_, BlockSparseRegressor(0.1).fit(X, Y).coef_, atol=1e-3))
    True
    """
    _require_known(estimator, method)
    engine = engine_of(source_of(X, y, task, sample_weight, offset), client)
    try:
        _fit(estimator, engine, method)
    finally:
        engine.close()
    return estimator


@with_callbacks
@all_or_nothing
def _fit(estimator, engine, method):
    estimator._validate_params()
    loss = estimator._checked_loss()
    reader = clone(estimator)
    # (A search has steps of its own.)
    steps = None if isinstance(estimator, CrossValidated) else Steps(estimator, None, None, None)
    automatic, most = method == "auto", LARGEST if method == "auto" else np.inf
    if automatic:
        method = "statistics" if loss.quadratic else "newton"
    if method == "statistics" and not loss.quadratic:
        raise ValueError(
            f"method='statistics' is for loss='squared', got loss={estimator.loss!r}, for which no statistics are "
            "sufficient: use method='newton'."
        )
    if isinstance(estimator, CrossValidated):
        if method not in ("statistics", "newton"):
            raise ValueError(
                f"{type(estimator).__name__} searches in chunks by method='newton', or of loss='squared' by "
                f"'statistics', got method={method!r}: fit {estimator._single.__name__} for each strength."
            )
        if method == "newton":
            search(estimator, reader, loss, engine, FRAMES, most)
        else:
            _search(estimator, reader, loss, engine)
        return
    if method != "statistics":
        by_rounds(estimator, reader, loss, engine, steps, FRAMES, method, most)
    else:
        try:
            agreement, statistics = _gathered(engine, "convexmtl-statistics", statistics_of, reader, most=most)
        except TooLarge:
            if not (automatic and engine.rereads):
                raise
            by_rounds(estimator, reader, loss, engine, steps, FRAMES, "gradient")
            steps.end()
            return
        _adopt(estimator, agreement)
        steps.done("statistics")
        estimator._fit_to(statistics, loss, FRAMES)
        estimator.history_ = [_one_round(estimator, engine, statistics)]
    steps.end()


def _search(estimator, reader, loss, engine):
    """Of a twin: as it searches itself, with the statistics of the folds in place of samples."""
    by_criterion = estimator.selection in CRITERIA
    if by_criterion:
        check_criterion(estimator.selection, loss, "selection")
        agreement, total = _gathered(engine, "convexmtl-statistics", statistics_of, reader)
        folds = None
    else:
        agreement, folds = _gathered(engine, "convexmtl-folds", folds_of, reader, n_folds_of(estimator))
        parts = [part for part in folds.parts if part is not None]
        total = parts[0].merge(*parts[1:])
    _adopt(estimator, agreement)
    totals, labels = total._totals, total.tasks
    _input.refuse_empty_tasks(totals, labels)
    tasks = total._tasks(_input.read_task_weight(estimator.task_weight, totals))
    data = Data(tasks, loss, labels, agreement.layout, None, None, None, totals.mean(), total.feature_names)
    counts = np.broadcast_to(total.n_samples, labels.shape)
    few = None if by_criterion else folds.condensed(total, tasks.mass)
    estimator._search(data, few and [(None, None)] * len(few), None, None, few, (totals, counts), stacklevel=FRAMES)
    estimator.history_ = [_one_round(estimator, engine, total if folds is None else folds)]


def _gathered(engine, name, function, reader, *more, most=np.inf):
    found = engine.gather(name, partial(within, most, function), partial(within, most, added), reader, *more)
    if found is None:
        raise ValueError("X has no rows: all chunks are empty.")
    return found


def _adopt(estimator, agreement):
    """Set what ``fit`` learns of the columns of X."""
    estimator.n_features_in_ = agreement.n_columns
    if agreement.names is not None:
        estimator.feature_names_in_ = agreement.names


def _one_round(estimator, engine, message):
    return {
        "round": 1,
        "bytes": engine.workers * size_of(message),
        "objective": estimator.objective_,
        "gap": estimator.dual_gap_,
    }


def _require_known(estimator, method):
    """Raise an error for what cannot be fitted in chunks."""
    if not isinstance(estimator, MultiTaskEstimator) or not estimator._of_features:
        raise TypeError(
            f"estimator must be one of the families of the package, or its CV twin, got {type(estimator).__name__}: "
            "kernels need all samples in one place."
        )
    if method not in METHODS:
        raise ValueError(f"method must be one of {METHODS}, got {method!r}.")
