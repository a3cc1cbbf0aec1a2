"""One problem of the race: data, what is to be minimised, and the gap of any (W, b) seen from outside.

The gap comes from ``convexmtl.certificate``, which knows no solver and is tested against cvxpy. Neither the
objective nor the gap is ever taken from a solver, ours included.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import clone

import convexmtl as mtl
from convexmtl.certificate import duality_gap

from .families import FAMILIES


@dataclass(frozen=True, eq=False)
class Instance:
    """Attributes
    ----------
    name : str
    family : str
        A key of ``families.FAMILIES``.
    estimator : estimator of convexmtl
        What is to be minimised, strengths included; never fitted here.
    X, y, task
        As in ``estimator.fit``.
    alphas : ndarray or None
        The strengths of a path, largest first; None for a single fit at the estimator's own.
    """

    name: str
    family: str
    estimator: Any
    X: Any
    y: np.ndarray
    task: np.ndarray | None = None
    alphas: np.ndarray | None = None

    @property
    def layout(self):
        return "shared" if self.task is None else "stacked"

    @property
    def loss(self):
        return self.estimator.loss

    @property
    def fit_intercept(self):
        return self.estimator.fit_intercept

    @property
    def is_path(self):
        return self.alphas is not None

    @property
    def is_sparse(self):
        return sparse.issparse(self.X)

    @cached_property
    def shape(self):
        """(d, T)."""
        return self.X.shape[1], self.y.shape[1] if self.task is None else len(np.unique(self.task))

    @cached_property
    def formulation(self):
        return self.estimator._formulate(self.X, self.y, task=self.task)

    @property
    def problem(self):
        return self.formulation.problem

    @property
    def penalty(self):
        """The penalty as the textbook defines it."""
        return self.formulation.penalty

    @property
    def alpha(self):
        """The strength, where there is one only."""
        (value,) = self.formulation.strengths.values()
        return value

    @cached_property
    def Y(self):
        """Targets (n, T) of a shared X; labels are -1 and +1."""
        return np.asfortranarray(self.problem.tasks.y.reshape(self.shape[1], -1).T)

    @cached_property
    def tasks(self):
        """List of (X_t, y_t) of stacked tasks; labels are -1 and +1."""
        tasks = self.problem.tasks
        return [(tasks.X[rows], tasks.y[samples]) for rows, samples in map(tasks.slices, range(tasks.n_tasks))]

    def relative_gap(self, W, b=None):
        """Duality gap of W (d, T) and b (T,) over the objective at W = 0; b None takes the best intercepts.

        Of a path, W (n_alphas, d, T), the largest of its gaps.
        """
        if not self.is_path:
            return self._gap(self.problem, W, b)
        if len(W) != len(self.alphas):
            raise ValueError(f"a path of {len(self.alphas)} strengths was asked for, got {len(W)}.")
        gaps = []
        for i, alpha in enumerate(self.alphas):
            penalty = scaled(self.estimator, alpha / self.alphas[0])._penalty()
            problem = replace(self.problem, penalty=penalty.resolve(self.shape[0], self.formulation.labels))
            gaps.append(self._gap(problem, W[i], None if b is None else b[i]))
        return max(gaps)

    def zero(self):
        """(W, b) where everything is zero; with a first dimension for the strengths of a path."""
        shape = self.shape if self.alphas is None else (len(self.alphas), *self.shape)
        return np.zeros(shape), None

    def objective(self, W, b):
        return self.problem.primal((W,), b)

    def _gap(self, problem, W, b):
        W = np.ascontiguousarray(W, dtype=float)
        if W.shape != self.shape or not np.isfinite(W).all():
            return np.inf
        b = np.asarray(b, dtype=float) if b is not None and self.fit_intercept else None
        return float(duality_gap(problem, (W,), b).gap / self.problem.data.trivial[0])


def make_instance(name, data, family, ratio, fit_intercept=None, path=None):
    """The Instance of ``family`` on ``data`` (X, y, task) at the strength alpha_max / ratio.

    Parameters
    ----------
    fit_intercept : bool or None
        None is True for classification, False for regression: many a peer has no intercept.
    path : (int, float) or None
        Number of strengths from alpha_max down, and the ratio of the first to the last.
    """
    X, y, task = data
    classify = np.issubdtype(y.dtype, np.integer)
    T = y.shape[1] if task is None else len(np.unique(task))
    estimator = FAMILIES[family](T, classify)
    estimator.set_params(fit_intercept=classify if fit_intercept is None else fit_intercept)
    top = mtl.alpha_max(estimator, X, y, task=task)
    names = estimator._penalty().strength_values()
    factor = next(iter(top.values() if isinstance(top, dict) else [top])) / next(iter(names.values()))
    if path is None:
        return Instance(name, family, scaled(estimator, factor / ratio), X, y, task)
    n_alphas, depth = path
    estimator = scaled(estimator, factor)
    alphas = next(iter(estimator._penalty().strength_values().values())) * np.geomspace(1, 1 / depth, n_alphas)
    return Instance(name, family, estimator, X, y, task, alphas)


def scaled(estimator, factor):
    """The estimator with all of its strengths times ``factor``."""
    prefix = "penalty__" if "penalty" in estimator.get_params(deep=False) else ""
    strengths = estimator._penalty().strength_values()
    return clone(estimator).set_params(**{prefix + name: value * factor for name, value in strengths.items()})
