"""What Bayesian models of the tasks have in common: priors of coefficients, and bounds that never fall."""

import warnings
from dataclasses import replace

import numpy as np
from sklearn.cluster import KMeans

from ..data import DataTerm
from ..penalties import MeanCoupling
from ._base import Relative
from ._quadratics import Quadratics

LOWEST = 1e-300  # probability of which the logarithm is taken


class Bayesian(Relative):
    """Mixin of those whose objective is minus a lower bound of the logarithm of the likelihood of all samples.

    All samples count alike; features, and real targets, have mean 0 and deviation 1 in all that is said of priors.
    """

    _loss, task_weight = None, "size"
    _without = ("task_weight",)
    _several = False
    _unit_words = "the number of samples"

    def _unit(self, fits):
        return float(fits.term.tasks.n_tasks * fits.data.size)

    def _term(self, data, stacklevel):
        with warnings.catch_warnings():
            # (What is said of tasks of one class is said of convex fits, which only lead to the first start.)
            warnings.simplefilter("ignore", UserWarning)
            return super()._term(data, stacklevel)

    def _seen(self, fits):
        """The Quadratics of the samples, made once."""
        if not hasattr(fits, "seen"):
            fits.seen = Quadratics(fits.data, self.fit_intercept)
        return fits.seen

    def _relaxed_models(self, fits):
        """(T, p) models of all tasks near their mean, what the convex relative of these models makes of the samples in
        their units."""
        seen, data = self._seen(fits), fits.data
        own = replace(seen.tasks, X=seen.tasks.X[:, seen.own], weight=data.tasks.weight, offset=data.tasks.offset)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            tasks, fixed = self._without_constant_tasks(own, data.loss, data.labels)
        spread = 1.0 / max(data.size, 1.0)
        penalty = MeanCoupling(spread, fits.shape[1] * spread)
        result = fits.solve(penalty, DataTerm(tasks, data.loss, self.fit_intercept, fixed))
        return np.vstack([result.W, result.intercept]).T if self.fit_intercept else result.W.T

    def _clusters(self, models, n_clusters, rng):
        """(T,) clusters of models, the largest first."""
        distinct = len(np.unique(models, axis=0))
        means = KMeans(min(n_clusters, distinct), n_init=10, random_state=rng)
        codes = means.fit_predict(models)
        order = np.argsort(np.argsort(-np.bincount(codes, minlength=n_clusters), kind="stable"))
        return order[codes]


def sharp(codes, n_clusters, doubt=0.1):
    """(T, K) probabilities of clusters for those that tasks are said to be in."""
    found = np.full((len(codes), n_clusters), doubt / n_clusters)
    found[np.arange(len(codes)), codes] += 1 - doubt
    return found


def softmax_rows(scores):
    """(probabilities of the rows, their log normalisers)"""
    top = scores.max(axis=1, keepdims=True)
    found = np.exp(scores - top)
    total = found.sum(axis=1, keepdims=True)
    return found / total, (top + np.log(total))[:, 0]
