"""The families of penalties: name -> estimator for T tasks, at strengths that only say how they relate."""

import numpy as np

import convexmtl as mtl


def _estimator(name, classify, **parameters):
    return getattr(mtl, name + ("Classifier" if classify else "Regressor"))(**parameters)


def _any(penalty):
    return lambda T, classify: _estimator("MultiTask", classify, penalty=penalty(T))


def _rows(**parameters):
    return lambda T, classify: _estimator("BlockSparse", classify, alpha=1.0, **parameters)


def _dirty(T, classify):
    # Half way through the range in which both parts are of use, on a log scale.
    return _estimator("Dirty", classify, alpha_block=np.sqrt(T), alpha_sparse=1.0)


def _mean(T, classify):
    return _estimator("MeanRegularized", classify, alpha_mean=1.0, alpha_variance=float(T))


def _clusters(learned):
    def make(T, classify):
        C = min(T, 3)
        which = {"n_clusters": C} if learned else {"clusters": np.arange(T) % C}
        return _estimator("Clustered", classify, alpha_mean=1.0, alpha_between=1.0, alpha_within=10.0, **which)

    return make


def _chain(T):
    return mtl.GraphLaplacian([(t, t + 1) for t in range(T - 1)], 1.0)


FAMILIES = {
    "l1/l2": _rows(),
    "l1/linf": _rows(q=np.inf),
    "l1/l3": _rows(q=3),
    "l1/l1": _rows(q=1),
    "ridge": _rows(l1_ratio=0.0),
    "sparse group": _any(lambda T: mtl.SparseGroup(1.0, 0.5)),
    "dirty": _dirty,
    "trace norm": lambda T, classify: _estimator("TraceNorm", classify, alpha=1.0),
    "squared trace norm": _any(lambda T: mtl.SquaredTraceNorm(1.0)),
    "learned clusters": _clusters(learned=True),
    "mean-regularised": _mean,
    "known clusters": _clusters(learned=False),
    "graph Laplacian": _any(_chain),
}

COUPLINGS = ("ridge", "mean-regularised", "known clusters", "graph Laplacian")
