"""The pictures of the home page, drawn anew: ``python docs/pictures.py`` writes docs/images/home_*.png and likes_*.png.

They are kept in the repository, so that the README and a clone without matplotlib have them.
"""

from pathlib import Path
from textwrap import wrap

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import convexmtl as mtl
from convexmtl import datasets
from convexmtl.model_selection import TaskShuffleSplit

IMAGES = Path(__file__).parent / "images"
BLUE, RED, GREY = "#0072B2", "#D55E00", "#9aa3ad"


# ------------------------------------------------------------------------------- before and after sharing


def schools(per_school=8):
    """Lines of all schools, from a few pupils each, and what they are worth for the other pupils."""
    exam = datasets.load_exam()
    # Two coefficients a school, level and slope, both of which are shared.
    X = np.column_stack([np.ones(len(exam.target)), exam.data[:, exam.feature_names.index("standLRT")]])
    y, school = exam.target, exam.task
    sizes = {label: np.sum(school == label) for label in np.unique(school)}
    some = np.flatnonzero([sizes[label] > 2 * per_school for label in school])
    rng = np.random.default_rng(0)
    train = np.concatenate([rng.choice(some[school[some] == s], per_school, False) for s in np.unique(school[some])])
    test = np.setdiff1d(some, train)
    alone = mtl.MeanRegularizedRegressor(alpha_mean=0, alpha_variance=1e-9, fit_intercept=False)
    together = mtl.MeanRegularizedRegressorCV(
        fit_intercept=False, alphas=30, cv=TaskShuffleSplit(20, test_size=0.25, random_state=0)
    )
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.4), sharex=True, sharey=True, layout="constrained")
    line = np.array([-2.5, 2.5])
    for ax, model, title, colour in zip(
        axes, (alone, together), ("one model per school", "schools share"), (RED, BLUE), strict=True
    ):
        model.fit(X[train], y[train], task=school[train])
        error = np.mean((y[test] - model.predict(X[test], task=school[test])) ** 2)
        ax.scatter(X[train, 1], y[train], s=4, color=GREY, alpha=0.5, linewidths=0)
        for level, slope in model.coef_:
            ax.plot(line, level + slope * line, color=colour, linewidth=0.7, alpha=0.7)
        ax.set_title(f"{title}: error {error:.2f}", fontsize=12)
        ax.set_xlabel("score on entry")
        ax.set(xlim=(-2.5, 2.5), ylim=(-3.2, 3.2))
        ax.spines[["top", "right"]].set_visible(False)
        print(f"{title}: {error:.3f}; {len(model.tasks_)} schools, {len(test)} pupils tested")
    all_in_one = np.linalg.lstsq(X[train], y[train], rcond=None)[0]
    print(f"one model for all: {np.mean((y[test] - X[test] @ all_in_one) ** 2):.3f}")
    axes[0].set_ylabel("score at 16")
    save(figure, "home_schools", 110)


# -------------------------------------------------------------------------- coefficients that a model likes


def likes():
    """True coefficients of the kind that each family looks for, features by tasks."""
    block = datasets.make_block_sparse(n_features=14, n_tasks=12, random_state=0)[-1]
    dirty = datasets.make_dirty(n_features=14, n_tasks=12, random_state=0)[-1]
    rank = datasets.make_low_rank(n_features=14, n_tasks=12, rank=2, random_state=3)[-1]
    mean = datasets.make_mean_related(n_features=14, n_tasks=12, random_state=1)[-1]
    _, _, _, clustered, labels = datasets.make_clustered(n_features=14, n_tasks=12, random_state=0)
    time = datasets.make_temporal(n_features=14, n_tasks=12, random_state=0)[-1]
    _, _, _, tree, groups = datasets.make_tree_guided(n_features=14, n_tasks=12, n_informative=10, random_state=1)
    # Brothers beside each other.
    leaves = sorted(range(12), key=lambda t: [members for members, _ in groups if t in members])
    _, _, _, outlying, _ = datasets.make_outlier_tasks(n_features=14, n_tasks=12, rank=1, n_outliers=2, random_state=4)
    _, _, _, relations, _ = datasets.make_task_relationships(n_features=14, n_tasks=12, random_state=0)
    graph = datasets.make_graph_guided(n_features=14, n_tasks=12, n_components=3, n_informative=6, random_state=0)[3]
    # Joined tasks have a feature in common, up to its sign: beside each other.
    graph = graph[:, np.lexsort(np.sign(graph[np.argsort(-np.abs(graph).sum(axis=1))[:6]]))]
    one = datasets.make_low_rank(n_features=14, n_tasks=12, rank=1, random_state=5)[-1]
    rng = np.random.default_rng(0)
    sparse = np.where(rng.random(one.shape) < 0.08, np.abs(one).max() * rng.choice([-1, 1], one.shape), 0.0)
    group = np.where(rng.random(block.shape) < 0.55, block, 0.0)
    other = datasets.make_low_rank(n_features=14, n_tasks=12, rank=2, random_state=6)[-1]
    _, _, _, features, _ = datasets.make_outlier_tasks(
        structure="block_sparse", n_features=14, n_tasks=12, n_informative=4, n_outliers=2, random_state=2
    )
    # Two patterns of few features, and nothing negative.
    patterns = np.zeros(block.shape)
    patterns[[1, 4, 5, 9, 12]] = rng.uniform(0, 1, (5, 2)) @ rng.uniform(0, 1, (2, 12))
    return {
        "block_sparse": block,
        "sparse_group": group,
        "dirty": dirty,
        "trace_norm": rank,
        "mean_regularized": mean,
        "clustered": clustered[:, np.argsort(labels, kind="stable")],
        "task_relationship": relations,
        "graph_guided": graph,
        "tree_guided": tree[:, leaves],
        "temporal": time,
        "robust_low_rank": outlying,
        "robust_feature": features,
        "sparse_low_rank": one + sparse,
        "shared_feature": other,
        "shared_structure": one + 0.35 * rng.standard_normal(one.shape),
        "generic": patterns,
    }


def thumbnails():
    for name, W in likes().items():
        figure, ax = plt.subplots(figsize=(1.2, 1.4))
        figure.subplots_adjust(0.02, 0.02, 0.98, 0.98)
        # One large coefficient is not to make all others pale.
        top = np.quantile(np.abs(W[W != 0]), 0.9)
        ax.pcolormesh(W[::-1], cmap="RdBu_r", vmin=-top, vmax=top, edgecolors="white", linewidth=0.4)
        ax.set_axis_off()
        save(figure, f"likes_{name}", 100)


# ------------------------------------------------------------------------------------- choosing a model

QUESTIONS = [
    (
        "Do you know how the tasks are arranged?",
        [
            ("time", "temporal", "Temporal"),
            ("tree", "tree_guided", "TreeGuided"),
            ("graph", "graph_guided", "GraphGuided"),
            ("groups", "clustered", "Clustered"),
        ],
    ),
    (
        "Many features, few that matter?",
        [
            ("the same for all", "block_sparse", "BlockSparse"),
            ("of those, some each", "sparse_group", "SparseGroup"),
            ("shared + private", "dirty", "Dirty"),
        ],
    ),
    ("All variations of one model?", [("start here", "mean_regularized", "MeanRegularized")]),
    (
        "Is something to be learned of them?",
        [
            ("hidden models", "trace_norm", "TraceNorm"),
            ("groups", "clustered", "Clustered"),
            ("for and against", "task_relationship", "TaskRelationship"),
        ],
    ),
    (
        "Tasks or entries that do not belong?",
        [("tasks", "robust_low_rank", "RobustLowRank"), ("entries", "sparse_low_rank", "SparseLowRank")],
    ),
]


def choose():
    """Questions from top to bottom, the models that a yes leads to on their right."""
    figure = plt.figure(figsize=(8, 7.6))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, 8), ylim=(-7.6, 0))
    ax.set_axis_off()
    arrow = {"arrowstyle": "-|>", "color": GREY, "linewidth": 1.2}
    for i, (question, models) in enumerate(QUESTIONS):
        y = -0.8 - 1.5 * i
        ax.text(
            1.15,
            y,
            "\n".join(wrap(question, 18)),
            ha="center",
            va="center",
            fontsize=11,
            bbox={"boxstyle": "round,pad=0.5", "facecolor": "#eef3f8", "edgecolor": BLUE},
        )
        ax.annotate("", (2.75, y), (2.15, y), arrowprops=arrow)
        ax.text(2.42, y + 0.08, "yes", fontsize=9, ha="center", color="#555555")
        if i + 1 < len(QUESTIONS):
            ax.annotate("", (1.15, y - 1.0), (1.15, y - 0.5), arrowprops=arrow)
            ax.text(1.25, y - 0.75, "no", fontsize=9, va="center", color="#555555")
        for k, (kind, picture, name) in enumerate(models):
            x = 3.4 + 1.3 * k
            image = plt.imread(IMAGES / f"likes_{picture}.png")
            ax.imshow(image, extent=(x - 0.36, x + 0.36, y - 0.34, y + 0.5), aspect="auto", zorder=2)
            ax.text(x, y + 0.54, kind, ha="center", va="bottom", fontsize=9, color="#555555")
            ax.text(x, y - 0.4, name, ha="center", va="top", fontsize=9.5)
    save(figure, "choose", 110)


def save(figure, name, dpi):
    # A date or a version in the file would make it another one each time.
    figure.savefig(IMAGES / f"{name}.png", dpi=dpi, facecolor="white", metadata={"Software": None})
    plt.close(figure)


if __name__ == "__main__":
    schools()
    thumbnails()
    choose()
