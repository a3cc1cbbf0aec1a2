"""A subspace that the tasks share, and a part of their own beside it."""

from collections.abc import Sequence
from numbers import Integral, Real

import numpy as np

from .._input import read_list
from ..penalties import SharedStructure
from ._classifier import MultiTaskClassifierBase
from ._cv import CrossValidated
from ._docs import documented
from ._regressor import IncrementalRegressorBase, MultiTaskRegressorBase


class _SharedStructure:
    """minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + Omega(W),
    Omega(W) = alpha eta (1 + eta) min over 0 <= M <= I (d x d), tr M = n_components, of tr(W' (eta I + M)^-1 W).

    {summary}

    Parameters
    ----------
    alpha : float, default=0.1
        Strength of the penalty.
    eta : float > 0, default=1.0
        The smaller, the more a model has to lie in the shared subspace.
    n_components : int, default=1
        Dimension of the shared subspace, between 0 and d; at either end the penalty is a ridge.
    {common}

    Attributes
    ----------
    {fitted}
    components_ : ndarray of shape (n_components, d)
        Orthonormal basis of the shared subspace, most important first: the leading eigenvectors of M.

    References
    ----------
    Chen, Tang, Liu, Ye (2009), ICML; Ando, Zhang (2005), JMLR; Zhou, Chen, Ye (2011), NIPS.

    Examples
    --------
    {start}
    >>> model = {name}(alpha=0.1, n_components=2).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> model.components_.shape
    (2, 6)
    """

    _parameters = {"alpha": 0.1, "eta": 1.0, "n_components": 1}

    def _penalty(self):
        return SharedStructure(self.alpha, self.eta, self.n_components)


@documented
class SharedStructureRegressor(_SharedStructure, IncrementalRegressorBase):
    """A subspace that the tasks share, and a part of their own beside it. Regression."""


@documented
class SharedStructureClassifier(_SharedStructure, MultiTaskClassifierBase):
    """A subspace that the tasks share, and a part of their own beside it. Classification."""


class _SharedStructureCV(CrossValidated):
    """``SharedStructure`` with the strength chosen by cross-validation:

    minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + Omega(W),
    Omega(W) = alpha eta (1 + eta) min over 0 <= M <= I (d x d), tr M = n_components, of tr(W' (eta I + M)^-1 W).

    {summary}

    Parameters
    ----------
    eta : float > 0 or list of them, default=1.0
        The smaller, the more a model has to lie in the shared subspace; the best of a list is taken.
    n_components : int or list of them, default=1
        Dimension of the shared subspace; the best of a list is taken.
    {common}
    {search}

    Attributes
    ----------
    alpha_, eta_, n_components_ : float
        What was chosen.
    {searched}
    {fitted}
    components_ : ndarray of shape (n_components, d)
        Orthonormal basis of the shared subspace, most important first: the leading eigenvectors of M.

    References
    ----------
    Chen, Tang, Liu, Ye (2009), ICML; Ando, Zhang (2005), JMLR; Zhou, Chen, Ye (2011), NIPS.

    Examples
    --------
    {start}
    >>> model = {name}(n_components=[1, 2], alphas=3, eps=0.1, cv=2).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> model.n_components_ in (1, 2)
    True
    """

    _replaced = ("alpha", "eta", "n_components")
    _searched = {"eta": 1.0, "n_components": 1}

    def _settings(self, n_features, n_tasks):
        etas = [self.eta] if isinstance(self.eta, Real) else self.eta
        etas = read_list(etas, "eta", "a positive number or a list of them", low=np.nextafter(0, 1))
        sizes = [self.n_components] if isinstance(self.n_components, Integral) else self.n_components
        if not isinstance(sizes, Sequence | np.ndarray) or isinstance(sizes, str) or not len(sizes):
            raise ValueError(f"n_components must be an integer or a list of them, got {sizes!r}.")
        return [{"alpha": 1.0, "eta": eta, "n_components": size} for eta in etas for size in sizes]


@documented
class SharedStructureRegressorCV(_SharedStructureCV, MultiTaskRegressorBase):
    """A subspace that the tasks share, and a part of their own beside it. Regression."""

    _single = SharedStructureRegressor


@documented
class SharedStructureClassifierCV(_SharedStructureCV, MultiTaskClassifierBase):
    """A subspace that the tasks share, and a part of their own beside it. Classification."""

    _single = SharedStructureClassifier
