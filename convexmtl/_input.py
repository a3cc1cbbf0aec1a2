"""Reading what users hand over: features, task labels, targets, weights. Every error is raised here."""

import numbers
from collections import defaultdict

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import assert_all_finite, check_array
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import validate_data

from ._compat import check_sample_weight, column_names, is_pandas_na, is_scalar_nan, num_features, safe_indexing

SPARSE = ("csc", "csr")  # what stays sparse; other formats are converted
FINITE, POSITIVE = np.finfo(float).max, np.nextafter(0, 1)  # the largest number, and the smallest above 0
BELOW_ONE = np.nextafter(1, 0)
LARGEST = 1e100  # entry of X: sums of products of squares are still finite


def refuse_mask(array, name):
    """Raise a ValueError for a masked array with something under its mask, which numpy would hand on unmasked."""
    # (Pandas' nullable arrays have a mask as well, and a way of their own to say what is missing.)
    if isinstance(array, np.ma.MaskedArray) and np.ma.is_masked(array):
        raise ValueError(
            f"{name} must not be masked, got {np.ma.count_masked(array)} masked entries: fill them, or drop the rows."
        )


def unmasked(y):
    """Targets that are masked as missing ones: NaN in floats, else None."""
    if not isinstance(y, np.ma.MaskedArray):
        return y
    if not np.ma.is_masked(y):
        return y.data
    filled = np.array(y.data, dtype=y.dtype if y.dtype.kind == "f" else object)
    filled[np.ma.getmaskarray(y)] = np.nan if y.dtype.kind == "f" else None
    return filled


def is_plain(array, n_dimensions):
    """Whether scikit-learn's ``check_array`` would hand it back as it is: an array of finite float64.

    Nearly all are, and looking for frames and for arrays of other libraries takes longer than many a fit.
    """
    if type(array) is not np.ndarray or array.dtype != np.float64 or array.ndim not in n_dimensions or not array.size:
        return False
    # (Where finite numbers sum up to infinity, others look at all of them.)
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(array.sum()))


def read_features(estimator, X, task, offset, reset):
    """(X float64 without the columns of task and offset, task labels (n,) or None, offset as it is or None)."""
    column, other = estimator.task_column, estimator.offset_column
    refuse_mask(X, "X")
    if hasattr(X, "collect") and not hasattr(X, "shape"):
        raise ValueError(f"X must hold its values, got a {type(X).__name__}: pass X.collect().")
    if column is None and other is None and is_plain(X, (2,)) and _counts_alike(estimator, X, reset):
        pass
    elif column is None and other is None:
        X = validate_data(estimator, X, reset=reset, dtype=np.float64, accept_sparse=SPARSE)
    else:
        for name, one, given in (("task", column, task), ("offset", other, offset)):
            if one is not None and given is not None:
                raise ValueError(
                    f"{name} was passed although {name}_column={one!r} names the column of X that holds it."
                )
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        # (Of an array, where the fit had a frame, validate_data has warned; the names are the frame's.)
        names = getattr(estimator, "feature_names_in_", None)
        X, found = split_columns(X, {"task_column": column, "offset_column": other}, names)
        task, offset = found.get("task_column", task), found.get("offset_column", offset)
        X = check_array(X, dtype=np.float64, estimator=estimator, input_name="X", accept_sparse=SPARSE)
    return X, None if task is None else read_labels(task, X.shape[0]), offset


def _counts_alike(estimator, X, reset):
    """Whether an array X has the features that fit has seen, which are without names; or notes how many it has."""
    known = vars(estimator)
    if reset:
        known.pop("feature_names_in_", None)
        estimator.n_features_in_ = X.shape[1]
    return "feature_names_in_" not in known and known.get("n_features_in_") == X.shape[1]


def refuse_overflow(X):
    """Raise a ValueError for features (dense or sparse) whose squares overflow."""
    # (A sparse matrix's own maximum would sort its indices in place.)
    values = X.data if issparse(X) else X
    flat = values.ravel(order="K")
    # (One pass in place of two, where all squares together do not overflow.)
    with np.errstate(over="ignore"):
        if flat @ flat <= LARGEST**2:
            return
    largest = max(values.max(initial=0.0), -values.min(initial=0.0))
    if largest > LARGEST:
        raise ValueError(
            f"X is too large, up to {largest:.3g}: its squares overflow. Rescale its columns, by a StandardScaler say."
        )


def split_column(X, column):
    """X without its task column, and that column."""
    X, found = split_columns(X, {"task_column": column})
    return X, found["task_column"]


def split_columns(X, columns, names=None):
    """(X without these columns, {name: column}) for columns {name of the parameter: name or position, or None}.

    ``names`` are those of the columns where X has none itself.
    """
    refuse_mask(X, "X")
    names = column_names(X, names)
    if not hasattr(X, "shape"):
        X = np.asarray(X)
    n_columns = num_features(X)
    places = {
        name: column_position(column, names, n_columns, name) for name, column in columns.items() if column is not None
    }
    if len(set(places.values())) < len(places):
        raise ValueError(f"{' and '.join(places)} must be different columns of X, got {[*columns.values()]}.")
    others = [j for j in range(n_columns) if j not in places.values()]
    if not others:
        raise ValueError(f"X has no feature beside the {' and '.join(name.replace('_', ' ') for name in places)}.")
    if issparse(X):
        X = X.tocsc()
        return X[:, others], {name: X[:, [j]].toarray()[:, 0] for name, j in places.items()}
    found = {name: np.asarray(safe_indexing(X, [j], axis=1))[:, 0] for name, j in places.items()}
    return safe_indexing(X, others, axis=1), found


def columns_apart(estimator, n_columns):
    """Positions, in order, of the columns of X that are no features: those of task and offset."""
    names = getattr(estimator, "feature_names_in_", None)
    own = {name: getattr(estimator, name, None) for name in ("task_column", "offset_column")}
    return sorted(column_position(c, names, n_columns, name) for name, c in own.items() if c is not None)


def column_position(column, names, n_columns, argument="task_column"):
    """Where a column is, given by name (None where X has no names) or position."""
    if isinstance(column, str):
        if names is None:
            raise ValueError(
                f"{argument}={column!r} is a name, but X is an array without column names (some meta-estimators "
                "turn frames into arrays): pass a position, or a frame."
            )
        names = list(names)
        if column not in names:
            raise ValueError(f"{argument}={column!r} is not a column of X; its columns are {names[:10]}.")
        return names.index(column)
    if isinstance(column, numbers.Integral) and not isinstance(column, bool):
        if not -n_columns <= column < n_columns:
            raise ValueError(
                f"{argument}={column} is not a column of X, which has {n_columns} columns: an integer is a position, "
                "only a string is a name."
            )
        return int(column) % n_columns
    raise ValueError(f"{argument} must be a column name or position, got {column!r}.")


def read_list(values, name, accepted, low=-np.inf, high=np.inf):
    """Numbers from low to high, finite, at least one, as a list of floats."""
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        array = np.empty(0)
    inside = array.ndim == 1 and len(array) and np.all((array >= low) & (array <= high) & np.isfinite(array))
    if not inside or values is None:
        raise ValueError(f"{name} must be {accepted}, got {values!r}.")
    return array.tolist()


def read_feature_weights(weights, n_features, names=None, word="feature"):
    """(d,) floats >= 0 or infinite, from an array, a dict of names or positions, or None for ones.

    Of groups of features, ``n_features`` is the (d,) positions of the features' groups, and the names are labels.
    """
    grouped = np.ndim(n_features) > 0
    n_features = int(np.max(n_features)) + 1 if grouped else n_features
    if weights is None:
        return np.ones(n_features)
    if isinstance(weights, dict):
        array = np.ones(n_features)
        known = {} if names is None else {name: j for j, name in enumerate(names)}
        for key, weight in weights.items():
            by_position = not grouped and isinstance(key, numbers.Integral) and not isinstance(key, bool)
            position = key if by_position else known.get(key, -1)
            if grouped and position == -1:
                raise ValueError(
                    f"feature_weights has an entry for {key!r}, which is no group: the labels of the groups are "
                    f"{list(names)[:10]}."
                )
            if not 0 <= position < n_features:
                listed = "no names, only positions" if names is None else f"the names {list(names)[:10]}"
                raise ValueError(
                    f"feature_weights has an entry for {key!r}, which is no feature: X has {n_features} features with "
                    f"{listed} (the task column is none of them)."
                )
            array[position] = _as_weight(weight)
    else:
        try:
            array = np.asarray(weights, dtype=float)
        except (TypeError, ValueError):
            raise ValueError(f"feature_weights must hold numbers, got {weights!r}.") from None
        if array.shape != (n_features,):
            one_each = ": one for each group of features" if grouped else ""
            raise ValueError(f"feature_weights must have shape ({n_features},), got {array.shape}{one_each}.")
    if not np.all(array >= 0):
        bad = int(np.flatnonzero(~(array >= 0))[0])
        raise ValueError(
            f"feature_weights must be >= 0 (0 leaves a {word} unpenalised, infinity leaves it out), got {array[bad]} "
            f"at {word} {bad if names is None else names[bad]!r}."
        )
    return array


def _as_weight(weight):
    try:
        return float(weight)
    except (TypeError, ValueError):
        raise ValueError(f"feature_weights must hold numbers, got {weight!r}.") from None


def coef_names(estimator):
    """Names of the columns of ``coef_``, or None."""
    names = getattr(estimator, "feature_names_in_", None) if getattr(estimator, "_of_features", True) else None
    return None if names is None else np.delete(names, columns_apart(estimator, len(names)))


def require_features(estimator, caller):
    """Raise a TypeError for an estimator of kernels, whose coefficients are not those of features."""
    if not getattr(estimator, "_of_features", True):
        raise TypeError(
            f"{caller} is for models with coefficients of features, and {type(estimator).__name__} has functions of "
            "samples. Of kernel='linear' a MultiTaskRegressor or MultiTaskClassifier with that coupling is the same."
        )


def require_convex_fit(estimator, caller):
    """Raise a TypeError for an estimator that was fitted, but to no convex problem with a penalty."""
    # (``_summary`` is what every fit of such a problem keeps.)
    if hasattr(estimator, "tasks_") and "_summary" not in vars(estimator):
        raise TypeError(
            f"{caller} is for fits of a convex problem with a penalty, and {type(estimator).__name__} is none: take "
            "its convex sibling, MeanRegularized or Clustered say."
        )


def read_labels(task, n_rows):
    """Task labels as a 1-d array without missing ones."""
    refuse_mask(task, "task")
    task = label_array(task)
    if task.ndim == 2 and task.shape[1] == 1:
        task = task[:, 0]
    if task.shape != (n_rows,):
        raise ValueError(f"task must have shape ({n_rows},), one label for each row of X, got shape {task.shape}.")
    missing = missing_mask(task)
    if missing.any():
        raise ValueError(
            f"task must not be missing: {missing.sum()} labels are NaN or None, the first at row "
            f"{int(missing.argmax())}. Drop those rows or give them a label."
        )
    return task


def label_array(labels):
    """An array of labels in which each is what it was: a string, a number, a tuple."""
    if isinstance(labels, list | tuple):
        kinds = {type(label) for label in labels}
        if tuple in kinds or (len(kinds) > 1 and str in kinds):
            # (numpy would make rows of the tuples, and strings of whatever is beside a string.)
            array = np.empty(len(labels), dtype=object)
            array[:] = labels
            return array
    return np.asarray(labels)


def encode_tasks(task):
    """(sorted labels, code of every row)."""
    try:
        return _sorted(task)
    except TypeError as error:
        kinds = sorted({type(label).__name__ for label in task.tolist()})
        raise ValueError(f"task must hold labels of one kind, got {kinds}.") from error


def _sorted(labels):
    """(distinct labels in order, code of every one), as from ``np.unique``."""
    distinct, codes = _distinct(labels)
    if distinct.dtype.kind in "biuUS" and (distinct[1:] > distinct[:-1]).all():
        return distinct, codes
    found, place = np.unique(distinct, return_inverse=True)
    return found, place[codes]


def _distinct(labels):
    """(distinct labels in any order, code of every one)."""
    # Rows of a task are often next to each other: then only the first of each run is looked at.
    starts = np.flatnonzero(np.append(True, labels[1:] != labels[:-1]))
    if 2 * len(starts) <= len(labels):
        distinct, codes = _distinct(labels[starts])
        return distinct, np.repeat(codes, np.append(starts[1:], len(labels)) - starts)
    if labels.dtype.kind in "biuUS" and (labels[1:] > labels[:-1]).all():
        return labels.copy(), np.arange(len(labels))
    if labels.dtype.kind not in "OUS":
        return np.unique(labels, return_inverse=True)
    # Hashing them takes a fraction of the time that sorting does; a label that is new gets the next code.
    where = defaultdict()
    where.default_factory = where.__len__
    codes = np.fromiter(map(where.__getitem__, labels.tolist()), np.int64, len(labels))
    distinct = np.empty(len(where), dtype=labels.dtype)
    distinct[:] = list(where)
    return distinct, codes


def _positions(wanted, labels):
    """(n,) where each of the ``wanted`` is among the labels, -1 for nowhere."""
    if wanted.dtype.kind == labels.dtype.kind and labels.dtype.kind in "biufUS" and np.all(labels[:-1] < labels[1:]):
        place = np.minimum(np.searchsorted(labels, wanted), len(labels) - 1)
        return np.where(labels[place] == wanted, place, -1)
    where = {label: t for t, label in enumerate(labels.tolist())}
    return np.array([where.get(label, -1) for label in wanted.tolist()], dtype=np.int64)


def find_tasks(task, labels, column=None, unseen="error"):
    """Position of every row's task among the fitted labels, -1 for others where they are not an error; ``column`` is
    the estimator's task column."""
    if labels.dtype.kind in "mM" and task.dtype.kind in "mM":
        task = task.astype(labels.dtype)
    distinct, codes = _distinct(task)
    codes = _positions(distinct, labels)[codes]
    if unseen != "mean" and np.any(codes < 0):
        strange = sorted({repr(label) for label in task[codes < 0].tolist()})
        named = ", ".join(strange[:3]) + (f" and {len(strange) - 3} more" if len(strange) > 3 else "")
        quoted = f'"{column}"' if isinstance(column, str) else column
        splitter = "TaskKFold(5) and groups" if column is None else f"TaskKFold(5, task_column={quoted})"
        # (Scikit-learn shows the end of a traceback: one line says it all.)
        raise ValueError(
            f"task {named} was not seen in fit. Cross-validate with {splitter}, which trains every task in every fold; "
            'elsewhere fit with samples of it, set unseen_task="mean", or leave out its rows.'
        )
    return codes


def check_number(value, name, low, high, accepted):
    """Raise a ValueError that says what is accepted unless ``value`` is a number in [low, high]."""
    # (An abstract class takes many times as long to be asked as a type does.)
    if isinstance(value, bool) or not isinstance(value, (float, int, numbers.Real)) or not low <= value <= high:
        raise ValueError(f"{name} must be {accepted}, got {value!r}.")


def check_count(value, name, low, accepted=None, high=np.inf):
    """Raise a ValueError that says what is accepted unless ``value`` is an integer in [low, high]."""
    if isinstance(value, bool) or not isinstance(value, (int, numbers.Integral)) or not low <= value <= high:
        raise ValueError(f"{name} must be {accepted or f'an integer of at least {low}'}, got {value!r}.")


def require_targets(estimator, y):
    """Raise a ValueError for no targets; ``estimator`` may be its name."""
    if y is None:
        name = estimator if isinstance(estimator, str) else f"This {type(estimator).__name__} estimator"
        raise ValueError(f"{name} requires y to be passed, but the target y is None.")


def require_equal_rows(X, y):
    if len(y) != X.shape[0]:
        raise ValueError(f"X and y must have as many rows, got {X.shape[0]} rows of X and {len(y)} of y.")


def feature_names(X):
    """Column names of a frame, where they are strings, or None."""
    names = column_names(X)
    if names is None or not all(isinstance(name, str) for name in names):
        return None
    return np.array(list(names), dtype=object)


def target_names(y):
    """Column names of a frame of targets, or None."""
    names = column_names(y)
    if names is None:
        return None
    names = list(names)
    if len(set(map(type, names))) == 1 and not isinstance(names[0], tuple):
        return np.asarray(names)
    labels = np.empty(len(names), dtype=object)
    labels[:] = names
    return labels


def read_real_targets(estimator, y, stacked):
    """Targets of a regressor as float64, (n,) or (n, T) with NaN where missing."""
    require_targets(estimator, y)
    if not is_plain(y, (1, 2)):
        y = read_numbers(y)
        if y.ndim == 1:
            assert_all_finite(y, input_name="y")
    return _shaped(y, stacked)


def read_numbers(y):
    """y as float64, (n,) or (n, T); None, pandas' NA and what is masked become NaN, wherever they are allowed."""
    if is_plain(y, (1, 2)):
        return y
    y = unmasked(y)
    if not issparse(y) and np.asarray(y).dtype.kind == "O":
        y = np.asarray(y)
        y = np.where(missing_mask(y), np.nan, y)
    return check_array(y, dtype=np.float64, ensure_2d=False, ensure_all_finite="allow-nan", input_name="y")


def read_class_targets(estimator, y, stacked, mixed=False):
    """Targets of a classifier as objects, strings or numbers, (n,) or (n, T) with NaN or None where missing.

    ``mixed``: of a task there may be numbers, too.
    """
    require_targets(estimator, y)
    if hasattr(y, "iloc") and hasattr(y, "columns") and any(str(kind) == "category" for kind in y.dtypes):
        # In pandas' array of such columns and boolean ones a missing label is True.
        y = y.astype(object)
    y = np.asarray(unmasked(y))
    if y.dtype.kind == "c":
        raise ValueError("Complex data not supported: y must hold class labels.")
    y = _shaped(y, stacked)
    if y.ndim == 1:
        missing = missing_mask(y)
        if missing.any():
            raise ValueError(
                f"Input y contains NaN or None at row {int(missing.argmax())}: drop the rows without a label."
            )
        if y.dtype.kind == "O" and len({type(label) for label in y.tolist()}) == 1:
            y = np.array(y.tolist())
        if not _are_few(y):
            check_array(y, dtype=None, ensure_2d=False, input_name="y")
            if not mixed:
                check_classification_targets(y)
    return y


def _are_few(labels):
    """Whether they are booleans or at most three integers, which scikit-learn has nothing to say of."""
    if not labels.size or labels.dtype.kind not in "biu":
        return False
    return labels.dtype.kind == "b" or int(labels.max()) - int(labels.min()) <= 2


def _shaped(y, stacked):
    if y.ndim == 0 or y.ndim > 2:
        raise ValueError(f"y must have shape (n,) or (n, n_tasks), got {y.shape}.")
    if stacked and y.ndim == 2:
        if y.shape[1] != 1:
            raise ValueError(
                f"y must have shape (n,) where every row has a task label, got {y.shape}: hand over either "
                "task labels or one column of y per task."
            )
        y = y[:, 0]
        if y.dtype.kind == "f" and np.isnan(y).any():
            raise ValueError(f"y contains NaN at row {int(np.isnan(y).argmax())}: drop the rows without a target.")
    if y.ndim == 2 and y.shape[1] == 0:
        raise ValueError("y must have at least one column, got shape " + str(y.shape))
    return y


def numbers_of_task(y, label):
    """Targets of one task, beside others with classes, as floats, NaN where missing."""
    try:
        return np.where(missing_mask(y), np.nan, y).astype(float)
    except (TypeError, ValueError):
        strange = next(one for one in y.tolist() if isinstance(one, str))
        raise ValueError(
            f"task {label!r} must have numbers as its loss is one for numbers, got {strange!r}: give it a loss of "
            'classes, losses={...: "logistic"}.'
        ) from None


def read_layout(y, task, names):
    """(layout, labels of the tasks, code of every row or None), for y as read and the names of its columns."""
    if task is not None:
        return "stacked", *encode_tasks(task)
    if y.ndim == 2:
        return "shared", np.arange(y.shape[1]) if names is None else names, None
    return "single", np.arange(1), None


def task_totals(y, codes, weight, n_tasks):
    """(T,) sums of the weights of the samples with a target; y (n, T), or (n,) with codes or for a single task."""
    if codes is not None:
        return np.bincount(codes, weights=weight, minlength=n_tasks).astype(float)
    seen = ~np.isnan(y).reshape(len(y), -1)
    if weight is None:
        return seen.sum(axis=0, dtype=float)
    return np.sum(weight.reshape(len(y), -1) * seen, axis=0)


def refuse_empty_tasks(totals, labels):
    """Raise a ValueError for tasks without any weight."""
    if np.any(totals <= 0):
        t = int(np.argmin(totals))
        raise ValueError(
            f"task {labels.tolist()[t]!r} has no sample with a target and a positive weight: drop the task."
        )


def missing_mask(labels):
    """Where labels are NaN, pandas' NA or None."""
    if labels.dtype.kind == "f":
        return np.isnan(labels)
    if labels.dtype.kind in "mM":
        return np.isnat(labels)
    if labels.dtype.kind == "O" and not set(map(type, labels.ravel().tolist())) <= {str, int, bool, tuple}:
        return np.vectorize(lambda label: label is None or is_scalar_nan(label) or is_pandas_na(label), otypes=[bool])(
            labels
        )
    return np.zeros(labels.shape, dtype=bool)


ONE = (
    "Fit tasks of more with a classifier, which has a column of coefficients for every class, or make of each class a "
    "task of two: itself against the rest."
)


def encode_classes(y, codes, labels, several=False):
    """(-1/+1 as float64 with NaN where missing, classes).

    ``classes`` is one array of labels where all tasks have the same, else a list with one array for each task. With
    ``several`` a task may have more than two, which are 0, 1, ... then.
    """
    missing = missing_mask(y)
    encoded = np.full(y.shape, np.nan)
    try:
        found, code = _sorted(y[~missing])
    except TypeError:
        found = None  # labels of several kinds, which can only belong to different tasks
    if found is not None and len(found) <= 2:
        encoded[~missing] = _signs(found)[code]
        return encoded, found
    if several and y.dtype.kind == "f" and np.any(y[~missing] % 1):
        raise ValueError(
            f"y must hold classes, got numbers such as {y[~missing][np.argmax(y[~missing] % 1 > 0)]:g} in it (Unknown "
            "label type: continuous): use a regressor, or make classes of them."
        )
    if len(labels) == 1 and y.ndim == 1 and not several:
        raise ValueError(
            f"Only binary classification is supported. The type of the target is {type_of_target(y)}. {ONE}"
        )
    if found is not None and found.dtype.kind != "O":
        of_row = np.arange(len(labels)) if codes is None else codes  # (in one column of y there is one task)
        task = np.broadcast_to(of_row, y.shape)[~missing]
        pairs, place = np.unique(task * len(found) + code, return_inverse=True)
        owner, values = pairs // len(found), found[pairs % len(found)]
        counts = np.bincount(owner, minlength=len(labels))
        if several or counts.max() <= 2:
            begin = np.cumsum(counts) - counts
            alone = counts[owner] == 1
            sign = np.arange(len(pairs)) - begin[owner].astype(float)
            sign = np.where(counts[owner] > 2, sign, 2 * sign - 1)
            sign[alone] = _only_class(values[alone])
            encoded[~missing] = sign[place]
            return encoded, found if counts.min() == len(found) else np.split(values, begin[1:])
    # Objects, whose kinds may differ from task to task; or one of the tasks has too many classes.
    classes = []
    if y.ndim == 1:
        rows = [slice(None)] if codes is None else rows_by_code(codes, len(labels))
    for t, label in enumerate(labels.tolist()):
        own = (slice(None), t) if y.ndim == 2 else rows[t]
        seen = ~missing[own]
        classes_t, sign = _own_classes(y[own][seen], label, several)
        column = np.full(len(seen), np.nan)
        column[seen] = sign
        encoded[own] = column
        classes.append(classes_t)
    if several and len({tuple(own.tolist()) for own in classes}) == 1:
        return encoded, classes[0]
    return encoded, classes


def rows_by_code(codes, n_codes):
    """[rows with that code, in order] for the codes 0, 1, ..., all found by sorting once."""
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.cumsum(np.bincount(codes, minlength=n_codes))[:-1])


def _own_classes(y, label, several):
    where = "" if label is None else f" for task {label!r}"
    if len(y) == 0:
        return np.unique(y), np.empty(0)
    if y.dtype.kind == "O" and len({type(label) for label in y.tolist()}) == 1:
        y = np.array(y.tolist())
    try:
        found, code = np.unique(y, return_inverse=True)
    except TypeError as error:
        kinds = sorted({type(label).__name__ for label in y.tolist()})
        raise ValueError(f"y must hold labels of one kind{where}, got {kinds}.") from error
    if len(found) > 2 and several:
        return found, code.astype(float)
    if len(found) > 2:
        raise ValueError(
            f"Only binary classification is supported. The type of the target is {type_of_target(y)}{where}: "
            f"{len(found)} classes {found[:5].tolist()}. {ONE}"
        )
    return found, _signs(found)[code]


def _signs(found):
    """-1 and +1 for two classes, in order; what ``_only_class`` says of one."""
    return np.array([-1.0, 1.0]) if len(found) == 2 else _only_class(found)


def _only_class(values):
    """Sign of every label that is the only one of its task: positive, but for the labels that mean "no"."""
    values = np.array(values.tolist()) if values.dtype.kind == "O" else values
    return np.where(values <= 0, -1.0, 1.0) if values.dtype.kind in "fiub" else np.ones(len(values))


def read_sample_weight(sample_weight, X, y):
    """Weights as float64, (n,) or, for y (n, T), also (n, T); None stays None."""
    if sample_weight is None:
        return None
    refuse_mask(sample_weight, "sample_weight")
    weight = np.asarray(sample_weight)
    if weight.ndim == 2:
        if y.ndim != 2 or weight.shape != y.shape:
            accepted = f"({X.shape[0]},)" + (f" or {y.shape}" if y.ndim == 2 else "")
            raise ValueError(f"sample_weight must have shape {accepted}, got {weight.shape}.")
        weight = check_array(weight, dtype=np.float64, input_name="sample_weight")
    else:
        weight = check_sample_weight(sample_weight, X, dtype=np.float64)
    if np.any(weight < 0):
        raise ValueError(f"sample_weight must be >= 0, got {weight.min():g}.")
    return weight


def read_offset(offset, y, weight=None, column=None):
    """Offsets as float64, (n,) or, for y (n, T), also (n, T), finite where targets count and else 0; None stays None.

    y as read, with NaN where a target is missing; ``column`` is where they come from, or None.
    """
    if offset is None:
        return None
    refuse_mask(offset, "offset")
    where = "offset" if column is None else f"offset_column={column!r}"
    try:
        offset = np.asarray(offset, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{where} must hold numbers, such as log exposures, got {np.asarray(offset).dtype}.") from None
    if offset.ndim == 2 and offset.shape[1] == 1:
        offset = offset[:, 0]
    if offset.shape != y.shape and offset.shape != y.shape[:1]:
        accepted = f"({len(y)},)" if y.ndim == 1 else f"({len(y)},) or {y.shape}"
        raise ValueError(f"{where} must have shape {accepted}, one for each row of X, got {offset.shape}.")
    counts = ~np.isnan(y)
    if weight is not None:
        counts &= (weight if weight.ndim == y.ndim else weight[:, None]) > 0
    if offset.ndim < y.ndim:
        counts = counts.any(axis=1)
    bad = counts & ~np.isfinite(offset)
    if bad.any():
        place = tuple(int(k) for k in np.argwhere(bad)[0])
        raise ValueError(
            f"{where} must be finite where a target counts, got {offset[place]} at row {place[0]}: it adds to "
            "x . w_t + b_t. Where it is the log of an exposure, drop the rows without any."
        )
    return np.where(counts, offset, 0.0)


def read_task_weight(task_weight, totals):
    """(T,) weights or None for equal ones; ``totals`` are the n_t."""
    if isinstance(task_weight, str):
        if task_weight == "equal":
            return None
        if task_weight == "size":
            return totals / totals.mean()
        raise ValueError(f"task_weight must be 'equal', 'size' or an array of positive numbers, got {task_weight!r}.")
    refuse_mask(task_weight, "task_weight")
    weight = check_array(task_weight, dtype=np.float64, ensure_2d=False, input_name="task_weight")
    if weight.shape != totals.shape:
        raise ValueError(f"task_weight must have one entry for each of the {len(totals)} tasks, got {weight.shape}.")
    if np.any(weight <= 0):
        raise ValueError(f"task_weight must be positive, got {weight.min():g}.")
    return weight
