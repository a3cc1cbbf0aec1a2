"""Support vector machines of several tasks."""

from ..estimators._classifier import MultiTaskClassifierBase
from ..estimators._docs import CLASSES, documented
from ..estimators._regressor import MultiTaskRegressorBase
from ._base import PARAMETERS, Kernelised, KernelisedCV

NOTES = """Notes
    -----
    With a coupling, losses that are linear but for kinks (hinge, epsilon-insensitive, quantile, absolute) go by
    sequential minimal optimisation, task by task, the others by Newton's method in the span of the samples. Every task
    has an intercept of its own, which scikit-learn's ``SVC`` on the kernel of samples and tasks has not: its problem is
    this one for a single task.

    References
    ----------
    Evgeniou, Pontil (2004), KDD; Evgeniou, Micchelli, Pontil (2005), JMLR."""


class _SVC(Kernelised):
    """minimise sum_t mean_i loss(y_ti, f_t(x_ti) + b_t) + alpha Omega(f),

    where Omega(f) is tr(W M W') of functions f_t(x) = phi(x) . w_t, phi the features of the kernel: half the squared
    norm of f in the space of the kernel B_st k(x, x'), with B = M^-1 / 2. With loss="hinge", max(0, 1 - y z) for y = -1
    and 1, these are support vector machines.

    {summary}

    Parameters
    ----------
    {task_kernel}
    alpha : float, default=0.1
        Strength: of one task, 1 / (n C) for the C of ``sklearn.svm.SVC``.
    {kernel}
    {common}

    Attributes
    ----------
    {functions}{classes}

    {notes}

    Examples
    --------
    {start}
    >>> model = {name}(kernel="rbf", gamma=0.1).fit(X, Y)
    >>> model.predict(X).shape
    (40, 4)
    """

    _parameters = PARAMETERS
    _fields = {**Kernelised._fields, "{notes}": NOTES, "{classes}": CLASSES}


@documented
class MultiTaskSVC(_SVC, MultiTaskClassifierBase):
    """Support vector machines, and other losses of classes, with kernels of samples and of tasks."""

    _loss = "hinge"


class _SVR(Kernelised):
    """minimise sum_t mean_i loss(y_ti, f_t(x_ti) + b_t) + alpha Omega(f),

    where Omega(f) is tr(W M W') of functions f_t(x) = phi(x) . w_t, phi the features of the kernel: half the squared
    norm of f in the space of the kernel B_st k(x, x'), with B = M^-1 / 2. With loss="epsilon_insensitive",
    max(0, abs(y - z) - epsilon), this is support vector regression; ``EpsilonInsensitive(epsilon)`` sets epsilon.

    {summary}

    Parameters
    ----------
    {task_kernel}
    alpha : float, default=0.1
        Strength: of one task, 1 / (n C) for the C of ``sklearn.svm.SVR``.
    {kernel}
    {common}

    Attributes
    ----------
    {functions}

    {notes}

    Examples
    --------
    {start}
    >>> model = {name}(kernel="rbf", gamma=0.1).fit(X, Y)
    >>> model.predict(X).shape
    (40, 4)
    """

    _parameters = PARAMETERS
    _fields = {**Kernelised._fields, "{notes}": NOTES}


@documented
class MultiTaskSVR(_SVR, MultiTaskRegressorBase):
    """Support vector regression, and other losses of real targets, with kernels of samples and of tasks."""

    _loss = "epsilon_insensitive"


@documented
class MultiTaskSVCCV(KernelisedCV, MultiTaskClassifierBase):
    """Support vector machines, and other losses of classes, with kernels of samples and of tasks."""

    _loss = "hinge"
    _single = MultiTaskSVC
    _fields = {**KernelisedCV._fields, "{single}": "MultiTaskSVC", "{classes}": CLASSES}


@documented
class MultiTaskSVRCV(KernelisedCV, MultiTaskRegressorBase):
    """Support vector regression, and other losses of real targets, with kernels of samples and of tasks."""

    _loss = "epsilon_insensitive"
    _single = MultiTaskSVR
    _fields = {**KernelisedCV._fields, "{single}": "MultiTaskSVR"}
