"""The table of solvers: what each is called, which package it needs, what it solves, and how."""

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from sklearn.base import clone

from . import lapack, peers, textbook
from .families import COUPLINGS
from .instance import Instance

# Beyond so many unknowns or targets an interior-point or splitting solver is not asked.
CVXPY_SIZE = 20_000, 15_000


@dataclass(frozen=True)
class Solver:
    """Attributes
    ----------
    name : str
    prepare : callable
        ``prepare(instance)`` returns ``solve(tol) -> (W, b)``; not timed.
    applies : callable
        ``applies(instance)``: whether it solves this problem.
    package, module : str
        What it is installed and imported as.
    loosest : float
        The first tolerance to try, in its own units.
    by_gap : bool
        Its tolerance is one of the gap, up to a factor.
    one_shot : bool
        It has no tolerance.
    method : callable or None
        Its iterates, for ``textbook.solve``, which records them in one run; in place of ``prepare``.
    compiles : bool
        Its first call in a process compiles.
    patience : float
        It may take this many times as long as ours.
    """

    name: str
    prepare: Callable | None
    applies: Callable[[Instance], bool] = field(repr=False)
    package: str = "numpy"
    module: str = "numpy"
    loosest: float = 1e-3
    by_gap: bool = False
    one_shot: bool = False
    method: Callable | None = None
    compiles: bool = False
    patience: float = 0.0

    @property
    def missing(self):
        """Why it cannot run here, or None."""
        return None if importlib.util.find_spec(self.module) else f"{self.package} is not installed"

    @property
    def version(self):
        try:
            return version(self.package)
        except PackageNotFoundError:
            return None


def ours(instance):
    """As users call it."""

    def solve(tol):
        model = clone(instance.estimator).set_params(tol=tol, max_iter=100_000)
        model.fit(instance.X, instance.y, task=instance.task)
        return model.coef_.T, model.intercept_

    return solve


def our_path(instance):
    import convexmtl

    def solve(tol):
        estimator = clone(instance.estimator).set_params(tol=tol, max_iter=100_000)
        path = convexmtl.regularization_path(
            estimator, instance.X, instance.y, task=instance.task, alphas=instance.alphas
        )
        return np.asarray(path.coefs).transpose(0, 2, 1), path.intercepts

    return solve


def _one_x(instance):
    """l1/l2 as scikit-learn has it."""
    return (
        instance.family == "l1/l2"
        and instance.loss == "squared"
        and instance.layout == "shared"
        and not instance.fit_intercept
    )


def _shared(families):
    """Of these families, with one dense X, the squared loss and no intercepts."""
    return lambda i: (
        i.family in families
        and i.loss == "squared"
        and i.layout == "shared"
        and not i.fit_intercept
        and not i.is_path
        and not i.is_sparse
    )


def _fit(applies, dense=False):
    return lambda i: applies(i) and not i.is_path and not (dense and i.is_sparse)


def _path(applies, dense=False):
    return lambda i: applies(i) and i.is_path and not (dense and i.is_sparse)


def _grouped(instance):
    """As a group lasso on the block-diagonal design."""
    return (
        instance.family in ("l1/l2", "sparse group")
        and instance.loss == "squared"
        and not instance.fit_intercept
        and not instance.is_path
        and not instance.is_sparse
        and (instance.layout == "stacked" or (instance.family == "sparse group" and np.prod(instance.shape) <= 20_000))
    )


def _separates(families):
    return lambda i: i.family in families and i.loss == "logistic" and not i.is_path and not i.is_sparse


def _small(instance):
    return (
        instance.loss == "squared"
        # Nobody would ask them for what is one linear system.
        and instance.family not in COUPLINGS
        and not instance.is_path
        and not instance.is_sparse
        and np.prod(instance.shape) <= CVXPY_SIZE[0]
        and instance.y.size <= CVXPY_SIZE[1]
    )


def _closed_form(instance):
    # A chain of tasks with rows of their own has no closed form.
    return (
        instance.family in COUPLINGS
        and instance.loss == "squared"
        and not instance.is_path
        and not (instance.family == "graph Laplacian" and instance.layout == "stacked")
    )


JOINT = ("dirty", "squared trace norm", "learned clusters")


def _textbook(joint):
    return lambda i: not i.is_path and (i.family in JOINT) == joint


def _alternates(instance):
    return (
        instance.family == "squared trace norm"
        and instance.loss == "squared"
        and not instance.fit_intercept
        and not instance.is_path
        and (instance.layout == "shared" or len(instance.y) <= 5_000)
    )


def _sklearn(name, prepare, applies, loosest=1e-2, **options):
    return Solver(name, prepare, applies, "scikit-learn", "sklearn", loosest, **options)


SOLVERS: Sequence[Solver] = (
    Solver(
        "convexmtl",
        ours,
        lambda i: not i.is_path,
        "convexmtl",
        "convexmtl",
        by_gap=True,
        compiles=True,
    ),
    Solver("convexmtl path", our_path, lambda i: i.is_path, "convexmtl", "convexmtl", by_gap=True, compiles=True),
    _sklearn("scikit-learn", peers.scikit_learn, _fit(_one_x), by_gap=True),
    _sklearn("scikit-learn path", peers.scikit_learn_path, _path(_one_x), by_gap=True),
    Solver("celer", peers.celer, _fit(_one_x, dense=True), "celer", "celer", 1e-2, by_gap=True),
    Solver("celer path", peers.celer_path, _path(_one_x, dense=True), "celer", "celer", 1e-2, by_gap=True),
    Solver("skglm", peers.skglm, _fit(_one_x), "skglm", "skglm", 1.0, compiles=True),
    Solver("skglm path", peers.skglm_path, _path(_one_x), "skglm", "skglm", 1.0, compiles=True),
    Solver("skein-glm", peers.skein, _fit(_one_x), "skein-glm", "skein_glm", 1e-1),
    Solver("skein-glm path", peers.skein_path, _path(_one_x), "skein-glm", "skein_glm", 1e-1),
    Solver("adelie", peers.adelie, _shared(["l1/l2"]), "adelie", "adelie", 1e-4),
    Solver(
        "cyanure", peers.cyanure, _shared(["l1/l2", "l1/linf", "sparse group"]), "cyanure", "cyanure", 1e-2, by_gap=True
    ),
    Solver("spams", peers.spams, _shared(peers.SPAMS), "spams-bin", "spams", 1e-2, by_gap=True),
    Solver("skglm, block-diagonal X", peers.skglm_groups, _grouped, "skglm", "skglm", 1.0, compiles=True),
    Solver("skein-glm, block-diagonal X", peers.skein_groups, _grouped, "skein-glm", "skein_glm", 1e-1),
    *(
        _sklearn(f"scikit-learn {method} per task", peers.logistic_regression(method), _separates(families), 1e-1)
        for method, families in {
            "liblinear": ("l1/l1",),
            "saga": ("l1/l1",),
            "lbfgs": ("ridge",),
            "newton-cholesky": ("ridge",),
        }.items()
    ),
    Solver(
        "cyanure per task",
        peers.cyanure_per_task,
        _separates(["l1/l1", "ridge"]),
        "cyanure",
        "cyanure",
        1e-2,
        by_gap=True,
    ),
    Solver("cvxpy Clarabel", peers.cvxpy("CLARABEL"), _small, "clarabel", "clarabel", patience=120),
    Solver("cvxpy SCS", peers.cvxpy("SCS"), _small, "scs", "scs", patience=120),
    Solver("textbook APG", None, _textbook(joint=False), method=textbook.accelerated),
    Solver("textbook joint APG", None, _textbook(joint=True), method=textbook.accelerated),
    Solver(
        "textbook APG, closed prox",
        None,
        lambda i: i.family == "squared trace norm" and not i.is_path,
        method=textbook.accelerated_closed,
    ),
    Solver("textbook alternation", None, _alternates, method=textbook.alternation),
    Solver("LAPACK calls", lambda i: lambda tol: lapack.solve(i), _closed_form, "scipy", "scipy", one_shot=True),
)

SOLVER = {solver.name: solver for solver in SOLVERS}
OURS = ("convexmtl", "convexmtl path")
