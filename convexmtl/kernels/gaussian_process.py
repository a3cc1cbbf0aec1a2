"""Kernels of several tasks for scikit-learn's Gaussian processes."""

from numbers import Integral

import numpy as np
from sklearn.gaussian_process.kernels import Hyperparameter, Kernel

from .._input import check_count


class _OfTasks(Kernel):
    """A kernel of samples whose task is a column of X, as one of the integers 0, 1, ..., n_tasks - 1."""

    def _split(self, X):
        """(the other columns, task (n,) of every row)."""
        X = np.atleast_2d(np.asarray(X, dtype=float))
        d, column = X.shape[1], self.task_column
        if isinstance(column, bool) or not isinstance(column, Integral) or not -d <= column < d:
            raise ValueError(
                f"task_column must be the position of a column of X, from {-d} to {d - 1}, got {column!r}."
            )
        if d < 2:
            raise ValueError("X has no feature beside the task column.")
        check_count(self.n_tasks, "n_tasks", 1)
        given = X[:, column]
        task = given.astype(np.int64)
        wrong = (task != given) | (task < 0) | (task >= self.n_tasks)
        if wrong.any():
            raise ValueError(
                f"the task column of X must hold integers from 0 to n_tasks - 1 = {self.n_tasks - 1}, got "
                f"{given[wrong][0]:g}: number the tasks, by an OrdinalEncoder say, or pass n_tasks."
            )
        return np.delete(X, column % d, axis=1), task

    @property
    def requires_vector_input(self):
        return True

    def is_stationary(self):
        return False


class TaskKernel(_OfTasks):
    """K((x, s), (x', t)) = B_st k(x, x'), B = L L' + diag(kappa): a Gaussian process of several tasks.

    For ``sklearn.gaussian_process``: ``GaussianProcessRegressor(TaskKernel(RBF(), -1, rank=2) + WhiteKernel())``
    learns L (T, rank), kappa (T,) and the parameters of k by the marginal likelihood. It adds to and multiplies with
    other kernels.

    Parameters
    ----------
    kernel : Kernel
        k, of ``sklearn.gaussian_process.kernels``.
    task_column : int, default=-1
        The column of X that holds the task, 0, 1, ..., n_tasks - 1.
    rank : int, default=None
        Of what the tasks have in common; None is n_tasks, any B.
    n_tasks : int, default=10
        How many tasks there are, at most: what belongs to tasks without a sample stays as it is, at some cost.
    factor : array-like of shape (n_tasks, rank), default=None
        L to begin with. None is a first column of ones, the same for all, and small numbers beside it.
    kappa : float or array-like of shape (n_tasks,), default=0.1
        What every task has of its own, to begin with.
    factor_bounds, kappa_bounds : pair of float or "fixed", default=(-1e2, 1e2) and (1e-5, 1e2)

    References
    ----------
    Bonilla, Chai, Williams (2007), NIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.gaussian_process import GaussianProcessRegressor
    >>> from sklearn.gaussian_process.kernels import RBF, WhiteKernel
    >>> from convexmtl import TaskKernel
    >>> X = np.column_stack([np.tile(np.linspace(0, 6, 12), 2), np.repeat([0, 1], 12)])
    >>> y = np.sin(X[:, 0]) * np.where(X[:, 1] == 0, 1, -1)
    >>> kernel = TaskKernel(RBF(), rank=1, n_tasks=2, kappa=0.01, kappa_bounds="fixed")
    >>> model = GaussianProcessRegressor(kernel + WhiteKernel(0.01, "fixed")).fit(X, y)
    >>> B = model.kernel_.k1.task_covariance
    >>> print(bool(B[0, 1] < -0.9 * np.sqrt(B[0, 0] * B[1, 1])))
    True
    """

    def __init__(
        self,
        kernel,
        task_column=-1,
        rank=None,
        n_tasks=10,
        factor=None,
        kappa=0.1,
        factor_bounds=(-1e2, 1e2),
        kappa_bounds=(1e-5, 1e2),
    ):
        self.kernel = kernel
        self.task_column = task_column
        self.rank = rank
        self.n_tasks = n_tasks
        self.factor = factor
        self.kappa = kappa
        self.factor_bounds = factor_bounds
        self.kappa_bounds = kappa_bounds

    # ------------------------------------------------------------------------------ parameters

    def get_params(self, deep=True):
        params = super().get_params(deep=False)
        if deep:
            params.update((f"kernel__{name}", value) for name, value in self.kernel.get_params().items())
        return params

    @property
    def _L(self):
        check_count(self.n_tasks, "n_tasks", 1)
        rank = self.n_tasks if self.rank is None else self.rank
        check_count(rank, "rank", 1)
        if self.factor is None:
            # Not all alike, or the gradients of all columns would be.
            L = 0.1 * np.random.default_rng(0).normal(size=(self.n_tasks, rank))
            L[:, 0] = 1.0
            return L
        L = np.asarray(self.factor, dtype=float)
        if L.shape != (self.n_tasks, rank) or not np.isfinite(L).all():
            raise ValueError(f"factor must be finite, of shape ({self.n_tasks}, {rank}), got shape {L.shape}.")
        return L

    @property
    def _kappa(self):
        kappa = np.asarray(self.kappa, dtype=float)
        if kappa.shape not in ((), (self.n_tasks,)) or not np.all((kappa > 0) & np.isfinite(kappa)):
            raise ValueError(f"kappa must be positive, one number or {self.n_tasks} of them, got {self.kappa!r}.")
        return np.broadcast_to(kappa, self.n_tasks)

    @property
    def task_covariance(self):
        """B (n_tasks, n_tasks)."""
        L = self._L
        return L @ L.T + np.diag(self._kappa)

    @property
    def hyperparameter_factor(self):
        return Hyperparameter("factor", "numeric", self.factor_bounds, self._L.size)

    @property
    def hyperparameter_kappa(self):
        return Hyperparameter("kappa", "numeric", self.kappa_bounds, self.n_tasks)

    @property
    def hyperparameters(self):
        own = [self.hyperparameter_factor, self.hyperparameter_kappa]
        return [h._replace(name=f"kernel__{h.name}") for h in self.kernel.hyperparameters] + own

    @property
    def theta(self):
        """Logarithms of the parameters of k, the entries of L as they are, and the logarithms of kappa."""
        parts = [self.kernel.theta]
        if not self.hyperparameter_factor.fixed:
            parts.append(self._L.ravel())
        if not self.hyperparameter_kappa.fixed:
            parts.append(np.log(self._kappa))
        return np.concatenate(parts)

    @theta.setter
    def theta(self, theta):
        k, size = self.kernel.n_dims, self._L.size
        self.kernel.theta = theta[:k]
        if not self.hyperparameter_factor.fixed:
            self.factor = np.array(theta[k : k + size]).reshape(self._L.shape)
            k += size
        if not self.hyperparameter_kappa.fixed:
            self.kappa = np.exp(theta[k : k + self.n_tasks])

    @property
    def bounds(self):
        parts = [self.kernel.bounds.reshape(-1, 2)]
        if not self.hyperparameter_factor.fixed:
            parts.append(self.hyperparameter_factor.bounds)
        if not self.hyperparameter_kappa.fixed:
            parts.append(np.log(self.hyperparameter_kappa.bounds))
        return np.vstack(parts)

    def __eq__(self, other):
        if type(self) is not type(other):
            return False
        mine, theirs = self.get_params(deep=False), other.get_params(deep=False)
        return all(np.array_equal(mine[name], theirs[name]) for name in mine)

    def __repr__(self):
        return f"TaskKernel({self.kernel!r}, rank={self._L.shape[1]}, n_tasks={self.n_tasks})"

    # ------------------------------------------------------------------------------ values

    def __call__(self, X, Y=None, eval_gradient=False):
        """(n, m) the kernel of the rows of X and Y, None being X; and its gradient (n, n, p) by ``theta``."""
        X, s = self._split(X)
        B = self.task_covariance
        if Y is not None:
            if eval_gradient:
                raise ValueError("Gradient can only be evaluated when Y is None.")
            Y, t = self._split(Y)
            return B[np.ix_(s, t)] * self.kernel(X, Y)
        BX = B[np.ix_(s, s)]
        if not eval_gradient:
            return BX * self.kernel(X)
        K, gradient = self.kernel(X, eval_gradient=True)
        parts = [gradient * BX[:, :, None]]
        own = (s[:, None] == np.arange(self.n_tasks)).astype(float)
        if not self.hyperparameter_factor.fixed:
            L = self._L[s]
            one = np.einsum("ij,ia,jb->ijab", K, own, L).reshape(*K.shape, -1)
            parts.append(one + one.swapaxes(0, 1))
        if not self.hyperparameter_kappa.fixed:
            parts.append(np.einsum("ij,ia,ja,a->ija", K, own, own, self._kappa))
        return BX * K, np.concatenate(parts, axis=2)

    def diag(self, X):
        X, s = self._split(X)
        return np.diag(self.task_covariance)[s] * self.kernel.diag(X)


class TaskNoise(_OfTasks):
    """K((x, s), (x', t)) = noise_s for a sample with itself, else 0: white noise, of every task its own.

    Parameters
    ----------
    task_column : int, default=-1
        The column of X that holds the task, 0, 1, ..., n_tasks - 1.
    n_tasks : int, default=10
        How many tasks there are, at most.
    noise_level : float or array-like of shape (n_tasks,), default=1.0
        Variances to begin with.
    noise_level_bounds : pair of float or "fixed", default=(1e-5, 1e5)

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import TaskNoise
    >>> print(TaskNoise(n_tasks=2, noise_level=[0.1, 2.0])(np.array([[3.0, 0], [4.0, 1]])))
    [[0.1 0. ]
     [0.  2. ]]
    """

    def __init__(self, task_column=-1, n_tasks=10, noise_level=1.0, noise_level_bounds=(1e-5, 1e5)):
        self.task_column = task_column
        self.n_tasks = n_tasks
        self.noise_level = noise_level
        self.noise_level_bounds = noise_level_bounds

    @property
    def _levels(self):
        check_count(self.n_tasks, "n_tasks", 1)
        levels = np.asarray(self.noise_level, dtype=float)
        if levels.shape not in ((), (self.n_tasks,)) or not np.all((levels > 0) & np.isfinite(levels)):
            raise ValueError(
                f"noise_level must be positive, one number or {self.n_tasks} of them, got {self.noise_level!r}."
            )
        return np.broadcast_to(levels, self.n_tasks)

    @property
    def hyperparameter_noise_level(self):
        return Hyperparameter("noise_level", "numeric", self.noise_level_bounds, self.n_tasks)

    @property
    def theta(self):
        return np.zeros(0) if self.hyperparameter_noise_level.fixed else np.log(self._levels)

    @theta.setter
    def theta(self, theta):
        if len(theta):
            self.noise_level = np.exp(theta)

    @property
    def bounds(self):
        own = self.hyperparameter_noise_level
        return np.zeros((0, 2)) if own.fixed else np.log(own.bounds)

    def __eq__(self, other):
        if type(self) is not type(other):
            return False
        mine, theirs = self.get_params(), other.get_params()
        return all(np.array_equal(mine[name], theirs[name]) for name in mine)

    def __repr__(self):
        return f"TaskNoise(n_tasks={self.n_tasks})"

    def __call__(self, X, Y=None, eval_gradient=False):
        """(n, m) the kernel of the rows of X and Y, None being X; and its gradient (n, n, p) by ``theta``."""
        X, s = self._split(X)
        if Y is not None:
            if eval_gradient:
                raise ValueError("Gradient can only be evaluated when Y is None.")
            return np.zeros((len(X), len(self._split(Y)[0])))
        K = np.diag(self._levels[s])
        if not eval_gradient:
            return K
        if self.hyperparameter_noise_level.fixed:
            return K, np.zeros((*K.shape, 0))
        gradient = np.zeros((*K.shape, self.n_tasks))
        every = np.arange(len(s))
        gradient[every, every, s] = self._levels[s]
        return K, gradient

    def diag(self, X):
        return self._levels[self._split(X)[1]].copy()
