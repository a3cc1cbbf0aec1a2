"""Kernel ridge regression of several tasks."""

from ..estimators._docs import documented
from ..estimators._regressor import MultiTaskRegressorBase
from ._base import PARAMETERS, Kernelised, KernelisedCV


class _KernelRidge(Kernelised):
    """minimise (1/2) sum_t mean_i (y_ti - f_t(x_ti) - b_t)^2 + alpha Omega(f),

    where Omega(f) is tr(W M W') of functions f_t(x) = phi(x) . w_t, phi the features of the kernel: half the squared
    norm of f in the space of the kernel B_st k(x, x'), with B = M^-1 / 2. With kernel="linear" these are linear models.

    {summary}

    Parameters
    ----------
    {task_kernel}
    alpha : float, default=0.1
        Strength.
    {kernel}
    {common}

    Attributes
    ----------
    {functions}

    Notes
    -----
    The fit is one direct solution: in the eigenvectors of the kernels of samples and of tasks where all tasks have one
    X, else in the span of all samples. "learned" is the squared trace norm of the functions, a convex problem.

    References
    ----------
    Evgeniou, Micchelli, Pontil (2005), JMLR; for "learned" Zhang, Yeung (2010), UAI.

    Examples
    --------
    {start}
    >>> model = {name}(kernel="rbf", gamma=0.1).fit(X, Y)
    >>> model.predict(X).shape, model.task_kernel_.shape
    ((40, 4), (4, 4))
    """

    _parameters = PARAMETERS


@documented
class MultiTaskKernelRidge(_KernelRidge, MultiTaskRegressorBase):
    """Kernels of samples and of tasks under the squared loss."""

    _loss = None
    loss = "squared"


@documented
class MultiTaskKernelRidgeCV(KernelisedCV, MultiTaskRegressorBase):
    """Kernels of samples and of tasks under the squared loss."""

    _loss = None
    loss = "squared"
    _single = MultiTaskKernelRidge
    _fields = {
        **KernelisedCV._fields,
        "{single}": "MultiTaskKernelRidge",
        "{objective}": "(1/2) sum_t mean_i (y_ti - f_t(x_ti) - b_t)^2",
    }
