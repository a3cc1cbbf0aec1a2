"""Other people's solvers: each function prepares an instance and returns ``solve(tol) -> (W (d, T), b (T,))``.

What is prepared is not timed: the layout of X that the peer wants, the block-diagonal design where tasks with
their own rows are handed to a solver of the group lasso. Imports are inside, so that a missing peer is
noticed where it is asked for. Tolerances are in the peer's own units, scaled where they are absolute.
"""

import numpy as np
from scipy import sparse


def _no_intercept(W):
    return W, np.zeros(W.shape[1])


# --------------------------------------------------------------------------- l1/l2, one X for all tasks


def scikit_learn(instance):
    from sklearn.linear_model import MultiTaskLasso

    def solve(tol):
        model = MultiTaskLasso(instance.alpha, fit_intercept=instance.fit_intercept, tol=tol, max_iter=100_000)
        model.fit(instance.X, instance.Y)
        return model.coef_.T, np.broadcast_to(model.intercept_, len(model.coef_))

    return solve


def scikit_learn_path(instance):
    from sklearn.linear_model import lasso_path

    def solve(tol):
        _, coefs, _ = lasso_path(instance.X, instance.Y, alphas=instance.alphas, tol=tol, max_iter=100_000)
        return coefs.transpose(2, 1, 0), None

    return solve


def celer(instance):
    from celer.homotopy import mtl_path

    def solve(tol):
        _, coefs, _ = mtl_path(instance.X, instance.Y, alphas=np.array([instance.alpha]), tol=tol)
        return _no_intercept(coefs[:, :, 0].T)

    return solve


def celer_path(instance):
    from celer.homotopy import mtl_path

    def solve(tol):
        _, coefs, _ = mtl_path(instance.X, instance.Y, alphas=instance.alphas, tol=tol)
        return coefs.transpose(2, 1, 0), None

    return solve


def skglm(instance):
    from skglm.estimators import MultiTaskLasso

    def solve(tol):
        # The stopping rule is the violation of the optimality conditions, in units of alpha.
        model = MultiTaskLasso(instance.alpha, fit_intercept=False, tol=tol * instance.alpha, max_iter=200)
        model.fit(instance.X, instance.Y)
        return _no_intercept(model.coef_.T)

    return solve


def skglm_path(instance):
    from skglm.estimators import MultiTaskLasso

    def solve(tol):
        model = MultiTaskLasso(fit_intercept=False, tol=tol * instance.alphas[-1], max_iter=200)
        coefs = model.path(instance.X, instance.Y, instance.alphas)[1]
        return coefs.transpose(2, 1, 0), None

    return solve


def skein(instance):
    from skein_glm.multitask import MultiTaskLassoRegressor

    # Its loss is a mean over tasks as well.
    alpha = instance.alpha / instance.shape[1]

    def solve(tol):
        model = MultiTaskLassoRegressor(alpha, tol=tol, max_iter=100_000, fit_intercept=instance.fit_intercept)
        model.fit(instance.X, instance.Y)
        return model.coef_.T, model.intercept_

    return solve


def skein_path(instance):
    from skein_glm.multitask import MultiTaskLassoPathRegressor

    alphas = instance.alphas / instance.shape[1]

    def solve(tol):
        model = MultiTaskLassoPathRegressor(lambdas=alphas, tol=tol, max_iter=100_000, fit_intercept=False)
        return model.fit(instance.X, instance.Y).coefs_.transpose(0, 2, 1), None

    return solve


def adelie(instance):
    import adelie

    X, Y = np.asfortranarray(instance.X), np.ascontiguousarray(instance.Y)
    d, T = instance.shape
    # Its loss is a mean over tasks as well, and its groups are the rows of W; of a path of one strength it keeps all.
    options = {"lmda_path": [instance.alpha / T], "penalty": np.ones(d), "early_exit": False, "progress_bar": False}

    def solve(tol):
        found = adelie.grpnet(X, adelie.glm.multigaussian(Y), intercept=False, tol=tol, max_iters=10**7, **options)
        return _no_intercept(found.betas.toarray()[-1].reshape(d, T))

    return solve


def cyanure(instance):
    """l1/l2, l1/linf and sparse group; its rows are tasks."""
    from cyanure.estimators import Regression

    X, Y = np.ascontiguousarray(instance.X), np.ascontiguousarray(instance.Y)
    penalty = {"l1/l2": "l1l2", "l1/linf": "l1linf", "sparse group": "l1l2+l1"}[instance.family]
    share = instance.penalty.l1_ratio if instance.family == "sparse group" else 0.0
    strengths = {"lambda_1": instance.alpha * (1 - share), "lambda_2": instance.alpha * share}

    def solve(tol):
        options = {"fit_intercept": False, "max_iter": 100_000, "verbose": False}
        model = Regression(penalty=penalty, tol=tol, **strengths, **options).fit(X, Y)
        W = np.asarray(model.coef_)
        return _no_intercept(W if W.shape == instance.shape else W.T)

    return solve


SPAMS = {"l1/l2": "l1l2", "l1/linf": "l1linf", "sparse group": "l1l2+l1", "trace norm": "trace-norm"}


def spams(instance):
    """fistaFlat on matrices, whose loss is a sum over the samples."""
    import spams

    X, Y, zero = np.asfortranarray(instance.X), np.asfortranarray(instance.Y), np.zeros(instance.shape, order="F")
    share, n = getattr(instance.penalty, "l1_ratio", 0.0) if instance.family == "sparse group" else 0.0, len(Y)
    options = {"lambda1": n * instance.alpha * (1 - share), "lambda2": n * instance.alpha * share}

    def solve(tol):
        regul = SPAMS[instance.family]
        W = spams.fistaFlat(Y, X, zero, loss="square", regul=regul, tol=tol, it0=10, max_it=1_000_000, **options)
        return _no_intercept(np.ascontiguousarray(W))

    return solve


# ------------------------------------------------------------ group lasso on the block-diagonal design


def _block_diagonal(instance):
    """X (N, d T) in CSC format, y (N,), so that rows of W are groups of columns j, d + j, 2 d + j, ..."""
    tasks = instance.tasks
    blocks = sparse.block_diag([X for X, _ in tasks], format="csc")
    y = np.concatenate([y for _, y in tasks])
    n = np.repeat([len(y) for _, y in tasks], [len(y) for _, y in tasks])
    if instance.loss == "squared" and len(np.unique(n)) > 1:
        # The mean loss of every task: rows of small tasks weigh more.
        root = np.sqrt(len(y) / (len(tasks) * n))
        blocks, y = sparse.diags_array(root) @ blocks, root * y
    return sparse.csc_matrix(blocks), y


def _same_weights(instance):
    return len({len(y) for _, y in instance.tasks}) == 1


def _groups(instance):
    d, T = instance.shape
    return np.tile(np.arange(d), T)


def _unblocked(coef, instance):
    d, T = instance.shape
    return _no_intercept(np.asarray(coef).ravel()[: d * T].reshape(T, d).T)


def skglm_groups(instance):
    from skglm.datafits import QuadraticGroup
    from skglm.penalties import WeightedGroupL2, WeightedL1GroupL2
    from skglm.solvers import GroupBCD
    from skglm.utils.data import grp_converter

    X, y = _block_diagonal(instance)
    d, T = instance.shape
    # A mean over all samples is T times smaller than the sum of the tasks' means.
    alpha = instance.alpha / T
    indices, ptr = grp_converter([[j + t * d for t in range(T)] for j in range(d)], d * T)
    datafit = QuadraticGroup(ptr, indices)
    if instance.family == "l1/l2":
        penalty, strategy = WeightedGroupL2(alpha, np.ones(d), ptr, indices), "subdiff"
    else:
        share = instance.penalty.l1_ratio
        penalty = WeightedL1GroupL2(alpha, np.full(d, 1 - share), np.full(d * T, share), ptr, indices)
        strategy = "fixpoint"

    def solve(tol):
        solver = GroupBCD(tol=tol * alpha, fit_intercept=False, max_epochs=10_000, ws_strategy=strategy)
        return _unblocked(solver.solve(X, y, datafit, penalty)[0], instance)

    return solve


def skein_groups(instance):
    import skein_glm

    X, y = _block_diagonal(instance)
    d, T = instance.shape
    parameters = dict(groups=_groups(instance), fit_intercept=False, max_iter=100_000, weights=np.ones(d))
    if instance.family == "sparse group":
        name, parameters["alpha"] = "SparseGroupLassoRegressor", instance.penalty.l1_ratio
    else:
        name = "GroupLassoRegressor"

    def solve(tol):
        model = getattr(skein_glm, name)(lambda_=instance.alpha / T, tol=tol, **parameters)
        return _unblocked(model.fit(X, y).coef_, instance)

    return solve


# ------------------------------------------------------------------------- one task after the other


def logistic_regression(method):
    """scikit-learn's LogisticRegression per task, for penalties that separate."""

    def prepare(instance):
        from sklearn.linear_model import LogisticRegression

        if instance.layout == "shared":
            tasks = [(instance.X, y) for y in instance.Y.T]
        else:
            tasks = [(np.ascontiguousarray(X), y) for X, y in instance.tasks]
        share = 1.0 if instance.family == "l1/l1" else 0.0

        def solve(tol):
            W, b = [], []
            for X, y in tasks:
                C = 1 / (len(y) * instance.alpha)
                model = LogisticRegression(
                    C=C,
                    l1_ratio=share,
                    tol=tol,
                    solver=method,
                    max_iter=100_000,
                    fit_intercept=instance.fit_intercept,
                    random_state=0,
                ).fit(X, y)
                W.append(model.coef_[0])
                b.append(np.ravel(model.intercept_)[0])
            return np.stack(W, axis=1), np.array(b)

        return solve

    return prepare


def cyanure_per_task(instance):
    """l1 and squared l2 logistic regression."""
    from cyanure.estimators import Classifier

    tasks = [(instance.X, y) for y in instance.Y.T] if instance.layout == "shared" else instance.tasks
    tasks = [(np.ascontiguousarray(X), np.ascontiguousarray(y)) for X, y in tasks]
    penalty = "l1" if instance.family == "l1/l1" else "l2"

    def solve(tol):
        W, b = [], []
        for X, y in tasks:
            options = {"fit_intercept": instance.fit_intercept, "max_iter": 100_000, "verbose": False}
            model = Classifier(loss="logistic", penalty=penalty, lambda_1=instance.alpha, tol=tol, **options).fit(X, y)
            W.append(np.ravel(model.coef_))
            b.append(np.ravel(model.intercept_)[0] if instance.fit_intercept else 0.0)
        return np.stack(W, axis=1), np.array(b)

    return solve


# ---------------------------------------------------------------------------------------------- cvxpy


def cvxpy(solver):
    """The textbook definition, handed to Clarabel or SCS."""

    def prepare(instance):
        import cvxpy as cp

        d, T = instance.shape

        def program():
            W = cp.Variable((d, T))
            b = cp.Variable(T) if instance.fit_intercept else np.zeros(T)
            if instance.layout == "shared":
                n = len(instance.Y)
                total = _mean_loss(cp, instance, instance.Y, instance.X @ W + np.ones((n, 1)) @ b[None, :], n)
            else:
                total = sum(
                    _mean_loss(cp, instance, y, X @ W[:, t] + b[t], len(y)) for t, (X, y) in enumerate(instance.tasks)
                )
            omega, rules = instance.penalty.expression(W, cp)
            return W, b, cp.Problem(cp.Minimize(total + omega), rules)

        def solve(tol):
            W, b, problem = program()
            if solver == "CLARABEL":
                options = dict(tol_gap_abs=tol, tol_gap_rel=tol, tol_feas=tol, max_iter=500)
            else:
                options = dict(eps_abs=tol, eps_rel=tol, max_iters=10_000_000)
            problem.solve(solver=solver, **options)
            if W.value is None:
                raise RuntimeError(f"cvxpy ended with status {problem.status!r}")
            return W.value, b.value if instance.fit_intercept else b

        return solve

    return prepare


def _mean_loss(cp, instance, y, z, n):
    if instance.loss == "squared":
        return cp.sum_squares(y - z) / (2 * n)
    return cp.sum(cp.logistic(-cp.multiply(y, z))) / n
