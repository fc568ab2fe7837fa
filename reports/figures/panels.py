"""One figure of the gallery for several tasks, a panel each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

from nasbench_suite.analysis.results import Results, one_task
from reports.figures.gallery import choose_figure, make_figure
from reports.figures.methods import legend_height
from reports.figures.style import check_figure_path, paper_style, save_figure
from reports.labels import present

_COLUMNS = 3
_TITLE = 48  # characters of a title on one line of a panel


def write_panels(
    results: Results, name: str, path: str | Path, *, tasks: Sequence[str] | None = None
) -> None:
    """Draw a figure of each task, under the task's name, and write all as PDF, PNG or SVG.

    Of one task it is the figure that ``nasbench figure`` draws for the screen.

    Args:
        results: what to draw from.
        name: which figure of ``nasbench figure``.
        path: the file; its ending says what kind.
        tasks: keys of the tasks; by default all.

    Raises:
        SuiteError: an unknown figure, nothing to draw, or a file that cannot be written.
    """
    from matplotlib.figure import Figure as MatplotlibFigure

    path = Path(path)
    check_figure_path(path)
    figure = choose_figure(name)
    shown = present(results)
    keys = list(tasks if tasks is not None else shown.tasks)
    titles = {key: shown.names[key] for key in keys}
    frames = {key: figure.table(one_task(shown, titles[key])) for key in keys}
    with paper_style("screen"):
        if len(keys) == 1:
            save_figure(make_figure(name, frames[keys[0]], venue="screen"), path)
            return
        columns = min(len(keys), _COLUMNS)
        rows = -(-len(keys) // columns)
        methods = list(dict.fromkeys(m for frame in frames.values() for m in frame["method"]))
        size = 4.6 * columns, 3.4 * rows + legend_height(methods, 4.6 * columns)
        drawn = MatplotlibFigure(figsize=size, layout="constrained")
        axes = list(drawn.subplots(rows, columns, squeeze=False).flat)
        handles: dict[str, Any] = {}
        for ax, key in zip(axes, keys, strict=False):
            figure.draw(frames[key], ax)
            ax.set_title(fill(titles[key], _TITLE), fontsize="small", loc="left")
            handles |= dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
            if (legend := ax.get_legend()) is not None:
                legend.remove()
        for ax in axes[len(keys) :]:
            ax.remove()
        drawn.legend(
            handles=list(handles.values()),
            labels=list(handles),
            loc="outside lower center",
            ncols=min(len(handles), 2 * columns),
            frameon=False,
            prop={"size": "small"},
        )
        save_figure(drawn, path)


__all__ = ["write_panels"]
