"""Clusters of tasks, known or learned."""

from ..penalties import ClusterCoupling, LearnedClusters
from ._classifier import MultiTaskClassifierBase
from ._cv import CrossValidated, spaced
from ._docs import documented
from ._regressor import IncrementalRegressorBase, MultiTaskRegressorBase


class _Clustered:
    """minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + Omega(W).

    Known clusters: Omega(W) = alpha_mean norm(w_bar)^2 + alpha_between sum_c T_c norm(w_bar_c - w_bar)^2
    + alpha_within sum_c sum_{t in c} norm(w_t - w_bar_c)^2. Learned clusters: the convex relaxation of the same,
    with min over Sigma of tr(W P Sigma^-1 P W') in place of its last two terms, P = I - 11'/T,
    I/alpha_within <= Sigma <= I/alpha_between, tr Sigma = (T - C + 1)/alpha_within + (C - 1)/alpha_between.

    {summary}

    Parameters
    ----------
    clusters : array-like of shape (T,) or dict of task -> cluster, default=None
        Known cluster of every task, in the order of `tasks_`; None learns ``n_clusters`` of them.
    n_clusters : int, default=2
        C, the number of clusters to learn, between 1 and T; not used with ``clusters``.
    alpha_mean : float, default=0.1
        Strength on the mean model. (The paper has T times this term.)
    alpha_between : float, default=0.1
        Strength on what the clusters differ from the mean.
    alpha_within : float, default=1.0
        Strength on what the tasks differ from their cluster; at least alpha_between for learned clusters.
    {common}

    Attributes
    ----------
    {fitted}
    labels_ : ndarray of shape (T,)
        Cluster of every task, as given or as learned.
    task_covariance_ : ndarray of shape (T, T)
        Sigma.

    References
    ----------
    Jacob, Bach, Vert (2009), NIPS; Zhou, Chen, Ye (2011), NIPS.

    Examples
    --------
    {start}
    >>> model = {name}(clusters=[0, 0, 1, 1]).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> print(model.labels_)
    [0 0 1 1]
    """

    _parameters = {"clusters": None, "n_clusters": 2, "alpha_mean": 0.1, "alpha_between": 0.1, "alpha_within": 1.0}

    def _penalty(self):
        return (
            LearnedClusters(self.n_clusters, self.alpha_mean, self.alpha_between, self.alpha_within)
            if self.clusters is None
            else ClusterCoupling(self.clusters, self.alpha_mean, self.alpha_between, self.alpha_within)
        )


@documented
class ClusteredRegressor(_Clustered, IncrementalRegressorBase):
    """Clusters of tasks, known or learned. Regression."""


@documented
class ClusteredClassifier(_Clustered, MultiTaskClassifierBase):
    """Clusters of tasks, known or learned. Classification."""


class _ClusteredCV(CrossValidated):
    """``Clustered`` with its strengths chosen by cross-validation, alpha_mean as large as alpha_between; see
    there for the objective.

    {summary}

    Parameters
    ----------
    ratios : int or array-like, default=5
        Values of alpha_within / alpha_between, with a path for each; or how many, evenly spaced in logarithm from 1,
        where every task has a ridge of its own, to 1000, where the tasks of a cluster have nearly one model.
    clusters : array-like of shape (T,) or dict of task -> cluster, default=None
        Known cluster of every task, in the order of `tasks_`; None learns ``n_clusters`` of them.
    n_clusters : int, default=2
        C, the number of clusters to learn.
    {common}
    {search}

    Attributes
    ----------
    alpha_mean_, alpha_between_, alpha_within_ : float
        What was chosen; `alphas_` are values of alpha_mean.
    {searched}
    {fitted}
    labels_ : ndarray of shape (T,)
        Cluster of every task, as given or as learned.
    task_covariance_ : ndarray of shape (T, T)
        Sigma.

    Examples
    --------
    {start}
    >>> model = {name}(clusters=[0, 0, 1, 1], ratios=[1.0, 10.0], alphas=3, eps=0.1, cv=2).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> print(round(model.alpha_within_ / model.alpha_between_, 6) in (1.0, 10.0))
    True
    """

    _replaced = ("alpha_mean", "alpha_between", "alpha_within")
    _searched = {"ratios": 5}

    def _settings(self, n_features, n_tasks):
        ratios = spaced(self.ratios, 1, 1000 if n_tasks > 1 else 1)
        return [{"alpha_mean": 1.0, "alpha_between": 1.0, "alpha_within": ratio} for ratio in ratios]


@documented
class ClusteredRegressorCV(_ClusteredCV, MultiTaskRegressorBase):
    """Clusters of tasks, known or learned. Regression."""

    _single = ClusteredRegressor


@documented
class ClusteredClassifierCV(_ClusteredCV, MultiTaskClassifierBase):
    """Clusters of tasks, known or learned. Classification."""

    _single = ClusteredClassifier
