"""What is private in other packages and used all the same, each with the reason; no other module has any.

scikit-learn writes estimators with tools that it does not publish, and moves them from time to time: then this is the
place to mend. What estimators, penalties and scorers inherit from its classes (``_validate_params``, ``_get_params``,
``_init_callback_context``) is protected rather than private, and stays where it is used.

Two functions that read frames of any make are here too.
"""

from copy import deepcopy
from functools import cache

# A scorer that passes ``task`` and ``sample_weight`` on has to be one of theirs, or searches do not route to it.
from sklearn.metrics._scorer import _BaseScorer as BaseScorer

# What a search is, whatever it searches by: one that is around an estimator gives way to that of a baseline.
from sklearn.model_selection._search import BaseSearchCV

# Rows and columns of arrays, frames of any make and sparse matrices alike.
from sklearn.utils import _safe_indexing

# A label is missing if it is NaN of any type, or pandas' NA, which pandas need not be imported to know.
from sklearn.utils._missing import is_pandas_na, is_scalar_nan

# The same words for a package that is not there as in scikit-learn's own displays and data sets.
from sklearn.utils._optional_dependencies import check_matplotlib_support, check_pandas_support

# Parameters are checked by the same tables, and refused in the same words, as those of scikit-learn's estimators.
from sklearn.utils._param_validation import Interval as AnyInterval
from sklearn.utils._param_validation import StrOptions, validate_params

# The refusal of fit parameters that are not routed, in scikit-learn's words.
from sklearn.utils.metadata_routing import _raise_for_params as raise_for_params

# Named members with nested parameters (``name__alpha``), as the steps of a pipeline have them.
from sklearn.utils.metaestimators import _BaseComposition as BaseComposition

# Weights, and numbers of rows and columns, of whatever scikit-learn takes as X.
from sklearn.utils.validation import _check_sample_weight as check_sample_weight
from sklearn.utils.validation import _num_features as num_features
from sklearn.utils.validation import _num_samples as num_samples

# numba's option for functions that make no arrays: references to those that they are given are not counted.
UNCOUNTED = {"_nrt": False}

__all__ = [
    "UNCOUNTED",
    "BaseComposition",
    "BaseScorer",
    "BaseSearchCV",
    "Interval",
    "StrOptions",
    "check_matplotlib_support",
    "check_pandas_support",
    "check_sample_weight",
    "column_names",
    "first_class",
    "is_pandas_na",
    "is_scalar_nan",
    "num_features",
    "num_samples",
    "raise_for_params",
    "safe_indexing",
    "validate_params",
    "with_requests_of",
]


def column_names(frame, otherwise=None):
    """What the columns of a frame are called; ``otherwise`` where it is none. Tables of pyarrow have their columns
    themselves as ``columns``."""
    names = getattr(frame, "column_names", None)
    return names if isinstance(names, list) else getattr(frame, "columns", otherwise)


def safe_indexing(X, indices, *, axis=0):
    """These rows or columns, by position; scikit-learn has no words for tables of pyarrow before 1.7."""
    if isinstance(getattr(X, "column_names", None), list):
        return X.select(list(indices)) if axis else X.take(indices)
    return _safe_indexing(X, indices, axis=axis)


class Interval(AnyInterval):
    """Of numbers, of which True and False are none."""

    def is_satisfied_by(self, val):
        return not isinstance(val, bool) and super().is_satisfied_by(val)


def first_class(compiled):
    """A compiled function of one signature as a first-class function, which kernels take as a pointer.

    numba makes them of dispatchers too, but looks those up anew at every call.
    """
    return _pointers()(next(iter(compiled.overloads.values())))


@cache
def _pointers():
    """Their class, whose type numba need not work out at every call: that takes it longer than many a call."""
    from numba.core.types.function_type import CompileResultWAP
    from numba.extending import typeof_impl
    from numba.types import FunctionType

    class Pointer(CompileResultWAP):
        """The address of a compiled function, with its numba type as ``kind``."""

        def __init__(self, result):
            super().__init__(result)
            self.kind = FunctionType(result.signature)

    typeof_impl.register(Pointer)(lambda pointer, context: pointer.kind)
    return Pointer


def with_requests_of(estimator, other):
    """The other estimator, which asks meta-estimators for the metadata that this one has been set to ask for.

    What ``set_fit_request`` and the like have set is in an attribute that ``clone`` copies, within one class.
    """
    if hasattr(estimator, "_metadata_request"):
        other._metadata_request = deepcopy(estimator._metadata_request)
    return other
