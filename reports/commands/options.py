"""What the commands that read results share: their options, each spelled once, and printing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nasbench_suite.commands.options import DEFAULT_STORE, Chosen, Tasks
from nasbench_suite.deprecated import moved
from nasbench_suite.errors import SuiteError, printable

if TYPE_CHECKING:
    import pandas as pd

    from nasbench_suite.analysis.results import Results
    from reports.labels import Presented
    from reports.tables import rendering as tables

_PIPED = 100  # columns, where the output is no terminal and has no width


class Format(StrEnum):
    """How tables are printed."""

    TERMINAL = "terminal"
    MARKDOWN = "markdown"
    CSV = "csv"
    LATEX = "latex"
    JSON = "json"


File = Annotated[
    Path | None,
    typer.Argument(
        metavar="RESULTS", help="Results file; the same as --store.", show_default=False
    ),
]
Form = Annotated[Format, typer.Option("--format", help="How to print it.")]
Order = Annotated[
    str | None,
    typer.Option(
        "--order", help="These methods first, as name,name; by default as the results have them."
    ),
]
LabelsFile = Annotated[
    Path | None,
    typer.Option("--labels", help="Names to show of methods, data sets and so on (TOML)."),
]
Evaluations = Annotated[
    float | None,
    typer.Option("--evaluations", help="Look at the searches after this many evaluations."),
]
Seconds = Annotated[
    float | None,
    typer.Option(
        "--seconds",
        "--simulated-seconds",
        help="Look after this many simulated training seconds.",
    ),
]


@dataclass(frozen=True)
class ShownTasks(Tasks):
    """Which tasks of a results file a command shows, and under which names."""

    labels: LabelsFile = None

    def read(self, path: Path, form: Format | None = None) -> Presented:
        """What is chosen; under identifiers where it is printed for other programs."""
        from reports.labels import read_presented

        return read_presented(path, **self.settings(), plain=form in (Format.CSV, Format.JSON))

    def settings(self) -> dict[str, Any]:
        """As ``reports.labels.read_presented`` takes them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True)
class Selection(ShownTasks):
    """What a command shows of a results file, in which order, and under which names."""

    methods: Chosen = None
    order: Order = None

    def settings(self) -> dict[str, Any]:
        """As ``reports.labels.read_presented`` takes them."""
        from nasbench_suite.parsing import given_names

        chosen = {"methods": given_names(self.methods), "order": given_names(self.order)}
        return super().settings() | chosen


def results_file(file: Path | None, store: Path) -> Path:
    """The results file that is meant, named by itself or by ``--store``.

    Raises:
        SuiteError: both are given, and are not one.
    """
    if file is not None and store not in (file, DEFAULT_STORE):
        raise SuiteError(f"{file} and --store {store} are two results files: give one.")
    return file or store


def print_sheet(sheet: tables.Sheet, form: Format, results: Results | None = None) -> None:
    """Print tables for the terminal, in Markdown or in LaTeX.

    What names of methods in ``results`` leave out is added to the legend.
    """
    from reports.labels import common_settings
    from reports.tables import rendering as tables

    if results is not None:
        sheet = replace(sheet, legend=(*sheet.legend, *common_settings(results)))
    if form is Format.MARKDOWN:
        typer.echo(tables.to_markdown(sheet), nl=False)
        return
    if form is Format.LATEX:
        typer.echo(tables.to_latex(sheet), nl=False)
        return
    import os

    from rich.console import Console

    from reports.tables.terminal import to_terminal

    console = Console(highlight=False, markup=False)
    known = console.is_terminal or "COLUMNS" in os.environ
    width = console.width if known else _PIPED
    console.width = width
    shown = to_terminal(sheet, console.encoding, width, bold=console.color_system is not None)
    console.print(*shown, sep="\n", crop=False)


def print_rows(
    rows: pd.DataFrame,
    form: Format,
    sheet: Callable[[], tables.Sheet],
    results: Results | None = None,
) -> None:
    """Print rows for other programs as they are, for people as the tables that are made of them."""
    from reports.tables import rendering as tables

    if form is Format.CSV:
        typer.echo(tables.to_csv(rows), nl=False)
    elif form is Format.JSON:
        typer.echo(tables.records_json(rows), nl=False)
    else:
        print_sheet(sheet(), form, results)


def tell_same(results: Results) -> None:
    """Say beside what a command prints which methods of a task are one by two names."""
    from nasbench_suite.analysis.sameness import told_same

    for key, task in results.names.items():
        for said in told_same(results, key):
            typer.echo(printable(f"{task}: {said}"), err=True)


if not TYPE_CHECKING:  # names of version 0.1
    __getattr__, _ = moved(__name__, {"print_report": ":print_sheet"})
