"""Lazy, signature-typed, disk-cached compilation; the only module that knows numba's decorators.

Nothing here imports numba before a kernel is first called, so that ``import convexmtl`` stays as light as
scikit-learn itself. A kernel is compiled once for one explicit signature and kept on disk; a row prox is
handed to it as a first-class function pointer, so that a new penalty never recompiles a solver. What is called by its
name is compiled into whatever calls it, once more each time; so a large kernel, too, goes as a pointer.
"""

import signal
import threading
from contextlib import contextmanager, suppress
from functools import cached_property
from hashlib import sha256
from importlib import import_module
from types import CodeType, FunctionType

from ._compat import UNCOUNTED, pointers

# NaN and infinity keep their meaning: only reordering and contraction are allowed.
FAST_REDUCTION = frozenset({"reassoc", "contract", "arcp", "nsz"})

# Of what is kept on disk: numba reads that of other versions of this package, too, if it has the same name.
FORMAT = 2

SCALARS = {"void", "float64", "int64", "boolean"}

# row (in: the point, out: its prox), step per task, float parameters, int parameters, feature index
ROW_PROX = "void(float64[::1], float64[::1], float64[::1], int64[::1], int64)"
# What couples the tasks of a row, as ``TaskOperator.packed`` has it.
COUPLING = "Tuple((int64[::1], int64[::1], float64[::1], int64[:, ::1], float64[::1]))"


def _signature(text):
    """numba's signature for ``text``.

    In it ``row_prox`` stands for a pointer to a row prox, ``pointer(void(float64))`` for one to a kernel of that
    signature, ``coupling`` for what couples tasks, ``frozen(float64, 2)`` for a contiguous array of two dimensions
    that is only read.
    """
    from numba import types

    kind, _ = pointers()
    names = {name: getattr(types, name) for name in ("void", "float32", "float64", "int64", "boolean", "Tuple")}
    names["frozen"] = lambda kind, ndim: types.Array(kind, ndim, "C", readonly=True)
    names["pointer"] = kind
    names["row_prox"] = kind(eval(ROW_PROX, dict(names)))
    names["coupling"] = eval(COUPLING, dict(names))
    return eval(text, names)


@contextmanager
def _interrupts_later():
    """Let Ctrl-C wait for the end of a compilation.

    While machine code is made, Python runs only in callbacks of LLVM, in which a KeyboardInterrupt is lost: the
    compilation would fail with a RuntimeError instead.
    """
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or handler is None:
        yield  # signals go to the main thread only, and what was not set from Python could not be put back
        return
    interrupts = []
    signal.signal(signal.SIGINT, lambda *arrived: interrupts.append(arrived))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if interrupts:
            signal.raise_signal(signal.SIGINT)


class Kernel:
    """A Python function that is compiled for one signature when it is first called.

    Parameters
    ----------
    function : callable
        The Python source. It may call other kernels by the names that they have in its module. One with a name that
        begins with an underscore is for such calls alone.
    signature : str
        numba signature, in the words of ``_signature``.
    fastmath : bool
        Allow reductions to be reordered (never to ignore NaN).
    """

    def __init__(self, function, signature, fastmath=False):
        self.function = function
        self.signature = signature
        self.fastmath = fastmath
        self.__name__ = function.__name__
        self.__doc__ = function.__doc__
        self.__module__ = function.__module__

    @property
    def called(self):
        """{name: Kernel} of those that the source calls."""
        space = self.function.__globals__
        return {name: space[name] for name in self.function.__code__.co_names if isinstance(space.get(name), Kernel)}

    @property
    def counts(self):
        """Whether references to arrays are counted, as they must be where arrays are made or returned.

        Where not, a slice costs nothing; to count it takes as long as all else that is done for a short row.
        """
        result = self.signature.partition("(")[0]
        return "empty" in self.function.__code__.co_names or result not in SCALARS

    @property
    def digest(self):
        """Short text that changes with the source, its constants and those of all kernels that it calls."""
        code, space = self.function.__code__, self.function.__globals__
        constants = [constant for constant in code.co_consts if not isinstance(constant, CodeType)]
        constants += [space[name] for name in code.co_names if isinstance(space.get(name), int | float)]
        own = (FORMAT, code.co_code, constants, code.co_names, self.signature, self.fastmath, self.counts)
        own += tuple(other.digest for other in self.called.values())
        return sha256(repr(own).encode()).hexdigest()[:16]

    @cached_property
    def compiled(self):
        """The compiled function (a numba dispatcher)."""
        source = self.function
        space = source.__globals__ | {name: other.compiled for name, other in self.called.items()}
        source = FunctionType(source.__code__, space, source.__name__, source.__defaults__)
        # The disk cache looks at the file of this function only; what is called may be from another one.
        source.__qualname__ = f"{self.function.__qualname__}-{self.digest}"
        source.__module__ = self.function.__module__
        from numba import errors

        with _interrupts_later():
            if not self.counts:
                with suppress(errors.NumbaError):
                    # (What makes arrays in other words than ``empty`` is refused.)
                    return self._njit(source, **UNCOUNTED)
            return self._njit(source)

    def _njit(self, source, **options):
        from numba import njit

        options |= dict(nogil=True, error_model="numpy", fastmath=set(FAST_REDUCTION) if self.fastmath else False)
        # What other kernels alone call need not be called from Python.
        options["no_cpython_wrapper"] = self.__name__.startswith("_")
        try:
            return njit(_signature(self.signature), cache=True, **options)(source)
        except RuntimeError as error:
            # A read-only install without a writable cache folder: compile in memory.
            if "cannot cache" not in str(error):
                raise
            return njit(_signature(self.signature), **options)(source)

    @cached_property
    def pointer(self):
        """What a kernel takes as a ``row_prox`` or a ``pointer``."""
        _, made = pointers()
        return made(next(iter(self.compiled.overloads.values())))

    def __call__(self, *args):
        return self.compiled(*args)

    def __reduce__(self):
        # By name, as functions are: a compiled object is rebuilt, never shipped. What was defined in a notebook
        # is not to be found by name in another process, so there its source function goes along.
        if self.__module__ == "__main__":
            return Kernel, (self.function, self.signature, self.fastmath)
        return _find, (self.__module__, self.__name__)


def _find(module, name):
    return getattr(import_module(module), name)


def kernel(signature, fastmath=False):
    """Decorator: compile the function for ``signature`` on first use."""
    return lambda function: Kernel(function, signature, fastmath)


def row_prox(function):
    """Decorator: compile ``function`` as the prox of one row of W.

    The function has the signature ``prox(row, step, fpar, ipar, feature)`` and overwrites ``row`` (one
    value per task) by

        argmin_x  sum_t (x_t - row_t)^2 / (2 step_t)  +  phi(x)

    where ``step`` (one value per task) is the metric, ``fpar`` (float64) and ``ipar`` (int64) hold the
    penalty's parameters and ``feature`` is the index of the row.
    """
    return Kernel(function, ROW_PROX)
