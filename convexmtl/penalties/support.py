"""No penalty but on which coefficients there are: what is left after features have been selected."""

import numpy as np

from .._jit import row_prox
from ..coupling import Nested
from ._manifold import of_entries
from .base import Canonical
from .positive import may_be_positive
from .rows import RowPenalty


@row_prox
def prox_support(v, step, fpar, ipar, feature):
    T = v.shape[0]
    for t in range(T):
        v[t] = v[t] / (1.0 + step[t] * fpar[feature * T + t])


@may_be_positive
class Support(RowPenalty):
    """Omega(W) = sum_jt r_jt / 2 w_jt^2 with r_jt in [0, inf]: 0 leaves a coefficient free, infinity makes it zero.

    Parameters
    ----------
    ridge : ndarray of shape (d, T)
    positive : bool, default=False
        Whether W has to be >= 0.

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl.penalties import Support
    >>> print(Support(np.array([[0.0, 2.0, np.inf]])).prox(np.array([[3.0, 3.0, 3.0]]), step=1.0))
    [[3. 1. 0.]]
    """

    strengths = ()
    is_norm = False
    row_prox = prox_support

    def __init__(self, ridge, positive=False):
        self.ridge = ridge
        self.positive = positive

    @property
    def formula(self):
        small = np.any((self.ridge > 0) & np.isfinite(self.ridge))
        return "0 on the coefficients that were selected" + (", but for a small ridge of some tasks" if small else "")

    @property
    def _inside(self):
        return np.where(np.isinf(self.ridge), 0.0, self.ridge)

    def check(self, n_features, labels):
        if np.shape(self.ridge) != (n_features, len(labels)) or not np.all(self.ridge >= 0):
            raise ValueError(f"ridge must be numbers >= 0 of shape ({n_features}, {len(labels)}), got {self.ridge!r}.")

    def resolve(self, n_features, labels):
        self.check(n_features, labels)
        return Canonical((self,), Nested(len(labels), [0.0]))

    def pack(self):
        return np.array(self.ridge, dtype=float).ravel(), np.zeros(0, dtype=np.int64)

    def restrict(self, features):
        return self.replaced(ridge=self.ridge[features])

    def scaled(self, factor):
        return self.replaced(ridge=np.where(np.isinf(self.ridge), np.inf, factor * self._inside))

    def feasible(self, W):
        return np.where(np.isinf(self.ridge), 0.0, W)

    def selects_features(self, n_tasks):
        return False

    def selects_coefficients(self, n_tasks):
        return False

    def manifold(self, W, Z):
        inside = np.isfinite(self.ridge)
        return of_entries(inside)._replace(diagonal=self.ridge[inside])

    def of_columns(self, columns):
        return self.replaced(ridge=np.asarray(self.ridge)[:, columns.owner])

    def with_task(self, labels, place):
        raise ValueError(
            "a task that arrives after a fit is learned by its penalty, and nothing of that is left where the sum of "
            "parts has been relaxed: hand over the estimator as it was before."
        )

    def value(self, W):
        return np.inf if np.any(W[np.isinf(self.ridge)]) else 0.5 * float(np.sum(self._inside * W**2))

    def conjugate(self, Z):
        """For Z without a share in what is free."""
        ridge = self._inside
        return 0.5 * float(np.sum(np.divide(Z**2, ridge, out=np.zeros(Z.shape), where=ridge > 0)))

    def free_entries(self, shape):
        free = self.ridge == 0
        return free if free.any() else None

    def left_out(self, shape):
        out = np.isinf(self.ridge)
        return out if out.any() else None

    def expression(self, W, cp):
        out = np.isinf(self.ridge)
        return 0.5 * cp.sum(cp.multiply(self._inside, cp.square(W))), [W[out] == 0] if out.any() else []
