"""Draw which growers were taken for which."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def draw_confusion(counts: np.ndarray, labels: list[str], path: str) -> None:
    """Write a PNG of `counts`, shape (actual, predicted), to `path`.

    The same counts give the same bytes: the file holds no date and no library version.
    """
    figure = Figure(figsize=(4.5, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.imshow(counts, cmap="Blues")
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if count > counts.max() / 2 else "black"
        axes.text(column, row, str(count), ha="center", va="center", color=colour)
    axes.set_xticks(range(len(labels)), labels)
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="predicted grower", ylabel="actual grower")
    figure.savefig(path, dpi=120, metadata={"Software": None})
