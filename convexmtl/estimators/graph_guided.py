"""Tasks joined by a graph have similar coefficients."""

from ..penalties import GraphGuided
from ._classifier import MultiTaskClassifierBase
from ._cv import CrossValidated, spaced
from ._docs import documented
from ._regressor import IncrementalRegressorBase, MultiTaskRegressorBase


class _GraphGuided:
    """minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + Omega(W),
    Omega(W) = alpha sum_e omega_e norm_1(w_s - sign_e w_t) + alpha_sparse norm_1(W) over the edges e = (s, t).

    {summary}

    Parameters
    ----------
    graph : sequence of (s, t[, omega[, sign]]), (T, T) array, sparse matrix or networkx graph, default=None
        Which tasks are alike: by label, or by position where the labels are not found. omega > 0 says how much, sign
        = -1 that their coefficients are of opposite signs; both are 1 by default. Of a symmetric matrix, in the
        order of `tasks_`, or a frame of weights by task, or of the attribute "weight" of the edges of a networkx
        graph, the absolute values are the omega, and a negative one has sign -1. None joins each task with each.
        ``structures.correlation_graph`` makes one from the targets.
    alpha : float, default=0.1
        Strength on the differences along edges.
    norm : {"l1", "l2"}, default="l1"
        "l1" makes coefficients of joined tasks equal, "l2" similar: alpha sum_e omega_e norm_2(w_s - sign_e w_t)^2.
    alpha_sparse : float, default=0.0
        Strength of the lasso.
    {common}

    Attributes
    ----------
    {fitted}

    References
    ----------
    Chen, Kim, Lin, Carbonell, Xing (2010), arXiv:1005.3579; Kim, Xing (2009), PLoS Genetics; Evgeniou, Micchelli,
    Pontil (2005), JMLR (norm="l2").

    Examples
    --------
    {start}
    >>> model = {name}(graph=[(0, 1), (2, 3)], alpha=5.0).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> print(np.allclose(model.coef_[0], model.coef_[1]), np.allclose(model.coef_[2], model.coef_[3]))
    True True
    """

    _selects = True
    _choices = {"positive": False}
    _parameters = {"graph": None, "alpha": 0.1, "norm": "l1", "alpha_sparse": 0.0}
    _structure = ("graph",)

    def _penalty(self):
        return GraphGuided(self.graph, self.alpha, self.norm, self.alpha_sparse, self.positive)


@documented
class GraphGuidedRegressor(_GraphGuided, IncrementalRegressorBase):
    """Tasks joined by a graph have similar coefficients. Regression."""


@documented
class GraphGuidedClassifier(_GraphGuided, MultiTaskClassifierBase):
    """Tasks joined by a graph have similar coefficients. Classification."""


class _GraphGuidedCV(CrossValidated):
    """``GraphGuided`` with both strengths chosen by cross-validation:

    minimise sum_t mean_i loss(y_ti, x_ti . w_t + b_t) + Omega(W),
    Omega(W) = alpha sum_e omega_e norm_1(w_s - sign_e w_t) + alpha_sparse norm_1(W) over the edges e = (s, t).

    {summary}

    Parameters
    ----------
    graph : sequence of (s, t[, omega[, sign]]), (T, T) array, sparse matrix or networkx graph, default=None
        Which tasks are alike: by label, or by position where the labels are not found. omega > 0 says how much, sign
        = -1 that their coefficients are of opposite signs; both are 1 by default. Of a symmetric matrix, in the
        order of `tasks_`, or a frame of weights by task, or of the attribute "weight" of the edges of a networkx
        graph, the absolute values are the omega, and a negative one has sign -1. None joins each task with each.
        ``structures.correlation_graph`` makes one from the targets.
    norm : {"l1", "l2"}, default="l1"
        "l1" makes coefficients of joined tasks equal, "l2" similar: alpha sum_e omega_e norm_2(w_s - sign_e w_t)^2.
    ratios : int or array-like, default=5
        Values of alpha / alpha_sparse, with a path for each; or how many, evenly spaced in logarithm from 0.1, nearly
        the lasso, to 100.
    {common}
    {search}

    Attributes
    ----------
    alpha_, alpha_sparse_ : float
        What was chosen; `alphas_` are values of alpha.
    {searched}
    {fitted}

    References
    ----------
    Chen, Kim, Lin, Carbonell, Xing (2010), arXiv:1005.3579; Kim, Xing (2009), PLoS Genetics; Evgeniou, Micchelli,
    Pontil (2005), JMLR (norm="l2").

    Examples
    --------
    {start}
    >>> model = {name}([(0, 1), (2, 3)], ratios=[1.0, 10.0], alphas=3, eps=0.1, cv=2).fit(X, Y)
    >>> model.coef_.shape
    (4, 6)
    >>> print(round(model.alpha_ / model.alpha_sparse_, 6) in (1.0, 10.0))
    True
    """

    _replaced = ("alpha", "alpha_sparse")
    _searched = {"ratios": 5}

    def _settings(self, n_features, n_tasks):
        ratios = spaced(self.ratios, 0.1, 100 if n_tasks > 1 else 0.1)
        return [{"alpha": 1.0, "alpha_sparse": 1 / ratio} for ratio in ratios]


@documented
class GraphGuidedRegressorCV(_GraphGuidedCV, MultiTaskRegressorBase):
    """Tasks joined by a graph have similar coefficients. Regression."""

    _single = GraphGuidedRegressor


@documented
class GraphGuidedClassifierCV(_GraphGuidedCV, MultiTaskClassifierBase):
    """Tasks joined by a graph have similar coefficients. Classification."""

    _single = GraphGuidedClassifier
