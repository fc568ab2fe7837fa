"""``nasbench figure`` and ``nasbench table``: what goes into a paper."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nasbench_suite.commands.completion import complete
from nasbench_suite.commands.options import DEFAULT_STORE, Store, choosing
from reports.commands.options import File, Selection, results_file, tell_same


class Venue(StrEnum):
    """Whose column widths and fonts."""

    NEURIPS = "neurips"
    ICML = "icml"
    IEEE = "ieee"
    SCREEN = "screen"


class Width(StrEnum):
    """How wide."""

    COLUMN = "column"
    TEXT = "text"


@choosing
def figure(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Which figure; left out, all are listed.", autocompletion=complete("figures")
        ),
    ] = None,
    store: Store = DEFAULT_STORE,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File (.pdf, .svg or .png); by default NAME.pdf."),
    ] = None,
    *,
    chosen: Selection,
    venue: Annotated[Venue, typer.Option(help="Column width and font sizes.")] = Venue.NEURIPS,
    width: Annotated[Width, typer.Option(help="One column, or the whole text.")] = Width.COLUMN,
    height: Annotated[float | None, typer.Option(help="Inches; by default as it fits.")] = None,
    dark: Annotated[
        bool, typer.Option("--dark", help="Light on dark, for slides and pages.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option(help="Write what is drawn to this CSV file too.")
    ] = None,
) -> None:
    """Draw a figure for a paper, in the width of its columns and with embedded fonts."""
    from nasbench_suite.files.atomic import write_text
    from reports.figures.gallery import choose_figure, list_figures, write_paper_figure
    from reports.tables.rendering import to_csv

    if name is None:
        for known in list_figures():
            typer.echo(f"{known:<20}  {choose_figure(known).summary}")
        return
    kind = choose_figure(name)  # a slip in the name is told before anything is read
    if kind.ranked and chosen.order:
        order = (
            f"{kind.title}: the order of its methods is what it shows, so --order changes nothing."
        )
        typer.echo(order, err=True)
    path = output or Path(f"{name}.pdf")
    results = chosen.read(store)
    tell_same(results)
    frame = write_paper_figure(
        results,
        name,
        path,
        venue=venue.value,
        width=width.value,
        height=height,
        dark=dark,
    )
    if data is not None:
        write_text(data, to_csv(frame))
    typer.echo(path)


class Statistic(StrEnum):
    """What is shown of a method's seeds."""

    MEAN = "mean"
    MEDIAN = "median"
    IQM = "iqm"


class TableFormat(StrEnum):
    """How a table is printed."""

    LATEX = "latex"
    MARKDOWN = "markdown"


@choosing
def table(
    file: File = None,
    store: Store = DEFAULT_STORE,
    *,
    chosen: Selection,
    statistic: Annotated[
        Statistic, typer.Option(help="mean ± std, median, or iqm with interval.")
    ] = Statistic.MEAN,
    form: Annotated[
        TableFormat, typer.Option("--format", help="How to print it.")
    ] = TableFormat.LATEX,
    alpha: Annotated[float, typer.Option(help="Level of the significance marks.")] = 0.05,
) -> None:
    """Print methods by tasks for a paper: best bold, second underlined, worse than best marked."""
    from reports.tables.paper import paper_table, paper_table_latex, paper_table_markdown

    results = chosen.read(results_file(file, store))
    tell_same(results)
    made = paper_table(
        results,
        statistic=statistic.value,
        alpha=alpha,
    )
    render = paper_table_latex if form is TableFormat.LATEX else paper_table_markdown
    typer.echo(render(made), nl=False)
