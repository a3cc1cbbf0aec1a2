"""Row penalties of coefficients that are not negative."""

from functools import cache, wraps
from types import FunctionType

import numpy as np

from .._jit import Kernel
from ._manifold import of_row_prox


def _positive(v, step, fpar, ipar, feature):
    """The prox of what grows with every abs(x_t), where x >= 0: that of the positive part."""
    for t in range(v.shape[0]):
        if v[t] < 0.0:
            v[t] = 0.0
    _inner(v, step, fpar, ipar, feature)  # noqa: F821


@cache
def positive_prox(inner):
    """The row prox, a Kernel, of ``inner`` for rows that are not negative."""
    space = {"np": np, "_inner": inner, "__name__": __name__}
    return Kernel(FunctionType(_positive.__code__, space, _positive.__name__), inner.signature)


def only_positive(value, W):
    """``value()``, infinite for W with negative entries."""
    return np.inf if np.any(W < 0) else value()


def _of_positive_part(method):
    @wraps(method)
    def changed(self, *args, **kwargs):
        if not self.positive:
            return method(self, *args, **kwargs)
        # (The matrix comes first, by whatever name.)
        Z, rest = (args[0], args[1:]) if args else (kwargs.pop(next(iter(kwargs))), ())
        return method(self, np.maximum(Z, 0.0), *rest, **kwargs)

    return changed


def _of_positive(method):
    @wraps(method)
    def changed(self, W):
        return only_positive(lambda: method(self, W), W) if self.positive else method(self, W)

    return changed


def may_be_positive(cls):
    """Class decorator of a row penalty that grows with every abs(w_jt), and has the parameter ``positive``.

    Where that is true, its prox, its dual norm and its conjugate are what they are at the positive part.
    """
    own, expression, feasible, manifold, values = cls.row_prox, cls.expression, cls.feasible, cls.manifold, cls.values

    def row_prox(self):
        inner = own.fget(self) if isinstance(own, property) else own
        return positive_prox(inner) if self.positive else inner

    def of_values(self, Ws):
        if not self.positive:
            return values(self, Ws)
        # (W may be negative where a path has been foretold.)
        return np.where(np.any(Ws < 0, axis=(-2, -1)), np.inf, values(self, Ws))

    def of_expression(self, W, cp):
        value, rules = expression(self, W, cp)
        return value, [*rules, W >= 0] if self.positive else rules

    def of_feasible(self, W):
        W = feasible(self, W)
        return np.maximum(W, 0.0) if self.positive else W

    def of_manifold(self, W, Z):
        return of_row_prox(self, W, Z) if self.positive else manifold(self, W, Z)

    for name in ("prox", "dual_norm", "dual_norms", "excess", "conjugate"):
        setattr(cls, name, _of_positive_part(getattr(cls, name)))
    cls.value = _of_positive(cls.value)
    cls.row_prox = property(row_prox, doc=None)
    for name, method in (
        ("values", of_values), ("expression", of_expression), ("feasible", of_feasible), ("manifold", of_manifold)
    ):  # fmt: skip
        setattr(cls, name, wraps(getattr(cls, name))(method))
    return cls
