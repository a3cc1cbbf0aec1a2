"""Pictures of fitted estimators for the demonstration."""

import numpy as np


def _figure(rows, columns, width, height):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot.subplots(rows, columns, figsize=(width, height), layout="constrained", squeeze=False)


def _save(figure, path):
    from matplotlib import pyplot

    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _heat(axes, matrix, names, task, title, top):
    """One coefficient matrix: a column per task, a row per feature."""
    image = axes.imshow(matrix.T, cmap="RdBu_r", vmin=-top, vmax=top, aspect="auto", interpolation="nearest")
    axes.set_title(title, fontsize=10)
    axes.set_xlabel(task)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    return image


def coefficients(matrices, names, task, path):
    """Coefficient matrices (T, d) side by side, on one colour scale."""
    columns = 3
    rows = -(-len(matrices) // columns)
    figure, axes = _figure(rows, columns, 14, 3.2 * rows)
    # One scale, read off the regularised models, so that a wild unregularised one does not grey out the rest.
    top = max(np.abs(M).max() for M in list(matrices.values())[1:])
    for ax, (name, matrix) in zip(axes.flat, matrices.items(), strict=False):
        image = _heat(ax, matrix, names, task, name, top)
    for ax in axes.flat[len(matrices) :]:
        ax.axis("off")
    figure.colorbar(image, ax=axes, shrink=0.7, label="coefficient (features standardised)")
    figure.suptitle("Coefficients of every task")
    _save(figure, path)


def split(dirty, names, task, path):
    """W = B + S of a dirty model."""
    figure, axes = _figure(1, 3, 14, 3.4)
    top = np.abs(dirty.coef_).max()
    parts = {"W = B + S": dirty.coef_, "B: shared by the tasks": dirty.block_, "S: of single tasks": dirty.sparse_}
    for ax, (name, matrix) in zip(axes[0], parts.items(), strict=True):
        image = _heat(ax, matrix, names, task, name, top)
    figure.colorbar(image, ax=axes, label="coefficient")
    figure.suptitle("The dirty model's two parts")
    _save(figure, path)


def relationships(clusters, labels, task, path):
    """Learned task covariance, sorted by learned cluster, and the correlation of the centred coefficients."""
    order = np.argsort(clusters.labels_, kind="stable")
    sigma = clusters.task_covariance_[np.ix_(order, order)]
    centred = clusters.coef_ - clusters.coef_.mean(axis=0)
    size = np.linalg.norm(centred, axis=1, keepdims=True)
    centred = np.divide(centred, size, out=np.zeros_like(centred), where=size > 0)
    cosine = (centred @ centred.T)[np.ix_(order, order)]
    figure, axes = _figure(1, 2, 12, 5.2)
    off = np.abs(sigma - np.diag(np.diag(sigma))).max()
    for ax, matrix, top, title in zip(
        axes[0],
        (sigma, cosine),
        (off or 1, 1),
        ("learned covariance of the tasks", "cosine between tasks (mean model removed)"),
        strict=True,
    ):
        image = ax.imshow(matrix, cmap="RdBu_r", vmin=-top, vmax=top, interpolation="nearest")
        for edge in np.flatnonzero(np.diff(clusters.labels_[order])) + 0.5:
            ax.axhline(edge, color="black", lw=0.8)
            ax.axvline(edge, color="black", lw=0.8)
        ticks = range(len(order)) if len(order) <= 20 else []
        ax.set_xticks(ticks, [str(list(labels)[i]) for i in order] if len(ticks) else [])
        ax.set_yticks(ticks, [str(list(labels)[i]) for i in order] if len(ticks) else [])
        ax.set_xlabel(f"{task}s, sorted by learned cluster")
        ax.set_title(title, fontsize=10)
        figure.colorbar(image, ax=ax, shrink=0.8)
    _save(figure, path)


def errors_per_task(errors, task, unit, path):
    """Error of every task under every model, tasks sorted by the first one's error."""
    order = np.argsort(next(iter(errors.values())))
    figure, axes = _figure(1, 1, 12, 4.5)
    ax = axes[0, 0]
    for name, values in errors.items():
        # Points, not lines: neighbours on this axis have nothing to do with each other.
        ax.plot(np.arange(len(order)), values[order], "o", ms=4, alpha=0.8, label=name)
    if len(order) <= 20:
        ax.set_xticks(range(len(order)), [str(i) for i in order])
    ax.set_xlabel(f"{task}s, sorted by the error of {next(iter(errors))}")
    ax.set_ylabel(unit)
    ax.legend(fontsize=8)
    ax.set_title(f"Error of every {task}")
    _save(figure, path)


def images(matrices, shape, tasks, path):
    """Coefficients of features that are pixels: one row per model, one small image per task."""
    figure, axes = _figure(len(matrices), len(tasks), 1.1 * len(tasks) + 1.5, 1.25 * len(matrices))
    for row, (name, matrix) in zip(axes, matrices.items(), strict=True):
        top = np.abs(matrix).max()
        for ax, weights in zip(row, matrix, strict=True):
            ax.imshow(weights.reshape(shape), cmap="RdBu_r", vmin=-top, vmax=top)
            ax.set_xticks([])
            ax.set_yticks([])
        row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    for ax, task in zip(axes[0], tasks, strict=True):
        ax.set_title(str(task), fontsize=9)
    figure.suptitle("Coefficients of every task, pixel by pixel (each row on its own scale)", fontsize=10)
    _save(figure, path)
