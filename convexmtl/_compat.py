"""What is private in other packages and used all the same, each with the reason; no other module has any.

scikit-learn writes estimators with tools that it does not publish, and moves them from time to time: then this is the
place to mend. What estimators, penalties and scorers inherit from its classes (``_validate_params``, ``_get_params``,
``_init_callback_context``) is protected rather than private, and stays where it is used.

Two functions that read frames of any make are here too.
"""

from copy import deepcopy
from functools import cache
from threading import Lock

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
    "is_pandas_na",
    "is_scalar_nan",
    "num_features",
    "num_samples",
    "pointers",
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


def pointers():
    """(numba's type, class of the values) of compiled functions as arguments of other ones.

    They are numba's first-class functions, but for what each of those costs at every call, as long as a sweep over the
    rows of a small problem takes: numba asks Python for its type, and for its address. Here both are attributes.
    """
    with _making:
        return _pointers()


_making = Lock()


@cache
def _pointers():
    from numba.core import cgutils
    from numba.core.types.function_type import FunctionType
    from numba.experimental.function_type import FunctionModel
    from numba.extending import NativeValue, register_model, typeof_impl, unbox
    from numba.types import voidptr

    class PointerType(FunctionType):
        """Of a Pointer: its signature."""

    # (The disk cache looks for it by that name.)
    PointerType.__qualname__ = "PointerType"
    register_model(PointerType)(FunctionModel)

    class Pointer:
        """The address of a compiled function, from numba's result of the compilation."""

        def __init__(self, result):
            self.result = result  # it keeps the machine code
            self.address = result.library.get_pointer_to_function(result.fndesc.llvm_cfunc_wrapper_name)
            self._numba_type_ = PointerType(result.signature)

    typeof_impl.register(Pointer)(lambda pointer, context: pointer._numba_type_)

    @unbox(PointerType)
    def unbox_pointer(kind, pointer, c):
        value = cgutils.create_struct_proxy(kind)(c.context, c.builder)
        address = c.pyapi.object_getattr_string(pointer, "address")
        with cgutils.if_unlikely(c.builder, cgutils.is_null(c.builder, address)):
            c.builder.ret(c.pyapi.get_null_object())
        # (By position, as names differ between versions of numba: the address, the object, and another way to call it.)
        value[0] = c.pyapi.long_as_voidptr(address)
        c.pyapi.decref(address)
        value[1] = c.builder.ptrtoint(pointer, c.context.get_value_type(voidptr))
        for k in range(2, len(value)):
            value[k] = cgutils.get_null_value(value[k].type)
        return NativeValue(value._getvalue())

    return PointerType, Pointer


def __getattr__(name):
    if name == "PointerType":
        return pointers()[0]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def with_requests_of(estimator, other):
    """The other estimator, which asks meta-estimators for the metadata that this one has been set to ask for.

    What ``set_fit_request`` and the like have set is in an attribute that ``clone`` copies, within one class.
    """
    if hasattr(estimator, "_metadata_request"):
        other._metadata_request = deepcopy(estimator._metadata_request)
    return other
