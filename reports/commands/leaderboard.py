"""``nasbench leaderboard``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from reports.tables import rendering as tables


class Format(StrEnum):
    """How a leaderboard is printed."""

    TERMINAL = "terminal"
    MARKDOWN = "markdown"
    CSV = "csv"
    LATEX = "latex"
    JSON = "json"


class Against(StrEnum):
    """What anytime curves are drawn against."""

    EVALUATIONS = "evaluations"
    SECONDS = "seconds"


def leaderboard(
    store: Annotated[Path, typer.Option(help="Results file, made by `nasbench run`.")] = Path(
        "results.sqlite"
    ),
    source: Annotated[
        Path | None,
        typer.Option("--from", help="Verify and merge the submissions of this folder instead."),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.TERMINAL,
    benchmark: Annotated[str | None, typer.Option(help="This benchmark alone.")] = None,
    dataset: Annotated[str | None, typer.Option(help="This data set alone.")] = None,
    evaluations: Annotated[
        float | None, typer.Option(help="Look at the searches after this many evaluations.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(help="Look after this many simulated training seconds.")
    ] = None,
    confidence: Annotated[
        float, typer.Option(help="Of the intervals; one less it is the level of the tests.")
    ] = 0.95,
    figure: Annotated[
        Path | None, typer.Option(help="Draw the anytime curves here (.pdf, .png or .svg).")
    ] = None,
    against: Annotated[
        Against, typer.Option(help="What the curves are drawn against.")
    ] = Against.EVALUATIONS,
) -> None:
    """Compare methods: means, intervals, regrets, ranks, ties within noise, anytime curves."""
    from nasbench_suite.analysis.leaderboard import results_leaderboard, results_overall
    from nasbench_suite.analysis.results import read_results
    from reports.tables import rendering as tables

    with _results_file(store, source) as path:
        results = read_results(path, benchmark=benchmark, dataset=dataset)
        rows = results_leaderboard(
            results,
            evaluations=evaluations,
            seconds=seconds,
            confidence=confidence,
        )
        overall = None
        if rows["task_key"].nunique() > 1 and form is not Format.CSV:
            overall = results_overall(
                results,
                evaluations=evaluations,
                seconds=seconds,
                confidence=confidence,
            )
        if figure is not None:
            from reports.figures.anytime import write_figure

            write_figure(results, figure, by=against.value, confidence=confidence)
            typer.echo(f"The anytime curves are in {figure}.", err=True)
        if form is Format.CSV:
            typer.echo(tables.to_csv(rows), nl=False)
            return
        if form is Format.JSON:
            typer.echo(tables.to_json(rows, overall), nl=False)
            return
        cuts = {"evaluations": evaluations, "seconds": seconds}
        cut = " and ".join(f"{cut:,.10g} {kind}" for kind, cut in cuts.items() if cut is not None)
        report = tables.make_report(results, rows, overall, confidence=confidence, cut=cut)
        print_report(report, form)


@contextmanager
def _results_file(store: Path, source: Path | None) -> Iterator[Path]:
    """The results file, or what is merged from submissions for the time being."""
    if source is None:
        yield store
        return
    from nasbench_suite.commands.submit import report_rejected
    from nasbench_suite.submissions import merge_submissions

    with TemporaryDirectory() as folder:
        merged = Path(folder) / "merged.sqlite"
        report_rejected(merge_submissions(source, merged).rejected)
        yield merged


def print_report(report: tables.Report, form: Format) -> None:
    """Print tables for the terminal, in Markdown or in LaTeX."""
    from reports.tables import rendering as tables

    if form is Format.MARKDOWN:
        typer.echo(tables.to_markdown(report), nl=False)
    elif form is Format.LATEX:
        typer.echo(tables.to_latex(report), nl=False)
    else:
        from rich.console import Console

        console = Console(highlight=False)
        if not console.is_terminal:
            console.width = _WIDTH
        console.width = min(console.width, _WIDTH)
        console.print(*tables.to_terminal(report, console.encoding), sep="\n")


_WIDTH = 100  # columns
