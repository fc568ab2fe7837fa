"""The figures that ``nasbench figure`` and the HTML report know, by name.

A further figure is one file with a ``reports.figures.figure.Figure``, and one line under the entry
point group ``nasbench_suite.figures``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasbench_suite import registry
from nasbench_suite.analysis.results import Results, choose_task, one_task
from nasbench_suite.errors import SuiteError
from reports.figures.figure import NOTE_LINE, Figure, notes_below
from reports.figures.methods import (
    balanced,
    legend_columns,
    legend_height,
    legend_names,
    letters_in,
)
from reports.figures.style import check_figure_path, figure_width, inks, paper_style, save_figure
from reports.labels import present, told_apart

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as MatplotlibFigure

_PANELS = 3  # side by side
_MOST_PANELS = 30
_NARROWEST = 1.7  # inches of a panel
_ON_SCREEN = 4.6  # inches of a panel there
_BESIDE = 0.5  # inches of a panel beside its title


def list_figures() -> list[str]:
    """The names of all figures that are installed, sorted."""
    return list(registry.entries("figures"))


def choose_figure(name: str) -> Figure:
    """The figure of that name.

    Raises:
        SuiteError: there is none, or it cannot be imported.
    """
    return registry.load_object("figures", name, Figure)


def make_figure(
    name: str,
    frame: pd.DataFrame,
    *,
    venue: str = "neurips",
    width: str = "column",
    height: float | None = None,
) -> MatplotlibFigure:
    """A figure of a venue's width, to be saved in ``paper_style`` of that venue.

    Args:
        name: which figure.
        frame: what its ``data`` made.
        venue: see ``reports.figures.style.WIDTHS``.
        width: ``column`` or ``text``.
        height: inches; by default as the figure asks.
    """
    from matplotlib.figure import Figure as MatplotlibFigure

    inches = figure_width(venue, width)
    figure = MatplotlibFigure(figsize=(inches, inches), layout="constrained")
    choose_figure(name).draw_alone(frame, figure, height)
    return figure


def make_panels(
    name: str,
    frames: Mapping[str, pd.DataFrame],
    *,
    venue: str = "neurips",
    width: str = "column",
    height: float | None = None,
) -> MatplotlibFigure:
    """A figure of one task for several, a panel each, with notes and one legend below.

    What the titles have in common is said once, above all panels.

    Args:
        name: which figure.
        frames: what its ``data`` made of each task, by the task's name.
        venue: see ``make_figure``, as for the others; on the screen it is as wide as it takes.
        width: ``column`` or ``text``.
        height: inches; by default as the panels ask.
    """
    from matplotlib.figure import Figure as MatplotlibFigure

    chosen = choose_figure(name)
    inches = figure_width(venue, width)
    columns = max(1, min(len(frames), _PANELS, int(inches / _NARROWEST)))
    if venue == "screen":
        columns = min(len(frames), _PANELS)
        inches = _ON_SCREEN * columns
    rows = -(-len(frames) // columns)
    across = inches / columns
    methods = list(dict.fromkeys(m for frame in frames.values() for m in frame["method"]))
    titles, common = told_apart(list(frames))
    for title, frame in zip(titles, frames.values(), strict=True):
        if frame.attrs.get("metric", "") in title:
            frame.attrs["metric"] = ""  # no label says it again
    titles = [balanced(title, letters_in(across - _BESIDE, title, "small")) for title in titles]
    lines = max(title.count("\n") for title in titles)
    words = notes_below(list(frames.values()), inches)
    if height is None:
        height = rows * (0.6 * across + 0.5 + 0.14 * lines) + legend_height(methods, inches) + 0.3
        height += NOTE_LINE * (words.count("\n") + 1 if words else 0)
    figure = MatplotlibFigure(figsize=(inches, height), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    if common:
        figure.suptitle(common, fontsize="medium", x=0.05 / inches, ha="left")
    handles: dict[str, Any] = {}
    for place, (ax, title, frame) in enumerate(zip(axes, titles, frames.values(), strict=False)):
        chosen.draw(frame, ax)
        ax.set_title(title, fontsize="small", loc="left")
        if place % columns and ax.get_ylabel() == axes[place - 1].get_ylabel():
            ax.yaxis.label.set_visible(False)
        handles |= dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
        if (legend := ax.get_legend()) is not None:
            legend.remove()
    for ax in axes[len(frames) :]:
        ax.remove()
    legend = figure.legend(
        title=words or None,  # an overall label below would cover the legend
        title_fontsize="small",
        handles=list(handles.values()),
        labels=legend_names(list(handles), inches),
        loc="outside lower center",
        ncols=legend_columns(list(handles), inches),
        frameon=False,
        prop={"size": "small"},
    )
    legend.get_title().set(color=inks().muted, horizontalalignment="center")
    return figure


def write_paper_figure(
    results: Results,
    name: str,
    path: str | Path,
    *,
    task: str | None = None,
    tasks: Sequence[str] | None = None,
    venue: str = "neurips",
    width: str = "column",
    height: float | None = None,
    dark: bool = False,
) -> pd.DataFrame:
    """Write a figure for a paper as PDF, SVG or PNG, fonts embedded.

    A figure of one task has a panel for each task that has something of it.

    Args:
        results: what to draw from.
        name: which figure; `nasbench figure` lists them.
        path: the file; its ending says what kind.
        task: one task alone, by its readable name.
        tasks: keys of tasks, a panel each, of a figure of one task; by default all.
        venue: see ``reports.figures.style.WIDTHS``.
        width: ``column`` or ``text``.
        height: inches; by default as the figure asks.
        dark: light on dark.

    Returns:
        The table behind the figure.

    Raises:
        SuiteError: unknown figure, task, venue or width, more tasks than there can be panels, or a
            file that cannot be written.
    """
    import pandas as pd

    chosen = choose_figure(name)
    path = Path(path)
    check_figure_path(path)
    figure_width(venue, width)
    results = present(results)
    if height is not None and not 0.3 <= height <= 30:
        raise SuiteError(f"A height of {height} inches is impossible: give 0.3 to 30.")
    looks: dict[str, Any] = {"venue": venue, "width": width, "height": height}
    if task is not None:
        results = one_task(results, choose_task(results, task))
    if chosen.across or len(results.tasks) == 1:
        frames = {"": chosen.table(results)}
    else:
        frames = _tables(chosen, results, list(results.tasks if tasks is None else tasks))
    with paper_style(venue, dark=dark):
        if len(frames) == 1:
            (frame,) = frames.values()
            save_figure(make_figure(name, frame, **looks), path)
            return frame
        save_figure(make_panels(name, frames, **looks), path)
    return pd.concat(frames.values(), ignore_index=True)


def _tables(chosen: Figure, results: Results, keys: Sequence[str]) -> dict[str, pd.DataFrame]:
    """What a figure of one task draws of each, by its name; tasks that have none are left out."""
    if len(keys) > _MOST_PANELS:
        raise SuiteError(
            f"There are {len(keys)} tasks, and a figure has {_MOST_PANELS} panels at most: choose "
            f"by --task, --benchmark or --dataset, such as --task '{results.names[keys[0]]}'."
        )
    found: dict[str, pd.DataFrame] = {}
    reason: SuiteError | None = None
    for key in keys:
        try:
            found[results.names[key]] = chosen.table(one_task(results, results.names[key]))
        except SuiteError as error:
            reason = reason or error
    if not found and reason is not None:
        raise reason
    return found
