"""The figures that ``nasbench figure`` and the HTML report know, by name.

A further figure is one file with a ``reports.figures.figure.Figure``, and one line under the entry
point group ``nasbench_suite.figures``.
"""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from nasbench_suite import registry
from nasbench_suite.analysis.results import Results, choose_task, one_task
from nasbench_suite.errors import SuiteError
from reports.figures.figure import Figure
from reports.figures.methods import legend_height, title_of
from reports.figures.style import check_figure_path, figure_width, inks, paper_style, save_figure
from reports.labels import present

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as MatplotlibFigure


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

    chosen = choose_figure(name)
    inches = figure_width(venue, width)
    if height is None:
        methods = list(dict.fromkeys(frame["method"]))
        height = (
            chosen.height(methods)
            if chosen.height
            else 0.62 * inches + legend_height(methods, inches)
        )
    figure = MatplotlibFigure(figsize=(inches, height), layout="constrained")
    ax = chosen.draw(frame, figure.subplots())
    if "task" in frame.attrs and not ax.get_title(loc="left"):
        title_of(ax, frame.attrs["task"])
        height += 0.17 * (1 + ax.get_title(loc="left").count("\n"))
    notes = list(frame.attrs.get("common", ()))
    if left_out := frame.attrs.get("left_out"):
        notes.insert(0, f"not run on every task, so left out: {', '.join(left_out)}")
    if notes:
        words = "\n".join(fill(note, int(14 * inches)) for note in notes)
        figure.supxlabel(words, fontsize="small", color=inks().muted)
        height += 0.15 * (1 + words.count("\n"))
    figure.set_figheight(height)
    return figure


def write_paper_figure(
    results: Results,
    name: str,
    path: str | Path,
    *,
    task: str | None = None,
    venue: str = "neurips",
    width: str = "column",
    height: float | None = None,
    dark: bool = False,
) -> pd.DataFrame:
    """Write a figure for a paper as PDF, SVG or PNG, fonts embedded.

    Args:
        results: what to draw from.
        name: which figure; `nasbench figure` lists them.
        path: the file; its ending says what kind.
        task: one task alone, by its readable name; needed for a figure of one task if there are
            several.
        venue: see ``reports.figures.style.WIDTHS``.
        width: ``column`` or ``text``.
        height: inches; by default as the figure asks.
        dark: light on dark.

    Returns:
        The table behind the figure.

    Raises:
        SuiteError: unknown figure, task, venue or width, or a file that cannot be written.
    """
    chosen = choose_figure(name)
    path = Path(path)
    check_figure_path(path)
    figure_width(venue, width)
    results = present(results)
    if height is not None and not 0.3 <= height <= 30:
        raise SuiteError(f"A height of {height} inches is impossible: give 0.3 to 30.")
    if task is not None or not chosen.across:
        results = one_task(results, choose_task(results, task))
    frame = chosen.table(results)
    with paper_style(venue, dark=dark):
        save_figure(make_figure(name, frame, venue=venue, width=width, height=height), path)
    return frame
