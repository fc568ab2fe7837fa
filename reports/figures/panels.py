"""One figure of the gallery for several tasks, a panel each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nasbench_suite.analysis.results import Results
from reports.figures.gallery import choose_figure, one_task
from reports.figures.style import check_figure_path, paper_style, save_figure

_COLUMNS = 3


def write_panels(results: Results, name: str, tasks: Sequence[str], path: str | Path) -> None:
    """Draw a figure of each task, under the task's name, and write all as PDF, PNG or SVG.

    Args:
        results: what to draw from.
        name: which figure of ``gallery.FIGURES``.
        tasks: readable names of the tasks.
        path: the file; its ending says what kind.

    Raises:
        SuiteError: an unknown figure or task, or a file that cannot be written.
    """
    from matplotlib.figure import Figure as MatplotlibFigure

    path = Path(path)
    check_figure_path(path)
    figure = choose_figure(name)
    columns = min(len(tasks), _COLUMNS)
    rows = -(-len(tasks) // columns)
    with paper_style("screen"):
        drawn = MatplotlibFigure(figsize=(5 * columns, 4 * rows), layout="constrained")
        axes = list(drawn.subplots(rows, columns, squeeze=False).flat)
        for ax, task in zip(axes, tasks, strict=False):
            figure.draw(figure.data(one_task(results, task)), ax)
            ax.set_title(task, fontsize="medium")
        for ax in axes[len(tasks) :]:
            ax.remove()
        save_figure(drawn, path)


__all__ = ["write_panels"]
