"""The strength that theory asks for, from the noise of the targets."""

from dataclasses import replace

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state

from ._input import FINITE, check_count, check_number
from ._threads import one_thread
from .criteria import checked_noise, estimated_noise, sizes_of
from .problem import Problem
from .solvers.paths import critical_factor

BOUNDS = ("tail", "simulated")
TINY = np.finfo(float).tiny


def alpha_theory(
    estimator,
    X,
    y,
    *,
    task=None,
    sample_weight=None,
    offset=None,
    noise="pooled",
    bound="tail",
    slack=1.0,
    level=0.05,
    n_draws=200,
    random_state=0,
):
    """The strength that keeps noise out: ``slack`` times what ``alpha_max`` is of targets that are noise alone.

    A norm keeps what is noise at zero where its strength is beyond the dual norm of the gradient of the noise,
    Z_jt = (1/n_t) sum_i x_tij e_ti with the features about their means; oracle inequalities ask for twice that.
    Of normal noise with variances v_t, Z_jt has the variance V_jt = v_t / n_t mean_i x_tij^2, and with a probability of
    at least 1 - level, for the strength 1 and x = log(d / level), the dual norm is at most

    - sqrt(max_j [sum_t V_jt + 2 sqrt(x sum_t V_jt^2) + 2 x max_t V_jt]) with q = 2;
    - sqrt(2 (x + log 2T) max_jt V_jt) with q = 1, the lasso;
    - sqrt(2 (x + T log 2) max_j sum_t V_jt) with q = inf;
    - of the dirty norm and other sums of parts the largest one of the parts, each at its share of the level.

    With q = 2, standardised features, n rows and the variance v in every task that is
    sqrt(v / n) sqrt(T + 2 sqrt(T x) + 2 x): every task pays for its own noise, and the logarithm of the number of
    features is shared out among them. Lounici et al. (2009) have 2 sqrt(v / n) sqrt(T + A sqrt(T) log d), A > 8, in the
    units of this package.

    Parameters
    ----------
    estimator : estimator of convexmtl
        For the squared loss, with a norm as its penalty. With more than one strength, their ratios are kept; of a
        search, those of its first path.
    X, y, task, sample_weight, offset
        As in ``estimator.fit``. A weight of 2 counts as a repeated row.
    noise : {"pooled", "task"}, float or array-like of shape (T,), default="pooled"
        The variance of the noise, or where it comes from, as in ``information_criterion(criterion="sure")``: from what
        least squares leave of the tasks with more samples than features; else, for "pooled", from the best model by
        "bic" on a path, relaxed where the estimator has ``refit``.
    bound : {"tail", "simulated"}, default="tail"
        The formulas above; or of ``n_draws`` drawn gradients the dual norm that a share of ``level`` goes beyond, for
        any norm, and with the correlations of the features.
    slack : float > 0, default=1.0
        Oracle inequalities ask for 2, and shrink more than is good for predictions; so does 1, by less: take the
        shrinkage out with ``refit="relaxed"``, or cross-validate where only predictions matter.
    level : float in (0, 1), default=0.05
        The probability with which noise goes beyond the bound.
    n_draws : int, default=200
    random_state : int, RandomState instance or None, default=0
        Of the draws.

    Returns
    -------
    float, or dict of str -> float
        The strength; with more than one, each by its name.

    Raises
    ------
    ValueError
        For losses other than the squared one, penalties that keep nothing at zero, and norms that have no formula.

    References
    ----------
    Lounici, Pontil, Tsybakov, van de Geer (2009), COLT, and (2011), Annals of Statistics (q = 2); Bickel, Ritov,
    Tsybakov (2009), Annals of Statistics (q = 1); Negahban, Wainwright (2008), NIPS (q = inf); Jalali, Ravikumar,
    Sanghavi, Ruan (2010), NIPS (dirty); Laurent, Massart (2000), Annals of Statistics (the tail for q = 2).

    Examples
    --------
    >>> import numpy as np
    >>> from convexmtl import BlockSparseRegressor, alpha_theory
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 30))
    >>> Y = 2 * X[:, :2] @ rng.normal(size=(2, 8)) + rng.normal(size=(100, 8))
    >>> alpha = alpha_theory(BlockSparseRegressor(), X, Y, noise=1.0)
    >>> model = BlockSparseRegressor(alpha).fit(X, Y)
    >>> print(np.flatnonzero(model.coef_.any(axis=0)))  # the features in use
    [0 1]
    """
    if bound not in BOUNDS:
        raise ValueError(f"bound must be one of {list(BOUNDS)}, got {bound!r}.")
    check_number(slack, "slack", TINY, FINITE, "a finite number > 0")
    check_number(level, "level", TINY, 1 - np.finfo(float).eps, "a number in (0, 1)")
    check_count(n_draws, "n_draws", 1)
    with one_thread():
        own = clone(estimator)
        formulation = own._formulate(X, y, sample_weight=sample_weight, task=task, offset=offset)
        problem, names = formulation.problem, formulation.strengths
        _refuse(problem, own)
        sizes = sizes_of(formulation.data, problem.data)
        variances = checked_noise(noise, len(sizes))
        if isinstance(variances, str):
            pilot = own.set_params(refit="relaxed") if "refit" in own.get_params() else own
            variances = np.broadcast_to(estimated_noise(pilot, formulation, sizes, variances), len(sizes))
        # (T,) the variance of the noise times the weight, which is that of a mean, of every sample.
        unit = variances * np.divide(problem.tasks.mass, sizes, out=np.zeros(len(sizes)), where=sizes > 0)
        if bound == "tail":
            squares = problem.tasks.curvature(problem.tasks.weight, problem.data.design.means)
            factor = problem.penalty.noise_bound(squares * unit, level)
            if factor is None:
                raise ValueError(
                    "bound='tail' has a formula for RowNorm with q = 1, 2 or inf and for DirtyNorm, without weights or "
                    f"groups of features and without sums on one W, and not for {own._penalty()!r}: use "
                    "bound='simulated'."
                )
        else:
            factor = _simulated(problem, unit, level, n_draws, check_random_state(random_state))
    values = {name: float(value * factor * slack) for name, value in names.items()}
    return next(iter(values.values())) if len(values) == 1 else values


def _refuse(problem, estimator):
    if not problem.loss.quadratic:
        raise ValueError(
            f"alpha_theory is about the noise of the squared loss, got loss={estimator.loss!r}: choose the strength by "
            "cross-validation, or with loss='squared'."
        )
    if not problem.penalty.kinks:
        raise ValueError(
            f"{estimator._penalty()!r} keeps nothing at zero, so that the noise does not say how strong it has to be: "
            "choose it by cross-validation."
        )


def _simulated(problem, unit, level, n_draws, rng):
    """The factor that a share of at most ``level`` of the drawn gradients of noise needs more than."""
    tasks, data = problem.tasks, problem.data
    deviation = np.sqrt(np.divide(tasks.spread(unit), tasks.weight, out=np.zeros(len(tasks.y)), where=tasks.weight > 0))
    found = []
    for _ in range(n_draws):
        drawn = replace(tasks, y=deviation * rng.standard_normal(len(tasks.y)), offset=None)
        found.append(critical_factor(Problem(replace(data, tasks=drawn), problem.penalty)))
    return float(np.quantile(found, 1 - level, method="higher"))
