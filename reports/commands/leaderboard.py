"""``nasbench leaderboard``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from nasbench_suite.commands.options import DEFAULT_STORE, Store, choosing
from reports.commands.options import (
    Evaluations,
    File,
    Form,
    Format,
    Seconds,
    Selection,
    print_sheet,
    results_file,
    tell_same,
)


class Against(StrEnum):
    """What anytime curves are drawn against."""

    EVALUATIONS = "evaluations"
    SECONDS = "seconds"


@choosing
def leaderboard(
    file: File = None,
    store: Store = DEFAULT_STORE,
    source: Annotated[
        Path | None,
        typer.Option("--from", help="Verify and merge the submissions of this folder instead."),
    ] = None,
    form: Form = Format.TERMINAL,
    *,
    chosen: Selection,
    evaluations: Evaluations = None,
    seconds: Seconds = None,
    confidence: Annotated[
        float, typer.Option(help="Of the intervals; one less it is the level of the tests.")
    ] = 0.95,
    figure: Annotated[
        Path | None, typer.Option(help="Draw the anytime curves here (.pdf, .png or .svg).")
    ] = None,
    against: Annotated[
        Against, typer.Option(help="What the curves are drawn against.")
    ] = Against.EVALUATIONS,
    simultaneous: Annotated[
        bool,
        typer.Option("--simultaneous", help="Draw bands that hold for each whole curve at once."),
    ] = False,
) -> None:
    """Compare methods: means, intervals, regrets, ranks, ties within noise, anytime curves."""
    from nasbench_suite.analysis.leaderboard import results_boards
    from reports.labels import in_order
    from reports.tables import rendering as tables

    with _results_file(results_file(file, store), source) as path:
        results = chosen.read(path, form)
        boards = results_boards(
            results, evaluations=evaluations, seconds=seconds, confidence=confidence
        )
        rows = in_order(boards.rows, results)
        several = rows["task_key"].nunique() > 1
        overall = in_order(boards.overall, results) if several else None
        if figure is not None:
            from reports.figures.gallery import write_paper_figure

            name = "anytime" if against is Against.EVALUATIONS else "anytime-seconds"
            name += "-simultaneous" if simultaneous else ""
            write_paper_figure(chosen.read(path), name, figure, venue="screen")
            typer.echo(f"The anytime curves are in {figure}.", err=True)
        if form in (Format.CSV, Format.JSON):
            tell_same(results)  # other forms say it below each task
        if form is Format.CSV:
            typer.echo(tables.to_csv(rows), nl=False)
            return
        if form is Format.JSON:
            typer.echo(tables.to_json(rows, overall), nl=False)
            return
        cuts = {"evaluations": evaluations, "seconds": seconds}
        cut = " and ".join(f"{cut:,.10g} {kind}" for kind, cut in cuts.items() if cut is not None)
        sheet = tables.leaderboard_sheet(results, rows, overall, confidence=confidence, cut=cut)
        print_sheet(sheet, form, results)


@contextmanager
def _results_file(store: Path, source: Path | None) -> Iterator[Path]:
    """The results file, or what is merged from submissions for the time being."""
    if source is None:
        yield store
        return
    from nasbench_suite.commands.submit import report_merge
    from nasbench_suite.submissions import merge_submissions

    with TemporaryDirectory() as folder:
        merged = Path(folder) / "merged.sqlite"
        report_merge(merge_submissions(source, merged))
        yield merged
